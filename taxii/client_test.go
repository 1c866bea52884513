package taxii

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// scripted is a server of canned pages for the client.
func scripted(t *testing.T, serve func(w http.ResponseWriter, r *http.Request)) (*Client, string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", MediaType)
		serve(w, r)
	}))
	t.Cleanup(s.Close)
	return client(t, s.URL, "ana"), s.URL + "/api1/collections/c/"
}

// A run may be cut after any page, and its checkpoint kept as JSON: what comes
// in all is everything, once, in order.
func TestPullResumesAnywhere(t *testing.T) {
	x := newInterop(t)
	c := x.model.roots["api1"].colls[1]
	var want []string
	for n := range 50 {
		x.model.put(c, indicator(n, 1))
		want = append(want, indicator(n, 1))
	}
	coll := CollectionURL(x.root, readWrite)
	for limit := 1; limit <= 12; limit++ {
		var saved []byte
		var got []string
		for cuts := 0; ; cuts++ {
			o := PullOptions{Limit: limit}
			if saved != nil {
				must(t, json.Unmarshal(saved, &o.From))
			}
			ended := true
			for page, err := range x.c.Pull(x.ctx, coll, o) {
				must(t, err)
				for _, raw := range page.Objects {
					got = append(got, string(raw))
				}
				var err error
				saved, err = json.Marshal(page.Checkpoint)
				must(t, err)
				if page.Checkpoint.Next != "" && cuts%3 != 2 {
					ended = false
					break
				}
			}
			if ended {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("limit %d: %s", limit, diff)
		}
		// Nothing new: nothing comes. Something new: only that.
		var at Checkpoint
		must(t, json.Unmarshal(saved, &at))
		if again := pull(t, x.c.Pull(x.ctx, coll, PullOptions{From: at})); again != nil {
			t.Fatalf("limit %d: a second run gives %d objects", limit, len(again))
		}
		x.model.put(c, indicator(100+limit, 1))
		want = append(want, indicator(100+limit, 1))
		if again := pull(t, x.c.Pull(x.ctx, coll, PullOptions{From: at})); len(again) != 1 || again[0] != indicator(100+limit, 1) {
			t.Fatalf("limit %d: the run after an addition gives %v", limit, again)
		}
	}
}

// A writer adds while a reader pages.
func TestPullBesideAWriter(t *testing.T) {
	x := newInterop(t)
	c := x.model.roots["api1"].colls[1]
	const total = 400
	done := make(chan bool)
	go func() {
		for n := range total {
			x.model.put(c, indicator(n, 1))
		}
		close(done)
	}()
	seen := map[string]int{}
	var at Checkpoint
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		for page, err := range x.c.Pull(x.ctx, CollectionURL(x.root, readWrite), PullOptions{From: at, Limit: 7}) {
			must(t, err)
			at = page.Checkpoint
			for _, raw := range page.Objects {
				seen[string(raw)]++
			}
		}
	}
	for n := range total {
		if seen[indicator(n, 1)] != 1 {
			t.Errorf("object %d came %d times", n, seen[indicator(n, 1)])
		}
	}
}

// oddServer pages over objects in the ways in which published servers do.
type oddServer struct {
	dates   []string // one per object, ascending, as the server writes them
	next    bool     // it gives cursors
	amnesia bool     // and has forgotten them when they are used
	max     int      // its own page maximum; 0: none
	silent  bool     // it sends no dates
	consume bool     // its one cursor is consumed by use
	drop    int      // every so many answers get lost
	place   int      // of the consumed cursor
	asked   int
}

func (s *oddServer) object(i int) string { return fmt.Sprintf(`{"id":"x--%d"}`, i) }

func (s *oddServer) serve(w http.ResponseWriter, r *http.Request) {
	s.asked++
	q := r.URL.Query()
	limit, from := 1<<30, 0
	fmt.Sscan(q.Get("limit"), &limit)
	if s.max > 0 {
		limit = min(limit, s.max)
	}
	if n := q.Get("next"); n != "" {
		if s.amnesia {
			w.WriteHeader(400)
			return
		}
		fmt.Sscan(n, &from)
		if s.consume {
			from = s.place
		}
	}
	var at []int
	after, _, cut := readDate(q.Get("added_after"))
	for i := from; i < len(s.dates); i++ {
		if d, _, _ := readDate(s.dates[i]); !cut || d.After(after) {
			at = append(at, i)
		}
	}
	more := len(at) > limit
	at = at[:min(limit, len(at))]
	if s.consume && len(at) > 0 {
		s.place = at[len(at)-1] + 1
	}
	if s.drop > 0 && s.asked%s.drop == 0 {
		panic(http.ErrAbortHandler)
	}
	if len(at) == 0 {
		fmt.Fprint(w, `{}`)
		return
	}
	if !s.silent {
		w.Header().Set("X-TAXII-Date-Added-First", s.dates[at[0]])
		w.Header().Set("X-TAXII-Date-Added-Last", s.dates[at[len(at)-1]])
	}
	var objects []string
	for _, i := range at {
		objects = append(objects, s.object(i))
	}
	next := ""
	if more && s.next {
		next = fmt.Sprintf(`"next":"%d",`, at[len(at)-1]+1)
		if s.consume {
			next = `"next":"run",`
		}
	}
	fmt.Fprintf(w, `{"more":%v,%s"objects":[%s]}`, more, next, strings.Join(objects, ","))
}

func TestPullFromOddServers(t *testing.T) {
	second := func(n, per int, layout string) (dates []string) {
		for i := range n {
			dates = append(dates, time.Date(2026, 1, 1, 0, 0, i/per, i/per*1000, time.UTC).Format(layout))
		}
		return dates
	}
	const micro, milli, whole, offset = "2006-01-02T15:04:05.000000Z", "2006-01-02T15:04:05.000Z", "2006-01-02T15:04:05Z", "2006-01-02T15:04:05.000000+00:00"
	for name, s := range map[string]*oddServer{
		"cursors":                               {dates: second(40, 1, micro), next: true},
		"cursors, one date per batch":           {dates: second(40, 9, micro), next: true},
		"cursors, no dates":                     {dates: second(40, 9, micro), next: true, silent: true},
		"forgotten cursors":                     {dates: second(40, 1, micro), next: true, amnesia: true},
		"forgotten cursors, date per batch":     {dates: second(40, 3, micro), next: true, amnesia: true},
		"consumed cursors":                      {dates: second(40, 1, micro), next: true, consume: true},
		"consumed cursors, answers lost":        {dates: second(40, 1, micro), next: true, consume: true, drop: 3},
		"answers lost":                          {dates: second(40, 2, micro), next: true, drop: 5},
		"dates only":                            {dates: second(40, 1, micro)},
		"dates only, with an offset":            {dates: second(40, 1, offset)},
		"dates only, milliseconds":              {dates: second(40, 2, milli)},
		"dates only, seconds":                   {dates: second(40, 3, whole)},
		"dates only, batches larger than pages": {dates: second(40, 13, micro)},
		"dates only, one date for all":          {dates: second(40, 1000, micro)},
	} {
		t.Run(name, func(t *testing.T) {
			c, coll := scripted(t, s.serve)
			c.o.Attempts, c.o.MaxWait = 3, time.Millisecond
			for limit := 4; limit <= 9; limit++ {
				var got []string
				var at Checkpoint
				for stops := 0; ; {
					at.Tail = slices.Clip(at.Tail)
					stopped := false
					for page, err := range c.Pull(t.Context(), coll, PullOptions{From: at, Limit: limit}) {
						must(t, err)
						at = page.Checkpoint
						for _, o := range page.Objects {
							got = append(got, string(o))
						}
						if stops < 5 { // interrupted after each of the first pages
							stops++
							stopped = true
							break
						}
					}
					if !stopped {
						break
					}
				}
				if s.silent {
					slices.Sort(got) // read again from the beginning each time
					got = slices.Compact(got)
				}
				want := map[string]bool{}
				for i := range s.dates {
					want[s.object(i)] = true
				}
				if len(got) != len(want) {
					t.Fatalf("limit %d: %d objects, want %d: %v", limit, len(got), len(want), got)
				}
			}
		})
	}
}

func TestPullEndsWhereServersDoNot(t *testing.T) {
	for name, serve := range map[string]func(n int64, w http.ResponseWriter){
		"same page for ever, no cursor": func(_ int64, w http.ResponseWriter) { fmt.Fprint(w, `{"more":true,"objects":[{"a":1}]}`) },
		"same page for ever, dated": func(_ int64, w http.ResponseWriter) {
			w.Header().Set("X-TAXII-Date-Added-Last", "2026-01-01T00:00:00.000000Z")
			fmt.Fprint(w, `{"more":true,"objects":[{"a":1}]}`)
		},
		"same cursor for ever": func(_ int64, w http.ResponseWriter) { fmt.Fprint(w, `{"more":true,"next":"x","objects":[{"a":1}]}`) },
		"two cursors in a ring": func(n int64, w http.ResponseWriter) {
			fmt.Fprintf(w, `{"more":true,"next":"%d","objects":[{"a":%d}]}`, n%2, n%2)
		},
		"empty pages for ever": func(n int64, w http.ResponseWriter) { fmt.Fprintf(w, `{"more":true,"next":"%d"}`, n) },
		"one page with ever new cursors": func(n int64, w http.ResponseWriter) {
			fmt.Fprintf(w, `{"more":true,"next":"%d","objects":[{"a":1}]}`, n)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int64
			c, coll := scripted(t, func(w http.ResponseWriter, r *http.Request) { serve(n.Add(1), w) })
			var last error
			for _, err := range c.Pull(t.Context(), coll, PullOptions{}) {
				last = err
			}
			if !errors.Is(last, ErrNoProgress) {
				t.Errorf("after %d requests: %v", n.Load(), last)
			}
		})
	}
	// A promise of more that holds nothing and gives no cursor is an end.
	c, coll := scripted(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"more":true,"objects":[]}`) })
	for page, err := range c.Pull(t.Context(), coll, PullOptions{}) {
		must(t, err)
		if len(page.Objects) > 0 {
			t.Error(page)
		}
	}
	// Empty pages between full ones are not.
	c, coll = scripted(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("next") {
		case "":
			fmt.Fprint(w, `{"more":true,"next":"1","objects":[{"a":1}]}`)
		case "1":
			fmt.Fprint(w, `{"more":true,"next":"2"}`)
		default:
			fmt.Fprint(w, `{"objects":[{"a":2}]}`)
		}
	})
	if got := pull(t, c.Pull(t.Context(), coll, PullOptions{})); len(got) != 2 {
		t.Error(got)
	}
}

func TestClientReadsSloppyAnswers(t *testing.T) {
	c, coll := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/manifest/"):
			fmt.Fprint(w, `{"objects":[{"id":"x--1","date_added":"2016-11-01T03:04:05.12345+00:00","version":"v"}]}`)
		case strings.HasSuffix(r.URL.Path, "/versions/"):
			fmt.Fprint(w, `{"more":false,"versions":[]}`)
		case strings.HasSuffix(r.URL.Path, "/objects/"):
			w.Header().Set("X-TAXII-Date-Added-Last", "undefined")
			fmt.Fprint(w, `{"more":false,"objects":[{"id":"x--1"}],"x_more":[]}`)
		case strings.HasSuffix(r.URL.Path, "/status/5/"):
			fmt.Fprint(w, `{"id":"5","status":"complete","total_objects":0,"successes":[],"failures":[]}`)
		case strings.HasSuffix(r.URL.Path, "/collections/c/"):
			fmt.Fprint(w, `{"id":"x-mitre-collection--1","title":"t","can_read":null,"can_write":false}`)
		default:
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(404)
			fmt.Fprint(w, `<html>no</html>`)
		}
	})
	for rec, err := range c.Manifest(t.Context(), coll, PullOptions{}) {
		must(t, err)
		if rec.DateAdded.String() != "2016-11-01T03:04:05.123450Z" {
			t.Errorf("date %v", rec.DateAdded)
		}
	}
	if got := pull(t, c.Pull(t.Context(), coll, PullOptions{})); len(got) != 1 {
		t.Error(got)
	}
	if v, err := c.Versions(t.Context(), coll, "x--1"); err != nil || v != nil {
		t.Error(v, err)
	}
	if s, err := c.Status(t.Context(), strings.TrimSuffix(coll, "collections/c/"), "5"); err != nil || string(s.Custom["total_objects"]) != "0" {
		t.Error(s, err)
	}
	if v, err := c.Collection(t.Context(), coll); err != nil || v.CanRead || v.ID != "x-mitre-collection--1" {
		t.Error(v, err)
	}
	_, err := c.Root(t.Context(), coll+"none/")
	if e := wantStatus(t, err, 404); e.Title != "Not Found" {
		t.Errorf("%+v", e)
	}
}

// The client keeps its credentials and objects to the origin it was made for.
func TestClientStaysAtItsOrigin(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the other origin was asked: %s %s, authorization %q", r.Method, r.URL, r.Header.Get("Authorization"))
	}))
	defer other.Close()
	c, coll := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/taxii2/" {
			fmt.Fprintf(w, `{"title":"t","default":"/a/","api_roots":["/a/","%s/b/"]}`, other.URL)
			return
		}
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	})
	d, err := c.Discover(t.Context())
	must(t, err)
	if len(d.APIRoots) != 2 || d.APIRoots[1] != other.URL+"/b/" || !strings.HasPrefix(d.Default, "http://127.0.0.1") {
		t.Errorf("discovery %+v", d)
	}
	if _, err := c.Root(t.Context(), d.APIRoots[1]); err == nil {
		t.Error("a root on another origin was asked with our credentials")
	}
	if _, err := c.Collection(t.Context(), coll); err == nil {
		t.Error("a redirect to another origin was followed")
	}
	if _, err := c.Add(t.Context(), coll, []json.RawMessage{json.RawMessage(malware(1))}); err == nil {
		t.Error("a POST was redirected")
	}
	for _, url := range []string{"http://example.org/", "https://ana:secret@example.org/", "/taxii2/", "ftp://example.org/", "://"} {
		if _, err := NewClient(ClientOptions{URL: url}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

// roundTrip answers requests without a network, so that time can be bubbled.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestClientBacksOff(t *testing.T) {
	type answer struct {
		code  int
		after string
	}
	for name, c := range map[string]struct {
		answers []answer
		least   time.Duration // waited in all
		most    time.Duration
		fails   int // 0: it succeeds in the end
	}{
		"at once":             {[]answer{{200, ""}}, 0, 0, 0},
		"seconds":             {[]answer{{429, "7"}, {503, "20"}, {200, ""}}, 27 * time.Second, 27 * time.Second, 0},
		"date":                {[]answer{{503, "Sat, 01 Jan 2000 00:00:30 GMT"}, {200, ""}}, 30 * time.Second, 30 * time.Second, 0},
		"date gone by":        {[]answer{{503, "Fri, 31 Dec 1999 00:00:30 GMT"}, {200, ""}}, 0, 0, 0},
		"growing by itself":   {[]answer{{500, ""}, {502, ""}, {504, "soon"}, {200, ""}}, 1750 * time.Millisecond, 3500 * time.Millisecond, 0},
		"no network":          {[]answer{{0, ""}, {0, ""}, {200, ""}}, 750 * time.Millisecond, 1500 * time.Millisecond, 0},
		"never":               {[]answer{{503, "1"}, {503, "1"}, {503, "1"}, {503, "1"}, {503, "1"}, {503, "1"}, {200, ""}}, 5 * time.Second, 5 * time.Second, 503},
		"longer than patient": {[]answer{{429, "100000"}, {200, ""}}, 0, 0, 429},
		"refused":             {[]answer{{403, ""}, {200, ""}}, 0, 0, 403},
		"not implemented":     {[]answer{{501, ""}, {200, ""}}, 0, 0, 501},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cl, err := NewClient(ClientOptions{URL: "https://example.org/"})
				must(t, err)
				n := 0
				cl.http.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
					a := c.answers[n]
					n++
					if a.code == 0 {
						return nil, errors.New("connection refused")
					}
					w := httptest.NewRecorder()
					if a.after != "" {
						w.Header().Set("Retry-After", a.after)
					}
					w.WriteHeader(a.code)
					fmt.Fprint(w, `{"title":"t"}`)
					return w.Result(), nil
				})
				start := time.Now()
				_, err = cl.Root(t.Context(), "https://example.org/a/")
				waited := time.Since(start)
				if c.fails == 0 {
					must(t, err)
				} else {
					wantStatus(t, err, c.fails)
				}
				if waited < c.least || waited > c.most {
					t.Errorf("waited %v, want %v to %v", waited, c.least, c.most)
				}
			})
		})
	}
}

func TestWaitPollsUntilComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cl, err := NewClient(ClientOptions{URL: "https://example.org/"})
		must(t, err)
		polls := 0
		cl.http.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			polls++
			w := httptest.NewRecorder()
			fmt.Fprintf(w, `{"id":"1","status":"%s"}`, map[bool]string{true: Complete, false: Pending}[polls == 4])
			return w.Result(), nil
		})
		s, err := cl.Wait(t.Context(), "https://example.org/a/", Status{ID: "1", Status: Pending})
		if err != nil || s.Status != Complete || polls != 4 {
			t.Errorf("%+v, %v after %d polls", s, err, polls)
		}
	})
}
