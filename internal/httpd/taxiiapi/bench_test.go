package taxiiapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"causeway/internal/vault"
	"causeway/stix"
)

// discard is a ResponseWriter that counts.
type discard struct {
	header http.Header
	code   int
	n      int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(code int)        { d.code = code }
func (d *discard) Write(b []byte) (int, error) { d.n += len(b); return len(b), nil }

func benchLab(b *testing.B, objects int) *lab {
	l := newLab(b)
	for n := 0; n < objects; n += batch {
		var list []string
		for i := n; i < min(n+batch, objects); i++ {
			list = append(list, campaign(i, 1, ""))
		}
		l.put([]string{"SECRET", "UNCLASSIFIED"}[(n/batch)%2], "local", list...)
	}
	return l
}

func (l *lab) ask(method, path, body string) *discard {
	r := httptest.NewRequest(method, "https://node.example"+Prefix+rootNode+"/collections/"+path, strings.NewReader(body))
	r.SetBasicAuth("x", "ben")
	r.Header.Set("Content-Type", "application/taxii+json")
	d := &discard{header: http.Header{}}
	l.handler.ServeHTTP(d, r)
	return d
}

// A page of 1,000 of 20,000 versions, half of them hidden from the reader.
func BenchmarkPage(b *testing.B) {
	l := benchLab(b, 20_000)
	for b.Loop() {
		if d := l.ask("GET", "feed/objects/?limit=1000&added_after=2026-03-01T12:00:00.003Z", ""); d.code != 200 || d.n < 150_000 {
			b.Fatal(d)
		}
	}
}

func BenchmarkEmptyPoll(b *testing.B) {
	l := benchLab(b, 20_000)
	for b.Loop() {
		if d := l.ask("GET", "feed/objects/?added_after=2099-01-01T00:00:00Z", ""); d.code != 200 || d.n != 2 {
			b.Fatal(d)
		}
	}
}

// POSTs of 1,000 new objects by one client on a kept connection: parsed,
// validated, labelled and durable before each is answered with the fate of
// every object.
func BenchmarkAdd(b *testing.B) {
	l := benchLab(b, 0)
	client, inbox := l.client("ben"), l.url("inbox")
	n := 0
	for b.Loop() {
		list := make([]json.RawMessage, 1000)
		for i := range list {
			list[i] = json.RawMessage(campaign(n, 1, stix.TLPClear))
			n++
		}
		if s, err := client.Add(l.ctx, inbox, list); err != nil || s.SuccessCount != len(list) {
			b.Fatal(s.Failures, err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "objects/s")
	if got, err := l.vault.As(l.readers["ben"]).Count(b.Context(), vault.Match{}); err != nil || got != int64(n) {
		b.Fatal(got, err)
	}
}
