package opinion

import (
	"math"
)

// point is one observation of a series on the logit scale, effects removed.
type point struct {
	t, z, v float64
	row     int // index into the model's observations
}

// gaussian is a level known with a mean and a variance; an infinite variance
// knows nothing.
type gaussian struct{ m, v float64 }

var unknown = gaussian{0, math.Inf(1)}

// and combines two independent pieces of knowledge by precision.
func (a gaussian) and(b gaussian) gaussian {
	switch {
	case math.IsInf(a.v, 1):
		return b
	case math.IsInf(b.v, 1):
		return a
	}
	k := a.v / (a.v + b.v)
	return gaussian{a.m + k*(b.m-a.m), a.v * (1 - k)}
}

// after lets the level drift for dt years with variance q a year.
func (a gaussian) after(dt, q float64) gaussian { return gaussian{a.m, a.v + q*math.Abs(dt)} }

// levelAt returns the level at time t given every point but the one at index
// skip (-1 for none). points are in order of time. It costs one pass.
func levelAt(points []point, q, t float64, skip int) gaussian {
	at := unknown
	past, last := unknown, 0.0
	i := 0
	for ; i < len(points) && points[i].t < t; i++ {
		if i == skip {
			continue
		}
		p := points[i]
		past, last = past.after(p.t-last, q).and(gaussian{p.z, p.v}), p.t
	}
	past = past.after(t-last, q)
	for ; i < len(points) && points[i].t == t; i++ {
		if i != skip {
			at = at.and(gaussian{points[i].z, points[i].v})
		}
	}
	future, last := unknown, 0.0
	for j := len(points) - 1; j >= i; j-- {
		if j == skip {
			continue
		}
		p := points[j]
		future, last = future.after(last-p.t, q).and(gaussian{p.z, p.v}), p.t
	}
	future = future.after(last-t, q)
	return past.and(at).and(future)
}

// tailDF is the degrees of freedom of the predictive errors: heavy enough that
// one large surprise does not set the drift of every country.
const tailDF = 4.0

// loglik is the log likelihood of one series for drift q, and the number of
// transitions it rests on. A surprise beyond the tails widens the drift of
// that one step: it is read as a jump of the level.
func loglik(points []point, q float64) (ll float64, n int) {
	if len(points) == 0 {
		return 0, 0
	}
	m, p := points[0].z, points[0].v
	for i := 1; i < len(points); i++ {
		pm := p + q*(points[i].t-points[i-1].t)
		f := pm + points[i].v
		e := points[i].z - m
		ll += logT(e/math.Sqrt(f)) - 0.5*math.Log(f)
		if w := (tailDF + 1) / (tailDF + e*e/f); w < 1 {
			pm /= w
		}
		k := pm / (pm + points[i].v)
		m, p = m+k*e, pm*(1-k)
		n++
	}
	return ll, n
}

// logT is the log density of Student's t with tailDF degrees of freedom.
func logT(x float64) float64 {
	return logTNorm - (tailDF+1)/2*math.Log1p(x*x/tailDF)
}

var logTNorm = func() float64 {
	a, _ := math.Lgamma((tailDF + 1) / 2)
	b, _ := math.Lgamma(tailDF / 2)
	return a - b - 0.5*math.Log(tailDF*math.Pi)
}()

// Bounds of the search for log q. At the lower one a level moves less than a
// tenth of a point in ten years; at the upper one a year forgets everything.
const (
	minLogQ = -12.0
	maxLogQ = 2.0
)

// maxDrift returns the log q that maximises the likelihood of all series by
// golden-section search (60 steps leave an interval under 1e-11 wide).
func maxDrift(series [][]point) float64 {
	f := func(logQ float64) float64 {
		sum := 0.0
		for _, s := range series {
			ll, _ := loglik(s, math.Exp(logQ))
			sum += ll
		}
		return sum
	}
	g := (math.Sqrt(5) - 1) / 2
	a, b := minLogQ, maxLogQ
	x1, x2 := b-g*(b-a), a+g*(b-a)
	f1, f2 := f(x1), f(x2)
	for range 60 {
		if f1 >= f2 {
			b, x2, f2 = x2, x1, f1
			x1 = b - g*(b-a)
			f1 = f(x1)
		} else {
			a, x1, f1 = x1, x2, f2
			x2 = a + g*(b-a)
			f2 = f(x2)
		}
	}
	return (a + b) / 2
}

// multiplier is the half-width, in predicted standard deviations, that held
// for a share level of the sorted leave-one-out errors (split conformal rule:
// the ceil((N+1)*level)-th smallest).
func multiplier(errors []float64, level float64) float64 {
	n := len(errors)
	if n == 0 {
		return math.NaN()
	}
	k := int(math.Ceil(float64(n+1)*level - 1e-9))
	return errors[min(max(k, 1), n)-1]
}
