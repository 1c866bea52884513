package postgres

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"causeway/internal/vault/internal/engine"
)

// collect runs a query and gathers what fields reads from each row.
func collect[T any](t *tx, fields func(*T) []any, q string, args ...any) ([]T, error) {
	rows, err := t.c.Query(t.ctx, q, args...)
	if err != nil {
		return nil, fmt.Errorf("query the vault: %w", err)
	}
	defer rows.Close()
	var out []T
	var v, zero T
	to := fields(&v)
	for rows.Next() {
		v = zero
		if err := rows.Scan(to...); err != nil {
			return nil, fmt.Errorf("read the vault: %w", err)
		}
		out = append(out, v)
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("query the vault: %w", err)
	}
	return out, nil
}

func (t *tx) State() (s engine.State, err error) {
	err = t.c.QueryRow(t.ctx, "SELECT entries, at, next_vid, indexed, generation FROM state").Scan(&s.Entries, &s.At, &s.NextVID, &s.Indexed, &s.Generation)
	if err != nil {
		err = fmt.Errorf("read the state of the vault: %w", err)
	}
	return s, err
}

func (t *tx) Rules(after int64) ([]engine.Rule, error) {
	return collect(t, func(v *engine.Rule) []any { return []any{&v.N, &v.Key} }, "SELECT rule, key FROM rule WHERE rule > $1 ORDER BY rule", after)
}

func (t *tx) Labels(after int64) ([]engine.Label, error) {
	return collect(t, func(v *engine.Label) []any { return []any{&v.N, &v.Rule, &v.Body} },
		"SELECT label, rule, body FROM label WHERE label > $1 ORDER BY label", after)
}

func (t *tx) Kinds(after int64) ([]engine.Kind, error) {
	return collect(t, func(v *engine.Kind) []any { return []any{&v.N, &v.Name} }, "SELECT kind, name FROM kind WHERE kind > $1 ORDER BY kind", after)
}

func feedFields(f *engine.Feed) []any {
	return []any{&f.N, &f.Owner, &f.Key, &f.Fresh, &f.Last, &f.Behind}
}

func (t *tx) Feeds() ([]engine.Feed, error) {
	return collect(t, feedFields, "SELECT feed, owner, key, fresh, last, behind FROM feed ORDER BY feed")
}

func (t *tx) FeedOf(reader string) (engine.Feed, bool, error) {
	fs, err := collect(t, feedFields, "SELECT f.feed, f.owner, f.key, f.fresh, f.last, f.behind FROM reader r JOIN feed f USING (feed) WHERE r.reader = $1", reader)
	if err != nil || len(fs) == 0 {
		return engine.Feed{}, false, err
	}
	return fs[0], true, nil
}

func (t *tx) Readers() (map[string]int64, error) {
	type row struct {
		name string
		feed int64
	}
	rows, err := collect(t, func(r *row) []any { return []any{&r.name, &r.feed} }, "SELECT reader, feed FROM reader")
	out := make(map[string]int64, len(rows))
	for _, r := range rows {
		out[r.name] = r.feed
	}
	return out, err
}

const versionColumns = "v.vid, v.id, v.modified, v.text, v.kind, v.spec, v.created_by, v.source, v.collection, v.label, v.rule, v.first, v.at, v.act, v.content, v.digest, v.gone"

func versionFields(v *engine.Version) []any {
	return []any{&v.VID, &v.ID, &v.Modified, &v.Text, &v.Kind, &v.Spec, &v.CreatedBy, &v.Source, &v.Collection,
		&v.Label, &v.Rule, &v.First, &v.At, &v.Act, &v.Content, &v.Digest, &v.Gone}
}

func (t *tx) Versions(ids []string) ([]engine.Version, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return collect(t, versionFields, "SELECT "+versionColumns+` FROM unnest($1::bigint[], $2::text[]) AS w (oid, id) JOIN version v ON v.oid = w.oid AND v.id = w.id
		WHERE NOT v.gone ORDER BY v.id, v.modified, v.vid`, hashes(ids), ids)
}

func (t *tx) Scan(from int64, raw bool, limit int) ([]engine.Version, error) {
	if !raw {
		return collect(t, versionFields, "SELECT "+versionColumns+" FROM version v WHERE v.vid >= $1 ORDER BY v.vid LIMIT $2", from, limit)
	}
	return collect(t, func(v *engine.Version) []any { return append(versionFields(v), &v.Raw) },
		"SELECT "+versionColumns+", v.raw FROM version v WHERE v.vid >= $1 ORDER BY v.vid LIMIT $2", from, limit)
}

func briefFields(v *engine.Version) []any {
	return []any{&v.VID, &v.Rule, &v.Kind, &v.At, &v.ID, &v.Modified}
}

func (t *tx) ByRule(rules []int64, after int64, limit int) ([]engine.Version, error) {
	return collect(t, briefFields, `SELECT v.vid, v.rule, v.kind, v.at, v.id, v.modified FROM version v
		WHERE v.rule = ANY($1) AND v.vid > $2 AND NOT v.gone ORDER BY v.vid LIMIT $3`, rules, after, limit)
}

func (t *tx) HeldBy(reader string, after int64, limit int) ([]engine.Version, error) {
	return collect(t, briefFields, `SELECT v.vid, v.rule, v.kind, v.at, v.id, v.modified FROM holder h JOIN version v USING (vid)
		WHERE h.reader = $1 AND h.vid > $2 AND NOT v.gone ORDER BY h.vid LIMIT $3`, reader, after, limit)
}

func (t *tx) Holders(vids []int64) (map[int64][]string, error) {
	type row struct {
		vid    int64
		reader string
	}
	rows, err := collect(t, func(r *row) []any { return []any{&r.vid, &r.reader} }, "SELECT vid, reader FROM holder WHERE vid = ANY($1) ORDER BY vid, reader", vids)
	out := map[int64][]string{}
	for _, r := range rows {
		out[r.vid] = append(out[r.vid], r.reader)
	}
	return out, err
}

const placeColumns = "p.feed, p.added, p.vid, p.kind, p.flag"

func placeFields(p *engine.Place) []any {
	return []any{&p.Feed, &p.Added, &p.VID, &p.Kind, &p.Flag}
}

func (t *tx) Places(feed int64, vids []int64) ([]engine.Place, error) {
	return collect(t, placeFields, "SELECT "+placeColumns+" FROM place p WHERE p.vid = ANY($1) AND p.feed = $2", vids, feed)
}

func (t *tx) PlacesOf(vid int64) ([]engine.Place, error) {
	return collect(t, placeFields, "SELECT "+placeColumns+" FROM place p WHERE p.vid = $1 ORDER BY p.feed", vid)
}

func (t *tx) FeedPlaces(feed int64, after engine.Micros, limit int) ([]engine.Place, error) {
	return collect(t, placeFields, "SELECT "+placeColumns+" FROM place p WHERE p.feed = $1 AND p.added > $2 ORDER BY p.added LIMIT $3", feed, after, limit)
}

func (t *tx) Tallies(feed int64) ([]engine.Tally, error) {
	return collect(t, func(y *engine.Tally) []any { return []any{&y.Feed, &y.Rule, &y.Kind, &y.Total, &y.Latest} },
		"SELECT feed, rule, kind, total, latest FROM tally WHERE feed = $1", feed)
}

const eventColumns = "e.act, e.n, e.at, e.kind, e.vid, e.reader, e.by_reader, e.text, e.label_before, e.label_then, coalesce(v.id, ''), coalesce(v.text, '')"

func eventFields(e *engine.Event) []any {
	return []any{&e.Act, &e.N, &e.At, &e.Kind, &e.VID, &e.Reader, &e.By, &e.Text, &e.Before, &e.Then, &e.ID, &e.Version}
}

func (t *tx) Events(ids []string) ([]engine.Event, error) {
	return collect(t, eventFields, "SELECT "+eventColumns+` FROM unnest($1::bigint[], $2::text[]) AS w (oid, id)
		JOIN version v ON v.oid = w.oid AND v.id = w.id JOIN event e ON e.vid = v.vid ORDER BY v.id, e.act, e.n`, hashes(ids), ids)
}

func (t *tx) ScanEvents(act, n int64, limit int) ([]engine.Event, error) {
	return collect(t, eventFields, "SELECT "+eventColumns+` FROM event e LEFT JOIN version v USING (vid)
		WHERE (e.act, e.n) >= ($1, $2) ORDER BY e.act, e.n LIMIT $3`, act, n, limit)
}

func (t *tx) Record(space, key string) ([]byte, bool, error) {
	var b []byte
	err := t.c.QueryRow(t.ctx, "SELECT value FROM record WHERE space = $1 AND key = $2", space, key).Scan(&b)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read record %s/%s: %w", space, key, err)
	}
	return b, true, nil
}

func (t *tx) Records(space, prefix string, yield func(space, key string, value []byte) error) error {
	type record struct {
		key   string
		value []byte
	}
	// In pieces, so that yield may use this transaction.
	const piece = 256
	for last, first := prefix, true; ; first = false {
		rs, err := collect(t, func(r *record) []any { return []any{&r.key, &r.value} },
			"SELECT key, value FROM record WHERE space = $1 AND key >= $2 AND (key > $2 OR $3) AND starts_with(key, $4) ORDER BY key LIMIT $5", space, last, first, prefix, piece)
		if err != nil {
			return err
		}
		for _, r := range rs {
			if err := yield(space, r.key, r.value); err != nil {
				return err
			}
			last = r.key
		}
		if len(rs) < piece {
			return nil
		}
	}
}

func (t *tx) Spaces() ([]string, error) {
	return collect(t, func(s *string) []any { return []any{s} }, "SELECT DISTINCT space FROM record ORDER BY space")
}

func (t *tx) Hashes(indexes []int64) ([]tlog.Hash, error) {
	type row struct {
		n    int64
		hash []byte
	}
	rows, err := collect(t, func(r *row) []any { return []any{&r.n, &r.hash} }, "SELECT n, hash FROM hash WHERE n = ANY($1)", indexes)
	if err != nil {
		return nil, err
	}
	by := make(map[int64][]byte, len(rows))
	for _, r := range rows {
		by[r.n] = r.hash
	}
	out := make([]tlog.Hash, len(indexes))
	for i, n := range indexes {
		if copy(out[i][:], by[n]) != tlog.HashSize {
			return nil, fmt.Errorf("read hash %d of the audit log: it is missing or cut", n)
		}
	}
	return out, nil
}

func (t *tx) Leaf(index int64) (l engine.Leaf, err error) {
	l.Index = index
	if err = t.c.QueryRow(t.ctx, "SELECT salt, entry FROM leaf WHERE n = $1", index).Scan(&l.Salt, &l.Entry); err != nil {
		err = fmt.Errorf("read entry %d of the audit log: %w", index, err)
	}
	return l, err
}

func (t *tx) Setting(name string) (s string, err error) {
	if err = t.c.QueryRow(t.ctx, "SELECT value FROM setting WHERE name = $1", name).Scan(&s); errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	} else if err != nil {
		err = fmt.Errorf("read setting %s: %w", name, err)
	}
	return s, err
}
