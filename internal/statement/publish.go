package statement

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Draft is a frozen statement and the signatures it has so far.
type Draft struct {
	JSON []byte
	Sigs string // signature lines

	committed bool // witnesses may have co-signed it: it is logged as it is
}

// Sign adds a signatory's two signatures to a frozen draft.
func (d *Draft) Sign(k *Secret) error {
	s, err := Parse(d.JSON)
	if err != nil {
		return err
	}
	named := false
	for _, g := range s.Signatories {
		named = named || g.Key == k.Name
	}
	switch {
	case k.Purpose != "statement":
		return fmt.Errorf("sign: key %s is for %s, not for statements", k.Name, k.Purpose)
	case !named:
		return fmt.Errorf("sign: key %s is no signatory of this statement", k.Name)
	case strings.Contains(d.Sigs, "— "+k.Name+" "):
		return fmt.Errorf("sign: key %s has signed already", k.Name)
	}
	text, err := s.NoteText()
	if err != nil {
		return err
	}
	sig, err := k.Sign(text)
	d.Sigs += sig
	return err
}

// Publication is everything a publish round needs.
type Publication struct {
	Metadata  Metadata // dates are set from Now
	Secrets   []Secret // the log key, the metadata key and the witness keys at hand
	Releaser  Releaser // asks the node's label decisions; nil checks form alone
	Now       time.Time
	Published []Record
	Drafts    []Draft

	// Cosigners are witness services to ask besides the witness keys at hand.
	// Before the first is asked, Commit keeps the entries that are to be logged:
	// a witness that has co-signed them will take no others in their place.
	Cosigners []Cosigner
	Commit    func(entries []Record) error
	Asked     []Asked // what became of asking, after Publish

	Verifier map[string][]byte // files of the page that checks the site, by path; the signed metadata name each

	Translations []Translated // those of the published site
	Translate    []Translated // new ones, each bound to the newest version of its statement
}

// Publish appends the drafts to the log and gives the files of the new site.
// A draft that lacks a signature, or does not follow the version before,
// refuses the whole round.
func (p *Publication) Publish() (map[string][]byte, error) {
	p.Metadata.LastUpdated = p.Now.UTC().Truncate(time.Second)
	p.Metadata.NextUpdate = p.Metadata.LastUpdated.AddDate(0, 1, 0)
	p.Metadata.Version = "1"
	records := p.Published
	latest := map[string]int{}
	for i, r := range records {
		latest[r.s.ID] = i
	}
	first := len(records)
	for _, d := range p.Drafts {
		s, err := Parse(d.JSON)
		if err != nil {
			return nil, err
		}
		if err := s.PublicOnly(p.Releaser); err != nil && !d.committed {
			return nil, fmt.Errorf("publish %s: %w", s.ID, err)
		}
		text, _ := s.NoteText()
		rec := Record{JSON: d.JSON, Note: []byte(text + "\n" + d.Sigs), s: s}
		if d.Sigs == "" {
			return nil, fmt.Errorf("publish %s: nobody has signed it", s.ID)
		}
		_, by, err := openNote(rec.Note, p.Metadata.Keys, "statement")
		if err != nil {
			return nil, fmt.Errorf("publish %s: %w", s.ID, err)
		}
		if why := s.missing(by); why != "" {
			return nil, fmt.Errorf("publish %s: %s", s.ID, why)
		}
		if s.ValidUntil != nil && !p.Now.Before(*s.ValidUntil) && !d.committed {
			return nil, fmt.Errorf("publish %s: it expired %s", s.ID, s.ValidUntil.Format(time.RFC3339))
		}
		if i, ok := latest[s.ID]; ok {
			if err := follows(records[i], rec); err != nil {
				return nil, fmt.Errorf("publish %s version %d: %w", s.ID, s.Version, err)
			}
		} else if s.Version != 1 {
			return nil, fmt.Errorf("publish %s: version 1 comes first", s.ID)
		}
		latest[s.ID] = len(records)
		records = append(records, rec)
	}
	var translations []Translated
	var err error
	if translations, p.Metadata.Translations, err = join(p.Translations, p.Translate, records, latest, p.Metadata.Keys); err != nil {
		return nil, err
	}
	cp, err := p.checkpoint(records, first)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for i := range records {
		// An entry whose own checkpoint no longer meets the policy, since the
		// quorum was raised or a witness left, is known from today's.
		if key := string(records[i].Checkpoint); i < first {
			if _, ok := seen[key]; !ok {
				seen[key] = openCheckpoint(records[i].Checkpoint, &p.Metadata).err == nil
			}
			if seen[key] {
				continue
			}
		}
		records[i].Checkpoint = cp
	}
	p.Metadata.Verifier = nil
	for _, name := range slices.Sorted(maps.Keys(p.Verifier)) {
		if !verifierForm.MatchString(name) {
			return nil, fmt.Errorf("publish: %q is no file of the page that checks the site", name)
		}
		p.Metadata.Verifier = append(p.Metadata.Verifier, FileRef{name, Digest(p.Verifier[name])})
	}
	meta, err := canonical(&p.Metadata)
	if err != nil {
		return nil, err
	}
	sig, err := p.sign("metadata", "", metadataNote(meta))
	if err != nil {
		return nil, err
	}
	files, err := Render(records, translations, meta, []byte(metadataNote(meta)+"\n"+sig), cp, &p.Metadata)
	maps.Copy(files, p.Verifier)
	return files, err
}

func (p *Publication) sign(purpose, name, text string) (string, error) {
	for _, s := range p.Secrets {
		if s.Purpose == purpose && (name == "" || s.Name == name) {
			return s.Sign(text)
		}
	}
	return "", fmt.Errorf("publish: no %s key is at hand; make one with causeway statement key", purpose)
}

// checkpoint signs the log's head and has it co-signed, by the witness keys at
// hand and by the witness services.
func (p *Publication) checkpoint(records []Record, first int) ([]byte, error) {
	t, err := treeOf(records)
	if err != nil {
		return nil, err
	}
	root, err := tlog.TreeHash(int64(len(records)), t)
	if err != nil {
		return nil, err
	}
	if p.Commit != nil && len(p.Cosigners) > 0 {
		if err := p.Commit(records[first:]); err != nil {
			return nil, fmt.Errorf("publish: keep the entries before witnesses are asked: %w", err)
		}
	}
	body := checkpointBody(p.Metadata.LogOrigin, int64(len(records)), root)
	sig, err := p.sign("log", p.Metadata.LogOrigin, body)
	if err != nil {
		return nil, err
	}
	for _, s := range p.Secrets {
		if s.Purpose == "witness" {
			line, err := s.Cosign(body, p.Now)
			if err != nil {
				return nil, err
			}
			sig += line
		}
	}
	cp := p.cosign([]byte(body+"\n"+sig), t, int64(len(records)))
	if c := openCheckpoint(cp, &p.Metadata); c.err != nil {
		err := fmt.Errorf("publish: %w", c.err)
		for _, a := range p.Asked {
			if a.Err != nil {
				err = errors.Join(err, fmt.Errorf("witness %s: %w", a.Name, a.Err))
			}
		}
		return nil, err
	}
	return cp, nil
}

// Load reads the records of a published site; an empty source has none.
func Load(src Source) ([]Record, *Metadata, error) {
	raw, err := src.Read(metadataPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	var m Metadata
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", metadataPath, err)
	}
	cp, err := src.Read(checkpointPath)
	if err != nil {
		return nil, nil, err
	}
	size, err := checkpointSize(cp)
	if err != nil {
		return nil, nil, err
	}
	v := &run{r: &Report{}, src: src, m: &m, trust: &m}
	records, ok := v.records(size)
	if !ok {
		return nil, nil, fmt.Errorf("load the site: %s: %s", v.r.Findings[0].Where, v.r.Findings[0].Text)
	}
	return records, &m, nil
}

// Next makes the draft of the version after the newest one of id among records.
// change edits the copy; version, supersedes and the correction are set here.
func Next(records []Record, id string, c Correction, change func(*Statement) error) (*Statement, error) {
	for i := len(records) - 1; i >= 0; i-- {
		r := records[i]
		if r.s.ID != id {
			continue
		}
		if r.s.Kind == "retraction" {
			return nil, fmt.Errorf("%s was retracted; publish a new statement under a new id", id)
		}
		next, err := Parse(r.JSON)
		if err != nil {
			return nil, err
		}
		old := next.Corrections
		if err := change(next); err != nil {
			return nil, err
		}
		next.ID, next.Version, next.Supersedes = id, r.s.Version+1, Digest(r.JSON)
		next.Corrections = append(old[:len(old):len(old)], c)
		return next, next.check()
	}
	return nil, fmt.Errorf("%s is not published here", id)
}
