package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"causeway/internal/audit"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/policies"
)

// spaceBriefing holds, for each restrictive value that an officer decided about,
// whether it demands a briefing.
const spaceBriefing = "briefing-demand"

// BriefingDemand says whether a restrictive value counts only for people who
// were briefed on it.
type BriefingDemand struct {
	label.Briefing
	Demanded bool      `json:"demanded"`
	Assumed  bool      `json:"-"` // nobody decided: the default
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	Why      string    `json:"why"`
}

// BriefingDemands lists every restrictive value of the policies in force and
// what it demands. Until an officer decides otherwise, the additional
// sensitivities of the NATO policy demand a briefing; no public source says
// which do not.
func (n *Node) BriefingDemands(ctx context.Context) ([]BriefingDemand, error) {
	var out []BriefingDemand
	for _, p := range n.own {
		for _, set := range p.TagSets() {
			for _, tag := range set.Tags {
				if tag.Type != label.Restrictive {
					continue
				}
				for _, v := range tag.Values {
					b := label.Briefing{PolicyOID: p.OID(), TagOID: set.OID, Value: v.Name}
					out = append(out, BriefingDemand{Briefing: b, Demanded: p.OID() == policies.NATO, Assumed: true})
				}
			}
		}
	}
	err := n.Vault.ScanRecords(ctx, spaceBriefing, "", func(key string, b []byte) error {
		var d BriefingDemand
		if err := json.Unmarshal(b, &d); err != nil {
			return fmt.Errorf("read briefing %s: %w", key, err)
		}
		if i := slices.IndexFunc(out, func(x BriefingDemand) bool { return x.Briefing == d.Briefing }); i >= 0 {
			out[i] = d
		}
		return nil
	})
	return out, err
}

// DemandBriefing says whether a restrictive value of a policy, by name or OID,
// counts only for people who were briefed on it.
func (n *Node) DemandBriefing(ctx context.Context, by people.Person, policy, value string, demanded bool, why string) error {
	if !by.Has(people.SecurityOfficer) {
		return fmt.Errorf("demand a briefing: %w: only a security officer may", people.ErrForbidden)
	}
	if strings.TrimSpace(why) == "" {
		return errors.New("say which rule demands the briefing, or lets it go")
	}
	p, ok := n.Policies().Policy(n.policyOID(policy))
	if !ok {
		return fmt.Errorf("policy %q is not loaded on this node", policy)
	}
	b, ok := p.Briefing(value)
	if !ok {
		return fmt.Errorf("briefing %q: policy %s has no such restrictive value", value, p.Name())
	}
	act := audit.Act{Actor: by.ReaderID(), Verb: "demand-briefing", Subject: p.Name() + " " + b.Value, Detail: map[string]string{"demanded": fmt.Sprint(demanded), "why": why}}
	_, err := n.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		d, err := json.Marshal(BriefingDemand{Briefing: b, Demanded: demanded, By: by.ReaderID(), At: tx.At(), Why: why})
		if err != nil {
			return fmt.Errorf("encode briefing %s: %w", b.Value, err)
		}
		return tx.PutRecord(spaceBriefing, b.PolicyOID+" "+b.TagOID+" "+b.Value, d)
	})
	if err != nil {
		return err
	}
	if err := n.loadGroups(ctx); err != nil {
		return err
	}
	return n.RefreshReaders(ctx)
}

// withBriefings gives the policies, in which what demands a briefing counts
// only for who had it.
func (n *Node) withBriefings(ctx context.Context, ps *label.Policies) (*label.Policies, error) {
	all, err := n.BriefingDemands(ctx)
	if err != nil {
		return nil, err
	}
	var demanded []label.Briefing
	for _, d := range all {
		if d.Demanded {
			demanded = append(demanded, d.Briefing)
		}
	}
	return ps.WithBriefings(demanded...)
}
