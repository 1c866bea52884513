package read

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"causeway/coord"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Open recognises gzip and Zstandard by their first bytes, then JSON Lines or
// CSV, and reads posts from it.
func Open(ctx context.Context, r io.Reader, opt Options) (Source, error) {
	r, err := Decompress(r)
	if err != nil {
		return nil, (&stream{opt: opt}).readError(err)
	}
	b := bufio.NewReaderSize(r, 1<<16)
	head, err := b.Peek(4096)
	if err != nil && err != io.EOF {
		return nil, (&stream{opt: opt}).readError(err)
	}
	if len(bytes.TrimSpace(head)) == 0 && err == io.EOF {
		return nil, fmt.Errorf("%s: the file is empty; the first row must name the columns", (&stream{opt: opt}).name())
	}
	if isJSON(head) {
		return JSONLines(ctx, b, opt)
	}
	return CSV(ctx, b, opt)
}

// Decompress returns the plain bytes of r, which may be gzip, Zstandard or
// neither.
func Decompress(r io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 1<<18)
	magic, err := b.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return gzip.NewReader(b)
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		d, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<30))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}
	return b, nil
}

// Concat reads several sources one after the other.
func Concat(open ...func() (Source, error)) Source { return &concat{open: open} }

type concat struct {
	open    []func() (Source, error)
	now     Source
	skipped Skipped
}

func (c *concat) Next(b *coord.Batch) error {
	for {
		if c.now == nil {
			if len(c.open) == 0 {
				b.Posts = b.Posts[:0]
				return io.EOF
			}
			s, err := c.open[0]()
			if err != nil {
				return err
			}
			c.now, c.open = s, c.open[1:]
		}
		err := c.now.Next(b)
		if !errors.Is(err, io.EOF) {
			return err
		}
		c.leave()
	}
}

func (c *concat) leave() {
	if c.now == nil {
		return
	}
	s := c.now.Skipped()
	c.skipped.Count += s.Count
	c.skipped.First = append(c.skipped.First, s.First...)
	c.skipped.First = c.skipped.First[:min(20, len(c.skipped.First))]
	c.now.Close()
	c.now = nil
}

func (c *concat) Skipped() Skipped { return c.skipped }
func (c *concat) Close()           { c.leave() }
