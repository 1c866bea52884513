package vault_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/internal/vault/vaulttest"
)

// asked is a vault with three campaigns, the third hidden from both readers,
// the first given to the partner.
func asked(t *testing.T) (v *vault.Vault, person, partner vault.Reader) {
	t.Helper()
	scheme := vaulttest.NewScheme(t, 3)
	v = folder(quickDir(t)).Open(t, vault.Config{Now: fixedClock})
	t.Cleanup(func() { v.Close() })
	person = vault.Reader{ID: "person:aiko", Kind: vault.Person, Holdings: scheme.Holdings(t, 1)}
	partner = vault.Reader{ID: "partner:bru", Kind: vault.Partner, Holdings: scheme.Holdings(t, 1)}
	if err := v.SetReaders(t.Context(), []vault.Reader{person, partner}); err != nil {
		t.Fatal(err)
	}
	s := story{t, scheme}
	for n, compartment := range []int{1, 1, 2} {
		if _, err := v.Act(t.Context(), audit.Act{Actor: "node", Verb: "put"}, func(tx *vault.Tx) error {
			_, err := tx.Put(s.put(n+1, n+1, compartment))
			if n == 0 {
				err = errors.Join(err, tx.Release(vaulttest.ID("campaign", 1), "", []string{partner.ID}, ""))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	return v, person, partner
}

// The log says what was asked and what was answered, and no more; a person's
// plain reading is not logged, a person's search is.
func TestQuestionsInTheLog(t *testing.T) {
	v, person, partner := asked(t)
	ctx := t.Context()
	one, hidden := vaulttest.ID("campaign", 1), vaulttest.ID("campaign", 3)
	for _, c := range []struct {
		name string
		ask  func() error
		want map[string]string // nil: nothing is logged
	}{
		{"a partner's page", func() error { _, err := v.As(partner).Page(ctx, vault.Query{}); return err }, map[string]string{"rows": "1", "first": "?", "last": "?"}},
		{"a partner's narrower page", func() error {
			_, err := v.As(partner).Page(ctx, vault.Query{Match: vault.Match{Types: []string{"tool"}}})
			return err
		}, map[string]string{"rows": "0", "match": `{"types":["tool"]}`}},
		{"a partner's read", func() error { _, err := v.As(partner).Get(ctx, one); return err }, map[string]string{"rows": "1", "first": "?", "last": "?", "match": `{"ids":["` + one + `"]}`}},
		{"a partner's denied read", func() error { _, err := v.As(partner).Get(ctx, hidden); return notThere(err) }, map[string]string{"rows": "0", "answer": "?", "match": `{"ids":["` + hidden + `"]}`}},
		{"a partner's versions", func() error { _, err := v.As(partner).Versions(ctx, one); return err }, map[string]string{"rows": "1", "first": "?", "last": "?", "match": `{"ids":["` + one + `"],"versions":["all"]}`}},
		{"a partner's versions of what is hidden", func() error { _, err := v.As(partner).Versions(ctx, hidden); return notThere(err) }, map[string]string{"rows": "0", "answer": "?", "match": `{"ids":["` + hidden + `"],"versions":["all"]}`}},
		{"a partner's count", func() error { _, err := v.As(partner).Count(ctx, vault.Match{}); return err }, map[string]string{"count": "1"}},
		{"a person's page", func() error { _, err := v.As(person).Page(ctx, vault.Query{}); return err }, nil},
		{"a person's count", func() error { _, err := v.As(person).Count(ctx, vault.Match{Types: []string{"campaign"}}); return err }, nil},
		{"a person's count of a search", func() error { _, err := v.As(person).Count(ctx, vault.Match{Text: "x"}); return err }, map[string]string{"count": "2", "match": `{"text":"x"}`}},
		{"a person's count of neighbours", func() error { _, err := v.As(person).Count(ctx, vault.Match{NeighbourOf: one}); return err }, map[string]string{"count": "0", "match": `{"near":"` + one + `"}`}},
		{"a person's versions", func() error {
			rows, err := v.As(person).Versions(ctx, one)
			if err == nil && len(rows) != 1 {
				t.Errorf("%d versions", len(rows))
			}
			return err
		}, nil},
	} {
		if _, err := v.As(person).Find(ctx, "x", vault.Query{}); err != nil { // the index is up to date
			t.Fatal(err)
		}
		before, err := v.LogSize(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.ask(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		var got []map[string]string
		if err := v.Entries(ctx, before, func(_ []byte, e audit.Entry) error { got = append(got, e.Act.Detail); return nil }); err != nil {
			t.Fatal(err)
		}
		if c.want == nil {
			if len(got) != 0 {
				t.Errorf("%s is logged: %v", c.name, got)
			}
			continue
		}
		if len(got) != 1 {
			t.Errorf("%s: %d entries, want one", c.name, len(got))
			continue
		}
		for name, value := range c.want {
			if value == "?" && got[0][name] != "" {
				got[0][name] = "?"
			}
		}
		if diff := cmp.Diff(c.want, got[0]); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func notThere(err error) error {
	if errors.Is(err, vault.ErrNotFound) {
		return nil
	}
	return errors.Join(errors.New("it is there"), err)
}

// Counts by time agree with pages by time, at each edge; and a page that has
// come to its end goes on from there.
func TestQuestionsByTime(t *testing.T) {
	v, person, _ := asked(t)
	ctx := t.Context()
	at := func(second int) time.Time {
		x, err := time.Parse(time.RFC3339, vaulttest.Version(second))
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	all, err := v.As(person).Page(ctx, vault.Query{})
	if err != nil || len(all.Rows) != 2 {
		t.Fatalf("%d rows, %v", len(all.Rows), err)
	}
	for _, c := range []struct {
		name string
		m    vault.Match
		want int
	}{
		{"since the first", vault.Match{Since: at(1)}, 2},
		{"since the second", vault.Match{Since: at(2)}, 1},
		{"since later", vault.Match{Since: at(3)}, 0},
		{"until the first", vault.Match{Until: at(1)}, 0},
		{"until the second", vault.Match{Until: at(2)}, 1},
		{"added after the first", vault.Match{AddedAfter: all.Rows[0].Added}, 1},
		{"added after the second", vault.Match{AddedAfter: all.Rows[1].Added}, 0},
	} {
		p, err := v.As(person).Page(ctx, vault.Query{Match: c.m})
		if err != nil || len(p.Rows) != c.want {
			t.Errorf("%s: %d rows, %v, want %d", c.name, len(p.Rows), err, c.want)
		}
		if n, err := v.As(person).Count(ctx, c.m); err != nil || n != int64(c.want) {
			t.Errorf("%s: counted %d, %v, want %d", c.name, n, err, c.want)
		}
	}
	for _, newest := range []bool{false, true} {
		q := vault.Query{Limit: 1, Newest: newest}
		var seen []string
		for range 4 {
			p, err := v.As(person).Page(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range p.Rows {
				seen = append(seen, r.ID)
			}
			q = vault.Query{Limit: 1, Cursor: p.Next}
		}
		want := []string{vaulttest.ID("campaign", 1), vaulttest.ID("campaign", 2)}
		if newest {
			want[0], want[1] = want[1], want[0]
		}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("newest %v: %s", newest, diff)
		}
	}
}
