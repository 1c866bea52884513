package desk

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
)

// Past is why a reader could, or could not, read an object at a time in the
// past.
type Past struct {
	Allow bool
	// Of a partner or the public, from what the log recorded then and not from
	// what is in force now: the releases that held, and those taken back.
	Held, Taken []PastRelease
	// Of a person, by the version that there was and the clearances then in
	// force.
	Version  string // "": it was not here
	Decision label.Decision
}

// PastRelease is a version that was released, or taken back, and what the
// decision was made by.
type PastRelease struct {
	vault.HistoryEntry
	Basis []Basis
}

// Basis is one of the versions that a release was decided by.
type Basis struct{ Name, Text string }

// ReleasedAt answers for a partner or the public, as far as v sees.
func (d *Desk) ReleasedAt(ctx context.Context, v *vault.View, id string, reader vault.Reader, at time.Time) (Past, error) {
	history, err := pastOf(ctx, v, id)
	if err != nil {
		return Past{}, err
	}
	held, taken := map[string]vault.HistoryEntry{}, map[string]vault.HistoryEntry{}
	for _, h := range history {
		switch {
		case h.At.After(at):
		case h.Kind == "release" && h.Reader == reader.ID:
			held[h.Version] = h
			delete(taken, h.Version)
		case h.Kind == "withdraw", h.Kind == "recall" && (h.Reader == reader.ID || h.Reader == ""):
			if _, had := held[h.Version]; had {
				delete(held, h.Version)
				taken[h.Version] = h
			}
		}
	}
	out := Past{Allow: len(held) > 0}
	for _, version := range slices.Sorted(maps.Keys(held)) {
		r := PastRelease{HistoryEntry: held[version]}
		if r.Basis, err = basisAt(ctx, v, r.Index, reader); err != nil {
			return out, err
		}
		out.Held = append(out.Held, r)
	}
	for _, version := range slices.Sorted(maps.Keys(taken)) {
		out.Taken = append(out.Taken, PastRelease{HistoryEntry: taken[version]})
	}
	return out, nil
}

func pastOf(ctx context.Context, v *vault.View, id string) ([]vault.HistoryEntry, error) {
	history, err := v.History(ctx, id)
	slices.SortStableFunc(history, func(a, b vault.HistoryEntry) int { return a.At.Compare(b.At) })
	return history, err
}

// basisAt reads from the log by which versions a release was decided.
func basisAt(ctx context.Context, v *vault.View, index int64, reader vault.Reader) (out []Basis, err error) {
	entries, _, err := v.AuditEntries(ctx, index, 1)
	if err != nil || len(entries) != 1 || entries[0].Index != index {
		return nil, err
	}
	for _, name := range []string{"release-rule", "requested-by", "policies", "groups", "tables", "clearance of " + strings.TrimPrefix(reader.ID, "partner:")} {
		if text := entries[0].Act.Detail[name]; text != "" {
			out = append(out, Basis{name, text})
		}
	}
	return out, nil
}

// ClearedAt answers for a person of this node, as far as v sees.
func (d *Desk) ClearedAt(ctx context.Context, v *vault.View, id string, person people.Person, at time.Time) (Past, error) {
	history, err := pastOf(ctx, v, id)
	if err != nil {
		return Past{}, err
	}
	reader, err := d.People.ReaderAt(person, at)
	if err != nil {
		return Past{}, err
	}
	var out Past
	for _, h := range history {
		if h.Kind == "put" && !h.At.After(at) {
			out.Version = h.Version
		}
	}
	if out.Version == "" {
		return out, nil
	}
	row, err := v.GetVersion(ctx, id, out.Version)
	if err != nil {
		return out, fmt.Errorf("read %s as it was: %w", id, err)
	}
	// The first change of its label after that time says what governed it then.
	governed := row.Effective
	for _, h := range history {
		if h.Kind == "relabel" && h.Version == out.Version && h.At.After(at) {
			governed = h.Before
			break
		}
	}
	out.Decision = governed.Decide(reader.Holdings)
	out.Allow = out.Decision.Allow
	return out, nil
}
