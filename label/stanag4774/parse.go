// Package stanag4774 reads and writes the XML of confidentiality labels and
// clearances (STANAG 4774, ADatP-4774 Edition A; label schema 1.3, clearance
// schema 1.2).
//
// Reading is stricter than the schema where the standard's prose is, and where
// two readers could otherwise see two labels: see ParseLabel. Foreign elements
// and attributes may be ignored by everyone else, so nothing here puts a
// restriction into one, and one inside ConfidentialityInformation refuses the
// label.
package stanag4774

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"causeway/label"
	"causeway/label/internal/xmltree"
)

// Namespaces of the two schemas.
const (
	Namespace          = "urn:nato:stanag:4774:confidentialitymetadatalabel:1:0"
	ClearanceNamespace = "urn:nato:stanag:4774:confidentialityclearance:1:0"
)

// MaxSize is the largest label or clearance that is read, in bytes.
const MaxSize = 256 << 10

var limits = xmltree.Limits{Size: MaxSize, Depth: 32, Nodes: 8000}

// Erratum names one known deviation of published examples. The offline loader
// may accept it where a person says so; nothing else does.
type Erratum string

// The errata that can be accepted.
const (
	NoCreationDate Erratum = "no-creation-date" // CreationDateTime is missing
	NoReviewDate   Erratum = "no-review-date"   // ReviewDateTime is missing, with no succession
	URLAttribute   Erratum = "url-attribute"    // URL is written for URI
	LegacyRoot     Erratum = "legacy-root"      // ConfidentialityLabel for originatorConfidentialityLabel
)

// Errata lists every erratum.
func Errata() []Erratum { return []Erratum{NoCreationDate, NoReviewDate, URLAttribute, LegacyRoot} }

// ParseLabel reads an originator's confidentiality label. Refused are: what
// xmltree refuses, an element or attribute that is repeated or unknown, two
// categories of one tag and type, a value in anything but GenericValue, a URI
// that is not urn:oid:, a URI on Classification, a missing ReviewDateTime
// where there is no succession, and a succession before the creation.
func ParseLabel(b []byte) (*label.Label, error) { return ParseErratic(b) }

// ParseErratic reads a label as ParseLabel does, and lets the given errata
// pass.
func ParseErratic(b []byte, accept ...Erratum) (*label.Label, error) {
	r := reader{accept: accept}
	return r.document(b, "originatorConfidentialityLabel")
}

// ParseAlternative reads an alternative confidentiality label: a translation
// that someone else than the originator made. It decides only where its signer
// may translate.
func ParseAlternative(b []byte) (*label.Label, error) {
	r := reader{}
	return r.document(b, "alternativeConfidentialityLabel")
}

// Role is what a label is to its data.
type Role string

// The roles of labels that are read.
const (
	Originator  Role = "originatorConfidentialityLabel"
	Alternative Role = "alternativeConfidentialityLabel"
)

// Element reads a label that is an element of a larger document, and tells its
// role by the element's name.
func Element(n *xmltree.Node) (*label.Label, Role, error) {
	role := Role(n.Local)
	if n.Space != Namespace || role != Originator && role != Alternative {
		return nil, "", fmt.Errorf("read label: line %d: %s of namespace %q is no label that is read here", n.Line, n.Local, n.Space)
	}
	l, err := (&reader{}).label(n)
	if err != nil {
		return nil, "", fmt.Errorf("read label: %w", err)
	}
	return l, role, nil
}

type reader struct{ accept []Erratum }

func (r *reader) accepts(e Erratum) bool { return slices.Contains(r.accept, e) }

func (r *reader) document(b []byte, root string) (*label.Label, error) {
	n, err := xmltree.Parse(b, limits)
	if err != nil {
		return nil, fmt.Errorf("read label: %w", err)
	}
	legacy := n.Local == "ConfidentialityLabel" && r.accepts(LegacyRoot)
	if n.Space != Namespace || n.Local != root && !legacy {
		return nil, fmt.Errorf("read label: the document is %s of namespace %q, not %s", n.Local, n.Space, root)
	}
	l, err := r.label(n)
	if err != nil {
		return nil, fmt.Errorf("read label: %w", err)
	}
	return l, nil
}

// take gives the next child when it has this name, and moves on.
type cursor struct {
	parent *xmltree.Node
	at     int
}

func (c *cursor) take(space, local string) *xmltree.Node {
	if c.at < len(c.parent.Children) {
		if n := c.parent.Children[c.at]; n.Space == space && n.Local == local {
			c.at++
			return n
		}
	}
	return nil
}

// end refuses what is left, except foreign elements where they are allowed.
func (c *cursor) end(foreign bool) error {
	for _, n := range c.parent.Children[c.at:] {
		if foreign && n.Space != Namespace && n.Space != ClearanceNamespace && n.Space != "" {
			continue
		}
		return fmt.Errorf("line %d: the element %s is unknown in %s, repeated, or not in its place", n.Line, n.Local, c.parent.Local)
	}
	return nil
}

func (r *reader) label(n *xmltree.Node) (*label.Label, error) {
	if err := errors.Join(n.Allow(true, "Id", "ReviewDateTime"), n.NoText()); err != nil {
		return nil, err
	}
	c := cursor{parent: n}
	info := c.take(Namespace, "ConfidentialityInformation")
	if info == nil {
		return nil, fmt.Errorf("line %d: ConfidentialityInformation is missing, or not in its place", n.Line)
	}
	l := &label.Label{}
	if err := r.information(info, l); err != nil {
		return nil, err
	}
	if o := c.take(Namespace, "OriginatorID"); o != nil {
		if err := readOriginator(o, l); err != nil {
			return nil, err
		}
	}
	if err := r.dates(n, &c, l); err != nil {
		return nil, err
	}
	return l, c.end(true)
}

// dates reads CreationDateTime, SuccessionHandling and ReviewDateTime.
func (r *reader) dates(n *xmltree.Node, c *cursor, l *label.Label) error {
	created := c.take(Namespace, "CreationDateTime")
	switch {
	case created != nil:
		t, zoned, err := leafTime(created)
		if err != nil {
			return err
		}
		l.Created, l.CreatedNoZone = t, !zoned
	case !r.accepts(NoCreationDate):
		return fmt.Errorf("line %d: CreationDateTime is missing, or not in its place", n.Line)
	}
	if s := c.take(Namespace, "SuccessionHandling"); s != nil {
		succession, err := r.succession(s)
		if err != nil {
			return err
		}
		if succession.At.Before(l.Created) {
			return fmt.Errorf("line %d: the succession lies before the creation of the label", s.Line)
		}
		l.Successor = succession
	}
	if review, ok := n.Attr("ReviewDateTime"); ok {
		t, _, err := parseTime(review)
		if err != nil {
			return fmt.Errorf("line %d: ReviewDateTime: %w", n.Line, err)
		}
		l.Review = t
	} else if l.Successor == nil && !r.accepts(NoReviewDate) {
		return fmt.Errorf("line %d: ReviewDateTime is missing, and there is no succession", n.Line)
	}
	return nil
}

func (r *reader) succession(n *xmltree.Node) (*label.Succession, error) {
	if err := errors.Join(n.Allow(true), n.NoText()); err != nil {
		return nil, err
	}
	c := cursor{parent: n}
	at, next := c.take(Namespace, "SuccessionDateTime"), c.take(Namespace, "SuccessorConfidentialityLabel")
	if at == nil || next == nil {
		return nil, fmt.Errorf("line %d: SuccessionHandling needs SuccessionDateTime and SuccessorConfidentialityLabel", n.Line)
	}
	t, _, err := leafTime(at)
	if err != nil {
		return nil, err
	}
	l, err := r.label(next)
	if err != nil {
		return nil, fmt.Errorf("successor: %w", err)
	}
	return &label.Succession{At: t, Label: l}, c.end(true)
}

// originatorTypes are the values of IDType.
var originatorTypes = []string{"rfc822Name", "dNSName", "directoryName", "uniformResourceIdentifier", "iPAddress",
	"x400Address", "userPrincipalName", "jID"}

func readOriginator(n *xmltree.Node, l *label.Label) error {
	text, err := n.Leaf()
	if err := errors.Join(err, n.Allow(true, "IDType")); err != nil {
		return err
	}
	l.Originator = strings.TrimSpace(text)
	l.IDType, _ = n.Attr("IDType")
	if !slices.Contains(originatorTypes, l.IDType) {
		return fmt.Errorf("line %d: the IDType %q of OriginatorID is not known", n.Line, l.IDType)
	}
	return nil
}

func (r *reader) information(n *xmltree.Node, l *label.Label) error {
	if err := errors.Join(n.Allow(false), n.NoText()); err != nil {
		return err
	}
	c := cursor{parent: n}
	var err error
	if l.PolicyName, l.PolicyOID, err = r.policy(&c); err != nil {
		return err
	}
	if l.Classification, err = leafOf(&c, "Classification"); err != nil {
		return err
	}
	if mark := c.take(Namespace, "PrivacyMark"); mark != nil {
		if err := mark.Allow(false); err != nil {
			return err
		}
		if l.PrivacyMark, err = mark.Leaf(); err != nil {
			return err
		}
		if l.PrivacyMark != "CLEAR" {
			return fmt.Errorf("line %d: the PrivacyMark %q is not CLEAR", mark.Line, l.PrivacyMark)
		}
	}
	if l.Categories, err = r.categories(&c); err != nil {
		return err
	}
	return c.end(false)
}

func (r *reader) policy(c *cursor) (name, oid string, err error) {
	n := c.take(Namespace, "PolicyIdentifier")
	if n == nil {
		return "", "", fmt.Errorf("line %d: PolicyIdentifier is missing, or not in its place", c.parent.Line)
	}
	if name, err = n.Leaf(); err != nil {
		return "", "", err
	}
	oid, err = r.uri(n, "URI")
	return name, oid, err
}

// uri reads an optional urn:oid: attribute beside the other allowed ones.
func (r *reader) uri(n *xmltree.Node, allowed ...string) (string, error) {
	name := "URI"
	if _, ok := n.Attr("URI"); !ok && r.accepts(URLAttribute) {
		allowed, name = append(allowed, "URL"), "URL"
	}
	if err := n.Allow(false, append(allowed, "URI")...); err != nil {
		return "", err
	}
	v, ok := n.Attr(name)
	if !ok {
		return "", nil
	}
	oid, isOID := strings.CutPrefix(v, "urn:oid:")
	if !isOID || !label.IsOID(oid) {
		return "", fmt.Errorf("line %d: the %s %q of %s is not urn:oid: and an OID", n.Line, name, v, n.Local)
	}
	return oid, nil
}

func leafOf(c *cursor, local string) (string, error) {
	n := c.take(Namespace, local)
	if n == nil {
		return "", fmt.Errorf("line %d: %s is missing, or not in its place", c.parent.Line, local)
	}
	if err := n.Allow(false); err != nil {
		return "", err
	}
	return n.Leaf()
}

func (r *reader) categories(c *cursor) ([]label.Category, error) {
	var out []label.Category
	for n := c.take(Namespace, "Category"); n != nil; n = c.take(Namespace, "Category") {
		cat, err := r.category(n)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(o label.Category) bool {
			return o.Type == cat.Type && (o.TagName == cat.TagName || o.TagOID != "" && o.TagOID == cat.TagOID)
		}) {
			return nil, fmt.Errorf("line %d: the %s category %s is there twice", n.Line, cat.Type, cat.TagName)
		}
		out = append(out, cat)
	}
	return out, nil
}

func (r *reader) category(n *xmltree.Node) (label.Category, error) {
	var cat label.Category
	oid, err := r.uri(n, "Type", "TagName")
	if err := errors.Join(err, n.NoText()); err != nil {
		return cat, err
	}
	typ, _ := n.Attr("Type")
	var ok bool
	if cat.Type, ok = label.ParseType(typ); !ok {
		return cat, fmt.Errorf("line %d: the Type %q of a Category is not RESTRICTIVE, PERMISSIVE or INFORMATIVE", n.Line, typ)
	}
	if cat.TagName, ok = n.Attr("TagName"); !ok {
		return cat, fmt.Errorf("line %d: a Category has no TagName", n.Line)
	}
	cat.TagOID = oid
	for _, v := range n.Children {
		if v.Space != Namespace || v.Local != "GenericValue" {
			return cat, fmt.Errorf("line %d: a Category carries %s; only GenericValue may carry a value", v.Line, v.Local)
		}
		text, err := v.Leaf()
		if err := errors.Join(err, v.Allow(false)); err != nil {
			return cat, err
		}
		cat.Values = append(cat.Values, text)
	}
	return cat, nil
}

func leafTime(n *xmltree.Node) (t time.Time, zoned bool, err error) {
	text, err := n.Leaf()
	if err := errors.Join(err, n.Allow(true)); err != nil {
		return time.Time{}, false, err
	}
	t, zoned, err = parseTime(strings.TrimSpace(text))
	if err != nil {
		return t, zoned, fmt.Errorf("line %d: %s: %w", n.Line, n.Local, err)
	}
	return t, zoned, nil
}

// parseTime reads an xs:dateTime. One without a zone is taken as UTC, and said
// to have none, since it may be off by 14 hours.
func parseTime(s string) (t time.Time, zoned bool, err error) {
	if !strings.ContainsRune(s, ',') {
		if t, err := time.Parse("2006-01-02T15:04:05Z07:00", s); err == nil {
			return t, true, nil
		}
		if t, err := time.Parse("2006-01-02T15:04:05", s); err == nil {
			return t, false, nil
		}
	}
	return time.Time{}, false, fmt.Errorf("%q is not a date and time such as 2026-01-31T09:00:00Z", s)
}

// ParseClearance reads a confidentiality clearance.
func ParseClearance(b []byte) (*label.Clearance, error) {
	n, err := xmltree.Parse(b, limits)
	if err != nil {
		return nil, fmt.Errorf("read clearance: %w", err)
	}
	if n.Space != ClearanceNamespace || n.Local != "ConfidentialityClearance" {
		return nil, fmt.Errorf("read clearance: the document is %s of namespace %q, not ConfidentialityClearance", n.Local, n.Space)
	}
	c, err := readClearance(n)
	if err != nil {
		return nil, fmt.Errorf("read clearance: %w", err)
	}
	return c, nil
}

func readClearance(n *xmltree.Node) (*label.Clearance, error) {
	if err := errors.Join(n.Allow(true, "Id"), n.NoText()); err != nil {
		return nil, err
	}
	var r reader
	c := cursor{parent: n}
	out := &label.Clearance{}
	var err error
	if out.PolicyName, out.PolicyOID, err = r.policy(&c); err != nil {
		return nil, err
	}
	list := c.take(ClearanceNamespace, "ClassificationList")
	if list == nil {
		return nil, fmt.Errorf("line %d: ClassificationList is missing, or not in its place", n.Line)
	}
	if err := errors.Join(list.Allow(false), list.NoText()); err != nil {
		return nil, err
	}
	lc := cursor{parent: list}
	for lc.at < len(list.Children) {
		text, err := leafOf(&lc, "Classification")
		if err != nil {
			return nil, err
		}
		out.Classifications = append(out.Classifications, text)
	}
	if len(out.Classifications) == 0 {
		return nil, fmt.Errorf("line %d: ClassificationList names no classification", list.Line)
	}
	if out.Categories, err = r.categories(&c); err != nil {
		return nil, err
	}
	return out, c.end(true)
}
