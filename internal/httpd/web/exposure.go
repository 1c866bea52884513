package web

import (
	"cmp"
	"math"
	"slices"

	"causeway/internal/httpd/web/chart"
	"causeway/trade"
	"causeway/trade/cascade"
	"causeway/trade/dependency"
)

// exposed is how much of what a country imports comes from one supplier.
type exposed struct {
	Code, Name string
	Quantity   float64
	Share      float64 // of its imports
	// Face and Look are the parts of all it has (made or imported) that the
	// supplier ships to it, and that the supplier made.
	Face, Look, Hidden trade.Figure
	Here               bool
}

// exposureMap is who is exposed to one supplier of a product, as a map and as
// the table beside it.
type exposureMap struct {
	Supplier  string
	Suppliers []choice
	Rows      []exposed
	Through   bool // the map is shaded by who made it, not by who shipped it
	Map       drawing
	NotDrawn  []string // countries that the atlas has no place for
}

// shareLimits part the shades of the map: shares of imports. Above 0.65 a
// supplier breaches the benchmark of the EU's Critical Raw Materials Act
// (Regulation (EU) 2024/1252 Art 5) where it is a third country.
var shareLimits = [chart.MapClasses - 1]float64{0.1, 0.25, 0.4, 0.65}

// shareClass is the shade of a share: the first whose limit it does not
// exceed.
func shareClass(share float64) int {
	for i, limit := range shareLimits {
		if share <= limit {
			return i
		}
	}
	return len(shareLimits)
}

// shareClasses says what each shade means.
func (q *request) shareClasses() (out []string) {
	low := 0.0
	for _, limit := range shareLimits {
		out = append(out, q.say("map.class", decimal(100*low, 0), decimal(100*limit, 0)))
		low = limit
	}
	return append(out, q.say("map.class.above", decimal(100*low, 0)))
}

// exposureOf measures who is exposed to a supplier, and draws it with the
// flows to the country that the page is about.
func (q *request) exposureOf(p *product, country string) (exposureMap, error) {
	w := p.World
	m := exposureMap{Supplier: q.URL.Query().Get("to"), Through: q.URL.Query().Get("through") != ""}
	out, in, from := make([]float64, len(w.Places)), make([]float64, len(w.Places)), make([]float64, len(w.Places))
	for _, l := range w.Links {
		out[l.From] += l.Quantity
		in[l.To] += l.Quantity
	}
	supplier := slices.Index(w.Places, m.Supplier)
	if supplier < 0 || out[supplier] == 0 {
		m.Supplier = largestExporter(w)
		supplier = slices.Index(w.Places, m.Supplier)
	}
	for _, l := range w.Links {
		if l.From == supplier {
			from[l.To] += l.Quantity
		}
	}
	order := make([]int, len(w.Places))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(out[b], out[a]) })
	for _, i := range order {
		if out[i] > 0 {
			m.Suppliers = append(m.Suppliers, choice{Value: w.Places[i], Name: q.country(w.Places[i]), Here: i == supplier})
		}
	}
	if supplier < 0 {
		return m, nil // nothing flows
	}
	origins, err := dependency.Origins(w, m.Supplier)
	if err != nil {
		return m, err
	}
	for i, code := range w.Places {
		if in[i] > 0 && i != supplier {
			o := origins[i]
			m.Rows = append(m.Rows, exposed{Code: code, Name: q.country(code), Quantity: from[i], Share: from[i] / in[i], Face: o.Face, Look: o.Look, Hidden: o.Hidden, Here: code == country})
		}
	}
	slices.SortStableFunc(m.Rows, func(a, b exposed) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(b.Quantity, a.Quantity))
	})
	q.drawExposure(p, country, &m)
	return m, nil
}

func (q *request) drawExposure(p *product, country string, m *exposureMap) {
	atlas := q.site.assets.atlas
	if atlas == nil {
		return
	}
	supplier := q.country(m.Supplier)
	c := chart.Map{Label: q.say("map.exposure.label", p.Title, supplier), Width: 776, Atlas: atlas, ID: "exposure", Classes: q.shareClasses(),
		NoData: q.say("map.no-data"), Source: q.say("map.supplier"), Flows: q.say("map.flows", q.country(country)), Name: q.outline}
	c.Areas = append(c.Areas, chart.Area{Code: m.Supplier, Name: supplier, Class: chart.SourceClass, Here: true, Title: q.say("map.supplier.title", supplier)})
	for _, r := range m.Rows {
		a := chart.Area{Code: r.Code, Name: r.Name, Class: shareClass(r.Share), Here: r.Here, Href: p.href(r.Code, m.Supplier),
			Title: q.say("map.exposure.title", r.Name, decimal(100*r.Share, 1), supplier, decimal(r.Quantity, 1), p.Unit)}
		if m.Through {
			a.Class, a.Title = chart.NoClass, r.Name+": "+q.say("map.no-data")
			if r.Look.IsKnown() {
				a.Class, a.Title = shareClass(r.Look.Value), q.say("map.through.title", r.Name, decimal(100*r.Look.Value, 1), supplier, decimal(100*r.Face.Value, 1))
			}
		}
		c.Areas = append(c.Areas, a)
	}
	for _, l := range p.World.Links {
		if p.World.Places[l.To] == country && l.Quantity > 0 {
			a := chart.Arc{From: p.World.Places[l.From], To: country, Value: l.Quantity}
			a.Title = q.flowTitle(p, l)
			c.Arcs = append(c.Arcs, a)
		}
	}
	slices.SortStableFunc(c.Arcs, func(a, b chart.Arc) int { return cmp.Compare(b.Value, a.Value) })
	c.Arcs = c.Arcs[:min(len(c.Arcs), bandsDrawn)]
	for _, code := range c.Missing() {
		m.NotDrawn = append(m.NotDrawn, q.country(code))
	}
	caption := q.say("map.exposure.caption", supplier)
	if m.Through {
		caption = q.say("map.through.caption", supplier)
	}
	m.Map = q.takeable("map", drawing{Title: q.say("map.exposure", supplier), Picture: c.SVG(), Caption: caption + " " + q.say("map.outlines")})
}

// outline names a country that a map shows without data.
func (q *request) outline(o chart.Outline) string {
	if o.Code == "" {
		return o.Name
	}
	return q.country(o.Code)
}

// flowTitle says a flow in words.
func (q *request) flowTitle(p *product, l cascade.Link) string {
	return q.country(p.World.Places[l.From]) + " → " + q.country(p.World.Places[l.To]) + ": " + decimal(math.Max(l.Quantity, 0), 1) + " " + p.Unit
}
