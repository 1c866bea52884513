package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"causeway/internal/audit"
	"causeway/internal/line"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/stanag4774"
)

// Two clocks, because two opposite things can be stolen with one. What ends by
// time (clearances, attestations, tables) goes by a clock that is never behind
// the audit log: set back, it extends nothing. What begins by time and lets
// more people read (the successor of a label) goes by the trusted time, which
// needs a partner's signed word beside the node's clock: set forward, it
// declassifies nothing.

// heldTime is the clock of what ends.
type heldTime struct {
	clock func() time.Time
	floor atomic.Int64 // microseconds since 1970
}

// now is the clock's time, or the latest that was ever seen.
func (h *heldTime) now() time.Time {
	t := h.clock()
	for {
		f := h.floor.Load()
		if t.UnixMicro() <= f {
			return time.UnixMicro(f).UTC()
		}
		if h.floor.CompareAndSwap(f, t.UnixMicro()) {
			return t
		}
	}
}

// raise makes the clock be at a time at least.
func (h *heldTime) raise(to time.Time) {
	for f := h.floor.Load(); !to.IsZero() && f < to.UnixMicro(); f = h.floor.Load() {
		if h.floor.CompareAndSwap(f, to.UnixMicro()) {
			return
		}
	}
}

// raiseFloor takes the audit log's last time for the clock of what ends; other
// servers of this node may have written it.
func (n *Node) raiseFloor(ctx context.Context) error {
	at, err := n.Vault.LastAct(ctx)
	if err == nil {
		n.held.raise(at)
	}
	return err
}

const (
	spaceTime      = "trusted-time"
	trustedKey     = "last"
	clocksApart    = 15 * time.Minute    // how far a partner's clock may be ahead of ours and still be believed
	longestStep    = 45 * 24 * time.Hour // how far the trusted time moves in one step without a person
	rememberEvery  = 24 * time.Hour      // how often a trusted time is kept on which nothing depended
	successorEvery = time.Minute
)

// TimeStanding says how the trusted time stands.
type TimeStanding struct {
	Clock   time.Time `json:"clock"`            // the node's own
	Ends    time.Time `json:"ends"`             // what ends goes by it
	Partner time.Time `json:"partner,omitzero"` // the latest time that a partner signed and our clock does not contradict
	Trusted time.Time `json:"trusted"`          // successors act by it
	Why     string    `json:"why,omitempty"`    // why it does not move
}

// Time says how the trusted time stands now.
func (n *Node) Time(ctx context.Context) (TimeStanding, error) {
	s := TimeStanding{Clock: n.now(), Ends: n.held.now()}
	last, err := n.lastTrusted(ctx)
	if err != nil {
		return s, err
	}
	s.Trusted = last
	if s.Partner, err = n.partnersTime(ctx, s.Clock); err != nil {
		return s, err
	}
	if s.Partner.IsZero() {
		s.Why = "no partner has signed a time that this clock agrees with"
		return s, nil
	}
	t := label.TrustedTime{Last: last, Apart: longestStep, LongStep: longestStep}
	if s.Trusted, err = t.Advance(s.Clock, s.Partner); err != nil {
		s.Why = err.Error()
	}
	return s, nil
}

// partnersTime is the latest time that a partner signed. One that is ahead of
// this node's clock is no witness against it: where one of the two is wrong,
// the earlier counts.
func (n *Node) partnersTime(ctx context.Context, clock time.Time) (latest time.Time, err error) {
	all, err := n.Line.Status(ctx)
	if err != nil {
		return latest, err
	}
	for _, s := range all {
		if s.Partner.State == line.Active && s.Fork == nil && s.Said.After(latest) && !s.Said.After(clock.Add(clocksApart)) {
			latest = s.Said.UTC()
		}
	}
	return latest, nil
}

// lastTrusted is the trusted time as it was kept. A node begins with the time
// of its founding.
func (n *Node) lastTrusted(ctx context.Context) (time.Time, error) {
	b, ok, err := n.Vault.Record(ctx, spaceTime, trustedKey)
	if err != nil {
		return time.Time{}, err
	}
	if !ok {
		return n.Config.Created, nil
	}
	var at time.Time
	if err := json.Unmarshal(b, &at); err != nil {
		return at, fmt.Errorf("read the trusted time: %w", err)
	}
	return at, nil
}

func keepTrusted(tx *vault.Tx, at time.Time) error {
	b, err := json.Marshal(at.UTC())
	if err != nil {
		return fmt.Errorf("encode the trusted time: %w", err)
	}
	return tx.PutRecord(spaceTime, trustedKey, b)
}

// StateTime moves the trusted time by hand, where it cannot move by itself: no
// partner signs times, or the step is long. It never goes back, nor beyond the
// node's clock, nor beyond what partners signed where there are any.
func (n *Node) StateTime(ctx context.Context, by people.Person, to time.Time, why string) error {
	if !by.Has(people.SecurityOfficer) {
		return fmt.Errorf("state the time: %w: only a security officer may", people.ErrForbidden)
	}
	s, err := n.Time(ctx)
	if err != nil {
		return err
	}
	last, err := n.lastTrusted(ctx)
	switch {
	case err != nil:
		return err
	case strings.TrimSpace(why) == "":
		return errors.New("say by what you know the time")
	case to.Before(last):
		return fmt.Errorf("state the time: %w: it was %s already", label.ErrClock, last.Format(time.RFC3339))
	case to.After(s.Clock):
		return fmt.Errorf("state the time: %w: it is later than this node's clock", label.ErrClock)
	case !s.Partner.IsZero() && to.After(s.Partner):
		return fmt.Errorf("state the time: %w: the latest that a partner signed is %s", label.ErrClock, s.Partner.Format(time.RFC3339))
	}
	act := audit.Act{Actor: by.ReaderID(), Verb: "state-time", Detail: map[string]string{"to": to.UTC().Format(time.RFC3339), "why": why}}
	_, err = n.Vault.Act(ctx, act, func(tx *vault.Tx) error { return keepTrusted(tx, to) })
	return err
}

// Succeed lets every successor of a label that is due by the trusted time take
// its place, one step. Each step is a release decision: it is logged, shows in
// the history of the object, and those who gain it find it in their feeds with
// the time of the act. It says how many versions changed.
func (n *Node) Succeed(ctx context.Context) (changed int, err error) {
	s, err := n.Time(ctx)
	if err != nil {
		return 0, err
	}
	due, err := n.due(ctx, s.Trusted)
	if err != nil {
		return 0, err
	}
	ids, err := n.governedBy(ctx, due)
	if err != nil || len(ids) == 0 {
		return 0, errors.Join(err, n.rememberTime(ctx, s.Trusted))
	}
	step := func(e label.Effective) (label.Effective, error) {
		after, _, err := n.Policies().Succeed(e, stanag4774.ParseLabel, stanag4774.WriteLabel, s.Trusted)
		return after, err
	}
	for batch := range slices.Chunk(ids, translateBatch) {
		act := audit.Act{Actor: "node", Verb: "succeed", Subject: aboutLabels + "succession", Detail: map[string]string{"trusted-time": s.Trusted.UTC().Format(time.RFC3339),
			"clock": s.Clock.UTC().Format(time.RFC3339), "partner": s.Partner.Format(time.RFC3339), "objects": strconv.Itoa(len(batch))}}
		_, err := n.Vault.Act(ctx, act, func(tx *vault.Tx) error {
			for _, id := range batch {
				c, err := tx.Revise(id, step)
				if err != nil && !errors.Is(err, vault.ErrNotFound) {
					return err
				}
				changed += c
			}
			return keepTrusted(tx, s.Trusted)
		})
		if err != nil {
			return 0, err
		}
	}
	return changed, nil
}

// rememberTime keeps the trusted time now and then, so that a restart does not
// make the next step too long.
func (n *Node) rememberTime(ctx context.Context, at time.Time) error {
	last, err := n.lastTrusted(ctx)
	if err != nil || at.Sub(last) < rememberEvery {
		return err
	}
	act := audit.Act{Actor: "node", Verb: "trust-time", Detail: map[string]string{"to": at.UTC().Format(time.RFC3339)}}
	_, err = n.Vault.Act(ctx, act, func(tx *vault.Tx) error { return keepTrusted(tx, at) })
	return err
}

// due gives what has a label whose successor is due.
func (n *Node) due(ctx context.Context, trusted time.Time) ([]label.Effective, error) {
	var out []label.Effective
	err := n.Vault.Governing(ctx, func(e label.Effective) {
		for _, xml := range e.Labels {
			if !bytes.Contains(xml, []byte("SuccessionHandling")) {
				continue
			}
			l, err := stanag4774.ParseLabel(xml)
			if err != nil {
				continue
			}
			if _, is := label.Due(l, trusted); is {
				out = append(out, e)
				return
			}
		}
	})
	return out, err
}

// governedBy finds the objects that one of these governs.
func (n *Node) governedBy(ctx context.Context, es []label.Effective) ([]string, error) {
	if len(es) == 0 {
		return nil, nil
	}
	governs := map[string]bool{}
	for _, e := range es {
		governs[string(e.Encode())] = true
	}
	var ids []string
	seen := map[string]bool{}
	err := n.each(ctx, vault.Query{Match: vault.Match{Versions: []string{"all"}, LabelContains: "SuccessionHandling"}, Bare: true}, func(row vault.Row) error {
		if governs[string(row.Effective.Encode())] && !seen[row.ID] {
			seen[row.ID] = true
			ids = append(ids, row.ID)
		}
		return nil
	})
	return ids, err
}

// succeed is [Node.Succeed] for the serving node: a failure is somebody's to
// look at, and no reason to stop.
func (n *Node) succeed(ctx context.Context) error {
	if _, err := n.Succeed(ctx); err != nil && ctx.Err() == nil {
		n.Log.Warn("let the successors of labels take their place", "err", err)
	}
	return nil
}
