package equilibrium

import (
	"fmt"
	"math"
)

// memory is the number of past steps the acceleration combines.
const memory = 12

// iterate runs the damped fixed-point iteration of the paper, accelerated by
// combining past steps (Anderson acceleration, type II; Walker and Ni 2011,
// SIAM J. Numer. Anal. 49(4)). The solution does not change, only the number of
// steps: about 80 instead of 800. Where a combined step would leave the
// positive orthant or does not help, the plain step is taken and the memory
// cleared.
func (w *world) iterate(x0 []float64, opt Options) (v []float64, iterations int, residual float64, err error) {
	NJ := w.N * w.J
	size := 2*NJ + w.N
	v, r := make([]float64, size), make([]float64, size)
	scale := make([]float64, size) // spending is moved in units of its observed level
	for k := range size {
		v[k], scale[k] = 1, 1
		if k >= NJ && k < 2*NJ {
			v[k] = x0[k-NJ]
			scale[k] = math.Max(x0[k-NJ], w.floor)
		}
	}
	acc := newAccelerator(size)
	const warm = 12 // plain steps before spending has found its order of magnitude
	best, sinceBest := math.Inf(1), 0
	for it := range opt.Iterations {
		norm := w.residual(v, r)
		if norm < opt.Tolerance {
			return v, it + 1, norm, nil
		}
		if math.IsNaN(norm) {
			return nil, it, norm, fmt.Errorf("solve equilibrium: no number after %d iterations; the shock is too large for this step, try damping %g", it, opt.Damping/2)
		}
		if norm < best {
			best, sinceBest = norm, 0
		} else if sinceBest++; sinceBest > 8 {
			// Spending that has become small against its first level counts
			// little in the combination but fully in the residual: measure it
			// afresh.
			acc.clear()
			w.rescale(v, scale)
			sinceBest = 0
		}
		if it == warm {
			w.rescale(v, scale)
		}
		for k := range size {
			step := opt.Damping * r[k]
			if k >= NJ && k < 2*NJ {
				step *= math.Max(v[k], w.floor) / scale[k]
			}
			r[k] = -step
		}
		if opt.Plain || it < warm {
			plainStep(v, r, scale)
			continue
		}
		acc.step(v, r, scale)
	}
	norm := w.residual(v, r)
	return nil, opt.Iterations, norm, fmt.Errorf("solve equilibrium: residual %.3g after %d iterations, wanted %.3g; allow more iterations or a smaller damping", norm, opt.Iterations, opt.Tolerance)
}

// rescale measures spending in units of its present level.
func (w *world) rescale(v, scale []float64) {
	NJ := w.N * w.J
	for k := NJ; k < 2*NJ; k++ {
		scale[k] = math.Max(v[k], w.floor)
	}
}

// plainStep adds the step f (in scaled units) to v, halving what would make a
// value negative.
func plainStep(v, f, scale []float64) {
	for k := range v {
		next := v[k] + f[k]*scale[k]
		if next <= 0 && v[k] > 0 {
			next = v[k] / 2
		}
		v[k] = next
	}
}

// accelerator remembers differences of iterates and of steps.
type accelerator struct {
	have         bool
	lastV, lastF []float64
	dv, df       [][]float64 // rings of differences, newest at used-1
	next         []float64
}

func newAccelerator(size int) *accelerator {
	return &accelerator{lastV: make([]float64, size), lastF: make([]float64, size), next: make([]float64, size)}
}

func (a *accelerator) clear() { a.have, a.dv, a.df = false, a.dv[:0], a.df[:0] }

// step moves v by the combination of past steps that would have had the
// smallest step left: minimise |f - dF g|, then v += f - (dV + dF) g.
func (a *accelerator) step(v, f, scale []float64) {
	if a.have {
		a.remember(v, f, scale)
	}
	copy(a.lastV, v)
	copy(a.lastF, f)
	a.have = true
	g, ok := leastSquares(a.df, f)
	if !ok {
		a.clear()
		plainStep(v, f, scale)
		return
	}
	copy(a.next, f)
	for m, c := range g {
		dv, df := a.dv[m], a.df[m]
		for k := range a.next {
			a.next[k] -= c * (dv[k] + df[k])
		}
	}
	for k := range v {
		if next := v[k] + a.next[k]*scale[k]; v[k] > 0 && !(next > v[k]/4 && next < v[k]*4) {
			a.clear()
			plainStep(v, f, scale)
			return
		}
	}
	for k := range v {
		v[k] += a.next[k] * scale[k]
	}
}

func (a *accelerator) remember(v, f, scale []float64) {
	var dv, df []float64
	if len(a.dv) == memory {
		dv, df = a.dv[0], a.df[0]
		copy(a.dv, a.dv[1:])
		copy(a.df, a.df[1:])
		a.dv, a.df = a.dv[:memory-1], a.df[:memory-1]
	} else {
		dv, df = make([]float64, len(v)), make([]float64, len(v))
	}
	for k := range v {
		dv[k] = (v[k] - a.lastV[k]) / scale[k]
		df[k] = f[k] - a.lastF[k]
	}
	a.dv, a.df = append(a.dv, dv), append(a.df, df)
}

// leastSquares solves min |b - sum g_m a_m| by the normal equations with a
// trace of ridge, which is enough for a dozen columns of a step that need not
// be exact. It reports false when the columns are too dependent.
func leastSquares(a [][]float64, b []float64) ([]float64, bool) {
	n := len(a)
	if n == 0 {
		return nil, true
	}
	var h [memory][memory + 1]float64
	var norm [memory]float64
	for i := range n {
		norm[i] = math.Sqrt(dot(a[i], a[i]))
		if !(norm[i] > 0) {
			return nil, false
		}
		for j := range i {
			h[i][j] = dot(a[i], a[j]) / (norm[i] * norm[j])
			h[j][i] = h[i][j]
		}
		h[i][i] = 1 + 1e-13
		h[i][n] = dot(a[i], b) / norm[i]
	}
	for p := range n { // Gaussian elimination; the matrix is positive definite
		if !(h[p][p] > 0) {
			return nil, false
		}
		for i := p + 1; i < n; i++ {
			q := h[i][p] / h[p][p]
			for j := p; j <= n; j++ {
				h[i][j] -= q * h[p][j]
			}
		}
	}
	g := make([]float64, n)
	for i := n - 1; i >= 0; i-- {
		s := h[i][n]
		for j := i + 1; j < n; j++ {
			s -= h[i][j] * g[j]
		}
		g[i] = s / h[i][i]
	}
	for i := range n {
		g[i] /= norm[i]
	}
	return g, true
}
