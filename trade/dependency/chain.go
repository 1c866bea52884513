package dependency

import (
	"sort"

	"causeway/trade"
	"causeway/trade/flows"
	"causeway/trade/place"
)

// An Exposure says how far one input of a supply chain rests on a country.
type Exposure struct {
	ID     string       `json:"id"`
	Name   string       `json:"name"`
	Type   string       `json:"type"`
	Stage  string       `json:"stage"`
	Share  trade.Figure `json:"share"` // of the country, direct
	Top    string       `json:"top"`
	TopOf  trade.Figure `json:"top_share"`
	HHI    trade.Figure `json:"hhi"`
	Breach bool         `json:"breach"` // one country above 65 %
	// Hidden is the largest share of the country in anything that goes into
	// the input, at any depth: exposure that the input's own shares do not show.
	Hidden trade.Figure `json:"hidden"`
	Path   []string     `json:"path,omitempty"` // from the hidden input to this one, by name
}

// ExposureOn measures every input of a chain against a country (ISO alpha-3; ""
// for concentration only), sorted by hidden or direct share, descending, then
// by id. home names countries that are no third countries for the 65 % rule.
func ExposureOn(c *flows.Chain, country string, home func(string) bool) []Exposure {
	out := make([]Exposure, len(c.Inputs))
	direct := map[string]float64{}
	for i, in := range c.Inputs {
		out[i] = direct1(in, country, home)
		if out[i].Share.IsKnown() {
			direct[in.ID] = out[i].Share.Value
		}
	}
	feeds := map[string][]string{}
	for _, in := range c.Inputs {
		for _, to := range append(in.GoesTo[:len(in.GoesTo):len(in.GoesTo)], in.KindsOf...) {
			feeds[to] = append(feeds[to], in.ID)
		}
	}
	for i := range out {
		out[i].Hidden = trade.Unknown("nothing that goes into it has a share")
		hidden(c, &out[i], feeds, direct)
	}
	rank := func(e Exposure) float64 { return max(e.Share.Value, e.Hidden.Value) }
	sort.SliceStable(out, func(a, b int) bool { return rank(out[a]) > rank(out[b]) })
	return out
}

// direct1 measures one input by its own shares.
func direct1(in flows.ChipInput, country string, home func(string) bool) Exposure {
	e := Exposure{ID: in.ID, Name: in.Name, Type: in.Type, Stage: in.Stage}
	var rows []Supply
	share := 0.0
	for _, s := range in.Shares {
		rows = append(rows, Supply{s.Country, trade.Known(s.Share)})
		if s.Country == country {
			share += s.Share
		}
	}
	con, err := Concentrate(in.ID, rows, func(n string) bool { k := place.KindOf(n); return k == place.Residual || k == place.Bloc })
	if err != nil || len(rows) == 0 {
		u := trade.Unknown("%s", in.Reason)
		e.Share, e.TopOf, e.HHI = u, u, u
		return e
	}
	e.Top, e.TopOf, e.HHI = con.Top, con.TopShare, con.HHI
	e.Share = trade.Known(share)
	if b, err := StageRule(con, home, 0); err == nil {
		e.Breach = b.Breach
	}
	return e
}

// hidden searches upstream, breadth first.
func hidden(c *flows.Chain, e *Exposure, feeds map[string][]string, direct map[string]float64) {
	from := map[string]string{e.ID: ""}
	queue, best := []string{e.ID}, ""
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, up := range feeds[at] {
			if _, seen := from[up]; seen {
				continue
			}
			from[up] = at
			queue = append(queue, up)
			if d, ok := direct[up]; ok && (best == "" || d > direct[best]) {
				best = up
			}
		}
	}
	if best == "" {
		return
	}
	e.Hidden = trade.Known(direct[best])
	for at := best; at != ""; at = from[at] {
		if in, ok := c.Input(at); ok {
			e.Path = append(e.Path, in.Name)
		}
	}
}
