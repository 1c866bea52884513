package scenario

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
	"strings"

	"causeway/trade"
	"causeway/trade/equilibrium"
	"causeway/trade/flows"
)

// A Mapping joins the product data to the regions and sectors of an
// equilibrium, which are coarser and of another year.
type Mapping struct {
	Regions map[string]string `json:"regions"` // ISO alpha-3 to region
	// Sectors lists the product codes of each sector by their first digits;
	// the longest match decides.
	Sectors map[string][]string `json:"sectors"`
}

// ReadMapping reads a mapping strictly.
func ReadMapping(r io.Reader) (*Mapping, error) {
	m := &Mapping{}
	d := json.NewDecoder(io.LimitReader(r, MaxBytes))
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil {
		return nil, fmt.Errorf("read mapping: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read mapping: there is something behind the object")
	}
	if len(m.Regions) == 0 || len(m.Sectors) == 0 {
		return nil, errors.New("read mapping: it needs regions and sectors")
	}
	for sector, codes := range m.Sectors {
		for _, c := range codes {
			if !codeForm.MatchString(c) || len(c) > 6 {
				return nil, fmt.Errorf("read mapping: sector %q: code %q; want 2, 4 or 6 digits", sector, c)
			}
		}
	}
	return m, nil
}

// sector is the sector of a product, "" for none.
func (m *Mapping) sector(product string) string {
	best, length := "", 0
	for s, codes := range m.Sectors {
		for _, c := range codes {
			if strings.HasPrefix(product, c) && (len(c) > length || (len(c) == length && s < best)) {
				best, length = s, len(c)
			}
		}
	}
	return best
}

// A RealIncome is what the equilibrium says of one region: everybody
// substitutes, prices clear, nobody runs short.
type RealIncome struct {
	Region string         `json:"region"`
	Change trade.Interval `json:"change"` // percent, exact, over the elasticities
}

// factors scale the trade elasticities of the equilibrium.
var factors = []float64{0.5, 1, 2}

// Equilibrium runs the scenario through the third engine. Products are parts of
// sectors, so a measure that withholds phi of products with the share s of what
// the link carries in the sector leaves 1 - phi s of it at given prices; the
// link's cost rises by (1 - phi s)^(-1/theta), and a link of which nothing is
// left is banned. The share is taken from the flows of the scenario. Duties
// raise the tariff of the link by their share. The baseline is balanced trade.
//
// It also fills RealIncome of the report's effects. Countries or products
// without a region or sector are named in the notes.
func (r *Report) Equilibrium(s *Scenario, w World, d *equilibrium.Data, m *Mapping) ([]RealIncome, error) {
	year, err := w.Flows.Year(r.Year)
	if err != nil {
		return nil, err
	}
	left, err := r.left(s, w, year, d, m)
	if err != nil {
		return nil, err
	}
	opt := equilibrium.Options{}
	base, err := equilibrium.Solve(d, equilibrium.Shock{}, opt)
	if err != nil {
		return nil, fmt.Errorf("solve the baseline: %w", err)
	}
	balanced := equilibrium.Rebase(d, base)
	out := make([]RealIncome, len(d.Regions))
	for n, name := range d.Regions {
		out[n] = RealIncome{name, trade.Interval{Low: math.Inf(1), High: math.Inf(-1)}}
	}
	for _, f := range factors {
		scaled := *balanced
		scaled.Theta = make([]float64, len(d.Theta))
		for j, t := range d.Theta {
			scaled.Theta[j] = f * t
		}
		c, err := equilibrium.Compare(&scaled, equilibrium.Shock{}, left.shock(&scaled), opt)
		if err != nil {
			return nil, fmt.Errorf("solve the scenario at %v times the elasticities: %w", f, err)
		}
		for n, e := range c.Effects {
			out[n].Change = out[n].Change.Include(e.RealIncome)
		}
	}
	for i := range r.Effects {
		e := &r.Effects[i]
		e.RealIncome = unknown("%s has no region in the equilibrium", e.Country)
		if n, err := d.Region(m.Regions[e.Country]); err == nil {
			e.RealIncome = Span{trade.Known(out[n].Change.Low), trade.Known(out[n].Change.High), ""}
		}
	}
	return out, nil
}

// remains is what is left of each link of the equilibrium, and added duties.
type remains struct {
	share map[int]float64 // by cell: fraction left
	duty  map[int]float64 // by cell: added ad valorem fraction
}

func (l remains) shock(d *equilibrium.Data) equilibrium.Shock {
	s := equilibrium.Shock{Ban: make([]bool, len(d.Flow)), Iceberg: make([]float64, len(d.Flow)), Tariff: append([]float64(nil), d.Tariff...)}
	for c := range s.Iceberg {
		s.Iceberg[c] = 1
	}
	cells := len(d.Flow) / len(d.Sectors)
	for c, left := range l.share {
		if left < 1e-9 {
			s.Ban[c] = true
			continue
		}
		s.Iceberg[c] = math.Exp(-math.Log(left) / d.Theta[c/cells])
	}
	for c, t := range l.duty {
		s.Tariff[c] += t
	}
	return s
}

// left computes the shares from the flows.
func (r *Report) left(s *Scenario, w World, year int, d *equilibrium.Data, m *Mapping) (remains, error) {
	l := remains{map[int]float64{}, map[int]float64{}}
	for iso, region := range m.Regions {
		if _, err := d.Region(region); err != nil {
			return l, fmt.Errorf("map %s: %w", iso, err)
		}
	}
	for sector := range m.Sectors {
		if _, err := d.Sector(sector); err != nil {
			return l, fmt.Errorf("map sector: %w", err)
		}
	}
	quiet := &Report{} // the notes of hits are in the report already
	hits, err := quiet.hits(s, w, year)
	if err != nil {
		return l, err
	}
	carried, stopped := map[int]float64{}, map[int]float64{} // by cell
	missing := map[string]bool{}
	cell := func(product string, from, to int) (int, bool) {
		a, okA := m.Regions[w.Flows.Places[from].Code]
		b, okB := m.Regions[w.Flows.Places[to].Code]
		j, err := d.Sector(m.sector(product))
		if !okA || !okB || err != nil {
			return 0, false
		}
		i, _ := d.Region(a)
		n, _ := d.Region(b)
		return d.Cell(j, n, i), i != n
	}
	for k, product := range w.Flows.Products {
		w.Flows.Flows(year, k, func(f flows.Flow) {
			if math.IsNaN(f.Value) {
				return
			}
			h, hit := hits[product][[2]int{f.Exporter, f.Importer}]
			c, ok := cell(product, f.Exporter, f.Importer)
			switch {
			case ok:
				carried[c] += f.Value
				stopped[c] += h.withheld * f.Value
			case hit && h.withheld > 0:
				missing[fmt.Sprintf("%s from %s to %s", product, w.Flows.Places[f.Exporter].Code, w.Flows.Places[f.Importer].Code)] = true
			}
		})
	}
	for c, v := range stopped {
		if v > 0 {
			l.share[c] = math.Max(0, 1-v/carried[c])
		}
	}
	if err := l.duties(s, w, year, carried, cell); err != nil {
		return l, err
	}
	names := make([]string, 0, len(missing))
	for n := range missing {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		r.Notes = append(r.Notes, "the equilibrium leaves out "+n+": it has no region or sector for it")
	}
	if len(l.share)+len(l.duty) == 0 {
		r.Notes = append(r.Notes, "no measure reaches a link of the equilibrium")
	}
	return l, nil
}

// duties spreads tariffs over the sectors by the share of the products in them.
func (l remains) duties(s *Scenario, w World, year int, carried map[int]float64, cell func(string, int, int) (int, bool)) error {
	for i := range s.Measures {
		mm := &s.Measures[i]
		if mm.Kind != Tariff {
			continue
		}
		baskets, err := mm.Baskets(w.Flows.Products, w.Covered)
		if err != nil {
			return fmt.Errorf("measure %d: %w", i+1, err)
		}
		actor, err := w.Flows.Place(mm.Actor)
		if err != nil {
			return fmt.Errorf("measure %d: %w", i+1, err)
		}
		against := map[int]bool{}
		for _, t := range mm.targets(w.Flows, w.Flows.Years[year]) {
			against[t] = true
		}
		for _, b := range baskets {
			k, err := w.Flows.Product(b.Code)
			if err != nil || !b.Covered.IsKnown() {
				continue
			}
			w.Flows.Flows(year, k, func(f flows.Flow) {
				if f.Importer != actor || !against[f.Exporter] || math.IsNaN(f.Value) {
					return
				}
				if c, ok := cell(b.Code, f.Exporter, f.Importer); ok && carried[c] > 0 {
					l.duty[c] += mm.Duty * b.Covered.Value * f.Value / carried[c]
				}
			})
		}
	}
	return nil
}
