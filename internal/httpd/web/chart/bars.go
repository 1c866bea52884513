package chart

import (
	"html/template"
	"math"
	"strconv"
	"time"
)

// Bar is one row of a bar chart.
type Bar struct {
	Label  string
	Value  float64
	Lo, Hi float64 // interval, drawn as a whisker where Hi > Lo
	Text   string  // the value as it is to be read; empty: brief
	Group  int
	Href   string
}

// Bars are horizontal bars with their values written, so that nothing has to
// be read off an axis. Values below zero go to the left.
type Bars struct {
	Label      string
	Width      float64
	LabelWidth float64
	Top        float64 // the scale ends here or at the largest value, whichever is more
	Rows       []Bar
}

// SVG draws the bars.
func (b Bars) SVG() template.HTML {
	const row, bar = 26.0, 16.0
	h := row*float64(len(b.Rows)) + 6
	var c canvas
	linked := false
	low, high := 0.0, math.Max(1e-12, b.Top)
	for _, r := range b.Rows {
		linked = linked || r.Href != ""
		low = math.Min(low, math.Min(r.Value, r.Lo))
		high = math.Max(high, math.Max(r.Value, r.Hi))
	}
	c.open(b.Width, h, b.Label, linked)
	const room = 92 // for the written value
	left, right := b.LabelWidth, b.Width-room
	if low < 0 {
		left += room
	}
	x := func(v float64) float64 { return left + (v-low)/(high-low)*(right-left) }
	for i, r := range b.Rows {
		y := 3 + row*float64(i)
		text := r.Text
		if text == "" {
			text = brief(r.Value)
		}
		c.text(b.LabelWidth-8, y+bar-2, "label", "end", cut(r.Label, int(b.LabelWidth/7)))
		c.rect(math.Min(x(0), x(r.Value)), y, math.Abs(x(r.Value)-x(0)), bar, "bar "+Class(r.Group), r.Label+": "+text, r.Href)
		end := x(math.Max(r.Value, 0))
		if r.Hi > r.Lo {
			mid := y + bar/2
			c.line(x(r.Lo), mid, x(r.Hi), mid, "whisker")
			c.line(x(r.Lo), mid-4, x(r.Lo), mid+4, "whisker")
			c.line(x(r.Hi), mid-4, x(r.Hi), mid+4, "whisker")
			end = math.Max(end, x(r.Hi))
		}
		if r.Value < 0 {
			c.text(math.Min(x(r.Value), x(r.Lo))-6, y+bar-3, "value", "end", text)
		} else {
			c.text(end+6, y+bar-3, "value", "start", text)
		}
	}
	c.line(x(0), 0, x(0), h, "axis")
	return c.close()
}

// Lane is one row of a timeline: events of one thing, such as an account.
type Lane struct {
	Label  string
	Group  int
	Events []Event
}

// Event is one mark on a lane.
type Event struct {
	At    time.Time
	Title string
	Href  string
}

// Timeline shows lanes of events over one span: synchrony is seen as columns.
type Timeline struct {
	Label      string
	Width      float64
	LabelWidth float64
	Zone       *time.Location
	Lanes      []Lane
}

// SVG draws the timeline from the first event to the last.
func (t Timeline) SVG() template.HTML {
	const row = 22.0
	var first, last time.Time
	linked := false
	for _, l := range t.Lanes {
		for _, e := range l.Events {
			linked = linked || e.Href != ""
			if first.IsZero() || e.At.Before(first) {
				first = e.At
			}
			if e.At.After(last) {
				last = e.At
			}
		}
	}
	h := row*float64(len(t.Lanes)) + 34
	var c canvas
	c.open(t.Width, h, t.Label, linked)
	left, right := t.LabelWidth, t.Width-12
	span := math.Max(float64(last.Sub(first)), 1)
	x := func(at time.Time) float64 { return left + float64(at.Sub(first))/span*(right-left) }
	bottom := row*float64(len(t.Lanes)) + 4
	for _, at := range moments(first, last, int((right-left)/130)) {
		c.line(x(at), 0, x(at), bottom, "grid")
		c.text(math.Min(x(at), right-46), bottom+16, "tick", "middle", stamp(at.In(t.zone()), last.Sub(first)))
	}
	for i, l := range t.Lanes {
		y := row*float64(i) + row/2
		c.line(left, y, right, y, "lane")
		c.text(left-10, y+4, "label", "end", cut(l.Label, int(t.LabelWidth/7.4)))
		for _, e := range l.Events {
			c.rect(x(e.At)-1.5, y-7, 3, 14, "bar "+Class(l.Group), e.Title, e.Href)
		}
	}
	return c.close()
}

func (t Timeline) zone() *time.Location {
	if t.Zone == nil {
		return time.UTC
	}
	return t.Zone
}

// moments gives round times between first and last, at most about n.
func moments(first, last time.Time, n int) (out []time.Time) {
	span := last.Sub(first)
	if n < 1 || span <= 0 {
		return []time.Time{first}
	}
	day := 24 * time.Hour
	for _, step := range []time.Duration{time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute,
		time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, 7 * day, 14 * day, 30 * day, 91 * day, 182 * day, 365 * day, 1825 * day} {
		if span/step > time.Duration(n) {
			continue
		}
		for at := first.Truncate(step).Add(step); !at.After(last); at = at.Add(step) {
			out = append(out, at)
		}
		return out
	}
	return []time.Time{first, last}
}

func stamp(t time.Time, span time.Duration) string {
	switch {
	case span < 10*time.Minute:
		return t.Format("15:04:05")
	case span < 36*time.Hour:
		return t.Format("15:04")
	case span < 120*24*time.Hour:
		return t.Format("01-02")
	}
	return t.Format("2006-01")
}

// Column is one bar of a Columns chart.
type Column struct {
	Label string
	Parts []float64 // stacked, one a series
	Title string
}

// Columns are stacked columns over an ordered axis, such as weeks.
type Columns struct {
	Label         string
	Width, Height float64
	Series        []string
	Rows          []Column
}

// SVG draws the columns with a value axis.
func (k Columns) SVG() template.HTML {
	var c canvas
	c.open(k.Width, k.Height, k.Label, false)
	top := 0.0
	for _, r := range k.Rows {
		sum := 0.0
		for _, v := range r.Parts {
			sum += v
		}
		top = math.Max(top, sum)
	}
	scale := ticks(top, 4)
	const left, foot = 46.0, 26.0
	y := func(v float64) float64 { return k.Height - foot - v/scale[len(scale)-1]*(k.Height-foot-8) }
	for _, v := range scale {
		c.line(left, y(v), k.Width, y(v), "grid")
		c.text(left-6, y(v)+4, "tick", "end", brief(v))
	}
	step := (k.Width - left) / math.Max(float64(len(k.Rows)), 1)
	every := int(math.Ceil(64 / step))
	for i, r := range k.Rows {
		x, base := left+step*float64(i), 0.0
		for s, v := range r.Parts {
			name := strconv.Itoa(s)
			if s < len(k.Series) {
				name = k.Series[s]
			}
			c.rect(x+step*0.12, y(base+v), step*0.76, y(base)-y(base+v), "bar "+Class(s), r.Title+" · "+name+": "+brief(v), "")
			base += v
		}
		if i%every == 0 {
			c.text(x+step/2, k.Height-8, "tick", "middle", r.Label)
		}
	}
	return c.close()
}
