package desk

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"causeway/internal/audit"
	"causeway/internal/line"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label/registry"
	"causeway/label/stanag4774"
)

// Attested is an attestation as the node that gave it keeps it. The
// attestation names nobody: the pseudonym is the same for one person and
// partner, and another for each partner, so that partners cannot put together
// what they know of a person.
type Attested struct {
	registry.Attestation
	Person  string             `json:"person"` // id
	Grants  []string           `json:"grants"` // that it rests on
	By      string             `json:"by"`
	At      time.Time          `json:"at"`
	Revoked *people.Revocation `json:"revoked,omitempty"`
}

const (
	spaceAttested = "attestation-given" // serial: Attested
	pseudonymKey  = "pseudonyms"        // in spaceSetting: what pseudonyms are made with
)

// Attest signs what a person is cleared for, for one partner, and puts it on
// its way over the line. It says no more than the person's grants in force,
// and ends when the first of them does. Its receipt is [Desk.WordReceipts]'s
// to tell; the file is the same word for a partner that no line reaches.
func (d *Desk) Attest(ctx context.Context, by people.Person, person, to string, until time.Time) (Attested, []byte, error) {
	a, err := d.PreviewAttest(ctx, by, person, to, until)
	if err != nil {
		return a, nil, err
	}
	a.By = by.ReaderID()
	act := audit.Act{Actor: a.By, Verb: "attest-clearance", Subject: "person:" + person, Detail: map[string]string{
		"attestation": a.Serial, "to": a.For, "until": a.NotAfter.Format(time.RFC3339)}}
	_, err = d.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		if a.Pseudonym, err = pseudonymIn(tx, a.For, person); err != nil {
			return err
		}
		a.At = tx.At()
		if err := putJSON(tx, spaceAttested, a.Serial, a); err != nil {
			return err
		}
		return d.Line.EnqueueWord(tx, a.For, line.ClearanceWord, line.Priority, a.Serial, a.Encode())
	})
	if err != nil {
		return a, nil, err
	}
	file, err := d.Line.Sign(string(line.ClearanceWord), a.Encode())
	return a, file, err
}

// nobodyYet stands for the pseudonym while an attestation is only looked at.
const nobodyYet = "p-aaaaaaaaaaaaaaaaaaaaaaaa"

// PreviewAttest gives what an attestation would say, without its pseudonym.
func (d *Desk) PreviewAttest(ctx context.Context, by people.Person, person, to string, until time.Time) (Attested, error) {
	if err := need(by, "attest a clearance", people.SecurityOfficer); err != nil {
		return Attested{}, err
	}
	p, err := d.People.Get(ctx, person)
	if err != nil {
		return Attested{}, err
	}
	partner, err := d.Line.Partner(ctx, to)
	if err != nil {
		return Attested{}, err
	}
	switch {
	case partner.State != line.Active:
		return Attested{}, fmt.Errorf("attest to %s: %w", partner.Name, line.ErrSuspended)
	case p.Suspended != nil:
		return Attested{}, fmt.Errorf("attest a clearance: %s is suspended", p.Name)
	case p.Visitor != "":
		return Attested{}, fmt.Errorf("attest a clearance: %s is a visitor, of whom only their own node speaks", p.Name)
	}
	return d.attestation(p, partner.NodeID, until)
}

// attestation gathers what may be said of a person.
func (d *Desk) attestation(p people.Person, to string, until time.Time) (Attested, error) {
	now := d.Now().UTC()
	a := Attested{Person: p.ID}
	var held []registry.Cleared
	for _, g := range p.Grants {
		if !g.InForce(now) {
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
		held, a.Grants = append(held, registry.Cleared{XML: string(xml), Basis: g.Basis, Briefings: g.Briefings, NotAfter: g.Until}), append(a.Grants, g.ID)
	}
	switch {
	case len(held) == 0:
		return a, fmt.Errorf("attest a clearance: %s holds none in force", p.Name)
	case until.Sub(now) > registry.MaxAttestation:
		return a, fmt.Errorf("attest a clearance: it would last longer than a year; end it by %s", now.Add(registry.MaxAttestation).Format(time.DateOnly))
	}
	var err error
	a.Attestation, err = registry.Attest(registry.Attestation{Serial: randomID(), Issuer: d.Line.Node(), For: to, Pseudonym: nobodyYet,
		Nation: p.Nation, Issued: now, NotAfter: until}, held...)
	return a, err
}

func pseudonymIn(tx *vault.Tx, to, person string) (string, error) {
	key, err := secretIn(tx, pseudonymKey)
	if err != nil {
		return "", err
	}
	return registry.Pseudonym(key, to, person)
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

// RevokeAttestation takes an attestation back, over the line, and gives the
// file that tells a partner so whom no line reaches.
func (d *Desk) RevokeAttestation(ctx context.Context, by people.Person, serial, why string) (Attested, []byte, error) {
	if err := need(by, "revoke an attestation", people.SecurityOfficer); err != nil {
		return Attested{}, nil, err
	}
	var a Attested
	act := audit.Act{Actor: by.ReaderID(), Verb: "revoke-attestation", Subject: serial, Detail: map[string]string{"why": why}}
	_, err := d.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		b, ok, err := tx.Record(spaceAttested, serial)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("no attestation %q was given", serial)
		}
		if err := json.Unmarshal(b, &a); err != nil {
			return fmt.Errorf("read attestation %s: %w", serial, err)
		}
		return d.takeBack(tx, &a, by.ReaderID(), why)
	})
	if err != nil {
		return a, nil, err
	}
	file, err := d.Line.Sign(string(line.ClearanceWord), a.revocation().Encode())
	return a, file, err
}

func (a *Attested) revocation() registry.Revocation {
	return registry.Revocation{V: 1, Serial: a.Serial, Issuer: a.Issuer, For: a.For, Revoked: a.Revoked.At.UTC().Truncate(time.Second)}
}

// takeBack revokes an attestation inside an act and puts the news on its way.
// Once is enough: a second time changes nothing.
func (d *Desk) takeBack(tx *vault.Tx, a *Attested, by, why string) error {
	if a.Revoked != nil {
		return nil
	}
	a.Revoked = &people.Revocation{At: tx.At(), By: by, Why: why}
	if err := putJSON(tx, spaceAttested, a.Serial, a); err != nil {
		return err
	}
	err := d.Line.EnqueueWord(tx, a.For, line.ClearanceWord, line.Flash, a.Serial, a.revocation().Encode())
	if errors.Is(err, line.ErrSuspended) || errors.Is(err, line.ErrNoPartner) {
		return nil // the partnership ended, and with it what the partner believes of this node
	}
	return err
}

// endAttestations takes back, in the act that ends a grant or a person's
// access, every attestation that rests on it.
func (d *Desk) endAttestations(tx *vault.Tx, person, grant, by, why string) error {
	return scanIn(tx, spaceAttested, func(a Attested) error {
		rests := a.Person == person && (grant == "" || slices.Contains(a.Grants, grant))
		if !rests || !d.Now().Before(a.NotAfter) {
			return nil
		}
		return d.takeBack(tx, &a, by, why)
	})
}

// Attestations lists what this node gave and what partners gave to it.
func (d *Desk) Attestations(ctx context.Context) (given []Attested, taken []Accepted, err error) {
	if given, err = scanJSON[Attested](ctx, d.Vault, spaceAttested); err != nil {
		return nil, nil, err
	}
	taken, err = scanJSON[Accepted](ctx, d.Vault, spaceAccepted)
	taken = slices.DeleteFunc(taken, func(a Accepted) bool { return a.Serial == "" }) // taken back before it came
	return given, taken, err
}

// WordReceipt is what became of an attestation on the line.
type WordReceipt struct {
	Given, Revoked *line.Delivery // the newest of each; nil: not composed yet, or by file
}

// WordReceipts tells what the partner's receipts say of an attestation that
// this node gave, and of its revocation.
func (d *Desk) WordReceipts(ctx context.Context, a Attested) (WordReceipt, error) {
	sent, err := d.Line.Receipts(ctx, a.For, a.Serial, 0)
	if err != nil {
		return WordReceipt{}, err
	}
	var out WordReceipt
	for i, s := range sent { // the newest first
		switch {
		case s.Precedence == line.Flash && out.Revoked == nil:
			out.Revoked = &sent[i]
		case s.Precedence != line.Flash && out.Given == nil:
			out.Given = &sent[i]
		}
	}
	return out, nil
}
