package label_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/label"
	"causeway/label/policies"
)

func codes(ps []label.Problem) []string {
	var out []string
	for _, p := range ps {
		out = append(out, p.Code)
	}
	return out
}

// The prose rules of the NATO policy that its SPIF does not carry, and what the
// shipped SPIF does.
func TestNATOValidity(t *testing.T) {
	ps := natoAlone(t)
	dateless := nato("SECRET", ctx("NATO"))
	dateless.Created, dateless.Review = time.Time{}, time.Time{}
	succeeded := nato("SECRET", ctx("NATO"))
	succeeded.Review = time.Time{}
	succeeded.Successor = &label.Succession{At: day(9), Label: nato("RESTRICTED", ctx("NATO"))}
	badSuccessor := nato("SECRET", ctx("NATO"))
	badSuccessor.Successor = &label.Succession{At: day(9), Label: nato("RESTRICTED")}
	private := nato("SECRET", ctx("NATO"))
	private.PrivacyMark = "PRIVATE"
	clear := nato("SECRET", ctx("NATO"))
	clear.PrivacyMark = "CLEAR"
	misnamed := nato("SECRET", ctx("NATO"))
	misnamed.PolicyName = "PUBLIC"
	named := nato("SECRET", ctx("NATO"))
	named.PolicyOID, named.PolicyName = "", " nato "
	renamed := nato("SECRET", ctx("NATO"))
	renamed.PolicyName = "Something else"
	badTag := nato("SECRET", label.Category{Type: label.Permissive, TagName: "Context", TagOID: "1.3.26.1.4.5", Values: []string{"NATO"}})
	for _, c := range []struct {
		name          string
		l             *label.Label
		read, written []string
	}{
		{"good", nato("SECRET", ctx("NATO")), nil, nil},
		{"by name", named, nil, nil},
		{"by OID under another name", renamed, nil, nil},
		{"privacy mark clear", clear, nil, nil},
		{"no context", nato("SECRET"), []string{"context"}, nil},
		{"empty context", nato("SECRET", ctx()), []string{"context"}, nil},
		{"the flag alone", nato("SECRET", ctx("Releasable")), []string{"context", "releasable"}, nil},
		{"two contexts", nato("SECRET", ctx("NATO", "KFOR")), []string{"context"}, nil},
		{"the flag without addressees", nato("SECRET", ctx("NATO", "Releasable")), []string{"releasable"}, nil},
		{"addressees without the flag", nato("SECRET", ctx("NATO"), to("NATO", "JPN")), []string{"releasable"}, nil},
		{"without the context's own value", nato("SECRET", ctx("NATO", "Releasable"), to("JPN", "AUS")), []string{"releasable"}, nil},
		{"the context's own value alone", nato("SECRET", ctx("NATO", "Releasable"), to("NATO")), []string{"releasable"}, nil},
		{"no addressee", nato("SECRET", ctx("NATO", "Releasable"), to()), []string{"releasable"}, nil},
		{"administrative above UNCLASSIFIED", nato("RESTRICTED", ctx("NATO"), admin("STAFF")), []string{"administrative"}, nil},
		{"administrative", nato("UNCLASSIFIED", ctx("NATO"), admin("STAFF")), nil, nil},
		{"ATOMAL on RESTRICTED", nato("RESTRICTED", ctx("NATO"), add("ATOMAL")), []string{"excluded-class"}, nil},
		{"TOP SECRET abroad", nato("TOP SECRET", ctx("NATO", "Releasable"), to("NATO", "JPN")), []string{"excluded-class", "excluded-class"}, nil},
		{"obsolete context", nato("SECRET", ctx("ISAF")), nil, []string{"obsolete"}},
		{"no dates", dateless, nil, []string{"no-creation", "no-review"}},
		{"succession instead of a review", succeeded, nil, nil},
		{"a successor that is not allowed", badSuccessor, nil, []string{"context"}},
		{"unknown classification", nato("ULTRA", ctx("NATO")), []string{"not-understood"}, nil},
		{"unknown tag", nato("SECRET", ctx("NATO"), category(label.Permissive, "Releasable to", []string{"NATO", "JPN"})), []string{"not-understood"}, nil},
		{"unknown value", nato("SECRET", ctx("NATO", "Releasable"), to("NATO", "JPN", "XYZ")), []string{"not-understood"}, nil},
		{"look-alike value", nato("SECRET", ctx("ΝATO")), []string{"not-understood"}, nil},
		{"full-width value", nato("SECRET", ctx("ＮＡＴＯ")), []string{"not-understood"}, nil},
		{"value twice", nato("SECRET", ctx("NATO", "NATO")), []string{"not-understood"}, nil},
		{"value twice in another case", nato("SECRET", ctx("NATO", "nato")), []string{"not-understood"}, nil},
		{"category twice", nato("SECRET", ctx("NATO"), ctx("NATO")), []string{"not-understood"}, nil},
		{"type", nato("SECRET", ctx("NATO"), category(label.Restrictive, "Only", []string{"BEL"})), []string{"not-understood"}, nil},
		{"tag under another's OID", badTag, []string{"not-understood"}, nil},
		{"privacy mark", private, []string{"not-understood"}, nil},
		{"OID and name of two policies", misnamed, []string{"not-understood"}, nil},
		{"no label", nil, []string{"not-understood"}, nil},
	} {
		read := codes(ps.Check(c.l))
		if !slices.Equal(read, c.read) {
			t.Errorf("%s: read with %v, want %v", c.name, ps.Check(c.l), c.read)
		}
		if written, want := codes(ps.Validate(c.l)), append(slices.Clone(c.read), c.written...); !slices.Equal(written, want) {
			t.Errorf("%s: written with %v, want %v", c.name, written, want)
		}
		if r, err := ps.Rule(c.l); (err == nil) != (len(c.read) == 0) || err != nil && !r.Nobody() {
			t.Errorf("%s: rule %v, %v", c.name, r, err)
		}
	}
}

// rules is a policy with one of each rule of a SPIF.
func rules(t *testing.T) *label.Policies {
	t.Helper()
	group := func(lacv string, all bool) label.Group {
		return label.Group{Set: "T", Type: label.Permissive, LACV: lacv, All: all}
	}
	d := label.Definition{OID: "2.999.3", Name: "R", Classes: []label.Class{
		{Name: "A", LACV: "1", Hierarchy: 1},
		{Name: "B", LACV: "2", Hierarchy: 2, Obsolete: true},
		{Name: "C", LACV: "3", Hierarchy: 3, Requires: []label.Requirement{{Operation: "oneOrMore", Groups: []label.Group{group("1", false), group("2", false)}}}},
		{Name: "D", LACV: "4", Hierarchy: 0, Requires: []label.Requirement{{Operation: "onlyOne", Groups: []label.Group{group("1", false), group("2", false)}}}},
		{Name: "E", LACV: "5", Hierarchy: 5, Requires: []label.Requirement{{Operation: "all", Groups: []label.Group{group("1", false), group("2", false)}}}},
		{Name: "F", LACV: "6", Hierarchy: 6, Requires: []label.Requirement{{Operation: "all", Groups: []label.Group{group("", true)}}}},
	}, Sets: []label.TagSet{
		{Name: "T", OID: "2.999.3.1", Tags: []label.Tag{
			{Name: "T", Type: label.Permissive, Values: []label.Value{
				{Name: "t1", LACV: "1"}, {Name: "t2", LACV: "2"},
				{Name: "t3", LACV: "3", Excludes: []label.Group{group("1", false)}},
				{Name: "t4", LACV: "4", RequiredClasses: []string{"A", "C"}},
				{Name: "t5", LACV: "5", NotBefore: day(5), NotAfter: day(9)},
				{Name: "t6", LACV: "6", NotAfter: day(9)},
				{Name: "t7", LACV: "7", NotBefore: day(5)},
				{Name: "t8", LACV: "8", Requires: []label.Requirement{{Operation: "all", Groups: []label.Group{group("2", false)}}}},
				{Name: "t9", LACV: "9", Excludes: []label.Group{{Set: "2.999.3.2", Type: label.Restrictive, All: true}}},
			}},
			{Name: "E", Type: label.Permissive, Enumerated: true, Values: []label.Value{{Name: "e1", LACV: "1"}}},
		}},
		{Name: "M", OID: "2.999.3.2", Tags: []label.Tag{
			{Name: "M", Type: label.Restrictive, Min: 2, Max: 3, Values: []label.Value{{Name: "m1", LACV: "1"}, {Name: "m2", LACV: "2"}, {Name: "m3", LACV: "3"}, {Name: "m4", LACV: "4"}}},
			{Name: "N", Type: label.Informative, Max: 1, Values: []label.Value{{Name: "n1", LACV: "1"}, {Name: "n2", LACV: "2"}}},
		}},
	}}
	p, err := label.Compile(d)
	if err != nil {
		t.Fatal(err)
	}
	ps, err := label.NewPolicies(label.Groups{}, p)
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

func TestSPIFRules(t *testing.T) {
	ps := rules(t)
	tags := func(values ...string) label.Category { return category(label.Permissive, "T", values) }
	many := func(values ...string) label.Category { return category(label.Restrictive, "M", values) }
	note := func(values ...string) label.Category { return category(label.Informative, "M", values) }
	for _, c := range []struct {
		name    string
		class   string
		cats    []label.Category
		created time.Time
		want    []string
	}{
		{"plain", "A", nil, day(1), nil},
		{"obsolete class", "B", nil, day(1), []string{"obsolete"}},
		{"one or more: none", "C", nil, day(1), []string{"required-category"}},
		{"one or more: one", "C", []label.Category{tags("t2")}, day(1), nil},
		{"one or more: both", "C", []label.Category{tags("t1", "t2")}, day(1), nil},
		{"one or more: another", "C", []label.Category{tags("t7")}, day(7), []string{"required-category"}},
		{"one or more: the same number of another tag", "C", []label.Category{tags("e1")}, day(1), []string{"required-category"}},
		{"only one: none", "D", nil, day(1), []string{"required-category"}},
		{"only one: one", "D", []label.Category{tags("t1")}, day(1), nil},
		{"only one: both", "D", []label.Category{tags("t1", "t2")}, day(1), []string{"required-category"}},
		{"all: one", "E", []label.Category{tags("t1")}, day(1), []string{"required-category"}},
		{"all: both", "E", []label.Category{tags("t1", "t2")}, day(1), nil},
		{"any: none", "F", nil, day(1), []string{"required-category"}},
		{"any: one", "F", []label.Category{tags("t2")}, day(1), nil},
		{"any: of another tag", "F", []label.Category{tags("e1")}, day(1), []string{"required-category"}},
		{"excluded value", "A", []label.Category{tags("t3", "t1")}, day(1), []string{"excluded-category"}},
		{"the same number of another tag is not excluded", "A", []label.Category{tags("t3", "e1")}, day(1), nil},
		{"any value of a set excluded", "A", []label.Category{tags("t9"), many("m1", "m2")}, day(1), []string{"excluded-category"}},
		{"another type of the set is not excluded", "A", []label.Category{tags("t9"), note("n1")}, day(1), nil},
		{"required class", "A", []label.Category{tags("t4")}, day(1), nil},
		{"another class", "D", []label.Category{tags("t4", "t1")}, day(1), []string{"required-class"}},
		{"required value", "A", []label.Category{tags("t8")}, day(1), []string{"required-category"}},
		{"required value there", "A", []label.Category{tags("t8", "t2")}, day(1), nil},
		{"before its window", "A", []label.Category{tags("t5")}, day(5).Add(-1), []string{"time-window"}},
		{"in its window", "A", []label.Category{tags("t5")}, day(5), nil},
		{"end of its window", "A", []label.Category{tags("t5")}, day(9), nil},
		{"after its window", "A", []label.Category{tags("t5")}, day(9).Add(1), []string{"time-window"}},
		{"end only", "A", []label.Category{tags("t6")}, day(9).Add(1), []string{"time-window"}},
		{"end only, in time", "A", []label.Category{tags("t6")}, day(1), nil},
		{"beginning only", "A", []label.Category{tags("t7")}, day(4), []string{"time-window"}},
		{"beginning only, in time", "A", []label.Category{tags("t7")}, day(20), nil},
		{"no date", "A", []label.Category{tags("t7")}, time.Time{}, []string{"time-window", "no-creation"}},
		{"too few", "A", []label.Category{many("m1")}, day(1), []string{"selection"}},
		{"none of a tag with a least number", "A", []label.Category{many()}, day(1), []string{"selection"}},
		{"fewest", "A", []label.Category{many("m1", "m2")}, day(1), nil},
		{"most", "A", []label.Category{many("m1", "m2", "m3")}, day(1), nil},
		{"too many", "A", []label.Category{many("m1", "m2", "m3", "m4")}, day(1), []string{"selection"}},
		{"two where one is allowed", "A", []label.Category{note("n1", "n2")}, day(1), []string{"selection"}},
		{"case counts", "a", nil, day(1), []string{"not-understood"}},
		{"white space counts", "A ", nil, day(1), []string{"not-understood"}},
	} {
		l := &label.Label{PolicyOID: "2.999.3", Classification: c.class, Categories: c.cats, Created: c.created, Review: day(20)}
		if got := codes(ps.Validate(l)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, ps.Validate(l), c.want)
		}
	}
	texts := map[string]string{"C": "at least one of t1 of T, t2 of T", "D": "exactly one of t1 of T, t2 of T", "E": "needs t1 of T and t2 of T", "F": "needs any PERMISSIVE value of T"}
	for class, want := range texts {
		p := ps.Check(&label.Label{PolicyOID: "2.999.3", Classification: class, Created: day(1)})
		if len(p) != 1 || !strings.Contains(p[0].Text, want) {
			t.Errorf("%s: %v, want %q", class, p, want)
		}
	}
	policy, _ := ps.Policy("2.999.3")
	var names string
	for _, c := range policy.Classifications() {
		names += c.Name
	}
	if names != "DACEF" {
		t.Errorf("forms offer %s, want the order of the hierarchy without what is obsolete", names)
	}
}

// Two tags of one set are two conditions; a category with values of one asks
// for that one only.
func TestTagsAreConditions(t *testing.T) {
	ps := rules(t)
	p := "2.999.3/"
	for want, values := range map[string][]string{
		p + "2.999.3.1:E/e1&" + p + "2.999.3.1:T/t1|" + p + "2.999.3.1:T/t2&" + p + "class/A": {"t1", "e1", "t2"},
		p + "2.999.3.1:T/t1&" + p + "class/A":                                                 {"t1"},
		"nobody":                                                                              {},
	} {
		r, err := ps.Rule(&label.Label{PolicyOID: "2.999.3", Classification: "A", Created: day(1), Categories: []label.Category{
			category(label.Permissive, "T", values), category(label.Informative, "M", []string{"n1"})}})
		if err != nil || r.Key() != want {
			t.Errorf("%v: %v, %v, want %s", values, r, err, want)
		}
	}
}

func TestCompileRefused(t *testing.T) {
	good := func() label.Definition {
		return label.Definition{OID: "2.999.4", Name: "G", Classes: []label.Class{{Name: "A", LACV: "1"}}, Sets: []label.TagSet{
			{Name: "S", OID: "2.999.4.1", Tags: []label.Tag{{Name: "T", Type: label.Permissive, Max: 2, Min: 2, Values: []label.Value{{Name: "v", LACV: "1", NotBefore: day(1), NotAfter: day(1)}}}}}}}
	}
	if _, err := label.Compile(good()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*label.Definition)
		fails  string
	}{
		{"OID", func(d *label.Definition) { d.OID = "x" }, "not an OID"},
		{"name", func(d *label.Definition) { d.Name = "" }, "no name"},
		{"no classification", func(d *label.Definition) { d.Classes = nil }, "no classification"},
		{"nameless classification", func(d *label.Definition) { d.Classes[0].Name = "" }, "no name"},
		{"nameless set", func(d *label.Definition) { d.Sets[0].Name = "" }, "no name"},
		{"set OID", func(d *label.Definition) { d.Sets[0].OID = "1" }, "not an OID"},
		{"set name twice", func(d *label.Definition) { d.Sets = append(d.Sets, label.TagSet{Name: "S", OID: "2.999.4.2"}) }, "defined twice"},
		{"set OID twice", func(d *label.Definition) { d.Sets = append(d.Sets, label.TagSet{Name: "X", OID: "2.999.4.1"}) }, "defined twice"},
		{"nameless tag", func(d *label.Definition) { d.Sets[0].Tags[0].Name = "" }, "no name"},
		{"tag twice", func(d *label.Definition) {
			d.Sets[0].Tags = append(d.Sets[0].Tags, label.Tag{Name: "T", Type: label.Restrictive})
		}, "defined twice"},
		{"tag without type", func(d *label.Definition) { d.Sets[0].Tags[0].Type = 0 }, "type is not known"},
		{"fewer than none", func(d *label.Definition) { d.Sets[0].Tags[0].Min = -1 }, "cannot be met"},
		{"at most fewer than none", func(d *label.Definition) { d.Sets[0].Tags[0].Max = -1 }, "cannot be met"},
		{"more than most", func(d *label.Definition) { d.Sets[0].Tags[0].Min = 3 }, "cannot be met"},
		{"nameless value", func(d *label.Definition) { d.Sets[0].Tags[0].Values[0].Name = "" }, "no name"},
		{"one name in two tags of a type", func(d *label.Definition) {
			d.Sets[0].Tags = append(d.Sets[0].Tags, label.Tag{Name: "U", Type: label.Permissive, Enumerated: true, Values: []label.Value{{Name: "v", LACV: "9"}}})
		}, "defined twice"},
		{"group without type", func(d *label.Definition) {
			d.Classes[0].Requires = []label.Requirement{{Operation: "all", Groups: []label.Group{{Set: "S", All: true}}}}
		}, "no known type"},
		{"requirement of nothing", func(d *label.Definition) { d.Classes[0].Requires = []label.Requirement{{Operation: "all"}} }, "names no group"},
		{"exclusion twice", func(d *label.Definition) {
			g := label.Group{Set: "S", Type: label.Permissive, All: true}
			d.Sets[0].Tags[0].Values[0].Excludes = []label.Group{g, g}
		}, "duplicate excluded category"},
		{"required class twice", func(d *label.Definition) { d.Sets[0].Tags[0].Values[0].RequiredClasses = []string{"A", "A"} }, "duplicate required"},
		{"window", func(d *label.Definition) { d.Sets[0].Tags[0].Values[0].NotAfter = day(1).Add(-1) }, "ends before"},
		{"equivalent policy twice", func(d *label.Definition) {
			d.Equals = []label.EquivalentPolicy{{"Q", "2.999.9", nil}, {"Q", "2.999.8", nil}}
		}, "listed twice"},
		{"equivalent policy without OID", func(d *label.Definition) { d.Equals = []label.EquivalentPolicy{{"Q", "", nil}} }, "no OID"},
		{"equivalent class of no listed policy", func(d *label.Definition) { d.Classes[0].Equals = []label.EquivalentClass{{"Q", "1", "both", nil}} }, "not listed"},
		{"equivalence in no direction", func(d *label.Definition) {
			d.Equals = []label.EquivalentPolicy{{"Q", "2.999.9", nil}}
			d.Classes[0].Equals = []label.EquivalentClass{{"Q", "1", "sideways", nil}}
		}, "applied"},
		{"unknown action", func(d *label.Definition) {
			d.Equals = []label.EquivalentPolicy{{"Q", "2.999.9", nil}}
			d.Sets[0].Tags[0].Values[0].Equals = []label.EquivalentValue{{Policy: "Q", Applied: "both", Action: "forget"}}
		}, "not discard"},
		{"NATO without its tags", func(d *label.Definition) { d.OID = label.NATO }, "is missing"},
	} {
		d := good()
		c.change(&d)
		if _, err := label.Compile(d); err == nil || !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s: %v, want %q", c.name, err, c.fails)
		}
	}
	loose := good()
	loose.Sets[0].Tags[0].Max, loose.Sets[0].Tags[0].Min = 0, 3
	loose.Sets[0].Tags[0].Values[0].RequiredClasses, loose.Classes = []string{"A"}, append(loose.Classes, label.Class{Name: "B", LACV: "2", Hierarchy: 2})
	loose.Sets[0].Tags[0].Values[0].ExcludedClasses = []string{"B"}
	if _, err := label.Compile(loose); err != nil {
		t.Errorf("no upper limit, one class required and another excluded: %v", err)
	}
	shipped, _ := natoAlone(t).Policy(label.NATO)
	for _, c := range []struct {
		name   string
		change func(*label.Definition)
	}{
		{"restrictive Only", func(d *label.Definition) {
			i := slices.IndexFunc(d.Sets, func(s label.TagSet) bool { return s.Name == "Only" })
			d.Sets[i].Tags = []label.Tag{{Name: "Only", Type: label.Restrictive}}
		}},
		{"no Releasable", func(d *label.Definition) {
			i := slices.IndexFunc(d.Sets, func(s label.TagSet) bool { return s.Name == "Context" })
			d.Sets[i].Tags = []label.Tag{{Name: "Context", Type: label.Permissive}}
		}},
	} {
		d := *shipped.Definition()
		d.Sets = slices.Clone(d.Sets)
		c.change(&d)
		if _, err := label.Compile(d); err == nil {
			t.Errorf("%s: compiled", c.name)
		}
	}
}

func TestPoliciesRefused(t *testing.T) {
	p := policies.Shipped()[0]
	other := *p.Definition()
	other.OID, other.Name = "2.999.6", "nato"
	for i := range other.Sets {
		other.Sets = slices.Clone(other.Sets)
		other.Sets[i].OID = other.Sets[i].OID + ".1"
	}
	named, err := label.Compile(other)
	if err != nil {
		t.Fatal(err)
	}
	for name, ps := range map[string][]*label.Policy{"twice": {p, p}, "one name": {p, named}, "missing": {p, nil}} {
		if _, err := label.NewPolicies(label.Groups{}, ps...); err == nil {
			t.Errorf("%s: collected", name)
		}
	}
}
