package episode

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"causeway/trade/scenario"
)

// sourcesOf gives every source of an episode.
func sourcesOf(e Episode) []scenario.Source {
	out := slices.Clone(e.Sources)
	for _, m := range e.Scenario.Measures {
		out = append(out, m.Sources...)
	}
	for _, o := range e.Observed {
		out = append(out, o.Sources...)
	}
	return out
}

// TestRecord: the shipped record reads strictly, holds at least the eight cases
// the literature names plus gallium and germanium, and every measure has a
// source.
func TestRecord(t *testing.T) {
	es, err := Read(bytes.NewReader(shipped))
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]bool{}
	for _, e := range es {
		for _, c := range e.Targets {
			targets[c] = true
		}
		for i, m := range e.Scenario.Measures {
			if len(m.Sources) == 0 {
				t.Errorf("%s: measure %d has no source", e.ID, i+1)
			}
		}
	}
	for _, e := range es {
		if len(e.Observed) == 0 {
			t.Errorf("%s: nothing says what trade showed later, not even that nobody has looked", e.ID)
		}
		for _, s := range sourcesOf(e) {
			if s.Secondhand && s.Via != "" {
				t.Errorf("%s: %q is second hand, and read in a copy: which?", e.ID, s.Title)
			}
			if !s.Secondhand && s.URL == "" && s.Via == "" && !strings.Contains(s.Title, "BACI") {
				t.Errorf("%s: %q was read, but nothing says where", e.ID, s.Title)
			}
		}
	}
	for _, want := range []string{"JPN", "NOR", "PHL", "MNG", "KOR", "AUS", "CAN", "LTU", "*"} {
		if !targets[want] {
			t.Errorf("no episode against %s", want)
		}
	}
	if e, err := Find("world-2023-gallium-germanium"); err != nil || !e.Scenario.Measures[0].Products[0].Partial {
		t.Errorf("gallium: %v; want a partial code", err)
	}
	if _, err := Find("aus-2020-mony"); err == nil || !strings.Contains(err.Error(), `did you mean "aus-2020-many"`) {
		t.Errorf("unknown episode: %v", err)
	}
}
