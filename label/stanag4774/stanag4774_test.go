package stanag4774

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"causeway/label"
)

const good = `<?xml version="1.0" encoding="UTF-8"?>
<s:originatorConfidentialityLabel xmlns:s="urn:nato:stanag:4774:confidentialitymetadatalabel:1:0" xmlns:x="urn:x" ReviewDateTime="2031-01-01T00:00:00Z" Id="a" x:note="ignored">
  <s:ConfidentialityInformation>
    <s:PolicyIdentifier URI="urn:oid:1.3.26.1.3.1">NATO</s:PolicyIdentifier>
    <s:Classification>SECRET</s:Classification>
    <s:PrivacyMark>CLEAR</s:PrivacyMark>
    <s:Category Type="PERMISSIVE" TagName="Context" URI="urn:oid:1.3.26.1.4.4"><s:GenericValue>NATO</s:GenericValue></s:Category>
  </s:ConfidentialityInformation>
  <s:OriginatorID IDType="rfc822Name">officer@example.int</s:OriginatorID>
  <s:CreationDateTime>2026-01-01T00:00:00Z</s:CreationDateTime>
  <x:more>ignored</x:more>
</s:originatorConfidentialityLabel>`

func TestParseLabel(t *testing.T) {
	got, err := ParseLabel([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	want := &label.Label{
		PolicyName: "NATO", PolicyOID: "1.3.26.1.3.1", Classification: "SECRET", PrivacyMark: "CLEAR",
		Categories: []label.Category{{Type: label.Permissive, TagName: "Context", TagOID: "1.3.26.1.4.4", Values: []string{"NATO"}}},
		Created:    time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Review: time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC),
		Originator: "officer@example.int", IDType: "rfc822Name",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
}

func TestLabelsRefused(t *testing.T) {
	const class = `<s:Classification>SECRET</s:Classification>`
	for _, c := range []struct{ name, old, new, fails string }{
		{"no creation", `  <s:CreationDateTime>2026-01-01T00:00:00Z</s:CreationDateTime>`, ``, "CreationDateTime is missing"},
		{"no review", ` ReviewDateTime="2031-01-01T00:00:00Z"`, ``, "ReviewDateTime is missing"},
		{"review not a time", `2031-01-01T00:00:00Z`, `2031-01-01`, "ReviewDateTime"},
		{"creation not a time", `2026-01-01T00:00:00Z`, `yesterday`, "CreationDateTime"},
		{"time with a comma", `2026-01-01T00:00:00Z`, `2026-01-01T00:00:00,5Z`, "CreationDateTime"},
		{"URI on the classification", class, `<s:Classification URI="urn:oid:1.2">SECRET</s:Classification>`, "unknown attribute URI"},
		{"URL for URI", `URI="urn:oid:1.3.26.1.3.1"`, `URL="urn:oid:1.3.26.1.3.1"`, "unknown attribute URL"},
		{"URI that is no OID", `urn:oid:1.3.26.1.3.1`, `http://example.int`, "not urn:oid:"},
		{"URI with a bad OID", `urn:oid:1.3.26.1.3.1`, `urn:oid:1.03`, "not urn:oid:"},
		{"classification twice", class, class + class, "repeated"},
		{"no classification", class, ``, "Classification is missing"},
		{"element in the classification", class, `<s:Classification>SEC<x:b/>RET</s:Classification>`, "elements where text belongs"},
		{"comment in the classification", class, `<s:Classification>SEC<!-- -->RET</s:Classification>`, "comment"},
		{"privacy mark", `CLEAR`, `PRIVATE`, "not CLEAR"},
		{"foreign element in the information", class, class + `<x:restriction/>`, "unknown in ConfidentialityInformation"},
		{"foreign attribute in the information", class, `<s:Classification x:a="1">SECRET</s:Classification>`, "unknown attribute"},
		{"text in the information", class, class + `FOR YOUR EYES ONLY`, "text where elements belong"},
		{"type in another case", `PERMISSIVE`, `Permissive`, "not RESTRICTIVE"},
		{"attribute in another case", `TagName`, `tagName`, "unknown attribute tagName"},
		{"attribute twice", `TagName="Context"`, `TagName="Context" TagName="Context"`, "twice"},
		{"no tag name", ` TagName="Context"`, ``, "no TagName"},
		{"another value element", `<s:GenericValue>NATO</s:GenericValue>`, `<s:IntegerValue>1</s:IntegerValue>`, "only GenericValue"},
		{"foreign value element", `<s:GenericValue>NATO</s:GenericValue>`, `<x:GenericValue>NATO</x:GenericValue>`, "only GenericValue"},
		{"category twice", `</s:ConfidentialityInformation>`, `<s:Category Type="PERMISSIVE" TagName="Context"/></s:ConfidentialityInformation>`, "there twice"},
		{"category twice by OID", `</s:ConfidentialityInformation>`, `<s:Category Type="PERMISSIVE" TagName="context" URI="urn:oid:1.3.26.1.4.4"/></s:ConfidentialityInformation>`, "there twice"},
		{"originator after the date", `<s:OriginatorID IDType="rfc822Name">officer@example.int</s:OriginatorID>
  <s:CreationDateTime>2026-01-01T00:00:00Z</s:CreationDateTime>`, `<s:CreationDateTime>2026-01-01T00:00:00Z</s:CreationDateTime><s:OriginatorID IDType="rfc822Name">officer@example.int</s:OriginatorID>`, "not in its place"},
		{"originator type", `rfc822Name`, `mail`, "IDType"},
		{"element without namespace", `<x:more>ignored</x:more>`, `<more/>`, "unknown"},
		{"another root", `originatorConfidentialityLabel`, `alternativeConfidentialityLabel`, "not originatorConfidentialityLabel"},
		{"legacy root", `originatorConfidentialityLabel`, `ConfidentialityLabel`, "not originatorConfidentialityLabel"},
		{"another namespace", `xmlns:s="urn:nato:stanag:4774:confidentialitymetadatalabel:1:0"`, `xmlns:s="urn:nato:stanag:4774:confidentialitymetadatalabel:2:0"`, "namespace"},
		{"entity", `<s:Classification>SECRET`, `<s:Classification>&secret;`, "not well-formed"},
		{"document type", `<s:originator`, `<!DOCTYPE s:originatorConfidentialityLabel [<!ENTITY a "b">]><s:originator`, ""},
		{"succession before creation", `  <x:more>`, `<s:SuccessionHandling><s:SuccessionDateTime>2025-01-01T00:00:00Z</s:SuccessionDateTime>` + successor + `</s:SuccessionHandling><x:more>`, "before the creation"},
		{"succession with a small letter", `  <x:more>`, `<s:SuccessionHandling><s:SuccessionDateTime>2027-01-01T00:00:00Z</s:SuccessionDateTime>` + strings.ReplaceAll(successor, "Successor", "successor") + `</s:SuccessionHandling><x:more>`, "SuccessionHandling needs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := strings.Replace(good, c.old, c.new, 1)
			if strings.HasSuffix(c.name, "root") {
				doc = strings.ReplaceAll(good, c.old, c.new)
			}
			if doc == good {
				t.Fatal("the case changes nothing")
			}
			if _, err := ParseLabel([]byte(doc)); err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Fatalf("got %v, want an error with %q", err, c.fails)
			}
		})
	}
}

const successor = `<s:SuccessorConfidentialityLabel ReviewDateTime="2031-01-01T00:00:00Z"><s:ConfidentialityInformation><s:PolicyIdentifier>NATO</s:PolicyIdentifier><s:Classification>RESTRICTED</s:Classification></s:ConfidentialityInformation><s:CreationDateTime>2026-01-01T00:00:00Z</s:CreationDateTime></s:SuccessorConfidentialityLabel>`

// Each erratum lets one deviation pass, and only where it is named.
func TestErrata(t *testing.T) {
	for _, c := range []struct {
		erratum  Erratum
		old, new string
	}{
		{NoCreationDate, `  <s:CreationDateTime>2026-01-01T00:00:00Z</s:CreationDateTime>`, ``},
		{NoReviewDate, ` ReviewDateTime="2031-01-01T00:00:00Z"`, ``},
		{URLAttribute, `URI="urn:oid:1.3.26.1.3.1"`, `URL="urn:oid:1.3.26.1.3.1"`},
		{LegacyRoot, `originatorConfidentialityLabel`, `ConfidentialityLabel`},
	} {
		doc := []byte(strings.ReplaceAll(good, c.old, c.new))
		for _, accept := range Errata() {
			_, err := ParseErratic(doc, accept)
			if (err == nil) != (accept == c.erratum) {
				t.Errorf("%s, accepting %s: %v", c.erratum, accept, err)
			}
		}
	}
}

func TestLimits(t *testing.T) {
	for name, doc := range map[string]string{
		"size":  strings.Replace(good, "SECRET", strings.Repeat("S", MaxSize), 1),
		"depth": strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100),
		"count": strings.Replace(good, `<s:GenericValue>NATO</s:GenericValue>`, strings.Repeat(`<s:GenericValue/>`, 9000), 1),
		"empty": "",
		"utf8":  strings.Replace(good, "SECRET", "SECRET\xff", 1),
	} {
		if _, err := ParseLabel([]byte(doc)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func genText() *rapid.Generator[string] {
	return rapid.StringMatching(`[A-Za-z0-9 <>&"'éあ]{1,12}`)
}

func genLabel(depth int) *rapid.Generator[*label.Label] {
	return rapid.Custom(func(t *rapid.T) *label.Label {
		l := &label.Label{
			PolicyName: genText().Draw(t, "policy"), Classification: genText().Draw(t, "class"),
			PolicyOID: rapid.SampledFrom([]string{"", "1.3.26.1.3.1", "2.25.1"}).Draw(t, "oid"),
			Created:   time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "created"), 5e8).UTC(),
		}
		for i, n := range rapid.SliceOfNDistinct(genText(), 0, 3, rapid.ID[string]).Draw(t, "tags") {
			l.Categories = append(l.Categories, label.Category{
				Type: label.Type(1 + i%3), TagName: n, Values: rapid.SliceOfN(genText(), 0, 3).Draw(t, "values"),
			})
			if len(l.Categories[i].Values) == 0 {
				l.Categories[i].Values = nil
			}
		}
		if depth > 0 && rapid.Bool().Draw(t, "succeeds") {
			l.Successor = &label.Succession{At: l.Created.AddDate(1, 0, 0), Label: genLabel(depth-1).Draw(t, "next")}
		} else {
			l.Review = l.Created.AddDate(5, 0, 0)
		}
		return l
	})
}

func TestWriteReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := genLabel(2).Draw(t, "label")
		b, err := WriteLabel(l)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseLabel(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(l, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func FuzzParseLabel(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(strings.Replace(good, "  <x:more>", `<s:SuccessionHandling><s:SuccessionDateTime>2027-01-01T00:00:00Z</s:SuccessionDateTime>`+successor+`</s:SuccessionHandling><x:more>`, 1)))
	f.Fuzz(func(t *testing.T, doc []byte) {
		l, err := ParseLabel(doc)
		if err != nil {
			return
		}
		b, err := WriteLabel(l)
		if err != nil {
			t.Fatalf("a label that was read cannot be written: %v", err)
		}
		again, err := ParseLabel(b)
		if err != nil {
			t.Fatal(err)
		}
		l.CreatedNoZone = false // what is written has a zone
		if diff := cmp.Diff(l, again); diff != "" && !strings.Contains(string(doc), "\r") {
			t.Fatal(diff)
		}
	})
}

func FuzzParseClearance(f *testing.F) {
	f.Add([]byte(`<c:ConfidentialityClearance xmlns:c="urn:nato:stanag:4774:confidentialityclearance:1:0" xmlns:l="urn:nato:stanag:4774:confidentialitymetadatalabel:1:0"><l:PolicyIdentifier>NATO</l:PolicyIdentifier><c:ClassificationList><l:Classification>SECRET</l:Classification></c:ClassificationList></c:ConfidentialityClearance>`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		c, err := ParseClearance(doc)
		if err != nil {
			return
		}
		b, err := WriteClearance(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseClearance(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, again); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestClearancesRefused(t *testing.T) {
	const good = `<c:ConfidentialityClearance xmlns:c="urn:nato:stanag:4774:confidentialityclearance:1:0" xmlns:l="urn:nato:stanag:4774:confidentialitymetadatalabel:1:0"><l:PolicyIdentifier URI="urn:oid:1.3.26.1.3.1">NATO</l:PolicyIdentifier><c:ClassificationList><l:Classification>SECRET</l:Classification></c:ClassificationList><l:Category Type="PERMISSIVE" TagName="Context"><l:GenericValue>NATO</l:GenericValue></l:Category></c:ConfidentialityClearance>`
	if _, err := ParseClearance([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new string }{
		{"no list", `<c:ClassificationList><l:Classification>SECRET</l:Classification></c:ClassificationList>`, ``},
		{"empty list", `<l:Classification>SECRET</l:Classification>`, ``},
		{"list in the label's namespace", `c:ClassificationList`, `l:ClassificationList`},
		{"something in the list", `<l:Classification>SECRET</l:Classification>`, `<l:Classification>SECRET</l:Classification><l:Category/>`},
		{"category twice", `</c:ConfidentialityClearance>`, `<l:Category Type="PERMISSIVE" TagName="Context"/></c:ConfidentialityClearance>`},
		{"a label", `c:ConfidentialityClearance`, `l:originatorConfidentialityLabel`},
		{"policy missing", `<l:PolicyIdentifier URI="urn:oid:1.3.26.1.3.1">NATO</l:PolicyIdentifier>`, ``},
	} {
		if _, err := ParseClearance([]byte(strings.ReplaceAll(good, c.old, c.new))); err == nil {
			t.Errorf("%s: accepted", c.name)
		}
	}
}
