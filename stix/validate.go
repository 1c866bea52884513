package stix

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
)

// Problem is one way an object departs from the standard.
type Problem struct {
	Path    string // the property, such as "external_references[0].url"; "" for the object as a whole
	Code    string // stable for programs, such as "required" or "timestamp"
	Text    string // what is wrong and what the standard asks, for people
	Warning bool   // a SHOULD; otherwise a MUST
}

func (p Problem) String() string {
	if p.Path == "" {
		return p.Text
	}
	return p.Path + ": " + p.Text
}

// Validate judges the object against every MUST of STIX 2.1 that can be seen
// in one object (errors) and its SHOULDs (warnings). An object is valid when
// no problem is an error. A bundle is judged with all its objects. Types,
// properties and extensions that are not the standard's are carried: they are
// warnings at most, where the standard prefers otherwise.
//
// What takes several objects to see (whether a target exists, whether a
// version follows a revocation) is for the store.
func Validate(o *Object) []Problem { return judge(o, true) }

// Broken is the errors of Validate alone, and faster for it: what a node asks
// of everything it takes in.
func Broken(o *Object) []Problem { return judge(o, false) }

func judge(o *Object, warnings bool) []Problem {
	c := checkers.Get().(*checker)
	*c = checker{warnings: warnings, steps: c.steps[:0]}
	defer func() {
		*c = checker{steps: c.steps[:0]}
		checkers.Put(c)
	}()
	if o.typ == "bundle" {
		// An empty list of objects is let pass: the bundle is no STIX object,
		// is not kept, and the OASIS test cases have one.
		c.everyNode(&o.tree, o.get("objects").i)
		c.bundle(o.root())
	} else {
		c.everyNode(&o.tree, 0)
		c.object(o.root())
	}
	return c.problems
}

// checkers keeps checkers for the sake of their steps.
var checkers = sync.Pool{New: func() any { return new(checker) }}

// checker walks one object. The path to where it stands is kept as steps and
// written out only for a problem.
type checker struct {
	warnings bool
	sco      bool // inside a cyber-observable object
	defanged bool
	local    value // the container whose keys references are, in deprecated observed-data
	root     value // the object being judged
	topLevel bool  // it has an extension that puts properties at its top
	index    map[uint32]index
	steps    []step
	problems []Problem
}

// index finds the children of one large node.
type index struct {
	members  map[string]uint32
	elements []uint32
}

// child is the member or element of v at a name or index, like value.step, and
// found in constant time on large nodes: selectors and local references can be
// as many as there are nodes.
func (c *checker) child(v value, name string) value {
	if v.kind() < kindList || v.len() < 32 {
		return v.step(name)
	}
	in, ok := c.index[v.i]
	if !ok {
		in.members = make(map[string]uint32)
		v.members(func(name string, e value) bool { in.members[name] = e.i; return true })
		v.elements(func(_ int, e value) bool { in.elements = append(in.elements, e.i); return true })
		if c.index == nil {
			c.index = map[uint32]index{}
		}
		c.index[v.i] = in
	}
	if v.is(kindObject) {
		if i, ok := in.members[name]; ok {
			return value{v.t, i}
		}
		return value{}
	}
	if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(in.elements) {
		return value{v.t, in.elements[i]}
	}
	return value{}
}

type step struct {
	name  string
	index int // of a list, when name is ""
}

func (c *checker) push(name string) { c.steps = append(c.steps, step{name: name}) }
func (c *checker) pushIndex(i int)  { c.steps = append(c.steps, step{index: i}) }
func (c *checker) pop()             { c.steps = c.steps[:len(c.steps)-1] }

func (c *checker) path() string {
	var b strings.Builder
	for _, s := range c.steps {
		switch {
		case s.name == "":
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.name)
		}
	}
	return b.String()
}

// maxProblems bounds what one object can cost to describe. An object with more
// gets one last problem that says so.
const maxProblems = 100

func (c *checker) fail(code, text string) { c.add(Problem{Code: code, Text: text}) }

func (c *checker) add(p Problem) {
	if len(c.problems) < maxProblems {
		p.Path = c.path()
		c.problems = append(c.problems, p)
	} else if len(c.problems) == maxProblems {
		c.problems = append(c.problems, Problem{Code: "more", Text: "there are more problems than are listed"})
	}
}

func (c *checker) failf(code, format string, args ...any) { c.fail(code, fmt.Sprintf(format, args...)) }

// warn reports a SHOULD. Callers whose text costs something ask c.warnings
// first.
func (c *checker) warn(code, text string) {
	if c.warnings {
		c.add(Problem{Code: code, Text: text, Warning: true})
	}
}

// everyNode checks what holds of every value anywhere: no null, no empty list,
// no empty dictionary (STIX 2.3, 2.12), integers within 54 bits (2.10), finite
// floats (2.6), dictionary keys (2.3). Property names are stricter still and
// are checked with the property. The node at mayBeEmpty, if not 0, may be empty.
func (c *checker) everyNode(t *tree, mayBeEmpty uint32) {
	for i := range t.nodes {
		if len(c.problems) > maxProblems {
			return
		}
		n := &t.nodes[i]
		switch {
		case n.name:
			if s := t.text[n.start+1 : n.end-1]; n.escaped || !isKey(s) {
				c.failAt(t, i, "key", "a name is made of ASCII letters, digits, \"-\" and \"_\" and is 1 to 250 long")
			}
		case n.kind == kindNull:
			c.failAt(t, i, "null", "null has no place in STIX: leave the property out")
		case n.kind == kindNumber:
			if !inRange(t.text[n.start:n.end]) {
				c.failAt(t, i, "range", "the number is outside ±(2^53-1), or not finite")
			}
		case n.kind >= kindList && n.n == 0 && (mayBeEmpty == 0 || uint32(i) != mayBeEmpty):
			c.failAt(t, i, "empty", "empty lists and dictionaries have no place in STIX: leave the property out")
		}
	}
}

func isKey(s string) bool {
	for i := 0; i < len(s); i++ {
		if !keyByte[s[i]] {
			return false
		}
	}
	return len(s) > 0 && len(s) <= 250
}

var keyByte = func() (t [256]bool) {
	for c := range t {
		b := byte(c)
		t[c] = b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '-' || b == '_'
	}
	return t
}()

// inRange says whether the number can be told apart from its neighbours by
// every reader: an integer within ±(2^53-1), or a finite float.
func inRange(s string) bool {
	if len(s) < 16 && !strings.ContainsAny(s, "eE") {
		return true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return false
	}
	return strings.ContainsAny(s, ".eE") || math.Abs(f) <= 1<<53-1
}

// failAt reports a problem at node i, finding the way there from the top.
func (c *checker) failAt(t *tree, at int, code, text string) {
	keep := c.steps
	c.steps = append(c.steps[:len(c.steps):len(c.steps)], pathTo(value{t, 0}, uint32(at))...)
	c.fail(code, text)
	c.steps = keep
}

func pathTo(v value, at uint32) (steps []step) {
	switch {
	case v.i == at || at >= v.node().next:
	case v.is(kindList):
		v.elements(func(i int, e value) bool {
			if at >= e.i && at < e.node().next {
				steps = append([]step{{index: i}}, pathTo(e, at)...)
				return false
			}
			return true
		})
	case v.is(kindObject):
		v.members(func(name string, e value) bool {
			if at == e.i-1 || at >= e.i && at < e.node().next {
				steps = append([]step{{name: name}}, pathTo(e, at)...)
				return false
			}
			return true
		})
	}
	return steps
}

// bundle judges a bundle (STIX 8). Properties beside its three are allowed and
// lost.
func (c *checker) bundle(v value) {
	c.push("id")
	if id := v.get("id"); !id.ok() {
		c.fail("required", "is required")
	} else if c.is(id, kindString) {
		c.identifier(id.str(), "bundle")
	}
	c.pop()
	objects := v.get("objects")
	if !objects.ok() {
		return
	}
	c.push("objects")
	defer c.pop()
	if !c.is(objects, kindList) {
		return
	}
	objects.elements(func(i int, e value) bool {
		c.pushIndex(i)
		if c.is(e, kindObject) {
			if e.get("type").str() == "bundle" {
				c.fail("type", "a bundle is not a STIX object and cannot stand in one")
			} else {
				c.object(e)
			}
		}
		c.pop()
		return true
	})
}

// object judges one STIX object.
func (c *checker) object(v value) {
	typ := v.get("type").str()
	sh := c.shapeOf(v, typ)
	root, sco, defanged, topLevel := c.root, c.sco, c.defanged, c.topLevel
	c.root, c.sco, c.topLevel = v, sh.class == classSCO, c.warnings && hasTopLevelExtension(v)
	c.defanged = v.get("defanged").ok() && v.get("defanged").raw() == "true"
	c.typeName(v.get("type"))
	c.members(v, sh)
	c.root, c.sco, c.defanged, c.topLevel = root, sco, defanged, topLevel
}

// genericSDO and genericSCO are for types that neither STIX nor a known
// extension defines.
var genericSDO, genericSCO *shape

// shapeOf finds what the type must look like: STIX's own, that of a known
// extension the object carries, or the common properties alone. Of unknown
// types the extension says whether they are observables (STIX 7.3); without
// one, an object that has neither created nor modified is taken for one.
func (c *checker) shapeOf(v value, typ string) *shape {
	if sh := spec.types[typ]; sh != nil {
		return sh
	}
	found := (*shape)(nil)
	v.get("extensions").members(func(id string, e value) bool {
		if sh := spec.added[id][typ]; sh != nil {
			found = sh
			return false
		}
		if e.get("extension_type").str() == "new-sco" {
			found = genericSCO
		}
		return true
	})
	if found != nil {
		return found
	}
	if !v.get("created").ok() && !v.get("modified").ok() {
		return genericSCO
	}
	return genericSDO
}

// members judges the properties of an object or part against its shape, then
// the rules between them.
func (c *checker) members(v value, sh *shape) {
	f := found{v: v, sh: sh}
	var seen uint64
	name := v.first()
	for range v.len() {
		val := value{v.t, name.i + 1}
		s := name.str()
		if i, known := sh.props[s]; known {
			f.at[i] = val.i
			seen |= 1 << i
			c.push(s)
			c.property(&sh.list[i], val)
			c.pop()
		} else {
			c.unknown(v, sh, s, val)
		}
		name = val.following()
	}
	if missing := sh.required &^ seen; missing != 0 {
		for i := range sh.list {
			if missing>>i&1 != 0 {
				c.push(sh.list[i].name)
				c.fail("required", "is required")
				c.pop()
			}
		}
	}
	if sh.class != classPart {
		c.versioning(&f)
	}
	for _, r := range sh.rules {
		r(c, &f)
	}
}

func (c *checker) property(p *property, v value) {
	if !p.list {
		p.check(c, v)
		return
	}
	if !c.is(v, kindList) {
		return
	}
	e := v.first()
	for i := range v.len() {
		c.pushIndex(i)
		p.check(c, e)
		c.pop()
		e = e.following()
	}
}

// unknown judges a property the shape does not have: a custom one. Its name
// must be one, and the suffixes bind (STIX 3.1).
func (c *checker) unknown(v value, sh *shape, name string, val value) {
	c.push(name)
	defer c.pop()
	if sh.closed {
		c.fail("unknown-property", "the definition of this extension allows no such property")
		return
	}
	if sh.class == classPart {
		return
	}
	if !isPropertyName(name) {
		c.fail("name", "a property name is 3 to 250 of a-z, 0-9 and \"_\", beginning with a letter")
		return
	}
	switch name {
	case "severity", "username", "phone_number", "action":
		c.fail("reserved", "the name is reserved (STIX 3.8)")
		return
	}
	switch {
	case strings.HasSuffix(name, "_ref"):
		if c.is(val, kindString) {
			c.identifier(val.str(), "")
		}
	case strings.HasSuffix(name, "_refs"):
		if c.is(val, kindList) {
			val.elements(func(i int, e value) bool {
				c.pushIndex(i)
				if c.is(e, kindString) {
					c.identifier(e.str(), "")
				}
				c.pop()
				return true
			})
		}
	case strings.HasSuffix(name, "_bin"):
		binary(c, val)
	case strings.HasSuffix(name, "_hex"):
		hexadecimal(c, val)
	case strings.HasSuffix(name, "_enc"):
		if !v.get(strings.TrimSuffix(name, "_enc")).ok() {
			c.fail("required", "an encoding may stand only beside the property it tells the encoding of")
		}
	}
	if c.warnings && sh != genericSDO && sh != genericSCO && !strings.HasPrefix(name, "x_") && !c.topLevel {
		c.warn("custom", "a property of one's own should come with a definition under extensions (STIX 7.3, 11.1)")
	}
}

func hasTopLevelExtension(v value) (has bool) {
	v.get("extensions").members(func(_ string, e value) bool {
		has = e.get("extension_type").str() == "toplevel-property-extension"
		return !has
	})
	return has
}

func isPropertyName(s string) bool {
	if len(s) < 3 || len(s) > 250 {
		return s == "id"
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || i > 0 && (c >= '0' && c <= '9' || c == '_')) {
			return false
		}
	}
	return true
}
