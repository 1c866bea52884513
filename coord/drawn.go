package coord

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Limits of what is drawn account by account, and of the marks of a picture
// that is drawn community by community.
const (
	DrawnNodes       = 5000
	DrawnCommunities = 2000
	drawnLinks       = 20_000
)

// Drawn is the network as pictures show it, and in words what they leave out.
// Up to DrawnNodes accounts it is the result itself. A larger one has a node
// for each community, at most DrawnCommunities of them, the largest, named by
// id and number of members; its edges are the sums of those between the
// members, the heaviest. Only its nodes, edges and communities are set.
func (r *Result) Drawn() (*Result, string) {
	if len(r.Nodes) <= DrawnNodes {
		return r, ""
	}
	m := min(len(r.Communities), DrawnCommunities)
	d := &Result{Nodes: make([]Node, m), Communities: make([]Community, m), Summary: r.Summary}
	for i, c := range r.Communities[:m] {
		n := &d.Nodes[i]
		n.Account, n.Strength, n.Community = fmt.Sprintf("%s (%d)", c.ID, len(c.Members)), c.Weight, i
		for _, v := range c.Members {
			n.Posts += r.Nodes[v].Posts
		}
		d.Communities[i] = Community{ID: c.ID, Members: []int{i}}
	}
	d.Edges = between(r, m)
	d.Summary.Network.MaxWeight = 0
	for _, e := range d.Edges {
		d.Nodes[e.A].Degree++
		d.Nodes[e.B].Degree++
		d.Summary.Network.MaxWeight = max(d.Summary.Network.MaxWeight, e.Weight)
	}
	return d, fmt.Sprintf("pictures show communities instead of accounts: %d accounts are more than %d; the %d largest of %d communities are drawn", len(r.Nodes), DrawnNodes, m, len(r.Communities))
}

// between sums the edges between the first m communities and keeps the
// heaviest, in order of their ends.
func between(r *Result, m int) []Edge {
	at, nan := map[[2]int]int{}, math.NaN()
	var out []Edge
	for i := range r.Edges {
		e := &r.Edges[i]
		a, b := r.Nodes[e.A].Community, r.Nodes[e.B].Community
		if a > b {
			a, b = b, a
		}
		if a == b || b >= m {
			continue
		}
		j, ok := at[[2]int{a, b}]
		if !ok {
			j = len(out)
			at[[2]int{a, b}] = j
			out = append(out, Edge{A: a, B: b, P: nan, Q: nan, MeanDelta: nan, FirstShareA: nan, PSync: nan, QSync: nan, POverlap: nan, QOverlap: nan, Symmetry: nan})
		}
		o := &out[j]
		o.Weight, o.PostPairs, o.Objects = o.Weight+e.Weight, o.PostPairs+e.PostPairs, o.Objects+e.Objects
		o.PostsA, o.PostsB = o.PostsA+e.PostsA, o.PostsB+e.PostsB
	}
	slices.SortFunc(out, func(x, y Edge) int {
		return cmp.Or(cmp.Compare(y.Weight, x.Weight), cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B))
	})
	out = out[:min(len(out), drawnLinks)]
	slices.SortFunc(out, func(x, y Edge) int { return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B)) })
	return out
}
