package cascade

import (
	"fmt"
	"slices"

	"causeway/trade/table"
)

// A Year is the world of one year; Name is "" where the tables name none.
type Year struct {
	Name  string
	World *World
}

// ReadYears is ReadWorld for tables with a column "year": one world a year, in
// order. Where only the exports have years, the places hold for all of them,
// and a note says so. A year without a row of places is an error: production
// that is not known is not zero.
func ReadYears(places, exports *table.Table) (years []Year, notes []string, err error) {
	at, err := exports.Column("year")
	if err != nil {
		w, notes, err := ReadWorld(places, exports)
		return []Year{{World: w}}, notes, err
	}
	in, err := places.Column("year")
	if err != nil {
		in = -1
		notes = append(notes, places.Name+" has no column \"year\": production and stocks are taken to be the same in every year")
	}
	byYear := split(exports, at)
	names := make([]string, 0, len(byYear))
	for name := range byYear {
		if len(name) != 4 || !table.ParseCell(name).Known() {
			return nil, nil, fmt.Errorf("%s: %q is no year; want four digits", exports.Name, name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	of := map[string]*table.Table{}
	if in >= 0 {
		of = split(places, in)
	}
	for _, name := range names {
		here := places
		if in >= 0 {
			if here = of[name]; here == nil {
				return nil, nil, fmt.Errorf("%s: no place has a row for %s, which %s has", places.Name, name, exports.Name)
			}
		}
		w, more, err := ReadWorld(here, byYear[name])
		if err != nil {
			return nil, nil, fmt.Errorf("year %s: %w", name, err)
		}
		years, notes = append(years, Year{name, w}), append(notes, more...)
	}
	slices.Sort(notes)
	return years, slices.Compact(notes), nil
}

// split parts the rows of a table by the text of one column.
func split(t *table.Table, column int) map[string]*table.Table {
	out := map[string]*table.Table{}
	for i, row := range t.Rows {
		name := t.Text(i, column)
		if out[name] == nil {
			out[name] = &table.Table{Name: t.Name, Header: t.Header}
		}
		out[name].Rows, out[name].Lines = append(out[name].Rows, row), append(out[name].Lines, t.Lines[i])
	}
	return out
}
