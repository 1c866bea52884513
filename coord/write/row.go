package write

import (
	"io"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"causeway/coord"
)

// lines gathers what is written and hands it on in large pieces. The first
// error ends it; later writes do nothing.
type lines struct {
	w   io.Writer
	b   []byte
	err error
}

const linesBuffer = 1 << 18

func newLines(w io.Writer) *lines { return &lines{w: w, b: make([]byte, 0, linesBuffer+linesBuffer/4)} }

// spill hands on what has gathered once there is enough of it.
func (l *lines) spill() error {
	if len(l.b) < linesBuffer {
		return l.err
	}
	return l.flush()
}

func (l *lines) flush() error {
	if l.err == nil && len(l.b) > 0 {
		_, l.err = l.w.Write(l.b)
	}
	l.b = l.b[:0]
	return l.err
}

// row is one row of a CSV table, field by field, quoted as RFC 4180 asks and
// encoding/csv does.
type row struct {
	*lines
	fields int
}

func (r *row) next() {
	if r.fields > 0 {
		r.b = append(r.b, ',')
	}
	r.fields++
}

func (r *row) text(s string) *row {
	r.next()
	if !needsQuotes(s) {
		r.b = append(r.b, s...)
		return r
	}
	r.b = append(r.b, '"')
	for i := range len(s) {
		if s[i] == '"' {
			r.b = append(r.b, '"')
		}
		r.b = append(r.b, s[i])
	}
	r.b = append(r.b, '"')
	return r
}

func (r *row) count(n int64) *row {
	r.next()
	r.b = strconv.AppendInt(r.b, n, 10)
	return r
}

// some is count, and an empty field where there is nothing to count.
func (r *row) some(n int64) *row {
	if n <= 0 {
		return r.text("")
	}
	return r.count(n)
}

func (r *row) float(f float64) *row {
	r.next()
	r.b = appendFloat(r.b, f)
	return r
}

func (r *row) seconds(us int64) *row {
	r.next()
	r.b = appendSeconds(r.b, us)
	return r
}

// end ends the row.
func (r *row) end() error {
	r.b = append(r.b, '\n')
	r.fields = 0
	return r.spill()
}

// needsQuotes is the rule of encoding/csv.
func needsQuotes(s string) bool {
	if s == "" {
		return false
	}
	if s == `\.` {
		return true
	}
	for i := range len(s) {
		if c := s[i]; c == ',' || c == '"' || c == '\n' || c == '\r' {
			return true
		}
	}
	if s[0] > ' ' && s[0] < utf8.RuneSelf {
		return false
	}
	first, _ := utf8.DecodeRuneInString(s)
	return unicode.IsSpace(first)
}

// appendFloat writes a number in the shortest form that reads back the same,
// and nothing for NaN.
func appendFloat(b []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return b
	case f == math.Trunc(f) && math.Abs(f) < 1<<53 && (f != 0 || !math.Signbit(f)):
		return strconv.AppendInt(b, int64(f), 10)
	case f != 0 && math.Abs(f) < 1e-5:
		return strconv.AppendFloat(b, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64)
}

// appendSeconds writes microseconds as seconds, with a fraction only where
// there is one.
func appendSeconds(b []byte, us int64) []byte {
	if us < 0 {
		b, us = append(b, '-'), -us
	}
	b = strconv.AppendInt(b, us/1e6, 10)
	f := us % 1e6
	if f == 0 {
		return b
	}
	start := len(b)
	b = strconv.AppendInt(b, 1e6+f, 10)
	b[start] = '.'
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}

// Float writes a number in the shortest form that reads back the same, and
// nothing for NaN.
func Float(f float64) string { return string(appendFloat(nil, f)) }

// Seconds writes microseconds as seconds, with a fraction only where there is
// one.
func Seconds(us int64) string { return string(appendSeconds(nil, us)) }

// table writes a header and rows.
func table(w io.Writer, header []string, rows func(r *row) error) error {
	l := newLines(w)
	l.b = append(append(l.b, strings.Join(header, ",")...), '\n')
	if err := rows(&row{lines: l}); err != nil {
		return err
	}
	return l.flush()
}

// edgeFields writes the fields that edges.csv and candidates.csv have in
// common, all but the accounts.
func edgeFields(r *row, e *coord.Edge) *row {
	return r.count(e.Weight).count(e.Objects).count(e.PostsA).count(e.PostsB).float(e.MeanDelta).float(e.P).float(e.Q).count(e.PostPairs).
		some(e.SharedObjects).float(e.FirstShareA).float(e.PSync).float(e.QSync).float(e.POverlap).float(e.QOverlap).text(e.Signals)
}
