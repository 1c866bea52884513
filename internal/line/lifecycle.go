package line

import (
	"context"
	"errors"
	"fmt"

	"causeway/internal/audit"
	"causeway/internal/vault"
)

// Rotate makes this node's next generation of keys and sends the news to
// every partner, signed by the keys they know. Each partner is spoken to with
// those until its receipt says that it has the new ones, so nothing stops.
func (l *Line) Rotate(ctx context.Context, by string) (int, error) {
	k, err := l.ring.Rotate(l.now())
	if err != nil {
		return 0, err
	}
	_, err = l.commit(ctx, audit.Act{Actor: by, Verb: "rotate", Subject: l.Node()}, func(tx *vault.Tx) error {
		return l.sendKeys(tx)
	})
	if err != nil {
		return 0, fmt.Errorf("tell partners of the new keys (they are told at the next start): %w", err)
	}
	return k.Identity.Generation, nil
}

// sendKeys enqueues, for each partner that does not know the newest keys, the
// generations that it misses, once.
func (l *Line) sendKeys(tx *vault.Tx) error {
	all, err := loadPartners(tx)
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.State == Revoked {
			continue
		}
		from := max(p.Knows, p.Told) + 1
		for g := from; g <= l.Self().Generation; g++ {
			k := l.ring.generation(g)
			if k == nil {
				return fmt.Errorf("generation %d of this node's keys is gone, and %s does not know it", g, p.Node)
			}
			if err := l.put(tx, p.Node, Flash, outboxRow{Kind: kindIdentity, Time: millis(l.now()), Body: mustCanonical(k.Signed)}); err != nil {
				return err
			}
		}
		if from > l.Self().Generation {
			continue
		}
		p.Told = l.Self().Generation
		if err := save(tx, spacePartner, p.Node, p); err != nil {
			return err
		}
	}
	return nil
}

// catchUpKeys tells partners of keys that they were not told of, as after a
// crash between the key file and the outbox.
func (l *Line) catchUpKeys(ctx context.Context) error {
	all, err := loadPartners(l.outside(ctx))
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.State != Revoked && max(p.Knows, p.Told) < l.Self().Generation {
			return l.act(ctx, "rotate", l.Node(), l.sendKeys)
		}
	}
	return nil
}

// noticeReturn says that its sender lost what it sent after a place in a
// stream, as after going back to a backup.
const noticeReturn = "return"

// notice is a message about the line itself.
type notice struct {
	V          int        `json:"v"`
	What       string     `json:"what"`
	Precedence Precedence `json:"precedence"` // of the lane
	Stream     string     `json:"stream"`     // that the sender forgot the end of
	After      int64      `json:"after"`      // the last message it remembers
}

const maxNotice = 64 << 10

var errNotice = errors.New("the notice is not one that this node knows")

func (l *Line) takeNotice(tx *vault.Tx, p *partnerRecord, c *content, rc *Receipt) error {
	if c.notice.V == 1 && c.notice.What == noticeReturn && streamPattern.MatchString(c.notice.Stream) {
		return l.giveBack(tx, p, c.notice)
	}
	rc.Result, rc.Reason = Refused, errNotice.Error()
	return nil
}

// giveBack returns to a partner what it made and sent, and has lost since by
// going back to a backup. It gets nothing that it did not make itself.
func (l *Line) giveBack(tx *vault.Tx, p *partnerRecord, n *notice) error {
	var items []Item
	err := scan(tx, spaceGot, laneKey(p.Node, n.Precedence)+"/"+n.Stream+"/", func(key string, value []byte) error {
		var got gotRecord
		if err := decodeRecord(spaceGot, key, value, &got); err != nil {
			return err
		}
		if seqOf(key) <= n.After || got.Kind != kindObjects {
			return nil
		}
		for i, it := range got.Items {
			if got.Places[i] < len(got.Leaves) {
				items = append(items, it)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	kept := items[:0]
	for _, it := range items {
		err := tx.Release(it.ID, it.Version, []string{PartnerReader(p.Node)}, "returned to its originator")
		if errors.Is(err, vault.ErrNotFound) {
			continue // recalled since
		}
		if err != nil {
			return err
		}
		kept = append(kept, it)
	}
	return l.Enqueue(tx, p.Node, n.Precedence, kept)
}

// takeIdentity pins a partner's next generation of keys: signed by the ones
// pinned before and by itself.
func (l *Line) takeIdentity(tx *vault.Tx, p *partnerRecord, c *content, rc *Receipt) error {
	ids, err := p.identities()
	if err != nil {
		return err
	}
	for _, k := range p.Keys {
		if k.Digest() == c.identity.Digest() {
			return nil
		}
	}
	id, err := c.identity.Succeeds(ids[0])
	if err == nil {
		err = l.freeToSpeak(tx, id)
	}
	if err != nil {
		rc.Result, rc.Reason = Refused, err.Error()
		return nil
	}
	p.Keys = append([]SignedIdentity{*c.identity}, p.Keys...)
	if len(p.Keys) > keepGenerations {
		p.Keys = p.Keys[:keepGenerations]
	}
	p.fresh = true
	l.log.Info("a partner has new keys", "partner", p.Node, "generation", id.Generation)
	return nil
}

// signedIdentityIn reads the body of an identity message.
func signedIdentityIn(body []byte) (*Identity, error) {
	var s SignedIdentity
	if err := decodeCanonical(body, 4*maxIdentity, &s); err != nil {
		return nil, err
	}
	return parseIdentity(s.Body)
}
