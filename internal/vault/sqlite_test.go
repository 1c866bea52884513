package vault_test

import (
	"context"
	"os"
	"testing"

	"causeway/internal/vault"
	"causeway/internal/vault/vaulttest"
)

// folder is a SQLite store.
type folder string

func (f folder) Open(t testing.TB, cfg vault.Config) *vault.Vault {
	t.Helper()
	cfg.Dir = string(f)
	v, err := vault.Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSQLite(t *testing.T) {
	vaulttest.Run(t, func(t testing.TB) vaulttest.Store { return folder(quickDir(t)) })
}

// quickDir is a folder in memory where the system has one: the suite waits
// for the disk a hundred thousand times. What survives a crash is tested on
// the disk, see crash_test.go.
func quickDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "vault-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
