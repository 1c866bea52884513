package flows

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
)

func read(t testing.TB, csv string) (*Set, error) {
	t.Helper()
	r := NewReader()
	if err := r.CSV("f.csv", strings.NewReader(csv), Columns{}); err != nil {
		return nil, err
	}
	return r.Set()
}

// dump writes a set as text.
func dump(s *Set) string {
	var b strings.Builder
	for y := range s.Years {
		for k := range s.Products {
			s.Flows(y, k, func(f Flow) {
				fmt.Fprintf(&b, "%d %s %s>%s %v %v\n", s.Years[y], s.Products[k], s.Places[f.Exporter].Code, s.Places[f.Importer].Code, f.Value, f.Quantity)
			})
		}
	}
	return b.String()
}

func TestLayouts(t *testing.T) {
	for _, c := range []struct{ name, csv, want, notes string }{
		{"BACI", "t,i,j,k,v,q\n2022,842,392,10121,   1.5,  NA\n2022,490,392,010121,2,3\n",
			"2022 010121 TWN>JPN 2 3\n2022 010121 USA>JPN 1.5 NaN\n", "1 product codes had lost a leading zero"},
		{"Comtrade", "refYear,reporterCode,flowCode,partnerCode,cmdCode,primaryValue,netWgt\n2021,251,M,0,811292,10,\n2021,251,M,156,811292,7,2\n2021,251,M,899,811292,3,1\n2021,156,X,251,811292,6,2\n2021,251,M,156,8112,7,2\n",
			"2021 811292 AREAS, NES>FRA 3 1\n2021 811292 CHN>FRA 7 2\n",
			"1 rows of aggregates above six digits are left out|1 rows about the whole world are left out|1 rows are reports of exports or of a customs procedure and are left out; trade is taken from the importer's reports"},
		{"plain, repeated, Namibia", "year,exporter,importer,product,value\n2020,NA,JPN,260400,1\n2020,NAM,JPN,260400,2\n2020,\"Korea, Republic of\",JPN,260400,\"1,000\"\n",
			"2020 260400 KOR>JPN 1000 NaN\n2020 260400 NAM>JPN 3 NaN\n", "1 rows repeat a flow and are added to it"},
		{"exports only", "year,country,hs6,rel_to_max\n1995,S19,280530,100\n", "1995 280530 TWN>WORLD 100 NaN\n", ""},
		{"missing value", "year;exporter;importer;product;value\n2020;DEU;JPN;260400;W\n", "2020 260400 DEU>JPN NaN NaN\n", "1 flows have no value; they are unknown, not zero"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := read(t, c.csv)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, dump(s)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if d := cmp.Diff(c.notes, strings.Join(s.Notes, "|")); d != "" {
				t.Errorf("notes (-want +got):\n%s", d)
			}
		})
	}
}

func TestBadFlows(t *testing.T) {
	head := "year,exporter,importer,product,value\n"
	for _, c := range []struct{ name, csv, want string }{
		{"unknown country", head + "2020,Germny,JPN,260400,1\n", `f.csv line 2: unknown country "Germny"; did you mean "Germany" (DEU)?`},
		{"unknown number", head + "2020,999,JPN,260400,1\n", `unknown country number "999"`},
		{"negative", head + "2020,DEU,JPN,260400,-1\n", "-1 is negative"},
		{"no number", head + "2020,DEU,JPN,260400,much\n", `"much" is not a number`},
		{"chapter", head + "2020,DEU,JPN,770400,1\n", "no chapter 77"},
		{"eight digits", head + "2020,DEU,JPN,26040012,1\n", "more than six digits"},
		{"year", head + "20,DEU,JPN,260400,1\n", "want a year such as 2022"},
		{"short line", head + "2020,DEU,JPN\n", "3 cells; the header has more"},
		{"layout", "a,b\n1,2\n", "no known layout"},
		{"empty", "", "the file is empty"},
		{"header only", head, "no flows in the data"},
		{"flow", "refYear,reporterCode,flowCode,partnerCode,cmdCode,primaryValue\n2021,251,Z,156,811292,7\n", `flow "Z"; want M`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := read(t, c.csv); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// TestNumbers: the fast path reads what strconv reads.
func TestNumbers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		text := strconv.FormatFloat(r.Float64()*math.Pow10(r.IntN(12)), 'f', r.IntN(9), 64)
		got, err := number([]byte(text))
		want, _ := strconv.ParseFloat(text, 64)
		if err != nil || got != want {
			t.Fatalf("%s: %v (%v), want %v", text, got, err, want)
		}
	}
}

type baci struct {
	T int32    `parquet:"t"`
	I int32    `parquet:"i"`
	J int64    `parquet:"j"`
	K string   `parquet:"k"`
	V float64  `parquet:"v"`
	Q *float64 `parquet:"q,optional"`
}

// TestFormatsAgree reads the same flows as CSV, gzip and Parquet.
func TestFormatsAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	countries := []int32{842, 392, 156, 251, 490, 579, 36}
	var rows []baci
	text := bytes.NewBufferString("t,i,j,k,v,q\n")
	for range 5000 {
		r := baci{T: 2020 + rng.Int32N(3), I: countries[rng.IntN(7)], J: int64(countries[rng.IntN(7)]), K: fmt.Sprintf("%06d", 10_000*(1+rng.IntN(20))+rng.IntN(50)), V: float64(rng.IntN(1e6)) / 1000}
		q := "NA"
		if rng.IntN(10) > 0 {
			v := float64(rng.IntN(1e6)) / 1000
			r.Q, q = &v, strconv.FormatFloat(v, 'f', 3, 64)
		}
		rows = append(rows, r)
		fmt.Fprintf(text, "%d,%d,%d,%s,%.3f,%s\n", r.T, r.I, r.J, r.K, r.V, q)
	}
	var zipped, columns bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write(text.Bytes())
	z.Close()
	w := parquet.NewGenericWriter[baci](&columns, parquet.MaxRowsPerRowGroup(1700))
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	plain, err := read(t, text.String())
	if err != nil {
		t.Fatal(err)
	}
	gz, err := read(t, zipped.String())
	if err != nil {
		t.Fatal(err)
	}
	r := NewReader()
	if err := r.Parquet("f.parquet", bytes.NewReader(columns.Bytes()), int64(columns.Len()), Columns{}); err != nil {
		t.Fatal(err)
	}
	pq, err := r.Set()
	if err != nil {
		t.Fatal(err)
	}
	if dump(plain) != dump(gz) || dump(plain) != dump(pq) {
		t.Error("the formats give different flows")
	}
	if plain.Read != 5000 || pq.Missing != plain.Missing {
		t.Errorf("read %d rows", plain.Read)
	}
}

// FuzzCSV: no input makes the reader panic.
func FuzzCSV(f *testing.F) {
	f.Add("t,i,j,k,v,q\n2022,842,392,10121,   1.5,  NA\n")
	f.Add("year;exporter;importer;product;value\n2020;\"DE;U\";JPN;260400;W\n")
	f.Fuzz(func(t *testing.T, csv string) {
		if s, err := read(t, csv); err == nil {
			dump(s)
		}
	})
}
