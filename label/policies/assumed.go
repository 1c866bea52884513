package policies

// Fact is something that a shipped policy takes for true and that no public
// source confirms. Where a fact gives access (the members of a group, a table
// of equivalence) it is not shipped at all, and everything that rests on it
// denies; the others are how the policy was read. A security authority signs
// each for its own node, or loads its own policy.
type Fact struct {
	ID     string
	Policy string // OID
	// Denies says that nobody reads what rests on the fact until the node has
	// signed data for it: a group's epoch or a table.
	Denies bool
}

// Assumed lists the facts that are assumed.
var Assumed = []Fact{
	{ID: "nato-values", Policy: NATO},                  // the nations named beyond the public policy of 2015
	{ID: "nato-7nnn", Policy: NATO, Denies: true},      // the members of 7NNN
	{ID: "nato-jpn-table", Policy: NATO, Denies: true}, // which level corresponds to which
	{ID: "jpn-levels", Policy: Japan},                  // that handling levels and legal statuses combine as stated
	{ID: "jpn-108-validity", Policy: Japan},            // five years under Act 108 of 2013
}
