// Package episode is the record of past economic coercion: what was done, what
// it answered, how it ended, and what trade showed later. Each episode carries
// the scenario that states its measures, so that the engines can be held
// against what happened.
//
// The record was written by the project from public facts, each with its
// source. Sources marked second hand were not read in the original: check them
// before quoting. A source with a via was read in its own words, but in a copy.
// Where nobody has checked a figure, it is unknown.
package episode

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"causeway/trade"
	"causeway/trade/place"
	"causeway/trade/scenario"
	"causeway/trade/table"
)

// An Episode is one case.
type Episode struct {
	ID       string            `json:"id"`
	Title    string            `json:"title"`
	Actor    string            `json:"actor"`   // ISO alpha-3
	Targets  []string          `json:"targets"` // ISO alpha-3, or "*"
	Trigger  string            `json:"trigger"`
	From     string            `json:"from"`
	To       string            `json:"to,omitempty"` // empty: not over
	Outcome  string            `json:"outcome"`
	Observed []Observation     `json:"observed"`
	Sources  []scenario.Source `json:"sources"`
	Scenario scenario.Scenario `json:"scenario"`
}

// An Observation is what trade showed.
type Observation struct {
	What    string            `json:"what"`
	Value   trade.Figure      `json:"value"`
	Unit    string            `json:"unit"`
	Note    string            `json:"note,omitempty"`
	Sources []scenario.Source `json:"sources"`
}

//go:embed episodes.json
var shipped []byte

// All returns the shipped record, in the order of the file.
var All = sync.OnceValue(func() []Episode {
	es, err := Read(bytes.NewReader(shipped))
	if err != nil {
		panic(err) // a test reads the file
	}
	return es
})

// Find returns a shipped episode, with an error that offers the nearest.
func Find(id string) (Episode, error) {
	var ids []string
	for _, e := range All() {
		if e.ID == id {
			return e, nil
		}
		ids = append(ids, e.ID)
	}
	hint := ""
	if near, ok := table.Nearest(id, ids); ok {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	return Episode{}, fmt.Errorf("no episode %q%s", id, hint)
}

// Read reads a record: a JSON array of episodes, strictly.
func Read(r io.Reader) ([]Episode, error) {
	d := json.NewDecoder(io.LimitReader(r, scenario.MaxBytes))
	d.DisallowUnknownFields()
	var es []Episode
	if err := d.Decode(&es); err != nil {
		return nil, fmt.Errorf("read episodes: %w", err)
	}
	seen := map[string]bool{}
	for i := range es {
		if err := es[i].check(); err != nil {
			return nil, fmt.Errorf("read episodes: %q: %w", es[i].ID, err)
		}
		if seen[es[i].ID] {
			return nil, fmt.Errorf("read episodes: %q stands twice", es[i].ID)
		}
		seen[es[i].ID] = true
	}
	return es, nil
}

func (e *Episode) check() error {
	if err := e.Scenario.Check(); err != nil {
		return err
	}
	if e.Title == "" || e.Trigger == "" || e.Outcome == "" || e.Scenario.ID != e.ID {
		return fmt.Errorf("title, trigger and outcome must stand, and the scenario must have the episode's id")
	}
	for _, c := range append([]string{e.Actor}, e.Targets...) {
		if p, ok := place.Lookup(c); c != "*" && (!ok || p.Code != c) {
			return fmt.Errorf("%q is no country code", c)
		}
	}
	if len(e.Sources) == 0 {
		return fmt.Errorf("it has no source")
	}
	for _, o := range e.Observed {
		if o.Value.IsKnown() && len(o.Sources) == 0 {
			return fmt.Errorf("the observation %q has no source", o.What)
		}
	}
	return nil
}
