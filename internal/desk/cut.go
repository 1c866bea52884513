package desk

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"causeway/internal/audit"
	"causeway/internal/line"
	"causeway/internal/people"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/label/cut"
	"causeway/label/marking"
	"causeway/stix"
)

// CutRequest says what a person leaves out of an object, or of a report with
// everything it rests on, and what is said instead.
type CutRequest struct {
	Root     string
	Whole    bool            // with everything that Root refers to, as far as the person sees it
	Omit     []cut.Place     // ID "" means Root
	Reword   []cut.Rewording // ID "" means Root
	Withhold []string        // further words that must not be left
	Accept   []string        // findings of the check, by key, that the person looked at and accepts
}

// Cut is a tearline: before it is stored, or as it was stored.
type Cut struct {
	Root     string // the original
	NewRoot  string // its cut; "" when the root itself fell away
	Objects  []*stix.Object
	Changes  []cut.Change
	Findings []cut.Finding // what is still there of the withheld, by the original's id; a cut with any is not stored
	Withheld int           // texts that were checked to be gone
	Wider    bool          // its label admits readers whom the originals' labels do not
	Rule     label.Rule    // of the cut
	Readers  []Recipient   // partners, and whether the cut's label admits them

	origins map[string]string // new id -> original id
	from    map[string]vault.Row
}

// cutEdge is the edge between an original and its cut. It is kept as a record
// of the node: no reader outside it can ask for records, and inside it is told
// only to those who see the original.
type cutEdge struct {
	Origin  string    `json:"origin"`
	Version string    `json:"version"`
	Cut     string    `json:"cut"`
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Two     bool      `json:"two,omitempty"` // the original takes two release officers, and so does its cut
}

// Spaces of the edges, one for each direction.
const (
	spaceCutOf  = "cut-of"  // id of a cut
	spaceCutsOf = "cuts-of" // id of an original, a space, id of a cut
)

// PreviewCut makes a cut without storing anything: the difference, what the
// mechanical check still finds, and whom the label would admit.
func (d *Desk) PreviewCut(ctx context.Context, by people.Person, req CutRequest, l *label.Label) (*Cut, error) {
	c, _, err := d.draftCut(ctx, by, req, l)
	return c, err
}

// MakeCut stores a cut under its own label, and the edges to the originals, in
// one act. It refuses while the check finds anything of the withheld. A label
// that admits readers whom the originals' labels do not is a release decision:
// it takes a release officer, who may do so for what this node originated, and
// the audit log says that it was one.
func (d *Desk) MakeCut(ctx context.Context, by people.Person, req CutRequest, l *label.Label) (*Cut, error) {
	c, puts, err := d.draftCut(ctx, by, req, l)
	if err != nil {
		return nil, err
	}
	if len(c.Findings) > 0 {
		return c, &cut.LeftoverError{Findings: c.Findings}
	}
	if c.Wider {
		if err := d.mayWiden(by, c.from); err != nil {
			return c, err
		}
	}
	// The entry is about the original, so that who sees only the cut learns
	// nothing from the log.
	act := audit.Act{Actor: by.ReaderID(), Verb: "cut", Subject: c.Root, Detail: map[string]string{
		"cut": c.NewRoot, "objects": fmt.Sprint(len(c.Objects)), "withheld": fmt.Sprint(c.Withheld),
		"accepted": fmt.Sprint(len(req.Accept)), "wider": fmt.Sprint(c.Wider), "rule": c.Rule.Key(),
	}}
	levels, err := d.Levels(ctx)
	if err != nil {
		return c, err
	}
	_, err = d.Vault.Act(ctx, act, func(tx *vault.Tx) error {
		if err := stored(tx.Put(puts...)); err != nil {
			return err
		}
		for id, origin := range c.origins {
			row := c.from[origin]
			e := cutEdge{origin, row.Version, id, tx.At(), by.ReaderID(), d.takesTwo(row, levels)}
			if err := putJSON(tx, spaceCutOf, id, e); err != nil {
				return err
			}
			if err := putJSON(tx, spaceCutsOf, origin+" "+id, e); err != nil {
				return err
			}
		}
		return nil
	})
	return c, err
}

// mayWiden refuses to widen what others originated (only the originator lowers
// a label), and anybody but a release officer.
func (d *Desk) mayWiden(by people.Person, from map[string]vault.Row) error {
	if err := need(by, "label wider than the original", people.ReleaseOfficer); err != nil {
		return err
	}
	for id, row := range from {
		if row.Source != local {
			return fmt.Errorf("label wider than the original: %w: %s came from %s, and only its originator may lower it; ask them for a cut", people.ErrForbidden, id, row.Source)
		}
	}
	return nil
}

// draftCut computes a cut and what would be stored of it.
func (d *Desk) draftCut(ctx context.Context, by people.Person, req CutRequest, l *label.Label) (*Cut, []vault.Put, error) {
	if err := need(by, "cut", people.ReleaseOfficer, people.Analyst); err != nil {
		return nil, nil, err
	}
	v, err := d.view(by)
	if err != nil {
		return nil, nil, err
	}
	rows, err := d.closure(ctx, v, req.Root)
	if err != nil {
		return nil, nil, err
	}
	plan, objects, c, err := d.planCut(rows, req)
	if err != nil {
		return nil, nil, err
	}
	plan.At = stix.TimestampOf(d.Now().UTC().Truncate(time.Millisecond))
	def, err := marking.Definition(l, plan.At, d.Identity)
	if err != nil {
		return nil, nil, fmt.Errorf("write the label: %w", err)
	}
	plan.Markings = []string{def.ID()}
	result, err := cut.Make(objects, plan)
	var left *cut.LeftoverError
	if errors.As(err, &left) {
		c.Findings = unaccepted(left.Findings, result.Origins, req.Accept)
	} else if err != nil {
		return nil, nil, err
	}
	c.Objects, c.Changes, c.Withheld, c.origins = result.Objects, result.Changes, len(result.Withheld), result.Origins
	for id, origin := range result.Origins {
		if origin == req.Root {
			c.NewRoot = id
		}
	}
	if len(c.Objects) == 0 {
		return nil, nil, errors.New("the cut leaves nothing")
	}
	puts, err := d.labelled(def, c.Objects)
	if err != nil {
		return nil, nil, err
	}
	c.Rule = puts[0].Effective.Rule
	for id, row := range c.from {
		if !slices.Contains(originsOf(result), id) {
			delete(c.from, id)
		} else if !c.Rule.AtMost(row.Effective.Rule) {
			c.Wider = true
		}
	}
	c.Readers, err = d.admitted(ctx, c.Rule)
	return c, puts, err
}

// unaccepted gives the findings that nobody has accepted, under the ids of the
// originals: those of the cut are new each time, and a person who accepts what
// a preview found must be understood when the cut is made.
func unaccepted(found []cut.Finding, origins map[string]string, accept []string) []cut.Finding {
	var out []cut.Finding
	for _, f := range found {
		f.ID = origins[f.ID]
		if !slices.Contains(accept, f.Key()) {
			out = append(out, f)
		}
	}
	return out
}

func originsOf(r *cut.Result) []string {
	var out []string
	for _, id := range r.Origins {
		out = append(out, id)
	}
	return out
}

// planCut sorts what the root rests on into what is cut, and what is public
// and may stay as it is. A key of its own for each cut makes its ids: two cuts
// of one object share none, so that nobody who holds both can lay them side by
// side and read what one of them withholds.
func (d *Desk) planCut(rows []vault.Row, req CutRequest) (cut.Plan, []*stix.Object, *Cut, error) {
	plan := cut.Plan{Key: make([]byte, 32), Creator: d.Identity, Withhold: slices.Clone(req.Withhold)}
	rand.Read(plan.Key)
	c := &Cut{Root: req.Root, from: map[string]vault.Row{}}
	var objects []*stix.Object
	for _, row := range rows {
		o, err := stix.ParseObject(row.Raw)
		if err != nil {
			return plan, nil, nil, fmt.Errorf("read %s: %w", row.ID, err)
		}
		root := row.ID == req.Root
		switch {
		case root && definition(o):
			return plan, nil, nil, fmt.Errorf("%s is a definition, and definitions are not cut", row.ID)
		case definition(o):
			continue
		case !root && row.Effective.Rule.Everyone():
			plan.Keep = append(plan.Keep, row.ID)
		case root || req.Whole:
			objects = append(objects, o)
			c.from[row.ID] = row
		default: // cut alone: what it refers to stays behind, ids included
			plan.Withhold = append(plan.Withhold, row.ID)
		}
	}
	for _, p := range req.Omit {
		plan.Omit = append(plan.Omit, cut.Place{ID: orRoot(p.ID, req.Root), Path: p.Path})
	}
	for _, w := range req.Reword {
		w.ID = orRoot(w.ID, req.Root)
		plan.Reword = append(plan.Reword, w)
	}
	return plan, objects, c, nil
}

func definition(o *stix.Object) bool {
	return o.Type() == "marking-definition" || o.Type() == "extension-definition"
}

func orRoot(id, root string) string {
	if id == "" {
		return root
	}
	return id
}

// Edge is one step between an original and its cut.
type Edge struct {
	ID string // of the object at the other end
	At time.Time
	By string // reader id
}

// CutsOf lists the cuts made of an object, to whoever sees the object.
func (d *Desk) CutsOf(ctx context.Context, by people.Person, origin string) ([]Edge, error) {
	v, err := d.view(by)
	if err != nil {
		return nil, err
	}
	if _, err := v.Get(ctx, origin); err != nil {
		return nil, err
	}
	var all []cutEdge
	if err := d.Vault.ScanRecords(ctx, spaceCutsOf, origin+" ", func(_ string, b []byte) error {
		var e cutEdge
		if err := json.Unmarshal(b, &e); err != nil {
			return fmt.Errorf("read the cuts of %s: %w", origin, err)
		}
		all = append(all, e)
		return nil
	}); err != nil {
		return nil, err
	}
	var out []Edge
	for _, e := range all {
		if _, err := v.Get(ctx, e.Cut); errors.Is(err, vault.ErrNotFound) {
			continue
		} else if err != nil {
			return nil, err
		}
		out = append(out, Edge{e.Cut, e.At, e.By})
	}
	slices.SortFunc(out, func(a, b Edge) int { return a.At.Compare(b.At) })
	return out, nil
}

// OriginOf finds what an object was cut from. To whoever does not see the
// original it is [vault.ErrNotFound], as for what is no cut.
func (d *Desk) OriginOf(ctx context.Context, by people.Person, id string) (Edge, error) {
	v, err := d.view(by)
	if err != nil {
		return Edge{}, err
	}
	b, ok, err := d.Vault.Record(ctx, spaceCutOf, id)
	if err != nil {
		return Edge{}, err
	}
	if !ok {
		return Edge{}, fmt.Errorf("%s: %w", id, vault.ErrNotFound)
	}
	var e cutEdge
	if err := json.Unmarshal(b, &e); err != nil {
		return Edge{}, fmt.Errorf("read what %s was cut from: %w", id, err)
	}
	for _, seen := range []string{id, e.Origin} {
		if _, err := v.Get(ctx, seen); err != nil {
			return Edge{}, fmt.Errorf("%s: %w", id, vault.ErrNotFound)
		}
	}
	return Edge{e.Origin, e.At, e.By}, nil
}

// admitted says of each partner whether a rule admits it.
func (d *Desk) admitted(ctx context.Context, rule label.Rule) ([]Recipient, error) {
	partners, err := d.Line.Partners(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Recipient, 0, len(partners))
	for _, p := range partners {
		decision := label.Decide(rule, d.Line.Reader(p).Holdings)
		out = append(out, Recipient{ID: p.NodeID, Name: p.Name, Nation: p.Nation, Allow: decision.Allow && p.State == line.Active, Rule: rule.Key(), Decision: decision})
	}
	return out, nil
}
