package main

import (
	"fmt"
	"io"
	"regexp"
	"text/tabwriter"
	"time"

	"causeway/internal/desk"
	"causeway/internal/node"
	"causeway/internal/people"
)

type clearanceAttestCmd struct {
	dataFlag
	byFlag
	Person string    `arg:"" help:"The person."`
	To     string    `required:"" placeholder:"PARTNER" help:"Node id or name of the partner it is for."`
	Until  time.Time `required:"" format:"2006-01-02" help:"The day it ends, UTC; within a year."`
	Out    string    `short:"o" placeholder:"FILE" help:"Write it to a file as well, for a partner whom no line reaches."`
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
		fmt.Fprintf(p.stderr, "attestation %s goes over the line: %s knows the person as %s, until %s\n", a.Serial, to.Name, a.Pseudonym, a.NotAfter.Format(time.DateOnly))
		return writeDocument(p, c.Out, file)
	})
}

func writeDocument(p *process, out string, file []byte) error {
	if out == "" {
		return nil
	}
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
	Out string `short:"o" placeholder:"FILE" help:"Write it to a file as well, for a partner whom no line reaches."`
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
	What    string `arg:"" help:"An attestation that came over the line, as \"clearance attestations\" shows it; or the partner's file."`
	Decline string `placeholder:"WHY" help:"Decline it, or end one accepted before, with this reason."`
}

func (c *clearanceAcceptCmd) Run(p *process) error {
	serial := serialForm.MatchString(c.What)
	var file []byte
	if !serial {
		var err error
		if file, err = readInput(p, c.What, 1<<20); err != nil {
			return err
		}
	}
	return c.as(p, c.officer, func(n *node.Node, by people.Person) error {
		var a desk.Accepted
		var err error
		if serial {
			a, err = c.decide(p, n, by)
		} else {
			a, err = n.Desk.AcceptAttestation(p.ctx, by, file)
		}
		if err != nil {
			return err
		}
		switch {
		case a.Revoked != nil:
			fmt.Fprintf(p.stdout, "attestation %s of %s: taken back\n", a.Serial, a.Issuer)
		case a.Declined != nil:
			fmt.Fprintf(p.stdout, "visitor %s of %s: declined\n", a.Pseudonym, a.Issuer)
		default:
			fmt.Fprintf(p.stdout, "visitor %s of %s until %s\n", a.Pseudonym, a.Issuer, a.NotAfter.Format(time.DateOnly))
		}
		return n.RefreshReaders(p.ctx)
	})
}

var serialForm = regexp.MustCompile(`^[0-9a-f]{16}$`)

// decide accepts or declines what came over the line.
func (c *clearanceAcceptCmd) decide(p *process, n *node.Node, by people.Person) (desk.Accepted, error) {
	_, taken, err := n.Desk.Attestations(p.ctx)
	if err != nil {
		return desk.Accepted{}, err
	}
	for _, a := range taken {
		if a.Serial == c.What {
			return n.Desk.DecideAttestation(p.ctx, by, a.Issuer, a.Serial, c.Decline == "", c.Decline)
		}
	}
	return desk.Accepted{}, fmt.Errorf("no attestation %s came", c.What)
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
			fmt.Fprintf(w, "given\t%s\t%s\tto %s\tas %s\t%s\n", a.Serial, a.Person, a.For, a.Pseudonym, standing(a.NotAfter, a.Revoked))
		}
		for _, a := range accepted {
			state := "accepted"
			switch {
			case a.Declined != nil:
				state = "declined"
			case a.Waits():
				state = "waits"
			}
			fmt.Fprintf(w, "%s\t%s\tvisitor:%s\tfrom %s\t%s\t%s\n", state, a.Serial, a.Pseudonym, a.Issuer, a.Nation, standing(a.NotAfter, a.Revoked))
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
