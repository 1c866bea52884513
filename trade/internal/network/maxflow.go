package network

// graph is one part as a residual network with a source and a sink, in units
// of 1/den. Edge e and its reverse e^1 stand side by side.
type graph struct {
	n            int // nodes, source and sink included
	source, sink int32
	first        []int32 // edges of node v: list[first[v]:first[v+1]]
	list         []int32
	to           []int32
	left         []wide // residual capacity
	arc          []int32
	asked        wide // what the sink wants in all
	level, next  []int32
	queue        []int32
}

// local builds the residual network of a part where every demand asks for
// num/den of its amount.
func (s *solver) local(p part, num, den int64) *graph {
	n := len(p.nodes) + 2
	g := &graph{n: n, source: int32(n - 2), sink: int32(n - 1), level: make([]int32, n), next: make([]int32, n), queue: make([]int32, 0, n)}
	home := s.side[p.nodes[0]]
	for i, v := range p.nodes {
		s.at[v] = int32(i)
	}
	var from []int32
	edge := func(a, b int32, c wide, arc int32) {
		from = append(from, a, b)
		g.to = append(g.to, b, a)
		g.left = append(g.left, c, wide{})
		g.arc = append(g.arc, arc)
	}
	for i, v := range p.nodes {
		for _, k := range s.out[v] {
			if a := s.Arcs[k]; s.side[a.To] == home && a.Cap != 0 {
				edge(int32(i), s.at[a.To], times(s.capOf(a), den), k)
			}
		}
		switch b := s.balance[v]; {
		case b > 0:
			edge(g.source, int32(i), times(b, den), -1)
		case b < 0:
			edge(int32(i), g.sink, times(-b, den), -1)
			g.asked = g.asked.plus(times(-b, den))
		}
	}
	for _, k := range p.demands {
		d := s.Demands[k]
		c := d.ask(num, den)
		edge(s.at[d.Node], g.sink, c, -1)
		g.asked = g.asked.plus(c)
	}
	g.index(from)
	return g
}

func (g *graph) index(from []int32) {
	g.first = make([]int32, g.n+1)
	for _, v := range from {
		g.first[v+1]++
	}
	for v := range g.n {
		g.first[v+1] += g.first[v]
	}
	g.list = make([]int32, len(from))
	fill := append([]int32(nil), g.first[:g.n]...)
	for e, v := range from {
		g.list[fill[v]] = int32(e)
		fill[v]++
	}
}

// maxFlow sends as much as possible from source to sink (Dinic's algorithm)
// and returns how much.
func (g *graph) maxFlow() wide {
	var total wide
	for g.levels() {
		copy(g.next, g.first[:g.n])
		for {
			sent := g.push(g.source, most)
			if sent.zero() {
				break
			}
			total = total.plus(sent)
		}
	}
	return total
}

// levels numbers the nodes by distance from the source and reports whether the
// sink is within reach.
func (g *graph) levels() bool {
	for v := range g.level {
		g.level[v] = -1
	}
	g.level[g.source] = 0
	g.queue = append(g.queue[:0], g.source)
	for i := 0; i < len(g.queue); i++ {
		v := g.queue[i]
		for _, e := range g.list[g.first[v]:g.first[v+1]] {
			if w := g.to[e]; g.level[w] < 0 && !g.left[e].zero() {
				g.level[w] = g.level[v] + 1
				g.queue = append(g.queue, w)
			}
		}
	}
	return g.level[g.sink] >= 0
}

// push sends up to limit from v on towards the sink, along several paths.
func (g *graph) push(v int32, limit wide) wide {
	if v == g.sink {
		return limit
	}
	var sent wide
	for ; g.next[v] < g.first[v+1]; g.next[v]++ {
		e := g.list[g.next[v]]
		w := g.to[e]
		if g.left[e].zero() || g.level[w] != g.level[v]+1 {
			continue
		}
		d := g.push(w, least(limit.minus(sent), g.left[e]))
		if d.zero() {
			continue
		}
		g.left[e] = g.left[e].minus(d)
		g.left[e^1] = g.left[e^1].plus(d)
		sent = sent.plus(d)
		if !sent.less(limit) {
			return sent
		}
	}
	return sent
}

// reachable tells which nodes the source still reaches: the near side of the
// minimum cut.
func (g *graph) reachable() []bool {
	g.levels()
	r := make([]bool, g.n)
	for v, l := range g.level {
		r[v] = l >= 0
	}
	return r
}
