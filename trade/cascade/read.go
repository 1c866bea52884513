package cascade

import (
	"fmt"
	"strings"

	"causeway/trade/place"
	"causeway/trade/table"
)

// ReadWorld builds a world from two tables. places: place, production, stock
// (the last may be missing: then nobody has stock, and a note says so).
// exports: from, to, quantity. Totals are left out; a residual or bloc counts
// as a place of its own. A place that only trades needs a row too: production
// that is not known is not zero.
func ReadWorld(places, exports *table.Table) (*World, []string, error) {
	at, err := places.Columns("place", "production")
	if err != nil {
		return nil, nil, err
	}
	w := &World{}
	var notes []string
	stock, err := places.Column("stock")
	if err != nil {
		stock = -1
		notes = append(notes, places.Name+" has no column \"stock\": nobody can draw on stocks")
	}
	index := map[string]int{}
	for i := range places.Rows {
		name := places.Text(i, at[0])
		if place.KindOf(name) == place.Total {
			notes = append(notes, fmt.Sprintf("%s line %d: %q is a total and is left out", places.Name, places.Lines[i], name))
			continue
		}
		if name == "" {
			return nil, nil, fmt.Errorf("%s: the place has no name", places.Where(i, at[0]))
		}
		if _, twice := index[name]; twice {
			return nil, nil, fmt.Errorf("%s: %q stands twice; give each place one row", places.Where(i, at[0]), name)
		}
		p, err := quantity(places, i, at[1])
		if err != nil {
			return nil, nil, err
		}
		s := 0.0
		if stock >= 0 {
			if s, err = quantity(places, i, stock); err != nil {
				return nil, nil, err
			}
		}
		index[name] = len(w.Places)
		w.Places, w.Production, w.Stock = append(w.Places, name), append(w.Production, p), append(w.Stock, s)
	}
	if at, err = exports.Columns("from", "to", "quantity"); err != nil {
		return nil, nil, err
	}
	for i := range exports.Rows {
		from, err := w.find(exports, i, at[0], index)
		if err != nil {
			return nil, nil, err
		}
		to, err := w.find(exports, i, at[1], index)
		if err != nil {
			return nil, nil, err
		}
		q, err := quantity(exports, i, at[2])
		if err != nil {
			return nil, nil, err
		}
		w.Links = append(w.Links, Link{from, to, q})
	}
	return w, notes, w.Check()
}

func quantity(t *table.Table, row, col int) (float64, error) {
	v, err := t.Number(row, col)
	if err == nil && v < 0 {
		err = fmt.Errorf("%s: %s is negative; want zero or more", t.Where(row, col), t.Text(row, col))
	}
	return v, err
}

func (w *World) find(t *table.Table, row, col int, index map[string]int) (int, error) {
	name := t.Text(row, col)
	if i, ok := index[name]; ok {
		return i, nil
	}
	hint := ""
	if near, ok := table.Nearest(name, w.Places); ok {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	return 0, fmt.Errorf("%s: unknown place %q%s (every place needs a row with its production)", t.Where(row, col), name, hint)
}

// ReadChange reads one year's production changes from a column of the places
// table: an absolute change in the unit of production, or a percentage such as
// "-20%". Empty is no change.
func (w *World) ReadChange(places *table.Table, column string) ([]float64, error) {
	at, err := places.Columns("place", column)
	if err != nil {
		return nil, err
	}
	index := make(map[string]int, len(w.Places))
	for i, n := range w.Places {
		index[n] = i
	}
	out := make([]float64, len(w.Places))
	for row := range places.Rows {
		i, ok := index[places.Text(row, at[0])]
		text := places.Text(row, at[1])
		if !ok || text == "" {
			continue
		}
		bare, percent := strings.CutSuffix(text, "%")
		c := table.ParseCell(bare)
		if !c.Known() {
			return nil, fmt.Errorf("%s: %s", places.Where(row, at[1]), c.Problem())
		}
		out[i] = c.Value
		if percent {
			out[i] *= w.Production[i] / 100
		}
		if out[i] < -w.Production[i] {
			return nil, fmt.Errorf("%s: %s is more than the production %v", places.Where(row, at[1]), text, w.Production[i])
		}
	}
	return out, nil
}

// ReadRestrictions reads measures on links: from, to, withheld (fraction or
// percentage), and by (exporter or importer; exporter if the column is
// missing). "*" stands for every place; what a later row says of a link
// replaces what an earlier one said. notes name links that carry no trade.
func (w *World) ReadRestrictions(t *table.Table) (rs []Restriction, notes []string, err error) {
	at, err := t.Columns("from", "to", "withheld")
	if err != nil {
		return nil, nil, err
	}
	by, err := t.Column("by")
	if err != nil {
		by = -1
	}
	index := make(map[string]int, len(w.Places))
	for i, n := range w.Places {
		index[n] = i
	}
	found := map[[2]int]int{}
	for row := range t.Rows {
		r := Restriction{From: -1, To: -1}
		for k, end := range []*int{&r.From, &r.To} {
			if t.Text(row, at[k]) == "*" {
				continue
			}
			if *end, err = w.find(t, row, at[k], index); err != nil {
				return nil, nil, err
			}
		}
		bare, percent := strings.CutSuffix(t.Text(row, at[2]), "%")
		c := table.ParseCell(bare)
		if percent {
			c.Value /= 100
		}
		if !c.Known() || c.Value < 0 || c.Value > 1 {
			return nil, nil, fmt.Errorf("%s: %q; want a fraction from 0 to 1 or a percentage", t.Where(row, at[2]), t.Text(row, at[2]))
		}
		r.Withheld = c.Value
		if by >= 0 {
			switch side := strings.ToLower(t.Text(row, by)); side {
			case "", "exporter", "export":
			case "importer", "import":
				r.By = Importer
			default:
				return nil, nil, fmt.Errorf("%s: %q; want exporter or importer", t.Where(row, by), side)
			}
		}
		hit := false
		for _, l := range w.Links {
			if (r.From >= 0 && r.From != l.From) || (r.To >= 0 && r.To != l.To) {
				continue
			}
			hit = true
			one := Restriction{l.From, l.To, r.Withheld, r.By}
			if k, ok := found[[2]int{l.From, l.To}]; ok {
				rs[k] = one
				continue
			}
			found[[2]int{l.From, l.To}] = len(rs)
			rs = append(rs, one)
		}
		if !hit {
			notes = append(notes, fmt.Sprintf("%s line %d: no trade from %s to %s, so this measure changes nothing", t.Name, t.Lines[row], t.Text(row, at[0]), t.Text(row, at[1])))
		}
	}
	return rs, notes, nil
}
