package taxii

import "fmt"

// maxDepth bounds the nesting of a body. STIX objects of the standard need
// about ten levels; the object parser has a stricter limit of its own.
const maxDepth = 256

// SyntaxError tells where a body stops being JSON, or an envelope.
type SyntaxError struct {
	Offset int // bytes before the fault
	Text   string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("at byte %d: %s", e.Offset, e.Text) }

// lexer walks over JSON text (RFC 8259) without building anything, so that a
// body can be cut into the exact bytes of its parts. It checks the grammar in
// full. What lies inside an object of the exchange (duplicate keys, UTF-8)
// is left to the one parser that will read these same bytes.
type lexer struct {
	b []byte
	i int
}

func (l *lexer) fail(format string, args ...any) error {
	return &SyntaxError{l.i, fmt.Sprintf(format, args...)}
}

func (l *lexer) space() {
	for l.i < len(l.b) {
		switch l.b[l.i] {
		case ' ', '\t', '\n', '\r':
			l.i++
		default:
			return
		}
	}
}

// peek gives the next byte that is not space, or 0 at the end.
func (l *lexer) peek() byte {
	l.space()
	if l.i == len(l.b) {
		return 0
	}
	return l.b[l.i]
}

// expect consumes c.
func (l *lexer) expect(c byte) error {
	switch got := l.peek(); got {
	case c:
		l.i++
		return nil
	case 0:
		return l.fail("the text ends where %q is expected", c)
	default:
		return l.fail("%q where %q is expected", got, c)
	}
}

// end demands that nothing but space is left.
func (l *lexer) end() error {
	if c := l.peek(); c != 0 || l.i < len(l.b) {
		return l.fail("further text after the end of the JSON value")
	}
	return nil
}

// raw consumes one value and gives its bytes. It does not recurse: a million
// open brackets cost 32 bytes.
func (l *lexer) raw() ([]byte, error) {
	l.space()
	start := l.i
	var object [maxDepth/64 + 1]uint64 // bit d: the container at depth d is an object
	depth := 0
	inObject := func() bool { return object[depth/64]>>(depth%64)&1 == 1 }
	for {
		// One value begins here.
		switch c := l.peek(); c {
		case '{', '[':
			if depth++; depth > maxDepth {
				return nil, l.fail("nested deeper than %d levels", maxDepth)
			}
			l.i++
			bit := uint64(1) << (depth % 64)
			if object[depth/64] &^= bit; c == '{' {
				object[depth/64] |= bit
			}
			if l.peek() != c+2 { // '{'+2 is '}', '['+2 is ']'
				if c == '{' {
					if err := l.key(); err != nil {
						return nil, err
					}
				}
				continue
			}
		default:
			if err := l.scalar(); err != nil {
				return nil, err
			}
		}
		// One value ended; close what it closes, or go on to the next.
		for {
			if depth == 0 {
				return l.b[start:l.i:l.i], nil
			}
			switch c := l.peek(); {
			case c == '}' && inObject(), c == ']' && !inObject():
				l.i++
				depth--
				continue
			case c == ',':
				l.i++
				if inObject() {
					if err := l.key(); err != nil {
						return nil, err
					}
				}
			case c == 0:
				return nil, l.fail("the text ends inside a value")
			default:
				return nil, l.fail("%q where a comma or the end of the value is expected", c)
			}
			break
		}
	}
}

// key consumes a member's name and its colon.
func (l *lexer) key() error {
	if c := l.peek(); c != '"' {
		return l.fail("a member's name is expected")
	}
	if err := l.str(); err != nil {
		return err
	}
	return l.expect(':')
}

// scalar consumes a string, number or literal.
func (l *lexer) scalar() error {
	switch c := l.peek(); {
	case c == '"':
		return l.str()
	case c == '-' || c >= '0' && c <= '9':
		return l.number()
	case c == 't':
		return l.literal("true")
	case c == 'f':
		return l.literal("false")
	case c == 'n':
		return l.literal("null")
	case c == 0 && l.i == len(l.b):
		return l.fail("the text ends where a value is expected")
	}
	return l.fail("%q where a value is expected", l.b[l.i])
}

func (l *lexer) literal(s string) error {
	if len(l.b)-l.i < len(s) || string(l.b[l.i:l.i+len(s)]) != s {
		return l.fail("not a JSON value")
	}
	l.i += len(s)
	return nil
}

func (l *lexer) number() error {
	digits := func() bool {
		from := l.i
		for l.i < len(l.b) && l.b[l.i] >= '0' && l.b[l.i] <= '9' {
			l.i++
		}
		return l.i > from
	}
	at := func(c byte) bool { return l.i < len(l.b) && l.b[l.i] == c }
	if at('-') {
		l.i++
	}
	if at('0') {
		l.i++
	} else if !digits() {
		return l.fail("a number without digits")
	}
	if at('.') {
		if l.i++; !digits() {
			return l.fail("a number without digits after its point")
		}
	}
	if at('e') || at('E') {
		if l.i++; at('+') || at('-') {
			l.i++
		}
		if !digits() {
			return l.fail("a number without digits in its exponent")
		}
	}
	return nil
}

// str consumes a string, its quotes included.
func (l *lexer) str() error {
	for i := l.i + 1; i < len(l.b); i++ {
		switch c := l.b[i]; {
		case c == '"':
			l.i = i + 1
			return nil
		case c == '\\':
			if i++; i == len(l.b) {
				break
			}
			switch l.b[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				if i+4 >= len(l.b) || !isHex(l.b[i+1:i+5]) {
					l.i = i
					return l.fail("an escape that is not four hexadecimal digits")
				}
				i += 4
			default:
				l.i = i
				return l.fail("an unknown escape in a string")
			}
		case c < 0x20:
			l.i = i
			return l.fail("a control character in a string")
		}
	}
	return l.fail("a string that does not end")
}

func isHex(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// members consumes an object and calls f for each member, with the value not
// yet consumed: f must consume it. Names must be UTF-8 and appear once.
func (l *lexer) members(f func(name string) error) error {
	if err := l.expect('{'); err != nil {
		return err
	}
	if l.peek() == '}' {
		l.i++
		return nil
	}
	seen := make(map[string]bool)
	for {
		l.space()
		from := l.i
		if err := l.key(); err != nil {
			return err
		}
		name, err := unquote(l.b[from:])
		if err != nil {
			return &SyntaxError{from, err.Error()}
		}
		if seen[name] {
			return &SyntaxError{from, fmt.Sprintf("the member %q appears twice", name)}
		}
		if len(seen) == maxMembers {
			return &SyntaxError{from, fmt.Sprintf("more than %d members", maxMembers)}
		}
		seen[name] = true
		if err := f(name); err != nil {
			return err
		}
		if l.peek() != ',' {
			return l.expect('}')
		}
		l.i++
	}
}

// maxMembers bounds the properties of an envelope; five are defined.
const maxMembers = 256
