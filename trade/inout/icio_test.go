package inout

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"causeway/trade/internal/sharedtest"
	"causeway/trade/table"
)

// icioFile makes a table that closes, in the layout of an edition: the split
// economies beside empty CHN rows, taxes, value added and output.
type icioFile struct {
	header []string
	rows   [][]string
}

func makeICIO(seed uint64, valueRow, taxRow, outRow, outColumn string) icioFile {
	r := rand.New(rand.NewPCG(seed, 7))
	economies, industries := []string{"AAA", "CHN", "CN1", "CN2", "MX1", "MX2", "ROW"}, []string{"A01_02", "C26"}
	var names []string
	for _, e := range economies {
		for _, i := range industries {
			names = append(names, e+"_"+i)
		}
	}
	demand := []string{"AAA_HFCE", "AAA_GGFC", "CHN_HFCE", "CHN_INVNT", "MEX_HFCE", "ROW_DPABR"}
	n := len(names)
	z, f, x := make([][]float64, n), make([][]float64, n), make([]float64, n)
	for i := range n {
		z[i], f[i] = make([]float64, n), make([]float64, len(demand))
		for j := range n {
			if !strings.HasPrefix(names[i], "CHN") && !strings.HasPrefix(names[j], "CHN") {
				z[i][j] = 10 * r.Float64()
			}
			x[i] += z[i][j]
		}
		for j := range demand {
			if !strings.HasPrefix(names[i], "CHN") {
				f[i][j] = 60 * r.Float64()
			}
			if demand[j] == "CHN_INVNT" {
				f[i][j] = -f[i][j] / 20 // stocks fall
			}
			x[i] += f[i][j]
		}
	}
	out := icioFile{header: append(append([]string{"V1"}, names...), append(demand, outColumn)...)}
	cell := func(v float64) string { return fmt.Sprintf("%.6f", v) }
	for i := range n {
		row := []string{names[i]}
		for j := range n {
			row = append(row, cell(z[i][j]))
		}
		for j := range demand {
			row = append(row, cell(f[i][j]))
		}
		out.rows = append(out.rows, append(row, cell(x[i])))
	}
	below := func(name string, v func(j int) float64) {
		row := []string{name}
		for j := range n {
			row = append(row, cell(v(j)))
		}
		for range demand {
			row = append(row, "0")
		}
		out.rows = append(out.rows, append(row, "0"))
	}
	below(taxRow, func(j int) float64 { return x[j] / 50 })
	below(valueRow, func(j int) float64 {
		v := x[j] * 49 / 50
		for i := range n {
			v -= z[i][j]
		}
		return v
	})
	below(outRow, func(j int) float64 { return x[j] })
	return out
}

func (f icioFile) String() string {
	var b strings.Builder
	b.WriteString(strings.Join(f.header, ",") + "\n")
	for _, r := range f.rows {
		b.WriteString(strings.Join(r, ",") + "\n")
	}
	return b.String()
}

// TestICIOEditions: the layouts of the editions give one table, with China and
// Mexico put together, and losses that a table made by hand gives too.
func TestICIOEditions(t *testing.T) {
	var first *Full
	for _, e := range [][4]string{{"VA", "TLS", "OUT", "OUT"}, {"VALU", "TAXSUB", "OUTPUT", "TOTAL"}} {
		f, err := ReadICIO("icio.csv", strings.NewReader(makeICIO(3, e[0], e[1], e[2], e[3]).String()))
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"AAA_A01_02", "AAA_C26", "CHN_A01_02", "CHN_C26", "MEX_A01_02", "MEX_C26", "ROW_A01_02", "ROW_C26"}
		if strings.Join(f.Names, " ") != strings.Join(want, " ") {
			t.Fatalf("sectors %v, want %v", f.Names, want)
		}
		if !strings.Contains(strings.Join(f.Notes, "\n"), "CN1, CN2, MX1, MX2 are added up") {
			t.Errorf("notes %q do not say what was added up", f.Notes)
		}
		if first != nil && !mat.Equal(first.Z, f.Z) {
			t.Error("two editions of one table differ")
		}
		first = f
	}
	// x = Z 1 + f after putting together, and value + taxes + inputs = x.
	for i := range first.Names {
		sales, costs := first.Final[i], first.Value[i]+first.Taxes[i]
		for j := range first.Names {
			sales += first.Z.At(i, j)
			costs += first.Z.At(j, i)
		}
		if math.Abs(sales-first.X[i]) > 1e-4 || math.Abs(costs-first.X[i]) > 1e-4 {
			t.Errorf("%s: output %v, sales %v, costs %v", first.Names[i], first.X[i], sales, costs)
		}
	}
	m, err := NewModel(first.Table, Leontief)
	if err != nil {
		t.Fatal(err)
	}
	china, err := m.Partner("CHN")
	if err != nil {
		t.Fatal(err)
	}
	x, err := m.Solve(first.Final)
	if err != nil {
		t.Fatal(err)
	}
	for i := range x {
		if math.Abs(x[i]-first.X[i]) > 1e-3 {
			t.Errorf("%s: final demand needs %v, the table says %v", first.Names[i], x[i], first.X[i])
		}
	}
	if _, err := m.Reliance(china); err != nil {
		t.Error(err)
	}
}

// TestICIORefuses: a table that does not close, or whose rows are not its
// columns, gives an error that says where, never a result.
func TestICIORefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*icioFile)
		want   string
	}{
		"a row is missing":        {func(f *icioFile) { f.rows = f.rows[1:] }, `column "AAA_A01_02" has no row`},
		"a row has another name":  {func(f *icioFile) { f.rows[0][0] = "AAA_A01_03" }, `nearest column: "AAA_A01_02"`},
		"a row stands twice":      {func(f *icioFile) { f.rows[1] = f.rows[0] }, "stands twice"},
		"a column stands twice":   {func(f *icioFile) { f.header[2] = f.header[1] }, "stands twice"},
		"a flow is empty":         {func(f *icioFile) { f.rows[0][3] = "" }, "an empty flow is not a zero"},
		"a flow is negative":      {func(f *icioFile) { f.rows[0][1] = "-3" }, "zero or more"},
		"sales and output differ": {func(f *icioFile) { f.rows[0][1] = "900" }, `rows and columns disagree for "AAA_A01_02"`},
		"value and output differ": {func(f *icioFile) { f.rows[15][1] = "900" }, `rows and columns disagree for "AAA_A01_02"`},
		"no output":               {func(f *icioFile) { f.rows = f.rows[:16]; f.header[21] = "ROW_FD" }, "no row and no column of outputs"},
		"no industry":             {func(f *icioFile) { f.header[1] = "Agriculture" }, `is called "Agriculture"`},
		"a ragged row":            {func(f *icioFile) { f.rows[2] = f.rows[2][:5] }, "wrong number of fields"},
	} {
		t.Run(name, func(t *testing.T) {
			f := makeICIO(5, "VA", "TLS", "OUT", "OUT")
			c.change(&f)
			if _, err := ReadICIO("icio.csv", strings.NewReader(f.String())); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want an error with %q", err, c.want)
			}
		})
	}
}

func FuzzReadICIO(f *testing.F) {
	f.Add(makeICIO(1, "VA", "TLS", "OUT", "OUT").String())
	f.Add("V1,A_B,A_HFCE,OUT\nA_B,1,2,3\nVA,2,0,0\nOUT,3,0,0\n")
	f.Add("\ufeffV1,CN1_X,CN2_X,OUT\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<16 {
			return
		}
		full, err := ReadICIO("f", strings.NewReader(text))
		if err == nil && (len(full.Names) == 0 || len(full.X) != len(full.Names) || len(full.Final) != len(full.Names)) {
			t.Errorf("a table of shape %d, %d, %d", len(full.Names), len(full.X), len(full.Final))
		}
	})
}

// TestNationalTables: the sheets of ONS and of a Dutch table are read as they
// are published; the published multipliers come out.
func TestNationalTables(t *testing.T) {
	uk := sharedtest.Table(t, "iotables/uk_2010_siot.csv.gz")
	f, err := ReadNational(uk, National{Value: []string{"Compensation of employees", "Gross Operating Surplus", "Taxes less subsidies on production"}})
	if err != nil {
		t.Fatal(err)
	}
	byHand, _, gva, _ := ukTable(t)
	if !mat.Equal(f.Z, byHand.Z) || strings.Join(f.Names, "|") != strings.Join(byHand.Names, "|") {
		t.Error("the sheet gives another table than the one made by hand, whose multipliers are the published ones")
	}
	for k := range gva {
		if math.Abs(f.Value[k]-gva[k]) > 1e-9 || f.X[k] != byHand.X[k] {
			t.Errorf("%s: value %v, output %v; want %v, %v", f.Names[k], f.Value[k], f.X[k], gva[k], byHand.X[k])
		}
	}
	nl, err := ReadNational(sharedtest.Table(t, "iotables/netherlands_2000.csv"), National{Value: []string{"value_added_bp"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(nl.Names) != 6 || nl.X[2] != 210900 || nl.Value[5] != 255703 {
		t.Errorf("the Dutch table: %v %v %v", nl.Names, nl.X, nl.Value)
	}
}

func TestNationalRefuses(t *testing.T) {
	good := "x,D01T02,D03,HFCE,OUTPUT\nTTL_01T02,1,2,7,10\nTTL_03,3,4,13,20\nVALU,6,14,,\nOUTPUT,10,20,,\n"
	read := func(text string, as National) error {
		_, err := ReadNational(tableOf(t, text), as)
		return err
	}
	if err := read(good, National{Value: []string{"VALU"}}); err != nil {
		t.Fatalf("the OECD's prefixes: %v", err)
	}
	for name, c := range map[string]struct {
		text string
		as   National
		want string
	}{
		"no such row":           {good, National{Value: []string{"VALUE"}}, `did you mean "VALU"`},
		"no output":             {strings.Replace(good, "\nOUTPUT", "\nSUM", 1), National{}, "no row"},
		"use exceeds output":    {strings.Replace(good, "TTL_03,3", "TTL_03,300", 1), National{}, "rows and columns disagree"},
		"row total differs":     {strings.Replace(good, "7,10", "7,30", 1), National{}, "rows and columns disagree"},
		"an empty flow":         {strings.Replace(good, "TTL_03,3", "TTL_03,", 1), National{}, "empty"},
		"no square in the file": {"x,a,b\nc,1,2\nd,3,4\n", National{}, "stand both"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := read(c.text, c.as); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want an error with %q", err, c.want)
			}
		})
	}
}

func tableOf(t *testing.T, text string) *table.Table {
	t.Helper()
	out, err := table.Read("table.csv", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return out
}
