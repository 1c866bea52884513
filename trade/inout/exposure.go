package inout

import (
	"fmt"
	"strings"

	"causeway/trade"
	"gonum.org/v1/gonum/mat"
)

// A Reliance says how much of what a sector sets in motion is made by a
// partner: directly, and all the way down the supply chain.
type Reliance struct {
	Name string `json:"name"`
	// Look is sum over the partner's sectors s of L_sj / sum over all s of
	// L_sj: the partner's part in the whole requirement of one unit of final
	// demand for j.
	Look trade.Figure `json:"look_through"`
	// Face is the same with I + A in place of L: what the first invoices show.
	Face   trade.Figure `json:"face_value"`
	Hidden trade.Figure `json:"hidden"` // Look - Face
}

// Partner selects the sectors of a partner: those whose name is in names, or
// begins with one of them and an underscore (the CHN_C26 of inter-country
// tables). A name that selects nothing is an error.
func (t *Table) Partner(names ...string) ([]bool, error) {
	in := make([]bool, len(t.Names))
	for _, want := range names {
		hit := false
		for i, n := range t.Names {
			if n == want || strings.HasPrefix(n, want+"_") {
				in[i], hit = true, true
			}
		}
		if !hit {
			return nil, fmt.Errorf("select partner: no sector is called %q or begins with %q", want, want+"_")
		}
	}
	return in, nil
}

// Reliance computes the reliance of every sector on the partner's sectors
// (Leontief only). Two solves with the factors do, however large the table.
func (m *Model) Reliance(partner []bool) ([]Reliance, error) {
	if m.Side != Leontief {
		return nil, fmt.Errorf("compute reliance: the demand-driven (Leontief) model is needed")
	}
	n := len(m.Names)
	if len(partner) != n {
		return nil, fmt.Errorf("compute reliance: %d sectors marked, the table has %d", len(partner), n)
	}
	mark, one := make([]float64, n), make([]float64, n)
	for i, p := range partner {
		one[i] = 1
		if p {
			mark[i] = 1
		}
	}
	theirs, err := m.SolveRow(mark)
	if err != nil {
		return nil, err
	}
	all, err := m.SolveRow(one)
	if err != nil {
		return nil, err
	}
	out := make([]Reliance, n)
	for j := range n {
		face, total := mark[j], 1.0
		for i := range n {
			total += m.C.At(i, j)
			if partner[i] {
				face += m.C.At(i, j)
			}
		}
		look := theirs[j] / all[j]
		out[j] = Reliance{m.Names[j], trade.Known(look), trade.Known(face / total), trade.Known(look - face/total)}
	}
	return out, nil
}

// An Extraction is a loss if part of a partner's deliveries were gone and
// nobody replaced them: an upper bound.
type Extraction struct {
	Output  float64      `json:"output"`  // 1'(L f - L* f*), or 1'(f'G - f'G*), in the unit of f
	Value   trade.Figure `json:"value"`   // the same times value / output of each sector
	Sectors []float64    `json:"sectors"` // output lost by sector
}

// Extract scales what the partner's sectors deliver to the others by 1 - phi
// (hypothetical extraction; Dietzenbacher and Lahr 2013, Economic Systems
// Research 25(3)), their deliveries to final demand too if final says so. value
// is the primary input of each sector in absolute terms (nil leaves Value
// unknown).
//
// In a Leontief model f is final demand and the loss runs backwards: what the
// partner and its suppliers no longer sell. In a Ghosh model f is all primary
// input (output less intermediate inputs) and the loss runs forwards: what the
// users of the partner's deliveries can no longer make.
func (m *Model) Extract(partner []bool, phi float64, f, value []float64, final bool) (Extraction, error) {
	n := len(m.Names)
	switch {
	case final && m.Side != Leontief:
		return Extraction{}, fmt.Errorf("extract: final demand belongs to the demand-driven (Leontief) model")
	case len(partner) != n || len(f) != n || (value != nil && len(value) != n):
		return Extraction{}, fmt.Errorf("extract: %d sectors marked, %d demands, %d values; the table has %d", len(partner), len(f), len(value), n)
	case !(phi >= 0 && phi <= 1):
		return Extraction{}, fmt.Errorf("extract: %v is withheld; want a fraction from 0 to 1", phi)
	}
	less := mat.DenseCopyOf(m.C)
	left := append([]float64(nil), f...)
	for i, p := range partner {
		if !p {
			continue
		}
		for j := range n {
			if !partner[j] {
				less.Set(i, j, (1-phi)*less.At(i, j))
			}
		}
		if final {
			left[i] *= 1 - phi
		}
	}
	before, err := m.solve(f, m.Side == Ghosh)
	if err != nil {
		return Extraction{}, err
	}
	reduced := &Model{Table: m.Table, Side: m.Side, C: less}
	reduced.lu.Factorize(identityMinus(less))
	after, err := reduced.solve(left, m.Side == Ghosh)
	if err != nil {
		return Extraction{}, err
	}
	e := Extraction{Sectors: make([]float64, n), Value: trade.Unknown("no primary inputs given")}
	lost := 0.0
	for i := range n {
		e.Sectors[i] = before[i] - after[i]
		e.Output += e.Sectors[i]
		if value != nil && m.X[i] > 0 {
			lost += value[i] / m.X[i] * e.Sectors[i]
		}
	}
	if value != nil {
		e.Value = trade.Known(lost)
	}
	return e, nil
}

// Primary gives all primary input of each sector: output less what it uses of
// the sectors.
func (t *Table) Primary() []float64 {
	out := append([]float64(nil), t.X...)
	for i := range t.Names {
		for j, v := range t.Z.RawRowView(i) {
			out[j] -= v
		}
	}
	return out
}
