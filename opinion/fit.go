package opinion

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"
)

// Numbers of the model that are decisions, not estimates.
const (
	thinTarget   = 40   // below this many transitions or errors a target leans on all targets
	pullStrength = 20.0 // weight of the pooled drift, in transitions
	bridgeYears  = 1.5  // two houses or items meet if they are this close in one series
	houseSD      = 0.35 // prior spread of house effects, logits
	itemSD       = 0.70 // prior spread of item effects, logits
	effectRounds = 50
	effectStop   = 1e-4
)

// Options of a fit.
type Options struct {
	// Design is the design factor of a house's sampling variance; 1 where
	// absent. 1.5 is a fair start for face-to-face samples whose effective
	// size holds weights only, 2 for opt-in panels.
	Design map[string]float64
	// LogDrift, when not nil, fixes log q instead of estimating it: the
	// no-drift comparison of the backtest.
	LogDrift *float64
}

// seriesKey names one series. part is the connected part its houses and items
// belong to: two parts are never on one scale.
type seriesKey struct {
	country, target, population string
	part                        int
}

// groupKey names the series that share a drift and a calibration.
type groupKey struct {
	target, population string
	self               bool
}

// group is what the series of one target and population share.
type group struct {
	logQ        float64
	transitions int
	errors      []float64 // sorted leave-one-out errors in predicted sds
}

// Model is a fitted model. It is not changed after Fit and is safe for use by
// many goroutines.
type Model struct {
	obs    []Observation
	series map[seriesKey][]point
	groups map[groupKey]*group
	pooled map[string][]float64 // by population: sorted errors of all targets
	house  map[string]float64   // effect in logits, by part and house
	item   map[string]float64
	part   map[string]int // of an item or house
	design map[string]float64

	refused map[seriesKey][]string // why rows of a series were not used
}

// Fit fits the model to the usable rows of obs. It cannot fail: a series that
// the data cannot carry answers [Insufficient].
func Fit(obs []Observation, opt Options) *Model {
	m := &Model{
		series: map[seriesKey][]point{}, groups: map[groupKey]*group{}, pooled: map[string][]float64{},
		house: map[string]float64{}, item: map[string]float64{}, design: opt.Design,
		refused: map[seriesKey][]string{},
	}
	for _, o := range sorted(obs) {
		if o.usable() {
			m.obs = append(m.obs, o)
			continue
		}
		reason := "only flagged data: " + o.Quality
		if o.Population == "" {
			reason = "population missing"
		}
		k := seriesKey{o.Country, o.Target, o.Population, 0}
		if !slices.Contains(m.refused[k], reason) {
			m.refused[k] = append(m.refused[k], reason)
		}
	}
	m.part = connect(m.obs)
	m.build()
	m.fitDrift(opt.LogDrift)
	if m.hasEffects() {
		for range effectRounds {
			change := m.fitEffects()
			m.build()
			m.fitDrift(opt.LogDrift)
			if change < effectStop {
				break
			}
		}
	}
	m.calibrate()
	return m
}

func (m *Model) factor(o Observation) float64 {
	if d := m.design[o.House]; d > 0 {
		return d
	}
	return 1
}

func (m *Model) partOf(o Observation) int { return m.part[scaleOf(o)] }

// scaleOf names what a row must be bridged from: the house, instrument and
// item it was measured with.
func scaleOf(o Observation) string { return o.Instrument + "\x00" + o.House + "\x00" + o.Item }

func houseOf(o Observation) string { return o.Instrument + "\x00" + o.House }

func itemOf(o Observation) string { return o.Population + "\x00" + o.Item }

func keyOf(o Observation, part int) seriesKey {
	return seriesKey{o.Country, o.Target, o.Population, part}
}

func (k seriesKey) group() groupKey {
	return groupKey{k.target, k.population, k.country == k.target}
}

// connect finds which houses and items share a scale: those that meet in one
// country, target and population within bridgeYears. Parts are numbered from
// the one with most rows.
func connect(obs []Observation) map[string]int {
	parent := map[string]string{}
	var root func(string) string
	root = func(s string) string {
		if parent[s] != s {
			parent[s] = root(parent[s])
		}
		return parent[s]
	}
	for i, o := range obs {
		s := scaleOf(o)
		if _, ok := parent[s]; !ok {
			parent[s] = s
		}
		for j := i - 1; j >= 0; j-- { // obs are in order of series and time
			p := obs[j]
			if keyOf(p, 0) != keyOf(o, 0) || o.Time-p.Time > bridgeYears {
				break
			}
			parent[root(s)] = root(scaleOf(p))
		}
	}
	size := map[string]int{}
	for _, o := range obs {
		size[root(scaleOf(o))]++
	}
	roots := make([]string, 0, len(size))
	for r := range size {
		roots = append(roots, r)
	}
	first := map[string]string{}
	for s := range parent {
		if r := root(s); first[r] == "" || s < first[r] {
			first[r] = s
		}
	}
	slices.SortFunc(roots, func(a, b string) int {
		return cmp.Or(cmp.Compare(size[b], size[a]), strings.Compare(first[a], first[b]))
	})
	out := map[string]int{}
	for s := range parent {
		out[s] = slices.Index(roots, root(s))
	}
	return out
}

// build lays out the series with the effects of the present round removed.
func (m *Model) build() {
	clear(m.series)
	for i, o := range m.obs {
		z, v := o.measure(m.factor(o))
		part := m.partOf(o)
		k := keyOf(o, part)
		z -= m.house[houseOf(o)] + m.item[itemOf(o)]
		m.series[k] = append(m.series[k], point{o.Time, z, v, i})
	}
}

// keys returns the series in a fixed order.
func (m *Model) keys() []seriesKey {
	out := make([]seriesKey, 0, len(m.series))
	for k := range m.series {
		out = append(out, k)
	}
	slices.SortFunc(out, compareKeys)
	return out
}

func compareKeys(a, b seriesKey) int {
	return cmp.Or(strings.Compare(a.country, b.country), strings.Compare(a.target, b.target),
		strings.Compare(a.population, b.population), cmp.Compare(a.part, b.part))
}

// fitDrift finds q of each group, pulling thin ones to the drift of all.
func (m *Model) fitDrift(fixed *float64) {
	clear(m.groups)
	byGroup := map[groupKey][][]point{}
	byPopulation := map[string][][]point{}
	for _, k := range m.keys() {
		byGroup[k.group()] = append(byGroup[k.group()], m.series[k])
		byPopulation[k.population] = append(byPopulation[k.population], m.series[k])
	}
	all := map[string]float64{}
	for population, series := range byPopulation {
		all[population] = maxDrift(series)
	}
	for gk, series := range byGroup {
		g := &group{}
		for _, s := range series {
			g.transitions += max(0, len(s)-1)
		}
		n, pooled := float64(g.transitions), all[gk.population]
		switch {
		case fixed != nil:
			g.logQ = *fixed
		case g.transitions == 0:
			g.logQ = pooled
		case g.transitions < thinTarget:
			g.logQ = (n*maxDrift(series) + pullStrength*pooled) / (n + pullStrength)
		default:
			g.logQ = maxDrift(series)
		}
		m.groups[gk] = g
	}
}

func (m *Model) q(k seriesKey) float64 { return math.Exp(m.groups[k.group()].logQ) }

// calibrate collects the leave-one-out errors that set the width of intervals.
func (m *Model) calibrate() {
	for _, k := range m.keys() {
		s := m.series[k]
		if len(s) < 3 {
			continue
		}
		g, q := m.groups[k.group()], m.q(k)
		for i, p := range s {
			at := levelAt(s, q, p.t, i)
			e := math.Abs(p.z-at.m) / math.Sqrt(at.v+p.v)
			g.errors = append(g.errors, e)
			if !k.group().self {
				m.pooled[k.population] = append(m.pooled[k.population], e)
			}
		}
	}
	for _, g := range m.groups {
		sort.Float64s(g.errors)
	}
	for _, e := range m.pooled {
		sort.Float64s(e)
	}
}

// width returns c for a series and level: how many predicted standard
// deviations the interval must reach. Without any errors to learn from it is
// the Student-t(4) quantile.
func (m *Model) width(k seriesKey, level float64) float64 {
	g := m.groups[k.group()]
	if len(g.errors) >= thinTarget {
		return multiplier(g.errors, level)
	}
	if e := m.pooled[k.population]; len(e) >= 10 {
		return multiplier(e, level)
	}
	return studentT4(level)
}

// studentT4 is the two-sided quantile of Student's t with 4 degrees of
// freedom, in closed form (Shaw, J. Comp. Finance 9(4), 2006).
func studentT4(level float64) float64 {
	p := (1 + level) / 2
	a := 4 * p * (1 - p)
	q := math.Cos(math.Acos(math.Sqrt(a))/3) / math.Sqrt(a)
	return 2 * math.Sqrt(q-1)
}

// hasEffects reports whether any part holds two houses or two items.
func (m *Model) hasEffects() bool {
	house, item := map[int]string{}, map[string]string{}
	for _, o := range m.obs {
		p := m.partOf(o)
		if h, ok := house[p]; ok && h != houseOf(o) {
			return true
		}
		house[p] = houseOf(o)
		k := o.Population + "\x00" + string(rune(p))
		if it, ok := item[k]; ok && it != itemOf(o) {
			return true
		}
		item[k] = itemOf(o)
	}
	return false
}

// fitEffects runs one round over house and item effects and returns the
// largest change. The residual of a row is taken against the level that the
// rest of its series gives.
func (m *Model) fitEffects() float64 {
	type sums struct{ wr, w float64 }
	house, item := map[string]*sums{}, map[string]*sums{}
	rows := map[string]int{}
	add := func(to map[string]*sums, k string, r, w float64) {
		if to[k] == nil {
			to[k] = &sums{}
		}
		to[k].wr += w * r
		to[k].w += w
	}
	partOfHouse, partOfItem := map[string]int{}, map[string]int{}
	for _, k := range m.keys() {
		s := m.series[k]
		for i, p := range s {
			o := m.obs[p.row]
			rows[itemOf(o)]++
			partOfHouse[houseOf(o)], partOfItem[itemOf(o)] = k.part, k.part
			if len(s) < 2 {
				continue
			}
			at := levelAt(s, m.q(k), p.t, i)
			r, w := p.z-at.m, 1/(at.v+p.v)
			add(house, houseOf(o), r+m.house[houseOf(o)], w)
			add(item, itemOf(o), r+m.item[itemOf(o)], w)
		}
	}
	newHouse := map[string]float64{}
	for h, s := range house {
		newHouse[h] = s.wr / (s.w + 1/(houseSD*houseSD))
	}
	centre(newHouse, partOfHouse)
	newItem := map[string]float64{}
	for it, s := range item {
		newItem[it] = s.wr / (s.w + 1/(itemSD*itemSD))
	}
	reference(newItem, partOfItem, rows)
	change := 0.0
	for h, x := range newHouse {
		x = m.house[h] + (x-m.house[h])/2 // damped: both effects answer the same residual
		change = max(change, math.Abs(x-m.house[h]))
		m.house[h] = x
	}
	for it, x := range newItem {
		x = m.item[it] + (x-m.item[it])/2
		change = max(change, math.Abs(x-m.item[it]))
		m.item[it] = x
	}
	return change
}

// centre makes the house effects of each part sum to zero.
func centre(effect map[string]float64, part map[string]int) {
	sum, n := map[int]float64{}, map[int]float64{}
	for _, h := range sortedKeys(effect) {
		sum[part[h]] += effect[h]
		n[part[h]]++
	}
	for h := range effect {
		effect[h] -= sum[part[h]] / n[part[h]]
	}
}

// reference makes the item with most rows of each part and population the
// scale: its effect is zero.
func reference(effect map[string]float64, part map[string]int, rows map[string]int) {
	type scale struct {
		part       int
		population string
	}
	best := map[scale]string{}
	of := func(it string) scale {
		population, _, _ := strings.Cut(it, "\x00")
		return scale{part[it], population}
	}
	for _, it := range sortedKeys(effect) {
		if b, ok := best[of(it)]; !ok || rows[it] > rows[b] {
			best[of(it)] = it
		}
	}
	zero := map[scale]float64{}
	for s, it := range best {
		zero[s] = effect[it]
	}
	for it := range effect {
		effect[it] -= zero[of(it)]
	}
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
