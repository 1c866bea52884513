package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"
	"time"
)

//go:embed template/*.html
var templateFiles embed.FS

// templates holds each page once per language, with the layout and the shared
// parts, parsed when the site starts: a page that does not parse stops the
// start, not a reader.
type templates struct {
	pages map[string]*template.Template // language/page
}

// shared are the files that every page is parsed with.
const shared = "template/_*.html"

func parseTemplates(catalogues map[string]*catalogue, now func() time.Time) (*templates, error) {
	names, err := fs.Glob(templateFiles, "template/[a-z]*.html")
	if err != nil {
		return nil, err
	}
	ts := &templates{pages: map[string]*template.Template{}}
	for _, lang := range Languages {
		base, err := template.New("_layout.html").Funcs(functions(catalogues[lang], now)).ParseFS(templateFiles, shared)
		if err != nil {
			return nil, fmt.Errorf("parse templates: %w", err)
		}
		for _, name := range names {
			page, err := base.Clone()
			if err == nil {
				page, err = page.ParseFS(templateFiles, name)
			}
			if err != nil {
				return nil, fmt.Errorf("parse templates: %w", err)
			}
			ts.pages[lang+"/"+strings.TrimSuffix(path.Base(name), ".html")] = page
		}
	}
	return ts, nil
}

// execute renders a page into memory, so that an error never leaves half a
// page behind.
func (ts *templates) execute(lang, name string, p *page) ([]byte, error) {
	t, ok := ts.pages[lang+"/"+name]
	if !ok {
		return nil, fmt.Errorf("render page: no template %s in %s", name, lang)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "layout", p); err != nil {
		return nil, fmt.Errorf("render page %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// functions are what templates may call. All text comes through t, tn and word.
func functions(c *catalogue, now func() time.Time) template.FuncMap {
	return template.FuncMap{
		"t":       c.say,
		"tn":      c.count,
		"word":    c.word,
		"has":     c.has,
		"country": c.country,
		"lang":    func() string { return c.lang },
		"num":     func(n any) string { return c.show(n) },
		"dec":     decimal,
		"points":  points,
		"percent": func(v float64) string { return decimal(100*v, 1) + " %" },
		"when":    func(t time.Time, zone *time.Location) template.HTML { return c.when(t, zone, now()) },
		"day":     func(t time.Time, zone *time.Location) string { return c.day(t, zone) },
		"ago":     func(t time.Time) string { return c.ago(t, now()) },
		"list":    func(v ...any) []any { return v },
		"dict":    dict,
		"join":    strings.Join,
		"short":   short,
		"add":     func(a, b int) int { return a + b },
	}
}

// when writes a moment in the reader's zone with the distance beside it; UTC
// stands in the tooltip and in the machine-readable attribute.
func (c *catalogue) when(t time.Time, zone *time.Location, now time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	if zone == nil {
		zone = time.UTC
	}
	utc := t.UTC().Format("2006-01-02 15:04 UTC")
	return template.HTML(fmt.Sprintf(`<time datetime="%s" title="%s">%s</time> <span class="quiet ago">%s</span>`,
		t.UTC().Format(time.RFC3339), utc,
		template.HTMLEscapeString(c.absolute(t, zone)), template.HTMLEscapeString(c.ago(t, now))))
}

func (c *catalogue) day(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return "–"
	}
	if zone == nil {
		zone = time.UTC
	}
	if c.lang == "ja" {
		return t.In(zone).Format("2006年1月2日")
	}
	return t.In(zone).Format("2 Jan 2006")
}

// points writes a difference of shares with its sign.
func points(v float64) string {
	s := decimal(100*v, 1)
	if v > 0 && s != "0" {
		s = "+" + s
	}
	return strings.Replace(s, "-", "−", 1)
}

// dict makes a map from pairs, for templates that take several values.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict: odd number of values")
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: key %v is not text", pairs[i])
		}
		m[key] = pairs[i+1]
	}
	return m, nil
}

// short cuts an identifier for a table: the type is said elsewhere, and eight
// hex digits tell rows apart to the eye.
func short(id string) string {
	if _, rest, ok := strings.Cut(id, "--"); ok && len(rest) > 8 {
		return rest[:8]
	}
	return id
}
