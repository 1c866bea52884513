// Package inout looks through supply chains with input-output tables.
//
// With Z the intermediate flows (Z[i][j] = what sector j uses of sector i), x
// the outputs and f the final demand, A = Z x^-1, x = A x + f, and the Leontief
// inverse L = (I - A)^-1 holds in L[s][j] all output of s that one unit of
// final demand for j sets in motion. Ghosh's mirror image is B = x^-1 Z,
// G = (I - B)^-1: G[i][j] is the value in j that one unit of primary input in
// i passes on. (Miller and Blair, Input-Output Analysis, chapters 2 and 12.)
//
// All results are linear: nobody substitutes, so losses are upper bounds.
package inout

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// MaxSectors bounds the size of a table: 10,000 sectors are 800 MB a matrix.
const MaxSectors = 10_000

// A Table is a square table of intermediate flows with the outputs.
type Table struct {
	Names []string
	Z     *mat.Dense // n x n, >= 0, in the unit of X
	X     []float64  // output, >= 0; a zero needs a zero row and column
}

// NewTable checks the shapes and values of a table.
func NewTable(names []string, z *mat.Dense, x []float64) (*Table, error) {
	n := len(names)
	rows, cols := z.Dims()
	switch {
	case n == 0:
		return nil, errors.New("build input-output table: it has no sectors")
	case n > MaxSectors:
		return nil, fmt.Errorf("build input-output table: %d sectors; at most %d fit", n, MaxSectors)
	case rows != n || cols != n || len(x) != n:
		return nil, fmt.Errorf("build input-output table: %d names, %d x %d flows, %d outputs; they must agree", n, rows, cols, len(x))
	}
	for i := range n {
		if !(x[i] >= 0) || math.IsInf(x[i], 0) {
			return nil, fmt.Errorf("build input-output table: output of %q is %v; it must be zero or more", names[i], x[i])
		}
		for j, v := range z.RawRowView(i) {
			if !(v >= 0) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("build input-output table: flow from %q to %q is %v; a flow is zero or more (move corrections to final demand)", names[i], names[j], v)
			}
		}
	}
	return &Table{names, z, x}, nil
}

// Side chooses the inverse: demand-driven Leontief or supply-driven Ghosh.
type Side int

const (
	Leontief Side = iota // coefficients per unit of the user's output, effects run backwards to suppliers
	Ghosh                // coefficients per unit of the supplier's output, effects run forwards to users
)

// coefficients gives A or B. A sector without output has no coefficients; it
// must then have no flows to divide either.
func (t *Table) coefficients(side Side) (*mat.Dense, error) {
	n := len(t.Names)
	c := mat.NewDense(n, n, nil)
	for i := range n {
		for j := range n {
			z := t.Z.At(i, j)
			of := j
			if side == Ghosh {
				of = i
			}
			if t.X[of] > 0 {
				c.Set(i, j, z/t.X[of])
			} else if z > 0 {
				return nil, fmt.Errorf("divide flows by output: %q has no output but the flow from %q to %q is %v", t.Names[of], t.Names[i], t.Names[j], z)
			}
		}
	}
	return c, nil
}

// A Model is a table factorised once, for any number of scenarios.
type Model struct {
	*Table
	Side  Side
	C     *mat.Dense // A or B
	Value []float64  // primary input per unit of output, nil if not given
	lu    mat.LU
}

// NotProductiveError says that a table needs at least as much as it makes, so
// its inverse would be meaningless.
type NotProductiveError struct {
	Radius float64  // spectral radius of the coefficients, >= 1
	Worst  []string // the sectors whose coefficients sum to 1 or more, at most five
}

func (e *NotProductiveError) Error() string {
	hint := ""
	if len(e.Worst) > 0 {
		hint = "; the inputs of " + strings.Join(e.Worst, ", ") + " reach or exceed the output"
	}
	return fmt.Sprintf("the technology is not productive: the largest eigenvalue of the coefficients is %.6g, it must be below 1%s; check that flows and outputs have the same unit and price basis", e.Radius, hint)
}

// NewModel factorises I - A (or I - B). It refuses a table that is not
// productive (spectral radius of the coefficients below 1, which for a
// non-negative matrix is the same as an inverse that exists and is
// non-negative).
func NewModel(t *Table, side Side) (*Model, error) {
	c, err := t.coefficients(side)
	if err != nil {
		return nil, err
	}
	if rho := spectralRadius(c); rho >= 1-1e-12 {
		e := &NotProductiveError{Radius: rho}
		for j, name := range t.Names {
			sum := 0.0
			for i := range t.Names {
				if side == Leontief {
					sum += c.At(i, j)
				} else {
					sum += c.At(j, i)
				}
			}
			if sum >= 1 && len(e.Worst) < 5 {
				e.Worst = append(e.Worst, fmt.Sprintf("%q", name))
			}
		}
		return nil, e
	}
	m := &Model{Table: t, Side: side, C: c}
	m.lu.Factorize(identityMinus(c))
	return m, nil
}

func identityMinus(c *mat.Dense) *mat.Dense {
	n, _ := c.Dims()
	d := mat.NewDense(n, n, nil)
	for i := range n {
		for j, v := range c.RawRowView(i) {
			d.Set(i, j, -v)
		}
		d.Set(i, i, 1-c.At(i, i))
	}
	return d
}

// spectralRadius estimates the largest eigenvalue of a non-negative matrix by
// power iteration on (I + C)/2, whose dominant eigenvalue is simple where that
// of C may not be (cyclic tables). Collatz-Wielandt bounds end it early when
// they already decide whether the radius is below 1.
func spectralRadius(c *mat.Dense) float64 {
	n, _ := c.Dims()
	v, w := mat.NewVecDense(n, nil), mat.NewVecDense(n, nil)
	for i := range n {
		v.SetVec(i, 1)
	}
	rho := 0.0
	for range 1000 {
		w.MulVec(c, v)
		w.AddVec(w, v)
		low, high, norm := math.Inf(1), 0.0, 0.0
		for i := range n {
			if v.AtVec(i) > 0 {
				r := w.AtVec(i) / v.AtVec(i)
				low, high = math.Min(low, r), math.Max(high, r)
			}
			norm = math.Max(norm, w.AtVec(i))
		}
		rho = norm/mat.Norm(v, math.Inf(1)) - 1
		if high < 2-1e-9 {
			return math.Min(rho, high-1) // certainly below 1
		}
		if low > 2 || high-low < 1e-13 {
			return math.Max(rho, low-1)
		}
		w.ScaleVec(1/norm, w)
		v, w = w, v
	}
	return rho
}

// Inverse gives L or G in full. For large tables prefer Solve and SolveRow,
// which use the factors.
func (m *Model) Inverse() (*mat.Dense, error) {
	n := len(m.Names)
	ones := mat.NewDiagDense(n, nil)
	for i := range n {
		ones.SetDiag(i, 1)
	}
	var inv mat.Dense
	if err := m.lu.SolveTo(&inv, false, ones); err != nil {
		return nil, fmt.Errorf("invert coefficients: %w", err)
	}
	return &inv, nil
}

// Solve gives inverse x f: for Leontief the output that final demand f needs.
func (m *Model) Solve(f []float64) ([]float64, error) { return m.solve(f, false) }

// SolveRow gives v' x inverse: for Leontief the effects of v per unit of final
// demand for each sector.
func (m *Model) SolveRow(v []float64) ([]float64, error) { return m.solve(v, true) }

func (m *Model) solve(b []float64, transpose bool) ([]float64, error) {
	if len(b) != len(m.Names) {
		return nil, fmt.Errorf("solve input-output system: %d values for %d sectors", len(b), len(m.Names))
	}
	var x mat.VecDense
	if err := m.lu.SolveVecTo(&x, transpose, mat.NewVecDense(len(b), append([]float64(nil), b...))); err != nil {
		return nil, fmt.Errorf("solve input-output system: %w", err)
	}
	return x.RawVector().Data, nil
}
