package label

// Describe writes a rule for people: what a reader needs, clause by clause.
func Describe(r Rule) []string {
	if r.Nobody() {
		return []string{"admits nobody"}
	}
	out := make([]string, len(r.clauses))
	for i, c := range r.clauses {
		_, out[i] = describeClause(c)
	}
	return out
}

// CheckClearance says what of a clearance is not counted, and why: values and
// classifications that the policy does not have.
func (ps *Policies) CheckClearance(c *Clearance) []Problem {
	p, err := ps.resolve(c.PolicyName, c.PolicyOID)
	if err != nil {
		return []Problem{{"unknown-policy", err.Error()}}
	}
	_, notes, err := ps.clearanceAtoms(p, c, Holder{})
	var out []Problem
	for _, n := range notes {
		out = append(out, Problem{n.Code, n.Text})
	}
	if err != nil {
		out = append(out, Problem{"contradiction", err.Error()})
	}
	return out
}
