package stanag4778

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"causeway/label"
	"causeway/label/policies"
	"causeway/label/stanag4774"
)

func labels(t testing.TB) (originator, alternative []byte) {
	t.Helper()
	at := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	originator, err := stanag4774.WriteLabel(policies.NATOLabel("SECRET", at, at.AddDate(5, 0, 0), "JPN"))
	if err != nil {
		t.Fatal(err)
	}
	alternative, err = stanag4774.WriteAlternative(&label.Label{PolicyName: "JPN", PolicyOID: policies.Japan, Classification: "GOKUHI", Created: at, Review: at.AddDate(5, 0, 0),
		Categories: []label.Category{{Type: label.Permissive, TagName: "Audience", TagOID: policies.Japan + ".2", Values: []string{"JPN"}}}})
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(originator), bytes.TrimSpace(alternative)
}

func TestBinding(t *testing.T) {
	originator, alternative := labels(t)
	data := DigestOf([]byte("the data"))
	declared := append([]byte("\ufeff<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"), originator...)
	b, err := Write(declared, [][]byte{alternative}, data)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read(b)
	if err != nil {
		t.Fatal(err)
	}
	if got.Label.Classification != "SECRET" || len(got.Alternatives) != 1 || got.Alternatives[0].Classification != "GOKUHI" || got.Data != data {
		t.Fatalf("read %+v", got)
	}
	if !bytes.Contains(b, bytes.TrimSpace(originator)) {
		t.Error("the label's own bytes are not kept")
	}
	for name, args := range map[string][3][]byte{
		"an alternative for an originator's label": {alternative, nil}, "an originator's label for an alternative": {originator, originator},
		"no label": {[]byte("<a/>"), nil}, "a declaration without an end": {[]byte("<?xml "), nil},
	} {
		var alternatives [][]byte
		if args[1] != nil {
			alternatives = [][]byte{args[1]}
		}
		if _, err := Write(args[0], alternatives, data); err == nil {
			t.Errorf("written: %s", name)
		}
	}
	s := State(b, time.Date(2026, 11, 26, 9, 0, 0, 1, time.FixedZone("", 3600)))
	checked, err := Check(s.Encode(), b)
	if err != nil || !checked.Made.Equal(time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)) {
		t.Fatalf("checked %+v, %v", checked, err)
	}
	for i := range b {
		changed := bytes.Clone(b)
		changed[i] ^= 1
		if _, err := Check(s.Encode(), changed); err == nil {
			t.Fatalf("byte %d changed, and nobody noticed", i)
		}
	}
	wrapped := []byte("<x>" + string(b) + "</x>")
	if _, err := Check(s.Encode(), wrapped); err == nil || !strings.Contains(err.Error(), "wrapped") {
		t.Errorf("a wrapped binding: %v", err)
	}
	for _, signed := range []string{"", "{}", string(s.Encode()) + " ", strings.Replace(string(s.Encode()), `"v":1`, `"v":2`, 1), strings.Replace(string(s.Encode()), `"v":1`, `"v":1,"v":1`, 1),
		strings.Replace(string(s.Encode()), "2026-11-26T08:00:00Z", "0001-01-01T00:00:00Z", 1)} {
		if _, err := Check([]byte(signed), b); err == nil {
			t.Errorf("a statement %q passes", signed)
		}
	}
}

func TestBindingsRefused(t *testing.T) {
	originator, alternative := labels(t)
	data := DigestOf([]byte("the data"))
	b, err := Write(originator, [][]byte{alternative}, data)
	if err != nil {
		t.Fatal(err)
	}
	good := string(b)
	reference := `<DataReference URI="` + data.URI() + `"/>`
	meta := func(xml []byte) string { return "<Metadata>" + string(xml) + "</Metadata>" }
	binding := good[strings.Index(good, "<MetadataBinding>") : strings.Index(good, "</MetadataBinding>")+len("</MetadataBinding>")]
	container := "<MetadataBindingContainer>" + binding + "</MetadataBindingContainer>"
	const signature = `<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>`
	for _, c := range []struct{ name, old, new, fails string }{
		{"entity", "<BindingInformation", `<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><BindingInformation`, "document type"},
		{"an entity used", "SECRET", "&e;", "not well-formed"},
		{"another document", "BindingInformation", "OtherInformation", "not BindingInformation"},
		{"another namespace", Namespace, "urn:x", "not BindingInformation"},
		{"a signature inside", "<MetadataBindingContainer>", signature + "<MetadataBindingContainer>", "signature inside"},
		{"a signature in the container", "<MetadataBinding>", signature + "<MetadataBinding>", "signature inside"},
		{"two containers", container, container + container, "exactly one MetadataBindingContainer"},
		{"two bindings", binding, binding + binding, "exactly one MetadataBinding"},
		{"two originator's labels", meta(originator), meta(originator) + meta(originator), "two originator"},
		{"two alternatives of a policy", meta(alternative), meta(alternative) + meta(alternative), "two alternative labels of the policy JPN"},
		{"no originator's label", meta(originator), "", "no originator"},
		{"no data", reference, "", "not accepted here"},
		{"two references", reference, reference + reference, "not accepted here"},
		{"a reference before the labels", "<MetadataBinding>\n", "<MetadataBinding>" + reference, "not accepted here"},
		{"embedded data", reference, "<Data>x</Data>", "not accepted here"},
		{"metadata elsewhere", meta(alternative), `<MetadataReference URI="http://x"/>`, "not accepted here"},
		{"a place", data.URI(), "http://example.org/data", "names data by a place"},
		{"a file", data.URI(), "file:///etc/passwd", "names data by a place"},
		{"SHA-1", "ni:///sha-384;", "ni:///sha-1;", `"sha-1" is not accepted`},
		{"SHA-256", "ni:///sha-384;", "ni:///sha-256;", `"sha-256" is not accepted`},
		{"an authority", "ni:///sha-384;", "ni://x/sha-384;", "by a place"},
		{"short digest", data.URI(), data.URI()[:40], "not a SHA-384 digest"},
		{"padded digest", data.URI(), data.URI() + "=", "not a SHA-384 digest"},
		{"no URI", ` URI="` + data.URI() + `"`, "", "by a place"},
		{"another attribute", `<DataReference `, `<DataReference x="y" `, "unknown attribute"},
		{"something in the reference", reference, strings.Replace(reference, "/>", "><x/></DataReference>", 1), "elements of its own"},
		{"two labels in one metadata", meta(originator), "<Metadata>" + string(originator) + string(originator) + "</Metadata>", "2 elements"},
		{"no label in a metadata", meta(originator), "<Metadata/>", "0 elements"},
		{"text beside a label", "<Metadata>", "<Metadata>x", "text where elements belong"},
		{"text in the binding", "<MetadataBinding>", "<MetadataBinding>x", "text where elements belong"},
		{"a label that is none", meta(originator), "<Metadata><x/></Metadata>", "no label that is read here"},
		{"a label for metadata", "originatorConfidentialityLabel", "metadataConfidentialityLabel", "no label that is read here"},
		{"a label that is refused", "SECRET", "<x/>", "read label"},
		{"an attribute of the binding", "<MetadataBinding>", `<MetadataBinding x="y">`, "unknown attribute"},
		{"too large", "</BindingInformation>", strings.Repeat(" ", MaxSize) + "</BindingInformation>", "bytes"},
	} {
		bad := strings.ReplaceAll(good, c.old, c.new)
		if bad == good {
			t.Fatalf("%s: nothing to change", c.name)
		}
		if _, err := Read([]byte(bad)); err == nil || !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s: %v, want %q", c.name, err, c.fails)
		}
	}
	many := ""
	for i := range maxAlternatives + 1 {
		many += meta(bytes.Replace(alternative, []byte(">JPN<"), []byte(">P"+string(rune('A'+i))+"<"), 1))
	}
	if _, err := Read([]byte(strings.Replace(good, meta(alternative), many, 1))); err == nil || !strings.Contains(err.Error(), "more than 16") {
		t.Errorf("many alternatives: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	originator, alternative := labels(f)
	b, err := Write(originator, [][]byte{alternative}, DigestOf([]byte("the data")))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Read(b)
		if err == nil && (got.Label == nil || got.Data == Digest{}) {
			t.Fatalf("read %+v", got)
		}
	})
}
