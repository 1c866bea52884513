package taxii

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"
)

const objectsPath = "/api1/collections/" + readWrite + "/objects/"

// ask sends one request to h as who, and gives the answer.
func ask(h http.Handler, who, method, target string, body io.Reader, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, body)
	if who != "" {
		r.SetBasicAuth(who, who)
	}
	r.Header.Set("Accept", MediaType)
	r.Header.Set("Content-Type", MediaType)
	for i := 0; i < len(header); i += 2 {
		if header[i+1] == "" {
			r.Header.Del(header[i])
		} else {
			r.Header.Set(header[i], header[i+1])
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestAccept(t *testing.T) {
	h := newInterop(t).model.handler(t, Limits{})
	for accept, want := range map[string]int{
		"":                                    200,
		"*/*":                                 200,
		"application/*":                       200,
		"application/taxii+json":              200,
		"application/taxii+json;version=2.1":  200,
		"application/taxii+json; version=2.1": 200,
		"application/taxii+json ; version=\"2.1\"":                              200,
		"Application/TAXII+JSON; Version=2.1":                                   200,
		"application/taxii+json;version=2.1;q=0.5":                              200,
		"text/html, application/taxii+json;version=2.1":                         200,
		"application/taxii+json;version=2.1, application/stix+json;version=2.1": 200,
		"application/taxii+json;version=2.0, application/taxii+json":            200,
		"application/vnd.oasis.taxii+json":                                      200,
		"application/taxii+json;version=2.0":                                    406,
		"application/taxii+json;q=0":                                            406,
		"application/taxii+json;version=2.1;q=0, */*":                           406,
		"*/*;q=0":                           406,
		"text/html":                         406,
		"application/json":                  406,
		"application/stix+json;version=2.1": 406,
		`text/html;a=", */*"`:               406,
		"nonsense":                          406,
	} {
		for _, path := range []string{"/taxii2/", "/api1/", "/api1/collections/" + readOnly + "/manifest/"} {
			if w := ask(h, "ana", "GET", path, nil, "Accept", accept); w.Code != want || w.Header().Get("Content-Type") != MediaType {
				t.Errorf("Accept %q on %s: %d %q", accept, path, w.Code, w.Header().Get("Content-Type"))
			}
		}
	}
}

func TestContentType(t *testing.T) {
	h := newInterop(t).model.handler(t, Limits{})
	for kind, want := range map[string]int{
		"application/taxii+json;version=2.1":  202,
		"application/taxii+json; version=2.1": 202,
		"application/taxii+json":              202,
		"application/vnd.oasis.taxii+json":    202,
		"application/taxii+json;version=2.0":  415,
		"application/stix+json;version=2.1":   415,
		"application/json":                    415,
		"*/*":                                 415,
		"":                                    415,
	} {
		if w := ask(h, "ana", "POST", objectsPath, strings.NewReader(`{"objects":[`+malware(1)+`]}`), "Content-Type", kind); w.Code != want {
			t.Errorf("Content-Type %q: %d %s", kind, w.Code, w.Body)
		}
	}
}

// Paths that exist and do not, methods that fit and do not: every answer is a
// TAXII body, and none is a redirect.
func TestRoutes(t *testing.T) {
	h := newInterop(t).model.handler(t, Limits{})
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/taxii2", 200},
		{"HEAD", "/taxii2/", 200},
		{"GET", "/taxii2/x/", 404},
		{"GET", "/taxii2//", 404},
		{"GET", "/", 404},
		{"GET", "/api1", 200},
		{"GET", "//api1/", 404},
		{"GET", "/api1/collections", 200},
		{"GET", "/api1//collections/", 404},
		{"GET", "/api1/Collections/", 404},
		{"GET", "/api1/collections/" + readOnly + "/objects", 200},
		{"GET", "/api1/collections/" + readOnly + "/objects/x/y/", 404},
		{"GET", "/api1/collections/" + readOnly + "/objects/" + indicatorID(1) + "/versions/z/", 404},
		{"GET", "/api1/collections/indicators/objects/" + indicatorID(1) + "/versions", 200},
		{"GET", "/api1/collections/a%2Fb/", 404},
		{"GET", "/api1/status/", 404},
		{"GET", "/api1/../api1/", 404},
		{"POST", "/taxii2/", 405},
		{"PUT", "/api1/", 405},
		{"DELETE", "/api1/collections/" + readOnly + "/", 405},
		{"POST", "/api1/collections/" + readOnly + "/manifest/", 405},
		{"PATCH", objectsPath, 405},
		{"OPTIONS", objectsPath, 405},
		{"DELETE", objectsPath, 405},
		{"POST", strings.TrimSuffix(objectsPath, "/"), 202},
	} {
		w := ask(h, "ana", c.method, "http://example.org"+c.path, strings.NewReader(`{"objects":[`+malware(1)+`]}`))
		if w.Code != c.want {
			t.Errorf("%s %s: %d, want %d: %s", c.method, c.path, w.Code, c.want, w.Body)
		}
		if w.Header().Get("Content-Type") != MediaType || w.Header().Get("Cache-Control") != "private, no-store" || w.Header().Get("Location") != "" {
			t.Errorf("%s %s: headers %v", c.method, c.path, w.Header())
		}
		if w.Code == 405 && w.Header().Get("Allow") == "" {
			t.Errorf("%s %s: no Allow", c.method, c.path)
		}
	}
}

func TestPermissions(t *testing.T) {
	object := "objects/" + indicatorID(1) + "/"
	for _, c := range []struct {
		coll                        string
		read, post, del, collection int
	}{
		{readWrite, 200, 202, 200, 200},
		{readOnly, 200, 403, 403, 200},
		{writeOnly, 403, 202, 403, 200},
		{noAccess, 404, 404, 404, 200},
	} {
		x := newInterop(t)
		h := x.model.handler(t, Limits{})
		for _, coll := range x.model.roots["api1"].colls {
			if coll.ID != readOnly {
				x.model.put(coll, indicator(1, 1))
			}
		}
		base := "/api1/collections/" + c.coll + "/"
		check := func(method, path string, want int) {
			t.Helper()
			if w := ask(h, "ana", method, base+path, strings.NewReader(`{"objects":[`+malware(1)+`]}`)); w.Code != want {
				t.Errorf("%s %s%s: %d, want %d", method, base, path, w.Code, want)
			}
		}
		for _, path := range []string{"objects/", "manifest/", object, object + "versions/"} {
			check("GET", path, c.read)
		}
		check("GET", "", c.collection)
		check("POST", "objects/", c.post)
		check("DELETE", object, c.del)
	}
}

func TestQueryParameters(t *testing.T) {
	h := newInterop(t).model.handler(t, Limits{})
	for query, want := range map[string]int{
		"limit=0": 400, "limit=-1": 400, "limit=1.5": 400, "limit=%2B1": 400, "limit=": 400, "limit=ten": 400, "limit=007": 200,
		"added_after=2026-03-01": 400, "added_after=2026-03-01T12:00:00": 400, "added_after=2026-03-01T12:00:00+00:00": 400,
		"added_after=2026-02-30T12:00:00Z": 400, "added_after=2026-03-01T12:00:00,5Z": 400, "added_after=2026-03-01T1:00:00Z": 400,
		"added_after=2026-03-01T12:00:00Z": 200, "added_after=2026-03-01T12:00:00.1234567891234Z": 200, "added_after=": 400,
		"match[version]=newest": 400, "match[version]=2026-13-01T00:00:00Z": 400, "match[version]=all,first": 400, "match[version]=first,last": 200,
		"match[version]=,": 400, "match[type]=": 400, "match[id]=a,,b": 400,
		"match[colour]=red": 200, "match[x-y]=1": 200, "match[type]=x-new-type": 200, "unknown=1": 200, "match=1": 200,
		"match[type]=a;match[id]=b": 400, "match[type]=%zz": 400, "next=": 400, "next=AAAA": 400, "next=" + strings.Repeat("A", 100): 400,
		"match[id]=" + strings.Repeat("a,", 9000) + "a": 400,
		strings.Repeat("a", 70000):                      400,
	} {
		w := ask(h, "ana", "GET", "/api1/collections/"+readOnly+"/objects/?"+query, nil)
		if w.Code != want {
			t.Errorf("?%.80s: %d, want %d: %s", query, w.Code, want, w.Body)
		}
		if want == 400 && (!strings.Contains(w.Body.String(), `"description"`) || w.Body.Len() > 1000) {
			t.Errorf("?%.80s: the answer does not say what is wrong, or says too much: %s", query, w.Body)
		}
	}
	// The versions resource defines no version field.
	if w := ask(h, "ana", "GET", "/api1/collections/"+readOnly+"/objects/"+indicatorID(1)+"/versions/?match[version]=last", nil); w.Code != 200 || strings.Count(w.Body.String(), "2026-01") != 3 {
		t.Errorf("versions: %d %s", w.Code, w.Body)
	}
}

func next(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var v listBody
	if err := v.parse(w.Body.Bytes()); err != nil || v.next == "" || !v.more {
		t.Fatalf("no next in %d %s", w.Code, w.Body)
	}
	return v.next
}

func TestCursors(t *testing.T) {
	x := newInterop(t)
	now := time.Now()
	h, err := NewHandler(Options{As: x.model.as, Key: testKey, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	const base = "/api1/collections/" + readOnly + "/"
	first := ask(h, "ana", "GET", base+"objects/?limit=2&match[type]=indicator,malware&added_after=2026-03-01T12:00:00Z", nil)
	cur := next(t, first)
	want := `{"objects":[` + malware(2) + `,` + indicator(1, 3) + `]}`
	for name, query := range map[string]string{
		"filters left out": "",
		"filters repeated": "&match[type]=indicator,malware&added_after=2026-03-01T12:00:00Z",
		"some repeated":    "&added_after=2026-03-01T12:00:00.000Z",
		"with a limit":     "&limit=500",
		"replayed":         "",
	} {
		if w := ask(h, "ana", "GET", base+"objects/?next="+cur+query, nil); w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if again := next(t, ask(h, "ana", "GET", base+"objects/?limit=2&match[type]=indicator,malware&added_after=2026-03-01T12:00:00Z", nil)); again != cur {
		t.Error("the same page gives another cursor")
	}
	flipped := []byte(cur)
	flipped[len(flipped)/2] ^= 1
	for name, c := range map[string]struct{ who, path, query string }{
		"another requester":  {"ben", "objects/", cur},
		"another resource":   {"ana", "manifest/", cur},
		"another spelling":   {"ana", "objects/" + indicatorID(1) + "/", cur},
		"another type":       {"ana", "objects/", cur + "&match[type]=tool"},
		"another date":       {"ana", "objects/", cur + "&added_after=2026-03-01T12:00:01Z"},
		"a filter more":      {"ana", "objects/", cur + "&match[id]=" + indicatorID(1)},
		"a bit changed":      {"ana", "objects/", string(flipped)},
		"cut":                {"ana", "objects/", cur[:len(cur)-2]},
		"another collection": {"ana", "../" + readWrite + "/objects/", cur},
	} {
		target := strings.Replace(base+c.path, readOnly+"/../", "", 1)
		if w := ask(h, c.who, "GET", target+"?next="+c.query, nil); w.Code != 400 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	now = now.Add(cursorAge + 2*time.Hour)
	if w := ask(h, "ana", "GET", base+"objects/?next="+cur, nil); w.Code != 400 || !strings.Contains(w.Body.String(), `"error_code":"cursor"`) {
		t.Errorf("expired: %d %s", w.Code, w.Body)
	}
	// Rights are looked at again at every page.
	now = now.Add(-cursorAge)
	x.model.roots["api1"].colls[0].grants["ana"] = [2]bool{}
	if w := ask(h, "ana", "GET", base+"objects/?next="+cur, nil); w.Code != 404 {
		t.Errorf("right withdrawn: %d", w.Code)
	}
}

// Two exchanges that differ only in what ana may not see give her the same
// bytes everywhere.
func TestHiddenObjectsLeaveNoTrace(t *testing.T) {
	worlds := make([]http.Handler, 2)
	for i := range worlds {
		m := newModel()
		c := m.coll("api1", readOnly)
		for n := range 20 {
			m.put(c, indicator(n, 1))
			if i == 1 && n%3 == 0 {
				now := m.now
				m.put(c, malware(n))
				c.secret[c.recs[len(c.recs)-1].ID] = true
				m.now = now
			}
		}
		place := int64(0) // in ana's feed, where hidden records have none
		for j, r := range c.recs {
			if !c.secret[r.ID] {
				place++
			}
			c.recs[j].Seq = place
		}
		if i == 1 {
			m.coll("api1", "05000000-0000-4000-8000-000000000000").hidden["ana"] = true
		}
		h, err := NewHandler(Options{As: m.as, Key: testKey, Now: func() time.Time { return time.Unix(1.8e9, 0) }})
		if err != nil {
			t.Fatal(err)
		}
		worlds[i] = h
	}
	coll := "/api1/collections/" + readOnly
	for _, target := range []string{
		"/taxii2/", "/api1/", "/api1/collections/", coll + "/", coll + "/manifest/?limit=7", coll + "/objects/?limit=7", coll + "/objects/",
		coll + "/objects/?match[type]=malware", coll + "/objects/malware--00000003-0000-4000-8000-000000000000/",
		coll + "/objects/malware--00000003-0000-4000-8000-000000000000/versions/", "/api1/collections/05000000-0000-4000-8000-000000000000/",
		"/api1/collections/05000000-0000-4000-8000-000000000000/objects/?limit=0",
	} {
		a, b := ask(worlds[0], "ana", "GET", target, nil), ask(worlds[1], "ana", "GET", target, nil)
		if a.Code != b.Code || a.Body.String() != b.Body.String() || fmt.Sprint(a.Header()) != fmt.Sprint(b.Header()) {
			t.Errorf("%s:\n%d %v %.300s\n%d %v %.300s", target, a.Code, a.Header(), a.Body, b.Code, b.Header(), b.Body)
		}
	}
}

func TestBodyLimits(t *testing.T) {
	x := newInterop(t)
	h := x.model.handler(t, Limits{ContentLength: 1 << 20, Objects: 10})
	zip := func(b []byte) io.Reader {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		z.Write(b)
		z.Close()
		return &out
	}
	envelope := `{"objects":[` + malware(1) + `]}`
	padded := func(n int) string { return envelope + strings.Repeat(" ", n-len(envelope)) }
	for _, c := range []struct {
		name   string
		body   io.Reader
		header []string
		want   int
		says   string
	}{
		{"at the limit", strings.NewReader(padded(1 << 20)), nil, 202, ""},
		{"over the limit", strings.NewReader(padded(1<<20 + 1)), nil, 413, "1048576"},
		{"over the limit, length not told", io.MultiReader(strings.NewReader(padded(1<<20 + 1))), nil, 413, "1048576"},
		{"100 MB, length not told", io.LimitReader(zeros{}, 100<<20), nil, 413, "1048576"},
		{"gzip", zip([]byte(envelope)), []string{"Content-Encoding", "gzip"}, 202, ""},
		{"gzip bomb", zip(make([]byte, 30<<20)), []string{"Content-Encoding", "gzip"}, 413, "decompression"},
		{"not gzip", strings.NewReader(envelope), []string{"Content-Encoding", "gzip"}, 400, "gzip"},
		{"half a gzip", io.LimitReader(zip([]byte(envelope)), 40), []string{"Content-Encoding", "gzip"}, 400, "EOF"},
		{"brotli", strings.NewReader(envelope), []string{"Content-Encoding", "br"}, 415, "br"},
		{"deep array", strings.NewReader(`{"objects":` + strings.Repeat("[", 1_000_000)), nil, 422, "deeper than 256"},
		{"deep object", strings.NewReader(`{"objects":[` + strings.Repeat(`{"a":`, 100_000)), nil, 422, "deeper than 256"},
		{"many objects", strings.NewReader(`{"objects":[` + strings.Repeat("{},", 10) + `{}]}`), nil, 422, "more than 10 objects"},
		{"empty", strings.NewReader(""), nil, 422, "byte 0"},
		{"half", strings.NewReader(envelope[:80]), nil, 422, "string"},
		{"two", strings.NewReader(envelope + envelope), nil, 422, "after the end"},
		{"no objects", strings.NewReader("{}"), nil, 422, "no objects"},
		{"empty list", strings.NewReader(`{"objects":[]}`), nil, 422, "no objects"},
		{"list", strings.NewReader(`[` + malware(1) + `]`), nil, 422, "JSON object"},
		{"bundle", strings.NewReader(`{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000000","objects":[` + malware(1) + `]}`), nil, 422, "STIX bundle"},
		{"objects twice", strings.NewReader(`{"objects":[` + malware(1) + `],"objects":[]}`), nil, 422, "twice"},
		{"objects twice, escaped", strings.NewReader(`{"objects":[],"\u006fbjects":[` + malware(1) + `]}`), nil, 422, "twice"},
		{"objects in capitals", strings.NewReader(`{"Objects":[` + malware(1) + `]}`), nil, 422, "no objects"},
		{"not UTF-8", strings.NewReader("{\"x_\xff\":1}"), nil, 422, "UTF-8"},
		{"more is no boolean", strings.NewReader(`{"more":"yes","objects":[{}]}`), nil, 422, "true or false"},
		{"objects is no array", strings.NewReader(`{"objects":{}}`), nil, 422, "array"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := ask(h, "ana", "POST", objectsPath, c.body, c.header...)
			if w.Code != c.want || !strings.Contains(w.Body.String(), c.says) {
				t.Errorf("%d %s, want %d %q", w.Code, w.Body, c.want, c.says)
			}
			if w.Code >= 400 && w.Header().Get("Content-Type") != MediaType {
				t.Errorf("content type %q", w.Header().Get("Content-Type"))
			}
		})
	}
	if held := h.(*handler).inFlight.Load(); held != 0 {
		t.Errorf("%d octets are counted as held after all requests", held)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// A body that is refused must not have cost its size.
func TestBombsCostNoMemory(t *testing.T) {
	h := newInterop(t).model.handler(t, Limits{ContentLength: 1 << 20})
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	io.Copy(z, io.LimitReader(zeros{}, 64<<20))
	z.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	w := ask(h, "ana", "POST", objectsPath, &bomb, "Content-Encoding", "gzip")
	runtime.ReadMemStats(&after)
	if spent := after.TotalAlloc - before.TotalAlloc; w.Code != 413 || spent > 8<<20 {
		t.Errorf("status %d, %d octets allocated", w.Code, spent)
	}
}

func TestBusyServerAsksToComeBack(t *testing.T) {
	x := newInterop(t)
	hand := x.model.handler(t, Limits{ContentLength: 1 << 20, InFlight: 1 << 20})
	slow, feed := io.Pipe()
	done := make(chan int)
	go func() { done <- ask(hand, "ana", "POST", objectsPath, slow).Code }()
	feed.Write([]byte(`{"objects":[` + malware(1)))
	feed.Write(bytes.Repeat([]byte(" "), 700<<10)) // the first one now holds 1 MiB
	w := ask(hand, "ana", "POST", objectsPath, strings.NewReader(`{"objects":[`+malware(2)+`]}`))
	if w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("while full: %d %v", w.Code, w.Header())
	}
	feed.Write([]byte(`]}`))
	feed.Close()
	if code := <-done; code != 202 {
		t.Errorf("the first one: %d", code)
	}
	if w := ask(hand, "ana", "POST", objectsPath, strings.NewReader(`{"objects":[`+malware(2)+`]}`)); w.Code != 202 {
		t.Errorf("afterwards: %d %s", w.Code, w.Body)
	}
}

func TestRootsHaveTheirOwnLimit(t *testing.T) {
	x := newInterop(t)
	x.model.coll("api2", "60000000-0000-4000-8000-000000000000")
	h := x.model.handler(t, Limits{})
	body := `{"objects":[` + strings.Repeat(malware(1)+",", 30) + malware(2) + `]}`
	if w := ask(h, "ana", "POST", "/api2/collections/60000000-0000-4000-8000-000000000000/objects/", strings.NewReader(body)); w.Code != 413 {
		t.Errorf("api2 takes 4096 octets: %d for %d", w.Code, len(body))
	}
	if w := ask(h, "ana", "POST", objectsPath, strings.NewReader(body)); w.Code != 202 {
		t.Errorf("api1: %d", w.Code)
	}
}

func TestPageIsCutByBytes(t *testing.T) {
	x := newInterop(t)
	x.server.Config.Handler = x.model.handler(t, Limits{PageBytes: 700})
	if got := pull(t, x.c.Pull(t.Context(), CollectionURL(x.root, readOnly), PullOptions{})); len(got) != 5 {
		t.Errorf("%d objects", len(got))
	}
	w := ask(x.server.Config.Handler, "ana", "GET", "/api1/collections/"+readOnly+"/objects/", nil)
	var v listBody
	if err := v.parse(w.Body.Bytes()); err != nil || len(v.items) != 2 || !v.more {
		t.Errorf("page %s", w.Body)
	}
}

// faulty answers every call with an error or a panic.
type faulty struct {
	Backend
	err error
}

func (f faulty) Discovery(context.Context) (Discovery, error) {
	if f.err == nil {
		panic("secret of the panic")
	}
	return Discovery{}, f.err
}

func TestFaultsInside(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want int
	}{
		"panic":     {nil, 500},
		"unknown":   {errors.New("secret of the database"), 500},
		"forbidden": {fmt.Errorf("wrapped: %w", ErrForbidden), 403},
		"not found": {fmt.Errorf("wrapped secret: %w", ErrNotFound), 404},
		"own words": {&Error{Title: "Not now", HTTPStatus: 503}, 503},
	} {
		h, err := NewHandler(Options{Key: testKey, As: func(*http.Request) (Backend, error) { return faulty{err: c.err}, nil }})
		if err != nil {
			t.Fatal(err)
		}
		w := ask(h, "", "GET", "/taxii2/", nil)
		var e Error
		if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || w.Code != c.want || e.HTTPStatus != c.want || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s (%v)", name, w.Code, w.Body, err)
		}
		if w.Header().Get("Content-Type") != MediaType || (c.want == 500) != (e.ErrorID != "") {
			t.Errorf("%s: %v %+v", name, w.Header(), e)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	as := func(*http.Request) (Backend, error) { return nil, ErrUnauthenticated }
	for name, o := range map[string]Options{
		"short key": {As: as, Key: testKey[:31]},
		"no As":     {Key: testKey},
		"prefix":    {As: as, Key: testKey, RootPrefix: "/roots"},
	} {
		if _, err := NewHandler(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	h, err := NewHandler(Options{As: newInterop(t).model.as, Key: testKey, RootPrefix: "/taxii2/"})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"/taxii2/": 200, "/taxii2/api1/": 200, "/taxii2/api1/collections/": 200, "/api1/": 404} {
		if w := ask(h, "ana", "GET", path, nil); w.Code != want {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}
