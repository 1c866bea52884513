package web

import (
	"slices"
	"strings"

	"causeway/internal/desk"
	"causeway/internal/line"
	"causeway/internal/people"
)

func ruleRoutes() []Route {
	routes := []Route{
		get("/control/rules", (*request).rules),
		post("/control/rules", (*request).addRule),
		get("/control/rules/{rule}", (*request).rule),
		post("/control/rules/{rule}", (*request).changeRule),
	}
	for i, r := range routes {
		if strings.Contains(r.Pattern, "{rule}") {
			routes[i].Example = map[string]string{"rule": "none"}
		}
	}
	return routes
}

// officer refuses who is neither a release officer nor a security officer.
func (q *request) officer() error {
	if q.who.Has(people.SecurityOfficer) {
		return nil
	}
	return q.need(people.ReleaseOfficer)
}

type levelView struct{ Policy, From string }

// levels says from which classification on a release takes two officers.
func (q *request) levels() (out []levelView, err error) {
	levels, err := q.site.node.Desk.Levels(q.ctx())
	for _, c := range levels.From {
		out = append(out, levelView{q.policyName(c.Policy), c.Classification})
	}
	for _, oid := range levels.Free {
		out = append(out, levelView{Policy: q.policyName(oid)})
	}
	return out, err
}

// partnerNames gives the names of the partners by node id.
func (q *request) partnerNames() (map[string]string, error) {
	all, err := q.site.node.Line.Partners(q.ctx())
	names := map[string]string{}
	for _, p := range all {
		names[p.NodeID] = p.Name
	}
	return names, err
}

func partnersNamed(names map[string]string, ids []string) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		if n := names[id]; n != "" {
			id = n
		}
		out = append(out, id)
	}
	return out
}

func (q *request) policyName(oid string) string {
	if p, ok := q.site.node.Policies().Policy(oid); ok {
		return p.Name()
	}
	return oid
}

type rulesData struct {
	Subs        []sub
	Rules       []ruleView
	Ceilings    []choice
	Partners    []choice
	Precedences []string
	MayWrite    bool
	Levels      []levelView
}

type ruleView struct {
	desk.ReleaseRule
	Policy   string
	Partners []string
	From     string // name of the partner it is about
}

func (q *request) ruleViews() ([]ruleView, map[string]string, error) {
	names, err := q.partnerNames()
	if err != nil {
		return nil, nil, err
	}
	all, err := q.site.node.Desk.Rules(q.ctx())
	if err != nil {
		return nil, nil, err
	}
	var out []ruleView
	for _, r := range all {
		v := ruleView{ReleaseRule: r, Policy: q.policyName(r.AtMost.Policy), Partners: partnersNamed(names, r.To), From: r.Source}
		if id, ok := strings.CutPrefix(r.Source, "partner:"); ok {
			v.From = partnersNamed(names, []string{id})[0]
		}
		out = append(out, v)
	}
	return out, names, nil
}

// rules lists the release rules, with the form for another one.
func (q *request) rules() error {
	if err := q.officer(); err != nil {
		return err
	}
	views, _, err := q.ruleViews()
	if err != nil {
		return err
	}
	data := rulesData{Subs: q.controlSubs("control.rules"), Rules: views, MayWrite: q.who.Has(people.ReleaseOfficer)}
	for _, p := range q.site.node.Policies().All() {
		for _, c := range p.Classifications() {
			data.Ceilings = append(data.Ceilings, choice{Value: p.OID() + "/" + c.Name, Name: p.Name() + " " + c.Name})
		}
	}
	all, err := q.site.node.Line.Partners(q.ctx())
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.State == line.Active {
			data.Partners = append(data.Partners, choice{Value: p.NodeID, Name: p.Name})
		}
	}
	for _, p := range []line.Precedence{line.Routine, line.Priority, line.Immediate, line.Flash} {
		data.Precedences = append(data.Precedences, p.String())
	}
	if data.Levels, err = q.levels(); err != nil {
		return err
	}
	return q.render("rules", "place.control", q.say("control.rules"), data)
}

func (q *request) addRule() error {
	precedence, err := line.ParsePrecedence(q.field("precedence"))
	if err != nil {
		return refused("%v", err)
	}
	oid, class, _ := strings.Cut(q.field("at-most"), "/")
	r := desk.ReleaseRule{Name: q.field("name"), Types: strings.Fields(strings.ReplaceAll(q.field("types"), ",", " ")), Text: q.field("text"),
		Source: q.field("source"), AtMost: desk.Ceiling{Policy: oid, Classification: class}, To: q.PostForm["to"], Precedence: precedence}
	if err := q.site.node.Desk.AddRule(q.ctx(), q.who.Person, r); err != nil {
		return act(err)
	}
	return q.redirect(address("control", "rules", r.Name), q.say("rule.added"))
}

type ruleData struct {
	Subs   []sub
	Rule   ruleView
	Tried  bool
	Looked int
	Hits   []hitView
	MayAct bool
}

type hitView struct {
	item
	Objects      int
	To, Withheld []string
	Two          bool
}

func (q *request) rule() error {
	data, _, err := q.ruleOf()
	if err != nil {
		return err
	}
	return q.render("rule", "place.control", data.Rule.Name, data)
}

func (q *request) ruleOf() (*ruleData, map[string]string, error) {
	if err := q.officer(); err != nil {
		return nil, nil, err
	}
	views, names, err := q.ruleViews()
	if err != nil {
		return nil, nil, err
	}
	i := slices.IndexFunc(views, func(v ruleView) bool { return v.Name == q.PathValue("rule") })
	if i < 0 {
		return nil, nil, errNotFound
	}
	return &ruleData{Subs: q.controlSubs("control.rules"), Rule: views[i], MayAct: q.who.Has(people.ReleaseOfficer)}, names, nil
}

// rulesShown is how many past objects the test of a rule shows.
const rulesShown = 50

func (q *request) changeRule() error {
	d, name := q.site.node.Desk, q.PathValue("rule")
	var err error
	to := address("control", "rules", name)
	switch q.field("do") {
	case "test":
		return q.testRule(name)
	case "on":
		err = d.SwitchOn(q.ctx(), q.who.Person, name)
	case "off":
		err = d.SwitchOff(q.ctx(), q.who.Person, name)
	case "remove":
		to = "/control/rules"
		err = d.RemoveRule(q.ctx(), q.who.Person, name)
	default:
		return refused("%s", q.say("act.unknown"))
	}
	if err != nil {
		return act(err)
	}
	return q.redirect(to, q.say("rule.changed"))
}

// testRule shows what a rule would have released of the past.
func (q *request) testRule(name string) error {
	hits, looked, err := q.site.node.Desk.TestRule(q.ctx(), q.who.Person, name, rulesShown)
	if err != nil {
		return act(err)
	}
	data, names, err := q.ruleOf()
	if err != nil {
		return err
	}
	data.Tried, data.Looked = true, looked
	for _, h := range hits {
		it, err := q.item(h.Row)
		if err != nil {
			return err
		}
		data.Hits = append(data.Hits, hitView{it, h.Objects, partnersNamed(names, h.To), partnersNamed(names, h.Withheld), h.Two})
	}
	return q.render("rule", "place.control", name, data)
}
