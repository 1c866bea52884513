// Package picture finds near-duplicate images among posts: perceptual hashes
// given with the posts, or computed from the image files they name, gathered
// when few of their bits differ.
//
// A given hash is the hexadecimal form of 64 bits (pHash, dHash) or of 256
// bits (PDQ, Meta's perceptual hash). Hashes of files are 256 bits of this
// package's own kind, [Of]. Hashes of different kinds are never compared.
package picture

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
)

// Version names the rules of this package: the hash of a file, the distances
// and what is no trace.
const Version = "causeway-picture/1"

// Hash is a perceptual hash.
type Hash struct {
	Kind Kind
	Bits [4]uint64 // the first word alone for 64 bits
}

// Kind says where a hash comes from.
type Kind uint8

const (
	Given64  Kind = iota // 64 bits, given with the post
	Given256             // 256 bits, given with the post
	Computed             // 256 bits, of the file
)

// Parse reads a given hash: 16 or 64 hexadecimal digits.
func Parse(s string) (Hash, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 8 && len(b) != 32 {
		return Hash{}, fmt.Errorf("not a perceptual hash: want 16 or 64 hexadecimal digits")
	}
	var h Hash
	for i := range len(b) / 8 {
		h.Bits[i] = binary.BigEndian.Uint64(b[8*i:])
	}
	if len(b) == 32 {
		h.Kind = Given256
	}
	return h, nil
}

// words is how many words of Bits the kind uses.
func (k Kind) words() int {
	if k == Given64 {
		return 1
	}
	return 4
}

// near is the largest distance of two copies of one image. For PDQ it is the
// threshold its authors recommend (31 of 256 bits); for 64 bits the same share.
func (k Kind) near() int {
	if k == Given64 {
		return 7
	}
	return 31
}

// Distance is in how many bits two hashes of one kind differ (Hamming).
func (h Hash) Distance(x Hash) int {
	d := 0
	for i := range h.Bits {
		d += bits.OnesCount64(h.Bits[i] ^ x.Bits[i])
	}
	return d
}

// Plain says that the hash tells nothing: nearly all its bits are equal, as
// those of a blank image are. Such images are no trace.
func (h Hash) Plain() bool {
	n, ones := 64*h.Kind.words(), 0
	for _, w := range h.Bits {
		ones += bits.OnesCount64(w)
	}
	return ones < n/8 || ones > n-n/8
}
