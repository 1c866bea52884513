package cut

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"causeway/stix"
)

const (
	actor    = "threat-actor--11111111-1111-4111-8111-111111111111"
	source   = "identity--22222222-2222-4222-8222-222222222222"
	campaign = "campaign--33333333-3333-4333-8333-333333333333"
	address  = "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"
	domain   = "domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7"
	uses     = "relationship--44444444-4444-4444-8444-444444444444"
	attrib   = "relationship--55555555-5555-4555-8555-555555555555"
	resolves = "relationship--77777777-7777-4777-8777-777777777777"
	report   = "report--66666666-6666-4666-8666-666666666666"
	creator  = "identity--99999999-9999-4999-8999-999999999999"
	mark1    = "marking-definition--88888888-8888-4888-8888-888888888888"
)

var key = bytes.Repeat([]byte{7}, 32)

func objects(t testing.TB) []*stix.Object {
	t.Helper()
	head := func(typ, id string) string {
		return fmt.Sprintf(`"type":%q,"spec_version":"2.1","id":%q,"created":"2026-01-01T00:00:00.000Z","modified":"2026-02-02T00:00:00.000Z","created_by_ref":%q`, typ, id, source)
	}
	var out []*stix.Object
	for _, s := range []string{
		`{` + head("identity", source) + `,"name":"Listening Post Kilo","identity_class":"organization"}`,
		`{` + head("threat-actor", actor) + `,"name":"Crimson Heron","aliases":["Unit 71044"],"description":"Names its servers after birds and works from the third floor of a building in Omsk."}`,
		`{` + head("campaign", campaign) + `,"name":"Paper Lantern","description":"Run by Crimson Heron against ports. See ` + campaign + `.","objective":"Slow the ports","external_references":[{"source_name":"cable","description":"Cable 4471-B"},{"source_name":"press","url":"https://news.example/ports"}]}`,
		`{"type":"ipv4-addr","spec_version":"2.1","id":"` + address + `","value":"198.51.100.3"}`,
		`{"type":"domain-name","spec_version":"2.1","id":"` + domain + `","value":"ports.example","resolves_to_refs":["` + address + `"]}`,
		`{` + head("relationship", uses) + `,"relationship_type":"uses","source_ref":"` + campaign + `","target_ref":"` + domain + `"}`,
		`{` + head("relationship", attrib) + `,"relationship_type":"attributed-to","source_ref":"` + campaign + `","target_ref":"` + actor + `"}`,
		`{` + head("report", report) + `,"name":"Ports","published":"2026-02-02T00:00:00Z","report_types":["campaign"],"object_refs":["` + campaign + `","` + actor + `","` + address + `","` + domain + `","` + uses + `","` + attrib + `"],"granular_markings":[{"selectors":["name"],"marking_ref":"` + mark1 + `"}]}`,
	} {
		o, err := stix.ParseObject([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range stix.Validate(o) {
			if !p.Warning {
				t.Fatalf("%s: %s", o.ID(), p)
			}
		}
		out = append(out, o)
	}
	return out
}

func plan(t testing.TB) Plan {
	t.Helper()
	at, err := stix.ParseTimestamp("2026-11-26T00:00:00.000Z")
	if err != nil {
		t.Fatal(err)
	}
	return Plan{
		Key: key, Creator: creator, At: at, Markings: []string{mark1},
		Omit: []Place{{ID: actor}, {ID: source}, {ID: address}, {ID: campaign, Path: "external_references[0]"}},
		Reword: []Rewording{{ID: campaign, Path: "description", Value: "A network acts against ports."},
			{ID: campaign, Path: "external_references[1].url", Value: "https://news.example/"}},
	}
}

func get(t *testing.T, r *Result, original string) *stix.Object {
	t.Helper()
	for _, o := range r.Objects {
		if r.Origins[o.ID()] == original {
			return o
		}
	}
	t.Fatalf("%s has no cut", original)
	return nil
}

func TestMake(t *testing.T) {
	r, err := Make(objects(t), plan(t))
	if err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, o := range r.Objects {
		all += string(o.Raw())
		for _, p := range stix.Validate(o) {
			if !p.Warning {
				t.Errorf("%s: %s", o.ID(), p)
			}
		}
	}
	for _, gone := range []string{actor, source, campaign, address, domain, uses, attrib, report, "Heron", "71044", "Kilo", "198.51.100.3", "4471", "Omsk", "2026-02-02T00:00:00.000Z"} {
		if strings.Contains(all, gone) {
			t.Errorf("%s is left in %s", gone, all)
		}
	}
	if len(r.Objects) != 4 { // campaign, domain, uses, report
		t.Errorf("%d objects, want 4", len(r.Objects))
	}
	known := map[string]bool{creator: true, mark1: true}
	for _, o := range r.Objects {
		known[o.ID()] = true
	}
	for _, o := range r.Objects {
		for _, ref := range o.Refs() {
			if !known[ref.ID] {
				t.Errorf("%s of %s dangles: %s", ref.Property, o.ID(), ref.ID)
			}
		}
		if _, sdo := o.Get("created"); sdo && o.CreatedByRef() != creator {
			t.Errorf("%s was not created by who releases it", o.ID())
		}
	}
	refs, _ := get(t, r, report).Get("object_refs")
	if list, _ := refs.([]any); len(list) != 3 {
		t.Errorf("the report refers to %v, want three", refs)
	}
	if _, ok := get(t, r, domain).Get("resolves_to_refs"); ok {
		t.Error("a list of references that lost all is still there")
	}
	if u, _ := get(t, r, campaign).Get("external_references", "0", "url"); u != "https://news.example/" {
		t.Errorf("the reworded url is %v", u)
	}
	reasons := map[string]bool{}
	for _, c := range r.Changes {
		reasons[c.Why] = true
	}
	for _, why := range []string{"omitted", "reworded", "reference", "marking", "identity", "dangling"} {
		if !reasons[why] {
			t.Errorf("no change says %s", why)
		}
	}
}

// The ids of a cut are stable for one recipient, differ between recipients,
// and are not those anybody could compute.
func TestIDs(t *testing.T) {
	a, err := Make(objects(t), plan(t))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Make(objects(t), plan(t))
	if err != nil {
		t.Fatal(err)
	}
	p := plan(t)
	p.Key = bytes.Repeat([]byte{8}, 32)
	c, err := Make(objects(t), p)
	if err != nil {
		t.Fatal(err)
	}
	for i := range a.Objects {
		if !bytes.Equal(a.Objects[i].Raw(), b.Objects[i].Raw()) {
			t.Error("the same cut twice differs")
		}
		if a.Objects[i].ID() == c.Objects[i].ID() {
			t.Error("two recipients get one id")
		}
	}
	id, err := stix.SCOID("domain-name", map[string]any{"value": "ports.example"})
	if err != nil {
		t.Fatal(err)
	}
	if get(t, a, domain).ID() == id {
		t.Error("the id of an observable is a hash of its value")
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Plan)
		fails  string
	}{
		{"short key", func(p *Plan) { p.Key = key[:31] }, "32 bytes"},
		{"no marking", func(p *Plan) { p.Markings = nil }, "no marking"},
		{"no creator", func(p *Plan) { p.Creator = "" }, "no creator"},
		{"unknown object", func(p *Plan) { p.Omit = append(p.Omit, Place{ID: creator}) }, "not among the objects"},
		{"unknown property", func(p *Plan) { p.Omit = append(p.Omit, Place{campaign, "aliases"}) }, "has no aliases"},
		{"required property", func(p *Plan) { p.Omit = append(p.Omit, Place{campaign, "name"}) }, "no longer be valid"},
		{"another kind", func(p *Plan) { p.Reword = append(p.Reword, Rewording{campaign, "name", 7}) }, "another kind"},
		{"rewording of what is left out", func(p *Plan) { p.Reword = append(p.Reword, Rewording{actor, "name", "X"}) }, "not among what is kept"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := plan(t)
			c.change(&p)
			if _, err := Make(objects(t), p); err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Fatalf("got %v, want an error with %q", err, c.fails)
			}
		})
	}
}

// What is withheld must not come back by another door.
func TestLeftovers(t *testing.T) {
	for _, c := range []struct{ name, text, how string }{
		{"name", "Run by Crimson Heron.", "copy"},
		{"other case", "run by CRIMSON HERON", "copy"},
		{"run together", "see CrimsonHeron for more", "copy"},
		{"full width", "Ｃｒｉｍｓｏｎ　Ｈｅｒｏｎ", "copy"},
		{"accents", "Crímson Hérôn", "copy"},
		{"invisible", "Crim\u200bson He\u00adron", "copy"},
		{"look-alikes", "Сrimsоn Hеrоn", "copy"},
		{"one letter off", "the Crimson Herron group", "near copy"},
		{"one letter gone", "the Crimsn Heron group", "near copy"},
		{"alias", "also known as unit-71044", "copy"},
		{"address", "at 198.51.100.3", "copy"},
		{"defanged", "at 198[.]51[.]100[.]3", "copy"},
		{"percent", "at %31%39%38.51.100.3", "copy"},
		{"id", "see " + actor, "id"},
		{"bare UUID", "11111111-1111-4111-8111-111111111111", "id"},
		{"UUID without dashes", "11111111111141118111111111111111", "id"},
		{"deterministic id", "28bb3599-77cd-5a82-a950-b5bc3caf07c4", "id"},
		{"passage", "It works from the third floor of a building near the river.", "passage"},
		{"withheld word", "the informant Tokiwa said", "copy"},
		{"kanji", "情報源は常盤橋です", "copy"},
		{"nothing", "A network acts against the ports of several countries.", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := plan(t)
			p.Reword[0].Value = c.text
			p.Withhold = []string{"Tokiwa", "常盤橋"}
			r, err := Make(objects(t), p)
			var left *LeftoverError
			if c.how == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.As(err, &left) {
				t.Fatalf("got %v, want a leftover", err)
			}
			if !slices.ContainsFunc(left.Findings, func(f Finding) bool { return f.How == c.how && f.Path == "description" }) {
				t.Fatalf("found %v, want %s", left.Findings, c.how)
			}
			for _, f := range left.Findings {
				p.Accept = append(p.Accept, f.Key())
			}
			if r == nil || len(r.Objects) == 0 {
				t.Fatal("the person does not see where")
			}
			if _, err := Make(objects(t), p); err != nil {
				t.Fatalf("accepted findings are found again: %v", err)
			}
		})
	}
}

func TestDigestsAndEncodings(t *testing.T) {
	for _, s := range []string{
		"9b7e7b4d6c2f", // nothing
		"98d1b1b1c7a6f0",
	} {
		o, err := stix.ParseObject(fmt.Appendf(nil, `{"type":"note","id":"note--1","content":%q}`, s))
		if err != nil {
			t.Fatal(err)
		}
		if f := Check([]*stix.Object{o}, nil, []string{"198.51.100.3"}); len(f) > 0 {
			t.Errorf("%q: %v", s, f)
		}
	}
	m, _ := newMark("198.51.100.3")
	for _, s := range append(slices.Clone(m.digests), m.base64, strings.ToUpper(m.digests[2])) {
		o, err := stix.ParseObject(fmt.Appendf(nil, `{"type":"note","id":"note--1","content":"x %s y"}`, s))
		if err != nil {
			t.Fatal(err)
		}
		f := Check([]*stix.Object{o}, nil, []string{"198.51.100.3"})
		if len(f) != 1 || f[0].How != "digest" {
			t.Errorf("%q: %v", s, f)
		}
	}
}

func TestPropertyNamesAreChecked(t *testing.T) {
	o, err := stix.ParseObject([]byte(`{"type":"note","id":"note--1","custom":{"crimson_heron":{"n":71044}},"list":["a","b Omsk","c Omsk"]}`))
	if err != nil {
		t.Fatal(err)
	}
	f := Check([]*stix.Object{o}, nil, []string{"Crimson Heron", "71044", "Omsk"})
	if len(f) != 4 {
		t.Fatalf("%v", f)
	}
}

// The list of changes is exactly what differs.
func TestChanges(t *testing.T) {
	parse := func(s string) *stix.Object {
		o, err := stix.ParseObject([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	const other = "domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec8"
	address1 := parse(`{"type":"ipv4-addr","spec_version":"2.1","id":"` + address + `","value":"198.51.100.3"}`)
	domain1 := parse(`{"type":"domain-name","spec_version":"2.1","id":"` + domain + `","value":"ports.example","x_note":"see ` + other + ` and ` + domain + `","x_map":{"a_ref":"` + address + `"},"x_empty":{},"x_more":{"a_ref":"` + address + `","b":1}}`)
	other1 := parse(`{"type":"domain-name","spec_version":"2.1","id":"` + other + `","value":"b.example","x_refs":["` + domain + `","` + creator + `","` + address + `"]}`)
	identity := parse(`{"type":"identity","spec_version":"2.1","id":"` + creator + `","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"Agency","identity_class":"organization"}`)
	p := plan(t)
	p.Omit, p.Reword = []Place{{ID: address}, {ID: domain, Path: "x_more.b"}}, nil
	r, err := Make([]*stix.Object{address1, domain1, other1, identity}, p)
	if err != nil {
		t.Fatal(err)
	}
	d, o := newID(key, domain), newID(key, other)
	quote := func(s string) string { return `"` + s + `"` }
	want := []Change{
		{address, "", "", text(map[string]any{"type": "ipv4-addr", "spec_version": "2.1", "id": address, "value": "198.51.100.3"}), "", "omitted"},
		{domain, d, "x_more.b", "1", "", "omitted"},
		{domain, d, "object_marking_refs", "", `["` + mark1 + `"]`, "marking"},
		{other, o, "object_marking_refs", "", `["` + mark1 + `"]`, "marking"},
		{domain, d, "x_map.a_ref", quote(address), "", "dangling"},
		{domain, d, "x_more.a_ref", quote(address), "", "dangling"},
		{domain, d, "x_note", quote("see " + other + " and " + domain), quote("see " + o + " and " + d), "reference"},
		{other, o, "x_refs[0]", quote(domain), quote(d), "reference"},
		{other, o, "x_refs[2]", quote(address), "", "dangling"},
	}
	if diff := cmp.Diff(want, r.Changes); diff != "" {
		t.Error(diff)
	}
	if len(r.Objects) != 2 || len(r.Origins) != 2 {
		t.Fatalf("%d objects of %d origins", len(r.Objects), len(r.Origins))
	}
	cutDomain := string(get(t, r, domain).Raw())
	if strings.Contains(cutDomain, "x_map") || strings.Contains(cutDomain, "x_more") || !strings.Contains(cutDomain, `"x_empty":{}`) {
		t.Error(cutDomain)
	}
}

// A translation of an object does not give the original's version away.
func TestLanguageContent(t *testing.T) {
	os := objects(t)
	l, err := stix.ParseObject([]byte(`{"type":"language-content","spec_version":"2.1","id":"language-content--b0000000-0000-4000-8000-000000000001","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","object_ref":"` + campaign + `","object_modified":"2026-02-02T00:00:00.000Z","contents":{"ja":{"objective":"港を遅らせる"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Make(append(os, l), plan(t))
	if err != nil {
		t.Fatal(err)
	}
	cut := get(t, r, l.ID())
	if m, _ := cut.Get("object_modified"); m != plan(t).At.String() {
		t.Errorf("it names the version %v", m)
	}
	if ref, _ := cut.Get("object_ref"); ref != get(t, r, campaign).ID() {
		t.Errorf("it translates %v", ref)
	}
}
