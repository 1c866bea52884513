package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"causeway/internal/desk"
	"causeway/internal/node"
	"causeway/internal/people"
)

type requestCmd struct {
	List    requestListCmd    `cmd:"" help:"List the releases and lower labels that wait for a second release officer."`
	Approve requestApproveCmd `cmd:"" help:"Carry out what waits; not for who asked."`
	Refuse  requestRefuseCmd  `cmd:"" help:"End a request."`
	Level   requestLevelCmd   `cmd:"" help:"Show, or set, from which classification on a release takes two officers."`
}

// waits tells a person that what they asked for waits; it is no failure.
func waits(p *process, data string, err error) error {
	var w *desk.WaitsError
	if !errors.As(err, &w) {
		return err
	}
	fmt.Fprintf(p.stderr, "this takes two release officers; the second one: causeway request approve %s --by ID --data %s\n", w.Request.ID, data)
	fmt.Fprintf(p.stdout, "waits as request %s\n", w.Request.ID)
	return nil
}

type requestListCmd struct {
	dataFlag
	byFlag
	JSON bool `help:"For machines."`
}

func (c *requestListCmd) Run(p *process) error {
	return c.as(p, c.acting, func(n *node.Node, by people.Person) error {
		all, err := n.Desk.Requests(p.ctx, by)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(p, all)
		}
		w := tabwriter.NewWriter(p.stdout, 0, 8, 2, ' ', 0)
		for _, r := range all {
			what := "release to " + strings.Join(r.To, ",")
			if r.Label != "" {
				what = "another label: " + r.Why
			}
			if r.Rule != "" {
				what += ", by rule " + r.Rule
			}
			fmt.Fprintf(w, "%s\t%s\t%d objects\t%s\tasked by %s %s\n", r.ID, r.Root, len(r.Items), what, r.By, r.At.Format(time.RFC3339))
		}
		return w.Flush()
	})
}

type requestApproveCmd struct {
	dataFlag
	byFlag
	ID string `arg:"" help:"The request, as \"request list\" shows it."`
}

func (c *requestApproveCmd) Run(p *process) error {
	return c.as(p, c.acting, func(n *node.Node, by people.Person) error {
		return n.Desk.ApproveRelease(p.ctx, by, c.ID)
	})
}

type requestRefuseCmd struct {
	dataFlag
	byFlag
	ID  string `arg:"" help:"The request, as \"request list\" shows it."`
	Why string `required:"" help:"The reason, for the audit log."`
}

func (c *requestRefuseCmd) Run(p *process) error {
	return c.as(p, c.acting, func(n *node.Node, by people.Person) error {
		return n.Desk.RefuseRelease(p.ctx, by, c.ID, c.Why)
	})
}

type requestLevelCmd struct {
	dataFlag
	Level string `arg:"" optional:"" placeholder:"POLICY/CLASS" help:"From this classification on, two officers; POLICY/ alone: one suffices under this policy."`
	By    string `placeholder:"ID" help:"The security officer who sets it."`
}

func (c *requestLevelCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		if c.Level != "" {
			if c.By == "" {
				return usagef("--by: name the security officer who sets the level")
			}
			by, err := byFlag{c.By}.person(p.ctx, n)
			if err != nil {
				return err
			}
			ceiling, err := ceilingOf(n.Policies(), c.Level)
			if err != nil {
				return err
			}
			return n.Desk.SetLevel(p.ctx, by, ceiling.Policy, ceiling.Classification)
		}
		levels, err := n.Desk.Levels(p.ctx)
		if err != nil {
			return err
		}
		for _, l := range levels.From {
			fmt.Fprintf(p.stdout, "%s: two release officers from %s on\n", policyName(n.Policies(), l.Policy), l.Classification)
		}
		for _, oid := range levels.Free {
			fmt.Fprintf(p.stdout, "%s: one release officer\n", policyName(n.Policies(), oid))
		}
		_, err = fmt.Fprintln(p.stdout, "every other policy: two release officers")
		return err
	})
}

type relabelCmd struct {
	dataFlag
	byFlag
	labelFlag
	ID      string `arg:"" help:"The object."`
	Why     string `help:"The reason; partners that lose the object are told."`
	Preview bool   `help:"Show what it would do; nothing changes."`
}

func (c *relabelCmd) Run(p *process) error {
	l, err := c.read(p)
	if err != nil {
		return err
	}
	return c.as(p, c.acting, func(n *node.Node, by people.Person) error {
		if c.Preview {
			r, err := n.Desk.PreviewLabel(p.ctx, by, c.ID, l)
			if err != nil {
				return notHere(c.ID, err)
			}
			return printRelabelled(p, r)
		}
		r, err := n.Desk.Relabel(p.ctx, by, c.ID, l, c.Why)
		if err != nil {
			return waits(p, c.Data, notHere(c.ID, err))
		}
		return printRelabelled(p, r)
	})
}

func printRelabelled(p *process, r *desk.Relabelled) error {
	what := "the same readers"
	switch {
	case r.Wider && r.Narrower:
		what = "other readers: some gain it and some lose it"
	case r.Wider:
		what = "more readers"
	case r.Narrower:
		what = "fewer readers"
	}
	fmt.Fprintf(p.stdout, "%s: %s\n", r.ID, what)
	if r.Two {
		fmt.Fprintln(p.stdout, "it takes a second release officer")
	}
	for _, id := range r.Keep {
		fmt.Fprintf(p.stdout, "%s goes on reading it\n", id)
	}
	for _, id := range r.Lose {
		fmt.Fprintf(p.stdout, "recalled from %s\n", id)
	}
	return nil
}
