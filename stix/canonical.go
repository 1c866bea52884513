package stix

import (
	"crypto/sha256"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Digest is the SHA-256 of the object's content, equal for two objects exactly
// when they say the same: in the form of RFC 8785, with properties that state
// their own default left out (STIX 3.6: "revoked": false says what its absence
// says) and with timestamps compared as text.
func (o *Object) Digest() [sha256.Size]byte {
	return sha256.Sum256(appendCanonical(make([]byte, 0, len(o.text)), o.root(), isDefault))
}

// isDefault says that a top-level property says what its absence says: the
// defaults of the common properties in STIX 3.2.
func isDefault(name string, v value) bool {
	switch name {
	case "revoked", "defanged":
		return v.raw() == "false"
	}
	return false
}

// Canonical is the object's RFC 8785 form (JSON Canonicalization Scheme). It
// is for hashing; it is never what is stored or served.
func (o *Object) Canonical() []byte {
	return appendCanonical(make([]byte, 0, len(o.text)), o.root(), nil)
}

// appendCanonical appends v in the form of RFC 8785. Members of the topmost
// object for which skip is true are left out.
func appendCanonical(b []byte, v value, skip func(string, value) bool) []byte {
	switch v.kind() {
	case kindNumber:
		if !inRange(v.raw()) { // RFC 8785 has no form for it; as it stands, it stays itself
			return append(b, v.raw()...)
		}
		f, _ := strconv.ParseFloat(v.raw(), 64)
		return appendNumber(b, f)
	case kindString:
		return appendString(b, v.str())
	case kindList:
		b = append(b, '[')
		v.elements(func(i int, e value) bool {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendCanonical(b, e, nil)
			return true
		})
		return append(b, ']')
	case kindObject:
		type member struct {
			name string
			val  value
		}
		ms := make([]member, 0, v.len())
		v.members(func(name string, e value) bool {
			if skip == nil || !skip(name, e) {
				ms = append(ms, member{name, e})
			}
			return true
		})
		slices.SortFunc(ms, func(x, y member) int { return compareUTF16(x.name, y.name) })
		b = append(b, '{')
		for i, m := range ms {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, m.name), ':')
			b = appendCanonical(b, m.val, nil)
		}
		return append(b, '}')
	}
	return append(b, v.raw()...) // true, false, null
}

// compareUTF16 orders names by UTF-16 code units (RFC 8785 section 3.2.3).
// That is byte order but for characters past U+FFFF, whose surrogates sort
// before U+E000.
func compareUTF16(x, y string) int {
	for i := 0; i < len(x) && i < len(y); i++ {
		if x[i] != y[i] {
			if x[i] < utf8.RuneSelf && y[i] < utf8.RuneSelf {
				return int(x[i]) - int(y[i])
			}
			return slices.Compare(utf16.Encode([]rune(x)), utf16.Encode([]rune(y)))
		}
	}
	return len(x) - len(y)
}

func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\b':
			b = append(b, '\\', 'b')
		case c == '\f':
			b = append(b, '\\', 'f')
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// appendNumber writes f as ECMAScript does (RFC 8785 section 3.2.2.3).
func appendNumber(b []byte, f float64) []byte {
	if f == 0 {
		return append(b, '0')
	}
	format := byte('f')
	if abs := max(f, -f); abs < 1e-6 || abs >= 1e21 {
		format = 'e'
	}
	at := len(b)
	b = strconv.AppendFloat(b, f, format, -1, 64)
	if format == 'e' { // e-09 is written e-9
		if n := len(b); n-at >= 4 && b[n-4] == 'e' && b[n-2] == '0' {
			b[n-2] = b[n-1]
			b = b[:n-1]
		}
	}
	return b
}
