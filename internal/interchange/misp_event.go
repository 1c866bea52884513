package interchange

import (
	"fmt"
	"strings"

	"causeway/stix"
)

// attribute turns one attribute into an indicator when it is for detection,
// else into observed data. within names the object it stands in.
func (r *mispReader) attribute(a mispObject, markings []string, within string) error {
	kind, value, uuid := a.text("type"), a.text("value"), strings.ToLower(a.text("uuid"))
	place := fmt.Sprintf("%s, %sattribute %s (%s)", r.name, within, uuid, kind)
	if !uuidForm(uuid) {
		r.t.report.refuse(place, "", value, "it has no UUID to make an id from")
		return nil
	}
	own, labels, refused := r.handling(a)
	if refused != "" {
		r.t.report.refuse(place, "", value, refused)
		return nil
	}
	markings = union(markings, own)
	if category := a.text("category"); category != "" {
		labels = append(labels, category)
	}
	if n := len(a.list("ShadowAttribute")); n > 0 {
		r.t.report.refuse(place, "", fmt.Sprintf("%d proposals to change it", n), "a proposal is nobody's word yet")
	}
	switch {
	case kind == "vulnerability":
		return r.vulnerability(place, uuid, value, a, markings, labels)
	case a.yes("to_ids"):
		return r.indicator(place, uuid, kind, value, a, markings, labels)
	}
	return r.observed(place, uuid, kind, value, a, markings, labels)
}

// handling reads what an attribute says about who may have it: markings, and
// labels of its other tags, or why it must be refused. Without a distribution
// it has that of what it stands in.
func (r *mispReader) handling(a mispObject) (markings, labels []string, refused string) {
	if a.yes("deleted") {
		return nil, nil, "it is deleted at its source"
	}
	markings, labels, refused = markingsOf(a.list("Tag"))
	if refused != "" || a.text("distribution") == "" {
		return markings, labels, refused
	}
	audience, refused := r.opt.audienceOf(a)
	return union(audience, markings), labels, refused
}

func (r *mispReader) vulnerability(place, uuid, value string, a mispObject, markings, labels []string) error {
	b := r.begin("vulnerability", "vulnerability--"+uuid, a.seconds("timestamp"), markings, labels).Set("name", value)
	if strings.HasPrefix(value, "CVE-") {
		b.Set("external_references", []map[string]string{{"source_name": "cve", "external_id": value}})
	}
	o, err := r.take(place, b)
	if o != nil {
		r.ids[uuid] = o.ID()
	}
	return err
}

func (r *mispReader) indicator(place, uuid, kind, value string, a mispObject, markings, labels []string) error {
	text, err := patternOf(kind, value)
	if err != nil {
		r.t.report.refuse(place, "", value, err.Error())
		return nil
	}
	return r.detection(place, uuid, value, text, a, markings, labels)
}

// detection makes an indicator of a pattern, and sightings of it.
func (r *mispReader) detection(place, uuid, name, text string, a mispObject, markings, labels []string) error {
	changed := a.seconds("timestamp")
	from := a.moment("first_seen")
	if from.IsZero() {
		from = r.created
	}
	b := r.begin("indicator", "indicator--"+uuid, changed, markings, labels).
		Set("name", name).Set("pattern", text).Set("pattern_type", "stix").Set("pattern_version", "2.1").Set("valid_from", from)
	if c := a.text("comment"); c != "" {
		b.Set("description", c)
	}
	if until := a.moment("last_seen"); until.Compare(from) > 0 {
		b.Set("valid_until", until)
	}
	o, err := r.take(place, b)
	if o == nil || err != nil {
		return err
	}
	r.ids[uuid] = o.ID()
	for _, s := range a.list("Sighting") {
		if err := r.sighting(place, o.ID(), s, markings); err != nil {
			return err
		}
	}
	return nil
}

func (r *mispReader) sighting(place, of string, s mispObject, markings []string) error {
	uuid, when := strings.ToLower(s.text("uuid")), s.seconds("date_sighting")
	if s.text("type") != "0" {
		r.t.report.refuse(place, "", "a sighting of type "+s.text("type"), "STIX has sightings, but neither false positives nor expirations")
		return nil
	}
	if !uuidForm(uuid) || when.IsZero() {
		r.t.report.refuse(place, "", "a sighting without UUID or date", "nothing can be made of it")
		return nil
	}
	_, err := r.take(place, r.begin("sighting", "sighting--"+uuid, when, markings, nil).
		Set("first_seen", when).Set("last_seen", when).Set("count", 1).Set("sighting_of_ref", of))
	return err
}

func (r *mispReader) observed(place, uuid, kind, value string, a mispObject, markings, labels []string) error {
	bs, err := observables(kind, value)
	if err != nil {
		r.t.report.refuse(place, "", value, err.Error())
		return nil
	}
	return r.observation(place, uuid, bs, a, markings, labels)
}

// observation hands on observables and the observed-data that holds them. The
// observables carry the markings too: their ids are anyone's.
func (r *mispReader) observation(place, uuid string, bs []*stix.Builder, a mispObject, markings, labels []string) error {
	var refs []string
	for _, b := range bs {
		o, err := r.take(place, b.Set("object_marking_refs", markings))
		if err != nil {
			return err
		}
		if o == nil {
			return nil
		}
		refs = append(refs, o.ID())
	}
	changed := a.seconds("timestamp")
	first := a.moment("first_seen")
	if first.IsZero() {
		first = r.created
	}
	last := a.moment("last_seen")
	if last.Compare(first) < 0 {
		last = first
	}
	o, err := r.take(place, r.begin("observed-data", "observed-data--"+uuid, changed, markings, labels).
		Set("first_observed", first).Set("last_observed", last).Set("number_observed", 1).Set("object_refs", refs))
	if o != nil {
		r.ids[uuid] = o.ID()
	}
	return err
}

// object turns a MISP object into what it is as a whole, or else attribute by
// attribute.
func (r *mispReader) object(m mispObject) error {
	name, uuid := m.text("name"), strings.ToLower(m.text("uuid"))
	place := fmt.Sprintf("%s, object %s (%s)", r.name, uuid, name)
	if m.yes("deleted") {
		r.t.report.refuse(place, "", name, "it is deleted at its source")
		return nil
	}
	audience, refused := r.opt.audienceOf(m)
	if refused != "" && m.text("distribution") != "" {
		r.t.report.refuse(place, "", name, refused)
		return nil
	}
	markings := union(r.markings, audience)
	switch name {
	case "file":
		if done, err := r.file(place, uuid, m, markings); done || err != nil {
			return err
		}
	case "narrative":
		return r.narrative(place, uuid, m, markings)
	case "microblog", "news-media", "news-agency", "blog":
		if uuidForm(uuid) {
			return r.publication(place, uuid, m, markings)
		}
	}
	r.t.report.change(place, "", "an object of "+fmt.Sprint(len(m.list("Attribute")))+" attributes", "taken attribute by attribute")
	for _, a := range m.list("Attribute") {
		if err := r.attribute(a, markings, "object "+name+", "); err != nil {
			return err
		}
	}
	return nil
}

// file makes one indicator or one observation of a file object whose
// attributes are all of one file and have the object's own audience.
func (r *mispReader) file(place, uuid string, m mispObject, markings []string) (done bool, err error) {
	if !uuidForm(uuid) {
		return false, nil
	}
	var ts []term
	var own, labels []string
	detect := false
	for _, a := range m.list("Attribute") {
		more, l, refused := markingsOf(a.list("Tag"))
		if d := a.text("distribution"); refused != "" || a.yes("deleted") || d != "" && d != "5" {
			return false, nil // each must be judged on its own
		}
		kind := a.text("type")
		parts, err := terms(kind, a.text("value"))
		if err != nil || parts[0].typ != "file" {
			r.t.report.refuse(place, "", a.text("object_relation")+" "+a.text("value"), fmt.Sprintf("the type %q has no place in a file", kind))
			continue
		}
		ts = append(ts, parts...)
		own, labels = append(own, more...), append(labels, l...)
		detect = detect || a.yes("to_ids")
	}
	bs, err := filed(ts)
	if err != nil {
		return false, nil
	}
	if _, err := bs[0].Object(); err != nil {
		return false, nil
	}
	markings = union(markings, own)
	if detect {
		text, err := joinTerms(ts)
		if err != nil {
			return false, nil
		}
		return true, r.detection(place, uuid, ts[0].value, text, m, markings, union(labels))
	}
	return true, r.observation(place, uuid, bs, m, markings, union(labels))
}

// galaxyTypes are the galaxies whose clusters bear the UUID of an ATT&CK
// object.
var galaxyTypes = map[string]string{
	"mitre-attack-pattern": "attack-pattern", "mitre-intrusion-set": "intrusion-set", "mitre-malware": "malware",
	"mitre-tool": "tool", "mitre-course-of-action": "course-of-action",
}

// galaxies has the report name the ATT&CK objects that the event's galaxies
// mean.
func (r *mispReader) galaxies(e mispObject) {
	for _, g := range e.list("Galaxy") {
		for _, c := range g.list("GalaxyCluster") {
			value, uuid := c.text("value"), strings.ToLower(c.text("uuid"))
			place := r.name + ", galaxy " + g.text("type")
			switch typ, known := galaxyTypes[c.text("type")]; {
			case strings.HasPrefix(c.text("type"), "disarm"):
				r.t.report.refuse(place, "", value, "a DISARM number without its version says nothing; the version is one of "+frameworkKeys())
			case known && uuidForm(uuid):
				id := typ + "--" + uuid
				if !r.seen[id] {
					r.seen[id] = true
					r.refs = append(r.refs, id)
				}
				r.t.report.change(place, id, value, "taken as a reference to the ATT&CK object")
			default:
				r.t.report.refuse(place, "", value, "the galaxy has no counterpart in STIX; its tag is kept as a label")
			}
		}
	}
}

// references makes relationships of the references between objects, now that
// all ids are known.
func (r *mispReader) references() error {
	for _, o := range r.event.list("Object") {
		for _, ref := range o.list("ObjectReference") {
			uuid, place := strings.ToLower(ref.text("uuid")), r.name+", reference "+ref.text("uuid")
			source, target := r.ids[strings.ToLower(o.text("uuid"))], r.ids[strings.ToLower(ref.text("referenced_uuid"))]
			verb := verbOf(ref.text("relationship_type"))
			if source == "" || target == "" || verb == "" || !uuidForm(uuid) || ref.yes("deleted") {
				r.t.report.refuse(place, "", ref.text("relationship_type"), "one of its ends was not taken as a whole")
				continue
			}
			_, err := r.take(place, r.begin("relationship", "relationship--"+uuid, ref.seconds("timestamp"), r.markings, nil).
				Set("relationship_type", verb).Set("source_ref", source).Set("target_ref", target))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// verbOf writes a relationship type with the characters STIX allows.
func verbOf(s string) string {
	return strings.Trim(strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			return c
		case c == '-' || c == '_' || c == ' ':
			return '-'
		}
		return -1
	}, strings.ToLower(s)), "-")
}
