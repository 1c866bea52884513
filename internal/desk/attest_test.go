package desk_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"causeway/internal/demo"
	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/policies"
	"causeway/label/stanag4774"
)

func foundAll(t *testing.T) []*node.Node {
	t.Helper()
	nodes, err := demo.Found(t.Context(), t.TempDir(), "127.0.0.1:8443", demo.Places()[:3], nil)
	t.Cleanup(func() {
		for _, n := range nodes {
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return nodes
}

// officerOf gives a security officer of a node.
func officerOf(t *testing.T, n *node.Node) people.Person {
	t.Helper()
	all, err := n.People.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if p.Has(people.SecurityOfficer) {
			return p
		}
	}
	t.Fatal("no security officer")
	return people.Person{}
}

// seen says whether a label admits a reader.
func seen(t *testing.T, n *node.Node, id string, r vault.Reader) bool {
	t.Helper()
	own, err := n.OwnReader()
	if err != nil {
		t.Fatal(err)
	}
	row, err := n.Vault.As(own).Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return label.Allows(row.Effective.Rule, r.Holdings)
}

func TestAttestation(t *testing.T) {
	nodes := foundAll(t)
	tokyo, brussels, canberra := nodes[0], nodes[1], nodes[2]
	aiko, sec := person(t, tokyo, "aiko"), officerOf(t, tokyo)
	month := time.Now().AddDate(0, 1, 0)
	toBrussels, toCanberra := partner(t, tokyo, "Brussels").NodeID, partner(t, tokyo, "Canberra").NodeID

	if _, _, err := tokyo.Desk.Attest(t.Context(), aiko, "aiko", toBrussels, month); !errors.Is(err, people.ErrForbidden) {
		t.Error("an analyst attests:", err)
	}
	if _, _, err := tokyo.Desk.Attest(t.Context(), sec, "aiko", toBrussels, time.Now().AddDate(3, 0, 0)); err == nil {
		t.Error("an attestation for three years")
	}
	given, file, err := tokyo.Desk.Attest(t.Context(), sec, "aiko", toBrussels, month)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, other, err := tokyo.Desk.Attest(t.Context(), sec, "aiko", toCanberra, month)
	if err != nil {
		t.Fatal(err)
	}
	if given.Pseudonym == elsewhere.Pseudonym {
		t.Error("two partners know a person by one pseudonym")
	}
	if strings.Contains(strings.ToLower(string(file)), "aiko") || strings.Contains(string(file), "Mori") {
		t.Error("the file names the person")
	}

	chief := officerOf(t, brussels)
	if _, err := brussels.Desk.AcceptAttestation(t.Context(), chief, other); err == nil {
		t.Error("Brussels accepts what was signed for Canberra")
	}
	for i := range 40 {
		broken := bytes.Clone(file)
		broken[len(broken)*i/40] ^= 1
		if _, err := brussels.Desk.AcceptAttestation(t.Context(), chief, broken); err == nil {
			t.Errorf("accepted with byte %d changed", len(broken)*i/40)
		}
	}
	if _, err := canberra.Desk.AcceptAttestation(t.Context(), officerOf(t, canberra), file); err == nil {
		t.Error("Canberra accepts what was signed for Brussels")
	}
	if _, err := brussels.Desk.Visitor(t.Context(), given.Pseudonym); err == nil {
		t.Error("a visitor without an accepted attestation")
	}
	got, err := brussels.Desk.AcceptAttestation(t.Context(), chief, file)
	if err != nil || got.Pseudonym != given.Pseudonym || got.Nation != "JPN" {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := brussels.Desk.AcceptAttestation(t.Context(), chief, file); err == nil {
		t.Error("one file is accepted twice")
	}

	// What the visitor may be shown is what the label says of such a holder.
	yes, no := bring(t, brussels, "For Japan", restricted("JPN")), bring(t, brussels, "Not for Japan", restricted("AUS"))
	visitor, err := brussels.Desk.Visitor(t.Context(), given.Pseudonym)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]bool{yes: true, no: false} {
		if got := seen(t, brussels, id, visitor); got != want {
			t.Errorf("%s may be shown: %v, want %v", id, got, want)
		}
	}

	// Never more than the partner itself: at RESTRICTED the visitor's SECRET ends.
	high := bring(t, brussels, "High for Japan", secret("JPN"))
	low, err := policies.NationalClearance("JPN", "RESTRICTED")
	if err != nil {
		t.Fatal(err)
	}
	xml, err := stanag4774.WriteClearance(low)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false} {
		if visitor, err = brussels.Desk.Visitor(t.Context(), given.Pseudonym); err != nil {
			t.Fatal(err)
		}
		if got := seen(t, brussels, high, visitor); got != want {
			t.Errorf("SECRET may be shown: %v, want %v", got, want)
		}
		if !seen(t, brussels, yes, visitor) {
			t.Error("RESTRICTED may not be shown")
		}
		if err := brussels.Line.SetClearance(t.Context(), chief.ReaderID(), tokyo.Line.Node(), xml); err != nil {
			t.Fatal(err)
		}
	}

	_, back, err := tokyo.Desk.RevokeAttestation(t.Context(), sec, given.ID, "left the service")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := brussels.Desk.AcceptAttestation(t.Context(), chief, back); err != nil {
		t.Fatal(err)
	}
	if r, err := brussels.Desk.Visitor(t.Context(), given.Pseudonym); err == nil {
		t.Errorf("a revoked visitor still holds %v", r.Holdings.Atoms())
	}
	if _, err := brussels.Desk.AcceptAttestation(t.Context(), chief, file); err == nil {
		t.Error("a revoked attestation is accepted again")
	}
	if _, err := brussels.Vault.As(vault.Reader{ID: "visitor:" + given.Pseudonym, Kind: vault.Person}).Get(t.Context(), yes); !errors.Is(err, vault.ErrNotFound) {
		t.Error("a visitor without holdings reads:", err)
	}
}
