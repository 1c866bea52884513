package coord

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// Detect reads src to its end and returns the network of its posts. The
// result must be closed.
func Detect(ctx context.Context, src Source, opt Options) (*Result, error) {
	if err := opt.normalise(); err != nil {
		return nil, err
	}
	p, err := load(ctx, src, &opt)
	if err != nil {
		return nil, err
	}
	switch opt.Semantics {
	case CooRTweet, CNT:
		return detectPairs(ctx, p)
	}
	return nil, fmt.Errorf("semantics %v is not available", opt.Semantics)
}

// detectPairs enumerates every pair of posts within the window, as both compat
// semantics define an edge.
func detectPairs(ctx context.Context, p *posts) (*Result, error) {
	rank, byRank := p.ranks()
	p.records = sortRecords(p.records)
	in := p.input()
	pairs, shared, err := window(ctx, p, rank)
	if err != nil {
		return nil, err
	}
	in.PredictedPairs = int64(len(pairs))
	in.SharedObjects = shared
	if p.opt.Semantics == CooRTweet && p.opt.MinParticipation >= 1 {
		pairs = p.participation(pairs)
	}
	in.PairsAfterFilter = int64(len(pairs))
	for _, n := range p.rows {
		if n >= int64(p.opt.MinParticipation) || p.opt.Semantics == CNT {
			in.Eligible++
		}
	}
	pairs = sortPairs(pairs)
	return p.network(pairs, byRank, in)
}

// window slides over the posts of each object, oldest first, and returns the
// pairs of different accounts at most the window apart, and the number of
// objects that two accounts shared.
//
// For CooRTweet this is steps 1 to 3 of detect_groups with remove_loops: rows
// of accounts with fewer rows than MinParticipation take no part; neither do
// rows whose object is their own content, nor pairs of one content. Equal times
// are ordered by the row order of the table regrouped by account, which for
// two accounts is the order of their first rows.
func window(ctx context.Context, p *posts, rank []uint32) (pairs []pair, shared int64, err error) {
	w := p.opt.window()
	coor := p.opt.Semantics == CooRTweet
	least := int64(0)
	if coor {
		least = int64(p.opt.MinParticipation)
	}
	var live []record
	done := int64(0)
	err = groups(p.records, func(g []record) error {
		if done++; done&0xfff == 0 {
			p.opt.Progress("window", done, int64(p.objects.len()))
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		live = live[:0]
		several := false
		for i := range g {
			several = several || g[i].account != g[0].account
			if p.rows[g[i].account] >= least && g[i].flags&selfShare == 0 {
				live = append(live, g[i])
			}
		}
		if several {
			shared++
		}
		from := 0
		for i := range live {
			n := &live[i]
			for n.time-live[from].time > w {
				from++
			}
			for j := from; j < i; j++ {
				o := &live[j]
				if o.account == n.account || coor && o.content == n.content {
					continue
				}
				pairs = append(pairs, makePair(o, n, rank))
			}
		}
		return nil
	})
	return pairs, shared, err
}

// makePair orders two posts, o not newer than n, by the rank of their accounts.
func makePair(o, n *record, rank []uint32) pair {
	older, newer := o, n
	if o.time == n.time && n.account < o.account {
		older, newer = n, o
	}
	x := pair{a: rank[older.account], b: rank[newer.account], object: o.object, contentA: older.content, contentB: newer.content, timeA: older.time, delta: newer.time - older.time}
	if x.a > x.b {
		x.a, x.b, x.contentA, x.contentB = x.b, x.a, x.contentB, x.contentA
		x.timeA, x.delta, x.flags = newer.time, -x.delta, olderB
	}
	return x
}

// participation is step 4 of detect_groups: an account qualifies with at least
// MinParticipation of its rows on contents that are left; a content is good if
// a row of a qualifying account has it; a pair stays if either content is good.
func (p *posts) participation(pairs []pair) []pair {
	left := newBitmap(p.contents.n)
	for i := range pairs {
		left.set(pairs[i].contentA)
		left.set(pairs[i].contentB)
	}
	least := int64(p.opt.MinParticipation)
	count := make([]int64, len(p.rows))
	for i := range p.records {
		if r := &p.records[i]; p.rows[r.account] >= least && left.has(r.content) {
			count[r.account]++
		}
	}
	good := newBitmap(p.contents.n)
	for i := range p.records {
		if r := &p.records[i]; count[r.account] >= least && left.has(r.content) {
			good.set(r.content)
		}
	}
	return slices.DeleteFunc(pairs, func(x pair) bool { return !good.has(x.contentA) && !good.has(x.contentB) })
}

type bitmap []uint64

func newBitmap(n uint32) bitmap         { return make(bitmap, n/64+1) }
func (b bitmap) set(i uint32)           { b[i/64] |= 1 << (i % 64) }
func (b bitmap) has(i uint32) bool      { return b[i/64]>>(i%64)&1 == 1 }
func distinct(s []uint32) (n int64)     { slices.Sort(s); return int64(len(slices.Compact(s))) }
func edgeMean(sum, pairs int64) float64 { return float64(sum) / 1e6 / float64(pairs) }

// network turns pairs sorted by (a, b) into edges.
func (p *posts) network(pairs []pair, byRank []uint32, in InputSummary) (*Result, error) {
	r := &Result{}
	store := &pairEvidence{p: p}
	index := map[uint32]int{}
	minWeight := int64(max(p.opt.MinWeight, 1))
	var kept []pair
	var cols [5][]uint32
	for len(pairs) > 0 {
		n := 1
		for n < len(pairs) && pairs[n].key() == pairs[0].key() {
			n++
		}
		e := aggregate(pairs[:n], &cols)
		if p.opt.Semantics == CNT {
			e.Weight = max(e.PostsA, e.PostsB)
		}
		if e.Weight >= minWeight {
			index[pairs[0].a], index[pairs[0].b] = 0, 0
			e.A, e.B = int(pairs[0].a), int(pairs[0].b)
			r.Edges = append(r.Edges, e)
			store.first = append(store.first, len(kept))
			kept = append(kept, pairs[:n]...)
		}
		pairs = pairs[n:]
	}
	store.pairs, store.first = kept, append(store.first, len(kept))
	r.evidence = store
	r.Summary = p.summary(in)
	p.nodes(r, index, byRank)
	r.Summary.Verdict, r.Summary.Reason = NotTested, "the "+p.opt.Semantics.String()+" semantics counts and gives no odds"
	r.Summary.Notes = append(r.Summary.Notes, baseRateNotice)
	if p.opt.Semantics == CooRTweet {
		threshold(r, p.opt.EdgeWeight)
	}
	return r, finish(r, p.opt)
}

// aggregate counts one edge's pairs.
func aggregate(pairs []pair, cols *[5][]uint32) Edge {
	for i := range cols {
		cols[i] = cols[i][:0]
	}
	var sum int64
	firstA := int64(0)
	for i := range pairs {
		x := &pairs[i]
		older, newer := x.contentA, x.contentB
		if x.flags&olderB != 0 {
			older, newer = newer, older
			sum -= x.delta
		} else {
			sum += x.delta
			firstA++
		}
		for c, v := range [5]uint32{x.object, x.contentA, x.contentB, older, newer} {
			cols[c] = append(cols[c], v)
		}
	}
	n := int64(len(pairs))
	e := Edge{Weight: n, PostPairs: n, MeanDelta: edgeMean(sum, n), FirstShareA: float64(firstA) / float64(n), P: math.NaN(), Q: math.NaN()}
	e.PSync, e.QSync, e.POverlap, e.QOverlap = math.NaN(), math.NaN(), math.NaN(), math.NaN()
	e.Objects, e.PostsA, e.PostsB = distinct(cols[0]), distinct(cols[1]), distinct(cols[2])
	e.ContentsOlder, e.ContentsNewer = distinct(cols[3]), distinct(cols[4])
	e.Symmetry = float64(min(e.ContentsOlder, e.ContentsNewer)) / float64(max(e.ContentsOlder, e.ContentsNewer))
	return e
}

// threshold marks the edges whose weight exceeds R's quantile type 7 at q, in
// the float64 arithmetic of R's quantile.default: rounding differently moves
// edges over the line.
func threshold(r *Result, q float64) {
	if len(r.Edges) == 0 {
		return
	}
	w := make([]float64, len(r.Edges))
	for i, e := range r.Edges {
		w[i] = float64(e.Weight)
	}
	slices.Sort(w)
	at := 1 + float64(len(w)-1)*q
	lo := math.Floor(at)
	h := at - lo
	x := w[int(lo)-1]
	if h > 0 && w[int(lo)] != x {
		x = float64((1-h)*x) + float64(h*w[int(lo)])
	}
	r.Summary.Network.EdgeWeight, r.Summary.Network.Threshold = q, x
	nodes := map[int]bool{}
	for i := range r.Edges {
		e := &r.Edges[i]
		if e.AboveThreshold = float64(e.Weight) > x; e.AboveThreshold {
			r.Summary.Network.AboveEdges++
			nodes[e.A], nodes[e.B] = true, true
		}
	}
	r.Summary.Network.AboveNodes = len(nodes)
}

// nodes renumbers the edges' ends from ranks to indexes of r.Nodes.
func (p *posts) nodes(r *Result, index map[uint32]int, byRank []uint32) {
	ranks := make([]uint32, 0, len(index))
	for k := range index {
		ranks = append(ranks, k)
	}
	slices.Sort(ranks)
	r.Nodes = make([]Node, len(ranks))
	for i, k := range ranks {
		index[k] = i
		id := byRank[k]
		name := p.accounts.string(id)
		r.Nodes[i] = Node{Account: name, Posts: p.rows[id], Declared: p.opt.Declared[name]}
	}
	for i := range r.Edges {
		e := &r.Edges[i]
		e.A, e.B = index[uint32(e.A)], index[uint32(e.B)]
		a, b := &r.Nodes[e.A], &r.Nodes[e.B]
		if a.Declared != "" && a.Declared == b.Declared {
			e.Declared = a.Declared
			r.Summary.Network.Declared++
		}
		a.Degree, b.Degree = a.Degree+1, b.Degree+1
		a.Strength, b.Strength = a.Strength+e.Weight, b.Strength+e.Weight
	}
}

// pairEvidence gives back every pair of posts of an edge.
type pairEvidence struct {
	p     *posts
	pairs []pair // by edge
	first []int  // first pair of each edge, and the end
}

func (s *pairEvidence) of(edge int, yield func(Evidence) bool) error {
	for _, x := range s.pairs[s.first[edge]:s.first[edge+1]] {
		e, err := s.p.evidence(edge, &x)
		if err != nil {
			return err
		}
		if !yield(e) {
			return nil
		}
	}
	return nil
}

func (s *pairEvidence) Close() error { return nil }

func (p *posts) evidence(edge int, x *pair) (Evidence, error) {
	a, err := p.contents.string(x.contentA)
	if err != nil {
		return Evidence{}, err
	}
	b, err := p.contents.string(x.contentB)
	if err != nil {
		return Evidence{}, err
	}
	kind, object := p.objects.entry(x.object)
	return Evidence{Edge: edge, Kind: kind, Object: string(object), ContentA: a, TimeA: x.timeA, ContentB: b, TimeB: x.timeA + x.delta,
		OlderB: x.flags&olderB != 0, ObjectPosts: p.shares[x.object], P: math.NaN()}, nil
}

func (p *posts) summary(in InputSummary) Summary {
	o := p.opt
	s := Summary{Version: Version, Semantics: o.Semantics.String(), WindowSeconds: o.Window.Seconds(), MinParticipation: o.MinParticipation, MinWeight: max(o.MinWeight, 1), Seed: o.Seed, Input: in}
	s.Load = LoadSummary{Memory: o.Memory, Parts: 1}
	if o.Semantics == CNT {
		s.MinParticipation = 0
	}
	return s
}
