package table

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"causeway/trade"
)

// Kind says what a cell holds.
type Kind int

const (
	Missing Kind = iota // no value; Cell.Reason says why
	Number              // an exact value
	AtLeast             // ">95": Low is known, High is +Inf
	AtMost              // "<1,000", "s": between 0 and High
	Range               // "50–300": between Low and High
)

// A Cell is one value of a statistical table.
type Cell struct {
	Kind      Kind
	Value     float64 // for Number
	Low, High float64 // for bounds and ranges; equal to Value for Number
	Reason    string  // for Missing
	Text      string  // as it stands in the file, blanks trimmed
}

// Known reports whether the cell is an exact number.
func (c Cell) Known() bool { return c.Kind == Number }

// Problem says why the cell is not an exact number.
func (c Cell) Problem() string {
	switch c.Kind {
	case Number:
		return ""
	case Missing:
		if c.Text == "" {
			return "the cell is empty; a number is needed (write 0 only if it is zero)"
		}
		return fmt.Sprintf("%q is %s; a number is needed", c.Text, c.Reason)
	}
	return fmt.Sprintf("%q is a bound, not a number", c.Text)
}

// missing holds the text values that stand for no value, with their meaning.
// W, E, XX, NA are those of the USGS Mineral Commodity Summaries; its "—" is
// a true zero and "s" is less than half a unit.
var missing = map[string]string{
	"":     "empty",
	"na":   "not available",
	"n/a":  "not available",
	"n.a.": "not available",
	"nan":  "not available",
	"null": "not available",
	"none": "not available",
	"-":    "a dash",
	"..":   "not available",
	"...":  "not available",
	":":    "not available",
	"?":    "unknown",
	"w":    "withheld",
	"c":    "confidential",
	"x":    "not applicable",
	"xx":   "not applicable",
	"e":    "net exporter",
}

// ParseCell reads one cell. Thousands commas are understood where they stand
// in groups of three; a comma elsewhere ("1,5") is ambiguous and makes the
// cell missing rather than a number a hundred times too large.
func ParseCell(text string) Cell {
	text = strings.TrimSpace(text)
	c := Cell{Text: text}
	if v, ok := number(text); ok {
		c.Kind, c.Value, c.Low, c.High = Number, v, v, v
		return c
	}
	if reason, ok := missing[strings.ToLower(text)]; ok {
		c.Reason = reason
		return c
	}
	switch text {
	case "—":
		c.Kind = Number
		return c
	case "s":
		c.Kind, c.High = AtMost, 0.5
		return c
	}
	if rest, ok := cutAny(text, ">=", "≥", ">"); ok {
		if v, ok := number(rest); ok {
			c.Kind, c.Low, c.High = AtLeast, v, math.Inf(1)
			return c
		}
	}
	if rest, ok := cutAny(text, "<=", "≤", "<"); ok {
		if v, ok := number(rest); ok && v >= 0 {
			c.Kind, c.High = AtMost, v
			return c
		}
	}
	if low, high, ok := interval(text); ok {
		c.Kind, c.Low, c.High = Range, low, high
		return c
	}
	c.Reason = "text, not a number"
	return c
}

func cutAny(text string, prefixes ...string) (string, bool) {
	for _, p := range prefixes {
		if rest, ok := strings.CutPrefix(text, p); ok {
			return strings.TrimSpace(rest), true
		}
	}
	return text, false
}

// interval reads "50–300" or "330 - 390". A plain hyphen counts only with
// blanks around it, so that "2021-24" and dates stay text.
func interval(text string) (low, high float64, ok bool) {
	for _, sep := range []string{"–", " - "} {
		a, b, found := strings.Cut(text, sep)
		if !found {
			continue
		}
		low, okLow := number(strings.TrimSpace(a))
		high, okHigh := number(strings.TrimSpace(b))
		if okLow && okHigh && low <= high {
			return low, high, true
		}
	}
	return 0, 0, false
}

// number reads a plain decimal number, with or without thousands commas.
func number(s string) (float64, bool) {
	if s == "" || !(s[0] >= '0' && s[0] <= '9' || s[0] == '-' || s[0] == '+' || s[0] == '.') {
		return 0, false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c == '.', c == ',', c == '-', c == '+', c == 'e', c == 'E':
		default:
			return 0, false
		}
	}
	if strings.IndexByte(s, ',') >= 0 {
		if !grouped(s) {
			return 0, false
		}
		s = strings.ReplaceAll(s, ",", "")
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, false
	}
	return v, true
}

// grouped reports whether every comma of s starts a group of exactly three
// digits in the whole part.
func grouped(s string) bool {
	whole, _, _ := strings.Cut(strings.TrimLeft(s, "+-"), ".")
	groups := strings.Split(whole, ",")
	if len(groups[0]) < 1 || len(groups[0]) > 3 || strings.Count(s, ",") != len(groups)-1 {
		return false
	}
	for i, g := range groups {
		if i > 0 && len(g) != 3 {
			return false
		}
		for j := range len(g) {
			if g[j] < '0' || g[j] > '9' {
				return false
			}
		}
	}
	return true
}

// Figure is the cell as a figure: known only if it is an exact number.
func (c Cell) Figure() trade.Figure {
	if c.Known() {
		return trade.Known(c.Value)
	}
	return trade.Unknown("%s", c.Problem())
}
