package equilibrium

import (
	"fmt"
	"math"
	"strings"

	"causeway/trade"
)

// RealIncome gives, by region, the range of the exact change of real income (in
// percent) when every trade elasticity is scaled by each of the factors. The
// elasticities are estimates with wide intervals; one number would hide that.
func RealIncome(d *Data, baseline, counterfactual Shock, opt Options, factors ...float64) ([]trade.Interval, error) {
	out := make([]trade.Interval, len(d.Regions))
	for i := range out {
		out[i] = trade.Interval{Low: math.Inf(1), High: math.Inf(-1)}
	}
	for _, f := range factors {
		if !(f > 0) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("range over elasticities: factor %v; want a number above 0", f)
		}
		scaled := *d
		scaled.Theta = make([]float64, len(d.Theta))
		for j, t := range d.Theta {
			scaled.Theta[j] = f * t
		}
		c, err := Compare(&scaled, baseline, counterfactual, opt)
		if err != nil {
			return nil, fmt.Errorf("range over elasticities: at %v times theta: %w", f, err)
		}
		for n, e := range c.Effects {
			out[n] = out[n].Include(e.RealIncome)
		}
	}
	return out, nil
}

// ParseBans reads links to ban: "EXPORTER>IMPORTER" for every sector, or
// "EXPORTER>IMPORTER:SECTOR"; "*" stands for every other region. Domestic sales
// are never banned.
func (d *Data) ParseBans(texts []string) ([]bool, error) {
	N, J := d.sizes()
	ban := make([]bool, J*N*N)
	for _, text := range texts {
		link, sector, one := strings.Cut(text, ":")
		from, to, ok := strings.Cut(link, ">")
		if !ok {
			return nil, fmt.Errorf("read ban %q: want EXPORTER>IMPORTER or EXPORTER>IMPORTER:SECTOR", text)
		}
		pick := func(name string, all []string, find func(string) (int, error)) (map[int]bool, error) {
			out := map[int]bool{}
			if strings.TrimSpace(name) == "*" {
				for i := range all {
					out[i] = true
				}
				return out, nil
			}
			i, err := find(strings.TrimSpace(name))
			out[i] = true
			return out, err
		}
		exporters, err := pick(from, d.Regions, d.Region)
		if err != nil {
			return nil, fmt.Errorf("read ban %q: %w", text, err)
		}
		importers, err := pick(to, d.Regions, d.Region)
		if err != nil {
			return nil, fmt.Errorf("read ban %q: %w", text, err)
		}
		if !one {
			sector = "*"
		}
		sectors, err := pick(sector, d.Sectors, d.Sector)
		if err != nil {
			return nil, fmt.Errorf("read ban %q: %w", text, err)
		}
		for j := range sectors {
			for n := range importers {
				for i := range exporters {
					if i != n {
						ban[d.Cell(j, n, i)] = true
					}
				}
			}
		}
	}
	return ban, nil
}
