package vault

import (
	"context"
	"crypto/sha256"
	"fmt"

	"causeway/internal/audit"
	"causeway/internal/vault/internal/engine"
)

// Records are what other rooms keep in the same store, so that it changes in
// the same transaction as objects and log: a space of their own, keys in byte
// order, values of bytes. Spaces are named after rooms: "people", "line.outbox".

// PutRecord writes one record.
func (t *Tx) PutRecord(space, key string, value []byte) error {
	sum := sha256.Sum256(value)
	t.records = append(t.records, audit.Effect{Kind: "record", Key: space + "/" + key, Digest: sum[:]})
	return t.fail(t.s.w.PutRecord(space, key, value))
}

// DeleteRecord removes one record; an absent one is no error.
func (t *Tx) DeleteRecord(space, key string) error {
	t.records = append(t.records, audit.Effect{Kind: "record", Key: space + "/" + key})
	return t.fail(t.s.w.DeleteRecord(space, key))
}

// Record reads one record as this act sees it. No other act changes it before
// this one ends, so reading, deciding and writing is safe.
func (t *Tx) Record(space, key string) ([]byte, bool, error) { return t.s.w.Record(space, key) }

// ScanRecords reads the records of a space whose keys begin with prefix, in
// byte order of their keys. do may change records, but not behind the scan.
func (t *Tx) ScanRecords(space, prefix string, do func(key string, value []byte) error) error {
	return t.s.w.Records(space, prefix, func(_, key string, value []byte) error { return do(key, value) })
}

// Record reads one record.
func (v *Vault) Record(ctx context.Context, space, key string) (value []byte, ok bool, err error) {
	err = v.db.Read(ctx, func(r engine.Read) error {
		value, ok, err = r.Record(space, key)
		return err
	})
	return value, ok, err
}

// ScanRecords reads the records of a space whose keys begin with prefix, in
// byte order of their keys, in one consistent state.
func (v *Vault) ScanRecords(ctx context.Context, space, prefix string, do func(key string, value []byte) error) error {
	return v.db.Read(ctx, func(r engine.Read) error {
		return r.Records(space, prefix, func(_, key string, value []byte) error { return do(key, value) })
	})
}

// Holders lists who holds versions of an object by release; see [Tx.Holders].
func (v *Vault) Holders(ctx context.Context, id string) (out []Holder, err error) {
	err = v.db.Read(ctx, func(r engine.Read) error {
		if out, err = holdersOf(r, id); err != nil {
			return fmt.Errorf("list the holders of %s: %w", id, err)
		}
		return nil
	})
	return out, err
}
