package synth

import (
	"fmt"
	"testing"
)

// TestViralObjects: an object asked for is there in every world, with all its
// shares, and the number of posts is still that of the world.
func TestViralObjects(t *testing.T) {
	for _, shape := range Shapes {
		_, posts, err := Make(World{Posts: 30000, Seed: 3, Shape: shape, Viral: []int{4000}})
		if shape == Viral {
			_, posts, err = Make(World{Posts: 60000, Seed: 3, Shape: shape, Viral: []int{4000}})
		}
		if err != nil {
			t.Fatal(err)
		}
		shares, n := map[string]int{}, 0
		for p := range posts {
			shares[p.Object]++
			n++
		}
		found := false
		for _, s := range shares {
			found = found || s == 4000
		}
		if !found || n != 30000 && shape != Viral || n != 60000 && shape == Viral {
			t.Errorf("%s: %d posts, an object of 4000 shares: %v", shape, n, found)
		}
	}
}

// TestSameWorldSamePosts: a world is its recipe, plants of every kind included.
func TestSameWorldSamePosts(t *testing.T) {
	tell := func() string {
		truth, posts, err := Make(World{Posts: 4000, Seed: 5, Plants: []Plant{{Kind: Private}, {Kind: Piggyback}, {Kind: Syndicate, Bursts: 10}}})
		if err != nil {
			t.Fatal(err)
		}
		out := fmt.Sprint(truth)
		for p := range posts {
			out += fmt.Sprintln(p)
		}
		return out
	}
	if once, again := tell(), tell(); once != again {
		t.Error("the same recipe gives other posts")
	}
}
