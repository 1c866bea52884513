package main

import (
	"fmt"

	"causeway/trade/shock"
	"causeway/trade/table"
)

type tradeShockCmd struct {
	File string `arg:"" help:"CSV: name,share,remaining,sigma for an input whose quantity falls, or name,omega,sigma,beta for suppliers that are lost for good (- for standard input). Optional sigma_low,sigma_high give a range."`
	JSON bool   `help:"JSON instead of CSV."`
}

// shockRow is one line of the output; which fields are set depends on the form
// of the file.
type shockRow struct {
	Name   string        `json:"name"`
	Loss   *shock.Loss   `json:"loss,omitempty"`
	Range  *shock.Range  `json:"range,omitempty"`
	CutOff *shock.CutOff `json:"cut_off,omitempty"`
}

func (c tradeShockCmd) Run(p *process) error {
	t, err := openTable(p, c.File)
	if err != nil {
		return err
	}
	if _, err := t.Column("omega"); err == nil {
		return c.cutOff(p, t)
	}
	return c.fall(p, t)
}

func (c tradeShockCmd) fall(p *process, t *table.Table) error {
	at, err := t.Columns("name", "share", "remaining", "sigma")
	if err != nil {
		return err
	}
	low, lowErr := t.Column("sigma_low")
	high, highErr := t.Column("sigma_high")
	ranged := lowErr == nil && highErr == nil
	var out []shockRow
	var rows [][]string
	for i := range t.Rows {
		v, err := numbers(t, i, at[1:]...)
		if err != nil {
			return err
		}
		in := shock.Input{CostShare: v[0], Elasticity: v[2]}
		loss, err := in.Fall(v[1])
		if err != nil {
			return fmt.Errorf("%s line %d: %w", t.Name, t.Lines[i], err)
		}
		o := shockRow{Name: t.Text(i, at[0]), Loss: &loss}
		row := []string{o.Name, formatFloat(loss.FirstOrder), loss.SecondOrder.String(), loss.Exact.String(), loss.Leontief.String()}
		if ranged {
			s, err := numbers(t, i, low, high)
			if err != nil {
				return err
			}
			r, err := in.Over(s[0], s[1], v[1])
			if err != nil {
				return fmt.Errorf("%s line %d: %w", t.Name, t.Lines[i], err)
			}
			o.Range = &r
			row = append(row, finite(r.Exact.Low), finite(r.Exact.High))
		} else {
			row = append(row, "", "")
		}
		out = append(out, o)
		rows = append(rows, append(row, loss.Exact.Reason))
	}
	if c.JSON {
		return writeJSON(p, out)
	}
	return writeCSV(p, []string{"name", "first_order", "second_order", "exact", "leontief", "exact_low", "exact_high", "reason"}, rows)
}

func (c tradeShockCmd) cutOff(p *process, t *table.Table) error {
	at, err := t.Columns("name", "omega", "sigma", "beta")
	if err != nil {
		return err
	}
	var out []shockRow
	var rows [][]string
	for i := range t.Rows {
		v, err := numbers(t, i, at[1:]...)
		if err != nil {
			return err
		}
		cut, err := shock.Remove(v[0], v[1], v[2])
		if err != nil {
			return fmt.Errorf("%s line %d: %w", t.Name, t.Lines[i], err)
		}
		out = append(out, shockRow{Name: t.Text(i, at[0]), CutOff: &cut})
		rows = append(rows, []string{t.Text(i, at[0]), cut.Price.String(), cut.Welfare.String(), cut.Price.Reason})
	}
	if c.JSON {
		return writeJSON(p, out)
	}
	return writeCSV(p, []string{"name", "price", "welfare", "reason"}, rows)
}

// numbers reads several exact numbers of one row.
func numbers(t *table.Table, row int, cols ...int) ([]float64, error) {
	out := make([]float64, len(cols))
	for k, c := range cols {
		var err error
		if out[k], err = t.Number(row, c); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// finite is formatFloat, and empty for an end without a number.
func finite(v float64) string {
	if v > -1e308 && v < 1e308 {
		return formatFloat(v)
	}
	return ""
}
