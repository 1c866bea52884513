package coord

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// network makes a result of communities alone.
func network(groups ...string) *Result {
	r := &Result{}
	for i, g := range groups {
		c := Community{ID: "new-" + g}
		for _, a := range g {
			c.Members = append(c.Members, len(r.Nodes))
			r.Nodes = append(r.Nodes, Node{Account: string(a), Community: i})
		}
		r.Communities = append(r.Communities, c)
	}
	return r
}

func TestFollowKeepsIdentities(t *testing.T) {
	prior := []Prior{{"A", []string{"a", "b", "c", "d"}}, {"B", []string{"e", "f", "g"}}, {"C", []string{"h", "i", "j", "k"}}, {"D", []string{"x", "y"}}, {"E", []string{"m", "n"}}}
	r := network("abcdz", "efg", "hi", "jk", "pq", "mnabcdefgh"[:2]+"uvwrst")
	got := r.Follow(prior)
	want := []Change{
		{ID: "A", What: "grew", From: []string{"A"}, Before: 4, After: 5},
		{ID: "B", What: "same", From: []string{"B"}, Before: 3, After: 3},
		{ID: "C", What: "shrank", From: []string{"C"}, Before: 4, After: 2},
		{ID: "D", What: "gone", Before: 2},
		{ID: "E", What: "merged", To: []string{"new-mnuvwrst"}, Before: 2},
		{ID: "new-jk", What: "born", From: []string{"C"}, After: 2},
		{ID: "new-mnuvwrst", What: "born", From: []string{"E"}, After: 8},
		{ID: "new-pq", What: "born", After: 2},
	}
	if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if r.Communities[0].ID != "A" || r.Communities[2].ID != "C" {
		t.Errorf("identities %q, %q: want A and C", r.Communities[0].ID, r.Communities[2].ID)
	}
	if again := r.Follow(r.Priors()); again[0].What != "same" {
		t.Errorf("nothing changed, and it says %v", again[0])
	}
}
