package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/label/policies"
	"causeway/label/stanag4774"
)

type tableCmd struct {
	Set       tableSetCmd       `cmd:"" help:"Sign a table of equivalence between two policies and put it in use."`
	List      tableListCmd      `cmd:"" help:"List the tables, every version."`
	Translate tableTranslateCmd `cmd:"" help:"Write a label in the words of another policy, as an alternative beside it."`
	Revoke    tableRevokeCmd    `cmd:"" help:"End a table at once: what only its alternatives admit is denied."`
	Sample    tableSampleCmd    `cmd:"" help:"Print the shipped table from NATO to Japan, or back. It is assumed and decides nothing until a security officer has corrected and signed it."`

	Trust       tableTrustCmd       `cmd:"" help:"Let the alternative labels of a partner decide here."`
	Distrust    tableDistrustCmd    `cmd:"" help:"End that, at once."`
	Translators tableTranslatorsCmd `cmd:"" help:"List the partners whose alternative labels decide, or did."`
}

type tableRevokeCmd struct {
	dataFlag
	byFlag
	Table string `arg:"" help:"NAME@VERSION, as \"table list\" shows it."`
	Why   string `required:"" help:"The reason, for the audit log."`
}

func (c *tableRevokeCmd) Run(p *process) error {
	return c.as(p, c.officer, func(n *node.Node, by people.Person) error { return n.RevokeTable(p.ctx, by, c.Table, c.Why) })
}

type tableSampleCmd struct {
	Back bool `help:"The table from Japan to NATO."`
}

func (c *tableSampleCmd) Run(p *process) error {
	_, err := p.stdout.Write(policies.SampleTable(c.Back))
	return err
}

type tableTrustCmd struct {
	dataFlag
	byFlag
	Partner string    `arg:"" help:"The partner."`
	Source  string    `required:"" help:"The agreement that lets the partner translate."`
	Until   time.Time `format:"2006-01-02" help:"The day it ends, UTC. Default: until ended."`
}

func (c *tableTrustCmd) Run(p *process) error {
	return c.as(p, c.officer, func(n *node.Node, by people.Person) error {
		t, err := n.TrustTranslator(p.ctx, by, c.Partner, c.Source, c.Until)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "alternative labels of %s decide here from %s\n", t.Node, t.From.Format(time.RFC3339))
		return err
	})
}

type tableDistrustCmd struct {
	dataFlag
	byFlag
	Partner string `arg:"" help:"The partner."`
	Why     string `required:"" help:"The reason, for the audit log."`
}

func (c *tableDistrustCmd) Run(p *process) error {
	return c.as(p, c.officer, func(n *node.Node, by people.Person) error { return n.DistrustTranslator(p.ctx, by, c.Partner, c.Why) })
}

type tableTranslatorsCmd struct {
	dataFlag
	JSON bool `help:"For machines."`
}

func (c *tableTranslatorsCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		all, err := n.Translators(p.ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(p, all)
		}
		w := tabwriter.NewWriter(p.stdout, 0, 8, 2, ' ', 0)
		for _, t := range all {
			until := "no end"
			if !t.Until.IsZero() {
				until = t.Until.Format(time.RFC3339)
			}
			if t.Why != "" {
				until += ", ended: " + t.Why
			}
			fmt.Fprintf(w, "%s\t%s, %s\tby %s; %s\n", t.Node, t.From.Format(time.RFC3339), until, t.By, t.Source)
		}
		return w.Flush()
	})
}

type tableSetCmd struct {
	dataFlag
	byFlag
	File string `arg:"" help:"The table as JSON; see docs/operate/labels.md."`
}

func (c *tableSetCmd) Run(p *process) error {
	b, err := readInput(p, c.File, 1<<20)
	if err != nil {
		return err
	}
	return c.as(p, c.officer, func(n *node.Node, by people.Person) error {
		t, err := n.SetTable(p.ctx, by, b)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "%s@%s from %s to %s\n", t.Name, t.Version, policyName(n.Policies(), t.From), policyName(n.Policies(), t.To))
		return err
	})
}

type tableListCmd struct {
	dataFlag
	JSON bool `help:"For machines."`
}

func (c *tableListCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		all, err := n.Tables(p.ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(p, all)
		}
		w := tabwriter.NewWriter(p.stdout, 0, 8, 2, ' ', 0)
		for _, t := range all {
			until := "no end"
			if !t.ValidTo.IsZero() {
				until = t.ValidTo.Format(time.DateOnly)
			}
			applied := "admits nobody: applied is not set"
			if t.Applied != "" {
				applied = "applied " + t.Applied
			}
			if !t.Ended.IsZero() {
				applied = "revoked " + t.Ended.Format(time.RFC3339) + " by " + t.By + ": " + t.Why
			}
			fmt.Fprintf(w, "%s@%s\t%s to %s\t%s, %s\t%d classifications, %d values\tsigned by %s; %s; %s\n", t.Name, t.Version,
				policyName(n.Policies(), t.From), policyName(n.Policies(), t.To), t.ValidFrom.Format(time.DateOnly), until, len(t.Classes), len(t.Values), t.Signer, t.Source, applied)
		}
		return w.Flush()
	})
}

type tableTranslateCmd struct {
	dataFlag
	labelFlag
	To string `required:"" placeholder:"POLICY" help:"The other policy, by name or OID."`
}

func (c *tableTranslateCmd) Run(p *process) error {
	l, err := c.read(p)
	if err != nil {
		return err
	}
	return c.use(p, func(n *node.Node) error {
		out, t, err := n.Translate(p.ctx, l, c.To)
		if err != nil {
			return err
		}
		xml, err := stanag4774.WriteLabel(out)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stderr, "by table %s@%s, signed by %s; the originator's label stays beside it\n", t.Name, t.Version, t.Signer)
		_, err = fmt.Fprintf(p.stdout, "%s\n", xml)
		return err
	})
}
