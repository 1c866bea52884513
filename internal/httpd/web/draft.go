package web

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"causeway/internal/people"
	"causeway/internal/statement"
	"causeway/stix"
)

// draftFormData is the form of a new statement, of a frozen draft to be changed,
// and of a correction: the same words, line by line.
type draftFormData struct {
	Subs      []sub
	Heading   string
	Action    string
	Kinds     []string // none: the kind is fixed
	Keys      []keyChoice
	S         *statement.Statement
	Tongues   []tonguedText
	Lines     []lineForm
	Evidence  statement.Evidence
	Narrative string
	Until     string
	From      *item // the object it is drafted from
	FromID    string
	FromOpen  bool   // that object is PUBLIC
	Replaces  string // the draft that it takes the place of
	Correct   *statement.Correction
}

type keyChoice struct {
	Name, Nation string
	Here         bool
}

// lineForm is one testable line in every language of the form.
type lineForm struct {
	N int
	statement.Line
	Tongues []tonguedText // Text.Body is the words
}

// spareLines is how many empty lines a form offers.
const spareLines = 2

// mostLines bounds the lines of a form.
const mostLines = 40

func (q *request) draftForm() error {
	if err := q.need(people.Spokesperson); err != nil {
		return err
	}
	query := q.URL.Query()
	until := q.now.AddDate(0, 5, 0)
	s := &statement.Statement{Kind: "rebuttal", ValidUntil: &until, Contact: q.say("draft.office"), Texts: map[string]statement.Text{}}
	if n := query.Get("narrative"); n != "" {
		s.Narratives = []string{n}
	}
	if title := query.Get("title"); title != "" {
		s.Texts[q.lang] = statement.Text{Title: title}
	}
	form := draftFormData{Heading: q.say("draft.title"), Action: "/public/draft", Kinds: []string{"rebuttal", "vision", "cooperation-is", "cooperation-is-not"}}
	if name := query.Get("draft"); name != "" {
		d, err := q.drafted(name)
		if err != nil {
			return err
		}
		s, form.Replaces = d.Statement, filepath.Base(d.File)
		if s.Version > 1 {
			return q.redirect(address("public", "statements", s.ID, map[bool]string{true: "retract", false: "correct"}[s.Kind == "retraction"])+"?draft="+urlEscape(name), "")
		}
		w, err := q.site.folder().Work(d.File)
		if err != nil {
			return err
		}
		form.FromID = w.From
	}
	form.FromID = cmp.Or(query.Get("from"), form.FromID)
	if form.FromID != "" {
		row, err := q.view().Get(q.ctx(), form.FromID)
		if err != nil {
			return err
		}
		it, err := q.item(row)
		if err != nil {
			return err
		}
		form.From, form.FromOpen = &it, isPublic(row)
		if n := publicID(it.object); n != "" && len(s.Narratives) == 0 {
			s.Narratives = []string{n}
		}
	}
	return q.showDraftForm(form, s)
}

func (q *request) showDraftForm(form draftFormData, s *statement.Statement) error {
	keys, err := q.site.folder().Keys()
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.Purpose == "statement" && k.RetiredAt == nil && k.Compromised == nil {
			here := slices.ContainsFunc(s.Signatories, func(g statement.Signatory) bool { return g.Key == k.Name }) || len(s.Signatories) == 0 && len(form.Keys) == 0
			form.Keys = append(form.Keys, keyChoice{k.Name, k.Nation, here})
		}
	}
	form.Subs, form.S = q.publicSubs("public.statements"), s
	langs := slices.Clone(Languages)
	for _, l := range s.Authentic {
		if !slices.Contains(langs, l) {
			langs = append(langs, l)
		}
	}
	for _, l := range langs {
		form.Tongues = append(form.Tongues, tonguedText{l, s.Texts[l]})
	}
	for i, l := range s.Lines {
		form.Lines = append(form.Lines, lineForm{i, l, lineTongues(s, langs, i)})
	}
	for range spareLines {
		n := len(form.Lines)
		form.Lines = append(form.Lines, lineForm{N: n, Tongues: lineTongues(s, langs, n)})
	}
	if len(s.Evidence) > 0 {
		form.Evidence = s.Evidence[0]
	}
	if len(s.Narratives) > 0 {
		form.Narrative = s.Narratives[0]
	}
	if s.ValidUntil != nil {
		form.Until = s.ValidUntil.UTC().Format(time.DateOnly)
	}
	return q.render("draft", "place.public", form.Heading, form)
}

func lineTongues(s *statement.Statement, langs []string, n int) (out []tonguedText) {
	for _, lang := range langs {
		t := tonguedText{Lang: lang}
		if lines := s.Texts[lang].Lines; n < len(lines) {
			t.Text.Body = lines[n].Text
		}
		out = append(out, t)
	}
	return out
}

// draft freezes a statement: from then on its bytes are what is reviewed and
// signed.
func (q *request) draft() error {
	if err := q.need(people.Spokesperson); err != nil {
		return err
	}
	s := &statement.Statement{ID: "urn:uuid:" + randomUUID(), Version: 1, Kind: q.field("kind"), ValidFrom: q.now.UTC().Truncate(time.Second)}
	if name := q.field("replaces"); name != "" {
		d, err := q.drafted(name)
		if err != nil {
			return err
		}
		if d.Statement.Version != 1 {
			return errNotFound
		}
		s.ID, s.Sample = d.Statement.ID, d.Statement.Sample
	}
	if err := q.words(s); err != nil {
		return err
	}
	if err := q.signers(s); err != nil {
		return err
	}
	return q.freeze(s)
}

// words puts the words of the form into a statement.
func (q *request) words(s *statement.Statement) error {
	until, err := time.ParseInLocation(time.DateOnly, q.field("until"), time.UTC)
	if err != nil {
		return refused("%s", q.say("draft.until.wrong"))
	}
	s.ValidUntil, s.Contact, s.CorrectionsU = &until, q.field("contact"), q.field("corrections")
	s.Texts, s.Authentic, s.Lines = map[string]statement.Text{}, nil, nil
	for _, lang := range q.PostForm["lang"] {
		if t := (statement.Text{Title: q.field("title." + lang), Body: q.field("body." + lang)}); t.Title != "" || t.Body != "" {
			s.Texts[lang] = t
			s.Authentic = append(s.Authentic, lang)
		}
	}
	polarity := map[string]string{"vision": "vision", "cooperation-is-not": "does-not-entail"}
	supports := []string{"body"}
	for n := range mostLines {
		field := func(name string) string { return q.field(fmt.Sprintf("line.%d.%s", n, name)) }
		said := false
		for _, lang := range s.Authentic {
			said = said || field("text."+lang) != ""
		}
		if !said {
			continue
		}
		l := statement.Line{ID: cmp.Or(field("id"), fmt.Sprintf("line-%d", n+1)), Polarity: cmp.Or(polarity[s.Kind], "entails"), Anchor: field("anchor"), Test: field("test"), Falsifier: field("falsifier"),
			From: field("from"), Until: field("until"), NextCheck: field("next"), LastChecked: field("checked"), LastResult: field("result"), Status: cmp.Or(field("status"), "standing")}
		s.Lines = append(s.Lines, l)
		supports = append(supports, l.ID)
		for _, lang := range s.Authentic {
			t := s.Texts[lang]
			t.Lines = append(t.Lines, statement.TextLine{ID: l.ID, Text: field("text." + lang)})
			s.Texts[lang] = t
		}
	}
	s.Narratives = nil
	if n := q.field("narrative"); n != "" {
		s.Narratives = []string{n}
	}
	e := statement.Evidence{ID: "e1", Supports: supports, What: q.field("evidence"), Locator: q.field("locator"), SHA256: q.field("sha256"), Withheld: q.field("withheld")}
	switch {
	case e.What == "" && len(s.Evidence) > 0:
		s.Evidence = s.Evidence[1:]
	case e.What != "" && len(s.Evidence) > 0:
		e.ID, e.Accessed = s.Evidence[0].ID, s.Evidence[0].Accessed
		s.Evidence[0] = e
	case e.What != "":
		s.Evidence = []statement.Evidence{e}
	}
	return nil
}

// signers names the agencies whose keys were chosen; the first leads.
func (q *request) signers(s *statement.Statement) error {
	keys, err := q.site.folder().Keys()
	if err != nil {
		return err
	}
	own, err := q.ownKeys()
	if err != nil {
		return err
	}
	slices.SortStableFunc(keys, func(a, b statement.Key) int { // the agency that drafts leads
		return cmp.Compare(slices.Index(own, b.Name), slices.Index(own, a.Name))
	})
	s.Signatories, s.Policy = nil, statement.Policy{}
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
	return nil
}

// ownKeys names the statement keys of this agency.
func (q *request) ownKeys() (out []string, err error) {
	secrets, err := q.site.folder().Secrets()
	for _, s := range secrets {
		if s.Purpose == "statement" {
			out = append(out, s.Name)
		}
	}
	return out, err
}

// freeze checks a statement, keeps who drafted it from what, and takes the
// place of the draft that it was made from.
func (q *request) freeze(s *statement.Statement) error {
	b, err := s.Canonical()
	if err != nil {
		return refused("%v", err)
	}
	if _, err := statement.ParseDraft(b); err != nil {
		return refused("%v", err)
	}
	from := q.field("from")
	if err := q.nothingAbovePublic(s, from); err != nil {
		return err
	}
	if err := q.logged("draft-statement", s.ID); err != nil {
		return err
	}
	folder := q.site.folder()
	if err := folder.DemandReviews(); err != nil {
		return err
	}
	if name := q.field("replaces"); name != "" {
		d, err := q.drafted(name)
		if err != nil {
			return err
		}
		if d.Statement.ID != s.ID {
			return errNotFound
		}
		if err := folder.Discard(d.File); err != nil {
			return act(err)
		}
	}
	file, _, err := folder.Freeze(s)
	if err != nil {
		return act(err)
	}
	if err := folder.Begin(file, statement.Work{By: q.who.ReaderID(), From: from}); err != nil {
		return err
	}
	return q.redirect(address("public", "drafts", draftName(file)), q.say("draft.done"))
}

func draftName(file string) string { return strings.TrimSuffix(filepath.Base(file), ".json") }

// drafted finds a frozen draft by its name.
func (q *request) drafted(name string) (d statement.Drafted, err error) {
	drafts, err := q.site.folder().Drafts()
	if err != nil {
		return d, err
	}
	for _, d := range drafts {
		if draftName(d.File) == strings.TrimSuffix(name, ".json") {
			return d, nil
		}
	}
	return d, errNotFound
}

// randomUUID is a UUID of version 4.
func randomUUID() string {
	var u [16]byte
	rand.Read(u[:])
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return stix.UUID(u).String()
}
