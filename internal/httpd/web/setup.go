package web

import (
	"slices"
	"strings"

	"causeway/internal/line"
	"causeway/internal/people"
)

func setupRoutes() []Route {
	return []Route{get("/control/setup", (*request).setup)}
}

type setupData struct {
	Subs  []sub
	Steps []setupStep
	Done  int
	Next  *setupStep
}

// setupStep is one thing that makes a node of a fresh folder.
type setupStep struct {
	Name, Why string
	Done      bool
	Here      bool   // the first that is not done
	State     string // how it stands, in words
	Acts      []ref
}

// setup shows what a node still lacks before it can share, in the order in
// which it is done. Each step is judged by what is there, not by a tick.
func (q *request) setup() error {
	if err := q.need(people.SecurityOfficer); err != nil {
		return err
	}
	data := setupData{Subs: q.controlSubs("control.setup")}
	var err error
	if data.Steps, err = q.setupSteps(); err != nil {
		return err
	}
	for i := range data.Steps {
		s := &data.Steps[i]
		if s.Done {
			data.Done++
		} else if data.Next == nil {
			s.Here, data.Next = true, s
		}
	}
	return q.render("setup", "place.control", q.say("setup.title"), data)
}

func (q *request) step(name string, done bool, state string, acts ...ref) setupStep {
	return setupStep{Name: q.say("setup." + name), Why: q.say("setup." + name + ".why"), Done: done, State: state, Acts: acts}
}

func (q *request) act(key, href string) ref { return ref{Name: q.say(key), Href: href} }

func (q *request) setupSteps() ([]setupStep, error) {
	_, confirmed, err := q.site.node.SignedFacts(q.ctx())
	if err != nil {
		return nil, err
	}
	versions, err := q.site.node.Versions(q.ctx())
	if err != nil {
		return nil, err
	}
	state, done := q.say("setup.policies.open"), confirmed != nil && confirmed.Source == versions["policies"]
	if done {
		state = q.say("setup.policies.done", confirmed.Source)
	}
	steps := []setupStep{q.step("policies", done, state, q.act("setup.policies.act", "/control/policies"))}
	staff, err := q.setupPeople()
	if err != nil {
		return nil, err
	}
	lines, err := q.setupLines()
	return slices.Concat(steps, staff, lines), err
}

// setupPeople are the steps about people: who is there, and what they may see.
func (q *request) setupPeople() ([]setupStep, error) {
	all, err := q.site.node.People.List(q.ctx())
	if err != nil {
		return nil, err
	}
	waiting, err := q.site.node.People.Waiting(q.ctx())
	if err != nil {
		return nil, err
	}
	var bare []string
	bareHref := "/control/clearances"
	count := map[people.Role]int{}
	for _, p := range all {
		if p.Suspended != nil || p.Visitor != "" {
			continue
		}
		for _, r := range p.Roles {
			count[r]++
		}
		if !slices.ContainsFunc(p.Grants, func(g people.Grant) bool { return g.InForce(q.now) }) {
			if len(bare) == 0 {
				bareHref = address("control", "people", p.ID)
			}
			bare = append(bare, p.Name)
		}
	}
	var lacking []string
	for _, need := range []struct {
		role people.Role
		n    int
	}{{people.SecurityOfficer, 2}, {people.ReleaseOfficer, 2}, {people.Analyst, 1}} {
		if count[need.role] < need.n {
			lacking = append(lacking, q.say("setup.people.lacks", q.word("role", string(need.role)), need.n-count[need.role]))
		}
	}
	state := q.count("setup.people.done", len(all))
	if len(lacking) > 0 {
		state = strings.Join(lacking, q.say("list.and"))
	}
	steps := []setupStep{q.step("people", len(lacking) == 0, state, q.act("setup.people.act", "/control/people#add"))}
	state = q.say("setup.clearances.done")
	acts := []ref{q.act("control.clearances", "/control/clearances")}
	switch {
	case len(waiting) > 0:
		state = q.count("setup.clearances.waits", len(waiting))
	case len(bare) > 0:
		state = q.say("setup.clearances.open", strings.Join(bare, q.say("list.and")))
		acts = []ref{q.act("setup.clearances.act", bareHref+"#ask")}
	}
	return append(steps, q.step("clearances", len(waiting) == 0 && len(bare) == 0, state, acts...)), nil
}

// setupLines are the steps about the first partner and the first line.
func (q *request) setupLines() ([]setupStep, error) {
	all, err := q.lineStatuses()
	if err != nil {
		return nil, err
	}
	var comparing, active, cleared, met *line.LineStatus
	for i, s := range all {
		switch s.Partner.State {
		case line.Comparing:
			comparing = &all[i]
		case line.Active:
			active = &all[i]
			if s.Partner.Clearance != nil {
				cleared = &all[i]
			}
			if !s.Contact.IsZero() || s.Held > 0 {
				met = &all[i]
			}
		}
	}
	open := q.act("lines.invite", "/lines/invite")
	state := q.say("setup.partner.open")
	switch {
	case active != nil:
		state, open = q.say("setup.partner.done", active.Partner.Name), ref{Name: active.Partner.Name, Href: address("lines", active.Partner.NodeID)}
	case comparing != nil:
		state, open = q.say("setup.partner.comparing", comparing.Partner.Name), q.act("setup.partner.compare", address("lines", comparing.Partner.NodeID))
	}
	steps := []setupStep{q.step("partner", active != nil, state, open)}
	state, open = q.say("setup.cleared.open"), q.act("place.lines", "/lines")
	switch {
	case cleared != nil:
		state = q.say("setup.cleared.done", cleared.Partner.Name, q.clearanceMarking(cleared.Partner.Clearance).Text)
	case active != nil:
		state, open = q.say("setup.cleared.say", active.Partner.Name), q.act("line.clear", address("lines", active.Partner.NodeID)+"#clear")
	}
	steps = append(steps, q.step("cleared", cleared != nil, state, open))
	state = q.say("setup.line.open")
	if met != nil {
		state = q.say("setup.line.done", met.Partner.Name)
	}
	return append(steps, q.step("line", met != nil, state, q.act("place.lines", "/lines"))), nil
}

// unfinished counts what a node still lacks, for those who can set it up.
func (q *request) unfinished() (left int, err error) {
	if q.who == nil || !q.who.Has(people.SecurityOfficer) {
		return 0, nil
	}
	steps, err := q.setupSteps()
	for _, s := range steps {
		if !s.Done {
			left++
		}
	}
	return left, err
}
