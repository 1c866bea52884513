package stix

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// parseTree reads exactly one JSON value (RFC 8259, with the stricter rules of
// I-JSON, RFC 7493, on names and text).
func parseTree(text string) (*tree, *Error) {
	if len(text) > MaxObjectBytes {
		return nil, &Error{Line: 1, Code: "size", Text: fmt.Sprintf("larger than %d bytes", MaxObjectBytes)}
	}
	p := parser{text: text, nodes: make([]node, 0, len(text)/24+8)}
	if !utf8.ValidString(text) {
		return nil, p.fail(invalidUTF8(text), "utf8", "text is not UTF-8")
	}
	end, err := p.value(p.space(0), 1)
	if err != nil {
		return nil, err
	}
	if end = p.space(end); end != len(text) {
		return nil, p.fail(end, "trailing-data", "something follows the end of the object")
	}
	return &tree{text, p.nodes}, nil
}

func invalidUTF8(s string) int {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(s)
}

type parser struct {
	text  string
	nodes []node
}

func (p *parser) fail(at int, code, text string) *Error {
	return &Error{Line: 1 + strings.Count(p.text[:at], "\n"), Code: code, Text: text}
}

func (p *parser) syntax(at int, want string) *Error {
	if at >= len(p.text) {
		return p.fail(len(p.text), "syntax", "the text ends where "+want+" should stand")
	}
	r, _ := utf8.DecodeRuneInString(p.text[at:])
	return p.fail(at, "syntax", fmt.Sprintf("%q stands where %s should", r, want))
}

func (p *parser) space(i int) int {
	for i < len(p.text) && (p.text[i] == ' ' || p.text[i] == '\n' || p.text[i] == '\t' || p.text[i] == '\r') {
		i++
	}
	return i
}

// value reads the value at i and returns the offset after it.
func (p *parser) value(i, depth int) (int, *Error) {
	if i >= len(p.text) {
		return i, p.syntax(i, "a value")
	}
	at := len(p.nodes)
	switch c := p.text[i]; {
	case c == '"':
		return p.string(i)
	case c == '{' || c == '[':
		if depth > MaxDepth {
			return i, p.fail(i, "depth", fmt.Sprintf("nested deeper than %d levels", MaxDepth))
		}
		var end int
		var err *Error
		if c == '{' {
			p.nodes = append(p.nodes, node{start: uint32(i), kind: kindObject})
			end, err = p.object(i+1, at, depth)
		} else {
			p.nodes = append(p.nodes, node{start: uint32(i), kind: kindList})
			end, err = p.list(i+1, at, depth)
		}
		if err != nil {
			return i, err
		}
		p.nodes[at].end, p.nodes[at].next = uint32(end), uint32(len(p.nodes))
		return end, nil
	case c == '-' || c >= '0' && c <= '9':
		end, err := p.number(i)
		if err != nil {
			return i, err
		}
		p.leaf(i, end, kindNumber)
		return end, nil
	}
	for _, w := range [...]struct {
		text string
		kind kind
	}{{"true", kindBool}, {"false", kindBool}, {"null", kindNull}} {
		if strings.HasPrefix(p.text[i:], w.text) {
			p.leaf(i, i+len(w.text), w.kind)
			return i + len(w.text), nil
		}
	}
	return i, p.syntax(i, "a value")
}

func (p *parser) leaf(start, end int, k kind) {
	p.nodes = append(p.nodes, node{start: uint32(start), end: uint32(end), next: uint32(len(p.nodes) + 1), kind: k})
}

func (p *parser) list(i, at, depth int) (int, *Error) {
	if i = p.space(i); i < len(p.text) && p.text[i] == ']' {
		return i + 1, nil
	}
	for n := 0; ; n++ {
		end, err := p.value(p.space(i), depth+1)
		if err != nil {
			err.Path = joinPath(fmt.Sprintf("[%d]", n), err.Path)
			return i, err
		}
		p.nodes[at].n++
		if i = p.space(end); i >= len(p.text) {
			return i, p.syntax(i, `"," or "]"`)
		}
		switch p.text[i] {
		case ',':
			i++
		case ']':
			return i + 1, nil
		default:
			return i, p.syntax(i, `"," or "]"`)
		}
	}
}

func (p *parser) object(i, at, depth int) (int, *Error) {
	if i = p.space(i); i < len(p.text) && p.text[i] == '}' {
		return i + 1, nil
	}
	var seen map[string]struct{} // only of objects with many members
	for {
		if i = p.space(i); i >= len(p.text) || p.text[i] != '"' {
			return i, p.syntax(i, "a name")
		}
		key := uint32(len(p.nodes))
		end, err := p.string(i)
		if err != nil {
			return i, err
		}
		p.nodes[key].name = true
		name := p.name(key)
		if dup := p.duplicate(at, name, &seen); dup {
			err := p.fail(i, "duplicate-name", fmt.Sprintf("the name %q stands twice in one object", name))
			err.Path = name
			return i, err
		}
		if i = p.space(end); i >= len(p.text) || p.text[i] != ':' {
			return i, p.syntax(i, `":"`)
		}
		end, err = p.value(p.space(i+1), depth+1)
		if err != nil {
			err.Path = joinPath(name, err.Path)
			return i, err
		}
		p.nodes[at].n++
		if i = p.space(end); i >= len(p.text) {
			return i, p.syntax(i, `"," or "}"`)
		}
		switch p.text[i] {
		case ',':
			i++
		case '}':
			return i + 1, nil
		default:
			return i, p.syntax(i, `"," or "}"`)
		}
	}
}

// fewMembers is up to where comparing names one by one beats a map.
const fewMembers = 24

// duplicate says whether the object at node `at` already has the name.
func (p *parser) duplicate(at int, name string, seen *map[string]struct{}) bool {
	n := p.nodes[at].n
	if n < fewMembers {
		k := uint32(at + 1)
		for range n {
			if p.name(k) == name {
				return true
			}
			k = p.nodes[k+1].next
		}
		return false
	}
	if *seen == nil {
		*seen = make(map[string]struct{}, 2*fewMembers)
		k := uint32(at + 1)
		for range n {
			(*seen)[p.name(k)] = struct{}{}
			k = p.nodes[k+1].next
		}
	}
	_, dup := (*seen)[name]
	(*seen)[name] = struct{}{}
	return dup
}

func (p *parser) name(i uint32) string {
	n := &p.nodes[i]
	s := p.text[n.start+1 : n.end-1]
	if n.escaped {
		return unescape(s)
	}
	return s
}

// plain marks the bytes that stand for themselves inside a string.
var plain = func() (t [256]bool) {
	for c := 0x20; c < 256; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

func (p *parser) string(i int) (int, *Error) {
	s, escaped := p.text, false
	for j := i + 1; j < len(s); j++ {
		c := s[j]
		if plain[c] {
			continue
		}
		switch c {
		case '"':
			p.leaf(i, j+1, kindString)
			p.nodes[len(p.nodes)-1].escaped = escaped
			return j + 1, nil
		case '\\':
			n, ok := escapeLength(s[j:])
			if !ok {
				return i, p.fail(j, "syntax", "a bad escape, or half of a surrogate pair")
			}
			escaped, j = true, j+n-1
		default:
			return i, p.fail(j, "syntax", fmt.Sprintf("the control character %q stands unescaped in a string", rune(c)))
		}
	}
	return i, p.fail(i, "syntax", "the string that begins here does not end")
}

// escapeLength is the length of the escape at the start of s, both halves of a
// surrogate pair taken together.
func escapeLength(s string) (int, bool) {
	if len(s) < 2 {
		return 0, false
	}
	switch s[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, true
	case 'u':
		r, ok := hex4(s)
		if !ok {
			return 0, false
		}
		if !utf16.IsSurrogate(r) {
			return 6, true
		}
		low, ok := hex4(s[6:])
		if !ok || utf16.DecodeRune(r, low) == utf8.RuneError {
			return 0, false
		}
		return 12, true
	}
	return 0, false
}

// hex4 reads \uXXXX.
func hex4(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range []byte(s[2:6]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// unescape undoes the escapes of a string that parsed.
func unescape(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		s = s[i:]
		n, _ := escapeLength(s)
		switch n {
		case 2:
			b.WriteByte(map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}[s[1]])
		case 6:
			r, _ := hex4(s)
			b.WriteRune(r)
		case 12:
			high, _ := hex4(s)
			low, _ := hex4(s[6:])
			b.WriteRune(utf16.DecodeRune(high, low))
		}
		s = s[n:]
	}
}

func (p *parser) number(i int) (int, *Error) {
	s, start := p.text, i
	digits := func() bool {
		from := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i > from
	}
	if s[i] == '-' {
		i++
	}
	whole := i
	if !digits() {
		return start, p.syntax(i, "a digit")
	}
	if s[whole] == '0' && i > whole+1 {
		return start, p.fail(whole, "syntax", "a number begins with a needless 0")
	}
	if i < len(s) && s[i] == '.' {
		if i++; !digits() {
			return start, p.syntax(i, "a digit")
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		if i++; i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if !digits() {
			return start, p.syntax(i, "a digit")
		}
	}
	return i, nil
}
