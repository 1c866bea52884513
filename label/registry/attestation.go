package registry

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"causeway/label"
	"causeway/label/stanag4774"
)

// Attestation is one node's word about one of its people, under a pseudonym: a
// partner can grant access by it without being shown the registry. The node
// signs the bytes of Encode.
type Attestation struct {
	V         int              `json:"v"`
	Serial    string           `json:"serial"`
	Issuer    string           `json:"issuer"` // node
	For       string           `json:"for"`    // partner node
	Pseudonym string           `json:"pseudonym"`
	Nation    string           `json:"nation"`
	XML       string           `json:"xml"` // clearance, STANAG 4774
	Basis     string           `json:"basis"`
	Briefings []label.Briefing `json:"briefings,omitempty"`
	Issued    time.Time        `json:"issued"`
	NotAfter  time.Time        `json:"not_after"`
}

// Revocation is the node's word that an attestation no longer holds.
type Revocation struct {
	V       int       `json:"v"`
	Serial  string    `json:"serial"`
	Issuer  string    `json:"issuer"`
	Revoked time.Time `json:"revoked"`
}

// MaxAttestation is the longest an attestation may last: it is renewed, not
// trusted for years.
const MaxAttestation = 366 * 24 * time.Hour

// Pseudonym names a person to one partner: always the same name, which the
// partner can neither turn back nor compare with another partner's. key is the
// node's secret, at least 32 bytes.
func Pseudonym(key []byte, partner, person string) (string, error) {
	if len(key) < 32 || partner == "" || person == "" {
		return "", errors.New("make pseudonym: it needs a key of 32 bytes, a partner and a person")
	}
	m := hmac.New(sha256.New, key)
	fmt.Fprintf(m, "causeway pseudonym 1\x00%d:%s%s", len(partner), partner, person)
	return "p-" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(m.Sum(nil)[:15])), nil
}

// Attest makes the attestation of a clearance in good standing. It lasts no
// longer than the clearance and than asked.
func Attest(s Standing, serial, issuer, partner, pseudonym string, at, until time.Time) (Attestation, error) {
	if !s.InForce {
		return Attestation{}, fmt.Errorf("attest: the clearance is not in force: %s", s.Why)
	}
	if s.Grant.NotAfter.Before(until) {
		until = s.Grant.NotAfter
	}
	a := Attestation{V: 1, Serial: serial, Issuer: issuer, For: partner, Pseudonym: pseudonym, Nation: s.Grant.Nation,
		XML: s.Grant.XML, Basis: s.Grant.Basis, Issued: at, NotAfter: until}
	for _, b := range s.Briefings {
		if b.Until.IsZero() || at.Before(b.Until) {
			a.Briefings = append(a.Briefings, b)
		}
	}
	return a, a.check()
}

func (a Attestation) check() error {
	switch {
	case a.V != 1 || a.Serial == "" || a.Issuer == "" || a.For == "" || a.Pseudonym == "" || a.Issuer == a.For:
		return errors.New("attestation: version, serial, issuer, recipient and pseudonym are needed")
	case !label.IsNation(a.Nation):
		return fmt.Errorf("attestation: the nation %q is not a three-letter code", a.Nation)
	case a.Issued.IsZero() || !a.Issued.Before(a.NotAfter) || a.NotAfter.Sub(a.Issued) > MaxAttestation:
		return fmt.Errorf("attestation: it has to end after it begins, within %v", MaxAttestation)
	}
	return nil
}

// Encode writes the bytes that are signed.
func (a Attestation) Encode() []byte {
	b, err := json.Marshal(a)
	if err != nil {
		panic(err) // strings and times of four-digit years always encode
	}
	return b
}

// DecodeAttestation reads the bytes that were signed, and nothing else.
func DecodeAttestation(b []byte) (Attestation, error) {
	var a Attestation
	if err := json.Unmarshal(b, &a); err != nil {
		return a, fmt.Errorf("read attestation: %w", err)
	}
	if string(a.Encode()) != string(b) {
		return Attestation{}, errors.New("read attestation: it is not in the form in which attestations are written")
	}
	return a, a.check()
}

// Accept gives the holder that a partner's attestation makes here: what the
// attestation says and what the issuer itself is cleared for, whichever is
// less, since a node cannot hand on more than it has. The caller has checked
// the signature; here and by are the ids of this node and of the signer.
func Accept(a Attestation, revoked []Revocation, issuer label.Holder, here, by string, at time.Time) (label.Holder, error) {
	wrong := func(format string, args ...any) (label.Holder, error) {
		return label.Holder{}, fmt.Errorf("accept attestation %s: %s", a.Serial, fmt.Sprintf(format, args...))
	}
	if err := a.check(); err != nil {
		return wrong("%v", err)
	}
	switch {
	case a.For != here:
		return wrong("it is for %s", a.For)
	case a.Issuer != by:
		return wrong("%s signed what %s has to say", by, a.Issuer)
	case a.Nation != issuer.Nation:
		return wrong("a node of %s speaks for a person of %s", issuer.Nation, a.Nation)
	case at.Before(a.Issued) || !at.Before(a.NotAfter):
		return wrong("it is not in force")
	case slices.ContainsFunc(revoked, func(r Revocation) bool { return r.Serial == a.Serial && r.Issuer == a.Issuer && !at.Before(r.Revoked) }):
		return wrong("it is revoked")
	}
	c, err := stanag4774.ParseClearance([]byte(a.XML))
	if err != nil {
		return wrong("%v", err)
	}
	h := issuer
	h.Kind, h.Names, h.At = label.Person, []string{a.Issuer + "/" + a.Pseudonym}, at
	h.Briefings = a.Briefings
	h.Clearances = append(slices.Clone(issuer.Clearances), c)
	if !slices.ContainsFunc(issuer.Clearances, func(x *label.Clearance) bool { return x.PolicyOID == c.PolicyOID }) {
		return wrong("its issuer has no clearance of that policy")
	}
	// A clearance of the issuer in another policy is the node's, not the person's.
	h.Clearances = slices.DeleteFunc(h.Clearances, func(x *label.Clearance) bool { return x.PolicyOID != c.PolicyOID })
	if h.NotAfter.IsZero() || a.NotAfter.Before(h.NotAfter) {
		h.NotAfter = a.NotAfter
	}
	return h, nil
}
