package httpd_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"causeway/internal/audit"
	"causeway/internal/httpd"
	"causeway/internal/line"
	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/policies"
	"causeway/label/registry"
	"causeway/label/stanag4774"
)

// A partner's person reads what their attestation allows, and learns nothing
// of the agency they visit: every page but those for reading is closed, one
// that is added later too.
func TestVisitorsSeeWhatTheyMayRead(t *testing.T) {
	w := found(t)
	w.tell(t)
	officer := w.person(t, people.SecurityOfficer)
	// Brussels' word about one of its people, as it comes over the line.
	brussels, err := w.node.Line.Partner(t.Context(), "Brussels")
	if err != nil {
		t.Fatal(err)
	}
	c, err := policies.NationalClearance("BEL", "RESTRICTED")
	if err != nil {
		t.Fatal(err)
	}
	a, err := registry.Attest(registry.Attestation{Serial: "00112233aabbccdd", Issuer: brussels.NodeID, For: w.node.Line.Node(), Pseudonym: "p-" + strings.Repeat("b", 24),
		Nation: brussels.Nation, Issued: time.Now(), NotAfter: time.Now().AddDate(0, 1, 0)},
		registry.Cleared{XML: clearanceXML(t, c), Basis: "NATIONAL", NotAfter: time.Now().AddDate(1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	w.hears(t, brussels, a)
	if _, err := w.node.Desk.DecideAttestation(t.Context(), officer, a.Issuer, a.Serial, true, ""); err != nil {
		t.Fatal(err)
	}
	if err := w.node.Desk.Admit(t.Context(), officer, a.Pseudonym, "a long enough phrase"); err != nil {
		t.Fatal(err)
	}
	visitor, err := w.node.People.Get(t.Context(), a.Pseudonym)
	if err != nil {
		t.Fatal(err)
	}
	s := w.as(t, visitor, "en")
	open := 0
	for _, r := range w.routes(t) {
		if r.Open || r.Method == "" || strings.HasPrefix(r.Pattern, "/api") || strings.HasPrefix(r.Pattern, "/taxii") || strings.HasPrefix(r.Pattern, "/sign-out") {
			continue
		}
		answer, body := s.do(t, r.Method, w.path(r, true), nil)
		if answer.StatusCode != http.StatusForbidden {
			open++
		}
		for _, name := range []string{"Canberra", "Kenji Sato", "Haru Ito"} {
			if strings.Contains(body, name) {
				t.Errorf("%s %s tells a visitor of %s", r.Method, r.Pattern, name)
			}
		}
	}
	if open != 8 {
		t.Errorf("%d pages are open to a visitor", open)
	}
	if answer, body := s.do(t, http.MethodGet, "/object/"+w.finding, nil); answer.StatusCode != http.StatusOK || strings.Contains(body, "Brussels</a></th>") {
		t.Errorf("the finding for Allies: %s", answer.Status)
	}
}

// The node of a fresh folder leads whoever comes to the one page where the
// first person registers, and from there to the set-up.
func TestFreshNodeLeadsToItsSetUp(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "node")
	if err := node.Init(t.Context(), dir, node.Founding{Nation: "NOR", Name: "Oslo", Web: "127.0.0.1:0", Line: "127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	n, err := node.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	handler, err := httpd.New(n)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path string, form url.Values) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(form.Encode()))
		if form != nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, r)
		return rec
	}
	for _, hop := range [][2]string{{"/", "/sign-in"}, {"/sign-in", "/first"}} {
		if got := ask(http.MethodGet, hop[0], nil).Header().Get("Location"); got != hop[1] {
			t.Errorf("%s leads to %q, want %q", hop[0], got, hop[1])
		}
	}
	code, err := n.FirstCode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"code": {"wrong"}, "id": {"kari"}, "name": {"Kari <Lund>"}, "password": {"a long enough phrase"}}
	if rec := ask(http.MethodPost, "/first", form); rec.Code != http.StatusUnprocessableEntity || strings.Contains(rec.Body.String(), code) {
		t.Errorf("a wrong code: %d", rec.Code)
	}
	form.Set("code", code)
	rec := ask(http.MethodPost, "/first", form)
	if rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != "/control/setup" || len(rec.Result().Cookies()) == 0 {
		t.Errorf("the right code: %d to %q", rec.Code, rec.Header().Get("Location"))
	}
	if got := ask(http.MethodGet, "/first", nil).Header().Get("Location"); got != "/sign-in" {
		t.Errorf("the page stays open, or leads to %q", got)
	}
	if rec := ask(http.MethodPost, "/first", form); rec.Header().Get("Location") != "/sign-in" {
		t.Errorf("a second first person: %d", rec.Code)
	}
}

// A step is done when what it asks for is there, and the next one is marked.
func TestSetUpIsJudgedByWhatIsThere(t *testing.T) {
	w := found(t)
	s := w.as(t, w.person(t, people.SecurityOfficer), "en")
	answer, body := s.do(t, http.MethodGet, "/control/setup", nil)
	if answer.StatusCode != http.StatusOK || strings.Count(body, "state good") != 5 || !strings.Contains(body, "No partner has answered yet") {
		t.Errorf("the demo before its first contact: %s, %d steps done", answer.Status, strings.Count(body, "state good"))
	}
	if err := w.node.People.Suspend(t.Context(), "node", "rin", "test"); err != nil { // the second officer
		t.Fatal(err)
	}
	if _, body := s.do(t, http.MethodGet, "/control/setup", nil); !strings.Contains(body, "Security officer: 1 more") {
		t.Error("one security officer is enough")
	}
	if answer, _ := w.as(t, w.person(t, people.Analyst), "en").do(t, http.MethodGet, "/control/setup", nil); answer.StatusCode != http.StatusForbidden {
		t.Errorf("an analyst sets up: %s", answer.Status)
	}
}

func clearanceXML(t *testing.T, c *label.Clearance) string {
	t.Helper()
	xml, err := stanag4774.WriteClearance(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(xml)
}

// hears takes a word of a partner, as the line would hand it over.
func (w *world) hears(t *testing.T, from line.Partner, a registry.Attestation) {
	t.Helper()
	_, err := w.node.Vault.Act(t.Context(), audit.Act{Actor: "partner:" + from.NodeID, Verb: "receive"}, func(tx *vault.Tx) error {
		refusal, err := w.node.Desk.TakeWord(tx, from, a.Encode())
		if refusal != "" {
			t.Error(refusal)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
