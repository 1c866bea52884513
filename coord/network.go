package coord

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"

	"causeway/coord/community"
)

// Community is a set of accounts more tied to each other than to the rest.
type Community struct {
	ID      string // made from its members, or carried over by [Result.Follow]
	Members []int  // indexes into Nodes, ascending
	Edges   int    // edges inside
	Weight  int64  // their weights
}

// finish computes what every semantics reports of a network: components and
// communities.
func finish(r *Result, opt *Options) error {
	n := &r.Summary.Network
	n.Edges, n.Nodes = len(r.Edges), len(r.Nodes)
	component := components(r)
	size := make([]int, len(component))
	for _, c := range component {
		if size[c]++; size[c] == 1 {
			n.Components++
		}
		n.Largest = max(n.Largest, size[c])
	}
	edges := make([]community.Edge, len(r.Edges))
	for i, e := range r.Edges {
		n.MaxWeight = max(n.MaxWeight, e.Weight)
		edges[i] = community.Edge{A: e.A, B: e.B, Weight: float64(e.Weight)}
	}
	part := community.Leiden(len(r.Nodes), edges, community.Options{Resolution: opt.Resolution, Modularity: opt.Modularity, Seed: opt.Seed})
	n.Modularity = community.Modularity(len(r.Nodes), edges, part)
	r.gather(part)
	n.Communities = len(r.Communities)
	return nil
}

// components gives each node the smallest node it can be reached from.
func components(r *Result) []int {
	parent := make([]int, len(r.Nodes))
	for i := range parent {
		parent[i] = i
	}
	find := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	for _, e := range r.Edges {
		a, b := find(e.A), find(e.B)
		parent[max(a, b)] = min(a, b)
	}
	for i := range parent {
		parent[i] = find(i)
	}
	return parent
}

// gather makes the communities of a partition, largest first, then by first
// member.
func (r *Result) gather(part []int) {
	members := map[int][]int{}
	for v, c := range part {
		members[c] = append(members[c], v)
	}
	r.Communities = r.Communities[:0]
	for _, m := range members {
		r.Communities = append(r.Communities, Community{Members: m})
	}
	slices.SortFunc(r.Communities, func(a, b Community) int {
		return cmp.Or(cmp.Compare(len(b.Members), len(a.Members)), cmp.Compare(a.Members[0], b.Members[0]))
	})
	for i := range r.Communities {
		c := &r.Communities[i]
		h := sha256.New()
		for _, v := range c.Members {
			r.Nodes[v].Community = i
			io.WriteString(h, r.Nodes[v].Account+"\x00")
		}
		c.ID = "n-" + hex.EncodeToString(h.Sum(nil)[:4])
	}
	for _, e := range r.Edges {
		if c := r.Nodes[e.A].Community; c == r.Nodes[e.B].Community {
			r.Communities[c].Edges++
			r.Communities[c].Weight += e.Weight
		}
	}
}
