package httpd_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"causeway/internal/demo"
	"causeway/internal/desk"
	"causeway/internal/httpd"
	"causeway/internal/line"
	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/label"
	"causeway/label/policies"
	"causeway/stix"
	"causeway/trade/episode"
)

// TestTwoWorlds holds two worlds against each other that differ only in what
// one reader of Tokyo's node may not see. Whatever that reader can ask, at
// every address of the node, gives the same bytes: status, headers and body.
// The addresses come from the router, so a new one cannot be forgotten.
//
// It stands for the leak classes that show at the door: counts and facets
// (L1), neighbours (L2, L3), history (L4), exports (L5), "already exists" (L9),
// recipients (L13), route against body (L17), ids and gaps (L25), search,
// paging, totals and error texts (L31).
func TestTwoWorlds(t *testing.T) {
	w := worlds(t)
	routes, err := httpd.Routes(w[0].node)
	if err != nil {
		t.Fatal(err)
	}
	if len(routes) < 40 {
		t.Fatalf("the router knows %d addresses: the walk has lost it", len(routes))
	}
	walked := 0
	for _, act := range []bool{false, true} {
		for _, r := range routes {
			if r.Acts != act || strings.Contains(r.Pattern, "sign-out") {
				continue
			}
			for _, path := range w[1].paths(r) {
				walked++
				a, b := w[0].ask(r, path), w[1].ask(r, path)
				if d := cmp.Diff(a, b); d != "" {
					t.Errorf("%s %s tells the worlds apart (-without +with):\n%s", r.Method, path, d)
				}
			}
		}
	}
	if walked < len(routes) {
		t.Errorf("%d requests for %d addresses", walked, len(routes))
	}
}

// TestTwoWorldsGuardCanFail: to a reader who may see it, the worlds do differ.
func TestTwoWorldsGuardCanFail(t *testing.T) {
	w := worlds(t)
	for i := range w {
		w[i].token = w[i].cleared
	}
	r := httpd.Route{Method: http.MethodGet}
	if cmp.Diff(w[0].ask(r, "/picture"), w[1].ask(r, "/picture")) == "" {
		t.Error("a cleared reader sees no difference: the two worlds are one")
	}
}

// twin is one of the two worlds, with the requests that a reader makes of it.
type twin struct {
	node           *node.Node
	handler        http.Handler
	token, cleared string   // sessions of the reader and of one who may see all
	hidden         []string // ids that only the other kind of world has
	visible        []string // ids that the reader may see in both
}

// moment is when everything after the split happens, in both worlds.
var moment = time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)

// worlds makes a node, copies it, and lets one copy have a secret.
func worlds(t *testing.T) [2]*twin {
	t.Helper()
	base := t.TempDir()
	nodes, err := demo.Found(t.Context(), filepath.Join(base, "0"), "127.0.0.1:8443", demo.Places()[:3], nil)
	for _, n := range nodes {
		defer n.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	tokyo := nodes[0]
	ctx := t.Context()
	eve := people.Person{ID: "eve", Name: "Eve", Nation: "AUS", Roles: []people.Role{people.Analyst}, Lang: "en", Zone: "UTC"}
	if err := tokyo.People.Add(ctx, "node", eve, ""); err != nil {
		t.Fatal(err)
	}
	aiko := get(t, tokyo, "aiko")
	visible, err := tokyo.Desk.Scenario(ctx, aiko, &episode.All()[0].Scenario, policies.PublicLabel(time.Now().UTC().Truncate(time.Second), time.Now().AddDate(1, 0, 0).UTC().Truncate(time.Second)))
	if err != nil {
		t.Fatal(err)
	}
	var tokens [2]string
	for i, p := range []people.Person{get(t, tokyo, "eve"), aiko} {
		if tokens[i], err = tokyo.People.APIToken(ctx, p, 10*365*24*time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if err := tokyo.Close(); err != nil {
		t.Fatal(err)
	}
	var out [2]*twin
	for i := range out {
		dir := filepath.Join(base, fmt.Sprint(i+1))
		if err := os.CopyFS(dir, os.DirFS(filepath.Join(base, "0", "tokyo"))); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, "keys.json"), 0o600); err != nil {
			t.Fatal(err)
		}
		n, err := node.OpenWith(ctx, dir, node.Options{Now: func() time.Time { return moment }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { n.Close() })
		out[i] = &twin{node: n, token: tokens[0], cleared: tokens[1], visible: []string{visible}}
	}
	secret(t, out[1])
	for _, w := range out {
		// Something that the reader may see happens after the secret.
		own, err := w.node.OwnReader()
		if err != nil {
			t.Fatal(err)
		}
		o, err := stix.ParseObject([]byte(`{"type":"identity","spec_version":"2.1","id":"identity--11111111-1111-4111-8111-111111111111","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"Port of Japan"}`))
		if err != nil {
			t.Fatal(err)
		}
		r, err := w.node.Desk.Import(ctx, own, []stix.Item{{Line: 1, Object: o}}, policies.PublicLabel(moment, moment.AddDate(1, 0, 0)), func(int, int) {})
		if err != nil || r.Stored != 1 {
			t.Fatal(r, err)
		}
		brussels, err := w.node.Line.Partner(ctx, "Brussels")
		if err != nil {
			t.Fatal(err)
		}
		w.visible = append(w.visible, o.ID(), brussels.NodeID)
		if w.handler, err = httpd.New(w.node); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// secret puts into one world what the reader may not see: a run, a finding,
// an assessment, releases, a recall, and failures of another person.
func secret(t *testing.T, w *twin) {
	t.Helper()
	ctx, n := t.Context(), w.node
	aiko, kenji := get(t, n, "aiko"), get(t, n, "kenji")
	var posts strings.Builder
	posts.WriteString("object_id,account_id,content_id,timestamp_share\n")
	for object := range 6 {
		for account := range 5 {
			fmt.Fprintf(&posts, "o%d,a%d,c%d-%d,%d\n", object, account, object, account, 1_700_000_000+90_000*object+account)
		}
	}
	run, err := n.Desk.StartRun(ctx, aiko, desk.RunRequest{Title: "secret", File: "posts.csv", Window: time.Minute, Semantics: "coortweet"}, strings.NewReader(posts.String()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Desk.Await(ctx, aiko, run.ID); err != nil {
		t.Fatal(err)
	}
	l := policies.NATOLabel("SECRET", moment, moment.AddDate(1, 0, 0), "JPN")
	finding, err := n.Desk.Finding(ctx, aiko, desk.FindingRequest{Run: run.ID, Title: "Rare earths to Japan"}, l)
	if err != nil {
		t.Fatal(err)
	}
	measure, err := n.Desk.Scenario(ctx, aiko, &episode.All()[2].Scenario, l)
	if err != nil {
		t.Fatal(err)
	}
	brussels, err := n.Line.Partner(ctx, "Brussels")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{finding, measure} {
		var waits *desk.WaitsError
		if _, err := n.Desk.Release(ctx, kenji, id, []string{brussels.NodeID}, line.Flash); !errors.As(err, &waits) {
			t.Fatal("one officer releases SECRET:", err)
		}
		second := kenji
		second.ID = "second"
		if err := n.Desk.ApproveRelease(ctx, second, waits.Request.ID); err != nil {
			t.Fatal(err)
		}
		// Another request goes on waiting.
		if _, err := n.Desk.Release(ctx, kenji, id, []string{brussels.NodeID}, line.Flash); !errors.As(err, &waits) {
			t.Fatal("one officer releases SECRET:", err)
		}
	}
	if err := n.Desk.Recall(ctx, kenji, measure, []string{brussels.NodeID}, "test"); err != nil {
		t.Fatal(err)
	}
	w.hidden = []string{finding, measure, run.ID}
	p, err := n.Desk.Preview(ctx, kenji, finding)
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]string{}
	for _, item := range p.Items {
		if !label.Allows(item.Effective.Rule, label.Public) {
			types[item.Type] = item.ID
		}
	}
	w.hidden = append(w.hidden, slices.Sorted(maps.Values(types))...)
}

func get(t *testing.T, n *node.Node, id string) people.Person {
	t.Helper()
	p, err := n.People.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// forms ask a page for one of its pictures or tables as a file.
var forms = []string{"picture=around", "picture=map", "table=exposed", "picture=network", "table=plan", "picture=flows"}

var placeholders = regexp.MustCompile(`\{[a-z_]+(\.\.\.)?\}`)

// paths fills a route's wildcards: with its example, with what is visible,
// with what is hidden, and with what is nowhere. Routes without wildcards get
// questions.
func (w *twin) paths(r httpd.Route) (out []string) {
	pattern := strings.ReplaceAll(r.Pattern, "{$}", "")
	names := placeholders.FindAllString(pattern, -1)
	if len(names) == 0 {
		out = append(out, pattern)
		for _, word := range append([]string{"Japan", "type:grouping", "secret"}, w.hidden...) {
			q := url.Values{"q": {word}, "id": {word}, "limit": {"2"}}
			out = append(out, pattern+"?"+q.Encode())
		}
		return out
	}
	fill := func(value func(name string) string) string {
		return placeholders.ReplaceAllStringFunc(pattern, func(m string) string {
			return url.PathEscape(value(strings.Trim(m, "{}.")))
		})
	}
	out = append(out, fill(func(name string) string { return r.Example[name] }))
	for _, id := range slices.Concat(w.hidden, w.visible, []string{"grouping--00000000-0000-4000-8000-000000000000", "0123456789abcdef", "x"}) {
		out = append(out, fill(func(string) string { return id }))
	}
	if r.Method == http.MethodGet { // what a page has, as files
		for _, id := range slices.Concat(w.hidden, w.visible) {
			out = append(out, fill(func(string) string { return id })+"?"+forms[len(out)%len(forms)])
		}
	}
	return out
}

// answer is everything that a reader gets.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

// ask makes one request as the world's reader.
func (w *twin) ask(r httpd.Route, path string) answer {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	method, body := r.Method, ""
	if method == "" {
		method = http.MethodGet
	}
	if method == http.MethodPost {
		form := url.Values{"token": {w.formToken()}}
		if len(w.hidden) > 0 || len(w.visible) > 0 {
			form.Set("id", "grouping--00000000-0000-4000-8000-000000000000")
		}
		body = form.Encode()
	}
	req := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.AddCookie(&http.Cookie{Name: "causeway", Value: w.token})
	rec := httptest.NewRecorder()
	said := &quiet{ResponseRecorder: rec, end: time.AfterFunc(time.Minute, cancel)}
	w.handler.ServeHTTP(said, req)
	said.end.Stop()
	head := rec.Result().Header.Clone()
	head.Del("Date")
	return answer{rec.Code, head, rec.Body.String()}
}

// quiet leaves a stream, which has no end, when nothing more comes of it.
// Only streams flush.
type quiet struct {
	*httptest.ResponseRecorder
	end *time.Timer
}

func (q *quiet) Flush() {
	q.end.Reset(500 * time.Millisecond)
	q.ResponseRecorder.Flush()
}

var hiddenToken = regexp.MustCompile(`name="token" value="([0-9a-f]+)"`)

// formToken reads the session's token from a page, as a browser would.
func (w *twin) formToken() string {
	page := w.ask(httpd.Route{Method: http.MethodGet}, "/")
	if m := hiddenToken.FindStringSubmatch(page.Body); m != nil {
		return m[1]
	}
	return ""
}
