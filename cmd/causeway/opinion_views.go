package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"causeway/opinion"
	"causeway/trade/table"
)

type opinionEffectCmd struct {
	opinionInput
	Country    string  `required:"" help:"Respondents' country, ISO alpha-3." placeholder:"ISO3"`
	Target     string  `required:"" help:"Who is rated."`
	Population string  `default:"public" help:"public, elite or other; never mixed."`
	At         float64 `required:"" help:"When the event was: 2013.75 is October 2013." placeholder:"YEAR"`
	Span       float64 `default:"1" help:"Years before and after to compare."`
	Level      float64 `default:"0.9" help:"Level of the intervals."`
	JSON       bool    `name:"json" help:"JSON, with the points of the series."`
}

func (c *opinionEffectCmd) Run(p *process) error {
	switch {
	case !(c.Level > 0 && c.Level < 1):
		return usagef("--level %g: a level lies between 0 and 1, like 0.9", c.Level)
	case !(c.Span > 0 && c.Span <= 5):
		return usagef("--span %g: compare 0 to 5 years before and after; further off it is another story", c.Span)
	case !(c.At >= 1900 && c.At <= 2200):
		return usagef("--at %g: want a year such as 2013.75", c.At)
	}
	obs, opt, err := c.read(p)
	if err != nil {
		return err
	}
	m := opinion.Fit(obs, opt)
	q := opinion.Query{Country: c.Country, Target: c.Target, Population: c.Population, Level: c.Level}
	e := m.Effect(q, c.At, c.Span)
	fmt.Fprintln(p.stderr, "note:", e.Warning)
	if c.JSON {
		type point struct {
			Time  float64 `json:"time"`
			Share float64 `json:"share"`
			N     float64 `json:"n_eff"`
		}
		var points []point
		for _, o := range m.Points(q) {
			points = append(points, point{o.Time, o.Share, o.NEff})
		}
		return writeJSON(p, map[string]any{
			"before": sides(e.Before), "after": sides(e.After), "points": points, "warning": e.Warning,
			"change": map[string]any{"status": e.Change.Status, "reasons": e.Change.Reasons, "mean": number(e.Change.Mean), "lo": number(e.Change.Lo), "hi": number(e.Change.Hi), "changed": e.Change.Changed},
		})
	}
	rows := [][]string{}
	for _, s := range []struct {
		name string
		e    opinion.Estimate
	}{{"before", e.Before}, {"after", e.After}} {
		rows = append(rows, []string{s.name, strconv.FormatFloat(s.e.Time, 'f', 2, 64), s.e.Status, strings.Join(s.e.Reasons, "; "), points(s.e.Mean), points(s.e.Lo), points(s.e.Hi), ""})
	}
	changed := strconv.FormatBool(e.Change.Changed)
	if e.Change.Status != opinion.OK {
		changed = ""
	}
	rows = append(rows, []string{"change", "", e.Change.Status, strings.Join(e.Change.Reasons, "; "), points(e.Change.Mean), points(e.Change.Lo), points(e.Change.Hi), changed})
	return writeCSV(p, []string{"what", "time", "status", "reasons", "points", "lo", "hi", "changed"}, rows)
}

func sides(e opinion.Estimate) map[string]any {
	return map[string]any{"time": e.Time, "status": e.Status, "reasons": e.Reasons, "mean": number(e.Mean), "lo": number(e.Lo), "hi": number(e.Hi)}
}

// number is nil for a figure that is not one, so that JSON says null.
func number(x float64) any {
	if math.IsNaN(x) {
		return nil
	}
	return x
}

// points writes a share as points with two decimals, empty for no figure.
func points(share float64) string {
	if math.IsNaN(share) {
		return ""
	}
	return strconv.FormatFloat(100*share, 'f', 2, 64)
}

type opinionRegionCmd struct {
	opinionInput
	Target     string             `required:"" help:"Who is rated."`
	Year       float64            `required:"" help:"When: a whole year means its middle."`
	Population string             `default:"public" help:"public, elite or other; never mixed."`
	Countries  []string           `help:"Countries of the region; default the eleven states of South-East Asia." placeholder:"ISO3"`
	Weight     map[string]float64 `help:"Chosen weights, ISO3=W; shown beside equal and population weights." placeholder:"ISO3=W"`
	Seed       uint64             `default:"1" help:"Seed of the draws."`
	Lines      bool               `help:"Also print each country's estimate and weight."`
}

func (c *opinionRegionCmd) Run(p *process) error {
	obs, opt, err := c.read(p)
	if err != nil {
		return err
	}
	if c.Year == math.Floor(c.Year) {
		c.Year += 0.5
	}
	population := opinion.SouthEastAsia
	countries := slices.Sorted(maps.Keys(population.Weight))
	weights := []opinion.Weights{}
	if len(c.Countries) > 0 {
		countries = c.Countries
		weights = append(weights, opinion.Equal(countries))
	} else {
		weights = append(weights, opinion.Equal(countries), population)
	}
	if len(c.Weight) > 0 {
		weights = append(weights, opinion.Weights{Name: "chosen", Weight: c.Weight})
	}
	m := opinion.Fit(obs, opt)
	q := opinion.Query{Target: c.Target, Population: c.Population, Time: c.Year, Level: 0.9}
	var rows [][]string
	for _, w := range weights {
		r := m.Region(q, w, c.Seed)
		rows = append(rows, []string{r.Weights, "", "", r.Status, strings.Join(r.Reasons, "; "), points(r.Mean), points(r.Lo), points(r.Hi), strconv.FormatFloat(r.Missing, 'f', 4, 64)})
		if !c.Lines {
			continue
		}
		for _, l := range r.Countries {
			rows = append(rows, []string{r.Weights, l.Country, strconv.FormatFloat(l.Weight, 'f', 4, 64), l.Status, strings.Join(l.Reasons, "; "), points(l.Mean), points(l.Lo), points(l.Hi), ""})
		}
	}
	return writeCSV(p, []string{"weights", "country", "weight", "status", "reasons", "points", "lo", "hi", "missing_weight"}, rows)
}

type opinionCodeCmd struct {
	File   string `arg:"" type:"existingfile" help:"CSV item,nation,class: what each nation says an item is."`
	Gold   string `type:"existingfile" help:"CSV item,class: items whose class is known, to show a bias all nations share."`
	Nation string `help:"Also print this nation's confusion matrix; it is for that nation to see."`
	Seed   uint64 `default:"1" help:"Seed of the intervals."`
	JSON   bool   `name:"json" help:"JSON with everything but the matrices of other nations."`
}

func (c *opinionCodeCmd) Run(p *process) error {
	t, err := openTable(p, c.File)
	if err != nil {
		return err
	}
	at, err := t.Columns("item", "nation", "class")
	if err != nil {
		return err
	}
	var codes []opinion.Code
	for i := range t.Rows {
		codes = append(codes, opinion.Code{Item: t.Text(i, at[0]), Nation: t.Text(i, at[1]), Class: t.Text(i, at[2])})
	}
	gold, err := c.gold(p)
	if err != nil {
		return err
	}
	joined, err := opinion.Agree(codes, gold, c.Seed)
	if err != nil {
		return fmt.Errorf("%s: %w", t.Name, err)
	}
	if c.Nation != "" && !slices.Contains(joined.Nations, c.Nation) {
		hint := ""
		if near, ok := table.Nearest(c.Nation, joined.Nations); ok {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		return fmt.Errorf("%s: no nation %q%s", t.Name, c.Nation, hint)
	}
	joined.Confusions = slices.DeleteFunc(joined.Confusions, func(x opinion.Confusion) bool { return x.Nation != c.Nation })
	if c.JSON {
		return writeJSON(p, struct {
			Alpha any `json:"alpha"`
			*opinion.Coding
		}{number(joined.Alpha), joined})
	}
	return c.write(p, joined)
}

func (c *opinionCodeCmd) gold(p *process) (map[string]string, error) {
	if c.Gold == "" {
		return nil, nil
	}
	t, err := openTable(p, c.Gold)
	if err != nil {
		return nil, err
	}
	at, err := t.Columns("item", "class")
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for i := range t.Rows {
		out[t.Text(i, at[0])] = t.Text(i, at[1])
	}
	return out, nil
}

func (c *opinionCodeCmd) write(p *process, j *opinion.Coding) error {
	alpha := strconv.FormatFloat(j.Alpha, 'f', 4, 64)
	if j.AlphaReason != "" {
		alpha = "unknown: " + j.AlphaReason
	}
	fmt.Fprintf(p.stderr, "note: %d items, %d nations, Krippendorff's alpha %s\n", len(j.Items), len(j.Nations), alpha)
	for _, r := range j.Reasons {
		fmt.Fprintln(p.stderr, "note: raw votes only:", r)
	}
	if j.GoldItems > 0 {
		fmt.Fprintf(p.stderr, "note: %.1f %% of %d gold items are read as they are known to be\n", 100*j.Gold, j.GoldItems)
	}
	for _, x := range j.Confusions {
		for a, row := range x.Rate {
			for b, r := range row {
				fmt.Fprintf(p.stderr, "note: %s says %s of %s: %.3f [%.3f, %.3f]\n", x.Nation, j.Classes[b], j.Classes[a], r, x.Low[a][b], x.High[a][b])
			}
		}
	}
	w := csv.NewWriter(p.stdout)
	header := []string{"item", "likely"}
	for _, cl := range j.Classes {
		header = append(header, "p_"+cl)
	}
	w.Write(append(header, "votes", "dissent"))
	for _, it := range j.Items {
		row := []string{it.Item, it.Likely}
		for k := range j.Classes {
			cell := ""
			if it.Posterior != nil {
				cell = strconv.FormatFloat(it.Posterior[k], 'f', 6, 64)
			}
			row = append(row, cell)
		}
		votes, err := json.Marshal(it.Votes)
		if err != nil {
			return err
		}
		w.Write(append(row, string(votes), strings.Join(it.Dissent, " ")))
	}
	w.Flush()
	return w.Error()
}
