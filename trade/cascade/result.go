package cascade

import (
	"fmt"
	"sort"

	"causeway/trade"
	"causeway/trade/place"
)

// An Outcome is what one year brings one place, in the unit of the world.
type Outcome struct {
	Place       string       `json:"place"`
	Production  float64      `json:"production"` // after the shock
	Before      float64      `json:"consumption_before"`
	Consumption float64      `json:"consumption"`
	Ratio       trade.Figure `json:"ratio"` // consumption after / before
	StockChange float64      `json:"stock_change"`
	Accessible  float64      `json:"accessible"` // stock that could be drawn at the start
	Imports     float64      `json:"imports"`
	Exports     float64      `json:"exports"`
	Open        float64      `json:"open"`     // shortage left when the turns ended, closed by consuming less
	Withheld    float64      `json:"withheld"` // what restrictions keep from the place at the start
	// NoSupplier says that the place lost a link and has no other supplier it
	// could ask: the rules cannot help it, only a new link can.
	NoSupplier bool `json:"no_supplier,omitempty"`
}

// A Result is one year under one rule.
type Result struct {
	Rule     string    `json:"rule"`
	Turns    int       `json:"turns"`
	Settled  bool      `json:"settled"` // false: no equilibrium within the turns allowed
	Outcomes []Outcome `json:"outcomes"`
	Flows    []Flow    `json:"flows"` // by exporter, then importer, in the order of places
	Notes    []string  `json:"notes,omitempty"`
}

// A Flow is a link before and after.
type Flow struct {
	From       string  `json:"from"`
	To         string  `json:"to"`
	Before     float64 `json:"before"`
	After      float64 `json:"after"`
	Restricted bool    `json:"restricted,omitempty"`
	Assumed    bool    `json:"assumed,omitempty"` // a candidate link, not in the data
}

func (s *state) result(w *World, shock Shock, accessible []float64, turns int, settled bool) *Result {
	r := &Result{Rule: s.rule.String(), Turns: turns, Settled: settled, Outcomes: make([]Outcome, len(w.Places))}
	before := w.Consumption()
	withheld, suppliers := make([]float64, len(w.Places)), make([]int, len(w.Places))
	for k := range s.flow {
		f := Flow{From: w.Places[s.from[k]], To: w.Places[s.to[k]], After: s.flow[k], Restricted: s.frozen[k], Assumed: k >= len(w.Links)}
		if !f.Assumed {
			f.Before = w.Links[k].Quantity
		}
		if !s.frozen[k] && f.Before+f.After > s.guard {
			suppliers[s.to[k]]++
		}
		r.Flows = append(r.Flows, f)
	}
	for _, x := range shock.Restrictions {
		for _, l := range w.Links {
			if l.From == x.From && l.To == x.To {
				withheld[l.To] += x.Withheld * l.Quantity
			}
		}
	}
	for i, name := range w.Places {
		o := Outcome{Place: name, Production: s.p[i], Before: before[i], StockChange: s.d[i], Accessible: accessible[i],
			Imports: s.imports[i], Exports: s.exports[i], Open: max(s.short[i], 0), Withheld: withheld[i]}
		o.Consumption = s.p[i] + s.imports[i] - s.exports[i] - s.d[i]
		o.Ratio = trade.Unknown("the place consumed nothing before")
		if before[i] > s.guard {
			o.Ratio = trade.Known(o.Consumption / before[i])
		}
		o.NoSupplier = withheld[i] > s.guard && suppliers[i] == 0
		r.Outcomes[i] = o
	}
	r.notes(s, shock)
	return r
}

func (r *Result) notes(s *state, shock Shock) {
	if !r.Settled {
		r.Notes = append(r.Notes, fmt.Sprintf("no equilibrium after %d turns; the shortages still open are closed by consuming less", r.Turns))
	}
	if len(shock.Restrictions) > 0 {
		where := "goes into the exporter's stock and is not offered to others"
		if s.opt.Lost {
			where = "is not produced"
		}
		r.Notes = append(r.Notes, "what an export restriction withholds "+where+"; what an import ban withholds is offered to others")
	}
	for _, o := range r.Outcomes {
		if o.NoSupplier {
			r.Notes = append(r.Notes, fmt.Sprintf("%s has no existing supplier beside those restricted; the rules move trade only along links that exist", o.Place))
		}
	}
	if n := len(shock.Candidates); n > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d links are assumptions, not data", n))
	}
}

// Picture draws the flows of the run, the largest limit bands; smaller ones
// are counted in a note. The left column exports, the right one imports.
func (r *Result) Picture(title, unit string, limit int) trade.Picture {
	flows := append([]Flow(nil), r.Flows...)
	sort.SliceStable(flows, func(i, j int) bool {
		return max(flows[i].Before, flows[i].After) > max(flows[j].Before, flows[j].After)
	})
	p := trade.Picture{Title: title, Unit: unit, Notes: append([]string(nil), r.Notes...)}
	if limit > 0 && len(flows) > limit {
		p.Notes = append(p.Notes, fmt.Sprintf("%d smaller flows are not drawn", len(flows)-limit))
		flows = flows[:limit]
	}
	node := func(prefix, name string, stage int, v float64) string {
		shown, country := place.Label(name)
		return p.Pass(trade.Node{ID: prefix + name, Name: shown, Place: country, Stage: stage}, v)
	}
	for _, f := range flows {
		v := max(f.Before, f.After)
		b := trade.Band{From: node("from ", f.From, 0, v), To: node("to ", f.To, 1, v), Before: f.Before, After: f.After}
		switch {
		case f.Restricted:
			b.Note = "restricted"
		case f.Assumed:
			b.Note = "assumed"
		}
		p.Bands = append(p.Bands, b)
	}
	return p
}
