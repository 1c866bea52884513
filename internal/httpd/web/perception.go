package web

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"causeway/internal/httpd/web/chart"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/opinion"
	"causeway/stix"
)

func perceptionRoutes() []Route {
	id := map[string]string{"id": observationsType + "--00000000-0000-4000-8000-000000000000"}
	return []Route{
		get("/public/perception", (*request).perceptions),
		post("/public/perception", (*request).bringObservations),
		{Method: "GET", Pattern: "/public/perception/{id}", Example: id, handle: (*request).perception},
		{Method: "GET", Pattern: "/public/perception/{id}/estimates.csv", Example: id, handle: (*request).estimatesCSV},
	}
}

// observationsType holds published poll results as one object: the table as it
// was brought in, so that it is labelled, released and recalled like any other.
const observationsType = "x-causeway-observations"

// observationsExtension defines the type. Its id is derived in causeway's
// namespace.
var observationsExtension = stix.NamedID("extension-definition", stix.Namespace, "extension|observations|1")

// fits remembers the models of the last observation objects; each is made of
// the object's own bytes alone.
type fits struct {
	sync.Mutex
	made map[string]*fit
}

type fit struct {
	model *opinion.Model
	flags []opinion.Flag
	notes []string
	cover *opinion.Report
}

// fitsKept bounds how many models are remembered.
const fitsKept = 4

func (s *Site) fit(ctx context.Context, row vault.Row, o *stix.Object) (*fit, error) {
	key := row.ID + " " + row.Version
	s.fits.Lock()
	defer s.fits.Unlock()
	if f := s.fits.made[key]; f != nil {
		return f, nil
	}
	d, err := opinion.Read(strings.NewReader(o.StringAt("csv")), o.Name(), opinion.ReadOptions{})
	if err != nil {
		return nil, refusal{err.Error()}
	}
	flags := opinion.Check(d.Observations)
	obs := opinion.Exclude(d.Observations, flags)
	f := &fit{model: opinion.Fit(obs, opinion.Options{}), flags: flags, notes: d.Notes}
	if f.cover, err = opinion.Backtest(ctx, obs, opinion.Options{}, 1); err != nil {
		return nil, fmt.Errorf("measure the coverage: %w", err)
	}
	if len(s.fits.made) >= fitsKept {
		s.fits.made = nil
	}
	if s.fits.made == nil {
		s.fits.made = map[string]*fit{}
	}
	s.fits.made[key] = f
	return f, nil
}

type perceptionsData struct {
	Subs        []sub
	Sets        []item
	CanBring    bool
	PolicyForms []policyForm
}

func (q *request) perceptions() error {
	rows, err := q.collect(vault.Match{Types: []string{observationsType}}, 100)
	if err != nil {
		return err
	}
	data := perceptionsData{Subs: q.publicSubs("public.perception"), CanBring: q.who.Has(people.Analyst) || q.who.Has(people.Spokesperson)}
	if data.Sets, err = q.items(rows); err != nil {
		return err
	}
	if data.CanBring {
		// Published polls are public: the form says so unless told otherwise.
		data.PolicyForms = q.policyFormsOf(&label.Label{PolicyOID: label.PublicPolicy, Classification: "UNMARKED"})
	}
	return q.render("perceptions", "place.public", q.say("public.perception"), data)
}

func (q *request) bringObservations() error {
	if !q.who.Has(people.Analyst) && !q.who.Has(people.Spokesperson) {
		return q.need(people.Analyst)
	}
	f, header, err := q.FormFile("csv")
	if err != nil {
		return refused("%s", q.say("perception.no-file"))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, stix.MaxObjectBytes/2))
	if err != nil {
		return err
	}
	d, err := opinion.Read(strings.NewReader(string(b)), header.Filename, opinion.ReadOptions{})
	if err != nil {
		return refused("%v", err)
	}
	l, err := q.labelOfForm()
	if err != nil {
		return err
	}
	o, err := q.own(observationsType, observationsExtension, map[string]any{
		"name": cmp.Or(q.field("name"), header.Filename), "source": q.field("source"), "csv": string(b), "rows": len(d.Observations),
	})
	if err != nil {
		return err
	}
	if err := q.store(l, o); err != nil {
		return err
	}
	return q.redirect(address("public", "perception", o.ID()), q.count("perception.brought", len(d.Observations)))
}

type perceptionData struct {
	item
	Subs     []sub
	Target   string
	Targets  []choice
	Panels   []panel
	Refused  []refusedSeries
	Coverage opinion.Coverage
	Own      *opinion.Coverage // of this target
	Flags    []string
	Notes    []string
	Regions  []regionView // under each set of weights, so that nobody sees one alone
	Weighing []weightRow  // the weights that a reader can change
	Map      drawing
	Year     int
	Source   string
	Event    string
	Effects  []effectRow
	NotCause string
}

type panel struct {
	Code, Name string
	Drawing    drawing
}

// regionView is the regional figure under one set of weights.
type regionView struct {
	opinion.Region
	Name string
}

// weightRow is one country of the region with its weight under each set.
type weightRow struct {
	Code, Name string
	Weights    []float64 // as Regions
	Chosen     string    // as it stands in the form
	Status     string
	Mean       float64
}

type refusedSeries struct{ Name, Why string }

type effectRow struct {
	Name                string
	Before, After       float64
	Mean, Lo, Hi        float64
	Changed, Sufficient bool
	Why                 string
}

// perception draws how each country sees the target: ribbons with the raw
// points, elite beside public, never averaged.
func (q *request) perception() error {
	row, o, err := q.newest()
	if err != nil {
		return err
	}
	if o.Type() != observationsType {
		return errNotFound
	}
	it, err := q.item(row)
	if err != nil {
		return err
	}
	f, err := q.site.fit(q.ctx(), row, o)
	if err != nil {
		return err
	}
	data := perceptionData{item: it, Subs: q.publicSubs("public.perception"), Target: q.URL.Query().Get("target"),
		Source: o.StringAt("source"), Notes: f.notes, Coverage: f.cover.All(), NotCause: q.say("perception.not-cause"), Event: q.URL.Query().Get("event")}
	for _, flag := range f.flags {
		data.Flags = append(data.Flags, flag.String())
	}
	for i, c := range f.cover.Targets {
		if c.Name == data.Target {
			data.Own = &f.cover.Targets[i]
		}
	}
	q.panels(&data, f)
	return q.render("perception", "place.public", it.Title, data)
}

func (q *request) panels(data *perceptionData, f *fit) {
	series := f.model.Series()
	data.Targets = targetChoices(q, series, &data.Target)
	from, to := math.Inf(1), math.Inf(-1)
	byCountry := map[string][]opinion.Query{}
	for _, s := range series {
		if s.Target != data.Target || s.Country == s.Target {
			continue
		}
		byCountry[s.Country] = append(byCountry[s.Country], s)
		for _, p := range f.model.Points(s) {
			from, to = math.Min(from, p.Time), math.Max(to, p.Time)
		}
	}
	if math.IsInf(from, 0) {
		return
	}
	from, to = math.Floor(from), math.Ceil(to)
	data.Year = int(to) - 1
	event := number(q.URL.Query(), "event", 0, from, to)
	countries := make([]string, 0, len(byCountry))
	for c := range byCountry {
		countries = append(countries, c)
	}
	slices.Sort(countries)
	for _, c := range countries {
		r := chart.Ribbon{Label: q.say("perception.panel.label", q.country(c), q.country(data.Target)), Title: q.country(c), Width: 284, Height: 168, From: from, To: to}
		if event > 0 {
			r.Events = append(r.Events, chart.Point{Time: event, Title: q.say("perception.event")})
		}
		p := panel{Code: c, Name: q.country(c)}
		why := ""
		for _, s := range byCountry[c] {
			line, reason := lineOf(f.model, s, from, to)
			line.Name, line.Group = q.word("population", s.Population), 0
			if s.Population != "public" {
				line.Group = 4
			}
			why = cmp.Or(why, reason)
			r.Series = append(r.Series, line)
			if event > 0 {
				data.Effects = append(data.Effects, q.effect(f.model, s, event))
			}
		}
		if !drawn(r.Series) {
			data.Refused = append(data.Refused, refusedSeries{p.Name, why})
			continue
		}
		p.Drawing = q.takeable("panel-"+strings.ToLower(c), drawing{Title: r.Label, Picture: r.SVG(), Caption: q.say("perception.ribbon")})
		data.Panels = append(data.Panels, p)
	}
	q.region(data, f.model, to-0.5)
	q.drawViews(data, f.model, byCountry, to-0.5)
}

// viewLimits are the upper limits of the shades of the map of views.
var viewLimits = []float64{0.2, 0.4, 0.6, 0.8}

// drawViews shades the countries whose public's view the data carry at a time.
func (q *request) drawViews(data *perceptionData, m *opinion.Model, byCountry map[string][]opinion.Query, at float64) {
	atlas := q.site.assets.atlas
	if atlas == nil {
		return
	}
	c := chart.Map{Label: q.say("perception.map.label", q.country(data.Target)), Width: 1100, Atlas: atlas, ID: "views", NoData: q.say("perception.not-enough"), Source: q.country(data.Target), Name: q.outline}
	low := 0.0
	for _, limit := range append(slices.Clone(viewLimits), 1) {
		c.Classes = append(c.Classes, q.say("map.class", decimal(100*low, 0), decimal(100*limit, 0)))
		low = limit
	}
	c.Areas = append(c.Areas, chart.Area{Code: data.Target, Name: q.country(data.Target), Class: chart.SourceClass, Here: true, Title: q.country(data.Target)})
	for _, code := range slices.Sorted(maps.Keys(byCountry)) {
		a := chart.Area{Code: code, Name: q.country(code), Class: chart.NoClass, Title: q.country(code) + ": " + q.say("perception.not-enough")}
		for _, s := range byCountry[code] {
			s.Time = at
			if e := m.Estimate(s); s.Population == "public" && e.Status == opinion.OK {
				a.Class, a.Title = len(viewLimits), q.say("perception.map.title", a.Name, decimal(100*e.Mean, 0), decimal(100*e.Lo, 0), decimal(100*e.Hi, 0))
				for i, limit := range slices.Backward(viewLimits) {
					if e.Mean <= limit {
						a.Class = i
					}
				}
			}
		}
		c.Areas = append(c.Areas, a)
	}
	data.Map = q.takeable("map", drawing{Title: c.Label, Picture: c.SVG(), Caption: q.say("perception.map.caption", strconv.Itoa(data.Year)) + " " + q.say("map.outlines")})
}

func drawn(all []chart.Series) bool {
	return slices.ContainsFunc(all, func(s chart.Series) bool {
		return slices.ContainsFunc(s.Estimates, func(e chart.Estimate) bool { return !math.IsNaN(e.Mean) })
	})
}

// lineOf asks the model along the years between the first and the last point
// of a series. Where it refuses there is a gap, and the first reason.
func lineOf(m *opinion.Model, s opinion.Query, from, to float64) (out chart.Series, reason string) {
	points := m.Points(s)
	first, last := to, from
	for _, p := range points {
		first, last = math.Min(first, p.Time), math.Max(last, p.Time)
		out.Points = append(out.Points, chart.Point{Time: p.Time, Share: p.Share, Title: fmt.Sprintf("%s %.1f: %.0f %% (n %.0f)", p.Instrument, p.Time, 100*p.Share, p.N)})
	}
	for t := math.Max(from, first-0.5); t <= math.Min(to, last+0.5); t += 0.25 {
		s.Time = t
		e := m.Estimate(s)
		if e.Status != opinion.OK {
			if reason == "" && len(e.Reasons) > 0 {
				reason = e.Reasons[0]
			}
			out.Estimates = append(out.Estimates, chart.Estimate{Time: t, Mean: math.NaN()})
			continue
		}
		out.Estimates = append(out.Estimates, chart.Estimate{Time: t, Mean: e.Mean, Lo: e.Lo, Hi: e.Hi})
	}
	return out, reason
}

func (q *request) effect(m *opinion.Model, s opinion.Query, event float64) effectRow {
	e := m.Effect(s, event, 1)
	row := effectRow{Name: q.country(s.Country) + ", " + q.word("population", s.Population), Sufficient: e.Change.Status == opinion.OK,
		Before: e.Before.Mean, After: e.After.Mean, Mean: e.Change.Mean, Lo: e.Change.Lo, Hi: e.Change.Hi, Changed: e.Change.Changed}
	if len(e.Change.Reasons) > 0 {
		row.Why = e.Change.Reasons[0]
	}
	return row
}

// region averages the public's view over the region under equal weights, by
// population, and under the weights that the reader chose: which set is taken
// decides the headline, so they stand side by side.
func (q *request) region(data *perceptionData, m *opinion.Model, t float64) {
	codes := slices.Sorted(maps.Keys(opinion.SouthEastAsia.Weight))
	sets := []opinion.Weights{opinion.SouthEastAsia, opinion.Equal(codes)}
	chosen, given := opinion.Weights{Name: "chosen", Weight: map[string]float64{}}, false
	for _, c := range codes {
		text := q.URL.Query().Get("w." + c)
		given = given || text != ""
		if v, err := strconv.ParseFloat(text, 64); err == nil && v > 0 && v <= 1e6 {
			chosen.Weight[c] = v
		}
	}
	if given && len(chosen.Weight) > 0 {
		sets = append(sets, chosen)
	}
	rows := map[string]*weightRow{}
	for _, c := range codes {
		data.Weighing = append(data.Weighing, weightRow{Code: c, Name: q.country(c), Weights: make([]float64, len(sets)), Chosen: decimal(opinion.SouthEastAsia.Weight[c], 2)})
	}
	for i := range data.Weighing {
		rows[data.Weighing[i].Code] = &data.Weighing[i]
		if given {
			data.Weighing[i].Chosen = q.URL.Query().Get("w." + data.Weighing[i].Code)
		}
	}
	for i, w := range sets {
		r := m.Region(opinion.Query{Target: data.Target, Population: "public", Time: t}, w, 1)
		data.Regions = append(data.Regions, regionView{r, q.say("perception.weights." + w.Name)})
		for _, c := range r.Countries {
			if row := rows[c.Country]; row != nil {
				row.Weights[i], row.Status, row.Mean = c.Weight, c.Status, c.Mean
			}
		}
	}
}

func targetChoices(q *request, series []opinion.Query, here *string) (out []choice) {
	count := map[string]int64{}
	for _, s := range series {
		if s.Country != s.Target {
			count[s.Target]++
		}
	}
	names := make([]string, 0, len(count))
	for t := range count {
		names = append(names, t)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	if count[*here] == 0 && len(names) > 0 {
		*here = names[0]
	}
	for _, t := range names {
		out = append(out, choice{t, q.country(t), count[t], t == *here})
	}
	return out
}

// estimatesCSV gives the estimates of a target as a table.
func (q *request) estimatesCSV() error {
	row, o, err := q.newest()
	if err != nil {
		return err
	}
	if o.Type() != observationsType {
		return errNotFound
	}
	f, err := q.site.fit(q.ctx(), row, o)
	if err != nil {
		return err
	}
	rows := [][]string{{"country", "target", "population", "year", "status", "mean", "lo", "hi", "reasons", "marking"}}
	marking := markingText(q.mark(row.Effective))
	for _, s := range f.model.Series() {
		if t := q.URL.Query().Get("target"); t != "" && t != s.Target {
			continue
		}
		for _, p := range f.model.Points(s) {
			s.Time = p.Time
			e := f.model.Estimate(s)
			rows = append(rows, []string{s.Country, s.Target, s.Population, fmt.Sprintf("%.2f", p.Time), e.Status, figure(e.Mean), figure(e.Lo), figure(e.Hi), strings.Join(e.Reasons, "; "), marking})
		}
	}
	return q.csv("estimates.csv", rows)
}

// figure writes a share, or nothing where there is none.
func figure(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	b, err := json.Marshal(math.Round(v*1e4) / 1e4)
	if err != nil {
		return ""
	}
	return string(b)
}
