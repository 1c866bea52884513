// Package trade is the economic-security engine: who depends on whom, who is
// hit by an act of coercion and how hard, and who can help.
//
// It is pure: every function takes readers and values and gives values back;
// nothing here opens a file, asks the clock or talks to a network. The same
// input gives the same output on every machine: sums run in a fixed order and
// no branch tests floating-point equality.
//
// The rooms inside, in the order a question travels:
//
//   - [causeway/trade/table] reads CSV as statistics offices write it: text
//     values, bounds, missing cells with a reason.
//   - [causeway/trade/place] knows countries in the spellings and code lists
//     of the sources (ISO, M49, Comtrade, historic), and what is not a country.
//   - [causeway/trade/flows] reads the sources: BACI, Comtrade, USGS, the
//     semiconductor data set, input-output tables, stocks, 8-digit measures.
//   - [causeway/trade/dependency] measures concentration and dependence.
//   - [causeway/trade/inout] looks through supply chains (Leontief, Ghosh).
//   - [causeway/trade/equilibrium] solves the exact-hat world equilibrium.
//   - [causeway/trade/cascade] runs a shortage through trade and stocks.
//   - [causeway/trade/shock] holds the closed forms and shows the three
//     engines side by side.
//   - [causeway/trade/sharing] allocates what there is and divides what it costs.
//   - [causeway/trade/episode] is the record of past coercion.
//   - [causeway/trade/record] turns results into STIX object properties.
//
// Two habits run through all of it. A figure that cannot be computed is a
// [Figure] with a reason, never a zero. And each figure carries what share of
// the data it rests on.
package trade

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// A Figure is a number that may be unknown, in which case it says why.
// The zero Figure is the known number 0; use [Unknown] for the rest.
type Figure struct {
	Value  float64
	Reason string // non-empty: the figure is unknown, for this reason
}

// Known makes a figure of v. A NaN or an infinity is not a number anyone may
// act on, so it becomes unknown.
func Known(v float64) Figure {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Figure{Reason: "not a finite number"}
	}
	return Figure{Value: v}
}

// Unknown makes a figure without a value. The reason is shown to people.
func Unknown(format string, args ...any) Figure {
	return Figure{Reason: fmt.Sprintf(format, args...)}
}

// IsKnown reports whether the figure has a value.
func (f Figure) IsKnown() bool { return f.Reason == "" }

// String gives the shortest decimal that reads back as the same number, or
// the empty string when the figure is unknown (the CSV convention of every
// causeway table).
func (f Figure) String() string {
	if !f.IsKnown() {
		return ""
	}
	return strconv.FormatFloat(f.Value, 'g', -1, 64)
}

// MarshalJSON writes a known figure as a number and an unknown one as
// {"unknown": reason}.
func (f Figure) MarshalJSON() ([]byte, error) {
	if f.IsKnown() {
		return json.Marshal(f.Value)
	}
	return json.Marshal(struct {
		Unknown string `json:"unknown"`
	}{f.Reason})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (f *Figure) UnmarshalJSON(b []byte) error {
	*f = Figure{}
	if string(b) == "null" {
		return fmt.Errorf("read figure: null is no figure; write {\"unknown\": reason}")
	}
	if err := json.Unmarshal(b, &f.Value); err == nil {
		return nil
	}
	var u struct {
		Unknown string `json:"unknown"`
	}
	if err := json.Unmarshal(b, &u); err != nil || u.Unknown == "" {
		return fmt.Errorf("read figure: want a number or {\"unknown\": reason}, got %.60s", b)
	}
	f.Reason = u.Unknown
	return nil
}

// An Interval is a closed range of values, Low <= High.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Include widens the interval to hold v.
func (i Interval) Include(v float64) Interval {
	return Interval{math.Min(i.Low, v), math.Max(i.High, v)}
}

// A Source says where a number was read: the file, and the row in it counted
// from 1 with the header as row 1.
type Source struct {
	File string `json:"file"`
	Row  int    `json:"row"`
}

func (s Source) String() string { return fmt.Sprintf("%s row %d", s.File, s.Row) }
