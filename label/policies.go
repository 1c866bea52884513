package label

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Policies is the set of policies a node understands, by OID, with the dated
// groups and audiences their values name. It is immutable; a change makes a
// new one.
type Policies struct {
	byOID  map[string]*Policy
	groups Groups
	tlp    Audience
	briefs map[briefKey]bool

	translations Translations
}

// NewPolicies makes a set of policies. Two of one OID, or of one name, are
// refused.
func NewPolicies(groups Groups, ps ...*Policy) (*Policies, error) {
	out := &Policies{byOID: make(map[string]*Policy, len(ps)), groups: groups}
	names := map[string]string{}
	for _, p := range ps {
		if p == nil {
			return nil, fmt.Errorf("collect policies: one is missing")
		}
		if out.byOID[p.OID()] != nil {
			return nil, fmt.Errorf("collect policies: two have the id %s", p.OID())
		}
		name := foldASCII(p.Name())
		if other, ok := names[name]; ok {
			return nil, fmt.Errorf("collect policies: %s and %s have one name, %s", other, p.OID(), p.Name())
		}
		out.byOID[p.OID()], names[name] = p, p.OID()
	}
	return out, nil
}

// Groups gives the table of dated groups.
func (ps *Policies) Groups() Groups { return ps.groups }

// All lists the policies by name.
func (ps *Policies) All() []*Policy {
	out := make([]*Policy, 0, len(ps.byOID))
	for _, p := range ps.byOID {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *Policy) int { return strings.Compare(a.Name(), b.Name()) })
	return out
}

// Policy finds a policy by OID.
func (ps *Policies) Policy(oid string) (*Policy, bool) {
	p, ok := ps.byOID[oid]
	return p, ok
}

// resolve finds the policy of a label or clearance: by OID, since names
// collide; by name only where no OID is written. A name that belongs to
// another known policy contradicts the OID and is refused.
func (ps *Policies) resolve(name, oid string) (*Policy, error) {
	var named *Policy
	for _, p := range ps.byOID {
		if p.canon(name) == p.canon(p.Name()) {
			named = p
		}
	}
	if oid == "" {
		if named == nil {
			return nil, fmt.Errorf("unknown policy %q", name)
		}
		return named, nil
	}
	p, ok := ps.byOID[oid]
	if !ok {
		return nil, fmt.Errorf("unknown policy id: %s", oid)
	}
	if named != nil && named != p {
		return nil, fmt.Errorf("the policy id %s is that of %s, but the name is that of %s", oid, p.Name(), named.Name())
	}
	return p, nil
}

// chosen is a label read by its policy: every name resolved.
type chosen struct {
	policy  *Policy
	class   *Class
	values  []chosenValue
	present []presentSet // categories as written, also empty ones
	label   *Label
}

type chosenValue struct {
	*value
	epoch string // name of the epoch of a dated group; "" for a plain value
}

type presentSet struct {
	set *TagSet
	typ Type
	n   int
}

// Rule compiles a label to the rule of who may read. An error means that the
// label is not understood or not allowed by its policy; the caller denies.
func (ps *Policies) Rule(l *Label) (Rule, error) {
	c, err := ps.read(l)
	if err != nil {
		return Rule{}, fmt.Errorf("read label: %w", err)
	}
	if err := firstProblem(ps.check(c, false)); err != nil {
		return Rule{}, fmt.Errorf("read label: %w", err)
	}
	if colour, ok := c.tlpColour(); ok {
		return ps.TLP(colour)
	}
	clauses, err := ps.clauses(c)
	if err != nil {
		return Rule{}, fmt.Errorf("read label: %w", err)
	}
	r, err := newRule(clauses)
	if err != nil {
		return Rule{}, fmt.Errorf("read label: %w", err)
	}
	return r, nil
}

// read resolves every name of a label. What it cannot resolve is an error.
func (ps *Policies) read(l *Label) (*chosen, error) {
	if l == nil {
		return nil, fmt.Errorf("there is no label")
	}
	p, err := ps.resolve(l.PolicyName, l.PolicyOID)
	if err != nil {
		return nil, err
	}
	c := &chosen{policy: p, class: p.classes[p.canon(l.Classification)], label: l}
	if c.class == nil {
		return nil, fmt.Errorf("unknown classification %q in policy %s", l.Classification, p.Name())
	}
	if l.PrivacyMark != "" && l.PrivacyMark != "CLEAR" {
		return nil, fmt.Errorf("the privacy mark %q is not CLEAR", l.PrivacyMark)
	}
	for _, cat := range l.Categories {
		if err := ps.readCategory(c, cat); err != nil {
			return nil, fmt.Errorf("policy %s: %w", p.Name(), err)
		}
	}
	return c, nil
}

func (ps *Policies) readCategory(c *chosen, cat Category) error {
	set, err := c.policy.resolveSet(cat)
	if err != nil {
		return err
	}
	for _, s := range c.present {
		if s.set == set.TagSet && s.typ == cat.Type {
			return fmt.Errorf("the %s category %s is there twice", cat.Type, set.Name)
		}
	}
	seen := map[string]bool{}
	for _, name := range cat.Values {
		v, err := ps.resolveValue(c, set, cat.Type, name)
		if err != nil {
			return err
		}
		key := v.Name + "@" + v.epoch
		if seen[key] {
			return fmt.Errorf("the value %s of %s is there twice", v.Name, set.Name)
		}
		seen[key] = true
		c.values = append(c.values, v)
	}
	c.present = append(c.present, presentSet{set.TagSet, cat.Type, len(cat.Values)})
	return nil
}

// resolveSet finds the tag set of a category; OID and name have to agree, and
// the set needs a tag of the category's type.
func (p *Policy) resolveSet(cat Category) (*tagSet, error) {
	set := p.sets[cat.TagName]
	if set == nil {
		return nil, fmt.Errorf("unknown tag %q", cat.TagName)
	}
	if cat.TagOID != "" && cat.TagOID != set.OID {
		return nil, fmt.Errorf("the tag %s has the id %s, not %s", set.Name, set.OID, cat.TagOID)
	}
	for _, t := range set.Tags {
		if t.Type == cat.Type {
			return set, nil
		}
	}
	return nil, fmt.Errorf("the tag %s has no %s values", set.Name, cat.Type)
}

// resolveValue finds a value and, for a dated group, the epoch it means: the
// one written after "@", else the one in force when the label was made.
func (ps *Policies) resolveValue(c *chosen, set *tagSet, typ Type, name string) (chosenValue, error) {
	p := c.policy
	v := set.values[valueKey{typ, p.canon(name)}]
	epoch := ""
	if v == nil {
		if base, e, dated := strings.Cut(name, "@"); dated {
			v, epoch = set.values[valueKey{typ, p.canon(base)}], e
		}
	}
	if v == nil {
		return chosenValue{}, fmt.Errorf("unknown %s value %q of %s", typ, name, set.Name)
	}
	group, isGroup := ps.groups.Lookup(v.Name)
	switch {
	case typ != Permissive || !isGroup:
		if epoch != "" {
			return chosenValue{}, fmt.Errorf("the value %q of %s names an epoch, but %s is no dated group here", name, set.Name, v.Name)
		}
		return chosenValue{v, ""}, nil
	case epoch != "":
		if _, ok := group.Named(epoch); !ok {
			return chosenValue{}, fmt.Errorf("group %s has no epoch %q", group.Name, epoch)
		}
		return chosenValue{v, epoch}, nil
	}
	e, ok := group.At(c.label.Created)
	if ok && c.label.CreatedNoZone {
		early, ok1 := group.At(c.label.Created.Add(-zoneDoubt))
		late, ok2 := group.At(c.label.Created.Add(zoneDoubt))
		ok = ok1 && ok2 && early.Name == e.Name && late.Name == e.Name
	}
	if !ok {
		return chosenValue{}, fmt.Errorf("group %s has no membership that was certainly in force when the label was made", group.Name)
	}
	return chosenValue{v, e.Name}, nil
}

// zoneDoubt is how far a time without zone may be off UTC.
const zoneDoubt = 14 * time.Hour

// atom gives the atom of a chosen value.
func (p *Policy) atom(v *value, epoch string) (atom, error) {
	return intern(parts{p.def.OID, v.set.OID + ":" + v.tag.Name, p.canon(v.Name), epoch}.text())
}

func (p *Policy) classAtom(c *Class) (atom, error) {
	return intern(parts{p.def.OID, classTag, p.canon(c.Name), ""}.text())
}
