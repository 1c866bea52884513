package opinion

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// drawSeries makes an ordered series, sometimes with two points on one day.
func drawSeries(t *rapid.T) []point {
	n := rapid.IntRange(1, 12).Draw(t, "n")
	var s []point
	at := 2000.0
	for i := range n {
		at += rapid.SampledFrom([]float64{0, 0.5, 1, 1, 2, 7}).Draw(t, "gap")
		s = append(s, point{at, rapid.Float64Range(-3, 3).Draw(t, "z"), rapid.Float64Range(1e-3, 0.1).Draw(t, "v"), i})
	}
	return s
}

// TestThreeWays compares the two-sided combination with the
// Rauch-Tung-Striebel smoother and with generalised least squares.
func TestThreeWays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSeries(t)
		q := rapid.Float64Range(1e-3, 0.5).Draw(t, "q")
		at := 2000 + rapid.Float64Range(-5, 30).Draw(t, "t")
		got := levelAt(s, q, at, -1)
		for name, want := range map[string]gaussian{"smoother": rts(s, q, at), "least squares": gls(s, q, at)} {
			if math.Abs(got.m-want.m) > 1e-9*(1+math.Abs(want.m)) || math.Abs(got.v-want.v) > 1e-9*(1+want.v) {
				t.Fatalf("level at %v: got %v, %s says %v", at, got, name, want)
			}
		}
	})
}

// rts runs a forward filter over the points and the wanted time, then smooths
// backwards.
func rts(s []point, q, at float64) gaussian {
	all := append([]point{}, s...)
	i := 0
	for i < len(all) && all[i].t <= at {
		i++
	}
	all = append(all[:i], append([]point{{t: at, v: math.Inf(1)}}, all[i:]...)...)
	f := make([]gaussian, len(all))
	prev := unknown
	for j, p := range all {
		if j > 0 {
			prev = gaussian{prev.m, prev.v + q*(p.t-all[j-1].t)}
		}
		if !math.IsInf(p.v, 1) {
			prev = prev.and(gaussian{p.z, p.v})
		}
		f[j] = prev
	}
	x := f[len(f)-1]
	if math.IsInf(f[i].v, 1) { // before the first point nothing was filtered
		first := s[0].t
		at0 := rts(s, q, first)
		return gaussian{at0.m, at0.v + q*(first-at)}
	}
	for j := len(all) - 2; j >= i; j-- {
		d := q * (all[j+1].t - all[j].t)
		g := f[j].v / (f[j].v + d)
		x = gaussian{f[j].m + g*(x.m-f[j].m), f[j].v + g*g*(x.v-f[j].v-d)}
	}
	return x
}

// gls treats the level at the wanted time as the one unknown: each point is it
// plus a random walk away from it plus noise.
func gls(s []point, q, at float64) gaussian {
	n := len(s)
	a := make([][]float64, n)
	for i := range s {
		a[i] = make([]float64, n+2)
		for j := range s {
			di, dj := s[i].t-at, s[j].t-at
			if di*dj > 0 {
				a[i][j] = q * min(math.Abs(di), math.Abs(dj))
			}
		}
		a[i][i] += s[i].v
		a[i][n], a[i][n+1] = 1, s[i].z
	}
	for c := range n { // solve for S^-1 1 and S^-1 z
		p := c
		for r := c; r < n; r++ {
			if math.Abs(a[r][c]) > math.Abs(a[p][c]) {
				p = r
			}
		}
		a[c], a[p] = a[p], a[c]
		for r := range n {
			if r != c {
				k := a[r][c] / a[c][c]
				for j := c; j < n+2; j++ {
					a[r][j] -= k * a[c][j]
				}
			}
		}
	}
	one, z := 0.0, 0.0
	for i := range n {
		one += a[i][n] / a[i][i]
		z += a[i][n+1] / a[i][i]
	}
	return gaussian{z / one, 1 / one}
}

// TestMoreDataNeverWidens holds with the drift fixed.
func TestMoreDataNeverWidens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSeries(t)
		at := 2000 + rapid.Float64Range(-5, 30).Draw(t, "t")
		skip := rapid.IntRange(0, len(s)-1).Draw(t, "skip")
		if len(s) < 2 {
			return
		}
		all, fewer := levelAt(s, 0.1, at, -1), levelAt(s, 0.1, at, skip)
		if all.v > fewer.v*(1+1e-9) {
			t.Fatalf("variance grew from %v to %v with one more point", fewer.v, all.v)
		}
	})
}

func TestMultiplier(t *testing.T) {
	e := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9}
	for _, c := range []struct{ level, want float64 }{{0.9, 9}, {0.5, 5}, {0.99, 9}, {0.1, 1}} {
		if got := multiplier(e, c.level); got != c.want {
			t.Errorf("multiplier(%v) = %v, want %v", c.level, got, c.want)
		}
	}
	if got := studentT4(0.9); math.Abs(got-2.131847) > 1e-6 {
		t.Errorf("studentT4(0.9) = %v, want 2.131847 (tables of Student's t)", got)
	}
}
