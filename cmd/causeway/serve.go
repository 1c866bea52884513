package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"causeway/internal/httpd"
	"causeway/internal/node"
)

type serveCmd struct {
	Data    string `required:"" env:"CAUSEWAY_DATA" placeholder:"DIR" help:"The node's data folder."`
	Verbose bool   `help:"Log what the server does, to standard error."`
}

func (c *serveCmd) Run(p *process) error {
	log := slog.New(slog.DiscardHandler)
	if c.Verbose {
		log = slog.New(slog.NewTextHandler(p.stderr, nil))
	}
	var n *node.Node
	err := node.WhileLocked(p.ctx, func() (err error) {
		n, err = node.OpenWith(p.ctx, p.path(c.Data), node.Options{Log: log, Now: nodeClock})
		return err
	})
	if err != nil {
		return err
	}
	return errors.Join(serveNode(p.ctx, n, func(l node.Listeners) {
		fmt.Fprintf(p.stdout, "%s serves pages on https://%s and the line on %s; Ctrl-C stops it\n", n.Config.Name, l.Web.Addr(), l.Line.Addr())
		if code, err := n.FirstCode(p.ctx); err == nil && code != "" {
			fmt.Fprintf(p.stdout, "nobody is registered yet: open https://%s/first and give the code %s\n", l.Web.Addr(), code)
		}
	}), n.Close())
}

// serveNode serves one node until ctx ends, and answers its control socket.
func serveNode(ctx context.Context, n *node.Node, ready func(node.Listeners)) error {
	l, err := n.Listen()
	if err != nil {
		return err
	}
	handler, err := httpd.New(n)
	if err != nil {
		return errors.Join(err, l.Web.Close(), l.Line.Close())
	}
	ready(l)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return n.Serve(ctx, l, handler) })
	g.Go(func() error { return control(ctx, n) })
	return g.Wait()
}
