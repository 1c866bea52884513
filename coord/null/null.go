// Package null holds the distributions behind the odds: tails that stay exact
// when they are tiny, and the false discovery rate of a family of tests.
package null

import (
	"math"
	"slices"
)

// PoissonBinomialTail returns P(at least k of independent trials with chances
// p succeed), by dynamic programming in len(p) * k steps. It sorts p, so that
// the sum does not depend on the order given.
func PoissonBinomialTail(p []float64, k int) float64 {
	switch {
	case k <= 0:
		return 1
	case k > len(p):
		return 0
	}
	slices.Sort(p)
	// at[j] is P(exactly j so far) for j < k; at[k] is P(at least k).
	at := make([]float64, k+1)
	at[0] = 1
	for i, q := range p {
		at[k] += q * at[k-1]
		for j := min(i+1, k-1); j > 0; j-- {
			at[j] += q * (at[j-1] - at[j])
		}
		at[0] *= 1 - q
	}
	return math.Min(at[k], 1)
}

// PoissonBinomial returns P(exactly j of the trials succeed) for j = 0 to
// len(p). It sorts p.
func PoissonBinomial(p []float64) []float64 {
	slices.Sort(p)
	at := make([]float64, len(p)+1)
	at[0] = 1
	for i, q := range p {
		for j := i + 1; j > 0; j-- {
			at[j] += q * (at[j-1] - at[j])
		}
		at[0] *= 1 - q
	}
	return at
}

// NegativeBinomialTail returns P(X >= k) for X with the mean and variance
// mean + phi mean^2; phi = 0 is the Poisson distribution.
func NegativeBinomialTail(mean, phi float64, k int) float64 {
	switch {
	case k <= 0:
		return 1
	case mean <= 0:
		return 0
	}
	log := negativeBinomialLog(mean, phi, k)
	ratio := func(i float64) float64 { // P(i+1) / P(i)
		if phi == 0 {
			return mean / (i + 1)
		}
		r := 1 / phi
		return (i + r) / (i + 1) * mean / (mean + r)
	}
	if float64(k) <= mean { // the lower tail is the smaller sum
		p := math.Exp(log)
		sum := 0.0
		for i := k - 1; i >= 0; i-- {
			p /= ratio(float64(i))
			sum += p
			if p < sum*1e-17 {
				break
			}
		}
		return math.Max(0, math.Min(1, 1-sum))
	}
	term, sum := 1.0, 1.0
	for i := k; ; i++ {
		r := ratio(float64(i))
		term *= r
		sum += term
		if term < sum*1e-16 && r < 1 || i > k+100_000_000 {
			break
		}
	}
	return math.Min(1, math.Exp(log+math.Log(sum)))
}

func negativeBinomialLog(mean, phi float64, k int) float64 {
	x := float64(k)
	fact, _ := math.Lgamma(x + 1)
	if phi == 0 {
		return x*math.Log(mean) - mean - fact
	}
	r := 1 / phi
	if r > 1e6*(x+mean+1) { // so close to Poisson that the gammas would cancel
		return x*math.Log(mean) - mean - fact
	}
	a, _ := math.Lgamma(x + r)
	b, _ := math.Lgamma(r)
	return a - b - fact + x*math.Log(mean/(mean+r)) - r*math.Log1p(mean/r)
}

// BenjaminiHochberg returns the q-value of each p of a family of m tests; the
// tests not in p have p = 1 but count in m. It does not change p.
func BenjaminiHochberg(p []float64, m float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return a - b
	})
	m = math.Max(m, float64(len(p)))
	q := make([]float64, len(p))
	least := 1.0
	for i := len(order) - 1; i >= 0; i-- {
		least = math.Min(least, p[order[i]]*m/float64(i+1))
		q[order[i]] = least
	}
	return q
}

// Cutoff returns the largest p that is reported at rate fdr in a family of m,
// or what the first one would need when none is.
func Cutoff(p, q []float64, m, fdr float64) float64 {
	cut := 0.0
	for i := range p {
		if q[i] <= fdr {
			cut = math.Max(cut, p[i])
		}
	}
	if cut == 0 && m > 0 {
		return fdr / m
	}
	return cut
}
