package causeway_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// namedTests gives the tests that a document names in code marks.
func namedTests(document string) []string {
	var names []string
	for _, m := range regexp.MustCompile("`(Test[A-Za-z0-9]+)`").FindAllStringSubmatch(document, -1) {
		names = append(names, m[1])
	}
	return names
}

// TestThreatModelNamesTests: every defence of the threat model is shown by a
// test that exists, and every class of leaks has one.
func TestThreatModelNamesTests(t *testing.T) {
	b, err := os.ReadFile("docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("grep", "-rhoE", "^func Test[A-Za-z0-9]+", "--include=*_test.go", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	exists := map[string]bool{}
	for _, line := range strings.Fields(string(out)) {
		exists[line] = true
	}
	for _, name := range namedTests(string(b)) {
		if !exists[name] {
			t.Errorf("docs/threat-model.md names %s, which does not exist", name)
		}
	}
	classes := regexp.MustCompile(`(?m)^\| L(\d+) \|.*\|$`).FindAllString(string(b), -1)
	if len(classes) != 34 {
		t.Errorf("%d classes of leaks, want all 34", len(classes))
	}
	for _, c := range classes {
		if len(namedTests(c)) == 0 {
			t.Errorf("no test in %s", c)
		}
	}
}
