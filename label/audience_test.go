package label_test

import (
	"slices"
	"strings"
	"testing"

	"causeway/label"
	"causeway/label/policies"
)

const (
	ctxSet, relSet, onlySet = "1.3.26.1.4.4", "1.3.26.1.4.2", "1.3.26.1.4.5"
	audSet                  = policies.Japan + ".2"
)

func shippedAlone(t *testing.T) *label.Policies {
	t.Helper()
	ps, err := label.NewPolicies(label.Groups{}, policies.Shipped()...)
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

// withUkraine are the shipped policies, of which the NATO one has a context
// without a releasability value of its name, as the public one does.
func withUkraine(t *testing.T) *label.Policies {
	t.Helper()
	all := policies.Shipped()
	d := *all[0].Definition()
	d.Sets = slices.Clone(d.Sets)
	for i := range d.Sets {
		if d.Sets[i].OID == ctxSet {
			d.Sets[i].Tags = slices.Clone(d.Sets[i].Tags)
			d.Sets[i].Tags[0].Values = append(slices.Clone(d.Sets[i].Tags[0].Values), label.Value{Name: "UKRAINE", LACV: "9999"})
		}
	}
	var err error
	if all[0], err = label.Compile(d); err != nil {
		t.Fatal(err)
	}
	ps, err := label.NewPolicies(label.Groups{}, all...)
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

// pair maps one permissive value to another.
func pair(fromSet, from, toSet, to string) label.ValuePair {
	return label.ValuePair{From: tv(fromSet, label.Permissive, from), To: []label.TableValue{tv(toSet, label.Permissive, to)}}
}

// The set semantics of the NATO policy in the words of a policy that has one
// audience: who has a counterpart among the members of the context, cut down by
// Only, and the addressees; and back.
func TestTranslatedAudiences(t *testing.T) {
	ps := withUkraine(t)
	out := label.Table{Name: "out", Version: "1", From: policies.NATO, To: policies.Japan, ValidFrom: day(1), Signer: "x", Applied: label.Both,
		Classes: []label.ClassPair{{From: "SECRET", To: "GOKUHI"}, {From: "RESTRICTED", To: "TORIATSUKAI-CHUI"}},
		Values:  []label.ValuePair{pair(relSet, "JPN", audSet, "JPN"), pair(ctxSet, "NATO", audSet, "NATO"), pair(relSet, "NATO", audSet, "NATO")}}
	back := label.Table{Name: "back", Version: "1", From: policies.Japan, To: policies.NATO, ValidFrom: day(1), Signer: "x", Applied: label.Both,
		Classes: []label.ClassPair{{From: "GOKUHI", To: "SECRET"}, {From: "TORIATSUKAI-CHUI", To: "RESTRICTED"}},
		Values:  []label.ValuePair{pair(audSet, "JPN", relSet, "JPN"), pair(audSet, "NATO", ctxSet, "NATO"), pair(audSet, "UKR", ctxSet, "UKRAINE")}}
	addresseesOnly := out
	addresseesOnly.Values = []label.ValuePair{pair(relSet, "NATO", audSet, "NATO"), pair(relSet, "JPN", audSet, "JPN")}
	nato := func(cats ...label.Category) *label.Label {
		return &label.Label{PolicyName: "NATO", PolicyOID: policies.NATO, Classification: "SECRET", Categories: cats, Created: day(1), Review: day(2)}
	}
	jpn := func(audience ...string) *label.Label {
		return &label.Label{PolicyName: "JPN", PolicyOID: policies.Japan, Classification: "GOKUHI", Created: day(1), Review: day(2),
			Categories: []label.Category{{Type: label.Permissive, TagName: "Audience", TagOID: audSet, Values: audience}}}
	}
	context := func(v ...string) label.Category { return category(label.Permissive, "Context", v) }
	rel := func(v ...string) label.Category { return category(label.Permissive, "Releasable To", v) }
	only := func(v ...string) label.Category { return category(label.Permissive, "Only", v) }
	for _, c := range []struct {
		name  string
		table label.Table
		label *label.Label
		want  string // values by tag, or with ! a part of the error
	}{
		{"members and an addressee", out, nato(context("NATO", "Releasable"), rel("NATO", "JPN")), "Audience: NATO JPN"},
		{"members alone", out, nato(context("NATO")), "Audience: NATO"},
		{"who has no counterpart is left out", out, nato(context("NATO", "Releasable"), rel("NATO", "JPN", "CHE")), "Audience: NATO JPN"},
		{"members that Only cuts down are left out", out, nato(context("NATO", "Releasable"), rel("NATO", "JPN"), only("BEL")), "Audience: JPN"},
		{"nothing but members that Only cuts down", out, nato(context("NATO"), only("BEL")), "!none of its readers has a counterpart"},
		{"no addressee has a counterpart", addresseesOnly, nato(context("NATO", "Releasable"), rel("NATO", "CHE")), "!none of its readers has a counterpart"},
		{"the context's own name is no addressee", addresseesOnly, nato(context("NATO", "Releasable"), rel("NATO", "JPN")), "Audience: JPN"},
		{"the context has no counterpart", addresseesOnly, nato(context("NATO")), "!none of its readers has a counterpart"},
		{"another context, with NATO as an addressee", addresseesOnly, nato(context("KFOR", "Releasable"), rel("KFOR", "NATO")), "Audience: NATO"},
		{"back: members and an addressee", back, jpn("JPN", "NATO"), "Releasable To: NATO JPN; Context: NATO Releasable"},
		{"back: members alone", back, jpn("NATO"), "Context: NATO"},
		{"back: no context", back, jpn("JPN"), "!stand in no context"},
		{"back: two contexts", back, jpn("NATO", "UKR", "JPN"), "!not allowed there"},
		{"back: a context without a name to address", back, jpn("UKR", "JPN"), "!has no releasability value of its name"},
		{"back: no counterpart", back, jpn("NATO", "CHE"), "!CHE of Audience has no counterpart"},
	} {
		got, err := ps.TranslateBy(&c.table, c.label, day(3))
		if want, fails := strings.CutPrefix(c.want, "!"); fails {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %+v, %v, want %q", c.name, got, err, want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var said []string
		for _, cat := range got.Categories {
			said = append(said, cat.TagName+": "+strings.Join(cat.Values, " "))
		}
		if text := strings.Join(said, "; "); text != c.want {
			t.Errorf("%s: %s, want %s", c.name, text, c.want)
		}
	}
}

// Tables that would let whoever meets one of two conditions read what asks for
// both, or add an audience.
func TestTablesThatWouldWiden(t *testing.T) {
	ps := shippedAlone(t)
	two, err := label.Compile(label.Definition{OID: "2.999.5", Name: "Two", Classes: []label.Class{{Name: "T", LACV: "1"}}, Sets: []label.TagSet{
		{Name: "Nation", OID: "2.999.5.1", Tags: []label.Tag{{Name: "Nation", Type: label.Permissive, Values: []label.Value{{Name: "n", LACV: "1"}, {Name: "m", LACV: "2"}}}}},
		{Name: "Team", OID: "2.999.5.2", Tags: []label.Tag{{Name: "Team", Type: label.Permissive, Values: []label.Value{{Name: "t", LACV: "1"}}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	with, err := label.NewPolicies(label.Groups{}, append(policies.Shipped(), two)...)
	if err != nil {
		t.Fatal(err)
	}
	class := func(from, to string, add ...label.TableValue) []label.ClassPair {
		return []label.ClassPair{{From: from, To: to, Add: add}}
	}
	for _, c := range []struct {
		name     string
		ps       *label.Policies
		from, to string
		classes  []label.ClassPair
		values   []label.ValuePair
		fails    string // "" for a table that is in order
	}{
		{"Only", ps, policies.NATO, policies.Japan, class("SECRET", "GOKUHI"), []label.ValuePair{pair(onlySet, "BEL", audSet, "BEL")}, "cuts an audience down"},
		{"the flag", ps, policies.NATO, policies.Japan, class("SECRET", "GOKUHI"), []label.ValuePair{pair(ctxSet, "Releasable", audSet, "JPN")}, "cuts an audience down"},
		{"to Only", ps, policies.Japan, policies.NATO, class("GOKUHI", "SECRET"), []label.ValuePair{pair(audSet, "BEL", onlySet, "BEL")}, "is no audience"},
		{"to the flag", ps, policies.Japan, policies.NATO, class("GOKUHI", "SECRET"), []label.ValuePair{pair(audSet, "JPN", ctxSet, "Releasable")}, "is no audience"},
		{"a context and the addressee of its name", ps, policies.NATO, policies.Japan, class("SECRET", "GOKUHI"), []label.ValuePair{pair(ctxSet, "NATO", audSet, "NATO"), pair(relSet, "NATO", audSet, "NATO")}, ""},
		{"two nations for one", ps, policies.NATO, policies.Japan, class("SECRET", "GOKUHI"), []label.ValuePair{pair(relSet, "JPN", audSet, "JPN"), pair(relSet, "CHE", audSet, "JPN")}, "become one audience"},
		{"a nation for a context", ps, policies.NATO, policies.Japan, class("SECRET", "GOKUHI"), []label.ValuePair{pair(ctxSet, "NATO", audSet, "JPN"), pair(relSet, "JPN", audSet, "JPN")}, "become one audience"},
		{"two nations of another policy for one", with, "2.999.5", policies.Japan, class("T", "HI"), []label.ValuePair{pair("2.999.5.1", "n", audSet, "JPN"), pair("2.999.5.1", "m", audSet, "JPN")}, "become one audience"},
		{"two conditions become one", with, "2.999.5", policies.Japan, class("T", "HI"), []label.ValuePair{pair("2.999.5.1", "n", audSet, "JPN"), pair("2.999.5.2", "t", audSet, "BEL")}, "joins another condition"},
		{"two conditions become context and addressee", with, "2.999.5", policies.NATO, class("T", "SECRET"), []label.ValuePair{pair("2.999.5.1", "n", ctxSet, "NATO"), pair("2.999.5.2", "t", relSet, "JPN")}, "joins another condition"},
		{"one condition becomes context and addressee", with, "2.999.5", policies.NATO, class("T", "SECRET"), []label.ValuePair{pair("2.999.5.1", "n", ctxSet, "NATO"), pair("2.999.5.1", "m", relSet, "JPN")}, ""},
		{"one condition stays one", with, "2.999.5", policies.Japan, class("T", "HI"), []label.ValuePair{pair("2.999.5.1", "n", audSet, "JPN"), pair("2.999.5.1", "m", audSet, "BEL")}, ""},
		{"an added audience", ps, policies.NATO, policies.Japan, class("SECRET", "GOKUHI", tv(audSet, label.Permissive, "JPN")), nil, "could be another audience"},
		{"an added lock", ps, policies.NATO, policies.Japan, class("SECRET", "KIMITSU", tv(policies.Japan+".1", label.Restrictive, "TOKUBETSU-BOEI-HIMITSU")), nil, ""},
	} {
		table := label.Table{Name: "t", Version: "1", From: c.from, To: c.to, ValidFrom: day(1), Signer: "x", Classes: c.classes, Values: c.values}
		err := c.ps.CheckTable(&table)
		if (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s: %v, want %q", c.name, err, c.fails)
		}
	}
	for _, applied := range []string{"", label.Encrypt, label.Decrypt, label.Both, "all"} {
		table := tableAB()
		table.Applied = applied
		if err := twoPolicies(t).CheckTable(&table); (err == nil) == (applied == "all") {
			t.Errorf("applied %q: %v", applied, err)
		}
	}
}

func TestBriefingsByName(t *testing.T) {
	p := policies.Shipped()[0]
	b, ok := p.Briefing("ATOMAL")
	if want := (label.Briefing{PolicyOID: policies.NATO, TagOID: "1.3.26.1.4.1", Value: "ATOMAL"}); !ok || b != want {
		t.Errorf("got %+v, %v", b, ok)
	}
	for _, name := range []string{"JPN", "MEDICAL", "atomal", ""} {
		if b, ok := p.Briefing(name); ok {
			t.Errorf("%q is %+v", name, b)
		}
	}
	if slices.ContainsFunc(policies.Shipped(), func(p *label.Policy) bool { _, ok := p.Briefing("UNMARKED"); return ok }) {
		t.Error("a classification demands a briefing")
	}
}
