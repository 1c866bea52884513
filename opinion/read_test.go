package opinion

import (
	"strings"
	"testing"
)

func TestReadRefuses(t *testing.T) {
	const head = "country,target,population,year,share_pct,n,n_eff\n"
	for name, c := range map[string]struct{ in, want string }{
		"empty":            {"", "the file is empty"},
		"header only":      {head, "no rows"},
		"column missing":   {"country,target,year,share_pct\nIDN,USA,2010,50\n", "lacks n (or n_eff), population"},
		"column twice":     {"country,country,target,population,year,share_pct,n\n", `"country" twice`},
		"share above 100":  {head + "IDN,USA,public,2010,104,900,800\n", "x.csv:2: IDN on USA: the share 104 % is outside 0 to 100"},
		"share negative":   {head + "IDN,USA,public,2010,-1,900,800\n", "outside 0 to 100"},
		"share empty":      {head + "IDN,USA,public,2010,,900,800\n", "the share is empty"},
		"share not number": {head + "IDN,USA,public,2010,12%,900,800\n", `"12%" is not a number`},
		"share NaN":        {head + "IDN,USA,public,2010,NaN,900,800\n", "is not a number"},
		"n missing":        {head + "IDN,USA,public,2010,50,,\n", "n is missing"},
		"n_eff above n":    {head + "IDN,USA,public,2010,50,900,1800\n", "above n"},
		"two waves":        {head + "IDN,USA,public,2010,50,900,800\nIDN,USA,public,2010,51,900,800\n", "two waves of IDN on USA (public) carry the date"},
		"old code":         {head + "BUR,USA,public,2010,50,900,800\n", "--rename BUR=MMR"},
		"bad year":         {head + "IDN,USA,public,soon,50,900,800\n", `"soon" is not a year`},
		"year far":         {head + "IDN,USA,public,20100,50,900,800\n", "not a year from 1900"},
		"fraction":         {"country,target,population,year,share,n\nIDN,USA,public,2010,50,900\n", "name the column share_pct"},
		"ragged":           {head + "IDN,USA\n", "wrong number of fields"},
		"country empty":    {head + ",USA,public,2010,50,900,800\n", "the country is empty"},
		"invisible":        {head + "ID\u200bN,USA,public,2010,50,900,800\n", "invisible character"},
		"renamed country":  {"country,country_name,target,population,year,share_pct,n\nMMR,Burma,USA,public,2010,50,900\nMMR,Myanmar,USA,public,2012,50,900\n", "changed its name"},
		"field work":       {"country,target,population,field_start,field_end,share_pct,n\nIDN,USA,public,2010-05-02,2010-04-02,50,900\n", "not after the second"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(strings.NewReader(c.in), "x.csv", ReadOptions{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestReadPlain(t *testing.T) {
	in := "country,target,population,date,share,n,item,house\nIDN,USA,elite,2011-07-02,0.5,900,trust,H\n"
	d, err := Read(strings.NewReader(in), "x.csv", ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	o := d.Observations[0]
	if o.Population != "elite" || o.Share != 0.5 || o.NEff != 450 || o.Time < 2011.49 || o.Time > 2011.51 || o.Source != "x.csv:2" {
		t.Errorf("%+v", o)
	}
	if len(d.Notes) != 1 {
		t.Errorf("notes %q, want one about n_eff", d.Notes)
	}
}

// TestReadShared counts what the shared files hold.
func TestReadShared(t *testing.T) {
	count := map[string]int{}
	for _, o := range shared(t, pewFile).Observations {
		count[o.Quality]++
		if o.Country == "PLS" {
			t.Errorf("%s: PLS was kept", o.Source)
		}
	}
	if count[QualityOK] != 2617 || len(count) != 2 {
		t.Errorf("qualities %v, want 2617 ok and the suspect column", count)
	}
	pub := map[string]int{}
	for _, o := range shared(t, "published_perception_figures.csv").Observations {
		pub[o.Population]++
		if o.usable() {
			t.Errorf("%s has no sample size and was taken", o.Source)
		}
	}
	if pub["elite"] != 89 || pub["public"] != 11 {
		t.Errorf("populations %v, want 89 elite and 11 public", pub)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("country,target,population,year,share_pct,n\nIDN,USA,public,2010,50,900\nIDN,USA,public,2011,55,900\n")
	f.Add("year,country_iso3,target,n,n_eff_kish,favorable_pct,quality\n2013,ARG,CHN,819,640.1,38.54,SUSPECT\n")
	f.Add("year,instrument,population,geo,item,response,value_pct,source,note\nFY2019,x,elite,IDN,q,CHN,50,u,complement\n")
	f.Fuzz(func(t *testing.T, in string) {
		d, err := Read(strings.NewReader(in), "f.csv", ReadOptions{})
		if err != nil {
			return
		}
		m := Fit(Exclude(d.Observations, Check(d.Observations)), Options{})
		for _, q := range m.Series() {
			q.Time = 2010.5
			if e := m.Estimate(q); e.Status == OK && !(e.PredLo >= 0 && e.PredLo <= e.Mean && e.Mean <= e.PredHi && e.PredHi <= 1) {
				t.Fatalf("%+v", e)
			}
		}
	})
}
