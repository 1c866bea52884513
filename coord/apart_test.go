package coord_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"causeway/coord"
	"causeway/coord/read"
	"causeway/coord/synth"
	"causeway/coord/text"
)

// synthetic gives a world's posts.
type synthetic struct{ posts []synth.Post }

func (s *synthetic) Next(b *coord.Batch) error {
	b.Posts = b.Posts[:0]
	n := min(len(s.posts), 4096)
	for _, p := range s.posts[:n] {
		b.Posts = append(b.Posts, coord.Post{Object: []byte(p.Object), Account: []byte(p.Account), Content: []byte(p.Content), Time: p.Time * 1e6})
	}
	if s.posts = s.posts[n:]; n == 0 {
		return io.EOF
	}
	return nil
}

// detectWorld also gives the kind of plant of each planted account.
func detectWorld(t *testing.T, seed uint64, facts func(truth []synth.Member) map[string][]string, plants ...synth.Plant) (*coord.Result, map[string]string) {
	t.Helper()
	truth, posts, err := synth.Make(synth.World{Posts: 20000, Seed: seed, Shape: synth.Homophily, Plants: plants})
	if err != nil {
		t.Fatal(err)
	}
	s := &synthetic{}
	for p := range posts {
		s.posts = append(s.posts, p)
	}
	opt := coord.Options{Window: time.Minute}
	if facts != nil {
		opt.Facts = facts(truth)
	}
	r, err := coord.Detect(context.Background(), s, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	kind := map[string]string{}
	for _, m := range truth {
		kind[m.Account] = m.Kind
	}
	return r, kind
}

// TestSyndicatesAreSetApart: over several worlds, outlets of one feed are found
// like any other network and set apart with the reason, and not one edge of a
// group that coordinates is.
func TestSyndicatesAreSetApart(t *testing.T) {
	syndicate, private, piggyback := synth.Plant{Kind: synth.Syndicate, Groups: 2}, synth.Plant{Kind: synth.Private, Groups: 2, Size: 8, Bursts: 14, Camouflage: 4}, synth.Plant{Kind: synth.Piggyback, Groups: 1, Size: 10}
	for seed := range uint64(4) {
		r, kind := detectWorld(t, seed+1, nil, syndicate, private, piggyback)
		apart := 0
		for _, e := range r.Edges {
			a, b := kind[r.Nodes[e.A].Account], kind[r.Nodes[e.B].Account]
			if both := a == synth.Syndicate && b == synth.Syndicate; both != strings.HasPrefix(e.Apart, "one feed: ") {
				t.Errorf("seed %d: an edge between %q and %q is set apart by %q", seed, a, b, e.Apart)
			}
			if e.Apart != "" {
				apart++
			}
		}
		if apart != 20 || r.Summary.Network.Apart != apart {
			t.Errorf("seed %d: %d edges set apart, %d counted; want the 20 of two syndicates of 5", seed, apart, r.Summary.Network.Apart)
		}
		if r.Summary.Verdict != coord.Coordinated || !strings.HasPrefix(r.Summary.Reason, fmt.Sprint(len(r.Edges)-apart, " edges")) {
			t.Errorf("seed %d: %s, %s", seed, r.Summary.Verdict, r.Summary.Reason)
		}
	}
	r, _ := detectWorld(t, 9, nil, syndicate)
	if r.Summary.Verdict != coord.Explained || len(r.Edges) != 20 || !strings.Contains(strings.Join(r.Summary.Notes, " "), "20 edges are set apart") {
		t.Errorf("a world of syndicates alone: %s, %d edges, %q", r.Summary.Verdict, len(r.Edges), r.Summary.Notes)
	}
}

// TestCommonOwner: a fact in common sets an edge apart and names it; a fact that
// a service shares out to very many accounts does not.
func TestCommonOwner(t *testing.T) {
	private := synth.Plant{Kind: synth.Private, Groups: 1, Size: 4, Bursts: 12}
	r, _ := detectWorld(t, 3, func(truth []synth.Member) map[string][]string {
		facts := map[string][]string{}
		for i, m := range truth {
			facts[m.Account] = []string{"registrant Registrar Ltd"}
			if i < 2 {
				facts[m.Account] = append(facts[m.Account], "analytics_id UA-77")
			}
		}
		for i := range 100 {
			facts[fmt.Sprint("elsewhere", i)] = []string{"registrant Registrar Ltd"}
		}
		return facts
	}, private)
	if len(r.Edges) != 6 || r.Summary.Network.Apart != 1 || r.Summary.Verdict != coord.Coordinated {
		t.Fatalf("%d edges, %d set apart, %s", len(r.Edges), r.Summary.Network.Apart, r.Summary.Verdict)
	}
	for _, e := range r.Edges {
		if e.Apart != "" && e.Apart != "same analytics_id UA-77" {
			t.Errorf("set apart by %q", e.Apart)
		}
	}
	if !strings.Contains(strings.Join(r.Summary.Notes, " "), "1 facts are shared by more than 100 accounts") {
		t.Errorf("notes %q", r.Summary.Notes)
	}
}

// TestAgencyTexts: accounts that carry texts with an agency's credit are set
// apart; the same texts without it are a finding.
func TestAgencyTexts(t *testing.T) {
	for credit, want := range map[string]string{"": "", "(Kyodo) ": "agency: 15 of 15 texts in sync credit kyodo"} {
		var csv strings.Builder
		csv.WriteString("object_id,account_id,content_id,timestamp_share,text\n")
		random := rand.New(rand.NewPCG(5, 5))
		words := func() string {
			var b strings.Builder
			for range 12 {
				for range 6 {
					b.WriteByte(byte('a' + random.IntN(26)))
				}
				b.WriteByte(' ')
			}
			return b.String()
		}
		n := 0
		row := func(object, account string, at int, text string) {
			n++
			fmt.Fprintf(&csv, "%s,%s,c%d,%d,\"%s\"\n", object, account, n, at, text)
		}
		for i := range 3000 { // ordinary posts, texts of their own
			row(fmt.Sprint("o", random.IntN(300)), fmt.Sprint("a", random.IntN(200)), 1_767_600_000+i*500+random.IntN(500), words())
		}
		for b := range 15 {
			at, said := 1_767_610_000+b*90_000, words()
			for m := range 4 {
				row(fmt.Sprintf("x%d-%d", b, m), fmt.Sprint("x", m), at+m*(3+b%9), "TOKYO "+credit+said)
			}
		}
		layout := read.Generic()
		layout.Traces = append(layout.Traces, read.Trace{Kind: coord.Text, Column: "text", Optional: true})
		src, err := read.Open(context.Background(), strings.NewReader(csv.String()), read.Options{Layout: layout})
		if err != nil {
			t.Fatal(err)
		}
		r, err := coord.Detect(context.Background(), text.Source(src), coord.Options{})
		src.Close()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if len(r.Edges) != 6 {
			t.Fatalf("credit %q: %d edges, want 6: %s", credit, len(r.Edges), r.Summary.Reason)
		}
		for _, e := range r.Edges {
			if e.Apart != want {
				t.Errorf("credit %q: set apart by %q, want %q", credit, e.Apart, want)
			}
		}
	}
}
