package stix

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// isUUID says whether s is a UUID of RFC 4122: its variant, and a version of 1
// to 5.
func isUUID(s string) bool {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	for i := 0; i < 36; i++ {
		if !hexByte[s[i]] && i != 8 && i != 13 && i != 18 && i != 23 {
			return false
		}
	}
	return s[14] >= '1' && s[14] <= '5' && strings.IndexByte("89abAB", s[19]) >= 0
}

var hexByte = func() (t [256]bool) {
	for _, c := range []byte("0123456789abcdefABCDEF") {
		t[c] = true
	}
	return t
}()

// isTypeName says whether s can be a type (STIX 3.1): 3 to 250 of a-z, 0-9 and
// single hyphens, beginning with a letter and not ending with a hyphen.
func isTypeName(s string) bool {
	if len(s) < 3 || len(s) > 250 || s[0] < 'a' || s[0] > 'z' || s[len(s)-1] == '-' {
		return false
	}
	for i := 1; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' && s[i-1] != '-') {
			return false
		}
	}
	return true
}

func isSlug(s string) bool { return s == strings.ToLower(s) && !strings.ContainsAny(s, " _") }

func isBase64(s string) bool {
	if s == "" {
		return true
	}
	if _, err := base64.StdEncoding.DecodeString(s); err != nil || strings.ContainsAny(s, "\r\n") {
		return false
	}
	return true
}

func isHex(s string) bool {
	for i := 0; i < len(s); i++ {
		if !hexByte[s[i]] || s[i] >= 'A' && s[i] <= 'F' {
			return false
		}
	}
	return len(s)%2 == 0
}

func allHex(s string) bool {
	for i := 0; i < len(s); i++ {
		if !hexByte[s[i]] {
			return false
		}
	}
	return true
}

// isSSDEEP: block size, and two base64 texts, parted by colons.
func isSSDEEP(s string) bool {
	size, rest, ok := strings.Cut(s, ":")
	a, b, ok2 := strings.Cut(rest, ":")
	if _, err := strconv.ParseUint(size, 10, 64); err != nil || !ok || !ok2 {
		return false
	}
	for _, c := range []byte(a + b) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '+' || c == '/') {
			return false
		}
	}
	return true
}

// isURI is RFC 3986 section 3: a scheme, and after it only the characters the
// grammar has, escapes whole, brackets only round an address.
func isURI(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" || !isLetter(scheme[0]) {
		return false
	}
	for _, c := range []byte(scheme[1:]) {
		if !isLetter(c) && !isDigit(c) && c != '+' && c != '-' && c != '.' {
			return false
		}
	}
	if rest == "" {
		return false
	}
	if authority, ok := strings.CutPrefix(rest, "//"); ok {
		end := strings.IndexAny(authority, "/?#")
		if end < 0 {
			end = len(authority)
		}
		host := authority[strings.LastIndexByte(authority[:end], '@')+1 : end]
		if strings.HasPrefix(host, "[") {
			close := strings.IndexByte(host, ']')
			if close < 0 {
				return false
			}
			literal := host[1:close]
			if !isIPv6(literal) && !strings.HasPrefix(strings.ToLower(literal), "v") {
				return false
			}
			rest = strings.Replace(rest, host[:close+1], "", 1)
		}
	}
	path, fragment, _ := strings.Cut(rest, "#")
	return uriText(path) && uriText(fragment)
}

func uriText(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case isLetter(c) || isDigit(c) || strings.IndexByte("-._~:/?@!$&'()*+,;=", c) >= 0:
		case c == '%' && i+2 < len(s) && hexByte[s[i+1]] && hexByte[s[i+2]]:
			i += 2
		default:
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isHost is a domain name (RFC 1034 section 3.5, RFC 5890): labels of 1 to 63
// letters, digits and inner hyphens, letters of any script; in all 253. An
// underscore is taken, since names such as "_dmarc.example.com" exist though
// hosts may not be called so.
func isHost(s string) bool {
	s = strings.TrimSuffix(s, ".")
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if !isLetter(c) && !isDigit(c) && c != '-' && c != '_' && c < 0x80 {
				return false
			}
		}
	}
	return true
}

// isEmail is the addr-spec of RFC 5322 section 3.4.1, without comments and
// with letters of any script (RFC 6531).
func isEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 {
		return false
	}
	local, domain := s[:at], s[at+1:]
	if strings.HasPrefix(domain, "[") && strings.HasSuffix(domain, "]") {
		domain = "literal"
	}
	if !isHost(domain) {
		return false
	}
	if len(local) > 1 && local[0] == '"' && local[len(local)-1] == '"' {
		return !strings.ContainsAny(local[1:len(local)-1], "\"\r\n")
	}
	for atom := range strings.SplitSeq(local, ".") {
		if atom == "" {
			return false
		}
		for _, c := range []byte(atom) {
			if !isLetter(c) && !isDigit(c) && c < 0x80 && strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) < 0 {
				return false
			}
		}
	}
	return true
}

func isIPv4(s string) bool {
	n := 0
	for part := range strings.SplitSeq(s, ".") {
		if n++; !isDecimal(part, 255) {
			return false
		}
	}
	return n == 4
}

// isDecimal says whether s is a number of 0 to most without a leading zero.
func isDecimal(s string, most int) bool {
	if s == "" || len(s) > 3 || len(s) > 1 && s[0] == '0' {
		return false
	}
	n := 0
	for _, c := range []byte(s) {
		if !isDigit(c) {
			return false
		}
		n = n*10 + int(c-'0')
	}
	return n <= most
}

// isIPv6 is RFC 4291 section 2.2, all three forms, without a zone.
func isIPv6(s string) bool {
	left, right, short := strings.Cut(s, "::")
	if short && strings.Contains(right, "::") {
		return false
	}
	groups := 0
	count := func(part string, last bool) bool {
		if part == "" {
			return true
		}
		words := strings.Split(part, ":")
		for i, w := range words {
			if last && i == len(words)-1 && strings.Contains(w, ".") {
				if !isIPv4(w) {
					return false
				}
				groups += 2
				continue
			}
			if w == "" || len(w) > 4 || !allHex(w) {
				return false
			}
			groups++
		}
		return true
	}
	if !count(left, !short) || !count(right, true) {
		return false
	}
	if short {
		return groups < 8
	}
	return groups == 8
}

// withCIDR is an address, or a network: an address, "/" and a prefix length.
func withCIDR(address func(string) bool, bits int) func(string) bool {
	return func(s string) bool {
		a, length, network := strings.Cut(s, "/")
		return address(a) && (!network || isDecimal(length, bits))
	}
}

func isMAC(s string) bool {
	if len(s) != 17 {
		return false
	}
	for i := 0; i < 17; i++ {
		if i%3 == 2 {
			if s[i] != ':' {
				return false
			}
		} else if !hexByte[s[i]] || s[i] >= 'A' && s[i] <= 'F' {
			return false
		}
	}
	return true
}

// isLanguage is a tag of RFC 5646 section 2.1 whose primary subtag is a
// language: language, script, region, variants, extensions, private use; case
// does not matter.
func isLanguage(s string) bool {
	tags := strings.Split(strings.ToLower(s), "-")
	if tags[0] == "x" || tags[0] == "i" {
		return len(tags) > 1 && subtags(tags[1:])
	}
	if !languages.has(tags[0]) && !(len(tags[0]) == 3 && tags[0] >= "qaa" && tags[0] <= "qtz") {
		return false
	}
	return subtags(tags[1:])
}

func subtags(tags []string) bool {
	for i, t := range tags {
		if t == "" || len(t) > 8 || len(t) == 1 && i == len(tags)-1 {
			return false
		}
		for _, c := range []byte(t) {
			if !isLetter(c) && !isDigit(c) {
				return false
			}
		}
	}
	return true
}

// isMediaType is "type/subtype" of RFC 6838 with a registered top-level type.
// Any subtype is taken: the registry grows weekly, and STIX asks for it
// "whenever feasible" only.
func isMediaType(s string) bool {
	top, sub, ok := strings.Cut(s, "/")
	if !ok || !mediaTops.has(strings.ToLower(top)) || sub == "" || len(sub) > 127 {
		return false
	}
	for _, c := range []byte(sub) {
		if !isLetter(c) && !isDigit(c) && strings.IndexByte("!#$&-^_.+", c) < 0 {
			return false
		}
	}
	return true
}

// isCPE is the formatted string of CPE 2.3 (NIST IR 7695 section 6.2.2): part
// and ten more components, of which the seventh is a language.
func isCPE(s string) bool {
	rest, ok := strings.CutPrefix(s, "cpe:2.3:")
	if !ok {
		return false
	}
	var parts []string
	start := 0
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case ':':
			parts = append(parts, rest[start:i])
			start = i + 1
		}
	}
	parts = append(parts, rest[start:])
	if len(parts) != 11 || len(parts[0]) != 1 || !strings.Contains("aho*-", parts[0]) {
		return false
	}
	for i, p := range parts[1:] {
		if p == "*" || p == "-" {
			continue
		}
		if i == 5 && !isCPELanguage(p) || !isCPEValue(p) {
			return false
		}
	}
	return true
}

// isCPEValue: letters, digits, "-", "." and "_", other punctuation behind a
// backslash; at each end "*" once or "?" any number of times.
func isCPEValue(p string) bool {
	for _, trim := range [...]func(string, string) string{strings.TrimLeft, strings.TrimRight} {
		if t := trim(p, "?"); t != p {
			p = t
		} else if t := trim(p, "*"); len(p)-len(t) == 1 {
			p = t
		}
	}
	if p == "" {
		return false
	}
	for i := 0; i < len(p); i++ {
		c := p[i]
		switch {
		case isLetter(c) || isDigit(c) || c == '-' || c == '.' || c == '_':
		case c == '\\' && i+1 < len(p) && strings.IndexByte("\\*?!\"#$%&'()+,/:;<=>@[]^`{|}~", p[i+1]) >= 0:
			i++
		default:
			return false
		}
	}
	return true
}

// isCPELanguage: a language of two or three letters, and a region.
func isCPELanguage(p string) bool {
	lang, region, has := strings.Cut(p, "-")
	for _, c := range []byte(lang) {
		if !isLetter(c) {
			return false
		}
	}
	return (len(lang) == 2 || len(lang) == 3) && (!has || len(region) == 2 || len(region) == 3 && digits(region))
}

// isFullHive says whether the hive of a registry key is written out (STIX
// 6.17): the short names of Windows are not.
func isFullHive(s string) bool {
	hive, _, _ := strings.Cut(strings.ToUpper(s), `\`)
	switch hive {
	case "HKLM", "HKCU", "HKCR", "HKCC", "HKU", "HKPD":
		return false
	}
	return true
}

func isCVE(s string) bool {
	return len(s) >= len("CVE-2014-0160") && s[:4] == "CVE-" && digits(s[4:8]) && s[8] == '-' && digits(s[9:]) && (len(s) == 13 || s[9] != '0')
}

func isCAPEC(s string) bool {
	n, ok := strings.CutPrefix(s, "CAPEC-")
	return ok && n != "" && digits(n)
}

func digits(s string) bool {
	for _, c := range []byte(s) {
		if !isDigit(c) {
			return false
		}
	}
	return true
}
