package desk

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"causeway/internal/audit"
	"causeway/internal/line"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/registry"
	"causeway/label/stanag4774"
)

// Accepted is an attestation as the node that it is for keeps it. One that
// came over the line waits for a security officer, and gives nobody anything
// until then. Its revocation needs nobody: it acts in the transaction that
// stores it.
type Accepted struct {
	registry.Attestation
	Came     time.Time          `json:"came"`
	By       string             `json:"by,omitempty"` // security officer who accepted it; "": it waits
	At       time.Time          `json:"at,omitzero"`
	Declined *people.Revocation `json:"declined,omitempty"`
	Revoked  *people.Revocation `json:"revoked,omitempty"` // By is the node that revoked it
}

// Waits says whether an attestation waits for a security officer.
func (a Accepted) Waits() bool { return a.By == "" && a.Declined == nil && a.Revoked == nil }

// InForce says whether it counts at a time.
func (a Accepted) InForce(at time.Time) bool {
	return a.By != "" && a.Declined == nil && a.Revoked == nil && !at.Before(a.Issued) && at.Before(a.NotAfter)
}

// spaceAccepted: node that gave it, a space, serial: Accepted
const spaceAccepted = "attestation-accepted"

func acceptedKey(issuer, serial string) string { return issuer + " " + serial }

// TakeWord stores what a partner says of one of its people, inside the
// transaction of the message that carries it. refusal says, for the partner,
// why it is not taken.
func (d *Desk) TakeWord(tx *vault.Tx, partner line.Partner, body []byte) (refusal string, err error) {
	_, err = d.takeWord(tx, partner, body, "")
	var no wordRefused
	if errors.As(err, &no) {
		return no.Error(), nil
	}
	return "", err
}

// wordRefused is an error of the partner's, not of this node.
type wordRefused struct{ text string }

func (w wordRefused) Error() string { return w.text }

func refusedWord(format string, args ...any) error { return wordRefused{fmt.Sprintf(format, args...)} }

// takeWord stores a partner's word. by is the officer who brings it as a file
// and so accepts it, "" for the line.
func (d *Desk) takeWord(tx *vault.Tx, partner line.Partner, body []byte, by string) (Accepted, error) {
	a, r, err := registry.DecodeWord(body)
	if err != nil {
		return Accepted{}, wordRefused{err.Error()}
	}
	if r != nil {
		return d.takeRevocation(tx, partner, *r)
	}
	if err := d.acceptable(*a, partner); err != nil {
		return Accepted{}, err
	}
	key := acceptedKey(partner.NodeID, a.Serial)
	held, known, err := acceptedIn(tx, key)
	switch {
	case err != nil:
		return held, err
	case known && held.Revoked != nil:
		return held, refusedWord("attestation %s was taken back before it came", a.Serial)
	case known && by == "" && string(held.Encode()) == string(a.Encode()):
		return held, nil // came as a file before, or once more after a repair
	case known && by != "" && held.Waits() && string(held.Encode()) == string(a.Encode()):
	case known:
		return held, refusedWord("attestation %s was taken up already", a.Serial)
	default:
		held = Accepted{Attestation: *a, Came: tx.At()}
	}
	if by != "" {
		held.By, held.At = by, tx.At()
	}
	return held, putJSON(tx, spaceAccepted, key, held)
}

// takeRevocation ends what the partner attested. It is kept also when the
// attestation never came: it may come later.
func (d *Desk) takeRevocation(tx *vault.Tx, partner line.Partner, r registry.Revocation) (Accepted, error) {
	if r.Issuer != partner.NodeID || r.For != d.Line.Node() {
		return Accepted{}, refusedWord("the revocation of %s is of %s for %s", r.Serial, r.Issuer, r.For)
	}
	key := acceptedKey(partner.NodeID, r.Serial)
	held, _, err := acceptedIn(tx, key)
	if err != nil || held.Revoked != nil {
		return held, err
	}
	held.Revoked = &people.Revocation{At: tx.At(), By: r.Issuer, Why: "revoked by the node that gave it"}
	return held, putJSON(tx, spaceAccepted, key, held)
}

func acceptedIn(tx *vault.Tx, key string) (a Accepted, known bool, err error) {
	b, known, err := tx.Record(spaceAccepted, key)
	if err == nil && known {
		err = json.Unmarshal(b, &a)
	}
	if err != nil {
		err = fmt.Errorf("read attestation %s: %w", key, err)
	}
	return a, known, err
}

func (d *Desk) acceptable(a registry.Attestation, partner line.Partner) error {
	switch {
	case a.Issuer != partner.NodeID:
		return refusedWord("%s signed what %s has to say", partner.NodeID, a.Issuer)
	case a.For != d.Line.Node():
		return refusedWord("it is for %s, not for this node", a.For)
	case a.Nation != partner.Nation:
		return refusedWord("a node of %s speaks for a person of %s", partner.Nation, a.Nation)
	case !d.Now().Before(a.NotAfter):
		return refusedWord("it ended on %s", a.NotAfter.Format(time.DateOnly))
	}
	return nil
}

// AcceptAttestation takes up a partner's signed word about one of its people,
// or the word that takes one back, from a file.
func (d *Desk) AcceptAttestation(ctx context.Context, by people.Person, file []byte) (Accepted, error) {
	if err := need(by, "accept an attestation", people.SecurityOfficer); err != nil {
		return Accepted{}, err
	}
	partner, body, err := d.Line.Signed(ctx, string(line.ClearanceWord), file)
	if err != nil {
		return Accepted{}, err
	}
	var got Accepted
	act := audit.Act{Actor: by.ReaderID(), Verb: "accept-attestation", Subject: partner.NodeID, Detail: map[string]string{"by": "file"}}
	_, err = d.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		got, err = d.takeWord(tx, partner, body, by.ReaderID())
		return err
	})
	if err != nil {
		return got, fmt.Errorf("the attestation of %s: %w", partner.Name, err)
	}
	return got, nil
}

// DecideAttestation accepts what came over the line, or declines it with a
// reason. An accepted one may be declined later: that ends it here at once.
func (d *Desk) DecideAttestation(ctx context.Context, by people.Person, issuer, serial string, accept bool, why string) (Accepted, error) {
	if err := need(by, "accept an attestation", people.SecurityOfficer); err != nil {
		return Accepted{}, err
	}
	verb := "accept-attestation"
	if !accept {
		verb = "decline-attestation"
		if strings.TrimSpace(why) == "" {
			return Accepted{}, errors.New("say why the attestation is declined")
		}
	}
	var a Accepted
	key := acceptedKey(issuer, serial)
	act := audit.Act{Actor: by.ReaderID(), Verb: verb, Subject: serial, Detail: map[string]string{"from": issuer, "why": why}}
	_, err := d.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		var known bool
		var err error
		switch a, known, err = acceptedIn(tx, key); {
		case err != nil:
			return err
		case !known || a.Serial == "":
			return fmt.Errorf("no attestation %q of %s came", serial, issuer)
		case a.Revoked != nil:
			return fmt.Errorf("attestation %s was taken back by its node", serial)
		case a.Declined != nil || accept && a.By != "":
			return fmt.Errorf("attestation %s was decided already", serial)
		case accept && !d.Now().Before(a.NotAfter):
			return fmt.Errorf("attestation %s ended on %s", serial, a.NotAfter.Format(time.DateOnly))
		case accept:
			a.By, a.At = by.ReaderID(), tx.At()
		default:
			a.Declined = &people.Revocation{At: tx.At(), By: by.ReaderID(), Why: why}
		}
		return putJSON(tx, spaceAccepted, key, a)
	})
	return a, err
}

// Admit lets a visitor sign in at this node's pages, under their pseudonym.
// They see what [Desk.Visitor] says, and nothing from the moment at which no
// attestation of them is in force.
func (d *Desk) Admit(ctx context.Context, by people.Person, pseudonym, password string) error {
	if err := need(by, "admit a visitor", people.SecurityOfficer); err != nil {
		return err
	}
	a, _, err := d.attestedNow(ctx, pseudonym, d.Now())
	if err != nil {
		return err
	}
	partner, err := d.Line.Partner(ctx, a[0].Issuer)
	if err != nil {
		return err
	}
	return d.People.Add(ctx, by.ReaderID(), people.Person{ID: pseudonym, Name: partner.Name + " " + pseudonym[:6], Nation: partner.Nation, Visitor: partner.NodeID}, password)
}

// attestedNow gives the attestations of a visitor that are in force, and the
// policies of those that were.
func (d *Desk) attestedNow(ctx context.Context, pseudonym string, at time.Time) (now []Accepted, past []string, err error) {
	all, err := scanJSON[Accepted](ctx, d.Vault, spaceAccepted)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range all {
		switch {
		case a.Pseudonym != pseudonym:
		case a.InForce(at):
			now = append(now, a)
		default:
			for _, xml := range a.Clearances {
				if c, err := stanag4774.ParseClearance([]byte(xml)); err == nil {
					past = append(past, cmp.Or(c.PolicyOID, c.PolicyName))
				}
			}
		}
	}
	if len(now) == 0 {
		return nil, nil, fmt.Errorf("%q: no attestation in force", pseudonym)
	}
	return now, past, nil
}

// visitor compiles who a partner's person is here: what attestations in force
// say and what the partner itself is cleared for, whichever is less.
func (d *Desk) visitor(ctx context.Context, pseudonym string, at time.Time) (label.Holder, error) {
	all, past, err := d.attestedNow(ctx, pseudonym, at)
	if err != nil {
		return label.Holder{}, err
	}
	var holder label.Holder
	for _, a := range all {
		partner, err := d.Line.Partner(ctx, a.Issuer)
		if err != nil || partner.State != line.Active {
			continue
		}
		issuer := label.Holder{Kind: label.Partner, Nation: partner.Nation}
		if ceiling, err := stanag4774.ParseClearance(partner.Clearance); err == nil {
			issuer.Clearances = append(issuer.Clearances, ceiling)
		} // a partner that is cleared for nothing has no cleared people here
		h, err := registry.Accept(a.Attestation, nil, issuer, d.Line.Node(), a.Issuer, at)
		if err != nil {
			continue
		}
		h.Clearances, h.Briefings = append(holder.Clearances, h.Clearances...), append(holder.Briefings, h.Briefings...)
		holder = h
	}
	if holder.Kind == label.Nobody {
		return holder, fmt.Errorf("%q: no attestation in force", pseudonym)
	}
	holder.Past = past
	return holder, nil
}

// Visitor is a partner's person, by the pseudonym in attestations that are in
// force, as a reader: what may be shown to them. It is what the attestation says and
// what the partner itself is cleared for here, whichever is less: two clearances
// of one policy count where both agree.
func (d *Desk) Visitor(ctx context.Context, pseudonym string) (vault.Reader, error) {
	holder, err := d.visitor(ctx, pseudonym, d.Now())
	if err != nil {
		return vault.Reader{}, err
	}
	h, err := d.Policies().Holdings(holder)
	if err != nil {
		return vault.Reader{}, fmt.Errorf("compile what %s holds: %w", pseudonym, err)
	}
	return vault.Reader{ID: "visitor:" + pseudonym, Kind: vault.Person, Holdings: h}, nil
}
