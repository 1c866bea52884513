package coord

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// A run on a cluster is the corrected semantics in three rounds over parts of
// the posts, each part holding all posts of its objects. Every number that a
// round gives is a sum over objects, so parts merge by addition, a part may be
// computed again after a failure, and the edges equal the local engine's.
//
//	count  part            -> background, accounts, heavy objects
//	plan   all counts      -> prefix filter and sample, for all parts
//	pairs  part, plan      -> candidate pairs, sample of the overdispersion
//	posts  part, pairs     -> posts of candidate accounts, pace of their objects
//	finish all of it       -> Result
//
// Lines are text, tab separated, names in base64.

// Plan is what every part must know for the second round.
type Plan struct {
	Window, Lo, Hi int64
	MinWeight      int
	Share          float64
	Seed           uint64
	Heavy          []string
	// Cut maps each eligible account to the order key of the prefix filter.
	Cut map[string]uint64
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func unb64(s string) ([]byte, error) { return base64.StdEncoding.DecodeString(s) }

// loadPart reads one part. Who is eligible is only known to the plan.
func loadPart(ctx context.Context, src Source, opt *Options) (*kindPosts, error) {
	opt.Semantics = Corrected
	if err := opt.normalise(); err != nil {
		return nil, err
	}
	p, err := load(ctx, src, opt)
	if err != nil {
		return nil, err
	}
	s := p.stores[Object]
	if s == nil {
		return nil, nil
	}
	return newKindPosts(p, Object, s), nil
}

// ClusterCount is the first round on one part.
func ClusterCount(ctx context.Context, src Source, opt Options, w io.Writer) error {
	k, err := loadPart(ctx, src, &opt)
	if err != nil || k == nil {
		return err
	}
	if err := k.prepare(ctx, k.p.lo, k.p.hi); err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	bg, in := k.bg, k.p.in
	fmt.Fprintf(b, "s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", k.p.lo, k.p.hi, bg.posts, bg.repeats, bg.pairs, bg.shared, bg.onShared, in.SelfShares, k.p.minutes, k.p.hours, k.p.objects.len())
	heavy := map[uint32]*heavyObject{}
	for i := range k.heavy {
		heavy[k.heavy[i].object] = &k.heavy[i]
	}
	for d := range bg.blocks {
		inside, across := bg.inBlock[d], bg.across[d]
		for _, h := range heavy { // heavy in a part need not be heavy in the whole
			inside, across = inside+h.inside[d], across+h.across[d]
		}
		if bg.byBlock[d] > 0 || across > 0 {
			fmt.Fprintf(b, "d\t%d\t%d\t%d\t%d\n", bg.first+int64(d), bg.byBlock[d], inside, across)
		}
	}
	for d, n := range bg.byDay {
		if n > 0 {
			fmt.Fprintf(b, "y\t%d\t%d\n", bg.firstDay+int64(d), n)
		}
	}
	for h, n := range bg.byHour {
		fmt.Fprintf(b, "h\t%d\t%d\n", h, n)
	}
	keys := k.sortedKeys()
	for a, n := range k.objects {
		fmt.Fprintf(b, "a\t%s\t%d\t%d", b64(k.p.accounts.bytes(uint32(a))), n, k.p.rows[a])
		for _, r := range k.top[a*k.depth:][:k.depth] {
			if r > 0 {
				fmt.Fprintf(b, "\t%d", keys[r-1])
			}
		}
		b.WriteByte('\n')
	}
	if err := k.writeHeavy(ctx, b); err != nil {
		return err
	}
	return b.Flush()
}

// sortedKeys are the order keys by rank.
func (k *kindPosts) sortedKeys() []uint64 {
	keys := make([]uint64, len(k.rank))
	for o, r := range k.rank {
		keys[r-1] = k.p.orderKey(uint32(o))
	}
	return keys
}

// writeHeavy gives the blocks of every object that may be heavy in the whole.
func (k *kindPosts) writeHeavy(ctx context.Context, b *bufio.Writer) error {
	lines := make([][]byte, workersOf())
	err := k.store.each(ctx, func(w int, g []record) error {
		o := g[0].object
		if k.inWindow[o] <= heavyLeast {
			return nil
		}
		c := newClock(k.bg.window, g[0].time, g[len(g)-1].time)
		inside, across := make([]int64, c.blocks), make([]int64, c.blocks)
		c.count(g, inside, across)
		lines[w] = fmt.Appendf(lines[w], "o\t%s\t%d", b64(k.p.objects.bytes(o)), k.inWindow[o])
		for d := range inside {
			if inside[d] > 0 || across[d] > 0 {
				lines[w] = fmt.Appendf(lines[w], "\t%d:%d:%d", c.first+int64(d), inside[d], across[d])
			}
		}
		lines[w] = append(lines[w], '\n')
		return nil
	})
	for _, l := range lines {
		b.Write(l)
	}
	return err
}

// cluster is what all parts counted.
type cluster struct {
	p *posts
	k *kindPosts
	// keys are the order keys of each account's most popular objects, descending.
	keys [][]uint64
}

// fields reads tab separated lines.
func fields(r io.Reader, do func(f []string) error) error {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 1<<20), 1<<30)
	for n := 1; s.Scan(); n++ {
		if len(s.Bytes()) == 0 {
			continue
		}
		if err := do(strings.Split(s.Text(), "\t")); err != nil {
			return fmt.Errorf("line %d of a cluster's answer: %w", n, err)
		}
	}
	return s.Err()
}

// ints reads decimal numbers.
func ints(f []string) ([]int64, error) {
	out := make([]int64, len(f))
	for i, s := range f {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return nil, err
		}
		out[i] = n
	}
	return out, nil
}

// merge adds up the first round. contents gives, as account and number, the
// distinct contents of each account.
func merge(counts, contents io.Reader, opt *Options) (*cluster, error) {
	opt.Semantics = Corrected
	if err := opt.normalise(); err != nil {
		return nil, err
	}
	all, err := io.ReadAll(counts)
	if err != nil {
		return nil, err
	}
	p := newPosts(opt)
	c := &cluster{p: p, k: &kindPosts{p: p, kind: Object, depth: max(topRanks, opt.MinWeight)}}
	if err := c.totals(all); err != nil {
		return nil, err
	}
	if p.lo > p.hi {
		return nil, fmt.Errorf("the cluster counted no posts")
	}
	c.k.bg = addTo(newBackground(newClock(opt.window(), p.lo, p.hi)), c.k.bg)
	if err := c.accounts(all); err != nil {
		return nil, err
	}
	if err := fields(contents, func(f []string) error {
		name, err := unb64(f[0])
		if err != nil {
			return err
		}
		n, err := ints(f[1:2])
		if err != nil {
			return err
		}
		id, err := c.account(name)
		if err != nil {
			return err
		}
		p.contentsOf[id] = int32(n[0])
		p.in.Contents += n[0]
		return nil
	}); err != nil {
		return nil, err
	}
	c.k.eligible = make([]bool, p.accounts.len())
	for a, n := range p.contentsOf {
		c.k.eligible[a] = n >= int32(opt.MinParticipation)
	}
	c.pickHeavy()
	return c, nil
}

func addTo(b, totals *background) *background {
	b.posts, b.repeats, b.pairs, b.shared, b.onShared = totals.posts, totals.repeats, totals.pairs, totals.shared, totals.onShared
	return b
}

// totals reads the sums that the clock depends on.
func (c *cluster) totals(all []byte) error {
	p, bg := c.p, &background{}
	c.k.bg = bg
	return fields(bytes.NewReader(all), func(f []string) error {
		if f[0] != "s" {
			return nil
		}
		n, err := ints(f[1:])
		if err != nil {
			return err
		}
		p.lo, p.hi = min(p.lo, n[0]), max(p.hi, n[1])
		bg.posts, bg.repeats, bg.pairs, bg.shared, bg.onShared = bg.posts+n[2], bg.repeats+n[3], bg.pairs+n[4], bg.shared+n[5], bg.onShared+n[6]
		p.in.SelfShares += n[7]
		p.minutes, p.hours = p.minutes+n[8], p.hours+n[9]
		p.in.Objects += n[10]
		p.kinds[Object] += n[2] + n[3]
		return nil
	})
}

func (c *cluster) account(name []byte) (uint32, error) {
	id, err := c.p.accounts.id(0, name)
	if err == nil && int(id) == len(c.p.rows) {
		c.p.rows, c.p.contentsOf = append(c.p.rows, 0), append(c.p.contentsOf, 0)
		c.k.objects, c.keys = append(c.k.objects, 0), append(c.keys, nil)
	}
	return id, err
}

func (c *cluster) object(name []byte) (uint32, error) {
	id, err := c.p.objects.id(Object, name)
	if err == nil && int(id) == len(c.p.shares) {
		c.p.shares = append(c.p.shares, 0)
		c.k.accounts = append(c.k.accounts, 0)
	}
	return id, err
}

// accounts reads everything but the totals.
func (c *cluster) accounts(all []byte) error {
	bg := c.k.bg
	return fields(bytes.NewReader(all), func(f []string) error {
		if f[0] == "a" || f[0] == "o" {
			name, err := unb64(f[1])
			if err != nil {
				return err
			}
			if f[0] == "o" {
				return c.heavy(name, f[2:])
			}
			n, err := ints(f[2:4])
			if err != nil {
				return err
			}
			id, err := c.account(name)
			if err != nil {
				return err
			}
			c.k.objects[id] += int32(n[0])
			c.p.rows[id] += n[1]
			for _, s := range f[4:] {
				key, err := strconv.ParseUint(s, 10, 64)
				if err != nil {
					return err
				}
				c.keys[id] = append(c.keys[id], key)
			}
			slices.SortFunc(c.keys[id], func(a, b uint64) int { return -compareUint(a, b) })
			c.keys[id] = c.keys[id][:min(len(c.keys[id]), c.k.depth)]
			return nil
		}
		n, err := ints(f[1:])
		if err != nil {
			return err
		}
		switch f[0] {
		case "d":
			d := n[0] - bg.first
			bg.byBlock[d] += n[1]
			bg.inBlock[d] += n[2]
			bg.across[d] += n[3]
		case "y":
			bg.byDay[n[0]-bg.firstDay] += n[1]
		case "h":
			bg.byHour[n[0]] += n[1]
		}
		return nil
	})
}

func compareUint(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// heavy reads an object that may be heavy.
func (c *cluster) heavy(name []byte, f []string) error {
	id, err := c.object(name)
	if err != nil {
		return err
	}
	pairs, err := ints(f[:1])
	if err != nil {
		return err
	}
	h := heavyObject{object: id, pairs: pairs[0]}
	if h.pairs*heavyShare > c.k.bg.pairs {
		h.inside, h.across = make([]int64, c.k.bg.blocks), make([]int64, c.k.bg.blocks)
		for _, s := range f[1:] {
			n, err := ints(strings.Split(s, ":"))
			if err != nil {
				return err
			}
			h.inside[n[0]-c.k.bg.first], h.across[n[0]-c.k.bg.first] = n[1], n[2]
		}
		c.k.heavy = append(c.k.heavy, h)
	}
	return nil
}

func (c *cluster) pickHeavy() {
	k := c.k
	k.orderHeavy()
	for i := range k.heavy {
		for d, n := range k.heavy[i].inside {
			k.bg.inBlock[d] -= n
			k.bg.across[d] -= k.heavy[i].across[d]
		}
	}
}

func (c *cluster) minWeight() int {
	if c.p.opt.MinWeight > 0 {
		return c.p.opt.MinWeight
	}
	return 2
}

// ClusterPlan merges the first round into what the second needs.
func ClusterPlan(counts, contents io.Reader, opt Options, w io.Writer) error {
	c, err := merge(counts, contents, &opt)
	if err != nil {
		return err
	}
	if err := c.p.coarse(); err != nil {
		return err
	}
	plan := Plan{Window: opt.window(), Lo: c.p.lo, Hi: c.p.hi, MinWeight: c.minWeight(), Share: c.k.phiShare(), Seed: opt.Seed, Cut: map[string]uint64{}}
	for _, h := range c.k.heavy {
		plan.Heavy = append(plan.Heavy, b64(c.p.objects.bytes(h.object)))
	}
	for a, e := range c.k.eligible {
		if !e {
			continue
		}
		cut := uint64(0)
		if keys := c.keys[a]; len(keys) >= plan.MinWeight {
			cut = keys[plan.MinWeight-1]
		}
		plan.Cut[b64(c.p.accounts.bytes(uint32(a)))] = cut
	}
	return json.NewEncoder(w).Encode(plan)
}

// ClusterPairs is the second round on one part.
func ClusterPairs(ctx context.Context, src Source, plan Plan, opt Options, w io.Writer) error {
	k, err := loadPart(ctx, src, &opt)
	if err != nil || k == nil {
		return err
	}
	if err := k.prepare(ctx, plan.Lo, plan.Hi); err != nil {
		return err
	}
	k.setHeavy(plan.Heavy)
	keys := k.sortedKeys()
	cut := make([]uint32, len(k.eligible))
	for a := range cut {
		key, ok := plan.Cut[b64(k.p.accounts.bytes(uint32(a)))]
		k.eligible[a] = ok
		if ok { // every object whose key is not beyond the cut, ties included
			n, _ := slices.BinarySearchFunc(keys, key, func(have, want uint64) int {
				if have <= want {
					return -1
				}
				return 1
			})
			cut[a] = uint32(n)
		}
	}
	predicted, family, err := k.predict(ctx, cut)
	if err != nil {
		return err
	}
	found, err := k.candidates(ctx, cut)
	if err != nil {
		return err
	}
	defer found.close()
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "f\t%d\t%.0f\n", predicted, family)
	name := func(a uint32) string { return b64(k.p.accounts.bytes(a)) }
	pair := func(kind string, key uint64) {
		x, y := name(uint32(key>>32)), name(uint32(key))
		fmt.Fprintf(b, "%s\t%s\t%s\t1\n", kind, min(x, y), max(x, y))
	}
	if err := found.chunks(1<<12, func(c []uint64) error {
		for _, key := range c {
			pair("c", key)
		}
		return nil
	}); err != nil {
		return err
	}
	in := k.phiAccounts(plan.Share)
	sample, err := k.phiPairs(ctx, in)
	if err != nil {
		return err
	}
	for _, key := range sample {
		pair("p", key)
	}
	blocks, err := k.blockCounts(ctx, in)
	if err != nil {
		return err
	}
	for a, ticks := range blocks {
		for _, t := range ticks {
			fmt.Fprintf(b, "b\t%s\t%d\t%.0f\n", name(uint32(a)), k.bg.first+int64(t.at), t.n)
		}
	}
	return b.Flush()
}

// setHeavy replaces the heavy objects of the part by those of the whole.
func (k *kindPosts) setHeavy(names []string) {
	whole := map[string]bool{}
	for _, n := range names {
		whole[n] = true
	}
	k.heavy = nil
	for o := range k.p.shares {
		if whole[b64(k.p.objects.bytes(uint32(o)))] {
			k.heavy = append(k.heavy, heavyObject{object: uint32(o)})
		}
	}
}

// ClusterPosts is the third round on one part: the posts of the wanted accounts
// and the pace of every object that two of them share.
func ClusterPosts(ctx context.Context, src Source, wanted io.Reader, opt Options, w io.Writer) error {
	k, err := loadPart(ctx, src, &opt)
	if err != nil || k == nil {
		return err
	}
	if err := k.prepare(ctx, k.p.lo, k.p.hi); err != nil {
		return err
	}
	names := map[string]bool{}
	if err := fields(wanted, func(f []string) error { names[f[0]] = true; return nil }); err != nil {
		return err
	}
	want := make([]bool, len(k.eligible))
	for a := range want {
		want[a] = names[b64(k.p.accounts.bytes(uint32(a)))]
	}
	lines := make([][]byte, workersOf())
	err = k.store.each(ctx, func(worker int, g []record) error {
		l := lines[worker]
		object := b64(k.p.objects.bytes(g[0].object))
		first, several := ^uint32(0), false
		for i := range g {
			if a := g[i].account; want[a] {
				several = several || first != ^uint32(0) && first != a
				first = a
				content, err := k.p.contents.string(g[i].content)
				if err != nil {
					return err
				}
				l = fmt.Appendf(l, "l\t%s\t%s\t%s\t%d\n", b64(k.p.accounts.bytes(a)), object, b64([]byte(content)), g[i].time)
			}
		}
		if several {
			o := k.bg.paceOf(g)
			l = fmt.Appendf(l, "o\t%s\t%d\t%d", object, len(g), k.accounts[g[0].object])
			for i := range o.bins {
				l = fmt.Appendf(l, "\t%d:%.0f:%.0f:%.0f", o.bins[i], o.n[i], o.inside[i], o.across[i])
			}
			l = append(l, '\n')
		}
		lines[worker] = l
		return nil
	})
	if err != nil {
		return err
	}
	for _, l := range lines {
		if _, err := w.Write(l); err != nil {
			return err
		}
	}
	return nil
}
