package label

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Effective is what governs a stored version: the rule, and what it was
// computed from. The vault keeps it beside the version.
type Effective struct {
	Rule   Rule     // who may read here, alternative labels included
	Labels [][]byte // the 4774 XML of each source label, as received
	TLP    string   // the strictest TLP colour of the sources; "" for none

	Base         Rule          // who may read by the originators' labels alone; see Originators
	Alternatives []Alternative // beside the labels; none: Base is not set
}

// Originators is who may read by the originators' labels alone. It is what a
// partner is told, and what the partner's own alternatives are put beside.
func (e Effective) Originators() Rule {
	if len(e.Alternatives) == 0 {
		return e.Rule
	}
	return e.Base
}

// JoinEffective gives what governs data made of several sources; its TLP is for
// the caller to say.
func JoinEffective(es ...Effective) (Effective, error) {
	var out Effective
	var rules, bases []Rule
	for _, e := range es {
		for _, a := range e.Alternatives {
			a.Label += len(out.Labels)
			out.Alternatives = append(out.Alternatives, a)
		}
		out.Labels = append(out.Labels, e.Labels...)
		rules, bases = append(rules, e.Rule), append(bases, e.Originators())
	}
	base, err := Join(bases...)
	if err != nil {
		return Effective{}, err
	}
	if len(out.Alternatives) == 0 {
		out.Rule = base
		return out, nil
	}
	return out.widened(base, rules...), nil
}

// widened sets the rule that alternatives make. Where there is none, as when it
// would be too large, the originators' labels alone go on deciding.
func (e Effective) widened(base Rule, rules ...Rule) Effective {
	rule, err := Join(rules...)
	if err != nil {
		return Effective{Rule: base, Labels: e.Labels, TLP: e.TLP}
	}
	e.Rule, e.Base = rule, base
	return e
}

// Narrow gives what governs the same data where somebody, such as the node that
// sent it, says that only these may read by the originators' labels. What the
// labels say already is not asked twice: otherwise nobody could be admitted by
// an alternative of a label.
func (e Effective) Narrow(to Rule) (Effective, error) {
	base, err := Join(e.Originators(), to)
	if err != nil {
		return Effective{}, err
	}
	if len(e.Alternatives) == 0 {
		e.Rule = base
		return e, nil
	}
	return e.widened(base, e.Rule, to.Beyond(e.Originators())), nil
}

// Renew gives what governs the data of before by the alternatives of now. The
// labels are compiled by parse. Where they do not give what was decided by
// them, as when a policy changed since, no alternative decides.
func (ps *Policies) Renew(before Effective, parse func(xml []byte) (*Label, error)) (Effective, error) {
	alone := Effective{Rule: before.Originators(), Labels: before.Labels, TLP: before.TLP}
	var es []Effective
	for _, xml := range before.Labels {
		l, err := parse(xml)
		if err != nil {
			return alone, nil
		}
		e, err := ps.Govern(l, xml)
		if err != nil {
			return alone, nil
		}
		es = append(es, e)
	}
	if len(es) == 0 {
		return alone, nil
	}
	now, err := JoinEffective(es...)
	if err != nil || !alone.Rule.AtMost(now.Originators()) {
		return alone, nil
	}
	now.TLP = before.TLP
	return now.Narrow(alone.Rule)
}

type effectiveWire struct {
	V      int               `json:"v"`
	Rule   string            `json:"rule"`
	Labels [][]byte          `json:"labels,omitempty"`
	TLP    string            `json:"tlp,omitempty"`
	Base   string            `json:"base,omitempty"`
	Beside []alternativeWire `json:"beside,omitempty"`
}

type alternativeWire struct {
	Label      int    `json:"label"`
	Policy     string `json:"policy"`
	From       string `json:"from"`
	OID        string `json:"oid"`
	FromOID    string `json:"from_oid"`
	Translator string `json:"translator"`
	Table      string `json:"table"`
	Rule       string `json:"rule"`
	Original   string `json:"original"`
	Signed     []byte `json:"signed"`
}

// Encode writes e so that DecodeEffective gives it back.
func (e Effective) Encode() []byte {
	w := effectiveWire{V: 1, Rule: e.Rule.Key(), Labels: e.Labels, TLP: e.TLP}
	if len(e.Alternatives) > 0 {
		w.Base = e.Base.Key()
	}
	for _, a := range e.Alternatives {
		w.Beside = append(w.Beside, alternativeWire{a.Label, a.Policy, a.From, a.OID, a.FromOID, a.Translator, a.Table, a.Rule.Key(), a.Original.Key(), a.Signed})
	}
	b, err := json.Marshal(w)
	if err != nil {
		panic(err) // strings and bytes always encode
	}
	return b
}

// DecodeEffective reads what Encode wrote. On an error the caller treats the
// version as readable by nobody, which the returned zero value means.
func DecodeEffective(b []byte) (Effective, error) {
	wrong := func(err error) (Effective, error) {
		return Effective{}, fmt.Errorf("read effective label: %w", err)
	}
	var w effectiveWire
	if err := json.Unmarshal(b, &w); err != nil {
		return wrong(err)
	}
	if w.V != 1 || (w.Base == "") != (len(w.Beside) == 0) {
		return wrong(errors.New("unknown form"))
	}
	e := Effective{Labels: w.Labels, TLP: w.TLP}
	var err error
	if e.Rule, err = ParseRule(w.Rule); err != nil {
		return wrong(err)
	}
	if w.Base != "" {
		if e.Base, err = ParseRule(w.Base); err != nil {
			return wrong(err)
		}
	}
	for _, a := range w.Beside {
		r, err1 := ParseRule(a.Rule)
		original, err2 := ParseRule(a.Original)
		if err := errors.Join(err1, err2); err != nil {
			return wrong(err)
		}
		if a.Label < 0 || a.Label >= len(w.Labels) {
			return wrong(errors.New("an alternative stands beside no label"))
		}
		e.Alternatives = append(e.Alternatives, Alternative{a.Label, a.Policy, a.From, a.OID, a.FromOID, a.Translator, a.Table, r, original, a.Signed})
	}
	return e, nil
}

// Decide explains who may read what e governs, as [Decide] does for a rule, and
// says for each label whether it or an alternative beside it decides.
func (e Effective) Decide(h *Holdings) Decision {
	if h == nil || len(e.Alternatives) == 0 {
		return Decide(e.Rule, h)
	}
	d := Decision{Allow: Allows(e.Rule, h)}
	rest := e.Base
	for i := range e.Labels {
		var beside []Alternative
		for _, a := range e.Alternatives {
			if a.Label == i {
				beside = append(beside, a)
			}
		}
		if len(beside) == 0 {
			continue
		}
		rest = rest.Beyond(beside[0].Original)
		d.Reasons = append(d.Reasons, decideBeside(beside, h)...)
	}
	if rest.Nobody() {
		d.Reasons = append(d.Reasons, Reason{"nobody", "the rule admits nobody", false})
	} else if !rest.Everyone() {
		d.Reasons = append(d.Reasons, clauseReasons(rest, h)...)
	}
	denied := func(r Reason) bool { return !r.Allow }
	if !d.Allow && !slices.ContainsFunc(d.Reasons, denied) {
		// A label without alternatives that says the same as one that has them.
		d.Reasons = append(d.Reasons, slices.DeleteFunc(clauseReasons(e.Rule, h), func(r Reason) bool { return r.Allow })...)
	}
	if !d.Allow {
		d.Reasons = append(d.Reasons, h.notes...)
	}
	return d
}

// decideBeside explains a label that has alternatives.
func decideBeside(as []Alternative, h *Holdings) []Reason {
	from := as[0]
	without, err := withoutAtom(from.FromOID)
	if err != nil || !h.has(without) {
		return append([]Reason{{"originator", "the originator's label decides: no alternative does for a reader who has, or had, a clearance of " + from.From, true}},
			clauseReasons(from.Original, h)...)
	}
	var out []Reason
	told := map[string]bool{}
	for _, a := range as {
		none, err := withoutAtom(a.OID)
		if err != nil || h.has(none) || told[a.OID] {
			continue
		}
		told[a.OID] = true
		i := slices.IndexFunc(as, func(b Alternative) bool {
			auth, err := b.authority().atom()
			return b.OID == a.OID && err == nil && h.has(auth)
		})
		if i < 0 {
			out = append(out, Reason{"alternative", fmt.Sprintf("the reader has no clearance of %s, and the alternative label in %s decides nothing now: its table is not in force here, or its translator is not in our table", a.From, a.Policy), false})
			continue
		}
		out = append(out, Reason{"alternative", fmt.Sprintf("the reader has no clearance of %s: the alternative label in %s decides, by table %s of translator %s", a.From, a.Policy, as[i].Table, as[i].Translator), true})
		out = append(out, clauseReasons(as[i].Rule, h)...)
	}
	if len(out) == 0 {
		return []Reason{{"alternative", fmt.Sprintf("the reader has no clearance of %s, and no alternative label is in a policy of theirs", from.From), false}}
	}
	return out
}
