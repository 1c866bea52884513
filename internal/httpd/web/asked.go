package web

import (
	"path/filepath"
	"slices"
	"time"

	"causeway/internal/desk"
	"causeway/internal/line"
	"causeway/internal/people"
	"causeway/internal/statement"
	"causeway/trade/place"
)

// askedView is a partner's statement that this agency is asked to co-sign.
type askedView struct {
	From, Node  string
	Title, Lang string
	Href        string
	Until, Came time.Time
	State, Word string
}

func (q *request) askedViews() (out []askedView, err error) {
	all, err := q.site.node.Desk.CosignAsked(q.ctx())
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		s, err := statement.Parse(a.Record)
		if err != nil {
			return nil, err
		}
		lang, text := inTongue(s, q.lang)
		v := askedView{From: q.source("partner:" + a.From), Node: a.From, Title: text.Title, Lang: lang, Href: address("public", "asked", a.From, statement.Digest(a.Record)), Until: a.Until, Came: a.Came}
		v.State, v.Word = q.askedState(a)
		out = append(out, v)
	}
	return out, nil
}

func (q *request) askedState(a desk.CosignAsked) (class, word string) {
	switch {
	case a.Answer != nil && a.Answer.Signatures != "":
		return "good", q.say("public.signed")
	case a.Answer != nil:
		return "idle", q.say("asked.refused")
	case q.now.After(a.Until):
		return "bad", q.say("asked.too-late")
	}
	return "care", q.say("asked.waits")
}

type askedData struct {
	askedView
	Subs     []sub
	S        *statement.Statement
	Tongues  []tonguedText
	Digest   string
	Groups   []string
	Keys     []string // this agency's keys that the statement names
	Answer   *desk.CosignAnswer
	CanWrite bool
}

func (q *request) findAsked() (a desk.CosignAsked, s *statement.Statement, err error) {
	all, err := q.site.node.Desk.CosignAsked(q.ctx())
	if err != nil {
		return a, nil, err
	}
	for _, a := range all {
		if a.From == q.PathValue("node") && statement.Digest(a.Record) == q.PathValue("digest") {
			s, err := statement.Parse(a.Record)
			return a, s, err
		}
	}
	return a, nil, errNotFound
}

// asked shows the exact words that a partner asks this agency to sign.
func (q *request) asked() error {
	a, s, err := q.findAsked()
	if err != nil {
		return err
	}
	data := askedData{Subs: q.publicSubs("public.statements"), S: s, Digest: statement.Digest(a.Record), Answer: a.Answer, CanWrite: q.who.Has(people.Spokesperson)}
	data.Groups = readAloud(data.Digest)
	data.From, data.Node, data.Until, data.Came = q.source("partner:"+a.From), a.From, a.Until, a.Came
	data.State, data.Word = q.askedState(a)
	lang, text := inTongue(s, q.lang)
	data.Lang, data.Title = lang, text.Title
	for _, l := range s.Authentic {
		data.Tongues = append(data.Tongues, tonguedText{l, s.Texts[l]})
	}
	own, err := q.ownKeys()
	if err != nil {
		return err
	}
	for _, g := range s.Signatories {
		if slices.Contains(own, g.Key) {
			data.Keys = append(data.Keys, g.Key)
		}
	}
	return q.render("asked", "place.public", data.Title, data)
}

// answerAsked signs the exact bytes or says why not, and tells the partner.
func (q *request) answerAsked() error {
	if err := q.need(people.Spokesperson); err != nil {
		return err
	}
	a, _, err := q.findAsked()
	if err != nil {
		return err
	}
	digest, lines, why := statement.Digest(a.Record), "", ""
	switch q.field("do") {
	case "sign":
		if lines, err = q.site.folder().SignBytes(a.Record, q.field("key")); err != nil {
			return act(err)
		}
	case "refuse":
		if why = q.field("why"); why == "" {
			return refused("%s", q.say("asked.why.missing"))
		}
	default:
		return refused("%s", q.say("act.unknown"))
	}
	if err := q.site.node.Desk.AnswerCosign(q.ctx(), q.who.Person, a.From, digest, lines, why); err != nil {
		return act(err)
	}
	if lines != "" {
		if err := q.site.folder().Confirm(digest); err != nil {
			return err
		}
	}
	return q.redirect(address("public", "asked", a.From, digest), q.say("asked.answered"))
}

// askedOf adds to a draft's page whom it was sent to and what they said.
func (q *request) askedOf(data *draftPageData) error {
	partners, err := q.site.node.Line.Partners(q.ctx())
	if err != nil {
		return err
	}
	sent, err := q.site.node.Desk.CosignSent(q.ctx(), data.Digest)
	if err != nil {
		return err
	}
	for _, p := range partners {
		if p.State == line.Active {
			data.Partners = append(data.Partners, partnerChoice{p.NodeID, p.Name, p.Nation})
		}
		i := slices.IndexFunc(sent, func(s desk.CosignSent) bool { return s.To == p.NodeID })
		if i < 0 {
			continue
		}
		ask := &statementAsk{Partner: p.Name, At: sent[i].At, Until: sent[i].Until}
		if a := sent[i].Answer; a != nil {
			ask.Refused, ask.Came = a.Why, a.Signatures != ""
		}
		for k := range data.Signed {
			g := &data.Signed[k]
			if nation, ok := place.Lookup(g.Nation); ok && !g.Mine && nation.Code == p.Nation {
				g.Asked = ask
			}
		}
	}
	return nil
}

// askPartners sends the frozen bytes to partners to be co-signed.
func (q *request) askPartners(d statement.Drafted) error {
	if err := q.need(people.Spokesperson); err != nil {
		return err
	}
	w, err := q.site.folder().Work(d.File)
	if err != nil {
		return err
	}
	if open := w.Open(statement.Digest(d.JSON)); open != "" {
		return refused("%s", q.say("drafted.review-first"))
	}
	until, err := time.ParseInLocation(time.DateOnly, q.field("until"), q.zone)
	if err != nil {
		return refused("%s", q.say("asked.until.wrong"))
	}
	if err := q.site.node.Desk.AskCosign(q.ctx(), q.who.Person, d.JSON, q.PostForm["to"], until.AddDate(0, 0, 1)); err != nil {
		return act(err)
	}
	return q.backToDraft(d, q.say("asked.sent"))
}

// takeUp adds to a draft the signatures that partners sent.
func (q *request) takeUp(d statement.Drafted) error {
	if err := q.need(people.Spokesperson); err != nil {
		return err
	}
	sent, err := q.site.node.Desk.CosignSent(q.ctx(), statement.Digest(d.JSON))
	if err != nil {
		return err
	}
	if err := q.logged("take-cosignatures", filepath.Base(d.File)); err != nil {
		return err
	}
	for _, s := range sent {
		if s.Answer != nil && s.Answer.Signatures != "" {
			if err := q.site.folder().TakeSignatures(d.File, s.Answer.Signatures); err != nil {
				return act(err)
			}
		}
	}
	return q.backToDraft(d, q.say("asked.taken"))
}
