package line

import (
	"errors"
	"slices"
	"strings"

	"causeway/internal/vault"
)

// keepObjects stores what was judged good and counts the rest for the
// receipt. What it answers never depends on what others sent: the vault keeps
// one record for each source.
func (l *Line) keepObjects(tx *vault.Tx, p *partnerRecord, c *content, rc *Receipt, got *gotRecord) error {
	puts := make([]vault.Put, 0, len(c.objects))
	places := make([]int, 0, len(c.objects))
	for i := range c.objects {
		x := &c.objects[i]
		if x.refusal != nil {
			rc.refuse(*x.refusal)
			continue
		}
		puts = append(puts, vault.Put{Object: x.object, Effective: x.effective, Source: PartnerReader(p.Node)})
		places = append(places, i)
	}
	outcomes, err := tx.Put(puts...)
	if err != nil {
		return err
	}
	for i, o := range outcomes {
		if o.Status == vault.Conflict {
			rc.refuse(Refusal{ID: o.ID, Version: o.Version, Code: codeConflict,
				Reason: "you sent this version before, with other content; a changed object needs a new modified time"})
			continue
		}
		rc.Held++
		got.Items = append(got.Items, Item{ID: o.ID, Version: o.Version})
		got.Places = append(got.Places, places[i])
	}
	got.Manifest, got.Attestations, got.Leaves = c.manifest, c.docs, c.leaves
	return nil
}

// refuse notes one object that was not accepted.
func (rc *Receipt) refuse(r Refusal) {
	rc.Refused++
	if len(rc.Refusals) < maxRefusals {
		rc.Refusals = append(rc.Refusals, r)
	}
}

// takeBack removes recalled versions, and passes the recall on to every
// partner that this node gave them to. A partner can recall only what it sent
// itself; what another source said of the same object stays.
func (l *Line) takeBack(tx *vault.Tx, p *partnerRecord, c *content, rc *Receipt, got *gotRecord) error {
	onward := map[string][]Item{}
	for _, it := range c.recall.Items {
		before, err := tx.Holders(it.ID)
		if err != nil {
			return err
		}
		_, err = tx.WithdrawOwn(PartnerReader(p.Node), "", it.ID, it.Version, c.recall.Why)
		if errors.Is(err, vault.ErrNotFound) || errors.Is(err, vault.ErrQuery) {
			continue
		}
		if err != nil {
			return err
		}
		rc.Removed++
		got.Items = append(got.Items, it)
		after, err := tx.Holders(it.ID)
		if err != nil {
			return err
		}
		for _, h := range before {
			node, ok := strings.CutPrefix(h.Reader, "partner:")
			still := slices.ContainsFunc(after, func(a vault.Holder) bool { return a.Reader == h.Reader && a.Version == h.Version })
			if ok && h.Version == it.Version && !still && !slices.Contains(onward[node], it) {
				onward[node] = append(onward[node], it)
			}
		}
	}
	for node, items := range onward {
		if err := l.EnqueueRecall(tx, node, items, c.recall.Why); err != nil {
			return err
		}
	}
	return nil
}
