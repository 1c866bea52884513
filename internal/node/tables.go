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

// spaceTableEnd holds revocations, one record a version.
const spaceTableEnd = "equivalence-end"

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
	Applied string      `json:"applied,omitempty"` // encrypt, decrypt, both: where its alternatives admit readers; "" nowhere
	Signer  string      `json:"signer,omitempty"`  // set by the node; in a file it is refused
	Signed  *time.Time  `json:"signed,omitempty"`  // set by the node
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
	if w.Signer != "" || w.Signed != nil {
		return label.Table{}, errors.New("read the table: a file does not say who signed it, or when; the security officer who sets it does")
	}
	return n.table(w)
}

func (n *Node) table(w tableJSON) (label.Table, error) {
	t := label.Table{Name: w.Name, Version: w.Version, From: n.policyOID(w.From), To: n.policyOID(w.To), ValidFrom: w.Valid.UTC(), Source: w.Source, Signer: w.Signer, Applied: w.Applied}
	if w.Signed != nil {
		t.Signed = w.Signed.UTC()
	}
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
	key := t.Name + "@" + t.Version
	act := audit.Act{Actor: by.ReaderID(), Verb: "sign-table", Subject: key, Detail: map[string]string{"from": t.From, "to": t.To, "source": t.Source}}
	if err := n.soleTable(ctx, t); err != nil {
		return t, err
	}
	_, err = n.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		if _, taken, err := tx.Record(spaceTable, key); err != nil {
			return err
		} else if taken {
			return fmt.Errorf("table %s is signed already; a correction is a new version", key)
		}
		t.Signed = tx.At()
		w.Signer, w.Signed = t.Signer, &t.Signed
		b, err := json.Marshal(w)
		if err != nil {
			return fmt.Errorf("encode table %s: %w", t.Name, err)
		}
		return tx.PutRecord(spaceTable, key, b)
	})
	if err != nil {
		return t, err
	}
	return t, n.retranslate(ctx, by.ReaderID(), key)
}

// soleTable refuses a table whose alternatives would stand beside those of
// another table for the same policies: of two that could decide, none would.
func (n *Node) soleTable(ctx context.Context, t label.Table) error {
	all, err := n.Tables(ctx)
	if err != nil {
		return err
	}
	now := n.now()
	for _, o := range all {
		if o.Name == t.Name && (o.From != t.From || o.To != t.To) {
			return fmt.Errorf("sign table %s: its other versions are about other policies; give it a name of its own", t.Name)
		}
		if t.Applied == "" {
			continue
		}
		ended := !o.ValidTo.IsZero() && !o.ValidTo.After(t.ValidFrom) || !o.Ended.IsZero() && !now.Before(o.Ended)
		if o.Applied != "" && o.Name != t.Name && o.From == t.From && o.To == t.To && !ended && (t.ValidTo.IsZero() || o.ValidFrom.Before(t.ValidTo)) {
			return fmt.Errorf("sign table %s: %s@%s is in force for the same policies; revoke it, or sign this one as its next version", t.Name, o.Name, o.Version)
		}
	}
	return nil
}

// Tables lists every version of every table, by name and version, revoked ones
// too.
func (n *Node) Tables(ctx context.Context) ([]SignedTable, error) {
	var all []SignedTable
	err := n.Vault.ScanRecords(ctx, spaceTable, "", func(key string, b []byte) error {
		var w tableJSON
		if err := json.Unmarshal(b, &w); err != nil {
			return fmt.Errorf("read table %s: %w", key, err)
		}
		t, err := n.table(w)
		if err != nil {
			return err
		}
		all = append(all, SignedTable{Table: t})
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, t := range all {
		b, ok, err := n.Vault.Record(ctx, spaceTableEnd, t.Key())
		if err != nil {
			return nil, err
		}
		if ok {
			if err := json.Unmarshal(b, &all[i].tableEnd); err != nil {
				return nil, fmt.Errorf("read the end of table %s: %w", t.Key(), err)
			}
		}
	}
	return all, nil
}

// SignedTable is a table as this node keeps it.
type SignedTable struct {
	label.Table
	tableEnd
}

// tableEnd is the revocation of a version.
type tableEnd struct {
	Ended time.Time `json:"ended,omitzero"`
	By    string    `json:"by,omitempty"`
	Why   string    `json:"why,omitempty"`
}

// Key names a version of a table.
func (t SignedTable) Key() string { return t.Name + "@" + t.Version }

// begins is the first moment at which the version decides anything: no table
// decides about the time before it was signed.
func (t SignedTable) begins() time.Time {
	if t.Signed.After(t.ValidFrom) {
		return t.Signed
	}
	return t.ValidFrom
}

// RevokeTable ends a version of a table at once: what only its alternatives
// admit is denied from this moment on, in open sessions and feeds too.
func (n *Node) RevokeTable(ctx context.Context, by people.Person, key, why string) error {
	if !by.Has(people.SecurityOfficer) {
		return fmt.Errorf("revoke a table: %w: only a security officer may", people.ErrForbidden)
	}
	if strings.TrimSpace(why) == "" {
		return errors.New("say why the table is revoked")
	}
	act := audit.Act{Actor: by.ReaderID(), Verb: "revoke-table", Subject: key, Detail: map[string]string{"why": why}}
	_, err := n.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		if _, known, err := tx.Record(spaceTable, key); err != nil {
			return err
		} else if !known {
			return fmt.Errorf("no table %q is signed here; name it NAME@VERSION", key)
		}
		if _, ended, err := tx.Record(spaceTableEnd, key); err != nil {
			return err
		} else if ended {
			return fmt.Errorf("table %s is revoked already", key)
		}
		b, err := json.Marshal(tableEnd{tx.At(), by.ReaderID(), why})
		if err != nil {
			return fmt.Errorf("encode the end of table %s: %w", key, err)
		}
		return tx.PutRecord(spaceTableEnd, key, b)
	})
	if err != nil {
		return err
	}
	return n.reauthorise(ctx)
}

// TablesInForce gives the tables in force at a time. Of one name that whose
// validity began last.
func (n *Node) TablesInForce(ctx context.Context, at time.Time) ([]label.Table, error) {
	all, err := n.Tables(ctx)
	if err != nil {
		return nil, err
	}
	var out []label.Table
	for i, t := range all {
		from, until := inForce(all, i)
		if !at.Before(from) && (until.IsZero() || at.Before(until)) {
			out = append(out, t.Table)
		}
	}
	return out, nil
}

// inForce gives the time in which a version decides: until it ends, is revoked,
// or another version of the name begins, which a later revocation of that one
// does not undo. Where it never decides, from is not before until.
func inForce(all []SignedTable, i int) (from, until time.Time) {
	t := all[i]
	from, until = t.begins(), t.ValidTo
	end := func(at time.Time) {
		if !at.IsZero() && (until.IsZero() || at.Before(until)) {
			until = at
		}
	}
	end(t.Ended)
	for j, o := range all {
		if o.Name == t.Name && j != i && (o.begins().After(from) || o.begins().Equal(from) && j > i) && (o.Ended.IsZero() || o.Ended.After(o.begins())) {
			end(o.begins())
		}
	}
	return from, until
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
