package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/label"
)

type groupCmd struct {
	Set  groupSetCmd  `cmd:"" help:"Sign a dated membership of a group."`
	List groupListCmd `cmd:"" help:"List the groups and their memberships through time."`
}

type groupSetCmd struct {
	dataFlag
	byFlag
	Group   string    `arg:"" help:"Group and epoch, such as 7NNN@2022."`
	Members []string  `required:"" help:"Nations, three capital letters each."`
	From    time.Time `required:"" format:"2006-01-02" help:"First day of this membership, UTC."`
	Until   time.Time `format:"2006-01-02" help:"First day after it; left out: still in force."`
	Source  string    `required:"" help:"Where the membership is stated."`
}

func (c *groupSetCmd) Run(p *process) error {
	name, epoch, ok := strings.Cut(c.Group, "@")
	if !ok || epoch == "" {
		return usagef("%q: name group and epoch, such as 7NNN@2022", c.Group)
	}
	return c.as(p, c.officer, func(n *node.Node, by people.Person) error {
		return n.SetGroup(p.ctx, by, name, label.Epoch{Name: epoch, From: c.From, To: c.Until, Members: c.Members, Source: c.Source})
	})
}

type groupListCmd struct {
	dataFlag
	JSON bool `help:"For machines."`
}

func (c *groupListCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		groups, err := n.Groups(p.ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(p, groups)
		}
		w := tabwriter.NewWriter(p.stdout, 0, 8, 2, ' ', 0)
		for _, g := range groups {
			if len(g.Epochs) == 0 {
				fmt.Fprintf(w, "%s\t-\tno signed membership: it admits nobody\n", g.Name)
			}
			for _, e := range g.Epochs {
				until := "in force"
				if !e.To.IsZero() {
					until = "until " + e.To.Format(time.DateOnly)
				}
				fmt.Fprintf(w, "%s@%s\t%s\t%s\t%s\tsigned by %s; %s\n", g.Name, e.Name, e.From.Format(time.DateOnly), until, strings.Join(e.Members, " "), e.Signer, e.Source)
			}
		}
		return w.Flush()
	})
}
