package opinion

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"sort"
)

// folds of a backtest: every cell is predicted once from the other four fifths.
const folds = 5

// Prediction is one held-out cell.
type Prediction struct {
	Observation
	Group    string  // the row of the report it counts in
	Position string  // interior, edge or gap: how far the training data are
	Answered bool    // the model gave an interval
	Mean     float64 // share
	Lo, Hi   float64 // 90 % predictive interval, share
	BandLo   float64 // the country's own mean and a calibrated spread
	BandHi   float64
	StillLo  float64 // the same model without drift
	StillHi  float64
}

// Coverage is how intervals did on a set of held-out cells. Widths and scores
// are in points (0 to 100). The score is the interval score of Gneiting and
// Raftery (J. Am. Stat. Assoc. 102, 2007, section 6.2) for 90 %: width plus 20
// times the distance outside. Smaller is better.
type Coverage struct {
	Name       string
	N          int
	Asked      int // cells whose series keeps two observations or more
	Coverage90 float64
	MeanWidth  float64
	Score      float64
	BandScore  float64 // country mean with a calibrated spread, same cells
	StillScore float64 // local level without drift, same cells
}

// Report is the result of a backtest.
type Report struct {
	Seed    uint64
	Targets []Coverage // in order of name; the last is ALL
	Parts   []Coverage // interior, edge, gap, and each population
	Cells   []Prediction
}

// Backtest holds out every usable cell once, in folds chosen by hash of (seed,
// country, target, year), fits everything on the rest and asks for the cell.
func Backtest(ctx context.Context, obs []Observation, opt Options, seed uint64) (*Report, error) {
	usable := slices.DeleteFunc(sorted(obs), func(o Observation) bool { return !o.usable() })
	if len(usable) == 0 {
		return nil, fmt.Errorf("backtest: no usable rows: each is flagged, lacks n or lacks a population")
	}
	still := opt
	none := minLogQ
	still.LogDrift = &none
	r := &Report{Seed: seed}
	for f := range folds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var train, test []Observation
		for _, o := range usable {
			if fold(seed, o) == f {
				test = append(test, o)
			} else {
				train = append(train, o)
			}
		}
		m, s, band := Fit(train, opt), Fit(train, still), newBand(train)
		for _, o := range test {
			r.Cells = append(r.Cells, predict(m, s, band, o))
		}
	}
	slices.SortStableFunc(r.Cells, func(a, b Prediction) int { return compareRows(a.Observation, b.Observation) })
	r.summarise()
	return r, nil
}

// fold spreads cells over the folds by FNV-1a.
func fold(seed uint64, o Observation) int {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d|%s|%s|%d", seed, o.Country, o.Target, o.year())
	x := h.Sum64()
	x ^= x >> 33 // FNV's low bits alone are weak
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return int(x % folds)
}

func predict(m, still *Model, b *band, o Observation) Prediction {
	p := Prediction{Observation: o, Group: o.Target, Position: "interior"}
	if o.self() {
		p.Group = "self-rating"
	}
	q := Query{Country: o.Country, Target: o.Target, Population: o.Population, Time: o.Time, NEff: o.NEff, Level: defaultLevel, Item: o.Item}
	e := m.Estimate(q)
	if e.NObs < minUsable {
		p.Position = "thin"
		return p
	}
	points := m.Points(q)
	switch {
	case o.Time < points[0].Time || o.Time > points[len(points)-1].Time:
		p.Position = "edge"
	case e.NearestGap >= 3:
		p.Position = "gap"
	}
	if e.Status != OK {
		return p
	}
	p.Answered, p.Mean, p.Lo, p.Hi = true, e.Mean, e.PredLo, e.PredHi
	p.BandLo, p.BandHi = b.interval(o)
	p.StillLo, p.StillHi = math.NaN(), math.NaN()
	if s := still.Estimate(q); s.Status == OK {
		p.StillLo, p.StillHi = s.PredLo, s.PredHi
	}
	return p
}

// score is the 90 % interval score of one cell in points.
func score(x, lo, hi float64) float64 {
	return 100 * (hi - lo + 20*max(0, lo-x, x-hi))
}

func (r *Report) summarise() {
	by := map[string][]Prediction{}
	parts := map[string][]Prediction{}
	for _, p := range r.Cells {
		by[p.Group] = append(by[p.Group], p)
		by["ALL"] = append(by["ALL"], p)
		if p.Position != "thin" {
			parts["position "+p.Position] = append(parts["position "+p.Position], p)
			parts["population "+p.Population] = append(parts["population "+p.Population], p)
		}
	}
	for _, name := range sortedKeys(by) {
		if name != "ALL" {
			r.Targets = append(r.Targets, coverageOf(name, by[name]))
		}
	}
	r.Targets = append(r.Targets, coverageOf("ALL", by["ALL"]))
	for _, name := range sortedKeys(parts) {
		r.Parts = append(r.Parts, coverageOf(name, parts[name]))
	}
}

func coverageOf(name string, cells []Prediction) Coverage {
	c := Coverage{Name: name}
	still, stillN := 0.0, 0
	for _, p := range cells {
		if p.Position != "thin" {
			c.Asked++
		}
		if !p.Answered {
			continue
		}
		c.N++
		if p.Share >= p.Lo && p.Share <= p.Hi {
			c.Coverage90++
		}
		c.MeanWidth += 100 * (p.Hi - p.Lo)
		c.Score += score(p.Share, p.Lo, p.Hi)
		c.BandScore += score(p.Share, p.BandLo, p.BandHi)
		if !math.IsNaN(p.StillLo) {
			still += score(p.Share, p.StillLo, p.StillHi)
			stillN++
		}
	}
	n := float64(c.N)
	c.Coverage90, c.MeanWidth, c.Score, c.BandScore = c.Coverage90/n, c.MeanWidth/n, c.Score/n, c.BandScore/n
	c.StillScore = still / float64(stillN)
	return c
}

// All is the row over every target.
func (r *Report) All() Coverage { return r.Targets[len(r.Targets)-1] }

// band is the comparison every model must beat: a country's own mean of the
// target, and one spread per target calibrated on leave-one-out errors.
type band struct {
	shares map[seriesKey][]float64
	spread map[groupKey]float64
}

func newBand(train []Observation) *band {
	b := &band{map[seriesKey][]float64{}, map[groupKey]float64{}}
	for _, o := range train {
		k := keyOf(o, 0)
		b.shares[k] = append(b.shares[k], o.Share)
	}
	errors := map[groupKey][]float64{}
	for k, s := range b.shares {
		if len(s) < 2 {
			continue
		}
		sum := 0.0
		for _, x := range s {
			sum += x
		}
		for _, x := range s {
			rest := (sum - x) / float64(len(s)-1)
			errors[k.group()] = append(errors[k.group()], math.Abs(x-rest))
		}
	}
	for g, e := range errors {
		sort.Float64s(e)
		b.spread[g] = multiplier(e, defaultLevel)
	}
	return b
}

func (b *band) interval(o Observation) (lo, hi float64) {
	k := keyOf(o, 0)
	s := b.shares[k]
	mean := 0.0
	for _, x := range s {
		mean += x / float64(len(s))
	}
	w, ok := b.spread[k.group()]
	if !ok {
		w = 1
	}
	return max(0, mean-w), min(1, mean+w)
}
