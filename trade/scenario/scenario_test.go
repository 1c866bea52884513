package scenario

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"causeway/trade"
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
