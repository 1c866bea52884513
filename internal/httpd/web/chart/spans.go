package chart

import (
	"html/template"
	"math"
	"strconv"
	"time"
)

// Span is a stretch of time in a row; a zero To is still going on.
type Span struct {
	From, To time.Time
	Group    int
	Title    string
}

// SpanRow is one thing, such as a member of a group, with its stretches.
type SpanRow struct {
	Label string
	Spans []Span
}

// Spans shows who belonged when: a row for each, over one span of years, with
// a line at each moment at which something changed.
type Spans struct {
	Label      string
	Width      float64
	LabelWidth float64
	Now        time.Time
	Rows       []SpanRow
	Marks      []Event // moments named on top: Title, Href
}

// SVG draws the rows.
func (s Spans) SVG() template.HTML {
	const row, top = 19.0, 22.0
	first, last, linked := s.Now, s.Now, false
	for _, r := range s.Rows {
		for _, p := range r.Spans {
			if p.From.Before(first) {
				first = p.From
			}
			if p.From.After(last) {
				last = p.From
			}
		}
	}
	for _, m := range s.Marks {
		linked = linked || m.Href != ""
	}
	last = last.AddDate(0, 0, 1+int(last.Sub(first).Hours()/24/20)) // what goes on is seen to
	bottom := top + row*float64(len(s.Rows))
	var c canvas
	c.open(s.Width, bottom+24, s.Label, linked)
	left, right := s.LabelWidth, s.Width-10
	x := func(at time.Time) float64 {
		return left + float64(at.Sub(first))/math.Max(float64(last.Sub(first)), 1)*(right-left)
	}
	s.years(&c, first, last, bottom, x)
	for i, r := range s.Rows {
		y := top + row*float64(i)
		c.text(left-8, y+row-5, "label", "end", cut(r.Label, int(s.LabelWidth/7.4)))
		c.line(left, y+row/2, right, y+row/2, "lane")
		for _, p := range r.Spans {
			end := p.To
			if end.IsZero() {
				end = last
			}
			c.rect(x(p.From), y+3, x(end)-x(p.From)-1, row-6, "bar "+Class(p.Group), r.Label+": "+p.Title, "")
		}
	}
	for _, m := range s.Marks {
		c.rect(x(m.At)-0.6, top-6, 1.2, bottom-top+6, "bar "+Class(4), m.Title, m.Href)
	}
	c.line(x(s.Now), top-4, x(s.Now), bottom, "event")
	return c.close()
}

// years writes round years under the rows, at most as many as there is room.
func (s Spans) years(c *canvas, first, last time.Time, bottom float64, x func(time.Time) float64) {
	step := 1
	for (last.Year()-first.Year())/step > int((s.Width-s.LabelWidth)/70) {
		step *= 2
		if step == 4 {
			step = 5
		}
	}
	for y := (first.Year()/step + 1) * step; y <= last.Year(); y += step {
		at := time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC)
		c.line(x(at), 16, x(at), bottom, "grid")
		c.text(x(at), bottom+16, "tick", "middle", strconv.Itoa(y))
	}
}
