package stanag4774

import (
	"strings"
	"testing"

	"causeway/label/internal/xmltree"
)

// A label inside another document is read by its own name and namespace alone.
func TestElement(t *testing.T) {
	const first = "originatorConfidentialityLabel"
	for _, c := range []struct {
		name, old, new string
		role           Role // "": refused
		why            string
	}{
		{"the originator's", "", "", Originator, ""},
		{"an alternative", first, "alternativeConfidentialityLabel", Alternative, ""},
		{"of metadata", first, "metadataConfidentialityLabel", "", "no label that is read here"},
		{"of another namespace", "urn:nato:stanag:4774:confidentialitymetadatalabel:1:0", "urn:nato:stanag:4774:confidentialitymetadatalabel:2:0", "", "no label that is read here"},
		{"without its classification", "<s:Classification>SECRET</s:Classification>", "", "", "Classification is missing"},
	} {
		n, err := xmltree.Parse([]byte(strings.ReplaceAll(good, c.old, c.new)), limits)
		if c.old == "" {
			n, err = xmltree.Parse([]byte(good), limits)
		}
		if err != nil {
			t.Fatal(err)
		}
		l, role, err := Element(n)
		if role != c.role || (l == nil) != (c.role == "") || (err == nil) == (c.role == "") {
			t.Errorf("%s: %v, %q, %v", c.name, l, role, err)
		}
		if err != nil && !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v does not say %q", c.name, err, c.why)
		}
	}
}
