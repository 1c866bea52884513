package web

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"causeway/internal/people"
	"causeway/internal/statement"
)

func publicRoutes() []Route {
	routes := []Route{
		get("/public", (*request).statements),
		get("/public/draft", (*request).draftForm),
		post("/public/draft", (*request).draft),
		get("/public/drafts/{draft}", (*request).draftPage),
		post("/public/drafts/{draft}", (*request).actOnDraft),
		get("/public/drafts/{draft}/statement.json", (*request).draftBytes),
		get("/public/asked/{node}/{digest}", (*request).asked),
		post("/public/asked/{node}/{digest}", (*request).answerAsked),
		get("/public/statements/{id}", (*request).statement),
		get("/public/statements/{id}/correct", (*request).correctForm),
		post("/public/statements/{id}/correct", (*request).correct),
		get("/public/statements/{id}/retract", (*request).retractForm),
		post("/public/statements/{id}/retract", (*request).retract),
		get("/public/due", (*request).due),
		get("/public/keys", (*request).keys),
		post("/public/keys", (*request).changeKeys),
		get("/public/coverage", (*request).coverage),
	}
	for i := range routes {
		if strings.Contains(routes[i].Pattern, "{") {
			routes[i].Example = map[string]string{"id": "urn:uuid:00000000-0000-4000-8000-000000000000",
				"draft": "00000000-0000-4000-8000-000000000000-1", "node": "x", "digest": strings.Repeat("0", 64)}
		}
	}
	return append(routes, perceptionRoutes()...)
}

func (q *request) publicSubs(here string) (out []sub) {
	for _, s := range []struct{ name, href string }{
		{"public.statements", "/public"}, {"public.due", "/public/due"}, {"public.coverage", "/public/coverage"}, {"public.perception", "/public/perception"}, {"public.keys", "/public/keys"},
	} {
		out = append(out, sub{q.say(s.name), s.href, s.name == here})
	}
	return out
}

// folder is where the node makes its statements.
func (s *Site) folder() statement.Folder {
	return statement.Folder(filepath.Join(s.node.Dir, "statements"))
}

type statementsData struct {
	Subs      []sub
	Published []statementView
	Drafts    []draftView
	Asked     []askedView
	Findings  []statement.Finding
	AsOf      time.Time
	Witnesses []statement.Cosignature
	Quorum    statement.WitnessPolicy
	Nations   int
	Current   int
	CanWrite  bool
}

type statementView struct {
	statement.Checked
	Title, Lang string
	Class       string
	Href        string
}

// statements lists what was said in public, and whether an outsider who checks
// it would find it whole.
func (q *request) statements() error {
	folder := q.site.folder()
	data := statementsData{Subs: q.publicSubs("public.statements"), CanWrite: q.who.Has(people.Spokesperson)}
	records, _, err := statement.Load(folder.Site())
	if err != nil {
		return err
	}
	titles := map[string]statement.Text{}
	langs := map[string]string{}
	for _, r := range records {
		if s, err := statement.Parse(r.JSON); err == nil {
			key := versionKey(s.ID, s.Version)
			langs[key], titles[key] = inTongue(s, q.lang)
		}
	}
	if len(records) > 0 {
		report := statement.Verify(folder.Site(), statement.VerifyOptions{Now: q.now})
		data.Findings, data.AsOf = report.Findings, report.AsOf
		data.Witnesses, data.Quorum, data.Nations = report.Witnesses, report.Quorum, report.Nations()
		for _, c := range report.Statements {
			key := versionKey(c.ID, c.Version)
			v := statementView{Checked: c, Title: titles[key].Title, Lang: langs[key], Class: statementClass(c.Status), Href: address("public", "statements", c.ID)}
			if c.Status == "current" {
				data.Current++
			}
			data.Published = append(data.Published, v)
		}
	}
	drafts, err := folder.Drafts()
	if err != nil {
		return err
	}
	for _, d := range drafts {
		v, err := q.draftView(folder, d)
		if err != nil {
			return err
		}
		data.Drafts = append(data.Drafts, v)
	}
	if data.Asked, err = q.askedViews(); err != nil {
		return err
	}
	return q.render("public", "place.public", q.say("place.public"), data)
}

func versionKey(id string, version int) string { return fmt.Sprint(id, " ", version) }

func statementClass(status string) string {
	switch status {
	case "current":
		return "good"
	case "expired", "not-yet-valid":
		return "care"
	}
	return "idle"
}

// inTongue gives the text in the reader's language where it is authentic, else
// in the first authentic one.
func inTongue(s *statement.Statement, lang string) (string, statement.Text) {
	if t, ok := s.Texts[lang]; ok {
		return lang, t
	}
	for _, l := range s.Authentic {
		if t, ok := s.Texts[l]; ok {
			return l, t
		}
	}
	return "", statement.Text{}
}

type statementData struct {
	*statement.Statement
	Lang     string
	Text     statement.Text
	Others   []tonguedText
	Digest   string
	Versions []versionView
	CanWrite bool
}

// versionView is one version of a statement in the log: nothing ever leaves it.
type versionView struct {
	Version int
	Kind    string
	Title   string
	From    time.Time
	Digest  string
	Newest  bool
}

type tonguedText struct {
	Lang string
	Text statement.Text
}

func (q *request) statement() error {
	records, _, err := statement.Load(q.site.folder().Site())
	if err != nil {
		return err
	}
	data := statementData{CanWrite: q.who.Has(people.Spokesperson)}
	for _, r := range records {
		s, err := statement.Parse(r.JSON)
		if err != nil || s.ID != q.PathValue("id") {
			continue
		}
		_, text := inTongue(s, q.lang)
		data.Statement, data.Digest = s, statement.Digest(r.JSON)
		data.Versions = append(data.Versions, versionView{Version: s.Version, Kind: s.Kind, Title: text.Title, From: s.ValidFrom, Digest: data.Digest})
	}
	if data.Statement == nil {
		return errNotFound
	}
	data.Versions[len(data.Versions)-1].Newest = true
	data.CanWrite = data.CanWrite && data.Kind != "retraction"
	data.Lang, data.Text = inTongue(data.Statement, q.lang)
	for _, l := range data.Authentic {
		if l != data.Lang {
			data.Others = append(data.Others, tonguedText{l, data.Texts[l]})
		}
	}
	return q.render("statement", "place.public", data.Text.Title, data)
}

// answerable are the types of objects that a statement is drafted from.
var answerable = append([]string{"x-causeway-assessment", "report", "grouping"}, narratives...)
