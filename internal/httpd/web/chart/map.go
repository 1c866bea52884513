package chart

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"slices"
)

// MapClasses is the number of shades of a map. Each has a pattern of its own,
// so that a map reads without colour.
const MapClasses = 5

// NoClass is the class of a country about which nothing is known: hatched, and
// never the lowest shade.
const NoClass = -1

// SourceClass is the class of the country that the others are measured
// against: grey, and in no shade.
const SourceClass = -2

// Area is one country of a map.
type Area struct {
	Code  string
	Class int    // 0 to MapClasses-1, NoClass or SourceClass
	Title string // what the mark says when it is pointed at
	Href  string
	Here  bool // outlined and named: what the page is about
	Name  string
}

// Arc is a quantity that goes from one country to another.
type Arc struct {
	From, To string
	Value    float64
	Title    string
	Lost     bool // dashed: what a measure stops
}

// Map shades countries by class and draws flows between them. Countries
// without an area are hatched like those of NoClass. What the atlas has no
// place for is not drawn; Missing names it.
type Map struct {
	Label   string
	Width   float64
	Atlas   *Atlas
	ID      string               // tells the patterns of two maps on one page apart
	Classes []string             // what each shade means, the lowest first
	NoData  string               // what the hatching means
	Name    func(Outline) string // names a country that has no area; nil: as the source does
	Source  string               // what SourceClass means; "" leaves it out
	Flows   string               // what an arc means; "" leaves it out
	Areas   []Area
	Arcs    []Arc
}

// Missing lists the codes of areas that the atlas cannot show.
func (m Map) Missing() (out []string) {
	for _, a := range m.Areas {
		if !m.Atlas.Knows(a.Code) {
			out = append(out, a.Code)
		}
	}
	slices.Sort(out)
	return out
}

// dot is the radius of a country that is too small for an outline.
const dot = 3.6

// SVG draws the map with its legend below.
func (m Map) SVG() template.HTML {
	var c canvas
	scale := m.Width / m.Atlas.Width
	foot := 30.0
	if m.Flows != "" && len(m.Arcs) > 0 {
		foot += 22
	}
	height := math.Ceil(m.Atlas.Height*scale) + foot
	linked := slices.ContainsFunc(m.Areas, func(a Area) bool { return a.Href != "" })
	c.open(m.Width, height, m.Label, linked)
	m.patterns(&c)
	areas := map[string]Area{}
	for _, a := range m.Areas {
		areas[a.Code] = a
	}
	// Outlines are drawn in the atlas's units; their strokes do not scale.
	c.f(`<g transform="scale(%.5f)">`, scale)
	var here []Outline
	for _, o := range m.Atlas.Outlines {
		a, ok := areas[o.Code]
		if !ok {
			name := o.Name
			if m.Name != nil {
				name = m.Name(o)
			}
			a = Area{Class: NoClass, Title: name + ": " + m.NoData}
		} else if a.Here {
			here = append(here, o)
		}
		m.area(&c, o, a, ok, scale)
	}
	for _, o := range here {
		if o.Path != "" {
			c.f(`<path class="here" d="%s"/>`, o.Path)
		}
	}
	c.raw("</g>")
	m.arcs(&c, scale)
	for _, o := range here {
		c.text(o.X*scale, o.Y*scale-8, "name", "middle", areas[o.Code].Name)
	}
	m.legend(&c, height-foot+20)
	return c.close()
}

// area draws one country. A country with a value but without an outline is a
// disc; one without either is too small to say anything.
func (m Map) area(c *canvas, o Outline, a Area, known bool, scale float64) {
	if o.Path == "" && !known {
		return
	}
	if a.Href != "" {
		c.f(`<a href="%s" aria-label="%s">`, html.EscapeString(a.Href), html.EscapeString(a.Title))
	}
	fill, title := m.fill(a.Class), html.EscapeString(a.Title)
	if o.Path != "" {
		c.f(`<path class="area" fill="%s" d="%s"><title>%s</title></path>`, fill, o.Path, title)
	} else {
		c.f(`<circle class="area" fill="%s" cx="%s" cy="%s" r="%s"><title>%s</title></circle>`, fill, num(o.X), num(o.Y), num(dot/scale), title)
	}
	if a.Href != "" {
		c.raw("</a>")
	}
}

func (m Map) fill(class int) string {
	if class == SourceClass {
		return "url(#" + m.ID + "source)"
	}
	if class < 0 || class >= MapClasses {
		return "url(#" + m.ID + "none)"
	}
	return fmt.Sprintf("url(#%s%d)", m.ID, class)
}

// patterns defines the shades: each a colour and a texture, from plain over
// dots and lines to solid.
func (m Map) patterns(c *canvas) {
	// Inside the scaled group a pattern would shrink with the map.
	unit := m.Atlas.Width / m.Width
	open := func(name string, size, angle float64) {
		c.f(`<pattern id="%s%s" width="%s" height="%s" patternUnits="userSpaceOnUse" patternTransform="rotate(%s) scale(%.4f)">`, m.ID, name, num(size), num(size), num(angle), unit)
	}
	c.raw("<defs>")
	open("none", 5, 45)
	c.raw(`<rect width="5" height="5" class="void"/><rect width="1.2" height="5" class="scratch"/></pattern>`)
	open("source", 6, 0)
	c.raw(`<rect width="6" height="6" class="bar gx"/></pattern>`)
	marks := [MapClasses]string{
		"",
		`<circle cx="3" cy="3" r="0.9" class="mark-dark"/>`,
		`<rect width="1.1" height="6" class="mark-dark"/>`,
		`<rect width="1.1" height="6" class="mark-light"/><rect width="6" height="1.1" class="mark-light"/>`,
		"",
	}
	for i, mark := range marks {
		angle := 0.0
		if i == 2 {
			angle = -45
		}
		open(fmt.Sprint(i), 6, angle)
		c.f(`<rect width="6" height="6" class="t%d"/>%s</pattern>`, i, mark)
	}
	c.f(`<marker id="%shead" viewBox="0 0 8 8" refX="6.5" refY="4" markerWidth="13" markerHeight="13" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8Z" class="arc-head"/></marker></defs>`, m.ID)
}

// arcs draws the flows, the widest below the others.
func (m Map) arcs(c *canvas, scale float64) {
	top := 0.0
	for _, a := range m.Arcs {
		top = math.Max(top, a.Value)
	}
	arcs := slices.Clone(m.Arcs)
	slices.SortStableFunc(arcs, func(a, b Arc) int { return cmpFloat(b.Value, a.Value) })
	for _, a := range arcs {
		i, ok1 := m.Atlas.at[a.From]
		j, ok2 := m.Atlas.at[a.To]
		if !ok1 || !ok2 || i == j {
			continue
		}
		x1, y1 := m.Atlas.Outlines[i].X*scale, m.Atlas.Outlines[i].Y*scale
		x2, y2 := m.Atlas.Outlines[j].X*scale, m.Atlas.Outlines[j].Y*scale
		// The bow goes to the north, where most of the land is not.
		dx, dy := x2-x1, y2-y1
		bow := 0.22
		if dx < 0 {
			bow = -bow
		}
		class := "arc"
		if a.Lost {
			class = "arc gone"
		}
		c.f(`<path class="%s" d="M%s %sQ%s %s %s %s" stroke-width="%s" marker-end="url(#%shead)"><title>%s</title></path>`, class,
			num(x1), num(y1), num((x1+x2)/2+bow*dy), num((y1+y2)/2-bow*dx), num(x2), num(y2), num(1+4*math.Sqrt(a.Value/math.Max(top, 1e-12))), m.ID, html.EscapeString(a.Title))
	}
}

// legend writes what the shades, the hatching and the arcs mean.
func (m Map) legend(c *canvas, y float64) {
	x := 12.0
	entry := func(fill, text string) {
		c.f(`<g transform="translate(%s %s)"><g transform="scale(%.5f)"><rect class="area" fill="%s" width="%s" height="%s"/></g></g>`,
			num(x), num(y-11), m.Width/m.Atlas.Width, fill, num(22*m.Atlas.Width/m.Width), num(14*m.Atlas.Width/m.Width))
		c.text(x+28, y, "label", "start", text)
		x += 28 + 7.6*float64(wide(text)) + 20
	}
	for i, text := range m.Classes {
		entry(m.fill(i), text)
	}
	entry(m.fill(NoClass), m.NoData)
	if m.Source != "" {
		entry(m.fill(SourceClass), m.Source)
	}
	if m.Flows != "" && len(m.Arcs) > 0 {
		c.f(`<path class="arc" d="M14 %sL40 %s" stroke-width="3" marker-end="url(#%shead)"/>`, num(y+18), num(y+18), m.ID)
		c.text(48, y+22, "label", "start", m.Flows)
	}
}

// wide counts the width of a text in half characters of CJK.
func wide(s string) (n int) {
	for _, r := range s {
		n++
		if r >= 0x1100 {
			n++
		}
	}
	return n
}
