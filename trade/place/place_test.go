package place

import (
	"strings"
	"testing"
)

// TestTraps: the spellings and codes that make a supplier disappear.
func TestTraps(t *testing.T) {
	for _, c := range []struct {
		in, code string
		kind     Kind
	}{
		{"842", "USA", Country}, {"840", "USA", Country}, {"251", "FRA", Country}, {"579", "NOR", Country}, {"699", "IND", Country},
		{"757", "CHE", Country}, {"381", "ITA", Country}, {"380", "ITA", Country}, {"490", "TWN", Country}, {"S19", "TWN", Country},
		{"ROM", "ROU", Country}, {"ZAR", "COD", Country}, {"NA", "NAM", Country}, {"036", "AUS", Country}, {"Other Asia, nes", "TWN", Country},
		{"SCG", "SCG", Historic}, {"DDR", "DDR", Historic}, {"World total (rounded) 10", "WORLD TOTAL", Total}, {"World total (ilmenite, rounded)", "WORLD TOTAL", Total},
		{"DELETE", "DELETE", Total}, {"Other countries (rounded)", "OTHER COUNTRIES", Residual}, {"Various countries", "VARIOUS COUNTRIES", Residual},
		{"899", "AREAS, NES", Residual}, {"EUR", "EUR", Bloc}, {"Türkiye", "TUR", Country},
	} {
		p, ok := Lookup(c.in)
		if !ok || p.Code != c.code || p.Kind != c.kind {
			t.Errorf("%q is %+v (%v); want %s, a %v", c.in, p, ok, c.code, c.kind)
		}
	}
	for in, want := range map[string]string{"Germny": `did you mean "Germany" (DEU)?`, "999": "unknown country number", "": "unknown country"} {
		if _, err := Resolve(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
}

func TestGroups(t *testing.T) {
	for _, c := range []struct {
		name string
		year int
		want int
	}{{"EU", 1994, 12}, {"EU", 2003, 15}, {"EU", 2006, 25}, {"EU", 2012, 27}, {"EU", 2019, 28}, {"EU", 2021, 27}, {"NATO", 2019, 29}, {"NATO", 2025, 32}, {"ASEAN", 2020, 10}, {"IP4", 2021, 0}} {
		got, ok := Group(c.name, c.year)
		if !ok || len(got) != c.want {
			t.Errorf("%s in %d has %d members (%v), want %d", c.name, c.year, len(got), got, c.want)
		}
		for _, code := range got {
			if p, ok := Lookup(code); !ok || p.Code != code {
				t.Errorf("%s: member %q is no country code", c.name, code)
			}
		}
	}
	if _, ok := Group("EEC", 2020); ok {
		t.Error("an unknown group has members")
	}
}
