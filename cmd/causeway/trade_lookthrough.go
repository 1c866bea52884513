package main

import (
	"fmt"

	"causeway/trade/inout"
)

type tradeLookthroughCmd struct {
	Z        string   `placeholder:"FILE" xor:"table" help:"Intermediate flows: square CSV, names in the first row and column; row = supplier, column = user. Needs --x."`
	ICIO     string   `name:"icio" placeholder:"FILE" xor:"table" help:"Inter-country table of the OECD as published (CSV, gzip): rows and columns COUNTRY_INDUSTRY, taxes, value added, output, final demand. The parts of China and Mexico are added up."`
	National string   `placeholder:"FILE" xor:"table" help:"National table in one sheet: sectors stand in the first row and column, other rows are primary inputs and totals."`
	X        string   `placeholder:"FILE" help:"Output for --z: CSV of name,value."`
	V        string   `placeholder:"FILE" help:"Primary input (value added, employment cost, ...): CSV of name,value in the unit of output. Without it --icio takes its own value added."`
	Value    []string `placeholder:"ROW" sep:"none" help:"Row of --national that is the primary input; several add up."`
	Output   string   `placeholder:"ROW" help:"Row of --national that is the output, where it has an unusual name."`
	Ghosh    bool     `help:"Supply-driven Ghosh inverse instead of Leontief."`

	Partner []string `placeholder:"NAME" help:"Instead of multipliers, each sector's reliance on these sectors (or on the country whose prefix they carry, as CHN of CHN_C26): by look-through, at face value, hidden."`
	Extract float64  `placeholder:"FRACTION" help:"With --partner: output and value added lost by sector if this part of the partner's deliveries to the others were gone and nobody replaced them, an upper bound: what is no longer sold (needs the final demand of --icio), or with --ghosh what users can no longer make."`
	JSON    bool     `help:"JSON instead of CSV."`
}

func (c tradeLookthroughCmd) Run(p *process) error {
	full, err := c.table(p)
	if err != nil {
		return err
	}
	side := inout.Leontief
	if c.Ghosh {
		side = inout.Ghosh
	}
	if c.Ghosh && len(c.Partner) > 0 && c.Extract == 0 {
		return usagef("--partner follows demand to its suppliers: leave --ghosh out")
	}
	if c.Extract != 0 && (len(c.Partner) == 0 || full.Final == nil && !c.Ghosh) {
		return usagef("--extract needs --partner; and final demand, which --icio has, or --ghosh")
	}
	m, err := inout.NewModel(full.Table, side)
	if err != nil {
		return fmt.Errorf("read table: %w", err)
	}
	if c.V != "" {
		v, err := openTable(p, c.V)
		if err != nil {
			return err
		}
		var more []string
		if full.Value, more, err = inout.ReadValues(v, m.Names); err != nil {
			return err
		}
		full.Notes = append(full.Notes, more...)
	}
	switch {
	case c.Extract != 0:
		return c.extraction(p, m, full)
	case len(c.Partner) > 0:
		return c.reliance(p, m, full.Notes)
	}
	return c.multipliers(p, m, full)
}

// table reads the table of the flags.
func (c tradeLookthroughCmd) table(p *process) (*inout.Full, error) {
	switch {
	case c.ICIO != "":
		r, name, err := openInput(p, c.ICIO)
		if err != nil {
			return nil, err
		}
		defer r.Close()
		return inout.ReadICIO(name, r)
	case c.National != "":
		t, err := openTable(p, c.National)
		if err != nil {
			return nil, err
		}
		return inout.ReadNational(t, inout.National{Output: c.Output, Value: c.Value})
	case c.Z == "" || c.X == "":
		return nil, usagef("want --z FILE with --x FILE, or --icio FILE, or --national FILE")
	}
	z, err := openTable(p, c.Z)
	if err != nil {
		return nil, err
	}
	x, err := openTable(p, c.X)
	if err != nil {
		return nil, err
	}
	t, notes, err := inout.ReadTable(z, x)
	if err != nil {
		return nil, err
	}
	return &inout.Full{Table: t, Notes: notes}, nil
}

func (c tradeLookthroughCmd) multipliers(p *process, m *inout.Model, full *inout.Full) error {
	out, err := m.Multipliers(full.Value)
	if err != nil {
		return err
	}
	tell(p, full.Notes)
	if c.JSON {
		return writeJSON(p, out)
	}
	rows := make([][]string, len(out))
	for i, o := range out {
		rows[i] = []string{o.Name, formatFloat(o.Output), formatFloat(o.Diagonal), o.Effect.String(), o.Multiplier.String()}
	}
	return writeCSV(p, []string{"name", "output_multiplier", "diagonal", "effect", "multiplier"}, rows)
}

// extraction says what would be lost by sector; the totals go to stderr.
func (c tradeLookthroughCmd) extraction(p *process, m *inout.Model, full *inout.Full) error {
	partner, err := m.Partner(c.Partner...)
	if err != nil {
		return err
	}
	f := full.Final
	if c.Ghosh {
		f = full.Primary()
	}
	e, err := m.Extract(partner, c.Extract, f, full.Value, false)
	if err != nil {
		return err
	}
	tell(p, append(full.Notes, fmt.Sprintf("output lost in all: %s; value added lost: %s; nobody substitutes, so both are upper bounds", formatFloat(e.Output), e.Value)))
	if c.JSON {
		return writeJSON(p, e)
	}
	rows := make([][]string, len(m.Names))
	for i, n := range m.Names {
		share := ""
		if m.X[i] > 0 {
			share = formatFloat(e.Sectors[i] / m.X[i])
		}
		rows[i] = []string{n, formatFloat(e.Sectors[i]), share}
	}
	return writeCSV(p, []string{"name", "output_lost", "share_of_output"}, rows)
}

func (c tradeLookthroughCmd) reliance(p *process, m *inout.Model, notes []string) error {
	partner, err := m.Partner(c.Partner...)
	if err != nil {
		return err
	}
	out, err := m.Reliance(partner)
	if err != nil {
		return err
	}
	tell(p, notes)
	if c.JSON {
		return writeJSON(p, out)
	}
	rows := make([][]string, len(out))
	for i, r := range out {
		rows[i] = []string{r.Name, r.Look.String(), r.Face.String(), r.Hidden.String()}
	}
	return writeCSV(p, []string{"name", "look_through", "face_value", "hidden"}, rows)
}
