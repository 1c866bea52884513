package dependency

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"causeway/trade"
	"causeway/trade/internal/sharedtest"
	"causeway/trade/table"
	"pgregory.net/rapid"
)

func TestPublishedConcentrations(t *testing.T) {
	nickel := sharedtest.Table(t, "geopolrisk/testcase_nickel.csv")
	rep, err := ConcentrationsOf(nickel, "Country", "2022", "")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := rep.Groups[0].HHI.Value, 0.26749007657640966; math.Abs(got-want) > 1e-15 {
		t.Errorf("nickel 2022 = %.17g, want %.17g (0.3169 means that the Total row is counted)", got, want)
	}
	exports := sharedtest.Table(t, "crm_world_exports/crm_exports_rel_1995_2023.csv.gz")
	at, err := exports.Columns("hs6")
	if err != nil {
		t.Fatal(err)
	}
	kept := exports.Rows[:0]
	for i, row := range exports.Rows {
		if exports.Text(i, at[0]) == "280530" {
			kept = append(kept, row)
		}
	}
	exports.Rows = kept
	if rep, err = ConcentrationsOf(exports, "country", "rel_to_max", "year"); err != nil {
		t.Fatal(err)
	}
	for _, g := range rep.Groups {
		want, top := map[string]float64{"2010": 0.593446, "2015": 0.240176}[g.Group], map[string]string{"2010": "CHN", "2015": "VNM"}[g.Group]
		if want != 0 && (math.Abs(g.HHI.Value-want) > 5e-7 || g.Top != top) {
			t.Errorf("rare-earth metals %s: %v, top %s, want %v, %s", g.Group, g.HHI, g.Top, want, top)
		}
	}
}

func TestConcentrationOfAwkwardTables(t *testing.T) {
	for _, c := range []struct{ name, csv, want string }{
		{"plain", "s,v\na,60\nb,40\n", "0.52 a 0.6 1"},
		{"withheld is not zero", "s,v\na,60\nb,40\nc,W\n", "0.52 a 0.6 0.6666666666666666"},
		{"residual stays in the denominator", "s,v\na,40\nb,40\nOther countries,20\n", "0.32000000000000006 a 0.4 0.8"},
		{"total left out", "s,v\na,\"1,000\"\nb,\"1,000\"\nWorld total (rounded) 10,\"2,000\"\n", "0.5 a 0.5 1"},
		{"Namibia is a country", "s,v\nNA,1\nDE,1\n", "0.5 DE 0.5 1"},
		{"bound", "s,v\na,1\nb,>95\n", "1 a 1 0.5"},
		{"em dash is zero", "s,v\na,1\nb,—\n", "1 a 1 1"},
		{"nothing known", "s,v,g\na,W,x\nb,1,y\n", "  0"},
		{"semicolons", "s;v\na;3\nb;1\n", "0.625 a 0.75 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tab, err := table.Read("t.csv", strings.NewReader(c.csv))
			if err != nil {
				t.Fatal(err)
			}
			group := ""
			if strings.Contains(c.csv, ",g\n") {
				group = "g"
			}
			rep, err := ConcentrationsOf(tab, "s", "v", group)
			if err != nil {
				t.Fatal(err)
			}
			g := rep.Groups[0]
			got := strings.Join([]string{g.HHI.String(), g.Top, g.TopShare.String(), trade.Known(g.Coverage).String()}, " ")
			if strings.TrimLeft(got, " ") != strings.TrimLeft(c.want, " ") {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestConcentrationRules: order and unit do not matter, and the index lies
// between 1/n and 1.
func TestConcentrationRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 1e9), 1, 30).Draw(t, "values")
		scale := rapid.Float64Range(1e-6, 1e6).Draw(t, "scale")
		var rows, other []Supply
		for i, v := range values {
			name := string(rune('A' + i))
			rows = append(rows, Supply{name, trade.Known(v)})
			other = append(other, Supply{name, trade.Known(v * scale)})
		}
		rand.New(rand.NewPCG(1, uint64(len(rows)))).Shuffle(len(other), func(i, j int) { other[i], other[j] = other[j], other[i] })
		a, err := Concentrate("", rows, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Concentrate("", other, nil)
		if err != nil {
			t.Fatal(err)
		}
		if a.HHI.IsKnown() != b.HHI.IsKnown() {
			t.Fatal("known in one unit only")
		}
		if !a.HHI.IsKnown() {
			return
		}
		if math.Abs(a.HHI.Value-b.HHI.Value) > 1e-12 {
			t.Fatalf("%v differs from %v", a.HHI, b.HHI)
		}
		if n := float64(a.Suppliers); a.HHI.Value < 1/n-1e-12 || a.HHI.Value > 1+1e-12 {
			t.Fatalf("%v outside [1/%v, 1]", a.HHI, n)
		}
	})
}

// TestNotes: shares that do not add up, and rows of one supplier, are named.
func TestNotes(t *testing.T) {
	for csv, want := range map[string]string{
		"s,share\na,40\nb,30\n":        "the shares add up to 70",
		"s,share\na,60\nb,41\n":        "",
		"s,v\na,40\na,30\nb,1\n":       "1 suppliers stand in several rows",
		"s,v\na,40\nb,30\nTotal,100\n": "the rows add up to 70 but the total row says 100",
	} {
		tab, err := table.Read("t.csv", strings.NewReader(csv))
		if err != nil {
			t.Fatal(err)
		}
		rep, err := ConcentrationsOf(tab, "s", tab.Header[1], "")
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(rep.Notes, "|"); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%q: notes %q, want %q", csv, got, want)
		}
	}
}
