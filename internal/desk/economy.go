package desk

import (
	"context"
	"crypto/rand"
	"encoding/hex"

	"causeway/internal/audit"
	"causeway/internal/people"
	"causeway/label"
	"causeway/stix"
	"causeway/trade/exchange"
	"causeway/trade/scenario"
	"causeway/trade/sharing"
)

// Supply stores a product's flows, production and stocks under a label.
func (d *Desk) Supply(ctx context.Context, by people.Person, s exchange.Supply, l *label.Label) (id string, err error) {
	return d.economy(ctx, by, "state-supply", l, func(p exchange.Params) (*stix.Object, error) { return exchange.World(s, p) })
}

// Scenario stores measures of coercion as an object under a label, so that a
// partner can rerun them.
func (d *Desk) Scenario(ctx context.Context, by people.Person, s *scenario.Scenario, l *label.Label) (id string, err error) {
	return d.economy(ctx, by, "state-scenario", l, func(p exchange.Params) (*stix.Object, error) { return exchange.Scenario(s, p) })
}

// Plan stores a plan of joint action under a label. scenario is the object it
// answers, "" for none.
func (d *Desk) Plan(ctx context.Context, by people.Person, plan *sharing.Plan, title, scenario string, l *label.Label) (id string, err error) {
	if scenario != "" {
		v, err := d.view(by)
		if err != nil {
			return "", err
		}
		if _, err := v.Get(ctx, scenario); err != nil {
			return "", err
		}
	}
	return d.economy(ctx, by, "state-plan", l, func(p exchange.Params) (*stix.Object, error) { return exchange.Plan(plan, title, scenario, p) })
}

// economy stores one object of the economic picture. Its id is salted: it
// must not tell the content to whoever can guess it.
func (d *Desk) economy(ctx context.Context, by people.Person, verb string, l *label.Label, state func(exchange.Params) (*stix.Object, error)) (id string, err error) {
	if err := need(by, "state an economic object", people.Analyst); err != nil {
		return "", err
	}
	salt := make([]byte, 16)
	rand.Read(salt)
	var object *stix.Object
	err = d.put(ctx, audit.Act{Actor: by.ReaderID(), Verb: verb}, l, func(mark string, created stix.Timestamp) ([]*stix.Object, error) {
		object, err = state(exchange.Params{Created: created, CreatedBy: d.Identity, Marks: []string{mark}, Salt: hex.EncodeToString(salt)})
		return []*stix.Object{object}, err
	})
	if err != nil {
		return "", err
	}
	return object.ID(), nil
}
