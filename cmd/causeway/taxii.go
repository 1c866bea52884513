package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"causeway/internal/httpd/taxiiapi"
	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/label/stanag4774"
	"causeway/stix"
	"causeway/taxii"
)

// taxiiCmd is the group of commands that talk to other TAXII 2.1 servers, and
// that say how this node's own inbox treats what others send.
type taxiiCmd struct {
	Discover taxiiDiscoverCmd `cmd:"" help:"List a server's API roots and collections."`
	Pull     taxiiPullCmd     `cmd:"" help:"Read a collection, one object per line, from where the last pull ended."`
	Push     taxiiPushCmd     `cmd:"" help:"Add STIX objects to a collection and say what became of each."`
	Inbox    taxiiInboxCmd    `cmd:"" help:"Choose the label for objects that arrive in this node's inbox without a marking."`
}

// serverFlags say how to reach a server. Secrets come from the environment:
// a command line can be read by every process of the machine.
type serverFlags struct {
	User      string `placeholder:"NAME" help:"User name for HTTP Basic; the password is read from CAUSEWAY_TAXII_PASSWORD. Without it, CAUSEWAY_TAXII_TOKEN is sent as a bearer token, if set."`
	CA        string `name:"ca" placeholder:"FILE" help:"PEM certificates to trust instead of the system's."`
	PlainHTTP bool   `name:"plain-http" help:"Allow http:// for a server on this machine."`
}

func (f serverFlags) client(p *process, address string) (*taxii.Client, error) {
	o := taxii.ClientOptions{URL: address, Username: f.User, PlainHTTP: f.PlainHTTP, UserAgent: "causeway/1"}
	if f.User != "" {
		o.Password = p.getenv("CAUSEWAY_TAXII_PASSWORD")
	} else {
		o.Token = p.getenv("CAUSEWAY_TAXII_TOKEN")
	}
	if f.CA != "" {
		pem, err := os.ReadFile(p.path(f.CA))
		if err != nil {
			return nil, fmt.Errorf("read --ca: %w", err)
		}
		o.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
		if !o.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return nil, usagef("--ca %s: the file holds no PEM certificate", f.CA)
		}
	}
	c, err := taxii.NewClient(o)
	if err != nil {
		return nil, usageError{err.Error()}
	}
	return c, nil
}

type taxiiDiscoverCmd struct {
	serverFlags
	Server string `arg:"" placeholder:"URL" help:"Any address on the server."`
	JSON   bool   `name:"json" help:"One JSON object."`
}

// discovered is the answer of discover.
type discovered struct {
	taxii.Discovery
	Roots []discoveredRoot `json:"roots"`
}

type discoveredRoot struct {
	URL string `json:"url"`
	taxii.APIRoot
	Collections []discoveredCollection `json:"collections,omitempty"`
	Problem     string                 `json:"problem,omitempty"`
}

type discoveredCollection struct {
	URL string `json:"url"`
	taxii.Collection
}

func (c *taxiiDiscoverCmd) Run(p *process) error {
	client, err := c.client(p, c.Server)
	if err != nil {
		return err
	}
	var d discovered
	if d.Discovery, err = client.Discover(p.ctx); err != nil {
		return err
	}
	for _, url := range d.APIRoots {
		r := discoveredRoot{URL: url}
		var list []taxii.Collection
		if r.APIRoot, err = client.Root(p.ctx, url); err == nil {
			list, err = client.Collections(p.ctx, url)
		}
		if err != nil { // servers list roots that answer 404, or that lie elsewhere
			r.Problem = err.Error()
		}
		for _, coll := range list {
			r.Collections = append(r.Collections, discoveredCollection{taxii.CollectionURL(url, coll.ID), coll})
		}
		d.Roots = append(d.Roots, r)
	}
	if c.JSON {
		return p.printJSON(d)
	}
	fmt.Fprintln(p.stdout, d.Title)
	for _, r := range d.Roots {
		fmt.Fprintf(p.stdout, "%s  %s %s\n", r.URL, r.Title, r.Problem)
		for _, coll := range r.Collections {
			rights := []byte("--")
			if coll.CanRead {
				rights[0] = 'r'
			}
			if coll.CanWrite {
				rights[1] = 'w'
			}
			fmt.Fprintf(p.stdout, "  %s  %s  %s %s\n", rights, coll.URL, coll.Title, coll.Alias)
		}
	}
	return nil
}

type taxiiPullCmd struct {
	serverFlags
	Collection  string   `arg:"" placeholder:"URL" help:"Address of the collection: ROOT/collections/ID/."`
	Checkpoint  string   `placeholder:"FILE" help:"Where to keep how far the pull has come; it goes on from there. Without it, everything is read."`
	Type        []string `help:"Only these types."`
	AllVersions bool     `help:"Every version of each object, not only the newest."`
	Limit       int      `default:"1000" help:"Objects asked for per page."`
}

func (c *taxiiPullCmd) Run(p *process) error {
	client, err := c.client(p, c.Collection)
	if err != nil {
		return err
	}
	o := taxii.PullOptions{Limit: c.Limit, Match: taxii.Match{Types: c.Type}}
	if c.AllVersions {
		o.Match.Versions = []string{"all"}
	}
	if o.From, err = readCheckpoint(p.path(c.Checkpoint)); err != nil {
		return err
	}
	out := bufio.NewWriter(p.stdout)
	count := 0
	for page, err := range client.Pull(p.ctx, c.Collection, o) {
		if err != nil {
			return err
		}
		for _, raw := range page.Objects {
			if _, err := stix.ParseObject(raw); err != nil {
				fmt.Fprintf(p.stderr, "causeway: left out an object of the server: %v\n", err)
				continue
			}
			out.Write(oneLine(raw))
			out.WriteByte('\n')
			count++
		}
		// The objects leave first: a pull that is cut between the two gives
		// the page again, and loses nothing.
		if err := out.Flush(); err != nil {
			return fmt.Errorf("write objects: %w", err)
		}
		if err := writeCheckpoint(p.path(c.Checkpoint), page.Checkpoint); err != nil {
			return err
		}
	}
	fmt.Fprintf(p.stderr, "%d objects\n", count)
	return nil
}

// oneLine gives the bytes of an object on one line. Line breaks in JSON are
// space between its parts only, so that the object stays the same.
func oneLine(raw []byte) []byte {
	out := slices.Clone(raw)
	for i, b := range out {
		if b == '\n' || b == '\r' {
			out[i] = ' '
		}
	}
	return out
}

func readCheckpoint(path string) (at taxii.Checkpoint, err error) {
	if path == "" {
		return at, nil
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return at, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &at)
	}
	if err != nil {
		return at, fmt.Errorf("read the checkpoint %s (delete it to start from the beginning): %w", path, err)
	}
	return at, nil
}

// writeCheckpoint replaces the file in one step: after a crash it holds the
// old checkpoint or the new one.
func writeCheckpoint(path string, at taxii.Checkpoint) error {
	if path == "" {
		return nil
	}
	b, err := json.Marshal(at)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write the checkpoint: %w", err)
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("write the checkpoint: %w", err)
	}
	return nil
}

type taxiiPushCmd struct {
	serverFlags
	Collection string   `arg:"" placeholder:"URL" help:"Address of the collection: ROOT/collections/ID/."`
	Files      []string `arg:"" placeholder:"FILE" help:"Bundles, envelopes, arrays or JSON Lines; - for standard input."`
	Batch      int      `default:"500" help:"Objects per envelope."`
	JSON       bool     `name:"json" help:"One status per envelope, as the server gave it."`
}

func (c *taxiiPushCmd) Run(p *process) error {
	if c.Batch < 1 {
		return usagef("--batch %d: give at least 1", c.Batch)
	}
	client, err := c.client(p, c.Collection)
	if err != nil {
		return err
	}
	objects, bad, err := c.read(p)
	if err != nil {
		return err
	}
	root, _, ok := strings.Cut(c.Collection, "/collections/")
	if !ok {
		return usagef("%s is not the address of a collection, ROOT/collections/ID/", c.Collection)
	}
	stored, refused := 0, bad
	for part := range slices.Chunk(objects, c.Batch) {
		s, err := client.Add(p.ctx, c.Collection, part)
		if err == nil {
			s, err = client.Wait(p.ctx, root, s)
		}
		if err != nil {
			return err
		}
		stored += s.SuccessCount
		refused += s.FailureCount
		if c.JSON {
			if err := json.NewEncoder(p.stdout).Encode(s); err != nil {
				return err
			}
			continue
		}
		for _, f := range s.Failures {
			fmt.Fprintf(p.stdout, "refused %s %s: %s\n", f.ID, f.Version, f.Message)
		}
		for _, f := range s.Unlisted {
			fmt.Fprintf(p.stdout, "refused object %d of the envelope: %s\n", f.Index, f.Message)
		}
	}
	fmt.Fprintf(p.stderr, "%d taken, %d refused\n", stored, refused)
	if refused > 0 {
		return errCheckFailed
	}
	return nil
}

// read gives the objects of all files, markings first: a server that decides
// by them has to know them before what they mark.
func (c *taxiiPushCmd) read(p *process) (objects []json.RawMessage, bad int, err error) {
	var markings, rest []json.RawMessage
	for _, name := range c.Files {
		var in io.Reader = p.stdin
		if name != "-" {
			f, err := os.Open(p.path(name))
			if err != nil {
				return nil, 0, err
			}
			defer f.Close()
			in = f
		}
		for item, err := range stix.Scan(in, stix.Limits{}) {
			switch {
			case err != nil:
				return nil, 0, fmt.Errorf("read %s: %w", name, err)
			case item.Err != nil:
				fmt.Fprintf(p.stderr, "causeway: %s: line %d: %v\n", name, item.Line, item.Err)
				bad++
			case item.Object.Type() == "marking-definition":
				markings = append(markings, item.Object.Raw())
			default:
				rest = append(rest, item.Object.Raw())
			}
		}
	}
	return append(markings, rest...), bad, nil
}

type taxiiInboxCmd struct {
	dataFlag
	byFlag
	Label  string `placeholder:"FILE" xor:"what" help:"STANAG 4774 label that governs objects without a marking."`
	Refuse bool   `xor:"what" help:"Refuse objects without a marking. This is how a new node begins."`
}

func (c *taxiiInboxCmd) Run(p *process) error {
	var xml []byte
	switch {
	case c.Label != "":
		l, err := labelFlag{c.Label}.read(p)
		if err != nil {
			return err
		}
		if xml, err = stanag4774.WriteLabel(l); err != nil {
			return err
		}
	case !c.Refuse:
		return usagef("give --label FILE or --refuse")
	}
	return c.as(p, c.acting, func(n *node.Node, by people.Person) error {
		if !by.Has(people.SecurityOfficer) {
			return fmt.Errorf("%s is no security officer: %w", by.ID, errForbidden)
		}
		return taxiiapi.SetUnlabelled(p.ctx, n.Vault, n.Policies(), by.ReaderID(), xml)
	})
}
