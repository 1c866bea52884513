package write

import (
	"cmp"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"causeway/coord"
)

// Report writes one HTML page that needs nothing else: the verdict, the
// network drawn, when it was in sync, what it shared, the strongest edges, the
// best of what was not reported, and everything needed to repeat the run.
// It is meant to be printed. drawn is the network as [coord.Result.Drawn] gives
// it, at its layout, and d what [Evidence] saw.
func Report(w io.Writer, r, drawn *coord.Result, at []coord.Point, d *Digest) error {
	objects := d.top(25)
	return reportPage.Execute(w, map[string]any{
		"R": r, "S": r.Summary, "Network": template.HTML(Drawing(drawn, at, 960)), "Timeline": template.HTML(timeline(d.times)),
		"Objects": objects, "ObjectCount": len(d.objects), "Edges": strongest(r, 50),
		"Candidates": r.Candidates[:min(len(r.Candidates), 20)], "Networks": networks(r),
	})
}

// strongest are the n best edges: by p-value, then weight, then place.
func strongest(r *coord.Result, n int) (best []int) {
	order := func(a, b int) int {
		x, y := &r.Edges[a], &r.Edges[b]
		return cmp.Or(cmp.Compare(nanLast(x.P), nanLast(y.P)), cmp.Compare(y.Weight, x.Weight), cmp.Compare(a, b))
	}
	for i := range r.Edges {
		if len(best) == n && order(i, best[n-1]) > 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(best, i, order)
		best = slices.Insert(best, at, i)
		best = best[:min(len(best), n)]
	}
	return best
}

func nanLast(f float64) float64 {
	if math.IsNaN(f) {
		return 2
	}
	return f
}

// topObject is one object on which the network was in sync.
type topObject struct {
	Kind            coord.Kind
	Object          string
	Edges           int
	Posts, Accounts int64
	First, Last     int64
}

// Digest is what a report needs of the evidence, gathered while it is written.
type Digest struct {
	objects map[objectKey]*digested
	times   []int64 // of the older post of each coincidence
}

type objectKey struct {
	kind   coord.Kind
	object string
}

type digested struct {
	topObject
	edge int // the last edge counted
}

func (d *Digest) add(e *coord.Evidence) {
	first, last := min(e.TimeA, e.TimeB), max(e.TimeA, e.TimeB)
	d.times = append(d.times, first)
	k := objectKey{e.Kind, e.Object}
	o := d.objects[k]
	if o == nil {
		o = &digested{topObject{Kind: e.Kind, Object: e.Object, Posts: e.ObjectPosts, Accounts: e.ObjectAccounts, First: first, Last: last}, -1}
		d.objects[k] = o
	}
	if o.edge != e.Edge {
		o.edge = e.Edge
		o.Edges++
	}
	o.First, o.Last = min(o.First, first), max(o.Last, last)
}

// top are the n objects behind most edges.
func (d *Digest) top(n int) []topObject {
	out := make([]topObject, 0, len(d.objects))
	for _, o := range d.objects {
		out = append(out, o.topObject)
	}
	slices.SortFunc(out, func(a, b topObject) int {
		return cmp.Or(cmp.Compare(b.Edges, a.Edges), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Object, b.Object))
	})
	return out[:min(len(out), n)]
}

type networkRow struct {
	ID              string
	Accounts, Edges int
	Weight          int64
	WorstQ          float64
	Colour, Shape   string
	Members         string
}

func networks(r *coord.Result) []networkRow {
	worst := make([]float64, len(r.Communities))
	for i := range worst {
		worst[i] = math.NaN()
	}
	for _, e := range r.Edges {
		if c := r.Nodes[e.A].Community; c == r.Nodes[e.B].Community && !math.IsNaN(e.Q) && !(worst[c] >= e.Q) {
			worst[c] = e.Q
		}
	}
	var out []networkRow
	for i, c := range r.Communities[:min(len(r.Communities), 25)] {
		names := make([]string, 0, 12)
		for _, m := range c.Members[:min(len(c.Members), 12)] {
			names = append(names, r.Nodes[m].Account)
		}
		text := strings.Join(names, ", ")
		if n := len(c.Members) - len(names); n > 0 {
			text += fmt.Sprintf(" and %d more", n)
		}
		out = append(out, networkRow{c.ID, len(c.Members), c.Edges, c.Weight, worst[i], Colour(i), shapeName(i), text})
	}
	return out
}

func clockText(us int64) string { return time.UnixMicro(us).UTC().Format("2006-01-02 15:04:05") }

var reportPage = template.Must(template.New("report").Funcs(template.FuncMap{
	"time": clockText, "float": Float,
	"node": func(r *coord.Result, i int) string { return r.Nodes[i].Account },
	"edge": func(r *coord.Result, i int) *coord.Edge { return &r.Edges[i] },
	"odds": func(f float64) string {
		if math.IsNaN(f) {
			return "–"
		}
		return fmt.Sprintf("%.2g", f)
	},
}).Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Coordination: {{.S.Verdict}}</title>
<style>
:root{color-scheme:light}
body{font:15px/1.55 system-ui,sans-serif;color:#1a1a1a;background:#fff;margin:0 auto;max-width:62rem;padding:0 1.5rem 3rem}
.mark{background:#444;color:#fff;text-align:center;font-size:13px;padding:.3rem;margin:0 -1.5rem}
h1{font-size:1.7rem;margin:1.5rem 0 .2rem}h2{font-size:1.15rem;margin:2.2rem 0 .5rem;border-bottom:1px solid #ccc;break-after:avoid}
.lead{font-size:1.05rem;margin:.2rem 0 1rem}
table{border-collapse:collapse;width:100%;font-size:13px}th,td{text-align:left;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #e4e4e4;vertical-align:top;overflow-wrap:anywhere}
th{font-weight:600}td:first-child,th:first-child,td:nth-child(2){min-width:5.5rem}td.n,th.n{text-align:right;white-space:nowrap;overflow-wrap:normal}
svg{max-width:100%;height:auto;display:block;border:1px solid #ddd}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1.2rem;font-size:13px;margin:0}dt{color:#555}dd{margin:0;overflow-wrap:anywhere}
.note{background:#f4f1e8;padding:.6rem .9rem;margin:.5rem 0}
@media print{body{max-width:none;padding:0;font-size:11pt}.mark{margin:0}table,svg{break-inside:auto}tr{break-inside:avoid}}
</style></head><body>
<div class="mark">NOT LABELLED: label before it leaves the node</div>
<h1>{{.S.Verdict}}</h1>
<p class="lead">{{.S.Reason}}.</p>
<p>{{.S.Input.Rows}} posts of {{.S.Input.Accounts}} accounts on {{.S.Input.Objects}} objects{{with .S.Input.FirstTime}}, {{.}} to {{$.S.Input.LastTime}}{{end}}. {{len .R.Edges}} edges between {{len .R.Nodes}} accounts in {{len .R.Communities}} networks.</p>
{{range .S.Notes}}<p class="note">{{.}}</p>{{end}}
{{if .R.Nodes}}
<h2>The network</h2>
{{.Network}}
<p>Colour and shape tell networks apart; size is the number of ties; thicker lines are stronger.</p>
<table><thead><tr><th>Network</th><th>Drawn as</th><th class="n">Accounts</th><th class="n">Edges</th><th class="n">Weight</th><th class="n">Largest q</th><th>Members</th></tr></thead><tbody>
{{range .Networks}}<tr><td>{{.ID}}</td><td><span style="color:{{.Colour}}">■</span> {{.Shape}}</td><td class="n">{{.Accounts}}</td><td class="n">{{.Edges}}</td><td class="n">{{.Weight}}</td><td class="n">{{odds .WorstQ}}</td><td>{{.Members}}</td></tr>
{{end}}</tbody></table>
<h2>When it was in sync</h2>
{{.Timeline}}
<h2>What it shared</h2>
<p>The {{len .Objects}} objects behind most edges, of {{.ObjectCount}}.</p>
<table><thead><tr><th>Kind</th><th>Object</th><th class="n">Edges</th><th class="n">Posts</th><th class="n">Accounts</th><th>First in sync (UTC)</th><th>Last</th></tr></thead><tbody>
{{range .Objects}}<tr><td>{{.Kind}}</td><td>{{.Object}}</td><td class="n">{{.Edges}}</td><td class="n">{{.Posts}}</td><td class="n">{{if .Accounts}}{{.Accounts}}{{else}}–{{end}}</td><td>{{time .First}}</td><td>{{time .Last}}</td></tr>
{{end}}</tbody></table>
<h2>The strongest edges</h2>
<table><thead><tr><th>Accounts</th><th class="n">Weight</th><th class="n">Objects in sync</th><th class="n">Shared</th><th class="n">Mean delay s</th><th class="n">p</th><th class="n">q</th><th>Signals</th></tr></thead><tbody>
{{range .Edges}}{{with edge $.R .}}<tr><td>{{node $.R .A}}<br>{{node $.R .B}}</td><td class="n">{{.Weight}}</td><td class="n">{{.Objects}}</td><td class="n">{{if .SharedObjects}}{{.SharedObjects}}{{else}}–{{end}}</td><td class="n">{{printf "%.1f" .MeanDelta}}</td><td class="n">{{odds .P}}</td><td class="n">{{odds .Q}}</td><td>{{.Signals}}{{with .Declared}} declared: {{.}}{{end}}{{with .Apart}}<br>set apart: {{.}}{{end}}</td></tr>{{end}}
{{end}}</tbody></table>
{{end}}
{{if .Candidates}}
<h2>Close, and not reported</h2>
<table><thead><tr><th>Accounts</th><th class="n">Objects in sync</th><th class="n">Shared</th><th class="n">p</th><th class="n">q</th><th>Verdict</th></tr></thead><tbody>
{{range .Candidates}}<tr><td>{{.AccountA}}<br>{{.AccountB}}</td><td class="n">{{.Edge.Objects}}</td><td class="n">{{.Edge.SharedObjects}}</td><td class="n">{{odds .Edge.P}}</td><td class="n">{{odds .Edge.Q}}</td><td>{{.Verdict}}</td></tr>
{{end}}</tbody></table>
{{end}}
<h2>How to repeat this</h2>
<dl><dt>Rules</dt><dd>{{.S.Version}}, {{.S.Semantics}} semantics</dd><dt>Window</dt><dd>{{.S.WindowSeconds}} s</dd><dt>Least participation</dt><dd>{{.S.MinParticipation}}</dd>
<dt>Least weight</dt><dd>{{.S.MinWeight}}{{with .S.MinWeightReason}} ({{.}}){{end}}</dd>{{with .S.FDR}}<dt>False discovery rate</dt><dd>{{.}}</dd>{{end}}<dt>Seed</dt><dd>{{.S.Seed}}</dd>
{{with .S.Test}}<dt>Pairs tested</dt><dd>{{.Candidates}} of a family of {{printf "%.0f" .Family}}; cut-off p {{odds .Cutoff}}</dd><dt>Undecidable pairs</dt><dd>{{.Undecidable}}</dd><dt>Edges in the null replicate</dt><dd>{{.NullEdges}} ({{.NullPosts}} posts)</dd><dt>Overdispersion</dt><dd>{{odds .Overdispersed}}</dd>{{end}}
{{range .S.Input.Files}}<dt>Input</dt><dd>{{.Name}}, {{.Bytes}} bytes, SHA-256 {{.SHA256}}</dd>{{end}}</dl>
<p class="note">This is a finding, computed by a program. It is not an assessment: alternatives must be weighed by a person before anything is concluded about anybody.</p>
<div class="mark">NOT LABELLED: label before it leaves the node</div>
</body></html>
`))
