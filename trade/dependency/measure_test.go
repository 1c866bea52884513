package dependency

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"causeway/trade"
	"causeway/trade/flows"
	"causeway/trade/internal/sharedtest"
	"causeway/trade/place"
	"causeway/trade/table"
	"pgregory.net/rapid"
)

func set(t interface{ Fatal(...any) }, csv string) *flows.Set {
	r := flows.NewReader()
	if err := r.CSV("f.csv", strings.NewReader(csv), flows.Columns{}); err != nil {
		t.Fatal(err)
	}
	s, err := r.Set()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// gallium: the EU buys from outside and inside, Japan from China and the rest.
const gallium = `year,exporter,importer,product,value
2021,CHN,DEU,811292,60
2021,JPN,DEU,811292,10
2021,FRA,DEU,811292,20
2021,CHN,FRA,811292,30
2021,DEU,USA,811292,40
2021,CHN,JPN,811292,90
2021,USA,JPN,811292,10
2021,"Areas, nes",JPN,811292,25
2021,VNM,JPN,811292,W
`

func TestIndicators(t *testing.T) {
	s := set(t, gallium)
	var markets []Market
	for _, n := range []string{"EU", "JPN", "DEU"} {
		m, err := MarketOf(n)
		if err != nil {
			t.Fatal(err)
		}
		markets = append(markets, m)
	}
	got := map[string]Indicator{}
	Measure(s, Question{Markets: markets, Supplier: "CHN"}, func(i Indicator) { got[i.Importer] = i })
	near := func(what string, f trade.Figure, want float64) {
		t.Helper()
		if !f.IsKnown() || math.Abs(f.Value-want) > 1e-12 {
			t.Errorf("%s = %v (%s), want %v", what, f.Value, f.Reason, want)
		}
	}
	eu := got["EU"]
	near("EU imports from outside", trade.Known(eu.Imports), 100)
	near("EU exports to outside", trade.Known(eu.Exports), 40)
	near("EU CDI 1", eu.HHI, 0.82)
	near("EU CDI 2", eu.Extern, 100.0/120)
	near("EU CDI 3", eu.Ratio, 2.5)
	near("EU share of China", eu.Asked, 0.9)
	if !eu.EU || !eu.GeoDep {
		t.Errorf("the EU is dependent by both screens: %+v", eu)
	}
	jp := got["JPN"]
	near("Japan HHI", jp.HHI, (90*90+10*10)/(125.0*125))
	near("Japan HHI, high end", jp.HHIHigh, (90*90+10*10+25*25)/(125.0*125))
	near("Japan without China", jp.WithoutTop, 1-90.0/125)
	if want := 3.0 / 4 * (1 - 25.0/125); math.Abs(jp.Coverage-want) > 1e-12 || jp.Missing != 1 {
		t.Errorf("coverage %v, missing %d; want %v and 1", jp.Coverage, jp.Missing, want)
	}
	if de := got["DEU"]; de.Extern.IsKnown() {
		t.Errorf("a single country has the share %v from outside a bloc", de.Extern)
	}
	// CHN exports 180 of 285, 25 of which have no country.
	near("world HHI", jp.WorldHHI, (180*180+10*10+20*20+40*40+10*10)/(285.0*285))
	near("others must grow by", jp.Growth, 180.0/260/(1-180.0/260))
}

// TestMeasureEqualsConcentrate: the fast path and the plain one agree, in any
// order of rows.
func TestMeasureEqualsConcentrate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		codes := []string{"AUS", "CHN", "DEU", "JPN", "KOR", "USA", "Areas, nes"}
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		var rows []string
		var japan []Supply
		for _, from := range codes {
			for _, to := range codes[:6] {
				if from == to || rng.IntN(3) == 0 {
					continue
				}
				v := fmt.Sprint(rng.IntN(100))
				if rng.IntN(6) == 0 {
					v = ""
				}
				rows = append(rows, fmt.Sprintf("2020,\"%s\",%s,260400,%s\n", from, to, v))
				if to == "JPN" {
					japan = append(japan, Supply{place.Code(from), table.ParseCell(v).Figure()})
				}
			}
		}
		if len(japan) == 0 {
			return
		}
		rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		s := set(t, "year,exporter,importer,product,value\n"+strings.Join(rows, ""))
		market, err := MarketOf("JPN")
		if err != nil {
			t.Fatal(err)
		}
		want, err := Concentrate("", japan, func(n string) bool { return place.KindOf(n) == place.Residual })
		if err != nil {
			t.Fatal(err)
		}
		Measure(s, Question{Markets: []Market{market}}, func(got Indicator) {
			if got.HHI.IsKnown() != want.HHI.IsKnown() || math.Abs(got.HHI.Value-want.HHI.Value) > 1e-12 || got.Top != want.Top || math.Abs(got.Coverage-want.Coverage) > 1e-12 ||
				math.Abs(got.HHIHigh.Value-want.HHIHigh.Value) > 1e-12 {
				t.Fatalf("%+v\n%+v", got, want)
			}
		})
	})
}

// TestRareEarthBacktest: what would the screen have said in 2009, and when did
// diversification show? (HS 280530, world exports.)
func TestRareEarthBacktest(t *testing.T) {
	r := flows.NewReader()
	if err := r.CSV("crm.csv.gz", sharedtest.Open(t, "crm_world_exports/crm_exports_rel_1995_2023.csv.gz"), flows.Columns{}); err != nil {
		t.Fatal(err)
	}
	s, err := r.Set()
	if err != nil {
		t.Fatal(err)
	}
	k, err := s.Product("280530")
	if err != nil {
		t.Fatal(err)
	}
	byYear := map[int]Reading{}
	for _, r := range Backtest(s, k, Thresholds{}) {
		byYear[r.Year] = r
	}
	for _, c := range []struct {
		year    int
		hhi     float64
		top     string
		share   float64
		flagged bool
	}{{2010, 0.593446, "CHN", 0.764, true}, {2015, 0.240176, "VNM", 0.334, false}} {
		got := byYear[c.year]
		if math.Abs(got.HHI.Value-c.hhi) > 5e-7 || got.Top != c.top || math.Abs(got.TopShare.Value-c.share) > 5e-4 || got.Flagged != c.flagged {
			t.Errorf("%d: %+v, want %v %s %v", c.year, got, c.hhi, c.top, c.share)
		}
	}
	if !byYear[2009].Flagged || !byYear[2009].Lasting {
		t.Errorf("in 2009, before the quotas, the screen says %+v; want a lasting flag", byYear[2009])
	}
}

// TestPublishedRisk is the GeoPolRisk test case: US imports of nickel in 2022.
func TestPublishedRisk(t *testing.T) {
	tab := sharedtest.Table(t, "geopolrisk/testcase_trade_data.csv")
	at, err := tab.Columns("rawMaterial", "Exporting Country", "Quantity (mTonnes)", "WGI", "Trade Value (1000 USD)")
	if err != nil {
		t.Fatal(err)
	}
	var sources []Source
	value, quantity := 0.0, 0.0
	for i := range tab.Rows {
		if tab.Text(i, at[0]) != "Nickel" {
			continue
		}
		q, g, v := tab.Cell(i, at[2]), tab.Cell(i, at[3]), tab.Cell(i, at[4])
		sources = append(sources, Source{tab.Text(i, at[1]), q.Value, trade.Known(g.Value)})
		value += v.Value
		quantity += q.Value
	}
	// The test case counts the score per tonne of imports with production in
	// tonnes and imports in thousands of them as they stand.
	r, err := GeoPolRisk(0.26749007657640966, sources, 17500, trade.Known(value/quantity))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what      string
		got, want float64
	}{{"numerator", r.Numerator, 21.179740941995366}, {"total", r.Total, 37.495}, {"score", r.Score, 0.00032304331527637555}, {"factor", r.Factor.Value, 0.0037927385852119812}} {
		if math.Abs(c.got-c.want) > 1e-12*math.Max(1, math.Abs(c.want)) {
			t.Errorf("%s = %.17g, want %.17g", c.what, c.got, c.want)
		}
	}
	if r, err = GeoPolRisk(0.5, []Source{{"TWN", 1, trade.Unknown("no score")}}, 0, trade.Unknown("no price")); err != nil || r.Score != 0.25 || len(r.Assumed) != 1 {
		t.Errorf("missing instability: %+v, %v; want the documented 0.5, named", r, err)
	}
}

func TestPersistenceAndFragility(t *testing.T) {
	var b strings.Builder
	b.WriteString("year,exporter,importer,product,value\n")
	for year, china := range map[int]int{2019: 10, 2020: 90, 2021: 90, 2022: 10} {
		fmt.Fprintf(&b, "%d,CHN,JPN,811292,%d\n%d,USA,JPN,811292,50\n%d,KOR,JPN,811292,49\n%d,USA,KOR,811292,3\n%d,CHN,KOR,811292,100\n", year, china*10, year, year, year, year)
	}
	s := set(t, b.String())
	var all []Indicator
	Measure(s, Question{}, func(i Indicator) { all = append(all, i) })
	for _, r := range Persistence(s.Years, all) {
		if r.Importer == "JPN" && (r.Dependent != 2 || !r.Persistent) {
			t.Errorf("Japan: dependent in %d years, persistent %v; want 2, true", r.Dependent, r.Persistent)
		}
	}
	f := FragilityOf(s, 1, 0)
	if f.Center != "CHN" || math.Abs(f.Captive.Value-1) > 1e-12 || f.Reach.Value != 1 || f.Clustering.Value != 1 {
		t.Errorf("network: %+v; want China in the center of two captive customers who trade with each other", f)
	}
}

func TestStageRuleAndScreens(t *testing.T) {
	con := func(csv string) Concentration {
		tab, err := table.Read("s.csv", strings.NewReader(csv))
		if err != nil {
			t.Fatal(err)
		}
		rep, err := ConcentrationsOf(tab, "s", "v", "")
		if err != nil {
			t.Fatal(err)
		}
		return rep.Groups[0]
	}
	for _, c := range []struct {
		name, csv string
		home      func(string) bool
		breach    bool
	}{
		{"above", "s,v\nCHN,66\nAUS,34\n", nil, true},
		{"at the limit", "s,v\nCHN,65\nAUS,35\n", nil, false},
		{"residual", "s,v\nOther countries,80\nAUS,20\n", nil, false},
		{"bloc", "s,v\nEUR,80\nAUS,20\n", nil, false},
		{"home", "s,v\nDEU,80\nAUS,20\n", func(n string) bool { return n == "DEU" }, false},
	} {
		b, err := StageRule(con(c.csv), c.home, 0)
		if err != nil || b.Breach != c.breach {
			t.Errorf("%s: %v (%s), %v; want %v", c.name, b.Breach, b.Reason, err, c.breach)
		}
	}
	s := CompareScreens(con("s,v\nCHN,98\nRUS,2\n"), con("s,v\nCHN,20\nDEU,20\nJPN,20\nUSA,20\nKOR,20\n"), 0)
	if !s.Disagree || !strings.Contains(s.Warning, "basket") {
		t.Errorf("gallium's case: %+v", s)
	}
	n, err := NMinusOne([]trade.Figure{trade.Known(60), trade.Known(50), trade.Known(20)}, 70)
	if err != nil || n.Value != 100 {
		t.Errorf("N-1 %v, %v; want 100", n, err)
	}
}

// TestChips reads the semiconductor data set: the residual is no country, and
// inputs without shares are unknown.
func TestChips(t *testing.T) {
	c, err := flows.ReadChain(flows.ChipTables{Inputs: sharedtest.Table(t, "eto_chips/inputs.csv"), Providers: sharedtest.Table(t, "eto_chips/providers.csv"),
		Provision: sharedtest.Table(t, "eto_chips/provision.csv.gz"), Sequence: sharedtest.Table(t, "eto_chips/sequence.csv")})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Inputs) != 126 || len(c.Notes) == 0 {
		t.Fatalf("%d inputs, notes %v; want 126", len(c.Inputs), c.Notes)
	}
	unknown, hidden := 0, 0
	for _, e := range ExposureOn(c, "NLD", nil) {
		if !e.Share.IsKnown() {
			unknown++
		}
		if place.KindOf(e.Top) == place.Residual || place.KindOf(e.Top) == place.Bloc {
			t.Errorf("%s: the top supplier is %q", e.Name, e.Top)
		}
		if e.Hidden.Value > 0.5 && len(e.Path) > 1 {
			hidden++
		}
		if e.Name == "EUV scanners" || strings.Contains(e.Name, "EUV lithography") {
			if e.Share.Value < 0.9 || !e.Breach {
				t.Errorf("%s: the Netherlands hold %v, breach %v", e.Name, e.Share, e.Breach)
			}
		}
	}
	if unknown == 0 || hidden == 0 {
		t.Errorf("%d inputs without a share, %d with hidden exposure; want some of each", unknown, hidden)
	}
}

// TestUSGS reads both gallium rows as they stand, with the bounds kept apart.
func TestUSGS(t *testing.T) {
	ps, err := flows.ReadProduction(sharedtest.Table(t, "usgs_mcs/MCS2025_World_Data.csv.gz"), 2024)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range ps {
		if p.Commodity != "Gallium" || len(p.Outputs) < 2 {
			continue
		}
		var rows []Supply
		for _, o := range p.Outputs {
			rows = append(rows, Supply{o.Country, o.Value})
		}
		con, err := Concentrate(p.Commodity, rows, nil)
		if err != nil || con.Top != "CHN" || con.HHI.Value < 0.9 {
			t.Errorf("gallium %s: %+v, %v; want China above 0.9", p.Type, con, err)
		}
		return
	}
	t.Error("no gallium in the table")
}

// TestUSGSLong: the long table of the release of 2026 gives its production, the
// last year by default.
func TestUSGSLong(t *testing.T) {
	long := sharedtest.Table(t, "usgs_mcs/MCS2026_Commodities_Data.csv.gz")
	for year, china := range map[int]float64{2024: 839_000, 0: 900_000} {
		ps, err := flows.ReadProduction(long, year)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, p := range ps {
			if p.Commodity != "Gallium" {
				continue
			}
			found = true
			if len(p.Outputs) < 4 || p.Outputs[1].Country != "CHN" || p.Outputs[1].Value.Value != china || !p.Declared.IsKnown() || p.Unit != "kilograms" {
				t.Errorf("gallium of %d: %+v; want %v kg of China and a declared total", year, p, china)
			}
		}
		if !found {
			t.Errorf("no gallium in %d", year)
		}
	}
	if _, err := flows.ReadProduction(long, 1999); err == nil || !strings.Contains(err.Error(), "no world production of 1999") {
		t.Errorf("a year that is not there: %v", err)
	}
}

func TestPicture(t *testing.T) {
	s := set(t, gallium)
	eu, err := MarketOf("EU")
	if err != nil {
		t.Fatal(err)
	}
	p := Picture(s, 0, 0, eu, "kUSD", 2)
	if len(p.Bands) != 2 || p.Bands[0].From != "from CHN" || p.Bands[0].To != "to EU" || p.Bands[0].After != 90 || len(p.Notes) != 1 {
		t.Errorf("picture %+v", p)
	}
	jp, err := MarketOf("JPN")
	if err != nil {
		t.Fatal(err)
	}
	if p = Picture(s, 0, 0, jp, "kUSD", 0); len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "1 flows have no value") {
		t.Errorf("notes %v; want the missing flow named", p.Notes)
	}
}

// TestExplain words a figure down to the rows of the source.
func TestExplain(t *testing.T) {
	r := flows.NewReader()
	r.Watch(2021, "811292")
	if err := r.CSV("f.csv", strings.NewReader(gallium), flows.Columns{}); err != nil {
		t.Fatal(err)
	}
	s, err := r.Set()
	if err != nil {
		t.Fatal(err)
	}
	eu, err := MarketOf("EU")
	if err != nil {
		t.Fatal(err)
	}
	Measure(s, Question{Markets: []Market{eu}}, func(ind Indicator) {
		for figure, want := range map[string]struct {
			value float64
			rows  int
		}{"hhi": {0.82, 3}, "extern": {100.0 / 120, 4}, "ratio": {2.5, 4}, "world_hhi": {0.42597722376115726, 9}} {
			e, err := Explain(figure, ind, eu, r.Traced())
			if err != nil || math.Abs(e.Value.Value-want.value) > 1e-12 || len(e.Rows) != want.rows || e.Formula == "" || e.Source == "" {
				t.Errorf("%s: %+v, %v; want %v from %d rows", figure, e, err, want.value, want.rows)
			}
		}
		if _, err := Explain("gini", ind, eu, nil); err == nil {
			t.Error("an unknown figure was explained")
		}
	})
}
