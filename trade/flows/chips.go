package flows

import (
	"fmt"
	"sort"
	"strings"

	"causeway/trade"
	"causeway/trade/place"
	"causeway/trade/table"
)

// ChipTables are the files of the Advanced Semiconductor Supply Chain data set
// (Emerging Technology Observatory), or of any chain in its layout.
type ChipTables struct {
	Inputs    *table.Table // input_id, input_name, type, stage_name
	Providers *table.Table // provider_name, provider_id, provider_type, country
	Provision *table.Table // provider_id, provided_id, share_provided, year
	Sequence  *table.Table // input_id, goes_into_id, is_type_of_id
}

// A ChipInput is one tool, material, process, design resource or product, with
// the countries that provide it.
type ChipInput struct {
	ID, Name, Type, Stage string
	// Shares are by country of headquarters, not of the plant, as fractions of
	// what the source lists; Sum is what they add up to (rounded shares give 0.99
	// to 1.02). Without any share, Reason says so: that is no diversity.
	Shares  []Share
	Sum     float64
	Reason  string
	Years   trade.Interval // of the shares
	GoesTo  []string       // ids of inputs it goes into
	KindsOf []string       // ids of inputs it is a type of
}

// A Share is one country's part of an input.
type Share struct {
	Country string     `json:"country"` // ISO alpha-3, or the residual's name
	Kind    place.Kind `json:"-"`
	Share   float64    `json:"share"`
	Row     trade.Source
}

// A Chain is a supply chain of inputs.
type Chain struct {
	Inputs []ChipInput // by id
	Notes  []string
	at     map[string]int
}

// Input returns the input of an id.
func (c *Chain) Input(id string) (*ChipInput, bool) {
	i, ok := c.at[id]
	if !ok {
		return nil, false
	}
	return &c.Inputs[i], true
}

// ReadChain reads the tables. Only providers of type country carry shares that
// add up to the whole; organisations are listed elsewhere.
func ReadChain(t ChipTables) (*Chain, error) {
	c := &Chain{at: map[string]int{}}
	at, err := t.Inputs.Columns("input_id", "input_name", "type", "stage_name")
	if err != nil {
		return nil, err
	}
	for i := range t.Inputs.Rows {
		c.Inputs = append(c.Inputs, ChipInput{ID: t.Inputs.Text(i, at[0]), Name: t.Inputs.Text(i, at[1]), Type: t.Inputs.Text(i, at[2]), Stage: t.Inputs.Text(i, at[3])})
	}
	sort.SliceStable(c.Inputs, func(a, b int) bool { return c.Inputs[a].ID < c.Inputs[b].ID })
	for i, in := range c.Inputs {
		if _, twice := c.at[in.ID]; twice {
			return nil, fmt.Errorf("%s: input %q stands twice", t.Inputs.Name, in.ID)
		}
		c.at[in.ID] = i
	}
	countries, err := countryProviders(t.Providers)
	if err != nil {
		return nil, err
	}
	if err := c.provision(t.Provision, countries); err != nil {
		return nil, err
	}
	return c, c.sequence(t.Sequence)
}

// countryProviders maps the ids of providers that are countries to places.
func countryProviders(t *table.Table) (map[string]place.Place, error) {
	at, err := t.Columns("provider_name", "provider_id", "provider_type")
	if err != nil {
		return nil, err
	}
	out := map[string]place.Place{}
	for i := range t.Rows {
		if !strings.EqualFold(t.Text(i, at[2]), "country") {
			continue
		}
		p, err := place.Resolve(t.Text(i, at[0]))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Where(i, at[0]), err)
		}
		out[t.Text(i, at[1])] = p
	}
	return out, nil
}

func (c *Chain) provision(t *table.Table, countries map[string]place.Place) error {
	at, err := t.Columns("provider_id", "provided_id", "share_provided")
	if err != nil {
		return err
	}
	year := optional(t, "year")
	without, stages := 0, 0
	for i := range t.Rows {
		p, ok := countries[t.Text(i, at[0])]
		if !ok {
			continue
		}
		in, ok := c.Input(t.Text(i, at[1]))
		if !ok {
			stages++
			continue
		}
		cell := t.Cell(i, at[2])
		if !cell.Known() {
			without++
			continue
		}
		if cell.Value < 0 || cell.Value > 100 {
			return fmt.Errorf("%s: a share of %v per cent; want 0 to 100", t.Where(i, at[2]), cell.Value)
		}
		in.Shares = append(in.Shares, Share{p.Code, p.Kind, cell.Value / 100, trade.Source{File: t.Name, Row: t.Lines[i]}})
		in.Sum += cell.Value / 100
		if year >= 0 {
			if y := t.Cell(i, year); y.Known() {
				if len(in.Shares) == 1 {
					in.Years = trade.Interval{Low: y.Value, High: y.Value}
				}
				in.Years = in.Years.Include(y.Value)
			}
		}
	}
	none := 0
	for i := range c.Inputs {
		in := &c.Inputs[i]
		sort.SliceStable(in.Shares, func(a, b int) bool { return in.Shares[a].Share > in.Shares[b].Share })
		switch {
		case len(in.Shares) == 0:
			none++
			in.Reason = "the source gives no share of any country"
		case in.Sum < 0.97 || in.Sum > 1.03:
			in.Reason = fmt.Sprintf("the shares add up to %.3g", in.Sum)
		}
	}
	for _, n := range []struct {
		count int
		text  string
	}{{none, "%d inputs have no country share: unknown, not diversified"}, {without, "%d countries provide an input but have no share"}, {stages, "%d rows describe a whole stage, not an input"}} {
		if n.count > 0 {
			c.Notes = append(c.Notes, fmt.Sprintf(n.text, n.count))
		}
	}
	return nil
}

func (c *Chain) sequence(t *table.Table) error {
	at, err := t.Columns("input_id", "goes_into_id", "is_type_of_id")
	if err != nil {
		return err
	}
	for i := range t.Rows {
		in, ok := c.Input(t.Text(i, at[0]))
		if !ok {
			continue
		}
		if to := t.Text(i, at[1]); to != "" {
			in.GoesTo = append(in.GoesTo, to)
		}
		if of := t.Text(i, at[2]); of != "" {
			in.KindsOf = append(in.KindsOf, of)
		}
	}
	return nil
}
