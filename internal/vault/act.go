package vault

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault/internal/engine"
	"causeway/label"
)

// Entry is where an act stands in the audit log.
type Entry struct {
	Index int64
	At    time.Time
}

// Act does something and logs it, in one transaction: when Act returns
// without error both are durable, with an error neither happened. do may read
// what it decides on through the Tx: no other act runs until it ends. It must
// not call the Vault. do may be nil for what only needs to be logged.
//
// The entry's time is the node's clock, or that of the entry before it where
// the clock was set back.
func (v *Vault) Act(ctx context.Context, a audit.Act, do func(*Tx) error) (Entry, error) {
	var e Entry
	err := v.write(ctx, false, func(s *session) error {
		t := &Tx{s: s, act: a, index: s.state.Entries, prior: map[string][]engine.Version{}}
		if do != nil {
			if err := do(t); err != nil {
				return err
			}
		}
		if t.err != nil {
			return t.err
		}
		var err error
		e, err = s.log(a, t.effects())
		return err
	})
	if err != nil {
		return Entry{}, err
	}
	return e, nil
}

// Tx is an act under way. It is good until the function it was given to
// returns, for one goroutine.
type Tx struct {
	s       *session
	act     audit.Act
	index   int64 // of the entry to be
	prior   map[string][]engine.Version
	events  int64
	digests [len(effectKinds)]digest
	records []audit.Effect
	err     error // after which nothing may be committed
}

// At is the time of the act.
func (t *Tx) At() time.Time { return timeOf(t.s.at) }

// Index is the place that the act's entry will have in the log.
func (t *Tx) Index() int64 { return t.index }

// session is one write transaction with what the process remembers.
type session struct {
	v       *Vault
	w       engine.Write
	state   engine.State
	at      engine.Micros
	auditor *audit.Log
	feeds   map[int64]*feedState
	order   []*feedState // by number
	readers map[string]int64
	over    overlay
	tallies map[tallyKey]*engine.Tally
	grew    map[int64]bool // feeds with something new, to be announced
	stored  bool           // versions were added
	changed bool           // feeds or readers changed
	parting bool           // audiences are being parted, see part
}

// write runs do in a session and keeps what it learnt only when it commits.
func (v *Vault) write(ctx context.Context, lazy bool, do func(*session) error) error {
	var s *session
	locked := false
	defer func() {
		if locked {
			v.writing.Unlock()
		}
	}()
	err := v.db.Write(ctx, lazy, func(w engine.Write) error {
		// The engine lets one writer of this process in at a time; the lock
		// makes the memory of the last one visible to this one.
		v.writing.Lock()
		locked = true
		var err error
		if s, err = v.begin(w); err != nil {
			return err
		}
		if err := do(s); err != nil {
			return err
		}
		return s.flush()
	})
	if err != nil {
		v.writing.generation = -1
		v.writing.log = nil
		return err
	}
	v.writing.log, v.writing.generation, v.writing.readers = s.auditor, s.state.Generation, s.readers
	v.writing.feeds = v.writing.feeds[:0]
	for _, f := range s.order {
		v.writing.feeds = append(v.writing.feeds, f.Feed)
	}
	v.notify(s.grew, s.readers)
	if s.stored {
		select {
		case v.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

func (v *Vault) begin(w engine.Write) (*session, error) {
	st, err := w.State()
	if err != nil {
		return nil, err
	}
	if err := v.interned.learn(w); err != nil {
		return nil, err
	}
	s := &session{v: v, w: w, state: st, at: max(v.cfg.Now().UnixMicro(), st.At),
		over:  overlay{map[string]engine.Label{}, map[string]int64{}, map[int64]label.Rule{}, map[string]int64{}, map[int64][]byte{}, map[string]struct{}{}},
		feeds: map[int64]*feedState{}, tallies: map[tallyKey]*engine.Tally{}, grew: map[int64]bool{}}
	m := &v.writing
	if m.log != nil && m.log.Size() == st.Entries {
		s.auditor = m.log.Clone()
	} else {
		s.auditor = audit.NewLog(st.Entries)
	}
	feeds, readers := m.feeds, m.readers
	if m.generation != st.Generation {
		if feeds, err = w.Feeds(); err != nil {
			return nil, err
		}
		if readers, err = w.Readers(); err != nil {
			return nil, err
		}
	}
	s.readers = make(map[string]int64, len(readers))
	for r, f := range readers {
		s.readers[r] = f
	}
	for _, f := range feeds {
		s.add(f)
	}
	return s, nil
}

// flush writes what the session gathered.
func (s *session) flush() error {
	if err := s.part(); err != nil {
		return err
	}
	if err := s.flushTallies(); err != nil {
		return err
	}
	for _, f := range s.order {
		if !f.changed {
			continue
		}
		s.changed = true
		if err := s.w.PutFeed(f.Feed); err != nil {
			return err
		}
	}
	if s.changed {
		s.state.Generation++
	}
	if len(s.grew) > 0 {
		grew := make([]int64, 0, len(s.grew))
		for f := range s.grew {
			grew = append(grew, f)
		}
		slices.Sort(grew)
		if err := s.w.Announce(grew); err != nil {
			return err
		}
	}
	return s.w.SetState(s.state)
}

// log appends the entry of an act.
func (s *session) log(a audit.Act, effects []audit.Effect) (Entry, error) {
	salt := make([]byte, audit.SaltSize)
	if _, err := io.ReadFull(s.v.cfg.Rand, salt); err != nil {
		return Entry{}, fmt.Errorf("salt an audit entry: %w", err)
	}
	i, err := s.auditor.Append(logStore{s.w, s.w}, audit.Entry{At: timeOf(s.at), Act: a, Effects: effects}, salt)
	if err != nil {
		return Entry{}, err
	}
	s.state.Entries, s.state.At = i+1, s.at
	return Entry{i, timeOf(s.at)}, nil
}

// overlay holds what the session interned. Others learn of it from the store
// once it is committed: a number that was never committed may come to mean
// something else.
type overlay struct {
	labels map[string]engine.Label
	rules  map[string]int64
	rule   map[int64]label.Rule
	kinds  map[string]int64
	bodies map[int64][]byte
	atoms  map[string]struct{} // named by these rules
}

// intern gives the numbers of an effective label and of its rule.
func (s *session) intern(e label.Effective) (labelN, ruleN int64, err error) {
	in, o := &s.v.interned, &s.over
	body := e.Encode()
	if l, ok := o.labels[string(body)]; ok {
		return l.N, l.Rule, nil
	}
	in.mu.RLock()
	n, ok := in.labelN[string(body)]
	if ok {
		defer in.mu.RUnlock()
		return n, in.labels[n].rule, nil
	}
	key := e.Rule.Key()
	ruleN, ok = in.ruleN[key]
	nextRule, nextLabel := int64(len(in.rules)+len(o.rules)), int64(len(in.labels)+len(o.labels))
	in.mu.RUnlock()
	if !ok {
		ruleN, ok = o.rules[key]
	}
	if !ok {
		ruleN = nextRule
		if err := s.w.AddRule(engine.Rule{N: ruleN, Key: key}); err != nil {
			return 0, 0, err
		}
		o.rules[key], o.rule[ruleN] = ruleN, e.Rule
		for _, clause := range e.Rule.Clauses() {
			for _, a := range clause {
				o.atoms[a] = struct{}{}
			}
		}
	}
	x := engine.Label{N: nextLabel, Rule: ruleN, Body: body}
	if err := s.w.AddLabel(x); err != nil {
		return 0, 0, err
	}
	o.labels[string(body)], o.bodies[x.N] = x, body
	return nextLabel, ruleN, nil
}

func (s *session) kind(name string) (int64, error) {
	in, o := &s.v.interned, &s.over
	if n, ok := o.kinds[name]; ok {
		return n, nil
	}
	in.mu.RLock()
	n, ok := in.kindN[name]
	next := int64(len(in.kinds) + len(o.kinds))
	in.mu.RUnlock()
	if ok {
		return n, nil
	}
	if err := s.w.AddKind(engine.Kind{N: next, Name: name}); err != nil {
		return 0, err
	}
	o.kinds[name] = next
	return next, nil
}

// body is the stored form of a label by number.
func (s *session) body(n int64) []byte {
	if b, ok := s.over.bodies[n]; ok {
		return b
	}
	return s.v.interned.label(n).body
}

// effectKinds is the order of effects in an entry.
var effectKinds = [...]string{"version", "release", "recall", "relabel", "withdraw"}

// digest gathers the rows of one kind of effect.
type digest struct {
	count int
	h     hash.Hash
}

// row adds one row: its fields, each with its length before it.
func (d *digest) row(fields ...[]byte) {
	if d.h == nil {
		d.h = sha256.New()
	}
	d.count++
	var n [4]byte
	for _, f := range fields {
		binary.BigEndian.PutUint32(n[:], uint32(len(f)))
		d.h.Write(n[:])
		d.h.Write(f)
	}
}

// versionRow is a stored version as an entry commits to it; raw is the
// SHA-256 of its bytes, body the label it came with.
func (d *digest) versionRow(v *engine.Version, raw, body []byte) {
	d.row([]byte(v.ID), []byte(v.Text), []byte(v.Source), []byte(v.Collection), raw, body)
}

// eventRow is an event as an entry commits to it.
func (d *digest) eventRow(e *engine.Event, before, then []byte) {
	d.row([]byte(e.ID), []byte(e.Version), []byte(e.Reader), []byte(e.By), []byte(e.Text), before, then)
}

func (t *Tx) effects() []audit.Effect { return append(effectsOf(&t.digests), t.records...) }

func effectsOf(ds *[len(effectKinds)]digest) (out []audit.Effect) {
	for i := range ds {
		if ds[i].count > 0 {
			out = append(out, audit.Effect{Kind: effectKinds[i], Count: ds[i].count, Digest: ds[i].h.Sum(nil)})
		}
	}
	return out
}
