package line

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/stix"
)

// States of a blind match.
const (
	MatchProposed  = "proposed"  // the asker asked; the holder's people have not answered
	MatchConsented = "consented" // both sides agreed; the asker may run it once
	MatchRefused   = "refused"
	MatchDone      = "done"
	MatchFailed    = "failed"
)

// Match is one blind match, as either side keeps it. The asker learns which
// of its own values the holder has too. The holder learns how many were
// asked about, in a bucket, and nothing else; neither learns what the other
// holds beyond that.
type Match struct {
	Run       string    `json:"run"`
	Partner   string    `json:"partner"`
	Asker     bool      `json:"asker"` // this node asked
	Kinds     []string  `json:"kinds"`
	Width     int64     `json:"width,omitempty"` // kind "post": of the grids of time, in milliseconds
	State     string    `json:"state"`
	By        string    `json:"by"`               // who proposed or answered here
	Asked     int       `json:"asked"`            // bucket of the asker's set
	Held      int       `json:"held"`             // bucket of the holder's set
	Epoch     int64     `json:"epoch"`            // of the holder's key
	Commit    Digest    `json:"commit"`           // to the holder's set, made before the first answer
	Evaluated int64     `json:"evaluated"`        // elements that the holder answered
	Found     []Value   `json:"found"`            // the asker's own values that the holder has too
	Reason    string    `json:"reason"`           // why it was refused or failed
	Proposed  time.Time `json:"proposed"`         // by this node's clock
	Expires   time.Time `json:"expires"`          // consent ends
	Key       []byte    `json:"key"`              // the holder's public key
	Own       int       `json:"own"`              // generation of this node's keys that the key derives from
	Tags      []byte    `json:"tags"`             // the holder's set under its key
	Done      time.Time `json:"done,omitzero"`    // by this node's clock
	Common    [][]byte  `json:"common,omitempty"` // the asker: the holder's tags that it found, sorted
	Mine      time.Time `json:"mine,omitzero"`    // this node released the outcome to the other
	Theirs    time.Time `json:"theirs,omitzero"`  // the other released it to this node
}

// matchValid is how long a proposal, and consent to it, last.
const matchValid = 24 * time.Hour

// matchEpoch is a week: the count of what a partner was answered starts
// afresh with it, and so does the key.
func matchEpoch(now time.Time) int64 { return now.Unix() / (7 * 24 * 3600) }

var errNoMatch = errors.New("there is no such blind match")

// Terms are what a blind match is about.
type Terms struct {
	Kinds []string      // none: all that the vault gives
	Width time.Duration // kind "post" only: of the grids of time
}

func (t *Terms) check() error {
	if len(t.Kinds) == 0 {
		for _, k := range matchKinds {
			if k != kindPost {
				t.Kinds = append(t.Kinds, k)
			}
		}
	}
	for _, k := range t.Kinds {
		if !slices.Contains(matchKinds, k) {
			return fmt.Errorf("kind %q is not one of %v", k, matchKinds)
		}
	}
	slices.Sort(t.Kinds)
	t.Kinds = slices.Compact(t.Kinds)
	switch posts := slices.Contains(t.Kinds, kindPost); {
	case posts && len(t.Kinds) > 1:
		return errors.New("posts are compared by themselves, not with other kinds")
	case posts && (t.Width < minWidth || t.Width > maxWidth):
		return fmt.Errorf("a width of %v is not within %v to %v", t.Width, minWidth, maxWidth)
	case !posts && t.Width != 0:
		return errors.New("a width is for posts only")
	}
	return nil
}

// ProposeMatch asks a partner to agree to a blind match. Its people answer
// with [Line.AnswerMatch]. posts are the values of kind "post" and nil for
// others, whose values the vault gives.
func (l *Line) ProposeMatch(ctx context.Context, by, node string, terms Terms, posts []Value) (*Match, error) {
	if err := terms.check(); err != nil {
		return nil, fmt.Errorf("propose a blind match: %w", err)
	}
	values, err := l.matchValues(ctx, node, terms.Kinds, posts)
	if err != nil {
		return nil, fmt.Errorf("propose a blind match: %w", err)
	}
	if len(values) == 0 {
		return nil, errors.New("propose a blind match: this node holds nothing of these kinds that the partner may know of")
	}
	now := l.now().UTC()
	m := &Match{Run: hex.EncodeToString(randomBytes(16)), Partner: node, Asker: true, Kinds: terms.Kinds, Width: terms.Width.Milliseconds(),
		State: MatchProposed, By: by, Asked: bucket(len(values)), Proposed: now, Expires: now.Add(matchValid)}
	if err := l.saveMatch(ctx, by, "match-propose", m); err != nil {
		return nil, err
	}
	k := &link{line: l, node: node}
	defer k.close()
	body := mustCanonical(matchProposal{Run: m.Run, Kinds: m.Kinds, Width: m.Width, Asked: m.Asked, Expires: millis(m.Expires)})
	if _, err := k.do(ctx, http.MethodPost, pathMatch+"propose", bytes.NewReader(body), nil, nil); err != nil {
		m.State, m.Reason = MatchFailed, err.Error()
		return nil, errors.Join(fmt.Errorf("propose a blind match: %w", err), l.saveMatch(ctx, by, "match-fail", m))
	}
	return m, nil
}

type matchProposal struct {
	Run     string   `json:"run"`
	Kinds   []string `json:"kinds"`
	Width   int64    `json:"width,omitempty"` // milliseconds
	Asked   int      `json:"asked"`
	Expires int64    `json:"expires"`
}

type matchQuestion struct {
	Run      string `json:"run"`
	Elements []byte `json:"elements,omitempty"`
	From     int    `json:"from,omitempty"`
}

type matchReply struct {
	State    string `json:"state,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Held     int    `json:"held,omitempty"`
	Epoch    int64  `json:"epoch,omitempty"`
	Commit   Digest `json:"commit"`
	Key      []byte `json:"key,omitempty"`
	Elements []byte `json:"elements,omitempty"`
	Proof    []byte `json:"proof,omitempty"`
	Tags     []byte `json:"tags,omitempty"`
}

// Matches lists the blind matches of this node, newest first.
func (l *Line) Matches(ctx context.Context) ([]Match, error) {
	var out []Match
	err := scan(l.outside(ctx), spaceMatch, "", func(key string, value []byte) error {
		var m Match
		if err := decodeRecord(spaceMatch, key, value, &m); err != nil {
			return err
		}
		m.Tags, m.Common = nil, nil
		out = append(out, m)
		return nil
	})
	slices.SortFunc(out, func(a, b Match) int { return b.Proposed.Compare(a.Proposed) })
	return out, err
}

// AnswerMatch consents to a partner's proposal, or refuses it. With consent
// the node fixes its set under a key of this partner and epoch, and keeps a
// digest of it: what it answers afterwards cannot be made up for the asker.
// posts are as for [Line.ProposeMatch].
func (l *Line) AnswerMatch(ctx context.Context, by, run string, consent bool, posts []Value) error {
	m, err := l.loadMatch(ctx, run)
	if err != nil {
		return err
	}
	switch {
	case m.Asker:
		return errors.New("answer a blind match: this node asked; the partner has to answer")
	case m.State != MatchProposed:
		return fmt.Errorf("answer a blind match: it is %s already", m.State)
	case l.now().After(m.Expires):
		return errors.New("answer a blind match: the proposal has run out; ask for a new one")
	}
	if !consent {
		m.State, m.By = MatchRefused, by
		return l.saveMatch(ctx, by, "match-refuse", m)
	}
	values, err := l.matchValues(ctx, m.Partner, m.Kinds, posts)
	if err != nil {
		return fmt.Errorf("answer a blind match: %w", err)
	}
	k := l.ring.Current()
	m.Own, m.Epoch = k.Identity.Generation, matchEpoch(l.now())
	ev, err := newEvaluator(k, m.Partner, m.Epoch)
	if err != nil {
		return fmt.Errorf("answer a blind match: %w", err)
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = v.Text
	}
	if m.Tags, err = ev.tags(ctx, texts); err != nil {
		return fmt.Errorf("answer a blind match: %w", err)
	}
	m.Key, m.Commit, m.Held = ev.public, sha256.Sum256(m.Tags), len(m.Tags)/tagLength
	m.State, m.By = MatchConsented, by
	return l.saveMatch(ctx, by, "match-consent", m)
}

// Match runs a blind match that the partner consented to, once, and gives
// what both hold. posts are as for [Line.ProposeMatch]; progress may be nil.
func (l *Line) Match(ctx context.Context, by, run string, posts []Value, progress func(done, total int)) (*Match, error) {
	m, err := l.loadMatch(ctx, run)
	if err != nil {
		return nil, err
	}
	if !m.Asker || m.State != MatchProposed {
		return nil, fmt.Errorf("run a blind match: only the node that proposed it runs it, once (it is %s)", m.State)
	}
	k := &link{line: l, node: m.Partner}
	defer k.close()
	var st matchReply
	if err := k.match(ctx, "state", matchQuestion{Run: run}, &st); err != nil {
		return nil, fmt.Errorf("run a blind match: %w", err)
	}
	switch st.State {
	case MatchProposed:
		return nil, errors.New("run a blind match: the partner's people have not answered yet")
	case MatchRefused:
		m.State, m.Reason = MatchRefused, "the partner refused"
		return m, l.saveMatch(ctx, by, "match-refused", m)
	case MatchConsented:
	default:
		return nil, fmt.Errorf("run a blind match: at the partner it is %s", clip(st.State))
	}
	m.Held, m.Epoch, m.Commit, m.Key = st.Held, st.Epoch, st.Commit, st.Key
	if m.Held < 64 || m.Held > maxMatchSet || m.Held != bucket(m.Held) {
		return nil, fmt.Errorf("run a blind match: %w: the partner states a set of %d", errMatch, m.Held)
	}
	found, common, err := l.runMatch(ctx, k, m, posts, progress)
	m.Done = l.now().UTC()
	if err != nil {
		m.State, m.Reason = MatchFailed, clip(err.Error())
		return nil, errors.Join(fmt.Errorf("run a blind match: %w", err), l.saveMatch(context.WithoutCancel(ctx), by, "match-fail", m))
	}
	m.State, m.Found, m.Common, m.Evaluated = MatchDone, found, common, int64(m.Asked)
	return m, l.saveMatch(ctx, by, "match-done", m)
}

func (l *Line) runMatch(ctx context.Context, k *link, m *Match, posts []Value, progress func(done, total int)) (found []Value, common [][]byte, err error) {
	values, err := l.matchValues(ctx, m.Partner, m.Kinds, posts)
	if err != nil {
		return nil, nil, err
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = v.Text
	}
	// What was added since the proposal would not fit into what was agreed.
	texts = texts[:min(len(texts), m.Asked)]
	values = values[:len(texts)]
	a, err := newAsker(ctx, m.Key, texts, m.Asked)
	if err != nil {
		return nil, nil, err
	}
	replies, err := l.evaluations(ctx, k, m.Run, a, progress)
	if err != nil {
		return nil, nil, err
	}
	// Only when the holder has answered everything: how long a batch takes here
	// would tell it which were noise.
	outputs := make([][][]byte, len(a.batches))
	err = spread(ctx, len(a.batches), func(i int) (err error) {
		if a.batches[i].data != nil {
			outputs[i], err = a.finalize(i, replies[i].Elements, replies[i].Proof)
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	tags, err := k.matchTags(ctx, m)
	if err != nil {
		return nil, nil, err
	}
	theirs := make(map[[tagLength]byte]bool, m.Held)
	for i := 0; i+tagLength <= len(tags); i += tagLength {
		theirs[[tagLength]byte(tags[i:])] = true
	}
	for i, v := range values {
		if tag := outputs[i/matchBatch][i%matchBatch][:tagLength]; theirs[[tagLength]byte(tag)] {
			found, common = append(found, v), append(common, tag)
		}
	}
	slices.SortFunc(common, bytes.Compare)
	return found, common, nil
}

// evaluations has the holder answer every batch.
func (l *Line) evaluations(ctx context.Context, k *link, run string, a *asker, progress func(done, total int)) ([]matchReply, error) {
	replies := make([]matchReply, len(a.batches))
	var mu sync.Mutex
	done := 0
	err := spread(ctx, len(a.batches), func(i int) error {
		if err := k.match(ctx, "evaluate", matchQuestion{Run: run, Elements: a.batches[i].elements}, &replies[i]); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if done++; progress != nil {
			progress(done, len(a.batches))
		}
		return nil
	})
	return replies, err
}

// tagsPage is how many tags one answer carries.
const tagsPage = 20_000

// matchTags gets the holder's set and checks that it is the one it committed
// to before it answered anything.
func (k *link) matchTags(ctx context.Context, m *Match) ([]byte, error) {
	var tags []byte
	for len(tags) < m.Held*tagLength {
		var re matchReply
		if err := k.match(ctx, "tags", matchQuestion{Run: m.Run, From: len(tags) / tagLength}, &re); err != nil {
			return nil, err
		}
		if len(re.Tags) == 0 || len(re.Tags)%tagLength != 0 {
			return nil, fmt.Errorf("%w: the partner's set ends early", errMatch)
		}
		tags = append(tags, re.Tags...)
	}
	if sha256.Sum256(tags) != m.Commit {
		return nil, fmt.Errorf("%w: the partner's set is not the one it committed to", errMatch)
	}
	return tags, nil
}

// match asks one question of a blind match. Answers are longer than others of
// the protocol.
func (k *link) match(ctx context.Context, step string, q matchQuestion, re *matchReply) error {
	_, err := k.do(ctx, http.MethodPost, pathMatch+step, bytes.NewReader(mustCanonical(q)), nil, re)
	return err
}

// matchValues collects this node's values of the kinds that the partner may
// know exist: of objects whose label the partner's clearance satisfies,
// whether or not they were released to it.
func (l *Line) matchValues(ctx context.Context, node string, kinds []string, posts []Value) ([]Value, error) {
	if slices.Contains(kinds, kindPost) {
		return distinct(posts)
	}
	if l.node == nil {
		return nil, errors.New("this node has no reader of its own")
	}
	p, err := l.Partner(ctx, node)
	if err != nil {
		return nil, err
	}
	held := l.Reader(p).Holdings
	view := l.vault.As(l.node())
	seen := map[string]bool{}
	var out []Value
	q := vault.Query{Match: vault.Match{Types: []string{"domain-name", "url", "ipv4-addr", "ipv6-addr", "user-account", "file", "artifact", "identity"}}, Limit: 1_000}
	for {
		page, err := view.Page(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range page.Rows {
			row := &page.Rows[i]
			if !label.Allows(row.Effective.Rule, held) {
				continue
			}
			o, err := stix.ParseObject(row.Raw)
			if err != nil {
				return nil, err
			}
			for _, v := range valuesOf(o) {
				if kind, _, _ := bytes.Cut([]byte(v.Text), []byte(":")); slices.Contains(kinds, string(kind)) && !seen[v.Text] && len(seen) < maxMatchSet {
					seen[v.Text] = true
					out = append(out, v)
				}
			}
		}
		if !page.More {
			return out, nil
		}
		q.Cursor = page.Next
	}
}

// distinct gives each value of posts once.
func distinct(posts []Value) ([]Value, error) {
	seen := map[string]bool{}
	var out []Value
	for _, v := range posts {
		if !seen[v.Text] {
			seen[v.Text] = true
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("this match is about posts; give the files that hold them")
	}
	if len(out) > maxMatchSet {
		return nil, fmt.Errorf("%d values are over the limit of %d; choose a shorter time or fewer posts", len(out), maxMatchSet)
	}
	return out, nil
}

func (l *Line) loadMatch(ctx context.Context, run string) (*Match, error) {
	var m Match
	ok, err := load(l.outside(ctx), spaceMatch, run, &m)
	if err == nil && !ok {
		err = fmt.Errorf("%q: %w", run, errNoMatch)
	}
	return &m, err
}

func (l *Line) saveMatch(ctx context.Context, by, verb string, m *Match) error {
	act := audit.Act{Actor: by, Verb: verb, Subject: m.Run, Detail: map[string]string{"partner": m.Partner, "asked": fmt.Sprint(m.Asked), "commit": m.Commit.String()}}
	_, err := l.commit(ctx, act, func(tx *vault.Tx) error { return save(tx, spaceMatch, m.Run, m) })
	return err
}
