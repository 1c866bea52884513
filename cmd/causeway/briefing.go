package main

import (
	"fmt"
	"text/tabwriter"

	"causeway/internal/node"
	"causeway/internal/people"
)

type clearanceBriefingCmd struct {
	dataFlag
	byFlag
	Value  string `arg:"" help:"The restrictive value, such as ATOMAL."`
	Policy string `default:"NATO" help:"Its policy, by name or OID."`
	Drop   bool   `help:"It counts without a briefing from now on."`
	Why    string `required:"" help:"The rule that says so, for the audit log."`
}

func (c *clearanceBriefingCmd) Run(p *process) error {
	return c.as(p, c.officer, func(n *node.Node, by people.Person) error {
		return n.DemandBriefing(p.ctx, by, c.Policy, c.Value, !c.Drop, c.Why)
	})
}

type clearanceBriefingsCmd struct {
	dataFlag
	JSON bool `help:"For machines."`
}

func (c *clearanceBriefingsCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		all, err := n.BriefingDemands(p.ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(p, all)
		}
		w := tabwriter.NewWriter(p.stdout, 0, 8, 2, ' ', 0)
		for _, d := range all {
			demand, by := "no briefing", "assumed: no officer decided"
			if d.Demanded {
				demand = "briefing demanded"
			}
			if !d.Assumed {
				by = "by " + d.By + ": " + d.Why
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", policyName(n.Policies(), d.PolicyOID), d.Value, demand, by)
		}
		return w.Flush()
	})
}
