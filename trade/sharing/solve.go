package sharing

import (
	"errors"
	"fmt"
	"math/big"
	"sort"
	"strings"

	"causeway/trade/internal/network"
)

// An InfeasibleError says that floors cannot be kept: which needs, and what
// each lacks when the shortage is shared fairly among the floors.
type InfeasibleError struct {
	Needs []Amount // "member month 3"
	Unit  string
}

func (e *InfeasibleError) Error() string {
	var parts []string
	for i, n := range e.Needs {
		if i == 5 {
			parts = append(parts, fmt.Sprintf("and %d more", len(e.Needs)-5))
			break
		}
		parts = append(parts, fmt.Sprintf("%s lacks %s %s", n.Name, n.Amount, e.Unit))
	}
	return "the plan is infeasible: the floors cannot be met together: " + strings.Join(parts, "; ") + "; lower a floor or add supply or routes"
}

// builder lays a problem out as a network over time: one node for each
// supplier and month, and for each member and month.
type builder struct {
	*Problem
	net      network.Problem
	scale    int64          // quantities are multiplied by it so that floors are whole
	demand   map[[2]int]int // (need, month) -> index of the demand
	arcs     []arc          // by network arc
	routeArc map[[2]int]int // (route, month) -> network arc
	routesTo map[string][]int
}

type arc struct {
	kind  arcKind
	which int // route, offer or need
	month int // of leaving, from 0
}

type arcKind int

const (
	onRoute arcKind = iota
	offerKeeps
	needKeeps
	ownUse
)

func (p *Problem) offerNode(o, t int) int { return o*p.Months + t }
func (p *Problem) needNode(n, t int) int  { return (len(p.Offers)+n)*p.Months + t }

// build lays the problem out. With open, withheld offers supply without limit.
func (p *Problem) build(open bool) *builder {
	b := &builder{Problem: p, scale: 1, demand: map[[2]int]int{}, routeArc: map[[2]int]int{}, routesTo: map[string][]int{}}
	everything := int64(0)
	for _, n := range p.Needs {
		if n.Floor > 0 {
			b.scale = 1000
		}
		for _, a := range n.Amount {
			everything += a
		}
	}
	b.net.Supply = make([]int64, (len(p.Offers)+len(p.Needs))*p.Months)
	offerAt, needAt := map[string]int{}, map[string]int{}
	for i, o := range p.Offers {
		offerAt[o.Name] = i
		for t, s := range o.Supply {
			if o.Withheld {
				if s = 0; open && t == 0 {
					s = everything
				}
			}
			b.net.Supply[p.offerNode(i, t)] = s * b.scale
		}
		keep := o.Keep
		if o.Withheld {
			keep = Unlimited
		}
		for t := range p.Months - 1 {
			b.add(p.offerNode(i, t), p.offerNode(i, t+1), keep, 0, arc{offerKeeps, i, t})
		}
	}
	for i, n := range p.Needs {
		needAt[n.Member] = i
		own, isOffer := offerAt[n.Member]
		for t, a := range n.Amount {
			if a > 0 {
				b.demand[[2]int{i, t}] = len(b.net.Demands)
				b.net.Demands = append(b.net.Demands, network.Demand{Node: p.needNode(i, t), Amount: a * b.scale, Floor: a * n.Floor})
			}
			if isOffer {
				b.add(p.offerNode(own, t), p.needNode(i, t), Unlimited, 0, arc{ownUse, i, t})
			}
			if t+1 < p.Months && n.Keep != 0 {
				b.add(p.needNode(i, t), p.needNode(i, t+1), n.Keep, 0, arc{needKeeps, i, t})
			}
		}
	}
	priced := false
	for _, r := range p.Routes {
		priced = priced || r.Cost > 0
	}
	for i, r := range p.Routes {
		b.routesTo[r.To] = append(b.routesTo[r.To], i)
		cost := r.Cost
		if !priced {
			cost = 1 // nothing is priced: ship as little as possible
		}
		for t := 0; t+r.Lag < p.Months; t++ {
			b.routeArc[[2]int{i, t}] = len(b.arcs)
			b.add(p.offerNode(offerAt[r.From], t), p.needNode(needAt[r.To], t+r.Lag), r.Capacity, cost, arc{onRoute, i, t})
		}
	}
	return b
}

func (b *builder) add(from, to int, cap, cost int64, a arc) {
	if cap > 0 {
		cap *= b.scale
	}
	b.net.Arcs = append(b.net.Arcs, network.Arc{From: from, To: to, Cap: cap, Cost: cost})
	b.arcs = append(b.arcs, a)
}

// Solve finds the plan. The ratio of what is met is the same for every order
// of the parties; where floors cannot be kept, the error is an
// *InfeasibleError.
func (p *Problem) Solve() (*Plan, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := p.checkSize(); err != nil {
		return nil, err
	}
	b := p.build(false)
	s, err := network.Solve(&b.net)
	if err != nil {
		return nil, b.explainError(err)
	}
	plan := &Plan{Unit: p.Unit, Months: p.Months}
	withheld := p.withheld()
	could := map[[2]int]*big.Rat{}
	if len(withheld) > 0 {
		open := p.build(true)
		best, err := network.Solve(&open.net)
		if err != nil {
			return nil, open.explainError(err)
		}
		could = open.ratios(best)
		plan.Notes = append(plan.Notes, "figures of "+strings.Join(withheld, ", ")+" are withheld; could is what they might change at most")
	}
	b.fill(plan, s, could)
	return plan, nil
}

func (p *Problem) checkSize() error {
	total := new(big.Int)
	for _, n := range p.Needs {
		for _, a := range n.Amount {
			total.Add(total, big.NewInt(a))
		}
	}
	for _, o := range p.Offers {
		for _, s := range o.Supply {
			total.Add(total, big.NewInt(s))
		}
	}
	if total.Mul(total, big.NewInt(1000)).Cmp(big.NewInt(network.MaxTotal)) > 0 {
		return errors.New("check plan: the quantities are too large for their number of decimals; use a larger unit")
	}
	return nil
}

func (p *Problem) withheld() []string {
	var out []string
	for _, o := range p.Offers {
		if o.Withheld {
			out = append(out, o.Name)
		}
	}
	return out
}

// explainError puts the names of members and months to a network error.
func (b *builder) explainError(err error) error {
	var e *network.InfeasibleError
	if !errors.As(err, &e) {
		return fmt.Errorf("solve plan: %w", err)
	}
	name := map[int]string{}
	for key, k := range b.demand {
		name[k] = fmt.Sprintf("%s in month %d", b.Needs[key[0]].Member, key[1]+1)
	}
	out := &InfeasibleError{Unit: b.Unit}
	for i, k := range e.Demands {
		out.Needs = append(out.Needs, Amount{name[k], b.real(e.Short[i])})
	}
	return out
}

// real turns a network quantity into one of the problem's unit.
func (b *builder) real(r *big.Rat) *Quantity {
	den := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(b.Decimals)), nil)
	den.Mul(den, big.NewInt(b.scale))
	return quantity(new(big.Rat).Quo(r, new(big.Rat).SetInt(den)))
}

func (b *builder) ratios(s *network.Solution) map[[2]int]*big.Rat {
	byDemand := make([]*big.Rat, len(b.net.Demands))
	for _, g := range s.Groups {
		for _, k := range g.Demands {
			byDemand[k] = big.NewRat(g.Num, g.Den)
		}
	}
	out := map[[2]int]*big.Rat{}
	for key, k := range b.demand {
		out[key] = byDemand[k]
	}
	return out
}

// fill writes the solution into the plan.
func (b *builder) fill(plan *Plan, s *network.Solution, could map[[2]int]*big.Rat) {
	ratios := b.ratios(s)
	left := b.shipments(plan, s)
	for i, n := range b.Needs {
		for t := range n.Amount {
			key := [2]int{i, t}
			r, ok := ratios[key]
			if !ok {
				continue
			}
			amount := new(big.Rat).SetInt64(b.net.Demands[b.demand[key]].Amount)
			met := new(big.Rat).Mul(r, amount)
			row := Served{Member: n.Member, Month: t + 1, Need: b.real(amount), Met: b.real(met), Unmet: b.real(new(big.Rat).Sub(amount, met)), Ratio: quantity(r)}
			if r.Cmp(big.NewRat(1, 1)) < 0 {
				row.Why = b.why(s, left, i, t)
			}
			if c, ok := could[key]; ok && c.Cmp(r) > 0 {
				row.Could = quantity(c)
			}
			plan.Served = append(plan.Served, row)
		}
	}
	b.levels(plan, s)
	for i, o := range b.Offers {
		sum := new(big.Rat)
		for t := range b.Months {
			sum.Add(sum, left[b.offerNode(i, t)])
		}
		if sum.Sign() > 0 {
			plan.LeftOver = append(plan.LeftOver, Amount{o.Name, b.real(sum)})
		}
	}
	b.bear(plan)
}

func (b *builder) levels(plan *Plan, s *network.Solution) {
	names := make([]string, len(b.net.Demands))
	for key, k := range b.demand {
		names[k] = fmt.Sprintf("%s %d", b.Needs[key[0]].Member, key[1]+1)
	}
	for _, g := range s.Groups {
		l := Level{Ratio: quantity(big.NewRat(g.Num, g.Den))}
		for _, k := range g.Demands {
			l.Needs = append(l.Needs, names[k])
		}
		plan.Levels = append(plan.Levels, l)
	}
}

// shipments lists what moves and returns what is left at each supplier's node.
func (b *builder) shipments(plan *Plan, s *network.Solution) []*big.Rat {
	left := make([]*big.Rat, len(b.net.Supply))
	for v, x := range b.net.Supply {
		left[v] = new(big.Rat).SetInt64(x)
	}
	total, money := new(big.Rat), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(b.CostDecimals)), nil)
	for k, a := range b.arcs {
		if s.Zero(k) {
			continue
		}
		f := s.Flow(k)
		left[b.net.Arcs[k].From].Sub(left[b.net.Arcs[k].From], f)
		left[b.net.Arcs[k].To].Add(left[b.net.Arcs[k].To], f)
		amount := b.real(f)
		switch a.kind {
		case onRoute:
			r := b.Routes[a.which]
			cost := new(big.Rat).SetFrac(big.NewInt(r.Cost), money)
			cost.Mul(cost, &amount.Rat)
			total.Add(total, cost)
			plan.Shipments = append(plan.Shipments, Shipment{r.From, r.To, a.month + 1, a.month + r.Lag + 1, amount, quantity(cost)})
		case ownUse:
			name := b.Needs[a.which].Member
			plan.Shipments = append(plan.Shipments, Shipment{name, name, a.month + 1, a.month + 1, amount, quantity(new(big.Rat))})
		case offerKeeps:
			plan.Stocks = append(plan.Stocks, Stock{b.Offers[a.which].Name, a.month + 1, amount})
		case needKeeps:
			plan.Stocks = append(plan.Stocks, Stock{b.Needs[a.which].Member, a.month + 1, amount})
		}
	}
	sort.SliceStable(plan.Shipments, func(i, j int) bool {
		x, y := plan.Shipments[i], plan.Shipments[j]
		if x.Leaves != y.Leaves {
			return x.Leaves < y.Leaves
		}
		if x.From != y.From {
			return x.From < y.From
		}
		return x.To < y.To
	})
	plan.Cost = quantity(total)
	return left
}

// why says what holds a need back: routes that are full, and suppliers with
// nothing left to send.
func (b *builder) why(s *network.Solution, left []*big.Rat, need, month int) string {
	member := b.Needs[need].Member
	full, empty, late := []string{}, []string{}, 0
	for _, i := range b.routesTo[member] {
		r := b.Routes[i]
		k, ok := b.routeArc[[2]int{i, month - r.Lag}]
		if !ok {
			late++
			continue
		}
		a := b.net.Arcs[k]
		if a.Cap >= 0 && s.Flow(k).Cmp(new(big.Rat).SetInt64(a.Cap)) >= 0 {
			full = append(full, r.From)
		} else if left[a.From].Sign() == 0 {
			empty = append(empty, r.From)
		}
	}
	var parts []string
	if len(b.routesTo[member]) == 0 {
		parts = append(parts, "no route leads to "+member)
	}
	if len(full) > 0 {
		parts = append(parts, "the route is full from "+some(full))
	}
	if len(empty) > 0 {
		parts = append(parts, "nothing is left at "+some(empty))
	}
	if late > 0 {
		parts = append(parts, fmt.Sprintf("%d routes are too slow for month %d", late, month+1))
	}
	return strings.Join(parts, "; ")
}

func some(names []string) string {
	if len(names) > 4 {
		return strings.Join(names[:4], ", ") + fmt.Sprintf(" and %d more", len(names)-4)
	}
	return strings.Join(names, ", ")
}

// bear divides the cost under three rules, side by side.
func (b *builder) bear(plan *Plan) {
	if plan.Cost.Sign() == 0 {
		return
	}
	n := len(b.Needs)
	received, needed := map[string]*big.Rat{}, make([]*big.Rat, n)
	for _, s := range plan.Shipments {
		if received[s.To] == nil {
			received[s.To] = new(big.Rat)
		}
		received[s.To].Add(received[s.To], &s.Cost.Rat)
	}
	all := new(big.Rat)
	for i, need := range b.Needs {
		needed[i] = new(big.Rat)
		for _, a := range need.Amount {
			needed[i].Add(needed[i], new(big.Rat).SetInt64(a))
		}
		all.Add(all, needed[i])
	}
	rules := []Bearers{{Rule: "who receives pays"}, {Rule: "in proportion to need"}, {Rule: "in equal parts"}}
	for i, need := range b.Needs {
		own := new(big.Rat)
		if r := received[need.Member]; r != nil {
			own.Set(r)
		}
		byNeed := new(big.Rat).Quo(needed[i], all)
		for k, v := range []*big.Rat{own, byNeed.Mul(byNeed, &plan.Cost.Rat), new(big.Rat).Quo(&plan.Cost.Rat, big.NewRat(int64(n), 1))} {
			rules[k].Parts = append(rules[k].Parts, Amount{need.Member, quantity(v)})
		}
	}
	plan.Bearers = rules
}
