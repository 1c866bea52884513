package line

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault"

	"golang.org/x/mod/sumdb/tlog"
)

// inboxRecord is the stream that this node receives from one partner under
// one precedence.
type inboxRecord struct {
	Stream string `json:"stream"`
	Seq    int64  `json:"seq"`
	Head   Digest `json:"head"`
}

// gotRecord is one message that was received, kept for good: the receipt
// answers every later copy of it, and the attestations go along when an
// object is passed on.
type gotRecord struct {
	Kind         string        `json:"kind"`
	Digest       Digest        `json:"digest"`
	Time         int64         `json:"time"`
	Items        []Item        `json:"items,omitempty"`  // as stored here
	Places       []int         `json:"places,omitempty"` // of Items in the message
	Manifest     []byte        `json:"manifest,omitempty"`
	Attestations []Document    `json:"attestations,omitempty"`
	Leaves       []tlog.Hash   `json:"leaves,omitempty"` // of the sender's own objects
	Receipt      SignedReceipt `json:"receipt"`
}

// skew is how far two nodes' clocks may differ before a message counts as
// expired.
const skew = 15 * time.Minute

// Errors that end a message without a receipt. The sender keeps it and does
// what the error calls for.
var (
	errNotHere  = errors.New("message is not for this node")
	errGap      = errors.New("a message before this one is missing")
	errTwin     = errors.New("another message stands at this place in the stream")
	errLaneBusy = errors.New("the lane is busy")
)

// receive takes one sealed message, from whoever carried it, and gives the
// receipt that goes back to its sender. The same message twice gives the same
// receipt twice.
func (l *Line) receive(ctx context.Context, msg []byte) (SignedReceipt, error) {
	h, _, _, err := cutMessage(msg)
	if err != nil {
		return SignedReceipt{}, fmt.Errorf("%w: %w", errMessage, err)
	}
	if h.To != l.Node() {
		return SignedReceipt{}, errNotHere
	}
	out := l.outside(ctx)
	partner, err := loadPartner(out, h.From)
	if err != nil {
		return SignedReceipt{}, err
	}
	if partner.State != Active {
		return SignedReceipt{}, fmt.Errorf("%w: this node has the sender as %s", ErrSuspended, partner.State)
	}
	if rc, err := l.already(out, h); rc != nil || err != nil {
		return deref(rc), err
	}
	ids, err := partner.identities()
	if err != nil {
		return SignedReceipt{}, err
	}
	u := l.urgency(h.From)
	defer u.enter(h.Precedence)()
	// Opening costs most of the work and needs no lock: the next message is
	// opened while this one is stored.
	o, err := openMessage(l.ring, ids, msg)
	if err != nil {
		return SignedReceipt{}, err
	}
	c := l.unpack(ctx, partner, o)
	if c.failed != nil {
		return SignedReceipt{}, c.failed
	}
	u.yield(ctx, h.Precedence)
	lock := l.lane(h.From, h.Precedence)
	lock.Lock()
	defer lock.Unlock()
	for wait := time.Millisecond; ; wait *= 2 {
		rc, err := l.store(ctx, partner, o, c)
		if !errors.Is(err, errGap) || wait > 300*time.Millisecond {
			return rc, err
		}
		// The message before is on its way beside this one: let it through.
		lock.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		lock.Lock()
		if ctx.Err() != nil {
			return SignedReceipt{}, ctx.Err()
		}
	}
}

func deref(rc *SignedReceipt) SignedReceipt {
	if rc == nil {
		return SignedReceipt{}
	}
	return *rc
}

func (l *Line) lane(node string, p Precedence) *sync.Mutex {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := laneKey(node, p)
	if l.inbound[key] == nil {
		l.inbound[key] = &sync.Mutex{}
	}
	return l.inbound[key]
}

// already finds the receipt of a message that was received before. Another
// message at the same place means that the sender's history split: it was
// restored from a backup, or somebody else has its keys.
func (l *Line) already(r records, h *Header) (*SignedReceipt, error) {
	var got gotRecord
	ok, err := load(r, spaceGot, streamKey(h.From, h.Precedence, h.Stream, h.Seq), &got)
	if err != nil || !ok {
		return nil, err
	}
	if got.Digest != h.Statement {
		return nil, errTwin
	}
	return &got.Receipt, nil
}

// place checks that a message is the next of its lane: of the stream this
// node knows, or the first of one it never saw.
func place(r records, h *Header) error {
	var in inboxRecord
	if _, err := load(r, spaceInbox, laneKey(h.From, h.Precedence), &in); err != nil {
		return err
	}
	switch {
	case h.Stream == in.Stream && h.Seq == in.Seq+1 && h.Prev == in.Head:
		return nil
	case h.Stream == in.Stream && h.Seq == in.Seq+1:
		return errTwin
	case h.Stream != in.Stream && h.Seq == 1:
		return nil // a stream that was seen before has a record of its first message
	}
	return errGap
}

// store is the one transaction of a received message: its effects, its place
// in the stream and its receipt.
func (l *Line) store(ctx context.Context, partner *partnerRecord, o *opened, c content) (SignedReceipt, error) {
	st := o.statement
	now := l.now()
	out := l.outside(ctx)
	if rc, err := l.already(out, o.header); rc != nil || err != nil {
		return deref(rc), err
	}
	if err := place(out, o.header); err != nil {
		return SignedReceipt{}, err
	}
	rc := &Receipt{To: st.From, Statement: o.digest, Precedence: st.Precedence, Stream: st.Stream, Seq: st.Seq, Time: millis(now)}
	if now.After(instant(st.Expires).Add(skew)) {
		rc.Result, rc.Reason = Expired, fmt.Sprintf("it arrived at %s and was good until %s", now.UTC().Format(time.RFC3339), instant(st.Expires).Format(time.RFC3339))
		c = content{}
	} else if c.bad != nil {
		rc.Result, rc.Reason = Refused, c.bad.Error()
	} else {
		rc.Result = Delivered
	}
	var err error
	// The proof begins at what the sender saw last, so that it can judge at once.
	if rc.Log, err = l.logState(ctx, newer(partner.Vouched, st.Seen)); err != nil {
		return SignedReceipt{}, err
	}
	var doc SignedReceipt
	act := audit.Act{Actor: PartnerReader(st.From), Verb: "receive", Subject: o.digest.String(),
		Detail: map[string]string{"kind": st.Kind, "precedence": st.Precedence.String(), "result": rc.Result, "versions": strconv.Itoa(st.Count)}}
	_, err = l.commit(ctx, act, func(tx *vault.Tx) error {
		if rc, err := l.already(tx, o.header); rc != nil || err != nil {
			return errors.Join(err, errLaneBusy)
		}
		if err := place(tx, o.header); err != nil {
			return err
		}
		p, err := loadPartner(tx, st.From)
		if err != nil {
			return err
		}
		if p.State != Active {
			return fmt.Errorf("%w: this node has the sender as %s", ErrSuspended, p.State)
		}
		got := gotRecord{Kind: st.Kind, Digest: o.digest, Time: millis(now)}
		if rc.Result == Delivered {
			if err := l.effect(tx, p, o, &c, rc, &got); err != nil {
				return err
			}
		}
		ids, err := p.identities()
		if err != nil {
			return err
		}
		l.witness(p, ids[0], st.Log, st.Seen)
		p.said(st.Time, now)
		rc.Witnessed = p.vouches()
		if doc, err = signReceipt(l.keysFor(p), rc); err != nil {
			return err
		}
		got.Receipt = doc
		if err := save(tx, spaceGot, streamKey(st.From, st.Precedence, st.Stream, st.Seq), got); err != nil {
			return err
		}
		if err := save(tx, spaceInbox, laneKey(st.From, st.Precedence), inboxRecord{Stream: st.Stream, Seq: st.Seq, Head: o.digest}); err != nil {
			return err
		}
		return savePartner(tx, p, p.fresh)
	})
	if errors.Is(err, errLaneBusy) { // another server of this node was faster
		rc, err := l.already(out, o.header)
		return deref(rc), err
	}
	if err != nil {
		return SignedReceipt{}, fmt.Errorf("store a message of %s: %w", st.From, err)
	}
	if WordKind(st.Kind) == ClearanceWord {
		// It may have ended what somebody reads; every request compiles that
		// anew, and the feeds learn it here.
		if err := l.announce(ctx); err != nil {
			l.log.Error("tell the vault who reads", "error", err)
		}
	}
	return doc, nil
}

// effect does what a message says.
func (l *Line) effect(tx *vault.Tx, p *partnerRecord, o *opened, c *content, rc *Receipt, got *gotRecord) error {
	switch o.statement.Kind {
	case kindObjects:
		return l.keepObjects(tx, p, c, rc, got)
	case kindRecall:
		return l.takeBack(tx, p, c, rc, got)
	case kindIdentity:
		return l.takeIdentity(tx, p, c, rc)
	case kindNotice:
		return l.takeNotice(tx, p, c, rc)
	}
	return l.takeWord(tx, p, o.statement.Kind, c, rc)
}
