package web

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"slices"
	"strconv"

	"causeway/coord"
	"causeway/internal/desk"
	"causeway/internal/httpd/web/chart"
	"causeway/internal/people"
)

type networkData struct {
	desk.Run
	communityView
	Known    desk.Known
	Kinds    []string
	Accounts []accountView
	Picture  template.HTML
	Drawn    int
	Apart    []apartView
	May      bool // the reader may give it a name
}

// apartView is a reason for which ties of a network are set apart.
type apartView struct {
	Reason string
	Ties   int
}

// communityAt gives the community of a run that the address names.
func (q *request) communityAt() (*coord.Result, desk.Run, int, error) {
	res, r, err := q.site.node.Desk.Result(q.ctx(), q.who.Person, q.PathValue("run"))
	if err != nil {
		return nil, r, 0, runError(err)
	}
	n, err := strconv.Atoi(q.PathValue("number"))
	if err != nil || n < 1 || n > len(res.Communities) {
		return nil, r, 0, errNotFound
	}
	return res, r, n, nil
}

// network shows one community of a run, and lets its owner give it a name that
// stays with it.
func (q *request) network() error {
	res, r, n, err := q.communityAt()
	if err != nil {
		return err
	}
	known, err := q.site.node.Desk.KnownIn(q.ctx(), q.who.Person, r, res)
	if err != nil {
		return err
	}
	data := networkData{Run: r, Known: known[n-1], Kinds: desk.NetworkKinds, communityView: communityOf(res, n-1), May: q.who.Has(people.Analyst)}
	part := members(res, n-1)
	data.Accounts = topAccounts(part, r.ID, 200)
	data.Picture, data.Drawn = q.drawEdges(part, part.Layout(1), r.ID)
	data.Apart = apart(part)
	title := data.Known.Name
	if title == "" {
		title = q.say("network.title", n, r.Title)
	}
	return q.render("network", "place.detect", title, data)
}

// members is one community as a network of its own.
func members(res *coord.Result, c int) *coord.Result {
	part := &coord.Result{Communities: []coord.Community{res.Communities[c]}, Summary: res.Summary}
	index := map[int]int{}
	for i, m := range res.Communities[c].Members {
		index[m] = i
		part.Nodes = append(part.Nodes, res.Nodes[m])
	}
	for _, e := range res.Edges {
		a, okA := index[e.A]
		b, okB := index[e.B]
		if okA && okB {
			e.A, e.B = a, b
			part.Edges = append(part.Edges, e)
		}
	}
	return part
}

// apart counts the ties that are set apart, by reason.
func apart(res *coord.Result) (out []apartView) {
	count := map[string]int{}
	for _, e := range res.Edges {
		if e.Apart != "" {
			count[e.Apart]++
		}
	}
	for reason, n := range count {
		out = append(out, apartView{reason, n})
	}
	slices.SortFunc(out, func(a, b apartView) int { return cmp.Or(cmp.Compare(b.Ties, a.Ties), cmp.Compare(a.Reason, b.Reason)) })
	return out[:min(len(out), 10)]
}

func (q *request) nameNetwork() error {
	_, r, n, err := q.communityAt()
	if err != nil {
		return err
	}
	name := q.field("name")
	if err := q.site.node.Desk.NameNetwork(q.ctx(), q.who.Person, r.ID, n, name, q.field("kind"), q.field("note")); err != nil {
		return act(err)
	}
	said := q.say("network.named", name)
	if name == "" {
		said = q.say("network.forgotten")
	}
	return q.redirect(address("detect", r.ID, "network", strconv.Itoa(n)), said)
}

type compareData struct {
	desk.Run
	Others  []desk.Run
	With    string // id of the other run, "" while none is chosen
	Before  desk.Run
	After   desk.Run
	Differ  bool // the two were not computed alike
	Picture template.HTML
	Counts  []changeCount
	Changes []changeView
	Left    int
}

type changeCount struct {
	What string
	N    int
}

type changeView struct {
	What          string
	Name          string
	Href          string // of the network now
	Before, After int
	From, To      []string
	Known         bool
}

// Limits of the page that compares: more rows are read by nobody, more bands
// are fog.
const (
	changesShown = 60
	movesDrawn   = 14
)

// compare follows the networks of one run into another: what appeared, grew,
// merged, split and went.
func (q *request) compare() error {
	r, err := q.site.node.Desk.Run(q.ctx(), q.who.Person, q.PathValue("run"))
	if err != nil {
		return runError(err)
	}
	data := compareData{Run: r, With: q.URL.Query().Get("with")}
	all, err := q.site.node.Desk.RunsOf(q.ctx(), q.who.Person)
	if err != nil {
		return err
	}
	for _, o := range all {
		if o.ID != r.ID && o.State() == "done" {
			data.Others = append(data.Others, o)
		}
	}
	if data.With == "" {
		return q.render("compare", "place.detect", q.say("compare.title", r.Title), data)
	}
	c, err := q.site.node.Desk.Compare(q.ctx(), q.who.Person, r.ID, data.With)
	if errors.Is(err, desk.ErrSameRun) {
		return refused("%s", q.say("compare.same"))
	}
	if err != nil {
		return runError(err)
	}
	data.Before, data.After = c.Before, c.After
	data.Differ = c.Before.Window != c.After.Window || c.Before.Semantics != c.After.Semantics
	q.changes(&data, c)
	data.Picture = q.bands(c)
	return q.render("compare", "place.detect", q.say("compare.of", c.Before.Title, c.After.Title), data)
}

// changeOrder is what a reader wants to know first.
var changeOrder = []string{"born", "grew", "merged", "split", "shrank", "gone", "changed", "same"}

// changes lists what became of the networks: the known ones first, then by
// what happened and size.
func (q *request) changes(data *compareData, c desk.Comparison) {
	count := map[string]int{}
	for _, ch := range c.Changes {
		count[ch.What]++
		k, known := c.Known[ch.ID]
		v := changeView{What: ch.What, Name: q.networkName(k, ch.ID), Before: ch.Before, After: ch.After, Known: known}
		if n, ok := c.Place[ch.ID]; ok {
			v.Href = address("detect", c.After.ID, "network", strconv.Itoa(n))
		}
		for _, id := range ch.From {
			if id != ch.ID {
				v.From = append(v.From, q.networkName(c.Known[id], id))
			}
		}
		for _, id := range ch.To {
			v.To = append(v.To, q.networkName(c.Known[id], id))
		}
		v.From, v.To = v.From[:min(len(v.From), 4)], v.To[:min(len(v.To), 4)]
		data.Changes = append(data.Changes, v)
	}
	slices.SortStableFunc(data.Changes, func(a, b changeView) int {
		if a.Known != b.Known {
			if a.Known {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(slices.Index(changeOrder, a.What), slices.Index(changeOrder, b.What)), cmp.Compare(max(b.Before, b.After), max(a.Before, a.After)), cmp.Compare(a.Name, b.Name))
	})
	data.Left = max(0, len(data.Changes)-changesShown)
	data.Changes = data.Changes[:len(data.Changes)-data.Left]
	for _, what := range changeOrder {
		if count[what] > 0 {
			data.Counts = append(data.Counts, changeCount{what, count[what]})
		}
	}
}

func (q *request) networkName(k desk.Known, id string) string {
	if k.Name != "" {
		return k.Name
	}
	return shortNetwork(id)
}

// shortNetwork is enough of an id to tell networks of a page apart.
func shortNetwork(id string) string {
	if len(id) > 10 {
		return id[:10]
	}
	return id
}

// bands draws how many accounts went from where to where, the widest bands.
func (q *request) bands(c desk.Comparison) template.HTML {
	s := chart.Sankey{Label: q.say("compare.picture.label", c.Before.Title, c.After.Title), Width: 1000, Height: 420, Names: map[string]string{}}
	for _, m := range c.Moved[:min(len(c.Moved), movesDrawn)] {
		from, to := "before:"+m.From, "after:"+m.To
		f := chart.Flow{From: from, To: to, Value: float64(m.Accounts), Faint: m.From == "" || m.To == ""}
		s.Names[from], s.Names[to] = q.networkName(c.Known[m.From], m.From), q.networkName(c.Known[m.To], m.To)
		if m.From == "" {
			s.Names[from] = q.say("compare.none.before")
		}
		if m.To == "" {
			s.Names[to] = q.say("compare.none.after")
		}
		f.Title = fmt.Sprintf("%s → %s: %s", s.Names[from], s.Names[to], group64(m.Accounts))
		s.Flows = append(s.Flows, f)
	}
	if len(s.Flows) == 0 {
		return ""
	}
	return s.SVG()
}
