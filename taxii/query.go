package taxii

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"causeway/stix"
)

// maxQuery bounds the text of a query, and with it the number of match
// values; a cursor repeats the filters, so a request may hold them twice.
const maxQuery = 64 << 10

// maxFilter bounds the filters alone.
const maxFilter = 16 << 10

// params are the query parameters of a request, checked. Absent ones are
// empty.
type params struct {
	match      Match
	addedAfter stix.Timestamp
	limit      int // 0: none given
	next       string
}

// The match fields that each endpoint defines (tables of sections 5.4 to
// 5.8). Others are ignored, as section 3.4 allows.
var (
	fieldsOfList     = []string{"id", "type", "version", "spec_version"}
	fieldsOfObject   = []string{"version", "spec_version"}
	fieldsOfVersions = []string{"spec_version"}
)

// parseParams reads a raw query. It does not use [url.URL.Query], which drops
// malformed pairs without a word and would widen a filter.
func parseParams(raw string, fields []string) (params, error) {
	var p params
	if len(raw) > maxQuery {
		return p, badParam("query", "longer than %d bytes", maxQuery)
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return p, badParam("query", "not a sequence of name=value pairs: %v", err)
	}
	size := 0
	for name, list := range values {
		field, isMatch := strings.CutPrefix(name, "match[")
		if isMatch {
			field, isMatch = strings.CutSuffix(field, "]")
		}
		if !isMatch && name != "added_after" && name != "limit" && name != "next" {
			continue
		}
		if len(list) > 1 {
			return p, badParam(name, "given %d times; give it once, with several values separated by commas", len(list))
		}
		if isMatch && !slices.Contains(fields, field) {
			continue
		}
		if list[0] == "" {
			return p, badParam(name, "empty")
		}
		if name != "next" {
			size += len(list[0])
		}
		if isMatch {
			err = p.match.set(name, field, list[0])
		} else {
			err = p.set(name, list[0])
		}
		if err != nil {
			return p, err
		}
	}
	if size > maxFilter {
		return p, badParam("query", "filters longer than %d bytes; ask in several requests", maxFilter)
	}
	return p, nil
}

func (p *params) set(name, value string) error {
	switch name {
	case "next":
		p.next = value
	case "added_after":
		t, err := stix.ParseTimestamp(value)
		if err != nil {
			return badParam(name, "%v", err)
		}
		p.addedAfter = t
	case "limit":
		n, err := parseLimit(value)
		if err != nil {
			return badParam(name, "%v", err)
		}
		p.limit = n
	}
	return nil
}

// parseLimit reads a whole number of at least one. One beyond every maximum
// is a large one and no error.
func parseLimit(s string) (int, error) {
	if strings.Trim(s, "0123456789") != "" {
		return 0, fmt.Errorf("not a whole number: %.40q", s)
	}
	n, err := strconv.ParseInt(s, 10, 32)
	switch {
	case err != nil:
		return 1<<31 - 1, nil
	case n == 0:
		return 0, fmt.Errorf("0 is less than the least page, 1")
	}
	return int(n), nil
}

func (m *Match) set(name, field, value string) error {
	values := strings.Split(value, ",")
	if slices.Contains(values, "") {
		return badParam(name, "an empty value between commas")
	}
	switch field {
	case "id":
		m.IDs = values
	case "type":
		m.Types = values
	case "spec_version":
		m.SpecVersions = values
	case "version":
		if err := checkVersions(values); err != nil {
			return badParam(name, "%v", err)
		}
		m.Versions = values
	}
	return nil
}

// checkVersions holds match[version] to section 3.4.2: "all" stands alone,
// nothing appears twice, times are STIX timestamps.
func checkVersions(values []string) error {
	seen := make(map[any]bool)
	for _, v := range values {
		var key any = v
		switch v {
		case "all":
			if len(values) > 1 {
				return fmt.Errorf("%q excludes every other value", v)
			}
		case "first", "last":
		default:
			t, err := stix.ParseTimestamp(v)
			if err != nil {
				return err
			}
			key = instant(t)
		}
		if seen[key] {
			return fmt.Errorf("%.40q is given twice", v)
		}
		seen[key] = true
	}
	return nil
}

// filter is the canonical text of what a cursor is bound to. Values keep their
// order: a client that repeats its filters repeats them as they were.
func (p params) filter() url.Values {
	v := url.Values{}
	put := func(name string, values []string) {
		if len(values) > 0 {
			v.Set(name, strings.Join(values, ","))
		}
	}
	put("match[id]", p.match.IDs)
	put("match[type]", p.match.Types)
	put("match[version]", p.match.Versions)
	put("match[spec_version]", p.match.SpecVersions)
	if !p.addedAfter.IsZero() {
		v.Set("added_after", p.addedAfter.String())
	}
	return v
}

// resume gives p the filters of the cursor it came with. Clients repeat all
// filters, or some, or none; a repeated one must say the same.
func (p params) resume(filter url.Values, fields []string) (params, error) {
	held, err := parseParams(filter.Encode(), fields)
	if err != nil {
		return p, err
	}
	repeated := p.filter()
	if !p.addedAfter.IsZero() && !held.addedAfter.IsZero() && p.addedAfter.Compare(held.addedAfter) == 0 {
		repeated.Del("added_after")
	}
	for name := range repeated {
		if repeated.Get(name) != filter.Get(name) {
			return p, badParam(name, "differs from the filter that the cursor in \"next\" belongs to; leave it as it was, or start again without \"next\"")
		}
	}
	held.limit, held.next = p.limit, p.next
	return held, nil
}

// instant is a key that is the same for every spelling of one instant.
func instant(t stix.Timestamp) string {
	s := strings.TrimSuffix(t.String(), "Z")
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

func badParam(name, format string, args ...any) *Error {
	return &Error{
		Title:       "Bad query parameter",
		Description: name + ": " + fmt.Sprintf(format, args...),
		ErrorCode:   "bad-parameter",
		HTTPStatus:  400,
	}
}
