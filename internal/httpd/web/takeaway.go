package web

import (
	"fmt"
	"html"
	"html/template"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// drawing is a picture with what it shows in words. It can be taken away as a
// file: as SVG by its address, and as PNG where the island picture.ts runs.
type drawing struct {
	Title   string
	Picture template.HTML
	Caption string
	Name    string // tells the drawings of a page apart, in the address of the file
	File    string
}

// pictureParameter asks a page for one of its pictures as a file, in place of
// the page: what a reader may not see on the page is not in the file either.
const pictureParameter = "picture"

// takeable gives a picture of this page its file. Pages call it for every
// picture, before they render.
func (q *request) takeable(name string, d drawing) drawing {
	query := q.URL.Query()
	query.Set(pictureParameter, name)
	u := url.URL{Path: q.URL.Path, RawQuery: query.Encode()}
	d.Name, d.File = name, u.String()
	if d.Picture != "" {
		q.drawn = append(q.drawn, d)
	}
	return d
}

// pictureFile answers with a picture as a file when the address asks for one.
func (q *request) pictureFile(title string) (answered bool, err error) {
	name := q.URL.Query().Get(pictureParameter)
	if name == "" {
		return false, nil
	}
	for _, d := range q.drawn {
		if d.Name != name {
			continue
		}
		if d.Title != "" {
			title += " · " + d.Title
		}
		p := plate{Title: title, Caption: d.Caption, Picture: d.Picture, Markings: q.markings(),
			Foot: fmt.Sprintf("%s · %s · causeway", q.site.node.Config.Name, q.now.UTC().Format("2006-01-02 15:04 UTC"))}
		if len(p.Markings) == 0 {
			p.Markings = []Marking{{Text: q.say("marking.none")}}
		}
		if q.site.frame().Exercise {
			word := q.say("exercise.word")
			p.Exercise = word + " " + word + " " + word
		}
		h := q.w.Header()
		h.Set("Content-Type", "image/svg+xml; charset=utf-8")
		h.Set("Content-Disposition", `attachment; filename="`+fileName(name)+`.svg"`)
		_, _ = q.w.Write([]byte(p.svg(q.site.assets.pictureStyle))) // the reader has gone away
		return true, nil
	}
	return true, errNotFound
}

// tableParameter asks a page for one of its tables as CSV, in place of the
// page.
const tableParameter = "table"

// sheet makes a table of this page one that can be taken away: the first row
// is its header, and every row gets the marking of the page.
func (q *request) sheet(name string, rows [][]string) {
	if q.sheets == nil {
		q.sheets = map[string][][]string{}
	}
	q.sheets[name] = rows
}

// tableFile answers with a table as CSV when the address asks for one.
func (q *request) tableFile() (answered bool, err error) {
	name := q.URL.Query().Get(tableParameter)
	if name == "" {
		return false, nil
	}
	rows, ok := q.sheets[name]
	if !ok {
		return true, errNotFound
	}
	marks := markingText(q.markings())
	out := make([][]string, len(rows))
	for i, row := range rows {
		last := marks
		if i == 0 {
			last = "marking"
		}
		out[i] = append(slices.Clone(row), last)
	}
	return true, q.csv(fileName(name)+".csv", out)
}

// plate is a picture as a file: what it is called, the picture, and the
// marking drawn into it above and below.
type plate struct {
	Title, Caption, Foot string
	Exercise             string
	Picture              template.HTML
	Markings             []Marking
}

var (
	extent    = regexp.MustCompile(`^<svg [^>]*?width="([0-9.]+)" height="([0-9.]+)"`)
	anchor    = regexp.MustCompile(`</?a(\s[^>]*)?>`)
	notInName = regexp.MustCompile(`[^a-zA-Z0-9._-]+`)
)

func fileName(s string) string { return notInName.ReplaceAllString(s, "-") }

// svg draws the file. Links are left out: addresses of this node mean nothing
// elsewhere.
func (p plate) svg(style string) string {
	width, height := 600.0, 200.0
	if m := extent.FindStringSubmatch(string(p.Picture)); m != nil {
		width, _ = strconv.ParseFloat(m[1], 64)
		height, _ = strconv.ParseFloat(m[2], 64)
	}
	const margin, row = 20.0, 26.0
	full := width + 2*margin
	lines := lines(p.Caption, int(width/6.2))
	bars := row * float64(len(p.Markings))
	if p.Exercise != "" {
		bars += row
	}
	y := bars + 34
	total := y + 12 + height + 20*float64(len(lines)) + 44 + bars
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" role="img" aria-label="%s"><style>%s</style><rect width="100%%" height="100%%" class="sheet"/>`,
		full, total, full, total, html.EscapeString(p.Title), style)
	p.bars(&b, 0, full, row)
	text := func(x, y float64, class, s string) {
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" class="%s">%s</text>`, x, y, class, html.EscapeString(s))
	}
	text(margin, y-6, "title", p.Title)
	y += 12
	fmt.Fprintf(&b, `<g transform="translate(%.1f %.1f)">%s</g>`, margin, y, anchor.ReplaceAllString(string(p.Picture), ""))
	y += height + 20
	for _, line := range lines {
		text(margin, y, "said", line)
		y += 20
	}
	text(margin, y, "said", p.Foot)
	p.bars(&b, total-bars, full, row)
	b.WriteString("</svg>\n")
	return b.String()
}

// bars draws one bar for each marking, in its own colours.
func (p plate) bars(b *strings.Builder, y, width, row float64) {
	bar := func(text, ground, colour string) {
		fmt.Fprintf(b, `<rect y="%.1f" width="%.0f" height="%.1f" fill="%s"/><text x="%.1f" y="%.1f" class="marking" fill="%s" text-anchor="middle">%s</text>`,
			y, width, row, ground, width/2, y+row-8, colour, html.EscapeString(text))
		y += row
	}
	for _, m := range p.Markings {
		ground, colour := markingColours(m.Class)
		bar(m.Text, ground, colour)
	}
	if p.Exercise != "" {
		bar(p.Exercise, "#e69f00", "#000000") // as .exercise-word
	}
}

// markingColours gives what the marking style sheet says of a class.
func markingColours(class string) (ground, colour string) {
	if hex, ok := strings.CutPrefix(class, "mk-"); ok && hexColour.MatchString("#"+hex) {
		return "#" + hex, ink("#" + hex)
	}
	if name, ok := strings.CutPrefix(class, "tlp tlp-"); ok {
		if c, ok := tlpColours[name]; ok {
			return "#000000", c
		}
	}
	return "#4d5359", "#ffffff"
}

// lines breaks a text at blanks, or between characters of a script that has
// none, so that none is wider than n; CJK characters count two.
func lines(s string, n int) (out []string) {
	var line strings.Builder
	width := 0
	for _, word := range strings.Fields(s) {
		for _, part := range breakable(word) {
			w := 0
			for _, r := range part {
				w++
				if r >= 0x1100 {
					w++
				}
			}
			if width > 0 && width+w > n {
				out = append(out, strings.TrimSpace(line.String()))
				line.Reset()
				width = 0
			}
			line.WriteString(part)
			width += w
		}
		line.WriteByte(' ')
		width++
	}
	if width > 0 {
		out = append(out, strings.TrimSpace(line.String()))
	}
	return out
}

// breakable splits a word where a line may end inside it: after each CJK
// character.
func breakable(word string) (parts []string) {
	start := 0
	for i, r := range word {
		if r >= 0x1100 && i > start {
			parts = append(parts, word[start:i])
			start = i
		}
	}
	return append(parts, word[start:])
}

var (
	token    = regexp.MustCompile(`(?m)^  (--[a-z0-9-]+): ([^;]+);`)
	tokenUse = regexp.MustCompile(`var\((--[a-z0-9-]+)\)`)
	comment  = regexp.MustCompile(`(?s)/\*.*?\*/`)
)

// pictureCSS makes the style of files from the rules for pictures and the
// tokens of the pages in their light form: a file is printed and pasted, and
// programs that draw it know no custom properties.
func pictureCSS(page, picture string) (string, error) {
	root, _, ok := strings.Cut(page, "@media")
	if !ok {
		return "", fmt.Errorf("style of pictures: the style sheet has no tokens before its first @media")
	}
	tokens := map[string]string{}
	for _, m := range token.FindAllStringSubmatch(root, -1) {
		tokens[m[1]] = m[2]
	}
	var unknown error
	css := tokenUse.ReplaceAllStringFunc(comment.ReplaceAllString(picture, ""), func(use string) string {
		name := tokenUse.FindStringSubmatch(use)[1]
		if tokens[name] == "" {
			unknown = fmt.Errorf("style of pictures: the token %s is not set", name)
		}
		return tokens[name]
	})
	css += fmt.Sprintf(".sheet{fill:%s}text{font-family:%s;font-size:13px}text.title{fill:%s;font-size:17px;font-weight:640}text.said{fill:%s}text.marking{font-size:14px;font-weight:700}",
		tokens["--sheet"], tokens["--sans"], tokens["--ink"], tokens["--quiet"])
	return css, unknown
}
