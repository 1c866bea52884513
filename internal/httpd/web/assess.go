package web

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"causeway/internal/desk"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/stanag4774"
	"causeway/stix"
)

// policyForm offers one policy's own words for a label.
type policyForm struct {
	OID, Name string
	Here      bool
	Classes   []classChoice
	Sets      []setChoice
}

type classChoice struct {
	Name, Marking, Class string
	Here                 bool
}

type setChoice struct {
	Name string
	Tags []tagChoice
}

type tagChoice struct {
	Name, Field string
	Single      bool // at most one value
	Values      []valueChoice
}

type valueChoice struct {
	Name string
	Here bool
}

// policyForms gives the forms of every policy, with the label of what the form
// is about chosen, so that nothing is written lower by oversight.
func (q *request) policyForms(e label.Effective) []policyForm {
	var labels []*label.Label
	for _, xml := range e.Labels {
		if l, err := stanag4774.ParseLabel(xml); err == nil {
			labels = append(labels, l)
		}
	}
	return q.policyFormsOf(labels...)
}

// policyFormsOf gives the forms with these labels chosen.
func (q *request) policyFormsOf(labels ...*label.Label) (out []policyForm) {
	chosen := map[string]*label.Label{}
	first := ""
	for _, l := range labels {
		if l == nil {
			continue
		}
		chosen[l.PolicyOID] = l
		if first == "" {
			first = l.PolicyOID
		}
	}
	ps := q.site.node.Policies()
	for i, p := range ps.All() {
		f := policyForm{OID: p.OID(), Name: p.Name(), Here: p.OID() == first || first == "" && i == 0}
		have := chosen[p.OID()]
		for _, c := range p.Classifications() {
			m := ps.Marking(&label.Label{PolicyOID: p.OID(), PolicyName: p.Name(), Classification: c.Name}, q.lang, "")
			f.Classes = append(f.Classes, classChoice{c.Name, m.Text, colourClass(m.Colour), have != nil && have.Classification == c.Name})
		}
		for _, set := range p.TagSets() {
			f.Sets = append(f.Sets, setOf(p.OID(), set, have, q.now))
		}
		out = append(out, f)
	}
	return out
}

// newestLabel is where the form of a new label starts: the policy, the
// classification and the restrictive values of the newest thing made here that
// the visitor may see. Whom it may go to is never carried over: an audience
// that fitted the last thing and is left standing is how things leak.
func (q *request) newestLabel() (*label.Label, error) {
	page, err := q.view().Page(q.ctx(), vault.Query{Match: vault.Match{Types: reading, Source: local}, Limit: 1, Newest: true, Bare: true})
	if err != nil || len(page.Rows) == 0 || len(page.Rows[0].Effective.Labels) == 0 {
		return nil, err
	}
	l, err := stanag4774.ParseLabel(page.Rows[0].Effective.Labels[0])
	if err != nil {
		return nil, nil // not understood: the form starts empty
	}
	l.Categories = slices.DeleteFunc(l.Categories, func(c label.Category) bool { return c.Type != label.Restrictive })
	return l, nil
}

func setOf(oid string, set label.TagSet, have *label.Label, now time.Time) setChoice {
	s := setChoice{Name: set.Name}
	for _, tag := range set.Tags {
		t := tagChoice{Name: tag.Name, Field: "set." + oid + "." + set.Name, Single: tag.Max == 1}
		for _, v := range tag.Values {
			if v.Obsolete || v.UserInput || !v.NotAfter.IsZero() && now.After(v.NotAfter) {
				continue
			}
			t.Values = append(t.Values, valueChoice{v.Name, holds(have, set.Name, v.Name)})
		}
		if len(t.Values) > 0 {
			s.Tags = append(s.Tags, t)
		}
	}
	return s
}

func holds(l *label.Label, set, value string) bool {
	if l == nil {
		return false
	}
	for _, c := range l.Categories {
		if c.TagName == set && slices.Contains(c.Values, value) {
			return true
		}
	}
	return false
}

// labelOfForm reads the label that a form chose, and checks it with the
// policy's own rules.
func (q *request) labelOfForm() (*label.Label, error) {
	oid := q.field("policy")
	form := desk.LabelForm{PolicyOID: oid, Classification: q.field("class." + oid), Values: map[string][]string{}}
	if form.Classification == "" {
		return nil, refused("%s", q.say("label.choose"))
	}
	prefix := "set." + oid + "."
	for name, values := range q.PostForm {
		set, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		for _, v := range values {
			if v != "" {
				form.Values[set] = append(form.Values[set], v)
			}
		}
	}
	l, err := q.site.node.Desk.Label(form)
	return l, act(err)
}

type assessData struct {
	item
	Kinds, Likelihoods, Confidences []string
	Statuses                        []string
	Alternatives                    []string
	Basis                           []linked
	PolicyForms                     []policyForm
	Expires                         string
	Dissents                        []voice
	Way                             []step
}

// step is one stage of the way from posts to a release.
type step struct {
	Name, Class string
}

// way marks where a finding stands.
func (q *request) way(at int) (out []step) {
	for i, key := range []string{"way.posts", "way.network", "way.finding", "way.assessment", "way.release"} {
		class := ""
		switch {
		case i < at:
			class = "done"
		case i == at:
			class = "here"
		}
		out = append(out, step{q.say(key), class})
	}
	return out
}

func (q *request) assessForm() error {
	if err := q.need(people.Analyst); err != nil {
		return err
	}
	row, o, err := q.newest()
	if err != nil {
		return err
	}
	it, err := q.item(row)
	if err != nil {
		return err
	}
	var around objectData
	around.item = it
	if err := q.around(&around, o); err != nil {
		return err
	}
	data := assessData{item: it, Kinds: desk.Kinds, Likelihoods: desk.Likelihoods, Confidences: desk.Confidences, Statuses: desk.AlternativeStatuses,
		Alternatives: desk.CoordinationAlternatives, PolicyForms: q.policyForms(row.Effective),
		Expires: q.now.In(q.zone).AddDate(1, 0, 0).Format(time.DateOnly), Way: q.way(3)}
	data.Basis = append(data.Basis, linked{it, q.say("assess.itself")})
	for _, l := range append(around.RestsOn, around.RestedOn...) {
		switch l.object.Type() {
		case "observed-data", "infrastructure", "user-account", "incident", "report", "sighting", "note":
			data.Basis = append(data.Basis, l)
		}
	}
	for _, v := range around.Voices {
		if v.object.Type() == "x-causeway-assessment" {
			data.Dissents = append(data.Dissents, v)
		}
	}
	return q.render("assess", "place.detect", q.say("assess.title", it.Title), data)
}

func (q *request) assess() error {
	row, _, err := q.newest()
	if err != nil {
		return err
	}
	expires, err := time.ParseInLocation(time.DateOnly, q.field("expires"), q.zone)
	if err != nil {
		return refused("%s", q.say("assess.expires.wrong"))
	}
	a := desk.Assessment{
		Subjects: []string{row.ID}, Kind: q.field("kind"), Judgement: q.field("judgement"), Likelihood: q.field("likelihood"), Confidence: q.field("confidence"),
		Basis: q.PostForm["basis"], Assumptions: q.fieldLines("assumptions"), Gaps: q.fieldLines("gaps"), DissentsFrom: q.field("dissents"), Expires: expires,
	}
	for i, name := range q.PostForm["alternative"] {
		reason := strings.TrimSpace(at(q.PostForm["reason"], i))
		if name == "" || reason == "" && !slices.Contains(desk.CoordinationAlternatives, name) {
			continue
		}
		alt := desk.Alternative{Label: name, Status: at(q.PostForm["status"], i), Reason: reason}
		if alt.Status == "ruled-out" {
			alt.Evidence = a.Basis
		}
		a.Alternatives = append(a.Alternatives, alt)
	}
	l, err := q.labelOfForm()
	if err != nil {
		return err
	}
	id, err := q.site.node.Desk.Assess(q.ctx(), q.who.Person, a, l)
	if err != nil {
		return act(err)
	}
	return q.redirect(address("object", id), q.say("assess.done"))
}

func at(s []string, i int) string {
	if i < len(s) {
		return s[i]
	}
	return ""
}

func (q *request) comment() error {
	row, _, err := q.newest()
	if err != nil {
		return err
	}
	l, err := q.labelOfForm()
	if err != nil {
		return err
	}
	if _, err := q.site.node.Desk.Comment(q.ctx(), q.who.Person, row.ID, q.field("opinion"), q.field("explanation"), l); err != nil {
		return act(err)
	}
	return q.redirect(address("object", row.ID), q.say("comment.done"))
}

// assessmentView is an assessment as its page shows it.
type assessmentView struct {
	Judgement, Kind, Likelihood, Confidence string
	Band                                    []band
	Alternatives                            []alternativeView
	Assumptions, Gaps                       []string
	Expires                                 time.Time
	Subjects                                []ref
	DissentsFrom                            *ref
}

// band is one of the seven likelihoods, for the scale.
type band struct {
	Name string
	Here bool
}

type alternativeView struct{ Name, Status, Class, Reason, Change string }

func (q *request) assessmentView(o *stix.Object) *assessmentView {
	if o.Type() != "x-causeway-assessment" {
		return nil
	}
	a := &assessmentView{
		Judgement: o.StringAt("judgement"), Kind: q.word("assessment", o.StringAt("kind")),
		Likelihood: q.word("likelihood", o.StringAt("likelihood")), Confidence: q.word("confidence", o.StringAt("analytic_confidence")),
		Assumptions: strs(o, "key_assumptions"), Gaps: strs(o, "gaps"),
	}
	for _, l := range desk.Likelihoods {
		a.Band = append(a.Band, band{q.word("likelihood", l), l == o.StringAt("likelihood")})
	}
	if t, err := stix.ParseTimestamp(o.StringAt("expires")); err == nil {
		a.Expires = t.Time()
	}
	for _, id := range strs(o, "subject_refs") {
		a.Subjects = append(a.Subjects, ref{id, address("object", id), q.nameOf(id)})
	}
	if id := o.StringAt("dissents_from_ref"); id != "" {
		a.DissentsFrom = &ref{id, address("object", id), q.nameOf(id)}
	}
	list, _ := o.Get("alternatives")
	entries, _ := list.([]any)
	for i := range entries {
		n := fmt.Sprint(i)
		status := o.StringAt("alternatives", n, "status")
		a.Alternatives = append(a.Alternatives, alternativeView{
			Name: q.word("alternative", o.StringAt("alternatives", n, "label")), Status: q.word("alternative.status", status),
			Class: map[string]string{"ruled-out": "good", "supported": "bad", "plausible": "care"}[status], Reason: o.StringAt("alternatives", n, "reason"),
			Change: o.StringAt("alternatives", n, "would_change_if"),
		})
	}
	return a
}

func strs(o *stix.Object, name string) (out []string) {
	v, _ := o.Get(name)
	list, _ := v.([]any)
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
