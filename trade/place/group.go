package place

import (
	"fmt"
	"sort"
	"strings"
)

// spell is one country's membership of a group: from the first year to the last,
// 0 for no end. Whole calendar years: a state that joined in May counts from the
// next January.
type spell struct {
	code     string
	from, to int
}

// memberships lists the groups trade measures are made for. Sources: the
// accession treaties of the European Union; the accession protocols to the
// North Atlantic Treaty; the ASEAN Declaration and accessions.
var memberships = map[string][]spell{
	"EU": spells("1958 BEL DEU FRA ITA LUX NLD|1973 DNK IRL|1981 GRC|1986 ESP PRT|1995 AUT FIN SWE|2005 CYP CZE EST HUN LTU LVA MLT POL SVK SVN|2007 BGR ROU|2014 HRV|1973-2019 GBR"),
	"NATO": spells("1950 BEL CAN DNK FRA GBR ISL ITA LUX NLD NOR PRT USA|1952 GRC TUR|1955 DEU|1983 ESP|1999 CZE HUN POL|2004 BGR EST LVA LTU ROU SVK SVN|2009 ALB HRV|" +
		"2018 MNE|2020 MKD|2024 FIN|2025 SWE"),
	"G7":    spells("1976 CAN DEU FRA GBR ITA JPN USA"),
	"ASEAN": spells("1968 IDN MYS PHL SGP THA|1984 BRN|1996 VNM|1998 LAO MMR|2000 KHM|2026 TLS"),
	"IP4":   spells("2022 AUS JPN KOR NZL"),
}

func spells(text string) []spell {
	var out []spell
	for _, part := range strings.Split(text, "|") {
		f := strings.Fields(part)
		s := spell{}
		if n, _ := fmt.Sscanf(f[0], "%d-%d", &s.from, &s.to); n < 1 {
			panic("place: bad membership " + part)
		}
		for _, code := range f[1:] {
			out = append(out, spell{code, s.from, s.to})
		}
	}
	return out
}

// Group returns the codes of a group's members in a year, sorted. It reports
// false for a group it does not know.
func Group(name string, year int) ([]string, bool) {
	all, ok := memberships[strings.ToUpper(name)]
	if !ok {
		return nil, false
	}
	var out []string
	for _, s := range all {
		if year >= s.from && (s.to == 0 || year <= s.to) {
			out = append(out, s.code)
		}
	}
	sort.Strings(out)
	return out, true
}

// Groups lists the names Group knows.
func Groups() []string {
	var out []string
	for n := range memberships {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}
