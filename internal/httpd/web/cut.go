package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"causeway/internal/desk"
	"causeway/internal/people"
	"causeway/label"
	"causeway/label/cut"
	"causeway/stix"
)

func cutRoutes() []Route {
	id := map[string]string{"id": "identity--00000000-0000-4000-8000-000000000000"}
	form, act := get("/object/{id}/cut", (*request).cutForm), post("/object/{id}/cut", (*request).cut)
	form.Example, act.Example = id, id
	return []Route{form, act}
}

type cutData struct {
	item
	Properties  []cutProperty
	Related     []cutRelated
	Whole       bool
	Withhold    string
	PolicyForms []policyForm
	Draft       *desk.Cut
	Changes     []cutChange
	Findings    []cutFinding
}

// cutProperty is one property of the original: it stays, falls away, or says
// something else.
type cutProperty struct {
	Name, Value string
	Text        bool // can be reworded
	Omit        bool
	Instead     string
}

type cutRelated struct {
	linked
	Omit bool
}

type cutChange struct {
	Kind, ID, Path, Before, After, Why string
}

type cutFinding struct {
	cut.Finding
	Key    string
	Accept bool
}

// fixed are the properties that every object has and a cut makes anew.
var fixed = []string{"type", "id", "spec_version", "created", "modified", "created_by_ref", "object_marking_refs", "extensions", "lang"}

func (q *request) cutForm() error {
	if err := q.need(people.Analyst); err != nil {
		return err
	}
	data, e, err := q.cutDataOf()
	if err != nil {
		return err
	}
	data.PolicyForms = q.policyForms(e)
	return q.render("cut", "place.picture", q.say("cut.title", data.Title), data)
}

// cutDataOf lists what of the original, and of what it rests on, can be left
// out, with the choices of the form.
func (q *request) cutDataOf() (*cutData, label.Effective, error) {
	row, o, err := q.newest()
	if err != nil {
		return nil, label.Effective{}, err
	}
	it, err := q.item(row)
	if err != nil {
		return nil, row.Effective, err
	}
	data := &cutData{item: it, Whole: q.field("whole") != "", Withhold: q.FormValue("withhold")}
	if data.Properties, err = q.cutProperties(o); err != nil {
		return nil, row.Effective, err
	}
	around := objectData{item: it}
	if err := q.around(&around, o); err != nil {
		return nil, row.Effective, err
	}
	for _, l := range around.RestsOn {
		data.Related = append(data.Related, cutRelated{l, slices.Contains(q.PostForm["drop"], l.ID)})
	}
	return data, row.Effective, nil
}

func (q *request) cutProperties(o *stix.Object) (out []cutProperty, err error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(o.Text()), &all); err != nil {
		return nil, fmt.Errorf("read %s: %w", o.ID(), err)
	}
	for name, raw := range all {
		if slices.Contains(fixed, name) {
			continue
		}
		p := cutProperty{Name: name, Value: clip(string(raw), 300), Omit: slices.Contains(q.PostForm["omit"], name)}
		if s := o.StringAt(name); s != "" && !strings.HasSuffix(name, "_ref") {
			p.Text, p.Value, p.Instead = true, s, s
			if v, ok := q.PostForm["instead."+name]; ok {
				p.Instead = v[0]
			}
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b cutProperty) int {
		return strings.Compare(a.Name, b.Name)
	})
	return out, nil
}

// cut previews a tearline, or makes it: the exact difference, what the check
// still finds of the withheld, and whom the label would admit.
func (q *request) cut() error {
	if err := q.need(people.Analyst); err != nil {
		return err
	}
	data, _, err := q.cutDataOf()
	if err != nil {
		return err
	}
	l, err := q.labelOfForm()
	if err != nil {
		return err
	}
	req := desk.CutRequest{Root: data.ID, Whole: data.Whole, Withhold: q.fieldLines("withhold"), Accept: q.PostForm["accept"]}
	for _, p := range data.Properties {
		switch {
		case p.Omit:
			req.Omit = append(req.Omit, cut.Place{Path: p.Name})
		case p.Text && p.Instead != p.Value:
			req.Reword = append(req.Reword, cut.Rewording{Path: p.Name, Value: p.Instead})
		}
	}
	for _, r := range data.Related {
		if r.Omit {
			req.Omit = append(req.Omit, cut.Place{ID: r.ID})
		}
	}
	if q.field("do") == "make" {
		made, err := q.site.node.Desk.MakeCut(q.ctx(), q.who.Person, req, l)
		var left *cut.LeftoverError
		if err == nil {
			return q.redirect(address("object", made.NewRoot), q.say("cut.done", len(made.Objects)))
		}
		if !errors.As(err, &left) {
			return act(err)
		}
	}
	if data.Draft, err = q.site.node.Desk.PreviewCut(q.ctx(), q.who.Person, req, l); err != nil {
		return act(err)
	}
	q.showCut(data, l, req)
	return q.render("cut", "place.picture", q.say("cut.title", data.Title), data)
}

func (q *request) showCut(data *cutData, l *label.Label, req desk.CutRequest) {
	for _, c := range data.Draft.Changes {
		data.Changes = append(data.Changes, cutChange{q.kind(typeOf(c.ID)), short(c.ID), c.Path, clip(c.Before, 400), clip(c.After, 400), q.word("cut.why", c.Why)})
	}
	for _, f := range data.Draft.Findings {
		data.Findings = append(data.Findings, cutFinding{f, f.Key(), slices.Contains(req.Accept, f.Key())})
	}
	data.PolicyForms = q.policyFormsOf(l)
}
