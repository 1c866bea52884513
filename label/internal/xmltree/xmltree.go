// Package xmltree reads a small XML document whole, strictly, so that no two
// readers can see two documents: one reading of every byte, or an error.
//
// Refused: document type definitions, entities other than the five of XML,
// processing instructions, text that is not UTF-8, an attribute given twice, a
// prefix that is not declared, anything after the root, and whatever exceeds
// the limits. Comments are dropped, but one inside an element that carries
// text refuses the document: "SE<!-- -->CRET" has two readings in the field.
package xmltree

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Limits bound a document.
type Limits struct {
	Size  int // bytes
	Depth int // nested elements
	Nodes int // elements and attributes
}

// Attr is one attribute. Space is the namespace name; "" for none.
type Attr struct {
	Space, Local, Value string
}

// Node is one element.
type Node struct {
	Space, Local string
	Attrs        []Attr
	Children     []*Node
	Text         string // all character data directly inside, in order
	Line         int

	comment bool
}

// Namespaces that attributes of any document may come from.
const (
	XML = "http://www.w3.org/XML/1998/namespace"
	XSI = "http://www.w3.org/2001/XMLSchema-instance"
)

// Parse reads one document.
func Parse(doc []byte, l Limits) (*Node, error) {
	if len(doc) > l.Size {
		return nil, fmt.Errorf("the document has %d bytes, at most %d are read", len(doc), l.Size)
	}
	if len(doc) == 0 {
		return nil, errors.New("the document is empty")
	}
	if !utf8.Valid(doc) {
		return nil, errors.New("the document is not UTF-8")
	}
	doc = bytes.TrimPrefix(doc, []byte("\ufeff"))
	d := xml.NewDecoder(bytes.NewReader(doc))
	d.Strict = true
	b := builder{limits: l, decoder: d}
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("not well-formed XML: %w", err)
		}
		if err := b.add(token); err != nil {
			return nil, fmt.Errorf("line %d: %w", b.line(), err)
		}
	}
	if len(b.open) > 0 {
		return nil, fmt.Errorf("the element %s is not closed", b.open[len(b.open)-1].name)
	}
	if b.root == nil {
		return nil, errors.New("the document has no element")
	}
	return b.root, nil
}

// builder builds the tree from raw tokens; it resolves namespaces itself,
// since encoding/xml lets an undeclared prefix pass.
type builder struct {
	limits  Limits
	decoder *xml.Decoder
	root    *Node
	open    []element
	nodes   int
	tokens  int
}

// element is an open element with the namespaces it declares.
type element struct {
	node   *Node
	name   string // as written, for the end tag
	spaces map[string]string
}

func (b *builder) line() int {
	line, _ := b.decoder.InputPos()
	return line
}

func (b *builder) add(token xml.Token) error {
	b.tokens++
	switch t := token.(type) {
	case xml.StartElement:
		return b.start(t)
	case xml.EndElement:
		if len(b.open) == 0 || b.open[len(b.open)-1].name != written(t.Name) {
			return fmt.Errorf("the end tag %s closes nothing", written(t.Name))
		}
		n := b.open[len(b.open)-1].node
		if n.comment && strings.TrimSpace(n.Text) != "" {
			return fmt.Errorf("a comment stands inside the text of %s", n.Local)
		}
		b.open = b.open[:len(b.open)-1]
	case xml.CharData:
		if len(b.open) > 0 {
			b.open[len(b.open)-1].node.Text += string(t)
		} else if len(bytes.TrimSpace(t)) > 0 {
			return errors.New("there is text outside the document's element")
		}
	case xml.Comment:
		if len(b.open) > 0 {
			b.open[len(b.open)-1].node.comment = true
		}
	case xml.ProcInst:
		if t.Target != "xml" || b.tokens > 1 {
			return fmt.Errorf("processing instructions are not accepted: %s", t.Target)
		}
	case xml.Directive:
		return errors.New("document type definitions are not accepted")
	}
	return nil
}

func written(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

func (b *builder) start(t xml.StartElement) error {
	if b.root != nil && len(b.open) == 0 {
		return errors.New("there is a second element after the document's element")
	}
	if len(b.open) >= b.limits.Depth {
		return fmt.Errorf("elements are nested deeper than %d", b.limits.Depth)
	}
	b.nodes += 1 + len(t.Attr)
	if b.nodes > b.limits.Nodes {
		return fmt.Errorf("there are more than %d elements and attributes", b.limits.Nodes)
	}
	e := element{node: &Node{Line: b.line()}, name: written(t.Name)}
	for _, a := range t.Attr {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			if err := e.declare(a); err != nil {
				return err
			}
		}
	}
	b.open = append(b.open, e)
	var err error
	if e.node.Space, e.node.Local, err = b.resolve(t.Name, true); err != nil {
		return err
	}
	for _, a := range t.Attr {
		if err := b.attribute(e.node, a); err != nil {
			return err
		}
	}
	if b.root == nil {
		b.root = e.node
	} else {
		parent := b.open[len(b.open)-2].node
		parent.Children = append(parent.Children, e.node)
	}
	return nil
}

func (e *element) declare(a xml.Attr) error {
	prefix := ""
	if a.Name.Space == "xmlns" {
		prefix = a.Name.Local
		if prefix == "xml" || prefix == "xmlns" || a.Value == "" {
			return fmt.Errorf("the prefix %q must not be declared so", prefix)
		}
	}
	if e.spaces == nil {
		e.spaces = map[string]string{}
	}
	if _, twice := e.spaces[prefix]; twice {
		return fmt.Errorf("the namespace prefix %q is declared twice", prefix)
	}
	e.spaces[prefix] = a.Value
	return nil
}

// resolve gives the namespace of a name; attributes without a prefix have
// none.
func (b *builder) resolve(n xml.Name, isElement bool) (space, local string, err error) {
	if n.Local == "" || strings.Contains(n.Local, ":") {
		return "", "", fmt.Errorf("%q is not a name", written(n))
	}
	switch {
	case n.Space == "xml":
		return XML, n.Local, nil
	case n.Space == "" && !isElement:
		return "", n.Local, nil
	}
	for i := len(b.open) - 1; i >= 0; i-- {
		if s, ok := b.open[i].spaces[n.Space]; ok {
			return s, n.Local, nil
		}
	}
	if n.Space == "" {
		return "", n.Local, nil
	}
	return "", "", fmt.Errorf("the namespace prefix %q is not declared", n.Space)
}

// attributeSpace makes line breaks and tabs in attributes spaces, as XML 1.0
// section 3.3.3 has it.
var attributeSpace = strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")

func (b *builder) attribute(n *Node, a xml.Attr) error {
	if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
		return nil
	}
	space, local, err := b.resolve(a.Name, false)
	if err != nil {
		return err
	}
	for _, other := range n.Attrs {
		if other.Space == space && other.Local == local {
			return fmt.Errorf("the attribute %s of %s is there twice", local, n.Local)
		}
	}
	n.Attrs = append(n.Attrs, Attr{space, local, attributeSpace.Replace(a.Value)})
	return nil
}

// Attr gives an attribute without namespace.
func (n *Node) Attr(local string) (string, bool) {
	for _, a := range n.Attrs {
		if a.Space == "" && a.Local == local {
			return a.Value, true
		}
	}
	return "", false
}

// Lang is the xml:lang attribute, "" when there is none.
func (n *Node) Lang() string {
	for _, a := range n.Attrs {
		if a.Space == XML && a.Local == "lang" {
			return a.Value
		}
	}
	return ""
}

// Leaf gives the text of an element that must not have children.
func (n *Node) Leaf() (string, error) {
	if len(n.Children) > 0 {
		return "", fmt.Errorf("line %d: %s has elements where text belongs", n.Line, n.Local)
	}
	return n.Text, nil
}

// Allow refuses attributes without namespace other than the named ones.
// Attributes of the XML and schema-instance namespaces say nothing about the
// content and pass; those of other namespaces pass where foreign is set.
func (n *Node) Allow(foreign bool, names ...string) error {
	for _, a := range n.Attrs {
		switch {
		case a.Space == XML || a.Space == XSI:
			continue
		case a.Space != "":
			if foreign {
				continue
			}
		default:
			known := false
			for _, name := range names {
				known = known || name == a.Local
			}
			if known {
				continue
			}
		}
		return fmt.Errorf("line %d: %s has an unknown attribute %s", n.Line, n.Local, a.Local)
	}
	return nil
}

// NoText refuses text between the children of an element.
func (n *Node) NoText() error {
	if strings.TrimSpace(n.Text) != "" {
		return fmt.Errorf("line %d: %s has text where elements belong", n.Line, n.Local)
	}
	return nil
}
