package label

import "slices"

// clauses compiles a label that was read and found valid: one clause for the
// classification, one for each restrictive value, and the audience.
func (ps *Policies) clauses(c *chosen) ([][]atom, error) {
	class, err := c.policy.classAtom(c.class)
	if err != nil {
		return nil, err
	}
	out := [][]atom{{class}}
	for _, v := range c.values {
		if v.tag.Type != Restrictive {
			continue
		}
		a, err := c.policy.atom(v.value, v.epoch)
		if err != nil {
			return nil, err
		}
		out = append(out, []atom{a})
	}
	var audience [][]atom
	if c.policy.context {
		audience, err = contextClauses(c)
		if err != nil {
			return nil, err
		}
		out = append(out, audience...)
	}
	audience, err = tagClauses(c)
	return append(out, audience...), err
}

// inContext says whether the set semantics of the policy decide a tag set.
func (p *Policy) inContext(s *TagSet) bool {
	return p.context && (s.OID == natoContext || s.OID == natoOnly || s.OID == natoReleasable)
}

// tagClauses is the audience outside the set semantics: one clause for each
// permissive tag the label uses, holding its values. A category of a
// set may use several tags of that set; each is a clause of its own. A
// permissive category without values is an empty clause: nobody.
func tagClauses(c *chosen) ([][]atom, error) {
	var out [][]atom
	index := map[*Tag]int{}
	for _, v := range c.values {
		if v.tag.Type != Permissive || c.policy.inContext(v.set) {
			continue
		}
		a, err := c.policy.atom(v.value, v.epoch)
		if err != nil {
			return nil, err
		}
		i, ok := index[v.tag]
		if !ok {
			i = len(out)
			index[v.tag] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], a)
	}
	for _, s := range c.present {
		if s.typ == Permissive && s.n == 0 && !c.policy.inContext(s.set) {
			out = append(out, nil)
		}
	}
	return out, nil
}

// contextClauses is the audience of the NATO policy (reference/labels.md
// section 4): members of the context, cut down by Only, together with the
// addressees of Releasable To. As clauses:
//
//	left  = {context c}, and with Only {only values}
//	right = {Releasable}, {Releasable To without c}
//	audience = every union of a left and a right clause
//
// Without Releasable To the right clauses are empty, and the audience is left.
func contextClauses(c *chosen) ([][]atom, error) {
	var context, only, flag, addressees []atom
	hasOnly := slices.ContainsFunc(c.present, func(s presentSet) bool { return s.set.OID == natoOnly })
	own := c.contextNames()
	for _, v := range c.values {
		a, err := c.policy.atom(v.value, v.epoch)
		if err != nil {
			return nil, err
		}
		name := c.policy.canon(v.Name)
		switch {
		case v.set.OID == natoContext && name == flagReleasable:
			flag = append(flag, a)
		case v.set.OID == natoContext:
			context = append(context, a)
		case v.set.OID == natoOnly:
			only = append(only, a)
		case v.set.OID == natoReleasable && !slices.Contains(own, name):
			addressees = append(addressees, a)
		}
	}
	left := [][]atom{context}
	if hasOnly {
		left = append(left, only)
	}
	var out [][]atom
	for _, l := range left {
		for _, r := range [][]atom{flag, addressees} {
			out = append(out, slices.Concat(l, r))
		}
	}
	return out, nil
}

// pairs names the releasability value that stands for the members of a context
// whose own name it does not bear. That NGC, NRC and NUC are the councils of
// these three is assumed; the assumption only ever removes readers.
var pairs = map[string]string{"GEORGIA": "NGC", "RUSSIA": "NRC", "UKRAINE": "NUC"}

// contextNames are the canonical names under which the label's own context may
// stand in Releasable To.
func (c *chosen) contextNames() []string {
	var out []string
	for _, v := range c.values {
		name := c.policy.canon(v.Name)
		if v.set.OID != natoContext || name == flagReleasable {
			continue
		}
		out = append(out, name)
		if p, ok := pairs[name]; ok {
			out = append(out, p)
		}
	}
	return out
}

// TagByTag gives the rule of a reader that judges each permissive tag on its
// own, as partners without the set semantics do. It never admits a reader whom
// Rule does not admit; where the two differ, such a partner denies what Rule
// permits.
func (ps *Policies) TagByTag(l *Label) (Rule, error) {
	r, err := ps.Rule(l)
	if err != nil {
		return Rule{}, err
	}
	c, err := ps.read(l)
	if err != nil || !c.policy.context {
		return r, err
	}
	plain := *c
	policy := *c.policy
	policy.context = false
	plain.policy = &policy
	clauses, err := ps.clauses(&plain)
	if err != nil {
		return Rule{}, err
	}
	t, err := newRule(clauses)
	if err != nil {
		return Rule{}, err
	}
	return Join(r, t)
}
