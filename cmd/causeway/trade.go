package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"causeway/trade/dependency"
	"causeway/trade/table"
)

// tradeCmd is the group of economic-security commands: CSV in, CSV or JSON
// out. Everything they compute is in the pure rooms under trade/.
type tradeCmd struct {
	Allocate      tradeAllocateCmd      `cmd:"" help:"Joint action: the fairest plan of shipments, treaty rights to draw on reserves, division of a sum."`
	Cascade       tradeCascadeCmd       `cmd:"" help:"A shortage or a ban through trade and stocks, under both allocation rules."`
	Concentration tradeConcentrationCmd `cmd:"" help:"Concentration of suppliers in a table: HHI, effective suppliers, top share, coverage."`
	Dependencies  tradeDependenciesCmd  `cmd:"" help:"Who depends on whom: EU and GeoDep screens, suppliers, persistence, networks, production against trade, supply chains."`
	Episodes      tradeEpisodesCmd      `cmd:"" help:"The record of past coercion, with sources and what trade showed later."`
	Explain       tradeExplainCmd       `cmd:"" help:"Where a figure comes from, in words, down to the rows of the source."`
	Equilibrium   tradeEquilibriumCmd   `cmd:"" help:"Exact-hat general equilibrium of a tariff scenario: welfare, real wage, real income."`
	Lookthrough   tradeLookthroughCmd   `cmd:"" help:"Leontief or Ghosh multipliers of an input-output table."`
	Rerun         tradeRerunCmd         `cmd:"" help:"Run the scenarios and plans that a partner sent again, from the objects they name, and compare the bytes."`
	Scenario      tradeScenarioCmd      `cmd:"" help:"Check a coercion scenario, or run it on flows by every engine side by side."`
	Shock         tradeShockCmd         `cmd:"" help:"Closed forms for the loss of a supplier: first order, second order, exact, Leontief bound."`
}

// openTable reads a CSV (plain or gzip) file, or standard input for "-".
func openTable(p *process, path string) (*table.Table, error) {
	r, name, err := openInput(p, path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return table.Read(name, r)
}

// openInput opens a file, or standard input for "-". Where the named file is
// missing but it stands there gzipped, that one is opened.
func openInput(p *process, path string) (io.ReadCloser, string, error) {
	if path == "-" {
		return io.NopCloser(p.stdin), "standard input", nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if z, zerr := os.Open(path + ".gz"); zerr == nil {
			f, err = z, nil
		}
	}
	if err != nil {
		return nil, "", fmt.Errorf("open input: %w", err)
	}
	return f, filepath.Base(f.Name()), nil
}

// writeCSV writes a header and rows to stdout.
func writeCSV(p *process, header []string, rows [][]string) error {
	b := bufio.NewWriter(p.stdout)
	w := csv.NewWriter(b)
	if err := w.Write(header); err != nil {
		return err
	}
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	return b.Flush()
}

// writeJSON writes v, indented, to stdout.
func writeJSON(p *process, v any) error {
	enc := json.NewEncoder(p.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// tell writes notes about the result to stderr, so that stdout stays data.
func tell(p *process, notes []string) {
	for _, n := range notes {
		fmt.Fprintln(p.stderr, "note:", n)
	}
}

type tradeConcentrationCmd struct {
	File  string `arg:"" help:"CSV file with a header (gzip allowed, - for standard input)."`
	By    string `required:"" placeholder:"COL" help:"Column that names the supplier. Total rows are left out, residual rows stay in the denominator."`
	Value string `required:"" placeholder:"COL" help:"Column with the value or quantity."`
	Group string `placeholder:"COL" help:"Column to group by, such as product or year."`
	JSON  bool   `help:"JSON with every share, the range of the index and the reasons of missing values."`
}

func (c tradeConcentrationCmd) Run(p *process) error {
	t, err := openTable(p, c.File)
	if err != nil {
		return err
	}
	rep, err := dependency.ConcentrationsOf(t, c.By, c.Value, c.Group)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(p, rep)
	}
	tell(p, rep.Notes)
	rows := make([][]string, len(rep.Groups))
	for i, g := range rep.Groups {
		rows[i] = []string{g.Group, g.HHI.String(), g.Effective.String(), g.Top, g.TopShare.String(), formatFloat(g.Coverage)}
	}
	return writeCSV(p, []string{"group", "hhi", "effective", "top", "top_share", "coverage"}, rows)
}

// formatFloat gives the shortest decimal that reads back as v.
func formatFloat(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
