package network

import (
	"errors"
	"math/big"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// TestExample is the worked example of the reference, section 6.3.
func TestExample(t *testing.T) {
	// S1 S2 J1 J2 J3
	p := &Problem{Supply: []int64{60, 40, 0, 0, 0},
		Arcs:    []Arc{{0, 2, -1, 0}, {0, 3, -1, 0}, {1, 3, -1, 0}, {1, 4, 20, 0}},
		Demands: []Demand{{Node: 2, Amount: 50}, {Node: 3, Amount: 60}, {Node: 4, Amount: 40}}}
	s, err := Solve(p)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Groups) != 2 || s.Groups[0].Num != 1 || s.Groups[0].Den != 2 || s.Groups[1].Num != 8 || s.Groups[1].Den != 11 {
		t.Fatalf("groups %+v; want J3 at 1/2, then J1 and J2 at 8/11", s.Groups)
	}
	if got := s.Flow(0); got.Cmp(big.NewRat(400, 11)) != 0 {
		t.Errorf("J1 gets %v, want 400/11 = 36.363636", got)
	}
}

func random(t *rapid.T) *Problem {
	n := rapid.IntRange(2, 9).Draw(t, "nodes")
	p := &Problem{Supply: make([]int64, n)}
	for v := range n {
		if rapid.IntRange(0, 2).Draw(t, "supplier") == 0 {
			p.Supply[v] = rapid.Int64Range(0, 60).Draw(t, "supply")
		}
		for w := range n {
			if v != w && rapid.IntRange(0, 2).Draw(t, "arc") == 0 {
				c := rapid.Int64Range(-1, 30).Draw(t, "cap")
				p.Arcs = append(p.Arcs, Arc{v, w, c, rapid.Int64Range(0, 9).Draw(t, "cost")})
			}
		}
		if rapid.IntRange(0, 1).Draw(t, "asks") == 0 {
			p.Demands = append(p.Demands, Demand{Node: v, Amount: rapid.Int64Range(1, 50).Draw(t, "amount")})
		}
	}
	return p
}

// met gives each demand's fraction and checks that the flow carries it exactly.
func met(t interface{ Fatalf(string, ...any) }, p *Problem, s *Solution) []*big.Rat {
	out := make([]*big.Rat, len(p.Demands))
	for _, g := range s.Groups {
		for _, k := range g.Demands {
			out[k] = big.NewRat(g.Num, g.Den)
		}
	}
	left := make([]*big.Rat, len(p.Supply))
	for v, b := range p.Supply {
		left[v] = new(big.Rat).SetInt64(b)
	}
	for k, a := range p.Arcs {
		f := s.Flow(k)
		if f.Sign() < 0 || (a.Cap >= 0 && f.Cmp(new(big.Rat).SetInt64(a.Cap)) > 0) {
			t.Fatalf("arc %+v carries %v", a, f)
		}
		left[a.From].Sub(left[a.From], f)
		left[a.To].Add(left[a.To], f)
	}
	for k, d := range p.Demands {
		if out[k] == nil {
			t.Fatalf("demand %d has no fraction", k)
		}
		left[d.Node].Sub(left[d.Node], new(big.Rat).Mul(out[k], new(big.Rat).SetInt64(d.Amount)))
	}
	for v := range left {
		if left[v].Sign() < 0 {
			t.Fatalf("node %d is short by %v", v, left[v])
		}
	}
	return out
}

// TestFairness: no demand can have more without another, as badly off or
// worse, having less. For each group the demands up to it cannot get more
// together: their maximum flow, all others asking for nothing, is what they
// have, when those better off are left out.
func TestFairness(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := random(t)
		s, err := Solve(p)
		if err != nil {
			t.Fatal(err)
		}
		fractions := met(t, p, s)
		for _, g := range s.Groups {
			if g.Num == g.Den {
				continue
			}
			level := big.NewRat(g.Num, g.Den)
			q := &Problem{Supply: p.Supply, Arcs: p.Arcs}
			got := new(big.Rat)
			for k, d := range p.Demands {
				if fractions[k].Cmp(level) <= 0 {
					q.Demands = append(q.Demands, d)
					got.Add(got, new(big.Rat).Mul(fractions[k], new(big.Rat).SetInt64(d.Amount)))
				}
			}
			sub := &solver{Problem: q, balance: p.Supply, side: make([]int32, len(p.Supply)), at: make([]int32, len(p.Supply)), out: make([][]int32, len(p.Supply)), limit: 1 << 40}
			whole := part{}
			for v := range p.Supply {
				whole.nodes = append(whole.nodes, int32(v))
			}
			for k, a := range p.Arcs {
				sub.out[a.From] = append(sub.out[a.From], int32(k))
			}
			for k := range q.Demands {
				whole.demands = append(whole.demands, int32(k))
			}
			if most := new(big.Rat).SetInt(sub.local(whole, 1, 1).maxFlow().big()); most.Cmp(got) != 0 {
				t.Fatalf("those at or below %v could get %v together, they get %v", level, most, got)
			}
		}
	})
}

// TestOrderDoesNotMatter: fractions and cost are the same when nodes, arcs and
// demands are listed in another order.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := random(t)
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		to := rng.Perm(len(p.Supply))
		q := &Problem{Supply: make([]int64, len(p.Supply))}
		for v, b := range p.Supply {
			q.Supply[to[v]] = b
		}
		for _, k := range rng.Perm(len(p.Arcs)) {
			a := p.Arcs[k]
			q.Arcs = append(q.Arcs, Arc{to[a.From], to[a.To], a.Cap, a.Cost})
		}
		order := rng.Perm(len(p.Demands))
		for _, k := range order {
			q.Demands = append(q.Demands, Demand{Node: to[p.Demands[k].Node], Amount: p.Demands[k].Amount})
		}
		a, err := Solve(p)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Solve(q)
		if err != nil {
			t.Fatal(err)
		}
		fa, fb := met(t, p, a), met(t, q, b)
		for i, k := range order {
			if fa[k].Cmp(fb[i]) != 0 {
				t.Fatalf("demand %d: %v in one order, %v in another", k, fa[k], fb[i])
			}
		}
		if ca, cb := cost(p, a), cost(q, b); ca.Cmp(cb) != 0 {
			t.Fatalf("cost %v in one order, %v in another", ca, cb)
		}
	})
}

func cost(p *Problem, s *Solution) *big.Rat {
	sum := new(big.Rat)
	for k, a := range p.Arcs {
		sum.Add(sum, new(big.Rat).Mul(s.Flow(k), new(big.Rat).SetInt64(a.Cost)))
	}
	return sum
}

// TestCheapest: no cycle in the residual network has a negative cost
// (Bellman-Ford), which is the optimality of a flow with given demands.
// Leftover supply may move freely, so supplies hang on one extra node.
func TestCheapest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := random(t)
		s, err := Solve(p)
		if err != nil {
			t.Fatal(err)
		}
		met(t, p, s)
		n := len(p.Supply) + 1
		left := make([]*big.Rat, n)
		for v, b := range p.Supply {
			left[v] = new(big.Rat).SetInt64(b)
		}
		type edge struct {
			from, to int
			cost     int64
		}
		var edges []edge
		for k, a := range p.Arcs {
			f := s.Flow(k)
			left[a.From].Sub(left[a.From], f)
			left[a.To].Add(left[a.To], f)
			if a.Cap < 0 || f.Cmp(new(big.Rat).SetInt64(a.Cap)) < 0 {
				edges = append(edges, edge{a.From, a.To, a.Cost})
			}
			if f.Sign() > 0 {
				edges = append(edges, edge{a.To, a.From, -a.Cost})
			}
		}
		for _, g := range s.Groups {
			for _, k := range g.Demands {
				d := p.Demands[k]
				left[d.Node].Sub(left[d.Node], big.NewRat(g.Num, g.Den).Mul(big.NewRat(g.Num, g.Den), new(big.Rat).SetInt64(d.Amount)))
			}
		}
		for v := range p.Supply {
			edges = append(edges, edge{v, n - 1, 0}) // more may be left over here
			if left[v].Sign() > 0 {
				edges = append(edges, edge{n - 1, v, 0}) // less may be left over here
			}
		}
		dist := make([]int64, n)
		for round := range n + 1 {
			changed := false
			for _, e := range edges {
				if d := dist[e.from] + e.cost; d < dist[e.to] {
					dist[e.to], changed = d, true
				}
			}
			if changed && round == n {
				t.Fatalf("a cheaper flow exists: %+v", p)
			}
		}
	})
}

// TestFloors: a floor is kept at the cost of those above it, and floors that
// cannot be kept are named with what is missing.
func TestFloors(t *testing.T) {
	p := &Problem{Supply: []int64{60, 0, 0}, Arcs: []Arc{{0, 1, -1, 1}, {0, 2, -1, 2}},
		Demands: []Demand{{Node: 1, Amount: 50, Floor: 40}, {Node: 2, Amount: 50}}}
	s, err := Solve(p)
	if err != nil {
		t.Fatal(err)
	}
	if f := met(t, p, s); f[0].Cmp(big.NewRat(4, 5)) != 0 || f[1].Cmp(big.NewRat(2, 5)) != 0 {
		t.Errorf("fractions %v; want 4/5 and 2/5", f)
	}
	p.Demands[1].Floor = 30
	var infeasible *InfeasibleError
	if _, err := Solve(p); !errors.As(err, &infeasible) || len(infeasible.Demands) != 2 || infeasible.Short[0].Cmp(big.NewRat(40, 7)) != 0 {
		t.Errorf("error %v; want both floors named, the first short by 40/7", err)
	}
}

func TestBadProblems(t *testing.T) {
	for _, p := range []*Problem{{}, {Supply: []int64{-1}}, {Supply: []int64{1 << 61, 1 << 61}}, {Supply: []int64{1}, Demands: []Demand{{Node: 0}}},
		{Supply: []int64{1}, Demands: []Demand{{Node: 3, Amount: 1}}}, {Supply: []int64{1, 1}, Arcs: []Arc{{0, 0, 1, 1}}}, {Supply: []int64{1, 1}, Arcs: []Arc{{0, 1, 1, -1}}}} {
		if _, err := Solve(p); err == nil {
			t.Errorf("%+v was accepted", p)
		}
	}
}

// BenchmarkLeximin is 40 members x 200 suppliers x 12 months, 1 in 4 links
// missing, with storage and a cost on every link.
func BenchmarkLeximin(b *testing.B) {
	rng := rand.New(rand.NewPCG(3, 4))
	const members, suppliers, months = 40, 200, 12
	p := &Problem{Supply: make([]int64, (members+suppliers)*months)}
	node := func(i, t int) int { return i*months + t }
	for i := range suppliers {
		for t := range months {
			p.Supply[node(i, t)] = rng.Int64N(1_000_000)
			if t > 0 {
				p.Arcs = append(p.Arcs, Arc{node(i, t-1), node(i, t), 500_000, 1})
			}
		}
		for j := range members {
			if rng.IntN(4) == 0 {
				continue
			}
			lag, cost, cap := rng.IntN(3), 1+rng.Int64N(1000), rng.Int64N(60_000)
			for t := range months - lag {
				p.Arcs = append(p.Arcs, Arc{node(i, t), node(suppliers+j, t+lag), cap, cost})
			}
		}
	}
	for j := range members {
		for t := range months {
			p.Demands = append(p.Demands, Demand{Node: node(suppliers+j, t), Amount: 1 + rng.Int64N(8_000_000)})
		}
	}
	b.ReportMetric(float64(len(p.Arcs)), "arcs")
	for b.Loop() {
		s, err := Solve(p)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(s.Groups)), "groups")
	}
}
