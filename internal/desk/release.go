package desk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"causeway/internal/audit"
	"causeway/internal/line"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/stanag4774"
	"causeway/stix"
)

// Preview is what a release would do, before it is done.
type Preview struct {
	Root     string
	Items    []vault.Row // the root and everything it rests on, in the order of sending
	Partners []Recipient
}

// Recipient is one partner's side of a preview.
type Recipient struct {
	ID, Name, Nation string
	Allow            bool           // may read every item
	Withheld         []Withheld     // items this partner may not read
	Released         bool           // holds all of it already
	Rule             string         // key of the rule that decided
	Decision         label.Decision // on the root
}

// Withheld is an item that a partner may not read, and why.
type Withheld struct {
	ID       string
	Type     string
	Decision label.Decision
}

// largestRelease bounds what one release may carry.
const largestRelease = 50_000

// ErrTooMany refuses a release of more than [largestRelease] objects.
var ErrTooMany = errors.New("the release would carry more than 50,000 objects; release its parts")

// closure gives the objects that root rests on: everything it refers to, as
// far as the person may see, the newest version of each. What an object needs
// comes before it, so a receiver never holds a dangling label or creator.
func (d *Desk) closure(ctx context.Context, v *vault.View, root string) ([]vault.Row, error) {
	var out []vault.Row
	state := map[string]bool{}
	var walk func(id string, must bool) error
	walk = func(id string, must bool) error {
		if state[id] {
			return nil
		}
		state[id] = true
		row, err := v.Get(ctx, id)
		if errors.Is(err, vault.ErrNotFound) && !must {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", id, err)
		}
		object, err := stix.ParseObject(row.Raw)
		if err != nil {
			return fmt.Errorf("read %s: %w", id, err)
		}
		for _, ref := range object.Refs() {
			if err := walk(ref.ID, false); err != nil {
				return err
			}
		}
		for _, extension := range object.Extensions() {
			if err := walk(extension, false); err != nil {
				return err
			}
		}
		if out = append(out, row); len(out) > largestRelease {
			return ErrTooMany
		}
		return nil
	}
	return out, walk(root, true)
}

// Preview shows who would receive an object and everything it rests on, and
// why each other partner would not.
func (d *Desk) Preview(ctx context.Context, by people.Person, root string) (*Preview, error) {
	v, err := d.view(by)
	if err != nil {
		return nil, err
	}
	items, err := d.closure(ctx, v, root)
	if err != nil {
		return nil, err
	}
	p := &Preview{Root: root, Items: items}
	partners, err := d.Line.Partners(ctx)
	if err != nil {
		return nil, err
	}
	held, err := d.held(ctx, items)
	if err != nil {
		return nil, err
	}
	for _, partner := range partners {
		p.Partners = append(p.Partners, d.recipient(partner, p, held))
	}
	return p, nil
}

// holding is one version at one reader.
type holding struct{ id, version, reader string }

// held gives who holds which of the items by release.
func (d *Desk) held(ctx context.Context, items []vault.Row) (map[holding]bool, error) {
	out := map[holding]bool{}
	for _, item := range items {
		holders, err := d.Vault.Holders(ctx, item.ID)
		if err != nil {
			return nil, fmt.Errorf("look who holds %s: %w", item.ID, err)
		}
		for _, h := range holders {
			out[holding{item.ID, h.Version, h.Reader}] = true
		}
	}
	return out, nil
}

func (d *Desk) recipient(partner line.Partner, p *Preview, held map[holding]bool) Recipient {
	reader := d.Line.Reader(partner)
	r := Recipient{ID: partner.NodeID, Name: partner.Name, Nation: partner.Nation, Allow: partner.State == line.Active, Released: true}
	for _, item := range p.Items {
		decision := item.Effective.Decide(reader.Holdings)
		if item.ID == p.Root {
			r.Decision, r.Rule = decision, item.Effective.Rule.Key()
		}
		if !decision.Allow {
			r.Allow, r.Released = false, false
			r.Withheld = append(r.Withheld, Withheld{item.ID, item.Type, decision})
			continue
		}
		r.Released = r.Released && held[holding{item.ID, item.Version, reader.ID}]
	}
	return r
}

// Release makes an object, and everything it rests on, available to the
// partners named by node id, and puts it on their lines. Partners that may
// not read all of it are refused by name before anything is released. Above a
// set level nothing leaves yet: the answer is a [*WaitsError], and the release
// waits for a second release officer.
func (d *Desk) Release(ctx context.Context, by people.Person, root string, to []string, precedence line.Precedence) (*Preview, error) {
	if err := need(by, "release", people.ReleaseOfficer); err != nil {
		return nil, err
	}
	p, err := d.admits(ctx, by, root, to)
	if err != nil {
		return nil, err
	}
	return p, d.releaseOrAsk(ctx, releasing{preview: p, to: to, precedence: precedence, by: by.ReaderID()})
}

// admits previews a release to some partners and refuses those who may not
// read all of it.
func (d *Desk) admits(ctx context.Context, by people.Person, root string, to []string) (*Preview, error) {
	if len(to) == 0 {
		return nil, errors.New("name at least one partner to release to")
	}
	p, err := d.Preview(ctx, by, root)
	if err != nil {
		return nil, err
	}
	for _, id := range to {
		i := slices.IndexFunc(p.Partners, func(r Recipient) bool { return r.ID == id })
		if i < 0 {
			return nil, fmt.Errorf("%q is not a partner of this node", id)
		}
		if r := p.Partners[i]; !r.Allow {
			return nil, fmt.Errorf("release to %s: %w: %s", r.Name, people.ErrForbidden, r.Why())
		}
	}
	return p, nil
}

// releasing is a release that was previewed and found to be allowed.
type releasing struct {
	preview    *Preview
	to         []string
	precedence line.Precedence
	by         string // reader id
	rule       string // name of the release rule that decided; "" for a person
	request    *ReleaseRequest
	also       func(*vault.Tx) error // part of the same act; may be nil
}

// releaseOrAsk carries a release out, or lets it wait for a second officer.
func (d *Desk) releaseOrAsk(ctx context.Context, r releasing) error {
	two, err := d.needsSecond(ctx, r.preview.Items)
	if err != nil {
		return err
	}
	if two {
		return d.ask(ctx, ReleaseRequest{Root: r.preview.Root, Items: itemsOf(r.preview.Items), To: r.to, Precedence: r.precedence, By: r.by, Rule: r.rule}, r.also)
	}
	return d.carryOut(ctx, r)
}

// carryOut releases in one act.
func (d *Desk) carryOut(ctx context.Context, r releasing) error {
	act := audit.Act{Actor: r.by, Verb: "release", Subject: r.preview.Root,
		Detail: map[string]string{"to": strings.Join(r.to, " "), "precedence": r.precedence.String(), "objects": fmt.Sprint(len(r.preview.Items))}}
	if r.rule != "" {
		act.Detail["release-rule"] = r.rule
	}
	if r.request != nil {
		act.Detail["request"], act.Detail["requested-by"] = r.request.ID, r.request.By
	}
	if err := d.recordBasis(ctx, act.Detail, r.to); err != nil {
		return err
	}
	_, err := d.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		if r.request != nil {
			if err := takeRequest(tx, r.request.ID); err != nil {
				return err
			}
		}
		if r.also != nil {
			if err := r.also(tx); err != nil {
				return err
			}
		}
		return d.send(tx, r.preview.Items, r.to, r.precedence, r.rule)
	})
	return err
}

// recordBasis adds by what it was decided: the versions of policies, groups
// and tables, and what each partner was cleared for. "Why could they read this
// on that day?" is answered from it, whatever changed since.
func (d *Desk) recordBasis(ctx context.Context, detail map[string]string, to []string) error {
	versions, err := d.Versions(ctx)
	if err != nil {
		return err
	}
	maps.Copy(detail, versions)
	for _, id := range to {
		p, err := d.Line.Partner(ctx, id)
		if err != nil {
			return err
		}
		if p.Clearance == nil {
			detail["clearance of "+id] = "none"
			continue
		}
		c, err := stanag4774.ParseClearance(p.Clearance)
		if err != nil {
			return fmt.Errorf("read the clearance of %s: %w", id, err)
		}
		detail["clearance of "+id] = d.Policies().ClearanceMarking(c, "en", "").Text
	}
	return nil
}

// send makes versions available to partners and puts them on their lines. rule
// names the release rule that decided, "" for a person; the label's own rule
// is kept with each release either way.
func (d *Desk) send(tx *vault.Tx, rows []vault.Row, to []string, precedence line.Precedence, rule string) error {
	for _, id := range to {
		reader := line.PartnerReader(id)
		for _, row := range rows {
			decided := row.Effective.Rule.Key()
			if rule != "" {
				decided = "release rule " + rule + "; " + decided
			}
			if err := tx.Release(row.ID, row.Version, []string{reader}, decided); err != nil {
				return err
			}
		}
		if err := d.Line.Enqueue(tx, id, precedence, itemsOf(rows)); err != nil {
			return err
		}
	}
	return nil
}

// itemsOf names versions as the line does.
func itemsOf(rows []vault.Row) []line.Item {
	items := make([]line.Item, 0, len(rows))
	for _, row := range rows {
		items = append(items, line.Item{ID: row.ID, Version: row.Version})
	}
	return items
}

// Why gives the first reason a partner is not a recipient.
func (r Recipient) Why() string {
	if len(r.Withheld) == 0 {
		return "the line to this partner is not open"
	}
	for _, reason := range r.Withheld[0].Decision.Reasons {
		if !reason.Allow {
			return reason.Text
		}
	}
	return "its label does not admit this partner"
}

// Recall takes an object back from partners: it is no longer available to
// them, and they are asked to remove it and to say so.
func (d *Desk) Recall(ctx context.Context, by people.Person, id string, from []string, why string) error {
	if err := need(by, "recall", people.ReleaseOfficer); err != nil {
		return err
	}
	if strings.TrimSpace(why) == "" {
		return errors.New("say why the object is recalled; its holders are told")
	}
	v, err := d.view(by)
	if err != nil {
		return err
	}
	versions, err := v.Versions(ctx, id)
	if err != nil {
		return err
	}
	act := audit.Act{Actor: by.ReaderID(), Verb: "recall", Subject: id, Detail: map[string]string{"from": strings.Join(from, " "), "why": why}}
	_, err = d.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		for _, partner := range from {
			var items []line.Item
			for _, row := range versions {
				if err := tx.Recall(row.ID, row.Version, []string{line.PartnerReader(partner)}, why); err != nil {
					return err
				}
				items = append(items, line.Item{ID: row.ID, Version: row.Version})
			}
			if err := d.Line.EnqueueRecall(tx, partner, items, why); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}
