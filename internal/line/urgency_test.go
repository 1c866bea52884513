package line

import (
	"testing"
	"time"
)

// The less urgent waits while the more urgent is at work, and not for ever.
func TestUrgency(t *testing.T) {
	var u urgency
	leave := u.enter(Flash)
	if !u.above(Routine) || !u.above(Immediate) || u.above(Flash) {
		t.Error("FLASH is above everything but itself")
	}
	gone := make(chan struct{})
	go func() {
		u.yield(t.Context(), Routine)
		close(gone)
	}()
	leave()
	<-gone
	defer u.enter(Immediate)()
	start := time.Now()
	u.yield(t.Context(), Routine)
	if time.Since(start) < patience {
		t.Error("ROUTINE did not let IMMEDIATE go first")
	}
	start = time.Now()
	u.yield(t.Context(), Flash)
	if time.Since(start) >= patience {
		t.Error("FLASH waited for IMMEDIATE")
	}
}
