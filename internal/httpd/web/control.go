package web

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"causeway/internal/audit"
	"causeway/internal/line"
	"causeway/internal/people"
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
		get("/control/mine", (*request).mine),
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
		{"control.people", "/control/people"}, {"control.clearances", "/control/clearances"}, {"control.attestations", "/control/attestations"}, {"control.mine", "/control/mine"},
		{"control.policies", "/control/policies"}, {"control.tables", "/control/tables"}, {"control.groups", "/control/groups"},
		{"control.rules", "/control/rules"}, {"control.audit", "/control/audit"}, {"control.setup", "/control/setup"},
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
	AllRoles  []choice
	CanChange bool
	Form      clearanceForm
	Waits     []clearanceView // asked for, and not decided
	Attested  []attestedView
	Partners  []choice // to whom a clearance may be attested
	Until     string   // of an attestation, at the latest
}

func (q *request) person() error {
	p, err := q.site.node.People.Get(q.ctx(), q.PathValue("person"))
	if err != nil {
		return err
	}
	data := personData{Subs: q.controlSubs("control.people"), personView: personView{Person: p, Held: q.clearanceViews(p), State: "good"}, CanChange: q.who.Has(people.SecurityOfficer)}
	if p.Suspended != nil {
		data.State = "bad"
	}
	for _, r := range people.Roles {
		data.AllRoles = append(data.AllRoles, choice{Value: string(r), Name: q.word("role", string(r)), Here: p.Has(r)})
	}
	if data.CanChange {
		if err := q.personActs(&data); err != nil {
			return err
		}
	}
	return q.render("person", "place.control", p.Name, data)
}

// personActs adds what a security officer may do about a person's clearances.
func (q *request) personActs(data *personData) error {
	data.Form = q.formOf(data.Nation)
	waiting, err := q.site.node.People.Waiting(q.ctx())
	if err != nil {
		return err
	}
	for _, w := range waiting {
		if w.Person == data.ID {
			data.Waits = append(data.Waits, q.clearanceView(w.Grant))
		}
	}
	given, err := q.attestedViews()
	if err != nil {
		return err
	}
	data.Attested = slices.DeleteFunc(given, func(a attestedView) bool { return a.Attested.Person != data.ID })
	partners, err := q.site.node.Line.Partners(q.ctx())
	for _, p := range partners {
		if p.State == line.Active {
			data.Partners = append(data.Partners, choice{Value: p.NodeID, Name: p.Name})
		}
	}
	data.Until = q.now.In(q.zone).AddDate(0, 6, 0).Format(time.DateOnly)
	return err
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
