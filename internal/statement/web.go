//go:build !js

package statement

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"
)

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
