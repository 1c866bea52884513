package opinion

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Quality values of an observation. Only QualityOK enters a fit.
const (
	QualityOK       = "ok"
	QualityNoN      = "n-missing"       // published without a sample size
	QualityNoDate   = "date-missing"    // published without a usable date
	QualityRepeated = "not-independent" // a complement, a derived or a copied figure
)

// Observation is one published result: the share of one population in one
// country that gave a favourable answer about a target, at one time.
type Observation struct {
	Country    string // ISO 3166-1 alpha-3, or the region code of an aggregate
	Target     string // what was rated: a country or a body
	Population string // public, elite, ...: never mixed
	Instrument string // the survey programme
	House      string // who did the field work
	Item       string // the question and answer rule

	Time  float64  // decimal years, middle of the field work; year + 0.5 where only the year is known
	Share float64  // 0 to 1, don't-knows in the base
	N     float64  // respondents; 0 where not published
	NEff  float64  // effective sample size after weighting
	DK    *float64 // share of don't-knows, 0 to 1; nil where not published

	Quality string // QualityOK, or why the row is refused
	Source  string // file and line it came from
}

// year is the wave of the observation, for folds and columns.
func (o Observation) year() int { return int(math.Floor(o.Time)) }

// self reports a self-rating, which is another construct than a rating of
// somebody else.
func (o Observation) self() bool { return o.Country == o.Target }

// usable reports whether the row may enter a fit.
func (o Observation) usable() bool { return o.Quality == QualityOK && o.Population != "" }

// check returns the reasons why the values of o cannot be a poll result. The
// texts say the fix.
func (o Observation) check() []string {
	var bad []string
	no := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	if o.Country == "" {
		no("the country is empty; give an ISO 3166-1 alpha-3 code")
	}
	if o.Target == "" {
		no("the target is empty; say what was rated")
	}
	if !(o.Share >= 0 && o.Share <= 1) {
		no("the share %.6g %% is outside 0 to 100; correct the cell or its column", 100*o.Share)
	}
	if o.Quality != QualityNoDate && !(o.Time >= 1900 && o.Time < 2200) {
		no("the time %.6g is not a year from 1900 to 2199", o.Time)
	}
	if o.Quality == QualityOK {
		switch {
		case !(o.NEff >= 1) || math.IsInf(o.NEff, 0):
			no("n is missing or below 1; give the respondents in n, or the effective size in n_eff")
		case o.N > 0 && o.NEff > o.N*1.001+0.1:
			no("the effective size %.6g is above n %.6g; correct one of them", o.NEff, o.N)
		}
	}
	if o.DK != nil && !(*o.DK >= 0 && *o.DK <= 1) {
		no("the don't-know share %.6g %% is outside 0 to 100", 100**o.DK)
	}
	return bad
}

// duplicates returns one line for each pair of rows that claim the same wave.
func duplicates(obs []Observation) []string {
	type wave struct {
		country, target, population, instrument, house, item string
		time                                                 float64
	}
	seen := map[wave]string{}
	var out []string
	for _, o := range obs {
		if o.Quality != QualityOK {
			continue
		}
		w := wave{o.Country, o.Target, o.Population, o.Instrument, o.House, o.Item, o.Time}
		if first, ok := seen[w]; ok {
			out = append(out, fmt.Sprintf("%s: two waves of %s on %s (%s) carry the date %.6g; the other is %s: keep one, or give each its date or item",
				o.Source, o.Country, o.Target, o.Population, o.Time, first))
			continue
		}
		seen[w] = o.Source
	}
	return out
}

// sorted returns a copy in a total order, so that the order of rows in a file
// cannot change a figure.
func sorted(obs []Observation) []Observation {
	out := slices.Clone(obs)
	slices.SortStableFunc(out, compareRows)
	return out
}

func compareRows(a, b Observation) int {
	return cmp.Or(
		strings.Compare(a.Country, b.Country), strings.Compare(a.Target, b.Target),
		strings.Compare(a.Population, b.Population), cmp.Compare(a.Time, b.Time),
		strings.Compare(a.Item, b.Item), strings.Compare(a.House, b.House),
		strings.Compare(a.Instrument, b.Instrument), cmp.Compare(a.Share, b.Share), cmp.Compare(a.NEff, b.NEff))
}

func logit(p float64) float64    { return math.Log(p / (1 - p)) }
func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// measure gives the observation on the logit scale: its value and its sampling
// variance with the design factor d of its house. Half a respondent on each
// side keeps shares of 0 and 1 finite.
func (o Observation) measure(d float64) (z, v float64) {
	s := (o.Share*o.NEff + 0.5) / (o.NEff + 1)
	return logit(s), d / (o.NEff * s * (1 - s))
}
