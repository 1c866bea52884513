package stix

import (
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// Object is one STIX object. It never changes, so any number of goroutines may
// read it.
type Object struct {
	tree
	id, typ           string
	created, modified Timestamp
}

// ParseObject reads one STIX object in one strict pass. It copies b. The error
// is an *[Error]. An object without id or type, or with a type nobody knows,
// parses: [Validate] judges it.
func ParseObject(b []byte) (*Object, error) { return parseObject(string(b)) }

func parseObject(text string) (*Object, error) {
	t, err := parseTree(text)
	if err != nil {
		return nil, err
	}
	if t.nodes[0].kind != kindObject {
		return nil, &Error{Line: 1, Code: "not-an-object", Text: fmt.Sprintf("%v stands where an object should", t.nodes[0].kind)}
	}
	o := &Object{tree: *t}
	o.root().members(func(name string, v value) bool {
		switch name {
		case "id":
			o.id = v.str()
		case "type":
			o.typ = v.str()
		case "created":
			o.created, _ = ParseTimestamp(v.str())
		case "modified":
			o.modified, _ = ParseTimestamp(v.str())
		}
		return true
	})
	return o, nil
}

func (o *Object) root() value           { return value{&o.tree, 0} }
func (o *Object) get(name string) value { return o.root().get(name) }

// Raw is a copy of the bytes the producer sent.
func (o *Object) Raw() []byte { return []byte(o.text) }

// Text is what the producer sent, without a copy.
func (o *Object) Text() string { return o.text }

// ID is the id, exactly as sent; "" when absent or not a string.
func (o *Object) ID() string { return o.id }

// Type is the type; "" when absent or not a string.
func (o *Object) Type() string { return o.typ }

// Created is zero when absent or malformed, as it is on every SCO.
func (o *Object) Created() Timestamp { return o.created }

// Modified is zero when absent or malformed, as it is on SCOs and marking
// definitions.
func (o *Object) Modified() Timestamp { return o.modified }

// Version is the timestamp that tells the versions of one id apart (TAXII 2.1
// section 3.4.1, "version"): modified, else created, else zero. What stands
// for an SCO's version is for the store to choose.
func (o *Object) Version() Timestamp {
	if !o.modified.IsZero() {
		return o.modified
	}
	return o.created
}

// Revoked says that this version revokes the object (STIX 3.6).
func (o *Object) Revoked() bool {
	v := o.get("revoked")
	return v.is(kindBool) && v.raw() == "true"
}

// SpecVersion is spec_version, or "2.1" when absent, as it may be on an SCO.
// An object of STIX 2.0 has none either: only the media type it came under
// tells.
func (o *Object) SpecVersion() string {
	if s := o.get("spec_version").str(); s != "" {
		return s
	}
	return "2.1"
}

// CreatedByRef is the id of the identity that made the object, or "".
func (o *Object) CreatedByRef() string { return o.get("created_by_ref").str() }

// MarkingRefs are the ids in object_marking_refs, in order.
func (o *Object) MarkingRefs() []string { return o.get("object_marking_refs").strings() }

// strings are the strings of a list.
func (v value) strings() []string {
	if !v.is(kindList) || v.len() == 0 {
		return nil
	}
	out := make([]string, 0, v.len())
	v.elements(func(_ int, e value) bool {
		if e.is(kindString) {
			out = append(out, e.str())
		}
		return true
	})
	return out
}

// GranularMarking marks parts of an object (STIX 7.2.3): with a marking
// definition or with a language, never both.
type GranularMarking struct {
	Selectors  []string
	MarkingRef string
	Lang       string
}

// GranularMarkings are those of the object, in order.
func (o *Object) GranularMarkings() (out []GranularMarking) {
	o.get("granular_markings").elements(func(_ int, e value) bool {
		out = append(out, GranularMarking{e.get("selectors").strings(), e.get("marking_ref").str(), e.get("lang").str()})
		return true
	})
	return out
}

// Name is what a list shows: the name, else the value, else "".
func (o *Object) Name() string {
	if s := o.get("name").str(); s != "" {
		return s
	}
	return o.get("value").str()
}

// Ref is one reference to another object.
type Ref struct {
	Property string // the path of the property, such as "object_refs" or "granular_markings[0].marking_ref"
	ID       string
}

// Refs are all references of the object: every string under a name that ends
// in _ref or _refs, at any depth, in order. References local to the deprecated
// "objects" of observed-data (STIX 4.14) are not ids and are left out.
func (o *Object) Refs() (out []Ref) {
	o.root().members(func(name string, v value) bool {
		if name != "objects" || o.typ != "observed-data" {
			out = refsIn(out, name, name, v)
		}
		return true
	})
	return out
}

func refsIn(out []Ref, path, name string, v value) []Ref {
	switch v.kind() {
	case kindString:
		if strings.HasSuffix(name, "_ref") {
			out = append(out, Ref{path, v.str()})
		}
	case kindList:
		refs := strings.HasSuffix(name, "_refs")
		v.elements(func(i int, e value) bool {
			switch {
			case refs && e.is(kindString):
				out = append(out, Ref{path, e.str()})
			case e.kind() >= kindList:
				out = refsIn(out, path+"["+strconv.Itoa(i)+"]", "", e)
			}
			return true
		})
	case kindObject:
		v.members(func(name string, e value) bool {
			if e.kind() >= kindString {
				out = refsIn(out, path+"."+name, name, e)
			}
			return true
		})
	}
	return out
}

// Strings gives the path and text of every string value of the object, in
// order. Names of properties and of dictionary entries are not values.
func (o *Object) Strings() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) { stringsIn("", o.root(), yield) }
}

func stringsIn(path string, v value, yield func(string, string) bool) bool {
	more := true
	switch v.kind() {
	case kindString:
		more = yield(path, v.str())
	case kindList:
		v.elements(func(i int, e value) bool {
			more = e.kind() < kindString || stringsIn(path+"["+strconv.Itoa(i)+"]", e, yield)
			return more
		})
	case kindObject:
		v.members(func(name string, e value) bool {
			more = e.kind() < kindString || stringsIn(joinPath(path, name), e, yield)
			return more
		})
	}
	return more
}

// Extension is the JSON text of the extension under that id (STIX 7.3).
func (o *Object) Extension(id string) (json.RawMessage, bool) {
	v := o.get("extensions").get(id)
	if !v.ok() {
		return nil, false
	}
	return json.RawMessage(v.raw()), true
}

// Extensions are the keys under extensions, in order: ids of extension
// definitions, and the names of the predefined extensions of SCOs.
func (o *Object) Extensions() (out []string) {
	o.get("extensions").members(func(name string, _ value) bool {
		out = append(out, name)
		return true
	})
	return out
}

// Get is the value at the path, whose steps are property names and, for lists,
// decimal indexes: string, bool, int64 or (when it is not whole or does not
// fit) float64, []any, map[string]any, or nil for null. It is false when
// nothing stands there.
func (o *Object) Get(path ...string) (any, bool) {
	v := o.root()
	for _, step := range path {
		if v = v.step(step); !v.ok() {
			return nil, false
		}
	}
	return v.decode(), true
}

func (v value) step(name string) (found value) {
	if v.is(kindObject) {
		return v.get(name)
	}
	i, err := strconv.Atoi(name)
	if err != nil {
		return value{}
	}
	v.elements(func(n int, e value) bool {
		if n == i {
			found = e
		}
		return n < i
	})
	return found
}

func (v value) decode() any {
	switch v.kind() {
	case kindBool:
		return v.raw() == "true"
	case kindNumber:
		if n, err := strconv.ParseInt(v.raw(), 10, 64); err == nil {
			return n
		}
		f, _ := strconv.ParseFloat(v.raw(), 64)
		return f
	case kindString:
		return v.str()
	case kindList:
		out := make([]any, 0, v.len())
		v.elements(func(_ int, e value) bool { out = append(out, e.decode()); return true })
		return out
	case kindObject:
		out := make(map[string]any, v.len())
		v.members(func(name string, e value) bool { out[name] = e.decode(); return true })
		return out
	}
	return nil
}

// StringAt is the string at the path, or "" when none stands there.
func (o *Object) StringAt(path ...string) string {
	s, _ := o.Get(path...)
	text, _ := s.(string)
	return text
}
