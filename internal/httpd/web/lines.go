package web

import (
	"errors"
	"io"
	"net/http"
	"time"

	"causeway/internal/httpd/web/chart"
	"causeway/internal/line"
	"causeway/internal/people"
	"causeway/label/stanag4774"
)

func lineRoutes() []Route {
	partner := map[string]string{"partner": "nobody"}
	routes := []Route{
		get("/lines", (*request).lines),
		get("/lines/invite", (*request).inviteForm),
		post("/lines/invite", (*request).invite),
		post("/lines/accept", (*request).accept),
		get("/lines/{partner}", (*request).line),
		post("/lines/{partner}", (*request).changeLine),
		post("/lines/{partner}/clearance", (*request).clearPartner),
	}
	for i := range routes {
		if len(routes[i].Pattern) > len("/lines/invite") || routes[i].Pattern == "/lines/{partner}" {
			routes[i].Example = partner
		}
	}
	return routes
}

// lineState says how a line is, as a class and in words.
func (q *request) lineState(s line.LineStatus) (class, word string) {
	switch {
	case s.Fork != nil:
		return "bad", q.say("line.forked")
	case s.Partner.State == line.Comparing:
		return "care", q.say("line.comparing")
	case s.Partner.State == line.Revoked:
		return "bad", q.say("line.revoked")
	case s.Partner.State == line.Suspended:
		return "care", q.say("line.suspended")
	case s.Suspended != "":
		return "care", q.say("line.suspended-by-them")
	case s.Contact.IsZero():
		return "idle", q.say("line.silent")
	case s.Waiting > 0 && q.now.Sub(s.Contact) > time.Minute:
		return "care", q.say("line.waiting")
	}
	return "good", q.say("line.open")
}

type linesData struct {
	Lines   []lineView
	Queues  drawing
	Held    int64
	Waiting int64
	CanAdd  bool
	Matches bool // the visitor may see blind matches
	Carried []carriedView
}

type lineView struct {
	line.LineStatus
	State, Word string
	Clearance   Marking
	Witness     string // class of the witness state
	WitnessWord string
}

func (q *request) lineView(s line.LineStatus) lineView {
	v := lineView{LineStatus: s}
	v.State, v.Word = q.lineState(s)
	if s.Partner.Clearance != nil {
		v.Clearance = q.clearanceMarking(s.Partner.Clearance)
	}
	switch {
	case s.Fork != nil:
		v.Witness, v.WitnessWord = "bad", q.say("witness.fork")
	case s.Seen.Size > 0:
		v.Witness, v.WitnessWord = "good", q.count("witness.seen", s.Seen.Size)
	default:
		v.Witness, v.WitnessWord = "idle", q.say("witness.none")
	}
	return v
}

// operates says whether the person runs lines and so sees their traffic. To
// everybody else the numbers would tell of objects they may not see (L32).
func (q *request) operates() bool {
	return q.who.Has(people.Liaison) || q.who.Has(people.ReleaseOfficer) || q.who.Has(people.SecurityOfficer)
}

// lineStatuses gives every line, without its traffic to those who do not run
// lines.
func (q *request) lineStatuses() ([]line.LineStatus, error) {
	all, err := q.site.node.Line.Status(q.ctx())
	if err != nil || q.operates() {
		return all, err
	}
	for i, s := range all {
		all[i] = line.LineStatus{Partner: s.Partner, Contact: s.Contact, Suspended: s.Suspended, Fork: s.Fork}
	}
	return all, nil
}

func (q *request) lines() error {
	all, err := q.lineStatuses()
	if err != nil {
		return err
	}
	data := linesData{CanAdd: q.who.Has(people.SecurityOfficer), Matches: q.operates()}
	if data.Carried, err = q.carried(); err != nil {
		return err
	}
	bars := chart.Bars{Label: q.say("lines.queues.label"), Width: 700, LabelWidth: 190}
	for i, s := range all {
		v := q.lineView(s)
		data.Lines = append(data.Lines, v)
		data.Held += s.Held
		data.Waiting += s.Waiting
		bars.Rows = append(bars.Rows, chart.Bar{Label: s.Partner.Name, Value: float64(s.Waiting), Group: i, Href: address("lines", s.Partner.NodeID)})
	}
	if data.Waiting > 0 {
		data.Queues = q.takeable("queues", drawing{Title: q.say("lines.queues"), Picture: bars.SVG()})
	}
	return q.render("lines", "place.lines", q.say("place.lines"), data)
}

type lineData struct {
	lineView
	Deliveries []line.Delivery
	CanChange  bool
	Form       clearanceForm
	Fork       *line.Fork
	RouteShown *routeView
	Others     []otherView // third partners: what this one's messages may be carried to, and by whom they may go
}

// deliveriesShown bounds the list of receipts.
const deliveriesShown = 50

func (q *request) line() error {
	s, err := q.lineOf()
	if err != nil {
		return err
	}
	data := lineData{lineView: q.lineView(*s), CanChange: q.who.Has(people.SecurityOfficer), Fork: s.Fork}
	if q.operates() {
		if data.Deliveries, err = q.site.node.Line.Receipts(q.ctx(), s.Partner.NodeID, "", deliveriesShown); err != nil {
			return err
		}
	}
	if data.CanChange {
		data.Form = q.formOf(s.Partner.Nation)
		if data.Others, err = q.others(s); err != nil {
			return err
		}
	}
	if s.Route != nil {
		if data.RouteShown, err = q.routeView(s.Route); err != nil {
			return err
		}
	}
	return q.render("line", "place.lines", s.Partner.Name, data)
}

func (q *request) lineOf() (*line.LineStatus, error) {
	all, err := q.lineStatuses()
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if s.Partner.NodeID == q.PathValue("partner") {
			return &s, nil
		}
	}
	return nil, errNotFound
}

// changeLine confirms the code of a new partner, suspends, resumes or revokes.
func (q *request) changeLine() error {
	if err := q.need(people.SecurityOfficer); err != nil {
		return err
	}
	l, by, node := q.site.node.Line, q.who.ReaderID(), q.PathValue("partner")
	var err error
	switch q.field("do") {
	case "confirm":
		err = l.Confirm(q.ctx(), by, node, q.field("code"))
	case "address":
		err = l.SetAddress(q.ctx(), by, node, q.field("address"))
	case "suspend":
		err = l.Suspend(q.ctx(), by, node, q.field("why"))
	case "resume":
		err = l.Resume(q.ctx(), by, node)
	case "revoke":
		err = l.Revoke(q.ctx(), by, node, q.field("why"))
	case "route":
		err = l.SetRoute(q.ctx(), by, node, q.field("via"))
	case "carry":
		err = l.SetCarries(q.ctx(), by, node, q.Form["to"])
	case "clear-fork":
		err = l.ClearFork(q.ctx(), by, node)
	default:
		return refused("%s", q.say("act.unknown"))
	}
	return q.afterPeople(err, address("lines", node), q.say("line.changed"))
}

// clearPartner says what a partner may see from now on.
func (q *request) clearPartner() error {
	if err := q.need(people.SecurityOfficer); err != nil {
		return err
	}
	c, err := q.clearanceOfForm()
	if err != nil {
		return err
	}
	xml, err := stanag4774.WriteClearance(c)
	if err != nil {
		return refused("%v", err)
	}
	node := q.PathValue("partner")
	err = q.site.node.Line.SetClearance(q.ctx(), q.who.ReaderID(), node, xml)
	return q.afterPeople(err, address("lines", node), q.say("line.cleared"))
}

type inviteData struct {
	Accepted *line.Accepted
}

func (q *request) inviteForm() error {
	if err := q.need(people.SecurityOfficer); err != nil {
		return err
	}
	return q.render("invite", "place.lines", q.say("lines.invite"), inviteData{})
}

// invite gives an invitation as a file.
func (q *request) invite() error {
	if err := q.need(people.SecurityOfficer); err != nil {
		return err
	}
	_, file, err := q.site.node.Line.Invite(q.ctx(), q.who.ReaderID())
	if err != nil {
		return act(err)
	}
	return q.file("causeway-invitation.json", file)
}

// accept takes up an invitation, or the answer to one; the answer to an
// invitation comes back as a file.
func (q *request) accept() error {
	if err := q.need(people.SecurityOfficer); err != nil {
		return err
	}
	f, _, err := q.FormFile("file")
	if err != nil {
		return refused("%s", q.say("invite.no-file"))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, largestForm))
	if err != nil {
		return err
	}
	a, err := q.site.node.Line.Accept(q.ctx(), q.who.ReaderID(), b)
	var answered *line.AnsweredError
	if errors.As(err, &answered) {
		// The answer often comes over the network before its file: the code tells
		// whether it is the same.
		return q.redirect(address("lines", answered.Node), q.say("invite.answered"))
	}
	if err != nil {
		return act(err)
	}
	if a.Answer != nil && q.field("answer") != "" {
		return q.file("causeway-answer.json", a.Answer)
	}
	return q.redirect(address("lines", a.Partner.NodeID), q.say("invite.accepted", a.Partner.Name))
}

// file gives bytes to keep.
func (q *request) file(name string, b []byte) error {
	h := q.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	q.w.WriteHeader(http.StatusOK)
	_, _ = q.w.Write(b) // the reader has gone away
	return nil
}
