package statement

import (
	"bytes"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// publicURL refuses links that only insiders can follow or that carry hidden
// data about who shared them.
func publicURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" {
		return fmt.Errorf("%q is not a public web address", s)
	}
	host := u.Hostname()
	if a, err := netip.ParseAddr(host); err == nil && !(a.IsGlobalUnicast() && !a.IsPrivate()) || err != nil && !domainForm.MatchString(host) ||
		strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".internal") {
		return fmt.Errorf("%q is not reachable by the public", s)
	}
	if u.User != nil {
		return fmt.Errorf("%q carries a user name: remove it", u.Redacted())
	}
	if strings.Contains(u.Fragment, ":~:") {
		return fmt.Errorf("%q carries a hidden text marker after the #: remove it", s)
	}
	for k := range u.Query() {
		l := strings.ToLower(k)
		if strings.HasPrefix(l, "utm_") || slices.Contains([]string{"fbclid", "gclid", "mc_eid", "igshid", "token", "sig", "session", "sid"}, l) {
			return fmt.Errorf("%q carries the hidden parameter %s: remove it", s, k)
		}
	}
	return nil
}

// form is a regular expression of which every match holds one of the words, in
// lower case: a text without them, as most are, is not searched. "ſ" folds to s.
type form struct {
	re    *regexp.Regexp
	words []string
}

// find gives the first match in b, whose lower case is at hand.
func (f form) find(b, lower []byte) []byte {
	if !slices.ContainsFunc(f.words, func(w string) bool { return bytes.Contains(lower, []byte(w)) }) {
		return nil
	}
	return f.re.Find(b)
}

var (
	internalID  = form{regexp.MustCompile(`[a-z][a-z0-9-]*--[0-9a-f]{8}-[0-9a-f]{4}-`), []string{"--"}}
	markingForm = form{
		regexp.MustCompile(`(?i)\bTLP ?:|\b(NATO|COSMIC|EU) (RESTRICTED|CONFIDENTIAL|SECRET|TOP SECRET)\b|\b(SECRET|CONFIDENTIAL|RESTRICTED)//|\bNOFORN\b|\bREL(EASABLE)? TO\b|\bORCON\b|特定秘密|極秘|【秘】`),
		[]string{"tlp", "restricted", "confidential", "secret", "noforn", "rel to", "releasable to", "orcon", "特定秘密", "極秘", "【秘】", "ſ"},
	}
	embedded = form{
		regexp.MustCompile(`(?i)data:[a-z]+/[a-z0-9.+-]+[;,]|!\[[^\]]*\]\(|<(img|svg|object|embed|iframe|picture|video|audio)\b`),
		[]string{"data:", "![", "<"},
	}
)

// nothingHidden refuses canonical bytes that hold internal ids, handling
// markings, or files.
func nothingHidden(b []byte) error {
	lower := bytes.ToLower(b)
	if m := internalID.find(b, lower); m != nil {
		return fmt.Errorf("the text holds the internal identifier %s...: use a public id", m)
	}
	if m := markingForm.find(b, lower); m != nil {
		return fmt.Errorf("the text holds the handling marking %q: only PUBLIC material is published", m)
	}
	if m := embedded.find(b, lower); m != nil {
		return fmt.Errorf("the text embeds a file or picture (%q), which can carry hidden metadata: name its public address and hash as evidence", m)
	}
	return nil
}

// Releaser decides whether a public identifier or locator may be named; the
// node gives one that asks label decisions. nil checks form alone.
type Releaser interface {
	// Public returns an error that says why ref is not PUBLIC.
	Public(ref string) error
}

// PublicOnly refuses text, evidence and metadata that are not PUBLIC:
// internal ids, handling markings, and references r does not release.
func (s *Statement) PublicOnly(r Releaser) error {
	b, err := s.Canonical()
	if err != nil {
		return err
	}
	if err := nothingHidden(b); err != nil || r == nil {
		return err
	}
	for _, ref := range slices.Concat(s.Narratives, s.Claims) {
		if err := r.Public(ref); err != nil {
			return fmt.Errorf("%s is not PUBLIC: %w", ref, err)
		}
	}
	for _, e := range s.Evidence {
		if e.Locator != "" {
			if err := r.Public(e.Locator); err != nil {
				return fmt.Errorf("evidence %s is not PUBLIC: %w", e.ID, err)
			}
		}
	}
	return nil
}
