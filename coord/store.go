package coord

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// store holds the posts of one kind by object. It fills in input order; after
// sort each object's posts are in order of time. While they fit they stay in
// memory; then they go to parts on scratch, each holding every part-th object,
// of which a pass reads one at a time.
type store struct {
	opt     *Options
	mem     []record
	scratch Scratch
	parts   []*part
	posts   int64
	ordered int   // the first so many of mem are in order
	dropped int64 // repeated posts that sorting found and left out
}

// part is one scratch file of records.
type part struct {
	file ScratchFile
	n    int
	buf  []byte
}

const (
	recordBytes = 24
	partCount   = 64
	partBuffer  = 32 << 10
)

func (s *store) add(r record) error {
	s.posts++
	if s.parts == nil {
		s.mem = append(s.mem, r)
		return nil
	}
	return s.parts[r.object%partCount].add(r)
}

func (p *part) add(r record) error {
	p.buf = binary.LittleEndian.AppendUint64(p.buf, uint64(r.time))
	p.buf = binary.LittleEndian.AppendUint32(p.buf, r.object)
	p.buf = binary.LittleEndian.AppendUint32(p.buf, r.account)
	p.buf = binary.LittleEndian.AppendUint32(p.buf, r.content)
	p.buf = binary.LittleEndian.AppendUint32(p.buf, r.flags)
	p.n++
	if len(p.buf) < partBuffer {
		return nil
	}
	return p.flush()
}

func (p *part) flush() error {
	if len(p.buf) == 0 {
		return nil
	}
	if _, err := p.file.Write(p.buf); err != nil {
		return fmt.Errorf("write posts to scratch: %w", err)
	}
	p.buf = p.buf[:0]
	return nil
}

// read decodes all records of the part into r, reusing its memory.
func (p *part) read(r []record) ([]record, error) {
	r = slices.Grow(r[:0], p.n)[:p.n]
	chunk := make([]byte, 1<<18/recordBytes*recordBytes)
	for at := 0; at < p.n; {
		b := chunk[:min(len(chunk), (p.n-at)*recordBytes)]
		if _, err := p.file.ReadAt(b, int64(at)*recordBytes); err != nil {
			return nil, fmt.Errorf("read posts from scratch: %w", err)
		}
		for ; len(b) > 0; b = b[recordBytes:] {
			r[at] = record{int64(binary.LittleEndian.Uint64(b)), binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:]), binary.LittleEndian.Uint32(b[16:]), binary.LittleEndian.Uint32(b[20:])}
			at++
		}
	}
	return r, nil
}

// spill moves the posts to scratch.
func (s *store) spill(scratch Scratch) error {
	s.scratch = scratch
	s.parts = make([]*part, partCount)
	for i := range s.parts {
		f, err := scratch.Create()
		if err != nil {
			return fmt.Errorf("make a scratch file: %w", err)
		}
		s.parts[i] = &part{file: f}
	}
	for _, r := range s.mem {
		if err := s.parts[r.object%partCount].add(r); err != nil {
			return err
		}
	}
	s.mem = nil
	return nil
}

// sort orders each object's posts by time and lets fix see them once; fix may
// shorten the group it is given, in place. Groups come in no fixed order and
// from several goroutines, told apart by worker.
func (s *store) sort(ctx context.Context, fix func(worker int, g []record) []record) error {
	if s.parts == nil {
		s.settle()
		out := s.mem[:0]
		err := groups(s.mem, func(g []record) error {
			out = append(out, fix(0, g)...)
			return ctx.Err()
		})
		s.mem, s.ordered = out, len(out)
		s.posts = int64(len(out))
		return err
	}
	var posts atomic.Int64
	err := s.eachPart(ctx, func(worker int, p *part, buf *[]record) error {
		if err := p.flush(); err != nil {
			return err
		}
		r, err := p.read(*buf)
		if err != nil {
			return err
		}
		r = sortRecords(r, make([]record, len(r)))
		*buf = r
		f, err := s.scratch.Create()
		if err != nil {
			return fmt.Errorf("make a scratch file: %w", err)
		}
		next := &part{file: f}
		err = groups(r, func(g []record) error {
			for _, x := range fix(worker, g) {
				if err := next.add(x); err != nil {
					return err
				}
			}
			return nil
		})
		if err = errors.Join(err, next.flush(), p.file.Close()); err != nil {
			f.Close()
			return err
		}
		next.buf = nil
		posts.Add(int64(next.n))
		*p = *next
		return nil
	})
	s.posts = posts.Load()
	return err
}

// settle brings what was added since the last time in order: it is sorted and
// merged into the rest, behind what has the same object and time.
func (s *store) settle() {
	if s.ordered == 0 {
		s.mem = sortRecords(s.mem, large[record](s.opt, len(s.mem)))
		s.ordered = len(s.mem)
		return
	}
	added := slices.Clone(s.mem[s.ordered:])
	added = sortRecords(added, make([]record, len(added)))
	at, old := len(s.mem), s.ordered
	for n := len(added); n > 0; {
		at--
		if old > 0 && s.mem[old-1].after(&added[n-1]) {
			old--
			s.mem[at] = s.mem[old]
		} else {
			n--
			s.mem[at] = added[n]
		}
	}
	s.ordered = len(s.mem)
}

// each calls do with every object's posts, in no fixed order and from several
// goroutines, told apart by worker, which is below workersOf. Groups belong to
// the store and may not be changed.
func (s *store) each(ctx context.Context, do func(worker int, g []record) error) error {
	if s.parts != nil {
		return s.eachPart(ctx, func(worker int, p *part, buf *[]record) error {
			r, err := p.read(*buf)
			if err != nil {
				return err
			}
			*buf = r
			return groups(r, func(g []record) error { return do(worker, g) })
		})
	}
	chunks := cutGroups(s.mem, 1<<15)
	return parallel(ctx, len(chunks), func(worker, i int) error {
		return groups(chunks[i], func(g []record) error { return do(worker, g) })
	})
}

func (s *store) eachPart(ctx context.Context, do func(worker int, p *part, buf *[]record) error) error {
	bufs := make([][]record, workersOf())
	return parallel(ctx, len(s.parts), func(worker, i int) error { return do(worker, s.parts[i], &bufs[worker]) })
}

func (s *store) close() error {
	var err error
	for _, p := range s.parts {
		err = errors.Join(err, p.file.Close())
	}
	s.parts = nil
	return err
}

// cutGroups cuts sorted records into chunks of about size, never inside a group.
func cutGroups(r []record, size int) [][]record {
	var chunks [][]record
	for len(r) > 0 {
		n := min(size, len(r))
		for n < len(r) && r[n].object == r[n-1].object {
			n++
		}
		chunks = append(chunks, r[:n:n])
		r = r[n:]
	}
	return chunks
}

// workersOf is how many goroutines a pass uses.
func workersOf() int { return min(runtime.GOMAXPROCS(0), 8) }

// parallel calls do(worker, i) for every i below n and returns the first error.
func parallel(ctx context.Context, n int, do func(worker, i int) error) error {
	var next, failed atomic.Int64
	errs := make([]error, workersOf())
	var wg sync.WaitGroup
	for w := range workersOf() {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for failed.Load() == 0 {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				err := ctx.Err()
				if err == nil {
					err = do(w, i)
				}
				if err != nil {
					errs[w] = err
					failed.Store(1)
					return
				}
			}
		}()
	}
	wg.Wait()
	return errors.Join(errs...)
}
