package label

import (
	"fmt"
	"time"
)

// Definition is a security policy as a SPIF 2.1 file states it. Compile makes
// a Policy of it.
type Definition struct {
	OID, Name string // OID in dotted form
	Version   string
	Issued    time.Time
	Classes   []Class
	Sets      []TagSet
	Equals    []EquivalentPolicy
	Marks     []Mark      // markingData of the whole policy
	Qualifier []Qualifier // around the whole marking
}

// Class is one classification.
type Class struct {
	Name      string
	LACV      string // the number that identifies it in binary labels
	Hierarchy int    // order for display; never decides
	Obsolete  bool   // may be read, never written
	Colour    string // #RRGGBB or a colour name; "" when not given
	Marks     []Mark
	Requires  []Requirement
	Equals    []EquivalentClass
}

// TagSet is a named set of tags; the TagName of a 4774 category.
type TagSet struct {
	Name, OID string
	Tags      []Tag
}

// Tag is one tag of a set: values of one type.
type Tag struct {
	Name       string
	Type       Type
	Enumerated bool // how binary labels write it; decides nothing
	Encoding   string
	Min, Max   int // how many values a label may have; Max 0: no limit
	Values     []Value
	Qualifier  []Qualifier
	Marks      []Mark
}

// Value is one category value.
type Value struct {
	Name                string
	LACV                string
	Obsolete, UserInput bool
	NotBefore, NotAfter time.Time
	ExcludedClasses     []string
	RequiredClasses     []string // any of them
	Requires            []Requirement
	Excludes            []Group
	Marks               []Mark
	Equals              []EquivalentValue
}

// Requirement is a requiredCategory: how many of its groups a label must meet.
type Requirement struct {
	Operation string // onlyOne, oneOrMore, all
	Groups    []Group
}

// Group names a value of a set, or any value of it.
type Group struct {
	Set        string // name or OID of the tag set
	Type       Type
	Enumerated bool
	LACV       string // "" with All
	All        bool
}

// Policy is a compiled security policy. It is immutable.
type Policy struct {
	def     Definition
	fold    bool // values compare without ASCII case: NATO and PUBLIC
	context bool // Context, Only and Releasable To have set semantics: NATO
	classes map[string]*Class
	sets    map[string]*tagSet // by folded name
	setOIDs map[string]*tagSet
	classLV map[string]*Class
}

// tagSet is a TagSet with its values by type and folded name.
type tagSet struct {
	*TagSet
	values map[valueKey]*value
	lacvs  map[lacvKey]*value
}

type valueKey struct {
	typ  Type
	name string
}

type lacvKey struct {
	typ        Type
	enumerated bool
	lacv       string
}

// value is a Value with where it stands.
type value struct {
	*Value
	set *TagSet
	tag *Tag
}

// OID, Name and Version identify the policy.
func (p *Policy) OID() string     { return p.def.OID }
func (p *Policy) Name() string    { return p.def.Name }
func (p *Policy) Version() string { return p.def.Version }

// Definition gives the policy as it was stated. The caller must not change
// what it points to.
func (p *Policy) Definition() *Definition { return &p.def }

// Classifications lists the classifications from the lowest hierarchy up, for
// forms; obsolete ones are left out.
func (p *Policy) Classifications() []Class {
	var out []Class
	for _, c := range sortedClasses(p.def.Classes) {
		if !c.Obsolete {
			out = append(out, c)
		}
	}
	return out
}

// TagSets lists the tag sets in the order of the policy, for forms.
func (p *Policy) TagSets() []TagSet { return p.def.Sets }

// The policies whose values ADatP-4774 compares without case, and the one with
// set semantics of context and releasability.
const (
	NATO = "1.3.26.1.3.1"

	natoContext        = "1.3.26.1.4.4"
	natoOnly           = "1.3.26.1.4.5"
	natoReleasable     = "1.3.26.1.4.2"
	natoSensitivity    = "1.3.26.1.4.1"
	natoAdministrative = "1.3.26.1.4.3"

	flagReleasable = "RELEASABLE" // folded
)

// Compile checks a definition and makes a policy of it. It refuses whatever
// would make two readings possible: names, numbers or hierarchies that are not
// unique, references that do not resolve, an exclusion listed twice, a
// restrictive or permissive value translated by discarding it.
func Compile(d Definition) (*Policy, error) {
	p := &Policy{
		def: d, fold: d.OID == NATO || d.OID == PublicPolicy, context: d.OID == NATO,
		classes: map[string]*Class{}, classLV: map[string]*Class{},
		sets: map[string]*tagSet{}, setOIDs: map[string]*tagSet{},
	}
	if !IsOID(d.OID) {
		return nil, fmt.Errorf("compile policy %q: its id %q is not an OID", d.Name, d.OID)
	}
	if !validText(d.Name) {
		return nil, fmt.Errorf("compile policy %s: it has no name", d.OID)
	}
	for _, step := range []func() error{p.indexClasses, p.indexSets, p.checkValues, p.checkEquals, p.checkContext} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("compile policy %s: %w", d.Name, err)
		}
	}
	return p, nil
}

// canon brings a name or value of a label to the form names are compared in:
// exactly, except for the policies that fold ASCII case and collapse white
// space.
func (p *Policy) canon(s string) string {
	if !p.fold {
		return s
	}
	return foldASCII(s)
}

// foldASCII upper-cases ASCII letters and collapses XML white space; every
// other code point stays what it is, so a look-alike stays a stranger.
func foldASCII(s string) string {
	b := make([]byte, 0, len(s))
	space := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			space = len(b) > 0
			continue
		}
		if space {
			b = append(b, ' ')
			space = false
		}
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		b = append(b, c)
	}
	return string(b)
}

// IsOID says whether s is an OID in dotted form, without leading zeros.
func IsOID(s string) bool {
	arcs, digits := 1, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '.':
			if digits == 0 {
				return false
			}
			arcs, digits = arcs+1, 0
		case '0' <= c && c <= '9':
			if digits == 1 && s[i-1] == '0' {
				return false
			}
			digits++
		default:
			return false
		}
	}
	return arcs >= 2 && digits > 0 && len(s) <= 256 && (s[0] == '0' || s[0] == '1' || s[0] == '2') && s[1] == '.'
}

// ClassByNumber finds a classification by its number.
func (p *Policy) ClassByNumber(lacv string) (Class, bool) {
	c := p.classLV[number(lacv)]
	if c == nil {
		return Class{}, false
	}
	return *c, true
}

// ValueByNumber finds a value by the OID of its set, its type and its number,
// as binary labels write it, and gives its set too.
func (p *Policy) ValueByNumber(setOID string, t Type, enumerated bool, lacv string) (TagSet, Value, bool) {
	set := p.setOIDs[setOID]
	if set == nil {
		return TagSet{}, Value{}, false
	}
	v := set.lacvs[lacvKey{t, enumerated, number(lacv)}]
	if v == nil {
		return TagSet{}, Value{}, false
	}
	return *set.TagSet, *v.Value, true
}
