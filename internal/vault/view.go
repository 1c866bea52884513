package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault/internal/engine"
	"causeway/label"
)

// View is what one reader may see. It holds no state of its own: each answer
// is one consistent state of the store, decided with the holdings the reader
// was given. Every question of a partner, and every search, is logged before
// its answer is given out.
type View struct {
	v *Vault
	r Reader
}

// Row is one version as its reader sees it.
type Row struct {
	ID          string
	Version     string // modified, else created, else Unversioned, as the producer wrote it
	Type        string
	SpecVersion string
	Seq         int64     // place in the reader's own feed; grows with Added
	Added       time.Time // when it became available to this reader
	Raw         []byte    // the producer's bytes
	Effective   label.Effective
	Source      string // "local" or the reader id of the partner that sent it; "" for readers outside the node
	Collection  string
	CreatedBy   string
}

// Page is a run of rows.
type Page struct {
	Rows        []Row
	More        bool      // at least one further visible row follows
	Next        string    // cursor of what follows, also when nothing does yet; "" for an empty page without one
	First, Last time.Time // Added of the first and last row; zero when there is none
}

// question is one read under way, inside one consistent state.
type question struct {
	v       *Vault
	r       Reader
	db      engine.Read
	feed    engine.Feed
	allowed []byte
}

// errAttach says that the reader's feed has to be made to fit first.
var errAttach = errors.New("the reader's feed does not fit what the reader holds")

// ask runs do on one consistent state. With a note, the state is that of a
// write transaction, and what do says was answered is logged in it.
func (w *View) ask(ctx context.Context, a *audit.Act, do func(*question) error) error {
	v, r := w.v, w.r
	if a != nil || r.Kind == Partner {
		return w.logged(ctx, a, do)
	}
	read := func() error {
		return v.db.Read(ctx, func(db engine.Read) error {
			if err := v.interned.learn(db); err != nil {
				return err
			}
			f, ok, err := db.FeedOf(r.ID)
			if err != nil {
				return err
			}
			if !ok || f.Key != v.interned.audience(r.Holdings, nil) || f.Behind != 0 || f.Owner == "" && r.released() || f.Owner != "" && f.Owner != r.ID {
				return errAttach
			}
			return do(&question{v, r, db, f, v.interned.allowed(r.Holdings)})
		})
	}
	for range 3 {
		err := read()
		if !errors.Is(err, errAttach) {
			return err
		}
		if err := v.write(ctx, false, func(s *session) error { return s.attach(r) }); err != nil {
			return err
		}
	}
	return fmt.Errorf("read as %s: what the reader holds keeps changing", r.ID)
}

func (w *View) logged(ctx context.Context, a *audit.Act, do func(*question) error) error {
	var answer error
	err := w.v.write(ctx, false, func(s *session) error {
		if err := s.attach(w.r); err != nil {
			return err
		}
		f := s.feeds[s.readers[w.r.ID]]
		answer = do(&question{w.v, w.r, s.w, f.Feed, s.v.interned.allowed(w.r.Holdings)})
		if answer != nil {
			if a.Detail == nil {
				a.Detail = map[string]string{}
			}
			a.Detail["answer"] = answer.Error()
		}
		_, err := s.log(*a, nil)
		return err
	})
	if err != nil {
		return err
	}
	return answer
}

// note begins the audit entry of a question, for those that are logged.
func (w *View) note(verb, subject string, always bool) *audit.Act {
	if w.r.Kind != Partner && !always {
		return nil
	}
	return &audit.Act{Actor: w.r.ID, Verb: verb, Subject: subject, Detail: map[string]string{}}
}

// answered completes the entry with how much was shown.
func answered(a *audit.Act, rows []Row) {
	if a == nil {
		return
	}
	a.Detail["rows"] = strconv.Itoa(len(rows))
	if len(rows) > 0 {
		a.Detail["first"] = strconv.FormatInt(rows[0].Seq, 10)
		a.Detail["last"] = strconv.FormatInt(rows[len(rows)-1].Seq, 10)
	}
}

func described(a *audit.Act, what any) {
	if a == nil {
		return
	}
	if b, err := json.Marshal(what); err == nil && string(b) != "{}" {
		a.Detail["match"] = string(b)
	}
}

func (q *question) selects(m *Match) (engine.Select, error) {
	s, err := q.v.resolve(m)
	s.Feed, s.Allowed = q.feed.N, q.allowed
	if q.r.released() {
		s.HeldBy = q.r.ID
	}
	return s, err
}

func (q *question) rows(s engine.Select) ([]Row, error) {
	out := make([]Row, 0, min(s.Limit, 16))
	err := q.db.Rows(s, func(g *engine.Row) error {
		r := Row{ID: g.ID, Version: g.Text, Type: q.v.interned.kind(g.Version.Kind), SpecVersion: g.Spec, Seq: g.Added, Added: timeOf(g.Added),
			Raw: g.Raw, Effective: q.v.interned.label(g.Label).effective, Source: g.Source, Collection: g.Collection, CreatedBy: g.CreatedBy}
		if q.r.released() {
			r.Source = ""
		}
		if len(out) == cap(out) && len(out) < s.Limit {
			out = slices.Grow(out, s.Limit-len(out)) // most answers are few or as many as may be
		}
		out = append(out, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Page reads versions in the order in which they became available to the
// reader.
func (w *View) Page(ctx context.Context, query Query) (Page, error) {
	return w.page(ctx, w.note("read", "", query.Text != "" || query.NeighbourOf != ""), query)
}

func (w *View) page(ctx context.Context, a *audit.Act, query Query) (p Page, err error) {
	m := query.Match
	after, before := query.After, int64(0)
	if query.Cursor != "" {
		c, err := w.v.unseal(w.r.ID, query.Cursor)
		if err != nil {
			return p, err
		}
		if same(m, Match{}) {
			m = c.match
		} else if !same(m, c.match) {
			return p, fmt.Errorf("%w: it was made for another question", ErrCursor)
		}
		if c.newest {
			before, query.Newest = c.added, true
		} else {
			after = max(after, c.added)
		}
	}
	limit := query.Limit
	if limit <= 0 {
		limit = DefaultLimit
	}
	limit = min(limit, MaxLimit)
	described(a, m)
	if err := w.v.indexedFor(ctx, &m); err != nil {
		return p, err
	}
	last := after
	err = w.ask(ctx, a, func(q *question) error {
		p, last = Page{}, after
		s, err := q.selects(&m)
		if err != nil {
			return err
		}
		if m.NeighbourOf != "" {
			ids, err := q.neighbours(m.NeighbourOf)
			if err != nil {
				return err
			}
			s.IDs = intersect(s.IDs, ids)
		}
		s.After, s.Before, s.Newest, s.Bare, s.Limit = max(s.After, after), before, query.Newest, query.Bare, limit+1
		s.MaxBytes = query.MaxBytes
		if p.Rows, err = q.rows(s); err != nil {
			return err
		}
		if len(p.Rows) > limit {
			p.Rows, p.More = p.Rows[:limit], true
		}
		if n := fitting(p.Rows, query.MaxBytes); n < len(p.Rows) {
			p.Rows, p.More = p.Rows[:n], true
		}
		answered(a, p.Rows)
		return nil
	})
	if err != nil {
		return Page{}, err
	}
	if n := len(p.Rows); n > 0 {
		p.First, p.Last, last = p.Rows[0].Added, p.Rows[n-1].Added, p.Rows[n-1].Seq
	} else if query.Newest {
		last = before
	}
	if last != 0 {
		p.Next, err = w.v.seal(w.r.ID, cursor{last, query.Newest, m})
	}
	return p, err
}

// fitting counts the first rows that stay within a number of bytes, at least
// one.
func fitting(rows []Row, maxBytes int) int {
	size := 0
	for i := range rows {
		if size += len(rows[i].Raw); maxBytes > 0 && size > maxBytes && i > 0 {
			return i
		}
	}
	return len(rows)
}

// intersect gives the ids in both; no wish means any.
func intersect(wish, have []string) []string {
	if wish == nil {
		return have
	}
	in := map[string]bool{}
	for _, id := range have {
		in[id] = true
	}
	out := []string{}
	for _, id := range wish {
		if in[id] {
			out = append(out, id)
		}
	}
	return out
}

// Get reads the newest visible version of an object.
func (w *View) Get(ctx context.Context, id string) (Row, error) {
	return w.one(ctx, Match{IDs: []string{id}})
}

// GetVersion reads one visible version.
func (w *View) GetVersion(ctx context.Context, id, version string) (Row, error) {
	return w.one(ctx, Match{IDs: []string{id}, Versions: []string{version}})
}

func (w *View) one(ctx context.Context, m Match) (row Row, err error) {
	a := w.note("read", m.IDs[0], false)
	described(a, m)
	err = w.ask(ctx, a, func(q *question) error {
		s, err := q.selects(&m)
		if err != nil {
			return err
		}
		s.Limit = 1
		rows, err := q.rows(s)
		if err != nil {
			return err
		}
		answered(a, rows)
		if len(rows) == 0 {
			return q.deny(a, m.IDs)
		}
		row = rows[0]
		return nil
	})
	return row, err
}

// deny answers that nothing was found. The node's own log says whether
// something was there.
func (q *question) deny(a *audit.Act, ids []string) error {
	there, err := q.db.Versions(ids)
	if err != nil {
		return err
	}
	if a != nil && len(there) > 0 {
		a.Verb = "deny"
	}
	return ErrNotFound
}

// Versions reads all visible versions of an object, without Raw, in the order
// in which they became available.
func (w *View) Versions(ctx context.Context, id string) (rows []Row, err error) {
	a := w.note("read", id, false)
	m := Match{IDs: []string{id}, Versions: []string{"all"}}
	described(a, m)
	err = w.ask(ctx, a, func(q *question) error {
		s, err := q.selects(&m)
		if err != nil {
			return err
		}
		s.Bare = true
		if rows, err = q.rows(s); err != nil {
			return err
		}
		answered(a, rows)
		if len(rows) == 0 {
			return q.deny(a, m.IDs)
		}
		return nil
	})
	return rows, err
}

// Count counts visible versions that match: of each object the newest one,
// unless Versions says otherwise.
func (w *View) Count(ctx context.Context, m Match) (n int64, err error) {
	a := w.note("count", "", m.Text != "" || m.NeighbourOf != "")
	described(a, m)
	if err := w.v.indexedFor(ctx, &m); err != nil {
		return 0, err
	}
	err = w.ask(ctx, a, func(q *question) error {
		n = 0
		s, err := q.selects(&m)
		if err != nil {
			return err
		}
		if m.NeighbourOf != "" {
			ids, err := q.neighbours(m.NeighbourOf)
			if err != nil {
				return err
			}
			s.IDs = intersect(s.IDs, ids)
		}
		if tallied(&s) {
			n, err = q.tallied(&s)
		} else {
			n, err = q.db.Count(s)
		}
		if a != nil {
			a.Detail["count"] = strconv.FormatInt(n, 10)
		}
		return err
	})
	return n, err
}

// tallied says that the tallies answer the question.
func tallied(s *engine.Select) bool {
	return s.IDs == nil && s.Terms == nil && s.Labels == nil && s.Specs == nil && s.Collection == "" && s.Source == "" && s.CreatedBy == "" &&
		!s.First && s.Times == nil && s.Since == 0 && s.Until == 0 && s.After == 0
}

func (q *question) tallied(s *engine.Select) (n int64, err error) {
	ts, err := q.db.Tallies(s.Feed)
	if err != nil {
		return 0, err
	}
	var kinds map[int64]bool
	if s.Kinds != nil {
		kinds = map[int64]bool{}
		for _, k := range s.Kinds {
			kinds[k] = true
		}
	}
	for _, y := range ts {
		if y.Rule >= int64(len(q.allowed)) || q.allowed[y.Rule] != 1 || kinds != nil && !kinds[y.Kind] {
			continue
		}
		if s.All {
			n += y.Total
		} else {
			n += y.Latest
		}
	}
	return n, nil
}

// Facet counts the newest visible versions of each type.
func (w *View) Facet(ctx context.Context) (map[string]int64, error) {
	out := map[string]int64{}
	err := w.ask(ctx, w.note("count", "", false), func(q *question) error {
		clear(out)
		ts, err := q.db.Tallies(q.feed.N)
		if err != nil {
			return err
		}
		for _, y := range ts {
			if y.Rule < int64(len(q.allowed)) && q.allowed[y.Rule] == 1 && y.Latest > 0 {
				out[q.v.interned.kind(y.Kind)] += y.Latest
			}
		}
		return nil
	})
	return out, err
}
