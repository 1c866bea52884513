package label

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind is the kind of a holder.
type Kind uint8

// The kinds of holder. Nobody is the zero Kind and holds nothing.
const (
	Nobody Kind = iota
	Person
	Partner
	PublicReader
)

// Holder is everything that decides what one reader holds at one moment.
type Holder struct {
	Kind       Kind
	Clearances []*Clearance // of one policy several: the holder has what all of them give
	Nation     string       // ISO 3166-1 alpha-3; needed for dated groups
	Names      []string     // ids of the reader and its organisations, for TLP audiences
	Attributes []Attribute  // cases and foreign schemes
	NotBefore  time.Time    // zero: no limit
	NotAfter   time.Time    // zero: no limit
	At         time.Time    // the moment that is asked about
	Briefings  []Briefing
	Revoked    bool

	// Past are the OIDs, or where none was written the names, of policies of which the holder has, or had, a clearance
	// that Clearances does not list: ended, revoked, suspended. No alternative
	// label takes the place of what was taken away.
	Past []string
}

// Briefing is an instruction the holder received that a restrictive value
// demands.
type Briefing struct {
	PolicyOID string    `json:"policy"`
	TagOID    string    `json:"tag"` // of the tag set
	Value     string    `json:"value"`
	Until     time.Time `json:"until,omitzero"` // zero: no end
}

// Briefing gives the briefing on a restrictive value of the policy, named as
// the policy writes it.
func (p *Policy) Briefing(value string) (Briefing, bool) {
	for _, set := range p.TagSets() {
		for _, tag := range set.Tags {
			if tag.Type != Restrictive {
				continue
			}
			for _, v := range tag.Values {
				if v.Name == value {
					return Briefing{PolicyOID: p.OID(), TagOID: set.OID, Value: v.Name}, true
				}
			}
		}
	}
	return Briefing{}, false
}

// briefKey names a value that demands a briefing.
type briefKey struct{ policy, set, value string }

// WithBriefings gives the same policies, in which the named restrictive values
// count only for a holder who was briefed. It refuses a value that the policies
// do not have.
func (ps *Policies) WithBriefings(demanded ...Briefing) (*Policies, error) {
	out := *ps
	out.briefs = map[briefKey]bool{}
	for _, d := range demanded {
		p := ps.byOID[d.PolicyOID]
		if p == nil || p.find(TableValue{d.TagOID, Restrictive, d.Value}) == nil {
			return nil, fmt.Errorf("demand briefings: the restrictive value %q of %s in policy %s is unknown", d.Value, d.TagOID, d.PolicyOID)
		}
		out.briefs[briefKey{d.PolicyOID, d.TagOID, p.canon(d.Value)}] = true
	}
	return &out, nil
}

// briefed says whether the holder may count on a value: it demands no
// briefing, or one is in force. A partner is a node, and briefs its own people.
func (ps *Policies) briefed(p *Policy, v *value, h Holder) bool {
	k := briefKey{p.def.OID, v.set.OID, p.canon(v.Name)}
	if v.tag.Type != Restrictive || !ps.briefs[k] || h.Kind == Partner {
		return true
	}
	return slices.ContainsFunc(h.Briefings, func(b Briefing) bool {
		return k == briefKey{b.PolicyOID, b.TagOID, p.canon(b.Value)} && (b.Until.IsZero() || !h.At.IsZero() && h.At.Before(b.Until))
	})
}

// Holdings is the set of atoms a reader holds, ready for Allows. It is
// immutable; nil holds nothing.
type Holdings struct {
	bits  []uint64
	key   string
	notes []Reason // what was not counted, and why
}

// Public is the reader nobody knows: it holds what everyone holds, and the
// classification UNMARKED of the PUBLIC policy.
var Public = mustPublic()

func mustPublic() *Holdings {
	a, err := intern(publicAtom)
	if err != nil {
		panic(err) // the table of atoms is empty at start
	}
	return newHoldings([]atom{everyone, a}, nil)
}

func newHoldings(held []atom, notes []Reason) *Holdings {
	h := &Holdings{notes: notes}
	slices.Sort(held)
	held = slices.Compact(held)
	texts := make([]string, len(held))
	for i, a := range held {
		for int(a>>6) >= len(h.bits) {
			h.bits = append(h.bits, 0)
		}
		h.bits[a>>6] |= 1 << (a & 63)
		texts[i] = a.String()
	}
	slices.Sort(texts)
	sum := sha256.Sum256([]byte(strings.Join(texts, "|")))
	h.key = hex.EncodeToString(sum[:])
	return h
}

// Key names the audience: equal for two holdings if and only if they hold the
// same atoms, and so decide every rule equally. It is a SHA-256 digest in hex.
func (h *Holdings) Key() string {
	if h == nil {
		return newHoldings(nil, nil).key
	}
	return h.key
}

func (h *Holdings) has(a atom) bool {
	i := int(a >> 6)
	return i < len(h.bits) && h.bits[i]>>(a&63)&1 == 1
}

// Atoms lists what is held, as texts in order.
func (h *Holdings) Atoms() []string {
	var out []string
	if h == nil {
		return nil
	}
	for i, w := range h.bits {
		for b := range 64 {
			if w>>b&1 == 1 {
				out = append(out, atom(i*64+b).String())
			}
		}
	}
	slices.Sort(out)
	return out
}

// Holdings compiles what a holder holds. A holder that is not in force holds
// nothing, and Decide says why; a clearance or value that no policy here knows
// is not counted. An error is a clearance that contradicts itself.
func (ps *Policies) Holdings(h Holder) (*Holdings, error) {
	if reason, ok := inForce(h); !ok {
		return newHoldings(nil, []Reason{reason}), nil
	}
	held := []atom{everyone}
	a, err := intern(publicAtom)
	if err != nil {
		return nil, fmt.Errorf("compile holdings: %w", err)
	}
	held = append(held, a)
	var notes []Reason
	byPolicy := map[*Policy][]atom{}
	for _, c := range h.Clearances {
		p, err := ps.resolve(c.PolicyName, c.PolicyOID)
		if err != nil {
			notes = append(notes, Reason{Code: "clearance-policy", Text: "a clearance is not counted: " + err.Error()})
			continue
		}
		got, n, err := ps.clearanceAtoms(p, c, h)
		if err != nil {
			return nil, fmt.Errorf("compile holdings: clearance for %s: %w", p.Name(), err)
		}
		notes = append(notes, n...)
		if before, ok := byPolicy[p]; ok {
			got = slices.DeleteFunc(got, func(a atom) bool { return !slices.Contains(before, a) })
		}
		byPolicy[p] = got
	}
	for _, got := range byPolicy {
		held = append(held, got...)
	}
	translated, err := ps.translationAtoms(h, byPolicy)
	if err != nil {
		return nil, fmt.Errorf("compile holdings: %w", err)
	}
	held = append(held, translated...)
	audience, err := ps.audienceAtoms(h)
	if err != nil {
		return nil, fmt.Errorf("compile holdings: %w", err)
	}
	for _, attribute := range h.Attributes {
		a, err := attribute.atom()
		if err != nil {
			return nil, fmt.Errorf("compile holdings: %w", err)
		}
		held = append(held, a)
	}
	return newHoldings(append(held, audience...), notes), nil
}

// translationAtoms gives what alternative labels ask of a holder: which tables
// are in force for it, and of which policies it never had a clearance.
func (ps *Policies) translationAtoms(h Holder, byPolicy map[*Policy][]atom) ([]atom, error) {
	var out []atom
	for _, a := range ps.translations.Authorities {
		if !a.admits(h.Kind, h.At) {
			continue
		}
		at, err := a.atom()
		if err != nil {
			return nil, err
		}
		out = append(out, at)
	}
	if h.Kind == PublicReader {
		return nil, nil
	}
	for oid, p := range ps.byOID {
		if _, has := byPolicy[p]; has || slices.Contains(h.Past, oid) || slices.Contains(h.Past, p.Name()) {
			continue
		}
		a, err := withoutAtom(oid)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// inForce checks dates and revocation; a limit that cannot be checked for want
// of a time is not met.
func inForce(h Holder) (Reason, bool) {
	switch {
	case h.Kind == Nobody:
		return Reason{Code: "no-holder", Text: "nobody asks"}, false
	case h.Revoked:
		return Reason{Code: "revoked", Text: "the clearance is revoked or suspended"}, false
	case !h.NotBefore.IsZero() && h.At.Before(h.NotBefore):
		return Reason{Code: "not-yet", Text: "the clearance is not yet in force"}, false
	case !h.NotAfter.IsZero() && (h.At.IsZero() || !h.At.Before(h.NotAfter)):
		return Reason{Code: "expired", Text: "the clearance is no longer in force"}, false
	}
	return Reason{}, true
}

// clearanceAtoms gives the atoms of one clearance. Values the policy does not
// know are left out with a note: they match nothing.
func (ps *Policies) clearanceAtoms(p *Policy, c *Clearance, h Holder) ([]atom, []Reason, error) {
	var out []atom
	var notes []Reason
	note := func(format string, args ...any) {
		notes = append(notes, Reason{Code: "clearance-value", Text: fmt.Sprintf(format, args...)})
	}
	for _, name := range c.Classifications {
		class := p.classes[p.canon(name)]
		if class == nil {
			note("the clearance names the classification %q, which policy %s does not have", name, p.Name())
			continue
		}
		a, err := p.classAtom(class)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, a)
	}
	type seenKey struct {
		set *tagSet
		typ Type
	}
	seen := map[seenKey]bool{}
	for _, cat := range c.Categories {
		set, err := p.resolveSet(cat)
		if err != nil {
			note("a category of the clearance is not counted: %v", err)
			continue
		}
		if seen[seenKey{set, cat.Type}] {
			return nil, nil, fmt.Errorf("the %s category %s is there twice", cat.Type, set.Name)
		}
		seen[seenKey{set, cat.Type}] = true
		if cat.Type == Informative {
			continue
		}
		for _, name := range cat.Values {
			v := set.values[valueKey{cat.Type, p.canon(name)}]
			if v == nil {
				note("the clearance names %q of %s, which policy %s does not have", name, set.Name, p.Name())
				continue
			}
			if !ps.briefed(p, v, h) {
				notes = append(notes, Reason{Code: "briefing", Text: fmt.Sprintf("%s of %s counts only for a holder who was briefed", v.Name, set.Name)})
				continue
			}
			got, err := ps.valueAtoms(p, v, h)
			if err != nil {
				return nil, nil, err
			}
			out = append(out, got...)
		}
	}
	return out, notes, nil
}

// valueAtoms gives the atoms of a value a clearance lists: the value itself,
// or for a dated group its epochs in which the holder's nation was a member,
// provided it is one now.
func (ps *Policies) valueAtoms(p *Policy, v *value, h Holder) ([]atom, error) {
	group, isGroup := ps.groups.Lookup(v.Name)
	if !isGroup || v.tag.Type != Permissive {
		a, err := p.atom(v, "")
		return []atom{a}, err
	}
	var out []atom
	for _, e := range group.standing(h.Nation, h.At) {
		a, err := p.atom(v, e.Name)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}
