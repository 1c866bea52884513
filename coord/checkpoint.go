package coord

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
)

// checkpointMagic begins a checkpoint; it changes with the format.
const checkpointMagic = "causeway-counted/1\n"

// ErrCheckpoint is wrapped by every error of a checkpoint that cannot be used:
// it is of another version, for another semantics, or damaged. The posts must
// then be counted anew.
var ErrCheckpoint = errors.New("unusable checkpoint")

// Save writes a checkpoint, from which [LoadCounted] goes on.
func (c *Counted) Save(w io.Writer) error {
	if c.broken != nil {
		return c.broken
	}
	p := c.p
	e := &encoder{w: bufio.NewWriterSize(w, 1<<18), sum: crc32.New(crc32.MakeTable(crc32.Castagnoli))}
	e.bytes([]byte(checkpointMagic))
	e.text([]byte(Version))
	e.number(int64(c.opt.Semantics))
	in, err := json.Marshal(p.in)
	if err != nil {
		return err
	}
	e.text(in)
	for _, n := range []int64{p.lo, p.hi, p.minutes, p.hours} {
		e.number(n)
	}
	for _, n := range p.kinds {
		e.number(n)
	}
	e.blocks(p.accounts.blocks)
	e.blocks(p.objects.blocks)
	e.number(int64(p.contents.n))
	e.blocks(p.contents.blocks)
	e.text(p.contents.tail)
	e.numbers(p.rows)
	e.numbers(p.shares)
	e.number(int64(len(p.contentsOf)))
	for _, n := range p.contentsOf {
		e.number(int64(n))
	}
	for _, s := range p.stores {
		e.store(s)
	}
	return e.end()
}

type encoder struct {
	w   *bufio.Writer
	sum hash.Hash32
	buf [recordBytes]byte
	err error
}

func (e *encoder) bytes(b []byte) {
	if e.err == nil {
		e.sum.Write(b)
		_, e.err = e.w.Write(b)
	}
}

func (e *encoder) number(n int64) {
	binary.LittleEndian.PutUint64(e.buf[:], uint64(n))
	e.bytes(e.buf[:8])
}

func (e *encoder) numbers(s []int64) {
	e.number(int64(len(s)))
	for _, n := range s {
		e.number(n)
	}
}

func (e *encoder) text(b []byte) {
	e.number(int64(len(b)))
	e.bytes(b)
}

func (e *encoder) blocks(blocks [][]byte) {
	e.number(int64(len(blocks)))
	for _, b := range blocks {
		e.text(b)
	}
}

// store writes the posts of one kind, or that there are none.
func (e *encoder) store(s *store) {
	if s == nil {
		e.number(-1)
		return
	}
	e.number(int64(len(s.mem)))
	e.number(int64(s.ordered))
	e.number(s.dropped)
	for i := range s.mem {
		r := &s.mem[i]
		binary.LittleEndian.PutUint64(e.buf[:], uint64(r.time))
		for j, v := range [4]uint32{r.object, r.account, r.content, r.flags} {
			binary.LittleEndian.PutUint32(e.buf[8+4*j:], v)
		}
		e.bytes(e.buf[:])
	}
}

// end writes the sum over everything.
func (e *encoder) end() error {
	if e.err == nil {
		_, e.err = e.w.Write(e.sum.Sum(nil))
	}
	if e.err == nil {
		e.err = e.w.Flush()
	}
	if e.err != nil {
		return fmt.Errorf("write a checkpoint: %w", e.err)
	}
	return nil
}

// LoadCounted goes on from a checkpoint. Window, thresholds and seed may differ
// from those it was saved with; the semantics may not.
func LoadCounted(r io.Reader, opt Options) (*Counted, error) {
	c, err := NewCounted(opt)
	if err != nil {
		return nil, err
	}
	d := &decoder{r: bufio.NewReaderSize(r, 1<<18), sum: crc32.New(crc32.MakeTable(crc32.Castagnoli))}
	magic := d.bytes(int64(len(checkpointMagic)))
	if d.err == nil && string(magic) != checkpointMagic {
		return nil, fmt.Errorf("%w: it is none, or of another format", ErrCheckpoint)
	}
	if v := d.text(); d.err == nil && string(v) != Version {
		return nil, fmt.Errorf("%w: it was counted by %q, this is %q", ErrCheckpoint, v, Version)
	}
	if s := Semantics(d.number()); d.err == nil && s != c.opt.Semantics {
		return nil, fmt.Errorf("%w: it was counted under the %v semantics", ErrCheckpoint, s)
	}
	d.posts(c.p)
	if err := d.end(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	// Only now is it certain that the bytes are those that were written.
	if err := c.p.index(); err != nil {
		return nil, err
	}
	return c, nil
}

type decoder struct {
	r   *bufio.Reader
	sum hash.Hash32
	err error
}

// posts reads everything but the look-up tables.
func (d *decoder) posts(p *posts) {
	if in := d.text(); d.err == nil {
		d.err = json.Unmarshal(in, &p.in)
	}
	for _, to := range []*int64{&p.lo, &p.hi, &p.minutes, &p.hours} {
		*to = d.number()
	}
	for k := range p.kinds {
		p.kinds[k] = d.number()
	}
	p.accounts.blocks, p.objects.blocks = d.blocks(), d.blocks()
	p.contents.n = uint32(d.number())
	p.contents.blocks, p.contents.tail = d.blocks(), d.text()
	p.rows, p.shares = d.numbers(), d.numbers()
	for _, n := range d.numbers() {
		p.contentsOf = append(p.contentsOf, int32(n))
	}
	for k := range p.stores {
		p.stores[k] = d.store(p.opt)
	}
}

// bytes reads n bytes. It asks for memory as they come, so that a damaged
// length cannot ask for all there is.
func (d *decoder) bytes(n int64) []byte {
	if d.err == nil && n < 0 {
		d.err = errors.New("a negative length")
	}
	var b bytes.Buffer
	if d.err == nil {
		_, d.err = io.CopyN(&b, io.TeeReader(d.r, d.sum), n)
	}
	return b.Bytes()
}

func (d *decoder) number() int64 {
	var b [8]byte
	if d.err == nil {
		_, d.err = io.ReadFull(d.r, b[:])
		d.sum.Write(b[:])
	}
	return int64(binary.LittleEndian.Uint64(b[:]))
}

func (d *decoder) text() []byte { return d.bytes(d.number()) }

func (d *decoder) numbers() (out []int64) {
	for n := d.number(); n > 0 && d.err == nil; n-- {
		out = append(out, d.number())
	}
	return out
}

func (d *decoder) blocks() (out [][]byte) {
	for n := d.number(); n > 0 && d.err == nil; n-- {
		out = append(out, d.text())
	}
	return out
}

func (d *decoder) store(opt *Options) *store {
	n := d.number()
	if n < 0 || d.err != nil {
		return nil
	}
	s := &store{opt: opt, posts: n, ordered: int(d.number()), dropped: d.number()}
	var b [recordBytes]byte
	for ; n > 0 && d.err == nil; n-- {
		_, d.err = io.ReadFull(d.r, b[:])
		d.sum.Write(b[:])
		u := func(i int) uint32 { return binary.LittleEndian.Uint32(b[8+4*i:]) }
		s.mem = append(s.mem, record{int64(binary.LittleEndian.Uint64(b[:])), u(0), u(1), u(2), u(3)})
	}
	return s
}

// end compares the sum and wants nothing after it.
func (d *decoder) end() error {
	if d.err != nil {
		return d.err
	}
	var b [5]byte
	n, err := io.ReadFull(d.r, b[:])
	if n != 4 || !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.Equal(b[:4], d.sum.Sum(nil)) {
		return errors.New("it is damaged or cut off")
	}
	return nil
}

// index makes the look-up tables of names that were read from a checkpoint.
func (p *posts) index() error {
	p.accounts.index()
	p.objects.index()
	for _, b := range p.contents.blocks {
		p.contents.size += int64(len(b))
	}
	size := len(p.contents.table)
	for uint64(p.contents.n)*4 > uint64(size)*3 {
		size *= 2
	}
	return p.contents.rebuild(size)
}

// index finds the entries in the blocks.
func (n *names) index() {
	for i, b := range n.blocks {
		n.blocks[i] = b[:len(b):len(b)] // what comes later begins a block of its own
		for at := 0; at < len(b); {
			n.place = append(n.place, uint64(i)<<blockBits|uint64(at))
			_, s := entryOf(b[at:])
			at += 5 + uvarintLen(uint64(len(s))) + len(s)
		}
	}
	size := len(n.table)
	for len(n.place)*4 > size*3 {
		size *= 2
	}
	n.rebuild(size)
}
