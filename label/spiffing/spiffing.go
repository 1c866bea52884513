// Package spiffing reads labels and clearances in the notation of the test
// data of the library spiffing (namespace http://surevine.com/xmlns/spiffy),
// and the head of a binary ESS label (RFC 2634). Both name everything by
// number; the policy gives the words. Conformance tests and the offline command
// read them; an exchange never does.
package spiffing

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"causeway/label"
	"causeway/label/internal/xmltree"
)

// Namespace of the notation.
const Namespace = "http://surevine.com/xmlns/spiffy"

var limits = xmltree.Limits{Size: 256 << 10, Depth: 8, Nodes: 8000}

// ParseLabel reads a label and gives it in the words of its policy. The
// notation has no dates, so the label has none.
func ParseLabel(b []byte, ps *label.Policies) (*label.Label, error) {
	d, err := parse(b, ps, "label")
	if err != nil {
		return nil, fmt.Errorf("read label: %w", err)
	}
	if len(d.classes) != 1 {
		return nil, fmt.Errorf("read label: it has %d classifications, not one", len(d.classes))
	}
	return &label.Label{PolicyName: d.policy.Name(), PolicyOID: d.policy.OID(), Classification: d.classes[0], Categories: d.categories}, nil
}

// ParseClearance reads a clearance and gives it in the words of its policy.
func ParseClearance(b []byte, ps *label.Policies) (*label.Clearance, error) {
	d, err := parse(b, ps, "clearance")
	if err != nil {
		return nil, fmt.Errorf("read clearance: %w", err)
	}
	return &label.Clearance{PolicyName: d.policy.Name(), PolicyOID: d.policy.OID(), Classifications: d.classes, Categories: d.categories}, nil
}

type document struct {
	policy     *label.Policy
	classes    []string
	categories []label.Category
}

func parse(b []byte, ps *label.Policies, root string) (*document, error) {
	n, err := xmltree.Parse(b, limits)
	if err != nil {
		return nil, err
	}
	if n.Space != Namespace || n.Local != root {
		return nil, fmt.Errorf("the document is %s of namespace %q, not %s", n.Local, n.Space, root)
	}
	if err := errors.Join(n.Allow(false), n.NoText()); err != nil {
		return nil, err
	}
	d := &document{}
	for _, c := range n.Children {
		if d.policy == nil && c.Local != "policy" {
			return nil, fmt.Errorf("line %d: the policy has to come first", c.Line)
		}
		if err := d.add(c, ps); err != nil {
			return nil, fmt.Errorf("line %d: %w", c.Line, err)
		}
	}
	if d.policy == nil {
		return nil, errors.New("it names no policy")
	}
	return d, nil
}

func (d *document) add(n *xmltree.Node, ps *label.Policies) error {
	if n.Space != Namespace || len(n.Children) > 0 {
		return fmt.Errorf("the element %s is not known", n.Local)
	}
	id, _ := n.Attr("id")
	lacv, _ := n.Attr("lacv")
	switch n.Local {
	case "policy":
		p, ok := ps.Policy(id)
		if d.policy != nil || !ok {
			return fmt.Errorf("unknown policy id, or a second policy: %s", id)
		}
		d.policy = p
		return n.Allow(false, "id")
	case "classification":
		c, ok := d.policy.ClassByNumber(lacv)
		if !ok || slices.Contains(d.classes, c.Name) {
			return fmt.Errorf("the classification number %q is unknown or repeated", lacv)
		}
		d.classes = append(d.classes, c.Name)
		return n.Allow(false, "lacv")
	case "tag":
		typ, enumerated, ok := tagType(n)
		if !ok {
			return errors.New("the type of a tag is not known")
		}
		set, v, ok := d.policy.ValueByNumber(id, typ, enumerated, lacv)
		if !ok {
			return fmt.Errorf("unknown value number %q of tag set %s", lacv, id)
		}
		d.value(set, typ, v.Name)
		return n.Allow(false, "id", "lacv", "type")
	}
	return fmt.Errorf("the element %s is not known", n.Local)
}

// value adds a value to the category of its set and type.
func (d *document) value(set label.TagSet, typ label.Type, name string) {
	for i := range d.categories {
		if c := &d.categories[i]; c.TagOID == set.OID && c.Type == typ {
			c.Values = append(c.Values, name)
			return
		}
	}
	d.categories = append(d.categories, label.Category{Type: typ, TagName: set.Name, TagOID: set.OID, Values: []string{name}})
}

func tagType(n *xmltree.Node) (t label.Type, enumerated, ok bool) {
	name, _ := n.Attr("type")
	switch name {
	case "restrictive":
		return label.Restrictive, false, true
	case "enumeratedRestrictive":
		return label.Restrictive, true, true
	case "permissive":
		return label.Permissive, false, true
	case "enumeratedPermissive":
		return label.Permissive, true, true
	case "informative":
		return label.Informative, false, true
	}
	return 0, false, false
}

// ParseESS reads an ESS security label (RFC 2634 section 3.2) far enough to
// say which policy and classification it names. A label with categories is
// refused: they are not read, and leaving them out would widen it.
func ParseESS(b []byte, ps *label.Policies) (*label.Label, error) {
	var set asn1.RawValue
	if rest, err := asn1.Unmarshal(b, &set); err != nil || len(rest) > 0 || set.Tag != asn1.TagSet || set.Class != asn1.ClassUniversal {
		return nil, errors.New("read label: it is neither XML nor an ESS label")
	}
	l := &label.Label{}
	class := ""
	for rest := set.Bytes; len(rest) > 0; {
		var v asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &v); err != nil {
			return nil, fmt.Errorf("read ESS label: %w", err)
		}
		switch v.Tag {
		case asn1.TagOID:
			var oid asn1.ObjectIdentifier
			if _, err := asn1.Unmarshal(v.FullBytes, &oid); err != nil {
				return nil, fmt.Errorf("read ESS label: %w", err)
			}
			l.PolicyOID = oid.String()
		case asn1.TagInteger:
			var i int
			if _, err := asn1.Unmarshal(v.FullBytes, &i); err != nil || i < 0 || i > 256 {
				return nil, errors.New("read ESS label: its classification is not a number from 0 to 256")
			}
			class = fmt.Sprint(i)
		case asn1.TagPrintableString, asn1.TagUTF8String:
		default:
			return nil, errors.New("read ESS label: it has categories, which are not read")
		}
	}
	p, ok := ps.Policy(l.PolicyOID)
	if !ok {
		return nil, fmt.Errorf("read label: unknown policy id: %s", l.PolicyOID)
	}
	c, ok := p.ClassByNumber(class)
	if !ok {
		return nil, fmt.Errorf("read label: unknown classification number %q", class)
	}
	l.PolicyName, l.Classification = p.Name(), c.Name
	return l, nil
}
