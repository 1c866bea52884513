package dependency

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"

	"causeway/trade"
	"causeway/trade/cascade"
	"causeway/trade/inout"
)

// Origins says how much of what each place has of a product (made or imported)
// comes from one supplier: at face value, by what the supplier ships to it;
// and looked through, by what the supplier made, over whichever hands it came.
// Hidden is the difference: above zero what others pass on, below zero what
// the supplier itself only passes on.
//
// Goods mix: a place passes on what it makes and imports in proportion (the
// supply-driven model of Ghosh 1958, Economica 25, with places for sectors). A
// place that ships more than it has leaves every figure unknown.
func Origins(w *cascade.World, supplier string) ([]inout.Reliance, error) {
	s := slices.Index(w.Places, supplier)
	if s < 0 {
		return nil, fmt.Errorf("look through flows: no place is called %q", supplier)
	}
	n := len(w.Places)
	has, ships := slices.Clone(w.Production), make([]float64, n)
	flows := mat.NewDense(n, n, nil)
	for _, l := range w.Links {
		flows.Set(l.From, l.To, flows.At(l.From, l.To)+l.Quantity)
		has[l.To] += l.Quantity
		ships[l.From] += l.Quantity
	}
	out := make([]inout.Reliance, n)
	unknown := func(format string, args ...any) []inout.Reliance {
		u := trade.Unknown(format, args...)
		for i := range out {
			out[i] = inout.Reliance{Name: w.Places[i], Look: u, Face: u, Hidden: u}
		}
		return out
	}
	for i := range n {
		if ships[i] > has[i]*(1+1e-9) {
			return unknown("%s ships more than it makes and imports", w.Places[i]), nil
		}
	}
	t, err := inout.NewTable(w.Places, flows, has)
	if err != nil {
		return nil, fmt.Errorf("look through flows: %w", err)
	}
	m, err := inout.NewModel(t, inout.Ghosh)
	if err != nil { // everything goes in circles, and nobody makes it
		return unknown("%v", err), nil
	}
	made := make([]float64, n)
	made[s] = w.Production[s]
	from, err := m.SolveRow(made)
	if err != nil {
		return nil, fmt.Errorf("look through flows: %w", err)
	}
	for i := range n {
		out[i] = inout.Reliance{Name: w.Places[i]}
		if !(has[i] > 0) {
			u := trade.Unknown("%s neither makes nor imports it", w.Places[i])
			out[i].Look, out[i].Face, out[i].Hidden = u, u, u
			continue
		}
		look, face := from[i]/has[i], flows.At(s, i)/has[i]
		if i == s {
			face = w.Production[s] / has[s]
		}
		out[i].Look, out[i].Face, out[i].Hidden = trade.Known(look), trade.Known(face), trade.Known(look-face)
	}
	return out, nil
}
