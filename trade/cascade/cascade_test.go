package cascade

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// example is the worked example of the reference: four places, a bad harvest
// in AA.
func example() (*World, Shock) {
	return &World{
		Places:     []string{"AA", "BB", "CC", "DD"},
		Production: []float64{900, 400, 100, 40},
		Stock:      []float64{40, 120, 20, 0},
		Links:      []Link{{0, 1, 60}, {0, 2, 120}, {0, 3, 60}, {1, 0, 20}, {1, 2, 80}, {1, 3, 40}, {2, 3, 5}},
	}, Shock{Production: []float64{-180, 0, 0, 0}}
}

func TestWorkedExample(t *testing.T) {
	w, shock := example()
	for _, c := range []struct {
		name    string
		rule    Rule
		turns   int
		settled bool
		after   int
		ratio   [4]float64
		change  [4]float64
	}{
		{"pta", Proportional, 50, true, 9, [4]float64{0.997483109, 0.997288851, 0.820661421, 0.761958168}, [4]float64{-20, -60, -10, 0}},
		{"rta", ReserveBased, 50, false, 50, [4]float64{0.997647059, 0.999999773, 0.828473918, 0.739309675}, [4]float64{-20, -59.999636052, -10, 0}},
		{"rta, more turns", ReserveBased, 400, true, 66, [4]float64{0.997647059, 0.999999994, 0.828474558, 0.739310326}, [4]float64{-20, -60, -10, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Run(w, shock, c.rule, Options{Turns: c.turns})
			if err != nil {
				t.Fatal(err)
			}
			if r.Turns != c.after || r.Settled != c.settled {
				t.Errorf("%d turns, settled %v; want %d, %v", r.Turns, r.Settled, c.after, c.settled)
			}
			for i, o := range r.Outcomes {
				if math.Abs(o.Ratio.Value-c.ratio[i]) > 1e-9 || math.Abs(o.StockChange-c.change[i]) > 2e-5 {
					t.Errorf("%s: ratio %.9f, stock %.9f; want %.9f, %.9f", o.Place, o.Ratio.Value, o.StockChange, c.ratio[i], c.change[i])
				}
			}
		})
	}
	r, err := Run(w, shock, Proportional, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range []float64{20.686877639, 41.373755279, 20.686877639, 21.036024650, 90.721363886, 49.797056747, 0} {
		if math.Abs(r.Flows[k].After-want) > 1e-8 {
			t.Errorf("flow %s to %s = %.9f, want %.9f", r.Flows[k].From, r.Flows[k].To, r.Flows[k].After, want)
		}
	}
}

// world draws a random world with exports below what each place makes.
func world(t *rapid.T) *World {
	n := rapid.IntRange(2, 8).Draw(t, "places")
	w := &World{}
	for i := range n {
		w.Places = append(w.Places, fmt.Sprintf("P%d", i))
		w.Production = append(w.Production, rapid.Float64Range(1, 1000).Draw(t, "production"))
		w.Stock = append(w.Stock, rapid.SampledFrom([]float64{0, 1, 10, 300}).Draw(t, "stock"))
		left := w.Production[i]
		for j := range n {
			if i != j && rapid.Bool().Draw(t, "link") {
				q := left * rapid.Float64Range(0, 0.9).Draw(t, "part")
				left -= q
				w.Links = append(w.Links, Link{i, j, q})
			}
		}
	}
	return w
}

func shockOf(t *rapid.T, w *World) Shock {
	s := Shock{Production: make([]float64, len(w.Places))}
	for i := range w.Places {
		if rapid.Bool().Draw(t, "hit") {
			s.Production[i] = -w.Production[i] * rapid.Float64Range(0, 1).Draw(t, "loss")
		}
	}
	for _, l := range w.Links {
		if rapid.IntRange(0, 3).Draw(t, "restricted") == 0 {
			s.Restrictions = append(s.Restrictions, Restriction{l.From, l.To, rapid.Float64Range(0, 1).Draw(t, "withheld"), Side(rapid.IntRange(0, 1).Draw(t, "by"))})
		}
	}
	return s
}

// TestInvariants: nothing is made or lost, in each place and in all; flows and
// draws stay in their bounds; a restricted link does not grow.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := world(t)
		s := shockOf(t, w)
		rule := Rule(rapid.IntRange(0, 1).Draw(t, "rule"))
		opt := Options{Lost: rapid.Bool().Draw(t, "lost"), Turns: rapid.IntRange(1, 60).Draw(t, "turns")}
		r, err := Run(w, s, rule, opt)
		if err != nil {
			t.Fatal(err)
		}
		before := w.Consumption()
		all, made, scale := 0.0, 0.0, 0.0
		imports, exports := make([]float64, len(w.Places)), make([]float64, len(w.Places))
		for k, l := range w.Links {
			imports[l.To] -= l.Quantity
			exports[l.From] -= l.Quantity
			imports[l.To] += r.Flows[k].After
			exports[l.From] += r.Flows[k].After
			if r.Flows[k].After < 0 {
				t.Fatalf("flow %v is negative", r.Flows[k])
			}
			if r.Flows[k].Restricted && r.Flows[k].After > l.Quantity*(1+1e-12) {
				t.Fatalf("restricted link grew: %v", r.Flows[k])
			}
			scale += l.Quantity
		}
		for i, o := range r.Outcomes {
			scale += w.Production[i]
			dp := o.Production - w.Production[i]
			if got := dp + imports[i] - exports[i] - (o.StockChange + o.Consumption - before[i]); math.Abs(got) > 1e-9*(1+scale) {
				t.Fatalf("%s: the balance is off by %v", o.Place, got)
			}
			if o.StockChange < -o.Accessible-1e-9 {
				t.Fatalf("%s drew %v of %v", o.Place, -o.StockChange, o.Accessible)
			}
			all += o.StockChange + o.Consumption - before[i]
			made += dp
		}
		if math.Abs(all-made) > 1e-9*(1+scale) {
			t.Fatalf("stocks and consumption change by %v, production by %v", all, made)
		}
	})
}

// TestOrderAndUnitDoNotMatter permutes the places and rescales the unit.
func TestOrderAndUnitDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := world(t)
		s := shockOf(t, w)
		rule := Rule(rapid.IntRange(0, 1).Draw(t, "rule"))
		unit := rapid.SampledFrom([]float64{1, 1e-6, 1e9}).Draw(t, "unit")
		n := len(w.Places)
		to := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 7)).Perm(n)
		v := &World{Places: make([]string, n), Production: make([]float64, n), Stock: make([]float64, n)}
		vs := Shock{Production: make([]float64, n)}
		for i := range n {
			v.Places[to[i]], v.Production[to[i]], v.Stock[to[i]] = w.Places[i], w.Production[i]*unit, w.Stock[i]*unit
			vs.Production[to[i]] = s.Production[i] * unit
		}
		for k := range w.Links {
			l := w.Links[len(w.Links)-1-k]
			v.Links = append(v.Links, Link{to[l.From], to[l.To], l.Quantity * unit})
		}
		for _, r := range s.Restrictions {
			vs.Restrictions = append(vs.Restrictions, Restriction{to[r.From], to[r.To], r.Withheld, r.By})
		}
		a, err := Run(w, s, rule, Options{})
		if err != nil {
			t.Fatal(err)
		}
		b, err := Run(v, vs, rule, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range a.Outcomes {
			got := b.Outcomes[to[i]].Consumption / unit
			if math.Abs(got-o.Consumption) > 1e-9*(1+w.Production[i]+o.Before) {
				t.Fatalf("%s: %v, permuted and rescaled %v", o.Place, o.Consumption, got)
			}
		}
	})
}

func TestNoShockMovesNothing(t *testing.T) {
	w, _ := example()
	for _, rule := range []Rule{Proportional, ReserveBased} {
		r, err := Run(w, Shock{}, rule, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for k, f := range r.Flows {
			if math.Abs(f.After-w.Links[k].Quantity) > 1e-9 || !r.Settled || r.Turns != 1 {
				t.Errorf("%v: %+v after %d turns", rule, f, r.Turns)
			}
		}
	}
}

// TestBans: an export ban stays with the exporter, an import ban is offered to
// others, and a place without another supplier is named.
func TestBans(t *testing.T) {
	w := &World{Places: []string{"A", "B", "C"}, Production: []float64{100, 0, 0}, Stock: []float64{0, 0, 0},
		Links: []Link{{0, 1, 30}, {0, 2, 40}}}
	export, err := Run(w, Shock{Restrictions: []Restriction{{0, 1, 1, Exporter}}}, ReserveBased, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if b := export.Outcomes[1]; !b.NoSupplier || b.Consumption > 1e-9 || b.Withheld != 30 {
		t.Errorf("banned importer: %+v", b)
	}
	if a := export.Outcomes[0]; math.Abs(a.StockChange-30) > 1e-9 {
		t.Errorf("exporter's stock changes by %v, want 30", a.StockChange)
	}
	lost, err := Run(w, Shock{Restrictions: []Restriction{{0, 1, 1, Exporter}}}, ReserveBased, Options{Lost: true})
	if err != nil {
		t.Fatal(err)
	}
	if a := lost.Outcomes[0]; math.Abs(a.Production-70) > 1e-9 || math.Abs(a.StockChange) > 1e-9 {
		t.Errorf("exporter when the output is lost: %+v", a)
	}
	// C loses half its harvest while B bans A's goods: they go to C.
	w = &World{Places: []string{"A", "B", "C"}, Production: []float64{100, 50, 50}, Stock: []float64{0, 0, 0}, Links: []Link{{0, 1, 30}, {0, 2, 40}}}
	ban, err := Run(w, Shock{Production: []float64{0, 0, -25}, Restrictions: []Restriction{{0, 1, 1, Importer}}}, ReserveBased, Options{Turns: 400})
	if err != nil {
		t.Fatal(err)
	}
	if got := ban.Flows[1].After; got < 60 {
		t.Errorf("C receives %v of what B refuses, want more than 60", got)
	}
	// A trial shipment reaches B where no link would.
	trial, err := Run(w, Shock{Restrictions: []Restriction{{0, 1, 1, Exporter}}, Candidates: []Candidate{{2, 1, 10}}}, Proportional, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if f := trial.Flows[2]; !f.Assumed || f.After <= 0 || len(trial.Notes) == 0 {
		t.Errorf("candidate link: %+v, notes %v", f, trial.Notes)
	}
}

func TestYearsCarryStocks(t *testing.T) {
	w, shock := example()
	years, err := RunYears(w, []Shock{shock, shock, {Production: []float64{100, 0, 0, 0}}}, Proportional, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := years[1].Outcomes[0].Accessible; math.Abs(got-10) > 1e-9 { // half of 40 - 20
		t.Errorf("second year: AA can draw %v, want 10", got)
	}
	if got := years[2].Outcomes[0].Accessible; math.Abs(got-55) > 1e-9 { // half of 10 + 100
		t.Errorf("third year: AA can draw %v, want 55", got)
	}
}

func TestBadWorlds(t *testing.T) {
	w, _ := example()
	for _, c := range []struct {
		name, want string
		change     func(w *World, s *Shock)
	}{
		{"negative flow", "AA to BB carries -1", func(w *World, s *Shock) { w.Links[0].Quantity = -1 }},
		{"no number", `stock of "BB" is NaN`, func(w *World, s *Shock) { w.Stock[1] = math.NaN() }},
		{"twice", "AA to BB stands twice", func(w *World, s *Shock) { w.Links[1].To = 1 }},
		{"more out than in", `"DD" exports`, func(w *World, s *Shock) { w.Links = append(w.Links, Link{3, 0, 900}) }},
		{"loss above production", "it makes only 40", func(w *World, s *Shock) { s.Production = []float64{0, 0, 0, -50} }},
		{"fraction", "want a fraction from 0 to 1", func(w *World, s *Shock) { s.Restrictions = []Restriction{{0, 1, 1.5, Exporter}} }},
		{"restricted twice", "restricted twice", func(w *World, s *Shock) {
			s.Restrictions = []Restriction{{0, 1, 0.5, Exporter}, {0, 1, 0.5, Importer}}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := *w
			v.Links = append([]Link(nil), w.Links...)
			v.Stock = append([]float64(nil), w.Stock...)
			var s Shock
			c.change(&v, &s)
			if _, err := Run(&v, s, Proportional, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want it to say %q", err, c.want)
			}
		})
	}
}

func BenchmarkCascade195(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	n := 195
	w := &World{}
	s := Shock{Production: make([]float64, n)}
	for i := range n {
		w.Places = append(w.Places, fmt.Sprint("P", i))
		w.Production = append(w.Production, math.Exp(3*rng.NormFloat64()))
		w.Stock = append(w.Stock, w.Production[i]*rng.Float64()/2)
		for j := range n {
			if i != j && rng.IntN(3) == 0 {
				w.Links = append(w.Links, Link{i, j, w.Production[i] * rng.Float64() / 150})
			}
		}
	}
	s.Production[0], s.Production[7] = -w.Production[0]/2, -w.Production[7]/2
	for _, rule := range []Rule{Proportional, ReserveBased} {
		b.Run(rule.String(), func(b *testing.B) {
			for b.Loop() {
				if _, err := Run(w, s, rule, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
