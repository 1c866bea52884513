package coord

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
)

// listed is one post in an account's list. 16 bytes.
type listed struct {
	time    int64
	object  uint32
	content uint32
}

const listedBytes = 16

// lists gives the posts of the wanted accounts, each account's by object, then
// time. What does not fit in memory is on scratch, in order of account.
type lists struct {
	first []int64 // place of each account's first post, and the end; the same for an account that is not wanted
	mem   []listed
	file  ScratchFile
}

// lists gathers the posts of the accounts in want: one pass over the posts for
// each share of them that fits in memory.
func (k *kindPosts) lists(ctx context.Context, want []bool) (*lists, error) {
	l := &lists{first: make([]int64, len(want)+1)}
	counts := make([]atomic.Int32, len(want))
	if err := k.store.each(ctx, func(_ int, g []record) error {
		for i := range g {
			if want[g[i].account] {
				counts[g[i].account].Add(1)
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	for a := range counts {
		l.first[a+1] = l.first[a] + int64(counts[a].Load())
	}
	total := l.first[len(want)]
	budget := max(k.p.opt.Memory/3/listedBytes, 1<<16)
	if total <= budget || k.p.opt.Scratch == nil {
		l.mem = large[listed](k.p.opt, int(total))
		return l, k.fillLists(ctx, l.mem, l.first, 0, len(want), want)
	}
	f, err := k.p.opt.Scratch.Create()
	if err != nil {
		return nil, fmt.Errorf("make a scratch file: %w", err)
	}
	l.file = f
	buf := make([]listed, 0, budget)
	for from := 0; from < len(want); {
		to := from + 1
		for to < len(want) && l.first[to+1]-l.first[from] <= budget {
			to++
		}
		share := slices.Grow(buf[:0], int(l.first[to]-l.first[from]))[:l.first[to]-l.first[from]]
		if err := k.fillLists(ctx, share, l.first, from, to, want); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		if err := writeListed(f, share); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		from = to
	}
	return l, nil
}

// fillLists puts the posts of accounts from to to into mem and sorts each list.
func (k *kindPosts) fillLists(ctx context.Context, mem []listed, first []int64, from, to int, want []bool) error {
	next := make([]atomic.Int32, to-from)
	base := first[from]
	err := k.store.each(ctx, func(_ int, g []record) error {
		for i := range g {
			if a := int(g[i].account); a >= from && a < to && want[a] {
				at := first[a] - base + int64(next[a-from].Add(1)) - 1
				mem[at] = listed{g[i].time, g[i].object, g[i].content}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	const stride = 1 << 10
	return parallel(ctx, (to-from+stride-1)/stride, func(_, c int) error {
		for a := from + c*stride; a < min(to, from+(c+1)*stride); a++ {
			slices.SortFunc(mem[first[a]-base:first[a+1]-base], func(x, y listed) int {
				return cmp.Or(cmp.Compare(x.object, y.object), cmp.Compare(x.time, y.time), cmp.Compare(x.content, y.content))
			})
		}
		return nil
	})
}

func writeListed(f ScratchFile, s []listed) error {
	b := make([]byte, 0, 1<<18)
	for i, x := range s {
		b = binary.LittleEndian.AppendUint64(b, uint64(x.time))
		b = binary.LittleEndian.AppendUint32(b, x.object)
		b = binary.LittleEndian.AppendUint32(b, x.content)
		if len(b) == cap(b) || i == len(s)-1 {
			if _, err := f.Write(b); err != nil {
				return fmt.Errorf("write posts to scratch: %w", err)
			}
			b = b[:0]
		}
	}
	return nil
}

// of returns account a's posts, in buf where they are on scratch.
func (l *lists) of(a uint32, buf *[]listed) ([]listed, error) {
	from, to := l.first[a], l.first[a+1]
	if l.file == nil {
		return l.mem[from:to], nil
	}
	b := make([]byte, (to-from)*listedBytes)
	if _, err := l.file.ReadAt(b, from*listedBytes); err != nil && len(b) > 0 {
		return nil, fmt.Errorf("read posts from scratch: %w", err)
	}
	out := (*buf)[:0]
	for ; len(b) > 0; b = b[listedBytes:] {
		out = append(out, listed{int64(binary.LittleEndian.Uint64(b)), binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:])})
	}
	*buf = out
	return out, nil
}

func (l *lists) close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// meet calls do for each object that both lists hold, with the posts of each
// on it, in order of object. It gallops through a list much longer than the
// other.
func meet(x, y []listed, do func(px, py []listed)) {
	for len(x) > 0 && len(y) > 0 {
		switch ox, oy := x[0].object, y[0].object; {
		case ox < oy:
			x = x[ahead(x, oy):]
		case ox > oy:
			y = y[ahead(y, ox):]
		default:
			n, m := 1, 1
			for n < len(x) && x[n].object == ox {
				n++
			}
			for m < len(y) && y[m].object == ox {
				m++
			}
			do(x[:n], y[:m])
			x, y = x[n:], y[m:]
		}
	}
}

// ahead returns the first place in s whose object is at least o.
func ahead(s []listed, o uint32) int {
	step := 1
	for step < len(s) && s[step].object < o {
		step *= 2
	}
	lo, hi := step/2, min(step, len(s))
	for lo < hi {
		if mid := (lo + hi) / 2; s[mid].object < o {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// inSync says whether a post of x and one of y, both of one object, are at most
// window apart.
func inSync(x, y []listed, window int64) bool {
	for len(x) > 0 && len(y) > 0 {
		switch d := x[0].time - y[0].time; {
		case d > window:
			y = y[1:]
		case d < -window:
			x = x[1:]
		default:
			return true
		}
	}
	return false
}

// overlap is what two accounts' lists say about them.
type overlap struct {
	objects int64 // K
	shared  int64
	pairs   int64 // X
	postsA  int64 // A(a,b)
	postsB  int64
	delta   int64 // sum over objects of the smallest |time difference|
	firstA  int64 // twice the objects on which a's post of the closest pair is older, plus ties
}

// compare counts everything the two lists say; window in microseconds.
// closest, if given, hears of each object in sync.
func compareLists(x, y []listed, window int64, contents *[2][]uint32, closest func(px, py []listed, i, j int)) (o overlap) {
	contents[0], contents[1] = contents[0][:0], contents[1][:0]
	meet(x, y, func(px, py []listed) {
		o.shared++
		bi, bj, best := -1, -1, int64(-1)
		from := 0
		for i := range px {
			for from < len(py) && px[i].time-py[from].time > window {
				from++
			}
			for j := from; j < len(py) && py[j].time-px[i].time <= window; j++ {
				o.pairs++
				contents[0] = append(contents[0], px[i].content)
				contents[1] = append(contents[1], py[j].content)
				d := px[i].time - py[j].time
				if d < 0 {
					d = -d
				}
				if best < 0 || d < best || d == best && min(px[i].time, py[j].time) < min(px[bi].time, py[bj].time) {
					bi, bj, best = i, j, d
				}
			}
		}
		if best < 0 {
			return
		}
		o.objects++
		o.delta += best
		switch {
		case px[bi].time < py[bj].time:
			o.firstA += 2
		case px[bi].time == py[bj].time:
			o.firstA++
		}
		if closest != nil {
			closest(px, py, bi, bj)
		}
	})
	o.postsA, o.postsB = distinct(contents[0]), distinct(contents[1])
	return o
}
