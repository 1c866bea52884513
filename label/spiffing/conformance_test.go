package spiffing_test

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/label"
	"causeway/label/spif"
	"causeway/label/spiffing"
	"causeway/label/stanag4774"
)

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

// policyFile names the file of a published policy that a strict loader reads.
func policyFile(name string) string {
	if strings.HasPrefix(name, "nato") {
		return "spiffing/" + name
	}
	return "corrected/" + name
}

type suite struct {
	Sequences []struct {
		Policies []struct {
			SPIF      string `xml:"spif,attr"`
			Exception string `xml:"exception,attr"`
		} `xml:"policy"`
		Tests []struct {
			Label          string `xml:"label,attr"`
			Lang           string `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
			Valid          string `xml:"valid,attr"`
			Clearance      string `xml:"clearance,attr"`
			LabelMarking   string `xml:"label-marking,attr"`
			ClearanceMark  string `xml:"clearance-marking,attr"`
			ACDF           string `xml:"acdf-result,attr"`
			Encrypt        string `xml:"encrypt,attr"`
			EncryptMarking string `xml:"encrypt-marking,attr"`
			Exception      string `xml:"exception,attr"`
		} `xml:"test"`
	} `xml:"sequence"`
}

func readLabel(b []byte, ps *label.Policies) (*label.Label, error) {
	switch {
	case strings.Contains(string(b), spiffing.Namespace):
		return spiffing.ParseLabel(b, ps)
	case strings.HasPrefix(string(b), "<"):
		return stanag4774.ParseErratic(b, stanag4774.Errata()...)
	}
	return spiffing.ParseESS(b, ps)
}

// TestPublishedExpectations runs tests.xml of spiffing. Its only expectation
// that causeway contradicts on purpose is the label without Context.
func TestPublishedExpectations(t *testing.T) {
	var s suite
	if err := xml.Unmarshal(shared(t, "spiffing/tests.xml"), &s); err != nil {
		t.Fatal(err)
	}
	run := 0
	for _, seq := range s.Sequences {
		var compiled []*label.Policy
		for _, p := range seq.Policies {
			policy, err := spif.Parse(shared(t, policyFile(p.SPIF)))
			if (err != nil) != (p.Exception != "") {
				t.Fatalf("%s: got %v, want %q", p.SPIF, err, p.Exception)
			}
			if policy != nil {
				compiled = append(compiled, policy)
			}
		}
		ps, err := label.NewPolicies(label.Groups{}, compiled...)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range seq.Tests {
			if c.Label == "this-file-does-not-exist.ber" {
				continue
			}
			run++
			l, err := readLabel(shared(t, "spiffing/"+c.Label), ps)
			if c.Exception != "" {
				if err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(c.Exception)) {
					t.Errorf("%s: got %v, want %q", c.Label, err, c.Exception)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", c.Label, err)
				continue
			}
			valid := len(ps.Check(l)) == 0
			if want := c.Valid == "true" && c.Label != "nato-4774-extra-1.xml"; c.Valid != "" && valid != want {
				t.Errorf("%s: valid is %v, want %v: %v", c.Label, valid, want, ps.Check(l))
			}
			if got := ps.Marking(l, c.Lang, "").Text; c.LabelMarking != "" && got != c.LabelMarking {
				t.Errorf("%s in %q: marked\n%q, want\n%q", c.Label, c.Lang, got, c.LabelMarking)
			}
			if c.Encrypt != "" {
				out, err := ps.Translate(l, c.Encrypt)
				if err != nil {
					t.Errorf("%s: %v", c.Label, err)
					continue
				}
				if got := ps.Marking(out, c.Lang, "").Text; got != c.EncryptMarking {
					t.Errorf("%s into %s: marked\n%q, want\n%q", c.Label, c.Encrypt, got, c.EncryptMarking)
				}
				l = out
			}
			if c.Clearance == "" {
				continue
			}
			cl, err := spiffing.ParseClearance(shared(t, "spiffing/"+c.Clearance), ps)
			if err != nil {
				t.Errorf("%s: %v", c.Clearance, err)
				continue
			}
			if got := ps.ClearanceMarking(cl, c.Lang, "").Text; c.ClearanceMark != "" && got != c.ClearanceMark {
				t.Errorf("%s: marked\n%q, want\n%q", c.Clearance, got, c.ClearanceMark)
			}
			rule, err := ps.Rule(l)
			if err != nil {
				t.Errorf("%s: %v", c.Label, err)
				continue
			}
			h, err := ps.Holdings(label.Holder{Kind: label.Person, Clearances: []*label.Clearance{cl}})
			if err != nil {
				t.Fatal(err)
			}
			if d := label.Decide(rule, h); d.Allow != (c.ACDF == "1") {
				t.Errorf("%s for %s: %+v, want %s", c.Label, c.Clearance, d, c.ACDF)
			}
		}
	}
	if run < 20 {
		t.Fatalf("only %d expectations ran", run)
	}
}

// The public demonstration of equivalence widens (README, error 7): TLPX "EU"
// becomes UK or EU. FanOut names it.
func TestDemonstrationFansOut(t *testing.T) {
	p, err := spif.Parse(shared(t, "corrected/tlp-plus.xml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range p.FanOut() {
		if problem.Code == "fan-out" && strings.Contains(problem.Text, "EU of Dissemination becomes several audiences in UK-DEMO") {
			return
		}
	}
	t.Fatalf("not named: %v", p.FanOut())
}

// The clearances written for the project, against the labels of Table 17 with
// the dates that they lack.
func TestTable17Readers(t *testing.T) {
	policy, err := spif.Parse(shared(t, "spiffing/nato-4774-policy.xml"))
	if err != nil {
		t.Fatal(err)
	}
	ps, err := label.NewPolicies(label.Groups{}, policy)
	if err != nil {
		t.Fatal(err)
	}
	for n, readers := range map[string]string{"1": "gbr nzl swe", "2": "gbr", "3": "gbr", "4": "gbr jpn", "6": "gbr swe"} {
		for _, notation := range []string{".nato", ".xml"} {
			l, err := readLabel(shared(t, "spiffing/nato-4774-17-"+n+notation), ps)
			if err != nil {
				t.Fatal(err)
			}
			rule, err := ps.Rule(l)
			if err != nil {
				t.Fatal(err)
			}
			for _, holder := range []string{"gbr", "jpn", "nzl", "swe", "wsm"} {
				c, err := stanag4774.ParseClearance(shared(t, "clearances/"+holder+".xml"))
				if err != nil {
					t.Fatal(err)
				}
				h, err := ps.Holdings(label.Holder{Kind: label.Partner, Clearances: []*label.Clearance{c}})
				if err != nil {
					t.Fatal(err)
				}
				if want := strings.Contains(readers, holder); label.Allows(rule, h) != want {
					t.Errorf("17-%s%s: %s reads %v, want %v", n, notation, holder, !want, want)
				}
			}
			if strings.HasSuffix(notation, "nato") {
				if _, err := stanag4774.ParseLabel(shared(t, "spiffing/nato-4774-17-"+n+notation)); err == nil {
					t.Errorf("17-%s: a label without dates is read", n)
				}
			}
		}
	}
}
