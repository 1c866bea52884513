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
		if !isOID(e.OID) || known[e.Name] {
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
