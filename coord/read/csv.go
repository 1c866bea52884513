package read

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"

	"causeway/coord"
)

// Source is a [coord.Source] that can be stopped and can say what it skipped.
type Source interface {
	coord.Source
	Skipped() Skipped
	Close()
}

// CSV reads RFC 4180 with a header row; the separator is the comma, or the
// semicolon or tab where the header has no comma. A byte order mark and CRLF
// are accepted, blank lines skipped.
func CSV(ctx context.Context, r io.Reader, opt Options) (Source, error) {
	var head []byte
	err := fill(r, &head, blockBytes)
	for err == nil && lastRow(head, true) == 0 {
		if len(head) > MaxRow {
			return nil, &Error{File: opt.File, Reason: "the header row is longer than 8 MiB", Fix: "this is not CSV"}
		}
		err = fill(r, &head, len(head)+blockBytes)
	}
	if err != nil && err != io.EOF {
		return nil, (&stream{opt: opt}).readError(err)
	}
	head = bytes.TrimPrefix(head, []byte("\ufeff"))
	header, after, sep, err2 := readHeader(head)
	if err2 != nil {
		return nil, &Error{File: opt.File, Reason: err2.Error(), Fix: "the first row must name the columns"}
	}
	if opt.Layout.Name == "" {
		opt.Layout = opt.withImages(layoutOf(header), func(c string) bool { return slices.Contains(header, c) })
	}
	if err := opt.traces(); err != nil {
		return nil, err
	}
	if opt.Layout.Header != nil {
		if len(header) != len(opt.Layout.Header) {
			return nil, &Error{File: opt.File, Reason: fmt.Sprintf("layout %s is positional with %d columns, found %d", opt.Layout.Name, len(opt.Layout.Header), len(header))}
		}
		header = opt.Layout.Header
	}
	cols, err2 := opt.Layout.columns(header)
	if e, ok := err2.(*Error); ok {
		e.File = opt.File
		return nil, e
	}
	p := &csvParser{opt: opt, cols: cols, sep: sep, clock: opt.Layout.Clock}
	if p.clock == Auto {
		p.clock = p.firstClock(head[after:])
	}
	lines := int64(bytes.Count(head[:after], []byte{'\n'}))
	var rest io.Reader = r
	if err == io.EOF {
		rest = bytes.NewReader(nil)
	}
	return startStream(ctx, opt, rest, head[after:], true, lines, p), nil
}

// readHeader returns the column names, the end of the header row and the
// separator.
func readHeader(head []byte) (names []string, after int, sep byte, err error) {
	for {
		end := bytes.IndexByte(head[after:], '\n')
		row := head[after:]
		if end >= 0 {
			row = row[:end]
		}
		if len(bytes.TrimSpace(row)) > 0 {
			break
		}
		if end < 0 {
			return nil, 0, 0, fmt.Errorf("the file is empty")
		}
		after += end + 1
	}
	line := head[after:]
	if end := bytes.IndexByte(line, '\n'); end >= 0 {
		line = line[:end]
	}
	sep = ','
	if bytes.IndexByte(line, ',') < 0 {
		for _, s := range []byte{'\t', ';'} {
			if bytes.IndexByte(line, s) >= 0 {
				sep = s
				break
			}
		}
	}
	r := csv.NewReader(bytes.NewReader(head[after:]))
	r.Comma = rune(sep)
	if names, err = r.Read(); err != nil {
		return nil, 0, 0, err
	}
	return names, after + int(r.InputOffset()), sep, nil
}

type csvParser struct {
	opt   Options
	cols  columns
	sep   byte
	clock Clock
}

// firstClock decides the form of the time column by the first row that has one.
func (p *csvParser) firstClock(b []byte) Clock {
	b = bytes.Clone(b) // splitting changes quoted fields in place
	row := row{sep: p.sep}
	for len(b) > 0 {
		n, _ := row.read(b)
		if len(row.fields) == p.cols.width && p.cols.where.holds(row.fields) {
			return guess(p.cols.time.value(row.fields))
		}
		b = b[n:]
	}
	return Seconds
}

func (p *csvParser) parse(b *block) {
	row := row{sep: p.sep}
	check := badUTF8(b.data)
	for at := 0; at < len(b.data); {
		n, reason := row.read(b.data[at:])
		start := at
		at += n
		if reason == "" && row.blank {
			continue
		}
		b.rows++
		if reason == "" && len(row.fields) != p.cols.width {
			reason = fmt.Sprintf("the row has %d fields, the header %d", len(row.fields), p.cols.width)
		}
		if reason != "" {
			b.fail(start, Error{Reason: reason, Fix: "fix the row, or drop bad rows with --skip-bad-rows"})
			continue
		}
		if check {
			if bad := p.invalid(row.fields); bad >= 0 {
				b.fail(start, Error{Column: p.cols.names[bad], Reason: "not valid UTF-8", Fix: "convert the file to UTF-8"})
				continue
			}
		}
		p.row(b, start, row.fields)
	}
}

func (p *csvParser) invalid(fields [][]byte) int {
	for i, f := range fields {
		if badUTF8(f) {
			return i
		}
	}
	return -1
}

// row turns one row into posts, one for each trace it holds.
func (p *csvParser) row(b *block, start int, fields [][]byte) {
	c := &p.cols
	if !c.where.holds(fields) {
		return
	}
	fail := func(col cell, value []byte, reason, fix string) {
		b.fail(start, Error{Column: c.names[col[0][0]], Value: string(value), Reason: reason, Fix: fix})
	}
	post := coord.Post{Account: c.account.value(fields), Content: c.content.value(fields), Row: b.rows}
	if len(post.Account) == 0 {
		fail(c.account, nil, "empty account", "every post needs an account; drop such rows with --skip-bad-rows")
		return
	}
	if len(post.Content) == 0 {
		fail(c.content, nil, "empty content id", "every post needs an id; drop such rows with --skip-bad-rows")
		return
	}
	when := c.time.value(fields)
	t, reason := p.clock.parse(when)
	if reason != "" {
		fail(c.time, when, reason, "make the column one form, or state it in a mapping (clock)")
		return
	}
	post.Time = t
	for i, at := range c.traces {
		trace := &p.opt.Layout.Traces[i]
		var v []byte
		if at != nil && c.traceWhere[i].holds(fields) {
			v = at.value(fields)
		}
		if len(v) == 0 && !trace.Optional && !p.opt.AllowEmptyObject {
			fail(at, nil, "empty object", "a post without an object shares nothing; drop such rows with --skip-bad-rows")
			return
		}
		b.trace(trace, post, v)
	}
}

// row splits one CSV row. Its fields are slices of the input, which it changes
// in place where a field holds doubled quotes.
type row struct {
	sep    byte
	fields [][]byte
	blank  bool
}

// read splits the row at the start of b and returns its length with the line
// end. A non-empty reason says why the row is bad; reading goes on after it.
func (r *row) read(b []byte) (n int, reason string) {
	r.fields, r.blank = r.fields[:0], false
	if b[0] == '\n' || b[0] == '\r' && len(b) > 1 && b[1] == '\n' {
		r.blank = true
		return bytes.IndexByte(b, '\n') + 1, ""
	}
	for at := 0; ; {
		if at < len(b) && b[at] == '"' {
			field, end, ok := quoted(b, at+1)
			if !ok {
				return len(b), "a quote is opened and never closed"
			}
			r.fields = append(r.fields, field)
			at = end
			if at < len(b) && b[at] == '\r' {
				at++
			}
			switch {
			case at >= len(b):
				return at, ""
			case b[at] == '\n':
				return at + 1, ""
			case b[at] == r.sep:
				at++
				continue
			}
			return rowEnd(b, at), "text after a closing quote"
		}
		end := at
		for end < len(b) && b[end] != r.sep && b[end] != '\n' {
			if b[end] == '"' {
				return rowEnd(b, end), "a quote inside a field that is not quoted"
			}
			end++
		}
		if end < len(b) && b[end] == r.sep {
			r.fields = append(r.fields, b[at:end:end])
			at = end + 1
			continue
		}
		stop := end
		if stop > at && b[stop-1] == '\r' {
			stop--
		}
		r.fields = append(r.fields, b[at:stop:stop])
		return min(end+1, len(b)), ""
	}
}

// quoted reads the inside of a quoted field that starts at b[at]; end is behind
// the closing quote.
func quoted(b []byte, at int) (field []byte, end int, ok bool) {
	start, to := at, at
	for {
		i := bytes.IndexByte(b[at:], '"')
		if i < 0 {
			return nil, 0, false
		}
		if to != at {
			copy(b[to:], b[at:at+i])
		}
		to, at = to+i, at+i+1
		if at >= len(b) || b[at] != '"' {
			return b[start:to:to], at, true
		}
		b[to] = '"'
		to, at = to+1, at+1
	}
}

func rowEnd(b []byte, at int) int {
	if i := bytes.IndexByte(b[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(b)
}
