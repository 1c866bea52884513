package web

import (
	"fmt"
	"hash/fnv"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"causeway/label"
	"causeway/label/stanag4774"
)

// marked is one thing on the page with the rule that governs it.
type marked struct {
	rule  label.Rule
	marks []Marking
}

// mark gives the markings of what is about to be shown, in the words of its
// policy and the language of the reader, and counts it for the bars of the
// page.
func (q *request) mark(e label.Effective) []Marking {
	var marks []Marking
	for _, xml := range e.Labels {
		marks = append(marks, q.markLabel(xml))
	}
	if e.TLP != "" {
		marks = append(marks, Marking{Text: "TLP:" + strings.ToUpper(e.TLP), Class: "tlp tlp-" + strings.ReplaceAll(e.TLP, "+", "-")})
	}
	if len(marks) == 0 {
		marks = []Marking{{Text: q.say("marking.unknown"), Class: ""}}
	}
	slices.SortFunc(marks, func(a, b Marking) int { return strings.Compare(a.Text, b.Text) })
	marks = slices.CompactFunc(marks, func(a, b Marking) bool { return a.Text == b.Text })
	q.seen = append(q.seen, marked{e.Rule, marks})
	return marks
}

func (q *request) markLabel(xml []byte) Marking {
	l, err := stanag4774.ParseLabel(xml)
	if err != nil {
		return Marking{Text: q.say("marking.unknown")}
	}
	m := q.site.node.Policies().Marking(l, q.lang, "")
	return Marking{Text: m.Text, Class: colourClass(m.Colour)}
}

// mostShown bounds the markings of a bar: more than these are joined to the
// strictest that say it all.
const mostShown = 4

// markings gives what the bars of the page say: the markings of everything on
// the page that nothing else on it is stricter than. One marking that admits
// fewer readers than another stands for both.
func (q *request) markings() []Marking {
	var out []Marking
	for i, m := range q.seen {
		covered := false
		for j, other := range q.seen {
			if m.rule.Equal(other.rule) {
				covered = covered || j < i
			} else {
				covered = covered || other.rule.AtMost(m.rule)
			}
		}
		if !covered {
			out = append(out, m.marks...)
		}
	}
	slices.SortFunc(out, func(a, b Marking) int { return strings.Compare(a.Text, b.Text) })
	out = slices.CompactFunc(out, func(a, b Marking) bool { return a.Text == b.Text })
	if len(out) > mostShown {
		out = append(out[:mostShown:mostShown], Marking{Text: q.say("marking.more", len(out)-mostShown)})
	}
	return out
}

// tlpColours are the foregrounds of TLP 2.0 on black (FIRST, TLP 2.0).
var tlpColours = map[string]string{"clear": "#ffffff", "green": "#33ff00", "amber": "#ffc000", "amber-strict": "#ffc000", "red": "#ff2b2b"}

// named are the colour names that SPIF files use, as CSS has them.
var named = map[string]string{
	"black": "#000000", "silver": "#c0c0c0", "gray": "#808080", "grey": "#808080", "white": "#ffffff", "maroon": "#800000", "red": "#c8102e",
	"purple": "#800080", "fuchsia": "#b0107a", "green": "#007a33", "lime": "#1e8a1e", "olive": "#6b6b00", "yellow": "#fce83a", "navy": "#000080",
	"blue": "#0033a0", "teal": "#006d6d", "aqua": "#7ee8e8", "orange": "#ff8c00",
}

var hexColour = regexp.MustCompile(`^#[0-9a-f]{6}$`)

// colourOf gives a policy's colour as #rrggbb, or "".
func colourOf(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if hexColour.MatchString(s) {
		return s
	}
	return named[s]
}

func colourClass(colour string) string {
	if c := colourOf(colour); c != "" {
		return "mk-" + c[1:]
	}
	return ""
}

// ink gives black or white, whichever is read better on a colour: the one with
// the higher contrast (WCAG 2.2, relative luminance).
func ink(colour string) string {
	l := luminance(colour)
	if (l+0.05)/0.05 >= 1.05/(l+0.05) {
		return "#000000"
	}
	return "#ffffff"
}

func luminance(colour string) float64 {
	v, err := strconv.ParseUint(colour[1:], 16, 32)
	if err != nil {
		return 0
	}
	channel := func(shift uint) float64 {
		c := float64(v>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(16) + 0.7152*channel(8) + 0.0722*channel(0)
}

// markingCSS makes the classes of every colour the policies know. Inline
// styles would need a hole in the content security policy.
func markingCSS(ps *label.Policies) string {
	colours := map[string]bool{}
	for _, c := range named {
		colours[c] = true
	}
	for _, p := range ps.All() {
		for _, class := range p.Classifications() {
			if c := colourOf(class.Colour); c != "" {
				colours[c] = true
			}
		}
	}
	var list []string
	for c := range colours {
		list = append(list, c)
	}
	slices.Sort(list)
	var b strings.Builder
	for _, c := range list {
		fmt.Fprintf(&b, ".mk-%s{background:%s;color:%s}\n", c[1:], c, ink(c))
	}
	for _, name := range []string{"clear", "green", "amber", "amber-strict", "red"} {
		fmt.Fprintf(&b, ".tlp-%s{background:#000000;color:%s}\n", name, tlpColours[name])
	}
	return b.String()
}

func (q *request) markingSheet() error {
	css := markingCSS(q.site.node.Policies())
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(css)) // never fails
	etag := fmt.Sprintf(`"%x"`, sum.Sum64())
	h := q.w.Header()
	h.Set("Content-Type", "text/css; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("ETag", etag)
	if q.Request.Header.Get("If-None-Match") == etag {
		q.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	_, _ = q.w.Write([]byte(css)) // the reader has gone away
	return nil
}
