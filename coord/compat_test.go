package coord_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"testing"
	"time"

	"causeway/coord"
	"causeway/coord/read"

	"github.com/google/go-cmp/cmp"
)

// shared opens a file of the real posts, or skips where they are absent.
func shared(t testing.TB, name string) *os.File {
	t.Helper()
	f, err := os.Open(filepath.Join("../../shared/data/posts", name))
	if err != nil {
		t.Skipf("the real posts are not here: %v", err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func detectShared(t testing.TB, name string, layout read.Layout, opt coord.Options) *coord.Result {
	t.Helper()
	src, err := read.Open(context.Background(), shared(t, name), read.Options{Layout: layout, File: name, AllowEmptyObject: true})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	r, err := coord.Detect(context.Background(), src, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func table(t testing.TB, name string) [][]string {
	t.Helper()
	r, err := read.Decompress(shared(t, name))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

// pairRows restates evidence as CooRTweet's rows: older post first.
func pairRows(t testing.TB, r *coord.Result) []string {
	t.Helper()
	var rows []string
	for e, err := range r.AllEvidence() {
		if err != nil {
			t.Fatal(err)
		}
		edge := r.Edges[e.Edge]
		a, b := r.Nodes[edge.A].Account, r.Nodes[edge.B].Account
		d := e.TimeB - e.TimeA
		if e.OlderB {
			a, b, e.ContentA, e.ContentB, d = b, a, e.ContentB, e.ContentA, -d
		}
		rows = append(rows, fmt.Sprint(e.Object, " ", e.ContentA, " ", e.ContentB, " ", d/1e6, " ", a, " ", b))
	}
	sort.Strings(rows)
	return rows
}

func TestCooRTweetPairs(t *testing.T) {
	for _, test := range []struct {
		posts, want string
		window      time.Duration
	}{
		{"russian_coord_tweets.csv.gz", "russian_detect_groups_tw10_mp2.csv.gz", 10 * time.Second},
		{"russian_coord_tweets.csv.gz", "russian_detect_groups_tw60_mp2.csv.gz", 60 * time.Second},
		{"simulate_seed123_input.csv.gz", "simulate_seed123_expected_pairs.csv.gz", 10 * time.Second},
	} {
		t.Run(test.want, func(t *testing.T) {
			r := detectShared(t, test.posts, read.Generic(), coord.Options{Semantics: coord.CooRTweet, Window: test.window})
			var want []string
			for _, w := range table(t, test.want) {
				want = append(want, fmt.Sprint(w[0], " ", w[1], " ", w[2], " ", w[3], " ", w[4], " ", w[5]))
			}
			sort.Strings(want)
			if diff := cmp.Diff(want, pairRows(t, r)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCooRTweetNetwork(t *testing.T) {
	for window, name := range map[time.Duration]string{10 * time.Second: "russian_network_tw10_mp2.csv.gz", 60 * time.Second: "russian_network_tw60_mp2.csv.gz"} {
		r := detectShared(t, "russian_coord_tweets.csv.gz", read.Generic(), coord.Options{Semantics: coord.CooRTweet, Window: window})
		want := table(t, name)
		if len(want) != len(r.Edges) {
			t.Fatalf("%s: %d edges, want %d", name, len(r.Edges), len(want))
		}
		for i, w := range want {
			e := r.Edges[i]
			above := "0"
			if e.AboveThreshold {
				above = "1"
			}
			got := []string{r.Nodes[e.A].Account, r.Nodes[e.B].Account, fmt.Sprint(e.Weight), fmt.Sprint(e.ContentsOlder), fmt.Sprint(e.ContentsNewer), above}
			if diff := cmp.Diff([]string{w[0], w[1], w[2], w[4], w[5], w[7]}, got); diff != "" {
				t.Fatalf("%s row %d: %s", name, i+1, diff)
			}
			for col, v := range map[int]float64{3: e.MeanDelta, 6: e.Symmetry} {
				if f, err := strconv.ParseFloat(w[col], 64); err != nil || math.Abs(f-v) > 1e-12*math.Abs(f) {
					t.Errorf("%s row %d column %d: %v, want %s", name, i+1, col, v, w[col])
				}
			}
		}
	}
}

// TestThresholdArithmetic fixes R's quantile type 7 in float64: 29 ones and 72
// twos at 0.29 give 1.9999999999999964, so the 72 pass.
func TestThresholdArithmetic(t *testing.T) {
	var csv bytes.Buffer
	csv.WriteString("object_id,account_id,content_id,timestamp_share\n")
	n := 0
	for i := range 101 {
		shares := 1
		if i >= 29 {
			shares = 2
		}
		for s := range shares {
			for _, side := range "ab" {
				n++
				fmt.Fprintf(&csv, "o%d_%d,%c%03d,c%d,%d\n", i, s, side, i, n, 1000*i)
			}
		}
	}
	r := detectCSV(t, csv.Bytes(), coord.Options{Semantics: coord.CooRTweet, MinParticipation: 1, EdgeWeight: 0.29})
	if s := r.Summary.Network; s.Threshold != 1.9999999999999964 || s.AboveEdges != 72 {
		t.Errorf("threshold %v with %d edges above, want 1.9999999999999964 with 72", s.Threshold, s.AboveEdges)
	}
}

func detectCSV(t testing.TB, b []byte, opt coord.Options) *coord.Result {
	t.Helper()
	src, err := read.Open(context.Background(), bytes.NewReader(b), read.Options{Layout: read.Generic()})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	r, err := coord.Detect(context.Background(), src, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// TestCNT restates the tool's own unit test: nodes by window and least weight,
// without loops.
func TestCNT(t *testing.T) {
	for _, test := range []struct {
		seconds, weight, nodes int
	}{{1, 1, 2}, {1, 2, 0}, {60, 1, 6}} {
		r := detectShared(t, "cnt_coretweet_test_input.csv", read.CNT(), coord.Options{Semantics: coord.CNT, Window: time.Duration(test.seconds) * time.Second, MinWeight: test.weight})
		if len(r.Nodes) != test.nodes {
			t.Errorf("window %d s, least weight %d: %d nodes, want %d", test.seconds, test.weight, len(r.Nodes), test.nodes)
		}
	}
}
