package taxii

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Envelope is a list of objects on its way (section 3.7).
type Envelope struct {
	More    bool
	Next    string
	Objects []json.RawMessage // the producer's bytes, untouched and unparsed
}

// ErrNotEnvelope is wrapped by [ParseEnvelope] for bodies that are JSON and
// something else, most often a STIX bundle.
var ErrNotEnvelope = errors.New("not a TAXII envelope")

// ParseEnvelope cuts an envelope into the exact bytes of its objects. It
// checks the JSON grammar of the whole body, and of the envelope itself also
// that names are UTF-8 and unique. It does not look into the objects: each
// must go through the one strict STIX parser. The result shares b.
//
// Unknown properties are ignored, as section 3.1.1 allows. Limits: 256 levels
// of nesting, 256 properties, maxObjects objects (0: any number).
// Errors are a [*SyntaxError], or wrap [ErrNotEnvelope].
func ParseEnvelope(b []byte, maxObjects int) (*Envelope, error) {
	l := &lexer{b: b}
	if c := l.peek(); c != '{' && c != 0 {
		if _, err := l.raw(); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w: the body must be a JSON object", ErrNotEnvelope)
	}
	var e Envelope
	bundle := false
	err := l.members(func(name string) (err error) {
		switch name {
		case "objects":
			e.Objects, err = l.elements(maxObjects)
			return err
		case "more":
			e.More, err = l.boolean()
			return err
		case "next":
			e.Next, err = l.text()
			return err
		case "type":
			v, err := l.raw()
			bundle = string(v) == `"bundle"`
			return err
		}
		_, err = l.raw()
		return err
	})
	if err == nil {
		err = l.end()
	}
	if err != nil {
		return nil, err
	}
	if bundle {
		return nil, fmt.Errorf("%w: this is a STIX bundle; send {\"objects\": [...]} with the objects of the bundle", ErrNotEnvelope)
	}
	return &e, nil
}

// elements consumes an array and gives the bytes of each element.
func (l *lexer) elements(limit int) ([]json.RawMessage, error) {
	if c := l.peek(); c != '[' {
		return nil, l.fail(`"objects" must be an array`)
	}
	l.i++
	if l.peek() == ']' {
		l.i++
		return nil, nil
	}
	var list []json.RawMessage
	for {
		if limit > 0 && len(list) == limit {
			return nil, l.fail("more than %d objects in one envelope; send several", limit)
		}
		v, err := l.raw()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if l.peek() != ',' {
			return list, l.expect(']')
		}
		l.i++
	}
}

func (l *lexer) boolean() (bool, error) {
	switch l.peek() {
	case 't':
		return true, l.literal("true")
	case 'f':
		return false, l.literal("false")
	}
	return false, l.fail("true or false is expected")
}

func (l *lexer) text() (string, error) {
	if l.peek() != '"' {
		return "", l.fail("a string is expected")
	}
	from := l.i
	if err := l.str(); err != nil {
		return "", err
	}
	s, err := unquote(l.b[from:l.i])
	if err != nil {
		return "", &SyntaxError{from, err.Error()}
	}
	return s, nil
}

// unquote decodes the JSON string at the beginning of b, which the lexer has
// checked.
func unquote(b []byte) (string, error) {
	end := 1
	for ; b[end] != '"'; end++ {
		if b[end] == '\\' {
			end++
		}
	}
	b = b[:end+1]
	if !utf8.Valid(b) {
		return "", errors.New("a string that is not UTF-8")
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return "", errors.New("a string that is not JSON")
	}
	return s, nil
}
