// Package terms cuts text into the words that search compares: the same cut
// for what is stored and for what is asked, on every engine.
//
// Letters and digits are lower-cased and kept together. Han, kana and Hangul,
// written without blanks, become single characters and overlapping pairs, so
// that a word inside a Japanese sentence is found.
package terms

import (
	"unicode"
	"unicode/utf8"
)

// MaxTerms bounds what one text can cost; MaxLength is in bytes.
const (
	MaxTerms  = 4096
	MaxLength = 64
)

// Of gives the distinct terms of the texts, in order of appearance.
func Of(texts ...string) []string {
	c := cutter{seen: map[string]struct{}{}}
	for _, t := range texts {
		c.text(t)
	}
	return c.out
}

// firstUnspaced is the first character of the scripts written without blanks:
// most text is below it, and looking scripts up is slow.
const firstUnspaced = 'ᄀ'

type cutter struct {
	out  []string
	seen map[string]struct{}
	word []byte
}

func (c *cutter) add(term string) {
	if _, dup := c.seen[term]; dup || len(c.out) >= MaxTerms {
		return
	}
	c.seen[term] = struct{}{}
	c.out = append(c.out, term)
}

func (c *cutter) end() {
	if len(c.word) > 0 {
		c.add(string(c.word))
		c.word = c.word[:0]
	}
}

func (c *cutter) text(s string) {
	var before rune // the last character when it was one written without blanks
	for _, r := range s {
		switch {
		case r >= firstUnspaced && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || before != 0 && r == 'ー':
			c.end()
			c.add(string(r))
			if before != 0 {
				c.add(string([]rune{before, r}))
			}
			before = r
			continue
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			if len(c.word)+utf8.UTFMax <= MaxLength {
				c.word = utf8.AppendRune(c.word, unicode.ToLower(fold(r)))
			}
		default:
			c.end()
		}
		before = 0
	}
	c.end()
}

// fold maps full-width letters and digits to their usual forms.
func fold(r rune) rune {
	if r >= '！' && r <= '～' {
		return r - '！' + '!'
	}
	return r
}
