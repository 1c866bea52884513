// Package dependency measures concentration and dependence: who supplies
// what to whom, how replaceable that is, and how long it has been so.
package dependency

import (
	"fmt"
	"math"
	"sort"

	"causeway/trade"
)

// A Supply is what one supplier provides, as one row of the source says.
type Supply struct {
	Name  string
	Value trade.Figure // >= 0 in any unit; unknown stays unknown
}

// A Share is one named supplier's part of what is known.
type Share struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"` // in the unit of the source
	Share float64 `json:"share"` // 0..1 of the known total, residual included
}

// Concentration says how concentrated a supply is, and on how much of the
// data that rests.
//
// With s_i the share of named supplier i in the known total and r the share of
// the residual ("other countries"), HHI = sum of s_i^2 over the named ones. The
// true index lies in [HHI, HHI + r^2]: the residual may be many suppliers or
// one. The residual always stays in the denominator.
type Concentration struct {
	Group      string       `json:"group"`
	HHI        trade.Figure `json:"hhi"`        // 0..1; times 10,000 in US usage
	HHIHigh    trade.Figure `json:"hhi_high"`   // HHI + r^2, the residual taken as one supplier
	Effective  trade.Figure `json:"effective"`  // 1/HHI, the number of equal suppliers with this index
	Normalised trade.Figure `json:"normalised"` // (HHI - 1/n)/(1 - 1/n)
	Top        string       `json:"top"`        // the largest named supplier; ties go to the smaller name in byte order
	TopShare   trade.Figure `json:"top_share"`
	Suppliers  int          `json:"suppliers"` // named, with a value above zero
	Residual   float64      `json:"residual"`  // r
	// Coverage is the share of the supply the figures stand on: (suppliers
	// whose value is known / suppliers listed) x (1 - r). 1 means every
	// listed supplier is named and known; 0 that nothing is.
	Coverage float64        `json:"coverage"`
	Unknown  map[string]int `json:"unknown,omitempty"` // rows without a value, by reason
	Shares   []Share        `json:"shares,omitempty"`  // descending
}

// Concentrate computes the concentration of named supplies. Several rows of
// one name are summed; residual rows (isResidual) enter the denominator only;
// a supplier is known if all its rows are. Negative values are an error. With
// no known value above zero every figure is unknown, never zero.
func Concentrate(group string, rows []Supply, isResidual func(name string) bool) (Concentration, error) {
	type supplier struct {
		value    float64
		known    bool
		residual bool
	}
	by := map[string]*supplier{}
	c := Concentration{Group: group}
	for _, row := range rows {
		s := by[row.Name]
		if s == nil {
			s = &supplier{known: true, residual: isResidual != nil && isResidual(row.Name)}
			by[row.Name] = s
		}
		if !row.Value.IsKnown() {
			s.known = false
			if c.Unknown == nil {
				c.Unknown = map[string]int{}
			}
			c.Unknown[row.Value.Reason]++
			continue
		}
		if row.Value.Value < 0 {
			return c, fmt.Errorf("measure concentration of %q: supplier %q has the negative value %v; a supply is zero or more", group, row.Name, row.Value.Value)
		}
		s.value += row.Value.Value
	}
	names := make([]string, 0, len(by))
	for n := range by {
		names = append(names, n)
	}
	sort.Strings(names)
	total, residual, known := 0.0, 0.0, 0
	for _, n := range names {
		s := by[n]
		if s.known {
			known++
		}
		total += s.value
		if s.residual {
			residual += s.value
		}
	}
	if len(names) > 0 {
		c.Coverage = float64(known) / float64(len(names))
	}
	if !(total > 0) {
		reason := "no supplier has a known value"
		if known > 0 {
			reason = "every known value is zero"
		}
		u := trade.Unknown("%s", reason)
		c.HHI, c.HHIHigh, c.Effective, c.Normalised, c.TopShare = u, u, u, u, u
		if known == 0 {
			c.Coverage = 0
		}
		return c, nil
	}
	if math.IsInf(total, 0) {
		return c, fmt.Errorf("measure concentration of %q: the values add up past the largest number; rescale the unit", group)
	}
	c.Residual = residual / total
	c.Coverage *= 1 - c.Residual
	for _, n := range names {
		if s := by[n]; !s.residual && s.value > 0 {
			c.Shares = append(c.Shares, Share{n, s.value, s.value / total})
		}
	}
	c.finish()
	return c, nil
}

// finish derives the figures from Shares (in name order) and Residual.
func (c *Concentration) finish() {
	c.Suppliers = len(c.Shares)
	if c.Suppliers == 0 {
		u := trade.Unknown("only a residual is known, no named supplier")
		c.HHI, c.Effective, c.Normalised, c.TopShare = u, u, u, u
		c.HHIHigh = trade.Known(c.Residual * c.Residual)
		return
	}
	hhi, top := 0.0, c.Shares[0]
	for _, s := range c.Shares {
		hhi += s.Share * s.Share
		if s.Share > top.Share {
			top = s
		}
	}
	c.HHI, c.HHIHigh = trade.Known(hhi), trade.Known(hhi+c.Residual*c.Residual)
	c.Effective = trade.Known(1 / hhi)
	c.Top, c.TopShare = top.Name, trade.Known(top.Share)
	if n := float64(c.Suppliers); n > 1 {
		c.Normalised = trade.Known((hhi - 1/n) / (1 - 1/n))
	} else {
		c.Normalised = trade.Unknown("one supplier only: the normalised index is not defined")
	}
	sort.SliceStable(c.Shares, func(i, j int) bool { return c.Shares[i].Share > c.Shares[j].Share })
}
