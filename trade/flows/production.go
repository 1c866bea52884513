package flows

import (
	"fmt"
	"sort"
	"strings"

	"causeway/trade"
	"causeway/trade/place"
	"causeway/trade/table"
)

// An Output is what one country produces of a commodity.
type Output struct {
	Country string       // ISO alpha-3, or the residual's name
	Kind    place.Kind   // Country, Historic, Residual or Bloc
	Value   trade.Figure // in Unit; a bound or withheld value is unknown, with the reason
	Row     trade.Source
}

// Production is one commodity of a production table.
type Production struct {
	Commodity string
	Type      string // "Mine production", ...
	Unit      string
	Outputs   []Output
	Declared  trade.Figure // the total row, if there is one
}

// ReadProduction reads world production: the USGS Mineral Commodity Summaries,
// as world data (COMMODITY, COUNTRY, TYPE, UNIT_MEAS, PROD_..., the release of
// 2025) or as all statistics in one long table (Section, Commodity, Country,
// Statistics, Year, Value, that of 2026), or commodity, country, quantity. year
// picks the USGS year, such as 2024; 0 takes the last.
//
// The TYPE text differs by country inside one commodity; types are folded so
// that "Mine production, cobalt content" in one spelling joins its like, and
// what still differs stays apart.
func ReadProduction(t *table.Table, year int) ([]Production, error) {
	if long, err := longProduction(t, year); err != nil || long != nil {
		if err != nil {
			return nil, err
		}
		return ReadProduction(long, 0)
	}
	commodity, err := t.FirstColumn("COMMODITY", "commodity")
	if err != nil {
		return nil, err
	}
	country, err := t.FirstColumn("COUNTRY", "country")
	if err != nil {
		return nil, err
	}
	value, err := productionColumn(t, year)
	if err != nil {
		return nil, err
	}
	kind, unit := optional(t, "TYPE", "type"), optional(t, "UNIT_MEAS", "unit")
	at := map[[2]string]int{}
	var out []Production
	for i := range t.Rows {
		key := [2]string{t.Text(i, commodity), ""}
		if kind >= 0 {
			key[1] = foldType(t.Text(i, kind))
		}
		p := place.KindOf(t.Text(i, country))
		cell := t.Cell(i, value)
		if cell.Text == "" && p != place.Total {
			continue // the row is about capacity or reserves
		}
		k, ok := at[key]
		if !ok {
			k = len(out)
			at[key] = k
			pr := Production{Commodity: key[0], Type: key[1], Declared: trade.Unknown("no total row")}
			if unit >= 0 {
				pr.Unit = t.Text(i, unit)
			}
			out = append(out, pr)
		}
		f := trade.Known(cell.Value)
		if !cell.Known() {
			f = trade.Unknown("%s", cell.Problem())
		}
		if p == place.Total {
			out[k].Declared = f
			continue
		}
		pl, err := place.Resolve(t.Text(i, country))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Where(i, country), err)
		}
		out[k].Outputs = append(out[k].Outputs, Output{pl.Code, pl.Kind, f, trade.Source{File: t.Name, Row: t.Lines[i]}})
	}
	kept := out[:0]
	for _, p := range out {
		if len(p.Outputs) > 0 {
			kept = append(kept, p)
		}
	}
	sort.SliceStable(kept, func(a, b int) bool { return kept[a].Commodity < kept[b].Commodity })
	return kept, nil
}

func optional(t *table.Table, names ...string) int {
	if i, err := t.FirstColumn(names...); err == nil {
		return i
	}
	return -1
}

// productionColumn finds the column of a year, by its ending.
func productionColumn(t *table.Table, year int) (int, error) {
	best := -1
	for i, h := range t.Header {
		if l := strings.ToLower(h); strings.HasPrefix(l, "prod_") && !strings.Contains(l, "note") && (year == 0 || strings.HasSuffix(strings.TrimSpace(l), fmt.Sprint(year))) {
			best = i
		}
	}
	if best >= 0 {
		return best, nil
	}
	if year != 0 {
		if i, err := t.Column(fmt.Sprint(year)); err == nil {
			return i, nil
		}
	}
	return t.FirstColumn("quantity", "value")
}

// foldType makes the spellings of one statistic comparable.
func foldType(s string) string {
	s = strings.ToLower(strings.Join(strings.Fields(s), " "))
	for _, cut := range []string{", rounded", " (rounded)", ", contained", " content"} {
		s = strings.TrimSuffix(s, cut)
	}
	return s
}

// longProduction takes the world production out of the long table of the USGS;
// nil for a table that is none.
func longProduction(t *table.Table, year int) (*table.Table, error) {
	at, err := t.Columns("Section", "Commodity", "Country", "Statistics", "Statistics_detail", "Unit", "Year", "Value")
	if err != nil {
		return nil, nil
	}
	world := func(i int) bool {
		return strings.HasPrefix(t.Text(i, at[0]), "World") && t.Text(i, at[3]) == "Production"
	}
	want := fmt.Sprint(year)
	if year == 0 {
		want = ""
		for i := range t.Rows {
			if y := t.Text(i, at[6]); world(i) && len(y) == 4 && y > want {
				want = y
			}
		}
	}
	out := &table.Table{Name: t.Name, Header: []string{"commodity", "country", "type", "unit", "quantity"}}
	for i := range t.Rows {
		if !world(i) || t.Text(i, at[6]) != want {
			continue
		}
		kind, _, _ := strings.Cut(t.Text(i, at[4]), ": rounded") // the total's own remark
		out.Rows = append(out.Rows, []string{t.Text(i, at[1]), t.Text(i, at[2]), kind, t.Text(i, at[5]), t.Text(i, at[7])})
		out.Lines = append(out.Lines, t.Lines[i])
	}
	if len(out.Rows) == 0 {
		return nil, fmt.Errorf("%s: no world production of %s; the years stand in the column Year", t.Name, want)
	}
	return out, nil
}
