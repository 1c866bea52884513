package dependency

import (
	"fmt"
	"math"
	"sort"

	"causeway/trade"
	"causeway/trade/flows"
	"causeway/trade/place"
)

// Picture draws the trade of one product in one year: who delivers to the
// market (all its members together), and who else these suppliers deliver to.
// The largest limit bands are drawn; what is left out is counted in a note.
func Picture(s *flows.Set, year, product int, market Market, unit string, limit int) trade.Picture {
	members := map[string]bool{market.Name: true}
	if market.members != nil {
		members = map[string]bool{}
		for _, c := range market.members(s.Years[year]) {
			members[c] = true
		}
	}
	p := trade.Picture{Title: fmt.Sprintf("Product %s in %d, for %s", s.Products[product], s.Years[year], market.Name), Unit: unit}
	type pair struct{ from, to string }
	sum, suppliers, unknown := map[pair]float64{}, map[string]bool{}, 0
	s.Flows(year, product, func(f flows.Flow) {
		from, to := s.Places[f.Exporter].Code, s.Places[f.Importer].Code
		if !members[to] || members[from] {
			return
		}
		if math.IsNaN(f.Value) {
			unknown++
			return
		}
		suppliers[from] = true
		sum[pair{from, market.Name}] += f.Value
	})
	s.Flows(year, product, func(f flows.Flow) {
		from, to := s.Places[f.Exporter].Code, s.Places[f.Importer].Code
		if suppliers[from] && !members[to] && f.Value > 0 {
			sum[pair{from, to}] += f.Value
		}
	})
	order := make([]pair, 0, len(sum))
	for k := range sum {
		order = append(order, k)
	}
	sort.Slice(order, func(a, b int) bool {
		x, y := order[a], order[b]
		if (x.to == market.Name) != (y.to == market.Name) {
			return x.to == market.Name // the market's own supply is drawn first
		}
		if sum[x] > sum[y] || sum[y] > sum[x] {
			return sum[x] > sum[y]
		}
		return x.from < y.from || (x.from == y.from && x.to < y.to)
	})
	if limit > 0 && len(order) > limit {
		p.Notes = append(p.Notes, fmt.Sprintf("%d smaller flows are not drawn", len(order)-limit))
		order = order[:limit]
	}
	if unknown > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("%d flows have no value and are not drawn; they are unknown, not zero", unknown))
	}
	node := func(prefix, code string, stage int, v float64) string {
		shown, country := place.Label(code)
		return p.Pass(trade.Node{ID: prefix + code, Name: shown, Place: country, Stage: stage}, v)
	}
	for _, k := range order {
		p.Bands = append(p.Bands, trade.Band{From: node("from ", k.from, 0, sum[k]), To: node("to ", k.to, 1, sum[k]), Before: sum[k], After: sum[k]})
	}
	return p
}
