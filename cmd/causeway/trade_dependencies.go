package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"causeway/trade"
	"causeway/trade/dependency"
	"causeway/trade/flows"
	"causeway/trade/place"
	"causeway/trade/table"
)

type tradeDependenciesCmd struct {
	Files      []string `arg:"" optional:"" help:"Flows: BACI (t,i,j,k,v,q), Comtrade, or year,exporter,importer,product,value; CSV, gzip or Parquet; several files are several years."`
	Importer   []string `placeholder:"COUNTRY" help:"What is X exposed to: a country or a group (EU, NATO, G7, ASEAN, IP4), whose imports are then those from outside. Default: every country."`
	Supplier   string   `placeholder:"COUNTRY" help:"Who is exposed to Y: importers and products that buy at least --min-share from it, largest value first."`
	MinShare   float64  `default:"0.3" help:"With --supplier, the smallest share to list."`
	Product    []string `placeholder:"CODE" help:"Six-digit codes; default all."`
	Dependent  bool     `help:"Only rows that the EU or the GeoDep screen calls dependent."`
	Threshold  float64  `default:"0.4" help:"Concentration above this counts."`
	Backtest   string   `placeholder:"CODE" help:"What the world-export screen said of a product year by year."`
	Fragility  bool     `help:"The network of each product: center, captive importers, ways around it."`
	Production string   `placeholder:"FILE" help:"World production (USGS layout, or commodity,country,quantity), set beside the trade screen of --product."`
	Commodity  string   `placeholder:"NAME" help:"With --production, the commodity that --product stands for."`
	Chips      string   `placeholder:"DIR" help:"Supply chain in the layout of the semiconductor data set (inputs, providers, provision, sequence): exposure to --supplier at every stage."`
	Top        int      `help:"At most this many rows."`
	Columns    string   `placeholder:"year=..,exporter=..,importer=..,product=..,value=..,quantity=.." help:"Column names where the layout is another."`
	JSON       bool     `help:"JSON, with unknown figures and their reasons."`
}

func (c tradeDependenciesCmd) Run(p *process) error {
	if !(c.Threshold > 0 && c.Threshold < 1) || !(c.MinShare >= 0 && c.MinShare <= 1) || c.Top < 0 {
		return usagef("--threshold and --min-share want a fraction, --top a number above zero")
	}
	if c.Chips != "" {
		return c.chips(p)
	}
	if len(c.Files) == 0 {
		return usagef("give at least one file of flows, or --chips DIR")
	}
	s, err := c.read(p)
	if err != nil {
		return err
	}
	if !c.JSON {
		tell(p, s.Notes)
	}
	switch {
	case c.Backtest != "":
		return c.backtest(p, s)
	case c.Production != "":
		return c.screens(p, s)
	case c.Fragility:
		return c.fragility(p, s)
	}
	return c.indicators(p, s)
}

// read reads all files into one set.
func (c tradeDependenciesCmd) read(p *process) (*flows.Set, error) {
	var want flows.Columns
	for _, pair := range strings.FieldsFunc(c.Columns, func(r rune) bool { return r == ',' }) {
		key, value, _ := strings.Cut(pair, "=")
		into, ok := map[string]*string{"year": &want.Year, "exporter": &want.Exporter, "importer": &want.Importer, "product": &want.Product, "value": &want.Value, "quantity": &want.Quantity}[key]
		if !ok || value == "" {
			return nil, usagef("--columns %q: want year, exporter, importer, product, value or quantity = a column", pair)
		}
		*into = value
	}
	r := flows.NewReader()
	for _, path := range c.Files {
		if err := readFlows(p, r, path, want); err != nil {
			return nil, err
		}
	}
	return r.Set()
}

func readFlows(p *process, r *flows.Reader, path string, want flows.Columns) error {
	in, name, err := openInput(p, path)
	if err != nil {
		return err
	}
	defer in.Close()
	if f, ok := in.(*os.File); ok && strings.HasSuffix(path, ".parquet") {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		return r.Parquet(name, f, info.Size(), want)
	}
	return r.CSV(name, in, want)
}

// question turns the flags into indices.
func (c tradeDependenciesCmd) question(s *flows.Set) (dependency.Question, error) {
	q := dependency.Question{Thresholds: dependency.Thresholds{HHI: c.Threshold}}
	for _, n := range c.Importer {
		m, err := dependency.MarketOf(n)
		if err != nil {
			return q, err
		}
		q.Markets = append(q.Markets, m)
	}
	for _, code := range c.Product {
		k, err := s.Product(code)
		if err != nil {
			return q, err
		}
		q.Products = append(q.Products, k)
	}
	if c.Supplier != "" {
		k, err := s.Place(c.Supplier)
		if err != nil {
			return q, err
		}
		q.Supplier = s.Places[k].Code
	}
	return q, nil
}

func (c tradeDependenciesCmd) indicators(p *process, s *flows.Set) error {
	q, err := c.question(s)
	if err != nil {
		return err
	}
	type key struct{ importer, product string }
	screened := map[key][]int{} // years called dependent
	var inds []dependency.Indicator
	dependency.Measure(s, q, func(i dependency.Indicator) {
		if i.EU || i.GeoDep {
			k := key{i.Importer, i.Product}
			screened[k] = append(screened[k], i.Year)
		}
		if (c.Supplier == "" || (i.Asked.IsKnown() && i.Asked.Value >= c.MinShare && i.Asked.Value > 0)) && (!c.Dependent || i.EU || i.GeoDep) {
			inds = append(inds, i)
		}
	})
	if c.Supplier != "" {
		sort.SliceStable(inds, func(a, b int) bool {
			return inds[a].Asked.Value*inds[a].Imports > inds[b].Asked.Value*inds[b].Imports
		})
	}
	if c.Top > 0 && len(inds) > c.Top {
		tell(p, []string{fmt.Sprintf("%d more rows are not shown", len(inds)-c.Top)})
		inds = inds[:c.Top]
	}
	if c.JSON {
		return writeJSON(p, struct {
			Indicators []dependency.Indicator `json:"indicators"`
			Notes      []string               `json:"notes,omitempty"`
		}{inds, s.Notes})
	}
	rows := make([][]string, len(inds))
	for n, i := range inds {
		years := screened[key{i.Importer, i.Product}]
		rows[n] = []string{strconv.Itoa(i.Year), i.Importer, i.Product, formatFloat(i.Imports), formatFloat(i.Exports), strconv.Itoa(i.Suppliers),
			i.HHI.String(), i.HHIHigh.String(), i.Top, i.TopShare.String(), i.WithoutTop.String(), i.Extern.String(), i.Ratio.String(),
			i.WorldHHI.String(), i.WorldTop, i.Growth.String(), i.Asked.String(), strconv.FormatBool(i.EU), strconv.FormatBool(i.GeoDep),
			strconv.Itoa(len(years)), strconv.FormatBool(persistent(s.Years, years)), formatFloat(i.Coverage)}
	}
	return writeCSV(p, []string{"year", "importer", "product", "imports", "exports", "suppliers", "hhi", "hhi_high", "top", "top_share", "without_top", "extern", "ratio",
		"world_hhi", "world_top", "growth", "supplier_share", "eu", "geodep", "years_dependent", "persistent", "coverage"}, rows)
}

// persistent applies the rule of two in the last three years of the data.
func persistent(years, dependent []int) bool {
	window := years[max(0, len(years)-dependency.Window):]
	recent := 0
	for _, y := range dependent {
		if y >= window[0] {
			recent++
		}
	}
	return recent >= min(dependency.Needed, len(window))
}

func (c tradeDependenciesCmd) backtest(p *process, s *flows.Set) error {
	k, err := s.Product(c.Backtest)
	if err != nil {
		return err
	}
	out := dependency.Backtest(s, k, dependency.Thresholds{HHI: c.Threshold})
	if c.JSON {
		return writeJSON(p, out)
	}
	rows := make([][]string, len(out))
	for i, r := range out {
		rows[i] = []string{strconv.Itoa(r.Year), r.HHI.String(), r.Top, r.TopShare.String(), strconv.Itoa(r.Exporters), strconv.FormatBool(r.Flagged), strconv.FormatBool(r.Lasting)}
	}
	return writeCSV(p, []string{"year", "world_hhi", "top", "top_share", "exporters", "flagged", "lasting"}, rows)
}

func (c tradeDependenciesCmd) fragility(p *process, s *flows.Set) error {
	q, err := c.question(s)
	if err != nil {
		return err
	}
	if q.Products == nil {
		for k := range s.Products {
			q.Products = append(q.Products, k)
		}
	}
	var out []dependency.Fragility
	for y := range s.Years {
		for _, k := range q.Products {
			if f := dependency.FragilityOf(s, y, k); f.Center != "" {
				out = append(out, f)
			}
		}
	}
	sort.SliceStable(out, func(a, b int) bool { return out[a].Captive.Value > out[b].Captive.Value })
	if c.Top > 0 && len(out) > c.Top {
		out = out[:c.Top]
	}
	if c.JSON {
		return writeJSON(p, out)
	}
	rows := make([][]string, len(out))
	for i, f := range out {
		rows[i] = []string{strconv.Itoa(f.Year), f.Product, f.Center, f.Share.String(), f.Captive.String(), f.Reach.String(), f.Clustering.String(), f.Growth.String()}
	}
	return writeCSV(p, []string{"year", "product", "center", "share", "captive", "reach", "clustering", "growth"}, rows)
}

// screens sets production beside trade for one product.
func (c tradeDependenciesCmd) screens(p *process, s *flows.Set) error {
	if len(c.Product) == 0 || c.Commodity == "" {
		return usagef("--production needs --product CODE and --commodity NAME")
	}
	t, err := openTable(p, c.Production)
	if err != nil {
		return err
	}
	all, err := flows.ReadProduction(t, 0)
	if err != nil {
		return err
	}
	made, err := productionOf(all, c.Commodity)
	if err != nil {
		return err
	}
	var rows [][]string
	var out []dependency.Screen
	residual := func(n string) bool { k := place.KindOf(n); return k == place.Residual || k == place.Bloc }
	for _, code := range c.Product {
		k, err := s.Product(code)
		if err != nil {
			return err
		}
		year := len(s.Years) - 1
		var sold []dependency.Supply
		s.Flows(year, k, func(f flows.Flow) {
			sold = append(sold, dependency.Supply{Name: s.Places[f.Exporter].Code, Value: trade.Known(f.Value)})
		})
		exports, err := dependency.Concentrate(code, sold, residual)
		if err != nil {
			return err
		}
		for _, m := range made {
			var supplies []dependency.Supply
			for _, o := range m.Outputs {
				supplies = append(supplies, dependency.Supply{Name: o.Country, Value: o.Value})
			}
			con, err := dependency.Concentrate(m.Commodity, supplies, residual)
			if err != nil {
				return err
			}
			sc := dependency.CompareScreens(con, exports, c.Threshold)
			out = append(out, sc)
			rows = append(rows, []string{code, m.Commodity, m.Type, strconv.Itoa(s.Years[year]), sc.Production.String(), sc.ProductTop, sc.Trade.String(), sc.TradeTop, strconv.FormatBool(sc.Disagree), sc.Warning})
		}
	}
	if c.JSON {
		return writeJSON(p, out)
	}
	return writeCSV(p, []string{"product", "commodity", "type", "year", "production_hhi", "production_top", "trade_hhi", "trade_top", "disagree", "warning"}, rows)
}

func productionOf(all []flows.Production, name string) ([]flows.Production, error) {
	var out []flows.Production
	var names []string
	for _, p := range all {
		if strings.EqualFold(p.Commodity, name) {
			out = append(out, p)
		}
		names = append(names, p.Commodity)
	}
	if out == nil {
		hint := ""
		if near, ok := table.Nearest(name, names); ok {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		return nil, fmt.Errorf("the production table has no commodity %q%s", name, hint)
	}
	return out, nil
}

// chips prints the exposure of every input of a supply chain.
func (c tradeDependenciesCmd) chips(p *process) error {
	var t flows.ChipTables
	for name, into := range map[string]**table.Table{"inputs.csv": &t.Inputs, "providers.csv": &t.Providers, "provision.csv": &t.Provision, "sequence.csv": &t.Sequence} {
		var err error
		if *into, err = openTable(p, filepath.Join(c.Chips, name)); err != nil {
			return err
		}
	}
	chain, err := flows.ReadChain(t)
	if err != nil {
		return err
	}
	country := ""
	if c.Supplier != "" {
		pl, err := place.Resolve(c.Supplier)
		if err != nil {
			return err
		}
		country = pl.Code
	}
	home := map[string]bool{}
	for _, n := range c.Importer {
		if members, ok := place.Group(n, 2100); ok {
			for _, m := range members {
				home[m] = true
			}
			continue
		}
		pl, err := place.Resolve(n)
		if err != nil {
			return err
		}
		home[pl.Code] = true
	}
	out := dependency.ExposureOn(chain, country, func(n string) bool { return home[n] })
	if c.Top > 0 && len(out) > c.Top {
		out = out[:c.Top]
	}
	if c.JSON {
		return writeJSON(p, struct {
			Exposures []dependency.Exposure `json:"exposures"`
			Notes     []string              `json:"notes"`
		}{out, append(chain.Notes, "shares are by headquarters, not by plant")})
	}
	tell(p, append(chain.Notes, "shares are by headquarters, not by plant"))
	rows := make([][]string, len(out))
	for i, e := range out {
		rows[i] = []string{e.ID, e.Name, e.Type, e.Stage, e.Share.String(), e.Hidden.String(), strings.Join(e.Path, " > "), e.Top, e.TopOf.String(), e.HHI.String(), strconv.FormatBool(e.Breach)}
	}
	return writeCSV(p, []string{"id", "name", "type", "stage", "share", "hidden", "path", "top", "top_share", "hhi", "breach"}, rows)
}
