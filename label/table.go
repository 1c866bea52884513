package label

import (
	"fmt"
	"slices"
	"strings"
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
	Signed        time.Time // when; before it nothing was decided by the table
	Applied       string    // Encrypt, Decrypt or Both: where its alternatives admit readers; "" nowhere
	Classes       []ClassPair
	Values        []ValuePair
}

// ClassPair says that material classified From is handled as To, with the
// added values, which are restrictive: an added permissive value could be
// another audience.
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

// CheckTable says why a table cannot be used with these policies: an unknown
// name, a pair listed twice, a fan-out, a discarded value that decides, two
// conditions that would become one, an audience that would be added.
func (ps *Policies) CheckTable(t *Table) error {
	from, to := ps.byOID[t.From], ps.byOID[t.To]
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("table %s %s: %s", t.Name, t.Version, fmt.Sprintf(format, args...))
	}
	if from == nil || to == nil || from == to {
		return wrong("its policies are not both known, or are one")
	}
	if !slices.Contains([]string{"", Encrypt, Decrypt, Both}, t.Applied) {
		return wrong("applied %q is not %s, %s or %s", t.Applied, Encrypt, Decrypt, Both)
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
			switch {
			case to.find(v) == nil:
				return wrong("the added value %q is unknown", v.Value)
			case v.Type != Restrictive:
				return wrong("the added value %s is %s: it could be another audience; map an audience to it", v.Value, v.Type)
			}
		}
	}
	return ps.checkTableValues(t, wrong)
}

func (ps *Policies) checkTableValues(t *Table, wrong func(string, ...any) error) error {
	from, to := ps.byOID[t.From], ps.byOID[t.To]
	values := map[*value]bool{}
	targets := map[*value]*value{}
	conditions := map[any]any{} // of the target, the one it comes from
	for _, p := range t.Values {
		v := from.find(p.From)
		if v == nil || values[v] {
			return wrong("the value %q is unknown or has two entries", p.From.Value)
		}
		values[v] = true
		if p.From.Type != Informative && len(p.To) != 1 {
			return wrong("the %s value %s becomes %d values, not one", p.From.Type, p.From.Value, len(p.To))
		}
		if from.cutsDown(v) {
			return wrong("%s of %s cuts an audience down and has no counterpart: map what it leaves", v.Name, v.set.Name)
		}
		for _, x := range p.To {
			w := to.find(x)
			switch {
			case w == nil:
				return wrong("the value %q, which %s becomes, is unknown", x.Value, p.From.Value)
			case x.Type != p.From.Type:
				return wrong("the %s value %s becomes a %s one", p.From.Type, p.From.Value, x.Type)
			case to.cutsDown(w):
				return wrong("%s becomes %s of %s, which is no audience", p.From.Value, w.Name, w.set.Name)
			case x.Type != Permissive:
				continue
			}
			if other := targets[w]; other != nil && !from.oneAudience(other, v) {
				return wrong("%s and %s become one audience, %s: the readers of either would read the other's", other.Name, p.From.Value, x.Value)
			}
			targets[w] = v
			if other, ok := conditions[to.condition(w)]; ok && other != from.condition(v) {
				return wrong("%s joins another condition at %s: who meets either would read what asks for both", p.From.Value, x.Value)
			}
			conditions[to.condition(w)] = from.condition(v)
		}
	}
	return nil
}

// condition names the condition a permissive value is part of: its tag, or for
// the tags of the set semantics the one audience.
func (p *Policy) condition(v *value) any {
	if p.inContext(v.set) {
		return p
	}
	return v.tag
}

// cutsDown says whether a value of the set semantics is no audience of its
// own: Only, and the flag Releasable.
func (p *Policy) cutsDown(v *value) bool {
	return p.inContext(v.set) && (v.set.OID == natoOnly || v.set.OID == natoContext && p.canon(v.Name) == flagReleasable)
}

// oneAudience says whether two values of the set semantics name the same
// nations: a context and the releasability value of that name.
func (p *Policy) oneAudience(a, b *value) bool {
	return p.inContext(a.set) && p.inContext(b.set) && p.canon(a.Name) == p.canon(b.Name)
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
		if t.from.inContext(v.set) {
			continue
		}
		to, ok := t.counterpart(table, v)
		if !ok {
			if v.tag.Type == Informative {
				continue
			}
			return fmt.Errorf("the %s value %s of %s has no counterpart", v.tag.Type, v.Name, v.set.Name)
		}
		for _, w := range to {
			if err := t.addFound(t.to.find(w), v.epoch); err != nil {
				return err
			}
		}
	}
	if t.from.context {
		if err := t.audience(table, c); err != nil {
			return err
		}
	}
	if t.to.context {
		return t.context()
	}
	return nil
}

func (t *translation) counterpart(table *Table, v chosenValue) ([]TableValue, bool) {
	i := slices.IndexFunc(table.Values, func(p ValuePair) bool { return t.from.find(p.From) == v.value })
	if i < 0 {
		return nil, false
	}
	return table.Values[i].To, true
}

// audience translates the set semantics of context, Only and Releasable To.
// The readers are the members of the context, cut down by Only, together with
// the addressees; the alternative names those of them that have a counterpart.
// Who has none is left out, which makes it narrower; members that Only cuts
// down are left out too.
func (t *translation) audience(table *Table, c *chosen) error {
	own := c.contextNames()
	cut := slices.ContainsFunc(c.present, func(s presentSet) bool { return s.set.OID == natoOnly })
	found := false
	for _, v := range c.values {
		addressee := v.set.OID == natoReleasable && !slices.Contains(own, t.from.canon(v.Name))
		member := v.set.OID == natoContext && !cut
		to, ok := t.counterpart(table, v)
		if !ok || !addressee && !member {
			continue
		}
		found = true
		if err := t.addFound(t.to.find(to[0]), v.epoch); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("none of its readers has a counterpart")
	}
	return nil
}

// context completes a label of the set semantics that has addressees: the flag
// Releasable, and the context's own name among them. Neither admits anybody.
func (t *translation) context() error {
	at := func(oid string) int {
		return slices.IndexFunc(t.out.Categories, func(c Category) bool { return c.TagOID == oid })
	}
	context, to := at(natoContext), at(natoReleasable)
	if to < 0 {
		return nil
	}
	if context < 0 {
		return fmt.Errorf("its addressees stand in no context: the members of one would read it too")
	}
	own, _, _ := strings.Cut(t.out.Categories[context].Values[0], "@")
	if !slices.Contains(t.out.Categories[to].Values, own) {
		if t.to.find(TableValue{natoReleasable, Permissive, own}) == nil {
			return fmt.Errorf("the context %s has no releasability value of its name", own)
		}
		t.out.Categories[to].Values = append([]string{own}, t.out.Categories[to].Values...)
	}
	flag := t.to.setOIDs[natoContext].values[valueKey{Permissive, flagReleasable}]
	return t.addFound(flag, "")
}

func (t *translation) addFound(v *value, epoch string) error {
	return t.add(v.set.OID, v.tag.Type, v.tag.Enumerated, v.LACV, epoch)
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
