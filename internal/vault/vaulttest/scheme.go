// Package vaulttest is the conformance suite of the vault: what must hold
// whatever database is underneath. Each engine runs it, see [Run].
package vaulttest

import (
	"fmt"
	"strings"
	"testing"

	"causeway/label"
	"causeway/stix"
)

// Scheme is a policy made for tests: one classification, N compartments. An
// object in some compartments is for readers who hold at least one of them.
type Scheme struct {
	policies *label.Policies
	rules    map[string]label.Effective
	readers  map[string]*label.Holdings
}

// NewScheme makes a policy with n compartments.
func NewScheme(t testing.TB, n int) *Scheme {
	t.Helper()
	tag := label.Tag{Name: "Compartment", Type: label.Permissive}
	for i := range n {
		tag.Values = append(tag.Values, label.Value{Name: fmt.Sprintf("C%d", i), LACV: fmt.Sprint(i + 1)})
	}
	p, err := label.Compile(label.Definition{OID: "2.999.7", Name: "TEST", Version: "1",
		Classes: []label.Class{{Name: "PLAIN", LACV: "1", Hierarchy: 1}},
		Sets:    []label.TagSet{{Name: "Compartments", OID: "2.999.7.1", Tags: []label.Tag{tag}}}})
	if err != nil {
		t.Fatalf("compile the test policy: %v", err)
	}
	ps, err := label.NewPolicies(label.Groups{}, p)
	if err != nil {
		t.Fatalf("collect the test policy: %v", err)
	}
	return &Scheme{ps, map[string]label.Effective{}, map[string]*label.Holdings{}}
}

func values(compartments []int) []string {
	out := make([]string, len(compartments))
	for i, c := range compartments {
		out[i] = fmt.Sprintf("C%d", c)
	}
	return out
}

// Label is for holders of at least one of the compartments; with none, for
// nobody.
func (s *Scheme) Label(t testing.TB, compartments ...int) label.Effective {
	t.Helper()
	key := strings.Join(values(compartments), " ")
	if e, ok := s.rules[key]; ok {
		return e
	}
	if len(compartments) == 0 {
		return label.Effective{}
	}
	r, err := s.policies.Rule(&label.Label{PolicyOID: "2.999.7", PolicyName: "TEST", Classification: "PLAIN",
		Categories: []label.Category{{Type: label.Permissive, TagName: "Compartments", TagOID: "2.999.7.1", Values: values(compartments)}}})
	if err != nil {
		t.Fatalf("compile a test label: %v", err)
	}
	e := label.Effective{Rule: r, Labels: [][]byte{[]byte("<label>" + key + "</label>")}}
	s.rules[key] = e
	return e
}

// Holdings are those of a reader in the compartments.
func (s *Scheme) Holdings(t testing.TB, compartments ...int) *label.Holdings {
	t.Helper()
	key := strings.Join(values(compartments), " ")
	if h, ok := s.readers[key]; ok {
		return h
	}
	h, err := s.policies.Holdings(label.Holder{Kind: label.Person, Clearances: []*label.Clearance{{PolicyOID: "2.999.7", PolicyName: "TEST",
		Classifications: []string{"PLAIN"},
		Categories:      []label.Category{{Type: label.Permissive, TagName: "Compartments", TagOID: "2.999.7.1", Values: values(compartments)}}}}})
	if err != nil {
		t.Fatalf("compile test holdings: %v", err)
	}
	s.readers[key] = h
	return h
}

// Object builds an object of a type with a fixed id and version: n names it,
// second is its version. Further properties come in pairs.
func Object(t testing.TB, typ string, n, second int, properties ...any) *stix.Object {
	t.Helper()
	created, err := stix.ParseTimestamp("2026-01-01T00:00:00.000Z")
	if err != nil {
		t.Fatal(err)
	}
	b := stix.New(typ, ID(typ, n), created)
	modified, err := stix.ParseTimestamp(Version(second))
	if err != nil {
		t.Fatal(err)
	}
	if typ != "marking-definition" {
		b.Set("modified", modified)
	}
	for i := 0; i+1 < len(properties); i += 2 {
		b.Set(properties[i].(string), properties[i+1])
	}
	o, err := b.Object()
	if err != nil {
		t.Fatalf("build a test object: %v", err)
	}
	return o
}

// ID is the id of test object n.
func ID(typ string, n int) string { return fmt.Sprintf("%s--00000000-0000-4000-8000-%012d", typ, n) }

// Version is the version text of a second after the first of January 2026.
func Version(second int) string {
	return fmt.Sprintf("2026-01-01T%02d:%02d:%02d.000Z", second/3600, second/60%60, second%60)
}

// Join is the label of something made of both.
func (s *Scheme) Join(t testing.TB, a, b label.Effective) label.Effective {
	t.Helper()
	r, err := label.Join(a.Rule, b.Rule)
	if err != nil {
		t.Fatal(err)
	}
	return label.Effective{Rule: r, Labels: append(append([][]byte{}, a.Labels...), b.Labels...)}
}
