package node_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/policies"
	"causeway/label/registry"
	"causeway/label/stanag4774"
	"causeway/stix"
)

// clock is the clock of a node under test.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func day(n int) time.Time { return time.Date(2027, 3, n, 9, 0, 0, 0, time.UTC) }

// agency makes a Japanese node at a moment, with one security officer.
func agency(t *testing.T, c *clock) (*node.Node, people.Person) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "node")
	if err := node.Init(t.Context(), dir, node.Founding{Nation: "JPN", Name: "Tokyo"}); err != nil {
		t.Fatal(err)
	}
	n := open(t, dir, c)
	sato := people.Person{ID: "sato", Name: "Sato", Nation: "JPN", Roles: []people.Role{people.SecurityOfficer, people.ReleaseOfficer, people.Analyst}}
	if err := n.Found(t.Context(), sato, ""); err != nil {
		t.Fatal(err)
	}
	return n, sato
}

func open(t *testing.T, dir string, c *clock) *node.Node {
	t.Helper()
	n, err := node.OpenWith(t.Context(), dir, node.Options{Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// cleared registers a person with these clearances and no others.
func cleared(t *testing.T, n *node.Node, id string, from, until time.Time, cs ...*label.Clearance) people.Person {
	t.Helper()
	p := people.Person{ID: id, Name: id, Nation: "JPN", Roles: []people.Role{people.Analyst}}
	if err := n.People.Add(t.Context(), "node", p, ""); err != nil {
		t.Fatal(err)
	}
	for _, c := range cs {
		xml, err := stanag4774.WriteClearance(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.People.Found(t.Context(), id, people.Grant{Clearance: string(xml), Basis: "a test", From: from, Until: until}); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.RefreshReaders(t.Context()); err != nil {
		t.Fatal(err)
	}
	return person(t, n, id)
}

func person(t *testing.T, n *node.Node, id string) people.Person {
	t.Helper()
	p, err := n.People.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func japanese(levels ...string) *label.Clearance { return policies.JapanClearance("JPN", levels, nil) }

func nato(t *testing.T, level string) *label.Clearance {
	t.Helper()
	c, err := policies.NationalClearance("JPN", level)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const campaign = "campaign--11111111-1111-4111-8111-111111111111"

// store imports a campaign under a label.
func store(t *testing.T, n *node.Node, l *label.Label) {
	t.Helper()
	o, err := stix.ParseObject([]byte(`{"type":"campaign","spec_version":"2.1","id":"` + campaign + `","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"Port"}`))
	if err != nil {
		t.Fatal(err)
	}
	own, err := n.OwnReader()
	if err != nil {
		t.Fatal(err)
	}
	report, err := n.Desk.Import(t.Context(), own, []stix.Item{{Object: o}}, l, func(int, int) {})
	if err != nil || report.Stored != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
}

// reads says whether a person reads the campaign, in every way to ask.
func reads(t *testing.T, n *node.Node, id string) bool {
	t.Helper()
	r, err := n.People.Reader(person(t, n, id))
	if err != nil {
		t.Fatal(err)
	}
	v := n.Vault.As(r)
	_, err = v.Get(t.Context(), campaign)
	if err != nil && !errors.Is(err, vault.ErrNotFound) {
		t.Fatal(err)
	}
	count, err2 := v.Count(t.Context(), vault.Match{Types: []string{"campaign"}})
	found, err3 := v.Find(t.Context(), "Port", vault.Query{Limit: 10})
	if err2 != nil || err3 != nil {
		t.Fatal(err2, err3)
	}
	if got := err == nil; got != (count == 1) || got != (len(found.Rows) == 1) {
		t.Fatalf("%s: read %v, counted %d, found %d", id, got, count, len(found.Rows))
	}
	return err == nil
}

func secretForJapan(t *testing.T) *label.Label {
	return policies.NATOLabel("SECRET", day(1), day(1).AddDate(5, 0, 0), "JPN")
}

func sign(t *testing.T, n *node.Node, by people.Person, change ...string) label.Table {
	t.Helper()
	table, err := n.SetTable(t.Context(), by, []byte(strings.NewReplacer(change...).Replace(string(policies.SampleTable(false)))))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// A reader whose clearance is of another policy reads by a signed table in
// force, and by nothing else.
func TestReaderByAlternativeLabel(t *testing.T) {
	c := &clock{day(2)}
	n, sato := agency(t, c)
	ctx := t.Context()
	cleared(t, n, "jun", day(1), day(28), japanese("HI", "GOKUHI"))
	cleared(t, n, "low", day(1), day(28), japanese("HI"))
	cleared(t, n, "both", day(1), day(28), japanese("HI", "GOKUHI"), nato(t, "RESTRICTED"))
	cleared(t, n, "was", day(1), day(28), japanese("HI", "GOKUHI"), nato(t, "RESTRICTED"))
	if err := n.People.Revoke(ctx, sato, "was", person(t, n, "was").Grants[1].ID, "left"); err != nil {
		t.Fatal(err)
	}
	store(t, n, secretForJapan(t))
	want := func(when string, readers ...string) {
		t.Helper()
		for _, id := range []string{"jun", "low", "both", "was", "sato"} {
			if got := reads(t, n, id); got != (id == "sato" || slices.Contains(readers, id)) {
				t.Errorf("%s: %s reads %v", when, id, got)
			}
		}
	}
	want("the shipped table, which nobody signed")
	if _, err := n.SetTable(ctx, person(t, n, "jun"), policies.SampleTable(false)); err == nil {
		t.Error("a table is signed by who is no security officer")
	}
	c.at = day(3)
	table := sign(t, n, sato)
	want("a signed table", "jun")
	c.at = day(4)
	// What arrives later is judged alike, and a restart changes nothing.
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = open(t, n.Dir, c)
	want("after a restart", "jun")
	signedBeside(t, n, "jun")
	key := table.Name + "@" + table.Version
	if err := n.RevokeTable(ctx, sato, key, ""); err == nil {
		t.Error("a table is revoked without a reason")
	}
	if err := n.RevokeTable(ctx, sato, key, "it was wrong"); err != nil {
		t.Fatal(err)
	}
	c.at = day(5)
	want("revoked")
	if err := n.RevokeTable(ctx, sato, key, "twice"); err == nil {
		t.Error("a table is revoked twice")
	}
	sign(t, n, sato, "assumed-1", "2", `"both"`, `"encrypt"`)
	want("a table for what leaves")
	sign(t, n, sato, "assumed-1", "3", `"both"`, `"decrypt"`, `"2026-01-01T00:00:00Z"`, `"2027-03-10T00:00:00Z"`)
	want("a table of later")
	c.at = day(10)
	if err := n.RefreshReaders(ctx); err != nil {
		t.Fatal(err)
	}
	want("its day has come", "jun")
	quiet(t, n, "low")
}

// quiet checks that the log's pages tell a reader nothing of labels in use: who
// does not see the object would learn of it.
func quiet(t *testing.T, n *node.Node, id string) {
	t.Helper()
	r, err := n.People.Reader(person(t, n, id))
	if err != nil {
		t.Fatal(err)
	}
	entries, _, err := n.Vault.As(r).AuditEntries(t.Context(), 0, 1000)
	if err != nil || len(entries) == 0 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for _, e := range entries {
		if slices.Contains([]string{"translate", "translate-labels", "succeed", "bind-label"}, e.Act.Verb) {
			t.Errorf("%s reads the entry %+v", id, e.Act)
		}
	}
	all, err := n.Vault.Verify(t.Context(), nil, nil)
	if err != nil || len(all.Problems) > 0 {
		t.Errorf("the log: %+v, %v", all, err)
	}
}

// signedBeside checks that the originator's label is as it was, and that the
// alternative beside it is signed by the node.
func signedBeside(t *testing.T, n *node.Node, id string) {
	t.Helper()
	r, err := n.People.Reader(person(t, n, id))
	if err != nil {
		t.Fatal(err)
	}
	row, err := n.Vault.As(r).Get(t.Context(), campaign)
	if err != nil {
		t.Fatal(err)
	}
	xml, err := stanag4774.WriteLabel(secretForJapan(t))
	if err != nil {
		t.Fatal(err)
	}
	if e := row.Effective; len(e.Labels) != 1 || string(e.Labels[0]) != string(xml) || len(e.Alternatives) != 1 || e.Alternatives[0].Policy != "JPN" {
		t.Fatalf("governed by %+v", e)
	}
	d := row.Effective.Decide(r.Holdings)
	if !d.Allow || !strings.Contains(d.Reasons[0].Text, "table nato-japan@assumed-1 of translator "+n.Line.Node()) {
		t.Errorf("the decision does not name its table: %+v", d)
	}
	if signed := string(row.Effective.Alternatives[0].Signed); !strings.Contains(signed, "ed25519") || !strings.Contains(signed, "mldsa65") {
		t.Errorf("the alternative is not signed twice: %s", signed)
	}
}

func TestTablesOfOnePair(t *testing.T) {
	c := &clock{day(2)}
	n, sato := agency(t, c)
	sign(t, n, sato)
	other := strings.Replace(string(policies.SampleTable(false)), `"nato-japan"`, `"another"`, 1)
	if _, err := n.SetTable(t.Context(), sato, []byte(other)); err == nil || !strings.Contains(err.Error(), "is in force for the same policies") {
		t.Errorf("two tables for one pair of policies: %v", err)
	}
	// One that admits nobody may stand beside it, for people who translate by hand.
	if _, err := n.SetTable(t.Context(), sato, []byte(strings.Replace(other, ` "applied": "both",`, "", 1))); err != nil {
		t.Error(err)
	}
	back := strings.Replace(string(policies.SampleTable(true)), `"japan-nato"`, `"nato-japan"`, 1)
	if _, err := n.SetTable(t.Context(), sato, []byte(back)); err == nil || !strings.Contains(err.Error(), "about other policies") {
		t.Errorf("versions of one table about other policies: %v", err)
	}
	for _, key := range []string{"signer", "signed"} {
		value := map[string]string{"signer": `"x"`, "signed": `"2026-01-01T00:00:00Z"`}[key]
		if _, err := n.SetTable(t.Context(), sato, []byte(strings.Replace(string(policies.SampleTable(false)), "{", `{"`+key+`": `+value+`,`, 1))); err == nil {
			t.Errorf("a file says %s", key)
		}
	}
}

// The shipped tables, once signed, never give a label more readers by going
// there and back.
func TestShippedTablesNeverWiden(t *testing.T) {
	c := &clock{day(2)}
	n, _ := agency(t, c)
	ps := n.Policies()
	tables := [2]label.Table{}
	for i := range tables {
		table, err := n.ParseTable(policies.SampleTable(i == 1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ps.TranslateBy(&table, secretForJapan(t), day(2)); err == nil || !strings.Contains(err.Error(), "assumed") {
			t.Fatalf("an unsigned table translates: %v", err)
		}
		table.Signer = "person:sato"
		tables[i] = table
	}
	through := [2]int{}
	rapid.Check(t, func(t *rapid.T) {
		for range 50 {
			i := rapid.IntRange(0, 1).Draw(t, "direction")
			l := drawn(t, i)
			xml := []byte("<label/>")
			forth, err := registry.Translate(ps, &tables[i], l, xml, "here", day(2))
			if err != nil {
				continue
			}
			there, err := forth.Label()
			if err != nil {
				t.Fatal(err)
			}
			back, err := ps.TranslateBy(&tables[1-i], there, day(2))
			if err != nil {
				continue
			}
			through[i]++
			was, err1 := ps.Rule(l)
			is, err2 := ps.Rule(back)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			if !is.AtMost(was) {
				t.Fatalf("%v became %v by way of %s", was, is, forth.XML)
			}
		}
	})
	if through[0] == 0 || through[1] == 0 {
		t.Fatalf("labels that went through: %v", through)
	}
}

// drawn is a label of the NATO policy (0) or the Japanese one (1).
func drawn(t *rapid.T, policy int) *label.Label {
	some := func(name string, from ...string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 1, len(from), rapid.ID[string]).Draw(t, name)
	}
	if policy == 1 {
		l := &label.Label{PolicyName: "JPN", PolicyOID: policies.Japan, Created: day(1), Review: day(20),
			Classification: rapid.SampledFrom([]string{"TORIATSUKAI-CHUI", "HI", "GOKUHI"}).Draw(t, "class")}
		l.Categories = []label.Category{{Type: label.Permissive, TagName: "Audience", TagOID: policies.Japan + ".2", Values: some("audience", "JPN", "NATO")}}
		return l
	}
	l := policies.NATOLabel(rapid.SampledFrom([]string{"RESTRICTED", "CONFIDENTIAL", "SECRET"}).Draw(t, "class"), day(1), day(20))
	if rapid.Bool().Draw(t, "releasable") {
		l = policies.NATOLabel(l.Classification, day(1), day(20), some("to", "JPN", "AUS", "CHE")...)
	}
	if rapid.IntRange(0, 3).Draw(t, "only") == 0 {
		l.Categories = append(l.Categories, label.Category{Type: label.Permissive, TagName: "Only", TagOID: "1.3.26.1.4.5", Values: some("onlyvalues", "BEL", "GBR")})
	}
	return l
}
