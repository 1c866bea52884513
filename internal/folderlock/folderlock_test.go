package folderlock

import (
	"errors"
	"path/filepath"
	"testing"
)

func TestOneHolder(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	f, err := Take(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Take(name); !errors.Is(err, ErrLocked) {
		t.Error("a second holder:", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if f, err = Take(name); err != nil {
		t.Fatal("given back, and not to be had:", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}
