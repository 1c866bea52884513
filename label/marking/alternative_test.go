package marking

import (
	"strings"
	"testing"
	"time"

	"causeway/label/policies"
	"causeway/stix"
)

func TestAlternativesTravel(t *testing.T) {
	at := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	l := policies.NATOLabel("SECRET", at, at.AddDate(5, 0, 0), "JPN")
	d, err := Definition(l, stix.TimestampOf(at), "")
	if err != nil {
		t.Fatal(err)
	}
	o, err := Beside(d.ID(), []byte("signed"), stix.TimestampOf(at), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range stix.Validate(o) {
		if !p.Warning {
			t.Errorf("%s: %s", p.Path, p.Text)
		}
	}
	again, err := Beside(d.ID(), []byte("signed"), stix.TimestampOf(at), "")
	if err != nil || again.Text() != o.Text() {
		t.Errorf("the same alternative is two objects: %v", err)
	}
	if signed, ok := SignedAlternative(o); !ok || string(signed) != "signed" {
		t.Errorf("it carries %q, %v", signed, ok)
	}
	xml, ok := LabelOf(d)
	if !ok || !strings.Contains(string(xml), "SECRET") {
		t.Errorf("the definition carries %q, %v", xml, ok)
	}
	// It is governed by the label it stands beside, and marks nothing itself.
	ps, err := policies.Set("x")
	if err != nil {
		t.Fatal(err)
	}
	lookup := func(id string) (*stix.Object, bool) {
		for _, x := range []*stix.Object{d, o} {
			if x.ID() == id {
				return x, true
			}
		}
		return nil, false
	}
	want, err := Resolve(d, lookup, ps)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Resolve(o, lookup, ps)
	if err != nil || !got.Rule.Equal(want.Rule) {
		t.Errorf("it is governed by %v, %v", got.Rule, err)
	}
	marked, err := stix.New("campaign", "", stix.TimestampOf(at)).Set("name", "x").Mark(o.ID()).Object()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Resolve(marked, lookup, ps); err == nil || !strings.Contains(err.Error(), "says nothing that is understood") {
		t.Errorf("it marks an object: %v", err)
	}
	if _, err := Beside("not an id", []byte("x"), stix.TimestampOf(at), ""); err == nil {
		t.Error("it stands beside no object")
	}
}

func TestNoAlternative(t *testing.T) {
	extension := func(typ, id, body string) *stix.Object {
		o, err := stix.ParseObject([]byte(`{"type":"` + typ + `","spec_version":"2.1","id":"` + typ + `--11111111-1111-4111-8111-111111111111","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"x","extensions":{"` + id + `":` + body + `}}`))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	const property = `"extension_type":"property-extension"`
	for _, o := range []*stix.Object{
		extension("marking-definition", stix.LabelExtension, `{`+property+`,"stanag4774":"<a/>"}`),
		extension("campaign", stix.AlternativeExtension, `{`+property+`,"signed":"c2lnbmVk"}`),
		extension("marking-definition", stix.AlternativeExtension, `{"extension_type":"new-sdo","signed":"c2lnbmVk"}`),
		extension("marking-definition", stix.AlternativeExtension, `{`+property+`,"signed":"c2lnbmVk","more":1}`),
		extension("marking-definition", stix.AlternativeExtension, `{`+property+`,"signed":"c2lnbmVk!"}`),
		extension("marking-definition", stix.AlternativeExtension, `{`+property+`,"signed":""}`),
	} {
		if signed, ok := SignedAlternative(o); ok {
			t.Errorf("%s carries %q", o.Text(), signed)
		}
	}
	for _, o := range []*stix.Object{
		extension("marking-definition", stix.AlternativeExtension, `{`+property+`,"signed":"c2lnbmVk"}`),
		extension("campaign", stix.LabelExtension, `{`+property+`,"stanag4774":"<a/>"}`),
		extension("marking-definition", stix.LabelExtension, `{`+property+`,"stanag4774":"<a/>","more":1}`),
		extension("marking-definition", stix.LabelExtension, `{`+property+`,"stanag4774":" "}`),
	} {
		if xml, ok := LabelOf(o); ok {
			t.Errorf("%s carries the label %q", o.Text(), xml)
		}
	}
}
