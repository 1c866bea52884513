package vault

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Find answers a question in the query language, the newest first: words that
// must all occur, and
//
//	type:indicator       objects of a type; several mean any of them
//	label:SECRET         the label's own words contain this
//	near:ID              neighbours of an object
//	by:ID  from:SOURCE  in:COLLECTION   creator, source, collection
//	id:ID                one object
//	since:2026-01-31     the version's own time at or after, until: before;
//	added:2026-01-31T09:30:00Z          available to the reader later than
//	versions:all         every version instead of the newest
//
// A value with blanks stands in double quotes. Every search is logged.
func (w *View) Find(ctx context.Context, text string, q Query) (Page, error) {
	m, err := ParseFind(text)
	if err != nil {
		return Page{}, err
	}
	if q.Cursor == "" || text != "" {
		q.Match = m
	}
	q.Newest = true
	a := w.note("find", "", true)
	return w.page(ctx, a, q)
}

// ParseFind reads the query language of [View.Find].
func ParseFind(text string) (m Match, err error) {
	var words []string
	for _, f := range fields(text) {
		key, value, ok := strings.Cut(f.text, ":")
		if f.quoted || !ok || value == "" && !f.quotedValue {
			words = append(words, f.text)
			continue
		}
		switch key {
		case "type":
			m.Types = append(m.Types, value)
		case "label":
			if m.LabelContains != "" {
				return m, fmt.Errorf("%w: label: stands once", ErrQuery)
			}
			m.LabelContains = value
		case "near":
			m.NeighbourOf = value
		case "by":
			m.CreatedBy = value
		case "from":
			m.Source = value
		case "in":
			m.Collection = value
		case "id":
			m.IDs = append(m.IDs, value)
		case "since":
			m.Since, err = findTime(key, value)
		case "until":
			m.Until, err = findTime(key, value)
		case "added":
			m.AddedAfter, err = findTime(key, value)
		case "versions":
			m.Versions = append(m.Versions, value)
		case "spec":
			m.SpecVersions = append(m.SpecVersions, value)
		case "http", "https":
			words = append(words, f.text)
		default:
			if strings.Contains(value, "//") || strings.ContainsAny(key, "./-[") {
				words = append(words, f.text) // a URL, an address, a pattern
				continue
			}
			return m, fmt.Errorf("%w: %q is no key: use type, label, near, by, from, in, id, since, until, added, versions or spec, or put the words in quotes", ErrQuery, key)
		}
		if err != nil {
			return m, err
		}
	}
	m.Text = strings.Join(words, " ")
	return m, nil
}

func findTime(key, value string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, "2006-01", "2006", "2006-01-02T15:04:05Z07:00"} {
		if t, err := time.Parse(layout, value); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%w: %s:%s: give a date like 2026-01-31 or a time like 2026-01-31T09:30:00Z", ErrQuery, key, value)
}

type field struct {
	text                string
	quoted, quotedValue bool
}

// fields cuts at blanks outside double quotes.
func fields(s string) (out []field) {
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		var f field
		inside, end := false, len(s)
		var b strings.Builder
		for i, r := range s {
			if r == '"' {
				inside = !inside
				if i == 0 {
					f.quoted = true
				} else if s[i-1] == ':' {
					f.quotedValue = true
				}
				continue
			}
			if !inside && (r == ' ' || r == '\t' || r == '\n' || r == '\u3000') {
				end = i
				break
			}
			b.WriteRune(r)
		}
		if f.text = b.String(); f.text != "" {
			out = append(out, f)
		}
		s = s[end:]
	}
	return out
}
