package label

import "time"

// Type is how a category decides.
type Type uint8

// The category types of STANAG 4774. The zero Type is none of them and is
// refused everywhere.
const (
	Restrictive Type = iota + 1 // the holder needs every value
	Permissive                  // the holder needs one value
	Informative                 // never decides
)

// String is the spelling of ADatP-4774, the only one that is accepted.
func (t Type) String() string {
	switch t {
	case Restrictive:
		return "RESTRICTIVE"
	case Permissive:
		return "PERMISSIVE"
	case Informative:
		return "INFORMATIVE"
	}
	return "unknown"
}

// ParseType reads RESTRICTIVE, PERMISSIVE or INFORMATIVE, exactly so.
func ParseType(s string) (Type, bool) {
	for _, t := range []Type{Restrictive, Permissive, Informative} {
		if s == t.String() {
			return t, true
		}
	}
	return 0, false
}

// Category is one category of a label or clearance: some values of a tag set,
// all of one type. Present without values it admits nobody when permissive
// and requires nothing when restrictive.
type Category struct {
	Type    Type
	TagName string // name of the SPIF tag set
	TagOID  string // its OID in dotted form; "" when not given
	Values  []string
}

// Label is a confidentiality label: the ConfidentialityInformation of STANAG
// 4774 with who labelled, when, and what follows.
type Label struct {
	PolicyName     string // as written; display only where an OID is given
	PolicyOID      string // dotted form; "" when the label names its policy only
	Classification string
	PrivacyMark    string // CLEAR or ""; never decides
	Categories     []Category

	Created time.Time // CreationDateTime; dates the groups it names
	// CreatedNoZone says that Created was written without a time zone and may
	// be off by 14 hours: it dates a group only where that makes no difference.
	CreatedNoZone bool
	Review        time.Time // ReviewDateTime; zero only with a Successor; decides nothing
	Originator    string    // who labelled; "" when not given
	IDType        string    // kind of Originator, such as rfc822Name
	Successor     *Succession
}

// Succession is the label that replaces another at a date set by the
// originator.
type Succession struct {
	At    time.Time
	Label *Label
}

// Clearance is what a holder may see under one policy, as STANAG 4774 writes
// it. Dates, holder and revocation belong to the record around it.
type Clearance struct {
	PolicyName      string
	PolicyOID       string
	Classifications []string // a set, not a ceiling
	Categories      []Category
}
