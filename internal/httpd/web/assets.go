package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"causeway/internal/httpd/web/chart"
	"causeway/trade/place"
)

//go:embed style/causeway.css
var styleSheet []byte

//go:embed style/chart.css
var chartSheet []byte

//go:embed style/icon.svg
var icon []byte

// dist holds what .ci/assets bundles from island/; a checkout without Node has
// the folder with nothing in it.
//
//go:embed all:dist
var dist embed.FS

// assets are the files that pages load: the style sheet, which is always
// there, and the bundled parts, which are there after .ci/assets.
type assets struct {
	files        map[string]asset // by name, without hash
	built        bool
	pictureStyle string       // of pictures that are taken away as files
	atlas        *chart.Atlas // nil where the assets were not built
}

type asset struct {
	body []byte
	kind string
	hash string // first ten hex digits of its SHA-256
}

func loadAssets() (*assets, error) {
	a := &assets{files: map[string]asset{}}
	a.add("causeway.css", slices.Concat(styleSheet, []byte("\n"), chartSheet))
	var err error
	if a.pictureStyle, err = pictureCSS(string(styleSheet), string(chartSheet)); err != nil {
		return nil, err
	}
	a.add("icon.svg", icon)
	entries, err := fs.ReadDir(dist, "dist")
	if err != nil {
		return nil, fmt.Errorf("read assets: %w", err)
	}
	for _, e := range entries {
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		b, err := fs.ReadFile(dist, "dist/"+e.Name())
		if err != nil {
			return nil, fmt.Errorf("read assets: %w", err)
		}
		a.add(e.Name(), b)
	}
	_, a.built = a.files["causeway.js"]
	if f, ok := a.files["atlas.json"]; ok {
		if a.atlas, err = chart.ReadAtlas(f.body, countryCode); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (a *assets) add(name string, body []byte) {
	kind := mime.TypeByExtension(path.Ext(name))
	switch path.Ext(name) { // the machine's own table may lack these
	case ".js":
		kind = "text/javascript; charset=utf-8"
	case ".css":
		kind = "text/css; charset=utf-8"
	case ".svg":
		kind = "image/svg+xml"
	case ".woff2":
		kind = "font/woff2"
	case ".json":
		kind = "application/json"
	}
	sum := sha256.Sum256(body)
	a.files[name] = asset{body, kind, hex.EncodeToString(sum[:5])}
}

// url gives the address of an asset; the hash in it changes with its bytes, so
// that a browser may keep it for ever.
func (a *assets) url(name string) string {
	if f, ok := a.files[name]; ok {
		return "/assets/" + name + "?v=" + f.hash
	}
	return "/assets/" + name
}

func (a *assets) serve(w http.ResponseWriter, r *http.Request) {
	f, ok := a.files[r.PathValue("name")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Content-Length", strconv.Itoa(len(f.body)))
	h.Set("ETag", `"`+f.hash+`"`)
	if name := r.PathValue("name"); r.URL.Query().Get("v") == f.hash || strings.HasPrefix(name, "chunk-") { // the name of a chunk has its hash
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "public, no-cache")
	}
	if slices.Contains(r.Header.Values("If-None-Match"), `"`+f.hash+`"`) {
		h.Del("Content-Length")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(f.body) // the reader has gone away
}

// countryCode gives the alpha-3 code of a country by number or name, "" for
// what is none.
func countryCode(s string) string {
	if p, ok := place.Lookup(s); ok && p.Kind == place.Country {
		return p.Code
	}
	return ""
}
