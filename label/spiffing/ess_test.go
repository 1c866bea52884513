package spiffing_test

import (
	"encoding/asn1"
	"strings"
	"testing"

	"causeway/label"
	"causeway/label/spiffing"
)

func TestESS(t *testing.T) {
	p, err := label.Compile(label.Definition{OID: "2.999.1", Name: "P", Classes: []label.Class{{Name: "A", LACV: "7"}}})
	if err != nil {
		t.Fatal(err)
	}
	ps, err := label.NewPolicies(label.Groups{}, p)
	if err != nil {
		t.Fatal(err)
	}
	der := func(v any) []byte {
		b, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	set := func(parts ...[]byte) []byte {
		var inside []byte
		for _, b := range parts {
			inside = append(inside, b...)
		}
		return der(asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSet, IsCompound: true, Bytes: inside})
	}
	oid, other := der(asn1.ObjectIdentifier{2, 999, 1}), der(asn1.ObjectIdentifier{2, 999, 2})
	mark := der(asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagUTF8String, Bytes: []byte("VAGUELY SECRET")})
	for _, c := range []struct {
		name  string
		b     []byte
		fails string
	}{
		{"policy and class", set(oid, der(7)), ""},
		{"with a privacy mark", set(der(7), oid, mark), ""},
		{"another policy", set(other, der(7)), "unknown policy id: 2.999.2"},
		{"another class", set(oid, der(8)), "unknown classification number"},
		{"no class", set(oid), "unknown classification number"},
		{"no policy", set(der(7)), "unknown policy id"},
		{"class below 0", set(oid, der(-1)), "0 to 256"},
		{"class above 256", set(oid, der(257)), "0 to 256"},
		{"categories", set(oid, der(7), set(der(1))), "categories"},
		{"more after it", append(set(oid, der(7)), 0), "neither XML nor"},
		{"not a set", der(7), "neither XML nor"},
		{"nothing", nil, "neither XML nor"},
		{"cut off", set(oid, der(7)[:2]), "read ESS label"},
	} {
		l, err := spiffing.ParseESS(c.b, ps)
		if c.fails == "" {
			if err != nil || l.PolicyName != "P" || l.Classification != "A" {
				t.Errorf("%s: %+v, %v", c.name, l, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s: %v, want %q", c.name, err, c.fails)
		}
	}
}
