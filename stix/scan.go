package stix

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Limits bound what Scan takes from a stream; zero fields mean the default.
type Limits struct {
	ObjectBytes int   // of one object; default and maximum MaxObjectBytes
	Bytes       int64 // of the whole stream; default no limit
	// Lines says that every line is one value, so that a broken line costs
	// only itself. Otherwise the shape is recognised.
	Lines bool
	// Wrapper, when set, is given each member around the objects: "id" of a
	// bundle, "more" and "next" of a TAXII envelope. value is JSON text.
	Wrapper func(name string, value []byte)
}

// Item is one object of a stream, or why it was refused. The objects after a
// refused one are still read.
type Item struct {
	Line   int // where it begins in the stream, from 1
	Object *Object
	Err    error // *Error, its Line counted in the stream
}

// Scan reads the objects of a STIX bundle, a TAXII envelope, a JSON array,
// JSON Lines or any sequence of these, or one object, in order and in memory
// for one object only. The second value ends the stream: the text around the
// objects is broken or cut off, or r failed; what was yielded before stands.
func Scan(r io.Reader, l Limits) iter.Seq2[Item, error] {
	if l.ObjectBytes <= 0 || l.ObjectBytes > MaxObjectBytes {
		l.ObjectBytes = MaxObjectBytes
	}
	return func(yield func(Item, error) bool) {
		s := &scanner{r: bufio.NewReaderSize(r, 64<<10), limits: l, line: 1, yield: yield}
		err := s.stream()
		if err != nil && !errors.Is(err, errStop) {
			yield(Item{Line: s.line}, err)
		}
	}
}

var errStop = errors.New("the caller has seen enough")

// scanner cuts a stream into values without looking inside them.
type scanner struct {
	r      *bufio.Reader
	limits Limits
	line   int
	read   int64
	yield  func(Item, error) bool
	buf    []byte
}

func (s *scanner) fail(code, format string, args ...any) error {
	return &Error{Line: s.line, Code: code, Text: fmt.Sprintf(format, args...)}
}

// stream reads values until the end.
func (s *scanner) stream() error {
	if s.limits.Lines {
		return s.lines()
	}
	for {
		c, err := s.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch c {
		case '{':
			err = s.outer()
		case '[':
			err = s.array()
		default:
			return s.fail("syntax", "%q stands where an object or a list should", rune(c))
		}
		if err != nil {
			return err
		}
	}
}

func (s *scanner) lines() error {
	for {
		start := s.line
		s.buf = s.buf[:0]
		tooLong := false
		for {
			part, err := s.r.ReadSlice('\n')
			if s.read += int64(len(part)); s.limits.Bytes > 0 && s.read > s.limits.Bytes {
				return s.fail("size", "the text is larger than %d bytes", s.limits.Bytes)
			}
			if tooLong = tooLong || len(s.buf)+len(part) > s.limits.ObjectBytes+1; !tooLong {
				s.buf = append(s.buf, part...)
			}
			if err == bufio.ErrBufferFull {
				continue
			}
			if err != nil && err != io.EOF {
				return fmt.Errorf("read: %w", err)
			}
			if text := bytes.TrimSpace(s.buf); tooLong {
				if err := s.emit(start, nil, &Error{Line: start, Code: "size", Text: fmt.Sprintf("larger than %d bytes", s.limits.ObjectBytes)}); err != nil {
					return err
				}
			} else if len(text) > 0 {
				if err := s.object(start, text); err != nil {
					return err
				}
			}
			if err == io.EOF {
				return nil
			}
			s.line++
			break
		}
	}
}

func (s *scanner) object(line int, text []byte) error {
	o, err := ParseObject(text)
	var e *Error
	if errors.As(err, &e) {
		e.Line += line - 1
	}
	return s.emit(line, o, err)
}

func (s *scanner) emit(line int, o *Object, err error) error {
	if !s.yield(Item{line, o, err}, nil) {
		return errStop
	}
	return nil
}

// next reads the next byte that is not space.
func (s *scanner) next() (byte, error) {
	for {
		c, err := s.r.ReadByte()
		if err == io.EOF {
			return 0, io.EOF
		}
		if err != nil {
			return 0, fmt.Errorf("read: %w", err)
		}
		if s.read++; s.limits.Bytes > 0 && s.read > s.limits.Bytes {
			return 0, s.fail("size", "the text is larger than %d bytes", s.limits.Bytes)
		}
		switch c {
		case '\n':
			s.line++
		case ' ', '\t', '\r':
		default:
			return c, nil
		}
	}
}

// must is next inside a value, where the end of the text is a fault.
func (s *scanner) must(want string) (byte, error) {
	c, err := s.next()
	if err == io.EOF {
		return 0, s.fail("syntax", "the text is cut off: it ends where %s should stand", want)
	}
	return c, err
}

// array reads the elements of a list whose bracket is read.
func (s *scanner) array() error {
	if c, err := s.must(`an object or "]"`); err != nil || c == ']' {
		return err
	}
	for {
		s.r.UnreadByte()
		s.read--
		line := s.line
		s.buf = s.buf[:0]
		fits, err := s.value(s.limits.ObjectBytes)
		if err != nil {
			return err
		}
		if !fits {
			err = s.emit(line, nil, &Error{Line: line, Code: "size", Text: fmt.Sprintf("larger than %d bytes", s.limits.ObjectBytes)})
		} else {
			err = s.object(line, s.buf)
		}
		if err != nil {
			return err
		}
		c, err := s.must(`"," or "]"`)
		if err != nil || c == ']' {
			return err
		}
		if c != ',' {
			return s.fail("syntax", `%q stands where "," or "]" should, after an object`, rune(c))
		}
		if _, err = s.must("an object"); err != nil {
			return err
		}
	}
}

// outer reads what follows a "{" at the top: a bundle or an envelope, whose
// "objects" are handed out one by one, or an object.
func (s *scanner) outer() error {
	line, streamed := s.line, false
	text := []byte{'{'} // all but the streamed objects
	more := true
	c, err := s.must(`a name or "}"`)
	if err != nil {
		return err
	}
	if c == '}' {
		more = false
	} else {
		s.r.UnreadByte()
		s.read--
	}
	for more {
		s.buf = s.buf[:0]
		if c, err = s.peekMust("a name"); err != nil {
			return err
		}
		if c != '"' {
			return s.fail("syntax", "%q stands where a name should", rune(c))
		}
		if _, err = s.value(MaxObjectBytes); err != nil {
			return err
		}
		name := string(s.buf)
		if c, err = s.must(`":"`); err != nil {
			return err
		}
		if c != ':' {
			return s.fail("syntax", `%q stands where ":" should`, rune(c))
		}
		if c, err = s.peekMust("a value"); err != nil {
			return err
		}
		text = append(append(text, name...), ':')
		if name == `"objects"` && c == '[' && !streamed {
			s.next()
			if err := s.array(); err != nil {
				return err
			}
			streamed = true
			text = append(text, "[]"...)
		} else {
			s.buf = s.buf[:0]
			fits, err := s.value(s.limits.ObjectBytes - len(text))
			if err != nil {
				return err
			}
			if !fits {
				return s.fail("size", "the text around the objects is larger than %d bytes", s.limits.ObjectBytes)
			}
			text = append(text, s.buf...)
		}
		if c, err = s.must(`"," or "}"`); err != nil {
			return err
		}
		switch c {
		case ',':
			text = append(text, ',')
		case '}':
			more = false
		default:
			return s.fail("syntax", `%q stands where "," or "}" should`, rune(c))
		}
	}
	text = append(text, '}')
	return s.whole(line, text, streamed)
}

func (s *scanner) peekMust(want string) (byte, error) {
	c, err := s.must(want)
	if err == nil {
		s.r.UnreadByte()
		s.read--
	}
	return c, err
}

// whole judges what outer read: an object, or the members round the objects.
func (s *scanner) whole(line int, text []byte, streamed bool) error {
	if !streamed {
		o, err := ParseObject(text)
		if err == nil && (o.typ == "bundle" || o.typ == "" && o.id == "" && isEnvelope(o)) {
			s.wrapper(o)
			return nil
		}
		return s.object(line, text)
	}
	o, err := ParseObject(text)
	if err != nil {
		return err
	}
	s.wrapper(o)
	return nil
}

// isEnvelope tells an empty TAXII envelope (TAXII 2.1 section 3.7) from an
// object without type and id.
func isEnvelope(o *Object) bool {
	ok := true
	o.root().members(func(name string, v value) bool {
		ok = ok && (name == "more" || name == "next")
		return ok
	})
	return ok
}

func (s *scanner) wrapper(o *Object) {
	if s.limits.Wrapper == nil {
		return
	}
	o.root().members(func(name string, v value) bool {
		if name != "objects" {
			s.limits.Wrapper(name, []byte(v.raw()))
		}
		return true
	})
}

// value appends the next value to buf, whole but unchecked: up to its closing
// bracket, its closing quote, or the end of its word. Past limit bytes it
// reads on and says that it does not fit.
func (s *scanner) value(limit int) (fits bool, err error) {
	if _, err := s.peekMust("a value"); err != nil {
		return false, err
	}
	fits = true
	var at cut
	for !at.done {
		if _, err := s.r.Peek(1); err == io.EOF {
			return false, s.fail("syntax", "the text is cut off in the middle of an object")
		} else if err != nil {
			return false, fmt.Errorf("read: %w", err)
		}
		chunk, _ := s.r.Peek(s.r.Buffered())
		n := at.advance(chunk)
		if s.read += int64(n); s.limits.Bytes > 0 && s.read > s.limits.Bytes {
			return false, s.fail("size", "the text is larger than %d bytes", s.limits.Bytes)
		}
		s.line += bytes.Count(chunk[:n], []byte{'\n'})
		if fits = fits && len(s.buf)+n <= limit; fits {
			s.buf = append(s.buf, chunk[:n]...)
		}
		s.r.Discard(n)
	}
	return fits, nil
}

// cut finds the end of one value in text that comes in pieces. It counts
// brackets without telling their kinds apart: what it cuts out is parsed.
type cut struct {
	depth             int
	inString, escaped bool
	inWord            bool
	done              bool
}

// advance takes bytes up to the end of the value, if it is in b.
func (c *cut) advance(b []byte) (n int) {
	for n < len(b) && !c.done {
		if c.inString {
			n = c.stringPart(b, n)
			continue
		}
		switch ch := b[n]; ch {
		case '"':
			if c.inWord && c.depth == 0 {
				c.done = true
				return n
			}
			c.inString = true
		case '{', '[':
			c.depth++
		case '}', ']':
			if c.depth == 0 { // the bracket of what the word stands in
				c.done = true
				return n
			}
			c.depth--
			c.done = c.depth == 0
		case ',', ':', ' ', '\t', '\r', '\n':
			if c.depth == 0 {
				c.done = true
				return n
			}
		default:
			c.inWord = c.inWord || c.depth == 0
		}
		n++
	}
	return n
}

func (c *cut) stringPart(b []byte, n int) int {
	if c.escaped {
		c.escaped = false
		return n + 1
	}
	for n < len(b) && b[n] != '"' && b[n] != '\\' {
		n++
	}
	if n < len(b) {
		c.escaped = b[n] == '\\'
		c.inString = c.escaped
		c.done = !c.inString && c.depth == 0
		n++
	}
	return n
}
