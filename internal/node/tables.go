package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"causeway/internal/audit"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
)

// spaceTable holds the tables of equivalence: one record a version, never
// changed and never removed, so that what was decided by it stays readable.
const spaceTable = "equivalence"

// maxTable bounds a table's file, in bytes.
const maxTable = 1 << 20

// tableJSON is a table as a file states it.
type tableJSON struct {
	Name    string      `json:"name"`
	Version string      `json:"version"`
	From    string      `json:"from"` // policy, by name or OID
	To      string      `json:"to"`
	Valid   time.Time   `json:"valid_from"`
	Ends    *time.Time  `json:"valid_to,omitempty"`
	Source  string      `json:"source"`
	Signer  string      `json:"signer,omitempty"` // set by the node; in a file it is refused
	Classes []classJSON `json:"classifications"`
	Values  []valueJSON `json:"values,omitempty"`
}

type classJSON struct {
	From string      `json:"from"`
	To   string      `json:"to"`
	Add  []namedJSON `json:"add,omitempty"`
}

type valueJSON struct {
	From namedJSON   `json:"from"`
	To   []namedJSON `json:"to,omitempty"`
}

type namedJSON struct {
	Set   string `json:"tag"` // OID of the tag set
	Type  string `json:"type"`
	Value string `json:"value"`
}

// ParseTable reads a table of equivalence between two policies of this node.
// An unknown field refuses the file.
func (n *Node) ParseTable(b []byte) (label.Table, error) {
	if len(b) > maxTable {
		return label.Table{}, fmt.Errorf("read the table: the file has %d bytes, at most %d are read", len(b), maxTable)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	var w tableJSON
	if err := dec.Decode(&w); err != nil {
		return label.Table{}, fmt.Errorf("read the table: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return label.Table{}, errors.New("read the table: there is more after it")
	}
	if w.Signer != "" {
		return label.Table{}, errors.New("read the table: a file does not say who signed it; the security officer who sets it does")
	}
	return n.table(w)
}

func (n *Node) table(w tableJSON) (label.Table, error) {
	t := label.Table{Name: w.Name, Version: w.Version, From: n.policyOID(w.From), To: n.policyOID(w.To), ValidFrom: w.Valid.UTC(), Source: w.Source, Signer: w.Signer}
	if w.Ends != nil {
		t.ValidTo = w.Ends.UTC()
	}
	for _, c := range w.Classes {
		add, err := tableValues(c.Add)
		if err != nil {
			return t, err
		}
		t.Classes = append(t.Classes, label.ClassPair{From: c.From, To: c.To, Add: add})
	}
	for _, v := range w.Values {
		from, err := tableValues([]namedJSON{v.From})
		if err != nil {
			return t, err
		}
		to, err := tableValues(v.To)
		if err != nil {
			return t, err
		}
		t.Values = append(t.Values, label.ValuePair{From: from[0], To: to})
	}
	return t, nil
}

func tableValues(named []namedJSON) ([]label.TableValue, error) {
	var out []label.TableValue
	for _, v := range named {
		typ, ok := label.ParseType(v.Type)
		if !ok {
			return nil, fmt.Errorf("read the table: %q is no type of category", v.Type)
		}
		out = append(out, label.TableValue{SetOID: v.Set, Type: typ, Value: v.Value})
	}
	return out, nil
}

// policyOID gives the OID of a policy named by name or OID.
func (n *Node) policyOID(name string) string {
	for _, p := range n.Policies().All() {
		if p.Name() == name {
			return p.OID()
		}
	}
	return name
}

// SetTable puts a table of equivalence in use, signed by the security officer
// who does it. A version that exists is refused: a correction is a new one.
func (n *Node) SetTable(ctx context.Context, by people.Person, file []byte) (label.Table, error) {
	if !by.Has(people.SecurityOfficer) {
		return label.Table{}, fmt.Errorf("sign a table: %w: only a security officer may", people.ErrForbidden)
	}
	t, err := n.ParseTable(file)
	if err != nil {
		return t, err
	}
	switch {
	case t.Name == "" || t.Version == "" || strings.Contains(t.Name+t.Version, "@"):
		return t, errors.New("sign a table: it needs a name and a version, without @")
	case strings.TrimSpace(t.Source) == "":
		return t, fmt.Errorf("sign table %s: name the agreement or act it rests on", t.Name)
	case t.ValidFrom.IsZero() || !t.ValidTo.IsZero() && !t.ValidFrom.Before(t.ValidTo):
		return t, fmt.Errorf("sign table %s: say from when it is valid, before its end", t.Name)
	}
	if err := n.Policies().CheckTable(&t); err != nil {
		return t, err
	}
	t.Signer = by.ReaderID()
	var w tableJSON
	if err := json.Unmarshal(file, &w); err != nil {
		return t, fmt.Errorf("read the table: %w", err)
	}
	w.Signer = t.Signer
	b, err := json.Marshal(w)
	if err != nil {
		return t, fmt.Errorf("encode table %s: %w", t.Name, err)
	}
	key := t.Name + "@" + t.Version
	act := audit.Act{Actor: by.ReaderID(), Verb: "sign-table", Subject: key, Detail: map[string]string{"from": t.From, "to": t.To, "source": t.Source}}
	_, err = n.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		if _, taken, err := tx.Record(spaceTable, key); err != nil {
			return err
		} else if taken {
			return fmt.Errorf("table %s is signed already; a correction is a new version", key)
		}
		return tx.PutRecord(spaceTable, key, b)
	})
	return t, err
}

// Tables lists every version of every table, by name and version.
func (n *Node) Tables(ctx context.Context) ([]label.Table, error) {
	var all []label.Table
	err := n.Vault.ScanRecords(ctx, spaceTable, "", func(key string, b []byte) error {
		var w tableJSON
		if err := json.Unmarshal(b, &w); err != nil {
			return fmt.Errorf("read table %s: %w", key, err)
		}
		t, err := n.table(w)
		all = append(all, t)
		return err
	})
	return all, err
}

// TablesInForce gives the tables in force at a time. Of one name that whose
// validity began last.
func (n *Node) TablesInForce(ctx context.Context, at time.Time) ([]label.Table, error) {
	all, err := n.Tables(ctx)
	if err != nil {
		return nil, err
	}
	last := map[string]int{}
	var out []label.Table
	for _, t := range all {
		if at.Before(t.ValidFrom) || !t.ValidTo.IsZero() && !at.Before(t.ValidTo) {
			continue
		}
		if i, ok := last[t.Name]; !ok {
			last[t.Name] = len(out)
			out = append(out, t)
		} else if out[i].ValidFrom.Before(t.ValidFrom) {
			out[i] = t
		}
	}
	return out, nil
}

// Translate gives the label in the words of another policy by the table in
// force, as an alternative label, with the table that said so.
func (n *Node) Translate(ctx context.Context, l *label.Label, to string) (*label.Label, label.Table, error) {
	at := n.now()
	tables, err := n.TablesInForce(ctx, at)
	if err != nil {
		return nil, label.Table{}, err
	}
	oid := n.policyOID(to)
	for _, t := range tables {
		if t.From == l.PolicyOID && t.To == oid {
			out, err := n.Policies().TranslateBy(&t, l, at)
			return out, t, err
		}
	}
	return nil, label.Table{}, fmt.Errorf("no signed table from %s to %s is in force on this node", l.PolicyName, to)
}

// Versions says by which policies, signed groups and signed tables the node decides now, for
// the entries of the audit log.
func (n *Node) Versions(ctx context.Context) (map[string]string, error) {
	var policies, groups, tables []string
	ps := n.Policies()
	for _, p := range ps.All() {
		policies = append(policies, p.Name()+" "+p.Version())
	}
	now := n.now()
	for _, g := range ps.Groups().All() {
		if e, ok := g.At(now); ok && e.Signer != "" {
			groups = append(groups, g.Name+"@"+e.Name)
		}
	}
	all, err := n.TablesInForce(ctx, now)
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		tables = append(tables, t.Name+"@"+t.Version)
	}
	return map[string]string{"policies": strings.Join(policies, "; "), "groups": strings.Join(groups, "; "), "tables": strings.Join(tables, "; ")}, nil
}
