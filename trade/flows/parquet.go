package flows

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// Parquet reads one Parquet file with the same columns as a CSV file would
// have: flat columns of integers, doubles or text. A null is a missing value.
func (r *Reader) Parquet(name string, in io.ReaderAt, size int64, want Columns) error {
	f, err := parquet.OpenFile(in, size)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	var header []string
	for _, c := range f.Root().Columns() {
		if !c.Leaf() || c.Repeated() {
			return fmt.Errorf("read %s: column %q is nested; want flat columns", name, c.Name())
		}
		header = append(header, c.Name())
	}
	at, err := locate(name, header, want)
	if err != nil {
		return err
	}
	p := &parser{c: r.c, name: name, at: at, fields: make([][]byte, len(header))}
	for _, g := range f.RowGroups() {
		if err := p.rowGroup(g); err != nil {
			return err
		}
	}
	return nil
}

// rowGroup reads the wanted columns in lockstep.
func (p *parser) rowGroup(g parquet.RowGroup) error {
	chunks := g.ColumnChunks()
	streams := make([]*stream, len(chunks))
	for _, i := range []int{p.at.year, p.at.exporter, p.at.importer, p.at.product, p.at.value, p.at.quantity, p.at.reporter, p.at.partner, p.at.flow} {
		if i >= 0 && streams[i] == nil {
			streams[i] = &stream{pages: chunks[i].Pages()}
			defer streams[i].pages.Close()
		}
	}
	for range g.NumRows() {
		p.line++
		for i, s := range streams {
			if s == nil {
				continue
			}
			v, err := s.next()
			if err != nil {
				return fmt.Errorf("%s row %d: %w", p.name, p.line, err)
			}
			p.fields[i] = appendValue(p.fields[i][:0], v, i == p.at.product)
		}
		if err := p.row(); err != nil {
			return fmt.Errorf("%s row %d: %w", p.name, p.line, err)
		}
	}
	return nil
}

// appendValue writes a value as the text a CSV would hold. An integer product
// code gets its leading zeros back.
func appendValue(b []byte, v parquet.Value, product bool) []byte {
	switch {
	case v.IsNull():
		return b
	case v.Kind() == parquet.ByteArray || v.Kind() == parquet.FixedLenByteArray:
		return append(b, v.ByteArray()...)
	case v.Kind() == parquet.Int32 || v.Kind() == parquet.Int64:
		n := v.Int64()
		if v.Kind() == parquet.Int32 {
			n = int64(v.Int32())
		}
		if product {
			return fmt.Appendf(b, "%06d", n)
		}
		return strconv.AppendInt(b, n, 10)
	}
	d := v.Double()
	if v.Kind() == parquet.Float {
		d = float64(v.Float())
	}
	if math.IsNaN(d) {
		return b
	}
	return strconv.AppendFloat(b, d, 'f', -1, 64)
}

// stream reads the values of one column chunk.
type stream struct {
	pages  parquet.Pages
	values parquet.ValueReader
	buf    [1024]parquet.Value
	at, n  int
}

func (s *stream) next() (parquet.Value, error) {
	for s.at == s.n {
		if s.values == nil {
			page, err := s.pages.ReadPage()
			if err != nil {
				if errors.Is(err, io.EOF) {
					err = io.ErrUnexpectedEOF
				}
				return parquet.Value{}, err
			}
			s.values = page.Values()
		}
		n, err := s.values.ReadValues(s.buf[:])
		s.at, s.n = 0, n
		if errors.Is(err, io.EOF) {
			s.values = nil
		} else if err != nil {
			return parquet.Value{}, err
		}
	}
	s.at++
	return s.buf[s.at-1], nil
}
