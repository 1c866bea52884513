package label

import (
	"fmt"
	"slices"
	"strings"
)

// Attribute is something a reader holds, or data demands, outside the SPIF
// policies: membership of a case, or an attribute of a foreign marking scheme.
// It is compared exactly.
type Attribute struct {
	Scheme string // a word such as "case" or "acs"; never an OID
	Tag    string
	Value  string
}

func (a Attribute) atom() (atom, error) {
	switch {
	case !validText(a.Scheme) || !validText(a.Tag) || !validText(a.Value):
		return 0, fmt.Errorf("attribute %q: scheme, tag and value have to be text", a)
	case slices.Contains([]string{tlpPolicy, withoutScheme, translationScheme}, a.Scheme) || IsOID(a.Scheme) || strings.ContainsRune(a.Tag, ':') || a.Tag == classTag:
		return 0, fmt.Errorf("attribute %q: its scheme and tag are those of policies", a)
	}
	return intern(parts{a.Scheme, a.Tag, a.Value, ""}.text())
}

// Need gives the rule that asks for one of the given attributes. Joined to the
// rule of a label it narrows it: need to know is a condition of its own, never
// an alternative. Of no attribute it admits nobody.
func Need(anyOf ...Attribute) (Rule, error) {
	clause := make([]atom, 0, len(anyOf))
	for _, a := range anyOf {
		at, err := a.atom()
		if err != nil {
			return Rule{}, err
		}
		clause = append(clause, at)
	}
	return newRule([][]atom{clause})
}
