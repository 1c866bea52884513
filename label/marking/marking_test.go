package marking

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"causeway/label"
	"causeway/label/policies"
	"causeway/label/stanag4774"
	"causeway/stix"
)

var day = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func set(t *testing.T) *label.Policies {
	t.Helper()
	ps, err := policies.Set("officer")
	if err != nil {
		t.Fatal(err)
	}
	return ps.WithAudience(label.Audience{Organisation: "node:tokyo"})
}

func object(t *testing.T, format string, args ...any) *stix.Object {
	t.Helper()
	o, err := stix.ParseObject(fmt.Appendf(nil, format, args...))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func definition(t *testing.T, l *label.Label) *stix.Object {
	t.Helper()
	at, err := stix.ParseTimestamp("2026-11-01T00:00:00.000Z")
	if err != nil {
		t.Fatal(err)
	}
	d, err := Definition(l, at, "identity--0c0d3a53-6a3b-4b1c-9a3f-7d2f5f6d1e2a")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func lookup(ds ...*stix.Object) func(string) (*stix.Object, bool) {
	return func(id string) (*stix.Object, bool) {
		for _, d := range ds {
			if d.ID() == id {
				return d, true
			}
		}
		return nil, false
	}
}

const note = `{"type":"note","spec_version":"2.1","id":"note--7f1b7a0a-64f4-4d2e-9c53-35a2c9d7a1aa","created":"2026-11-01T00:00:00.000Z","modified":"2026-11-01T00:00:00.000Z","content":"","list":["a",false],"object_refs":["note--7f1b7a0a-64f4-4d2e-9c53-35a2c9d7a1ab"]%s}`

func marked(t *testing.T, ids ...string) *stix.Object {
	t.Helper()
	b, err := json.Marshal(ids)
	if err != nil {
		t.Fatal(err)
	}
	return object(t, note, `,"object_marking_refs":`+string(b))
}

func reads(t *testing.T, ps *label.Policies, r label.Rule, nation string, names ...string) bool {
	t.Helper()
	c, err := policies.NationalClearance(nation, "SECRET")
	if err != nil {
		t.Fatal(err)
	}
	h, err := ps.Holdings(label.Holder{Kind: label.Partner, Clearances: []*label.Clearance{c}, Nation: nation, Names: names, At: day})
	if err != nil {
		t.Fatal(err)
	}
	return label.Allows(r, h)
}

func TestDefinitionRoundTrip(t *testing.T) {
	ps := set(t)
	l := policies.NATOLabel("SECRET", day, day.AddDate(5, 0, 0), "JPN")
	d := definition(t, l)
	if again := definition(t, l); again.ID() != d.ID() {
		t.Error("the same label of one act has two ids")
	}
	for _, p := range stix.Validate(d) {
		if !p.Warning { // the id is made from content, where STIX advises a random one
			t.Error(p)
		}
	}
	e, err := Resolve(marked(t, d.ID()), lookup(d), ps)
	if err != nil {
		t.Fatal(err)
	}
	want, err := ps.Rule(l)
	if err != nil {
		t.Fatal(err)
	}
	if !e.Rule.Equal(want) {
		t.Errorf("rule %v, want %v", e.Rule, want)
	}
	if len(e.Labels) != 1 {
		t.Fatalf("%d source labels, want 1", len(e.Labels))
	}
	if _, err := stanag4774.ParseLabel(e.Labels[0]); err != nil {
		t.Error(err)
	}
	back, err := label.DecodeEffective(e.Encode())
	if err != nil || !back.Rule.Equal(e.Rule) {
		t.Errorf("decoded %v, %v", back.Rule, err)
	}
}

// One of several markings is never enough: leak class L10.
func TestEveryMarkingCounts(t *testing.T) {
	ps := set(t)
	jpn := definition(t, policies.NATOLabel("SECRET", day, day, "JPN"))
	aus := definition(t, policies.NATOLabel("SECRET", day, day, "AUS"))
	e, err := Resolve(marked(t, jpn.ID(), aus.ID(), stix.TLPAmber), lookup(jpn, aus), ps)
	if err != nil {
		t.Fatal(err)
	}
	if reads(t, ps, e.Rule, "JPN", "node:tokyo") || reads(t, ps, e.Rule, "AUS", "node:tokyo") || reads(t, ps, e.Rule, "BEL") {
		t.Error("one of several markings suffices")
	}
	if !reads(t, ps, e.Rule, "BEL", "node:tokyo") {
		t.Error("who meets every marking may not read")
	}
	if e.TLP != label.TLPAmber {
		t.Errorf("TLP %q", e.TLP)
	}
	granular := object(t, note, fmt.Sprintf(`,"object_marking_refs":[%q],"granular_markings":[{"selectors":["content","list.[1]"],"marking_ref":%q},{"selectors":["content"],"lang":"ja"}]`, jpn.ID(), aus.ID()))
	e, err = Resolve(granular, lookup(jpn, aus), ps)
	if err != nil {
		t.Fatal(err)
	}
	if reads(t, ps, e.Rule, "JPN") {
		t.Error("a granular marking is not honoured")
	}
}

func TestRefused(t *testing.T) {
	ps := set(t)
	good := definition(t, policies.NATOLabel("SECRET", day, day, "JPN"))
	md := func(id, rest string) *stix.Object {
		return object(t, `{"type":"marking-definition","spec_version":"2.1","id":%q,"created":"2026-11-01T00:00:00.000Z"%s}`, id, rest)
	}
	const id = "marking-definition--5f0c6d1e-8a3b-4c7e-9b7a-2d4f6e8c1a35"
	ext := func(e, body string) string { return fmt.Sprintf(`,"extensions":{%q:%s}`, e, body) }
	unknownPolicy := definition(t, &label.Label{PolicyOID: "2.999.7", PolicyName: "X", Classification: "Y", Created: day, Review: day})
	for _, c := range []struct {
		name  string
		obj   *stix.Object
		defs  []*stix.Object
		fails string
	}{
		{"no marking", object(t, note, ""), nil, ErrUnlabelled.Error()},
		{"unknown marking", marked(t, id), nil, "not known here"},
		{"unknown policy", marked(t, unknownPolicy.ID()), []*stix.Object{unknownPolicy}, "unknown policy id: 2.999.7"},
		{"unknown extension", marked(t, id), []*stix.Object{md(id, ext("extension-definition--aaaa6d1e-8a3b-4c7e-9b7a-2d4f6e8c1a35", `{"extension_type":"property-extension"}`))}, "is not known"},
		{"a good marking and an unknown one", marked(t, good.ID(), id), []*stix.Object{good}, "not known here"},
		{"no content", marked(t, id), []*stix.Object{md(id, "")}, "says nothing"},
		{"unknown type", marked(t, id), []*stix.Object{md(id, `,"definition_type":"iep","definition":{}`)}, "unknown type"},
		{"statement alone", marked(t, id), []*stix.Object{md(id, `,"definition_type":"statement","definition":{"statement":"(c)"}`)}, ErrUnlabelled.Error()},
		{"TLP colour under another id", marked(t, id), []*stix.Object{md(id, ext(stix.TLP2Extension, `{"extension_type":"property-extension","tlp_2_0":"clear"}`))}, "id that is not that colour's"},
		{"TLP 1 colour under another id", marked(t, id), []*stix.Object{md(id, `,"definition_type":"tlp","definition":{"tlp":"white"}`)}, "id that is not that colour's"},
		{"TLP id with other content", marked(t, stix.TLPRed), []*stix.Object{md(stix.TLPRed, ext(stix.TLP2Extension, `{"extension_type":"property-extension","tlp_2_0":"clear"}`))}, "other content"},
		{"TLP 1 id with other content", marked(t, stix.TLP1Red), []*stix.Object{md(stix.TLP1Red, `,"definition_type":"tlp","definition":{"tlp":"white"}`)}, "other content"},
		{"RED without recipients", marked(t, stix.TLPRed), nil, "not bound"},
		{"label under another case", marked(t, id), []*stix.Object{md(id, ext(stix.LabelExtension, `{"extension_type":"property-extension","STANAG4774":"x"}`))}, "unknown name"},
		{"label with more", marked(t, id), []*stix.Object{md(id, ext(stix.LabelExtension, `{"extension_type":"property-extension","stanag4774":"x","more":1}`))}, "unknown name"},
		{"granular marking of nothing", object(t, note, fmt.Sprintf(`,"granular_markings":[{"selectors":["description"],"marking_ref":%q}]`, good.ID())), []*stix.Object{good}, "does not have"},
		{"ACS that permits", marked(t, id), []*stix.Object{md(id, ext(ACSExtension, `{"extension_type":"property-extension","policy_reference":"urn:isa:policy:acs:ns:v3.0?privdefault=permit&sharedefault=deny","control_set":{"classification":"U"}}`))}, "both defaults"},
		{"ACS with more", marked(t, id), []*stix.Object{md(id, ext(ACSExtension, `{"extension_type":"property-extension","policy_reference":"urn:isa:policy:acs:ns:v3.0?privdefault=deny&sharedefault=deny","control_set":{"classification":"U","new":1}}`))}, "unknown name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := Resolve(c.obj, lookup(c.defs...), ps)
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Fatalf("got %v, want an error with %q", err, c.fails)
			}
			if !e.Rule.Nobody() {
				t.Fatal("an error comes with a rule that admits someone")
			}
		})
	}
	if _, err := Resolve(object(t, note, ""), lookup(), ps); !errors.Is(err, ErrUnlabelled) {
		t.Error("the caller cannot tell an unlabelled object")
	}
}

func TestTLPDefinitionsAreRead(t *testing.T) {
	ps := set(t)
	for _, c := range []string{label.TLPClear, label.TLPGreen, label.TLPAmber, label.TLPAmberStrict} {
		d, err := TLPDefinition(c)
		if err != nil {
			t.Fatal(err)
		}
		if p := stix.Validate(d); len(p) > 0 {
			t.Errorf("%s: %v", c, p)
		}
		e, err := Resolve(marked(t, d.ID()), lookup(d), ps)
		if err != nil {
			t.Fatal(err)
		}
		if got := label.Allows(e.Rule, label.Public); got != (c == label.TLPClear) {
			t.Errorf("the public reads %s: %v", c, got)
		}
	}
	white := object(t, `{"type":"marking-definition","spec_version":"2.1","id":%q,"created":"2017-01-20T00:00:00.000Z","definition_type":"tlp","name":"TLP:WHITE","definition":{"tlp":"white"}}`, stix.TLPWhite)
	if _, err := Resolve(marked(t, white.ID()), lookup(white), ps); err != nil {
		t.Error(err)
	}
}

// ACS is read: nobody meets it until the attributes are granted.
func TestACS(t *testing.T) {
	ps := set(t)
	const id = "marking-definition--5f0c6d1e-8a3b-4c7e-9b7a-2d4f6e8c1a35"
	d := object(t, `{"type":"marking-definition","spec_version":"2.1","id":%q,"created":"2026-11-01T00:00:00.000Z","extensions":{%q:{"extension_type":"property-extension","identifier":"isa:guide.19001.x","policy_reference":"urn:isa:policy:acs:ns:v3.0?privdefault=deny&sharedefault=deny","control_set":{"classification":"U","formal_determination":["FOUO"],"permitted_nationalities":["USA","GBR"]}}}}`, id, ACSExtension)
	e, err := Resolve(marked(t, id), lookup(d), ps)
	if err != nil {
		t.Fatal(err)
	}
	if reads(t, ps, e.Rule, "USA") {
		t.Error("ACS is met without its attributes")
	}
	h, err := ps.Holdings(label.Holder{Kind: label.Partner, At: day, Attributes: []label.Attribute{
		{Scheme: "acs", Tag: "classification", Value: "U"}, {Scheme: "acs", Tag: "determination", Value: "FOUO"}, {Scheme: "acs", Tag: "nation", Value: "GBR"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if d := label.Decide(e.Rule, h); !d.Allow {
		t.Errorf("%+v", d)
	}
}

// A marking definition is governed by what it says.
func TestDefinitionGovernsItself(t *testing.T) {
	ps := set(t)
	d := definition(t, policies.NATOLabel("SECRET", day, day, "JPN"))
	e, err := Resolve(d, lookup(d), ps)
	if err != nil {
		t.Fatal(err)
	}
	if reads(t, ps, e.Rule, "AUS") || !reads(t, ps, e.Rule, "JPN") {
		t.Error("a definition is readable by others than those it names")
	}
}

// What a marking definition says of itself cannot be read: nobody reads it.
func TestDefinitionThatIsNotUnderstood(t *testing.T) {
	d := definition(t, &label.Label{PolicyOID: "2.999.7", PolicyName: "X", Classification: "Y", Created: day, Review: day})
	good := definition(t, policies.NATOLabel("SECRET", day, day, "JPN"))
	marked := object(t, `{"type":"marking-definition","spec_version":"2.1","id":%q,"created":"2026-11-01T00:00:00.000Z","object_marking_refs":[%q],"extensions":{%q:{"extension_type":"property-extension","stanag4774":"<a/>"}}}`,
		"marking-definition--5f0c6d1e-8a3b-4c7e-9b7a-2d4f6e8c1a35", good.ID(), stix.LabelExtension)
	for _, o := range []*stix.Object{d, marked} {
		if e, err := Resolve(o, lookup(good), set(t)); err == nil || !e.Rule.Nobody() {
			t.Errorf("%s resolves to %v", o.ID(), e.Rule)
		}
	}
}

func TestTLPID(t *testing.T) {
	for colour, want := range map[string]string{label.TLPClear: stix.TLPClear, label.TLPRed: stix.TLPRed, "white": ""} {
		if got, ok := TLPID(colour); got != want || ok != (want != "") {
			t.Errorf("%s has the id %q", colour, got)
		}
	}
}
