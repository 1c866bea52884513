// Package line is the dedicated connection between two nodes: who a partner
// is and by which keys it is known, what waits for it and why, what it holds
// by its own signed word, and what it takes back.
//
// Five names to start from: [Open] gives a node's [Line]; [Line.Enqueue] puts
// versions on their way inside the transaction that releases them; [Line.Run]
// and [Line.Serve] move messages; [Line.Status] says what a partner holds and
// what it waits for. Identities, invitations, statements, seals, receipts and
// witnessing are pure and know nothing of the store or the network.
//
// What crosses is a sealed message (docs/protocol/line.md): the receiver
// stores its objects, its place in the stream and the receipt it answers with
// in one transaction, so a cut or a kill at any point leaves both sides able
// to go on, with one copy and one receipt.
package line

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/label"

	"golang.org/x/mod/sumdb/note"
)

// Config is what a line is opened with.
type Config struct {
	Vault    *vault.Vault
	Ring     *Ring
	Policies func() *label.Policies // the policies and group tables in force now
	// LogSigner signs the checkpoints of the audit log that partners witness;
	// its name and key are the identity's LogKey. nil: receipts carry none.
	LogSigner note.Signer
	Address   string // host:port where partners reach this node; empty when they cannot
	Spool     string // folder for messages that arrived in part; empty keeps none
	Limits    Limits // zero fields take the defaults
	// Node is the node itself as a reader, for the markings it already holds.
	// nil: only markings that come with a message are understood.
	Node func() vault.Reader
	// Alternatives gives the signed alternative labels that go with a label, by
	// its XML, to a partner; Alternative takes up one that came. May be nil.
	Alternatives func(xml []byte) [][]byte
	Alternative  func(ctx context.Context, signed []byte) error
	// PartnersChanged is called after every change of who the partners are or
	// what they may see, so that the vault learns its audiences; at the start
	// the caller does that itself. May be nil.
	PartnersChanged func(ctx context.Context, readers []vault.Reader) error
	// Words are given the words of their kind; words of a kind that nobody
	// listens to are refused.
	Words map[WordKind]Listener
	Now   func() time.Time // nil: time.Now
	// Holding is the time by which clearances end, never behind what was seen; nil: Now.
	Holding func() time.Time
	Log     *slog.Logger // nil: discards
}

// Limits bounds what one partner may cost this node.
type Limits struct {
	BytesPerHour int64         // sealed bytes accepted from one partner; 0: 8 GiB
	Matches      int64         // blinded elements evaluated for one partner in one epoch; 0: 200,000
	BatchItems   int           // versions in one message; 0: 1,000
	BatchBytes   int           // bytes of objects in one message; 0: 4 MiB
	Expiry       time.Duration // after which an undelivered message is given up; 0: 30 days
	Rate         int64         // slowest body accepted, bytes a second; 0: 1 KiB
	Grace        time.Duration // before Rate counts; 0: 20 s
	Checkpoint   time.Duration // how old a checkpoint may be that a partner is shown; 0: 1 s
	RetryMost    time.Duration // longest pause between attempts; 0: 30 s
	TransitBytes int64         // sealed bytes carried for one partner at a time; 0: 1 GiB
	Transits     int64         // messages carried for one partner at a time; 0: 10,000
}

func (l Limits) filled() Limits {
	l.BytesPerHour = or(l.BytesPerHour, 8<<30)
	l.Matches = or(l.Matches, 200_000)
	l.BatchItems = min(or(l.BatchItems, 1_000), maxObjects)
	l.BatchBytes = min(or(l.BatchBytes, 4<<20), maxBody/2)
	l.Expiry = or(l.Expiry, 30*24*time.Hour)
	l.Rate = or(l.Rate, 1<<10)
	l.Grace = or(l.Grace, 20*time.Second)
	l.Checkpoint = or(l.Checkpoint, time.Second)
	l.RetryMost = or(l.RetryMost, 30*time.Second)
	l.TransitBytes = or(l.TransitBytes, 1<<30)
	l.Transits = or(l.Transits, 10_000)
	return l
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// Item names one version of one object.
type Item struct {
	ID      string `json:"id"`
	Version string `json:"version"`
}

// Line is one node's side of all its lines. It keeps no state of its own that
// a restart would miss: everything that decides is in the vault's records, so
// any number of servers may share one store.
type Line struct {
	vault        *vault.Vault
	commit       func(context.Context, audit.Act, func(*vault.Tx) error) (vault.Entry, error) // the vault's Act; tests let it fail
	ring         *Ring
	policies     func() *label.Policies
	signer       note.Signer
	node         func() vault.Reader
	words        map[WordKind]Listener
	address      string
	parts        *spool
	origins      origins
	shown        shown
	limits       Limits
	changed      func(context.Context, []vault.Reader) error
	alternatives func(xml []byte) [][]byte
	alternative  func(ctx context.Context, signed []byte) error
	now          func() time.Time
	holding      func() time.Time
	log          *slog.Logger

	runs     atomic.Bool // Run is at work
	mu       sync.Mutex
	wakes    map[string]chan struct{} // by partner: something to send
	contact  map[string]contact       // by partner: the last attempt to reach it
	inbound  map[string]*sync.Mutex   // by partner and lane: one message at a time
	quotas   map[string]quotaRecord   // by partner
	urgent   map[string]*urgency      // by partner
	matching map[string]Progress      // by run: blind matches in the background
	offered  map[string]time.Time     // by message carried: when its destination was given it
	unrouted map[string]string        // by destination: why its relay did not take the last message
	stuck    map[string]holdup        // by destination of what is carried: why it does not leave
}

// contact is what is known of the connection to a partner; it describes the
// present and is lost, rightly, at a restart.
type contact struct {
	At     time.Time // of the last answer
	Tried  time.Time
	Reason string // why there was none
	Shut   string // the partner's words, where it keeps the line shut
}

var (
	// ErrNoPartner is wrapped when a node is named that is not a partner.
	ErrNoPartner = errors.New("not a partner of this node")
	// ErrSuspended is wrapped when a partner's line is not open.
	ErrSuspended = errors.New("the line is not open")
)

// Open prepares a node's lines. It starts nothing: see [Line.Run] and
// [Line.Serve].
func Open(_ context.Context, c Config) (*Line, error) {
	if c.Vault == nil || c.Ring == nil || c.Policies == nil {
		return nil, errors.New("open the line: it needs a vault, keys and policies")
	}
	if err := checkAddress(c.Address); err != nil {
		return nil, fmt.Errorf("open the line: %w", err)
	}
	parts, err := newSpool(c.Spool)
	if err != nil {
		return nil, fmt.Errorf("open the line: %w", err)
	}
	l := &Line{vault: c.Vault, commit: c.Vault.Act, ring: c.Ring, policies: c.Policies, signer: c.LogSigner, node: c.Node, words: c.Words, address: c.Address, parts: parts,
		limits: c.Limits.filled(), changed: c.PartnersChanged, alternatives: c.Alternatives, alternative: c.Alternative, now: c.Now, holding: c.Holding, log: c.Log,
		wakes: map[string]chan struct{}{}, contact: map[string]contact{}, inbound: map[string]*sync.Mutex{}, quotas: map[string]quotaRecord{}, urgent: map[string]*urgency{}, stuck: map[string]holdup{}, unrouted: map[string]string{}, offered: map[string]time.Time{}, matching: map[string]Progress{}}
	if l.now == nil {
		l.now = time.Now
	}
	if l.holding == nil {
		l.holding = l.now
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if c.LogSigner != nil {
		if v, err := note.NewVerifier(l.Self().LogKey); err != nil || v.Name() != c.LogSigner.Name() || v.KeyHash() != c.LogSigner.KeyHash() {
			return nil, errors.New("open the line: the log key that the node's identity names is not the one that signs its checkpoints")
		}
	}
	return l, nil
}

// Self is the node's own current identity.
func (l *Line) Self() *Identity { return l.ring.Current().Identity }

// Node is the node's own name.
func (l *Line) Node() string { return l.Self().Node }
