package pattern

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Pattern is a pattern that parsed.
type Pattern struct {
	text string
	root observation
}

// String is the text the pattern was parsed from.
func (p *Pattern) String() string { return p.text }

// observation is an observation expression: one comparison in brackets, or an
// operator over several, with its qualifiers.
type observation struct {
	op      string // "" for brackets, else AND, OR or FOLLOWEDBY
	parts   []observation
	compare *comparison // of brackets
	qualify []qualifier // from the inside out
}

type qualifier struct {
	kind        string // START, WITHIN or REPEATS
	start, stop time.Time
	within      time.Duration
	repeats     int64
}

// comparison is a comparison expression: a test, or AND or OR over several.
type comparison struct {
	op    string // "" for a test
	parts []comparison
	test  Test
}

// Test compares the values at a path of a cyber-observable object with
// constants.
type Test struct {
	Type   string // of the object, such as "file"
	Path   []Step // at least one
	Not    bool
	Op     string // = != < <= > >= IN LIKE MATCHES ISSUBSET ISSUPERSET EXISTS
	Values []any  // string, int64, float64, bool, Bytes or time.Time; several for IN only, none for EXISTS
}

// Step is a step of a path: a name, or an index of a list.
type Step struct {
	Name  string
	Index int  // when Name is ""
	Any   bool // [*]; when Name is ""
}

// Check says why s is no pattern, or nil.
func Check(s string) error {
	_, err := Parse(s)
	return err
}

// Parse reads a pattern. Its error is an *Error.
func Parse(s string) (*Pattern, error) {
	if len(s) > MaxBytes {
		return nil, &Error{MaxBytes, "the pattern is longer than 1 MiB"}
	}
	if !utf8.ValidString(s) {
		return nil, &Error{0, "the pattern is not UTF-8"}
	}
	p := parser{lexer: lexer{text: s}}
	if err := p.advance(); err != nil {
		return nil, err
	}
	o, err := p.observations(0)
	if err != nil {
		return nil, err
	}
	if p.tok.kind != end {
		return nil, p.unexpected("the end of the pattern")
	}
	return &Pattern{s, o}, nil
}

// Tests calls f for every test of the pattern, in order.
func (p *Pattern) Tests(f func(Test)) { p.root.tests(f) }

func (o *observation) tests(f func(Test)) {
	for i := range o.parts {
		o.parts[i].tests(f)
	}
	if o.compare != nil {
		o.compare.tests(f)
	}
}

func (c *comparison) tests(f func(Test)) {
	for i := range c.parts {
		c.parts[i].tests(f)
	}
	if c.op == "" {
		f(c.test)
	}
}

// Alternatives are the tests of a pattern that holds as soon as one of them
// does: OR inside brackets and between them, no qualifier. It is false for every
// other pattern, which cannot be told as a list.
func (p *Pattern) Alternatives() (tests []Test, ok bool) {
	parts := []observation{p.root}
	if p.root.op == "OR" && len(p.root.qualify) == 0 {
		parts = p.root.parts
	}
	for _, o := range parts {
		if o.compare == nil || len(o.qualify) > 0 {
			return nil, false
		}
		if tests, ok = o.compare.alternatives(tests); !ok {
			return nil, false
		}
	}
	return tests, true
}

func (c *comparison) alternatives(tests []Test) ([]Test, bool) {
	switch c.op {
	case "":
		return append(tests, c.test), true
	case "OR":
		ok := true
		for i := 0; i < len(c.parts) && ok; i++ {
			tests, ok = c.parts[i].alternatives(tests)
		}
		return tests, ok
	}
	return nil, false
}

// Quote writes s as a string constant.
func Quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

type parser struct {
	lexer
	tok token
}

func (p *parser) advance() (err error) {
	p.tok, err = p.next()
	return err
}

func (p *parser) unexpected(want string) error {
	if p.tok.kind == end {
		return p.fail(p.tok.at, "the pattern ends where %s should stand", want)
	}
	return p.fail(p.tok.at, "%q stands where %s should", p.tok.text, want)
}

// is says whether the token is the keyword or symbol.
func (p *parser) is(text string) bool {
	return p.tok.text == text && (p.tok.kind == word || p.tok.kind == symbol)
}

// take reads the keyword or symbol.
func (p *parser) take(text string) error {
	if !p.is(text) {
		return p.unexpected(text)
	}
	return p.advance()
}

// observations reads a whole expression. AND binds tightest, then OR, then
// FOLLOWEDBY (STIX 9.5, table of operators).
func (p *parser) observations(depth int) (observation, error) {
	if depth > MaxDepth {
		return observation{}, p.fail(p.tok.at, "parentheses nest deeper than %d", MaxDepth)
	}
	return p.joined([]string{"FOLLOWEDBY", "OR", "AND"}, depth)
}

func (p *parser) joined(ops []string, depth int) (observation, error) {
	if len(ops) == 0 {
		return p.qualified(depth)
	}
	o, err := p.joined(ops[1:], depth)
	if err != nil || !p.is(ops[0]) {
		return o, err
	}
	parts := []observation{o}
	for p.is(ops[0]) {
		if err := p.advance(); err != nil {
			return o, err
		}
		if o, err = p.joined(ops[1:], depth); err != nil {
			return o, err
		}
		parts = append(parts, o)
	}
	return observation{op: ops[0], parts: parts}, nil
}

// qualified reads brackets or parentheses and the qualifiers after them.
func (p *parser) qualified(depth int) (o observation, err error) {
	switch {
	case p.is("["):
		if err := p.advance(); err != nil {
			return o, err
		}
		c, err := p.comparisons(depth + 1)
		if err != nil {
			return o, err
		}
		o.compare = &c
		if err := p.take("]"); err != nil {
			return o, err
		}
	case p.is("("):
		if err := p.advance(); err != nil {
			return o, err
		}
		inner, err := p.observations(depth + 1)
		if err != nil {
			return o, err
		}
		if err := p.take(")"); err != nil {
			return o, err
		}
		o = inner
		if len(inner.qualify) > 0 {
			o = observation{op: "AND", parts: []observation{inner}}
		}
	default:
		return o, p.unexpected(`"[" or "("`)
	}
	for {
		at := p.tok.at
		q, found, err := p.qualifier()
		if err != nil || !found {
			return o, err
		}
		for _, have := range o.qualify {
			if have.kind == q.kind {
				return o, p.fail(at, "an expression has one %s qualifier at most (STIX 9.5.1)", q.kind)
			}
		}
		o.qualify = append(o.qualify, q)
	}
}

func (p *parser) qualifier() (q qualifier, found bool, err error) {
	if p.tok.kind != word {
		return q, false, nil
	}
	at := p.tok.at
	switch q.kind = p.tok.text; q.kind {
	case "START":
		if err = p.advance(); err == nil {
			q.start, err = p.timeLiteral()
		}
		if err == nil {
			err = p.take("STOP")
		}
		if err == nil {
			q.stop, err = p.timeLiteral()
		}
		if err == nil && !q.stop.After(q.start) {
			err = p.fail(at, "STOP must be later than START")
		}
	case "WITHIN":
		if err = p.advance(); err != nil {
			return q, true, err
		}
		var seconds float64
		switch v := p.tok.value.(type) {
		case int64:
			seconds = float64(v)
		case float64:
			seconds = v
		default:
			return q, true, p.unexpected("a number of seconds")
		}
		if seconds <= 0 || seconds > 1e9 {
			return q, true, p.fail(p.tok.at, "WITHIN takes a number above 0 and up to 1e9")
		}
		q.within = time.Duration(seconds * float64(time.Second))
		if err = p.advance(); err == nil {
			err = p.take("SECONDS")
		}
	case "REPEATS":
		if err = p.advance(); err != nil {
			return q, true, err
		}
		n, ok := p.tok.value.(int64)
		if !ok || n < 1 {
			return q, true, p.unexpected("a whole number above 0")
		}
		q.repeats = n
		if err = p.advance(); err == nil {
			err = p.take("TIMES")
		}
	default:
		return q, false, nil
	}
	return q, true, err
}

func (p *parser) timeLiteral() (time.Time, error) {
	t, ok := p.tok.value.(time.Time)
	if !ok {
		return t, p.unexpected("a timestamp such as t'2026-01-01T00:00:00Z'")
	}
	return t, p.advance()
}

// comparisons reads what stands in brackets. AND binds tighter than OR.
func (p *parser) comparisons(depth int) (comparison, error) {
	if depth > MaxDepth {
		return comparison{}, p.fail(p.tok.at, "parentheses nest deeper than %d", MaxDepth)
	}
	return p.compared([]string{"OR", "AND"}, depth)
}

func (p *parser) compared(ops []string, depth int) (comparison, error) {
	if len(ops) == 0 {
		return p.operand(depth)
	}
	c, err := p.compared(ops[1:], depth)
	if err != nil || !p.is(ops[0]) {
		return c, err
	}
	parts := []comparison{c}
	for p.is(ops[0]) {
		if err := p.advance(); err != nil {
			return c, err
		}
		if c, err = p.compared(ops[1:], depth); err != nil {
			return c, err
		}
		parts = append(parts, c)
	}
	return comparison{op: ops[0], parts: parts}, nil
}

func (p *parser) operand(depth int) (c comparison, err error) {
	if p.is("(") {
		if err := p.advance(); err != nil {
			return c, err
		}
		if c, err = p.comparisons(depth + 1); err != nil {
			return c, err
		}
		return c, p.take(")")
	}
	t := &c.test
	if p.is("NOT") || p.is("EXISTS") {
		if p.is("NOT") {
			t.Not = true
			if err := p.advance(); err != nil {
				return c, err
			}
		}
		t.Op = "EXISTS"
		if err := p.take("EXISTS"); err != nil {
			return c, err
		}
		return c, p.path(t)
	}
	if err := p.path(t); err != nil {
		return c, err
	}
	if p.is("NOT") {
		t.Not = true
		if err := p.advance(); err != nil {
			return c, err
		}
	}
	return c, p.test(t)
}

// test reads the operator and the constants.
func (p *parser) test(t *Test) error {
	op := p.tok
	if op.kind != word && op.kind != symbol {
		return p.unexpected("a comparison operator")
	}
	switch t.Op = op.text; t.Op {
	case "==":
		t.Op = "="
	case "<>":
		t.Op = "!="
	case "=", "!=", "<", ">", "<=", ">=", "IN", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET":
	default:
		return p.unexpected("a comparison operator")
	}
	if err := p.advance(); err != nil {
		return err
	}
	if t.Op == "IN" {
		return p.set(t)
	}
	if p.tok.kind != literal {
		return p.unexpected("a constant")
	}
	switch p.tok.value.(type) {
	case string:
	case bool:
		if t.Op != "=" && t.Op != "!=" {
			return p.unexpected("a constant that has an order")
		}
	default:
		switch t.Op {
		case "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET":
			return p.unexpected("a string")
		}
	}
	t.Values = []any{p.tok.value}
	return p.advance()
}

func (p *parser) set(t *Test) error {
	if err := p.take("("); err != nil {
		return err
	}
	for !p.is(")") {
		if len(t.Values) > 0 {
			if err := p.take(","); err != nil {
				return err
			}
		}
		if p.tok.kind != literal {
			return p.unexpected("a constant")
		}
		t.Values = append(t.Values, p.tok.value)
		if err := p.advance(); err != nil {
			return err
		}
	}
	return p.advance()
}

// path reads type:step.step[index]…. Type and first property must be names
// STIX can have (STIX 3.1).
func (p *parser) path(t *Test) error {
	if p.tok.kind != word {
		return p.unexpected("an object type")
	}
	if !isTypeName(p.tok.text) {
		return p.fail(p.tok.at, "%q is no object type: 3 to 250 of a-z, 0-9 and single hyphens", p.tok.text)
	}
	t.Type = p.tok.text
	if err := p.advance(); err != nil {
		return err
	}
	if err := p.take(":"); err != nil {
		return err
	}
	at := p.tok.at
	name, err := p.name()
	if err != nil {
		return err
	}
	if !isPropertyName(name) {
		return p.fail(at, "%q is no property: 3 to 250 of a-z, 0-9 and \"_\"", name)
	}
	t.Path = append(t.Path, Step{Name: name})
	for {
		switch {
		case p.is("."):
			if err := p.advance(); err != nil {
				return err
			}
			name, err := p.name()
			if err != nil {
				return err
			}
			t.Path = append(t.Path, Step{Name: name})
		case p.is("["):
			if err := p.advance(); err != nil {
				return err
			}
			step := Step{Any: p.is("*")}
			if n, ok := p.tok.value.(int64); ok {
				step.Index = int(n)
			} else if !step.Any {
				return p.unexpected("an index or *")
			}
			if err := p.advance(); err != nil {
				return err
			}
			if err := p.take("]"); err != nil {
				return err
			}
			t.Path = append(t.Path, step)
		default:
			return nil
		}
	}
}

// name is a step: a name without hyphen, or any text in quotes.
func (p *parser) name() (string, error) {
	t := p.tok
	quoted, isText := t.value.(string)
	switch {
	case t.kind == literal && isText:
		return quoted, p.advance()
	case t.kind == word && !strings.Contains(t.text, "-"), t.text == "true", t.text == "false":
		return t.text, p.advance()
	}
	return "", p.unexpected("a property name (in quotes when it has a hyphen)")
}

// isTypeName is laxer than an object's own type: the OASIS grammar lets a type
// begin with a digit.
func isTypeName(s string) bool {
	if len(s) < 3 || len(s) > 250 || s[0] == '-' || s[len(s)-1] == '-' || strings.Contains(s, "--") {
		return false
	}
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || isDigit(c) || c == '-') {
			return false
		}
	}
	return true
}

func isPropertyName(s string) bool {
	if len(s) < 3 || len(s) > 250 {
		return s == "id"
	}
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || isDigit(c) || c == '_') {
			return false
		}
	}
	return true
}
