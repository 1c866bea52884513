package coord

import (
	"encoding/binary"
	"math/bits"
)

// record is one post after its names became numbers. 24 bytes.
type record struct {
	time    int64 // microseconds
	object  uint32
	account uint32
	content uint32
	flags   uint32
}

// after says whether r comes behind x in order of object and time.
func (r *record) after(x *record) bool {
	return r.object > x.object || r.object == x.object && r.time > x.time
}

// selfShare marks a post whose object is the post itself: it counts as a post
// of its account but shares nothing.
const selfShare = 1

// sortRecords orders by object, then time, stable. It is a least-significant-
// digit radix sort over the bits that differ, the only sort of the posts. buf
// is as long as r; the result is one of the two.
func sortRecords(r, buf []record) []record {
	if len(r) < 2 {
		return r
	}
	lo, hi, objects := r[0].time, r[0].time, uint32(0)
	unit := int64(1_000_000)
	for i := range r {
		lo, hi, objects = min(lo, r[i].time), max(hi, r[i].time), max(objects, r[i].object)
	}
	for i := range r {
		for (r[i].time-lo)%unit != 0 {
			unit /= 10
		}
	}
	for i := range r {
		r[i].time = (r[i].time - lo) / unit
	}
	pass := func(digit func(*record) uint32) {
		var start [1 << digitBits]int
		for i := range r {
			start[digit(&r[i])]++
		}
		sum := 0
		for d, n := range start {
			if n == len(r) {
				return
			}
			start[d], sum = sum, sum+n
		}
		for i := range r {
			d := digit(&r[i])
			buf[start[d]] = r[i]
			start[d]++
		}
		r, buf = buf, r
	}
	for shift := 0; shift < bits.Len64(uint64((hi-lo)/unit)); shift += digitBits {
		pass(func(x *record) uint32 { return uint32(x.time>>shift) & (1<<digitBits - 1) })
	}
	for shift := 0; shift < bits.Len32(objects); shift += digitBits {
		pass(func(x *record) uint32 { return x.object >> shift & (1<<digitBits - 1) })
	}
	for i := range r {
		r[i].time = r[i].time*unit + lo
	}
	return r
}

const digitBits = 11

// groups calls do with the posts of each object, in order of object.
func groups(r []record, do func(group []record) error) error {
	for len(r) > 0 {
		n := 1
		for n < len(r) && r[n].object == r[0].object {
			n++
		}
		if err := do(r[:n:n]); err != nil {
			return err
		}
		r = r[n:]
	}
	return nil
}

// pair is two posts of different accounts on one object within the window. a
// and b are ranks of accounts by name, a < b; 40 bytes.
type pair struct {
	a, b     uint32
	object   uint32
	contentA uint32
	contentB uint32
	flags    uint32 // olderB
	timeA    int64
	delta    int64 // time of b less time of a, microseconds
}

// olderB marks a pair whose older post is b's; for equal times the order is
// the semantics' own.
const olderB = 1

func (p *pair) key() uint64 { return uint64(p.a)<<32 | uint64(p.b) }

var pairCodec = codec[pair]{40, (*pair).key, func(b []byte, p *pair) []byte {
	for _, v := range [6]uint32{p.a, p.b, p.object, p.contentA, p.contentB, p.flags} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(p.timeA))
	return binary.LittleEndian.AppendUint64(b, uint64(p.delta))
}, func(b []byte) pair {
	u := func(i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) }
	return pair{u(0), u(1), u(2), u(3), u(4), u(5), int64(binary.LittleEndian.Uint64(b[24:])), int64(binary.LittleEndian.Uint64(b[32:]))}
}}

// radix sorts s by key, stable, and returns the sorted slice, which is s or a
// buffer of the same size.
func radix[T any](s []T, key func(*T) uint64) []T {
	var or, and uint64 = 0, ^uint64(0)
	for i := range s {
		k := key(&s[i])
		or, and = or|k, and&k
	}
	differ := or &^ and
	buf := make([]T, len(s))
	for shift := 0; shift < 64; shift += digitBits {
		if differ>>shift&(1<<digitBits-1) == 0 {
			continue
		}
		var start [1 << digitBits]int
		for i := range s {
			start[key(&s[i])>>shift&(1<<digitBits-1)]++
		}
		sum := 0
		for d, n := range start {
			start[d], sum = sum, sum+n
		}
		for i := range s {
			d := key(&s[i]) >> shift & (1<<digitBits - 1)
			buf[start[d]] = s[i]
			start[d]++
		}
		s, buf = buf, s
	}
	return s
}
