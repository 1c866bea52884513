// Package marking reads the markings of STIX objects into rules, and writes
// labels as marking definitions.
//
// Every marking of an object has to be met: several are joined, object and
// granular ones alike, since a receiver that takes one of several for enough
// has let the object leak. What is not understood is an error, and the caller
// keeps the object readable by nobody.
package marking

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"causeway/label"
	"causeway/label/stanag4774"
	"causeway/stix"
)

// ErrUnlabelled says that no marking of the object decides who may read: the
// caller has to bring a label.
var ErrUnlabelled = errors.New("the object has no marking that says who may read it")

// Lookup finds a marking definition by id.
type Lookup func(id string) (*stix.Object, bool)

// Resolve gives what governs an object: the join of all its markings. A
// marking definition is governed by what it says itself, too. An unknown
// marking, policy, group, value or extension is an error.
func Resolve(o *stix.Object, lookup func(id string) (*stix.Object, bool), ps *label.Policies) (label.Effective, error) {
	r := resolver{lookup: lookup, policies: ps}
	if err := r.object(o); err != nil {
		return label.Effective{}, fmt.Errorf("read markings of %s: %w", o.ID(), err)
	}
	if len(r.found) == 0 {
		return label.Effective{}, fmt.Errorf("read markings of %s: %w", o.ID(), ErrUnlabelled)
	}
	e, err := label.JoinEffective(r.found...)
	if err != nil {
		return label.Effective{}, fmt.Errorf("read markings of %s: %w", o.ID(), err)
	}
	e.TLP = r.tlp
	return e, nil
}

type resolver struct {
	lookup   Lookup
	policies *label.Policies
	found    []label.Effective // of each marking
	tlp      string
}

func (r *resolver) object(o *stix.Object) error {
	if o.Type() == "marking-definition" {
		if err := r.definition(o); err != nil {
			return err
		}
	}
	refs := slices.Clone(o.MarkingRefs())
	for _, g := range o.GranularMarkings() {
		switch {
		case g.MarkingRef != "":
			for _, s := range g.Selectors {
				if !selects(o, s) {
					return fmt.Errorf("a granular marking selects %q, which the object does not have", s)
				}
			}
			refs = append(refs, g.MarkingRef)
		case g.Lang == "":
			return errors.New("a granular marking has neither a marking nor a language")
		}
	}
	slices.Sort(refs)
	for _, ref := range slices.Compact(refs) {
		if err := r.ref(ref); err != nil {
			return err
		}
	}
	return nil
}

// selects says whether a selector (STIX 7.2.3.1) names something the object
// has, also false, 0 and "".
func selects(o *stix.Object, selector string) bool {
	if selector == "" {
		return false
	}
	path := strings.Split(selector, ".")
	for i, step := range path {
		if n := len(step); n > 2 && step[0] == '[' && step[n-1] == ']' {
			path[i] = step[1 : n-1]
		}
	}
	_, ok := o.Get(path...)
	return ok
}

func (r *resolver) ref(id string) error {
	d, found := r.lookup(id)
	if !found {
		colour, known := tlpColours[id]
		if !known {
			return fmt.Errorf("the marking %s is not known here", id)
		}
		return r.colour(colour)
	}
	if d.ID() != id || d.Type() != "marking-definition" {
		return fmt.Errorf("the marking %s is not a marking definition", id)
	}
	n := len(r.found)
	if err := r.definition(d); err != nil {
		return err
	}
	if len(r.found) == n && !isStatement(d) {
		return fmt.Errorf("the marking %s says nothing that is understood", id)
	}
	return nil
}

// isStatement says whether a definition is text for people: a copyright or a
// condition of use, which decides nothing.
func isStatement(d *stix.Object) bool {
	t, _ := d.Get("definition_type")
	return t == "statement"
}

// definition adds what a marking definition says.
func (r *resolver) definition(d *stix.Object) error {
	if colour, known := tlpColours[d.ID()]; known {
		if err := agrees(d, colour); err != nil {
			return err
		}
		return r.colour(colour)
	}
	switch t, ok := d.Get("definition_type"); {
	case !ok, t == "statement":
	case t == "tlp":
		return fmt.Errorf("the marking %s names a TLP colour under an id that is not that colour's", d.ID())
	default:
		return fmt.Errorf("the marking %s is of the unknown type %q", d.ID(), t)
	}
	for _, id := range d.Extensions() {
		if err := r.extension(d, id); err != nil {
			return fmt.Errorf("marking %s: %w", d.ID(), err)
		}
	}
	return nil
}

func (r *resolver) extension(d *stix.Object, id string) error {
	body, _ := d.Extension(id)
	switch id {
	case stix.LabelExtension:
		return r.label(body)
	case ACSExtension:
		rule, err := acsRule(body)
		if err != nil {
			return err
		}
		r.found = append(r.found, label.Effective{Rule: rule})
		return nil
	case stix.AlternativeExtension:
		return nil // it stands beside the label that marks it, and says nothing of its own
	case stix.TLP2Extension:
		return errors.New("it names a TLP colour under an id that is not that colour's")
	}
	return fmt.Errorf("the extension %s is not known", id)
}

// extensionBody is the label extension of a marking definition.
type extensionBody struct {
	ExtensionType string `json:"extension_type"`
	Label         string `json:"stanag4774"`
}

func (r *resolver) label(body json.RawMessage) error {
	var e extensionBody
	if err := strict(body, &e); err != nil {
		return fmt.Errorf("label extension: %w", err)
	}
	if e.ExtensionType != "property-extension" || e.Label == "" {
		return errors.New("label extension: it is not a property extension with a label")
	}
	l, err := stanag4774.ParseLabel([]byte(e.Label))
	if err != nil {
		return err
	}
	governs, err := r.policies.Govern(l, []byte(e.Label))
	if err != nil {
		return err
	}
	r.found = append(r.found, governs)
	return nil
}

// strict decodes a JSON object into the struct v points to, and refuses names
// that are not exactly those of its fields: encoding/json would take one that
// differs in case.
func strict(body json.RawMessage, v any) error {
	var names map[string]json.RawMessage
	if err := json.Unmarshal(body, &names); err != nil {
		return err
	}
	fields := reflect.TypeOf(v).Elem()
	for i := range fields.NumField() {
		name, _, _ := strings.Cut(fields.Field(i).Tag.Get("json"), ",")
		delete(names, name)
	}
	for name := range names {
		return fmt.Errorf("unknown name %q", name)
	}
	return json.Unmarshal(body, v)
}

// Definition writes a label as a marking definition that Resolve reads. Its id
// is made from the label, the creator and the time, so the same label of one
// act is one definition. A label of the TLP policy is that colour's own
// definition.
func Definition(l *label.Label, created stix.Timestamp, creator string) (*stix.Object, error) {
	if l.PolicyOID == label.TLPPolicy {
		return TLPDefinition(strings.ToLower(l.Classification))
	}
	text, err := stanag4774.WriteLabel(l)
	if err != nil {
		return nil, err
	}
	id := stix.NamedID("marking-definition", stix.Namespace, creator+"\n"+created.String()+"\n"+string(text))
	b := stix.New("marking-definition", id, created).
		Ref("created_by_ref", creator).
		Set("name", strings.TrimSpace(l.PolicyName+" "+l.Classification)).
		Set("extensions", map[string]any{stix.LabelExtension: map[string]any{
			"extension_type": "property-extension",
			"stanag4774":     string(text),
		}})
	o, err := b.Object()
	if err != nil {
		return nil, fmt.Errorf("write marking definition: %w", err)
	}
	return o, nil
}
