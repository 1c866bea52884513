package sqlite

import (
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"causeway/internal/vault/internal/engine"
)

// list is a parameter for IN (SELECT value FROM json_each(?)).
func list[T any](v []T) string {
	if v == nil {
		return "[]"
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // numbers and strings only
	}
	return string(b)
}

// collect runs a query and gathers what scan reads from each row.
func collect[T any](t *tx, scan func(*row, *T) error, q string, args ...any) ([]T, error) {
	var out []T
	err := t.each(func(r *row) error {
		var v T
		if err := scan(r, &v); err != nil {
			return fmt.Errorf("read the vault: %w", err)
		}
		out = append(out, v)
		return nil
	}, q, args...)
	return out, err
}

// must reads a row that has to be there.
func (t *tx) must(dest []any, q string, args ...any) error {
	found, err := t.c.one(dest, q, args...)
	if err == nil && !found {
		err = errors.New("it is not there")
	}
	return err
}

func (t *tx) State() (s engine.State, err error) {
	if err = t.must([]any{&s.Entries, &s.At, &s.NextVID, &s.Indexed, &s.Generation}, "SELECT entries, at, next_vid, indexed, generation FROM state"); err != nil {
		err = fmt.Errorf("read the state of the vault: %w", err)
	}
	return s, err
}

func (t *tx) Rules(after int64) ([]engine.Rule, error) {
	return collect(t, func(r *row, v *engine.Rule) error { return r.Scan(&v.N, &v.Key) },
		"SELECT rule, key FROM rule WHERE rule > ? ORDER BY rule", after)
}

func (t *tx) Labels(after int64) ([]engine.Label, error) {
	return collect(t, func(r *row, v *engine.Label) error { return r.Scan(&v.N, &v.Rule, &v.Body) },
		"SELECT label, rule, body FROM label WHERE label > ? ORDER BY label", after)
}

func (t *tx) Kinds(after int64) ([]engine.Kind, error) {
	return collect(t, func(r *row, v *engine.Kind) error { return r.Scan(&v.N, &v.Name) },
		"SELECT kind, name FROM kind WHERE kind > ? ORDER BY kind", after)
}

const feedColumns = "feed, owner, key, fresh, last, behind"

func scanFeed(r *row, f *engine.Feed) error {
	return r.Scan(&f.N, &f.Owner, &f.Key, &f.Fresh, &f.Last, &f.Behind)
}

func (t *tx) Feeds() ([]engine.Feed, error) {
	return collect(t, scanFeed, "SELECT "+feedColumns+" FROM feed ORDER BY feed")
}

func (t *tx) FeedOf(reader string) (engine.Feed, bool, error) {
	fs, err := collect(t, scanFeed, "SELECT "+feedColumns+" FROM feed WHERE feed = (SELECT feed FROM reader WHERE reader = ?)", reader)
	if err != nil || len(fs) == 0 {
		return engine.Feed{}, false, err
	}
	return fs[0], true, nil
}

func (t *tx) Readers() (map[string]int64, error) {
	out := map[string]int64{}
	err := t.each(func(r *row) error {
		var name string
		var feed int64
		err := r.Scan(&name, &feed)
		out[name] = feed
		return err
	}, "SELECT reader, feed FROM reader")
	return out, err
}

const versionColumns = "v.vid, v.id, v.modified, v.text, v.kind, v.spec, v.created_by, v.source, v.collection, v.label, v.rule, v.first, v.at, v.act, v.content, v.digest, v.gone"

func versionFields(v *engine.Version) []any {
	return []any{&v.VID, &v.ID, &v.Modified, &v.Text, &v.Kind, &v.Spec, &v.CreatedBy, &v.Source, &v.Collection,
		&v.Label, &v.Rule, &v.First, &v.At, &v.Act, &v.Content, &v.Digest, &v.Gone}
}

func (t *tx) Versions(ids []string) ([]engine.Version, error) {
	var out []engine.Version
	for _, id := range ids {
		vs, err := collect(t, func(r *row, v *engine.Version) error { return r.Scan(versionFields(v)...) },
			"SELECT "+versionColumns+" FROM version v WHERE v.oid = ? AND v.id = ? AND v.gone = 0 ORDER BY v.modified, v.vid", hash(id), id)
		if err != nil {
			return nil, err
		}
		out = append(out, vs...)
	}
	return out, nil
}

func (t *tx) Scan(from int64, raw bool, limit int) ([]engine.Version, error) {
	if !raw {
		return collect(t, func(r *row, v *engine.Version) error { return r.Scan(versionFields(v)...) },
			"SELECT "+versionColumns+" FROM version v WHERE v.vid >= ? ORDER BY v.vid LIMIT ?", from, limit)
	}
	return collect(t, func(r *row, v *engine.Version) error { return r.Scan(append(versionFields(v), &v.Raw)...) },
		"SELECT "+versionColumns+", v.raw FROM version v WHERE v.vid >= ? ORDER BY v.vid LIMIT ?", from, limit)
}

func scanBrief(r *row, v *engine.Version) error {
	return r.Scan(&v.VID, &v.Rule, &v.Kind, &v.At, &v.ID, &v.Modified)
}

func (t *tx) ByRule(rules []int64, after int64, limit int) ([]engine.Version, error) {
	return collect(t, scanBrief, `SELECT v.vid, v.rule, v.kind, v.at, v.id, v.modified FROM version v
		WHERE v.rule IN (SELECT value FROM json_each(?)) AND v.vid > ? AND v.gone = 0 ORDER BY v.vid LIMIT ?`, list(rules), after, limit)
}

func (t *tx) HeldBy(reader string, after int64, limit int) ([]engine.Version, error) {
	return collect(t, scanBrief, `SELECT v.vid, v.rule, v.kind, v.at, v.id, v.modified FROM holder h CROSS JOIN version v ON v.vid = h.vid
		WHERE h.reader = ? AND h.vid > ? AND v.gone = 0 ORDER BY h.vid LIMIT ?`, reader, after, limit)
}

func (t *tx) Holders(vids []int64) (map[int64][]string, error) {
	out := map[int64][]string{}
	err := t.each(func(r *row) error {
		var vid int64
		var reader string
		err := r.Scan(&vid, &reader)
		out[vid] = append(out[vid], reader)
		return err
	}, "SELECT vid, reader FROM holder WHERE vid IN (SELECT value FROM json_each(?)) ORDER BY vid, reader", list(vids))
	return out, err
}

const placeColumns = "p.feed, p.added, p.vid, p.kind, p.flag"

func placeFields(p *engine.Place) []any { return []any{&p.Feed, &p.Added, &p.VID, &p.Kind, &p.Flag} }

func scanPlace(r *row, p *engine.Place) error { return r.Scan(placeFields(p)...) }

func (t *tx) Places(feed int64, vids []int64) ([]engine.Place, error) {
	return collect(t, scanPlace, "SELECT "+placeColumns+` FROM json_each(?) j CROSS JOIN place p INDEXED BY place_version
		ON p.vid = j.value AND p.feed = ?`, list(vids), feed)
}

func (t *tx) PlacesOf(vid int64) ([]engine.Place, error) {
	return collect(t, scanPlace, "SELECT "+placeColumns+" FROM place p WHERE p.vid = ? ORDER BY p.feed", vid)
}

func (t *tx) FeedPlaces(feed int64, after engine.Micros, limit int) ([]engine.Place, error) {
	return collect(t, scanPlace, "SELECT "+placeColumns+" FROM place p WHERE p.feed = ? AND p.added > ? ORDER BY p.added LIMIT ?", feed, after, limit)
}

func (t *tx) Tallies(feed int64) ([]engine.Tally, error) {
	return collect(t, func(r *row, y *engine.Tally) error {
		return r.Scan(&y.Feed, &y.Rule, &y.Kind, &y.Total, &y.Latest)
	}, "SELECT feed, rule, kind, total, latest FROM tally WHERE feed = ?", feed)
}

const eventColumns = "e.act, e.n, e.at, e.kind, e.vid, e.reader, e.by_reader, e.text, e.label_before, e.label_then, coalesce(v.id, ''), coalesce(v.text, '')"

func scanEvent(r *row, e *engine.Event) error {
	return r.Scan(&e.Act, &e.N, &e.At, &e.Kind, &e.VID, &e.Reader, &e.By, &e.Text, &e.Before, &e.Then, &e.ID, &e.Version)
}

func (t *tx) Events(ids []string) ([]engine.Event, error) {
	var out []engine.Event
	for _, id := range ids {
		es, err := collect(t, scanEvent, "SELECT "+eventColumns+` FROM version v CROSS JOIN event e ON e.vid = v.vid
			WHERE v.oid = ? AND v.id = ? ORDER BY e.act, e.n`, hash(id), id)
		if err != nil {
			return nil, err
		}
		out = append(out, es...)
	}
	return out, nil
}

func (t *tx) ScanEvents(act, n int64, limit int) ([]engine.Event, error) {
	return collect(t, scanEvent, "SELECT "+eventColumns+` FROM event e LEFT JOIN version v ON v.vid = e.vid
		WHERE (e.act, e.n) >= (?, ?) ORDER BY e.act, e.n LIMIT ?`, act, n, limit)
}

func (t *tx) Record(space, key string) ([]byte, bool, error) {
	var b []byte
	found, err := t.c.one([]any{&b}, "SELECT value FROM record WHERE space = ? AND key = ?", space, key)
	if err != nil {
		return nil, false, fmt.Errorf("read record %s/%s: %w", space, key, err)
	}
	return b, found, nil
}

func (t *tx) Records(space, prefix string, yield func(space, key string, value []byte) error) error {
	type record struct {
		space, key string
		value      []byte
	}
	// In pieces, so that yield may use this transaction.
	last, first := prefix, true
	for {
		op := ">"
		if first {
			op = ">="
		}
		q, args := "SELECT space, key, value FROM record WHERE space = ? AND key "+op+" ? ORDER BY key LIMIT 256", []any{space, last}
		rs, err := collect(t, func(r *row, v *record) error { return r.Scan(&v.space, &v.key, &v.value) }, q, args...)
		if err != nil {
			return err
		}
		for _, r := range rs {
			if len(r.key) < len(prefix) || r.key[:len(prefix)] != prefix {
				return nil
			}
			if err := yield(r.space, r.key, r.value); err != nil {
				return err
			}
		}
		if len(rs) < 256 {
			return nil
		}
		last, first = rs[len(rs)-1].key, false
	}
}

func (t *tx) Spaces() ([]string, error) {
	return collect(t, func(r *row, s *string) error { return r.Scan(s) }, "SELECT DISTINCT space FROM record ORDER BY space")
}

func (t *tx) Hashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, n := range indexes {
		var b []byte
		if err := t.must([]any{&b}, "SELECT hash FROM hash WHERE n = ?", n); err != nil {
			return nil, fmt.Errorf("read hash %d of the audit log: %w", n, err)
		}
		if copy(out[i][:], b) != tlog.HashSize {
			return nil, fmt.Errorf("read hash %d of the audit log: %d bytes", n, len(b))
		}
	}
	return out, nil
}

func (t *tx) Leaf(index int64) (l engine.Leaf, err error) {
	l.Index = index
	if err = t.must([]any{&l.Salt, &l.Entry}, "SELECT salt, entry FROM leaf WHERE n = ?", index); err != nil {
		err = fmt.Errorf("read entry %d of the audit log: %w", index, err)
	}
	return l, err
}

func (t *tx) Setting(name string) (s string, err error) {
	if _, err = t.c.one([]any{&s}, "SELECT value FROM setting WHERE name = ?", name); err != nil {
		err = fmt.Errorf("read setting %s: %w", name, err)
	}
	return s, err
}
