package label_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"causeway/label"
	"causeway/label/policies"
)

// plain decides by the words of reference/labels.md section 4, on sets of
// strings: the implementation for reading. It shares nothing with the other
// but the types.
type plain struct {
	classes                                     []string
	context, releasable, only, sensitivity      []string
	hasContext, hasReleasable, hasOnly, hasSens bool
}

func plainOf(classes []string, cats []label.Category) plain {
	p := plain{classes: classes}
	for _, c := range cats {
		switch c.TagName {
		case "Context":
			p.context, p.hasContext = c.Values, true
		case "Releasable To":
			p.releasable, p.hasReleasable = c.Values, true
		case "Only":
			p.only, p.hasOnly = c.Values, true
		case "Additional Sensitivity":
			p.sensitivity, p.hasSens = c.Values, true
		}
	}
	return p
}

func meets(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

func without(a []string, s string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(x string) bool { return x == s })
}

// plainReads decides for a label that its policy allows.
func plainReads(l *label.Label, c *label.Clearance) bool {
	lab, cl := plainOf([]string{l.Classification}, l.Categories), plainOf(c.Classifications, c.Categories)
	contexts := without(lab.context, "Releasable")
	if len(contexts) != 1 {
		return false
	}
	ctx := contexts[0]
	in := slices.Contains(cl.context, ctx) && (!lab.hasOnly || meets(lab.only, cl.only))
	out := lab.hasReleasable && slices.Contains(lab.context, "Releasable") && slices.Contains(cl.context, "Releasable") &&
		meets(without(lab.releasable, ctx), cl.releasable)
	if !slices.Contains(cl.classes, l.Classification) || !in && !out {
		return false
	}
	return !slices.ContainsFunc(lab.sensitivity, func(s string) bool { return !slices.Contains(cl.sensitivity, s) })
}

var (
	levels   = []string{"UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET", "TOP SECRET"}
	contexts = []string{"NATO", "KFOR", "EAPC"}
	parties  = []string{"JPN", "AUS", "CHE", "UKR", "AUT", "KFOR"}
	keys     = []string{"ATOMAL", "BOHEMIA", "CRYPTO"}
)

func some(from []string, least, most int) *rapid.Generator[[]string] {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(from), least, most, rapid.ID[string])
}

func category(t label.Type, name string, values []string) label.Category {
	return label.Category{Type: t, TagName: name, Values: values}
}

// genLabel draws labels of the NATO policy that follow its prose rules; the
// SPIF's exclusions refuse some of them.
func genLabel() *rapid.Generator[*label.Label] {
	return rapid.Custom(func(t *rapid.T) *label.Label {
		ctx := rapid.SampledFrom(contexts).Draw(t, "context")
		l := &label.Label{PolicyOID: label.NATO, PolicyName: "NATO", Created: day(1), Review: day(2),
			Classification: rapid.SampledFrom(levels[:4]).Draw(t, "class")}
		context := []string{ctx}
		if rapid.Bool().Draw(t, "releasable") {
			context = append(context, "Releasable")
			to := without(some(parties, 1, 4).Draw(t, "to"), ctx)
			l.Categories = append(l.Categories, category(label.Permissive, "Releasable To", append([]string{ctx}, to...)))
		}
		l.Categories = append(l.Categories, category(label.Permissive, "Context", context))
		if rapid.Bool().Draw(t, "only") {
			l.Categories = append(l.Categories, category(label.Permissive, "Only", some(append(parties, "NATO"), 0, 4).Draw(t, "onlyvalues")))
		}
		if rapid.IntRange(0, 3).Draw(t, "sensitive") == 0 {
			l.Categories = append(l.Categories, category(label.Restrictive, "Additional Sensitivity", some(keys, 0, 2).Draw(t, "keys")))
		}
		return l
	})
}

func genClearance() *rapid.Generator[*label.Clearance] {
	return rapid.Custom(func(t *rapid.T) *label.Clearance {
		return &label.Clearance{PolicyOID: label.NATO, PolicyName: "NATO",
			Classifications: some(levels, 2, 5).Draw(t, "classes"),
			Categories: []label.Category{
				category(label.Permissive, "Context", some(append(contexts, "Releasable"), 0, 4).Draw(t, "context")),
				category(label.Permissive, "Releasable To", some(append(parties, "NATO", "EAPC"), 0, 4).Draw(t, "rel")),
				category(label.Permissive, "Only", some(append(parties, "NATO"), 0, 4).Draw(t, "only")),
				category(label.Restrictive, "Additional Sensitivity", some(keys, 0, 3).Draw(t, "keys")),
			}}
	})
}

func day(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }

// natoAlone is the shipped NATO policy without a table of groups, so that
// values are plain.
func natoAlone(t interface{ Fatal(...any) }) *label.Policies {
	ps, err := label.NewPolicies(label.Groups{}, policies.Shipped()...)
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

func hold(t interface{ Fatal(...any) }, ps *label.Policies, cs ...*label.Clearance) *label.Holdings {
	h, err := ps.Holdings(label.Holder{Kind: label.Person, Clearances: cs})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestTwoImplementationsAgree(t *testing.T) {
	ps := natoAlone(t)
	allowed, denied := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		l := genLabel().Draw(t, "label")
		r, err := ps.Rule(l)
		if err != nil {
			if len(ps.Check(l)) == 0 {
				t.Fatalf("a label its policy allows has no rule: %v", err)
			}
			return
		}
		tag, err := ps.TagByTag(l)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range rapid.SliceOfN(genClearance(), 10, 10).Draw(t, "clearances") {
			h := hold(t, ps, c)
			want := plainReads(l, c)
			if got := label.Allows(r, h); got != want {
				t.Fatalf("bit sets say %v, plain sets %v\nrule %v\nholds %v", got, want, r, h.Atoms())
			}
			if d := label.Decide(r, h); d.Allow != want || len(d.Reasons) == 0 {
				t.Fatalf("Decide says %+v, want %v", d, want)
			}
			if label.Allows(tag, h) && !want {
				t.Fatal("tag by tag admits a reader whom the set semantics do not")
			}
			if want {
				allowed++
			} else {
				denied++
			}
		}
	})
	if allowed == 0 || denied == 0 {
		t.Fatalf("%d allowed and %d denied cases: the cases do not tell", allowed, denied)
	}
}

// A join admits exactly those whom every label admits, and the single label of
// a join, where there is one, the same.
func TestJoinIsExact(t *testing.T) {
	ps := natoAlone(t)
	written, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		ls := rapid.SliceOfN(genLabel(), 1, 3).Draw(t, "labels")
		var rules []label.Rule
		for _, l := range ls {
			r, err := ps.Rule(l)
			if err != nil {
				return
			}
			rules = append(rules, r)
		}
		join, err := label.Join(rules...)
		if err != nil {
			t.Fatal(err)
		}
		one, err := ps.Single(day(3), ls...)
		if err == nil {
			written++
		} else {
			refused++
		}
		cs := rapid.SliceOfN(genClearance(), 8, 8).Draw(t, "clearances")
		for _, c := range cs {
			want := true
			for _, l := range ls {
				want = want && plainReads(l, c)
			}
			h := hold(t, ps, c)
			if label.Allows(join, h) != want {
				t.Fatalf("the join says %v, the labels %v", !want, want)
			}
			if one != nil && plainReads(one, c) != want {
				t.Fatalf("the single label %+v says %v, the labels %v", one, !want, want)
			}
		}
		if one != nil {
			if p := ps.Check(one); len(p) > 0 {
				t.Fatal(p)
			}
		}
	})
	if written == 0 || refused == 0 {
		t.Fatalf("%d joins written as one label and %d refused: the cases do not tell", written, refused)
	}
}

// More holdings never read less; the intersection of clearances reads no more
// than each.
func TestHoldingsAreMonotone(t *testing.T) {
	ps := natoAlone(t)
	rapid.Check(t, func(t *rapid.T) {
		l, a, b := genLabel().Draw(t, "label"), genClearance().Draw(t, "a"), genClearance().Draw(t, "b")
		r, err := ps.Rule(l)
		if err != nil {
			return
		}
		both, ha, hb := hold(t, ps, a, b), hold(t, ps, a), hold(t, ps, b)
		if label.Allows(r, both) && !(label.Allows(r, ha) && label.Allows(r, hb)) {
			t.Fatal("two clearances of one policy read more than each")
		}
		if more := hold(t, ps, union(a, b)); (label.Allows(r, ha) || label.Allows(r, hb)) && !label.Allows(r, more) {
			t.Fatal("a larger clearance reads less")
		}
		if (both.Key() == ha.Key()) != slices.Equal(both.Atoms(), ha.Atoms()) {
			t.Fatal("the key does not name what is held")
		}
	})
}

func union(a, b *label.Clearance) *label.Clearance {
	merge := func(x, y []string) []string {
		out := slices.Clone(x)
		for _, s := range y {
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
		return out
	}
	c := &label.Clearance{PolicyOID: a.PolicyOID, PolicyName: a.PolicyName, Classifications: merge(a.Classifications, b.Classifications)}
	for i := range a.Categories {
		c.Categories = append(c.Categories, category(a.Categories[i].Type, a.Categories[i].TagName, merge(a.Categories[i].Values, b.Categories[i].Values)))
	}
	return c
}

// The worked example of the reference: members of KFOR cut down to AUT and CHE,
// and the addressee NZL.
func TestOnlyWithReleasableTo(t *testing.T) {
	ps := natoAlone(t)
	l := &label.Label{PolicyOID: label.NATO, Classification: "SECRET", Created: day(1), Review: day(2), Categories: []label.Category{
		category(label.Permissive, "Context", []string{"KFOR", "Releasable"}),
		category(label.Permissive, "Only", []string{"AUT", "CHE"}),
		category(label.Permissive, "Releasable To", []string{"KFOR", "NZL"}),
	}}
	r, err := ps.Rule(l)
	if err != nil {
		t.Fatal(err)
	}
	member := func(nation string) *label.Clearance {
		return &label.Clearance{PolicyOID: label.NATO, Classifications: levels, Categories: []label.Category{
			category(label.Permissive, "Context", []string{"KFOR", "Releasable"}),
			category(label.Permissive, "Releasable To", []string{"KFOR", nation}),
			category(label.Permissive, "Only", []string{nation}),
		}}
	}
	outsider := &label.Clearance{PolicyOID: label.NATO, Classifications: levels, Categories: []label.Category{
		category(label.Permissive, "Context", []string{"Releasable"}),
		category(label.Permissive, "Releasable To", []string{"NZL"}),
	}}
	for name, c := range map[string]struct {
		c    *label.Clearance
		want bool
	}{"AUT": {member("AUT"), true}, "CHE": {member("CHE"), true}, "IRL": {member("IRL"), false}, "NZL": {outsider, true}} {
		if got := label.Allows(r, hold(t, ps, c.c)); got != c.want {
			t.Errorf("%s reads: %v, want %v", name, got, c.want)
		}
	}
}

// BenchmarkAllows is the decision of reference section 13: SECRET, a context,
// four releasability values, one restrictive value, for a partner who is
// admitted by the last value.
func BenchmarkAllows(b *testing.B) {
	ps := natoAlone(b)
	l := &label.Label{PolicyOID: label.NATO, Classification: "SECRET", Created: day(1), Review: day(2), Categories: []label.Category{
		category(label.Permissive, "Context", []string{"NATO", "Releasable"}),
		category(label.Permissive, "Releasable To", []string{"NATO", "AUS", "CHE", "UKR", "JPN"}),
		category(label.Restrictive, "Additional Sensitivity", []string{"BOHEMIA"}),
	}}
	r, err := ps.Rule(l)
	if err != nil {
		b.Fatal(err)
	}
	h := hold(b, ps, &label.Clearance{PolicyOID: label.NATO, Classifications: levels[:4], Categories: []label.Category{
		category(label.Permissive, "Context", []string{"Releasable"}),
		category(label.Permissive, "Releasable To", []string{"JPN"}),
		category(label.Restrictive, "Additional Sensitivity", []string{"BOHEMIA"}),
	}})
	if !label.Allows(r, h) {
		b.Fatal("denied")
	}
	b.ReportAllocs()
	for b.Loop() {
		if !label.Allows(r, h) {
			b.Fatal("denied")
		}
	}
}

func TestAllowsDoesNotAllocate(t *testing.T) {
	ps := natoAlone(t)
	r, err := ps.Rule(policies.NATOLabel("SECRET", day(1), day(2), "JPN"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := policies.NationalClearance("JPN", "SECRET")
	if err != nil {
		t.Fatal(err)
	}
	h := hold(t, ps, c)
	if n := testing.AllocsPerRun(100, func() { label.Allows(r, h) }); n != 0 {
		t.Fatalf("a decision makes %v allocations", n)
	}
}
