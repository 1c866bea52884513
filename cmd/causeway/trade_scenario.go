package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"causeway/trade"
	"causeway/trade/episode"
	"causeway/trade/equilibrium"
	"causeway/trade/flows"
	"causeway/trade/place"
	"causeway/trade/scenario"
	"causeway/trade/table"
)

type tradeScenarioCmd struct {
	Scenario string   `arg:"" help:"Scenario file (JSON), or the id of a shipped episode."`
	Flows    []string `placeholder:"FILE" help:"Files of flows to run it on; without, the scenario is only checked and printed."`
	Covered  string   `placeholder:"FILE" help:"CSV of code,share: how much of a six-digit basket the measure's finer code covers."`
	Costs    string   `placeholder:"FILE" help:"CSV of country,share: the product's share in the country's costs."`
	Supply   string   `placeholder:"FILE" help:"CSV of country,production,stock in the unit of the flow values, for the cascade."`
	Dir      string   `placeholder:"DIR" help:"Data of the equilibrium, as for trade equilibrium; with --map it is the third engine."`
	Map      string   `placeholder:"FILE" help:"JSON that joins countries to regions and codes to sectors: {\"regions\":{\"JPN\":\"Japan\"},\"sectors\":{\"Basic metals\":[\"72\",\"8112\"]}}."`
	JSON     bool     `help:"JSON with reasons and notes."`
}

func (c tradeScenarioCmd) Run(p *process) error {
	s, err := c.load(p)
	if err != nil {
		return err
	}
	if len(c.Flows) == 0 {
		return writeJSON(p, s)
	}
	r := flows.NewReader()
	for _, path := range c.Flows {
		if err := readFlows(p, r, path, flows.Columns{}); err != nil {
			return err
		}
		digest, err := fileDigest(path)
		if err != nil {
			return err
		}
		s.Inputs = append(s.Inputs, digest)
	}
	w := scenario.World{}
	if w.Flows, err = r.Set(); err != nil {
		return err
	}
	if err := c.world(p, &w); err != nil {
		return err
	}
	rep, err := scenario.Run(s, w)
	if err != nil {
		return err
	}
	regions, err := c.equilibrium(p, s, w, rep)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(p, struct {
			*scenario.Report
			Regions []scenario.RealIncome `json:"regions,omitempty"`
			Inputs  []scenario.Input      `json:"inputs"`
		}{rep, regions, s.Inputs})
	}
	tell(p, w.Flows.Notes)
	tell(p, rep.Notes)
	rows := make([][]string, len(rep.Effects))
	for i, e := range rep.Effects {
		rows[i] = []string{e.Country, e.Product, e.Side, formatFloat(e.Trade), e.Withheld.String(), e.Share.String(), strconv.FormatBool(e.Partial),
			e.Price.Low.String(), e.Price.High.String(), e.FirstOrder.String(), e.Loss.Low.String(), e.Loss.High.String(), e.Leontief.String(),
			e.Cascade.Low.String(), e.Cascade.High.String(), e.RealIncome.Low.String(), e.RealIncome.High.String(), strconv.FormatBool(e.NoSupplier), e.Withheld.Reason}
	}
	return writeCSV(p, []string{"country", "product", "side", "trade", "withheld", "share", "partial", "price_low", "price_high", "first_order", "loss_low", "loss_high", "leontief",
		"cascade_low", "cascade_high", "real_income_low", "real_income_high", "no_supplier", "reason"}, rows)
}

// equilibrium runs the third engine where its data and the mapping are given.
func (c tradeScenarioCmd) equilibrium(p *process, s *scenario.Scenario, w scenario.World, rep *scenario.Report) ([]scenario.RealIncome, error) {
	if c.Dir == "" && c.Map == "" {
		return nil, nil
	}
	if c.Dir == "" || c.Map == "" {
		return nil, usagef("the equilibrium needs both --dir and --map")
	}
	in, _, err := openInput(p, c.Map)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	m, err := scenario.ReadMapping(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Map, err)
	}
	f, err := equilibriumFiles(p, c.Dir)
	if err != nil {
		return nil, err
	}
	f.Deficit = nil // balanced trade
	d, err := equilibrium.Read(f)
	if err != nil {
		return nil, err
	}
	return rep.Equilibrium(s, w, d, m)
}

// load reads a file, or takes a shipped episode's scenario.
func (c tradeScenarioCmd) load(p *process) (*scenario.Scenario, error) {
	if _, err := os.Stat(c.Scenario); err != nil && c.Scenario != "-" && !strings.ContainsAny(c.Scenario, "./") {
		e, err := episode.Find(c.Scenario)
		if err != nil {
			return nil, fmt.Errorf("%w, and no file of that name", err)
		}
		return &e.Scenario, nil
	}
	in, _, err := openInput(p, c.Scenario)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return scenario.Parse(in)
}

// fileDigest names an input so that a partner can tell it is the same.
func fileDigest(path string) (scenario.Input, error) {
	f, err := os.Open(path)
	if err != nil {
		return scenario.Input{}, fmt.Errorf("digest input: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return scenario.Input{}, fmt.Errorf("digest input: %w", err)
	}
	return scenario.Input{Name: path[strings.LastIndexByte(path, '/')+1:], SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}

// world reads the optional tables.
func (c tradeScenarioCmd) world(p *process, w *scenario.World) error {
	read := func(path, key string, f func(name string, t *table.Table, row int) error) error {
		if path == "" {
			return nil
		}
		t, err := openTable(p, path)
		if err != nil {
			return err
		}
		k, err := t.Column(key)
		if err != nil {
			return err
		}
		for i := range t.Rows {
			name := t.Text(i, k)
			if key == "country" {
				pl, err := place.Resolve(name)
				if err != nil {
					return fmt.Errorf("%s: %w", t.Where(i, k), err)
				}
				name = pl.Code
			}
			if err := f(name, t, i); err != nil {
				return err
			}
		}
		return nil
	}
	figure := func(t *table.Table, row int, column string) (trade.Figure, error) {
		k, err := t.Column(column)
		if err != nil {
			return trade.Figure{}, err
		}
		return t.Cell(row, k).Figure(), nil
	}
	w.Covered, w.CostShares = map[string]float64{}, map[string]trade.Figure{}
	if err := read(c.Covered, "code", func(name string, t *table.Table, row int) error {
		k, err := t.Column("share")
		if err == nil {
			w.Covered[name], err = t.Number(row, k)
		}
		return err
	}); err != nil {
		return err
	}
	if err := read(c.Costs, "country", func(name string, t *table.Table, row int) (err error) {
		w.CostShares[name], err = figure(t, row, "share")
		return err
	}); err != nil {
		return err
	}
	if c.Supply == "" {
		return nil
	}
	w.Production, w.Stocks = map[string]trade.Figure{}, map[string]trade.Figure{}
	return read(c.Supply, "country", func(name string, t *table.Table, row int) (err error) {
		if w.Production[name], err = figure(t, row, "production"); err != nil {
			return err
		}
		w.Stocks[name], err = figure(t, row, "stock")
		return err
	})
}

type tradeEpisodesCmd struct {
	ID   string `arg:"" optional:"" help:"Show one episode in full."`
	JSON bool   `help:"JSON of the whole record."`
}

func (c tradeEpisodesCmd) Run(p *process) error {
	if c.ID != "" {
		e, err := episode.Find(c.ID)
		if err != nil {
			return err
		}
		return writeJSON(p, e)
	}
	if c.JSON {
		return writeJSON(p, episode.All())
	}
	var rows [][]string
	for _, e := range episode.All() {
		rows = append(rows, []string{e.ID, e.Actor, strings.Join(e.Targets, " "), e.From, e.To, strconv.Itoa(len(e.Scenario.Measures)), e.Title, e.Outcome})
	}
	return writeCSV(p, []string{"id", "actor", "targets", "from", "to", "measures", "title", "outcome"}, rows)
}
