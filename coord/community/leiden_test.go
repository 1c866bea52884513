package community

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// planted makes groups of size nodes with chance in of an edge inside and
// out between each two nodes of different groups.
func planted(groups, size int, in, out float64, seed uint64) (n int, edges []Edge) {
	random := rand.New(rand.NewPCG(seed, 1))
	n = groups * size
	for a := range n {
		for b := range a {
			p := out
			if a/size == b/size {
				p = in
			}
			if random.Float64() < p {
				edges = append(edges, Edge{a, b, 1})
			}
		}
	}
	return n, edges
}

func TestPlantedGroupsComeBack(t *testing.T) {
	n, edges := planted(30, 20, 0.6, 0.003, 7)
	for _, opt := range []Options{{Resolution: 0.1, Seed: 1}, {Resolution: 1, Modularity: true, Seed: 1}} {
		got := Leiden(n, edges, opt)
		for v, c := range got {
			if c != v/20 {
				t.Fatalf("%+v: node %d is in community %d, want %d", opt, v, c, v/20)
			}
		}
	}
}

// TestZachary checks modularity on the karate club, whose best known partition
// has 0.4198 (Zachary 1977; Brandes et al. 2008).
func TestZachary(t *testing.T) {
	pairs := []int{1, 2, 1, 3, 1, 4, 1, 5, 1, 6, 1, 7, 1, 8, 1, 9, 1, 11, 1, 12, 1, 13, 1, 14, 1, 18, 1, 20, 1, 22, 1, 32, 2, 3, 2, 4, 2, 8, 2, 14, 2, 18, 2, 20, 2, 22, 2, 31,
		3, 4, 3, 8, 3, 28, 3, 29, 3, 33, 3, 10, 3, 9, 3, 14, 4, 8, 4, 13, 4, 14, 5, 7, 5, 11, 6, 7, 6, 11, 6, 17, 7, 17, 9, 31, 9, 33, 9, 34, 10, 34, 14, 34, 15, 33, 15, 34, 16, 33,
		16, 34, 19, 33, 19, 34, 20, 34, 21, 33, 21, 34, 23, 33, 23, 34, 24, 26, 24, 28, 24, 33, 24, 34, 24, 30, 25, 26, 25, 28, 25, 32, 26, 32, 27, 30, 27, 34, 28, 34, 29, 32, 29, 34,
		30, 33, 30, 34, 31, 33, 31, 34, 32, 33, 32, 34, 33, 34}
	var edges []Edge
	for i := 0; i < len(pairs); i += 2 {
		edges = append(edges, Edge{pairs[i] - 1, pairs[i+1] - 1, 1})
	}
	if len(edges) != 78 {
		t.Fatalf("%d edges, want 78", len(edges))
	}
	for seed := uint64(1); seed <= 10; seed++ {
		part := Leiden(34, edges, Options{Resolution: 1, Modularity: true, Seed: seed})
		if q := Modularity(34, edges, part); q < 0.4155 {
			t.Errorf("seed %d: modularity %.4f", seed, q)
		}
	}
}

func TestCommunitiesAreConnectedAndRepeatable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "n")
		var edges []Edge
		for range rapid.IntRange(0, 120).Draw(t, "m") {
			edges = append(edges, Edge{rapid.IntRange(0, n-1).Draw(t, "a"), rapid.IntRange(0, n-1).Draw(t, "b"), float64(rapid.IntRange(1, 4).Draw(t, "w"))})
		}
		opt := Options{Resolution: rapid.SampledFrom([]float64{0.01, 0.1, 1}).Draw(t, "r"), Modularity: rapid.Bool().Draw(t, "mod"), Seed: rapid.Uint64().Draw(t, "seed")}
		part := Leiden(n, edges, opt)
		if again := Leiden(n, edges, opt); !slices.Equal(part, again) {
			t.Fatalf("the same graph gave %v and %v", part, again)
		}
		reach := make([]int, n)
		for i := range reach {
			reach[i] = i
		}
		for range n {
			for _, e := range edges {
				if part[e.A] == part[e.B] {
					m := min(reach[e.A], reach[e.B])
					reach[e.A], reach[e.B] = m, m
				}
			}
		}
		root := map[int]int{}
		for v, c := range part {
			if r, ok := root[c]; ok && r != reach[v] {
				t.Fatalf("community %d is not connected", c)
			}
			root[c] = reach[v]
		}
	})
}
