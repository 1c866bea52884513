package label_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"causeway/label"
	"causeway/label/policies"
)

// tongues are three policies of one form: A labels, B and C have alternatives.
func tongues(t interface{ Fatal(...any) }) *label.Policies {
	var all []*label.Policy
	for i, name := range []string{"A", "B", "C"} {
		oid := fmt.Sprintf("2.999.%d", i+1)
		d := label.Definition{OID: oid, Name: name}
		for j := range 3 {
			d.Classes = append(d.Classes, label.Class{Name: fmt.Sprintf("%s%d", name, j), LACV: fmt.Sprint(j + 1), Hierarchy: j})
		}
		var values []label.Value
		for j := range 3 {
			values = append(values, label.Value{Name: fmt.Sprintf("%s-%d", strings.ToLower(name), j), LACV: fmt.Sprint(j + 1)})
		}
		d.Sets = []label.TagSet{{Name: "For", OID: oid + ".1", Tags: []label.Tag{{Name: "For", Type: label.Permissive, Values: values}}},
			{Name: "Key", OID: oid + ".2", Tags: []label.Tag{{Name: "Key", Type: label.Restrictive, Values: values[:1]}}}}
		p, err := label.Compile(d)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	ps, err := label.NewPolicies(label.Groups{}, all...)
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

// genTongue draws a label of one of the three policies.
func genTongue(i int) *rapid.Generator[*label.Label] {
	return rapid.Custom(func(t *rapid.T) *label.Label {
		name := string(rune('A' + i))
		l := &label.Label{PolicyName: name, PolicyOID: fmt.Sprintf("2.999.%d", i+1), Created: day(1), Review: day(20),
			Classification: fmt.Sprintf("%s%d", name, rapid.IntRange(0, 2).Draw(t, "class"))}
		low := strings.ToLower(name)
		if rapid.Bool().Draw(t, "for") {
			l.Categories = append(l.Categories, category(label.Permissive, "For", some([]string{low + "-0", low + "-1", low + "-2"}, 1, 2).Draw(t, "values")))
		}
		if rapid.Bool().Draw(t, "key") {
			l.Categories = append(l.Categories, category(label.Restrictive, "Key", []string{low + "-0"}))
		}
		return l
	})
}

// reader is a holder, and what the words of section 7 need to know of it.
type reader struct {
	holder   label.Holder
	has      map[string]*label.Clearance
	past     []string
	inForce  map[string]bool // translator and table
	compiled *label.Holdings
}

var authorities = []label.Authority{
	{Translator: "here", Table: "b@1", Arriving: true, From: day(1), Until: day(5)},
	{Translator: "here", Table: "b@2", Arriving: true, Leaving: true, From: day(5)},
	{Translator: "there", Table: "b@1", Arriving: true, From: day(1)},
	{Translator: "here", Table: "c@1", Leaving: true, Arriving: true, From: day(1), Until: day(8)},
}

func genReader(ps *label.Policies) *rapid.Generator[reader] {
	return rapid.Custom(func(t *rapid.T) reader {
		r := reader{has: map[string]*label.Clearance{}, inForce: map[string]bool{}}
		kind := rapid.SampledFrom([]label.Kind{label.Person, label.Partner}).Draw(t, "kind")
		r.holder = label.Holder{Kind: kind, Nation: "JPN", At: day(rapid.IntRange(1, 9).Draw(t, "day"))}
		for i := range 3 {
			oid, name := fmt.Sprintf("2.999.%d", i+1), string(rune('A'+i))
			switch low := strings.ToLower(name); rapid.IntRange(0, 3).Draw(t, "has") {
			case 0:
				r.past = append(r.past, oid)
			case 1, 2:
				c := &label.Clearance{PolicyOID: oid, PolicyName: name, Classifications: some([]string{name + "0", name + "1", name + "2"}, 1, 3).Draw(t, "classes"),
					Categories: []label.Category{category(label.Permissive, "For", some([]string{low + "-0", low + "-1", low + "-2"}, 0, 2).Draw(t, "values")),
						category(label.Restrictive, "Key", some([]string{low + "-0"}, 0, 1).Draw(t, "key"))}}
				r.has[oid], r.holder.Clearances = c, append(r.holder.Clearances, c)
			}
		}
		r.holder.Past = r.past
		for _, a := range authorities {
			side := a.Arriving && kind == label.Person || a.Leaving && kind == label.Partner
			if side && !r.holder.At.Before(a.From) && (a.Until.IsZero() || r.holder.At.Before(a.Until)) {
				r.inForce[a.Translator+" "+a.Table] = true
			}
		}
		var err error
		if r.compiled, err = ps.Holdings(r.holder); err != nil {
			t.Fatal(err)
		}
		return r
	})
}

// plainClear decides one label of one policy on sets of words.
func (r reader) plainClear(l *label.Label) bool {
	c := r.has[l.PolicyOID]
	if c == nil || !slices.Contains(c.Classifications, l.Classification) {
		return false
	}
	for _, cat := range l.Categories {
		held := c.Categories[0].Values
		if cat.Type == label.Restrictive {
			if held = c.Categories[1].Values; !slices.Contains(held, cat.Values[0]) {
				return false
			}
		} else if !meets(cat.Values, held) {
			return false
		}
	}
	return true
}

// plainDecides is section 7 in words: the originator's label where its policy
// is the reader's, else the alternatives of the reader's policies, else nobody.
func (r reader) plainDecides(l *label.Label, alts []label.Translated) bool {
	if r.has[l.PolicyOID] != nil || slices.Contains(r.past, l.PolicyOID) {
		return r.plainClear(l)
	}
	admitted := false
	for i := range 3 {
		oid := fmt.Sprintf("2.999.%d", i+1)
		own := slices.DeleteFunc(slices.Clone(alts), func(a label.Translated) bool { return a.Label.PolicyOID != oid })
		if len(own) == 0 {
			continue
		}
		reads := slices.ContainsFunc(own, func(a label.Translated) bool { return r.inForce[a.Translator+" "+a.Table] && r.plainClear(a.Label) })
		if !reads && (r.has[oid] != nil || slices.Contains(r.past, oid)) {
			return false
		}
		admitted = admitted || reads
	}
	return admitted
}

func withAlternatives(ps *label.Policies, alts []label.Translated) *label.Policies {
	return ps.WithTranslations(label.Translations{Authorities: authorities, Of: func(*label.Label, []byte) []label.Translated { return alts }})
}

func govern(t *rapid.T, ps *label.Policies, l *label.Label, xml string) label.Effective {
	e, err := ps.Govern(l, []byte(xml))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// genAlternatives draws alternatives as one node makes them: of one table in
// two versions, and of another.
func genAlternatives() *rapid.Generator[[]label.Translated] {
	return rapid.Custom(func(t *rapid.T) []label.Translated {
		var out []label.Translated
		for _, a := range []struct {
			table string
			i     int
		}{{"b@1", 1}, {"b@2", 1}, {"c@1", 2}} {
			if rapid.Bool().Draw(t, a.table) {
				out = append(out, label.Translated{Label: genTongue(a.i).Draw(t, "alternative"), Translator: "here", Table: a.table, Signed: []byte(a.table)})
			}
		}
		return out
	})
}

// The rule that alternatives make decides as the words of section 7 do, for
// every reader; and for who has, or had, a clearance of the label's own policy
// it decides as the label alone.
func TestAlternativesDecideInTheirTurn(t *testing.T) {
	base := tongues(t)
	admitted := 0
	rapid.Check(t, func(t *rapid.T) {
		l, alts := genTongue(0).Draw(t, "label"), genAlternatives().Draw(t, "alternatives")
		ps := withAlternatives(base, alts)
		e := govern(t, ps, l, "<a/>")
		back, err := label.DecodeEffective(e.Encode())
		if err != nil || !bytes.Equal(back.Encode(), e.Encode()) || !back.Originators().Equal(e.Originators()) {
			t.Fatalf("written and read it became %+v, %v", back, err)
		}
		for range 20 {
			r := genReader(ps).Draw(t, "reader")
			want, got := r.plainDecides(l, alts), label.Allows(e.Rule, r.compiled)
			if got != want {
				t.Fatalf("got %v, want %v: %v", got, want, e.Rule)
			}
			if alone := label.Allows(e.Originators(), r.compiled); alone != r.plainClear(l) || got != alone && (r.has["2.999.1"] != nil || slices.Contains(r.past, "2.999.1")) {
				t.Fatalf("an alternative changes what the label says to a reader of its own policy")
			}
			d := e.Decide(r.compiled)
			reasons := !slices.ContainsFunc(d.Reasons, func(x label.Reason) bool { return !x.Allow })
			if d.Allow != got || reasons != got {
				t.Fatalf("decided %v, explained as %v", got, d)
			}
			if got && !label.Allows(e.Originators(), r.compiled) {
				admitted++
			}
		}
	})
	if admitted == 0 {
		t.Fatal("no reader was admitted by an alternative")
	}
}

// Alternatives of joined labels each stand beside their own label, a demand of
// a sender stays one, and what was decided can be renewed.
func TestAlternativesOfJoins(t *testing.T) {
	base := tongues(t)
	rapid.Check(t, func(t *rapid.T) {
		labels := map[string]*label.Label{"<a/>": genTongue(0).Draw(t, "one"), "<b/>": genTongue(0).Draw(t, "two")}
		alts := map[string][]label.Translated{"<a/>": genAlternatives().Draw(t, "ones"), "<b/>": genAlternatives().Draw(t, "twos")}
		ps := base.WithTranslations(label.Translations{Authorities: authorities, Of: func(_ *label.Label, xml []byte) []label.Translated { return alts[string(xml)] }})
		a, b := govern(t, ps, labels["<a/>"], "<a/>"), govern(t, ps, labels["<b/>"], "<b/>")
		e, err := label.JoinEffective(a, b)
		if err != nil {
			t.Fatal(err)
		}
		r := genReader(ps).Draw(t, "reader")
		if len(a.Alternatives)+len(b.Alternatives) > 0 && len(e.Alternatives) == 0 { // too large
			if !e.Rule.Equal(e.Originators()) {
				t.Fatal("a rule that is too large is not that of the labels alone")
			}
			return
		}
		if got, want := label.Allows(e.Rule, r.compiled), label.Allows(a.Rule, r.compiled) && label.Allows(b.Rule, r.compiled); got != want {
			t.Fatalf("the join admits %v, its sources %v", got, want)
		}
		if got, want := label.Allows(e.Originators(), r.compiled), label.Allows(a.Originators(), r.compiled) && label.Allows(b.Originators(), r.compiled); got != want {
			t.Fatalf("the labels' join admits %v, the labels %v", got, want)
		}
		if d := e.Decide(r.compiled); d.Allow != label.Allows(e.Rule, r.compiled) || d.Allow == slices.ContainsFunc(d.Reasons, func(x label.Reason) bool { return !x.Allow }) {
			t.Fatalf("explained as %v", d)
		}
		demand, err := base.Rule(genTongue(rapid.IntRange(0, 2).Draw(t, "of")).Draw(t, "demand"))
		if err != nil {
			t.Fatal(err)
		}
		sent, err := label.Join(demand, e.Originators())
		if err != nil {
			t.Fatal(err)
		}
		narrow, err := e.Narrow(sent)
		if err != nil {
			t.Fatal(err)
		}
		if len(narrow.Alternatives) != len(e.Alternatives) {
			return // too large, as above
		}
		if !narrow.Originators().Equal(sent) || !narrow.Rule.AtMost(e.Rule) {
			t.Fatalf("a sender's rule %v became %v", sent, narrow.Originators())
		}
		if label.Allows(narrow.Rule, r.compiled) && !label.Allows(e.Rule, r.compiled) {
			t.Fatal("a demand admits a reader")
		}
		parse := func(xml []byte) (*label.Label, error) { return labels[string(xml)], nil }
		again, err := ps.Renew(label.Effective{Rule: sent, Labels: e.Labels, TLP: "green"}, parse)
		if err != nil || !again.Rule.Equal(narrow.Rule) || !again.Originators().Equal(sent) || again.TLP != "green" {
			t.Fatalf("renewed to %v, want %v (%v)", again.Rule, narrow.Rule, err)
		}
		alone, err := base.Renew(again, parse)
		if err != nil || len(alone.Alternatives) != 0 || !alone.Rule.Equal(sent) {
			t.Fatalf("without alternatives it is %v, want %v (%v)", alone.Rule, sent, err)
		}
	})
}

func TestAlternativesThatDoNotDecide(t *testing.T) {
	base := tongues(t)
	b := func(class string) *label.Label {
		return &label.Label{PolicyName: "B", PolicyOID: "2.999.2", Classification: class, Created: day(1), Review: day(20)}
	}
	alt := func(l *label.Label, translator, table string, received bool) label.Translated {
		return label.Translated{Label: l, Translator: translator, Table: table, Received: received}
	}
	holder := label.Holder{Kind: label.Person, Nation: "JPN", At: day(3), Clearances: []*label.Clearance{{PolicyOID: "2.999.2", PolicyName: "B", Classifications: []string{"B0", "B1"}}}}
	for _, c := range []struct {
		name   string
		alts   []label.Translated
		change func(*label.Holder)
		reads  bool
	}{
		{"as it is", []label.Translated{alt(b("B0"), "here", "b@1", false)}, nil, true},
		{"none", nil, nil, false},
		{"above the clearance", []label.Translated{alt(b("B2"), "here", "b@1", false)}, nil, false},
		{"of a translator that is not ours", []label.Translated{alt(b("B0"), "elsewhere", "b@1", true)}, nil, false},
		{"of a translator of ours, by another table", []label.Translated{alt(b("B0"), "there", "x@1", true)}, nil, false},
		{"received from a translator of ours", []label.Translated{alt(b("B0"), "there", "b@1", true)}, nil, true},
		{"the table has ended", []label.Translated{alt(b("B0"), "here", "b@1", false)}, func(h *label.Holder) { h.At = day(5) }, false},
		{"the moment before", []label.Translated{alt(b("B0"), "here", "b@1", false)}, func(h *label.Holder) { h.At = day(5).Add(-1) }, true},
		{"its next version is in force", []label.Translated{alt(b("B0"), "here", "b@1", false), alt(b("B0"), "here", "b@2", false)}, func(h *label.Holder) { h.At = day(5) }, true},
		{"before the table", []label.Translated{alt(b("B0"), "here", "b@1", false)}, func(h *label.Holder) { h.At = day(1).Add(-1) }, false},
		{"at no time", []label.Translated{alt(b("B0"), "here", "b@1", false)}, func(h *label.Holder) { h.At = time.Time{} }, false},
		{"a table for readers of this node, asked by a partner", []label.Translated{alt(b("B0"), "here", "b@1", false)}, func(h *label.Holder) { h.Kind = label.Partner }, false},
		{"a clearance of the label's policy was revoked", []label.Translated{alt(b("B0"), "here", "b@1", false)}, func(h *label.Holder) { h.Past = []string{"2.999.1"} }, false},
		{"the reader's own clearance was revoked", []label.Translated{alt(b("B0"), "here", "b@1", false)}, func(h *label.Holder) { h.Revoked = true }, false},
		{"ours stands before one that came", []label.Translated{alt(b("B2"), "here", "b@1", false), alt(b("B0"), "there", "b@1", true)}, nil, false},
		{"two translators contradict each other", []label.Translated{alt(b("B0"), "there", "b@1", true), alt(b("B0"), "elsewhere", "b@1", true)}, nil, false},
		{"one table for two policies", []label.Translated{alt(&label.Label{PolicyName: "C", PolicyOID: "2.999.3", Classification: "C0", Created: day(1), Review: day(2)}, "here", "b@1", false), alt(b("B0"), "here", "b@1", false)}, nil, true},
		{"two versions of a translator's table", []label.Translated{alt(b("B0"), "there", "b@1", true), alt(b("B0"), "there", "b@22", true)}, nil, true},
		{"it is not understood", []label.Translated{alt(b("B9"), "here", "b@1", false)}, nil, false},
		{"a label of the same policy is no alternative", []label.Translated{alt(&label.Label{PolicyName: "A", PolicyOID: "2.999.1", Classification: "A0", Created: day(1), Review: day(2)}, "here", "b@1", false)},
			func(h *label.Holder) {
				h.Clearances = append(h.Clearances, &label.Clearance{PolicyOID: "2.999.1", PolicyName: "A", Classifications: []string{"A0"}})
			}, false},
		{"a translator without a name", []label.Translated{alt(b("B0"), "", "b@1", false)}, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ps := withAlternatives(base, c.alts)
			e, err := ps.Govern(&label.Label{PolicyName: "A", PolicyOID: "2.999.1", Classification: "A2", Created: day(1), Review: day(20)}, []byte("<a/>"))
			if err != nil {
				t.Fatal(err)
			}
			h := holder
			if c.change != nil {
				c.change(&h)
			}
			held, err := ps.Holdings(h)
			if err != nil {
				t.Fatal(err)
			}
			if got := label.Allows(e.Rule, held); got != c.reads {
				t.Fatalf("reads %v, want %v: %+v", got, c.reads, e.Decide(held))
			}
			for _, r := range e.Decide(held).Reasons {
				if r.Code == "everyone" {
					t.Fatalf("a demand of nothing is a reason: %+v", r)
				}
			}
			if label.Allows(e.Rule, label.Public) || label.Allows(e.Rule, nil) {
				t.Fatal("an alternative admits the public")
			}
		})
	}
	// What alternatives ask for cannot be had as an attribute.
	for _, scheme := range []string{"without", "translation"} {
		if _, err := label.Need(label.Attribute{Scheme: scheme, Tag: "clearance", Value: "2.999.1"}); err == nil {
			t.Errorf("an attribute can be of the scheme %s", scheme)
		}
	}
}

func TestAlternativesThatCannotBeRead(t *testing.T) {
	ps := withAlternatives(tongues(t), []label.Translated{{Label: &label.Label{PolicyName: "B", PolicyOID: "2.999.2", Classification: "B0", Created: day(1), Review: day(2)}, Translator: "here", Table: "b@1"}})
	e, err := ps.Govern(&label.Label{PolicyName: "A", PolicyOID: "2.999.1", Classification: "A0", Created: day(1), Review: day(2)}, []byte("<a/>"))
	if err != nil {
		t.Fatal(err)
	}
	good := string(e.Encode())
	for _, c := range [][2]string{{`"base":"`, `"base":"/`}, {`"label":0`, `"label":1`}, {`"label":0`, `"label":-1`}, {`"original":"`, `"original":"/`}, {`"v":1`, `"v":2`}, {`"beside":`, `"other":`}, {`"oid":"2.999.2","from_oid":"2.999.1","translator":"here","table":"b@1","rule":"`, `"rule":"/`}, {`"base":`, `"other":`}} {
		bad := strings.Replace(good, c[0], c[1], 1)
		if bad == good {
			t.Fatalf("nothing to change: %s in %s", c[0], good)
		}
		if e, err := label.DecodeEffective([]byte(bad)); err == nil || !e.Rule.Nobody() {
			t.Errorf("%s: read as %+v", c[1], e)
		}
	}
}

// BenchmarkAllowsByAlternative is the decision of BenchmarkAllows for a reader
// whom only the alternative label beside it admits.
func BenchmarkAllowsByAlternative(b *testing.B) {
	r, h := byAlternative(b)
	b.ReportAllocs()
	for b.Loop() {
		if !label.Allows(r, h) {
			b.Fatal("denied")
		}
	}
}

func byAlternative(t testing.TB) (label.Rule, *label.Holdings) {
	t.Helper()
	ps, err := label.NewPolicies(label.Groups{}, policies.Shipped()...)
	if err != nil {
		t.Fatal(err)
	}
	ps = ps.WithTranslations(label.Translations{
		Authorities: []label.Authority{{Translator: "here", Table: "t@1", Arriving: true, From: day(1)}},
		Of: func(*label.Label, []byte) []label.Translated {
			return []label.Translated{{Translator: "here", Table: "t@1", Label: &label.Label{PolicyName: "JPN", PolicyOID: policies.Japan, Classification: "GOKUHI", Created: day(1), Review: day(2),
				Categories: []label.Category{category(label.Permissive, "Audience", []string{"JPN", "NATO"})}}}}
		}})
	e, err := ps.Govern(policies.NATOLabel("SECRET", day(1), day(2), "AUS", "CHE", "UKR", "JPN"), []byte("<a/>"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := ps.Holdings(label.Holder{Kind: label.Person, Nation: "JPN", At: day(2), Clearances: []*label.Clearance{policies.JapanClearance("JPN", []string{"GOKUHI"}, nil)}})
	if err != nil {
		t.Fatal(err)
	}
	if !label.Allows(e.Rule, h) || label.Allows(e.Originators(), h) {
		t.Fatal("not by the alternative")
	}
	return e.Rule, h
}

func TestAllowsByAlternativeDoesNotAllocate(t *testing.T) {
	r, h := byAlternative(t)
	if n := testing.AllocsPerRun(100, func() { label.Allows(r, h) }); n != 0 {
		t.Fatalf("a decision makes %v allocations", n)
	}
}

// What is said of a decision where alternatives stand beside labels.
func TestDecisionsByAlternativesExplained(t *testing.T) {
	alt := []label.Translated{{Label: &label.Label{PolicyName: "B", PolicyOID: "2.999.2", Classification: "B0", Created: day(1), Review: day(2)}, Translator: "here", Table: "b@2"}}
	ps := tongues(t).WithTranslations(label.Translations{Authorities: authorities, Of: func(_ *label.Label, xml []byte) []label.Translated {
		if string(xml) == "<a/>" {
			return alt
		}
		return nil
	}})
	l := &label.Label{PolicyName: "A", PolicyOID: "2.999.1", Classification: "A0", Created: day(1), Review: day(2)}
	var es []label.Effective
	for _, xml := range []string{"<a/>", "<b/>"} { // the same label in two texts
		e, err := ps.Govern(l, []byte(xml))
		if err != nil {
			t.Fatal(err)
		}
		es = append(es, e)
	}
	h, err := ps.Holdings(label.Holder{Kind: label.Person, Nation: "JPN", At: day(6), Clearances: []*label.Clearance{
		{PolicyOID: "2.999.2", PolicyName: "B", Classifications: []string{"B0"}}, {PolicyOID: "2.999.77", PolicyName: "Z", Classifications: []string{"Z"}}}})
	if err != nil {
		t.Fatal(err)
	}
	codes := func(d label.Decision) (allow, deny []string) {
		for _, r := range d.Reasons {
			if r.Allow {
				allow = append(allow, r.Code)
			} else {
				deny = append(deny, r.Code)
			}
		}
		return allow, deny
	}
	if d := es[0].Decide(nil); d.Allow || d.Reasons[0].Code != "no-holdings" {
		t.Errorf("nobody: %+v", d)
	}
	d := es[0].Decide(h)
	if allow, deny := codes(d); !d.Allow || !slices.Equal(allow, []string{"alternative", "classification"}) || deny != nil {
		t.Errorf("admitted: %+v", d)
	}
	joined, err := label.JoinEffective(es...)
	if err != nil {
		t.Fatal(err)
	}
	// The second text has no alternative, and says no more than the first: the
	// reason for the denial is told all the same, and what was not counted.
	d = joined.Decide(h)
	if allow, deny := codes(d); d.Allow || !slices.Equal(allow, []string{"alternative", "classification"}) || !slices.Equal(deny, []string{"classification", "clearance-policy"}) {
		t.Errorf("denied by the other text: %+v", d)
	}
	// A demand beside the labels is told once, with what else is missing.
	need, err := label.Need(label.Attribute{Scheme: "case", Tag: "id", Value: "lantern"})
	if err != nil {
		t.Fatal(err)
	}
	narrow, err := es[0].Narrow(need)
	if err != nil {
		t.Fatal(err)
	}
	d = narrow.Decide(h)
	if _, deny := codes(d); d.Allow || !slices.Equal(deny, []string{"category", "clearance-policy"}) {
		t.Errorf("denied by a demand: %+v", d)
	}
	// So many demands that no rule holds them and the alternatives: the label decides.
	var many []label.Rule
	for i := range label.MaxClauses - 2 {
		r, err := label.Need(label.Attribute{Scheme: "case", Tag: "id", Value: fmt.Sprint(i)})
		if err != nil {
			t.Fatal(err)
		}
		many = append(many, r)
	}
	all, err := label.Join(many...)
	if err != nil {
		t.Fatal(err)
	}
	large, err := es[0].Narrow(all)
	if err != nil || len(large.Alternatives) != 0 || !large.Rule.Equal(large.Originators()) || !large.Rule.AtMost(es[0].Base) {
		t.Errorf("too large: %d alternatives, %v", len(large.Alternatives), err)
	}
}
