package web

import (
	"slices"
	"strings"

	"causeway/internal/httpd/web/chart"
	"causeway/internal/vault"
	"causeway/stix"
	"causeway/trade"
	"causeway/trade/exchange"
)

// overYears is the concentration of a country's imports of a product in each
// year that the reader may see.
type overYears struct {
	Rows      []yearRow
	Picture   drawing
	Known     int // years with a figure, of the last three
	Dependent int // of them above the threshold
}

type yearRow struct {
	Year, Href string
	Here       bool
	HHI        trade.Figure
	TopShare   trade.Figure
	Top        string
	Level      string
}

// dependentAbove is the European Commission's threshold of concentration
// (SWD(2021) 352); persistent is the CEPII's: above it in at least two of the
// last three years.
const dependentAbove = 0.4

// Persistent reports whether the dependence is more than one year's chance.
func (y overYears) Persistent() bool { return y.Dependent >= 2 }

// years gathers the objects of the same product by their year: same name, same
// unit, the newest of each year.
func (q *request) years(p *product, country string) (overYears, error) {
	var out overYears
	rows, err := q.collect(vault.Match{Types: []string{dependencyType}}, 200)
	if err != nil {
		return out, err
	}
	seen := map[string]bool{}
	for _, row := range slices.Backward(rows) { // the newest first
		o, err := objectOf(row)
		if err != nil {
			return out, err
		}
		if !sameProduct(o, p) {
			continue
		}
		s, err := exchange.ReadWorld(o)
		if err != nil || s.Year == "" || seen[s.Year] {
			continue
		}
		if s.Year == p.Year && o.ID() != p.ID {
			continue // the page's own object stands for its year
		}
		c, err := concentration(s.World, country)
		if err != nil {
			continue
		}
		seen[s.Year] = true
		q.mark(row.Effective)
		out.Rows = append(out.Rows, yearRow{Year: s.Year, Href: (&product{item: item{ID: o.ID()}}).href(country, q.URL.Query().Get("to")), Here: o.ID() == p.ID,
			HHI: c.HHI, TopShare: c.TopShare, Top: q.country(c.Top), Level: q.word("hhi", hhiBand(c.HHI))})
	}
	slices.SortFunc(out.Rows, func(a, b yearRow) int { return strings.Compare(a.Year, b.Year) })
	for _, r := range out.Rows[max(0, len(out.Rows)-3):] {
		if r.HHI.IsKnown() {
			out.Known++
			if r.HHI.Value > dependentAbove {
				out.Dependent++
			}
		}
	}
	if len(out.Rows) > 1 {
		out.Picture = q.drawYears(out.Rows, country)
	}
	return out, nil
}

func sameProduct(o *stix.Object, p *product) bool {
	return o.StringAt("name") == p.Object.StringAt("name") && o.StringAt("unit") == p.Unit
}

// drawYears draws a bar for each year; a year without a figure has none.
func (q *request) drawYears(rows []yearRow, country string) drawing {
	bars := chart.Bars{Label: q.say("years.label", q.country(country)), Width: 776, LabelWidth: 60, Top: 1}
	for _, r := range rows {
		b := chart.Bar{Label: r.Year, Text: q.say("years.unknown")}
		if r.HHI.IsKnown() {
			b.Value, b.Text = r.HHI.Value, decimal(r.HHI.Value, 2)
			if r.HHI.Value > dependentAbove {
				b.Group, b.Text = 4, b.Text+" ▲"
			}
		}
		bars.Rows = append(bars.Rows, b)
	}
	return q.takeable("years", drawing{Title: q.say("years.title", q.country(country)), Picture: bars.SVG(), Caption: q.say("years.caption")})
}

// explained says in words how the figures of a page come about, down to the
// rows of the object.
func (q *request) explained(data *exposureData) (out []string) {
	var parts []string
	for _, s := range data.Imports.Shares {
		if len(parts) == 6 {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, decimal(100*s.Share, 1)+" %²")
	}
	if data.Imports.HHI.IsKnown() {
		out = append(out, q.say("explain.hhi", strings.Join(parts, " + "), decimal(data.Imports.HHI.Value, 3)))
		out = append(out, q.say("explain.effective", decimal(data.Imports.HHI.Value, 3), decimal(data.Imports.Effective.Value, 2)))
	} else {
		out = append(out, data.Imports.HHI.Reason)
	}
	out = append(out, q.say("explain.use", decimal(data.Own, 1), decimal(data.Need, 1), data.Unit))
	for i, l := range data.product.World.Links {
		if data.product.World.Places[l.To] == data.Country {
			out = append(out, q.say("explain.row", i, q.flowTitle(&data.product, l)))
		}
	}
	return append(out, q.say("economy.source.said", data.Source))
}
