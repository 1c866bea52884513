// Package desk is what an analyst, a release officer and a spokesperson do:
// a detection run, the finding made of it, the assessment a person writes
// about it, the label, the release, the recall.
//
// Every act takes the person who acts, checks their role, reads through
// vault.As of that person, and is one transaction with its audit entry.
// [Desk] is the place to start. A finding is what a program computed and an
// assessment is what a person concluded; no function here makes the second
// of the first.
package desk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"causeway/internal/audit"
	"causeway/internal/line"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/marking"
	"causeway/stix"
)

// Config is what the desk works with; the node fills it.
type Config struct {
	Vault    *vault.Vault
	Line     *line.Line
	People   *people.Registry
	Policies func() *label.Policies
	Versions func(context.Context) (map[string]string, error) // of policies, groups and tables in force
	Now      func() time.Time
	Log      *slog.Logger

	Nation   string
	Name     string
	Identity string    // STIX id of the agency
	Created  time.Time // of the agency's identity object
	Runs     string    // folder of detection runs
}

// Desk carries out acts. It is safe for concurrent use.
type Desk struct {
	Config
	jobs  jobs
	rules progress
}

// New makes a desk. Runs that a crash interrupted are taken up again when
// somebody looks at them.
func New(c Config) *Desk {
	d := &Desk{Config: c, jobs: jobs{running: map[string]*job{}, results: map[string]*held{}, idle: sync.NewCond(&sync.Mutex{})},
		rules: progress{after: map[string]int64{}}}
	c.People.AtEnd(d.endAttestations)
	c.People.Visitors(func(pseudonym string, at time.Time) (label.Holder, error) {
		return d.visitor(context.Background(), pseudonym, at) // a clearance is compiled whether or not somebody waits for it
	})
	return d
}

// Close stops running jobs and waits for them.
func (d *Desk) Close() error {
	d.jobs.stop()
	return nil
}

// need refuses an act that the person's roles do not allow.
func need(p people.Person, verb string, roles ...people.Role) error {
	for _, r := range roles {
		if p.Has(r) {
			return nil
		}
	}
	return fmt.Errorf("%s: %w: it takes the role of %s, and %s has %v; a security officer can change that",
		verb, people.ErrForbidden, roles[0], p.Name, p.Roles)
}

// view gives the person's view of the vault.
func (d *Desk) view(p people.Person) (*vault.View, error) {
	r, err := d.People.Reader(p)
	if err != nil {
		return nil, err
	}
	return d.Vault.As(r), nil
}

// Introduce stores the agency's own identity object, which every object it
// writes names as its creator, and the definitions of the extensions it uses.
// All are marked TLP:CLEAR: a partner needs them to understand the rest. They
// are stored before their first use, which they would otherwise tell of.
func (d *Desk) Introduce(ctx context.Context) error {
	created := stix.TimestampOf(d.Created)
	self, err := stix.New("identity", d.Identity, created).
		Set("name", d.Name).
		Set("identity_class", "organization").
		Set("sectors", []string{"government-national"}).
		Mark(stix.TLPClear).Object()
	if err != nil {
		return fmt.Errorf("make the agency's identity: %w", err)
	}
	var puts []vault.Put
	for _, o := range append(slices.Clone(stix.Definitions()), self) {
		effective, err := marking.Resolve(o, nothing, d.Policies())
		if err != nil {
			return fmt.Errorf("label %s: %w", o.ID(), err)
		}
		puts = append(puts, vault.Put{Object: o, Effective: effective, Source: local})
	}
	_, err = d.Vault.Act(ctx, audit.Act{Actor: "node", Verb: "introduce", Subject: d.Identity}, func(tx *vault.Tx) error {
		return stored(tx.Put(puts...))
	})
	return err
}

func nothing(string) (*stix.Object, bool) { return nil, false }

// local is the vault's name for what this node made.
const local = "local"

// stored turns the outcome of a put of new objects into an error.
func stored(outcomes []vault.Outcome, err error) error {
	if err != nil {
		return err
	}
	var errs []error
	for _, o := range outcomes {
		if o.Status == vault.Conflict {
			errs = append(errs, fmt.Errorf("%s exists already at version %s with other content", o.ID, o.Version))
		}
	}
	return errors.Join(errs...)
}

// put labels and stores the objects of one act: the label's marking
// definition first, then the objects, each of which names it.
func (d *Desk) put(ctx context.Context, act audit.Act, l *label.Label, make func(mark string, created stix.Timestamp) ([]*stix.Object, error)) error {
	created := stix.TimestampOf(d.Now().UTC().Truncate(time.Millisecond))
	def, err := marking.Definition(l, created, d.Identity)
	if err != nil {
		return fmt.Errorf("write the label: %w", err)
	}
	objects, err := make(def.ID(), created)
	if err != nil {
		return err
	}
	puts, err := d.labelled(def, objects)
	if err != nil {
		return err
	}
	_, err = d.Vault.Act(ctx, act, func(tx *vault.Tx) error { return stored(tx.Put(puts...)) })
	return err
}

// labelled gives what is stored of a marking definition and of the objects
// that name it, the definition first.
func (d *Desk) labelled(def *stix.Object, objects []*stix.Object) ([]vault.Put, error) {
	lookup := func(id string) (*stix.Object, bool) {
		if id == def.ID() {
			return def, true
		}
		return nil, false
	}
	puts := []vault.Put{}
	for _, o := range append([]*stix.Object{def}, objects...) {
		effective, err := marking.Resolve(o, lookup, d.Policies())
		if err != nil {
			return nil, fmt.Errorf("label %s: %w", o.ID(), err)
		}
		puts = append(puts, vault.Put{Object: o, Effective: effective, Source: local})
	}
	return puts, nil
}
