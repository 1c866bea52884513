package web

import (
	"cmp"
	"html/template"
	"slices"
	"time"

	"causeway/internal/httpd/web/chart"
	"causeway/internal/people"
	"causeway/internal/statement"
	"causeway/internal/vault"
	"causeway/stix"
)

type coverageData struct {
	Subs       []sub
	Rows       []coverageRow
	Unanswered int
	Columns    drawing
	CanWrite   bool
}

// coverageRow is one narrative and what was said to it.
type coverageRow struct {
	item
	Seen    time.Time
	Public  string // its public id, which a statement may name
	State   string // class
	Word    string
	By      []statementView
	DraftTo string
}

// late is how long an answer may take before it counts as late.
const late = 14 * 24 * time.Hour

// narratives are the types of objects that a statement answers.
var narratives = []string{"narrative", "campaign", "x-causeway-narrative"}

// coverage sets narratives observed against statements that answer them.
func (q *request) coverage() error {
	rows, err := q.collect(vault.Match{Types: narratives}, 500)
	if err != nil {
		return err
	}
	answers, err := q.answers()
	if err != nil {
		return err
	}
	data := coverageData{Subs: q.publicSubs("public.coverage"), CanWrite: q.who.Has(people.Spokesperson)}
	for _, row := range rows {
		it, err := q.item(row)
		if err != nil {
			return err
		}
		r := coverageRow{item: it, Seen: firstSeen(it.object), Public: publicID(it.object)}
		for _, id := range []string{r.Public, it.ID} {
			if id != "" {
				r.By = append(r.By, answers[id]...)
			}
		}
		r.State, r.Word = q.answerState(r)
		if len(r.By) == 0 {
			data.Unanswered++
		}
		r.DraftTo = "/public/draft?from=" + urlEscape(it.ID)
		data.Rows = append(data.Rows, r)
	}
	slices.SortStableFunc(data.Rows, func(a, b coverageRow) int {
		return cmp.Or(cmp.Compare(trouble(b.State), trouble(a.State)), b.Seen.Compare(a.Seen))
	})
	data.Columns = q.takeable("coverage", drawing{Picture: q.coverageColumns(data.Rows), Caption: q.say("coverage.caption")})
	return q.render("coverage", "place.public", q.say("public.coverage"), data)
}

// answers maps the public id of a narrative to the statements that answer it.
func (q *request) answers() (map[string][]statementView, error) {
	out := map[string][]statementView{}
	records, _, err := statement.Load(q.site.folder().Site())
	if err != nil || len(records) == 0 {
		return out, err
	}
	report := statement.Verify(q.site.folder().Site(), statement.VerifyOptions{Now: q.now})
	checked := map[string]statement.Checked{}
	for _, c := range report.Statements {
		checked[versionKey(c.ID, c.Version)] = c
	}
	for _, r := range records {
		s, err := statement.Parse(r.JSON)
		if err != nil {
			continue
		}
		_, text := inTongue(s, q.lang)
		c := checked[versionKey(s.ID, s.Version)]
		for _, n := range s.Narratives {
			out[n] = append(out[n], statementView{Checked: c, Title: text.Title, Class: statementClass(c.Status), Href: address("public", "statements", s.ID)})
		}
	}
	return out, nil
}

func (q *request) answerState(r coverageRow) (class, word string) {
	expired := len(r.By) > 0
	tardy := true
	for _, s := range r.By {
		expired = expired && s.Status == "expired"
		tardy = tardy && s.LoggedAt.Sub(r.Seen) > late
	}
	switch {
	case len(r.By) == 0:
		return "bad", q.say("coverage.unanswered")
	case expired:
		return "care", q.say("coverage.expired")
	case tardy && !r.Seen.IsZero():
		return "care", q.say("coverage.late")
	}
	return "good", q.say("coverage.answered")
}

func firstSeen(o *stix.Object) time.Time {
	if t, err := stix.ParseTimestamp(o.StringAt("first_seen")); err == nil {
		return t.Time()
	}
	return o.Created().Time()
}

// publicID is the id by which the public knows a narrative: its first external
// reference's.
func publicID(o *stix.Object) string { return o.StringAt("external_references", "0", "external_id") }

// weeksShown bounds the columns of the coverage picture.
const weeksShown = 26

func (q *request) coverageColumns(rows []coverageRow) template.HTML {
	if len(rows) == 0 {
		return ""
	}
	week := func(t time.Time) int { return int(q.now.Sub(t) / (7 * 24 * time.Hour)) }
	c := chart.Columns{Label: q.say("coverage.label"), Width: 1100, Height: 200, Series: []string{q.say("coverage.answered"), q.say("coverage.unanswered")}}
	parts := make([][]float64, weeksShown)
	for i := range parts {
		parts[i] = []float64{0, 0}
	}
	for _, r := range rows {
		if w := week(r.Seen); w >= 0 && w < weeksShown {
			k := 0
			if len(r.By) == 0 {
				k = 1
			}
			parts[weeksShown-1-w][k]++
		}
	}
	for i, p := range parts {
		day := q.now.AddDate(0, 0, -7*(weeksShown-1-i)).In(q.zone).Format("01-02")
		c.Rows = append(c.Rows, chart.Column{Label: day, Parts: p, Title: day})
	}
	return c.SVG()
}
