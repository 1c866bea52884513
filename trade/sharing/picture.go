package sharing

import (
	"fmt"

	"causeway/trade"
	"causeway/trade/place"
)

// Picture draws the plan: suppliers on the left, members on the right, all
// months together; Before is what a member needs from that side (0 for bands),
// After what is shipped. Needs that stay unmet are in the notes, with why.
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
	at := map[string]int{}
	node := func(id, name string, stage int, v float64) string {
		k, ok := at[id]
		if !ok {
			k = len(pic.Nodes)
			at[id] = k
			n := trade.Node{ID: id, Name: name, Stage: stage}
			if pl, ok := place.Lookup(name); ok && pl.Kind == place.Country {
				n.Name, n.Place = pl.Name, pl.Code
			}
			pic.Nodes = append(pic.Nodes, n)
		}
		pic.Nodes[k].Value += v
		return id
	}
	for _, k := range order {
		pic.Bands = append(pic.Bands, trade.Band{From: node("from "+k.from, k.from, 0, sum[k]), To: node("to "+k.to, k.to, 1, sum[k]), After: sum[k]})
	}
	for _, s := range p.Served {
		if s.Unmet.Sign() > 0 {
			pic.Notes = append(pic.Notes, fmt.Sprintf("%s in month %d lacks %s %s: %s", s.Member, s.Month, s.Unmet, p.Unit, s.Why))
		}
	}
	return pic
}
