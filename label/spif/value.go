package spif

import (
	"slices"
	"strings"

	"causeway/label"
	"causeway/label/internal/xmltree"
)

func (p *parser) value(n *xmltree.Node) label.Value {
	p.check(n.Allow(true, "name", "lacv", "requiredClass", "obsolete", "userInput", "dateFormat", "notBefore", "notAfter"))
	v := label.Value{
		Name: p.attr(n, "name"), LACV: p.lacv(n), Obsolete: p.boolean(n, "obsolete"),
		NotBefore: p.time(n, "notBefore"), NotAfter: p.time(n, "notAfter"),
	}
	if in := optional(n, "userInput"); in != "" && in != "false" {
		p.fail(n, "a value that the user types (userInput=%q) cannot be judged", in)
	}
	if c := optional(n, "requiredClass"); c != "" {
		v.RequiredClasses = append(v.RequiredClasses, c)
	}
	p.children(n,
		part{"equivalentSecCategoryTag*", func(c *xmltree.Node) { v.Equals = append(v.Equals, p.equivalentValue(c)) }},
		part{"markingData*", func(c *xmltree.Node) { v.Marks = append(v.Marks, p.mark(c)) }},
		part{"markingQualifier*", func(c *xmltree.Node) { p.qualifier(c) }},
		part{"excludedClass*", func(c *xmltree.Node) { v.ExcludedClasses = append(v.ExcludedClasses, p.leaf(c)) }},
		part{"requiredClass*", func(c *xmltree.Node) { v.RequiredClasses = append(v.RequiredClasses, p.leaf(c)) }},
		part{"requiredCategory*", func(c *xmltree.Node) { v.Requires = append(v.Requires, p.requirement(c)) }},
		part{"excludedCategory*", func(c *xmltree.Node) { v.Excludes = append(v.Excludes, p.group(c)) }},
	)
	return v
}

func (p *parser) leaf(n *xmltree.Node) string {
	p.check(n.Allow(true))
	text, err := n.Leaf()
	p.check(err)
	text = strings.TrimSpace(text)
	if text == "" {
		p.fail(n, "it is empty")
	}
	return text
}

func (p *parser) requirement(n *xmltree.Node) label.Requirement {
	p.check(n.Allow(true, "operation"))
	r := label.Requirement{Operation: p.attr(n, "operation")}
	p.children(n, part{"categoryGroup+", func(c *xmltree.Node) { r.Groups = append(r.Groups, p.group(c)) }})
	return r
}

// group reads a categoryGroup or excludedCategory. One of lacv and all has to
// be given; where neither is, any value of the set is meant (so the
// demonstration policies use it).
func (p *parser) group(n *xmltree.Node) label.Group {
	p.check(n.Allow(true, "tagSetRef", "tagType", "enumType", "lacv", "all"))
	g := label.Group{Set: p.attr(n, "tagSetRef"), All: p.boolean(n, "all")}
	g.Type, g.Enumerated = p.tagType(n)
	if _, ok := n.Attr("lacv"); ok {
		if g.All {
			p.fail(n, "it names one value and all of them")
		}
		g.LACV = p.lacv(n)
	} else {
		g.All = true
	}
	p.children(n)
	return g
}

// codes of markingData in schema 2.1.
var codes = []string{
	"pageTop", "pageBottom", "pageTopBottom", "documentStart", "documentEnd", "noNameDisplay", "noMarkingDisplay",
	"suppressClassName", "firstLineOfText", "lastLineOfText", "subject", "xHeader", "portionMarking", "inputTitle",
	"waterMark", "replacePolicy",
}

func (p *parser) mark(n *xmltree.Node) label.Mark {
	p.check(n.Allow(true, "phrase"))
	m := label.Mark{Lang: n.Lang()}
	m.Phrase, m.HasPhrase = n.Attr("phrase")
	p.children(n, part{"code*", func(c *xmltree.Node) {
		code := p.leaf(c)
		if !slices.Contains(codes, code) {
			p.fail(c, "the marking code %q is not known", code)
		}
		if !slices.Contains(m.Codes, code) {
			m.Codes = append(m.Codes, code)
		}
	}})
	return m
}

func (p *parser) qualifier(n *xmltree.Node) []label.Qualifier {
	p.check(n.Allow(true, "markingCode"))
	place := optional(n, "markingCode")
	if place != "" && !slices.Contains(codes, place) {
		p.fail(n, "the marking code %q is not known", place)
	}
	var out []label.Qualifier
	p.children(n, part{"qualifier+", func(c *xmltree.Node) {
		p.check(c.Allow(true, "markingQualifier", "qualifierCode"))
		q := label.Qualifier{Code: p.attr(c, "qualifierCode"), Text: p.attr(c, "markingQualifier"), Lang: c.Lang(), Place: place}
		if q.Lang == "" {
			q.Lang = n.Lang()
		}
		if !slices.Contains([]string{"prefix", "suffix", "separator"}, q.Code) {
			p.fail(c, "qualifierCode=%q is not prefix, suffix or separator", q.Code)
		}
		p.children(c)
		out = append(out, q)
	}})
	return out
}

func (p *parser) equivalentPolicies(n *xmltree.Node) {
	p.check(n.Allow(true))
	p.children(n, part{"equivalentPolicy+", func(c *xmltree.Node) {
		p.check(c.Allow(true, "name", "id", "docRefURI"))
		e := label.EquivalentPolicy{Name: p.attr(c, "name"), OID: p.attr(c, "id")}
		p.children(c, part{"requiredCategory*", func(r *xmltree.Node) { e.Requires = append(e.Requires, p.requirement(r)) }})
		p.def.Equals = append(p.def.Equals, e)
	}})
}

func (p *parser) equivalentClass(n *xmltree.Node) label.EquivalentClass {
	p.check(n.Allow(true, "policyRef", "lacv", "applied"))
	e := label.EquivalentClass{Policy: p.attr(n, "policyRef"), LACV: p.lacv(n), Applied: p.attr(n, "applied")}
	p.children(n, part{"requiredCategory*", func(r *xmltree.Node) { e.Requires = append(e.Requires, p.requirement(r)) }})
	return e
}

func (p *parser) equivalentValue(n *xmltree.Node) label.EquivalentValue {
	p.check(n.Allow(true, "policyRef", "tagSetId", "tagType", "enumType", "lacv", "applied", "action"))
	e := label.EquivalentValue{Policy: p.attr(n, "policyRef"), SetOID: p.attr(n, "tagSetId"),
		Applied: p.attr(n, "applied"), Action: optional(n, "action")}
	e.Type, e.Enumerated = p.tagType(n)
	if e.Action == "" {
		e.LACV = p.lacv(n)
	}
	p.children(n)
	return e
}

// MembershipNamespace is that of the 4774 SPIF extension that lists who
// belongs to a group.
const MembershipNamespace = "urn:nato:stanag:4774:spif:extensions:1:0"

// extensions are not read: bindings are checked at the edge, and memberships
// there have no dates, so they decide nothing here.
func (p *parser) extensions(*xmltree.Node) {}
