package opinion

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// shared opens a file of the shared data, or skips.
func shared(t testing.TB, name string) *Dataset {
	t.Helper()
	dir := os.Getenv("CAUSEWAY_SHARED")
	if dir == "" {
		dir = "../../shared/data"
	}
	f, err := os.Open(filepath.Join(dir, "perception", name))
	if err != nil {
		t.Skip("no shared data: ", err)
	}
	defer f.Close()
	d, err := Read(f, name, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const pewFile = "pew_gas_country_year_favorability.csv"

// panel simulates countries with a known drift, t4 surprises and house effects.
func panel(seed uint64, countries, years int, q float64, houses map[string]float64) []Observation {
	r := rand.New(rand.NewPCG(seed, 7))
	t4 := func() float64 {
		chi := 0.0
		for range 4 {
			x := r.NormFloat64()
			chi += x * x
		}
		return r.NormFloat64() / math.Sqrt(chi/4)
	}
	names := sortedKeys(houses)
	var out []Observation
	for c := range countries {
		level := r.NormFloat64()
		for y := range years {
			level += math.Sqrt(q) * t4() // q is the squared scale of the surprises, as in the likelihood
			h := names[r.IntN(len(names))]
			n := 600 + float64(r.IntN(800))
			p := logistic(level + houses[h])
			out = append(out, Observation{
				Country: fmt.Sprintf("C%02d", c), Target: "TGT", Population: "public", Instrument: "sim", House: h,
				Time: 2000.5 + float64(y), Share: min(1, max(0, p+r.NormFloat64()*math.Sqrt(p*(1-p)/n))), N: n, NEff: n, Quality: QualityOK,
			})
		}
	}
	return out
}

// TestSimulation recovers a known drift and covers what it says.
func TestSimulation(t *testing.T) {
	const q = 0.12
	var ratio []float64
	coverage := 0.0
	const panels = 30
	for seed := range uint64(panels) {
		obs := panel(seed, 40, 12, q, map[string]float64{"a": 0})
		m := Fit(obs, Options{})
		ratio = append(ratio, math.Exp(m.groups[groupKey{"TGT", "public", false}].logQ)/q)
		r, err := Backtest(t.Context(), obs, Options{}, seed)
		if err != nil {
			t.Fatal(err)
		}
		coverage += r.All().Coverage90 / panels
	}
	sort.Float64s(ratio)
	if m := ratio[panels/2]; m < 0.7 || m > 1.1 {
		t.Errorf("median recovered drift is %.2f of the truth, want 0.7 to 1.1", m)
	}
	if coverage < 0.87 || coverage > 0.92 {
		t.Errorf("mean coverage %.3f, want 0.87 to 0.92", coverage)
	}
}

func TestHouseEffects(t *testing.T) {
	truth := map[string]float64{"a": 0.25, "b": -0.25}
	m := Fit(panel(3, 40, 12, 0.02, truth), Options{})
	for h, want := range truth {
		if got := m.house["sim\x00"+h]; math.Abs(got-want) > 0.06 {
			t.Errorf("effect of house %s is %.3f, want %.2f", h, got, want)
		}
	}
	one := Fit(panel(3, 10, 8, 0.02, map[string]float64{"a": 0}), Options{})
	if got := one.house["sim\x00a"]; got != 0 {
		t.Errorf("a house alone has effect %v, want 0", got)
	}
}

// TestOrderIsIrrelevant shuffles the rows: every figure stays the same.
func TestOrderIsIrrelevant(t *testing.T) {
	obs := panel(5, 8, 10, 0.1, map[string]float64{"a": 0.1, "b": -0.1})
	q := Query{Country: "C03", Target: "TGT", Population: "public", Time: 2004.5, NEff: 800}
	want := Fit(obs, Options{}).Estimate(q)
	shuffled := slices.Clone(obs)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	got := Fit(shuffled, Options{}).Estimate(q)
	if d := cmp.Diff(want, got, cmp.AllowUnexported(Estimate{}, gaussian{}), cmpopts.EquateNaNs()); d != "" {
		t.Error(d)
	}
}

// TestHeldOutCoverage is the promise of the room, on several seeds.
func TestHeldOutCoverage(t *testing.T) {
	d := shared(t, pewFile)
	for seed := range uint64(6) {
		r, err := Backtest(t.Context(), d.Observations, Options{}, 100+seed)
		if err != nil {
			t.Fatal(err)
		}
		all := r.All()
		if all.Coverage90 < 0.85 || all.Coverage90 > 0.95 {
			t.Errorf("seed %d: coverage %.3f, want 0.85 to 0.95", seed, all.Coverage90)
		}
		if all.Score >= all.BandScore || all.Score >= all.StillScore {
			t.Errorf("seed %d: interval score %.1f does not beat the country mean %.1f and no drift %.1f", seed, all.Score, all.BandScore, all.StillScore)
		}
		if got := float64(all.N) / float64(all.Asked); got < 0.93 {
			t.Errorf("seed %d: answered %.3f of the cells, want 0.93", seed, got)
		}
		for _, c := range r.Targets {
			if c.N >= 100 && (c.Coverage90 < 0.80 || c.Coverage90 > 0.98) {
				t.Errorf("seed %d: %s: coverage %.3f, want 0.80 to 0.98", seed, c.Name, c.Coverage90)
			}
		}
	}
}

// TestSuspectColumn takes the source's own warning away and finds the column
// again; without the column nothing is flagged as mislabelled.
func TestSuspectColumn(t *testing.T) {
	d := shared(t, pewFile)
	for i := range d.Observations {
		d.Observations[i].Quality = QualityOK
	}
	flags := Check(d.Observations)
	var cols []string
	for _, f := range flags {
		if f.Kind == FlagColumn {
			cols = append(cols, fmt.Sprintf("%s %d like %s", f.Target, f.Year, f.Twin))
		}
	}
	if d := cmp.Diff([]string{"CHN 2013 like USA"}, cols); d != "" {
		t.Fatal(d)
	}
	clean := slices.DeleteFunc(slices.Clone(d.Observations), func(o Observation) bool { return o.Target == "CHN" && o.year() == 2013 })
	for _, f := range Check(clean) {
		if f.Kind == FlagColumn {
			t.Errorf("flagged without cause: %v", f)
		}
	}
	for _, o := range Exclude(d.Observations, flags) { // a true jump is kept
		if o.Country == "IDN" && o.Target == "USA" && o.Quality != QualityOK {
			t.Errorf("%s was dropped: %s", o.Source, o.Quality)
		}
	}
}

// TestPlantedColumn swaps one column of a clean panel with another target's.
func TestPlantedColumn(t *testing.T) {
	a := panel(11, 30, 10, 0.03, map[string]float64{"a": 0})
	b := panel(12, 30, 10, 0.03, map[string]float64{"a": 0})
	for i := range b {
		b[i].Target = "OTH"
	}
	clean := append(slices.Clone(a), b...)
	for _, f := range Check(clean) {
		if f.Kind == FlagColumn {
			t.Fatalf("flagged without cause: %v", f)
		}
	}
	for i := range a {
		if a[i].year() == 2005 {
			a[i].Share = b[i].Share
		}
	}
	for _, f := range Check(append(a, b...)) {
		if f.Kind == FlagColumn && f.Target == "TGT" && f.Year == 2005 && f.Twin == "OTH" {
			return
		}
	}
	t.Error("the planted column was not flagged")
}

func TestRefusals(t *testing.T) {
	row := func(country, population, item string, year, n float64) Observation {
		return Observation{Country: country, Target: "T", Population: population, Instrument: "i", Item: item, Time: year, Share: 0.5, N: n, NEff: n, Quality: QualityOK}
	}
	obs := []Observation{
		row("ONE", "public", "x", 2010, 900),
		row("FAR", "public", "x", 2000, 900), row("FAR", "public", "x", 2001, 900),
		row("TWO", "public", "x", 2000, 900), row("TWO", "public", "x", 2001, 900),
		row("TWO", "public", "y", 2010, 900), row("TWO", "public", "y", 2011, 900),
		row("OKA", "elite", "x", 2010, 900), row("OKA", "elite", "x", 2011, 900),
		row("TNY", "public", "x", 2010, 1), row("TNY", "public", "x", 2011, 1),
		{Country: "FLG", Target: "T", Population: "public", Time: 2010, Share: 0.5, Quality: "SUSPECT"},
		{Country: "POP", Target: "T", Time: 2010, Share: 0.5, N: 9, NEff: 9, Quality: QualityOK},
	}
	m := Fit(obs, Options{})
	for _, c := range []struct {
		country, population string
		year                float64
		want                string
	}{
		{"ONE", "public", 2010, "fewer than 2"},
		{"FAR", "public", 2010, "years away"},
		{"TWO", "public", 2010, "unconnected"},
		{"OKA", "public", 2010, "no usable"},
		{"TNY", "public", 2010, "points wide"},
		{"FLG", "public", 2010, "only flagged data"},
		{"POP", "", 2010, "population missing"},
	} {
		e := m.Estimate(Query{Country: c.country, Target: "T", Population: c.population, Time: c.year})
		if e.Status != Insufficient || !strings.Contains(strings.Join(e.Reasons, "; "), c.want) || !math.IsNaN(e.Mean) {
			t.Errorf("%s: status %s, reasons %q, mean %v; want a refusal with %q", c.country, e.Status, e.Reasons, e.Mean, c.want)
		}
	}
	if e := m.Estimate(Query{Country: "OKA", Target: "T", Population: "elite", Time: 2010.5}); e.Status != OK {
		t.Errorf("a good series was refused: %v", e.Reasons)
	}
	if e := m.Estimate(Query{Country: "TWO", Target: "T", Population: "public", Time: 2010.5, Item: "y"}); e.Status != OK {
		t.Errorf("an item asked for by name was refused: %v", e.Reasons)
	}
}

func TestRegionWeights(t *testing.T) {
	obs := panel(4, 4, 6, 0.02, map[string]float64{"a": 0})
	m := Fit(obs, Options{})
	q := Query{Target: "TGT", Population: "public", Time: 2003.5}
	equal := m.Region(q, Equal([]string{"C00", "C01", "C02", "C03"}), 1)
	if equal.Status != OK || !(equal.Lo < equal.Mean && equal.Mean < equal.Hi) {
		t.Fatalf("region: %+v", equal)
	}
	one := m.Region(q, Weights{"chosen", map[string]float64{"C00": 1, "C01": 0, "C02": 0, "C03": 0}}, 1)
	c := m.Estimate(Query{Country: "C00", Target: "TGT", Population: "public", Time: 2003.5})
	if math.Abs(one.Mean-c.Mean) > 1e-12 || math.Abs(one.Lo-c.Lo) > 0.01 || math.Abs(one.Hi-c.Hi) > 0.01 {
		t.Errorf("a region of one country is %v (%v to %v), the country %v (%v to %v)", one.Mean, one.Lo, one.Hi, c.Mean, c.Lo, c.Hi)
	}
	if r := m.Region(q, Equal([]string{"C00", "C01", "NONE"}), 1); r.Status != Insufficient || !math.IsNaN(r.Mean) {
		t.Errorf("a third of the weight is missing and the figure was given: %+v", r)
	}
	if again := m.Region(q, Equal([]string{"C00", "C01", "C02", "C03"}), 1); again.Lo != equal.Lo || again.Hi != equal.Hi {
		t.Error("the same seed gave another interval")
	}
}

// TestPublishedRegionalFigures recomputes published headlines from the
// country figures: the weights decide which side has the majority.
func TestPublishedRegionalFigures(t *testing.T) {
	d := shared(t, "published_perception_figures.csv")
	share := map[string]float64{}
	for _, o := range d.Observations {
		if o.Item == "forced choice: align with China or US" && o.Target == "CHN" && o.year() == 2026 && len(o.Country) == 3 {
			share[o.Country] = o.Share
		}
	}
	if len(share) != 11 {
		t.Fatalf("%d countries, want 11", len(share))
	}
	for w, want := range map[*Weights]float64{ptr(Equal(sortedKeys(share))): 0.5206, &SouthEastAsia: 0.568} {
		got, err := WeightedMean(share, *w)
		if err != nil || math.Abs(got-want) > 0.003 {
			t.Errorf("%s weights: %.4f, %v; want %.4f", w.Name, got, err, want)
		}
	}
}

func ptr[T any](x T) *T { return &x }

// TestChange compares two close times of a fast series and one of a still one.
func TestChange(t *testing.T) {
	obs := panel(9, 12, 14, 0.005, map[string]float64{"a": 0})
	for i := range obs { // a step in one country
		if obs[i].Country == "C05" && obs[i].Time > 2007 {
			obs[i].Share = min(0.99, obs[i].Share+0.25)
		}
	}
	m := Fit(obs, Options{})
	q := Query{Country: "C05", Target: "TGT", Population: "public"}
	e := m.Effect(q, 2007, 2)
	if e.Change.Status != OK || !e.Change.Changed || math.Abs(e.Change.Mean-(e.After.Mean-e.Before.Mean)) > 1e-12 || e.Warning == "" {
		t.Errorf("the planted step was not seen: %+v", e.Change)
	}
	if e := m.Effect(q, 2030, 30); e.Change.Status == OK {
		t.Errorf("an event after the last wave has an effect: %+v", e.Change)
	}
	if e := m.Effect(q, 1990, 30); e.Change.Status == OK {
		t.Errorf("an event before the first wave has an effect: %+v", e.Change)
	}
	q.Country = "C02"
	apart := m.Estimate(Query{Country: "C02", Target: "TGT", Population: "public", Time: 2003.5})
	c := m.Change(q, 2003.5, 2003.6)
	if c.Changed || c.Hi-c.Lo > apart.Hi-apart.Lo {
		t.Errorf("a tenth of a year: %+v, wider than one estimate %v to %v", c, apart.Lo, apart.Hi)
	}
}

// TestNoDriftIsNoKnowledge: series that repeat one figure have no drift, and
// still nobody knows that opinion stood still between two waves.
func TestNoDriftIsNoKnowledge(t *testing.T) {
	var obs []Observation
	for _, o := range panel(3, 6, 3, 0, map[string]float64{"a": 0}) {
		o.Share = 0.5
		obs = append(obs, o)
	}
	m := Fit(obs, Options{})
	q := Query{Country: obs[0].Country, Target: obs[0].Target, Population: obs[0].Population}
	e := m.Effect(q, obs[0].Time+0.5, 1)
	if e.Change.Status == OK && e.Change.Hi-e.Change.Lo < 4*leastSpread {
		t.Errorf("a change known to %g: %+v", e.Change.Hi-e.Change.Lo, e.Change)
	}
}

func BenchmarkFitPew(b *testing.B) {
	d := shared(b, pewFile)
	for b.Loop() {
		Fit(d.Observations, Options{})
	}
}

func BenchmarkBacktestPew(b *testing.B) {
	d := shared(b, pewFile)
	for b.Loop() {
		if _, err := Backtest(b.Context(), d.Observations, Options{}, 1); err != nil {
			b.Fatal(err)
		}
	}
}
