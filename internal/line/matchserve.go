package line

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault"
)

// serveMatch is the holder's side.
func (l *Line) serveMatch(w http.ResponseWriter, r *http.Request, p *partnerRecord) {
	if r.PathValue("step") == "propose" {
		l.serveProposal(w, r, p)
		return
	}
	if r.PathValue("step") == "release" {
		l.serveMatchRelease(w, r, p)
		return
	}
	var q matchQuestion
	if !readBody(w, r, matchBatch*elementSize*2, &q) {
		return
	}
	m, err := l.loadMatch(r.Context(), q.Run)
	if errors.Is(err, errNoMatch) || err == nil && (m.Partner != p.Node || m.Asker) {
		fail(w, http.StatusNotFound, "match", errNoMatch.Error())
		return
	}
	if err != nil {
		l.unavailable(w, "read a blind match", err)
		return
	}
	if step := r.PathValue("step"); step == "state" {
		re := matchReply{State: m.State}
		if m.State == MatchConsented {
			re.Held, re.Epoch, re.Commit, re.Key = m.Held, m.Epoch, m.Commit, m.Key
		}
		answer(w, re)
	} else if m.State != MatchConsented || l.now().After(m.Expires) {
		fail(w, http.StatusForbidden, "match", "there is no consent to this match, or it has run out")
	} else if step == "evaluate" {
		l.serveEvaluate(w, r, m, q.Elements)
	} else if step == "tags" && q.From >= 0 && q.From < m.Held {
		answer(w, matchReply{Tags: m.Tags[q.From*tagLength : min(q.From+tagsPage, m.Held)*tagLength]})
	} else {
		fail(w, http.StatusBadRequest, "match", "the question cannot be read")
	}
}

func (l *Line) serveProposal(w http.ResponseWriter, r *http.Request, p *partnerRecord) {
	var q matchProposal
	if !readBody(w, r, 64<<10, &q) {
		return
	}
	now := l.now().UTC()
	terms := Terms{Kinds: slices.Clone(q.Kinds), Width: time.Duration(q.Width) * time.Millisecond}
	bad := !streamPattern.MatchString(q.Run) || len(q.Kinds) == 0 || terms.check() != nil || !slices.Equal(terms.Kinds, q.Kinds) ||
		q.Asked != bucket(q.Asked) || q.Asked > maxMatchSet
	if bad {
		fail(w, http.StatusBadRequest, "match", "the proposal cannot be read")
		return
	}
	m := &Match{Run: q.Run, Partner: p.Node, Kinds: q.Kinds, Width: q.Width, State: MatchProposed, By: PartnerReader(p.Node), Asked: q.Asked,
		Proposed: now, Expires: now.Add(matchValid)}
	act := audit.Act{Actor: PartnerReader(p.Node), Verb: "match-propose", Subject: m.Run, Detail: map[string]string{"asked": fmt.Sprint(m.Asked)}}
	_, err := l.commit(r.Context(), act, func(tx *vault.Tx) error {
		var old Match
		if ok, err := load(tx, spaceMatch, q.Run, &old); err != nil || ok {
			return errors.Join(err, errNoMatch)
		}
		return save(tx, spaceMatch, m.Run, m)
	})
	if errors.Is(err, errNoMatch) {
		fail(w, http.StatusConflict, "match", "this run is known already")
		return
	}
	if err != nil {
		l.unavailable(w, "note a proposal", err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// matchCount counts what a partner was answered in one epoch, over all runs:
// the limit that keeps it from enumerating.
type matchCount struct {
	Evaluated int64 `json:"evaluated"`
}

// serveEvaluate answers one batch. It is counted and logged before it is
// answered, and refused beyond what was proposed or what the epoch allows.
func (l *Line) serveEvaluate(w http.ResponseWriter, r *http.Request, m *Match, elements []byte) {
	n := int64(len(elements) / elementSize)
	key := fmt.Sprintf("%s/%d", m.Partner, m.Epoch)
	errSpent := errors.New("no more elements are answered: this match or this week's share is used up")
	act := audit.Act{Actor: PartnerReader(m.Partner), Verb: "match-evaluate", Subject: m.Run, Detail: map[string]string{"elements": fmt.Sprint(n)}}
	_, err := l.commit(r.Context(), act, func(tx *vault.Tx) error {
		var now Match
		if _, err := load(tx, spaceMatch, m.Run, &now); err != nil {
			return err
		}
		var c matchCount
		if _, err := load(tx, spaceMatchCount, key, &c); err != nil {
			return err
		}
		now.Evaluated += n
		c.Evaluated += n
		if now.Evaluated > int64(now.Asked) || c.Evaluated > l.limits.Matches || n == 0 {
			return errSpent
		}
		if err := save(tx, spaceMatchCount, key, c); err != nil {
			return err
		}
		return save(tx, spaceMatch, m.Run, now)
	})
	if errors.Is(err, errSpent) {
		fail(w, http.StatusTooManyRequests, "match", errSpent.Error())
		return
	}
	if err != nil {
		l.unavailable(w, "count a blind match", err)
		return
	}
	k := l.ring.generation(m.Own)
	if k == nil {
		fail(w, http.StatusGone, "match", "the keys of this match are gone; propose it again")
		return
	}
	ev, err := newEvaluator(k, m.Partner, m.Epoch)
	if err != nil {
		l.unavailable(w, "evaluate", err)
		return
	}
	evaluated, proof, err := ev.evaluate(elements)
	if err != nil {
		fail(w, http.StatusBadRequest, "match", err.Error())
		return
	}
	answer(w, matchReply{Elements: evaluated, Proof: proof})
}
