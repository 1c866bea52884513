package dependency

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"causeway/trade"
	"causeway/trade/place"
	"causeway/trade/table"
)

// A Report is what ConcentrationsOf found in a table, with what a reader must
// be told about it.
type Report struct {
	Groups []Concentration `json:"groups"` // sorted by group in byte order
	Notes  []string        `json:"notes"`  // totals left out, values not used, shares that do not add up
}

// ConcentrationsOf measures concentration in a table: one row per supplier
// (column by) and value (column value), per group if group is not "".
//
// Rows that are totals ("World total (rounded)") are not suppliers and are
// left out; a total that differs from the sum of its rows by more than 2 % is
// reported. Residual rows ("Other countries", or a blank name) stay in the
// denominator. Bounds (">95") and text values are unknown, and lower the
// coverage. A negative value is an error that names its cell.
func ConcentrationsOf(t *table.Table, by, value, group string) (Report, error) {
	var rep Report
	at, err := t.Columns(by, value)
	if err != nil {
		return rep, err
	}
	byCol, valueCol, groupCol := at[0], at[1], -1
	if group != "" {
		if groupCol, err = t.Column(group); err != nil {
			return rep, err
		}
	}
	// A number is an identifier, not a name: 0 means World only where the
	// column says that it holds partners (Comtrade).
	partners := strings.Contains(strings.ToLower(by), "partner")
	kind := func(name string) place.Kind {
		if name == "" {
			return place.Residual
		}
		if _, err := strconv.Atoi(name); err == nil && !partners {
			return place.Unknown
		}
		return place.KindOf(name)
	}
	rows := map[string][]Supply{}
	totals := map[string]float64{}
	totalRows, numbers := 0, 0
	for i := range t.Rows {
		name, g := t.Text(i, byCol), "all"
		if groupCol >= 0 {
			g = t.Text(i, groupCol)
		}
		cell := t.Cell(i, valueCol)
		if kind(name) == place.Total {
			totalRows++
			if cell.Known() {
				totals[g] += cell.Value
			}
			if _, seen := rows[g]; !seen {
				rows[g] = nil
			}
			continue
		}
		if name == "" && cell.Text == "" {
			continue // a blank line of the file
		}
		f := trade.Figure{Value: cell.Value}
		if cell.Known() {
			numbers++
			if cell.Value < 0 {
				return rep, fmt.Errorf("%s: %s is negative; a supply is zero or more (net flows: give imports and exports apart)", t.Where(i, valueCol), cell.Text)
			}
		} else {
			f = trade.Figure{Reason: unusable(cell)}
		}
		rows[g] = append(rows[g], Supply{name, f})
	}
	if numbers == 0 {
		return rep, fmt.Errorf("%s: column %q holds no number in %d rows; choose the column with the values", t.Name, value, len(t.Rows))
	}
	if totalRows > 0 {
		rep.Notes = append(rep.Notes, fmt.Sprintf("%d total rows are left out", totalRows))
	}
	groups := make([]string, 0, len(rows))
	for g := range rows {
		groups = append(groups, g)
	}
	sort.Strings(groups)
	for _, g := range groups {
		c, err := Concentrate(g, rows[g], func(n string) bool { return kind(n) == place.Residual })
		if err != nil {
			return rep, fmt.Errorf("%s: %w", t.Name, err)
		}
		rep.Groups = append(rep.Groups, c)
		if n := repeated(rows[g]); n > 0 {
			rep.Notes = append(rep.Notes, fmt.Sprintf("group %q: %d suppliers stand in several rows, which are added up; group by year, stage or statistic too if they differ in it", g, n))
		}
		rep.Notes = append(rep.Notes, notes(c, totals[g])...)
		if n := offShares(t.Header[valueCol], c); n != "" {
			rep.Notes = append(rep.Notes, n)
		}
	}
	return rep, nil
}

// offShares says when a column of shares does not add up: rounded shares reach
// 97 to 103 %, anything else means that suppliers are missing or counted twice.
func offShares(header string, c Concentration) string {
	h := strings.ToLower(header)
	if !strings.Contains(h, "share") && !strings.Contains(h, "percent") && !strings.Contains(h, "%") {
		return ""
	}
	sum := 0.0
	for _, s := range c.Shares {
		sum += s.Value
	}
	if c.Residual >= 1 || !(sum > 0) {
		return ""
	}
	sum /= 1 - c.Residual
	if sum >= 97 && sum <= 103 || sum >= 0.97 && sum <= 1.03 {
		return ""
	}
	return fmt.Sprintf("group %q: the shares add up to %.4g, not to 1 or 100; the index is of the known part", c.Group, sum)
}

// repeated counts the suppliers with more than one row.
func repeated(rows []Supply) int {
	seen := map[string]int{}
	n := 0
	for _, r := range rows {
		if seen[r.Name]++; seen[r.Name] == 2 {
			n++
		}
	}
	return n
}

func unusable(c table.Cell) string {
	switch {
	case c.Kind != table.Missing:
		return fmt.Sprintf("a bound (%s)", c.Text)
	case c.Text == "":
		return "empty"
	}
	return fmt.Sprintf("%s (%s)", c.Reason, c.Text)
}

// notes says what stands in the way of taking c at face value.
func notes(c Concentration, declared float64) []string {
	var out []string
	say := func(format string, args ...any) {
		out = append(out, fmt.Sprintf("group %q: ", c.Group)+fmt.Sprintf(format, args...))
	}
	reasons := make([]string, 0, len(c.Unknown))
	for r := range c.Unknown {
		reasons = append(reasons, r)
	}
	sort.Strings(reasons)
	for _, r := range reasons {
		say("%d rows not used: %s", c.Unknown[r], r)
	}
	if c.Residual > 0 && c.HHI.IsKnown() {
		say("a residual holds %.4g of the total; the index lies between %s and %s", c.Residual, c.HHI, c.HHIHigh)
	}
	if !c.HHI.IsKnown() {
		say("no index: %s", c.HHI.Reason)
	}
	sum := 0.0
	for _, s := range c.Shares {
		sum += s.Value
	}
	if c.Residual < 1 {
		sum /= 1 - c.Residual
	}
	if declared > 0 && (sum < 0.98*declared || sum > 1.02*declared) {
		say("the rows add up to %.6g but the total row says %.6g", sum, declared)
	}
	return out
}
