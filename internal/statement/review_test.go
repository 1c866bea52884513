package statement

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestReviews: two persons, neither of them the one who drafted, agree to the
// exact bytes before anybody signs and before it is published.
func TestReviews(t *testing.T) {
	p := newPublisher(t)
	file, digest, err := p.Freeze(sample(5, "rebuttal"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.DemandReviews(); err != nil {
		t.Fatal(err)
	}
	if err := p.Begin(file, Work{By: "mei"}); err != nil {
		t.Fatal(err)
	}
	refused := func(what string, err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
	}
	_, err = p.Sign(file, "a.example/statements")
	refused("unreviewed, signed", err, "the legal review is open, the release review is open")
	say := func(kind, by string, agrees bool, note string) error {
		return p.Decide(file, Review{Kind: kind, By: by, At: day, Digest: digest, Agrees: agrees, Note: note})
	}
	refused("her own", say(LegalReview, "mei", true, ""), "nobody reviews their own draft")
	refused("nobody", say(LegalReview, " ", true, ""), "give a name")
	refused("another kind", say("style", "rin", true, ""), "not legal or release")
	refused("other bytes", p.Decide(file, Review{Kind: LegalReview, By: "rin", Digest: strings.Repeat("0", 64), Agrees: true}), "other bytes than were read")
	refused("no reason", say(LegalReview, "rin", false, ""), "say why not")
	if err := say(LegalReview, "rin", false, "too broad"); err != nil {
		t.Fatal(err)
	}
	refused("one person, two reviews", say(ReleaseReview, "rin", true, ""), "different people")
	refused("another's", say(LegalReview, "kenji", true, ""), "another person's")
	if err := say(ReleaseReview, "kenji", true, ""); err != nil {
		t.Fatal(err)
	}
	_, err = p.Sign(file, "a.example/statements")
	refused("objected, signed", err, "the legal review objects")
	_, err = p.round(3)
	refused("objected, published", err, "the legal review objects")
	if err := say(LegalReview, "rin", true, ""); err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"a.example/statements", "b.example/statements"} {
		if _, err := p.Sign(file, k); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.round(3); err != nil {
		t.Fatal(err)
	}
	if r := Verify(p.Site(), VerifyOptions{Now: day}); !r.OK() || len(r.Statements) != 1 {
		t.Errorf("%+v", r.Findings)
	}
	if _, err := os.Stat(workOf(file)); !os.IsNotExist(err) {
		t.Error("the reviews of a published draft are still there")
	}
}

// TestOnly: a draft that is not ready does not hold up another.
func TestOnly(t *testing.T) {
	p := newPublisher(t)
	if _, _, err := p.Freeze(sample(4, "rebuttal")); err != nil {
		t.Fatal(err)
	}
	p.draft(t, 5)
	_, err := p.round(3)
	if err == nil || !strings.Contains(err.Error(), "nobody has signed it") {
		t.Errorf("all: %v", err)
	}
	// The round above asked no witness: the log has not been fixed.
	done, err := p.Publish(Round{Now: day, Only: []string{"00000000-0000-4000-8000-000000000005-1.json"}, Reach: func(w WitnessAt) Cosigner { return p.reach[w.Name] },
		Metadata: Metadata{Publisher: "A", Contact: "x", CanonicalURL: "https://a.example/", Witnesses: WitnessPolicy{K: 3, Nations: 3}}})
	if err != nil || done.Drafts != 1 {
		t.Fatalf("%+v %v", done, err)
	}
	if left, err := p.Drafts(); err != nil || len(left) != 1 {
		t.Errorf("%d drafts are left, %v", len(left), err)
	}
}

// TestDiscard: a draft goes with all that stands beside it, unless witnesses
// may have seen it.
func TestDiscard(t *testing.T) {
	p := newPublisher(t)
	p.draft(t, 5)
	drafts, err := p.Drafts()
	if err != nil {
		t.Fatal(err)
	}
	for name := range p.reach {
		p.reach[name] = deaf{p.reach[name]}
	}
	if _, err := p.round(3); err == nil {
		t.Fatal("published without an answer")
	}
	if err := p.Discard(drafts[0].File); err == nil || !strings.Contains(err.Error(), "witnesses may have co-signed") {
		t.Errorf("a committed draft: %v", err)
	}
	file, _, err := p.Freeze(sample(6, "rebuttal"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Discard(file); err != nil {
		t.Fatal(err)
	}
	if left, err := p.Drafts(); err != nil || len(left) != 1 {
		t.Errorf("%d drafts are left, %v", len(left), err)
	}
}

// TestTakeSignatures: signatures made elsewhere count only where they are a
// signatory's, over these bytes, with a trusted key.
func TestTakeSignatures(t *testing.T) {
	p, other := newPublisher(t), newPublisher(t)
	file, _, err := p.Freeze(sample(5, "rebuttal"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := ReadDraft(file)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := p.SignBytes(d.JSON, "b.example/statements")
	if err != nil {
		t.Fatal(err)
	}
	strangers, err := other.SignBytes(d.JSON, "b.example/statements")
	if err != nil {
		t.Fatal(err)
	}
	another, err := sample(6, "rebuttal").Canonical()
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := p.SignBytes(another, "b.example/statements")
	if err != nil {
		t.Fatal(err)
	}
	half, _, _ := strings.Cut(lines, "\n")
	for name, c := range map[string]struct{ lines, want string }{
		"another's key":    {strangers, "trusted here"},
		"over other words": {wrong, "invalid signature"},
		"one algorithm":    {half + "\n", "one algorithm only"},
		"nothing":          {"", "take signatures"},
		"more than that":   {lines + "— x.example/statements AAAAAAAA\n", "no signatory"},
	} {
		if err := p.TakeSignatures(file, c.lines); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for range 2 { // the same again changes nothing
		if err := p.TakeSignatures(file, lines); err != nil {
			t.Fatal(err)
		}
	}
	if d, err := ReadDraft(file); err != nil || d.Sigs != lines {
		t.Errorf("signatures %q, %v", d.Sigs, err)
	}
}

// TestWithdraw: a moment from which a key is not good is not moved later.
func TestWithdraw(t *testing.T) {
	p := newPublisher(t)
	if err := p.Withdraw("b.example/statements", day, true); err != nil {
		t.Fatal(err)
	}
	if err := p.Withdraw("b.example/statements", day.Add(time.Hour), true); err == nil || !strings.Contains(err.Error(), "would make good what has failed") {
		t.Errorf("later: %v", err)
	}
	if err := p.Withdraw("b.example/statements", day.Add(-time.Hour), true); err != nil {
		t.Errorf("earlier: %v", err)
	}
	if err := p.Withdraw("nobody.example/statements", day, false); err == nil {
		t.Error("a key that nobody knows was withdrawn")
	}
	if _, err := p.TrustKey([]byte(`{"name":"x"}`)); err == nil {
		t.Error("something else than a key was trusted")
	}
}
