// Package place knows countries by every code and spelling the trade sources
// use, and tells them from totals, residuals and blocs.
//
// A code that does not join is the classic way to lose a 39 % supplier:
// Comtrade's 842 is not M49's 840, S19 and 490 are Taiwan, ROM is Romania.
// So an unknown name is an error with the nearest known one, never a silent
// "other".
package place

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"sync"

	"causeway/trade/table"
)

// Kind says what a name stands for.
type Kind int

const (
	Unknown  Kind = iota // not recognised
	Country              // a country or territory with an ISO 3166-1 code
	Historic             // a state that no longer exists
	Bloc                 // several countries together: the EU, "EUR"
	Residual             // what is left: "Other countries", "Areas, nes"
	Total                // a sum row: "World total (rounded)"
)

func (k Kind) String() string {
	return [...]string{"unknown", "country", "historic", "bloc", "residual", "total"}[k]
}

// A Place is what a name or code resolves to.
type Place struct {
	Code string // ISO 3166-1 alpha-3 for countries; a stable upper-case word for the rest
	Name string // short English name
	Kind Kind
	M49  int // UN M49 number, 0 if none
}

type index struct {
	byCode  map[string]Place
	byISO2  map[string]Place
	byNum   map[int]Place
	byName  map[string]Place
	names   []string // for suggestions
	ordered []Place
}

var load = sync.OnceValue(func() *index {
	x := &index{byCode: map[string]Place{}, byISO2: map[string]Place{}, byNum: map[int]Place{}, byName: map[string]Place{}}
	for _, line := range strings.Split(strings.TrimSpace(countries), "\n") {
		f := strings.SplitN(line, " ", 4)
		num, err := strconv.Atoi(f[2])
		if err != nil {
			panic("place: bad table line: " + line)
		}
		spellings := strings.Split(f[3], "|")
		p := Place{f[0], spellings[0], Country, num}
		x.byCode[p.Code], x.byISO2[f[1]], x.byNum[num] = p, p, p
		for _, s := range spellings {
			x.byName[fold(s)] = p
			x.names = append(x.names, s)
		}
		x.ordered = append(x.ordered, p)
	}
	for num, code := range comtrade {
		x.byNum[num] = x.byCode[code]
	}
	for code, now := range otherISO {
		x.byCode[code] = x.byCode[now]
	}
	for code, name := range historic {
		p := Place{Code: code, Name: name, Kind: Historic}
		x.byCode[code], x.byName[fold(name)] = p, p
	}
	for num, code := range historicNumber {
		p := x.byCode[code]
		p.M49 = num
		x.byCode[code], x.byNum[num] = p, p
	}
	for num, name := range residualNumber {
		x.byNum[num] = Place{Code: strings.ToUpper(name), Name: name, Kind: Residual, M49: num}
	}
	for kind, words := range groups {
		for _, w := range words {
			x.byName[fold(w)] = Place{Code: strings.ToUpper(w), Name: w, Kind: kind}
		}
	}
	sort.Slice(x.ordered, func(i, j int) bool { return x.ordered[i].Code < x.ordered[j].Code })
	return x
})

// groups are names that are no country. The residual "Other Asia, nes" is not
// here: it is Taiwan (see the country table).
var groups = map[Kind][]string{
	Total: {"Total", "World", "World total", "Total world", "Grand total", "Subtotal", "Sum", "All countries", "Global total", "TOT", "DELETE", "WLD", "W00"},
	Residual: {"Other", "Others", "Other countries", "Other country", "All other countries", "All others", "Rest of world", "Rest of the world",
		"ROW", "Various countries", "Various", "Unspecified", "Not specified", "Unknown", "Unallocated", "Areas, nes", "Areas, not elsewhere specified",
		"Other Europe, nes", "Other Africa, nes", "Other America, nes", "Oceania, nes", "Special categories", "Bunkers", "Free zones", "Neutral zone",
		"Rest of America, nes", "LAIA, nes", "Western Asia, nes", "CACM, nes", "Northern Africa, nes", "North America and Central America, nes"},
	Bloc: {"European Union", "EU", "EU27", "EU-27", "EU28", "Europe", "EUR", "Euro area", "United States and Canada", "ASEAN", "OPEC", "G7", "Benelux"},
}

// fold makes spellings comparable: lower case, no accents that files lose,
// no text in brackets that only comments, no doubled blanks, no footnote
// number behind a total.
func fold(s string) string {
	s = strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(s, "\u00a0", " ")), " "))
	return strings.NewReplacer("’", "'", "`", "'").Replace(s)
}

// bare removes comments in brackets and trailing footnote digits, the forms in
// which USGS writes totals: "World total (ilmenite, rounded)", "World total
// (rounded) 10", "World total (rounded), natural".
func bare(s string) string {
	s = fold(s)
	for {
		i := strings.IndexByte(s, '(')
		if i < 0 {
			break
		}
		j := strings.IndexByte(s[i:], ')')
		if j < 0 {
			break
		}
		s = s[:i] + " " + s[i+j+1:]
	}
	s = strings.TrimRight(s, "0123456789 ")
	s = strings.Join(strings.Fields(s), " ")
	s = strings.ReplaceAll(s, " ,", ",")
	if strings.HasPrefix(s, "world total") || strings.HasPrefix(s, "total, ") || strings.HasPrefix(s, "total world") {
		return "world total"
	}
	return s
}

// Lookup resolves a name, ISO alpha-3 or alpha-2 code, or Comtrade, BACI or
// M49 number. A number may carry leading zeros. It reports false for what it
// does not know.
func Lookup(s string) (Place, bool) {
	x := load()
	s = strings.TrimSpace(s)
	if s == "" {
		return Place{}, false
	}
	if n, err := strconv.Atoi(s); err == nil {
		if n == 0 {
			return Place{Code: "WORLD", Name: "World", Kind: Total}, true // Comtrade's partner 0
		}
		p, ok := x.byNum[n]
		return p, ok
	}
	if p, ok := x.byCode[s]; ok {
		return p, true
	}
	if p, ok := x.byISO2[s]; ok {
		return p, true
	}
	if p, ok := x.byName[fold(s)]; ok {
		return p, true
	}
	if b := bare(s); b != "" {
		if p, ok := x.byName[b]; ok {
			return p, true
		}
	}
	return Place{}, false
}

// Resolve is Lookup with an error that offers the nearest known name.
func Resolve(s string) (Place, error) {
	if p, ok := Lookup(s); ok {
		return p, nil
	}
	if near, ok := table.Nearest(s, load().names); ok {
		p, _ := Lookup(near)
		return Place{}, fmt.Errorf("unknown country %q; did you mean %q (%s)?", s, near, p.Code)
	}
	if _, err := strconv.Atoi(strings.TrimSpace(s)); err == nil {
		return Place{}, fmt.Errorf("unknown country number %q; want an M49 or Comtrade code such as 392 (Japan) or 842 (United States)", s)
	}
	return Place{}, fmt.Errorf("unknown country %q; want an ISO alpha-3 code such as JPN, or a name", s)
}

// KindOf classifies a name for a table whose rows need not be countries: a
// supplier that is no known place (a company, say) is Unknown, and only
// totals, residuals and blocs are told apart for certain.
func KindOf(s string) Kind {
	p, ok := Lookup(s)
	if !ok {
		return Unknown
	}
	return p.Kind
}

// Label gives what to show for a name or code, and the alpha-3 code where it
// is a country, for a map.
func Label(s string) (name, country string) {
	p, ok := Lookup(s)
	switch {
	case !ok:
		return strings.TrimSpace(s), ""
	case p.Kind == Country:
		return p.Name, p.Code
	}
	return p.Name, ""
}

// Code returns the alpha-3 code for a resolvable name, else the trimmed name.
func Code(s string) string {
	if p, ok := Lookup(s); ok {
		return p.Code
	}
	return strings.TrimSpace(s)
}

// All returns the countries of ISO 3166-1 in order of their codes.
func All() []Place { return append([]Place(nil), load().ordered...) }
