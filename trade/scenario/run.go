package scenario

import (
	"fmt"
	"math"
	"sort"

	"causeway/trade"
	"causeway/trade/cascade"
	"causeway/trade/flows"
	"causeway/trade/place"
	"causeway/trade/shock"
)

// A World is what the engines run on. Only Flows must be there; what is
// missing leaves its engine out, with a reason.
type World struct {
	Flows      *flows.Set
	Production map[string]trade.Figure // by country, of the product at hand, in the unit of the flow values
	Stocks     map[string]trade.Figure
	// Covered is how much of a basket a finer code covers, by the measure's code.
	Covered map[string]float64
	// CostShares is the share of the product in each country's costs or
	// spending (0..1), by country; what is unknown leaves the welfare figures
	// unknown.
	CostShares map[string]trade.Figure
}

// An Effect is what one scenario does to one country in one product, by three
// engines side by side. Money is in the unit of the flows; logs are natural.
type Effect struct {
	Country  string       `json:"country"`
	Product  string       `json:"product"`
	Side     string       `json:"side"`     // buyer: loses a supply; seller: loses a market
	Trade    float64      `json:"trade"`    // all its imports (buyer) or exports (seller) of the product before
	Withheld trade.Figure `json:"withheld"` // gross: what the measures stop
	Share    trade.Figure `json:"share"`    // of Trade
	Partial  bool         `json:"partial"`  // the code holds more than what is hit

	// Price is the log change of the product's price index if the suppliers
	// never come back (CES cut-off), over the elasticities.
	Price Span `json:"price"`
	// Loss is the log change of real output or income of the user, over the
	// elasticities, with the first order beside it and the Leontief bound.
	FirstOrder trade.Figure `json:"first_order"`
	Loss       Span         `json:"loss"`
	Leontief   trade.Figure `json:"leontief"`
	// Consumption after / before, by the cascade under its two rules.
	Cascade Span `json:"cascade"`
	// RealIncome is the change of the country's real income in percent by the
	// equilibrium, for the whole scenario, over the elasticities.
	RealIncome Span `json:"real_income"`
	// NoSupplier says that nobody else has ever delivered.
	NoSupplier bool     `json:"no_supplier,omitempty"`
	Notes      []string `json:"notes,omitempty"`
}

// A Span is the range of a figure over what is not known, or a reason.
type Span struct {
	Low    trade.Figure `json:"low"`
	High   trade.Figure `json:"high"`
	Reason string       `json:"reason,omitempty"`
}

func unknown(format string, args ...any) Span {
	u := trade.Unknown(format, args...)
	return Span{u, u, u.Reason}
}

func span(a, b trade.Figure) Span {
	if !a.IsKnown() || !b.IsKnown() {
		s := Span{a, b, a.Reason}
		if a.IsKnown() {
			s.Reason = b.Reason
		}
		return s
	}
	return Span{trade.Known(math.Min(a.Value, b.Value)), trade.Known(math.Max(a.Value, b.Value)), ""}
}

// A Report is the run of one scenario.
type Report struct {
	Scenario string   `json:"scenario"`
	Year     int      `json:"year"`
	Effects  []Effect `json:"effects"` // by gross loss, descending
	Notes    []string `json:"notes,omitempty"`
}

// Run runs a scenario. Measures without goods (services) and duties are named
// in the notes: duties belong to the equilibrium engine (package equilibrium),
// which needs sectors.
func Run(s *Scenario, w World) (*Report, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	year := len(w.Flows.Years) - 1
	if s.Baseline != 0 {
		var err error
		if year, err = w.Flows.Year(s.Baseline); err != nil {
			return nil, fmt.Errorf("run scenario: %w", err)
		}
	}
	r := &Report{Scenario: s.ID, Year: w.Flows.Years[year]}
	hits, err := r.hits(s, w, year)
	if err != nil {
		return nil, err
	}
	products := make([]string, 0, len(hits))
	for code := range hits {
		products = append(products, code)
	}
	sort.Strings(products)
	for _, code := range products {
		if err := r.product(s, w, year, code, hits[code]); err != nil {
			return nil, err
		}
	}
	sort.SliceStable(r.Effects, func(a, b int) bool {
		x, y := r.Effects[a], r.Effects[b]
		return x.Withheld.Value > y.Withheld.Value
	})
	return r, nil
}

// hit is what the measures stop on one link of one product.
type hit struct {
	withheld float64 // fraction
	by       cascade.Side
	partial  bool
	reason   string // non-empty: the fraction is not known
}

// hits gathers the links every measure stops.
func (r *Report) hits(s *Scenario, w World, year int) (map[string]map[[2]int]hit, error) {
	out := map[string]map[[2]int]hit{}
	for i := range s.Measures {
		m := &s.Measures[i]
		if !m.Kind.Exports() && !m.Kind.Imports() {
			r.Notes = append(r.Notes, fmt.Sprintf("measure %d (%s) stops no flow of goods here: %s", i+1, m.Kind, map[bool]string{true: "see the equilibrium", false: "services are not in the data"}[m.Kind == Tariff]))
			continue
		}
		baskets, err := m.Baskets(w.Flows.Products, w.Covered)
		if err != nil {
			return nil, fmt.Errorf("run scenario: measure %d: %w", i+1, err)
		}
		actor, err := w.Flows.Place(m.Actor)
		if err != nil {
			return nil, fmt.Errorf("run scenario: measure %d: %w", i+1, err)
		}
		for _, b := range baskets {
			h := hit{partial: b.Partial}
			if m.Kind.Imports() {
				h.by = cascade.Importer
			}
			switch {
			case !m.Withheld.IsKnown():
				h.reason = m.Withheld.Reason
			case !b.Covered.IsKnown():
				h.reason = b.Covered.Reason
			default:
				h.withheld = m.Withheld.Value * b.Covered.Value
			}
			if out[b.Code] == nil {
				out[b.Code] = map[[2]int]hit{}
			}
			for _, t := range m.targets(w.Flows, w.Flows.Years[year]) {
				link := [2]int{actor, t}
				if m.Kind.Imports() {
					link = [2]int{t, actor}
				}
				if old, seen := out[b.Code][link]; seen {
					h.withheld = 1 - (1-old.withheld)*(1-h.withheld)
				}
				out[b.Code][link] = h
			}
		}
	}
	return out, nil
}

// party sums one country's side of a product.
type party struct {
	trade, withheld float64
	reason          string
	partial         bool
	others          int // suppliers (or markets) not hit
}

func (r *Report) product(s *Scenario, w World, year int, code string, hits map[[2]int]hit) error {
	k, err := w.Flows.Product(code)
	if err != nil {
		return err
	}
	buyers, sellers := map[int]*party{}, map[int]*party{}
	at := func(m map[int]*party, i int) *party {
		if m[i] == nil {
			m[i] = &party{}
		}
		return m[i]
	}
	w.Flows.Flows(year, k, func(f flows.Flow) {
		if math.IsNaN(f.Value) {
			return
		}
		h, stopped := hits[[2]int{f.Exporter, f.Importer}]
		for _, p := range []*party{at(buyers, f.Importer), at(sellers, f.Exporter)} {
			p.trade += f.Value
			if !stopped || h.withheld < 1 {
				p.others++
			}
			if stopped {
				p.withheld += h.withheld * f.Value
				p.partial = p.partial || h.partial
				if h.reason != "" {
					p.reason = h.reason
				}
			}
		}
	})
	before := len(r.Effects)
	for _, side := range []struct {
		name    string
		parties map[int]*party
	}{{"buyer", buyers}, {"seller", sellers}} {
		order := make([]int, 0, len(side.parties))
		for i, p := range side.parties {
			if p.withheld > 0 || p.reason != "" {
				order = append(order, i)
			}
		}
		sort.Ints(order)
		for _, i := range order {
			r.Effects = append(r.Effects, s.effect(w, w.Flows.Places[i].Code, code, side.name, side.parties[i]))
		}
	}
	if len(r.Effects) == before {
		r.Notes = append(r.Notes, fmt.Sprintf("product %s: no trade on the links the measures stop", code))
		return nil
	}
	return r.cascade(s, w, year, k, hits, r.Effects[before:])
}

// effect fills the figures of the closed forms.
func (s *Scenario) effect(w World, country, code, side string, p *party) Effect {
	e := Effect{Country: country, Product: code, Side: side, Trade: p.trade, Partial: p.partial, Cascade: unknown("no production or stocks were given"),
		RealIncome: unknown("no equilibrium was given")}
	if p.reason != "" {
		u := trade.Unknown("%s", p.reason)
		e.Withheld, e.Share, e.FirstOrder, e.Leontief = u, u, u, u
		e.Price, e.Loss = unknown("%s", p.reason), unknown("%s", p.reason)
		return e
	}
	e.Withheld = trade.Known(p.withheld)
	e.Share = trade.Known(p.withheld / p.trade)
	if side == "seller" {
		u := trade.Unknown("the closed forms are for who loses a supply")
		e.FirstOrder, e.Leontief, e.Price, e.Loss = u, u, unknown("%s", u.Reason), unknown("%s", u.Reason)
		return e
	}
	e.NoSupplier = p.others == 0
	sigma := s.Elasticity
	if sigma == (trade.Interval{}) {
		sigma = trade.Interval{Low: 2, High: 8}
		e.Notes = append(e.Notes, "the scenario gives no elasticities; 2 to 8 are used")
	}
	low, err1 := shock.Remove(e.Share.Value, sigma.Low, 1)
	high, err2 := shock.Remove(e.Share.Value, sigma.High, 1)
	if err1 != nil || err2 != nil {
		e.Price = unknown("%v%v", err1, err2)
	} else {
		e.Price = span(low.Price, high.Price)
	}
	cost, ok := w.CostShares[country]
	if !ok {
		cost = trade.Unknown("the product's share in the country's costs is not given")
	}
	if !cost.IsKnown() {
		e.FirstOrder, e.Leontief, e.Loss = cost, cost, unknown("%s", cost.Reason)
		return e
	}
	a, err1 := shock.Input{CostShare: cost.Value, Elasticity: sigma.Low}.Fall(1 - e.Share.Value)
	b, err2 := shock.Input{CostShare: cost.Value, Elasticity: sigma.High}.Fall(1 - e.Share.Value)
	if err1 != nil || err2 != nil {
		e.Loss = unknown("%v%v", err1, err2)
		return e
	}
	e.FirstOrder, e.Leontief, e.Loss = trade.Known(a.FirstOrder), a.Leontief, span(a.Exact, b.Exact)
	return e
}

// cascade runs the third engine where production is known for every country
// that trades the product.
func (r *Report) cascade(s *Scenario, w World, year, k int, hits map[[2]int]hit, effects []Effect) error {
	if w.Production == nil {
		return nil
	}
	world, index, missing := w.cascadeWorld(year, k)
	skip := func(format string, args ...any) error {
		for i := range effects {
			effects[i].Cascade = unknown(format, args...)
		}
		return nil
	}
	if missing != "" {
		return skip("production of %s is not known", missing)
	}
	var rs []cascade.Restriction
	for link, h := range hits {
		if h.reason != "" {
			return skip("%s", h.reason)
		}
		from, ok1 := index[link[0]]
		to, ok2 := index[link[1]]
		if ok1 && ok2 {
			rs = append(rs, cascade.Restriction{From: from, To: to, Withheld: h.withheld, By: h.by})
		}
	}
	sort.Slice(rs, func(a, b int) bool {
		return rs[a].From < rs[b].From || (rs[a].From == rs[b].From && rs[a].To < rs[b].To)
	})
	opt := s.Engines.Options()
	var ratio [2]map[string]trade.Figure
	for i, rule := range []cascade.Rule{cascade.Proportional, cascade.ReserveBased} {
		res, err := cascade.Run(world, cascade.Shock{Restrictions: rs}, rule, opt)
		if err != nil {
			return skip("%v", err)
		}
		ratio[i] = map[string]trade.Figure{}
		for _, o := range res.Outcomes {
			ratio[i][o.Place] = o.Ratio
		}
	}
	for i := range effects {
		effects[i].Cascade = span(ratio[0][effects[i].Country], ratio[1][effects[i].Country])
	}
	return nil
}

// cascadeWorld builds the world of one product; missing names a trader whose
// production is not known.
func (w World) cascadeWorld(year, k int) (world *cascade.World, index map[int]int, missing string) {
	world, index = &cascade.World{}, map[int]int{}
	at := func(i int) int {
		if n, ok := index[i]; ok {
			return n
		}
		code := w.Flows.Places[i].Code
		made, ok := w.Production[code]
		if !ok || !made.IsKnown() {
			if missing == "" && w.Flows.Places[i].Kind == place.Country {
				missing = code
			}
			made = trade.Known(0)
		}
		stock := w.Stocks[code] // none given: none to draw
		index[i] = len(world.Places)
		world.Places, world.Production, world.Stock = append(world.Places, code), append(world.Production, made.Value), append(world.Stock, stock.Value)
		return index[i]
	}
	w.Flows.Flows(year, k, func(f flows.Flow) {
		if !math.IsNaN(f.Value) && f.Value > 0 && f.Exporter != f.Importer {
			world.Links = append(world.Links, cascade.Link{From: at(f.Exporter), To: at(f.Importer), Quantity: f.Value})
		}
	})
	return world, index, missing
}
