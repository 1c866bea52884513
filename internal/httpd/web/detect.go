package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"causeway/coord"
	"causeway/internal/desk"
	"causeway/internal/httpd/web/chart"
)

func detectRoutes() []Route {
	run := map[string]string{"run": "0000000000000000", "number": "1"}
	routes := []Route{
		get("/detect", (*request).runs),
		post("/detect", (*request).startRun),
		get("/detect/{run}", (*request).run),
		get("/detect/{run}/network.json", (*request).networkJSON),
		get("/detect/{run}/evidence", (*request).evidence),
		get("/detect/{run}/accounts", (*request).accounts),
		get("/detect/{run}/finding", (*request).findingForm),
		post("/detect/{run}/finding", (*request).finding),
		get("/detect/{run}/network/{number}", (*request).network),
		post("/detect/{run}/network/{number}", (*request).nameNetwork),
		get("/detect/{run}/compare", (*request).compare),
	}
	for i := range routes {
		if routes[i].Pattern != "/detect" {
			routes[i].Example = run
		}
	}
	return routes
}

// Limits of the still drawing: more edges are fog, and bytes.
const (
	edgesDrawn = 260
	namesDrawn = 14
)

type runsData struct {
	Runs      []desk.Run
	Semantics []string
	MaxMB     int
}

func (q *request) runs() error {
	runs, err := q.site.node.Desk.RunsOf(q.ctx(), q.who.Person)
	if err != nil {
		return err
	}
	return q.render("detect", "place.detect", q.say("place.detect"), runsData{Runs: runs, MaxMB: largestUpload >> 20,
		Semantics: []string{coord.Corrected.String(), coord.CooRTweet.String(), coord.CNT.String()}})
}

func (q *request) startRun() error {
	file, header, err := q.FormFile("posts")
	if err != nil {
		return refused("%s", q.say("detect.no-file"))
	}
	defer file.Close()
	seconds, err := strconv.ParseFloat(q.field("window"), 64)
	if err != nil || seconds <= 0 {
		return refused("%s", q.say("detect.window.wrong"))
	}
	title := q.field("title")
	if title == "" {
		title = header.Filename
	}
	r, err := q.site.node.Desk.StartRun(q.ctx(), q.who.Person, desk.RunRequest{
		Title: title, File: header.Filename, Window: time.Duration(seconds * float64(time.Second)), Semantics: q.field("semantics"),
	}, file)
	if err != nil {
		return act(err)
	}
	return q.redirect(address("detect", r.ID), "")
}

type runData struct {
	desk.Run
	Percent     int
	Network     drawing
	Drawn       int
	Communities []communityView
	Top         []accountView
	Columns     template.HTML
	Verdict     string
	Way         []step
	Here        string
}

type communityView struct {
	ID      string
	Number  int
	Mark    template.HTML
	Members int
	Edges   int
	Weight  int64
	Leaders []string
	Name    string // that a person gave it
	Kind    string
}

type accountView struct {
	Account  string
	Mark     template.HTML
	Posts    int64
	Ties     int
	Strength int64
	Href     string
}

// run shows a job's progress until it is done, then its network.
func (q *request) run() error {
	r, err := q.site.node.Desk.Run(q.ctx(), q.who.Person, q.PathValue("run"))
	if err != nil {
		return runError(err)
	}
	data := runData{Run: r, Here: address("detect", r.ID), Way: q.way(0)}
	if r.Total > 0 {
		data.Percent = int(100 * r.Done / r.Total)
	}
	if r.State() != "done" {
		return q.render("run", "place.detect", r.Title, data)
	}
	res, _, err := q.site.node.Desk.Result(q.ctx(), q.who.Person, r.ID)
	if err != nil {
		return runError(err)
	}
	data.Way = q.way(1)
	if len(r.Findings) > 0 {
		data.Way = q.way(3)
	}
	data.Verdict = q.word("verdict", res.Summary.Verdict)
	data.Network.Picture, data.Drawn = q.drawNetwork(res, r.ID)
	data.Network.Caption = q.say("run.network.caption") + " " + q.count("run.drawn", data.Drawn)
	data.Network = q.takeable("network", data.Network)
	if data.Communities, err = q.communities(r, res); err != nil {
		return err
	}
	data.Top = topAccounts(res, r.ID, 12)
	return q.render("run", "place.detect", r.Title, data)
}

func runError(err error) error {
	if errors.Is(err, desk.ErrRun) {
		return errNotFound
	}
	return act(err)
}

// drawNetwork draws the strongest edges; the island draws all of them. A
// network too large to look at is drawn as its communities.
func (q *request) drawNetwork(res *coord.Result, run string) (template.HTML, int) {
	drawn, _ := res.Drawn()
	return q.drawEdges(drawn, q.site.layout(run, drawn), run)
}

// drawEdges draws a network at its layout. Nodes of communities lead to their
// pages, accounts to their evidence.
func (q *request) drawEdges(res *coord.Result, at []coord.Point, run string) (template.HTML, int) {
	grouped := len(res.Nodes) > 0 && len(res.Nodes) == len(res.Communities) && res.Nodes[0].Community == 0 && res.Summary.Network.Nodes > coord.DrawnNodes
	order := make([]int, len(res.Edges))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(res.Edges[b].Weight, res.Edges[a].Weight) })
	order = order[:min(len(order), edgesDrawn)]
	n := chart.Network{Label: q.count("detect.network.label", len(res.Nodes), len(res.Edges)), Width: 826, Height: 600, Names: namesDrawn}
	index := map[int]int{}
	place := func(i int) int {
		if k, ok := index[i]; ok {
			return k
		}
		node := res.Nodes[i]
		index[i] = len(n.Nodes)
		href := address("detect", run, "evidence") + "?account=" + urlEscape(node.Account)
		if grouped {
			href = address("detect", run, "network", strconv.Itoa(i+1))
		}
		n.Nodes = append(n.Nodes, chart.Node{ID: node.Account, Label: node.Account, X: at[i].X, Y: at[i].Y, Size: float64(node.Strength), Group: node.Community, Href: href})
		return index[i]
	}
	for _, i := range order {
		e := res.Edges[i]
		a, b := res.Nodes[e.A].Account, res.Nodes[e.B].Account
		edge := chart.Edge{A: place(e.A), B: place(e.B), Weight: float64(e.Weight), Title: q.say("detect.edge.title", a, b, e.Weight)}
		if !grouped {
			edge.Href = evidenceHref(run, a, b)
		}
		n.Edges = append(n.Edges, edge)
	}
	return n.SVG(), len(order)
}

// layouts remembers where the nodes of the last runs were put: the page and
// the island ask for the same places one after the other.
type layouts struct {
	sync.Mutex
	runs []string // oldest first
	at   map[string][]coord.Point
}

// layoutsKept bounds how many are remembered.
const layoutsKept = 4

func (s *Site) layout(run string, res *coord.Result) []coord.Point {
	l := &s.layouts
	l.Lock()
	defer l.Unlock()
	if at, ok := l.at[run]; ok && len(at) == len(res.Nodes) {
		return at
	}
	if l.at == nil {
		l.at = map[string][]coord.Point{}
	}
	if len(l.runs) == layoutsKept {
		delete(l.at, l.runs[0])
		l.runs = l.runs[1:]
	}
	l.runs = append(l.runs, run)
	l.at[run] = res.Layout(1)
	return l.at[run]
}

func evidenceHref(run, a, b string) string {
	return address("detect", run, "evidence") + "?a=" + urlEscape(a) + "&b=" + urlEscape(b)
}

// communities are the largest of a run, with the names that their owner gave.
func (q *request) communities(r desk.Run, res *coord.Result) (out []communityView, err error) {
	known, err := q.site.node.Desk.KnownIn(q.ctx(), q.who.Person, r, res)
	if err != nil {
		return nil, err
	}
	for i := range res.Communities[:min(len(res.Communities), 30)] {
		v := communityOf(res, i)
		v.Name, v.Kind = known[i].Name, known[i].Kind
		out = append(out, v)
	}
	return out, nil
}

func communityOf(res *coord.Result, i int) communityView {
	c := res.Communities[i]
	members := slices.Clone(c.Members)
	slices.SortStableFunc(members, func(a, b int) int { return cmp.Compare(res.Nodes[b].Strength, res.Nodes[a].Strength) })
	v := communityView{ID: c.ID, Number: i + 1, Mark: chart.Mark(i), Members: len(members), Edges: c.Edges, Weight: c.Weight}
	for _, m := range members[:min(3, len(members))] {
		v.Leaders = append(v.Leaders, res.Nodes[m].Account)
	}
	return v
}

func topAccounts(res *coord.Result, run string, n int) (out []accountView) {
	order := make([]int, len(res.Nodes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(res.Nodes[b].Strength, res.Nodes[a].Strength) })
	for _, i := range order[:min(n, len(order))] {
		node := res.Nodes[i]
		out = append(out, accountView{node.Account, chart.Mark(node.Community), node.Posts, node.Degree, node.Strength,
			address("detect", run, "evidence") + "?account=" + urlEscape(node.Account)})
	}
	return out
}

// networkJSON is the whole network for the island, or its communities where it
// is too large to look at.
func (q *request) networkJSON() error {
	res, _, err := q.site.node.Desk.Result(q.ctx(), q.who.Person, q.PathValue("run"))
	if err != nil {
		return runError(err)
	}
	var out struct {
		Nodes [][]any `json:"nodes"`
		Edges [][]any `json:"edges"`
	}
	drawn, _ := res.Drawn()
	at := q.site.layout(q.PathValue("run"), drawn)
	for i, n := range drawn.Nodes {
		out.Nodes = append(out.Nodes, []any{n.Account, round3(at[i].X), round3(at[i].Y), n.Strength, n.Community})
	}
	for _, e := range drawn.Edges {
		out.Edges = append(out.Edges, []any{e.A, e.B, e.Weight})
	}
	return q.json(out)
}

func round3(v float64) json.Number { return json.Number(strconv.FormatFloat(v, 'f', 3, 64)) }

func (q *request) json(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	q.w.Header().Set("Content-Type", "application/json")
	q.w.WriteHeader(http.StatusOK)
	_, _ = q.w.Write(b) // the reader has gone away
	return nil
}

type accountsData struct {
	desk.Run
	Accounts []accountView
	Total    int
}

// accounts lists every account of the network, strongest first.
func (q *request) accounts() error {
	res, r, err := q.site.node.Desk.Result(q.ctx(), q.who.Person, q.PathValue("run"))
	if err != nil {
		return runError(err)
	}
	return q.render("accounts", "place.detect", r.Title, accountsData{r, topAccounts(res, r.ID, 500), len(res.Nodes)})
}
