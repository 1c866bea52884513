package line

import (
	"errors"
	"fmt"

	"causeway/internal/vault"
)

// A word is what one node signs for one partner beside objects. What it says
// is another room's business; the line carries it in a message of the word's
// kind, each with its receipt, and checks whose word it is.

// WordKind is the kind of document ([Line.Sign]) that a word is, in a message
// as in a file.
type WordKind string

// The kinds of words.
const (
	ClearanceWord WordKind = "clearance" // a person is cleared, or no longer
	CosignWord    WordKind = "cosign"    // a public statement to be signed together
)

// Listener is given each word of a kind, inside the transaction of its
// message. A refusal is the reason why it is not taken, for the partner; an
// error undoes the transaction.
type Listener func(tx *vault.Tx, partner Partner, body []byte) (refusal string, err error)

// wordVersion is the protocol version that a kind of word came with; 0: it is
// no kind of word.
func wordVersion(kind string) int {
	switch WordKind(kind) {
	case ClearanceWord, CosignWord:
		return 2
	}
	return 0
}

// EnqueueWord puts a word on its way to a partner, inside the transaction that
// makes it. name is what [Line.Receipts] finds its receipt by. A word is
// given up no earlier than its message expires, and two words under one
// precedence arrive in their order.
func (l *Line) EnqueueWord(tx *vault.Tx, partner string, kind WordKind, p Precedence, name string, body []byte) error {
	if err := l.sendable(tx, partner); err != nil {
		return fmt.Errorf("enqueue a word for %s: %w", partner, err)
	}
	rec, err := loadPartner(tx, partner)
	if err != nil {
		return fmt.Errorf("enqueue a word: %w", err)
	}
	if v, err := negotiate(rec.Versions[0], rec.Versions[1]); err != nil {
		return fmt.Errorf("enqueue a word for %s: %w", partner, err)
	} else if v < wordVersion(string(kind)) {
		return fmt.Errorf("enqueue a word for %s: its node speaks protocol version %d, and %s words came with version %d; it has to be updated", partner, v, kind, wordVersion(string(kind)))
	}
	file, err := l.signWith(l.keysFor(rec), string(kind), body)
	if err != nil {
		return err
	}
	return l.put(tx, partner, p, outboxRow{Kind: string(kind), Time: millis(l.now()), Items: []Item{{ID: name}}, Body: file})
}

// wordOf reads the part of a message that is a word: only the sender's own,
// since nobody speaks for another node.
func wordOf(p *partnerRecord, kind string, part []byte) ([]byte, error) {
	node, body, err := openVoucher(kind, part, func(string) (*partnerRecord, error) { return p, nil })
	if err != nil {
		return nil, fmt.Errorf("read the word: %w", err)
	}
	if node != p.Node {
		return nil, errors.New("read the word: it is another node's")
	}
	return body, nil
}

// takeWord hands a word to the room it is for.
func (l *Line) takeWord(tx *vault.Tx, p *partnerRecord, kind string, c *content, rc *Receipt) error {
	refusal := fmt.Sprintf("this node takes no %s words", kind)
	if listen := l.words[WordKind(kind)]; listen != nil {
		partner, err := p.partner()
		if err != nil {
			return err
		}
		if refusal, err = listen(tx, partner, c.word); err != nil {
			return fmt.Errorf("take the word of %s: %w", p.Node, err)
		}
	}
	if refusal != "" {
		rc.Result, rc.Reason = Refused, refusal
	}
	return nil
}
