// Package statement makes, signs, publishes and verifies public statements.
//
// A statement is canonical JSON (RFC 8785) whose SHA-256 is carried by a
// signed note (C2SP signed-note). The complete note is a leaf of a tiled
// transparency log (C2SP tlog-tiles) whose checkpoints witnesses co-sign.
// Publication is a pure function of records and log, so [Verify] renders every
// page and feed again and compares bytes: no byte of a site can change
// unseen. docs/protocol/statements.md is the written protocol.
package statement

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxStatement is the size of one record in bytes.
const maxStatement = 1 << 20

// Kinds of statement and the longest time each may run, in months; 0 has no end.
var kinds = map[string]int{
	"vision": 24, "cooperation-is": 12, "cooperation-is-not": 12, "rebuttal": 6, "correction": 24, "retraction": 0,
}

// Statement is one version of one public statement. Every field is signed.
type Statement struct {
	ID           string          `json:"id"` // urn:uuid:, stable over versions
	Version      int             `json:"version"`
	Supersedes   string          `json:"supersedes,omitempty"` // digest of the version before
	Kind         string          `json:"kind"`
	Sample       bool            `json:"sample,omitempty"` // marked on every page; not anybody's position
	ValidFrom    time.Time       `json:"valid_from"`
	ValidUntil   *time.Time      `json:"valid_until,omitempty"`
	Authentic    []string        `json:"authentic"` // BCP 47, equally authentic
	Texts        map[string]Text `json:"texts"`
	Lines        []Line          `json:"lines,omitempty"`
	Signatories  []Signatory     `json:"signatories"`
	Policy       Policy          `json:"policy"`
	Evidence     []Evidence      `json:"evidence,omitempty"`
	Narratives   []string        `json:"narrative_refs,omitempty"` // public ids
	Claims       []string        `json:"claim_refs,omitempty"`
	Contact      string          `json:"contact"` // an office, not a person
	CorrectionsU string          `json:"corrections_url"`
	Corrections  []Correction    `json:"corrections,omitempty"`
}

// Text is the statement in one authentic language.
type Text struct {
	Title string     `json:"title"`
	Body  string     `json:"body"`
	Lines []TextLine `json:"lines,omitempty"`
}

// TextLine is the words of one line.
type TextLine struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// Line makes a line testable by an outsider.
type Line struct {
	ID           string   `json:"line_id"`
	Polarity     string   `json:"polarity"` // entails, does-not-entail or vision
	Anchor       string   `json:"anchor"`   // the article, budget line, mandate or decision
	Test         string   `json:"test"`     // what an outsider looks at, where and how often
	Falsifier    string   `json:"falsifier"`
	NotFalsifier []string `json:"not_a_falsifier,omitempty"`
	From         string   `json:"from"` // scope in time, dates
	Until        string   `json:"until"`
	NextCheck    string   `json:"next_check"`
	LastChecked  string   `json:"last_checked,omitempty"`
	LastResult   string   `json:"last_result,omitempty"` // the observation last made
	Status       string   `json:"status"`                // standing, under-review, falsified, lapsed
}

// Signatory is one agency that signs.
type Signatory struct {
	Agency      string            `json:"agency"`
	Nation      string            `json:"nation"` // ISO 3166-1 alpha-2, or an organisation's name
	Domain      string            `json:"domain"`
	Key         string            `json:"key"`  // key name: domain and path
	Role        string            `json:"role"` // lead or co-signer
	Reservation map[string]string `json:"reservation,omitempty"`
}

// Policy is when enough have signed. K counts nations of Of, not agencies.
type Policy struct {
	Required []string `json:"required,omitempty"` // agencies
	K        int      `json:"k"`
	Of       []string `json:"of"`
}

// Evidence supports lines, or says why it is withheld.
type Evidence struct {
	ID       string   `json:"id"`
	Supports []string `json:"supports"` // line ids, or "body"
	What     string   `json:"what"`
	Locator  string   `json:"locator,omitempty"`
	SHA256   string   `json:"sha256,omitempty"`
	Accessed string   `json:"accessed_at,omitempty"`
	Withheld string   `json:"withheld,omitempty"` // the public notice, in place of locator and hash
}

// Correction is one entry of the corrections log; it only grows.
type Correction struct {
	Date string `json:"date"`
	Line string `json:"line"`
	Was  string `json:"was"`
	Is   string `json:"is"`
	Why  string `json:"why"`
}

// Digest is the lower-case hex SHA-256 of canonical bytes.
func Digest(canonical []byte) string { return fmt.Sprintf("%x", sha256.Sum256(canonical)) }

// Canonical gives the RFC 8785 form. Records hold strings, small integers and
// booleans with ASCII names only, for which sorted compact JSON is that form.
func (s *Statement) Canonical() ([]byte, error) { return canonical(s) }

func canonical(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(tree); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// Parse reads the exact signed bytes: canonical, no duplicate or unknown
// names, NFC, no invisible or direction-changing characters, rules kept.
func Parse(b []byte) (*Statement, error) {
	s, c, err := parse(b)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(b, c) {
		return nil, errors.New("parse a statement: the bytes are not in canonical form (RFC 8785), or a name appears twice")
	}
	return s, nil
}

// ParseDraft is Parse for bytes a person wrote: any spacing and order.
func ParseDraft(b []byte) (*Statement, error) {
	s, _, err := parse(b)
	return s, err
}

// parse reads a record and gives its canonical bytes beside it.
func parse(b []byte) (*Statement, []byte, error) {
	if len(b) > maxStatement {
		return nil, nil, fmt.Errorf("parse a statement: %d bytes, more than %d", len(b), maxStatement)
	}
	if err := plainText(string(b)); err != nil {
		return nil, nil, fmt.Errorf("parse a statement: %w", err)
	}
	var s Statement
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return nil, nil, fmt.Errorf("parse a statement: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("parse a statement: bytes follow the record")
	}
	c, err := s.Canonical()
	if err != nil {
		return nil, nil, err
	}
	if !bytes.Equal(b, c) { // escapes are resolved now
		if err := plainText(string(c)); err != nil {
			return nil, nil, fmt.Errorf("parse a statement: %w", err)
		}
	}
	return &s, c, s.checkAs(c)
}

// plainText refuses characters that make a text read otherwise than it is.
func plainText(s string) error {
	if !norm.NFC.IsNormalString(s) {
		return errors.New("the text is not valid UTF-8 in form NFC: normalise it")
	}
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
		case r == '\u200c' || r == '\u200d': // needed by Khmer, Persian and others
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' || r == unicode.ReplacementChar:
			return fmt.Errorf("the text holds the invisible or direction character U+%04X: remove it", r)
		}
	}
	return nil
}

var (
	idForm      = regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	domainForm  = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$`)
	langForm    = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
	hashForm    = regexp.MustCompile(`^[0-9a-f]{64}$`)
	lineForm    = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)
	intentWords = regexp.MustCompile(`(?i)\b(intends?|intent|intention|wants? to|aims? to)\b`)
	absolute    = regexp.MustCompile(`(?i)\b(never|always)\b`)
)

// check returns every broken rule at once.
func (s *Statement) check() error {
	c, err := s.Canonical()
	if err != nil {
		return err
	}
	return s.checkAs(c)
}

// checkAs is check with the canonical bytes at hand.
func (s *Statement) checkAs(canonical []byte) error {
	var bad []error
	no := func(format string, args ...any) { bad = append(bad, fmt.Errorf(format, args...)) }
	months, known := kinds[s.Kind]
	if !known {
		no("kind: %q is not vision, cooperation-is, cooperation-is-not, rebuttal, correction or retraction", s.Kind)
	}
	if !idForm.MatchString(s.ID) {
		no("id: %q is not urn:uuid: with a random (version 4) UUID", s.ID)
	}
	if s.Version < 1 || (s.Version > 1) != hashForm.MatchString(s.Supersedes) || s.Version == 1 && s.Supersedes != "" {
		no("version: %d needs supersedes (the digest of version %d) exactly when it is above 1", s.Version, s.Version-1)
	}
	if s.ValidFrom.Nanosecond() != 0 || s.ValidFrom.Location() != time.UTC || s.ValidFrom.IsZero() {
		no("valid_from: give UTC seconds like 2026-01-31T00:00:00Z")
	}
	switch {
	case known && months == 0 && s.ValidUntil != nil:
		no("valid_until: a retraction has no end; leave it out")
	case months > 0 && s.ValidUntil == nil:
		no("valid_until: is missing; a %s runs at most %d months", s.Kind, months)
	case months > 0 && (!s.ValidUntil.After(s.ValidFrom) || s.ValidUntil.After(s.ValidFrom.AddDate(0, months, 0))):
		no("valid_until: must lie after valid_from and within %d months of it for a %s", months, s.Kind)
	case months > 0 && (s.ValidUntil.Location() != time.UTC || s.ValidUntil.Nanosecond() != 0):
		no("valid_until: give UTC seconds")
	}
	bad = append(bad, s.checkTexts()...)
	bad = append(bad, s.checkLines()...)
	bad = append(bad, s.checkSignatories()...)
	bad = append(bad, s.checkEvidence()...)
	if s.Contact == "" || s.CorrectionsU == "" {
		no("contact and corrections_url: both are needed, so that a reader can object")
	}
	if s.CorrectionsU != "" {
		if err := publicURL(s.CorrectionsU); err != nil {
			no("corrections_url: %w", err)
		}
	}
	if s.Version > 1 && s.Kind != "retraction" && len(s.Corrections) == 0 {
		no("corrections: version %d says what it corrects", s.Version)
	}
	if err := nothingHidden(canonical); err != nil {
		bad = append(bad, err)
	}
	if len(bad) > 0 {
		return fmt.Errorf("the statement is refused: %w", errors.Join(bad...))
	}
	return nil
}

func (s *Statement) checkTexts() (bad []error) {
	if len(s.Authentic) < 1 || len(s.Authentic) > 3 || len(s.Texts) != len(s.Authentic) {
		bad = append(bad, fmt.Errorf("authentic: name 1 to 3 languages and give texts for exactly these"))
	}
	for _, lang := range s.Authentic {
		t, ok := s.Texts[lang]
		if !ok || !langForm.MatchString(lang) || strings.TrimSpace(t.Title) == "" || strings.TrimSpace(t.Body) == "" {
			bad = append(bad, fmt.Errorf("texts: %q needs a BCP 47 tag, a title and a body", lang))
			continue
		}
		var ids []string
		for _, l := range t.Lines {
			ids = append(ids, l.ID)
		}
		var want []string
		for _, l := range s.Lines {
			want = append(want, l.ID)
		}
		if !slices.Equal(ids, want) {
			bad = append(bad, fmt.Errorf("texts: the line ids of %s are %v, the lines are %v: every authentic language says the same lines", lang, ids, want))
		}
	}
	return bad
}

func (s *Statement) checkLines() (bad []error) {
	if strings.HasPrefix(s.Kind, "cooperation-") && len(s.Lines) == 0 {
		bad = append(bad, fmt.Errorf("lines: a %s statement has at least one testable line", s.Kind))
	}
	seen := map[string]bool{}
	for _, l := range s.Lines {
		no := func(format string, args ...any) {
			bad = append(bad, fmt.Errorf("line %s: %s", l.ID, fmt.Sprintf(format, args...)))
		}
		if seen[l.ID] || !lineForm.MatchString(l.ID) {
			no("the id is used twice or is not a short lower-case name")
		}
		seen[l.ID] = true
		if l.Polarity == "vision" && s.Kind == "vision" {
			continue // a value: it cannot be tested
		}
		if l.Polarity != "entails" && l.Polarity != "does-not-entail" || s.Kind == "cooperation-is" && l.Polarity != "entails" || s.Kind == "cooperation-is-not" && l.Polarity != "does-not-entail" {
			no("polarity %q does not fit a %s statement", l.Polarity, s.Kind)
		}
		for name, v := range map[string]string{"anchor": l.Anchor, "test": l.Test, "falsifier": l.Falsifier} {
			if len(strings.TrimSpace(v)) < 8 {
				no("%s is missing: name the article, budget line, deployment or observation", name)
			}
		}
		if intentWords.MatchString(l.Falsifier) {
			no("the falsifier speaks of intent; name something an outsider can observe")
		}
		from, err1 := time.Parse(time.DateOnly, l.From)
		until, err2 := time.Parse(time.DateOnly, l.Until)
		_, err3 := time.Parse(time.DateOnly, l.NextCheck)
		if err1 != nil || err2 != nil || err3 != nil || !until.After(from) {
			no("from, until and next_check are dates like 2026-01-31, until after from: a line is bounded in time")
		}
		if !slices.Contains([]string{"standing", "under-review", "falsified", "lapsed"}, l.Status) {
			no("status %q is not standing, under-review, falsified or lapsed", l.Status)
		}
		for lang, t := range s.Texts {
			for _, tl := range t.Lines {
				if tl.ID == l.ID && absolute.MatchString(tl.Text) {
					no("%s says never or always: name the period", lang)
				}
			}
		}
	}
	return bad
}

func (s *Statement) checkSignatories() (bad []error) {
	leads, keys := 0, map[string]bool{}
	nations, agencies := map[string]bool{}, map[string]bool{}
	for _, g := range s.Signatories {
		if g.Role == "lead" {
			leads++
		} else if g.Role != "co-signer" {
			bad = append(bad, fmt.Errorf("signatory %s: role is lead or co-signer", g.Agency))
		}
		if !domainForm.MatchString(g.Domain) || !strings.HasPrefix(g.Key, g.Domain+"/") || !keyForm.MatchString(g.Key) {
			bad = append(bad, fmt.Errorf("signatory %q: domain %q and key %q are lower-case ASCII, the key starts with the domain and a slash", g.Agency, g.Domain, g.Key))
		}
		if keys[g.Key] {
			bad = append(bad, fmt.Errorf("signatory %q: key %q is named twice", g.Agency, g.Key))
		}
		keys[g.Key] = true
		if err := oneScript(g.Agency); err != nil {
			bad = append(bad, fmt.Errorf("signatory %q: %w", g.Agency, err))
		}
		nations[g.Nation], agencies[g.Agency] = true, true
	}
	if leads != 1 {
		bad = append(bad, fmt.Errorf("signatories: exactly one is lead, %d are", leads))
	}
	of := map[string]bool{}
	for _, n := range s.Policy.Of {
		if !nations[n] || of[n] {
			bad = append(bad, fmt.Errorf("policy: %s in \"of\" is no signatory's nation, or is named twice", n))
		}
		of[n] = true
	}
	if s.Policy.K < 1 || s.Policy.K > len(s.Policy.Of) {
		bad = append(bad, fmt.Errorf("policy: k is %d of %d nations", s.Policy.K, len(s.Policy.Of)))
	}
	for _, a := range s.Policy.Required {
		if !agencies[a] {
			bad = append(bad, fmt.Errorf("policy: required agency %q is no signatory", a))
		}
	}
	return bad
}

// oneScript refuses a name that mixes scripts whose letters look alike.
func oneScript(name string) error {
	if strings.TrimSpace(name) == "" {
		return errors.New("the name is empty")
	}
	found := map[string]bool{}
	for _, r := range name {
		for script, table := range map[string]*unicode.RangeTable{"Latin": unicode.Latin, "Cyrillic": unicode.Cyrillic, "Greek": unicode.Greek, "Armenian": unicode.Armenian, "Cherokee": unicode.Cherokee} {
			if unicode.Is(table, r) {
				found[script] = true
			}
		}
		if r >= 0xFF01 && r <= 0xFF5E || r >= 0x1D400 && r <= 0x1D7FF {
			return fmt.Errorf("the look-alike character %q stands for a plain letter: use the plain one", r)
		}
	}
	if len(found) > 1 {
		return errors.New("the name mixes scripts with look-alike letters: write it in one script")
	}
	return nil
}

func (s *Statement) checkEvidence() (bad []error) {
	lines := map[string]bool{"body": true}
	for _, l := range s.Lines {
		lines[l.ID] = true
	}
	supported := map[string]bool{}
	for _, e := range s.Evidence {
		no := func(format string, args ...any) {
			bad = append(bad, fmt.Errorf("evidence %s: %s", e.ID, fmt.Sprintf(format, args...)))
		}
		for _, l := range e.Supports {
			if !lines[l] {
				no("supports %q, which is no line", l)
			}
			supported[l] = true
		}
		switch {
		case e.ID == "" || e.What == "" || len(e.Supports) == 0:
			no("id, what and supports are needed")
		case e.Withheld != "" && (e.Locator != "" || e.SHA256 != ""):
			no("it is withheld and yet carries a locator or hash: drop them")
		case e.Withheld != "":
		case !hashForm.MatchString(e.SHA256) && !(s.Sample && e.SHA256 == ""):
			no("sha256 is not 64 lower-case hex digits; or give the withheld notice")
		default:
			if err := publicURL(e.Locator); err != nil {
				no("locator: %v", err)
			}
		}
	}
	for l := range lines {
		if l != "body" && !supported[l] && s.Kind != "vision" && s.Kind != "retraction" {
			bad = append(bad, fmt.Errorf("line %s: no evidence supports it: an unsourced line is refused", l))
		}
	}
	if s.Kind == "rebuttal" && !supported["body"] {
		bad = append(bad, errors.New("rebuttal: no evidence supports the body"))
	}
	return bad
}
