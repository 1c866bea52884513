// Package answer runs a scenario on one product's supply, as an object of the
// exchange carries it, and finds what the scenario's members can do about it
// together. Pages, commands and partners all run it: the same scenario on the
// same supply gives the same plan, byte for byte.
package answer

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"causeway/trade"
	"causeway/trade/cascade"
	"causeway/trade/place"
	"causeway/trade/scenario"
	"causeway/trade/sharing"
	"causeway/trade/shock"
	"causeway/trade/table"
)

// Result is what a scenario does to one product, and what can be done.
type Result struct {
	// Reserve and Proportional are the years under the two rules of the
	// cascade, which bracket what partners may do.
	Reserve, Proportional *cascade.Result
	Hits                  []Hit // who is hit, the worst first
	Total                 float64
	// Users are the closed forms for the users of the product in the country
	// that is hit worst; nil where the scenario gives no cost share.
	Users *Users
	// Plan shares what the members have among what they lack; nil with fewer
	// than two members, or where none lacks anything.
	Plan       *sharing.Plan
	Infeasible string // why no plan keeps its floors
	Notes      []string
}

// A Hit is what one place loses.
type Hit struct {
	Place     string
	Withheld  float64 // gross, in the unit of the supply
	Low, High float64 // share of its consumption lost under the two rules
	// NoSupplier says that nobody else has ever delivered to it.
	NoSupplier bool
}

// Users are the closed forms of package shock for the users of a product.
type Users struct {
	Loss  shock.Loss
	Range shock.Range
	Error string // why there is no range
}

// Run runs the measures of a scenario on a supply. Quantities are in unit. A
// measure that hits a finer code than the basket is taken to be about this
// very product: the supply is of it, and not of a basket. Measures that stop
// no goods are named in the notes.
func Run(s *scenario.Scenario, w *cascade.World, unit string) (*Result, error) {
	r := &Result{}
	restrictions, err := r.restrictions(s, w)
	if err != nil {
		return nil, err
	}
	change := cascade.Shock{Restrictions: restrictions}
	opt := s.Engines.Options()
	if r.Reserve, err = cascade.Run(w, change, cascade.ReserveBased, opt); err != nil {
		return nil, fmt.Errorf("run scenario: %w", err)
	}
	if r.Proportional, err = cascade.Run(w, change, cascade.Proportional, opt); err != nil {
		return nil, fmt.Errorf("run scenario: %w", err)
	}
	r.Notes = append(append(r.Notes, r.Reserve.Notes...), r.Proportional.Notes...)
	slices.Sort(r.Notes)
	r.Notes = slices.Compact(r.Notes)
	r.hits()
	if err := r.users(s); err != nil {
		return nil, err
	}
	return r, r.plan(s, w, unit)
}

// restrictions puts the measures on the links they hit. Two measures on one
// link leave what both leave.
func (r *Result) restrictions(s *scenario.Scenario, w *cascade.World) ([]cascade.Restriction, error) {
	type end struct {
		left float64
		by   cascade.Side
	}
	hit := map[[2]int]end{}
	for i := range s.Measures {
		m := &s.Measures[i]
		if !m.Kind.Exports() && !m.Kind.Imports() {
			r.Notes = append(r.Notes, fmt.Sprintf("measure %d (%s) stops no flow of goods", i+1, m.Kind))
			continue
		}
		if !m.Withheld.IsKnown() {
			return nil, fmt.Errorf("run scenario: measure %d: how much is withheld is not known (%s); say what to assume", i+1, m.Withheld.Reason)
		}
		targets := targetsOf(m, s.Baseline)
		for _, l := range w.Links {
			actor, other, by := w.Places[l.From], w.Places[l.To], cascade.Exporter
			if m.Kind.Imports() {
				actor, other, by = other, actor, cascade.Importer
			}
			if actor != m.Actor || !(targets["*"] || targets[other]) {
				continue
			}
			e, seen := hit[[2]int{l.From, l.To}]
			if !seen {
				e = end{left: 1, by: by}
			}
			e.left *= 1 - m.Withheld.Value
			hit[[2]int{l.From, l.To}] = e
		}
	}
	var out []cascade.Restriction
	for _, l := range w.Links { // in the order of the links, not of the map
		if e, ok := hit[[2]int{l.From, l.To}]; ok {
			out = append(out, cascade.Restriction{From: l.From, To: l.To, Withheld: 1 - e.left, By: e.by})
		}
	}
	return out, nil
}

// targetsOf gives the countries that a measure is against, "*" for everybody.
func targetsOf(m *scenario.Measure, year int) map[string]bool {
	out := map[string]bool{}
	if year == 0 && len(m.From) >= 4 {
		year, _ = strconv.Atoi(m.From[:4]) // a date begins with its year
	}
	for _, t := range m.Targets {
		members, group := place.Group(t, year)
		if !group {
			members = []string{t}
		}
		for _, c := range members {
			out[c] = true
		}
	}
	return out
}

// hits ranks who consumes less, with the range of the two rules. What is less
// than a ten-thousandth is no loss.
func (r *Result) hits() {
	loss := func(o cascade.Outcome) float64 {
		if o.Before <= 0 {
			return 0
		}
		return math.Max(0, 1-o.Consumption/o.Before)
	}
	for i, a := range r.Reserve.Outcomes {
		b := r.Proportional.Outcomes[i]
		h := Hit{Place: a.Place, Withheld: a.Withheld, Low: math.Min(loss(a), loss(b)), High: math.Max(loss(a), loss(b)), NoSupplier: a.NoSupplier || b.NoSupplier}
		if h.High < 1e-4 && h.Withheld == 0 {
			continue
		}
		r.Total += h.Withheld
		r.Hits = append(r.Hits, h)
	}
	slices.SortStableFunc(r.Hits, func(a, b Hit) int {
		switch {
		case a.High > b.High || a.High == b.High && a.Withheld > b.Withheld:
			return -1
		case a.High == b.High && a.Withheld == b.Withheld:
			return 0
		}
		return 1
	})
}

// users applies the closed forms to the fall of consumption where it is worst.
func (r *Result) users(s *scenario.Scenario) error {
	if s.Engines == nil || s.Engines.CostShare == 0 {
		return nil
	}
	remaining := 1.0
	if len(r.Hits) > 0 && r.Hits[0].High > 0 {
		remaining = 1 - r.Hits[0].High
	}
	sigma := s.Elasticity
	if sigma == (trade.Interval{}) {
		sigma = trade.Interval{Low: 2, High: 8}
		r.Notes = append(r.Notes, "the scenario gives no elasticities; 2 to 8 are used")
	}
	in := shock.Input{CostShare: s.Engines.CostShare, Elasticity: sigma.Low}
	u := &Users{}
	var err error
	if u.Loss, err = in.Fall(remaining); err != nil {
		return fmt.Errorf("run scenario: %w", err)
	}
	if u.Range, err = in.Over(sigma.Low, sigma.High, remaining); err != nil {
		u.Error = err.Error()
	}
	r.Users = u
	return nil
}

// lack is what a place is short of once trade has moved, before it draws on its
// stock: the loss of a supplier, and what others pass on to it.
func lack(o cascade.Outcome) float64 {
	return o.Before - (o.Production + o.Imports - o.Exports)
}

// plan shares the members' accessible stocks among what they lack under the
// proportional rule: leximin, then the cheapest such plan, every shipment
// counted once. Quantities are in thousandths of the unit.
func (r *Result) plan(s *scenario.Scenario, w *cascade.World, unit string) error {
	if s.Engines == nil || len(s.Engines.Members) < 2 {
		return nil
	}
	members := s.Engines.Members
	t := sharing.Tables{
		Offers: &table.Table{Name: "offers", Header: []string{"supplier", "quantity"}},
		Needs:  &table.Table{Name: "needs", Header: []string{"member", "quantity"}},
		Routes: &table.Table{Name: "routes", Header: []string{"from", "to", "cost"}},
		Months: 1, Unit: unit,
	}
	add := func(to *table.Table, cells ...string) {
		to.Rows, to.Lines = append(to.Rows, cells), append(to.Lines, len(to.Rows)+2)
	}
	fixed := func(v float64) string { return strconv.FormatFloat(math.Max(0, v), 'f', 3, 64) }
	accessible := s.Engines.StockShare()
	var needy []string
	for _, o := range r.Proportional.Outcomes {
		if slices.Contains(members, o.Place) && lack(o) >= 0.0005 {
			needy = append(needy, o.Place)
			add(t.Needs, o.Place, fixed(lack(o)))
		}
	}
	for i, o := range r.Proportional.Outcomes {
		if !slices.Contains(members, o.Place) {
			continue
		}
		add(t.Offers, o.Place, fixed(w.Stock[i]*accessible))
		for _, to := range needy {
			if to != o.Place {
				add(t.Routes, o.Place, to, "1")
			}
		}
	}
	if len(needy) == 0 {
		return nil
	}
	problem, err := sharing.Read(t)
	if err != nil {
		return fmt.Errorf("plan joint action: %w", err)
	}
	plan, err := problem.Solve()
	var short *sharing.InfeasibleError
	switch {
	case errors.As(err, &short):
		r.Infeasible = short.Error()
		return nil
	case err != nil:
		return fmt.Errorf("plan joint action: %w", err)
	}
	r.Plan = plan
	return nil
}
