// Package text finds posts that say nearly the same in nearly the same words,
// in any script, so that copied text is a trace like a shared address.
//
// A text is cleaned, cut into character shingles, and sketched by MinHash; bands
// of the sketch propose candidates, the exact Jaccard similarity decides.
// Clusters gather around their first post and never chain. A claim and its
// denial share most of their words: texts that differ in negation or denial are
// kept apart.
package text

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Version names the cleaning and matching rules.
const Version = "causeway-text/2"

// Script is what the length floor depends on.
type Script uint8

const (
	Alphabetic Script = iota // Latin, Cyrillic, Vietnamese, Indonesian, ...
	Han                      // Chinese and Japanese
	Hangul
	Thai // and other scripts that write no spaces
)

// floors are the fewest letters, and for alphabets words, of a text that can be
// matched. Shorter ones are alike by chance.
var floors = map[Script]int{Alphabetic: 30, Han: 12, Hangul: 15, Thai: 25}

const wordFloor = 6

// Clean is a text ready to be compared.
type Clean struct {
	Text   string // letters and digits, lower case, one space between words of an alphabet
	Script Script
	Long   bool   // at or above the floor of its script
	Stance string // negations and denials found; texts of different stance never match
}

var (
	lower   = cases.Lower(language)
	markRun = unicode.Mn
)

// Normalise cleans a post: addresses, mentions, hashtags at either end, emoji
// and punctuation go, case and width are folded. Accents are folded for Latin
// letters alone, and not in Vietnamese, where they carry the tone; dakuten and
// Cyrillic marks stay.
func Normalise(raw string) Clean {
	words := strings.Fields(norm.NFKC.String(raw))
	words = slices.DeleteFunc(words, func(w string) bool {
		return strings.HasPrefix(w, "@") || strings.HasPrefix(w, "http://") || strings.HasPrefix(w, "https://") || strings.HasPrefix(w, "www.")
	})
	for len(words) > 0 && strings.HasPrefix(words[0], "#") {
		words = words[1:]
	}
	for len(words) > 0 && strings.HasPrefix(words[len(words)-1], "#") {
		words = words[:len(words)-1]
	}
	s := lower.String(strings.Join(words, " "))
	fold := !vietnamese(s)
	var b strings.Builder
	b.Grow(len(s))
	counts := map[Script]int{}
	space := false
	for _, r := range s {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(markRun, r) || unicode.Is(unicode.Mc, r):
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			if fold {
				r = foldLatin(r)
			}
			b.WriteRune(r)
			if unicode.IsLetter(r) {
				counts[scriptOf(r)]++
			}
		case r == '\'' || r == '’': // don't -> dont
		default:
			space = true
		}
	}
	c := Clean{Text: b.String()}
	for _, sc := range []Script{Han, Hangul, Thai} {
		if counts[sc] > counts[c.Script] {
			c.Script = sc
		}
	}
	if c.Script == Han || c.Script == Thai {
		c.Text = strings.ReplaceAll(c.Text, " ", "")
	}
	letters := counts[Alphabetic] + counts[Han] + counts[Hangul] + counts[Thai]
	c.Long = letters >= floors[c.Script] && (c.Script != Alphabetic || strings.Count(c.Text, " ")+1 >= wordFloor)
	c.Stance = stance(c)
	return c
}

func scriptOf(r rune) Script {
	switch {
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
		return Han
	case unicode.Is(unicode.Hangul, r):
		return Hangul
	case unicode.In(r, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
		return Thai
	}
	return Alphabetic
}

// vietnamese says whether the text uses letters that only Vietnamese has.
func vietnamese(s string) bool {
	for _, r := range s {
		if r == 'đ' || r == 'ơ' || r == 'ư' || r >= 0x1ea0 && r <= 0x1ef9 {
			return true
		}
	}
	return false
}

// foldLatin takes the accent off a Latin letter and leaves every other alone.
func foldLatin(r rune) rune {
	if r < 0xc0 || r > 0x24f {
		return r
	}
	if base, _ := utf8.DecodeRuneInString(norm.NFD.String(string(r))); base < 0x80 {
		return base
	}
	return r
}
