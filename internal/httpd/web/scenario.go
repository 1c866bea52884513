package web

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"causeway/internal/httpd/web/chart"
	"causeway/internal/people"
	"causeway/trade"
	"causeway/trade/answer"
	"causeway/trade/cascade"
	"causeway/trade/exchange"
	"causeway/trade/scenario"
	"causeway/trade/sharing"
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
	Said        string
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

// Loss is the range of the two rules, or one number where they agree.
func (h hit) Loss() string {
	low, high := decimal(100*h.LowLoss, 1), decimal(100*h.HighLoss, 1)
	if low == high {
		return low + " %"
	}
	return low + "–" + high + " %"
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
		list = slices.DeleteFunc(list, func(s string) bool { return !slices.Contains(w.Places, s) || s == m.By })
		slices.Sort(list)
		return slices.Compact(list)
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

// fill runs the measure as the scenario that would be kept, and shows what it
// does.
func (q *request) fill(data *scenarioData) error {
	res, err := answer.Run(data.stated(q.say("scenario.title", data.Title), "", q.now), data.World, data.Unit)
	if err != nil {
		return refused("%v", err)
	}
	data.Notes, data.Total, data.Infeasible = res.Notes, res.Total, res.Infeasible
	q.hits(data, res.Hits)
	q.lists(data)
	data.Bounds = q.bounds(data, res.Users)
	data.Flows = q.takeable("flows", drawing{Title: q.say("scenario.flows"), Picture: q.measureFlows(data, res.Proportional), Caption: q.say("scenario.flows.caption")})
	if res.Plan != nil {
		data.Plan = q.planView(res.Plan, data.Unit)
	}
	data.Said = q.saidOf(data)
	q.scenarioSheets(data)
	return nil
}

// saidOf says the measure and its assumptions in words, for whoever reads the
// page printed, without its form.
func (q *request) saidOf(data *scenarioData) string {
	m := data.Measure
	names := func(codes []string, none string) string {
		var out []string
		for _, c := range codes {
			out = append(out, q.country(c))
		}
		return cmp.Or(strings.Join(out, ", "), none)
	}
	return q.say("scenario.said", q.country(m.By), m.Withheld, data.Title, names(m.Against, q.say("scenario.everyone"))) + " " +
		q.say("scenario.assumed", m.Accessible, m.CostShare, m.Low, m.High) + " " + q.say("scenario.together", names(m.Members, q.say("scenario.nobody-together")))
}

// scenarioSheets are the losses and the plan as files.
func (q *request) scenarioSheets(data *scenarioData) {
	rows := [][]string{{"country", "withheld", "unit", "loss_low", "loss_high", "no_supplier"}}
	for _, h := range data.Hit {
		rows = append(rows, []string{h.Code, trade.Known(h.Withheld).String(), data.Unit, trade.Known(h.LowLoss).String(), trade.Known(h.HighLoss).String(), strconv.FormatBool(h.NoSupplier)})
	}
	q.sheet("losses", rows)
	if data.Plan == nil {
		return
	}
	rows = [][]string{{"what", "from", "to", "amount", "unit", "why"}}
	for _, s := range data.Plan.Plan.Shipments {
		rows = append(rows, []string{"shipment", s.From, s.To, s.Amount.String(), data.Unit, ""})
	}
	for _, s := range data.Plan.Plan.Served {
		rows = append(rows, []string{"need", "", s.Member, s.Need.String(), data.Unit, ""}, []string{"met", "", s.Member, s.Met.String(), data.Unit, ""}, []string{"unmet", "", s.Member, s.Unmet.String(), data.Unit, s.Why})
	}
	for _, b := range data.Plan.Plan.Bearers {
		for _, part := range b.Parts {
			rows = append(rows, []string{"bears:" + b.Rule, part.Name, "", part.Amount.String(), "", ""})
		}
	}
	q.sheet("plan", rows)
}

// hits draws who consumes less, with the range of the two rules.
func (q *request) hits(data *scenarioData, hits []answer.Hit) {
	bars := chart.Bars{Label: q.say("scenario.hit.label", data.Title), Width: 856, LabelWidth: 170}
	for _, h := range hits {
		data.Hit = append(data.Hit, hit{h.Place, q.country(h.Place), h.Withheld, h.Low, h.High, h.NoSupplier})
	}
	for _, h := range data.Hit[:min(len(data.Hit), 14)] {
		text := h.Loss()
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
func (q *request) bounds(data *scenarioData, u *answer.Users) (out []bound) {
	if u == nil {
		return nil
	}
	m := data.Measure
	pct := func(v float64) string { return decimal(100*(math.Exp(v)-1), 2) + " %" }
	out = append(out, bound{Name: q.say("bound.first"), About: q.say("bound.first.about"), Value: pct(u.Loss.FirstOrder)})
	exact := bound{Name: q.say("bound.exact"), About: q.say("bound.exact.about", m.Low, m.High), Unknown: cmp.Or(u.Error, u.Range.Unbounded)}
	if exact.Unknown == "" {
		exact.Value = pct(u.Range.Exact.Low) + " … " + pct(u.Range.Exact.High)
	}
	b := bound{Name: q.say("bound.leontief"), About: q.say("bound.leontief.about"), Unknown: u.Loss.Leontief.Reason}
	if u.Loss.Leontief.IsKnown() {
		b.Value = pct(u.Loss.Leontief.Value)
	}
	return append(out, exact, b)
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

func (q *request) planView(plan *sharing.Plan, unit string) *planView {
	v := &planView{Plan: plan}
	s := chart.Sankey{Label: q.say("plan.picture.label"), Width: 716, Height: 280, Names: map[string]string{}}
	for _, sh := range plan.Shipments {
		to := q.country(sh.To)
		if sh.From == sh.To {
			to = q.say("plan.own-stock")
		}
		v.Shipments = append(v.Shipments, shipment{q.country(sh.From), to, decimal(sh.Amount.Float(), 2)})
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
	id, err := q.site.node.Desk.Scenario(q.ctx(), q.who.Person, data.stated(name, q.field("code"), q.now), l)
	if err != nil {
		return act(err)
	}
	if data.Plan != nil {
		if id, err = q.site.node.Desk.Plan(q.ctx(), q.who.Person, data.Plan.Plan, q.say("plan.name", name), id, l); err != nil {
			return act(err)
		}
	}
	return q.redirect(address("object", id), q.say("scenario.kept"))
}

// stated is the measure as the scenario that is run here, kept, sent, and run
// again by a partner: on which product, from which bytes, with which
// parameters.
func (data *scenarioData) stated(title, code string, now time.Time) *scenario.Scenario {
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
	input := exchange.InputOf(data.Object)
	accessible := float64(m.Accessible) / 100
	s := &scenario.Scenario{
		ID: "what-if-" + input.SHA256[:8], Title: title,
		Measures: []scenario.Measure{{Kind: kind, Actor: m.By, Targets: targets, Withheld: trade.Known(float64(m.Withheld) / 100), From: day,
			Products: []scenario.Product{{Code: code, Revision: "HS2022", Text: data.Title, Partial: len(code) > 6}}, Basis: "assumed", Sources: []scenario.Source{{Title: data.Source, Date: day}}}},
		Elasticity: trade.Interval{Low: m.Low, High: m.High},
		Engines:    &scenario.Parameters{Accessible: &accessible, CostShare: m.CostShare / 100, Members: m.Members},
		Inputs:     []scenario.Input{input},
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
