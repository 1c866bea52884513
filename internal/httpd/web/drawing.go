package web

import (
	"cmp"
	"html/template"
	"math"
	"slices"
	"time"

	"causeway/coord"
	"causeway/coord/finding"
	"causeway/internal/httpd/web/chart"
	"causeway/internal/vault"
	"causeway/stix"
	"causeway/trade/exchange"
)

// coincidence is one observation of a finding: posts of several accounts on
// one object.
type coincidence struct {
	object string
	href   string
	posts  []sighted
}

type sighted struct {
	account string
	at      time.Time
}

// coincidenceOf reads an observation that coord/finding wrote; ok is false for
// any other.
func coincidenceOf(o *stix.Object) (c coincidence, ok bool) {
	posts, _ := o.Get("extensions", finding.Extension, "posts")
	list, _ := posts.([]any)
	for _, e := range list {
		m, _ := e.(map[string]any)
		account, _ := m["account"].(string)
		text, _ := m["time"].(string)
		t, err := stix.ParseTimestamp(text)
		if account == "" || err != nil {
			continue
		}
		c.posts = append(c.posts, sighted{account, t.Time()})
	}
	c.object = o.StringAt("extensions", finding.Extension, "object")
	c.href = address("object", o.ID())
	return c, len(c.posts) > 1
}

// coincidencesRead bounds the observations that a picture is made of.
const coincidencesRead = 400

// coincidences gathers the observations behind a finding, as far as the reader
// may see them: the partner that received a finding draws it from them.
func (q *request) coincidences(o *stix.Object) ([]coincidence, error) {
	if c, ok := coincidenceOf(o); ok {
		return []coincidence{c}, nil
	}
	var ids []string
	for _, r := range o.Refs() {
		if typeOf(r.ID) == "observed-data" {
			ids = append(ids, r.ID)
		}
	}
	if o.Type() == "incident" {
		rows, err := q.view().Neighbours(q.ctx(), o.ID(), coincidencesRead)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if rel, err := objectOf(row); err == nil && typeOf(rel.StringAt("target_ref")) == "observed-data" {
				ids = append(ids, rel.StringAt("target_ref"))
			}
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	page, err := q.view().Page(q.ctx(), vault.Query{Match: vault.Match{IDs: ids[:min(len(ids), coincidencesRead)]}, Limit: coincidencesRead})
	if err != nil {
		return nil, err
	}
	var out []coincidence
	for _, row := range page.Rows {
		obs, err := objectOf(row)
		if err != nil {
			return nil, err
		}
		if c, ok := coincidenceOf(obs); ok {
			q.mark(row.Effective)
			out = append(out, c)
		}
	}
	return out, nil
}

func typeOf(id string) string {
	for i := 0; i+1 < len(id); i++ {
		if id[i] == '-' && id[i+1] == '-' {
			return id[:i]
		}
	}
	return ""
}

// drawings gives the pictures of an object: the network and the synchrony of a
// finding, else what is tied to it.
func (q *request) drawings(data *objectData, o *stix.Object) ([]drawing, error) {
	cs, err := q.coincidences(o)
	if err != nil {
		return nil, err
	}
	var out []drawing
	if len(cs) > 1 {
		out = append(out, q.findingNetwork(cs))
	}
	if len(cs) > 0 {
		out = append(out, q.synchrony(cs))
		return out, nil
	}
	if o.Type() == exchange.PlanType {
		if plan, err := exchange.ReadPlan(o); err == nil {
			v := q.planView(plan, plan.Unit)
			if v.Picture.Picture != "" {
				out = append(out, v.Picture)
			}
		}
	}
	if svg := q.star(data); svg != "" {
		out = append(out, q.takeable("around", drawing{Title: q.say("object.picture"), Picture: svg}))
	}
	return out, nil
}

// findingNetwork ties accounts that were seen on the same objects; the weight
// is the number of objects.
func (q *request) findingNetwork(cs []coincidence) drawing {
	weight := map[[2]string]int64{}
	names := map[string]bool{}
	for _, c := range cs {
		accounts := map[string]bool{}
		for _, p := range c.posts {
			accounts[p.account], names[p.account] = true, true
		}
		for a := range accounts {
			for b := range accounts {
				if a < b {
					weight[[2]string{a, b}]++
				}
			}
		}
	}
	var res coord.Result
	index := map[string]int{}
	for _, name := range sorted(names) {
		index[name] = len(res.Nodes)
		res.Nodes = append(res.Nodes, coord.Node{Account: name})
	}
	for pair, w := range weight {
		a, b := index[pair[0]], index[pair[1]]
		res.Edges = append(res.Edges, coord.Edge{A: a, B: b, Weight: w})
		res.Nodes[a].Strength += w
		res.Nodes[b].Strength += w
	}
	slices.SortFunc(res.Edges, func(x, y coord.Edge) int { return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B)) })
	at := res.Layout(1)
	n := chart.Network{Label: q.count("detect.network.label", len(res.Nodes), len(res.Edges)), Width: 716, Height: 440, Names: 10}
	for i, node := range res.Nodes {
		n.Nodes = append(n.Nodes, chart.Node{ID: node.Account, Label: node.Account, X: at[i].X, Y: at[i].Y, Size: float64(node.Strength)})
	}
	for _, e := range res.Edges {
		n.Edges = append(n.Edges, chart.Edge{A: e.A, B: e.B, Weight: float64(e.Weight), Title: q.say("detect.edge.title", res.Nodes[e.A].Account, res.Nodes[e.B].Account, e.Weight)})
	}
	return q.takeable("network", drawing{Title: q.say("object.network"), Picture: n.SVG(), Caption: q.count("object.network.caption", len(res.Nodes), len(cs))})
}

// lanesShown bounds the accounts of a timeline; the busiest are shown.
const lanesShown = 18

// synchrony puts the posts of each account on one time line: what is in step
// stands in columns.
func (q *request) synchrony(cs []coincidence) drawing {
	events := map[string][]chart.Event{}
	names := map[string]bool{}
	for _, c := range cs {
		for _, p := range c.posts {
			names[p.account] = true
			events[p.account] = append(events[p.account], chart.Event{At: p.at, Title: p.account + " · " + c.object + " · " + p.at.UTC().Format(time.RFC3339)})
		}
	}
	order := sorted(names)
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(len(events[b]), len(events[a])) })
	t := chart.Timeline{Label: q.say("object.synchrony.label"), Width: 716, LabelWidth: 130, Zone: q.zone}
	for _, name := range order[:min(len(order), lanesShown)] {
		t.Lanes = append(t.Lanes, chart.Lane{Label: name, Events: events[name]})
	}
	return q.takeable("synchrony", drawing{Title: q.say("object.synchrony"), Picture: t.SVG(), Caption: q.count("object.synchrony.caption", len(names), lanesShown)})
}

func sorted(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for s := range set {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// alone is how many objects of a kind are drawn one by one around an object;
// more of them are drawn as one mark with their number.
const alone = 4

// star draws the object with what is tied to it around it, many of a kind as
// one mark.
func (q *request) star(data *objectData) template.HTML {
	byKind := map[string][]linked{}
	var kinds []string
	for _, l := range append(append([]linked{}, data.RestsOn...), data.RestedOn...) {
		if l.object.Type() == "relationship" {
			continue
		}
		if byKind[l.Kind] == nil {
			kinds = append(kinds, l.Kind)
		}
		byKind[l.Kind] = append(byKind[l.Kind], l)
	}
	var around []chart.Node
	for i, kind := range kinds {
		group := 1 + i%(chart.Groups-1)
		if many := byKind[kind]; len(many) > alone {
			around = append(around, chart.Node{ID: kind, Label: kind + " × " + group64(len(many)), Size: 2, Group: group})
			continue
		}
		for _, l := range byKind[kind] {
			around = append(around, chart.Node{ID: l.ID, Label: clip(l.Title, 34), Size: 1, Group: group, Href: l.Href})
		}
	}
	if len(around) == 0 {
		return ""
	}
	n := chart.Star{Label: q.say("object.picture.label", data.Title), Width: 716, Height: 90 + 42*math.Ceil(float64(len(around))/2), Centre: chart.Node{ID: data.ID, Label: clip(data.Title, 40), Size: 3}, Around: around}
	return n.SVG()
}

func group64(n int) string { return group(int64(n)) }
