package desk_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"causeway/internal/desk"
	"causeway/internal/node"
	"causeway/internal/people"
)

// shared starts a run of groups of accounts, each sharing six things of its own
// in step, and waits for it.
func shared(t *testing.T, n *node.Node, by people.Person, title string, groups ...string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("object_id,account_id,content_id,timestamp_share\n")
	for g, accounts := range groups {
		for object := range 6 {
			for i, account := range accounts {
				fmt.Fprintf(&b, "o%d-%d,%c,c%d-%d-%d,%d\n", g, object, account, g, object, i, 1_700_000_000+90_000*object+i)
			}
		}
	}
	r, err := n.Desk.StartRun(t.Context(), by, desk.RunRequest{Title: title, File: "p.csv", Window: time.Minute, Semantics: "coortweet"}, strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	if r, err = n.Desk.Await(t.Context(), by, r.ID); err != nil {
		t.Fatal(err)
	}
	return r.ID
}

func known(t *testing.T, n *node.Node, by people.Person, run string) map[int]desk.Known {
	t.Helper()
	res, r, err := n.Desk.Result(t.Context(), by, run)
	if err != nil {
		t.Fatal(err)
	}
	k, err := n.Desk.KnownIn(t.Context(), by, r, res)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestNamesStayWithNetworks: a name given in one run stands in later ones while
// the network changes step by step, further than any two runs alone would show;
// it is its owner's, and an empty name takes it away everywhere.
func TestNamesStayWithNetworks(t *testing.T) {
	n := found(t)
	ctx := t.Context()
	aiko, rin, kenji := person(t, n, "aiko"), person(t, n, "rin"), person(t, n, "kenji")
	first := shared(t, n, aiko, "first", "abcdef", "mnop")
	if err := n.Desk.NameNetwork(ctx, aiko, first, 1, "Choir", "amplifiers", "posts at noon"); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []error{
		n.Desk.NameNetwork(ctx, aiko, first, 3, "x", "outlets", ""),
		n.Desk.NameNetwork(ctx, aiko, first, 1, "x", "guilty", ""),
		n.Desk.NameNetwork(ctx, aiko, first, 1, strings.Repeat("x", 200), "outlets", ""),
	} {
		if bad == nil {
			t.Error("a name that should be refused was kept")
		}
	}
	if err := n.Desk.NameNetwork(ctx, rin, first, 1, "Mine", "outlets", ""); !errors.Is(err, desk.ErrRun) {
		t.Error("another person names a network of the run:", err)
	}
	if err := n.Desk.NameNetwork(ctx, kenji, first, 1, "Mine", "outlets", ""); !errors.Is(err, people.ErrForbidden) {
		t.Error("a release officer names a network:", err)
	}
	var last string
	for _, members := range []string{"bcdefgh", "defghij", "fghijkl"} {
		last = shared(t, n, aiko, members, "mnop", members)
		if k := known(t, n, aiko, last); len(k) != 1 || k[0].Name != "Choir" {
			t.Fatalf("run %s knows %v, want the choir as its largest network", members, k)
		}
	}
	for _, run := range []string{first, last} {
		if k := known(t, n, aiko, run)[0]; k.Name != "Choir" || k.Note != "posts at noon" || len(k.Runs) != 4 {
			t.Errorf("run %s: %+v", run, k)
		}
	}
	theirs := shared(t, n, rin, "theirs", "fghijkl")
	if k := known(t, n, rin, theirs); len(k) != 0 {
		t.Errorf("another person is told a name: %v", k)
	}
	if err := n.Desk.NameNetwork(ctx, aiko, last, 1, "", "unclear", ""); err != nil {
		t.Fatal(err)
	}
	if k := known(t, n, aiko, first); len(k) != 0 {
		t.Errorf("a name taken away is still there: %v", k)
	}
}

// TestCompare: what grew, went, merged and appeared, with the accounts that
// moved; and another person's run cannot be compared with.
func TestCompare(t *testing.T) {
	n := found(t)
	aiko, rin := person(t, n, "aiko"), person(t, n, "rin")
	before := shared(t, n, aiko, "before", "abcde", "mnop", "tuv")
	after := shared(t, n, aiko, "after", "abcdefg", "xyz", "mnw")
	if err := n.Desk.NameNetwork(t.Context(), aiko, before, 1, "Choir", "unclear", ""); err != nil {
		t.Fatal(err)
	}
	c, err := n.Desk.Compare(t.Context(), aiko, after, before) // whichever is named first
	if err != nil {
		t.Fatal(err)
	}
	what := map[string]int{}
	for _, change := range c.Changes {
		what[change.What]++
		if change.What == "grew" && (change.Before != 5 || change.After != 7 || c.Place[change.ID] != 1 || c.Known[change.ID].Name != "Choir") {
			t.Errorf("%+v, place %d, known as %q", change, c.Place[change.ID], c.Known[change.ID].Name)
		}
	}
	if what["grew"] != 1 || what["gone"] != 1 || what["born"] != 2 || what["merged"] != 1 || len(c.Changes) != 5 {
		t.Errorf("changes %v", what)
	}
	total := 0
	for _, m := range c.Moved {
		total += m.Accounts
	}
	if total != 12+6 { // every account of before, and f, g, x, y, z, w
		t.Errorf("%d accounts moved: %+v", total, c.Moved)
	}
	if _, err := n.Desk.Compare(t.Context(), rin, before, after); !errors.Is(err, desk.ErrRun) {
		t.Error("another person compares the runs:", err)
	}
	if _, err := n.Desk.Compare(t.Context(), aiko, before, before); !errors.Is(err, desk.ErrSameRun) {
		t.Error("a run is compared with itself:", err)
	}
}
