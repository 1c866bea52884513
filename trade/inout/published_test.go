package inout

import (
	"math"
	"testing"

	"causeway/trade/internal/sharedtest"
	"causeway/trade/table"
	"gonum.org/v1/gonum/mat"
)

// ukTable builds the ONS 2010 table and the three primary inputs that its
// published effects use.
func ukTable(t testing.TB) (tab *Table, labels []string, gva, wages []float64) {
	siot := sharedtest.Table(t, "iotables/uk_2010_siot.csv.gz")
	label := map[string]string{}
	lab := sharedtest.Table(t, "iotables/uk_2010_labels.csv")
	for i := range lab.Rows {
		label[lab.Text(i, 0)] = lab.Text(i, 1)
	}
	row := map[string]int{}
	for i := range siot.Rows {
		row[siot.Text(i, 0)] = i
	}
	var names []string
	var cols []int
	for j, name := range siot.Header[1:] {
		if _, ok := row[name]; !ok {
			continue // final demand
		}
		names, cols = append(names, name), append(cols, j+1)
	}
	n := len(names)
	if n != 127 {
		t.Fatalf("%d products, want 127", n)
	}
	get := func(r string, k int) float64 {
		v, err := siot.Number(row[r], cols[k])
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	z := mat.NewDense(n, n, nil)
	x := make([]float64, n)
	for j := range names {
		for i, r := range names {
			z.Set(i, j, get(r, j))
		}
		x[j] = get("Total output", j)
		w := get("Compensation of employees", j)
		wages = append(wages, w)
		gva = append(gva, w+get("Gross Operating Surplus", j)+get("Taxes less subsidies on production", j))
		labels = append(labels, label[names[j]])
	}
	tab, err := NewTable(names, z, x)
	if err != nil {
		t.Fatal(err)
	}
	return tab, labels, gva, wages
}

// TestONSMultipliers compares all 127 products with the figures the Office for
// National Statistics published for 2010.
func TestONSMultipliers(t *testing.T) {
	tab, labels, gva, wages := ukTable(t)
	m, err := NewModel(tab, Leontief)
	if err != nil {
		t.Fatal(err)
	}
	pub := sharedtest.Table(t, "iotables/uk_2010_published_multipliers.csv")
	rows := map[string]int{}
	for i := range pub.Rows {
		rows[pub.Text(i, 0)] = i
	}
	byGVA, err := m.Multipliers(gva)
	if err != nil {
		t.Fatal(err)
	}
	byWages, err := m.Multipliers(wages)
	if err != nil {
		t.Fatal(err)
	}
	check := func(k int, column string, got float64) {
		t.Helper()
		i, ok := rows[labels[k]]
		if !ok {
			t.Fatalf("no published row for %q", labels[k])
		}
		col, err := pub.Column(column)
		if err != nil {
			t.Fatal(err)
		}
		want, err := pub.Number(i, col)
		if err != nil {
			if pub.Text(i, col) == "" || pub.Cell(i, col).Kind == table.Missing {
				return
			}
			t.Fatal(err)
		}
		if math.Abs(got-want) > 1e-12*math.Max(1, math.Abs(want)) {
			t.Errorf("%s %s = %.17g, published %.17g", labels[k], column, got, want)
		}
	}
	compared := 0
	for k := range labels {
		check(k, "Output multiplier", byGVA[k].Output)
		check(k, "GVA effects", byGVA[k].Effect.Value)
		check(k, "GVA multiplier", byGVA[k].Multiplier.Value)
		check(k, "Employment cost effects", byWages[k].Effect.Value)
		check(k, "Employment cost multiplier", byWages[k].Multiplier.Value)
		compared++
	}
	if compared != 127 {
		t.Fatalf("compared %d products, want 127", compared)
	}
}
