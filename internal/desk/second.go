package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"causeway/internal/audit"
	"causeway/internal/line"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label/policies"
	"causeway/label/stanag4774"
)

// Ceiling is a classification of a policy, as a limit.
type Ceiling struct {
	Policy         string `json:"policy"` // OID
	Classification string `json:"classification"`
}

// SecondLevels says from which classification on, in each policy, a release
// takes two release officers. A label of a policy that is not listed takes two
// as well: what nobody has thought of is not released by one person.
type SecondLevels struct {
	From []Ceiling `json:"from"`
	Free []string  `json:"free"` // OIDs of policies under which one person suffices
	By   string    `json:"by"`   // reader id of who set it; "" for the default
	At   time.Time `json:"at"`
}

// defaultLevels: SECRET and above; the levels of the Japanese policy that
// the agreements pair with it, and the legal status of designated secrets.
var defaultLevels = SecondLevels{
	From: []Ceiling{{policies.NATO, "SECRET"}, {policies.Japan, "GOKUHI"}},
	Free: []string{policies.Public},
}

const (
	spaceSetting = "setting"
	secondKey    = "two-person-release"
	spaceRequest = "release-request"
)

// requestLife is how long a request for a release may wait.
const requestLife = 30 * 24 * time.Hour

// Levels gives the levels in force.
func (d *Desk) Levels(ctx context.Context) (SecondLevels, error) {
	b, ok, err := d.Vault.Record(ctx, spaceSetting, secondKey)
	if err != nil || !ok {
		return defaultLevels, err
	}
	var s SecondLevels
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("read the levels of the two-person rule: %w", err)
	}
	return s, nil
}

// SetLevel says from which classification of a policy on a release takes two
// officers; "" that under this policy one suffices.
func (d *Desk) SetLevel(ctx context.Context, by people.Person, oid, classification string) error {
	if err := need(by, "set the level of the two-person rule", people.SecurityOfficer); err != nil {
		return err
	}
	if classification != "" {
		if _, err := d.height(oid, classification); err != nil {
			return err
		}
	} else if _, ok := d.Policies().Policy(oid); !ok {
		return fmt.Errorf("policy %q is not loaded on this node", oid)
	}
	act := audit.Act{Actor: by.ReaderID(), Verb: "set-two-person-level", Subject: oid, Detail: map[string]string{"from": classification}}
	s, err := d.Levels(ctx)
	if err != nil {
		return err
	}
	_, err = d.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		next := SecondLevels{By: by.ReaderID(), At: tx.At()}
		for _, c := range s.From {
			if c.Policy != oid {
				next.From = append(next.From, c)
			}
		}
		for _, free := range s.Free {
			if free != oid {
				next.Free = append(next.Free, free)
			}
		}
		if classification == "" {
			next.Free = append(next.Free, oid)
		} else {
			next.From = append(next.From, Ceiling{oid, classification})
		}
		return putJSON(tx, spaceSetting, secondKey, next)
	})
	return err
}

// height is the place of a classification in its policy's order.
func (d *Desk) height(oid, classification string) (int, error) {
	p, ok := d.Policies().Policy(oid)
	if !ok {
		return 0, fmt.Errorf("policy %q is not loaded on this node", oid)
	}
	for _, c := range p.Classifications() {
		if c.Name == classification {
			return c.Hierarchy, nil
		}
	}
	return 0, fmt.Errorf("policy %s has no classification %q", p.Name(), classification)
}

// within says whether everything that labels a version is at or below a
// ceiling. A label of another policy, or one that is not understood, is not.
func (d *Desk) within(row vault.Row, c Ceiling) bool {
	limit, err := d.height(c.Policy, c.Classification)
	if err != nil {
		return false
	}
	if len(row.Effective.Labels) == 0 {
		return row.Effective.Rule.Everyone()
	}
	for _, xml := range row.Effective.Labels {
		l, err := stanag4774.ParseLabel(xml)
		if err != nil {
			return false
		}
		h, err := d.height(l.PolicyOID, l.Classification)
		if err != nil || l.PolicyOID != c.Policy || h > limit {
			return false
		}
	}
	return true
}

// takesTwo says whether the release of a version takes two officers.
func (d *Desk) takesTwo(row vault.Row, s SecondLevels) bool {
	for _, xml := range row.Effective.Labels {
		l, err := stanag4774.ParseLabel(xml)
		if err != nil {
			return true
		}
		if slices.Contains(s.Free, l.PolicyOID) {
			continue
		}
		i := slices.IndexFunc(s.From, func(c Ceiling) bool { return c.Policy == l.PolicyOID })
		if i < 0 {
			return true
		}
		limit, err1 := d.height(l.PolicyOID, s.From[i].Classification)
		h, err2 := d.height(l.PolicyOID, l.Classification)
		if err1 != nil || err2 != nil || h >= limit {
			return true
		}
	}
	return false
}

// needsSecond says whether a release takes two officers: for a label at or
// above the level, and for what was cut from an object that has one, since a
// cut is a lower label that one person chose.
func (d *Desk) needsSecond(ctx context.Context, rows []vault.Row) (bool, error) {
	levels, err := d.Levels(ctx)
	if err != nil {
		return false, err
	}
	for _, row := range rows {
		if d.takesTwo(row, levels) {
			return true, nil
		}
		b, ok, err := d.Vault.Record(ctx, spaceCutOf, row.ID)
		if err != nil {
			return false, err
		}
		var e cutEdge
		if ok {
			if err := json.Unmarshal(b, &e); err != nil {
				return false, fmt.Errorf("read what %s was cut from: %w", row.ID, err)
			}
		}
		if e.Two {
			return true, nil
		}
	}
	return false, nil
}

// ReleaseRequest is a release, or a lower label, that waits for a second
// release officer.
type ReleaseRequest struct {
	ID         string          `json:"id"`
	Root       string          `json:"root"`
	Items      []line.Item     `json:"items"`           // what the first officer saw, exactly
	To         []string        `json:"to,omitempty"`    // node ids
	Precedence line.Precedence `json:"precedence"`      //
	Label      string          `json:"label,omitempty"` // STANAG 4774 XML of the label asked for; "" for a release
	Why        string          `json:"why,omitempty"`   // of a label
	By         string          `json:"by"`              // reader id
	Rule       string          `json:"rule,omitempty"`  // the release rule that asks; "" for a person
	At         time.Time       `json:"at"`
}

// WaitsError says that a release waits for a second release officer.
type WaitsError struct{ Request ReleaseRequest }

func (e *WaitsError) Error() string {
	return fmt.Sprintf("this takes two release officers: it waits for a second one as request %s", e.Request.ID)
}

// ask stores a request. also is part of the same act; it may be nil.
func (d *Desk) ask(ctx context.Context, req ReleaseRequest, also func(*vault.Tx) error) error {
	req.ID = randomID()
	act := audit.Act{Actor: req.By, Verb: "request-release", Subject: req.Root, Detail: map[string]string{"request": req.ID, "to": strings.Join(req.To, " "), "rule": req.Rule, "why": req.Why}}
	_, err := d.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		req.At = tx.At()
		if also != nil {
			if err := also(tx); err != nil {
				return err
			}
		}
		return putJSON(tx, spaceRequest, req.ID, req)
	})
	if err != nil {
		return err
	}
	return &WaitsError{req}
}

// Requests lists the releases that wait, as far as the person sees what they
// are about, the oldest first.
func (d *Desk) Requests(ctx context.Context, by people.Person) ([]ReleaseRequest, error) {
	if err := need(by, "list the releases that wait", people.ReleaseOfficer, people.SecurityOfficer); err != nil {
		return nil, err
	}
	v, err := d.view(by)
	if err != nil {
		return nil, err
	}
	all, err := scanJSON[ReleaseRequest](ctx, d.Vault, spaceRequest)
	if err != nil {
		return nil, err
	}
	var out []ReleaseRequest
	for _, r := range all {
		if _, err := v.Get(ctx, r.Root); errors.Is(err, vault.ErrNotFound) {
			continue
		} else if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b ReleaseRequest) int { return a.At.Compare(b.At) })
	return out, nil
}

// errRequest is the answer for a request that is not there, or is about what
// the person does not see.
var errRequest = errors.New("no such release waits")

func (d *Desk) request(ctx context.Context, by people.Person, id string) (ReleaseRequest, error) {
	all, err := d.Requests(ctx, by)
	if err != nil {
		return ReleaseRequest{}, err
	}
	i := slices.IndexFunc(all, func(r ReleaseRequest) bool { return r.ID == id })
	if i < 0 {
		return ReleaseRequest{}, errRequest
	}
	return all[i], nil
}

// ApproveRelease carries out what waits. The person MUST be another release
// officer than the one who asked, and it is done to exactly what the first
// saw: a new version in between is refused.
func (d *Desk) ApproveRelease(ctx context.Context, by people.Person, id string) error {
	if err := need(by, "approve a release", people.ReleaseOfficer); err != nil {
		return err
	}
	req, err := d.request(ctx, by, id)
	if err != nil {
		return err
	}
	if req.By == by.ReaderID() {
		return fmt.Errorf("approve a release: %w: a second release officer has to, not the one who asked", people.ErrForbidden)
	}
	if d.Now().Sub(req.At) > requestLife {
		return fmt.Errorf("the request is older than %d days; refuse it and ask again", int(requestLife.Hours()/24))
	}
	if req.Label != "" {
		return d.approveLabel(ctx, by, req)
	}
	p, err := d.admits(ctx, by, req.Root, req.To)
	if err != nil {
		return err
	}
	if !slices.Equal(itemsOf(p.Items), req.Items) {
		return errChanged
	}
	return d.carryOut(ctx, releasing{preview: p, to: req.To, precedence: req.Precedence, by: by.ReaderID(), rule: req.Rule, request: &req})
}

var errChanged = errors.New("what the request is about has changed since; refuse the request and ask again")

// RefuseRelease ends a request. Any release officer may, the one who asked too.
func (d *Desk) RefuseRelease(ctx context.Context, by people.Person, id, why string) error {
	if err := need(by, "refuse a release", people.ReleaseOfficer); err != nil {
		return err
	}
	req, err := d.request(ctx, by, id)
	if err != nil {
		return err
	}
	act := audit.Act{Actor: by.ReaderID(), Verb: "refuse-release", Subject: req.Root, Detail: map[string]string{"request": id, "why": why}}
	_, err = d.Vault.Act(ctx, act, func(tx *vault.Tx) error { return takeRequest(tx, id) })
	return err
}

// takeRequest removes a request, which MUST still be there: two people who
// decide at once do not both.
func takeRequest(tx *vault.Tx, id string) error {
	if _, ok, err := tx.Record(spaceRequest, id); err != nil {
		return err
	} else if !ok {
		return fmt.Errorf("request %s was decided meanwhile", id)
	}
	return tx.DeleteRecord(spaceRequest, id)
}
