package write

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"causeway/coord"
)

// attribute is one declared value of GraphML and GEXF.
type attribute struct {
	name, kind string // kind: string, long, double, boolean
	value      func(i int) string
}

func nodeAttributes(r *coord.Result) []attribute {
	return []attribute{
		{"name", "string", func(i int) string { return r.Nodes[i].Account }},
		{"posts", "long", func(i int) string { return count(r.Nodes[i].Posts) }},
		{"degree", "long", func(i int) string { return count(int64(r.Nodes[i].Degree)) }},
		{"strength", "long", func(i int) string { return count(r.Nodes[i].Strength) }},
		{"community", "string", func(i int) string { return community(r, i, i) }},
	}
}

// edgeAttributes are the contract's columns, and under coortweet that tool's
// own names beside them.
func edgeAttributes(r *coord.Result) []attribute {
	e := func(f func(e *coord.Edge) string) func(int) string {
		return func(i int) string { return f(&r.Edges[i]) }
	}
	a := []attribute{
		{"weight", "long", e(func(e *coord.Edge) string { return count(e.Weight) })},
		{"distinct_objects", "long", e(func(e *coord.Edge) string { return count(e.Objects) })},
		{"posts_a", "long", e(func(e *coord.Edge) string { return count(e.PostsA) })},
		{"posts_b", "long", e(func(e *coord.Edge) string { return count(e.PostsB) })},
		{"mean_delta_s", "double", e(func(e *coord.Edge) string { return Float(e.MeanDelta) })},
	}
	switch r.Summary.Semantics {
	case coord.CooRTweet.String():
		a = append(a,
			attribute{"avg_time_delta", "double", e(func(e *coord.Edge) string { return Float(e.MeanDelta) })},
			attribute{"n_content_id", "long", e(func(e *coord.Edge) string { return count(e.ContentsOlder) })},
			attribute{"n_content_id_y", "long", e(func(e *coord.Edge) string { return count(e.ContentsNewer) })},
			attribute{"edge_symmetry_score", "double", e(func(e *coord.Edge) string { return Float(e.Symmetry) })},
			attribute{"weight_threshold", "long", e(func(e *coord.Edge) string {
				if e.AboveThreshold {
					return "1"
				}
				return "0"
			})})
	case coord.Corrected.String():
		a = append(a,
			attribute{"p_value", "double", e(func(e *coord.Edge) string { return Float(e.P) })},
			attribute{"q_value", "double", e(func(e *coord.Edge) string { return Float(e.Q) })},
			attribute{"signals", "string", e(func(e *coord.Edge) string { return e.Signals })},
			attribute{"first_share_a", "double", e(func(e *coord.Edge) string { return Float(e.FirstShareA) })})
	}
	return a
}

// GraphML writes the network as GraphML 1.0, undirected.
func GraphML(w io.Writer, r *coord.Result) error {
	b := bufio.NewWriterSize(w, 1<<16)
	fmt.Fprint(b, xml.Header, `<graphml xmlns="http://graphml.graphdrawing.org/xmlns">`, "\n")
	nodes, edges := nodeAttributes(r), edgeAttributes(r)
	for _, a := range nodes {
		fmt.Fprintf(b, "<key id=\"n_%s\" for=\"node\" attr.name=%q attr.type=%q/>\n", a.name, a.name, a.kind)
	}
	for _, a := range edges {
		fmt.Fprintf(b, "<key id=\"e_%s\" for=\"edge\" attr.name=%q attr.type=%q/>\n", a.name, a.name, a.kind)
	}
	fmt.Fprint(b, "<graph edgedefault=\"undirected\">\n")
	data := func(prefix string, as []attribute, i int) {
		for _, a := range as {
			if v := a.value(i); v != "" {
				fmt.Fprintf(b, "<data key=\"%s_%s\">%s</data>", prefix, a.name, escape(v))
			}
		}
	}
	for i := range r.Nodes {
		fmt.Fprintf(b, "<node id=\"%s\">", escape(r.Nodes[i].Account))
		data("n", nodes, i)
		fmt.Fprint(b, "</node>\n")
	}
	for i := range r.Edges {
		fmt.Fprintf(b, "<edge source=\"%s\" target=\"%s\">", escape(r.Nodes[r.Edges[i].A].Account), escape(r.Nodes[r.Edges[i].B].Account))
		data("e", edges, i)
		fmt.Fprint(b, "</edge>\n")
	}
	fmt.Fprint(b, "</graph>\n</graphml>\n")
	return b.Flush()
}

// GEXF writes the network as GEXF 1.3 with positions, sizes and community
// colours, so that a viewer opens it drawn.
func GEXF(w io.Writer, r *coord.Result, at []coord.Point) error {
	b := bufio.NewWriterSize(w, 1<<16)
	fmt.Fprint(b, xml.Header, `<gexf xmlns="http://gexf.net/1.3" xmlns:viz="http://gexf.net/1.3/viz" version="1.3">`, "\n<graph defaultedgetype=\"undirected\">\n")
	nodes, edges := nodeAttributes(r), edgeAttributes(r)
	for _, s := range []struct {
		class string
		as    []attribute
	}{{"node", nodes}, {"edge", edges}} {
		fmt.Fprintf(b, "<attributes class=%q>", s.class)
		for _, a := range s.as {
			fmt.Fprintf(b, "<attribute id=%q title=%q type=%q/>", a.name, a.name, a.kind)
		}
		fmt.Fprint(b, "</attributes>\n")
	}
	values := func(as []attribute, i int) {
		fmt.Fprint(b, "<attvalues>")
		for _, a := range as {
			if v := a.value(i); v != "" {
				fmt.Fprintf(b, "<attvalue for=%q value=\"%s\"/>", a.name, escape(v))
			}
		}
		fmt.Fprint(b, "</attvalues>")
	}
	fmt.Fprint(b, "<nodes>\n")
	for i := range r.Nodes {
		n := &r.Nodes[i]
		fmt.Fprintf(b, "<node id=\"%s\" label=\"%s\">", escape(n.Account), escape(n.Account))
		values(nodes, i)
		var red, green, blue int
		fmt.Sscanf(Colour(n.Community), "#%02x%02x%02x", &red, &green, &blue)
		fmt.Fprintf(b, `<viz:color r="%d" g="%d" b="%d"/><viz:size value="%s"/>`, red, green, blue, Float(math.Round(100*(4+2*math.Sqrt(float64(n.Degree))))/100))
		if i < len(at) {
			fmt.Fprintf(b, `<viz:position x="%s" y="%s"/>`, Float(1000*at[i].X), Float(1000*at[i].Y))
		}
		fmt.Fprint(b, "</node>\n")
	}
	fmt.Fprint(b, "</nodes>\n<edges>\n")
	for i := range r.Edges {
		e := &r.Edges[i]
		fmt.Fprintf(b, "<edge id=\"%d\" source=\"%s\" target=\"%s\" weight=\"%d\">", i, escape(r.Nodes[e.A].Account), escape(r.Nodes[e.B].Account), e.Weight)
		values(edges, i)
		fmt.Fprint(b, "</edge>\n")
	}
	fmt.Fprint(b, "</edges>\n</graph>\n</gexf>\n")
	return b.Flush()
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
func escape(s string) string {
	if !strings.ContainsAny(s, "<>&\"'\n\r\t") && plain(s) {
		return s
	}
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder cannot fail
	return b.String()
}

func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] >= 0x80 {
			return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0xfffe || r == 0xffff })
		}
	}
	return true
}
