package line

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"causeway/stix"
)

// Kinds of things that a blind match compares.
var matchKinds = []string{"account", "address", "content", "domain", "file", kindPost, "supplier", "url"}

// MatchKinds lists the kinds of things in the vault that a blind match
// compares.
func MatchKinds() []string {
	return slices.DeleteFunc(slices.Clone(matchKinds), func(k string) bool { return k == kindPost })
}

// kindPost compares what was shared when, for a detection over two agencies'
// platforms. Its values come from files of posts, not from the vault, and it
// is never mixed with other kinds.
const kindPost = "post"

// Widths of the grids of time in which posts are compared.
const (
	minWidth = time.Second
	maxWidth = 24 * time.Hour
)

// PostValues gives what one post contributes to a joint detection: what was
// shared, in each of two grids of time that are half a width apart. Two posts
// of the same thing less than half a width apart share at least one value; a
// value says nothing of account or platform.
func PostValues(object string, at time.Time, width time.Duration) [2]Value {
	w, t := width.Microseconds(), at.UnixMicro()
	cell := func(grid, t int64) Value {
		n := t / w
		if t%w < 0 {
			n--
		}
		return Value{Text: fmt.Sprintf("%s:%d/%d/%d/%s", kindPost, width.Milliseconds(), grid, n, normalURL(strings.TrimSpace(object)))}
	}
	return [2]Value{cell(0, t), cell(1, t+w/2)}
}

// Value is one thing that can be compared, in the spelling that both sides
// compute, and the object it comes from.
type Value struct {
	Text string // "kind:normal form"
	ID   string
}

// valuesOf gives what an object says that can be compared, in the normal form
// of docs/protocol/line.md, "What is compared".
func valuesOf(o *stix.Object) []Value {
	var out []Value
	add := func(kind, text string) {
		if text = strings.TrimSpace(text); text != "" {
			out = append(out, Value{Text: kind + ":" + text, ID: o.ID()})
		}
	}
	switch o.Type() {
	case "domain-name":
		add("domain", strings.TrimSuffix(strings.ToLower(o.StringAt("value")), "."))
	case "url":
		add("url", normalURL(o.StringAt("value")))
	case "ipv4-addr", "ipv6-addr":
		if a, err := netip.ParseAddr(o.StringAt("value")); err == nil {
			add("address", a.Unmap().String())
		}
	case "user-account":
		who := or(o.StringAt("user_id"), o.StringAt("account_login"))
		if who != "" {
			add("account", strings.ToLower(o.StringAt("account_type"))+"/"+strings.ToLower(who))
		}
	case "file":
		for _, alg := range []string{"SHA-256", "SHA-1", "MD5"} {
			if h := o.StringAt("hashes", alg); h != "" {
				add("file", strings.ToLower(alg)+"/"+strings.ToLower(h))
			}
		}
	case "artifact":
		if h := o.StringAt("hashes", "SHA-256"); h != "" {
			add("content", strings.ToLower(h))
		}
	case "identity":
		if o.StringAt("identity_class") == "organization" {
			add("supplier", strings.ToLower(strings.Join(strings.Fields(o.Name()), " ")))
		}
	}
	return out
}

// normalURL lower-cases scheme and host and drops the fragment; what follows
// the host may depend on case.
func normalURL(s string) string {
	s, _, _ = strings.Cut(s, "#")
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return s
	}
	host, path, found := strings.Cut(rest, "/")
	out := strings.ToLower(scheme) + "://" + strings.ToLower(host)
	if found && path != "" {
		out += "/" + path
	}
	return out
}
