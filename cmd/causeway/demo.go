package main

import (
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"causeway/internal/demo"
	"causeway/internal/node"
)

type demoCmd struct {
	Dir   string `default:"demo" help:"Folder of the nodes; made when it does not exist."`
	Addr  string `default:"127.0.0.1:8443" help:"Address of the first node's pages; the others count up, lines begin 1000 above."`
	Nodes int    `default:"3" help:"How many nodes, 3 to 10."`
}

func (c *demoCmd) Run(p *process) error {
	o := demo.Options{Dir: p.path(c.Dir), Addr: c.Addr, Nodes: c.Nodes, Out: p.stdout}
	nodes, err := demo.Open(p.ctx, o)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(p.ctx)
	ready := make(chan struct{}, len(nodes))
	for _, n := range nodes {
		g.Go(func() error { return serveNode(ctx, n, func(node.Listeners) { ready <- struct{}{} }) })
	}
	for range nodes {
		select {
		case <-ready:
		case <-ctx.Done():
		}
	}
	if ctx.Err() == nil {
		err = demo.Logins(o, nodes)
		fmt.Fprintln(p.stdout, "browsers warn of the self-signed certificates once; Ctrl-C ends the demo, the same command goes on with it")
	}
	err = errors.Join(err, g.Wait())
	for _, n := range nodes {
		err = errors.Join(err, n.Close())
	}
	return err
}
