package main

import (
	"fmt"
	"math/big"
	"strconv"

	"causeway/trade/sharing"
	"causeway/trade/table"
)

type tradeAllocateCmd struct {
	Offers    string `placeholder:"FILE" help:"CSV of supplier,quantity and optionally month,keep. An empty or W quantity is withheld, not zero."`
	Needs     string `placeholder:"FILE" help:"CSV of member,quantity and optionally month,floor,keep."`
	Routes    string `placeholder:"FILE" help:"CSV of from,to and optionally capacity (a month),lag (months),cost."`
	Swap      string `placeholder:"FILE" help:"CSV of member,of,for,worth,limit: a product that may stand in for another. With it, or with columns product or loss, the plan is a linear program."`
	Months    int    `help:"Horizon; default the last month the files name."`
	Unit      string `default:"units" help:"Unit of the quantities, for messages."`
	Shipments bool   `help:"Print the shipments instead of how far each need is met."`
	Treaty    string `placeholder:"FILE" help:"Drawdown rights and obligations of the International Energy Program instead: CSV of member,consumption,net_imports,available."`
	Claims    string `placeholder:"FILE" help:"Divide a sum of money instead, under four rules side by side: CSV of name,claim."`
	Estate    string `placeholder:"SUM" help:"The sum to divide over --claims."`
	JSON      bool   `help:"JSON with shipments, stocks, levels, who pays under several rules, and notes."`
}

func (c tradeAllocateCmd) Run(p *process) error {
	switch {
	case c.Treaty != "":
		return c.treaty(p)
	case c.Claims != "":
		return c.divide(p)
	case c.Offers == "" || c.Needs == "" || c.Routes == "":
		return usagef("give --offers, --needs and --routes for a plan, --treaty FILE, or --claims FILE --estate SUM")
	case c.Months < 0 || c.Months > sharing.MaxMonths:
		return usagef("--months %d: want 1 to %d", c.Months, sharing.MaxMonths)
	}
	t := sharing.Tables{Months: c.Months, Unit: c.Unit}
	var err error
	if t.Offers, err = openTable(p, c.Offers); err != nil {
		return err
	}
	if t.Needs, err = openTable(p, c.Needs); err != nil {
		return err
	}
	if t.Routes, err = openTable(p, c.Routes); err != nil {
		return err
	}
	if c.Swap != "" || sharing.NeedsGeneral(t) {
		return c.general(p, t)
	}
	problem, err := sharing.Read(t)
	if err != nil {
		return err
	}
	plan, err := problem.Solve()
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(p, plan)
	}
	tell(p, plan.Notes)
	var rows [][]string
	if c.Shipments {
		for _, s := range plan.Shipments {
			rows = append(rows, []string{s.From, s.To, strconv.Itoa(s.Leaves), strconv.Itoa(s.Lands), s.Amount.String(), s.Cost.String()})
		}
		return writeCSV(p, []string{"from", "to", "leaves", "lands", "quantity", "cost"}, rows)
	}
	for _, s := range plan.Served {
		could := ""
		if s.Could != nil {
			could = s.Could.String()
		}
		rows = append(rows, []string{s.Member, strconv.Itoa(s.Month), s.Need.String(), s.Met.String(), s.Unmet.String(), s.Ratio.String(), could, s.Why})
	}
	return writeCSV(p, []string{"member", "month", "need", "met", "unmet", "ratio", "could", "why"}, rows)
}

// general solves a plan with losses, several products or substitutes.
func (c tradeAllocateCmd) general(p *process, t sharing.Tables) error {
	var swaps *table.Table
	var err error
	if c.Swap != "" {
		if swaps, err = openTable(p, c.Swap); err != nil {
			return err
		}
	}
	g, err := sharing.ReadGeneral(t, swaps)
	if err != nil {
		return err
	}
	plan, err := g.Solve()
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(p, plan)
	}
	for _, s := range plan.Swaps {
		tell(p, []string{fmt.Sprintf("%s uses %.6g of %s for %s in month %d", s.Member, s.Used, s.Of, s.For, s.Month)})
	}
	tell(p, []string{fmt.Sprintf("%.6g %s are lost, %.6g are left over, the cost is %.6g", plan.Lost, plan.Unit, plan.LeftOver, plan.Cost)})
	var rows [][]string
	six := func(v float64) string { return strconv.FormatFloat(v, 'f', 6, 64) }
	if c.Shipments {
		for _, s := range plan.Shipments {
			rows = append(rows, []string{s.From, s.To, s.Product, strconv.Itoa(s.Leaves), strconv.Itoa(s.Lands), six(s.Sent), six(s.Arrives), six(s.Cost)})
		}
		return writeCSV(p, []string{"from", "to", "product", "leaves", "lands", "sent", "arrives", "cost"}, rows)
	}
	for _, s := range plan.Served {
		rows = append(rows, []string{s.Member, s.Product, strconv.Itoa(s.Month), six(s.Need), six(s.Met), six(s.Need - s.Met), six(s.Ratio)})
	}
	return writeCSV(p, []string{"member", "product", "month", "need", "met", "unmet", "ratio"}, rows)
}

func (c tradeAllocateCmd) treaty(p *process) error {
	t, err := openTable(p, c.Treaty)
	if err != nil {
		return err
	}
	countries, err := sharing.ReadTreaty(t)
	if err != nil {
		return fmt.Errorf("read treaty figures: %w", err)
	}
	a, err := sharing.Treaty(countries)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(p, a)
	}
	tell(p, a.Articles)
	tell(p, a.Notes)
	if len(a.Articles) == 0 {
		tell(p, []string{"no article is triggered"})
	}
	var rows [][]string
	for _, r := range a.Rights {
		rows = append(rows, []string{r.Name, decimalText(r.Permissible), decimalText(r.Drawdown), decimalText(r.Supply), decimalText(r.Allocation)})
	}
	return writeCSV(p, []string{"member", "permissible", "drawdown", "supply_right", "allocation"}, rows)
}

func (c tradeAllocateCmd) divide(p *process) error {
	estate, ok := new(big.Rat).SetString(c.Estate)
	if !ok || len(c.Estate) > 40 {
		return usagef("--estate %q: want the sum to divide, such as 1200000.50", c.Estate)
	}
	t, err := openTable(p, c.Claims)
	if err != nil {
		return err
	}
	names, claims, err := sharing.ReadClaims(t)
	if err != nil {
		return err
	}
	divisions, err := sharing.Divide(estate, claims)
	if err != nil {
		return err
	}
	header := []string{"name", "claim"}
	for _, d := range divisions {
		header = append(header, d.Rule)
	}
	var rows [][]string
	for i, n := range names {
		row := []string{n, decimalText(claims[i])}
		for _, d := range divisions {
			row = append(row, decimalText(d.Awards[i]))
		}
		rows = append(rows, row)
	}
	if c.JSON {
		return writeJSON(p, struct {
			Names     []string           `json:"names"`
			Divisions []sharing.Division `json:"divisions"`
		}{names, divisions})
	}
	return writeCSV(p, header, rows)
}

// decimalText is an exact decimal, or nine places.
func decimalText(r *big.Rat) string { return (&sharing.Quantity{Rat: *r}).String() }
