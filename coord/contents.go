package coord

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"sync"
)

// contents numbers content ids in order of first appearance and remembers who
// posted each and when. Almost every post has a content of its own, so only 8
// bytes a content stay in memory for look-ups; the entries themselves go to
// blocks of entriesPerBlock, which move to scratch when memory is short.
type contents struct {
	opt    *Options
	seed   maphash.Seed
	table  []uint64 // upper half: tag of the hash; lower half: id + 1; 0 is free
	n      uint32
	warmed uint64 // keeps warm's reads from being optimised away

	size    int64    // bytes of all finished blocks
	tail    []byte   // entries of the block being filled
	blocks  [][]byte // finished blocks, while in memory
	file    ScratchFile
	starts  []int64 // place of each block in file
	written int64
	mu      sync.Mutex // covers cached and cache once loading is over
	cached  int        // block in cache, when file is set
	cache   []byte
}

const entriesPerBlock = 16

// firstSeen is who posted a content first, and when.
type firstSeen struct {
	account uint32
	time    int64
}

func newContents(opt *Options) *contents {
	return &contents{opt: opt, seed: maphash.MakeSeed(), table: make([]uint64, 1<<10), cached: -1}
}

func (c *contents) hash(content []byte) uint64 { return maphash.Bytes(c.seed, content) }

// warm touches the part of the table that a look-up of h will need.
func (c *contents) warm(h uint64) { c.warmed ^= c.table[h&uint64(len(c.table)-1)] }

// reserve makes room for about n contents, so that the table does not grow
// step by step.
func (c *contents) reserve(n int64) {
	size := int64(1) << 10
	for size*3 < n*4 {
		size *= 2
	}
	if c.n == 0 && size > int64(len(c.table)) {
		c.table = large[uint64](c.opt, int(size))
	}
}

// id returns the number of content and, when it was seen before, by whom and
// when; fresh is true for a new one.
func (c *contents) id(content []byte, by firstSeen) (id uint32, first firstSeen, fresh bool, err error) {
	return c.idOf(c.hash(content), content, by)
}

func (c *contents) idOf(h uint64, content []byte, by firstSeen) (id uint32, first firstSeen, fresh bool, err error) {
	tag, mask := h>>32, uint64(len(c.table)-1)
	i := h & mask
	for ; c.table[i] != 0; i = (i + 1) & mask {
		if c.table[i]>>32 != tag {
			continue
		}
		id = uint32(c.table[i]) - 1
		s, f, err := c.entry(id)
		if err != nil {
			return 0, f, false, err
		}
		if bytes.Equal(s, content) {
			return id, f, false, nil
		}
	}
	if c.n >= math.MaxUint32-1 {
		return 0, by, false, errors.New("more than 4,294,967,294 distinct contents")
	}
	id = c.n
	c.n++
	c.table[i] = tag<<32 | uint64(id+1)
	if err := c.add(content, by); err != nil {
		return 0, by, false, err
	}
	if uint64(c.n)*4 > uint64(len(c.table))*3 {
		if err := c.grow(); err != nil {
			return 0, by, false, err
		}
	}
	return id, by, true, nil
}

func (c *contents) add(content []byte, by firstSeen) error {
	b := c.tail
	b = binary.LittleEndian.AppendUint32(b, by.account)
	b = binary.LittleEndian.AppendUint64(b, uint64(by.time))
	b = appendUvarint(b, uint64(len(content)))
	c.tail = append(b, content...)
	if c.n%entriesPerBlock != 0 {
		return nil
	}
	c.size += int64(len(c.tail))
	if c.file == nil {
		c.blocks = append(c.blocks, bytes.Clone(c.tail))
	} else if err := c.write(c.tail); err != nil {
		return err
	}
	c.tail = c.tail[:0]
	return nil
}

func (c *contents) write(block []byte) error {
	if _, err := c.file.Write(block); err != nil {
		return fmt.Errorf("write content ids to scratch: %w", err)
	}
	c.starts = append(c.starts, c.written)
	c.written += int64(len(block))
	return nil
}

// spill moves the entries to file, which must be empty, and keeps writing
// there.
func (c *contents) spill(file ScratchFile) error {
	c.file = file
	for _, b := range c.blocks {
		if err := c.write(b); err != nil {
			return err
		}
	}
	c.blocks = nil
	return nil
}

func (c *contents) block(i int) ([]byte, error) {
	switch {
	case i == int(c.n)/entriesPerBlock:
		return c.tail, nil
	case c.file == nil:
		return c.blocks[i], nil
	case i == c.cached:
		return c.cache, nil
	}
	end := c.written
	if i+1 < len(c.starts) {
		end = c.starts[i+1]
	}
	size := int(end - c.starts[i])
	if cap(c.cache) < size {
		c.cache = make([]byte, size)
	}
	c.cache, c.cached = c.cache[:size], -1
	if _, err := c.file.ReadAt(c.cache, c.starts[i]); err != nil {
		return nil, fmt.Errorf("read content ids from scratch: %w", err)
	}
	c.cached = i
	return c.cache, nil
}

func (c *contents) entry(id uint32) ([]byte, firstSeen, error) {
	b, err := c.block(int(id / entriesPerBlock))
	if err != nil {
		return nil, firstSeen{}, err
	}
	for skip := id % entriesPerBlock; ; skip-- {
		size, w := uvarint(b[12:])
		end := 12 + w + int(size)
		if skip == 0 {
			f := firstSeen{binary.LittleEndian.Uint32(b), int64(binary.LittleEndian.Uint64(b[4:]))}
			return b[12+w : end], f, nil
		}
		b = b[end:]
	}
}

// string returns the content's id as the source gave it. Several goroutines may
// ask at once.
func (c *contents) string(id uint32) (string, error) {
	if c.file != nil { // the cache has one owner at a time
		c.mu.Lock()
		defer c.mu.Unlock()
	}
	s, _, err := c.entry(id)
	return string(s), err
}

func (c *contents) grow() error { return c.rebuild(2 * len(c.table)) }

// rebuild makes the table anew, with room for size entries.
func (c *contents) rebuild(size int) error {
	c.table = large[uint64](c.opt, size)
	mask := uint64(len(c.table) - 1)
	for id := uint32(0); id < c.n; {
		b, err := c.block(int(id / entriesPerBlock))
		if err != nil {
			return err
		}
		for ; len(b) > 0; id++ {
			size, w := uvarint(b[12:])
			end := 12 + w + int(size)
			h := maphash.Bytes(c.seed, b[12+w:end])
			i := h & mask
			for c.table[i] != 0 {
				i = (i + 1) & mask
			}
			c.table[i] = h&^0xffffffff | uint64(id+1)
			b = b[end:]
		}
	}
	return nil
}
