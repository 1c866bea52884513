package web

import (
	"cmp"
	"slices"
	"strings"

	"causeway/internal/desk"
	"causeway/internal/line"
	"causeway/internal/people"
	"causeway/internal/vault"
)

func todayRoutes() []Route {
	return []Route{get("/{$}", (*request).today)}
}

// todayShown bounds the list of what is new.
const todayShown = 12

type todayData struct {
	New     []item
	Waiting []waiting
	Lines   []lineGlance
	Runs    []desk.Run
	Seen    int64 // objects the reader may see
	Linked  int   // lines that are open
}

// waiting is one thing that needs the reader's decision.
type waiting struct {
	What, Href, Why string
}

// lineGlance is one line in a row: who, whether it is open, what waits.
type lineGlance struct {
	Partner line.Partner
	State   string // class of the state mark
	Word    string
	Queue   int64
}

// today leads with what is new for the reader, what waits for them, and the
// state of each line.
func (q *request) today() error {
	data := todayData{}
	page, err := q.view().Page(q.ctx(), vault.Query{Match: vault.Match{Types: reading}, Limit: todayShown, Newest: true})
	if err != nil {
		return err
	}
	if data.New, err = q.items(page.Rows); err != nil {
		return err
	}
	if data.Seen, err = q.view().Count(q.ctx(), vault.Match{}); err != nil {
		return err
	}
	if data.Lines, err = q.lineGlances(); err != nil {
		return err
	}
	for _, l := range data.Lines {
		if l.Partner.State == line.Active {
			data.Linked++
		}
	}
	runs, err := q.site.node.Desk.RunsOf(q.ctx(), q.who.Person)
	if err != nil {
		return err
	}
	data.Runs = runs[:min(len(runs), 5)]
	if data.Waiting, err = q.waits(runs); err != nil {
		return err
	}
	return q.render("today", "place.today", q.say("place.today"), data)
}

// waits lists what needs the reader's decision, by their roles.
func (q *request) waits(runs []desk.Run) (out []waiting, err error) {
	if q.who.Has(people.SecurityOfficer) {
		left, err := q.unfinished()
		if err != nil {
			return nil, err
		}
		if left > 0 {
			out = append(out, waiting{q.count("waiting.setup", left), "/control/setup", q.say("waiting.setup.why")})
		}
		pending, err := q.site.node.People.Waiting(q.ctx())
		if err != nil {
			return nil, err
		}
		for _, p := range pending {
			if p.Grant.Requested != q.who.ReaderID() && p.Person != q.who.ID {
				out = append(out, waiting{q.say("waiting.grant", p.Person), address("control", "clearances", p.Grant.ID), q.say("waiting.grant.why")})
			}
		}
		taken, err := q.takenViews()
		if err != nil {
			return nil, err
		}
		for _, a := range taken {
			if a.Waits {
				out = append(out, waiting{q.say("waiting.attestation", a.From, a.Pseudonym), "/control/attestations#" + a.Serial, q.say("waiting.attestation.why")})
			}
		}
		partners, err := q.site.node.Line.Partners(q.ctx())
		if err != nil {
			return nil, err
		}
		for _, p := range partners {
			switch {
			case p.State == line.Comparing:
				out = append(out, waiting{q.say("waiting.compare", p.Name), address("lines", p.NodeID), q.say("waiting.compare.why")})
			case p.State == line.Active && p.Clearance == nil:
				out = append(out, waiting{q.say("waiting.clear", p.Name), address("lines", p.NodeID), q.say("waiting.clear.why")})
			}
		}
	}
	if q.who.Has(people.ReleaseOfficer) {
		requests, err := q.site.node.Desk.Requests(q.ctx(), q.who.Person)
		if err != nil {
			return nil, err
		}
		for _, r := range requests {
			if r.By != q.who.ReaderID() {
				out = append(out, waiting{q.say("waiting.release", q.nameOf(r.Root)), "/releases", q.say("waiting.release.why")})
			}
		}
	}
	for _, r := range runs {
		if r.State() == "done" && r.Summary != nil && r.Summary.Network.Communities > 0 && len(r.Findings) == 0 {
			out = append(out, waiting{q.say("waiting.run", r.Title), address("detect", r.ID), q.say("waiting.run.why")})
		}
	}
	return out, nil
}

// lineGlances gives every line, troubled ones first.
func (q *request) lineGlances() ([]lineGlance, error) {
	if q.who.Person.Visitor != "" {
		return nil, nil // who the partners are is not a visitor's to know
	}
	all, err := q.lineStatuses()
	if err != nil {
		return nil, err
	}
	var out []lineGlance
	for _, s := range all {
		state, word := q.lineState(s)
		out = append(out, lineGlance{Partner: s.Partner, State: state, Word: word, Queue: s.Waiting})
	}
	slices.SortStableFunc(out, func(a, b lineGlance) int {
		return cmp.Or(cmp.Compare(trouble(b.State), trouble(a.State)), strings.Compare(a.Partner.Name, b.Partner.Name))
	})
	return out, nil
}

func trouble(state string) int { return slices.Index([]string{"idle", "good", "care", "bad"}, state) }
