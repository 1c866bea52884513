package web

import (
	"cmp"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"causeway/internal/httpd/web/chart"
	"causeway/internal/people"
	"causeway/trade"
	"causeway/trade/cascade"
	"causeway/trade/scenario"
	"causeway/trade/sharing"
	"causeway/trade/shock"
	"causeway/trade/table"
)

// measure is an act of coercion as the form says it: who withholds how much
// from whom, and what partners can do about it.
type measure struct {
	By         string
	Against    []string // importers; empty: everyone
	Withheld   int      // percent
	Accessible int      // percent of stocks that may be drawn
	CostShare  float64  // percent of the users' costs
	Low, High  float64  // range of the elasticity of substitution
	Members    []string // who acts jointly
}

type scenarioData struct {
	product
	Measure     measure
	Exporters   []choice
	Against     []choice
	Members     []choice
	Hit         []hit
	Bars, Flows drawing
	Bounds      []bound
	Plan        *planView
	Infeasible  string
	Notes       []string
	CanKeep     bool
	PolicyForms []policyForm
	Query       string
	Total       float64
}

// hit is what one country loses under both rules.
type hit struct {
	Code, Name        string
	Withheld          float64
	LowLoss, HighLoss float64 // share of consumption
	NoSupplier        bool
}

// bound is one closed form of the loss of the users of the product.
type bound struct {
	Name, About string
	Value       string
	Unknown     string
}

type planView struct {
	*sharing.Plan
	Shipments []shipment
	Served    []servedView
	Bearers   []bearer
	Picture   drawing
}

type shipment struct{ From, To, Amount string }

type servedView struct {
	Name, Need, Met, Unmet string
	Ratio                  float64
	Why                    string
}

type bearer struct {
	Rule  string
	Parts []string
}

// measureOf reads the sliders and lists of the form; what is missing or out of
// range takes its default.
func (q *request) measureOf(w *cascade.World) measure {
	v := q.URL.Query()
	if q.Method == http.MethodPost {
		v = q.PostForm
	}
	m := measure{By: v.Get("by"), Against: v["against"], Members: v["member"],
		Withheld: percent(v, "withheld", 100), Accessible: percent(v, "accessible", 50), CostShare: number(v, "cost", 2, 0.01, 99), Low: number(v, "low", 0.5, 0.05, 20), High: number(v, "high", 2, 0.05, 20)}
	if m.Low > m.High {
		m.Low, m.High = m.High, m.Low
	}
	if !slices.Contains(w.Places, m.By) {
		m.By = largestExporter(w)
	}
	known := func(list []string) []string {
		return slices.DeleteFunc(list, func(s string) bool { return !slices.Contains(w.Places, s) || s == m.By })
	}
	m.Against, m.Members = known(m.Against), known(m.Members)
	return m
}

func percent(v url.Values, name string, otherwise int) int {
	n, err := strconv.Atoi(v.Get(name))
	if err != nil || n < 0 || n > 100 {
		return otherwise
	}
	return n
}

func number(v url.Values, name string, otherwise, low, high float64) float64 {
	f, err := strconv.ParseFloat(v.Get(name), 64)
	if err != nil || math.IsNaN(f) || f < low || f > high {
		return otherwise
	}
	return f
}

func largestExporter(w *cascade.World) string {
	out := make([]float64, len(w.Places))
	best := 0
	for _, l := range w.Links {
		if out[l.From] += l.Quantity; out[l.From] > out[best] {
			best = l.From
		}
	}
	if len(w.Places) == 0 {
		return ""
	}
	return w.Places[best]
}

// restrictions puts the measure on the links it hits.
func (m measure) restrictions(w *cascade.World) (out []cascade.Restriction) {
	for _, l := range w.Links {
		if w.Places[l.From] == m.By && (len(m.Against) == 0 || slices.Contains(m.Against, w.Places[l.To])) {
			out = append(out, cascade.Restriction{From: l.From, To: l.To, Withheld: float64(m.Withheld) / 100, By: cascade.Exporter})
		}
	}
	return out
}

// outcome runs the measure under both rules: they bracket what partners may
// do.
func outcome(w *cascade.World, m measure) (low, high *cascade.Result, err error) {
	s := cascade.Shock{Restrictions: m.restrictions(w)}
	opt := cascade.Options{Accessible: float64(m.Accessible) / 100}
	if m.Accessible == 0 {
		opt.Accessible = -1
	}
	if low, err = cascade.Run(w, s, cascade.ReserveBased, opt); err != nil {
		return nil, nil, err
	}
	high, err = cascade.Run(w, s, cascade.Proportional, opt)
	return low, high, err
}

func (q *request) scenario() error {
	p, err := q.product()
	if err != nil {
		return err
	}
	data := scenarioData{product: *p, Measure: q.measureOf(p.World), CanKeep: q.who.Has(people.Analyst), Query: q.URL.RawQuery}
	if err := q.fill(&data); err != nil {
		return err
	}
	if data.CanKeep {
		row, _, err := q.newest()
		if err != nil {
			return err
		}
		data.PolicyForms = q.policyForms(row.Effective)
	}
	return q.render("scenario", "place.economy", q.say("scenario.title", p.Title), data)
}

func (q *request) fill(data *scenarioData) error {
	w, m := data.World, &data.Measure
	reserve, proportional, err := outcome(w, *m)
	if err != nil {
		return refused("%v", err)
	}
	data.Notes = append(append(data.Notes, reserve.Notes...), proportional.Notes...)
	slices.Sort(data.Notes)
	data.Notes = slices.Compact(data.Notes)
	q.hits(data, reserve, proportional)
	q.lists(data)
	data.Bounds = q.bounds(data)
	data.Flows = q.takeable("flows", drawing{Title: q.say("scenario.flows"), Picture: q.measureFlows(data, proportional), Caption: q.say("scenario.flows.caption")})
	return q.plan(data, proportional)
}

// hits ranks who consumes less, with the range of the two rules.
func (q *request) hits(data *scenarioData, a, b *cascade.Result) {
	loss := func(o cascade.Outcome) float64 {
		if o.Before <= 0 {
			return 0
		}
		return math.Max(0, 1-o.Consumption/o.Before)
	}
	bars := chart.Bars{Label: q.say("scenario.hit.label", data.Title), Width: 856, LabelWidth: 170}
	for i, o := range a.Outcomes {
		other := b.Outcomes[i]
		low, high := math.Min(loss(o), loss(other)), math.Max(loss(o), loss(other))
		if high < 1e-4 && o.Withheld == 0 {
			continue
		}
		data.Total += o.Withheld
		data.Hit = append(data.Hit, hit{o.Place, q.country(o.Place), o.Withheld, low, high, o.NoSupplier || other.NoSupplier})
	}
	slices.SortStableFunc(data.Hit, func(x, y hit) int {
		return cmp.Or(cmp.Compare(y.HighLoss, x.HighLoss), cmp.Compare(y.Withheld, x.Withheld))
	})
	for _, h := range data.Hit[:min(len(data.Hit), 14)] {
		text := decimal(100*h.LowLoss, 1) + "–" + decimal(100*h.HighLoss, 1) + " %"
		bars.Rows = append(bars.Rows, chart.Bar{Label: h.Name, Value: (h.LowLoss + h.HighLoss) / 2, Lo: h.LowLoss, Hi: h.HighLoss, Text: text, Group: 4})
	}
	data.Bars = q.takeable("hit", drawing{Title: q.say("scenario.who"), Picture: bars.SVG(), Caption: q.say("scenario.who.caption")})
}

// lists fills the choices of the form.
func (q *request) lists(data *scenarioData) {
	w, m := data.World, data.Measure
	exports, imports := make([]float64, len(w.Places)), make([]float64, len(w.Places))
	for _, l := range w.Links {
		exports[l.From] += l.Quantity
		imports[l.To] += l.Quantity
	}
	for i, name := range w.Places {
		c := choice{Value: name, Name: q.country(name)}
		if exports[i] > 0 {
			c.Here = name == m.By
			data.Exporters = append(data.Exporters, c)
		}
		if imports[i] > 0 && name != m.By {
			c.Here = slices.Contains(m.Against, name)
			data.Against = append(data.Against, c)
			c.Here = slices.Contains(m.Members, name)
			data.Members = append(data.Members, c)
		}
	}
}

// bounds sets the closed forms side by side, from the least loss anyone should
// expect to the largest.
func (q *request) bounds(data *scenarioData) (out []bound) {
	m := data.Measure
	remaining := 1.0
	if len(data.Hit) > 0 && data.Hit[0].HighLoss > 0 {
		remaining = 1 - data.Hit[0].HighLoss
	}
	in := shock.Input{CostShare: m.CostShare / 100, Elasticity: m.Low}
	loss, err := in.Fall(remaining)
	if err != nil {
		return []bound{{Name: q.say("bound.first"), Unknown: err.Error()}}
	}
	pct := func(v float64) string { return decimal(100*(math.Exp(v)-1), 2) + " %" }
	out = append(out, bound{Name: q.say("bound.first"), About: q.say("bound.first.about"), Value: pct(loss.FirstOrder)})
	r, err := in.Over(m.Low, m.High, remaining)
	switch {
	case err != nil:
		out = append(out, bound{Name: q.say("bound.exact"), Unknown: err.Error()})
	case r.Unbounded != "":
		out = append(out, bound{Name: q.say("bound.exact"), About: q.say("bound.exact.about", m.Low, m.High), Unknown: r.Unbounded})
	default:
		out = append(out, bound{Name: q.say("bound.exact"), About: q.say("bound.exact.about", m.Low, m.High), Value: pct(r.Exact.Low) + " … " + pct(r.Exact.High)})
	}
	b := bound{Name: q.say("bound.leontief"), About: q.say("bound.leontief.about"), Unknown: loss.Leontief.Reason}
	if loss.Leontief.IsKnown() {
		b.Value = pct(loss.Leontief.Value)
	}
	return append(out, b)
}

// measureFlows draws the exporter's links with what the measure stops.
func (q *request) measureFlows(data *scenarioData, after *cascade.Result) template.HTML {
	s := chart.Sankey{Label: q.say("scenario.flows.label", q.country(data.Measure.By)), Width: 856, Height: 380, Names: map[string]string{}}
	flows := slices.Clone(after.Flows)
	slices.SortStableFunc(flows, func(a, b cascade.Flow) int {
		return cmp.Compare(math.Max(b.Before, b.After), math.Max(a.Before, a.After))
	})
	drawn := 0
	for _, f := range flows {
		if drawn == 22 {
			break
		}
		drawn++
		from, to := f.From, f.To+" "
		s.Names[from], s.Names[to] = q.country(f.From), q.country(f.To)
		if f.After > 0 {
			s.Flows = append(s.Flows, chart.Flow{From: from, To: to, Value: f.After, Title: fmt.Sprintf("%s → %s: %s %s", q.country(f.From), q.country(f.To), decimal(f.After, 1), data.Unit)})
		}
		if lost := f.Before - f.After; lost > f.Before*1e-3 {
			s.Flows = append(s.Flows, chart.Flow{From: from, To: to, Value: lost, Lost: true, Title: q.say("scenario.flows.lost", q.country(f.From), q.country(f.To), decimal(lost, 1), data.Unit)})
		}
	}
	return s.SVG()
}

// plan shares what the members have among what they lack: leximin over their
// stocks and shortages, then the cheapest such plan.
func (q *request) plan(data *scenarioData, after *cascade.Result) error {
	if len(data.Measure.Members) < 2 {
		return nil
	}
	t := sharing.Tables{
		Offers: &table.Table{Name: "offers", Header: []string{"supplier", "quantity"}},
		Needs:  &table.Table{Name: "needs", Header: []string{"member", "quantity"}},
		Routes: &table.Table{Name: "routes", Header: []string{"from", "to", "cost"}},
		Months: 1, Unit: data.Unit,
	}
	add := func(to *table.Table, cells ...string) {
		to.Rows, to.Lines = append(to.Rows, cells), append(to.Lines, len(to.Rows)+2)
	}
	fixed := func(v float64) string { return strconv.FormatFloat(math.Max(0, v), 'f', 3, 64) }
	needy := 0
	for i, o := range after.Outcomes {
		if !slices.Contains(data.Measure.Members, o.Place) {
			continue
		}
		stock := 0.0
		if i < len(data.World.Stock) {
			stock = data.World.Stock[i] * float64(data.Measure.Accessible) / 100
		}
		add(t.Offers, o.Place, fixed(stock))
		if o.Withheld > 0 {
			needy++
			add(t.Needs, o.Place, fixed(o.Withheld))
		}
		for _, to := range data.Measure.Members {
			if to != o.Place {
				add(t.Routes, o.Place, to, "1")
			}
		}
	}
	if needy == 0 {
		return nil
	}
	problem, err := sharing.Read(t)
	if err != nil {
		return refused("%v", err)
	}
	plan, err := problem.Solve()
	var short *sharing.InfeasibleError
	switch {
	case errors.As(err, &short):
		data.Infeasible = short.Error()
		return nil
	case err != nil:
		return refused("%v", err)
	}
	data.Plan = q.planView(plan, data.Unit)
	return nil
}

func (q *request) planView(plan *sharing.Plan, unit string) *planView {
	v := &planView{Plan: plan}
	s := chart.Sankey{Label: q.say("plan.picture.label"), Width: 716, Height: 280, Names: map[string]string{}}
	for _, sh := range plan.Shipments {
		v.Shipments = append(v.Shipments, shipment{q.country(sh.From), q.country(sh.To), decimal(sh.Amount.Float(), 2)})
		s.Names[sh.From], s.Names[sh.To+" "] = q.country(sh.From), q.country(sh.To)
		s.Flows = append(s.Flows, chart.Flow{From: sh.From, To: sh.To + " ", Value: sh.Amount.Float(),
			Title: fmt.Sprintf("%s → %s: %s %s", q.country(sh.From), q.country(sh.To), decimal(sh.Amount.Float(), 2), unit)})
	}
	if len(s.Flows) > 0 {
		v.Picture = q.takeable("plan", drawing{Title: q.say("plan.title"), Picture: s.SVG(), Caption: q.say("plan.caption")})
	}
	for _, sv := range plan.Served {
		v.Served = append(v.Served, servedView{q.country(sv.Member), decimal(sv.Need.Float(), 2), decimal(sv.Met.Float(), 2), decimal(sv.Unmet.Float(), 2), sv.Ratio.Float(), sv.Why})
	}
	for _, b := range plan.Bearers {
		br := bearer{Rule: q.word("bearers", b.Rule)}
		for _, part := range b.Parts {
			br.Parts = append(br.Parts, q.country(part.Name)+" "+decimal(part.Amount.Float(), 2))
		}
		v.Bearers = append(v.Bearers, br)
	}
	return v
}

// keepScenario makes the scenario, and the plan if members were chosen, objects
// of their own: labelled, repeatable from their inputs, ready for release.
func (q *request) keepScenario() error {
	if err := q.need(people.Analyst); err != nil {
		return err
	}
	p, err := q.product()
	if err != nil {
		return err
	}
	data := scenarioData{product: *p, Measure: q.measureOf(p.World)}
	if err := q.fill(&data); err != nil {
		return err
	}
	l, err := q.labelOfForm()
	if err != nil {
		return err
	}
	name := q.field("name")
	if name == "" {
		name = q.say("scenario.name", q.country(data.Measure.By), p.Title, data.Measure.Withheld)
	}
	row, o, err := q.newest()
	if err != nil {
		return err
	}
	id, err := q.site.node.Desk.Scenario(q.ctx(), q.who.Person, scenarioOf(data, name, q.field("code"), o.Raw(), q.now), l)
	if err != nil {
		return act(err)
	}
	if data.Plan != nil {
		if id, err = q.site.node.Desk.Plan(q.ctx(), q.who.Person, data.Plan.Plan, q.say("plan.name", name), id, l); err != nil {
			return act(err)
		}
	}
	q.mark(row.Effective)
	return q.redirect(address("object", id), q.say("scenario.kept"))
}

// scenarioOf states the measure so that a partner reruns it: on which product,
// from which inputs, over which elasticities.
func scenarioOf(data scenarioData, name, code string, input []byte, now time.Time) *scenario.Scenario {
	m := data.Measure
	kind := scenario.ExportControl
	if m.Withheld == 100 {
		kind = scenario.ExportBan
	}
	targets := m.Against
	if len(targets) == 0 {
		targets = []string{"*"}
	}
	day := now.UTC().Format(time.DateOnly)
	digest := sha256.Sum256(input)
	source := scenario.Source{Title: data.Source, Date: day}
	s := &scenario.Scenario{
		ID: "what-if-" + hex.EncodeToString(digest[:4]), Title: name,
		Measures: []scenario.Measure{{Kind: kind, Actor: m.By, Targets: targets, Withheld: trade.Known(float64(m.Withheld) / 100), From: day,
			Products: []scenario.Product{{Code: code, Revision: "HS2022", Text: data.Title, Partial: len(code) > 6}}, Basis: "assumed", Sources: []scenario.Source{source}}},
		Elasticity: trade.Interval{Low: m.Low, High: m.High},
		Engines:    &scenario.Parameters{Accessible: float64(m.Accessible) / 100},
		Inputs:     []scenario.Input{{Name: data.ID, SHA256: hex.EncodeToString(digest[:])}},
	}
	if year, err := strconv.Atoi(data.Year); err == nil {
		s.Baseline = year
	}
	return s
}

// csv writes a table as a file.
func (q *request) csv(name string, rows [][]string) error {
	h := q.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w := csv.NewWriter(q.w)
	_ = w.WriteAll(rows) // the reader has gone away
	return nil
}
