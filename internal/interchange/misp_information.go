package interchange

import (
	"strings"

	"causeway/stix"
)

// narrativeMarker is the extension that makes a narrative a STIX object, as
// OpenCTI writes it.
const narrativeMarker = "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba"

// narrative makes a narrative of the MISP object of that name.
func (r *mispReader) narrative(place, uuid string, m mispObject, markings []string) error {
	if !uuidForm(uuid) {
		r.t.report.refuse(place, "", "narrative", "it has no UUID to make an id from")
		return nil
	}
	summary, labels := "", []string(nil)
	var refs []map[string]string
	for _, a := range m.list("Attribute") {
		own, tags, refused := r.handling(a)
		if refused != "" {
			r.t.report.refuse(place, "", a.text("object_relation"), refused)
			continue
		}
		markings, labels = union(markings, own), union(labels, tags)
		switch relation, value := a.text("object_relation"), a.text("value"); relation {
		case "narrative-summary":
			summary = value
		case "objective", "5Ds-of-propaganda":
			labels = append(labels, relation+":"+value)
		case "external-references", "link", "url", "archive":
			refs = append(refs, map[string]string{"source_name": relation, "url": value})
		case "narrative-disproof":
			r.t.report.refuse(place, "", relation, "a rebuttal is written and released by a person, never by an import")
		default:
			r.t.report.refuse(place, "", relation+" "+value, "has no place in a narrative")
		}
	}
	if summary == "" {
		r.t.report.refuse(place, "", "narrative", "it has no summary")
		return nil
	}
	title := summary
	if runes := []rune(title); len(runes) > 80 {
		title = string(runes[:79]) + "…"
	}
	o, err := r.take(place, r.begin("narrative", "narrative--"+uuid, m.seconds("timestamp"), markings, labels).
		Set("name", title).Set("description", summary).Set("external_references", refs).
		Set("extensions", map[string]any{narrativeMarker: map[string]string{"extension_type": "new-sdo"}}))
	if o != nil {
		r.ids[uuid] = o.ID()
	}
	return err
}

// mediaMarker is the extension that makes media content a STIX observable, as
// OpenCTI writes it.
const mediaMarker = "extension-definition--f93e2c80-4231-4f9a-af8b-95c9bd566a82"

// publication makes observed data of a post or article: where it stands, and
// the account that published it. Its text stays behind: captured text is
// evidence and needs its own capture with a hash, and the id of media content
// does not change when the text does.
func (r *mispReader) publication(place, uuid string, m mispObject, markings []string) error {
	found := map[string]string{}
	var labels []string
	for _, a := range m.list("Attribute") {
		own, tags, refused := r.handling(a)
		relation, value := a.text("object_relation"), a.text("value")
		if refused != "" {
			r.t.report.refuse(place, "", relation, refused)
			continue
		}
		role := publicationRoles[relation]
		if role == "" || found[role] != "" {
			r.t.report.refuse(place, "", relation+" "+value, "has no place in what is kept of a publication")
			continue
		}
		found[role] = value
		markings, labels = union(markings, own), union(labels, tags)
	}
	var bs []*stix.Builder
	if found["url"] != "" {
		b := stix.New("media-content", "", stix.Timestamp{}).Set("url", found["url"]).
			Set("extensions", map[string]any{mediaMarker: map[string]string{"extension_type": "new-sco"}})
		if found["title"] != "" {
			b.Set("title", found["title"])
		}
		bs = append(bs, b)
	}
	if found["login"] != "" {
		b := stix.New("user-account", "", stix.Timestamp{})
		if found["platform"] != "" {
			b.Set("account_type", strings.ToLower(found["platform"]))
		}
		b.Set("account_login", strings.TrimPrefix(found["login"], "@"))
		if found["display"] != "" {
			b.Set("display_name", found["display"])
		}
		bs = append(bs, b)
	}
	if len(bs) == 0 {
		r.t.report.refuse(place, "", m.text("name"), "it has neither an address nor an account")
		return nil
	}
	if found["when"] != "" {
		m = mispObject{"timestamp": m["timestamp"], "first_seen": found["when"]}
	}
	return r.observation(place, uuid, bs, m, markings, labels)
}

// publicationRoles says what the attributes of MISP's publication objects are
// to what is kept.
var publicationRoles = map[string]string{
	"url": "url", "link": "url", "title": "title", "username": "login", "verified-username": "login", "author": "login",
	"display-name": "display", "type": "platform", "creation-date": "when", "publication-date": "when",
}
