package inout

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"

	"causeway/trade/table"
)

// MaxICIOBytes bounds an inter-country file, after decompression. The full
// table of 81 economies and 50 industries is about 150 MB.
const MaxICIOBytes = 4 << 30

// Full is a table with what stands around its square of intermediate flows.
type Full struct {
	*Table
	Final []float64 // final demand for each sector, of everybody together
	Taxes []float64 // taxes less subsidies on what the sector uses
	Value []float64 // value added of each sector; nil where the file has none
	Notes []string
}

// splitEconomies are the parts into which the OECD cuts economies with many
// export processors: China's CN1 to CN4 and Mexico's MX1 to MX3 (ReadMe of the
// editions 2016 to 2023). They are added up: a country is one partner.
var splitEconomies = map[string]string{"CN1": "CHN", "CN2": "CHN", "CN3": "CHN", "CN4": "CHN", "MX1": "MEX", "MX2": "MEX", "MX3": "MEX"}

// finalDemand are the parts of final demand that the editions name.
var finalDemand = map[string]bool{"HFCE": true, "NPISH": true, "GGFC": true, "GFCF": true, "INVNT": true, "DPABR": true, "NONRES": true, "DIRP": true,
	"HC": true, "P33": true, "DISC": true, "FD": true, "CONS_ABR": true, "CONS_NONRES": true}

// outputNames, valueNames and taxNames are the rows and columns behind the
// sectors, in the spellings of the editions.
var (
	outputNames = map[string]bool{"OUT": true, "OUTPUT": true, "TOTAL": true, "TOT": true}
	valueNames  = map[string]bool{"VA": true, "VALU": true, "VALUE": true}
	taxNames    = map[string]bool{"TLS": true, "TAXSUB": true}
)

// icioColumn is what one column of the file is.
type icioColumn struct {
	sector int // index of the sector, or -1
	final  bool
	output bool
}

// ReadICIO reads an inter-country table of the OECD as it is published: rows
// and columns COUNTRY_INDUSTRY, columns COUNTRY_HFCE and the like for final
// demand, rows for taxes less subsidies (TLS, TAXSUB), value added (VA, VALU)
// and output (OUT, OUTPUT), and a column of output. It is read as a stream.
//
// Rows and columns must hold the same sectors; the output of a sector must be
// the same by row, by column and as stated, but for rounding: more than a
// thousandth and one unit apart is an error that names the sector.
func ReadICIO(name string, r io.Reader) (*Full, error) {
	in, err := table.Decompress(name, r, MaxICIOBytes)
	if err != nil {
		return nil, err
	}
	c := csv.NewReader(in)
	c.ReuseRecord = true
	header, err := c.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: the file is empty; want an inter-country table", name)
	} else if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	x := &icioReader{name: name, at: map[string]int{}, added: map[string]bool{}}
	if err := x.header(header); err != nil {
		return nil, err
	}
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		line, _ := c.FieldPos(0)
		if err := x.row(row, line); err != nil {
			return nil, err
		}
	}
	return x.finish()
}

type icioReader struct {
	name    string
	columns []icioColumn
	at      map[string]int // index of each sector
	names   []string
	added   map[string]bool // split economies that were met

	z                        *mat.Dense
	final, taxes, value, out []float64
	stated                   []float64 // output by the rows' own column
	seen                     map[string]bool
	hasValue, hasOut         bool
	hasStated                bool
}

// label splits COUNTRY_REST and puts parts of economies together.
func (x *icioReader) label(s string) (label, country, rest string) {
	s = strings.TrimSpace(strings.TrimPrefix(s, "\ufeff"))
	country, rest, ok := strings.Cut(s, "_")
	if !ok {
		return s, "", ""
	}
	if whole, part := splitEconomies[country]; part {
		x.added[country] = true
		country = whole
	}
	return country + "_" + rest, country, rest
}

func (x *icioReader) header(header []string) error {
	twice := map[string]bool{}
	for j, h := range header[1:] {
		raw := strings.TrimSpace(h)
		if twice[raw] {
			return fmt.Errorf("%s: column %q stands twice", x.name, raw)
		}
		twice[raw] = true
		label, country, rest := x.label(raw)
		col := icioColumn{sector: -1}
		switch {
		case outputNames[label]:
			col.output = true
			x.hasStated = true
		case finalDemand[label] || finalDemand[rest]:
			col.final = true
		case country == "":
			return fmt.Errorf("%s: column %d is called %q; want COUNTRY_INDUSTRY, COUNTRY_HFCE and the like, or OUT", x.name, j+2, raw)
		default:
			k, ok := x.at[label]
			if !ok {
				k = len(x.names)
				x.at[label] = k
				x.names = append(x.names, label)
			}
			col.sector = k
		}
		x.columns = append(x.columns, col)
	}
	n := len(x.names)
	switch {
	case n == 0:
		return fmt.Errorf("%s: no column is called COUNTRY_INDUSTRY; is this an inter-country table?", x.name)
	case n > MaxSectors:
		return fmt.Errorf("%s: %d sectors; at most %d fit", x.name, n, MaxSectors)
	}
	x.z = mat.NewDense(n, n, nil)
	x.seen = map[string]bool{}
	x.final, x.taxes, x.value = make([]float64, n), make([]float64, n), make([]float64, n)
	x.out, x.stated = make([]float64, n), make([]float64, n)
	return nil
}

// row takes one line: a sector's sales, or what stands below the sectors.
func (x *icioReader) row(row []string, line int) error {
	raw := strings.TrimSpace(row[0])
	label, _, rest := x.label(raw)
	if x.seen[raw] {
		return fmt.Errorf("%s line %d: row %q stands twice", x.name, line, raw)
	}
	x.seen[raw] = true
	var below []float64
	switch {
	case outputNames[label]:
		below, x.hasOut = x.out, true
	case valueNames[label]:
		below, x.hasValue = x.value, true
	case taxNames[label] || taxNames[rest]:
		below = x.taxes
	}
	k := -1
	if below == nil {
		var ok bool
		if k, ok = x.at[label]; !ok {
			hint := ""
			if near, ok := table.Nearest(label, x.names); ok {
				hint = fmt.Sprintf(" (nearest column: %q)", near)
			}
			return fmt.Errorf("%s line %d: row %q has no column of that name%s; rows and columns must hold the same sectors", x.name, line, raw, hint)
		}
	}
	for j, text := range row[1:] {
		col := x.columns[j]
		if below != nil && col.sector < 0 {
			continue // taxes on final demand, totals of totals
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%s line %d: %q in the column of sector or demand number %d is no number; an empty flow is not a zero", x.name, line, text, j+1)
		}
		switch {
		case below != nil:
			below[col.sector] += v
		case col.sector >= 0:
			if v < 0 {
				return fmt.Errorf("%s line %d: the flow from %q to %q is %v; a flow is zero or more", x.name, line, raw, x.names[col.sector], v)
			}
			x.z.Set(k, col.sector, x.z.At(k, col.sector)+v)
		case col.final:
			x.final[k] += v
		case col.output:
			x.stated[k] += v
		}
	}
	return nil
}

// finish checks that the table closes.
func (x *icioReader) finish() (*Full, error) {
	rows := map[string]bool{}
	for raw := range x.seen {
		label, _, _ := x.label(raw)
		rows[label] = true
	}
	for _, n := range x.names {
		if !rows[n] {
			return nil, fmt.Errorf("%s: column %q has no row of that name; rows and columns must hold the same sectors", x.name, n)
		}
	}
	f := &Full{Final: x.final, Taxes: x.taxes}
	if x.hasValue {
		f.Value = x.value
	}
	output, err := x.outputs(f)
	if err != nil {
		return nil, err
	}
	if len(x.added) > 0 {
		var parts []string
		for p := range x.added {
			parts = append(parts, p)
		}
		slices.Sort(parts)
		f.Notes = append(f.Notes, x.name+": "+strings.Join(parts, ", ")+" are added up to CHN and MEX")
	}
	f.Table, err = NewTable(x.names, x.z, output)
	return f, err
}

// outputs gives the output of each sector, and refuses a table whose rows,
// columns and stated outputs say different things.
func (x *icioReader) outputs(f *Full) ([]float64, error) {
	if !x.hasOut && !x.hasStated {
		return nil, fmt.Errorf("%s: it has no row and no column of outputs (OUT, OUTPUT)", x.name)
	}
	n := len(x.names)
	sales, costs := make([]float64, n), make([]float64, n)
	for i := range n {
		sales[i] += x.final[i]
		costs[i] += x.value[i] + x.taxes[i]
		for j, v := range x.z.RawRowView(i) {
			sales[i] += v
			costs[j] += v
		}
	}
	output := x.out
	if !x.hasOut {
		output = x.stated
	}
	worst := 0.0
	for i := range n {
		ways := []struct {
			what string
			v    float64
			ok   bool
		}{{"its sales add up to", sales[i], true}, {"its costs add up to", costs[i], x.hasValue}, {"the row's own total is", x.stated[i], x.hasStated}}
		for _, w := range ways {
			if !w.ok {
				continue
			}
			gap := math.Abs(w.v - output[i])
			if gap > 1+1e-3*math.Abs(output[i]) {
				return nil, fmt.Errorf("%s: rows and columns disagree for %q: its output is %v, but %s %v; a table must close before anything follows from it", x.name, x.names[i], output[i], w.what, w.v)
			}
			worst = math.Max(worst, gap)
		}
	}
	f.Notes = append(f.Notes, fmt.Sprintf("%s: %d sectors; rows and columns agree within %.4g; effects are per unit of the stated output", x.name, n, worst))
	return output, nil
}
