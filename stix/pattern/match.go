package pattern

import (
	"errors"
	"slices"
	"time"
)

// Observation is one observed-data object with its cyber-observables.
type Observation struct {
	First, Last time.Time // first_observed and last_observed
	Number      int64     // number_observed; below 1 counts as 1
	// Objects are the observables by id (or by key, in a deprecated
	// container), as decoded JSON: map[string]any, []any, string, bool, int64
	// or float64. References of an object are looked up here.
	Objects map[string]map[string]any
}

// ErrTooMany ends a match that has more combinations of observations to try
// than maxBindings: an answer would cost more than a reader may ask for.
var ErrTooMany = errors.New("evaluate a pattern: too many combinations of observations")

const maxBindings = 100_000

// Match says whether the observations together match, and by which of them:
// the indexes of the first combination found, ascending. When the observation
// took place within [First, Last] is not known (STIX 9.1), so a condition on
// time holds when it can hold.
func (p *Pattern) Match(observations []Observation) (by []int, ok bool, err error) {
	m := matcher{all: observations}
	for _, o := range observations {
		if o.Last.Before(o.First) {
			return nil, false, errors.New("evaluate a pattern: an observation ends before it begins")
		}
		m.number = append(m.number, max(o.Number, 1))
	}
	found, err := m.eval(&p.root)
	if err != nil || len(found) == 0 {
		return nil, false, err
	}
	return found[0], true, nil
}

// binding is a set of observations that match an expression together,
// ascending.
type binding = []int

type matcher struct {
	all    []Observation
	number []int64
	spent  int
}

func (m *matcher) spend() error {
	if m.spent++; m.spent > maxBindings {
		return ErrTooMany
	}
	return nil
}

func (m *matcher) eval(o *observation) ([]binding, error) {
	found, err := m.expression(o)
	for _, q := range o.qualify {
		if err != nil {
			return nil, err
		}
		found, err = m.qualify(found, q)
	}
	return found, err
}

func (m *matcher) expression(o *observation) ([]binding, error) {
	if o.op == "" {
		var found []binding
		for i := range m.all {
			if len(o.compare.match(m.all[i].Objects)) > 0 {
				found = append(found, binding{i})
			}
		}
		return found, nil
	}
	found, err := m.eval(&o.parts[0])
	for i := 1; i < len(o.parts) && err == nil; i++ {
		var right []binding
		if right, err = m.eval(&o.parts[i]); err != nil {
			break
		}
		if o.op == "OR" {
			found = append(found, right...)
			continue
		}
		found, err = m.combine(found, right, o.op == "FOLLOWEDBY")
	}
	return found, err
}

// combine pairs bindings of different observations (STIX 9.5, AND and
// FOLLOWEDBY: on different observations); ordered, the right ones later.
func (m *matcher) combine(left, right []binding, ordered bool) (found []binding, err error) {
	for _, a := range left {
		for _, b := range right {
			if err := m.spend(); err != nil {
				return nil, err
			}
			if disjoint(a, b) && (!ordered || m.mayFollow(a, b)) {
				found = append(found, union(a, b))
			}
		}
	}
	return found, nil
}

func disjoint(a, b binding) bool {
	return !slices.ContainsFunc(a, func(i int) bool { return slices.Contains(b, i) })
}

func union(a, b binding) binding {
	u := append(slices.Clone(a), b...)
	slices.Sort(u)
	return u
}

// mayFollow says whether all of b can have happened at or after all of a.
func (m *matcher) mayFollow(a, b binding) bool {
	_, latestStart := m.span(a)
	earliestEnd, _ := m.span(b)
	return !earliestEnd.Before(latestStart)
}

// span is the earliest end and the latest start of the observations.
func (m *matcher) span(b binding) (earliestEnd, latestStart time.Time) {
	for n, i := range b {
		o := &m.all[i]
		if n == 0 || o.Last.Before(earliestEnd) {
			earliestEnd = o.Last
		}
		if n == 0 || o.First.After(latestStart) {
			latestStart = o.First
		}
	}
	return earliestEnd, latestStart
}

func (m *matcher) qualify(found []binding, q qualifier) ([]binding, error) {
	switch q.kind {
	case "START": // within [start, stop)
		return slices.DeleteFunc(found, func(b binding) bool {
			return slices.ContainsFunc(b, func(i int) bool {
				return m.all[i].Last.Before(q.start) || !m.all[i].First.Before(q.stop)
			})
		}), nil
	case "WITHIN":
		return slices.DeleteFunc(found, func(b binding) bool {
			earliestEnd, latestStart := m.span(b)
			return latestStart.Sub(earliestEnd) > q.within
		}), nil
	}
	return m.repeat(found, q.repeats)
}

// repeat finds the unions of bindings of different observations that hold n
// occurrences, none of them more than it needs. A binding occurs as often as
// the least observed of its observations.
func (m *matcher) repeat(found []binding, n int64) (out []binding, err error) {
	times := make([]int64, len(found))
	for i, b := range found {
		times[i] = m.number[b[0]]
		for _, o := range b {
			times[i] = min(times[i], m.number[o])
		}
	}
	var extend func(from int, have binding, count int64) error
	extend = func(from int, have binding, count int64) error {
		if count >= n {
			out = append(out, have)
			return nil
		}
		for i := from; i < len(found); i++ {
			if err := m.spend(); err != nil {
				return err
			}
			if disjoint(have, found[i]) {
				if err := extend(i+1, union(have, found[i]), count+times[i]); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return out, extend(0, nil, 0)
}

// match gives the keys of the objects for which the comparison holds: AND on
// one object, OR on any (STIX 9.6).
func (c *comparison) match(objects map[string]map[string]any) map[string]bool {
	switch c.op {
	case "":
		return c.test.match(objects)
	case "AND":
		keys := c.parts[0].match(objects)
		for i := 1; i < len(c.parts) && len(keys) > 0; i++ {
			other := c.parts[i].match(objects)
			for k := range keys {
				if !other[k] {
					delete(keys, k)
				}
			}
		}
		return keys
	}
	keys := map[string]bool{}
	for i := range c.parts {
		for k := range c.parts[i].match(objects) {
			keys[k] = true
		}
	}
	return keys
}

func (t *Test) match(objects map[string]map[string]any) map[string]bool {
	keys := map[string]bool{}
	for key, o := range objects {
		if o["type"] == t.Type && t.holds(o, objects) {
			keys[key] = true
		}
	}
	return keys
}

// holds says whether the test is true of one of the values its path leads to.
// A path that leads nowhere makes every test false, but for NOT EXISTS.
func (t *Test) holds(o map[string]any, objects map[string]map[string]any) bool {
	values := []any{any(o)}
	for _, s := range t.Path {
		if values = s.follow(values, objects); len(values) == 0 {
			break
		}
	}
	if t.Op == "EXISTS" {
		return len(values) > 0 != t.Not
	}
	return slices.ContainsFunc(values, func(v any) bool {
		answer, comparable := t.compare(v)
		return comparable && answer != t.Not
	})
}

// follow takes one step from each value. The step after a reference goes on in
// the object referred to.
func (s Step) follow(values []any, objects map[string]map[string]any) (next []any) {
	for _, v := range values {
		if id, isRef := v.(string); isRef && s.Name != "" {
			if target, ok := objects[id]; ok {
				v = target
			}
		}
		switch v := v.(type) {
		case map[string]any:
			if e, ok := v[s.Name]; ok && s.Name != "" {
				next = append(next, e)
			}
		case []any:
			switch i := s.Index; {
			case s.Name != "":
			case s.Any:
				next = append(next, v...)
			case i < 0 && -i <= len(v):
				next = append(next, v[len(v)+i])
			case i >= 0 && i < len(v):
				next = append(next, v[i])
			}
		}
	}
	return next
}
