package flows

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"causeway/trade/place"
)

// block is how many rows are collected before a new slice is begun, so that
// growing never copies what is there.
const block = 1 << 20

// collector gathers rows with indices in order of appearance, and finish sorts
// them by code.
type collector struct {
	places   []place.Place
	byCode   map[string]uint16
	byText   map[string]uint16 // memo of spellings
	byNumber [1000]int32       // memo of numeric codes, -1 unresolved
	products []string
	product  [1_000_000]uint16 // index + 1 by numeric code
	years    []int
	yearAt   map[int]uint16
	blocks   [][]row
	total    int

	watchYear    int
	watchProduct string
	traced       []Traced

	aggregates, padded, missing, worldRows, exportRows int
}

func newCollector() *collector {
	c := &collector{byCode: map[string]uint16{}, byText: map[string]uint16{}, yearAt: map[int]uint16{}}
	for i := range c.byNumber {
		c.byNumber[i] = -1
	}
	return c
}

// placeOf resolves a country cell. total reports rows about the whole world.
func (c *collector) placeOf(text []byte) (at uint16, total bool, err error) {
	n, numeric := 0, len(text) > 0 && len(text) <= 3
	for _, b := range text {
		if b < '0' || b > '9' {
			numeric = false
			break
		}
		n = 10*n + int(b-'0')
	}
	if numeric && c.byNumber[n] >= 0 {
		return uint16(c.byNumber[n]), false, nil
	}
	if at, ok := c.byText[string(text)]; ok {
		return at, false, nil
	}
	p, err := place.Resolve(string(text))
	if err != nil {
		return 0, false, err
	}
	if p.Kind == place.Total {
		return 0, true, nil
	}
	at, ok := c.byCode[p.Code]
	if !ok {
		if len(c.places) >= math.MaxUint16 {
			return 0, false, fmt.Errorf("more than %d places", math.MaxUint16)
		}
		at = uint16(len(c.places))
		c.byCode[p.Code] = at
		c.places = append(c.places, p)
	}
	if numeric {
		c.byNumber[n] = int32(at)
	} else {
		c.byText[string(text)] = at
	}
	return at, false, nil
}

// productOf resolves a product cell: six digits; five, where a leading zero
// was lost. aggregate reports rows above six digits, which would be counted
// twice.
func (c *collector) productOf(text []byte) (at uint16, aggregate bool, err error) {
	n := 0
	for _, b := range text {
		if b < '0' || b > '9' {
			if string(text) == "TOTAL" || string(text) == "AG2" || string(text) == "AG4" {
				return 0, true, nil
			}
			return 0, false, fmt.Errorf("product %q; want the six digits of a Harmonized System code", text)
		}
		if n = 10*n + int(b-'0'); n > 999_999 {
			return 0, false, fmt.Errorf("product %q has more than six digits; add national codes up to six digits, and read measures at eight digits with the measures reader", text)
		}
	}
	switch {
	case len(text) == 5:
		c.padded++
	case len(text) == 6:
	case len(text) == 2 || len(text) == 4:
		return 0, true, nil
	default:
		return 0, false, fmt.Errorf("product %q; want the six digits of a Harmonized System code", text)
	}
	if chapter := n / 10_000; chapter == 0 || chapter == 77 {
		return 0, false, fmt.Errorf("product %06d: there is no chapter %02d in the Harmonized System", n, chapter)
	}
	if c.product[n] == 0 {
		if len(c.products) >= math.MaxUint16-1 {
			return 0, false, fmt.Errorf("more than %d products", math.MaxUint16-1)
		}
		c.products = append(c.products, fmt.Sprintf("%06d", n))
		c.product[n] = uint16(len(c.products))
	}
	return c.product[n] - 1, false, nil
}

func (c *collector) yearOf(y int) (uint16, error) {
	if at, ok := c.yearAt[y]; ok {
		return at, nil
	}
	if y < 1900 || y > 2200 {
		return 0, fmt.Errorf("year %d; want a year such as 2022", y)
	}
	at := uint16(len(c.years))
	c.years = append(c.years, y)
	c.yearAt[y] = at
	return at, nil
}

func (c *collector) add(r row) error {
	if len(c.blocks) == 0 || len(c.blocks[len(c.blocks)-1]) == block {
		c.blocks = append(c.blocks, make([]row, 0, block))
	}
	if c.total++; c.total > MaxRows {
		return fmt.Errorf("more than %d flows; read fewer years at a time", MaxRows)
	}
	last := len(c.blocks) - 1
	c.blocks[last] = append(c.blocks[last], r)
	if math.IsNaN(r.value) {
		c.missing++
	}
	return nil
}

// order gives the rank of each element once sorted.
func order(n int, less func(i, j int) bool) []uint16 {
	by := make([]int, n)
	for i := range by {
		by[i] = i
	}
	sort.Slice(by, func(a, b int) bool { return less(by[a], by[b]) })
	rank := make([]uint16, n)
	for k, i := range by {
		rank[i] = uint16(k)
	}
	return rank
}

// finish sorts the rows (by bucket of year and product, then inside it) and
// adds up rows of the same flow.
func (c *collector) finish() (*Set, error) {
	if c.total == 0 {
		return nil, fmt.Errorf("no flows in the data (%d aggregate rows and %d rows about the whole world were left out)", c.aggregates, c.worldRows)
	}
	s := &Set{Places: make([]place.Place, len(c.places)), Products: make([]string, len(c.products)), Years: make([]int, len(c.years)), Read: c.total, Missing: c.missing}
	places := order(len(c.places), func(i, j int) bool { return c.places[i].Code < c.places[j].Code })
	products := order(len(c.products), func(i, j int) bool { return c.products[i] < c.products[j] })
	years := order(len(c.years), func(i, j int) bool { return c.years[i] < c.years[j] })
	for i, k := range places {
		s.Places[k] = c.places[i]
	}
	for i, k := range products {
		s.Products[k] = c.products[i]
	}
	for i, k := range years {
		s.Years[k] = c.years[i]
	}
	starts := make([]int, len(s.Years)*len(s.Products)+1)
	bucket := func(r row) int { return int(years[r.year])*len(s.Products) + int(products[r.product]) }
	for _, b := range c.blocks {
		for _, r := range b {
			starts[bucket(r)+1]++
		}
	}
	for k := 1; k < len(starts); k++ {
		starts[k] += starts[k-1]
	}
	rows, next := make([]row, c.total), append([]int(nil), starts...)
	for i, b := range c.blocks {
		for _, r := range b {
			k := bucket(r)
			r.year, r.product, r.importer, r.exporter = years[r.year], products[r.product], places[r.importer], places[r.exporter]
			rows[next[k]] = r
			next[k]++
		}
		c.blocks[i] = nil
	}
	s.rows, s.starts = compact(rows, starts)
	c.notes(s)
	return s, nil
}

// compact sorts each bucket by importer and exporter and adds up repeated
// flows; a flow with a missing part is missing.
func compact(rows []row, starts []int) ([]row, []int) {
	out := rows[:0]
	for k := 0; k+1 < len(starts); k++ {
		b := rows[starts[k]:starts[k+1]]
		slices.SortStableFunc(b, func(x, y row) int {
			return (int(x.importer)-int(y.importer))<<16 + int(x.exporter) - int(y.exporter)
		})
		starts[k] = len(out)
		for i, r := range b {
			if n := len(out); i > 0 && out[n-1].importer == r.importer && out[n-1].exporter == r.exporter {
				out[n-1].value += r.value
				out[n-1].quantity += r.quantity
				continue
			}
			out = append(out, r)
		}
	}
	starts[len(starts)-1] = len(out)
	return out, starts
}

func (c *collector) notes(s *Set) {
	say := func(n int, format string) {
		if n > 0 {
			s.Notes = append(s.Notes, fmt.Sprintf(format, n))
		}
	}
	say(c.aggregates, "%d rows of aggregates above six digits are left out")
	say(c.worldRows, "%d rows about the whole world are left out")
	say(c.exportRows, "%d rows are reports of exports or of a customs procedure and are left out; trade is taken from the importer's reports")
	say(c.padded, "%d product codes had lost a leading zero")
	say(c.missing, "%d flows have no value; they are unknown, not zero")
	say(s.Read-len(s.rows), "%d rows repeat a flow and are added to it")
}
