package coord

import (
	"slices"
	"testing"
)

func ring(n int) *Result {
	r := &Result{Nodes: make([]Node, n)}
	for i := range n {
		r.Nodes[i].Community = i / 50
		r.Edges = append(r.Edges, Edge{A: min(i, (i+1)%n), B: max(i, (i+1)%n), Weight: 1})
	}
	for c := 0; c*50 < n; c++ {
		var m []int
		for v := c * 50; v < min(n, (c+1)*50); v++ {
			m = append(m, v)
		}
		r.Communities = append(r.Communities, Community{Members: m})
	}
	return r
}

// TestLayout: places are repeatable, inside the frame and apart, for a small
// network and for one placed by community.
func TestLayout(t *testing.T) {
	for _, n := range []int{1, 2, 300, 2 * layoutNodes} {
		r := ring(n)
		at := r.Layout(1)
		if len(at) != n || !slices.Equal(at, r.Layout(1)) {
			t.Fatalf("%d nodes: %d places, or not the same twice", n, len(at))
		}
		seen := map[Point]int{}
		for _, p := range at {
			if !(p.X >= 0 && p.X <= 1 && p.Y >= 0 && p.Y <= 1) {
				t.Fatalf("%d nodes: %v is outside the frame", n, p)
			}
			seen[p]++
		}
		if len(seen) < n*95/100 {
			t.Errorf("%d nodes on %d places", n, len(seen))
		}
	}
	if (&Result{}).Layout(1) != nil {
		t.Error("places for no nodes")
	}
}
