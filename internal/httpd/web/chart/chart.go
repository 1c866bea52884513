// Package chart draws the pictures of the pages as SVG on the server, so that
// they read without JavaScript, print, and are the same bytes for the same
// input.
//
// Colours are classes of the style sheet (g0 to g7, the Okabe-Ito set), never
// colour alone: groups differ in shape too, and every mark has a title. Text is
// 13 units, and a drawing is shown at its own size.
package chart

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// Groups is the number of colours; a group is drawn with class "g" and its
// number modulo Groups.
const Groups = 8

// canvas builds one drawing.
type canvas struct {
	b strings.Builder
}

// open starts the drawing. The label names it for those who do not see it; a
// drawing with links inside is a group, since the marks of an image cannot be
// reached.
func (c *canvas) open(w, h float64, label string, links bool) {
	role := "img"
	if links {
		role = "group"
	}
	fmt.Fprintf(&c.b, `<svg class="chart" xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %s %s" role="%s" aria-label="%s">`,
		num(w), num(h), num(w), num(h), role, html.EscapeString(label))
}

func (c *canvas) close() template.HTML {
	c.b.WriteString("</svg>")
	return template.HTML(c.b.String())
}

func (c *canvas) raw(s string) { c.b.WriteString(s) }

// words writes text where markup is not meant.
func (c *canvas) words(s string) { c.raw(html.EscapeString(s)) }

func (c *canvas) f(format string, args ...any) { fmt.Fprintf(&c.b, format, args...) }

// text writes a label; anchor is start, middle or end.
func (c *canvas) text(x, y float64, class, anchor, s string) {
	c.f(`<text x="%s" y="%s" class="%s" text-anchor="%s">%s</text>`, num(x), num(y), class, anchor, html.EscapeString(s))
}

func (c *canvas) line(x1, y1, x2, y2 float64, class string) {
	c.f(`<line x1="%s" y1="%s" x2="%s" y2="%s" class="%s"/>`, num(x1), num(y1), num(x2), num(y2), class)
}

// rect draws a bar with a title; href, when set, makes it a link.
func (c *canvas) rect(x, y, w, h float64, class, title, href string) {
	if href != "" {
		c.f(`<a href="%s" aria-label="%s">`, html.EscapeString(href), html.EscapeString(title))
	}
	c.f(`<rect x="%s" y="%s" width="%s" height="%s" class="%s"><title>%s</title></rect>`,
		num(x), num(y), num(math.Max(w, 0)), num(math.Max(h, 0)), class, html.EscapeString(title))
	if href != "" {
		c.raw("</a>")
	}
}

// num writes a coordinate to a tenth: finer is not seen and costs bytes.
func num(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		v = 0
	}
	s := strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
	if s == "-0" {
		return "0"
	}
	return s
}

// Class is the colour class of a group.
func Class(group int) string {
	if group < 0 {
		return "gx" // in no group
	}
	return "g" + strconv.Itoa(group%Groups)
}

// ticks gives round values that cover 0 to at least max in about n steps.
func ticks(max float64, n int) []float64 {
	if max <= 0 || math.IsNaN(max) || math.IsInf(max, 0) {
		return []float64{0, 1}
	}
	step := math.Pow(10, math.Floor(math.Log10(max/float64(n))))
	for _, m := range []float64{1, 2, 5, 10} {
		if max/(step*m) <= float64(n) {
			step *= m
			break
		}
	}
	out := []float64{0}
	for v := step; ; v += step {
		out = append(out, v)
		if v >= max-step*1e-9 {
			return out
		}
	}
}

// brief writes a number for an axis: 12 k, 3.4 M.
func brief(v float64) string {
	a := math.Abs(v)
	switch {
	case a >= 1e9:
		return trim(v/1e9) + " G"
	case a >= 1e6:
		return trim(v/1e6) + " M"
	case a >= 1e4:
		return trim(v/1e3) + " k"
	}
	return trim(v)
}

func trim(v float64) string {
	digits := 2
	if math.Abs(v) >= 100 {
		digits = 0
	} else if math.Abs(v) >= 10 {
		digits = 1
	}
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// cut shortens a label to about n characters; wide (CJK) characters count two.
func cut(s string, n int) string {
	width := 0
	for i, r := range s {
		width++
		if r >= 0x1100 {
			width++
		}
		if width > n {
			return s[:i] + "…"
		}
	}
	return s
}
