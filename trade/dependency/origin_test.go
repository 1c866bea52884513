package dependency

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"causeway/trade/cascade"
)

// A hub that makes nothing hides where its goods come from: at face value the
// user depends on the hub, looked through on the maker.
func TestOriginsThroughAHub(t *testing.T) {
	w := &cascade.World{Places: []string{"CHN", "NLD", "JPN"}, Production: []float64{100, 0, 10}, Stock: make([]float64, 3),
		Links: []cascade.Link{{From: 0, To: 1, Quantity: 50}, {From: 1, To: 2, Quantity: 30}}}
	maker, err := Origins(w, "CHN")
	if err != nil {
		t.Fatal(err)
	}
	if j := maker[2]; math.Abs(j.Look.Value-0.75) > 1e-12 || j.Face.Value != 0 || math.Abs(j.Hidden.Value-0.75) > 1e-12 {
		t.Errorf("Japan on China: %+v; want 30 of 40, all hidden", j)
	}
	hub, err := Origins(w, "NLD")
	if err != nil {
		t.Fatal(err)
	}
	if j := hub[2]; j.Look.Value != 0 || math.Abs(j.Face.Value-0.75) > 1e-12 || math.Abs(j.Hidden.Value+0.75) > 1e-12 {
		t.Errorf("Japan on the hub: %+v; want 0.75 at face value and nothing of its own", j)
	}
	w.Links[1].Quantity = 60 // more than the hub has
	over, err := Origins(w, "CHN")
	if err != nil || over[2].Look.IsKnown() {
		t.Errorf("a place that ships more than it has: %+v, %v", over[2], err)
	}
	if _, err := Origins(w, "NO"); err == nil {
		t.Error("an unknown supplier was looked through")
	}
}

// Whatever a place has was made somewhere: origins add up to 1.
func TestOriginsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 6).Draw(t, "n")
		w := &cascade.World{Stock: make([]float64, n)}
		for i := range n {
			w.Places = append(w.Places, string(rune('A'+i)))
			w.Production = append(w.Production, rapid.Float64Range(50, 100).Draw(t, "made"))
			for j := range n {
				if i != j && rapid.Bool().Draw(t, "linked") {
					w.Links = append(w.Links, cascade.Link{From: i, To: j, Quantity: rapid.Float64Range(0, 50/float64(n)).Draw(t, "flow")})
				}
			}
		}
		sum := make([]float64, n)
		for _, p := range w.Places {
			rs, err := Origins(w, p)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range rs {
				if r.Look.Value < -1e-12 {
					t.Fatalf("%s has %v of %s", r.Name, r.Look.Value, p)
				}
				sum[i] += r.Look.Value
			}
		}
		for i, s := range sum {
			if math.Abs(s-1) > 1e-9 {
				t.Fatalf("the origins of what %s has add up to %v", w.Places[i], s)
			}
		}
	})
}
