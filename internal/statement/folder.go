package statement

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"causeway/internal/folderlock"
)

// Folder is where statements are made: secrets/ (keys of this agency), public/
// (every key that is trusted), drafts/ (frozen statements and their
// signatures) and site/ (what is published).
type Folder string

func (f Folder) at(parts ...string) string {
	return filepath.Join(append([]string{string(f)}, parts...)...)
}

// Site is the published site.
func (f Folder) Site() Dir { return Dir(f.at("site")) }

// KeyFile is a key's file name: its name without slashes.
func KeyFile(key string) string { return strings.ReplaceAll(key, "/", "_") + ".json" }

// AddKey keeps a new key, both halves, and gives the file of the public one.
// Keys are not overwritten.
func (f Folder) AddKey(s *Secret, from time.Time) (string, error) {
	file, public := f.at("secrets", KeyFile(s.Name)), f.at("public", KeyFile(s.Name))
	if _, err := os.Stat(file); err == nil {
		return "", fmt.Errorf("make a key: %s exists; keys are not overwritten: choose another name", file)
	}
	k, err := s.Public(from.UTC().Truncate(time.Second))
	if err != nil {
		return "", err
	}
	secret, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	b, err := json.MarshalIndent(k, "", " ")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(f.at("secrets"), 0o700); err != nil {
		return "", err
	}
	if err := writeWhole(file, secret, 0o600); err != nil {
		return "", err
	}
	return public, writeWhole(public, b, 0o644)
}

// Secrets reads the keys of this agency, by file name.
func (f Folder) Secrets() ([]Secret, error) { return readKeys[Secret](f.at("secrets")) }

// Keys reads every key that is trusted, by file name.
func (f Folder) Keys() ([]Key, error) { return readKeys[Key](f.at("public")) }

func readKeys[T any](dir string) ([]T, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var out []T
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			return nil, err
		}
		var v T
		if err := json.Unmarshal(b, &v); err != nil {
			return nil, fmt.Errorf("%s: not a key file: %w", n, err)
		}
		out = append(out, v)
	}
	return out, nil
}

// Freeze writes the canonical bytes of a statement; from here any change voids
// signatures. It gives the file and the digest that signatories sign.
func (f Folder) Freeze(s *Statement) (file, digest string, err error) {
	b, err := s.Canonical()
	if err != nil {
		return "", "", err
	}
	if _, err := Parse(b); err != nil {
		return "", "", err
	}
	file = f.at("drafts", fmt.Sprintf("%s-%d.json", strings.TrimPrefix(s.ID, "urn:uuid:"), s.Version))
	if old, err := os.ReadFile(file); err == nil && !bytes.Equal(old, b) {
		return "", "", fmt.Errorf("draft: %s is frozen with other words: remove it and its .sigs first, or raise the version", file)
	}
	return file, Digest(b), writeWhole(file, b, 0o644)
}

// Drafted is one frozen statement in the folder.
type Drafted struct {
	Draft
	File      string
	Statement *Statement
}

// Drafts reads every frozen statement, by file name.
func (f Folder) Drafts() ([]Drafted, error) {
	names, err := filepath.Glob(f.at("drafts", "*.json"))
	if err != nil {
		return nil, err
	}
	var out []Drafted
	for _, n := range names {
		d, err := ReadDraft(n)
		if err != nil {
			return nil, err
		}
		s, err := Parse(d.JSON)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n, err)
		}
		out = append(out, Drafted{d, n, s})
	}
	return out, nil
}

func sigsOf(draft string) string { return strings.TrimSuffix(draft, ".json") + ".sigs" }

// ReadDraft reads a frozen statement with the signatures it has.
func ReadDraft(name string) (d Draft, err error) {
	if d.JSON, err = os.ReadFile(name); err != nil {
		return d, err
	}
	sigs, err := os.ReadFile(sigsOf(name))
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	d.Sigs = string(sigs)
	return d, err
}

// Sign adds the signatures of a key of this agency to a frozen draft, and
// gives the digest that was signed.
func (f Folder) Sign(draft, key string) (digest string, err error) {
	k, err := f.secret(key)
	if err != nil {
		return "", err
	}
	d, err := ReadDraft(draft)
	if err != nil {
		return "", err
	}
	if _, no := ParseTranslation(d.JSON); no == nil {
		x := Translated{JSON: d.JSON, Note: []byte(d.Sigs)}
		if err := x.Sign(k); err != nil {
			return "", err
		}
		return Digest(x.JSON), writeWhole(sigsOf(draft), x.Note, 0o644)
	}
	if err := f.reviewed(draft, d.JSON); err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	if err := d.Sign(k); err != nil {
		return "", err
	}
	return Digest(d.JSON), writeWhole(sigsOf(draft), []byte(d.Sigs), 0o644)
}

func (f Folder) secret(key string) (*Secret, error) {
	b, err := os.ReadFile(f.at("secrets", KeyFile(key)))
	if err != nil {
		return nil, fmt.Errorf("sign: the key %s is not here: %w", key, err)
	}
	var k Secret
	if err := json.Unmarshal(b, &k); err != nil {
		return nil, fmt.Errorf("sign: the key file of %s is damaged", key)
	}
	return &k, nil
}

// Translate writes the canonical bytes of a translation, to be signed if it is
// reviewed or official, and gives the file and its digest.
func (f Folder) Translate(t *Translation) (file, digest string, err error) {
	x, err := NewTranslated(t)
	if err != nil {
		return "", "", err
	}
	records, _, err := Load(f.Site())
	if err != nil {
		return "", "", err
	}
	i, err := t.bind(records, indexOf(records))
	if err != nil {
		return "", "", fmt.Errorf("translate: %w", err)
	}
	s := records[i].s
	file = f.at("translations", fmt.Sprintf("%s-%d-%s.json", strings.TrimPrefix(s.ID, "urn:uuid:"), s.Version, t.Lang))
	return file, Digest(x.JSON), writeWhole(file, x.JSON, 0o644)
}

type translationFile struct {
	Translated
	file string
}

// translations reads the translations that wait to be published.
func (f Folder) translations() ([]translationFile, error) {
	names, err := filepath.Glob(f.at("translations", "*.json"))
	if err != nil {
		return nil, err
	}
	var out []translationFile
	for _, n := range names {
		d, err := ReadDraft(n)
		if err != nil {
			return nil, err
		}
		out = append(out, translationFile{Translated{JSON: d.JSON, Note: []byte(d.Sigs)}, n})
	}
	return out, nil
}

// Published counts what a round did.
type Published struct {
	Drafts, Statements, Written, Files int

	Asked []Asked // witness services
}

// committedFile holds the entries that witnesses were asked about and that are
// not published yet, in the order of the log. Whatever else happens, the next
// round logs these first: witnesses may have co-signed them.
const committedFile = "committed.json"

type committedEntry struct {
	JSON []byte `json:"record"`
	Note []byte `json:"note"`
}

// commit keeps the entries of a round before the first witness is asked.
func (f Folder) commit(entries []Record) error {
	var out []committedEntry
	for _, r := range entries {
		out = append(out, committedEntry{r.JSON, r.Note})
	}
	b, err := json.Marshal(out)
	if err != nil {
		return err
	}
	return keepDurably(f.at(committedFile), b)
}

// committed reads them, without those that were published after all.
func (f Folder) committed(published []Record) (out []Draft, err error) {
	b, err := os.ReadFile(f.at(committedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var entries []committedEntry
	if err == nil {
		err = json.Unmarshal(b, &entries)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.at(committedFile), err)
	}
	for _, e := range entries {
		if slices.ContainsFunc(published, func(r Record) bool { return bytes.Equal(r.Note, e.Note) }) {
			continue
		}
		_, sigs, ok := strings.Cut(string(e.Note), "\n\n")
		if !ok {
			return nil, fmt.Errorf("%s is damaged", f.at(committedFile))
		}
		out = append(out, Draft{JSON: e.JSON, Sigs: sigs, committed: true})
	}
	return out, nil
}

// Round is what a publisher brings to a round of publication.
type Round struct {
	Metadata Metadata // of a new site; one that exists keeps its own, with the keys and witness policy of now
	Now      time.Time
	Verifier map[string][]byte // the page that checks the site
	Releaser Releaser          // asks the node's label decisions; nil checks form alone
	// Reach gives a witness service of the folder's list; nil asks none.
	Reach func(WitnessAt) Cosigner
	// Only names the draft files to publish; none: all of the folder.
	Only []string
}

// Publish logs every draft of the folder and writes the site. What would not
// verify is not written. One process publishes at a time.
func (f Folder) Publish(round Round) (p Published, err error) {
	lock, err := folderlock.Take(f.at("lock"))
	if err != nil {
		return p, fmt.Errorf("publish: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	m, now := round.Metadata, round.Now
	pub := Publication{Now: now, Verifier: round.Verifier, Releaser: round.Releaser, Commit: f.commit}
	if round.Reach != nil {
		services, err := f.Witnesses()
		if err != nil {
			return p, err
		}
		for _, w := range services {
			pub.Cosigners = append(pub.Cosigners, round.Reach(w))
		}
	}
	if pub.Secrets, err = f.Secrets(); err != nil {
		return p, err
	}
	keys, err := f.Keys()
	if err != nil {
		return p, err
	}
	records, old, err := Load(f.Site())
	if err != nil {
		return p, err
	}
	pub.Published, pub.Metadata = records, m
	if old != nil {
		pub.Metadata = *old
	}
	pub.Metadata.Keys, pub.Metadata.Witnesses = keys, m.Witnesses
	for _, s := range pub.Secrets {
		if s.Purpose == "log" && pub.Metadata.LogOrigin == "" {
			pub.Metadata.LogOrigin = s.Name
		}
	}
	confirms, err := f.confirms()
	if err != nil {
		return p, err
	}
	pub.Metadata.Confirms = append(slices.Clone(pub.Metadata.Confirms), confirms...)
	slices.Sort(pub.Metadata.Confirms)
	pub.Metadata.Confirms = slices.Compact(pub.Metadata.Confirms)
	if pub.Translations, err = LoadTranslations(f.Site(), records, old); err != nil {
		return p, err
	}
	translations, err := f.translations()
	if err != nil {
		return p, err
	}
	for _, x := range translations {
		pub.Translate = append(pub.Translate, x.Translated)
	}
	drafts, err := f.Drafts()
	if err != nil {
		return p, err
	}
	if pub.Drafts, err = f.committed(records); err != nil {
		return p, err
	}
	drafts = slices.DeleteFunc(drafts, func(d Drafted) bool {
		kept := slices.ContainsFunc(pub.Drafts, func(c Draft) bool { return bytes.Equal(c.JSON, d.JSON) })
		return !kept && len(round.Only) > 0 && !slices.Contains(round.Only, filepath.Base(d.File))
	})
	for _, d := range drafts {
		if err := f.reviewed(d.File, d.JSON); err != nil {
			return p, fmt.Errorf("publish %s: %w", d.Statement.ID, err)
		}
		if !slices.ContainsFunc(pub.Drafts, func(c Draft) bool { return bytes.Equal(c.JSON, d.JSON) }) {
			pub.Drafts = append(pub.Drafts, d.Draft)
		}
	}
	files, err := pub.Publish()
	p.Asked = pub.Asked
	if err != nil {
		return p, err
	}
	r := Verify(Files(files), VerifyOptions{Now: now})
	for _, x := range r.Findings {
		if x.Code != Expired && x.Code != NotYetValid {
			return p, fmt.Errorf("publish: the site would not verify, nothing was written: %s %s: %s", x.Code, x.Where, x.Text)
		}
	}
	p.Drafts, p.Statements, p.Files = len(pub.Drafts), len(r.Statements), len(files)
	if p.Written, err = f.writeSite(files); err != nil {
		return p, err
	}
	for _, d := range drafts {
		// A draft left behind by a crash is refused by the next round, which
		// sees it published.
		err = errors.Join(err, removeDraft(d.File))
	}
	if e := os.Remove(f.at(committedFile)); !errors.Is(e, fs.ErrNotExist) {
		err = errors.Join(err, e)
	}
	for _, x := range translations {
		// Published again after a crash, a translation replaces itself.
		err = errors.Join(err, os.Remove(x.file))
		if e := os.Remove(sigsOf(x.file)); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return p, err
}

// writeSite writes what changed, the checkpoint last: a crash leaves the old
// checkpoint over a longer site, and publishing again completes it. A new site
// appears whole or not at all.
func (f Folder) writeSite(files map[string][]byte) (n int, err error) {
	site := f.at("site")
	if _, missing := os.Stat(site); errors.Is(missing, fs.ErrNotExist) {
		site = f.at("site.writing")
		if err := os.RemoveAll(site); err != nil { // of a round that was cut off
			return 0, err
		}
		defer func() {
			if err == nil {
				err = os.Rename(site, f.at("site"))
			}
		}()
	}
	var g errgroup.Group // each file waits for the disk: let them wait together
	g.SetLimit(16)
	var written atomic.Int64
	write := func(name string) error {
		if old, err := Dir(site).Read(name); err == nil && bytes.Equal(old, files[name]) {
			return nil
		}
		written.Add(1)
		return writeWhole(filepath.Join(site, name), files[name], 0o644)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if name != checkpointPath {
			g.Go(func() error { return write(name) })
		}
	}
	if err = g.Wait(); err == nil {
		err = write(checkpointPath)
	}
	return int(written.Load()), err
}

// writeWhole writes a file whole or not at all, making its folder.
func writeWhole(name string, b []byte, mode fs.FileMode) error {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	t, err := os.CreateTemp(dir, ".writing-")
	if err != nil {
		return err
	}
	_, err = t.Write(b)
	if err = errors.Join(err, t.Chmod(mode), t.Sync(), t.Close()); err == nil {
		err = os.Rename(t.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(t.Name()))
	}
	return nil
}
