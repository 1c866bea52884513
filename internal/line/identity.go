package line

import (
	"crypto/hpke"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Identity is what one node tells others about itself: who it is and the
// public keys of one generation. It never changes; a rotation makes the next
// generation, signed by the keys of the one before.
type Identity struct {
	V          int      `json:"v"`
	Node       string   `json:"node"`       // stable through every rotation: nation, dash, 16 base32 characters
	Nation     string   `json:"nation"`     // three capital letters, as the label policy writes it
	Name       string   `json:"name"`       // for people; decides nothing
	Generation int      `json:"generation"` // 1, 2, 3 ...
	Issued     int64    `json:"issued"`     // milliseconds since 1970
	Ed25519    []byte   `json:"ed25519"`    // 32 bytes
	MLDSA65    []byte   `json:"mldsa65"`    // 1,952 bytes
	HPKE       []byte   `json:"hpke"`       // ML-KEM-768+X25519 public key, 1,216 bytes
	TLS        Digest   `json:"tls"`        // SHA-256 of the transport key's SubjectPublicKeyInfo
	SpeaksFor  []string `json:"speaks_for,omitempty"`
	LogKey     string   `json:"log_key,omitempty"` // verifier key of the audit log's checkpoints (C2SP signed-note)

	verifier verifier       // set by every constructor
	seal     hpke.PublicKey // set by every constructor
}

// SignedIdentity is an identity with its node's signatures. Body is the exact
// text that was signed; it is kept and passed on as it came.
type SignedIdentity struct {
	Body       []byte      `json:"body"`
	Signatures Signatures  `json:"signatures"`
	Previous   *Signatures `json:"previous,omitempty"` // by the keys of the generation before
}

const (
	maxIdentity  = 16 << 10 // bytes of an identity's body
	maxSpeaksFor = 64       // STIX identities one node may speak for
	maxName      = 200      // bytes
)

var (
	nodePattern    = regexp.MustCompile(`^[a-z]{3}-[a-z2-7]{16}$`)
	nationPattern  = regexp.MustCompile(`^[A-Z]{3}$`)
	stixIDPattern  = regexp.MustCompile(`^[a-z][a-z0-9-]{1,248}--[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	nodeIDEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)
)

// nodeID derives the stable name of a node from the keys of its first
// generation: 80 bits, so that nobody can make keys that take another's name.
func nodeID(nation string, ed, ml, seal []byte) string {
	h := sha256.New()
	for _, k := range [][]byte{ed, ml, seal} {
		h.Write(k)
	}
	return strings.ToLower(nation + "-" + nodeIDEncoding.EncodeToString(h.Sum(nil)[:10]))
}

// parseIdentity reads and checks a body. It does not check signatures.
func parseIdentity(body []byte) (*Identity, error) {
	var id Identity
	if err := decodeCanonical(body, maxIdentity, &id); err != nil {
		return nil, fmt.Errorf("read a node's identity: %w", err)
	}
	if err := id.complete(); err != nil {
		return nil, fmt.Errorf("read a node's identity: %w", err)
	}
	return &id, nil
}

// complete checks every field and prepares the keys for use.
func (id *Identity) complete() error {
	switch {
	case id.V != 1:
		return fmt.Errorf("version %d of the identity format is not known here; this node reads version 1", id.V)
	case !nationPattern.MatchString(id.Nation):
		return fmt.Errorf("nation %q is not three capital letters", id.Nation)
	case !nodePattern.MatchString(id.Node) || !strings.EqualFold(id.Node[:3], id.Nation):
		return fmt.Errorf("node name %q does not have the form nation-16 characters", id.Node)
	case id.Generation < 1:
		return fmt.Errorf("generation %d is not positive", id.Generation)
	case len(id.SpeaksFor) > maxSpeaksFor:
		return fmt.Errorf("speaks for %d identities; the limit is %d", len(id.SpeaksFor), maxSpeaksFor)
	}
	if err := checkName(id.Name); err != nil {
		return err
	}
	for _, s := range id.SpeaksFor {
		if !strings.HasPrefix(s, "identity--") || !stixIDPattern.MatchString(s) {
			return fmt.Errorf("speaks_for %q is not a STIX identity id", s)
		}
	}
	var err error
	if id.verifier, err = newVerifier(id.Ed25519, id.MLDSA65); err != nil {
		return err
	}
	if id.seal, err = sealKEM().NewPublicKey(id.HPKE); err != nil {
		return fmt.Errorf("read the HPKE key: %w", err)
	}
	if id.Generation == 1 && id.Node != nodeID(id.Nation, id.Ed25519, id.MLDSA65, id.HPKE) {
		return errors.New("the node's name does not follow from its first keys")
	}
	return nil
}

// checkName refuses names that could deceive the eye: control and format
// characters (among them the ones that turn the direction of writing).
func checkName(s string) error {
	if s == "" || len(s) > maxName || !utf8.ValidString(s) {
		return fmt.Errorf("a name has 1 to %d bytes of UTF-8", maxName)
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("a name may not hold the character %U", r)
		}
	}
	return nil
}

// Verify checks a signed identity for itself: form, keys, and that the node
// holds both private keys. Whether to trust it is decided by the comparison
// code, or by Succeeds.
func (s *SignedIdentity) Verify() (*Identity, error) {
	id, err := parseIdentity(s.Body)
	if err != nil {
		return nil, err
	}
	if err := id.verifier.verify(typeIdentity, s.Body, s.Signatures); err != nil {
		return nil, fmt.Errorf("check the identity of %s: %w", id.Node, err)
	}
	return id, nil
}

// Succeeds checks that s is the generation after old: the same node and
// nation, the next number, and signed by old's keys as well as its own.
func (s *SignedIdentity) Succeeds(old *Identity) (*Identity, error) {
	id, err := s.Verify()
	if err != nil {
		return nil, err
	}
	switch {
	case id.Node != old.Node || id.Nation != old.Nation:
		return nil, fmt.Errorf("identity of %s cannot follow one of %s", id.Node, old.Node)
	case id.Generation != old.Generation+1:
		return nil, fmt.Errorf("generation %d of %s cannot follow generation %d", id.Generation, id.Node, old.Generation)
	case s.Previous == nil:
		return nil, fmt.Errorf("generation %d of %s is not signed by generation %d", id.Generation, id.Node, old.Generation)
	}
	if err := old.verifier.verify(typeIdentity, s.Body, *s.Previous); err != nil {
		return nil, fmt.Errorf("check the succession of %s: %w", id.Node, err)
	}
	return id, nil
}

// Digest names this generation of the node: SHA-256 of the signed body.
func (s *SignedIdentity) Digest() Digest { return sha256.Sum256(s.Body) }

// IssuedAt is when this generation was made, by the node's own clock.
func (id *Identity) IssuedAt() time.Time { return instant(id.Issued) }
