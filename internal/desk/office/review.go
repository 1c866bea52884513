package office

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"causeway/internal/audit"
	"causeway/internal/people"
	"causeway/internal/statement"
	"causeway/internal/vault"
)

// The kinds of review. Both have to pass before this agency signs anything,
// its own words or a partner's.
const (
	LegalReview   = "legal"   // the words are right in law, and the agency may say them
	ReleaseReview = "release" // nothing in them is above PUBLIC
)

// reviewers are the roles that review.
var reviewers = map[string]people.Role{LegalReview: people.LegalAdviser, ReleaseReview: people.ReleaseOfficer}

// Reviews lists the kinds, in the order in which pages show them.
var Reviews = []string{LegalReview, ReleaseReview}

// Review is what one person found of exact bytes. A later review of the same
// kind replaces it; the audit log keeps both.
type Review struct {
	Digest string    `json:"digest"`
	Kind   string    `json:"kind"`
	Passed bool      `json:"passed"`
	Note   string    `json:"note,omitempty"`
	By     string    `json:"by"` // reader id
	At     time.Time `json:"at"`
}

// Review records what a reviewer found. The drafter reviews nothing, and one
// person does not do both reviews. A review that does not pass has to say why.
func (o *Office) Review(ctx context.Context, by people.Person, digest, kind string, passed bool, note string) error {
	role, known := reviewers[kind]
	if !known {
		return fmt.Errorf("review: kind %q is not %s", kind, strings.Join(Reviews, " or "))
	}
	if err := need(by, "review a statement", role); err != nil {
		return err
	}
	if !passed && strings.TrimSpace(note) == "" {
		return errors.New("review: say why it does not pass")
	}
	s, err := o.words(ctx, digest)
	if err != nil {
		return err
	}
	r := Review{Digest: digest, Kind: kind, Passed: passed, Note: note, By: by.ReaderID()}
	act := audit.Act{Actor: r.By, Verb: "review-statement", Subject: s.ID, Detail: map[string]string{"digest": digest, "kind": kind, "passed": fmt.Sprint(passed)}}
	_, err = o.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		d, ok, err := get[drafted](tx, spaceDraft, digest)
		if err != nil {
			return err
		}
		if ok && d.By == r.By {
			return fmt.Errorf("review: %w: %s drafted it; another person reviews", people.ErrForbidden, by.Name)
		}
		for _, other := range Reviews {
			was, ok, err := get[Review](tx, spaceReview, digest+" "+other)
			if err != nil {
				return err
			}
			if ok && other != kind && was.By == r.By {
				return fmt.Errorf("review: %w: %s did the %s review; the two are of different people", people.ErrForbidden, by.Name, other)
			}
		}
		r.At = tx.At()
		return put(tx, spaceReview, digest+" "+kind, r)
	})
	return err
}

// ReviewsOf gives the reviews of exact bytes, in the order of [Reviews].
func (o *Office) ReviewsOf(ctx context.Context, digest string) ([]Review, error) {
	out, err := all[Review](ctx, o.Vault, spaceReview, digest+" ")
	slices.SortFunc(out, func(a, b Review) int { return slices.Index(Reviews, a.Kind) - slices.Index(Reviews, b.Kind) })
	return out, err
}

// ErrNotReviewed is wrapped when bytes lack a review that passed.
var ErrNotReviewed = errors.New("it is not reviewed")

// Ready says whether both reviews of exact bytes passed, or what is missing.
func (o *Office) Ready(ctx context.Context, digest string) error {
	rs, err := o.ReviewsOf(ctx, digest)
	if err != nil {
		return err
	}
	for _, kind := range Reviews {
		i := slices.IndexFunc(rs, func(r Review) bool { return r.Kind == kind })
		switch {
		case i < 0:
			return fmt.Errorf("%w: the %s review is missing; a %s does it", ErrNotReviewed, kind, reviewers[kind])
		case !rs[i].Passed:
			return fmt.Errorf("%w: the %s review did not pass: %s", ErrNotReviewed, kind, rs[i].Note)
		}
	}
	return nil
}

// words finds exact bytes by their digest: a draft of this agency's, or what a
// partner asked it to sign.
func (o *Office) words(ctx context.Context, digest string) (*statement.Statement, error) {
	d, err := o.draft(digest)
	if !errors.Is(err, ErrNoDraft) {
		return d.Statement, err
	}
	var found *statement.Statement
	err = o.Vault.ScanRecords(ctx, spaceAsked, digest+" ", func(key string, b []byte) error {
		var a Asked
		if err := json.Unmarshal(b, &a); err != nil {
			return fmt.Errorf("read %s %s: %w", spaceAsked, key, err)
		}
		found, err = statement.Parse(a.JSON)
		return err
	})
	if err == nil && found == nil {
		err = fmt.Errorf("%s: %w", short(digest), ErrNoDraft)
	}
	return found, err
}
