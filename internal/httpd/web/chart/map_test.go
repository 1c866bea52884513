package chart

import (
	"strings"
	"testing"
)

const small = `{"width":200,"height":100,"places":[
 {"id":"392","name":"Japan","x":150,"y":40,"d":"M140 30l20 0 0 20-20 0z"},
 {"id":"156","name":"China","x":90,"y":40,"d":"M60 20l50 0 0 40-50 0z"},
 {"id":"702","name":"Singapore","x":95,"y":80,"d":""},
 {"id":"156","name":"A rock","x":99,"y":70,"d":""},
 {"id":"","name":"Nowhere","x":10,"y":10,"d":"M0 0l9 0 0 9z"}]}`

func smallAtlas(t *testing.T) *Atlas {
	t.Helper()
	a, err := ReadAtlas([]byte(small), func(s string) string {
		return map[string]string{"392": "JPN", "156": "CHN", "702": "SGP"}[s]
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func smallMap(t *testing.T) Map {
	return Map{Label: "m", Width: 100, Atlas: smallAtlas(t), ID: "m", Classes: []string{"a", "b", "c", "d", "e"}, NoData: "no <data>", Flows: "flows", Source: "the supplier",
		Areas: []Area{{Code: "JPN", Class: 4, Title: "Japan & more", Href: "/x?a=1&b=2", Here: true, Name: "Japan"}, {Code: "SGP", Class: 0, Title: "Singapore"}, {Code: "XXX", Class: 2}},
		Arcs:  []Arc{{From: "CHN", To: "JPN", Value: 2, Title: "t"}, {From: "SGP", To: "JPN", Value: 1, Lost: true}, {From: "XXX", To: "JPN", Value: 9}}}
}

// What is not known is hatched and never in the lowest shade; a country without
// an outline is a disc; a place of no country is land.
func TestMapShades(t *testing.T) {
	svg := string(smallMap(t).SVG())
	for _, want := range []string{
		`fill="url(#mnone)" d="M60 20l50 0 0 40-50 0z"><title>China: no &lt;data&gt;`,
		`fill="url(#m4)" d="M140 30`,
		`<circle class="area" fill="url(#m0)"`,
		`<title>Nowhere: no &lt;data&gt;`,
		`class="here" d="M140 30`,
	} {
		if !strings.Contains(svg, want) {
			t.Errorf("the map lacks %s", want)
		}
	}
	if n := strings.Count(svg, `<circle class="area"`); n != 1 {
		t.Errorf("%d discs, want one: a small territory of a drawn country has none", n)
	}
	if n := strings.Count(svg, `class="arc" d="M4`) + strings.Count(svg, `class="arc gone"`); n != 2 {
		t.Errorf("%d arcs, want two: one end of the third is nowhere", n)
	}
	if got := smallMap(t).Missing(); len(got) != 1 || got[0] != "XXX" {
		t.Errorf("missing: %v, want XXX", got)
	}
}

// Every shade has a texture of its own.
func TestShadesDifferWithoutColour(t *testing.T) {
	svg := string(smallMap(t).SVG())
	seen := map[string]string{}
	for _, name := range []string{"m0", "m1", "m2", "m3", "mnone"} {
		_, rest, ok := strings.Cut(svg, `<pattern id="`+name+`"`)
		if !ok {
			t.Fatalf("no pattern %s", name)
		}
		body, _, _ := strings.Cut(rest, "</pattern>")
		_, marks, _ := strings.Cut(body, "/>") // behind the ground
		if other, twice := seen[marks]; twice {
			t.Errorf("%s and %s have one texture", name, other)
		}
		seen[marks] = name
	}
}

func TestReadAtlasRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no file":   `x`,
		"no extent": `{"width":0,"height":5}`,
		"markup":    strings.Replace(small, "M140 30l20", `M140\"><script>`, 1),
	} {
		if _, err := ReadAtlas([]byte(text), func(s string) string { return s }); err == nil {
			t.Errorf("%s: an atlas was read", name)
		}
	}
}
