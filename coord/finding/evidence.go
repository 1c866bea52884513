package finding

import (
	"cmp"
	"slices"

	"causeway/coord"
)

// coincidence is one object on which accounts of a network were in sync.
type coincidence struct {
	kind   coord.Kind
	object string
	edges  int // edges of the network that it supports
	posts  []shared
}

// shared is one post.
type shared struct {
	node    int
	content string
	time    int64 // microseconds
}

// evidence gathers the coincidences of each wanted network, those that support
// most edges first.
func (b *builder) evidence(communities []int) (map[int][]coincidence, error) {
	type place struct {
		community int
		kind      coord.Kind
		object    string
	}
	wanted := map[int]bool{}
	for _, c := range communities {
		wanted[c] = true
	}
	found := map[place]*coincidence{}
	for i, edge := range b.r.Edges {
		c := b.r.Nodes[edge.A].Community
		if c != b.r.Nodes[edge.B].Community || !wanted[c] {
			continue
		}
		for e, err := range b.r.Evidence(i) {
			if err != nil {
				return nil, err
			}
			at := place{c, e.Kind, e.Object}
			if found[at] == nil {
				found[at] = &coincidence{kind: e.Kind, object: e.Object}
			}
			found[at].edges++
			found[at].posts = append(found[at].posts, shared{edge.A, e.ContentA, e.TimeA}, shared{edge.B, e.ContentB, e.TimeB})
		}
	}
	out := map[int][]coincidence{}
	for at, c := range found {
		slices.SortFunc(c.posts, func(x, y shared) int {
			return cmp.Or(cmp.Compare(x.time, y.time), cmp.Compare(x.node, y.node), cmp.Compare(x.content, y.content))
		})
		c.posts = slices.Compact(c.posts)
		out[at.community] = append(out[at.community], *c)
	}
	for _, cs := range out {
		slices.SortFunc(cs, func(x, y coincidence) int {
			return cmp.Or(cmp.Compare(y.edges, x.edges), cmp.Compare(x.kind, y.kind), cmp.Compare(x.object, y.object))
		})
	}
	return out, nil
}

// span is the time of the first and last post.
func span(cs []coincidence) (first, last int64) {
	for i, c := range cs {
		a, b := c.posts[0].time, c.posts[len(c.posts)-1].time
		if i == 0 {
			first, last = a, b
		}
		first, last = min(first, a), max(last, b)
	}
	return first, last
}
