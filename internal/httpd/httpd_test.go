package httpd_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"causeway/internal/demo"
	"causeway/internal/desk"
	"causeway/internal/httpd"
	"causeway/internal/line"
	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/policies"
	"causeway/stix"
	"causeway/trade/cascade"
	"causeway/trade/exchange"
)

// world is Tokyo's node with two partners, a run, a finding, an assessment and
// a product, and the addresses at which they stand.
type world struct {
	node    *node.Node
	server  *httptest.Server
	fill    map[string]string // wildcards of patterns
	finding string
}

func found(t *testing.T) *world {
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
	w := &world{node: nodes[0]}
	handler, err := httpd.New(w.node)
	if err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(handler)
	t.Cleanup(w.server.Close)
	return w
}

func (w *world) person(t *testing.T, role people.Role) people.Person {
	t.Helper()
	all, err := w.node.People.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if p.Has(role) {
			return p
		}
	}
	t.Fatalf("nobody is %s", role)
	return people.Person{}
}

func restricted() *label.Label {
	now := time.Now().UTC().Truncate(time.Second)
	return policies.NATOLabel("RESTRICTED", now, now.AddDate(5, 0, 0), "JPN")
}

// tell makes the objects that pages show.
func (w *world) tell(t *testing.T) {
	t.Helper()
	ctx, d, analyst := t.Context(), w.node.Desk, w.person(t, people.Analyst)
	var posts strings.Builder
	posts.WriteString("object_id,account_id,content_id,timestamp_share\n")
	for object := range 6 {
		for account := range 5 {
			fmt.Fprintf(&posts, "o%d,a%d,c%d-%d,%d\n", object, account, object, account, 1_700_000_000+90_000*object+account)
		}
	}
	run, err := d.StartRun(ctx, analyst, desk.RunRequest{Title: "Posts <of> a month", File: "posts.csv", Window: time.Minute, Semantics: "coortweet"}, strings.NewReader(posts.String()))
	if err == nil {
		run, err = d.Await(ctx, analyst, run.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	if w.finding, err = d.Finding(ctx, analyst, desk.FindingRequest{Run: run.ID, Title: "Five accounts & one story"}, restricted()); err != nil {
		t.Fatal(err)
	}
	var alternatives []desk.Alternative
	for _, a := range desk.CoordinationAlternatives {
		alternatives = append(alternatives, desk.Alternative{Label: a, Status: "plausible", Reason: "not looked at"})
	}
	assessment, err := d.Assess(ctx, analyst, desk.Assessment{Subjects: []string{w.finding}, Kind: "coordination", Judgement: "They act together.", Likelihood: "likely", Confidence: "low",
		Basis: []string{w.finding}, Alternatives: alternatives, Gaps: []string{"who pays"}, Expires: time.Now().AddDate(1, 0, 0)}, restricted())
	if err != nil {
		t.Fatal(err)
	}
	product := w.product(t, analyst)
	w.fill = map[string]string{"run": run.ID, "person": analyst.ID, "index": "3", "oid": label.PublicPolicy, "name": "causeway.css", "id": w.finding,
		"economy": product, "assessment": assessment}
	partners, err := w.node.Line.Partners(ctx)
	if err != nil || len(partners) == 0 {
		t.Fatalf("%d partners, %v", len(partners), err)
	}
	w.fill["partner"] = partners[0].NodeID
	w.control(t, analyst, partners[0])
	w.fill["rule"] = "ports"
	w.speak(t, partners[0])
	if rules, err := d.Rules(ctx); err != nil || len(rules) > 0 {
		if err != nil {
			t.Fatal(err)
		}
		return // told a second time
	}
	officer := w.person(t, people.ReleaseOfficer)
	rule := desk.ReleaseRule{Name: "ports", Types: []string{"grouping"}, Text: "account", AtMost: desk.Ceiling{Policy: policies.NATO, Classification: "RESTRICTED"}, To: []string{partners[0].NodeID}}
	if err := d.AddRule(ctx, officer, rule); err != nil {
		t.Fatal(err)
	}
}

// control makes what the pages of Control show: an attestation given and one
// taken back, a table, and names the rest.
func (w *world) control(t *testing.T, analyst people.Person, to line.Partner) {
	t.Helper()
	w.fill["grant"], w.fill["group"], w.fill["table"], w.fill["number"] = analyst.Grants[0].ID, "NATO", "test@1", "1"
	if tables, err := w.node.Tables(t.Context()); err != nil || len(tables) > 0 {
		if err != nil {
			t.Fatal(err)
		}
		return // told a second time
	}
	ctx, officer := t.Context(), w.person(t, people.SecurityOfficer)
	for i := range 2 {
		a, _, err := w.node.Desk.Attest(ctx, officer, analyst.ID, to.NodeID, time.Now().AddDate(0, 1, 0))
		if err == nil && i == 1 {
			_, _, err = w.node.Desk.RevokeAttestation(ctx, officer, a.Serial, "<test>")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.node.SetTable(ctx, officer, []byte(testTable)); err != nil {
		t.Fatal(err)
	}
	grant := people.Grant{Clearance: analyst.Grants[0].Clearance, Basis: "NATIONAL", From: time.Now(), Until: time.Now().AddDate(1, 0, 0)}
	if _, err := w.node.People.Request(ctx, officer, officer.ID, grant); err != nil {
		t.Fatal(err)
	}
}

const testTable = `{"name": "test", "version": "1", "from": "NATO", "to": "JPN", "valid_from": "2026-01-01T00:00:00Z", "source": "a <test>",
 "classifications": [{"from": "SECRET", "to": "GOKUHI"}],
 "values": [{"from": {"tag": "1.3.26.1.4.2", "type": "PERMISSIVE", "value": "JPN"}, "to": [{"tag": "2.25.126341180364141718531459025567277128245.2", "type": "PERMISSIVE", "value": "JPN"}]}]}`

func (w *world) product(t *testing.T, by people.Person) string {
	t.Helper()
	c := &cascade.World{Places: []string{"CHN", "JPN", "DEU"}, Production: []float64{100, 1, 1}, Stock: []float64{10, 5, 2},
		Links: []cascade.Link{{From: 0, To: 1, Quantity: 40}, {From: 0, To: 2, Quantity: 20}, {From: 1, To: 2, Quantity: 1}}}
	o, err := exchange.World(exchange.Supply{Name: "Gallium", Unit: "t", Source: "exercise", Year: "2023", World: c},
		exchange.Params{Created: stix.TimestampOf(time.Now()), CreatedBy: w.node.Config.Identity, Salt: rand.Text()})
	if err != nil {
		t.Fatal(err)
	}
	reader, err := w.node.People.Reader(by)
	if err != nil {
		t.Fatal(err)
	}
	report, err := w.node.Desk.Import(t.Context(), reader, []stix.Item{{Object: o}}, restricted(), nil)
	if err != nil || len(report.Refused) > 0 {
		t.Fatalf("import: %v %+v", err, report)
	}
	return o.ID()
}

// session is a browser that is signed in.
type session struct {
	*world
	token string
	lang  string
}

func (w *world) as(t *testing.T, p people.Person, lang string) session {
	t.Helper()
	token, err := w.node.People.APIToken(t.Context(), p, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return session{w, token, lang}
}

func (s session) do(t *testing.T, method, path string, form url.Values) (*http.Response, string) {
	t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(t.Context(), method, s.server.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if s.token != "" {
		r.AddCookie(&http.Cookie{Name: "causeway", Value: s.token})
	}
	r.Header.Set("Accept-Language", s.lang)
	r.AddCookie(&http.Cookie{Name: "lang", Value: s.lang})
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(b)
}

var wildcard = regexp.MustCompile(`\{([a-z]+)\}`)

// path fills the wildcards of a route, with real things or with examples.
func (w *world) path(r httpd.Route, real bool) string {
	return strings.TrimSuffix(wildcard.ReplaceAllStringFunc(r.Pattern, func(m string) string {
		name := m[1 : len(m)-1]
		switch {
		case !real:
			return url.PathEscape(r.Example[name])
		case name == "id" && strings.HasPrefix(r.Pattern, "/economy"):
			return w.fill["economy"]
		case name == "id" && strings.HasPrefix(r.Pattern, "/public/statements"):
			return url.PathEscape(w.fill["statement"])
		}
		return url.PathEscape(w.fill[name])
	}), "{$}")
}

func (w *world) routes(t *testing.T) []httpd.Route {
	t.Helper()
	all, err := httpd.Routes(w.node)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// broken are the traces of a page that did not come out as it was meant.
var broken = regexp.MustCompile(`⟦|&lt;no value|%!|ZgotmplZ`)

func TestEveryPageRenders(t *testing.T) {
	w := found(t)
	w.tell(t)
	extra := []string{"/detect/" + w.fill["run"] + "/evidence?a=a0&b=a1", "/detect/" + w.fill["run"] + "/evidence?account=a0", "/picture/search?q=accounts", "/picture?type=*",
		"/object/" + w.fill["assessment"], "/object/" + w.fill["assessment"] + "/release", "/object/" + w.fill["assessment"] + "/assess",
		"/object/" + w.fill["assessment"] + "/why?at=2026-11-25", "/object/" + w.fill["assessment"] + "/why?at=2099-01-01", "/control/groups/NATO?nation=JPN", "/control/groups/NEW", "/control/clearances?state=past",
		"/economy/" + w.fill["economy"] + "/scenario?by=CHN&withheld=70&member=JPN&member=DEU", "/object/" + w.fill["economy"]}
	for _, role := range []people.Role{people.Analyst, people.ReleaseOfficer, people.SecurityOfficer, people.Spokesperson} {
		for _, lang := range []string{"en", "ja"} {
			s := w.as(t, w.person(t, role), lang)
			paths := extra
			for _, r := range w.routes(t) {
				if r.Method == http.MethodGet && r.Pattern != "/api/feed" {
					paths = append(paths, w.path(r, true))
				}
			}
			for _, path := range paths {
				answer, body := s.do(t, http.MethodGet, path, nil)
				if answer.StatusCode >= 500 {
					t.Errorf("%s as %s in %s: %s", path, role, lang, answer.Status)
				}
				if found := broken.FindStringIndex(body); found != nil && strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
					t.Errorf("%s as %s in %s has %q", path, role, lang, body[found[0]:min(len(body), found[0]+60)])
				}
				if csp := answer.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
					t.Errorf("%s has no strict content security policy", path)
				}
			}
		}
	}
}

func TestStrangersGetNothing(t *testing.T) {
	w := found(t)
	w.tell(t)
	stranger := session{world: w, lang: "en"}
	for _, r := range w.routes(t) {
		if r.Open || r.Method == "" {
			continue
		}
		answer, body := stranger.do(t, r.Method, w.path(r, true), nil)
		switch {
		case answer.StatusCode == http.StatusUnauthorized:
		case answer.StatusCode == http.StatusSeeOther && strings.HasPrefix(answer.Header.Get("Location"), "/sign-in"):
		default:
			t.Errorf("%s %s gives a stranger %s: %.80s", r.Method, r.Pattern, answer.Status, body)
		}
	}
}

func TestActsDemandTheSessionsToken(t *testing.T) {
	w := found(t)
	w.tell(t)
	s := w.as(t, w.person(t, people.SecurityOfficer), "en")
	acts := 0
	for _, r := range w.routes(t) {
		if r.Method != http.MethodPost || r.Open {
			continue
		}
		acts++
		for _, token := range []string{"", "forged"} {
			if answer, _ := s.do(t, r.Method, w.path(r, true), url.Values{"token": {token}}); answer.StatusCode != http.StatusForbidden {
				t.Errorf("%s with token %q: %s", r.Pattern, token, answer.Status)
			}
		}
	}
	if acts < 10 {
		t.Fatalf("%d acts found; the walk has lost them", acts)
	}
}

func TestFormsOfOtherOriginsAreRefused(t *testing.T) {
	w := found(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+"/sign-in", strings.NewReader("person=aiko&password=x"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://evil.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another origin: %s", answer.Status)
	}
}

// moments differ between two askings and say nothing of the store.
var moments = regexp.MustCompile(`\d\d:\d\d(:\d\d)?|just now|\d+ minutes? ago`)

// Somebody without a clearance gets the same bytes from every page whether or
// not there is something they may not see. The audit log's own length is left
// out: it tells of acts, not of objects.
func TestHiddenObjectsChangeNoPage(t *testing.T) {
	w := found(t)
	w.tell(t) // brings the public definition of findings, which is not hidden
	outsider := people.Person{ID: "zed", Name: "Zed", Nation: "JPN", Roles: people.Roles}
	if err := w.node.People.Add(t.Context(), "node", outsider, ""); err != nil {
		t.Fatal(err)
	}
	s := w.as(t, outsider, "en")
	var paths []string
	for _, r := range w.routes(t) {
		if r.Method == http.MethodGet && r.Pattern != "/api/feed" && !strings.Contains(r.Pattern, "/audit") {
			paths = append(paths, w.path(r, false))
		}
	}
	paths = append(paths, "/picture/search?q=accounts", "/picture?type=*", "/picture?type=grouping", "/api/objects?q=type:grouping")
	ask := func() map[string]string {
		out := map[string]string{}
		for _, path := range paths {
			answer, body := s.do(t, http.MethodGet, path, nil)
			var b bytes.Buffer
			answer.Header.Del("Date")
			fmt.Fprintln(&b, answer.Status)
			if err := answer.Header.Write(&b); err != nil {
				t.Fatal(err)
			}
			out[path] = moments.ReplaceAllString(b.String()+body, "@")
		}
		return out
	}
	before := ask()
	w.tell(t)
	after := ask()
	for _, path := range paths {
		if before[path] != after[path] {
			t.Errorf("%s changes when something hidden is stored:\n%s", path, firstDifference(before[path], after[path]))
		}
	}
	absent, _ := s.do(t, http.MethodGet, "/object/grouping--00000000-0000-4000-8000-000000000000", nil)
	hidden, _ := s.do(t, http.MethodGet, "/object/"+w.finding, nil)
	if absent.StatusCode != http.StatusNotFound || hidden.StatusCode != http.StatusNotFound {
		t.Errorf("absent %s, hidden %s", absent.Status, hidden.Status)
	}
	if reader, err := w.node.People.Reader(w.person(t, people.Analyst)); err != nil {
		t.Fatal(err)
	} else if n, err := w.node.Vault.As(reader).Count(t.Context(), vault.Match{Types: []string{"grouping"}}); err != nil || n != 2 {
		t.Fatalf("the hidden finding is not there at all: %d, %v", n, err)
	}
}

func firstDifference(a, b string) string {
	la, lb := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(la), len(lb)) {
		if la[i] != lb[i] {
			return "- " + la[i] + "\n+ " + lb[i]
		}
	}
	return "one is longer"
}

var tokenField = regexp.MustCompile(`name="token" value="([0-9a-f]+)"`)

func TestCutIsPreviewedThenMade(t *testing.T) {
	w := found(t)
	w.tell(t)
	s := w.as(t, w.person(t, people.Analyst), "en")
	path := "/object/" + w.fill["assessment"] + "/cut"
	_, form := s.do(t, http.MethodGet, path, nil)
	m := tokenField.FindStringSubmatch(form)
	if m == nil {
		t.Fatal("the form has no token")
	}
	nato := label.NATO
	values := url.Values{"token": {m[1]}, "whole": {"1"}, "omit": {"gaps"}, "instead.judgement": {"They act together."}, "policy": {nato}, "class." + nato: {"RESTRICTED"},
		"set." + nato + ".Context": {"NATO", "Releasable"}, "set." + nato + ".Releasable To": {"NATO", "JPN"}, "do": {"preview"}}
	answer, body := s.do(t, http.MethodPost, path, values)
	if answer.StatusCode != http.StatusOK || !strings.Contains(body, "The exact difference") || !strings.Contains(body, "who pays") {
		t.Fatalf("preview: %s\n%.2000s", answer.Status, body[strings.Index(body, "<main"):])
	}
	values.Set("do", "make")
	answer, body = s.do(t, http.MethodPost, path, values)
	if to := answer.Header.Get("Location"); answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, "/object/x-causeway-assessment--") || strings.Contains(to, w.fill["assessment"]) {
		t.Fatalf("make: %s to %q\n%.2000s", answer.Status, to, body)
	}
	_, page := s.do(t, http.MethodGet, answer.Header.Get("Location"), nil)
	if strings.Contains(page, "who pays") || !strings.Contains(page, "Cut from:") {
		t.Error("the cut says what was left out, or does not lead its maker to the original")
	}
}

// A release officer tries a rule on the past, switches it on and off, all in a
// browser; a second officer decides on what waits.
func TestRuleInABrowser(t *testing.T) {
	w := found(t)
	w.tell(t)
	s := w.as(t, w.person(t, people.ReleaseOfficer), "en")
	path := "/control/rules/ports"
	_, page := s.do(t, http.MethodGet, path, nil)
	m := tokenField.FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the form has no token")
	}
	token := m[1]
	if answer, body := s.do(t, http.MethodPost, path, url.Values{"token": {token}, "do": {"test"}}); answer.StatusCode != http.StatusOK || !strings.Contains(body, "Five accounts") {
		t.Fatalf("the test of a rule: %s", answer.Status)
	}
	for _, do := range []string{"on", "off"} {
		if answer, body := s.do(t, http.MethodPost, path, url.Values{"token": {token}, "do": {do}}); answer.StatusCode != http.StatusSeeOther {
			t.Fatalf("switch %s: %s %.300s", do, answer.Status, body)
		}
	}
	if err := w.node.Desk.SetLevel(t.Context(), w.person(t, people.SecurityOfficer), policies.NATO, "RESTRICTED"); err != nil {
		t.Fatal(err)
	}
	partners, err := w.node.Line.Partners(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"token": {token}, "to": {partners[0].NodeID}, "precedence": {"ROUTINE"}}
	if answer, body := s.do(t, http.MethodPost, "/object/"+w.finding+"/release", form); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("a release that waits: %s %.300s", answer.Status, body)
	}
	answer, body := s.do(t, http.MethodGet, "/releases", nil)
	if answer.StatusCode != http.StatusOK || !strings.Contains(body, "Five accounts") || broken.MatchString(body) {
		t.Fatalf("what waits: %s %.300s", answer.Status, body)
	}
	if strings.Contains(body, `value="approve"`) {
		t.Error("who asked is offered to approve")
	}
}
