package coord

import (
	"slices"
	"strings"
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

// TestDrawn: up to the limit the network itself is drawn; above it communities
// are, whose edges add up what ties their members, and the words say so.
func TestDrawn(t *testing.T) {
	small := ring(DrawnNodes)
	if d, left := small.Drawn(); d != small || left != "" {
		t.Errorf("%d accounts are not drawn as they are: %q", DrawnNodes, left)
	}
	r := ring(DrawnNodes + 50)
	r.Edges = append(r.Edges, Edge{A: 0, B: 60, Weight: 7}) // first and second community, beside the ring's own edge
	d, left := r.Drawn()
	if len(d.Nodes) != len(r.Communities) || !strings.Contains(left, "5050 accounts") {
		t.Fatalf("%d marks for %d communities, %q", len(d.Nodes), len(r.Communities), left)
	}
	if e := d.Edges[0]; len(d.Edges) != len(r.Communities) || e.A != 0 || e.B != 1 || e.Weight != 8 {
		t.Errorf("%d edges, the first %+v; want weight 8 between the first two", len(d.Edges), e)
	}
	if at := d.Layout(1); len(at) != len(d.Nodes) {
		t.Errorf("%d places", len(at))
	}
}

// TestPulling: of a dense network the heaviest edges pull, no more than the
// bound, ties by place.
func TestPulling(t *testing.T) {
	r := &Result{}
	for i := range drawnLinks + 500 {
		r.Edges = append(r.Edges, Edge{A: i, B: i + 1, Weight: int64(1 + i%2)})
	}
	got := r.pulling()
	heavy := 0
	for _, l := range got {
		heavy += int(l.a) % 2
	}
	if len(got) != drawnLinks || heavy != (drawnLinks+500)/2 || got[0].a != 0 {
		t.Errorf("%d links, %d heavy, first %v", len(got), heavy, got[0])
	}
}
