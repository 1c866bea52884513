package dependency

import (
	"fmt"
	"math"
	"sort"
	"strings"

	"causeway/trade"
	"causeway/trade/flows"
	"causeway/trade/place"
)

// An Explanation says in words where a figure comes from, down to the rows of
// the source.
type Explanation struct {
	Figure  string       `json:"figure"`
	Value   trade.Figure `json:"value"`
	Formula string       `json:"formula"`
	Source  string       `json:"source"` // of the formula
	Steps   []string     `json:"steps"`
	Rows    []SourceRow  `json:"rows"`
	Notes   []string     `json:"notes,omitempty"`
}

// A SourceRow is one row that entered.
type SourceRow struct {
	trade.Source
	Exporter string       `json:"exporter"`
	Importer string       `json:"importer"`
	Value    trade.Figure `json:"value"`
	Part     string       `json:"part"` // what it is to the figure
}

// figures are the ones Explain knows, with formula and its source.
var figures = map[string][2]string{
	"hhi":         {"HHI = sum over named suppliers of (value / all imports)^2; a residual stays in the denominator", "Herfindahl-Hirschman index; European Commission SWD(2021) 352, CDI 1: above 0.4"},
	"top_share":   {"top share = largest named supplier / all imports", "European Critical Raw Materials Act, Regulation (EU) 2024/1252: not more than 65 %"},
	"without_top": {"what is left without the largest supplier = 1 - top share", "general form of the N-1 rule, Regulation (EU) 2017/1938 Annex II"},
	"ratio":       {"ratio = imports / exports", "European Commission SWD(2021) 352, CDI 3: above 1"},
	"extern":      {"extern = imports from outside the bloc / all imports of its members", "European Commission SWD(2021) 352, CDI 2: above 0.5"},
	"world_hhi":   {"world HHI = sum over exporters of (exports / world exports)^2", "CEPII GeoDep, second criterion: above 0.4"},
}

// Figures lists what Explain can explain.
func Figures() []string {
	var out []string
	for n := range figures {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

// Explain words one figure of an indicator with the rows it rests on. market
// is the importer the indicator was measured for.
func Explain(figure string, ind Indicator, market Market, rows []flows.Traced) (Explanation, error) {
	f, ok := figures[figure]
	if !ok {
		return Explanation{}, fmt.Errorf("no figure %q to explain; there are %s", figure, strings.Join(Figures(), ", "))
	}
	e := Explanation{Figure: figure, Formula: f[0], Source: f[1]}
	e.Value = map[string]trade.Figure{"hhi": ind.HHI, "top_share": ind.TopShare, "without_top": ind.WithoutTop, "ratio": ind.Ratio, "extern": ind.Extern, "world_hhi": ind.WorldHHI}[figure]
	members := map[string]bool{market.Name: true}
	if market.members != nil {
		members = map[string]bool{}
		for _, c := range market.members(ind.Year) {
			members[c] = true
		}
	}
	by, total := map[string]float64{}, 0.0
	for _, r := range rows {
		part := partOf(figure, members[r.Exporter], members[r.Importer])
		if part == "" {
			continue
		}
		v := trade.Known(r.Value)
		if math.IsNaN(r.Value) {
			v = trade.Unknown("the row has no value")
		}
		e.Rows = append(e.Rows, SourceRow{r.Source, r.Exporter, r.Importer, v, part})
		if v.IsKnown() && (part == "import" || part == "world exports") {
			by[r.Exporter] += v.Value
			total += v.Value
		}
	}
	e.steps(figure, ind, by, total)
	e.Notes = append(e.Notes, fmt.Sprintf("coverage %.4g: %d of the flows have no value", ind.Coverage, ind.Missing))
	if !e.Value.IsKnown() {
		e.Notes = append(e.Notes, "the figure is unknown: "+e.Value.Reason)
	}
	return e, nil
}

// partOf says what a row is to a figure, "" for nothing.
func partOf(figure string, from, to bool) string {
	switch {
	case figure == "world_hhi":
		return "world exports"
	case to && !from:
		return "import"
	case from && !to && figure == "ratio":
		return "export"
	case from && to && figure == "extern":
		return "inside the bloc"
	}
	return ""
}

func (e *Explanation) steps(figure string, ind Indicator, by map[string]float64, total float64) {
	names := make([]string, 0, len(by))
	for n := range by {
		names = append(names, n)
	}
	sort.Slice(names, func(a, b int) bool {
		return by[names[a]] > by[names[b]] || (by[names[a]] > by[names[b]]-1e-300 && names[a] < names[b])
	})
	e.Steps = append(e.Steps, fmt.Sprintf("the values add up to %.10g from %d partners", total, len(names)))
	switch figure {
	case "hhi", "world_hhi", "top_share", "without_top":
		for i, n := range names {
			if i == 8 {
				e.Steps = append(e.Steps, fmt.Sprintf("and %d smaller partners", len(names)-8))
				break
			}
			share := by[n] / total
			what := fmt.Sprintf("%s: %.10g / %.10g = %.6g", n, by[n], total, share)
			if k := place.KindOf(n); k == place.Residual || k == place.Bloc {
				what += ", a residual: in the denominator only"
			} else if strings.HasSuffix(figure, "hhi") {
				what += fmt.Sprintf(", squared %.6g", share*share)
			}
			e.Steps = append(e.Steps, what)
		}
	case "ratio":
		e.Steps = append(e.Steps, fmt.Sprintf("imports %.10g / exports %.10g", ind.Imports, ind.Exports))
	case "extern":
		e.Steps = append(e.Steps, fmt.Sprintf("imports from outside are %.10g", ind.Imports))
	}
}
