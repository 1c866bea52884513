// Package flows reads trade data as the sources publish it: bilateral flows by
// six-digit product (CEPII BACI, UN Comtrade, plain CSV, Parquet), production
// tables (USGS), the semiconductor supply-chain data set, and measures made at
// eight digits.
//
// What is missing stays missing. A country code that does not resolve is an
// error with its line, because a code that does not join is how a 39 % supplier
// disappears. Totals and aggregates are left out and counted, residual partners
// are kept apart.
package flows

import (
	"fmt"
	"sort"

	"causeway/trade/place"
	"causeway/trade/table"
)

// NoImporter marks the flows of a source that has exports only.
const NoImporter = "WORLD"

// MaxRows bounds a set: 200 million rows are about 5 GB.
const MaxRows = 200_000_000

// A Set is many flows, in columns. It is immutable once read.
type Set struct {
	Places   []place.Place // by code
	Products []string      // six-digit codes, ascending
	Years    []int         // ascending
	rows     []row         // by year, product, importer, exporter
	starts   []int         // rows of (year y, product k): rows[starts[y*len(Products)+k]:starts[...+1]]

	Read    int      // rows of the files
	Missing int      // flows without a value
	Notes   []string // what was left out and what was mended
}

// row holds indices into the set. A value or quantity that is missing is NaN.
type row struct {
	year, product, importer, exporter uint16
	value, quantity                   float64
}

// A Flow is one row: an exporter's sales of a product to an importer.
type Flow struct {
	Exporter, Importer int     // indices of Places
	Value              float64 // NaN where missing
	Quantity           float64 // NaN where missing
}

// Len is the number of flows; flows that stand in several rows count once.
func (s *Set) Len() int { return len(s.rows) }

// Flows calls f for the flows of a product in a year, by importer, then
// exporter. Both are indices.
func (s *Set) Flows(year, product int, f func(Flow)) {
	k := year*len(s.Products) + product
	for _, r := range s.rows[s.starts[k]:s.starts[k+1]] {
		f(Flow{int(r.exporter), int(r.importer), r.value, r.quantity})
	}
}

// Product returns the index of a product, with an error that names the nearest
// one.
func (s *Set) Product(code string) (int, error) {
	i := sort.SearchStrings(s.Products, code)
	if i < len(s.Products) && s.Products[i] == code {
		return i, nil
	}
	hint := ""
	if near, ok := table.Nearest(code, s.Products); ok {
		hint = fmt.Sprintf("; the nearest is %q", near)
	}
	return 0, fmt.Errorf("product %q is not in the data%s (codes are text of six digits, and they change between revisions of the Harmonized System)", code, hint)
}

// Place returns the index of a country in the set.
func (s *Set) Place(name string) (int, error) {
	p, err := place.Resolve(name)
	if err != nil {
		return 0, err
	}
	i := sort.Search(len(s.Places), func(i int) bool { return s.Places[i].Code >= p.Code })
	if i == len(s.Places) || s.Places[i].Code != p.Code {
		return 0, fmt.Errorf("%s (%s) has no flow in the data; that is no zero: it may not have reported", p.Name, p.Code)
	}
	return i, nil
}

// Year returns the index of a year.
func (s *Set) Year(year int) (int, error) {
	i := sort.SearchInts(s.Years, year)
	if i == len(s.Years) || s.Years[i] != year {
		return 0, fmt.Errorf("no flow in the year %d; the data has %d to %d", year, s.Years[0], s.Years[len(s.Years)-1])
	}
	return i, nil
}

var worldPlace = place.Place{Code: NoImporter, Name: "World", Kind: place.Total}
