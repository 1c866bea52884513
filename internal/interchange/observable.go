package interchange

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"causeway/stix"
	"causeway/stix/pattern"
)

// form is what a kind of value is in STIX: the paths its parts stand at, in
// the order of the parts that "|" divides. "ip" as a type stands for ipv4-addr
// or ipv6-addr, by the value.
type form []string

// forms are the MISP attribute types that have one (MISP 2.5, describeTypes),
// and the STIX types by name for tables of indicators. What is not here is
// refused by name.
var forms = map[string]form{
	"ip-src":                  {"ip:value"},
	"ip-dst":                  {"ip:value"},
	"ip-src|port":             {"network-traffic:src_ref.value", "network-traffic:src_port"},
	"ip-dst|port":             {"network-traffic:dst_ref.value", "network-traffic:dst_port"},
	"hostname|port":           {"network-traffic:dst_ref.value", "network-traffic:dst_port"},
	"domain":                  {"domain-name:value"},
	"hostname":                {"domain-name:value"},
	"domain|ip":               {"domain-name:value", "domain-name:resolves_to_refs[*].value"},
	"url":                     {"url:value"},
	"uri":                     {"url:value"},
	"link":                    {"url:value"},
	"md5":                     {"file:hashes.MD5"},
	"sha1":                    {"file:hashes.'SHA-1'"},
	"sha256":                  {"file:hashes.'SHA-256'"},
	"sha512":                  {"file:hashes.'SHA-512'"},
	"sha3-256":                {"file:hashes.'SHA3-256'"},
	"sha3-512":                {"file:hashes.'SHA3-512'"},
	"ssdeep":                  {"file:hashes.SSDEEP"},
	"tlsh":                    {"file:hashes.TLSH"},
	"filename":                {"file:name"},
	"filename|md5":            {"file:name", "file:hashes.MD5"},
	"filename|sha1":           {"file:name", "file:hashes.'SHA-1'"},
	"filename|sha256":         {"file:name", "file:hashes.'SHA-256'"},
	"filename|sha512":         {"file:name", "file:hashes.'SHA-512'"},
	"size-in-bytes":           {"file:size"},
	"mime-type":               {"file:mime_type"},
	"email":                   {"email-addr:value"},
	"email-src":               {"email-message:from_ref.value"},
	"email-dst":               {"email-message:to_refs[*].value"},
	"email-subject":           {"email-message:subject"},
	"regkey":                  {"windows-registry-key:key"},
	"regkey|value":            {"windows-registry-key:key", "windows-registry-key:values[*].data"},
	"mutex":                   {"mutex:name"},
	"AS":                      {"autonomous-system:number"},
	"mac-address":             {"mac-addr:value"},
	"user-agent":              {"network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'"},
	"x509-fingerprint-md5":    {"x509-certificate:hashes.MD5"},
	"x509-fingerprint-sha1":   {"x509-certificate:hashes.'SHA-1'"},
	"x509-fingerprint-sha256": {"x509-certificate:hashes.'SHA-256'"},
	"github-username":         {"user-account:account_login"},
	"twitter-id":              {"user-account:account_login"},
	"username":                {"user-account:account_login"},

	"ipv4-addr":            {"ipv4-addr:value"},
	"ipv6-addr":            {"ipv6-addr:value"},
	"ip":                   {"ip:value"},
	"domain-name":          {"domain-name:value"},
	"email-addr":           {"email-addr:value"},
	"mac-addr":             {"mac-addr:value"},
	"autonomous-system":    {"autonomous-system:number"},
	"windows-registry-key": {"windows-registry-key:key"},
	"user-account":         {"user-account:account_login"},
}

// accountTypes are the words of account-type-ov for MISP types that name a
// service.
var accountTypes = map[string]string{"twitter-id": "twitter", "github-username": "github"}

// term is one part of a value at its path.
type term struct {
	typ, path, value string
}

// terms divides a value by its form.
func terms(kind, value string) ([]term, error) {
	f, ok := forms[kind]
	if !ok {
		return nil, fmt.Errorf("the type %q has no form in STIX", kind)
	}
	values := []string{value}
	if len(f) > 1 {
		values = strings.SplitN(value, "|", len(f))
	}
	if len(values) != len(f) {
		return nil, fmt.Errorf("a value of type %q has %d parts divided by |", kind, len(f))
	}
	out := make([]term, len(f))
	for i, path := range f {
		typ, rest, _ := strings.Cut(path, ":")
		if typ == "ip" {
			typ = "ipv4-addr"
			if strings.Contains(values[i], ":") {
				typ = "ipv6-addr"
			}
		}
		out[i] = term{typ, rest, strings.TrimSpace(values[i])}
		if out[i].value == "" {
			return nil, fmt.Errorf("a part of the value is empty")
		}
	}
	return out, nil
}

// numeric are the properties that take a number.
var numeric = []string{"number", "size", "src_port", "dst_port"}

// patternOf is the pattern that a value makes: all of its terms.
func patternOf(kind, value string) (string, error) {
	ts, err := terms(kind, value)
	if err != nil {
		return "", err
	}
	if err := wellFormed(kind, value); err != nil {
		return "", err
	}
	return joinTerms(ts)
}

func joinTerms(ts []term) (string, error) {
	parts := make([]string, len(ts))
	for i, t := range ts {
		constant := pattern.Quote(t.value)
		if slices.Contains(numeric, t.path) {
			n, err := strconv.ParseInt(strings.TrimPrefix(t.value, "AS"), 10, 64)
			if err != nil {
				return "", fmt.Errorf("%q is not a whole number", t.value)
			}
			constant = strconv.FormatInt(n, 10)
		}
		parts[i] = t.typ + ":" + t.path + " = " + constant
	}
	text := "[" + strings.Join(parts, " AND ") + "]"
	return text, pattern.Check(text)
}

// wellFormed asks of a value what the observable of its kind asks of it. Kinds
// whose observable needs more than the value are let pass.
func wellFormed(kind, value string) error {
	bs, err := observables(kind, value)
	if err != nil {
		return nil
	}
	for _, b := range bs {
		if _, err := b.Object(); err != nil {
			return err
		}
	}
	return nil
}

// observables are the cyber-observable objects that say the value itself.
func observables(kind, value string) ([]*stix.Builder, error) {
	ts, err := terms(kind, value)
	if err != nil {
		return nil, err
	}
	var out []*stix.Builder
	make := func(typ string) *stix.Builder {
		b := stix.New(typ, "", stix.Timestamp{})
		out = append(out, b)
		return b
	}
	t := ts[0]
	switch {
	case kind == "domain|ip":
		make("domain-name").Set("value", t.value)
		ip := "ip-dst"
		more, err := observables(ip, ts[1].value)
		return append(out, more...), err
	case kind == "email-src" || kind == "email-dst":
		make("email-addr").Set("value", t.value)
	case kind == "regkey|value":
		make(t.typ).Set("key", t.value).Set("values", []map[string]string{{"data": ts[1].value}})
	case t.typ == "autonomous-system":
		n, err := strconv.ParseInt(strings.TrimPrefix(t.value, "AS"), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no AS number", t.value)
		}
		make(t.typ).Set("number", n)
	case t.typ == "user-account":
		b := make(t.typ)
		if a := accountTypes[kind]; a != "" {
			b.Set("account_type", a)
		}
		b.Set("account_login", t.value)
	case t.typ == "file" || t.typ == "x509-certificate":
		return filed(ts)
	case t.typ == "network-traffic" || t.typ == "email-message":
		return nil, fmt.Errorf("a value of type %q alone makes no %s object: the standard requires more of it", kind, t.typ)
	default:
		make(t.typ).Set(t.path, t.value)
	}
	return out, nil
}

// filed makes one file or certificate of names and hashes.
func filed(ts []term) ([]*stix.Builder, error) {
	if len(ts) == 0 {
		return nil, fmt.Errorf("nothing of a file is there")
	}
	b := stix.New(ts[0].typ, "", stix.Timestamp{})
	hashes := map[string]string{}
	identified := ts[0].typ == "x509-certificate"
	for _, t := range ts {
		if algorithm, ok := strings.CutPrefix(t.path, "hashes."); ok {
			hashes[strings.Trim(algorithm, "'")] = t.value
			identified = true
			continue
		}
		if t.path == "size" {
			n, err := strconv.ParseInt(t.value, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("%q is no size", t.value)
			}
			b.Set("size", n)
			continue
		}
		identified = identified || t.path == "name"
		b.Set(t.path, t.value)
	}
	if !identified {
		return nil, fmt.Errorf("a file needs a name or a hash")
	}
	return []*stix.Builder{b.Set("hashes", hashes)}, nil
}

// kindOf is the MISP type of a test, for writing: the inverse of forms where
// one part is enough.
func kindOf(t pattern.Test) (kind, value string, ok bool) {
	if t.Not || t.Op != "=" && t.Op != "IN" || len(t.Values) != 1 {
		return "", "", false
	}
	switch v := t.Values[0].(type) {
	case string:
		value = v
	case int64:
		value = strconv.FormatInt(v, 10)
	default:
		return "", "", false
	}
	path := t.Type + ":"
	for i, s := range t.Path {
		switch {
		case s.Any:
			path += "[*]"
		case s.Name == "":
			return "", "", false
		default:
			if i > 0 {
				path += "."
			}
			path += s.Name
		}
	}
	kind, ok = written[path]
	return kind, value, ok
}

// written names the MISP type for a path without quotes.
var written = map[string]string{
	"ipv4-addr:value": "ip-dst", "ipv6-addr:value": "ip-dst", "domain-name:value": "domain", "url:value": "url",
	"file:hashes.MD5": "md5", "file:hashes.SHA-1": "sha1", "file:hashes.SHA-256": "sha256", "file:hashes.SHA-512": "sha512",
	"file:hashes.SHA3-256": "sha3-256", "file:hashes.SHA3-512": "sha3-512", "file:hashes.SSDEEP": "ssdeep", "file:hashes.TLSH": "tlsh",
	"file:name": "filename", "email-addr:value": "email", "email-message:from_ref.value": "email-src",
	"email-message:to_refs[*].value": "email-dst", "email-message:subject": "email-subject", "windows-registry-key:key": "regkey",
	"mutex:name": "mutex", "autonomous-system:number": "AS", "mac-addr:value": "mac-address", "user-account:account_login": "username",
}
