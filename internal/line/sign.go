package line

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strconv"

	"filippo.io/mldsa"
)

// The payload types of the documents that nodes sign. The type is part of
// what is signed, so a receipt can never pass as a statement.
const (
	typeIdentity    = "application/vnd.causeway.line.identity.v1+json"
	typeInvitation  = "application/vnd.causeway.line.invitation.v1+json"
	typeAcceptance  = "application/vnd.causeway.line.acceptance.v1+json"
	typeStatement   = "application/vnd.causeway.line.statement.v1+json"
	typeAttestation = "application/vnd.causeway.line.attestation.v1+json"
	typeReceipt     = "application/vnd.causeway.line.receipt.v1+json"
	typePassage     = "application/vnd.causeway.line.passage.v1+json"
	typeStanding    = "application/vnd.causeway.line.standing.v1+json"
)

// mldsaContext separates the line's ML-DSA signatures from any other use of
// the same key (FIPS 204 section 5.2).
const mldsaContext = "causeway line 1"

// Signatures are the two signatures over one document. Both must verify: the
// first holds if lattices fall, the second if curves do.
type Signatures struct {
	Ed25519 []byte `json:"ed25519"` // 64 bytes, RFC 8032
	MLDSA65 []byte `json:"mldsa65"` // 3,309 bytes, FIPS 204
}

// signaturesSize is the length of both signatures one after the other.
const signaturesSize = ed25519.SignatureSize + mldsa.MLDSA65SignatureSize

// preAuth is the DSSE version 1 pre-authentication encoding: type and lengths
// come first, so neither can be moved into the other.
// https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
func preAuth(payloadType string, payload []byte) []byte {
	b := make([]byte, 0, len(payload)+len(payloadType)+48)
	b = append(b, "DSSEv1 "...)
	b = strconv.AppendInt(b, int64(len(payloadType)), 10)
	b = append(append(append(b, ' '), payloadType...), ' ')
	b = strconv.AppendInt(b, int64(len(payload)), 10)
	return append(append(b, ' '), payload...)
}

// signer is one generation of a node's signing keys.
type signer struct {
	ed ed25519.PrivateKey
	ml *mldsa.PrivateKey
}

func (s signer) sign(payloadType string, payload []byte) (Signatures, error) {
	pae := preAuth(payloadType, payload)
	ml, err := s.ml.Sign(nil, pae, &mldsa.Options{Context: mldsaContext})
	if err != nil {
		return Signatures{}, fmt.Errorf("sign with ML-DSA-65: %w", err)
	}
	return Signatures{Ed25519: ed25519.Sign(s.ed, pae), MLDSA65: ml}, nil
}

// errBadSignature is wrapped by every refusal for a signature; the text never
// says which of the two failed.
var errBadSignature = errors.New("signature does not verify")

// verifier is one generation of a node's public signing keys.
type verifier struct {
	ed ed25519.PublicKey
	ml *mldsa.PublicKey
}

func newVerifier(ed, ml []byte) (verifier, error) {
	if len(ed) != ed25519.PublicKeySize {
		return verifier{}, fmt.Errorf("an Ed25519 key has %d bytes, not %d", ed25519.PublicKeySize, len(ed))
	}
	pk, err := mldsa.NewPublicKey(mldsa.MLDSA65(), ml)
	if err != nil {
		return verifier{}, fmt.Errorf("read the ML-DSA-65 key: %w", err)
	}
	return verifier{ed: ed25519.PublicKey(ed), ml: pk}, nil
}

// verify checks both signatures over the bytes received. The algorithms are
// fixed here, never taken from the message.
func (v verifier) verify(payloadType string, payload []byte, s Signatures) error {
	pae := preAuth(payloadType, payload)
	edOK := len(s.Ed25519) == ed25519.SignatureSize && ed25519.Verify(v.ed, pae, s.Ed25519)
	mlOK := mldsa.Verify(v.ml, pae, s.MLDSA65, &mldsa.Options{Context: mldsaContext}) == nil
	if !edOK || !mlOK {
		return errBadSignature
	}
	return nil
}
