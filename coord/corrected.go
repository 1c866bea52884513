package coord

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"causeway/coord/null"
)

// tested is a pair of accounts in sync on at least k objects, with its odds.
type tested struct {
	a, b uint32 // accounts, a before b in byte order of their names
	overlap
	mu                 float64
	pSync, pOverlap, p float64
	qSync, qOverlap, q float64
	best               float64 // the smallest p the pair could have reached
	kind               Kind
	kinds              string // contribution of each kind, when there are several
}

// analysis is the outcome for one kind.
type analysis struct {
	pairs []tested
	test  TestSummary
	k     int
	why   string
}

// newKindPosts marks who is eligible: accounts of at least MinParticipation
// distinct contents.
func newKindPosts(p *posts, kind Kind, s *store) *kindPosts {
	k := &kindPosts{p: p, kind: kind, store: s, depth: max(topRanks, p.opt.MinWeight), eligible: make([]bool, p.accounts.len())}
	for a, n := range p.contentsOf {
		k.eligible[a] = n >= int32(p.opt.MinParticipation)
	}
	return k
}

// analyse finds and tests every pair of accounts in sync on at least k objects.
func (k *kindPosts) analyse(ctx context.Context, quiet bool) (*analysis, error) {
	opt := k.p.opt
	progress := func(stage string, done, total int64) {
		if !quiet {
			opt.Progress(stage, done, total)
		}
	}
	out := &analysis{}
	progress("count", 0, 0)
	cut, predicted, family, err := k.choose(ctx, out)
	if err != nil {
		return nil, err
	}
	progress("pairs", 0, 0)
	found, err := k.candidates(ctx, cut)
	if err != nil {
		return nil, err
	}
	defer found.close()
	base := k.bg.rates(k.bg.inBlock, k.bg.across)
	phi, share, err := k.overdispersion(ctx, base)
	if err != nil {
		return nil, err
	}
	k.family(out, predicted, family, phi, share)
	if err := k.measure(ctx, found, base, phi, out, progress); err != nil {
		return nil, err
	}
	decide(out, opt.FDR)
	return out, nil
}

// family counts the pairs that the tests are a family of.
func (k *kindPosts) family(out *analysis, predicted int64, syncFamily, phi, share float64) {
	eligible, short := 0, int64(0)
	for a, e := range k.eligible {
		if e && k.objects[a] >= int32(out.k) {
			eligible++
		} else if k.objects[a] > 0 {
			short++
		}
	}
	m := float64(eligible) * float64(eligible-1) / 2
	out.test = TestSummary{Predicted: predicted, Family: m, SyncFamily: math.Min(m, syncFamily), NotAssessed: short, BlockSeconds: float64(k.bg.block) / 1e6,
		HeavyObjects: len(k.heavy), Overdispersed: phi, PhiSample: share}
}

// choose settles k: as asked, or 2, raised until the predicted candidates fit.
func (k *kindPosts) choose(ctx context.Context, out *analysis) (cut []uint32, predicted int64, family float64, err error) {
	opt := k.p.opt
	asked := opt.MinWeight
	budget := opt.Memory / 16
	if opt.Scratch != nil {
		budget = max(4*opt.Memory/16, 1<<26)
	}
	for out.k = max(asked, 1); ; out.k++ {
		if asked == 0 && out.k == 1 {
			continue
		}
		cut = k.cut(out.k)
		if predicted, family, err = k.predict(ctx, cut); err != nil {
			return nil, 0, 0, err
		}
		switch {
		case predicted <= budget:
			switch {
			case asked > 0:
				out.why = "asked for"
			case out.k == 2:
				out.why = "default"
			default:
				out.why = fmt.Sprintf("raised from 2: below it more than %d candidate pairs of posts", budget)
			}
			return cut, predicted, family, nil
		case asked > 0 || out.k == k.depth:
			return nil, 0, 0, fmt.Errorf("at least weight %d meets %d candidate pairs of posts, more than the budget of %d: raise --min-weight or --memory, or shorten --window", out.k, predicted, budget)
		}
	}
}

// measure compares the lists of every candidate pair and tests those in sync
// on at least k objects.
func (k *kindPosts) measure(ctx context.Context, found *keys, base rates, phi float64, out *analysis, progress func(string, int64, int64)) error {
	want := make([]bool, len(k.eligible))
	total := int64(0)
	if err := found.chunks(1<<16, func(c []uint64) error {
		for _, key := range c {
			want[uint32(key>>32)], want[uint32(key)] = true, true
		}
		total += int64(len(c))
		return ctx.Err()
	}); err != nil {
		return err
	}
	out.test.Candidates = total
	l, err := k.lists(ctx, want)
	if err != nil {
		return err
	}
	defer l.close()
	done := int64(0)
	err = found.chunks(1<<18, func(c []uint64) error {
		progress("compare", done, total)
		kept := make([][]uint64, workersOf())
		const stride = 1 << 9
		err := parallel(ctx, (len(c)+stride-1)/stride, func(w, i int) error {
			var bufs [2][]listed
			last, x := ^uint32(0), []listed(nil)
			for _, key := range c[i*stride : min(len(c), (i+1)*stride)] {
				a, b := uint32(key>>32), uint32(key)
				var err error
				if a != last {
					if x, err = l.of(a, &bufs[0]); err != nil {
						return err
					}
					last = a
				}
				y, err := l.of(b, &bufs[1])
				if err != nil {
					return err
				}
				n := 0
				meet(x, y, func(px, py []listed) {
					if inSync(px, py, k.bg.window) {
						n++
					}
				})
				if n >= out.k {
					kept[w] = append(kept[w], key)
				}
			}
			return nil
		})
		done += int64(len(c))
		for _, s := range kept {
			for _, key := range s {
				out.pairs = append(out.pairs, k.named(uint32(key>>32), uint32(key)))
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(out.pairs, func(x, y tested) int { return k.p.compareNames(x.a, x.b, y.a, y.b) })
	progress("test", 0, int64(len(out.pairs)))
	return k.test(ctx, out, l, base, phi)
}

// named orders a pair of accounts by their names.
func (k *kindPosts) named(a, b uint32) tested {
	if string(k.p.accounts.bytes(a)) > string(k.p.accounts.bytes(b)) {
		a, b = b, a
	}
	return tested{a: a, b: b, kind: k.kind}
}

// paces counts the pace of every object that a tested pair shares.
func (k *kindPosts) paces(ctx context.Context, pairs []tested, l *lists) (map[uint32]*pace, error) {
	if k.known != nil {
		return k.known, nil
	}
	out := map[uint32]*pace{}
	var bufs [2][]listed
	for i := range pairs {
		x, err := l.of(pairs[i].a, &bufs[0])
		if err != nil {
			return nil, err
		}
		y, err := l.of(pairs[i].b, &bufs[1])
		if err != nil {
			return nil, err
		}
		meet(x, y, func(px, _ []listed) { out[px[0].object] = nil })
	}
	objects := make([]uint32, 0, len(out))
	for o := range out {
		objects = append(objects, o)
	}
	slices.Sort(objects)
	found := make([]*pace, len(objects))
	err := k.store.each(ctx, func(_ int, g []record) error {
		if i, ok := slices.BinarySearch(objects, g[0].object); ok {
			found[i] = k.bg.paceOf(g)
		}
		return nil
	})
	for i, o := range objects {
		out[o] = found[i]
	}
	return out, err
}

// test computes both odds of every pair.
func (k *kindPosts) test(ctx context.Context, out *analysis, l *lists, base rates, phi float64) error {
	paces, err := k.paces(ctx, out.pairs, l)
	if err != nil {
		return err
	}
	heavy := make([]rates, len(k.heavy))
	for i, h := range k.heavy {
		heavy[i] = k.bg.rates(h.inside, h.across)
	}
	profiles, err := k.profiles(ctx, out.pairs, l)
	if err != nil {
		return err
	}
	const stride = 64
	return parallel(ctx, (len(out.pairs)+stride-1)/stride, func(_, c int) error {
		var bufs [2][]listed
		var contents [2][]uint32
		var ua, ub, p, hp []float64
		for i := c * stride; i < min(len(out.pairs), (c+1)*stride); i++ {
			t := &out.pairs[i]
			x, err := l.of(t.a, &bufs[0])
			if err != nil {
				return err
			}
			y, err := l.of(t.b, &bufs[1])
			if err != nil {
				return err
			}
			pa, pb := profiles[t.a], profiles[t.b]
			t.overlap = compareLists(x, y, k.bg.window, &contents, nil)
			p = p[:0]
			meet(x, y, func(px, py []listed) {
				o := paces[px[0].object]
				ua, ub = k.bg.shares(o, pa, ua), k.bg.shares(o, pb, ub)
				p = append(p, math.Min(1, float64(len(px))*float64(len(py))*k.bg.sync(o, ua, ub)))
			})
			n := int(t.objects)
			t.pSync = null.PoissonBinomialTail(p, n)
			t.mu = base.mu(pa.blocks, pb.blocks)
			hp = hp[:0]
			for j := range heavy {
				if m := heavy[j].mu(pa.blocks, pb.blocks); m > 0 {
					hp = append(hp, -math.Expm1(-m))
				}
			}
			t.pOverlap = overlapTail(t.mu, phi, hp, n)
			t.p = math.Min(1, 2*math.Min(t.pSync, t.pOverlap))
			all := int(t.shared)
			t.best = math.Min(1, 2*math.Min(null.PoissonBinomialTail(p, all), overlapTail(t.mu, phi, hp, all)))
		}
		return nil
	})
}

func (k *kindPosts) profiles(ctx context.Context, pairs []tested, l *lists) (map[uint32]*profile, error) {
	out := map[uint32]*profile{}
	var buf []listed
	var times []int64
	for i := range pairs {
		for _, a := range []uint32{pairs[i].a, pairs[i].b} {
			if out[a] != nil {
				continue
			}
			posts, err := l.of(a, &buf)
			if err != nil {
				return nil, err
			}
			p := k.bg.profileOf(posts, times)
			out[a] = &p
		}
	}
	return out, ctx.Err()
}

// decide gives every pair its q-values and counts what cannot be decided.
func decide(out *analysis, fdr float64) {
	n := len(out.pairs)
	p, ps, po := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, t := range out.pairs {
		p[i], ps[i], po[i] = t.p, t.pSync, t.pOverlap
	}
	q := null.BenjaminiHochberg(p, out.test.Family)
	qs := null.BenjaminiHochberg(ps, out.test.SyncFamily)
	qo := null.BenjaminiHochberg(po, out.test.Family)
	out.test.Cutoff = null.Cutoff(p, q, out.test.Family, fdr)
	for i := range out.pairs {
		t := &out.pairs[i]
		t.q, t.qSync, t.qOverlap = q[i], qs[i], qo[i]
		if t.q > fdr && t.best > out.test.Cutoff {
			out.test.Undecidable++
		}
	}
}

// signals names the tests that report a pair.
func (t *tested) signals(fdr float64) string {
	switch s, o := t.qSync <= fdr, t.qOverlap <= fdr; {
	case s && o:
		return "sync+overlap"
	case s:
		return "sync"
	case o:
		return "overlap"
	case t.q <= fdr:
		return "combined"
	}
	return ""
}

// compareNames orders pairs of accounts by their names.
func (p *posts) compareNames(a, b, c, d uint32) int {
	if a != c {
		return slices.Compare(p.accounts.bytes(a), p.accounts.bytes(c))
	}
	if b == d {
		return 0
	}
	return slices.Compare(p.accounts.bytes(b), p.accounts.bytes(d))
}

// Least input that a verdict needs: posts on objects of two accounts, and such
// objects.
const (
	leastShared  = 50
	leastObjects = 5
)

// coarse refuses a clock that ticks slower than the window: times rounded to
// full minutes or hours would tie strangers together.
func (p *posts) coarse() error {
	n := p.kept()
	for _, c := range []struct {
		count, tick int64
		name        string
	}{{p.hours, 3600, "full hours"}, {p.minutes, 60, "full minutes"}} {
		if n >= 20 && c.count*100 >= n*95 && p.opt.window() < c.tick*1e6 {
			return fmt.Errorf("%d %% of the times are %s, coarser than the window of %v: use a window of at least %d s, or data with finer times", c.count*100/n, c.name, p.opt.Window, c.tick)
		}
	}
	return nil
}

// detectCorrected runs the default semantics on each kind and combines them.
func detectCorrected(ctx context.Context, p *posts) (r *Result, err error) {
	if err := p.coarse(); err != nil {
		return nil, err
	}
	in := p.input()
	r = &Result{Summary: p.summary(in)}
	r.Summary.FDR = p.opt.FDR
	var runs []*kindPosts
	var outs []*analysis
	defer func() {
		for _, s := range p.stores {
			if s != nil {
				err = errors.Join(err, s.close())
			}
		}
	}()
	for kind, s := range p.stores {
		if s == nil {
			continue
		}
		k := newKindPosts(p, Kind(kind), s)
		if err := k.prepare(ctx, p.lo, p.hi); err != nil {
			return nil, err
		}
		r.Summary.Input.SharedObjects += k.bg.shared
		r.Summary.Input.Repeats += k.bg.repeats
		r.Summary.Input.PredictedPairs += k.bg.pairs
		runs = append(runs, k)
		if k.bg.onShared < leastShared || k.bg.shared < leastObjects {
			outs = append(outs, nil)
			continue
		}
		out, err := k.analyse(ctx, false)
		if err != nil {
			return nil, err
		}
		outs = append(outs, out)
	}
	return r, p.combine(ctx, r, runs, outs)
}
