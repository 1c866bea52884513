package node

import (
	"context"
	"errors"
	"time"

	"causeway/internal/vault"
)

// lockPatience is how long a folder that another command holds is waited for:
// commands are short, and a server that starts beside one has to get its turn.
const lockPatience = 10 * time.Second

// WhileLocked repeats open until the folder is free or patience ends.
func WhileLocked(ctx context.Context, open func() error) error {
	for end := time.Now().Add(lockPatience); ; {
		err := open()
		if !errors.Is(err, vault.ErrLocked) || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}
