package line

import (
	"errors"
	"fmt"

	"causeway/internal/vault"
)

// A word is what one node signs about its people for one partner: that a
// person is cleared, or no longer. What it says is another room's business;
// the line carries it in messages of kind clearance, each with its receipt,
// and checks whose word it is.

// WordKind is the kind of document ([Line.Sign]) that a word is, in a message
// as in a file.
const WordKind = "clearance"

// EnqueueWord puts a word on its way to a partner, inside the transaction that
// makes it. name is what [Line.Receipts] finds its receipt by. A word is
// given up no earlier than its message expires, and two words under one
// precedence arrive in their order.
func (l *Line) EnqueueWord(tx *vault.Tx, partner string, p Precedence, name string, body []byte) error {
	if err := l.sendable(tx, partner); err != nil {
		return fmt.Errorf("enqueue a word for %s: %w", partner, err)
	}
	rec, err := loadPartner(tx, partner)
	if err != nil {
		return fmt.Errorf("enqueue a word: %w", err)
	}
	if v, err := negotiate(rec.Versions[0], rec.Versions[1]); err != nil {
		return fmt.Errorf("enqueue a word for %s: %w", partner, err)
	} else if v < clearanceVersion {
		return fmt.Errorf("enqueue a word for %s: its node speaks protocol version %d, and words about people came with version %d; it has to be updated", partner, v, clearanceVersion)
	}
	file, err := l.signWith(l.keysFor(rec), WordKind, body)
	if err != nil {
		return err
	}
	return l.put(tx, partner, p, outboxRow{Kind: kindClearance, Time: millis(l.now()), Items: []Item{{ID: name}}, Body: file})
}

// wordOf reads the part of a message that is a word: only the sender's own,
// since nobody vouches for the people of another node.
func wordOf(p *partnerRecord, part []byte) ([]byte, error) {
	node, body, err := openVoucher(WordKind, part, func(string) (*partnerRecord, error) { return p, nil })
	if err != nil {
		return nil, fmt.Errorf("read the word: %w", err)
	}
	if node != p.Node {
		return nil, errors.New("read the word: it is another node's")
	}
	return body, nil
}

// takeWord hands a word to the room it is for.
func (l *Line) takeWord(tx *vault.Tx, p *partnerRecord, c *content, rc *Receipt) error {
	refusal := "this node takes no words about people"
	if l.word != nil {
		partner, err := p.partner()
		if err != nil {
			return err
		}
		if refusal, err = l.word(tx, partner, c.word); err != nil {
			return fmt.Errorf("take the word of %s: %w", p.Node, err)
		}
	}
	if refusal != "" {
		rc.Result, rc.Reason = Refused, refusal
	}
	return nil
}
