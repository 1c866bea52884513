package demo

import (
	"context"
	"slices"
	"strings"

	"causeway/internal/line"
	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/label"
	"causeway/stix"
	"causeway/trade"
	"causeway/trade/cascade"
	"causeway/trade/episode"
	"causeway/trade/exchange"
	"causeway/trade/scenario"
	"causeway/trade/sharing"
	"causeway/trade/table"
)

// The plan's tables. Quantities are invented, in tonnes over three months;
// the measure is China's of 2023 on gallium and germanium. The stocks of Japan
// are its private figure: an empty quantity says that they are withheld.
const (
	offersKnown = `supplier,month,quantity
JPN stock,1,9
JPN recycling,1,4
JPN recycling,2,4
JPN recycling,3,4
DEU refinery,2,3
DEU refinery,3,6
CAN recycling,1,2
CAN recycling,2,2
CAN recycling,3,2
`
	needs = `member,month,quantity,floor
JPN,1,5,60 %
JPN,2,5,60 %
JPN,3,5,60 %
BEL,1,2,
BEL,2,2,
BEL,3,2,
DEU,1,4,
DEU,2,4,
DEU,3,4,
AUS,1,1,
AUS,2,1,
AUS,3,1,
`
	routes = `from,to,capacity
JPN stock,JPN,
JPN stock,DEU,
JPN stock,BEL,
JPN recycling,JPN,
JPN recycling,AUS,
DEU refinery,DEU,
DEU refinery,BEL,
CAN recycling,DEU,
CAN recycling,BEL,
CAN recycling,AUS,
`
)

// gallium is who makes, holds and ships gallium. Production is of primary, low-purity
// gallium in 2022 (USGS, Mineral Commodity Summaries 2023, table of world
// production); flows and stocks are invented and say so.
var gallium = exchange.Supply{
	Name: "Gallium, primary, low purity", Unit: "t", Year: "2022",
	Source: "Production: USGS, Mineral Commodity Summaries 2023, Gallium. Flows and stocks: invented for the demo",
	World: &cascade.World{
		Places:     []string{"CHN", "JPN", "KOR", "RUS", "DEU", "BEL", "AUS", "USA"},
		Production: []float64{540, 3, 2, 5, 0, 0, 0, 0},
		Stock:      []float64{120, 30, 8, 2, 6, 3, 1, 10},
		Links: []cascade.Link{
			{From: 0, To: 1, Quantity: 95}, {From: 0, To: 2, Quantity: 40}, {From: 0, To: 4, Quantity: 35}, {From: 0, To: 5, Quantity: 9},
			{From: 0, To: 6, Quantity: 4}, {From: 0, To: 7, Quantity: 20}, {From: 1, To: 7, Quantity: 6}, {From: 1, To: 6, Quantity: 2}, {From: 4, To: 5, Quantity: 4},
		},
	},
}

// withoutStocks is the same supply for those who may not see what Japan holds.
// What is not released is not there to be drawn on, and the notes say so.
func withoutStocks(s exchange.Supply) exchange.Supply {
	w := *s.World
	w.Stock = slices.Clone(w.Stock)
	w.Stock[slices.Index(w.Places, "JPN")] = 0
	s.Name += ", without Japan's stocks"
	s.Notes = append(slices.Clone(s.Notes), "what Japan holds is not released: it stands as nothing to draw on, and is not zero")
	s.World = &w
	return s
}

// offersWithheld are the same offers without Japan's stocks.
var offersWithheld = strings.Replace(offersKnown, "JPN stock,1,9", "JPN stock,1,", 1)

// coercion is the economic half of the story: the measure goes to both
// partners; the supply and the plans with Japan's stocks to Brussels alone, and
// those that do without them, and say what they could change, to Canberra too.
func coercion(ctx context.Context, tokyo, brussels, canberra *node.Node) error {
	analyst, err := who(ctx, tokyo, people.Analyst)
	if err != nil {
		return err
	}
	e, err := episode.Find("world-2023-gallium-germanium")
	if err != nil {
		return err
	}
	wide, narrow := natoLabel("RESTRICTED", "JPN", "AUS"), natoLabel("RESTRICTED", "JPN")
	measure, err := tokyo.Desk.Scenario(ctx, analyst, &e.Scenario, wide)
	if err != nil {
		return err
	}
	if err := rerunnable(ctx, tokyo, e.Scenario, withoutStocks(gallium), wide, brussels, canberra); err != nil {
		return err
	}
	if err := rerunnable(ctx, tokyo, e.Scenario, gallium, narrow, brussels); err != nil {
		return err
	}
	for _, p := range []struct {
		title, offers string
		label         *label.Label
		to            []*node.Node
	}{
		{"Gallium for three months, Japan's stocks included (invented figures)", offersKnown, narrow, []*node.Node{brussels}},
		{"Gallium for three months, without stocks (invented figures)", offersWithheld, wide, []*node.Node{brussels, canberra}},
	} {
		plan, err := solve(p.offers)
		if err != nil {
			return err
		}
		id, err := tokyo.Desk.Plan(ctx, analyst, plan, p.title, measure, p.label)
		if err != nil {
			return err
		}
		if err := release(ctx, tokyo, id, line.Immediate, p.to...); err != nil {
			return err
		}
	}
	return nil
}

// rerunnable states a supply, the measure on it with an assumption of how much
// is withheld, and the plan that follows, and releases them together. Whoever
// holds the three runs them again to the same bytes.
func rerunnable(ctx context.Context, tokyo *node.Node, s scenario.Scenario, supply exchange.Supply, l *label.Label, to ...*node.Node) error {
	analyst, err := who(ctx, tokyo, people.Analyst)
	if err != nil {
		return err
	}
	supplyID, err := tokyo.Desk.Supply(ctx, analyst, supply, l)
	if err != nil {
		return err
	}
	supplyObject, err := stored(ctx, tokyo, supplyID)
	if err != nil {
		return err
	}
	half := 0.5
	m := s.Measures[0]
	m.Withheld = trade.Known(0.8) // the act does not say: an assumption
	s.ID, s.Title = "gallium-four-fifths", "Four fifths of the gallium withheld (assumed): "+supply.Name
	s.Measures, s.Inputs = []scenario.Measure{m}, []scenario.Input{exchange.InputOf(supplyObject)}
	s.Engines = &scenario.Parameters{Accessible: &half, CostShare: 0.02, Members: []string{"JPN", "BEL", "DEU", "AUS"}}
	scenarioID, err := tokyo.Desk.Scenario(ctx, analyst, &s, l)
	if err != nil {
		return err
	}
	scenarioObject, err := stored(ctx, tokyo, scenarioID)
	if err != nil {
		return err
	}
	r, err := exchange.Rerun(scenarioObject, supplyObject)
	if err != nil {
		return err
	}
	plan, err := tokyo.Desk.Plan(ctx, analyst, r.Plan, "Plan for: "+s.Title, scenarioID, l)
	if err != nil {
		return err
	}
	return release(ctx, tokyo, plan, line.Immediate, to...)
}

// stored reads an object as the node itself does.
func stored(ctx context.Context, n *node.Node, id string) (*stix.Object, error) {
	own, err := n.OwnReader()
	if err != nil {
		return nil, err
	}
	row, err := n.Vault.As(own).Get(ctx, id)
	if err != nil {
		return nil, err
	}
	return stix.ParseObject(row.Raw)
}

// solve divides what there is.
func solve(offers string) (*sharing.Plan, error) {
	tables := sharing.Tables{Months: 3, Unit: "t"}
	for _, t := range []struct {
		name, csv string
		to        **table.Table
	}{{"offers.csv", offers, &tables.Offers}, {"needs.csv", needs, &tables.Needs}, {"routes.csv", routes, &tables.Routes}} {
		read, err := table.Read(t.name, strings.NewReader(t.csv))
		if err != nil {
			return nil, err
		}
		*t.to = read
	}
	problem, err := sharing.Read(tables)
	if err != nil {
		return nil, err
	}
	return problem.Solve()
}

// release releases an object of a node to others, as its release officer.
func release(ctx context.Context, from *node.Node, id string, precedence line.Precedence, to ...*node.Node) error {
	officer, err := who(ctx, from, people.ReleaseOfficer)
	if err != nil {
		return err
	}
	var partners []string
	for _, n := range to {
		p, err := from.Line.Partner(ctx, n.Config.Name)
		if err != nil {
			return err
		}
		partners = append(partners, p.NodeID)
	}
	_, err = from.Desk.Release(ctx, officer, id, partners, precedence)
	return err
}
