package line

import (
	"crypto/hpke"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Where a message that relays carry stands, by the word of whoever had it
// last.
const (
	PassageWaiting = "waiting" // at the node that says so
	PassagePassed  = "passed"  // to the next relay, whose word follows
	PassageArrived = "arrived" // only the destination says so; its reply is there
	PassageExpired = "expired" // it was held until it expired, and dropped
)

// Passage is a node's signed word on one message that it carries for others:
// a relay's, or at the end the destination's. It says nothing of what the
// message holds, and ends nothing: only the destination's receipt does.
type Passage struct {
	V           int        `json:"v"`
	From        string     `json:"from"`       // who says so
	Generation  int        `json:"generation"` // of the keys that sign
	To          string     `json:"to"`         // who handed the message over
	Statement   Digest     `json:"statement"`
	Origin      string     `json:"origin"`      // who sent the message
	Destination string     `json:"destination"` // whom it is sealed to
	Precedence  Precedence `json:"precedence"`
	Stream      string     `json:"stream"`
	Seq         int64      `json:"seq"`
	State       string     `json:"state"`
	Next        string     `json:"next,omitempty"`   // State passed: who has it now
	Reason      string     `json:"reason,omitempty"` // State waiting: why
	Since       int64      `json:"since"`            // when it came here
	Time        int64      `json:"time"`             // of these words
}

const maxPassage = 4 << 10

// passageOf begins the words on a message.
func passageOf(h *Header, state string) *Passage {
	return &Passage{V: 1, Statement: h.Statement, Origin: h.From, Destination: h.To, Precedence: h.Precedence, Stream: h.Stream, Seq: h.Seq, State: state}
}

func (w *Passage) sign(k *Keys, to string) (Document, error) {
	w.From, w.Generation, w.To, w.Reason = k.Identity.Node, k.Identity.Generation, to, clip(w.Reason)
	return k.document(typePassage, mustCanonical(w))
}

// parsePassage reads words without checking who signed them.
func parsePassage(doc Document) (*Passage, error) {
	if doc.Type != typePassage {
		return nil, fmt.Errorf("read a relay's word: type %q is not one", doc.Type)
	}
	var w Passage
	if err := decodeCanonical(doc.Body, maxPassage, &w); err != nil {
		return nil, fmt.Errorf("read a relay's word: %w", err)
	}
	switch {
	case w.V != 1:
		return nil, fmt.Errorf("read a relay's word: version %d is not spoken here", w.V)
	case !nodePattern.MatchString(w.From) || !nodePattern.MatchString(w.To) || !nodePattern.MatchString(w.Origin) || !nodePattern.MatchString(w.Destination):
		return nil, errors.New("read a relay's word: it names something that is not a node")
	case w.State != PassageWaiting && w.State != PassagePassed && w.State != PassageArrived && w.State != PassageExpired:
		return nil, fmt.Errorf("read a relay's word: state %q is not known", w.State)
	case (w.State == PassagePassed) != nodePattern.MatchString(w.Next):
		return nil, errors.New("read a relay's word: who has the message next does not fit its state")
	case (w.State == PassageArrived) != (w.From == w.Destination):
		return nil, errors.New("read a relay's word: only the destination says that a message arrived")
	}
	return &w, nil
}

// openPassage checks words against the node that should have said them.
func openPassage(doc Document, ids []*Identity, to string, statement Digest) (*Passage, error) {
	w, err := parsePassage(doc)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if id.Node == w.From && id.Generation == w.Generation {
			if err := id.verifier.verify(typePassage, doc.Body, doc.Signatures); err != nil {
				return nil, fmt.Errorf("check the word of %s: %w", w.From, err)
			}
			if w.To != to || w.Statement != statement {
				return nil, fmt.Errorf("check the word of %s: it is for another node or another message", w.From)
			}
			return w, nil
		}
	}
	return nil, fmt.Errorf("check the word of %s: its keys are not known here, or it is not who should say this", w.From)
}

// Standing is a receiver's signed word on how far it came in one lane, given
// where a message does not fit: the sender compares it with what it remembers.
type Standing struct {
	V          int        `json:"v"`
	From       string     `json:"from"`
	Generation int        `json:"generation"`
	To         string     `json:"to"`
	Precedence Precedence `json:"precedence"`
	Stream     string     `json:"stream,omitempty"`
	Seq        int64      `json:"seq"`
	Head       Digest     `json:"head"`
	Time       int64      `json:"time"`
}

// parseStanding reads and checks a standing of a known node.
func parseStanding(doc Document, ids []*Identity, to string) (*Standing, error) {
	var s Standing
	if err := decodeCanonical(doc.Body, maxPassage, &s); err != nil {
		return nil, fmt.Errorf("read how far a node came: %w", err)
	}
	for _, id := range ids {
		if id.Node == s.From && id.Generation == s.Generation && id.verifier.verify(typeStanding, doc.Body, doc.Signatures) == nil {
			if s.V != 1 || s.To != to || s.Seq < 0 || s.Stream != "" && !streamPattern.MatchString(s.Stream) {
				return nil, errors.New("read how far a node came: a field is out of range")
			}
			return &s, nil
		}
	}
	return nil, fmt.Errorf("read how far %s came: %w", s.From, errBadSignature)
}

// Reply is what the destination of a relayed message answers: its receipt, or
// its standing, sealed to the sender, so that relays do not learn from it.
type Reply struct {
	V            int    `json:"v"`
	Statement    Digest `json:"statement"` // of the message it answers
	ToGeneration int    `json:"to_generation"`
	Sealed       []byte `json:"sealed"` // encapsulated key and ciphertext
}

const maxReply = 2 * maxReceipt

func replyInfo(statement Digest) []byte {
	return append([]byte(magic+"reply\x00"), statement[:]...)
}

// sealReply seals a signed document to the sender of a message.
func sealReply(to *Identity, statement Digest, doc Document) (*Reply, error) {
	enc, sender, err := hpke.NewSender(to.seal, sealKDF(), sealAEAD(), replyInfo(statement))
	if err != nil {
		return nil, fmt.Errorf("seal a reply: %w", err)
	}
	text := mustCanonical(doc)
	plain := append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...)
	plain = append(plain, make([]byte, padme(len(plain))-len(plain))...)
	ct, err := sender.Seal(nil, plain)
	if err != nil {
		return nil, fmt.Errorf("seal a reply: %w", err)
	}
	return &Reply{V: 1, Statement: statement, ToGeneration: to.Generation, Sealed: append(enc, ct...)}, nil
}

// openReply opens a reply to a message of this node. Whose word it is says
// the document inside.
func openReply(r *Ring, re *Reply, statement Digest) (Document, error) {
	var doc Document
	k := r.generation(re.ToGeneration)
	if re.V != 1 || re.Statement != statement || k == nil || len(re.Sealed) < encSize+tagSize || len(re.Sealed) > maxReply {
		return doc, fmt.Errorf("open a reply: %w", errSealed)
	}
	rcpt, err := hpke.NewRecipient(re.Sealed[:encSize], k.seal, sealKDF(), sealAEAD(), replyInfo(statement))
	if err != nil {
		return doc, fmt.Errorf("open a reply: %w", errSealed)
	}
	plain, err := rcpt.Open(nil, re.Sealed[encSize:])
	if err != nil {
		return doc, fmt.Errorf("open a reply: %w", errSealed)
	}
	text, _, err := cutField(plain, maxReply)
	if err != nil {
		return doc, fmt.Errorf("open a reply: %w", errSealed)
	}
	return doc, decodeCanonical(text, maxReply, &doc)
}

// at is when the words were said, by the clock of who said them.
func (w *Passage) at() time.Time { return instant(w.Time) }
