package coord

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// clusterRun does by hand what Spark does: shuffle by object, three rounds.
func clusterRun(t testing.TB, rows []row, parts int, opt Options) *Result {
	t.Helper()
	ctx := context.Background()
	split := make([][]row, parts)
	contents := map[string]map[string]bool{}
	for _, r := range clean(rows) {
		i := int(hash64([]byte(r.object), 7) % uint64(parts))
		split[i] = append(split[i], r)
		a := b64([]byte(r.account))
		if contents[a] == nil {
			contents[a] = map[string]bool{}
		}
		contents[a][r.content] = true
	}
	var counts, eligible, plan, pairs, wanted, posts bytes.Buffer
	for a, c := range contents {
		fmt.Fprintf(&eligible, "%s\t%d\n", a, len(c))
	}
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, part := range split {
		check(ClusterCount(ctx, &rowSource{part}, opt, &counts))
	}
	check(ClusterPlan(bytes.NewReader(counts.Bytes()), bytes.NewReader(eligible.Bytes()), opt, &plan))
	var p Plan
	check(json.Unmarshal(plan.Bytes(), &p))
	for _, part := range split {
		check(ClusterPairs(ctx, &rowSource{part}, p, opt, &pairs))
	}
	check(ClusterWanted(bytes.NewReader(pairs.Bytes()), &wanted))
	for _, part := range split {
		check(ClusterPosts(ctx, &rowSource{part}, bytes.NewReader(wanted.Bytes()), opt, &posts))
	}
	r, err := ClusterFinish(ctx, ClusterAnswers{Counts: &counts, Contents: &eligible, Pairs: &pairs, Posts: &posts, Rows: int64(len(rows))}, opt)
	check(err)
	return r
}

func edgeText(t testing.TB, r *Result) string {
	t.Helper()
	var b bytes.Buffer
	for i, e := range r.Edges {
		fmt.Fprintf(&b, "%s %s %+v\n", r.Nodes[e.A].Account, r.Nodes[e.B].Account, e)
		for x, err := range r.Evidence(i) {
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "  %+v\n", x)
		}
	}
	for _, c := range r.Candidates {
		fmt.Fprintf(&b, "%+v\n", c)
	}
	fmt.Fprintf(&b, "%s\n%v %v %v %v", r.Summary.Verdict, r.Summary.Test.Family, r.Summary.Test.Overdispersed, r.Summary.Test.HeavyObjects, r.Summary.Test.Cutoff)
	return b.String()
}

// TestClusterEqualsLocal: any split by object gives the edges, odds and
// evidence of the local engine, to the bit.
func TestClusterEqualsLocal(t *testing.T) {
	rows := world(3, 6000)
	local, err := Detect(context.Background(), &rowSource{rows}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, parts := range []int{1, 3, 8} {
		if diff := gocmp.Diff(edgeText(t, local), edgeText(t, clusterRun(t, rows, parts, Options{}))); diff != "" {
			t.Fatalf("%d parts: %s", parts, diff)
		}
	}
}
