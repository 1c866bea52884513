package coord

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// posts is the input with names as numbers.
type posts struct {
	opt        *Options
	accounts   *names
	objects    *names
	contents   *contents
	stores     [numKinds]*store
	spilled    bool
	rows       []int64 // posts per account, as loaded
	contentsOf []int32 // distinct contents per account
	shares     []int64 // posts per object, as loaded
	in         InputSummary
	kinds      [numKinds]int64
	lo, hi     int64 // first and last time
	minutes    int64 // posts whose second is 00
	hours      int64 // posts at minute 00, second 00
	warmed     int64 // keeps addAll's reads ahead from being optimised away
}

func newPosts(opt *Options) *posts {
	return &posts{opt: opt, accounts: newNames(opt), objects: newNames(opt), contents: newContents(opt), lo: math.MaxInt64, hi: math.MinInt64}
}

// load reads the source to its end.
func load(ctx context.Context, src Source, opt *Options) (*posts, error) {
	p := newPosts(opt)
	return p, p.load(ctx, src)
}

// load adds the posts of a source.
func (p *posts) load(ctx context.Context, src Source) error {
	opt := p.opt
	var b Batch
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := src.Next(&b)
		if p.in.Rows == 0 && b.Done > 0 && b.Total > b.Done {
			p.reserve(&b)
		}
		if err := p.addAll(b.Posts); err != nil {
			return err
		}
		opt.Progress("read", b.Done, b.Total)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// reserve makes room for what the first batch says of the whole input: arrays
// that grow step by step are copied and faulted in many times over. A guess
// that is too low costs that; one that is too high is bounded by the budget.
func (p *posts) reserve(b *Batch) {
	whole := 1.01 * float64(b.Total) / float64(b.Done)
	var kinds [numKinds]float64
	for i := range b.Posts {
		kinds[b.Posts[i].Kind]++
	}
	p.contents.reserve(min(int64(float64(len(b.Posts))*whole), p.opt.Memory/3/8))
	most := float64(p.opt.Memory/2/2/recordBytes) + 1<<16
	for k, n := range kinds {
		if n = math.Min(n*whole, most*n/float64(len(b.Posts))); n > 1<<16 {
			p.stores[k] = &store{mem: large[record](p.opt, int(n))[:0], opt: p.opt}
		}
	}
}

// hashes of the names of a post, and the number of its account.
type hashes struct {
	object, content uint64
	account         uint32
}

// addAll adds a batch, a few posts at a time: all their hashes, then all their
// cache misses, then the posts.
func (p *posts) addAll(batch []Post) error {
	var hs [32]hashes
	var accounts [len(hs)]uint64
	for some := range slices.Chunk(batch, len(hs)) {
		for i := range some {
			x := &some[i]
			accounts[i] = p.accounts.hash(0, x.Account)
			hs[i] = hashes{object: p.objects.hash(x.Kind, x.Object), content: p.contents.hash(x.Content)}
			p.contents.warm(hs[i].content)
		}
		for i := range some {
			p.accounts.warm(accounts[i])
			p.objects.warm(hs[i].object)
		}
		for i := range some {
			a, err := p.accounts.idOf(accounts[i], 0, some[i].Account)
			if err != nil {
				return fmt.Errorf("row %d: %w", some[i].Row, err)
			}
			hs[i].account = a
			if int(a) == len(p.rows) {
				p.rows, p.contentsOf = append(p.rows, 0), append(p.contentsOf, 0)
			}
			p.warmed ^= p.rows[a] ^ int64(p.contentsOf[a])
		}
		for i := range some {
			if err := p.add(&some[i], &hs[i]); err != nil {
				return fmt.Errorf("row %d: %w", some[i].Row, err)
			}
		}
	}
	return nil
}

func (p *posts) add(x *Post, h *hashes) error {
	account := h.account
	content, first, fresh, err := p.contents.idOf(h.content, x.Content, firstSeen{account, x.Time})
	if err != nil {
		return err
	}
	if fresh {
		p.contentsOf[account]++
	}
	p.in.Rows++
	switch p.opt.Semantics {
	case CNT:
		if !fresh { // message_id is a primary key: the first row wins
			p.in.Repeats++
			return nil
		}
	case Corrected:
		if !fresh && (first != firstSeen{account, x.Time}) {
			p.in.Conflicts++
			if len(p.in.ConflictRows) < 20 {
				p.in.ConflictRows = append(p.in.ConflictRows, x.Row)
			}
			return nil
		}
	}
	if len(x.Object) == 0 && p.opt.Semantics != CooRTweet {
		p.in.NoObject++
		return nil
	}
	r := record{time: x.Time, account: account, content: content}
	if p.opt.Semantics != CNT && bytes.Equal(x.Object, x.Content) {
		p.in.SelfShares++
		if p.opt.Semantics == Corrected {
			return nil
		}
		r.flags = selfShare
	}
	if r.object, err = p.objects.idOf(h.object, x.Kind, x.Object); err != nil {
		return err
	}
	if int(r.object) == len(p.shares) {
		p.shares = append(p.shares, 0)
	}
	p.shares[r.object]++
	p.rows[account]++
	p.kinds[x.Kind]++
	p.lo, p.hi = min(p.lo, x.Time), max(p.hi, x.Time)
	if x.Time%60_000_000 == 0 {
		p.minutes++
		if x.Time%3_600_000_000 == 0 {
			p.hours++
		}
	}
	s := p.stores[x.Kind]
	if s == nil {
		s = &store{opt: p.opt}
		p.stores[x.Kind] = s
	}
	if p.spilled && s.parts == nil {
		if err := s.spill(p.opt.Scratch); err != nil {
			return err
		}
	}
	if err := s.add(r); err != nil {
		return err
	}
	if p.in.Rows&0xffff == 0 {
		return p.fit()
	}
	return nil
}

// ErrMemory is wrapped by the error of posts that do not fit.
var ErrMemory = errors.New("the posts exceed the memory budget")

// fit moves posts and content ids to scratch when they exceed their share of
// the budget: half for the posts with the buffer that sorts them, an eighth for
// the ids.
func (p *posts) fit() error {
	opt := p.opt
	if !p.spilled && p.kept()*2*recordBytes > opt.Memory/2 {
		if opt.Scratch == nil {
			return fmt.Errorf("%w of %d bytes and there is no scratch space", ErrMemory, opt.Memory)
		}
		p.spilled = true
		for _, s := range p.stores {
			if s == nil {
				continue
			}
			if err := s.spill(opt.Scratch); err != nil {
				return err
			}
		}
	}
	if p.contents.file == nil && p.contents.size > opt.Memory/8 && opt.Scratch != nil {
		f, err := opt.Scratch.Create()
		if err != nil {
			return fmt.Errorf("make a scratch file: %w", err)
		}
		return p.contents.spill(f)
	}
	return nil
}

// kept is the number of posts that became records.
func (p *posts) kept() int64 {
	var n int64
	for _, k := range p.kinds {
		n += k
	}
	return n
}

// input completes the counts of the input.
func (p *posts) input() InputSummary {
	in := p.in
	in.Objects, in.Accounts, in.Contents = int64(p.objects.len()), int64(p.accounts.len()), int64(p.contents.n)
	if n := p.kept(); n > 0 {
		in.FirstTime, in.LastTime = formatTime(p.lo), formatTime(p.hi)
		in.FullMinutePct = math.Round(float64(p.minutes)/float64(n)*1e4) / 1e2
		in.Kinds = map[string]int64{}
		for k, n := range p.kinds {
			if n > 0 {
				in.Kinds[Kind(k).String()] = n
			}
		}
	}
	return in
}

func formatTime(us int64) string { return time.UnixMicro(us).UTC().Format(time.RFC3339Nano) }

// ranks orders the accounts by name: rank[id] is the place of account id in
// byte order, and byRank its inverse.
func (p *posts) ranks() (rank, byRank []uint32) {
	byRank = make([]uint32, p.accounts.len())
	for i := range byRank {
		byRank[i] = uint32(i)
	}
	slices.SortFunc(byRank, func(a, b uint32) int { return bytes.Compare(p.accounts.bytes(a), p.accounts.bytes(b)) })
	rank = make([]uint32, len(byRank))
	for r, id := range byRank {
		rank[id] = uint32(r)
	}
	return rank, byRank
}
