package desk_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"causeway/internal/audit"
	"causeway/internal/demo"
	"causeway/internal/desk"
	"causeway/internal/line"
	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/policies"
	"causeway/label/registry"
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
	for i := range 12 {
		broken := bytes.Clone(file)
		broken[len(broken)*i/12] ^= 1
		if _, err := brussels.Desk.AcceptAttestation(t.Context(), chief, broken); err == nil {
			t.Errorf("accepted with byte %d changed", len(broken)*i/12)
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

	_, back, err := tokyo.Desk.RevokeAttestation(t.Context(), sec, given.Serial, "left the service")
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

// carry takes what waits from one node to the other and the receipts back, as
// files do; the line itself is tested in its own room.
func carry(t *testing.T, from, to *node.Node) {
	t.Helper()
	for _, way := range [][2]*node.Node{{from, to}, {to, from}} {
		var b bytes.Buffer
		if _, err := way[0].Line.Export(t.Context(), "node", way[1].Line.Node(), &b); err != nil {
			t.Fatal(err)
		}
		if _, err := way[1].Line.Import(t.Context(), "node", &b); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAttestationOverTheLine: what is attested arrives, waits for a security
// officer, lets the visitor in, and ends at once when it is taken back: open
// session and feed with it.
func TestAttestationOverTheLine(t *testing.T) {
	nodes := foundAll(t)
	tokyo, brussels := nodes[0], nodes[1]
	sec, chief := officerOf(t, tokyo), officerOf(t, brussels)
	to, month := partner(t, tokyo, "Brussels").NodeID, time.Now().AddDate(0, 1, 0)
	given, _, err := tokyo.Desk.Attest(t.Context(), sec, "aiko", to, month)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := tokyo.Desk.WordReceipts(t.Context(), given); err != nil || r.Given != nil {
		t.Errorf("a receipt before anything was sent: %+v, %v", r, err)
	}
	carry(t, tokyo, brussels)
	if r, err := tokyo.Desk.WordReceipts(t.Context(), given); err != nil || r.Given == nil || r.Given.Result != line.Delivered || r.Revoked != nil {
		t.Errorf("receipt: %+v, %v", r, err)
	}
	arrived := func() desk.Accepted {
		t.Helper()
		_, taken, err := brussels.Desk.Attestations(t.Context())
		if err != nil || len(taken) != 1 || taken[0].Serial != given.Serial {
			t.Fatalf("%+v, %v", taken, err)
		}
		return taken[0]
	}
	if a := arrived(); !a.Waits() || strings.Contains(string(a.Encode()), "aiko") {
		t.Errorf("it arrived as %+v", a)
	}
	if err := brussels.Desk.Admit(t.Context(), chief, given.Pseudonym, "a long enough phrase"); err == nil {
		t.Error("a visitor is let in before anybody accepted the attestation")
	}
	if _, err := brussels.Desk.DecideAttestation(t.Context(), person(t, brussels, "claire"), given.Issuer, given.Serial, true, ""); !errors.Is(err, people.ErrForbidden) {
		t.Error("an analyst accepts:", err)
	}
	if _, err := brussels.Desk.DecideAttestation(t.Context(), chief, given.Issuer, given.Serial, true, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := brussels.Desk.DecideAttestation(t.Context(), chief, given.Issuer, given.Serial, true, ""); err == nil {
		t.Error("accepted twice")
	}
	yes, no := bring(t, brussels, "For Japan", restricted("JPN")), bring(t, brussels, "Not for Japan", restricted("AUS"))
	if err := brussels.Desk.Admit(t.Context(), chief, given.Pseudonym, "a long enough phrase"); err != nil {
		t.Fatal(err)
	}
	token, visitor, err := brussels.People.SignIn(t.Context(), given.Pseudonym, "a long enough phrase")
	if err != nil {
		t.Fatal(err)
	}
	reads := func(id string) bool {
		t.Helper()
		r, err := brussels.People.Reader(visitor)
		if err != nil {
			t.Fatal(err)
		}
		_, err = brussels.Vault.As(r).Get(t.Context(), id)
		return err == nil
	}
	if !reads(yes) || reads(no) {
		t.Errorf("the visitor reads what is for Japan: %v, what is not: %v", reads(yes), reads(no))
	}
	if _, err := brussels.People.Request(t.Context(), chief, given.Pseudonym, people.Grant{}); err == nil {
		t.Error("a visitor is cleared by two nodes")
	}

	// Tokyo suspends the person: the word of it goes by itself.
	if err := tokyo.People.Suspend(t.Context(), sec.ReaderID(), "aiko", "under investigation"); err != nil {
		t.Fatal(err)
	}
	carry(t, tokyo, brussels)
	if a := arrived(); a.Revoked == nil || a.Revoked.By != tokyo.Line.Node() {
		t.Errorf("after the revocation: %+v", a)
	}
	if _, err := brussels.People.Session(t.Context(), token); !errors.Is(err, people.ErrSession) {
		t.Error("the open session goes on:", err)
	}
	if reads(yes) {
		t.Error("a reader of a revoked visitor still reads")
	}
	if r, err := tokyo.Desk.WordReceipts(t.Context(), given); err != nil || r.Revoked == nil || r.Revoked.Result != line.Delivered {
		t.Errorf("receipt of the revocation: %+v, %v", r, err)
	}
}

// A grant that is suspended or revoked takes the attestations that rest on it
// along, in the same act; a revocation that comes first keeps its attestation out.
func TestAttestationEndsWithItsGrant(t *testing.T) {
	nodes := foundAll(t)
	tokyo, brussels := nodes[0], nodes[1]
	sec, to := officerOf(t, tokyo), partner(t, tokyo, "Brussels").NodeID
	aiko := person(t, tokyo, "aiko")
	_, file, err := tokyo.Desk.Attest(t.Context(), sec, "aiko", to, time.Now().AddDate(0, 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	if err := tokyo.People.Rest(t.Context(), sec, "aiko", aiko.Grants[0].ID, "a question is open"); err != nil {
		t.Fatal(err)
	}
	given, _, err := tokyo.Desk.Attestations(t.Context())
	if err != nil || len(given) != 1 || given[0].Revoked == nil {
		t.Fatalf("%+v, %v", given, err)
	}
	// The revocation goes before the attestation: FLASH before PRIORITY.
	carry(t, tokyo, brussels)
	if _, err := brussels.Desk.AcceptAttestation(t.Context(), officerOf(t, brussels), file); err == nil {
		t.Error("what was taken back is accepted from a file")
	}
	if err := tokyo.People.Resume(t.Context(), sec, "aiko", aiko.Grants[0].ID, "answered"); !errors.Is(err, people.ErrForbidden) {
		t.Error("the officer who suspended a clearance resumes it:", err)
	}
}

// What cannot be put on its way is not done at all.
func TestAttestationIsOneAct(t *testing.T) {
	nodes := foundAll(t)
	tokyo, brussels := nodes[0], nodes[1]
	size, err := tokyo.Vault.LogSize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("the disk is full")
	if _, err := brussels.Vault.Act(t.Context(), audit.Act{Actor: "node", Verb: "test"}, func(tx *vault.Tx) error {
		refusal, err := brussels.Desk.TakeWord(tx, line.Partner{NodeID: tokyo.Line.Node(), Nation: "JPN"},
			registry.Revocation{V: 1, Serial: "0123456789abcdef", Issuer: tokyo.Line.Node(), For: brussels.Line.Node(), Revoked: time.Now().UTC().Truncate(time.Second)}.Encode())
		if refusal != "" {
			t.Error(refusal)
		}
		return errors.Join(err, full)
	}); !errors.Is(err, full) {
		t.Error(err)
	}
	if err := brussels.Vault.ScanRecords(t.Context(), "attestation-accepted", "", func(key string, _ []byte) error {
		t.Errorf("kept %s of an act that failed", key)
		return nil
	}); err != nil {
		t.Error(err)
	}
	// A partner whose line ended is told nothing, and nothing is kept of it.
	if err := tokyo.Line.Suspend(t.Context(), "node", brussels.Line.Node(), "test"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := tokyo.Desk.Attest(t.Context(), officerOf(t, tokyo), "aiko", brussels.Line.Node(), time.Now().AddDate(0, 1, 0)); err == nil {
		t.Error("attested over a line that is not open")
	}
	if given, _, err := tokyo.Desk.Attestations(t.Context()); err != nil || len(given) != 0 {
		t.Errorf("%+v, %v", given, err)
	}
	if after, err := tokyo.Vault.LogSize(t.Context()); err != nil || after != size+1 { // the suspension
		t.Errorf("%d entries, then %d: %v", size, after, err)
	}
}
