package main

import (
	"strconv"

	"causeway/trade/cascade"
)

type tradeCascadeCmd struct {
	Places     string   `required:"" placeholder:"FILE" help:"CSV of place,production,stock and columns of production changes; one unit for all."`
	Exports    string   `required:"" placeholder:"FILE" help:"CSV of from,to,quantity."`
	Change     []string `placeholder:"COL" help:"Column of the places file with the change of production (-180 or -20%); several columns are several years."`
	Restrict   string   `placeholder:"FILE" help:"CSV of from,to,withheld (0..1 or a percentage),by (exporter or importer); * stands for every place. In force every year."`
	Rule       string   `enum:"pta,rta,both" default:"both" help:"Proportional (pta), reserve-based (rta), or both side by side."`
	Accessible float64  `default:"0.5" help:"Fraction of the stocks that may be drawn."`
	Turns      int      `default:"50" help:"Give up after this many turns."`
	Lost       bool     `help:"What an export ban withholds is not produced, instead of going into the exporter's stock."`
	JSON       bool     `help:"JSON with every flow before and after."`
}

func (c tradeCascadeCmd) Run(p *process) error {
	if !(c.Accessible >= 0 && c.Accessible <= 1) {
		return usagef("--accessible %g: want a fraction from 0 to 1", c.Accessible)
	}
	if c.Accessible == 0 {
		c.Accessible = -1 // Options: none
	}
	places, err := openTable(p, c.Places)
	if err != nil {
		return err
	}
	exports, err := openTable(p, c.Exports)
	if err != nil {
		return err
	}
	w, notes, err := cascade.ReadWorld(places, exports)
	if err != nil {
		return err
	}
	var shocks []cascade.Shock
	for _, column := range c.Change {
		dp, err := w.ReadChange(places, column)
		if err != nil {
			return err
		}
		shocks = append(shocks, cascade.Shock{Production: dp})
	}
	if len(shocks) == 0 {
		shocks = []cascade.Shock{{}}
	}
	if c.Restrict != "" {
		t, err := openTable(p, c.Restrict)
		if err != nil {
			return err
		}
		rs, more, err := w.ReadRestrictions(t)
		if err != nil {
			return err
		}
		notes = append(notes, more...)
		for y := range shocks {
			shocks[y].Restrictions = rs
		}
	} else if len(c.Change) == 0 {
		return usagef("nothing happens: give --change COL, --restrict FILE, or both")
	}
	rules := map[string][]cascade.Rule{"pta": {cascade.Proportional}, "rta": {cascade.ReserveBased}, "both": {cascade.Proportional, cascade.ReserveBased}}[c.Rule]
	var results []*cascade.Result
	for _, rule := range rules {
		years, err := cascade.RunYears(w, shocks, rule, cascade.Options{Accessible: c.Accessible, Turns: c.Turns, Lost: c.Lost})
		if err != nil {
			return err
		}
		results = append(results, years...)
	}
	return c.write(p, results, len(shocks), notes)
}

func (c tradeCascadeCmd) write(p *process, results []*cascade.Result, years int, notes []string) error {
	if c.JSON {
		return writeJSON(p, struct {
			Results []*cascade.Result `json:"results"` // by rule, then year
			Notes   []string          `json:"notes,omitempty"`
		}{results, notes})
	}
	tell(p, notes)
	var rows [][]string
	for k, r := range results {
		year := strconv.Itoa(k%years + 1)
		for _, n := range r.Notes {
			tell(p, []string{r.Rule + ", year " + year + ": " + n})
		}
		for _, o := range r.Outcomes {
			rows = append(rows, []string{r.Rule, year, o.Place, formatFloat(o.Before), formatFloat(o.Consumption), o.Ratio.String(),
				formatFloat(o.StockChange), formatFloat(o.Imports), formatFloat(o.Exports), formatFloat(o.Open), strconv.FormatBool(o.NoSupplier)})
		}
	}
	return writeCSV(p, []string{"rule", "year", "place", "consumption_before", "consumption", "ratio", "stock_change", "imports", "exports", "open", "no_supplier"}, rows)
}
