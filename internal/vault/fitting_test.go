package vault_test

import (
	"fmt"
	"testing"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/stix"
)

// A page ends at its byte limit and says that there is more; a walk with such
// pages meets every version once. Withdrawing one source's records leaves
// those of the others.
func TestPageBytesAndWithdrawOwn(t *testing.T) {
	v, err := vault.Open(t.Context(), vault.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	reader := vault.Reader{ID: "person:aiko", Kind: vault.Person, Holdings: label.Public}
	var shared string
	_, err = v.Act(t.Context(), audit.Act{Actor: "node", Verb: "put"}, func(tx *vault.Tx) error {
		for i := range 10 {
			ts, err := stix.ParseTimestamp("2026-01-01T00:00:00.000Z")
			if err != nil {
				return err
			}
			o, err := stix.New("campaign", "", ts).Set("name", fmt.Sprintf("%01000d", i)).Object()
			if err != nil {
				return err
			}
			shared = o.ID()
			put := vault.Put{Object: o, Effective: label.Effective{Rule: label.Everyone()}, Source: "person:aiko", Collection: "inbox"}
			other := put
			other.Source = "partner:bru"
			if _, err := tx.Put(put, other); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	seen, pages := map[string]int{}, 0
	for after := int64(0); ; pages++ {
		p, err := v.As(reader).Page(t.Context(), vault.Query{After: after, MaxBytes: 3500, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Rows {
			seen[r.ID]++
			after = r.Seq
		}
		if !p.More {
			break
		}
		if len(p.Rows) == 0 || len(p.Rows) > 3 {
			t.Fatalf("%d rows of about 1,100 bytes in a page of 3,500", len(p.Rows))
		}
	}
	if len(seen) != 10 || pages < 3 {
		t.Errorf("%d objects in %d pages: %v", len(seen), pages+1, seen)
	}
	_, err = v.Act(t.Context(), audit.Act{Actor: "person:aiko", Verb: "withdraw"}, func(tx *vault.Tx) error {
		if n, err := tx.WithdrawOwn("person:ben", "inbox", shared, "", ""); err == nil {
			t.Errorf("withdrew %d records of a source that has none", n)
		}
		n, err := tx.WithdrawOwn("person:aiko", "inbox", shared, "", "by its producer")
		if n != 1 {
			t.Errorf("withdrew %d records, want 1", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if row, err := v.As(reader).Get(t.Context(), shared); err != nil || row.Source != "partner:bru" {
		t.Errorf("the partner's record: %+v, %v", row.Source, err)
	}
}
