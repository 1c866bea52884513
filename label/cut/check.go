package cut

import (
	"crypto/md5"  // #nosec G501: to recognise a withheld value's digest, not to protect one
	"crypto/sha1" // #nosec G505: as above
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"causeway/stix"
)

// Finding is withheld content found in a cut.
type Finding struct {
	ID    string // of the object of the cut
	Path  string
	Token string // what is withheld
	How   string // id, copy, near copy, passage, digest
}

// Key names the finding, for Plan.Accept.
func (f Finding) Key() string { return f.ID + " " + f.Path + " " + f.Token }

func (f Finding) String() string {
	return fmt.Sprintf("%s %s: %s of %q", f.ID, f.Path, f.How, f.Token)
}

// Check looks through every property name and value of the objects for ids
// (whole, or their UUID alone) and for tokens: copies however they are written
// (case, width, accents, look-alike letters, defanging, percent encoding,
// spacing), near copies by a letter or two, passages of longer texts, and
// digests or encodings of a value.
func Check(objects []*stix.Object, ids, tokens []string) []Finding {
	marks := make([]mark, 0, len(tokens))
	for _, t := range tokens {
		if m, ok := newMark(t); ok {
			marks = append(marks, m)
		}
	}
	uuids := make([]string, len(ids))
	for i, id := range ids {
		_, uuid, _ := strings.Cut(strings.ToLower(id), "--")
		uuids[i] = strings.ReplaceAll(uuid, "-", "")
	}
	var out []Finding
	for _, o := range objects {
		body, err := decode(o.Raw())
		if err != nil {
			out = append(out, Finding{o.ID(), "", "", "unreadable"})
			continue
		}
		for place := range everyText("", body) {
			out = append(out, checkText(o.ID(), place, ids, uuids, marks)...)
		}
	}
	return out
}

// place is a text and where it stands.
type place struct{ path, text string }

// everyText yields every string and number of a value, and every property
// name.
func everyText(path string, v any) func(yield func(place) bool) {
	return func(yield func(place) bool) { walk(path, v, yield) }
}

func walk(path string, v any, yield func(place) bool) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if !yield(place{join(path, name), name}) || !walk(join(path, name), v[name], yield) {
				return false
			}
		}
	case []any:
		for i, e := range v {
			if !walk(fmt.Sprintf("%s[%d]", path, i), e, yield) {
				return false
			}
		}
	case string:
		return yield(place{path, v})
	case json.Number:
		return yield(place{path, v.String()})
	}
	return true
}

func checkText(id string, p place, ids, uuids []string, marks []mark) []Finding {
	var out []Finding
	t := newSubject(p.text)
	for i, uuid := range uuids {
		if len(uuid) == 32 && strings.Contains(t.hex, uuid) {
			out = append(out, Finding{id, p.path, ids[i], "id"})
		}
	}
	for _, m := range marks {
		if how := m.in(t); how != "" {
			out = append(out, Finding{id, p.path, m.token, how})
		}
	}
	return out
}

// subject is a text prepared for looking.
type subject struct {
	raw, hex, squeezed string
	words              []string
}

func newSubject(s string) subject {
	folded := fold(unescape(s))
	t := subject{raw: s, squeezed: squeeze(folded), words: words(folded)}
	t.hex = strings.ReplaceAll(strings.ToLower(s), "-", "")
	return t
}

// mark is a token prepared for looking.
type mark struct {
	token    string
	squeezed string
	words    []string
	script   bool
	digests  []string // lower-case hex
	base64   string
}

// Lengths, in letters and digits, from which a token is looked for at all, from
// which it is looked for across word boundaries, and from which near copies
// count; of scripts without spaces two characters are enough.
const (
	minToken  = 3
	minAcross = 8
	passage   = 6 // words in a row that two texts share
	longText  = 8 // words from which a token is a text
)

func newMark(token string) (mark, bool) {
	folded := fold(unescape(strings.TrimSpace(token)))
	m := mark{token: token, squeezed: squeeze(folded), words: words(folded)}
	m.script = strings.ContainsFunc(folded, isScript)
	n := len([]rune(m.squeezed))
	if n < minToken && !(m.script && n >= 2) {
		return m, false
	}
	raw := []byte(strings.TrimSpace(token))
	d5, d1, d2, d512 := md5.Sum(raw), sha1.Sum(raw), sha256.Sum256(raw), sha512.Sum512(raw) // #nosec G401
	m.digests = []string{hex.EncodeToString(d5[:]), hex.EncodeToString(d1[:]), hex.EncodeToString(d2[:]), hex.EncodeToString(d512[:])}
	if len(raw) >= 6 {
		m.digests = append(m.digests, hex.EncodeToString(raw))
		m.base64 = base64.RawStdEncoding.EncodeToString(raw)
	}
	return m, true
}

// in says how the token stands in a text, or "".
func (m *mark) in(t subject) string {
	if slices.ContainsFunc(m.digests, func(d string) bool { return strings.Contains(t.hex, d) }) ||
		m.base64 != "" && strings.Contains(t.raw, m.base64) {
		return "digest"
	}
	runes := len([]rune(m.squeezed))
	switch {
	case containsWords(t.words, m.words), runes >= minAcross && strings.Contains(t.squeezed, m.squeezed):
		return "copy"
	case len(m.words) >= longText:
		if sharesPassage(t.words, m.words) {
			return "passage"
		}
		return ""
	case !m.script && runes >= minAcross && len(t.squeezed) > 0 && near([]rune(t.squeezed), []rune(m.squeezed), tolerance(runes)):
		return "near copy"
	}
	return ""
}

// tolerance is how many letters a near copy may differ by.
func tolerance(n int) int {
	if n >= 16 {
		return 2
	}
	return 1
}

func containsWords(text, token []string) bool {
	for i := 0; i+len(token) <= len(text); i++ {
		if slices.Equal(text[i:i+len(token)], token) {
			return true
		}
	}
	return false
}

// sharesPassage says whether two texts have a run of words in common: six
// words, or of scripts without spaces twice as many characters.
func sharesPassage(a, b []string) bool {
	n := passage
	script := 0
	for _, w := range b {
		if strings.ContainsFunc(w, isScript) {
			script++
		}
	}
	if script > len(b)/2 {
		n = 2 * passage
	}
	if len(a) < n || len(b) < n {
		return false
	}
	seen := map[string]bool{}
	for i := 0; i+n <= len(b); i++ {
		seen[strings.Join(b[i:i+n], " ")] = true
	}
	for i := 0; i+n <= len(a); i++ {
		if seen[strings.Join(a[i:i+n], " ")] {
			return true
		}
	}
	return false
}

// near says whether some part of text differs from token by at most k letters
// inserted, left out or changed (Sellers, 1980: dynamic programming with a free
// start).
func near(text, token []rune, k int) bool {
	row := make([]int, len(token)+1)
	for i := range row {
		row[i] = i
	}
	for _, r := range text {
		diagonal := row[0]
		for i, c := range token {
			cost := diagonal
			if c != r {
				cost++
			}
			diagonal = row[i+1]
			row[i+1] = min(cost, diagonal+1, row[i]+1)
		}
		if row[len(token)] <= k {
			return true
		}
	}
	return row[len(token)] <= k
}
