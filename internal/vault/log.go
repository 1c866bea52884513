package vault

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"causeway/internal/audit"
	"causeway/internal/vault/internal/engine"
)

// logStore is the audit log's own part of the store.
type logStore struct {
	r engine.Read
	w engine.Write
}

// ReadHashes implements [audit.Store].
func (l logStore) ReadHashes(indexes []int64) ([]tlog.Hash, error) { return l.r.Hashes(indexes) }

// Append implements [audit.Store].
func (l logStore) Append(index int64, salt, entry []byte, first int64, hashes []tlog.Hash) error {
	if l.w == nil {
		return errors.New("append to the audit log: it is open for reading only")
	}
	return l.w.AddLeaf(engine.Leaf{Index: index, Salt: salt, Entry: entry}, first, hashes)
}

const signedSetting = "checkpoint"

// Checkpoint signs the log as it stands and keeps the signed note. The origin
// is the name of the first signer. When nothing was logged since the last
// one, that one is given.
func (v *Vault) Checkpoint(ctx context.Context, signers ...note.Signer) (signed string, err error) {
	if len(signers) == 0 {
		return "", errors.New("sign a checkpoint: no key is given")
	}
	err = v.write(ctx, false, func(s *session) error {
		root, err := audit.Root(s.state.Entries, logStore{r: s.w})
		if err != nil {
			return err
		}
		c := audit.Checkpoint{Origin: signers[0].Name(), Size: s.state.Entries, Root: root}
		if signed, err = s.w.Setting(signedSetting); err != nil {
			return err
		}
		if signed != "" {
			if n, err := parseSigned(signed); err == nil && n == c {
				return nil
			}
		}
		if signed, err = c.Sign(signers...); err != nil {
			return err
		}
		return s.w.SetSetting(signedSetting, signed)
	})
	return signed, err
}

// parseSigned reads a note of our own without its keys.
func parseSigned(signed string) (audit.Checkpoint, error) {
	n, err := note.Open([]byte(signed), note.VerifierList())
	var unverified *note.UnverifiedNoteError
	if errors.As(err, &unverified) {
		n = unverified.Note
	} else if err != nil {
		return audit.Checkpoint{}, fmt.Errorf("read the signed checkpoint: %w", err)
	}
	return audit.ParseCheckpoint(n.Text)
}

// Signed is the newest signed checkpoint, "" when none was made.
func (v *Vault) Signed(ctx context.Context) (signed string, err error) {
	err = v.db.Read(ctx, func(r engine.Read) error {
		signed, err = r.Setting(signedSetting)
		return err
	})
	return signed, err
}

// LogSize is the number of entries.
func (v *Vault) LogSize(ctx context.Context) (n int64, err error) {
	err = v.db.Read(ctx, func(r engine.Read) error {
		st, err := r.State()
		n = st.Entries
		return err
	})
	return n, err
}

// Prove gives a proof of one entry under the newest signed checkpoint. It can
// be checked offline and opens this entry only. It is for those who may see
// the entry; see [View.AuditEntries].
func (v *Vault) Prove(ctx context.Context, index int64) (*audit.Proof, error) {
	var p *audit.Proof
	err := v.db.Read(ctx, func(r engine.Read) error {
		signed, err := r.Setting(signedSetting)
		if err != nil {
			return err
		}
		if signed == "" {
			return errors.New("prove an entry: no checkpoint was signed yet: make one first")
		}
		c, err := parseSigned(signed)
		if err != nil {
			return err
		}
		if index < 0 || index >= c.Size {
			return fmt.Errorf("prove entry %d: the signed checkpoint covers entries 0 to %d: %w", index, c.Size-1, ErrNotFound)
		}
		l, err := r.Leaf(index)
		if err != nil {
			return err
		}
		hashes, err := tlog.ProveRecord(c.Size, index, tlog.HashReaderFunc(r.Hashes))
		if err != nil {
			return fmt.Errorf("prove entry %d: %w", index, err)
		}
		p = &audit.Proof{Index: index, Salt: l.Salt, Entry: l.Entry, Hashes: hashes, Checkpoint: signed}
		return nil
	})
	return p, err
}

// ProveGrowth proves that the tree of newer entries contains the tree of
// older ones, as a witness asks it; see [audit.Consistent].
func (v *Vault) ProveGrowth(ctx context.Context, older, newer int64) (proof []tlog.Hash, err error) {
	err = v.db.Read(ctx, func(r engine.Read) error {
		if older <= 0 || older >= newer {
			return nil
		}
		if proof, err = tlog.ProveTree(newer, older, tlog.HashReaderFunc(r.Hashes)); err != nil {
			return fmt.Errorf("prove that the log grew from %d to %d entries: %w", older, newer, err)
		}
		return nil
	})
	return proof, err
}

// Entries reads every entry from an index on, for verification and export by
// the node itself.
func (v *Vault) Entries(ctx context.Context, from int64, yield func(salt []byte, e audit.Entry) error) error {
	return v.db.Read(ctx, func(r engine.Read) error {
		st, err := r.State()
		if err != nil {
			return err
		}
		for i := max(from, 0); i < st.Entries; i++ {
			l, err := r.Leaf(i)
			if err != nil {
				return err
			}
			e, err := audit.DecodeEntry(l.Entry)
			if err != nil {
				return err
			}
			if err := yield(l.Salt, e); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return nil
	})
}

// Verify re-derives the whole log from what is stored; see [audit.Verify].
func (v *Vault) Verify(ctx context.Context, known note.Verifiers, progress func(done, total int64)) (report audit.Report, err error) {
	err = v.db.Read(ctx, func(r engine.Read) error {
		src, err := newSource(r)
		if err != nil {
			return err
		}
		report, err = audit.Verify(ctx, src, known, progress)
		return err
	})
	return report, err
}

// source is the store as the verifier sees it. It walks versions and events
// once, in the order of their acts.
type source struct {
	logStore
	size     int64
	signed   string
	labels   map[int64][]byte
	versions []engine.Version
	nextVID  int64
	events   []engine.Event
	lastAct  int64 // of the last event read
	lastN    int64
	rules    map[int64]int64 // of labels
	inForce  map[int64]int64 // label of each version that has not its first one any more
	relabels map[int64]int64 // label that the events say is in force
	bad      []audit.Problem
}

func newSource(r engine.Read) (*source, error) {
	st, err := r.State()
	if err != nil {
		return nil, err
	}
	s := &source{logStore: logStore{r: r}, size: st.Entries, labels: map[int64][]byte{}, nextVID: 1, lastN: -1,
		rules: map[int64]int64{}, inForce: map[int64]int64{}, relabels: map[int64]int64{}}
	if s.signed, err = r.Setting(signedSetting); err != nil {
		return nil, err
	}
	labels, err := r.Labels(0)
	if err != nil {
		return nil, err
	}
	rules, err := r.Rules(0)
	if err != nil {
		return nil, err
	}
	keys := map[int64]string{}
	for _, x := range rules {
		keys[x.N] = x.Key
	}
	for _, l := range labels {
		s.labels[l.N], s.rules[l.N] = l.Body, l.Rule
		if e := stored(l).effective; e.Rule.Key() != keys[l.Rule] {
			s.bad = append(s.bad, audit.Problem{Index: -1, Text: fmt.Sprintf("label %d is filed under a rule that is not its own", l.N)})
		}
	}
	return s, nil
}

// Size implements [audit.Source].
func (s *source) Size() int64 { return s.size }

// Signed implements [audit.Source].
func (s *source) Signed() string { return s.signed }

// Leaf implements [audit.Source].
func (s *source) Leaf(index int64) (salt, entry []byte, err error) {
	l, err := s.r.Leaf(index)
	return l.Salt, l.Entry, err
}

// peek gives the next version in order, or nil.
func (s *source) peek() (*engine.Version, error) {
	if len(s.versions) == 0 {
		var err error
		if s.versions, err = s.r.Scan(s.nextVID, true, 256); err != nil || len(s.versions) == 0 {
			return nil, err
		}
		s.nextVID = s.versions[len(s.versions)-1].VID + 1
	}
	return &s.versions[0], nil
}

func (s *source) peekEvent() (*engine.Event, error) {
	if len(s.events) == 0 {
		var err error
		if s.events, err = s.r.ScanEvents(s.lastAct, s.lastN+1, 256); err != nil || len(s.events) == 0 {
			return nil, err
		}
		last := s.events[len(s.events)-1]
		s.lastAct, s.lastN = last.Act, last.N
	}
	return &s.events[0], nil
}

// Rederive implements [audit.Source]. Acts are asked for in order; with -1,
// what is left belongs to none.
func (s *source) Rederive(index int64) ([]audit.Effect, error) {
	var ds [len(effectKinds)]digest
	for {
		v, err := s.peek()
		if err != nil {
			return nil, err
		}
		if v == nil || index >= 0 && v.Act > index {
			break
		}
		if v.Act != index {
			s.bad = append(s.bad, audit.Problem{Index: v.Act, Text: fmt.Sprintf("version %d (%s) stands out of order or has no entry", v.VID, v.ID)})
		} else {
			s.version(v, &ds[0])
		}
		if v.Label != v.First {
			s.inForce[v.VID] = v.Label
		}
		if s.rules[v.Label] != v.Rule {
			s.bad = append(s.bad, audit.Problem{Index: v.Act, Text: fmt.Sprintf("version %d (%s) is decided by a rule that is not that of its label in force", v.VID, v.ID)})
		}
		s.versions = s.versions[1:]
	}
	for {
		e, err := s.peekEvent()
		if err != nil {
			return nil, err
		}
		if e == nil || index >= 0 && e.Act > index {
			break
		}
		found := false
		for k := 1; k < len(effectKinds); k++ {
			if e.Act == index && effectKinds[k] == e.Kind {
				ds[k].eventRow(e, s.labels[e.Before], s.labels[e.Then])
				found = true
			}
		}
		if !found {
			s.bad = append(s.bad, audit.Problem{Index: e.Act, Text: fmt.Sprintf("an event %q of %s belongs to no entry", e.Kind, e.ID)})
		}
		if e.Kind == "relabel" {
			s.relabels[e.VID] = e.Then
		}
		s.events = s.events[1:]
	}
	return effectsOf(&ds), nil
}

// version digests one stored version from its bytes; one that was withdrawn
// has none left, and the digest taken of them stands in.
func (s *source) version(v *engine.Version, d *digest) {
	sum := v.Digest
	if !v.Gone {
		x := sha256.Sum256(v.Raw)
		sum = x[:]
	}
	d.versionRow(v, sum, s.labels[v.First])
}

// Records implements [audit.Source].
func (s *source) Records(yield func(key string, digest []byte) error) error {
	spaces, err := s.r.Spaces()
	if err != nil {
		return err
	}
	for _, space := range spaces {
		err := s.r.Records(space, "", func(space, key string, value []byte) error {
			sum := sha256.Sum256(value)
			return yield(space+"/"+key, sum[:])
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Derived implements [audit.Source].
func (s *source) Derived() ([]audit.Problem, error) {
	out := s.bad
	for vid, then := range s.relabels {
		if now, ok := s.inForce[vid]; ok {
			if now == then {
				delete(s.inForce, vid)
			}
			continue
		}
		vs, err := s.r.Scan(vid, false, 1)
		if err != nil {
			return out, err
		}
		if len(vs) == 0 || vs[0].VID != vid || vs[0].Label != then {
			s.inForce[vid] = then
		}
	}
	for vid := range s.inForce {
		out = append(out, audit.Problem{Index: -1, Text: fmt.Sprintf("the label in force of version %d is not what the acts say", vid)})
	}
	err := s.r.Audit(func(text string) { out = append(out, audit.Problem{Index: -1, Text: text}) })
	return out, err
}
