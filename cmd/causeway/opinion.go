package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"causeway/opinion"
)

// opinionCmd is the group of commands about public opinion.
type opinionCmd struct {
	Fit      opinionFitCmd      `cmd:"" help:"Estimate how each country sees each target, with calibrated intervals."`
	Backtest opinionBacktestCmd `cmd:"" help:"Print how often the 90 % intervals hold on cells the model has not seen."`
	Effect   opinionEffectCmd   `cmd:"" help:"The estimate before and after an event, with the interval of the change; no proof of cause."`
	Region   opinionRegionCmd   `cmd:"" help:"A regional figure under visible weights: equal, population, chosen."`
	Code     opinionCodeCmd     `cmd:"" help:"Join what several nations say an item is: agreement, likely class, dissent kept."`
	Check    opinionCheckCmd    `cmd:"" help:"List columns that look mislabelled and jumps to look at."`
}

// opinionInput is what the commands read.
type opinionInput struct {
	Observations string            `arg:"" type:"existingfile" help:"CSV with a header: country, target, population, year, share_pct, n, n_eff; or the Pew table; or the table of published figures."`
	Rename       map[string]string `help:"Read one country code as another, OLD=NEW." placeholder:"OLD=NEW"`
	Waves        string            `type:"existingfile" help:"CSV wave,n_total for figures published without sample sizes."`
	Design       map[string]string `help:"Design factor of a house, HOUSE=1.5; 1 where absent." placeholder:"HOUSE=FACTOR"`
}

// read returns the observations with mislabelled columns set aside, and says
// on stderr what was decided.
func (in *opinionInput) read(p *process) ([]opinion.Observation, opinion.Options, error) {
	var opt opinion.Options
	for house, s := range in.Design {
		d, err := strconv.ParseFloat(s, 64)
		if err != nil || !(d >= 1 && d <= 20) {
			return nil, opt, usagef("--design %s=%s: a design factor is a number from 1 to 20", house, s)
		}
		if opt.Design == nil {
			opt.Design = map[string]float64{}
		}
		opt.Design[house] = d
	}
	obs, flags, err := in.load(p)
	if err != nil {
		return nil, opt, err
	}
	for _, f := range flags {
		fmt.Fprintf(p.stderr, "%s: %s\n", f.Kind, f)
	}
	return opinion.Exclude(obs, flags), opt, nil
}

func (in *opinionInput) load(p *process) ([]opinion.Observation, []opinion.Flag, error) {
	var opt opinion.ReadOptions
	opt.Rename = in.Rename
	if in.Waves != "" {
		f, err := os.Open(in.Waves)
		if err != nil {
			return nil, nil, err
		}
		defer f.Close()
		if opt.Waves, err = opinion.ReadWaves(f, in.Waves); err != nil {
			return nil, nil, err
		}
	}
	f, err := os.Open(in.Observations)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	d, err := opinion.Read(f, in.Observations, opt)
	if err != nil {
		return nil, nil, err
	}
	for _, n := range d.Notes {
		fmt.Fprintln(p.stderr, "note:", n)
	}
	refused := map[string]int{}
	for _, o := range d.Observations {
		if o.Quality != opinion.QualityOK {
			refused[o.Quality]++
		}
	}
	for _, q := range slices.Sorted(maps.Keys(refused)) {
		n := refused[q]
		fmt.Fprintf(p.stderr, "note: %d rows are marked %q and enter no figure\n", n, q)
	}
	return d.Observations, opinion.Check(d.Observations), nil
}

type opinionFitCmd struct {
	opinionInput
	Query   string  `type:"existingfile" help:"CSV country_iso3,target,year,n_eff,level: one estimate per row. Without it: every series, every year of the data."`
	Holdout *uint64 `help:"Also print, on each line, the held-out 90 % coverage of its target for this seed." placeholder:"SEED"`
	Level   float64 `default:"0.9" help:"Level of the intervals without --query."`
	JSON    bool    `name:"json" help:"Print JSON lines instead of CSV."`
}

// estimateHeader is the contract's columns; what follows model_version may grow.
var estimateHeader = []string{"country_iso3", "target", "year", "status", "reasons", "mean_pct", "lo_pct", "hi_pct",
	"pred_lo_pct", "pred_hi_pct", "n_obs", "nearest_gap_years", "model_version", "population", "level", "coverage90"}

func (c *opinionFitCmd) Run(p *process) error {
	if !(c.Level > 0 && c.Level < 1) {
		return usagef("--level %g: a level lies between 0 and 1, like 0.9", c.Level)
	}
	obs, opt, err := c.read(p)
	if err != nil {
		return err
	}
	m := opinion.Fit(obs, opt)
	var queries []opinion.Query
	var years []string
	if c.Query != "" {
		if queries, years, err = readQueries(c.Query, c.Rename); err != nil {
			return err
		}
	} else {
		queries, years = everyYear(m, obs, c.Level)
	}
	coverage := map[string]opinion.Coverage{}
	if c.Holdout != nil {
		r, err := opinion.Backtest(p.ctx, obs, opt, *c.Holdout)
		if err != nil {
			return err
		}
		for _, t := range r.Targets {
			coverage[t.Name] = t
		}
	}
	w := csv.NewWriter(p.stdout)
	enc := json.NewEncoder(p.stdout)
	if !c.JSON {
		w.Write(estimateHeader)
	}
	for i, q := range queries {
		e := m.Estimate(q)
		row := estimateRow(e, years[i], coverage)
		if !c.JSON {
			w.Write(row)
			continue
		}
		rec := map[string]any{}
		for j, name := range estimateHeader {
			rec[name] = row[j]
		}
		rec["reasons"] = e.Reasons
		if err := enc.Encode(rec); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

func estimateRow(e opinion.Estimate, year string, coverage map[string]opinion.Coverage) []string {
	group := e.Target
	if e.Country == e.Target {
		group = "self-rating"
	}
	held := ""
	if c, ok := coverage[group]; ok {
		held = figure(c.Coverage90, 3)
	}
	return []string{e.Country, e.Target, year, e.Status, strings.Join(e.Reasons, "; "),
		figure(100*e.Mean, 2), figure(100*e.Lo, 2), figure(100*e.Hi, 2), figure(100*e.PredLo, 2), figure(100*e.PredHi, 2),
		strconv.Itoa(e.NObs), figure(e.NearestGap, 2), opinion.ModelVersion, e.Population, figure(e.Level, -1), held}
}

// figure prints x with the given decimals, or nothing where there is no figure.
func figure(x float64, decimals int) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return ""
	}
	return strconv.FormatFloat(x, 'f', decimals, 64)
}

// everyYear asks for each series at each year of the data.
func everyYear(m *opinion.Model, obs []opinion.Observation, level float64) (queries []opinion.Query, years []string) {
	first, last := math.Inf(1), math.Inf(-1)
	for _, o := range obs {
		if o.Quality == opinion.QualityOK {
			first, last = min(first, math.Floor(o.Time)), max(last, math.Floor(o.Time))
		}
	}
	for _, q := range m.Series() {
		if first > last { // nothing usable: one line that says so
			queries, years = append(queries, q), append(years, "")
			continue
		}
		for y := first; y <= last; y++ {
			q.Time, q.Level = y+0.5, level
			queries, years = append(queries, q), append(years, figure(y, 0))
		}
	}
	return queries, years
}

// readQueries reads the batch form.
func readQueries(name string, rename map[string]string) (queries []opinion.Query, years []string, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	header, err := r.Read()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: read the header: %w", name, err)
	}
	at := map[string]int{}
	for i, h := range header {
		at[strings.TrimSpace(strings.TrimPrefix(h, "\ufeff"))] = i
	}
	for _, need := range []string{"country_iso3", "target", "year"} {
		if _, ok := at[need]; !ok {
			return nil, nil, fmt.Errorf("%s: line 1: the header lacks %s: add the column", name, need)
		}
	}
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return queries, years, nil
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		line, _ := r.FieldPos(0)
		cell := func(name string) string {
			if i, ok := at[name]; ok {
				return strings.TrimSpace(rec[i])
			}
			return ""
		}
		q := opinion.Query{Country: cell("country_iso3"), Target: cell("target"), Population: cell("population"), Item: cell("item")}
		if q.Population == "" {
			q.Population = "public"
		}
		if q.Country == "PLS" {
			q.Country = "PSE" // as the importer reads it
		}
		if to, ok := rename[q.Country]; ok {
			q.Country = to
		}
		for _, x := range []struct {
			column string
			to     *float64
			lo, hi float64
		}{{"year", &q.Time, 1900, 2200}, {"n_eff", &q.NEff, 1, 1e9}, {"level", &q.Level, 1e-6, 1 - 1e-6}} {
			s := cell(x.column)
			if s == "" && x.column != "year" {
				continue
			}
			v, err := strconv.ParseFloat(s, 64)
			if err != nil || !(v >= x.lo && v <= x.hi) {
				return nil, nil, fmt.Errorf("%s:%d: %s %q is not a number from %g to %g", name, line, x.column, s, x.lo, x.hi)
			}
			*x.to = v
		}
		if q.Time == math.Floor(q.Time) {
			q.Time += 0.5
		}
		queries, years = append(queries, q), append(years, cell("year"))
	}
}

type opinionBacktestCmd struct {
	opinionInput
	Holdout uint64 `default:"1" help:"Seed of the folds." placeholder:"SEED"`
	Cells   string `help:"Also write each held-out cell and its interval to this CSV file." placeholder:"FILE"`
	JSON    bool   `name:"json" help:"Print the whole report, with interval scores and the comparison models, as JSON."`
}

func (c *opinionBacktestCmd) Run(p *process) error {
	obs, opt, err := c.read(p)
	if err != nil {
		return err
	}
	r, err := opinion.Backtest(p.ctx, obs, opt, c.Holdout)
	if err != nil {
		return err
	}
	if c.Cells != "" {
		if err := writeFile(c.Cells, func(w io.Writer) error { return writeCells(w, r) }); err != nil {
			return err
		}
	}
	all := r.All()
	fmt.Fprintf(p.stderr, "seed %d: %d of %d cells answered (%.1f %%); coverage of 90 %% intervals %.1f %%; interval score %.2f (country mean band %.2f, no drift %.2f)\n",
		r.Seed, all.N, all.Asked, 100*float64(all.N)/float64(all.Asked), 100*all.Coverage90, all.Score, all.BandScore, all.StillScore)
	for _, part := range r.Parts {
		if part.N >= 20 && part.Coverage90 < 0.80 {
			fmt.Fprintf(p.stderr, "warning: %s: coverage %.1f %% of %d cells, under 80 %%\n", part.Name, 100*part.Coverage90, part.N)
		}
	}
	if c.JSON {
		return writeReport(p.stdout, r)
	}
	w := csv.NewWriter(p.stdout)
	w.Write([]string{"target", "n", "coverage90", "mean_width"})
	for _, t := range r.Targets {
		w.Write([]string{t.Name, strconv.Itoa(t.N), figure(t.Coverage90, 4), figure(t.MeanWidth, 2)})
	}
	w.Flush()
	return w.Error()
}

// writeReport prints the report with null where a set of cells is empty.
func writeReport(w io.Writer, r *opinion.Report) error {
	type line struct {
		Name         string   `json:"name"`
		N            int      `json:"n"`
		Asked        int      `json:"asked"`
		Coverage90   *float64 `json:"coverage90"`
		MeanWidth    *float64 `json:"mean_width"`
		Score        *float64 `json:"interval_score"`
		BandScore    *float64 `json:"country_mean_band_score"`
		NoDriftScore *float64 `json:"no_drift_score"`
	}
	number := func(x float64) *float64 {
		if math.IsNaN(x) {
			return nil
		}
		return &x
	}
	lines := func(cs []opinion.Coverage) []line {
		out := []line{}
		for _, c := range cs {
			out = append(out, line{c.Name, c.N, c.Asked, number(c.Coverage90), number(c.MeanWidth), number(c.Score), number(c.BandScore), number(c.StillScore)})
		}
		return out
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(map[string]any{"seed": r.Seed, "model_version": opinion.ModelVersion, "targets": lines(r.Targets), "parts": lines(r.Parts)})
}

func writeCells(out io.Writer, r *opinion.Report) error {
	w := csv.NewWriter(out)
	w.Write([]string{"country_iso3", "target", "population", "year", "observed_pct", "status", "mean_pct", "pred_lo_pct", "pred_hi_pct", "position"})
	for _, c := range r.Cells {
		row := []string{c.Country, c.Target, c.Population, figure(c.Time, 3), figure(100*c.Share, 2), opinion.Insufficient, "", "", "", c.Position}
		if c.Answered {
			row[5], row[6], row[7], row[8] = opinion.OK, figure(100*c.Mean, 2), figure(100*c.Lo, 2), figure(100*c.Hi, 2)
		}
		w.Write(row)
	}
	w.Flush()
	return w.Error()
}

// writeFile writes a file whole or not at all.
func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".causeway-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer os.Remove(f.Name())
	err = write(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

type opinionCheckCmd struct {
	opinionInput
}

func (c *opinionCheckCmd) Run(p *process) error {
	_, flags, err := c.load(p)
	if err != nil {
		return err
	}
	w := csv.NewWriter(p.stdout)
	w.Write([]string{"kind", "target", "population", "country_iso3", "year", "rows", "statistic", "agrees_with", "agreement", "usual_agreement", "text"})
	found := false
	for _, f := range flags {
		found = found || f.Kind == opinion.FlagColumn
		row := []string{f.Kind, f.Target, f.Population, f.Country, strconv.Itoa(f.Year), strconv.Itoa(f.Rows), figure(f.Statistic, 2), f.Twin, "", "", f.String()}
		if f.Twin != "" {
			row[8], row[9] = figure(f.Agreement, 2), figure(f.Usual, 2)
		}
		w.Write(row)
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	if found {
		return errCheckFailed
	}
	return nil
}
