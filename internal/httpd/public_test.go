package httpd_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/internal/audit"
	"causeway/internal/line"
	"causeway/internal/people"
	"causeway/internal/statement"
	"causeway/internal/vault"
	"causeway/label/policies"
	"causeway/stix"
)

// said is a statement of the test world.
func said(n int, now time.Time) *statement.Statement {
	until := now.AddDate(0, 0, 20)
	return &statement.Statement{ID: fmt.Sprintf("urn:uuid:00000000-0000-4000-8000-%012d", n), Version: 1, Kind: "cooperation-is-not", Sample: true,
		ValidFrom: now.AddDate(0, 0, -1), ValidUntil: &until, Authentic: []string{"en", "ja"},
		Texts: map[string]statement.Text{
			"en": {Title: "What it is <not>", Body: "It brings no forces.", Lines: []statement.TextLine{{ID: "forces", Text: "It places no forces in 2026."}}},
			"ja": {Title: "協力ではないもの", Body: "部隊を配備しない。", Lines: []statement.TextLine{{ID: "forces", Text: "2026年に部隊を配備しない。"}}},
		},
		Lines: []statement.Line{{ID: "forces", Polarity: "does-not-entail", Anchor: "Treaty, Articles 5 and 6", Test: "Published decisions, each month", Falsifier: "A published order that deploys forces",
			From: "2026-01-01", Until: "2026-12-31", NextCheck: now.AddDate(0, 0, -3).Format(time.DateOnly), Status: "standing"}},
		Signatories: []statement.Signatory{{Agency: "mofa.example", Nation: "JP", Domain: "mofa.example", Key: "mofa.example/statements", Role: "lead"}},
		Policy:      statement.Policy{K: 1, Of: []string{"JP"}},
		Evidence:    []statement.Evidence{{ID: "e1", Supports: []string{"forces"}, What: "Treaty", Locator: "https://treaty.example/text"}},
		Contact:     "Press office", CorrectionsU: "https://mofa.example/corrections"}
}

// speak gives the node keys, a published statement, a draft, and a partner's
// statement that it is asked to sign.
func (w *world) speak(t *testing.T, from line.Partner) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	w.fill["statement"] = said(1, now).ID
	w.fill["draft"] = "00000000-0000-4000-8000-000000000002-1"
	folder := statement.Folder(filepath.Join(w.node.Dir, "statements"))
	record, err := said(9, now).Canonical()
	if err != nil {
		t.Fatal(err)
	}
	w.fill["node"], w.fill["digest"] = from.NodeID, statement.Digest(record)
	if keys, err := folder.Keys(); err != nil || len(keys) > 0 {
		if err != nil {
			t.Fatal(err)
		}
		return // told a second time
	}
	for _, k := range [][3]string{{"mofa.example/statements", "statement", "JP"}, {"mofa.example/log", "log", "JP"}, {"mofa.example/metadata", "metadata", "JP"}, {"w.example/w", "witness", "FR"}} {
		s, err := statement.NewSecret(k[0], k[1], k[2])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := folder.AddKey(s, now.AddDate(0, -1, 0)); err != nil {
			t.Fatal(err)
		}
	}
	file, _, err := folder.Freeze(said(1, now))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Sign(file, "mofa.example/statements"); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Publish(statement.Round{Now: now, Metadata: statement.Metadata{Publisher: "Tokyo", Contact: "Press office", CanonicalURL: "https://mofa.example/", Witnesses: statement.WitnessPolicy{K: 1, Nations: 1}}}); err != nil {
		t.Fatal(err)
	}
	file, _, err = folder.Freeze(said(2, now))
	if err != nil {
		t.Fatal(err)
	}
	if err := folder.Begin(file, statement.Work{By: "person:mei"}); err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{"v": 1, "ask": map[string]any{"record": record, "until": now.AddDate(0, 0, 7)}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.node.Vault.Act(t.Context(), audit.Act{Actor: "node", Verb: "test"}, func(tx *vault.Tx) error {
		if no, err := w.node.Desk.TakeCosign(tx, from, body); err != nil || no != "" {
			return fmt.Errorf("the word was not taken: %s %w", no, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// draftForm is a form as the page sends it.
func draftFormOf(more url.Values) url.Values {
	form := url.Values{"kind": {"rebuttal"}, "until": {time.Now().AddDate(0, 5, 0).Format(time.DateOnly)}, "lang": {"en", "ja"},
		"title.en": {"The treaty area has not changed"}, "body.en": {"Article 6 still bounds it."}, "title.ja": {"条約の対象地域は変わっていません"}, "body.ja": {"第6条が範囲を定めます。"},
		"evidence": {"Treaty"}, "locator": {"https://treaty.example/text"}, "sha256": {strings.Repeat("ab", 32)}, "signatory": {"mofa.example/statements"},
		"contact": {"Press office"}, "corrections": {"https://mofa.example/corrections"}}
	for k, v := range more {
		form[k] = v
	}
	return form
}

// post sends a form of the session's own.
func (s session) post(t *testing.T, path string, form url.Values) (*http.Response, string) {
	t.Helper()
	_, page := s.do(t, http.MethodGet, "/", nil)
	m := hiddenToken.FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the page has no token")
	}
	form.Set("token", m[1])
	return s.do(t, http.MethodPost, path, form)
}

var refusalText = regexp.MustCompile(`(?s)<main.*</main>`)

// TestStatementInTheBrowser walks a statement through the pages: what is above
// PUBLIC is kept out, two persons who did not draft it review it, nobody signs
// or publishes before, and correction and retraction go the same way.
func TestStatementInTheBrowser(t *testing.T) {
	w := found(t)
	w.tell(t)
	speaker := w.as(t, w.person(t, people.Spokesperson), "en")
	lawyer := w.as(t, w.person(t, people.LegalAdviser), "en")
	officer := w.as(t, w.person(t, people.ReleaseOfficer), "en")
	folder := statement.Folder(filepath.Join(w.node.Dir, "statements"))
	try := func(s session, path string, form url.Values, want string) string {
		t.Helper()
		answer, body := s.post(t, path, form)
		if want == "" {
			if answer.StatusCode != http.StatusSeeOther {
				t.Fatalf("%s: %s %s", path, answer.Status, refusalText.FindString(body))
			}
			return answer.Header.Get("Location")
		}
		if answer.StatusCode < 400 || !strings.Contains(body, want) {
			t.Fatalf("%s: %s, want %q: %s", path, answer.Status, want, refusalText.FindString(body))
		}
		return ""
	}
	do := func(what string, more ...string) url.Values {
		form := url.Values{"do": {what}}
		for i := 0; i+1 < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		return form
	}
	digest := func(draft string) string {
		b, err := os.ReadFile(filepath.Join(string(folder), "drafts", draft+".json"))
		if err != nil {
			t.Fatal(err)
		}
		return statement.Digest(b)
	}

	// From an assessment that is above PUBLIC: its words are kept out.
	from := w.fill["assessment"]
	_, page := speaker.do(t, http.MethodGet, "/public/draft?from="+from, nil)
	if strings.Contains(page, "value=\"They act together.") {
		t.Error("the form begins with words of an object above PUBLIC")
	}
	try(speaker, "/public/draft", draftFormOf(url.Values{"from": {from}, "kind": {"fact-check"}}), "kind:")
	at := try(speaker, "/public/draft", draftFormOf(url.Values{"from": {from}}), "")
	draft := at[strings.LastIndex(at, "/")+1:]
	path := "/public/drafts/" + draft

	try(speaker, path, do("sign", "key", "mofa.example/statements"), "the legal review is open, the release review is open")
	try(speaker, path, do("publish"), "two persons review it first")
	try(speaker, path, do("review", "kind", "legal", "verdict", "agree", "digest", digest(draft)), "takes the role of Legal adviser")
	try(lawyer, path, do("review", "kind", "legal", "verdict", "agree", "digest", strings.Repeat("0", 64)), "other bytes than were read")
	try(lawyer, path, do("review", "kind", "legal", "verdict", "object", "digest", digest(draft)), "say why not")
	try(lawyer, path, do("review", "kind", "legal", "verdict", "object", "note", "Name the article.", "digest", digest(draft)), "")
	try(officer, path, do("review", "kind", "release", "verdict", "agree", "digest", digest(draft)), "")
	try(speaker, path, do("sign", "key", "mofa.example/statements"), "the legal review objects")
	if _, page := officer.do(t, http.MethodGet, path, nil); !strings.Contains(page, "Name the article.") || !strings.Contains(page, "objects") {
		t.Error("the objection is not on the page")
	}
	try(lawyer, path, do("review", "kind", "legal", "verdict", "agree", "digest", digest(draft)), "")
	try(speaker, path, do("sign", "key", "mofa.example/statements"), "")
	try(speaker, path, do("publish"), "")
	id := "urn:uuid:" + strings.TrimSuffix(draft, "-1")
	statusOf := func() (out []string) {
		r := statement.Verify(folder.Site(), statement.VerifyOptions{Now: time.Now()})
		if !r.OK() {
			t.Fatalf("%+v", r.Findings)
		}
		for _, s := range r.Statements {
			if s.ID == id {
				out = append(out, fmt.Sprintf("v%d %s %s", s.Version, s.Kind, s.Status))
			}
		}
		return out
	}
	if got := statusOf(); !slices.Equal(got, []string{"v1 rebuttal current"}) {
		t.Fatalf("published: %v", got)
	}

	// A correction: the same two reviews, what it changes on the page.
	pass := func(path string) {
		t.Helper()
		draft := path[strings.LastIndex(path, "/")+1:]
		try(lawyer, path, do("review", "kind", "legal", "verdict", "agree", "digest", digest(draft)), "")
		try(officer, path, do("review", "kind", "release", "verdict", "agree", "digest", digest(draft)), "")
		try(speaker, path, do("sign", "key", "mofa.example/statements"), "")
		try(speaker, path, do("publish"), "")
	}
	public := "/public/statements/" + url.PathEscape(id)
	if _, page := speaker.do(t, http.MethodGet, public+"/correct", nil); !strings.Contains(page, "Article 6 still bounds it.") {
		t.Error("the form of a correction does not begin with the words that were published")
	}
	corrected := draftFormOf(url.Values{"body.en": {"Article 6 bounds it, as amended in 1951."}, "line": {"body"}, "was": {"Article 6 still bounds it."}, "is": {"as amended in 1951"}, "why": {"more exact"}})
	try(speaker, public+"/correct", draftFormOf(nil), "Say why it changes")
	path = try(speaker, public+"/correct", corrected, "")
	if _, page := officer.do(t, http.MethodGet, path, nil); !strings.Contains(page, "<del>Article 6 still bounds it.</del>") || !strings.Contains(page, "<ins>Article 6 bounds it, as amended in 1951.</ins>") {
		t.Error("the preview does not show what the correction changes")
	}
	pass(path)
	path = try(speaker, public+"/retract", url.Values{"was": {"all of it"}, "is": {"none of it"}, "why": {"the source was wrong"}}, "")
	pass(path)
	if got, want := statusOf(), []string{"v1 rebuttal retracted", "v2 rebuttal retracted", "v3 retraction retracted"}; !slices.Equal(got, want) {
		t.Errorf("after the retraction: %v, want %v", got, want)
	}
	if _, page := speaker.do(t, http.MethodGet, public, nil); strings.Count(page, "more exact") != 1 || !strings.Contains(page, "the source was wrong") {
		t.Error("the corrections log of the page is not whole")
	}
	if answer, _ := speaker.do(t, http.MethodGet, public+"/correct", nil); answer.StatusCode != http.StatusNotFound {
		t.Errorf("a retracted statement can be corrected: %s", answer.Status)
	}
	if _, page := speaker.do(t, http.MethodGet, "/public/due", nil); !strings.Contains(page, "check of line forces") || !strings.Contains(page, "overdue") || !strings.Contains(page, "end of validity") {
		t.Error("the review list lacks the line that is overdue or the statement that ends soon")
	}
}

// TestNothingAbovePublic: a run of words of an object above PUBLIC does not get
// into a statement that is drafted from it, in either script.
func TestNothingAbovePublic(t *testing.T) {
	w := found(t)
	w.tell(t)
	speaker := w.as(t, w.person(t, people.Spokesperson), "en")
	id := w.restrictedReport(t, "Narrative of the strait", "The harbour master of Port Lima was paid by an unnamed company. 港湾長が名前の知られていない企業から報酬を受け取っていた。")
	for name, c := range map[string]struct {
		form url.Values
		want string
	}{
		"its words":         {url.Values{"body.en": {"We know that the harbour master of Port Lima was paid."}}, "stand in Narrative of the strait"},
		"in other spacing":  {url.Values{"body.en": {"The HARBOUR master,\nof port  Lima was paid"}}, "stand in"},
		"in Japanese":       {url.Values{"body.ja": {"名前の知られていない企業から報酬を受け取っていたと聞く。"}}, "stand in"},
		"an internal id":    {url.Values{"narrative": {id}}, "internal identifier"},
		"words of your own": {url.Values{}, ""},
	} {
		form := draftFormOf(c.form)
		form.Set("from", id)
		answer, body := speaker.post(t, "/public/draft", form)
		if c.want == "" && answer.StatusCode != http.StatusSeeOther || c.want != "" && (answer.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, c.want)) {
			t.Errorf("%s: %s %s", name, answer.Status, refusalText.FindString(body))
		}
	}
}

// restrictedReport stores a report that not everybody may read.
func (w *world) restrictedReport(t *testing.T, name, text string) string {
	t.Helper()
	id := "report--22222222-2222-4222-8222-222222222222"
	b, err := json.Marshal(map[string]any{"type": "report", "spec_version": "2.1", "id": id, "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
		"name": name, "description": text, "published": "2026-01-01T00:00:00Z", "object_refs": []string{w.finding}})
	if err != nil {
		t.Fatal(err)
	}
	o, err := stix.ParseObject(b)
	if err != nil {
		t.Fatal(err)
	}
	own, err := w.node.OwnReader()
	if err != nil {
		t.Fatal(err)
	}
	l := policies.NATOLabel("RESTRICTED", time.Now().UTC().Truncate(time.Second), time.Now().AddDate(1, 0, 0).UTC().Truncate(time.Second), "JPN")
	r, err := w.node.Desk.Import(t.Context(), own, []stix.Item{{Line: 1, Object: o}}, l, func(int, int) {})
	if err != nil || r.Stored != 1 {
		t.Fatal(r, err)
	}
	return id
}
