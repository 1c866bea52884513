package stix

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// scoNamespace is the UUID namespace of deterministic SCO ids (STIX 2.9).
// Nothing else may use it.
var scoNamespace = mustUUID("00abedb4-aa42-466c-9c01-fed23315a9b7")

// Namespace is causeway's own UUID namespace, for the deterministic ids of
// extension definitions and taxonomy objects it publishes: the UUIDv5 of
// "urn:causeway:stix" in the URL namespace of RFC 4122.
var Namespace = uuid5(mustUUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8"), []byte("urn:causeway:stix"))

// UUID is 16 bytes in network order.
type UUID [16]byte

func (u UUID) String() string {
	var b [36]byte
	hex.Encode(b[0:], u[0:4])
	hex.Encode(b[9:], u[4:6])
	hex.Encode(b[14:], u[6:8])
	hex.Encode(b[19:], u[8:10])
	hex.Encode(b[24:], u[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

func mustUUID(s string) (u UUID) {
	b, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(b) != len(u) {
		panic("stix: bad UUID in the program text: " + s)
	}
	copy(u[:], b)
	return u
}

// uuid5 is a UUID made from a name (RFC 4122 section 4.3, version 5).
func uuid5(namespace UUID, name []byte) (u UUID) {
	h := sha1.New()
	h.Write(namespace[:])
	h.Write(name)
	copy(u[:], h.Sum(nil))
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	return u
}

// NewID is a fresh id of the type, with a random UUID (version 4).
func NewID(typ string) string {
	var u UUID
	rand.Read(u[:])
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return typ + "--" + u.String()
}

// NamedUUID is the UUID (version 5) of a name in a namespace.
func NamedUUID(namespace UUID, name string) UUID { return uuid5(namespace, []byte(name)) }

// NamedID is the id of the type made from a name in the namespace.
func NamedID(typ string, namespace UUID, name string) string {
	return typ + "--" + uuid5(namespace, []byte(name)).String()
}

// contributing are the ID Contributing Properties of each SCO type (STIX 6).
// Process has none: its ids are random. media-content is OpenCTI's, whose rule
// this is.
var contributing = map[string][]string{
	"artifact":             {"hashes", "payload_bin"},
	"autonomous-system":    {"number"},
	"directory":            {"path"},
	"domain-name":          {"value"},
	"email-addr":           {"value"},
	"email-message":        {"from_ref", "subject", "body"},
	"file":                 {"hashes", "name", "extensions", "parent_directory_ref"},
	"ipv4-addr":            {"value"},
	"ipv6-addr":            {"value"},
	"mac-addr":             {"value"},
	"media-content":        {"url"},
	"mutex":                {"name"},
	"network-traffic":      {"start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols", "extensions"},
	"process":              {},
	"software":             {"name", "cpe", "swid", "vendor", "version"},
	"url":                  {"value"},
	"user-account":         {"account_type", "user_id", "account_login"},
	"windows-registry-key": {"key", "values"},
	"x509-certificate":     {"hashes", "serial_number"},
}

// hashPreference orders the hashes of which only the first present contributes
// to an id (STIX 2.9).
var hashPreference = [...]string{"MD5", "SHA-1", "SHA-256", "SHA-512"}

// SCOID is the id of an SCO with these properties (STIX 2.9): a UUIDv5 over
// the RFC 8785 form of those that contribute, or a random one when none of
// them is present. Properties that do not contribute are ignored. Values are
// what encoding/json can write.
func SCOID(typ string, properties map[string]any) (string, error) {
	names, known := contributing[typ]
	if !known {
		return "", fmt.Errorf("make an id: %q is not a type of cyber-observable object", typ)
	}
	content := make(map[string]any, len(names))
	for _, name := range names {
		v, ok := properties[name]
		if !ok {
			continue
		}
		if name == "hashes" {
			v = preferredHash(v)
		}
		content[name] = v
	}
	if len(content) == 0 {
		return NewID(typ), nil
	}
	text, err := json.Marshal(content)
	if err != nil {
		return "", fmt.Errorf("make an id for a %s: %w", typ, err)
	}
	t, perr := parseTree(string(text))
	if perr != nil {
		return "", fmt.Errorf("make an id for a %s: %w", typ, perr)
	}
	return typ + "--" + uuid5(scoNamespace, appendCanonical(nil, value{t, 0}, nil)).String(), nil
}

// preferredHash leaves one hash of a dictionary.
func preferredHash(v any) any {
	hashes := map[string]any{}
	switch m := v.(type) {
	case map[string]any:
		hashes = m
	case map[string]string:
		for k, s := range m {
			hashes[k] = s
		}
	default:
		return v
	}
	for _, name := range hashPreference {
		if h, ok := hashes[name]; ok {
			return map[string]any{name: h}
		}
	}
	first := ""
	for name := range hashes {
		if first == "" || name < first {
			first = name
		}
	}
	if first == "" {
		return v
	}
	return map[string]any{first: hashes[first]}
}
