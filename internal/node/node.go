// Package node opens everything that one agency's installation consists of
// and wires it together. It is the only package that imports every room.
//
// [Init] makes a data folder, [Open] opens one. The folder holds:
//
//	node.json        who the node is and where it listens
//	keys.json        the node's private keys (mode 0600)
//	audit.key        the key that signs the audit log's checkpoints (0600)
//	policies/*.xml   security policies besides the shipped ones
//	vault/           the store, unless node.json names a PostgreSQL server
//	runs/            detection runs: the posts they were given
//	spool/           messages of partners that arrived in part
package node

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"causeway/internal/desk"
	"causeway/internal/line"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/policies"
	"causeway/label/spif"
	"causeway/stix"
)

// Config is node.json.
type Config struct {
	Nation   string    `json:"nation"` // three capital letters
	Name     string    `json:"name"`
	Slug     string    `json:"slug"`     // short lower-case name: host part of key names and of partner ids
	Identity string    `json:"identity"` // STIX id of the agency, created_by_ref of what it writes
	Web      string    `json:"web"`      // address of pages and TAXII
	Line     string    `json:"line"`     // address of the line
	Postgres string    `json:"postgres,omitempty"`
	Created  time.Time `json:"created"`
}

// Names of the files in a data folder.
const (
	configFile  = "node.json"
	keysFile    = "keys.json"
	auditFile   = "audit.key"
	policiesDir = "policies"
	vaultDir    = "vault"
	runsDir     = "runs"
	spoolDir    = "spool"
)

// Node is one open installation.
type Node struct {
	Dir    string
	Config Config
	Vault  *vault.Vault
	Line   *line.Line
	People *people.Registry
	Desk   *desk.Desk
	Log    *slog.Logger

	first    first
	auditKey note.Signer
	now      func() time.Time
	own      []*label.Policy                // shipped and loaded from the folder
	base     atomic.Pointer[label.Policies] // these with the groups in force
	policies atomic.Pointer[label.Policies] // base with the audience of TLP and what alternatives decide by

	held         heldTime // of what ends
	translations translations
	authorities  atomic.Pointer[[]label.Authority] // by which alternatives decide
}

// Founding is what [Init] needs to know of a new node.
type Founding struct {
	Nation   string
	Name     string
	Slug     string // empty: made from Name
	Web      string
	Line     string
	Postgres string
}

var (
	nationCode = regexp.MustCompile(`^[A-Z]{3}$`)
	notSlug    = regexp.MustCompile(`[^a-z0-9]+`)
)

// Init makes a data folder. It is made beside dir under another name and
// renamed when it is whole, so dir never exists half-made.
func Init(ctx context.Context, dir string, f Founding) error {
	if !nationCode.MatchString(f.Nation) {
		return fmt.Errorf("nation %q: give three capital letters (ISO 3166-1 alpha-3), for example JPN", f.Nation)
	}
	if strings.TrimSpace(f.Name) == "" {
		return errors.New("the node needs a name that people know it by")
	}
	if f.Slug == "" {
		f.Slug = strings.Trim(notSlug.ReplaceAllString(strings.ToLower(f.Name), "-"), "-")
		if f.Slug == "" {
			f.Slug = strings.ToLower(f.Nation)
		}
	}
	if _, err := os.Lstat(dir); err == nil {
		return fmt.Errorf("%s exists already; name a folder that does not exist", dir)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look at %s: %w", dir, err)
	}
	if err := os.MkdirAll(filepath.Dir(filepath.Clean(dir)), 0o700); err != nil {
		return fmt.Errorf("make the parent of %s: %w", dir, err)
	}
	fresh, err := os.MkdirTemp(filepath.Dir(filepath.Clean(dir)), ".causeway-init-")
	if err != nil {
		return fmt.Errorf("make a folder beside %s: %w", dir, err)
	}
	defer os.RemoveAll(fresh)
	if err := fill(ctx, fresh, f); err != nil {
		return err
	}
	if err := os.Rename(fresh, dir); err != nil {
		return fmt.Errorf("put the new folder in place: %w", err)
	}
	return nil
}

// fill makes everything in an empty folder.
func fill(ctx context.Context, dir string, f Founding) error {
	now := time.Now().UTC()
	for _, sub := range []string{policiesDir, runsDir} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			return fmt.Errorf("make %s: %w", sub, err)
		}
	}
	private, public, err := note.GenerateKey(rand.Reader, f.Slug+".causeway/audit")
	if err != nil {
		return fmt.Errorf("make the audit log's key: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, auditFile), []byte(private+"\n"), 0o600); err != nil {
		return fmt.Errorf("write the audit log's key: %w", err)
	}
	c := Config{Nation: f.Nation, Name: f.Name, Slug: f.Slug, Identity: stix.NewID("identity"), Web: f.Web, Line: f.Line, Postgres: f.Postgres, Created: now}
	founding := line.Founding{Nation: f.Nation, Name: f.Name, SpeaksFor: []string{c.Identity}, LogKey: public, Now: now}
	if _, err := line.CreateRing(filepath.Join(dir, keysFile), founding); err != nil {
		return err
	}
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", configFile, err)
	}
	if err := os.WriteFile(filepath.Join(dir, configFile), append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", configFile, err)
	}
	n, err := Open(ctx, dir)
	if err != nil {
		return err
	}
	return errors.Join(n.introduce(ctx), n.Close())
}

// Open opens the node of a data folder. A second process on the same folder
// gets [vault.ErrLocked].
func Open(ctx context.Context, dir string) (*Node, error) { return OpenWith(ctx, dir, Options{}) }

// Options change how a node is opened.
type Options struct {
	Now func() time.Time // the node's clock; nil: the system's
	Log *slog.Logger     // nil: nothing is logged
}

// OpenWith is [Open] with options.
func OpenWith(ctx context.Context, dir string, o Options) (*Node, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	n := &Node{Dir: dir, Log: o.Log, now: o.Now}
	n.held.clock = o.Now
	if err := n.readConfig(); err != nil {
		return nil, err
	}
	if err := n.loadAuditKey(); err != nil {
		return nil, err
	}
	if err := n.loadPolicies(); err != nil {
		return nil, err
	}
	ring, err := line.LoadRing(filepath.Join(dir, keysFile))
	if err != nil {
		return nil, err
	}
	n.Vault, err = vault.Open(ctx, vault.Config{Dir: filepath.Join(dir, vaultDir), Postgres: n.Config.Postgres, Now: o.Now, Log: o.Log})
	if err != nil {
		return nil, err
	}
	if err := n.wire(ctx, ring, o); err != nil {
		return nil, errors.Join(err, n.Vault.Close())
	}
	return n, nil
}

func (n *Node) wire(ctx context.Context, ring *line.Ring, o Options) (err error) {
	if err := n.raiseFloor(ctx); err != nil {
		return err
	}
	if err := n.loadGroups(ctx); err != nil {
		return err
	}
	n.Line, err = line.Open(ctx, line.Config{
		Vault: n.Vault, Ring: ring, Policies: n.Policies, LogSigner: n.auditKey, Address: n.Config.Line,
		Spool: filepath.Join(n.Dir, spoolDir), Now: o.Now, Holding: n.held.now, Log: o.Log,
		Node: func() vault.Reader {
			r, err := n.OwnReader()
			if err != nil {
				o.Log.Error("compile what the node holds", "err", err)
				return vault.Reader{ID: "node", Kind: vault.Node}
			}
			return r
		},
		Words: map[line.WordKind]line.Listener{
			line.ClearanceWord: func(tx *vault.Tx, partner line.Partner, body []byte) (string, error) {
				return n.Desk.TakeWord(tx, partner, body)
			},
			line.CosignWord: func(tx *vault.Tx, partner line.Partner, body []byte) (string, error) {
				return n.Desk.TakeCosign(tx, partner, body)
			},
		},
		Alternatives: n.leavingWith, Alternative: n.arrived,
		PartnersChanged: func(ctx context.Context, _ []vault.Reader) error {
			if n.Line == nil {
				return nil // still opening: wire refreshes when everything stands
			}
			return n.RefreshReaders(ctx)
		},
	})
	if err != nil {
		return err
	}
	n.People = people.New(n.Vault, n.Policies, n.Line.Node(), n.held.now)
	n.Desk = desk.New(desk.Config{
		Vault: n.Vault, Line: n.Line, People: n.People, Policies: n.Policies, Versions: n.Versions, Now: n.held.now, Log: o.Log,
		Nation: n.Config.Nation, Name: n.Config.Name, Identity: n.Config.Identity, Created: n.Config.Created,
		Runs: filepath.Join(n.Dir, runsDir),
	})
	if err := n.loadTranslations(ctx); err != nil {
		return err
	}
	return n.RefreshReaders(ctx)
}

// Close gives the data folder back.
func (n *Node) Close() error {
	return errors.Join(n.Desk.Close(), n.keepAlternatives(context.Background()), n.Vault.Close())
}

// Now is the node's clock.
func (n *Node) Now() time.Time { return n.now() }

// Policies gives the policies and groups in force.
func (n *Node) Policies() *label.Policies { return n.policies.Load() }

// RefreshReaders tells the vault who reads now: people, partners, the public.
// Call it after any change to clearances, policies, groups or partners.
func (n *Node) RefreshReaders(ctx context.Context) error {
	if err := n.raiseFloor(ctx); err != nil {
		return err
	}
	partners, err := n.Line.Partners(ctx)
	if err != nil {
		return err
	}
	n.bindAudience(partners)
	readers, err := n.People.Readers(ctx)
	if err != nil {
		return err
	}
	own, err := n.OwnReader()
	if err != nil {
		return err
	}
	readers = append(readers, own, vault.Reader{ID: "public", Kind: vault.Public, Holdings: label.Public})
	for _, p := range partners {
		readers = append(readers, n.Line.Reader(p))
	}
	return n.Vault.SetReaders(ctx, readers)
}

// bindAudience says whom the words of TLP mean here: AMBER this node, GREEN
// its partners too. RED names recipients, and nobody is named by default.
func (n *Node) bindAudience(partners []line.Partner) {
	a := label.Audience{Organisation: n.Line.Node()}
	for _, p := range partners {
		if p.State == line.Active {
			a.Community = append(a.Community, p.NodeID)
		}
	}
	n.policies.Store(n.translated(n.base.Load().WithAudience(a)))
}

func (n *Node) readConfig() error {
	path := filepath.Join(n.Dir, configFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is not a node's data folder (no %s); make one with \"causeway init\"", n.Dir, configFile)
	}
	if err != nil {
		return fmt.Errorf("read the node's configuration: %w", err)
	}
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&n.Config); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

func (n *Node) loadAuditKey() error {
	b, err := os.ReadFile(filepath.Join(n.Dir, auditFile))
	if err != nil {
		return fmt.Errorf("read the audit log's key: %w", err)
	}
	if n.auditKey, err = note.NewSigner(strings.TrimSpace(string(b))); err != nil {
		return fmt.Errorf("read the audit log's key: %s is damaged", auditFile)
	}
	return nil
}

// loadPolicies compiles the shipped policies and those in the folder.
func (n *Node) loadPolicies() error {
	n.own = policies.Shipped()
	files, err := filepath.Glob(filepath.Join(n.Dir, policiesDir, "*.xml"))
	if err != nil {
		return fmt.Errorf("list the policies: %w", err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read policy: %w", err)
		}
		p, err := spif.Parse(b)
		if err != nil {
			return fmt.Errorf("read policy %s: %w", path, err)
		}
		n.own = supersede(n.own, p)
	}
	return nil
}
