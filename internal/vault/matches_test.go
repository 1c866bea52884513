package vault_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/internal/vault/vaulttest"
)

// Every field of a Match narrows the answer on its own and beside each other
// one, whichever way the query takes: the page and the count agree with a
// filter over all that is visible. One reader alone is asked, so that nothing
// another reader's feed holds can stand in.
func TestMatchesNarrow(t *testing.T) { testMatchesNarrow(t, folder(quickDir(t))) }

func TestPostgresMatchesNarrow(t *testing.T) {
	testMatchesNarrow(t, newSchema(t, postgresURL(t)))
}

func testMatchesNarrow(t *testing.T, store vaulttest.Store) {
	ctx := t.Context()
	scheme := vaulttest.NewScheme(t, 3)
	v := store.Open(t, vault.Config{Now: fixedClock})
	defer v.Close()
	aiko := vault.Reader{ID: "person:aiko", Kind: vault.Person, Holdings: scheme.Holdings(t, 1)}
	if err := v.SetReaders(ctx, []vault.Reader{aiko}); err != nil {
		t.Fatal(err)
	}
	type row struct {
		typ           string
		n, second, by int
		word, source  string
		compartment   int
	}
	rows := []row{
		{"campaign", 1, 1, 1, "ferry", "local", 1}, {"campaign", 1, 5, 1, "ferry", "local", 1}, {"campaign", 1, 9, 1, "ferry", "local", 2},
		{"campaign", 2, 2, 2, "dolphin", "local", 1}, {"campaign", 2, 0, 2, "dolphin", "local", 2},
		{"campaign", 3, 3, 1, "dolphin", "partner:bru", 1}, {"campaign", 3, 4, 2, "ferry", "partner:bru", 1},
		{"tool", 4, 4, 1, "ferry", "partner:bru", 1}, {"tool", 5, 5, 2, "ferry", "local", 2},
	}
	var puts []vault.Put
	for _, r := range rows {
		puts = append(puts, vault.Put{Source: r.source, Effective: scheme.Label(t, r.compartment),
			Object: vaulttest.Object(t, r.typ, r.n, r.second, "name", r.word, "created_by_ref", vaulttest.ID("identity", r.by))})
	}
	puts = append(puts, vault.Put{Source: "local", Effective: scheme.Label(t, 1), Object: vaulttest.Object(t, "relationship", 9, 7,
		"relationship_type", "related-to", "source_ref", vaulttest.ID("campaign", 1), "target_ref", vaulttest.ID("campaign", 3))})
	puts = append(puts, vault.Put{Source: "local", Effective: scheme.Label(t, 1), Object: vaulttest.Object(t, "note", 8, 8,
		"content", "about one object alone", "object_refs", []string{vaulttest.ID("campaign", 1)})})
	rows = append(rows, row{"relationship", 9, 7, 0, "", "local", 1}, row{"note", 8, 8, 0, "", "local", 1})
	for _, p := range puts { // one act each, so that each has its own place
		if _, err := v.Act(ctx, audit.Act{Actor: "node", Verb: "put"}, func(tx *vault.Tx) error {
			out, err := tx.Put(p)
			return errors.Join(err, func() error {
				if err == nil && out[0].Status == vault.Conflict {
					return errors.New("conflict")
				}
				return nil
			}())
		}); err != nil {
			t.Fatal(err)
		}
	}
	visible := slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.compartment != 1 })
	edge := func(r row, newest bool) bool {
		return !slices.ContainsFunc(visible, func(o row) bool {
			return o.typ == r.typ && o.n == r.n && (newest && o.second > r.second || !newest && o.second < r.second)
		})
	}
	// Each choice of a field with what it lets pass; the first lets all.
	type field struct {
		set  func(*vault.Match)
		pass func(row) bool
	}
	all := field{func(*vault.Match) {}, func(row) bool { return true }}
	id := func(r row) string { return vaulttest.ID(r.typ, r.n) }
	versions := []field{
		{func(m *vault.Match) {}, func(r row) bool { return edge(r, true) }},
		{func(m *vault.Match) { m.Versions = []string{"all"} }, func(row) bool { return true }},
		{func(m *vault.Match) { m.Versions = []string{"first"} }, func(r row) bool { return edge(r, false) }},
		{func(m *vault.Match) { m.Versions = []string{"first", "last"} }, func(r row) bool { return edge(r, true) || edge(r, false) }},
		{func(m *vault.Match) { m.Versions = []string{vaulttest.Version(5)} }, func(r row) bool { return r.second == 5 }},
	}
	groups := [][]field{
		{all, {func(m *vault.Match) {
			m.IDs = []string{vaulttest.ID("campaign", 1), vaulttest.ID("tool", 4), vaulttest.ID("campaign", 3)}
		}, func(r row) bool { return r.n == 1 || r.n == 4 || r.n == 3 }},
			{func(m *vault.Match) { m.NeighbourOf = vaulttest.ID("campaign", 1) }, func(r row) bool { return r.n == 3 || r.n == 9 || r.n == 8 }},
			{func(m *vault.Match) {
				m.NeighbourOf, m.IDs = vaulttest.ID("campaign", 1), []string{vaulttest.ID("campaign", 3), vaulttest.ID("tool", 4)}
			}, func(r row) bool { return r.n == 3 }}},
		{all, {func(m *vault.Match) { m.Text = "ferry" }, func(r row) bool { return r.word == "ferry" }}},
		{all, {func(m *vault.Match) { m.Types = []string{"campaign", "absent"} }, func(r row) bool { return r.typ == "campaign" }}},
		{all, {func(m *vault.Match) { m.CreatedBy = vaulttest.ID("identity", 1) }, func(r row) bool { return r.by == 1 }}},
		{all, {func(m *vault.Match) { m.Source = "partner:bru" }, func(r row) bool { return r.source == "partner:bru" }}},
		{all, {func(m *vault.Match) { m.SpecVersions = []string{"2.1"} }, func(row) bool { return true }}, {func(m *vault.Match) { m.SpecVersions = []string{"2.0"} }, func(row) bool { return false }}},
	}
	asked := 0
	var ask func(depth int, m vault.Match, pass []func(row) bool)
	ask = func(depth int, m vault.Match, pass []func(row) bool) {
		if depth < len(groups) {
			for _, f := range groups[depth] {
				next := m
				f.set(&next)
				ask(depth+1, next, append(slices.Clone(pass), f.pass))
			}
			return
		}
		for _, choice := range versions {
			q := m
			choice.set(&q)
			var want []string
			for _, r := range visible {
				if !slices.ContainsFunc(append(slices.Clone(pass), choice.pass), func(f func(row) bool) bool { return !f(r) }) {
					want = append(want, fmt.Sprintf("%s %d", id(r), r.second))
				}
			}
			p, err := v.As(aiko).Page(ctx, vault.Query{Match: q})
			if err != nil {
				t.Fatalf("%+v: %v", q, err)
			}
			var got []string
			for _, r := range p.Rows {
				for _, x := range rows {
					if id(x) == r.ID && vaulttest.Version(x.second) == r.Version {
						got = append(got, fmt.Sprintf("%s %d", r.ID, x.second))
					}
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Fatalf("%+v: got\n%v, want\n%v", q, got, want)
			}
			n, err := v.As(aiko).Count(ctx, q)
			if err != nil || n != int64(len(want)) {
				t.Fatalf("%+v: counted %d, %v, want %d", q, n, err, len(want))
			}
			asked++
		}
	}
	ask(0, vault.Match{}, nil)
	if asked < 900 {
		t.Fatalf("only %d questions asked", asked)
	}
}
