package chart

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// Estimate is one point of a ribbon, in shares from 0 to 1.
type Estimate struct {
	Time         float64 // decimal years
	Mean, Lo, Hi float64
}

// Point is one raw observation.
type Point struct {
	Time, Share float64
	Title       string
}

// Series is one line with its interval and the points it rests on. A gap in
// the estimates (NaN) breaks the line: no data, no line.
type Series struct {
	Name      string
	Group     int
	Estimates []Estimate
	Points    []Point
}

// Ribbon is one panel of small multiples: share over time.
type Ribbon struct {
	Label         string
	Title         string
	Width, Height float64
	From, To      float64 // years
	Series        []Series
	Events        []Point // drawn as vertical lines
	Note          string  // written in the middle where there is no series
}

// SVG draws the panel on the full scale from 0 to 100 %, so that panels
// compare.
func (r Ribbon) SVG() template.HTML {
	var c canvas
	c.open(r.Width, r.Height, r.Label, false)
	const left, top, foot = 36.0, 24.0, 22.0
	x := func(t float64) float64 {
		return left + (t-r.From)/math.Max(r.To-r.From, 1e-9)*(r.Width-left-10)
	}
	y := func(v float64) float64 { return r.Height - foot - v*(r.Height-foot-top) }
	c.text(left, 14, "panel", "start", cut(r.Title, int((r.Width-left)/7)))
	for _, v := range []float64{0, 0.5, 1} {
		c.line(left, y(v), r.Width-10, y(v), "grid")
		c.text(left-6, y(v)+4, "tick", "end", strconv.Itoa(int(100*v)))
	}
	for _, year := range years(r.From, r.To, int((r.Width-left)/56)) {
		anchor := "middle"
		if x(float64(year)) > r.Width-16 { // half a label would be cut off
			anchor = "end"
		}
		c.text(min(x(float64(year)), r.Width-1), r.Height-5, "tick", anchor, strconv.Itoa(year))
	}
	for _, e := range r.Events {
		c.f(`<line x1="%s" y1="%s" x2="%s" y2="%s" class="event"><title>%s</title></line>`, num(x(e.Time)), num(top), num(x(e.Time)), num(r.Height-foot), html.EscapeString(e.Title))
	}
	for _, s := range r.Series {
		drawSeries(&c, s, x, y)
	}
	if r.Note != "" {
		c.text(left+(r.Width-left)/2, r.Height/2+4, "note", "middle", r.Note)
	}
	return c.close()
}

func drawSeries(c *canvas, s Series, x, y func(float64) float64) {
	var run []Estimate
	flush := func() {
		if len(run) > 1 {
			var upper, lower, line strings.Builder
			for i, e := range run {
				step := "L"
				if i == 0 {
					step = "M"
				}
				upper.WriteString(step + num(x(e.Time)) + " " + num(y(e.Hi)))
				line.WriteString(step + num(x(e.Time)) + " " + num(y(e.Mean)))
			}
			for i := len(run) - 1; i >= 0; i-- {
				lower.WriteString("L" + num(x(run[i].Time)) + " " + num(y(run[i].Lo)))
			}
			c.f(`<path class="ribbon %s" d="%s%sZ"/><path class="line %s" d="%s"/>`, Class(s.Group), upper.String(), lower.String(), Class(s.Group), line.String())
		}
		run = run[:0]
	}
	for _, e := range s.Estimates {
		if math.IsNaN(e.Mean) {
			flush()
			continue
		}
		run = append(run, e)
	}
	flush()
	for _, p := range s.Points {
		title := p.Title
		if title == "" {
			title = fmt.Sprintf("%s %.1f: %.0f %%", s.Name, p.Time, 100*p.Share)
		}
		c.f(`<path class="point %s" d="%s"><title>%s</title></path>`, Class(s.Group), Shape(s.Group, x(p.Time), y(p.Share), 2.6), html.EscapeString(title))
	}
}

// years gives round years to write on an axis, at most n.
func years(from, to float64, n int) (out []int) {
	for _, step := range []int{1, 2, 5, 10, 20, 50} {
		if int(to-from)/step > max(n, 1) {
			continue
		}
		for y := (int(math.Ceil(from)) + step - 1) / step * step; float64(y) <= to; y += step {
			out = append(out, y)
		}
		return out
	}
	return nil
}
