package label

import (
	"fmt"
	"slices"
	"strings"
)

// Allows says whether a reader who holds h may read what r governs: every
// clause of r contains an atom of h. It allocates nothing.
func Allows(r Rule, h *Holdings) bool {
	if h == nil || len(r.clauses) == 0 {
		return false
	}
	bits := h.bits
clauses:
	for _, c := range r.clauses {
		for _, a := range c {
			if i := int(a >> 6); i < len(bits) && bits[i]>>(a&63)&1 == 1 {
				continue clauses
			}
		}
		return false
	}
	return true
}

// Reason is one part of a decision.
type Reason struct {
	Code  string // classification, restrictive or audience; for holdings: expired, ...
	Text  string
	Allow bool
}

// Decision is the answer with every reason: for each clause of the rule, what
// meets it or what is missing.
type Decision struct {
	Allow   bool
	Reasons []Reason
}

// Decide explains what Allows answers. The reasons name what the label
// demands: they are for the node's own officers, never for the reader who is
// denied.
func Decide(r Rule, h *Holdings) Decision {
	d := Decision{Allow: true}
	add := func(ok bool, code, text string) {
		d.Reasons = append(d.Reasons, Reason{code, text, ok})
		d.Allow = d.Allow && ok
	}
	if h == nil {
		add(false, "no-holdings", "the reader holds nothing")
		h = &Holdings{}
	}
	if len(r.clauses) == 0 {
		add(false, "nobody", "the rule admits nobody")
	}
	for _, reason := range clauseReasons(r, h) {
		add(reason.Allow, reason.Code, reason.Text)
	}
	if !d.Allow {
		d.Reasons = append(d.Reasons, h.notes...)
	}
	return d
}

// clauseReasons says for each clause what meets it or what is missing.
func clauseReasons(r Rule, h *Holdings) []Reason {
	out := make([]Reason, 0, len(r.clauses))
	for _, c := range r.clauses {
		code, what := describeClause(c)
		if i := slices.IndexFunc(c, h.has); i >= 0 {
			out = append(out, Reason{code, fmt.Sprintf("%s: holds %s", what, describeAtom(c[i])), true})
		} else {
			out = append(out, Reason{code, what + ": not held", false})
		}
	}
	return out
}

// describeClause gives the code of a clause and its demand in words.
func describeClause(c []atom) (code, text string) {
	texts := make([]string, len(c))
	classes := true
	for i, a := range c {
		texts[i] = describeAtom(a)
		p, err := parseParts(a.String())
		classes = classes && err == nil && p.tag == classTag
	}
	slices.Sort(texts)
	switch {
	case classes:
		code = "classification"
	case len(c) == 1 && c[0] == everyone:
		code = "everyone"
	default:
		code = "category"
	}
	if len(texts) == 1 {
		return code, "needs " + texts[0]
	}
	return code, "needs one of " + strings.Join(texts, ", ")
}

// describeAtom writes an atom for people.
func describeAtom(a atom) string {
	p, err := parseParts(a.String())
	if err != nil {
		return a.String()
	}
	_, tag, isTag := strings.Cut(p.tag, ":")
	switch {
	case p.policy == withoutScheme:
		return "no clearance of policy " + p.value
	case p.policy == translationScheme:
		return "table " + p.value + " of translator " + p.tag + " in force"
	case p.policy == tlpPolicy:
		return "audience " + p.value
	case !isTag && p.tag != classTag:
		return p.policy + " " + p.tag + " " + p.value
	case !isTag:
		return "classification " + p.value
	case p.epoch != "":
		return fmt.Sprintf("%s %s (members of %s)", tag, p.value, p.epoch)
	}
	return tag + " " + p.value
}
