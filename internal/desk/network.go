package desk

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"causeway/coord"
	"causeway/internal/audit"
	"causeway/internal/people"
	"causeway/internal/vault"
)

// Known is a network to which a person has given a name. It is a working note
// of that person, like the runs, and belongs to nobody else. The network keeps
// its identity from run to run while at least half of its accounts stay
// ([coord.Result.Follow]).
type Known struct {
	ID      string     `json:"id"` // of the community in the run where it was named
	Owner   string     `json:"owner"`
	Name    string     `json:"name"`
	Kind    string     `json:"kind"` // one of NetworkKinds
	Note    string     `json:"note,omitempty"`
	Members []string   `json:"members"` // as last seen
	Runs    []Sighting `json:"runs"`    // oldest first
}

// Sighting is a run in which a known network was.
type Sighting struct {
	Run       string    `json:"run"`
	Title     string    `json:"title"`
	Community string    `json:"community"` // id there
	Accounts  int       `json:"accounts"`
	Started   time.Time `json:"started"` // of the run
}

// NetworkKinds are what a person may take a network for. They are working
// notes: what it is, an assessment says.
var NetworkKinds = []string{"unclear", "amplifiers", "outlets", "automation", "supporters"}

// Limits of a note.
const (
	longestName  = 120
	longestNote  = 2000
	largestKnown = 50_000 // accounts
)

const spaceNetwork = "network"

// NameNetwork keeps what a person calls community n, from 1, of one of their
// runs. A network that is known already, from this run or an earlier one, gets
// the new name; an empty name forgets it.
func (d *Desk) NameNetwork(ctx context.Context, by people.Person, run string, n int, name, kind, note string) error {
	if err := need(by, "name a network", people.Analyst); err != nil {
		return err
	}
	res, r, err := d.Result(ctx, by, run)
	if err != nil {
		return err
	}
	switch {
	case n < 1 || n > len(res.Communities):
		return fmt.Errorf("network %d: the run has 1 to %d", n, len(res.Communities))
	case !slices.Contains(NetworkKinds, kind):
		return fmt.Errorf("kind %q: choose one of %s", kind, strings.Join(NetworkKinds, ", "))
	case len(name) > longestName || len(note) > longestNote:
		return fmt.Errorf("the name may have %d bytes and the note %d; shorten them", longestName, longestNote)
	case len(res.Communities[n-1].Members) > largestKnown:
		return fmt.Errorf("the network has more than %d accounts: too many to be followed", largestKnown)
	}
	known, err := d.KnownIn(ctx, by, r, res)
	if err != nil {
		return err
	}
	k, ok := known[n-1]
	if !ok {
		k = Known{ID: res.Communities[n-1].ID, Owner: by.ID}
	}
	k.Name, k.Kind, k.Note = name, kind, note
	k.sight(r, res, n-1)
	return d.saveKnown(ctx, audit.Act{Actor: by.ReaderID(), Verb: "name-network", Subject: "run:" + r.ID, Detail: map[string]string{"network": k.ID}}, k)
}

// sight notes that the network is community i of a run.
func (k *Known) sight(r Run, res *coord.Result, i int) {
	c := res.Communities[i]
	k.Runs = slices.DeleteFunc(k.Runs, func(s Sighting) bool { return s.Run == r.ID })
	k.Runs = append(k.Runs, Sighting{r.ID, r.Title, c.ID, len(c.Members), r.Started})
	slices.SortStableFunc(k.Runs, func(a, b Sighting) int { return cmp.Or(a.Started.Compare(b.Started), strings.Compare(a.Run, b.Run)) })
	if k.Runs[len(k.Runs)-1].Run == r.ID {
		k.Members = nil
		for _, m := range c.Members {
			k.Members = append(k.Members, res.Nodes[m].Account)
		}
	}
}

func (d *Desk) saveKnown(ctx context.Context, act audit.Act, networks ...Known) error {
	_, err := d.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		for _, k := range networks {
			if k.Name == "" {
				if err := tx.DeleteRecord(spaceNetwork, k.Owner+"/"+k.ID); err != nil {
					return err
				}
				continue
			}
			b, err := json.Marshal(k)
			if err != nil {
				return fmt.Errorf("encode network: %w", err)
			}
			if err := tx.PutRecord(spaceNetwork, k.Owner+"/"+k.ID, b); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// KnownIn gives the person's known networks that are in a result, by the
// place of their community.
func (d *Desk) KnownIn(ctx context.Context, by people.Person, r Run, res *coord.Result) (map[int]Known, error) {
	var all []Known
	err := d.Vault.ScanRecords(ctx, spaceNetwork, by.ID+"/", func(key string, b []byte) error {
		var k Known
		if err := json.Unmarshal(b, &k); err != nil {
			return fmt.Errorf("read network %s: %w", key, err)
		}
		if k.Owner == by.ID {
			all = append(all, k)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	place := map[string]int{}
	for i, c := range res.Communities {
		place[c.ID] = i
	}
	out := map[int]Known{}
	var priors []coord.Prior
	rest := map[string]Known{}
	for _, k := range all {
		if i, ok := k.seenIn(r.ID, place); ok {
			out[i] = k
			continue
		}
		priors = append(priors, coord.Prior{ID: k.ID, Members: k.Members})
		rest[k.ID] = k
	}
	followed, _ := identified(res, priors)
	for i := range followed.Communities {
		if _, taken := out[i]; taken {
			continue
		}
		if k, ok := rest[followed.Communities[i].ID]; ok {
			out[i] = k
		}
	}
	return out, nil
}

// seenIn is the place of the network in a run that it was noted in.
func (k Known) seenIn(run string, place map[string]int) (int, bool) {
	for _, s := range k.Runs {
		if s.Run == run {
			i, ok := place[s.Community]
			return i, ok
		}
	}
	return 0, false
}

// identified is the result with the identities of earlier communities; the
// result itself is shared and stays as it is.
func identified(res *coord.Result, priors []coord.Prior) (*coord.Result, []coord.Change) {
	copied := *res
	copied.Communities = slices.Clone(res.Communities)
	return &copied, copied.Follow(priors)
}

// recognise notes the known networks that a finished run has, so that one that
// changes step by step stays known.
func (d *Desk) recognise(ctx context.Context, r Run, res *coord.Result) error {
	known, err := d.KnownIn(ctx, people.Person{ID: r.Owner}, r, res)
	if err != nil || len(known) == 0 {
		return err
	}
	var seen []Known
	for i, k := range known {
		k.sight(r, res, i)
		seen = append(seen, k)
	}
	return d.saveKnown(ctx, audit.Act{Actor: "node", Verb: "recognised", Subject: "run:" + r.ID, Detail: map[string]string{"networks": fmt.Sprint(len(seen))}}, seen...)
}

// Comparison is what became of the networks of one run in another.
type Comparison struct {
	Before, After Run
	Changes       []coord.Change
	Moved         []Moved
	// Known are the names that the person gave, by the id of the change. Place
	// is the number of a community, from 1, in the later run.
	Known map[string]Known
	Place map[string]int
}

// Moved is how many accounts went from one network to another; "" is none.
type Moved struct {
	From, To string // ids of the changes
	Accounts int
}

// ErrSameRun is the answer to comparing a run with itself.
var ErrSameRun = errors.New("a run cannot be compared with itself")

// Compare follows the networks of the earlier of two of the person's runs into
// the later one.
func (d *Desk) Compare(ctx context.Context, by people.Person, one, other string) (Comparison, error) {
	if one == other {
		return Comparison{}, ErrSameRun
	}
	a, ra, err := d.Result(ctx, by, one)
	if err != nil {
		return Comparison{}, err
	}
	b, rb, err := d.Result(ctx, by, other)
	if err != nil {
		return Comparison{}, err
	}
	if rb.Started.Before(ra.Started) {
		a, ra, b, rb = b, rb, a, ra
	}
	out := Comparison{Before: ra, After: rb, Known: map[string]Known{}, Place: map[string]int{}}
	priors := a.Priors()
	followed, changes := identified(b, priors)
	out.Changes = changes
	for i, c := range followed.Communities {
		out.Place[c.ID] = i + 1
	}
	out.Moved = moved(priors, followed)
	knownA, err := d.KnownIn(ctx, by, ra, a)
	if err != nil {
		return Comparison{}, err
	}
	knownB, err := d.KnownIn(ctx, by, rb, b)
	if err != nil {
		return Comparison{}, err
	}
	for i, k := range knownA {
		out.Known[a.Communities[i].ID] = k
	}
	for i, k := range knownB {
		out.Known[followed.Communities[i].ID] = k
	}
	return out, nil
}

// moved counts the accounts between the networks of two runs.
func moved(priors []coord.Prior, now *coord.Result) []Moved {
	type way struct{ from, to string }
	count := map[way]int{}
	to := map[string]string{}
	for _, c := range now.Communities {
		for _, m := range c.Members {
			to[now.Nodes[m].Account] = c.ID
		}
	}
	for _, p := range priors {
		for _, account := range p.Members {
			count[way{p.ID, to[account]}]++
			delete(to, account)
		}
	}
	for _, id := range to {
		count[way{"", id}]++
	}
	out := make([]Moved, 0, len(count))
	for w, n := range count {
		out = append(out, Moved{w.from, w.to, n})
	}
	slices.SortFunc(out, func(a, b Moved) int {
		return cmp.Or(cmp.Compare(b.Accounts, a.Accounts), strings.Compare(a.From, b.From), strings.Compare(a.To, b.To))
	})
	return out
}
