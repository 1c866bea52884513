package line

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// Results of a message. Every message ends in one of them.
const (
	Delivered = "delivered" // stored, durable, in the receiver's log
	Refused   = "refused"   // nothing of it was stored; Reason says why
	Expired   = "expired"   // it arrived too late, or never left
)

// Receipt is a receiver's signed word on one message. It is made inside the
// transaction that stored the message and its audit entry, so a receipt never
// exists without them.
type Receipt struct {
	V          int        `json:"v"`
	From       string     `json:"from"`       // the receiver of the message
	Generation int        `json:"generation"` // of the keys that sign
	To         string     `json:"to"`         // the sender of the message
	Statement  Digest     `json:"statement"`
	Precedence Precedence `json:"precedence"`
	Stream     string     `json:"stream"`
	Seq        int64      `json:"seq"`
	Result     string     `json:"result"`
	Reason     string     `json:"reason,omitempty"` // safe for the sender to see
	Held       int        `json:"held"`             // versions of the message the receiver now holds
	Removed    int        `json:"removed,omitempty"`
	Refusals   []Refusal  `json:"refusals,omitempty"` // objects that were not accepted, the first 100
	Refused    int        `json:"refused,omitempty"`  // how many there were
	Time       int64      `json:"time"`
	Log        *LogState  `json:"log,omitempty"`       // the receiver's audit log
	Witnessed  *Witnessed `json:"witnessed,omitempty"` // the sender's log as the receiver now vouches for it
}

// Refusal is one object that the receiver did not accept. Code and Reason
// never depend on what else the receiver holds.
type Refusal struct {
	ID      string `json:"id"`
	Version string `json:"version,omitempty"`
	Code    string `json:"code"`
	Reason  string `json:"reason"`
}

const (
	maxRefusals = 100
	maxReason   = 500
	maxReceipt  = 512 << 10
)

// SignedReceipt is a receipt with the receiver's signatures; Body is what was
// signed and is kept as it came.
type SignedReceipt = Document

// signReceipt completes and signs a receipt.
func signReceipt(k *Keys, rc *Receipt) (SignedReceipt, error) {
	rc.V, rc.From, rc.Generation = 1, k.Identity.Node, k.Identity.Generation
	rc.Reason = clip(rc.Reason)
	for i := range rc.Refusals {
		rc.Refusals[i].Reason = clip(rc.Refusals[i].Reason)
	}
	if len(rc.Refusals) > maxRefusals {
		rc.Refusals = rc.Refusals[:maxRefusals]
	}
	doc, err := k.document(typeReceipt, mustCanonical(rc))
	if err != nil {
		return doc, fmt.Errorf("sign a receipt: %w", err)
	}
	return doc, nil
}

// clip shortens a reason to the protocol's limit without cutting a character.
func clip(s string) string {
	if len(s) <= maxReason {
		return s
	}
	s = s[:maxReason]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s
}

// openReceipt checks a receipt against the partner that should have made it
// and the statement it should be for.
func openReceipt(doc SignedReceipt, from *Identity, statement Digest) (*Receipt, error) {
	if doc.Type != typeReceipt {
		return nil, fmt.Errorf("check a receipt: type %q is not a receipt's", doc.Type)
	}
	if err := from.verifier.verify(typeReceipt, doc.Body, doc.Signatures); err != nil {
		return nil, fmt.Errorf("check a receipt of %s: %w", from.Node, err)
	}
	rc, err := parseReceipt(doc.Body)
	if err != nil {
		return nil, fmt.Errorf("check a receipt of %s: %w", from.Node, err)
	}
	if rc.From != from.Node || rc.Generation != from.Generation {
		return nil, fmt.Errorf("check a receipt of %s: it names another node or generation", from.Node)
	}
	if rc.Statement != statement {
		return nil, fmt.Errorf("check a receipt of %s: it is for another message", from.Node)
	}
	return rc, nil
}

func parseReceipt(body []byte) (*Receipt, error) {
	var rc Receipt
	if err := decodeCanonical(body, maxReceipt, &rc); err != nil {
		return nil, err
	}
	switch {
	case rc.V != 1:
		return nil, fmt.Errorf("version %d is not spoken here", rc.V)
	case rc.Result != Delivered && rc.Result != Refused && rc.Result != Expired:
		return nil, fmt.Errorf("result %q is not known", rc.Result)
	case rc.Result != Delivered && (rc.Held != 0 || rc.Removed != 0):
		return nil, errors.New("nothing can be held of a message that was not delivered")
	case rc.Held < 0 || rc.Removed < 0 || rc.Refused < len(rc.Refusals) || len(rc.Refusals) > maxRefusals:
		return nil, errors.New("its counts contradict each other")
	case rc.Seq < 1 || !streamPattern.MatchString(rc.Stream):
		return nil, errors.New("place in the stream is not possible")
	}
	return &rc, nil
}

// At is when the receiver says it made the receipt.
func (rc *Receipt) At() time.Time { return instant(rc.Time) }

// Digest names the receipt.
func (d Document) Digest() Digest { return sha256.Sum256(d.Body) }
