package desk

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"

	"causeway/internal/audit"
	"causeway/internal/line"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/registry"
	"causeway/label/stanag4774"
)

// attestationKind is the kind of the signed document.
const attestationKind = "clearance"

// Attestation is one node's signed word about one of its people, for one
// partner. It names nobody: the pseudonym is the same for one person and
// partner, and another for each partner, so that partners cannot put together
// what they know of a person.
type Attestation struct {
	V          int       `json:"v"`
	ID         string    `json:"id"`
	To         string    `json:"to"`                   // node id of the partner it is for
	Pseudonym  string    `json:"pseudonym"`            //
	Clearances []string  `json:"clearances,omitempty"` // STANAG 4774, XML
	Briefings  []string  `json:"briefings,omitempty"`
	From       time.Time `json:"from,omitzero"`
	Until      time.Time `json:"until,omitzero"`
	Revokes    bool      `json:"revokes,omitempty"` // it takes the attestation of this id back
}

// Attested is an attestation as the node that gave it keeps it.
type Attested struct {
	Attestation
	Person  string             `json:"person"` // id
	Grants  []string           `json:"grants"` // that it rests on
	By      string             `json:"by"`
	At      time.Time          `json:"at"`
	Revoked *people.Revocation `json:"revoked,omitempty"`
}

// Accepted is an attestation as the node that took it keeps it.
type Accepted struct {
	Attestation
	Node    string             `json:"node"` // whose word it is
	Nation  string             `json:"nation"`
	By      string             `json:"by"`
	At      time.Time          `json:"at"`
	Revoked *people.Revocation `json:"revoked,omitempty"` // By is the node that revoked it
}

const (
	spaceAttested = "attestation-given"
	spaceAccepted = "attestation-accepted" // pseudonym, a space, id
	pseudonymKey  = "pseudonyms"           // in spaceSetting: what pseudonyms are made with
)

// Attest signs what a person is cleared for, for one partner, and gives the
// file to hand over. It says no more than the person's grants in force, and
// ends when the first of them does.
func (d *Desk) Attest(ctx context.Context, by people.Person, person, to string, until time.Time) (Attested, []byte, error) {
	if err := need(by, "attest a clearance", people.SecurityOfficer); err != nil {
		return Attested{}, nil, err
	}
	p, err := d.People.Get(ctx, person)
	if err != nil {
		return Attested{}, nil, err
	}
	partner, err := d.Line.Partner(ctx, to)
	if err != nil {
		return Attested{}, nil, err
	}
	if partner.State != line.Active {
		return Attested{}, nil, fmt.Errorf("attest to %s: %w", partner.Name, line.ErrSuspended)
	}
	a, err := d.attestation(p, partner.NodeID, until)
	if err != nil {
		return a, nil, err
	}
	a.By = by.ReaderID()
	act := audit.Act{Actor: a.By, Verb: "attest-clearance", Subject: p.ReaderID(), Detail: map[string]string{"attestation": a.ID, "to": a.To, "until": a.Until.Format(time.RFC3339)}}
	_, err = d.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		key, err := secretIn(tx, pseudonymKey)
		if err != nil {
			return err
		}
		if a.Pseudonym, err = registry.Pseudonym(key, a.To, p.ID); err != nil {
			return err
		}
		a.At = tx.At()
		return putJSON(tx, spaceAttested, a.ID, a)
	})
	if err != nil {
		return a, nil, err
	}
	file, err := d.sign(a.Attestation)
	return a, file, err
}

// attestation gathers what may be said of a person.
func (d *Desk) attestation(p people.Person, to string, until time.Time) (Attested, error) {
	now := d.Now().UTC()
	a := Attested{Attestation: Attestation{V: 1, ID: randomID(), To: to, From: now.Truncate(time.Second), Until: until.UTC().Truncate(time.Second)}, Person: p.ID}
	if p.Suspended != nil {
		return a, fmt.Errorf("attest a clearance: %s is suspended", p.Name)
	}
	for _, g := range p.Grants {
		if g.Revoked != nil || g.Approved == "" || now.Before(g.From) || !now.Before(g.Until) {
			continue
		}
		c, err := stanag4774.ParseClearance([]byte(g.Clearance))
		if err != nil {
			return a, fmt.Errorf("read clearance %s of %s: %w", g.ID, p.ID, err)
		}
		xml, err := stanag4774.WriteClearance(c) // written anew: nothing beside the clearance goes along
		if err != nil {
			return a, err
		}
		a.Clearances, a.Grants = append(a.Clearances, string(xml)), append(a.Grants, g.ID)
		for _, b := range g.Briefings {
			if !slices.Contains(a.Briefings, b) {
				a.Briefings = append(a.Briefings, b)
			}
		}
		if g.Until.Before(a.Until) {
			a.Until = g.Until.UTC().Truncate(time.Second)
		}
	}
	switch {
	case len(a.Clearances) == 0:
		return a, fmt.Errorf("attest a clearance: %s holds none in force", p.Name)
	case !a.From.Before(a.Until):
		return a, errors.New("attest a clearance: it would end before it begins")
	case a.Until.Sub(a.From) > registry.MaxAttestation:
		return a, fmt.Errorf("attest a clearance: it would last longer than a year; end it by %s", a.From.Add(registry.MaxAttestation).Format(time.DateOnly))
	}
	return a, nil
}

func (d *Desk) sign(a Attestation) ([]byte, error) {
	body, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("encode an attestation: %w", err)
	}
	return d.Line.Sign(attestationKind, body)
}

// secretIn gives a secret of the node that is made when it is first needed.
func secretIn(tx *vault.Tx, name string) ([]byte, error) {
	key, ok, err := tx.Record(spaceSetting, name)
	if err != nil || ok {
		return key, err
	}
	key = make([]byte, 32)
	rand.Read(key)
	return key, tx.PutRecord(spaceSetting, name, key)
}

// RevokeAttestation takes an attestation back and gives the file that tells
// the partner so.
func (d *Desk) RevokeAttestation(ctx context.Context, by people.Person, id, why string) (Attested, []byte, error) {
	if err := need(by, "revoke an attestation", people.SecurityOfficer); err != nil {
		return Attested{}, nil, err
	}
	var a Attested
	act := audit.Act{Actor: by.ReaderID(), Verb: "revoke-attestation", Subject: id, Detail: map[string]string{"why": why}}
	_, err := d.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		b, ok, err := tx.Record(spaceAttested, id)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("no attestation %q was given", id)
		}
		if err := json.Unmarshal(b, &a); err != nil {
			return fmt.Errorf("read attestation %s: %w", id, err)
		}
		if a.Revoked == nil {
			a.Revoked = &people.Revocation{At: tx.At(), By: by.ReaderID(), Why: why}
		}
		return putJSON(tx, spaceAttested, id, a)
	})
	if err != nil {
		return a, nil, err
	}
	file, err := d.sign(Attestation{V: 1, ID: id, To: a.To, Pseudonym: a.Pseudonym, Revokes: true})
	return a, file, err
}

// AcceptAttestation takes up a partner's signed word about one of its people,
// or the word that takes one back.
func (d *Desk) AcceptAttestation(ctx context.Context, by people.Person, file []byte) (Accepted, error) {
	if err := need(by, "accept an attestation", people.SecurityOfficer); err != nil {
		return Accepted{}, err
	}
	partner, body, err := d.Line.Signed(ctx, attestationKind, file)
	if err != nil {
		return Accepted{}, err
	}
	got := Accepted{Node: partner.NodeID, Nation: partner.Nation, By: by.ReaderID()}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&got.Attestation); err != nil {
		return got, fmt.Errorf("read the attestation: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return got, errors.New("read the attestation: there is more after it")
	}
	if err := d.acceptable(got.Attestation); err != nil {
		return got, fmt.Errorf("the attestation of %s: %w", partner.Name, err)
	}
	verb := "accept-attestation"
	if got.Revokes {
		verb = "accept-revocation"
	}
	act := audit.Act{Actor: by.ReaderID(), Verb: verb, Subject: got.Pseudonym, Detail: map[string]string{"attestation": got.ID, "from": got.Node}}
	_, err = d.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		key := got.Pseudonym + " " + got.ID
		b, known, err := tx.Record(spaceAccepted, key)
		if err != nil {
			return err
		}
		var held Accepted
		if known {
			if err := json.Unmarshal(b, &held); err != nil {
				return fmt.Errorf("read attestation %s: %w", got.ID, err)
			}
			if held.Node != got.Node {
				return fmt.Errorf("attestation %s is of another node", got.ID)
			}
		}
		got.At = tx.At()
		switch {
		case got.Revokes:
			// Kept also when the attestation never came: it may come later.
			r := &people.Revocation{At: tx.At(), By: got.Node, Why: "revoked by the node that gave it"}
			if known {
				got = held
			}
			got.Revoked = r
		case known:
			return fmt.Errorf("attestation %s was taken up already, or taken back before", got.ID)
		}
		return putJSON(tx, spaceAccepted, key, got)
	})
	return got, err
}

var (
	attestationID = regexp.MustCompile(`^[0-9a-f]{16}$`)
	pseudonymForm = regexp.MustCompile(`^p-[a-z2-7]{24}$`)
)

func (d *Desk) acceptable(a Attestation) error {
	now := d.Now()
	switch {
	case a.V != 1 || !attestationID.MatchString(a.ID) || !pseudonymForm.MatchString(a.Pseudonym):
		return errors.New("a field is out of range")
	case a.To != d.Line.Node():
		return fmt.Errorf("it is for %s, not for this node", a.To)
	case a.Revokes:
		return nil
	case !a.From.Before(a.Until) || a.Until.Sub(a.From) > registry.MaxAttestation:
		return errors.New("its validity is out of range")
	case !now.Before(a.Until):
		return fmt.Errorf("it ended on %s", a.Until.Format(time.DateOnly))
	case len(a.Clearances) == 0 || len(a.Clearances) > 16:
		return errors.New("it says of no clearance, or of too many")
	}
	for _, xml := range a.Clearances {
		if _, err := stanag4774.ParseClearance([]byte(xml)); err != nil {
			return fmt.Errorf("read the clearance: %w", err)
		}
	}
	return nil
}

// Attestations lists what this node gave and what it accepted.
func (d *Desk) Attestations(ctx context.Context) (given []Attested, accepted []Accepted, err error) {
	if given, err = scanJSON[Attested](ctx, d.Vault, spaceAttested); err != nil {
		return nil, nil, err
	}
	accepted, err = scanJSON[Accepted](ctx, d.Vault, spaceAccepted)
	return given, accepted, err
}

// Visitor is a partner's person, by the pseudonym in attestations that are in
// force, as a reader: what may be shown to them. It is what the attestation says and
// what the partner itself is cleared for here, whichever is less: two clearances
// of one policy count where both agree.
func (d *Desk) Visitor(ctx context.Context, pseudonym string) (vault.Reader, error) {
	_, all, err := d.Attestations(ctx)
	if err != nil {
		return vault.Reader{}, err
	}
	now := d.Now()
	holder := label.Holder{Kind: label.Person, At: now}
	for _, a := range all {
		if a.Pseudonym != pseudonym || a.Revoked != nil || now.Before(a.From) || !now.Before(a.Until) {
			continue
		}
		partner, err := d.Line.Partner(ctx, a.Node)
		if err != nil || partner.State != line.Active {
			continue
		}
		ceiling, err := stanag4774.ParseClearance(partner.Clearance)
		if err != nil {
			continue // a partner that is cleared for nothing has no cleared people here
		}
		holder.Nation = partner.Nation
		for _, xml := range a.Clearances {
			c, err := stanag4774.ParseClearance([]byte(xml))
			if err != nil {
				return vault.Reader{}, fmt.Errorf("read the clearance of %s: %w", pseudonym, err)
			}
			if c.PolicyOID == ceiling.PolicyOID {
				holder.Clearances = append(holder.Clearances, c, ceiling)
			}
		}
	}
	if len(holder.Clearances) == 0 {
		return vault.Reader{}, fmt.Errorf("%q: no attestation in force", pseudonym)
	}
	h, err := d.Policies().Holdings(holder)
	if err != nil {
		return vault.Reader{}, fmt.Errorf("compile what %s holds: %w", pseudonym, err)
	}
	return vault.Reader{ID: "visitor:" + pseudonym, Kind: vault.Person, Holdings: h}, nil
}
