package web

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"causeway/internal/vault"
	"causeway/stix"
)

// local is the source of what was made on this node.
const local = "local"

// objectOf reads the object of a row.
func objectOf(row vault.Row) (*stix.Object, error) {
	o, err := stix.ParseObject(row.Raw)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", row.ID, err)
	}
	return o, nil
}

// item is one object in a list: one sentence, its marking, where it came from.
type item struct {
	ID, Href string
	Kind     string // the type in words
	Title    string
	Marks    []Marking
	From     string // agency it came from, or ""
	Added    time.Time
	object   *stix.Object
}

// item makes the list entry of a row and counts its marking for the page.
func (q *request) item(row vault.Row) (item, error) {
	o, err := objectOf(row)
	if err != nil {
		return item{}, err
	}
	return item{
		ID: row.ID, Href: address("object", row.ID), Kind: q.kind(o.Type()), Title: q.title(o), Marks: q.mark(row.Effective),
		From: q.source(row.Source), Added: row.Added, object: o,
	}, nil
}

func (q *request) items(rows []vault.Row) ([]item, error) {
	out := make([]item, 0, len(rows))
	for _, row := range rows {
		it, err := q.item(row)
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, nil
}

// kind is an object's type in words.
func (q *request) kind(typ string) string { return q.word("kind", typ) }

// title is what a list shows of an object: its name, or its first words.
func (q *request) title(o *stix.Object) string {
	if name := o.Name(); name != "" {
		return name
	}
	for _, property := range []string{"judgement", "abstract", "explanation", "content", "description"} {
		if text := o.StringAt(property); text != "" {
			return clip(text, 160)
		}
	}
	switch o.Type() {
	case "relationship":
		return q.say("title.relationship", q.nameOf(o.StringAt("source_ref")), q.word("relation", o.StringAt("relationship_type")), q.nameOf(o.StringAt("target_ref")))
	case "sighting":
		return q.say("title.sighting", q.nameOf(o.StringAt("sighting_of_ref")))
	case "observed-data":
		if c, ok := coincidenceOf(o); ok {
			return q.count("title.coincidence", len(c.posts), clip(c.object, 80))
		}
		n, _ := o.Get("number_observed")
		return q.say("title.observed", fmt.Sprint(n))
	case "marking-definition":
		if xml, ok := labelOf(o); ok {
			return q.markLabel(xml).Text
		}
	}
	for _, property := range []string{"user_id", "account_login", "display_name"} {
		if text := o.StringAt(property); text != "" {
			return text
		}
	}
	return q.kind(o.Type()) + " " + short(o.ID())
}

// nameOf gives the title of an object the visitor may see, and the short id of
// one they may not: the reference itself stands in an object they hold.
func (q *request) nameOf(id string) string {
	if id == "" {
		return "–"
	}
	if name, ok := q.names[id]; ok {
		return name
	}
	name := short(id)
	if row, err := q.view().Get(q.ctx(), id); err == nil {
		if o, err := objectOf(row); err == nil {
			if n := o.Name(); n != "" {
				name = n
			} else if o.Type() != "relationship" && o.Type() != "sighting" {
				name = q.title(o)
			}
			q.mark(row.Effective)
		}
	}
	if q.names == nil {
		q.names = map[string]string{}
	}
	q.names[id] = name
	return name
}

// source names the partner a version came from; "" for what was made here.
func (q *request) source(source string) string {
	if source == "" || source == local {
		return ""
	}
	if q.partners == nil {
		q.partners = map[string]string{}
		all, err := q.site.node.Line.Partners(q.ctx())
		if err != nil {
			return source
		}
		for _, p := range all {
			q.partners[p.NodeID] = p.Name
		}
	}
	if name, ok := q.partners[strings.TrimPrefix(source, "partner:")]; ok {
		return name
	}
	return source
}

// labelOf gives the 4774 label that a marking definition carries.
func labelOf(o *stix.Object) ([]byte, bool) {
	text := o.StringAt("extensions", stix.LabelExtension, "stanag4774")
	return []byte(text), text != ""
}

// clip shortens a text to about n characters at a word.
func clip(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	cut := string(runes[:n])
	if i := strings.LastIndexByte(cut, ' '); i > n/2 {
		cut = cut[:i]
	}
	return cut + "…"
}

// collect reads rows of a page until the visitor's view has no more or limit
// rows are there.
func (q *request) collect(m vault.Match, limit int) ([]vault.Row, error) {
	page, err := q.view().Page(q.ctx(), vault.Query{Match: m, Limit: limit})
	return page.Rows, err
}

// analytic are the types that a person reads, as against the observations,
// relations and markings that they rest on.
var analytic = []string{
	"campaign", "incident", "report", "grouping", "note", "opinion", "threat-actor", "intrusion-set", "identity", "infrastructure",
	"attack-pattern", "course-of-action", "indicator", "event", "narrative", "channel", "media-content", "x-causeway-assessment",
	"x-causeway-dependency", "x-causeway-scenario", "x-causeway-plan", "x-causeway-consultation", "x-causeway-position", "observed-data",
}

// reading are the kinds that come first: what somebody wrote or found, without
// the observations and parts that it rests on.
var reading = slices.DeleteFunc(slices.Clone(analytic), func(typ string) bool {
	return typ == "observed-data" || typ == "identity" || typ == "infrastructure" || typ == "channel" || typ == "media-content"
})

func isAnalytic(typ string) bool { return slices.Contains(analytic, typ) }
