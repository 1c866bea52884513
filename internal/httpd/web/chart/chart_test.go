package chart

import (
	"encoding/xml"
	"errors"
	"html/template"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

// drawings are one of each kind, with names that would break markup.
func drawings(t *testing.T) map[string]template.HTML {
	t.Helper()
	start := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	return map[string]template.HTML{
		"network": Network{Label: `a "net"`, Width: 400, Height: 300, Names: 1,
			Nodes: []Node{{ID: "a", Label: "<a&b>", Size: 3, Group: 0, Href: "/x?a=1&b=2"}, {ID: "b", X: 1, Y: 2, Size: 1, Group: -1}, {ID: "c", X: 2, Group: 9}},
			Edges: []Edge{{A: 0, B: 1, Weight: 2, Title: "a – b", Href: "/e"}, {A: 1, B: 2, Weight: 1}}}.SVG(),
		"bars":     Bars{Label: "bars", Width: 500, LabelWidth: 120, Rows: []Bar{{Label: "長い名前の国", Value: 3, Lo: 2, Hi: 4}, {Label: "down", Value: -2, Href: "/d"}}}.SVG(),
		"timeline": Timeline{Label: "t", Width: 600, LabelWidth: 90, Lanes: []Lane{{Label: "x", Events: []Event{{At: start, Title: "<1>"}, {At: start.Add(time.Hour)}}}}}.SVG(),
		"columns":  Columns{Label: "c", Width: 400, Height: 200, Series: []string{"seen"}, Rows: []Column{{Label: "w1", Parts: []float64{3, 2}}, {Label: "w2", Parts: []float64{0}}}}.SVG(),
		"sankey":   Sankey{Label: "s", Width: 600, Height: 300, Flows: []Flow{{From: "CHN", To: "JPN", Value: 5}, {From: "CHN", To: "DEU", Value: 2, Lost: true}, {From: "JPN", To: "DEU", Value: 1}}}.SVG(),
		"ribbon": Ribbon{Label: "r", Title: "JPN", Width: 280, Height: 160, From: 2010, To: 2024, Events: []Point{{Time: 2015, Title: "e"}},
			Series: []Series{{Name: "public", Estimates: []Estimate{{2010, 0.5, 0.4, 0.6}, {2012, 0.6, 0.5, 0.7}, {2013, math.NaN(), 0, 0}, {2014, 0.6, 0.5, 0.7}, {2015, 0.6, 0.5, 0.7}}, Points: []Point{{Time: 2011, Share: 0.55}}}}}.SVG(),
		"map": smallMap(t).SVG(),
		"spans": Spans{Label: "s", Width: 500, LabelWidth: 60, Now: start, Marks: []Event{{At: start, Title: "<m>", Href: "/m"}},
			Rows: []SpanRow{{Label: "J&N", Spans: []Span{{From: start.AddDate(-30, 0, 0), To: start.AddDate(-3, 0, 0), Title: "1"}, {From: start.AddDate(-3, 0, 0), Group: 1, Title: "2"}}}}}.SVG(),
		"pairs":         Pairs{Label: "p", Width: 500, Left: []string{"A", "B"}, Right: []string{"極秘"}, Pairs: []Pair{{From: "A", To: "極秘", Note: "<x>"}, {From: "C", To: "D"}, {From: "E"}}}.SVG(),
		"empty spans":   Spans{Label: "none", Width: 100, LabelWidth: 10, Now: start}.SVG(),
		"empty pairs":   Pairs{Label: "none", Width: 100}.SVG(),
		"empty network": Network{Label: "none", Width: 10, Height: 10}.SVG(),
		"empty sankey":  Sankey{Label: "none", Width: 10, Height: 10}.SVG(),
		"empty line":    Timeline{Label: "none", Width: 100, LabelWidth: 10}.SVG(),
	}
}

// Every drawing is well-formed, names itself, and has no inline style, which
// the content security policy would drop.
func TestDrawingsAreWellFormed(t *testing.T) {
	for name, svg := range drawings(t) {
		t.Run(name, func(t *testing.T) {
			dec := xml.NewDecoder(strings.NewReader(string(svg)))
			for {
				tok, err := dec.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("%v in %s", err, svg)
				}
				el, ok := tok.(xml.StartElement)
				if !ok {
					continue
				}
				for _, a := range el.Attr {
					if a.Name.Local == "style" || strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
						t.Errorf("%s has %s=%q", el.Name.Local, a.Name.Local, a.Value)
					}
					if el.Name.Local == "svg" && a.Name.Local == "aria-label" && a.Value == "" {
						t.Error("the drawing has no name")
					}
				}
			}
		})
	}
}

func TestDrawingsAreDeterministic(t *testing.T) {
	first := drawings(t)
	for range 20 {
		for name, svg := range drawings(t) {
			if svg != first[name] {
				t.Fatalf("%s is drawn differently the second time", name)
			}
		}
	}
}

func TestGapBreaksTheLine(t *testing.T) {
	svg := string(drawings(t)["ribbon"])
	if n := strings.Count(svg, `class="ribbon`); n != 2 {
		t.Errorf("a gap in the estimates gives %d ribbons, want 2: no line where there is no data", n)
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		max  float64
		last float64
	}{{7, 8}, {100, 100}, {0, 1}, {0.03, 0.03}, {12345, 15000}} {
		got := ticks(c.max, 4)
		if last := got[len(got)-1]; last < c.max || math.Abs(last-c.last) > c.last*1e-9 {
			t.Errorf("ticks(%v) ends at %v, want %v", c.max, last, c.last)
		}
	}
}

func TestGroupsDifferInShape(t *testing.T) {
	seen := map[string]int{}
	for g := range Groups {
		d := Shape(g, 0, 0, 5)
		if other, ok := seen[d]; ok {
			t.Errorf("groups %d and %d have one shape", g, other)
		}
		seen[d] = g
	}
}
