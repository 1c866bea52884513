package interchange

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"causeway/stix"
)

// mispObject is one JSON object of MISP. Its numbers come as text or as
// numbers, by version.
type mispObject map[string]any

func (m mispObject) text(name string) string {
	switch v := m[name].(type) {
	case string:
		return strings.TrimSpace(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

func (m mispObject) yes(name string) bool { s := m.text(name); return s == "true" || s == "1" }

func (m mispObject) object(name string) mispObject { o, _ := m[name].(map[string]any); return o }

func (m mispObject) list(name string) (out []mispObject) {
	items, _ := m[name].([]any)
	for _, it := range items {
		if o, ok := it.(map[string]any); ok {
			out = append(out, o)
		}
	}
	return out
}

// seconds reads a time in seconds since 1970, zero when there is none.
func (m mispObject) seconds(name string) stix.Timestamp {
	n, err := strconv.ParseInt(m.text(name), 10, 64)
	if err != nil || n <= 0 || n > 253402300799 {
		return stix.Timestamp{}
	}
	return stix.TimestampOf(time.Unix(n, 0))
}

// moment reads an ISO time with any offset, as first_seen has it.
func (m mispObject) moment(name string) stix.Timestamp {
	s := m.text(name)
	if s == "" {
		return stix.Timestamp{}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return m.seconds(name)
	}
	return stix.TimestampOf(t)
}

// readMISP reads {"Event": …}, {"response": [{"Event": …}]}, or a list or
// sequence of such. The strict parser reads them too: two readers of one body
// that differ are a way round a label.
func readMISP(r io.Reader, opt Options, t taker) error {
	text, err := readAll(r, opt.limit())
	if err != nil {
		return err
	}
	events := 0
	for it, err := range stix.Scan(bytes.NewReader(text), stix.Limits{}) {
		if err != nil {
			return err
		}
		place := fmt.Sprintf("line %d", it.Line)
		if it.Err != nil {
			t.report.refuse(place, "", "unreadable", it.Err.Error())
			continue
		}
		whole, _ := it.Object.Get()
		m, _ := whole.(map[string]any)
		found := mispEvents(m)
		if len(found) == 0 {
			t.report.refuse(place, "", "no MISP event", `an event stands under "Event"`)
		}
		for _, e := range found {
			events++
			if err := readEvent(e, opt, t); err != nil {
				return err
			}
		}
	}
	if events == 0 {
		return fmt.Errorf(`there is no event in the file: one stands under "Event", several under "response"`)
	}
	return nil
}

func mispEvents(m mispObject) (out []mispObject) {
	if e := m.object("Event"); e != nil {
		out = append(out, e)
	}
	for _, r := range m.list("response") {
		if e := r.object("Event"); e != nil {
			out = append(out, e)
		} else if r.text("uuid") != "" {
			out = append(out, r)
		}
	}
	if e, ok := m["response"].(map[string]any); ok && e["Event"] != nil {
		out = append(out, mispObject(e).object("Event"))
	}
	return out
}

// refusedTags are taxonomies that limit who may have something or what may be
// done with it. What they mean here nobody has said, so what carries one is
// refused rather than widened.
var refusedTags = []string{"pap:", "iep:", "classification:", "dni-ism:", "de-vs:", "nato:", "fr-classif:", "gc-classification:",
	"data-classification:", "dissemination:", "eu-marketop-and-publicadmin:", "passivetotal:sharing", "rt_event_status:", "nis2:", "csp-sharing:"}

// markingsOf reads what the tags of an event or attribute say about handling.
func markingsOf(tags []mispObject) (markings, labels []string, refused string) {
	for _, t := range tags {
		name := t.text("name")
		lower := strings.ToLower(name)
		if word, ok := strings.CutPrefix(lower, "tlp:"); ok {
			id := tlp[word]
			if id == "" {
				return nil, nil, fmt.Sprintf("the tag %q: no word of the Traffic Light Protocol", name)
			}
			markings = append(markings, id)
			continue
		}
		for _, p := range refusedTags {
			if strings.HasPrefix(lower, p) {
				return nil, nil, fmt.Sprintf("the tag %q limits handling, and nobody has said what it means here", name)
			}
		}
		if name != "" {
			labels = append(labels, name)
		}
	}
	return markings, labels, ""
}

var distributions = map[string]string{"0": "your organisation only", "1": "this community only", "2": "connected communities", "4": "a sharing group"}

// audienceOf reads the distribution of an event, object or attribute: what
// markings it means here, or why it must be refused.
func (o Options) audienceOf(m mispObject) (markings []string, refused string) {
	level := m.text("distribution")
	switch level {
	case "3", "5": // all communities; as the event
		return nil, ""
	case "4":
		group := m.object("SharingGroup")
		uuid := strings.ToLower(group.text("uuid"))
		if ids, ok := o.SharingGroups[uuid]; ok && uuid != "" {
			return ids, ""
		}
		name := group.text("name")
		if name == "" {
			name = "number " + m.text("sharing_group_id")
		}
		return nil, fmt.Sprintf("the sharing group %s (%s): nobody has said what it means here", name, uuid)
	}
	n, err := strconv.Atoi(level)
	if err != nil {
		return nil, "it has no distribution"
	}
	if ids, ok := o.Distribution[n]; ok {
		return ids, ""
	}
	return nil, fmt.Sprintf("distribution %d, %s: nobody has said what it means here", n, distributions[level])
}

// mispReader turns one event into objects.
type mispReader struct {
	opt      Options
	t        taker
	event    mispObject
	name     string // for places
	created  stix.Timestamp
	markings []string          // of the event
	refs     []string          // objects taken, for the report
	ids      map[string]string // MISP uuid -> STIX id
	seen     map[string]bool   // ids in refs
}

func readEvent(e mispObject, opt Options, t taker) error {
	uuid := strings.ToLower(e.text("uuid"))
	r := &mispReader{opt: opt, t: t, event: e, name: "event " + uuid, ids: map[string]string{}, seen: map[string]bool{}}
	if !uuidForm(uuid) {
		t.report.refuse(r.name, "", "an event without a UUID", "its id here is made from it")
		return nil
	}
	audience, refused := opt.audienceOf(e)
	if refused == "" {
		r.markings, _, refused = markingsOf(e.list("Tag"))
	}
	if refused != "" {
		t.report.refuse(r.name, "", e.text("info"), refused)
		return nil
	}
	r.markings = union(opt.Markings, audience, r.markings)
	if r.created = dayOf(e.text("date")); r.created.IsZero() {
		r.created = e.seconds("timestamp")
	}
	if r.created.IsZero() {
		t.report.refuse(r.name, "", e.text("info"), "it has neither date nor timestamp")
		return nil
	}
	for _, a := range e.list("Attribute") {
		if err := r.attribute(a, r.markings, ""); err != nil {
			return err
		}
	}
	for _, o := range e.list("Object") {
		if err := r.object(o); err != nil {
			return err
		}
	}
	r.galaxies(e)
	if err := r.references(); err != nil {
		return err
	}
	return r.report()
}

func uuidForm(s string) bool {
	return len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' && s[14] >= '1' && s[14] <= '5' && strings.IndexByte("89ab", s[19]) >= 0
}

// dayOf reads YYYY-MM-DD.
func dayOf(s string) stix.Timestamp {
	t, err := stix.ParseTimestamp(s + "T00:00:00.000Z")
	if err != nil {
		return stix.Timestamp{}
	}
	return t
}

func union(lists ...[]string) (out []string) {
	seen := map[string]bool{}
	for _, l := range lists {
		for _, s := range l {
			if !seen[s] {
				seen[s] = true
				out = append(out, s)
			}
		}
	}
	return out
}

// begin starts an object made of something in the event. Its first version is
// as old as the event, its version as the thing's own timestamp, so that an
// edited attribute is a new version of one object.
func (r *mispReader) begin(typ, id string, changed stix.Timestamp, markings, labels []string) *stix.Builder {
	if changed.Compare(r.created) < 0 {
		changed = r.created
	}
	b := stix.New(typ, id, r.created).Set("modified", changed).Ref("created_by_ref", r.opt.Creator).
		Set("object_marking_refs", markings)
	return b.Set("labels", labels)
}

// take hands an object on and has the report of the event name it.
func (r *mispReader) take(place string, b *stix.Builder) (*stix.Object, error) {
	o, err := r.t.built(place, b)
	if o != nil && !r.seen[o.ID()] {
		r.seen[o.ID()] = true
		r.refs = append(r.refs, o.ID())
	}
	return o, err
}

// report makes the report that stands for the event.
func (r *mispReader) report() error {
	if len(r.refs) == 0 {
		r.t.report.refuse(r.name, "", r.event.text("info"), "nothing in it could be taken, and a report must name something")
		return nil
	}
	_, labels, _ := markingsOf(r.event.list("Tag"))
	published := r.event.seconds("publish_timestamp")
	changed := r.event.seconds("timestamp")
	if published.IsZero() {
		published = changed
	}
	if published.IsZero() {
		published = r.created
	}
	origin := map[string]string{"source_name": "misp", "external_id": strings.ToLower(r.event.text("uuid"))}
	if org := r.event.object("Orgc").text("name"); org != "" {
		origin["description"] = "MISP event of " + org
	}
	_, err := r.t.built(r.name, r.begin("report", "report--"+origin["external_id"], changed, r.markings, labels).
		Set("name", r.event.text("info")).Set("published", published).
		Set("external_references", []map[string]string{origin}).
		Set("object_refs", r.refs))
	return err
}
