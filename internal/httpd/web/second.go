package web

import (
	"strings"

	"causeway/internal/desk"
	"causeway/internal/people"
)

func secondRoutes() []Route {
	return []Route{
		get("/releases", (*request).releases),
		post("/releases", (*request).decideRelease),
	}
}

type releasesData struct {
	Waiting []releaseRequest
}

// releaseRequest is a release that waits for a second officer.
type releaseRequest struct {
	desk.ReleaseRequest
	Of        item
	Partners  string
	Objects   int
	MayDecide bool
	Mine      bool
	Wanted    []Marking // the label that is asked for; none for a release
}

// releases lists what waits for a second release officer.
func (q *request) releases() error {
	if !q.who.Has(people.ReleaseOfficer) && !q.who.Has(people.SecurityOfficer) {
		return q.need(people.ReleaseOfficer)
	}
	all, err := q.site.node.Desk.Requests(q.ctx(), q.who.Person)
	if err != nil {
		return err
	}
	var data releasesData
	for _, r := range all {
		row, err := q.view().Get(q.ctx(), r.Root)
		if err != nil {
			return err
		}
		it, err := q.item(row)
		if err != nil {
			return err
		}
		var names []string
		for _, to := range r.To {
			names = append(names, q.source("partner:"+to))
		}
		var wanted []Marking
		if r.Label != "" {
			wanted = []Marking{q.markLabel([]byte(r.Label))}
		}
		mine := r.By == q.who.ReaderID()
		data.Waiting = append(data.Waiting, releaseRequest{r, it, strings.Join(names, ", "), len(r.Items), q.who.Has(people.ReleaseOfficer) && !mine, mine, wanted})
	}
	return q.render("releases", "place.today", q.say("releases.title"), data)
}

func (q *request) decideRelease() error {
	var err error
	said := ""
	switch q.field("do") {
	case "approve":
		err, said = q.site.node.Desk.ApproveRelease(q.ctx(), q.who.Person, q.field("request")), q.say("releases.approved")
	case "refuse":
		err, said = q.site.node.Desk.RefuseRelease(q.ctx(), q.who.Person, q.field("request"), q.field("why")), q.say("releases.refused")
	default:
		return refused("%s", q.say("act.unknown"))
	}
	if err != nil {
		return act(err)
	}
	return q.redirect("/releases", said)
}
