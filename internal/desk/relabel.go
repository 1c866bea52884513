package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"causeway/internal/audit"
	"causeway/internal/line"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/marking"
	"causeway/label/stanag4774"
	"causeway/stix"
)

// Relabelled says what another label did, or would do.
type Relabelled struct {
	ID       string
	Version  string   // the new version that carries the label; "" where the object is not this agency's to version
	Wider    bool     // it admits readers whom the old label does not
	Narrower bool     // it shuts out readers whom the old label admits
	Keep     []string // partners that hold the object and may go on reading it, by node id
	Lose     []string // partners that hold it and may no longer: it is recalled from them
	Two      bool     // it takes a second release officer

	definition, object *stix.Object
	effective          label.Effective
	held               []vault.Row
}

// Effective is what would govern the object.
func (r *Relabelled) Effective() label.Effective { return r.effective }

// PreviewLabel says what another label on an object would do.
func (d *Desk) PreviewLabel(ctx context.Context, by people.Person, id string, l *label.Label) (*Relabelled, error) {
	if err := need(by, "change a label", people.ReleaseOfficer); err != nil {
		return nil, err
	}
	v, err := d.view(by)
	if err != nil {
		return nil, err
	}
	newest, err := v.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	r := &Relabelled{ID: id}
	if r.held, err = v.Versions(ctx, id); err != nil {
		return nil, err
	}
	for _, row := range r.held {
		if row.Source != local {
			return nil, fmt.Errorf("change a label: %w: %s came from %s, and only its originator may", people.ErrForbidden, id, row.Source)
		}
	}
	if err := d.remark(ctx, v, newest, l, r); err != nil {
		return nil, err
	}
	r.Wider = !r.effective.Rule.AtMost(newest.Effective.Rule)
	r.Narrower = !newest.Effective.Rule.AtMost(r.effective.Rule)
	if r.Wider {
		if r.Two, err = d.needsSecond(ctx, []vault.Row{newest}); err != nil {
			return nil, err
		}
	}
	return r, d.sides(ctx, r)
}

// remark puts the label in place of the object's confidentiality labels; other
// markings, such as a TLP colour, stay and go on counting.
func (d *Desk) remark(ctx context.Context, v *vault.View, newest vault.Row, l *label.Label, r *Relabelled) error {
	o, err := stix.ParseObject(newest.Raw)
	if err != nil {
		return fmt.Errorf("read %s: %w", newest.ID, err)
	}
	if definition(o) {
		return fmt.Errorf("%s is a definition; its label is part of what it says", o.ID())
	}
	if len(o.GranularMarkings()) > 0 {
		return fmt.Errorf("%s has markings on parts of it; make a cut instead", o.ID())
	}
	at := stix.TimestampOf(d.Now().UTC().Truncate(time.Millisecond))
	if r.definition, err = marking.Definition(l, at, d.Identity); err != nil {
		return fmt.Errorf("write the label: %w", err)
	}
	lookup := func(id string) (*stix.Object, bool) {
		if id == r.definition.ID() {
			return r.definition, true
		}
		row, err := v.Get(ctx, id)
		if err != nil {
			return nil, false
		}
		m, err := stix.ParseObject(row.Raw)
		return m, err == nil
	}
	marks := []string{r.definition.ID()}
	for _, id := range o.MarkingRefs() {
		m, known := lookup(id)
		if known {
			if _, labels := m.Extension(stix.LabelExtension); labels {
				continue
			}
		}
		marks = append(marks, id)
	}
	b := stix.From(o).Set("object_marking_refs", marks)
	own := o.CreatedByRef() == d.Identity && !o.Modified().IsZero()
	if own {
		b = b.Set("modified", at.String())
	}
	changed, err := b.Object()
	if err != nil {
		return fmt.Errorf("write %s with its new label: %w", o.ID(), err)
	}
	if r.effective, err = marking.Resolve(changed, lookup, d.Policies()); err != nil {
		return fmt.Errorf("label %s: %w", o.ID(), err)
	}
	if own {
		r.object, r.Version = changed, at.String()
	}
	return nil
}

// sides tells the partners that hold the object apart: who may go on reading
// it, and who may not.
func (d *Desk) sides(ctx context.Context, r *Relabelled) error {
	holders, err := d.Vault.Holders(ctx, r.ID)
	if err != nil {
		return err
	}
	partners, err := d.Line.Partners(ctx)
	if err != nil {
		return err
	}
	for _, p := range partners {
		reader := d.Line.Reader(p)
		if !slices.ContainsFunc(holders, func(h vault.Holder) bool { return h.Reader == reader.ID }) {
			continue
		}
		if label.Allows(r.effective.Rule, reader.Holdings) {
			r.Keep = append(r.Keep, p.NodeID)
		} else {
			r.Lose = append(r.Lose, p.NodeID)
		}
	}
	return nil
}

// Relabel puts another label on an object. What this agency created gets a new
// version that carries the label, since a marking is part of the text that
// partners hold; everything else is held under the label from now on. Partners
// that hold the object get the new version if they may read it, and readers
// who gain it find it in their feeds with the time of this act. From those who
// may no longer read it, it is recalled.
//
// A lower label on what takes two release officers waits for the second one:
// see [WaitsError].
func (d *Desk) Relabel(ctx context.Context, by people.Person, id string, l *label.Label, why string) (*Relabelled, error) {
	if strings.TrimSpace(why) == "" {
		return nil, errors.New("say why the label changes")
	}
	r, err := d.PreviewLabel(ctx, by, id, l)
	if err != nil {
		return nil, err
	}
	if r.Two {
		xml, err := stanag4774.WriteLabel(l)
		if err != nil {
			return nil, err
		}
		return r, d.ask(ctx, ReleaseRequest{Root: id, Items: itemsOf(r.held), Label: string(xml), Why: why, By: by.ReaderID()}, nil)
	}
	return r, d.relabel(ctx, by, r, why, nil)
}

// approveLabel carries out a change of label that waited.
func (d *Desk) approveLabel(ctx context.Context, by people.Person, req ReleaseRequest) error {
	l, err := stanag4774.ParseLabel([]byte(req.Label))
	if err != nil {
		return fmt.Errorf("read the label that was asked for: %w", err)
	}
	r, err := d.PreviewLabel(ctx, by, req.Root, l)
	if err != nil {
		return err
	}
	if !slices.Equal(itemsOf(r.held), req.Items) {
		return errChanged
	}
	return d.relabel(ctx, by, r, req.Why, &req)
}

func (d *Desk) relabel(ctx context.Context, by people.Person, r *Relabelled, why string, req *ReleaseRequest) error {
	// The entry tells the new label and not the old one: who gains the object
	// reads it too.
	act := audit.Act{Actor: by.ReaderID(), Verb: "relabel", Subject: r.ID, Detail: map[string]string{
		"rule": r.effective.Rule.Key(), "wider": fmt.Sprint(r.Wider), "narrower": fmt.Sprint(r.Narrower), "why": why,
	}}
	if req != nil {
		act.Detail["request"], act.Detail["requested-by"] = req.ID, req.By
	}
	if err := d.recordBasis(ctx, act.Detail, r.Keep); err != nil {
		return err
	}
	_, err := d.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		if req != nil {
			if err := takeRequest(tx, req.ID); err != nil {
				return err
			}
		}
		rows, err := d.renew(tx, r)
		if err != nil {
			return err
		}
		if err := d.send(tx, rows, r.Keep, line.Routine, ""); err != nil {
			return err
		}
		return d.withdrawFrom(tx, r, why)
	})
	return err
}

// renew stores the label, and gives what goes to those who may read on.
func (d *Desk) renew(tx *vault.Tx, r *Relabelled) ([]vault.Row, error) {
	own, err := marking.Resolve(r.definition, nothing, d.Policies())
	if err != nil {
		return nil, fmt.Errorf("label the label: %w", err)
	}
	puts := []vault.Put{{Object: r.definition, Effective: own, Source: local}}
	rows := []vault.Row{{ID: r.definition.ID(), Version: r.definition.Version().String(), Effective: own}}
	if r.object != nil {
		puts = append(puts, vault.Put{Object: r.object, Effective: r.effective, Source: local})
		rows = append(rows, vault.Row{ID: r.ID, Version: r.object.Version().String(), Effective: r.effective})
	}
	if err := stored(tx.Put(puts...)); err != nil {
		return nil, err
	}
	for _, old := range r.held {
		e := r.effective
		switch {
		case r.object != nil && !r.Narrower:
			continue // it stays as it was labelled; the new version is the one that widens
		case r.object != nil && r.Wider:
			if e, err = label.JoinEffective(old.Effective, e); err != nil {
				return nil, err
			}
			e.TLP = r.effective.TLP
		}
		if err := tx.Relabel(old.ID, old.Version, e); err != nil {
			return nil, err
		}
		if r.object == nil {
			rows = append(rows, vault.Row{ID: old.ID, Version: old.Version, Effective: e})
		}
	}
	return rows, nil
}

// withdrawFrom recalls from partners what they may no longer hold: everything
// from those who lost it, and the older versions, whose text has the wider
// label, from those who keep it.
func (d *Desk) withdrawFrom(tx *vault.Tx, r *Relabelled, why string) error {
	from := slices.Clone(r.Lose)
	if r.Narrower && r.object != nil {
		from = append(from, r.Keep...)
	}
	for _, partner := range from {
		for _, row := range r.held {
			if err := tx.Recall(row.ID, row.Version, []string{line.PartnerReader(partner)}, why); err != nil {
				return err
			}
		}
		if err := d.Line.EnqueueRecall(tx, partner, itemsOf(r.held), why); err != nil {
			return err
		}
	}
	return nil
}
