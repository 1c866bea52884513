// Package sharedtest finds the shared reference data for tests. It is the one
// package under trade that touches the file system, and only tests import it.
package sharedtest

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/trade/table"
)

// Dir returns the folder of shared trade data: $CAUSEWAY_SHARED/trade, or
// ../shared/data/trade beside the repository, found by walking up. Where it is
// absent the test is skipped.
func Dir(t testing.TB) string {
	t.Helper()
	if s := os.Getenv("CAUSEWAY_SHARED"); s != "" {
		return filepath.Join(s, "trade")
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		found := filepath.Join(dir, "shared", "data", "trade")
		if _, err := os.Stat(found); err == nil {
			return found
		}
	}
	t.Skip("shared/data/trade is not beside the repository; set CAUSEWAY_SHARED to run this test")
	return ""
}

// Open opens a file under Dir.
func Open(t testing.TB, path string) *os.File {
	t.Helper()
	f, err := os.Open(filepath.Join(Dir(t), path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// Table reads a CSV table under Dir.
func Table(t testing.TB, path string) *table.Table {
	t.Helper()
	tab, err := table.Read(filepath.Base(path), Open(t, path))
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// Lines reads the non-empty lines of a text file under Dir.
func Lines(t testing.TB, path string) []string {
	t.Helper()
	text, err := io.ReadAll(Open(t, path))
	if err != nil {
		t.Fatal(err)
	}
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' || r == '\r' })
}
