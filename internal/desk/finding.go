package desk

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"causeway/coord/finding"
	"causeway/internal/audit"
	"causeway/internal/people"
	"causeway/label"
	"causeway/stix"
)

// FindingRequest says which part of a run becomes a finding.
type FindingRequest struct {
	Run       string
	Community int // from 1, as the run numbers them; 0 for all
	Title     string
	Platform  string // account_type of the accounts; "" leaves it out
}

// Finding stores what a run found as objects under a label: an incident,
// the infrastructure of channels, the accounts, the observations, how they
// relate, and a grouping that holds them together, whose id it gives. A
// finding says what a program computed; it needs a person's assessment before
// anybody should act on it.
//
// Ids are salted: two findings share no object, so each stands under its own
// label alone, and no id gives away the account it stands for.
func (d *Desk) Finding(ctx context.Context, by people.Person, req FindingRequest, l *label.Label) (id string, err error) {
	if err := need(by, "make a finding", people.Analyst); err != nil {
		return "", err
	}
	result, run, err := d.Result(ctx, by, req.Run)
	if err != nil {
		return "", err
	}
	if len(result.Communities) == 0 {
		return "", fmt.Errorf("run %s found no network: %s", run.ID, result.Summary.Reason)
	}
	var communities []int
	switch {
	case req.Community < 0 || req.Community > len(result.Communities):
		return "", fmt.Errorf("community %d: the run has 1 to %d", req.Community, len(result.Communities))
	case req.Community > 0:
		communities = []int{req.Community - 1}
	}
	salt := make([]byte, 16)
	rand.Read(salt)
	id = stix.NewID("grouping")
	act := audit.Act{Actor: by.ReaderID(), Verb: "make-finding", Subject: id, Detail: map[string]string{"run": run.ID, "sha256": run.SHA256}}
	err = d.put(ctx, act, l, func(mark string, created stix.Timestamp) ([]*stix.Object, error) {
		objects, err := finding.Objects(result, finding.Params{
			Created: created, CreatedBy: d.Identity, Marks: []string{mark}, Platform: req.Platform, Salt: hex.EncodeToString(salt),
		}, communities...)
		if err != nil {
			return nil, err
		}
		var members []string
		for _, o := range objects {
			if t := o.Type(); t != "extension-definition" && t != "identity" {
				members = append(members, o.ID())
			}
		}
		title := req.Title
		if title == "" {
			title = run.Title
		}
		group, err := stix.New("grouping", id, created).
			Ref("created_by_ref", d.Identity).
			Set("name", title).
			Set("context", "suspicious-activity").
			Set("object_refs", members).
			Mark(mark).Object()
		if err != nil {
			return nil, err
		}
		return append(objects, group), nil
	})
	if err != nil {
		return "", err
	}
	// A crash here leaves the finding whole and the run without the link to it.
	run.Findings = append(run.Findings, id)
	return id, d.saveRun(ctx, audit.Act{Actor: by.ReaderID(), Verb: "link-finding", Subject: id, Detail: map[string]string{"run": run.ID}}, run)
}
