package web

import (
	"io"
	"slices"
	"strings"
	"time"

	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/label"
	"causeway/label/policies"
)

func policyRoutes() []Route {
	routes := []Route{
		get("/control/policies", (*request).policies),
		post("/control/policies", (*request).loadPolicy),
		post("/control/policies/confirm", (*request).confirmPolicies),
		get("/control/policies/{oid}", (*request).policy),
		post("/control/policies/{oid}", (*request).signFact),
	}
	for i, r := range routes {
		if strings.Contains(r.Pattern, "{oid}") {
			routes[i].Example = map[string]string{"oid": label.PublicPolicy}
		}
	}
	return routes
}

type policiesData struct {
	Subs      []sub
	Policies  []policyView
	Loaded    []node.LoadedPolicy
	Confirmed *node.SignedFact
	Facts     []factView
	CanChange bool
	Draft     *policyDraft
	Refused   string // why the last file was refused
}

type policyView struct {
	OID, Name, Version string
	Issued             time.Time
	Classes            []classChoice
	Sets               []label.TagSet
	Origin             string // shipped, or loaded by whom
	Open               int    // assumed facts that nobody signed
}

// policyDraft is a file that is looked at before it decides anything.
type policyDraft struct {
	policyView
	Old        string // version that it takes the place of
	Gone, Came []string
	File       string
	Source     string
}

// factView is something that a policy takes for true and no public source
// confirms.
type factView struct {
	policies.Fact
	Name, Text string // the policy's name, and the fact in words
	Signed     *node.SignedFact
	Done       bool // signed, or data that states it is
	Href       string
}

func (q *request) policyView(p *label.Policy) policyView {
	v := policyView{OID: p.OID(), Name: p.Name(), Version: p.Version(), Issued: p.Definition().Issued, Sets: p.TagSets(), Origin: q.say("policies.shipped")}
	ps := q.site.node.Policies()
	for _, c := range p.Classifications() {
		m := ps.Marking(&label.Label{PolicyOID: p.OID(), PolicyName: p.Name(), Classification: c.Name}, q.lang, "")
		v.Classes = append(v.Classes, classChoice{Name: c.Name, Marking: m.Text, Class: colourClass(m.Colour)})
	}
	return v
}

// facts lists what is assumed, of one policy or of all.
func (q *request) facts(oid string) (out []factView, err error) {
	signed, _, err := q.site.node.SignedFacts(q.ctx())
	if err != nil {
		return nil, err
	}
	tables, err := q.site.node.TablesInForce(q.ctx(), q.now)
	if err != nil {
		return nil, err
	}
	for _, f := range policies.Assumed {
		if oid != "" && f.Policy != oid {
			continue
		}
		v := factView{Fact: f, Name: q.policyName(f.Policy), Text: q.word("fact", f.ID), Href: address("control", "policies", f.Policy)}
		if s, ok := signed[f.ID]; ok {
			v.Signed, v.Done = &s, true
		}
		switch f.ID {
		case "nato-7nnn":
			v.Href = address("control", "groups", "7NNN")
			for _, g := range q.site.node.Policies().Groups().All() {
				e, ok := g.At(q.now)
				v.Done = v.Done || g.Name == "7NNN" && ok && e.Signer != ""
			}
		case "nato-jpn-table":
			v.Href = "/control/tables"
			v.Done = slices.ContainsFunc(tables, func(t label.Table) bool { return t.From == policies.NATO && t.To == policies.Japan })
		}
		out = append(out, v)
	}
	return out, nil
}

func (q *request) policies() error { return q.showPolicies(nil, "") }

func (q *request) showPolicies(draft *policyDraft, why string) error {
	data := policiesData{Subs: q.controlSubs("control.policies"), CanChange: q.who.Has(people.SecurityOfficer), Draft: draft, Refused: why}
	var err error
	if data.Facts, err = q.facts(""); err != nil {
		return err
	}
	if data.Loaded, err = q.site.node.LoadedPolicies(q.ctx()); err != nil {
		return err
	}
	if _, data.Confirmed, err = q.site.node.SignedFacts(q.ctx()); err != nil {
		return err
	}
	for _, p := range q.site.node.Policies().All() {
		v := q.policyView(p)
		for _, l := range data.Loaded {
			if l.OID == v.OID && l.Version == v.Version {
				v.Origin = q.say("policies.loaded-by", l.By, l.Source)
			}
		}
		for _, f := range data.Facts {
			if f.Policy == v.OID && !f.Done {
				v.Open++
			}
		}
		data.Policies = append(data.Policies, v)
	}
	return q.render("policies", "place.control", q.say("control.policies"), data)
}

// loadPolicy looks at a SPIF file, and with the second step puts it in force. A
// refused file is shown with the reason, and nothing is kept of it.
func (q *request) loadPolicy() error {
	if err := q.need(people.SecurityOfficer); err != nil {
		return err
	}
	file := []byte(q.PostFormValue("spif"))
	source := q.field("source")
	if q.field("do") == "load" {
		change, err := q.site.node.SetPolicy(q.ctx(), q.who.Person, file, source)
		if err != nil {
			return q.showPolicies(nil, err.Error())
		}
		return q.redirect(address("control", "policies", change.New.OID()), q.say("policies.loaded", change.New.Name(), change.New.Version()))
	}
	f, _, err := q.FormFile("file")
	if err != nil {
		return refused("%s", q.say("policies.no-file"))
	}
	defer f.Close()
	if file, err = io.ReadAll(io.LimitReader(f, largestForm/2)); err != nil {
		return err
	}
	change, err := q.site.node.PreviewPolicy(q.ctx(), file)
	if err != nil {
		return q.showPolicies(nil, err.Error())
	}
	draft := &policyDraft{policyView: q.policyView(change.New), Gone: change.Gone, Came: change.Came, File: string(file), Source: source}
	for i, c := range change.New.Classifications() { // not in force yet: no markings, its own names
		draft.Classes[i].Marking = c.Name
	}
	if change.Old != nil {
		draft.Old = change.Old.Version()
	}
	return q.showPolicies(draft, "")
}

// confirmPolicies records that the officer looked at what decides here.
func (q *request) confirmPolicies() error {
	if err := q.site.node.ConfirmPolicies(q.ctx(), q.who.Person); err != nil {
		return act(err)
	}
	to := "/control/policies"
	if left, err := q.unfinished(); err == nil && left > 0 {
		to = "/control/setup"
	}
	return q.redirect(to, q.say("policies.confirmed"))
}

func (q *request) policy() error {
	p, ok := q.site.node.Policies().Policy(q.PathValue("oid"))
	if !ok {
		return errNotFound
	}
	facts, err := q.facts(p.OID())
	if err != nil {
		return err
	}
	return q.render("policy", "place.control", p.Name(), struct {
		Subs []sub
		policyView
		Facts     []factView
		CanChange bool
	}{q.controlSubs("control.policies"), q.policyView(p), facts, q.who.Has(people.SecurityOfficer)})
}

// signFact takes responsibility for an assumed fact.
func (q *request) signFact() error {
	if err := q.site.node.SignFact(q.ctx(), q.who.Person, q.field("fact"), q.field("source")); err != nil {
		return act(err)
	}
	return q.redirect(address("control", "policies", q.PathValue("oid")), q.say("policies.fact-signed"))
}
