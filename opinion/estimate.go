package opinion

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// Status of an estimate.
const (
	OK           = "ok"
	Insufficient = "insufficient" // not enough data; Reasons says why
)

// Limits beyond which the model does not answer.
const (
	maxGapYears  = 5.0
	maxWidth     = 0.70 // of the 90 % predictive interval
	defaultLevel = 0.90
	minUsable    = 2
)

// Query asks for one estimate.
type Query struct {
	Country, Target, Population string
	Time                        float64 // decimal years
	NEff                        float64 // size of the poll to predict; 0 takes the series' own median
	Level                       float64 // of the intervals, 0 to 1; 0 means 0.9
	// Item is the item on whose scale to answer. Empty takes the reference
	// item where the series has one scale, and refuses where it has several.
	Item string
}

// Estimate answers a query. Figures are shares from 0 to 1 and are NaN where
// Status is Insufficient.
type Estimate struct {
	Query
	Status  string
	Reasons []string

	Mean           float64 // level of opinion
	Lo, Hi         float64 // interval of the level
	PredLo, PredHi float64 // interval of a poll of NEff respondents

	NObs       int     // usable observations of the series
	NearestGap float64 // years to the nearest one
	Q          float64 // variance the level gathers in a year, logits squared
	C          float64 // calibrated half-width in predicted standard deviations

	level gaussian // on the logit scale
}

// Estimate answers q from every observation on both sides of its time.
func (m *Model) Estimate(q Query) Estimate {
	e := Estimate{Query: q, Status: OK}
	for _, f := range []*float64{&e.Mean, &e.Lo, &e.Hi, &e.PredLo, &e.PredHi, &e.Q, &e.C, &e.NearestGap} {
		*f = math.NaN()
	}
	if e.Level == 0 {
		e.Level = defaultLevel
	}
	if !(e.Level > 0 && e.Level < 1) {
		return e.refuse(fmt.Sprintf("level %g is not between 0 and 1", e.Level))
	}
	if q.Population == "" {
		return e.refuse("population missing")
	}
	k, points, reason := m.find(q)
	if reason != "" {
		return e.refuse(append([]string{reason}, m.refusedRows(q)...)...)
	}
	e.NObs = len(points)
	e.NearestGap = math.Inf(1)
	for _, p := range points {
		e.NearestGap = min(e.NearestGap, math.Abs(p.t-q.Time))
	}
	if e.NObs < minUsable {
		return e.refuse(fmt.Sprintf("fewer than %d usable observations", minUsable))
	}
	if e.NearestGap > maxGapYears {
		return e.refuse(fmt.Sprintf("nearest observation is %.1f years away, more than %.0f", e.NearestGap, maxGapYears))
	}
	if e.NEff == 0 {
		e.NEff = m.medianSize(points)
	}
	e.Q, e.C = m.q(k), m.width(k, e.Level)
	e.level = levelAt(points, e.Q, q.Time, -1)
	e.level.m += m.item[q.Population+"\x00"+q.Item]
	lo, hi := predictive(e.level, m.width(k, defaultLevel), e.NEff)
	if hi-lo > maxWidth {
		return e.refuse(fmt.Sprintf("the 90 %% interval would be %.0f points wide, more than %.0f", 100*(hi-lo), 100*maxWidth))
	}
	sd := math.Sqrt(e.level.v)
	e.Mean = logistic(e.level.m)
	e.Lo, e.Hi = logistic(e.level.m-e.C*sd), logistic(e.level.m+e.C*sd)
	e.PredLo, e.PredHi = predictive(e.level, e.C, e.NEff)
	return e
}

// predictive is the interval of a poll with effective size n.
func predictive(at gaussian, c, n float64) (lo, hi float64) {
	p := logistic(at.m)
	sd := math.Sqrt(at.v + 1/(n*p*(1-p)))
	return logistic(at.m - c*sd), logistic(at.m + c*sd)
}

func (e Estimate) refuse(reasons ...string) Estimate {
	e.Status, e.Reasons = Insufficient, reasons
	for _, f := range []*float64{&e.Mean, &e.Lo, &e.Hi, &e.PredLo, &e.PredHi} {
		*f = math.NaN()
	}
	return e
}

// find returns the one series that answers q, or why none does.
func (m *Model) find(q Query) (seriesKey, []point, string) {
	var found seriesKey
	var points []point
	n := 0
	for part := range m.parts() {
		k := seriesKey{q.Country, q.Target, q.Population, part}
		s, ok := m.series[k]
		if !ok || (q.Item != "" && !slices.ContainsFunc(s, func(p point) bool { return m.obs[p.row].Item == q.Item })) {
			continue
		}
		n++
		if points == nil || len(s) > len(points) {
			found, points = k, s
		}
	}
	switch n {
	case 0:
		return found, nil, "no usable observation of this country, target and population"
	case 1:
		return found, points, ""
	}
	return found, nil, "unconnected house or item: these rows are on different scales; ask for one item"
}

// parts is how many unconnected scales there are.
func (m *Model) parts() int {
	n := 0
	for _, p := range m.part {
		n = max(n, p+1)
	}
	return n
}

func (m *Model) refusedRows(q Query) []string {
	return m.refused[seriesKey{q.Country, q.Target, q.Population, 0}]
}

func (m *Model) medianSize(points []point) float64 {
	n := make([]float64, len(points))
	for i, p := range points {
		n[i] = m.obs[p.row].NEff
	}
	sort.Float64s(n)
	return n[len(n)/2]
}

// Series lists what the model holds, in order, including series whose every
// row was refused.
func (m *Model) Series() []Query {
	seen := map[Query]bool{}
	var out []Query
	add := func(k seriesKey) {
		q := Query{Country: k.country, Target: k.target, Population: k.population}
		if !seen[q] {
			seen[q] = true
			out = append(out, q)
		}
	}
	keys := m.keys()
	for k := range m.refused {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compareKeys)
	for _, k := range keys {
		add(k)
	}
	return out
}

// Points returns the usable observations behind q in order of time: the raw
// points of a chart.
func (m *Model) Points(q Query) []Observation {
	var out []Observation
	for _, o := range m.obs {
		if o.Country == q.Country && o.Target == q.Target && o.Population == q.Population && (q.Item == "" || q.Item == o.Item) {
			out = append(out, o)
		}
	}
	return out
}

// Change is the difference of opinion between two times of one series, from
// their joint distribution.
type Change struct {
	Query
	From, To     float64
	Status       string
	Reasons      []string
	Mean, Lo, Hi float64 // in shares: 0.05 is five points up
	Changed      bool    // the interval excludes zero
}

// leastSpread is the smallest half width of a change that is believed, in
// shares: below it the fitted drift, or what calibrates the intervals, is
// nothing, and an interval of no width would claim to know that nothing moved.
const leastSpread = 1e-4

// Change compares two times of q's series (q.Time is ignored). It does not say
// why opinion moved: see [NotCause].
func (m *Model) Change(q Query, from, to float64) Change {
	c := Change{Query: q, From: from, To: to, Status: OK, Mean: math.NaN(), Lo: math.NaN(), Hi: math.NaN()}
	qa, qb := q, q
	qa.Time, qb.Time = from, to
	a, b := m.Estimate(qa), m.Estimate(qb)
	for _, e := range []Estimate{a, b} {
		if e.Status != OK {
			c.Status = Insufficient
			c.Reasons = append(c.Reasons, e.Reasons...)
		}
	}
	c.Level = a.Level
	if c.Status != OK {
		return c
	}
	_, points, _ := m.find(q)
	var item string
	for i, p := range points {
		s := scaleOf(m.obs[p.row])
		if i > 0 && s != item {
			c.Status = Insufficient
			c.Reasons = []string{"instrument, house or item differ between the waves: no change is stated"}
			return c
		}
		item = s
	}
	cov := crossCovariance(points, a.Q, from, to)
	pa, pb := logistic(a.level.m), logistic(b.level.m)
	ga, gb := pa*(1-pa), pb*(1-pb)
	sd := math.Sqrt(max(0, ga*ga*a.level.v+gb*gb*b.level.v-2*ga*gb*cov))
	if from != to && a.C*sd < leastSpread {
		c.Status = Insufficient
		c.Reasons = []string{"the waves of such series are too few to tell how opinion moves between them: no change is stated"}
		return c
	}
	c.Mean = pb - pa
	c.Lo, c.Hi = c.Mean-a.C*sd, c.Mean+a.C*sd
	c.Changed = c.Lo > 0 || c.Hi < 0
	return c
}

// crossCovariance is the posterior covariance of the level at two times. An
// exact pseudo-measurement of the level at b moves the mean at a by
// cov(a,b)/var(b), and the level at a is linear in the data, so the covariance
// is that slope times var(b).
func crossCovariance(points []point, q, a, b float64) float64 {
	if a == b {
		return levelAt(points, q, a, -1).v
	}
	vb := levelAt(points, q, b, -1)
	probe := make([]point, 0, len(points)+1)
	i := sort.Search(len(points), func(i int) bool { return points[i].t >= b })
	probe = append(probe, points[:i]...)
	probe = append(probe, point{t: b, z: vb.m + 1, v: 1e-12})
	probe = append(probe, points[i:]...)
	return (levelAt(probe, q, a, -1).m - levelAt(points, q, a, -1).m) * vb.v
}

// NotCause is printed beside every before-and-after figure.
const NotCause = "A change after an event is not proof that the event caused it: other events, the season and the questions asked move opinion too."

// Effect is the estimate before and after an event.
type Effect struct {
	Before, After Estimate
	Change        Change
	Warning       string
}

// Effect compares opinion just before an event at time t and span years after
// it. Each side is read from the whole series; the interval of the change is
// joint. A series without a wave on one side of the event says nothing of it.
func (m *Model) Effect(q Query, t, span float64) Effect {
	before, after := q, q
	before.Time, after.Time = t-span, t+span
	e := Effect{
		Before: m.Estimate(before), After: m.Estimate(after),
		Change: m.Change(q, t-span, t+span), Warning: NotCause,
	}
	_, points, _ := m.find(q)
	if n := len(points); e.Change.Status == OK && (points[0].t >= t || points[n-1].t <= t) {
		e.Change = Change{Query: q, From: t - span, To: t + span, Status: Insufficient, Mean: math.NaN(), Lo: math.NaN(), Hi: math.NaN(),
			Reasons: []string{"no wave lies on one side of the event: what is drawn there only carries the other side on"}}
		e.Change.Level = e.Before.Level
	}
	return e
}

// Gap is the elite share minus the public share at one time.
type Gap struct {
	Elite, Public Estimate
	Status        string
	Reasons       []string
	Mean, Lo, Hi  float64
}

// EliteGap compares two populations without averaging them. Both must have an
// observation within a year of q.Time, on the same item.
func (m *Model) EliteGap(q Query) Gap {
	qe, qp := q, q
	qe.Population, qp.Population = "elite", "public"
	g := Gap{Elite: m.Estimate(qe), Public: m.Estimate(qp), Status: OK, Mean: math.NaN(), Lo: math.NaN(), Hi: math.NaN()}
	for _, e := range []Estimate{g.Elite, g.Public} {
		switch {
		case e.Status != OK:
			g.Status, g.Reasons = Insufficient, append(g.Reasons, e.Population+": "+fmt.Sprint(e.Reasons))
		case e.NearestGap > 1:
			g.Status, g.Reasons = Insufficient, append(g.Reasons, e.Population+": no observation within a year")
		}
	}
	if g.Status == OK && !m.sameItem(qe, qp) {
		g.Status, g.Reasons = Insufficient, []string{"elite and public answered different items: the two figures stand side by side, their difference has no meaning"}
	}
	if g.Status != OK {
		return g
	}
	g.Mean = g.Elite.Mean - g.Public.Mean
	up := math.Hypot(g.Elite.Hi-g.Elite.Mean, g.Public.Mean-g.Public.Lo)
	down := math.Hypot(g.Elite.Mean-g.Elite.Lo, g.Public.Hi-g.Public.Mean)
	g.Lo, g.Hi = g.Mean-down, g.Mean+up
	return g
}

func (m *Model) sameItem(a, b Query) bool {
	items := map[string]bool{}
	for _, o := range m.Points(a) {
		items[o.Item] = true
	}
	for _, o := range m.Points(b) {
		if !items[o.Item] {
			return false
		}
	}
	return true
}
