package spif

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shared gives a file of the conformance data, or skips the test.
func shared(t *testing.T, name string) []byte {
	t.Helper()
	root := os.Getenv("SHARED")
	if root == "" {
		root = "../../../shared"
	}
	b, err := os.ReadFile(filepath.Join(root, "data/labels", name))
	if os.IsNotExist(err) {
		t.Skipf("conformance data is not here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestConformancePolicies(t *testing.T) {
	for _, c := range []struct{ file, fails string }{
		{"spiffing/nato-4774-policy.xml", ""},
		{"corrected/food-policy.xml", ""},
		{"corrected/tlp.xml", ""},
		{"corrected/tlp-plus.xml", ""},
		{"corrected/uk-demo.xml", ""},
		{"corrected/food-policy-borked.xml", "duplicate excluded classification"},
		{"spiffing/food-policy.xml", "line 81: the end tag securityCategiryTagSet closes nothing"},
		{"spiffing/food-policy-missi.xml", "closes nothing"},
		{"spiffing/food-policy-borked.xml", "not a SPIF of namespace"},
		{"spiffing/tlp.xml", "not in its place"},
		{"spiffing/tlp-plus.xml", "not in its place"},
		{"spiffing/uk-demo.xml", "not in its place"},
	} {
		t.Run(c.file, func(t *testing.T) {
			_, err := Parse(shared(t, c.file))
			switch {
			case c.fails == "" && err != nil:
				t.Fatal(err)
			case c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)):
				t.Fatalf("got %v, want an error with %q", err, c.fails)
			}
		})
	}
}
