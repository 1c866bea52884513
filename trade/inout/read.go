package inout

import (
	"fmt"
	"strconv"

	"causeway/trade/place"
	"causeway/trade/table"
	"gonum.org/v1/gonum/mat"
)

// ReadTable builds a table from Z (square, names in the first row and column)
// and X (name, value). Rows and columns may stand in different orders but
// must hold the same names; total rows and columns are left out. Every cell
// must be a number: an empty flow is not a zero. The notes say what was left
// out.
func ReadTable(z, x *table.Table) (*Table, []string, error) {
	var notes []string
	cols := map[string]int{}
	var names []string
	for j, name := range z.Header[1:] {
		if place.KindOf(name) == place.Total && !hasNumberName(name) {
			notes = append(notes, fmt.Sprintf("%s: column %q is a total and is left out", z.Name, name))
			continue
		}
		if _, twice := cols[name]; twice {
			return nil, nil, fmt.Errorf("%s: column %q stands twice; names must be unique", z.Name, name)
		}
		cols[name] = j + 1
		names = append(names, name)
	}
	rows := map[string]int{}
	for i := range z.Rows {
		name := z.Text(i, 0)
		if _, isColumn := cols[name]; !isColumn && place.KindOf(name) == place.Total && !hasNumberName(name) {
			notes = append(notes, fmt.Sprintf("%s line %d: %q is a total and is left out", z.Name, z.Lines[i], name))
			continue
		}
		if _, twice := rows[name]; twice {
			return nil, nil, fmt.Errorf("%s line %d: row %q stands twice; names must be unique", z.Name, z.Lines[i], name)
		}
		if _, ok := cols[name]; !ok {
			hint := ""
			if near, ok := table.Nearest(name, names); ok {
				hint = fmt.Sprintf(" (nearest column: %q)", near)
			}
			return nil, nil, fmt.Errorf("%s line %d: row %q has no column of that name%s; rows and columns must hold the same sectors (leave primary inputs and final demand out)", z.Name, z.Lines[i], name, hint)
		}
		rows[name] = i
	}
	if len(names) == 0 {
		return nil, nil, fmt.Errorf("%s: no sectors; names belong in the first row and column", z.Name)
	}
	if len(names) > MaxSectors {
		return nil, nil, fmt.Errorf("%s: %d sectors; at most %d fit", z.Name, len(names), MaxSectors)
	}
	flows := mat.NewDense(len(names), len(names), nil)
	for i, name := range names {
		row, ok := rows[name]
		if !ok {
			return nil, nil, fmt.Errorf("%s: column %q has no row of that name; rows and columns must hold the same sectors", z.Name, name)
		}
		for j, other := range names {
			v, err := z.Number(row, cols[other])
			if err != nil {
				return nil, nil, err
			}
			if v < 0 {
				return nil, nil, fmt.Errorf("%s: %v is negative; a flow is zero or more (move corrections to final demand)", z.Where(row, cols[other]), v)
			}
			flows.Set(i, j, v)
		}
	}
	output, more, err := ReadValues(x, names)
	if err != nil {
		return nil, nil, err
	}
	t, err := NewTable(names, flows, output)
	return t, append(notes, more...), err
}

// hasNumberName keeps sector codes such as "0" from being read as totals.
func hasNumberName(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}

// ReadValues reads a table of name, value in the order of names. Every name
// must be there once; names that are not asked for are left out with a note.
func ReadValues(t *table.Table, names []string) ([]float64, []string, error) {
	if len(t.Header) < 2 {
		return nil, nil, fmt.Errorf("%s: want two columns, name and value", t.Name)
	}
	nameCol, valueCol := 0, 1
	if i, err := t.Column("name"); err == nil {
		nameCol = i
		valueCol = 1 - min(i, 1)
	}
	if i, err := t.Column("value"); err == nil {
		valueCol = i
	}
	if c := table.ParseCell(t.Header[valueCol]); c.Known() && valueCol == 1 {
		for _, n := range names {
			if n == t.Header[nameCol] {
				return nil, nil, fmt.Errorf("%s: the first line is data (%s,%s); put the header name,value before it", t.Name, t.Header[nameCol], t.Header[valueCol])
			}
		}
	}
	at := map[string]int{}
	for i, n := range names {
		at[n] = i
	}
	values, seen := make([]float64, len(names)), make([]bool, len(names))
	extra := 0
	for i := range t.Rows {
		n := t.Text(i, nameCol)
		k, ok := at[n]
		if !ok {
			extra++
			continue
		}
		if seen[k] {
			return nil, nil, fmt.Errorf("%s line %d: %q stands twice; give one value each", t.Name, t.Lines[i], n)
		}
		v, err := t.Number(i, valueCol)
		if err != nil {
			return nil, nil, err
		}
		values[k], seen[k] = v, true
	}
	for k, ok := range seen {
		if !ok {
			return nil, nil, fmt.Errorf("%s: no value for %q; every sector of the flows needs one", t.Name, names[k])
		}
	}
	var notes []string
	if extra > 0 {
		notes = append(notes, fmt.Sprintf("%s: %d names that are not sectors of the flows are left out", t.Name, extra))
	}
	return values, notes, nil
}
