package dependency

import (
	"fmt"
	"math"
	"sort"

	"causeway/trade"
	"causeway/trade/flows"
	"causeway/trade/place"
)

// Thresholds of the screens. The zero value holds the published ones.
type Thresholds struct {
	HHI    float64 // import and world-export concentration above this count; default 0.4 (European Commission SWD(2021) 352; CEPII GeoDep)
	Extern float64 // share of imports from outside a bloc above this counts; default 0.5
	Ratio  float64 // imports / exports above this count; default 1
}

func (t Thresholds) withDefaults() Thresholds {
	for _, f := range []struct {
		v     *float64
		value float64
	}{{&t.HHI, 0.4}, {&t.Extern, 0.5}, {&t.Ratio, 1}} {
		if !(*f.v > 0) {
			*f.v = f.value
		}
	}
	return t
}

// An Indicator says how one importer depends on the outside for one product in
// one year. For a bloc, imports are those from outside it.
type Indicator struct {
	Year     int          `json:"year"`
	Importer string       `json:"importer"`
	Product  string       `json:"product"`
	Imports  float64      `json:"imports"` // value in the unit of the source
	Quantity trade.Figure `json:"quantity"`
	Exports  float64      `json:"exports"`

	HHI       trade.Figure `json:"hhi"`      // CDI 1: concentration of imports over named suppliers
	HHIHigh   trade.Figure `json:"hhi_high"` // with the residual as one supplier
	Suppliers int          `json:"suppliers"`
	Top       string       `json:"top"`
	TopShare  trade.Figure `json:"top_share"`
	// WithoutTop is the general N-1 figure for imports: the share of imports
	// that is left without the largest supplier.
	WithoutTop trade.Figure `json:"without_top"`
	// Extern is CDI 2: imports from outside / all imports of the bloc's members.
	// Unknown for a single country, which has no inside.
	Extern trade.Figure `json:"extern"`
	// Ratio is CDI 3: imports / exports. Without exports it is unknown, and
	// the test counts as passed (GeoDep writes 9999).
	Ratio trade.Figure `json:"ratio"`

	WorldHHI   trade.Figure `json:"world_hhi"` // concentration of world exports
	WorldTop   string       `json:"world_top"`
	WorldShare trade.Figure `json:"world_share"`
	// Growth is how much the other exporters would have to grow to replace the
	// importer's largest supplier in the world: share / (1 - share).
	Growth trade.Figure `json:"growth"`

	// Asked is the share of the supplier the question names.
	Asked trade.Figure `json:"asked"`

	// EU says whether the three core dependency indicators of the European
	// Commission hold; GeoDep whether the three of CEPII hold (import and
	// world-export concentration, and imports above exports).
	EU       bool    `json:"eu"`
	GeoDep   bool    `json:"geodep"`
	Coverage float64 `json:"coverage"` // (suppliers with a known value / listed) x (1 - residual)
	Missing  int     `json:"missing"`  // flows without a value
}

// A Market is an importer to measure: a country, or a bloc whose members may
// change from year to year.
type Market struct {
	Name    string
	members func(year int) []string
}

// MarketOf resolves a country or a group of place.Groups.
func MarketOf(name string) (Market, error) {
	if _, ok := place.Group(name, 2020); ok {
		return Market{name, func(year int) []string { m, _ := place.Group(name, year); return m }}, nil
	}
	p, err := place.Resolve(name)
	if err != nil {
		return Market{}, fmt.Errorf("%w (groups: %v)", err, place.Groups())
	}
	return Market{p.Code, func(int) []string { return []string{p.Code} }}, nil
}

// A Question says what to measure.
type Question struct {
	Markets    []Market // nil: every country of the data
	Products   []int    // indices; nil: all
	Supplier   string   // ISO alpha-3 of a supplier whose share is asked for; "" for none
	Thresholds Thresholds
}

// Measure computes the indicators the question asks for and gives them to f by
// year, product, and market. f may keep them.
func Measure(s *flows.Set, q Question, f func(Indicator)) {
	markets := q.Markets
	if markets == nil {
		for _, p := range s.Places {
			if p.Kind == place.Country || p.Kind == place.Historic {
				markets = append(markets, Market{p.Code, nil})
			}
		}
	}
	m := newMeasurer(s, q.Thresholds.withDefaults())
	m.asked = -1
	for i, p := range s.Places {
		if p.Code == q.Supplier {
			m.asked = i
		}
	}
	products := q.Products
	if products == nil {
		products = make([]int, len(s.Products))
		for k := range products {
			products[k] = k
		}
	}
	for y := range s.Years {
		inside := m.inside(markets, y)
		for _, k := range products {
			m.product(y, k, markets, inside, f)
		}
	}
}

// measurer holds scratch space: sums by place, and the supplies of the market
// at hand.
type measurer struct {
	s        *flows.Set
	th       Thresholds
	exports  []float64 // of the product, by exporter
	rows     []flows.Flow
	from     []int // rows[from[i]:from[i+1]] are the imports of place i
	supply   []float64
	listed   []bool
	unknown  []bool
	touched  []int
	residual []bool
	asked    int // the supplier asked about, -1 for none
}

func newMeasurer(s *flows.Set, th Thresholds) *measurer {
	n := len(s.Places)
	m := &measurer{s: s, th: th, exports: make([]float64, n), from: make([]int, n+1), supply: make([]float64, n), listed: make([]bool, n), unknown: make([]bool, n), residual: make([]bool, n)}
	for i, p := range s.Places {
		m.residual[i] = p.Kind == place.Residual || p.Kind == place.Bloc
	}
	return m
}

// inside lists the places of each market in a year.
func (m *measurer) inside(markets []Market, year int) [][]int {
	at := map[string]int{}
	for i, p := range m.s.Places {
		at[p.Code] = i
	}
	out := make([][]int, len(markets))
	for k, market := range markets {
		codes := []string{market.Name}
		if market.members != nil {
			codes = market.members(m.s.Years[year])
		}
		for _, c := range codes {
			if i, ok := at[c]; ok {
				out[k] = append(out[k], i)
			}
		}
	}
	return out
}

// product measures every market for one product and year.
func (m *measurer) product(y, k int, markets []Market, inside [][]int, f func(Indicator)) {
	clear(m.exports)
	clear(m.from)
	m.rows = m.rows[:0]
	m.s.Flows(y, k, func(fl flows.Flow) {
		m.rows = append(m.rows, fl)
		m.from[fl.Importer+1]++
		if !math.IsNaN(fl.Value) {
			m.exports[fl.Exporter] += fl.Value
		}
	})
	if len(m.rows) == 0 {
		return
	}
	for i := 1; i < len(m.from); i++ {
		m.from[i] += m.from[i-1]
	}
	world := m.world()
	for i := range markets {
		ind := Indicator{Year: m.s.Years[y], Importer: markets[i].Name, Product: m.s.Products[k]}
		if !m.supplies(inside[i], &ind) {
			continue
		}
		ind.WorldHHI, ind.WorldTop, ind.WorldShare = world.hhi, world.top, world.share
		m.screens(&ind, len(inside[i]))
		f(ind)
	}
}

type worldExports struct {
	hhi, share trade.Figure
	top        string
}

func (m *measurer) world() worldExports {
	total, squares, top := 0.0, 0.0, -1
	for i, v := range m.exports {
		total += v
		if !m.residual[i] {
			squares += v * v
			if v > 0 && (top < 0 || v > m.exports[top]) {
				top = i
			}
		}
	}
	if top < 0 {
		u := trade.Unknown("no named exporter has a known value")
		return worldExports{u, u, ""}
	}
	return worldExports{trade.Known(squares / (total * total)), trade.Known(m.exports[top] / total), m.s.Places[top].Code}
}

// supplies gathers what the members import from outside, and reports false
// where there is nothing.
func (m *measurer) supplies(members []int, ind *Indicator) bool {
	for _, i := range m.touched {
		m.supply[i], m.listed[i], m.unknown[i] = 0, false, false
	}
	m.touched = m.touched[:0]
	intern, quantity, any := 0.0, 0.0, false
	ind.Quantity = trade.Known(0)
	for _, j := range members {
		for _, fl := range m.rows[m.from[j]:m.from[j+1]] {
			if contains(members, fl.Exporter) {
				if fl.Exporter != j && !math.IsNaN(fl.Value) {
					intern += fl.Value
				}
				continue
			}
			any = true
			if !m.listed[fl.Exporter] {
				m.listed[fl.Exporter] = true
				m.touched = append(m.touched, fl.Exporter)
			}
			if math.IsNaN(fl.Value) {
				m.unknown[fl.Exporter] = true
				ind.Missing++
				continue
			}
			m.supply[fl.Exporter] += fl.Value
			if quantity += fl.Quantity; math.IsNaN(fl.Quantity) {
				ind.Quantity = trade.Unknown("some flows have no quantity")
			}
		}
	}
	if !any {
		return false
	}
	sort.Ints(m.touched)
	if ind.Quantity.IsKnown() {
		ind.Quantity = trade.Known(quantity)
	}
	m.exportsOf(members, ind)
	m.concentrate(ind)
	ind.Extern = trade.Unknown("a single country has no inside")
	if len(members) > 1 {
		ind.Extern = trade.Unknown("nothing was imported")
		if all := intern + ind.Imports; all > 0 {
			ind.Extern = trade.Known(ind.Imports / all)
		}
	}
	return true
}

func contains(sorted []int, x int) bool {
	if len(sorted) == 1 {
		return sorted[0] == x
	}
	i := sort.SearchInts(sorted, x)
	return i < len(sorted) && sorted[i] == x
}

// exportsOf sums what the members sell to the outside.
func (m *measurer) exportsOf(members []int, ind *Indicator) {
	if len(members) == 1 {
		ind.Exports = m.exports[members[0]]
		return
	}
	for _, fl := range m.rows {
		if !math.IsNaN(fl.Value) && contains(members, fl.Exporter) && !contains(members, fl.Importer) {
			ind.Exports += fl.Value
		}
	}
}

// concentrate is [Concentrate] over the gathered supplies.
func (m *measurer) concentrate(ind *Indicator) {
	total, residual, known := 0.0, 0.0, 0
	for _, i := range m.touched {
		total += m.supply[i]
		if m.residual[i] {
			residual += m.supply[i]
		}
		if !m.unknown[i] {
			known++
		}
	}
	ind.Imports = total
	ind.Coverage = float64(known) / float64(len(m.touched))
	if !(total > 0) {
		u := trade.Unknown("no flow has a known value above zero")
		ind.HHI, ind.HHIHigh, ind.TopShare, ind.WithoutTop, ind.Ratio, ind.Growth, ind.Asked = u, u, u, u, u, u, u
		return
	}
	r := residual / total
	ind.Coverage *= 1 - r
	hhi, top := 0.0, -1
	for _, i := range m.touched {
		if m.residual[i] || !(m.supply[i] > 0) {
			continue
		}
		ind.Suppliers++
		share := m.supply[i] / total
		hhi += share * share
		if top < 0 || m.supply[i] > m.supply[top] {
			top = i
		}
	}
	if top < 0 {
		u := trade.Unknown("only a residual is known, no named supplier")
		ind.HHI, ind.TopShare, ind.WithoutTop, ind.Growth = u, u, u, u
		ind.HHIHigh = trade.Known(r * r)
	} else {
		ind.HHI, ind.HHIHigh = trade.Known(hhi), trade.Known(hhi+r*r)
		ind.Top, ind.TopShare = m.s.Places[top].Code, trade.Known(m.supply[top]/total)
		ind.WithoutTop = trade.Known(1 - m.supply[top]/total)
		m.growth(ind, top)
	}
	ind.Asked = trade.Unknown("no supplier is asked about")
	if m.asked >= 0 {
		ind.Asked = trade.Known(m.supply[m.asked] / total)
	}
	ind.Ratio = trade.Unknown("no exports")
	if ind.Exports > 0 {
		ind.Ratio = trade.Known(total / ind.Exports)
	}
}

func (m *measurer) growth(ind *Indicator, top int) {
	all := 0.0
	for i, v := range m.exports {
		if !m.residual[i] {
			all += v
		}
	}
	share := m.exports[top] / all
	ind.Growth = trade.Unknown("no other exporter")
	if share < 1 {
		ind.Growth = trade.Known(share / (1 - share))
	}
}

// screens applies the thresholds.
func (m *measurer) screens(ind *Indicator, members int) {
	above := func(f trade.Figure, t float64) bool { return f.IsKnown() && f.Value > t }
	more := above(ind.Ratio, m.th.Ratio) || (ind.Imports > 0 && !(ind.Exports > 0))
	concentrated := above(ind.HHI, m.th.HHI)
	ind.EU = concentrated && more && (members == 1 || above(ind.Extern, m.th.Extern))
	ind.GeoDep = concentrated && more && above(ind.WorldHHI, m.th.HHI)
}
