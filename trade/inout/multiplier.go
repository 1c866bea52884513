package inout

import (
	"fmt"

	"causeway/trade"
	"gonum.org/v1/gonum/mat"
)

// A Multiplier holds one sector's multipliers. Names differ between sources;
// here, as in the ONS publications, the effect is v'L and the multiplier is
// the effect divided by the sector's own v.
type Multiplier struct {
	Name string `json:"name"`
	// Output is the column sum of L: output everywhere per unit of final
	// demand for the sector. For Ghosh it is the row sum of G: value
	// everywhere per unit of primary input.
	Output float64 `json:"output_multiplier"`
	// Diagonal is the sector's own element of the inverse, at least 1.
	Diagonal   float64      `json:"diagonal"`
	Effect     trade.Figure `json:"effect"`     // (v'L)_j, or (G v)_j for Ghosh
	Multiplier trade.Figure `json:"multiplier"` // Effect / v_j
}

// Multipliers computes every sector's multipliers. value is the primary input
// of each sector (value added, employment cost, ...) in absolute terms; v is
// value / output. A nil value leaves effect and multiplier unknown.
func (m *Model) Multipliers(value []float64) ([]Multiplier, error) {
	n := len(m.Names)
	if value != nil && len(value) != n {
		return nil, fmt.Errorf("compute multipliers: %d values for %d sectors", len(value), n)
	}
	inv, err := m.Inverse()
	if err != nil {
		return nil, err
	}
	if m.Side == Ghosh {
		// With the transpose, row sums become column sums and G v becomes v'G'.
		inv = mat.DenseCopyOf(inv.T())
	}
	out := make([]Multiplier, n)
	for j := range n {
		o := Multiplier{Name: m.Names[j], Diagonal: inv.At(j, j),
			Effect: trade.Unknown("no primary inputs given"), Multiplier: trade.Unknown("no primary inputs given")}
		effect := 0.0
		for i := range n {
			l := inv.At(i, j)
			o.Output += l
			if value != nil && m.X[i] > 0 {
				effect += value[i] / m.X[i] * l
			}
		}
		if value != nil {
			o.Effect, o.Multiplier = ownEffect(effect, value[j], m.X[j])
		}
		out[j] = o
	}
	return out, nil
}

func ownEffect(effect, value, output float64) (e, mult trade.Figure) {
	if !(output > 0) {
		u := trade.Unknown("the sector has no output")
		return u, u
	}
	e = trade.Known(effect)
	if v := value / output; v > 0 || v < 0 {
		return e, trade.Known(effect / v)
	}
	return e, trade.Unknown("the sector has no primary input of its own")
}
