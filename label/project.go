package label

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrNotOneLabel is wrapped when a join cannot be written as one label without
// admitting more or fewer readers. Keep the sources' labels side by side then.
var ErrNotOneLabel = errors.New("no single label says exactly this")

// Single writes the join of labels as one label whose rule equals the join's,
// created at the given time. It refuses rather than say anything else: a label
// that would widen is never written, nor one that narrows.
func (ps *Policies) Single(created time.Time, sources ...*Label) (*Label, error) {
	rules := make([]Rule, len(sources))
	read := make([]*chosen, len(sources))
	for i, l := range sources {
		r, err := ps.Rule(l)
		if err != nil {
			return nil, fmt.Errorf("join labels: label %d: %w", i+1, err)
		}
		if read[i], err = ps.read(l); err != nil {
			return nil, fmt.Errorf("join labels: label %d: %w", i+1, err)
		}
		rules[i] = r
	}
	join, err := Join(rules...)
	if err != nil {
		return nil, err
	}
	p := projection{ps: ps, join: join, created: created}
	for _, c := range read {
		if c.policy != read[0].policy {
			return nil, fmt.Errorf("%w: the labels are of two policies, %s and %s", ErrNotOneLabel, read[0].policy.Name(), c.policy.Name())
		}
	}
	for _, informative := range []bool{true, false} {
		for _, c := range read {
			if l := p.candidate(read, c, informative); p.exact(l) {
				return l, nil
			}
		}
	}
	for i, l := range sources {
		if rules[i].Equal(join) {
			return l, nil
		}
	}
	return nil, p.refusal(read)
}

// projection looks for the label of a rule.
type projection struct {
	ps      *Policies
	join    Rule
	created time.Time
}

// exact says whether a candidate may be created and says exactly the join.
func (p *projection) exact(l *Label) bool {
	if len(p.ps.Validate(l)) > 0 {
		return false
	}
	r, err := p.ps.Rule(l)
	return err == nil && r.Equal(p.join)
}

// candidate collects the atoms of the join into one label: its classification
// and context from one source, every category value that a clause of the join
// names, and for display the informative values of all sources.
func (p *projection) candidate(read []*chosen, from *chosen, informative bool) *Label {
	pol := from.policy
	inJoin := map[atom]bool{}
	for _, c := range p.join.clauses {
		for _, a := range c {
			inJoin[a] = true
		}
	}
	l := &Label{PolicyName: pol.Name(), PolicyOID: pol.OID(), Classification: from.class.Name, Created: p.created}
	p.dates(l, read)
	if l.Originator, l.IDType = sameOriginator(read); l.Originator == "" {
		l.IDType = ""
	}
	for _, c := range read {
		for _, v := range c.values {
			keep := false
			switch a, err := pol.atom(v.value, v.epoch); {
			case v.tag.Type == Informative:
				keep = informative
			case pol.context && v.set.OID == natoContext && pol.canon(v.Name) != flagReleasable:
				keep = c == from
			case err == nil:
				keep = inJoin[a]
			}
			if keep {
				p.addValue(l, v)
			}
		}
	}
	if pol.context {
		p.addContextName(l, from)
	}
	slices.SortStableFunc(l.Categories, func(a, b Category) int { return pol.setIndex(a.TagOID) - pol.setIndex(b.TagOID) })
	return l
}

func (p *Policy) setIndex(oid string) int {
	return slices.IndexFunc(p.def.Sets, func(s TagSet) bool { return s.OID == oid })
}

// addContextName puts the context's own value into Releasable To, which the
// clauses leave out and the policy demands.
func (p *projection) addContextName(l *Label, from *chosen) {
	if !slices.ContainsFunc(l.Categories, func(c Category) bool { return c.TagOID == natoReleasable }) {
		return
	}
	names := from.contextNames()
	for _, v := range from.values {
		if v.set.OID == natoReleasable && slices.Contains(names, from.policy.canon(v.Name)) {
			p.addValue(l, v)
		}
	}
}

// addValue adds a value, with its epoch where the label's date would give
// another.
func (p *projection) addValue(l *Label, v chosenValue) {
	name := v.Name
	if v.epoch != "" {
		group, _ := p.ps.groups.Lookup(v.Name)
		if e, ok := group.At(p.created); !ok || e.Name != v.epoch {
			name += "@" + v.epoch
		}
	}
	for i := range l.Categories {
		if c := &l.Categories[i]; c.TagOID == v.set.OID && c.Type == v.tag.Type {
			if !slices.Contains(c.Values, name) {
				c.Values = append(c.Values, name)
			}
			return
		}
	}
	l.Categories = append(l.Categories, Category{Type: v.tag.Type, TagName: v.set.Name, TagOID: v.set.OID, Values: []string{name}})
}

// dates sets the earliest review of the sources; a succession is not carried
// over, so its date becomes a review.
func (p *projection) dates(l *Label, read []*chosen) {
	earliest := func(t time.Time) {
		if !t.IsZero() && (l.Review.IsZero() || t.Before(l.Review)) {
			l.Review = t
		}
	}
	for _, c := range read {
		earliest(c.label.Review)
		if s := c.label.Successor; s != nil {
			earliest(s.At)
		}
	}
	if l.Review.IsZero() {
		l.Review = p.created
	}
}

func sameOriginator(read []*chosen) (id, typ string) {
	id, typ = read[0].label.Originator, read[0].label.IDType
	for _, c := range read {
		if c.label.Originator != id || c.label.IDType != typ {
			return "", ""
		}
	}
	return id, typ
}

// refusal says why, as far as it can be told.
func (p *projection) refusal(read []*chosen) error {
	var classes []string
	for _, c := range p.join.Clauses() {
		if len(c) != 1 {
			continue
		}
		if a, err := parseParts(c[0]); err == nil && a.tag == classTag {
			classes = append(classes, a.value)
		}
	}
	if len(classes) > 1 {
		return fmt.Errorf("%w: readers need %d classifications, %v, and a label names one", ErrNotOneLabel, len(classes), classes)
	}
	if p.join.Nobody() {
		return fmt.Errorf("%w: together they admit nobody", ErrNotOneLabel)
	}
	for _, c := range read {
		if problems := p.ps.Validate(p.candidate(read, c, false)); len(problems) > 0 {
			return fmt.Errorf("%w: %w", ErrNotOneLabel, problems[0])
		}
	}
	return fmt.Errorf("%w: the audiences of the sources are kept as separate conditions, which one label cannot carry", ErrNotOneLabel)
}
