package label

import (
	"errors"
	"fmt"
	"time"
)

// Due gives the label that has taken the place of l at a trusted time: one
// step, since a successor may hold another, and each step is a release
// decision that is logged and announced on its own. Only SuccessionDateTime
// acts; a review date that has passed changes nothing. The caller judges the
// successor like any label, and never applies one that stood outside what the
// originator signed.
func Due(l *Label, trusted time.Time) (*Label, bool) {
	if l == nil || l.Successor == nil || l.Successor.Label == nil || trusted.IsZero() || l.Successor.At.IsZero() || trusted.Before(l.Successor.At) {
		return nil, false
	}
	return l.Successor.Label, true
}

// ReviewDue says that the originator should look at the label again. It goes
// to a work list and decides nothing.
func ReviewDue(l *Label, now time.Time) bool {
	return l != nil && !l.Review.IsZero() && !now.Before(l.Review)
}

// TrustedTime is the time that may lower a label. It takes two sources that
// agree, never goes backwards, and never jumps: a clock set forward must not
// declassify. The caller keeps it across restarts. The zero TrustedTime trusts
// nothing until it is set by hand with Last.
type TrustedTime struct {
	Last     time.Time     // the last time that was trusted
	Apart    time.Duration // how far two sources may differ
	LongStep time.Duration // how far time may move in one step; longer needs a person
}

// ErrClock is wrapped by every time that is not trusted.
var ErrClock = errors.New("the time is not trusted")

// Advance gives the next trusted time from two independent sources: the
// earlier of the two. On an error the trusted time stays where it was.
func (t *TrustedTime) Advance(a, b time.Time) (time.Time, error) {
	early, late := a, b
	if late.Before(early) {
		early, late = late, early
	}
	switch {
	case t.Last.IsZero():
		return t.Last, fmt.Errorf("%w: it was never set", ErrClock)
	case late.Sub(early) > t.Apart:
		return t.Last, fmt.Errorf("%w: the sources differ by %v", ErrClock, late.Sub(early))
	case early.Before(t.Last):
		return t.Last, fmt.Errorf("%w: it went back by %v", ErrClock, t.Last.Sub(early))
	case early.Sub(t.Last) > t.LongStep:
		return t.Last, fmt.Errorf("%w: it moved by %v in one step", ErrClock, early.Sub(t.Last))
	}
	t.Last = early
	return early, nil
}
