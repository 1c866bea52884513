package statement

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"filippo.io/mldsa"
	"golang.org/x/mod/sumdb/note"
)

var keyForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}(/[a-z0-9._-]+)+$`)

// Signature types of C2SP signed-note; 0xff is followed by a name of our own.
const (
	typeEd25519     = "\x01"
	typeCosignature = "\x04"
	typeMLDSA65     = "\xffcauseway/ml-dsa-65"
)

// Secret is a signing key: two seeds under one name. Both algorithms sign;
// a verifier demands both.
type Secret struct {
	Name    string `json:"name"`
	Purpose string `json:"purpose"` // statement, log, witness or metadata
	Nation  string `json:"nation"`
	Ed      []byte `json:"ed25519_seed"`
	PQ      []byte `json:"ml_dsa_65_seed"`
}

// Key is the public half with its dates.
type Key struct {
	Name        string     `json:"name"`
	Purpose     string     `json:"purpose"`
	Nation      string     `json:"nation"`
	Ed          []byte     `json:"ed25519"`
	PQ          []byte     `json:"ml_dsa_65"`
	ValidFrom   time.Time  `json:"valid_from"`
	RetiredAt   *time.Time `json:"retired_at,omitempty"`
	Compromised *time.Time `json:"compromised_at,omitempty"`
}

// NewSecret makes a key for one purpose.
func NewSecret(name, purpose, nation string) (*Secret, error) {
	if !keyForm.MatchString(name) {
		return nil, fmt.Errorf("make a key: %q is not a lower-case domain and path like mofa.example/statements", name)
	}
	switch purpose {
	case "statement", "log", "witness", "metadata":
	default:
		return nil, fmt.Errorf("make a key: purpose %q is not statement, log, witness or metadata", purpose)
	}
	s := &Secret{Name: name, Purpose: purpose, Nation: nation, Ed: make([]byte, 32), PQ: make([]byte, 32)}
	rand.Read(s.Ed)
	rand.Read(s.PQ)
	return s, nil
}

func (s *Secret) pq() (*mldsa.PrivateKey, error) { return mldsa.NewPrivateKey(mldsa.MLDSA65(), s.PQ) }

// Public gives the public half, valid from a time on.
func (s *Secret) Public(from time.Time) (Key, error) {
	pq, err := s.pq()
	if err != nil || len(s.Ed) != 32 {
		return Key{}, fmt.Errorf("key %s: the seeds are damaged", s.Name)
	}
	return Key{Name: s.Name, Purpose: s.Purpose, Nation: s.Nation, Ed: ed25519.NewKeyFromSeed(s.Ed).Public().(ed25519.PublicKey),
		PQ: pq.PublicKey().Bytes(), ValidFrom: from}, nil
}

func keyID(name, typ string, key []byte) uint32 {
	h := sha256.New()
	h.Write([]byte(name + "\n" + typ))
	h.Write(key)
	return binary.BigEndian.Uint32(h.Sum(nil))
}

func sigLine(name string, id uint32, sig []byte) string {
	b := binary.BigEndian.AppendUint32(nil, id)
	return fmt.Sprintf("— %s %s\n", name, base64.StdEncoding.EncodeToString(append(b, sig...)))
}

// Sign gives the two signature lines over a note text.
func (s *Secret) Sign(text string) (string, error) {
	pub, err := s.Public(time.Time{})
	if err != nil {
		return "", err
	}
	pq, _ := s.pq()
	sig, err := pq.SignDeterministic([]byte(text), &mldsa.Options{Context: "causeway statement"})
	if err != nil {
		return "", err
	}
	return sigLine(s.Name, keyID(s.Name, typeEd25519, pub.Ed), ed25519.Sign(ed25519.NewKeyFromSeed(s.Ed), []byte(text))) +
		sigLine(s.Name, keyID(s.Name, typeMLDSA65, pub.PQ), sig), nil
}

// Cosign gives a witness's cosignature/v1 line and its ML-DSA-65 line, both
// over the time and the whole checkpoint body.
func (s *Secret) Cosign(body string, at time.Time) (string, error) {
	pub, err := s.Public(time.Time{})
	if err != nil {
		return "", err
	}
	pq, _ := s.pq()
	msg := cosigned(body, at)
	stamp := binary.BigEndian.AppendUint64(nil, uint64(at.Unix()))
	sig, err := pq.SignDeterministic(msg, &mldsa.Options{Context: "causeway cosignature"})
	if err != nil {
		return "", err
	}
	return sigLine(s.Name, keyID(s.Name, typeCosignature, pub.Ed), append(bytes.Clone(stamp), ed25519.Sign(ed25519.NewKeyFromSeed(s.Ed), msg)...)) +
		sigLine(s.Name, keyID(s.Name, typeMLDSA65, pub.PQ), append(stamp, sig...)), nil
}

func cosigned(body string, at time.Time) []byte {
	return fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at.Unix(), body)
}

// pqVerifier and edVerifier are note.Verifiers of one key.
type verifier struct {
	name  string
	id    uint32
	check func(msg, sig []byte) bool
}

func (v verifier) Name() string                { return v.name }
func (v verifier) KeyHash() uint32             { return v.id }
func (v verifier) Verify(msg, sig []byte) bool { return v.check(msg, sig) }

func (k Key) verifiers() ([]note.Verifier, error) {
	pq, err := mldsa.NewPublicKey(mldsa.MLDSA65(), k.PQ)
	if err != nil || len(k.Ed) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("key %s: a public half is damaged", k.Name)
	}
	if k.Purpose == "witness" {
		stamped := func(check func(msg, sig []byte) bool) func(msg, sig []byte) bool {
			return func(msg, sig []byte) bool {
				return len(sig) > 8 && check(cosigned(string(msg), time.Unix(int64(binary.BigEndian.Uint64(sig)), 0)), sig[8:])
			}
		}
		return []note.Verifier{
			verifier{k.Name, keyID(k.Name, typeCosignature, k.Ed), stamped(func(m, s []byte) bool { return ed25519.Verify(k.Ed, m, s) })},
			verifier{k.Name, keyID(k.Name, typeMLDSA65, k.PQ), stamped(func(m, s []byte) bool {
				return mldsa.Verify(pq, m, s, &mldsa.Options{Context: "causeway cosignature"}) == nil
			})},
		}, nil
	}
	return []note.Verifier{
		verifier{k.Name, keyID(k.Name, typeEd25519, k.Ed), func(m, s []byte) bool { return ed25519.Verify(k.Ed, m, s) }},
		verifier{k.Name, keyID(k.Name, typeMLDSA65, k.PQ), func(m, s []byte) bool {
			return mldsa.Verify(pq, m, s, &mldsa.Options{Context: "causeway statement"}) == nil
		}},
	}, nil
}

// Signed is one name that signed a note with both algorithms.
type Signed struct {
	Key Key
	At  time.Time // of a witness, the later of its two stamps; else zero
}

// keyring is keys of some purposes made ready for many notes: taking an
// ML-DSA-65 key apart costs as much as a signature.
type keyring struct {
	keys   []Key
	byName map[string]Key
	list   note.Verifiers
}

func ringOf(keys []Key, purposes ...string) (*keyring, error) {
	r := &keyring{keys: keys, byName: map[string]Key{}}
	var list []note.Verifier
	for _, k := range keys {
		for _, p := range purposes {
			if k.Purpose == p {
				vs, err := k.verifiers()
				if err != nil {
					return nil, err
				}
				list = append(list, vs...)
				r.byName[k.Name] = k
			}
		}
	}
	r.list = note.VerifierList(list...)
	return r, nil
}

// openNote verifies one signed note against keys of some purposes.
func openNote(signed []byte, keys []Key, purposes ...string) (text string, by []Signed, err error) {
	r, err := ringOf(keys, purposes...)
	if err != nil {
		return "", nil, err
	}
	return r.open(signed)
}

// open verifies a signed note. A known key with a bad signature, or with one
// algorithm only, refuses the whole note; unknown keys are ignored.
func (r *keyring) open(signed []byte) (text string, by []Signed, err error) {
	byName := r.byName
	n, err := note.Open(signed, r.list)
	var unverified *note.UnverifiedNoteError
	if errors.As(err, &unverified) {
		return unverified.Note.Text, nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	count, at := map[string]int{}, map[string]time.Time{}
	for _, s := range n.Sigs {
		count[s.Name]++
		if raw, err := base64.StdEncoding.DecodeString(s.Base64); err == nil && byName[s.Name].Purpose == "witness" && len(raw) >= 12 {
			if t := time.Unix(int64(binary.BigEndian.Uint64(raw[4:])), 0).UTC(); t.After(at[s.Name]) {
				at[s.Name] = t
			}
		}
	}
	for _, k := range r.keys {
		if _, ok := byName[k.Name]; !ok || count[k.Name] == 0 {
			continue
		}
		if count[k.Name] != 2 {
			return "", nil, fmt.Errorf("%s signed with one algorithm only: Ed25519 and ML-DSA-65 are both needed", k.Name)
		}
		by = append(by, Signed{byName[k.Name], at[k.Name]})
		count[k.Name] = 0
	}
	return n.Text, by, nil
}

// NoteText is what signatories sign.
func (s *Statement) NoteText() (string, error) {
	b, err := s.Canonical()
	if err != nil {
		return "", err
	}
	return s.noteText(b), nil
}

// noteText is NoteText with the canonical bytes at hand.
func (s *Statement) noteText(canonical []byte) string {
	sum := sha256.Sum256(canonical)
	until := "-"
	if s.ValidUntil != nil {
		until = s.ValidUntil.Format(time.RFC3339)
	}
	return fmt.Sprintf("causeway.statement/v1\n%s/%s\n%d\n%s\n%s\n%s %s\n", s.lead().Domain, s.ID, s.Version, s.Kind,
		base64.StdEncoding.EncodeToString(sum[:]), s.ValidFrom.Format(time.RFC3339), until)
}

func (s *Statement) lead() Signatory {
	for _, g := range s.Signatories {
		if g.Role == "lead" {
			return g
		}
	}
	return Signatory{}
}

// missing says what of the policy the names that signed do not meet.
func (s *Statement) missing(by []Signed) string {
	signed := map[string]bool{}
	of := map[string]string{} // nation of each key, by the one who vouches for it
	for _, b := range by {
		signed[b.Key.Name], of[b.Key.Name] = true, b.Key.Nation
	}
	nations := map[string]bool{}
	for _, g := range s.Signatories {
		if signed[g.Key] && of[g.Key] == g.Nation {
			nations[g.Nation] = true
		}
	}
	for _, g := range s.Signatories {
		for _, a := range s.Policy.Required {
			if g.Agency == a && !signed[g.Key] {
				return "required agency " + a + " has not signed"
			}
		}
	}
	if !signed[s.lead().Key] {
		return "the lead agency has not signed"
	}
	n := 0
	for _, nation := range s.Policy.Of {
		if nations[nation] {
			n++
		}
	}
	if n < s.Policy.K {
		return fmt.Sprintf("%d of %s have signed, %d are needed", n, strings.Join(s.Policy.Of, ", "), s.Policy.K)
	}
	return ""
}
