package registry

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
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
	V          int              `json:"v"`
	Serial     string           `json:"serial"` // 16 hexadecimal digits
	Issuer     string           `json:"issuer"` // node
	For        string           `json:"for"`    // partner node
	Pseudonym  string           `json:"pseudonym"`
	Nation     string           `json:"nation"`
	Clearances []string         `json:"clearances"` // STANAG 4774, XML
	Basis      []string         `json:"basis"`      // of each clearance, the law or agreement
	Briefings  []label.Briefing `json:"briefings,omitempty"`
	Issued     time.Time        `json:"issued"`
	NotAfter   time.Time        `json:"not_after"`
}

// Revocation is the node's word that an attestation no longer holds.
type Revocation struct {
	V       int       `json:"v"`
	Serial  string    `json:"serial"`
	Issuer  string    `json:"issuer"`
	For     string    `json:"for"`
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

// Cleared is a clearance in good standing, as far as an attestation speaks of it.
type Cleared struct {
	XML, Basis string
	Briefings  []label.Briefing
	NotAfter   time.Time
}

// Cleared gives what may be attested of a clearance; the error says why it is
// nothing.
func (s Standing) Cleared() (Cleared, error) {
	if !s.InForce {
		return Cleared{}, fmt.Errorf("attest: the clearance is not in force: %s", s.Why)
	}
	return Cleared{XML: s.Grant.XML, Basis: s.Grant.Basis, Briefings: s.Briefings, NotAfter: s.Grant.NotAfter}, nil
}

// Attest says of the person a is about what they are cleared for. It lasts no
// longer than the first of the clearances, and than a asks for.
func Attest(a Attestation, held ...Cleared) (Attestation, error) {
	a.V = 1
	for _, c := range held {
		a.Clearances, a.Basis = append(a.Clearances, c.XML), append(a.Basis, c.Basis)
		if c.NotAfter.Before(a.NotAfter) {
			a.NotAfter = c.NotAfter
		}
		for _, b := range c.Briefings {
			if (b.Until.IsZero() || a.Issued.Before(b.Until)) && !slices.Contains(a.Briefings, b) {
				a.Briefings = append(a.Briefings, b)
			}
		}
	}
	a.Issued, a.NotAfter = a.Issued.UTC().Truncate(time.Second), a.NotAfter.UTC().Truncate(time.Second)
	return a, a.check()
}

// maxCleared bounds the clearances of one attestation.
const maxCleared = 16

var (
	serialForm    = regexp.MustCompile(`^[0-9a-f]{16}$`)
	pseudonymForm = regexp.MustCompile(`^p-[a-z2-7]{24}$`)
)

func (a Attestation) check() error {
	switch {
	case a.V != 1 || !serialForm.MatchString(a.Serial) || a.Issuer == "" || a.For == "" || !pseudonymForm.MatchString(a.Pseudonym) || a.Issuer == a.For:
		return errors.New("attestation: version, serial, issuer, recipient and pseudonym are needed")
	case !label.IsNation(a.Nation):
		return fmt.Errorf("attestation: the nation %q is not a three-letter code", a.Nation)
	case len(a.Clearances) == 0 || len(a.Clearances) > maxCleared || len(a.Basis) != len(a.Clearances):
		return fmt.Errorf("attestation: it has to speak of 1 to %d clearances, each with its legal basis", maxCleared)
	case a.Issued.IsZero() || !a.Issued.Before(a.NotAfter) || a.NotAfter.Sub(a.Issued) > MaxAttestation:
		return fmt.Errorf("attestation: it has to end after it begins, within %d days", int(MaxAttestation.Hours())/24)
	}
	for _, xml := range a.Clearances {
		if _, err := stanag4774.ParseClearance([]byte(xml)); err != nil {
			return fmt.Errorf("attestation: %w", err)
		}
	}
	return nil
}

func (r Revocation) check() error {
	if r.V != 1 || !serialForm.MatchString(r.Serial) || r.Issuer == "" || r.For == "" || r.Issuer == r.For || r.Revoked.IsZero() {
		return errors.New("revocation: version, serial, issuer, recipient and time are needed")
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

// Encode writes the bytes that are signed.
func (r Revocation) Encode() []byte {
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and times of four-digit years always encode
	}
	return b
}

// DecodeWord reads the bytes that were signed, and nothing else: an attestation,
// or a revocation of one. Exactly one of the two is given.
func DecodeWord(b []byte) (*Attestation, *Revocation, error) {
	var a Attestation
	if err := json.Unmarshal(b, &a); err != nil {
		return nil, nil, fmt.Errorf("read attestation: %w", err)
	}
	if bytes.Equal(a.Encode(), b) {
		return &a, nil, a.check()
	}
	var r Revocation
	if err := json.Unmarshal(b, &r); err != nil || !bytes.Equal(r.Encode(), b) {
		return nil, nil, errors.New("read attestation: it is not in the form in which attestations and their revocations are written")
	}
	return nil, &r, r.check()
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
	h := issuer
	h.Kind, h.Names, h.At = label.Person, []string{a.Issuer + "/" + a.Pseudonym}, at
	h.Briefings, h.Clearances = a.Briefings, nil
	for _, xml := range a.Clearances {
		c, err := stanag4774.ParseClearance([]byte(xml))
		if err != nil {
			return wrong("%v", err)
		}
		// A clearance of the issuer in another policy is the node's, not the person's.
		if i := slices.IndexFunc(issuer.Clearances, func(x *label.Clearance) bool { return x.PolicyOID == c.PolicyOID }); i >= 0 {
			h.Clearances = append(h.Clearances, c, issuer.Clearances[i])
		}
	}
	if len(h.Clearances) == 0 {
		return wrong("its issuer has no clearance of that policy")
	}
	if h.NotAfter.IsZero() || a.NotAfter.Before(h.NotAfter) {
		h.NotAfter = a.NotAfter
	}
	return h, nil
}
