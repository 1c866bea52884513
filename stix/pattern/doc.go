// Package pattern reads and evaluates STIX patterns (STIX 2.1 section 9): the
// language in which an indicator says what to look for in observed data.
//
//	[ipv4-addr:value = '198.51.100.5'] FOLLOWEDBY [file:name LIKE '%.dll'] WITHIN 300 SECONDS
//
// The parser is bounded in the length and the depth of what it takes, and does
// not recurse along chains, so that no pattern can exhaust a reader. The
// package is pure and knows observed data only as decoded JSON.
package pattern

import "fmt"

// Limits of one pattern. One published pattern crashes the OASIS parser by its
// depth; the largest in use, lists of hashes, stay under 100 kB.
const (
	MaxBytes = 1 << 20
	MaxDepth = 64 // of parentheses
)

// Error is why text is no pattern.
type Error struct {
	Offset int // in bytes
	Text   string
}

func (e *Error) Error() string { return fmt.Sprintf("at byte %d of the pattern: %s", e.Offset, e.Text) }
