package policies

import (
	"strings"
	"testing"
	"time"

	"causeway/label"
)

func day(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }

func shippedSet(t *testing.T) *label.Policies {
	t.Helper()
	ps, err := Set("officer@example")
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

func holdings(t *testing.T, ps *label.Policies, nation, level string, at time.Time) *label.Holdings {
	t.Helper()
	c, err := NationalClearance(nation, level)
	if err != nil {
		t.Fatal(err)
	}
	h, err := ps.Holdings(label.Holder{Kind: label.Partner, Clearances: []*label.Clearance{c}, Nation: nation, At: at})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestReleasableToJapan(t *testing.T) {
	ps := shippedSet(t)
	l := NATOLabel("SECRET", day(2026, 11, 1), day(2031, 11, 1), "JPN")
	if p := ps.Validate(l); len(p) > 0 {
		t.Fatal(p)
	}
	r, err := ps.Rule(l)
	if err != nil {
		t.Fatal(err)
	}
	for nation, want := range map[string]bool{"JPN": true, "BEL": true, "SWE": true, "AUS": false, "KOR": false} {
		if d := label.Decide(r, holdings(t, ps, nation, "SECRET", day(2026, 11, 2))); d.Allow != want {
			t.Errorf("%s: %+v, want %v", nation, d, want)
		}
	}
	if label.Allows(r, holdings(t, ps, "JPN", "CONFIDENTIAL", day(2026, 11, 2))) {
		t.Error("a clearance without SECRET reads SECRET")
	}
	if label.Allows(r, label.Public) {
		t.Error("the public reads SECRET")
	}
}

func TestAccessionOpensNothingOld(t *testing.T) {
	ps := shippedSet(t)
	for _, c := range []struct {
		nation  string
		created time.Time
		want    bool
	}{
		{"FIN", day(2023, 4, 3), false},
		{"FIN", day(2023, 4, 4), true},
		{"SWE", day(2023, 4, 4), false},
		{"SWE", day(2024, 3, 6), false},
		{"SWE", day(2024, 3, 7), true},
		{"BEL", day(2023, 4, 3), true},
	} {
		r, err := ps.Rule(NATOLabel("CONFIDENTIAL", c.created, day(2030, 1, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if got := label.Allows(r, holdings(t, ps, c.nation, "SECRET", day(2026, 11, 26))); got != c.want {
			t.Errorf("%s reads what NATO labelled on %s: %v, want %v", c.nation, c.created.Format(time.DateOnly), got, c.want)
		}
	}
}

func TestUnsignedGroupsAdmitNobody(t *testing.T) {
	ps, err := Set("")
	if err != nil {
		t.Fatal(err)
	}
	r, err := ps.Rule(NATOLabel("SECRET", day(2026, 11, 1), day(2031, 11, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if label.Allows(r, holdings(t, ps, "BEL", "SECRET", day(2026, 11, 2))) {
		t.Error("an unsigned membership admits")
	}
	r, err = shippedSet(t).Rule(NATOLabel("SECRET", day(2026, 11, 1), day(2031, 11, 1), "7NNN"))
	if err != nil {
		t.Fatal(err)
	}
	for _, nation := range []string{"AUS", "AUT", "CHE", "IRL", "NZL"} {
		if label.Allows(r, holdings(t, shippedSet(t), nation, "SECRET", day(2026, 11, 2))) {
			t.Errorf("%s reads as a member of 7NNN, whose members nobody signed", nation)
		}
	}
}

func TestJapaneseMarkings(t *testing.T) {
	ps := shippedSet(t)
	at := day(2026, 11, 1)
	audience := label.Category{Type: label.Permissive, TagName: "Audience", Values: []string{"JPN"}}
	status := func(v string) label.Category {
		return label.Category{Type: label.Restrictive, TagName: "Legal Status", Values: []string{v}}
	}
	for _, c := range []struct {
		class  string
		cats   []label.Category
		valid  bool
		ja, en string
	}{
		{"GOKUHI", []label.Category{audience}, true, "日本国 極秘 開示先：日本", "JAPAN GOKUHI for Japan"},
		{"HI", []label.Category{audience}, true, "日本国 秘 開示先：日本", "JAPAN HI for Japan"},
		{"DESIGNATED", []label.Category{status("TOKUTEI-HIMITSU"), audience}, true, "日本国 特定秘密 開示先：日本", "JAPAN SPECIALLY DESIGNATED SECRET for Japan"},
		{"DESIGNATED", []label.Category{status("JUYO-KEIZAI-ANPO-JOHO"), audience}, true, "日本国 重要経済安保情報 開示先：日本", "JAPAN IMPORTANT ECONOMIC SECURITY INFORMATION for Japan"},
		{"DESIGNATED", []label.Category{audience}, false, "", ""},
		{"GOKUHI", []label.Category{status("TOKUTEI-HIMITSU"), audience}, false, "", ""},
		{"GOKUHI", nil, false, "", ""},
	} {
		l := &label.Label{PolicyOID: Japan, PolicyName: "JPN", Classification: c.class, Categories: c.cats, Created: at, Review: at}
		if got := len(ps.Validate(l)) == 0; got != c.valid {
			t.Errorf("%s %v: valid is %v, want %v: %v", c.class, c.cats, got, c.valid, ps.Validate(l))
		}
		if c.ja == "" {
			continue
		}
		if got := ps.Marking(l, "ja", "").Text; got != c.ja {
			t.Errorf("in Japanese %q, want %q", got, c.ja)
		}
		if got := ps.Marking(l, "en", "").Text; got != c.en {
			t.Errorf("in English %q, want %q", got, c.en)
		}
	}
}

// A holder of one legal status does not read the other: they are not rungs.
func TestLegalStatusesAreNotRungs(t *testing.T) {
	ps := shippedSet(t)
	at := day(2026, 11, 1)
	l := &label.Label{PolicyOID: Japan, Classification: "DESIGNATED", Created: at, Review: at, Categories: []label.Category{
		{Type: label.Restrictive, TagName: "Legal Status", Values: []string{"JUYO-KEIZAI-ANPO-JOHO"}},
		{Type: label.Permissive, TagName: "Audience", Values: []string{"JPN"}},
	}}
	r, err := ps.Rule(l)
	if err != nil {
		t.Fatal(err)
	}
	for status, want := range map[string]bool{"JUYO-KEIZAI-ANPO-JOHO": true, "TOKUTEI-HIMITSU": false} {
		h, err := ps.Holdings(label.Holder{Kind: label.Person, Nation: "JPN", At: at, Clearances: []*label.Clearance{
			JapanClearance("JPN", []string{"HI", "GOKUHI", "DESIGNATED"}, []string{status}),
		}})
		if err != nil {
			t.Fatal(err)
		}
		if label.Allows(r, h) != want {
			t.Errorf("the holder of %s reads: %v, want %v", status, !want, want)
		}
	}
}

func TestPublicAndTLP(t *testing.T) {
	ps := shippedSet(t)
	at := day(2026, 11, 1)
	r, err := ps.Rule(PublicLabel(at, at))
	if err != nil {
		t.Fatal(err)
	}
	if !label.Allows(r, label.Public) {
		t.Error("the public may not read what is unmarked")
	}
	colour := func(c string) *label.Label {
		return &label.Label{PolicyOID: TLP, Classification: c, Created: at, Review: at}
	}
	if got := ps.Marking(colour("AMBER+STRICT"), "", "").Text; got != "TLP:AMBER+STRICT" {
		t.Errorf("marked %q", got)
	}
	if _, err := ps.Rule(colour("AMBER")); err == nil {
		t.Error("AMBER without an audience is a rule")
	}
	bound := ps.WithAudience(label.Audience{Organisation: "node:tokyo", Clients: []string{"node:brussels"}})
	r, err = bound.Rule(colour("AMBER"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"node:tokyo": true, "node:brussels": true, "node:canberra": false} {
		h, err := bound.Holdings(label.Holder{Kind: label.Partner, Names: []string{name}, At: at})
		if err != nil {
			t.Fatal(err)
		}
		if label.Allows(r, h) != want {
			t.Errorf("%s reads TLP:AMBER: %v, want %v", name, !want, want)
		}
	}
}

func TestNationalClearance(t *testing.T) {
	for nation, want := range map[string]string{"BEL": "Releasable,NATO BEL,NATO BEL,NATO", "SWE": "Releasable,NATO SWE,NATO SWE,NATO", "JPN": "Releasable JPN JPN"} {
		c, err := NationalClearance(nation, "SECRET")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, cat := range c.Categories {
			got = append(got, strings.Join(cat.Values, ","))
		}
		if strings.Join(got, " ") != want || len(c.Classifications) != 4 {
			t.Errorf("%s holds %v, want %s", nation, got, want)
		}
	}
	for _, bad := range [][2]string{{"JP", "SECRET"}, {"JPN", "ULTRA"}} {
		if _, err := NationalClearance(bad[0], bad[1]); err == nil {
			t.Errorf("%v has a clearance", bad)
		}
	}
}

// The sample tables are each other's way back, and say that they are assumed.
func TestSampleTables(t *testing.T) {
	for back, name := range map[bool]string{false: `"nato-japan"`, true: `"japan-nato"`} {
		table := string(SampleTable(back))
		if !strings.Contains(table, name) || !strings.Contains(strings.ToUpper(table), "ASSUMED") {
			t.Errorf("back %v: %s", back, table[:min(len(table), 200)])
		}
	}
}
