package vault

import (
	"bytes"
	"fmt"
	"time"

	"causeway/internal/vault/internal/engine"
	"causeway/label"
)

// versions gives the records of one object that a word about a version means:
// a version text, or "" for fallback ("all" or the newest).
func (t *Tx) versions(id, version string, all bool) ([]engine.Version, error) {
	if _, ok := t.prior[id]; !ok {
		if err := t.read([]string{id}); err != nil {
			return nil, err
		}
	}
	prior := t.prior[id]
	if len(prior) == 0 {
		return nil, fmt.Errorf("version %s of %s: %w", version, id, ErrNotFound)
	}
	if version == "" && all {
		return prior, nil
	}
	modified := prior[len(prior)-1].Modified
	if version != "" {
		var err error
		if modified, err = versionTime(version); err != nil {
			return nil, err
		}
	}
	var out []engine.Version
	for _, v := range prior {
		if v.Modified == modified {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("version %s of %s: %w", version, id, ErrNotFound)
	}
	return out, nil
}

// event records what happens to a version.
func (t *Tx) event(kind int, v *engine.Version, reader, text string, before, then int64) engine.Event {
	e := engine.Event{Act: t.index, N: t.events, At: t.s.at, Kind: effectKinds[kind], VID: v.VID, Reader: reader, By: t.act.Actor, Text: text,
		Before: before, Then: then, ID: v.ID, Version: v.Text}
	t.events++
	t.digests[kind].eventRow(&e, t.s.body(before), t.s.body(then))
	return e
}

// owned gives the feed of a reader that needs releases, or nil.
func (s *session) owned(reader string) *feedState {
	f := s.feeds[s.readers[reader]]
	if f == nil || f.Owner != reader {
		return nil
	}
	return f
}

// resettle makes the places of an object agree with the facts in the feed of
// one reader.
func (t *Tx) resettle(f *feedState, id string) error {
	if f == nil {
		return nil
	}
	if !f.current() {
		f.lag(1)
		return nil
	}
	in := func(v *engine.Version) bool { return t.s.allows(f, v.Rule) }
	if f.Owner != "" {
		vids := make([]int64, len(t.prior[id]))
		for i, v := range t.prior[id] {
			vids[i] = v.VID
		}
		holders, err := t.s.w.Holders(vids)
		if err != nil {
			return err
		}
		in = func(v *engine.Version) bool {
			for _, h := range holders[v.VID] {
				if h == f.Owner {
					return t.s.allows(f, v.Rule)
				}
			}
			return false
		}
	}
	return t.s.settle(f, t.prior[id], in)
}

// Release makes a version ("" for the newest in the store) available to
// partners, or to "public", under the rule that the releasing act applies.
// Each of them sees it as soon as the label, too, allows it. Releasing again
// changes nothing. Who acts for a person names the version that the person
// saw: a newer one may be hidden from that person.
func (t *Tx) Release(id, version string, to []string, rule string) error {
	vs, err := t.versions(id, version, false)
	if err != nil {
		return err
	}
	return t.fail(t.release(vs, id, to, rule))
}

func (t *Tx) release(vs []engine.Version, id string, to []string, rule string) error {
	held, err := t.holders(vs)
	if err != nil {
		return err
	}
	for _, r := range to {
		var vids []int64
		var events []engine.Event
		for i := range vs {
			v := &vs[i]
			if held[holding{v.VID, r}] {
				continue
			}
			held[holding{v.VID, r}] = true
			vids = append(vids, v.VID)
			events = append(events, t.event(1, v, r, rule, 0, 0))
		}
		if len(vids) == 0 {
			continue
		}
		if err := t.s.w.AddEvents(events); err != nil {
			return err
		}
		if err := t.s.w.Hold(r, vids, t.index); err != nil {
			return err
		}
		if err := t.resettle(t.s.owned(r), id); err != nil {
			return err
		}
	}
	return nil
}

type holding struct {
	vid    int64
	reader string
}

func (t *Tx) holders(vs []engine.Version) (map[holding]bool, error) {
	vids := make([]int64, len(vs))
	for i := range vs {
		vids[i] = vs[i].VID
	}
	by, err := t.s.w.Holders(vids)
	if err != nil {
		return nil, err
	}
	out := map[holding]bool{}
	for vid, rs := range by {
		for _, r := range rs {
			out[holding{vid, r}] = true
		}
	}
	return out, nil
}

// Recall takes a version ("" for all) back from readers that hold it, or from
// all of them when from is empty. What has left over a line is for the line
// to call back.
func (t *Tx) Recall(id, version string, from []string, why string) error {
	vs, err := t.versions(id, version, true)
	if err != nil {
		return err
	}
	return t.fail(t.recall(vs, id, from, why))
}

func (t *Tx) recall(vs []engine.Version, id string, from []string, why string) error {
	held, err := t.holders(vs)
	if err != nil {
		return err
	}
	if len(from) == 0 {
		seen := map[string]bool{}
		for _, v := range vs {
			by, err := t.s.w.Holders([]int64{v.VID})
			if err != nil {
				return err
			}
			for _, r := range by[v.VID] {
				if !seen[r] {
					seen[r] = true
					from = append(from, r)
				}
			}
		}
	}
	for _, r := range from {
		var vids []int64
		var events []engine.Event
		for i := range vs {
			if v := &vs[i]; held[holding{v.VID, r}] {
				vids = append(vids, v.VID)
				events = append(events, t.event(2, v, r, why, 0, 0))
			}
		}
		if len(vids) == 0 {
			continue
		}
		if err := t.s.w.AddEvents(events); err != nil {
			return err
		}
		if err := t.s.w.Unhold(r, vids); err != nil {
			return err
		}
		f := t.s.owned(r)
		if err := t.resettle(f, id); err != nil {
			return err
		}
		if err := t.expel(f, vids); err != nil {
			return err
		}
	}
	return nil
}

// expel takes versions out of a feed whose holdings are not known now.
func (t *Tx) expel(f *feedState, vids []int64) error {
	if f == nil || f.current() {
		return nil
	}
	ps, err := t.s.w.Places(f.N, vids)
	if err != nil {
		return err
	}
	for _, p := range ps {
		p.Flag = engine.Removed
		if err := t.s.w.SetFlag(p); err != nil {
			return err
		}
	}
	return nil
}

// Relabel puts another label in force for a version ("" for the newest).
// Readers who may see it now and could not before get it in their feeds with
// the time of this act; those who may no longer lose it.
func (t *Tx) Relabel(id, version string, e label.Effective) error {
	vs, err := t.versions(id, version, false)
	if err != nil {
		return err
	}
	return t.fail(t.relabel(vs, id, e))
}

func (t *Tx) relabel(vs []engine.Version, id string, e label.Effective) error {
	labelN, ruleN, err := t.s.intern(e)
	if err != nil {
		return err
	}
	for i := range vs {
		v := &vs[i]
		if v.Label == labelN {
			continue
		}
		if err := t.s.w.AddEvents([]engine.Event{t.event(3, v, "", "", v.Label, labelN)}); err != nil {
			return err
		}
		if err := t.s.w.SetLabel(v.VID, labelN, ruleN); err != nil {
			return err
		}
		if v.Rule == ruleN {
			continue
		}
		// What stays in a feed counts under the new rule from now on.
		ps, err := t.s.w.PlacesOf(v.VID)
		if err != nil {
			return err
		}
		for _, p := range ps {
			t.s.tally(p.Feed, v.Rule, p.Kind, p.Flag, -1)
			t.s.tally(p.Feed, ruleN, p.Kind, p.Flag, +1)
		}
	}
	if err := t.read([]string{id}); err != nil {
		return err
	}
	vids := make([]int64, len(vs))
	for i := range vs {
		vids[i] = vs[i].VID
	}
	for _, f := range t.s.order {
		if err := t.resettle(f, id); err != nil {
			return err
		}
		if err := t.expel(f, vids); err != nil {
			return err
		}
	}
	return nil
}

// Revise puts another label in force for every record of an object, each by what
// governs it now: change gives what is to govern it from now on. Records for
// which it gives the same are left alone. It says how many changed.
func (t *Tx) Revise(id string, change func(label.Effective) (label.Effective, error)) (int, error) {
	vs, err := t.versions(id, "", true)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, v := range vs {
		e, err := label.DecodeEffective(t.s.body(v.Label))
		if err != nil {
			continue // nobody reads it, and that stays so
		}
		next, err := change(e)
		if err != nil {
			return n, t.fail(err)
		}
		if bytes.Equal(next.Encode(), e.Encode()) {
			continue
		}
		n++
		if err := t.fail(t.relabel([]engine.Version{v}, id, next)); err != nil {
			return n, err
		}
	}
	return n, nil
}

// Withdraw removes a version ("" for all) from the store: its bytes, words
// and references are deleted, nobody sees it, and what was logged about it
// stays.
func (t *Tx) Withdraw(id, version, why string) error {
	vs, err := t.versions(id, version, true)
	if err != nil {
		return err
	}
	return t.fail(t.withdraw(vs, id, why))
}

// WithdrawOwn is [Tx.Withdraw] for the records of one source, in one
// collection: what others said of the object stays. It gives how many records
// went; none is ErrNotFound.
func (t *Tx) WithdrawOwn(source, collection, id, version, why string) (int, error) {
	vs, err := t.versions(id, version, true)
	if err != nil {
		return 0, err
	}
	var own []engine.Version
	for _, v := range vs {
		if v.Source == source && v.Collection == collection {
			own = append(own, v)
		}
	}
	if len(own) == 0 {
		return 0, fmt.Errorf("withdraw %s of %s: %w", id, source, ErrNotFound)
	}
	return len(own), t.fail(t.withdraw(own, id, why))
}

func (t *Tx) withdraw(vs []engine.Version, id, why string) error {
	vids := make([]int64, len(vs))
	feeds := map[int64]bool{}
	var events []engine.Event
	for i := range vs {
		v := &vs[i]
		vids[i] = v.VID
		events = append(events, t.event(4, v, "", why, 0, 0))
		ps, err := t.s.w.PlacesOf(v.VID)
		if err != nil {
			return err
		}
		for _, p := range ps {
			feeds[p.Feed] = true
			if err := t.s.remove(p, v.Rule); err != nil {
				return err
			}
		}
	}
	if err := t.s.w.AddEvents(events); err != nil {
		return err
	}
	if err := t.s.w.Withdraw(vids); err != nil {
		return err
	}
	if err := t.read([]string{id}); err != nil {
		return err
	}
	for _, f := range t.s.order {
		if feeds[f.N] {
			if err := t.resettle(f, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// fail remembers an error after which the act cannot be committed, whatever
// its function returns.
func (t *Tx) fail(err error) error {
	if err != nil && t.err == nil {
		t.err = err
	}
	return err
}

// Holder is a release in force.
type Holder struct {
	Version string
	Reader  string
	Since   time.Time
	Rule    string
	By      string
}

// Holders lists who holds versions of an object by release, in order of time.
// It is for the node's own desk; no reader sees the names of others.
func (t *Tx) Holders(id string) ([]Holder, error) { return holdersOf(t.s.w, id) }

func holdersOf(r engine.Read, id string) ([]Holder, error) {
	events, err := r.Events([]string{id})
	if err != nil {
		return nil, err
	}
	var out []Holder
	for i, e := range events {
		if e.Kind != "release" || endedAfter(events[i+1:], e) {
			continue
		}
		out = append(out, Holder{e.Version, e.Reader, timeOf(e.At), e.Text, e.By})
	}
	return out, nil
}

func endedAfter(later []engine.Event, e engine.Event) bool {
	for _, l := range later {
		if l.VID == e.VID && (l.Kind == "withdraw" || l.Kind == "recall" && l.Reader == e.Reader) {
			return true
		}
	}
	return false
}
