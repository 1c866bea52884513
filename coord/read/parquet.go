package read

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"causeway/coord"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// Parquet reads a Parquet file; columns are its leaf columns by dotted path.
// Timestamp columns are read by their own unit.
func Parquet(ctx context.Context, r io.ReaderAt, size int64, opt Options) (Source, error) {
	f, err := parquet.OpenFile(r, size)
	if err != nil {
		return nil, fmt.Errorf("%s: open as Parquet: %w", (&stream{opt: opt}).name(), err)
	}
	s := &parquetSource{ctx: ctx, opt: opt, groups: f.RowGroups(), total: f.NumRows(), skipped: &Skipped{}}
	var header []string
	for _, path := range f.Schema().Columns() {
		name := strings.Join(path, ".")
		for _, wrapper := range []string{".list.element", ".list.item", ".array"} { // how writers spell a list
			name = strings.TrimSuffix(name, wrapper)
		}
		header = append(header, name)
		leaf, _ := f.Schema().Lookup(path...)
		s.units = append(s.units, unitOf(leaf.Node))
	}
	if opt.Layout.Name == "" {
		opt.Layout = opt.withImages(layoutOf(header), func(c string) bool { return slices.Contains(header, c) })
	}
	if err := opt.traces(); err != nil {
		return nil, err
	}
	opt.Layout.Header = nil
	cols, err := opt.Layout.columns(header)
	if err != nil {
		return nil, err
	}
	s.opt, s.p = opt, &csvParser{opt: opt, cols: cols, clock: opt.Layout.Clock}
	if s.units[cols.time[0][0]] > 0 {
		s.p.clock = ISO
	}
	return s, nil
}

// unitOf is the length of a timestamp column's tick, 0 for any other column.
func unitOf(n parquet.Node) time.Duration {
	l := n.Type().LogicalType()
	if l == nil {
		return 0
	}
	t, ok := l.Value.(*format.TimestampType)
	if !ok {
		return 0
	}
	switch t.Unit.Value.(type) {
	case *format.MilliSeconds:
		return time.Millisecond
	case *format.MicroSeconds:
		return time.Microsecond
	}
	return time.Nanosecond
}

type parquetSource struct {
	ctx     context.Context
	opt     Options
	p       *csvParser
	groups  []parquet.RowGroup
	units   []time.Duration
	rows    parquet.Rows
	buf     [1024]parquet.Row
	b       block
	done    int64
	total   int64
	skipped *Skipped
}

func (s *parquetSource) Next(out *coord.Batch) error {
	out.Posts = out.Posts[:0]
	for {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		if s.rows == nil {
			if len(s.groups) == 0 {
				return io.EOF
			}
			s.rows, s.groups = s.groups[0].Rows(), s.groups[1:]
		}
		n, err := s.rows.ReadRows(s.buf[:])
		if n > 0 {
			return s.batch(n, out)
		}
		if closeErr := s.rows.Close(); err == nil || errors.Is(err, io.EOF) {
			err = closeErr
		}
		s.rows = nil
		if err != nil {
			return fmt.Errorf("%s: row %d: read Parquet: %w", (&stream{opt: s.opt}).name(), s.done+1, err)
		}
	}
}

// batch turns n rows into posts.
func (s *parquetSource) batch(n int, out *coord.Batch) error {
	s.b.posts, s.b.bad, s.b.rows = s.b.posts[:0], s.b.bad[:0], 0
	for _, row := range s.buf[:n] {
		fields := make([][]byte, s.p.cols.width)
		for _, v := range row {
			s.cell(fields, v)
		}
		s.b.rows++
		if bad := s.p.invalid(fields); bad >= 0 {
			s.b.fail(0, Error{Column: s.p.cols.names[bad], Reason: "not valid UTF-8", Fix: "store text as UTF-8 strings"})
			continue
		}
		if s.p.clock == Auto {
			s.p.clock = guess(s.p.cols.time.value(fields))
		}
		s.p.row(&s.b, 0, fields)
	}
	for _, e := range s.b.bad {
		e.File, e.Row, e.Line = s.opt.File, e.Row+s.done, 0
		if !s.opt.Skip {
			return e
		}
		if s.skipped.Count++; len(s.skipped.First) < 20 {
			s.skipped.First = append(s.skipped.First, e.Error())
		}
	}
	for i := range s.b.posts {
		s.b.posts[i].Row += s.done
	}
	s.done += int64(n)
	out.Posts, out.Done, out.Total = s.b.posts, s.done, s.total
	return nil
}

// cell adds a value to its column; those of a list are separated by spaces.
func (s *parquetSource) cell(fields [][]byte, v parquet.Value) {
	i := v.Column()
	if v.IsNull() || i < 0 || i >= len(fields) {
		return
	}
	var text []byte
	switch {
	case s.units[i] > 0:
		ticks := v.Int64()
		perSecond := int64(time.Second / s.units[i])
		text = time.Unix(floor(ticks, perSecond), (ticks-floor(ticks, perSecond)*perSecond)*int64(s.units[i])).UTC().AppendFormat(nil, time.RFC3339Nano)
	case v.Kind() == parquet.ByteArray || v.Kind() == parquet.FixedLenByteArray:
		text = append([]byte(nil), v.ByteArray()...)
	default:
		text = []byte(v.String())
	}
	if fields[i] != nil {
		text = append(append(fields[i], ' '), text...)
	}
	fields[i] = text
}

func floor(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func (s *parquetSource) Skipped() Skipped { return *s.skipped }

func (s *parquetSource) Close() {
	if s.rows != nil {
		s.rows.Close()
		s.rows = nil
	}
}
