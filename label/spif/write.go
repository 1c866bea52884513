package spif

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
	"time"

	"causeway/label"
)

// Write writes a definition as a SPIF 2.1 file that ParseDefinition reads
// back equal. originator is the distinguished name of who writes it.
func Write(d *label.Definition, originator string) ([]byte, error) {
	w := &writer{}
	w.WriteString(xml.Header)
	issued := d.Issued.UTC()
	w.open("SPIF", "xmlns", Namespace, "schemaVersion", "2.1", "version", d.Version,
		"creationDate", issued.Format("20060102150405Z"), "originatorDN", originator, "keyIdentifier", "none",
		"privilegeId", "2.16.840.1.101.2.1.8.3", "rbacId", "2.16.840.1.101.2.1.8.3")
	w.empty("securityPolicyId", "name", d.Name, "id", d.OID)
	w.open("securityClassifications")
	for _, c := range d.Classes {
		w.class(c)
	}
	w.close("securityClassifications")
	if len(d.Sets) > 0 {
		w.open("securityCategoryTagSets")
		for _, s := range d.Sets {
			w.set(s)
		}
		w.close("securityCategoryTagSets")
	}
	if len(d.Equals) > 0 {
		w.open("equivalentPolicies")
		for _, e := range d.Equals {
			w.open("equivalentPolicy", "name", e.Name, "id", e.OID)
			w.requirements(e.Requires)
			w.close("equivalentPolicy")
		}
		w.close("equivalentPolicies")
	}
	w.marks(d.Marks)
	w.qualifiers(d.Qualifier)
	w.close("SPIF")
	if _, err := Parse(w.Bytes()); err != nil {
		return nil, fmt.Errorf("write SPIF: %w", err)
	}
	return w.Bytes(), nil
}

type writer struct {
	bytes.Buffer
	depth int
}

// tag writes a start tag with the attributes that have a value.
func (w *writer) tag(name, end string, attrs []string) {
	for range w.depth {
		w.WriteString("  ")
	}
	w.WriteString("<" + name)
	for i := 0; i+1 < len(attrs); i += 2 {
		if attrs[i+1] == "" {
			continue
		}
		w.WriteString(" " + attrs[i] + `="`)
		_ = xml.EscapeText(w, []byte(attrs[i+1])) // writing to memory does not fail
		w.WriteString(`"`)
	}
	w.WriteString(end + "\n")
}

func (w *writer) open(name string, attrs ...string) { w.tag(name, ">", attrs); w.depth++ }

func (w *writer) close(name string) {
	w.depth--
	w.tag("/"+name, ">", nil)
}

func (w *writer) empty(name string, attrs ...string) { w.tag(name, "/>", attrs) }

func (w *writer) leaf(name, text string) {
	w.tag(name, ">", nil)
	w.Truncate(w.Len() - 1)
	_ = xml.EscapeText(w, []byte(text))
	w.WriteString("</" + name + ">\n")
}

func truth(b bool) string {
	if b {
		return "true"
	}
	return ""
}

func positive(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

func tagType(t label.Type, enumerated bool) []string {
	name := map[label.Type]string{label.Restrictive: "restrictive", label.Permissive: "permissive", label.Informative: "tagType7"}[t]
	if enumerated {
		return []string{"tagType", "enumerated", "enumType", name}
	}
	return []string{"tagType", name}
}

func (w *writer) class(c label.Class) {
	w.open("securityClassification", "name", c.Name, "lacv", c.LACV, "hierarchy", strconv.Itoa(c.Hierarchy),
		"color", c.Colour, "obsolete", truth(c.Obsolete))
	for _, e := range c.Equals {
		w.open("equivalentClassification", "policyRef", e.Policy, "lacv", e.LACV, "applied", e.Applied)
		w.requirements(e.Requires)
		w.close("equivalentClassification")
	}
	w.marks(c.Marks)
	w.requirements(c.Requires)
	w.close("securityClassification")
}

func (w *writer) set(s label.TagSet) {
	w.open("securityCategoryTagSet", "name", s.Name, "id", s.OID)
	for _, t := range s.Tags {
		w.open("securityCategoryTag", append([]string{"name", t.Name, "tag7Encoding", t.Encoding,
			"maxSelection", positive(t.Max), "minSelection", positive(t.Min)}, tagType(t.Type, t.Enumerated)...)...)
		for _, v := range t.Values {
			w.value(v)
		}
		w.qualifiers(t.Qualifier)
		w.close("securityCategoryTag")
	}
	w.close("securityCategoryTagSet")
}

func (w *writer) value(v label.Value) {
	w.open("tagCategory", "name", v.Name, "lacv", v.LACV, "obsolete", truth(v.Obsolete),
		"notBefore", moment(v.NotBefore), "notAfter", moment(v.NotAfter))
	for _, e := range v.Equals {
		w.empty("equivalentSecCategoryTag", append([]string{"policyRef", e.Policy, "tagSetId", e.SetOID, "lacv", e.LACV,
			"applied", e.Applied, "action", e.Action}, tagType(e.Type, e.Enumerated)...)...)
	}
	w.marks(v.Marks)
	for _, c := range v.ExcludedClasses {
		w.leaf("excludedClass", c)
	}
	for _, c := range v.RequiredClasses {
		w.leaf("requiredClass", c)
	}
	w.requirements(v.Requires)
	for _, g := range v.Excludes {
		w.group("excludedCategory", g)
	}
	w.close("tagCategory")
}

func (w *writer) requirements(rs []label.Requirement) {
	for _, r := range rs {
		w.open("requiredCategory", "operation", r.Operation)
		for _, g := range r.Groups {
			w.group("categoryGroup", g)
		}
		w.close("requiredCategory")
	}
}

func (w *writer) group(name string, g label.Group) {
	w.empty(name, append([]string{"tagSetRef", g.Set, "lacv", g.LACV, "all", truth(g.All)}, tagType(g.Type, g.Enumerated)...)...)
}

func (w *writer) marks(ms []label.Mark) {
	for _, m := range ms {
		attrs := []string{"xml:lang", m.Lang, "phrase", m.Phrase}
		w.open("markingData", attrs...)
		if m.HasPhrase && m.Phrase == "" { // an empty phrase is not an absent one
			w.Truncate(w.Len() - 2)
			w.WriteString(" phrase=\"\">\n")
		}
		for _, c := range m.Codes {
			w.leaf("code", c)
		}
		w.close("markingData")
	}
}

// qualifiers writes one element for each run of one place.
func (w *writer) qualifiers(qs []label.Qualifier) {
	for i := 0; i < len(qs); {
		place := qs[i].Place
		w.open("markingQualifier", "markingCode", place)
		for ; i < len(qs) && qs[i].Place == place; i++ {
			q := qs[i]
			w.tag("qualifier", "", []string{"xml:lang", q.Lang, "qualifierCode", q.Code})
			w.Truncate(w.Len() - 1)
			w.WriteString(` markingQualifier="`)
			_ = xml.EscapeText(w, []byte(q.Text))
			w.WriteString("\"/>\n")
		}
		w.close("markingQualifier")
	}
}
