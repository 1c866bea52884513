// Package cascade runs a shortage of one product through trade and stocks:
// who draws down, who exports less, who in the end goes without.
//
// The model is that of Marchand et al. 2016 (Environmental Research Letters
// 11 095009) and Heslin et al. 2020 (Frontiers in Sustainable Food Systems,
// 10.3389/fsufs.2020.00026), written from its description, with restrictions
// on single links added. One product, one unit, one step a year. Each place i
// has production P, intended consumption C, accessible stock R, stock change D
// (negative is drawn) and exports E_ij. Its supply is P + imports - exports -
// D and its shortage is C - supply. Turn by turn a place draws its stock, cuts
// its consumption a little, and then moves trade by one of two rules:
//
//   - [Proportional] (PTA): it keeps more of its exports and asks all its
//     suppliers for more, in one step.
//   - [ReserveBased] (RTA): it keeps more of its exports, and then suppliers
//     offer a part of their stocks along the links they have.
//
// The rules bracket what partners may do, so both are shown. Neither creates a
// link that was not there: see [Outcome] and [Candidate].
package cascade

import (
	"errors"
	"fmt"
	"math"
)

// Rule says how trade answers a shortage.
type Rule int

const (
	Proportional Rule = iota // PTA
	ReserveBased             // RTA
)

func (r Rule) String() string { return [...]string{"pta", "rta"}[r] }

// MaxPlaces and MaxLinks bound a world.
const (
	MaxPlaces = 10_000
	MaxLinks  = 4_000_000
)

// A World is the state before anything happens. All quantities share a unit.
type World struct {
	Places     []string
	Production []float64 // a year, >= 0
	Stock      []float64 // at the start, >= 0, accessible or not
	Links      []Link    // at most one for each pair, never from a place to itself
}

// A Link is what one place exports to another in a year, >= 0.
type Link struct {
	From, To int
	Quantity float64
}

// A Restriction withholds part of what flows on a link, for the whole run. The
// link may shrink further but not grow back.
type Restriction struct {
	From, To int
	Withheld float64 // fraction of the link, 0..1
	By       Side
}

// Side says which end of a link withholds.
type Side int

const (
	// Exporter: an export ban or quota. What is withheld stays with the
	// exporter and is not offered to others.
	Exporter Side = iota
	// Importer: an import ban. The exporter still has the goods and offers
	// them to others before its own stock.
	Importer
)

// A Candidate is an assumed new link. It is never taken from data: results
// that rest on one say so.
type Candidate struct {
	From, To int
	Quantity float64 // trial shipment a year, > 0, out of the exporter's own supply
}

// A Shock is what happens in one year.
type Shock struct {
	// Production is the change of production, >= -P. Losses are shortages;
	// gains go into the stock before the run. Nil for none.
	Production   []float64
	Restrictions []Restriction
	Candidates   []Candidate
}

// Options of a run. The zero value holds the published parameters.
type Options struct {
	Accessible float64 // fraction of the stock that may be drawn, rho; default 0.5, -1 for none
	Cut        float64 // fraction of a shortage taken from consumption in each step, c; default 0.01, -1 for none
	Vanish     float64 // shortages below this fraction of consumption are absorbed; default 1e-5
	Offer      float64 // fraction of the accessible stock a supplier offers in one turn (RTA); default 0.2
	Turns      int     // give up after; default 50
	// Lost says that what an export restriction withholds is not produced,
	// instead of going into the exporter's stock.
	Lost bool
}

// Tolerance is the relative change of trade below which a run has settled.
const Tolerance = 1.5e-8

func (o Options) withDefaults() (Options, error) {
	for _, f := range []struct {
		name  string
		v     *float64
		value float64
	}{{"accessible", &o.Accessible, 0.5}, {"cut", &o.Cut, 0.01}, {"vanish", &o.Vanish, 1e-5}, {"offer", &o.Offer, 0.2}} {
		switch {
		case *f.v < 0:
			*f.v = 0
		case !(*f.v > 0):
			*f.v = f.value
		}
		if !(*f.v <= 1) {
			return o, fmt.Errorf("check cascade options: %s is %v; want a fraction of at most 1", f.name, *f.v)
		}
	}
	if o.Turns == 0 {
		o.Turns = 50
	}
	if o.Turns < 1 || o.Turns > 100_000 {
		return o, fmt.Errorf("check cascade options: %d turns; want 1 to 100000", o.Turns)
	}
	return o, nil
}

// Check tests shapes and values and names the place or link that is wrong.
func (w *World) Check() error {
	n := len(w.Places)
	switch {
	case n < 2:
		return errors.New("check cascade world: want at least two places")
	case n > MaxPlaces || len(w.Links) > MaxLinks:
		return fmt.Errorf("check cascade world: %d places and %d links; at most %d and %d fit", n, len(w.Links), MaxPlaces, MaxLinks)
	case len(w.Production) != n || len(w.Stock) != n:
		return fmt.Errorf("check cascade world: %d places, %d productions, %d stocks; they must agree", n, len(w.Production), len(w.Stock))
	}
	for i, name := range w.Places {
		if !amount(w.Production[i]) {
			return fmt.Errorf("check cascade world: production of %q is %v; want zero or more", name, w.Production[i])
		}
		if !amount(w.Stock[i]) {
			return fmt.Errorf("check cascade world: stock of %q is %v; want zero or more", name, w.Stock[i])
		}
	}
	seen := make(map[[2]int]bool, len(w.Links))
	for _, l := range w.Links {
		if l.From < 0 || l.From >= n || l.To < 0 || l.To >= n {
			return fmt.Errorf("check cascade world: a link runs from place number %d to %d; there are %d", l.From, l.To, n)
		}
		name := w.Places[l.From] + " to " + w.Places[l.To]
		switch {
		case l.From == l.To:
			return fmt.Errorf("check cascade world: %s is no trade; leave domestic sales out", name)
		case seen[[2]int{l.From, l.To}]:
			return fmt.Errorf("check cascade world: the link %s stands twice; add the quantities up", name)
		case !amount(l.Quantity):
			return fmt.Errorf("check cascade world: the link %s carries %v; want zero or more", name, l.Quantity)
		}
		seen[[2]int{l.From, l.To}] = true
	}
	for i, c := range w.Consumption() {
		if c < -w.guard() {
			return fmt.Errorf("check cascade world: %q exports %v more than it makes and imports; check units, re-exports and missing production", w.Places[i], -c)
		}
	}
	return nil
}

func amount(v float64) bool { return v >= 0 && !math.IsInf(v, 0) }

// Consumption is what each place uses before the shock: production + imports
// - exports.
func (w *World) Consumption() []float64 {
	c := append([]float64(nil), w.Production...)
	for _, l := range w.Links {
		c[l.From] -= l.Quantity
		c[l.To] += l.Quantity
	}
	return c
}

// guard is the quantity below which a difference is rounding: 1e-12 of world
// production (of world trade, where nothing is produced).
func (w *World) guard() float64 {
	sum := 0.0
	for _, p := range w.Production {
		sum += p
	}
	if !(sum > 0) {
		for _, l := range w.Links {
			sum += l.Quantity
		}
	}
	return 1e-12 * sum
}

func (w *World) checkShock(s Shock) error {
	n := len(w.Places)
	if s.Production != nil && len(s.Production) != n {
		return fmt.Errorf("check shock: %d production changes for %d places", len(s.Production), n)
	}
	for i, d := range s.Production {
		if math.IsNaN(d) || math.IsInf(d, 0) || d < -w.Production[i] {
			return fmt.Errorf("check shock: production of %q changes by %v; it makes only %v", w.Places[i], d, w.Production[i])
		}
	}
	seen := map[[2]int]bool{}
	end := func(i int) bool { return i >= 0 && i < n }
	for _, r := range s.Restrictions {
		if !end(r.From) || !end(r.To) || r.From == r.To {
			return fmt.Errorf("check shock: a restriction runs from place number %d to %d", r.From, r.To)
		}
		name := w.Places[r.From] + " to " + w.Places[r.To]
		if !(r.Withheld >= 0 && r.Withheld <= 1) {
			return fmt.Errorf("check shock: %v of the link %s is withheld; want a fraction from 0 to 1", r.Withheld, name)
		}
		if seen[[2]int{r.From, r.To}] {
			return fmt.Errorf("check shock: the link %s is restricted twice; give the sum of both", name)
		}
		seen[[2]int{r.From, r.To}] = true
	}
	for _, c := range s.Candidates {
		if !end(c.From) || !end(c.To) || c.From == c.To || !(c.Quantity > 0) || math.IsInf(c.Quantity, 0) {
			return fmt.Errorf("check shock: a candidate link from place number %d to %d with %v; want two places and a quantity above zero", c.From, c.To, c.Quantity)
		}
		if seen[[2]int{c.From, c.To}] {
			return fmt.Errorf("check shock: the candidate link %s to %s is restricted or stands twice", w.Places[c.From], w.Places[c.To])
		}
		seen[[2]int{c.From, c.To}] = true
	}
	return nil
}
