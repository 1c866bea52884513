package taxii

import (
	"mime"
	"strconv"
	"strings"
)

// accepts decides whether an Accept field allows our one representation. It
// is read as RFC 9110 section 12.5.1 says: the most specific range that
// matches decides, and a quality of 0 refuses. Absent means anything.
func accepts(fields []string) bool {
	if len(fields) == 0 {
		return true
	}
	best, allowed := -1, false
	for _, item := range splitQuoted(strings.Join(fields, ",")) {
		kind, params, err := mime.ParseMediaType(item)
		if err != nil {
			continue
		}
		q := 1.0
		if s, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(s, 64); err != nil || q < 0 || q > 1 {
				continue
			}
		}
		specific := specificity(kind, params)
		if specific > best || specific == best && q > 0 {
			best, allowed = specific, q > 0
		}
	}
	return best >= 0 && allowed
}

// specificity grades a range that covers our representation, -1 if none.
func specificity(kind string, params map[string]string) int {
	version, versioned := params["version"]
	switch {
	case kind == "*/*":
		return 0
	case kind == "application/*":
		return 1
	case !isTAXII(kind) || versioned && version != "2.1":
		return -1
	case !versioned:
		return 2
	}
	return 3
}

// isTAXII knows the registered type and its deprecated alias.
func isTAXII(kind string) bool {
	return kind == "application/taxii+json" || kind == "application/vnd.oasis.taxii+json"
}

// acceptsBody decides whether a body of this Content-Type can be read.
func acceptsBody(contentType string) bool {
	kind, params, err := mime.ParseMediaType(contentType)
	return err == nil && specificity(kind, params) >= 2
}

// splitQuoted splits at commas outside quotes.
func splitQuoted(s string) []string {
	var items []string
	quoted, from := false, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			items = append(items, s[from:i])
			from = i + 1
		}
	}
	return append(items, s[from:])
}
