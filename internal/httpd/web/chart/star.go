package chart

import (
	"html"
	"html/template"
	"math"
)

// Star is one thing in the middle and what is tied to it on both sides, each
// with its name written outwards, so that names do not cross.
type Star struct {
	Label         string
	Width, Height float64
	Centre        Node
	Around        []Node
}

// SVG draws the star: the first half of Around on the right, the rest on the
// left.
func (s Star) SVG() template.HTML {
	var c canvas
	c.open(s.Width, s.Height, s.Label, true)
	cx, cy := s.Width/2, s.Height/2
	right := (len(s.Around) + 1) / 2
	for i, n := range s.Around {
		side, k, of := 1.0, i, right
		if i >= right {
			side, k, of = -1, i-right, len(s.Around)-right
		}
		y := s.Height * (float64(k) + 0.5) / float64(of)
		bend := 1 - math.Pow(math.Abs(y-cy)/(s.Height/2), 2)
		x := cx + side*(70+50*bend)
		c.line(cx, cy, x, y, "edge")
		s.mark(&c, n, x, y, side)
	}
	c.f(`<path d="%s" class="node %s"><title>%s</title></path>`, Shape(0, cx, cy, 11), Class(0), html.EscapeString(s.Centre.Label))
	return c.close()
}

func (s Star) mark(c *canvas, n Node, x, y, side float64) {
	if n.Href != "" {
		c.f(`<a href="%s">`, html.EscapeString(n.Href))
	}
	c.f(`<path d="%s" class="node %s"/>`, Shape(n.Group, x, y, 6+n.Size), Class(n.Group))
	anchor := "start"
	if side < 0 {
		anchor = "end"
	}
	c.text(x+side*14, y+4.5, "label", anchor, cut(n.Label, int((s.Width/2-130)/7)))
	if n.Href != "" {
		c.raw("</a>")
	}
}
