package label

import (
	"fmt"
	"slices"
)

// The directions a translation applies in: leaving this policy (encrypt),
// arriving in it (decrypt), or both.
const (
	Encrypt = "encrypt"
	Decrypt = "decrypt"
	Both    = "both"
)

// EquivalentPolicy is a policy this one can be translated to or from, with
// categories that the translation adds.
type EquivalentPolicy struct {
	Name, OID string
	Requires  []Requirement
}

// EquivalentClass says which classification of another policy corresponds.
type EquivalentClass struct {
	Policy   string // name in EquivalentPolicy
	LACV     string
	Applied  string
	Requires []Requirement
}

// EquivalentValue says which value of another policy corresponds.
type EquivalentValue struct {
	Policy, SetOID string
	Type           Type
	Enumerated     bool
	LACV           string
	Applied        string
	Action         string // "" or "discard"
}

// checkEquals resolves the policies that equivalences refer to.
func (p *Policy) checkEquals() error {
	known := map[string]bool{}
	for _, e := range p.def.Equals {
		if !IsOID(e.OID) || known[e.Name] {
			return fmt.Errorf("the equivalent policy %s has no OID of its own or is listed twice", e.Name)
		}
		known[e.Name] = true
	}
	applied := []string{Encrypt, Decrypt, Both}
	for _, c := range p.def.Classes {
		for _, e := range c.Equals {
			if !known[e.Policy] || !slices.Contains(applied, e.Applied) {
				return fmt.Errorf("classification %s: its equivalent in %q is not usable: the policy is not listed or applied=%q", c.Name, e.Policy, e.Applied)
			}
		}
	}
	for _, s := range p.def.Sets {
		for _, t := range s.Tags {
			for _, v := range t.Values {
				for _, e := range v.Equals {
					switch {
					case !known[e.Policy] || !slices.Contains(applied, e.Applied):
						return fmt.Errorf("value %s of %s: its equivalent in %q is not usable: the policy is not listed or applied=%q", v.Name, s.Name, e.Policy, e.Applied)
					case e.Action != "" && e.Action != "discard":
						return fmt.Errorf("value %s of %s: action %q is not discard", v.Name, s.Name, e.Action)
					case e.Action == "discard" && t.Type != Informative:
						return fmt.Errorf("value %s of %s: a %s value must not be translated by discarding it", v.Name, s.Name, t.Type)
					}
				}
			}
		}
	}
	return nil
}

// Translate gives the label in the words of another policy, as the label's own
// policy states for data that leaves it (applied encrypt or both). The result
// is an alternative label: it goes beside the originator's and never replaces
// it. Whatever has no counterpart is refused, except an informative value that
// the policy says to discard. The result is checked against its policy; that
// it admits no new reader is for Widens to say.
func (ps *Policies) Translate(l *Label, toOID string) (*Label, error) {
	c, err := ps.read(l)
	if err != nil {
		return nil, fmt.Errorf("translate label: %w", err)
	}
	if err := firstProblem(ps.check(c, false)); err != nil {
		return nil, fmt.Errorf("translate label: %w", err)
	}
	to, ok := ps.byOID[toOID]
	if !ok {
		return nil, fmt.Errorf("translate label: unknown policy id: %s", toOID)
	}
	t := translation{ps: ps, from: c.policy, to: to, out: &Label{
		PolicyName: to.Name(), PolicyOID: toOID, Created: l.Created, CreatedNoZone: l.CreatedNoZone, Review: l.Review,
	}}
	if err := t.run(c); err != nil {
		return nil, fmt.Errorf("translate label from %s to %s: %w", c.policy.Name(), to.Name(), err)
	}
	got, err := ps.read(t.out)
	if err == nil {
		err = firstProblem(ps.check(got, true))
	}
	if err != nil {
		return nil, fmt.Errorf("translate label from %s to %s: the result is not allowed there: %w", c.policy.Name(), to.Name(), err)
	}
	return t.out, nil
}

type translation struct {
	ps       *Policies
	from, to *Policy
	out      *Label
}

// names says whether a reference of the source policy means the target: by
// OID, since names in the public policies disagree.
func (t *translation) names(ref string) bool {
	for _, e := range t.from.def.Equals {
		if e.Name == ref && e.OID == t.to.def.OID {
			return true
		}
	}
	return false
}

func (t *translation) run(c *chosen) error {
	i := slices.IndexFunc(t.from.def.Equals, func(e EquivalentPolicy) bool { return e.OID == t.to.def.OID })
	if i < 0 {
		return fmt.Errorf("the policy states no equivalence")
	}
	if err := t.class(c); err != nil {
		return err
	}
	for _, v := range c.values {
		if err := t.value(v); err != nil {
			return err
		}
	}
	for _, s := range c.present {
		if s.n == 0 && s.typ == Permissive {
			return fmt.Errorf("an empty permissive category has no counterpart")
		}
	}
	return t.require(t.from.def.Equals[i].Requires)
}

func (t *translation) class(c *chosen) error {
	for _, e := range c.class.Equals {
		if !t.names(e.Policy) || e.Applied == Decrypt {
			continue
		}
		class := t.to.classLV[number(e.LACV)]
		if class == nil {
			return fmt.Errorf("the classification number %s does not exist there", e.LACV)
		}
		if t.out.Classification != "" {
			return fmt.Errorf("the classification %s has two counterparts", c.class.Name)
		}
		t.out.Classification = class.Name
		if err := t.require(e.Requires); err != nil {
			return err
		}
	}
	if t.out.Classification == "" {
		return fmt.Errorf("the classification %s has no counterpart", c.class.Name)
	}
	return nil
}

func (t *translation) value(v chosenValue) error {
	found := false
	for _, e := range v.Equals {
		if !t.names(e.Policy) || e.Applied == Decrypt {
			continue
		}
		found = true
		if e.Action == "discard" {
			continue
		}
		if err := t.add(e.SetOID, e.Type, e.Enumerated, e.LACV, v.epoch); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("the %s value %s of %s has no counterpart", v.tag.Type, v.Name, v.set.Name)
	}
	return nil
}

// require adds the values a translation demands. Only a definite demand can be
// met; a choice needs a person.
func (t *translation) require(rs []Requirement) error {
	for _, r := range rs {
		if r.Operation != "all" && len(r.Groups) > 1 {
			return fmt.Errorf("the translation leaves a choice (%s) to a person", r.Operation)
		}
		for _, g := range r.Groups {
			set := t.to.set(g.Set)
			if g.All || set == nil {
				return fmt.Errorf("the translation leaves the value of %s to a person", g.Set)
			}
			if err := t.add(set.OID, g.Type, g.Enumerated, g.LACV, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *translation) add(setOID string, typ Type, enumerated bool, lacv, epoch string) error {
	set := t.to.setOIDs[setOID]
	if set == nil {
		return fmt.Errorf("the tag set %s does not exist there", setOID)
	}
	v := set.lacvs[lacvKey{typ, enumerated, number(lacv)}]
	if v == nil {
		return fmt.Errorf("the %s value number %s of %s does not exist there", typ, lacv, set.Name)
	}
	name := v.Name
	if epoch != "" {
		if _, ok := t.ps.groups.Lookup(v.Name); ok {
			name += "@" + epoch
		}
	}
	for i := range t.out.Categories {
		if c := &t.out.Categories[i]; c.TagOID == setOID && c.Type == typ {
			if !slices.Contains(c.Values, name) {
				c.Values = append(c.Values, name)
			}
			return nil
		}
	}
	t.out.Categories = append(t.out.Categories, Category{Type: typ, TagName: set.Name, TagOID: setOID, Values: []string{name}})
	return nil
}
