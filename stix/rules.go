package stix

import (
	"strconv"
	"strings"

	"causeway/stix/pattern"
)

// ownID checks the id of the object itself (STIX 2.9).
func (c *checker) ownID(v value) {
	if !c.is(v, kindString) {
		return
	}
	typ := c.root.get("type").str()
	version := c.identifier(v.str(), typ)
	if !c.sco {
		if version != 4 && version != 0 && typ != "extension-definition" {
			c.warn("uuid-version", "a UUIDv4 is advised (STIX 2.9)")
		}
		return
	}
	if version == 5 && !hasContributing(c.root, typ) {
		c.fail("uuid-version", "a UUIDv4 is required: nothing is there to make the id from (STIX 2.9)")
	}
}

// hasContributing says whether a name-based id can have been made: one of the
// contributing properties is there, or the type is not STIX's own.
func hasContributing(v value, typ string) bool {
	names, known := contributing[typ]
	for _, name := range names {
		if v.get(name).ok() {
			return true
		}
	}
	return !known
}

// creator checks created_by_ref: an identity (STIX 3.2). A type that STIX does
// not define is let pass with a warning, as producers of old have used some.
func (c *checker) creator(v value) {
	if !c.is(v, kindString) {
		return
	}
	c.identifier(v.str(), "")
	typ, _, _ := strings.Cut(v.str(), "--")
	switch {
	case typ == "identity":
	case spec.types[typ] != nil || typ == "bundle":
		c.failf("reference", "points at an object of type %s, not at an identity", typ)
	default:
		c.warn("reference", "should point at an identity")
	}
}

func (c *checker) specVersion(v value) {
	if c.is(v, kindString) && v.str() != "2.1" {
		c.failf("spec-version", "%q is not 2.1", v.str())
	}
}

// versioning checks created against modified (STIX 3.6.1), and that an SCO
// with a version has no id that another producer could make too (3.6).
func (c *checker) versioning(f *found) {
	created, ok := f.sh.props["created"]
	modified, ok2 := f.sh.props["modified"]
	if !ok || !ok2 {
		return
	}
	c.order(f, created, modified, false)
	if f.sh.class != classSCO || !f.has(created) && !f.has(modified) {
		return
	}
	typ := f.get("type").str()
	properties, _ := f.v.decode().(map[string]any)
	if id, err := SCOID(typ, properties); err == nil && id == f.get("id").str() {
		c.push("id")
		c.fail("namespace", "an observable with versions must not have the id others make from the same properties (STIX 3.6)")
		c.pop()
	}
}

// order checks that the time at a is not after the time at b; strictly, that
// it is before. Times that do not parse were reported where they stand.
func (c *checker) order(f *found, a, b int, strict bool) {
	if !f.has(a) || !f.has(b) {
		return
	}
	ta, err := ParseTimestamp(f.value(a).str())
	tb, err2 := ParseTimestamp(f.value(b).str())
	if err != nil || err2 != nil {
		return
	}
	switch cmp := ta.Compare(tb); {
	case cmp > 0:
		c.failf("order", "%s (%s) is before %s (%s)", f.sh.list[b].name, tb, f.sh.list[a].name, ta)
	case cmp == 0 && strict:
		c.failf("order", "%s must be later than %s", f.sh.list[b].name, f.sh.list[a].name)
	}
}

// any checks that an object of optional properties has one of them.
func (c *checker) any(f *found) {
	for i := range f.sh.list {
		if f.sh.own>>i&1 != 0 && f.has(i) {
			return
		}
	}
	if f.get("extensions").ok() {
		return
	}
	c.fail("required", "at least one property of the type is required")
}

// container checks the deprecated dictionary of observables in observed-data
// (STIX 2.13). Its objects may be those of STIX 2.0; references are keys.
func (c *checker) container(v value) {
	if !c.is(v, kindObject) {
		return
	}
	c.warn("deprecated", "objects is deprecated: use object_refs")
	local, sco := c.local, c.sco
	c.local, c.sco = v, true
	defer func() { c.local, c.sco = local, sco }()
	v.members(func(key string, e value) bool {
		c.push(key)
		defer c.pop()
		if !c.is(e, kindObject) {
			return true
		}
		typ := e.get("type")
		if !typ.ok() {
			c.push("type")
			c.fail("required", "is required")
			c.pop()
			return true
		}
		switch sh := spec.types[typ.str()]; {
		case !typ.is(kindString):
			c.push("type")
			c.is(typ, kindString)
			c.pop()
		case sh == nil:
			c.typeName(typ)
		case sh.class == classSCO:
			c.observable(e, sh)
		default:
			c.failf("reference", "an object of type %s stands among the observables", typ.str())
		}
		return true
	})
}

// observable judges an object of a container: what it has must be right, and
// it needs neither id nor the common properties.
func (c *checker) observable(v value, sh *shape) {
	root := c.root
	c.root = v
	v.members(func(name string, e value) bool {
		i, known := sh.props[name]
		if known && (sh.own>>i&1 != 0 || name == "extensions") {
			c.push(name)
			c.property(&sh.list[i], e)
			c.pop()
		}
		return true
	})
	for i := range sh.list {
		if p := &sh.list[i]; sh.own&sh.required>>i&1 != 0 && !v.get(p.name).ok() {
			c.push(p.name)
			c.fail("required", "is required")
			c.pop()
		}
	}
	c.root = root
}

// contents checks the translations of language-content (STIX 7.1).
func (c *checker) contents(v value) {
	if !c.is(v, kindObject) {
		return
	}
	v.members(func(lang string, e value) bool {
		c.push(lang)
		defer c.pop()
		if !isLanguage(lang) {
			c.failf("language", "%q is not a language code of RFC 5646", lang)
		}
		if !c.is(e, kindObject) {
			return true
		}
		e.members(func(name string, t value) bool {
			if !isPropertyName(name) {
				c.push(name)
				c.fail("name", "is not the name of a property")
				c.pop()
			}
			return true
		})
		return true
	})
}

// codeRules are the rules of the specification texts that are programs.
var codeRules = map[string]rule{
	"pattern":             (*checker).pattern,
	"country":             (*checker).country,
	"malwareFamily":       (*checker).malwareFamily,
	"observed":            (*checker).observed,
	"relationship":        (*checker).relationship,
	"extensionDefinition": (*checker).extensionDefinition,
	"marking":             (*checker).marking,
	"catalogue":           (*checker).catalogue,
	"selectors":           (*checker).selectors,
	"emailBody":           (*checker).emailBody,
	"activeTraffic":       (*checker).activeTraffic,
	"requestHeader":       func(c *checker, f *found) { c.headers(f, "request_header") },
	"pebinary":            (*checker).pebinary,
	"socketOptions":       (*checker).socketOptions,
	"impactCategory":      (*checker).impactCategory,
	"alternatives":        (*checker).alternatives,
	"ruledOut":            (*checker).ruledOut,
}

// at reports a problem at a property of the object in hand.
func (c *checker) at(name, code, format string, args ...any) {
	c.push(name)
	c.failf(code, format, args...)
	c.pop()
}

// pattern checks the text of a STIX pattern; other languages are opaque.
func (c *checker) pattern(f *found) {
	p := f.get("pattern")
	if f.get("pattern_type").str() != "stix" || !p.is(kindString) {
		return
	}
	parsed, err := pattern.Parse(p.str())
	if err != nil {
		c.at("pattern", "pattern", "%v", err)
	} else if c.warnings {
		parsed.Tests(c.patternHash)
	}
}

// patternHash warns of a digest that no file can have.
func (c *checker) patternHash(t pattern.Test) {
	if len(t.Path) < 2 || t.Op != "=" && t.Op != "IN" {
		return
	}
	n := digestLength[t.Path[len(t.Path)-1].Name]
	for _, v := range t.Values {
		if s, ok := v.(string); ok && n > 0 && t.Path[len(t.Path)-2].Name == "hashes" && (len(s) != n || !allHex(s)) {
			c.push("pattern")
			c.warn("hash", strconv.Quote(s)+" is no "+t.Path[len(t.Path)-1].Name+" digest, so it matches nothing")
			c.pop()
		}
	}
}

func (c *checker) country(f *found) {
	if v := f.get("country"); c.warnings && v.is(kindString) && !countries.has(strings.ToUpper(v.str())) {
		c.push("country")
		c.warn("country", "should be a country code of ISO 3166-1 alpha-2")
		c.pop()
	}
}

func (c *checker) malwareFamily(f *found) {
	if v := f.get("is_family"); v.is(kindBool) && v.raw() == "true" && !f.get("name").ok() {
		c.at("name", "required", "is required of a family")
	}
}

// observed checks that object_refs names an observable (STIX 4.14).
func (c *checker) observed(f *found) {
	refs := f.get("object_refs")
	if !refs.is(kindList) {
		return
	}
	has := false
	refs.elements(func(_ int, e value) bool {
		typ, _, _ := strings.Cut(e.str(), "--")
		sh := spec.types[typ]
		has = sh == nil || sh.class == classSCO
		return !has
	})
	if !has {
		c.at("object_refs", "reference", "names no cyber-observable object")
	}
}

func (c *checker) relationship(f *found) {
	v := f.get("relationship_type")
	if !v.is(kindString) {
		return
	}
	s := v.str()
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || s == "" {
		c.at("relationship_type", "name", "%q is not made of a-z, 0-9 and \"-\"", s)
		return
	}
	source, _, _ := strings.Cut(f.get("source_ref").str(), "--")
	target, _, _ := strings.Cut(f.get("target_ref").str(), "--")
	if c.warnings && !listed(source, s, target) {
		c.push("relationship_type")
		c.warn("vocabulary", "the standard lists no "+source+" "+s+" "+target)
		c.pop()
	}
}

// listed says whether the standard names the relationship. Of types it does
// not define it says nothing.
func listed(source, verb, target string) bool {
	if spec.types[source] == nil || spec.types[target] == nil {
		return true
	}
	switch verb {
	case "related-to":
		return true
	case "derived-from", "duplicate-of":
		return source == target
	}
	t := spec.verbs[source+" "+verb]
	return t != nil && t.allow(target)
}

// ownProperty: a custom object has a property of its own (STIX 11.2.1).
func (c *checker) ownProperty(f *found) {
	common := 0
	for i := range f.sh.list {
		if f.has(i) {
			common++
		}
	}
	if f.v.len() == common && !f.get("extensions").ok() {
		c.fail("required", "an object of one's own type has at least one property beside the common ones")
	}
}

// catalogue checks references to CVE and CAPEC (STIX 4.1, 4.19).
func (c *checker) catalogue(f *found) {
	source, id := f.get("source_name").str(), f.get("external_id").str()
	for _, k := range [...]struct {
		name string
		is   func(string) bool
		form string
	}{{"cve", isCVE, "CVE-YYYY-NNNN"}, {"capec", isCAPEC, "CAPEC-N"}} {
		switch {
		case source == k.name:
			if !k.is(id) {
				c.at("external_id", "catalogue", "%q is not of the form %s", id, k.form)
			}
		case strings.EqualFold(source, k.name) || k.is(id):
			c.at("source_name", "catalogue", "must be %q for %s", k.name, k.form)
		}
	}
}

// emailBody: body and body_multipart exclude each other by is_multipart, and
// the additional headers are lists under their own names (STIX 6.6).
func (c *checker) emailBody(f *found) {
	if v := f.get("is_multipart"); v.is(kindBool) {
		if v.raw() == "true" && f.get("body").ok() {
			c.at("body", "exclusive", "may not stand when is_multipart is true")
		}
		if v.raw() == "false" && f.get("body_multipart").ok() {
			c.at("body_multipart", "exclusive", "may not stand when is_multipart is false")
		}
	}
	c.headers(f, "additional_header_fields")
}

// headers checks a dictionary of header fields: each a list of strings.
func (c *checker) headers(f *found, name string) {
	c.push(name)
	defer c.pop()
	f.get(name).members(func(field string, e value) bool {
		c.push(field)
		if c.is(e, kindList) {
			e.elements(func(_ int, line value) bool { return c.is(line, kindString) })
		}
		c.pop()
		return true
	})
}

func (c *checker) activeTraffic(f *found) {
	if v := f.get("is_active"); v.is(kindBool) && v.raw() == "true" && f.get("end").ok() {
		c.at("end", "exclusive", "may not stand while is_active is true")
	}
}

// pebinary: pe_type alone says nothing (STIX 6.7.6).
func (c *checker) pebinary(f *found) {
	if f.has(f.sh.props["pe_type"]) && f.v.len() < 2 {
		c.fail("required", "at least one property beside pe_type is required")
	}
	if v := f.get("time_date_stamp"); c.warnings && strings.Contains(v.str(), ".") {
		c.push("time_date_stamp")
		c.warn("timestamp", "should be precise to the second")
		c.pop()
	}
}

func (c *checker) socketOptions(f *found) {
	if !c.warnings {
		return
	}
	f.get("options").members(func(name string, _ value) bool {
		prefix, _, _ := strings.Cut(name, "_")
		switch prefix {
		case "SO", "ICMP", "ICMP6", "IP", "IPV6", "MCAST", "TCP", "IRLMP":
		default:
			c.push("options")
			c.warn("key", "the option "+strconv.Quote(name)+" should begin with SO_, ICMP_, ICMP6_, IP_, IPV6_, MCAST_, TCP_ or IRLMP_")
			c.pop()
		}
		return true
	})
}

// impactCategory: an impact carries an extension under the name of its
// category beside the one that makes it an impact (incident suite, impact).
func (c *checker) impactCategory(f *found) {
	category, extensions := f.get("impact_category").str(), f.get("extensions")
	if category != "" && !extensions.get(category).ok() {
		c.at("extensions", "required", "has no entry %q, the impact_category", category)
	}
}

// alternatives: an assessment of coordination weighs at least the four other
// explanations that coordinated sharing can have.
func (c *checker) alternatives(f *found) {
	if v := f.get("alternatives"); f.get("kind").str() == "coordination" && v.is(kindList) && v.len() < 4 {
		c.at("alternatives", "required", "an assessment of coordination names four: one account posting often, a common source, organic interest, counter-speech")
	}
}

func (c *checker) ruledOut(f *found) {
	if f.get("status").str() == "ruled-out" && !f.get("evidence_refs").ok() {
		c.at("evidence_refs", "required", "is required of an alternative that is ruled out")
	}
}
