package stix

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// class is what kind of object a type is; it decides the common properties.
type class uint8

const (
	classPart class = iota // stands inside objects only
	classSDO
	classSRO
	classSCO
	classMeta
	classBundle
)

var classNames = map[string]class{"part": classPart, "sdo": classSDO, "sro": classSRO, "sco": classSCO, "meta": classMeta}

// shape is what the specification texts say of one type, made ready.
type shape struct {
	name       string
	class      class
	props      map[string]int // index into list
	list       []property
	required   uint64 // bit i: list[i]
	own        uint64 // bit i: list[i] is no common property
	closed     bool
	rules      []rule
	extensions []string // the predefined ones, by name
}

type property struct {
	name  string
	list  bool
	check func(*checker, value)
}

// rule judges the properties of one object together.
type rule func(*checker, *found)

// found is where the properties of one object are; absent ones are 0, as no
// property can be at the root.
type found struct {
	v  value
	sh *shape
	at [64]uint32
}

func (f *found) has(i int) bool     { return f.at[i] != 0 }
func (f *found) value(i int) value  { return value{f.v.t, f.at[i]} }
func (f *found) get(n string) value { return f.v.get(n) }

// specification is all texts together.
type specification struct {
	types   map[string]*shape            // by type
	parts   map[string]*shape            // by name
	vocabs  map[string]words             // by name
	added   map[string]map[string]*shape // new types: by extension id, then type
	extends map[string]map[string]*shape // extended types: by extension id, then type or "*"
	verbs   map[string]*targets          // relationships: by "source type"
}

// spec is compiled in init and not where it is declared, because the checks it
// is made of look things up in it.
var spec *specification

func init() {
	spec = compile(specSDO+specSCO, specExtensions, specVocabularies)
	spec.relationships(specRelationships)
	genericSDO, genericSCO = spec.generic(classSDO), spec.generic(classSCO)
}

func compile(core, extensions, vocabularies string) *specification {
	s := &specification{
		types: map[string]*shape{}, parts: map[string]*shape{}, vocabs: map[string]words{},
		added: map[string]map[string]*shape{}, extends: map[string]map[string]*shape{},
	}
	for line := range strings.Lines(vocabularies) {
		if name, rest, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			s.vocabs[name] = wordsOf(rest)
		}
	}
	var sh *shape
	for line := range strings.Lines(core + extensions) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.TrimSpace(line) == "":
		case line[0] != ' ':
			sh = s.open(strings.Fields(line))
		case strings.HasPrefix(line, "  ? "):
			sh.rules = append(sh.rules, compileRule(sh, strings.Fields(line)[1:]))
		default:
			s.property(sh, strings.Fields(line))
		}
	}
	return s
}

// relationships reads the lines of specRelationships.
func (s *specification) relationships(text string) {
	s.verbs = map[string]*targets{}
	for line := range strings.Lines(text) {
		w := strings.Fields(line)
		if len(w) < 3 {
			continue
		}
		t := targetsOf(strings.Join(w[2:], "|"))
		for verb := range strings.SplitSeq(w[1], "|") {
			s.verbs[w[0]+" "+verb] = t
		}
	}
}

// open begins a type from the words of its first line.
func (s *specification) open(w []string) *shape {
	sh := &shape{props: map[string]int{}}
	under := func(m map[string]map[string]*shape, id, typ string) {
		id = "extension-definition--" + id
		if m[id] == nil {
			m[id] = map[string]*shape{}
		}
		m[id][typ] = sh
	}
	switch w[0] {
	case "new":
		sh.class, sh.name = classNames[w[1]], w[2]
		under(s.added, w[3], w[2])
	case "extend":
		sh.name = w[1]
		sh.closed = slices.Contains(w[3:], "closed")
		under(s.extends, w[2], w[1])
		s.property(sh, []string{"extension_type!", "enum:property-extension|toplevel-property-extension|new-sdo|new-sco|new-sro"})
		sh.own = 0
	case "part":
		sh.name = w[1]
		s.parts[w[1]] = sh
	default:
		sh.class, sh.name = classNames[w[0]], w[1]
		if len(w) > 3 {
			sh.extensions = w[3:]
		}
		s.types[w[1]] = sh
	}
	for _, p := range commonProperties(sh.class, sh.name) {
		s.property(sh, strings.Fields(p))
	}
	sh.own = 0
	return sh
}

// generic is the shape of a type nobody declared.
func (s *specification) generic(c class) *shape {
	sh := &shape{class: c, props: map[string]int{}}
	for _, p := range commonProperties(c, "") {
		s.property(sh, strings.Fields(p))
	}
	sh.own = 0
	sh.rules = []rule{(*checker).ownProperty}
	return sh
}

// commonProperties are those of STIX 3.2, each line as in a specification
// text. A kind "not" refuses a property that the type's table calls not
// applicable.
func commonProperties(c class, typ string) []string {
	if c == classPart {
		return nil
	}
	always := []string{"type! string", "id! own-id", "object_marking_refs [ref:marking-definition]", "granular_markings [of:granular-marking]"}
	if typ != "extension-definition" {
		always = append(always, "extensions extensions")
	}
	version := []string{"spec_version! spec-version", "created! time-ms", "modified! time-ms", "revoked bool", "labels [string]"}
	creator, external := "created_by_ref creator", "external_references [of:external-reference]"
	confidence, lang := "confidence int 0..100", "lang lang"
	switch {
	case c == classSCO:
		return append(always, "spec_version spec-version", "defanged bool", "created time-ms", "modified time-ms", creator, "revoked bool",
			"labels not", "confidence not", "lang not", "external_references not")
	case typ == "extension-definition":
		return append(append(always, version...), "created_by_ref! creator", external, "confidence not", "lang not", "defanged not", "extensions not")
	case typ == "language-content":
		return append(append(always, version...), creator, external, confidence, "lang not", "defanged not")
	case typ == "marking-definition":
		return append(always, "spec_version! spec-version", "created! time", creator, external,
			"modified not", "revoked not", "labels not", "confidence not", "lang not", "defanged not")
	}
	return append(append(always, version...), creator, external, confidence, lang, "defanged not")
}

// property adds one property from the words of its line, or replaces a common
// one.
func (s *specification) property(sh *shape, w []string) {
	name, required := strings.CutSuffix(w[0], "!")
	kind, list := strings.CutPrefix(w[1], "[")
	kind = strings.TrimSuffix(kind, "]")
	p := property{name: name, list: list, check: s.kind(kind, w[2:])}
	i, again := sh.props[name]
	if !again {
		if i = len(sh.list); i == 64 {
			panic("stix: a type of more than 64 properties: " + sh.name)
		}
		sh.props[name] = i
		sh.list = append(sh.list, p)
	} else {
		sh.list[i] = p
	}
	if required {
		sh.required |= 1 << i
	}
	sh.own |= 1 << i
}

// kind is the check of one value.
func (s *specification) kind(kind string, args []string) func(*checker, value) {
	kind, arg, _ := strings.Cut(kind, ":")
	switch kind {
	case "int", "float":
		lo, hi := math.Inf(-1), math.Inf(1)
		if len(args) > 0 {
			a, b, _ := strings.Cut(args[0], "..")
			lo = mustFloat(a)
			if b != "" {
				hi = mustFloat(b)
			}
		}
		if kind == "int" {
			return func(c *checker, v value) { c.integer(v, lo, hi) }
		}
		return func(c *checker, v value) { c.float(v, lo, hi) }
	case "ov", "enum":
		vocab := s.vocabs[arg]
		if strings.Contains(arg, "|") {
			vocab, arg = wordsOf(strings.ReplaceAll(arg, "|", " ")), "the words "+strings.ReplaceAll(arg, "|", ", ")
		}
		if vocab == nil {
			panic("stix: no vocabulary " + arg)
		}
		open := kind == "ov"
		return func(c *checker, v value) { c.word(v, vocab, arg, open) }
	case "ref":
		t := targetsOf(arg)
		return func(c *checker, v value) { c.ref(v, t) }
	case "of":
		return func(c *checker, v value) { c.part(v, s.parts[arg]) }
	case "dict":
		if arg == "" {
			return func(c *checker, v value) { c.is(v, kindObject) }
		}
		item := s.kind(arg, nil)
		return func(c *checker, v value) { c.dictionary(v, item) }
	case "string":
		return func(c *checker, v value) { c.is(v, kindString) }
	case "bool":
		return func(c *checker, v value) { c.is(v, kindBool) }
	}
	check, ok := kinds[kind]
	if !ok {
		panic("stix: no kind " + kind)
	}
	return check
}

func mustFloat(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic("stix: bad range in the program text: " + s)
	}
	return f
}

// targets are the types a reference may point at.
type targets struct {
	types         map[string]bool
	sdo, sro, sco bool
	any           bool
	text          string
}

func targetsOf(arg string) *targets {
	t := &targets{types: map[string]bool{}, any: arg == ""}
	names := strings.Split(arg, "|")
	for i, name := range names {
		switch name {
		case "sdo":
			t.sdo, names[i] = true, "a domain object"
		case "sro":
			t.sro, names[i] = true, "a relationship object"
		case "sco":
			t.sco, names[i] = true, "a cyber-observable object"
		default:
			t.types[name] = true
		}
	}
	if t.text = strings.Join(names, " or "); t.any {
		t.text = "a STIX object"
	}
	return t
}

// allow says whether the type may be pointed at. A type that STIX does not
// define may be of any class.
func (t *targets) allow(typ string) bool {
	if t.types[typ] {
		return true
	}
	if typ == "bundle" {
		return false
	}
	if t.any {
		return true
	}
	sh := spec.types[typ]
	if sh == nil {
		return t.sdo || t.sro || t.sco
	}
	switch sh.class {
	case classSDO:
		return t.sdo
	case classSRO:
		return t.sro
	case classSCO:
		return t.sco
	}
	return false
}

// compileRule makes a rule from its words; see spec_objects.go.
func compileRule(sh *shape, w []string) rule {
	index := make([]int, 0, len(w))
	if w[0] != "code" {
		for _, name := range w[1:] {
			if i, ok := sh.props[name]; ok {
				index = append(index, i)
			} else if name != "<" && name != "<=" {
				panic(fmt.Sprintf("stix: rule of %s names %q", sh.name, name))
			}
		}
	}
	names := strings.Join(w[1:], " or ")
	switch w[0] {
	case "atleast", "one":
		one := w[0] == "one"
		return func(c *checker, f *found) {
			n := 0
			for _, i := range index {
				if f.has(i) {
					n++
				}
			}
			if n == 0 {
				c.fail("required", "one of "+names+" is required")
			} else if one && n > 1 {
				c.fail("exclusive", "only one of "+names+" may stand")
			}
		}
	case "needs":
		return func(c *checker, f *found) {
			if f.has(index[0]) && !f.has(index[1]) {
				c.fail("required", w[1]+" may stand only together with "+w[2])
			}
		}
	case "order":
		strict := w[2] == "<"
		return func(c *checker, f *found) { c.order(f, index[0], index[1], strict) }
	case "any":
		return func(c *checker, f *found) { c.any(f) }
	case "should":
		return func(c *checker, f *found) {
			for n, i := range index {
				if c.warnings && !f.has(i) {
					c.push(w[n+1])
					c.warn("recommended", "should stand here")
					c.pop()
				}
			}
		}
	case "code":
		r, ok := codeRules[w[1]]
		if !ok {
			panic("stix: no rule " + w[1])
		}
		return r
	}
	panic("stix: no kind of rule " + w[0])
}
