package line

import (
	"net/netip"
	"strings"

	"causeway/stix"
)

// Kinds of things that a blind match compares.
var matchKinds = []string{"account", "address", "content", "domain", "file", "supplier", "url"}

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
