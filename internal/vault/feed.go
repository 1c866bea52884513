package vault

import (
	"context"
	"crypto/sha256"
	"slices"
	"sort"
	"strings"

	"causeway/internal/vault/internal/engine"
)

// A feed is the order in which versions became available to whoever follows
// it. Readers of the node who hold the same follow one feed as long as they
// gain and lose together; a partner has a feed of its own, since releases are
// made to it by name. Membership is a function of the facts:
//
//	shared feed: the rule allows what its readers hold
//	owned feed:  the same, and the version was released to the owner
//
// and a place, once given, keeps its time. What the holdings of a feed are,
// only the process knows that compiled them; a feed of unknown holdings is
// marked as behind when something happens that it should judge, and catches
// up when its reader comes back.
type feedState struct {
	engine.Feed
	changed bool
	who     *audience // nil: not known here
}

func (s *session) add(f engine.Feed) *feedState {
	st := &feedState{Feed: f}
	st.who, _ = s.v.interned.known(f.Key)
	s.feeds[f.N] = st
	s.order = append(s.order, st)
	return st
}

// allows decides a rule for the readers of a feed.
func (s *session) allows(f *feedState, rule int64) bool {
	if f.who == nil {
		return false
	}
	if rule < int64(len(f.who.allowed)) {
		return rule > 0 && f.who.allowed[rule] == 1
	}
	r, ok := s.over.rule[rule]
	return ok && f.who.allows(r)
}

// current says that the feed can be kept up to date now.
func (f *feedState) current() bool { return f.who != nil && f.Behind == 0 }

// lag marks a feed as behind from a version on; 1 means judge everything.
func (f *feedState) lag(from int64) {
	if f.Behind == 0 || from < f.Behind {
		f.Behind, f.changed = from, true
	}
}

// next gives a time of availability: the clock's, but strictly after every
// other in the feed.
func (f *feedState) next(at engine.Micros) engine.Micros {
	f.Last, f.changed = max(f.Last+1, at), true
	return f.Last
}

type tallyKey struct{ feed, rule, kind int64 }

func (s *session) tally(feed, rule, kind int64, flag, by int) {
	if flag == engine.Shadow {
		return
	}
	k := tallyKey{feed, rule, kind}
	y := s.tallies[k]
	if y == nil {
		y = &engine.Tally{Feed: feed, Rule: rule, Kind: kind}
		s.tallies[k] = y
	}
	y.Total += int64(by)
	if flag == engine.Latest {
		y.Latest += int64(by)
	}
}

func (s *session) flushTallies() error {
	out := make([]engine.Tally, 0, len(s.tallies))
	for _, y := range s.tallies {
		if y.Total != 0 || y.Latest != 0 {
			out = append(out, *y)
		}
	}
	clear(s.tallies)
	if len(out) == 0 {
		return nil
	}
	slices.SortFunc(out, func(a, b engine.Tally) int {
		return int(compare3(a.Feed-b.Feed, a.Rule-b.Rule, a.Kind-b.Kind))
	})
	return s.w.AddTallies(out)
}

func compare3(a, b, c int64) int64 {
	if a != 0 {
		return a
	}
	if b != 0 {
		return b
	}
	return c
}

// member is one version that belongs in a feed, with its place there if it
// has one.
type member struct {
	engine.Version
	place  engine.Place
	placed bool
}

// flags computes the flag of each member of one object, which are ordered by
// modified and VID: of several records of one version the first stored stands
// for all, the newest version is the latest.
func flags(ms []member) []int {
	out := make([]int, len(ms))
	latest := -1
	for i := range ms {
		if i > 0 && ms[i].Modified == ms[i-1].Modified {
			out[i] = engine.Shadow
			continue
		}
		out[i] = engine.Older
		latest = i
	}
	if latest >= 0 {
		out[latest] = engine.Latest
	}
	return out
}

// settle makes the places of one object in one feed agree with its members.
// versions are all its records that are not gone, in order; in says which of
// them belong. What becomes visible gets a time of now; so does another
// source's record that takes the place of one that left.
func (s *session) settle(f *feedState, versions []engine.Version, in func(*engine.Version) bool) error {
	vids := make([]int64, len(versions))
	for i := range versions {
		vids[i] = versions[i].VID
	}
	have, err := s.w.Places(f.N, vids)
	if err != nil {
		return err
	}
	places := make(map[int64]engine.Place, len(have))
	for _, p := range have {
		places[p.VID] = p
	}
	var ms []member
	for i := range versions {
		v := &versions[i]
		p, placed := places[v.VID]
		if in(v) {
			ms = append(ms, member{*v, p, placed})
		} else if placed {
			if err := s.remove(p, v.Rule); err != nil {
				return err
			}
		}
	}
	want := flags(ms)
	var fresh []engine.Place
	for i, m := range ms {
		switch {
		case m.placed && m.place.Flag == want[i]:
			continue
		case m.placed && m.place.Flag != engine.Shadow:
			s.tally(f.N, m.Rule, m.Kind, m.place.Flag, -1)
			m.place.Flag = want[i]
			if err := s.w.SetFlag(m.place); err != nil {
				return err
			}
			s.tally(f.N, m.Rule, m.Kind, want[i], +1)
			continue
		case m.placed:
			if err := s.remove(m.place, m.Rule); err != nil {
				return err
			}
		}
		fresh = append(fresh, engine.Place{Feed: f.N, Added: f.next(s.at), VID: m.VID, Kind: m.Kind, Flag: want[i]})
		s.tally(f.N, m.Rule, m.Kind, want[i], +1)
		s.grew[f.N] = true
	}
	if len(fresh) == 0 {
		return nil
	}
	return s.w.AddPlaces(fresh)
}

func (s *session) remove(p engine.Place, rule int64) error {
	s.tally(p.Feed, rule, p.Kind, p.Flag, -1)
	p.Flag = engine.Removed
	return s.w.SetFlag(p)
}

// reconcile makes a whole feed agree with the facts and with what the
// audience of the key holds. late is the time of what is gained, or 0 for a
// feed without a past, where each version takes the time at which it was
// stored.
func (s *session) reconcile(f *feedState, key string, late engine.Micros) error {
	f.who, _ = s.v.interned.known(key)
	f.Key, f.Behind, f.changed = key, 0, true
	if err := s.flushTallies(); err != nil {
		return err
	}
	have, err := s.placesOf(f.N)
	if err != nil {
		return err
	}
	ms, err := s.members(f)
	if err != nil {
		return err
	}
	for i := range ms {
		ms[i].place, ms[i].placed = have[ms[i].VID]
		delete(have, ms[i].VID)
	}
	gone := make([]engine.Place, 0, len(have))
	for _, p := range have {
		gone = append(gone, p)
	}
	if err := s.retally(f.N, ms); err != nil {
		return err
	}
	for _, p := range gone {
		p.Flag = engine.Removed
		if err := s.w.SetFlag(p); err != nil {
			return err
		}
	}
	var fresh []engine.Place
	for i := range ms {
		m := &ms[i]
		if m.placed && m.place.Flag == m.flag {
			continue
		}
		if m.placed && m.place.Flag != engine.Shadow {
			m.place.Flag = m.flag
			if err := s.w.SetFlag(m.place); err != nil {
				return err
			}
			continue
		}
		if m.placed {
			m.place.Flag = engine.Removed
			if err := s.w.SetFlag(m.place); err != nil {
				return err
			}
		}
		at := late
		if at == 0 {
			at = m.at
		}
		fresh = append(fresh, engine.Place{Feed: f.N, Added: f.next(at), VID: m.VID, Kind: m.kind, Flag: m.flag})
	}
	if len(fresh) > 0 {
		s.grew[f.N] = true
	}
	return s.w.AddPlaces(fresh)
}

// brief is a member of a feed as reconcile holds it: a feed can be long.
type brief struct {
	VID, rule, kind int64
	at              engine.Micros
	object          [16]byte // stands for the id
	modified        engine.Micros
	flag            int
	place           engine.Place
	placed          bool
}

const chunk = 4096

func (s *session) placesOf(feed int64) (map[int64]engine.Place, error) {
	out := map[int64]engine.Place{}
	for after := engine.Micros(-1 << 62); ; {
		ps, err := s.w.FeedPlaces(feed, after, chunk)
		if err != nil {
			return nil, err
		}
		for _, p := range ps {
			out[p.VID] = p
		}
		if len(ps) < chunk {
			return out, nil
		}
		after = ps[len(ps)-1].Added
	}
}

// members gives what belongs in a feed, by VID, with flags.
func (s *session) members(f *feedState) ([]brief, error) {
	var rules []int64
	for n, a := range f.who.allowed {
		if a == 1 {
			rules = append(rules, int64(n))
		}
	}
	for n := range s.over.rule {
		if s.allows(f, n) {
			rules = append(rules, n)
		}
	}
	var ms []brief
	for after := int64(0); ; {
		var vs []engine.Version
		var err error
		if f.Owner == "" {
			vs, err = s.w.ByRule(rules, after, chunk)
		} else {
			vs, err = s.w.HeldBy(f.Owner, after, chunk)
		}
		if err != nil {
			return nil, err
		}
		for _, v := range vs {
			if s.allows(f, v.Rule) {
				sum := sha256.Sum256([]byte(v.ID))
				ms = append(ms, brief{VID: v.VID, rule: v.Rule, kind: v.Kind, at: v.At, object: [16]byte(sum[:16]), modified: v.Modified})
			}
		}
		if len(vs) < chunk {
			break
		}
		after = vs[len(vs)-1].VID
	}
	order := make([]int, len(ms))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(a, b int) bool {
		x, y := &ms[order[a]], &ms[order[b]]
		if c := slices.Compare(x.object[:], y.object[:]); c != 0 {
			return c < 0
		}
		return compare3(x.modified-y.modified, x.VID-y.VID, 0) < 0
	})
	for i, n := range order {
		m := &ms[n]
		m.flag = engine.Older
		if i > 0 && ms[order[i-1]].object == m.object && ms[order[i-1]].modified == m.modified {
			m.flag = engine.Shadow
		}
	}
	for i := len(order) - 1; i >= 0; {
		object, found := ms[order[i]].object, false
		for ; i >= 0 && ms[order[i]].object == object; i-- {
			if m := &ms[order[i]]; !found && m.flag == engine.Older {
				m.flag, found = engine.Latest, true
			}
		}
	}
	return ms, nil
}

// retally sets the tallies of a feed to what its members say.
func (s *session) retally(feed int64, ms []brief) error {
	old, err := s.w.Tallies(feed)
	if err != nil {
		return err
	}
	for _, y := range old {
		s.tallies[tallyKey{y.Feed, y.Rule, y.Kind}] = &engine.Tally{Feed: y.Feed, Rule: y.Rule, Kind: y.Kind, Total: -y.Total, Latest: -y.Latest}
	}
	for i := range ms {
		s.tally(feed, ms[i].rule, ms[i].kind, ms[i].flag, +1)
	}
	return s.flushTallies()
}

// attach makes the feed of a reader exist and fit what the reader holds.
func (s *session) attach(rs ...Reader) error {
	type move struct {
		from int64
		key  string
	}
	moved := map[move][]string{}
	var moves []move
	for _, r := range rs {
		s.v.interned.saw(r)
		key := s.v.interned.audience(r.Holdings, s.over.atoms)
		f, ok := s.feeds[s.readers[r.ID]]
		if ok && f.who == nil {
			f.who, _ = s.v.interned.known(f.Key)
		}
		switch {
		case ok && f.Key == key && f.current():
		case ok && (f.Key == key || f.Owner != ""):
			if err := s.reconcile(f, key, s.at); err != nil {
				return err
			}
		case ok:
			m := move{f.N, key}
			if moved[m] == nil {
				moves = append(moves, m)
			}
			moved[m] = append(moved[m], r.ID)
		default:
			if err := s.join(r, key); err != nil {
				return err
			}
		}
	}
	for _, m := range moves {
		if err := s.move(s.feeds[m.from], m.key, moved[m]); err != nil {
			return err
		}
	}
	return nil
}

// part gives those who hold something that a new rule names, the first to do
// so, an audience of their own, in the act that brought the rule: they get
// what it governs with the time of the act.
func (s *session) part() error {
	if len(s.over.atoms) == 0 {
		return nil
	}
	var rs []Reader
	for id, n := range s.readers {
		f := s.feeds[n]
		held, ok := s.v.interned.holdingsOf(id)
		if !ok || f == nil || s.v.interned.audience(held, nil) != f.Key {
			continue // another process knows better what this reader holds
		}
		if s.v.interned.audience(held, s.over.atoms) == f.Key {
			continue
		}
		rs = append(rs, Reader{ID: id, Holdings: held}) // it has a feed: of which kind, the feed says
	}
	slices.SortFunc(rs, func(a, b Reader) int { return strings.Compare(a.ID, b.ID) })
	s.parting = true
	return s.attach(rs...)
}

// join gives a reader without a past a feed.
func (s *session) join(r Reader, key string) error {
	if !r.released() {
		for _, f := range s.order {
			if f.Owner == "" && f.Fresh && f.Key == key {
				if f.who == nil {
					f.who, _ = s.v.interned.known(key)
				}
				if f.Behind != 0 {
					if err := s.reconcile(f, key, s.at); err != nil {
						return err
					}
				}
				return s.assign(r.ID, f.N)
			}
		}
	}
	owner := ""
	if r.released() {
		owner = r.ID
	}
	f := s.newFeed(engine.Feed{Owner: owner, Fresh: true})
	if err := s.assign(r.ID, f.N); err != nil {
		return err
	}
	return s.reconcile(f, key, 0)
}

// move takes readers whose holdings changed alike from a feed to one that
// continues it. When nobody stays behind it is the same feed.
func (s *session) move(f *feedState, key string, rs []string) error {
	left := 0
	for _, feed := range s.readers {
		if feed == f.N {
			left++
		}
	}
	to := f
	if left > len(rs) {
		to = s.newFeed(engine.Feed{Last: f.Last})
		for after := engine.Micros(-1 << 62); ; {
			ps, err := s.w.FeedPlaces(f.N, after, chunk)
			if err != nil {
				return err
			}
			for i := range ps {
				ps[i].Feed = to.N
				after = ps[i].Added
			}
			if err := s.w.AddPlaces(ps); err != nil {
				return err
			}
			if len(ps) < chunk {
				break
			}
		}
		for _, r := range rs {
			if err := s.assign(r, to.N); err != nil {
				return err
			}
		}
	}
	// What is gained with a new rule was stored in this act: nothing is late.
	to.Fresh = f.Fresh && s.parting
	return s.reconcile(to, key, s.at)
}

func (s *session) newFeed(f engine.Feed) *feedState {
	for n := range s.feeds {
		f.N = max(f.N, n)
	}
	f.N++
	s.changed = true
	return s.add(f)
}

func (s *session) assign(reader string, feed int64) error {
	s.readers[reader], s.changed = feed, true
	return s.w.PutReader(reader, feed)
}

// SetReaders keeps a feed ready for each reader and appends to it what the
// reader gained since: call it whenever clearances, groups or policies
// change, and at the start. A reader that was not named here gets a feed with
// the first question.
func (v *Vault) SetReaders(ctx context.Context, rs []Reader) error {
	return v.write(ctx, false, func(s *session) error { return s.attach(rs...) })
}

// Forget drops the feeds of readers that are no more. Releases made to them
// stay on record.
func (v *Vault) Forget(ctx context.Context, readers ...string) error {
	return v.write(ctx, false, func(s *session) error {
		for _, r := range readers {
			n, ok := s.readers[r]
			if !ok {
				continue
			}
			delete(s.readers, r)
			s.changed = true
			if err := s.w.DropReader(r); err != nil {
				return err
			}
			if used(s.readers, n) {
				continue
			}
			if err := s.w.DropFeed(n); err != nil {
				return err
			}
			delete(s.feeds, n)
			s.order = slices.DeleteFunc(s.order, func(f *feedState) bool { return f.N == n })
		}
		return nil
	})
}

func used(readers map[string]int64, feed int64) bool {
	for _, f := range readers {
		if f == feed {
			return true
		}
	}
	return false
}
