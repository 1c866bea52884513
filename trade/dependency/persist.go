package dependency

import (
	"sort"

	"causeway/trade"
	"causeway/trade/flows"
	"causeway/trade/place"
)

// A Record follows one importer and product over the years of the data. One in
// five dependencies of a year is gone the next (CEPII Policy Brief 2023-41), so
// a single year says little.
type Record struct {
	Importer   string      `json:"importer"`
	Product    string      `json:"product"`
	Years      []Indicator `json:"years"`     // ascending; years without imports are missing
	Dependent  int         `json:"dependent"` // years in which the screen says dependent
	Persistent bool        `json:"persistent"`
}

// Window and Needed are the persistence rule of CEPII GeoDep: dependent in at
// least 2 of the last 3 years.
const (
	Window = 3
	Needed = 2
)

// Persistence groups indicators by importer and product and applies the rule to
// the last three years of the data, which end at last. With fewer years in the
// data it needs them all.
func Persistence(years []int, inds []Indicator) []Record {
	type key struct{ importer, product string }
	at := map[key]int{}
	var out []Record
	for _, ind := range inds {
		k := key{ind.Importer, ind.Product}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, Record{Importer: ind.Importer, Product: ind.Product})
		}
		out[i].Years = append(out[i].Years, ind)
	}
	window := years
	if len(window) > Window {
		window = window[len(window)-Window:]
	}
	needed := min(Needed, len(window))
	for i := range out {
		r := &out[i]
		sort.SliceStable(r.Years, func(a, b int) bool { return r.Years[a].Year < r.Years[b].Year })
		recent := 0
		for _, ind := range r.Years {
			if !ind.GeoDep && !ind.EU {
				continue
			}
			r.Dependent++
			if ind.Year >= window[0] {
				recent++
			}
		}
		r.Persistent = recent >= needed
	}
	sort.SliceStable(out, func(a, b int) bool {
		if out[a].Importer != out[b].Importer {
			return out[a].Importer < out[b].Importer
		}
		return out[a].Product < out[b].Product
	})
	return out
}

// A Reading is what the world-export screen says of one product in one year:
// the back-test of the screen against what happened later.
type Reading struct {
	Year      int          `json:"year"`
	HHI       trade.Figure `json:"hhi"`
	Top       string       `json:"top"`
	TopShare  trade.Figure `json:"top_share"`
	Exporters int          `json:"exporters"` // named, above zero
	Flagged   bool         `json:"flagged"`   // HHI above the threshold
	Lasting   bool         `json:"lasting"`   // flagged in at least 2 of the last 3 years up to this one
}

// Backtest reads the screen for one product year by year, each with what was
// known up to then.
func Backtest(s *flows.Set, product int, th Thresholds) []Reading {
	th = th.withDefaults()
	m := newMeasurer(s, th)
	var out []Reading
	m.asked = -1
	for y, year := range s.Years {
		clear(m.exports)
		s.Flows(y, product, func(f flows.Flow) {
			if f.Value > 0 {
				m.exports[f.Exporter] += f.Value
			}
		})
		w := m.world()
		r := Reading{Year: year, HHI: w.hhi, Top: w.top, TopShare: w.share, Flagged: w.hhi.IsKnown() && w.hhi.Value > th.HHI}
		for i, v := range m.exports {
			if v > 0 && !m.residual[i] {
				r.Exporters++
			}
		}
		recent := 0
		for _, p := range append(out[max(0, len(out)-Window+1):len(out):len(out)], r) {
			if p.Flagged {
				recent++
			}
		}
		r.Lasting = recent >= Needed
		out = append(out, r)
	}
	return out
}

// Fragility describes the network of one product in one year: how much hangs
// on its central exporter. The idea is that of IMF WP/17/30 (central exporters,
// little substitution); the figures are plain shares, so that everybody can
// check them.
type Fragility struct {
	Year    int          `json:"year"`
	Product string       `json:"product"`
	Center  string       `json:"center"` // the largest exporter
	Share   trade.Figure `json:"share"`  // of world exports
	// Captive is the share of importers (weighted by their imports) that buy
	// more than half from the center.
	Captive trade.Figure `json:"captive"`
	// Reach is the share of importers that buy from the center at all.
	Reach trade.Figure `json:"reach"`
	// Clustering is the share of pairs of the center's customers that also
	// trade the product with each other: ways around the center.
	Clustering trade.Figure `json:"clustering"`
	Growth     trade.Figure `json:"growth"` // the others would have to grow by this to replace the center
}

// FragilityOf measures the network of one product in one year.
func FragilityOf(s *flows.Set, year, product int) Fragility {
	f := Fragility{Year: s.Years[year], Product: s.Products[product]}
	m := newMeasurer(s, Thresholds{}.withDefaults())
	imports, fromTop := make([]float64, len(s.Places)), make([]float64, len(s.Places))
	linked := map[[2]int]bool{}
	s.Flows(year, product, func(fl flows.Flow) {
		if fl.Value > 0 {
			m.exports[fl.Exporter] += fl.Value
		}
	})
	w := m.world()
	f.Center, f.Share = w.top, w.share
	if f.Center == "" {
		f.Captive, f.Reach, f.Clustering, f.Growth = w.hhi, w.hhi, w.hhi, w.hhi
		return f
	}
	s.Flows(year, product, func(fl flows.Flow) {
		if !(fl.Value > 0) || s.Places[fl.Importer].Kind == place.Total {
			return
		}
		imports[fl.Importer] += fl.Value
		if s.Places[fl.Exporter].Code == f.Center {
			fromTop[fl.Importer] += fl.Value
			return
		}
		linked[[2]int{min(fl.Exporter, fl.Importer), max(fl.Exporter, fl.Importer)}] = true
	})
	f.links(imports, fromTop, linked)
	f.Growth = trade.Unknown("no other exporter")
	if f.Share.Value < 1 {
		f.Growth = trade.Known(f.Share.Value / (1 - f.Share.Value))
	}
	return f
}

func (f *Fragility) links(imports, fromTop []float64, linked map[[2]int]bool) {
	all, captive, buyers := 0.0, 0.0, 0
	var customers []int
	for i, v := range imports {
		if !(v > 0) {
			continue
		}
		buyers++
		all += v
		if fromTop[i] > 0 {
			customers = append(customers, i)
		}
		if fromTop[i] > v/2 {
			captive += v
		}
	}
	if buyers == 0 {
		u := trade.Unknown("the source has exports only, no importers")
		f.Captive, f.Reach, f.Clustering = u, u, u
		return
	}
	f.Captive, f.Reach = trade.Known(captive/all), trade.Known(float64(len(customers))/float64(buyers))
	f.Clustering = trade.Unknown("fewer than two customers")
	if n := len(customers); n > 1 {
		pairs := 0
		for a, i := range customers {
			for _, j := range customers[a+1:] {
				if linked[[2]int{i, j}] {
					pairs++
				}
			}
		}
		f.Clustering = trade.Known(float64(pairs) / float64(n*(n-1)/2))
	}
}
