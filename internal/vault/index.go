package vault

import (
	"context"
	"time"

	"causeway/internal/vault/internal/engine"
	"causeway/internal/vault/internal/terms"
	"causeway/stix"
)

// The words and references of a version are indexed after it was stored, so
// that storing is fast: in the background, and before any question that needs
// them is answered. The index can be made again from the bytes at any time.

// indexBatch is how many versions are indexed in one transaction; other
// writers get their turn between two.
const indexBatch = 100

// indexing runs until the vault is closed.
func (v *Vault) indexing(ctx context.Context) {
	for {
		for more := true; more && ctx.Err() == nil; {
			var err error
			if more, err = v.indexSome(ctx); err != nil && ctx.Err() == nil {
				v.cfg.Log.Error("index what was stored", "error", err)
				break
			}
			select {
			case <-ctx.Done():
			case <-time.After(2 * time.Millisecond): // acts first
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-v.wake:
		}
	}
}

// indexSome indexes some versions and says whether there are more.
func (v *Vault) indexSome(ctx context.Context) (more bool, err error) {
	behind := false
	err = v.db.Read(ctx, func(r engine.Read) error {
		st, err := r.State()
		behind = st.Indexed+1 < st.NextVID
		return err
	})
	if err != nil || !behind {
		return false, err
	}
	err = v.write(ctx, true, func(s *session) error {
		vs, err := s.w.Scan(s.state.Indexed+1, true, indexBatch)
		if err != nil {
			return err
		}
		var xs []engine.Indexed
		for i := range vs {
			s.state.Indexed = vs[i].VID
			if vs[i].Gone {
				continue
			}
			o, err := stix.ParseObject(vs[i].Raw)
			if err != nil {
				v.cfg.Log.Error("index a stored object", "id", vs[i].ID, "error", err)
				continue
			}
			refs, words := indexed(o)
			xs = append(xs, engine.Indexed{VID: vs[i].VID, Refs: refs, Terms: words})
		}
		if err := s.w.Index(xs); err != nil {
			return err
		}
		if len(vs) == 0 {
			s.state.Indexed = s.state.NextVID - 1
		}
		more = s.state.Indexed+1 < s.state.NextVID
		return nil
	})
	return more, err
}

// indexed gives what is looked up of an object: the ids it refers to, its own
// id, and the words of its texts. Ids inside texts are cut like words.
func indexed(o *stix.Object) (refs, words []string) {
	for _, r := range o.Refs() {
		if !isMeta(r.Property) {
			refs = append(refs, r.ID)
		}
	}
	var texts []string
	for path, s := range o.Strings() {
		switch path {
		case "id", "type", "spec_version", "created", "modified":
		default:
			if !isMeta(path) {
				texts = append(texts, s)
			}
		}
	}
	return refs, terms.Of(texts...)
}

// indexedFor waits until everything stored so far is indexed, for questions
// that need it.
func (v *Vault) indexedFor(ctx context.Context, m *Match) error {
	if m.Text == "" && m.NeighbourOf == "" || v.cfg.ReadOnly {
		return nil
	}
	for {
		more, err := v.indexSome(ctx)
		if err != nil || !more {
			return err
		}
	}
}
