package line

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/stanag4774"
)

// State says how far a partnership has come.
type State string

// The states of a partner.
const (
	Comparing State = "comparing" // keys are known, the two codes have not been compared
	Active    State = "active"
	Suspended State = "suspended" // by this node, until it resumes; what waits is kept
	Revoked   State = "revoked"   // for good: its keys open no connection any more
)

// Partner is another node as this one knows it.
type Partner struct {
	NodeID    string
	Name      string
	Nation    string
	Address   string // empty: it cannot be reached and fetches what waits for it
	Fetch     bool   // this node fetches what waits there
	State     State
	Reason    string // why it is suspended or revoked
	Code      string // 24 digits that both operators compare, while State is Comparing
	Clearance []byte // STANAG 4774 clearance as XML; nil: it may see nothing yet
	SpeaksFor []string
	LogKey    string
	Since     time.Time // keys exchanged
	Keys      int       // generation of its keys in use
	Knows     int       // generation of this node's keys that it is known to have
	Protocol  int       // version of the protocol in use with it
	Carries   []string  // nodes to which this node carries sealed messages that the partner hands over
}

// partnerRecord is the stored form, one record for each partner.
type partnerRecord struct {
	V         int              `json:"v"`
	Node      string           `json:"node"`
	Keys      []SignedIdentity `json:"keys"` // newest first; the older ones verify what was signed before
	Address   string           `json:"address,omitempty"`
	State     State            `json:"state"`
	Reason    string           `json:"reason,omitempty"`
	Code      string           `json:"code,omitempty"`
	Fetch     bool             `json:"fetch,omitempty"`  // this node fetches what waits there: the partner cannot reach it
	Answer    []byte           `json:"answer,omitempty"` // acceptance that the inviting node still has to get
	Clearance []byte           `json:"clearance,omitempty"`
	Since     int64            `json:"since"`
	Knows     int              `json:"knows"`          // generation of this node's keys that it has, by its receipt
	Told      int              `json:"told,omitempty"` // generation that is on its way to it
	Versions  [2]int           `json:"versions"`
	Seen      Witnessed        `json:"seen"`              // its audit log, as far as this node vouches for it
	Vouched   *Witnessed       `json:"vouched,omitempty"` // this node's log, as far as it vouches for it
	Said      int64            `json:"said,omitempty"`    // the latest time it signed, in milliseconds since 1970
	Fork      *Fork            `json:"fork,omitempty"`    // its log was rewritten
	Repairs   []Repair         `json:"repairs,omitempty"`
	Carries   []string         `json:"carries,omitempty"`  // destinations to which this node carries its messages
	Standing  int64            `json:"standing,omitempty"` // time of its newest standing that came through relays

	fresh bool // keys were added in this act
}

// said keeps the latest time that the partner signed. One that is ahead of this
// node's clock is forgotten: a partner whose clock was wrong once would never be
// a witness again.
func (p *partnerRecord) said(at int64, now time.Time) {
	if at > p.Said && !instant(at).After(now.Add(skew)) {
		p.Said = at
	}
}

// identities gives the keys of a partner, newest first. Their signatures were
// checked when they were pinned.
func (p *partnerRecord) identities() ([]*Identity, error) {
	ids := make([]*Identity, len(p.Keys))
	for i, k := range p.Keys {
		id, err := readPinned(k)
		if err != nil {
			return nil, fmt.Errorf("read the keys of partner %s: %w", p.Node, err)
		}
		ids[i] = id
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("read the keys of partner %s: there are none", p.Node)
	}
	return ids, nil
}

// pinned holds identities that were read from partner records, by digest.
// They never change, and there are as many as partners have generations.
var pinned sync.Map // Digest: *Identity

func readPinned(s SignedIdentity) (*Identity, error) {
	d := s.Digest()
	if id, ok := pinned.Load(d); ok {
		return id.(*Identity), nil
	}
	id, err := parseIdentity(s.Body)
	if err == nil {
		pinned.Store(d, id)
	}
	return id, err
}

// savePartner writes a partner's record and, where its keys or its right to
// speak are new, the indexes by which they are found.
func savePartner(tx *vault.Tx, p *partnerRecord, indexed bool) error {
	if indexed {
		ids, err := p.identities()
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := save(tx, spacePin, id.TLS.String(), p.Node); err != nil {
				return err
			}
		}
		if p.State != Comparing {
			for _, s := range ids[0].SpeaksFor {
				if err := save(tx, spaceSpeaker, s, p.Node); err != nil {
					return err
				}
			}
		}
	}
	return save(tx, spacePartner, p.Node, p)
}

func (p *partnerRecord) partner() (Partner, error) {
	ids, err := p.identities()
	if err != nil {
		return Partner{}, err
	}
	id := ids[0]
	version, _ := negotiate(p.Versions[0], p.Versions[1])
	return Partner{NodeID: p.Node, Name: id.Name, Nation: id.Nation, Address: p.Address, Fetch: p.Fetch, State: p.State, Reason: p.Reason,
		Code: p.Code, Clearance: p.Clearance, SpeaksFor: id.SpeaksFor, LogKey: id.LogKey, Since: instant(p.Since),
		Keys: id.Generation, Knows: p.Knows, Protocol: version, Carries: p.Carries}, nil
}

// SetClearance says what a partner may see from now on, as a STANAG 4774
// clearance in XML. nil withdraws it: nothing more is sent.
func (l *Line) SetClearance(ctx context.Context, by, node string, clearance []byte) error {
	if clearance != nil {
		c, err := stanag4774.ParseClearance(clearance)
		if err != nil {
			return fmt.Errorf("set the clearance of %s: %w", node, err)
		}
		if _, err := l.policies().Holdings(l.holder(node, nil, c)); err != nil {
			return fmt.Errorf("set the clearance of %s: %w", node, err)
		}
	}
	return l.change(ctx, by, "clear", node, func(_ *vault.Tx, p *partnerRecord) error {
		p.Clearance = clearance
		return nil
	})
}

// SetAddress says where a partner is reached; empty for one that cannot be.
func (l *Line) SetAddress(ctx context.Context, by, node, address string) error {
	if err := checkAddress(address); err != nil {
		return fmt.Errorf("set the address of %s: %w", node, err)
	}
	return l.change(ctx, by, "readdress", node, func(_ *vault.Tx, p *partnerRecord) error {
		p.Address = address
		return nil
	})
}

// SetFetch says whether this node fetches what waits for it at a partner,
// because the partner cannot open connections to it.
func (l *Line) SetFetch(ctx context.Context, by, node string, fetch bool) error {
	return l.change(ctx, by, "fetch", node, func(_ *vault.Tx, p *partnerRecord) error {
		p.Fetch = fetch
		return nil
	})
}

// Suspend stops the line to a partner; what waits for it is kept. why is for
// the people of this node.
func (l *Line) Suspend(ctx context.Context, by, node, why string) error {
	return l.change(ctx, by, "suspend", node, func(_ *vault.Tx, p *partnerRecord) error {
		if p.State != Active {
			return fmt.Errorf("it is %s", p.State)
		}
		p.State, p.Reason = Suspended, why
		return nil
	})
}

// Resume opens a suspended line again.
func (l *Line) Resume(ctx context.Context, by, node string) error {
	return l.change(ctx, by, "resume", node, func(_ *vault.Tx, p *partnerRecord) error {
		if p.State != Suspended {
			return fmt.Errorf("it is %s", p.State)
		}
		p.State, p.Reason = Active, ""
		return nil
	})
}

// Revoke ends a partnership for good: the partner's keys are never believed
// again. It holds what it was sent; recall that first.
func (l *Line) Revoke(ctx context.Context, by, node, why string) error {
	return l.change(ctx, by, "revoke", node, func(_ *vault.Tx, p *partnerRecord) error {
		p.State, p.Reason, p.Code = Revoked, why, ""
		return nil
	})
}

// ClearFork takes down the warning that a partner's log was rewritten, after
// a person has looked into it; what it shows now is the new beginning.
func (l *Line) ClearFork(ctx context.Context, by, node string) error {
	return l.change(ctx, by, "clear-fork", node, func(_ *vault.Tx, p *partnerRecord) error {
		if p.Fork == nil {
			return errors.New("no fork was seen")
		}
		p.Seen, p.Fork = p.Fork.After, nil
		return nil
	})
}

// change alters one partner's record in an act of its own and tells the
// vault and the workers.
func (l *Line) change(ctx context.Context, by, verb, node string, alter func(*vault.Tx, *partnerRecord) error) error {
	_, err := l.commit(ctx, audit.Act{Actor: by, Verb: verb, Subject: node}, func(tx *vault.Tx) error {
		p, err := loadPartner(tx, node)
		if err != nil {
			return err
		}
		if err := alter(tx, p); err != nil {
			return err
		}
		return savePartner(tx, p, verb == "confirm")
	})
	if err != nil {
		return fmt.Errorf("%s partner %s: %w", verb, node, err)
	}
	l.nudge(runner)
	l.wake(node)
	return l.announce(ctx)
}

func loadPartner(r records, node string) (*partnerRecord, error) {
	var p partnerRecord
	ok, err := load(r, spacePartner, node, &p)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("%q: %w", node, ErrNoPartner)
	}
	return &p, nil
}

func loadPartners(r records) ([]*partnerRecord, error) {
	var out []*partnerRecord
	err := scan(r, spacePartner, "", func(key string, value []byte) error {
		var p partnerRecord
		if err := decodeRecord(spacePartner, key, value, &p); err != nil {
			return err
		}
		out = append(out, &p)
		return nil
	})
	return out, err
}

// Partners lists every partner, by name.
func (l *Line) Partners(ctx context.Context) ([]Partner, error) {
	recs, err := loadPartners(l.outside(ctx))
	if err != nil {
		return nil, fmt.Errorf("list partners: %w", err)
	}
	out := make([]Partner, len(recs))
	for i, r := range recs {
		if out[i], err = r.partner(); err != nil {
			return nil, fmt.Errorf("list partners: %w", err)
		}
	}
	slices.SortFunc(out, byName)
	return out, nil
}

func byName(a, b Partner) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.NodeID, b.NodeID))
}

// Partner finds one partner by its node name, or by its name or nation where
// only one has it.
func (l *Line) Partner(ctx context.Context, name string) (Partner, error) {
	all, err := l.Partners(ctx)
	if err != nil {
		return Partner{}, err
	}
	var found []Partner
	for _, p := range all {
		if p.NodeID == name {
			return p, nil
		}
		if strings.EqualFold(p.Name, name) || strings.EqualFold(p.Nation, name) {
			found = append(found, p)
		}
	}
	switch len(found) {
	case 0:
		return Partner{}, fmt.Errorf("%q: %w; \"causeway partner list\" names them", name, ErrNoPartner)
	case 1:
		return found[0], nil
	}
	return Partner{}, fmt.Errorf("%q fits %d partners; use the node name, such as %s", name, len(found), found[0].NodeID)
}

// nationOf reads the nation from a node's name, which is derived from it.
func nationOf(node string) string {
	if len(node) < 3 {
		return ""
	}
	return strings.ToUpper(node[:3])
}

// PartnerReader is the reader id of a partner.
func PartnerReader(node string) string { return "partner:" + node }

// Reader is a partner as a reader of this node's vault, by what it may see
// now. A partner without a clearance in force sees nothing.
func (l *Line) Reader(p Partner) vault.Reader {
	r := vault.Reader{ID: PartnerReader(p.NodeID), Kind: vault.Partner}
	if p.State != Active || p.Clearance == nil {
		return r
	}
	c, err := stanag4774.ParseClearance(p.Clearance)
	if err != nil {
		l.log.Error("a partner's clearance cannot be read; it sees nothing", "partner", p.NodeID, "error", err)
		return r
	}
	h, err := l.policies().Holdings(l.holder(p.NodeID, p.SpeaksFor, c))
	if err != nil {
		l.log.Error("a partner's clearance cannot be used; it sees nothing", "partner", p.NodeID, "error", err)
		return r
	}
	r.Holdings = h
	return r
}

// holder is a partner as the label policies judge it. It is in the TLP
// audiences under its node name and under each identity it speaks for.
func (l *Line) holder(node string, speaksFor []string, c *label.Clearance) label.Holder {
	return label.Holder{Kind: label.Partner, Clearances: []*label.Clearance{c}, Nation: nationOf(node),
		Names: append([]string{node}, speaksFor...), At: l.holding()}
}

// announce tells the vault which partners read from it.
func (l *Line) announce(ctx context.Context) error {
	if l.changed == nil {
		return nil
	}
	all, err := l.Partners(ctx)
	if err != nil {
		return err
	}
	readers := make([]vault.Reader, 0, len(all))
	for _, p := range all {
		if p.State == Active || p.State == Suspended {
			readers = append(readers, l.Reader(p))
		}
	}
	return l.changed(ctx, readers)
}
