package coord

import (
	"fmt"
	"iter"
	"sort"
)

// Result is the network of one run. Close releases its scratch files.
type Result struct {
	Nodes       []Node      // sorted by account, byte order
	Edges       []Edge      // sorted by (A, B)
	Communities []Community // by number
	// Candidates are the best tested pairs that were not reported, by p-value;
	// at most 1000.
	Candidates []Candidate
	Summary    Summary

	evidence evidenceStore
	scratch  *ledger
}

// Node is an account that has an edge.
type Node struct {
	Account   string
	Posts     int64 // posts of the account in the input
	Objects   int64 // distinct objects of the account; 0 where the semantics does not count them
	Degree    int
	Strength  int64 // sum of the weights of its edges
	Community int   // index into Communities
	Declared  string
}

// Edge ties two accounts; A and B are indexes into Nodes, A < B.
type Edge struct {
	A, B    int
	Weight  int64 // coortweet: PostPairs; cnt: the larger of PostsA, PostsB; corrected: Objects
	Objects int64 // distinct objects on which the two are in sync: K
	PostsA  int64 // distinct posts of A with at least one partner post of B
	PostsB  int64
	// PostPairs is the number of pairs of posts within the window: X.
	PostPairs int64
	// MeanDelta is seconds. Compat semantics: mean |time difference| over the
	// post pairs; corrected: mean over the objects of the smallest one.
	MeanDelta float64
	// P and Q are NaN where the semantics tests nothing.
	P, Q float64

	SharedObjects      int64   // objects both shared, at any time
	FirstShareA        float64 // share of the objects in sync on which A was first
	PSync, QSync       float64
	POverlap, QOverlap float64
	// Signals says which test reports the edge: sync, overlap, sync+overlap or
	// combined; empty when none does.
	Signals  string
	Declared string // the known common owner or feed of both ends
	// Apart is why a common owner or a syndicated feed explains the edge; empty
	// where nothing was found that does. Such edges are no findings.
	Apart string
	// Kinds is the contribution of each kind of trace, where there are several:
	// kind:objects:p, best first.
	Kinds string

	// CooRTweet's columns: distinct older and newer contents, their ratio, and
	// whether Weight exceeds the quantile.
	ContentsOlder, ContentsNewer int64
	Symmetry                     float64
	AboveThreshold               bool
}

// Evidence is one coincidence behind an edge: under corrected the closest pair
// of posts on one object, under the compat semantics every pair of posts.
type Evidence struct {
	Edge           int // index into Result.Edges
	Kind           Kind
	Object         string
	ContentA       string
	TimeA          int64 // microseconds since 1970
	ContentB       string
	TimeB          int64
	OlderB         bool  // B's post is the older one
	ObjectPosts    int64 // posts on the object in the input
	ObjectAccounts int64
	P              float64 // chance of being in sync on this object; NaN when not tested
}

// DeltaSeconds is the time of B's post less the time of A's.
func (e Evidence) DeltaSeconds() float64 { return float64(e.TimeB-e.TimeA) / 1e6 }

// evidenceStore yields the evidence of edge i in the order of evidence.csv.
type evidenceStore interface {
	of(edge int, yield func(Evidence) bool) error
}

// Evidence yields the coincidences behind Edges[edge].
func (r *Result) Evidence(edge int) iter.Seq2[Evidence, error] {
	return func(yield func(Evidence, error) bool) {
		if edge < 0 || edge >= len(r.Edges) {
			yield(Evidence{}, fmt.Errorf("edge %d of %d", edge, len(r.Edges)))
			return
		}
		if err := r.evidence.of(edge, func(e Evidence) bool { return yield(e, nil) }); err != nil {
			yield(Evidence{}, err)
		}
	}
}

// AllEvidence yields the evidence of every edge, in the order of Edges.
func (r *Result) AllEvidence() iter.Seq2[Evidence, error] {
	return func(yield func(Evidence, error) bool) {
		for i := range r.Edges {
			for e, err := range r.Evidence(i) {
				if !yield(e, err) || err != nil {
					return
				}
			}
		}
	}
}

// Edge returns the index of the edge between two accounts.
func (r *Result) Edge(a, b string) (int, bool) {
	i, oka := r.Node(a)
	j, okb := r.Node(b)
	if !oka || !okb {
		return 0, false
	}
	if i > j {
		i, j = j, i
	}
	n := sort.Search(len(r.Edges), func(n int) bool {
		e := r.Edges[n]
		return e.A > i || e.A == i && e.B >= j
	})
	return n, n < len(r.Edges) && r.Edges[n].A == i && r.Edges[n].B == j
}

// Node returns the index of an account in Nodes.
func (r *Result) Node(account string) (int, bool) {
	return sort.Find(len(r.Nodes), func(n int) int {
		switch {
		case account < r.Nodes[n].Account:
			return -1
		case account > r.Nodes[n].Account:
			return 1
		}
		return 0
	})
}

// Close releases what the result holds on to. Evidence cannot be read after it.
func (r *Result) Close() error {
	if r.scratch == nil {
		return nil
	}
	return r.scratch.close()
}
