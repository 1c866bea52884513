package xmltree

import (
	"strings"
	"testing"
)

var limits = Limits{Size: 4096, Depth: 8, Nodes: 64}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, doc, fails string }{
		{"empty", "", "empty"},
		{"blank", "  \n", "no element"},
		{"not UTF-8", "<a>\xff</a>", "UTF-8"},
		{"UTF-16", "\xff\xfe<\x00a\x00/\x00>\x00", "UTF-8"},
		{"other encoding declared", `<?xml version="1.0" encoding="ISO-8859-1"?><a/>`, "not well-formed"},
		{"XML 1.1", `<?xml version="1.1"?><a/>`, "not well-formed"},
		{"document type", `<!DOCTYPE a><a/>`, "document type"},
		{"entity", `<a>&b;</a>`, "not well-formed"},
		{"processing instruction", `<a><?b c?></a>`, "processing instructions"},
		{"declaration inside", `<a/><?xml version="1.0"?>`, "processing instructions"},
		{"two roots", `<a/><b/>`, "second element"},
		{"text before", `x<a/>`, "outside"},
		{"text after", `<a/>x`, "outside"},
		{"not closed", `<a>`, "not closed"},
		{"wrong end", `<a></b>`, "closes nothing"},
		{"end with another prefix", `<p:a xmlns:p="u" xmlns:q="u"></q:a>`, "closes nothing"},
		{"end without start", `<a/></a>`, "closes nothing"},
		{"attribute twice", `<a b="1" b="2"/>`, "there twice"},
		{"attribute twice by namespace", `<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>`, "there twice"},
		{"prefix not declared", `<p:a/>`, "not declared"},
		{"attribute prefix not declared", `<a p:b="1"/>`, "not declared"},
		{"prefix declared elsewhere", `<a><b xmlns:p="u"/><p:c/></a>`, "not declared"},
		{"prefix declared twice", `<a xmlns:p="u" xmlns:p="v"/>`, "declared twice"},
		{"namespace declared twice", `<a xmlns="u" xmlns="v"/>`, "declared twice"},
		{"prefix undeclared", `<a xmlns:p=""/>`, "must not be declared"},
		{"xml redeclared", `<a xmlns:xml="u"/>`, "must not be declared"},
		{"colon in a name", `<:a/>`, "not a name"},
		{"comment in text", `<a>x<!-- -->y</a>`, "comment"},
		{"too deep", strings.Repeat("<a>", 9) + strings.Repeat("</a>", 9), "deeper"},
		{"too many", "<a>" + strings.Repeat("<b/>", 64) + "</a>", "more than 64"},
		{"too large", "<a>" + strings.Repeat("x", 4096) + "</a>", "bytes"},
		{"bare ampersand", `<a>R&D</a>`, "not well-formed"},
		{"less-than in an attribute", `<a b="<"/>`, "not well-formed"},
		{"attribute without quotes", `<a b=c/>`, "not well-formed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.doc), limits)
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Fatalf("got %v, want an error with %q", err, c.fails)
			}
		})
	}
}

func TestAccepted(t *testing.T) {
	n, err := Parse([]byte("\ufeff<?xml version=\"1.0\"?><!-- c --><p:a xmlns:p=\"u\" xmlns=\"v\" b=\"1&#x32;\n3\" xml:lang=\"fr\"><c>x<![CDATA[<y>]]>&lt;</c> <!-- d --> </p:a>\n<!-- e -->"), limits)
	if err != nil {
		t.Fatal(err)
	}
	c := n.Children[0]
	b, _ := n.Attr("b")
	if n.Space != "u" || n.Local != "a" || n.Lang() != "fr" || b != "12 3" || c.Space != "v" || c.Text != "x<y><" {
		t.Fatalf("read %+v with child %+v", n, c)
	}
}
