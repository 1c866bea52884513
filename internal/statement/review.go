package statement

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// Reviews that a statement passes before anybody signs it.
const (
	LegalReview   = "legal"   // may we say this?
	ReleaseReview = "release" // does it say anything that is not PUBLIC?
)

// ReviewKinds lists them, in their order.
var ReviewKinds = []string{LegalReview, ReleaseReview}

// A Review is one person's decision on the exact bytes of a draft.
type Review struct {
	Kind   string    `json:"kind"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Digest string    `json:"sha256"`
	Agrees bool      `json:"agrees"`
	Note   string    `json:"note,omitempty"` // why not; kept here, never published
}

// Work is what the agency keeps beside a draft. None of it is signed or
// published.
type Work struct {
	By      string   `json:"by"`             // who drafted it
	From    string   `json:"from,omitempty"` // the object it was drafted from
	Reviews []Review `json:"reviews,omitempty"`
}

// Open says which reviews of a draft have not agreed yet, in words; "" when
// all have, by different people and neither the one who drafted it.
func (w *Work) Open(digest string) string {
	var open []string
	for _, kind := range ReviewKinds {
		r := w.Review(kind, digest)
		switch {
		case r == nil:
			open = append(open, "the "+kind+" review is open")
		case !r.Agrees:
			open = append(open, "the "+kind+" review objects")
		}
	}
	return strings.Join(open, ", ")
}

// Review gives the review of a kind over these bytes; nil where there is none.
func (w *Work) Review(kind, digest string) *Review {
	for i, r := range w.Reviews {
		if r.Kind == kind && r.Digest == digest {
			return &w.Reviews[i]
		}
	}
	return nil
}

func workOf(draft string) string { return strings.TrimSuffix(draft, ".json") + ".work" }

// Work reads what is kept beside a draft; nothing is kept beside one that was
// frozen by the command.
func (f Folder) Work(draft string) (*Work, error) {
	b, err := os.ReadFile(workOf(draft))
	if errors.Is(err, fs.ErrNotExist) {
		return &Work{}, nil
	}
	var w Work
	if err == nil {
		err = json.Unmarshal(b, &w)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", workOf(draft), err)
	}
	return &w, nil
}

// Begin keeps who drafted a statement and from what.
func (f Folder) Begin(draft string, w Work) error {
	b, err := json.Marshal(w)
	if err != nil {
		return err
	}
	return writeWhole(workOf(draft), b, 0o600)
}

// Decide keeps a review of the exact bytes of a draft. A person reviews no
// draft of their own and gives one kind of review only; a decision is changed
// by the person who made it.
func (f Folder) Decide(draft string, r Review) error {
	d, err := ReadDraft(draft)
	if err != nil {
		return err
	}
	w, err := f.Work(draft)
	if err != nil {
		return err
	}
	switch old := w.Review(r.Kind, Digest(d.JSON)); {
	case !slices.Contains(ReviewKinds, r.Kind):
		return fmt.Errorf("review: %q is not legal or release", r.Kind)
	case strings.TrimSpace(r.By) == "":
		return errors.New("review: nobody has reviewed it: give a name")
	case r.Digest != Digest(d.JSON):
		return errors.New("review: the draft holds other bytes than were read: read it again")
	case r.By == w.By:
		return errors.New("review: nobody reviews their own draft: a second person has to")
	case old != nil && old.By != r.By:
		return fmt.Errorf("review: the %s review is another person's", r.Kind)
	case slices.ContainsFunc(w.Reviews, func(x Review) bool { return x.By == r.By && x.Kind != r.Kind && x.Digest == r.Digest }):
		return errors.New("review: the two reviews are by different people")
	case !r.Agrees && strings.TrimSpace(r.Note) == "":
		return errors.New("review: say why not, so that it can be mended")
	}
	w.Reviews = slices.DeleteFunc(w.Reviews, func(x Review) bool { return x.Kind == r.Kind })
	w.Reviews = append(w.Reviews, r)
	return f.Begin(draft, *w)
}

// reviewsFile marks a folder whose drafts pass both reviews before they are
// signed and before they are published, by page and by command.
const reviewsFile = "reviews"

// DemandReviews has the folder demand both reviews from now on.
func (f Folder) DemandReviews() error {
	if f.demandsReviews() {
		return nil
	}
	return writeWhole(f.at(reviewsFile), []byte("legal release\n"), 0o644)
}

func (f Folder) demandsReviews() bool {
	_, err := os.Stat(f.at(reviewsFile))
	return err == nil
}

// reviewed refuses a draft that the folder's reviews have not passed.
func (f Folder) reviewed(draft string, canonical []byte) error {
	if !f.demandsReviews() {
		return nil
	}
	w, err := f.Work(draft)
	if err != nil {
		return err
	}
	if open := w.Open(Digest(canonical)); open != "" {
		return fmt.Errorf("%s: two persons review it first", open)
	}
	return nil
}

// Discard takes a draft back with its signatures and reviews. One that
// witnesses may have seen stays: it is logged, and can then be retracted.
func (f Folder) Discard(draft string) error {
	d, err := ReadDraft(draft)
	if err != nil {
		return err
	}
	kept, err := f.committed(nil)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(kept, func(c Draft) bool { return string(c.JSON) == string(d.JSON) }) {
		return errors.New("discard: witnesses may have co-signed it already: publish it, then retract it")
	}
	return removeDraft(draft)
}

func removeDraft(draft string) (err error) {
	for _, name := range []string{sigsOf(draft), workOf(draft), draft} {
		if e := os.Remove(name); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// TakeSignatures adds signature lines that a co-signer made elsewhere to a
// draft. Each must be of a signatory whose key is trusted here, over exactly
// these bytes.
func (f Folder) TakeSignatures(draft, lines string) error {
	d, err := ReadDraft(draft)
	if err != nil {
		return err
	}
	s, err := Parse(d.JSON)
	if err != nil {
		return err
	}
	text, err := s.NoteText()
	if err != nil {
		return err
	}
	keys, err := f.Keys()
	if err != nil {
		return err
	}
	_, by, err := openNote([]byte(text+"\n"+lines), keys, "statement")
	if err != nil {
		return fmt.Errorf("take signatures: %w", err)
	}
	if len(by) == 0 {
		return errors.New("take signatures: none is of a key that is trusted here")
	}
	for l := range strings.Lines(lines) {
		name, _, _ := strings.Cut(strings.TrimPrefix(l, "— "), " ")
		if !slices.ContainsFunc(s.Signatories, func(g Signatory) bool { return g.Key == name }) || !slices.ContainsFunc(by, func(b Signed) bool { return b.Key.Name == name }) {
			return fmt.Errorf("take signatures: %q is no signatory of this statement whose key is trusted here", name)
		}
		if strings.Contains(d.Sigs, l) {
			continue
		}
		if strings.Count(d.Sigs, "— "+name+" ") >= 2 {
			return fmt.Errorf("take signatures: %s has signed already", name)
		}
		d.Sigs += l
	}
	return writeWhole(sigsOf(draft), []byte(d.Sigs), 0o644)
}

// SignBytes signs the frozen bytes of another agency's statement with a key of
// this agency, and gives the signature lines for it.
func (f Folder) SignBytes(canonical []byte, key string) (lines string, err error) {
	k, err := f.secret(key)
	if err != nil {
		return "", err
	}
	d := Draft{JSON: canonical}
	err = d.Sign(k)
	return d.Sigs, err
}

// TrustKey puts another agency's public key among the trusted ones, and gives
// its name. Whoever calls it has compared the key with the agency by another
// way.
func (f Folder) TrustKey(public []byte) (string, error) {
	var k Key
	if err := json.Unmarshal(public, &k); err != nil || !keyForm.MatchString(k.Name) || !slices.Contains([]string{"statement", "log", "witness", "metadata"}, k.Purpose) {
		return "", errors.New("trust a key: this is not a public key as causeway writes it")
	}
	if _, err := k.verifiers(); err != nil {
		return "", fmt.Errorf("trust a key: %w", err)
	}
	file := f.at("public", KeyFile(k.Name))
	if _, err := os.Stat(file); err == nil {
		return "", fmt.Errorf("trust a key: %s is trusted already: withdraw that key first, and give the new one another name", k.Name)
	}
	b, err := json.MarshalIndent(k, "", " ")
	if err != nil {
		return "", err
	}
	return k.Name, writeWhole(file, b, 0o644)
}

// Withdraw says from when a key is retired or compromised: what was logged
// before stays good, what comes after fails. A moment that was given is not
// moved later.
func (f Folder) Withdraw(name string, at time.Time, compromised bool) error {
	keys, err := f.Keys()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(keys, func(k Key) bool { return k.Name == name })
	if i < 0 {
		return fmt.Errorf("withdraw a key: %q is not trusted here", name)
	}
	k := keys[i]
	at = at.UTC().Truncate(time.Second)
	old := &k.RetiredAt
	if compromised {
		old = &k.Compromised
	}
	if *old != nil && at.After(**old) {
		return fmt.Errorf("withdraw a key: %s is withdrawn from %s already; a later moment would make good what has failed", name, (*old).Format(time.RFC3339))
	}
	*old = &at
	b, err := json.MarshalIndent(k, "", " ")
	if err != nil {
		return err
	}
	return writeWhole(f.at("public", KeyFile(name)), b, 0o644)
}
