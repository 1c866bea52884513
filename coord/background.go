package coord

import (
	"cmp"
	"context"
	"slices"
)

const (
	hourMicros = 3_600_000_000
	dayMicros  = 24 * hourMicros
)

// clock cuts time into the blocks of the overlap test and the days of the
// profiles, counted from the first post. Blocks start at multiples of their
// length since 1970, so a shift by whole weeks changes nothing.
type clock struct {
	window   int64
	block    int64 // max(6 h, 6 windows)
	first    int64 // block of the first post
	blocks   int
	firstDay int64
	days     int
	bin      int64 // hours of a bin of the synchrony test
}

func newClock(window, lo, hi int64) clock {
	c := clock{window: window, block: max(6*hourMicros, 6*window), bin: max(1, (window+hourMicros-1)/hourMicros)}
	c.first, c.firstDay = floorDiv(lo, c.block), floorDiv(lo, dayMicros)
	c.blocks, c.days = int(floorDiv(hi, c.block)-c.first)+1, int(floorDiv(hi, dayMicros)-c.firstDay)+1
	return c
}

func (c *clock) blockOf(t int64) int { return int(floorDiv(t, c.block) - c.first) }
func (c *clock) dayOf(t int64) int   { return int(floorDiv(t, dayMicros) - c.firstDay) }
func hourOfDay(t int64) int          { return int(floorDiv(t, hourMicros) - 24*floorDiv(t, dayMicros)) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// background is what the tests compare with: all posts of one kind, eligible
// or not. Every number is a sum over objects.
type background struct {
	clock
	posts    int64
	byBlock  []int64 // N(d)
	inBlock  []int64 // I(d): in-window pairs of posts on one object inside block d
	across   []int64 // J(d): the same between d and d+1
	byDay    []int64
	byHour   [24]int64
	pairs    int64 // all in-window pairs: what enumeration would cost
	shared   int64 // objects of at least two accounts
	onShared int64 // posts on them
	repeats  int64
}

func newBackground(c clock) *background {
	return &background{clock: c, byBlock: make([]int64, c.blocks), inBlock: make([]int64, c.blocks), across: make([]int64, c.blocks), byDay: make([]int64, c.days)}
}

func (b *background) merge(x *background) {
	b.posts += x.posts
	b.pairs += x.pairs
	b.shared += x.shared
	b.onShared += x.onShared
	b.repeats += x.repeats
	for i := range x.byBlock {
		b.byBlock[i] += x.byBlock[i]
		b.inBlock[i] += x.inBlock[i]
		b.across[i] += x.across[i]
	}
	for i := range x.byDay {
		b.byDay[i] += x.byDay[i]
	}
	for i := range x.byHour {
		b.byHour[i] += x.byHour[i]
	}
}

// count adds the in-window pairs of one object's posts, in order of time, to
// inside (pairs whose posts share a block) and across (pairs of neighbouring
// blocks, under the earlier), and returns how many there are. A window never
// spans three blocks.
func (c *clock) count(g []record, inside, across []int64) (pairs int64) {
	from, start, block := 0, 0, -1
	for i := range g {
		if d := c.blockOf(g[i].time); d != block {
			block, start = d, i
		}
		for g[i].time-g[from].time > c.window {
			from++
		}
		inside[block] += int64(i - max(from, start))
		if from < start {
			across[block-1] += int64(start - from)
		}
		pairs += int64(i - from)
	}
	return pairs
}

// kindPosts is everything the corrected semantics knows of one kind.
type kindPosts struct {
	p        *posts
	kind     Kind
	store    *store
	bg       *background
	accounts []uint32 // distinct accounts of each object
	inWindow []int64  // in-window pairs of each object
	objects  []int32  // distinct objects of each account
	rank     []uint32 // of each object, rare to popular
	top      []uint32 // the topRanks highest ranks of each account's objects
	depth    int
	heavy    []heavyObject
	eligible []bool
	// known are the paces of all objects that matter, where the posts of the
	// store are only a part (see finishCluster); else nil.
	known map[uint32]*pace
}

// heavyObject is an object of so many in-window pairs that it would drown mu.
type heavyObject struct {
	object         uint32
	pairs          int64
	inside, across []int64
}

// prepare sorts the posts and counts the background: one pass.
func (k *kindPosts) prepare(ctx context.Context, lo, hi int64) error {
	p := k.p
	k.accounts, k.inWindow = make([]uint32, p.objects.len()), make([]int64, p.objects.len())
	k.objects = make([]int32, p.accounts.len())
	c := newClock(p.opt.window(), lo, hi)
	n := workersOf()
	bgs, lasts := make([]*background, n), make([][]uint32, n)
	counts := make([][]int32, n)
	tops := make([][]uint32, n)
	k.rankObjects()
	for w := range n {
		bgs[w], lasts[w], counts[w] = newBackground(c), make([]uint32, p.accounts.len()), make([]int32, p.accounts.len())
		tops[w] = make([]uint32, p.accounts.len()*k.depth)
	}
	err := k.store.sort(ctx, func(w int, g []record) []record {
		bg, last := bgs[w], lasts[w]
		n := len(g)
		g = dropRepeats(g)
		bg.repeats += int64(n - len(g))
		o := g[0].object
		for i := range g {
			t, a := g[i].time, g[i].account
			bg.byBlock[c.blockOf(t)]++
			bg.byDay[c.dayOf(t)]++
			bg.byHour[hourOfDay(t)]++
			if last[a] != o+1 {
				last[a] = o + 1
				counts[w][a]++
				k.accounts[o]++
				offer(tops[w][int(a)*k.depth:][:k.depth], k.rank[o])
			}
		}
		bg.posts += int64(len(g))
		k.inWindow[o] = c.count(g, bg.inBlock, bg.across)
		bg.pairs += k.inWindow[o]
		if k.accounts[o] > 1 {
			bg.shared++
			bg.onShared += int64(len(g))
		}
		return g
	})
	if err != nil {
		return err
	}
	k.bg, k.top = bgs[0], tops[0]
	copy(k.objects, counts[0])
	for w := 1; w < n; w++ {
		k.bg.merge(bgs[w])
		for a, m := range counts[w] {
			k.objects[a] += m
			for _, r := range tops[w][a*k.depth:][:k.depth] {
				offer(k.top[a*k.depth:][:k.depth], r)
			}
		}
	}
	k.store.dropped += k.bg.repeats
	k.bg.repeats = k.store.dropped
	return k.findHeavy(ctx)
}

// dropRepeats keeps one of each (content, time) of an object: a post counts
// once however often it appears. It reorders posts of equal time.
func dropRepeats(g []record) []record {
	out := g[:0]
	for i := 0; i < len(g); {
		j := i + 1
		for j < len(g) && g[j].time == g[i].time {
			j++
		}
		run := g[i:j]
		if len(run) > 1 {
			slices.SortFunc(run, func(a, b record) int { return cmp.Compare(a.content, b.content) })
			run = slices.CompactFunc(run, func(a, b record) bool { return a.content == b.content })
		}
		out = append(out, run...)
		i = j
	}
	return out
}

// offer keeps the highest ranks seen, descending; rank 0 is none.
func offer(top []uint32, rank uint32) {
	for i := range top {
		if rank > top[i] {
			rank, top[i] = top[i], rank
		}
	}
}

// orderKey places an object in the one order that the prefix filter needs, rare
// to popular: posts, then a hash of the name. It is the same on every machine.
func (p *posts) orderKey(object uint32) uint64 {
	return uint64(p.shares[object])<<32 | hash64(p.objects.bytes(object), 0)>>32
}

// rankObjects gives the objects their ranks, from 1, in order of orderKey, ties
// by number.
func (k *kindPosts) rankObjects() {
	type entry struct {
		key    uint64
		object uint32
	}
	order := make([]entry, len(k.p.shares))
	for o := range order {
		order[o] = entry{k.p.orderKey(uint32(o)), uint32(o)}
	}
	order = radix(order, func(e *entry) uint64 { return e.key })
	k.rank = make([]uint32, len(order))
	for r, e := range order {
		k.rank[e.object] = uint32(r) + 1
	}
}

// Limits of a heavy object: over one pair in a hundred and over 50 of them, at
// most 64 objects.
const (
	heavyShare = 100
	heavyLeast = 50
	heavyMost  = 64
)

// orderHeavy keeps the heaviest.
func (k *kindPosts) orderHeavy() {
	slices.SortFunc(k.heavy, func(a, b heavyObject) int {
		return cmp.Or(cmp.Compare(b.pairs, a.pairs), cmp.Compare(string(k.p.objects.bytes(a.object)), string(k.p.objects.bytes(b.object))))
	})
	k.heavy = k.heavy[:min(len(k.heavy), heavyMost)]
}

// findHeavy takes the heavy objects out of the background, into terms of their
// own.
func (k *kindPosts) findHeavy(ctx context.Context) error {
	for o, n := range k.inWindow {
		if n > heavyLeast && n*heavyShare > k.bg.pairs {
			k.heavy = append(k.heavy, heavyObject{object: uint32(o), pairs: n})
		}
	}
	if len(k.heavy) == 0 {
		return nil
	}
	k.orderHeavy()
	at := map[uint32]int{}
	for i := range k.heavy {
		at[k.heavy[i].object] = i
	}
	err := k.store.each(ctx, func(_ int, g []record) error {
		if i, ok := at[g[0].object]; ok { // each object is in one group, so no two goroutines meet here
			h := &k.heavy[i]
			h.inside, h.across = make([]int64, k.bg.blocks), make([]int64, k.bg.blocks)
			k.bg.count(g, h.inside, h.across)
		}
		return nil
	})
	for i := range k.heavy {
		for d, n := range k.heavy[i].inside {
			k.bg.inBlock[d] -= n
			k.bg.across[d] -= k.heavy[i].across[d]
		}
	}
	return err
}
