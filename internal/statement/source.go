package statement

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Files is a Source in memory.
type Files map[string][]byte

// Read implements Source.
func (f Files) Read(name string) ([]byte, error) {
	b, ok := f[name]
	if !ok {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	return b, nil
}

// List implements Lister.
func (f Files) List() ([]string, error) {
	out := make([]string, 0, len(f))
	for n := range f {
		out = append(out, n)
	}
	return out, nil
}

// Dir is a Source on disk.
type Dir string

// Read implements Source.
func (d Dir) Read(name string) ([]byte, error) { return os.ReadFile(filepath.Join(string(d), name)) }

// List implements Lister.
func (d Dir) List() (out []string, err error) {
	err = filepath.WalkDir(string(d), func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(string(d), p)
		out = append(out, filepath.ToSlash(rel))
		return err
	})
	return out, err
}
