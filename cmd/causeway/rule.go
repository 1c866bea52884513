package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"causeway/internal/desk"
	"causeway/internal/line"
	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/label"
)

type ruleCmd struct {
	Add    ruleAddCmd    `cmd:"" help:"Write a release rule; it is off until it is tested and switched on."`
	Test   ruleTestCmd   `cmd:"" help:"Apply a rule to past objects and show what it would release; nothing leaves."`
	On     ruleOnCmd     `cmd:"" help:"Put a tested rule to work on what comes from now on."`
	Off    ruleOffCmd    `cmd:"" help:"Stop a rule; what it released stays released."`
	Remove ruleRemoveCmd `cmd:"" help:"Remove a rule that is off."`
	List   ruleListCmd   `cmd:"" help:"List the release rules."`
	Run    ruleRunCmd    `cmd:"" help:"Apply the rules that are on now; a node that serves does so by itself."`
}

// ceilingOf reads POLICY/CLASSIFICATION, the policy by name or OID.
func ceilingOf(ps *label.Policies, s string) (desk.Ceiling, error) {
	policy, class, ok := strings.Cut(s, "/")
	for _, p := range ps.All() {
		if ok && (p.Name() == policy || p.OID() == policy) {
			return desk.Ceiling{Policy: p.OID(), Classification: class}, nil
		}
	}
	var names []string
	for _, p := range ps.All() {
		names = append(names, p.Name())
	}
	return desk.Ceiling{}, usagef("%q: give POLICY/CLASSIFICATION, such as NATO/RESTRICTED; policies here are %s", s, strings.Join(names, ", "))
}

// policyName is the name of a policy, or its OID where it is not loaded.
func policyName(ps *label.Policies, oid string) string {
	if p, ok := ps.Policy(oid); ok {
		return p.Name()
	}
	return oid
}

type ruleAddCmd struct {
	dataFlag
	byFlag
	Name       string   `arg:"" help:"Short lower-case name."`
	Type       []string `help:"Object types; left out: every type."`
	AtMost     string   `required:"" placeholder:"POLICY/CLASS" help:"The highest label it releases, such as NATO/RESTRICTED."`
	Source     string   `help:"Only what came from here: local, or the node id or name of a partner."`
	Text       string   `help:"Only objects in which every one of these words occurs."`
	To         []string `required:"" placeholder:"PARTNER" help:"Node id or name of a partner; repeat or separate by commas."`
	Precedence string   `default:"ROUTINE" help:"ROUTINE, PRIORITY, IMMEDIATE or FLASH."`
}

func (c *ruleAddCmd) Run(p *process) error {
	precedence, err := line.ParsePrecedence(c.Precedence)
	if err != nil {
		return usagef("--precedence: %v", err)
	}
	return c.as(p, c.acting, func(n *node.Node, by people.Person) error {
		ceiling, err := ceilingOf(n.Policies(), c.AtMost)
		if err != nil {
			return err
		}
		to, err := partnerIDs(p.ctx, n, c.To)
		if err != nil {
			return err
		}
		r := desk.ReleaseRule{Name: c.Name, Types: c.Type, AtMost: ceiling, Source: c.Source, Text: c.Text, To: to, Precedence: precedence}
		if r.Source != "" && r.Source != "local" {
			from, err := n.Line.Partner(p.ctx, strings.TrimPrefix(r.Source, "partner:"))
			if err != nil {
				return fmt.Errorf("--source: %w", err)
			}
			r.Source = line.PartnerReader(from.NodeID)
		}
		return n.Desk.AddRule(p.ctx, by, r)
	})
}

// ruleFlags name one rule and who acts.
type ruleFlags struct {
	dataFlag
	byFlag
	Name string `arg:"" help:"The rule."`
}

type ruleTestCmd struct {
	ruleFlags
	Limit int  `default:"20" help:"Show at most this many objects, 1 to 1000."`
	JSON  bool `help:"For machines."`
}

func (c *ruleTestCmd) Run(p *process) error {
	if c.Limit < 1 || c.Limit > 1000 {
		return usagef("--limit %d: give 1 to 1000", c.Limit)
	}
	return c.as(p, c.acting, func(n *node.Node, by people.Person) error {
		hits, looked, err := n.Desk.TestRule(p.ctx, by, c.Name, c.Limit)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(p, map[string]any{"looked_at": looked, "hits": hits})
		}
		for _, h := range hits {
			fmt.Fprintf(p.stdout, "%s %s: %d objects to %s", h.Row.ID, h.Row.Version, h.Objects, orNobody(h.To))
			if len(h.Withheld) > 0 {
				fmt.Fprintf(p.stdout, ", not to %s", strings.Join(h.Withheld, ", "))
			}
			if h.Two {
				fmt.Fprint(p.stdout, ", after a second release officer")
			}
			fmt.Fprintln(p.stdout)
		}
		_, err = fmt.Fprintf(p.stdout, "%d of %d objects looked at are what the rule is about\n", len(hits), looked)
		return err
	})
}

func orNobody(to []string) string {
	if len(to) == 0 {
		return "nobody new"
	}
	return strings.Join(to, ", ")
}

type ruleOnCmd struct{ ruleFlags }

func (c *ruleOnCmd) Run(p *process) error {
	return c.as(p, c.acting, func(n *node.Node, by people.Person) error {
		return n.Desk.SwitchOn(p.ctx, by, c.Name)
	})
}

type ruleOffCmd struct{ ruleFlags }

func (c *ruleOffCmd) Run(p *process) error {
	return c.as(p, c.acting, func(n *node.Node, by people.Person) error {
		return n.Desk.SwitchOff(p.ctx, by, c.Name)
	})
}

type ruleRemoveCmd struct{ ruleFlags }

func (c *ruleRemoveCmd) Run(p *process) error {
	return c.as(p, c.acting, func(n *node.Node, by people.Person) error {
		return n.Desk.RemoveRule(p.ctx, by, c.Name)
	})
}

type ruleListCmd struct {
	dataFlag
	JSON bool `help:"For machines."`
}

func (c *ruleListCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		rules, err := n.Desk.Rules(p.ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(p, rules)
		}
		w := tabwriter.NewWriter(p.stdout, 0, 8, 2, ' ', 0)
		for _, r := range rules {
			state := "off, never tested"
			switch {
			case r.On != nil:
				state = "on since " + r.On.At.Format(time.RFC3339) + " by " + r.On.By
			case r.Tested != nil:
				state = "off, tested " + r.Tested.At.Format(time.RFC3339)
			}
			types := strings.Join(r.Types, ",")
			if types == "" {
				types = "every type"
			}
			fmt.Fprintf(w, "%s\t%s\tat most %s %s\tto %s\t%s\t%s\n", r.Name, types, policyName(n.Policies(), r.AtMost.Policy), r.AtMost.Classification,
				strings.Join(r.To, ","), r.Precedence, state)
		}
		return w.Flush()
	})
}

type ruleRunCmd struct{ dataFlag }

func (c *ruleRunCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		made, err := n.Desk.RunRules(p.ctx)
		fmt.Fprintf(p.stdout, "%d releases made or asked for\n", made)
		return err
	})
}
