package answer

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"causeway/trade"
	"causeway/trade/cascade"
	"causeway/trade/scenario"
)

// gallium is a small supply with one large exporter; the figures are invented.
func gallium() *cascade.World {
	return &cascade.World{
		Places:     []string{"CHN", "JPN", "KOR", "DEU", "USA"},
		Production: []float64{600, 3, 2, 0, 0}, Stock: []float64{60, 12, 4, 30, 10},
		Links: []cascade.Link{{From: 0, To: 1, Quantity: 180}, {From: 0, To: 2, Quantity: 60}, {From: 0, To: 3, Quantity: 70}, {From: 0, To: 4, Quantity: 50}, {From: 1, To: 4, Quantity: 8}},
	}
}

func ban(withheld trade.Figure, targets ...string) *scenario.Scenario {
	half := 0.5
	return &scenario.Scenario{ID: "t", Title: "t", Baseline: 2023, Elasticity: trade.Interval{Low: 0.5, High: 2},
		Measures: []scenario.Measure{{Kind: scenario.ExportBan, Actor: "CHN", Targets: targets, Withheld: withheld, From: "2023-08-01",
			Products: []scenario.Product{{Code: "811292", Revision: "HS2022", Text: "Gallium"}}, Sources: []scenario.Source{{Title: "t"}}}},
		Engines: &scenario.Parameters{Accessible: &half, CostShare: 0.02, Members: []string{"JPN", "DEU", "USA"}}}
}

func run(t *testing.T, s *scenario.Scenario) *Result {
	t.Helper()
	r, err := Run(s, gallium(), "t")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestBan(t *testing.T) {
	r := run(t, ban(trade.Known(0.8), "*"))
	if r.Total != 0.8*(180+60+70+50) {
		t.Errorf("%v withheld, want %v", r.Total, 0.8*360)
	}
	if !slices.IsSortedFunc(r.Hits, func(a, b Hit) int { return int(math.Copysign(1, b.High-a.High)) }) || len(r.Hits) != 4 {
		t.Errorf("hits %+v; want four, the worst first", r.Hits)
	}
	if r.Users == nil || r.Users.Loss.FirstOrder >= 0 || r.Users.Range.Exact.Low > r.Users.Range.Exact.High {
		t.Errorf("users %+v", r.Users)
	}
	// Half of 12 + 30 + 10 is on the table, and all of it is needed.
	met := 0.0
	for _, s := range r.Plan.Served {
		met += s.Met.Float()
	}
	if math.Abs(met-26) > 1e-9 || len(r.Plan.Served) != 3 {
		t.Errorf("the plan meets %v of %d needs; want 26 t, which is what the members may draw", met, len(r.Plan.Served))
	}
}

func TestTargets(t *testing.T) {
	// Of the G7 only Japan, Germany and the United States buy.
	group, each := run(t, ban(trade.Known(1), "G7")), run(t, ban(trade.Known(1), "JPN", "DEU", "USA"))
	if group.Total != 300 || each.Total != 300 {
		t.Errorf("withheld from the group %v, from its members one by one %v; want 300", group.Total, each.Total)
	}
	twice := ban(trade.Known(0.5), "JPN")
	twice.Measures = append(twice.Measures, twice.Measures[0])
	if r := run(t, twice); math.Abs(r.Total-0.75*180) > 1e-9 {
		t.Errorf("two halves withhold %v of 180; want three quarters", r.Total)
	}
	imports := ban(trade.Known(1), "CHN")
	imports.Measures[0].Kind, imports.Measures[0].Actor = scenario.ImportBan, "JPN"
	if r := run(t, imports); r.Proportional.Outcomes[1].Consumption >= r.Proportional.Outcomes[1].Before {
		t.Errorf("Japan buys nothing of China and lacks nothing: %+v", r.Proportional.Outcomes[1])
	}
}

// Who buys of one that is hit lacks too, and has a need in the plan.
func TestKnockOn(t *testing.T) {
	w := gallium()
	w.Links = []cascade.Link{{From: 0, To: 1, Quantity: 180}, {From: 1, To: 4, Quantity: 80}}
	r, err := Run(ban(trade.Known(1), "JPN"), w, "t")
	if err != nil {
		t.Fatal(err)
	}
	var needs []string
	for _, s := range r.Plan.Served {
		needs = append(needs, s.Member)
	}
	if !slices.Equal(needs, []string{"JPN", "USA"}) {
		t.Errorf("needs of %v; want Japan's, and that of the United States, to which Japan passes it on", needs)
	}
}

func TestNothingToDraw(t *testing.T) {
	s := ban(trade.Known(1), "*")
	none := 0.0
	s.Engines.Accessible = &none
	for _, served := range run(t, s).Plan.Served {
		if served.Met.Float() > 0 {
			t.Errorf("%s gets %v out of stocks that nobody may draw", served.Member, served.Met.Float())
		}
	}
	s.Engines.Members = s.Engines.Members[:1]
	if r := run(t, s); r.Plan != nil {
		t.Error("one member has a plan of joint action")
	}
}

func TestRefuses(t *testing.T) {
	if _, err := Run(ban(trade.Unknown("the act does not say"), "*"), gallium(), "t"); err == nil || !strings.Contains(err.Error(), "the act does not say") {
		t.Errorf("an unknown fraction: %v", err)
	}
	tariff := ban(trade.Known(0), "*")
	tariff.Measures[0].Kind, tariff.Measures[0].Duty = scenario.Tariff, 0.2
	if r := run(t, tariff); len(r.Hits) != 0 || !strings.Contains(strings.Join(r.Notes, "\n"), "stops no flow") {
		t.Errorf("a tariff: %+v", r.Notes)
	}
}

// The order of links does not change who is hit, and a run repeats itself byte
// for byte.
func TestSameAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := ban(trade.Known(rapid.Float64Range(0, 1).Draw(t, "withheld")), "*")
		w, shuffled := gallium(), gallium()
		shuffled.Links = rapid.Permutation(shuffled.Links).Draw(t, "links")
		var plans [3]string
		for i, world := range []*cascade.World{w, w, shuffled} {
			r, err := Run(s, world, "t")
			if err != nil {
				t.Fatal(err)
			}
			b, err := json.Marshal(r.Plan)
			if err != nil {
				t.Fatal(err)
			}
			plans[i] = string(b)
		}
		if plans[0] != plans[1] || plans[0] != plans[2] {
			t.Fatalf("plans differ:\n%s\n%s\n%s", plans[0], plans[1], plans[2])
		}
	})
}
