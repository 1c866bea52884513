package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"causeway/internal/node"
	"causeway/internal/vault"
)

// A data folder has one owner at a time. While "causeway serve" holds it,
// every other command on the same folder runs inside the server: the command
// line travels over a socket that only the folder's user can open, and the
// output comes back. People need not know which of the two happened.

// controlFile, in the data folder, holds the path of the server's socket.
// The socket itself lives in a private temporary folder, because socket paths
// are limited to about 100 bytes.
const controlFile = "control"

// frame is one message on the control socket, in either direction.
type frame struct {
	Args []string `json:"args,omitempty"` // first frame, from the client
	Dir  string   `json:"dir,omitempty"`  // with Args: the client's working folder
	In   []byte   `json:"in,omitempty"`
	EOF  bool     `json:"eof,omitempty"` // end of the client's standard input
	Out  []byte   `json:"out,omitempty"`
	Err  []byte   `json:"err,omitempty"`
	Exit *int     `json:"exit,omitempty"` // last frame, from the server
}

// exitStatus ends a command with the status that the server's run of it had.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// nodeClock is the clock of nodes; nil is the system's. No flag or variable of the
// program changes it; scripts of the tests do.
var nodeClock func() time.Time

// dataFlag is embedded by every command that works on a node.
type dataFlag struct {
	Data string `required:"" env:"CAUSEWAY_DATA" placeholder:"DIR" help:"The node's data folder."`
}

// use runs do on the node of the data folder: here when the folder is free,
// inside the running server when it is not.
func (d dataFlag) use(p *process, do func(*node.Node) error) error {
	if p.serving != nil {
		return do(p.serving)
	}
	dir := p.path(d.Data)
	var n *node.Node
	err := node.WhileLocked(p.ctx, func() (err error) {
		if n, err = node.OpenWith(p.ctx, dir, node.Options{Now: nodeClock}); errors.Is(err, vault.ErrLocked) {
			err = forward(p, dir, err)
		}
		return err
	})
	if err != nil || n == nil {
		return err
	}
	return errors.Join(do(n), n.Close())
}

// forward runs the command line inside the server that holds dir.
func forward(p *process, dir string, locked error) error {
	path, err := os.ReadFile(filepath.Join(dir, controlFile))
	if err != nil {
		return locked
	}
	conn, err := net.Dial("unix", strings.TrimSpace(string(path)))
	if err != nil {
		return fmt.Errorf("%w (its control socket does not answer: %v)", locked, err)
	}
	stop := context.AfterFunc(p.ctx, func() { conn.Close() })
	defer stop()
	defer conn.Close()
	enc, dec := json.NewEncoder(conn), json.NewDecoder(conn)
	if err := enc.Encode(frame{Args: p.args, Dir: p.dir}); err != nil {
		return fmt.Errorf("hand the command to the server: %w", err)
	}
	go sendInput(enc, p.stdin)
	for {
		var f frame
		if err := dec.Decode(&f); err != nil {
			if p.ctx.Err() != nil {
				return p.ctx.Err()
			}
			return errors.New("the server stopped while it ran the command; ask for the state before you repeat it")
		}
		p.stdout.Write(f.Out)
		p.stderr.Write(f.Err)
		if f.Exit != nil {
			if *f.Exit == exitOK {
				return nil
			}
			return exitStatus(*f.Exit)
		}
	}
}

func sendInput(enc *json.Encoder, r io.Reader) {
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		if n > 0 && enc.Encode(frame{In: buf[:n]}) != nil {
			return
		}
		if err != nil {
			_ = enc.Encode(frame{EOF: true})
			return
		}
	}
}

// control answers the control socket of a serving node until ctx ends.
func control(ctx context.Context, n *node.Node) error {
	private, err := os.MkdirTemp("", "causeway-")
	if err != nil {
		return fmt.Errorf("make a folder for the control socket: %w", err)
	}
	defer os.RemoveAll(private)
	socket := filepath.Join(private, "control.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		return fmt.Errorf("open the control socket: %w", err)
	}
	pointer := filepath.Join(n.Dir, controlFile)
	if err := os.WriteFile(pointer, []byte(socket+"\n"), 0o600); err != nil {
		return fmt.Errorf("publish the control socket: %w", err)
	}
	defer os.Remove(pointer)
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var running sync.WaitGroup
	defer running.Wait()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, fs.ErrClosed) || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("accept on the control socket: %w", err)
		}
		running.Go(func() { serveControl(ctx, n, conn) })
	}
}

// serveControl runs one command for one client. The command ends when the
// client goes away.
func serveControl(ctx context.Context, n *node.Node, conn net.Conn) {
	defer conn.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dec := json.NewDecoder(conn)
	var first frame
	if err := dec.Decode(&first); err != nil {
		return
	}
	input, feed := io.Pipe()
	go func() {
		defer cancel()
		for {
			var f frame
			if err := dec.Decode(&f); err != nil {
				feed.CloseWithError(io.ErrUnexpectedEOF)
				return
			}
			if f.EOF {
				feed.Close()
			} else if _, err := feed.Write(f.In); err != nil {
				continue
			}
		}
	}()
	var mu sync.Mutex
	enc := json.NewEncoder(conn)
	send := func(f frame) error {
		mu.Lock()
		defer mu.Unlock()
		return enc.Encode(f)
	}
	code := run(&process{
		ctx:     ctx,
		stdin:   input,
		stdout:  frameWriter(func(b []byte) error { return send(frame{Out: b}) }),
		stderr:  frameWriter(func(b []byte) error { return send(frame{Err: b}) }),
		getenv:  func(string) string { return "" },
		dir:     first.Dir,
		serving: n,
	}, first.Args)
	_ = input.Close()
	_ = send(frame{Exit: &code})
}

// frameWriter sends what is written as frames.
type frameWriter func([]byte) error

func (w frameWriter) Write(b []byte) (int, error) {
	if err := w(b); err != nil {
		return 0, err
	}
	return len(b), nil
}
