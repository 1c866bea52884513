package coord

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
)

// detectPairs enumerates every pair of posts within the window, as both compat
// semantics define an edge.
func detectPairs(ctx context.Context, p *posts) (r *Result, err error) {
	rank, byRank := p.ranks()
	in := p.input()
	found := &sorter[pair]{codec: pairCodec, limit: int(max(p.opt.Memory/4/40, 1<<12)), scratch: p.opt.Scratch, what: "the pairs of posts"}
	defer func() { err = errors.Join(err, found.close()) }()
	left := newBitmap(p.contents.n)
	shared := int64(0)
	for _, s := range p.stores {
		if s == nil {
			continue
		}
		if err := s.sort(ctx, func(_ int, g []record) []record { return g }); err != nil {
			return nil, err
		}
	}
	if err := p.affordable(ctx); err != nil {
		return nil, err
	}
	for _, s := range p.stores {
		if s == nil {
			continue
		}
		n, err := p.slide(ctx, s, rank, found, left)
		if err != nil {
			return nil, err
		}
		shared += n
	}
	if err := found.finish(); err != nil {
		return nil, err
	}
	in.PredictedPairs, in.SharedObjects = found.n, shared
	for _, n := range p.rows {
		if n >= int64(p.opt.MinParticipation) || p.opt.Semantics == CNT {
			in.Eligible++
		}
	}
	keep := func(*pair) bool { return true }
	if p.opt.Semantics == CooRTweet {
		good, err := p.participation(ctx, left)
		if err != nil {
			return nil, err
		}
		keep = func(x *pair) bool { return good.has(x.contentA) || good.has(x.contentB) }
	}
	for _, s := range p.stores {
		if s != nil {
			err = errors.Join(err, s.close())
		}
	}
	if err != nil {
		return nil, err
	}
	return p.network(ctx, found, keep, byRank, in)
}

// maxPairs bounds the pairs of posts that the compat semantics enumerate: 40 GB
// of scratch. They cannot be pruned, since one coincidence makes an edge.
const maxPairs = 1_000_000_000

// affordable counts the in-window pairs, which costs a pass over the posts, and
// refuses a run whose enumeration would not end well.
func (p *posts) affordable(ctx context.Context) error {
	w := p.opt.window()
	sums := make([]int64, workersOf())
	for _, s := range p.stores {
		if s == nil {
			continue
		}
		if err := s.each(ctx, func(worker int, g []record) error {
			from := 0
			for i := range g {
				for g[i].time-g[from].time > w {
					from++
				}
				sums[worker] += int64(i - from)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	total := int64(0)
	for _, n := range sums {
		total += n
	}
	limit := int64(maxPairs)
	if p.opt.Scratch == nil {
		limit = min(limit, p.opt.Memory/40)
	}
	if total > limit {
		return fmt.Errorf("up to %d pairs of posts lie within %v of each other on one object, more than %d: the %v semantics would enumerate them all; shorten the window, leave out the viral objects, or use the corrected semantics, which prunes them exactly", total, p.opt.Window, limit, p.opt.Semantics)
	}
	return nil
}

// slide slides over the posts of each object, oldest first, gives the pairs of
// different accounts at most the window apart to found, marks their contents
// in left, and returns how many objects two accounts shared.
//
// For CooRTweet this is steps 1 to 3 of detect_groups with remove_loops: rows
// of accounts with fewer rows than MinParticipation take no part; neither do
// rows whose object is their own content, nor pairs of one content. Equal times
// are ordered by the row order of the table regrouped by account, which for
// two accounts is the order of their first rows.
func (p *posts) slide(ctx context.Context, s *store, rank []uint32, found *sorter[pair], left bitmap) (shared int64, err error) {
	w := p.opt.window()
	coor := p.opt.Semantics == CooRTweet
	least := int64(0)
	if coor {
		least = int64(p.opt.MinParticipation)
	}
	n := workersOf()
	lives, pairs, counts := make([][]record, n), make([][]pair, n), make([]int64, n)
	var done atomic.Int64
	flush := func(worker int) error {
		for i := range pairs[worker] {
			left.set(pairs[worker][i].contentA)
			left.set(pairs[worker][i].contentB)
		}
		err := found.add(pairs[worker])
		pairs[worker] = pairs[worker][:0]
		return err
	}
	err = s.each(ctx, func(worker int, g []record) error {
		if d := done.Add(1); d&0xfff == 0 {
			p.opt.Progress("window", d, int64(p.objects.len()))
		}
		live := lives[worker][:0]
		several := false
		for i := range g {
			several = several || g[i].account != g[0].account
			if p.rows[g[i].account] >= least && g[i].flags&selfShare == 0 {
				live = append(live, g[i])
			}
		}
		lives[worker] = live
		if !several {
			return nil
		}
		counts[worker]++
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
				pairs[worker] = append(pairs[worker], makePair(o, n, rank))
			}
			if len(pairs[worker]) > 1<<14 {
				if err := errors.Join(ctx.Err(), flush(worker)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	for worker := range n {
		err = errors.Join(err, flush(worker))
		shared += counts[worker]
	}
	return shared, err
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

// participation is step 4 of detect_groups and returns the good contents: an
// account qualifies with at least MinParticipation of its rows on contents that
// are left; a content is good if a row of a qualifying account has it.
func (p *posts) participation(ctx context.Context, left bitmap) (bitmap, error) {
	least := int64(p.opt.MinParticipation)
	count := make([]atomic.Int64, len(p.rows))
	good := newBitmap(p.contents.n)
	for _, do := range []func(r *record){
		func(r *record) { count[r.account].Add(1) },
		func(r *record) {
			if count[r.account].Load() >= least {
				good.set(r.content)
			}
		},
	} {
		for _, s := range p.stores {
			if s == nil {
				continue
			}
			if err := s.each(ctx, func(_ int, g []record) error {
				for i := range g {
					if r := &g[i]; p.rows[r.account] >= least && left.has(r.content) {
						do(r)
					}
				}
				return nil
			}); err != nil {
				return nil, err
			}
		}
	}
	return good, nil
}

// bitmap is a set of contents that several goroutines may add to.
type bitmap []atomic.Uint64

func newBitmap(n uint32) bitmap { return make(bitmap, n/64+1) }

func (b bitmap) set(i uint32) {
	if !b.has(i) {
		b[i/64].Or(1 << (i % 64))
	}
}

func (b bitmap) has(i uint32) bool { return b[i/64].Load()>>(i%64)&1 == 1 }

func distinct(s []uint32) (n int64)     { slices.Sort(s); return int64(len(slices.Compact(s))) }
func edgeMean(sum, pairs int64) float64 { return float64(sum) / 1e6 / float64(pairs) }

// network turns pairs, sorted by (a, b), into edges.
func (p *posts) network(ctx context.Context, found *sorter[pair], keep func(*pair) bool, byRank []uint32, in InputSummary) (*Result, error) {
	r := &Result{}
	store := &pairEvidence{p: p}
	r.evidence = store
	if n := found.distinctKeys(); n > 0 { // grown step by step they would be copied many times over
		r.Edges = make([]Edge, 0, n)
		store.first = make([]int64, 0, n+1)
		store.mem = make([]pair, 0, min(found.n, store.room()+runBuffer))
	}
	index := map[uint32]int{}
	minWeight := int64(max(p.opt.MinWeight, 1))
	var group []pair
	var cols [5][]uint32
	var kept int64
	finishGroup := func() error {
		if len(group) == 0 {
			return nil
		}
		if len(group) > 1 {
			slices.SortFunc(group, func(x, y pair) int {
				return cmp.Or(cmp.Compare(x.object, y.object), cmp.Compare(x.contentA, y.contentA), cmp.Compare(x.contentB, y.contentB), cmp.Compare(x.timeA, y.timeA))
			})
		}
		e := aggregate(group, &cols)
		if p.opt.Semantics == CNT {
			e.Weight = max(e.PostsA, e.PostsB)
		}
		var err error
		if e.Weight >= minWeight {
			index[group[0].a], index[group[0].b] = 0, 0
			e.A, e.B = int(group[0].a), int(group[0].b)
			r.Edges = append(r.Edges, e)
			err = store.add(group)
		}
		kept += int64(len(group))
		group = group[:0]
		return err
	}
	err := found.chunks(1<<12, func(c []pair) error {
		for i := range c {
			if !keep(&c[i]) {
				continue
			}
			if len(group) > 0 && group[0].key() != c[i].key() {
				if err := finishGroup(); err != nil {
					return err
				}
			}
			group = append(group, c[i])
		}
		return ctx.Err()
	})
	if err = errors.Join(err, finishGroup()); err == nil {
		err = store.finish()
	}
	if err != nil {
		return nil, err
	}
	in.PairsAfterFilter = kept
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
	if n == 1 {
		e.Objects, e.PostsA, e.PostsB, e.ContentsOlder, e.ContentsNewer, e.Symmetry = 1, 1, 1, 1, 1, 1
		return e
	}
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

// pairEvidence gives back every pair of posts of an edge; pairs beyond an
// eighth of the budget are on scratch.
type pairEvidence struct {
	p     *posts
	mem   []pair
	file  ScratchFile
	n     int64
	first []int64 // first pair of each edge, and the end
}

func (s *pairEvidence) add(pairs []pair) error {
	s.first = append(s.first, s.n)
	s.n += int64(len(pairs))
	s.mem = append(s.mem, pairs...)
	if int64(len(s.mem)) < s.room() || s.p.opt.Scratch == nil {
		return nil
	}
	if s.file == nil {
		f, err := s.p.opt.Scratch.Create()
		if err != nil {
			return fmt.Errorf("make a scratch file: %w", err)
		}
		s.file = f
	}
	return s.flush()
}

// room is how many pairs stay in memory.
func (s *pairEvidence) room() int64 { return max(s.p.opt.Memory/8, 1<<16) / 40 }

func (s *pairEvidence) flush() error {
	err := writeAll(s.file, s.mem, pairCodec)
	s.mem = s.mem[:0]
	return err
}

func (s *pairEvidence) finish() error {
	s.first = append(s.first, s.n)
	if s.file == nil {
		return nil
	}
	return s.flush()
}

func (s *pairEvidence) of(edge int, yield func(Evidence) bool) error {
	from, to := s.first[edge], s.first[edge+1]
	pairs := s.mem
	if s.file == nil {
		pairs = pairs[from:to]
	} else {
		var err error
		if pairs, err = readSome(s.file, from, int(to-from), pairCodec, nil); err != nil {
			return err
		}
	}
	for i := range pairs {
		e, err := s.p.evidence(edge, &pairs[i])
		if err != nil {
			return err
		}
		if !yield(e) {
			return nil
		}
	}
	return nil
}

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
