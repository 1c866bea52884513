package line

import (
	"testing"
	"time"

	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/marking"
	"causeway/label/policies"
	"causeway/stix"
)

// marked makes one object under a NATO label, and the label's definition.
func (n *testNode) marked(serial int, classification string, to ...string) (o, def *stix.Object, eff label.Effective) {
	n.t.Helper()
	created := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ts, err := stix.ParseTimestamp("2026-01-01T00:00:00.000Z")
	if err != nil {
		n.t.Fatal(err)
	}
	if def, err = marking.Definition(policies.NATOLabel(classification, created, created.AddDate(10, 0, 0), to...), ts, n.identity); err != nil {
		n.t.Fatal(err)
	}
	id := n.objects(serial, 1)[0].ID()
	o, err = stix.New("campaign", id, ts).Ref("created_by_ref", n.identity).Mark(def.ID()).Set("name", "Operation Marked").Object()
	if err != nil {
		n.t.Fatal(err)
	}
	eff, err = marking.Resolve(o, func(id string) (*stix.Object, bool) { return def, id == def.ID() }, n.policies)
	if err != nil {
		n.t.Fatal(err)
	}
	return o, def, eff
}

// An object's label is understood wherever its definition is: a FLASH message
// that overtakes the one with the definition carries it itself. The label
// governs at the receiver, with the words that show it.
func TestMarkingsTravelWithWhatTheyMark(t *testing.T) {
	a, b := attackPair(t)
	o, def, eff := a.marked(1, "SECRET", "JPN")
	a.release(Routine, eff, []*stix.Object{def}, b.name())
	a.release(Flash, eff, []*stix.Object{o}, b.name())
	doc, err := b.line.receive(t.Context(), a.message(b.name(), Flash))
	if err != nil {
		t.Fatal(err)
	}
	rc, err := parseReceipt(doc.Body)
	if err != nil || rc.Refused != 0 || rc.Held != 2 {
		t.Fatalf("%+v, %v", rc, err)
	}
	row, err := b.vault.As(b.reader()).Get(t.Context(), o.ID())
	if err != nil {
		t.Fatal(err)
	}
	if !row.Effective.Rule.Equal(eff.Rule) || len(row.Effective.Labels) != 1 {
		t.Errorf("at the receiver: rule %s with %d labels, want %s with 1", row.Effective.Rule, len(row.Effective.Labels), eff.Rule)
	}
	h, err := b.policies.Holdings(label.Holder{Kind: label.Person, Clearances: []*label.Clearance{b.clearance("CONFIDENTIAL")}, Nation: "JPN", At: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.vault.As(vault.Reader{ID: "person:low", Kind: vault.Person, Holdings: h}).Get(t.Context(), o.ID()); err == nil {
		t.Error("a person who is not cleared for it reads it")
	}
}

// A sender that states a wider rule than the markings say widens nothing, and
// one that states a narrower rule narrows.
func TestReceiverNeverWidens(t *testing.T) {
	a := newTestNode(t, "BEL", true)
	o, def, secret := a.marked(1, "SECRET", "JPN")
	lookup := func(id string) (*stix.Object, bool) { return def, id == def.ID() }
	for name, tt := range map[string]struct {
		stated label.Rule
		want   label.Rule
	}{
		"wider":    {label.Everyone(), secret.Rule},
		"equal":    {secret.Rule, secret.Rule},
		"narrower": {mustJoin(t, secret.Rule, a.effective("SECRET").Rule), mustJoin(t, secret.Rule, a.effective("SECRET").Rule)},
	} {
		eff, refusal := judgeLabel(o, tt.stated, lookup, a.policies)
		if refusal != nil || !eff.Rule.Equal(tt.want) {
			t.Errorf("%s: %s, %v; want %s", name, eff.Rule, refusal, tt.want)
		}
	}
	for name, stated := range map[string]label.Rule{"nobody": {}, "unknown marking": label.Everyone()} {
		look := lookup
		if name == "unknown marking" {
			look = func(string) (*stix.Object, bool) { return nil, false }
		}
		if _, refusal := judgeLabel(o, stated, look, a.policies); refusal == nil || refusal.Code != codeLabel {
			t.Errorf("%s: %v", name, refusal)
		}
	}
}

func mustJoin(t *testing.T, rs ...label.Rule) label.Rule {
	t.Helper()
	r, err := label.Join(rs...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
