package label_test

import (
	"strings"
	"testing"

	"causeway/label"
)

// translating is a pair of policies whose SPIFs state equivalences of each
// kind.
func translating(t *testing.T, groups label.Groups) *label.Policies {
	t.Helper()
	group := func(set, lacv string) label.Group {
		return label.Group{Set: set, Type: label.Restrictive, LACV: lacv}
	}
	equal := func(set string, typ label.Type, lacv, applied, action string) []label.EquivalentValue {
		return []label.EquivalentValue{{Policy: "there", SetOID: set, Type: typ, LACV: lacv, Applied: applied, Action: action}}
	}
	class := func(lacv, applied string, rs ...label.Requirement) []label.EquivalentClass {
		return []label.EquivalentClass{{Policy: "there", LACV: lacv, Applied: applied, Requires: rs}}
	}
	from := label.Definition{OID: "2.999.1", Name: "Here",
		Equals: []label.EquivalentPolicy{{Name: "there", OID: "2.999.2", Requires: []label.Requirement{{Operation: "all", Groups: []label.Group{group("Key", "1")}}}},
			{Name: "elsewhere", OID: "2.999.3"}},
		Classes: []label.Class{
			{Name: "A", LACV: "1", Hierarchy: 1, Equals: class("01", "both")},
			{Name: "B", LACV: "2", Hierarchy: 2, Equals: class("1", "decrypt")},
			{Name: "C", LACV: "3", Hierarchy: 3, Equals: append(class("1", "encrypt"), class("2", "encrypt")...)},
			{Name: "D", LACV: "4", Hierarchy: 4, Equals: class("9", "both")},
			{Name: "E", LACV: "5", Hierarchy: 5, Equals: class("2", "both", label.Requirement{Operation: "oneOrMore", Groups: []label.Group{group("Key", "1"), group("Key", "2")}})},
			{Name: "F", LACV: "6", Hierarchy: 6, Equals: class("2", "both", label.Requirement{Operation: "oneOrMore", Groups: []label.Group{group("Key", "2")}})},
			{Name: "G", LACV: "7", Hierarchy: 7, Equals: class("2", "both", label.Requirement{Operation: "all", Groups: []label.Group{{Set: "Key", Type: label.Restrictive, All: true}}})},
			{Name: "H", LACV: "8", Hierarchy: 8, Equals: class("2", "both", label.Requirement{Operation: "all", Groups: []label.Group{group("Nowhere", "1")}})},
			{Name: "I", LACV: "9", Hierarchy: 9, Equals: class("2", "both", label.Requirement{Operation: "all", Groups: []label.Group{group("Key", "9")}})},
			{Name: "J", LACV: "10", Hierarchy: 10, Equals: class("3", "both")},
			{Name: "K", LACV: "11", Hierarchy: 11, Equals: []label.EquivalentClass{{Policy: "elsewhere", LACV: "1", Applied: "both"}}},
			{Name: "L", LACV: "12", Hierarchy: 12, Equals: class("2", "both", label.Requirement{Operation: "all", Groups: []label.Group{group("Key", "1"), group("Key", "2")}})},
		},
		Sets: []label.TagSet{{Name: "For", OID: "2.999.1.1", Tags: []label.Tag{
			{Name: "For", Type: label.Permissive, Values: []label.Value{
				{Name: "G", LACV: "1", Equals: equal("2.999.2.1", label.Permissive, "1", "both", "")},
				{Name: "v2", LACV: "2", Equals: equal("2.999.2.1", label.Permissive, "2", "decrypt", "")},
				{Name: "v3", LACV: "3", Equals: equal("2.999.2.9", label.Permissive, "2", "both", "")},
				{Name: "v4", LACV: "4", Equals: equal("2.999.2.1", label.Permissive, "9", "both", "")},
				{Name: "v5", LACV: "5", Equals: equal("2.999.2.1", label.Permissive, "2", "encrypt", "")},
				{Name: "v6", LACV: "6", Equals: equal("2.999.2.1", label.Permissive, "2", "encrypt", "")},
			}},
			{Name: "Note", Type: label.Informative, Values: []label.Value{
				{Name: "n1", LACV: "1", Equals: equal("", label.Informative, "", "encrypt", "discard")},
				{Name: "n2", LACV: "2"},
			}},
			{Name: "Lock", Type: label.Restrictive, Values: []label.Value{{Name: "r1", LACV: "1", Equals: equal("2.999.2.2", label.Restrictive, "2", "encrypt", "")}}},
		}}}}
	to := label.Definition{OID: "2.999.2", Name: "There", Classes: []label.Class{{Name: "X", LACV: "1", Hierarchy: 1}, {Name: "Y", LACV: "2", Hierarchy: 2}, {Name: "Z", LACV: "3", Hierarchy: 3, Obsolete: true}},
		Sets: []label.TagSet{
			{Name: "For", OID: "2.999.2.1", Tags: []label.Tag{{Name: "For", Type: label.Permissive, Values: []label.Value{{Name: "G", LACV: "1"}, {Name: "w2", LACV: "2"}}}}},
			{Name: "Key", OID: "2.999.2.2", Tags: []label.Tag{{Name: "Key", Type: label.Restrictive, Values: []label.Value{{Name: "k1", LACV: "1"}, {Name: "k2", LACV: "2"}}}}},
		}}
	var compiled []*label.Policy
	for _, d := range []label.Definition{from, to, {OID: "2.999.3", Name: "Elsewhere", Classes: []label.Class{{Name: "X", LACV: "1"}}}} {
		p, err := label.Compile(d)
		if err != nil {
			t.Fatal(err)
		}
		compiled = append(compiled, p)
	}
	ps, err := label.NewPolicies(groups, compiled...)
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

func TestTranslate(t *testing.T) {
	g, err := label.NewGroups(group("G", epoch("a", 1, 5, "JPN"), epoch("b", 5, 0, "JPN")))
	if err != nil {
		t.Fatal(err)
	}
	forTag := func(values ...string) label.Category { return category(label.Permissive, "For", values) }
	note := func(values ...string) label.Category { return category(label.Informative, "For", values) }
	lock := func(values ...string) label.Category { return category(label.Restrictive, "For", values) }
	for _, c := range []struct {
		name   string
		groups label.Groups
		class  string
		cats   []label.Category
		to     string
		want   string // the rule; or with ! a part of the error
	}{
		{"class", label.Groups{}, "A", nil, "2.999.2", "2.999.2/2.999.2.2:Key/k1&2.999.2/class/X"},
		{"value", label.Groups{}, "A", []label.Category{forTag("G")}, "2.999.2", "2.999.2/2.999.2.1:For/G&2.999.2/2.999.2.2:Key/k1&2.999.2/class/X"},
		{"two values that become one", label.Groups{}, "A", []label.Category{forTag("v5", "v6")}, "2.999.2", "2.999.2/2.999.2.1:For/w2&2.999.2/2.999.2.2:Key/k1&2.999.2/class/X"},
		{"two categories of one set", label.Groups{}, "A", []label.Category{lock("r1"), forTag("v5")}, "2.999.2", "2.999.2/2.999.2.1:For/w2&2.999.2/2.999.2.2:Key/k1&2.999.2/2.999.2.2:Key/k2&2.999.2/class/X"},
		{"an empty restrictive category", label.Groups{}, "A", []label.Category{lock()}, "2.999.2", "2.999.2/2.999.2.2:Key/k1&2.999.2/class/X"},
		{"a dated group keeps its epoch", g, "A", []label.Category{forTag("G")}, "2.999.2", "2.999.2/2.999.2.1:For/G@a&2.999.2/2.999.2.2:Key/k1&2.999.2/class/X"},
		{"informative, discarded", label.Groups{}, "A", []label.Category{note("n1")}, "2.999.2", "2.999.2/2.999.2.2:Key/k1&2.999.2/class/X"},
		{"one that is enough", label.Groups{}, "F", nil, "2.999.2", "2.999.2/2.999.2.2:Key/k1&2.999.2/2.999.2.2:Key/k2&2.999.2/class/Y"},
		{"all of two", label.Groups{}, "L", nil, "2.999.2", "2.999.2/2.999.2.2:Key/k1&2.999.2/2.999.2.2:Key/k2&2.999.2/class/Y"},
		{"elsewhere", label.Groups{}, "K", nil, "2.999.3", "2.999.3/class/X"},
		{"informative without counterpart", label.Groups{}, "A", []label.Category{note("n2")}, "2.999.2", "!n2 of For has no counterpart"},
		{"arriving only", label.Groups{}, "B", nil, "2.999.2", "!no counterpart"},
		{"two counterparts", label.Groups{}, "C", nil, "2.999.2", "!two counterparts"},
		{"a number that is not there", label.Groups{}, "D", nil, "2.999.2", "!does not exist there"},
		{"a choice", label.Groups{}, "E", nil, "2.999.2", "!leaves a choice"},
		{"any value", label.Groups{}, "G", nil, "2.999.2", "!leaves the value"},
		{"a set that is not there", label.Groups{}, "H", nil, "2.999.2", "!leaves the value"},
		{"a required value that is not there", label.Groups{}, "I", nil, "2.999.2", "!does not exist there"},
		{"obsolete there", label.Groups{}, "J", nil, "2.999.2", "!obsolete"},
		{"value arriving only", label.Groups{}, "A", []label.Category{forTag("v2")}, "2.999.2", "!no counterpart"},
		{"value set that is not there", label.Groups{}, "A", []label.Category{forTag("v3")}, "2.999.2", "!does not exist there"},
		{"value that is not there", label.Groups{}, "A", []label.Category{forTag("v4")}, "2.999.2", "!does not exist there"},
		{"an empty permissive category", label.Groups{}, "A", []label.Category{forTag()}, "2.999.2", "!empty permissive"},
		{"a policy without equivalence", label.Groups{}, "K", nil, "2.999.2", "!no counterpart"},
		{"a policy to which none is stated", label.Groups{}, "A", nil, "2.999.1", "!states no equivalence"},
		{"a policy that is not known", label.Groups{}, "A", nil, "2.999.5", "!unknown policy id"},
		{"a class that is not known", label.Groups{}, "Q", nil, "2.999.2", "!unknown classification"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ps := translating(t, c.groups)
			l := &label.Label{PolicyOID: "2.999.1", Classification: c.class, Categories: c.cats, Created: day(3), CreatedNoZone: true, Review: day(20)}
			if c.groups.All() != nil {
				l.CreatedNoZone = false
			}
			out, err := ps.Translate(l, c.to)
			if fails, isErr := strings.CutPrefix(c.want, "!"); isErr {
				if err == nil || !strings.Contains(err.Error(), fails) {
					t.Fatalf("got %+v, %v, want an error with %q", out, err, fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if out.CreatedNoZone != l.CreatedNoZone || !out.Review.Equal(l.Review) || !out.Created.Equal(l.Created) {
				t.Errorf("the dates became %+v", out)
			}
			// The day of the translation may be another than that of the group.
			out.Created = day(10)
			r, err := ps.Rule(out)
			if err != nil || r.Key() != c.want {
				t.Fatalf("got %v, %v, want %s", r, err, c.want)
			}
		})
	}
}
