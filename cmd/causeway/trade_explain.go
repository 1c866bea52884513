package main

import (
	"fmt"

	"causeway/trade/dependency"
	"causeway/trade/flows"
)

type tradeExplainCmd struct {
	Files    []string `arg:"" help:"Files of flows, as for trade dependencies."`
	Importer string   `required:"" placeholder:"COUNTRY" help:"Country or group."`
	Product  string   `required:"" placeholder:"CODE" help:"Six-digit code."`
	Year     int      `help:"Default: the last year of the data."`
	Figure   string   `default:"hhi" help:"hhi, top_share, without_top, ratio, extern or world_hhi."`
	Rows     int      `default:"20" help:"At most this many source rows in text; JSON has all."`
	JSON     bool     `help:"JSON with every source row."`
}

func (c tradeExplainCmd) Run(p *process) error {
	market, err := dependency.MarketOf(c.Importer)
	if err != nil {
		return err
	}
	set, traced, err := c.read(p)
	if err != nil {
		return err
	}
	k, err := set.Product(c.Product)
	if err != nil {
		return err
	}
	var found *dependency.Indicator
	dependency.Measure(set, dependency.Question{Markets: []dependency.Market{market}, Products: []int{k}}, func(i dependency.Indicator) {
		if i.Year == c.Year {
			found = &i
		}
	})
	if found == nil {
		return fmt.Errorf("%s imports no %s in %d in the data; that is no zero: the source may not have it", market.Name, c.Product, c.Year)
	}
	e, err := dependency.Explain(c.Figure, *found, market, traced)
	if err != nil {
		return usagef("--figure: %v", err)
	}
	if c.JSON {
		return writeJSON(p, e)
	}
	value := e.Value.String()
	if !e.Value.IsKnown() {
		value = "unknown"
	}
	fmt.Fprintf(p.stdout, "%s of %s imports of %s in %d is %s\nformula: %s\nsource of the formula: %s\n", e.Figure, market.Name, c.Product, c.Year, value, e.Formula, e.Source)
	for _, s := range e.Steps {
		fmt.Fprintln(p.stdout, "  "+s)
	}
	fmt.Fprintf(p.stdout, "rows (%d):\n", len(e.Rows))
	for i, r := range e.Rows {
		if i == c.Rows {
			fmt.Fprintf(p.stdout, "  and %d more (--json lists all)\n", len(e.Rows)-i)
			break
		}
		v := r.Value.String()
		if v == "" {
			v = r.Value.Reason
		}
		fmt.Fprintf(p.stdout, "  %s: %s > %s %s (%s)\n", r.Source, r.Exporter, r.Importer, v, r.Part)
	}
	for _, n := range e.Notes {
		fmt.Fprintln(p.stdout, n)
	}
	return nil
}

// read reads the files while watching the product; without a year it reads
// twice, because the last year is only known at the end.
func (c *tradeExplainCmd) read(p *process) (*flows.Set, []flows.Traced, error) {
	for {
		r := flows.NewReader()
		if c.Year != 0 {
			r.Watch(c.Year, c.Product)
		}
		for _, path := range c.Files {
			if err := readFlows(p, r, path, flows.Columns{}); err != nil {
				return nil, nil, err
			}
		}
		set, err := r.Set()
		if err != nil {
			return nil, nil, err
		}
		if c.Year != 0 {
			return set, r.Traced(), nil
		}
		c.Year = set.Years[len(set.Years)-1]
	}
}
