package line

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// shown is the newest signed checkpoint of this node's audit log. Signing one
// costs a transaction, so messages soon after each other show the same.
type shown struct {
	mu   sync.Mutex
	text string
	size int64
	at   time.Time // when it was read
}

// logState is this node's audit log as it shows it to a partner that vouches
// for an earlier state; nil without a log key.
func (l *Line) logState(ctx context.Context, vouched *Witnessed) (*LogState, error) {
	if l.signer == nil {
		return nil, nil
	}
	s := &l.shown
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := l.now(); s.text == "" || now.Sub(s.at) >= l.limits.Checkpoint || now.Before(s.at) {
		text, err := l.vault.Checkpoint(ctx, l.signer)
		if err != nil {
			return nil, fmt.Errorf("sign a checkpoint: %w", err)
		}
		w, err := openCheckpoint(text, l.Self().LogKey)
		if err != nil {
			return nil, fmt.Errorf("sign a checkpoint: %w", err)
		}
		s.text, s.size, s.at = text, w.Size, now
	}
	st := &LogState{Checkpoint: s.text, Time: millis(s.at)}
	if vouched == nil || vouched.Size <= 0 || vouched.Size > s.size {
		return st, nil
	}
	proof, err := l.vault.ProveGrowth(ctx, vouched.Size, s.size)
	if err != nil {
		return nil, err
	}
	st.Since, st.Proof = vouched.Size, proof
	return st, nil
}

// LogVerifier is the key under which a partner's checkpoints are checked.
func (p Partner) LogVerifier() (note.Verifier, error) {
	v, err := note.NewVerifier(p.LogKey)
	if err != nil {
		return nil, fmt.Errorf("read the log key of %s: %w", p.NodeID, err)
	}
	return v, nil
}
