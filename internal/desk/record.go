package desk

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"causeway/internal/vault"
)

// putJSON writes a record as JSON.
func putJSON(tx *vault.Tx, space, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s %s: %w", space, key, err)
	}
	return tx.PutRecord(space, key, b)
}

// scanJSON gives every record of a space, by key.
func scanJSON[T any](ctx context.Context, v *vault.Vault, space string) ([]T, error) {
	var all []T
	err := v.ScanRecords(ctx, space, "", func(key string, b []byte) error {
		var one T
		if err := json.Unmarshal(b, &one); err != nil {
			return fmt.Errorf("read %s %s: %w", space, key, err)
		}
		all = append(all, one)
		return nil
	})
	return all, err
}

// scanIn is scanJSON inside an act. f may change what it was given.
func scanIn[T any](tx *vault.Tx, space string, f func(T) error) error {
	var all []T
	err := tx.ScanRecords(space, "", func(key string, b []byte) error {
		var one T
		if err := json.Unmarshal(b, &one); err != nil {
			return fmt.Errorf("read %s %s: %w", space, key, err)
		}
		all = append(all, one)
		return nil
	})
	for _, one := range all {
		if err == nil {
			err = f(one)
		}
	}
	return err
}

// randomID names a record that people refer to, in 16 hexadecimal digits.
func randomID() string {
	b := make([]byte, 8)
	rand.Read(b)
	return hex.EncodeToString(b)
}
