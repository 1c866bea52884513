package stix

import (
	"fmt"
)

// Limits of one object. STIX names none; these bound what one object can cost
// a reader. The largest object of the ATT&CK releases is 250 kB and 5 deep.
const (
	MaxObjectBytes = 16 << 20
	MaxDepth       = 64
)

// Error is why text was refused before it could be judged as STIX.
type Error struct {
	Line int    // 1 for the first line of the text read
	Path string // the place inside the object, such as "external_references[0].url"; empty at its top
	Code string // stable for programs: "syntax", "duplicate-name", "utf8", "depth", "size", "trailing-data", "not-an-object"
	Text string // for people
}

func (e *Error) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("line %d: %s", e.Line, e.Text)
	}
	return fmt.Sprintf("line %d: %s: %s", e.Line, e.Path, e.Text)
}

type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindList
	kindObject
)

var kindNames = [...]string{"null", "a boolean", "a number", "a string", "a list", "an object"}

func (k kind) String() string { return kindNames[k] }

// node is one JSON value of a tree, or one member name. The nodes stand in the
// order of the text; the children of a node follow it. An object has its names
// and values in turn.
type node struct {
	start, end uint32 // text[start:end] is the value, quotes included
	next       uint32 // index of the node after this one and everything in it
	n          uint32 // list: elements; object: members
	kind       kind
	escaped    bool // string with a backslash in it
	name       bool // string that names a member
}

// tree is parsed JSON text.
type tree struct {
	text  string
	nodes []node
}

// value is one node of a tree. The zero value is "absent".
type value struct {
	t *tree
	i uint32
}

func (v value) ok() bool { return v.t != nil }

func (v value) node() *node { return &v.t.nodes[v.i] }

func (v value) kind() kind { return v.t.nodes[v.i].kind }

func (v value) len() int { return int(v.t.nodes[v.i].n) }

func (v value) raw() string { n := v.node(); return v.t.text[n.start:n.end] }

func (v value) is(k kind) bool {
	return v.t != nil && v.t.nodes[v.i].kind == k
}

// str is the text of a string, unescaped; "" for anything else.
func (v value) str() string {
	if v.t == nil {
		return ""
	}
	n := v.node()
	if n.kind != kindString {
		return ""
	}
	s := v.t.text[n.start+1 : n.end-1]
	if n.escaped {
		return unescape(s)
	}
	return s
}

// first is the first child; with following it walks a list or, two at a time,
// an object.
func (v value) first() value { return value{v.t, v.i + 1} }

func (v value) following() value { return value{v.t, v.t.nodes[v.i].next} }

// get is the member of that name, or absent.
func (v value) get(name string) value {
	if !v.is(kindObject) {
		return value{}
	}
	k := v.first()
	for range v.len() {
		val := value{v.t, k.i + 1}
		if k.str() == name {
			return val
		}
		k = val.following()
	}
	return value{}
}

// members calls f for each member until f returns false.
func (v value) members(f func(name string, val value) bool) {
	if !v.is(kindObject) {
		return
	}
	k := v.first()
	for range v.len() {
		val := value{v.t, k.i + 1}
		if !f(k.str(), val) {
			return
		}
		k = val.following()
	}
}

// elements calls f for each element of a list until f returns false.
func (v value) elements(f func(i int, val value) bool) {
	if !v.is(kindList) {
		return
	}
	e := v.first()
	for i := range v.len() {
		if !f(i, e) {
			return
		}
		e = e.following()
	}
}

// joinPath puts the place outer before the place inner: "a" and "b" make
// "a.b", "a" and "[0]" make "a[0]".
func joinPath(outer, inner string) string {
	if inner == "" || outer == "" || inner[0] == '[' {
		return outer + inner
	}
	return outer + "." + inner
}
