package coord

import (
	"cmp"
	"slices"
	"strings"
)

// Prior is a community of an earlier run.
type Prior struct {
	ID      string   `json:"id"`
	Members []string `json:"members"` // accounts, sorted
}

// Change says what became of a community since the earlier run.
type Change struct {
	ID   string // of the community now, or of the one that is gone
	What string // born, same, grew, shrank, changed, merged, split, gone
	// From are the earlier communities that members came from, largest part
	// first; To, of one that is gone, where they went.
	From, To      []string
	Before, After int // members
}

// sameCommunity is the least Jaccard similarity at which a community keeps its
// identity.
const sameCommunity = 0.5

// Priors are the communities of the result, for the next run to follow.
func (r *Result) Priors() []Prior {
	out := make([]Prior, len(r.Communities))
	for i, c := range r.Communities {
		out[i].ID = c.ID
		for _, m := range c.Members {
			out[i].Members = append(out[i].Members, r.Nodes[m].Account)
		}
	}
	return out
}

// Follow gives each community the identity of the earlier one with which it
// has most members in common, if their Jaccard similarity is at least one half
// and no other claims it with more; the rest are born. It returns what changed,
// by id.
func (r *Result) Follow(prior []Prior) []Change {
	type match struct {
		now, before, common int
		jaccard             float64
	}
	before := map[string]int{}
	for i, p := range prior {
		for _, a := range p.Members {
			before[a] = i
		}
	}
	common := map[[2]int]int{}
	for i, c := range r.Communities {
		for _, m := range c.Members {
			if j, ok := before[r.Nodes[m].Account]; ok {
				common[[2]int{i, j}]++
			}
		}
	}
	var matches []match
	from, to := make([][]match, len(r.Communities)), make([][]match, len(prior))
	for k, n := range common {
		union := len(r.Communities[k[0]].Members) + len(prior[k[1]].Members) - n
		m := match{k[0], k[1], n, float64(n) / float64(union)}
		matches = append(matches, m)
		from[k[0]], to[k[1]] = append(from[k[0]], m), append(to[k[1]], m)
	}
	order := func(a, b match) int {
		return cmp.Or(cmp.Compare(b.jaccard, a.jaccard), cmp.Compare(b.common, a.common), strings.Compare(prior[a.before].ID, prior[b.before].ID), cmp.Compare(a.now, b.now))
	}
	slices.SortFunc(matches, order)
	kept, claimed := map[int]int{}, map[int]int{}
	for _, m := range matches {
		_, has := kept[m.now]
		_, taken := claimed[m.before]
		if !has && !taken && m.jaccard >= sameCommunity {
			kept[m.now], claimed[m.before] = m.before, m.now
			r.Communities[m.now].ID = prior[m.before].ID
		}
	}
	var out []Change
	for i := range r.Communities {
		slices.SortFunc(from[i], order)
		out = append(out, r.change(i, kept, func(c *Change) {
			for _, m := range from[i] {
				c.From = append(c.From, prior[m.before].ID)
			}
		}, prior))
	}
	for j, p := range prior {
		if _, ok := claimed[j]; ok {
			continue
		}
		slices.SortFunc(to[j], order)
		c := Change{ID: p.ID, What: "gone", Before: len(p.Members)}
		for _, m := range to[j] {
			c.To = append(c.To, r.Communities[m.now].ID)
		}
		if len(to[j]) > 1 {
			c.What = "split"
		} else if len(to[j]) == 1 {
			c.What = "merged"
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Change) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.What, b.What)) })
	return out
}

func (r *Result) change(i int, kept map[int]int, origins func(*Change), prior []Prior) Change {
	c := Change{ID: r.Communities[i].ID, After: len(r.Communities[i].Members), What: "born"}
	origins(&c)
	j, ok := kept[i]
	if !ok {
		return c
	}
	c.Before = len(prior[j].Members)
	var members []string
	for _, m := range r.Communities[i].Members {
		members = append(members, r.Nodes[m].Account)
	}
	switch {
	case slices.Equal(members, prior[j].Members):
		c.What = "same"
	case c.After > c.Before:
		c.What = "grew"
	case c.After < c.Before:
		c.What = "shrank"
	default:
		c.What = "changed"
	}
	return c
}
