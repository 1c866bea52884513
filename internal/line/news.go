package line

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault"
)

// news is what a relay, or the destination, answers about one message: its
// own word, those of the relays after it, and the destination's reply.
type news struct {
	Statement Digest     `json:"statement"`
	Mark      int64      `json:"mark"`            // grows with each change
	Words     []Document `json:"words,omitempty"` // none: the message is not there
	Reply     *Reply     `json:"reply,omitempty"`
}

type newsQuestion struct {
	Statement Digest `json:"statement"`
	Mark      int64  `json:"mark"` // of the newest news that the asker has
}

type newsRequest struct {
	Questions []newsQuestion `json:"questions"`
	Wait      int64          `json:"wait"` // most milliseconds to wait for something new
}

// wordsOf checks what a relay, or the destination itself, said of a message:
// its own word, and the order of those that follow. It gives the last word;
// nil when the relay has none.
func (l *Line) wordsOf(ctx context.Context, hop, dest string, statement Digest, n *news) (*Passage, error) {
	if n.Statement != statement || len(n.Words) > maxHops {
		return nil, doubt{fmt.Errorf("%s answered about another message", hop)}
	}
	var last *Passage
	to := l.Node()
	for i, doc := range n.Words {
		w, err := parsePassage(doc)
		if err != nil {
			return nil, doubt{err}
		}
		if i == 0 && w.From != hop || i > 0 && (last.State != PassagePassed || w.From != last.Next) || w.To != to || w.Statement != statement || w.Destination != dest {
			return nil, doubt{fmt.Errorf("the words that %s gave do not follow each other", hop)}
		}
		ids, err := l.keysOf(ctx, w.From)
		if err != nil {
			return nil, err
		}
		// Relays further on may be unknown here; what they say is shown as hearsay.
		if len(ids) > 0 {
			if _, err := openPassage(doc, ids, to, statement); err != nil {
				return nil, doubt{err}
			}
		}
		last, to = w, w.From
	}
	return last, nil
}

// maxHops is how many nodes may carry one message after another.
const maxHops = 8

// keysOf gives the keys of this node, or of one whose codes were compared;
// none for others.
func (l *Line) keysOf(ctx context.Context, node string) ([]*Identity, error) {
	if node == l.Node() {
		var ids []*Identity
		for _, k := range l.ring.all() {
			ids = append(ids, k.Identity)
		}
		return ids, nil
	}
	p, err := loadPartner(l.outside(ctx), node)
	if errors.Is(err, ErrNoPartner) || err == nil && p.State == Comparing {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return p.identities()
}

// ask is the worker that asks one relay what became of the messages it was
// handed, and passes the answers on.
func (l *Line) ask(ctx context.Context, relay string) {
	woken := l.wakeup("ask/" + relay)
	k := &link{line: l, node: relay}
	defer k.close()
	pause := time.Duration(0)
	for ctx.Err() == nil {
		asked, err := l.askOnce(ctx, k, woken)
		switch {
		case err != nil && ctx.Err() == nil:
			pause = min(max(2*pause, 200*time.Millisecond), l.limits.RetryMost)
			l.touch(relay, err)
			l.log.Debug("a relay was not asked", "relay", relay, "error", err)
			k.close()
		case asked:
			pause = 0
			continue
		default:
			pause = idlePoll
		}
		select {
		case <-ctx.Done():
		case <-woken:
		case <-time.After(pause):
		}
	}
}

// askedAtOnce bounds one question.
const askedAtOnce = 256

func (l *Line) askOnce(ctx context.Context, k *link, woken <-chan struct{}) (bool, error) {
	q := newsRequest{Wait: longPoll.Milliseconds()}
	handed := map[Digest]handedRecord{}
	err := scan(l.outside(ctx), spaceHanded, k.node+"/", func(key string, value []byte) error {
		var rec handedRecord
		if err := decodeRecord(spaceHanded, key, value, &rec); err != nil {
			return err
		}
		var d Digest
		if err := d.UnmarshalText([]byte(key[len(k.node)+1:])); err != nil {
			return err
		}
		handed[d] = rec
		q.Questions = append(q.Questions, newsQuestion{Statement: d, Mark: rec.Mark})
		if len(q.Questions) == askedAtOnce {
			return errStop
		}
		return nil
	})
	if err != nil || len(handed) == 0 {
		return false, err
	}
	for d, rec := range handed {
		if ended, err := l.dropHanded(ctx, k, d, rec); err != nil {
			return false, err
		} else if ended {
			return true, nil
		}
	}
	// Something new to ask about ends the wait.
	polling, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-woken:
			stop()
		case <-polling.Done():
		}
	}()
	var answers []news
	if _, err := k.do(polling, http.MethodPost, pathNews, bytes.NewReader(mustCanonical(q)), nil, &answers); err != nil {
		if polling.Err() != nil && ctx.Err() == nil {
			return true, nil
		}
		return false, err
	}
	l.touch(k.node, nil)
	for i := range answers {
		rec, ok := handed[answers[i].Statement]
		if !ok {
			return false, fmt.Errorf("%s answered about another message", k.node)
		}
		if err := l.heard(ctx, k.node, rec, &answers[i]); err != nil {
			return false, err
		}
	}
	return true, nil
}

// dropHanded stops asking about what has ended, and tells the relay to drop
// what this node no longer wants carried.
func (l *Line) dropHanded(ctx context.Context, k *link, d Digest, rec handedRecord) (bool, error) {
	ended := rec.Cancel
	if !ended && rec.Sent != "" {
		var sent sentRecord
		ok, err := load(l.outside(ctx), spaceSent, rec.Sent, &sent)
		if err != nil {
			return false, err
		}
		var lane laneRecord
		node, prec, stream, err := cutStreamKey(rec.Sent)
		if err != nil {
			return false, err
		}
		if _, err := load(l.outside(ctx), spaceLane, laneKey(node, prec), &lane); err != nil {
			return false, err
		}
		rec.Cancel = !ok || sent.Receipt == nil && lane.Stream != stream
		ended = rec.Cancel || sent.Receipt != nil
	}
	if !ended {
		return false, nil
	}
	if rec.Cancel {
		if _, err := k.do(ctx, http.MethodDelete, pathRelay+d.String(), nil, nil, nil); err != nil {
			return false, err
		}
	}
	return true, l.act(ctx, "handed-end", d.String(), func(tx *vault.Tx) error { return tx.DeleteRecord(spaceHanded, k.node+"/"+d.String()) })
}

// heard takes a relay's news of one message. What only says again what is
// known changes nothing.
func (l *Line) heard(ctx context.Context, relay string, rec handedRecord, n *news) error {
	if rec.Sent == "" {
		return l.heardTransit(ctx, relay, rec, n)
	}
	node, prec, _, err := cutStreamKey(rec.Sent)
	if err != nil {
		return err
	}
	last, err := l.wordsOf(ctx, relay, node, n.Statement, n)
	if err == nil && n.Reply != nil {
		err = l.takeReply(ctx, node, n)
	}
	why := ""
	var d doubt
	if err != nil && !errors.As(err, &d) {
		return err
	}
	if err != nil {
		why = clip(err.Error())
		l.log.Warn("what a relay gave does not verify", "relay", relay, "message", n.Statement.String(), "error", err)
	}
	gone := err == nil && (last == nil || last.State == PassageExpired)
	var rel relayedRecord
	if _, err := load(l.outside(ctx), spaceRelayed, rec.Sent, &rel); err != nil {
		return err
	}
	if n.Mark == rec.Mark && !gone && why == rel.Doubt && sameWords(n.Words, rel.Words) {
		return nil
	}
	act := audit.Act{Actor: PartnerReader(relay), Verb: "passage", Subject: n.Statement.String()}
	if last != nil {
		act.Detail = map[string]string{"state": last.State, "by": last.From}
	}
	if _, err := l.commit(ctx, act, func(tx *vault.Tx) error { return keepNews(tx, relay, rec, n, why, gone) }); err != nil {
		return err
	}
	if gone {
		l.nudge(laneKey(node, prec))
	}
	return nil
}

func keepNews(tx *vault.Tx, relay string, rec handedRecord, n *news, why string, gone bool) error {
	var rel relayedRecord
	if _, err := load(tx, spaceRelayed, rec.Sent, &rel); err != nil {
		return err
	}
	var sent sentRecord
	if _, err := load(tx, spaceSent, rec.Sent, &sent); err != nil {
		return err
	}
	rel.Doubt = why
	if why == "" && len(n.Words) > 0 && (rel.Via == relay || sent.Receipt != nil) {
		rel.Words = n.Words
	}
	if gone && sent.Receipt == nil && rel.Via == relay { // it is handed over again
		rel.Via = ""
		rel.Lost++
	}
	if err := save(tx, spaceRelayed, rec.Sent, rel); err != nil {
		return err
	}
	key := relay + "/" + n.Statement.String()
	if gone || sent.Receipt != nil {
		return tx.DeleteRecord(spaceHanded, key)
	}
	rec.Mark = n.Mark
	return save(tx, spaceHanded, key, rec)
}

// sameWords says whether two lists of words differ in no more than when they
// were said.
func sameWords(a, b []Document) bool {
	return slices.EqualFunc(a, b, func(x, y Document) bool {
		v, err1 := parsePassage(x)
		w, err2 := parsePassage(y)
		return err1 == nil && err2 == nil && v.From == w.From && v.State == w.State && v.Next == w.Next && v.Reason == w.Reason
	})
}

// takeReply opens the destination's reply to a message of this node: its
// receipt, or how far it came where the message did not fit.
func (l *Line) takeReply(ctx context.Context, node string, n *news) error {
	doc, err := openReply(l.ring, n.Reply, n.Statement)
	if err != nil {
		return doubt{err}
	}
	switch doc.Type {
	case typeReceipt:
		return l.settle(ctx, node, doc)
	case typeStanding:
		return l.takeStanding(ctx, node, doc)
	}
	return doubt{fmt.Errorf("open a reply: type %q is not one", doc.Type)}
}

// takeStanding compares what a destination says it received with what this
// node sent, as on a line of their own. Words older than the newest that this
// node has of it are a relay's replay.
func (l *Line) takeStanding(ctx context.Context, node string, doc Document) error {
	p, err := loadPartner(l.outside(ctx), node)
	if err != nil {
		return err
	}
	ids, err := p.identities()
	if err != nil {
		return err
	}
	st, err := parseStanding(doc, ids, l.Node())
	if err != nil {
		return doubt{err}
	}
	var q queueRecord
	if _, err := load(l.outside(ctx), spaceQueue, laneKey(node, st.Precedence), &q); err != nil {
		return err
	}
	if st.Time == p.Standing {
		return nil
	}
	if st.Time < max(p.Standing, q.Last) {
		return doubt{fmt.Errorf("what %s says it received is older than what it said since", node)}
	}
	err = l.act(ctx, "standing", node, func(tx *vault.Tx) error {
		p, err := loadPartner(tx, node)
		if err != nil {
			return err
		}
		p.Standing = max(p.Standing, st.Time)
		return save(tx, spacePartner, node, p)
	})
	if err != nil {
		return err
	}
	var lane laneRecord
	if _, err := load(l.outside(ctx), spaceLane, laneKey(node, st.Precedence), &lane); err != nil {
		return err
	}
	return l.reconcile(ctx, node, lane, LaneState{Precedence: st.Precedence, Stream: st.Stream, Seq: st.Seq, Head: st.Head})
}
