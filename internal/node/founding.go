package node

import (
	"context"
	"encoding/json"
	"fmt"

	"causeway/internal/audit"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/policies"
	"causeway/label/stanag4774"
)

// NationalClearances gives the highest clearances that a national of nation
// may hold here under the shipped policies. Members of the Alliance go up to
// TOP SECRET; the public SPIF of 2015 ends at SECRET for everybody else. The
// levels of the Japanese policy are legal statuses beside it.
func NationalClearances(nation string) ([]*label.Clearance, error) {
	level := "SECRET"
	if policies.Member(nation) {
		level = "TOP SECRET"
	}
	nato, err := policies.NationalClearance(nation, level)
	if err != nil {
		return nil, err
	}
	all := []*label.Clearance{nato}
	if nation == "JPN" {
		all = append(all, japanese(nation))
	}
	return all, nil
}

// japanese holds every level and status of the shipped Japanese policy.
func japanese(nation string) *label.Clearance {
	var levels, statuses []string
	for _, p := range policies.Shipped() {
		if p.OID() != policies.Japan {
			continue
		}
		for _, c := range p.Classifications() {
			levels = append(levels, c.Name)
		}
		for _, set := range p.TagSets() {
			for _, tag := range set.Tags {
				if tag.Type != label.Restrictive {
					continue
				}
				for _, v := range tag.Values {
					statuses = append(statuses, v.Name)
				}
			}
		}
	}
	return policies.JapanClearance(nation, levels, statuses)
}

// OwnReader is the reader that the node itself is: the operator at the
// command line, with what its nation may hold.
func (n *Node) OwnReader() (vault.Reader, error) {
	clearances, err := NationalClearances(n.Config.Nation)
	if err != nil {
		return vault.Reader{}, err
	}
	h, err := n.Policies().Holdings(label.Holder{
		Kind: label.Person, Clearances: clearances, Nation: n.Config.Nation, Names: []string{"node", n.Line.Node()}, At: n.held.now(),
	})
	return vault.Reader{ID: "node", Kind: vault.Node, Holdings: h}, err
}

// Found registers a person with the highest clearances of their nation, as
// the founding of a node needs it before there are two officers.
func (n *Node) Found(ctx context.Context, p people.Person, password string) error {
	clearances, err := NationalClearances(p.Nation)
	if err != nil {
		return err
	}
	if err := n.People.Add(ctx, "node", p, password); err != nil {
		return err
	}
	for _, c := range clearances {
		xml, err := stanag4774.WriteClearance(c)
		if err != nil {
			return err
		}
		grant := people.Grant{Clearance: string(xml), Basis: "founding of the node", From: n.Config.Created, Until: n.Config.Created.AddDate(5, 0, 0)}
		if err := n.People.Found(ctx, p.ID, grant); err != nil {
			return err
		}
	}
	return n.RefreshReaders(ctx)
}

// introduce does what a new node does once: it stores who it is, and signs
// the membership of NATO, which is public.
func (n *Node) introduce(ctx context.Context) error {
	if err := n.Desk.Introduce(ctx); err != nil {
		return err
	}
	g := policies.NATOGroup("node")
	b, err := json.Marshal(g)
	if err != nil {
		return fmt.Errorf("encode group %s: %w", g.Name, err)
	}
	act := audit.Act{Actor: "node", Verb: "sign-group", Subject: g.Name, Detail: map[string]string{"source": g.Epochs[len(g.Epochs)-1].Source}}
	_, err = n.Vault.Act(ctx, act, func(tx *vault.Tx) error { return tx.PutRecord(spaceGroup, g.Name, b) })
	return err
}
