// Package network solves flow problems in exact integers: how to share a
// supply that does not reach for all, and the cheapest way to ship it.
//
// The fair sharing is the lexicographically optimal flow of Megiddo (1974),
// Mathematical Programming 7, found by the decomposition of Fujishige (1980),
// Mathematics of Operations Research 5(2): if everybody can have the same
// fraction, they do; if not, the minimum cut separates those who are held back
// from those who can have more, no flow crosses it in any other way, and each
// side is solved by itself. The cheapest flow is found by the primal network
// simplex method with strongly feasible trees (Cunningham 1976, Mathematical
// Programming 11), which cannot cycle.
package network

import (
	"errors"
	"fmt"
	"math/big"
	"sort"
)

// Limits of a problem. Quantities are integers in the caller's smallest unit.
const (
	MaxNodes = 1 << 22
	MaxArcs  = 1 << 24
	MaxTotal = 1 << 61 // sum of supplies, and of demands
)

// An Arc carries up to Cap (below zero: without limit) at Cost a unit.
type Arc struct {
	From, To int
	Cap      int64
	Cost     int64 // >= 0
}

// A Demand asks for Amount > 0 at a node, and must get at least Floor of it.
type Demand struct {
	Node   int
	Amount int64
	Floor  int64 // 0..Amount
}

// An InfeasibleError says how far the floors can be met at best: Short[i]
// is what Demands[i] lacks when the shortage is shared fairly.
type InfeasibleError struct {
	Demands []int
	Short   []*big.Rat
}

func (e *InfeasibleError) Error() string {
	return fmt.Sprintf("the floors of %d demands cannot be met together", len(e.Demands))
}

// A Problem is a network with supplies that may be left over and demands that
// may stay unmet.
type Problem struct {
	Supply  []int64 // by node, >= 0
	Arcs    []Arc
	Demands []Demand
}

// A Group is a set of demands that are met to the same fraction because they
// compete for the same supply.
type Group struct {
	Num, Den int64 // fraction met, 0 <= Num/Den <= 1, in lowest terms
	Demands  []int // indices into Problem.Demands, ascending
}

// A Solution is the fair sharing: the worst fraction is as large as it can be,
// then the next, and so on; among all such flows it is a cheapest one.
type Solution struct {
	Groups []Group // worst first
	flow   []wide
	den    []int64
}

// Flow is what an arc carries, as an exact fraction.
func (s *Solution) Flow(arc int) *big.Rat {
	return new(big.Rat).SetFrac(s.flow[arc].big(), big.NewInt(s.den[arc]))
}

// Amount is Flow as the nearest float64.
func (s *Solution) Amount(arc int) float64 {
	if s.flow[arc].zero() {
		return 0
	}
	f, _ := s.Flow(arc).Float64()
	return f
}

func (p *Problem) check() error {
	n := len(p.Supply)
	if n == 0 || n > MaxNodes || len(p.Arcs) > MaxArcs {
		return fmt.Errorf("check network: %d nodes and %d arcs; at least 1 node, at most %d and %d", n, len(p.Arcs), MaxNodes, MaxArcs)
	}
	supply, demand, cost := int64(0), int64(0), int64(0)
	for v, b := range p.Supply {
		if b < 0 || b > MaxTotal-supply {
			return fmt.Errorf("check network: supply of node %d is %d; want zero or more and at most %d in all", v, b, int64(MaxTotal))
		}
		supply += b
	}
	for _, d := range p.Demands {
		if d.Node < 0 || d.Node >= n || d.Amount <= 0 || d.Amount > MaxTotal-demand || d.Floor < 0 || d.Floor > d.Amount {
			return fmt.Errorf("check network: demand of %d with floor %d at node %d; want more than zero and at most %d in all, and a floor within", d.Amount, d.Floor, d.Node, int64(MaxTotal))
		}
		demand += d.Amount
	}
	for _, a := range p.Arcs {
		if a.From < 0 || a.From >= n || a.To < 0 || a.To >= n || a.From == a.To || a.Cost < 0 {
			return fmt.Errorf("check network: arc from %d to %d at cost %d; want two nodes and a cost of zero or more", a.From, a.To, a.Cost)
		}
		cost = max(cost, a.Cost)
	}
	if cost > (1<<61)/int64(n+2) {
		return errors.New("check network: costs are too large for exact potentials; use a larger cost unit")
	}
	return nil
}

// solver holds the state of the decomposition.
type solver struct {
	*Problem
	balance []int64 // what is left to send (> 0) or must still arrive (< 0) at a node
	side    []int32 // the part a node belongs to
	parts   int32
	at      []int32 // local number of a node within the part being solved
	out     [][]int32
	asks    [][]int32 // demands by node
	limit   int64     // stands for "no limit": more than can ever flow
	sol     *Solution
}

// Solve finds the fair sharing. Where floors cannot be met together the error
// is an *InfeasibleError.
func Solve(p *Problem) (*Solution, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := p.feasible(); err != nil {
		return nil, err
	}
	n := len(p.Supply)
	s := &solver{Problem: p, balance: append([]int64(nil), p.Supply...), side: make([]int32, n), at: make([]int32, n),
		out: make([][]int32, n), asks: make([][]int32, n), limit: 1,
		sol: &Solution{flow: make([]wide, len(p.Arcs)), den: make([]int64, len(p.Arcs))}}
	for _, b := range p.Supply {
		s.limit += b
	}
	for k, a := range p.Arcs {
		s.out[a.From] = append(s.out[a.From], int32(k))
		s.sol.den[k] = 1
	}
	demand := int64(0)
	all := make([]int32, n)
	for v := range all {
		all[v] = int32(v)
	}
	which := make([]int32, len(p.Demands))
	for k, d := range p.Demands {
		s.asks[d.Node] = append(s.asks[d.Node], int32(k))
		which[k] = int32(k)
		demand += d.Amount
	}
	whole := part{nodes: all, demands: which, wanted: demand}
	g := s.local(whole, 1, 1)
	whole.supplied = int64(g.maxFlow().lo) // at most MaxTotal
	s.divide(whole)
	groups := s.sol.Groups
	for _, g := range groups {
		sort.Ints(g.Demands)
	}
	sort.SliceStable(groups, func(i, j int) bool {
		a, b := times(groups[i].Num, groups[j].Den), times(groups[j].Num, groups[i].Den)
		return a.less(b) || (a == b && groups[i].Demands[0] < groups[j].Demands[0])
	})
	return s.sol, nil
}

// feasible shares the supply among the floors alone; any floor that is not met
// in full is an error.
func (p *Problem) feasible() error {
	floors := &Problem{Supply: p.Supply, Arcs: make([]Arc, len(p.Arcs))}
	var which []int
	for k, d := range p.Demands {
		if d.Floor > 0 {
			floors.Demands = append(floors.Demands, Demand{Node: d.Node, Amount: d.Floor})
			which = append(which, k)
		}
	}
	if len(which) == 0 {
		return nil
	}
	for k, a := range p.Arcs {
		floors.Arcs[k] = Arc{From: a.From, To: a.To, Cap: a.Cap}
	}
	s, err := Solve(floors)
	if err != nil {
		return err
	}
	e := &InfeasibleError{}
	for _, g := range s.Groups {
		for _, k := range g.Demands {
			if g.Num < g.Den {
				e.Demands = append(e.Demands, which[k])
				e.Short = append(e.Short, new(big.Rat).Mul(big.NewRat(g.Den-g.Num, g.Den), new(big.Rat).SetInt64(floors.Demands[k].Amount)))
			}
		}
	}
	if len(e.Demands) > 0 {
		return e
	}
	return nil
}

// part is a set of nodes that exchange nothing more with the rest: supplied is
// what its demands can get together, wanted what they ask for.
type part struct {
	nodes, demands   []int32
	supplied, wanted int64
}

func (s *solver) capOf(a Arc) int64 {
	if a.Cap < 0 {
		return s.limit
	}
	return min(a.Cap, s.limit)
}

// divide gives every demand of the part the same fraction if the network
// allows it, and else splits the part at the minimum cut.
func (s *solver) divide(p part) {
	for {
		num, den := s.level(p)
		g := s.local(p, num, den)
		got := g.maxFlow()
		if !got.less(g.asked) {
			s.finish(p, g, num, den)
			return
		}
		held, free := s.cut(p, g)
		s.divide(held)
		p = free
	}
}

// level is the fraction num/den that would use up the part's supply if its
// inside did not matter: everybody gets the larger of that and their floor.
func (s *solver) level(p part) (num, den int64) {
	supplied, wanted := p.supplied, p.wanted
	above := make(map[int32]bool)
	for {
		num, den = lowest(supplied, wanted)
		again := false
		for _, k := range p.demands {
			d := s.Demands[k]
			if d.Floor > 0 && !above[k] && times(num, d.Amount).less(times(d.Floor, den)) {
				above[k], again = true, true
				supplied -= d.Floor
				wanted -= d.Amount
			}
		}
		if !again {
			return num, den
		}
	}
}

// ask is what a demand asks for at the level num/den, in units of 1/den.
func (d Demand) ask(num, den int64) wide {
	a, b := times(d.Amount, num), times(d.Floor, den)
	if a.less(b) {
		return b
	}
	return a
}

// lowest reduces a/b; with nothing wanted it is 1/1.
func lowest(a, b int64) (num, den int64) {
	if b == 0 {
		return 1, 1
	}
	x, y := a, b
	for y != 0 {
		x, y = y, x%y
	}
	return a / x, b / x
}

// cut splits p into those behind the minimum cut and the rest, and sends what
// crosses it for good.
func (s *solver) cut(p part, g *graph) (held, free part) {
	reach := g.reachable()
	s.parts += 2
	freeSide, heldSide := s.parts-1, s.parts
	for i, v := range p.nodes {
		if reach[i] {
			free.nodes = append(free.nodes, v)
			s.side[v] = freeSide
		} else {
			held.nodes = append(held.nodes, v)
			s.side[v] = heldSide
		}
	}
	for _, v := range free.nodes {
		for _, k := range s.out[v] {
			a := s.Arcs[k]
			if s.side[a.To] == heldSide {
				c := s.capOf(a)
				s.sol.flow[k] = wide{0, uint64(c)}
				s.balance[a.From] -= c
				s.balance[a.To] += c
			}
		}
	}
	for _, v := range held.nodes {
		held.supplied += s.balance[v]
	}
	for _, k := range p.demands {
		d := s.Demands[k]
		if s.side[d.Node] == heldSide {
			held.demands = append(held.demands, k)
			held.wanted += d.Amount
		} else {
			free.demands = append(free.demands, k)
			free.wanted += d.Amount
		}
	}
	free.supplied = p.supplied - held.supplied
	return held, free
}

// finish records a part whose demands all get num/den, with the cheapest flow.
func (s *solver) finish(p part, g *graph, num, den int64) {
	if len(p.demands) > 0 {
		group := Group{Num: num, Den: den}
		for _, k := range p.demands {
			if d := s.Demands[k]; times(d.Amount, num).less(times(d.Floor, den)) {
				a, b := lowest(d.Floor, d.Amount)
				s.sol.Groups = append(s.sol.Groups, Group{Num: a, Den: b, Demands: []int{int(k)}})
				continue
			}
			group.Demands = append(group.Demands, int(k))
		}
		if len(group.Demands) > 0 {
			s.sol.Groups = append(s.sol.Groups, group)
		}
	}
	s.cheapest(p, g, num, den)
}

// Zero reports whether an arc carries nothing.
func (s *Solution) Zero(arc int) bool { return s.flow[arc].zero() }
