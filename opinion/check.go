package opinion

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// Kinds of flag.
const (
	FlagColumn = "mislabelled-column" // the rows do not belong to this target: excluded
	FlagJump   = "large-jump"         // one row far from its neighbours: kept, look at it
)

// QualityColumn marks rows of a column that [Check] found mislabelled.
const QualityColumn = "suspect-column"

// Thresholds of the checks, in predicted standard deviations of the fitted
// model. On the Pew table the mislabelled column reaches 3 and the most
// restless true one 1.5.
const (
	columnSpread   = 2.2  // spread around the column's common move
	columnWithTwin = 1.3  // the same, when the column also agrees with another target
	twinAgreement  = 0.85 // correlation over countries with another target's column
	twinExcess     = 0.40 // by which that must exceed its median in other years
	jumpSize       = 6.0
	minColumn      = 8 // countries a column needs before it can be judged
)

// Flag is something a person should look at before the figures are used.
type Flag struct {
	Kind               string
	Target, Population string
	Country            string // of a jump; empty for a column
	Year               int
	Rows               int
	Statistic          float64 // spread of the column, or size of the jump, in predicted sds
	Twin               string  // the target the column agrees with, if any
	Agreement          float64 // correlation with Twin in that year
	Usual              float64 // median correlation with Twin in other years
}

// String says what was found and what to do.
func (f Flag) String() string {
	if f.Kind == FlagJump {
		return fmt.Sprintf("%s on %s, %d: %.1f predicted standard deviations from its neighbours; kept, a true jump looks the same: check the source", f.Country, f.Target, f.Year, f.Statistic)
	}
	s := fmt.Sprintf("%s %d: the answers of %d countries move apart by %.1f predicted standard deviations", f.Target, f.Year, f.Rows, f.Statistic)
	if f.Twin != "" {
		s += fmt.Sprintf(" and agree with the %s column at %.2f (%.2f in other years)", f.Twin, f.Agreement, f.Usual)
	}
	return s + "; the column looks mislabelled and is excluded: check the source"
}

type column struct {
	target, population string
	year               int
}

// Check looks for columns (one target in one year) whose rows belong to
// another item, and for single rows far from their neighbours. A true common
// move of a target shifts all countries one way and is not flagged; a wrong
// column scatters them. The worst column is set aside and the rest judged
// again, so one bad column cannot hide another or stain its neighbours. Rows a
// source marked unusable are judged too if they carry figures.
func Check(obs []Observation) []Flag {
	rows := slices.Clone(obs)
	for i := range rows {
		if rows[i].NEff >= 1 && rows[i].Population != "" && rows[i].Quality != QualityNoDate && rows[i].Quality != QualityRepeated {
			rows[i].Quality = QualityOK
		}
	}
	var flags []Flag
	for {
		m := Fit(rows, Options{})
		errs := m.columnErrors()
		worst, ok := worstColumn(rows, errs)
		if !ok {
			return append(flags, jumps(m)...)
		}
		flags = append(flags, worst)
		rows = Exclude(rows, []Flag{worst})
	}
}

// Exclude returns a copy of obs in which the rows of flagged columns carry
// [QualityColumn]. Jumps are kept: a large true change must not be dropped.
func Exclude(obs []Observation, flags []Flag) []Observation {
	bad := map[column]bool{}
	for _, f := range flags {
		if f.Kind == FlagColumn {
			bad[column{f.Target, f.Population, f.Year}] = true
		}
	}
	out := slices.Clone(obs)
	for i, o := range out {
		if o.Quality == QualityOK && bad[column{o.Target, o.Population, o.year()}] {
			out[i].Quality = QualityColumn
		}
	}
	return out
}

// columnErrors returns, for each column, the leave-one-out errors of its rows.
func (m *Model) columnErrors() map[column][]float64 {
	out := map[column][]float64{}
	for _, k := range m.keys() {
		s := m.series[k]
		if len(s) < 2 || k.group().self {
			continue
		}
		q := m.q(k)
		for i, p := range s {
			at := levelAt(s, q, p.t, i)
			c := column{k.target, k.population, m.obs[p.row].year()}
			out[c] = append(out[c], (p.z-at.m)/math.Sqrt(at.v+p.v))
		}
	}
	return out
}

func worstColumn(obs []Observation, errs map[column][]float64) (worst Flag, found bool) {
	cols := make([]column, 0, len(errs))
	for c := range errs {
		cols = append(cols, c)
	}
	slices.SortFunc(cols, compareColumns)
	levels := levelsOf(obs)
	for _, c := range cols {
		if len(errs[c]) < minColumn {
			continue
		}
		spread := robustSpread(errs[c])
		if spread < columnWithTwin || found && spread <= worst.Statistic {
			continue
		}
		f := Flag{Kind: FlagColumn, Target: c.target, Population: c.population, Year: c.year, Rows: len(levels[c]), Statistic: spread}
		f.Twin, f.Agreement, f.Usual = twin(levels, c)
		if spread >= columnSpread || f.Twin != "" {
			worst, found = f, true
		}
	}
	return worst, found
}

func compareColumns(a, b column) int {
	return compareKeys(seriesKey{"", a.target, a.population, a.year}, seriesKey{"", b.target, b.population, b.year})
}

// robustSpread is the median distance from the median, scaled to the standard
// deviation of a normal.
func robustSpread(x []float64) float64 {
	m := median(x)
	d := make([]float64, len(x))
	for i, v := range x {
		d[i] = math.Abs(v - m)
	}
	return 1.4826 * median(d)
}

func median(x []float64) float64 {
	s := slices.Clone(x)
	sort.Float64s(s)
	if n := len(s); n%2 == 1 {
		return s[n/2]
	} else if n > 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return math.NaN()
}

// levelsOf lays out each column as country -> logit share.
func levelsOf(obs []Observation) map[column]map[string]float64 {
	out := map[column]map[string]float64{}
	for _, o := range obs {
		if !o.usable() || o.self() {
			continue
		}
		c := column{o.Target, o.Population, o.year()}
		if out[c] == nil {
			out[c] = map[string]float64{}
		}
		out[c][o.Country], _ = o.measure(1)
	}
	return out
}

// twin finds a target whose column of the same year agrees with c far more
// than in other years.
func twin(levels map[column]map[string]float64, c column) (name string, agreement, usual float64) {
	cols := make([]column, 0, len(levels))
	for o := range levels {
		cols = append(cols, o)
	}
	slices.SortFunc(cols, compareColumns)
	for _, o := range cols {
		if o.year != c.year || o.population != c.population || o.target == c.target {
			continue
		}
		r, n := correlation(levels[c], levels[o])
		if n < minColumn || r < twinAgreement {
			continue
		}
		var others []float64
		for _, y := range cols {
			if y.target != c.target || y.population != c.population || y.year == c.year {
				continue
			}
			if x, n := correlation(levels[y], levels[column{o.target, o.population, y.year}]); n >= minColumn {
				others = append(others, x)
			}
		}
		if len(others) > 0 && r-median(others) >= twinExcess && r > agreement {
			name, agreement, usual = o.target, r, median(others)
		}
	}
	return name, agreement, usual
}

func correlation(a, b map[string]float64) (r float64, n int) {
	var x, y []float64
	for _, country := range sortedKeys(a) {
		if v, ok := b[country]; ok {
			x, y = append(x, a[country]), append(y, v)
		}
	}
	n = len(x)
	mx, my := 0.0, 0.0
	for i := range x {
		mx += x[i] / float64(n)
		my += y[i] / float64(n)
	}
	var xy, xx, yy float64
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
		yy += (y[i] - my) * (y[i] - my)
	}
	if xx == 0 || yy == 0 {
		return 0, n
	}
	return xy / math.Sqrt(xx*yy), n
}

// jumps lists single rows beyond jumpSize predicted standard deviations of
// their series' other rows.
func jumps(m *Model) []Flag {
	var out []Flag
	for _, k := range m.keys() {
		s := m.series[k]
		if len(s) < 2 {
			continue
		}
		for i, p := range s {
			at := levelAt(s, m.q(k), p.t, i)
			if e := math.Abs(p.z-at.m) / math.Sqrt(at.v+p.v); e > jumpSize {
				out = append(out, Flag{Kind: FlagJump, Target: k.target, Population: k.population, Country: k.country, Year: m.obs[p.row].year(), Rows: 1, Statistic: e})
			}
		}
	}
	return out
}
