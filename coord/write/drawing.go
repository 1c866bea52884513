package write

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"causeway/coord"
)

// drawnEdges bounds the lines of a drawing: beyond it only the heaviest are
// drawn, and the drawing says so.
const drawnEdges = 6000

// shapes tell networks apart for readers who do not see the colours.
var shapes = []string{"circle", "square", "triangle", "diamond"}

func shapeName(community int) string { return shapes[community%len(shapes)] }

// Drawing is the network as SVG, size pixels wide: colour and shape by
// community, size by number of ties, width by weight.
func Drawing(r *coord.Result, at []coord.Point, size float64) string {
	height := math.Round(size * 0.66)
	const pad = 14
	x := func(i int) float64 { return pad + at[i].X*(size-2*pad) }
	y := func(i int) float64 { return pad + at[i].Y*(height-2*pad) }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" role="img" aria-label="Network of %d accounts and %d edges">`, size, height, len(r.Nodes), len(r.Edges))
	order := make([]int, len(r.Edges))
	for i := range order {
		order[i] = i
	}
	if len(order) > drawnEdges {
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(r.Edges[b].Weight, r.Edges[a].Weight) })
		order = order[:drawnEdges]
	}
	heaviest := math.Max(1, float64(r.Summary.Network.MaxWeight))
	opacity := math.Max(0.12, math.Min(0.6, 60/math.Sqrt(float64(len(order)+1))/8))
	b.WriteString(`<g stroke="#667" fill="none">`)
	for _, i := range order {
		e := &r.Edges[i]
		fmt.Fprintf(&b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke-width="%.2f" stroke-opacity="%.2f"/>`, x(e.A), y(e.A), x(e.B), y(e.B), 0.6+2.4*float64(e.Weight)/heaviest, opacity)
	}
	b.WriteString(`</g><g stroke="#fff" stroke-width="0.8">`)
	for i := range r.Nodes {
		n := &r.Nodes[i]
		s := 2.5 + 1.2*math.Sqrt(float64(n.Degree))
		s = math.Min(s, 12)
		fill := Colour(n.Community)
		cx, cy := x(i), y(i)
		switch shapeName(n.Community) {
		case "circle":
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="%.1f" fill="%s">`, cx, cy, s, fill)
		case "square":
			fmt.Fprintf(&b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s">`, cx-s*0.9, cy-s*0.9, s*1.8, s*1.8, fill)
		case "triangle":
			fmt.Fprintf(&b, `<path d="M%.1f %.1fl%.1f %.1fh%.1fz" fill="%s">`, cx, cy-s*1.2, s*1.15, s*2, -s*2.3, fill)
		default:
			fmt.Fprintf(&b, `<path d="M%.1f %.1fl%.1f %.1fl%.1f %.1fl%.1f %.1fz" fill="%s">`, cx, cy-s*1.25, s*1.25, s*1.25, -s*1.25, s*1.25, -s*1.25, -s*1.25, fill)
		}
		fmt.Fprintf(&b, `<title>%s: %d ties, %d posts, network %s</title></%s>`, escape(n.Account), n.Degree, n.Posts, escape(community(r, i, i)), element(n.Community))
	}
	b.WriteString(`</g>`)
	if len(r.Edges) > drawnEdges {
		fmt.Fprintf(&b, `<text x="%d" y="%.0f" font-size="12" fill="#333">%d heaviest of %d edges drawn</text>`, pad, height-pad/2, drawnEdges, len(r.Edges))
	}
	b.WriteString(`</svg>`)
	return b.String()
}

func element(community int) string {
	switch shapeName(community) {
	case "circle":
		return "circle"
	case "square":
		return "rect"
	}
	return "path"
}

// timeline is how many coincidences fell when, as SVG.
func timeline(times []int64) string {
	if len(times) == 0 {
		return ""
	}
	const width, height, pad, bins = 960.0, 150.0, 24.0, 96
	lo, hi := slices.Min(times), slices.Max(times)
	span := max(hi-lo, 1)
	var n [bins]int
	most := 0
	for _, t := range times {
		b := min(bins-1, int(float64(t-lo)/float64(span)*bins))
		n[b]++
		most = max(most, n[b])
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" role="img" aria-label="Coincidences over time">`, width, height)
	step := (width - 2*pad) / bins
	for i, c := range n {
		if c == 0 {
			continue
		}
		h := math.Max(1, (height-2*pad)*float64(c)/float64(most))
		from := lo + int64(float64(span)*float64(i)/bins)
		fmt.Fprintf(&b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="#0072b2"><title>%s: %d</title></rect>`, pad+float64(i)*step, height-pad-h, step-1, h, clockText(from), c)
	}
	fmt.Fprintf(&b, `<g font-size="12" fill="#333"><text x="%.0f" y="%.0f">%s</text><text x="%.0f" y="%.0f" text-anchor="end">%s UTC</text><text x="%.0f" y="14">most in one bar: %d</text></g></svg>`,
		pad, height-8, clockText(lo), width-pad, height-8, clockText(hi), pad, most)
	return b.String()
}
