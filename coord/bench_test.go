package coord_test

import (
	"bytes"
	"context"
	"os"
	"testing"
	"time"

	"causeway/coord"
	"causeway/coord/read"
)

// BenchmarkRussian finds the pairs of the Russian set at 60 s, from the bytes
// of the gzip file to the edges.
func BenchmarkRussian(b *testing.B) {
	file, err := os.ReadFile("../../shared/data/posts/russian_coord_tweets.csv.gz")
	if err != nil {
		b.Skipf("the shared posts are not here: %v", err)
	}
	for b.Loop() {
		src, err := read.Open(context.Background(), bytes.NewReader(file), read.Options{File: "posts", Layout: read.Generic()})
		if err != nil {
			b.Fatal(err)
		}
		r, err := coord.Detect(context.Background(), src, coord.Options{Semantics: coord.CooRTweet, Window: time.Minute})
		if err != nil {
			b.Fatal(err)
		}
		if len(r.Edges) != 3721 {
			b.Fatalf("%d edges, want 3721", len(r.Edges))
		}
		src.Close()
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
