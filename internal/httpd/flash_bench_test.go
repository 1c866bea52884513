package httpd_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/internal/audit"
	"causeway/internal/demo"
	"causeway/internal/httpd"
	"causeway/internal/line"
	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/policies"
	"causeway/stix"
)

// waitingRoutine is how many ROUTINE objects wait for the partner meanwhile.
const waitingRoutine = 100_000

// BenchmarkFlashPage measures a FLASH release of Tokyo's, from the act to the
// page of the object as a person of Brussels gets it over HTTPS, while 100,000
// ROUTINE objects wait and flow. Both nodes are whole, and in this process.
func BenchmarkFlashPage(b *testing.B) {
	ctx, stop := context.WithCancel(b.Context())
	var serving sync.WaitGroup
	b.Cleanup(func() { stop(); serving.Wait() })
	nodes, err := demo.Found(ctx, b.TempDir(), "127.0.0.1:"+freePort(b), demo.Places()[:2], nil)
	b.Cleanup(func() {
		for _, n := range nodes {
			n.Close()
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	tokyo, brussels := nodes[0], nodes[1]
	to, err := tokyo.Line.Partner(ctx, "Brussels")
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; i < waitingRoutine; i += 1000 {
		release(b, tokyo, to.NodeID, line.Routine, i, 1000)
	}
	reader := personWith(b, brussels, people.Analyst)
	token, err := brussels.People.APIToken(ctx, reader, time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range nodes {
		l, err := n.Listen()
		if err != nil {
			b.Fatal(err)
		}
		handler, err := httpd.New(n)
		if err != nil {
			b.Fatal(err)
		}
		serving.Go(func() {
			if err := n.Serve(ctx, l, handler); err != nil {
				b.Error(err)
			}
		})
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} // the node's own certificate, on loopback
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		time.Sleep(200 * time.Millisecond) // between two urgent matters
		start := time.Now()
		id := release(b, tokyo, to.NodeID, line.Flash, 1<<30+i, 1)
		for !shows(b, client, "https://"+brussels.Config.Web+"/object/"+id, token) {
			time.Sleep(2 * time.Millisecond)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	all, err := tokyo.Line.Status(ctx)
	if err != nil || len(all) != 1 {
		b.Fatal(len(all), err)
	}
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-median")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "ms-worst")
	b.ReportMetric(float64(all[0].Waiting), "routine-left")
}

// freePort gives a port with free ones where the demo's nodes lie.
func freePort(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	return port
}

func personWith(b *testing.B, n *node.Node, role people.Role) people.Person {
	b.Helper()
	all, err := n.People.List(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for _, p := range all {
		if p.Has(role) {
			return p
		}
	}
	b.Fatalf("nobody is %s", role)
	return people.Person{}
}

// release stores objects and releases them to a partner in one act, and gives
// the id of the last.
func release(b *testing.B, n *node.Node, to string, p line.Precedence, from, count int) string {
	b.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	rule, err := n.Policies().Rule(policies.NATOLabel("RESTRICTED", now, now.AddDate(5, 0, 0), "JPN"))
	if err != nil {
		b.Fatal(err)
	}
	ts, err := stix.ParseTimestamp("2026-11-24T12:00:00.000Z")
	if err != nil {
		b.Fatal(err)
	}
	puts := make([]vault.Put, count)
	for i := range puts {
		o, err := stix.New("campaign", fmt.Sprintf("campaign--00000000-0000-4000-8000-%012x", from+i), ts).Set("name", fmt.Sprint("Operation ", from+i)).Object()
		if err != nil {
			b.Fatal(err)
		}
		puts[i] = vault.Put{Object: o, Effective: label.Effective{Rule: rule}, Source: "local"}
	}
	id := ""
	_, err = n.Vault.Act(b.Context(), audit.Act{Actor: "person:desk", Verb: "release"}, func(tx *vault.Tx) error {
		outcomes, err := tx.Put(puts...)
		if err != nil {
			return err
		}
		items := make([]line.Item, len(outcomes))
		for i, o := range outcomes {
			items[i], id = line.Item{ID: o.ID, Version: o.Version}, o.ID
			if err := tx.Release(o.ID, o.Version, []string{line.PartnerReader(to)}, "by hand"); err != nil {
				return err
			}
		}
		return n.Line.Enqueue(tx, to, p, items)
	})
	if err != nil {
		b.Fatal(err)
	}
	return id
}

// shows says whether a person gets the page of an object, whole.
func shows(b *testing.B, client *http.Client, url, token string) bool {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
	if err != nil {
		b.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: "__Host-causeway", Value: token})
	res, err := client.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatal(err)
	}
	return res.StatusCode == http.StatusOK && strings.Contains(string(body), "Operation ")
}
