package web

import (
	"html/template"
	"io"
	"slices"
	"strings"

	"causeway/internal/httpd/web/chart"
	"causeway/internal/node"
	"causeway/internal/people"
	"causeway/label"
	"causeway/label/policies"
)

func tableRoutes() []Route {
	routes := []Route{
		get("/control/tables", (*request).tables),
		post("/control/tables", (*request).signTable),
		get("/control/tables/{table}", (*request).equivalence),
		post("/control/tables/{table}", (*request).retireTable),
	}
	for i, r := range routes {
		if strings.Contains(r.Pattern, "{table}") {
			routes[i].Example = map[string]string{"table": "none@1"}
		}
	}
	return routes
}

type tablesData struct {
	Subs      []sub
	Tables    []tableView
	CanChange bool
	Draft     *tableDraft
	Refused   string
	Example   string
}

// tableView is one version of a table of equivalence.
type tableView struct {
	node.SignedTable
	FromName, ToName string
	State, Word      string
	Applies          string // whom it admits, in words
}

// tableDraft is a table that is looked at before it translates anything.
type tableDraft struct {
	tableView
	Picture template.HTML
	File    string
}

func (q *request) tableView(t node.SignedTable) tableView {
	v := tableView{SignedTable: t, FromName: q.policyName(t.From), ToName: q.policyName(t.To), State: "good", Word: q.say("table.in-force"), Applies: q.say("table.applied.none")}
	if t.Applied != "" {
		v.Applies = q.word("table.applied", t.Applied)
	}
	switch {
	case !t.Ended.IsZero():
		v.State, v.Word = "bad", q.say("table.retired")
	case q.now.Before(t.ValidFrom):
		v.State, v.Word = "idle", q.say("grant.not-yet")
	case !t.ValidTo.IsZero() && !q.now.Before(t.ValidTo):
		v.State, v.Word = "idle", q.say("attested.ended")
	}
	return v
}

func (q *request) tableViews() ([]tableView, error) {
	all, err := q.site.node.Tables(q.ctx())
	if err != nil {
		return nil, err
	}
	var out []tableView
	for _, t := range all {
		out = append(out, q.tableView(t))
	}
	slices.SortStableFunc(out, func(a, b tableView) int { return b.ValidFrom.Compare(a.ValidFrom) })
	return out, nil
}

// tablePicture draws what becomes what.
func (q *request) tablePicture(t label.Table) template.HTML {
	p := chart.Pairs{Label: q.say("table.picture", q.policyName(t.From), q.policyName(t.To)), Width: 760}
	names := func(oid string) (out []string) {
		if policy, ok := q.site.node.Policies().Policy(oid); ok {
			for _, c := range policy.Classifications() {
				out = append(out, c.Name)
			}
			slices.Reverse(out) // the highest on top
		}
		return out
	}
	p.Left, p.Right = names(t.From), names(t.To)
	for _, c := range t.Classes {
		p.Pairs = append(p.Pairs, chart.Pair{From: c.From, To: c.To, Note: valueNames(c.Add)})
	}
	for _, v := range t.Values {
		p.Pairs = append(p.Pairs, chart.Pair{From: v.From.Value, To: valueNames(v.To)})
	}
	return p.SVG()
}

func valueNames(vs []label.TableValue) string {
	var out []string
	for _, v := range vs {
		out = append(out, v.Value)
	}
	return strings.Join(out, ", ")
}

func (q *request) tables() error { return q.showTables(nil, "") }

func (q *request) showTables(draft *tableDraft, why string) error {
	data := tablesData{Subs: q.controlSubs("control.tables"), CanChange: q.who.Has(people.SecurityOfficer), Draft: draft, Refused: why, Example: string(policies.SampleTable(q.URL.Query().Get("sample") == "back"))}
	var err error
	if data.Tables, err = q.tableViews(); err != nil {
		return err
	}
	return q.render("tables", "place.control", q.say("control.tables"), data)
}

// signTable looks at a file, and with the second step signs it.
func (q *request) signTable() error {
	if err := q.need(people.SecurityOfficer); err != nil {
		return err
	}
	n := q.site.node
	if q.field("do") == "sign" {
		t, err := n.SetTable(q.ctx(), q.who.Person, []byte(q.PostFormValue("text")))
		if err != nil {
			return q.showTables(nil, err.Error())
		}
		return q.redirect(address("control", "tables", t.Name+"@"+t.Version), q.say("table.signed", t.Name, t.Version))
	}
	text := []byte(q.PostFormValue("text"))
	if f, _, err := q.FormFile("file"); err == nil {
		defer f.Close()
		if text, err = io.ReadAll(io.LimitReader(f, largestForm/2)); err != nil {
			return err
		}
	}
	if len(strings.TrimSpace(string(text))) == 0 {
		return refused("%s", q.say("table.no-file"))
	}
	t, err := n.ParseTable(text)
	if err == nil {
		err = n.Policies().CheckTable(&t)
	}
	if err != nil {
		return q.showTables(nil, err.Error())
	}
	return q.showTables(&tableDraft{tableView: q.tableView(node.SignedTable{Table: t}), Picture: q.tablePicture(t), File: string(text)}, "")
}

func (q *request) equivalence() error {
	all, err := q.tableViews()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(t tableView) bool { return t.Key() == q.PathValue("table") })
	if i < 0 {
		return errNotFound
	}
	return q.render("table", "place.control", all[i].Key(), struct {
		Subs []sub
		tableView
		Picture   template.HTML
		CanChange bool
	}{q.controlSubs("control.tables"), all[i], q.tablePicture(all[i].Table), q.who.Has(people.SecurityOfficer) && all[i].Ended.IsZero()})
}

func (q *request) retireTable() error {
	key := q.PathValue("table")
	if err := q.site.node.RevokeTable(q.ctx(), q.who.Person, key, q.field("why")); err != nil {
		return act(err)
	}
	return q.redirect(address("control", "tables", key), q.say("table.retired.done"))
}
