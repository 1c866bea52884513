package pattern

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// compare answers the test without its NOT; comparable is false when the value
// and the constant are of kinds that cannot be compared (STIX 9.2), and then
// the test is false whether or not it is negated.
func (t *Test) compare(v any) (answer, comparable bool) {
	switch t.Op {
	case "LIKE", "MATCHES":
		s, ok := v.(string)
		return ok && t.text(norm.NFC.String(s)), ok
	case "ISSUBSET", "ISSUPERSET":
		s, ok := v.(string)
		if !ok {
			return false, false
		}
		return t.network(s)
	case "IN":
		return slices.ContainsFunc(t.Values, func(c any) bool {
			n, ok := order(v, c)
			return ok && n == 0
		}), true
	}
	n, ok := order(v, t.Values[0])
	if !ok {
		return t.Op == "!=", t.Op == "!="
	}
	switch t.Op {
	case "=":
		return n == 0, true
	case "!=":
		return n != 0, true
	case "<":
		return n < 0, true
	case "<=":
		return n <= 0, true
	case ">":
		return n > 0, true
	default:
		return n >= 0, true
	}
}

// order compares a value with a constant (STIX 9.2, 9.6.1): numbers as
// numbers, strings by code point, times as instants, bytes as bytes whether
// the value spells them in base64 or hex.
func order(v, constant any) (int, bool) {
	switch c := constant.(type) {
	case bool:
		b, ok := v.(bool)
		if ok && b == c {
			return 0, true
		}
		return 1, ok
	case int64:
		if n, ok := v.(int64); ok {
			return cmp.Compare(n, c), true
		}
		f, ok := v.(float64)
		return cmp.Compare(f, float64(c)), ok
	case float64:
		switch n := v.(type) {
		case int64:
			return cmp.Compare(float64(n), c), true
		case float64:
			return cmp.Compare(n, c), true
		}
	case string:
		s, ok := v.(string)
		return strings.Compare(s, c), ok
	case time.Time:
		if s, ok := v.(string); ok {
			t, ok := parseTime(s)
			return t.Compare(c), ok
		}
	case Bytes:
		s, ok := v.(string)
		if !ok {
			return 0, false
		}
		for _, decode := range [...]func(string) ([]byte, error){hex.DecodeString, base64.StdEncoding.DecodeString} {
			if b, err := decode(s); err == nil && string(b) == string(c) {
				return 0, true
			}
		}
		return strings.Compare(s, string(c)), true
	}
	return 0, false
}

// text answers LIKE and MATCHES, both on NFC text (STIX 9.6.1).
func (t *Test) text(s string) bool {
	form, _ := t.Values[0].(string)
	form = norm.NFC.String(form)
	if t.Op == "LIKE" {
		return like([]rune(s), []rune(form))
	}
	// The standard asks for PCRE; what RE2 cannot express matches nothing.
	re, err := regexp.Compile("(?s)" + form)
	return err == nil && re.MatchString(s)
}

// like matches SQL's wildcards: % for any text, _ for one character. It goes
// back to the last % only, so its cost is at most len(s) times len(form).
func like(s, form []rune) bool {
	i, j, mark, back := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case j < len(form) && form[j] == '%':
			mark, back = j, i
			j++
		case j < len(form) && (form[j] == '_' || form[j] == s[i]):
			i, j = i+1, j+1
		case mark >= 0:
			back++
			i, j = back, mark+1
		default:
			return false
		}
	}
	for j < len(form) && form[j] == '%' {
		j++
	}
	return j == len(form)
}

// network answers ISSUBSET and ISSUPERSET: whether the address or network of
// the value lies in that of the constant, or holds it.
func (t *Test) network(s string) (answer, comparable bool) {
	value, ok := prefix(s)
	constant, ok2 := prefix(t.Values[0].(string))
	if !ok || !ok2 || value.Addr().Is4() != constant.Addr().Is4() {
		return false, false
	}
	if t.Op == "ISSUPERSET" {
		value, constant = constant, value
	}
	return constant.Bits() <= value.Bits() && constant.Contains(value.Addr()), true
}

func prefix(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), true
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}
