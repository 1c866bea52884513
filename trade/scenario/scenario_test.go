package scenario

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"causeway/trade"
	"causeway/trade/equilibrium"
	"causeway/trade/flows"
)

const ban = `{"id":"gallium","title":"Gallium ban","baseline":2021,"elasticity":{"low":2,"high":5},
"measures":[{"kind":"export-ban","actor":"CHN","targets":["JPN"],"products":[{"code":"81129240","revision":"HS2022","text":"gallium","partial":true}],
"withheld":1,"from":"2023-08-01","formal":true,"basis":"security","sources":[{"title":"announcement"}]}]}`

func world(t *testing.T) World {
	t.Helper()
	r := flows.NewReader()
	if err := r.CSV("f.csv", strings.NewReader("year,exporter,importer,product,value\n2021,CHN,JPN,811292,80\n2021,USA,JPN,811292,20\n2021,CHN,DEU,811292,50\n"), flows.Columns{}); err != nil {
		t.Fatal(err)
	}
	s, err := r.Set()
	if err != nil {
		t.Fatal(err)
	}
	return World{Flows: s}
}

func parse(t *testing.T, text string) *Scenario {
	t.Helper()
	s, err := Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestPartialCodeIsUnknown: a measure at eight digits does not become a ban on
// the six-digit basket; with the covered share it becomes that share.
func TestPartialCodeIsUnknown(t *testing.T) {
	w := world(t)
	r, err := Run(parse(t, ban), w)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Effects) != 2 || r.Effects[0].Withheld.IsKnown() || !strings.Contains(r.Effects[0].Withheld.Reason, "only a part of 811292") {
		t.Fatalf("effects %+v", r.Effects)
	}
	w.Covered = map[string]float64{"81129240": 0.5}
	w.CostShares = map[string]trade.Figure{"JPN": trade.Known(0.02)}
	w.Production = map[string]trade.Figure{"CHN": trade.Known(200), "USA": trade.Known(50), "JPN": trade.Known(0), "DEU": trade.Known(0)}
	if r, err = Run(parse(t, ban), w); err != nil {
		t.Fatal(err)
	}
	var japan Effect
	for _, e := range r.Effects {
		if e.Side == "buyer" {
			japan = e
		}
	}
	near := func(what string, f trade.Figure, want float64) {
		t.Helper()
		if !f.IsKnown() || math.Abs(f.Value-want) > 1e-9 {
			t.Errorf("%s = %v (%s), want %v", what, f.Value, f.Reason, want)
		}
	}
	near("gross loss", japan.Withheld, 40)
	near("share", japan.Share, 0.4)
	near("price, high end", japan.Price.High, -math.Log(0.6))
	near("price, low end", japan.Price.Low, -math.Log(0.6)/4)
	near("first order", japan.FirstOrder, 0.02*math.Log(0.6))
	near("Leontief bound", japan.Leontief, math.Log(0.6))
	if c := japan.Cascade; !c.Low.IsKnown() || c.Low.Value > c.High.Value || c.High.Value >= 1 || c.Low.Value < 0.55 {
		t.Errorf("cascade %+v; want a fall by less than the gross loss, in order", c)
	}
}

func TestTotalBanHasNoPrice(t *testing.T) {
	w := world(t)
	s := parse(t, strings.NewReplacer("81129240", "811292", `,"partial":true`, "", `"targets":["JPN"]`, `"targets":["*"]`).Replace(ban))
	r, err := Run(s, w)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range r.Effects {
		if e.Country == "DEU" && (e.Price.High.IsKnown() || !e.NoSupplier) {
			t.Errorf("Germany loses its only supplier: %+v", e)
		}
	}
}

func TestBadScenarios(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown field", `"title"`, `"titel"`, "unknown field"},
		{"trailing data", `"announcement"}]}]}`, `"announcement"}]}]} {}`, "something behind"},
		{"country", `"JPN"`, `"Japan"`, `write`},
		{"country 2", `"JPN"`, `"JPX"`, "unknown country"},
		{"actor", `"CHN"`, `"China"`, `write "CHN"`},
		{"no fraction", `"withheld":1,`, ``, "lacks withheld"},
		{"null", `"withheld":1,`, `"withheld":null,`, "lacks withheld"},
		{"fraction", `"withheld":1`, `"withheld":1.2`, "want a fraction from 0 to 1"},
		{"date", "2023-08-01", "1 August", "want a date"},
		{"kind", "export-ban", "embargo", "want export-ban"},
		{"code", "81129240", "8112924", "want 2 to 10 digits"},
		{"not partial", `,"partial":true`, "", "mark it partial"},
		{"elasticity", `"low":2,"high":5`, `"low":5,"high":2`, "the smaller first"},
		{"revision", "HS2022", "HS2021", "a revision such as HS2017"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := c.want
			if c.name == "country" {
				want = "want another country by its code (JPN)"
			}
			if _, err := Parse(strings.NewReader(strings.Replace(ban, c.old, c.new, 1))); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
		})
	}
	if _, err := Run(parse(t, strings.Replace(ban, "81129240", "28053010", 1)), world(t)); err == nil || !strings.Contains(err.Error(), "no product of the data lies under 28053010") {
		t.Errorf("unknown basket: %v", err)
	}
}

// three is an equilibrium of three regions with one traded sector.
func three() *equilibrium.Data {
	N := 3
	d := &equilibrium.Data{Regions: []string{"China", "Japan", "USA"}, Sectors: []string{"Metals"}, Flow: make([]float64, N*N), Tariff: make([]float64, N*N),
		Input: make([]float64, N), Final: make([]float64, N), Value: make([]float64, N), Deficit: make([]float64, N), Theta: []float64{5}}
	for n := range N {
		for i := range N {
			d.Flow[d.Cell(0, n, i)] = 10
		}
		d.Flow[d.Cell(0, n, n)] = 80
		d.Value[n], d.Final[n], d.Input[n] = 60, 60, 40
	}
	return d
}

// TestEquilibriumEngine: what the measures withhold, by its share in the
// sector, lowers real income of who loses the supply; less of the basket
// covered, less loss; a country without a region is named.
func TestEquilibriumEngine(t *testing.T) {
	w := world(t)
	m, err := ReadMapping(strings.NewReader(`{"regions":{"CHN":"China","JPN":"Japan","USA":"USA"},"sectors":{"Metals":["81"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	last := 0.0
	for _, covered := range []float64{0.25, 0.5, 1} {
		w.Covered = map[string]float64{"81129240": covered}
		s := parse(t, ban)
		r, err := Run(s, w)
		if err != nil {
			t.Fatal(err)
		}
		out, err := r.Equilibrium(s, w, three(), m)
		if err != nil {
			t.Fatal(err)
		}
		japan := out[1].Change
		if !(japan.High < 0 && japan.Low < japan.High && japan.High < last) {
			t.Errorf("covered %v: Japan %+v, want a larger loss than %v", covered, japan, last)
		}
		last = japan.High
		for _, e := range r.Effects {
			if e.Country == "JPN" && (!e.RealIncome.Low.IsKnown() || e.RealIncome.Low.Value != japan.Low) {
				t.Errorf("effect %+v", e.RealIncome)
			}
		}
	}
	s := parse(t, strings.Replace(ban, `"JPN"`, `"DEU"`, 1))
	r, err := Run(s, w)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Equilibrium(s, w, three(), m); err != nil || !strings.Contains(strings.Join(r.Notes, "|"), "leaves out 811292 from CHN to DEU") {
		t.Errorf("a country without a region: %v, %v", err, r.Notes)
	}
	tariff := parse(t, strings.NewReplacer(`"export-ban"`, `"tariff"`, `"actor":"CHN"`, `"actor":"JPN"`, `"targets":["JPN"]`, `"targets":["CHN"]`, `"withheld":1`, `"withheld":{"unknown":"a duty"},"duty":0.5`).Replace(ban))
	if r, err = Run(tariff, w); err != nil {
		t.Fatal(err)
	}
	out, err := r.Equilibrium(tariff, w, three(), m)
	if err != nil || !(out[0].Change.High < 0) {
		t.Errorf("a duty against China: %+v, %v; want a loss there", out[0], err)
	}
	for _, bad := range []string{`{}`, `{"regions":{"A":"B"},"sectors":{"x":["8"]}}`, `{"region":{}}`, `{"regions":{"A":"B"},"sectors":{"x":["81"]}} x`} {
		if _, err := ReadMapping(strings.NewReader(bad)); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

// FuzzParse: what is accepted keeps every rule, and is accepted again once
// written.
func FuzzParse(f *testing.F) {
	f.Add(ban)
	f.Add(`{"id":"x"}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(strings.NewReader(text))
		if err != nil {
			return
		}
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(bytes.NewReader(b)); err != nil {
			t.Fatalf("written and read again: %v\n%s", err, b)
		}
	})
}
