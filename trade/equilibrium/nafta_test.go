package equilibrium

import (
	"errors"
	"math"
	"testing"

	"causeway/trade/internal/sharedtest"
)

// nafta reads the public NAFTA data: 31 regions, 40 sectors, 1993.
func nafta(t testing.TB, deficits bool) (Files, *Data) {
	t.Helper()
	dir := "cp2015_nafta/"
	f := Files{
		Trade: sharedtest.Table(t, dir+"trade.csv.gz"), Intermediate: sharedtest.Table(t, dir+"intermediate_consumption.csv.gz"),
		Final: sharedtest.Table(t, dir+"final_consumption.csv"), ValueAdded: sharedtest.Table(t, dir+"value_added.csv"),
		Deficit: sharedtest.Table(t, dir+"deficit.csv"), Theta: sharedtest.Table(t, dir+"theta.csv"),
		Regions: sharedtest.Lines(t, dir+"regions.txt"), Sectors: sharedtest.Lines(t, dir+"sectors.txt"),
	}
	if !deficits {
		f.Deficit = nil
	}
	d, err := Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return f, d
}

func scenario(t testing.TB, f Files, d *Data, column string) Shock {
	t.Helper()
	s, err := ReadScenario(f, d, column)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestNAFTATable compares with the published effects of NAFTA's tariff cuts
// under balanced trade (Caliendo and Parro 2015, table 2), in percent.
func TestNAFTATable(t *testing.T) {
	f, d := nafta(t, false)
	c, err := Compare(d, scenario(t, f, d, "tariff_bln"), scenario(t, f, d, "tariff_cfl"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []Effect{
		{Region: "Canada", TermsOfTrade: -0.1081, VolumeOfTrade: 0.0443, Welfare: -0.0638, RealWage: 0.3228, RealIncome: -0.1101},
		{Region: "Mexico", TermsOfTrade: -0.4118, VolumeOfTrade: 1.7239, Welfare: 1.3121, RealWage: 1.7153, RealIncome: 0.0073},
		{Region: "USA", TermsOfTrade: 0.0435, VolumeOfTrade: 0.0412, Welfare: 0.0848, RealWage: 0.1124, RealIncome: 0.0741},
	} {
		n, err := d.Region(want.Region)
		if err != nil {
			t.Fatal(err)
		}
		got := c.Effects[n]
		for name, v := range map[string][2]float64{"ToT": {got.TermsOfTrade, want.TermsOfTrade}, "VoT": {got.VolumeOfTrade, want.VolumeOfTrade},
			"welfare": {got.Welfare, want.Welfare}, "real wage": {got.RealWage, want.RealWage}, "real income": {got.RealIncome, want.RealIncome}} {
			if math.Abs(v[0]-v[1]) > 5.1e-5 {
				t.Errorf("%s %s = %.6f, published %.4f", want.Region, name, v[0], v[1])
			}
		}
	}
}

// TestAccelerationKeepsTheSolution: the combined steps end where the published
// damped iteration ends.
func TestAccelerationKeepsTheSolution(t *testing.T) {
	f, d := nafta(t, true)
	s := scenario(t, f, d, "tariff_cfl")
	fast, err := Solve(d, s, Options{Tolerance: 1e-10})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := Solve(d, s, Options{Tolerance: 1e-10, Plain: true})
	if err != nil {
		t.Fatal(err)
	}
	for n := range d.Regions {
		if math.Abs(fast.Wage[n]-plain.Wage[n]) > 1e-8 || math.Abs(fast.Income[n]/plain.Income[n]-1) > 1e-8 {
			t.Errorf("%s: wage %.12f, plain %.12f", d.Regions[n], fast.Wage[n], plain.Wage[n])
		}
	}
}

// TestSharing: in a balanced world, a coalition's transfers sum to zero and
// every member's real income changes by the same factor.
func TestSharing(t *testing.T) {
	f, d := nafta(t, false)
	a, err := Solve(d, scenario(t, f, d, "tariff_bln"), Options{Tolerance: 1e-10})
	if err != nil {
		t.Fatal(err)
	}
	balanced := Rebase(d, a)
	same, err := Compare(balanced, Shock{}, Shock{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range same.Effects {
		if math.Abs(e.RealIncome) > 1e-9 || math.Abs(e.Welfare) > 1e-6 {
			t.Errorf("no shock moves %s: %+v", e.Region, e)
		}
	}
	shock := scenario(t, f, d, "tariff_cfl")
	for _, name := range []string{"Canada", "Mexico", "USA"} {
		n, err := d.Region(name)
		if err != nil {
			t.Fatal(err)
		}
		shock.Share = append(shock.Share, n)
	}
	c, err := Compare(balanced, Shock{}, shock, Options{})
	if err != nil {
		t.Fatal(err)
	}
	sum, income := 0.0, 0.0
	for _, n := range shock.Share {
		sum += c.B.Transfer[n]
		income += c.B.Income[n]
		if d := c.Effects[n].RealIncome - c.Effects[shock.Share[0]].RealIncome; math.Abs(d) > 1e-9 {
			t.Errorf("%s differs from %s by %g points", balanced.Regions[n], balanced.Regions[shock.Share[0]], d)
		}
	}
	if math.Abs(sum/income) > 1e-12 {
		t.Errorf("transfers sum to %g of income, want 0", sum/income)
	}
}

func TestBanWithoutSupplier(t *testing.T) {
	_, d := nafta(t, false)
	ban := make([]bool, len(d.Flow))
	mexico, err := d.Region("Mexico")
	if err != nil {
		t.Fatal(err)
	}
	for i := range d.Regions {
		ban[d.Cell(3, mexico, i)] = true
	}
	_, err = Solve(d, Shock{Ban: ban}, Options{})
	var none *NoSupplierError
	if !errors.As(err, &none) || len(none.Places) != 1 || none.Places[0] != d.Sectors[3]+" in Mexico" {
		t.Errorf("got %v, want the one place without a supplier", err)
	}
}

func BenchmarkNAFTA(b *testing.B) {
	f, d := nafta(b, false)
	base, shock := scenario(b, f, d, "tariff_bln"), scenario(b, f, d, "tariff_cfl")
	for b.Loop() {
		if _, err := Compare(d, base, shock, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
