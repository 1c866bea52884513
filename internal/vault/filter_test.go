package vault_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/internal/vault/vaulttest"

	_ "modernc.org/sqlite" // what lies to the vault writes to its file
)

// The feeds say what may be seen; the query checks it again. This test makes
// the feeds lie, by changing the database behind the vault's back, and
// demands that the query alone keeps hidden what is hidden.

func TestFilterSQLite(t *testing.T) {
	testFilter(t, func(t *testing.T) (vaulttest.Store, func(string)) {
		dir := quickDir(t)
		return folder(dir), func(q string) {
			db, err := sql.Open("sqlite", filepath.Join(dir, "vault.db"))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestPostgresFilter(t *testing.T) {
	url := postgresURL(t)
	testFilter(t, func(t *testing.T) (vaulttest.Store, func(string)) {
		s := newSchema(t, url)
		return s, func(q string) {
			c, err := pgx.Connect(context.Background(), string(s))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close(context.Background())
			if _, err := c.Exec(context.Background(), q); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func testFilter(t *testing.T, fresh func(*testing.T) (vaulttest.Store, func(string))) {
	ctx := context.Background()
	for _, c := range []struct {
		name, sql string
		want      int // newest versions that the person and the partner still see
		partner   int
	}{
		{"nothing", "SELECT 1", 3, 2},
		{"the rule is another", "UPDATE version SET rule = (SELECT rule FROM version WHERE vid = 4) WHERE vid = 1", 2, 1},
		{"the rule has no number", "UPDATE version SET rule = 1000000 WHERE vid = 1", 2, 1},
		{"the rule is below all numbers", "UPDATE version SET rule = 0 WHERE vid = 1", 2, 1},
		{"withdrawn", "UPDATE version SET gone = (1 = 1) WHERE vid = 1", 2, 1},
		{"not released", "DELETE FROM holder WHERE vid = 1", 3, 1},
		{"in another's feed", "DELETE FROM place WHERE vid = 1", 2, 1},
		{"not the newest", "UPDATE place SET flag = 1 WHERE vid = 1", 2, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			store, lie := fresh(t)
			scheme := vaulttest.NewScheme(t, 8)
			s := story{t, scheme}
			person := vault.Reader{ID: "person:aiko", Kind: vault.Person, Holdings: scheme.Holdings(t, 1)}
			partner := vault.Reader{ID: "partner:bru", Kind: vault.Partner, Holdings: scheme.Holdings(t, 1)}
			v := store.Open(t, vault.Config{Now: fixedClock})
			if err := v.SetReaders(ctx, []vault.Reader{person, partner}); err != nil {
				t.Fatal(err)
			}
			if _, err := v.Act(ctx, audit.Act{Actor: "node", Verb: "put"}, func(tx *vault.Tx) error {
				if _, err := tx.Put(s.put(1, 1, 1), s.put(2, 1, 1), s.put(3, 1, 1), s.put(4, 1, 2)); err != nil {
					return err
				}
				return errors.Join(tx.Release(vaulttest.ID("campaign", 1), "", []string{partner.ID}, ""),
					tx.Release(vaulttest.ID("campaign", 2), "", []string{partner.ID}, ""))
			}); err != nil {
				t.Fatal(err)
			}
			if _, err := v.As(person).Find(ctx, "x", vault.Query{}); err != nil { // indexed before the lie
				t.Fatal(err)
			}
			if err := v.Close(); err != nil {
				t.Fatal(err)
			}
			lie(c.sql)
			v = store.Open(t, vault.Config{Now: fixedClock})
			defer v.Close()
			for _, r := range []struct {
				vault.Reader
				want int
			}{{person, c.want}, {partner, c.partner}} {
				for _, q := range []vault.Query{{}, {Match: vault.Match{Text: "x"}}, {Match: vault.Match{IDs: []string{vaulttest.ID("campaign", 1), vaulttest.ID("campaign", 2), vaulttest.ID("campaign", 3), vaulttest.ID("campaign", 4)}}}} {
					p, err := v.As(r.Reader).Page(ctx, q)
					if err != nil || len(p.Rows) != r.want {
						t.Errorf("%s sees %d rows of %+v, %v, want %d", r.ID, len(p.Rows), q.Match, err, r.want)
					}
				}
				n, err := v.As(r.Reader).Count(ctx, vault.Match{Text: "x"})
				if err != nil || n != int64(r.want) {
					t.Errorf("%s counts %d, %v, want %d", r.ID, n, err, r.want)
				}
				_, err = v.As(r.Reader).Get(ctx, vaulttest.ID("campaign", 1))
				full := c.name == "nothing" || c.name == "not released" && r.Kind == vault.Person
				if (err == nil) != full {
					t.Errorf("%s gets it: %v", r.ID, err)
				}
			}
		})
	}
}
