package inout

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// chain is a table in which JPN_cars buys parts of KOR, which are made of what
// only CHN sells: nothing of China is on Japan's invoices.
func chain(t testing.TB) *Model {
	t.Helper()
	tab, err := NewTable([]string{"CHN_metal", "KOR_parts", "JPN_cars"}, mat.NewDense(3, 3, []float64{0, 40, 0, 0, 0, 50, 0, 0, 0}), []float64{40, 50, 100})
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewModel(tab, Leontief)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestHiddenExposure(t *testing.T) {
	m := chain(t)
	china, err := m.Partner("CHN")
	if err != nil {
		t.Fatal(err)
	}
	rs, err := m.Reliance(china)
	if err != nil {
		t.Fatal(err)
	}
	// One car needs 0.5 parts, these 0.4 metal: L column is 0.4, 0.5, 1.
	if r := rs[2]; math.Abs(r.Look.Value-0.4/1.9) > 1e-12 || r.Face.Value != 0 || math.Abs(r.Hidden.Value-0.4/1.9) > 1e-12 {
		t.Errorf("cars: %+v; want 0.4/1.9, all hidden", r)
	}
	e, err := m.Extract(china, 1, []float64{0, 0, 100}, []float64{40, 10, 50}, false)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(e.Output-40) > 1e-12 || math.Abs(e.Value.Value-40) > 1e-12 {
		t.Errorf("extraction: %+v; want the 40 of metal that is not bought any more", e)
	}
	forward, err := NewModel(m.Table, Ghosh)
	if err != nil {
		t.Fatal(err)
	}
	if e, err = forward.Extract(china, 0.5, forward.Primary(), nil, false); err != nil {
		t.Fatal(err)
	}
	if want := []float64{0, 20, 20}; math.Abs(e.Sectors[1]-want[1]) > 1e-12 || math.Abs(e.Sectors[2]-want[2]) > 1e-12 || e.Sectors[0] != 0 {
		t.Errorf("forward extraction: %v; want %v: half the metal is gone, and with it what it goes into", e.Sectors, want)
	}
	if _, err = forward.Extract(china, 0.5, forward.Primary(), nil, true); err == nil {
		t.Error("final demand was cut in a supply-driven model")
	}
	if _, err := m.Partner("CHE"); err == nil || !strings.Contains(err.Error(), `"CHE_"`) {
		t.Errorf("unknown partner: %v", err)
	}
}

// TestReliances: over a partition of the sectors they add up to 1, and nothing
// withheld loses nothing; more withheld loses more.
func TestReliances(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 7).Draw(t, "n")
		z, x, f := mat.NewDense(n, n, nil), make([]float64, n), make([]float64, n)
		names := make([]string, n)
		for i := range n {
			names[i] = string(rune('A' + i))
			f[i] = rapid.Float64Range(0, 10).Draw(t, "f")
			x[i] = 100
			for j := range n {
				z.Set(i, j, rapid.Float64Range(0, 99/float64(n)).Draw(t, "z"))
			}
		}
		tab, err := NewTable(names, z, x)
		if err != nil {
			t.Fatal(err)
		}
		m, err := NewModel(tab, Leontief)
		if err != nil {
			t.Fatal(err)
		}
		first, rest := make([]bool, n), make([]bool, n)
		for i := range n {
			first[i] = i == 0
			rest[i] = i != 0
		}
		a, err := m.Reliance(first)
		if err != nil {
			t.Fatal(err)
		}
		b, err := m.Reliance(rest)
		if err != nil {
			t.Fatal(err)
		}
		for j := range n {
			if s := a[j].Look.Value + b[j].Look.Value; math.Abs(s-1) > 1e-9 {
				t.Fatalf("look-through shares of %s add up to %v", names[j], s)
			}
		}
		last := -1e-9
		for _, phi := range []float64{0, 0.3, 1} {
			e, err := m.Extract(first, phi, f, nil, true)
			if err != nil {
				t.Fatal(err)
			}
			if e.Output < last-1e-9 || (phi == 0 && math.Abs(e.Output) > 1e-9) {
				t.Fatalf("withholding %v loses %v, less than %v", phi, e.Output, last)
			}
			last = e.Output
		}
	})
}
