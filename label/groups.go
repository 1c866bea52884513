package label

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Epoch is one dated membership of a group.
type Epoch struct {
	Name    string    // unique in the group: a number, or a year as in 7NNN@2022
	From    time.Time // first moment of this membership
	To      time.Time // first moment after it; zero: in force
	Members []string  // ISO 3166-1 alpha-3 codes
	Source  string    // where the membership is stated
	Signer  string    // the security officer who signed it; "" is an assumption
}

// DatedGroup is a named set of nations through time. Its epochs are append
// only, in order, and do not overlap.
type DatedGroup struct {
	Name   string
	Epochs []Epoch
}

// Groups is a table of dated groups. The zero Groups knows none: then values
// of a policy are plain values that a clearance lists.
type Groups struct {
	byName map[string]*DatedGroup
}

// NewGroups checks a table of groups. An unsigned epoch is kept, and admits
// nobody.
func NewGroups(gs ...DatedGroup) (Groups, error) {
	out := Groups{byName: make(map[string]*DatedGroup, len(gs))}
	for i := range gs {
		g := gs[i]
		if !validText(g.Name) || strings.ContainsRune(g.Name, '@') {
			return Groups{}, fmt.Errorf("group %q: its name has to be text without @", g.Name)
		}
		if out.byName[foldASCII(g.Name)] != nil {
			return Groups{}, fmt.Errorf("group %s is defined twice", g.Name)
		}
		if err := checkEpochs(g); err != nil {
			return Groups{}, fmt.Errorf("group %s: %w", g.Name, err)
		}
		out.byName[foldASCII(g.Name)] = &g
	}
	return out, nil
}

func checkEpochs(g DatedGroup) error {
	names := map[string]bool{}
	for i, e := range g.Epochs {
		if !validText(e.Name) || names[e.Name] {
			return fmt.Errorf("epoch %q has no name of its own", e.Name)
		}
		names[e.Name] = true
		if e.From.IsZero() || !e.To.IsZero() && !e.From.Before(e.To) {
			return fmt.Errorf("epoch %s: it has to begin, and before it ends", e.Name)
		}
		if i > 0 {
			before := g.Epochs[i-1]
			if before.To.IsZero() || e.From.Before(before.To) {
				return fmt.Errorf("epoch %s begins before %s ends", e.Name, before.Name)
			}
		}
		for _, m := range e.Members {
			if !IsNation(m) {
				return fmt.Errorf("epoch %s: %q is not a three-letter country code", e.Name, m)
			}
		}
	}
	return nil
}

// IsNation says whether s has the form of an ISO 3166-1 alpha-3 code.
func IsNation(s string) bool {
	return len(s) == 3 && strings.IndexFunc(s, func(r rune) bool { return r < 'A' || r > 'Z' }) < 0
}

// Lookup gives the group of a name.
func (g Groups) Lookup(name string) (DatedGroup, bool) {
	d := g.byName[foldASCII(name)]
	if d == nil {
		return DatedGroup{}, false
	}
	return *d, true
}

// All lists the groups by name.
func (g Groups) All() []DatedGroup {
	var out []DatedGroup
	for _, d := range g.byName {
		out = append(out, *d)
	}
	slices.SortFunc(out, func(a, b DatedGroup) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// At gives the epoch in force at a time.
func (d DatedGroup) At(t time.Time) (Epoch, bool) {
	for _, e := range d.Epochs {
		if !t.Before(e.From) && (e.To.IsZero() || t.Before(e.To)) {
			return e, !t.IsZero()
		}
	}
	return Epoch{}, false
}

// Named gives the epoch of a name.
func (d DatedGroup) Named(name string) (Epoch, bool) {
	for _, e := range d.Epochs {
		if e.Name == name {
			return e, true
		}
	}
	return Epoch{}, false
}

// Has says whether a nation is a member in this epoch. Unsigned membership
// admits nobody.
func (e Epoch) Has(nation string) bool {
	return e.Signer != "" && nation != "" && slices.Contains(e.Members, nation)
}

// standing gives the epochs whose material a nation may see at a time: those
// it was a member of, provided it is a member now. Joining opens nothing old;
// leaving closes everything.
func (d DatedGroup) standing(nation string, at time.Time) []Epoch {
	now, ok := d.At(at)
	if !ok || !now.Has(nation) {
		return nil
	}
	var out []Epoch
	for _, e := range d.Epochs {
		if e.Has(nation) {
			out = append(out, e)
		}
	}
	return out
}
