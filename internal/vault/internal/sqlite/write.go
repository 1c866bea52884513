package sqlite

import (
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"causeway/internal/vault/internal/engine"
)

func (t *tx) SetState(s engine.State) error {
	return t.exec("UPDATE state SET entries = ?, at = ?, next_vid = ?, indexed = ?, generation = ?", s.Entries, s.At, s.NextVID, s.Indexed, s.Generation)
}

func (t *tx) AddRule(r engine.Rule) error {
	return t.exec("INSERT INTO rule VALUES (?, ?)", r.N, r.Key)
}

func (t *tx) AddLabel(l engine.Label) error {
	return t.exec("INSERT INTO label VALUES (?, ?, ?)", l.N, l.Rule, l.Body)
}

func (t *tx) AddKind(k engine.Kind) error {
	return t.exec("INSERT INTO kind VALUES (?, ?)", k.N, k.Name)
}

// batch inserts rows of width values, several to a statement: most of the
// cost of one is outside the tree it changes. A failure ends the transaction,
// so SQLite need not keep what it would take to undo one statement.
func batch[T any](t *tx, table string, width int, rows []T, args func(T, []any) []any) error {
	const most = 16
	one := "(" + strings.Repeat("?, ", width-1) + "?)"
	many := "INSERT OR FAIL INTO " + table + " VALUES " + strings.Repeat(one+", ", most-1) + one
	buf := make([]any, 0, most*width)
	for len(rows) >= most {
		buf = buf[:0]
		for _, r := range rows[:most] {
			buf = args(r, buf)
		}
		if err := t.exec(many, buf...); err != nil {
			return err
		}
		rows = rows[most:]
	}
	for _, r := range rows {
		if err := t.exec("INSERT OR FAIL INTO "+table+" VALUES "+one, args(r, buf[:0])...); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) AddVersions(vs []engine.Version) error {
	return batch(t, "version", 19, vs, func(v engine.Version, a []any) []any {
		return append(a, v.VID, hash(v.ID), v.Modified, v.Kind, v.Label, v.Rule, v.First, v.At, v.Act, 0, v.ID, v.Text, v.Spec, v.CreatedBy,
			v.Source, v.Collection, v.Content, v.Digest, v.Raw)
	})
}

func (t *tx) SetLabel(vid, label, rule int64) error {
	return t.exec("UPDATE version SET label = ?, rule = ? WHERE vid = ?", label, rule, vid)
}

func (t *tx) Withdraw(vids []int64) error {
	for _, v := range vids {
		for _, q := range []string{
			"UPDATE version SET gone = 1, raw = NULL WHERE vid = ?",
			"DELETE FROM ref WHERE vid = ?",
			"DELETE FROM word WHERE rowid = ?",
			"DELETE FROM holder WHERE vid = ?",
		} {
			if err := t.exec(q, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *tx) AddEvents(es []engine.Event) error {
	return batch(t, "event", 10, es, func(e engine.Event, a []any) []any {
		return append(a, e.Act, e.N, e.At, e.Kind, e.VID, e.Reader, e.By, e.Text, e.Before, e.Then)
	})
}

func (t *tx) Hold(reader string, vids []int64, act int64) error {
	return batch(t, "holder", 3, vids, func(v int64, a []any) []any { return append(a, reader, v, act) })
}

func (t *tx) Unhold(reader string, vids []int64) error {
	return t.exec("DELETE FROM holder WHERE reader = ? AND vid IN (SELECT value FROM json_each(?))", reader, list(vids))
}

func (t *tx) PutFeed(f engine.Feed) error {
	return t.exec("INSERT OR REPLACE INTO feed VALUES (?, ?, ?, ?, ?, ?)", f.N, f.Owner, f.Key, f.Fresh, f.Last, f.Behind)
}

func (t *tx) DropFeed(feed int64) error {
	for _, table := range []string{"place", "tally", "feed"} {
		if err := t.exec("DELETE FROM "+table+" WHERE feed = ?", feed); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) PutReader(reader string, feed int64) error {
	return t.exec("INSERT OR REPLACE INTO reader VALUES (?, ?)", reader, feed)
}

func (t *tx) DropReader(reader string) error {
	return t.exec("DELETE FROM reader WHERE reader = ?", reader)
}

func (t *tx) AddPlaces(ps []engine.Place) error {
	return batch(t, "place", 5, ps, func(p engine.Place, a []any) []any { return append(a, p.Feed, p.Added, p.VID, p.Kind, p.Flag) })
}

func (t *tx) Supersede(vid int64, feeds []int64) (changed []int64, err error) {
	places, err := t.PlacesOf(vid)
	if err != nil {
		return nil, err
	}
	in := make(map[int64]bool, len(feeds))
	for _, f := range feeds {
		in[f] = true
	}
	for _, p := range places {
		if p.Flag != engine.Latest || !in[p.Feed] {
			continue
		}
		p.Flag = engine.Older
		if err := t.SetFlag(p); err != nil {
			return nil, err
		}
		changed = append(changed, p.Feed)
	}
	return changed, nil
}

func (t *tx) SetFlag(p engine.Place) error {
	if p.Flag == engine.Removed {
		return t.exec("DELETE FROM place WHERE feed = ? AND added = ?", p.Feed, p.Added)
	}
	return t.exec("UPDATE place SET flag = ? WHERE feed = ? AND added = ?", p.Flag, p.Feed, p.Added)
}

func (t *tx) AddTallies(ts []engine.Tally) error {
	for _, y := range ts {
		if err := t.exec(`INSERT INTO tally VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET total = total + excluded.total, latest = latest + excluded.latest`, y.Feed, y.Rule, y.Kind, y.Total, y.Latest); err != nil {
			return err
		}
	}
	return t.exec("DELETE FROM tally WHERE total = 0 AND latest = 0 AND feed IN (SELECT value FROM json_each(?))", list(feedsOf(ts)))
}

// feedsOf lists the feeds in which something became fewer.
func feedsOf(ts []engine.Tally) (out []int64) {
	for _, y := range ts {
		if y.Total < 0 {
			out = append(out, y.Feed)
		}
	}
	return out
}

func (t *tx) Index(xs []engine.Indexed) error {
	for _, x := range xs {
		for _, r := range x.Refs {
			if err := t.exec("INSERT OR IGNORE INTO ref VALUES (?, ?)", hash(r), x.VID); err != nil {
				return err
			}
		}
		if err := t.exec("INSERT INTO word (rowid, words) VALUES (?, ?)", x.VID, strings.Join(x.Terms, " ")); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) PutRecord(space, key string, value []byte) error {
	if value == nil {
		value = []byte{}
	}
	return t.exec("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", space, key, value)
}

func (t *tx) DeleteRecord(space, key string) error {
	return t.exec("DELETE FROM record WHERE space = ? AND key = ?", space, key)
}

func (t *tx) AddLeaf(l engine.Leaf, first int64, hashes []tlog.Hash) error {
	if err := t.exec("INSERT INTO leaf VALUES (?, ?, ?)", l.Index, l.Salt, l.Entry); err != nil {
		return err
	}
	for i := range hashes {
		if err := t.exec("INSERT INTO hash VALUES (?, ?)", first+int64(i), hashes[i][:]); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) SetSetting(name, value string) error {
	return t.exec("INSERT OR REPLACE INTO setting VALUES (?, ?)", name, value)
}

// Announce implements [engine.Write]: there are no other processes.
func (t *tx) Announce([]int64) error { return nil }

// Audit implements [engine.Read].
func (t *tx) Audit(yield func(string)) error {
	for _, check := range []struct{ text, q string }{
		{"feed %d shows version %d, which is withdrawn or absent",
			"SELECT p.feed, p.vid FROM place p LEFT JOIN version v ON v.vid = p.vid WHERE v.vid IS NULL OR v.gone = 1"},
		{"feed %d shows version %d without a release",
			`SELECT p.feed, p.vid FROM place p JOIN feed f ON f.feed = p.feed WHERE f.owner <> ''
			AND NOT EXISTS (SELECT 1 FROM holder h WHERE h.reader = f.owner AND h.vid = p.vid)`},
		{"entry %d made a holder of version %d without an event that says so",
			`SELECT h.act, h.vid FROM holder h WHERE NOT EXISTS (SELECT 1 FROM event e WHERE e.vid = h.vid AND e.act = h.act AND e.kind = 'release' AND e.reader = h.reader)
			OR EXISTS (SELECT 1 FROM event e WHERE e.vid = h.vid AND e.act > h.act AND (e.kind = 'withdraw' OR e.kind = 'recall' AND e.reader = h.reader))`},
		{"the release of entry %d left no holder of version %d",
			`SELECT e.act, e.vid FROM event e WHERE e.kind = 'release' AND NOT EXISTS (SELECT 1 FROM holder h WHERE h.vid = e.vid AND h.reader = e.reader)
			AND NOT EXISTS (SELECT 1 FROM event l WHERE l.vid = e.vid AND (l.act, l.n) > (e.act, e.n) AND (l.kind = 'withdraw' OR l.kind = 'recall' AND l.reader = e.reader))`},
		{"feed %d shows some versions of rule %d and not others",
			`SELECT c.feed, c.rule FROM (SELECT p.feed, v.rule, count(*) n FROM place p JOIN version v ON v.vid = p.vid GROUP BY 1, 2) c
			JOIN feed f ON f.feed = c.feed JOIN (SELECT rule, count(*) n FROM version WHERE gone = 0 GROUP BY 1) a ON a.rule = c.rule
			WHERE f.owner = '' AND f.behind = 0 AND c.n <> a.n`},
		{"feed %d lacks a version of rule %d that was released to its reader",
			`SELECT f.feed, v.rule FROM feed f JOIN holder h ON h.reader = f.owner JOIN version v ON v.vid = h.vid WHERE f.behind = 0 AND v.gone = 0
			AND EXISTS (SELECT 1 FROM place q JOIN version w ON w.vid = q.vid WHERE q.feed = f.feed AND w.rule = v.rule)
			AND NOT EXISTS (SELECT 1 FROM place p WHERE p.feed = f.feed AND p.vid = h.vid)`},
		{"feed %d shows version %d twice", "SELECT p.feed, p.vid FROM place p GROUP BY p.feed, p.vid HAVING count(*) > 1"},
		{"feed %d has no reader (%d)", "SELECT f.feed, 0 FROM feed f WHERE NOT EXISTS (SELECT 1 FROM reader r WHERE r.feed = f.feed)"},
		{"feed %d has not exactly one newest version of the object of version %d",
			`SELECT p.feed, min(v.vid) FROM place p JOIN version v ON v.vid = p.vid JOIN feed f ON f.feed = p.feed WHERE f.behind = 0
			GROUP BY p.feed, v.id HAVING sum(p.flag = 0) <> 1`},
		{"the tally of feed %d under rule %d is wrong",
			`SELECT coalesce(a.feed, b.feed) n, coalesce(a.rule, b.rule) FROM
			(SELECT p.feed, v.rule, p.kind, sum(p.flag <> 2) total, sum(p.flag = 0) latest FROM place p JOIN version v ON v.vid = p.vid WHERE p.flag <> 2 GROUP BY 1, 2, 3) a
			FULL JOIN (SELECT * FROM tally WHERE total <> 0 OR latest <> 0) b ON a.feed = b.feed AND a.rule = b.rule AND a.kind = b.kind
			WHERE (a.total IS NOT b.total OR a.latest IS NOT b.latest) AND n NOT IN (SELECT feed FROM feed WHERE behind <> 0)`},
	} {
		err := t.c.each(func(r *row) error {
			var a, b int64
			if err := r.Scan(&a, &b); err != nil {
				return err
			}
			yield(fmt.Sprintf(check.text, a, b))
			return nil
		}, check.q)
		if err != nil {
			return fmt.Errorf("check the vault: %w", err)
		}
	}
	return nil
}
