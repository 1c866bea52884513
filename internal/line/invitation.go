package line

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"time"
)

// Document is a signed text in a file or a record: the payload type, the
// exact bytes that were signed, and the signatures.
type Document struct {
	Type       string     `json:"type"`
	Body       []byte     `json:"body"`
	Signatures Signatures `json:"signatures"`
}

// maxDocument is the longest document file: base64 makes a body a third longer.
const maxDocument = 128 << 10

// Invitation is one node's offer to become another's partner. The file that
// holds it is good once and until it expires; whoever has it can answer it,
// which is why both sides compare a code before anything is shared.
type Invitation struct {
	V        int            `json:"v"`
	From     SignedIdentity `json:"from"`
	Address  string         `json:"address,omitempty"` // host:port of the inviting node, absent when it cannot be reached
	Secret   []byte         `json:"secret"`            // 32 bytes; proves that an answer comes from a holder of the file
	Created  int64          `json:"created"`
	Expires  int64          `json:"expires"`
	Versions [2]int         `json:"versions"` // lowest and highest protocol version spoken

	digest   Digest
	identity *Identity
}

// Acceptance answers an invitation.
type Acceptance struct {
	V          int            `json:"v"`
	Invitation Digest         `json:"invitation"` // of the invitation's body
	Proof      []byte         `json:"proof"`      // HMAC-SHA256 under the secret over the answering identity
	From       SignedIdentity `json:"from"`
	Address    string         `json:"address,omitempty"`
	Created    int64          `json:"created"`
	Versions   [2]int         `json:"versions"`

	digest   Digest
	identity *Identity
}

// ErrInvitation is wrapped by every refusal of an invitation or its answer.
var ErrInvitation = errors.New("invitation refused")

func (k *Keys) document(payloadType string, body []byte) (Document, error) {
	sigs, err := k.signer.sign(payloadType, body)
	return Document{Type: payloadType, Body: body, Signatures: sigs}, err
}

// parseDocument reads a document file of the expected type.
func parseDocument(b []byte, payloadType string) (Document, error) {
	var d Document
	if err := decodeCanonical(b, maxDocument, &d); err != nil {
		return d, err
	}
	if d.Type != payloadType {
		return d, fmt.Errorf("document has type %q, not %q", d.Type, payloadType)
	}
	return d, nil
}

// DocumentKind tells what a file handed to "partner accept" is: "invitation",
// "acceptance", or "" for neither.
func DocumentKind(b []byte) string {
	var d Document
	if decodeCanonical(b, maxDocument, &d) != nil {
		return ""
	}
	switch d.Type {
	case typeInvitation:
		return "invitation"
	case typeAcceptance:
		return "acceptance"
	}
	return ""
}

// newInvitation makes the file's text.
func newInvitation(k *Keys, address string, now time.Time, validFor time.Duration) (*Invitation, []byte, error) {
	inv := &Invitation{V: 1, From: k.Signed, Address: address, Secret: randomBytes(32), Created: millis(now),
		Expires: millis(now.Add(validFor)), Versions: [2]int{oldestVersion, newestVersion}}
	body := mustCanonical(inv)
	doc, err := k.document(typeInvitation, body)
	if err != nil {
		return nil, nil, fmt.Errorf("sign the invitation: %w", err)
	}
	inv.digest, inv.identity = sha256.Sum256(body), k.Identity
	return inv, mustCanonical(doc), nil
}

// parseInvitation checks an invitation file for itself.
func parseInvitation(b []byte) (*Invitation, error) {
	doc, err := parseDocument(b, typeInvitation)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvitation, err)
	}
	var inv Invitation
	if err := decodeCanonical(doc.Body, maxDocument, &inv); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvitation, err)
	}
	if inv.V != 1 || len(inv.Secret) != 32 || inv.Expires <= inv.Created {
		return nil, fmt.Errorf("%w: it is not a complete invitation of version 1", ErrInvitation)
	}
	if err := checkAddress(inv.Address); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvitation, err)
	}
	if inv.identity, err = inv.From.Verify(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvitation, err)
	}
	if err := inv.identity.verifier.verify(typeInvitation, doc.Body, doc.Signatures); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvitation, err)
	}
	inv.digest = sha256.Sum256(doc.Body)
	return &inv, nil
}

// current refuses an invitation that has run out.
func (inv *Invitation) current(now time.Time) error {
	if now.After(instant(inv.Expires)) {
		return fmt.Errorf("%w: it expired at %s; ask %s for a new one", ErrInvitation,
			instant(inv.Expires).Format(time.RFC3339), inv.identity.Name)
	}
	return nil
}

// proof binds an answering identity to the secret in the file.
func (inv *Invitation) proof(from SignedIdentity) []byte {
	m := hmac.New(sha256.New, inv.Secret)
	d := from.Digest()
	m.Write([]byte("causeway line accept 1\x00"))
	m.Write(inv.digest[:])
	m.Write(d[:])
	return m.Sum(nil)
}

// accept makes the answer to inv.
func (inv *Invitation) accept(k *Keys, address string, now time.Time) (*Acceptance, []byte, error) {
	acc := &Acceptance{V: 1, Invitation: inv.digest, Proof: inv.proof(k.Signed), From: k.Signed, Address: address,
		Created: millis(now), Versions: [2]int{oldestVersion, newestVersion}}
	body := mustCanonical(acc)
	doc, err := k.document(typeAcceptance, body)
	if err != nil {
		return nil, nil, fmt.Errorf("sign the acceptance: %w", err)
	}
	acc.digest, acc.identity = sha256.Sum256(body), k.Identity
	return acc, mustCanonical(doc), nil
}

// parseAcceptance checks an answer for itself; matches checks that it answers
// one invitation.
func parseAcceptance(b []byte) (*Acceptance, error) {
	doc, err := parseDocument(b, typeAcceptance)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvitation, err)
	}
	var acc Acceptance
	if err := decodeCanonical(doc.Body, maxDocument, &acc); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvitation, err)
	}
	if acc.V != 1 {
		return nil, fmt.Errorf("%w: its answer is not of version 1", ErrInvitation)
	}
	if err := checkAddress(acc.Address); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvitation, err)
	}
	if acc.identity, err = acc.From.Verify(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvitation, err)
	}
	if err := acc.identity.verifier.verify(typeAcceptance, doc.Body, doc.Signatures); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvitation, err)
	}
	acc.digest = sha256.Sum256(doc.Body)
	return &acc, nil
}

func (acc *Acceptance) matches(inv *Invitation) error {
	if acc.Invitation != inv.digest || !hmac.Equal(acc.Proof, inv.proof(acc.From)) {
		return fmt.Errorf("%w: the answer does not belong to it", ErrInvitation)
	}
	return nil
}

// comparisonCode is what the two operators read to each other: 24 decimal
// digits (79 bits, beyond what anybody can search while they talk) of a hash
// over both signed texts. It is equal on both sides exactly when each holds
// the keys that the other sent.
func comparisonCode(invitation, acceptance Digest) string {
	h := sha256.New()
	h.Write([]byte("causeway line comparison code 1\x00"))
	h.Write(invitation[:])
	h.Write(acceptance[:])
	n := new(big.Int).SetBytes(h.Sum(nil))
	n.Mod(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(24), nil))
	digits := fmt.Sprintf("%024d", n)
	groups := make([]string, 0, 6)
	for i := 0; i < len(digits); i += 4 {
		groups = append(groups, digits[i:i+4])
	}
	return strings.Join(groups, " ")
}

// sameCode compares two codes as people type them: digits only.
func sameCode(a, b string) bool {
	digits := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, s)
	}
	return len(digits(a)) == 24 && hmac.Equal([]byte(digits(a)), []byte(digits(b)))
}

// checkAddress accepts host:port, or nothing for a node that only connects out.
func checkAddress(a string) error {
	if a == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(a)
	if err != nil || host == "" || port == "" || len(a) > 300 {
		return fmt.Errorf("address %q is not host:port", a)
	}
	return nil
}
