package main

import (
	"fmt"
	"strings"
	"time"

	"causeway/internal/desk"
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
	reader, err := n.Reader(p.ctx, c.Why)
	if err != nil {
		return err
	}
	if reader.Kind == vault.Partner || reader.Kind == vault.Public {
		past, err := n.Desk.ReleasedAt(p.ctx, v, c.ID, reader, at)
		if err != nil {
			return notHere(c.ID, err)
		}
		return printReleased(p, past, reader, at)
	}
	kind, id, _ := strings.Cut(c.Why, ":")
	if kind != "person" {
		return usagef("--at answers for person:ID, partner:ID and public, not for %q", c.Why)
	}
	person, err := n.People.Get(p.ctx, id)
	if err != nil {
		return err
	}
	past, err := n.Desk.ClearedAt(p.ctx, v, c.ID, person, at)
	if err != nil {
		return notHere(c.ID, err)
	}
	if past.Version == "" {
		fmt.Fprintf(p.stdout, "deny\n- it was not here by %s\n", at.UTC().Format(time.RFC3339))
		return errCheckFailed
	}
	return printDecision(p, past.Decision)
}

// printReleased prints what was released to a reader by a time, and by which
// versions that was decided.
func printReleased(p *process, past desk.Past, reader vault.Reader, at time.Time) error {
	if !past.Allow {
		fmt.Fprintf(p.stdout, "deny\n- nothing of it was released to %s by %s\n", reader.ID, at.UTC().Format(time.RFC3339))
		for _, h := range past.Taken {
			fmt.Fprintf(p.stdout, "- version %s: %s %s by %s: %s\n", h.Version, h.Kind, h.At.UTC().Format(time.RFC3339), h.By, h.Text)
		}
		return errCheckFailed
	}
	fmt.Fprintln(p.stdout, "allow")
	for _, h := range past.Held {
		fmt.Fprintf(p.stdout, "+ version %s: released %s by %s, entry %d of the log\n  rule: %s\n", h.Version, h.At.UTC().Format(time.RFC3339), h.By, h.Index, h.Text)
		for _, b := range h.Basis {
			fmt.Fprintf(p.stdout, "  %s: %s\n", b.Name, b.Text)
		}
	}
	return nil
}
