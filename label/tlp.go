package label

import (
	"fmt"
	"strings"
)

// PublicPolicy is the OID of the PUBLIC policy that the project ships, in the
// arc of UUIDs (ITU-T X.667). Its one classification is UNMARKED, which every
// reader holds.
const PublicPolicy = "2.25.319131547642854712066090297694781125505"

// TLPPolicy is the OID of the policy that carries the words of TLP 2.0. A label
// of it is compiled by TLP, not as a classification.
const TLPPolicy = "2.25.59307945598589985273410120851307387722"

var publicAtom = parts{PublicPolicy, classTag, "UNMARKED", ""}.text()

// Audience binds the words of the Traffic Light Protocol to readers: without
// it AMBER and GREEN mean only the node's own organisation.
type Audience struct {
	Organisation string   // id of the organisation that speaks; "" binds nothing
	Clients      []string // ids of those that AMBER reaches too
	Community    []string // ids of those that GREEN reaches too
	Recipients   []string // ids of those that RED is for
}

// WithAudience gives the same policies with another TLP audience.
func (ps *Policies) WithAudience(a Audience) *Policies {
	out := *ps
	out.tlp = a
	return &out
}

// The colours of TLP 2.0.
const (
	TLPClear       = "clear"
	TLPGreen       = "green"
	TLPAmber       = "amber"
	TLPAmberStrict = "amber+strict"
	TLPRed         = "red"
)

// TLP gives the rule of a colour under the audience that is bound. An audience
// of nobody is an error, so that the caller asks for one.
func (ps *Policies) TLP(colour string) (Rule, error) {
	a := ps.tlp
	var names []string
	switch colour {
	case TLPClear:
		return Everyone(), nil
	case TLPGreen:
		names = append(append(append(names, a.Organisation), a.Clients...), a.Community...)
	case TLPAmber:
		names = append(append(names, a.Organisation), a.Clients...)
	case TLPAmberStrict:
		names = append(names, a.Organisation)
	case TLPRed:
		names = append(names, a.Recipients...)
	default:
		return Rule{}, fmt.Errorf("unknown TLP colour %q", colour)
	}
	var clause []atom
	for _, n := range names {
		if n == "" {
			continue
		}
		at, err := audienceAtom(n)
		if err != nil {
			return Rule{}, fmt.Errorf("bind TLP:%s: %w", colour, err)
		}
		clause = append(clause, at)
	}
	if len(clause) == 0 {
		return Rule{}, fmt.Errorf("TLP:%s names an audience that is not bound here", colour)
	}
	return newRule([][]atom{clause})
}

// tlpColour gives the colour of a label of the TLP policy.
func (c *chosen) tlpColour() (string, bool) {
	return strings.ToLower(c.class.Name), c.policy.def.OID == TLPPolicy
}

// tlpPolicy stands in for a policy OID in audience atoms.
const tlpPolicy = "tlp"

func audienceAtom(id string) (atom, error) {
	if !validText(id) {
		return 0, fmt.Errorf("the audience id %q is not text", id)
	}
	return intern(parts{tlpPolicy, "reader", id, ""}.text())
}

func (ps *Policies) audienceAtoms(h Holder) ([]atom, error) {
	var out []atom
	for _, n := range h.Names {
		a, err := audienceAtom(n)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}
