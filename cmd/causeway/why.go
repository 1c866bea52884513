package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"causeway/internal/audit"
	"causeway/internal/node"
	"causeway/internal/vault"
)

// momentOf reads a time, or a day, which means its end: "why on that day"
// asks what had happened by then.
func momentOf(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	day, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return day, usagef("--at %q: give a day such as 2026-11-25, or a time such as 2026-11-25T09:00:00Z", s)
	}
	return day.Add(24*time.Hour - time.Microsecond), nil
}

// whyAt says why a reader could, or could not, read the object at a time.
func (c *showCmd) whyAt(p *process, n *node.Node, v *vault.View) error {
	at, err := momentOf(c.At)
	if err != nil {
		return err
	}
	history, err := v.History(p.ctx, c.ID)
	if err != nil {
		return notHere(c.ID, err)
	}
	slices.SortStableFunc(history, func(a, b vault.HistoryEntry) int { return a.At.Compare(b.At) })
	reader, err := n.Reader(p.ctx, c.Why)
	if err != nil {
		return err
	}
	if reader.Kind == vault.Partner || reader.Kind == vault.Public {
		return releasedAt(p, v, history, reader, at)
	}
	return c.clearedAt(p, n, v, history, at)
}

// releasedAt answers for a reader that reads what was released to it, from
// what the log recorded then and not from what is in force now.
func releasedAt(p *process, v *vault.View, history []vault.HistoryEntry, reader vault.Reader, at time.Time) error {
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
	if len(held) == 0 {
		fmt.Fprintf(p.stdout, "deny\n- nothing of it was released to %s by %s\n", reader.ID, at.UTC().Format(time.RFC3339))
		for _, version := range slices.Sorted(maps.Keys(taken)) {
			h := taken[version]
			fmt.Fprintf(p.stdout, "- version %s: %s %s by %s: %s\n", version, h.Kind, h.At.UTC().Format(time.RFC3339), h.By, h.Text)
		}
		return errCheckFailed
	}
	fmt.Fprintln(p.stdout, "allow")
	for _, version := range slices.Sorted(maps.Keys(held)) {
		h := held[version]
		fmt.Fprintf(p.stdout, "+ version %s: released %s by %s, entry %d of the log\n  rule: %s\n", version, h.At.UTC().Format(time.RFC3339), h.By, h.Index, h.Text)
		entries, _, err := v.AuditEntries(p.ctx, h.Index, 1)
		if err != nil {
			return err
		}
		if len(entries) == 1 && entries[0].Index == h.Index {
			printBasis(p, entries[0], reader)
		}
	}
	return nil
}

// printBasis prints by which versions the release was decided.
func printBasis(p *process, e audit.Entry, reader vault.Reader) {
	for _, name := range []string{"release-rule", "requested-by", "policies", "groups", "tables", "clearance of " + strings.TrimPrefix(reader.ID, "partner:")} {
		if text := e.Act.Detail[name]; text != "" {
			fmt.Fprintf(p.stdout, "  %s: %s\n", name, text)
		}
	}
}

// clearedAt answers for a person, from the clearances that were in force then
// and the version that there was.
func (c *showCmd) clearedAt(p *process, n *node.Node, v *vault.View, history []vault.HistoryEntry, at time.Time) error {
	kind, id, _ := strings.Cut(c.Why, ":")
	if kind != "person" {
		return usagef("--at answers for person:ID, partner:ID and public, not for %q", c.Why)
	}
	person, err := n.People.Get(p.ctx, id)
	if err != nil {
		return err
	}
	reader, err := n.People.ReaderAt(person, at)
	if err != nil {
		return err
	}
	version := ""
	for _, h := range history {
		if h.Kind == "put" && !h.At.After(at) {
			version = h.Version
		}
	}
	if version == "" {
		fmt.Fprintf(p.stdout, "deny\n- it was not here by %s\n", at.UTC().Format(time.RFC3339))
		return errCheckFailed
	}
	row, err := v.GetVersion(p.ctx, c.ID, version)
	if errors.Is(err, vault.ErrNotFound) {
		return notHere(c.ID, err)
	}
	if err != nil {
		return err
	}
	// The first change of its label after that time says what governed it then.
	governed := row.Effective
	for _, h := range history {
		if h.Kind == "relabel" && h.Version == version && h.At.After(at) {
			governed = h.Before
			break
		}
	}
	return printDecision(p, governed.Decide(reader.Holdings))
}
