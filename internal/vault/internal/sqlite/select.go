package sqlite

import (
	"errors"
	"fmt"
	"strings"

	"causeway/internal/vault/internal/engine"
)

// query is a Select as SQL.
type query struct {
	from  string
	where []string
	args  []any // of from, then of where
}

func (q *query) and(cond string, args ...any) {
	q.where = append(q.where, cond)
	q.args = append(q.args, args...)
}

// build walks the smallest set that the question names, joins it to the feed,
// and demands of every row, before any limit, that it is in the feed, not
// withdrawn, and under a rule that the asker may see now. Rules beyond the
// end of Allowed give an empty substr and so are denied.
func build(s engine.Select) *query {
	q := &query{}
	const fromVersion = " CROSS JOIN place p INDEXED BY place_version ON p.vid = v.vid AND p.feed = ?"
	switch {
	case s.IDs != nil:
		hashes := make([]int64, len(s.IDs))
		for i, id := range s.IDs {
			hashes[i] = hash(id)
		}
		q.from = "version v INDEXED BY version_object" + fromVersion
		q.args = append(q.args, s.Feed)
		q.and("v.oid IN (SELECT value FROM json_each(?)) AND v.id IN (SELECT value FROM json_each(?))", list(hashes), list(s.IDs))
	case s.Terms != nil:
		q.from = "word w CROSS JOIN version v ON v.vid = w.rowid" + fromVersion
		q.args = append(q.args, s.Feed)
		q.and("w.word MATCH ?", matching(s.Terms))
	case s.RefTo != "":
		q.from = "ref r CROSS JOIN version v ON v.vid = r.vid" + fromVersion
		q.args = append(q.args, s.Feed)
		q.and("r.target = ?", hash(s.RefTo))
	default:
		q.from = "place p CROSS JOIN version v ON v.vid = p.vid"
		q.and("p.feed = ?", s.Feed)
	}
	if s.IDs != nil && s.Terms != nil {
		q.and("v.vid IN (SELECT w.rowid FROM word w WHERE w.word MATCH ?)", matching(s.Terms))
	}
	q.and("v.gone = 0")
	q.and("substr(?, v.rule + 1, 1) = x'01'", s.Allowed)
	if s.HeldBy != "" {
		q.and("EXISTS (SELECT 1 FROM holder h WHERE h.reader = ? AND h.vid = p.vid)", s.HeldBy)
	}
	q.filters(s)
	q.choice(s)
	if s.After != 0 {
		q.and("p.added > ?", s.After)
	}
	if s.Before != 0 {
		q.and("p.added < ?", s.Before)
	}
	return q
}

// matching is a full-text question: every term occurs.
func matching(terms []string) string {
	quoted := make([]string, len(terms))
	for i, t := range terms {
		quoted[i] = `"` + strings.ReplaceAll(t, `"`, `""`) + `"`
	}
	return strings.Join(quoted, " AND ")
}

func (q *query) filters(s engine.Select) {
	if s.Kinds != nil {
		q.and("p.kind IN (SELECT value FROM json_each(?))", list(s.Kinds))
	}
	if s.Labels != nil {
		q.and("v.label IN (SELECT value FROM json_each(?))", list(s.Labels))
	}
	if s.Specs != nil {
		q.and("v.spec IN (SELECT value FROM json_each(?))", list(s.Specs))
	}
	for _, f := range []struct{ column, value string }{{"v.collection", s.Collection}, {"v.created_by", s.CreatedBy}, {"v.source", s.Source}} {
		if f.value != "" {
			q.and(f.column+" = ?", f.value)
		}
	}
	if s.Since != 0 {
		q.and("v.modified >= ?", s.Since)
	}
	if s.Until != 0 {
		q.and("v.modified < ?", s.Until)
	}
}

// other is the condition that another visible version of the same object
// stands before (op <) or after (op >) this one.
func other(op string, s engine.Select) (string, []any) {
	cond := `EXISTS (SELECT 1 FROM version o INDEXED BY version_object CROSS JOIN place x INDEXED BY place_version ON x.vid = o.vid AND x.feed = p.feed
		WHERE o.oid = v.oid AND o.id = v.id AND o.gone = 0 AND x.flag <> 2 AND o.modified ` + op + ` v.modified AND substr(?, o.rule + 1, 1) = x'01'`
	args := []any{s.Allowed}
	if s.Specs != nil {
		cond += " AND o.spec IN (SELECT value FROM json_each(?))"
		args = append(args, list(s.Specs))
	}
	return cond + ")", args
}

// choice picks versions. Flags answer the usual question; with a choice of
// specifications the newest is the newest among those.
func (q *query) choice(s engine.Select) {
	if s.Last && !s.First && s.Times == nil && s.Specs == nil {
		q.and("p.flag = 0")
		return
	}
	q.and("p.flag <> 2")
	if s.All {
		return
	}
	var some []string
	var args []any
	if s.Last {
		cond, a := other(">", s)
		some, args = append(some, "NOT "+cond), append(args, a...)
	}
	if s.First {
		cond, a := other("<", s)
		some, args = append(some, "NOT "+cond), append(args, a...)
	}
	if s.Times != nil {
		some, args = append(some, "v.modified IN (SELECT value FROM json_each(?))"), append(args, list(s.Times))
	}
	if len(some) == 0 {
		some = []string{"0"}
	}
	q.and("("+strings.Join(some, " OR ")+")", args...)
}

// Rows implements [engine.Read].
func (t *tx) Rows(s engine.Select, yield func(*engine.Row) error) error {
	q := build(s)
	text := "SELECT " + rowColumns
	if s.Facts {
		text += ", v.vid, v.at, v.act"
	}
	if !s.Bare {
		text += ", v.raw"
	}
	text += " FROM " + q.from + " WHERE " + strings.Join(q.where, " AND ") + " ORDER BY p.added"
	if s.Newest {
		text += " DESC"
	}
	if s.Limit > 0 {
		text += " LIMIT ?"
		q.args = append(q.args, s.Limit)
	}
	var p page
	size := 0
	err := t.each(func(r *row) error {
		p.read(r.s, &s)
		if err := yield(&p.row); err != nil {
			return err
		}
		if size += len(p.row.Raw); s.MaxBytes > 0 && size > s.MaxBytes {
			return errFull
		}
		return nil
	}, text, q.args...)
	if errors.Is(err, errFull) {
		err = nil
	}
	return err
}

// errFull ends a walk that has given as many bytes as were asked for.
var errFull = errors.New("enough bytes")

// rowColumns are those that a page shows.
const rowColumns = "p.added, v.id, v.text, v.kind, v.spec, v.created_by, v.source, v.collection, v.label"

// Count implements [engine.Read].
func (t *tx) Count(s engine.Select) (n int64, err error) {
	q := build(s)
	if err = t.must([]any{&n}, "SELECT count(*) FROM "+q.from+" WHERE "+strings.Join(q.where, " AND "), q.args...); err != nil {
		err = fmt.Errorf("count in the vault: %w", err)
	}
	return n, err
}
