package picture

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	"causeway/coord"
)

// Source replaces the images of another source by the groups they fall into.
// An image is a perceptual hash, or, where open is given, the name of a file
// that open opens; without open, any other value is an id that matches only
// itself. Posts of every other kind pass through at once; images are held until
// the end, since groups gather in order of time, and then follow. The object of
// an image is "img:" and the hash of the group's first.
type Source struct {
	src    coord.Source
	open   func(name string) (io.ReadCloser, error)
	hashes map[string]Hash // of files, once read
	failed map[string]bool
	first  []string // the first failures, as messages
	groups *Groups
	held   []held
	out    []coord.Post
	done   bool
}

type held struct {
	hash             Hash
	account, content string
	time, row        int64
}

// NewSource wraps src; open may be nil.
func NewSource(src coord.Source, open func(name string) (io.ReadCloser, error)) *Source {
	return &Source{src: src, open: open, hashes: map[string]Hash{}, failed: map[string]bool{}, groups: NewGroups()}
}

// Failed is how many files could not be hashed, and the first few of them with
// the reason. Their posts leave no trace of kind image.
func (s *Source) Failed() (n int, first []string) { return len(s.failed), s.first }

// failuresKept bounds the messages.
const failuresKept = 5

// Next implements [coord.Source].
func (s *Source) Next(b *coord.Batch) error {
	if s.done {
		return s.emit(b)
	}
	err := s.src.Next(b)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	b.Posts = slices.DeleteFunc(b.Posts, s.hold)
	if err == nil {
		return nil
	}
	s.done = true
	s.gather()
	if len(b.Posts) > 0 || len(s.out) > 0 {
		return nil
	}
	return io.EOF
}

// hold keeps an image for the end and says so.
func (s *Source) hold(p coord.Post) bool {
	if p.Kind != coord.Image || len(p.Object) == 0 {
		return false
	}
	h, err := Parse(string(p.Object))
	if err != nil {
		if s.open == nil {
			return false
		}
		var ok bool
		if h, ok = s.file(string(p.Object)); !ok {
			return true
		}
	}
	s.held = append(s.held, held{h, string(p.Account), string(p.Content), p.Time, p.Row})
	return true
}

// file hashes a file, once.
func (s *Source) file(name string) (Hash, bool) {
	if h, ok := s.hashes[name]; ok || s.failed[name] {
		return h, ok
	}
	h, err := s.read(name)
	if err != nil {
		s.failed[name] = true
		if len(s.first) < failuresKept {
			s.first = append(s.first, fmt.Sprintf("%s: %v", name, err))
		}
		return Hash{}, false
	}
	s.hashes[name] = h
	return h, true
}

func (s *Source) read(name string) (Hash, error) {
	f, err := s.open(name)
	if err != nil {
		return Hash{}, err
	}
	defer f.Close()
	return Of(f)
}

// gather runs through the held images in order of time.
func (s *Source) gather() {
	slices.SortStableFunc(s.held, func(a, b held) int {
		return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.content, b.content), slices.Compare(a.hash.Bits[:], b.hash.Bits[:]))
	})
	var first []string
	for _, h := range s.held {
		g, founded := s.groups.Add(h.hash)
		if founded {
			first = append(first, "img:"+h.hash.String())
		}
		if g >= 0 {
			s.out = append(s.out, coord.Post{Kind: coord.Image, Object: []byte(first[g]), Account: []byte(h.account), Content: []byte(h.content), Time: h.time, Row: h.row})
		}
	}
	s.held = nil
}

func (s *Source) emit(b *coord.Batch) error {
	n := min(len(s.out), 4096)
	b.Posts = append(b.Posts[:0], s.out[:n]...)
	s.out = s.out[n:]
	if n == 0 {
		return io.EOF
	}
	return nil
}

// String is the hash in hexadecimal; one computed from a file begins with "f".
func (h Hash) String() string {
	var b []byte
	for _, w := range h.Bits[:h.Kind.words()] {
		b = binary.BigEndian.AppendUint64(b, w)
	}
	if h.Kind == Computed {
		return "f" + hex.EncodeToString(b)
	}
	return hex.EncodeToString(b)
}
