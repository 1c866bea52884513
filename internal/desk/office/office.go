// Package office is what an agency's people do with its public statements on a
// node: freeze the words, have them reviewed, sign them, have partner nations
// sign the same bytes over the line, and publish. Package statement knows what
// a statement is and when it verifies; this package knows who may do what, and
// records every act in the node's audit log.
//
// Start with [Office]. The words and signatures lie in a [statement.Folder];
// reviews, and what was asked of partners and by them, lie in the vault beside
// the audit log.
package office

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"causeway/internal/audit"
	"causeway/internal/line"
	"causeway/internal/people"
	"causeway/internal/statement"
	"causeway/internal/vault"
)

// Config is what an office works with.
type Config struct {
	Vault  *vault.Vault
	Line   *line.Line
	Folder statement.Folder
	Now    func() time.Time
}

// Office is an agency's desk for public statements. It may be used by several
// goroutines.
type Office struct {
	Config
	// files is held while the folder changes: each change reads a file and
	// writes it whole.
	files sync.Mutex
}

// New gives the office of a node.
func New(c Config) *Office { return &Office{Config: c} }

// Record spaces. Keys hold the digest of the frozen words, so that nothing
// said of one version is ever taken for another.
const (
	spaceDraft   = "statement-draft"   // digest: drafted
	spaceReview  = "statement-review"  // digest, a space, kind: Review
	spaceRequest = "statement-request" // digest, a space, node: Request
	spaceAsked   = "statement-asked"   // digest, a space, node: Asked
	spaceKey     = "statement-key"     // key name: OfferedKey
)

type drafted struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// ErrNoDraft: no frozen statement has this digest here.
var ErrNoDraft = errors.New("no frozen statement here has this digest")

// need refuses a person without one of the roles.
func need(p people.Person, verb string, roles ...people.Role) error {
	for _, r := range roles {
		if p.Has(r) {
			return nil
		}
	}
	return fmt.Errorf("%s: %w: it takes the role of %s, and %s has %v; a security officer can change that",
		verb, people.ErrForbidden, roles[0], p.Name, p.Roles)
}

// Freeze fixes the words of a statement and gives their digest, which is what
// reviews and signatures are about. Whoever freezes is its drafter and reviews
// it neither way.
func (o *Office) Freeze(ctx context.Context, by people.Person, s *statement.Statement) (digest string, err error) {
	if err := need(by, "draft a statement", people.Spokesperson); err != nil {
		return "", err
	}
	b, err := s.Canonical()
	if err != nil {
		return "", err
	}
	if _, err := statement.Parse(b); err != nil {
		return "", err
	}
	digest = statement.Digest(b)
	act := audit.Act{Actor: by.ReaderID(), Verb: "draft-statement", Subject: s.ID, Detail: map[string]string{"digest": digest}}
	_, err = o.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		return put(tx, spaceDraft, digest, drafted{by.ReaderID(), tx.At()})
	})
	if err != nil {
		return "", err
	}
	o.files.Lock()
	defer o.files.Unlock()
	_, _, err = o.Folder.Freeze(s)
	return digest, err
}

// Sign adds the signatures of one of this agency's keys to a frozen statement
// that both reviews passed.
func (o *Office) Sign(ctx context.Context, by people.Person, digest, key string) error {
	if err := need(by, "sign a statement", people.Spokesperson); err != nil {
		return err
	}
	d, err := o.draft(digest)
	if err != nil {
		return err
	}
	if err := o.Ready(ctx, digest); err != nil {
		return fmt.Errorf("sign %s: %w", short(digest), err)
	}
	if err := o.record(ctx, by, "sign-statement", d.Statement.ID, map[string]string{"digest": digest, "key": key}); err != nil {
		return err
	}
	o.files.Lock()
	defer o.files.Unlock()
	_, err = o.Folder.Sign(d.File, key)
	return err
}

// Publish takes in the signatures that came over the line, logs every frozen
// statement and writes the site. A statement that was not reviewed refuses the
// round, as one without its signatures does.
func (o *Office) Publish(ctx context.Context, by people.Person, round statement.Round) (statement.Published, error) {
	if err := need(by, "publish", people.Spokesperson); err != nil {
		return statement.Published{}, err
	}
	if _, err := o.Collect(ctx); err != nil {
		return statement.Published{}, err
	}
	drafts, err := o.Folder.Drafts()
	if err != nil {
		return statement.Published{}, err
	}
	for _, d := range drafts {
		if err := o.Ready(ctx, statement.Digest(d.JSON)); err != nil {
			return statement.Published{}, fmt.Errorf("publish %s: %w", d.Statement.ID, err)
		}
	}
	if err := o.record(ctx, by, "publish-statements", "", nil); err != nil {
		return statement.Published{}, err
	}
	o.files.Lock()
	defer o.files.Unlock()
	return o.Folder.Publish(round)
}

// record puts an act on the folder into the audit log before it is done: a
// record without its act tells of an attempt, an act without its record does
// not exist.
func (o *Office) record(ctx context.Context, by people.Person, verb, subject string, detail map[string]string) error {
	_, err := o.Vault.Act(ctx, audit.Act{Actor: by.ReaderID(), Verb: verb, Subject: subject, Detail: detail}, func(*vault.Tx) error { return nil })
	return err
}

// draft finds a frozen statement of this agency by its digest.
func (o *Office) draft(digest string) (statement.Drafted, error) {
	drafts, err := o.Folder.Drafts()
	if err != nil {
		return statement.Drafted{}, err
	}
	for _, d := range drafts {
		if statement.Digest(d.JSON) == digest {
			return d, nil
		}
	}
	return statement.Drafted{}, fmt.Errorf("%s: %w", short(digest), ErrNoDraft)
}

// short is enough of a digest to tell it by.
func short(digest string) string { return digest[:min(len(digest), 12)] }

func put(tx *vault.Tx, space, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s %s: %w", space, key, err)
	}
	return tx.PutRecord(space, key, b)
}

// get reads a record inside an act; ok is false when there is none.
func get[T any](tx *vault.Tx, space, key string) (v T, ok bool, err error) {
	b, ok, err := tx.Record(space, key)
	if err != nil || !ok {
		return v, false, err
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return v, false, fmt.Errorf("read %s %s: %w", space, key, err)
	}
	return v, true, nil
}

// all reads the records of a space whose keys begin with prefix.
func all[T any](ctx context.Context, v *vault.Vault, space, prefix string) (out []T, err error) {
	err = v.ScanRecords(ctx, space, prefix, func(key string, b []byte) error {
		var one T
		if err := json.Unmarshal(b, &one); err != nil {
			return fmt.Errorf("read %s %s: %w", space, key, err)
		}
		out = append(out, one)
		return nil
	})
	return out, err
}
