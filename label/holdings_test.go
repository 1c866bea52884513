package label_test

import (
	"testing"
	"time"

	"causeway/label"
	"causeway/label/policies"
)

func TestHolderInForce(t *testing.T) {
	ps := natoAlone(t)
	c, err := policies.NationalClearance("JPN", "SECRET")
	if err != nil {
		t.Fatal(err)
	}
	r, err := ps.Rule(policies.NATOLabel("SECRET", day(1), day(2), "JPN"))
	if err != nil {
		t.Fatal(err)
	}
	base := label.Holder{Kind: label.Person, Clearances: []*label.Clearance{c}, NotBefore: day(3), NotAfter: day(9), At: day(5)}
	for _, x := range []struct {
		name   string
		change func(*label.Holder)
		want   bool
		code   string
	}{
		{"in force", func(*label.Holder) {}, true, ""},
		{"first moment", func(h *label.Holder) { h.At = day(3) }, true, ""},
		{"before", func(h *label.Holder) { h.At = day(3).Add(-1) }, false, "not-yet"},
		{"end", func(h *label.Holder) { h.At = day(9) }, false, "expired"},
		{"no time", func(h *label.Holder) { h.At = time.Time{} }, false, "not-yet"},
		{"no time and no beginning", func(h *label.Holder) { h.At, h.NotBefore = time.Time{}, time.Time{} }, false, "expired"},
		{"revoked", func(h *label.Holder) { h.Revoked = true }, false, "revoked"},
		{"nobody", func(h *label.Holder) { h.Kind = label.Nobody }, false, "no-holder"},
		{"no clearance", func(h *label.Holder) { h.Clearances = nil }, false, ""},
	} {
		h := base
		x.change(&h)
		held, err := ps.Holdings(h)
		if err != nil {
			t.Fatal(err)
		}
		d := label.Decide(r, held)
		if d.Allow != x.want || label.Allows(r, held) != x.want {
			t.Errorf("%s: %+v, want %v", x.name, d, x.want)
		}
		if x.code != "" && d.Reasons[len(d.Reasons)-1].Code != x.code {
			t.Errorf("%s: %+v, want the reason %s", x.name, d.Reasons, x.code)
		}
		if x.code != "" && label.Allows(label.Everyone(), held) {
			t.Errorf("%s: a holder that is not in force reads what everyone may", x.name)
		}
	}
}

func TestBriefings(t *testing.T) {
	bohemia := label.Briefing{PolicyOID: label.NATO, TagOID: "1.3.26.1.4.1", Value: "bohemia"}
	ps, err := natoAlone(t).WithBriefings(bohemia)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := natoAlone(t).WithBriefings(label.Briefing{PolicyOID: label.NATO, TagOID: "1.3.26.1.4.1", Value: "SKYLARK"}); err == nil {
		t.Error("an unknown value demands a briefing")
	}
	c, err := policies.NationalClearance("BEL", "SECRET")
	if err != nil {
		t.Fatal(err)
	}
	c.Categories = append(c.Categories, category(label.Restrictive, "Additional Sensitivity", []string{"BOHEMIA", "ATOMAL"}))
	rule := func(key string) label.Rule {
		l := policies.NATOLabel("SECRET", day(1), day(2))
		l.Categories = append(l.Categories, category(label.Restrictive, "Additional Sensitivity", []string{key}))
		r, err := ps.Rule(l)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	until := func(b label.Briefing, at time.Time) label.Briefing { b.Until = at; return b }
	another := bohemia
	another.Value = "ATOMAL"
	for _, x := range []struct {
		name string
		had  []label.Briefing
		want bool
	}{
		{"none", nil, false},
		{"briefed", []label.Briefing{bohemia}, true},
		{"another", []label.Briefing{another}, false},
		{"in force", []label.Briefing{until(bohemia, day(6))}, true},
		{"over", []label.Briefing{until(bohemia, day(5))}, false},
	} {
		h, err := ps.Holdings(label.Holder{Kind: label.Person, Clearances: []*label.Clearance{c}, At: day(5), Briefings: x.had})
		if err != nil {
			t.Fatal(err)
		}
		if label.Allows(rule("BOHEMIA"), h) != x.want || !label.Allows(rule("ATOMAL"), h) {
			t.Errorf("%s: reads %v, want %v", x.name, !x.want, x.want)
		}
	}
	// A partner is a node: its own registry says who of its people was briefed.
	h, err := ps.Holdings(label.Holder{Kind: label.Partner, Clearances: []*label.Clearance{c}, At: day(5)})
	if err != nil || !label.Allows(rule("BOHEMIA"), h) {
		t.Errorf("a partner needs a briefing: %v", err)
	}
}

// Need to know is a condition of its own: a clearance does not replace it.
func TestNeedToKnow(t *testing.T) {
	ps := natoAlone(t)
	r, err := ps.Rule(policies.NATOLabel("SECRET", day(1), day(2), "JPN"))
	if err != nil {
		t.Fatal(err)
	}
	lantern := label.Attribute{Scheme: "case", Tag: "id", Value: "lantern"}
	need, err := label.Need(lantern, label.Attribute{Scheme: "case", Tag: "id", Value: "heron"})
	if err != nil {
		t.Fatal(err)
	}
	both, err := label.Join(r, need)
	if err != nil {
		t.Fatal(err)
	}
	c, err := policies.NationalClearance("JPN", "SECRET")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		attributes []label.Attribute
		clearances []*label.Clearance
		want       bool
	}{
		{[]label.Attribute{lantern}, []*label.Clearance{c}, true},
		{nil, []*label.Clearance{c}, false},
		{[]label.Attribute{lantern}, nil, false},
		{[]label.Attribute{{Scheme: "case", Tag: "id", Value: "kestrel"}}, []*label.Clearance{c}, false},
	} {
		h, err := ps.Holdings(label.Holder{Kind: label.Person, Clearances: x.clearances, Attributes: x.attributes})
		if err != nil {
			t.Fatal(err)
		}
		if label.Allows(both, h) != x.want {
			t.Errorf("with %v and %d clearances: %v", x.attributes, len(x.clearances), !x.want)
		}
	}
	if nobody, err := label.Need(); err != nil || !nobody.Nobody() {
		t.Error("the need for nothing admits someone")
	}
	for _, a := range []label.Attribute{{Scheme: "1.3.26.1.3.1", Tag: "class", Value: "SECRET"}, {Scheme: "1.3.26.1.3.1", Tag: "x", Value: "y"},
		{Scheme: "x", Tag: "class", Value: "y"}, {Scheme: "x", Tag: "1.2:y", Value: "z"}, {Scheme: "tlp", Tag: "reader", Value: "x"},
		{Scheme: "", Tag: "x", Value: "y"}, {Scheme: "x", Tag: "", Value: "y"}, {Scheme: "x", Tag: "y", Value: ""}, {Scheme: "x", Tag: "y", Value: "\xff"}} {
		if _, err := label.Need(a); err == nil {
			t.Errorf("the attribute %v passes for one of a policy", a)
		}
	}
}

// An unknown policy, value or tag of a clearance counts for nothing and hurts
// nothing; what contradicts itself is an error.
func TestUnknownInClearance(t *testing.T) {
	ps := natoAlone(t)
	c, err := policies.NationalClearance("JPN", "SECRET")
	if err != nil {
		t.Fatal(err)
	}
	want := hold(t, ps, c)
	more := *c
	more.Classifications = append([]string{"ULTRA"}, c.Classifications...)
	more.Categories = append([]label.Category{
		category(label.Permissive, "Colour", []string{"RED"}),
		category(label.Restrictive, "Additional Sensitivity", []string{"SKYLARK"}),
		category(label.Informative, "Administrative", []string{"STAFF"}),
	}, c.Categories...)
	if got := hold(t, ps, &more, &label.Clearance{PolicyOID: "2.999.5", Classifications: []string{"SECRET"}}); got.Key() != want.Key() {
		t.Errorf("holds %v, want %v", got.Atoms(), want.Atoms())
	}
	if p := ps.CheckClearance(&more); len(p) != 3 {
		t.Errorf("%d notes, want 3: %v", len(p), p)
	}
	twice := *c
	twice.Categories = append([]label.Category{c.Categories[0]}, c.Categories...)
	if _, err := ps.Holdings(label.Holder{Kind: label.Person, Clearances: []*label.Clearance{&twice}}); err == nil {
		t.Error("a category that is there twice is read")
	}
	wrongOID := *c
	wrongOID.Categories = []label.Category{{Type: label.Permissive, TagName: "Context", TagOID: "1.3.26.1.4.5", Values: []string{"Releasable"}}}
	if got := hold(t, ps, &wrongOID); len(got.Atoms()) >= len(want.Atoms()) {
		t.Errorf("a tag under another's id counts: %v", got.Atoms())
	}
}
