package desk

import (
	"fmt"
	"strings"
	"time"

	"causeway/label"
)

// LabelForm is a label as a person chooses it, in the policy's own words.
type LabelForm struct {
	PolicyOID      string
	Classification string
	Values         map[string][]string // tag set name to the values chosen
}

// Label makes the label of a form, dated now, and checks it against the
// policy's validity rules. The error names the rule that is broken.
func (d *Desk) Label(f LabelForm) (*label.Label, error) {
	ps := d.Policies()
	p, ok := ps.Policy(f.PolicyOID)
	if !ok {
		return nil, fmt.Errorf("policy %q is not loaded on this node", f.PolicyOID)
	}
	now := d.Now().UTC().Truncate(time.Second)
	l := &label.Label{
		PolicyName: p.Name(), PolicyOID: p.OID(), Classification: f.Classification,
		Created: now, Review: now.AddDate(5, 0, 0),
		Originator: "urn:uuid:" + strings.TrimPrefix(d.Identity, "identity--"), IDType: "uniformResourceIdentifier",
	}
	for _, set := range p.TagSets() {
		chosen := f.Values[set.Name]
		for _, tag := range set.Tags {
			c := label.Category{Type: tag.Type, TagName: set.Name, TagOID: set.OID}
			for _, v := range tag.Values {
				for _, want := range chosen {
					if v.Name == want {
						c.Values = append(c.Values, v.Name)
					}
				}
			}
			if len(c.Values) > 0 {
				l.Categories = append(l.Categories, c)
			}
		}
	}
	for name, values := range f.Values {
		for _, v := range values {
			if !chosenIn(l, name, v) {
				return nil, fmt.Errorf("policy %s has no value %q in %q", p.Name(), v, name)
			}
		}
	}
	if _, err := ps.Rule(l); err != nil {
		return nil, fmt.Errorf("this label is not valid: %w", err)
	}
	return l, nil
}

func chosenIn(l *label.Label, set, value string) bool {
	for _, c := range l.Categories {
		if c.TagName != set {
			continue
		}
		for _, v := range c.Values {
			if v == value {
				return true
			}
		}
	}
	return false
}
