package web

import (
	"cmp"
	"io"
	"slices"
	"time"

	"causeway/internal/desk"
	"causeway/internal/line"
	"causeway/internal/people"
)

func attestationRoutes() []Route {
	return []Route{
		get("/control/attestations", (*request).attestations),
		post("/control/attestations", (*request).attest),
		post("/control/attestations/file", (*request).acceptFile),
		post("/control/attestations/decide", (*request).decideAttestation),
		post("/control/attestations/admit", (*request).admit),
	}
}

type attestationsData struct {
	Subs    []sub
	Given   []attestedView
	Taken   []takenView
	Waiting int
	Draft   *attestDraft
}

// attestedView is an attestation that this node gave.
type attestedView struct {
	desk.Attested
	Name    string // of the person
	To      string // name of the partner
	State   string // class
	Word    string
	Receipt *line.Delivery // of the last word about it
	Says    []Marking
}

// takenView is one that a partner gave.
type takenView struct {
	desk.Accepted
	From     string
	State    string
	Word     string
	Says     []Marking
	Waits    bool
	Admitted bool // the visitor may sign in
	MayAdmit bool
}

// attestDraft is an attestation that is looked at before it is signed.
type attestDraft struct {
	desk.Attested
	Name, To, Until string
	Says            []Marking
}

func (q *request) says(clearances []string) (out []Marking) {
	for _, xml := range clearances {
		out = append(out, q.clearanceMarking([]byte(xml)))
	}
	return out
}

// attestedViews lists what this node attested, the newest first, with what the
// partners' receipts say of it.
func (q *request) attestedViews() ([]attestedView, error) {
	given, _, err := q.site.node.Desk.Attestations(q.ctx())
	if err != nil {
		return nil, err
	}
	names, err := q.partnerNames()
	if err != nil {
		return nil, err
	}
	var out []attestedView
	for _, a := range given {
		v := attestedView{Attested: a, Name: a.Person, To: cmp.Or(names[a.For], a.For), Says: q.says(a.Clearances)}
		if p, err := q.site.node.People.Get(q.ctx(), a.Person); err == nil {
			v.Name = p.Name
		}
		receipts, err := q.site.node.Desk.WordReceipts(q.ctx(), a)
		if err != nil {
			return nil, err
		}
		v.Receipt, v.State, v.Word = receipts.Given, "good", q.say("attested.in-force")
		switch {
		case a.Revoked != nil:
			v.Receipt, v.State, v.Word = receipts.Revoked, "bad", q.say("attested.revoked")
		case !q.now.Before(a.NotAfter):
			v.State, v.Word = "idle", q.say("attested.ended")
		}
		out = append(out, v)
	}
	slices.SortStableFunc(out, func(a, b attestedView) int { return b.At.Compare(a.At) })
	return out, nil
}

func (q *request) takenViews() ([]takenView, error) {
	_, taken, err := q.site.node.Desk.Attestations(q.ctx())
	if err != nil {
		return nil, err
	}
	names, err := q.partnerNames()
	if err != nil {
		return nil, err
	}
	var out []takenView
	for _, a := range taken {
		v := takenView{Accepted: a, From: cmp.Or(names[a.Issuer], a.Issuer), Says: q.says(a.Clearances), Waits: a.Waits() && q.now.Before(a.NotAfter)}
		switch {
		case a.Revoked != nil:
			v.State, v.Word = "bad", q.say("attested.taken-back")
		case a.Declined != nil:
			v.State, v.Word = "bad", q.say("attested.declined")
		case !q.now.Before(a.NotAfter):
			v.State, v.Word = "idle", q.say("attested.ended")
		case v.Waits:
			v.State, v.Word = "care", q.say("attested.waits")
		default:
			v.State, v.Word, v.MayAdmit = "good", q.say("attested.in-force"), true
		}
		if _, err := q.site.node.People.Get(q.ctx(), a.Pseudonym); err == nil {
			v.Admitted, v.MayAdmit = true, false
		}
		out = append(out, v)
	}
	slices.SortStableFunc(out, func(a, b takenView) int { return b.Came.Compare(a.Came) })
	return out, nil
}

// attestations shows what this node said of its people to partners, and what
// partners said of theirs.
func (q *request) attestations() error { return q.showAttestations(nil) }

func (q *request) showAttestations(draft *attestDraft) error {
	if err := q.need(people.SecurityOfficer); err != nil {
		return err
	}
	data := attestationsData{Subs: q.controlSubs("control.attestations"), Draft: draft}
	var err error
	if data.Given, err = q.attestedViews(); err != nil {
		return err
	}
	if data.Taken, err = q.takenViews(); err != nil {
		return err
	}
	for _, t := range data.Taken {
		if t.Waits {
			data.Waiting++
		}
	}
	return q.render("attestations", "place.control", q.say("control.attestations"), data)
}

// attest previews what would be said of a person, says it, or takes it back.
func (q *request) attest() error {
	d, by := q.site.node.Desk, q.who.Person
	switch q.field("do") {
	case "revoke":
		_, _, err := d.RevokeAttestation(q.ctx(), by, q.field("serial"), q.field("why"))
		return q.afterPeople(err, "/control/attestations", q.say("attested.revoked.done"))
	case "preview", "attest":
	default:
		return refused("%s", q.say("act.unknown"))
	}
	until, err := time.ParseInLocation(time.DateOnly, q.field("until"), q.zone)
	if err != nil {
		return refused("%s", q.say("grant.dates"))
	}
	if q.field("do") == "attest" {
		a, _, err := d.Attest(q.ctx(), by, q.field("person"), q.field("to"), until)
		return q.afterPeople(err, "/control/attestations", q.say("attested.done", a.Pseudonym))
	}
	a, err := d.PreviewAttest(q.ctx(), by, q.field("person"), q.field("to"), until)
	if err != nil {
		return act(err)
	}
	names, err := q.partnerNames()
	if err != nil {
		return err
	}
	p, err := q.site.node.People.Get(q.ctx(), a.Person)
	if err != nil {
		return err
	}
	return q.showAttestations(&attestDraft{Attested: a, Name: p.Name, To: names[a.For], Until: q.field("until"), Says: q.says(a.Clearances)})
}

// acceptFile takes up an attestation that came as a file.
func (q *request) acceptFile() error {
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
	_, err = q.site.node.Desk.AcceptAttestation(q.ctx(), q.who.Person, b)
	return q.afterPeople(err, "/control/attestations", q.say("attested.accepted"))
}

// decideAttestation accepts or declines what came over the line.
func (q *request) decideAttestation() error {
	accept := q.field("do") == "accept"
	said := q.say("attested.declined.done")
	if accept {
		said = q.say("attested.accepted")
	}
	_, err := q.site.node.Desk.DecideAttestation(q.ctx(), q.who.Person, q.field("issuer"), q.field("serial"), accept, q.field("why"))
	return q.afterPeople(err, "/control/attestations", said)
}

// admit lets a visitor sign in under their pseudonym.
func (q *request) admit() error {
	err := q.site.node.Desk.Admit(q.ctx(), q.who.Person, q.field("pseudonym"), q.PostFormValue("password"))
	return q.afterPeople(err, "/control/attestations", q.say("attested.admitted", q.field("pseudonym")))
}
