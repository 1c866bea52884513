// Package read turns files of posts into a [coord.Source]: CSV, JSON Lines and
// Parquet, streamed in blocks, with a mapping from the layout of each platform.
//
// The package takes readers, never file names; the caller opens and
// decompresses. A bad row ends the run with its row, column, value and the fix,
// unless the caller asks to skip bad rows, which are then counted and listed.
package read

import (
	"fmt"
	"strings"

	"causeway/coord"
)

// Layout says where a source keeps what. Columns are CSV or Parquet column
// names, or dotted paths into a JSON line. In a column
//
//	a|b           the first of several that is there
//	a+b           several joined by "/", for ids unique only together
//	a[].b         b of every element of the array a
//	a[k=v].b      b of the elements of a whose k is v
type Layout struct {
	Name    string  `json:"name"`
	About   string  `json:"about,omitempty"` // what writes it, and where that is documented
	Account string  `json:"account"`
	Content string  `json:"content"`
	Time    string  `json:"time"`
	Clock   Clock   `json:"clock,omitempty"` // what Time holds; auto by default
	Traces  []Trace `json:"traces"`
	// Where keeps only the rows in which column=value holds; others are no
	// posts.
	Where string `json:"where,omitempty"`
	// Header makes a CSV positional: the header row is skipped and these names
	// stand for its columns.
	Header []string `json:"header,omitempty"`
}

// Trace says where one kind of object is found. A value may hold several.
type Trace struct {
	Kind   coord.Kind `json:"kind"`
	Column string     `json:"column"`
	// Optional: a row without this trace is no error.
	Optional bool `json:"optional,omitempty"`
	// List: a CSV cell holds several values, as [a, b], or separated by spaces.
	List bool `json:"list,omitempty"`
	// Where keeps the trace only in rows in which column=value holds.
	Where string `json:"where,omitempty"`
}

// Generic is the layout of CooRTweet and of this program.
func Generic() Layout {
	return Layout{Name: "coortweet", About: "CooRTweet's prepared data: object_id, account_id, content_id, timestamp_share", Account: "account_id", Content: "content_id", Time: "timestamp_share",
		Traces: []Trace{{Kind: coord.Object, Column: "object_id"}}}
}

// CNT is the positional layout of coordination-network-toolkit, co_retweet.
func CNT() Layout {
	h := []string{"message_id", "user_id", "username", "repost_id", "reply_id", "message", "timestamp", "urls"}
	return Layout{Name: "cnt", About: "coordination-network-toolkit's CSV, by position", Account: "user_id", Content: "message_id", Time: "timestamp", Clock: Seconds, Header: h,
		Traces: []Trace{{Kind: coord.Repost, Column: "repost_id", Optional: true}}}
}

// aliases are other names of the generic columns; id_account is CooRTweet's
// own, the rest are common.
var aliases = map[string][]string{
	"object_id":       {"object_id", "object", "id_object"},
	"account_id":      {"account_id", "id_account", "account", "user_id"},
	"content_id":      {"content_id", "id_content", "content", "message_id", "post_id"},
	"timestamp_share": {"timestamp_share", "timestamp", "time", "created_at"},
}

// find returns the place of column in header, -1 when absent.
func find(header []string, column string) int {
	names := aliases[column]
	if names == nil {
		names = []string{column}
	}
	for _, n := range names {
		for i, h := range header {
			if h == n {
				return i
			}
		}
	}
	return -1
}

// cell is where a value is in a row: the alternatives, each of parts to join.
type cell [][]int

func findCell(header []string, column string) cell {
	var out cell
	for alt := range strings.SplitSeq(column, "|") {
		var parts []int
		for part := range strings.SplitSeq(alt, "+") {
			at := find(header, part)
			if at < 0 {
				parts = nil
				break
			}
			parts = append(parts, at)
		}
		if parts != nil {
			out = append(out, parts)
		}
	}
	return out
}

// value returns the first alternative that is not empty.
func (c cell) value(fields [][]byte) []byte {
	for _, parts := range c {
		v := fields[parts[0]]
		for _, p := range parts[1:] {
			v = append(append(v[:len(v):len(v)], '/'), fields[p]...)
		}
		if len(v) > len(parts)-1 {
			return v
		}
	}
	return nil
}

// condition is a column=value that a row must hold; the zero one always holds.
type condition struct {
	at    cell
	value string
}

func (c condition) holds(fields [][]byte) bool {
	return c.at == nil || string(c.at.value(fields)) == c.value
}

// columns are the places of a layout's columns in a header.
type columns struct {
	account, content, time cell
	traces                 []cell
	where                  condition
	traceWhere             []condition
	width                  int
	names                  []string
}

func (l Layout) columns(header []string) (columns, error) {
	c := columns{width: len(header), names: header}
	seen := map[string]bool{}
	for i, h := range header {
		if seen[h] && h != "" {
			return c, &Error{Row: 0, Column: h, Reason: fmt.Sprintf("the header names column %q twice (second at column %d)", h, i+1), Fix: "rename one of them"}
		}
		seen[h] = true
	}
	for _, f := range []struct {
		name string
		at   *cell
	}{{l.Account, &c.account}, {l.Content, &c.content}, {l.Time, &c.time}} {
		if *f.at = findCell(header, f.name); *f.at == nil {
			return c, l.missing(header, f.name)
		}
	}
	where := func(s string) (condition, error) {
		if s == "" {
			return condition{}, nil
		}
		name, value, _ := strings.Cut(s, "=")
		at := findCell(header, name)
		if at == nil {
			return condition{}, l.missing(header, name)
		}
		return condition{at, value}, nil
	}
	var err error
	if c.where, err = where(l.Where); err != nil {
		return c, err
	}
	for _, t := range l.Traces {
		at := findCell(header, t.Column)
		if at == nil && !t.Optional {
			return c, l.missing(header, t.Column)
		}
		w, err := where(t.Where)
		if err != nil {
			return c, err
		}
		c.traces, c.traceWhere = append(c.traces, at), append(c.traceWhere, w)
	}
	return c, nil
}

func (l Layout) missing(header []string, column string) error {
	if a := aliases[column]; a != nil {
		column = strings.Join(a, " or ")
	}
	return &Error{Row: 0, Reason: fmt.Sprintf("layout %s needs a column %s, and the header has %s", l.Name, column, strings.Join(header, ", ")),
		Fix: "rename the column, or give a mapping with --mapping"}
}

// Error is what is wrong with an input, where, and what to do.
type Error struct {
	File   string
	Row    int64 // 1 is the first row after the header; 0 is the header
	Line   int64 // line of the file where it is known, else 0
	Column string
	Value  string // what was found, shortened
	Reason string
	Fix    string
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File + ": ")
	}
	if e.Row > 0 {
		fmt.Fprintf(&b, "row %d", e.Row)
		if e.Line > 0 {
			fmt.Fprintf(&b, " (line %d)", e.Line)
		}
	} else {
		b.WriteString("header")
	}
	if e.Column != "" {
		fmt.Fprintf(&b, ", column %s", e.Column)
	}
	b.WriteString(": " + e.Reason)
	if e.Value != "" {
		fmt.Fprintf(&b, ", found %q", shorten(e.Value))
	}
	if e.Fix != "" {
		b.WriteString("; " + e.Fix)
	}
	return b.String()
}

func shorten(s string) string {
	if len(s) <= 60 {
		return s
	}
	return strings.ToValidUTF8(s[:57], "") + "..."
}
