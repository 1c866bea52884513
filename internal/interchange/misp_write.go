package interchange

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"causeway/stix"
	"causeway/stix/pattern"
)

// writtenEvent is one MISP event as it is written. Its numbers are text, as
// MISP itself writes them.
type writtenEvent struct {
	UUID          string             `json:"uuid"`
	Info          string             `json:"info"`
	Date          string             `json:"date"`
	Timestamp     string             `json:"timestamp"`
	Published     bool               `json:"published"`
	Distribution  string             `json:"distribution"`
	ThreatLevelID string             `json:"threat_level_id"`
	Analysis      string             `json:"analysis"`
	Tag           []writtenTag       `json:"Tag,omitempty"`
	Attribute     []writtenAttribute `json:"Attribute"`
}

type writtenTag struct {
	Name string `json:"name"`
}

type writtenAttribute struct {
	UUID         string       `json:"uuid"`
	Type         string       `json:"type"`
	Category     string       `json:"category"`
	Value        string       `json:"value"`
	Comment      string       `json:"comment,omitempty"`
	ToIDs        bool         `json:"to_ids"`
	Distribution string       `json:"distribution"`
	Timestamp    string       `json:"timestamp"`
	FirstSeen    string       `json:"first_seen,omitempty"`
	Tag          []writtenTag `json:"Tag,omitempty"`
}

// categories are those MISP wants for a type when the object does not say.
var categories = map[string]string{
	"md5": "Payload delivery", "sha1": "Payload delivery", "sha256": "Payload delivery", "sha512": "Payload delivery", "sha3-256": "Payload delivery",
	"sha3-512": "Payload delivery", "ssdeep": "Payload delivery", "tlsh": "Payload delivery", "filename": "Payload delivery", "email": "Payload delivery",
	"email-src": "Payload delivery", "email-dst": "Payload delivery", "email-subject": "Payload delivery", "regkey": "Persistence mechanism",
	"mutex": "Artifacts dropped", "vulnerability": "External analysis", "username": "Other",
}

// writeMISP writes one event: the first report gives its name and time, the
// indicators that are lists of values and the observables become attributes.
// Its distribution is "your organisation only": who may have it further is for
// the person who imports it. An object whose markings say more than TLP is
// left out, since MISP could not say it.
func writeMISP(w io.Writer, objects []*stix.Object, opt Options, report *Report) error {
	e := writtenEvent{Info: "Objects from a Causeway node", Distribution: "0", ThreatLevelID: "4", Analysis: "2", Attribute: []writtenAttribute{}}
	at, word := opt.Now, ""
	for _, o := range objects {
		if o.Type() == "report" {
			if narrowest, ok := onlyTLP(o); ok {
				e.UUID, e.Info, at, word = o.ID()[len("report--"):], o.Name(), o.Modified(), narrowest
				report.Taken++
				report.ByType["report"]++
			} else {
				report.refuse("report", o.ID(), o.Name(), noMISPMarking)
			}
			break
		}
	}
	if e.UUID == "" {
		e.UUID = stix.NewID("report")[len("report--"):]
	}
	if word != "" {
		e.Tag = []writtenTag{{"tlp:" + word}}
	}
	e.Date, e.Timestamp = at.Time().Format("2006-01-02"), strconv.FormatInt(at.Time().Unix(), 10)
	for _, o := range objects {
		attributes, reason := attributesOf(o, at)
		switch {
		case o.Type() == "report" && o.ID() == "report--"+e.UUID, o.Type() == "marking-definition" && tlpWord(o.ID()) != "":
		case reason != "":
			report.refuse(o.Type(), o.ID(), o.Name(), reason)
		default:
			report.Taken++
			report.ByType[o.Type()]++
			e.Attribute = append(e.Attribute, attributes...)
		}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(map[string]any{"Event": e})
}

const noMISPMarking = "its markings say more than the Traffic Light Protocol, which MISP could not keep"

// attributesOf are the attributes of one object, or why there are none.
func attributesOf(o *stix.Object, at stix.Timestamp) ([]writtenAttribute, string) {
	word, ok := onlyTLP(o)
	if !ok {
		return nil, noMISPMarking
	}
	base := writtenAttribute{Distribution: "5", Comment: o.StringAt("description")}
	if word != "" {
		base.Tag = []writtenTag{{"tlp:" + word}}
	}
	if m := o.Version(); !m.IsZero() {
		at = m
	}
	base.Timestamp = strconv.FormatInt(at.Time().Unix(), 10)
	switch o.Type() {
	case "indicator":
		return indicatorAttributes(o, base)
	case "vulnerability":
		base.Type, base.Value = "vulnerability", o.Name()
		return []writtenAttribute{base.named(o.ID(), 0)}, ""
	}
	kind, value := observableValue(o)
	if kind == "" {
		return nil, fmt.Sprintf("an object of type %s has no form in a MISP attribute", o.Type())
	}
	base.Type, base.Value = kind, value
	return []writtenAttribute{base.named(o.ID(), 0)}, ""
}

// named gives the attribute its category and UUID. The first attribute of an
// object bears the object's UUID, further ones a name-based one, so that
// writing twice gives the same.
func (a writtenAttribute) named(id string, n int) writtenAttribute {
	_, uuid, _ := strings.Cut(id, "--")
	if n > 0 {
		uuid = stix.NamedUUID(stix.Namespace, "misp|"+id+"|"+a.Type+"|"+a.Value).String()
	}
	a.UUID = uuid
	if a.Category = categories[a.Type]; a.Category == "" {
		a.Category = "Network activity"
	}
	return a
}

func indicatorAttributes(o *stix.Object, base writtenAttribute) ([]writtenAttribute, string) {
	if o.StringAt("pattern_type") != "stix" {
		return nil, "its pattern is in another language than STIX"
	}
	p, err := pattern.Parse(o.StringAt("pattern"))
	if err != nil {
		return nil, err.Error()
	}
	tests, ok := p.Alternatives()
	if !ok {
		return nil, "its pattern says more than a list of values"
	}
	base.ToIDs, base.FirstSeen = true, o.StringAt("valid_from")
	var out []writtenAttribute
	for _, t := range tests {
		for _, v := range t.Values {
			one := t
			one.Values = []any{v}
			kind, value, ok := kindOf(one)
			if !ok {
				return nil, "its pattern tests something that is no MISP attribute"
			}
			a := base
			a.Type, a.Value = kind, value
			out = append(out, a.named(o.ID(), len(out)))
		}
	}
	if len(out) == 0 {
		return nil, "its pattern names no value"
	}
	return out, ""
}

// observableValue is the MISP type and value of an observable; "" when it has
// none.
func observableValue(o *stix.Object) (kind, value string) {
	switch o.Type() {
	case "ipv4-addr", "ipv6-addr", "domain-name", "url", "email-addr", "mac-addr":
		return written[o.Type()+":value"], o.StringAt("value")
	case "mutex":
		return "mutex", o.Name()
	case "windows-registry-key":
		if key := o.StringAt("key"); key != "" {
			return "regkey", key
		}
	case "user-account":
		if login := o.StringAt("account_login"); login != "" {
			return "username", login
		}
	case "autonomous-system":
		if n, ok := o.Get("number"); ok {
			return "AS", fmt.Sprint(n)
		}
	case "file":
		for _, algorithm := range []string{"SHA-256", "SHA-512", "SHA-1", "MD5"} {
			if h := o.StringAt("hashes", algorithm); h != "" {
				return written["file:hashes."+algorithm], h
			}
		}
		if o.Name() != "" {
			return "filename", o.Name()
		}
	}
	return "", ""
}
