package node_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/label"
	"causeway/label/policies"
)

func found(t *testing.T) (*node.Node, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "node")
	if err := node.Init(t.Context(), dir, node.Founding{Nation: "NOR", Name: "Oslo", Web: "127.0.0.1:0", Line: "127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	return reopen(t, dir), dir
}

func reopen(t *testing.T, dir string) *node.Node {
	t.Helper()
	n, err := node.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

var (
	officer = people.Person{ID: "kari", Roles: []people.Role{people.SecurityOfficer}}
	analyst = people.Person{ID: "ida", Roles: []people.Role{people.Analyst}}
)

// The first person of a node comes in by the code that its start printed, once.
func TestFirstPerson(t *testing.T) {
	n, _ := found(t)
	code, err := n.FirstCode(t.Context())
	if err != nil || len(code) != 19 {
		t.Fatal(code, err)
	}
	if again, _ := n.FirstCode(t.Context()); again != code {
		t.Error("the code changes while somebody types it")
	}
	kari := people.Person{ID: "kari", Name: "Kari Lund"}
	for name, wrong := range map[string]string{"empty": "", "another": "aaaa-aaaa-aaaa-aaaa", "more": code + "x"} {
		if err := n.FoundFirst(t.Context(), wrong, kari, "a long enough phrase"); !errors.Is(err, people.ErrForbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := n.FoundFirst(t.Context(), code, kari, ""); err == nil {
		t.Error("a person without a passphrase")
	}
	if err := n.FoundFirst(t.Context(), " "+code+" ", kari, "a long enough phrase"); err != nil {
		t.Fatal(err)
	}
	p, err := n.People.Get(t.Context(), "kari")
	if err != nil || !p.Has(people.SecurityOfficer) || p.Nation != "NOR" || len(p.Grants) == 0 {
		t.Errorf("%+v, %v", p, err)
	}
	if left, err := n.FirstCode(t.Context()); err != nil || left != "" {
		t.Error("the code outlives its use:", left, err)
	}
	if err := n.FoundFirst(t.Context(), code, people.Person{ID: "eve", Name: "Eve"}, "a long enough phrase"); !errors.Is(err, people.ErrForbidden) {
		t.Error("a second first person:", err)
	}
}

// A loaded policy decides in the place of the older version, after a restart
// too; what cannot be read whole changes nothing.
func TestLoadPolicy(t *testing.T) {
	n, dir := found(t)
	nato := policies.Files()["NATO"]
	newer := bytes.Replace(nato, []byte(`version="1"`), []byte(`version="2"`), 1)
	if bytes.Equal(newer, nato) {
		t.Fatal("the shipped policy states its version otherwise")
	}
	version := func(n *node.Node) string {
		p, ok := n.Policies().Policy(label.NATO)
		if !ok {
			t.Fatal("no policy of NATO")
		}
		return p.Version()
	}
	was := version(n)
	for name, c := range map[string]struct {
		by     people.Person
		file   []byte
		source string
		says   string
	}{
		"by an analyst":      {analyst, newer, "a test", "only a security officer"},
		"from nowhere":       {officer, newer, " ", "which authority"},
		"no policy":          {officer, []byte("<a/>"), "a test", "read SPIF"},
		"an unknown element": {officer, bytes.Replace(newer, []byte("</SPIF>"), []byte("<x/></SPIF>"), 1), "a test", "read SPIF: line "},
		"the same version":   {officer, nato, "a test", "in force already"},
		"the public policy":  {officer, bytes.Replace(policies.Files()["PUBLIC"], []byte(`version="1"`), []byte(`version="2"`), 1), "a test", "cannot be replaced"},
	} {
		if _, err := n.SetPolicy(t.Context(), c.by, c.file, c.source); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
	if version(n) != was {
		t.Fatal("a refused file changed the policy")
	}
	change, err := n.SetPolicy(t.Context(), officer, newer, "a test")
	if err != nil || change.Old == nil || len(change.Gone)+len(change.Came) != 0 {
		t.Fatalf("%+v, %v", change, err)
	}
	if version(n) == was {
		t.Error("the old version goes on deciding")
	}
	if _, err := n.SetPolicy(t.Context(), officer, newer, "a test"); err == nil {
		t.Error("one version loaded twice")
	}
	now := version(n)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = reopen(t, dir)
	if version(n) != now {
		t.Error("a restart brings the old version back")
	}
	if all, err := n.LoadedPolicies(t.Context()); err != nil || len(all) != 1 || all[0].By != "person:kari" {
		t.Errorf("%+v, %v", all, err)
	}
}

// A fact that gives access is signed where its data is; the others are recorded.
func TestSignFact(t *testing.T) {
	n, _ := found(t)
	for name, c := range map[string]struct {
		by         people.Person
		id, source string
	}{
		"by an analyst": {analyst, "jpn-levels", "a letter"},
		"unknown":       {officer, "the-moon", "a letter"},
		"on nothing":    {officer, "jpn-levels", ""},
		"denies":        {officer, "nato-7nnn", "a letter"},
	} {
		if err := n.SignFact(t.Context(), c.by, c.id, c.source); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
	if err := n.SignFact(t.Context(), officer, "jpn-levels", "a letter"); err != nil {
		t.Fatal(err)
	}
	if err := n.ConfirmPolicies(t.Context(), analyst); !errors.Is(err, people.ErrForbidden) {
		t.Error("an analyst confirms the policies:", err)
	}
	if err := n.ConfirmPolicies(t.Context(), officer); err != nil {
		t.Fatal(err)
	}
	facts, confirmed, err := n.SignedFacts(t.Context())
	if err != nil || len(facts) != 1 || facts["jpn-levels"].By != "person:kari" || confirmed == nil || !strings.Contains(confirmed.Source, "NATO") {
		t.Errorf("%+v, %+v, %v", facts, confirmed, err)
	}
}
