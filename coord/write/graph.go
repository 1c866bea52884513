package write

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"causeway/coord"
)

// attribute is one declared value of GraphML and GEXF. put appends the value,
// escaped, and nothing where there is none.
type attribute struct {
	name, kind string // kind: string, long, double, boolean
	put        func(b []byte, i int) []byte
}

func textOf(f func(i int) string) func([]byte, int) []byte {
	return func(b []byte, i int) []byte { return appendXML(b, f(i)) }
}

func countOf(f func(i int) int64) func([]byte, int) []byte {
	return func(b []byte, i int) []byte { return strconv.AppendInt(b, f(i), 10) }
}

func floatOf(f func(i int) float64) func([]byte, int) []byte {
	return func(b []byte, i int) []byte { return appendFloat(b, f(i)) }
}

func nodeAttributes(r *coord.Result) []attribute {
	return []attribute{
		{"name", "string", textOf(func(i int) string { return r.Nodes[i].Account })},
		{"posts", "long", countOf(func(i int) int64 { return r.Nodes[i].Posts })},
		{"degree", "long", countOf(func(i int) int64 { return int64(r.Nodes[i].Degree) })},
		{"strength", "long", countOf(func(i int) int64 { return r.Nodes[i].Strength })},
		{"community", "string", textOf(func(i int) string { return community(r, i, i) })},
	}
}

// edgeAttributes are the contract's columns, and under coortweet that tool's
// own names beside them.
func edgeAttributes(r *coord.Result) []attribute {
	whole := func(f func(e *coord.Edge) int64) func([]byte, int) []byte {
		return countOf(func(i int) int64 { return f(&r.Edges[i]) })
	}
	real := func(f func(e *coord.Edge) float64) func([]byte, int) []byte {
		return floatOf(func(i int) float64 { return f(&r.Edges[i]) })
	}
	a := []attribute{
		{"weight", "long", whole(func(e *coord.Edge) int64 { return e.Weight })},
		{"distinct_objects", "long", whole(func(e *coord.Edge) int64 { return e.Objects })},
		{"posts_a", "long", whole(func(e *coord.Edge) int64 { return e.PostsA })},
		{"posts_b", "long", whole(func(e *coord.Edge) int64 { return e.PostsB })},
		{"mean_delta_s", "double", real(func(e *coord.Edge) float64 { return e.MeanDelta })},
	}
	switch r.Summary.Semantics {
	case coord.CooRTweet.String():
		a = append(a,
			attribute{"avg_time_delta", "double", real(func(e *coord.Edge) float64 { return e.MeanDelta })},
			attribute{"n_content_id", "long", whole(func(e *coord.Edge) int64 { return e.ContentsOlder })},
			attribute{"n_content_id_y", "long", whole(func(e *coord.Edge) int64 { return e.ContentsNewer })},
			attribute{"edge_symmetry_score", "double", real(func(e *coord.Edge) float64 { return e.Symmetry })},
			attribute{"weight_threshold", "long", whole(func(e *coord.Edge) int64 {
				if e.AboveThreshold {
					return 1
				}
				return 0
			})})
	case coord.Corrected.String():
		a = append(a,
			attribute{"p_value", "double", real(func(e *coord.Edge) float64 { return e.P })},
			attribute{"q_value", "double", real(func(e *coord.Edge) float64 { return e.Q })},
			attribute{"signals", "string", textOf(func(i int) string { return r.Edges[i].Signals })},
			attribute{"apart", "string", textOf(func(i int) string { return r.Edges[i].Apart })},
			attribute{"first_share_a", "double", real(func(e *coord.Edge) float64 { return e.FirstShareA })})
	}
	return a
}

// values appends what before, the value and after make of each attribute that
// has one; before is made once for each.
func values(b []byte, as []attribute, before []string, after string, i int) []byte {
	for j := range as {
		start := len(b)
		b = append(b, before[j]...)
		from := len(b)
		if b = as[j].put(b, i); len(b) == from {
			b = b[:start]
			continue
		}
		b = append(b, after...)
	}
	return b
}

// GraphML writes the whole network as GraphML 1.0, undirected.
func GraphML(w io.Writer, r *coord.Result) error {
	l := newLines(w)
	l.b = append(l.b, xml.Header+`<graphml xmlns="http://graphml.graphdrawing.org/xmlns">`+"\n"...)
	nodes, edges := nodeAttributes(r), edgeAttributes(r)
	before := func(prefix, class string, as []attribute) (out []string) {
		for _, a := range as {
			l.b = fmt.Appendf(l.b, "<key id=\"%s_%s\" for=%q attr.name=%q attr.type=%q/>\n", prefix, a.name, class, a.name, a.kind)
			out = append(out, fmt.Sprintf("<data key=\"%s_%s\">", prefix, a.name))
		}
		return out
	}
	ofNode, ofEdge := before("n", "node", nodes), before("e", "edge", edges)
	l.b = append(l.b, "<graph edgedefault=\"undirected\">\n"...)
	for i := range r.Nodes {
		l.b = append(appendXML(append(l.b, `<node id="`...), r.Nodes[i].Account), `">`...)
		l.b = append(values(l.b, nodes, ofNode, "</data>", i), "</node>\n"...)
		if err := l.spill(); err != nil {
			return err
		}
	}
	for i := range r.Edges {
		l.b = appendXML(append(l.b, `<edge source="`...), r.Nodes[r.Edges[i].A].Account)
		l.b = append(appendXML(append(l.b, `" target="`...), r.Nodes[r.Edges[i].B].Account), `">`...)
		l.b = append(values(l.b, edges, ofEdge, "</data>", i), "</edge>\n"...)
		if err := l.spill(); err != nil {
			return err
		}
	}
	l.b = append(l.b, "</graph>\n</graphml>\n"...)
	return l.flush()
}

// GEXF writes the network as GEXF 1.3 with positions, sizes and community
// colours, so that a viewer opens it drawn. It is for looking: give it a
// network from [coord.Result.Drawn].
func GEXF(w io.Writer, r *coord.Result, at []coord.Point) error {
	l := newLines(w)
	l.b = append(l.b, xml.Header+`<gexf xmlns="http://gexf.net/1.3" xmlns:viz="http://gexf.net/1.3/viz" version="1.3">`+"\n<graph defaultedgetype=\"undirected\">\n"...)
	nodes, edges := nodeAttributes(r), edgeAttributes(r)
	before := func(class string, as []attribute) (out []string) {
		l.b = fmt.Appendf(l.b, "<attributes class=%q>", class)
		for _, a := range as {
			l.b = fmt.Appendf(l.b, "<attribute id=%q title=%q type=%q/>", a.name, a.name, a.kind)
			out = append(out, fmt.Sprintf("<attvalue for=%q value=\"", a.name))
		}
		l.b = append(l.b, "</attributes>\n"...)
		return out
	}
	ofNode, ofEdge := before("node", nodes), before("edge", edges)
	l.b = append(l.b, "<nodes>\n"...)
	for i := range r.Nodes {
		n := &r.Nodes[i]
		l.b = appendXML(append(l.b, `<node id="`...), n.Account)
		l.b = append(appendXML(append(l.b, `" label="`...), n.Account), `"><attvalues>`...)
		l.b = append(values(l.b, nodes, ofNode, `"/>`, i), "</attvalues>"...)
		var red, green, blue int
		fmt.Sscanf(Colour(n.Community), "#%02x%02x%02x", &red, &green, &blue)
		l.b = fmt.Appendf(l.b, `<viz:color r="%d" g="%d" b="%d"/><viz:size value="%s"/>`, red, green, blue, Float(math.Round(100*(4+2*math.Sqrt(float64(n.Degree))))/100))
		if i < len(at) {
			l.b = fmt.Appendf(l.b, `<viz:position x="%s" y="%s"/>`, Float(1000*at[i].X), Float(1000*at[i].Y))
		}
		l.b = append(l.b, "</node>\n"...)
		if err := l.spill(); err != nil {
			return err
		}
	}
	l.b = append(l.b, "</nodes>\n<edges>\n"...)
	for i := range r.Edges {
		e := &r.Edges[i]
		l.b = append(strconv.AppendInt(append(l.b, `<edge id="`...), int64(i), 10), `" source="`...)
		l.b = append(appendXML(l.b, r.Nodes[e.A].Account), `" target="`...)
		l.b = append(appendXML(l.b, r.Nodes[e.B].Account), `" weight="`...)
		l.b = append(strconv.AppendInt(l.b, e.Weight, 10), `"><attvalues>`...)
		l.b = append(values(l.b, edges, ofEdge, `"/>`, i), "</attvalues></edge>\n"...)
		if err := l.spill(); err != nil {
			return err
		}
	}
	l.b = append(l.b, "</edges>\n</graph>\n</gexf>\n"...)
	return l.flush()
}

// palette is Okabe and Ito's, safe for colour-blind readers; grey is for
// accounts of small communities.
var palette = []string{"#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442"}

// Colour is the colour of a community by its place, largest first.
func Colour(community int) string {
	if community < 0 || community >= len(palette) {
		return "#999999"
	}
	return palette[community]
}

// escape makes s safe as XML text or attribute; characters that XML cannot
// hold become U+FFFD.
func escape(s string) string { return string(appendXML(nil, s)) }

// appendXML is escape, appended.
func appendXML(b []byte, s string) []byte {
	if plain(s) {
		return append(b, s...)
	}
	var t strings.Builder
	_ = xml.EscapeText(&t, []byte(s)) // a Builder cannot fail
	return append(b, t.String()...)
}

// special are the ASCII characters that must be escaped.
var special = func() (t [128]bool) {
	for c := range 0x20 {
		t[c] = true
	}
	for _, c := range "<>&\"'" {
		t[c] = true
	}
	return t
}()

func plain(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return utf8.ValidString(s) && !strings.ContainsAny(s, "<>&\"'") && !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0xfffe || r == 0xffff })
		}
		if special[s[i]] {
			return false
		}
	}
	return true
}
