package web

import (
	"cmp"
	"html/template"
	"slices"
	"time"

	"causeway/coord"
	"causeway/internal/desk"
	"causeway/internal/httpd/web/chart"
)

type evidenceData struct {
	desk.Run
	A, B     string // the accounts of one edge
	Account  string // or one account
	Edge     *coord.Edge
	Posts    []pairView
	Total    int
	Ties     []tieView
	Timeline drawing
}

// pairView is one coincidence: two posts on one object.
type pairView struct {
	Object             string
	PostA, PostB       string
	TimeA, TimeB       time.Time
	Seconds            float64
	Accounts           int64
	OlderB             bool
	ObjectPosts, Shown int64
}

type tieView struct {
	Account string
	Mark    template.HTML
	Weight  int64
	Delta   float64
	Href    string
}

// evidenceShown bounds the pairs of one page; all of them are in the export.
const evidenceShown = 100

// evidence shows the posts behind an edge, or the edges of an account.
func (q *request) evidence() error {
	res, r, err := q.site.node.Desk.Result(q.ctx(), q.who.Person, q.PathValue("run"))
	if err != nil {
		return runError(err)
	}
	data := evidenceData{Run: r, A: q.URL.Query().Get("a"), B: q.URL.Query().Get("b"), Account: q.URL.Query().Get("account")}
	if data.Account != "" {
		i, ok := res.Node(data.Account)
		if !ok {
			return errNotFound
		}
		data.Ties = ties(res, r.ID, i)
		return q.render("evidence", "place.detect", data.Account, data)
	}
	i, ok := res.Edge(data.A, data.B)
	if !ok {
		return errNotFound
	}
	e := res.Edges[i]
	data.Edge, data.A, data.B = &e, res.Nodes[e.A].Account, res.Nodes[e.B].Account
	lanes := []chart.Lane{{Label: data.A, Group: res.Nodes[e.A].Community}, {Label: data.B, Group: res.Nodes[e.B].Community}}
	for ev, err := range res.Evidence(i) {
		if err != nil {
			return err
		}
		data.Total++
		if data.Total > evidenceShown {
			continue
		}
		p := pairView{Object: ev.Object, PostA: ev.ContentA, PostB: ev.ContentB, TimeA: time.UnixMicro(ev.TimeA).UTC(), TimeB: time.UnixMicro(ev.TimeB).UTC(),
			Seconds: ev.DeltaSeconds(), Accounts: ev.ObjectAccounts, OlderB: ev.OlderB, ObjectPosts: ev.ObjectPosts}
		data.Posts = append(data.Posts, p)
		lanes[0].Events = append(lanes[0].Events, chart.Event{At: p.TimeA, Title: p.Object})
		lanes[1].Events = append(lanes[1].Events, chart.Event{At: p.TimeB, Title: p.Object})
	}
	timeline := chart.Timeline{Label: q.say("evidence.timeline.label", data.A, data.B), Width: 716, LabelWidth: 150, Zone: q.zone, Lanes: lanes}
	data.Timeline = q.takeable("timeline", drawing{Title: data.A + " – " + data.B, Picture: timeline.SVG()})
	return q.render("evidence", "place.detect", q.say("evidence.title", data.A, data.B), data)
}

func ties(res *coord.Result, run string, node int) (out []tieView) {
	for _, e := range res.Edges {
		other := -1
		switch node {
		case e.A:
			other = e.B
		case e.B:
			other = e.A
		default:
			continue
		}
		n := res.Nodes[other]
		out = append(out, tieView{n.Account, chart.Mark(n.Community), e.Weight, e.MeanDelta, evidenceHref(run, res.Nodes[e.A].Account, res.Nodes[e.B].Account)})
	}
	slices.SortStableFunc(out, func(a, b tieView) int { return cmp.Compare(b.Weight, a.Weight) })
	return out
}
