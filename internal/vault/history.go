package vault

import (
	"context"
	"strings"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault/internal/engine"
	"causeway/label"
)

// HistoryEntry is one thing that happened to a version.
type HistoryEntry struct {
	Index   int64 // of the audit entry; -1 for readers outside the node
	At      time.Time
	Kind    string // put, release, recall, relabel, withdraw
	Version string
	Reader  string // release, recall: whose
	By      string
	Text    string          // rule or reason
	Before  label.Effective // relabel: what governed the version until then
}

// History tells what happened to the versions of an object that the reader
// may see. A change of label is told to those who may see both labels. Who
// else holds it is told to readers of the node only; a partner learns of its
// own releases.
func (w *View) History(ctx context.Context, id string) (out []HistoryEntry, err error) {
	a := w.note("read", id, false)
	if a != nil {
		a.Detail["what"] = "history"
	}
	err = w.ask(ctx, a, func(q *question) error {
		out = nil
		s, err := q.selects(&Match{IDs: []string{id}, Versions: []string{"all"}})
		if err != nil {
			return err
		}
		s.Bare, s.Facts = true, true
		visible := map[int64]bool{}
		if err := q.db.Rows(s, func(r *engine.Row) error {
			visible[r.Version.VID] = true
			if !q.r.released() {
				out = append(out, HistoryEntry{Index: r.Act, At: timeOf(r.At), Kind: "put", Version: r.Text})
			}
			return nil
		}); err != nil {
			return err
		}
		if len(visible) == 0 {
			return q.deny(a, []string{id})
		}
		events, err := q.db.Events([]string{id})
		if err != nil {
			return err
		}
		for _, e := range events {
			if visible[e.VID] && q.tells(&e) {
				h := HistoryEntry{Index: e.Act, At: timeOf(e.At), Kind: e.Kind, Version: e.Version, Reader: e.Reader, By: e.By, Text: e.Text}
				if e.Kind == "relabel" {
					h.Before = q.v.interned.label(e.Before).effective
				}
				if q.r.released() {
					h.Index, h.By, h.Text = -1, "", ""
				}
				out = append(out, h)
			}
		}
		return nil
	})
	return out, err
}

// tells decides whether the reader learns of an event.
func (q *question) tells(e *engine.Event) bool {
	if q.r.released() {
		return e.Reader == q.r.ID
	}
	return e.Kind != "relabel" || q.sees(e.Before) && q.sees(e.Then)
}

func (q *question) sees(labelN int64) bool {
	rule := q.v.interned.label(labelN).rule
	return rule > 0 && rule < int64(len(q.allowed)) && q.allowed[rule] == 1
}

// AuditEntries reads up to n entries of the audit log from an index on, as a
// reader of the node may see them: an entry about an object that is hidden
// from the reader is left out, and what an act changed in the store is not
// told. That an index is missing shows that something was logged, never what.
// Readers outside the node see nothing of the log: it says whether what they
// asked for in vain was there. It looks at no more than 10,000 entries and
// gives the index to go on from.
func (w *View) AuditEntries(ctx context.Context, from int64, n int) (out []audit.Entry, next int64, err error) {
	next = max(from, 0)
	if w.r.released() {
		return nil, next, nil
	}
	err = w.ask(ctx, nil, func(q *question) error {
		out = nil
		st, err := q.db.State()
		if err != nil {
			return err
		}
		for looked := 0; next < st.Entries && len(out) < n && looked < 10_000; next, looked = next+1, looked+1 {
			l, err := q.db.Leaf(next)
			if err != nil {
				return err
			}
			e, err := audit.DecodeEntry(l.Entry)
			if err != nil {
				return err
			}
			if e.Act.Actor != q.r.ID {
				if show, err := q.about(e.Act.Subject); err != nil {
					return err
				} else if !show {
					continue
				}
			}
			e.Effects = nil
			out = append(out, e)
		}
		return nil
	})
	return out, next, err
}

// about says whether the reader may know of acts on a subject: on whatever is
// not the id of an object, and on objects of which a version is visible.
func (q *question) about(subject string) (bool, error) {
	if !strings.Contains(subject, "--") {
		return true, nil
	}
	rows, err := q.newest(subject)
	return len(rows) > 0, err
}
