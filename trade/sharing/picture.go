package sharing

import (
	"fmt"

	"causeway/trade"
	"causeway/trade/place"
)

// Picture draws the plan: suppliers on the left, members on the right, all
// months together. Nothing is drawn before; After is what is shipped. Needs that stay unmet are in the notes, with why.
func (p *Plan) Picture(title string) trade.Picture {
	pic := trade.Picture{Title: title, Unit: p.Unit, Notes: append([]string(nil), p.Notes...)}
	type pair struct{ from, to string }
	sum := map[pair]float64{}
	var order []pair
	for _, s := range p.Shipments {
		k := pair{s.From, s.To}
		if _, ok := sum[k]; !ok {
			order = append(order, k)
		}
		sum[k] += s.Amount.Float()
	}
	node := func(prefix, name string, stage int, v float64) string {
		shown, country := place.Label(name)
		return pic.Pass(trade.Node{ID: prefix + name, Name: shown, Place: country, Stage: stage}, v)
	}
	for _, k := range order {
		pic.Bands = append(pic.Bands, trade.Band{From: node("from ", k.from, 0, sum[k]), To: node("to ", k.to, 1, sum[k]), After: sum[k]})
	}
	for _, s := range p.Served {
		if s.Unmet.Sign() > 0 {
			pic.Notes = append(pic.Notes, fmt.Sprintf("%s in month %d lacks %s %s: %s", s.Member, s.Month, s.Unmet, p.Unit, s.Why))
		}
	}
	return pic
}
