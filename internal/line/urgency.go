package line

import (
	"context"
	"sync/atomic"
	"time"
)

// urgency is what is at work on one line, by precedence. Lanes are
// independent, but they share a store and a processor: the less urgent let the
// more urgent go first, for a while.
type urgency [len(precedences)]atomic.Int32

// patience is how long a message lets more urgent ones go first. It bounds
// what FLASH traffic without end costs ROUTINE: one message in this time.
const patience = 300 * time.Millisecond

// urgency gives the line's counter.
func (l *Line) urgency(node string) *urgency {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.urgent[node] == nil {
		l.urgent[node] = new(urgency)
	}
	return l.urgent[node]
}

// enter says that a message of precedence p is at work until the function
// that it gives is called.
func (u *urgency) enter(p Precedence) (leave func()) {
	u[p].Add(1)
	return func() { u[p].Add(-1) }
}

// above says whether something more urgent than p is at work.
func (u *urgency) above(p Precedence) bool {
	for q := p + 1; q <= Flash; q++ {
		if u[q].Load() > 0 {
			return true
		}
	}
	return false
}

// yield lets what is more urgent than p go first.
func (u *urgency) yield(ctx context.Context, p Precedence) {
	for end := time.Now().Add(patience); u.above(p) && time.Now().Before(end) && ctx.Err() == nil; {
		time.Sleep(time.Millisecond)
	}
}
