package vault_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"causeway/internal/vault"
	"causeway/internal/vault/vaulttest"
)

// TestTampering changes the database behind the vault's back, one thing at a
// time. Verify names each.
func TestTampering(t *testing.T) {
	s := story{t, vaulttest.NewScheme(t, 8)}
	for _, c := range []struct{ what, sql, finding string }{
		{"nothing", "SELECT 1", ""},
		{"a byte of an object", "UPDATE version SET raw = replace(raw, 'campaign', 'campaigm') WHERE vid = 1", "the store does not hold"},
		{"an object withdrawn by hand", "UPDATE version SET gone = 1 WHERE vid = 1", "withdrawn or absent"},
		{"an object removed", "DELETE FROM version WHERE vid = 1", "the store does not hold"},
		{"an object's source", "UPDATE version SET source = 'partner:x' WHERE vid = 1", "the store does not hold"},
		{"an object's first label", "UPDATE version SET first = 2 WHERE vid = 1", "the store does not hold"},
		{"the rule behind a label", "UPDATE label SET rule = 2 WHERE label = 1", "not its own"},
		{"the text of a rule", "UPDATE rule SET key = 'everyone' WHERE rule = 1", "not its own"},
		{"the label in force", "UPDATE version SET label = 2, rule = 2 WHERE vid = 1", "label in force"},
		{"the rule in force", "UPDATE version SET rule = (SELECT rule FROM version WHERE vid = 5) WHERE vid = 1", "label in force"},
		{"a release invented", "INSERT INTO holder SELECT 'partner:bru', vid, act FROM version WHERE vid = 3", "without an event"},
		{"a release and its event invented", "INSERT INTO event SELECT 1, 77, at, kind, 3, reader, by_reader, text, 0, 0 FROM event WHERE kind = 'release' LIMIT 1; INSERT INTO holder VALUES ('partner:bru', 3, 1)", "does not hold what"},
		{"a release removed", "DELETE FROM event WHERE kind = 'release'", "does not hold what"},
		{"a holder removed", "DELETE FROM holder", "without a release"},
		{"an entry's text", "UPDATE leaf SET entry = replace(entry, 'prepare', 'prepars')", "tree"},
		{"an entry removed", "DELETE FROM leaf WHERE n = 0", "cannot be read"},
		{"a hash of the tree", "UPDATE hash SET hash = zeroblob(32) WHERE n = 0", "stored tree"},
		{"a record", "UPDATE record SET value = 'w'", "not what the log says"},
		{"a record removed", "DELETE FROM record", "is missing"},
		{"a record invented", "INSERT INTO record VALUES ('s', 'l', 'v')", "not what the log says"},
		{"a place in a feed removed", "DELETE FROM place WHERE vid = 5 AND feed = 1", "feed"},
		{"a place of another", "INSERT INTO place SELECT feed, added + 1000, 3, kind, 0 FROM place WHERE vid = 1", "feed"},
		{"a tally", "UPDATE tally SET total = total + 1", "tally"},
		{"the newest version", "UPDATE place SET flag = 1", "newest"},
	} {
		t.Run(c.what, func(t *testing.T) {
			dir := folder(quickDir(t))
			v := dir.Open(t, vault.Config{Now: fixedClock})
			s.prepare(v)
			if err := s.act(v); err != nil {
				t.Fatal(err)
			}
			v.Close()
			db, err := sql.Open("sqlite", filepath.Join(string(dir), "vault.db"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec(c.sql); err != nil {
				t.Fatal(err)
			}
			db.Close()
			v = dir.Open(t, vault.Config{Now: fixedClock})
			defer v.Close()
			r, err := v.Verify(context.Background(), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, p := range r.Problems {
				found = append(found, p.Text)
			}
			if all := strings.Join(found, "; "); c.finding == "" && all != "" || !strings.Contains(all, c.finding) {
				t.Errorf("found %q, want %q", all, c.finding)
			}
		})
	}
}
