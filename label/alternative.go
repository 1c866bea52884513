package label

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// An alternative label is a translation that stands beside the originator's
// label. It admits a reader only where the originator's policy is not the
// reader's (reference/labels.md section 7):
//
//	read = originator's label
//	       or  the reader never had a clearance of its policy
//	           and  the table and the translator are in force here
//	           and  the alternative label
//
// "Never had a clearance" and "in force" are atoms, so the whole is one rule in
// the form of every other, decided in the same few loads, and a table that ends
// takes its readers away at once without a stored rule being touched.

// Authority is by what an alternative label decides: a table of a translator,
// as long as this node lets it.
type Authority struct {
	Translator string    // node id
	Table      string    // name@version
	Leaving    bool      // it admits partners, to whom the label leaves this node
	Arriving   bool      // it admits readers of this node, where the label arrives
	From       time.Time // first moment; zero: never
	Until      time.Time // first moment after; zero: no end
}

func (a Authority) atom() (atom, error) {
	if !validText(a.Translator) || !validText(a.Table) {
		return 0, fmt.Errorf("authority %q of %q: translator and table have to be text", a.Table, a.Translator)
	}
	return intern(parts{translationScheme, a.Translator, a.Table, ""}.text())
}

// admits says whether it lets alternatives decide for this kind of holder at a
// moment.
func (a Authority) admits(k Kind, at time.Time) bool {
	side := a.Arriving && k == Person || a.Leaving && k == Partner
	return side && !at.IsZero() && !a.From.IsZero() && !at.Before(a.From) && (a.Until.IsZero() || at.Before(a.Until))
}

// Schemes of the atoms that alternatives need. No attribute can have them.
const (
	translationScheme = "translation"
	withoutScheme     = "without"
)

func withoutAtom(oid string) (atom, error) {
	return intern(parts{withoutScheme, "clearance", oid, ""}.text())
}

// Translated is an alternative label of some label, and by what it decides.
type Translated struct {
	Label      *Label
	Translator string // node id of who made and signed it
	Table      string // name@version
	Received   bool   // another node made it
	Signed     []byte // the translator's signed document; the caller checked it
}

// Translations is what a node knows of translating labels.
type Translations struct {
	// Of gives the alternatives of a label; xml are the label's own bytes.
	Of          func(l *Label, xml []byte) []Translated
	Authorities []Authority
}

// WithTranslations gives the same policies, which let alternative labels decide
// by these authorities and by no others.
func (ps *Policies) WithTranslations(t Translations) *Policies {
	out := *ps
	out.translations = t
	return &out
}

// Alternative is an alternative label in force beside one of the labels of a
// stored version.
type Alternative struct {
	Label          int    // index of the label it stands beside, in Effective.Labels
	Policy, From   string // names of its policy and of the label's
	OID, FromOID   string
	Translator     string
	Table          string // name@version
	Rule, Original Rule   // of the alternative, of the label
	Signed         []byte // the translator's signed document
}

func (a *Alternative) authority() Authority {
	return Authority{Translator: a.Translator, Table: a.Table}
}

// Govern gives what governs data under one label: its rule, and the alternative
// labels beside it. An alternative that is not understood, that its policy does
// not allow, or that another translator contradicts admits nobody; it never
// makes the label itself fail.
func (ps *Policies) Govern(l *Label, xml []byte) (Effective, error) {
	rule, err := ps.Rule(l)
	if err != nil {
		return Effective{}, err
	}
	e := Effective{Rule: rule, Labels: [][]byte{xml}}
	p, err := ps.resolve(l.PolicyName, l.PolicyOID)
	if err != nil || ps.translations.Of == nil || p.def.OID == TLPPolicy {
		return e, err
	}
	var found []Alternative
	var received []bool
	for _, t := range ps.translations.Of(l, xml) {
		to, err := ps.resolve(t.Label.PolicyName, t.Label.PolicyOID)
		if err != nil || to == p || to.def.OID == TLPPolicy {
			continue
		}
		r, err := ps.Rule(t.Label)
		if err != nil || r.Nobody() || r.Everyone() {
			continue
		}
		a := Alternative{Policy: to.Name(), From: p.Name(), OID: to.OID(), FromOID: p.OID(), Translator: t.Translator, Table: t.Table, Rule: r, Original: rule, Signed: t.Signed}
		if _, err := a.authority().atom(); err != nil {
			continue
		}
		found, received = append(found, a), append(received, t.Received)
	}
	deciding := decidingAlternatives(found, received)
	if len(deciding) == 0 {
		return e, nil
	}
	wider, err := alternate(rule, p.OID(), deciding)
	if errors.Is(err, ErrTooLarge) {
		return e, nil // the label alone goes on deciding
	}
	if err != nil {
		return Effective{}, err
	}
	return Effective{Rule: wider, Labels: e.Labels, Base: rule, Alternatives: deciding}, nil
}

// decidingAlternatives picks the alternatives that may decide: of each policy
// those that this node made, else those of one translator's table. Where two
// could decide, none does.
func decidingAlternatives(all []Alternative, received []bool) []Alternative {
	own := map[string]bool{}
	by := map[string]map[[2]string]bool{}
	for i, a := range all {
		own[a.OID] = own[a.OID] || !received[i]
	}
	use := func(i int) bool { return received[i] != own[all[i].OID] }
	for i, a := range all {
		if !use(i) {
			continue
		}
		if by[a.OID] == nil {
			by[a.OID] = map[[2]string]bool{}
		}
		by[a.OID][[2]string{a.Translator, tableName(a.Table)}] = true
	}
	var out []Alternative
	for i, a := range all {
		same := func(b Alternative) bool { return b.OID == a.OID && b.Table == a.Table }
		if use(i) && len(by[a.OID]) == 1 && !slices.ContainsFunc(out, same) {
			out = append(out, a)
		}
	}
	return out
}

// tableName is a table's name without its version.
func tableName(table string) string {
	for i := len(table) - 1; i >= 0; i-- {
		if table[i] == '@' {
			return table[:i]
		}
	}
	return table
}

// alternate widens the rule of a label to those who never had a clearance of
// its policy and whom an alternative admits. A reader with clearances of
// several policies that have alternatives has to be admitted by each.
func alternate(original Rule, from string, as []Alternative) (Rule, error) {
	if original.Nobody() {
		return original, nil
	}
	foreign, err := holding(withoutAtom(from))
	if err != nil {
		return Rule{}, err
	}
	by := map[string]Rule{}
	for i := range as {
		inForce, err := holding(as[i].authority().atom())
		if err != nil {
			return Rule{}, err
		}
		r, err := Join(as[i].Rule, inForce)
		if err != nil {
			return Rule{}, err
		}
		if by[as[i].OID], err = either(by[as[i].OID], r); err != nil {
			return Rule{}, err
		}
	}
	conditions := []Rule{foreign}
	var any Rule
	for oid, r := range by {
		none, err := holding(withoutAtom(oid))
		if err != nil {
			return Rule{}, err
		}
		each, err := either(none, r)
		if err != nil {
			return Rule{}, err
		}
		conditions = append(conditions, each)
		if any, err = either(any, r); err != nil {
			return Rule{}, err
		}
	}
	all, err := Join(append(conditions, any)...)
	if err != nil {
		return Rule{}, err
	}
	return either(original, all)
}

func holding(a atom, err error) (Rule, error) {
	if err != nil {
		return Rule{}, err
	}
	return newRule([][]atom{{a}})
}

// either gives the rule whose readers one of the two admits.
func either(a, b Rule) (Rule, error) {
	switch {
	case a.Nobody():
		return b, nil
	case b.Nobody():
		return a, nil
	case len(a.clauses)*len(b.clauses) > 16*MaxClauses:
		return Rule{}, fmt.Errorf("%w: %d by %d clauses", ErrTooLarge, len(a.clauses), len(b.clauses))
	}
	out := make([][]atom, 0, len(a.clauses)*len(b.clauses))
	for _, c := range a.clauses {
		for _, d := range b.clauses {
			out = append(out, slices.Concat(c, d))
		}
	}
	return newRule(out)
}

// Beyond gives what r demands that o does not: joined to o it is r joined to o.
func (r Rule) Beyond(o Rule) Rule {
	if r.Nobody() || o.Nobody() {
		return r
	}
	var rest [][]atom
	for _, c := range r.clauses {
		if !slices.ContainsFunc(o.clauses, func(k []atom) bool { return containsAll(c, k) }) {
			rest = append(rest, c)
		}
	}
	if len(rest) == 0 {
		return Everyone()
	}
	out, err := newRule(rest)
	if err != nil {
		return r // r alone is as strict
	}
	return out
}
