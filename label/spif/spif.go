// Package spif reads and writes security policy information files in the
// form of Open XML SPIF 2.1 (namespace http://www.xmlspif.org/spif). Version
// 3.0, which has taken over the schema's address, is another format and is
// refused.
//
// A file is either read whole or refused: an element, attribute or code the
// schema does not have, an order it does not allow, or a rule that would have
// to be ignored would change what a label means. The default policy for
// unlabelled data is read and ignored: unlabelled is refused.
package spif

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"causeway/label"
	"causeway/label/internal/xmltree"
)

// Namespace of SPIF 1.0 to 3.0.
const Namespace = "http://www.xmlspif.org/spif"

// Limits of a file. The public NATO policy has 90 KB and 6,000 nodes.
const (
	MaxSize  = 4 << 20
	maxDepth = 32
	maxNodes = 200_000
)

// Parse reads a policy file and compiles it.
func Parse(file []byte) (*label.Policy, error) {
	d, err := ParseDefinition(file)
	if err != nil {
		return nil, err
	}
	p, err := label.Compile(*d)
	if err != nil {
		return nil, fmt.Errorf("read SPIF: %w", err)
	}
	return p, nil
}

// ParseDefinition reads a policy file without compiling it.
func ParseDefinition(file []byte) (*label.Definition, error) {
	root, err := xmltree.Parse(file, xmltree.Limits{Size: MaxSize, Depth: maxDepth, Nodes: maxNodes})
	if err != nil {
		return nil, fmt.Errorf("read SPIF: %w", err)
	}
	p := &parser{}
	p.root(root)
	if p.err != nil {
		return nil, fmt.Errorf("read SPIF: %w", p.err)
	}
	return &p.def, nil
}

// parser keeps the first error; after it the other methods give zero values.
type parser struct {
	def label.Definition
	err error
}

func (p *parser) fail(n *xmltree.Node, format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("line %d: %s: %s", n.Line, n.Local, fmt.Sprintf(format, args...))
	}
}

func (p *parser) check(err error) {
	if p.err == nil && err != nil {
		p.err = err
	}
}

// children checks that the children of n are the named elements in the named
// order, and calls each one's function. A name ending in "?" may stand once, in
// "*" any number of times, in "+" at least once, otherwise exactly once.
func (p *parser) children(n *xmltree.Node, parts ...part) {
	p.check(n.NoText())
	at := 0
	for i, pt := range parts {
		name := strings.TrimRight(pt.name, "?*+")
		count := 0
		for at < len(n.Children) && p.err == nil {
			c := n.Children[at]
			if c.Local != name || c.Space != Namespace {
				break
			}
			if count++; count > 1 && !strings.HasSuffix(pt.name, "*") && !strings.HasSuffix(pt.name, "+") {
				p.fail(c, "it is there twice")
			}
			if pt.read != nil {
				pt.read(c)
			}
			at++
		}
		if count == 0 && (pt.name == name || strings.HasSuffix(pt.name, "+")) {
			p.fail(n, "%s is missing, or not in its place", parts[i].name)
		}
	}
	if at < len(n.Children) && p.err == nil {
		p.fail(n.Children[at], "it is not known inside %s, or not in its place", n.Local)
	}
}

type part struct {
	name string
	read func(*xmltree.Node)
}

func (p *parser) attr(n *xmltree.Node, name string) string {
	v, ok := n.Attr(name)
	if !ok {
		p.fail(n, "the attribute %s is missing", name)
	}
	return v
}

func optional(n *xmltree.Node, name string) string {
	v, _ := n.Attr(name)
	return v
}

func (p *parser) boolean(n *xmltree.Node, name string) bool {
	v, ok := n.Attr(name)
	switch {
	case !ok, v == "false", v == "0":
		return false
	case v == "true", v == "1":
		return true
	}
	p.fail(n, "%s=%q is not true or false", name, v)
	return false
}

// lacv reads a number that identifies a classification or value.
func (p *parser) lacv(n *xmltree.Node) string {
	v := p.attr(n, "lacv")
	if _, err := strconv.ParseUint(v, 10, 63); err != nil {
		p.fail(n, "lacv=%q is not a number", v)
	}
	return v
}

func (p *parser) count(n *xmltree.Node, name string) int {
	v, ok := n.Attr(name)
	if !ok {
		return 0
	}
	i, err := strconv.ParseUint(v, 10, 16)
	if err != nil {
		p.fail(n, "%s=%q is not a count", name, v)
	}
	return int(i)
}

func (p *parser) time(n *xmltree.Node, name string) time.Time {
	v, ok := n.Attr(name)
	if !ok {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, v)
	if err != nil {
		p.fail(n, "%s=%q is not a time with a zone", name, v)
	}
	return t
}

func (p *parser) root(n *xmltree.Node) {
	if n.Local != "SPIF" || n.Space != Namespace {
		p.fail(n, "the document is not a SPIF of namespace %s", Namespace)
		return
	}
	p.check(n.Allow(true, "schemaVersion", "version", "creationDate", "originatorDN", "keyIdentifier",
		"privilegeId", "rbacId", "userRefURI", "docRefURI", "notBefore", "notAfter"))
	if v := p.attr(n, "schemaVersion"); v != "2.1" && v != "2.0" && v != "1.0" {
		p.fail(n, "schema version %q is not read here; 2.1 is", v)
	}
	for _, name := range []string{"creationDate", "originatorDN", "keyIdentifier", "privilegeId", "rbacId"} {
		p.attr(n, name)
	}
	p.def.Version = optional(n, "version")
	p.def.Issued = issued(optional(n, "creationDate"))
	p.children(n,
		part{"defaultSecurityPolicyId?", nil},
		part{"securityPolicyId", func(c *xmltree.Node) {
			p.check(c.Allow(true, "name", "id"))
			p.def.Name, p.def.OID = p.attr(c, "name"), p.attr(c, "id")
			p.children(c)
		}},
		part{"securityClassifications", p.classifications},
		part{"securityCategoryTagSets?", p.tagSets},
		part{"privacyMarks?", nil},
		part{"equivalentPolicies?", p.equivalentPolicies},
		part{"markingData*", func(c *xmltree.Node) { p.def.Marks = append(p.def.Marks, p.mark(c)) }},
		part{"markingQualifier*", func(c *xmltree.Node) { p.def.Qualifier = append(p.def.Qualifier, p.qualifier(c)...) }},
		part{"extensions?", p.extensions},
	)
}

// issued reads a GeneralizedTime; the public files write it in several ways,
// and it decides nothing, so what is not read is left out.
func issued(s string) time.Time {
	for _, layout := range []string{"20060102150405Z", "2006-01-02 15:04:05", time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

func (p *parser) classifications(n *xmltree.Node) {
	p.check(n.Allow(true))
	p.children(n,
		part{"securityClassification+", p.classification},
		part{"markingData*", func(c *xmltree.Node) { p.mark(c) }},
		part{"markingQualifier*", func(c *xmltree.Node) { p.qualifier(c) }},
	)
}

func (p *parser) classification(n *xmltree.Node) {
	p.check(n.Allow(true, "name", "lacv", "hierarchy", "color", "obsolete"))
	c := label.Class{Name: p.attr(n, "name"), LACV: p.lacv(n), Obsolete: p.boolean(n, "obsolete"), Colour: optional(n, "color")}
	h, err := strconv.ParseInt(p.attr(n, "hierarchy"), 10, 32)
	if err != nil {
		p.fail(n, "the hierarchy is not a number")
	}
	c.Hierarchy = int(h)
	if c.Colour != "" && !isColour(c.Colour) {
		p.fail(n, "color=%q is neither #RRGGBB nor one of the sixteen names of the schema", c.Colour)
	}
	p.children(n,
		part{"equivalentClassification*", func(e *xmltree.Node) { c.Equals = append(c.Equals, p.equivalentClass(e)) }},
		part{"markingData*", func(m *xmltree.Node) { c.Marks = append(c.Marks, p.mark(m)) }},
		part{"markingQualifier*", func(m *xmltree.Node) { p.qualifier(m) }},
		part{"requiredCategory*", func(r *xmltree.Node) { c.Requires = append(c.Requires, p.requirement(r)) }},
	)
	p.def.Classes = append(p.def.Classes, c)
}

// isColour knows #RRGGBB and the colour names of HTML 4, one of which the
// schema also spells "fuschia".
func isColour(s string) bool {
	if len(s) == 7 && s[0] == '#' {
		_, err := strconv.ParseUint(s[1:], 16, 32)
		return err == nil
	}
	return slices.Contains([]string{"aqua", "black", "blue", "fuchsia", "fuschia", "gray", "green", "lime", "maroon",
		"navy", "olive", "purple", "red", "silver", "teal", "white", "yellow"}, s)
}

func (p *parser) tagSets(n *xmltree.Node) {
	p.check(n.Allow(true))
	p.children(n, part{"securityCategoryTagSet+", p.tagSet})
}

func (p *parser) tagSet(n *xmltree.Node) {
	p.check(n.Allow(true, "name", "id"))
	s := label.TagSet{Name: p.attr(n, "name"), OID: p.attr(n, "id")}
	p.children(n,
		part{"securityCategoryTag+", func(c *xmltree.Node) { s.Tags = append(s.Tags, p.tag(c)) }},
		part{"equivalentSecurityCategoryTagSet*", func(c *xmltree.Node) {
			p.fail(c, "equivalence of whole tag sets is not read here; state it for each value")
		}},
	)
	p.def.Sets = append(p.def.Sets, s)
}

func (p *parser) tag(n *xmltree.Node) label.Tag {
	p.check(n.Allow(true, "name", "tagType", "enumType", "tag7Encoding", "singleSelection", "maxSelection", "minSelection"))
	t := label.Tag{Name: p.attr(n, "name"), Min: p.count(n, "minSelection"), Max: p.count(n, "maxSelection"), Encoding: optional(n, "tag7Encoding")}
	t.Type, t.Enumerated = p.tagType(n)
	if p.boolean(n, "singleSelection") {
		if t.Max > 1 {
			p.fail(n, "singleSelection contradicts maxSelection=%d", t.Max)
		}
		t.Max = 1
	}
	p.children(n,
		part{"tagCategory*", func(c *xmltree.Node) { t.Values = append(t.Values, p.value(c)) }},
		part{"markingQualifier*", func(c *xmltree.Node) { t.Qualifier = append(t.Qualifier, p.qualifier(c)...) }},
	)
	return t
}

func (p *parser) tagType(n *xmltree.Node) (typ label.Type, enumerated bool) {
	name, enum := p.attr(n, "tagType"), optional(n, "enumType")
	switch name {
	case "restrictive":
		return label.Restrictive, false
	case "permissive":
		return label.Permissive, false
	case "tagType7":
		return label.Informative, false
	case "enumerated":
		switch enum {
		case "restrictive":
			return label.Restrictive, true
		case "permissive":
			return label.Permissive, true
		}
		p.fail(n, "enumType=%q is not restrictive or permissive", enum)
		return 0, false
	}
	p.fail(n, "tagType=%q is not restrictive, permissive, enumerated or tagType7", name)
	return 0, false
}
