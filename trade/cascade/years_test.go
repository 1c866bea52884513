package cascade

import (
	"strings"
	"testing"

	"causeway/trade/table"
)

func TestReadYears(t *testing.T) {
	tab := func(name, text string) *table.Table {
		out, err := table.Read(name, strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	places := tab("places", "place,production,stock\nCHN,100,0\nJPN,5,2\n")
	years, notes, err := ReadYears(places, tab("exports", "year,from,to,quantity\n2022,CHN,JPN,7\n2021,CHN,JPN,5\n"))
	if err != nil || len(years) != 2 || years[0].Name != "2021" || years[0].World.Links[0].Quantity != 5 || years[1].World.Links[0].Quantity != 7 {
		t.Errorf("years %+v, %v", years, err)
	}
	if !strings.Contains(strings.Join(notes, "\n"), "the same in every year") {
		t.Errorf("notes %q", notes)
	}
	if one, _, err := ReadYears(places, tab("exports", "from,to,quantity\nCHN,JPN,7\n")); err != nil || len(one) != 1 || one[0].Name != "" {
		t.Errorf("no years: %+v, %v", one, err)
	}
	own := tab("places", "year,place,production\n2021,CHN,100\n2021,JPN,5\n")
	for text, want := range map[string]string{
		"year,from,to,quantity\n2022,CHN,JPN,7\n":    "no place has a row for 2022",
		"year,from,to,quantity\nlate,CHN,JPN,7\n":    "is no year",
		"year,from,to,quantity\n2021,CHN,JPN,-7\n":   "year 2021",
		"year,from,to,quantity\n2021,CHN,KOR,7\n":    "year 2021",
		"year,from,to,quantity\n2021,CHN,JPN,\n":     "year 2021",
		"year,from,to,quantity\n2021-22,CHN,JPN,1\n": "is no year",
	} {
		if _, _, err := ReadYears(own, tab("exports", text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want an error with %q", text, err, want)
		}
	}
}
