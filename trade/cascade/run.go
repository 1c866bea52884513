package cascade

import "math"

// state is one year in progress. Links are those of the world, then the
// candidates.
type state struct {
	rule  Rule
	opt   Options
	guard float64

	from, to []int
	flow     []float64 // E
	frozen   []bool    // the link is restricted and may not grow

	p, c, r, d []float64 // production, consumption, accessible stock, stock change
	short      []float64
	imports    []float64
	exports    []float64
	ask, keep  []float64 // scratch per place
	sum        []float64
	old        []float64 // flows at the start of the turn
}

// Run runs one year.
func Run(w *World, s Shock, rule Rule, opt Options) (*Result, error) {
	years, err := RunYears(w, []Shock{s}, rule, opt)
	if err != nil {
		return nil, err
	}
	return years[0], nil
}

// RunYears runs several years. Production, trade and intended consumption
// start afresh every year; only stocks carry over, with what was drawn, put
// aside and gained.
func RunYears(w *World, shocks []Shock, rule Rule, opt Options) ([]*Result, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := w.Check(); err != nil {
		return nil, err
	}
	for _, s := range shocks {
		if err := w.checkShock(s); err != nil {
			return nil, err
		}
	}
	stock := append([]float64(nil), w.Stock...)
	out := make([]*Result, len(shocks))
	for y, shock := range shocks {
		for i := range shock.Production {
			stock[i] += max(shock.Production[i], 0)
		}
		s := start(w, shock, stock, rule, opt)
		accessible := append([]float64(nil), s.r...)
		turns, settled := s.iterate()
		out[y] = s.result(w, shock, accessible, turns, settled)
		for i := range stock {
			stock[i] = max(stock[i]+s.d[i], 0)
		}
	}
	return out, nil
}

func start(w *World, shock Shock, stock []float64, rule Rule, opt Options) *state {
	n, links := len(w.Places), len(w.Links)+len(shock.Candidates)
	s := &state{rule: rule, opt: opt, guard: w.guard(), from: make([]int, links), to: make([]int, links),
		flow: make([]float64, links), old: make([]float64, links), frozen: make([]bool, links),
		p: append([]float64(nil), w.Production...), c: w.Consumption(), r: make([]float64, n), d: make([]float64, n),
		short: make([]float64, n), imports: make([]float64, n), exports: make([]float64, n),
		ask: make([]float64, n), keep: make([]float64, n), sum: make([]float64, n)}
	at := make(map[[2]int]int, len(shock.Restrictions))
	for k, r := range shock.Restrictions {
		at[[2]int{r.From, r.To}] = k
	}
	for i := range n {
		s.c[i] = max(s.c[i], 0)
		s.r[i] = opt.Accessible * stock[i]
		if shock.Production != nil {
			s.p[i] += min(shock.Production[i], 0)
		}
	}
	for k, l := range w.Links {
		s.from[k], s.to[k], s.flow[k] = l.From, l.To, l.Quantity
		rk, ok := at[[2]int{l.From, l.To}]
		if !ok {
			continue
		}
		r := shock.Restrictions[rk]
		held := r.Withheld * l.Quantity
		s.frozen[k] = true
		s.flow[k] -= held
		switch {
		case r.By == Exporter && opt.Lost:
			unmade := min(held, s.p[l.From])
			s.p[l.From] -= unmade
			s.d[l.From] += held - unmade // a re-exporter cannot unmake what it bought
		case r.By == Importer:
			s.r[l.From] += held
			fallthrough
		default:
			s.d[l.From] += held
		}
	}
	for k, c := range shock.Candidates {
		at := len(w.Links) + k
		s.from[at], s.to[at], s.flow[at] = c.From, c.To, c.Quantity
	}
	s.balance()
	return s
}

// balance recomputes imports, exports and shortages.
func (s *state) balance() {
	clear(s.imports)
	clear(s.exports)
	for k, e := range s.flow {
		s.exports[s.from[k]] += e
		s.imports[s.to[k]] += e
	}
	for i := range s.short {
		s.short[i] = s.c[i] - (s.p[i] + s.imports[i] - s.exports[i] - s.d[i])
	}
}

func (s *state) iterate() (turns int, settled bool) {
	for k := 1; k <= s.opt.Turns; k++ {
		copy(s.old, s.flow)
		if s.rule == Proportional {
			s.domestic()
			s.proportional()
		} else {
			s.domestic()
			s.reduce()
			s.domestic()
			s.offers()
		}
		if s.settled() {
			return k, true
		}
	}
	return s.opt.Turns, false
}

// domestic draws stocks, cuts consumption, and absorbs tiny shortages.
func (s *state) domestic() {
	for i := range s.short {
		m := min(max(s.short[i], 0), s.r[i])
		s.r[i] -= m
		s.d[i] -= m
	}
	s.balance()
	for i := range s.c {
		s.c[i] -= s.opt.Cut * s.short[i]
	}
	s.balance()
	for i := range s.c {
		if s.short[i] < s.opt.Vanish*s.c[i] {
			s.c[i] -= s.short[i]
		}
	}
	s.balance()
}

// proportional moves trade by PTA. Exporters without stock do not raise
// exports, and neither does a restricted link. The comparison with the guard,
// not with zero, keeps a rounding residue from unfreezing a country.
func (s *state) proportional() {
	for i := range s.sum {
		s.sum[i] = s.exports[i]
	}
	for k, e := range s.flow {
		if s.mayGrow(k) {
			s.sum[s.to[k]] += e
		}
	}
	for i := range s.ask {
		s.ask[i] = fraction(max(s.short[i], 0), s.sum[i], s.guard)
	}
	for k := range s.flow {
		factor := 1 - s.ask[s.from[k]]
		if s.mayGrow(k) {
			factor += s.ask[s.to[k]]
		}
		s.flow[k] *= factor
	}
	s.balance()
}

func (s *state) mayGrow(k int) bool { return !s.frozen[k] && s.r[s.from[k]] >= s.guard }

// fraction is a/b in [0, 1], and 0 where b is nothing.
func fraction(a, b, guard float64) float64 {
	if !(b > guard) {
		return 0
	}
	return min(a/b, 1)
}

// reduce lets places in shortage export less (RTA, first half).
func (s *state) reduce() {
	for i := range s.keep {
		s.keep[i] = fraction(max(s.short[i], 0), s.exports[i], s.guard)
	}
	for k := range s.flow {
		s.flow[k] *= 1 - s.keep[s.from[k]]
	}
	s.balance()
}

// maxOffers bounds the rounds of offers in one turn; they shrink geometrically,
// and what is left is met in the next turn.
const maxOffers = 1000

// offers lets suppliers offer part of their stocks along the links they have
// (RTA, second half). Needs and offers are clipped at zero: an offer left at
// -5e-9 would hand an importer its whole need out of nothing. A need below the
// guard is met: the residue of a rounding must not keep a share of an offer.
func (s *state) offers() {
	need, avail := s.ask, s.keep
	for i := range need {
		need[i] = max(s.short[i], 0)
		avail[i] = s.opt.Offer * s.r[i]
	}
	added := make([]float64, len(s.flow))
	offer := make([]float64, len(s.flow))
	total := make([]float64, len(need))
	for range maxOffers {
		clear(s.sum)
		clear(total)
		for k, e := range s.flow {
			if need[s.to[k]] > s.guard && !s.frozen[k] {
				s.sum[s.from[k]] += e
			}
		}
		for k, e := range s.flow {
			offer[k] = 0
			if i := s.from[k]; need[s.to[k]] > s.guard && !s.frozen[k] && s.sum[i] > 0 {
				offer[k] = avail[i] * e / s.sum[i]
				total[s.to[k]] += offer[k]
			}
		}
		moved := 0.0
		clear(s.sum) // now: accepted by importer
		for k, o := range offer {
			if t := total[s.to[k]]; o > 0 && t > 0 {
				acc := o * min(need[s.to[k]]/t, 1)
				added[k] += acc
				moved += acc
				s.sum[s.to[k]] += acc
				avail[s.from[k]] = max(avail[s.from[k]]-acc, 0)
			}
		}
		if moved < s.guard || !(moved > 0) {
			break
		}
		for j := range need {
			need[j] = max(need[j]-s.sum[j], 0)
		}
	}
	for k := range s.flow {
		s.flow[k] += added[k]
	}
	s.balance()
}

// settled compares the flows with those at the start of the turn. A flow has
// changed if it moved by more than the guard.
func (s *state) settled() bool {
	moved, was := 0.0, 0.0
	for k, e := range s.flow {
		if d := math.Abs(e - s.old[k]); d > s.guard {
			moved += d
			was += s.old[k]
		}
	}
	return moved <= Tolerance*was
}
