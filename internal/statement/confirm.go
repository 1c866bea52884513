package statement

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// States of a signatory's confirmation.
const (
	Confirmed   = "confirmed"   // its own domain lists the digest
	Unconfirmed = "unconfirmed" // its own domain was read and does not
	NotAsked    = "not-asked"   // its own domain was not read, or could not be
	OwnSite     = "own-site"    // the statement stands on its own domain
)

// A Confirmation is the other side of a signature: anybody can copy a name into
// a site, but only the agency can list the digest on its own domain.
type Confirmation struct {
	Agency string `json:"agency"`
	Domain string `json:"domain"`
	State  string `json:"state"`
	Why    string `json:"why,omitempty"`
}

// confirmations answers for every signatory of a version.
func (v *run) confirmations(s *Statement, digest string) []Confirmation {
	var out []Confirmation
	for _, g := range s.Signatories {
		c := Confirmation{Agency: g.Agency, Domain: g.Domain}
		switch lists, err := v.confirmsOf(g.Domain); {
		case strings.HasPrefix(v.m.CanonicalURL, "https://"+g.Domain+"/"):
			c.State = OwnSite
		case err != nil:
			c.State, c.Why = NotAsked, err.Error()
		case slices.Contains(lists, digest):
			c.State = Confirmed
		default:
			c.State = Unconfirmed
		}
		out = append(out, c)
	}
	return out
}

// confirmsOf reads what a domain confirms, once.
func (v *run) confirmsOf(domain string) ([]string, error) {
	if a, ok := v.confirms[domain]; ok {
		return a.digests, a.err
	}
	digests, err := v.readConfirms(domain)
	if v.confirms == nil {
		v.confirms = map[string]confirmed{}
	}
	v.confirms[domain] = confirmed{digests, err}
	return digests, err
}

type confirmed struct {
	digests []string
	err     error
}

// pinnedFor lists the pinned metadata keys of a domain.
func (v *run) pinnedFor(domain string) (keys []Key) {
	if v.opt.Policy == nil {
		return nil
	}
	for _, k := range v.opt.Policy.Keys {
		if k.Purpose == "metadata" && strings.HasPrefix(k.Name, domain+"/") {
			keys = append(keys, k)
		}
	}
	return keys
}

// readConfirms reads a domain's metadata and its signature. A pinned metadata
// key of the domain must have signed; where none is pinned, the domain's own,
// and then it is the web address it was read from that vouches for it.
func (v *run) readConfirms(domain string) ([]string, error) {
	src, ok := v.opt.Others[domain]
	if !ok {
		return nil, fmt.Errorf("the site of %s was not given", domain)
	}
	raw, err := src.Read(metadataPath)
	if err != nil {
		return nil, fmt.Errorf("read the site of %s: %w", domain, err)
	}
	var m Metadata
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("read the site of %s: %w", domain, err)
	}
	if !strings.HasPrefix(m.CanonicalURL, "https://"+domain+"/") {
		return nil, fmt.Errorf("the site given for %s says that it is %s", domain, m.CanonicalURL)
	}
	keys := m.Keys
	if pinned := v.pinnedFor(domain); len(pinned) > 0 {
		keys = pinned
	}
	sig, err := src.Read(metadataPath + ".note")
	if err != nil {
		return nil, fmt.Errorf("read the site of %s: %w", domain, err)
	}
	text, by, err := openNote(sig, keys, "metadata")
	if err != nil || text != metadataNote(raw) || !slices.ContainsFunc(by, func(s Signed) bool { return strings.HasPrefix(s.Key.Name, domain+"/") }) {
		return nil, fmt.Errorf("no metadata key of %s signed its metadata", domain)
	}
	if v.opt.Now.After(m.NextUpdate) {
		return nil, fmt.Errorf("the metadata of %s are stale: a new one was due %s", domain, m.NextUpdate.Format("2006-01-02"))
	}
	return m.Confirms, nil
}

// Confirm notes that this agency co-signed a version that stands on another
// site; publish lists the digest under the agency's own domain.
func (f Folder) Confirm(digest string) error {
	if !hashForm.MatchString(digest) {
		return fmt.Errorf("confirm: %q is no digest: 64 lower-case hex digits", digest)
	}
	have, err := f.confirms()
	if err != nil {
		return err
	}
	if slices.Contains(have, digest) {
		return nil
	}
	return writeWhole(f.at("confirms"), []byte(strings.Join(append(have, digest), "\n")+"\n"), 0o644)
}

func (f Folder) confirms() ([]string, error) {
	b, err := os.ReadFile(f.at("confirms"))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := strings.Fields(string(b))
	for _, d := range out {
		if !hashForm.MatchString(d) {
			return nil, fmt.Errorf("%s: %q is no digest", f.at("confirms"), d)
		}
	}
	return out, nil
}
