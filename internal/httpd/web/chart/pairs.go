package chart

import (
	"html/template"
	"slices"
)

// Pair says that one word becomes another; an empty To, that it becomes none.
type Pair struct {
	From, To string
	Note     string // what comes with it
}

// Pairs shows what becomes what: the words of one list on the left, of another
// on the right, a band for each pair, and unconnected what has no counterpart.
type Pairs struct {
	Label       string
	Width       float64
	Left, Right []string // in the order in which they stand; words of pairs that are missing are added
	Pairs       []Pair
}

// SVG draws the two lists.
func (p Pairs) SVG() template.HTML {
	const row, box = 34.0, 24.0
	left, right := slices.Clone(p.Left), slices.Clone(p.Right)
	for _, x := range p.Pairs {
		if !slices.Contains(left, x.From) {
			left = append(left, x.From)
		}
		if x.To != "" && !slices.Contains(right, x.To) {
			right = append(right, x.To)
		}
	}
	wide := p.Width * 0.34
	var c canvas
	c.open(p.Width, row*float64(max(len(left), len(right)))+10, p.Label, false)
	y := func(list []string, word string) float64 { return 5 + row*float64(slices.Index(list, word)) + box/2 }
	for i, x := range p.Pairs {
		if x.To == "" {
			continue
		}
		y1, y2 := y(left, x.From), y(right, x.To)
		mid := p.Width / 2
		c.f(`<path d="M%s %sC%s %s %s %s %s %s" class="line %s"><title>`, num(wide), num(y1), num(mid), num(y1), num(mid), num(y2), num(p.Width-wide-8), num(y2), Class(i))
		c.words(x.From + " → " + x.To + note(x.Note))
		c.raw("</title></path>")
		c.f(`<path d="M%s %sl-9 -5v10z" class="point %s"/>`, num(p.Width-wide), num(y2), Class(i))
	}
	paired := func(word string, from bool) bool {
		return slices.ContainsFunc(p.Pairs, func(x Pair) bool { return x.To != "" && (from && x.From == word || !from && x.To == word) })
	}
	for i, list := range [][]string{left, right} {
		for _, word := range list {
			at, class := 0.0, "box"
			if i == 1 {
				at = p.Width - wide
			}
			if !paired(word, i == 0) {
				class = "box alone"
			}
			c.rect(at+0.5, y(list, word)-box/2, wide-1, box, class, word, "")
			c.text(at+wide/2, y(list, word)+4.5, "label", "middle", cut(word, int(wide/7.6)))
		}
	}
	return c.close()
}

func note(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}
