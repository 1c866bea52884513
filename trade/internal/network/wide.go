package network

import (
	"math/big"
	"math/bits"
)

// wide is an unsigned 128-bit integer: room for a quantity times a
// denominator, so that no step ever rounds.
type wide struct{ hi, lo uint64 }

var most = wide{^uint64(0), ^uint64(0)}

// times is a*b for a, b >= 0.
func times(a, b int64) wide {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	return wide{hi, lo}
}

func (a wide) plus(b wide) wide {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	return wide{a.hi + b.hi + carry, lo}
}

// minus is a-b for a >= b.
func (a wide) minus(b wide) wide {
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)
	return wide{a.hi - b.hi - borrow, lo}
}

func (a wide) less(b wide) bool { return a.hi < b.hi || (a.hi == b.hi && a.lo < b.lo) }

func (a wide) zero() bool { return a.hi|a.lo == 0 }

func least(a, b wide) wide {
	if b.less(a) {
		return b
	}
	return a
}

func (a wide) big() *big.Int {
	v := new(big.Int).SetUint64(a.hi)
	return v.Lsh(v, 64).Add(v, new(big.Int).SetUint64(a.lo))
}
