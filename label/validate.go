package label

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Problem is one reason why a policy does not allow a label.
type Problem struct {
	Code string // a stable word: obsolete, excluded-class, required-category, ...
	Text string
}

func (p Problem) Error() string { return p.Text }

func firstProblem(ps []Problem) error {
	var errs []error
	for _, p := range ps {
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}

// Validate says why a label may not be created: whatever Rule refuses, and
// obsolete values, and a missing review date. An empty answer allows it.
func (ps *Policies) Validate(l *Label) []Problem {
	c, err := ps.read(l)
	if err != nil {
		return []Problem{{"not-understood", err.Error()}}
	}
	out := ps.check(c, true)
	if l.Created.IsZero() {
		out = append(out, Problem{"no-creation", "the label has no creation date"})
	}
	if l.Review.IsZero() && l.Successor == nil {
		out = append(out, Problem{"no-review", "the label has neither a review date nor a successor"})
	}
	if l.Successor != nil {
		for _, p := range ps.Validate(l.Successor.Label) {
			out = append(out, Problem{p.Code, "successor: " + p.Text})
		}
	}
	return out
}

// Check says why a label that exists is not one its policy allows: obsolete
// values may be read.
func (ps *Policies) Check(l *Label) []Problem {
	c, err := ps.read(l)
	if err != nil {
		return []Problem{{"not-understood", err.Error()}}
	}
	return ps.check(c, false)
}

// check applies every rule of the policy to a label that was read. writing
// refuses obsolete values too.
func (ps *Policies) check(c *chosen, writing bool) []Problem {
	var out []Problem
	add := func(code, format string, args ...any) {
		out = append(out, Problem{code, fmt.Sprintf(format, args...)})
	}
	if writing && c.class.Obsolete {
		add("obsolete", "the classification %s is obsolete", c.class.Name)
	}
	for _, r := range c.class.Requires {
		if !c.meets(r) {
			add("required-category", "the classification %s needs %s", c.class.Name, c.describe(r))
		}
	}
	for _, v := range c.values {
		if writing && v.Obsolete {
			add("obsolete", "the value %s of %s is obsolete", v.Name, v.set.Name)
		}
		c.checkValue(v, add)
	}
	c.checkCounts(add)
	if c.policy.context {
		ps.checkContext(c, add)
	}
	return out
}

type adder func(code, format string, args ...any)

func (c *chosen) checkValue(v chosenValue, add adder) {
	is := func(name string) bool { return c.policy.canon(name) == c.policy.canon(c.class.Name) }
	if slices.ContainsFunc(v.ExcludedClasses, is) {
		add("excluded-class", "the value %s of %s excludes the classification %s", v.Name, v.set.Name, c.class.Name)
	}
	if len(v.RequiredClasses) > 0 && !slices.ContainsFunc(v.RequiredClasses, is) {
		add("required-class", "the value %s of %s needs another classification than %s", v.Name, v.set.Name, c.class.Name)
	}
	for _, g := range v.Excludes {
		if c.has(g) {
			add("excluded-category", "the value %s of %s excludes %s", v.Name, v.set.Name, c.describeGroup(g))
		}
	}
	for _, r := range v.Requires {
		if !c.meets(r) {
			add("required-category", "the value %s of %s needs %s", v.Name, v.set.Name, c.describe(r))
		}
	}
	if outside(c.label.Created, v.NotBefore, v.NotAfter) {
		add("time-window", "the value %s of %s was not usable when the label was made", v.Name, v.set.Name)
	}
}

// outside says whether t is not within a window; an unknown time is outside
// every window.
func outside(t, notBefore, notAfter time.Time) bool {
	if notBefore.IsZero() && notAfter.IsZero() {
		return false
	}
	return t.IsZero() || !notBefore.IsZero() && t.Before(notBefore) || !notAfter.IsZero() && t.After(notAfter)
}

// checkCounts applies the selection limits of each tag the policy defines.
func (c *chosen) checkCounts(add adder) {
	count := map[*Tag]int{}
	for _, v := range c.values {
		count[v.tag]++
	}
	for i := range c.policy.def.Sets {
		s := &c.policy.def.Sets[i]
		for j := range s.Tags {
			t := &s.Tags[j]
			n := count[t]
			if n < t.Min && (n > 0 || c.uses(s, t.Type)) {
				add("selection", "%s of %s needs at least %d values, not %d", t.Name, s.Name, t.Min, n)
			}
			if t.Max > 0 && n > t.Max {
				add("selection", "%s of %s takes at most %d values, not %d", t.Name, s.Name, t.Max, n)
			}
		}
	}
}

func (c *chosen) uses(s *TagSet, typ Type) bool {
	return slices.ContainsFunc(c.present, func(p presentSet) bool { return p.set == s && p.typ == typ })
}

// meets says whether the label satisfies a requirement: each group counts once.
func (c *chosen) meets(r Requirement) bool {
	n := 0
	for _, g := range r.Groups {
		if c.has(g) {
			n++
		}
	}
	switch r.Operation {
	case "onlyOne":
		return n == 1
	case "oneOrMore":
		return n >= 1
	case "all":
		return n == len(r.Groups)
	}
	return false
}

// has says whether the label has a value of the group.
func (c *chosen) has(g Group) bool {
	set := c.policy.set(g.Set)
	return set != nil && slices.ContainsFunc(c.values, func(v chosenValue) bool {
		return v.set == set.TagSet && v.tag.Type == g.Type && v.tag.Enumerated == g.Enumerated &&
			(g.All || number(v.LACV) == number(g.LACV))
	})
}

func (c *chosen) describe(r Requirement) string {
	text := map[string]string{"onlyOne": "exactly one of ", "oneOrMore": "at least one of ", "all": ""}[r.Operation]
	for i, g := range r.Groups {
		switch {
		case i == 0:
		case r.Operation == "all":
			text += " and "
		default:
			text += ", "
		}
		text += c.describeGroup(g)
	}
	return text
}

func (c *chosen) describeGroup(g Group) string {
	if g.All {
		return fmt.Sprintf("any %s value of %s", g.Type, g.Set)
	}
	if set := c.policy.set(g.Set); set != nil {
		if v := set.lacvs[lacvKey{g.Type, g.Enumerated, number(g.LACV)}]; v != nil {
			return fmt.Sprintf("%s of %s", v.Name, set.Name)
		}
	}
	return fmt.Sprintf("value number %s of %s", g.LACV, g.Set)
}

// checkContext applies the prose rules of the NATO policy that its SPIF does
// not carry (reference/labels.md section 4).
func (ps *Policies) checkContext(c *chosen, add adder) {
	contexts, flag := 0, false
	var addressees, only []chosenValue
	releasable, own := false, false
	names := c.contextNames()
	for _, v := range c.values {
		name := c.policy.canon(v.Name)
		switch {
		case v.set.OID == natoContext && name == flagReleasable:
			flag = true
		case v.set.OID == natoContext:
			contexts++
		case v.set.OID == natoOnly:
			only = append(only, v)
		case v.set.OID == natoReleasable && slices.Contains(names, name):
			own = true
		case v.set.OID == natoReleasable:
			addressees = append(addressees, v)
		case v.set.OID == natoAdministrative && c.policy.canon(c.class.Name) != "UNCLASSIFIED":
			add("administrative", "the administrative value %s is for UNCLASSIFIED only", v.Name)
		}
	}
	for _, s := range c.present {
		releasable = releasable || s.set.OID == natoReleasable
	}
	if contexts != 1 {
		add("context", "the label needs exactly one context value, not %d", contexts)
	}
	if flag != releasable {
		add("releasable", "the context value Releasable and the category Releasable To go together: one of them is missing")
	}
	if releasable && (!own || len(addressees) == 0) {
		add("releasable", "Releasable To needs the context's own value and at least one addressee")
	}
	if contexts == 1 {
		ps.checkContradiction(c, only, addressees, add)
	}
}

// checkContradiction finds an addressee that is, or includes, a member of the
// context whom Only excludes. Groups without a table are not known to include
// anyone.
func (ps *Policies) checkContradiction(c *chosen, only, addressees []chosenValue, add adder) {
	if !c.uses(c.policy.setOIDs[natoOnly].TagSet, Permissive) {
		return
	}
	members := map[string]bool{}
	for _, v := range c.values {
		if v.set.OID == natoContext && c.policy.canon(v.Name) != flagReleasable {
			ps.nations(v, members)
		}
	}
	allowed := map[string]bool{}
	for _, v := range only {
		ps.nations(v, allowed)
	}
	for _, v := range addressees {
		reached := map[string]bool{}
		ps.nations(v, reached)
		for nation := range reached {
			if members[nation] && !allowed[nation] {
				add("contradiction", "the addressee %s includes a member of the context that Only excludes", v.Name)
				break
			}
		}
	}
}

// nations adds the nations a value stands for: itself, or the members of its
// epoch.
func (ps *Policies) nations(v chosenValue, to map[string]bool) {
	if v.epoch == "" {
		to[v.Name] = true
		return
	}
	group, _ := ps.groups.Lookup(v.Name)
	epoch, _ := group.Named(v.epoch)
	for _, m := range epoch.Members {
		to[m] = true
	}
}
