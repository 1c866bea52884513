package sharing

import (
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"causeway/trade/table"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic(s)
	}
	return r
}

func texts(rs []*big.Rat) []string {
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = quantity(r).String()
	}
	return out
}

// TestTreatyExample: the example of the reference, section 6.1.
func TestTreatyExample(t *testing.T) {
	a, err := Treaty([]Country{{"A", rat("100"), rat("90"), rat("82")}, {"B", rat("60"), rat("60"), rat("56")},
		{"C", rat("30"), rat("0"), rat("33")}, {"D", rat("10"), rat("10"), rat("9")}})
	if err != nil {
		t.Fatal(err)
	}
	var permissible, drawdown, allocation []*big.Rat
	for _, r := range a.Rights {
		permissible, drawdown, allocation = append(permissible, r.Permissible), append(drawdown, r.Drawdown), append(allocation, r.Allocation)
	}
	for _, c := range []struct {
		what string
		got  []*big.Rat
		want []string
	}{
		{"permissible", permissible, []string{"93", "55.8", "27.9", "9.3"}},
		{"drawdown", drawdown, []string{"3.375", "2.25", "0", "0.375"}},
		{"allocation", allocation, []string{"7.625", "-2.45", "-5.1", "-0.075"}},
	} {
		if d := cmp.Diff(c.want, texts(c.got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, d)
		}
	}
	if a.Shortfall.Cmp(rat("6")) != 0 || len(a.Articles) != 1 || !strings.HasPrefix(a.Articles[0], "Art 13") {
		t.Errorf("shortfall %v, articles %v", a.Shortfall, a.Articles)
	}
	// Art 17: D alone loses 1.5.
	a, err = Treaty([]Country{{"A", rat("100"), rat("90"), rat("100")}, {"B", rat("60"), rat("60"), rat("60")},
		{"C", rat("30"), rat("0"), rat("30")}, {"D", rat("10"), rat("10"), rat("8.5")}})
	if err != nil {
		t.Fatal(err)
	}
	allocation = nil
	for _, r := range a.Rights {
		allocation = append(allocation, r.Allocation)
	}
	if d := cmp.Diff([]string{"-0.421052632", "-0.252631579", "-0.126315789", "0.8"}, texts(allocation)); d != "" {
		t.Errorf("Art 17 (-want +got):\n%s", d)
	}
}

// TestTreatyBoundaries: the group triggers say at least, the single-country
// trigger says exceeding.
func TestTreatyBoundaries(t *testing.T) {
	for _, c := range []struct{ available, want string }{{"93", "Art 13"}, {"93.001", "Art 17"}, {"88", "Art 14"}, {"88.001", "Art 13"}} {
		a, err := Treaty([]Country{{"A", rat("50"), rat("50"), rat("50")}, {"B", rat("50"), rat("50"), new(big.Rat).Sub(rat(c.available), rat("50"))}})
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Articles) == 0 || !strings.HasPrefix(a.Articles[0], c.want) {
			t.Errorf("%s of 100 left: %v, want %s", c.available, a.Articles, c.want)
		}
	}
	a, err := Treaty([]Country{{"A", rat("100"), rat("0"), rat("93")}, {"B", rat("100"), rat("0"), rat("100")}})
	if err != nil || len(a.Articles) != 0 {
		t.Errorf("exactly 7 %% lost by one country triggers %v (%v)", a.Articles, err)
	}
}

func TestTreatyIsZeroSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var cs []Country
		for i := range rapid.IntRange(1, 8).Draw(t, "countries") {
			cs = append(cs, Country{string(rune('A' + i)), big.NewRat(rapid.Int64Range(1, 1e9).Draw(t, "base"), rapid.Int64Range(1, 1000).Draw(t, "den")),
				big.NewRat(rapid.Int64Range(0, 1e9).Draw(t, "imports"), 7), big.NewRat(rapid.Int64Range(0, 1e9).Draw(t, "now"), 11)})
		}
		a, err := Treaty(cs)
		if err != nil {
			if strings.Contains(err.Error(), "nobody has net imports") {
				return
			}
			t.Fatal(err)
		}
		sum := new(big.Rat)
		for _, r := range a.Rights {
			sum.Add(sum, r.Allocation)
		}
		if sum.Sign() != 0 {
			t.Fatalf("allocations add up to %v", sum)
		}
	})
}

// TestDivisionExamples: the Talmud's three estates over claims of 100, 200, 300.
func TestDivisionExamples(t *testing.T) {
	claims := []*big.Rat{rat("100"), rat("200"), rat("300")}
	for _, c := range []struct {
		estate string
		want   []string
	}{{"100", []string{"33.333333333", "33.333333333", "33.333333333"}}, {"200", []string{"50", "75", "75"}}, {"300", []string{"50", "100", "150"}}} {
		d, err := Divide(rat(c.estate), claims)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, texts(d[3].Awards)); diff != "" {
			t.Errorf("estate %s (-want +got):\n%s", c.estate, diff)
		}
	}
}

func TestDivisionsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var claims []*big.Rat
		total := new(big.Rat)
		for range rapid.IntRange(1, 7).Draw(t, "n") {
			c := big.NewRat(rapid.Int64Range(0, 1000).Draw(t, "claim"), 3)
			claims = append(claims, c)
			total.Add(total, c)
		}
		estate := new(big.Rat).Mul(total, big.NewRat(rapid.Int64Range(0, 100).Draw(t, "percent"), 100))
		ds, err := Divide(estate, claims)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range ds {
			sum := new(big.Rat)
			for i, a := range d.Awards {
				if a.Sign() < 0 || a.Cmp(claims[i]) > 0 {
					t.Fatalf("%s awards %v on a claim of %v", d.Rule, a, claims[i])
				}
				sum.Add(sum, a)
			}
			if sum.Cmp(estate) != 0 {
				t.Fatalf("%s divides %v into %v", d.Rule, estate, sum)
			}
		}
	})
}

func tab(t testing.TB, name, csv string) *table.Table {
	t.Helper()
	out, err := table.Read(name, strings.NewReader(csv))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func plan(t *testing.T, offers, needs, routes string) (*Plan, error) {
	t.Helper()
	p, err := Read(Tables{Offers: tab(t, "offers.csv", offers), Needs: tab(t, "needs.csv", needs), Routes: tab(t, "routes.csv", routes), Unit: "t"})
	if err != nil {
		return nil, err
	}
	return p.Solve()
}

const exampleRoutes = "from,to,capacity\nS1,J1,\nS1,J2,\nS2,J2,\nS2,J3,20\n"

// TestExample is the worked example of the reference, section 6.3.
func TestExample(t *testing.T) {
	p, err := plan(t, "supplier,quantity\nS1,60\nS2,40\n", "member,quantity\nJ1,50\nJ2,60\nJ3,40\n", exampleRoutes)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range p.Served {
		got[s.Member] = s.Met.String() + " " + s.Why
	}
	want := map[string]string{"J1": "36.363636364 nothing is left at S1", "J2": "43.636363636 nothing is left at S1, S2", "J3": "20 the route is full from S2"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestMonthsStocksAndLags: a stock lasts for two months, a late route misses
// the first, a floor is kept, and withheld figures show what they could change.
func TestMonthsStocksAndLags(t *testing.T) {
	p, err := plan(t, "supplier,month,quantity,keep\nJPN,1,30,\nAUS,1,20,\nAUS,2,20,\nKOR,1,W,\n",
		"member,month,quantity,floor\nJPN,1,40,\nJPN,2,40,0.5\n", "from,to,lag,cost\nAUS,JPN,1,2.5\nKOR,JPN,0,1\n")
	if err != nil {
		t.Fatal(err)
	}
	one, two := p.Served[0], p.Served[1]
	if one.Ratio.String() != "0.625" || two.Ratio.String() != "0.625" || one.Could.String() != "1" {
		t.Errorf("month 1 %v (could be %v), month 2 %v; want 0.625 each, and 1", one.Ratio, one.Could, two.Ratio)
	}
	if p.Cost.String() != "50" || len(p.Bearers) != 3 || len(p.Notes) != 1 {
		t.Errorf("cost %v, bearers %v, notes %v", p.Cost, p.Bearers, p.Notes)
	}
	if b, err := json.Marshal(p); err != nil || !strings.Contains(string(b), `"ratio":0.625`) {
		t.Errorf("JSON %s, %v", b, err)
	}
}

func TestInfeasiblePlanIsNamed(t *testing.T) {
	_, err := plan(t, "supplier,quantity\nS1,60\nS2,40\n", "member,quantity,floor\nJ1,50,\nJ2,60,\nJ3,40,80%\n", exampleRoutes)
	var infeasible *InfeasibleError
	if !errors.As(err, &infeasible) || err.Error() != "the plan is infeasible: the floors cannot be met together: J3 in month 1 lacks 12 t; lower a floor or add supply or routes" {
		t.Errorf("error %v", err)
	}
}

func TestBadTables(t *testing.T) {
	offers, needs := "supplier,quantity\nS1,60\n", "member,quantity\nJ1,50\n"
	for _, c := range []struct{ name, offers, needs, routes, want string }{
		{"unknown member", offers, needs, "from,to\nS1,J11\n", `unknown member "J11"; did you mean "J1"?`},
		{"negative", "supplier,quantity\nS1,-60\n", needs, "from,to\n", "want a number of zero or more"},
		{"empty need", offers, "member,quantity\nJ1,\n", "from,to\n", "the need is empty"},
		{"month", "supplier,quantity,month\nS1,60,0\n", needs, "from,to\n", "want a month from 1"},
		{"decimals", "supplier,quantity\nS1,0.12345678901\n", needs, "from,to\n", "more than 9 decimals"},
		{"floor", offers, "member,quantity,floor\nJ1,50,1.5\n", "from,to\n", "want a fraction such as 0.8"},
		{"twice", offers, needs, "from,to\nS1,J1\nS1,J1\n", "stands twice"},
		{"column", "suplier,quantity\nS1,60\n", needs, "from,to\n", `no column "supplier"; did you mean "suplier"?`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := plan(t, c.offers, c.needs, c.routes); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// TestPicture: what leaves the left column arrives in the right one, and unmet
// needs are in the notes.
func TestPicture(t *testing.T) {
	p, err := plan(t, "supplier,quantity\nS1,60\nS2,40\n", "member,quantity\nJPN,50\nJ2,60\nJ3,40\n", strings.ReplaceAll(exampleRoutes, "J1", "JPN"))
	if err != nil {
		t.Fatal(err)
	}
	pic := p.Picture("Gallium")
	sides := map[int]float64{}
	for _, n := range pic.Nodes {
		sides[n.Stage] += n.Value
		if n.ID == "to JPN" && (n.Place != "JPN" || n.Name != "Japan") {
			t.Errorf("node %+v", n)
		}
	}
	bands := 0.0
	for _, b := range pic.Bands {
		bands += b.After
	}
	if d := sides[0] - bands; len(pic.Notes) != 3 || d > 1e-9 || d < -1e-9 || sides[1]-bands > 1e-9 || bands < 99.9 {
		t.Errorf("left %v, right %v, bands %v, notes %v", sides[0], sides[1], bands, pic.Notes)
	}
}
