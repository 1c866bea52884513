package web

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"causeway/internal/people"
	"causeway/internal/statement"
)

// published finds the newest version of a statement in the log.
func (q *request) published(id string) (records []statement.Record, newest *statement.Statement, err error) {
	records, _, err = statement.Load(q.site.folder().Site())
	if err != nil {
		return nil, nil, err
	}
	for _, r := range records {
		if s, err := statement.Parse(r.JSON); err == nil && s.ID == id {
			newest = s
		}
	}
	if newest == nil || newest.Kind == "retraction" {
		return nil, nil, errNotFound
	}
	return records, newest, nil
}

// changed is the draft that a correction or retraction form starts from: the
// one that is to be changed, else the published version.
func (q *request) changed(published *statement.Statement) (s *statement.Statement, replaces string, c *statement.Correction, err error) {
	c = &statement.Correction{Line: "body"}
	name := q.URL.Query().Get("draft")
	if name == "" {
		return published, "", c, nil
	}
	d, err := q.drafted(name)
	if err != nil {
		return nil, "", nil, err
	}
	if d.Statement.ID != published.ID {
		return nil, "", nil, errNotFound
	}
	if n := len(d.Statement.Corrections); n > 0 {
		c = &d.Statement.Corrections[n-1]
	}
	return d.Statement, draftName(d.File), c, nil
}

func (q *request) correctForm() error {
	if err := q.need(people.Spokesperson); err != nil {
		return err
	}
	_, newest, err := q.published(q.PathValue("id"))
	if err != nil {
		return err
	}
	s, replaces, c, err := q.changed(newest)
	if err != nil {
		return err
	}
	return q.showDraftForm(draftFormData{Heading: q.say("correct.title"), Action: address("public", "statements", s.ID, "correct"), Correct: c, Replaces: replaces}, s)
}

// correct freezes the next version of a published statement.
func (q *request) correct() error {
	if err := q.need(people.Spokesperson); err != nil {
		return err
	}
	return q.next(func(s *statement.Statement) error {
		if err := q.words(s); err != nil {
			return err
		}
		s.ValidFrom = q.now.UTC().Truncate(time.Second)
		return nil
	})
}

// next makes the version after the newest and freezes it.
func (q *request) next(edit func(*statement.Statement) error) error {
	records, newest, err := q.published(q.PathValue("id"))
	if err != nil {
		return err
	}
	if strings.TrimSpace(q.field("why")) == "" {
		return refused("%s", q.say("correct.why.missing"))
	}
	c := statement.Correction{Date: q.now.UTC().Format(time.DateOnly), Line: cmp.Or(q.field("line"), "body"), Was: q.field("was"), Is: q.field("is"), Why: q.field("why")}
	var no error
	s, err := statement.Next(records, newest.ID, c, func(s *statement.Statement) error {
		no = edit(s)
		return no
	})
	if no != nil {
		return no
	}
	if err != nil {
		return act(err)
	}
	return q.freeze(s)
}

type retractData struct {
	Subs     []sub
	S        *statement.Statement
	Lang     string
	Text     statement.Text
	Correct  *statement.Correction
	Replaces string
}

func (q *request) retractForm() error {
	if err := q.need(people.Spokesperson); err != nil {
		return err
	}
	_, newest, err := q.published(q.PathValue("id"))
	if err != nil {
		return err
	}
	_, replaces, c, err := q.changed(newest)
	if err != nil {
		return err
	}
	data := retractData{Subs: q.publicSubs("public.statements"), S: newest, Correct: c, Replaces: replaces}
	data.Lang, data.Text = inTongue(newest, q.lang)
	return q.render("retract", "place.public", q.say("retract.title"), data)
}

// retract freezes the retraction of a published statement.
func (q *request) retract() error {
	if err := q.need(people.Spokesperson); err != nil {
		return err
	}
	return q.next(func(s *statement.Statement) error {
		s.Kind, s.ValidFrom, s.ValidUntil = "retraction", q.now.UTC().Truncate(time.Second), nil
		return nil
	})
}

type dueData struct {
	Subs     []sub
	Rows     []dueRow
	Overdue  int
	Soon     int
	CanWrite bool
	Metadata time.Time // when the site's keys and rules are due
	Stale    bool
}

// dueRow is one thing of a statement in force that is to be looked at.
type dueRow struct {
	Title, Lang, Href string
	Kind              string
	What              string
	At                time.Time
	State, Word       string
	Correct           string
}

// dueSoon is how long before its day a review is listed as due.
const dueSoon = 30 * 24 * time.Hour

// due lists what is to be checked again: lines by their next check, statements
// before they expire, and what has expired.
func (q *request) due() error {
	records, m, err := statement.Load(q.site.folder().Site())
	if err != nil {
		return err
	}
	data := dueData{Subs: q.publicSubs("public.due"), CanWrite: q.who.Has(people.Spokesperson)}
	newest := map[string]*statement.Statement{}
	for _, r := range records {
		if s, err := statement.Parse(r.JSON); err == nil {
			newest[s.ID] = s
		}
	}
	if m != nil {
		data.Metadata, data.Stale = m.NextUpdate, q.now.After(m.NextUpdate)
	}
	for _, s := range newest {
		if s.Kind == "retraction" {
			continue
		}
		lang, text := inTongue(s, q.lang)
		row := dueRow{Title: text.Title, Lang: lang, Href: address("public", "statements", s.ID), Kind: s.Kind, Correct: address("public", "statements", s.ID, "correct")}
		for _, l := range s.Lines {
			if at, err := time.Parse(time.DateOnly, l.NextCheck); err == nil && s.ValidUntil != nil && q.now.Before(*s.ValidUntil) {
				data.add(q, row, q.say("due.line", l.ID), at, q.say("due.overdue"))
			}
		}
		if s.ValidUntil != nil {
			data.add(q, row, q.say("due.expiry"), *s.ValidUntil, q.say("due.expired"))
		}
	}
	slices.SortFunc(data.Rows, func(a, b dueRow) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Href, b.Href), cmp.Compare(a.What, b.What))
	})
	return q.render("due", "place.public", q.say("public.due"), data)
}

func (d *dueData) add(q *request, row dueRow, what string, at time.Time, past string) {
	row.What, row.At = what, at
	switch {
	case !q.now.Before(at):
		row.State, row.Word = "bad", past
		d.Overdue++
	case at.Sub(q.now) <= dueSoon:
		row.State, row.Word = "care", q.say("due.soon")
		d.Soon++
	default:
		row.State, row.Word = "idle", q.say("due.later")
	}
	d.Rows = append(d.Rows, row)
}
