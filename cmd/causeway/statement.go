package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"causeway/internal/statement"
)

// statementCmd is the group of commands about public statements. They work on
// a folder: secrets/ (keys of this agency), public/ (every key that is
// trusted), drafts/ (frozen statements and their signatures) and site/ (what
// is published).
type statementCmd struct {
	Key      statementKeyCmd      `cmd:"" help:"Make a signing key for one purpose."`
	Draft    statementDraftCmd    `cmd:"" help:"Check a statement and freeze its bytes; prints the digest to sign."`
	Sign     statementSignCmd     `cmd:"" help:"Sign a frozen statement with Ed25519 and ML-DSA-65."`
	Publish  statementPublishCmd  `cmd:"" help:"Log and publish every draft that has its signatures."`
	Verify   statementVerifyCmd   `cmd:"" help:"Check a published site: words, signatures, dates, log and every page."`
	Correct  statementCorrectCmd  `cmd:"" help:"Draft the next version of a published statement with a correction."`
	Sample   statementSampleCmd   `cmd:"" help:"Write the shipped starting set (vision, is, is not) in English and Japanese, to edit."`
	Coverage statementCoverageCmd `cmd:"" help:"Which observed narratives are answered, where and when; unanswered, late, expired."`
	Retract  statementRetractCmd  `cmd:"" help:"Draft the retraction of a published statement."`
}

// statementFolder is where the commands work.
type statementFolder struct {
	Dir string `default:"." type:"path" help:"Folder with secrets/, public/, drafts/ and site/."`
}

func (f statementFolder) at(parts ...string) string {
	return filepath.Join(append([]string{f.Dir}, parts...)...)
}

// fileOf is a key's file name: its name without slashes.
func fileOf(key string) string { return strings.ReplaceAll(key, "/", "_") + ".json" }

// put writes a file whole, making its folder.
func put(name string, b []byte, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := writeFile(name, func(w io.Writer) error { _, err := w.Write(b); return err }); err != nil {
		return err
	}
	return os.Chmod(name, mode)
}

// readAll decodes every JSON file of a folder, in order of name.
func readAll[T any](dir string) ([]T, error) {
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

// clock is --at or the machine's time.
func clock(at string) (time.Time, error) {
	if at == "" {
		return time.Now().UTC(), nil
	}
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return t, usagef("--at %q: give a time like 2026-01-31T12:00:00Z", at)
	}
	return t.UTC(), nil
}

type statementKeyCmd struct {
	statementFolder
	Name    string `arg:"" help:"Domain and path, like mofa.example/statements."`
	Purpose string `enum:"statement,log,witness,metadata" default:"statement" help:"statement, log, witness or metadata: one key, one purpose."`
	Nation  string `required:"" help:"Nation of the agency (ISO 3166-1 alpha-2)."`
	At      string `help:"Valid from this time instead of now." placeholder:"TIME"`
}

func (c *statementKeyCmd) Run(p *process) error {
	now, err := clock(c.At)
	if err != nil {
		return err
	}
	secret, err := statement.NewSecret(c.Name, c.Purpose, c.Nation)
	if err != nil {
		return err
	}
	file := c.at("secrets", fileOf(c.Name))
	if _, err := os.Stat(file); err == nil {
		return fmt.Errorf("make a key: %s exists; keys are not overwritten: choose another name", file)
	}
	public, err := secret.Public(now.Truncate(time.Second))
	if err != nil {
		return err
	}
	s, err := json.Marshal(secret)
	if err != nil {
		return err
	}
	pub, err := json.MarshalIndent(public, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.at("secrets"), 0o700); err != nil {
		return err
	}
	if err := put(file, s, 0o600); err != nil {
		return err
	}
	if err := put(c.at("public", fileOf(c.Name)), pub, 0o644); err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, c.at("public", fileOf(c.Name)))
	return nil
}

type statementDraftCmd struct {
	statementFolder
	File string `arg:"" type:"existingfile" help:"The statement as JSON."`
}

func (c *statementDraftCmd) Run(p *process) error {
	b, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	s, err := statement.ParseDraft(b)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	return c.freeze(p, s)
}

// freeze writes the canonical bytes; from here any change voids signatures.
func (f statementFolder) freeze(p *process, s *statement.Statement) error {
	b, err := s.Canonical()
	if err != nil {
		return err
	}
	if _, err := statement.Parse(b); err != nil {
		return err
	}
	name := f.at("drafts", fmt.Sprintf("%s-%d.json", strings.TrimPrefix(s.ID, "urn:uuid:"), s.Version))
	if old, err := os.ReadFile(name); err == nil && !bytes.Equal(old, b) {
		return fmt.Errorf("draft: %s is frozen with other words: remove it and its .sigs first, or raise the version", name)
	}
	if err := put(name, b, 0o644); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%s %s\n", name, statement.Digest(b))
	return nil
}

type statementSignCmd struct {
	statementFolder
	Draft string `arg:"" type:"existingfile" help:"The frozen draft."`
	Key   string `required:"" help:"Name of the key to sign with."`
}

func (c *statementSignCmd) Run(p *process) error {
	b, err := os.ReadFile(c.at("secrets", fileOf(c.Key)))
	if err != nil {
		return fmt.Errorf("sign: the key %s is not here: %w", c.Key, err)
	}
	var k statement.Secret
	if err := json.Unmarshal(b, &k); err != nil {
		return fmt.Errorf("sign: the key file of %s is damaged", c.Key)
	}
	d, err := readDraft(c.Draft)
	if err != nil {
		return err
	}
	if err := d.Sign(&k); err != nil {
		return err
	}
	if err := put(sigsOf(c.Draft), []byte(d.Sigs), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%s signed %s\n", k.Name, statement.Digest(d.JSON))
	return nil
}

func sigsOf(draft string) string { return strings.TrimSuffix(draft, ".json") + ".sigs" }

func readDraft(name string) (d statement.Draft, err error) {
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

type statementPublishCmd struct {
	statementFolder
	URL       string `name:"url" default:"https://statements.example/" help:"Address the site is served at."`
	Publisher string `default:"Public statements" help:"Name of the publishing agency."`
	Contact   string `default:"press office" help:"Office that answers."`
	Witnesses int    `default:"3" help:"Witness cosignatures a checkpoint needs, each from a nation of its own."`
	At        string `help:"Publish as of this time instead of now." placeholder:"TIME"`
}

func (c *statementPublishCmd) Run(p *process) error {
	pub := statement.Publication{}
	var err error
	if pub.Now, err = clock(c.At); err != nil {
		return err
	}
	if c.Witnesses < 1 {
		return usagef("--witnesses %d: at least one witness co-signs; three of three nations is the rule", c.Witnesses)
	}
	if pub.Secrets, err = readAll[statement.Secret](c.at("secrets")); err != nil {
		return err
	}
	keys, err := readAll[statement.Key](c.at("public"))
	if err != nil {
		return err
	}
	site := statement.Dir(c.at("site"))
	records, old, err := statement.Load(site)
	if err != nil {
		return err
	}
	pub.Published = records
	if pub.Metadata = (statement.Metadata{Publisher: c.Publisher, Contact: c.Contact, CanonicalURL: strings.TrimSuffix(c.URL, "/") + "/", Role: "publisher"}); old != nil {
		pub.Metadata = *old
	}
	pub.Metadata.Keys = keys
	pub.Metadata.Witnesses = statement.WitnessPolicy{K: c.Witnesses, Nations: c.Witnesses}
	for _, s := range pub.Secrets {
		if s.Purpose == "log" && pub.Metadata.LogOrigin == "" {
			pub.Metadata.LogOrigin = s.Name
		}
	}
	drafts, err := filepath.Glob(c.at("drafts", "*.json"))
	if err != nil {
		return err
	}
	for _, n := range drafts {
		d, err := readDraft(n)
		if err != nil {
			return err
		}
		pub.Drafts = append(pub.Drafts, d)
	}
	files, err := pub.Publish()
	if err != nil {
		return err
	}
	r := statement.Verify(statement.Files(files), statement.VerifyOptions{Now: pub.Now})
	for _, f := range r.Findings {
		if f.Code != statement.Expired && f.Code != statement.NotYetValid {
			return fmt.Errorf("publish: the site would not verify, nothing was written: %s %s: %s", f.Code, f.Where, f.Text)
		}
	}
	n, err := c.write(site, files)
	if err != nil {
		return err
	}
	for _, d := range drafts {
		os.Remove(d)
		os.Remove(sigsOf(d))
	}
	fmt.Fprintf(p.stdout, "published %d statements, %d in the log, %d of %d files written to %s\n", len(drafts), len(r.Statements), n, len(files), c.at("site"))
	return nil
}

// write writes what changed, the checkpoint last: a crash leaves the old
// checkpoint over a longer site, and publishing again completes it.
func (c *statementPublishCmd) write(site statement.Dir, files map[string][]byte) (n int, err error) {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if a == "checkpoint" || b == "checkpoint" {
			return map[bool]int{true: 1, false: -1}[a == "checkpoint"]
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		if old, err := site.Read(name); err == nil && bytes.Equal(old, files[name]) {
			continue
		}
		if err := put(c.at("site", name), files[name], 0o644); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

type statementVerifyCmd struct {
	Site   string `arg:"" help:"Folder or web address of a published site."`
	Policy string `type:"existingfile" help:"Keys and witness policy to trust: provider-metadata.json obtained earlier or by another way."`
	Since  string `type:"existingfile" help:"An older checkpoint; proves that nothing was rewritten since."`
	At     string `help:"Verify as of this time instead of now." placeholder:"TIME"`
	JSON   bool   `name:"json" help:"Print the whole report as JSON."`
}

func (c *statementVerifyCmd) Run(p *process) error {
	var opt statement.VerifyOptions
	var err error
	if opt.Now, err = clock(c.At); err != nil {
		return err
	}
	if c.Policy != "" {
		b, err := os.ReadFile(c.Policy)
		if err != nil {
			return err
		}
		opt.Policy = &statement.Metadata{}
		if err := json.Unmarshal(b, opt.Policy); err != nil {
			return fmt.Errorf("%s: not a provider-metadata file: %w", c.Policy, err)
		}
	}
	if c.Since != "" {
		if opt.Since, err = os.ReadFile(c.Since); err != nil {
			return err
		}
	}
	var src statement.Source = statement.Dir(c.Site)
	if strings.HasPrefix(c.Site, "https://") || strings.HasPrefix(c.Site, "http://") {
		src = statement.Web{Ctx: p.ctx, Base: c.Site, Client: http.DefaultClient}
	} else if _, err := os.Stat(c.Site); err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	r := statement.Verify(src, opt)
	if c.JSON {
		enc := json.NewEncoder(p.stdout)
		enc.SetIndent("", "  ")
		if err := enc.Encode(r); err != nil {
			return err
		}
	} else {
		for _, s := range r.Statements {
			fmt.Fprintf(p.stdout, "%s v%d %s %s signed by %s logged %s\n", s.ID, s.Version, s.Kind, s.Status, strings.Join(s.SignedBy, ", "), s.LoggedAt.Format(time.RFC3339))
		}
		for _, f := range r.Findings {
			fmt.Fprintf(p.stdout, "FAIL %s %s: %s\n", f.Code, f.Where, f.Text)
		}
		if r.OK() {
			fmt.Fprintf(p.stdout, "valid as of %s\n", r.AsOf.Format(time.RFC3339))
		}
	}
	if !r.Pinned {
		fmt.Fprintln(p.stderr, "note: the keys come from the site itself; pin them with --policy to know who signed")
	}
	if !r.OK() {
		return errCheckFailed
	}
	return nil
}

// statementChange names the statement to change and why.
type statementChange struct {
	statementFolder
	ID   string `arg:"" help:"urn:uuid: of the published statement."`
	Line string `default:"body" help:"The line concerned."`
	Was  string `required:"" help:"What it said."`
	Is   string `required:"" help:"What it says now."`
	Why  string `required:"" help:"Why it changes."`
	At   string `help:"As of this time instead of now." placeholder:"TIME"`
}

func (c *statementChange) next(p *process, change func(s *statement.Statement, now time.Time) error) error {
	now, err := clock(c.At)
	if err != nil {
		return err
	}
	records, _, err := statement.Load(statement.Dir(c.at("site")))
	if err != nil {
		return err
	}
	s, err := statement.Next(records, c.ID, statement.Correction{Date: now.Format(time.DateOnly), Line: c.Line, Was: c.Was, Is: c.Is, Why: c.Why},
		func(s *statement.Statement) error { return change(s, now.Truncate(time.Second)) })
	if err != nil {
		return err
	}
	return c.freeze(p, s)
}

type statementCorrectCmd struct {
	statementChange
	File string `type:"existingfile" required:"" help:"The corrected statement as JSON; id, version and corrections are set."`
}

func (c *statementCorrectCmd) Run(p *process) error {
	return c.next(p, func(s *statement.Statement, _ time.Time) error {
		b, err := os.ReadFile(c.File)
		if err != nil {
			return err
		}
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		*s = statement.Statement{}
		if err := d.Decode(s); err != nil {
			return fmt.Errorf("%s: %w", c.File, err)
		}
		return nil
	})
}

type statementRetractCmd struct {
	statementChange
}

func (c *statementRetractCmd) Run(p *process) error {
	return c.next(p, func(s *statement.Statement, now time.Time) error {
		s.Kind, s.ValidFrom, s.ValidUntil = "retraction", now, nil
		return nil
	})
}
