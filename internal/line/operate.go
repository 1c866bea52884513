package line

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Order is one thing that an operator asks of a line, from the command line
// of the same machine. Fields that an operation does not use stay empty.
type Order struct {
	Op      string   `json:"op"`
	By      string   `json:"by"` // reader id of who asks
	Partner string   `json:"partner,omitempty"`
	Text    string   `json:"text,omitempty"` // code, reason or address
	File    []byte   `json:"file,omitempty"`
	Path    string   `json:"path,omitempty"` // file to write or read; absolute
	Object  string   `json:"object,omitempty"`
	Run     string   `json:"run,omitempty"`
	Kinds   []string `json:"kinds,omitempty"`
	Limit   int      `json:"limit,omitempty"`
	Consent bool     `json:"consent,omitempty"`
}

// Outcome is the answer to an [Order].
type Outcome struct {
	File       []byte       `json:"file,omitempty"`
	Code       string       `json:"code,omitempty"`
	Generation int          `json:"generation,omitempty"`
	Expires    time.Time    `json:"expires,omitzero"`
	Node       string       `json:"node,omitempty"`
	Partner    *Partner     `json:"partner,omitempty"`
	Partners   []Partner    `json:"partners,omitempty"`
	Status     []LineStatus `json:"status,omitempty"`
	Receipts   []Delivery   `json:"receipts,omitempty"`
	Exported   *Exported    `json:"exported,omitempty"`
	Imported   *Imported    `json:"imported,omitempty"`
	Match      *Match       `json:"match,omitempty"`
	Matches    []Match      `json:"matches,omitempty"`
	Error      string       `json:"error,omitempty"`
}

// Operate does what an order asks for.
func (l *Line) Operate(ctx context.Context, o Order) (out Outcome, err error) {
	out.Node = l.Node()
	node := ""
	if o.Partner != "" {
		p, err := l.Partner(ctx, o.Partner)
		if err != nil {
			return out, err
		}
		out.Partner, node = &p, p.NodeID
	}
	switch o.Op {
	case "invite":
		inv, file, err := l.Invite(ctx, o.By)
		if err != nil {
			return out, err
		}
		out.File, out.Expires = file, instant(inv.Expires)
	case "accept":
		a, err := l.Accept(ctx, o.By, o.File)
		if err != nil {
			return out, err
		}
		out.File, out.Code, out.Partner = a.Answer, a.Code, &a.Partner
	case "confirm":
		err = l.Confirm(ctx, o.By, node, o.Text)
	case "clear":
		err = l.SetClearance(ctx, o.By, node, o.File)
	case "address":
		err = l.SetAddress(ctx, o.By, node, o.Text)
	case "suspend":
		err = l.Suspend(ctx, o.By, node, o.Text)
	case "resume":
		err = l.Resume(ctx, o.By, node)
	case "revoke":
		err = l.Revoke(ctx, o.By, node, o.Text)
	case "clear-fork":
		err = l.ClearFork(ctx, o.By, node)
	case "rotate":
		out.Generation, err = l.Rotate(ctx, o.By)
	case "partners":
		out.Partners, err = l.Partners(ctx)
	case "status":
		out.Status, err = l.Status(ctx)
	case "receipts":
		out.Receipts, err = l.Receipts(ctx, node, o.Object, o.Limit)
	case "export":
		out.Exported, err = l.exportTo(ctx, o.By, node, o.Path)
	case "import":
		out.Imported, err = l.importFrom(ctx, o.By, o.Path)
	case "match-propose":
		out.Match, err = l.ProposeMatch(ctx, o.By, node, o.Kinds)
	case "match-answer":
		err = l.AnswerMatch(ctx, o.By, o.Run, o.Consent)
	case "match-run":
		out.Match, err = l.Match(ctx, o.By, o.Run, nil)
	case "matches":
		out.Matches, err = l.Matches(ctx)
	default:
		err = fmt.Errorf("operate the line: %q is not something it does", o.Op)
	}
	return out, err
}

// exportTo writes a courier file that is there whole or not at all.
func (l *Line) exportTo(ctx context.Context, by, node, path string) (*Exported, error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	defer os.Remove(f.Name()) // fails once the file has its own name
	defer f.Close()
	done, err := l.Export(ctx, by, node, f)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return nil, err
	}
	return &done, syncDir(filepath.Dir(path))
}

func (l *Line) importFrom(ctx context.Context, by, path string) (*Imported, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	defer f.Close()
	done, err := l.Import(ctx, by, f)
	return &done, err
}

// serveControl lets commands on this machine operate the running line: one
// process has the store, so they cannot open it themselves. The socket is for
// the owner of the data folder only, as the folder is.
func (l *Line) serveControl(ctx context.Context) error {
	if l.control == "" {
		return nil
	}
	if err := os.Remove(l.control); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("open the control socket: %w", err)
	}
	ln, err := net.Listen("unix", l.control)
	if err != nil {
		return fmt.Errorf("open the control socket: %w", err)
	}
	if err := os.Chmod(l.control, 0o600); err != nil {
		return errors.Join(fmt.Errorf("open the control socket: %w", err), ln.Close())
	}
	srv := &http.Server{
		ReadHeaderTimeout: headerTimeout,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var o Order
			if !readBody(w, r, 1<<20, &o) {
				return
			}
			out, err := l.Operate(r.Context(), o)
			if err != nil {
				out.Error = err.Error()
			}
			answer(w, out)
		}),
	}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the control socket: %w", err)
	}
	return nil
}

// ErrNotRunning is wrapped when no node answers on a control socket.
var ErrNotRunning = errors.New("the node is not running")

// Ask gives an order to the node that runs on a control socket.
func Ask(ctx context.Context, socket string, o Order) (Outcome, error) {
	var out Outcome
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", socket)
	}}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://node/", bytes.NewReader(mustCanonical(o)))
	if err != nil {
		return out, err
	}
	res, err := client.Do(req)
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return out, fmt.Errorf("%w: %w", ErrNotRunning, op.Err)
	}
	if err != nil {
		return out, fmt.Errorf("ask the running node: %w", plain(err))
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		return out, fmt.Errorf("ask the running node: %w", err)
	}
	if out.Error != "" {
		return out, errors.New(out.Error)
	}
	return out, nil
}
