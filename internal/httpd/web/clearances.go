package web

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"causeway/internal/people"
	"causeway/label"
	"causeway/label/policies"
	"causeway/label/registry"
	"causeway/label/stanag4774"
)

func clearanceRoutes() []Route {
	routes := []Route{
		get("/control/clearances", (*request).clearances),
		get("/control/clearances/{grant}", (*request).clearance),
		post("/control/clearances/{grant}", (*request).changeClearance),
		post("/control/people/{person}/clearance", (*request).requestClearance),
	}
	for i, r := range routes {
		switch {
		case strings.Contains(r.Pattern, "{grant}"):
			routes[i].Example = map[string]string{"grant": "0123456789abcdef"}
		case strings.Contains(r.Pattern, "{person}"):
			routes[i].Example = map[string]string{"person": "nobody"}
		}
	}
	return routes
}

type clearanceView struct {
	people.Grant
	Marking Marking
	State   string // class
	Word    string
}

func (q *request) clearanceViews(p people.Person) (out []clearanceView) {
	for _, g := range p.Grants {
		out = append(out, q.clearanceView(g))
	}
	return out
}

func (q *request) clearanceView(g people.Grant) clearanceView {
	v := clearanceView{Grant: g, Marking: q.clearanceMarking([]byte(g.Clearance)), State: "good", Word: q.say("grant.in-force")}
	switch {
	case g.Revoked != nil:
		v.State, v.Word = "bad", q.say("grant.revoked")
	case g.Approved == "":
		v.State, v.Word = "care", q.say("grant.waits")
	case g.Suspended != nil:
		v.State, v.Word = "bad", q.say("grant.suspended")
	case q.now.Before(g.From):
		v.State, v.Word = "idle", q.say("grant.not-yet")
	case !q.now.Before(g.Until):
		v.State, v.Word = "bad", q.say("grant.expired")
	case g.Until.Sub(q.now) < 90*24*time.Hour:
		v.State, v.Word = "care", q.say("grant.ends-soon")
	}
	return v
}

func (q *request) clearanceMarking(xml []byte) Marking {
	c, err := stanag4774.ParseClearance(xml)
	if err != nil {
		return Marking{Text: q.say("marking.unknown")}
	}
	ps := q.site.node.Policies()
	m := ps.ClearanceMarking(c, q.lang, "")
	out := Marking{Text: m.Text, Class: colourClass(m.Colour)}
	p, ok := ps.Policy(c.PolicyOID)
	if !ok {
		return out
	}
	all := p.Classifications() // the lowest first
	slices.SortFunc(all, func(a, b label.Class) int { return cmp.Compare(a.Hierarchy, b.Hierarchy) })
	held := func(x label.Class) bool { return slices.Contains(c.Classifications, x.Name) }
	top := -1
	for i, x := range all {
		if held(x) {
			top = i
		}
	}
	if top < 0 || !held(all[0]) || slices.ContainsFunc(all[:top], func(x label.Class) bool { return !held(x) }) {
		return out // a set with a gap is written out: it is no ceiling
	}
	up := ps.Marking(&label.Label{PolicyOID: p.OID(), PolicyName: p.Name(), Classification: all[top].Name}, q.lang, "")
	return Marking{Text: q.say("clearance.up-to", up.Text), Class: colourClass(up.Colour)}
}

// clearanceForm is what the form of a clearance offers.
type clearanceForm struct {
	Usual    []classChoice // NATO levels that a national may be cleared up to
	Policies []policyForm
	Briefs   []valueChoice // restrictive values that a briefing may be about
	Bases    []choice
	From     string
	Until    string
	Nation   string
}

// formOf gives the form for somebody of a nation.
func (q *request) formOf(nation string) clearanceForm {
	f := clearanceForm{Policies: q.policyForms(label.Effective{}), Nation: nation,
		From: q.now.In(q.zone).Format(time.DateOnly), Until: q.now.In(q.zone).AddDate(5, 0, 0).Format(time.DateOnly)}
	ps := q.site.node.Policies()
	if p, ok := ps.Policy(label.NATO); ok {
		for _, c := range p.Classifications() {
			if _, err := policies.NationalClearance(nation, c.Name); err == nil {
				m := ps.Marking(&label.Label{PolicyOID: p.OID(), PolicyName: p.Name(), Classification: c.Name}, q.lang, "")
				f.Usual = append(f.Usual, classChoice{c.Name, m.Text, colourClass(m.Colour), c.Name == "SECRET"})
			}
		}
	}
	for _, p := range ps.All() {
		for _, set := range p.TagSets() {
			for _, tag := range set.Tags {
				for _, v := range tag.Values {
					if tag.Type == label.Restrictive && !v.Obsolete && !v.UserInput {
						f.Briefs = append(f.Briefs, valueChoice{Name: p.Name() + ": " + v.Name})
					}
				}
			}
		}
	}
	for _, b := range registry.Bases {
		f.Bases = append(f.Bases, choice{Value: b.Code, Name: q.word("basis", b.Code)})
	}
	return f
}

// requestClearance asks for a clearance; nothing changes before a second
// officer has looked at it.
func (q *request) requestClearance() error {
	c, err := q.clearanceOfForm()
	if err != nil {
		return err
	}
	xml, err := stanag4774.WriteClearance(c)
	if err != nil {
		return refused("%v", err)
	}
	from, err1 := time.ParseInLocation(time.DateOnly, q.field("from"), q.zone)
	until, err2 := time.ParseInLocation(time.DateOnly, q.field("until"), q.zone)
	if err1 != nil || err2 != nil {
		return refused("%s", q.say("grant.dates"))
	}
	g := people.Grant{Clearance: string(xml), Basis: q.field("basis"), Conditions: q.field("conditions"), Consent: q.field("consent") != "", From: from.UTC(), Until: until.UTC()}
	if g.Basis == "" {
		g.Basis = q.field("basis-words")
	}
	for _, name := range q.PostForm["briefed"] {
		policy, value, _ := strings.Cut(name, ": ")
		for _, p := range q.site.node.Policies().All() {
			if b, ok := p.Briefing(value); ok && p.Name() == policy {
				g.Briefings = append(g.Briefings, b)
			}
		}
	}
	id, err := q.site.node.People.Request(q.ctx(), q.who.Person, q.PathValue("person"), g)
	return q.afterPeople(err, address("control", "clearances", id), q.say("grant.requested"))
}

// clearanceOfForm reads a clearance: the usual one of a national up to a level,
// or in the policy's own words a set of classifications, not a ceiling, and
// category values.
func (q *request) clearanceOfForm() (*label.Clearance, error) {
	if level := q.field("usual"); level != "" {
		c, err := policies.NationalClearance(strings.ToUpper(q.field("nation")), level)
		if err != nil {
			return nil, refused("%v", err)
		}
		return c, nil
	}
	oid := q.field("policy")
	p, ok := q.site.node.Policies().Policy(oid)
	if !ok {
		return nil, refused("%s", q.say("label.choose"))
	}
	c := &label.Clearance{PolicyName: p.Name(), PolicyOID: oid, Classifications: q.PostForm["class."+oid]}
	if len(c.Classifications) == 0 {
		return nil, refused("%s", q.say("label.choose"))
	}
	for _, set := range p.TagSets() {
		wanted := q.PostForm["set."+oid+"."+set.Name]
		for _, tag := range set.Tags {
			cat := label.Category{Type: tag.Type, TagName: set.Name, TagOID: set.OID}
			for _, v := range tag.Values {
				if slices.Contains(wanted, v.Name) {
					cat.Values = append(cat.Values, v.Name)
				}
			}
			if len(cat.Values) > 0 {
				c.Categories = append(c.Categories, cat)
			}
		}
	}
	return c, nil
}

type clearancesData struct {
	Subs    []sub
	Waiting []heldView
	Held    []heldView
	States  []choice
	Counts  map[string]int
}

// heldView is a clearance with whose it is.
type heldView struct {
	Person people.Person
	clearanceView
}

// clearances lists what waits for a second officer, and every clearance that
// there is or was, those that end first on top.
func (q *request) clearances() error {
	waiting, all, err := q.everyClearance()
	if err != nil {
		return err
	}
	data := clearancesData{Subs: q.controlSubs("control.clearances"), Waiting: waiting}
	want := q.URL.Query().Get("state")
	counts := map[string]int64{}
	for _, h := range all {
		ended := h.Revoked != nil || !q.now.Before(h.Until)
		state := "now"
		if ended {
			state = "past"
		}
		counts[state]++
		if want == "past" == ended {
			data.Held = append(data.Held, h)
		}
	}
	for _, state := range []string{"now", "past"} {
		data.States = append(data.States, choice{Value: q.with("state", state), Name: q.say("clearances." + state), Count: counts[state], Here: want == state || want == "" && state == "now"})
	}
	slices.SortStableFunc(data.Held, func(a, b heldView) int { return a.Until.Compare(b.Until) })
	return q.render("clearances", "place.control", q.say("control.clearances"), data)
}

func (q *request) everyClearance() (waiting, all []heldView, err error) {
	list, err := q.site.node.People.List(q.ctx())
	if err != nil {
		return nil, nil, err
	}
	byID := map[string]people.Person{}
	for _, p := range list {
		byID[p.ID] = p
		for _, g := range q.clearanceViews(p) {
			all = append(all, heldView{p, g})
		}
	}
	pending, err := q.site.node.People.Waiting(q.ctx())
	for _, w := range pending {
		waiting = append(waiting, heldView{byID[w.Person], q.clearanceView(w.Grant)})
	}
	return waiting, all, err
}

type clearanceData struct {
	Subs []sub
	heldView
	Pending    bool
	MayDecide  bool
	MayChange  bool
	Whose      string // whose turn it is, in words
	BasisTitle string
	Classes    []classChoice
	Categories []label.Category
	Policy     string
	Attested   []attestedView
}

// clearance is one clearance whole: what it lets its holder see, what it rests
// on, who asked and who agreed, and what rests on it.
func (q *request) clearance() error {
	waiting, all, err := q.everyClearance()
	if err != nil {
		return err
	}
	id := q.PathValue("grant")
	find := func(list []heldView) *heldView {
		if i := slices.IndexFunc(list, func(h heldView) bool { return h.ID == id }); i >= 0 {
			return &list[i]
		}
		return nil
	}
	data := clearanceData{Subs: q.controlSubs("control.clearances")}
	officer := q.who.Has(people.SecurityOfficer)
	if h := find(waiting); h != nil {
		data.heldView, data.Pending = *h, true
		data.MayDecide = officer && h.Requested != q.who.ReaderID() && h.Person.ID != q.who.ID
		data.Whose = q.say("clearances.second")
	} else if h := find(all); h != nil {
		data.heldView = *h
		data.MayChange = officer && h.Revoked == nil
		data.MayDecide = h.Suspended != nil && h.Suspended.By != q.who.ReaderID() && h.Person.ID != q.who.ID
		if h.Suspended != nil {
			data.Whose = q.say("clearance.resume.second")
		}
	} else {
		return errNotFound
	}
	data.BasisTitle = q.word("basis", data.Basis)
	if c, err := stanag4774.ParseClearance([]byte(data.Clearance)); err == nil {
		data.Policy, data.Categories = c.PolicyName, c.Categories
		for _, name := range c.Classifications {
			m := q.site.node.Policies().Marking(&label.Label{PolicyOID: c.PolicyOID, PolicyName: c.PolicyName, Classification: name}, q.lang, "")
			data.Classes = append(data.Classes, classChoice{Name: name, Marking: m.Text, Class: colourClass(m.Colour)})
		}
	}
	if officer {
		given, err := q.attestedViews()
		if err != nil {
			return err
		}
		data.Attested = slices.DeleteFunc(given, func(a attestedView) bool { return !slices.Contains(a.Grants, id) })
	}
	return q.render("clearance", "place.control", q.say("clearance.of", data.Person.Name), data)
}

// changeClearance decides a request, or suspends, resumes or revokes what is in
// force.
func (q *request) changeClearance() error {
	reg, by, id, why := q.site.node.People, q.who.Person, q.PathValue("grant"), q.field("why")
	person := q.field("person")
	var err error
	said, to := "", address("control", "clearances", id)
	switch q.field("do") {
	case "approve":
		err, said = reg.Approve(q.ctx(), by, id), q.say("grant.approved")
	case "refuse":
		err, said, to = reg.Refuse(q.ctx(), by, id, why), q.say("grant.refused"), "/control/clearances"
	case "suspend":
		err, said = reg.Rest(q.ctx(), by, person, id, why), q.say("grant.suspended.done")
	case "resume":
		err, said = reg.Resume(q.ctx(), by, person, id, why), q.say("grant.resumed")
	case "revoke":
		err, said = reg.Revoke(q.ctx(), by, person, id, why), q.say("grant.revoked.done")
	default:
		return refused("%s", q.say("act.unknown"))
	}
	return q.afterPeople(err, to, said)
}
