// Package shock holds the closed forms for the loss from losing a supplier:
// what a few sufficient statistics say before any model is run. They bracket
// the engines: the first order is the smallest loss anyone should expect, the
// Leontief bound the largest.
//
// Sources: first order, Hulten (1978), Review of Economic Studies 45(3); second
// order and exact CES, Baqaee and Farhi (2019), Econometrica 87(4); the cut-off
// of varieties, Feenstra (1994), American Economic Review 84(1).
package shock

import (
	"encoding/json"
	"fmt"
	"math"

	"causeway/trade"
)

// An Input is an imported input of one user: its cost share, and how easily it
// is replaced.
type Input struct {
	CostShare  float64 `json:"cost_share"` // s, of the user's costs, 0..1
	Elasticity float64 `json:"elasticity"` // sigma between this input and the rest, > 0
}

// A Loss says what a fall of the input's quantity does, in logs of the user's
// real output (-0.02 is about 2 % less), except where noted.
type Loss struct {
	FirstOrder  float64      `json:"first_order"`  // s * delta
	SecondOrder trade.Figure `json:"second_order"` // + s (1 - s)(1 - 1/sigma) delta^2 / 2
	Exact       trade.Figure `json:"exact"`        // CES
	// Leontief is the log of min(1, m'/m): nobody can do with less. It binds
	// the users of the input, not the economy.
	Leontief trade.Figure `json:"leontief"`
}

// Fall computes the loss when the quantity of the input falls to remaining
// (m'/m, 0..1) of what it was. With delta = ln remaining:
//
//	first order   s delta
//	second order  s delta + s (1-s) (1 - 1/sigma) delta^2 / 2
//	exact         sigma/(sigma-1) ln[(1-s) + s exp(delta (sigma-1)/sigma)]
//	Leontief      delta
//
// Without any of the input left, the expansions have no value; with sigma <= 1
// output is then zero, which is reported as no alternative supplier.
func (in Input) Fall(remaining float64) (Loss, error) {
	s, sigma := in.CostShare, in.Elasticity
	switch {
	case !(s >= 0 && s <= 1):
		return Loss{}, fmt.Errorf("compute loss: cost share %v; want a fraction from 0 to 1", s)
	case !(sigma > 0) || math.IsInf(sigma, 0):
		return Loss{}, fmt.Errorf("compute loss: elasticity %v; want a finite number above 0", sigma)
	case !(remaining >= 0 && remaining <= 1):
		return Loss{}, fmt.Errorf("compute loss: %v of the quantity remains; want a fraction from 0 to 1", remaining)
	}
	if !(remaining > 0) {
		return cutOff(s, sigma), nil
	}
	delta := math.Log(remaining)
	l := Loss{FirstOrder: s * delta, Leontief: trade.Known(delta)}
	l.SecondOrder = trade.Known(l.FirstOrder + s*(1-s)*(1-1/sigma)*delta*delta/2)
	l.Exact = trade.Known(ces(s, sigma, delta))
	return l, nil
}

// ces is the exact loss. Near sigma = 1 the form is 0/0 and its limit s delta
// is reached through the series, so that it is smooth in sigma.
func ces(s, sigma, delta float64) float64 {
	a := (sigma - 1) / sigma
	if math.Abs(a*delta) < 1e-6 {
		return s*delta + s*(1-s)*a*delta*delta/2
	}
	return math.Log1p(s*math.Expm1(a*delta)) / a
}

func cutOff(s, sigma float64) Loss {
	none := trade.Unknown("no alternative supplier: nothing of the input is left")
	l := Loss{FirstOrder: -s, SecondOrder: none, Exact: none, Leontief: none}
	if a := (sigma - 1) / sigma; sigma > 1 && s < 1 {
		l.Exact = trade.Known(math.Log1p(-s) / a)
	}
	return l
}

// CutOff is the loss from removing suppliers for good from a nest of close
// substitutes.
type CutOff struct {
	Price   trade.Figure `json:"price"`   // log change of the nest's price index
	Welfare trade.Figure `json:"welfare"` // log change of real income, -beta * Price
}

// Remove computes ln P = -ln(1 - omega)/(sigma - 1) for suppliers that hold
// the share omega (0..1) of the spending on a nest, and the welfare change
// -beta ln P where the nest is the share beta of all spending. With omega = 1
// or sigma <= 1 the price is infinite: no alternative supplier, not a number.
func Remove(omega, sigma, beta float64) (CutOff, error) {
	switch {
	case !(omega >= 0 && omega <= 1):
		return CutOff{}, fmt.Errorf("compute cut-off: share %v of the removed suppliers; want a fraction from 0 to 1", omega)
	case !(beta >= 0 && beta <= 1):
		return CutOff{}, fmt.Errorf("compute cut-off: share %v of the nest in spending; want a fraction from 0 to 1", beta)
	case !(sigma > 0) || math.IsInf(sigma, 0):
		return CutOff{}, fmt.Errorf("compute cut-off: elasticity %v; want a finite number above 0", sigma)
	case omega >= 1:
		u := trade.Unknown("no alternative supplier: all are removed")
		return CutOff{u, u}, nil
	case !(omega > 0):
		return CutOff{trade.Known(0), trade.Known(0)}, nil
	case sigma <= 1:
		u := trade.Unknown("no alternative supplier: with an elasticity of 1 or less every supplier is indispensable")
		return CutOff{u, u}, nil
	}
	p := -math.Log1p(-omega) / (sigma - 1)
	return CutOff{trade.Known(p), trade.Known(-beta * p)}, nil
}

// A Supplier is a possible source of replacement.
type Supplier struct {
	Name  string
	Spare trade.Figure // capacity that could be sold, a year; unknown is unknown, neither zero nor without limit
	Cost  float64      // trade cost factor to the buyer, t_ij >= 1
}

// A Diversion is what one supplier would replace.
type Diversion struct {
	Name  string       `json:"name"`
	Share trade.Figure `json:"share"` // of the gap, 0..1
	Spare trade.Figure `json:"spare"`
}

// Divert splits a gap over alternative suppliers in proportion to spare *
// t^(1-sigma) (gravity weights; a common price index cancels). Suppliers whose
// spare capacity is unknown get an unknown share, and covered says for what
// part of the gap there is known spare capacity at all; no share exceeds its
// spare.
func Divert(gap float64, sigma float64, suppliers []Supplier) (shares []Diversion, covered float64, err error) {
	if !(gap > 0) || math.IsInf(gap, 0) || !(sigma > 1) || math.IsInf(sigma, 0) {
		return nil, 0, fmt.Errorf("divert gap: gap %v and elasticity %v; want a gap above 0 and an elasticity above 1", gap, sigma)
	}
	left, weight := gap, make([]float64, len(suppliers))
	take := make([]float64, len(suppliers))
	for i, s := range suppliers {
		if !(s.Cost >= 1) || math.IsInf(s.Cost, 0) {
			return nil, 0, fmt.Errorf("divert gap: trade cost factor of %q is %v; want at least 1", s.Name, s.Cost)
		}
		if s.Spare.IsKnown() && s.Spare.Value < 0 {
			return nil, 0, fmt.Errorf("divert gap: spare capacity of %q is %v; want zero or more", s.Name, s.Spare.Value)
		}
		if s.Spare.IsKnown() {
			weight[i] = s.Spare.Value * math.Exp((1-sigma)*math.Log(s.Cost))
		}
	}
	// Fill by weight; who is full leaves the rest to the others. At most one
	// round for each supplier.
	for range suppliers {
		sum := 0.0
		for i := range suppliers {
			if take[i] < suppliers[i].Spare.Value {
				sum += weight[i]
			}
		}
		if !(sum > 0) || left <= 1e-15*gap {
			break
		}
		rest := left
		for i, s := range suppliers {
			if take[i] < s.Spare.Value {
				more := min(rest*weight[i]/sum, s.Spare.Value-take[i])
				take[i] += more
				left -= more
			}
		}
	}
	for i, s := range suppliers {
		d := Diversion{s.Name, trade.Known(take[i] / gap), s.Spare}
		if !s.Spare.IsKnown() {
			d.Share = trade.Unknown("spare capacity of %s: %s", s.Name, s.Spare.Reason)
		}
		shares = append(shares, d)
	}
	return shares, math.Max(0, 1-left/gap), nil
}

// A Range is a loss over a span of elasticities: nobody knows sigma exactly.
type Range struct {
	Elasticity trade.Interval `json:"elasticity"`
	Exact      trade.Interval `json:"exact"`
	// Unbounded says why one end of the range has no number.
	Unbounded string `json:"unbounded,omitempty"`
}

// Over computes the exact loss at both ends of a range of elasticities; the
// loss is monotone in sigma, so the ends bound it.
func (in Input) Over(low, high, remaining float64) (Range, error) {
	r := Range{Elasticity: trade.Interval{Low: low, High: high}}
	if low > high {
		return r, fmt.Errorf("compute range: the elasticities run from %v to %v; give the smaller one first", low, high)
	}
	var v [2]float64
	for i, sigma := range []float64{low, high} {
		l, err := Input{in.CostShare, sigma}.Fall(remaining)
		if err != nil {
			return r, err
		}
		if !l.Exact.IsKnown() {
			r.Unbounded = l.Exact.Reason
			v[i] = math.Inf(-1)
			continue
		}
		v[i] = l.Exact.Value
	}
	r.Exact = trade.Interval{Low: math.Min(v[0], v[1]), High: math.Max(v[0], v[1])}
	return r, nil
}

// MarshalJSON leaves out ends that have no number.
func (r Range) MarshalJSON() ([]byte, error) {
	end := func(v float64) trade.Figure {
		if math.IsInf(v, 0) {
			return trade.Unknown("%s", r.Unbounded)
		}
		return trade.Known(v)
	}
	return json.Marshal(struct {
		Elasticity trade.Interval `json:"elasticity"`
		Low        trade.Figure   `json:"low"`
		High       trade.Figure   `json:"high"`
	}{r.Elasticity, end(r.Exact.Low), end(r.Exact.High)})
}

// GrossNet sets a loss of exports beside what other buyers took.
type GrossNet struct {
	Gross      float64      `json:"gross"`       // lost on the restricted market, >= 0
	Diverted   trade.Figure `json:"diverted"`    // sold elsewhere instead
	Net        trade.Figure `json:"net"`         // gross - diverted
	PercentNet trade.Figure `json:"percent_net"` // of the gross loss
}

// NetOfDiversion compares exports of the product to the restricting market
// and to all others, before and after. Both figures are always shown: the
// gross loss alone overstates, the net loss alone hides who had to find new
// buyers.
func NetOfDiversion(marketBefore, marketAfter, otherBefore, otherAfter trade.Figure) (GrossNet, error) {
	for _, f := range []trade.Figure{marketBefore, marketAfter, otherBefore, otherAfter} {
		if f.IsKnown() && f.Value < 0 {
			return GrossNet{}, fmt.Errorf("compare exports: %v is negative; exports are zero or more", f.Value)
		}
	}
	if !marketBefore.IsKnown() || !marketAfter.IsKnown() {
		return GrossNet{}, fmt.Errorf("compare exports: exports to the restricted market are unknown (%s%s)", marketBefore.Reason, marketAfter.Reason)
	}
	g := GrossNet{Gross: math.Max(0, marketBefore.Value-marketAfter.Value)}
	if !otherBefore.IsKnown() || !otherAfter.IsKnown() {
		g.Diverted = trade.Unknown("exports to other markets are unknown (%s%s)", otherBefore.Reason, otherAfter.Reason)
		g.Net, g.PercentNet = g.Diverted, g.Diverted
		return g, nil
	}
	g.Diverted = trade.Known(math.Min(math.Max(0, otherAfter.Value-otherBefore.Value), g.Gross))
	g.Net = trade.Known(g.Gross - g.Diverted.Value)
	g.PercentNet = trade.Unknown("nothing was lost")
	if g.Gross > 0 {
		g.PercentNet = trade.Known(100 * g.Net.Value / g.Gross)
	}
	return g, nil
}
