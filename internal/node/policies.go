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
	"causeway/label/spif"
)

const (
	// spacePolicy holds the policies that officers loaded, one record a
	// version, never changed: OID, a space, version.
	spacePolicy = "policy"
	// spaceFact holds who signed which assumed fact, by its id.
	spaceFact = "assumed-fact"
	// confirmedKey is the record, beside the facts, of who last looked at the
	// policies and said that they decide here.
	confirmedKey = "policies"
)

// LoadedPolicy is a policy that an officer loaded.
type LoadedPolicy struct {
	OID     string    `json:"oid"`
	Name    string    `json:"name"`
	Version string    `json:"version"`
	Source  string    `json:"source"` // where the file came from
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	File    []byte    `json:"file"`
}

// LoadedPolicies lists every version that was loaded, the oldest first.
func (n *Node) LoadedPolicies(ctx context.Context) (all []LoadedPolicy, err error) {
	err = n.Vault.ScanRecords(ctx, spacePolicy, "", func(key string, b []byte) error {
		var p LoadedPolicy
		if err := json.Unmarshal(b, &p); err != nil {
			return fmt.Errorf("read policy %s: %w", key, err)
		}
		all = append(all, p)
		return nil
	})
	slices.SortStableFunc(all, func(a, b LoadedPolicy) int { return a.At.Compare(b.At) })
	return all, err
}

// inForce gives the policies that decide: the shipped ones, in their place
// those of the data folder, in their place those that officers loaded, each by
// its OID and the newest last.
func (n *Node) inForce(ctx context.Context) ([]*label.Policy, error) {
	loaded, err := n.LoadedPolicies(ctx)
	if err != nil {
		return nil, err
	}
	all := slices.Clone(n.own)
	for _, l := range loaded {
		p, err := spif.Parse(l.File)
		if err != nil {
			return nil, fmt.Errorf("read policy %s %s: %w", l.Name, l.Version, err)
		}
		all = supersede(all, p)
	}
	return all, nil
}

// supersede puts a policy in the place of that of its OID, or at the end.
func supersede(all []*label.Policy, p *label.Policy) []*label.Policy {
	if i := slices.IndexFunc(all, func(o *label.Policy) bool { return o.OID() == p.OID() }); i >= 0 {
		all[i] = p
		return all
	}
	return append(all, p)
}

// PolicyChange is what loading a policy would change.
type PolicyChange struct {
	New, Old *label.Policy // Old is nil for a policy that was not here
	Gone     []string      // classifications and values that labels may name and the new policy does not know
	Came     []string
}

// PreviewPolicy reads a SPIF file and says what loading it would change. The
// error names the line and the rule of a file that is refused.
func (n *Node) PreviewPolicy(ctx context.Context, file []byte) (PolicyChange, error) {
	p, err := spif.Parse(file)
	if err != nil {
		return PolicyChange{}, err
	}
	change := PolicyChange{New: p}
	if p.OID() == policies.Public || p.OID() == policies.TLP {
		return change, fmt.Errorf("policy %s is part of the program and cannot be replaced", p.Name())
	}
	all, err := n.inForce(ctx)
	if err != nil {
		return change, err
	}
	for _, o := range all {
		if o.OID() == p.OID() {
			change.Old = o
		} else if strings.EqualFold(o.Name(), p.Name()) {
			return change, fmt.Errorf("a policy by the name %s is here under another OID, %s", p.Name(), o.OID())
		}
	}
	if change.Old != nil && change.Old.Version() == p.Version() {
		return change, fmt.Errorf("version %s of policy %s is in force already; a correction is a new version", p.Version(), p.Name())
	}
	if _, err := label.NewPolicies(n.Policies().Groups(), supersede(all, p)...); err != nil {
		return change, fmt.Errorf("put the policies together: %w", err)
	}
	was, is := vocabulary(change.Old), vocabulary(p)
	change.Gone = slices.DeleteFunc(slices.Clone(was), func(w string) bool { return slices.Contains(is, w) })
	change.Came = slices.DeleteFunc(slices.Clone(is), func(w string) bool { return slices.Contains(was, w) })
	return change, nil
}

// vocabulary lists what labels of a policy may name.
func vocabulary(p *label.Policy) (out []string) {
	if p == nil {
		return nil
	}
	for _, c := range p.Classifications() {
		out = append(out, c.Name)
	}
	for _, set := range p.TagSets() {
		for _, tag := range set.Tags {
			for _, v := range tag.Values {
				out = append(out, set.Name+": "+v.Name)
			}
		}
	}
	return out
}

// SetPolicy puts a policy in force. It decides from the next request on, in the
// place of an older version. source says where the file came from.
func (n *Node) SetPolicy(ctx context.Context, by people.Person, file []byte, source string) (PolicyChange, error) {
	if !by.Has(people.SecurityOfficer) {
		return PolicyChange{}, fmt.Errorf("load a policy: %w: only a security officer may", people.ErrForbidden)
	}
	if strings.TrimSpace(source) == "" {
		return PolicyChange{}, errors.New("load a policy: say which authority it came from, and how")
	}
	change, err := n.PreviewPolicy(ctx, file)
	if err != nil {
		return change, err
	}
	p := change.New
	l := LoadedPolicy{OID: p.OID(), Name: p.Name(), Version: p.Version(), Source: source, By: by.ReaderID(), File: file}
	key := p.OID() + " " + p.Version()
	act := audit.Act{Actor: l.By, Verb: "load-policy", Subject: p.OID(), Detail: map[string]string{"name": p.Name(), "version": p.Version(), "source": source}}
	_, err = n.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		if _, taken, err := tx.Record(spacePolicy, key); err != nil {
			return err
		} else if taken {
			return fmt.Errorf("version %s of policy %s was loaded before; a correction is a new version", p.Version(), p.Name())
		}
		l.At = tx.At()
		b, err := json.Marshal(l)
		if err != nil {
			return fmt.Errorf("encode policy %s: %w", p.Name(), err)
		}
		return tx.PutRecord(spacePolicy, key, b)
	})
	if err != nil {
		return change, err
	}
	if err := n.loadGroups(ctx); err != nil {
		return change, err
	}
	return change, n.RefreshReaders(ctx)
}

// SignedFact is who took responsibility for an assumed fact.
type SignedFact struct {
	ID     string    `json:"id"`
	Source string    `json:"source"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

// SignFact records that the security authority of this node takes an assumed
// fact for true, and on what that rests. A fact that data stands for (members
// of a group, a table) is signed where the data is.
func (n *Node) SignFact(ctx context.Context, by people.Person, id, source string) error {
	if !by.Has(people.SecurityOfficer) {
		return fmt.Errorf("sign a fact: %w: only a security officer may", people.ErrForbidden)
	}
	i := slices.IndexFunc(policies.Assumed, func(f policies.Fact) bool { return f.ID == id })
	switch {
	case id != confirmedKey && i < 0:
		return fmt.Errorf("sign a fact: %q is none that is assumed", id)
	case i >= 0 && policies.Assumed[i].Denies:
		return errors.New("sign a fact: sign the group or the table that states it")
	case strings.TrimSpace(source) == "" && id != confirmedKey:
		return errors.New("sign a fact: say what it rests on")
	}
	f := SignedFact{ID: id, Source: source, By: by.ReaderID()}
	act := audit.Act{Actor: f.By, Verb: "sign-fact", Subject: id, Detail: map[string]string{"source": source}}
	_, err := n.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		f.At = tx.At()
		b, err := json.Marshal(f)
		if err != nil {
			return fmt.Errorf("encode fact %s: %w", id, err)
		}
		return tx.PutRecord(spaceFact, id, b)
	})
	return err
}

// ConfirmPolicies records that a security officer looked at the policies in
// force and says that they decide here.
func (n *Node) ConfirmPolicies(ctx context.Context, by people.Person) error {
	versions, err := n.Versions(ctx)
	if err != nil {
		return err
	}
	return n.SignFact(ctx, by, confirmedKey, versions["policies"])
}

// SignedFacts gives the facts that were signed, by id, and who last confirmed
// the policies, or nil.
func (n *Node) SignedFacts(ctx context.Context) (facts map[string]SignedFact, confirmed *SignedFact, err error) {
	facts = map[string]SignedFact{}
	err = n.Vault.ScanRecords(ctx, spaceFact, "", func(key string, b []byte) error {
		var f SignedFact
		if err := json.Unmarshal(b, &f); err != nil {
			return fmt.Errorf("read fact %s: %w", key, err)
		}
		if key == confirmedKey {
			confirmed = &f
		} else {
			facts[key] = f
		}
		return nil
	})
	return facts, confirmed, err
}
