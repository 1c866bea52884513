package coord

import (
	"cmp"
	"context"
	"math"
	"slices"

	"causeway/coord/null"
)

// profile is when an account posts: counts by day, by hour of day and by
// block, sparse and ascending.
type profile struct {
	posts  float64
	days   []tick
	hours  [24]float64
	blocks []tick
}

type tick struct {
	at int
	n  float64
}

// profileOf makes the profile of an account from all its posts.
func (b *background) profileOf(l []listed, times []int64) profile {
	times = times[:0]
	for i := range l {
		times = append(times, l[i].time)
	}
	slices.Sort(times)
	p := profile{posts: float64(len(l))}
	add := func(s []tick, at int) []tick {
		if n := len(s); n > 0 && s[n-1].at == at {
			s[n-1].n++
			return s
		}
		return append(s, tick{at, 1})
	}
	for _, t := range times {
		p.days, p.blocks = add(p.days, b.dayOf(t)), add(p.blocks, b.blockOf(t))
		p.hours[hourOfDay(t)]++
	}
	return p
}

func (p *profile) day(d int) float64 {
	i, ok := slices.BinarySearchFunc(p.days, d, func(t tick, d int) int { return cmp.Compare(t.at, d) })
	if !ok {
		return 0
	}
	return p.days[i].n
}

// prior is how many posts at everybody's hours are mixed into each profile, so
// that a short history does not claim to know when an account sleeps.
const prior = 5

// weight is pi(h): how likely the account is to post in a bin, up to a factor.
func (b *background) weight(p *profile, bin int64) float64 {
	start := bin * b.bin
	day := int(floorDiv(start, 24) - b.firstDay)
	everyDay, everyHour, hours := 0.0, 0.0, 0.0
	if day >= 0 && day < b.days {
		everyDay = float64(b.byDay[day])
	}
	for h := start; h < start+min(b.bin, 24); h++ {
		i := h - 24*floorDiv(h, 24)
		everyHour += float64(b.byHour[i])
		hours += p.hours[i]
	}
	n := float64(b.posts)
	return (p.day(day) + prior*everyDay/n) / (p.posts + prior) * (hours + prior*everyHour/n) / (p.posts + prior)
}

// pace is how the posts of one object spread over the bins of the synchrony
// test: n(h) posts, I(h) in-window pairs inside h, J(h) between h and h+1.
type pace struct {
	bins   []int64
	n      []float64
	inside []float64
	across []float64 // under the earlier of two neighbouring bins
	posts  float64
}

// paceOf counts the pace of an object from all its posts, in order of time.
func (b *background) paceOf(g []record) *pace {
	p := &pace{posts: float64(len(g))}
	from, start := 0, 0
	length := b.bin * hourMicros
	for i := range g {
		bin := floorDiv(g[i].time, length)
		if last := len(p.bins) - 1; last < 0 || p.bins[last] != bin {
			start = i
			p.bins, p.n = append(p.bins, bin), append(p.n, 0)
			p.inside, p.across = append(p.inside, 0), append(p.across, 0)
		}
		for g[i].time-g[from].time > b.window {
			from++
		}
		last := len(p.bins) - 1
		p.n[last]++
		p.inside[last] += float64(i - max(from, start))
		if from < start { // a window is no longer than a bin, so these are in the bin before
			p.across[last-1] += float64(start - from)
		}
	}
	return p
}

// sync is s_o(a, b): the chance that one post of a and one of b on the object
// are in sync when each falls where its account's hours and the object's pace
// put it, and times inside a bin are exchangeable.
func (b *background) sync(o *pace, ua, ub []float64) float64 {
	if o.posts < 2 {
		return 1
	}
	s := 0.0
	for h := range o.bins {
		s += 2 * ua[h] * ub[h] * o.inside[h] / (o.n[h] * o.n[h])
		if o.across[h] > 0 {
			s += (ua[h]*ub[h+1] + ua[h+1]*ub[h]) * o.across[h] / (o.n[h] * o.n[h+1])
		}
	}
	return o.posts / (o.posts - 1) * s
}

// shares is u(h) = pi(h) n(h), normalised over the bins of the object.
func (b *background) shares(o *pace, p *profile, u []float64) []float64 {
	u = u[:0]
	sum := 0.0
	for i, bin := range o.bins {
		x := b.weight(p, bin) * o.n[i]
		u = append(u, x)
		sum += x
	}
	for i := range u {
		u[i] /= sum
	}
	return u
}

// rates turns block counts into the coefficients of mu.
type rates struct {
	inside, across []float64
}

func (b *background) rates(inside, across []int64) rates {
	r := rates{make([]float64, b.blocks), make([]float64, b.blocks)}
	for d := range b.blocks {
		n := float64(b.byBlock[d])
		if n > 1 {
			r.inside[d] = float64(inside[d]) / (n * (n - 1) / 2)
		}
		if d+1 < b.blocks && across[d] > 0 {
			r.across[d] = float64(across[d]) / (n * float64(b.byBlock[d+1]))
		}
	}
	return r
}

// mu is the expected number of in-window meetings of two accounts whose posts
// fall independently with their own and the objects' rates in each block.
func (r *rates) mu(x, y []tick) float64 {
	sum := 0.0
	for i, j := 0, 0; i < len(x) && j < len(y); {
		switch dx, dy := x[i].at, y[j].at; {
		case dx == dy:
			sum += x[i].n * y[j].n * r.inside[dx]
			if j+1 < len(y) && y[j+1].at == dx+1 {
				sum += x[i].n * y[j+1].n * r.across[dx]
			}
			if i+1 < len(x) && x[i+1].at == dx+1 {
				sum += x[i+1].n * y[j].n * r.across[dx]
			}
			i, j = i+1, j+1
		case dx < dy:
			if dy == dx+1 && (j == 0 || y[j-1].at != dx) {
				sum += x[i].n * y[j].n * r.across[dx]
			}
			i++
		default:
			if dx == dy+1 && (i == 0 || x[i-1].at != dy) {
				sum += x[i].n * y[j].n * r.across[dy]
			}
			j++
		}
	}
	return sum
}

// overlapTail is P(NB(mu, phi) + heavy terms >= k).
func overlapTail(mu, phi float64, heavy []float64, k int) float64 {
	if len(heavy) == 0 {
		return null.NegativeBinomialTail(mu, phi, k)
	}
	exact := null.PoissonBinomial(heavy)
	p := 0.0
	for h, q := range exact {
		if q > 0 {
			p += q * null.NegativeBinomialTail(mu, phi, k-h)
		}
	}
	return math.Min(1, p)
}

// phiSample bounds the pairs of accounts that the overdispersion is measured
// on; beyond it a hash sample of accounts is taken.
const phiSample = 4_000_000

// overdispersion measures phi on pairs of eligible accounts: by how much pairs
// in sync on two objects outnumber what their rates explain, given those in
// sync on one (shared interests). share is the part of the accounts sampled.
func (k *kindPosts) overdispersion(ctx context.Context, base rates) (phi, share float64, err error) {
	share = k.phiShare()
	in := k.phiAccounts(share)
	all, err := k.phiPairs(ctx, in)
	if err != nil {
		return 0, share, err
	}
	all = radix(all, func(x *uint64) uint64 { return *x })
	blocks, err := k.blockCounts(ctx, in)
	if err != nil {
		return 0, share, err
	}
	return solvePhi(all, func(a, b uint32) float64 { return base.mu(blocks[a], blocks[b]) }), share, nil
}

// phiShare is the part of the accounts that the overdispersion is measured on.
func (k *kindPosts) phiShare() float64 {
	light := k.bg.pairs
	for _, h := range k.heavy {
		light -= h.pairs
	}
	if float64(light) > phiSample {
		return math.Sqrt(phiSample / float64(light))
	}
	return 1
}

// phiAccounts are the eligible accounts of a hash sample.
func (k *kindPosts) phiAccounts(share float64) []bool {
	in := make([]bool, len(k.eligible))
	for a := range in {
		in[a] = k.eligible[a] && (share == 1 || unitHash(k.p.accounts.bytes(uint32(a)), k.p.opt.Seed) < share)
	}
	return in
}

// phiPairs are the pairs of those accounts, one for each object, not heavy, on
// which they are in sync.
func (k *kindPosts) phiPairs(ctx context.Context, in []bool) ([]uint64, error) {
	heavy := map[uint32]bool{}
	for _, h := range k.heavy {
		heavy[h.object] = true
	}
	n := workersOf()
	found, buf := make([][]uint64, n), make([][]uint64, n)
	err := k.store.each(ctx, func(w int, g []record) error {
		if k.accounts[g[0].object] < 2 || heavy[g[0].object] {
			return nil
		}
		b := buf[w][:0]
		from := 0
		for i := range g {
			for g[i].time-g[from].time > k.bg.window {
				from++
			}
			if !in[g[i].account] {
				continue
			}
			for j := from; j < i; j++ {
				if a := g[j].account; in[a] && a != g[i].account {
					b = append(b, pairKey(a, g[i].account))
				}
			}
		}
		slices.Sort(b)
		buf[w] = b
		found[w] = append(found[w], slices.Compact(b)...)
		return nil
	})
	return slices.Concat(found...), err
}

// blockCounts are the posts by block of the accounts in want.
func (k *kindPosts) blockCounts(ctx context.Context, want []bool) ([][]tick, error) {
	l, err := k.lists(ctx, want)
	if err != nil {
		return nil, err
	}
	defer l.close()
	out := make([][]tick, len(want))
	const stride = 1 << 10
	err = parallel(ctx, (len(want)+stride-1)/stride, func(_, c int) error {
		var buf []listed
		var at []int
		for a := c * stride; a < min(len(want), (c+1)*stride); a++ {
			if !want[a] {
				continue
			}
			posts, err := l.of(uint32(a), &buf)
			if err != nil {
				return err
			}
			at = at[:0]
			for i := range posts {
				at = append(at, k.bg.blockOf(posts[i].time))
			}
			slices.Sort(at)
			for i := range at {
				if i == 0 || at[i] != at[i-1] {
					out[a] = append(out[a], tick{at: at[i]})
				}
				out[a][len(out[a])-1].n++
			}
		}
		return nil
	})
	return out, err
}

// solvePhi takes sorted pair keys, one for each object in sync, and finds the
// largest overdispersion that any bin of mu, or all together, shows.
func solvePhi(keys []uint64, mu func(a, b uint32) float64) float64 {
	const bins = 64
	var ones [bins][]float64
	var twos [bins]int
	for i := 0; i < len(keys); {
		j := i + 1
		for j < len(keys) && keys[j] == keys[i] {
			j++
		}
		n := j - i
		key := keys[i]
		i = j
		if n > 2 {
			continue
		}
		m := mu(uint32(key>>32), uint32(key))
		if m <= 0 {
			continue
		}
		_, exp := math.Frexp(m) // m in [2^(exp-1), 2^exp)
		if exp-1 > -4 {
			continue
		}
		bin := min(-4-(exp-1), bins-1)
		if n == 1 {
			ones[bin] = append(ones[bin], m)
		} else {
			twos[bin]++
		}
	}
	phi := 0.0
	var all []float64
	pairs := 0
	for i := range ones {
		slices.Sort(ones[i]) // sums must not depend on the numbering of accounts
		all = append(all, ones[i]...)
		pairs += twos[i]
		if len(ones[i]) >= 100 && twos[i] >= 20 {
			phi = math.Max(phi, phiOf(ones[i], twos[i]))
		}
	}
	slices.Sort(all)
	return math.Max(phi, phiOf(all, pairs))
}

// phiOf solves sum of (mu/2)(1+phi)/(1+phi mu) = twos, by bisection: the left
// side grows with phi.
func phiOf(mu []float64, twos int) float64 {
	expect := func(phi float64) float64 {
		s := 0.0
		for _, m := range mu {
			s += m / 2 * (1 + phi) / (1 + phi*m)
		}
		return s
	}
	if twos == 0 || len(mu) == 0 || expect(0) >= float64(twos) {
		return 0
	}
	lo, hi := 0.0, 1.0
	for expect(hi) < float64(twos) {
		if hi *= 2; hi > 1e9 {
			return hi // even the limit, half a pair for each single one, is too few
		}
	}
	for range 60 {
		if mid := (lo + hi) / 2; expect(mid) < float64(twos) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}

// unitHash spreads a name over [0, 1), the same on every machine (FNV-1a with
// a final mix).
func unitHash(name []byte, seed uint64) float64 { return float64(hash64(name, seed)>>11) / (1 << 53) }

func hash64(name []byte, seed uint64) uint64 {
	h := 14695981039346656037 ^ seed*0x9e3779b97f4a7c15
	for _, c := range name {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return mix64(h)
}

// mix64 spreads every bit over all (the finaliser of MurmurHash3).
func mix64(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
