package stanag4774

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"time"

	"causeway/label"
)

// WriteLabel writes an originator's label so that ParseLabel gives an equal
// one. It refuses a label that ParseLabel would refuse.
func WriteLabel(l *label.Label) ([]byte, error) {
	return writeRoot(l, "originatorConfidentialityLabel")
}

// WriteAlternative writes a translation that goes beside the originator's
// label.
func WriteAlternative(l *label.Label) ([]byte, error) {
	return writeRoot(l, "alternativeConfidentialityLabel")
}

func writeRoot(l *label.Label, root string) ([]byte, error) {
	w := &writer{}
	w.label(l, root, ` xmlns="`+Namespace+`"`, 0)
	out := w.Bytes()
	var r reader
	if _, err := r.document(out, root); err != nil {
		return nil, fmt.Errorf("write label: %w", err)
	}
	return out, nil
}

// writer writes indented XML.
type writer struct{ bytes.Buffer }

func (w *writer) line(depth int, s string) {
	for range depth {
		w.WriteString("  ")
	}
	w.WriteString(s + "\n")
}

func text(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // writing to memory does not fail
	return b.String()
}

func attr(name, value string) string {
	if value == "" {
		return ""
	}
	return " " + name + `="` + text(value) + `"`
}

func oidURI(oid string) string {
	if oid == "" {
		return ""
	}
	return "urn:oid:" + oid
}

func dateTime(t time.Time) string { return t.Format("2006-01-02T15:04:05.999999999Z07:00") }

func (w *writer) label(l *label.Label, root, namespace string, depth int) {
	review := ""
	if !l.Review.IsZero() {
		review = dateTime(l.Review)
	}
	w.line(depth, "<"+root+namespace+attr("ReviewDateTime", review)+">")
	w.line(depth+1, "<ConfidentialityInformation>")
	w.line(depth+2, "<PolicyIdentifier"+attr("URI", oidURI(l.PolicyOID))+">"+text(l.PolicyName)+"</PolicyIdentifier>")
	w.line(depth+2, "<Classification>"+text(l.Classification)+"</Classification>")
	if l.PrivacyMark != "" {
		w.line(depth+2, "<PrivacyMark>"+text(l.PrivacyMark)+"</PrivacyMark>")
	}
	for _, c := range l.Categories {
		w.category(c, "", depth+2)
	}
	w.line(depth+1, "</ConfidentialityInformation>")
	if l.Originator != "" {
		w.line(depth+1, "<OriginatorID"+attr("IDType", l.IDType)+">"+text(l.Originator)+"</OriginatorID>")
	}
	if !l.Created.IsZero() {
		w.line(depth+1, "<CreationDateTime>"+dateTime(l.Created)+"</CreationDateTime>")
	}
	if l.Successor != nil {
		w.line(depth+1, "<SuccessionHandling>")
		w.line(depth+2, "<SuccessionDateTime>"+dateTime(l.Successor.At)+"</SuccessionDateTime>")
		w.label(l.Successor.Label, "SuccessorConfidentialityLabel", "", depth+2)
		w.line(depth+1, "</SuccessionHandling>")
	}
	w.line(depth, "</"+root+">")
}

func (w *writer) category(c label.Category, prefix string, depth int) {
	w.line(depth, "<"+prefix+"Category"+attr("Type", c.Type.String())+attr("TagName", c.TagName)+attr("URI", oidURI(c.TagOID))+">")
	for _, v := range c.Values {
		w.line(depth+1, "<"+prefix+"GenericValue>"+text(v)+"</"+prefix+"GenericValue>")
	}
	w.line(depth, "</"+prefix+"Category>")
}

// WriteClearance writes a clearance so that ParseClearance gives an equal one.
func WriteClearance(c *label.Clearance) ([]byte, error) {
	w := &writer{}
	w.line(0, `<c:ConfidentialityClearance xmlns:c="`+ClearanceNamespace+`" xmlns:l="`+Namespace+`">`)
	w.line(1, "<l:PolicyIdentifier"+attr("URI", oidURI(c.PolicyOID))+">"+text(c.PolicyName)+"</l:PolicyIdentifier>")
	w.line(1, "<c:ClassificationList>")
	for _, name := range c.Classifications {
		w.line(2, "<l:Classification>"+text(name)+"</l:Classification>")
	}
	w.line(1, "</c:ClassificationList>")
	for _, cat := range c.Categories {
		w.category(cat, "l:", 1)
	}
	w.line(0, "</c:ConfidentialityClearance>")
	if _, err := ParseClearance(w.Bytes()); err != nil {
		return nil, fmt.Errorf("write clearance: %w", err)
	}
	return w.Bytes(), nil
}
