package coord

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Candidate is a pair of accounts that was tested and not reported.
type Candidate struct {
	AccountA, AccountB string
	Edge               Edge // its A and B mean nothing
	// Verdict is [Popularity], or [NotEnough] when no outcome of the objects
	// the two shared could have been reported.
	Verdict string
}

// maxCandidates bounds Result.Candidates.
const maxCandidates = 1000

// combine joins the kinds, decides, and fills the result.
func (p *posts) combine(ctx context.Context, r *Result, runs []*kindPosts, outs []*analysis) error {
	eligible := int64(0)
	for _, n := range p.contentsOf {
		if n >= int32(p.opt.MinParticipation) {
			eligible++
		}
	}
	r.Summary.Input.Eligible = eligible
	pairs, test, used := p.fuse(outs)
	if used == 0 {
		r.Summary.Verdict = NotEnough
		r.Summary.Reason = fmt.Sprintf("fewer than %d posts on objects shared by two accounts, or fewer than %d such objects: no verdict is possible", leastShared, leastObjects)
		r.Summary.MinWeight = max(p.opt.MinWeight, 2)
		r.evidence = &pairEvidence{p: p, first: []int64{0, 0}}
		return finish(r, p.opt)
	}
	r.Summary.Test = test
	test.Tested = int64(len(pairs))
	for _, o := range outs {
		if o != nil && o.k >= r.Summary.MinWeight {
			r.Summary.MinWeight, r.Summary.MinWeightReason = o.k, o.why
		}
	}
	for _, k := range runs {
		if k.known != nil {
			continue
		}
		n, posts, err := k.replicate(ctx, pairs)
		if err != nil {
			return err
		}
		test.NullEdges += n
		test.NullPosts += posts
	}
	reported := p.report(r, pairs)
	store := &objectEvidence{p: p, first: []int{0}}
	if err := p.gatherEvidence(ctx, runs, reported, store); err != nil {
		return err
	}
	r.evidence = store
	p.setApart(r, runs, reported, store)
	p.verdict(r)
	return finish(r, p.opt)
}

// fuse joins the pairs of all kinds. With several, p is the smallest over the
// kinds times their number (Bonferroni): the kinds are not independent, since
// a URL and its domain are one act, so counts are never added.
func (p *posts) fuse(outs []*analysis) ([]tested, *TestSummary, int) {
	var used []*analysis
	for _, o := range outs {
		if o != nil {
			used = append(used, o)
		}
	}
	if len(used) == 0 {
		return nil, nil, 0
	}
	if len(used) == 1 {
		return used[0].pairs, &used[0].test, 1
	}
	test := used[0].test
	var all []tested
	for i, o := range used {
		all = append(all, o.pairs...)
		if i == 0 {
			continue
		}
		test.Candidates += o.test.Candidates
		test.Predicted += o.test.Predicted
		test.Family = math.Max(test.Family, o.test.Family)
		test.SyncFamily += o.test.SyncFamily
		test.HeavyObjects += o.test.HeavyObjects
		test.Overdispersed = math.Max(test.Overdispersed, o.test.Overdispersed)
		test.PhiSample = math.Min(test.PhiSample, o.test.PhiSample)
		test.NotAssessed = min(test.NotAssessed, o.test.NotAssessed)
	}
	slices.SortStableFunc(all, func(x, y tested) int {
		return cmp.Or(p.compareNames(x.a, x.b, y.a, y.b), cmp.Compare(x.p, y.p), cmp.Compare(x.kind, y.kind))
	})
	n := float64(len(used))
	var pairs []tested
	for i := 0; i < len(all); {
		j := i + 1
		for j < len(all) && all[j].a == all[i].a && all[j].b == all[i].b {
			j++
		}
		t := all[i]
		parts := make([]string, 0, j-i)
		for _, x := range all[i:j] {
			parts = append(parts, fmt.Sprintf("%v:%d:%.3g", x.kind, x.objects, x.p))
			t.pSync, t.pOverlap, t.best = math.Min(t.pSync, x.pSync), math.Min(t.pOverlap, x.pOverlap), math.Min(t.best, x.best)
		}
		t.kinds = strings.Join(parts, " ")
		t.p, t.pSync, t.pOverlap, t.best = math.Min(1, n*t.p), math.Min(1, n*t.pSync), math.Min(1, n*t.pOverlap), math.Min(1, n*t.best)
		pairs = append(pairs, t)
		i = j
	}
	joint := &analysis{pairs: pairs, test: test}
	decide(joint, p.opt.FDR)
	return pairs, &joint.test, len(used)
}

// report makes an edge of every pair at or below the false discovery rate, and
// keeps the best of the rest as candidates.
func (p *posts) report(r *Result, pairs []tested) []tested {
	var reported, rest []tested
	index := map[uint32]int{}
	for _, t := range pairs {
		if t.q > p.opt.FDR {
			rest = append(rest, t)
			continue
		}
		index[t.a], index[t.b] = 0, 0
		reported = append(reported, t)
	}
	accounts := make([]uint32, 0, len(index))
	for a := range index {
		accounts = append(accounts, a)
	}
	slices.SortFunc(accounts, func(a, b uint32) int { return bytes.Compare(p.accounts.bytes(a), p.accounts.bytes(b)) })
	r.Nodes = make([]Node, len(accounts))
	for i, a := range accounts {
		index[a] = i
		name := p.accounts.string(a)
		r.Nodes[i] = Node{Account: name, Posts: p.rows[a], Declared: p.opt.Declared[name]}
	}
	for i := range reported {
		t := &reported[i]
		e := t.edge(p.opt.FDR)
		e.A, e.B = index[t.a], index[t.b]
		a, b := &r.Nodes[e.A], &r.Nodes[e.B]
		if a.Declared != "" && a.Declared == b.Declared {
			e.Declared = a.Declared
			r.Summary.Network.Declared++
		}
		a.Degree, b.Degree = a.Degree+1, b.Degree+1
		a.Strength, b.Strength = a.Strength+e.Weight, b.Strength+e.Weight
		r.Edges = append(r.Edges, e)
	}
	rest = bestOf(rest, maxCandidates)
	slices.SortStableFunc(rest, func(x, y tested) int {
		return cmp.Or(cmp.Compare(x.p, y.p), cmp.Compare(y.objects, x.objects), p.compareNames(x.a, x.b, y.a, y.b))
	})
	for _, t := range rest[:min(len(rest), maxCandidates)] {
		c := Candidate{AccountA: p.accounts.string(t.a), AccountB: p.accounts.string(t.b), Edge: t.edge(p.opt.FDR), Verdict: Popularity}
		if t.best > r.Summary.Test.Cutoff {
			c.Verdict = NotEnough
		}
		r.Candidates = append(r.Candidates, c)
	}
	return reported
}

// bestOf leaves the pairs whose p-value is at most the n-th smallest, so that
// only they need be put in order: there may be millions.
func bestOf(pairs []tested, n int) []tested {
	if len(pairs) <= n {
		return pairs
	}
	p := make([]float64, len(pairs))
	for i := range pairs {
		p[i] = pairs[i].p
	}
	slices.Sort(p)
	return slices.DeleteFunc(pairs, func(t tested) bool { return t.p > p[n-1] })
}

func (t *tested) edge(fdr float64) Edge {
	n := float64(t.objects)
	return Edge{Weight: t.objects, Objects: t.objects, PostsA: t.postsA, PostsB: t.postsB, PostPairs: t.pairs, SharedObjects: t.shared,
		MeanDelta: float64(t.delta) / 1e6 / n, FirstShareA: float64(t.firstA) / 2 / n, P: t.p, Q: t.q, PSync: t.pSync, QSync: t.qSync,
		POverlap: t.pOverlap, QOverlap: t.qOverlap, Signals: t.signals(fdr), Kinds: t.kinds}
}

// verdict states the outcome in words.
func (p *posts) verdict(r *Result) {
	s := &r.Summary
	found := len(r.Edges) - s.Network.Declared - s.Network.Apart
	switch {
	case found > 0:
		s.Verdict = Coordinated
		s.Reason = fmt.Sprintf("%d edges are in sync more than popularity, hours and shared interests explain, at a false discovery rate of %g", found, p.opt.FDR)
	case len(r.Edges) > 0:
		s.Verdict = Explained
		s.Reason = fmt.Sprintf("all %d edges tie accounts of one owner or feed, declared or recognised: who they are, a person must say", len(r.Edges))
	case s.Test.Candidates > 0 && s.Test.Undecidable > 0 && s.Test.Undecidable == s.Test.Tested:
		s.Verdict = NotEnough
		s.Reason = fmt.Sprintf("all %d pairs in sync on %d objects share too little to be told from chance", s.Test.Undecidable, s.MinWeight)
	default:
		s.Verdict = Popularity
		s.Reason = fmt.Sprintf("no pair of accounts is in sync beyond what popularity explains; %d pairs of %.0f came close enough to compare", s.Test.Candidates, s.Test.Family)
	}
	s.Notes = append(s.Notes, baseRateNotice)
	if left := s.Test.Tested - int64(len(r.Edges)); left > maxCandidates {
		s.Notes = append(s.Notes, fmt.Sprintf("candidates.csv lists the best %d of %d pairs that were tested and not reported", maxCandidates, left))
	}
	if n := s.Test.Undecidable; n > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d pairs share too few objects for any outcome to be significant: they are undecided, not cleared", n))
	}
	if s.Input.FullMinutePct > 10 {
		s.Notes = append(s.Notes, fmt.Sprintf("%.1f %% of the posts fall on second 00, as schedulers make them (chance: 1.7 %%)", s.Input.FullMinutePct))
	}
	if s.Test.NullEdges > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("the null replicate reported %d edges where none can be: read the odds with care", s.Test.NullEdges))
	}
	if strings.HasPrefix(s.MinWeightReason, "raised") {
		s.Notes = append(s.Notes, fmt.Sprintf("the least weight is %d (%s): weaker ties were not looked at", s.MinWeight, s.MinWeightReason))
	}
}

// objectEvidence holds one coincidence for each edge and object in sync.
type objectEvidence struct {
	p     *posts
	rows  []coincidence
	first []int
}

type coincidence struct {
	object             uint32
	contentA, contentB uint32
	timeA, timeB       int64
	posts, accounts    int64
	p                  float64
}

func (s *objectEvidence) of(edge int, yield func(Evidence) bool) error {
	for _, c := range s.rows[s.first[edge]:s.first[edge+1]] {
		a, err := s.p.contents.string(c.contentA)
		if err != nil {
			return err
		}
		b, err := s.p.contents.string(c.contentB)
		if err != nil {
			return err
		}
		kind, object := s.p.objects.entry(c.object)
		if !yield(Evidence{Edge: edge, Kind: kind, Object: string(object), ContentA: a, TimeA: c.timeA, ContentB: b, TimeB: c.timeB, OlderB: c.timeB < c.timeA,
			ObjectPosts: c.posts, ObjectAccounts: c.accounts, P: c.p}) {
			return nil
		}
	}
	return nil
}

// gatherEvidence finds the closest pair of posts on every object in sync, of
// every kind that has the pair in sync on at least one.
func (p *posts) gatherEvidence(ctx context.Context, runs []*kindPosts, reported []tested, store *objectEvidence) error {
	rows := make([][]coincidence, len(reported))
	for _, k := range runs {
		want := make([]bool, p.accounts.len())
		for _, t := range reported {
			want[t.a], want[t.b] = true, true
		}
		l, err := k.lists(ctx, want)
		if err != nil {
			return err
		}
		if err := k.coincidences(ctx, reported, l, rows); err != nil {
			l.close()
			return err
		}
		if err := l.close(); err != nil {
			return err
		}
	}
	for _, r := range rows {
		slices.SortFunc(r, func(x, y coincidence) int {
			kx, ox := p.objects.entry(x.object)
			ky, oy := p.objects.entry(y.object)
			return cmp.Or(cmp.Compare(kx, ky), cmp.Compare(x.p, y.p), bytes.Compare(ox, oy))
		})
		store.rows = append(store.rows, r...)
		store.first = append(store.first, len(store.rows))
	}
	return nil
}

func (k *kindPosts) coincidences(ctx context.Context, reported []tested, l *lists, rows [][]coincidence) error {
	paces, err := k.paces(ctx, reported, l)
	if err != nil {
		return err
	}
	profiles, err := k.profiles(ctx, reported, l)
	if err != nil {
		return err
	}
	var bufs [2][]listed
	var contents [2][]uint32
	var ua, ub []float64
	for i := range reported {
		t := &reported[i]
		x, err := l.of(t.a, &bufs[0])
		if err != nil {
			return err
		}
		y, err := l.of(t.b, &bufs[1])
		if err != nil {
			return err
		}
		if len(x) == 0 || len(y) == 0 {
			continue
		}
		pa, pb := profiles[t.a], profiles[t.b]
		compareLists(x, y, k.bg.window, &contents, func(px, py []listed, bi, bj int) {
			object := px[0].object
			bi, bj = k.firstByName(px, py, bi, bj)
			o := paces[object]
			ua, ub = k.bg.shares(o, pa, ua), k.bg.shares(o, pb, ub)
			rows[i] = append(rows[i], coincidence{object, px[bi].content, py[bj].content, px[bi].time, py[bj].time, int64(o.posts), int64(k.accounts[object]),
				math.Min(1, float64(len(px))*float64(len(py))*k.bg.sync(o, ua, ub))})
		})
	}
	return ctx.Err()
}

// firstByName breaks ties between posts of the same two times by content id,
// in byte order: numbers depend on the order of the input.
func (k *kindPosts) firstByName(px, py []listed, bi, bj int) (int, int) {
	pick := func(s []listed, at int) int {
		best := at
		name := ""
		for j := range s {
			if s[j].time != s[at].time {
				continue
			}
			n, err := k.p.contents.string(s[j].content)
			if err == nil && (name == "" || n < name) {
				best, name = j, n
			}
		}
		return best
	}
	return pick(px, bi), pick(py, bj)
}

// replicate analyses a copy of the posts in which times are permuted within
// each object, on a sample of accounts when there are many, and returns how
// many edges it would have reported that chance alone made: it must be about
// none. Who shared what is left as it was, so pairs that overlap alone reports
// in the real posts, on objects nobody else shares, rightly come back and are
// not counted.
func (k *kindPosts) replicate(ctx context.Context, real []tested) (edges, posts int64, err error) {
	share := 1.0
	if n := float64(k.store.posts); n > replicatePosts {
		share = replicatePosts / n
	}
	seed := k.p.opt.Seed ^ 0x6e756c6c
	keep, hashes := make([]bool, len(k.eligible)), make([]uint64, len(k.eligible))
	for a := range keep {
		hashes[a] = hash64(k.p.accounts.bytes(uint32(a)), seed)
		keep[a] = share == 1 || float64(hashes[a]>>11)/(1<<53) < share
	}
	groups := make([][]record, workersOf())
	if err := k.store.each(ctx, func(w int, g []record) error {
		start := len(groups[w])
		for i := range g {
			if keep[g[i].account] {
				groups[w] = append(groups[w], g[i])
			}
		}
		k.permute(groups[w][start:], seed, hashes)
		return nil
	}); err != nil {
		return 0, 0, err
	}
	s := &store{mem: slices.Concat(groups...), opt: k.p.opt}
	s.posts = int64(len(s.mem))
	if s.posts == 0 {
		return 0, 0, nil
	}
	copyOpt := *k.p.opt
	copyOpt.Progress = func(string, int64, int64) {}
	q := *k.p
	q.opt = &copyOpt
	twin := newKindPosts(&q, k.kind, s)
	if err := twin.prepare(ctx, k.p.lo, k.p.hi); err != nil {
		return 0, 0, err
	}
	out, err := twin.analyse(ctx, true)
	if err != nil {
		return 0, 0, err
	}
	known := map[uint64]bool{}
	for i := range real {
		if real[i].q <= copyOpt.FDR {
			known[pairKey(real[i].a, real[i].b)] = true
		}
	}
	for _, t := range out.pairs {
		if t.q <= copyOpt.FDR && (t.qSync <= copyOpt.FDR || !known[pairKey(t.a, t.b)]) {
			edges++
		}
	}
	return edges, s.posts, nil
}

// replicatePosts bounds the null replicate.
const replicatePosts = 2_000_000

// permute deals the times of one object's posts anew. Whose post gets which
// time is fixed by the seed and names, not by the order of the input; accounts
// are the hashes of the accounts' names.
func (k *kindPosts) permute(g []record, seed uint64, accounts []uint64) {
	if len(g) < 2 {
		return
	}
	type dealt struct {
		key uint64
		r   record
	}
	object := hash64(k.p.objects.bytes(g[0].object), seed)
	deck := make([]dealt, len(g))
	times := make([]int64, len(g))
	for i, r := range g {
		times[i] = r.time
		deck[i] = dealt{mix64(accounts[r.account] ^ object ^ uint64(r.time)*0x9e3779b97f4a7c15), r}
	}
	slices.Sort(times)
	slices.SortFunc(deck, func(x, y dealt) int { return cmp.Or(cmp.Compare(x.key, y.key), cmp.Compare(x.r.content, y.r.content)) })
	for i := range deck {
		g[i] = deck[i].r
		g[i].time = times[i]
	}
}
