// Package equilibrium solves the exact-hat world equilibrium of Caliendo and
// Parro (2015), "Estimates of the Trade and Welfare Effects of NAFTA", Review
// of Economic Studies 82(1): many regions and sectors, input-output links,
// tariffs with revenue, iceberg costs and bans.
//
// Hats are ratios new/old; levels have the unit of the flows. Arrays with a
// sector j, an importer n and an exporter i are laid out [j][n][i], so that one
// sector is one contiguous matrix; arrays by region and sector are [n][j].
package equilibrium

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// Data is one calibrated world.
type Data struct {
	Regions []string
	Sectors []string
	Flow    []float64 // [j][n][i] net of tariff, domestic sales included, >= 0
	Tariff  []float64 // [j][n][i] ad valorem fraction the flows were observed under, > -1
	// Input is [n][k][j], the use of input k by sector j, tariff included, >= 0.
	// Balancing leaves tiny negative entries in published tables (one in the
	// NAFTA data); up to a thousandth of the sector's output they are kept.
	Input   []float64
	Final   []float64 // [n][j] final consumption, >= 0
	Value   []float64 // [n][j] value added, >= 0
	Deficit []float64 // [n] imports minus exports, kept fixed; all 0 in the balanced variant
	Theta   []float64 // [j] trade elasticity (dispersion), > 0
}

// A Shock is the world to solve for, against the world the flows were
// observed in.
type Shock struct {
	Tariff  []float64 // [j][n][i] new ad valorem fraction, > -1; nil keeps the observed ones
	Iceberg []float64 // [j][n][i] new trade cost over old, > 0; nil is 1
	// Ban drops a link altogether. A large iceberg cost is no substitute: 50
	// leaves 0.3 % of the trade at an elasticity of 1.45.
	Ban []bool // [j][n][i]; nil bans nothing
	// Share lists regions that pool their incomes so that each one's real
	// income changes by the same factor (transfers sum to zero). Chowdhry,
	// Hinz, Kamin and Wanner; nil for none.
	Share []int
}

func (d *Data) sizes() (n, j int) { return len(d.Regions), len(d.Sectors) }

// Cell is the index of (sector j, importer n, exporter i).
func (d *Data) Cell(j, n, i int) int { N := len(d.Regions); return (j*N+n)*N + i }

// Region returns the index of a region, with an error that lists them.
func (d *Data) Region(name string) (int, error) { return find("region", name, d.Regions) }

// Sector returns the index of a sector, with an error that lists them.
func (d *Data) Sector(name string) (int, error) { return find("sector", name, d.Sectors) }

func find(what, name string, all []string) (int, error) {
	for i, s := range all {
		if s == name {
			return i, nil
		}
	}
	return 0, fmt.Errorf("unknown %s %q; the data has %s", what, name, strings.Join(all, ", "))
}

// Check tests shapes and ranges and names the first cell that is wrong.
func (d *Data) Check() error {
	N, J := d.sizes()
	if N < 2 || J < 1 {
		return fmt.Errorf("check equilibrium data: %d regions and %d sectors; want at least 2 and 1", N, J)
	}
	for _, a := range []struct {
		what  string
		v     []float64
		n     int
		above float64 // values must be at least this
	}{
		{"flows", d.Flow, J * N * N, 0}, {"intermediate use", d.Input, N * J * J, math.Inf(-1)}, {"final consumption", d.Final, N * J, 0},
		{"value added", d.Value, N * J, 0}, {"deficits", d.Deficit, N, math.Inf(-1)}, {"elasticities", d.Theta, J, 0}, {"tariffs", d.Tariff, J * N * N, -1},
	} {
		if len(a.v) != a.n {
			return fmt.Errorf("check equilibrium data: %d %s, want %d for %d regions and %d sectors", len(a.v), a.what, a.n, N, J)
		}
		for k, v := range a.v {
			if !(v >= a.above) || math.IsInf(v, 0) {
				return fmt.Errorf("check equilibrium data: %s of %s is %v; want a finite number of at least %v", a.what, d.place(a.what, k), v, a.above)
			}
		}
	}
	small := 0
	for j, th := range d.Theta {
		if !(th > 0) || th > 1000 {
			return fmt.Errorf("check equilibrium data: elasticity of sector %q is %v; want more than 0 and at most 1000", d.Sectors[j], th)
		}
		if th < 1 {
			small++
		}
	}
	if small == J && J > 1 {
		return errors.New("check equilibrium data: every elasticity is below 1; some sources store 1/theta under this name, give theta itself")
	}
	for k, t := range d.Tariff {
		if t <= -1 {
			return fmt.Errorf("check equilibrium data: tariff of %s is %v; a subsidy of 100 %% or more has no price", d.place("tariffs", k), t)
		}
	}
	if err := d.checkInputs(); err != nil {
		return err
	}
	for n, name := range d.Regions {
		va, fc := 0.0, 0.0
		for j := range J {
			va += d.Value[n*J+j]
			fc += d.Final[n*J+j]
		}
		if !(va > 0) || !(fc > 0) {
			return fmt.Errorf("check equilibrium data: region %q has value added %v and final consumption %v; both must be above zero", name, va, fc)
		}
	}
	return nil
}

// checkInputs refuses negative inputs beyond what balancing leaves.
func (d *Data) checkInputs() error {
	N, J := d.sizes()
	for n := range N {
		for j := range J {
			y, least, at := d.Value[n*J+j], 0.0, 0
			for k := range J {
				v := d.Input[(n*J+k)*J+j]
				y += v
				if v < least {
					least, at = v, (n*J+k)*J+j
				}
			}
			if least < 0 && -least > 1e-3*y {
				return fmt.Errorf("check equilibrium data: intermediate use of %s is %v, more than a thousandth of the output %v; a use is zero or more", d.place("intermediate use", at), least, y)
			}
		}
	}
	return nil
}

func (d *Data) place(what string, k int) string {
	N, J := d.sizes()
	switch what {
	case "flows", "tariffs":
		return fmt.Sprintf("sector %q from %q to %q", d.Sectors[k/(N*N)], d.Regions[k%N], d.Regions[k/N%N])
	case "intermediate use":
		return fmt.Sprintf("input %q in sector %q of %q", d.Sectors[k/J%J], d.Sectors[k%J], d.Regions[k/(J*J)])
	case "deficits":
		return fmt.Sprintf("%q", d.Regions[k])
	case "elasticities":
		return fmt.Sprintf("%q", d.Sectors[k])
	}
	return fmt.Sprintf("sector %q of %q", d.Sectors[k%J], d.Regions[k/J])
}

// checkShock tests the shapes and ranges of a shock.
func (d *Data) checkShock(s Shock) error {
	N, J := d.sizes()
	size := J * N * N
	for what, n := range map[string]int{"tariffs": len(s.Tariff), "iceberg costs": len(s.Iceberg), "bans": len(s.Ban)} {
		if n != 0 && n != size {
			return fmt.Errorf("check shock: %d %s, want %d", n, what, size)
		}
	}
	for k, t := range s.Tariff {
		if !(t > -1) || math.IsInf(t, 0) {
			return fmt.Errorf("check shock: tariff of %s is %v; want a fraction above -1", d.place("tariffs", k), t)
		}
	}
	for k, c := range s.Iceberg {
		if !(c > 0) || math.IsInf(c, 0) {
			return fmt.Errorf("check shock: iceberg cost ratio of %s is %v; want a finite number above 0 (for a ban use a ban)", d.place("flows", k), c)
		}
	}
	seen := map[int]bool{}
	for _, n := range s.Share {
		if n < 0 || n >= N || seen[n] {
			return fmt.Errorf("check shock: region number %d in the sharing coalition is unknown or stands twice", n)
		}
		seen[n] = true
	}
	return nil
}
