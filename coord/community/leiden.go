// Package community finds communities in a weighted undirected graph with the
// Leiden algorithm (Traag, Waltman & van Eck 2019,
// doi 10.1038/s41598-019-41695-z): local moving with a queue, refinement,
// aggregation, on compressed sparse rows, in time near linear in the edges.
//
// Results are deterministic for a seed and a numbering of the nodes. Every
// community is connected.
package community

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Edge is one undirected edge; a self loop counts once.
type Edge struct {
	A, B   int
	Weight float64
}

// Options choose the quality function.
type Options struct {
	// Resolution under the constant Potts model is the weight per pair of
	// members that a community must exceed; under modularity it is gamma, where
	// 1 is Newman and Girvan's.
	Resolution float64
	Modularity bool
	Seed       uint64
}

// graph is a network of nodes or, after aggregation, of communities.
type graph struct {
	first  []int32 // first[v]..first[v+1] are v's neighbours; no self loops
	to     []int32
	weight []float64
	size   []float64 // CPM: nodes inside; modularity: their strength
}

// Leiden returns the community of each of n nodes, numbered from 0 in order of
// their first node.
func Leiden(n int, edges []Edge, opt Options) []int {
	g, total := build(n, edges, opt.Modularity)
	gamma := opt.Resolution
	if opt.Modularity && total > 0 {
		gamma /= 2 * total
	}
	random := rand.New(rand.NewPCG(opt.Seed, 0x6c656964656e))
	member := make([]int32, n)
	for i := range member {
		member[i] = int32(i)
	}
	const rounds = 20 // it settles in a few; the bound only guards against a cycle of equal gains
	last := math.Inf(-1)
	for range rounds {
		before := slices.Clone(member)
		member = improve(g, member, gamma, random)
		if samePartition(before, member) {
			break
		}
		if len(edges) < largeNetwork {
			continue
		}
		now := quality(g, member, gamma)
		if now-last < leastGain*total {
			break
		}
		last = now
	}
	return renumber(member)
}

// A large network is done once a round gains next to nothing: where ties are
// many and weak, equally good partitions are without number, and the rounds
// would wander among them.
const (
	largeNetwork = 100_000 // edges
	leastGain    = 1e-3    // of the weight of all edges
)

// quality is the weight inside the communities less what chance would put
// there: gamma for each pair of members.
func quality(g *graph, member []int32, gamma float64) float64 {
	q, held := 0.0, make([]float64, len(member))
	for v, c := range member {
		held[c] += g.size[v]
		q += gamma * g.size[v] * g.size[v] / 2
		for i := g.first[v]; i < g.first[v+1]; i++ {
			if member[g.to[i]] == c {
				q += g.weight[i] / 2
			}
		}
	}
	for _, h := range held {
		q -= gamma * h * h / 2
	}
	return q
}

// improve runs one pass of the algorithm from a partition of g.
func improve(g *graph, member []int32, gamma float64, random *rand.Rand) []int32 {
	top := make([]int32, len(member)) // the node of the aggregate that holds each node
	for i := range top {
		top[i] = int32(i)
	}
	part := compact(slices.Clone(member))
	level := g
	for {
		part = move(level, part, gamma, random)
		communities := count(part)
		if communities == len(level.size) {
			break
		}
		fine := refine(level, part, gamma, random)
		n := count(fine)
		if n == len(level.size) { // refinement merged nothing: aggregate the communities themselves
			fine, n = part, communities
		}
		coarse := make([]int32, n)
		for v, f := range fine {
			coarse[f] = part[v]
		}
		level = aggregate(level, fine, n)
		for i := range top {
			top[i] = fine[top[i]]
		}
		part = compact(coarse)
	}
	out := make([]int32, len(member))
	for i := range out {
		out[i] = part[top[i]]
	}
	return out
}

// move lets each node join the neighbouring community where it gains most,
// until none gains. Ties go to the community met first, so the order of nodes
// and the seed decide, never the machine.
func move(g *graph, part []int32, gamma float64, random *rand.Rand) []int32 {
	n := len(g.size)
	held := make([]float64, n)
	nodes := make([]int32, n)
	for v, c := range part {
		held[c] += g.size[v]
		nodes[c]++
	}
	var empty []int32
	for c := n - 1; c >= 0; c-- {
		if nodes[c] == 0 {
			empty = append(empty, int32(c))
		}
	}
	queue := make([]int32, n)
	for i, v := range random.Perm(n) {
		queue[i] = int32(v)
	}
	queued := make([]bool, n)
	for i := range queued {
		queued[i] = true
	}
	near := newTally(n)
	for len(queue) > 0 {
		v := queue[0]
		queue = queue[1:]
		queued[v] = false
		own := part[v]
		near.clear()
		for i := g.first[v]; i < g.first[v+1]; i++ {
			near.add(part[g.to[i]], g.weight[i])
		}
		held[own] -= g.size[v]
		nodes[own]--
		best, gain := own, near.sum[own]-gamma*g.size[v]*held[own]
		for _, c := range near.touched {
			if d := near.sum[c] - gamma*g.size[v]*held[c]; d > gain+epsilon {
				best, gain = c, d
			}
		}
		if gain < -epsilon && nodes[own] > 0 && len(empty) > 0 {
			best = empty[len(empty)-1]
			empty = empty[:len(empty)-1]
		}
		held[best] += g.size[v]
		nodes[best]++
		if best == own {
			continue
		}
		if nodes[own] == 0 {
			empty = append(empty, own)
		}
		part[v] = best
		for i := g.first[v]; i < g.first[v+1]; i++ {
			if u := g.to[i]; !queued[u] && part[u] != best {
				queued[u] = true
				queue = append(queue, u)
			}
		}
	}
	return compact(part)
}

// epsilon keeps gains that are equal but for rounding from moving anything.
const epsilon = 1e-12

// refine splits each community into well-connected parts: nodes start alone
// and merge, inside their community, with the part where they gain most.
func refine(g *graph, part []int32, gamma float64, random *rand.Rand) []int32 {
	n := len(g.size)
	fine := make([]int32, n)
	held := make([]float64, n) // size of each part
	cut := make([]float64, n)  // weight from each part to the rest of its community
	alone := make([]bool, n)
	whole := make([]float64, n) // size of each community
	for v := range fine {
		fine[v], held[v], alone[v] = int32(v), g.size[v], true
		whole[part[v]] += g.size[v]
		for i := g.first[v]; i < g.first[v+1]; i++ {
			if part[g.to[i]] == part[v] {
				cut[v] += g.weight[i]
			}
		}
	}
	near := newTally(n)
	for _, v := range random.Perm(n) {
		w := whole[part[v]]
		if !alone[v] || cut[v] < gamma*g.size[v]*(w-g.size[v]) {
			continue // merged already, or not well connected to its community
		}
		near.clear()
		for i := g.first[v]; i < g.first[v+1]; i++ {
			if u := g.to[i]; part[u] == part[v] {
				near.add(fine[u], g.weight[i])
			}
		}
		best, gain := fine[v], 0.0
		for _, c := range near.touched {
			if c == fine[v] || cut[c] < gamma*held[c]*(w-held[c])-epsilon {
				continue
			}
			if d := near.sum[c] - gamma*g.size[v]*held[c]; d > gain+epsilon {
				best, gain = c, d
			}
		}
		if best == fine[v] {
			continue
		}
		alone[best] = false
		held[best] += g.size[v]
		cut[best] += cut[v] - 2*near.sum[best]
		alone[v] = false
		fine[v] = best
	}
	return compact(fine)
}

// aggregate makes a node of each part.
func aggregate(g *graph, part []int32, n int) *graph {
	out := &graph{first: make([]int32, n+1), size: make([]float64, n)}
	order := make([]int32, len(part))
	start := make([]int32, n+1)
	for v, c := range part {
		start[c+1]++
		out.size[c] += g.size[v]
	}
	for c := range n {
		start[c+1] += start[c]
	}
	at := slices.Clone(start)
	for v, c := range part {
		order[at[c]] = int32(v)
		at[c]++
	}
	near := newTally(n)
	for c := range n {
		near.clear()
		for _, v := range order[start[c]:start[c+1]] {
			for i := g.first[v]; i < g.first[v+1]; i++ {
				if d := part[g.to[i]]; d != int32(c) {
					near.add(d, g.weight[i])
				}
			}
		}
		for _, d := range near.touched {
			out.to = append(out.to, d)
			out.weight = append(out.weight, near.sum[d])
		}
		out.first[c+1] = int32(len(out.to))
	}
	return out.transposed()
}

// transposed puts the neighbours of every node in ascending order, in linear
// time: the graph is symmetric, so turning it around sorts it.
func (g *graph) transposed() *graph {
	n := len(g.size)
	out := &graph{first: g.first, size: g.size, to: make([]int32, len(g.to)), weight: make([]float64, len(g.to))}
	at := slices.Clone(g.first)
	for v := range int32(n) {
		for i := g.first[v]; i < g.first[v+1]; i++ {
			u := g.to[i]
			out.to[at[u]], out.weight[at[u]] = v, g.weight[i]
			at[u]++
		}
	}
	return out
}

// tally sums weights by community and forgets in time linear in what it holds.
type tally struct {
	sum     []float64
	touched []int32
	in      []bool
}

func newTally(n int) *tally { return &tally{sum: make([]float64, n), in: make([]bool, n)} }

func (t *tally) add(c int32, w float64) {
	if !t.in[c] {
		t.in[c] = true
		t.touched = append(t.touched, c)
	}
	t.sum[c] += w
}

func (t *tally) clear() {
	for _, c := range t.touched {
		t.sum[c], t.in[c] = 0, false
	}
	t.touched = t.touched[:0]
}

// build makes the graph; total is the weight of all edges.
func build(n int, edges []Edge, strength bool) (g *graph, total float64) {
	g = &graph{first: make([]int32, n+1), size: make([]float64, n)}
	for _, e := range edges {
		total += e.Weight
		if strength {
			g.size[e.A] += e.Weight
			g.size[e.B] += e.Weight
		}
		if e.A != e.B {
			g.first[e.A+1]++
			g.first[e.B+1]++
		}
	}
	for v := range n {
		g.first[v+1] += g.first[v]
		if !strength {
			g.size[v] = 1
		}
	}
	g.to, g.weight = make([]int32, g.first[n]), make([]float64, g.first[n])
	at := slices.Clone(g.first[:n])
	put := func(a, b int, w float64) {
		g.to[at[a]], g.weight[at[a]] = int32(b), w
		at[a]++
	}
	for _, e := range edges {
		if e.A != e.B {
			put(e.A, e.B, e.Weight)
			put(e.B, e.A, e.Weight)
		}
	}
	return g, total
}

// compact renumbers parts from 0 in order of their first node, in place.
func compact(part []int32) []int32 {
	number := make([]int32, len(part))
	for i := range number {
		number[i] = -1
	}
	next := int32(0)
	for v, c := range part {
		if number[c] < 0 {
			number[c] = next
			next++
		}
		part[v] = number[c]
	}
	return part
}

func count(part []int32) int {
	n := int32(-1)
	for _, c := range part {
		n = max(n, c)
	}
	return int(n + 1)
}

func samePartition(a, b []int32) bool {
	return slices.Equal(compact(slices.Clone(a)), compact(slices.Clone(b)))
}

func renumber(part []int32) []int {
	part = compact(part)
	out := make([]int, len(part))
	for i, c := range part {
		out[i] = int(c)
	}
	return out
}

// Modularity is Newman and Girvan's quality of a partition at resolution 1.
func Modularity(n int, edges []Edge, part []int) float64 {
	inside, strength := make([]float64, n), make([]float64, n)
	total := 0.0
	for _, e := range edges {
		total += e.Weight
		strength[part[e.A]] += e.Weight
		strength[part[e.B]] += e.Weight
		if part[e.A] == part[e.B] {
			inside[part[e.A]] += e.Weight
		}
	}
	if total == 0 {
		return 0
	}
	q := 0.0
	for c := range inside {
		s := strength[c] / (2 * total)
		q += inside[c]/total - s*s
	}
	return q
}
