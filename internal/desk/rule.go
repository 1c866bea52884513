package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"causeway/internal/audit"
	"causeway/internal/line"
	"causeway/internal/people"
	"causeway/internal/vault"
)

// ReleaseRule releases what it describes without a person at each object. The
// label still decides who may read: a rule says what leaves, never who is
// cleared. It sees what the officer who switched it on may see, for as long as
// they are a release officer.
//
// A rule is not edited: what was tested is what is on. A changed rule is
// another one.
type ReleaseRule struct {
	Name       string          `json:"name"`
	Types      []string        `json:"types,omitempty"` // empty: every type
	AtMost     Ceiling         `json:"at_most"`
	Source     string          `json:"source,omitempty"` // "local" or a partner's reader id; "": any
	Text       string          `json:"text,omitempty"`   // every word occurs in the object
	To         []string        `json:"to"`               // node ids
	Precedence line.Precedence `json:"precedence"`

	By     string    `json:"by"` // reader id of who wrote it
	At     time.Time `json:"at"`
	Tested *Mark     `json:"tested,omitempty"`
	On     *Mark     `json:"on,omitempty"`
}

// Mark is who did something to a rule, and when.
type Mark struct {
	By string    `json:"by"` // reader id
	At time.Time `json:"at"`
}

const (
	spaceRule   = "release-rule"
	spaceRuleAt = "release-rule-at" // place in the officer's feed up to which a rule was applied
)

var ruleName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// progress is how far each rule has looked, since its last release was stored.
type progress struct {
	sync.Mutex
	after map[string]int64
}

// Rules lists the release rules, by name.
func (d *Desk) Rules(ctx context.Context) ([]ReleaseRule, error) {
	return scanJSON[ReleaseRule](ctx, d.Vault, spaceRule)
}

// AddRule stores a rule, switched off.
func (d *Desk) AddRule(ctx context.Context, by people.Person, r ReleaseRule) error {
	if err := need(by, "write a release rule", people.ReleaseOfficer); err != nil {
		return err
	}
	if !ruleName.MatchString(r.Name) {
		return fmt.Errorf("rule name %q: use small letters, digits and dashes, up to 63", r.Name)
	}
	if _, err := d.height(r.AtMost.Policy, r.AtMost.Classification); err != nil {
		return fmt.Errorf("the highest label that rule %s releases: %w", r.Name, err)
	}
	if len(r.To) == 0 {
		return fmt.Errorf("rule %s: name at least one partner", r.Name)
	}
	for _, id := range r.To {
		if _, err := d.Line.Partner(ctx, id); err != nil {
			return fmt.Errorf("rule %s: %w", r.Name, err)
		}
	}
	if r.Source != "" && r.Source != local && !strings.HasPrefix(r.Source, "partner:") {
		return fmt.Errorf("rule %s: source %q is neither local nor partner:NODE", r.Name, r.Source)
	}
	r.By, r.Tested, r.On = by.ReaderID(), nil, nil
	act := audit.Act{Actor: by.ReaderID(), Verb: "add-release-rule", Subject: r.Name, Detail: r.detail()}
	_, err := d.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		if _, taken, err := tx.Record(spaceRule, r.Name); err != nil {
			return err
		} else if taken {
			return fmt.Errorf("a rule %s exists already; remove it, or name this one otherwise", r.Name)
		}
		r.At = tx.At()
		return putJSON(tx, spaceRule, r.Name, r)
	})
	return err
}

func (r ReleaseRule) detail() map[string]string {
	return map[string]string{"types": strings.Join(r.Types, " "), "at-most": r.AtMost.Policy + " " + r.AtMost.Classification,
		"source": r.Source, "text": r.Text, "to": strings.Join(r.To, " "), "precedence": r.Precedence.String()}
}

// changeRule changes one rule in an act.
func (d *Desk) changeRule(ctx context.Context, by people.Person, verb, name string, change func(*vault.Tx, *ReleaseRule) error) error {
	if err := need(by, verb, people.ReleaseOfficer); err != nil {
		return err
	}
	_, err := d.Vault.Act(ctx, audit.Act{Actor: by.ReaderID(), Verb: verb, Subject: name}, func(tx *vault.Tx) error {
		b, ok, err := tx.Record(spaceRule, name)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("no release rule %q", name)
		}
		var r ReleaseRule
		if err := json.Unmarshal(b, &r); err != nil {
			return fmt.Errorf("read release rule %s: %w", name, err)
		}
		if err := change(tx, &r); err != nil {
			return err
		}
		return putJSON(tx, spaceRule, name, r)
	})
	return err
}

// SwitchOn puts a rule to work on whatever becomes available from now on. It
// must have been tested against past objects.
func (d *Desk) SwitchOn(ctx context.Context, by people.Person, name string) error {
	return d.changeRule(ctx, by, "switch-release-rule-on", name, func(tx *vault.Tx, r *ReleaseRule) error {
		if r.Tested == nil {
			return fmt.Errorf("rule %s was never tested; test it against past objects first", name)
		}
		r.On = &Mark{by.ReaderID(), tx.At()}
		d.rules.forget(name)
		return tx.PutRecord(spaceRuleAt, name, strconv.AppendInt(nil, tx.At().UnixMicro(), 10))
	})
}

// SwitchOff stops a rule. What it released stays released.
func (d *Desk) SwitchOff(ctx context.Context, by people.Person, name string) error {
	return d.changeRule(ctx, by, "switch-release-rule-off", name, func(_ *vault.Tx, r *ReleaseRule) error {
		r.On = nil
		return nil
	})
}

// RemoveRule removes a rule that is off.
func (d *Desk) RemoveRule(ctx context.Context, by people.Person, name string) error {
	if err := need(by, "remove a release rule", people.ReleaseOfficer); err != nil {
		return err
	}
	rules, err := d.Rules(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(rules, func(r ReleaseRule) bool { return r.Name == name })
	if i < 0 {
		return fmt.Errorf("no release rule %q", name)
	}
	if rules[i].On != nil {
		return fmt.Errorf("rule %s is on; switch it off first", name)
	}
	_, err = d.Vault.Act(ctx, audit.Act{Actor: by.ReaderID(), Verb: "remove-release-rule", Subject: name}, func(tx *vault.Tx) error {
		return tx.DeleteRecord(spaceRule, name)
	})
	return err
}

func (p *progress) forget(name string) {
	p.Lock()
	defer p.Unlock()
	delete(p.after, name)
}

// RuleHit is what a rule would do, or did, with one object.
type RuleHit struct {
	Row      vault.Row
	Objects  int      // it and what it rests on
	To       []string // node ids of the partners that receive it
	Withheld []string // partners of the rule that the label does not admit
	Two      bool     // it takes a second release officer
}

// testLimit bounds how many past objects a test looks at.
const testLimit = 10_000

// TestRule applies a rule to past objects, the newest first, and releases
// nothing. It gives up to limit hits, and how many objects it looked at.
func (d *Desk) TestRule(ctx context.Context, by people.Person, name string, limit int) (hits []RuleHit, looked int, err error) {
	if err := need(by, "test a release rule", people.ReleaseOfficer); err != nil {
		return nil, 0, err
	}
	rules, err := d.Rules(ctx)
	if err != nil {
		return nil, 0, err
	}
	i := slices.IndexFunc(rules, func(r ReleaseRule) bool { return r.Name == name })
	if i < 0 {
		return nil, 0, fmt.Errorf("no release rule %q", name)
	}
	v, err := d.view(by)
	if err != nil {
		return nil, 0, err
	}
	q := vault.Query{Match: rules[i].match(), Limit: 1000, Newest: true}
	for looked < testLimit && len(hits) < limit {
		page, err := v.Page(ctx, q)
		if err != nil {
			return nil, looked, err
		}
		for _, row := range page.Rows {
			looked++
			if !d.chosen(rules[i], row) {
				continue
			}
			hit, _, err := d.hit(ctx, by, rules[i], row)
			if err != nil {
				return nil, looked, err
			}
			if hits = append(hits, hit); len(hits) == limit {
				break
			}
		}
		if !page.More {
			break
		}
		q.Cursor = page.Next
	}
	err = d.changeRule(ctx, by, "test-release-rule", name, func(tx *vault.Tx, r *ReleaseRule) error {
		r.Tested = &Mark{by.ReaderID(), tx.At()}
		return nil
	})
	return hits, looked, err
}

func (r ReleaseRule) match() vault.Match {
	return vault.Match{Types: r.Types, Source: r.Source, Text: r.Text}
}

// chosen says whether a rule is about an object that its match found.
// Definitions go with what they define and are never chosen themselves.
func (d *Desk) chosen(r ReleaseRule, row vault.Row) bool {
	return row.Type != "marking-definition" && row.Type != "extension-definition" && d.within(row, r.AtMost)
}

// hit says what a rule does with one object: nothing goes back to the partner
// that sent it, or to one that holds all of it, and nothing goes above the
// rule's ceiling with what it rests on.
func (d *Desk) hit(ctx context.Context, by people.Person, r ReleaseRule, row vault.Row) (RuleHit, *Preview, error) {
	p, err := d.Preview(ctx, by, row.ID)
	if err != nil {
		return RuleHit{}, nil, err
	}
	hit := RuleHit{Row: row, Objects: len(p.Items)}
	if hit.Two, err = d.needsSecond(ctx, p.Items); err != nil {
		return RuleHit{}, nil, err
	}
	below := true
	for _, item := range p.Items {
		below = below && (item.Effective.Rule.Everyone() || d.within(item, r.AtMost))
	}
	for _, partner := range p.Partners {
		switch {
		case !slices.Contains(r.To, partner.ID):
		case !partner.Allow || !below:
			hit.Withheld = append(hit.Withheld, partner.ID)
		case !partner.Released && row.Source != line.PartnerReader(partner.ID):
			hit.To = append(hit.To, partner.ID)
		}
	}
	return hit, p, nil
}

// RunRules applies every rule that is on to what became available since it
// last did, and says how many releases it made or asked for. One rule's
// failure does not stop another.
func (d *Desk) RunRules(ctx context.Context) (made int, err error) {
	rules, err := d.Rules(ctx)
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, r := range rules {
		if r.On == nil {
			continue
		}
		n, err := d.runRule(ctx, r)
		made += n
		if err != nil {
			errs = append(errs, fmt.Errorf("release rule %s: %w", r.Name, err))
		}
	}
	return made, errors.Join(errs...)
}

// officer is the person whose eyes a rule sees with.
func (d *Desk) officer(ctx context.Context, r ReleaseRule) (people.Person, error) {
	by, err := d.People.Get(ctx, strings.TrimPrefix(r.On.By, "person:"))
	if err != nil {
		return by, err
	}
	if by.Suspended != nil {
		return by, fmt.Errorf("%s, who switched it on, is suspended: %w", by.Name, people.ErrForbidden)
	}
	return by, need(by, "release by a rule", people.ReleaseOfficer)
}

func (d *Desk) runRule(ctx context.Context, r ReleaseRule) (made int, err error) {
	by, err := d.officer(ctx, r)
	if err != nil {
		return 0, err
	}
	v, err := d.view(by)
	if err != nil {
		return 0, err
	}
	after, err := d.ruleAt(ctx, r.Name)
	if err != nil {
		return 0, err
	}
	for {
		page, err := v.Page(ctx, vault.Query{Match: r.match(), After: after, Limit: 1000})
		if err != nil {
			return made, err
		}
		for _, row := range page.Rows {
			after = row.Seq
			if !d.chosen(r, row) {
				continue
			}
			hit, p, err := d.hit(ctx, by, r, row)
			if errors.Is(err, ErrTooMany) {
				d.Log.Warn("a release rule leaves an object to a person", "rule", r.Name, "object", row.ID, "err", err)
				continue
			}
			if err != nil {
				return made, err
			}
			if len(hit.To) == 0 {
				continue
			}
			err = d.releaseOrAsk(ctx, releasing{preview: p, to: hit.To, precedence: r.Precedence, by: r.On.By, rule: r.Name,
				also: func(tx *vault.Tx) error { return reachIn(tx, r, after) }})
			var waits *WaitsError
			switch {
			case errors.Is(err, errReached):
				continue
			case err != nil && !errors.As(err, &waits):
				return made, err
			}
			made++
		}
		d.rules.reach(r.Name, after)
		if !page.More {
			return made, nil
		}
	}
}

// errReached stops a release that another server of the node made.
var errReached = errors.New("the rule was applied to this already")

// reachIn writes how far a rule has looked into the act that releases. A rule
// that was switched off or on again in between does not release.
func reachIn(tx *vault.Tx, r ReleaseRule, at int64) error {
	b, _, err := tx.Record(spaceRule, r.Name)
	if err != nil {
		return err
	}
	var now ReleaseRule
	if len(b) == 0 || json.Unmarshal(b, &now) != nil || now.On == nil || now.On.By != r.On.By || !now.On.At.Equal(r.On.At) {
		return errReached
	}
	if b, _, err = tx.Record(spaceRuleAt, r.Name); err != nil {
		return err
	}
	if done, err := strconv.ParseInt(string(b), 10, 64); err != nil || done >= at {
		return errReached
	}
	return tx.PutRecord(spaceRuleAt, r.Name, strconv.AppendInt(nil, at, 10))
}

// ruleAt is how far a rule has looked. What was looked at in vain is kept in
// memory alone, so that looking leaves no entry in the log: after a restart it
// is looked at again.
func (d *Desk) ruleAt(ctx context.Context, name string) (int64, error) {
	d.rules.Lock()
	at, ok := d.rules.after[name]
	d.rules.Unlock()
	if ok {
		return at, nil
	}
	b, _, err := d.Vault.Record(ctx, spaceRuleAt, name)
	if err != nil {
		return 0, err
	}
	at, err = strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read how far rule %s has looked: %w", name, err)
	}
	return at, nil
}

func (p *progress) reach(name string, at int64) {
	p.Lock()
	defer p.Unlock()
	p.after[name] = at
}
