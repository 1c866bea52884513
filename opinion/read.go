package opinion

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Limits of one observations file.
const (
	maxRows   = 2_000_000
	maxCell   = 4096
	maxErrors = 20 // listed before the rest is only counted
)

// ReadOptions says what a file cannot say itself.
type ReadOptions struct {
	// Rename maps a country code to the one its series continues under.
	Rename map[string]string
	// Waves gives the number of respondents of a wave where the file has
	// none; see [ReadWaves]. It is used for aggregates only.
	Waves map[string]float64
}

// Dataset is what a file held, in its order, and the decisions taken in
// reading it.
type Dataset struct {
	Observations []Observation
	Notes        []string
}

// columns maps each field to the header names it may carry, in the layouts
// understood: the country-year table computed from Pew Global Attitudes, the
// table of published figures, and plain CSV.
var columns = map[string][]string{
	"country":     {"country_iso3", "country", "geo"},
	"name":        {"country_name"},
	"target":      {"target", "response"},
	"year":        {"year", "date"},
	"start":       {"field_start"},
	"end":         {"field_end"},
	"percent":     {"favorable_pct", "share_pct", "value_pct"},
	"share":       {"share"},
	"n":           {"n"},
	"neff":        {"n_eff_kish", "n_eff"},
	"dk":          {"dk_pct"},
	"population":  {"population"},
	"instrument":  {"instrument"},
	"house":       {"house"},
	"item":        {"item_id", "item"},
	"quality":     {"quality"},
	"note":        {"note"},
	"source_cell": {"source_cell"},
}

// formerCodes are codes that ISO 3166-1 withdrew or never had, with the code
// in use. Source: ISO 3166-3 (formerly used names) and the series' own notes.
var formerCodes = map[string]string{
	"PLS": "PSE", "BUR": "MMR", "TMP": "TLS", "ZAR": "COD", "ROM": "ROU",
	"SCG": "SRB", "YUG": "SRB", "KSV": "XKX", "SUN": "RUS", "CSK": "CZE", "DDR": "DEU",
}

// Read reads observations from CSV with a header row. name stands for the file
// in errors. Any row that cannot be a poll result refuses the whole file: the
// error lists the rows, the reason and the fix. Rows the source itself marks as
// unusable (quality, complement, derived) are kept with that quality and never
// enter a fit.
func Read(r io.Reader, name string, opt ReadOptions) (*Dataset, error) {
	cr := csv.NewReader(bufio.NewReader(r))
	cr.ReuseRecord = true
	header, err := cr.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: the file is empty: it needs a header row with country, target, year, share_pct and n", name)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: read the header: %w", name, err)
	}
	rd, err := newReader(name, header, opt)
	if err != nil {
		return nil, err
	}
	for rows := 0; ; rows++ {
		rec, err := cr.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if rows >= maxRows {
			return nil, fmt.Errorf("%s: more than %d rows: split the file", name, maxRows)
		}
		line, _ := cr.FieldPos(0)
		rd.row(line, rec)
	}
	rd.bad = append(rd.bad, duplicates(rd.out.Observations)...)
	if len(rd.bad) > 0 {
		return nil, rd.refuse()
	}
	if len(rd.out.Observations) == 0 {
		return nil, fmt.Errorf("%s: no rows under the header", name)
	}
	return &rd.out, nil
}

// reader turns records into observations and collects what is wrong.
type reader struct {
	name      string
	at        map[string]int
	published bool // the layout of published figures: no n, text years
	pew       bool // the layout computed from Pew Global Attitudes
	opt       ReadOptions
	out       Dataset
	bad       []string
	names     map[string]string
	noted     map[string]bool
}

func newReader(name string, header []string, opt ReadOptions) (*reader, error) {
	rd := &reader{name: name, at: map[string]int{}, opt: opt, names: map[string]string{}, noted: map[string]bool{}}
	have := map[string]int{}
	for i, h := range header {
		h = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")))
		if _, dup := have[h]; dup {
			return nil, fmt.Errorf("%s: the header names column %q twice: rename one", name, h)
		}
		have[h] = i
	}
	for field, names := range columns {
		for _, n := range names {
			if i, ok := have[n]; ok {
				rd.at[field] = i
				break
			}
		}
	}
	_, rd.published = have["value_pct"]
	_, pew1 := have["n_eff_kish"]
	_, pew2 := have["favorable_pct"]
	rd.pew = pew1 && pew2
	var missing []string
	need := func(what string, fields ...string) {
		for _, f := range fields {
			if _, ok := rd.at[f]; ok {
				return
			}
		}
		missing = append(missing, what)
	}
	need("country (or country_iso3)", "country")
	need("target", "target")
	need("year (or date, or field_start and field_end)", "year", "start")
	need("share_pct (percent; or share from 0 to 1)", "percent", "share")
	if !rd.published {
		need("n (or n_eff)", "n", "neff")
		if !rd.pew {
			need("population (public or elite)", "population")
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%s: line 1: the header lacks %s: add the column", name, strings.Join(missing, ", "))
	}
	return rd, nil
}

// get is the cell of a field in rec, trimmed; "" where the column is absent.
func (rd *reader) get(rec []string, field string) string {
	if i, ok := rd.at[field]; ok && i < len(rec) {
		return strings.TrimSpace(rec[i])
	}
	return ""
}

func (rd *reader) badf(line int, format string, args ...any) {
	rd.bad = append(rd.bad, fmt.Sprintf("%s:%d: %s", rd.name, line, fmt.Sprintf(format, args...)))
}

func (rd *reader) note(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	if !rd.noted[s] {
		rd.noted[s] = true
		rd.out.Notes = append(rd.out.Notes, s)
	}
}

// refuse is the error that lists what is wrong, the first rows in full.
func (rd *reader) refuse() error {
	list := rd.bad
	more := ""
	if len(list) > maxErrors {
		more = fmt.Sprintf("\n... and %d more", len(list)-maxErrors)
		list = list[:maxErrors]
	}
	return fmt.Errorf("read observations: refused, nothing was kept:\n%s%s", strings.Join(list, "\n"), more)
}

// row reads one record.
func (rd *reader) row(line int, rec []string) {
	for i, cell := range rec {
		if len(cell) > maxCell {
			rd.badf(line, "column %d is longer than %d bytes", i+1, maxCell)
			return
		}
	}
	o := Observation{
		Country:    rd.get(rec, "country"),
		Target:     rd.get(rec, "target"),
		Population: rd.get(rec, "population"),
		Instrument: rd.get(rec, "instrument"),
		House:      rd.get(rec, "house"),
		Item:       rd.get(rec, "item"),
		Quality:    rd.get(rec, "quality"),
		Source:     fmt.Sprintf("%s:%d", rd.name, line),
	}
	if cell := rd.get(rec, "source_cell"); cell != "" {
		o.Source += " (" + cell + ")"
	}
	if o.Quality == "" {
		o.Quality = QualityOK
	}
	rd.context(line, rec, &o)
	rd.numbers(line, rec, &o)
	for _, reason := range o.check() {
		rd.badf(line, "%s on %s: %s", o.Country, o.Target, reason)
	}
	rd.out.Observations = append(rd.out.Observations, o)
}

var notAToken = regexp.MustCompile(`[\x00-\x1f\x7f]`)

// context settles who was asked, by whom and about what.
func (rd *reader) context(line int, rec []string, o *Observation) {
	for _, s := range []string{o.Country, o.Target, o.Population, o.Instrument, o.House, o.Item} {
		if notAToken.MatchString(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Cf, r) }) {
			rd.badf(line, "%q holds an invisible character: remove it", s)
		}
	}
	switch pop := strings.ToLower(o.Population); {
	case rd.pew && pop == "":
		o.Population = "public"
	case strings.HasPrefix(pop, "elite"):
		o.Population = "elite"
	case strings.HasPrefix(pop, "general public"), pop == "public":
		o.Population = "public"
	default:
		o.Population = pop // a population of its own; empty is refused by the model
	}
	if rd.pew && o.Instrument == "" {
		o.Instrument, o.Item = "Pew Global Attitudes", "favourability"
	}
	if to, ok := rd.opt.Rename[o.Country]; ok {
		rd.note("%s: %s is read as %s, as asked", rd.name, o.Country, to)
		o.Country = to
	} else if now, ok := formerCodes[o.Country]; ok {
		if rd.pew && o.Country == "PLS" {
			rd.note("%s: PLS is not an ISO 3166-1 code; it is the territory coded PSE in other years and is read as PSE", rd.name)
			o.Country = now
		} else {
			rd.badf(line, "country %s is not a code in use; if the series continues as %s, say so with --rename %s=%s", o.Country, now, o.Country, now)
		}
	}
	if n := rd.get(rec, "name"); n != "" {
		if was, ok := rd.names[o.Country]; ok && was != n {
			rd.badf(line, "country %s is called %q here and %q above: one country changed its name or two share a code; use one name, or two codes", o.Country, n, was)
		}
		rd.names[o.Country] = n
	}
	if rd.published && o.Quality == QualityOK {
		note := strings.ToLower(rd.get(rec, "note"))
		if strings.Contains(note, "complement") || strings.Contains(note, "derived") || strings.Contains(note, "copied") {
			o.Quality = QualityRepeated
		}
	}
}

// numbers reads the time, the share and the sizes.
func (rd *reader) numbers(line int, rec []string, o *Observation) {
	o.Time = rd.when(line, rec, o)
	field, scale := "percent", 0.01
	if _, ok := rd.at[field]; !ok {
		field, scale = "share", 1
	}
	share, ok := rd.number(line, rec, field)
	if !ok {
		rd.badf(line, "%s on %s: the share is empty; give it, or drop the row", o.Country, o.Target)
		share = 0
	}
	if o.Share = share * scale; field == "share" && share > 1 && share <= 100 {
		rd.badf(line, "share %g is above 1: column share runs from 0 to 1; name the column share_pct if these are percent", share)
		o.Share = 0
	}
	o.N, _ = rd.number(line, rec, "n")
	var haveEff bool
	if o.NEff, haveEff = rd.number(line, rec, "neff"); !haveEff && o.N > 0 {
		o.NEff = o.N / 2
		rd.note("%s: n_eff is missing in some rows; half of n is used there", rd.name)
	}
	if rd.published && o.NEff == 0 && o.Quality == QualityOK {
		if n, ok := rd.opt.Waves[rd.get(rec, "year")]; ok && len(o.Country) != 3 {
			o.N, o.NEff = n, n/2
		} else {
			o.Quality = QualityNoN
		}
	}
	if dk, ok := rd.number(line, rec, "dk"); ok {
		dk /= 100
		o.DK = &dk
	}
}

// number reads a decimal number; ok is false for an empty or absent cell.
func (rd *reader) number(line int, rec []string, field string) (x float64, ok bool) {
	s := rd.get(rec, field)
	if s == "" || strings.EqualFold(s, "NA") {
		return 0, false
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		rd.badf(line, "%q is not a number; use a point for decimals and no unit", s)
		return 0, true
	}
	return x, true
}

var fiscalYear = regexp.MustCompile(`^FY(\d{4})$`)

// when is the time of the field work in decimal years.
func (rd *reader) when(line int, rec []string, o *Observation) float64 {
	if a, b := rd.get(rec, "start"), rd.get(rec, "end"); a != "" && b != "" {
		ta, ok1 := decimalDate(a)
		tb, ok2 := decimalDate(b)
		if !ok1 || !ok2 || tb < ta {
			rd.badf(line, "field work from %q to %q: give two dates like 2024-01-31, the first not after the second", a, b)
		}
		return (ta + tb) / 2
	}
	s := rd.get(rec, "year")
	if y, err := strconv.ParseFloat(s, 64); err == nil {
		if y == math.Floor(y) {
			y += 0.5
		}
		return y
	}
	if t, ok := decimalDate(s); ok {
		return t
	}
	if m := fiscalYear.FindStringSubmatch(s); m != nil { // Japan: April to March
		y, _ := strconv.ParseFloat(m[1], 64)
		return y + 0.75
	}
	if rd.published && s != "" {
		o.Quality = QualityNoDate
		return 0
	}
	rd.badf(line, "%q is not a year or a date like 2024-01-31", s)
	return 0
}

func decimalDate(s string) (float64, bool) {
	t, err := time.Parse("2006-01-02", s)
	if err != nil {
		return 0, false
	}
	days := 365.0
	if time.Date(t.Year(), 12, 31, 0, 0, 0, 0, time.UTC).YearDay() == 366 {
		days = 366
	}
	return float64(t.Year()) + (float64(t.YearDay())-0.5)/days, true
}

// ReadWaves reads a table wave,n_total: the respondents of each wave of an
// instrument that publishes no country sizes.
func ReadWaves(r io.Reader, name string) (map[string]float64, error) {
	recs, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(recs) == 0 {
		return nil, fmt.Errorf("%s: the file is empty: it needs the columns wave and n_total", name)
	}
	wave, total := slices.Index(recs[0], "wave"), slices.Index(recs[0], "n_total")
	if wave < 0 || total < 0 {
		return nil, fmt.Errorf("%s: line 1: the header lacks wave or n_total", name)
	}
	out := map[string]float64{}
	for i, rec := range recs[1:] {
		n, err := strconv.ParseFloat(rec[total], 64)
		if err != nil || !(n >= 1) || math.IsInf(n, 0) {
			return nil, fmt.Errorf("%s:%d: n_total %q is not a number of respondents", name, i+2, rec[total])
		}
		out[rec[wave]] = n
	}
	return out, nil
}
