package vault_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"causeway/internal/vault"
	"causeway/internal/vault/vaulttest"
)

// FuzzFind checks that any text is a question or a query error, on a real
// store, and shows nothing hidden.
func FuzzFind(f *testing.F) {
	for _, s := range []string{"ferry", `type:campaign label:C1 "a b" near:x`, "since:2026-01-01 versions:all 偽情報", `"`, ":", "a:b:c", "id: by:\"\"", "' OR 1=1 --", "\x00", "near:" + vaulttest.ID("campaign", 1)} {
		f.Add(s)
	}
	scheme := vaulttest.NewScheme(f, 8)
	v := folder(quickDir(f)).Open(f, vault.Config{})
	f.Cleanup(func() { v.Close() })
	s := story{f, scheme}
	s.prepare(v)
	aiko := v.As(s.readers()[0])
	f.Fuzz(func(t *testing.T, text string) {
		p, err := aiko.Find(context.Background(), text, vault.Query{Limit: 5})
		if err != nil && !errors.Is(err, vault.ErrQuery) && !errors.Is(err, vault.ErrNotFound) {
			t.Fatalf("%q: %v", text, err)
		}
		for _, r := range p.Rows {
			if r.ID == vaulttest.ID("campaign", 3) {
				t.Fatalf("%q shows what is hidden", text)
			}
		}
	})
}

// FuzzCursor checks that a cursor that was not given out is refused.
func FuzzCursor(f *testing.F) {
	scheme := vaulttest.NewScheme(f, 8)
	v := folder(quickDir(f)).Open(f, vault.Config{})
	f.Cleanup(func() { v.Close() })
	s := story{f, scheme}
	s.prepare(v)
	aiko := v.As(s.readers()[0])
	p, err := aiko.Page(context.Background(), vault.Query{Limit: 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.Next)
	f.Add(strings.ToUpper(p.Next))
	f.Add(p.Next + "A")
	f.Add("")
	f.Fuzz(func(t *testing.T, c string) {
		_, err := aiko.Page(context.Background(), vault.Query{Cursor: c})
		if c == p.Next || c == "" {
			if err != nil {
				t.Fatal(err)
			}
			return
		}
		if !errors.Is(err, vault.ErrCursor) {
			t.Fatalf("%q: %v", c, err)
		}
	})
}
