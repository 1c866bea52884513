package coord

import (
	"errors"
	"fmt"
	"slices"
	"sync"
)

// sorter puts any number of values in order of a key: in memory up to limit,
// then in sorted runs on scratch. Values are added from several goroutines and
// read afterwards.
type sorter[T any] struct {
	codec    codec[T]
	distinct bool // keep one value of each key
	limit    int
	scratch  Scratch
	what     string // for messages

	mu   sync.Mutex
	mem  []T
	runs []*run[T]
	n    int64 // values added
}

// codec says how a value is ordered and written.
type codec[T any] struct {
	size int
	key  func(*T) uint64
	put  func([]byte, *T) []byte
	get  func([]byte) T
}

type run[T any] struct {
	file  ScratchFile
	n, at int64
	buf   []T
}

const runBuffer = 1 << 12

func (s *sorter[T]) add(x []T) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n += int64(len(x))
	s.mem = append(s.mem, x...)
	if len(s.mem) < s.limit {
		return nil
	}
	s.compact()
	if len(s.mem) < s.limit/2 {
		return nil
	}
	if s.scratch == nil {
		return fmt.Errorf("%s exceed the memory budget and there is no scratch space: raise the memory or the least weight, or shorten the window", s.what)
	}
	return s.spill()
}

func (s *sorter[T]) compact() {
	s.mem = radix(s.mem, s.codec.key)
	if s.distinct {
		s.mem = slices.CompactFunc(s.mem, func(a, b T) bool { return s.codec.key(&a) == s.codec.key(&b) })
	}
}

func (s *sorter[T]) spill() error {
	f, err := s.scratch.Create()
	if err != nil {
		return fmt.Errorf("make a scratch file: %w", err)
	}
	s.runs = append(s.runs, &run[T]{file: f, n: int64(len(s.mem))})
	err = writeAll(f, s.mem, s.codec)
	s.mem = s.mem[:0]
	return err
}

func writeAll[T any](f ScratchFile, x []T, c codec[T]) error {
	b := make([]byte, 0, 1<<18)
	for i := range x {
		b = c.put(b, &x[i])
		if len(b)+c.size > cap(b) || i == len(x)-1 {
			if _, err := f.Write(b); err != nil {
				return fmt.Errorf("write to scratch: %w", err)
			}
			b = b[:0]
		}
	}
	return nil
}

func readSome[T any](f ScratchFile, at int64, n int, c codec[T], into []T) ([]T, error) {
	b := make([]byte, n*c.size)
	if _, err := f.ReadAt(b, at*int64(c.size)); err != nil && n > 0 {
		return nil, fmt.Errorf("read from scratch: %w", err)
	}
	into = into[:0]
	for ; len(b) > 0; b = b[c.size:] {
		into = append(into, c.get(b))
	}
	return into, nil
}

// finish sorts what is left; afterwards the values are only read.
func (s *sorter[T]) finish() error {
	s.compact()
	if len(s.runs) == 0 || len(s.mem) == 0 {
		return nil
	}
	return s.spill()
}

// fill makes sure that the run has a value in its buffer, unless it is at its
// end.
func (r *run[T]) fill(c codec[T]) (err error) {
	if len(r.buf) > 0 || r.at == r.n {
		return nil
	}
	n := min(runBuffer, r.n-r.at)
	r.buf, err = readSome(r.file, r.at, int(n), c, nil)
	r.at += n
	return err
}

// distinctKeys counts the keys of finished values that are all in memory; 0
// where they are not.
func (s *sorter[T]) distinctKeys() (n int) {
	if len(s.runs) > 0 {
		return 0
	}
	last := uint64(0)
	for i := range s.mem {
		if k := s.codec.key(&s.mem[i]); i == 0 || k != last {
			last = k
			n++
		}
	}
	return n
}

// chunks calls do with successive slices of the values, ascending, from one
// goroutine; the slice is reused. It may be called again.
func (s *sorter[T]) chunks(size int, do func([]T) error) error {
	if len(s.runs) == 0 {
		for c := range slices.Chunk(s.mem, size) {
			if err := do(c); err != nil {
				return err
			}
		}
		return nil
	}
	for _, r := range s.runs {
		r.at, r.buf = 0, nil
	}
	out := make([]T, 0, size)
	last, any := uint64(0), false
	for {
		var from *run[T]
		least := uint64(0)
		for _, r := range s.runs {
			if err := r.fill(s.codec); err != nil {
				return err
			}
			if len(r.buf) == 0 {
				continue
			}
			if k := s.codec.key(&r.buf[0]); from == nil || k < least {
				from, least = r, k
			}
		}
		if from == nil {
			break
		}
		x := from.buf[0]
		from.buf = from.buf[1:]
		if s.distinct && any && least == last {
			continue
		}
		last, any = least, true
		if out = append(out, x); len(out) == size {
			if err := do(out); err != nil {
				return err
			}
			out = out[:0]
		}
	}
	if len(out) == 0 {
		return nil
	}
	return do(out)
}

func (s *sorter[T]) close() error {
	var err error
	for _, r := range s.runs {
		err = errors.Join(err, r.file.Close())
	}
	s.runs = nil
	return err
}
