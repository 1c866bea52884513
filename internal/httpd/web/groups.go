package web

import (
	"html/template"
	"slices"
	"strings"
	"time"

	"causeway/internal/httpd/web/chart"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/policies"
)

func groupRoutes() []Route {
	routes := []Route{
		get("/control/groups", (*request).groups),
		post("/control/groups", (*request).newGroup),
		get("/control/groups/{group}", (*request).group),
		post("/control/groups/{group}", (*request).signEpoch),
	}
	for i, r := range routes {
		if strings.Contains(r.Pattern, "{group}") {
			routes[i].Example = map[string]string{"group": "NATO"}
		}
	}
	return routes
}

type groupsData struct {
	Subs      []sub
	Groups    []groupView
	CanChange bool
}

// groupView is a group as it stands now.
type groupView struct {
	label.DatedGroup
	Now     *label.Epoch // nil: none in force
	Signed  bool
	Picture template.HTML
}

func (q *request) groupView(g label.DatedGroup) groupView {
	v := groupView{DatedGroup: g}
	if e, ok := g.At(q.now); ok {
		v.Now, v.Signed = &e, e.Signer != ""
	}
	return v
}

// allGroups lists the groups in force, by name.
func (q *request) allGroups() ([]groupView, error) {
	all, err := q.site.node.Groups(q.ctx())
	var out []groupView
	for _, g := range all {
		out = append(out, q.groupView(g))
	}
	return out, err
}

func (q *request) groups() error {
	data := groupsData{Subs: q.controlSubs("control.groups"), CanChange: q.who.Has(people.SecurityOfficer)}
	var err error
	if data.Groups, err = q.allGroups(); err != nil {
		return err
	}
	return q.render("groups", "place.control", q.say("control.groups"), data)
}

// newGroup goes to the page of a group that does not exist yet.
func (q *request) newGroup() error {
	if err := q.need(people.SecurityOfficer); err != nil {
		return err
	}
	name := strings.ToUpper(q.field("name"))
	if !groupName(name) {
		return refused("%s", q.say("group.name.wrong"))
	}
	return q.redirect(address("control", "groups", name), "")
}

func groupName(s string) bool {
	return s != "" && len(s) <= 32 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == "" && s[0] != '-'
}

type groupData struct {
	Subs []sub
	groupView
	CanChange bool
	Past      []epochView // the newest first
	From      string
	Draft     *epochDraft
	Nation    string // a nation that might join
	Joining   *joining
}

// epochView is a membership with what it changed.
type epochView struct {
	label.Epoch
	Joins, Leaves []string
}

func changesOf(epochs []label.Epoch) (out []epochView) {
	var before []string
	for _, e := range epochs {
		out = append(out, epochView{e, lacking(e.Members, before), lacking(before, e.Members)})
		before = e.Members
	}
	slices.Reverse(out)
	return out
}

// lacking gives what is in a and not in b.
func lacking(a, b []string) (out []string) {
	for _, x := range a {
		if !slices.Contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}

// epochDraft is a membership that is looked at before it is signed.
type epochDraft struct {
	label.Epoch
	Joins, Leaves []string
	Closed        []joining // for each nation that joins
	Day, Members  string    // as the form had them
}

// joining is what a nation would find of what was labelled for a group before
// it joined.
type joining struct {
	Nation string
	Closed []item // labelled for the group, not for the nation
	More   int
	Opened int64 // names the nation itself, and is open to it anyway
	Looked int
}

// group is one group through time, with the form of its next membership.
func (q *request) group() error { return q.showGroup(nil) }

func (q *request) showGroup(draft *epochDraft) error {
	name := q.PathValue("group")
	if !groupName(name) {
		return errNotFound
	}
	all, err := q.allGroups()
	if err != nil {
		return err
	}
	data := groupData{Subs: q.controlSubs("control.groups"), CanChange: q.who.Has(people.SecurityOfficer), From: q.now.In(q.zone).Format(time.DateOnly), Draft: draft}
	if i := slices.IndexFunc(all, func(g groupView) bool { return g.Name == name }); i >= 0 {
		data.groupView = all[i]
		if slices.ContainsFunc(data.Epochs, func(e label.Epoch) bool { return len(e.Members) > 0 }) {
			data.Picture = q.groupPicture(all[i].DatedGroup)
		}
		data.Past = changesOf(all[i].Epochs)
	} else if !data.CanChange {
		return errNotFound
	}
	data.Name = name
	if data.Nation = strings.ToUpper(q.URL.Query().Get("nation")); label.IsNation(data.Nation) && draft == nil {
		j, err := q.joining(name, data.Nation)
		if err != nil {
			return err
		}
		data.Joining = &j
	}
	return q.render("group", "place.control", name, data)
}

// groupPicture draws who belonged when: a row for each nation.
func (q *request) groupPicture(g label.DatedGroup) template.HTML {
	s := chart.Spans{Label: q.say("group.picture", g.Name), Width: 860, LabelWidth: 60, Now: q.now}
	rows := map[string]*chart.SpanRow{}
	for i, e := range g.Epochs {
		for _, m := range e.Members {
			if rows[m] == nil {
				rows[m] = &chart.SpanRow{Label: m}
			}
			r := rows[m]
			title := g.Name + "@" + e.Name
			if n := len(r.Spans); n > 0 && r.Spans[n-1].To.Equal(e.From) {
				r.Spans[n-1].To = e.To // one stretch, as long as nothing interrupts it
				continue
			}
			group := 0
			if e.Signer == "" {
				group = -1
			}
			r.Spans = append(r.Spans, chart.Span{From: e.From, To: e.To, Group: group, Title: title})
		}
		if i > 0 {
			s.Marks = append(s.Marks, chart.Event{At: e.From, Title: g.Name + "@" + e.Name})
		}
	}
	for _, r := range rows {
		s.Rows = append(s.Rows, *r)
	}
	slices.SortFunc(s.Rows, func(a, b chart.SpanRow) int {
		if d := a.Spans[0].From.Compare(b.Spans[0].From); d != 0 {
			return d
		}
		return strings.Compare(a.Label, b.Label)
	})
	return s.SVG()
}

// Bounds of the preview for a joining nation.
const (
	joiningLooked = 1000
	joiningShown  = 20
)

// joining looks, among the newest of what the visitor may see, for what the
// group's members read and a nation that joins today would not.
func (q *request) joining(group, nation string) (joining, error) {
	j := joining{Nation: nation}
	ps := q.site.node.Policies()
	member, newcomer, err := q.nationHoldings(ps, group, nation)
	if err != nil || member == nil {
		return j, err
	}
	page, err := q.view().Page(q.ctx(), vault.Query{Match: vault.Match{Types: reading}, Limit: joiningLooked, Newest: true})
	if err != nil {
		return j, err
	}
	for _, row := range page.Rows {
		j.Looked++
		switch {
		case row.Effective.Decide(label.Public).Allow:
		case row.Effective.Decide(newcomer).Allow:
			j.Opened++
		case !row.Effective.Decide(member).Allow:
		case len(j.Closed) == joiningShown:
			j.More++
		default:
			it, err := q.item(row)
			if err != nil {
				return j, err
			}
			j.Closed = append(j.Closed, it)
		}
	}
	return j, nil
}

// nationHoldings gives what a member of the group and what the nation would
// hold from today on, were it to join now; both cleared up to SECRET. There is
// no member where the group has none.
func (q *request) nationHoldings(ps *label.Policies, group, nation string) (member, newcomer *label.Holdings, err error) {
	g, ok := ps.Groups().Lookup(group)
	now, inForce := g.At(q.now)
	if !ok || !inForce || len(now.Members) == 0 {
		return nil, nil, nil
	}
	joined := label.DatedGroup{Name: g.Name}
	for _, e := range g.Epochs {
		if e.From.After(now.From) {
			break
		}
		joined.Epochs = append(joined.Epochs, e)
	}
	joined.Epochs[len(joined.Epochs)-1].To = q.now
	joined.Epochs = append(joined.Epochs, label.Epoch{Name: "joined " + q.now.UTC().Format(time.RFC3339), From: q.now, Members: append(slices.Clone(now.Members), nation), Signer: "preview"})
	all := slices.DeleteFunc(ps.Groups().All(), func(o label.DatedGroup) bool { return o.Name == g.Name })
	groups, err := label.NewGroups(append(all, joined)...)
	if err != nil {
		return nil, nil, refused("%v", err)
	}
	then, err := label.NewPolicies(groups, ps.All()...)
	if err != nil {
		return nil, nil, err
	}
	if member, err = holdingsOf(then, now.Members[0], g.Name, q.now); err != nil {
		return nil, nil, err
	}
	newcomer, err = holdingsOf(then, nation, g.Name, q.now)
	return member, newcomer, err
}

// holdingsOf gives what a partner of a nation that belongs to a group holds.
func holdingsOf(ps *label.Policies, nation, group string, at time.Time) (*label.Holdings, error) {
	c, err := policies.NationalClearance(nation, "SECRET", group)
	if err != nil {
		return nil, err
	}
	if group == "NATO" && !policies.Member(nation) { // as a member it holds the context too
		for i := range c.Categories {
			if c.Categories[i].TagName != "Releasable To" {
				c.Categories[i].Values = append(c.Categories[i].Values, group)
			}
		}
	}
	return ps.Holdings(label.Holder{Kind: label.Partner, Nation: nation, Clearances: []*label.Clearance{c}, At: at})
}

// signEpoch previews the next membership of a group, and with the second step
// signs it.
func (q *request) signEpoch() error {
	if err := q.need(people.SecurityOfficer); err != nil {
		return err
	}
	name := q.PathValue("group")
	if !groupName(name) {
		return errNotFound
	}
	from, err := time.Parse(time.DateOnly, q.field("from"))
	if err != nil {
		return refused("%s", q.say("grant.dates"))
	}
	e := label.Epoch{Name: q.field("epoch"), From: from, Source: q.field("source")}
	if e.Name == "" {
		e.Name = q.field("from")
	}
	for _, m := range strings.FieldsFunc(strings.ToUpper(q.FormValue("members")), func(r rune) bool { return r == ',' || r == '、' || r == ' ' || r == '\n' || r == '\r' || r == '\t' }) {
		if !slices.Contains(e.Members, m) {
			e.Members = append(e.Members, m)
		}
	}
	slices.Sort(e.Members)
	if q.field("do") == "sign" {
		if err := q.site.node.SetGroup(q.ctx(), q.who.Person, name, e); err != nil {
			return act(err)
		}
		return q.redirect(address("control", "groups", name), q.say("group.signed", name, e.Name))
	}
	draft := &epochDraft{Epoch: e, Day: q.field("from"), Members: strings.Join(e.Members, " ")}
	var before []string
	all, err := q.allGroups()
	if err != nil {
		return err
	}
	for _, g := range all {
		if g.Name == name && len(g.Epochs) > 0 {
			before = g.Epochs[len(g.Epochs)-1].Members
		}
	}
	for _, m := range e.Members {
		if !label.IsNation(m) {
			return refused("%s", q.say("group.member.wrong", m))
		}
	}
	draft.Joins, draft.Leaves = lacking(e.Members, before), lacking(before, e.Members)
	for _, m := range draft.Joins[:min(len(draft.Joins), 3)] {
		if len(before) == 0 {
			break // nothing was ever labelled for a group without members
		}
		j, err := q.joining(name, m)
		if err != nil {
			return err
		}
		draft.Closed = append(draft.Closed, j)
	}
	return q.showGroup(draft)
}
