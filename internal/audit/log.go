package audit

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Store is what the log needs from a database transaction. All writes of one
// entry MUST become durable together with the act or not at all.
type Store interface {
	// ReadHashes gives stored hashes by their tlog storage index.
	ReadHashes(indexes []int64) ([]tlog.Hash, error)
	// Append stores one leaf with its opening and the hashes that it completes,
	// which occupy the storage indexes from first on.
	Append(index int64, salt, entry []byte, first int64, hashes []tlog.Hash) error
}

// Log appends entries to a tree. It is not safe for concurrent use: the
// transaction that appends owns it.
type Log struct {
	size int64
	// edge holds the stored hashes that the next append will need, so that an
	// append reads nothing: about log2(size) of them.
	edge map[int64]tlog.Hash
}

// NewLog continues a tree of the given size.
func NewLog(size int64) *Log { return &Log{size: size, edge: map[int64]tlog.Hash{}} }

// Size is the number of entries.
func (l *Log) Size() int64 { return l.size }

// Clone gives an independent copy, to be thrown away when the transaction
// that appends to it fails.
func (l *Log) Clone() *Log {
	c := NewLog(l.size)
	for k, v := range l.edge {
		c.edge[k] = v
	}
	return c
}

// Append adds one entry, whose Index it sets, and returns the index.
func (l *Log) Append(s Store, e Entry, salt []byte) (int64, error) {
	if len(salt) != SaltSize {
		return 0, fmt.Errorf("append audit entry: salt of %d bytes, want %d", len(salt), SaltSize)
	}
	e.Index = l.size
	text, err := e.Encode()
	if err != nil {
		return 0, err
	}
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		var missing []int64
		for _, x := range indexes {
			if _, ok := l.edge[x]; !ok {
				missing = append(missing, x)
			}
		}
		if len(missing) > 0 {
			got, err := s.ReadHashes(missing)
			if err != nil {
				return nil, err
			}
			for i, x := range missing {
				l.edge[x] = got[i]
			}
		}
		for i, x := range indexes {
			out[i] = l.edge[x]
		}
		return out, nil
	})
	hashes, err := tlog.StoredHashes(l.size, Commit(salt, text), read)
	if err != nil {
		return 0, fmt.Errorf("append audit entry %d: %w", l.size, err)
	}
	first := tlog.StoredHashIndex(0, l.size)
	if err := s.Append(l.size, salt, text, first, hashes); err != nil {
		return 0, fmt.Errorf("append audit entry %d: %w", l.size, err)
	}
	for i, h := range hashes {
		l.edge[first+int64(i)] = h
	}
	l.size++
	l.prune()
	return e.Index, nil
}

// prune keeps the map small; what was dropped is read again when needed.
func (l *Log) prune() {
	if len(l.edge) <= 256 {
		return
	}
	keep := map[int64]tlog.Hash{}
	for level, n := 0, l.size; n > 0; level, n = level+1, n>>1 {
		if n&1 == 1 { // the complete subtree at this level that is not yet half of a larger one
			x := tlog.StoredHashIndex(level, n-1)
			if h, ok := l.edge[x]; ok {
				keep[x] = h
			}
		}
	}
	l.edge = keep
}

// Root is the tree hash at size.
func Root(size int64, s Store) (tlog.Hash, error) {
	h, err := tlog.TreeHash(size, tlog.HashReaderFunc(s.ReadHashes))
	if err != nil {
		return tlog.Hash{}, fmt.Errorf("compute the tree hash at size %d: %w", size, err)
	}
	return h, nil
}
