package line

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault"
)

// transitRecord is a message that this node carries for others. It can read
// no more of it than the header.
type transitRecord struct {
	Giver  string     `json:"giver"`  // partner that handed it over
	Header []byte     `json:"header"` // as it came
	Size   int64      `json:"size"`   // of the whole message
	Since  int64      `json:"since"`
	State  string     `json:"state"` // as in a Passage, never arrived
	Next   string     `json:"next,omitempty"`
	Words  []Document `json:"words,omitempty"` // of those who had it after this node
	Reply  *Reply     `json:"reply,omitempty"`
	Ended  bool       `json:"ended,omitempty"` // arrived, or dropped: the message is not here any more
	Mark   int64      `json:"mark"`            // grows with each change
}

// transitHeld counts what is carried for one partner.
type transitHeld struct {
	Messages int64 `json:"messages"`
	Bytes    int64 `json:"bytes"`
}

var (
	errFetches = errors.New("it fetches for itself, and has not yet")
	errLoop    = errors.New("this node has the message from another partner already")
	errShare   = errors.New("what this node carries for you is used up for now")
)

// transitLane names the worker of what is carried to a node.
func transitLane(to string, p Precedence) string { return "transit/" + laneKey(to, p) }

func transitKey(h *Header) string {
	return fmt.Sprintf("%s/%s/%s/%s/%016x/%s", h.To, h.Precedence, h.From, h.Stream, h.Seq, h.Statement)
}

// hop gives the next node on the way to a destination.
func hop(r records, dest string) (string, error) {
	via, err := viaOf(r, dest)
	if err != nil || via != "" {
		return via, err
	}
	p, err := loadPartner(r, dest)
	if errors.Is(err, ErrNoPartner) || err == nil && p.State != Active {
		return "", errNoRoute
	}
	return dest, err
}

// carry takes a message for another node from a partner, where this node's
// officer allowed that, and gives this node's signed word for it.
func (l *Line) carry(ctx context.Context, p *partnerRecord, msg []byte) (*news, error) {
	h, head, _, err := cutMessage(msg)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMessage, err)
	}
	out := l.outside(ctx)
	if !slices.Contains(p.Carries, h.To) {
		return nil, errNoRoute
	}
	next, err := hop(out, h.To)
	if err != nil {
		return nil, err
	}
	after, err := loadPartner(out, next)
	if err != nil {
		return nil, err
	}
	if next == p.Node || after.Versions[1] < relaysSince {
		return nil, errNoRoute
	}
	if l.now().After(instant(h.Expires).Add(skew)) {
		return nil, fmt.Errorf("%w: its time is over", errMessage)
	}
	rec := transitRecord{Giver: p.Node, Header: head, Size: int64(len(msg)), Since: millis(l.now()), State: PassageWaiting, Mark: 1}
	act := audit.Act{Actor: PartnerReader(p.Node), Verb: "relay", Subject: h.Statement.String(),
		Detail: map[string]string{"from": h.From, "to": h.To, "precedence": h.Precedence.String()}}
	_, err = l.commit(ctx, act, func(tx *vault.Tx) error {
		var old transitRecord
		if ok, err := load(tx, spaceTransit, h.Statement.String(), &old); err != nil {
			return err
		} else if ok && old.Giver != p.Node {
			return errLoop
		} else if ok {
			rec = old
			return errSettled
		}
		if err := holdTransit(tx, p.Node, 1, rec.Size, l.limits); err != nil {
			return err
		}
		if err := tx.PutRecord(spaceTransitMessage, h.Statement.String(), msg); err != nil {
			return err
		}
		if err := save(tx, spaceTransitQueue, transitKey(h), h.Statement); err != nil {
			return err
		}
		return save(tx, spaceTransit, h.Statement.String(), rec)
	})
	if err != nil && !errors.Is(err, errSettled) {
		return nil, err
	}
	l.nudge(transitLane(h.To, h.Precedence))
	l.nudge(h.To + "/fetch")
	return l.newsOf(p, &rec)
}

// holdTransit counts messages against the share of the partner that handed
// them over.
func holdTransit(tx *vault.Tx, giver string, messages, bytes int64, limits Limits) error {
	var held transitHeld
	if _, err := load(tx, spaceTransitHeld, giver, &held); err != nil {
		return err
	}
	held.Messages += messages
	held.Bytes += bytes
	if messages > 0 && (held.Messages > limits.Transits || held.Bytes > limits.TransitBytes) {
		return errShare
	}
	return save(tx, spaceTransitHeld, giver, held)
}

// newsOf says where a carried message stands, in a word signed now.
func (l *Line) newsOf(p *partnerRecord, rec *transitRecord) (*news, error) {
	h, err := parseHeader(rec.Header)
	if err != nil {
		return nil, err
	}
	w := passageOf(h, rec.State)
	w.Next, w.Since, w.Time = rec.Next, rec.Since, millis(l.now())
	if rec.State == PassageWaiting {
		w.Reason, _ = l.stuckAt(h.To)
	}
	doc, err := w.sign(l.keysFor(p), rec.Giver)
	if err != nil {
		return nil, err
	}
	return &news{Statement: h.Statement, Mark: l.markOf(h, rec), Words: append([]Document{doc}, rec.Words...), Reply: rec.Reply}, nil
}

// markOf tells one state of a carried message from another: its record's and,
// while it waits, the reason's.
func (l *Line) markOf(h *Header, rec *transitRecord) int64 {
	mark := rec.Mark << 16
	if rec.State == PassageWaiting {
		_, changes := l.stuckAt(h.To)
		mark |= changes & 0xffff
	}
	return mark
}

// holdup is why what is carried to a node does not leave. It describes the
// present and is lost at a restart.
type holdup struct {
	reason  string
	changes int64
}

func (l *Line) stuckAt(to string) (reason string, changes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stuck[to].reason, l.stuck[to].changes
}

// setStuck notes why what is carried to a node does not leave, or that nothing
// holds it up. What the node said of the sender is for the sender alone.
func (l *Line) setStuck(to string, err error) {
	reason := ""
	var f failure
	switch {
	case err == nil:
	case errors.Is(err, errFetches):
		reason = errFetches.Error()
	case errors.Is(err, errNoRoute), errors.Is(err, ErrSuspended):
		reason = "the line to it is not open here"
	case errors.As(err, &f), errors.Is(err, errUnfit):
		reason = "it answers, but does not take the message"
	default:
		reason = "it cannot be reached"
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if was := l.stuck[to]; was.reason != reason {
		l.stuck[to] = holdup{reason, was.changes + 1}
	}
}

// forward is the worker of what is carried to one node under one precedence.
func (l *Line) forward(ctx context.Context, to, next string, p Precedence) {
	k := &link{line: l, node: next}
	defer k.close()
	l.work(ctx, k, transitLane(to, p), func() (bool, error) {
		worked, err := l.forwardNext(ctx, k, to, p)
		if ctx.Err() == nil && (worked || err != nil) {
			l.setStuck(to, err)
		}
		return worked, err
	})
}

// forwardNext hands on the first message that is taken, and reports whether
// there was one. A message that its destination does not take does not hold
// up those of other senders.
func (l *Line) forwardNext(ctx context.Context, k *link, to string, p Precedence) (bool, error) {
	var waiting []string
	if err := scan(l.outside(ctx), spaceTransitQueue, laneKey(to, p)+"/", func(key string, _ []byte) error {
		waiting = append(waiting, key)
		return nil
	}); err != nil {
		return false, err
	}
	var first error
	worked := false
	for _, key := range waiting {
		if ctx.Err() != nil {
			return worked, ctx.Err()
		}
		err := l.forwardOne(ctx, k, to, key)
		var f failure
		switch {
		case err == nil:
			worked = true
		case errors.As(err, &f), errors.Is(err, errUnfit):
			first = err
		default:
			return worked, err
		}
	}
	return worked && first == nil, first
}

// errUnfit says that a message has to wait for one before it.
var errUnfit = errors.New("a message before this one is missing there")

func (l *Line) forwardOne(ctx context.Context, k *link, to, key string) error {
	digest := key[strings.LastIndexByte(key, '/')+1:]
	msg, ok, err := l.outside(ctx).Record(spaceTransitMessage, digest)
	if err != nil || !ok {
		return err
	}
	h, _, _, err := cutMessage(msg)
	if err != nil {
		return fmt.Errorf("read a message in transit as stored: %w", err)
	}
	path := pathRelay
	if k.node == to {
		path = pathMessage
	}
	var n news
	if err := k.upload(ctx, path, msg, h.Statement, &n); err != nil {
		return err
	}
	if err := l.heardTransit(ctx, k.node, handedRecord{}, &n); err != nil {
		return err
	}
	l.touch(k.node, nil)
	if len(n.Words) == 0 {
		return errUnfit
	}
	return nil
}

// heardTransit takes what the next node says of a message carried here.
func (l *Line) heardTransit(ctx context.Context, next string, rec handedRecord, n *news) error {
	key := n.Statement.String()
	var carried transitRecord
	if ok, err := load(l.outside(ctx), spaceTransit, key, &carried); err != nil || !ok {
		return err
	}
	h, err := parseHeader(carried.Header)
	if err != nil {
		return err
	}
	last, err := l.wordsOf(ctx, next, h.To, h.Statement, n)
	if err != nil {
		return err
	}
	if n.Reply != nil && (n.Reply.Statement != n.Statement || len(n.Reply.Sealed) > maxReply) {
		return fmt.Errorf("%s gave a reply to another message", next)
	}
	gone := last == nil || last.State == PassageExpired
	arrived := last != nil && last.State == PassageArrived
	before := rec.Mark
	rec.Mark = n.Mark
	change := func(r records) (*transitRecord, error) {
		var t transitRecord
		ok, err := load(r, spaceTransit, key, &t)
		if err != nil || !ok || t.Ended {
			return nil, err
		}
		state, at, words := PassagePassed, next, n.Words
		if gone {
			state, at, words = PassageWaiting, "", nil
		}
		if n.Mark == before && t.State == state && t.Next == at && sameWords(t.Words, words) && (n.Reply == nil || t.Reply != nil && string(t.Reply.Sealed) == string(n.Reply.Sealed)) {
			return nil, nil
		}
		t.State, t.Next, t.Words, t.Ended = state, at, words, arrived
		if n.Reply != nil {
			t.Reply = n.Reply
		}
		t.Mark++
		return &t, nil
	}
	t, err := change(l.outside(ctx))
	if err != nil || t == nil {
		return err
	}
	act := audit.Act{Actor: PartnerReader(next), Verb: "passage", Subject: key, Detail: map[string]string{"state": t.State, "arrived": fmt.Sprint(arrived)}}
	_, err = l.commit(ctx, act, func(tx *vault.Tx) error {
		t, err := change(tx)
		if err != nil || t == nil {
			return errors.Join(err, errSettled)
		}
		return l.moveTransit(tx, h, t, next, rec)
	})
	if err != nil && !errors.Is(err, errSettled) {
		return err
	}
	l.nudge("news/" + carried.Giver)
	if gone {
		l.nudge(transitLane(h.To, h.Precedence))
	} else if !arrived {
		l.nudge(runner)
		l.nudge("ask/" + next)
	}
	return nil
}

// moveTransit writes where a carried message now stands.
func (l *Line) moveTransit(tx *vault.Tx, h *Header, t *transitRecord, next string, rec handedRecord) error {
	key, handed := h.Statement.String(), next+"/"+h.Statement.String()
	if err := save(tx, spaceTransit, key, t); err != nil {
		return err
	}
	switch {
	case t.Ended:
		return errors.Join(tx.DeleteRecord(spaceTransitQueue, transitKey(h)), tx.DeleteRecord(spaceTransitMessage, key),
			tx.DeleteRecord(spaceHanded, handed), holdTransit(tx, t.Giver, -1, -t.Size, l.limits))
	case t.State == PassageWaiting:
		return errors.Join(save(tx, spaceTransitQueue, transitKey(h), h.Statement), tx.DeleteRecord(spaceHanded, handed))
	}
	return errors.Join(tx.DeleteRecord(spaceTransitQueue, transitKey(h)), save(tx, spaceHanded, handed, rec))
}

// nextTransit gives the most urgent message carried here for a partner that
// fetches it.
func (l *Line) nextTransit(ctx context.Context, node string) ([]byte, error) {
	if via, err := viaOf(l.outside(ctx), node); err != nil || via != "" {
		return nil, err
	}
	for _, p := range precedences {
		digest := ""
		if err := scan(l.outside(ctx), spaceTransitQueue, laneKey(node, p)+"/", func(key string, _ []byte) error {
			d := key[strings.LastIndexByte(key, '/')+1:]
			if l.offer(d) {
				digest = d
				return errStop
			}
			return nil
		}); err != nil {
			return nil, err
		}
		if digest != "" {
			msg, _, err := l.outside(ctx).Record(spaceTransitMessage, digest)
			return msg, err
		}
	}
	return nil, nil
}

// offerAgain is after how long a message is given once more to a partner that
// fetched it and said nothing: until then it does not stand in the way of
// others.
const offerAgain = 10 * time.Second

// offer says whether a message is to be given to its destination now.
func (l *Line) offer(digest string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if now.Sub(l.offered[digest]) < offerAgain {
		return false
	}
	for d, at := range l.offered {
		if now.Sub(at) > offerAgain {
			delete(l.offered, d)
		}
	}
	l.offered[digest] = now
	return true
}

// expireTransit drops what could not be handed on in time, and forgets
// messages some time after their end.
func (l *Line) expireTransit(ctx context.Context) error {
	var over []string
	now := l.now()
	if err := scan(l.outside(ctx), spaceTransit, "", func(key string, value []byte) error {
		var t transitRecord
		if err := decodeRecord(spaceTransit, key, value, &t); err != nil {
			return err
		}
		h, err := parseHeader(t.Header)
		if err == nil && now.After(instant(h.Expires).Add(skew)) && (!t.Ended || now.After(instant(h.Expires).Add(forgetTransit))) {
			over = append(over, key)
		}
		return err
	}); err != nil {
		return err
	}
	for _, key := range over {
		if err := l.dropTransit(ctx, "node", "relay-expire", key, ""); err != nil {
			return err
		}
	}
	return nil
}

// forgetTransit is how long after the end of its time a node remembers a
// message that it carried.
const forgetTransit = 7 * 24 * time.Hour

// dropTransit ends the carrying of a message: because its time is over, or
// because the partner that handed it over wants it so. A message that ended
// before is forgotten.
func (l *Line) dropTransit(ctx context.Context, by, verb, key, giver string) error {
	_, err := l.commit(ctx, audit.Act{Actor: by, Verb: verb, Subject: key}, func(tx *vault.Tx) error {
		var t transitRecord
		ok, err := load(tx, spaceTransit, key, &t)
		if err != nil || !ok || giver != "" && t.Giver != giver {
			return errors.Join(err, errSettled)
		}
		if t.Ended {
			return tx.DeleteRecord(spaceTransit, key)
		}
		h, err := parseHeader(t.Header)
		if err != nil {
			return err
		}
		if t.Next != "" && giver != "" {
			if err := save(tx, spaceHanded, t.Next+"/"+key, handedRecord{Cancel: true}); err != nil {
				return err
			}
		}
		t.State, t.Next, t.Words, t.Ended = PassageExpired, "", nil, true
		t.Mark++
		return errors.Join(save(tx, spaceTransit, key, t), tx.DeleteRecord(spaceTransitQueue, transitKey(h)), tx.DeleteRecord(spaceTransitMessage, key),
			holdTransit(tx, t.Giver, -1, -t.Size, l.limits))
	})
	if errors.Is(err, errSettled) {
		return nil
	}
	return err
}
