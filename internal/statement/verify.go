package statement

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Codes of findings; they are stable.
const (
	Malformed      = "malformed"
	DigestMismatch = "digest-mismatch"
	BadSignature   = "bad-signature"
	NotMet         = "threshold-not-met"
	KeyNotValid    = "key-not-valid-at-log-time"
	BadMetadata    = "bad-metadata"
	StaleMetadata  = "stale-metadata"
	BadCheckpoint  = "bad-checkpoint"
	QuorumNotMet   = "witness-quorum-not-met"
	LogRewritten   = "log-rewritten"
	BadChain       = "version-chain-broken"
	FileChanged    = "file-changed"
	FileMissing    = "file-missing"
	NotYetValid    = "not-yet-valid"
	Expired        = "expired"
	TimeUnknown    = "time-unknown"
)

// Source reads the files of a site, from a folder or the web. A missing file
// is an error that wraps fs.ErrNotExist.
type Source interface {
	Read(name string) ([]byte, error)
}

// Lister is a Source that can list its files, so that extra ones are found.
type Lister interface {
	List() ([]string, error)
}

// Finding is one thing that is wrong.
type Finding struct {
	Code  string `json:"code"`
	Where string `json:"where"`
	Text  string `json:"text"`
}

// Checked is one version that was read.
type Checked struct {
	ID       string    `json:"id"`
	Version  int       `json:"version"`
	Kind     string    `json:"kind"`
	Status   string    `json:"status"` // current, superseded, retracted, expired, not-yet-valid
	SignedBy []string  `json:"signed_by"`
	LoggedAt time.Time `json:"logged_at"`
	Digest   string    `json:"sha256"`

	Titles      map[string]string `json:"titles"` // by authentic language
	ValidUntil  *time.Time        `json:"valid_until,omitempty"`
	Corrections int               `json:"corrections"`
	Sample      bool              `json:"sample,omitempty"`

	Confirmations []Confirmation `json:"confirmations"` // by signatory, from its own domain
}

// Report is the answer of Verify.
type Report struct {
	Findings   []Finding `json:"findings"`
	Statements []Checked `json:"statements"`
	AsOf       time.Time `json:"as_of"` // newest cosignature
	Pinned     bool      `json:"keys_pinned"`
	Checkpoint string    `json:"checkpoint"`

	Witnesses []Cosignature `json:"witnesses"` // of the checkpoint, by name
	Quorum    WitnessPolicy `json:"quorum"`    // what the policy that was used demands
	Answers   []Answer      `json:"answers"`

	records      []Record
	translations []Translated
}

// A Cosignature is one witness's over the checkpoint.
type Cosignature struct {
	Name   string    `json:"name"`
	Nation string    `json:"nation"`
	At     time.Time `json:"at"`
}

// OK reports that nothing is wrong.
func (r *Report) OK() bool { return len(r.Findings) == 0 }

func (r *Report) add(code, where, format string, args ...any) {
	r.Findings = append(r.Findings, Finding{code, where, fmt.Sprintf(format, args...)})
}

// VerifyOptions is what the verifier brings along.
type VerifyOptions struct {
	Now    time.Time
	Policy *Metadata // keys and witness policy pinned out of band; nil trusts the site's own
	Since  []byte    // an older checkpoint of the same log, to prove nothing was rewritten

	Others map[string]Source // sites of other signatories, by domain, to see whether they confirm
}

// Verify checks a whole site and renders it again to compare every byte.
func Verify(src Source, opt VerifyOptions) *Report {
	r := verify(src, opt)
	r.answer()
	return r
}

func verify(src Source, opt VerifyOptions) *Report {
	r := &Report{Pinned: opt.Policy != nil}
	if opt.Now.Year() < 2020 {
		r.add(TimeUnknown, "clock", "the clock says %s: set it; without a clock nothing is reported valid", opt.Now.Format(time.RFC3339))
		return r
	}
	raw, err := src.Read(metadataPath)
	if err != nil {
		r.add(FileMissing, metadataPath, "%v", err)
		return r
	}
	var m Metadata
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		r.add(BadMetadata, metadataPath, "%v", err)
		return r
	}
	if c, err := canonical(&m); err != nil || !bytes.Equal(c, raw) {
		r.add(BadMetadata, metadataPath, "not in canonical form (RFC 8785)")
		return r
	}
	trust := opt.Policy
	if trust == nil {
		trust = &m
	}
	sig, _ := src.Read(metadataPath + ".note")
	text, by, err := openNote(sig, trust.Keys, "metadata")
	if err != nil || len(by) == 0 || text != metadataNote(raw) {
		r.add(BadMetadata, metadataPath+".note", "no trusted metadata key signed these bytes: %v", err)
	}
	if opt.Now.After(m.NextUpdate) {
		r.add(StaleMetadata, metadataPath, "a new one was due %s", m.NextUpdate.Format(time.RFC3339))
	}
	if opt.Now.Before(m.LastUpdated.Add(-5 * time.Minute)) {
		r.add(TimeUnknown, "clock", "the metadata are from %s, later than the clock's %s: one of them is wrong", m.LastUpdated.Format(time.RFC3339), opt.Now.Format(time.RFC3339))
	}
	v := &run{r: r, src: src, m: &m, trust: trust, opt: opt, seen: map[string]cosigned1{}}
	v.all(raw, sig)
	return r
}

type cosigned1 struct {
	size int64
	root tlog.Hash
	at   time.Time
	by   []Cosignature
	err  error
	code string
}

// run is one verification.
type run struct {
	r        *Report
	src      Source
	m, trust *Metadata
	opt      VerifyOptions
	seen     map[string]cosigned1
	confirms map[string]confirmed // by domain
}

// checkpoint verifies a cosigned checkpoint under the trusted policy.
func (v *run) checkpoint(b []byte) cosigned1 {
	if c, ok := v.seen[string(b)]; ok {
		return c
	}
	c := openCheckpoint(b, v.trust)
	v.seen[string(b)] = c
	return c
}

func openCheckpoint(b []byte, trust *Metadata) (c cosigned1) {
	c.code = BadCheckpoint
	text, by, err := openNote(b, trust.Keys, "log")
	if err != nil {
		c.err = err
		return c
	}
	if !slices.ContainsFunc(by, func(s Signed) bool { return s.Key.Name == trust.LogOrigin }) {
		c.err = fmt.Errorf("the log %s has not signed it", trust.LogOrigin)
		return c
	}
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] != trust.LogOrigin {
		c.err = errors.New("want origin, size and root, one line each")
		return c
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if c.size, c.err = checkpointSize([]byte(text)); c.err != nil || err != nil || len(root) != tlog.HashSize || fmt.Sprint(c.size) != lines[1] || c.size < 0 {
		c.err = errors.New("the size or root is damaged")
		return c
	}
	copy(c.root[:], root)
	_, witnesses, err := openNote(b, trust.Keys, "witness")
	if err != nil {
		c.err = err
		return c
	}
	nations := map[string]bool{}
	for _, w := range witnesses {
		nations[w.Key.Nation] = true
		c.by = append(c.by, Cosignature{w.Key.Name, w.Key.Nation, w.At})
		if w.At.After(c.at) {
			c.at = w.At
		}
	}
	if len(witnesses) < trust.Witnesses.K || len(nations) < trust.Witnesses.Nations {
		c.code, c.err = QuorumNotMet, fmt.Errorf("%d witnesses of %d nations, %d of %d are needed", len(witnesses), len(nations), trust.Witnesses.K, trust.Witnesses.Nations)
	}
	return c
}

// all reads the log and everything it names.
func (v *run) all(metadata, metadataSig []byte) {
	cp, err := v.src.Read(checkpointPath)
	if err != nil {
		v.r.add(FileMissing, checkpointPath, "%v", err)
		return
	}
	v.r.Checkpoint = string(cp)
	c := v.checkpoint(cp)
	v.r.Witnesses, v.r.Quorum = c.by, v.trust.Witnesses
	if c.err != nil {
		v.r.add(c.code, checkpointPath, "%v", c.err)
		return
	}
	v.r.AsOf = c.at
	if c.at.After(v.opt.Now.Add(5 * time.Minute)) {
		v.r.add(TimeUnknown, "clock", "a witness signed at %s, later than the clock's %s: one of them is wrong", c.at.Format(time.RFC3339), v.opt.Now.Format(time.RFC3339))
	}
	records, ok := v.records(c.size)
	if !ok {
		return
	}
	t, err := treeOf(records)
	if err != nil {
		v.r.add(LogRewritten, "log", "%v", err)
		return
	}
	if root, err := tlog.TreeHash(c.size, t); err != nil || root != c.root {
		v.r.add(LogRewritten, checkpointPath, "the entries do not hash to the signed root")
		return
	}
	if v.opt.Since != nil {
		if old := v.checkpoint(v.opt.Since); old.err != nil {
			v.r.add(old.code, "since", "the older checkpoint: %v", old.err)
		} else if root, err := tlog.TreeHash(old.size, t); old.size > c.size || err != nil || root != old.root {
			v.r.add(LogRewritten, checkpointPath, "the log no longer holds what the older checkpoint of %d entries committed to", old.size)
		}
	}
	v.statements(records, t)
	translations, ok := v.translations(records)
	v.r.records, v.r.translations = records, translations
	if !ok {
		return
	}
	files, err := Render(records, translations, metadata, metadataSig, cp, v.m)
	if err != nil {
		v.r.add(Malformed, "site", "%v", err)
		return
	}
	v.compare(files)
}

// translations reads what the signed metadata name.
func (v *run) translations(records []Record) ([]Translated, bool) {
	var out []Translated
	ok, at := true, indexOf(records)
	for _, ref := range v.m.Translations {
		x, code, err := readTranslation(v.src, ref, records, at)
		if err != nil {
			v.r.add(code, "translation "+ref.Lang+" of "+ref.Statement, "%v", err)
			ok = false
			continue
		}
		i, _ := x.t.place(at)
		if err := x.signed(records[i].s, v.trust.Keys); err != nil {
			v.r.add(BadSignature, x.path(records[i].s)+".note", "%v", err)
		}
		out = append(out, x)
	}
	return out, ok
}

// records reads the log's entries and the records they name.
func (v *run) records(size int64) ([]Record, bool) {
	var records []Record
	for n := int64(0); n < size; n += 256 {
		w := min(256, size-n)
		tile := tlog.Tile{H: 8, L: 0, N: n / 256, W: int(w)}
		name := "tile/entries/" + strings.TrimPrefix(tile.Path(), "tile/8/0/")
		b, err := v.src.Read(name)
		if err != nil {
			v.r.add(LogRewritten, name, "a gap in the log: %v", err)
			return nil, false
		}
		for i := range w {
			if len(b) < 2 || len(b) < 2+int(b[0])<<8+int(b[1]) {
				v.r.add(LogRewritten, name, "entry %d is cut short", n+i)
				return nil, false
			}
			k := int(b[0])<<8 + int(b[1])
			records = append(records, Record{Note: b[2 : 2+k]})
			b = b[2+k:]
		}
	}
	wrong := make([]*Finding, len(records))
	atOnce(len(records), func(i int) { wrong[i] = v.record(i, &records[i]) })
	for _, f := range wrong {
		if f != nil {
			v.r.Findings = append(v.r.Findings, *f)
			return nil, false
		}
	}
	return records, true
}

// atOnce does n things on every processor, in no order.
func atOnce(n int, do func(i int)) {
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				do(i)
			}
		})
	}
	wg.Wait()
}

// record reads what an entry of the log names; nil when all is well.
func (v *run) record(i int, rec *Record) *Finding {
	wrong := func(code, where, format string, args ...any) *Finding {
		return &Finding{code, where, fmt.Sprintf(format, args...)}
	}
	where := fmt.Sprintf("log entry %d", i)
	lines := strings.SplitN(string(rec.Note), "\n", 7)
	if len(lines) < 7 || lines[0] != "causeway.statement/v1" || !strings.Contains(lines[1], "/urn:uuid:") {
		return wrong(Malformed, where, "not a causeway.statement/v1 note")
	}
	_, id, _ := strings.Cut(lines[1], "/urn:uuid:")
	if !idForm.MatchString("urn:uuid:" + id) {
		return wrong(Malformed, where, "the id is damaged")
	}
	dir := "s/" + id + "/" + lines[2] + "/"
	b, err := v.src.Read(dir + "statement.json")
	if err != nil {
		return wrong(FileMissing, dir+"statement.json", "the log names it: nothing may disappear: %v", err)
	}
	if rec.s, err = Parse(b); err != nil {
		return wrong(Malformed, dir+"statement.json", "%v", err)
	}
	rec.JSON = b
	if !strings.HasPrefix(string(rec.Note), rec.s.noteText(b)+"\n") {
		return wrong(DigestMismatch, dir+"statement.json", "the signed note is about other words: digest, id, version, kind or validity differ")
	}
	proof, err := v.src.Read(dir + "statement.tlog-proof")
	if err != nil {
		return wrong(FileMissing, dir+"statement.tlog-proof", "%v", err)
	}
	if _, cp, ok := bytes.Cut(proof, []byte("\n\n")); ok {
		rec.Checkpoint = cp
	}
	return nil
}

// statements checks signatures (in parallel), key dates, chains and validity.
func (v *run) statements(records []Record, t *tree) {
	type result struct {
		by  []Signed
		err error
	}
	results := make([]result, len(records))
	ring, err := ringOf(v.trust.Keys, "statement")
	atOnce(len(records), func(i int) {
		if results[i].err = err; err == nil {
			_, results[i].by, results[i].err = ring.open(records[i].Note)
		}
	})
	roots := map[int64]tlog.Hash{} // of the trees that checkpoints commit to
	latest := map[string]int{}
	for i, rec := range records {
		s, where := rec.s, rec.s.dir()
		done := Checked{ID: s.ID, Version: s.Version, Kind: s.Kind, Digest: Digest(rec.JSON),
			Titles: map[string]string{}, ValidUntil: s.ValidUntil, Corrections: len(s.Corrections), Sample: s.Sample}
		for lang, t := range s.Texts {
			done.Titles[lang] = t.Title
		}
		c := v.checkpoint(rec.Checkpoint)
		if c.err != nil {
			v.r.add(c.code, where+"statement.tlog-proof", "%v", c.err)
		} else if root, err := rootAt(roots, c.size, t); c.size <= int64(i) || err != nil || root != c.root {
			v.r.add(LogRewritten, where+"statement.tlog-proof", "its checkpoint does not commit to this log")
		}
		done.LoggedAt = c.at
		done.Confirmations = v.confirmations(s, done.Digest)
		if results[i].err != nil {
			v.r.add(BadSignature, where+"statement.note", "%v", results[i].err)
		}
		by := v.atLogTime(where, results[i].by, c.at)
		for _, b := range by {
			done.SignedBy = append(done.SignedBy, b.Key.Name)
		}
		if why := s.missing(by); why != "" {
			v.r.add(NotMet, where+"statement.note", "%s", why)
		}
		if p, ok := latest[s.ID]; ok {
			if err := follows(records[p], rec); err != nil {
				v.r.add(BadChain, where, "%v", err)
			}
		} else if s.Version != 1 {
			v.r.add(BadChain, where, "version %d is in the log, version 1 is not", s.Version)
		}
		latest[s.ID] = i
		v.r.Statements = append(v.r.Statements, done)
	}
	v.validity(records, latest)
}

// rootAt is the root of the first size entries, computed once.
func rootAt(known map[int64]tlog.Hash, size int64, t *tree) (tlog.Hash, error) {
	if root, ok := known[size]; ok {
		return root, nil
	}
	root, err := tlog.TreeHash(size, t)
	if err == nil {
		known[size] = root
	}
	return root, err
}

// atLogTime drops signatures of keys that were not valid when the entry was
// logged, and says so.
func (v *run) atLogTime(where string, by []Signed, at time.Time) []Signed {
	return slices.DeleteFunc(by, func(b Signed) bool {
		k, why := b.Key, ""
		switch {
		case at.Before(k.ValidFrom):
			why = "is valid only from " + k.ValidFrom.Format(time.RFC3339)
		case k.RetiredAt != nil && !at.Before(*k.RetiredAt):
			why = "was retired " + k.RetiredAt.Format(time.RFC3339)
		case k.Compromised != nil && !at.Before(*k.Compromised):
			why = "was compromised " + k.Compromised.Format(time.RFC3339)
		default:
			return false
		}
		v.r.add(KeyNotValid, where+"statement.note", "key %s %s; the entry was logged %s", k.Name, why, at.Format(time.RFC3339))
		return true
	})
}

// follows checks that next is the version after prev and keeps its corrections.
func follows(prev, next Record) error {
	a, b := prev.s, next.s
	switch {
	case b.Version != a.Version+1:
		return fmt.Errorf("version %d follows version %d", b.Version, a.Version)
	case b.Supersedes != Digest(prev.JSON):
		return errors.New("supersedes is not the digest of the version before")
	case a.Kind == "retraction":
		return errors.New("the statement was retracted; publish a new one under a new id")
	case len(b.Corrections) < len(a.Corrections) || !slices.Equal(a.Corrections, b.Corrections[:len(a.Corrections)]):
		return errors.New("a correction of an earlier version is missing: the list only grows")
	}
	return nil
}

// validity gives each version its status; a newest version out of its time fails.
func (v *run) validity(records []Record, latest map[string]int) {
	for i, rec := range records {
		s, done := rec.s, &v.r.Statements[i]
		newest := records[latest[s.ID]].s
		switch {
		case newest.Kind == "retraction":
			done.Status = "retracted"
		case newest != s:
			done.Status = "superseded"
		case v.opt.Now.Before(s.ValidFrom):
			done.Status = NotYetValid
			v.r.add(NotYetValid, s.dir(), "valid from %s", s.ValidFrom.Format(time.RFC3339))
		case s.ValidUntil != nil && !v.opt.Now.Before(*s.ValidUntil):
			done.Status = Expired
			v.r.add(Expired, s.dir(), "expired %s, however good its signatures: renew or retract it", s.ValidUntil.Format(time.RFC3339))
		default:
			done.Status = "current"
		}
	}
}
