package line

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Detached is the file of a signature that stands beside what it is about: who
// signed, with the public keys, so that it can be checked anywhere, and the
// signed document. That the keys are the node's is another question, see
// [Line.Confirmed] and [Identity.Fingerprint].
type Detached struct {
	V        int            `json:"v"`
	Signer   SignedIdentity `json:"signer"`
	Document Document       `json:"document"`
}

// SignDetached is [Line.Sign] for readers who know nothing of this node.
func (l *Line) SignDetached(kind string, body []byte) ([]byte, error) {
	typ, err := voucherType(kind)
	if err != nil {
		return nil, err
	}
	k := l.ring.Current()
	doc, err := k.document(typ, mustCanonical(voucher{1, k.Identity.Node, k.Identity.Generation, body}))
	if err != nil {
		return nil, fmt.Errorf("sign a %s: %w", kind, err)
	}
	return mustCanonical(Detached{V: 1, Signer: k.Signed, Document: doc}), nil
}

// OpenDetached checks both signatures of a file of [Line.SignDetached] with the
// keys it comes with, and gives their node and the text. The kind and the
// algorithms are fixed by the caller, never by the file.
func OpenDetached(kind string, file []byte) (*Identity, []byte, error) {
	typ, err := voucherType(kind)
	if err != nil {
		return nil, nil, err
	}
	wrong := func(err error) (*Identity, []byte, error) {
		return nil, nil, fmt.Errorf("read a signed %s: %w", kind, err)
	}
	var d Detached
	if err := decodeCanonical(file, maxDocument, &d); err != nil {
		return wrong(err)
	}
	if d.V != 1 || d.Document.Type != typ {
		return wrong(fmt.Errorf("it is of the type %q, not %q", d.Document.Type, typ))
	}
	id, err := d.Signer.Verify()
	if err != nil {
		return wrong(err)
	}
	if err := id.verifier.verify(typ, d.Document.Body, d.Document.Signatures); err != nil {
		return wrong(err)
	}
	var v voucher
	if err := decodeCanonical(d.Document.Body, maxDocument, &v); err != nil {
		return wrong(err)
	}
	if v.V != 1 || v.Node != id.Node || v.Generation != id.Generation {
		return wrong(errors.New("it names another signer than the keys it comes with"))
	}
	return id, v.Body, nil
}

// Fingerprint names the signing keys of this generation: the node's name, which
// follows from its first keys, for those; for later ones a digest of the keys.
func (id *Identity) Fingerprint() string {
	if id.Generation == 1 {
		return id.Node
	}
	return nodeID(id.Nation, id.Ed25519, id.MLDSA65, id.HPKE)
}

// Confirmed says whether these are keys of this node, or of a partner as people
// compared them.
func (l *Line) Confirmed(ctx context.Context, id *Identity) (bool, error) {
	same := func(k *Identity) bool {
		return k.Node == id.Node && k.Generation == id.Generation && slices.Equal(k.Ed25519, id.Ed25519) && slices.Equal(k.MLDSA65, id.MLDSA65)
	}
	for _, k := range l.ring.all() {
		if same(k.Identity) {
			return true, nil
		}
	}
	p, err := loadPartner(l.outside(ctx), id.Node)
	if errors.Is(err, ErrNoPartner) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	ids, err := p.identities()
	if err != nil || p.State == Comparing {
		return false, err
	}
	return slices.ContainsFunc(ids, same), nil
}

// BodyOf gives the text of a document of [Line.Sign], which somebody checked
// before, without checking it again.
func BodyOf(kind string, file []byte) ([]byte, error) {
	typ, err := voucherType(kind)
	if err != nil {
		return nil, err
	}
	doc, err := parseDocument(file, typ)
	if err != nil {
		return nil, err
	}
	var v voucher
	err = decodeCanonical(doc.Body, maxDocument, &v)
	return v.Body, err
}
