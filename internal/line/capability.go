package line

import (
	"fmt"
	"strings"
)

// The protocol version is one growing integer. A node speaks every version
// from oldestVersion to newestVersion; two nodes use the highest that both
// speak. A version is never taken from a message alone: what a partner may
// speak is pinned in its record, and only ever grows.
//
// History:
//
//	1  2026-11-24  first: statements, lanes, receipts, recall, witness,
//	               sneakernet, blind match, objects passed on
//	2  2026-11-26  words: what one node attests of its people's clearances, and
//	               takes back; public statements to be signed together
//	3  2026-11-26  sealed messages carried by relays
const (
	oldestVersion = 1
	newestVersion = 3
)

// relaysSince is the version from which a node carries messages for others.
const relaysSince = 3

// negotiate picks the version to use with a partner that speaks lo to hi.
func negotiate(lo, hi int) (int, error) {
	v := min(hi, newestVersion)
	if lo > hi || v < lo || v < oldestVersion {
		return 0, fmt.Errorf("no protocol version in common: the partner speaks %d to %d, this node %d to %d; the older of the two has to be updated",
			lo, hi, oldestVersion, newestVersion)
	}
	return v, nil
}

// Precedence says how soon a message has to arrive. Each precedence is a lane
// of its own, with its own sequence, its own chain and its own worker: FLASH
// never waits behind ROUTINE, and ROUTINE never starves.
type Precedence int

// The precedences, from the most patient.
const (
	Routine Precedence = iota
	Priority
	Immediate
	Flash
)

// precedences lists every lane, the most urgent first.
var precedences = [...]Precedence{Flash, Immediate, Priority, Routine}

var precedenceNames = [...]string{"ROUTINE", "PRIORITY", "IMMEDIATE", "FLASH"}

// String is the name in messages and on pages.
func (p Precedence) String() string {
	if p < Routine || p > Flash {
		return fmt.Sprintf("Precedence(%d)", int(p))
	}
	return precedenceNames[p]
}

// ParsePrecedence reads one of the four names, in any case of letters.
func ParsePrecedence(s string) (Precedence, error) {
	for i, n := range precedenceNames {
		if strings.EqualFold(s, n) {
			return Precedence(i), nil
		}
	}
	return 0, fmt.Errorf("precedence %q is not one of ROUTINE, PRIORITY, IMMEDIATE, FLASH", s)
}

// MarshalText writes the name.
func (p Precedence) MarshalText() ([]byte, error) {
	if p < Routine || p > Flash {
		return nil, fmt.Errorf("precedence %d does not exist", int(p))
	}
	return []byte(precedenceNames[p]), nil
}

// UnmarshalText reads the name exactly as MarshalText writes it.
func (p *Precedence) UnmarshalText(b []byte) error {
	for i, n := range precedenceNames {
		if string(b) == n {
			*p = Precedence(i)
			return nil
		}
	}
	return fmt.Errorf("precedence %q is not known", b)
}
