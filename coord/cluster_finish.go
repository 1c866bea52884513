package coord

import (
	"context"
	"io"
	"slices"
	"strings"
)

// ClusterAnswers are the answers of the three rounds, each the lines of all
// parts; sums of equal lines may be added up.
type ClusterAnswers struct {
	Counts, Contents, Pairs, Posts io.Reader
	Rows, Conflicts                int64
}

// ClusterFinish makes the result: the same edges as [Detect] on all posts.
func ClusterFinish(ctx context.Context, in ClusterAnswers, opt Options) (*Result, error) {
	c, err := merge(in.Counts, in.Contents, &opt)
	if err != nil {
		return nil, err
	}
	c.p.in.Rows, c.p.in.Conflicts = in.Rows, in.Conflicts
	summary := c.p.input()
	summary.Objects, summary.Contents = c.p.in.Objects, c.p.in.Contents
	summary.SharedObjects, summary.Repeats, summary.PredictedPairs = c.k.bg.shared, c.k.bg.repeats, c.k.bg.pairs
	r := &Result{Summary: c.p.summary(summary)}
	r.Summary.FDR = opt.FDR
	c.k.known = map[uint32]*pace{}
	runs := []*kindPosts{c.k}
	if c.k.bg.onShared < leastShared || c.k.bg.shared < leastObjects {
		return r, c.p.combine(ctx, r, runs, []*analysis{nil})
	}
	out := &analysis{k: c.minWeight(), why: "default"}
	if opt.MinWeight > 0 {
		out.why = "asked for"
	}
	found, predicted, family, phi, err := c.pairs(in.Pairs)
	if err != nil {
		return nil, err
	}
	if err := c.posts(in.Posts); err != nil {
		return nil, err
	}
	c.k.family(out, predicted, family, phi, c.k.phiShare())
	base := c.k.bg.rates(c.k.bg.inBlock, c.k.bg.across)
	if err := c.k.measure(ctx, found, base, phi, out, func(string, int64, int64) {}); err != nil {
		return nil, err
	}
	decide(out, opt.FDR)
	return r, c.p.combine(ctx, r, runs, []*analysis{out})
}

// pairs reads the second round: candidates, and the overdispersion.
func (c *cluster) pairs(r io.Reader) (found *keys, predicted int64, family, phi float64, err error) {
	found = newKeys(c.p.opt)
	var sample []uint64
	blocks := make([][]tick, c.p.accounts.len())
	err = fields(r, func(f []string) error {
		if f[0] == "f" {
			n, err := ints(f[1:])
			if err == nil {
				predicted, family = predicted+n[0], family+float64(n[1])
			}
			return err
		}
		name, err := unb64(f[1])
		if err != nil {
			return err
		}
		a, err := c.account(name)
		if err != nil {
			return err
		}
		if f[0] == "b" {
			n, err := ints(f[2:])
			if err == nil {
				blocks[a] = append(blocks[a], tick{int(n[0] - c.k.bg.first), float64(n[1])})
			}
			return err
		}
		if name, err = unb64(f[2]); err != nil {
			return err
		}
		b, err := c.account(name)
		if err != nil {
			return err
		}
		n, err := ints(f[3:])
		if err != nil {
			return err
		}
		if f[0] == "c" {
			return found.add([]uint64{pairKey(a, b)})
		}
		for range n[0] {
			sample = append(sample, pairKey(a, b))
		}
		return nil
	})
	if err == nil {
		err = found.finish()
	}
	for a := range blocks {
		slices.SortFunc(blocks[a], func(x, y tick) int { return x.at - y.at })
		merged := blocks[a][:0]
		for _, t := range blocks[a] {
			if n := len(merged); n > 0 && merged[n-1].at == t.at {
				merged[n-1].n += t.n
			} else {
				merged = append(merged, t)
			}
		}
		blocks[a] = merged
	}
	base := c.k.bg.rates(c.k.bg.inBlock, c.k.bg.across)
	sample = radix(sample, func(x *uint64) uint64 { return *x })
	phi = solvePhi(sample, func(a, b uint32) float64 { return base.mu(blocks[a], blocks[b]) })
	return found, predicted, family, phi, err
}

// posts reads the third round into a store of the candidates' posts alone.
func (c *cluster) posts(r io.Reader) error {
	s := &store{}
	err := fields(r, func(f []string) error {
		if f[0] == "o" {
			return c.pace(f[1:])
		}
		var names [3][]byte
		for i := range names {
			var err error
			if names[i], err = unb64(f[i+1]); err != nil {
				return err
			}
		}
		at, err := ints(f[4:])
		if err != nil {
			return err
		}
		a, err := c.account(names[0])
		if err != nil {
			return err
		}
		o, err := c.object(names[1])
		if err != nil {
			return err
		}
		content, _, _, err := c.p.contents.id(names[2], firstSeen{a, at[0]})
		if err != nil {
			return err
		}
		return s.add(record{time: at[0], object: o, account: a, content: content})
	})
	s.mem = sortRecords(s.mem, make([]record, len(s.mem)))
	s.ordered = len(s.mem)
	c.k.store = s
	return err
}

func (c *cluster) pace(f []string) error {
	name, err := unb64(f[0])
	if err != nil {
		return err
	}
	id, err := c.object(name)
	if err != nil {
		return err
	}
	n, err := ints(f[1:3])
	if err != nil {
		return err
	}
	c.k.accounts[id] = uint32(n[1])
	o := &pace{posts: float64(n[0])}
	for _, s := range f[3:] {
		b, err := ints(strings.Split(s, ":"))
		if err != nil {
			return err
		}
		o.bins, o.n = append(o.bins, b[0]), append(o.n, float64(b[1]))
		o.inside, o.across = append(o.inside, float64(b[2])), append(o.across, float64(b[3]))
	}
	c.k.known[id] = o
	return nil
}

// ClusterWanted names the accounts of the candidate pairs.
func ClusterWanted(pairs io.Reader, w io.Writer) error {
	seen := map[string]bool{}
	return fields(pairs, func(f []string) error {
		if f[0] != "c" {
			return nil
		}
		for _, a := range f[1:3] {
			if !seen[a] {
				seen[a] = true
				if _, err := io.WriteString(w, a+"\n"); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
