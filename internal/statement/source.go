package statement

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
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

// Web is a Source behind a web address.
type Web struct {
	Ctx    context.Context
	Base   string
	Client *http.Client
}

const maxDownload = 64 << 20

// Read implements Source.
func (w Web) Read(name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(w.Ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(w.Base, "/")+"/"+name, nil)
	if err != nil {
		return nil, err
	}
	resp, err := w.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	default:
		return nil, fmt.Errorf("%s: the server answers %s", name, resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxDownload+1))
	if len(b) > maxDownload {
		return nil, fmt.Errorf("%s is longer than %d bytes", name, maxDownload)
	}
	return b, err
}
