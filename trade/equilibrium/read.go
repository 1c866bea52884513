package equilibrium

import (
	"fmt"
	"strings"

	"causeway/trade/table"
)

// Files are the tables of one data set, in the layout of the public
// replication data of the paper.
type Files struct {
	Trade        *table.Table // sector, exporter, importer, value, tariff, and columns of scenarios
	Intermediate *table.Table // input, sector, region, value
	Final        *table.Table // sector, region, value
	ValueAdded   *table.Table // sector, region, value
	Deficit      *table.Table // region, D; nil for a balanced world
	Theta        *table.Table // sector, value
	Regions      []string     // order of regions, the last one carries the numeraire; nil: as they first appear
	Sectors      []string     // order of sectors; nil: as they first appear
}

// Read builds the data. Links that the trade table does not list carry no
// trade; a listed one without a number is an error.
func Read(f Files) (*Data, error) {
	r := reader{Files: f, regions: map[string]int{}, sectors: map[string]int{}}
	if err := r.sets(); err != nil {
		return nil, err
	}
	N, J := len(r.d.Regions), len(r.d.Sectors)
	r.d.Flow, r.d.Tariff = make([]float64, J*N*N), make([]float64, J*N*N)
	r.d.Input, r.d.Final, r.d.Value = make([]float64, N*J*J), make([]float64, N*J), make([]float64, N*J)
	r.d.Deficit, r.d.Theta = make([]float64, N), make([]float64, J)
	var err error
	if r.d.Flow, err = r.column("value", nil); err != nil {
		return nil, err
	}
	if r.d.Tariff, err = r.column("tariff", r.d.Tariff); err != nil {
		return nil, err
	}
	sector, region := part{"sector", r.sectors, "sector"}, part{"region", r.regions, "region"}
	for _, t := range []struct {
		tab   *table.Table
		what  string
		value string
		parts []part
		at    func(k []int) *float64
		full  bool
	}{
		{f.Intermediate, "intermediate consumption", "value", []part{{"input", r.sectors, "sector"}, sector, region}, func(k []int) *float64 { return &r.d.Input[(k[2]*J+k[0])*J+k[1]] }, false},
		{f.Final, "final consumption", "value", []part{sector, region}, func(k []int) *float64 { return &r.d.Final[k[1]*J+k[0]] }, false},
		{f.ValueAdded, "value added", "value", []part{sector, region}, func(k []int) *float64 { return &r.d.Value[k[1]*J+k[0]] }, false},
		{f.Deficit, "deficits", "D", []part{region}, func(k []int) *float64 { return &r.d.Deficit[k[0]] }, true},
		{f.Theta, "elasticities", "value", []part{sector}, func(k []int) *float64 { return &r.d.Theta[k[0]] }, true},
	} {
		if t.tab == nil && t.what == "deficits" {
			continue
		}
		if t.tab == nil {
			return nil, fmt.Errorf("read equilibrium data: the table of %s is missing", t.what)
		}
		if err := fill(t.tab, t.value, t.parts, t.at, t.full); err != nil {
			return nil, err
		}
	}
	return &r.d, r.d.Check()
}

type reader struct {
	Files
	d                Data
	regions, sectors map[string]int
}

// part is one key column and the set its values come from.
type part struct {
	column string
	set    map[string]int
	what   string
}

// sets fixes the order of regions and sectors.
func (r *reader) sets() error {
	if r.Trade == nil {
		return fmt.Errorf("read equilibrium data: the trade table is missing")
	}
	at, err := r.Trade.Columns("sector", "exporter", "importer")
	if err != nil {
		return err
	}
	r.d.Regions, r.d.Sectors = r.Regions, r.Sectors
	if r.d.Regions == nil {
		r.d.Regions = distinct(r.Trade, at[1], at[2])
	}
	if r.d.Sectors == nil {
		r.d.Sectors = distinct(r.Trade, at[0])
	}
	for what, set := range map[string]struct {
		names []string
		index map[string]int
	}{"region": {r.d.Regions, r.regions}, "sector": {r.d.Sectors, r.sectors}} {
		for i, n := range set.names {
			if _, twice := set.index[n]; twice {
				return fmt.Errorf("read equilibrium data: %s %q stands twice in the order of sets", what, n)
			}
			set.index[n] = i
		}
	}
	return nil
}

func distinct(t *table.Table, cols ...int) []string {
	seen := map[string]bool{}
	var out []string
	for i := range t.Rows {
		for _, c := range cols {
			if n := t.Text(i, c); !seen[n] {
				seen[n] = true
				out = append(out, n)
			}
		}
	}
	return out
}

// column reads one column of the trade table into [j][n][i]. Links without a
// row keep the value of def (0 if nil).
func (r *reader) column(name string, def []float64) ([]float64, error) {
	N, J := len(r.d.Regions), len(r.d.Sectors)
	out := make([]float64, J*N*N)
	copy(out, def)
	region := func(col string) part { return part{col, r.regions, "region"} }
	err := fill(r.Trade, name, []part{{"sector", r.sectors, "sector"}, region("exporter"), region("importer")},
		func(k []int) *float64 { return &out[(k[0]*N+k[2])*N+k[1]] }, false)
	return out, err
}

// fill reads t's value column into the cells its key columns name.
func fill(t *table.Table, value string, parts []part, at func([]int) *float64, full bool) error {
	vc, err := t.Column(value)
	if err != nil {
		return err
	}
	cols, want := make([]int, len(parts)), 1
	for i, p := range parts {
		if cols[i], err = t.Column(p.column); err != nil {
			return err
		}
		want *= len(p.set)
	}
	seen := make(map[[3]int]bool, len(t.Rows))
	k := make([]int, len(parts))
	for row := range t.Rows {
		var key [3]int
		for i, p := range parts {
			name := t.Text(row, cols[i])
			x, ok := p.set[name]
			if !ok {
				return fmt.Errorf("%s: unknown %s %q%s", t.Where(row, cols[i]), p.what, name, hint(name, p.set))
			}
			k[i], key[i] = x, x
		}
		if seen[key] {
			return fmt.Errorf("%s line %d: this combination stands twice; give one value each", t.Name, t.Lines[row])
		}
		seen[key] = true
		v, err := t.Number(row, vc)
		if err != nil {
			return err
		}
		*at(k) = v
	}
	if full && len(seen) < want {
		return fmt.Errorf("%s: %d values for %d names; every one needs a value", t.Name, len(seen), want)
	}
	return nil
}

func hint(name string, set map[string]int) string {
	names := make([]string, len(set))
	for n, i := range set {
		names[i] = n
	}
	if near, ok := table.Nearest(name, names); ok {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// ReadScenario reads the shock that a column of the trade table describes.
// The column holds new tariffs; it may be given by its full name or without
// the prefix "tariff_". A column of the same ending with the prefix "d_" holds
// the iceberg cost ratios and is used with it where it exists; naming a "d_"
// column alone keeps the observed tariffs.
func ReadScenario(f Files, d *Data, column string) (Shock, error) {
	r := reader{Files: f, d: *d, regions: map[string]int{}, sectors: map[string]int{}}
	r.Regions, r.Sectors = d.Regions, d.Sectors
	if err := r.sets(); err != nil {
		return Shock{}, err
	}
	has := func(name string) bool { _, err := f.Trade.Column(name); return err == nil }
	tariff, iceberg := column, ""
	switch {
	case strings.HasPrefix(column, "d_") && has(column):
		tariff, iceberg = "", column
	case has(column):
	case has("tariff_" + column):
		tariff = "tariff_" + column
	default:
		_, err := f.Trade.Column(column)
		return Shock{}, err
	}
	if ending, ok := strings.CutPrefix(tariff, "tariff_"); ok && has("d_"+ending) {
		iceberg = "d_" + ending
	}
	var s Shock
	var err error
	if tariff != "" {
		if s.Tariff, err = r.column(tariff, d.Tariff); err != nil {
			return Shock{}, err
		}
	}
	if iceberg != "" {
		one := make([]float64, len(d.Flow))
		for i := range one {
			one[i] = 1
		}
		if s.Iceberg, err = r.column(iceberg, one); err != nil {
			return Shock{}, err
		}
	}
	return s, d.checkShock(s)
}
