package main

import (
	"fmt"
	"time"

	"causeway/internal/node"
	"causeway/internal/people"
)

type clockCmd struct {
	Show    clockShowCmd    `cmd:"" default:"withargs" help:"Show the node's clock, the latest time that a partner signed, and the time that is trusted."`
	State   clockStateCmd   `cmd:"" help:"State the time by hand, where no partner's word moves it."`
	Succeed clockSucceedCmd `cmd:"" help:"Let the successors of labels that are due take their place; a serving node does so itself."`
}

type clockShowCmd struct {
	dataFlag
	JSON bool `help:"For machines."`
}

func (c *clockShowCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		s, err := n.Time(p.ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(p, s)
		}
		partner := "none"
		if !s.Partner.IsZero() {
			partner = s.Partner.Format(time.RFC3339)
		}
		fmt.Fprintf(p.stdout, "clock    %s\nends     %s  clearances and tables end by it\npartner  %s  the latest that one signed\ntrusted  %s  successors of labels act by it\n",
			s.Clock.UTC().Format(time.RFC3339), s.Ends.UTC().Format(time.RFC3339), partner, s.Trusted.UTC().Format(time.RFC3339))
		if s.Why != "" {
			fmt.Fprintf(p.stdout, "it does not move: %s\n", s.Why)
		}
		return nil
	})
}

type clockStateCmd struct {
	dataFlag
	byFlag
	Time time.Time `arg:"" format:"2006-01-02T15:04:05Z07:00" help:"The time, such as 2026-11-26T09:00:00Z."`
	Why  string    `required:"" help:"By what you know it, for the audit log."`
}

func (c *clockStateCmd) Run(p *process) error {
	return c.as(p, c.officer, func(n *node.Node, by people.Person) error { return n.StateTime(p.ctx, by, c.Time, c.Why) })
}

type clockSucceedCmd struct{ dataFlag }

func (c *clockSucceedCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		changed, err := n.Succeed(p.ctx)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "%d versions have the successor of their label\n", changed)
		return err
	})
}
