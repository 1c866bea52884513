package cut

import (
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// lookalikes maps Cyrillic and Greek letters that pass for Latin ones (from
// Unicode UTS 39, confusables) to those.
var lookalikes = strings.NewReplacer(
	"а", "a", "в", "b", "е", "e", "к", "k", "м", "m", "н", "h", "о", "o", "р", "p", "с", "c", "т", "t", "у", "y", "х", "x",
	"і", "i", "ѕ", "s", "ј", "j", "ԁ", "d", "ɡ", "g", "ӏ", "l", "ѵ", "v", "ԛ", "q", "ԝ", "w",
	"α", "a", "β", "b", "ε", "e", "η", "n", "ι", "i", "κ", "k", "ν", "v", "ο", "o", "ρ", "p", "τ", "t", "υ", "u", "χ", "x",
)

// defanged undoes the ways in which indicators are written so that nobody
// clicks on them.
var defanged = strings.NewReplacer(
	"[.]", ".", "(.)", ".", "{.}", ".", "[dot]", ".", "(dot)", ".", " dot ", ".", "[:]", ":", "[://]", "://",
	"hxxp", "http", "[at]", "@", "(at)", "@", "[@]", "@",
)

// fold brings text to the form in which copies are looked for: compatibility
// forms, case, accents, invisible characters, look-alikes and defanging are
// undone.
func fold(s string) string {
	s = strings.ToLower(norm.NFKD.String(s))
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) && !unicode.Is(unicode.Hiragana, r) && r != 0x3099 && r != 0x309a ||
			unicode.Is(unicode.Cf, r) || unicode.IsControl(r) && !unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
	return defanged.Replace(lookalikes.Replace(norm.NFC.String(s)))
}

// unescape undoes percent encoding, where the text is percent-encoded.
func unescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

// squeeze keeps letters and digits only.
func squeeze(folded string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == 0x3099 || r == 0x309a {
			return r
		}
		return -1
	}, folded)
}

// isScript says whether a rune is of a script written without spaces.
func isScript(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai) || r == 'ー'
}

// words splits folded text at whatever is neither letter nor digit; of scripts
// without spaces each rune is a word.
func words(folded string) []string {
	var out []string
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			out = append(out, word.String())
			word.Reset()
		}
	}
	for _, r := range folded {
		switch {
		case isScript(r):
			end()
			out = append(out, string(r))
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			word.WriteRune(r)
		default:
			end()
		}
	}
	end()
	return out
}
