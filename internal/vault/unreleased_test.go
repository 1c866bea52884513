package vault_test

import (
	"errors"
	"testing"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/internal/vault/vaulttest"
)

// A version that a partner may see and was not given does not show in which of
// the given ones is first or last: another reader's feed is not asked.
func TestUnreleasedVersionsDoNotShow(t *testing.T) {
	testUnreleasedVersionsDoNotShow(t, folder(quickDir(t)))
}

func TestPostgresUnreleasedVersionsDoNotShow(t *testing.T) {
	testUnreleasedVersionsDoNotShow(t, newSchema(t, postgresURL(t)))
}

func testUnreleasedVersionsDoNotShow(t *testing.T, store vaulttest.Store) {
	ctx := t.Context()
	scheme := vaulttest.NewScheme(t, 2)
	v := store.Open(t, vault.Config{Now: fixedClock})
	defer v.Close()
	partner := vault.Reader{ID: "partner:bru", Kind: vault.Partner, Holdings: scheme.Holdings(t, 1)}
	person := vault.Reader{ID: "person:aiko", Kind: vault.Person, Holdings: scheme.Holdings(t, 1)}
	if err := v.SetReaders(ctx, []vault.Reader{person, partner}); err != nil {
		t.Fatal(err)
	}
	s := story{t, scheme}
	id := vaulttest.ID("campaign", 1)
	if _, err := v.Act(ctx, audit.Act{Actor: "node", Verb: "put"}, func(tx *vault.Tx) error {
		if _, err := tx.Put(s.put(1, 1, 1), s.put(1, 2, 1), s.put(1, 3, 1), s.put(1, 4, 1)); err != nil {
			return err
		}
		return errors.Join(tx.Release(id, vaulttest.Version(2), []string{partner.ID}, ""), tx.Release(id, vaulttest.Version(3), []string{partner.ID}, ""))
	}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		versions     []string
		specs        []string
		first, until int // seconds of the versions given
	}{
		{nil, nil, 3, 3},
		{nil, []string{"2.1"}, 3, 3},
		{[]string{"last"}, []string{"2.1"}, 3, 3},
		{[]string{"first"}, nil, 2, 2},
		{[]string{"first"}, []string{"2.1"}, 2, 2},
		{[]string{"first", "last"}, []string{"2.1"}, 2, 3},
		{[]string{"all"}, nil, 2, 3},
	} {
		p, err := v.As(partner).Page(ctx, vault.Query{Match: vault.Match{Versions: c.versions, SpecVersions: c.specs}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range p.Rows {
			got = append(got, r.Version)
		}
		if len(got) != c.until-c.first+1 || got[0] != vaulttest.Version(c.first) || got[len(got)-1] != vaulttest.Version(c.until) {
			t.Errorf("%v of %v: %v, want from %d to %d", c.versions, c.specs, got, c.first, c.until)
		}
	}
}
