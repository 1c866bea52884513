package table

import (
	"bytes"
	"compress/gzip"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestCells: the text values of statistics offices.
func TestCells(t *testing.T) {
	for _, c := range []struct {
		text      string
		kind      Kind
		low, high float64
	}{
		{"12.5", Number, 12.5, 12.5}, {" 1,234,567 ", Number, 1234567, 1234567}, {"—", Number, 0, 0}, {"1e3", Number, 1000, 1000},
		{"W", Missing, 0, 0}, {"NA", Missing, 0, 0}, {"", Missing, 0, 0}, {"1,5", Missing, 0, 0}, {"Large", Missing, 0, 0}, {"2021-24", Missing, 0, 0},
		{">95", AtLeast, 95, math.Inf(1)}, {"<1,000", AtMost, 0, 1000}, {"s", AtMost, 0, 0.5}, {"50–300", Range, 50, 300}, {"330 - 390", Range, 330, 390},
		{"Inf", Missing, 0, 0}, {"0x10", Missing, 0, 0}, {"1_000", Missing, 0, 0},
	} {
		got := ParseCell(c.text)
		if got.Kind != c.kind || got.Low != c.low || got.High != c.high {
			t.Errorf("%q is %+v; want kind %v, %v to %v", c.text, got, c.kind, c.low, c.high)
		}
		if f := got.Figure(); f.IsKnown() != (c.kind == Number) {
			t.Errorf("%q as a figure: %+v", c.text, f)
		}
	}
}

func TestReadForms(t *testing.T) {
	want := [][]string{{"Côte d'Ivoire", "1"}, {"NA", ""}}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write([]byte("name,v\nCôte d'Ivoire,1\nNA\n"))
	z.Close()
	for name, text := range map[string]string{
		"UTF-8":        "name,v\nCôte d'Ivoire,1\nNA\n",
		"mark":         "\xef\xbb\xbfname,v\r\nCôte d'Ivoire,1\r\nNA\r\n",
		"Windows-1252": "name,v\nC\xf4te d'Ivoire,1\nNA\n",
		"semicolons":   "name;v\nCôte d'Ivoire;1\nNA\n",
		"gzip":         zipped.String(),
	} {
		tab, err := Read("t.csv", strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(want, tab.Rows); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	for name, c := range map[string][2]string{
		"long row":  {"a,b\n1,2,3\n", "line 2 has 3 cells"},
		"empty":     {"", "the file is empty"},
		"binary":    {"a,b\n\x00\x01,2\n", "NUL bytes"},
		"bad gzip":  {"\x1f\x8bnope", "starts like gzip"},
		"bad quote": {"a,b\n\"x,2\n", "read t.csv"},
	} {
		if _, err := Read("t.csv", strings.NewReader(c[0])); err == nil || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("%s: %v, want %q", name, err, c[1])
		}
	}
}

func TestColumns(t *testing.T) {
	tab, err := Read("t.csv", strings.NewReader("Country,country,Value\nJPN,x,1\n"))
	if err != nil {
		t.Fatal(err)
	}
	if i, err := tab.Column("country"); err != nil || i != 1 {
		t.Errorf("country is column %d, %v; the exact name goes first", i, err)
	}
	if _, err := tab.Column("COUNTRY"); err == nil || !strings.Contains(err.Error(), "stands twice") {
		t.Errorf("ambiguous: %v", err)
	}
	if _, err := tab.Column("Vaule"); err == nil || !strings.Contains(err.Error(), `did you mean "Value"?`) {
		t.Errorf("a slip: %v", err)
	}
}

// TestNearest: a name is nearest to itself, and one edit away is found.
func TestNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{4,9}`), 1, 8, rapid.ID[string]).Draw(t, "names")
		want := rapid.SampledFrom(names).Draw(t, "name")
		if got, ok := Nearest(want, names); !ok || got != want {
			t.Fatalf("nearest to %q is %q", want, got)
		}
	})
	for _, c := range [][2]string{{"tariff_clf", "tariff_cfl"}, {"Germny", "Germany"}, {"zzzzzz", ""}} {
		got, _ := Nearest(c[0], []string{"tariff_bln", "tariff_cfl", "Germany"})
		if got != c[1] {
			t.Errorf("nearest to %q is %q, want %q", c[0], got, c[1])
		}
	}
}

// FuzzRead: no input makes the reader or the cells panic.
func FuzzRead(f *testing.F) {
	f.Add([]byte("a,b\n1,\"2\n3\"\n"))
	f.Add([]byte("\xef\xbb\xbfa;b\n>95;50–300\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		tab, err := Read("t.csv", bytes.NewReader(b))
		if err != nil {
			return
		}
		for i, row := range tab.Rows {
			for j := range row {
				c := tab.Cell(i, j)
				if c.Kind == Number && (math.IsNaN(c.Value) || math.IsInf(c.Value, 0)) {
					t.Fatalf("%q became %v", c.Text, c.Value)
				}
			}
		}
	})
}
