package line

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"time"
)

func bytesOf(n *news) *bytes.Reader { return bytes.NewReader(mustCanonical(n)) }

// serveRelay takes a message for another node.
func (l *Line) serveRelay(w http.ResponseWriter, r *http.Request, p *partnerRecord) {
	msg, ok := l.takeMessage(w, r, p)
	if !ok {
		return
	}
	n, err := l.carry(r.Context(), p, msg)
	switch {
	case err == nil:
		answer(w, n)
	case errors.Is(err, errNoRoute):
		fail(w, http.StatusForbidden, "route", errNoRoute.Error())
	case errors.Is(err, errLoop):
		fail(w, http.StatusConflict, "loop", errLoop.Error())
	case errors.Is(err, errShare):
		w.Header().Set("Retry-After", "60")
		fail(w, http.StatusTooManyRequests, "quota", errShare.Error())
	case errors.Is(err, errMessage):
		fail(w, http.StatusUnprocessableEntity, "message", err.Error())
	default:
		l.unavailable(w, "carry a message", err)
	}
}

// serveDrop ends the carrying of a message that the partner handed over.
func (l *Line) serveDrop(w http.ResponseWriter, r *http.Request, p *partnerRecord) {
	digest := r.PathValue("digest")
	if !digestPattern.MatchString(digest) {
		fail(w, http.StatusBadRequest, "digest", errDigest.Error())
		return
	}
	if err := l.dropTransit(r.Context(), PartnerReader(p.Node), "relay-drop", digest, p.Node); err != nil {
		l.unavailable(w, "drop a message", err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// serveNews says what became of messages that the partner handed over: at
// once where there is something new, else after the wait.
func (l *Line) serveNews(w http.ResponseWriter, r *http.Request, p *partnerRecord) {
	var q newsRequest
	if !readBody(w, r, 256<<10, &q) {
		return
	}
	if len(q.Questions) > askedAtOnce {
		fail(w, http.StatusBadRequest, "body", "more questions than one request may ask")
		return
	}
	deadline := l.now().Add(min(time.Duration(q.Wait)*time.Millisecond, longPoll))
	woken := l.wakeup("news/" + p.Node)
	for {
		late := !l.now().Before(deadline)
		answers, size := []news{}, 0
		for _, one := range q.Questions {
			var rec transitRecord
			ok, err := load(l.outside(r.Context()), spaceTransit, one.Statement.String(), &rec)
			if err != nil {
				l.unavailable(w, "read what is carried", err)
				return
			}
			n := &news{Statement: one.Statement}
			if ok && rec.Giver == p.Node {
				h, err := parseHeader(rec.Header)
				if err == nil && l.markOf(h, &rec) == one.Mark && !late {
					continue
				}
				if n, err = l.newsOf(p, &rec); err != nil {
					l.unavailable(w, "sign a word", err)
					return
				}
			}
			answers = append(answers, *n)
			if n.Reply != nil {
				size += len(n.Reply.Sealed)
			}
			if size > newsSize || len(answers) == newsAtOnce {
				break
			}
		}
		if len(answers) > 0 || late {
			answer(w, answers)
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-woken:
		case <-time.After(min(time.Second, max(deadline.Sub(l.now()), time.Millisecond))):
		}
	}
}

// newsAtOnce and newsSize, bytes of replies, keep an answer within what the
// asker reads: a word has 6 KiB in base64, and a reply may have a hundred
// times that.
const (
	newsAtOnce = 32
	newsSize   = 1 << 20
	maxNews    = 8 << 20
)

// serveArrived takes the destination's word on a message that it fetched.
func (l *Line) serveArrived(w http.ResponseWriter, r *http.Request, p *partnerRecord) {
	var n news
	if !readBody(w, r, 2*maxReply, &n) {
		return
	}
	var rec transitRecord
	ok, err := load(l.outside(r.Context()), spaceTransit, n.Statement.String(), &rec)
	if err != nil {
		l.unavailable(w, "read what is carried", err)
		return
	}
	h, herr := parseHeader(rec.Header)
	if !ok || herr != nil || h.To != p.Node {
		fail(w, http.StatusForbidden, "route", "this node carries no such message to you")
		return
	}
	if err := l.heardTransit(r.Context(), p.Node, handedRecord{}, &n); err != nil {
		fail(w, http.StatusUnprocessableEntity, "message", err.Error())
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// receiveRelayed takes a message that a relay brought. What the sender gets to
// know is sealed to it.
func (l *Line) receiveRelayed(ctx context.Context, relay *partnerRecord, h *Header, msg []byte) (*news, error) {
	doc, err := l.receive(ctx, msg)
	fits := !errors.Is(err, errGap) && !errors.Is(err, errTwin)
	if err != nil && fits {
		return nil, err
	}
	sender, err := loadPartner(l.outside(ctx), h.From)
	if err != nil {
		return nil, err
	}
	now := millis(l.now())
	if !fits {
		var in inboxRecord
		if _, err := load(l.outside(ctx), spaceInbox, laneKey(h.From, h.Precedence), &in); err != nil {
			return nil, err
		}
		k := l.keysFor(sender)
		st := Standing{V: 1, From: l.Node(), Generation: k.Identity.Generation, To: h.From, Precedence: h.Precedence, Stream: in.Stream, Seq: in.Seq, Head: in.Head, Time: now}
		if doc, err = k.document(typeStanding, mustCanonical(st)); err != nil {
			return nil, err
		}
	}
	ids, err := sender.identities()
	if err != nil {
		return nil, err
	}
	n := &news{Statement: h.Statement}
	if n.Reply, err = sealReply(ids[0], h.Statement, doc); err != nil || !fits {
		return n, err
	}
	w := passageOf(h, PassageArrived)
	w.Since, w.Time = now, now
	word, err := w.sign(l.keysFor(relay), relay.Node)
	n.Words = []Document{word}
	return n, err
}

// fetchedRelayed takes a message that was fetched from a relay and tells the
// relay so.
func (l *Line) fetchedRelayed(ctx context.Context, k *link, h *Header, msg []byte) error {
	relay, err := loadPartner(l.outside(ctx), k.node)
	if err != nil {
		return err
	}
	n, err := l.receiveRelayed(ctx, relay, h, msg)
	if err != nil {
		return err
	}
	if _, err = k.do(ctx, http.MethodPost, pathArrived, bytesOf(n), nil, nil); err == nil && len(n.Words) == 0 {
		err = errUnfit
	}
	return err
}
