package label

import (
	"fmt"
	"slices"
	"time"
)

// Table is an agreed equivalence from one policy to another, in one direction:
// the other direction is another table, since agreeing that SECRET of A is
// handled as B says nothing about the way back. It is dated data; each use
// records its version.
type Table struct {
	Name, Version string
	From, To      string    // OIDs of the policies
	ValidFrom     time.Time // first moment
	ValidTo       time.Time // first moment after; zero: in force
	Source        string    // agreement or act it rests on
	Signer        string    // security authority that signed it; "" is assumed, and translates nothing
	Classes       []ClassPair
	Values        []ValuePair
}

// ClassPair says that material classified From is handled as To, with the
// added values.
type ClassPair struct {
	From, To string
	Add      []TableValue
}

// ValuePair says what one value becomes. An informative value may become
// nothing; a restrictive or permissive one becomes exactly one value of its own
// type, since several of a permissive tag would be more readers.
type ValuePair struct {
	From TableValue
	To   []TableValue
}

// TableValue is a value of a tag set.
type TableValue struct {
	SetOID string
	Type   Type
	Value  string
}

// Check says why a table cannot be used with these policies: an unknown name, a
// pair listed twice, a fan-out or a discarded value that decides.
func (ps *Policies) CheckTable(t *Table) error {
	from, to := ps.byOID[t.From], ps.byOID[t.To]
	if from == nil || to == nil || from == to {
		return fmt.Errorf("table %s %s: its policies are not both known, or are one", t.Name, t.Version)
	}
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("table %s %s: %s", t.Name, t.Version, fmt.Sprintf(format, args...))
	}
	seen := map[string]bool{}
	for _, c := range t.Classes {
		if from.classes[from.canon(c.From)] == nil || to.classes[to.canon(c.To)] == nil {
			return wrong("the pair of %q and %q names an unknown classification", c.From, c.To)
		}
		if seen[from.canon(c.From)] {
			return wrong("the classification %s has two counterparts", c.From)
		}
		seen[from.canon(c.From)] = true
		for _, v := range c.Add {
			if to.find(v) == nil {
				return wrong("the added value %q is unknown", v.Value)
			}
		}
	}
	values := map[*value]bool{}
	targets := map[*value]string{}
	for _, p := range t.Values {
		v := from.find(p.From)
		if v == nil || values[v] {
			return wrong("the value %q is unknown or has two entries", p.From.Value)
		}
		values[v] = true
		if p.From.Type != Informative && len(p.To) != 1 {
			return wrong("the %s value %s becomes %d values, not one", p.From.Type, p.From.Value, len(p.To))
		}
		for _, x := range p.To {
			w := to.find(x)
			if w == nil {
				return wrong("the value %q, which %s becomes, is unknown", x.Value, p.From.Value)
			}
			if x.Type != p.From.Type {
				return wrong("the %s value %s becomes a %s one", p.From.Type, p.From.Value, x.Type)
			}
			if other, taken := targets[w]; taken && x.Type == Permissive {
				return wrong("%s and %s become one audience, %s: the readers of either would read the other's", other, p.From.Value, x.Value)
			}
			targets[w] = p.From.Value
		}
	}
	return nil
}

// find gives the value a table names.
func (p *Policy) find(v TableValue) *value {
	set := p.setOIDs[v.SetOID]
	if set == nil {
		return nil
	}
	return set.values[valueKey{v.Type, p.canon(v.Value)}]
}

// TranslateBy gives the label in the words of the table's other policy, as an
// alternative label; the originator's stays beside it. A table that nobody
// signed, or that is not in force at that time, translates nothing, and so
// does one without an entry for a value that decides.
func (ps *Policies) TranslateBy(t *Table, l *Label, at time.Time) (*Label, error) {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("translate by table %s %s: %w", t.Name, t.Version, fmt.Errorf(format, args...))
	}
	switch {
	case t.Signer == "":
		return nil, wrong("it is assumed: no security authority signed it")
	case at.IsZero() || at.Before(t.ValidFrom) || !t.ValidTo.IsZero() && !at.Before(t.ValidTo):
		return nil, wrong("it is not in force")
	}
	if err := ps.CheckTable(t); err != nil {
		return nil, err
	}
	c, err := ps.read(l)
	if err == nil {
		err = firstProblem(ps.check(c, false))
	}
	if err != nil {
		return nil, wrong("%w", err)
	}
	if c.policy.def.OID != t.From {
		return nil, wrong("the label is of policy %s", c.policy.Name())
	}
	tr := translation{ps: ps, from: c.policy, to: ps.byOID[t.To], out: &Label{
		PolicyName: ps.byOID[t.To].Name(), PolicyOID: t.To, Created: l.Created, CreatedNoZone: l.CreatedNoZone, Review: l.Review,
	}}
	if err := tr.byTable(t, c); err != nil {
		return nil, wrong("%w", err)
	}
	got, err := ps.read(tr.out)
	if err == nil {
		err = firstProblem(ps.check(got, true))
	}
	if err != nil {
		return nil, wrong("the result is not allowed there: %w", err)
	}
	return tr.out, nil
}

func (t *translation) byTable(table *Table, c *chosen) error {
	i := slices.IndexFunc(table.Classes, func(p ClassPair) bool { return t.from.canon(p.From) == t.from.canon(c.class.Name) })
	if i < 0 {
		return fmt.Errorf("the classification %s has no counterpart", c.class.Name)
	}
	pair := table.Classes[i]
	t.out.Classification = t.to.classes[t.to.canon(pair.To)].Name
	for _, v := range pair.Add {
		if err := t.addFound(t.to.find(v), ""); err != nil {
			return err
		}
	}
	for _, s := range c.present {
		if s.n == 0 && s.typ == Permissive {
			return fmt.Errorf("an empty permissive category has no counterpart")
		}
	}
	for _, v := range c.values {
		j := slices.IndexFunc(table.Values, func(p ValuePair) bool { return t.from.find(p.From) == v.value })
		if j < 0 {
			if v.tag.Type == Informative {
				continue
			}
			return fmt.Errorf("the %s value %s of %s has no counterpart", v.tag.Type, v.Name, v.set.Name)
		}
		for _, to := range table.Values[j].To {
			if err := t.addFound(t.to.find(to), v.epoch); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *translation) addFound(v *value, epoch string) error {
	return t.add(v.set.OID, v.tag.Type, v.tag.Enumerated, v.LACV, epoch)
}

// Alternative is a translation that came with a label, and who signed it.
type Alternative struct {
	Label  *Label
	Signer string
}

// Deciding gives the label that decides here: the originator's when its policy
// is among own, else the one alternative of an own policy whose signer may
// translate. Otherwise nothing decides, and the caller denies.
func (ps *Policies) Deciding(original *Label, alternatives []Alternative, own, translators []string) (*Label, error) {
	p, err := ps.resolve(original.PolicyName, original.PolicyOID)
	if err == nil && slices.Contains(own, p.OID()) {
		return original, nil
	}
	var found *Label
	for _, a := range alternatives {
		p, err := ps.resolve(a.Label.PolicyName, a.Label.PolicyOID)
		if err != nil || !slices.Contains(own, p.OID()) || a.Signer == "" || !slices.Contains(translators, a.Signer) {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("two alternative labels could decide")
		}
		found = a.Label
	}
	if found == nil {
		return nil, fmt.Errorf("no label of a policy of this node, signed by one who may translate")
	}
	return found, nil
}

// FanOut lists where the equivalences a policy states for data that leaves it
// would add readers: a permissive value with several counterparts in one set,
// and several values with one counterpart. The public demonstration policies
// have both (EU becomes UK or EU). Translate follows such a policy; a node
// refuses to load one that this names.
func (p *Policy) FanOut() []Problem {
	var out []Problem
	type target struct{ policy, set, lacv string }
	taken := map[target]string{}
	for _, s := range p.def.Sets {
		for _, t := range s.Tags {
			if t.Type != Permissive {
				continue
			}
			for _, v := range t.Values {
				sets := map[target]int{}
				for _, e := range v.Equals {
					if e.Applied == Decrypt {
						continue
					}
					if sets[target{e.Policy, e.SetOID, ""}]++; sets[target{e.Policy, e.SetOID, ""}] == 2 {
						out = append(out, Problem{"fan-out", fmt.Sprintf("the value %s of %s becomes several audiences in %s", v.Name, s.Name, e.Policy)})
					}
					to := target{e.Policy, e.SetOID, number(e.LACV)}
					if other, ok := taken[to]; ok && other != v.Name {
						out = append(out, Problem{"fan-in", fmt.Sprintf("the values %s and %s of %s become one audience in %s", other, v.Name, s.Name, e.Policy)})
					}
					taken[to] = v.Name
				}
			}
		}
	}
	return out
}
