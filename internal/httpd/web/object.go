package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
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

func objectRoutes() []Route {
	id := map[string]string{"id": "identity--00000000-0000-4000-8000-000000000000"}
	routes := []Route{
		get("/object/{id}", (*request).object),
		get("/object/{id}/raw", (*request).raw),
		get("/object/{id}/assess", (*request).assessForm),
		post("/object/{id}/assess", (*request).assess),
		post("/object/{id}/comment", (*request).comment),
	}
	for i := range routes {
		routes[i].Example = id
	}
	return routes
}

// neighboursShown bounds what a picture and the lists beside it hold.
const neighboursShown = 60

type objectData struct {
	item
	Object      *stix.Object
	Sentence    string
	Created     time.Time
	Modified    time.Time
	Creator     ref
	Versions    []version
	Rule        [][]string
	Labels      []labelText
	Texts       []text
	RestsOn     []linked
	RestedOn    []linked
	Drawings    []drawing
	Holders     []holder
	Released    bool
	Voices      []voice
	Assessment  *assessmentView
	CanAssess   bool
	CanAnswer   bool // in public
	CanRelease  bool
	Opinions    []string
	Mine        bool // made by this node
	Pretty      string
	Cuts        []ref
	Origin      *ref
	PolicyForms []policyForm
	Rerun       *rerunView
}

type ref struct{ ID, Href, Name string }

type version struct {
	Version string
	Added   time.Time
	Marks   []Marking
	Here    bool
}

type labelText struct {
	Marking Marking
	XML     string
	Label   *label.Label
}

// text is one property that a person reads, in the object's own language.
type text struct{ Name, Value, Lang string }

// linked is an object on the other end of a reference, with the property or
// the relationship that ties it.
type linked struct {
	item
	As string
}

// voice is what one agency says of the object, in its own words.
type voice struct {
	item
	Who, Stance, Words string
}

// newest finds the row the address names, as the reader may see it.
func (q *request) newest() (vault.Row, *stix.Object, error) {
	id := q.PathValue("id")
	v := q.URL.Query().Get("version")
	var row vault.Row
	var err error
	if v != "" {
		row, err = q.view().GetVersion(q.ctx(), id, v)
	} else {
		row, err = q.view().Get(q.ctx(), id)
	}
	if err != nil {
		return row, nil, err
	}
	o, err := objectOf(row)
	return row, o, err
}

func (q *request) object() error {
	row, o, err := q.newest()
	if err != nil {
		return err
	}
	it, err := q.item(row)
	if err != nil {
		return err
	}
	data := objectData{item: it, Object: o, Created: o.Created().Time(), Modified: o.Modified().Time(), Texts: texts(o), Opinions: desk.Opinions,
		Mine: row.Source == local, CanAssess: q.who.Has(people.Analyst), CanRelease: q.who.Has(people.ReleaseOfficer),
		CanAnswer: q.who.Has(people.Spokesperson) && slices.Contains(answerable, row.Type)}
	data.Sentence = q.sentence(o, row)
	if creator := o.CreatedByRef(); creator != "" {
		data.Creator = ref{creator, address("object", creator), q.nameOf(creator)}
	}
	data.Rule = row.Effective.Rule.Clauses()
	data.Labels = q.labelTexts(row.Effective)
	if err := q.versions(&data, row); err != nil {
		return err
	}
	if err := q.around(&data, o); err != nil {
		return err
	}
	if data.Drawings, err = q.drawings(&data, o); err != nil {
		return err
	}
	if data.Rerun, err = q.rerun(o); err != nil {
		return err
	}
	if data.Holders, err = q.holders(row.ID); err != nil {
		return err
	}
	if err := q.cutsOf(&data); err != nil {
		return err
	}
	for _, h := range data.Holders {
		data.Released = data.Released || h.Recalled.IsZero()
	}
	data.Assessment = q.assessmentView(o)
	var pretty bytes.Buffer
	if json.Indent(&pretty, []byte(o.Text()), "", "  ") == nil {
		data.Pretty = pretty.String()
	}
	if data.CanAssess {
		data.PolicyForms = q.policyForms(row.Effective)
	}
	return q.render("object", "place.picture", it.Title, data)
}

// cutsOf names the cuts made of the object, and what it was cut from.
func (q *request) cutsOf(data *objectData) error {
	cuts, err := q.site.node.Desk.CutsOf(q.ctx(), q.who.Person, data.ID)
	if err != nil {
		return err
	}
	for _, e := range cuts {
		data.Cuts = append(data.Cuts, ref{e.ID, address("object", e.ID), q.nameOf(e.ID)})
	}
	origin, err := q.site.node.Desk.OriginOf(q.ctx(), q.who.Person, data.ID)
	if errors.Is(err, vault.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	data.Origin = &ref{origin.ID, address("object", origin.ID), q.nameOf(origin.ID)}
	return nil
}

// sentence says what an object is, in one sentence.
func (q *request) sentence(o *stix.Object, row vault.Row) string {
	kind := q.kind(o.Type())
	when := q.site.catalogues[q.lang].day(row.Added, q.zone)
	if from := q.source(row.Source); from != "" {
		return q.say("sentence.from", kind, from, when)
	}
	if creator := o.CreatedByRef(); creator != "" {
		return q.say("sentence.by", kind, q.nameOf(creator), when)
	}
	return q.say("sentence.here", kind, when)
}

func (q *request) labelTexts(e label.Effective) (out []labelText) {
	for _, xml := range e.Labels {
		lt := labelText{Marking: q.markLabel(xml), XML: string(xml)}
		if l, err := stanag4774.ParseLabel(xml); err == nil {
			lt.Label = l
		}
		out = append(out, lt)
	}
	return out
}

func (q *request) versions(data *objectData, here vault.Row) error {
	rows, err := q.view().Versions(q.ctx(), here.ID)
	if err != nil {
		return err
	}
	for _, r := range rows {
		data.Versions = append(data.Versions, version{r.Version, r.Added, q.mark(r.Effective), r.Version == here.Version})
	}
	return nil
}

// around gathers what the object rests on, what rests on it, and what is said
// of it.
func (q *request) around(data *objectData, o *stix.Object) error {
	seen := map[string]bool{o.ID(): true}
	for _, r := range o.Refs() {
		if seen[r.ID] || r.Property == "created_by_ref" || strings.HasPrefix(r.Property, "object_marking_refs") || strings.HasPrefix(r.Property, "granular_markings") {
			continue
		}
		seen[r.ID] = true
		if len(data.RestsOn) == neighboursShown {
			break
		}
		row, err := q.view().Get(q.ctx(), r.ID)
		if err != nil {
			continue // not there for this reader
		}
		it, err := q.item(row)
		if err != nil {
			return err
		}
		data.RestsOn = append(data.RestsOn, linked{it, q.word("property", strings.TrimRight(r.Property, "[]0123456789"))})
	}
	rows, err := q.view().Neighbours(q.ctx(), o.ID(), neighboursShown)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if seen[row.ID] {
			continue
		}
		seen[row.ID] = true
		n, err := objectOf(row)
		if err != nil {
			return err
		}
		if n.Type() == "marking-definition" || n.ID() == o.CreatedByRef() {
			continue
		}
		it, err := q.item(row)
		if err != nil {
			return err
		}
		if v, ok := q.voice(it, n); ok {
			data.Voices = append(data.Voices, v)
		}
		data.RestedOn = append(data.RestedOn, linked{it, q.word("property", tie(n, o.ID()))})
	}
	return nil
}

// tie names how n refers to id.
func tie(n *stix.Object, id string) string {
	for _, r := range n.Refs() {
		if r.ID == id {
			return strings.TrimRight(r.Property, "[]0123456789")
		}
	}
	return "relationship"
}

// voice reads an opinion or an assessment as what its agency says.
func (q *request) voice(it item, o *stix.Object) (voice, bool) {
	v := voice{item: it, Who: q.nameOf(o.CreatedByRef())}
	switch o.Type() {
	case "opinion":
		v.Stance, v.Words = q.word("opinion", o.StringAt("opinion")), o.StringAt("explanation")
	case "x-causeway-assessment":
		v.Stance = q.word("likelihood", o.StringAt("likelihood")) + " · " + q.word("confidence", o.StringAt("analytic_confidence"))
		v.Words = o.StringAt("judgement")
	case "note":
		v.Words = o.StringAt("content")
	default:
		return v, false
	}
	return v, true
}

// texts are the properties that a person reads, in the order in which they
// matter.
func texts(o *stix.Object) (out []text) {
	lang := o.StringAt("lang")
	for _, name := range []string{"judgement", "abstract", "description", "content", "explanation", "objective", "goals"} {
		if s := o.StringAt(name); s != "" {
			out = append(out, text{name, s, lang})
		}
	}
	return out
}

// raw gives the producer's exact bytes.
func (q *request) raw() error {
	row, o, err := q.newest()
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Content-Type", "application/stix+json;version=2.1")
	h.Set("Content-Disposition", `attachment; filename="`+row.ID+`.json"`)
	q.w.WriteHeader(http.StatusOK)
	_, _ = q.w.Write([]byte(o.Text())) // the reader has gone away
	return nil
}
