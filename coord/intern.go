package coord

import (
	"bytes"
	"errors"
	"hash/maphash"
	"math"
)

const blockSize = 1 << 20

// names gives each distinct (kind, bytes) a number in order of first
// appearance and keeps the bytes. It lives in memory: 8 bytes for the table,
// 8 for the place, and the name itself.
type names struct {
	seed   maphash.Seed
	table  []uint64 // upper half: tag of the hash; lower half: id + 1; 0 is free
	blocks [][]byte
	place  []uint64 // block<<32 | offset; the entry is kind, then uvarint length, then bytes
}

func newNames() *names {
	return &names{seed: maphash.MakeSeed(), table: make([]uint64, 1<<10)}
}

func (n *names) len() int { return len(n.place) }

// id returns the number of (kind, name), adding it when it is new.
func (n *names) id(kind Kind, name []byte) (uint32, error) {
	h := maphash.Bytes(n.seed, name) + uint64(kind)*0x9e3779b97f4a7c15
	tag := h >> 32
	mask := uint64(len(n.table) - 1)
	i := h & mask
	for ; n.table[i] != 0; i = (i + 1) & mask {
		if n.table[i]>>32 != tag {
			continue
		}
		id := uint32(n.table[i]) - 1
		if k, s := n.entry(id); k == kind && bytes.Equal(s, name) {
			return id, nil
		}
	}
	if len(n.place) >= math.MaxUint32-1 {
		return 0, errors.New("more than 4,294,967,294 distinct names")
	}
	id := uint32(len(n.place))
	n.place = append(n.place, n.keep(kind, name))
	n.table[i] = tag<<32 | uint64(id+1)
	if len(n.place)*4 > len(n.table)*3 {
		n.grow()
	}
	return id, nil
}

func (n *names) keep(kind Kind, name []byte) uint64 {
	need := 1 + uvarintLen(uint64(len(name))) + len(name)
	last := len(n.blocks) - 1
	if last < 0 || cap(n.blocks[last])-len(n.blocks[last]) < need {
		n.blocks = append(n.blocks, make([]byte, 0, max(blockSize, need)))
		last++
	}
	b := n.blocks[last]
	at := uint64(last)<<32 | uint64(len(b))
	b = append(b, byte(kind))
	b = appendUvarint(b, uint64(len(name)))
	n.blocks[last] = append(b, name...)
	return at
}

func (n *names) entry(id uint32) (Kind, []byte) {
	at := n.place[id]
	b := n.blocks[at>>32][uint32(at):]
	size, w := uvarint(b[1:])
	return Kind(b[0]), b[1+w : 1+w+int(size)]
}

func (n *names) bytes(id uint32) []byte  { _, s := n.entry(id); return s }
func (n *names) string(id uint32) string { return string(n.bytes(id)) }
func (n *names) kind(id uint32) Kind     { return Kind(n.blocks[n.place[id]>>32][uint32(n.place[id])]) }

func (n *names) grow() {
	old := n.table
	n.table = make([]uint64, 2*len(old))
	mask := uint64(len(n.table) - 1)
	for _, e := range old {
		if e == 0 {
			continue
		}
		k, s := n.entry(uint32(e) - 1)
		h := maphash.Bytes(n.seed, s) + uint64(k)*0x9e3779b97f4a7c15
		i := h & mask
		for n.table[i] != 0 {
			i = (i + 1) & mask
		}
		n.table[i] = e
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
