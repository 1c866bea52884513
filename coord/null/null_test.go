package null

import (
	"math"
	"math/bits"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

func near(t fataler, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance*math.Max(math.Abs(want), 1e-300) && math.Abs(got-want) > 1e-15 {
		t.Fatalf("%s: %g, want %g", what, got, want)
	}
}

func draw(t *rapid.T) []float64 {
	return rapid.SliceOfN(rapid.Float64Range(0, 1), 0, 10).Draw(t, "p")
}

// TestPoissonBinomialByEnumeration goes through all outcomes.
func TestPoissonBinomialByEnumeration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := draw(t)
		exact := make([]float64, len(p)+1)
		for set := range uint(1) << len(p) {
			w := 1.0
			for i, q := range p {
				if set>>i&1 == 1 {
					w *= q
				} else {
					w *= 1 - q
				}
			}
			exact[bits.OnesCount(set)] += w
		}
		for j, q := range PoissonBinomial(slices.Clone(p)) {
			near(t, "exactly", q, exact[j], 1e-9)
		}
		for k := range len(p) + 2 {
			want := 0.0
			for j := k; j <= len(p); j++ {
				want += exact[j]
			}
			near(t, "at least", PoissonBinomialTail(slices.Clone(p), k), want, 1e-9)
		}
	})
}

// TestTinyTail: a tail far below rounding of 1 stays exact.
func TestTinyTail(t *testing.T) {
	p := slices.Repeat([]float64{1e-6}, 30)
	near(t, "30 of 30", PoissonBinomialTail(p, 30), 1e-180, 1e-12)
}

func TestNegativeBinomialTailBySummation(t *testing.T) {
	for _, mean := range []float64{1e-4, 0.03, 0.9, 4, 60} {
		for _, phi := range []float64{0, 1e-12, 0.01, 0.7, 5, 80} {
			pmf := make([]float64, 6000)
			for i := range pmf {
				pmf[i] = math.Exp(negativeBinomialLog(mean, phi, i))
			}
			if phi <= 5 {
				sum, first := 0.0, 0.0
				for i, p := range pmf {
					sum += p
					first += float64(i) * p
				}
				near(t, "total", sum, 1, 1e-9)
				near(t, "mean", first, mean, 1e-6)
			}
			for _, k := range []int{0, 1, 2, 3, 7, 20, 61} {
				want := 0.0
				for i := len(pmf) - 1; i >= k; i-- {
					want += pmf[i]
				}
				if phi <= 5 {
					near(t, "tail", NegativeBinomialTail(mean, phi, k), want, 1e-7)
				}
			}
		}
	}
}

// TestBenjaminiHochbergByDefinition: q_i is the smallest rate at which the
// step-up procedure rejects i, with ties and a family far above the tests seen.
func TestBenjaminiHochbergByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.SampledFrom([]float64{0, 1e-9, 1e-6, 1e-6, 1e-4, 0.01, 0.5, 1}), 1, 12).Draw(t, "p")
		m := float64(len(p) + rapid.IntRange(0, 1000).Draw(t, "more"))
		sorted := slices.Sorted(slices.Values(p))
		for i, q := range BenjaminiHochberg(p, m) {
			want := 1.0
			for r, x := range sorted {
				if x >= p[i] {
					want = math.Min(want, x*m/float64(r+1))
				}
			}
			near(t, "q", q, want, 1e-12)
		}
	})
}
