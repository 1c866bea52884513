package node

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"causeway/internal/audit"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/policies"
)

// spaceGroup holds the dated groups, one record a group.
const spaceGroup = "group"

// loadGroups puts the policies and the groups of the vault in force.
func (n *Node) loadGroups(ctx context.Context) error {
	all, err := n.Groups(ctx)
	if err != nil {
		return err
	}
	table, err := label.NewGroups(all...)
	if err != nil {
		return fmt.Errorf("read the groups: %w", err)
	}
	own, err := n.inForce(ctx)
	if err != nil {
		return err
	}
	ps, err := label.NewPolicies(table, own...)
	if err != nil {
		return fmt.Errorf("put the policies together: %w", err)
	}
	if ps, err = n.withBriefings(ctx, ps); err != nil {
		return fmt.Errorf("put the policies together: %w", err)
	}
	n.base.Store(ps)
	if n.policies.Load() == nil {
		n.policies.Store(ps) // RefreshReaders binds the rest
	}
	return nil
}

// Groups lists every group, signed or not, by name.
func (n *Node) Groups(ctx context.Context) ([]label.DatedGroup, error) {
	all := []label.DatedGroup{policies.SevenNNN()}
	err := n.Vault.ScanRecords(ctx, spaceGroup, "", func(key string, value []byte) error {
		var g label.DatedGroup
		if err := json.Unmarshal(value, &g); err != nil {
			return fmt.Errorf("read group %s: %w", key, err)
		}
		all = slices.DeleteFunc(all, func(s label.DatedGroup) bool { return s.Name == g.Name })
		all = append(all, g)
		return nil
	})
	slices.SortFunc(all, func(a, b label.DatedGroup) int { return strings.Compare(a.Name, b.Name) })
	return all, err
}

var groupName = regexp.MustCompile(`^[A-Z0-9][A-Z0-9-]{0,31}$`)

// SetGroup adds an epoch to a group, signed by the security officer who does
// it. An earlier epoch still open ends where the new one begins; what was
// labelled for it stays with its members.
func (n *Node) SetGroup(ctx context.Context, by people.Person, name string, e label.Epoch) error {
	if !by.Has(people.SecurityOfficer) {
		return fmt.Errorf("sign a group: %w: only a security officer may", people.ErrForbidden)
	}
	if !groupName.MatchString(name) {
		return fmt.Errorf("group %q: use capital letters, digits and dashes, up to 32", name)
	}
	if strings.TrimSpace(e.Source) == "" {
		return fmt.Errorf("group %s: say where the membership is stated", name)
	}
	for _, m := range e.Members {
		if !nationCode.MatchString(m) {
			return fmt.Errorf("group %s: member %q is not three capital letters (ISO 3166-1 alpha-3)", name, m)
		}
	}
	e.Signer = by.ReaderID()
	e.From = e.From.UTC().Truncate(time.Second)
	act := audit.Act{Actor: by.ReaderID(), Verb: "sign-group", Subject: name + "@" + e.Name,
		Detail: map[string]string{"members": strings.Join(e.Members, " "), "from": e.From.Format(time.RFC3339), "source": e.Source}}
	_, err := n.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		g := label.DatedGroup{Name: name}
		b, ok, err := tx.Record(spaceGroup, name)
		if err != nil {
			return err
		}
		if ok {
			if err := json.Unmarshal(b, &g); err != nil {
				return fmt.Errorf("read group %s: %w", name, err)
			}
		}
		if last := len(g.Epochs) - 1; last >= 0 && g.Epochs[last].To.IsZero() {
			g.Epochs[last].To = e.From
		}
		g.Epochs = append(g.Epochs, e)
		if _, err := label.NewGroups(g); err != nil {
			return fmt.Errorf("add epoch %s: %w", e.Name, err)
		}
		if b, err = json.Marshal(g); err != nil {
			return fmt.Errorf("encode group %s: %w", name, err)
		}
		return tx.PutRecord(spaceGroup, name, b)
	})
	if err != nil {
		return err
	}
	if err := n.loadGroups(ctx); err != nil {
		return err
	}
	return n.RefreshReaders(ctx)
}
