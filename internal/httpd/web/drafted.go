package web

import (
	"cmp"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"causeway/internal/audit"
	"causeway/internal/people"
	"causeway/internal/statement"
	"causeway/internal/statement/verifier"
	"causeway/internal/vault"
)

// draftView is a frozen draft and how far it is.
type draftView struct {
	Title, Lang, Href string
	Kind              string
	Version           int
	Signed            []signature
	Signatures, Need  int
	Reviews           []reviewView
	Digest            string
	Ready             bool // reviewed and signed
	State, Word       string
}

// signature is one agency that is to sign.
type signature struct {
	Agency, Nation, Key string
	Done, Mine          bool
	Asked               *statementAsk // what a partner of this key's nation was asked
}

// statementAsk is a question to a partner and what came of it.
type statementAsk struct {
	Partner string
	At      time.Time
	Until   time.Time
	Refused string
	Came    bool // signatures have come and wait to be taken up
}

// reviewView is one of the two reviews.
type reviewView struct {
	Kind, Role string
	By, Note   string
	At         time.Time
	Done       bool
	Agrees     bool
	MayDecide  bool
}

// reviewer is the role that gives a kind of review.
var reviewer = map[string]people.Role{statement.LegalReview: people.LegalAdviser, statement.ReleaseReview: people.ReleaseOfficer}

func (q *request) draftView(folder statement.Folder, d statement.Drafted) (draftView, error) {
	lang, text := inTongue(d.Statement, q.lang)
	v := draftView{Title: text.Title, Lang: lang, Href: address("public", "drafts", draftName(d.File)), Kind: d.Statement.Kind, Version: d.Statement.Version,
		Need: d.Statement.Policy.K, Digest: statement.Digest(d.JSON)}
	own, err := q.ownKeys()
	if err != nil {
		return v, err
	}
	nations := map[string]bool{}
	for _, g := range d.Statement.Signatories {
		s := signature{Agency: g.Agency, Nation: g.Nation, Key: g.Key, Done: strings.Contains(d.Sigs, "— "+g.Key+" "), Mine: slices.Contains(own, g.Key)}
		if s.Done {
			nations[g.Nation] = true
		}
		v.Signed = append(v.Signed, s)
	}
	v.Signatures = len(nations)
	w, err := folder.Work(d.File)
	if err != nil {
		return v, err
	}
	for _, kind := range statement.ReviewKinds {
		r := reviewView{Kind: kind, Role: string(reviewer[kind]), MayDecide: q.who.Has(reviewer[kind]) && w.By != q.who.ReaderID()}
		if x := w.Review(kind, v.Digest); x != nil {
			r.By, r.Note, r.At, r.Done, r.Agrees = q.named(x.By), x.Note, x.At, true, x.Agrees
			r.MayDecide = r.MayDecide && x.By == q.who.ReaderID()
		}
		for _, x := range w.Reviews {
			r.MayDecide = r.MayDecide && !(x.By == q.who.ReaderID() && x.Kind != kind)
		}
		v.Reviews = append(v.Reviews, r)
	}
	open := w.Open(v.Digest)
	v.Ready = open == "" && v.Signatures >= v.Need
	switch {
	case strings.Contains(open, "objects"):
		v.State, v.Word = "bad", q.say("drafted.objected")
	case open != "":
		v.State, v.Word = "care", q.say("drafted.in-review")
	case !v.Ready:
		v.State, v.Word = "care", q.say("drafted.signing")
	default:
		v.State, v.Word = "good", q.say("drafted.ready")
	}
	return v, nil
}

type draftPageData struct {
	draftView
	Subs     []sub
	S        *statement.Statement
	Tongues  []tonguedText
	Groups   []string // the digest as it is read aloud
	Changes  []change
	From     *item
	By       string
	Partners []partnerChoice
	Deadline string
	Edit     string // where its words are changed
	CanWrite bool
}

type partnerChoice struct{ Node, Name, Nation string }

// change is one text of a version beside what it was.
type change struct{ Where, Lang, Was, Is string }

// draftPage is the preview of what will be signed and published: the exact
// words, what they change, who has reviewed and signed them.
func (q *request) draftPage() error {
	d, err := q.drafted(q.PathValue("draft"))
	if err != nil {
		return err
	}
	folder := q.site.folder()
	data := draftPageData{Subs: q.publicSubs("public.statements"), S: d.Statement, CanWrite: q.who.Has(people.Spokesperson), Groups: readAloud(statement.Digest(d.JSON)),
		Deadline: q.now.In(q.zone).AddDate(0, 0, 7).Format(time.DateOnly)}
	if data.draftView, err = q.draftView(folder, d); err != nil {
		return err
	}
	data.Edit = "/public/draft?draft=" + urlEscape(draftName(d.File))
	for _, l := range d.Statement.Authentic {
		data.Tongues = append(data.Tongues, tonguedText{l, d.Statement.Texts[l]})
	}
	w, err := folder.Work(d.File)
	if err != nil {
		return err
	}
	if w.By != "" {
		data.By = q.named(w.By)
	}
	if w.From != "" {
		if row, err := q.view().Get(q.ctx(), w.From); err == nil {
			it, err := q.item(row)
			if err != nil {
				return err
			}
			data.From = &it
		}
	}
	if data.Changes, err = q.rewording(d.Statement); err != nil {
		return err
	}
	if err := q.askedOf(&data); err != nil {
		return err
	}
	return q.render("drafted", "place.public", data.Title, data)
}

// named gives the name of one of the node's people; reviews by command carry
// whatever name was given.
func (q *request) named(reader string) string {
	if p, err := q.site.node.People.Get(q.ctx(), strings.TrimPrefix(reader, "person:")); err == nil {
		return p.Name
	}
	return reader
}

// readAloud gives a digest in groups that two people can read to each other.
func readAloud(digest string) (groups []string) {
	b, err := hex.DecodeString(digest)
	if err != nil {
		return nil
	}
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)
	for g := range slices.Chunk([]byte(text), 4) {
		groups = append(groups, string(g))
	}
	return groups
}

// rewording sets a version beside the one before it, text by text.
func (q *request) rewording(s *statement.Statement) (out []change, err error) {
	if s.Version == 1 {
		return nil, nil
	}
	records, _, err := statement.Load(q.site.folder().Site())
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		old, err := statement.Parse(r.JSON)
		if err != nil || statement.Digest(r.JSON) != s.Supersedes {
			continue
		}
		differ := func(where, lang, was, is string) {
			if was != is {
				out = append(out, change{where, lang, was, is})
			}
		}
		differ(q.say("object.kind"), "", q.word("statement", old.Kind), q.word("statement", s.Kind))
		differ(q.say("clearance.until"), "", endOf(old), endOf(s))
		for _, lang := range s.Authentic {
			a, b := old.Texts[lang], s.Texts[lang]
			differ(q.say("draft.name"), lang, a.Title, b.Title)
			differ(q.say("draft.body"), lang, a.Body, b.Body)
			for _, id := range lineIDs(old, s) {
				differ(q.say("draft.line")+" "+id, lang, lineText(a, id), lineText(b, id))
			}
		}
		for _, id := range lineIDs(old, s) {
			differ(q.say("draft.line")+" "+id, "", lineTest(q, old, id), lineTest(q, s, id))
		}
	}
	return out, nil
}

func endOf(s *statement.Statement) string {
	if s.ValidUntil == nil {
		return "–"
	}
	return s.ValidUntil.UTC().Format(time.DateOnly)
}

func lineIDs(all ...*statement.Statement) (out []string) {
	for _, s := range all {
		for _, l := range s.Lines {
			if !slices.Contains(out, l.ID) {
				out = append(out, l.ID)
			}
		}
	}
	return out
}

func lineText(t statement.Text, id string) string {
	for _, l := range t.Lines {
		if l.ID == id {
			return l.Text
		}
	}
	return ""
}

func lineTest(q *request, s *statement.Statement, id string) string {
	for _, l := range s.Lines {
		if l.ID == id {
			return strings.Join([]string{l.Anchor, l.Test, l.Falsifier, l.From + "–" + l.Until, l.NextCheck, l.LastChecked, l.LastResult, q.word("line.status", l.Status)}, " · ")
		}
	}
	return ""
}

// draftBytes gives the exact bytes, for whoever signs on a machine of their own.
func (q *request) draftBytes() error {
	d, err := q.drafted(q.PathValue("draft"))
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", filepath.Base(d.File)))
	_, _ = q.w.Write(d.JSON) // the reader has gone away
	return nil
}

// actOnDraft reviews, signs, asks, takes up, publishes or discards.
func (q *request) actOnDraft() error {
	d, err := q.drafted(q.PathValue("draft"))
	if err != nil {
		return err
	}
	switch q.field("do") {
	case "review":
		return q.review(d)
	case "sign":
		return q.sign(d)
	case "ask":
		return q.askPartners(d)
	case "take":
		return q.takeUp(d)
	case "publish":
		return q.publish(d)
	case "discard":
		return q.discard(d)
	}
	return refused("%s", q.say("act.unknown"))
}

func (q *request) backToDraft(d statement.Drafted, said string) error {
	return q.redirect(address("public", "drafts", draftName(d.File)), said)
}

// review keeps a person's decision on the exact bytes. The release review
// looks once more for what is above PUBLIC.
func (q *request) review(d statement.Drafted) error {
	kind := q.field("kind")
	role, ok := reviewer[kind]
	if !ok {
		return refused("%s", q.say("act.unknown"))
	}
	if err := q.need(role); err != nil {
		return err
	}
	agrees := q.field("verdict") == "agree"
	if kind == statement.ReleaseReview && agrees {
		w, err := q.site.folder().Work(d.File)
		if err != nil {
			return err
		}
		from := w.From
		if from != "" {
			if _, err := q.view().Get(q.ctx(), from); err != nil {
				return refused("%s", q.say("drafted.source-unseen"))
			}
		}
		if err := q.nothingAbovePublic(d.Statement, from); err != nil {
			return err
		}
	}
	verb := map[bool]string{true: "agree-statement", false: "object-statement"}[agrees]
	if err := q.logged(verb, d.Statement.ID); err != nil {
		return err
	}
	err := q.site.folder().Decide(d.File, statement.Review{Kind: kind, By: q.who.ReaderID(), At: q.now.UTC().Truncate(time.Second), Digest: q.field("digest"), Agrees: agrees, Note: q.field("note")})
	if err != nil {
		return act(err)
	}
	return q.backToDraft(d, q.say("drafted.reviewed"))
}

// logged records an act on the folder of statements, before it is done: a
// record without its act tells of an attempt, an act without its record does
// not exist.
func (q *request) logged(verb, subject string) error {
	_, err := q.site.node.Vault.Act(q.ctx(), audit.Act{Actor: q.who.ReaderID(), Verb: verb, Subject: subject}, func(*vault.Tx) error { return nil })
	return err
}

// sign adds the agency's signatures to a frozen draft.
func (q *request) sign(d statement.Drafted) error {
	if err := q.need(people.Spokesperson); err != nil {
		return err
	}
	if err := q.logged("sign-statement", d.Statement.ID); err != nil {
		return err
	}
	digest, err := q.site.folder().Sign(d.File, q.field("key"))
	if err != nil {
		return act(err)
	}
	return q.backToDraft(d, q.say("sign.done", digest[:12]))
}

// publish logs a draft that is reviewed and signed, and writes the site.
func (q *request) publish(d statement.Drafted) error {
	if err := q.need(people.Spokesperson); err != nil {
		return err
	}
	if err := q.logged("publish-statements", d.Statement.ID); err != nil {
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
	domain, _, _ := strings.Cut(cmp.Or(leadKey(d.Statement), q.Request.Host), "/")
	done, err := q.site.folder().Publish(statement.Round{Now: q.now, Verifier: page, Only: []string{filepath.Base(d.File)}, Releaser: publicRefs{q.ctx(), q.view()},
		Reach: func(w statement.WitnessAt) statement.Cosigner {
			return statement.RemoteWitness{WitnessAt: w, Ctx: q.ctx(), Client: http.DefaultClient}
		},
		Metadata: statement.Metadata{Publisher: q.site.node.Config.Name, Contact: q.say("draft.office"), Role: "publisher", CanonicalURL: "https://" + domain + "/", Witnesses: quorum}})
	if err != nil {
		return act(err)
	}
	said := q.say("publish.done", done.Drafts, done.Statements)
	for _, a := range done.Asked {
		if a.Err != nil {
			said += " " + q.say("publish.witness-away", a.Name)
		}
	}
	return q.redirect(address("public", "statements", d.Statement.ID), said)
}

func leadKey(s *statement.Statement) string {
	for _, g := range s.Signatories {
		if g.Role == "lead" {
			return g.Key
		}
	}
	return ""
}

// discard takes a draft back before anything left the node.
func (q *request) discard(d statement.Drafted) error {
	if err := q.need(people.Spokesperson); err != nil {
		return err
	}
	if err := q.logged("discard-draft", d.Statement.ID); err != nil {
		return err
	}
	if err := q.site.folder().Discard(d.File); err != nil {
		return act(err)
	}
	return q.redirect("/public", q.say("drafted.discarded"))
}
