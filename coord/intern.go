package coord

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"math"
)

const (
	blockBits = 20
	blockSize = 1 << blockBits
	placeBits = 40 // 20 bits of block, 20 of offset: a million blocks
)

// names gives each distinct (kind, bytes) a number in order of first
// appearance and keeps the bytes. It lives in memory: 8 bytes for the table,
// 8 for the place, 5 and the name itself.
//
// A look-up costs two cache misses, the table's and the entry's: the entry
// holds the number, so the places are only for the way back.
type names struct {
	opt    *Options
	seed   maphash.Seed
	table  []uint64 // upper bits: tag of the hash; lower placeBits: place + 1; 0 is free
	blocks [][]byte
	place  []uint64 // block<<blockBits | offset; the entry is number, kind, uvarint length, bytes
	warmed byte     // keeps warm's reads from being optimised away
}

func newNames(opt *Options) *names {
	return &names{opt: opt, seed: maphash.MakeSeed(), table: make([]uint64, 1<<10)}
}

func (n *names) len() int { return len(n.place) }

func (n *names) hash(kind Kind, name []byte) uint64 {
	return maphash.Bytes(n.seed, name) + uint64(kind)*0x9e3779b97f4a7c15
}

// warm touches the memory that a look-up of h will need. Done for a batch of
// hashes, the cache misses overlap instead of queueing.
func (n *names) warm(h uint64) {
	if e := n.table[h&uint64(len(n.table)-1)]; e != 0 {
		at := e&(1<<placeBits-1) - 1
		n.warmed ^= n.blocks[at>>blockBits][at&(blockSize-1)]
	}
}

// id returns the number of (kind, name), adding it when it is new; h is its
// hash.
func (n *names) id(kind Kind, name []byte) (uint32, error) {
	return n.idOf(n.hash(kind, name), kind, name)
}

func (n *names) idOf(h uint64, kind Kind, name []byte) (uint32, error) {
	tag := h >> placeBits << placeBits
	mask := uint64(len(n.table) - 1)
	i := h & mask
	for ; n.table[i] != 0; i = (i + 1) & mask {
		e := n.table[i]
		if e&^(1<<placeBits-1) != tag {
			continue
		}
		b := n.at(e&(1<<placeBits-1) - 1)
		if k, s := entryOf(b); k == kind && bytes.Equal(s, name) {
			return binary.LittleEndian.Uint32(b), nil
		}
	}
	if len(n.place) >= math.MaxUint32-1 || len(n.blocks) >= 1<<(placeBits-blockBits)-1 {
		return 0, errors.New("more than 4,294,967,294 distinct names, or a terabyte of them")
	}
	id := uint32(len(n.place))
	at := n.keep(id, kind, name)
	n.place = append(n.place, at)
	n.table[i] = tag | at + 1
	if len(n.place)*4 > len(n.table)*3 {
		n.grow()
	}
	return id, nil
}

func (n *names) keep(id uint32, kind Kind, name []byte) uint64 {
	need := 5 + uvarintLen(uint64(len(name))) + len(name)
	last := len(n.blocks) - 1
	if last < 0 || cap(n.blocks[last])-len(n.blocks[last]) < need {
		n.blocks = append(n.blocks, make([]byte, 0, max(blockSize, need)))
		last++
	}
	b := n.blocks[last]
	at := uint64(last)<<blockBits | uint64(len(b))
	b = binary.LittleEndian.AppendUint32(b, id)
	b = append(b, byte(kind))
	b = appendUvarint(b, uint64(len(name)))
	n.blocks[last] = append(b, name...)
	return at
}

func (n *names) at(place uint64) []byte {
	return n.blocks[place>>blockBits][place&(blockSize-1):]
}

func entryOf(b []byte) (Kind, []byte) {
	if size := b[5]; size < 0x80 {
		return Kind(b[4]), b[6 : 6+int(size)]
	}
	size, w := uvarint(b[5:])
	return Kind(b[4]), b[5+w : 5+w+int(size)]
}

func (n *names) entry(id uint32) (Kind, []byte) { return entryOf(n.at(n.place[id])) }
func (n *names) bytes(id uint32) []byte         { _, s := n.entry(id); return s }
func (n *names) string(id uint32) string        { return string(n.bytes(id)) }

func (n *names) grow() { n.rebuild(2 * len(n.table)) }

// rebuild makes the table anew, with room for size entries.
func (n *names) rebuild(size int) {
	n.table = large[uint64](n.opt, size)
	mask := uint64(len(n.table) - 1)
	for _, at := range n.place { // in order of place, so memory is read as it lies
		k, s := entryOf(n.at(at))
		h := n.hash(k, s)
		i := h & mask
		for n.table[i] != 0 {
			i = (i + 1) & mask
		}
		n.table[i] = h>>placeBits<<placeBits | at + 1
	}
}

func uvarintLen(x uint64) int {
	n := 1
	for x >= 0x80 {
		x >>= 7
		n++
	}
	return n
}

func appendUvarint(b []byte, x uint64) []byte {
	for x >= 0x80 {
		b = append(b, byte(x)|0x80)
		x >>= 7
	}
	return append(b, byte(x))
}

func uvarint(b []byte) (uint64, int) {
	var x uint64
	for i, c := range b {
		if c < 0x80 {
			return x | uint64(c)<<(7*i), i + 1
		}
		x |= uint64(c&0x7f) << (7 * i)
	}
	return 0, 0
}
