package web

import (
	"slices"

	"causeway/internal/line"
	"causeway/internal/people"
	"causeway/internal/vault"
)

func matchRoutes() []Route {
	run := map[string]string{"run": "00000000000000000000000000000000"}
	routes := []Route{
		get("/matches", (*request).matches),
		post("/matches", (*request).proposeMatch),
		get("/matches/{run}", (*request).match),
		post("/matches/{run}", (*request).changeMatch),
	}
	for i := range routes[2:] {
		routes[2+i].Example = run
	}
	return routes
}

// needOperator refuses a page about the traffic of lines to those who do not
// run them.
func (q *request) needOperator() error {
	if q.operates() {
		return nil
	}
	return q.need(people.Liaison)
}

type matchesData struct {
	Matches  []matchView
	Partners []choice
	Kinds    []string
	CanAsk   bool
}

type matchView struct {
	line.Match
	Name        string // the partner's
	Class, Word string
	Progress    *line.Progress // it runs at the moment
	Percent     int
	Here        string
}

func (q *request) matchView(m line.Match) (matchView, error) {
	names, err := q.partnerNames()
	if err != nil {
		return matchView{}, err
	}
	v := matchView{Match: m, Name: partnersNamed(names, []string{m.Partner})[0], Here: address("matches", m.Run)}
	if p, ok := q.site.node.Line.MatchProgress(m.Run); ok {
		v.Progress = &p
		if p.Total > 0 {
			v.Percent = 100 * p.Done / p.Total
		}
		v.Class, v.Word = "care", q.say("match.running")
		return v, nil
	}
	state := m.State
	if (state == line.MatchProposed || state == line.MatchConsented) && q.now.After(m.Expires) {
		state = "over"
	}
	v.Class = map[string]string{line.MatchDone: "good", line.MatchFailed: "bad", line.MatchRefused: "bad", line.MatchProposed: "care", line.MatchConsented: "good"}[state]
	if v.Class == "" {
		v.Class = "idle"
	}
	v.Word = q.word("match-state", state)
	return v, nil
}

func (q *request) matches() error {
	if err := q.needOperator(); err != nil {
		return err
	}
	all, err := q.site.node.Line.Matches(q.ctx())
	if err != nil {
		return err
	}
	data := matchesData{Kinds: line.MatchKinds(), CanAsk: q.who.Has(people.Liaison)}
	for _, m := range all {
		v, err := q.matchView(m)
		if err != nil {
			return err
		}
		data.Matches = append(data.Matches, v)
	}
	partners, err := q.site.node.Line.Partners(q.ctx())
	if err != nil {
		return err
	}
	for _, p := range partners {
		if p.State == line.Active {
			data.Partners = append(data.Partners, choice{Value: p.NodeID, Name: p.Name})
		}
	}
	return q.render("matches", "place.lines", q.say("match.title"), data)
}

func (q *request) proposeMatch() error {
	if err := q.need(people.Liaison); err != nil {
		return err
	}
	m, err := q.site.node.Line.ProposeMatch(q.ctx(), q.who.ReaderID(), q.field("partner"), line.Terms{Kinds: q.Form["kind"]}, nil)
	if err != nil {
		return act(err)
	}
	return q.redirect(address("matches", m.Run), q.say("match.proposed"))
}

type matchData struct {
	matchView
	Found              []foundView
	More               bool // than are shown
	CanAct             bool
	CanAnswer          bool
	CanRun             bool
	CanRelease         bool
	Posts              bool // it is about posts, which lie in files
	Released           bool // by both sides
	WaitsForTheirReply bool
	MayReleaseObjects  bool
}

type foundView struct {
	Value string
	ID    string
	Marks []Marking
}

// foundShown bounds the values on a page.
const foundShown = 200

func (q *request) match() error {
	if err := q.needOperator(); err != nil {
		return err
	}
	m, err := q.matchOf()
	if err != nil {
		return err
	}
	v, err := q.matchView(*m)
	if err != nil {
		return err
	}
	running, now := v.Progress != nil, q.now.Before(m.Expires)
	data := matchData{matchView: v, CanAct: q.who.Has(people.Liaison), Posts: slices.Contains(m.Kinds, "post"), MayReleaseObjects: q.who.Has(people.ReleaseOfficer)}
	data.CanAnswer = !m.Asker && m.State == line.MatchProposed && now && !running
	data.CanRun = m.Asker && m.State == line.MatchProposed && now && !running
	data.CanRelease = m.State == line.MatchDone && m.Mine.IsZero() && (m.Asker || !m.Theirs.IsZero())
	data.Released = !m.Mine.IsZero() && !m.Theirs.IsZero()
	data.WaitsForTheirReply = !m.Mine.IsZero() && m.Theirs.IsZero()
	if data.Found, data.More, err = q.foundOf(m); err != nil {
		return err
	}
	return q.render("match", "place.lines", q.say("match.with", v.Name), data)
}

// foundOf gives what a match found of which the visitor may see the object.
// What they may not see is not counted either.
func (q *request) foundOf(m *line.Match) (out []foundView, more bool, err error) {
	var ids []string
	for _, f := range m.Found {
		if f.ID != "" && !slices.Contains(ids, f.ID) && len(ids) < foundAsked {
			ids = append(ids, f.ID)
		}
	}
	rows := map[string]vault.Row{}
	if len(ids) > 0 {
		page, err := q.view().Page(q.ctx(), vault.Query{Match: vault.Match{IDs: ids}, Limit: vault.MaxLimit})
		if err != nil {
			return nil, false, err
		}
		for _, r := range page.Rows {
			rows[r.ID] = r
		}
	}
	for _, f := range m.Found {
		r, ok := rows[f.ID]
		if f.ID != "" && !ok {
			continue
		}
		if len(out) == foundShown {
			return out, true, nil
		}
		v := foundView{Value: f.Text, ID: f.ID}
		if ok {
			v.Marks = q.mark(r.Effective)
		}
		out = append(out, v)
	}
	return out, false, nil
}

// foundAsked bounds one question to the store.
const foundAsked = 500

func (q *request) matchOf() (*line.Match, error) {
	all, err := q.site.node.Line.Matches(q.ctx())
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Run == q.PathValue("run") {
			return &all[i], nil
		}
	}
	return nil, errNotFound
}

// changeMatch answers a proposal, runs a match, or releases its outcome.
func (q *request) changeMatch() error {
	if err := q.need(people.Liaison); err != nil {
		return err
	}
	m, err := q.matchOf()
	if err != nil {
		return err
	}
	l, by, said := q.site.node.Line, q.who.ReaderID(), ""
	switch q.field("do") {
	case "consent":
		err, said = l.StartAnswer(q.ctx(), by, m.Run), q.say("match.consented")
	case "refuse":
		err, said = l.AnswerMatch(q.ctx(), by, m.Run, false, nil), q.say("match.refused")
	case "run":
		err = l.StartMatch(q.ctx(), by, m.Run)
	case "release":
		err, said = l.ReleaseMatch(q.ctx(), by, m.Run), q.say("match.released")
	default:
		return refused("%s", q.say("act.unknown"))
	}
	if err != nil {
		return act(err)
	}
	return q.redirect(address("matches", m.Run), said)
}
