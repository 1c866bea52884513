package label

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Bounds of a rule. Beyond them a rule is refused, never shortened.
const (
	MaxClauses = 256  // clauses of one rule
	MaxAtoms   = 1024 // atoms of one clause
	MaxSize    = 8192 // atoms of one rule; a partner's rules must not fill the table of atoms
	maxKey     = 1 << 20
)

// ErrTooLarge is wrapped by every refusal of a rule beyond MaxClauses,
// MaxAtoms or MaxSize.
var ErrTooLarge = errors.New("the rule is too large")

// Rule says exactly who may read: a reader may when every clause contains an
// atom the reader holds. It is a formula in conjunctive normal form over
// positive atoms, kept in its unique shortest form, so two rules admit the
// same readers whatever they hold if and only if their keys are equal.
//
// The zero Rule admits nobody. A Rule is immutable and safe for concurrent
// use.
type Rule struct {
	clauses [][]atom // none: nobody; sorted by text within and among
	key     string
}

const nobodyKey = "nobody"

// newRule brings clauses to normal form: no atom twice, no clause that
// contains another, no clause that everyone meets beside one that limits, and
// one spelling of "nobody". It keeps the argument.
func newRule(clauses [][]atom) (Rule, error) {
	if len(clauses) == 0 {
		return Rule{}, nil
	}
	limits := make([][]atom, 0, len(clauses))
	for _, c := range clauses {
		if len(c) == 0 {
			return Rule{}, nil
		}
		if slices.Contains(c, everyone) {
			continue
		}
		c = slices.Clone(c)
		slices.Sort(c)
		limits = append(limits, slices.Compact(c))
	}
	if len(limits) == 0 {
		return Rule{clauses: [][]atom{{everyone}}, key: everyoneText}, nil
	}
	limits = absorb(limits)
	if len(limits) > MaxClauses {
		return Rule{}, fmt.Errorf("%w: %d clauses, at most %d", ErrTooLarge, len(limits), MaxClauses)
	}
	return spell(limits)
}

// absorb drops every clause that contains another: whoever meets the smaller
// meets the larger.
func absorb(clauses [][]atom) [][]atom {
	slices.SortStableFunc(clauses, func(a, b []atom) int { return cmp.Compare(len(a), len(b)) })
	kept := clauses[:0:0]
	for _, c := range clauses {
		if !slices.ContainsFunc(kept, func(k []atom) bool { return containsAll(c, k) }) {
			kept = append(kept, c)
		}
	}
	return kept
}

// containsAll says whether every atom of small is in large; both are sorted.
func containsAll(large, small []atom) bool {
	i := 0
	for _, a := range small {
		for i < len(large) && large[i] < a {
			i++
		}
		if i == len(large) || large[i] != a {
			return false
		}
	}
	return true
}

// spell orders clauses by text, since atom numbers differ between processes,
// and writes the key.
func spell(clauses [][]atom) (Rule, error) {
	type spelt struct {
		atoms []atom
		text  string
	}
	all := make([]spelt, len(clauses))
	size := 0
	for i, c := range clauses {
		if size += len(c); len(c) > MaxAtoms || size > MaxSize {
			return Rule{}, fmt.Errorf("%w: a clause of %d atoms, at most %d; or %d in all, at most %d", ErrTooLarge, len(c), MaxAtoms, size, MaxSize)
		}
		texts := make([]string, len(c))
		for j, a := range c {
			texts[j] = a.String()
		}
		slices.Sort(texts)
		all[i] = spelt{c, strings.Join(texts, "|")}
	}
	slices.SortFunc(all, func(a, b spelt) int { return cmp.Compare(a.text, b.text) })
	r := Rule{clauses: make([][]atom, len(all))}
	texts := make([]string, len(all))
	for i, s := range all {
		r.clauses[i], texts[i] = s.atoms, s.text
	}
	r.key = strings.Join(texts, "&")
	if len(r.key) > maxKey {
		return Rule{}, fmt.Errorf("%w: its key has %d bytes, at most %d", ErrTooLarge, len(r.key), maxKey)
	}
	return r, nil
}

// Key is the canonical text of the rule: clauses joined by "&", atoms by "|",
// each atom "policy OID/tag/value@epoch". Keys are equal if and only if the
// rules are. "nobody" and "everyone" are spelt out.
func (r Rule) Key() string {
	if len(r.clauses) == 0 {
		return nobodyKey
	}
	return r.key
}

func (r Rule) String() string { return r.Key() }

// Nobody says whether the rule admits no reader at all.
func (r Rule) Nobody() bool { return len(r.clauses) == 0 }

// Everyone says whether the rule admits every reader, the public included.
func (r Rule) Everyone() bool {
	return len(r.clauses) == 1 && len(r.clauses[0]) == 1 && r.clauses[0][0] == everyone
}

// Equal says whether two rules admit the same readers.
func (r Rule) Equal(o Rule) bool { return r.Key() == o.Key() }

// Clauses gives the rule as atom texts, in the order of its key.
func (r Rule) Clauses() [][]string {
	out := make([][]string, len(r.clauses))
	for i, c := range r.clauses {
		for _, a := range c {
			out[i] = append(out[i], a.String())
		}
		slices.Sort(out[i])
	}
	return out
}

// ParseRule reads what Key wrote. Any other text, also one that would mean
// the same, is an error.
func ParseRule(key string) (Rule, error) {
	switch {
	case key == nobodyKey:
		return Rule{}, nil
	case len(key) > maxKey:
		return Rule{}, fmt.Errorf("%w: its key has %d bytes, at most %d", ErrTooLarge, len(key), maxKey)
	case key == everyoneText:
		return Everyone(), nil
	}
	if n := strings.Count(key, "|") + strings.Count(key, "&"); n >= MaxSize {
		return Rule{}, fmt.Errorf("%w: more than %d atoms", ErrTooLarge, MaxSize)
	}
	var clauses [][]atom
	for clause := range strings.SplitSeq(key, "&") {
		var c []atom
		for text := range strings.SplitSeq(clause, "|") {
			if _, err := parseParts(text); err != nil {
				return Rule{}, fmt.Errorf("read rule: %w", err)
			}
			if !validText(text) {
				return Rule{}, errors.New("read rule: an atom is not UTF-8")
			}
			a, err := intern(text)
			if err != nil {
				return Rule{}, fmt.Errorf("read rule: %w", err)
			}
			c = append(c, a)
		}
		clauses = append(clauses, c)
	}
	r, err := newRule(clauses)
	if err != nil {
		return Rule{}, fmt.Errorf("read rule: %w", err)
	}
	if r.key != key {
		return Rule{}, errors.New("read rule: the key is not in normal form")
	}
	return r, nil
}

// Everyone is the rule that admits every reader: TLP:CLEAR.
func Everyone() Rule { return Rule{clauses: [][]atom{{everyone}}, key: everyoneText} }

// Join gives the rule whose readers are exactly those that every given rule
// admits. It is idempotent, commutative and associative. Joining nothing is an
// error: data with no label is refused, not public.
func Join(rules ...Rule) (Rule, error) {
	if len(rules) == 0 {
		return Rule{}, errors.New("join labels: there is none")
	}
	if len(rules) == 1 {
		return rules[0], nil
	}
	var clauses [][]atom
	for _, r := range rules {
		if r.Nobody() {
			return Rule{}, nil
		}
		clauses = append(clauses, r.clauses...)
	}
	r, err := newRule(clauses)
	if err != nil {
		return Rule{}, fmt.Errorf("join labels: %w", err)
	}
	return r, nil
}

// AtMost says whether every reader that r admits is admitted by o too,
// whatever readers hold: each clause of o contains a clause of r.
func (r Rule) AtMost(o Rule) bool {
	if r.Nobody() {
		return true
	}
	if o.Nobody() {
		return false
	}
	for _, c := range o.clauses {
		if slices.Contains(c, everyone) {
			continue
		}
		if !slices.ContainsFunc(r.clauses, func(k []atom) bool { return containsAll(c, k) }) {
			return false
		}
	}
	return true
}
