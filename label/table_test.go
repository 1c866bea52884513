package label_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"causeway/label"
)

// twoPolicies are A with levels 1..4 and B with levels of other names, each
// with one restrictive and one permissive set.
func twoPolicies(t interface{ Fatal(...any) }) *label.Policies {
	policy := func(oid, name string, levels, nations []string) *label.Policy {
		d := label.Definition{OID: oid, Name: name}
		for i, l := range levels {
			d.Classes = append(d.Classes, label.Class{Name: l, LACV: string(rune('1' + i)), Hierarchy: i})
		}
		values := func(names ...string) (out []label.Value) {
			for i, n := range names {
				out = append(out, label.Value{Name: n, LACV: string(rune('1' + i))})
			}
			return out
		}
		d.Classes[len(d.Classes)-1].Obsolete = d.Classes[len(d.Classes)-1].Name == "OLD"
		d.Sets = []label.TagSet{
			{Name: "For", OID: oid + ".1", Tags: []label.Tag{{Name: "For", Type: label.Permissive, Values: values(nations...)}}},
			{Name: "Key", OID: oid + ".2", Tags: []label.Tag{{Name: "Key", Type: label.Restrictive, Values: values("K1", "K2")}}},
			{Name: "Note", OID: oid + ".3", Tags: []label.Tag{{Name: "Note", Type: label.Informative, Max: 1, Values: values("staff", "office")}}},
		}
		p, err := label.Compile(d)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	ps, err := label.NewPolicies(label.Groups{},
		policy("2.999.1", "A", []string{"R", "C", "S", "TS"}, []string{"AAA", "BBB", "CCC"}),
		policy("2.999.2", "B", []string{"HI", "GOKUHI", "OLD"}, []string{"XXX", "YYY"}))
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

func tv(set string, typ label.Type, v string) label.TableValue {
	return label.TableValue{SetOID: set, Type: typ, Value: v}
}

func tableAB() label.Table {
	return label.Table{
		Name: "A-B", Version: "1", From: "2.999.1", To: "2.999.2", ValidFrom: day(1), Signer: "authority",
		Classes: []label.ClassPair{{From: "C", To: "HI"}, {From: "S", To: "GOKUHI", Add: []label.TableValue{tv("2.999.2.2", label.Restrictive, "K2")}}},
		Values: []label.ValuePair{
			{From: tv("2.999.1.1", label.Permissive, "AAA"), To: []label.TableValue{tv("2.999.2.1", label.Permissive, "XXX")}},
			{From: tv("2.999.1.1", label.Permissive, "BBB"), To: []label.TableValue{tv("2.999.2.1", label.Permissive, "YYY")}},
			{From: tv("2.999.1.2", label.Restrictive, "K1"), To: []label.TableValue{tv("2.999.2.2", label.Restrictive, "K1")}},
		},
	}
}

func tableBA() label.Table {
	return label.Table{
		Name: "B-A", Version: "1", From: "2.999.2", To: "2.999.1", ValidFrom: day(1), Signer: "authority",
		Classes: []label.ClassPair{{From: "HI", To: "C"}, {From: "GOKUHI", To: "S"}},
		Values: []label.ValuePair{
			{From: tv("2.999.2.1", label.Permissive, "XXX"), To: []label.TableValue{tv("2.999.1.1", label.Permissive, "AAA")}},
			{From: tv("2.999.2.1", label.Permissive, "YYY"), To: []label.TableValue{tv("2.999.1.1", label.Permissive, "BBB")}},
			{From: tv("2.999.2.2", label.Restrictive, "K1"), To: []label.TableValue{tv("2.999.1.2", label.Restrictive, "K1")}},
			{From: tv("2.999.2.2", label.Restrictive, "K2"), To: []label.TableValue{tv("2.999.1.2", label.Restrictive, "K2")}},
		},
	}
}

func labelA(class string, cats ...label.Category) *label.Label {
	return &label.Label{PolicyOID: "2.999.1", PolicyName: "A", Classification: class, Categories: cats, Created: day(1), Review: day(20)}
}

// There and back admits no reader whom the label does not.
func TestThereAndBackNeverWidens(t *testing.T) {
	ps := twoPolicies(t)
	ab, ba := tableAB(), tableBA()
	through := 0
	rapid.Check(t, func(t *rapid.T) {
		l := labelA(rapid.SampledFrom([]string{"R", "C", "S", "TS"}).Draw(t, "class"))
		if rapid.Bool().Draw(t, "for") {
			l.Categories = append(l.Categories, category(label.Permissive, "For", some([]string{"AAA", "BBB", "CCC"}, 0, 3).Draw(t, "nations")))
		}
		if rapid.Bool().Draw(t, "keys") {
			l.Categories = append(l.Categories, category(label.Restrictive, "Key", some([]string{"K1", "K2"}, 0, 2).Draw(t, "keyvalues")))
		}
		forth, err := ps.TranslateBy(&ab, l, day(3))
		if err != nil {
			return
		}
		back, err := ps.TranslateBy(&ba, forth, day(3))
		if err != nil {
			return
		}
		through++
		was, err1 := ps.Rule(l)
		is, err2 := ps.Rule(back)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if !is.AtMost(was) {
			t.Fatalf("%v became %v by way of %+v", was, is, forth)
		}
	})
	if through == 0 {
		t.Fatal("no label went through")
	}
}

func TestTablesDeny(t *testing.T) {
	ps := twoPolicies(t)
	audience := category(label.Permissive, "For", []string{"AAA"})
	for _, c := range []struct {
		name   string
		label  *label.Label
		at     time.Time
		change func(*label.Table)
		fails  string
	}{
		{"nobody signed it", labelA("C", audience), day(3), func(t *label.Table) { t.Signer = "" }, "assumed"},
		{"not yet", labelA("C", audience), day(1).Add(-1), func(*label.Table) {}, "not in force"},
		{"no longer", labelA("C", audience), day(3), func(t *label.Table) { t.ValidTo = day(3) }, "not in force"},
		{"no time", labelA("C", audience), time.Time{}, func(*label.Table) {}, "not in force"},
		{"classification without counterpart", labelA("TS", audience), day(3), func(*label.Table) {}, "TS has no counterpart"},
		{"value without counterpart", labelA("C", category(label.Permissive, "For", []string{"AAA", "CCC"})), day(3), func(*label.Table) {}, "CCC of For has no counterpart"},
		{"empty audience", labelA("C", category(label.Permissive, "For", nil)), day(3), func(*label.Table) {}, "empty permissive"},
		{"fan-out", labelA("C", audience), day(3), func(t *label.Table) {
			t.Values[0].To = append(t.Values[0].To, tv("2.999.2.1", label.Permissive, "YYY"))
		}, "becomes 2 values"},
		{"fan-in", labelA("C", audience), day(3), func(t *label.Table) { t.Values[1].To[0].Value = "XXX" }, "become one audience"},
		{"discard", labelA("C", audience), day(3), func(t *label.Table) { t.Values[2].To = nil }, "becomes 0 values"},
		{"another type", labelA("C", audience), day(3), func(t *label.Table) { t.Values[2].To[0] = tv("2.999.2.3", label.Informative, "staff") }, "becomes a INFORMATIVE"},
		{"two counterparts", labelA("C", audience), day(3), func(t *label.Table) {
			t.Classes = append(t.Classes, label.ClassPair{From: "C", To: "GOKUHI"})
		}, "two counterparts"},
		{"label of the other policy", &label.Label{PolicyOID: "2.999.2", Classification: "HI", Created: day(1), Review: day(2)}, day(3), func(*label.Table) {}, "is of policy B"},
		{"a label that is not understood", labelA("X", audience), day(3), func(*label.Table) {}, "unknown classification"},
		{"a label that is not allowed", labelA("C", audience, category(label.Informative, "Note", []string{"staff", "office"})), day(3), func(*label.Table) {}, "at most 1"},
		{"a result that is not allowed", labelA("R", audience, category(label.Restrictive, "Key", []string{"K1"})), day(3), func(t *label.Table) {
			t.Classes = append(t.Classes, label.ClassPair{From: "R", To: "OLD"})
		}, "the result is not allowed there"},
		{"unknown class", labelA("C", audience), day(3), func(t *label.Table) { t.Classes[0].To = "KIMITSU" }, "unknown classification"},
		{"unknown added value", labelA("C", audience), day(3), func(t *label.Table) { t.Classes[1].Add[0].Value = "K9" }, "unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := tableAB()
			c.change(&table)
			out, err := ps.TranslateBy(&table, c.label, c.at)
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Fatalf("got %+v, %v, want an error with %q", out, err, c.fails)
			}
		})
	}
	table := tableAB()
	l := labelA("S", audience, category(label.Restrictive, "Key", []string{"K1"}), category(label.Informative, "Note", []string{"staff"}))
	out, err := ps.TranslateBy(&table, l, day(3))
	if err != nil {
		t.Fatal(err)
	}
	r, err := ps.Rule(out)
	if err != nil {
		t.Fatal(err)
	}
	want := "2.999.2/2.999.2.1:For/XXX&2.999.2/2.999.2.2:Key/K1&2.999.2/2.999.2.2:Key/K2&2.999.2/class/GOKUHI"
	if r.Key() != want {
		t.Fatalf("translated to %s, want %s", r.Key(), want)
	}
}

func TestSuccession(t *testing.T) {
	last := labelA("R")
	next := labelA("C")
	next.Successor = &label.Succession{At: day(9), Label: last}
	l := labelA("S")
	l.Review = day(2)
	l.Successor = &label.Succession{At: day(5), Label: next}
	if _, due := label.Due(l, day(5).Add(-1)); due {
		t.Error("a successor acts before its date")
	}
	if _, due := label.Due(l, time.Time{}); due {
		t.Error("a successor acts at no time")
	}
	got, due := label.Due(l, day(20))
	if !due || got != next {
		t.Error("a successor does not act, or two act in one step")
	}
	if _, due := label.Due(last, day(20)); due || !label.ReviewDue(last, day(20)) {
		t.Error("a review date declassifies, or reaches no work list")
	}
}

// A clock set forward must not declassify.
func TestTrustedTime(t *testing.T) {
	start := label.TrustedTime{Last: day(1), Apart: time.Minute, LongStep: 48 * time.Hour}
	for _, c := range []struct {
		name string
		a, b time.Time
		ok   bool
	}{
		{"on", day(2), day(2).Add(time.Second), true},
		{"still", day(1), day(1), true},
		{"as far as allowed", day(3), day(3), true},
		{"back", day(1).Add(-time.Second), day(1), false},
		{"one source ahead", day(2), day(2).Add(2 * time.Minute), false},
		{"one source years ahead", day(2), day(2).AddDate(5, 0, 0), false},
		{"both years ahead", day(2).AddDate(5, 0, 0), day(2).AddDate(5, 0, 0), false},
		{"a step too far", day(3).Add(1), day(3).Add(1), false},
	} {
		tt := start
		got, err := tt.Advance(c.b, c.a)
		if (err == nil) != c.ok || !got.Equal(tt.Last) || !c.ok && !got.Equal(start.Last) {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
	var zero label.TrustedTime
	if _, err := zero.Advance(day(1), day(1)); err == nil {
		t.Error("a time that was never set is trusted")
	}
}

func TestFanOut(t *testing.T) {
	equal := func(lacv, applied string) label.EquivalentValue {
		return label.EquivalentValue{Policy: "Q", SetOID: "2.999.9.1", Type: label.Permissive, LACV: lacv, Applied: applied}
	}
	d := label.Definition{OID: "2.999.1", Name: "A", Classes: []label.Class{{Name: "C", LACV: "1"}}, Equals: []label.EquivalentPolicy{{Name: "Q", OID: "2.999.9"}}}
	set := func(values ...label.Value) label.Definition {
		d.Sets = []label.TagSet{{Name: "For", OID: "2.999.1.1", Tags: []label.Tag{{Name: "For", Type: label.Permissive, Values: values}}}}
		return d
	}
	for _, c := range []struct {
		name string
		def  label.Definition
		want []string
	}{
		{"one to one", set(label.Value{Name: "a", LACV: "1", Equals: []label.EquivalentValue{equal("1", "both")}}, label.Value{Name: "b", LACV: "2", Equals: []label.EquivalentValue{equal("2", "encrypt")}}), nil},
		{"one to two", set(label.Value{Name: "a", LACV: "1", Equals: []label.EquivalentValue{equal("1", "both"), equal("2", "encrypt")}}), []string{"fan-out"}},
		{"two to one", set(label.Value{Name: "a", LACV: "1", Equals: []label.EquivalentValue{equal("1", "both")}}, label.Value{Name: "b", LACV: "2", Equals: []label.EquivalentValue{equal("01", "encrypt")}}), []string{"fan-in"}},
		{"arriving only", set(label.Value{Name: "a", LACV: "1", Equals: []label.EquivalentValue{equal("1", "decrypt"), equal("2", "decrypt")}}), nil},
	} {
		p, err := label.Compile(c.def)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, x := range p.FanOut() {
			got = append(got, x.Code)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
