package main

import (
	"bytes"
	"cmp"
	"encoding/json"
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
	"causeway/internal/statement/verifier"
)

// statementCmd is the group of commands about public statements. They work on
// a folder: secrets/ (keys of this agency), public/ (every key that is
// trusted), drafts/ (frozen statements and their signatures) and site/ (what
// is published).
type statementCmd struct {
	Key       statementKeyCmd       `cmd:"" help:"Make a signing key for one purpose."`
	Draft     statementDraftCmd     `cmd:"" help:"Check a statement and freeze its bytes; prints the digest to sign."`
	Review    statementReviewCmd    `cmd:"" help:"Keep a person's legal or release review of a frozen statement."`
	Sign      statementSignCmd      `cmd:"" help:"Sign a frozen statement with Ed25519 and ML-DSA-65."`
	Witness   statementWitnessCmd   `cmd:"" help:"Have publication ask a witness service."`
	Publish   statementPublishCmd   `cmd:"" help:"Log and publish every draft that has its signatures."`
	Verify    statementVerifyCmd    `cmd:"" help:"Check a published site: words, signatures, dates, log and every page."`
	Correct   statementCorrectCmd   `cmd:"" help:"Draft the next version of a published statement with a correction."`
	Confirm   statementConfirmCmd   `cmd:"" help:"List the digest of a version on another site that this agency co-signed, under its own domain."`
	Translate statementTranslateCmd `cmd:"" help:"Bind a translation to the exact version it translates; it never touches the signed bytes."`
	Sample    statementSampleCmd    `cmd:"" help:"Write the shipped starting set (vision, is, is not) in English and Japanese, to edit."`
	Coverage  statementCoverageCmd  `cmd:"" help:"Which observed narratives are answered, where and when; unanswered, late, expired."`
	Retract   statementRetractCmd   `cmd:"" help:"Draft the retraction of a published statement."`
}

// statementFolder is where the commands work.
type statementFolder struct {
	Dir string `default:"." type:"path" help:"Folder with secrets/, public/, drafts/ and site/."`
}

func (f statementFolder) folder() statement.Folder { return statement.Folder(f.Dir) }

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
	public, err := c.folder().AddKey(secret, now)
	if err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, public)
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
	file, digest, err := f.folder().Freeze(s)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%s %s\n", file, digest)
	return nil
}

type statementReviewCmd struct {
	statementFolder
	Draft  string `arg:"" type:"existingfile" help:"The frozen draft."`
	Kind   string `enum:"legal,release" required:"" help:"legal or release."`
	By     string `required:"" help:"Who reviewed it; two people, neither of them the one who drafted it."`
	Object string `help:"Object, for this reason." placeholder:"WHY"`
	Demand bool   `help:"From now on nothing in this folder is signed or published without both reviews."`
}

func (c *statementReviewCmd) Run(p *process) error {
	d, err := statement.ReadDraft(c.Draft)
	if err != nil {
		return err
	}
	if c.Demand {
		if err := c.folder().DemandReviews(); err != nil {
			return err
		}
	}
	digest := statement.Digest(d.JSON)
	r := statement.Review{Kind: c.Kind, By: c.By, At: time.Now().UTC().Truncate(time.Second), Digest: digest, Agrees: c.Object == "", Note: c.Object}
	if err := c.folder().Decide(c.Draft, r); err != nil {
		return err
	}
	w, err := c.folder().Work(c.Draft)
	if err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, cmp.Or(w.Open(digest), "both reviews agree"))
	return nil
}

type statementSignCmd struct {
	statementFolder
	Draft string `arg:"" type:"existingfile" help:"The frozen draft."`
	Key   string `required:"" help:"Name of the key to sign with."`
}

func (c *statementSignCmd) Run(p *process) error {
	digest, err := c.folder().Sign(c.Draft, c.Key)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%s signed %s\n", c.Key, digest)
	return nil
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
	now, err := clock(c.At)
	if err != nil {
		return err
	}
	if c.Witnesses < 1 {
		return usagef("--witnesses %d: at least one witness co-signs; three of three nations is the rule", c.Witnesses)
	}
	page, err := verifier.Files()
	if err != nil {
		return err
	}
	done, err := c.folder().Publish(statement.Round{Now: now, Verifier: page, Reach: reach(p), Metadata: statement.Metadata{
		Publisher: c.Publisher, Contact: c.Contact, CanonicalURL: strings.TrimSuffix(c.URL, "/") + "/", Role: "publisher",
		Witnesses: statement.WitnessPolicy{K: c.Witnesses, Nations: c.Witnesses},
	}})
	if err != nil {
		return err
	}
	for _, a := range done.Asked {
		if a.Err != nil {
			fmt.Fprintf(p.stderr, "note: the witness %s did not co-sign: %v\n", a.Name, a.Err)
		}
	}
	if !verifier.Built() {
		fmt.Fprintln(p.stderr, "note: this causeway was built without the program that checks a site in a browser; the site's page says so (build with make build, which needs Node)")
	}
	fmt.Fprintf(p.stdout, "published %d statements, %d in the log, %d of %d files written to %s\n", done.Drafts, done.Statements, done.Written, done.Files, string(c.folder().Site()))
	return nil
}

// reach asks witness services over the web.
func reach(p *process) func(statement.WitnessAt) statement.Cosigner {
	return func(w statement.WitnessAt) statement.Cosigner {
		return statement.RemoteWitness{WitnessAt: w, Ctx: p.ctx, Client: http.DefaultClient}
	}
}

type statementVerifyCmd struct {
	Site   string            `arg:"" help:"Folder or web address of a published site."`
	Policy string            `type:"existingfile" help:"Keys and witness policy to trust: provider-metadata.json obtained earlier or by another way."`
	Since  string            `type:"existingfile" help:"An older checkpoint; proves that nothing was rewritten since."`
	Other  map[string]string `help:"Site of another signatory, to see whether it confirms: DOMAIN=FOLDER or DOMAIN=URL." placeholder:"DOMAIN=SITE"`
	Text   string            `type:"existingfile" help:"Words or a statement as JSON to look up in the site, each paragraph by itself; one that no statement in force says fails."`
	At     string            `help:"Verify as of this time instead of now." placeholder:"TIME"`
	JSON   bool              `name:"json" help:"Print the whole report as JSON."`
}

// siteAt is a published site in a folder or on the web.
func siteAt(p *process, site string) (statement.Source, error) {
	if strings.HasPrefix(site, "https://") || strings.HasPrefix(site, "http://") {
		return statement.Web{Ctx: p.ctx, Base: site, Client: http.DefaultClient}, nil
	}
	if _, err := os.Stat(site); err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	return statement.Dir(site), nil
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
	src, err := siteAt(p, c.Site)
	if err != nil {
		return err
	}
	opt.Others = map[string]statement.Source{}
	for domain, site := range c.Other {
		if opt.Others[domain], err = siteAt(p, site); err != nil {
			return err
		}
	}
	r := statement.Verify(src, opt)
	var found []statement.Found
	if c.Text != "" {
		words, err := os.ReadFile(c.Text)
		if err != nil {
			return err
		}
		found = r.Find(string(words))
	}
	if c.JSON {
		if err := writeJSON(p, struct {
			*statement.Report
			Found []statement.Found `json:"found,omitempty"`
		}{r, found}); err != nil {
			return err
		}
	} else {
		c.print(p, r, found)
	}
	if !r.Pinned {
		fmt.Fprintln(p.stderr, "note: the keys come from the site itself; pin them with --policy to know who signed")
	}
	if !r.OK() || slices.ContainsFunc(found, func(f statement.Found) bool { return !f.Current() }) {
		return errCheckFailed
	}
	return nil
}

func (c *statementVerifyCmd) print(p *process, r *statement.Report, found []statement.Found) {
	for _, s := range r.Statements {
		fmt.Fprintf(p.stdout, "%s v%d %s %s signed by %s logged %s\n", s.ID, s.Version, s.Kind, s.Status, strings.Join(s.SignedBy, ", "), s.LoggedAt.Format(time.RFC3339))
		for _, x := range s.Confirmations {
			if len(c.Other) > 0 && x.State != statement.OwnSite {
				fmt.Fprintf(p.stdout, "  %s %s %s\n", x.Domain, x.State, x.Why)
			}
		}
	}
	for _, w := range r.Witnesses {
		fmt.Fprintf(p.stdout, "witness %s (%s) %s\n", w.Name, w.Nation, w.At.Format(time.RFC3339))
	}
	if len(r.Witnesses) > 0 {
		fmt.Fprintf(p.stdout, "quorum %d witnesses of %d nations, %d of %d are needed\n", len(r.Witnesses), r.Nations(), r.Quorum.K, r.Quorum.Nations)
	}
	for _, f := range found {
		if len(f.Matches) == 0 {
			fmt.Fprintf(p.stdout, "FAIL not said here: %s\n", f.Words)
		}
		for _, m := range f.Matches {
			fmt.Fprintf(p.stdout, "%s %s v%d %s %s %s\n", m.Place, m.ID, m.Version, m.Status, m.Lang, m.Page)
		}
	}
	for _, f := range r.Findings {
		fmt.Fprintf(p.stdout, "FAIL %s %s: %s\n", f.Code, f.Where, f.Text)
	}
	if r.OK() {
		fmt.Fprintf(p.stdout, "valid as of %s\n", r.AsOf.Format(time.RFC3339))
	}
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
	records, _, err := statement.Load(c.folder().Site())
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
