package coord

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
)

// topRanks is how many of an account's most popular objects are remembered:
// the prefix filter can be raised up to this k without another pass.
const topRanks = 5

// cut is the prefix filter (docs/detection.md): two accounts in sync on at
// least k objects are in sync on one that, among the objects of each from rare
// to popular, has k-1 others after it. So an account takes part on objects of
// rank at most that of its k-th most popular; 0 is none.
func (k *kindPosts) cut(least int) []uint32 {
	out := make([]uint32, len(k.eligible))
	for a := range out {
		if k.eligible[a] {
			out[a] = k.top[a*k.depth+least-1]
		}
	}
	return out
}

// predict counts the pairs of posts that enumeration under the cut would meet,
// and the pairs of accounts that could be in sync on an object under it.
func (k *kindPosts) predict(ctx context.Context, cut []uint32) (pairs int64, family float64, err error) {
	n := workersOf()
	sums, families := make([]int64, n), make([]int64, n)
	lasts := make([][]uint32, n)
	for w := range n {
		lasts[w] = make([]uint32, len(cut))
	}
	err = k.store.each(ctx, func(w int, g []record) error {
		o := g[0].object
		if k.accounts[o] < 2 {
			return nil
		}
		from, live, accounts := 0, 0, int64(0)
		rank := k.rank[o]
		for i := range g {
			a := g[i].account
			if cut[a] < rank {
				continue
			}
			for ; g[i].time-g[from].time > k.bg.window; from++ {
				if cut[g[from].account] >= rank {
					live--
				}
			}
			sums[w] += int64(live)
			live++
			if lasts[w][a] != o+1 {
				lasts[w][a] = o + 1
				accounts++
			}
		}
		families[w] += accounts * (accounts - 1) / 2
		return nil
	})
	for w := range n {
		pairs += sums[w]
		family += float64(families[w])
	}
	return pairs, family, err
}

// candidates enumerates the pairs of accounts in sync on an object under the
// cut, each once, ascending.
func (k *kindPosts) candidates(ctx context.Context, cut []uint32) (*keys, error) {
	out := newKeys(k.p.opt)
	n := workersOf()
	live, found := make([][]record, n), make([][]uint64, n)
	err := k.store.each(ctx, func(w int, g []record) error {
		o := g[0].object
		if k.accounts[o] < 2 {
			return nil
		}
		rank := k.rank[o]
		l := live[w][:0]
		for i := range g {
			if cut[g[i].account] >= rank {
				l = append(l, g[i])
			}
		}
		live[w] = l
		from, before := 0, len(found[w])
		for i := range l {
			for l[i].time-l[from].time > k.bg.window {
				from++
			}
			for j := from; j < i; j++ {
				if l[j].account != l[i].account {
					found[w] = append(found[w], pairKey(l[i].account, l[j].account))
				}
			}
			if len(found[w])-before > 1<<18 { // a viral object meets the same pairs again and again
				slices.Sort(found[w])
				found[w] = slices.Compact(found[w])
				if err := out.add(found[w]); err != nil {
					return err
				}
				found[w], before = found[w][:0], 0
			}
		}
		if len(found[w]) > 1<<16 {
			if err := out.add(found[w]); err != nil {
				return err
			}
			found[w] = found[w][:0]
		}
		return nil
	})
	for w := range n {
		err = errors.Join(err, out.add(found[w]))
	}
	if err == nil {
		err = out.finish()
	}
	if err != nil {
		return nil, errors.Join(err, out.close())
	}
	return out, nil
}

func pairKey(a, b uint32) uint64 { return uint64(min(a, b))<<32 | uint64(max(a, b)) }

// keys is a set of pairs of accounts.
type keys = sorter[uint64]

func newKeys(opt *Options) *keys {
	return &keys{codec: codec[uint64]{8, func(x *uint64) uint64 { return *x },
		func(b []byte, x *uint64) []byte { return binary.LittleEndian.AppendUint64(b, *x) }, binary.LittleEndian.Uint64},
		distinct: true, limit: int(max(opt.Memory/32, 1<<16)), scratch: opt.Scratch, what: "the candidate pairs"}
}
