package statement

import (
	"bytes"
	"errors"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// verifierForm is a file of the page that checks the site: beside it, in no
// other folder.
var verifierForm = regexp.MustCompile(`^verify/[a-z0-9]+([.-][a-z0-9]+)*$`)

// compare reads every file the site must hold.
func (v *run) compare(files map[string][]byte) {
	names := make([]string, 0, len(files))
	for n := range files {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		b, err := v.src.Read(n)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			v.r.add(FileMissing, n, "the log and metadata call for it")
		case err != nil:
			v.r.add(FileMissing, n, "%v", err)
		case !bytes.Equal(b, files[n]):
			v.r.add(FileChanged, n, "it is not what the signed records give")
		}
	}
	for _, f := range v.m.Verifier {
		if !verifierForm.MatchString(f.Path) {
			v.r.add(BadMetadata, metadataPath, "%q is no file of the page that checks the site", f.Path)
			continue
		}
		b, err := v.src.Read(f.Path)
		switch {
		case err != nil:
			v.r.add(FileMissing, f.Path, "the signed metadata name it: %v", err)
		case Digest(b) != f.SHA256:
			v.r.add(FileChanged, f.Path, "the signed metadata name other bytes")
		}
		files[f.Path] = b
	}
	l, ok := v.src.(Lister)
	if !ok {
		return
	}
	have, err := l.List()
	if err != nil {
		v.r.add(FileMissing, "site", "%v", err)
	}
	for _, n := range have {
		if _, ok := files[n]; !ok && !v.earlier(n, files) {
			v.r.add(FileChanged, n, "no signed record gives this file: remove it")
		}
	}
}

// earlier reports a partial tile of an earlier size: it stays for readers of
// that size and must be the beginning of the tile of today.
func (v *run) earlier(name string, files map[string][]byte) bool {
	tile, _, ok := strings.Cut(name, ".p/")
	if !ok || !strings.HasPrefix(name, "tile/") {
		return false
	}
	b, err := v.src.Read(name)
	if err != nil {
		return false
	}
	for n, now := range files {
		if (n == tile || strings.HasPrefix(n, tile+".p/")) && bytes.HasPrefix(now, b) {
			return true
		}
	}
	return false
}
