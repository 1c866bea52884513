package people

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/registry"
	"causeway/label/stanag4774"
)

// Grant is a clearance that a person holds, with what makes it valid.
type Grant struct {
	ID         string           `json:"id"`
	Clearance  string           `json:"clearance"` // STANAG 4774 ConfidentialityClearance, as signed off
	Basis      string           `json:"basis"`     // the law or agreement it rests on
	Briefings  []label.Briefing `json:"briefings,omitempty"`
	Conditions string           `json:"conditions,omitempty"`
	Consent    bool             `json:"consent,omitempty"` // of the person to the assessment
	From       time.Time        `json:"from"`
	Until      time.Time        `json:"until"`
	Requested  string           `json:"requested"` // reader id
	Approved   string           `json:"approved"`  // reader id of another person
	Suspended  *Revocation      `json:"suspended,omitempty"`
	Revoked    *Revocation      `json:"revoked,omitempty"`
}

// Revocation ends a grant at once, or rests it until it is resumed.
type Revocation struct {
	At  time.Time `json:"at"`
	By  string    `json:"by"`
	Why string    `json:"why"`
}

// LongestGrant is the validity of an assessment under Japan's Act 27 of 2024,
// the longest that any shipped legal basis knows.
const LongestGrant = 10 * 366 * 24 * time.Hour

// InForce says whether a grant holds at a time.
func (g Grant) InForce(at time.Time) bool {
	rests := g.Suspended != nil && !at.Before(g.Suspended.At)
	return g.Revoked == nil && !rests && g.Approved != "" && !at.Before(g.From) && at.Before(g.Until)
}

// inForce gives the clearance of a grant that holds at a time, or nil.
func (g Grant) inForce(at time.Time) *label.Clearance {
	if !g.InForce(at) {
		return nil
	}
	c, err := stanag4774.ParseClearance([]byte(g.Clearance))
	if err != nil {
		return nil
	}
	return c
}

// Pending is a grant that waits for a second person.
type Pending struct {
	Grant  Grant  `json:"grant"`
	Person string `json:"person"`
}

// Request asks for a clearance. It holds from the moment a second security
// officer approves it, and no earlier.
func (r *Registry) Request(ctx context.Context, by Person, to string, g Grant) (id string, err error) {
	if !by.Has(SecurityOfficer) {
		return "", fmt.Errorf("grant a clearance: %w: only a security officer may", ErrForbidden)
	}
	return r.request(ctx, by.ReaderID(), to, g)
}

func (r *Registry) request(ctx context.Context, by, to string, g Grant) (string, error) {
	if err := r.checkGrant(&g); err != nil {
		return "", err
	}
	g.Requested = by
	act := audit.Act{Actor: by, Verb: "request-clearance", Subject: "person:" + to, Detail: map[string]string{"grant": g.ID, "basis": g.Basis}}
	_, err := r.vault.Act(ctx, act, func(tx *vault.Tx) error {
		p, err := personIn(tx, to)
		if err != nil {
			return err
		}
		if p.Visitor != "" {
			return fmt.Errorf("grant a clearance: %s is a visitor, whom their own node clears: ask %s for another attestation", to, p.Visitor)
		}
		return put(tx, spacePending, g.ID, Pending{g, to})
	})
	return g.ID, err
}

func (r *Registry) checkGrant(g *Grant) error {
	if _, err := stanag4774.ParseClearance([]byte(g.Clearance)); err != nil {
		return fmt.Errorf("read the clearance: %w", err)
	}
	switch {
	case g.Basis == "":
		return fmt.Errorf("the legal basis of the clearance is missing: name the law or agreement")
	case basisOf(g.Basis).Years > 0 && !g.Consent:
		return fmt.Errorf("under %s the person has to consent to the assessment", g.Basis)
	case basisOf(g.Basis).Years > 0 && g.Until.After(g.From.AddDate(basisOf(g.Basis).Years, 0, 0)):
		return fmt.Errorf("under %s a clearance lasts at most %d years; shorten it to %s", g.Basis, basisOf(g.Basis).Years, g.From.AddDate(basisOf(g.Basis).Years, 0, 0).Format(time.DateOnly))
	case !g.From.Before(g.Until):
		return fmt.Errorf("the clearance would end (%s) before it begins (%s)", g.Until.Format(time.DateOnly), g.From.Format(time.DateOnly))
	case g.Until.Sub(g.From) > LongestGrant:
		return fmt.Errorf("the clearance would last longer than ten years; shorten it to %s", g.From.Add(LongestGrant).Format(time.DateOnly))
	}
	id := make([]byte, 8)
	rand.Read(id)
	g.ID, g.Approved, g.Suspended, g.Revoked = hex.EncodeToString(id), "", nil, nil
	return nil
}

// basisOf gives what is known of a legal basis that is named by its code; of
// one in words nothing is.
func basisOf(code string) registry.Basis {
	for _, b := range registry.Bases {
		if b.Code == code {
			return b
		}
	}
	return registry.Basis{Code: code, Title: code}
}

// Approve puts a requested clearance in force. The person who approves MUST
// be another security officer than the one who asked, and not the holder.
func (r *Registry) Approve(ctx context.Context, by Person, id string) error {
	if !by.Has(SecurityOfficer) {
		return fmt.Errorf("approve a clearance: %w: only a security officer may", ErrForbidden)
	}
	pending, err := read[Pending](r, ctx, spacePending, id, ErrUnknown)
	if err != nil {
		return fmt.Errorf("approve grant %q: no such request", id)
	}
	if pending.Grant.Requested == by.ReaderID() || pending.Person == by.ID {
		return fmt.Errorf("approve a clearance: %w: a second security officer has to, neither the one who asked nor the holder", ErrForbidden)
	}
	return r.approve(ctx, by.ReaderID(), id)
}

func (r *Registry) approve(ctx context.Context, by, id string) error {
	p, err := read[Pending](r, ctx, spacePending, id, ErrUnknown)
	if err != nil {
		return err
	}
	act := audit.Act{Actor: by, Verb: "grant-clearance", Subject: "person:" + p.Person, Detail: map[string]string{"grant": id, "requested-by": p.Grant.Requested}}
	_, err = r.vault.Act(ctx, act, func(tx *vault.Tx) error {
		b, ok, err := tx.Record(spacePending, id)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("grant %s was decided meanwhile", id)
		}
		var pending Pending
		if err := json.Unmarshal(b, &pending); err != nil {
			return fmt.Errorf("read grant %s: %w", id, err)
		}
		pending.Grant.Approved = by
		if err := tx.DeleteRecord(spacePending, id); err != nil {
			return err
		}
		return updateIn(tx, pending.Person, func(p *Person) error {
			p.Grants = append(p.Grants, pending.Grant)
			return nil
		})
	})
	return err
}

// Refuse ends a request for a clearance. Any security officer may, the one who
// asked too.
func (r *Registry) Refuse(ctx context.Context, by Person, id, why string) error {
	if !by.Has(SecurityOfficer) {
		return fmt.Errorf("refuse a clearance: %w: only a security officer may", ErrForbidden)
	}
	p, err := read[Pending](r, ctx, spacePending, id, ErrUnknown)
	if err != nil {
		return fmt.Errorf("refuse grant %q: no such request", id)
	}
	act := audit.Act{Actor: by.ReaderID(), Verb: "refuse-clearance", Subject: "person:" + p.Person, Detail: map[string]string{"grant": id, "why": why}}
	_, err = r.vault.Act(ctx, act, func(tx *vault.Tx) error {
		if _, ok, err := tx.Record(spacePending, id); err != nil {
			return err
		} else if !ok {
			return fmt.Errorf("grant %s was decided meanwhile", id)
		}
		return tx.DeleteRecord(spacePending, id)
	})
	return err
}

// Found grants the clearances that a node begins with, before there are two
// officers. It is refused for good once anybody has signed in.
func (r *Registry) Found(ctx context.Context, to string, g Grant) error {
	if _, closed, err := r.vault.Record(ctx, spaceFounding, closedKey); err != nil {
		return err
	} else if closed {
		return fmt.Errorf("grant a founding clearance: %w: the node is in use; let one security officer ask and another approve", ErrForbidden)
	}
	id, err := r.request(ctx, "node", to, g)
	if err != nil {
		return err
	}
	return r.approve(ctx, "node", id)
}

// Waiting lists the requests that no second person has decided.
func (r *Registry) Waiting(ctx context.Context) ([]Pending, error) {
	return scan[Pending](r, ctx, spacePending)
}

// Revoke ends a grant at once, on open sessions and feeds too.
func (r *Registry) Revoke(ctx context.Context, by Person, person, id, why string) error {
	end := &Revocation{r.now().UTC(), by.ReaderID(), why}
	return r.changeGrant(ctx, by, "revoke-clearance", person, id, why, func(g *Grant) error {
		g.Revoked = end
		return nil
	})
}

// Rest suspends a grant at once; [Registry.Resume] ends that.
func (r *Registry) Rest(ctx context.Context, by Person, person, id, why string) error {
	rest := &Revocation{r.now().UTC(), by.ReaderID(), why}
	return r.changeGrant(ctx, by, "suspend-clearance", person, id, why, func(g *Grant) error {
		if g.Suspended != nil {
			return fmt.Errorf("clearance %s is suspended already", id)
		}
		g.Suspended = rest
		return nil
	})
}

// Resume puts a suspended grant back in force. It takes another officer than
// the one who suspended it, and not the holder.
func (r *Registry) Resume(ctx context.Context, by Person, person, id, why string) error {
	return r.changeGrant(ctx, by, "resume-clearance", person, id, why, func(g *Grant) error {
		switch {
		case g.Suspended == nil:
			return fmt.Errorf("clearance %s is not suspended", id)
		case g.Suspended.By == by.ReaderID() || person == by.ID:
			return fmt.Errorf("resume a clearance: %w: a second security officer has to, neither the one who suspended it nor the holder", ErrForbidden)
		}
		g.Suspended = nil
		return nil
	})
}

// changeGrant alters a grant that is not revoked, and tells whoever spoke for
// it where it holds no longer.
func (r *Registry) changeGrant(ctx context.Context, by Person, verb, person, id, why string, change func(*Grant) error) error {
	if !by.Has(SecurityOfficer) {
		return fmt.Errorf("change a clearance: %w: only a security officer may", ErrForbidden)
	}
	act := audit.Act{Actor: by.ReaderID(), Verb: verb, Subject: "person:" + person, Detail: map[string]string{"grant": id, "why": why}}
	_, err := r.vault.Act(ctx, act, func(tx *vault.Tx) error {
		ended := false
		err := updateIn(tx, person, func(p *Person) error {
			for i := range p.Grants {
				if g := &p.Grants[i]; g.ID == id && g.Revoked == nil {
					err := change(g)
					ended = g.Revoked != nil || g.Suspended != nil
					return err
				}
			}
			return fmt.Errorf("person %s holds no grant %q in force", person, id)
		})
		if err != nil || !ended {
			return err
		}
		return r.end(tx, person, id, by.ReaderID(), why)
	})
	return err
}
