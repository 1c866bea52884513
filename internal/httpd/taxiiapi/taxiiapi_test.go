package taxiiapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/policies"
	"causeway/label/stanag4774"
	"causeway/stix"
	"causeway/taxii"
)

// lab is a node's exchange with three people on it: aiko is cleared for
// SECRET and writes, ben is cleared for UNCLASSIFIED and writes, kim reads.
type lab struct {
	testing.TB
	ctx        context.Context
	vault      *vault.Vault
	policies   *label.Policies
	readers    map[string]vault.Reader
	unlabelled *label.Effective
	handler    http.Handler
	server     *httptest.Server
	clock      atomic.Int64
}

var labKey = []byte("0123456789abcdef0123456789abcdef")

func newLab(t testing.TB) *lab {
	t.Helper()
	l := &lab{TB: t, ctx: t.Context(), readers: map[string]vault.Reader{}}
	l.set(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	var err error
	l.policies, err = policies.Set("test")
	l.ok(err)
	l.vault, err = vault.Open(l.ctx, vault.Config{Dir: t.TempDir(), Now: l.now})
	l.ok(err)
	t.Cleanup(func() { l.vault.Close() })
	for name, level := range map[string]string{"aiko": "SECRET", "ben": "UNCLASSIFIED", "kim": "UNCLASSIFIED"} {
		c, err := policies.NationalClearance("BEL", level)
		l.ok(err)
		held, err := l.policies.Holdings(label.Holder{Kind: label.Person, Clearances: []*label.Clearance{c}, Nation: "BEL", At: l.now()})
		l.ok(err)
		l.readers[name] = vault.Reader{ID: "person:" + name, Kind: vault.Person, Holdings: held}
	}
	l.handler, err = New(l.ctx, Config{Vault: l.vault, Policies: func() *label.Policies { return l.policies }, Key: labKey, Now: l.now, Title: "Lab",
		SignIn: func(r *http.Request) (Requester, error) {
			name, ok := Token(r)
			reader, known := l.readers[name]
			if !ok || !known {
				return Requester{}, taxii.ErrUnauthenticated
			}
			return Requester{Reader: reader, Write: name != "kim", Unlabelled: l.unlabelled}, nil
		}})
	l.ok(err)
	l.server = httptest.NewServer(l.handler)
	t.Cleanup(l.server.Close)
	return l
}

func (l *lab) now() time.Time  { return time.Unix(0, l.clock.Load()).UTC() }
func (l *lab) set(t time.Time) { l.clock.Store(t.UnixNano()) }

func (l *lab) ok(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

func (l *lab) client(who string) *taxii.Client {
	l.Helper()
	c, err := taxii.NewClient(taxii.ClientOptions{URL: l.server.URL, Username: "x", Password: who, PlainHTTP: true, Attempts: 1})
	l.ok(err)
	return c
}

func (l *lab) url(alias string) string {
	return taxii.CollectionURL(l.server.URL+Prefix+rootNode, alias)
}

func (l *lab) effective(level string) label.Effective {
	l.Helper()
	lb := policies.NATOLabel(level, l.now(), l.now().AddDate(1, 0, 0))
	rule, err := l.policies.Rule(lb)
	l.ok(err)
	xml, err := stanag4774.WriteLabel(lb)
	l.ok(err)
	return label.Effective{Rule: rule, Labels: [][]byte{xml}}
}

// put stores objects as the node's own, at a level.
func (l *lab) put(level, source string, objects ...string) {
	l.Helper()
	e := l.effective(level)
	_, err := l.vault.Act(l.ctx, audit.Act{Actor: "node", Verb: "put"}, func(tx *vault.Tx) error {
		for _, raw := range objects {
			o, err := stix.ParseObject([]byte(raw))
			if err != nil {
				return err
			}
			if _, err := tx.Put(vault.Put{Object: o, Effective: e, Source: source}); err != nil {
				return err
			}
		}
		return nil
	})
	l.ok(err)
}

func (l *lab) pull(who, alias string, m taxii.Match) (objects []string) {
	l.Helper()
	for page, err := range l.client(who).Pull(l.ctx, l.url(alias), taxii.PullOptions{Match: m}) {
		l.ok(err)
		for _, o := range page.Objects {
			objects = append(objects, string(o))
		}
	}
	return objects
}

func campaign(n, version int, marking string) string {
	if marking != "" {
		marking = `,"object_marking_refs":["` + marking + `"]`
	}
	return fmt.Sprintf(`{"type":"campaign", "spec_version":"2.1","id":"campaign--%08x-0000-4000-8000-000000000000","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-%02dT00:00:00.000Z","name":"Campaign %d"%s}`, n, version, n, marking)
}

func campaignID(n int) string { return fmt.Sprintf("campaign--%08x-0000-4000-8000-000000000000", n) }

func raws(objects ...string) (list []json.RawMessage) {
	for _, o := range objects {
		list = append(list, json.RawMessage(o))
	}
	return list
}

func status(t *testing.T, err error, want int) {
	t.Helper()
	var e *taxii.Error
	if !errors.As(err, &e) || e.HTTPStatus != want {
		t.Fatalf("error %v, want status %d", err, want)
	}
}

func TestRootsAndCollections(t *testing.T) {
	l := newLab(t)
	d, err := l.client("aiko").Discover(l.ctx)
	l.ok(err)
	if diff := cmp.Diff([]string{l.server.URL + "/taxii2/causeway/", l.server.URL + "/taxii2/public/"}, d.APIRoots); diff != "" || d.Default != d.APIRoots[0] {
		t.Error(diff, d)
	}
	for who, want := range map[string][]string{"aiko": {"feed r-", "inbox rw"}, "kim": {"feed r-"}} {
		list, err := l.client(who).Collections(l.ctx, d.Default)
		l.ok(err)
		var got []string
		for _, c := range list {
			got = append(got, c.Alias+" "+map[bool]string{true: "r", false: "-"}[c.CanRead]+map[bool]string{true: "w", false: "-"}[c.CanWrite])
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", who, diff)
		}
		if !slices.IsSortedFunc(list, func(a, b taxii.Collection) int { return strings.Compare(a.ID, b.ID) }) {
			t.Error("collections are not in the order of their ids")
		}
	}
	_, err = l.client("kim").Collection(l.ctx, l.url("inbox"))
	status(t, err, 404)
	_, err = l.client("nobody").Discover(l.ctx)
	status(t, err, 401)
	anybody, err := taxii.NewClient(taxii.ClientOptions{URL: l.server.URL, PlainHTTP: true})
	l.ok(err)
	if list, err := anybody.Collections(l.ctx, l.server.URL+"/taxii2/public/"); err != nil || len(list) != 1 || list[0].CanWrite {
		t.Errorf("public root: %v, %v", list, err)
	}
	for _, path := range []string{"/taxii2/", "/taxii2/causeway/", "/taxii2/publicx/", "/taxii2/%70ublic/"} {
		if _, err := anybody.Root(l.ctx, l.server.URL+path); err == nil {
			t.Errorf("%s answers without credentials", path)
		}
	}
	_, err = anybody.Collection(l.ctx, taxii.CollectionURL(l.server.URL+"/taxii2/public", "feed"))
	status(t, err, 404)
}

// Each reader has a complete and stable world of their own.
func TestEachReaderSeesTheirOwn(t *testing.T) {
	l := newLab(t)
	var all, open []string
	for n := range 30 {
		level := []string{"UNCLASSIFIED", "SECRET", "RESTRICTED"}[n%3]
		l.put(level, "local", campaign(n, 1, ""))
		all = append(all, campaign(n, 1, ""))
		if n%3 == 0 {
			open = append(open, campaign(n, 1, ""))
		}
	}
	if diff := cmp.Diff(all, l.pull("aiko", "feed", taxii.Match{})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(open, l.pull("ben", "feed", taxii.Match{})); diff != "" {
		t.Error(diff)
	}
	for _, id := range []string{campaignID(1), campaignID(77)} { // hidden, absent
		_, err := l.client("ben").Object(l.ctx, l.url("feed"), id, taxii.Match{})
		status(t, err, 404)
		_, err = l.client("ben").Versions(l.ctx, l.url("feed"), id)
		status(t, err, 404)
	}
	// Hidden: a newer version under a stricter label. The last one ben may see
	// stays his last.
	l.put("SECRET", "local", campaign(0, 2, ""))
	if got := l.pull("ben", "feed", taxii.Match{IDs: []string{campaignID(0)}}); len(got) != 1 || got[0] != campaign(0, 1, "") {
		t.Errorf("ben's last version: %v", got)
	}
	if got := l.pull("aiko", "feed", taxii.Match{IDs: []string{campaignID(0)}}); len(got) != 1 || got[0] != campaign(0, 2, "") {
		t.Errorf("aiko's last version: %v", got)
	}
	if got, err := l.client("ben").Versions(l.ctx, l.url("feed"), campaignID(0)); err != nil || len(got) != 1 {
		t.Errorf("ben's versions: %v, %v", got, err)
	}
}

// What a reader gains later comes at the end of the feed.
func TestLateReleaseReachesAPoller(t *testing.T) {
	l := newLab(t)
	l.put("SECRET", "local", campaign(1, 1, ""))
	l.put("UNCLASSIFIED", "local", campaign(2, 1, ""))
	var at taxii.Checkpoint
	for page, err := range l.client("ben").Pull(l.ctx, l.url("feed"), taxii.PullOptions{}) {
		l.ok(err)
		at = page.Checkpoint
	}
	_, err := l.vault.Act(l.ctx, audit.Act{Actor: "person:aiko", Verb: "relabel"}, func(tx *vault.Tx) error {
		return tx.Relabel(campaignID(1), "", l.effective("UNCLASSIFIED"))
	})
	l.ok(err)
	var got []string
	for page, err := range l.client("ben").Pull(l.ctx, l.url("feed"), taxii.PullOptions{From: at}) {
		l.ok(err)
		for _, o := range page.Objects {
			got = append(got, string(o))
		}
	}
	if diff := cmp.Diff([]string{campaign(1, 1, "")}, got); diff != "" {
		t.Error(diff)
	}
}

// A worlds test on the bytes: what ben gets does not depend on what is hidden
// from him.
func TestHiddenObjectsLeaveNoTrace(t *testing.T) {
	world := func(hidden bool) *lab {
		l := newLab(t)
		for n := range 12 {
			l.set(time.Date(2026, 3, 2, 0, n, 0, 0, time.UTC))
			l.put("UNCLASSIFIED", "local", campaign(n, 1, ""))
			if hidden {
				l.put("SECRET", "local", campaign(100+n, 1, ""), campaign(n, 2, ""))
			}
		}
		l.set(time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC))
		return l
	}
	a, b := world(false), world(true)
	targets := []string{"/", "/manifest/", "/objects/", "/objects/?limit=5", "/manifest/?limit=5", "/objects/?match[version]=all", "/objects/?match[type]=malware",
		"/objects/" + campaignID(1) + "/", "/objects/" + campaignID(1) + "/versions/", "/objects/" + campaignID(101) + "/", "/objects/" + campaignID(101) + "/versions/",
		"/objects/" + campaignID(1) + "/?match[version]=2026-01-02T00:00:00Z", "/objects/?added_after=2026-03-02T00:05:00Z&limit=2"}
	for _, target := range targets {
		ask := func(l *lab) string {
			r := httptest.NewRequest("GET", "https://node.example"+Prefix+rootNode+"/collections/feed"+target, nil)
			r.SetBasicAuth("x", "ben")
			w := httptest.NewRecorder()
			l.handler.ServeHTTP(w, r)
			return fmt.Sprint(w.Code, w.Header(), w.Body)
		}
		if x, y := ask(a), ask(b); x != y {
			t.Errorf("%s:\n%.400s\n%.400s", target, x, y)
		}
	}
}

func TestInboxTakesWhatItCan(t *testing.T) {
	l := newLab(t)
	good, sco := campaign(1, 1, stix.TLPClear), `{"type":"ipv4-addr","id":"ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd","value":"198.51.100.3","object_marking_refs":["`+stix.TLPClear+`"]}`
	objects := raws(
		good,
		campaign(2, 1, ""), // no marking
		campaign(3, 1, "marking-definition--00000000-0000-4000-8000-000000000000"), // unknown marking
		`{"id":"nonsense"}`,
		`{"type":"campaign","name":"`+"\xff"+`"}`,
		strings.Replace(good, `"name"`, `"name":"twice","name"`, 1),
		sco,
		strings.Replace(campaign(4, 1, stix.TLPClear), "2026-01-01T00:00:00.000Z", "2026-02-31T00:00:00.000Z", 1),
		good, // again
	)
	s, err := l.client("ben").Add(l.ctx, l.url("inbox"), objects)
	l.ok(err)
	if s.TotalCount != 9 || s.SuccessCount != 3 || s.FailureCount != 6 || s.PendingCount != 0 || s.Status != taxii.Complete {
		t.Errorf("status %+v", s)
	}
	if len(s.Successes) != 3 || s.Successes[1].Version != vault.Unversioned || s.Successes[0].Version != "2026-01-01T00:00:00.000Z" {
		t.Errorf("successes %+v", s.Successes)
	}
	var index []int
	for _, u := range s.Unlisted {
		index = append(index, u.Index)
	}
	if diff := cmp.Diff([]int{3, 4, 5}, index); diff != "" || len(s.Failures) != 3 {
		t.Errorf("unlisted %s, failures %+v", diff, s.Failures)
	}
	for _, f := range s.Failures {
		if f.ID == "" || f.Version == "" || f.Message == "" {
			t.Errorf("failure %+v", f)
		}
	}
	if diff := cmp.Diff([]string{good, sco}, l.pull("ben", "inbox", taxii.Match{})); diff != "" {
		t.Errorf("bytes out are not bytes in: %s", diff)
	}
	again, err := l.client("ben").Status(l.ctx, l.server.URL+Prefix+rootNode, s.ID)
	l.ok(err)
	if diff := cmp.Diff(s, again); diff != "" {
		t.Error(diff)
	}
	_, err = l.client("aiko").Status(l.ctx, l.server.URL+Prefix+rootNode, s.ID)
	status(t, err, 404)
	_, err = l.client("ben").Status(l.ctx, l.server.URL+Prefix+rootPublic, s.ID)
	status(t, err, 404)
	l.set(l.now().Add(statusAge + time.Hour))
	_, err = l.client("ben").Status(l.ctx, l.server.URL+Prefix+rootNode, s.ID)
	status(t, err, 404)
	_, err = l.client("ben").Add(l.ctx, l.url("inbox"), raws(good)) // sweeps
	l.ok(err)
	if _, ok, err := l.vault.Record(l.ctx, space, keyStatus+s.ID); ok || err != nil {
		t.Errorf("the old status is still kept: %v %v", ok, err)
	}
}

func TestUnlabelledObjectsTakeTheNodesLabel(t *testing.T) {
	l := newLab(t)
	e := l.effective("SECRET")
	l.unlabelled = &e
	s, err := l.client("ben").Add(l.ctx, l.url("inbox"), raws(campaign(1, 1, ""), campaign(2, 1, stix.TLPClear)))
	l.ok(err)
	if s.SuccessCount != 2 {
		t.Errorf("status %+v", s)
	}
	if got := l.pull("ben", "feed", taxii.Match{}); len(got) != 1 || got[0] != campaign(2, 1, stix.TLPClear) {
		t.Errorf("ben reads %v", got)
	}
	if got := l.pull("aiko", "feed", taxii.Match{}); len(got) != 2 {
		t.Errorf("aiko reads %v", got)
	}
}

// Answers to a submitter do not depend on what others stored.
func TestInboxIsNoOracle(t *testing.T) {
	l := newLab(t)
	l.put("SECRET", "local", strings.Replace(campaign(1, 1, ""), "Campaign 1", "Hidden name", 1))
	l.put("SECRET", "partner:bru", campaign(2, 1, ""))
	s, err := l.client("ben").Add(l.ctx, l.url("inbox"), raws(campaign(1, 1, stix.TLPClear), campaign(2, 1, stix.TLPClear), campaign(3, 1, stix.TLPClear)))
	l.ok(err)
	if s.SuccessCount != 3 {
		t.Errorf("status %+v", s)
	}
	// The submitter's own conflict is one.
	s, err = l.client("ben").Add(l.ctx, l.url("inbox"), raws(strings.Replace(campaign(1, 1, stix.TLPClear), "Campaign 1", "Other", 1)))
	l.ok(err)
	if s.FailureCount != 1 || !strings.Contains(s.Failures[0].Message, "other content") {
		t.Errorf("status %+v", s)
	}
	// Deleting: hidden and absent alike.
	for _, n := range []int{2, 9} {
		if n == 2 {
			l.ok(l.client("ben").Delete(l.ctx, l.url("inbox"), campaignID(2), taxii.Match{}))
		}
		status(t, l.client("ben").Delete(l.ctx, l.url("inbox"), campaignID(n), taxii.Match{}), 404)
	}
	if got := l.pull("aiko", "feed", taxii.Match{IDs: []string{campaignID(2)}}); len(got) != 1 {
		t.Errorf("the partner's record is gone with ben's: %v", got)
	}
}

func TestDelete(t *testing.T) {
	l := newLab(t)
	ben := l.client("ben")
	_, err := ben.Add(l.ctx, l.url("inbox"), raws(campaign(1, 1, stix.TLPClear), campaign(1, 2, stix.TLPClear), campaign(1, 3, stix.TLPClear), campaign(2, 1, stix.TLPClear)))
	l.ok(err)
	l.ok(ben.Delete(l.ctx, l.url("inbox"), campaignID(1), taxii.Match{Versions: []string{"first", "2026-01-03T00:00:00Z"}}))
	got, err := ben.Versions(l.ctx, l.url("inbox"), campaignID(1))
	l.ok(err)
	if diff := cmp.Diff([]string{"2026-01-02T00:00:00.000Z"}, got); diff != "" {
		t.Error(diff)
	}
	status(t, ben.Delete(l.ctx, l.url("inbox"), campaignID(1), taxii.Match{Versions: []string{"2026-01-03T00:00:00Z"}}), 404)
	l.ok(ben.Delete(l.ctx, l.url("inbox"), campaignID(1), taxii.Match{}))
	_, err = ben.Object(l.ctx, l.url("inbox"), campaignID(1), taxii.Match{})
	status(t, err, 404)
	status(t, ben.Delete(l.ctx, l.url("feed"), campaignID(2), taxii.Match{}), 403)
	status(t, l.client("aiko").Delete(l.ctx, l.url("inbox"), campaignID(2), taxii.Match{}), 404)
	// It can come again.
	s, err := ben.Add(l.ctx, l.url("inbox"), raws(campaign(1, 1, stix.TLPClear)))
	l.ok(err)
	if s.SuccessCount != 1 || len(l.pull("ben", "inbox", taxii.Match{})) != 2 {
		t.Errorf("after a second POST: %+v", s)
	}
}

// Several envelopes larger than a batch, in a row, keep their order and bytes.
func TestLargeEnvelope(t *testing.T) {
	l := newLab(t)
	var objects []string
	for n := range batch + 500 {
		objects = append(objects, campaign(n, 1, stix.TLPClear))
	}
	s, err := l.client("ben").Add(l.ctx, l.url("inbox"), raws(objects...))
	l.ok(err)
	if s.SuccessCount != len(objects) || len(s.Successes) != len(objects) {
		t.Fatalf("%d of %d", s.SuccessCount, len(objects))
	}
	if got := l.pull("ben", "inbox", taxii.Match{}); !slices.Equal(got, objects) {
		t.Errorf("%d objects came back, or in another order", len(got))
	}
	again, err := l.client("ben").Status(l.ctx, l.server.URL+Prefix+rootNode, s.ID)
	if err != nil || len(again.Successes) != len(objects) {
		t.Errorf("status: %d successes, %v", len(again.Successes), err)
	}
}

func TestKeyIsKept(t *testing.T) {
	l := newLab(t)
	a, err := storedKey(l.ctx, l.vault)
	l.ok(err)
	b, err := storedKey(l.ctx, l.vault)
	l.ok(err)
	if len(a) != 32 || !bytes.Equal(a, b) {
		t.Errorf("keys %d and %d octets, equal %v", len(a), len(b), bytes.Equal(a, b))
	}
}
