package line

import (
	"bytes"
	"testing"
)

// A detached signature verifies with the keys it comes with, and any change of
// it, another kind or another signer's keys are noticed.
func TestDetached(t *testing.T) {
	a, b := &Line{ring: newTestRing(t, "JPN")}, &Line{ring: newTestRing(t, "BEL")}
	file, err := a.SignDetached("label-binding", []byte("body"))
	if err != nil {
		t.Fatal(err)
	}
	id, body, err := OpenDetached("label-binding", file)
	if err != nil || string(body) != "body" || id.Fingerprint() != a.Node() {
		t.Fatalf("opened %q of %v, %v", body, id, err)
	}
	if _, _, err := OpenDetached("alternative-label", file); err == nil {
		t.Error("a document of one kind passes as another")
	}
	if _, err := a.SignDetached("Label", nil); err == nil {
		t.Error("signed as a kind that is none")
	}
	for i := 0; i < len(file); i += 61 {
		changed := bytes.Clone(file)
		changed[i] ^= 1
		if _, body, err := OpenDetached("label-binding", changed); err == nil {
			t.Fatalf("byte %d changed, and it says %q", i, body)
		}
	}
	var d, e Detached
	other, err := b.SignDetached("label-binding", []byte("body"))
	if err != nil {
		t.Fatal(err)
	}
	for file, to := range map[string]*Detached{string(file): &d, string(other): &e} {
		if err := decodeCanonical([]byte(file), maxDocument, to); err != nil {
			t.Fatal(err)
		}
	}
	swapped := d
	swapped.Signer = e.Signer
	half := d
	half.Document.Signatures.MLDSA65 = e.Document.Signatures.MLDSA65
	for name, x := range map[string]Detached{"another's keys": swapped, "one of two signatures": half} {
		if _, _, err := OpenDetached("label-binding", mustCanonical(x)); err == nil {
			t.Errorf("%s: it verifies", name)
		}
	}
	// Whoever signs in another's name has only its own keys.
	k := b.ring.Current()
	doc, err := k.document("application/vnd.causeway.voucher.label-binding.v1+json", mustCanonical(voucher{1, a.Node(), 1, []byte("body")}))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := OpenDetached("label-binding", mustCanonical(Detached{1, k.Signed, doc})); err == nil {
		t.Error("a node signs in another's name")
	}
	signed, err := a.Sign("alternative-label", []byte("body"))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := BodyOf("alternative-label", signed); err != nil || string(body) != "body" {
		t.Errorf("body %q, %v", body, err)
	}
	if _, err := BodyOf("label-binding", signed); err == nil {
		t.Error("a body of another kind")
	}
}
