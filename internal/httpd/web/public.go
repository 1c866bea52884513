package web

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"html/template"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"causeway/internal/audit"
	"causeway/internal/httpd/web/chart"
	"causeway/internal/people"
	"causeway/internal/statement"
	"causeway/internal/statement/verifier"
	"causeway/internal/vault"
	"causeway/stix"
)

func publicRoutes() []Route {
	routes := []Route{
		get("/public", (*request).statements),
		get("/public/draft", (*request).draftForm),
		post("/public/draft", (*request).draft),
		post("/public/sign", (*request).sign),
		post("/public/publish", (*request).publish),
		get("/public/statements/{id}", (*request).statement),
		get("/public/coverage", (*request).coverage),
	}
	for i := range routes {
		if strings.Contains(routes[i].Pattern, "{id}") {
			routes[i].Example = map[string]string{"id": "urn:uuid:00000000-0000-4000-8000-000000000000"}
		}
	}
	return append(routes, perceptionRoutes()...)
}

func (q *request) publicSubs(here string) (out []sub) {
	for _, s := range []struct{ name, href string }{
		{"public.statements", "/public"}, {"public.coverage", "/public/coverage"}, {"public.perception", "/public/perception"},
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
	Subs       []sub
	Published  []statementView
	Drafts     []draftView
	Findings   []statement.Finding
	AsOf       time.Time
	Current    int
	Keys       []string // names of this agency's statement keys
	CanWrite   bool
	CanPublish bool
}

type statementView struct {
	statement.Checked
	Title, Lang string
	Class       string
	Href        string
}

type draftView struct {
	Title, File, Kind string
	Version           int
	Signed            []signature
	Signatures, Need  int
}

// signature is one agency that is to sign.
type signature struct {
	Agency, Nation, Key string
	Done, Mine          bool
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
		for _, c := range report.Statements {
			key := versionKey(c.ID, c.Version)
			v := statementView{Checked: c, Title: titles[key].Title, Lang: langs[key], Class: statementClass(c.Status), Href: address("public", "statements", c.ID)}
			if c.Status == "current" {
				data.Current++
			}
			data.Published = append(data.Published, v)
		}
	}
	return q.draftViews(folder, &data)
}

func (q *request) draftViews(folder statement.Folder, data *statementsData) error {
	secrets, err := folder.Secrets()
	if err != nil {
		return err
	}
	for _, s := range secrets {
		if s.Purpose == "statement" {
			data.Keys = append(data.Keys, s.Name)
		}
	}
	drafts, err := folder.Drafts()
	if err != nil {
		return err
	}
	for _, d := range drafts {
		_, text := inTongue(d.Statement, q.lang)
		v := draftView{Title: text.Title, File: filepath.Base(d.File), Kind: d.Statement.Kind, Version: d.Statement.Version, Need: d.Statement.Policy.K}
		for _, g := range d.Statement.Signatories {
			s := signature{g.Agency, g.Nation, g.Key, strings.Contains(d.Sigs, "— "+g.Key+" "), slices.Contains(data.Keys, g.Key)}
			if s.Done {
				v.Signatures++
			}
			v.Signed = append(v.Signed, s)
		}
		data.CanPublish = data.CanPublish || v.Signatures >= v.Need
		data.Drafts = append(data.Drafts, v)
	}
	data.CanPublish = data.CanPublish && data.CanWrite
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
	Versions []int
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
	data := statementData{}
	for _, r := range records {
		s, err := statement.Parse(r.JSON)
		if err != nil || s.ID != q.PathValue("id") {
			continue
		}
		data.Versions = append(data.Versions, s.Version)
		data.Statement, data.Digest = s, statement.Digest(r.JSON)
	}
	if data.Statement == nil {
		return errNotFound
	}
	data.Lang, data.Text = inTongue(data.Statement, q.lang)
	for _, l := range data.Authentic {
		if l != data.Lang {
			data.Others = append(data.Others, tonguedText{l, data.Texts[l]})
		}
	}
	return q.render("statement", "place.public", data.Text.Title, data)
}

type draftFormData struct {
	Subs      []sub
	Kinds     []string
	Keys      []statement.Key
	Narrative string
	Title     string
	Until     string
}

func (q *request) draftForm() error {
	if err := q.need(people.Spokesperson); err != nil {
		return err
	}
	keys, err := q.site.folder().Keys()
	if err != nil {
		return err
	}
	data := draftFormData{Subs: q.publicSubs("public.statements"), Kinds: []string{"rebuttal", "vision", "cooperation-is", "cooperation-is-not"},
		Narrative: q.URL.Query().Get("narrative"), Title: q.URL.Query().Get("title"), Until: q.now.In(q.zone).AddDate(0, 5, 0).Format(time.DateOnly)}
	for _, k := range keys {
		if k.Purpose == "statement" {
			data.Keys = append(data.Keys, k)
		}
	}
	return q.render("draft", "place.public", q.say("draft.title"), data)
}

// draft freezes a statement: from then on its bytes are what is signed.
func (q *request) draft() error {
	if err := q.need(people.Spokesperson); err != nil {
		return err
	}
	s, err := q.statementOfForm()
	if err != nil {
		return err
	}
	b, err := s.Canonical()
	if err != nil {
		return refused("%v", err)
	}
	if _, err := statement.ParseDraft(b); err != nil {
		return refused("%v", err)
	}
	if err := q.logged("draft-statement", s.ID); err != nil {
		return err
	}
	if _, _, err := q.site.folder().Freeze(s); err != nil {
		return act(err)
	}
	return q.redirect("/public", q.say("draft.done"))
}

func (q *request) statementOfForm() (*statement.Statement, error) {
	until, err := time.ParseInLocation(time.DateOnly, q.field("until"), time.UTC)
	if err != nil {
		return nil, refused("%s", q.say("draft.until.wrong"))
	}
	s := &statement.Statement{ID: "urn:uuid:" + randomUUID(), Version: 1, Kind: q.field("kind"), ValidFrom: q.now.UTC().Truncate(time.Second), ValidUntil: &until,
		Texts: map[string]statement.Text{}, Contact: q.field("contact"), CorrectionsU: q.field("corrections")}
	for _, lang := range Languages {
		if t := (statement.Text{Title: q.field("title." + lang), Body: q.field("body." + lang)}); t.Title != "" || t.Body != "" {
			s.Texts[lang] = t
			s.Authentic = append(s.Authentic, lang)
		}
	}
	if n := q.field("narrative"); n != "" {
		s.Narratives = []string{n}
	}
	if what := q.field("evidence"); what != "" {
		s.Evidence = []statement.Evidence{{ID: "e1", Supports: []string{"body"}, What: what, Locator: q.field("locator"), SHA256: q.field("sha256")}}
	}
	keys, err := q.site.folder().Keys()
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if k.Purpose != "statement" || !slices.Contains(q.PostForm["signatory"], k.Name) {
			continue
		}
		domain, _, _ := strings.Cut(k.Name, "/")
		role := "co-signer"
		if len(s.Signatories) == 0 {
			role = "lead"
		}
		s.Signatories = append(s.Signatories, statement.Signatory{Agency: domain, Nation: k.Nation, Domain: domain, Key: k.Name, Role: role})
		if !slices.Contains(s.Policy.Of, k.Nation) {
			s.Policy.Of = append(s.Policy.Of, k.Nation)
		}
	}
	s.Policy.K = len(s.Policy.Of)
	return s, nil
}

// randomUUID is a UUID of version 4.
func randomUUID() string {
	var u [16]byte
	rand.Read(u[:])
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return stix.UUID(u).String()
}

// logged records an act on the folder of statements, before it is done: a
// record without its act tells of an attempt, an act without its record does
// not exist.
func (q *request) logged(verb, subject string) error {
	_, err := q.site.node.Vault.Act(q.ctx(), audit.Act{Actor: q.who.ReaderID(), Verb: verb, Subject: subject}, func(*vault.Tx) error { return nil })
	return err
}

// sign adds the agency's signatures to a frozen draft.
func (q *request) sign() error {
	if err := q.need(people.Spokesperson); err != nil {
		return err
	}
	drafts, err := q.site.folder().Drafts()
	if err != nil {
		return err
	}
	for _, d := range drafts {
		if filepath.Base(d.File) != q.field("draft") {
			continue
		}
		if err := q.logged("sign-statement", d.Statement.ID); err != nil {
			return err
		}
		digest, err := q.site.folder().Sign(d.File, q.field("key"))
		if err != nil {
			return act(err)
		}
		return q.redirect("/public", q.say("sign.done", digest[:12]))
	}
	return errNotFound
}

// publish logs the drafts that have their signatures and writes the site.
func (q *request) publish() error {
	if err := q.need(people.Spokesperson); err != nil {
		return err
	}
	if err := q.logged("publish-statements", ""); err != nil {
		return err
	}
	quorum, err := q.site.folder().Quorum()
	if err != nil {
		return err
	}
	page, err := verifier.Files()
	if err != nil {
		return err
	}
	reach := func(w statement.WitnessAt) statement.Cosigner {
		return statement.RemoteWitness{WitnessAt: w, Ctx: q.ctx(), Client: http.DefaultClient}
	}
	done, err := q.site.folder().Publish(statement.Round{Now: q.now, Verifier: page, Reach: reach, Metadata: statement.Metadata{Publisher: q.site.node.Config.Name, Contact: q.say("draft.office"), Role: "publisher",
		CanonicalURL: "https://" + q.Request.Host + "/", Witnesses: quorum}})
	if err != nil {
		return act(err)
	}
	return q.redirect("/public", q.say("publish.done", done.Drafts, done.Statements))
}

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

// coverage sets narratives observed against statements that answer them.
func (q *request) coverage() error {
	rows, err := q.collect(vault.Match{Types: []string{"narrative", "campaign", "x-causeway-narrative"}}, 500)
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
		r.DraftTo = "/public/draft?narrative=" + urlEscape(cmp.Or(r.Public, "")) + "&title=" + urlEscape(it.Title)
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
