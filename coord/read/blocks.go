package read

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"causeway/coord"
)

const (
	blockBytes = 1 << 20
	// MaxRow is the longest row accepted. No platform's post comes near it; a
	// longer one is an unclosed quote or not this format.
	MaxRow = 8 << 20
)

// Options are what a caller may set for any format.
type Options struct {
	// Layout says where what is; the zero one is recognised by the header or
	// the first line.
	Layout Layout
	// Kinds keeps only these traces; none keeps all. First keeps the first
	// trace alone, for semantics that know one kind.
	Kinds []coord.Kind
	First bool
	File  string // for messages
	// Skip drops bad rows, counted in Skipped, instead of ending the run.
	Skip bool
	// Consumed reports bytes of input used so far and in all, for progress.
	Consumed func() (done, total int64)
	// Images says that a column image names image files.
	Images bool
	// AllowEmptyObject makes an empty object an ordinary value, as CooRTweet does.
	AllowEmptyObject bool
}

// traces applies Kinds and First to the layout.
func (o *Options) traces() error {
	l, err := o.Layout.Only(o.Kinds...)
	if err != nil {
		return &Error{File: o.File, Reason: err.Error(), Fix: "name other kinds, or another mapping"}
	}
	if o.First {
		l.Traces = l.Traces[:1]
	}
	o.Layout = l
	return nil
}

// Skipped lists rows that were dropped because Options.Skip was set.
type Skipped struct {
	Count int64
	First []string // the first 20, as messages
}

// block is whole rows of the input and what they hold.
type block struct {
	data  []byte
	posts []coord.Post
	rows  int64
	lines int64
	bad   []*Error // rows relative to the block
	done  chan struct{}
	used  int64
}

// stream cuts an input into blocks of whole rows, parses them beside each
// other, and yields them in order.
type stream struct {
	opt     Options
	cancel  context.CancelFunc
	blocks  chan *block
	free    chan *block
	err     error // set before blocks is closed
	current *block
	row     int64
	line    int64
	skipped *Skipped
}

// parser reads the rows of one block; it must not keep state between blocks.
type parser interface {
	parse(b *block)
}

// workers is how many blocks may be in flight: enough to keep two cores busy,
// few enough to stay small.
const workers = 4

func startStream(ctx context.Context, opt Options, r io.Reader, rest []byte, quotes bool, line int64, p parser) *stream {
	ctx, cancel := context.WithCancel(ctx)
	s := &stream{opt: opt, cancel: cancel, blocks: make(chan *block, workers), free: make(chan *block, workers+2), line: line, skipped: &Skipped{}}
	if s.opt.Consumed == nil {
		s.opt.Consumed = func() (int64, int64) { return 0, 0 }
	}
	for range workers + 2 {
		s.free <- &block{}
	}
	go func() {
		s.err = cut(ctx, r, rest, quotes, s, p)
		close(s.blocks)
	}()
	return s
}

// cut fills blocks from r until its end. With quotes, a newline inside quotes
// does not end a row.
func cut(ctx context.Context, r io.Reader, rest []byte, quotes bool, s *stream, p parser) error {
	for {
		var b *block
		select {
		case b = <-s.free:
		case <-ctx.Done():
			return ctx.Err()
		}
		b.data = append(b.data[:0], rest...)
		end, err := 0, error(nil)
		for size := blockBytes; ; size = len(b.data) + blockBytes {
			if err = fill(r, &b.data, size); err != nil && err != io.EOF {
				return s.readError(err)
			}
			if err == io.EOF {
				end = len(b.data)
				break
			}
			if end = lastRow(b.data, quotes); end > 0 {
				break
			}
			if len(b.data) > MaxRow {
				return errTooLong
			}
		}
		rest = append([]byte(nil), b.data[end:]...)
		b.data = b.data[:end]
		b.used, _ = s.opt.Consumed()
		b.posts, b.bad, b.rows, b.done = b.posts[:0], b.bad[:0], 0, make(chan struct{})
		go func() {
			p.parse(b)
			b.lines = int64(bytes.Count(b.data, []byte{'\n'}))
			close(b.done)
		}()
		select {
		case s.blocks <- b:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err == io.EOF {
			return io.EOF
		}
	}
}

var errTooLong = errors.New("too long")

func (s *stream) readError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s: the compressed file ends too early: it is truncated; fetch it again", s.name())
	}
	return fmt.Errorf("%s: read: %w", s.name(), err)
}

func (s *stream) name() string {
	if s.opt.File == "" {
		return "input"
	}
	return s.opt.File
}

// fill reads until *b holds size bytes or the input ends.
func fill(r io.Reader, b *[]byte, size int) error {
	if cap(*b) < size {
		*b = append(make([]byte, 0, size+size/4), *b...)
	}
	for len(*b) < size {
		n, err := r.Read((*b)[len(*b):size])
		*b = (*b)[:len(*b)+n]
		if err != nil {
			return err
		}
	}
	return nil
}

// lastRow returns the end of the last whole row of b, 0 when there is none.
func lastRow(b []byte, quotes bool) int {
	if !quotes || bytes.IndexByte(b, '"') < 0 {
		return bytes.LastIndexByte(b, '\n') + 1
	}
	last, inside := 0, false
	for i, c := range b {
		switch c {
		case '"':
			inside = !inside
		case '\n':
			if !inside {
				last = i + 1
			}
		}
	}
	return last
}

// Next implements [coord.Source].
func (s *stream) Next(out *coord.Batch) error {
	if s.current != nil {
		s.free <- s.current
		s.current = nil
	}
	out.Posts = out.Posts[:0]
	b, ok := <-s.blocks
	if !ok {
		if s.err == errTooLong {
			return &Error{File: s.opt.File, Row: s.row + 1, Line: s.line + 1, Reason: fmt.Sprintf("the row is longer than %d MiB", MaxRow>>20), Fix: "look for a quote that is never closed, or for a file that is not CSV or JSON Lines"}
		}
		return s.err
	}
	<-b.done
	s.current = b
	if err := s.place(b); err != nil {
		return err
	}
	for i := range b.posts {
		b.posts[i].Row += s.row
	}
	s.row += b.rows
	s.line += b.lines
	out.Posts = b.posts
	out.Done = b.used
	_, out.Total = s.opt.Consumed()
	return nil
}

// place gives a block's bad rows their place in the file, and ends the run at
// the first one unless bad rows are skipped.
func (s *stream) place(b *block) error {
	for _, e := range b.bad {
		e.File, e.Row, e.Line = s.opt.File, e.Row+s.row, e.Line+s.line
		if !s.opt.Skip {
			return e
		}
		if s.skipped.Count++; len(s.skipped.First) < 20 {
			s.skipped.First = append(s.skipped.First, e.Error())
		}
	}
	return nil
}

// Skipped tells what was dropped so far.
func (s *stream) Skipped() Skipped { return *s.skipped }

// Close stops reading; the caller still owns the reader.
func (s *stream) Close() { s.cancel() }

// fail records a bad row of a block; at is a place inside the row.
func (b *block) fail(at int, e Error) {
	e.Row = b.rows
	e.Line = int64(bytes.Count(b.data[:min(at, len(b.data))], []byte{'\n'})) + 1
	b.bad = append(b.bad, &e)
}

func badUTF8(b []byte) bool { return !utf8.Valid(b) }
