package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/label/stanag4774"
)

type tableCmd struct {
	Set       tableSetCmd       `cmd:"" help:"Sign a table of equivalence between two policies and put it in use."`
	List      tableListCmd      `cmd:"" help:"List the tables, every version."`
	Translate tableTranslateCmd `cmd:"" help:"Write a label in the words of another policy, as an alternative beside it."`
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
			fmt.Fprintf(w, "%s@%s\t%s to %s\t%s, %s\t%d classifications, %d values\tsigned by %s; %s\n", t.Name, t.Version,
				policyName(n.Policies(), t.From), policyName(n.Policies(), t.To), t.ValidFrom.Format(time.DateOnly), until, len(t.Classes), len(t.Values), t.Signer, t.Source)
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
