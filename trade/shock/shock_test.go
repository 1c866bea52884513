package shock

import (
	"math"
	"strings"
	"testing"

	"causeway/trade"
	"pgregory.net/rapid"
)

func near(t *testing.T, what string, got trade.Figure, want float64) {
	t.Helper()
	if !got.IsKnown() || math.Abs(got.Value-want) > 5e-7 {
		t.Errorf("%s = %v (%s), want %v", what, got.Value, got.Reason, want)
	}
}

// TestPublishedChecks: the numbers of the reference, section 3.
func TestPublishedChecks(t *testing.T) {
	c, err := Remove(0.3, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "cut-off price", c.Price, 0.118892)
	near(t, "cut-off welfare", c.Welfare, -0.118892)
	l, err := Input{0.02, 0.5}.Fall(0.5)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "first order", trade.Known(l.FirstOrder), -0.013863)
	near(t, "second order", l.SecondOrder, -0.018571)
	near(t, "exact", l.Exact, -0.019803)
	near(t, "Leontief", l.Leontief, math.Log(0.5))
}

func TestNoAlternativeIsNotANumber(t *testing.T) {
	for _, c := range []struct {
		name string
		got  trade.Figure
	}{
		{"all suppliers removed", must(Remove(1, 4, 0.1)).Price},
		{"complements", must(Remove(0.5, 0.9, 0.1)).Welfare},
		{"nothing left, complements", must(Input{0.02, 0.5}.Fall(0)).Exact},
	} {
		if c.got.IsKnown() || !strings.Contains(c.got.Reason, "no alternative supplier") {
			t.Errorf("%s: %v (%s)", c.name, c.got.Value, c.got.Reason)
		}
	}
	near(t, "nothing left, substitutes", must(Input{0.5, 2}.Fall(0)).Exact, 2*math.Log(0.5))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestOrderOfTheForms: with complements (sigma < 1) first order <= exact <=
// Leontief in size; the exact form is smooth through sigma = 1; more is lost
// where less remains.
func TestOrderOfTheForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := Input{rapid.Float64Range(0, 1).Draw(t, "s"), rapid.Float64Range(0.02, 0.999999).Draw(t, "sigma")}
		left := rapid.Float64Range(0.01, 1).Draw(t, "left")
		l := must(in.Fall(left))
		if -l.FirstOrder > -l.Exact.Value+1e-9 || -l.Exact.Value > -l.Leontief.Value+1e-9 {
			t.Fatalf("first %v, exact %v, Leontief %v", l.FirstOrder, l.Exact, l.Leontief)
		}
		if worse := must(in.Fall(left / 2)); worse.Exact.Value > l.Exact.Value+1e-12 {
			t.Fatalf("halving what remains lost less: %v, then %v", l.Exact, worse.Exact)
		}
		at := must(Input{in.CostShare, 1}.Fall(left)).Exact.Value
		above := must(Input{in.CostShare, 1 + 1e-7}.Fall(left)).Exact.Value
		if math.Abs(at-above) > 1e-5 {
			t.Fatalf("jump at sigma = 1: %v, %v", at, above)
		}
	})
}

func TestDivertKeepsUnknownUnknown(t *testing.T) {
	shares, covered, err := Divert(100, 5, []Supplier{
		{"near", trade.Known(30), 1.1}, {"far", trade.Known(200), 1.6}, {"silent", trade.Unknown("not reported"), 1}})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(covered-1) > 1e-12 || math.Abs(shares[0].Share.Value+shares[1].Share.Value-1) > 1e-12 || shares[0].Share.Value > 0.3 {
		t.Errorf("shares %+v, covered %v", shares, covered)
	}
	if shares[2].Share.IsKnown() {
		t.Errorf("unknown spare capacity got the share %v", shares[2].Share)
	}
	_, covered, err = Divert(100, 5, []Supplier{{"small", trade.Known(25), 2}})
	if err != nil || math.Abs(covered-0.25) > 1e-12 {
		t.Errorf("covered %v, %v; want 0.25", covered, err)
	}
}

func TestGrossAndNet(t *testing.T) {
	g, err := NetOfDiversion(trade.Known(31), trade.Known(0), trade.Known(50), trade.Known(70))
	if err != nil || g.Gross != 31 || g.Net.Value != 11 {
		t.Errorf("%+v, %v; want gross 31, net 11", g, err)
	}
	g, err = NetOfDiversion(trade.Known(31), trade.Known(0), trade.Unknown("late reporter"), trade.Known(70))
	if err != nil || g.Net.IsKnown() {
		t.Errorf("net of unknown diversion: %+v, %v", g, err)
	}
}

func TestBadArguments(t *testing.T) {
	for _, err := range []error{
		second(Input{1.2, 2}.Fall(0.5)), second(Input{0.1, 0}.Fall(0.5)), second(Input{0.1, 2}.Fall(-1)), second(Input{0.1, math.NaN()}.Fall(0.5)),
		second(Remove(-0.1, 3, 0.2)), second(Remove(0.1, 3, 2)), second(Input{0.1, 2}.Over(3, 2, 0.5)),
	} {
		if err == nil || !strings.Contains(err.Error(), "want") && !strings.Contains(err.Error(), "give") {
			t.Errorf("error %v", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
