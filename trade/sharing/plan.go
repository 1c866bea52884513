// Package sharing is joint action: who ships what to whom when a supply does
// not reach for all, who may draw on whose reserves, and who pays.
//
// [Problem.Solve] makes the fairest physical plan: the worst-off need is
// served as well as it can be, then the next, and so on (leximin), and among
// all such plans it takes a cheapest one. [Treaty] applies the drawdown rules
// of the International Energy Program, [Divide] splits a sum of money. Transfers
// that give every member the same real burden are computed inside the
// equilibrium (causeway/trade/equilibrium, Shock.Share).
//
// Quantities are decimals held as integers, and results are exact fractions:
// what is shipped plus what is left over is what was there, to the last unit.
package sharing

import (
	"encoding/json"
	"fmt"
	"math/big"
)

// MaxMonths bounds the horizon of a plan.
const MaxMonths = 120

// A Problem is one product over some months. Quantities are integers in units
// of 10^-Decimals of Unit; costs are integers in units of 10^-CostDecimals of
// money for one whole Unit.
type Problem struct {
	Unit         string
	Decimals     int
	CostDecimals int
	Months       int
	Offers       []Offer
	Needs        []Need
	Routes       []Route
}

// An Offer is what one supplier puts on the table: stocks, spare capacity, or
// releases of a member. A member that supplies others and needs the product
// itself stands in both lists under one name, and serves itself without a
// route and without cost; being fair, it serves itself first only as far as
// others are no worse off.
type Offer struct {
	Name   string
	Supply []int64 // new in each month, >= 0; a stock is supply of the first month
	// Keep is how much may be carried over from a month to the next; Unlimited
	// for no bound.
	Keep int64
	// Withheld says that the supplier has not released its figures to whoever
	// computes the plan. Supply is then left out, and the plan says what the
	// figures could change.
	Withheld bool
}

// Unlimited stands for no bound of a capacity.
const Unlimited int64 = -1

// A Need is what a member needs in each month. Amounts may be 0.
type Need struct {
	Member string
	Amount []int64
	// Floor is the fraction of each month's amount that must be met, in
	// thousandths. A plan that cannot do so is refused.
	Floor int64
	Keep  int64 // what the member may store for later months; 0 for none
}

// A Route carries from a supplier to a member.
type Route struct {
	From, To string
	Capacity int64 // a month; Unlimited for no bound
	Lag      int   // months on the way
	Cost     int64 // a unit, >= 0
}

// A Plan is the answer.
type Plan struct {
	Unit      string     `json:"unit"`
	Months    int        `json:"months"`
	Served    []Served   `json:"served"` // by member, then month; months without a need are left out
	Shipments []Shipment `json:"shipments"`
	Stocks    []Stock    `json:"stocks,omitempty"` // carried over
	LeftOver  []Amount   `json:"left_over,omitempty"`
	Levels    []Level    `json:"levels"` // distinct fractions met, worst first
	Cost      *Quantity  `json:"cost"`
	Bearers   []Bearers  `json:"bearers,omitempty"` // who pays, under several rules
	Notes     []string   `json:"notes,omitempty"`
}

// A Served is one need and how far it is met.
type Served struct {
	Member string    `json:"member"`
	Month  int       `json:"month"` // from 1
	Need   *Quantity `json:"need"`
	Met    *Quantity `json:"met"`
	Unmet  *Quantity `json:"unmet"`
	Ratio  *Quantity `json:"ratio"` // met / need, 0..1
	Why    string    `json:"why,omitempty"`
	// Could is the ratio if every withheld figure were without limit: what the
	// data that is kept back could change, at most.
	Could *Quantity `json:"could,omitempty"`
}

// A Shipment leaves in one month and arrives in another.
type Shipment struct {
	From   string    `json:"from"`
	To     string    `json:"to"`
	Leaves int       `json:"leaves"` // month, from 1
	Lands  int       `json:"lands"`
	Amount *Quantity `json:"amount"`
	Cost   *Quantity `json:"cost"`
}

// A Stock is carried over from a month to the next.
type Stock struct {
	Holder string    `json:"holder"`
	After  int       `json:"after"` // month, from 1
	Amount *Quantity `json:"amount"`
}

// An Amount is a quantity of one supplier.
type Amount struct {
	Name   string    `json:"name"`
	Amount *Quantity `json:"amount"`
}

// A Level is a set of needs that compete for one supply and so are met to the
// same fraction.
type Level struct {
	Ratio *Quantity `json:"ratio"`
	Needs []string  `json:"needs"` // "member month"
}

// Bearers is one rule of who bears the cost of the shipments. The parts add up
// to the cost exactly.
type Bearers struct {
	Rule  string   `json:"rule"`
	Parts []Amount `json:"parts"`
}

// A Quantity is an exact fraction. As text and JSON it is a decimal with nine
// places where it does not end sooner.
type Quantity struct{ big.Rat }

func quantity(r *big.Rat) *Quantity {
	q := new(Quantity)
	q.Set(r)
	return q
}

// Float is the nearest float64.
func (q *Quantity) Float() float64 { f, _ := q.Float64(); return f }

func (q *Quantity) String() string {
	n, exact := q.FloatPrec()
	if !exact || n > 9 {
		n = 9
	}
	return q.FloatString(n)
}

// MarshalJSON writes the decimal of String as a JSON number.
func (q *Quantity) MarshalJSON() ([]byte, error) { return []byte(q.String()), nil }

// UnmarshalJSON reads a JSON number.
func (q *Quantity) UnmarshalJSON(b []byte) error {
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return fmt.Errorf("read quantity: %w", err)
	}
	if len(n) > 64 {
		return fmt.Errorf("read quantity: %d digits; want at most 64", len(n))
	}
	if _, ok := q.SetString(n.String()); !ok {
		return fmt.Errorf("read quantity: %q is not a decimal number", n)
	}
	return nil
}

// check tests names, lengths and values.
func (p *Problem) check() error {
	if p.Months < 1 || p.Months > MaxMonths {
		return fmt.Errorf("check plan: %d months; want 1 to %d", p.Months, MaxMonths)
	}
	if len(p.Needs) == 0 {
		return fmt.Errorf("check plan: nobody needs anything")
	}
	offers, needs := map[string]bool{}, map[string]bool{}
	for _, o := range p.Offers {
		if offers[o.Name] {
			return fmt.Errorf("check plan: supplier %q stands twice; add its supplies up", o.Name)
		}
		offers[o.Name] = true
		if err := p.checkAmounts("supply", o.Name, o.Supply); err != nil {
			return err
		}
	}
	for _, n := range p.Needs {
		if needs[n.Member] {
			return fmt.Errorf("check plan: member %q stands twice; add its needs up", n.Member)
		}
		needs[n.Member] = true
		if err := p.checkAmounts("need", n.Member, n.Amount); err != nil {
			return err
		}
		if n.Floor < 0 || n.Floor > 1000 {
			return fmt.Errorf("check plan: the floor of %q is %d thousandths; want 0 to 1000", n.Member, n.Floor)
		}
	}
	seen := map[Route]bool{}
	for _, r := range p.Routes {
		switch {
		case !offers[r.From]:
			return fmt.Errorf("check plan: a route starts at %q, which offers nothing", r.From)
		case !needs[r.To]:
			return fmt.Errorf("check plan: a route ends at %q, which needs nothing", r.To)
		case r.From == r.To:
			return fmt.Errorf("check plan: the route from %q to itself is not needed: a member serves itself", r.From)
		case r.Lag < 0 || r.Lag > MaxMonths:
			return fmt.Errorf("check plan: the route from %q to %q takes %d months; want 0 to %d", r.From, r.To, r.Lag, MaxMonths)
		case r.Cost < 0:
			return fmt.Errorf("check plan: the route from %q to %q costs %d; want zero or more", r.From, r.To, r.Cost)
		case r.Capacity < Unlimited:
			return fmt.Errorf("check plan: the route from %q to %q carries %d; want zero or more", r.From, r.To, r.Capacity)
		}
		key := Route{From: r.From, To: r.To, Lag: r.Lag}
		if seen[key] {
			return fmt.Errorf("check plan: the route from %q to %q in %d months stands twice", r.From, r.To, r.Lag)
		}
		seen[key] = true
	}
	return nil
}

func (p *Problem) checkAmounts(what, name string, v []int64) error {
	if len(v) != p.Months {
		return fmt.Errorf("check plan: %s of %q has %d months, want %d", what, name, len(v), p.Months)
	}
	for t, x := range v {
		if x < 0 {
			return fmt.Errorf("check plan: %s of %q in month %d is negative; want zero or more", what, name, t+1)
		}
	}
	return nil
}
