package web

import (
	"encoding/json"
	"time"

	"causeway/internal/people"
	"causeway/internal/statement"
)

type keysData struct {
	Subs      []sub
	Keys      []keyView
	Witnesses []statement.WitnessAt
	Purposes  []string
	CanChange bool
}

type keyView struct {
	statement.Key
	Own         bool
	State, Word string
	Public      string // the public half as JSON, to hand to partners
}

// keys lists every key that is trusted for statements: whose, for what, since
// when, and which are this agency's own.
func (q *request) keys() error {
	folder := q.site.folder()
	keys, err := folder.Keys()
	if err != nil {
		return err
	}
	secrets, err := folder.Secrets()
	if err != nil {
		return err
	}
	own := map[string]bool{}
	for _, s := range secrets {
		own[s.Name] = true
	}
	data := keysData{Subs: q.publicSubs("public.keys"), Purposes: []string{"statement", "log", "metadata", "witness"}, CanChange: q.who.Has(people.SecurityOfficer)}
	if data.Witnesses, err = folder.Witnesses(); err != nil {
		return err
	}
	for _, k := range keys {
		b, err := json.Marshal(k)
		if err != nil {
			return err
		}
		v := keyView{Key: k, Own: own[k.Name], Public: string(b), State: "good", Word: q.say("keys.in-use")}
		switch {
		case k.Compromised != nil:
			v.State, v.Word = "bad", q.say("keys.compromised")
		case k.RetiredAt != nil:
			v.State, v.Word = "idle", q.say("keys.retired")
		}
		data.Keys = append(data.Keys, v)
	}
	return q.render("statement-keys", "place.public", q.say("public.keys"), data)
}

// changeKeys makes a key, trusts a partner's, or says from when one is no
// longer good.
func (q *request) changeKeys() error {
	if err := q.need(people.SecurityOfficer); err != nil {
		return err
	}
	folder, said := q.site.folder(), ""
	if err := q.logged("change-statement-keys", q.field("name")); err != nil {
		return err
	}
	switch q.field("do") {
	case "make":
		secret, err := statement.NewSecret(q.field("name"), q.field("purpose"), q.field("nation"))
		if err != nil {
			return act(err)
		}
		if _, err := folder.AddKey(secret, q.now); err != nil {
			return act(err)
		}
		said = q.say("keys.made", secret.Name)
	case "trust":
		name, err := folder.TrustKey([]byte(q.field("key")))
		if err != nil {
			return act(err)
		}
		said = q.say("keys.trusted", name)
	case "retire", "compromise":
		at, err := time.ParseInLocation("2006-01-02T15:04", q.field("at"), q.zone)
		if err != nil {
			return refused("%s", q.say("keys.at.wrong"))
		}
		if err := folder.Withdraw(q.field("name"), at, q.field("do") == "compromise"); err != nil {
			return act(err)
		}
		said = q.say("keys.withdrawn", q.field("name"))
	default:
		return refused("%s", q.say("act.unknown"))
	}
	return q.redirect("/public/keys", said)
}
