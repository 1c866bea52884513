package pattern

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	end     tokenKind = iota
	word              // keyword or name
	symbol            // ( ) [ ] : . , * and the comparison signs
	literal           // value holds the constant
)

type token struct {
	kind  tokenKind
	text  string // as written; the name of a quoted path step is in value
	at    int
	value any // of a literal: string, int64, float64, bool, Bytes or time.Time
}

// Bytes is a binary or hexadecimal constant.
type Bytes string

// lexer cuts a pattern into tokens, one at a time.
type lexer struct {
	text string
	at   int
}

func (l *lexer) fail(at int, format string, args ...any) error {
	return &Error{at, fmt.Sprintf(format, args...)}
}

// space skips white space (any Unicode White_Space) and comments.
func (l *lexer) space() error {
	for l.at < len(l.text) {
		switch rest := l.text[l.at:]; {
		case strings.HasPrefix(rest, "//"):
			n := strings.IndexAny(rest, "\r\n")
			if n < 0 {
				n = len(rest)
			}
			l.at += n
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest, "*/")
			if n < 0 {
				return l.fail(l.at, "the comment that begins here does not end")
			}
			l.at += n + 2
		default:
			r, n := utf8.DecodeRuneInString(rest)
			if !unicode.IsSpace(r) {
				return nil
			}
			l.at += n
		}
	}
	return nil
}

// next reads one token.
func (l *lexer) next() (token, error) {
	if err := l.space(); err != nil {
		return token{}, err
	}
	at := l.at
	if at == len(l.text) {
		return token{kind: end, at: at}, nil
	}
	c := l.text[at]
	switch {
	case c == '\'':
		s, err := l.quoted()
		return token{literal, l.text[at:l.at], at, s}, err
	case (c == 't' || c == 'h' || c == 'b') && strings.HasPrefix(l.text[at+1:], "'"):
		return l.typed(c)
	case isNameStart(c):
		for l.at < len(l.text) && isName(l.text[l.at]) {
			l.at++
		}
		w := l.text[at:l.at]
		if w == "true" || w == "false" {
			return token{literal, w, at, w == "true"}, nil
		}
		return token{kind: word, text: w, at: at}, nil
	case c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.' && at+1 < len(l.text) && isDigit(l.text[at+1]):
		return l.number()
	}
	for _, s := range [...]string{"<=", ">=", "<>", "!=", "==", "=", "<", ">", "(", ")", "[", "]", ":", ".", ",", "*"} {
		if strings.HasPrefix(l.text[at:], s) {
			l.at += len(s)
			return token{kind: symbol, text: s, at: at}, nil
		}
	}
	r, _ := utf8.DecodeRuneInString(l.text[at:])
	return token{}, l.fail(at, "%q has no place in a pattern", r)
}

func isDigit(c byte) bool     { return c >= '0' && c <= '9' }
func isNameStart(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
func isName(c byte) bool      { return isNameStart(c) || isDigit(c) || c == '-' }

// quoted reads '…', in which \' and \\ are the only escapes.
func (l *lexer) quoted() (string, error) {
	start := l.at
	var b strings.Builder
	for i := start + 1; i < len(l.text); i++ {
		switch c := l.text[i]; c {
		case '\'':
			l.at = i + 1
			return b.String(), nil
		case '\\':
			if i++; i < len(l.text) && (l.text[i] == '\'' || l.text[i] == '\\') {
				b.WriteByte(l.text[i])
				continue
			}
			return "", l.fail(i-1, `in a string \ stands only before ' and \`)
		default:
			b.WriteByte(c)
		}
	}
	return "", l.fail(start, "the string that begins here does not end")
}

// typed reads t'…', h'…' or b'…'.
func (l *lexer) typed(kind byte) (token, error) {
	at := l.at
	l.at++
	s, err := l.quoted()
	if err != nil {
		return token{}, err
	}
	t := token{kind: literal, text: l.text[at:l.at], at: at}
	switch kind {
	case 't':
		when, ok := parseTime(s)
		if !ok {
			return t, l.fail(at, "%q is no timestamp", s)
		}
		t.value = when
	case 'h':
		b, err := hex.DecodeString(s)
		if err != nil {
			return t, l.fail(at, "%q is not an even number of hex digits", s)
		}
		t.value = Bytes(b)
	case 'b':
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return t, l.fail(at, "%q is not base64", s)
		}
		t.value = Bytes(b)
	}
	return t, nil
}

var timeForm = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`)

// parseTime reads a timestamp of STIX 2.16. What lies below a nanosecond is
// cut off.
func parseTime(s string) (time.Time, bool) {
	if !timeForm.MatchString(s) {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return t, err == nil
}

// number reads an integer or a float: a sign, digits without a leading zero,
// a fraction, an exponent.
func (l *lexer) number() (token, error) {
	at := l.at
	i := at
	if l.text[i] == '+' || l.text[i] == '-' {
		i++
	}
	whole := i
	for i < len(l.text) && isDigit(l.text[i]) {
		i++
	}
	float := false
	if i+1 < len(l.text) && l.text[i] == '.' && isDigit(l.text[i+1]) {
		float = true
		for i++; i < len(l.text) && isDigit(l.text[i]); i++ {
		}
	}
	if i == whole {
		return token{}, l.fail(at, "%q has no place in a pattern", l.text[at])
	}
	if !float && i > whole+1 && l.text[whole] == '0' {
		return token{}, l.fail(at, "a number begins with a needless 0")
	}
	if float && i < len(l.text) && l.text[i]|0x20 == 'e' {
		e := i + 1
		if e < len(l.text) && (l.text[e] == '+' || l.text[e] == '-') {
			e++
		}
		if e < len(l.text) && isDigit(l.text[e]) {
			for i = e; i < len(l.text) && isDigit(l.text[i]); i++ {
			}
		}
	}
	if i < len(l.text) && isName(l.text[i]) {
		return token{}, l.fail(i, "%q follows a number", l.text[i])
	}
	l.at = i
	t := token{kind: literal, text: l.text[at:i], at: at}
	var err error
	if float {
		t.value, err = strconv.ParseFloat(t.text, 64)
	} else {
		t.value, err = strconv.ParseInt(t.text, 10, 64)
	}
	if err != nil {
		return t, l.fail(at, "the number %s is too large", t.text)
	}
	return t, nil
}
