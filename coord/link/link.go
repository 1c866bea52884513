// Package link gives addresses a canonical key, so that one page shared in many
// spellings is one object. The rules are versioned; the raw address is the
// caller's to keep.
//
// It resolves nothing: a shortened address is its own object, flagged, since
// fetching a hostile short link tells its owner that you look.
package link

import (
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// Version names the rule set. It changes whenever any key may.
const Version = "causeway-link/1"

// Link is what an address came to.
type Link struct {
	Key  string // host, path and query, without the scheme
	Page string // Key without the query
	Site string // the registrable domain, or the host where there is none
	// Rules that fired, in order: unwrap, tracking, youtube, ...
	Rules []string
	// Short marks a shortener: where it leads is not known here.
	Short bool
	// Archive marks a copy in a web archive; Key is the page copied.
	Archive bool
}

// maxUnwraps bounds addresses inside addresses.
const maxUnwraps = 5

// MaxLength is the longest address looked at.
const MaxLength = 8192

// Canonical returns the canonical form of raw, and false when raw is not the
// address of a page: another scheme, cut off with an ellipsis, a log-in page or
// the bare home page of a platform.
//
// The key of a key is itself: rules are applied until nothing changes.
func Canonical(raw string) (Link, bool) {
	l, ok := once(raw)
	for range maxUnwraps {
		if !ok {
			return Link{}, false
		}
		again, fine := once("https://" + l.Key)
		if fine && again.Key == l.Key {
			return l, true
		}
		again.Archive, again.Rules = again.Archive || l.Archive, append(l.Rules, again.Rules...)
		l, ok = again, fine
	}
	return Link{}, false
}

// once applies every rule once.
func once(raw string) (Link, bool) {
	var l Link
	s := trim(raw)
	for range maxUnwraps + 1 {
		u, ok := parse(s)
		if !ok {
			return Link{}, false
		}
		if inner, archive := unwrap(u); inner != "" {
			l.Archive = l.Archive || archive
			l.Rules = append(l.Rules, "unwrap")
			s = trim(inner)
			continue
		}
		if !l.site(u) {
			return Link{}, false
		}
		return l, l.Key != ""
	}
	return Link{}, false
}

// trim removes what surrounds an address in running text.
func trim(s string) string {
	s = strings.Trim(s, " \t\r\n<>\"'“”‘’「」『』（）")
	for {
		t := strings.TrimRight(s, ",;:!'\"")
		t = strings.TrimSuffix(t, ".")
		for _, b := range []string{"()", "[]", "{}"} {
			if strings.HasSuffix(t, b[1:]) && strings.Count(t, b[1:]) > strings.Count(t, b[:1]) {
				t = t[:len(t)-1]
			}
		}
		t = strings.TrimLeft(t, "([{")
		if t == s || strings.HasSuffix(s, "...") {
			return s
		}
		s = t
	}
}

// address is a normalised address in parts.
type address struct {
	host, path, fragment string
	query                []pair
}

type pair struct {
	key, value string
	hasValue   bool
}

// parse applies the rules of spelling.
func parse(s string) (*address, bool) {
	if len(s) > MaxLength || strings.HasSuffix(s, "...") || strings.HasSuffix(s, "…") {
		return nil, false
	}
	if !strings.Contains(s, "://") {
		if strings.ContainsAny(strings.SplitN(s, "/", 2)[0], ":@ ") || !strings.Contains(s, ".") {
			return nil, false
		}
		s = "http://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Opaque != "" {
		return nil, false
	}
	scheme := strings.ToLower(u.Scheme)
	if scheme != "http" && scheme != "https" {
		return nil, false
	}
	host := hostOf(u)
	if host == "" {
		return nil, false
	}
	a := &address{host: host, path: cleanPath(u.EscapedPath())}
	if f := u.EscapedFragment(); strings.HasPrefix(f, "!") || strings.HasPrefix(f, "/") {
		a.fragment = f
	}
	for part := range strings.SplitSeq(u.RawQuery, "&") {
		if part == "" {
			continue
		}
		k, v, has := strings.Cut(part, "=")
		a.query = append(a.query, pair{escapes(k), escapes(v), has})
	}
	return a, true
}

func hostOf(u *url.URL) string {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii
	}
	if strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-_.:") != "" {
		return ""
	}
	for strings.HasPrefix(host, "www.") && strings.Count(host, ".") > 1 {
		host = host[4:]
	}
	if !strings.Contains(host, ".") && !strings.Contains(host, ":") || strings.Contains(host, "..") || strings.HasPrefix(host, ".") {
		return ""
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if p := u.Port(); p != "" && p != "80" && p != "443" {
		host += ":" + p
	}
	return host
}

// cleanPath removes dot segments and the trailing slash, and normalises
// escapes; case is kept.
func cleanPath(p string) string {
	var out []string
	segments := strings.Split(escapes(p), "/")
	for i, s := range segments {
		switch s {
		case ".":
		case "..":
			if len(out) > 1 {
				out = out[:len(out)-1]
			}
			if i == len(segments)-1 {
				out = append(out, "")
			}
		default:
			out = append(out, s)
		}
	}
	return strings.TrimRight(strings.Join(out, "/"), "/")
}

// escapes decodes unreserved characters and writes the rest in upper-case hex.
func escapes(s string) string {
	if !strings.Contains(s, "%") && !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 || r <= ' ' || r == '"' }) {
		return s
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0 {
			c = byte(unhex(s[i+1])<<4 | unhex(s[i+2]))
			i += 2
			if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
				b.WriteByte(c)
				continue
			}
		} else if c > ' ' && c < 0x80 && c != '"' && c != '%' {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// tracking are query keys that say how a reader came, not what is read. Only
// keys on this list are dropped.
var tracking = map[string]bool{"fbclid": true, "gclid": true, "gbraid": true, "wbraid": true, "dclid": true, "msclkid": true, "yclid": true, "ysclid": true, "twclid": true, "ttclid": true,
	"igsh": true, "igshid": true, "mc_cid": true, "mc_eid": true, "_ga": true, "_gl": true, "li_fat_id": true, "vero_id": true, "ref_src": true, "ref_url": true, "spm": true, "cmpid": true}

// finish makes the key of a.
func (l *Link) finish(a *address) {
	n := len(a.query)
	a.query = slices.DeleteFunc(a.query, func(p pair) bool {
		k := strings.ToLower(p.key)
		return tracking[k] || strings.HasPrefix(k, "utm_")
	})
	if len(a.query) < n {
		l.Rules = append(l.Rules, "tracking")
	}
	slices.SortStableFunc(a.query, func(x, y pair) int {
		if c := strings.Compare(x.key, y.key); c != 0 {
			return c
		}
		return strings.Compare(x.value, y.value)
	})
	l.Page = a.host + a.path
	var b strings.Builder
	b.WriteString(l.Page)
	for i, p := range a.query {
		b.WriteByte("?&"[min(i, 1)])
		b.WriteString(p.key)
		if p.hasValue {
			b.WriteString("=" + p.value)
		}
	}
	if a.fragment != "" {
		b.WriteString("#" + a.fragment)
	}
	l.Key = b.String()
	l.Site = siteOf(a.host)
}

func siteOf(host string) string {
	name := host
	if i := strings.LastIndexByte(name, ':'); i >= 0 && !strings.HasSuffix(name, "]") {
		name = name[:i]
	}
	if strings.HasPrefix(name, "[") || strings.Trim(name, "0123456789.") == "" {
		return name
	}
	if site, err := publicsuffix.EffectiveTLDPlusOne(name); err == nil {
		return site
	}
	return name
}
