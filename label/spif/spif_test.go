package spif

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"causeway/label"
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

func TestWriteReadsBack(t *testing.T) {
	for _, file := range []string{"spiffing/nato-4774-policy.xml", "corrected/food-policy.xml", "corrected/tlp.xml", "corrected/tlp-plus.xml", "corrected/uk-demo.xml"} {
		t.Run(file, func(t *testing.T) {
			d, err := ParseDefinition(shared(t, file))
			if err != nil {
				t.Fatal(err)
			}
			checkWrite(t, d)
		})
	}
}

func checkWrite(t *testing.T, d *label.Definition) {
	t.Helper()
	b, err := Write(d, "O=test")
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseDefinition(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, again); diff != "" && !d.Issued.IsZero() {
		t.Fatal(diff)
	}
}

const head = `<SPIF xmlns="http://www.xmlspif.org/spif" schemaVersion="2.1" creationDate="20260101000000Z" originatorDN="" keyIdentifier="" privilegeId="1.2" rbacId="1.2"><securityPolicyId name="P" id="2.999"/>`

// Each of these would change what a label means if it were let pass.
func TestRefused(t *testing.T) {
	class := func(attrs, inside string) string {
		return `<securityClassification ` + attrs + `>` + inside + `</securityClassification>`
	}
	classes := func(cs ...string) string {
		return `<securityClassifications>` + strings.Join(cs, "") + `</securityClassifications>`
	}
	one := classes(class(`name="A" lacv="1" hierarchy="1"`, ""))
	tag := func(attrs, inside string) string {
		return one + `<securityCategoryTagSets><securityCategoryTagSet name="S" id="2.999.1"><securityCategoryTag name="T" ` + attrs + `>` + inside +
			`</securityCategoryTag></securityCategoryTagSet></securityCategoryTagSets>`
	}
	value := func(inside string) string {
		return tag(`tagType="restrictive"`, `<tagCategory name="v" lacv="1">`+inside+`</tagCategory>`)
	}
	equal := `<equivalentPolicies><equivalentPolicy name="Q" id="2.999.9"/></equivalentPolicies>`
	for _, c := range []struct{ name, body, fails string }{
		{"no classification", `<securityClassifications/>`, "securityClassification+ is missing"},
		{"name twice", classes(class(`name="A" lacv="1" hierarchy="1"`, ""), class(`name="A" lacv="2" hierarchy="2"`, "")), "defined twice"},
		{"number twice", classes(class(`name="A" lacv="1" hierarchy="1"`, ""), class(`name="B" lacv="01" hierarchy="2"`, "")), "one number"},
		{"hierarchy twice", classes(class(`name="A" lacv="1" hierarchy="1"`, ""), class(`name="B" lacv="2" hierarchy="1"`, "")), "one hierarchy"},
		{"no hierarchy", classes(class(`name="A" lacv="1"`, "")), "hierarchy is missing"},
		{"colour", classes(class(`name="A" lacv="1" hierarchy="1" color="orange"`, "")), "color"},
		{"unknown attribute", classes(class(`name="A" lacv="1" hierarchy="1" secret="yes"`, "")), "unknown attribute"},
		{"unknown element", classes(class(`name="A" lacv="1" hierarchy="1"`, "<restriction/>")), "not known inside"},
		{"SPIF 3.0", "", "schema version"},
		{"tag type", tag(`tagType="notApplicable"`, ""), "tagType"},
		{"enumerated without type", tag(`tagType="enumerated"`, ""), "enumType"},
		{"value twice", tag(`tagType="restrictive"`, `<tagCategory name="v" lacv="1"/><tagCategory name="v" lacv="2"/>`), "defined twice"},
		{"value number twice", tag(`tagType="restrictive"`, `<tagCategory name="v" lacv="1"/><tagCategory name="w" lacv="1"/>`), "one number"},
		{"selection", tag(`tagType="restrictive" minSelection="3" maxSelection="2"`, ""), "cannot be met"},
		{"typed value", tag(`tagType="restrictive"`, `<tagCategory name="v" lacv="1" userInput="true"/>`), "user types"},
		{"excluded class unknown", value(`<excludedClass>B</excludedClass>`), "not defined"},
		{"excluded class twice", value(`<excludedClass>A</excludedClass><excludedClass>A</excludedClass>`), "duplicate excluded"},
		{"required class unknown", value(`<requiredClass>B</requiredClass>`), "not defined"},
		{"required and excluded", value(`<excludedClass>A</excludedClass><requiredClass>A</requiredClass>`), "both required and excluded"},
		{"group unknown", value(`<requiredCategory operation="all"><categoryGroup tagSetRef="X" tagType="restrictive" lacv="1"/></requiredCategory>`), "not defined"},
		{"group value unknown", value(`<requiredCategory operation="all"><categoryGroup tagSetRef="S" tagType="restrictive" lacv="7"/></requiredCategory>`), "not defined"},
		{"operation unknown", value(`<requiredCategory operation="some"><categoryGroup tagSetRef="S" tagType="restrictive" lacv="1"/></requiredCategory>`), "operation"},
		{"one and all", value(`<excludedCategory tagSetRef="S" tagType="restrictive" lacv="1" all="true"/>`), "one value and all"},
		{"marking code", value(`<markingData phrase="x"><code>everywhere</code></markingData>`), "marking code"},
		{"order", value(`<excludedClass>A</excludedClass><markingData phrase="x"><code>pageTop</code></markingData>`), "not in its place"},
		{"discard", value(`<equivalentSecCategoryTag policyRef="Q" tagSetId="2.999.9.1" tagType="restrictive" applied="encrypt" action="discard"/>`) + equal, "must not be translated by discarding"},
		{"translation to nowhere", value(`<equivalentSecCategoryTag policyRef="R" tagSetId="2.999.9.1" tagType="restrictive" lacv="1" applied="encrypt"/>`) + equal, "not listed"},
		{"text", one + "secret", "text where elements belong"},
		{"backwards window", tag(`tagType="restrictive"`, `<tagCategory name="v" lacv="1" notBefore="2026-02-01T00:00:00Z" notAfter="2026-01-01T00:00:00Z"/>`), "ends before it begins"},
		{"window without zone", tag(`tagType="restrictive"`, `<tagCategory name="v" lacv="1" notBefore="2026-02-01T00:00:00"/>`), "time with a zone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := head + c.body + `</SPIF>`
			if c.name == "SPIF 3.0" {
				doc = strings.Replace(head, "2.1", "3.0", 1) + one + `</SPIF>`
			}
			_, err := Parse([]byte(doc))
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Fatalf("got %v, want an error with %q", err, c.fails)
			}
		})
	}
	if _, err := Parse([]byte(head + one + `</SPIF>`)); err != nil {
		t.Fatalf("the plain policy of these cases: %v", err)
	}
	for v, want := range map[string]bool{"true": true, "1": true, "false": false, "0": false} {
		p, err := Parse([]byte(head + classes(class(`name="A" lacv="1" hierarchy="1" obsolete="`+v+`"`, "")) + `</SPIF>`))
		if err != nil || p.Definition().Classes[0].Obsolete != want {
			t.Errorf("obsolete=%s: %v, %v", v, p, err)
		}
	}
	if _, err := Parse([]byte(head + classes(class(`name="A" lacv="1" hierarchy="1" obsolete="yes"`, "")) + `</SPIF>`)); err == nil {
		t.Error("obsolete=yes is read")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(head + `<securityClassifications><securityClassification name="A" lacv="1" hierarchy="1"/></securityClassifications></SPIF>`))
	f.Add([]byte(`<?xml version="1.0"?><!DOCTYPE x><SPIF/>`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		d, err := ParseDefinition(doc)
		if err != nil {
			return
		}
		if _, err := label.Compile(*d); err != nil {
			return
		}
		checkWrite(t, d)
	})
}

func TestDatesReadBack(t *testing.T) {
	d := &label.Definition{OID: "2.999", Name: "P", Version: "3", Issued: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Classes: []label.Class{{Name: "A", LACV: "1"}}, Sets: []label.TagSet{{Name: "S", OID: "2.999.1", Tags: []label.Tag{{Name: "T", Type: label.Restrictive,
			Values: []label.Value{{Name: "v", LACV: "1", NotBefore: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)}, {Name: "w", LACV: "2", NotAfter: time.Date(2027, 1, 2, 0, 0, 0, 5e8, time.UTC)}}}}}}}
	checkWrite(t, d)
	for text, want := range map[string]time.Time{
		"20260102030405Z": d.Issued, "2026-01-02 03:04:05": d.Issued, "2026-01-02T03:04:05Z": d.Issued, "201511061430200Z": {}, "": {},
	} {
		if got := issued(text); !got.Equal(want) {
			t.Errorf("%q is issued %v, want %v", text, got, want)
		}
	}
}
