package label_test

import (
	"testing"

	"causeway/label"
)

// marks is a policy with each way of marking.
func marks(t *testing.T) *label.Policies {
	t.Helper()
	phrase := func(lang, text string, codes ...string) label.Mark {
		return label.Mark{Lang: lang, Phrase: text, HasPhrase: true, Codes: codes}
	}
	bare := func(codes ...string) label.Mark { return label.Mark{Codes: codes} }
	d := label.Definition{OID: "2.999.7", Name: "POL",
		Classes: []label.Class{
			{Name: "A", LACV: "1", Hierarchy: 1, Colour: "red"},
			{Name: "B", LACV: "2", Hierarchy: 2, Marks: []label.Mark{phrase("", "BEE"), phrase("fr", "ABEILLE"), phrase("fr-CA", "ABEILLE DU QUÉBEC")}},
			{Name: "C", LACV: "3", Hierarchy: 3, Marks: []label.Mark{phrase("", "COSMIC", "replacePolicy"), phrase("fr", "CÉ", "pageTop")}},
			{Name: "D", LACV: "4", Hierarchy: 4, Marks: []label.Mark{phrase("", "(D)", "portionMarking"), phrase("", "top", "pageTop"), phrase("", "start", "documentStart")}},
			{Name: "E", LACV: "5", Hierarchy: 5, Marks: []label.Mark{bare("noMarkingDisplay")}},
			{Name: "G", LACV: "7", Hierarchy: 7, Marks: []label.Mark{phrase("", "both", "pageTopBottom")}},
			{Name: "F", LACV: "6", Hierarchy: 6, Marks: []label.Mark{phrase("", "(F)", "portionMarking"), bare("pageTopBottom")}},
		},
		Sets: []label.TagSet{{Name: "S", OID: "2.999.7.1", Tags: []label.Tag{
			{Name: "plain", Type: label.Permissive, Values: []label.Value{
				{Name: "v1", LACV: "1"}, {Name: "v2", LACV: "2", Marks: []label.Mark{phrase("", "")}},
				{Name: "v3", LACV: "3", Marks: []label.Mark{bare("noNameDisplay")}},
				{Name: "v4", LACV: "4", Marks: []label.Mark{phrase("", "v4", "suppressClassName")}},
				{Name: "v5", LACV: "5", Marks: []label.Mark{phrase("", "POL/V5", "replacePolicy", "noNameDisplay")}},
				{Name: "v6", LACV: "6", Marks: []label.Mark{phrase("de", "sechs")}},
			}},
			{Name: "dressed", Type: label.Informative, Qualifier: []label.Qualifier{
				{Code: "prefix", Text: "<"}, {Code: "suffix", Text: ">"}, {Code: "suffix", Lang: "fr", Text: "»"}, {Code: "separator", Text: "+"},
				{Code: "prefix", Lang: "fr", Text: "«", Place: "pageTop"}, {Code: "prefix", Lang: "ja", Text: "「", Place: "portionMarking"},
			}, Values: []label.Value{{Name: "n1", LACV: "1"}, {Name: "n2", LACV: "2"}}},
		}}},
		Qualifier: []label.Qualifier{{Code: "separator", Text: "_"}},
	}
	p, err := label.Compile(d)
	if err != nil {
		t.Fatal(err)
	}
	named := label.Definition{OID: "2.999.8", Name: "NAMED", Classes: []label.Class{{Name: "A", LACV: "1"}}, Marks: []label.Mark{phrase("", "The Named Policy"), phrase("ja", "方針", "replacePolicy")}}
	q, err := label.Compile(named)
	if err != nil {
		t.Fatal(err)
	}
	ps, err := label.NewPolicies(label.Groups{}, p, q)
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

func TestMarking(t *testing.T) {
	ps := marks(t)
	for _, c := range []struct {
		class             string
		values, notes     []string
		lang, place, want string
	}{
		{"A", nil, nil, "", "", "POL_A"},
		{"B", nil, nil, "", "", "POL_BEE"},
		{"B", nil, nil, "en", "", "POL_BEE"},
		{"B", nil, nil, "fr", "", "POL_ABEILLE"},
		{"B", nil, nil, "FR", "", "POL_ABEILLE"},
		{"B", nil, nil, "fr-CA", "", "POL_ABEILLE DU QUÉBEC"},
		{"B", nil, nil, "fr-CH", "", "POL_ABEILLE"},
		{"B", nil, nil, "french", "", "POL_BEE"},
		{"C", nil, nil, "", "", "COSMIC_C"},
		{"C", nil, nil, "fr", "", "COSMIC_CÉ"},
		{"C", nil, nil, "fr", "pageTop", "COSMIC_CÉ"},
		{"C", nil, nil, "fr", "pageBottom", "COSMIC_C"},
		{"C", []string{"v5"}, nil, "", "", "COSMIC_C"},
		{"D", nil, nil, "", "portionMarking", "POL_(D)"},
		{"D", nil, nil, "", "", "POL_top"},
		{"D", nil, nil, "", "pageTopBottom", "POL_top"},
		{"D", nil, nil, "", "pageBottom", "POL_D"},
		{"D", nil, nil, "", "documentStart", "POL_start"},
		{"D", nil, nil, "", "subject", "POL_D"},
		{"E", nil, nil, "", "", "POL"},
		{"F", nil, nil, "", "pageBottom", "POL_F"},
		{"F", nil, nil, "", "subject", "POL_F"},
		{"G", nil, nil, "", "pageTop", "POL_both"},
		{"G", nil, nil, "", "pageBottom", "POL_both"},
		{"G", nil, nil, "", "subject", "POL_G"},
		{"A", []string{"v1"}, nil, "", "", "POL_A_v1"},
		{"A", []string{"v1", "v6"}, nil, "", "", "POL_A_v1/v6"},
		{"A", []string{"v6", "v1"}, nil, "de", "", "POL_A_v1/sechs"},
		{"A", []string{"v2"}, nil, "", "", "POL_A"},
		{"A", []string{"v3"}, nil, "", "", "POL_A"},
		{"A", []string{"v4"}, nil, "", "", "POL_v4"},
		{"A", []string{"v5"}, nil, "", "", "POL/V5_A"},
		{"A", []string{"v1"}, []string{"n2", "n1"}, "", "", "POL_A_v1_<n1+n2>"},
		{"A", nil, []string{"n1"}, "fr", "", "POL_A_«n1»"},
		{"A", nil, []string{"n1"}, "fr", "pageBottom", "POL_A_<n1»"},
		{"A", nil, []string{"n1"}, "ja", "", "POL_A_<n1>"},
		{"A", nil, []string{"n1"}, "ja", "portionMarking", "POL_A_「n1>"},
	} {
		l := &label.Label{PolicyOID: "2.999.7", Classification: c.class, Categories: []label.Category{
			category(label.Permissive, "S", c.values), category(label.Informative, "S", c.notes)}}
		m := ps.Marking(l, c.lang, c.place)
		if m.Text != c.want {
			t.Errorf("%s %v %v in %q at %q: %q, want %q", c.class, c.values, c.notes, c.lang, c.place, m.Text, c.want)
		}
		if (m.Colour == "red") != (c.class == "A") {
			t.Errorf("%s is coloured %q", c.class, m.Colour)
		}
	}
	for lang, want := range map[string]string{"": "The Named Policy A", "ja": "方針 A"} {
		if got := ps.Marking(&label.Label{PolicyOID: "2.999.8", Classification: "A"}, lang, "").Text; got != want {
			t.Errorf("in %q %q, want %q", lang, got, want)
		}
	}
	if got := ps.Marking(&label.Label{PolicyName: "X", Classification: "Y"}, "", "").Text; got != "LABEL NOT UNDERSTOOD: X Y" {
		t.Errorf("%q", got)
	}
	if got := ps.Marking(nil, "", "").Text; got != "LABEL NOT UNDERSTOOD" {
		t.Errorf("%q", got)
	}
}

func TestClearanceMarking(t *testing.T) {
	ps := marks(t)
	for _, c := range []struct {
		classes, values []string
		want            string
	}{
		{[]string{"C", "A"}, []string{"v1"}, "{A|C}_v1"},
		{[]string{"A"}, []string{"v1", "v9"}, "A_v1"},
		{[]string{"A", "E"}, []string{"v4"}, "A_v4"},
		{nil, []string{"v1"}, "v1"},
		{[]string{"Z"}, nil, ""},
	} {
		cl := &label.Clearance{PolicyOID: "2.999.7", Classifications: c.classes, Categories: []label.Category{
			category(label.Permissive, "S", c.values), category(label.Permissive, "unknown", []string{"x"})}}
		if got := ps.ClearanceMarking(cl, "", "").Text; got != c.want {
			t.Errorf("%v %v: %q, want %q", c.classes, c.values, got, c.want)
		}
	}
	if got := ps.ClearanceMarking(&label.Clearance{PolicyName: "X"}, "", "").Text; got != "CLEARANCE NOT UNDERSTOOD: X" {
		t.Errorf("%q", got)
	}
}
