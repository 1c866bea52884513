package vault_test

import (
	"context"
	"fmt"
	"testing"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/stix"
)

func TestSmoke(t *testing.T) {
	ctx := context.Background()
	v, err := vault.Open(ctx, vault.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	aiko := vault.Reader{ID: "person:aiko", Kind: vault.Person, Holdings: label.Public}
	bru := vault.Reader{ID: "partner:bru", Kind: vault.Partner, Holdings: label.Public}
	if err := v.SetReaders(ctx, []vault.Reader{aiko, bru}); err != nil {
		t.Fatal(err)
	}
	var id string
	_, err = v.Act(ctx, audit.Act{Actor: "node", Verb: "put"}, func(tx *vault.Tx) error {
		for i := range 5 {
			ts, _ := stix.ParseTimestamp(fmt.Sprintf("2026-01-0%dT00:00:00.000Z", i+1))
			o, err := stix.New("campaign", id, ts).Set("name", "Operation Ferry 偽情報").Object()
			if err != nil {
				return err
			}
			id = o.ID()
			eff := label.Effective{Rule: label.Everyone()}
			if i == 4 {
				eff = label.Effective{}
			}
			out, err := tx.Put(vault.Put{Object: o, Effective: eff, Source: "local"})
			if err != nil {
				return err
			}
			t.Log(out)
		}
		return tx.Release(id, "2026-01-02T00:00:00.000Z", []string{"partner:bru"}, "by hand")
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []vault.Reader{aiko, bru} {
		p, err := v.As(r).Page(ctx, vault.Query{Match: vault.Match{Versions: []string{"all"}}, Limit: 3})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range p.Rows {
			t.Log(r.ID, row.ID, row.Version, row.Added, row.Type, p.More)
		}
		row, err := v.As(r).Get(ctx, id)
		t.Log(row.Version, err)
		n, err := v.As(r).Count(ctx, vault.Match{})
		t.Log(n, err)
		p, err = v.As(r).Find(ctx, "type:campaign ferry 偽情", vault.Query{})
		t.Log(len(p.Rows), err)
	}
	rep, err := v.Verify(ctx, nil, nil)
	if err != nil || !rep.OK() {
		t.Fatal(rep, err)
	}
	t.Log(rep)
}
