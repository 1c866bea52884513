package read

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"

	"causeway/coord"
)

// JSONLines reads one JSON object a line. A layout's columns are dotted paths;
// a step that ends in [] goes through every element of an array, such as
// entities.urls[].expanded_url. Numbers keep their text.
func JSONLines(ctx context.Context, r io.Reader, opt Options) (Source, error) {
	var head []byte
	err := fill(r, &head, blockBytes)
	for err == nil && lastRow(head, false) == 0 && len(head) <= MaxRow {
		err = fill(r, &head, len(head)+blockBytes)
	}
	if err != nil && err != io.EOF {
		return nil, (&stream{opt: opt}).readError(err)
	}
	head = bytes.TrimPrefix(head, []byte("\ufeff"))
	if opt.Layout.Name == "" {
		line, _, _ := bytes.Cut(head, []byte{'\n'})
		opt.Layout = opt.withImages(layoutOfJSON(line), func(c string) bool { return first(line, paths(c)) != nil })
	}
	if err := opt.traces(); err != nil {
		return nil, err
	}
	p := &jsonParser{opt: opt, clock: opt.Layout.Clock, where: conditionOf(opt.Layout.Where)}
	for _, c := range []struct {
		name string
		to   *[][]path
	}{{opt.Layout.Account, &p.account}, {opt.Layout.Content, &p.content}, {opt.Layout.Time, &p.time}} {
		*c.to = paths(c.name)
	}
	for _, t := range opt.Layout.Traces {
		p.traces = append(p.traces, paths(t.Column))
		p.traceWhere = append(p.traceWhere, conditionOf(t.Where))
	}
	if p.clock == Auto {
		p.clock = p.firstClock(head)
	}
	var rest io.Reader = r
	if err == io.EOF {
		rest = bytes.NewReader(nil)
	}
	return startStream(ctx, opt, rest, head, false, 0, p), nil
}

// path is the steps to a value.
type path []step

type step struct {
	key        string
	all        bool   // every element of the array found there
	name, want string // of the elements, those whose member name is want
}

// paths are the alternatives of a column, each of paths to join.
func paths(column string) [][]path {
	names := aliases[column]
	if names == nil {
		names = strings.Split(column, "|")
	}
	var out [][]path
	for _, alternative := range names {
		var joined []path
		for n := range strings.SplitSeq(alternative, "+") {
			var p path
			for s := range strings.SplitSeq(n, ".") {
				k, filter, all := strings.Cut(s, "[")
				name, want, _ := strings.Cut(strings.TrimSuffix(filter, "]"), "=")
				p = append(p, step{k, all, name, want})
			}
			joined = append(joined, p)
		}
		out = append(out, joined)
	}
	return out
}

// jsonCondition is a column=value that a line must hold.
type jsonCondition struct {
	at    [][]path
	value string
}

func conditionOf(s string) jsonCondition {
	if s == "" {
		return jsonCondition{}
	}
	name, value, _ := strings.Cut(s, "=")
	return jsonCondition{paths(name), value}
}

func (c jsonCondition) holds(line []byte) bool {
	return c.at == nil || string(first(line, c.at)) == c.value
}

type jsonParser struct {
	opt                    Options
	account, content, time [][]path
	traces                 [][][]path
	where                  jsonCondition
	traceWhere             []jsonCondition
	clock                  Clock
}

func (p *jsonParser) firstClock(b []byte) Clock {
	for line := range bytes.SplitSeq(b, []byte{'\n'}) {
		if json.Valid(line) && p.where.holds(line) {
			if v := first(line, p.time); v != nil {
				return guess(v)
			}
		}
	}
	return Seconds
}

func (p *jsonParser) parse(b *block) {
	for at := 0; at < len(b.data); {
		line, _, _ := bytes.Cut(b.data[at:], []byte{'\n'})
		start := at
		at += len(line) + 1
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		b.rows++
		if e := p.line(b, line); e != nil {
			b.fail(start, *e)
		}
	}
}

func (p *jsonParser) line(b *block, line []byte) *Error {
	var syntax json.RawMessage
	if err := json.Unmarshal(line, &syntax); err != nil {
		return &Error{Reason: "not JSON: " + err.Error(), Fix: "each line must be one JSON object"}
	}
	if badUTF8(line) {
		return &Error{Reason: "not valid UTF-8", Fix: "convert the file to UTF-8"}
	}
	if t := bytes.TrimLeft(line, " \t\r"); t[0] != '{' {
		return &Error{Reason: "not a JSON object", Value: string(line), Fix: "each line must be one JSON object"}
	}
	if !p.where.holds(line) {
		return nil
	}
	l := p.opt.Layout
	post := coord.Post{Account: first(line, p.account), Content: first(line, p.content), Row: b.rows}
	when := first(line, p.time)
	for _, m := range []struct {
		v    []byte
		name string
	}{{post.Account, l.Account}, {post.Content, l.Content}, {when, l.Time}} {
		if len(m.v) == 0 {
			return &Error{Column: m.name, Reason: "missing or empty", Fix: "every post needs an account, an id and a time; drop such rows with --skip-bad-rows"}
		}
	}
	t, reason := p.clock.parse(when)
	if reason != "" {
		return &Error{Column: l.Time, Value: string(when), Reason: reason, Fix: "make the column one form, or state it in a mapping (clock)"}
	}
	post.Time = t
	for i, ps := range p.traces {
		trace := &l.Traces[i]
		found := 0
		if p.traceWhere[i].holds(line) {
			found = p.trace(b, line, trace, post, ps)
		}
		switch {
		case found > 0:
		case !trace.Optional && !p.opt.AllowEmptyObject:
			return &Error{Column: trace.Column, Reason: "missing or empty object", Fix: "a post without an object shares nothing; drop such rows with --skip-bad-rows"}
		default:
			b.trace(trace, post, nil)
		}
	}
	return nil
}

// trace adds a post for each value of the first alternative that has any, and
// returns how many.
func (p *jsonParser) trace(b *block, line []byte, trace *Trace, post coord.Post, alternatives [][]path) (found int) {
	for _, joined := range alternatives {
		if len(joined) > 1 {
			if v := first(line, [][]path{joined}); v != nil {
				b.trace(trace, post, v)
				return 1
			}
			continue
		}
		each(line, joined[0], func(v []byte) {
			if len(v) > 0 {
				b.trace(trace, post, v)
				found++
			}
		})
		if found > 0 {
			return found
		}
	}
	return 0
}

// first returns the value of the first alternative whose parts are all there,
// joined by "/".
func first(line []byte, alternatives [][]path) []byte {
	for _, joined := range alternatives {
		var out []byte
		for i, p := range joined {
			var found []byte
			each(line, p, func(v []byte) {
				if found == nil {
					found = v
				}
			})
			if found == nil {
				out = nil
				break
			}
			if i == 0 {
				out = found
			} else {
				out = append(append(out[:len(out):len(out)], '/'), found...)
			}
		}
		if out != nil {
			return out
		}
	}
	return nil
}

// each calls do with every string, number or boolean at path in a valid JSON
// value; null and absent values are not there.
func each(b []byte, p path, do func([]byte)) {
	b = bytes.TrimLeft(b, " \t\r\n")
	if len(p) == 0 {
		if len(b) > 0 && b[0] != '{' && b[0] != '[' && b[0] != 'n' {
			do(scalar(b))
		}
		return
	}
	if len(b) == 0 || b[0] != '{' {
		return
	}
	members(b, func(key, value []byte) {
		if string(key) != p[0].key {
			return
		}
		if !p[0].all {
			each(value, p[1:], do)
			return
		}
		if value = bytes.TrimLeft(value, " \t\r\n"); len(value) > 0 && value[0] == '[' {
			elements(value, func(e []byte) {
				if p[0].name == "" || string(first(e, [][]path{{path{{key: p[0].name}}}})) == p[0].want {
					each(e, p[1:], do)
				}
			})
		}
	})
}

// members walks the members of a valid JSON object.
func members(b []byte, do func(key, value []byte)) {
	at := space(b, 1)
	for at < len(b) && b[at] != '}' {
		end := valueEnd(b, at)
		key := scalar(b[at:end])
		at = space(b, end)
		at = space(b, at+1) // the colon
		end = valueEnd(b, at)
		do(key, b[at:end])
		at = space(b, end)
		if at < len(b) && b[at] == ',' {
			at = space(b, at+1)
		}
	}
}

func elements(b []byte, do func([]byte)) {
	at := space(b, 1)
	for at < len(b) && b[at] != ']' {
		end := valueEnd(b, at)
		do(b[at:end])
		at = space(b, end)
		if at < len(b) && b[at] == ',' {
			at = space(b, at+1)
		}
	}
}

func space(b []byte, at int) int {
	for at < len(b) && (b[at] == ' ' || b[at] == '\t' || b[at] == '\r' || b[at] == '\n') {
		at++
	}
	return at
}

// valueEnd returns the end of the valid JSON value that starts at b[at].
func valueEnd(b []byte, at int) int {
	depth, inside := 0, false
	for i := at; i < len(b); i++ {
		c := b[i]
		if inside {
			switch c {
			case '\\':
				i++
			case '"':
				if inside = false; depth == 0 {
					return i + 1
				}
			}
			continue
		}
		switch c {
		case '"':
			inside = true
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
	return len(b)
}

// scalar is the text of a string, number or boolean.
func scalar(b []byte) []byte {
	if b[0] != '"' {
		return b[:valueEnd(b, 0):valueEnd(b, 0)]
	}
	end := valueEnd(b, 0)
	if bytes.IndexByte(b[:end], '\\') < 0 {
		return b[1 : end-1 : end-1]
	}
	var s string
	if err := json.Unmarshal(b[:end], &s); err != nil {
		return b[1 : end-1 : end-1] // cannot be: the line was valid
	}
	return []byte(s)
}

// isJSON looks at the first bytes of decompressed input and says whether they
// are JSON Lines.
func isJSON(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")
	return len(head) > 0 && head[0] == '{'
}
