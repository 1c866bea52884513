package taxii

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// What the lexer accepts is JSON, and the objects it cuts out are the bytes
// that encoding/json sees there.
func FuzzEnvelope(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"objects":[]}`, `{"objects":[{"a":1},{}],"more":true,"next":"x"}`, ` { "objects" : [ 1 , "a\"b" , null , [ ] ] } `,
		`{"objects":[{"a":[[[{"b":{}}]]]}]}`, `{"x_custom":{"objects":[1]},"objects":[-0.1e+9]}`, `{"type":"bundle","objects":[{}]}`,
		`{"objects":[01]}`, `{"objects":[1.]}`, `{"objects":["\u12"]}`, `{"objects":[{"a":1,}]}`, `{"objects":[{]}]}`, `{"objects":[`, `[]`, `{"more":1}`,
		"{\"\xff\":1}", `{"a":1,"\u0061":2}`, strings.Repeat("[", 1000), `{"objects":` + strings.Repeat(`{"a":`, 300), "\x00", `{"objects":[{}]}x`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseEnvelope(b, 1000)
		if err != nil {
			return
		}
		var want struct {
			Objects []json.RawMessage `json:"objects"`
		}
		if !json.Valid(b) {
			t.Fatalf("accepted %q, which is not JSON", b)
		}
		// encoding/json folds the case of names, the lexer does not.
		var members map[string]json.RawMessage
		if json.Unmarshal(b, &members) != nil {
			t.Fatalf("accepted %q, which is no object", b)
		}
		json.Unmarshal(members["objects"], &want.Objects)
		if len(want.Objects) != len(e.Objects) {
			t.Fatalf("%q: %d objects, encoding/json sees %d", b, len(e.Objects), len(want.Objects))
		}
		for i, o := range e.Objects {
			if !bytes.Equal(o, want.Objects[i]) {
				t.Fatalf("%q: object %d is %q, encoding/json sees %q", b, i, o, want.Objects[i])
			}
		}
	})
}

// No text opens as a cursor but those that were sealed.
func FuzzCursor(f *testing.F) {
	s, err := newSealer(testKey)
	if err != nil {
		f.Fatal(err)
	}
	now := time.Unix(1.8e9, 0)
	good := s.seal(cursor{7, url.Values{"match[type]": {"malware"}}, now.Add(cursorAge)}, "ana", "/a")
	for _, text := range []string{good, good[1:], good + "=", "", "AAAA", strings.Repeat("_", 64), s.seal(cursor{1, nil, now}, "ben", "/a")} {
		f.Add(text, int64(7), "match[id]=x")
	}
	f.Fuzz(func(t *testing.T, text string, after int64, filter string) {
		if c, err := s.open(text, now, "ana", "/a"); err == nil && strings.TrimRight(text, "=") != good {
			t.Fatalf("%q opened as %+v", text, c)
		}
		v, err := url.ParseQuery(filter)
		if err != nil {
			return
		}
		sealed := s.seal(cursor{after, v, now.Add(time.Hour)}, "x", filter)
		c, err := s.open(sealed, now, "x", filter)
		if err != nil || c.after != after || c.filter.Encode() != v.Encode() {
			t.Fatalf("sealed %d %q, opened %+v, %v", after, filter, c, err)
		}
		if _, err := s.open(sealed, now, "x"+filter+"!", ""); err == nil {
			t.Fatal("a cursor opens in another context")
		}
	})
}

// Whatever stands in a query, the answer is a TAXII body, 200 or 400, and a
// filter that was accepted survives its cursor.
func FuzzQueryParameters(f *testing.F) {
	m := newModel()
	c := m.coll("api1", readOnly)
	for n := range 5 {
		m.put(c, indicator(n, 1))
		m.put(c, malware(n))
	}
	h, err := NewHandler(Options{As: m.as, Key: testKey})
	if err != nil {
		f.Fatal(err)
	}
	for _, q := range []string{"", "limit=1", "limit=0", "match[type]=malware,indicator&limit=2", "match%5Bversion%5D=all", "match[version]=last,2026-01-01T00:00:00.000Z",
		"added_after=2026-03-01T12:00:02.5Z&limit=3", "next=x", "a;b", "%", "match[spec_version]=2.1&match[id]=" + indicatorID(1), "match[]=&limit=1"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, q string) {
		get := func(query string) *httptest.ResponseRecorder {
			r := httptest.NewRequest("GET", "/api1/collections/"+readOnly+"/objects/", nil)
			r.URL.RawQuery = query
			r.SetBasicAuth("ana", "ana")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w
		}
		w := get(q)
		var v listBody
		if w.Code != 200 && w.Code != 400 || w.Header().Get("Content-Type") != MediaType || !json.Valid(w.Body.Bytes()) {
			t.Fatalf("?%q: %d %s", q, w.Code, w.Body)
		}
		if w.Code != http.StatusOK || v.parse(w.Body.Bytes()) != nil || !v.more {
			return
		}
		p, err := parseParams(q, fieldsOfList)
		if err != nil {
			t.Fatal(err)
		}
		rest := p.filter()
		rest.Set("next", v.next)
		with, without := get(rest.Encode()), get("next="+v.next)
		if with.Code != 200 || fmt.Sprint(with.Body) != fmt.Sprint(without.Body) {
			t.Fatalf("?%q: the next page is %d %s with its filters and %d %s without", q, with.Code, with.Body, without.Code, without.Body)
		}
	})
}

// Accept fields of any form are answered without a fault.
func FuzzAccept(f *testing.F) {
	for _, s := range []string{"*/*", `application/taxii+json;version="2.1"`, "a/b;q=0,*/*;q=0.1", `"`, `a/b;c="\"`, ",,,", "application/taxii+json;version=2.1;version=2.0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		accepts([]string{s})
		if !accepts([]string{MediaType, s}) && !strings.Contains(strings.ToLower(s), "taxii") {
			t.Errorf("%q takes away what was accepted", s)
		}
		acceptsBody(s)
		ParseChallenges([]string{s})
	})
}
