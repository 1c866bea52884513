package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"causeway/taxii"
)

// Limits of the pages' server. Bodies are limited by each route.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10
	drainTimeout  = 5 * time.Second

	checkpointEvery = 2 * time.Second
	refreshEvery    = time.Minute // clearances begin and end by the clock
	rulesEvery      = 2 * time.Second
)

// Listeners are the two doors of a serving node.
type Listeners struct {
	Web  net.Listener // plain TCP; TLS is put on it
	Line net.Listener // plain TCP; the line puts its own TLS on it
}

// Listen opens the node's two addresses.
func (n *Node) Listen() (l Listeners, err error) {
	if l.Web, err = net.Listen("tcp", n.Config.Web); err != nil {
		return l, fmt.Errorf("listen for the pages on %s: %w", n.Config.Web, err)
	}
	if l.Line, err = net.Listen("tcp", n.Config.Line); err != nil {
		l.Web.Close()
		return l, fmt.Errorf("listen for the line on %s: %w", n.Config.Line, err)
	}
	return l, nil
}

// Serve runs the node until ctx ends: pages and TAXII by handler, the line in
// both directions, checkpoints of the audit log, release rules. It returns nil after a clean
// stop.
func (n *Node) Serve(ctx context.Context, l Listeners, handler http.Handler) error {
	cert, err := n.WebCertificate()
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    slog.NewLogLogger(n.Log.Handler(), slog.LevelDebug),
	}
	web := tls.NewListener(l.Web, taxii.ServerTLS(&tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}}))
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := server.Serve(web); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve the pages: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		if server.Shutdown(drain) != nil {
			return server.Close()
		}
		return nil
	})
	g.Go(func() error { return quiet(n.Line.Serve(ctx, l.Line)) })
	g.Go(func() error { return quiet(n.Line.Run(ctx)) })
	g.Go(func() error { return n.every(ctx, checkpointEvery, n.Checkpoint) })
	g.Go(func() error { return n.every(ctx, refreshEvery, n.refresh) })
	g.Go(func() error { return n.every(ctx, rulesEvery, n.runRules) })
	g.Go(func() error { return n.every(ctx, rulesEvery, n.keepAlternatives) })
	g.Go(func() error { return n.every(ctx, successorEvery, n.succeed) })
	return g.Wait()
}

// refresh takes up what other servers of this node changed: policies, groups,
// people, partners.
func (n *Node) refresh(ctx context.Context) error {
	if err := n.loadGroups(ctx); err != nil {
		return err
	}
	return n.RefreshReaders(ctx)
}

// runRules applies the release rules. A rule that fails is somebody's to look
// at, and no reason for the node to stop.
func (n *Node) runRules(ctx context.Context) error {
	if _, err := n.Desk.RunRules(ctx); err != nil && ctx.Err() == nil {
		n.Log.Warn("release by rule", "err", err)
	}
	return nil
}

// quiet takes the end of the context for a clean stop.
func quiet(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (n *Node) every(ctx context.Context, pause time.Duration, do func(context.Context) error) error {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := do(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// Checkpoint signs the audit log as it stands, unless the newest checkpoint
// covers it already.
func (n *Node) Checkpoint(ctx context.Context) error {
	_, err := n.Vault.Checkpoint(ctx, n.auditKey)
	return err
}
