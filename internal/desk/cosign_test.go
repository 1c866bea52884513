package desk_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/internal/audit"
	"causeway/internal/desk"
	"causeway/internal/line"
	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/internal/statement"
	"causeway/internal/vault"
)

// hear gives a node a partner's word, as the line does.
func hear(t *testing.T, n *node.Node, from line.Partner, body string) string {
	t.Helper()
	said := ""
	_, err := n.Vault.Act(t.Context(), audit.Act{Actor: "node", Verb: "test"}, func(tx *vault.Tx) (err error) {
		said, err = n.Desk.TakeCosign(tx, from, []byte(body))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return said
}

// TestCosign: only what was asked is answered, once; nobody else's answer
// counts, a refusal has a reason, and what could not be published is not
// carried.
func TestCosign(t *testing.T) {
	n := found(t)
	mei, aiko := person(t, n, "mei"), person(t, n, "aiko")
	brussels, canberra := partner(t, n, "Brussels"), partner(t, n, "Canberra")
	until := time.Now().Add(24 * time.Hour)
	now := time.Now().UTC().Truncate(time.Second)
	end := now.AddDate(0, 1, 0)
	s := &statement.Statement{ID: "urn:uuid:00000000-0000-4000-8000-000000000001", Version: 1, Kind: "vision", ValidFrom: now, ValidUntil: &end, Authentic: []string{"en"},
		Texts:       map[string]statement.Text{"en": {Title: "Open seas", Body: "We work for open seas."}},
		Signatories: []statement.Signatory{{Agency: "a", Nation: "JP", Domain: "a.example", Key: "a.example/statements", Role: "lead"}, {Agency: "b", Nation: "BE", Domain: "b.example", Key: "b.example/statements", Role: "co-signer"}},
		Policy:      statement.Policy{K: 2, Of: []string{"JP", "BE"}}, Contact: "Press office", CorrectionsU: "https://a.example/c"}
	record, err := s.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	digest := statement.Digest(record)
	for name, c := range map[string]struct {
		by     people.Person
		record []byte
		to     []string
		until  time.Time
		want   string
	}{
		"an analyst":  {aiko, record, []string{brussels.NodeID}, until, "spokesperson"},
		"no record":   {mei, []byte("{}"), []string{brussels.NodeID}, until, "the statement is refused"},
		"nobody":      {mei, record, nil, until, "choose a partner"},
		"too late":    {mei, record, []string{brussels.NodeID}, now.Add(-time.Hour), "the deadline has passed"},
		"no partner":  {mei, record, []string{"nobody"}, until, "enqueue a word"},
		"another way": {mei, append([]byte(" "), record...), []string{brussels.NodeID}, until, "canonical"},
	} {
		if err := n.Desk.AskCosign(t.Context(), c.by, c.record, c.to, c.until); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if got := hear(t, n, brussels, fmt.Sprintf(`{"v":1,"answer":{"sha256":%q,"signatures":"x"}}`, digest)); !strings.Contains(got, "nobody asked") {
		t.Errorf("an answer before the question: %q", got)
	}
	if err := n.Desk.AskCosign(t.Context(), mei, record, []string{brussels.NodeID}, until); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, body string
		from       line.Partner
		want       string
	}{
		{"another partner", fmt.Sprintf(`{"v":1,"answer":{"sha256":%q,"signatures":"x"}}`, digest), canberra, "nobody asked"},
		{"neither", fmt.Sprintf(`{"v":1,"answer":{"sha256":%q}}`, digest), brussels, "neither signatures nor a refusal"},
		{"both words", fmt.Sprintf(`{"v":1,"ask":{},"answer":{"sha256":%q}}`, digest), brussels, "not understood"},
		{"another version", `{"v":2}`, brussels, "not understood"},
		{"no word", `[`, brussels, "not understood"},
		{"a name nobody knows", fmt.Sprintf(`{"v":1,"answer":{"sha256":%q,"signatures":"x","also":1}}`, digest), brussels, "not understood"},
		{"more behind it", fmt.Sprintf(`{"v":1,"answer":{"sha256":%q,"signatures":"x"}}{}`, digest), brussels, "not understood"},
		{"another's person", fmt.Sprintf(`{"v":1,"answer":{"sha256":%q,"signatures":"x","by":"person:mei"}}`, digest), brussels, "not understood"},
		{"the answer", fmt.Sprintf(`{"v":1,"answer":{"sha256":%q,"signatures":"— b.example/statements AAAA\n"}}`, digest), brussels, ""},
		{"the same again", fmt.Sprintf(`{"v":1,"answer":{"sha256":%q,"signatures":"— b.example/statements AAAA\n"}}`, digest), brussels, ""},
		{"another mind", fmt.Sprintf(`{"v":1,"answer":{"sha256":%q,"why":"no"}}`, digest), brussels, "answered already"},
		{"a question that cannot be published", `{"v":1,"ask":{"record":"e30=","until":"2030-01-01T00:00:00Z"}}`, brussels, "not one that could be published"},
	} {
		if got := hear(t, n, c.from, c.body); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	sent, err := n.Desk.CosignSent(t.Context(), digest)
	if err != nil || len(sent) != 1 || sent[0].Answer == nil || sent[0].Answer.Signatures == "" {
		t.Errorf("sent: %+v, %v", sent, err)
	}

	// One partner cannot fill the page with questions.
	last := ""
	for i := range 65 {
		more := *s
		more.ID = fmt.Sprintf("urn:uuid:00000000-0000-4000-8000-%012d", 100+i)
		b, err := more.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		last = hear(t, n, brussels, fmt.Sprintf(`{"v":1,"ask":{"record":%q,"until":"2030-01-01T00:00:00Z"}}`, base64.StdEncoding.EncodeToString(b)))
		if last != "" && i < 64 {
			t.Fatalf("question %d: %s", i, last)
		}
	}
	if !strings.Contains(last, "64 questions of yours are open") {
		t.Errorf("the 65th question: %q", last)
	}

	// The other side: a question, answered once, by a spokesperson, of this node.
	if err := n.Desk.AnswerCosign(t.Context(), mei, brussels.NodeID, digest, "x", ""); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("an answer to nothing: %v", err)
	}
	ask := fmt.Sprintf(`{"v":1,"ask":{"record":%q,"until":"2030-01-01T00:00:00Z"}}`, base64.StdEncoding.EncodeToString(record))
	for range 2 {
		if got := hear(t, n, canberra, ask); got != "" {
			t.Fatalf("a question is not taken: %s", got)
		}
	}
	asked, err := n.Desk.CosignAsked(t.Context())
	if err != nil || !slices.ContainsFunc(asked, func(a desk.CosignAsked) bool { return a.From == canberra.NodeID && string(a.Record) == string(record) }) {
		t.Fatalf("asked: %d, %v", len(asked), err)
	}
	if err := n.Desk.AnswerCosign(t.Context(), aiko, canberra.NodeID, digest, "x", ""); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("an analyst answers: %v", err)
	}
	if err := n.Desk.AnswerCosign(t.Context(), mei, canberra.NodeID, digest, "", " "); err == nil {
		t.Error("a refusal without a reason was sent")
	}
	if err := n.Desk.AnswerCosign(t.Context(), mei, canberra.NodeID, digest, "", "not ours to say"); err != nil {
		t.Fatal(err)
	}
	if err := n.Desk.AnswerCosign(t.Context(), mei, canberra.NodeID, digest, "x", ""); err == nil || !strings.Contains(err.Error(), "answered already") {
		t.Errorf("a second answer: %v", err)
	}
}
