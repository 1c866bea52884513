package vault

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"causeway/internal/vault/internal/engine"
	"causeway/label"
	"causeway/stix"
)

// Put is one object to store.
type Put struct {
	Object     *stix.Object
	Effective  label.Effective // the zero value is readable by nobody
	Source     string          // "local", or the reader id of who sent it: a partner, a person's program over TAXII
	Collection string          // free; "" for none
}

// Status is the fate of one object.
type Status uint8

// Stored is new. Present was there with the same content. Conflict has the id
// and version of something else that the same source stored: it is refused.
// Whatever other sources stored never shows in a status.
const (
	Stored Status = iota + 1
	Present
	Conflict
)

func (s Status) String() string {
	switch s {
	case Stored:
		return "stored"
	case Present:
		return "present"
	case Conflict:
		return "conflict"
	}
	return "unknown"
}

// Outcome is the fate of one object of Put.
type Outcome struct {
	ID, Version string
	Status      Status
}

// Unversioned is the version of objects that have none (SCOs): a constant,
// so that it is the same on every node and after every import.
const Unversioned = "1970-01-01T00:00:00Z"

// versionOf gives what orders the object among its versions, and the text.
func versionOf(o *stix.Object) (engine.Micros, string) {
	if t := o.Version(); !t.IsZero() {
		return t.Micro(), t.String()
	}
	return 0, Unversioned
}

// Put stores objects, in order, and tells the fate of each. It keeps one
// record for each source: what one source says of an object never replaces or
// refuses what another said.
func (t *Tx) Put(objs ...Put) ([]Outcome, error) {
	out, err := t.put(objs)
	return out, t.fail(err)
}

func (t *Tx) put(objs []Put) ([]Outcome, error) {
	if err := t.load(objs); err != nil {
		return nil, err
	}
	out := make([]Outcome, len(objs))
	fresh := make([]engine.Version, 0, len(objs))
	var places placing
	places.s = t.s
	for i := range objs {
		p := &objs[i]
		v, err := t.version(p)
		if err != nil {
			return nil, err
		}
		out[i] = Outcome{v.ID, v.Text, Stored}
		prior := t.prior[v.ID]
		if at := slices.IndexFunc(prior, func(w engine.Version) bool { return w.Modified == v.Modified && w.Source == v.Source }); at >= 0 {
			out[i].Version, out[i].Status = prior[at].Text, Present
			if !bytes.Equal(prior[at].Content, v.Content) {
				out[i].Status = Conflict
			}
			continue
		}
		v.VID = t.s.state.NextVID
		t.s.state.NextVID++
		t.digests[0].versionRow(&v, v.Digest, t.s.body(v.First))
		if err := places.place(&v, prior); err != nil {
			return nil, err
		}
		fresh = append(fresh, v)
		v.Raw = nil
		at, _ := slices.BinarySearchFunc(prior, v, func(a, b engine.Version) int {
			return int(max(-1, min(1, compare3(a.Modified-b.Modified, a.VID-b.VID, 0))))
		})
		t.prior[v.ID] = slices.Insert(prior, at, v)
	}
	if len(fresh) == 0 {
		return out, nil
	}
	t.s.stored = true
	if err := t.s.w.AddVersions(fresh); err != nil {
		return nil, err
	}
	for _, f := range t.s.order {
		if f.Owner == "" && !f.current() {
			f.lag(fresh[0].VID)
		}
	}
	return out, places.flush()
}

// load reads what is stored of the objects' ids.
func (t *Tx) load(objs []Put) error {
	var ids []string
	for i := range objs {
		o := objs[i].Object
		if o.ID() == "" || o.Type() == "" {
			return fmt.Errorf("store an object: it has no id or no type")
		}
		if _, ok := t.prior[o.ID()]; !ok {
			t.prior[o.ID()] = nil
			ids = append(ids, o.ID())
		}
	}
	return t.read(ids)
}

func (t *Tx) read(ids []string) error {
	vs, err := t.s.w.Versions(ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		t.prior[id] = nil
	}
	for _, v := range vs {
		t.prior[v.ID] = append(t.prior[v.ID], v)
	}
	return nil
}

func (t *Tx) version(p *Put) (engine.Version, error) {
	o := p.Object
	labelN, ruleN, err := t.s.intern(p.Effective)
	if err != nil {
		return engine.Version{}, err
	}
	kind, err := t.s.kind(o.Type())
	if err != nil {
		return engine.Version{}, err
	}
	raw, content := o.Raw(), o.Digest()
	digest := sha256.Sum256(raw)
	modified, text := versionOf(o)
	spec := o.SpecVersion()
	if spec == "" {
		spec = "2.1"
	}
	return engine.Version{ID: o.ID(), Modified: modified, Text: text, Kind: kind, Spec: spec, CreatedBy: o.CreatedByRef(),
		Source: p.Source, Collection: p.Collection, Label: labelN, Rule: ruleN, First: labelN, At: t.s.at, Act: t.index,
		Content: content[:], Digest: digest[:], Raw: raw}, nil
}

// placing gathers the places of one Put in the shared feeds. A shared feed
// holds every version that its rule allows, so what is there of an object
// follows from the object's versions without reading the feed.
type placing struct {
	s     *session
	rows  []engine.Place
	rules []int64         // of each row
	last  map[int64][]int // VID stored by this Put -> its rows
}

func (p *placing) place(v *engine.Version, prior []engine.Version) error {
	var superseded map[int64][]int64 // VID -> feeds in which it no longer is the latest
	for _, f := range p.s.order {
		if f.Owner != "" || !f.current() || !p.s.allows(f, v.Rule) {
			continue
		}
		flag := engine.Latest
		var before *engine.Version // the latest so far
		for i := range prior {
			w := &prior[i]
			if !p.s.allows(f, w.Rule) {
				continue
			}
			if w.Modified == v.Modified {
				flag = engine.Shadow
			} else if w.Modified > v.Modified && flag == engine.Latest {
				flag = engine.Older
			}
			if before == nil || w.Modified > before.Modified {
				before = w
			}
		}
		if flag == engine.Latest && before != nil {
			if superseded == nil {
				superseded = map[int64][]int64{}
			}
			superseded[before.VID] = append(superseded[before.VID], f.N)
		}
		if p.last == nil {
			p.last = map[int64][]int{}
		}
		p.last[v.VID] = append(p.last[v.VID], len(p.rows))
		p.rows = append(p.rows, engine.Place{Feed: f.N, Added: f.next(p.s.at), VID: v.VID, Kind: v.Kind, Flag: flag})
		p.rules = append(p.rules, v.Rule)
		p.s.tally(f.N, v.Rule, v.Kind, flag, +1)
		p.s.grew[f.N] = true
	}
	for vid, feeds := range superseded {
		if err := p.supersede(vid, feeds, prior); err != nil {
			return err
		}
	}
	return nil
}

func (p *placing) supersede(vid int64, feeds []int64, prior []engine.Version) error {
	if rows, ok := p.last[vid]; ok {
		for _, i := range rows {
			r := &p.rows[i]
			if r.Flag == engine.Latest && slices.Contains(feeds, r.Feed) {
				p.s.tally(r.Feed, p.rules[i], r.Kind, engine.Latest, -1)
				p.s.tally(r.Feed, p.rules[i], r.Kind, engine.Older, +1)
				r.Flag = engine.Older
			}
		}
		return nil
	}
	changed, err := p.s.w.Supersede(vid, feeds)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(prior, func(v engine.Version) bool { return v.VID == vid })
	for _, f := range changed {
		p.s.tally(f, prior[at].Rule, prior[at].Kind, engine.Latest, -1)
		p.s.tally(f, prior[at].Rule, prior[at].Kind, engine.Older, +1)
	}
	return nil
}

func (p *placing) flush() error {
	if len(p.rows) == 0 {
		return nil
	}
	return p.s.w.AddPlaces(p.rows)
}
