package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a reader's zone must not depend on the machine's own tables

	bcp47 "golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"causeway/trade/place"
)

//go:embed catalogue/*.json
var catalogueFiles embed.FS

// Languages lists the languages of the pages, the default first.
var Languages = []string{"en", "ja"}

// A catalogue holds every sentence of the pages in one language. Placeholders
// are {0}, {1} and so on; a key that counts things has the forms .one and
// .other.
type catalogue struct {
	lang string
	text map[string]string
}

// loadCatalogues reads the embedded catalogues. A broken one is a programmer
// error, and the tests load all of them.
func loadCatalogues() (map[string]*catalogue, error) {
	all := make(map[string]*catalogue, len(Languages))
	for _, lang := range Languages {
		b, err := catalogueFiles.ReadFile("catalogue/" + lang + ".json")
		if err != nil {
			return nil, fmt.Errorf("read catalogue %s: %w", lang, err)
		}
		c := &catalogue{lang: lang}
		if err := json.Unmarshal(b, &c.text); err != nil {
			return nil, fmt.Errorf("read catalogue %s: %w", lang, err)
		}
		all[lang] = c
	}
	return all, nil
}

// say gives the sentence of a key. An unknown key shows itself, so that a
// missing sentence is visible on the page and in the test that walks them.
func (c *catalogue) say(key string, args ...any) string {
	text, ok := c.text[key]
	if !ok {
		return "⟦" + key + "⟧"
	}
	for i, a := range args {
		text = strings.ReplaceAll(text, "{"+strconv.Itoa(i)+"}", c.show(a))
	}
	return text
}

// count gives the sentence of a key in the form that n asks for; {0} is n.
func (c *catalogue) count(key string, n any, args ...any) string {
	form := ".other"
	if v, ok := whole(n); ok && v == 1 {
		form = ".one"
	}
	return c.say(key+form, append([]any{n}, args...)...)
}

// has reports whether the catalogue knows a key: words of other rooms (a
// state, a reason code) are shown as they are where no translation exists.
func (c *catalogue) has(key string) bool { _, ok := c.text[key]; return ok }

// word translates a term of another room, such as a state, and falls back to
// the term itself.
func (c *catalogue) word(prefix, term string) string {
	if text, ok := c.text[prefix+"."+term]; ok {
		return text
	}
	return term
}

func whole(n any) (int64, bool) {
	switch v := n.(type) {
	case int:
		return int64(v), true
	case int64:
		return v, true
	case uint64:
		return int64(v), true
	}
	return 0, false
}

// show writes a value for a sentence: numbers with grouping, times in UTC.
func (c *catalogue) show(a any) string {
	switch v := a.(type) {
	case string:
		return v
	case template.HTML:
		return string(v)
	case time.Time:
		return v.UTC().Format("2006-01-02 15:04 UTC")
	case float64:
		return decimal(v, 2)
	case fmt.Stringer:
		return v.String()
	}
	if n, ok := whole(a); ok {
		return group(n)
	}
	return fmt.Sprint(a)
}

// group writes n with a comma between groups of three digits, as both
// languages do.
func group(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "−", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// decimal writes v with at most digits decimals and grouped thousands.
func decimal(v float64, digits int) string {
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	head, tail, found := strings.Cut(s, ".")
	n, err := strconv.ParseInt(head, 10, 64)
	if err != nil {
		return s
	}
	out := group(n)
	if n == 0 && v < 0 && strings.Trim(tail, "0") != "" {
		out = "−0"
	}
	if found {
		out += "." + tail
	}
	return out
}

// ago says how long before now t was, in the largest unit that fits.
func (c *catalogue) ago(t, now time.Time) string {
	d := now.Sub(t)
	key := "time.ago"
	if d < 0 {
		d, key = -d, "time.in"
	}
	switch {
	case d < time.Minute:
		return c.say("time.now")
	case d < time.Hour:
		return c.count(key+".minutes", int(d/time.Minute))
	case d < 48*time.Hour:
		return c.count(key+".hours", int(d/time.Hour))
	}
	return c.count(key+".days", int(d/(24*time.Hour)))
}

// absolute writes t in the reader's zone with the zone's own short name.
func (c *catalogue) absolute(t time.Time, zone *time.Location) string {
	if c.lang == "ja" {
		return t.In(zone).Format("2006年1月2日 15:04 MST")
	}
	return t.In(zone).Format("2 Jan 2006 15:04 MST")
}

// country writes a country's name: as the catalogue has it, else as the trade
// sources (English) or Unicode's CLDR (other languages) do. What is no country
// stays as it is.
func (c *catalogue) country(code string) string {
	if name := c.word("country", code); name != code {
		return name
	}
	p, ok := place.Lookup(code)
	if !ok {
		return code
	}
	if r, err := bcp47.ParseRegion(p.Code); err == nil && c.lang != "en" {
		if name := display.Regions(bcp47.Make(c.lang)).Name(r); name != "" {
			return name
		}
	}
	return p.Name
}
