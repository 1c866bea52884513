package exchange

import (
	"bytes"
	"strings"
	"testing"

	"causeway/stix"
	"causeway/trade"
	"causeway/trade/cascade"
	"causeway/trade/dependency"
	"causeway/trade/episode"
	"causeway/trade/scenario"
	"causeway/trade/sharing"
	"causeway/trade/table"
	"github.com/google/go-cmp/cmp"
)

func params(t *testing.T) Params {
	t.Helper()
	created, err := stix.ParseTimestamp("2026-11-25T08:00:00.000Z")
	if err != nil {
		t.Fatal(err)
	}
	return Params{Created: created, Marks: []string{stix.TLPGreen}, Inputs: []scenario.Input{{Name: "flows.csv", SHA256: strings.Repeat("ab", 32)}}}
}

func valid(t *testing.T, o *stix.Object, err error) *stix.Object {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range stix.Validate(o) {
		if !p.Warning {
			t.Errorf("%s: %s %s", o.ID(), p.Path, p.Text)
		}
	}
	if len(o.MarkingRefs()) != 1 {
		t.Errorf("%s is not marked", o.ID())
	}
	return o
}

// TestEpisodesTravel: every shipped scenario becomes a valid object, the same
// bytes each time, and comes back as it was.
func TestEpisodesTravel(t *testing.T) {
	p := params(t)
	for _, e := range episode.All() {
		a, err := Scenario(&e.Scenario, p)
		valid(t, a, err)
		b, err := Scenario(&e.Scenario, p)
		if err != nil || !bytes.Equal(a.Raw(), b.Raw()) {
			t.Errorf("%s: two runs give other bytes (%v)", e.ID, err)
		}
		parsed, err := stix.ParseObject(a.Raw())
		if err != nil {
			t.Fatal(err)
		}
		back, err := ReadScenario(parsed)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(&e.Scenario, back); d != "" {
			t.Errorf("%s (-sent +read):\n%s", e.ID, d)
		}
	}
}

func TestDependencyAndPlan(t *testing.T) {
	p := params(t)
	ind := dependency.Indicator{Year: 2021, Importer: "JPN", Product: "811292", Imports: 100, HHI: trade.Known(0.68), Ratio: trade.Unknown("no exports"), Top: "CHN", TopShare: trade.Known(0.8)}
	o, err := Dependency(ind, p)
	back, err2 := ReadDependency(valid(t, o, err))
	if err2 != nil || back.Ratio.IsKnown() || back.Ratio.Reason != "no exports" || back.HHI.Value != 0.68 {
		t.Errorf("read back %+v, %v", back, err2)
	}
	salted := p
	salted.Salt = "desk"
	other, err := Dependency(ind, salted)
	if err != nil || other.ID() == o.ID() {
		t.Errorf("a salt leaves the id %s (%v)", other.ID(), err)
	}
	tab := func(name, csv string) *table.Table {
		out, err := table.Read(name, strings.NewReader(csv))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	problem, err := sharing.Read(sharing.Tables{Offers: tab("o", "supplier,quantity\nS1,60\nS2,40\n"), Needs: tab("n", "member,quantity\nJ1,50\nJ2,60\nJ3,40\n"), Routes: tab("r", "from,to,capacity\nS1,J1,\nS1,J2,\nS2,J2,\nS2,J3,20\n"), Unit: "t"})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := problem.Solve()
	if err != nil {
		t.Fatal(err)
	}
	sc, err := Scenario(&episode.All()[0].Scenario, p)
	if err != nil {
		t.Fatal(err)
	}
	po, err := Plan(plan, "Gallium for three", sc.ID(), p)
	valid(t, po, err)
	got, err := ReadPlan(po)
	if err != nil || len(got.Served) != 3 || got.Served[2].Ratio.String() != "0.5" {
		t.Errorf("read back %+v, %v", got, err)
	}
	found := false
	for _, r := range po.Refs() {
		found = found || (r.Property == "scenario_ref" && r.ID == sc.ID())
	}
	if !found {
		t.Errorf("the plan does not refer to its scenario: %v", po.Refs())
	}
	if _, err := ReadPlan(sc); err == nil {
		t.Error("a scenario was read as a plan")
	}
}

// TestWorldTravels: a product's flows, production and stocks come back as they
// were, and a link to nowhere is refused.
func TestWorldTravels(t *testing.T) {
	p := params(t)
	s := Supply{Name: "Gallium", Unit: "t", Year: "2022", World: &cascade.World{Places: []string{"CHN", "JPN"}, Production: []float64{600, 10}, Stock: []float64{0, 40.5},
		Links: []cascade.Link{{From: 0, To: 1, Quantity: 90}}}}
	o, err := World(s, p)
	valid(t, o, err)
	again, err := World(s, p)
	if err != nil || !bytes.Equal(o.Raw(), again.Raw()) {
		t.Errorf("two runs give other bytes (%v)", err)
	}
	back, err := ReadWorld(o)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(s, back); d != "" {
		t.Errorf("(-sent +read):\n%s", d)
	}
	bad, err := stix.ParseObject(bytes.Replace(o.Raw(), []byte(`"to":"JPN"`), []byte(`"to":"KOR"`), 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ReadWorld(bad); err == nil || !strings.Contains(err.Error(), "not listed") {
		t.Errorf("a link to nowhere: %v", err)
	}
}

// TestPlanReruns: what one node states, another reruns to the same bytes; a
// plan that does not follow, or other data, does not pass.
func TestPlanReruns(t *testing.T) {
	p := params(t)
	p.Salt, p.Inputs = "0123456789abcdef", nil
	supply := Supply{Name: "Gallium", Unit: "t", Year: "2022", World: &cascade.World{Places: []string{"CHN", "JPN", "DEU"}, Production: []float64{600, 10, 0}, Stock: []float64{0, 40.5, 10},
		Links: []cascade.Link{{From: 0, To: 1, Quantity: 90}, {From: 0, To: 2, Quantity: 30}}}}
	world, err := World(supply, p)
	valid(t, world, err)
	s := &scenario.Scenario{ID: "ban", Title: "Ban", Inputs: []scenario.Input{InputOf(world)}, Engines: &scenario.Parameters{Members: []string{"JPN", "DEU"}},
		Measures: []scenario.Measure{{Kind: scenario.ExportBan, Actor: "CHN", Targets: []string{"*"}, Withheld: trade.Known(0.9), From: "2023-08-01",
			Products: []scenario.Product{{Code: "811292", Revision: "HS2022", Text: "Gallium"}}, Sources: []scenario.Source{{Title: "t"}}}}}
	so, err := Scenario(s, p)
	valid(t, so, err)
	r, err := Rerun(so, world)
	if err != nil {
		t.Fatal(err)
	}
	po, err := Plan(r.Plan, "Plan", so.ID(), p)
	valid(t, po, err)
	parse := func(b []byte) *stix.Object {
		o, err := stix.ParseObject(b)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	for name, c := range map[string]struct {
		plan, scenario, supply *stix.Object
		same                   bool
		want                   string
	}{
		"as sent":              {parse(po.Raw()), parse(so.Raw()), parse(world.Raw()), true, ""},
		"another shipment":     {parse(bytes.Replace(po.Raw(), []byte(`"unit":"t"`), []byte(`"unit":"kg"`), 1)), so, world, false, ""},
		"another stock":        {po, so, parse(bytes.Replace(world.Raw(), []byte("40.5"), []byte("41.5"), 1)), false, "other bytes"},
		"another supply":       {po, so, parse(bytes.ReplaceAll(world.Raw(), []byte(world.ID()), []byte(DependencyType+"--11111111-1111-4111-8111-111111111111"))), false, "not on"},
		"no answer to it":      {parse(bytes.ReplaceAll(po.Raw(), []byte(so.ID()), []byte(ScenarioType+"--11111111-1111-4111-8111-111111111111"))), so, world, false, "it answers"},
		"a scenario as a plan": {so, so, world, false, "is a x-causeway-scenario"},
	} {
		t.Run(name, func(t *testing.T) {
			same, err := Verify(c.plan, c.scenario, c.supply)
			if same != c.same || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("same %v, error %v; want %v, %q", same, err, c.same, c.want)
			}
		})
	}
}
