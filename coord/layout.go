package coord

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// Point is a place for drawing, each coordinate in [0, 1].
type Point struct{ X, Y float64 }

// layoutNodes is the largest network that is placed node by node; in a larger
// one communities are placed, and their members around their middle.
const layoutNodes = 2500

// Layout places the nodes for drawing: same result and seed, same places, to
// the bit on one architecture. Connected nodes come close, communities stay
// together. Its time is linear in the edges: of a dense network only the
// heaviest edges pull.
func (r *Result) Layout(seed uint64) []Point {
	n := len(r.Nodes)
	if n == 0 {
		return nil
	}
	if n > layoutNodes {
		return unit(r.grouped(seed))
	}
	links := r.pulling()
	start := make([]int, n)
	for i := range start {
		start[i] = r.Nodes[i].Community
	}
	return unit(place(n, links, start, seed))
}

type link struct{ a, b int32 }

// pulling are the edges that draw their ends together: all of them, or the
// drawnLinks heaviest.
func (r *Result) pulling() []link {
	least, room := int64(0), len(r.Edges)
	if len(r.Edges) > drawnLinks {
		weights := make([]int64, len(r.Edges))
		for i := range r.Edges {
			weights[i] = r.Edges[i].Weight
		}
		slices.SortFunc(weights, func(a, b int64) int { return cmp.Compare(b, a) })
		least = weights[drawnLinks-1]
		above, _ := slices.BinarySearchFunc(weights, least, func(w, least int64) int { return cmp.Compare(least, w) })
		room = drawnLinks - above // edges of the least weight that still fit
	}
	var links []link
	for _, e := range r.Edges {
		if e.Weight < least {
			continue
		}
		if e.Weight == least {
			if room == 0 {
				continue
			}
			room--
		}
		links = append(links, link{int32(e.A), int32(e.B)})
	}
	return links
}

// grouped places the largest communities as nodes of a graph of their own, the
// rest in a ring around them, and every member near the middle of its
// community, strongest inside.
func (r *Result) grouped(seed uint64) []Point {
	m := min(len(r.Communities), layoutNodes/2)
	seen := map[link]bool{}
	var links []link
	for _, e := range r.Edges {
		l := link{int32(r.Nodes[e.A].Community), int32(r.Nodes[e.B].Community)}
		if l.a > l.b {
			l.a, l.b = l.b, l.a
		}
		if l.a != l.b && int(l.b) < m && !seen[l] {
			seen[l] = true
			links = append(links, l)
		}
	}
	start := make([]int, m)
	for i := range start {
		start[i] = i
	}
	middle := unit(place(m, links, start, seed))
	at := make([]Point, len(r.Nodes))
	dot := 0.35 / math.Sqrt(float64(len(r.Nodes)))
	for c, com := range r.Communities {
		centre := Point{}
		if c < m {
			centre = middle[c]
		} else {
			angle := 2 * math.Pi * float64(c-m) / float64(len(r.Communities)-m)
			centre = Point{0.5 + 0.85*math.Cos(angle), 0.5 + 0.85*math.Sin(angle)}
		}
		members := slices.Clone(com.Members)
		slices.SortStableFunc(members, func(a, b int) int { return cmp.Compare(r.Nodes[b].Strength, r.Nodes[a].Strength) })
		for i, v := range members { // a sunflower: even density, no overlap
			angle, dist := float64(i)*2.399963, dot*math.Sqrt(float64(i))
			at[v] = Point{centre.X + dist*math.Cos(angle), centre.Y + dist*math.Sin(angle)}
		}
	}
	return at
}

// place is a spring layout of n nodes from a spiral start by community.
func place(n int, edges []link, community []int, seed uint64) []Point {
	at := make([]Point, n)
	links := make([][]int32, n)
	for _, e := range edges {
		links[e.a] = append(links[e.a], e.b)
		links[e.b] = append(links[e.b], e.a)
	}
	random := rand.New(rand.NewPCG(seed, 0x6c61796f7574))
	for i := range at {
		c := float64(community[i])
		angle, dist := c*2.399963, math.Sqrt(c+1)
		at[i] = Point{dist*math.Cos(angle) + 0.3*random.NormFloat64(), dist*math.Sin(angle) + 0.3*random.NormFloat64()}
	}
	rounds := max(50, min(300, 100_000/n))
	force := make([]Point, n)
	for round := range rounds {
		step := 0.5 * (1 - float64(round)/float64(rounds))
		repel(at, force)
		for a, ls := range links {
			for _, b := range ls {
				pull := 1.5 / (1 + math.Log1p(float64(len(ls))))
				force[a].X += (at[b].X - at[a].X) * pull
				force[a].Y += (at[b].Y - at[a].Y) * pull
			}
		}
		for i := range at {
			f := &force[i]
			f.X -= 0.05 * at[i].X
			f.Y -= 0.05 * at[i].Y
			if d := math.Hypot(f.X, f.Y); d > 0 {
				m := math.Min(d, step) / d
				at[i].X += f.X * m
				at[i].Y += f.Y * m
			}
		}
	}
	return at
}

// repel sets force to the push of all other nodes: inside a grid cell and its
// neighbours exactly, beyond them by the cells' centres.
func repel(at, force []Point) {
	lo, hi := Point{math.Inf(1), math.Inf(1)}, Point{math.Inf(-1), math.Inf(-1)}
	for _, p := range at {
		lo.X, lo.Y, hi.X, hi.Y = math.Min(lo.X, p.X), math.Min(lo.Y, p.Y), math.Max(hi.X, p.X), math.Max(hi.Y, p.Y)
	}
	side := max(1, int(math.Sqrt(float64(len(at))/8)))
	side = min(side, 16)
	size := math.Max(math.Max(hi.X-lo.X, hi.Y-lo.Y)/float64(side), 1e-9)
	cell := func(p Point) (int, int) {
		return min(side-1, int((p.X-lo.X)/size)), min(side-1, int((p.Y-lo.Y)/size))
	}
	members := make([][]int32, side*side)
	centre := make([]Point, side*side)
	for i, p := range at {
		x, y := cell(p)
		c := y*side + x
		members[c] = append(members[c], int32(i))
		centre[c].X += p.X
		centre[c].Y += p.Y
	}
	for c, m := range members {
		if len(m) > 0 {
			centre[c].X /= float64(len(m))
			centre[c].Y /= float64(len(m))
		}
	}
	for i, p := range at {
		var f Point
		push := func(q Point, weight float64) {
			dx, dy := p.X-q.X, p.Y-q.Y
			d2 := dx*dx + dy*dy + 1e-6
			f.X += weight * dx / d2
			f.Y += weight * dy / d2
		}
		x, y := cell(p)
		for c, m := range members {
			if len(m) == 0 {
				continue
			}
			if cx, cy := c%side, c/side; cx >= x-1 && cx <= x+1 && cy >= y-1 && cy <= y+1 {
				for _, j := range m {
					if int(j) != i {
						push(at[j], 1)
					}
				}
				continue
			}
			push(centre[c], float64(len(m)))
		}
		force[i] = Point{f.X * 0.02, f.Y * 0.02}
	}
}

// unit scales the places into [0, 1], keeping proportions.
func unit(at []Point) []Point {
	lo, hi := at[0], at[0]
	for _, p := range at {
		lo.X, lo.Y, hi.X, hi.Y = math.Min(lo.X, p.X), math.Min(lo.Y, p.Y), math.Max(hi.X, p.X), math.Max(hi.Y, p.Y)
	}
	size := math.Max(math.Max(hi.X-lo.X, hi.Y-lo.Y), 1e-9)
	padX, padY := (size-(hi.X-lo.X))/2, (size-(hi.Y-lo.Y))/2
	for i := range at {
		at[i] = Point{round4((at[i].X - lo.X + padX) / size), round4((at[i].Y - lo.Y + padY) / size)}
	}
	return at
}

// round4 makes drawings stable: four digits are finer than any screen.
func round4(x float64) float64 { return math.Round(x*1e4) / 1e4 }
