package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"causeway/trade"
	"causeway/trade/equilibrium"
	"causeway/trade/table"
)

type tradeEquilibriumCmd struct {
	Dir       string    `required:"" placeholder:"DIR" help:"Folder with trade.csv, intermediate_consumption.csv, final_consumption.csv, value_added.csv, deficit.csv, theta.csv (each may be .gz), regions.txt and sectors.txt."`
	Deficits  bool      `help:"Keep the observed trade deficits; otherwise trade is balanced."`
	Scenario  string    `placeholder:"COL" help:"Column of trade.csv with the new tariffs, such as tariff_cfl (its d_ column is used with it)."`
	Baseline  string    `placeholder:"COL" help:"Column with the baseline tariffs; default tariff_bln where there is one, else the observed tariffs."`
	Ban       []string  `placeholder:"A>B[:SECTOR]" help:"Ban what A exports to B, in one sector or all; * stands for every other region. With or without --scenario."`
	Range     []float64 `placeholder:"0.5,2" help:"Also the range of real income with every elasticity times these factors."`
	Share     []string  `placeholder:"REGION" help:"Regions that bear the shock together: transfers, adding up to zero, give each the same change of real income (needs balanced trade)."`
	Tolerance float64   `default:"1e-9" help:"Stop when the norm of all residuals is below this."`
	JSON      bool      `help:"JSON with the technical term, prices, exports, imports and the solver's residuals."`
}

func (c tradeEquilibriumCmd) Run(p *process) error {
	if !(c.Tolerance > 0) || c.Tolerance > 1e-3 {
		return usagef("--tolerance %g: want more than 0 and at most 0.001", c.Tolerance)
	}
	if c.Scenario == "" && len(c.Ban) == 0 {
		return usagef("give --scenario COL, --ban A>B, or both")
	}
	f, err := equilibriumFiles(p, c.Dir)
	if err != nil {
		return err
	}
	if !c.Deficits {
		f.Deficit = nil
	}
	d, err := equilibrium.Read(f)
	if err != nil {
		return err
	}
	if c.Baseline == "" {
		if _, err := f.Trade.Column("tariff_bln"); err == nil {
			c.Baseline = "tariff_bln"
		}
	}
	var base equilibrium.Shock
	if c.Baseline != "" {
		if base, err = equilibrium.ReadScenario(f, d, c.Baseline); err != nil {
			return err
		}
	}
	shock := base
	if c.Scenario != "" {
		if shock, err = equilibrium.ReadScenario(f, d, c.Scenario); err != nil {
			return err
		}
	}
	if len(c.Ban) > 0 {
		if shock.Ban, err = d.ParseBans(c.Ban); err != nil {
			return err
		}
	}
	opt := equilibrium.Options{Tolerance: c.Tolerance}
	if len(c.Share) > 0 {
		if d, err = c.coalition(d, &base, &shock, opt); err != nil {
			return err
		}
	}
	cmp, err := equilibrium.Compare(d, base, shock, opt)
	if err != nil {
		return err
	}
	var ranges []trade.Interval
	if len(c.Range) > 0 {
		if ranges, err = equilibrium.RealIncome(d, base, shock, opt, append([]float64{1}, c.Range...)...); err != nil {
			return err
		}
	}
	if c.JSON {
		return writeJSON(p, struct {
			Effects              []equilibrium.Effect `json:"effects"`
			RealIncome           []trade.Interval     `json:"real_income_ranges,omitempty"`
			Iterations           [2]int               `json:"iterations"`
			Residuals            [2]float64           `json:"residuals"`
			Deficits             bool                 `json:"deficits"`
			Baseline, Scenario   string
			WelfareIsADecomposed string `json:"welfare_note"`
		}{cmp.Effects, ranges, [2]int{cmp.A.Iterations, cmp.B.Iterations}, [2]float64{cmp.A.Residual, cmp.B.Residual}, c.Deficits, c.Baseline, c.Scenario,
			"welfare is the published first-order decomposition; real_income is exact"})
	}
	rows := make([][]string, len(cmp.Effects))
	for i, e := range cmp.Effects {
		if e.TransferShare > 0 || e.TransferShare < 0 {
			tell(p, []string{fmt.Sprintf("%s receives transfers of %.4g %% of its income (negative: it pays)", e.Region, 100*e.TransferShare)})
		}
		rows[i] = []string{e.Region, formatFloat(e.TermsOfTrade), formatFloat(e.VolumeOfTrade), formatFloat(e.Welfare), formatFloat(e.RealWage), formatFloat(e.RealIncome)}
	}
	header := []string{"region", "terms_of_trade", "volume_of_trade", "welfare", "real_wage", "real_income"}
	if ranges != nil {
		header = append(header, "real_income_low", "real_income_high")
		for i := range rows {
			rows[i] = append(rows[i], formatFloat(ranges[i].Low), formatFloat(ranges[i].High))
		}
	}
	return writeCSV(p, header, rows)
}

// coalition rebases the data to the solved baseline, so that the incomes before
// the shock are those of a balanced world, and adds the sharing regions.
func (c tradeEquilibriumCmd) coalition(d *equilibrium.Data, base, shock *equilibrium.Shock, opt equilibrium.Options) (*equilibrium.Data, error) {
	if c.Deficits {
		return nil, usagef("--share needs balanced trade: leave --deficits out")
	}
	for _, name := range c.Share {
		n, err := d.Region(name)
		if err != nil {
			return nil, err
		}
		shock.Share = append(shock.Share, n)
	}
	a, err := equilibrium.Solve(d, *base, opt)
	if err != nil {
		return nil, err
	}
	*base = equilibrium.Shock{}
	return equilibrium.Rebase(d, a), nil
}

// equilibriumFiles reads the tables of a folder laid out like the public
// replication data.
func equilibriumFiles(p *process, dir string) (equilibrium.Files, error) {
	var f equilibrium.Files
	for name, into := range map[string]**table.Table{
		"trade.csv": &f.Trade, "intermediate_consumption.csv": &f.Intermediate, "final_consumption.csv": &f.Final,
		"value_added.csv": &f.ValueAdded, "deficit.csv": &f.Deficit, "theta.csv": &f.Theta,
	} {
		t, err := openTable(p, filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) && name == "deficit.csv" {
			continue
		}
		if err != nil {
			return f, err
		}
		*into = t
	}
	for name, into := range map[string]*[]string{"regions.txt": &f.Regions, "sectors.txt": &f.Sectors} {
		r, _, err := openInput(p, filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return f, err
		}
		s := bufio.NewScanner(r)
		for s.Scan() {
			if line := strings.Trim(strings.TrimSpace(s.Text()), `"`); line != "" {
				*into = append(*into, line)
			}
		}
		err = s.Err()
		r.Close()
		if err != nil {
			return f, fmt.Errorf("read %s: %w", name, err)
		}
	}
	return f, nil
}
