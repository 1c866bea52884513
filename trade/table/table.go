// Package table reads tables as statistics offices publish them.
//
// Three things go wrong with a plain CSV reader on such files: codes lose
// their leading zeros, "NA" (Namibia) turns into nothing, and a missing value
// turns into a zero. Here every cell stays text until somebody asks for a
// number, and then the answer is a [Cell]: a number, a bound, a range, or
// missing with the reason.
package table

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// MaxBytes is the largest table Read takes, after decompression. Larger files
// belong to the streaming readers of the flows package.
const MaxBytes = 1 << 30

// A Table is a header and rows of text. Row i of Rows stands at line Lines[i]
// of the file.
type Table struct {
	Name   string // the file, for messages
	Header []string
	Rows   [][]string // each as long as Header; cells a short row lacks are ""
	Lines  []int
}

// Decompress returns r, un-gzipped if it starts with the gzip magic number,
// limited to max bytes: reading past the limit is an error, never a silent
// end of data.
func Decompress(name string, r io.Reader, max int64) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	magic, err := b.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	var in io.Reader = b
	if len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		if in, err = gzip.NewReader(b); err != nil {
			return nil, fmt.Errorf("read %s: it starts like gzip but is not: %w", name, err)
		}
	}
	return &limited{in, name, max, max}, nil
}

type limited struct {
	r         io.Reader
	name      string
	left, max int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		var one [1]byte
		if n, err := l.r.Read(one[:]); n == 0 {
			return 0, err
		}
		return 0, fmt.Errorf("%s is larger than %d bytes; cut it into parts", l.name, l.max)
	}
	if int64(len(p)) > l.left {
		p = p[:l.left]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	return n, err
}

// Read reads a CSV table with a header row. Gzip is recognised, a byte order
// mark is dropped, text that is not UTF-8 is taken as Windows-1252, and the
// separator is the comma unless the header has none but has tabs or
// semicolons. A row longer than the header is an error; a shorter one lacks
// its last cells.
func Read(name string, r io.Reader) (*Table, error) {
	in, err := Decompress(name, r, MaxBytes)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(text) {
		if text, err = charmap.Windows1252.NewDecoder().Bytes(text); err != nil {
			return nil, fmt.Errorf("read %s: neither UTF-8 nor Windows-1252: %w", name, err)
		}
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return nil, fmt.Errorf("read %s: it holds NUL bytes, so it is not a CSV text (Parquet and spreadsheets: export as CSV, or use the command that reads Parquet)", name)
	}
	c := csv.NewReader(bytes.NewReader(text))
	c.Comma = separator(text)
	c.FieldsPerRecord = -1
	t := &Table{Name: name}
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		line, _ := c.FieldPos(0)
		if t.Header == nil {
			for i, h := range row {
				row[i] = strings.TrimSpace(h)
			}
			t.Header = row
			continue
		}
		if len(row) > len(t.Header) {
			return nil, fmt.Errorf("read %s: line %d has %d cells but the header has %d; quote cells that hold the separator", name, line, len(row), len(t.Header))
		}
		for len(row) < len(t.Header) {
			row = append(row, "")
		}
		t.Rows = append(t.Rows, row)
		t.Lines = append(t.Lines, line)
	}
	if t.Header == nil {
		return nil, fmt.Errorf("read %s: the file is empty; want a header row and data", name)
	}
	return t, nil
}

func separator(text []byte) rune {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	switch {
	case bytes.IndexByte(line, ',') >= 0:
		return ','
	case bytes.IndexByte(line, '\t') >= 0:
		return '\t'
	case bytes.IndexByte(line, ';') >= 0:
		return ';'
	}
	return ','
}

// Column returns the index of the named column. It looks for the exact name,
// then for the same name in another case. An unknown name is an error that
// offers the nearest one; a name that stands twice is an error too, because
// picking one would be a guess.
func (t *Table) Column(name string) (int, error) {
	want := strings.TrimSpace(name)
	for _, same := range []func(a, b string) bool{
		func(a, b string) bool { return a == b },
		strings.EqualFold,
	} {
		found := -1
		for i, h := range t.Header {
			if !same(h, want) {
				continue
			}
			if found >= 0 {
				return 0, fmt.Errorf("%s: column %q stands twice in the header; rename one", t.Name, name)
			}
			found = i
		}
		if found >= 0 {
			return found, nil
		}
	}
	hint := ""
	if near, ok := Nearest(want, t.Header); ok {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	return 0, fmt.Errorf("%s: no column %q%s (columns: %s)", t.Name, name, hint, strings.Join(t.Header, ", "))
}

// Columns is Column for several names at once.
func (t *Table) Columns(names ...string) ([]int, error) {
	at := make([]int, len(names))
	for i, n := range names {
		var err error
		if at[i], err = t.Column(n); err != nil {
			return nil, err
		}
	}
	return at, nil
}

// FirstColumn returns the index of the first of the names the table has.
func (t *Table) FirstColumn(names ...string) (int, error) {
	var first error
	for _, n := range names {
		i, err := t.Column(n)
		if err == nil {
			return i, nil
		}
		if first == nil {
			first = err
		}
	}
	return 0, first
}

// Text returns the cell's text without blanks around it. The no-break space
// counts as a blank, because the sources use it as one.
func (t *Table) Text(row, col int) string { return strings.TrimSpace(t.Rows[row][col]) }

// Cell returns the cell as a number, bound, range or missing value.
func (t *Table) Cell(row, col int) Cell { return ParseCell(t.Rows[row][col]) }

// Where names a cell for a message: file, line and column.
func (t *Table) Where(row, col int) string {
	return fmt.Sprintf("%s line %d, column %q", t.Name, t.Lines[row], t.Header[col])
}

// Number returns the cell as an exact number. Anything else is an error that
// names the place, for the tables whose every cell must be known.
func (t *Table) Number(row, col int) (float64, error) {
	c := t.Cell(row, col)
	if c.Kind != Number {
		return 0, fmt.Errorf("%s: %s", t.Where(row, col), c.Problem())
	}
	return c.Value, nil
}
