package sharing

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"causeway/trade/internal/lp"
)

// A General problem is one that is no flow: stocks and shipments lose a part,
// or one product may stand in for another. It is solved as linear programs in
// floating point, stage by stage: the worst ratio as large as it can be, then
// the next, and so on, then the least cost.
type General struct {
	Unit        string
	Months      int
	Offers      []GeneralOffer
	Needs       []GeneralNeed
	Routes      []GeneralRoute
	Substitutes []Substitute
}

// A GeneralOffer is a supply of one product. A supplier may have several.
type GeneralOffer struct {
	Name, Product string
	Supply        []float64 // by month, >= 0
	Keep          float64   // carried over at most; +Inf for no bound
	Loss          float64   // fraction of what is carried over that is lost, 0 <= Loss < 1
}

// A GeneralNeed is a member's need of one product.
type GeneralNeed struct {
	Member, Product string
	Amount          []float64 // by month, >= 0
	Floor           float64   // fraction of each month's amount that must be met, 0..1
}

// A GeneralRoute carries any product; Capacity bounds all of them together.
type GeneralRoute struct {
	From, To string
	Capacity float64 // a month; +Inf for no bound
	Lag      int
	Cost     float64 // a unit sent, >= 0
	Loss     float64 // fraction lost on the way, 0 <= Loss < 1
}

// A Substitute lets a member use Of in place of For: one unit of Of counts as
// Worth units of For, and covers at most Limit of each month's need.
type Substitute struct {
	Member, Of, For string
	Worth           float64 // > 0
	Limit           float64 // 0..1
}

// A GeneralPlan is the answer, in floating point (relative error about 1e-9).
type GeneralPlan struct {
	Unit      string            `json:"unit"`
	Served    []GeneralServed   `json:"served"`
	Shipments []GeneralShipment `json:"shipments"`
	Swaps     []GeneralSwap     `json:"swaps,omitempty"`
	Cost      float64           `json:"cost"`
	Lost      float64           `json:"lost"` // in storage and on the way
	LeftOver  float64           `json:"left_over"`
	Programs  int               `json:"programs"` // linear programs solved
}

// A GeneralServed is one need of one month.
type GeneralServed struct {
	Member  string  `json:"member"`
	Product string  `json:"product"`
	Month   int     `json:"month"`
	Need    float64 `json:"need"`
	Met     float64 `json:"met"`
	Ratio   float64 `json:"ratio"`
}

// A GeneralShipment is what is sent; Arrives is what is left of it.
type GeneralShipment struct {
	From    string  `json:"from"`
	To      string  `json:"to"`
	Product string  `json:"product"`
	Leaves  int     `json:"leaves"`
	Lands   int     `json:"lands"`
	Sent    float64 `json:"sent"`
	Arrives float64 `json:"arrives"`
	Cost    float64 `json:"cost"`
}

// A GeneralSwap is a substitution that the plan uses.
type GeneralSwap struct {
	Member string  `json:"member"`
	Of     string  `json:"of"`
	For    string  `json:"for"`
	Month  int     `json:"month"`
	Used   float64 `json:"used"`
}

func (g *General) check() error {
	if g.Months < 1 || g.Months > MaxMonths || len(g.Needs) == 0 {
		return fmt.Errorf("check plan: %d months and %d needs; want 1 to %d months and a need", g.Months, len(g.Needs), MaxMonths)
	}
	series := func(what, name string, v []float64) error {
		if len(v) != g.Months {
			return fmt.Errorf("check plan: %s of %q has %d months, want %d", what, name, len(v), g.Months)
		}
		for t, x := range v {
			if !(x >= 0) || math.IsInf(x, 0) {
				return fmt.Errorf("check plan: %s of %q in month %d is %v; want zero or more", what, name, t+1, x)
			}
		}
		return nil
	}
	part := func(what string, v float64) error {
		if !(v >= 0 && v < 1) {
			return fmt.Errorf("check plan: %s is %v; want a fraction from 0 to below 1", what, v)
		}
		return nil
	}
	var errs []error
	for _, o := range g.Offers {
		errs = append(errs, series("supply", o.Name, o.Supply), part("the loss in storage of "+o.Name, o.Loss))
		if !(o.Keep >= 0) {
			errs = append(errs, fmt.Errorf("check plan: %q may keep %v; want zero or more", o.Name, o.Keep))
		}
	}
	for _, n := range g.Needs {
		errs = append(errs, series("need", n.Member, n.Amount))
		if !(n.Floor >= 0 && n.Floor <= 1) {
			errs = append(errs, fmt.Errorf("check plan: the floor of %q is %v; want a fraction", n.Member, n.Floor))
		}
	}
	for _, r := range g.Routes {
		errs = append(errs, part("the loss from "+r.From+" to "+r.To, r.Loss))
		if !slices.ContainsFunc(g.Offers, func(o GeneralOffer) bool { return o.Name == r.From }) || !slices.ContainsFunc(g.Needs, func(n GeneralNeed) bool { return n.Member == r.To }) ||
			r.From == r.To || r.Lag < 0 || !(r.Capacity >= 0) || !(r.Cost >= 0) {
			errs = append(errs, fmt.Errorf("check plan: the route from %q to %q; want a supplier and another member who needs something, and lag, capacity and cost of zero or more", r.From, r.To))
		}
	}
	for _, s := range g.Substitutes {
		if !(s.Worth > 0) || !(s.Limit >= 0 && s.Limit <= 1) || s.Of == s.For {
			errs = append(errs, fmt.Errorf("check plan: %q uses %q for %q at %v up to %v; want two products, a worth above 0 and a limit from 0 to 1", s.Member, s.Of, s.For, s.Worth, s.Limit))
		}
	}
	return errors.Join(errs...)
}

// program is the problem as a linear program.
type program struct {
	g       *General
	p       lp.Problem
	worst   int   // column of the common ratio
	ratio   []int // column by demand
	level   []int // row ratio - worst >= 0, by demand
	demand  [][2]int
	reached []float64 // ratio found, by demand; the last program keeps it to 1e-9
	ships   []shipColumn
	swaps   []shipColumn // route is the substitute's index
	keeps   [][]int      // column by offer and month
	balance [][]int      // row by offer and month
}

type shipColumn struct {
	route, month, column int
	product              string
	own                  bool
}

func (g *General) program() *program {
	b := &program{g: g}
	inf := math.Inf(1)
	b.worst = b.p.Column(0, 0, 1)
	for _, o := range g.Offers {
		var rows, keeps []int
		for t := range g.Months {
			rows = append(rows, b.p.Row(math.Inf(-1), o.Supply[t])) // what goes out, less what came over
			if t+1 < g.Months {
				keeps = append(keeps, b.p.Column(0, 0, o.Keep))
			}
		}
		for t, k := range keeps {
			b.p.Set(rows[t], k, 1)
			b.p.Set(rows[t+1], k, -(1 - o.Loss))
		}
		b.balance, b.keeps = append(b.balance, rows), append(b.keeps, keeps)
	}
	need := map[[2]string][]int{} // rows by member and product
	for i, n := range g.Needs {
		rows := make([]int, g.Months)
		for t, a := range n.Amount {
			rows[t] = b.p.Row(0, inf) // arrivals and substitutes less what counts as met
			if a > 0 {
				y := b.p.Column(0, n.Floor, 1)
				b.p.Set(rows[t], y, -a)
				l := b.p.Row(0, inf)
				b.p.Set(l, y, 1)
				b.p.Set(l, b.worst, -1)
				b.ratio, b.level, b.demand, b.reached = append(b.ratio, y), append(b.level, l), append(b.demand, [2]int{i, t}), append(b.reached, 0)
			}
		}
		need[[2]string{n.Member, n.Product}] = rows
	}
	b.routes(need)
	b.substitutes(need)
	return b
}

func (b *program) routes(need map[[2]string][]int) {
	g := b.g
	for i, r := range g.Routes {
		for t := 0; t+r.Lag < g.Months; t++ {
			capacity := -1
			for o, offer := range g.Offers {
				if offer.Name != r.From {
					continue
				}
				rows, ok := need[[2]string{r.To, offer.Product}]
				if !ok {
					continue
				}
				c := b.p.Column(0, 0, r.Capacity)
				b.p.Set(b.balance[o][t], c, 1)
				b.p.Set(rows[t+r.Lag], c, 1-r.Loss)
				if !math.IsInf(r.Capacity, 1) {
					if capacity < 0 {
						capacity = b.p.Row(math.Inf(-1), r.Capacity)
					}
					b.p.Set(capacity, c, 1)
				}
				b.ships = append(b.ships, shipColumn{i, t, c, offer.Product, false})
			}
		}
	}
	for o, offer := range g.Offers { // a member serves itself
		if rows, ok := need[[2]string{offer.Name, offer.Product}]; ok {
			for t := range g.Months {
				c := b.p.Column(0, 0, math.Inf(1))
				b.p.Set(b.balance[o][t], c, 1)
				b.p.Set(rows[t], c, 1)
				b.ships = append(b.ships, shipColumn{o, t, c, offer.Product, true})
			}
		}
	}
}

func (b *program) substitutes(need map[[2]string][]int) {
	for i, s := range b.g.Substitutes {
		from, ok1 := need[[2]string{s.Member, s.Of}]
		to, ok2 := need[[2]string{s.Member, s.For}]
		if !ok1 || !ok2 {
			continue
		}
		for t := range b.g.Months {
			amount := 0.0
			for _, n := range b.g.Needs {
				if n.Member == s.Member && n.Product == s.For {
					amount = n.Amount[t]
				}
			}
			c := b.p.Column(0, 0, s.Limit*amount/s.Worth)
			b.p.Set(from[t], c, -1)
			b.p.Set(to[t], c, s.Worth)
			b.swaps = append(b.swaps, shipColumn{route: i, month: t, column: c})
		}
	}
}

// Solve finds the plan. Floors that cannot be kept are an *InfeasibleError.
func (g *General) Solve() (*GeneralPlan, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	b := g.program()
	programs := 0
	free := len(b.ratio)
	fixed := make([]bool, len(b.ratio))
	for free > 0 {
		b.p.SetCost(b.worst, -1)
		s, err := b.p.Solve()
		programs++
		if err != nil {
			return nil, b.explain(err)
		}
		level := s.X[b.worst]
		// A need whose level row has a price binds in every optimum, so it can
		// have no more; at least one has, since the prices add up to one.
		took, best := 0, -1
		for k := range b.ratio {
			if fixed[k] {
				continue
			}
			if best < 0 || s.Price[b.level[k]] > s.Price[b.level[best]] {
				best = k
			}
			if level >= 1-1e-9 || s.Price[b.level[k]] > 1e-7 {
				took++
				b.fix(k, level)
				fixed[k] = true
			}
		}
		if took == 0 {
			took = 1
			b.fix(best, level)
			fixed[best] = true
		}
		free -= took
	}
	return b.cheapest(programs)
}

// fix keeps a need at its level from here on.
func (b *program) fix(k int, level float64) {
	floor := b.g.Needs[b.demand[k][0]].Floor
	b.reached[k] = math.Max(floor, level)
	b.p.SetRow(b.level[k], math.Inf(-1), math.Inf(1))
	b.p.SetBounds(b.ratio[k], math.Max(floor, math.Max(0, level-1e-9)), 1)
}

// cheapest minimises the cost with every need at its level.
func (b *program) cheapest(programs int) (*GeneralPlan, error) {
	b.p.SetCost(b.worst, 0)
	priced := slices.ContainsFunc(b.g.Routes, func(r GeneralRoute) bool { return r.Cost > 0 })
	for _, s := range b.ships {
		if !s.own {
			cost := b.g.Routes[s.route].Cost
			if !priced {
				cost = 1
			}
			b.p.SetCost(s.column, cost)
		}
	}
	sol, err := b.p.Solve()
	if err != nil {
		return nil, b.explain(err)
	}
	return b.plan(sol, programs+1), nil
}

func (b *program) plan(sol *lp.Solution, programs int) *GeneralPlan {
	g := b.g
	p := &GeneralPlan{Unit: g.Unit, Programs: programs}
	clean := func(v float64) float64 {
		if v < 1e-9 {
			return 0
		}
		return v
	}
	out, supplied := 0.0, 0.0
	for _, s := range b.ships {
		v := clean(sol.X[s.column])
		out += v
		if !(v > 0) {
			continue
		}
		if s.own {
			name := g.Offers[s.route].Name
			p.Shipments = append(p.Shipments, GeneralShipment{name, name, s.product, s.month + 1, s.month + 1, v, v, 0})
			continue
		}
		r := g.Routes[s.route]
		p.Shipments = append(p.Shipments, GeneralShipment{r.From, r.To, s.product, s.month + 1, s.month + r.Lag + 1, v, v * (1 - r.Loss), v * r.Cost})
		p.Cost += v * r.Cost
		p.Lost += v * r.Loss
	}
	for i, o := range g.Offers {
		for t := range g.Months {
			supplied += o.Supply[t]
			if t < len(b.keeps[i]) {
				p.Lost += clean(sol.X[b.keeps[i][t]]) * o.Loss
				out += clean(sol.X[b.keeps[i][t]]) * o.Loss
			}
		}
	}
	p.LeftOver = math.Max(0, supplied-out)
	for _, s := range b.swaps {
		if v := clean(sol.X[s.column]); v > 0 {
			x := g.Substitutes[s.route]
			p.Swaps = append(p.Swaps, GeneralSwap{x.Member, x.Of, x.For, s.month + 1, v})
		}
	}
	for k, d := range b.demand {
		n := g.Needs[d[0]]
		ratio := math.Min(1, math.Max(b.reached[k], sol.X[b.ratio[k]]))
		p.Served = append(p.Served, GeneralServed{n.Member, n.Product, d[1] + 1, n.Amount[d[1]], ratio * n.Amount[d[1]], ratio})
	}
	return p
}

// explain names the needs whose floors cannot be kept.
func (b *program) explain(err error) error {
	var e *lp.InfeasibleError
	if !errors.As(err, &e) {
		return fmt.Errorf("solve plan: %w", err)
	}
	var names []string
	for _, n := range b.g.Needs {
		if n.Floor > 0 {
			names = append(names, fmt.Sprintf("%s (%s)", n.Member, n.Product))
		}
	}
	short := 0.0
	for _, v := range e.Short {
		short += v
	}
	return fmt.Errorf("the plan is infeasible: the floors of %s cannot be met together, %.6g %s are lacking; lower a floor or add supply or routes", strings.Join(names, ", "), short, b.g.Unit)
}
