package line

import (
	"context"
	"errors"
	"fmt"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault"
)

// invitationRecord is an invitation this node made.
type invitationRecord struct {
	File    []byte `json:"file"`
	By      string `json:"by"`
	Expires int64  `json:"expires"`
	Used    string `json:"used,omitempty"` // node that answered it
}

// invitationValid is how long an invitation may be answered.
const invitationValid = 7 * 24 * time.Hour

// Invite makes an invitation file. It is good once, for seven days. by is the
// reader id of whoever asks for it.
func (l *Line) Invite(ctx context.Context, by string) (*Invitation, []byte, error) {
	inv, file, err := newInvitation(l.ring.Current(), l.address, l.now(), invitationValid)
	if err != nil {
		return nil, nil, err
	}
	_, err = l.commit(ctx, audit.Act{Actor: by, Verb: "invite", Subject: inv.digest.String()}, func(tx *vault.Tx) error {
		return save(tx, spaceInvitation, inv.digest.String(), invitationRecord{File: file, By: by, Expires: inv.Expires})
	})
	if err != nil {
		return nil, nil, fmt.Errorf("invite a partner: %w", err)
	}
	return inv, file, nil
}

// Accepted is the outcome of taking up an invitation or an answer to one.
type Accepted struct {
	Partner Partner
	Code    string // both operators read it to each other before they confirm
	Answer  []byte // the file for the inviting node; nil when file was the answer
}

// Accept takes up an invitation file, or the answer file to an invitation of
// this node. Either way the partner's keys are pinned and nothing is shared
// until [Line.Confirm].
func (l *Line) Accept(ctx context.Context, by string, file []byte) (Accepted, error) {
	var p *partnerRecord
	var err error
	switch DocumentKind(file) {
	case "invitation":
		p, err = l.takeInvitation(ctx, by, file)
	case "acceptance":
		p, err = l.takeAcceptance(ctx, by, file)
	default:
		err = fmt.Errorf("%w: the file is neither an invitation nor an answer to one", ErrInvitation)
	}
	if err != nil {
		return Accepted{}, fmt.Errorf("accept a partner: %w", err)
	}
	pub, err := p.partner()
	return Accepted{Partner: pub, Code: p.Code, Answer: p.Answer}, err
}

func (l *Line) takeInvitation(ctx context.Context, by string, file []byte) (*partnerRecord, error) {
	inv, err := parseInvitation(file)
	if err != nil {
		return nil, err
	}
	if err := inv.current(l.now()); err != nil {
		return nil, err
	}
	acc, answer, err := inv.accept(l.ring.Current(), l.address, l.now())
	if err != nil {
		return nil, err
	}
	p := &partnerRecord{V: 1, Node: inv.identity.Node, Keys: []SignedIdentity{inv.From}, Address: inv.Address, State: Comparing,
		Code: comparisonCode(inv.digest, acc.digest), Answer: answer, Since: millis(l.now()), Knows: l.Self().Generation, Versions: inv.Versions}
	return p, l.pin(ctx, by, p, func(*vault.Tx) error { return nil })
}

func (l *Line) takeAcceptance(ctx context.Context, by string, file []byte) (*partnerRecord, error) {
	acc, err := parseAcceptance(file)
	if err != nil {
		return nil, err
	}
	p := &partnerRecord{V: 1, Node: acc.identity.Node, Keys: []SignedIdentity{acc.From}, Address: acc.Address, State: Comparing,
		Code: comparisonCode(acc.Invitation, acc.digest), Since: millis(l.now()), Versions: acc.Versions}
	return p, l.pin(ctx, by, p, func(tx *vault.Tx) error {
		var rec invitationRecord
		ok, err := load(tx, spaceInvitation, acc.Invitation.String(), &rec)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%w: this node never made the invitation it answers", ErrInvitation)
		}
		inv, err := parseInvitation(rec.File)
		if err != nil {
			return err
		}
		if err := acc.matches(inv); err != nil {
			return err
		}
		if rec.Used != "" {
			return &AnsweredError{rec.Used}
		}
		if err := inv.current(l.now()); err != nil {
			return err
		}
		p.Knows = inv.identity.Generation
		rec.Used = p.Node
		return save(tx, spaceInvitation, acc.Invitation.String(), rec)
	})
}

// AnsweredError says that an invitation was answered before: by somebody else,
// or by the same node over the network before its file is brought.
type AnsweredError struct{ Node string }

func (e *AnsweredError) Error() string {
	return fmt.Sprintf("%v: it was already answered by %s; an invitation is good once", ErrInvitation, e.Node)
}

// Unwrap gives [ErrInvitation].
func (e *AnsweredError) Unwrap() error { return ErrInvitation }

// pin stores a partner whose keys came by invitation, after check agreed.
func (l *Line) pin(ctx context.Context, by string, p *partnerRecord, check func(*vault.Tx) error) error {
	if p.Node == l.Node() {
		return fmt.Errorf("%w: a node cannot be its own partner", ErrInvitation)
	}
	if _, err := negotiate(p.Versions[0], p.Versions[1]); err != nil {
		return fmt.Errorf("%w: %w", ErrInvitation, err)
	}
	_, err := l.commit(ctx, audit.Act{Actor: by, Verb: "pin", Subject: p.Node}, func(tx *vault.Tx) error {
		if err := check(tx); err != nil {
			return err
		}
		ids, err := p.identities()
		if err != nil {
			return err
		}
		if err := l.freeToSpeak(tx, ids[0]); err != nil {
			return fmt.Errorf("%w: %w", ErrInvitation, err)
		}
		var old partnerRecord
		ok, err := load(tx, spacePartner, p.Node, &old)
		if err != nil {
			return err
		}
		if ok && old.State != Comparing {
			return fmt.Errorf("%w: %s is already a partner (%s); new keys come over the line, not by invitation", ErrInvitation, p.Node, old.State)
		}
		return savePartner(tx, p, true)
	})
	l.nudge(runner)
	return err
}

// freeToSpeak refuses an identity that claims to speak for somebody whom
// another node already speaks for.
func (l *Line) freeToSpeak(r records, id *Identity) error {
	who := l.speakers(r)
	for _, s := range id.SpeaksFor {
		node, err := who(s)
		if err != nil {
			return err
		}
		if node != "" && node != id.Node {
			return fmt.Errorf("%s claims to speak for %s, for whom %s speaks", id.Node, s, node)
		}
	}
	return nil
}

// Confirm opens the line to a partner after both operators compared the code
// and found it equal. The code has to be typed again, so that nobody confirms
// by habit.
func (l *Line) Confirm(ctx context.Context, by, node, code string) error {
	return l.change(ctx, by, "confirm", node, func(tx *vault.Tx, p *partnerRecord) error {
		ids, err := p.identities()
		if err != nil {
			return err
		}
		if err := l.freeToSpeak(tx, ids[0]); err != nil {
			return err
		}
		switch {
		case p.State != Comparing:
			return fmt.Errorf("the partner is %s; there is no code to compare", p.State)
		case !sameCode(p.Code, code):
			return errors.New("the code is not the one of these keys: do not use them; make a new invitation and send it by another way")
		}
		p.State, p.Code = Active, ""
		return nil
	})
}
