package statement

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// A Sighting is a narrative observed in one country on one day.
type Sighting struct {
	Narrative string // public id, as statements refer to it
	Country   string // ISO 3166-1 alpha-3
	Day       time.Time
	Count     int // posts, articles or reports, > 0
}

// States of a cell of the coverage picture.
const (
	Unanswered   = "unanswered"    // nothing published answered it by the end of the week
	Answered     = "answered"      // a statement that names it was in force
	AnsweredLate = "answered-late" // the same, and the first answer came after the limit
	AnswerEnded  = "expired"       // there was an answer, and its time had run out
	AnswerGone   = "withdrawn"     // there was an answer, and it had been retracted
)

// A CoverCell is one narrative in one country in one week.
type CoverCell struct {
	Narrative string `json:"narrative"`
	Country   string `json:"country"`
	Week      string `json:"week"` // ISO 8601, as 2026-W09
	Seen      int    `json:"seen"`
	State     string `json:"state"`
	Statement string `json:"statement,omitempty"` // id of the statement in force, or the last that was
	Version   int    `json:"version,omitempty"`
}

// A CoverRow is one narrative over all countries and weeks.
type CoverRow struct {
	Narrative string     `json:"narrative"`
	FirstSeen time.Time  `json:"first_seen"`
	Answered  *time.Time `json:"answered,omitempty"` // first answer in force
	Days      *int       `json:"days,omitempty"`     // from first seen to answered; 0 where the answer came first
	Seen      int        `json:"seen"`
	Open      int        `json:"open"` // sightings in weeks that nothing in force answered
}

// A CoverPicture says which narratives are answered, where and when.
type CoverPicture struct {
	Cells      []CoverCell `json:"cells"`      // by narrative, country, week
	Narratives []CoverRow  `json:"narratives"` // most open sightings first
	// Unseen are narratives that statements answer and nobody has observed.
	Unseen []string `json:"unseen,omitempty"`
}

// answer is one published version while it is in force.
type answer struct {
	id      string
	version int
	from    time.Time
	until   time.Time // zero: no end
	gone    bool      // a retraction ended it
}

// Cover sets observed narratives beside the statements of a site. A version is
// in force from the later of its publication (the newest witness cosignature)
// and valid_from, until valid_until, the next version or a retraction. late is
// how long after the first sighting an answer still counts as in time.
func Cover(seen []Sighting, records []Record, m *Metadata, late time.Duration) (*CoverPicture, error) {
	answers, err := answersOf(records, m)
	if err != nil {
		return nil, err
	}
	type key struct{ narrative, country, week string }
	counts := map[key]int{}
	ends := map[string]time.Time{}
	rows := map[string]*CoverRow{}
	for i, s := range seen {
		if s.Narrative == "" || s.Country == "" || s.Day.IsZero() || s.Count < 1 {
			return nil, fmt.Errorf("cover narratives: sighting %d lacks a narrative, a country, a day or a count above zero", i+1)
		}
		year, week := s.Day.ISOWeek()
		k := key{s.Narrative, s.Country, fmt.Sprintf("%04d-W%02d", year, week)}
		counts[k] += s.Count
		ends[k.week] = weekEnd(s.Day)
		r := rows[s.Narrative]
		if r == nil {
			r = &CoverRow{Narrative: s.Narrative, FirstSeen: s.Day}
			rows[s.Narrative] = r
		}
		r.Seen += s.Count
		if s.Day.Before(r.FirstSeen) {
			r.FirstSeen = s.Day
		}
	}
	p := &CoverPicture{}
	for n, r := range rows {
		for _, a := range answers[n] {
			if r.Answered == nil || a.from.Before(*r.Answered) {
				r.Answered = &a.from
			}
		}
		if r.Answered != nil {
			days := max(0, int(r.Answered.Sub(r.FirstSeen).Hours()/24))
			r.Days = &days
		}
	}
	for k, n := range counts {
		r := rows[k.narrative]
		c := CoverCell{Narrative: k.narrative, Country: k.country, Week: k.week, Seen: n}
		c.judge(answers[k.narrative], ends[k.week])
		if c.State == Answered && r.Answered.Sub(r.FirstSeen) > late {
			c.State = AnsweredLate
		}
		if c.State != Answered && c.State != AnsweredLate {
			r.Open += n
		}
		p.Cells = append(p.Cells, c)
	}
	slices.SortFunc(p.Cells, func(a, b CoverCell) int {
		return cmp.Or(cmp.Compare(a.Narrative, b.Narrative), cmp.Compare(a.Country, b.Country), cmp.Compare(a.Week, b.Week))
	})
	for _, r := range rows {
		p.Narratives = append(p.Narratives, *r)
	}
	slices.SortFunc(p.Narratives, func(a, b CoverRow) int {
		return cmp.Or(cmp.Compare(b.Open, a.Open), cmp.Compare(a.Narrative, b.Narrative))
	})
	for n := range answers {
		if rows[n] == nil {
			p.Unseen = append(p.Unseen, n)
		}
	}
	slices.Sort(p.Unseen)
	return p, nil
}

// weekEnd is the first moment after the ISO week of a day.
func weekEnd(day time.Time) time.Time {
	d := day.UTC().Truncate(24 * time.Hour)
	return d.AddDate(0, 0, 7-(int(d.Weekday())+6)%7)
}

// judge finds what answers a narrative during the week that ends at end.
func (c *CoverCell) judge(answers []answer, end time.Time) {
	c.State = Unanswered
	start := end.AddDate(0, 0, -7)
	for _, a := range answers {
		if !a.from.Before(end) {
			continue
		}
		if a.until.IsZero() || a.until.After(start) {
			c.State, c.Statement, c.Version = Answered, a.id, a.version
			return
		}
		c.State, c.Statement, c.Version = AnswerEnded, a.id, a.version
		if a.gone {
			c.State = AnswerGone
		}
	}
}

// answersOf lists, by narrative, the versions that name it and when each was
// in force, in order of publication.
func answersOf(records []Record, m *Metadata) (map[string][]answer, error) {
	type open struct {
		narrative string
		at        int
	}
	current := map[string][]open{} // by statement
	out := map[string][]answer{}
	for _, r := range records {
		c := openCheckpoint(r.Checkpoint, m)
		if c.err != nil {
			return nil, fmt.Errorf("cover narratives: %s version %d: %w", r.s.ID, r.s.Version, c.err)
		}
		for _, o := range current[r.s.ID] {
			a := &out[o.narrative][o.at]
			if a.until.IsZero() || c.at.Before(a.until) {
				a.until, a.gone = c.at, r.s.Kind == "retraction"
			}
		}
		current[r.s.ID] = nil
		if r.s.Kind == "retraction" {
			continue
		}
		for _, n := range slices.Concat(r.s.Narratives, r.s.Claims) {
			a := answer{id: r.s.ID, version: r.s.Version, from: c.at}
			if r.s.ValidFrom.After(a.from) {
				a.from = r.s.ValidFrom
			}
			if r.s.ValidUntil != nil {
				a.until = *r.s.ValidUntil
			}
			current[r.s.ID] = append(current[r.s.ID], open{n, len(out[n])})
			out[n] = append(out[n], a)
		}
	}
	return out, nil
}
