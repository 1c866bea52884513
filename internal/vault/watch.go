package vault

import (
	"context"
	"sync"

	"causeway/internal/vault/internal/engine"
)

type watchers struct {
	sync.Mutex
	by map[string]map[chan struct{}]struct{} // by reader
}

// Watch gives a channel that receives whenever something became available to
// the reader, also through another process on the same database. Signals that
// are not taken are merged. The channel is closed when ctx ends. A failure to
// make the reader's feed closes it at once.
func (v *Vault) Watch(ctx context.Context, r Reader) <-chan struct{} {
	ch := make(chan struct{}, 1)
	if err := v.SetReaders(ctx, []Reader{r}); err != nil {
		v.cfg.Log.Error("watch a feed", "reader", r.ID, "error", err)
		close(ch)
		return ch
	}
	w := &v.watch
	w.Lock()
	defer w.Unlock()
	if w.by[r.ID] == nil {
		w.by[r.ID] = map[chan struct{}]struct{}{}
	}
	w.by[r.ID][ch] = struct{}{}
	context.AfterFunc(ctx, func() {
		w.Lock()
		defer w.Unlock()
		delete(w.by[r.ID], ch)
		if len(w.by[r.ID]) == 0 {
			delete(w.by, r.ID)
		}
		close(ch)
	})
	return ch
}

// notify wakes the watchers of feeds that grew.
func (v *Vault) notify(grew map[int64]bool, readers map[string]int64) {
	if len(grew) == 0 {
		return
	}
	v.watch.Lock()
	defer v.watch.Unlock()
	for reader, chans := range v.watch.by {
		if !grew[readers[reader]] {
			continue
		}
		for ch := range chans {
			select {
			case ch <- struct{}{}:
			default:
			}
		}
	}
}

// relay wakes watchers for what other processes committed.
func (v *Vault) relay(ctx context.Context, announced <-chan []int64) {
	for {
		select {
		case <-ctx.Done():
			return
		case feeds, ok := <-announced:
			if !ok {
				return
			}
			grew := map[int64]bool{}
			for _, f := range feeds {
				grew[f] = true
			}
			err := v.db.Read(ctx, func(r engine.Read) error {
				readers, err := r.Readers()
				if err == nil {
					v.notify(grew, readers)
				}
				return err
			})
			if err != nil && ctx.Err() == nil {
				v.cfg.Log.Error("relay what became available", "error", err)
			}
		}
	}
}
