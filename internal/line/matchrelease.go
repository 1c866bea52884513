package line

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault"
)

// matchLimit bounds how long a match in the background may take.
const matchLimit = 30 * time.Minute

// Progress is how far a blind match in the background has come, in batches.
type Progress struct{ Done, Total int }

// StartMatch runs a blind match over the vault's values in the background:
// [Line.MatchProgress] says how far it is, and its record how it ended.
func (l *Line) StartMatch(ctx context.Context, by, run string) error {
	m, err := l.loadMatch(ctx, run)
	if err != nil {
		return err
	}
	if !m.Asker || m.State != MatchProposed {
		return fmt.Errorf("run a blind match: only the node that proposed it runs it, once (it is %s)", m.State)
	}
	if slices.Contains(m.Kinds, kindPost) {
		return errors.New("run a blind match: it is about posts, which lie in files; \"causeway line match run --posts\" takes them")
	}
	k := &link{line: l, node: m.Partner}
	defer k.close()
	var st matchReply
	if err := k.match(ctx, "state", matchQuestion{Run: run}, &st); err != nil {
		return fmt.Errorf("run a blind match: %w", err)
	}
	if st.State == MatchProposed {
		return errors.New("run a blind match: the partner's people have not answered yet")
	}
	return l.inBackground(ctx, run, func(ctx context.Context) error {
		_, err := l.Match(ctx, by, run, nil, func(done, total int) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.matching[run] = Progress{done, total}
		})
		return err
	})
}

// StartAnswer consents to a partner's proposal in the background: it takes
// long to compute a large set.
func (l *Line) StartAnswer(ctx context.Context, by, run string) error {
	m, err := l.loadMatch(ctx, run)
	if err != nil {
		return err
	}
	if m.Asker || m.State != MatchProposed || l.now().After(m.Expires) {
		return errors.New("answer a blind match: it is not one that waits for this node's answer")
	}
	return l.inBackground(ctx, run, func(ctx context.Context) error { return l.AnswerMatch(ctx, by, run, true, nil) })
}

// inBackground works on a match beyond the request that asked for it.
func (l *Line) inBackground(ctx context.Context, run string, work func(context.Context) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.matching[run]; ok {
		return errors.New("work on a blind match: it runs already")
	}
	l.matching[run] = Progress{}
	go func() {
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), matchLimit)
		defer stop()
		err := work(ctx)
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.matching, run)
		if err != nil {
			l.log.Warn("a blind match did not come to its end", "run", run, "error", err)
		}
	}()
	return nil
}

// MatchProgress says how far a match is that runs in the background.
func (l *Line) MatchProgress(run string) (Progress, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := l.matching[run]
	return p, ok
}

// matchRelease tells the other side of a match that this side releases it.
// The asker shows which of the holder's own tags it found.
type matchRelease struct {
	Run   string   `json:"run"`
	Found [][]byte `json:"found,omitempty"` // tags, sorted
}

// ReleaseMatch releases the outcome of a blind match to the other side. The
// asker goes first: by its release the holder learns which of its own values
// both have. With the holder's release both have agreed to work on the match
// together; objects themselves still go only by a release of their own.
func (l *Line) ReleaseMatch(ctx context.Context, by, run string) error {
	m, err := l.loadMatch(ctx, run)
	if err != nil {
		return err
	}
	wrong := func(err error) error { return fmt.Errorf("release a blind match: %w", err) }
	switch {
	case m.State != MatchDone:
		return wrong(fmt.Errorf("it is %s; there is nothing to release yet", m.State))
	case !m.Mine.IsZero():
		return wrong(errors.New("this node has released it already"))
	case !m.Asker && m.Theirs.IsZero():
		return wrong(errors.New("the node that asked releases first; until then it alone knows what was found"))
	}
	k := &link{line: l, node: m.Partner}
	defer k.close()
	body := mustCanonical(matchRelease{Run: run, Found: m.Common})
	if !m.Asker {
		body = mustCanonical(matchRelease{Run: run})
	}
	if _, err := k.do(ctx, http.MethodPost, pathMatch+"release", bytes.NewReader(body), nil, nil); err != nil {
		return wrong(err)
	}
	return l.changeMatch(ctx, by, "match-release", run, func(m *Match) { m.Mine = l.now().UTC() })
}

// changeMatch alters a match's record in an act of its own.
func (l *Line) changeMatch(ctx context.Context, by, verb, run string, alter func(*Match)) error {
	_, err := l.commit(ctx, audit.Act{Actor: by, Verb: verb, Subject: run}, func(tx *vault.Tx) error {
		var m Match
		if ok, err := load(tx, spaceMatch, run, &m); err != nil || !ok {
			return errors.Join(err, errNoMatch)
		}
		alter(&m)
		return save(tx, spaceMatch, run, m)
	})
	return err
}

// serveMatchRelease takes the other side's release of a match.
func (l *Line) serveMatchRelease(w http.ResponseWriter, r *http.Request, p *partnerRecord) {
	var q matchRelease
	if !readBody(w, r, maxMatchSet*tagLength*2, &q) {
		return
	}
	m, err := l.loadMatch(r.Context(), q.Run)
	if errors.Is(err, errNoMatch) || err == nil && m.Partner != p.Node {
		fail(w, http.StatusNotFound, "match", errNoMatch.Error())
		return
	}
	if err != nil {
		l.unavailable(w, "read a blind match", err)
		return
	}
	if m.Asker && (m.State != MatchDone || m.Mine.IsZero()) || !m.Asker && m.State != MatchConsented && m.State != MatchDone {
		fail(w, http.StatusForbidden, "match", "this match is not one that can be released now")
		return
	}
	var found []Value
	if !m.Asker {
		if found, err = l.valuesOfTags(r.Context(), m, q.Found); err != nil {
			fail(w, http.StatusUnprocessableEntity, "match", "what is released was not found in this match")
			return
		}
	}
	err = l.changeMatch(r.Context(), PartnerReader(p.Node), "match-released", q.Run, func(m *Match) {
		m.Theirs = l.now().UTC()
		if !m.Asker {
			m.State, m.Found, m.Done = MatchDone, found, m.Theirs
		}
	})
	if err != nil {
		l.unavailable(w, "note a release", err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// valuesOfTags finds the holder's own values behind tags that the asker found.
// Tags that were not in the set that the holder committed to are refused.
// Posts lie in files, so their values are not found here.
func (l *Line) valuesOfTags(ctx context.Context, m *Match, tags [][]byte) ([]Value, error) {
	if len(m.Tags) == 0 || sha256.Sum256(m.Tags) != m.Commit {
		return nil, errMatch
	}
	want := map[[tagLength]byte]bool{}
	for _, tag := range tags {
		if len(tag) != tagLength {
			return nil, errMatch
		}
		want[[tagLength]byte(tag)] = false
	}
	for i := 0; i+tagLength <= len(m.Tags); i += tagLength {
		if _, ok := want[[tagLength]byte(m.Tags[i:])]; ok {
			want[[tagLength]byte(m.Tags[i:])] = true
		}
	}
	for _, there := range want {
		if !there {
			return nil, errMatch
		}
	}
	if len(want) == 0 || slices.Contains(m.Kinds, kindPost) {
		return nil, nil
	}
	k := l.ring.generation(m.Own)
	if k == nil {
		return nil, errMatch
	}
	ev, err := newEvaluator(k, m.Partner, m.Epoch)
	if err != nil {
		return nil, err
	}
	values, err := l.matchValues(ctx, m.Partner, m.Kinds, nil)
	if err != nil {
		return nil, err
	}
	hits := make([]bool, len(values))
	err = spread(ctx, len(values), func(i int) error {
		y, err := ev.server.FullEvaluate([]byte(values[i].Text))
		if err == nil {
			hits[i] = want[[tagLength]byte(y[:tagLength])]
		}
		return err
	})
	var found []Value
	for i, hit := range hits {
		if hit {
			found = append(found, values[i])
		}
	}
	return found, err
}
