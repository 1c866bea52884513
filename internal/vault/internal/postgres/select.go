package postgres

import (
	"fmt"
	"slices"
	"strings"

	"causeway/internal/vault/internal/engine"
)

// query is a Select as SQL.
type query struct {
	s       engine.Select
	from    string
	where   []string
	args    []any
	allowed string // placeholder of Allowed
	specs   string // placeholder of Specs
}

// arg gives the placeholder of a value.
func (q *query) arg(v any) string {
	q.args = append(q.args, v)
	return fmt.Sprintf("$%d", len(q.args))
}

func (q *query) and(cond string) { q.where = append(q.where, cond) }

// may is the condition that the asker may see a row's rule now. A rule beyond
// the end of Allowed is denied.
func (q *query) may(table string) string {
	return fmt.Sprintf("CASE WHEN %[1]s.rule < length(%[2]s::bytea) THEN get_byte(%[2]s::bytea, %[1]s.rule) = 1 ELSE false END", table, q.allowed)
}

// build walks the smallest set that the question names, joins it to the feed,
// and demands of every row, before any limit, that it is in the feed, not
// withdrawn, and under a rule that the asker may see now. Joins are made in
// the order they are written, see settings.
func build(s engine.Select) *query {
	q := &query{s: s}
	feed := q.arg(s.Feed)
	q.allowed = q.arg(s.Allowed)
	if s.Specs != nil {
		q.specs = q.arg(s.Specs)
	}
	inFeed := " JOIN place p ON p.vid = v.vid AND p.feed = " + feed
	switch {
	case s.IDs != nil:
		ids := slices.Clone(s.IDs)
		slices.Sort(ids)
		ids = slices.Compact(ids)
		q.from = "unnest(" + q.arg(hashes(ids)) + "::bigint[], " + q.arg(ids) + "::text[]) AS w (oid, id) JOIN version v ON v.oid = w.oid AND v.id = w.id" + inFeed
		if s.Terms != nil {
			q.and("EXISTS (SELECT FROM word w WHERE w.vid = v.vid AND w.words @@ " + q.arg(matching(s.Terms)) + "::tsquery)")
		}
	case s.Terms != nil:
		q.from = "found(" + q.arg(matching(s.Terms)) + "::tsquery) AS w (vid) JOIN version v ON v.vid = w.vid" + inFeed
	case s.RefTo != "":
		q.from = "ref r JOIN version v ON v.vid = r.vid" + inFeed
		q.and("r.target = " + q.arg(s.RefTo))
	default:
		q.from = "place p JOIN version v ON v.vid = p.vid"
		q.and("p.feed = " + feed)
	}
	q.and("NOT v.gone")
	q.and(q.may("v"))
	if s.HeldBy != "" {
		q.and("EXISTS (SELECT FROM holder h WHERE h.reader = " + q.arg(s.HeldBy) + " AND h.vid = p.vid)")
	}
	q.filters()
	q.choice()
	if s.After != 0 {
		q.and("p.added > " + q.arg(s.After))
	}
	if s.Before != 0 {
		q.and("p.added < " + q.arg(s.Before))
	}
	return q
}

// matching is a full-text question: every term occurs. Terms hold letters,
// digits and marks only.
func matching(terms []string) string { return "'" + strings.Join(terms, "' & '") + "'" }

func (q *query) filters() {
	s := &q.s
	if s.Kinds != nil {
		q.and("p.kind = ANY(" + q.arg(s.Kinds) + ")")
	}
	if s.Labels != nil {
		q.and("v.label = ANY(" + q.arg(s.Labels) + ")")
	}
	if s.Specs != nil {
		q.and("v.spec = ANY(" + q.specs + ")")
	}
	for _, f := range []struct{ column, value string }{{"v.collection", s.Collection}, {"v.created_by", s.CreatedBy}, {"v.source", s.Source}} {
		if f.value != "" {
			q.and(f.column + " = " + q.arg(f.value))
		}
	}
	if s.Since != 0 {
		q.and("v.modified >= " + q.arg(s.Since))
	}
	if s.Until != 0 {
		q.and("v.modified < " + q.arg(s.Until))
	}
}

// other is the condition that another visible version of the same object
// stands before (op <) or after (op >) this one.
func (q *query) other(op string) string {
	cond := `EXISTS (SELECT FROM version o JOIN place x ON x.vid = o.vid AND x.feed = p.feed
		WHERE o.oid = v.oid AND o.id = v.id AND NOT o.gone AND x.flag <> 2 AND o.modified ` + op + ` v.modified AND ` + q.may("o")
	if q.specs != "" {
		cond += " AND o.spec = ANY(" + q.specs + ")"
	}
	return cond + ")"
}

// choice picks versions. Flags answer the usual question; with a choice of
// specifications the newest is the newest among those.
func (q *query) choice() {
	s := &q.s
	if s.Last && !s.First && s.Times == nil && s.Specs == nil {
		q.and("p.flag = 0")
		return
	}
	q.and("p.flag <> 2")
	if s.All {
		return
	}
	some := []string{"false"}
	if s.Last {
		some = append(some, "NOT "+q.other(">"))
	}
	if s.First {
		some = append(some, "NOT "+q.other("<"))
	}
	if s.Times != nil {
		some = append(some, "v.modified = ANY("+q.arg(s.Times)+")")
	}
	q.and("(" + strings.Join(some, " OR ") + ")")
}

// Rows implements [engine.Read].
func (t *tx) Rows(s engine.Select, yield func(*engine.Row) error) error {
	q := build(s)
	columns := rowColumns
	row := engine.Row{}
	fields := []any{&row.Added, &row.ID, &row.Text, &row.Version.Kind, &row.Spec, &row.CreatedBy, &row.Source, &row.Collection, &row.Label}
	if s.Facts {
		columns += ", v.vid, v.at, v.act"
		fields = append(fields, &row.Version.VID, &row.At, &row.Act)
	}
	if !s.Bare {
		columns += ", v.raw"
		fields = append(fields, &row.Raw)
	}
	from := " FROM " + q.from + " WHERE " + strings.Join(q.where, " AND ")
	order := " ORDER BY added"
	if s.Newest {
		order += " DESC"
	}
	limit := ""
	if s.Limit > 0 {
		limit = " LIMIT " + q.arg(s.Limit)
	}
	text := "SELECT " + columns + from + order + limit
	if s.MaxBytes > 0 && !s.Bare {
		// The server stops, not we: what it has begun to send would have to
		// be received. Lengths are known without the bytes.
		text = "SELECT " + bare(columns) + " FROM (SELECT " + columns + ", sum(length(v.raw)) OVER (" + order[1:] + " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before" +
			from + order + limit + ") AS v WHERE before IS NULL OR before <= " + q.arg(s.MaxBytes) + order
	}
	rows, err := t.c.Query(t.ctx, text, q.args...)
	if err != nil {
		return fmt.Errorf("query the vault: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		row.Raw = nil
		if err := rows.Scan(fields...); err != nil {
			return fmt.Errorf("read the vault: %w", err)
		}
		if err := yield(&row); err != nil {
			return err
		}
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return fmt.Errorf("query the vault: %w", err)
	}
	return nil
}

// bare gives columns without the names of their tables.
func bare(columns string) string {
	return strings.NewReplacer("p.", "", "v.", "").Replace(columns)
}

// rowColumns are those that a page shows.
const rowColumns = "p.added, v.id, v.text, v.kind, v.spec, v.created_by, v.source, v.collection, v.label"

// Count implements [engine.Read].
func (t *tx) Count(s engine.Select) (n int64, err error) {
	q := build(s)
	if err = t.c.QueryRow(t.ctx, "SELECT count(*) FROM "+q.from+" WHERE "+strings.Join(q.where, " AND "), q.args...).Scan(&n); err != nil {
		err = fmt.Errorf("count in the vault: %w", err)
	}
	return n, err
}
