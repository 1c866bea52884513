package audit

import (
	"bytes"
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Source is a log and the store that it speaks of, in one consistent state.
type Source interface {
	Store
	Size() int64
	// Leaf gives what is stored of one entry.
	Leaf(index int64) (salt, entry []byte, err error)
	// Signed is the newest signed checkpoint; "" when none was made.
	Signed() string
	// Rederive computes the effects of one act afresh from the rows that bear
	// its index, all kinds but "record".
	Rederive(index int64) ([]Effect, error)
	// Records gives key and digest of every record now stored.
	Records(yield func(key string, digest []byte) error) error
	// Derived checks what the store derives from the facts, feed by feed.
	Derived() ([]Problem, error)
}

// Problem is one place where the log and the store disagree.
type Problem struct {
	Index int64 // entry, or -1
	Text  string
}

// Report is the result of [Verify].
type Report struct {
	Entries  int64
	Root     tlog.Hash
	Problems []Problem
}

// OK says that nothing was found.
func (r Report) OK() bool { return len(r.Problems) == 0 }

// Verify re-derives everything: each leaf from its salt and entry, the tree
// from the leaves, the signed checkpoint from the tree, each act's effects
// from the store's own rows, the records from the acts, and what the store
// derives. known nil skips signatures. The error is technical; findings are
// in the report.
func Verify(ctx context.Context, s Source, known note.Verifiers, progress func(done, total int64)) (Report, error) {
	r := Report{Entries: s.Size()}
	found := func(index int64, format string, args ...any) {
		r.Problems = append(r.Problems, Problem{index, fmt.Sprintf(format, args...)})
	}
	records := map[string][]byte{}
	log := newMemory()
	var last Entry
	for i := range r.Entries {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		salt, text, err := s.Leaf(i)
		if err != nil {
			found(i, "the entry cannot be read: %v", err)
			return r, nil
		}
		if err := log.add(Commit(salt, text)); err != nil {
			return r, err
		}
		e, err := DecodeEntry(text)
		if err != nil || e.Index != i {
			found(i, "the entry is not what was written")
			continue
		}
		if e.At.Before(last.At) {
			found(i, "it is older than the entry before it")
		}
		last = e
		var want []Effect
		for _, x := range e.Effects {
			if x.Kind == "record" {
				records[x.Key] = x.Digest
			} else {
				want = append(want, x)
			}
		}
		have, err := s.Rederive(i)
		if err != nil {
			return r, fmt.Errorf("re-derive act %d: %w", i, err)
		}
		if !sameEffects(want, have) {
			found(i, "the store does not hold what the entry says was done")
		}
		if progress != nil && i%1024 == 0 {
			progress(i, r.Entries)
		}
	}
	orphans, err := s.Rederive(-1)
	if err != nil {
		return r, fmt.Errorf("look for rows without an act: %w", err)
	}
	for _, x := range orphans {
		found(-1, "%d rows of kind %s belong to no entry", x.Count, x.Kind)
	}
	if err := s.Records(func(key string, digest []byte) error {
		if !bytes.Equal(records[key], digest) {
			found(-1, "record %q is not what the log says", key)
		}
		delete(records, key)
		return nil
	}); err != nil {
		return r, fmt.Errorf("compare the records: %w", err)
	}
	for k, d := range records {
		if d != nil {
			found(-1, "record %q is missing", k)
		}
	}
	if err := checkTree(&r, s, log, known, found); err != nil {
		return r, err
	}
	derived, err := s.Derived()
	r.Problems = append(r.Problems, derived...)
	return r, err
}

// checkTree compares the recomputed tree with the stored one and with the
// signed checkpoint.
func checkTree(r *Report, s Source, log *memory, known note.Verifiers, found func(int64, string, ...any)) error {
	var err error
	if r.Root, err = tlog.TreeHash(r.Entries, log); err != nil {
		return fmt.Errorf("compute the tree: %w", err)
	}
	if !sameHashes(s, log) {
		found(-1, "the stored tree is not the tree of the entries")
	}
	signed := s.Signed()
	if signed == "" || known == nil {
		return nil
	}
	c, err := OpenCheckpoint(signed, known)
	if err != nil {
		found(-1, "the signed checkpoint is not valid: %v", err)
		return nil
	}
	if c.Size > r.Entries {
		found(-1, "the log was cut: %d entries were signed, %d are left", c.Size, r.Entries)
		return nil
	}
	root, err := tlog.TreeHash(c.Size, log)
	if err != nil {
		return fmt.Errorf("compute the signed tree: %w", err)
	}
	if root != c.Root {
		found(-1, "the log was rewritten: the tree that was signed at %d entries was another", c.Size)
	}
	return nil
}

// sameHashes compares every stored hash: proofs are made of them.
func sameHashes(s Source, log *memory) bool {
	const chunk = 1024
	indexes := make([]int64, 0, chunk)
	for from := 0; from < len(log.hashes); from += chunk {
		indexes = indexes[:0]
		for i := from; i < min(from+chunk, len(log.hashes)); i++ {
			indexes = append(indexes, int64(i))
		}
		stored, err := s.ReadHashes(indexes)
		if err != nil {
			return false
		}
		for i, h := range stored {
			if h != log.hashes[from+i] {
				return false
			}
		}
	}
	return true
}

func sameEffects(a, b []Effect) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Kind != b[i].Kind || a[i].Count != b[i].Count || !bytes.Equal(a[i].Digest, b[i].Digest) {
			return false
		}
	}
	return true
}

// memory is a tree held in memory: 64 bytes for each entry.
type memory struct {
	size   int64
	hashes []tlog.Hash
}

func newMemory() *memory { return &memory{} }

func (m *memory) add(data []byte) error {
	h, err := tlog.StoredHashes(m.size, data, m)
	if err != nil {
		return fmt.Errorf("add entry %d to the tree: %w", m.size, err)
	}
	m.hashes = append(m.hashes, h...)
	m.size++
	return nil
}

// ReadHashes implements [tlog.HashReader].
func (m *memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x < 0 || x >= int64(len(m.hashes)) {
			return nil, fmt.Errorf("hash %d is beyond the tree", x)
		}
		out[i] = m.hashes[x]
	}
	return out, nil
}
