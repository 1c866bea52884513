package line

import (
	"context"
	"errors"
	"fmt"
	"regexp"
)

// voucher is what a node signs for another room: whose word it is, by which
// generation of its keys, and the room's own text.
type voucher struct {
	V          int    `json:"v"`
	Node       string `json:"node"`
	Generation int    `json:"generation"`
	Body       []byte `json:"body"`
}

// voucherKind keeps the documents of other rooms apart from the line's own.
var voucherKind = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)

func voucherType(kind string) (string, error) {
	if !voucherKind.MatchString(kind) {
		return "", fmt.Errorf("%q is no kind of document: use small letters and dashes", kind)
	}
	return "application/vnd.causeway.voucher." + kind + ".v1+json", nil
}

// Sign gives a file in which this node vouches for a text of another room, for
// example the clearance of one of its people. kind, small letters and dashes,
// is part of what is signed: a document of one kind never passes as another.
func (l *Line) Sign(kind string, body []byte) ([]byte, error) {
	return l.signWith(l.ring.Current(), kind, body)
}

func (l *Line) signWith(k *Keys, kind string, body []byte) ([]byte, error) {
	typ, err := voucherType(kind)
	if err != nil {
		return nil, err
	}
	doc, err := k.document(typ, mustCanonical(voucher{1, k.Identity.Node, k.Identity.Generation, body}))
	if err != nil {
		return nil, fmt.Errorf("sign a %s: %w", kind, err)
	}
	return mustCanonical(doc), nil
}

// Signed checks a file of [Line.Sign] from a partner whose line is open, and
// gives the partner and the text.
func (l *Line) Signed(ctx context.Context, kind string, file []byte) (Partner, []byte, error) {
	node, body, err := openVoucher(kind, file, func(node string) (*partnerRecord, error) {
		return loadPartner(l.outside(ctx), node)
	})
	if err != nil {
		return Partner{}, nil, fmt.Errorf("read a signed %s: %w", kind, err)
	}
	p, err := l.Partner(ctx, node)
	return p, body, err
}

// openVoucher checks a voucher against the keys of the partner that it names,
// whose line has to be open.
func openVoucher(kind string, file []byte, find func(node string) (*partnerRecord, error)) (node string, body []byte, err error) {
	typ, err := voucherType(kind)
	if err != nil {
		return "", nil, err
	}
	doc, err := parseDocument(file, typ)
	if err != nil {
		return "", nil, err
	}
	var v voucher
	if err := decodeCanonical(doc.Body, maxDocument, &v); err != nil {
		return "", nil, err
	}
	if v.V != 1 || !nodePattern.MatchString(v.Node) {
		return "", nil, errors.New("a field is out of range")
	}
	rec, err := find(v.Node)
	if err != nil {
		return "", nil, err
	}
	if rec.State != Active {
		return "", nil, fmt.Errorf("%s: %w", v.Node, ErrSuspended)
	}
	ids, err := rec.identities()
	if err != nil {
		return "", nil, err
	}
	for _, id := range ids {
		if id.Generation == v.Generation && id.Node == v.Node {
			return v.Node, v.Body, id.verifier.verify(typ, doc.Body, doc.Signatures)
		}
	}
	return "", nil, fmt.Errorf("it is signed with generation %d of the keys of %s, which is not known here", v.Generation, v.Node)
}
