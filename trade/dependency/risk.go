package dependency

import (
	"fmt"
	"math"

	"causeway/trade"
	"causeway/trade/place"
)

// Stages and bounds of the European Critical Raw Materials Act, Regulation (EU)
// 2024/1252 Art 5: by 2030 not more than 65 % of consumption of a strategic raw
// material at any stage from a single third country.
const MaxOneCountry = 0.65

// A Breach says whether one stage of one material rests on a single third
// country for more than the limit.
type Breach struct {
	Concentration
	Limit  float64 `json:"limit"`
	Breach bool    `json:"breach"` // top third country above (not at) the limit
	Reason string  `json:"reason"`
}

// StageRule tests a stage's supply against the limit (0: MaxOneCountry). home
// names the countries that are no third countries; a residual or a bloc is not
// one country and never breaches.
func StageRule(c Concentration, home func(name string) bool, limit float64) (Breach, error) {
	if limit == 0 {
		limit = MaxOneCountry
	}
	if !(limit > 0 && limit <= 1) {
		return Breach{}, fmt.Errorf("apply stage rule: the limit is %v; want a fraction of at most 1", limit)
	}
	b := Breach{Concentration: c, Limit: limit}
	if !c.TopShare.IsKnown() {
		b.Reason = c.TopShare.Reason
		return b, nil
	}
	for _, s := range c.Shares { // descending
		if k := place.KindOf(s.Name); k == place.Bloc || k == place.Residual || (home != nil && home(s.Name)) {
			continue
		}
		b.Breach = s.Share > limit
		b.Reason = fmt.Sprintf("%s holds %.4g, the limit is %.4g", s.Name, s.Share, limit)
		return b, nil
	}
	b.Reason = "no third country among the suppliers"
	return b, nil
}

// NMinusOne is the infrastructure standard of Regulation (EU) 2017/1938 Annex
// II in its general form: what is left of all capacities without the largest,
// per cent of demand; at least 100 is required.
func NMinusOne(capacities []trade.Figure, demand float64) (trade.Figure, error) {
	if !(demand > 0) || math.IsInf(demand, 0) {
		return trade.Figure{}, fmt.Errorf("compute N-1: demand is %v; want more than zero", demand)
	}
	sum, largest := 0.0, 0.0
	for i, c := range capacities {
		if !c.IsKnown() {
			return trade.Unknown("capacity %d: %s", i+1, c.Reason), nil
		}
		if c.Value < 0 {
			return trade.Figure{}, fmt.Errorf("compute N-1: capacity %d is %v; want zero or more", i+1, c.Value)
		}
		sum += c.Value
		largest = math.Max(largest, c.Value)
	}
	return trade.Known(100 * (sum - largest) / demand), nil
}

// A Source is one supplier country of a risk score.
type Source struct {
	Name        string
	Quantity    float64      // imported, >= 0
	Instability trade.Figure // g, 0 stable .. 1 unstable; unknown counts as 0.5 and is said so
}

// Risk is the GeoPolRisk score of Gemechu, Sonnemann and co-workers as in the
// public geopolrisk-py: HHI of world production times the import-weighted
// instability of the sources.
type Risk struct {
	HHI       float64 `json:"hhi"`
	Numerator float64 `json:"numerator"` // sum of quantity x instability
	Total     float64 `json:"total"`     // imports
	Score     float64 `json:"score"`     // HHI * Numerator / (Total + domestic production)
	// Factor is the characterisation factor: Score x price / 0.409412948, the
	// factor of copper; unknown without a price.
	Factor  trade.Figure `json:"factor"`
	Assumed []string     `json:"assumed,omitempty"` // suppliers whose instability is the default 0.5
}

// copperFactor normalises characterisation factors.
const copperFactor = 0.409412948

// GeoPolRisk computes the score. Quantities and domestic production share a
// unit; price is in money per unit of quantity.
func GeoPolRisk(productionHHI float64, sources []Source, domestic float64, price trade.Figure) (Risk, error) {
	if !(productionHHI >= 0 && productionHHI <= 1) || !(domestic >= 0) {
		return Risk{}, fmt.Errorf("compute risk: HHI %v and domestic production %v; want 0..1 and zero or more", productionHHI, domestic)
	}
	r := Risk{HHI: productionHHI}
	for _, s := range sources {
		g := s.Instability
		if !g.IsKnown() {
			g = trade.Known(0.5)
			r.Assumed = append(r.Assumed, s.Name)
		}
		if !(s.Quantity >= 0) || !(g.Value >= 0 && g.Value <= 1) {
			return Risk{}, fmt.Errorf("compute risk: %q supplies %v at instability %v; want zero or more, and 0..1", s.Name, s.Quantity, g.Value)
		}
		r.Numerator += s.Quantity * g.Value
		r.Total += s.Quantity
	}
	if !(r.Total+domestic > 0) {
		return Risk{}, fmt.Errorf("compute risk: neither imports nor domestic production")
	}
	r.Score = r.HHI * r.Numerator / (r.Total + domestic)
	r.Factor = price
	if price.IsKnown() {
		r.Factor = trade.Known(r.Score * price.Value / copperFactor)
	}
	return r, nil
}

// A Screen sets what production says beside what trade says. A basket code
// looks diversified when many materials share it: gallium is the case.
type Screen struct {
	Production trade.Figure `json:"production"` // HHI of world production
	ProductTop string       `json:"production_top"`
	Trade      trade.Figure `json:"trade"` // HHI of world exports of the code
	TradeTop   string       `json:"trade_top"`
	Disagree   bool         `json:"disagree"`
	Warning    string       `json:"warning,omitempty"`
}

// CompareScreens makes the two screens at a threshold (0: 0.4).
func CompareScreens(production, exports Concentration, threshold float64) Screen {
	if threshold == 0 {
		threshold = 0.4
	}
	s := Screen{production.HHI, production.Top, exports.HHI, exports.Top, false, ""}
	if !s.Production.IsKnown() || !s.Trade.IsKnown() {
		s.Warning = "only one screen has data; the other is unknown, not clear"
		return s
	}
	p, t := s.Production.Value > threshold, s.Trade.Value > threshold
	switch {
	case p && !t:
		s.Disagree, s.Warning = true, fmt.Sprintf("production is concentrated (%.3g, %s) but trade in the code is not (%.3g): the code may be a basket that hides the material; trust production", s.Production.Value, s.ProductTop, s.Trade.Value)
	case t && !p:
		s.Disagree, s.Warning = true, fmt.Sprintf("exports are concentrated (%.3g, %s) but production is not (%.3g): many producers use the material at home", s.Trade.Value, s.TradeTop, s.Production.Value)
	}
	return s
}
