package label

import (
	"cmp"
	"fmt"
	"slices"
)

func sortedClasses(cs []Class) []Class {
	out := slices.Clone(cs)
	slices.SortStableFunc(out, func(a, b Class) int { return cmp.Compare(a.Hierarchy, b.Hierarchy) })
	return out
}

func (p *Policy) indexClasses() error {
	if len(p.def.Classes) == 0 {
		return fmt.Errorf("it has no classification")
	}
	hierarchies := map[int]string{}
	for i := range p.def.Classes {
		c := &p.def.Classes[i]
		name := p.canon(c.Name)
		if !validText(name) {
			return fmt.Errorf("a classification has no name")
		}
		if p.classes[name] != nil {
			return fmt.Errorf("the classification %s is defined twice", c.Name)
		}
		if other := p.classLV[number(c.LACV)]; other != nil {
			return fmt.Errorf("the classifications %s and %s have one number, %s", other.Name, c.Name, c.LACV)
		}
		if other, ok := hierarchies[c.Hierarchy]; ok {
			return fmt.Errorf("the classifications %s and %s have one hierarchy, %d", other, c.Name, c.Hierarchy)
		}
		p.classes[name], p.classLV[number(c.LACV)], hierarchies[c.Hierarchy] = c, c, c.Name
	}
	return nil
}

// number drops leading zeros: "004" and "4" are one number.
func number(s string) string {
	for len(s) > 1 && s[0] == '0' {
		s = s[1:]
	}
	return s
}

func (p *Policy) indexSets() error {
	for i := range p.def.Sets {
		s := &p.def.Sets[i]
		if !validText(s.Name) {
			return fmt.Errorf("a tag set has no name")
		}
		if !IsOID(s.OID) {
			return fmt.Errorf("the id %q of tag set %s is not an OID", s.OID, s.Name)
		}
		if p.sets[s.Name] != nil || p.setOIDs[s.OID] != nil {
			return fmt.Errorf("the tag set %s (%s) is defined twice", s.Name, s.OID)
		}
		set := &tagSet{TagSet: s, values: map[valueKey]*value{}, lacvs: map[lacvKey]*value{}}
		if err := p.indexTags(set); err != nil {
			return fmt.Errorf("tag set %s: %w", s.Name, err)
		}
		p.sets[s.Name], p.setOIDs[s.OID] = set, set
	}
	return nil
}

func (p *Policy) indexTags(set *tagSet) error {
	names := map[string]bool{}
	for i := range set.Tags {
		t := &set.Tags[i]
		if !validText(t.Name) {
			return fmt.Errorf("a tag has no name")
		}
		if names[t.Name] {
			return fmt.Errorf("the tag %s is defined twice", t.Name)
		}
		names[t.Name] = true
		if t.Type == 0 {
			return fmt.Errorf("tag %s: its type is not known", t.Name)
		}
		if t.Min < 0 || t.Max < 0 || t.Max > 0 && t.Min > t.Max {
			return fmt.Errorf("tag %s: from %d to %d values cannot be met", t.Name, t.Min, t.Max)
		}
		for j := range t.Values {
			v := &value{&t.Values[j], set.TagSet, t}
			name := p.canon(v.Name)
			if !validText(name) {
				return fmt.Errorf("tag %s: a value has no name", t.Name)
			}
			byName := valueKey{t.Type, name}
			if set.values[byName] != nil {
				return fmt.Errorf("tag %s: the value %s is defined twice", t.Name, v.Name)
			}
			byLACV := lacvKey{t.Type, t.Enumerated, number(v.LACV)}
			if other := set.lacvs[byLACV]; other != nil {
				return fmt.Errorf("tag %s: the values %s and %s have one number, %s", t.Name, other.Name, v.Name, v.LACV)
			}
			set.values[byName], set.lacvs[byLACV] = v, v
		}
	}
	return nil
}

// checkValues resolves what values and classifications refer to.
func (p *Policy) checkValues() error {
	for i := range p.def.Classes {
		c := &p.def.Classes[i]
		if err := p.checkRequirements(c.Requires); err != nil {
			return fmt.Errorf("classification %s: %w", c.Name, err)
		}
	}
	for _, s := range p.def.Sets {
		for _, t := range s.Tags {
			for i := range t.Values {
				if err := p.checkValue(&t.Values[i]); err != nil {
					return fmt.Errorf("value %s of %s: %w", t.Values[i].Name, s.Name, err)
				}
			}
		}
	}
	return nil
}

func (p *Policy) checkValue(v *Value) error {
	for _, list := range []struct {
		what  string
		names []string
	}{{"excluded", v.ExcludedClasses}, {"required", v.RequiredClasses}} {
		seen := map[string]bool{}
		for _, name := range list.names {
			key := p.canon(name)
			if p.classes[key] == nil {
				return fmt.Errorf("the %s classification %q is not defined", list.what, name)
			}
			if seen[key] {
				return fmt.Errorf("duplicate %s classification %s", list.what, name)
			}
			seen[key] = true
		}
	}
	for _, name := range v.RequiredClasses {
		if slices.ContainsFunc(v.ExcludedClasses, func(x string) bool { return p.canon(x) == p.canon(name) }) {
			return fmt.Errorf("classification %s is both required and excluded", name)
		}
	}
	seen := map[Group]bool{}
	for _, g := range v.Excludes {
		if err := p.checkGroup(g); err != nil {
			return fmt.Errorf("excluded category: %w", err)
		}
		if seen[g] {
			return fmt.Errorf("duplicate excluded category in %s", g.Set)
		}
		seen[g] = true
	}
	if !v.NotBefore.IsZero() && !v.NotAfter.IsZero() && v.NotAfter.Before(v.NotBefore) {
		return fmt.Errorf("it ends before it begins")
	}
	return p.checkRequirements(v.Requires)
}

func (p *Policy) checkRequirements(rs []Requirement) error {
	for _, r := range rs {
		switch r.Operation {
		case "onlyOne", "oneOrMore", "all":
		default:
			return fmt.Errorf("required category: operation %q is not onlyOne, oneOrMore or all", r.Operation)
		}
		if len(r.Groups) == 0 {
			return fmt.Errorf("required category: it names no group")
		}
		for _, g := range r.Groups {
			if err := p.checkGroup(g); err != nil {
				return fmt.Errorf("required category: %w", err)
			}
		}
	}
	return nil
}

// checkGroup resolves a group within this policy. A group "any value of it"
// may name a type that the set does not have (the demonstration policies do);
// it is then never met.
func (p *Policy) checkGroup(g Group) error {
	set := p.set(g.Set)
	if set == nil {
		return fmt.Errorf("the tag set %q is not defined", g.Set)
	}
	if g.Type == 0 {
		return fmt.Errorf("a group of %s has no known type", g.Set)
	}
	if g.All {
		return nil
	}
	if set.lacvs[lacvKey{g.Type, g.Enumerated, number(g.LACV)}] == nil {
		return fmt.Errorf("the %s value number %q of %s is not defined", g.Type, g.LACV, g.Set)
	}
	return nil
}

// set finds a tag set by name or OID.
func (p *Policy) set(ref string) *tagSet {
	if s := p.sets[ref]; s != nil {
		return s
	}
	return p.setOIDs[ref]
}

// checkContext makes sure a policy with set semantics has the tags they are
// about, each with the type they need.
func (p *Policy) checkContext() error {
	if !p.context {
		return nil
	}
	for _, oid := range []string{natoContext, natoOnly, natoReleasable} {
		set := p.setOIDs[oid]
		if set == nil {
			return fmt.Errorf("the tag set %s is missing", oid)
		}
		for _, t := range set.Tags {
			if t.Type != Permissive {
				return fmt.Errorf("the tag set %s (%s) has to be permissive", set.Name, oid)
			}
		}
	}
	if p.setOIDs[natoContext].values[valueKey{Permissive, flagReleasable}] == nil {
		return fmt.Errorf("the Context value Releasable is missing")
	}
	return nil
}
