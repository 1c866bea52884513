package sharing

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// general is a flow problem as a general one.
func general(p *Problem) *General {
	g := &General{Unit: p.Unit, Months: p.Months}
	float := func(v []int64) []float64 {
		out := make([]float64, len(v))
		for i, x := range v {
			out[i] = float64(x)
		}
		return out
	}
	bound := func(v int64) float64 {
		if v < 0 {
			return math.Inf(1)
		}
		return float64(v)
	}
	for _, o := range p.Offers {
		g.Offers = append(g.Offers, GeneralOffer{o.Name, "", float(o.Supply), bound(o.Keep), 0})
	}
	for _, n := range p.Needs {
		g.Needs = append(g.Needs, GeneralNeed{n.Member, "", float(n.Amount), float64(n.Floor) / 1000})
	}
	for _, r := range p.Routes {
		g.Routes = append(g.Routes, GeneralRoute{r.From, r.To, bound(r.Capacity), r.Lag, float64(r.Cost), 0})
	}
	return g
}

// TestGeneralEqualsExact: without losses and substitutes the linear programs
// give the ratios and the cost of the exact flows.
func TestGeneralEqualsExact(t *testing.T) {
	compared := 0
	for seed := range 300 {
		p := randomPlan(rand.New(rand.NewPCG(uint64(seed), 77)))
		for i := range p.Needs {
			p.Needs[i].Keep = 0 // the general form has no storage at members
		}
		want, err := p.Solve()
		got, gerr := general(p).Solve()
		if (err != nil) != (gerr != nil) {
			t.Fatalf("seed %d: exact %v, general %v", seed, err, gerr)
		}
		if err != nil {
			continue
		}
		for k, s := range want.Served {
			if d := got.Served[k].Ratio - s.Ratio.Float(); math.Abs(d) > 1e-6 {
				t.Fatalf("seed %d: %s in month %d: %v, exact %v", seed, s.Member, s.Month, got.Served[k].Ratio, s.Ratio)
			}
		}
		if math.Abs(got.Cost-want.Cost.Float()) > 1e-4*(1+want.Cost.Float()) {
			t.Fatalf("seed %d: cost %v, exact %v", seed, got.Cost, want.Cost)
		}
		compared++
	}
	if compared < 200 {
		t.Errorf("only %d problems compared", compared)
	}
}

// TestLossesAndSubstitutes: a stock that spoils is used early; another product
// covers a need up to its limit.
func TestLossesAndSubstitutes(t *testing.T) {
	g := &General{Unit: "t", Months: 2,
		Offers: []GeneralOffer{{"S", "gas", []float64{100, 0}, math.Inf(1), 0.5}},
		Needs:  []GeneralNeed{{"J", "gas", []float64{100, 100}, 0}},
		Routes: []GeneralRoute{{"S", "J", math.Inf(1), 0, 1, 0}}}
	p, err := g.Solve()
	if err != nil {
		t.Fatal(err)
	}
	// x now, (100 - x)/2 next month: both 100/3.
	for _, s := range p.Served {
		if math.Abs(s.Ratio-1.0/3) > 1e-6 {
			t.Errorf("month %d: %v, want 1/3", s.Month, s.Ratio)
		}
	}
	if math.Abs(p.Lost-100.0/3) > 1e-4 || math.Abs(p.LeftOver) > 1e-4 {
		t.Errorf("lost %v, left over %v; want 33.3 and 0", p.Lost, p.LeftOver)
	}
	g = &General{Unit: "t", Months: 1,
		Offers:      []GeneralOffer{{"S", "gas", []float64{40}, 0, 0}, {"S", "oil", []float64{200}, 0, 0}},
		Needs:       []GeneralNeed{{"J", "gas", []float64{100}, 0}, {"J", "oil", []float64{50}, 0}},
		Routes:      []GeneralRoute{{"S", "J", math.Inf(1), 0, 1, 0}},
		Substitutes: []Substitute{{"J", "oil", "gas", 0.8, 0.3}}}
	if p, err = g.Solve(); err != nil {
		t.Fatal(err)
	}
	if math.Abs(p.Served[0].Ratio-0.7) > 1e-6 || math.Abs(p.Served[1].Ratio-1) > 1e-6 || len(p.Swaps) != 1 || math.Abs(p.Swaps[0].Used-30/0.8) > 1e-4 {
		t.Errorf("served %+v, swaps %+v; want gas at 0.7 with 37.5 of oil", p.Served, p.Swaps)
	}
	g.Needs[0].Floor = 0.9
	if _, err = g.Solve(); err == nil || !strings.Contains(err.Error(), "the floors of J (gas) cannot be met together") {
		t.Errorf("infeasible floor: %v", err)
	}
	g.Routes[0].Loss = 1
	if _, err = g.Solve(); err == nil || !strings.Contains(err.Error(), "a fraction from 0 to below 1") {
		t.Errorf("total loss: %v", err)
	}
}
