package equilibrium

import (
	"math"
	"strings"
	"testing"
)

// small is a world of three regions and two sectors that trade with each other.
func small() *Data {
	N, J := 3, 2
	d := &Data{Regions: []string{"A", "B", "C"}, Sectors: []string{"metal", "chips"}, Flow: make([]float64, J*N*N), Tariff: make([]float64, J*N*N),
		Input: make([]float64, N*J*J), Final: make([]float64, N*J), Value: make([]float64, N*J), Deficit: make([]float64, N), Theta: []float64{4, 6}}
	for j := range J {
		for n := range N {
			for i := range N {
				d.Flow[d.Cell(j, n, i)] = 10
				if n == i {
					d.Flow[d.Cell(j, n, i)] = 80
				}
			}
			d.Value[n*J+j], d.Final[n*J+j] = 60, 60
			for k := range J {
				d.Input[(n*J+k)*J+j] = 20
			}
		}
	}
	return d
}

// TestBan: a banned supplier sells nothing to the buyer, both lose, the others
// hardly notice, and more substitution means less loss.
func TestBan(t *testing.T) {
	d := small()
	ban, err := d.ParseBans([]string{"A>B:metal"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Compare(d, Shock{}, Shock{Ban: ban}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.B.Flow[d.Cell(0, 1, 0)]; got > 0 {
		t.Errorf("the banned link carries %v", got)
	}
	if b := c.Effects[1].RealIncome; !(b < -0.1) {
		t.Errorf("B's real income changes by %v %%, want a loss", b)
	}
	r, err := RealIncome(d, Shock{}, Shock{Ban: ban}, Options{}, 0.5, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	if !(r[1].Low < c.Effects[1].RealIncome && c.Effects[1].RealIncome < r[1].High && r[1].High < 0) {
		t.Errorf("B's range %+v around %v", r[1], c.Effects[1].RealIncome)
	}
	balance := 0.0
	for n := range d.Regions {
		for i := range d.Regions {
			for j := range d.Sectors {
				balance += c.B.Flow[d.Cell(j, n, i)] - c.B.Flow[d.Cell(j, i, n)]
			}
		}
	}
	if math.Abs(balance) > 1e-6 {
		t.Errorf("trade balances add up to %v", balance)
	}
	for _, bad := range []string{"A-B", "A>D", "A>B:steel"} {
		if _, err := d.ParseBans([]string{bad}); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestLastRegionDoesNotMatter: which region carries the numeraire changes no
// real figure.
func TestLastRegionDoesNotMatter(t *testing.T) {
	d := small()
	d.Flow[d.Cell(0, 1, 0)], d.Flow[d.Cell(1, 0, 2)] = 25, 3
	ban, err := d.ParseBans([]string{"A>*:chips"})
	if err != nil {
		t.Fatal(err)
	}
	a, err := Compare(d, Shock{}, Shock{Ban: ban}, Options{Tolerance: 1e-11})
	if err != nil {
		t.Fatal(err)
	}
	to := []int{2, 0, 1} // A becomes the last
	e := small()
	N, J := 3, 2
	names := make([]string, N)
	moved := make([]bool, len(ban))
	for n := range N {
		names[to[n]] = d.Regions[n]
		for j := range J {
			for i := range N {
				e.Flow[e.Cell(j, to[n], to[i])] = d.Flow[d.Cell(j, n, i)]
				moved[e.Cell(j, to[n], to[i])] = ban[d.Cell(j, n, i)]
			}
		}
	}
	e.Regions = names
	b, err := Compare(e, Shock{}, Shock{Ban: moved}, Options{Tolerance: 1e-11})
	if err != nil {
		t.Fatal(err)
	}
	for n := range N {
		if x, y := a.Effects[n].RealIncome, b.Effects[to[n]].RealIncome; math.Abs(x-y) > 1e-7 {
			t.Errorf("%s: %v, as another place in the list %v", d.Regions[n], x, y)
		}
	}
}
