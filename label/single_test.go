package label_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"causeway/label"
	"causeway/label/policies"
)

func nato(class string, cats ...label.Category) *label.Label {
	return &label.Label{PolicyName: "NATO", PolicyOID: label.NATO, Classification: class, Created: day(1), Review: day(20), Categories: cats}
}

func ctx(values ...string) label.Category  { return category(label.Permissive, "Context", values) }
func to(values ...string) label.Category   { return category(label.Permissive, "Releasable To", values) }
func only(values ...string) label.Category { return category(label.Permissive, "Only", values) }
func add(values ...string) label.Category {
	return category(label.Restrictive, "Additional Sensitivity", values)
}
func admin(values ...string) label.Category {
	return category(label.Informative, "Administrative", values)
}

// The one label of a join, written out; "" where there is none, with a part of
// the reason.
func TestSingle(t *testing.T) {
	ps := natoAlone(t)
	for _, c := range []struct {
		name    string
		sources []*label.Label
		want    string // class: tag=values; ...
		refused string
	}{
		{"one label", []*label.Label{nato("SECRET", ctx("NATO", "Releasable"), to("NATO", "JPN"))}, "SECRET: Releasable To=JPN,NATO; Context=NATO,Releasable", ""},
		{"the narrower of two", []*label.Label{nato("SECRET", ctx("NATO", "Releasable"), to("NATO", "JPN")), nato("SECRET", ctx("NATO"))}, "SECRET: Context=NATO", ""},
		{"fewer addressees", []*label.Label{nato("SECRET", ctx("NATO", "Releasable"), to("NATO", "JPN", "AUS")), nato("SECRET", ctx("NATO", "Releasable"), to("NATO", "JPN"))}, "SECRET: Releasable To=JPN,NATO; Context=NATO,Releasable", ""},
		{"restrictive values add up", []*label.Label{nato("SECRET", ctx("NATO"), add("ATOMAL")), nato("SECRET", ctx("NATO"), add("BOHEMIA", "ATOMAL"))}, "SECRET: Additional Sensitivity=ATOMAL,BOHEMIA; Context=NATO", ""},
		{"Only beside none", []*label.Label{nato("SECRET", ctx("NATO"), only("BEL", "FRA")), nato("SECRET", ctx("NATO"))}, "SECRET: Only=BEL,FRA; Context=NATO", ""},
		{"a narrower Only", []*label.Label{nato("SECRET", ctx("NATO"), only("BEL", "FRA")), nato("SECRET", ctx("NATO"), only("BEL"))}, "SECRET: Only=BEL; Context=NATO", ""},
		{"informative values are shown together", []*label.Label{nato("UNCLASSIFIED", ctx("NATO"), admin("STAFF")), nato("UNCLASSIFIED", ctx("NATO"), admin("MEDICAL", "STAFF"))}, "UNCLASSIFIED: Administrative=STAFF,MEDICAL; Context=NATO", ""},
		{"another context", []*label.Label{nato("SECRET", ctx("KFOR")), nato("SECRET", ctx("KFOR"))}, "SECRET: Context=KFOR", ""},
		{"the context's own value", []*label.Label{nato("SECRET", ctx("KFOR", "Releasable"), to("AUS", "KFOR"))}, "SECRET: Releasable To=AUS,KFOR; Context=KFOR,Releasable", ""},
		{"an audience of nobody stays one", []*label.Label{nato("SECRET", ctx("NATO"), only()), nato("SECRET", ctx("NATO"))}, "SECRET: Context=NATO; Only=", ""},
		{"two levels", []*label.Label{nato("SECRET", ctx("NATO")), nato("CONFIDENTIAL", ctx("NATO"))}, "", "2 classifications"},
		{"two contexts", []*label.Label{nato("SECRET", ctx("NATO")), nato("SECRET", ctx("KFOR"))}, "", "separate conditions"},
		{"two contexts, one of them released beyond", []*label.Label{nato("SECRET", ctx("NATO", "Releasable"), to("NATO", "JPN")), nato("SECRET", ctx("NATO")), nato("SECRET", ctx("KFOR"))}, "", "separate conditions"},
		{"two audiences", []*label.Label{nato("SECRET", ctx("NATO", "Releasable"), to("NATO", "JPN")), nato("SECRET", ctx("NATO", "Releasable"), to("NATO", "AUS"))}, "", "separate conditions"},
		{"crossing Only", []*label.Label{nato("SECRET", ctx("NATO"), only("BEL", "FRA")), nato("SECRET", ctx("NATO"), only("BEL", "DEU"))}, "", "separate conditions"},
		{"together nobody", []*label.Label{nato("SECRET", ctx("NATO"), only()), nato("CONFIDENTIAL", ctx("NATO"))}, "SECRET: Context=NATO; Only=", ""},
		{"two policies", []*label.Label{nato("SECRET", ctx("NATO")), policies.PublicLabel(day(1), day(2))}, "", "two policies"},
		{"one that is not allowed", []*label.Label{nato("SECRET", ctx("NATO")), nato("SECRET")}, "", "label 2"},
		{"none", nil, "", "there is none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := ps.Single(day(3), c.sources...)
			if c.want == "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Fatalf("got %+v, %v, want an error with %q", l, err, c.refused)
				}
				if c.refused == "separate conditions" && !errors.Is(err, label.ErrNotOneLabel) {
					t.Fatalf("%v is not ErrNotOneLabel", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := l.Classification + ": "
			for i, cat := range l.Categories {
				if i > 0 {
					got += "; "
				}
				got += cat.TagName + "=" + strings.Join(cat.Values, ",")
			}
			if got != c.want {
				t.Fatalf("got %s, want %s", got, c.want)
			}
		})
	}
}

// What the single label takes over besides: the earliest review, a succession
// only as a review, and an originator that all share.
func TestSingleDates(t *testing.T) {
	ps := natoAlone(t)
	make := func(review, succession int, who string) *label.Label {
		l := nato("SECRET", ctx("NATO"))
		l.Review, l.Originator, l.IDType = day(review), who, "jID"
		if succession > 0 {
			l.Review = time.Time{}
			l.Successor = &label.Succession{At: day(succession), Label: nato("RESTRICTED", ctx("NATO"))}
		}
		return l
	}
	for _, c := range []struct {
		name    string
		sources []*label.Label
		review  time.Time
		who     string
	}{
		{"earliest review", []*label.Label{make(9, 0, "a"), make(7, 0, "a"), make(8, 0, "a")}, day(7), "a"},
		{"succession is a review", []*label.Label{make(9, 0, "a"), make(0, 5, "a")}, day(5), "a"},
		{"two originators", []*label.Label{make(9, 0, "a"), make(9, 0, "b")}, day(9), ""},
		{"no originator", []*label.Label{make(9, 0, ""), make(9, 0, "")}, day(9), ""},
	} {
		l, err := ps.Single(day(3), c.sources...)
		if err != nil {
			t.Fatal(err)
		}
		if !l.Review.Equal(c.review) || !l.Created.Equal(day(3)) || l.Originator != c.who || (l.IDType == "") != (c.who == "") || l.Successor != nil {
			t.Errorf("%s: %+v", c.name, l)
		}
	}
	kinds := []*label.Label{make(9, 0, "a"), make(9, 0, "a")}
	kinds[1].IDType = "rfc822Name"
	if l, err := ps.Single(day(3), kinds...); err != nil || l.Originator != "" {
		t.Errorf("two kinds of one name: %+v, %v", l, err)
	}
}

// A value of another day's group keeps its epoch in the label of a join.
func TestSingleKeepsEpochs(t *testing.T) {
	g, err := label.NewGroups(group("NATO", epoch("a", 1, 5, "BEL"), epoch("b", 5, 0, "BEL", "SWE")))
	if err != nil {
		t.Fatal(err)
	}
	ps, err := label.NewPolicies(g, policies.Shipped()...)
	if err != nil {
		t.Fatal(err)
	}
	for created, want := range map[int]string{3: "NATO", 7: "NATO@a"} {
		l, err := ps.Single(day(created), nato("SECRET", ctx("NATO")), nato("SECRET", ctx("NATO")))
		if err != nil {
			t.Fatal(err)
		}
		if got := l.Categories[0].Values[0]; got != want {
			t.Errorf("written on day %d: %s, want %s", created, got, want)
		}
	}
}

func TestTagByTag(t *testing.T) {
	ps := natoAlone(t)
	l := nato("SECRET", ctx("KFOR", "Releasable"), only("AUT"), to("KFOR", "NZL"))
	rule, err := ps.Rule(l)
	if err != nil {
		t.Fatal(err)
	}
	tag, err := ps.TagByTag(l)
	if err != nil {
		t.Fatal(err)
	}
	p := "1.3.26.1.3.1/"
	c, o, r := p+"1.3.26.1.4.4:Context/", p+"1.3.26.1.4.5:Only/", p+"1.3.26.1.4.2:Releasable To/"
	if want := strings.Join([]string{r + "NZL|" + c + "KFOR", r + "NZL|" + o + "AUT", c + "KFOR|" + c + "RELEASABLE", c + "RELEASABLE|" + o + "AUT", p + "class/SECRET"}, "&"); rule.Key() != want {
		t.Errorf("set semantics\n%s, want\n%s", rule.Key(), want)
	}
	if want := strings.Join([]string{r + "KFOR|" + r + "NZL", r + "NZL|" + c + "KFOR", c + "KFOR|" + c + "RELEASABLE", o + "AUT", p + "class/SECRET"}, "&"); tag.Key() != want {
		t.Errorf("tag by tag\n%s, want\n%s", tag.Key(), want)
	}
	other := labelA("S", category(label.Permissive, "For", []string{"AAA"}))
	two := twoPolicies(t)
	a, err1 := two.Rule(other)
	b, err2 := two.TagByTag(other)
	if err1 != nil || err2 != nil || !a.Equal(b) {
		t.Errorf("a policy without set semantics: %v, %v", a, b)
	}
	if _, err := ps.TagByTag(nato("SECRET")); err == nil {
		t.Error("a label that is not allowed is judged tag by tag")
	}
}

// The exact rules of labels with each part of the NATO semantics.
func TestNATOClauses(t *testing.T) {
	ps := natoAlone(t)
	p := "1.3.26.1.3.1/"
	c, o, r, s := p+"1.3.26.1.4.4:Context/", p+"1.3.26.1.4.5:Only/", p+"1.3.26.1.4.2:Releasable To/", p+"1.3.26.1.4.1:Additional Sensitivity/"
	secret := p + "class/SECRET"
	for _, x := range []struct {
		l    *label.Label
		want []string
	}{
		{nato("SECRET", ctx("NATO")), []string{c + "NATO", secret}},
		{nato("secret", ctx("nato")), []string{c + "NATO", secret}},
		{nato("SECRET", ctx("NATO"), add("ATOMAL", "BOHEMIA")), []string{s + "ATOMAL", s + "BOHEMIA", c + "NATO", secret}},
		{nato("SECRET", ctx("NATO"), add()), []string{c + "NATO", secret}},
		{nato("SECRET", ctx("NATO"), only("BEL", "FRA")), []string{c + "NATO", o + "BEL|" + o + "FRA", secret}},
		{nato("SECRET", ctx("NATO"), only()), []string{"nobody"}},
		{nato("SECRET", ctx("NATO", "Releasable"), to("NATO", "JPN")), []string{r + "JPN|" + c + "NATO", c + "NATO|" + c + "RELEASABLE", secret}},
		{nato("SECRET", ctx("NATO", "Releasable"), only(), to("NATO", "JPN")), []string{r + "JPN", c + "RELEASABLE", secret}},
	} {
		got, err := ps.Rule(x.l)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Join(x.want, "&"), got.Key()); diff != "" {
			t.Error(diff)
		}
	}
}

// A permissive set that the NATO policy may gain is a condition of its own, and
// a context whose name is not that of its releasability value is taken out by
// its pair.
func TestNATOPolicyThatGrows(t *testing.T) {
	shipped, _ := natoAlone(t).Policy(label.NATO)
	d := *shipped.Definition()
	d.Sets = slices.Clone(d.Sets)
	for i, s := range d.Sets {
		values := map[string]string{"Context": "UKRAINE", "Releasable To": "NUC"}[s.Name]
		if values == "" {
			continue
		}
		tag := s.Tags[0]
		tag.Values = append(slices.Clone(tag.Values), label.Value{Name: values, LACV: "9999"})
		d.Sets[i].Tags = []label.Tag{tag}
	}
	d.Sets = append(d.Sets, label.TagSet{Name: "Project", OID: "1.3.26.1.4.9", Tags: []label.Tag{{Name: "Project", Type: label.Permissive, Values: []label.Value{{Name: "X", LACV: "1"}}}}})
	p, err := label.Compile(d)
	if err != nil {
		t.Fatal(err)
	}
	ps, err := label.NewPolicies(label.Groups{}, p)
	if err != nil {
		t.Fatal(err)
	}
	const c, r = "1.3.26.1.3.1/1.3.26.1.4.4:Context/", "1.3.26.1.3.1/1.3.26.1.4.2:Releasable To/"
	for want, l := range map[string]*label.Label{
		c + "NATO&1.3.26.1.3.1/1.3.26.1.4.9:Project/X&1.3.26.1.3.1/class/SECRET": nato("SECRET", ctx("NATO"), category(label.Permissive, "Project", []string{"X"})),
		"nobody": nato("SECRET", ctx("NATO"), category(label.Permissive, "Project", nil)),
		r + "JPN|" + c + "UKRAINE&" + c + "RELEASABLE|" + c + "UKRAINE&1.3.26.1.3.1/class/SECRET": nato("SECRET", ctx("UKRAINE", "Releasable"), to("NUC", "JPN")),
	} {
		got, err := ps.Rule(l)
		if err != nil || got.Key() != want {
			t.Errorf("%v, %v, want %s", got, err, want)
		}
	}
}
