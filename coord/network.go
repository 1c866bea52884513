package coord

// Community is a set of accounts more tied to each other than to the rest.
type Community struct {
	ID      string // stable: derived from its members
	Members []int  // indexes into Nodes, ascending
	Edges   int    // edges inside
	Weight  int64  // their weights
}

// finish computes what every semantics reports of a network.
func finish(r *Result, opt *Options) error {
	n := &r.Summary.Network
	n.Edges, n.Nodes = len(r.Edges), len(r.Nodes)
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
		n.MaxWeight = max(n.MaxWeight, e.Weight)
		a, b := find(e.A), find(e.B)
		parent[max(a, b)] = min(a, b)
	}
	size := make([]int, len(parent))
	for i := range parent {
		root := find(i)
		if size[root]++; size[root] == 1 {
			n.Components++
		}
		n.Largest = max(n.Largest, size[root])
	}
	return nil
}
