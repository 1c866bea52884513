package coord

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// whole tells a result completely, row numbers of conflicts apart.
func whole(t rapid.TB, r *Result, err error) string {
	if err != nil {
		return err.Error()
	}
	defer r.Close()
	r.Summary.Input.ConflictRows = nil
	var b strings.Builder
	fmt.Fprintf(&b, "%+v\n%v\n%+v\n%+v\n%v\n", r.Nodes, r.Edges, r.Communities, r.Candidates, r.Summary.Input)
	if r.Summary.Test != nil {
		fmt.Fprintf(&b, "%+v\n", *r.Summary.Test)
	}
	fmt.Fprintln(&b, r.Summary.Verdict, r.Summary.Notes, r.Summary.Network)
	for e, err := range r.AllEvidence() {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%+v\n", e)
	}
	return b.String()
}

// goOn saves and loads.
func goOn(t rapid.TB, c *Counted, opt Options) *Counted {
	var b bytes.Buffer
	if err := c.Save(&b); err != nil {
		t.Fatal(err)
	}
	again, err := LoadCounted(&b, opt)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// TestCountedEqualsBatch is the law of [Counted]: posts added in any parts, late
// ones among them, looked at in between or not, saved and loaded in between or
// not, give what one run over all of them gives, under every semantics.
func TestCountedEqualsBatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := drawRows(t)
		opt := Options{Semantics: rapid.SampledFrom([]Semantics{Corrected, CooRTweet, CNT}).Draw(t, "semantics"), MinParticipation: rapid.IntRange(1, 3).Draw(t, "participation"), FDR: 0.9}
		ctx := context.Background()
		r, err := Detect(ctx, &rowSource{slices.Clone(rows)}, opt)
		want := whole(t, r, err)
		c, err := NewCounted(opt)
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; at < len(rows); {
			n := rapid.IntRange(1, len(rows)).Draw(t, "part")
			if err := c.Add(ctx, &rowSource{slices.Clone(rows[at:min(len(rows), at+n)])}); err != nil {
				t.Fatal(err)
			}
			at += n
			switch rapid.IntRange(0, 2).Draw(t, "between") {
			case 0:
				if r, err := c.Detect(ctx, nil); err == nil {
					r.Close()
				}
			case 1:
				c = goOn(t, c, opt)
			}
		}
		r, err = c.Detect(ctx, &memScratch{})
		if diff := gocmp.Diff(want, whole(t, r, err)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestCountedFindsThePlantedGroup: the law on a world large enough for verdicts.
func TestCountedFindsThePlantedGroup(t *testing.T) {
	rows := world(3, 20000)
	random := rand.New(rand.NewPCG(3, 3))
	random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	ctx := context.Background()
	r, err := Detect(ctx, &rowSource{slices.Clone(rows)}, Options{})
	want := whole(t, r, err)
	c, err := NewCounted(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for part := range slices.Chunk(rows, 7001) {
		if err := c.Add(ctx, &rowSource{slices.Clone(part)}); err != nil {
			t.Fatal(err)
		}
		r, err := c.Detect(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		c = goOn(t, c, Options{})
	}
	r, err = c.Detect(ctx, nil)
	if got := whole(t, r, err); got != want || len(r.Edges) == 0 {
		t.Errorf("%d edges; %s", len(r.Edges), gocmp.Diff(want, got))
	}
}

// TestDamagedCheckpoint: a checkpoint cut off anywhere, or with any one byte
// changed, is refused; so is one of another semantics.
func TestDamagedCheckpoint(t *testing.T) {
	c, err := NewCounted(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Add(context.Background(), &rowSource{world(1, 60)}); err != nil {
		t.Fatal(err)
	}
	var saved bytes.Buffer
	if err := c.Save(&saved); err != nil {
		t.Fatal(err)
	}
	refuse := func(what string, b []byte, opt Options) {
		t.Helper()
		if _, err := LoadCounted(bytes.NewReader(b), opt); !errors.Is(err, ErrCheckpoint) {
			t.Fatalf("%s: %v", what, err)
		}
	}
	for n := range saved.Len() {
		refuse(fmt.Sprintf("%d of %d bytes", n, saved.Len()), saved.Bytes()[:n], Options{})
		b := bytes.Clone(saved.Bytes())
		b[n] ^= 0x41
		refuse(fmt.Sprintf("byte %d changed", n), b, Options{})
	}
	refuse("a byte too many", append(bytes.Clone(saved.Bytes()), 0), Options{})
	refuse("another semantics", saved.Bytes(), Options{Semantics: CNT})
}

// TestCountedMemory: posts beyond the budget are refused, and the state with
// them.
func TestCountedMemory(t *testing.T) {
	c, err := NewCounted(Options{Memory: MinMemory})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Add(context.Background(), &rowSource{world(1, 1<<17)}); !errors.Is(err, ErrMemory) {
		t.Fatalf("%v, want %v", err, ErrMemory)
	}
	if _, err := c.Detect(context.Background(), nil); !errors.Is(err, ErrMemory) {
		t.Errorf("half of the posts were analysed: %v", err)
	}
}
