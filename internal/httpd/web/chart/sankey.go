package chart

import (
	"html"
	"html/template"
	"math"
	"slices"
	"strings"
)

// Flow is a quantity that goes from one name to another.
type Flow struct {
	From, To string
	Value    float64
	Title    string
	Lost     bool // drawn hatched: the part that a measure stops
	Faint    bool // drawn grey: there, but not what the picture is about
}

// Sankey shows flows from left to right. A name stands in the column after the
// last one it is supplied from.
type Sankey struct {
	Label         string
	Width, Height float64
	Flows         []Flow
	Names         map[string]string // what to write for a name
}

type stop struct {
	name    string
	column  int
	in, out float64
	y, h    float64
	in0     float64 // where the next flow in starts
	out0    float64
	group   int
}

// SVG draws the flows, widest first in each column.
func (s Sankey) SVG() template.HTML {
	var c canvas
	c.open(s.Width, s.Height, s.Label, false)
	stops, columns := s.arrange()
	if len(stops) == 0 {
		return c.close()
	}
	c.raw(`<defs><pattern id="lost" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="3" height="6" class="hatch"/></pattern></defs>`)
	const bar, side = 12.0, 150.0
	x := func(column int) float64 {
		if columns < 2 {
			return side
		}
		return side + float64(column)*(s.Width-2*side-bar)/float64(columns-1)
	}
	scale := s.scale(stops, columns)
	for _, f := range s.ordered(stops) {
		a, b := stops[f.From], stops[f.To]
		w := f.Value * scale
		x1, x2 := x(a.column)+bar, x(b.column)
		y1, y2, mid := a.out0, b.in0, (x1+x2)/2
		a.out0 += w
		b.in0 += w
		class := "flow " + Class(a.group)
		if f.Lost {
			class = "flow lost"
		} else if f.Faint {
			class = "flow gx"
		}
		c.f(`<path class="%s" d="M%s %sC%s %s %s %s %s %sL%s %sC%s %s %s %s %s %sZ"><title>%s</title></path>`, class,
			num(x1), num(y1), num(mid), num(y1), num(mid), num(y2), num(x2), num(y2),
			num(x2), num(y2+w), num(mid), num(y2+w), num(mid), num(y1+w), num(x1), num(y1+w), html.EscapeString(f.Title))
	}
	for _, st := range byName(stops) {
		name := st.name
		if n, ok := s.Names[name]; ok {
			name = n
		}
		c.rect(x(st.column), st.y, bar, st.h, "bar "+Class(st.group), name+": "+brief(math.Max(st.in, st.out)), "")
		if st.column == 0 {
			c.text(x(0)-8, st.y+st.h/2+4, "label", "end", cut(name, 20))
		} else {
			c.text(x(st.column)+bar+8, st.y+st.h/2+4, "label", "start", cut(name, 20))
		}
	}
	return c.close()
}

// arrange finds each name's column and totals. Flows in a circle keep the
// column they had when the walk came back to them.
func (s Sankey) arrange() (map[string]*stop, int) {
	stops := map[string]*stop{}
	get := func(name string) *stop {
		if stops[name] == nil {
			stops[name] = &stop{name: name}
		}
		return stops[name]
	}
	for _, f := range s.Flows {
		get(f.From).out += f.Value
		get(f.To).in += f.Value
	}
	for range min(len(stops), 8) {
		for _, f := range s.Flows {
			if a, b := stops[f.From], stops[f.To]; f.From != f.To && b.column <= a.column && a.column < 7 {
				b.column = a.column + 1
			}
		}
	}
	columns := 0
	for i, st := range byName(stops) {
		st.group = i % (Groups - 1)
		columns = max(columns, st.column+1)
	}
	return stops, columns
}

// scale gives units per value and places the stops of each column.
func (s Sankey) scale(stops map[string]*stop, columns int) float64 {
	const gap = 14.0
	perColumn := make([][]*stop, columns)
	for _, st := range byName(stops) {
		perColumn[st.column] = append(perColumn[st.column], st)
	}
	scale := math.Inf(1)
	for _, col := range perColumn {
		sum := 0.0
		for _, st := range col {
			sum += math.Max(st.in, st.out)
		}
		if sum > 0 {
			scale = math.Min(scale, (s.Height-20-gap*float64(len(col)-1))/sum)
		}
	}
	for _, col := range perColumn {
		slices.SortStableFunc(col, func(a, b *stop) int { return cmpFloat(math.Max(b.in, b.out), math.Max(a.in, a.out)) })
		total := gap * float64(len(col)-1)
		for _, st := range col {
			total += math.Max(st.in, st.out) * scale
		}
		y := (s.Height - total) / 2
		for _, st := range col {
			st.y, st.h = y, math.Max(math.Max(st.in, st.out)*scale, 1)
			st.in0, st.out0 = y, y
			y += st.h + gap
		}
	}
	return scale
}

// ordered gives the flows so that ribbons of one stop do not cross more than
// they must: by the height of both ends.
func (s Sankey) ordered(stops map[string]*stop) []Flow {
	flows := slices.Clone(s.Flows)
	slices.SortStableFunc(flows, func(a, b Flow) int {
		if d := cmpFloat(stops[a.From].y, stops[b.From].y); d != 0 {
			return d
		}
		return cmpFloat(stops[a.To].y, stops[b.To].y)
	})
	return flows
}

func byName(stops map[string]*stop) []*stop {
	out := make([]*stop, 0, len(stops))
	for _, st := range stops {
		out = append(out, st)
	}
	slices.SortFunc(out, func(a, b *stop) int {
		if d := cmpFloat(math.Max(b.in, b.out), math.Max(a.in, a.out)); d != 0 {
			return d
		}
		return strings.Compare(a.name, b.name)
	})
	return out
}
