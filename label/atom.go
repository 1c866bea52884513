package label

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"
)

// atom is the number of one thing a reader can hold: a classification of a
// policy, a category value, an audience. Numbers are dense so that holdings
// are a bit set; they mean nothing outside this process, and every stored or
// sent form is the atom's text.
type atom uint32

// everyone is the atom that every reader holds, the public included. A clause
// with it limits nobody.
const everyone atom = 0

const everyoneText = "everyone"

// maxAtoms bounds the table of atoms. Policies, epochs and audiences of a node
// make some ten thousand; a rule that would grow the table beyond this is
// refused.
const maxAtoms = 1 << 20

// atoms numbers atom texts for the life of the process.
var atoms = struct {
	sync.RWMutex
	number map[string]atom
	text   []string
}{
	number: map[string]atom{everyoneText: everyone},
	text:   []string{everyoneText},
}

var errTooManyAtoms = errors.New("the table of atoms is full")

// intern gives the number of an atom's text.
func intern(text string) (atom, error) {
	atoms.RLock()
	a, ok := atoms.number[text]
	atoms.RUnlock()
	if ok {
		return a, nil
	}
	atoms.Lock()
	defer atoms.Unlock()
	if a, ok := atoms.number[text]; ok {
		return a, nil
	}
	if len(atoms.text) >= maxAtoms {
		return 0, errTooManyAtoms
	}
	a = atom(len(atoms.text))
	text = strings.Clone(text)
	atoms.number[text] = a
	atoms.text = append(atoms.text, text)
	return a, nil
}

func (a atom) String() string {
	atoms.RLock()
	defer atoms.RUnlock()
	return atoms.text[a]
}

// classTag is the tag of classification atoms.
const classTag = "class"

// parts are the fields of an atom's text "policy/tag/value" or
// "policy/tag/value@epoch". The tag is "class", or "SETOID:tag name".
type parts struct {
	policy, tag, value, epoch string
}

// text writes the fields, each escaped so that texts are equal only where all
// fields are.
func (p parts) text() string {
	set, name, isTag := strings.Cut(p.tag, ":")
	tag := escape(set)
	if isTag {
		tag += ":" + escape(name)
	}
	t := escape(p.policy) + "/" + tag + "/" + escape(p.value)
	if p.epoch != "" {
		t += "@" + escape(p.epoch)
	}
	return t
}

// parseParts reads what text wrote and refuses every other spelling.
func parseParts(text string) (parts, error) {
	var p parts
	fields := strings.Split(text, "/")
	if len(fields) != 3 {
		return p, fmt.Errorf("atom %q does not have three fields", text)
	}
	value, epoch, dated := strings.Cut(fields[2], "@")
	set, name, isTag := strings.Cut(fields[1], ":")
	p = parts{policy: unescape(fields[0]), tag: unescape(set), value: unescape(value), epoch: unescape(epoch)}
	if isTag {
		p.tag += ":" + unescape(name)
	}
	if p.policy == "" || set == "" || p.value == "" || dated && p.epoch == "" || p.text() != text {
		return p, fmt.Errorf("atom %q is not in canonical form", text)
	}
	return p, nil
}

// reserved are the bytes with a meaning in rule keys and atom texts.
const reserved = "%/:@|&"

func escape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] == 0x7f || strings.IndexByte(reserved, s[i]) >= 0 {
			fmt.Fprintf(&b, "%%%02X", s[i])
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, lo := hexDigit(s[i+1]), hexDigit(s[i+2])
			if hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// validText says whether s may stand in an atom: well-formed, not empty.
func validText(s string) bool { return s != "" && utf8.ValidString(s) }
