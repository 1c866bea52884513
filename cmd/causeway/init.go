package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"causeway/internal/node"
	"causeway/internal/people"
)

type initCmd struct {
	Nation   string `required:"" help:"The node's nation, three capital letters (ISO 3166-1 alpha-3)."`
	Name     string `required:"" help:"The agency's name, as partners see it."`
	Data     string `required:"" env:"CAUSEWAY_DATA" placeholder:"DIR" help:"The folder to make."`
	Web      string `default:"127.0.0.1:8443" help:"Address of the pages and of TAXII."`
	Line     string `default:"127.0.0.1:8444" help:"Address of the line to partners."`
	Postgres string `placeholder:"URL" help:"Keep the vault in this PostgreSQL database instead of the data folder."`
	Officer  string `placeholder:"ID" help:"Also register the first security officer, with every role; the password is read from standard input."`
}

func (c *initCmd) Run(p *process) error {
	dir := p.path(c.Data)
	var password string
	if c.Officer != "" {
		b, err := io.ReadAll(io.LimitReader(p.stdin, 4096))
		if err != nil {
			return fmt.Errorf("read the password from standard input: %w", err)
		}
		if password = strings.TrimRight(string(b), "\r\n"); password == "" {
			return usagef("--officer %s: give the password on standard input", c.Officer)
		}
	}
	if err := node.Init(p.ctx, dir, node.Founding{Nation: c.Nation, Name: c.Name, Web: c.Web, Line: c.Line, Postgres: c.Postgres}); err != nil {
		return err
	}
	if c.Officer != "" {
		if err := foundOfficer(p.ctx, dir, c.Officer, password); err != nil {
			return err
		}
	}
	fmt.Fprintf(p.stdout, "made %s for %s (%s)\nnext: causeway serve --data %s\n", c.Data, c.Name, c.Nation, c.Data)
	return nil
}

// foundOfficer registers a node's first person, cleared for everything that
// the node's nation may hold.
func foundOfficer(ctx context.Context, dir, id, password string) error {
	n, err := node.Open(ctx, dir)
	if err != nil {
		return err
	}
	err = n.Found(ctx, people.Person{ID: id, Name: id, Nation: n.Config.Nation, Roles: people.Roles}, password)
	return errors.Join(err, n.Close())
}

type statusCmd struct {
	dataFlag
	JSON bool `help:"For machines."`
}

// nodeStatus is what "causeway status --json" prints.
type nodeStatus struct {
	Name     string    `json:"name"`
	Nation   string    `json:"nation"`
	Identity string    `json:"identity"`
	Web      string    `json:"web"`
	Line     string    `json:"line"`
	Serving  bool      `json:"serving"`
	Store    string    `json:"store"`
	Objects  int64     `json:"objects"` // visible to the node itself
	People   int       `json:"people"`
	Partners int       `json:"partners"`
	Created  time.Time `json:"created"`
}

func (c *statusCmd) Run(p *process) error {
	return c.use(p, func(n *node.Node) error {
		own, err := n.OwnReader()
		if err != nil {
			return err
		}
		objects, err := n.Vault.As(own).Count(p.ctx, everything)
		if err != nil {
			return err
		}
		all, err := n.People.List(p.ctx)
		if err != nil {
			return err
		}
		partners, err := n.Line.Partners(p.ctx)
		if err != nil {
			return err
		}
		s := nodeStatus{
			Name: n.Config.Name, Nation: n.Config.Nation, Identity: n.Config.Identity, Web: n.Config.Web, Line: n.Config.Line,
			Serving: p.serving != nil, Store: "sqlite", Objects: objects, People: len(all), Partners: len(partners), Created: n.Config.Created,
		}
		if n.Config.Postgres != "" {
			s.Store = "postgresql"
		}
		if c.JSON {
			return writeJSON(p, s)
		}
		state := "not serving"
		if s.Serving {
			state = "serving pages on https://" + s.Web + " and the line on " + s.Line
		}
		fmt.Fprintf(p.stdout, "%s (%s): %s\nstore %s, %d objects, %d people, %d partners\n", s.Name, s.Nation, state, s.Store, s.Objects, s.People, s.Partners)
		return nil
	})
}
