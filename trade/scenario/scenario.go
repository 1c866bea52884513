// Package scenario states acts of coercion as data: who, on what, against
// whom, from when, how far, formal or informal, with the legal factors of the
// EU anti-coercion instrument, and runs them through the engines side by side.
package scenario

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"causeway/trade"
	"causeway/trade/cascade"
	"causeway/trade/flows"
	"causeway/trade/place"
)

// MaxBytes bounds a scenario file.
const MaxBytes = 4 << 20

// A Scenario is one or several measures on a baseline. Retaliation is a
// scenario of its own that names this one in Answers.
type Scenario struct {
	ID       string    `json:"id"` // a short name, [a-z0-9-]
	Title    string    `json:"title"`
	Answers  string    `json:"answers,omitempty"` // id of the scenario this one retaliates against
	Baseline int       `json:"baseline"`          // year of the flows
	Measures []Measure `json:"measures"`
	// Elasticity is the range of substitution elasticities to report over;
	// nobody knows it exactly.
	Elasticity trade.Interval `json:"elasticity"`
	Engines    *Parameters    `json:"engines,omitempty"`
	Inputs     []Input        `json:"inputs,omitempty"` // digests of the data it was run on
	Sources    []Source       `json:"sources,omitempty"`
}

// Parameters fix the engines, so that a partner reruns to the same bytes.
type Parameters struct {
	Accessible *float64 `json:"accessible,omitempty"` // fraction of stocks that may be drawn; nil takes 0.5
	Turns      int      `json:"turns,omitempty"`      // 0 takes 50
	Lost       bool     `json:"lost,omitempty"`       // what is withheld is not produced
	// CostShare is the product's part in its users' costs, for the closed
	// forms; 0 leaves them out.
	CostShare float64 `json:"cost_share,omitempty"`
	// Members act jointly: what they hold is shared among what they lack.
	Members []string `json:"members,omitempty"` // ISO alpha-3
}

// StockShare is the fraction of stocks that may be drawn.
func (p *Parameters) StockShare() float64 {
	if p == nil || p.Accessible == nil {
		return 0.5
	}
	return *p.Accessible
}

// Options are the parameters of the cascade.
func (p *Parameters) Options() cascade.Options {
	if p == nil {
		return cascade.Options{}
	}
	o := cascade.Options{Accessible: p.StockShare(), Turns: p.Turns, Lost: p.Lost}
	if !(o.Accessible > 0) {
		o.Accessible = -1 // none: 0 would take the default
	}
	return o
}

func (p *Parameters) check() error {
	switch a := p.StockShare(); {
	case !(a >= 0 && a <= 1) || p.Turns < 0 || p.Turns > 100_000:
		return fmt.Errorf("accessible %v and %d turns; want a fraction and at most 100000", a, p.Turns)
	case !(p.CostShare >= 0 && p.CostShare < 1):
		return fmt.Errorf("cost share %v; want a fraction below 1", p.CostShare)
	}
	seen := map[string]bool{}
	for _, m := range p.Members {
		c, err := place.Resolve(m)
		if err != nil {
			return err
		}
		if c.Code != m || seen[m] {
			return fmt.Errorf("member %q; want each country once, by its code (%s)", m, c.Code)
		}
		seen[m] = true
	}
	return nil
}

// An Input is a file a result rests on.
type Input struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // hex
}

// A Source is where a fact stands.
type Source struct {
	Title string `json:"title"`
	URL   string `json:"url,omitempty"`
	Date  string `json:"date,omitempty"`
	// Via is where the project read the source's own words, when not at the
	// source: the address of a copy.
	Via string `json:"via,omitempty"`
	// Secondhand says that the project has not read the original.
	Secondhand bool `json:"secondhand,omitempty"`
}

// Kind is what a measure does.
type Kind string

const (
	ExportBan     Kind = "export-ban"     // the actor does not deliver
	ExportControl Kind = "export-control" // licences, quotas: deliveries shrink or stop
	ImportBan     Kind = "import-ban"     // the actor does not buy
	ImportHurdle  Kind = "import-hurdle"  // inspections, delisting, sanitary reasons
	Tariff        Kind = "tariff"         // duties, anti-dumping
	Service       Kind = "service"        // tourism, licences, boycotts: no flow of goods
)

// Exports reports whether the measure stops what the actor sells.
func (k Kind) Exports() bool { return k == ExportBan || k == ExportControl }

// Imports reports whether it stops what the actor buys.
func (k Kind) Imports() bool { return k == ImportBan || k == ImportHurdle }

// A Measure is the unit of the record: one act.
type Measure struct {
	Kind     Kind      `json:"kind"`
	Actor    string    `json:"actor"`   // ISO alpha-3
	Targets  []string  `json:"targets"` // ISO alpha-3, groups, or "*" for everybody else
	Products []Product `json:"products,omitempty"`
	// Withheld is the fraction of the flow that stops, 0..1; unknown where the
	// act does not say.
	Withheld trade.Figure `json:"withheld"`
	Duty     float64      `json:"duty,omitempty"` // added ad valorem fraction, for a tariff
	From     string       `json:"from"`           // 2006-01-02, or 2006-01, or 2006
	To       string       `json:"to,omitempty"`
	Formal   bool         `json:"formal"` // a published act; false: denied, or disguised as something else
	Basis    string       `json:"basis"`  // the reason given
	Demand   string       `json:"demand,omitempty"`
	Factors  *Factors     `json:"factors,omitempty"`
	Sources  []Source     `json:"sources"`
}

// UnmarshalJSON reads strictly and wants withheld to stand: left out, it would
// read as nothing withheld.
func (m *Measure) UnmarshalJSON(b []byte) error {
	type plain Measure
	aux := struct {
		*plain
		Withheld *trade.Figure `json:"withheld"`
	}{plain: (*plain)(m)}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&aux); err != nil {
		return err
	}
	if aux.Withheld == nil {
		return errors.New("a measure lacks withheld; give a fraction or {\"unknown\": reason}")
	}
	m.Withheld = *aux.Withheld
	return nil
}

// A Product is what is hit, at the digits the measure names. Codes are text,
// with the revision of the Harmonized System they belong to.
type Product struct {
	Code     string `json:"code"`
	Revision string `json:"revision"` // HS1992 .. HS2022
	Text     string `json:"text"`
	// Partial says that the measure hits a part of the code only: it was made
	// at eight or ten digits, or names goods the code does not single out.
	Partial bool `json:"partial,omitempty"`
}

// Factors are the circumstances Regulation (EU) 2023/2675 Art 2(2) asks to
// consider. They are for people to write; the program does not weigh them.
type Factors struct {
	Intensity   string `json:"intensity"`            // (a) intensity, severity, frequency, duration, breadth, magnitude
	Pattern     string `json:"pattern,omitempty"`    // (b) part of a pattern of interference
	Sovereignty string `json:"sovereignty"`          // (c) encroachment on an area of sovereignty
	Concern     string `json:"concern"`              // (d) a legitimate, internationally recognised concern?
	GoodFaith   string `json:"good_faith,omitempty"` // (e) serious attempts to settle the matter
}

var (
	idForm       = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`)
	codeForm     = regexp.MustCompile(`^[0-9]{2}([0-9]{2}([0-9]{2}([0-9]{2}([0-9]{2})?)?)?)?$`)
	revisionForm = regexp.MustCompile(`^HS(1992|1996|2002|2007|2012|2017|2022)$`)
	digestForm   = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// Parse reads one scenario strictly: unknown fields, trailing data and values
// out of range are errors.
func Parse(r io.Reader) (*Scenario, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read scenario: %w", err)
	}
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("read scenario: larger than %d bytes", MaxBytes)
	}
	s := &Scenario{}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil {
		return nil, fmt.Errorf("read scenario: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read scenario: there is something behind the object; give one scenario a file")
	}
	return s, s.Check()
}

// Check tests every field and names the one that is wrong.
func (s *Scenario) Check() error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("check scenario %q: "+format, append([]any{s.ID}, args...)...)
	}
	switch {
	case !idForm.MatchString(s.ID):
		return fmt.Errorf("check scenario: id %q; want lower-case letters, digits and hyphens", s.ID)
	case strings.TrimSpace(s.Title) == "":
		return fail("it has no title")
	case len(s.Measures) == 0 || len(s.Measures) > 1000:
		return fail("%d measures; want 1 to 1000", len(s.Measures))
	case s.Baseline != 0 && (s.Baseline < 1900 || s.Baseline > 2200):
		return fail("baseline %d; want a year", s.Baseline)
	case s.Answers == s.ID:
		return fail("it answers itself")
	}
	if e := s.Elasticity; e != (trade.Interval{}) && (!(e.Low > 0) || !(e.High >= e.Low) || e.High > 1000) {
		return fail("elasticities from %v to %v; want more than 0, the smaller first", e.Low, e.High)
	}
	if s.Engines != nil {
		if err := s.Engines.check(); err != nil {
			return fail("engines: %w", err)
		}
	}
	for _, in := range s.Inputs {
		if in.Name == "" || !digestForm.MatchString(in.SHA256) {
			return fail("input %q has no SHA-256 in lower-case hex", in.Name)
		}
	}
	for i := range s.Measures {
		if err := s.Measures[i].check(); err != nil {
			return fail("measure %d: %w", i+1, err)
		}
	}
	return nil
}

func (m *Measure) check() error {
	switch m.Kind {
	case ExportBan, ExportControl, ImportBan, ImportHurdle, Tariff, Service:
	default:
		return fmt.Errorf("kind %q; want export-ban, export-control, import-ban, import-hurdle, tariff or service", m.Kind)
	}
	actor, err := place.Resolve(m.Actor)
	if err != nil {
		return err
	}
	if actor.Code != m.Actor {
		return fmt.Errorf("actor %q; write %q", m.Actor, actor.Code)
	}
	if len(m.Targets) == 0 {
		return errors.New("it has no target")
	}
	for _, t := range m.Targets {
		if _, group := place.Group(t, 2020); t == "*" || group {
			continue
		}
		p, err := place.Resolve(t)
		if err != nil {
			return err
		}
		if p.Code != t || t == m.Actor {
			return fmt.Errorf("target %q; want another country by its code (%s)", t, p.Code)
		}
	}
	if m.Kind != Service && len(m.Products) == 0 {
		return errors.New("it names no product")
	}
	for _, p := range m.Products {
		if !codeForm.MatchString(p.Code) || !revisionForm.MatchString(p.Revision) {
			return fmt.Errorf("product %q of %q; want 2 to 10 digits and a revision such as HS2017", p.Code, p.Revision)
		}
		if len(p.Code) > 6 && !p.Partial {
			return fmt.Errorf("product %q is finer than six digits; mark it partial", p.Code)
		}
	}
	if w := m.Withheld; w.IsKnown() && !(w.Value >= 0 && w.Value <= 1) {
		return fmt.Errorf("%v of the flow is withheld; want a fraction from 0 to 1", w.Value)
	}
	if !(m.Duty >= 0 && m.Duty < 100) || (m.Kind == Tariff) != (m.Duty > 0) {
		return fmt.Errorf("duty %v; a tariff needs one above 0 (as a fraction), nothing else has one", m.Duty)
	}
	from, err := day(m.From)
	if err != nil {
		return fmt.Errorf("from: %w", err)
	}
	if m.To != "" {
		to, err := day(m.To)
		if err != nil {
			return fmt.Errorf("to: %w", err)
		}
		if to.Before(from) {
			return fmt.Errorf("it ends (%s) before it begins (%s)", m.To, m.From)
		}
	}
	return nil
}

// day reads a date of one of three precisions.
func day(s string) (time.Time, error) {
	for _, form := range []string{"2006-01-02", "2006-01", "2006"} {
		if t, err := time.Parse(form, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q; want a date such as 2023-08-01, 2023-08 or 2023", s)
}

// A Basket is a six-digit code a measure reaches.
type Basket struct {
	Code    string `json:"code"`
	Partial bool   `json:"partial"` // the measure hits a part of it
	// Covered is the part of the basket's trade that the measure hits; unknown
	// unless somebody measured it.
	Covered trade.Figure `json:"covered"`
}

// Baskets maps the products of a measure to the six-digit codes of a data set.
// Coarser codes reach every code below them; finer ones make a partial basket,
// of which covered (by the measure's code, 0..1) says how much is hit.
func (m *Measure) Baskets(products []string, covered map[string]float64) ([]Basket, error) {
	at := map[string]int{}
	var out []Basket
	for _, p := range m.Products {
		found := false
		for _, code := range products {
			six := p.Code[:min(6, len(p.Code))]
			if !strings.HasPrefix(code, six) {
				continue
			}
			found = true
			b := Basket{Code: code, Partial: p.Partial || len(p.Code) > 6, Covered: trade.Known(1)}
			if b.Partial {
				b.Covered = trade.Unknown("%s is only a part of %s, and nobody has said how much", p.Text, code)
				if v, ok := covered[p.Code]; ok {
					if !(v >= 0 && v <= 1) {
						return nil, fmt.Errorf("map measure: %v of %s is covered; want a fraction from 0 to 1", v, p.Code)
					}
					b.Covered = trade.Known(v)
				}
			}
			if i, seen := at[code]; seen {
				// Two lines of one measure inside a basket add up.
				if c := out[i].Covered; c.IsKnown() && b.Covered.IsKnown() {
					out[i].Covered = trade.Known(min(1, c.Value+b.Covered.Value))
				}
				continue
			}
			at[code] = len(out)
			out = append(out, b)
		}
		if !found {
			return nil, fmt.Errorf("map measure: no product of the data lies under %s (%s); check the revision (%s) of the data", p.Code, p.Text, p.Revision)
		}
	}
	return out, nil
}

// targets lists the indices of the places a measure is against.
func (m *Measure) targets(s *flows.Set, year int) []int {
	hit := map[string]bool{}
	all := false
	for _, t := range m.Targets {
		if t == "*" {
			all = true
		} else if members, ok := place.Group(t, year); ok {
			for _, c := range members {
				hit[c] = true
			}
		} else {
			hit[t] = true
		}
	}
	var out []int
	for i, p := range s.Places {
		if p.Code != m.Actor && (hit[p.Code] || all && p.Kind != place.Total) {
			out = append(out, i)
		}
	}
	return out
}
