package network

import "math"

// tree is the state of the network simplex method. Nodes 0..n-1 are those of
// the part, node n is the root: supplies that are left over end there, and
// demands start out as served from there at a prohibitive cost.
type tree struct {
	from, to []int32
	cap      []wide
	cost     []int64
	flow     []wide
	state    []int8 // of arcs outside the tree: +1 at zero, -1 at capacity; 0 inside

	parent     []int32
	pred       []int32 // arc to the parent
	up         []bool  // the arc runs from the node to its parent
	depth      []int32
	potential  []int64
	child      []int32 // first child; siblings are doubly linked
	next, prev []int32
	stack      []int32
	block, pos int
}

// cheapest finds the cheapest flow of a part whose demands get num/den and
// records it. g holds some feasible flow, which is kept where nothing costs.
func (s *solver) cheapest(p part, g *graph, num, den int64) {
	free := true
	for _, k := range g.arc {
		if k >= 0 && s.Arcs[k].Cost > 0 {
			free = false
			break
		}
	}
	if free {
		for e, k := range g.arc {
			if k >= 0 {
				s.sol.flow[k], s.sol.den[k] = g.left[2*e+1], den
			}
		}
		return
	}
	t, arcs := s.tree(p, g, num, den)
	for t.pivot() {
	}
	for e, k := range arcs {
		s.sol.flow[k], s.sol.den[k] = t.flow[e], den
	}
}

// tree builds the starting tree: every node hangs from the root.
func (s *solver) tree(p part, g *graph, num, den int64) (*tree, []int32) {
	n := len(p.nodes)
	t := &tree{parent: make([]int32, n+1), pred: make([]int32, n+1), up: make([]bool, n+1), depth: make([]int32, n+1),
		potential: make([]int64, n+1), child: make([]int32, n+1), next: make([]int32, n+1), prev: make([]int32, n+1)}
	var arcs []int32
	highest := int64(0)
	for e, k := range g.arc {
		if k < 0 {
			continue
		}
		a := s.Arcs[k]
		t.arc(g.to[2*e+1], g.to[2*e], times(s.capOf(a), den), a.Cost, 1)
		arcs = append(arcs, k)
		highest = max(highest, a.Cost)
	}
	need := make([]wide, n)
	for _, k := range p.demands {
		d := s.Demands[k]
		need[s.at[d.Node]] = need[s.at[d.Node]].plus(d.ask(num, den))
	}
	prohibitive := (highest + 1) * int64(n+1)
	root := int32(n)
	t.parent[root], t.pred[root], t.child[root] = -1, -1, -1
	for v := range int32(n) {
		t.child[v] = -1
		has, wants := wide{}, need[v]
		if b := s.balance[p.nodes[v]]; b > 0 {
			has = times(b, den)
		} else if b < 0 {
			wants = wants.plus(times(-b, den))
		}
		e := int32(len(t.from))
		t.pred[v], t.depth[v] = e, 1
		if has.less(wants) {
			t.arc(root, v, most, prohibitive, 0)
			t.flow[e] = wants.minus(has)
			t.potential[v] = prohibitive
		} else {
			t.arc(v, root, most, 0, 0)
			t.flow[e] = has.minus(wants)
			t.up[v] = true
		}
		t.hang(v, root)
	}
	t.block = max(16, int(math.Sqrt(float64(len(t.from)))))
	return t, arcs
}

func (t *tree) arc(from, to int32, c wide, cost int64, state int8) {
	t.from, t.to = append(t.from, from), append(t.to, to)
	t.cap, t.cost = append(t.cap, c), append(t.cost, cost)
	t.flow, t.state = append(t.flow, wide{}), append(t.state, state)
}

func (t *tree) hang(v, under int32) {
	t.parent[v] = under
	t.prev[v], t.next[v] = -1, t.child[under]
	if c := t.child[under]; c >= 0 {
		t.prev[c] = v
	}
	t.child[under] = v
}

func (t *tree) unhang(v int32) {
	if t.prev[v] >= 0 {
		t.next[t.prev[v]] = t.next[v]
	} else {
		t.child[t.parent[v]] = t.next[v]
	}
	if t.next[v] >= 0 {
		t.prev[t.next[v]] = t.prev[v]
	}
}

// entering finds an arc that would make the flow cheaper: the best of the
// first block of arcs that holds one.
func (t *tree) entering() int32 {
	best, found, left := int64(0), int32(-1), t.block
	for range len(t.from) {
		if t.pos++; t.pos >= len(t.from) {
			t.pos = 0
		}
		e := t.pos
		// Reduced cost, positive where the arc at its present bound pays.
		if gain := int64(t.state[e]) * (t.potential[t.to[e]] - t.potential[t.from[e]] - t.cost[e]); gain > best {
			best, found = gain, int32(e)
		}
		if left--; left == 0 {
			if found >= 0 {
				return found
			}
			left = t.block
		}
	}
	return found
}

// pivot makes one exchange and reports false when the flow is optimal.
func (t *tree) pivot() bool {
	in := t.entering()
	if in < 0 {
		return false
	}
	first, second := t.from[in], t.to[in]
	if t.state[in] < 0 {
		first, second = second, first
	}
	join := t.join(first, second)
	delta, out, onFirst := t.leaving(in, first, second, join)
	if !delta.zero() {
		t.send(in, first, second, join, delta)
	}
	if out < 0 {
		t.state[in] = -t.state[in]
		return true
	}
	// The subtree under the leaving arc moves to the other end of the
	// entering one.
	gone := t.pred[out]
	if t.flow[gone].zero() {
		t.state[gone] = 1
	} else {
		t.state[gone] = -1
	}
	t.state[in] = 0
	inner, outer := second, first
	if onFirst {
		inner, outer = first, second
	}
	t.reroot(inner, outer, out, in)
	return true
}

func (t *tree) join(a, b int32) int32 {
	for a != b {
		if t.depth[a] >= t.depth[b] {
			a = t.parent[a]
		} else {
			b = t.parent[b]
		}
	}
	return a
}

// leaving finds how much can go round the cycle and which tree arc blocks it:
// the last blocking one seen from the join in the direction of the flow, which
// keeps the tree strongly feasible. out is the lower node of that arc, or -1
// when the entering arc itself is the limit.
func (t *tree) leaving(in, first, second, join int32) (delta wide, out int32, onFirst bool) {
	delta, out = t.cap[in], -1
	for v := first; v != join; v = t.parent[v] {
		e := t.pred[v]
		d := t.flow[e]
		if !t.up[v] {
			d = t.cap[e].minus(d)
		}
		if d.less(delta) {
			delta, out, onFirst = d, v, true
		}
	}
	for v := second; v != join; v = t.parent[v] {
		e := t.pred[v]
		d := t.flow[e]
		if t.up[v] {
			d = t.cap[e].minus(d)
		}
		if !delta.less(d) {
			delta, out, onFirst = d, v, false
		}
	}
	return delta, out, onFirst
}

func (t *tree) send(in, first, second, join int32, delta wide) {
	add := func(e int32, more bool) {
		if more {
			t.flow[e] = t.flow[e].plus(delta)
		} else {
			t.flow[e] = t.flow[e].minus(delta)
		}
	}
	add(in, t.state[in] > 0)
	for v := first; v != join; v = t.parent[v] {
		add(t.pred[v], !t.up[v])
	}
	for v := second; v != join; v = t.parent[v] {
		add(t.pred[v], t.up[v])
	}
}

// reroot turns the path from inner up to out around, hangs inner under outer
// by the arc in, and renews depths and potentials below.
func (t *tree) reroot(inner, outer, out, in int32) {
	v, under, by := inner, outer, in
	for {
		above, arc := t.parent[v], t.pred[v]
		t.unhang(v)
		t.hang(v, under)
		t.pred[v], t.up[v] = by, t.from[by] == v
		if v == out {
			break
		}
		v, under, by = above, v, arc
	}
	t.stack = append(t.stack[:0], inner)
	for len(t.stack) > 0 {
		v := t.stack[len(t.stack)-1]
		t.stack = t.stack[:len(t.stack)-1]
		p, e := t.parent[v], t.pred[v]
		t.depth[v] = t.depth[p] + 1
		if t.up[v] {
			t.potential[v] = t.potential[p] - t.cost[e]
		} else {
			t.potential[v] = t.potential[p] + t.cost[e]
		}
		for c := t.child[v]; c >= 0; c = t.next[c] {
			t.stack = append(t.stack, c)
		}
	}
}
