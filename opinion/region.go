package opinion

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// Weights says how much each country counts in a regional figure. They need
// not sum to 1.
type Weights struct {
	Name   string // shown beside the figure: equal, population, or what was chosen
	Weight map[string]float64
}

// Equal gives each country the same weight.
func Equal(countries []string) Weights {
	w := Weights{"equal", map[string]float64{}}
	for _, c := range countries {
		w.Weight[c] = 1
	}
	return w
}

// SouthEastAsia is the population of the eleven states in millions, mid-2024,
// rounded. Source: United Nations, World Population Prospects 2024. Countries
// without opinion data stay in it: their weight is then reported missing.
var SouthEastAsia = Weights{"population", map[string]float64{
	"BRN": 0.46, "IDN": 283.5, "KHM": 17.6, "LAO": 7.8, "MMR": 54.5, "MYS": 35.6,
	"PHL": 115.8, "SGP": 5.8, "THA": 71.7, "TLS": 1.4, "VNM": 101.0,
}}

const (
	regionDraws     = 10_000
	maxMissingShare = 0.20 // of the weight; above it a regional figure is refused
)

// Region is a weighted mean over countries with the weights it rests on.
type Region struct {
	Weights      string
	Status       string
	Reasons      []string
	Mean, Lo, Hi float64 // shares; NaN where refused
	Missing      float64 // share of the weight without an estimate
	Countries    []RegionCountry
}

// RegionCountry is one line of the table a reader recomputes the figure from.
type RegionCountry struct {
	Estimate
	Weight float64 // of the whole region, 0 to 1
}

// Region averages q over the countries of w (q.Country is ignored). Countries
// without an estimate are never skipped silently: their weight is reported,
// and above a fifth the figure is refused. Countries are drawn as independent;
// a shock common to all makes the true interval wider.
func (m *Model) Region(q Query, w Weights, seed uint64) Region {
	r := Region{Weights: w.Name, Status: OK, Mean: math.NaN(), Lo: math.NaN(), Hi: math.NaN()}
	countries := sortedKeys(w.Weight)
	total := 0.0
	for _, c := range countries {
		if x := w.Weight[c]; !(x >= 0) || math.IsInf(x, 1) {
			r.Status, r.Reasons = Insufficient, []string{fmt.Sprintf("the weight of %s is %g: weights are numbers from 0 up", c, x)}
			return r
		}
		total += w.Weight[c]
	}
	if total == 0 {
		r.Status, r.Reasons = Insufficient, []string{"no country has a weight above 0"}
		return r
	}
	for _, c := range countries {
		q.Country = c
		line := RegionCountry{m.Estimate(q), w.Weight[c] / total}
		r.Countries = append(r.Countries, line)
		if line.Status != OK {
			r.Missing += line.Weight
		}
	}
	if r.Missing > maxMissingShare+1e-12 {
		r.Status = Insufficient
		r.Reasons = []string{fmt.Sprintf("%.0f %% of the weight has no estimate, more than %.0f %%", 100*r.Missing, 100*maxMissingShare)}
		return r
	}
	r.Mean, r.Lo, r.Hi = draw(r.Countries, 1-r.Missing, seed)
	return r
}

// draw simulates the weighted mean of the countries that have an estimate.
func draw(lines []RegionCountry, have float64, seed uint64) (mean, lo, hi float64) {
	sums := make([]float64, regionDraws)
	level := 0.0
	for _, l := range lines {
		if l.Status != OK || l.Weight == 0 {
			continue
		}
		level = l.Level
		h := fnv.New64a()
		fmt.Fprintf(h, "%s|%s|%g", l.Country, l.Target, l.Time)
		rng := rand.New(rand.NewPCG(seed, h.Sum64()))
		// The calibrated half-width is c sds at this level; a normal of the
		// same half-width keeps the country's interval what it was.
		sd := l.C * math.Sqrt(l.level.v) / (math.Sqrt2 * math.Erfinv(l.Level))
		mean += l.Weight / have * l.Mean
		for i := range sums {
			sums[i] += l.Weight / have * logistic(l.level.m+sd*rng.NormFloat64())
		}
	}
	sort.Float64s(sums)
	tail := (1 - level) / 2
	return mean, sums[int(tail*regionDraws)], sums[min(regionDraws-1, int((1-tail)*regionDraws))]
}

// WeightedMean is the plain weighted mean of published shares: what a reader
// recomputes from a table. Missing countries are an error, not a silent skip.
func WeightedMean(share map[string]float64, w Weights) (float64, error) {
	sum, total := 0.0, 0.0
	for _, c := range sortedKeys(w.Weight) {
		s, ok := share[c]
		if !ok {
			return math.NaN(), fmt.Errorf("weighted mean: %s has weight %g but no share", c, w.Weight[c])
		}
		sum += w.Weight[c] * s
		total += w.Weight[c]
	}
	for c := range share {
		if _, ok := w.Weight[c]; !ok {
			return math.NaN(), fmt.Errorf("weighted mean: %s has a share but no weight", c)
		}
	}
	if !slices.ContainsFunc(sortedKeys(w.Weight), func(c string) bool { return w.Weight[c] > 0 }) {
		return math.NaN(), fmt.Errorf("weighted mean: no weight above 0")
	}
	return sum / total, nil
}
