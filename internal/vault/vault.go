// Package vault is the guarded store of a node. It keeps every version of
// every object with its producer's bytes, knows who may see which since when,
// and logs each act in the transaction that does it.
//
// [Vault.As] is the only way to stored objects: it gives a [View], what one
// reader may see, and everything a view answers (pages, counts, searches,
// neighbours, histories, errors) is computed on that and on nothing else.
// [Vault.Act] is the only way to change anything: what happens inside it and
// the audit entry that says so are one transaction.
//
// Availability orders a reader's feed, not insertion: when a label is
// widened, a version released or a clearance granted, what the reader gains is
// appended to the reader's feed with a time of its own. Those times depend
// only on the clock and on what is in that feed, so that two stores that
// differ in what a reader may not see give that reader the same times.
//
// Where rows come from and which rule number means what is decided here; the
// engines under internal/ hold SQL only. docs/adr/0001, 0002 and 0006 say why.
package vault

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault/internal/engine"
	"causeway/internal/vault/internal/postgres"
	"causeway/internal/vault/internal/sqlite"
	"causeway/label"
)

var (
	// ErrNotFound is the one answer for what does not exist and for what the
	// reader may not see.
	ErrNotFound = errors.New("not found")
	// ErrLocked is wrapped when another process works on the same folder.
	ErrLocked = engine.ErrLocked
	// ErrCursor is wrapped when a cursor was made for another reader or
	// question, or was altered.
	ErrCursor = errors.New("the cursor is not valid here")
	// ErrQuery is wrapped by what is wrong with a question: the text names the
	// place and the fix.
	ErrQuery = errors.New("the question cannot be understood")
)

// Kind says by which of the two tests a reader sees a version.
type Kind uint8

// A person or the node itself sees what the label allows. A partner and the
// public see what the label allows and what was released to them.
const (
	Person Kind = iota + 1
	Partner
	Public
	Node
)

// Reader is whoever asks.
type Reader struct {
	ID       string // "person:aiko", "partner:<node id>", "public", "node"
	Kind     Kind
	Holdings *label.Holdings // what the reader holds now; nil holds nothing
}

func (r Reader) released() bool { return r.Kind != Person && r.Kind != Node }

// Config says which store to open.
type Config struct {
	Dir      string           // data folder of the SQLite store, made if absent
	Postgres string           // connection string; when set, the store is there and Dir is not used
	ReadOnly bool             // for verification beside a running node: views and acts are refused
	Now      func() time.Time // default time.Now
	Log      *slog.Logger     // default: nothing is logged
	Rand     io.Reader        // source of salts and keys; default crypto/rand
	engine   engine.Engine    // tests put a failing one here
}

// Vault is one open store. It is safe for concurrent use.
type Vault struct {
	db  engine.Engine
	cfg Config
	key []byte // authenticates cursors

	interned interned
	writing  writing
	watch    watchers

	background sync.WaitGroup
	stop       context.CancelFunc
	wake       chan struct{} // there is something to index
}

// writing is what the process remembers between two of its own writes. It is
// used inside a write transaction only, by one writer at a time.
type writing struct {
	sync.Mutex
	log        *audit.Log
	generation int64
	feeds      []engine.Feed
	readers    map[string]int64
}

// Open opens the store, making it when it does not exist. Another process on
// the same folder is refused with an error that wraps [ErrLocked].
func Open(ctx context.Context, cfg Config) (*Vault, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	db, err := cfg.engine, error(nil)
	switch {
	case db != nil:
	case cfg.Postgres != "":
		db, err = postgres.Open(ctx, cfg.Postgres)
	case cfg.Dir != "":
		db, err = sqlite.Open(ctx, cfg.Dir, cfg.ReadOnly)
	default:
		err = errors.New("open the vault: neither a folder nor a database is given")
	}
	if err != nil {
		return nil, err
	}
	v := &Vault{db: db, cfg: cfg, wake: make(chan struct{}, 1)}
	v.interned.init()
	v.watch.by = map[string]map[chan struct{}]struct{}{}
	ctx, v.stop = context.WithCancel(context.WithoutCancel(ctx))
	if err := v.loadKey(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if !cfg.ReadOnly {
		v.background.Go(func() { v.indexing(ctx) })
	}
	if ch := db.Announced(); ch != nil {
		v.background.Go(func() { v.relay(ctx, ch) })
	}
	return v, nil
}

// Close ends the store's work. Views and acts fail afterwards.
func (v *Vault) Close() error {
	v.stop()
	v.background.Wait()
	return v.db.Close()
}

// loadKey reads the key of the cursors, or makes it once.
func (v *Vault) loadKey(ctx context.Context) error {
	const name = "cursor-key"
	read := func(r engine.Read) error {
		text, err := r.Setting(name)
		if err != nil {
			return err
		}
		v.key, err = hex.DecodeString(text)
		return err
	}
	if err := v.db.Read(ctx, read); err != nil || len(v.key) > 0 || v.cfg.ReadOnly {
		return err
	}
	return v.db.Write(ctx, false, func(w engine.Write) error {
		if err := read(w); err != nil || len(v.key) > 0 {
			return err
		}
		v.key = make([]byte, 32)
		if _, err := io.ReadFull(v.cfg.Rand, v.key); err != nil {
			return fmt.Errorf("make the key of the cursors: %w", err)
		}
		return w.SetSetting(name, hex.EncodeToString(v.key))
	})
}

// LastAct is the time of the last entry of the audit log; zero when it is empty.
func (v *Vault) LastAct(ctx context.Context) (at time.Time, err error) {
	err = v.db.Read(ctx, func(r engine.Read) error {
		st, err := r.State()
		if err == nil && st.Entries > 0 {
			at = timeOf(st.At)
		}
		return err
	})
	return at, err
}

// Governing calls do with everything that governs, or governed, a stored version,
// each once. It is about labels, and gives out no object.
func (v *Vault) Governing(ctx context.Context, do func(label.Effective)) error {
	if err := v.db.Read(ctx, func(db engine.Read) error { return v.interned.learn(db) }); err != nil {
		return fmt.Errorf("read the labels: %w", err)
	}
	v.interned.mu.RLock()
	all := slices.Clone(v.interned.labels[1:])
	v.interned.mu.RUnlock()
	for _, l := range all {
		do(l.effective)
	}
	return nil
}

// As gives what the reader may see.
func (v *Vault) As(r Reader) *View { return &View{v, r} }

func timeOf(m engine.Micros) time.Time { return time.UnixMicro(m).UTC() }
