package web

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"causeway/internal/httpd/web/chart"
)

// A picture that is taken away carries the marking above and below, in its
// colours, and the exercise word; it holds no address of the node and needs no
// style sheet.
func TestPictureFileIsMarked(t *testing.T) {
	a, err := loadAssets()
	if err != nil {
		t.Fatal(err)
	}
	picture := chart.Bars{Label: "b", Width: 300, LabelWidth: 80, Rows: []chart.Bar{{Label: "<x>", Value: 1, Href: "/object/secret--1"}}}.SVG()
	svg := plate{Title: "Gallium & more", Caption: strings.Repeat("輸入の割合です。", 12), Foot: "Tokyo", Exercise: "EXERCISE EXERCISE EXERCISE", Picture: picture,
		Markings: []Marking{{"NATO RESTRICTED", "mk-1565c0"}, {"TLP:AMBER", "tlp tlp-amber"}, {"MARKING NOT UNDERSTOOD", ""}}}.svg(a.pictureStyle)
	for text, want := range map[string]int{
		">NATO RESTRICTED<": 2, ">TLP:AMBER<": 2, ">MARKING NOT UNDERSTOOD<": 2, "EXERCISE EXERCISE EXERCISE": 2,
		`fill="#1565c0"`: 2, `fill="#ffc000"`: 2, "Gallium &amp; more": 2, "class=\"bar g0\"": 1,
		"<a": 0, "secret": 0, "var(": 0, "href": 0, "/*": 0,
	} {
		if n := strings.Count(svg, text); n != want {
			t.Errorf("%q stands %d times, want %d", text, n, want)
		}
	}
	dec := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestPictureStyleNeedsItsTokens(t *testing.T) {
	if _, err := pictureCSS(":root {\n  --ink: #000000;\n}\n@media x {}", "svg .a { fill: var(--lost); }"); err == nil || !strings.Contains(err.Error(), "--lost") {
		t.Errorf("a token that is not set: %v", err)
	}
	for _, line := range strings.Split(comment.ReplaceAllString(string(chartSheet), ""), "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "svg") {
			t.Errorf("chart.css has a rule that is not of a picture: %s", line)
		}
	}
}

func TestLinesBreak(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int
		want string
	}{
		{"one two three", 8, "one two|three"},
		{"日本語の文章です", 8, "日本語の|文章です"},
		{"long-word-alone", 4, "long-word-alone"},
		{"", 10, ""},
	} {
		if got := strings.Join(lines(c.text, c.n), "|"); got != c.want {
			t.Errorf("lines(%q, %d) = %q, want %q", c.text, c.n, got, c.want)
		}
	}
}
