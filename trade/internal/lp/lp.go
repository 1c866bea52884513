// Package lp solves linear programs with bounds on variables and rows:
//
//	minimise  sum c_j x_j
//	subject   Low_i <= sum_j a_ij x_j <= High_i,  low_j <= x_j <= high_j
//
// by the revised simplex method on sparse columns: the basis is kept as a
// product of elementary matrices and made anew every few dozen steps, phase 1
// minimises the sum of infeasibilities, and the ratio test is that of Harris
// (1973), Mathematical Programming 5, which trades a bounded violation of
// 1e-9 for stable pivots. After many steps without progress the choice falls
// to the smallest index (Bland 1977, Mathematics of Operations Research 2),
// which cannot cycle.
//
// It is made for the plans of package sharing that are no flow problem (losses,
// substitution): some thousand rows. Results are floating point; where a flow
// will do, package network is exact.
package lp

import (
	"errors"
	"fmt"
	"math"
)

// MaxSize bounds rows plus columns.
const MaxSize = 200_000

// A Problem is a program under construction; add columns and rows in any order.
type Problem struct {
	cost, low, high []float64
	columns         [][]entry
	rowLow, rowHigh []float64
}

type entry struct {
	row   int32
	value float64
}

// Column adds a variable and returns its index. Bounds may be infinite.
func (p *Problem) Column(cost, low, high float64) int {
	p.cost, p.low, p.high = append(p.cost, cost), append(p.low, low), append(p.high, high)
	p.columns = append(p.columns, nil)
	return len(p.cost) - 1
}

// Row adds a constraint and returns its index.
func (p *Problem) Row(low, high float64) int {
	p.rowLow, p.rowHigh = append(p.rowLow, low), append(p.rowHigh, high)
	return len(p.rowLow) - 1
}

// Set adds a coefficient; a pair given twice adds up.
func (p *Problem) Set(row, column int, value float64) {
	for i, e := range p.columns[column] {
		if int(e.row) == row {
			p.columns[column][i].value += value
			return
		}
	}
	p.columns[column] = append(p.columns[column], entry{int32(row), value})
}

// Cost and the bounds may be changed between solves.
func (p *Problem) SetCost(column int, cost float64)      { p.cost[column] = cost }
func (p *Problem) SetBounds(column int, low, hi float64) { p.low[column], p.high[column] = low, hi }
func (p *Problem) SetRow(row int, low, high float64)     { p.rowLow[row], p.rowHigh[row] = low, high }

// A Solution is an optimal vertex.
type Solution struct {
	Objective float64
	X         []float64 // by column
	Price     []float64 // by row: change of the objective per unit of the row's bound
	Steps     int
}

// ErrUnbounded says that the objective has no minimum.
var ErrUnbounded = errors.New("the program is unbounded")

// An InfeasibleError names the rows that cannot hold, when the sum of the
// violations is as small as it can be.
type InfeasibleError struct {
	Rows  []int
	Short []float64 // by how much
}

func (e *InfeasibleError) Error() string {
	return fmt.Sprintf("the program is infeasible: %d rows cannot hold together", len(e.Rows))
}

// Tolerances: of bounds, of reduced costs, and of the smallest pivot.
const (
	feasible  = 1e-9
	optimal   = 1e-9
	smallest  = 1e-9
	remake    = 64   // steps between fresh factors
	patience  = 500  // steps without progress before the smallest index rules
	stepLimit = 50   // times rows plus columns
	perturbed = 1e-7 // how far Harris may look ahead
)

// simplex is the state of a run. Variables 0..n-1 are the columns, n..n+m-1
// the activities of the rows (A x - z = 0).
type simplex struct {
	*Problem
	n, m    int
	lo, hi  []float64
	x       []float64
	basic   []int32 // variable at each position
	at      []int32 // position of a variable, -1 outside the basis
	etas    []eta
	price   []float64
	work    []float64
	stalled int
}

// eta is one elementary matrix: it replaces column row of the identity.
type eta struct {
	row   int32
	pivot float64
	rest  []entry
}

// Solve finds an optimum.
func (p *Problem) Solve() (*Solution, error) {
	n, m := len(p.cost), len(p.rowLow)
	if n+m > MaxSize {
		return nil, fmt.Errorf("solve program: %d rows and columns; at most %d fit", n+m, MaxSize)
	}
	for j := range p.low {
		if !(p.low[j] <= p.high[j]) || math.IsNaN(p.cost[j]) || math.IsInf(p.cost[j], 0) {
			return nil, fmt.Errorf("solve program: column %d has bounds %v to %v and cost %v", j, p.low[j], p.high[j], p.cost[j])
		}
	}
	for i := range p.rowLow {
		if !(p.rowLow[i] <= p.rowHigh[i]) {
			return nil, fmt.Errorf("solve program: row %d has bounds %v to %v", i, p.rowLow[i], p.rowHigh[i])
		}
	}
	s := &simplex{Problem: p, n: n, m: m, lo: append(append([]float64(nil), p.low...), p.rowLow...), hi: append(append([]float64(nil), p.high...), p.rowHigh...),
		x: make([]float64, n+m), basic: make([]int32, m), at: make([]int32, n+m), price: make([]float64, m), work: make([]float64, m)}
	for j := range s.x {
		s.x[j], s.at[j] = s.rest(j), -1
	}
	for i := range m {
		s.basic[i], s.at[n+i] = int32(n+i), int32(i)
	}
	s.refactor()
	steps, err := s.run()
	if err != nil {
		return nil, err
	}
	out := &Solution{X: s.x[:n:n], Price: append([]float64(nil), s.price...), Steps: steps}
	for j, c := range p.cost {
		out.Objective += c * s.x[j]
	}
	return out, nil
}

// rest is where a variable outside the basis sits: its bound nearest zero.
func (s *simplex) rest(j int) float64 {
	switch lo, hi := s.lo[j], s.hi[j]; {
	case math.IsInf(lo, -1) && math.IsInf(hi, 1):
		return 0
	case math.IsInf(lo, -1):
		return hi
	case math.IsInf(hi, 1):
		return lo
	case math.Abs(hi) < math.Abs(lo):
		return hi
	default:
		return lo
	}
}

func (s *simplex) run() (int, error) {
	limit := stepLimit*(s.n+s.m) + 1000
	for step := range limit {
		if step%remake == 0 && step > 0 {
			s.refactor()
		}
		infeasible := s.prices()
		in, up := s.entering(infeasible)
		if in < 0 && len(s.etas) > s.m { // decide on fresh factors only
			s.refactor()
			infeasible = s.prices()
			in, up = s.entering(infeasible)
		}
		if in < 0 {
			if infeasible {
				return step, s.infeasible()
			}
			return step, nil
		}
		if !s.move(in, up, infeasible) {
			return step, ErrUnbounded
		}
	}
	return limit, fmt.Errorf("solve program: no end after %d steps; rescale the quantities", limit)
}

// prices computes the simplex multipliers for the phase at hand.
func (s *simplex) prices() (infeasible bool) {
	for i, j := range s.basic {
		s.price[i] = 0
		switch v := s.x[j]; {
		case v < s.lo[j]-feasible*(1+math.Abs(s.lo[j])):
			s.price[i], infeasible = -1, true
		case v > s.hi[j]+feasible*(1+math.Abs(s.hi[j])):
			s.price[i], infeasible = 1, true
		}
	}
	if !infeasible {
		for i, j := range s.basic {
			s.price[i] = s.costOf(int(j))
		}
	}
	s.btran(s.price)
	return infeasible
}

func (s *simplex) costOf(j int) float64 {
	if j < s.n {
		return s.cost[j]
	}
	return 0
}

// reduced is the reduced cost of a variable outside the basis.
func (s *simplex) reduced(j int, infeasible bool) float64 {
	if j >= s.n {
		return s.price[j-s.n]
	}
	d := 0.0
	if !infeasible {
		d = s.cost[j]
	}
	for _, e := range s.columns[j] {
		d -= s.price[e.row] * e.value
	}
	return d
}

// entering picks the variable with the largest gain, or after a long stall the
// first one with any. up says whether it rises.
func (s *simplex) entering(infeasible bool) (in int, up bool) {
	in = -1
	best := optimal
	for j := range s.x {
		if s.at[j] >= 0 || !(s.hi[j] > s.lo[j]) {
			continue
		}
		d := s.reduced(j, infeasible)
		rise := d < 0
		if math.Abs(d) <= best || (rise && s.x[j] >= s.hi[j]) || (!rise && s.x[j] <= s.lo[j]) {
			continue
		}
		in, up, best = j, rise, math.Abs(d)
		if s.stalled > patience {
			return in, up
		}
	}
	return in, up
}

// move brings a variable into the basis, or flips it to its other bound. It
// reports false where nothing stops it.
func (s *simplex) move(in int, up, infeasible bool) bool {
	a := s.work
	clear(a)
	s.scatter(in, a)
	s.ftran(a)
	sign := 1.0
	if !up {
		sign = -1
	}
	t, out, bound := s.ratio(a, sign, infeasible)
	if span := s.hi[in] - s.lo[in]; span <= t {
		t, out = span, -1
	}
	if math.IsInf(t, 1) {
		return false
	}
	if t > 1e-12 {
		s.stalled = 0
	} else {
		s.stalled++
	}
	for i, v := range a {
		if v > 0 || v < 0 {
			s.x[s.basic[i]] -= sign * t * v
		}
	}
	s.x[in] += sign * t
	if out < 0 {
		if up {
			s.x[in] = s.hi[in]
		} else {
			s.x[in] = s.lo[in]
		}
		return true
	}
	gone := s.basic[out]
	s.x[gone] = bound
	s.at[gone], s.at[in], s.basic[out] = -1, int32(out), int32(in)
	s.etas = append(s.etas, newEta(a, out))
	return true
}

// ratio finds how far the entering variable can go: t, the position that
// blocks (-1 for none), and the bound it stops at. Basic variables outside
// their bounds (phase 1) block where they become feasible.
func (s *simplex) ratio(a []float64, sign float64, infeasible bool) (t float64, out int, bound float64) {
	limit := func(i int) (room, stop float64, ok bool) {
		rate := -sign * a[i]
		if math.Abs(rate) < smallest {
			return 0, 0, false
		}
		j := s.basic[i]
		x, lo, hi := s.x[j], s.lo[j], s.hi[j]
		tolLo, tolHi := feasible*(1+math.Abs(lo)), feasible*(1+math.Abs(hi))
		switch {
		case infeasible && x < lo-tolLo:
			if rate < 0 {
				return 0, 0, false
			}
			return lo - x, lo, true
		case infeasible && x > hi+tolHi:
			if rate > 0 {
				return 0, 0, false
			}
			return x - hi, hi, true
		case rate > 0:
			return hi - x, hi, !math.IsInf(hi, 1)
		default:
			return x - lo, lo, !math.IsInf(lo, -1)
		}
	}
	far := math.Inf(1)
	for i := range a {
		if room, _, ok := limit(i); ok {
			far = math.Min(far, (math.Max(room, 0)+perturbed*1e-2)/math.Abs(a[i]))
		}
	}
	t, out = math.Inf(1), -1
	if math.IsInf(far, 1) {
		return t, out, 0
	}
	best := 0.0
	for i := range a {
		room, stop, ok := limit(i)
		if !ok {
			continue
		}
		if r := math.Max(room, 0) / math.Abs(a[i]); r <= far && math.Abs(a[i]) > best {
			t, out, bound, best = r, i, stop, math.Abs(a[i])
		}
	}
	return t, out, bound
}

func (s *simplex) infeasible() error {
	e := &InfeasibleError{}
	for _, j := range s.basic {
		short := math.Max(s.lo[j]-s.x[j], s.x[j]-s.hi[j])
		if short > feasible && int(j) >= s.n {
			e.Rows, e.Short = append(e.Rows, int(j)-s.n), append(e.Short, short)
		}
	}
	return e
}
