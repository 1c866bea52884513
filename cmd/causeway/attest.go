package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"causeway/internal/node"
	"causeway/internal/people"
)

type clearanceAttestCmd struct {
	dataFlag
	byFlag
	Person string    `arg:"" help:"The person."`
	To     string    `required:"" placeholder:"PARTNER" help:"Node id or name of the partner it is for."`
	Until  time.Time `required:"" format:"2006-01-02" help:"The day it ends, UTC; within a year."`
	Out    string    `short:"o" placeholder:"FILE" help:"Write the file here instead of standard output."`
}

func (c *clearanceAttestCmd) Run(p *process) error {
	return c.as(p, c.officer, func(n *node.Node, by people.Person) error {
		to, err := n.Line.Partner(p.ctx, c.To)
		if err != nil {
			return err
		}
		a, file, err := n.Desk.Attest(p.ctx, by, c.Person, to.NodeID, c.Until)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stderr, "attestation %s: %s knows the person as %s, until %s\n", a.ID, to.Name, a.Pseudonym, a.Until.Format(time.DateOnly))
		return writeDocument(p, c.Out, file)
	})
}

func writeDocument(p *process, out string, file []byte) error {
	return intoFile(p, out, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s", file)
		return err
	})
}

type clearanceWithdrawCmd struct {
	dataFlag
	byFlag
	ID  string `arg:"" help:"The attestation, as \"clearance attestations\" shows it."`
	Why string `required:"" help:"The reason, for the audit log; the partner is not told."`
	Out string `short:"o" placeholder:"FILE" help:"Write the file for the partner here instead of standard output."`
}

func (c *clearanceWithdrawCmd) Run(p *process) error {
	return c.as(p, c.officer, func(n *node.Node, by people.Person) error {
		_, file, err := n.Desk.RevokeAttestation(p.ctx, by, c.ID, c.Why)
		if err != nil {
			return err
		}
		return writeDocument(p, c.Out, file)
	})
}

type clearanceAcceptCmd struct {
	dataFlag
	byFlag
	File string `arg:"" help:"The partner's file: an attestation, or one that takes it back."`
}

func (c *clearanceAcceptCmd) Run(p *process) error {
	b, err := readInput(p, c.File, 1<<20)
	if err != nil {
		return err
	}
	return c.as(p, c.officer, func(n *node.Node, by people.Person) error {
		a, err := n.Desk.AcceptAttestation(p.ctx, by, b)
		if err != nil {
			return err
		}
		if a.Revoked != nil {
			_, err = fmt.Fprintf(p.stdout, "visitor %s of %s: taken back\n", a.Pseudonym, a.Node)
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "visitor %s of %s until %s\n", a.Pseudonym, a.Node, a.Until.Format(time.DateOnly))
		return err
	})
}

type clearanceAttestationsCmd struct {
	dataFlag
	JSON bool `help:"For machines."`
}

func (c *clearanceAttestationsCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		given, accepted, err := n.Desk.Attestations(p.ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(p, map[string]any{"given": given, "accepted": accepted})
		}
		w := tabwriter.NewWriter(p.stdout, 0, 8, 2, ' ', 0)
		for _, a := range given {
			fmt.Fprintf(w, "given\t%s\t%s\tto %s\tas %s\t%s\n", a.ID, a.Person, a.To, a.Pseudonym, standing(a.Until, a.Revoked))
		}
		for _, a := range accepted {
			fmt.Fprintf(w, "accepted\t%s\tvisitor:%s\tfrom %s\t%s\t%s\n", a.ID, a.Pseudonym, a.Node, a.Nation, standing(a.Until, a.Revoked))
		}
		return w.Flush()
	})
}

func standing(until time.Time, revoked *people.Revocation) string {
	switch {
	case revoked != nil:
		return "revoked " + revoked.At.Format(time.DateOnly)
	case !time.Now().Before(until):
		return "ended " + until.Format(time.DateOnly)
	}
	return "until " + until.Format(time.DateOnly)
}
