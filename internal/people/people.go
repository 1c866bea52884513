// Package people keeps the people of a node: who may sign in, what each may
// do, and what each is cleared to see.
//
// Everything lives in the vault's records, so that a grant, a sign-in or a
// revocation is one transaction with its audit entry. [Registry] is the place
// to start. A person's roles say which acts they may do; their clearances say
// which objects they may see; neither implies the other.
package people

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/stanag4774"
)

// Role is a kind of act that a person may do. Roles give no clearance.
type Role string

// The roles of a node.
const (
	Analyst         Role = "analyst"          // finds, assesses, labels
	ReleaseOfficer  Role = "release-officer"  // releases and recalls
	SecurityOfficer Role = "security-officer" // people, clearances, policies, groups, partners
	Liaison         Role = "liaison"          // lines and consultations
	Spokesperson    Role = "spokesperson"     // public statements
	LegalAdviser    Role = "legal-adviser"    // reviews what is said in public
)

// Roles lists every role, in the order in which forms show them.
var Roles = []Role{Analyst, ReleaseOfficer, SecurityOfficer, Liaison, Spokesperson, LegalAdviser}

// Person is one user of the node.
type Person struct {
	ID        string     `json:"id"` // lower case, digits, dashes; stable
	Name      string     `json:"name"`
	Nation    string     `json:"nation"` // three capital letters
	Roles     []Role     `json:"roles"`
	Lang      string     `json:"lang,omitempty"` // "en" or "ja"
	Zone      string     `json:"zone,omitempty"` // IANA time zone
	Created   time.Time  `json:"created"`
	Suspended *time.Time `json:"suspended,omitempty"`
	Grants    []Grant    `json:"grants,omitempty"`
	// Visitor is the partner's node that attests what the person is cleared
	// for; "" for the node's own people. A visitor's id is their pseudonym.
	Visitor string `json:"visitor,omitempty"`

	Verifier []byte `json:"verifier,omitempty"` // encoded argon2id, see password.go
}

// Has reports whether the person holds a role.
func (p Person) Has(r Role) bool { return slices.Contains(p.Roles, r) }

// ReaderID is the name under which the vault knows the person.
func (p Person) ReaderID() string { return "person:" + p.ID }

// Errors that callers tell apart. Their texts are safe to show.
var (
	ErrSignIn    = errors.New("this name and password do not belong together")
	ErrSlowDown  = errors.New("too many failed attempts; wait before the next one")
	ErrForbidden = errors.New("not permitted")
	ErrUnknown   = errors.New("no such person")
	ErrSession   = errors.New("not signed in")
)

// Spaces of the vault's records that this room owns.
const (
	spacePerson  = "person"
	spaceSession = "session"
	spacePending = "grant"
	spaceAttempt = "attempt"

	spaceFounding = "founding"
	closedKey     = "closed" // written by the first sign-in
)

// Registry is the register of people. It is safe for concurrent use.
type Registry struct {
	vault    *vault.Vault
	policies func() *label.Policies
	node     string // node id: the organisation that people belong to
	now      func() time.Time
	ended    func(tx *vault.Tx, person, grant, by, why string) error // may be nil
	visitor  func(pseudonym string, at time.Time) (label.Holder, error)
}

// AtEnd has f called inside each act that ends or suspends a grant of a person,
// or with no grant the person's access.
func (r *Registry) AtEnd(f func(tx *vault.Tx, person, grant, by, why string) error) { r.ended = f }

// Visitors says who knows what a visitor holds at a time; its error says why
// it is nothing.
func (r *Registry) Visitors(f func(pseudonym string, at time.Time) (label.Holder, error)) {
	r.visitor = f
}

func (r *Registry) end(tx *vault.Tx, person, grant, by, why string) error {
	if r.ended == nil {
		return nil
	}
	return r.ended(tx, person, grant, by, why)
}

// New opens the register kept in v. policies gives the policies in force,
// node is the node's id, now its clock.
func New(v *vault.Vault, policies func() *label.Policies, node string, now func() time.Time) *Registry {
	return &Registry{vault: v, policies: policies, node: node, now: now}
}

var personID = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// Add registers a person. by is the reader id of who does it. An empty
// password makes a person who cannot sign in with one.
func (r *Registry) Add(ctx context.Context, by string, p Person, password string) error {
	if !personID.MatchString(p.ID) {
		return fmt.Errorf("person id %q: use a letter, then up to 31 letters, digits or dashes, all lower case", p.ID)
	}
	if p.Name == "" {
		return fmt.Errorf("person %s: a name is missing", p.ID)
	}
	if !nationCode.MatchString(p.Nation) {
		return fmt.Errorf("person %s: nation %q is not three capital letters (ISO 3166-1 alpha-3)", p.ID, p.Nation)
	}
	for _, role := range p.Roles {
		if !slices.Contains(Roles, role) {
			return fmt.Errorf("person %s: unknown role %q; known are %v", p.ID, role, Roles)
		}
	}
	if password != "" {
		verifier, err := newVerifier(password)
		if err != nil {
			return fmt.Errorf("person %s: %w", p.ID, err)
		}
		p.Verifier = verifier
	}
	p.Created = r.now().UTC()
	act := audit.Act{Actor: by, Verb: "add-person", Subject: p.ReaderID(), Detail: map[string]string{"roles": fmt.Sprint(p.Roles)}}
	_, err := r.vault.Act(ctx, act, func(tx *vault.Tx) error {
		if _, taken, err := tx.Record(spacePerson, p.ID); err != nil {
			return err
		} else if taken {
			return fmt.Errorf("person %s exists already", p.ID)
		}
		return put(tx, spacePerson, p.ID, p)
	})
	return err
}

var nationCode = regexp.MustCompile(`^[A-Z]{3}$`)

// Get gives one person.
func (r *Registry) Get(ctx context.Context, id string) (Person, error) {
	return read[Person](r, ctx, spacePerson, id, ErrUnknown)
}

// List gives every person, by id.
func (r *Registry) List(ctx context.Context) ([]Person, error) {
	return scan[Person](r, ctx, spacePerson)
}

// update changes one person inside an act.
func (r *Registry) update(ctx context.Context, act audit.Act, id string, change func(*Person) error) error {
	_, err := r.vault.Act(ctx, act, func(tx *vault.Tx) error { return updateIn(tx, id, change) })
	return err
}

func personIn(tx *vault.Tx, id string) (p Person, err error) {
	value, ok, err := tx.Record(spacePerson, id)
	if err != nil {
		return p, err
	}
	if !ok {
		return p, fmt.Errorf("person %q: %w", id, ErrUnknown)
	}
	if err := json.Unmarshal(value, &p); err != nil {
		return p, fmt.Errorf("read person %s: %w", id, err)
	}
	return p, nil
}

func updateIn(tx *vault.Tx, id string, change func(*Person) error) error {
	p, err := personIn(tx, id)
	if err != nil {
		return err
	}
	if err := change(&p); err != nil {
		return err
	}
	return put(tx, spacePerson, id, p)
}

// SetRoles replaces a person's roles.
func (r *Registry) SetRoles(ctx context.Context, by, id string, roles []Role) error {
	act := audit.Act{Actor: by, Verb: "set-roles", Subject: "person:" + id, Detail: map[string]string{"roles": fmt.Sprint(roles)}}
	return r.update(ctx, act, id, func(p *Person) error {
		p.Roles = roles
		return nil
	})
}

// Suspend stops a person's access at once, sessions included, until
// [Registry.Reinstate].
func (r *Registry) Suspend(ctx context.Context, by, id, why string) error {
	now := r.now().UTC()
	act := audit.Act{Actor: by, Verb: "suspend", Subject: "person:" + id, Detail: map[string]string{"why": why}}
	_, err := r.vault.Act(ctx, act, func(tx *vault.Tx) error {
		if err := updateIn(tx, id, func(p *Person) error {
			p.Suspended = &now
			return nil
		}); err != nil {
			return err
		}
		return r.end(tx, id, "", by, why)
	})
	return err
}

// Reinstate ends a suspension. Sessions opened before it work again until
// they expire.
func (r *Registry) Reinstate(ctx context.Context, by, id string) error {
	act := audit.Act{Actor: by, Verb: "reinstate", Subject: "person:" + id}
	return r.update(ctx, act, id, func(p *Person) error {
		p.Suspended = nil
		return nil
	})
}

// Reader gives the vault's reader for a person, with what they hold now.
// Suspended people hold nothing.
func (r *Registry) Reader(p Person) (vault.Reader, error) {
	return r.reader(p, r.now(), p.Suspended != nil)
}

// ReaderAt gives the reader that a person was at a time in the past, by the
// grants then in force and the policies of now. It is for explaining, never
// for reading. A suspension that has ended since is not known any more.
func (r *Registry) ReaderAt(p Person, at time.Time) (vault.Reader, error) {
	p.Grants = slices.Clone(p.Grants)
	for i, g := range p.Grants {
		if g.Revoked != nil && at.Before(g.Revoked.At) {
			p.Grants[i].Revoked = nil
		}
	}
	return r.reader(p, at, p.Suspended != nil && !at.Before(*p.Suspended))
}

func (r *Registry) reader(p Person, at time.Time, suspended bool) (vault.Reader, error) {
	reader := vault.Reader{ID: p.ReaderID(), Kind: vault.Person}
	holder := label.Holder{Kind: label.Person, Nation: p.Nation, Names: []string{p.ReaderID(), r.node}, At: at}
	if p.Visitor != "" {
		h, err := r.visits(p, at)
		if err != nil { // no word of their node holds: nothing is held
			h = label.Holder{Kind: label.Nobody, At: at}
		}
		holder = h
	}
	if suspended {
		holder.Kind = label.Nobody
	}
	for _, g := range p.Grants {
		if c := g.inForce(at); c != nil {
			holder.Clearances = append(holder.Clearances, c)
			holder.Briefings = append(holder.Briefings, g.Briefings...)
		} else if c, err := stanag4774.ParseClearance([]byte(g.Clearance)); err == nil && g.Approved != "" && !at.Before(g.From) {
			holder.Past = append(holder.Past, cmp.Or(c.PolicyOID, c.PolicyName))
		}
	}
	holdings, err := r.policies().Holdings(holder)
	if err != nil {
		return vault.Reader{}, fmt.Errorf("compile what %s holds: %w", p.ID, err)
	}
	reader.Holdings = holdings
	return reader, nil
}

// visits gives what a visitor's own node says of them at a time.
func (r *Registry) visits(p Person, at time.Time) (label.Holder, error) {
	if r.visitor == nil {
		return label.Holder{}, fmt.Errorf("nobody speaks for visitor %s", p.ID)
	}
	return r.visitor(p.ID, at)
}

// Readers gives the reader of every person, for the vault's feeds.
func (r *Registry) Readers(ctx context.Context) ([]vault.Reader, error) {
	all, err := r.List(ctx)
	if err != nil {
		return nil, err
	}
	readers := make([]vault.Reader, 0, len(all))
	for _, p := range all {
		reader, err := r.Reader(p)
		if err != nil {
			return nil, err
		}
		readers = append(readers, reader)
	}
	return readers, nil
}

// put writes a record as JSON.
func put(tx *vault.Tx, space, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s/%s: %w", space, key, err)
	}
	return tx.PutRecord(space, key, b)
}

// read gives one record, or absent when there is none.
func read[T any](r *Registry, ctx context.Context, space, key string, absent error) (T, error) {
	var v T
	b, ok, err := r.vault.Record(ctx, space, key)
	if err != nil {
		return v, err
	}
	if !ok {
		return v, fmt.Errorf("%q: %w", key, absent)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return v, fmt.Errorf("read %s %s: %w", space, key, err)
	}
	return v, nil
}

// scan gives every record of a space, by key.
func scan[T any](r *Registry, ctx context.Context, space string) ([]T, error) {
	var all []T
	err := r.vault.ScanRecords(ctx, space, "", func(key string, b []byte) error {
		var v T
		if err := json.Unmarshal(b, &v); err != nil {
			return fmt.Errorf("read %s %s: %w", space, key, err)
		}
		all = append(all, v)
		return nil
	})
	return all, err
}
