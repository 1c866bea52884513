package office_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"causeway/internal/audit"
	"causeway/internal/demo"
	"causeway/internal/desk/office"
	"causeway/internal/line"
	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/internal/statement"
	"causeway/internal/vault"
)

// agency is one node with a key for statements.
type agency struct {
	*node.Node
	t   *testing.T
	key string
}

func agencies(t *testing.T) (tokyo, brussels, canberra *agency) {
	t.Helper()
	nodes, err := demo.Found(t.Context(), t.TempDir(), "127.0.0.1:8443", demo.Places()[:3], nil)
	t.Cleanup(func() {
		for _, n := range nodes {
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var out []*agency
	for i, nation := range []string{"JP", "BE", "AU"} {
		a := &agency{nodes[i], t, nodes[i].Config.Slug + ".example/statements"}
		a.makeKey(a.key, "statement", nation)
		out = append(out, a)
	}
	return out[0], out[1], out[2]
}

func (a *agency) makeKey(name, purpose, nation string) {
	a.t.Helper()
	s, err := statement.NewSecret(name, purpose, nation)
	if err != nil {
		a.t.Fatal(err)
	}
	if _, err := a.Office.Folder.AddKey(s, time.Now().AddDate(0, -1, 0)); err != nil {
		a.t.Fatal(err)
	}
}

// who gives the first person of a role.
func (a *agency) who(role people.Role) people.Person {
	a.t.Helper()
	all, err := a.People.List(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	for _, p := range all {
		if p.Has(role) {
			return p
		}
	}
	a.t.Fatalf("nobody at %s is a %s", a.Config.Name, role)
	return people.Person{}
}

func (a *agency) ok(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatalf("%s: %v", a.Config.Name, err)
	}
}

// refused checks that an act fails and its error says why.
func (a *agency) refused(err error, why string) {
	a.t.Helper()
	if err == nil || !strings.Contains(err.Error(), why) {
		a.t.Errorf("%s: %v; it should have been refused: %s", a.Config.Name, err, why)
	}
}

// review passes both reviews.
func (a *agency) review(digest string) {
	a.t.Helper()
	a.ok(a.Office.Review(a.t.Context(), a.who(people.LegalAdviser), digest, office.LegalReview, true, ""))
	a.ok(a.Office.Review(a.t.Context(), a.who(people.ReleaseOfficer), digest, office.ReleaseReview, true, ""))
}

// carry takes what waits from one node to the other, and the receipts back.
func carry(t *testing.T, from, to *agency) {
	t.Helper()
	for _, way := range [][2]*agency{{from, to}, {to, from}} {
		var b bytes.Buffer
		way[0].ok(func() error {
			_, err := way[0].Line.Export(t.Context(), "node", way[1].Line.Node(), &b)
			return err
		}())
		if _, err := way[1].Line.Import(t.Context(), "node", &b); err != nil {
			t.Fatal(err)
		}
	}
}

// rebuttal names the given signatories, all of whom have to sign.
func rebuttal(from *agency, with ...*agency) *statement.Statement {
	now := time.Now().UTC().Truncate(time.Second)
	until := now.AddDate(0, 5, 0)
	s := &statement.Statement{ID: "urn:uuid:00000000-0000-4000-8000-000000000001", Version: 1, Kind: "rebuttal", ValidFrom: now, ValidUntil: &until,
		Authentic: []string{"en"}, Texts: map[string]statement.Text{"en": {Title: "No base is planned", Body: "The two agencies plan no base in the region."}},
		Evidence: []statement.Evidence{{ID: "e1", Supports: []string{"body"}, What: "The published programme", Locator: "https://tokyo.example/programme", SHA256: strings.Repeat("ab", 32)}},
		Contact:  "press office", CorrectionsU: "https://tokyo.example/corrections"}
	for i, a := range append([]*agency{from}, with...) {
		nation := map[string]string{"JPN": "JP", "BEL": "BE", "AUS": "AU"}[a.Config.Nation]
		role := "co-signer"
		if i == 0 {
			role = "lead"
		}
		domain, _, _ := strings.Cut(a.key, "/")
		s.Signatories = append(s.Signatories, statement.Signatory{Agency: a.Config.Name, Nation: nation, Domain: domain, Key: a.key, Role: role})
		s.Policy.Of = append(s.Policy.Of, nation)
	}
	s.Policy.K = len(s.Policy.Of)
	return s
}

// TestTwoNationsSignOneStatement walks the whole way: key, draft, reviews on
// both sides, question, signature, publication, and what an outsider finds.
func TestTwoNationsSignOneStatement(t *testing.T) {
	tokyo, brussels, _ := agencies(t)
	mei, eva := tokyo.who(people.Spokesperson), brussels.who(people.Spokesperson)
	ctx := t.Context()

	brussels.refused(brussels.Office.OfferKey(ctx, brussels.who(people.Analyst), brussels.key, "Tokyo"), "spokesperson")
	brussels.ok(brussels.Office.OfferKey(ctx, eva, brussels.key, "Tokyo"))
	carry(t, brussels, tokyo)
	tokyo.ok(tokyo.Office.TrustKey(ctx, mei, brussels.key))

	digest, err := tokyo.Office.Freeze(ctx, mei, rebuttal(tokyo, brussels))
	tokyo.ok(err)
	tokyo.refused(tokyo.Office.Sign(ctx, mei, digest, tokyo.key), "legal review is missing")
	tokyo.refused(tokyo.Office.Ask(ctx, mei, digest, "Brussels"), "legal review is missing")
	tokyo.ok(tokyo.Office.Review(ctx, tokyo.who(people.LegalAdviser), digest, office.LegalReview, true, ""))
	tokyo.refused(tokyo.Office.Review(ctx, tokyo.who(people.ReleaseOfficer), digest, office.ReleaseReview, false, ""), "say why")
	tokyo.ok(tokyo.Office.Review(ctx, tokyo.who(people.ReleaseOfficer), digest, office.ReleaseReview, false, "the second sentence"))
	tokyo.refused(tokyo.Office.Sign(ctx, mei, digest, tokyo.key), "did not pass: the second sentence")
	tokyo.review(digest)
	tokyo.ok(tokyo.Office.Sign(ctx, mei, digest, tokyo.key))
	if _, err := tokyo.Office.Publish(ctx, mei, statement.Round{Now: time.Now()}); err == nil {
		t.Error("published without the partner's signature")
	}
	tokyo.ok(tokyo.Office.Ask(ctx, mei, digest, "Brussels"))
	tokyo.refused(tokyo.Office.Ask(ctx, mei, digest, "Brussels"), "not answered yet")
	carry(t, tokyo, brussels)

	asked, err := brussels.Office.Asked(ctx)
	brussels.ok(err)
	d, err := os.ReadFile(tokyoDraft(t, tokyo))
	tokyo.ok(err)
	if len(asked) != 1 || asked[0].Digest != digest || !bytes.Equal(asked[0].JSON, d) || asked[0].Nation != "JPN" {
		t.Fatalf("Brussels was asked %+v", asked)
	}
	brussels.refused(brussels.Office.Answer(ctx, eva, digest, "Tokyo", brussels.key, ""), "legal review is missing")
	brussels.review(digest)
	brussels.refused(brussels.Office.Answer(ctx, eva, digest, "Tokyo", "", " "), "give the key")
	brussels.refused(brussels.Office.Answer(ctx, eva, digest, "Canberra", brussels.key, ""), "asked for no signature")
	brussels.ok(brussels.Office.Answer(ctx, eva, digest, "Tokyo", brussels.key, ""))
	brussels.refused(brussels.Office.Answer(ctx, eva, digest, "Tokyo", "", "second thoughts"), "signed already")
	carry(t, brussels, tokyo)

	tokyo.refused(tokyo.Office.Ask(ctx, mei, digest, "Brussels"), "signed already")
	for range 2 { // a second time changes nothing
		_, err := tokyo.Office.Collect(ctx)
		tokyo.ok(err)
	}
	tokyo.makeKey("log.example/log", "log", "JP")
	tokyo.makeKey("tokyo.example/metadata", "metadata", "JP")
	tokyo.makeKey("w.example/witness", "witness", "NZ")
	done, err := tokyo.Office.Publish(ctx, mei, statement.Round{Now: time.Now().UTC(), Metadata: statement.Metadata{Publisher: "Tokyo", Contact: "press office",
		Role: "publisher", CanonicalURL: "https://tokyo.example/", Witnesses: statement.WitnessPolicy{K: 1, Nations: 1}}})
	tokyo.ok(err)
	report := statement.Verify(tokyo.Office.Folder.Site(), statement.VerifyOptions{Now: time.Now()})
	if done.Drafts != 1 || !report.OK() || len(report.Statements) != 1 || len(report.Statements[0].SignedBy) != 2 {
		t.Errorf("published %+v, found %+v", done, report)
	}
}

func tokyoDraft(t *testing.T, a *agency) string {
	t.Helper()
	drafts, err := a.Office.Folder.Drafts()
	if err != nil || len(drafts) != 1 {
		t.Fatalf("%d drafts, %v", len(drafts), err)
	}
	return drafts[0].File
}

// A partner may decline; the reason is told, and it may be asked again.
func TestDeclined(t *testing.T) {
	tokyo, brussels, _ := agencies(t)
	mei, eva := tokyo.who(people.Spokesperson), brussels.who(people.Spokesperson)
	digest, err := tokyo.Office.Freeze(t.Context(), mei, rebuttal(tokyo, brussels))
	tokyo.ok(err)
	tokyo.review(digest)
	for _, why := range []string{"the second sentence is ours to say", "still"} {
		tokyo.ok(tokyo.Office.Ask(t.Context(), mei, digest, "Brussels"))
		carry(t, tokyo, brussels)
		brussels.ok(brussels.Office.Answer(t.Context(), eva, digest, "Tokyo", "", why))
		carry(t, brussels, tokyo)
		rs, err := tokyo.Office.Requests(t.Context())
		tokyo.ok(err)
		if len(rs) != 1 || rs[0].Answer == nil || rs[0].Answer.Declined != why {
			t.Errorf("after the refusal: %+v", rs)
		}
	}
}

// The drafter reviews nothing, and one person does not do both reviews.
func TestReviewsAreOfTwoOthers(t *testing.T) {
	tokyo, _, _ := agencies(t)
	mei, rin := tokyo.who(people.Spokesperson), tokyo.who(people.LegalAdviser)
	all := []people.Role{people.Spokesperson, people.LegalAdviser, people.ReleaseOfficer}
	mei.Roles, rin.Roles = all, all
	digest, err := tokyo.Office.Freeze(t.Context(), mei, rebuttal(tokyo))
	tokyo.ok(err)
	tokyo.refused(tokyo.Office.Review(t.Context(), mei, digest, office.LegalReview, true, ""), "another person reviews")
	tokyo.ok(tokyo.Office.Review(t.Context(), rin, digest, office.LegalReview, true, ""))
	tokyo.refused(tokyo.Office.Review(t.Context(), rin, digest, office.ReleaseReview, true, ""), "different people")
	tokyo.refused(tokyo.Office.Review(t.Context(), tokyo.who(people.Analyst), digest, office.ReleaseReview, true, ""), "release-officer")
	tokyo.refused(tokyo.Office.Review(t.Context(), rin, digest, "spelling", true, ""), "legal or release")
	tokyo.refused(tokyo.Office.Review(t.Context(), rin, strings.Repeat("0", 64), office.LegalReview, true, ""), "no frozen statement")
}

// TestWordsAreRefused sends what no honest office would.
func TestWordsAreRefused(t *testing.T) {
	tokyo, brussels, canberra := agencies(t)
	mei := tokyo.who(people.Spokesperson)
	s := rebuttal(tokyo, brussels)
	digest, err := tokyo.Office.Freeze(t.Context(), mei, s)
	tokyo.ok(err)
	tokyo.review(digest)
	tokyo.ok(tokyo.Office.Ask(t.Context(), mei, digest, "Brussels"))
	own, err := tokyo.Office.Folder.Keys()
	tokyo.ok(err)
	theirs, err := brussels.Office.Folder.Keys()
	brussels.ok(err)
	tokyo.ok(tokyo.Office.Folder.Trust(theirs[0]))
	others, err := canberra.Office.Folder.Keys()
	canberra.ok(err)

	b, err := s.Canonical()
	tokyo.ok(err)
	signed := statement.Draft{JSON: b}
	brussels.ok(brussels.Office.Folder.SignDraft(&signed, brussels.key))
	half := signed.Sigs[:strings.Index(signed.Sigs, "\n")+1]
	changed := []byte(strings.Replace(string(b), "no base", "one base", 1))
	otherWords := statement.Draft{JSON: changed}
	brussels.ok(brussels.Office.Folder.SignDraft(&otherWords, brussels.key))
	claims := theirs[0]
	claims.Nation = "JP"
	log := theirs[0]
	log.Name, log.Purpose = "brussels.example/log", "log"
	damaged := theirs[0]
	damaged.Ed = damaged.Ed[:31]

	word := func(v any) string {
		t.Helper()
		b, err := json.Marshal(v)
		tokyo.ok(err)
		return string(b)
	}
	answer := func(a office.Answer) string { return word(map[string]any{"v": 1, "answer": a}) }
	tests := []struct {
		name, from, word, why string // why: "" is taken
	}{
		{"nothing", "Brussels", "", "cannot be read"},
		{"another version", "Brussels", `{"v":2,"key":{}}`, "cannot be read"},
		{"an unknown field", "Brussels", `{"v":1,"text":"x"}`, "cannot be read"},
		{"two words", "Brussels", `{"v":1} {"v":1}`, "something follows"},
		{"empty", "Brussels", `{"v":1}`, "says nothing"},
		{"two things at once", "Brussels", word(map[string]any{"v": 1, "ask": b, "answer": office.Answer{Digest: digest}}), "more than one"},
		{"a key of this agency", "Brussels", word(map[string]any{"v": 1, "key": own[0]}), "of nation"},
		{"a key of another nation", "Brussels", word(map[string]any{"v": 1, "key": claims}), "of nation"},
		{"a third agency's key", "Brussels", word(map[string]any{"v": 1, "key": others[0]}), "of nation"},
		{"a log key", "Brussels", word(map[string]any{"v": 1, "key": log}), "only statement keys"},
		{"a damaged key", "Brussels", word(map[string]any{"v": 1, "key": damaged}), "damaged"},
		{"a key", "Brussels", word(map[string]any{"v": 1, "key": theirs[0]}), ""},
		{"words that break a rule", "Brussels", word(map[string]any{"v": 1, "ask": changed[:len(changed)-2]}), "parse a statement"},
		{"words with an invisible character", "Brussels", word(map[string]any{"v": 1, "ask": []byte(strings.Replace(string(b), "no base", "no\u202ebase", 1))}), "U+202E"},
		{"an answer of one who was not asked", "Canberra", answer(office.Answer{Digest: digest, Sigs: signed.Sigs}), "not asked"},
		{"an answer about other words", "Brussels", answer(office.Answer{Digest: statement.Digest(changed), Sigs: signed.Sigs}), "not asked"},
		{"an empty answer", "Brussels", answer(office.Answer{Digest: digest}), "neither"},
		{"a signature and a refusal", "Brussels", answer(office.Answer{Digest: digest, Sigs: signed.Sigs, Declined: "no"}), "or both"},
		{"a signature on other words", "Brussels", answer(office.Answer{Digest: digest, Sigs: otherWords.Sigs}), "do not verify"},
		{"one algorithm", "Brussels", answer(office.Answer{Digest: digest, Sigs: half}), "one algorithm only"},
		{"a signature of nobody known", "Brussels", answer(office.Answer{Digest: digest, Sigs: strings.ReplaceAll(signed.Sigs, "brussels.example", "berlin.example")}), "no key that the statement names"},
		{"the signature", "Brussels", answer(office.Answer{Digest: digest, Sigs: signed.Sigs}), ""},
		{"the signature again", "Brussels", answer(office.Answer{Digest: digest, Sigs: signed.Sigs}), ""},
	}
	for _, tt := range tests {
		from, err := tokyo.Line.Partner(t.Context(), tt.from)
		tokyo.ok(err)
		if refusal := take(t, tokyo, from, tt.word); (tt.why == "") != (refusal == "") || !strings.Contains(refusal, tt.why) {
			t.Errorf("%s: %q, want %q", tt.name, refusal, tt.why)
		}
	}
	for i := range 70 {
		x := rebuttal(tokyo)
		x.ID = fmt.Sprintf("urn:uuid:00000000-0000-4000-8000-%012d", i)
		c, err := x.Canonical()
		tokyo.ok(err)
		from, err := tokyo.Line.Partner(t.Context(), "Canberra")
		tokyo.ok(err)
		if refusal := take(t, tokyo, from, word(map[string]any{"v": 1, "ask": c})); (refusal == "") != (i < 64) {
			t.Errorf("question %d: %q", i+1, refusal)
		}
	}
}

// take hands a word to an office as the line does, in an act of its own.
func take(t *testing.T, a *agency, from line.Partner, word string) (refusal string) {
	t.Helper()
	_, err := a.Vault.Act(t.Context(), audit.Act{Actor: "partner:" + from.NodeID, Verb: "receive"}, func(tx *vault.Tx) (err error) {
		refusal, err = a.Office.Take(tx, from, []byte(word))
		return err
	})
	a.ok(err)
	return refusal
}

// A crash between a signature's arrival and its file, or between the file and
// its record, leaves a folder that the next round completes.
func TestCollectAfterACrash(t *testing.T) {
	tokyo, brussels, _ := agencies(t)
	mei, eva := tokyo.who(people.Spokesperson), brussels.who(people.Spokesperson)
	keys, err := brussels.Office.Folder.Keys()
	brussels.ok(err)
	tokyo.ok(tokyo.Office.Folder.Trust(keys[0]))
	digest, err := tokyo.Office.Freeze(t.Context(), mei, rebuttal(tokyo, brussels))
	tokyo.ok(err)
	tokyo.review(digest)
	tokyo.ok(tokyo.Office.Ask(t.Context(), mei, digest, "Brussels"))
	carry(t, tokyo, brussels)
	brussels.review(digest)
	brussels.ok(brussels.Office.Answer(t.Context(), eva, digest, "Tokyo", brussels.key, ""))
	carry(t, brussels, tokyo)
	rs, err := tokyo.Office.Requests(t.Context())
	tokyo.ok(err)
	// The file was written, the record was not.
	tokyo.ok(tokyo.Office.Folder.AddSignatures(tokyoDraft(t, tokyo), rs[0].Answer.Sigs))
	if n, err := tokyo.Office.Collect(t.Context()); n != 1 || err != nil {
		t.Errorf("collected %d, %v", n, err)
	}
	d, err := statement.ReadDraft(tokyoDraft(t, tokyo))
	tokyo.ok(err)
	if d.Sigs != rs[0].Answer.Sigs {
		t.Errorf("signatures:\n%s", d.Sigs)
	}
	if n, err := tokyo.Office.Collect(t.Context()); n != 0 || err != nil {
		t.Errorf("collected again: %d, %v", n, err)
	}
	if err := tokyo.Office.Sign(t.Context(), eva, digest, tokyo.key); err != nil && !errors.Is(err, people.ErrForbidden) {
		t.Error(err)
	}
}
