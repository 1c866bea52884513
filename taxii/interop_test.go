package taxii

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math/big"
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
)

// The mandatory rows of the TAXII 2.1 interoperability test document (CSD01),
// by the names of its manifest. Each runs our client against our handler and
// looks at both sides.
var interopRows = map[string]func(*testing.T, *interop){
	"tc_3_1_1_missing_authorization":         missingAuthorization,
	"tc_3_1_2_authorization_error":           authorizationError,
	"tc_3_1_3_certificate_auth":              certificateAuth,
	"tc_3_1_4_http_basic":                    httpBasic,
	"tc_3_2_1_get_discovery":                 getDiscovery,
	"tc_3_3_1_get_api_root":                  getAPIRoot,
	"tc_3_3_2_incorrect_api_root":            incorrectAPIRoot,
	"tc_3_4_1_get_collections":               getCollections,
	"tc_3_5_1_1_write_only_collection":       collectionShows(writeOnly, false, true),
	"tc_3_5_1_2_read_write_collection":       collectionShows(readWrite, true, true),
	"tc_3_5_1_3_read_only_collection":        collectionShows(readOnly, true, false),
	"tc_3_5_1_4_no_read_no_write_collection": collectionShows(noAccess, false, false),
	"tc_3_5_2_1_read_write_only_forbidden":   readWriteOnly,
	"tc_3_5_2_2_write_read_only_forbidden":   writeReadOnly,
	"tc_3_5_2_3_delete_forbidden":            deleteForbidden,
	"tc_3_5_2_4_delete_not_found":            deleteNotFound,
	"tc_3_5_3_incorrect_collection":          incorrectCollection,
	"tc_3_6_1_get_manifest":                  getManifest,
	"tc_3_7_1_get_objects":                   getObjects,
	"tc_3_7_2_no_objects":                    noObjects,
	"tc_3_8_1_get_object":                    getObject,
	"tc_3_8_2_object_not_found":              objectNotFound,
	"tc_3_9_1_get_versions":                  getVersions,
	"tc_3_10_1_add_objects":                  addObjects,
	"tc_3_11_1_get_status":                   getStatus,
	"tc_3_11_2_get_all_status_properties":    allStatusProperties,
	"tc_3_12_1_delete_object":                deleteObject,
	"tc_3_13_1_1_added_after":                addedAfter,
	"tc_3_13_1_2_limit":                      limit,
	"tc_3_13_1_3_match_id":                   filters("match[id]="+indicatorID(2), indicator(2, 1)),
	"tc_3_13_1_4_match_type":                 filters("match[type]=malware", malware(1), malware(2)),
	"tc_3_13_1_5_match_version":              matchVersion,
	"tc_3_13_1_6_match_spec_version":         filters("match[spec_version]=2.0", oldTool),
	"tc_3_13_1_7_logical_or":                 filters("match[type]=malware,tool&match[spec_version]=2.0,2.1", malware(1), oldTool, malware(2)),
	"tc_3_13_1_8_logical_and":                filters("match[type]=indicator&match[id]="+indicatorID(2), indicator(2, 1)),
	"tc_3_13_1_9_logical_or_and":             filters("match[type]=indicator,malware&match[version]=first&match[id]="+indicatorID(1)+","+indicatorID(2), indicator(1, 1), indicator(2, 1)),
	"tc_3_13_1_10_duplicate_filter":          duplicateFilter,
	"tc_3_14_1_pagination":                   pagination,
	"tc_3_15_1_custom_properties":            customProperties,
}

const (
	readOnly  = "10000000-0000-4000-8000-000000000000"
	readWrite = "20000000-0000-4000-8000-000000000000"
	writeOnly = "30000000-0000-4000-8000-000000000000"
	noAccess  = "40000000-0000-4000-8000-000000000000"
	oldTool   = `{"type":"tool","spec_version":"2.0","id":"tool--00000001-0000-4000-8000-000000000000","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"Tool","labels":["remote-access"]}`
)

type interop struct {
	ctx    context.Context
	model  *model
	server *httptest.Server
	c      *Client
	root   string
	filled []string // the newest versions in readOnly, in their order
}

func TestInterop(t *testing.T) {
	if len(interopRows) != 39 {
		t.Fatalf("%d rows, the manifest has 39", len(interopRows))
	}
	for _, name := range slices.Sorted(maps.Keys(interopRows)) {
		t.Run(name, func(t *testing.T) { interopRows[name](t, newInterop(t)) })
	}
}

func TestInteropRowsAreTheManifests(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "shared", "data", "stix", "interop", "taxii-interop", "manifest.toml"))
	if err != nil {
		t.Skip("the interoperability manifest is not beside this clone: ", err)
	}
	var want []string
	for _, m := range regexp.MustCompile(`(?m)^test_id = "(.*)"$`).FindAllStringSubmatch(string(b), -1) {
		want = append(want, m[1])
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(interopRows))); diff != "" {
		t.Error(diff)
	}
}

func newInterop(t *testing.T) *interop {
	m := newModel()
	ro := m.coll("api1", readOnly)
	ro.CanWrite, ro.Alias = false, "indicators"
	m.coll("api1", readWrite)
	m.coll("api1", writeOnly).CanRead = false
	none := m.coll("api1", noAccess)
	none.CanRead, none.CanWrite = false, false
	m.roots["api2"] = &modelRoot{APIRoot: APIRoot{Title: "Empty root", MaxContentLength: 4096}}
	for _, o := range []string{indicator(1, 1), malware(1), indicator(2, 1), indicator(1, 2), oldTool, malware(2), indicator(1, 3)} {
		m.put(ro, o)
	}
	s := m.serve(t, Limits{})
	return &interop{
		ctx: t.Context(), model: m, server: s, c: client(t, s.URL, "ana"), root: s.URL + "/api1/",
		filled: []string{malware(1), indicator(2, 1), oldTool, malware(2), indicator(1, 3)},
	}
}

// raw sends a request and demands the status; every answer must be a TAXII
// body.
func (x *interop) raw(t *testing.T, method, path, body string, want int) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequest(method, x.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("ana", "ana")
	r.Header.Set("Accept", MediaType)
	r.Header.Set("Content-Type", MediaType)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != want {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, res.StatusCode, want, b)
	}
	if ct := res.Header.Get("Content-Type"); ct != MediaType {
		t.Fatalf("%s %s: content type %q", method, path, ct)
	}
	if want >= 400 {
		var e map[string]string
		if err := json.Unmarshal(b, &e); err != nil || e["title"] == "" || e["http_status"] != strings.Fields(res.Status)[0] {
			t.Fatalf("%s %s: not a TAXII error: %s", method, path, b)
		}
	}
	return res, b
}

func wantStatus(t *testing.T, err error, want int) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.HTTPStatus != want {
		t.Fatalf("error %v, want status %d", err, want)
	}
	return e
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func missingAuthorization(t *testing.T, x *interop) {
	c, err := NewClient(ClientOptions{URL: x.server.URL, PlainHTTP: true})
	must(t, err)
	_, err = c.Discover(x.ctx)
	e := wantStatus(t, err, 401)
	if len(e.Challenges) != 1 || e.Challenges[0].Scheme != "basic" || e.Challenges[0].Params["realm"] != "TAXII" {
		t.Errorf("challenges %v", e.Challenges)
	}
	// The document's own answer holds two challenges in one field.
	got := ParseChallenges([]string{`Basic realm="taxii, \"both\"", type=1, title="Login to \"apps\"", Basic realm="simple"`})
	want := []Challenge{
		{"basic", map[string]string{"realm": `taxii, "both"`, "type": "1", "title": `Login to "apps"`}},
		{"basic", map[string]string{"realm": "simple"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func authorizationError(t *testing.T, x *interop) {
	c, err := NewClient(ClientOptions{URL: x.server.URL, PlainHTTP: true, Username: "ana", Password: "guess"})
	must(t, err)
	for _, path := range []string{"taxii2/", "api1/", "api1/collections/", "none/", "api1/collections/" + readOnly + "/objects/"} {
		_, err := c.get(x.ctx, x.server.URL+"/"+path, nil)
		if e := wantStatus(t, err, 401); e.Description != "" {
			t.Errorf("%s: the answer explains itself: %q", path, e.Description)
		}
	}
}

func certificateAuth(t *testing.T, x *interop) {
	s := httptest.NewUnstartedServer(x.model.handler(t, Limits{}))
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ana"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	clients := x509.NewCertPool()
	clients.AddCert(cert)
	s.TLS = ServerTLS(&tls.Config{ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: clients})
	s.StartTLS()
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	c, err := NewClient(ClientOptions{URL: s.URL, TLS: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}})
	must(t, err)
	d, err := c.Discover(x.ctx)
	must(t, err)
	if d.Title != "Model" {
		t.Errorf("discovery %+v", d)
	}
	c, err = NewClient(ClientOptions{URL: s.URL, TLS: &tls.Config{RootCAs: roots}})
	must(t, err)
	_, err = c.Discover(x.ctx)
	wantStatus(t, err, 401)
	c, err = NewClient(ClientOptions{URL: s.URL, Attempts: 1})
	must(t, err)
	if _, err = c.Discover(x.ctx); err == nil {
		t.Error("a server of an unknown authority was believed")
	}
}

func httpBasic(t *testing.T, x *interop) {
	d, err := x.c.Discover(x.ctx)
	must(t, err)
	if d.Title != "Model" {
		t.Errorf("discovery %+v", d)
	}
	if _, err := NewClient(ClientOptions{URL: "http://example.org/taxii2/", Username: "ana"}); err == nil {
		t.Error("credentials would go out without TLS")
	}
}

func getDiscovery(t *testing.T, x *interop) {
	d, err := x.c.Discover(x.ctx)
	must(t, err)
	want := Discovery{Title: "Model", Contact: "desk@example.org", Default: x.server.URL + "/api1/",
		APIRoots: []string{x.server.URL + "/api1/", x.server.URL + "/api2/"}}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
}

func getAPIRoot(t *testing.T, x *interop) {
	r, err := x.c.Root(x.ctx, x.root)
	must(t, err)
	want := APIRoot{Title: "Root api1", Versions: []string{MediaType}, MaxContentLength: 32 << 20}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Error(diff)
	}
}

func incorrectAPIRoot(t *testing.T, x *interop) {
	_, err := x.c.Root(x.ctx, x.server.URL+"/api3/")
	wantStatus(t, err, 404)
	for _, path := range []string{"/api3/", "/api3/collections/", "/api3/collections/" + readOnly + "/", "/api3/collections/" + readOnly + "/objects/", "/api3/status/00000000-0000-4000-8000-000000000000/"} {
		if _, b := x.raw(t, "GET", path, "", 404); string(b) != `{"title":"Not found","http_status":"404"}` {
			t.Errorf("%s: %s", path, b)
		}
	}
}

func getCollections(t *testing.T, x *interop) {
	list, err := x.c.Collections(x.ctx, x.root)
	must(t, err)
	var got []string
	for _, c := range list {
		got = append(got, c.ID)
	}
	if diff := cmp.Diff([]string{readOnly, readWrite, writeOnly, noAccess}, got); diff != "" {
		t.Error(diff)
	}
	if _, b := x.raw(t, "GET", "/api2/collections/", "", 200); string(b) != "{}" {
		t.Errorf("an empty list is written as %s", b)
	}
}

func collectionShows(id string, canRead, canWrite bool) func(*testing.T, *interop) {
	return func(t *testing.T, x *interop) {
		c, err := x.c.Collection(x.ctx, CollectionURL(x.root, id))
		must(t, err)
		if c.ID != id || c.CanRead != canRead || c.CanWrite != canWrite {
			t.Errorf("collection %+v", c)
		}
		_, b := x.raw(t, "GET", "/api1/collections/"+id+"/", "", 200)
		if !bytes.Contains(b, []byte(`"can_read":`)) || !bytes.Contains(b, []byte(`"can_write":`)) {
			t.Errorf("a right is left out: %s", b)
		}
	}
}

func readWriteOnly(t *testing.T, x *interop) {
	base := "/api1/collections/" + writeOnly
	for _, path := range []string{"/objects/", "/manifest/", "/objects/" + indicatorID(1) + "/", "/objects/" + indicatorID(1) + "/versions/"} {
		x.raw(t, "GET", base+path, "", 403)
	}
}

func writeReadOnly(t *testing.T, x *interop) {
	x.raw(t, "POST", "/api1/collections/"+readOnly+"/objects/", `{"objects":[`+malware(9)+`]}`, 403)
	_, err := x.c.Add(x.ctx, CollectionURL(x.root, readOnly), []json.RawMessage{json.RawMessage(malware(9))})
	wantStatus(t, err, 403)
}

func deleteForbidden(t *testing.T, x *interop) {
	for _, id := range []string{readOnly, writeOnly} {
		err := x.c.Delete(x.ctx, CollectionURL(x.root, id), indicatorID(1), Match{})
		wantStatus(t, err, 403)
	}
}

func deleteNotFound(t *testing.T, x *interop) {
	err := x.c.Delete(x.ctx, CollectionURL(x.root, noAccess), indicatorID(1), Match{})
	wantStatus(t, err, 404)
}

func incorrectCollection(t *testing.T, x *interop) {
	const absent = "50000000-0000-4000-8000-000000000000"
	_, err := x.c.Collection(x.ctx, CollectionURL(x.root, absent))
	wantStatus(t, err, 404)
	for _, path := range []string{"/", "/manifest/", "/objects/", "/objects/x/", "/objects/x/versions/"} {
		x.raw(t, "GET", "/api1/collections/"+absent+path, "", 404)
	}
	x.raw(t, "POST", "/api1/collections/"+absent+"/objects/", `{}`, 404)
	x.raw(t, "DELETE", "/api1/collections/"+absent+"/objects/x/", "", 404)
}

func getManifest(t *testing.T, x *interop) {
	var got []string
	for rec, err := range x.c.Manifest(x.ctx, CollectionURL(x.root, readOnly), PullOptions{Limit: 2}) {
		must(t, err)
		got = append(got, rec.ID+" "+rec.Version+" "+rec.DateAdded.String()+" "+rec.MediaType)
	}
	want := []string{
		"malware--00000001-0000-4000-8000-000000000000 2026-01-01T00:00:00.000Z 2026-03-01T12:00:02.469134Z " + MediaTypeSTIX21,
		indicatorID(2) + " 2026-01-01T00:00:00.000Z 2026-03-01T12:00:03.703701Z " + MediaTypeSTIX21,
		"tool--00000001-0000-4000-8000-000000000000 2026-01-01T00:00:00.000Z 2026-03-01T12:00:06.172835Z " + MediaTypeSTIX20,
		"malware--00000002-0000-4000-8000-000000000000 2026-01-01T00:00:00.000Z 2026-03-01T12:00:07.407402Z " + MediaTypeSTIX21,
		indicatorID(1) + " 2026-01-03T00:00:00.000Z 2026-03-01T12:00:08.641969Z " + MediaTypeSTIX21,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func pull(t *testing.T, seq func(func(Pulled, error) bool)) (objects []string) {
	t.Helper()
	for page, err := range seq {
		must(t, err)
		for _, o := range page.Objects {
			objects = append(objects, string(o))
		}
	}
	return objects
}

func getObjects(t *testing.T, x *interop) {
	got := pull(t, x.c.Pull(x.ctx, CollectionURL(x.root, readOnly), PullOptions{}))
	if diff := cmp.Diff(x.filled, got); diff != "" {
		t.Error(diff)
	}
	res, b := x.raw(t, "GET", "/api1/collections/indicators/objects/", "", 200)
	if want := `{"objects":[` + strings.Join(x.filled, ",") + `]}`; string(b) != want {
		t.Errorf("the envelope is\n%s, want\n%s", b, want)
	}
	if first, last := res.Header.Get("X-TAXII-Date-Added-First"), res.Header.Get("X-TAXII-Date-Added-Last"); first != "2026-03-01T12:00:02.469134Z" || last != "2026-03-01T12:00:08.641969Z" {
		t.Errorf("dates %q to %q", first, last)
	}
}

func noObjects(t *testing.T, x *interop) {
	res, b := x.raw(t, "GET", "/api1/collections/"+readWrite+"/objects/", "", 200)
	if string(b) != "{}" {
		t.Errorf("an empty page is written as %s", b)
	}
	for name := range res.Header {
		if strings.HasPrefix(name, "X-Taxii") {
			t.Errorf("an empty page has %s", name)
		}
	}
	if got := pull(t, x.c.Pull(x.ctx, CollectionURL(x.root, readWrite), PullOptions{})); got != nil {
		t.Errorf("objects %v", got)
	}
	// The document's own empty answer is {"more":false}.
	var v listBody
	if err := v.parse([]byte(`{"more": false}`)); err != nil || v.more || v.items != nil {
		t.Errorf("%+v, %v", v, err)
	}
}

func getObject(t *testing.T, x *interop) {
	got, err := x.c.Object(x.ctx, CollectionURL(x.root, readOnly), indicatorID(1), Match{})
	must(t, err)
	if len(got) != 1 || string(got[0]) != indicator(1, 3) {
		t.Errorf("object %s", got)
	}
	got, err = x.c.Object(x.ctx, CollectionURL(x.root, readOnly), indicatorID(1), Match{Versions: []string{"all"}})
	must(t, err)
	if len(got) != 3 || string(got[0]) != indicator(1, 1) {
		t.Errorf("object %s", got)
	}
}

func objectNotFound(t *testing.T, x *interop) {
	_, err := x.c.Object(x.ctx, CollectionURL(x.root, readOnly), indicatorID(9), Match{})
	wantStatus(t, err, 404)
	_, err = x.c.Versions(x.ctx, CollectionURL(x.root, readOnly), indicatorID(9))
	wantStatus(t, err, 404)
	wantStatus(t, x.c.Delete(x.ctx, CollectionURL(x.root, readWrite), indicatorID(9), Match{}), 404)
	// Known, and nothing matches: no error.
	if _, b := x.raw(t, "GET", "/api1/collections/"+readOnly+"/objects/"+indicatorID(1)+"/?match[version]=2020-01-01T00:00:00Z", "", 200); string(b) != "{}" {
		t.Errorf("%s", b)
	}
}

func getVersions(t *testing.T, x *interop) {
	got, err := x.c.Versions(x.ctx, CollectionURL(x.root, readOnly), indicatorID(1))
	must(t, err)
	want := []string{"2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z", "2026-01-03T00:00:00.000Z"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	res, _ := x.raw(t, "GET", "/api1/collections/"+readOnly+"/objects/"+indicatorID(1)+"/versions/", "", 200)
	if last := res.Header.Get("X-TAXII-Date-Added-Last"); last != "2026-03-01T12:00:08.641969Z" {
		t.Errorf("last date %q", last)
	}
}

func addObjects(t *testing.T, x *interop) {
	_, b := x.raw(t, "POST", "/api1/collections/"+writeOnly+"/objects/", `{"objects":[`+malware(9)+`,{"id":"nonsense"},`+malware(8)+`]}`, 202)
	var s Status
	must(t, json.Unmarshal(b, &s))
	if s.TotalCount != 3 || s.SuccessCount != 2 || s.FailureCount != 1 || s.PendingCount != 0 || s.Status != Complete {
		t.Errorf("status %s", b)
	}
	s, err := x.c.Add(x.ctx, CollectionURL(x.root, readWrite), []json.RawMessage{json.RawMessage(indicator(9, 1))})
	must(t, err)
	if s.SuccessCount != 1 || s.Successes[0].ID != indicatorID(9) || s.Successes[0].Version != "2026-01-01T00:00:00.000Z" {
		t.Errorf("status %+v", s)
	}
	if got := pull(t, x.c.Pull(x.ctx, CollectionURL(x.root, readWrite), PullOptions{})); len(got) != 1 || got[0] != indicator(9, 1) {
		t.Errorf("objects %s", got)
	}
}

func getStatus(t *testing.T, x *interop) {
	s, err := x.c.Add(x.ctx, CollectionURL(x.root, readWrite), []json.RawMessage{json.RawMessage(malware(9))})
	must(t, err)
	again, err := x.c.Status(x.ctx, x.root, s.ID)
	must(t, err)
	if diff := cmp.Diff(s, again); diff != "" {
		t.Error(diff)
	}
	_, err = client(t, x.server.URL, "ben").Status(x.ctx, x.root, s.ID)
	wantStatus(t, err, 404)
}

func allStatusProperties(t *testing.T, x *interop) {
	s, err := x.c.Add(x.ctx, CollectionURL(x.root, readWrite), []json.RawMessage{
		json.RawMessage(malware(9)), json.RawMessage(strings.Replace(malware(9), "Malware 9", "Another", 1)), json.RawMessage(`[]`)})
	must(t, err)
	s.RequestTimestamp = Time{}
	want := Status{ID: s.ID, Status: Complete, TotalCount: 3, SuccessCount: 1, FailureCount: 2,
		Successes: []StatusDetail{{ID: "malware--00000009-0000-4000-8000-000000000000", Version: "2026-01-01T00:00:00.000Z"}},
		Failures:  []StatusDetail{{ID: "malware--00000009-0000-4000-8000-000000000000", Version: "2026-01-01T00:00:00.000Z", Message: "another content is stored under this id and version"}},
		Unlisted:  []UnlistedFailure{{2, s.Unlisted[0].Message}},
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
}

func deleteObject(t *testing.T, x *interop) {
	coll := CollectionURL(x.root, readWrite)
	for v := 1; v <= 3; v++ {
		_, err := x.c.Add(x.ctx, coll, []json.RawMessage{json.RawMessage(indicator(5, v))})
		must(t, err)
	}
	must(t, x.c.Delete(x.ctx, coll, indicatorID(5), Match{Versions: []string{"2026-01-02T00:00:00.000Z"}}))
	got, err := x.c.Versions(x.ctx, coll, indicatorID(5))
	must(t, err)
	if diff := cmp.Diff([]string{"2026-01-01T00:00:00.000Z", "2026-01-03T00:00:00.000Z"}, got); diff != "" {
		t.Error(diff)
	}
	must(t, x.c.Delete(x.ctx, coll, indicatorID(5), Match{}))
	_, err = x.c.Object(x.ctx, coll, indicatorID(5), Match{})
	wantStatus(t, err, 404)
	for rec := range x.c.Manifest(x.ctx, coll, PullOptions{}) {
		t.Errorf("the manifest still has %v", rec)
	}
}

// filters asks for a query and wants exactly these objects.
func filters(query string, want ...string) func(*testing.T, *interop) {
	return func(t *testing.T, x *interop) {
		for _, q := range []string{query, strings.NewReplacer("[", "%5B", "]", "%5D", ",", "%2C").Replace(query)} {
			_, b := x.raw(t, "GET", "/api1/collections/"+readOnly+"/objects/?"+q, "", 200)
			if w := `{"objects":[` + strings.Join(want, ",") + `]}`; string(b) != w {
				t.Errorf("%s:\n%s, want\n%s", q, b, w)
			}
		}
	}
}

func addedAfter(t *testing.T, x *interop) {
	filters("added_after=2026-03-01T12:00:07.407402Z", indicator(1, 3))(t, x)
	filters("added_after=2026-03-01T12:00:07.4074019999Z", malware(2), indicator(1, 3))(t, x)
	filters("added_after=2026-03-01T12:00:07Z", malware(2), indicator(1, 3))(t, x)
	// The version is chosen before the date is looked at: an older version
	// added late does not become the last one.
	x.model.put(x.model.roots["api1"].colls[0], strings.Replace(indicator(2, 1), `"modified":"2026-01-01T`, `"modified":"2025-12-31T`, 1))
	if _, b := x.raw(t, "GET", "/api1/collections/"+readOnly+"/objects/?added_after=2026-03-01T12:00:08.641969Z", "", 200); string(b) != "{}" {
		t.Errorf("an old version is served as the last: %s", b)
	}
}

func limit(t *testing.T, x *interop) {
	_, b := x.raw(t, "GET", "/api1/collections/"+readOnly+"/objects/?limit=2", "", 200)
	var v listBody
	must(t, v.parse(b))
	if len(v.items) != 2 || !v.more || v.next == "" {
		t.Errorf("page %s", b)
	}
	for _, n := range []string{"5", "1000000", "99999999999999999999"} {
		var v listBody
		_, b := x.raw(t, "GET", "/api1/collections/"+readOnly+"/objects/?limit="+n, "", 200)
		must(t, v.parse(b))
		if len(v.items) != 5 || v.more || v.next != "" {
			t.Errorf("limit %s: page %s", n, b)
		}
	}
}

func matchVersion(t *testing.T, x *interop) {
	for query, want := range map[string][]string{
		"first":                         {indicator(1, 1)},
		"last":                          {indicator(1, 3)},
		"all":                           {indicator(1, 1), indicator(1, 2), indicator(1, 3)},
		"first,last":                    {indicator(1, 1), indicator(1, 3)},
		"2026-01-02T00:00:00.000Z":      {indicator(1, 2)},
		"2026-01-02T00:00:00Z":          {indicator(1, 2)},
		"2026-01-02T00:00:00.000Z,last": {indicator(1, 2), indicator(1, 3)},
	} {
		filters("match[version]="+query+"&match[id]="+indicatorID(1), want...)(t, x)
	}
}

func duplicateFilter(t *testing.T, x *interop) {
	for _, q := range []string{
		"match[type]=malware&match[type]=indicator", "match[id]=a&match%5Bid%5D=b", "limit=1&limit=1",
		"added_after=2026-01-01T00:00:00Z&added_after=2026-01-01T00:00:00Z", "match[version]=all,last", "match[version]=last,last",
		"match[version]=2026-01-01T00:00:00Z,2026-01-01T00:00:00.000Z",
	} {
		x.raw(t, "GET", "/api1/collections/"+readOnly+"/objects/?"+q, "", 400)
	}
}

// pagination walks versions by X-TAXII-Date-Added-Last and added_after, as
// the document does, and everything else by next.
func pagination(t *testing.T, x *interop) {
	path := "/api1/collections/" + readOnly + "/objects/" + indicatorID(1) + "/versions/?limit=1"
	var got []string
	for after := ""; ; {
		res, b := x.raw(t, "GET", path+after, "", 200)
		var v listBody
		must(t, v.parse(b))
		for _, item := range v.items {
			got = append(got, string(item))
		}
		if !v.more {
			break
		}
		after = "&added_after=" + url.QueryEscape(res.Header.Get("X-TAXII-Date-Added-Last"))
	}
	if diff := cmp.Diff([]string{`"2026-01-01T00:00:00.000Z"`, `"2026-01-02T00:00:00.000Z"`, `"2026-01-03T00:00:00.000Z"`}, got); diff != "" {
		t.Error(diff)
	}
	for n := 1; n <= 6; n++ {
		got := pull(t, x.c.Pull(x.ctx, CollectionURL(x.root, readOnly), PullOptions{Limit: n}))
		if diff := cmp.Diff(x.filled, got); diff != "" {
			t.Errorf("limit %d: %s", n, diff)
		}
	}
}

func customProperties(t *testing.T, x *interop) {
	_, b := x.raw(t, "POST", "/api1/collections/"+readWrite+"/objects/", `{"x_batch":{"n":[1,2]},"objects":[`+malware(9)+`]}`, 202)
	var s Status
	must(t, json.Unmarshal(bytes.Replace(b, []byte(`{"id"`), []byte(`{"x_queue":"night","id"`), 1), &s))
	if s.SuccessCount != 1 || string(s.Custom["x_queue"]) != `"night"` || len(s.Custom) != 1 {
		t.Errorf("status %+v", s)
	}
}
