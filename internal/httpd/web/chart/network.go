package chart

import (
	"html"
	"html/template"
	"math"
	"slices"
)

// Node is one account of a network. X and Y are any units; the drawing fits
// them in.
type Node struct {
	ID, Label string
	X, Y      float64
	Size      float64 // strength, 0 or more
	Group     int     // community; below 0: none
	Href      string
}

// Edge joins Nodes[A] and Nodes[B].
type Edge struct {
	A, B   int
	Weight float64
	Title  string
	Href   string
}

// Network is a drawing of accounts tied by co-sharing.
type Network struct {
	Label         string
	Width, Height float64
	Nodes         []Node
	Edges         []Edge
	Names         int // how many of the strongest nodes carry their name
}

// SVG draws the network: edges under nodes, weak under strong, colour and
// shape by group, area by strength.
func (n Network) SVG() template.HTML {
	var c canvas
	linked := slices.ContainsFunc(n.Nodes, func(m Node) bool { return m.Href != "" }) ||
		slices.ContainsFunc(n.Edges, func(e Edge) bool { return e.Href != "" })
	c.open(n.Width, n.Height, n.Label, linked)
	at := n.place()
	maxWeight, maxSize := 1e-9, 1e-9
	for _, e := range n.Edges {
		maxWeight = math.Max(maxWeight, e.Weight)
	}
	for _, m := range n.Nodes {
		maxSize = math.Max(maxSize, m.Size)
	}
	order := make([]int, len(n.Edges))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmpFloat(n.Edges[a].Weight, n.Edges[b].Weight) })
	c.raw(`<g class="edges">`)
	for _, i := range order {
		n.edge(&c, n.Edges[i], at, maxWeight)
	}
	c.raw(`</g><g class="nodes">`)
	radius := func(m Node) float64 { return 3 + 9*math.Sqrt(m.Size/maxSize) }
	for i, m := range n.Nodes {
		n.node(&c, m, at[i], radius(m))
	}
	c.raw(`</g>`)
	var taken []box
	names := 0
	for _, i := range n.named() {
		m := n.Nodes[i]
		label := cut(m.Label, 24)
		b := boxOf(label, at[i][0], at[i][1]-radius(m)-4)
		if names == n.Names || b.left < 2 || b.right > n.Width-2 || slices.ContainsFunc(taken, b.meets) {
			continue // names on names are read by nobody
		}
		taken, names = append(taken, b), names+1
		c.text(at[i][0], at[i][1]-radius(m)-4, "name", "middle", label)
	}
	return c.close()
}

func (n Network) edge(c *canvas, e Edge, at [][2]float64, maxWeight float64) {
	a, b := at[e.A], at[e.B]
	class := "edge"
	if g := n.Nodes[e.A].Group; g >= 0 && g == n.Nodes[e.B].Group {
		class += " " + Class(g)
	}
	if e.Href != "" {
		c.f(`<a href="%s" aria-label="%s">`, html.EscapeString(e.Href), html.EscapeString(e.Title))
	}
	c.f(`<line x1="%s" y1="%s" x2="%s" y2="%s" class="%s" stroke-width="%s"><title>%s</title></line>`,
		num(a[0]), num(a[1]), num(b[0]), num(b[1]), class, num(0.7+4*math.Sqrt(e.Weight/maxWeight)), html.EscapeString(e.Title))
	if e.Href != "" {
		c.raw("</a>")
	}
}

func (n Network) node(c *canvas, m Node, at [2]float64, r float64) {
	if m.Href != "" {
		c.f(`<a href="%s" aria-label="%s">`, html.EscapeString(m.Href), html.EscapeString(m.Label))
	}
	c.f(`<path d="%s" class="node %s"><title>%s</title></path>`, Shape(m.Group, at[0], at[1], r), Class(m.Group), html.EscapeString(m.Label))
	if m.Href != "" {
		c.raw("</a>")
	}
}

// named gives the nodes by strength, then place.
func (n Network) named() []int {
	order := make([]int, len(n.Nodes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmpFloat(n.Nodes[b].Size, n.Nodes[a].Size) })
	return order
}

// box is the place of a name, by the width of its characters.
type box struct{ left, right, top, bottom float64 }

func boxOf(label string, x, y float64) box {
	width := 0.0
	for _, r := range label {
		width += 7.4
		if r >= 0x1100 {
			width += 5.6
		}
	}
	return box{x - width/2, x + width/2, y - 13, y + 3}
}

func (b box) meets(o box) bool {
	return b.left < o.right && o.left < b.right && b.top < o.bottom && o.top < b.bottom
}

// place fits the nodes into the drawing with a margin for names.
func (n Network) place() [][2]float64 {
	at := make([][2]float64, len(n.Nodes))
	if len(at) == 0 {
		return at
	}
	minX, maxX, minY, maxY := n.Nodes[0].X, n.Nodes[0].X, n.Nodes[0].Y, n.Nodes[0].Y
	for _, m := range n.Nodes {
		minX, maxX = math.Min(minX, m.X), math.Max(maxX, m.X)
		minY, maxY = math.Min(minY, m.Y), math.Max(maxY, m.Y)
	}
	const margin = 34
	scale := math.Min((n.Width-2*margin)/math.Max(maxX-minX, 1e-9), (n.Height-2*margin)/math.Max(maxY-minY, 1e-9))
	for i, m := range n.Nodes {
		at[i] = [2]float64{
			n.Width/2 + (m.X-(minX+maxX)/2)*scale,
			n.Height/2 + (m.Y-(minY+maxY)/2)*scale,
		}
	}
	return at
}

// Shape gives the path of a group's mark around (x, y): circle, square,
// diamond, triangle, hexagon, cross, triangle down, star.
func Shape(group int, x, y, r float64) string {
	polygon := func(k int, turn, r float64) string {
		d := ""
		for i := range k {
			a := turn + 2*math.Pi*float64(i)/float64(k)
			step := "L"
			if i == 0 {
				step = "M"
			}
			d += step + num(x+r*math.Cos(a)) + " " + num(y+r*math.Sin(a))
		}
		return d + "Z"
	}
	if group < 0 {
		group = 0
	}
	switch group % Groups {
	case 1:
		return polygon(4, math.Pi/4, r*1.2)
	case 2:
		return polygon(4, 0, r*1.25)
	case 3:
		return polygon(3, -math.Pi/2, r*1.3)
	case 4:
		return polygon(6, 0, r*1.1)
	case 5:
		return polygon(5, -math.Pi/2, r*1.15)
	case 6:
		return polygon(3, math.Pi/2, r*1.3)
	case 7:
		return polygon(8, math.Pi/8, r*1.1)
	}
	return "M" + num(x-r) + " " + num(y) + "a" + num(r) + " " + num(r) + " 0 1 0 " + num(2*r) + " 0a" + num(r) + " " + num(r) + " 0 1 0 " + num(-2*r) + " 0Z"
}

// Mark is a small drawing of a group's shape and colour, for legends.
func Mark(group int) template.HTML {
	return template.HTML(`<svg class="legend-mark" width="14" height="14" viewBox="0 0 14 14" aria-hidden="true"><path class="node ` +
		Class(group) + `" d="` + Shape(group, 7, 7, 5) + `"/></svg>`)
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
