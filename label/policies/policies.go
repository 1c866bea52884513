// Package policies holds the security policies that the project ships, written
// by it from public facts: a NATO-like policy with context, releasability and
// Only; a Japanese one; PUBLIC; and the words of TLP 2.0. They speak for no
// authority. What no public source confirms is marked assumed and denies until
// a security authority signs its own data.
package policies

import (
	_ "embed"
	"fmt"
	"slices"
	"sync"
	"time"

	"causeway/label"
	"causeway/label/spif"
)

// OIDs of the shipped policies. The NATO one is registered to NATO; the others
// are the project's, in the arc of UUIDs.
const (
	NATO   = label.NATO
	Japan  = "2.25.126341180364141718531459025567277128245"
	Public = label.PublicPolicy
	TLP    = label.TLPPolicy
)

//go:embed nato.xml
var natoFile []byte

//go:embed japan.xml
var japanFile []byte

//go:embed public.xml
var publicFile []byte

//go:embed tlp.xml
var tlpFile []byte

//go:embed nato-japan.json
var natoJapan []byte

//go:embed japan-nato.json
var japanNATO []byte

// SampleTable is a table of equivalence from NATO to Japan, or back, as a file.
// The agreement's own table is not public: this one is assumed from what is
// (reference/labels.md section 12), says so, and decides nothing until a
// security officer has corrected and signed it.
func SampleTable(back bool) []byte {
	if back {
		return slices.Clone(japanNATO)
	}
	return slices.Clone(natoJapan)
}

// Shipped gives the shipped policies: NATO, JPN, PUBLIC, TLP.
func Shipped() []*label.Policy { return slices.Clone(shipped()) }

var shipped = sync.OnceValue(func() []*label.Policy {
	var out []*label.Policy
	for _, f := range [][]byte{natoFile, japanFile, publicFile, tlpFile} {
		p, err := spif.Parse(f)
		if err != nil {
			panic("a shipped policy does not load: " + err.Error()) // a test loads them all
		}
		out = append(out, p)
	}
	return out
})

// Files gives the shipped policies as SPIF files, by policy name.
func Files() map[string][]byte {
	return map[string][]byte{"NATO": natoFile, "JPN": japanFile, "PUBLIC": publicFile, "TLP": tlpFile}
}

// accessions are the memberships of NATO since its founding, each the date on
// which the nations joined (depositary: the United States; dates as published
// on nato.int, "Member countries"). No nation has left.
var accessions = []struct {
	year, month, day int
	nations          []string
}{
	{1949, 8, 24, []string{"BEL", "CAN", "DNK", "FRA", "GBR", "ISL", "ITA", "LUX", "NLD", "NOR", "PRT", "USA"}},
	{1952, 2, 18, []string{"GRC", "TUR"}},
	{1955, 5, 6, []string{"DEU"}},
	{1982, 5, 30, []string{"ESP"}},
	{1999, 3, 12, []string{"CZE", "HUN", "POL"}},
	{2004, 3, 29, []string{"BGR", "EST", "LTU", "LVA", "ROU", "SVK", "SVN"}},
	{2009, 4, 1, []string{"ALB", "HRV"}},
	{2017, 6, 5, []string{"MNE"}},
	{2020, 3, 27, []string{"MKD"}},
	{2023, 4, 4, []string{"FIN"}},
	{2024, 3, 7, []string{"SWE"}},
}

// NATOGroup is the membership of NATO through time, one epoch for each
// accession, named by its date. signer is the security officer who takes
// responsibility for the table; an unsigned one admits nobody.
func NATOGroup(signer string) label.DatedGroup {
	g := label.DatedGroup{Name: "NATO"}
	var members []string
	for i, a := range accessions {
		members = slices.Sorted(slices.Values(append(slices.Clone(members), a.nations...)))
		from := time.Date(a.year, time.Month(a.month), a.day, 0, 0, 0, 0, time.UTC)
		if i > 0 {
			g.Epochs[i-1].To = from
		}
		g.Epochs = append(g.Epochs, label.Epoch{
			Name: from.Format(time.DateOnly), From: from, Members: members,
			Source: "nato.int, Member countries", Signer: signer,
		})
	}
	return g
}

// SevenNNN is the partner group by that name. No public source states its
// members, so it has none: labels that name it deny until a security authority
// adds a signed epoch.
func SevenNNN() label.DatedGroup {
	return label.DatedGroup{Name: "7NNN", Epochs: []label.Epoch{{
		Name: "2022", From: time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC),
		Source: "assumed: no public source for its members",
	}}}
}

// Groups is the shipped table of groups. signer signs the membership of NATO,
// which is public; that of 7NNN stays unsigned and empty.
func Groups(signer string) (label.Groups, error) {
	return label.NewGroups(NATOGroup(signer), SevenNNN())
}

// Set gives the shipped policies over the shipped groups.
func Set(signer string) (*label.Policies, error) {
	g, err := Groups(signer)
	if err != nil {
		return nil, fmt.Errorf("load shipped policies: %w", err)
	}
	return label.NewPolicies(g, Shipped()...)
}

// Member says whether a nation is a member of NATO in the shipped table's last
// epoch.
func Member(nation string) bool {
	for _, a := range accessions {
		if slices.Contains(a.nations, nation) {
			return true
		}
	}
	return false
}

// NationalClearance is the NATO clearance of a nation for material up to a
// level: UNCLASSIFIED, RESTRICTED, CONFIDENTIAL, SECRET or TOP SECRET. A member
// holds the context NATO; every nation holds its own code and the values of the
// groups named, whose dated membership is still asked about when it reads.
func NationalClearance(nation, level string, groups ...string) (*label.Clearance, error) {
	levels := []string{"UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET", "TOP SECRET"}
	i := slices.Index(levels, level)
	if i < 0 {
		return nil, fmt.Errorf("make clearance: level %q is none of %q", level, levels)
	}
	if !label.IsNation(nation) {
		return nil, fmt.Errorf("make clearance: %q is not a three-letter country code such as JPN", nation)
	}
	context, releasable, only := []string{"Releasable"}, []string{nation}, []string{nation}
	if Member(nation) {
		context = append(context, "NATO")
		releasable, only = append(releasable, "NATO"), append(only, "NATO")
	}
	releasable = append(releasable, groups...)
	return &label.Clearance{
		PolicyName: "NATO", PolicyOID: NATO, Classifications: levels[:i+1],
		Categories: []label.Category{
			{Type: label.Permissive, TagName: "Context", TagOID: "1.3.26.1.4.4", Values: context},
			{Type: label.Permissive, TagName: "Releasable To", TagOID: "1.3.26.1.4.2", Values: releasable},
			{Type: label.Permissive, TagName: "Only", TagOID: "1.3.26.1.4.5", Values: only},
		},
	}, nil
}

// NATOLabel is a label of the NATO policy in the context NATO, releasable to
// the given nations or groups where there are any.
func NATOLabel(classification string, created, review time.Time, releasableTo ...string) *label.Label {
	l := &label.Label{
		PolicyName: "NATO", PolicyOID: NATO, Classification: classification, Created: created, Review: review,
		Categories: []label.Category{{Type: label.Permissive, TagName: "Context", TagOID: "1.3.26.1.4.4", Values: []string{"NATO"}}},
	}
	if len(releasableTo) > 0 {
		l.Categories[0].Values = append(l.Categories[0].Values, "Releasable")
		l.Categories = append(l.Categories, label.Category{
			Type: label.Permissive, TagName: "Releasable To", TagOID: "1.3.26.1.4.2",
			Values: append([]string{"NATO"}, releasableTo...),
		})
	}
	return l
}

// PublicLabel is the label of what everyone may read.
func PublicLabel(created, review time.Time) *label.Label {
	return &label.Label{PolicyName: "PUBLIC", PolicyOID: Public, Classification: "UNMARKED", Created: created, Review: review}
}

// JapanClearance is a clearance under the Japanese policy: the levels and legal
// statuses that are listed, for material meant for the given nation.
func JapanClearance(nation string, levels, statuses []string) *label.Clearance {
	c := &label.Clearance{
		PolicyName: "JPN", PolicyOID: Japan, Classifications: levels,
		Categories: []label.Category{{Type: label.Permissive, TagName: "Audience", TagOID: Japan + ".2", Values: []string{nation}}},
	}
	if len(statuses) > 0 {
		c.Categories = append(c.Categories, label.Category{Type: label.Restrictive, TagName: "Legal Status", TagOID: Japan + ".1", Values: statuses})
	}
	return c
}
