package equilibrium

import (
	"fmt"
	"math"
	"strings"
)

// Options of the solver. The zero value is what the published tables need.
type Options struct {
	Tolerance  float64 // stop when the norm of all residuals is below; default 1e-9
	Iterations int     // give up after; default 20,000
	Damping    float64 // step of the plain iteration; default 0.5, 0.3 with a sharing coalition
	Plain      bool    // damped iteration only, as published, without acceleration
}

func (o Options) withDefaults(sharing bool) Options {
	if o.Tolerance == 0 {
		o.Tolerance = 1e-9
	}
	if o.Iterations == 0 {
		o.Iterations = 20_000
	}
	if o.Damping == 0 {
		o.Damping = 0.5
		if sharing {
			o.Damping = 0.3
		}
	}
	return o
}

// A State is one solved world. Hats are against the data.
type State struct {
	Wage     []float64 // [n] hat
	Cost     []float64 // [n][j] hat of the unit cost
	Price    []float64 // [n][j] hat of the price index; 1 where nothing was ever bought
	Spending []float64 // [n][j] level, tariff included
	Income   []float64 // [n] level: wages, tariff revenue, deficit, before transfers
	Transfer []float64 // [n] level, sums to zero; all 0 without a sharing coalition
	Flow     []float64 // [j][n][i] level, net of tariff
	Tariff   []float64 // [j][n][i] in force

	Iterations int
	Residual   float64
}

// NoSupplierError lists the region-sectors a shock leaves without any
// supplier. Their price is infinite, so no finite loss can be named.
type NoSupplierError struct{ Places []string }

func (e *NoSupplierError) Error() string {
	shown := e.Places
	more := ""
	if len(shown) > 5 {
		shown, more = shown[:5], fmt.Sprintf(" and %d more", len(e.Places)-5)
	}
	return fmt.Sprintf("no supplier is left for %s%s: the price is infinite; ban less, or read the cascade engine, which rations", strings.Join(shown, ", "), more)
}

// world holds what an iteration reads: the calibration and the shock, and
// its scratch space.
type world struct {
	N, J    int
	theta   []float64
	weight  []float64 // [j][n][i] pi * kappa^-theta, 0 where banned
	net     []float64 // [j][n][i] weight / (1 + new tariff)
	gammaT  []float64 // [n][j][k] share of input k in sector j (rows by using sector)
	gamma   []float64 // [n][k][j] the same, rows by input
	gammaV  []float64 // [n][j] value-added share
	alpha   []float64 // [n][j]
	wages   []float64 // [n] wL
	allWage float64
	deficit []float64
	share   []int
	before  []float64 // [n] income before the shock, for sharing
	used    []bool    // [n][j] anything was bought before
	floor   float64   // spending below this is measured against it, not against itself

	logP, sales, spend []float64 // [n][j]
	income, transfer   []float64 // [n]
	e, s, u, f         []float64 // [i] or [n], per sector
}

// Solve finds the equilibrium of the data under the shock, starting from the
// observed world. The last region carries the numeraire: world wage income is
// constant.
func Solve(d *Data, shock Shock, opt Options) (*State, error) {
	if err := d.Check(); err != nil {
		return nil, err
	}
	if err := d.checkShock(shock); err != nil {
		return nil, err
	}
	w, x0, err := newWorld(d, shock)
	if err != nil {
		return nil, err
	}
	opt = opt.withDefaults(len(shock.Share) > 0)
	v, iterations, residual, err := w.iterate(x0, opt)
	if err != nil {
		return nil, err
	}
	return w.state(d, shock, v, iterations, residual), nil
}

// newWorld calibrates the shares and applies the shock to the weights. It
// also returns the observed spending [n][j].
func newWorld(d *Data, shock Shock) (*world, []float64, error) {
	N, J := d.sizes()
	w := &world{N: N, J: J, theta: d.Theta, deficit: d.Deficit, share: shock.Share,
		weight: make([]float64, J*N*N), net: make([]float64, J*N*N),
		gamma: make([]float64, N*J*J), gammaT: make([]float64, N*J*J), gammaV: make([]float64, N*J), alpha: make([]float64, N*J),
		wages: make([]float64, N), before: make([]float64, N), used: make([]bool, N*J),
		logP: make([]float64, N*J), sales: make([]float64, N*J), spend: make([]float64, N*J),
		income: make([]float64, N), transfer: make([]float64, N),
		e: make([]float64, N), s: make([]float64, N), u: make([]float64, N), f: make([]float64, N)}
	w.calibrate(d)
	x0 := make([]float64, N*J)
	var without []string
	for j := range J {
		for n := range N {
			row := w.weight[(j*N+n)*N : (j*N+n+1)*N]
			x, revenue := 0.0, 0.0
			for i := range N {
				c := d.Cell(j, n, i)
				row[i] = d.Flow[c] * (1 + d.Tariff[c])
				x += row[i]
				revenue += d.Flow[c] * d.Tariff[c]
			}
			x0[n*J+j] = x
			w.before[n] += revenue
			if !(x > 0) {
				continue
			}
			w.used[n*J+j] = true
			left := 0.0
			for i := range N {
				c := d.Cell(j, n, i)
				row[i] = shocked(row[i]/x, d, shock, j, c)
				left += row[i]
				tariff := d.Tariff[c]
				if shock.Tariff != nil {
					tariff = shock.Tariff[c]
				}
				w.net[c] = row[i] / (1 + tariff)
			}
			if !(left > 0) {
				without = append(without, fmt.Sprintf("%s in %s", d.Sectors[j], d.Regions[n]))
			}
		}
	}
	if without != nil {
		return nil, nil, &NoSupplierError{without}
	}
	for _, x := range x0 {
		w.floor += 1e-14 * x
	}
	return w, x0, nil
}

// shocked turns an expenditure share into its weight pi * kappa^-theta.
func shocked(pi float64, d *Data, shock Shock, j, c int) float64 {
	if pi <= 0 || (shock.Ban != nil && shock.Ban[c]) {
		return 0
	}
	kappa := 1.0
	if shock.Tariff != nil {
		kappa = (1 + shock.Tariff[c]) / (1 + d.Tariff[c])
	}
	if shock.Iceberg != nil {
		kappa *= shock.Iceberg[c]
	}
	return pi * math.Exp(-d.Theta[j]*math.Log(kappa))
}

// calibrate derives the cost, value-added and consumption shares.
func (w *world) calibrate(d *Data) {
	N, J := w.N, w.J
	for n := range N {
		final := 0.0
		for j := range J {
			final += d.Final[n*J+j]
			w.wages[n] += d.Value[n*J+j]
		}
		for j := range J {
			w.alpha[n*J+j] = d.Final[n*J+j] / final
			y := d.Value[n*J+j]
			for k := range J {
				y += d.Input[(n*J+k)*J+j]
			}
			if !(y > 0) {
				continue // a sector that does not exist here: cost stays 1
			}
			w.gammaV[n*J+j] = d.Value[n*J+j] / y
			for k := range J {
				g := d.Input[(n*J+k)*J+j] / y
				w.gamma[(n*J+k)*J+j], w.gammaT[(n*J+j)*J+k] = g, g
			}
		}
		w.allWage += w.wages[n]
		w.before[n] = w.wages[n] + d.Deficit[n]
	}
}

// residual evaluates the equilibrium conditions at v = (cost, spending, wage)
// into r, in the same order: cost and wage in hats, spending relative to its
// level. It returns the norm.
func (w *world) residual(v, r []float64) float64 {
	N, J := w.N, w.J
	NJ := N * J
	cost, spend, wage := v[:NJ], v[NJ:2*NJ], v[2*NJ:]
	w.trade(cost, spend, wage)
	sum := 0.0
	for n := range N {
		logW := math.Log(wage[n])
		logP := w.logP[n*J : (n+1)*J]
		sales := w.sales[n*J : (n+1)*J]
		labour := 0.0
		for j := range J {
			at := n*J + j
			logC := w.gammaV[at]*logW + dot(w.gammaT[at*J:(at+1)*J], logP)
			r[at] = cost[at] - math.Exp(logC)
			demand := w.alpha[at]*(w.income[n]+w.transfer[n]) + dot(w.gamma[at*J:(at+1)*J], sales)
			r[NJ+at] = (spend[at] - demand) / math.Max(spend[at], w.floor)
			if !w.used[at] {
				r[NJ+at] = 0
			}
			labour += w.gammaV[at] * sales[j]
			sum += r[at]*r[at] + r[NJ+at]*r[NJ+at]
		}
		r[2*NJ+n] = wage[n] - labour/w.wages[n]
	}
	total := 0.0
	for n := range N {
		total += wage[n] * w.wages[n]
	}
	r[2*NJ+N-1] = total/w.allWage - 1
	for n := range N {
		sum += r[2*NJ+n] * r[2*NJ+n]
	}
	return math.Sqrt(sum)
}

// trade computes prices, sales and incomes at given costs, spending, wages.
func (w *world) trade(cost, spend, wage []float64) {
	N, J := w.N, w.J
	for n := range N {
		w.income[n] = wage[n]*w.wages[n] + w.deficit[n]
		w.transfer[n] = 0
	}
	for j := range J {
		th := w.theta[j]
		for i := range N {
			w.e[i] = math.Exp(-th * math.Log(cost[i*J+j]))
			w.u[i] = 0
		}
		for n := range N {
			at := n*J + j
			row := (j*N + n) * N
			w.logP[at] = 0
			if !w.used[at] {
				continue
			}
			s := dot(w.weight[row:row+N], w.e)
			w.logP[at] = -math.Log(s) / th
			f := spend[at] / s
			net := w.net[row : row+N]
			paid := 0.0
			u := w.u[:len(net)]
			e := w.e[:len(net)]
			for i, p := range net {
				paid += p * e[i]
				u[i] += p * f
			}
			w.income[n] += spend[at] - f*paid
		}
		for i := range N {
			w.sales[i*J+j] = w.e[i] * w.u[i]
		}
	}
	if len(w.share) > 0 {
		w.pool()
	}
}

// pool sets the transfers that give every member of the coalition the same
// change in real income: W = sum I' / sum I P, T = W I P - I'.
func (w *world) pool() {
	after, before := 0.0, 0.0
	for _, n := range w.share {
		after += w.income[n]
		before += w.before[n] * w.priceIndex(n)
	}
	for _, n := range w.share {
		w.transfer[n] = after/before*w.before[n]*w.priceIndex(n) - w.income[n]
	}
}

func (w *world) priceIndex(n int) float64 {
	return math.Exp(dot(w.alpha[n*w.J:(n+1)*w.J], w.logP[n*w.J:(n+1)*w.J]))
}

// dot sums in four lanes, in a fixed order, so that it is fast and the same
// everywhere.
func dot(a, b []float64) float64 {
	var s0, s1, s2, s3 float64
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

// state evaluates the solved world once more and copies it out.
func (w *world) state(d *Data, shock Shock, v []float64, iterations int, residual float64) *State {
	N, J := w.N, w.J
	NJ := N * J
	s := &State{Cost: v[:NJ:NJ], Spending: v[NJ : 2*NJ : 2*NJ], Wage: v[2*NJ:], Price: make([]float64, NJ),
		Flow: make([]float64, J*N*N), Tariff: d.Tariff, Iterations: iterations, Residual: residual}
	if shock.Tariff != nil {
		s.Tariff = shock.Tariff
	}
	w.trade(s.Cost, s.Spending, s.Wage)
	s.Income = append([]float64(nil), w.income...)
	s.Transfer = append([]float64(nil), w.transfer...)
	for at := range NJ {
		s.Price[at] = math.Exp(w.logP[at])
	}
	for j := range J {
		for n := range N {
			if !w.used[n*J+j] {
				continue
			}
			f := s.Spending[n*J+j] * math.Exp(w.theta[j]*w.logP[n*J+j])
			for i := range N {
				c := d.Cell(j, n, i)
				s.Flow[c] = w.net[c] * math.Exp(-w.theta[j]*math.Log(s.Cost[i*J+j])) * f
			}
		}
	}
	return s
}
