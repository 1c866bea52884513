package postgres

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"causeway/internal/vault/internal/engine"
)

func (t *tx) SetState(s engine.State) error {
	return t.exec("UPDATE state SET entries = $1, at = $2, next_vid = $3, indexed = $4, generation = $5", s.Entries, s.At, s.NextVID, s.Indexed, s.Generation)
}

func (t *tx) AddRule(r engine.Rule) error {
	return t.exec("INSERT INTO rule VALUES ($1, $2)", r.N, r.Key)
}

func (t *tx) AddLabel(l engine.Label) error {
	return t.exec("INSERT INTO label VALUES ($1, $2, $3)", l.N, l.Rule, l.Body)
}

func (t *tx) AddKind(k engine.Kind) error {
	return t.exec("INSERT INTO kind VALUES ($1, $2)", k.N, k.Name)
}

// load copies rows into a table in bulk.
func load[T any](t *tx, table string, columns []string, rows []T, values func(*T) []any) error {
	if len(rows) == 0 {
		return nil
	}
	_, err := t.c.CopyFrom(t.ctx, pgx.Identifier{table}, columns, pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) { return values(&rows[i]), nil }))
	if err != nil {
		return fmt.Errorf("write to the vault: %w", err)
	}
	return nil
}

func (t *tx) AddVersions(vs []engine.Version) error {
	return load(t, "version", []string{"vid", "oid", "modified", "label", "rule", "first", "kind", "at", "act", "gone", "id", "text", "spec", "created_by",
		"source", "collection", "content", "digest", "raw"}, vs, func(v *engine.Version) []any {
		return []any{v.VID, hash(v.ID), v.Modified, v.Label, v.Rule, v.First, v.Kind, v.At, v.Act, false, v.ID, v.Text, v.Spec, v.CreatedBy, v.Source, v.Collection,
			v.Content, v.Digest, v.Raw}
	})
}

func (t *tx) SetLabel(vid, label, rule int64) error {
	return t.exec("UPDATE version SET label = $1, rule = $2 WHERE vid = $3", label, rule, vid)
}

func (t *tx) Withdraw(vids []int64) error {
	for _, q := range []string{
		"UPDATE version SET gone = true, raw = NULL WHERE vid = ANY($1)",
		"DELETE FROM ref WHERE vid = ANY($1)",
		"DELETE FROM word WHERE vid = ANY($1)",
		"DELETE FROM holder WHERE vid = ANY($1)",
	} {
		if err := t.exec(q, vids); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) AddEvents(es []engine.Event) error {
	const insert = "INSERT INTO event VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
	values := func(e *engine.Event) []any {
		return []any{e.Act, e.N, e.At, e.Kind, e.VID, e.Reader, e.By, e.Text, e.Before, e.Then}
	}
	if len(es) == 1 {
		return t.exec(insert, values(&es[0])...)
	}
	return load(t, "event", []string{"act", "n", "at", "kind", "vid", "reader", "by_reader", "text", "label_before", "label_then"}, es, values)
}

func (t *tx) Hold(reader string, vids []int64, act int64) error {
	return t.exec("INSERT INTO holder SELECT $1, unnest($2::bigint[]), $3", reader, vids, act)
}

func (t *tx) Unhold(reader string, vids []int64) error {
	return t.exec("DELETE FROM holder WHERE reader = $1 AND vid = ANY($2)", reader, vids)
}

func (t *tx) PutFeed(f engine.Feed) error {
	return t.exec(`INSERT INTO feed VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (feed) DO UPDATE SET owner = excluded.owner, key = excluded.key,
		fresh = excluded.fresh, last = excluded.last, behind = excluded.behind`, f.N, f.Owner, f.Key, f.Fresh, f.Last, f.Behind)
}

func (t *tx) DropFeed(feed int64) error {
	for _, table := range []string{"place", "tally", "feed"} {
		if err := t.exec("DELETE FROM "+table+" WHERE feed = $1", feed); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) PutReader(reader string, feed int64) error {
	return t.exec("INSERT INTO reader VALUES ($1, $2) ON CONFLICT (reader) DO UPDATE SET feed = excluded.feed", reader, feed)
}

func (t *tx) DropReader(reader string) error {
	return t.exec("DELETE FROM reader WHERE reader = $1", reader)
}

func (t *tx) AddPlaces(ps []engine.Place) error {
	values := func(p *engine.Place) []any { return []any{p.Feed, p.Added, p.VID, p.Kind, p.Flag} }
	if len(ps) == 1 {
		return t.exec("INSERT INTO place VALUES ($1, $2, $3, $4, $5)", values(&ps[0])...)
	}
	return load(t, "place", []string{"feed", "added", "vid", "kind", "flag"}, ps, values)
}

func (t *tx) Supersede(vid int64, feeds []int64) ([]int64, error) {
	return collect(t, func(f *int64) []any { return []any{f} },
		"UPDATE place SET flag = 1 WHERE vid = $1 AND feed = ANY($2) AND flag = 0 RETURNING feed", vid, feeds)
}

func (t *tx) SetFlag(p engine.Place) error {
	if p.Flag == engine.Removed {
		return t.exec("DELETE FROM place WHERE feed = $1 AND added = $2", p.Feed, p.Added)
	}
	return t.exec("UPDATE place SET flag = $1 WHERE feed = $2 AND added = $3", p.Flag, p.Feed, p.Added)
}

func (t *tx) AddTallies(ts []engine.Tally) error {
	n := len(ts)
	feeds, rules, kinds, totals, latest := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	for i, y := range ts {
		feeds[i], rules[i], kinds[i], totals[i], latest[i] = y.Feed, y.Rule, y.Kind, y.Total, y.Latest
	}
	if err := t.exec(`INSERT INTO tally SELECT * FROM unnest($1::bigint[], $2::int[], $3::int[], $4::bigint[], $5::bigint[])
		ON CONFLICT (feed, rule, kind) DO UPDATE SET total = tally.total + excluded.total, latest = tally.latest + excluded.latest`,
		feeds, rules, kinds, totals, latest); err != nil {
		return err
	}
	return t.exec("DELETE FROM tally WHERE total = 0 AND latest = 0 AND feed = ANY($1)", feeds)
}

func (t *tx) Index(xs []engine.Indexed) error {
	var targets, words []string
	var from, vids []int64
	for _, x := range xs {
		for _, r := range x.Refs {
			targets, from = append(targets, r), append(from, x.VID)
		}
		vids, words = append(vids, x.VID), append(words, strings.Join(x.Terms, " "))
	}
	if err := t.exec("INSERT INTO ref SELECT DISTINCT r, v FROM unnest($1::text[], $2::bigint[]) AS x (r, v) ON CONFLICT DO NOTHING", targets, from); err != nil {
		return err
	}
	// Terms hold letters, digits and marks only.
	return t.exec(`INSERT INTO word SELECT v, array_to_tsvector(string_to_array(w, ' ')) FROM unnest($1::bigint[], $2::text[]) AS x (v, w)
		ON CONFLICT (vid) DO UPDATE SET words = excluded.words`, vids, words)
}

func (t *tx) PutRecord(space, key string, value []byte) error {
	if value == nil {
		value = []byte{}
	}
	return t.exec("INSERT INTO record VALUES ($1, $2, $3) ON CONFLICT (space, key) DO UPDATE SET value = excluded.value", space, key, value)
}

func (t *tx) DeleteRecord(space, key string) error {
	return t.exec("DELETE FROM record WHERE space = $1 AND key = $2", space, key)
}

func (t *tx) AddLeaf(l engine.Leaf, first int64, hashes []tlog.Hash) error {
	if err := t.exec("INSERT INTO leaf VALUES ($1, $2, $3)", l.Index, l.Salt, l.Entry); err != nil {
		return err
	}
	hs := make([][]byte, len(hashes))
	for i := range hashes {
		hs[i] = hashes[i][:]
	}
	return t.exec("INSERT INTO hash SELECT $1::bigint + i - 1, h FROM unnest($2::bytea[]) WITH ORDINALITY AS x (h, i)", first, hs)
}

func (t *tx) SetSetting(name, value string) error {
	return t.exec("INSERT INTO setting VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
}

// Audit implements [engine.Read].
func (t *tx) Audit(yield func(string)) error {
	if err := t.exec(`SELECT set_config(n, v, true) FROM (VALUES ('enable_hashjoin', 'on'), ('enable_mergejoin', 'on'), ('enable_seqscan', 'on'), ('enable_bitmapscan', 'on'),
		('join_collapse_limit', '8')) AS s (n, v)`); err != nil {
		return err
	}
	for _, check := range []struct{ text, q string }{
		{"feed %d shows version %d, which is withdrawn or absent",
			"SELECT p.feed, p.vid FROM place p LEFT JOIN version v USING (vid) WHERE v.gone IS NOT false"},
		{"feed %d shows version %d without a release",
			"SELECT p.feed, p.vid FROM place p JOIN feed f USING (feed) LEFT JOIN holder h ON h.reader = f.owner AND h.vid = p.vid WHERE f.owner <> '' AND h.vid IS NULL"},
		{"entry %d made a holder of version %d without an event that says so",
			`SELECT h.act, h.vid FROM holder h WHERE NOT EXISTS (SELECT FROM event e WHERE e.vid = h.vid AND e.act = h.act AND e.kind = 'release' AND e.reader = h.reader)
			OR EXISTS (SELECT FROM event e WHERE e.vid = h.vid AND e.act > h.act AND (e.kind = 'withdraw' OR e.kind = 'recall' AND e.reader = h.reader))`},
		{"the release of entry %d left no holder of version %d",
			`SELECT e.act, e.vid FROM event e WHERE e.kind = 'release' AND NOT EXISTS (SELECT FROM holder h WHERE h.vid = e.vid AND h.reader = e.reader)
			AND NOT EXISTS (SELECT FROM event l WHERE l.vid = e.vid AND (l.act, l.n) > (e.act, e.n) AND (l.kind = 'withdraw' OR l.kind = 'recall' AND l.reader = e.reader))`},
		{"feed %d shows some versions of rule %d and not others",
			`SELECT c.feed, c.rule FROM (SELECT p.feed, v.rule, count(*) n FROM place p JOIN version v USING (vid) GROUP BY 1, 2) c
			JOIN feed f USING (feed) JOIN (SELECT rule, count(*) n FROM version WHERE NOT gone GROUP BY 1) a ON a.rule = c.rule
			WHERE f.owner = '' AND f.behind = 0 AND c.n <> a.n`},
		{"feed %d lacks a version of rule %d that was released to its reader",
			`SELECT f.feed, v.rule FROM feed f JOIN holder h ON h.reader = f.owner JOIN version v ON v.vid = h.vid WHERE f.behind = 0 AND NOT v.gone
			AND EXISTS (SELECT FROM place q JOIN version w USING (vid) WHERE q.feed = f.feed AND w.rule = v.rule)
			AND NOT EXISTS (SELECT FROM place p WHERE p.feed = f.feed AND p.vid = h.vid)`},
		{"feed %d shows version %d twice", "SELECT p.feed, p.vid FROM place p GROUP BY p.feed, p.vid HAVING count(*) > 1"},
		{"feed %d has no reader (%d)", "SELECT f.feed, 0::bigint FROM feed f WHERE NOT EXISTS (SELECT FROM reader r WHERE r.feed = f.feed)"},
		{"feed %d has not exactly one newest version of the object of version %d",
			`SELECT p.feed, min(v.vid) FROM place p JOIN version v USING (vid) JOIN feed f USING (feed) WHERE f.behind = 0
			GROUP BY p.feed, v.id HAVING count(*) FILTER (WHERE p.flag = 0) <> 1`},
		{"the tally of feed %d under rule %d is wrong",
			`SELECT feed, rule FROM
			(SELECT p.feed, v.rule, p.kind, count(*) total, count(*) FILTER (WHERE p.flag = 0) latest FROM place p JOIN version v USING (vid) WHERE p.flag <> 2 GROUP BY 1, 2, 3) a
			FULL JOIN (SELECT * FROM tally WHERE total <> 0 OR latest <> 0) b USING (feed, rule, kind)
			WHERE (a.total IS DISTINCT FROM b.total OR a.latest IS DISTINCT FROM b.latest) AND feed NOT IN (SELECT feed FROM feed WHERE behind <> 0)`},
	} {
		type pair struct{ a, b int64 }
		found, err := collect(t, func(p *pair) []any { return []any{&p.a, &p.b} }, check.q)
		if err != nil {
			return fmt.Errorf("check the vault: %w", err)
		}
		for _, p := range found {
			yield(fmt.Sprintf(check.text, p.a, p.b))
		}
	}
	return nil
}
