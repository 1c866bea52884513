package web

import (
	"html/template"
	"strconv"

	"causeway/internal/desk"
	"causeway/internal/httpd/web/chart"
	"causeway/internal/people"
)

type findingData struct {
	desk.Run
	Communities []communityView
	All         template.HTML
	PolicyForms []policyForm
	Way         []step
}

// findingForm asks for what makes a finding of a run: which network, its name
// and its label.
func (q *request) findingForm() error {
	if err := q.need(people.Analyst); err != nil {
		return err
	}
	res, r, err := q.site.node.Desk.Result(q.ctx(), q.who.Person, q.PathValue("run"))
	if err != nil {
		return runError(err)
	}
	start, err := q.newestLabel()
	if err != nil {
		return err
	}
	communities, err := q.communities(r, res)
	if err != nil {
		return err
	}
	return q.render("finding", "place.detect", q.say("finding.title", r.Title), findingData{Run: r, Communities: communities,
		All: chart.Mark(-1), PolicyForms: q.policyFormsOf(start), Way: q.way(2)})
}

func (q *request) finding() error {
	l, err := q.labelOfForm()
	if err != nil {
		return err
	}
	community, err := strconv.Atoi(q.field("community"))
	if err != nil {
		return refused("%s", q.say("finding.community.wrong"))
	}
	run := q.PathValue("run")
	id, err := q.site.node.Desk.Finding(q.ctx(), q.who.Person, desk.FindingRequest{Run: run, Community: community, Title: q.field("title"), Platform: q.field("platform")}, l)
	if err != nil {
		return runError(err)
	}
	return q.redirect(address("object", id), q.say("finding.done"))
}
