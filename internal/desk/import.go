package desk

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/marking"
	"causeway/label/stanag4774"
	"causeway/stix"
)

// ImportReport says what became of each object of an import.
type ImportReport struct {
	Stored  int       `json:"stored"`
	Present int       `json:"present"` // held already, same content
	Refused []Refused `json:"refused,omitempty"`
}

// Refused is one object that was not stored.
type Refused struct {
	Line int    `json:"line,omitempty"`
	ID   string `json:"id,omitempty"`
	Why  string `json:"why"`
}

// importBatch is how many objects share a transaction.
const importBatch = 2000

// Import stores objects as reader. Objects that carry no label get l, which
// may be nil; then they are refused by name. Good objects are kept, batch by
// batch, whatever becomes of the others.
func (d *Desk) Import(ctx context.Context, as vault.Reader, items []stix.Item, l *label.Label, progress func(done, total int)) (*ImportReport, error) {
	report := &ImportReport{}
	fallback, err := d.fallback(l)
	if err != nil {
		return nil, err
	}
	definitions := map[string]*stix.Object{}
	for _, it := range items {
		if it.Object != nil && it.Object.Type() == "marking-definition" {
			definitions[it.Object.ID()] = it.Object
		}
	}
	view := d.Vault.As(as)
	lookup := func(id string) (*stix.Object, bool) {
		if o, ok := definitions[id]; ok {
			return o, true
		}
		row, err := view.Get(ctx, id)
		if err != nil {
			return nil, false
		}
		o, err := stix.ParseObject(row.Raw)
		return o, err == nil
	}
	var batch []vault.Put
	lines := map[string]int{}
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		var outcomes []vault.Outcome
		act := importAct(as, batch)
		_, err := d.Vault.Act(ctx, act, func(tx *vault.Tx) (err error) {
			outcomes, err = tx.Put(batch...)
			return err
		})
		if err != nil {
			return err
		}
		for _, o := range outcomes {
			switch o.Status {
			case vault.Stored:
				report.Stored++
			case vault.Present:
				report.Present++
			default:
				report.Refused = append(report.Refused, Refused{lines[o.ID], o.ID, "this version exists already with other content; a producer must give it a new modified time"})
			}
		}
		batch = batch[:0]
		return nil
	}
	for i, it := range items {
		put, why := d.judge(it, lookup, fallback)
		if why != "" {
			r := Refused{Line: it.Line, Why: why}
			if it.Object != nil {
				r.ID = it.Object.ID()
			}
			report.Refused = append(report.Refused, r)
			continue
		}
		lines[it.Object.ID()] = it.Line
		if batch = append(batch, put); len(batch) == importBatch {
			if err := flush(); err != nil {
				return report, err
			}
			progress(i+1, len(items))
		}
	}
	return report, flush()
}

// fallback is what governs objects that carry no label.
func (d *Desk) fallback(l *label.Label) (*label.Effective, error) {
	if l == nil {
		return nil, nil
	}
	xml, err := stanag4774.WriteLabel(l)
	if err != nil {
		return nil, err
	}
	e, err := d.Policies().Govern(l, xml)
	if err != nil {
		return nil, fmt.Errorf("the label for unlabelled objects: %w", err)
	}
	return &e, nil
}

// judge gives what is stored of one item, or why it is not.
func (d *Desk) judge(it stix.Item, lookup func(string) (*stix.Object, bool), fallback *label.Effective) (put vault.Put, why string) {
	if it.Err != nil {
		return put, it.Err.Error()
	}
	for _, p := range stix.Validate(it.Object) {
		if !p.Warning {
			return put, fmt.Sprintf("%s: %s", p.Path, p.Text)
		}
	}
	effective, err := marking.Resolve(it.Object, lookup, d.Policies())
	if errors.Is(err, marking.ErrUnlabelled) {
		if fallback == nil {
			return put, "it carries no label; give one for such objects with --label"
		}
		effective = *fallback
	} else if err != nil {
		return put, err.Error()
	}
	return vault.Put{Object: it.Object, Effective: effective, Source: local}, ""
}

// importAct records a batch under its first object, so that the entry is shown
// to those who may see that. How many objects came is said only when whoever
// sees the first may see them all.
func importAct(as vault.Reader, batch []vault.Put) audit.Act {
	first := batch[0]
	act := audit.Act{Actor: as.ID, Verb: "import", Subject: first.Object.ID()}
	for _, put := range batch {
		if put.Effective.Rule.Key() != first.Effective.Rule.Key() {
			return act
		}
	}
	act.Detail = map[string]string{"objects": strconv.Itoa(len(batch))}
	return act
}
