// Package cut makes tearlines: new objects derived from others for wider
// release, with ids of their own (STIX 2.1 sections 3.5 and 3.6 let nobody
// take a property out of an object and keep its id).
//
// A person marks what to leave out, reword or withhold; Make gives new objects
// that are closed under references, and refuses while any withheld id, value,
// hash or near copy of one is left anywhere in them. The origin finds its cuts
// by Result.Origins, which stays at home; a receiver cannot find the origin,
// since new ids are made with a secret key.
package cut

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"causeway/stix"
)

// Plan says what a cut leaves out and what it says instead. Paths are those of
// stix: "description", "external_references[0].url".
type Plan struct {
	Key      []byte         // secret for new ids, at least 32 bytes, one for each recipient
	Creator  string         // identity that releases, and so the creator of the cut
	At       stix.Timestamp // created and modified of the cut
	Markings []string       // marking definitions of the cut

	Omit     []Place     // what is left out
	Reword   []Rewording // what is said instead
	Withhold []string    // further words that must not be left
	Accept   []string    // findings of Check, by Finding.Key, that a person has looked at and accepts
	Keep     []string    // ids outside the cut that may stay, such as public ATT&CK techniques
}

// Place is a property of an object, or with Path "" the whole object.
type Place struct {
	ID, Path string
}

// Rewording replaces a property by another value of the same kind: a shorter
// text, a coarser date, a rounded number.
type Rewording struct {
	ID, Path string
	Value    any
}

// Result is a cut.
type Result struct {
	Objects  []*stix.Object
	Origins  map[string]string // new id -> original id; labelled as the originals, never released
	Changes  []Change          // what differs, for the person who releases
	Withheld []string          // everything that was checked to be gone
}

// Change is one difference between an original and its cut.
type Change struct {
	ID     string // of the original
	NewID  string // of its cut; "" when the object is left out
	Path   string // "" for the whole object
	Before string // JSON text; "" when the cut adds it
	After  string // JSON text; "" when it is left out
	Why    string // omitted, reworded, reference, marking, identity, dangling
}

// LeftoverError says what of the withheld is still there.
type LeftoverError struct{ Findings []Finding }

func (e *LeftoverError) Error() string {
	texts := make([]string, len(e.Findings))
	for i, f := range e.Findings {
		texts[i] = f.String()
	}
	return "withheld content is left: " + strings.Join(texts, "; ")
}

// Make cuts objects by a plan. It refuses when a place does not exist, when
// what is left out is required, and with a *LeftoverError while Check finds
// anything; then the result is given too, so that the person sees where.
func Make(objects []*stix.Object, p Plan) (*Result, error) {
	m, err := newMaker(objects, p)
	if err != nil {
		return nil, fmt.Errorf("cut: %w", err)
	}
	for _, step := range []func() error{m.omit, m.reword, m.trim, m.identify, m.close, m.build} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("cut: %w", err)
		}
	}
	r := &m.result
	slices.Sort(m.withheld)
	r.Withheld = slices.Compact(m.withheld)
	found := Check(r.Objects, m.secretIDs(), r.Withheld)
	found = slices.DeleteFunc(found, func(f Finding) bool { return slices.Contains(p.Accept, f.Key()) })
	if len(found) > 0 {
		return r, fmt.Errorf("cut: %w", &LeftoverError{found})
	}
	return r, nil
}

// draft is an object on its way to being one of the cut.
type draft struct {
	origin *stix.Object
	body   map[string]any
	newID  string
}

type maker struct {
	plan     Plan
	drafts   []*draft
	byID     map[string]*draft
	all      []string // every original id
	withheld []string
	result   Result
}

func newMaker(objects []*stix.Object, p Plan) (*maker, error) {
	switch {
	case len(p.Key) < 32:
		return nil, errors.New("the key for new ids has fewer than 32 bytes")
	case len(p.Markings) == 0:
		return nil, errors.New("the cut has no marking: say who may read it")
	case p.Creator == "" || p.At.IsZero():
		return nil, errors.New("the cut has no creator or no time")
	}
	m := &maker{plan: p, byID: map[string]*draft{}, result: Result{Origins: map[string]string{}}}
	for _, o := range objects {
		if t := o.Type(); t == "marking-definition" || t == "extension-definition" {
			return nil, fmt.Errorf("%s is a definition: it is not cut, and the cut's own markings come with the plan", o.ID())
		}
		if m.stays(o.ID()) {
			continue // it stays what it is, outside the cut
		}
		body, err := decode(o.Raw())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.ID(), err)
		}
		if o.ID() == "" || m.byID[o.ID()] != nil {
			return nil, fmt.Errorf("the object %q is there twice or has no id: cut one version of each", o.ID())
		}
		d := &draft{origin: o, body: body}
		m.drafts, m.byID[o.ID()], m.all = append(m.drafts, d), d, append(m.all, o.ID())
	}
	return m, nil
}

func decode(raw []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var body map[string]any
	if err := d.Decode(&body); err != nil {
		return nil, fmt.Errorf("read object: %w", err)
	}
	return body, nil
}

// text writes a value as JSON for the list of changes.
func text(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (m *maker) change(d *draft, path string, before, after any, why string) {
	c := Change{ID: d.origin.ID(), Path: path, Why: why}
	if before != nil {
		c.Before = text(before)
	}
	if after != nil {
		c.After = text(after)
	}
	m.result.Changes = append(m.result.Changes, c)
}

// drop takes a whole object out of the cut.
func (m *maker) drop(d *draft, why string) {
	m.change(d, "", d.body, nil, why)
	m.withheld = append(m.withheld, tokensOf(d.origin)...)
	delete(m.byID, d.origin.ID())
	m.drafts = slices.DeleteFunc(m.drafts, func(x *draft) bool { return x == d })
}

// omit takes whole objects out.
func (m *maker) omit() error {
	m.withheld = append(m.withheld, m.plan.Withhold...)
	for _, place := range m.plan.Omit {
		if place.Path != "" {
			continue
		}
		d := m.byID[place.ID]
		if d == nil {
			return fmt.Errorf("%s is not among the objects, or is left out twice", place.ID)
		}
		m.drop(d, "omitted")
	}
	return nil
}

// trim takes properties out, last of all, so that paths in a plan mean the
// original throughout.
func (m *maker) trim() error {
	for _, place := range m.byPathDescending() {
		d := m.byID[place.ID]
		if d == nil {
			return fmt.Errorf("%s is not among what is kept", place.ID)
		}
		old, ok := remove(d.body, place.Path)
		if !ok {
			return fmt.Errorf("%s has no %s", place.ID, place.Path)
		}
		m.withheld = append(m.withheld, tokensIn(place.Path, old)...)
		m.change(d, place.Path, old, nil, "omitted")
	}
	for _, d := range m.drafts {
		if err := valid(d); err != nil {
			return fmt.Errorf("%s would no longer be valid: %w; leave the whole object out", d.origin.ID(), err)
		}
	}
	return nil
}

// byPathDescending orders places so that taking one item out of a list does
// not move those that are still to go.
func (m *maker) byPathDescending() []Place {
	var out []Place
	for _, p := range m.plan.Omit {
		if p.Path != "" {
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, func(a, b Place) int { return comparePaths(b.Path, a.Path) })
	return out
}

// reword puts the new values in. The old value's words are withheld, except
// those that the new value says again.
func (m *maker) reword() error {
	for _, w := range m.plan.Reword {
		d := m.byID[w.ID]
		if d == nil {
			return fmt.Errorf("%s is not among what is kept", w.ID)
		}
		old, ok := lookup(d.body, w.Path)
		if !ok {
			return fmt.Errorf("%s has no %s", w.ID, w.Path)
		}
		if w.Value == nil || kind(old) != kind(w.Value) {
			return fmt.Errorf("%s of %s is rewritten as another kind of value", w.Path, w.ID)
		}
		if !set(d.body, w.Path, w.Value) {
			return fmt.Errorf("%s of %s cannot be rewritten", w.Path, w.ID)
		}
		m.withheld = append(m.withheld, rewordedTokens(w.Path, old, w.Value)...)
		m.change(d, w.Path, old, w.Value, "reworded")
	}
	return nil
}

// secretIDs are the ids that must not be left: those of every original, kept
// or not, except the ones that may stay.
func (m *maker) secretIDs() []string {
	return slices.DeleteFunc(slices.Clone(m.all), m.stays)
}
