package inout

import (
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"causeway/trade/place"
	"causeway/trade/table"
)

// outputRows are the names under which national tables state output: ONS,
// Eurostat (P1, output at basic prices), OECD.
var outputRows = []string{"Total output", "Output at basic prices", "Output", "OUTPUT", "output_bp", "P1", "OUT"}

// National says which rows of a national table mean what.
type National struct {
	Output string   // row of outputs; "" looks for the usual names
	Value  []string // rows that add up to the primary input wanted; none leaves Value nil
}

// ReadNational reads a national table in one sheet: the sectors are the names
// that stand both in the first row and in the first column, the other rows are
// primary inputs and totals, the other columns final demand and totals. The
// prefixes of the OECD's national tables (TTL_, DOM_, IMP_ before rows, D
// before columns) are taken off. Notes list what was taken as no sector, so
// that a misspelt one shows.
func ReadNational(t *table.Table, as National) (*Full, error) {
	s, err := squareOf(t)
	if err != nil {
		return nil, err
	}
	n := len(s.names)
	z := mat.NewDense(n, n, nil)
	for i, from := range s.names {
		for j, to := range s.names {
			v, err := t.Number(s.rows[from], s.cols[to])
			if err != nil {
				return nil, err
			}
			z.Set(i, j, v)
		}
	}
	x, err := s.line(outputRow(as.Output, s.rows))
	if err != nil {
		return nil, err
	}
	if err := s.closes(z, x); err != nil {
		return nil, err
	}
	f := &Full{Notes: []string{fmt.Sprintf("%s: %d sectors; no sectors are the columns %s and the rows %s", t.Name, n, strings.Join(s.otherCols, ", "), strings.Join(s.otherRows, ", "))}}
	for _, row := range as.Value {
		v, err := s.line(row)
		if err != nil {
			return nil, err
		}
		if f.Value == nil {
			f.Value = make([]float64, n)
		}
		for k := range v {
			f.Value[k] += v[k]
		}
	}
	f.Table, err = NewTable(s.names, z, x)
	return f, err
}

// square is where the sectors of a national table stand.
type square struct {
	t                    *table.Table
	names                []string
	rows, cols           map[string]int
	otherRows, otherCols []string
}

func squareOf(t *table.Table) (*square, error) {
	s := &square{t: t, rows: map[string]int{}, cols: map[string]int{}}
	for i := range t.Rows {
		n := rowSector(t.Text(i, 0))
		if _, twice := s.rows[n]; twice {
			return nil, fmt.Errorf("%s line %d: row %q stands twice", t.Name, t.Lines[i], n)
		}
		s.rows[n] = i
	}
	sector := map[string]bool{}
	for j, h := range t.Header[1:] {
		n := rowSector(h)
		if _, ok := s.rows[strings.TrimPrefix(n, "D")]; ok {
			n = strings.TrimPrefix(n, "D")
		}
		if _, twice := s.cols[n]; twice {
			return nil, fmt.Errorf("%s: column %q stands twice", t.Name, h)
		}
		s.cols[n] = j + 1
		_, both := s.rows[n]
		if total := place.KindOf(n) == place.Total && !hasNumberName(n); both && !total && !slices.Contains(outputRows, n) {
			s.names, sector[n] = append(s.names, n), true
		} else {
			s.otherCols = append(s.otherCols, n)
		}
	}
	for i := range t.Rows {
		if n := rowSector(t.Text(i, 0)); !sector[n] {
			s.otherRows = append(s.otherRows, n)
		}
	}
	if len(s.names) < 2 {
		return nil, fmt.Errorf("%s: %d names stand both in the first row and in the first column; a table of sectors has the same ones in both", t.Name, len(s.names))
	}
	return s, nil
}

// line gives one row below the sectors.
func (s *square) line(row string) ([]float64, error) {
	i, ok := s.rows[row]
	if !ok {
		hint := ""
		if near, ok := table.Nearest(row, s.otherRows); ok {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		return nil, fmt.Errorf("%s: no row %q%s", s.t.Name, row, hint)
	}
	out := make([]float64, len(s.names))
	for k, n := range s.names {
		v, err := s.t.Number(i, s.cols[n])
		if err != nil {
			return nil, err
		}
		out[k] = v
	}
	return out, nil
}

func outputRow(asked string, rows map[string]int) string {
	if asked != "" {
		return rowSector(asked)
	}
	for _, n := range outputRows {
		if _, ok := rows[n]; ok {
			return n
		}
	}
	return outputRows[0] // the error for it names the nearest row
}

// closes refuses a table whose sectors use more than they make, or whose total
// use by the table's own column is another than the stated output by more than
// the rounding of a national table (one in a hundred).
func (s *square) closes(z *mat.Dense, x []float64) error {
	t := s.t
	total := -1
	for _, n := range []string{"Total demand", "total_use", "Total use", "TU", "OUTPUT", "Output"} {
		if j, ok := s.cols[n]; ok {
			total = j
			break
		}
	}
	for k, n := range s.names {
		used := 0.0
		for i := range s.names {
			used += z.At(i, k)
		}
		if used > x[k]*1.01+1 {
			return fmt.Errorf("%s: rows and columns disagree for %q: it uses %v of the sectors and makes %v; check that flows and outputs have one unit", t.Name, n, used, x[k])
		}
		if total < 0 {
			continue
		}
		if c := t.Cell(s.rows[n], total); c.Known() && (c.Value > x[k]*1.01+1 || c.Value < x[k]*0.99-1) {
			return fmt.Errorf("%s: rows and columns disagree for %q: column %q says %v, the row of outputs %v; a table at basic prices has them equal", t.Name, n, t.Header[total], c.Value, x[k])
		}
	}
	return nil
}

// rowSector takes off the prefixes of the OECD.
func rowSector(s string) string {
	s = strings.TrimSpace(s)
	for _, p := range []string{"TTL_", "DOM_", "IMP_"} {
		if rest, ok := strings.CutPrefix(s, p); ok {
			return rest
		}
	}
	return s
}
