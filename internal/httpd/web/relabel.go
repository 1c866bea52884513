package web

import (
	"errors"

	"causeway/internal/desk"
	"causeway/internal/people"
	"causeway/label"
	"causeway/label/stanag4774"
)

func relabelRoutes() []Route {
	form, act := get("/object/{id}/label", (*request).relabelForm), post("/object/{id}/label", (*request).relabel)
	form.Example = map[string]string{"id": "identity--00000000-0000-4000-8000-000000000000"}
	act.Example = form.Example
	return []Route{form, act}
}

type relabelData struct {
	item
	PolicyForms []policyForm
	Why         string
	Draft       *relabelDraft
}

// relabelDraft is what another label would do.
type relabelDraft struct {
	*desk.Relabelled
	Marking          Marking
	Gain, Lose, Both []whyReader // of partners and people: who could read it then, and not now; who could no longer; who goes on
	Holding, Taken   []string    // names of the partners that hold it: that go on, that are asked to remove it
}

// relabelForm starts from the label that there is.
func (q *request) relabelForm() error {
	if err := q.need(people.ReleaseOfficer); err != nil {
		return err
	}
	row, _, err := q.newest()
	if err != nil {
		return err
	}
	it, err := q.item(row)
	if err != nil {
		return err
	}
	return q.render("relabel", "place.picture", q.say("relabel.title", it.Title), relabelData{item: it, PolicyForms: q.policyForms(row.Effective)})
}

// relabel previews another label: who gains the object, who loses it, from whom
// it is recalled, whether a second officer has to agree. Then it does it.
func (q *request) relabel() error {
	if err := q.need(people.ReleaseOfficer); err != nil {
		return err
	}
	row, _, err := q.newest()
	if err != nil {
		return err
	}
	l, err := q.labelOfForm()
	if err != nil {
		return err
	}
	why := q.field("why")
	if q.field("do") == "relabel" {
		_, err := q.site.node.Desk.Relabel(q.ctx(), q.who.Person, row.ID, l, why)
		var waits *desk.WaitsError
		if errors.As(err, &waits) {
			return q.redirect(address("object", row.ID), q.say("release.waits"))
		}
		if err != nil {
			return act(err)
		}
		return q.redirect(address("object", row.ID), q.say("relabel.done"))
	}
	r, err := q.site.node.Desk.PreviewLabel(q.ctx(), q.who.Person, row.ID, l)
	if err != nil {
		return act(err)
	}
	it, err := q.item(row)
	if err != nil {
		return err
	}
	draft, err := q.relabelDraft(r, l, row.Effective)
	if err != nil {
		return err
	}
	return q.render("relabel", "place.picture", q.say("relabel.title", it.Title), relabelData{item: it, PolicyForms: q.policyFormsOf(l), Why: why, Draft: draft})
}

func (q *request) relabelDraft(r *desk.Relabelled, l *label.Label, before label.Effective) (*relabelDraft, error) {
	xml, err := stanag4774.WriteLabel(l)
	if err != nil {
		return nil, refused("%v", err)
	}
	d := &relabelDraft{Relabelled: r, Marking: q.markLabel(xml)}
	was, err := q.readersNow(r.ID, "", before)
	if err != nil {
		return nil, err
	}
	is, err := q.readersNow(r.ID, "", r.Effective())
	if err != nil {
		return nil, err
	}
	for i, w := range was {
		switch {
		case w.Decision.Allow && is[i].Decision.Allow:
			d.Both = append(d.Both, is[i])
		case w.Decision.Allow:
			d.Lose = append(d.Lose, is[i])
		case is[i].Decision.Allow:
			d.Gain = append(d.Gain, is[i])
		}
	}
	names, err := q.partnerNames()
	if err != nil {
		return nil, err
	}
	d.Holding, d.Taken = partnersNamed(names, r.Keep), partnersNamed(names, r.Lose)
	return d, nil
}
