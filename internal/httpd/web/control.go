package web

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"causeway/internal/audit"
	"causeway/internal/people"
	"causeway/label"
	"causeway/label/stanag4774"
)

func controlRoutes() []Route {
	person := map[string]string{"person": "nobody"}
	index := map[string]string{"index": "0"}
	routes := []Route{
		get("/control", (*request).control),
		get("/control/people", (*request).peopleList),
		post("/control/people", (*request).addPerson),
		get("/control/people/{person}", (*request).person),
		post("/control/people/{person}", (*request).changePerson),
		post("/control/people/{person}/clearance", (*request).requestClearance),
		post("/control/people/{person}/revoke", (*request).revokeClearance),
		get("/control/clearances", (*request).clearances),
		post("/control/clearances", (*request).approveClearance),
		get("/control/mine", (*request).mine),
		get("/control/policies", (*request).policies),
		get("/control/policies/{oid}", (*request).policy),
		get("/control/groups", (*request).groups),
		get("/control/audit", (*request).audit),
		get("/control/audit/{index}", (*request).auditEntry),
		get("/control/audit/{index}/proof.json", (*request).auditProof),
	}
	for i, r := range routes {
		switch {
		case strings.Contains(r.Pattern, "{person}"):
			routes[i].Example = person
		case strings.Contains(r.Pattern, "{index}"):
			routes[i].Example = index
		case strings.Contains(r.Pattern, "{oid}"):
			routes[i].Example = map[string]string{"oid": label.PublicPolicy}
		}
	}
	return routes
}

// sub is one page of the place in its own navigation.
type sub struct {
	Name, Href string
	Here       bool
}

func (q *request) controlSubs(here string) (out []sub) {
	for _, s := range []struct{ name, href string }{
		{"control.people", "/control/people"}, {"control.clearances", "/control/clearances"}, {"control.mine", "/control/mine"},
		{"control.rules", "/control/rules"}, {"control.policies", "/control/policies"}, {"control.groups", "/control/groups"}, {"control.audit", "/control/audit"},
	} {
		out = append(out, sub{q.say(s.name), s.href, s.name == here})
	}
	return out
}

func (q *request) control() error { return q.redirect("/control/people", "") }

type peopleData struct {
	Subs   []sub
	People []personView
	Roles  []people.Role
	CanAdd bool
}

type personView struct {
	people.Person
	Held  []clearanceView
	State string
}

type clearanceView struct {
	people.Grant
	Marking Marking
	State   string // class
	Word    string
	Days    int
}

func (q *request) clearanceViews(p people.Person) (out []clearanceView) {
	for _, g := range p.Grants {
		v := clearanceView{Grant: g, Marking: q.clearanceMarking([]byte(g.Clearance)), State: "good", Word: q.say("grant.in-force")}
		switch {
		case g.Revoked != nil:
			v.State, v.Word = "bad", q.say("grant.revoked")
		case q.now.Before(g.From):
			v.State, v.Word = "idle", q.say("grant.not-yet")
		case !q.now.Before(g.Until):
			v.State, v.Word = "bad", q.say("grant.expired")
		case g.Until.Sub(q.now) < 90*24*time.Hour:
			v.State, v.Word = "care", q.say("grant.ends-soon")
		}
		out = append(out, v)
	}
	return out
}

func (q *request) clearanceMarking(xml []byte) Marking {
	c, err := stanag4774.ParseClearance(xml)
	if err != nil {
		return Marking{Text: q.say("marking.unknown")}
	}
	m := q.site.node.Policies().ClearanceMarking(c, q.lang, "")
	return Marking{Text: m.Text, Class: colourClass(m.Colour)}
}

func (q *request) peopleList() error {
	all, err := q.site.node.People.List(q.ctx())
	if err != nil {
		return err
	}
	data := peopleData{Subs: q.controlSubs("control.people"), Roles: people.Roles, CanAdd: q.who.Has(people.SecurityOfficer)}
	for _, p := range all {
		v := personView{Person: p, Held: q.clearanceViews(p), State: "good"}
		if p.Suspended != nil {
			v.State = "bad"
		}
		data.People = append(data.People, v)
	}
	return q.render("people", "place.control", q.say("control.people"), data)
}

func (q *request) addPerson() error {
	if err := q.need(people.SecurityOfficer); err != nil {
		return err
	}
	p := people.Person{ID: q.field("id"), Name: q.field("name"), Nation: strings.ToUpper(q.field("nation")), Roles: rolesOf(q.PostForm["role"]), Lang: q.field("lang"), Zone: q.field("zone")}
	if err := q.site.node.People.Add(q.ctx(), q.who.ReaderID(), p, q.PostFormValue("password")); err != nil {
		return act(err)
	}
	if err := q.site.node.RefreshReaders(q.ctx()); err != nil {
		return err
	}
	return q.redirect(address("control", "people", p.ID), q.say("person.added", p.Name))
}

func rolesOf(names []string) (out []people.Role) {
	for _, n := range names {
		if r := people.Role(n); slices.Contains(people.Roles, r) {
			out = append(out, r)
		}
	}
	return out
}

type personData struct {
	Subs []sub
	personView
	AllRoles    []choice
	CanChange   bool
	PolicyForms []policyForm
	From, Until string
	Recent      []audit.Entry
}

func (q *request) person() error {
	p, err := q.site.node.People.Get(q.ctx(), q.PathValue("person"))
	if err != nil {
		return err
	}
	data := personData{Subs: q.controlSubs("control.people"), personView: personView{Person: p, Held: q.clearanceViews(p), State: "good"},
		CanChange: q.who.Has(people.SecurityOfficer), From: q.now.In(q.zone).Format(time.DateOnly), Until: q.now.In(q.zone).AddDate(5, 0, 0).Format(time.DateOnly)}
	if p.Suspended != nil {
		data.State = "bad"
	}
	for _, r := range people.Roles {
		data.AllRoles = append(data.AllRoles, choice{Value: string(r), Name: q.word("role", string(r)), Here: p.Has(r)})
	}
	if data.CanChange {
		data.PolicyForms = q.policyForms(label.Effective{})
	}
	return q.render("person", "place.control", p.Name, data)
}

// changePerson sets roles, suspends or reinstates.
func (q *request) changePerson() error {
	if err := q.need(people.SecurityOfficer); err != nil {
		return err
	}
	id, reg := q.PathValue("person"), q.site.node.People
	var err error
	switch q.field("do") {
	case "roles":
		err = reg.SetRoles(q.ctx(), q.who.ReaderID(), id, rolesOf(q.PostForm["role"]))
	case "suspend":
		err = reg.Suspend(q.ctx(), q.who.ReaderID(), id, q.field("why"))
	case "reinstate":
		err = reg.Reinstate(q.ctx(), q.who.ReaderID(), id)
	default:
		return refused("%s", q.say("act.unknown"))
	}
	return q.afterPeople(err, address("control", "people", id), q.say("person.changed"))
}

// afterPeople tells the vault who reads now, once an act on people is through.
func (q *request) afterPeople(err error, to, said string) error {
	if err != nil {
		return act(err)
	}
	if err := q.site.node.RefreshReaders(q.ctx()); err != nil {
		return err
	}
	return q.redirect(to, said)
}

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
	id := q.PathValue("person")
	_, err = q.site.node.People.Request(q.ctx(), q.who.Person, id, people.Grant{Clearance: string(xml), Basis: q.field("basis"), Conditions: q.field("conditions"),
		From: from.UTC(), Until: until.UTC()})
	return q.afterPeople(err, address("control", "people", id), q.say("grant.requested"))
}

// clearanceOfForm reads a clearance in the policy's own words: a set of
// classifications, not a ceiling, and category values.
func (q *request) clearanceOfForm() (*label.Clearance, error) {
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

func (q *request) revokeClearance() error {
	id := q.PathValue("person")
	err := q.site.node.People.Revoke(q.ctx(), q.who.Person, id, q.field("grant"), q.field("why"))
	return q.afterPeople(err, address("control", "people", id), q.say("grant.revoked.done"))
}

type clearancesData struct {
	Subs    []sub
	Waiting []pendingView
	Ending  []endingView
}

type pendingView struct {
	people.Pending
	Marking   Marking
	MayDecide bool
}

type endingView struct {
	Person people.Person
	clearanceView
}

// clearances lists what waits for a second officer, and what ends soon.
func (q *request) clearances() error {
	waiting, err := q.site.node.People.Waiting(q.ctx())
	if err != nil {
		return err
	}
	data := clearancesData{Subs: q.controlSubs("control.clearances")}
	for _, p := range waiting {
		data.Waiting = append(data.Waiting, pendingView{p, q.clearanceMarking([]byte(p.Grant.Clearance)),
			q.who.Has(people.SecurityOfficer) && p.Grant.Requested != q.who.ReaderID() && p.Person != q.who.ID})
	}
	all, err := q.site.node.People.List(q.ctx())
	if err != nil {
		return err
	}
	for _, p := range all {
		for _, g := range q.clearanceViews(p) {
			if g.Revoked == nil {
				data.Ending = append(data.Ending, endingView{p, g})
			}
		}
	}
	slices.SortStableFunc(data.Ending, func(a, b endingView) int { return a.Until.Compare(b.Until) })
	return q.render("clearances", "place.control", q.say("control.clearances"), data)
}

func (q *request) approveClearance() error {
	err := q.site.node.People.Approve(q.ctx(), q.who.Person, q.field("grant"))
	return q.afterPeople(err, "/control/clearances", q.say("grant.approved"))
}

type mineData struct {
	Subs  []sub
	Held  []clearanceView
	Atoms []string
	Roles []string
}

// mine answers "why can I not?": what the reader holds, in full. What a hidden
// object would take is not said, since saying it would show that it exists.
func (q *request) mine() error {
	data := mineData{Subs: q.controlSubs("control.mine"), Held: q.clearanceViews(q.who.Person), Atoms: q.who.Reader.Holdings.Atoms()}
	for _, r := range q.who.Roles {
		data.Roles = append(data.Roles, q.word("role", string(r)))
	}
	return q.render("mine", "place.control", q.say("control.mine"), data)
}

type policiesData struct {
	Subs     []sub
	Policies []policyView
}

type policyView struct {
	OID, Name, Version string
	Issued             time.Time
	Classes            []classChoice
	Sets               []label.TagSet
}

func (q *request) policyView(p *label.Policy) policyView {
	v := policyView{OID: p.OID(), Name: p.Name(), Version: p.Version(), Issued: p.Definition().Issued, Sets: p.TagSets()}
	ps := q.site.node.Policies()
	for _, c := range p.Classifications() {
		m := ps.Marking(&label.Label{PolicyOID: p.OID(), PolicyName: p.Name(), Classification: c.Name}, q.lang, "")
		v.Classes = append(v.Classes, classChoice{Name: c.Name, Marking: m.Text, Class: colourClass(m.Colour)})
	}
	return v
}

func (q *request) policies() error {
	data := policiesData{Subs: q.controlSubs("control.policies")}
	for _, p := range q.site.node.Policies().All() {
		data.Policies = append(data.Policies, q.policyView(p))
	}
	return q.render("policies", "place.control", q.say("control.policies"), data)
}

func (q *request) policy() error {
	p, ok := q.site.node.Policies().Policy(q.PathValue("oid"))
	if !ok {
		return errNotFound
	}
	return q.render("policy", "place.control", p.Name(), struct {
		Subs []sub
		policyView
	}{q.controlSubs("control.policies"), q.policyView(p)})
}

type groupsData struct {
	Subs   []sub
	Groups []groupView
}

type groupView struct {
	Name   string
	Epochs []label.Epoch
	Now    string
}

func (q *request) groups() error {
	data := groupsData{Subs: q.controlSubs("control.groups")}
	for _, g := range q.site.node.Policies().Groups().All() {
		v := groupView{Name: g.Name, Epochs: slices.Clone(g.Epochs)}
		if e, ok := g.At(q.now); ok {
			v.Now = e.Name
		}
		slices.Reverse(v.Epochs)
		data.Groups = append(data.Groups, v)
	}
	return q.render("groups", "place.control", q.say("control.groups"), data)
}

type auditData struct {
	Subs        []sub
	Entries     []audit.Entry
	Size        int64
	Checkpoint  string
	First, Next string
}

// auditShown is how many entries a page of the log holds.
const auditShown = 100

// audit lists the log as the reader may see it, newest first.
//
// Only a security officer may: the numbers of entries tell how much happened
// that a person may not see.
func (q *request) audit() error {
	if err := q.need(people.SecurityOfficer); err != nil {
		return err
	}
	data := auditData{Subs: q.controlSubs("control.audit")}
	var err error
	if data.Size, err = q.site.node.Vault.LogSize(q.ctx()); err != nil {
		return err
	}
	end := data.Size
	if n, err := strconv.ParseInt(q.URL.Query().Get("before"), 10, 64); err == nil && n > 0 && n < end {
		end = n
		data.First = q.with("before", "")
	}
	from := max(0, end-auditShown)
	entries, _, err := q.view().AuditEntries(q.ctx(), from, int(end-from))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Index < end {
			data.Entries = append(data.Entries, e)
		}
	}
	slices.SortFunc(data.Entries, func(a, b audit.Entry) int { return cmp.Compare(b.Index, a.Index) })
	if from > 0 {
		data.Next = q.with("before", strconv.FormatInt(from, 10))
	}
	if data.Checkpoint, err = q.site.node.Vault.Signed(q.ctx()); err != nil {
		return err
	}
	return q.render("audit", "place.control", q.say("control.audit"), data)
}

// entryOf reads one entry that the reader may see.
func (q *request) entryOf() (audit.Entry, error) {
	if err := q.need(people.SecurityOfficer); err != nil {
		return audit.Entry{}, err
	}
	index, err := strconv.ParseInt(q.PathValue("index"), 10, 64)
	if err != nil || index < 0 {
		return audit.Entry{}, errNotFound
	}
	entries, _, err := q.view().AuditEntries(q.ctx(), index, 1)
	if err != nil {
		return audit.Entry{}, err
	}
	if len(entries) == 0 || entries[0].Index != index {
		return audit.Entry{}, errNotFound
	}
	return entries[0], nil
}

type auditEntryData struct {
	Subs    []sub
	Entry   audit.Entry
	Proof   *audit.Proof
	Pretty  string
	Unproof string // why there is no proof yet
}

func (q *request) auditEntry() error {
	e, err := q.entryOf()
	if err != nil {
		return err
	}
	data := auditEntryData{Subs: q.controlSubs("control.audit"), Entry: e}
	if data.Proof, err = q.site.node.Vault.Prove(q.ctx(), e.Index); err != nil {
		data.Unproof = err.Error()
	} else if b, err := json.MarshalIndent(data.Proof, "", "  "); err == nil {
		data.Pretty = string(b)
	}
	return q.render("audit-entry", "place.control", q.say("audit.entry", e.Index), data)
}

// auditProof gives the proof as a file that is checked offline.
func (q *request) auditProof() error {
	e, err := q.entryOf()
	if err != nil {
		return err
	}
	p, err := q.site.node.Vault.Prove(q.ctx(), e.Index)
	if err != nil {
		return act(err)
	}
	return q.json(p)
}
