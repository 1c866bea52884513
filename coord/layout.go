package coord

import (
	"math"
	"math/rand/v2"
)

// Point is a place for drawing, each coordinate in [0, 1].
type Point struct{ X, Y float64 }

// Layout places the nodes for drawing: same result and seed, same places, to
// the bit on one architecture. Connected nodes come close; components are set
// beside each other, the largest in the middle.
func (r *Result) Layout(seed uint64) []Point {
	n := len(r.Nodes)
	at := make([]Point, n)
	if n == 0 {
		return at
	}
	links := make([][]int32, n)
	for _, e := range r.Edges {
		links[e.A] = append(links[e.A], int32(e.B))
		links[e.B] = append(links[e.B], int32(e.A))
	}
	random := rand.New(rand.NewPCG(seed, 0x6c61796f7574))
	for i := range at { // a start that keeps communities together
		c := float64(r.Nodes[i].Community)
		angle, dist := c*2.399963, math.Sqrt(c+1)
		at[i] = Point{dist*math.Cos(angle) + 0.3*random.NormFloat64(), dist*math.Sin(angle) + 0.3*random.NormFloat64()}
	}
	rounds := 300
	if n > 2000 {
		rounds = 120
	}
	force := make([]Point, n)
	for round := range rounds {
		step := 0.5 * (1 - float64(round)/float64(rounds))
		repel(at, force)
		for a, ls := range links {
			for _, b := range ls {
				dx, dy := at[b].X-at[a].X, at[b].Y-at[a].Y
				d := math.Sqrt(dx*dx+dy*dy) + 1e-9
				f := d / (1 + math.Log1p(float64(len(ls))))
				force[a].X += dx * f / d * 1.5
				force[a].Y += dy * f / d * 1.5
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
	return unit(at)
}

// repel sets force to the push of all other nodes: inside a grid cell and its
// neighbours exactly, beyond them by the cells' centres.
func repel(at, force []Point) {
	lo, hi := Point{math.Inf(1), math.Inf(1)}, Point{math.Inf(-1), math.Inf(-1)}
	for _, p := range at {
		lo.X, lo.Y, hi.X, hi.Y = math.Min(lo.X, p.X), math.Min(lo.Y, p.Y), math.Max(hi.X, p.X), math.Max(hi.Y, p.Y)
	}
	side := max(1, int(math.Sqrt(float64(len(at))/8)))
	side = min(side, 48)
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
