package chart

import (
	"encoding/json"
	"fmt"
	"regexp"
)

// Atlas holds the outlines of countries that a Map is drawn with. They are
// made when the pages are built (island/atlas.mjs) from Natural Earth, whose
// lines show who administers a territory, and say nothing of who should.
type Atlas struct {
	Width, Height float64 // extent of the coordinates
	Outlines      []Outline
	at            map[string]int // index of Outlines by code
}

// Outline is one country of an atlas.
type Outline struct {
	Code string // as the caller of ReadAtlas names it; "" where it has no name for it
	Name string // as the source writes it
	Path string // SVG path; empty for what is too small for an outline
	X, Y float64
}

// pathForm is what a path may hold: the file is trusted no further than that.
var pathForm = regexp.MustCompile(`^[Mlz0-9 -]*$`)

// ReadAtlas reads the file that the build makes. code names the country of an
// ISO 3166-1 number, or of the source's own name where it has no number.
func ReadAtlas(b []byte, code func(numberOrName string) string) (*Atlas, error) {
	var file struct {
		Width, Height float64
		Places        []struct {
			ID, Name, D string
			X, Y        float64
		}
	}
	if err := json.Unmarshal(b, &file); err != nil {
		return nil, fmt.Errorf("read atlas: %w", err)
	}
	if !(file.Width > 0 && file.Height > 0) {
		return nil, fmt.Errorf("read atlas: it is %v wide and %v high", file.Width, file.Height)
	}
	a := &Atlas{Width: file.Width, Height: file.Height, at: map[string]int{}}
	for _, p := range file.Places {
		if !pathForm.MatchString(p.D) {
			return nil, fmt.Errorf("read atlas: the outline of %s is no path", p.Name)
		}
		o := Outline{Name: p.Name, Path: p.D, X: p.X, Y: p.Y}
		if p.ID == "" {
			p.ID = p.Name
		}
		o.Code = code(p.ID)
		if _, twice := a.at[o.Code]; twice && o.Path == "" {
			continue // a small territory of a country that is drawn already
		} else if o.Code != "" && !twice {
			a.at[o.Code] = len(a.Outlines)
		}
		a.Outlines = append(a.Outlines, o)
	}
	return a, nil
}

// Knows reports whether the atlas has a country.
func (a *Atlas) Knows(code string) bool {
	_, ok := a.at[code]
	return ok
}
