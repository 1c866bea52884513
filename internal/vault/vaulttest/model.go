package vaulttest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"causeway/internal/audit"
	"causeway/internal/vault"
)

// modelVersion is a stored version as plain facts.
type modelVersion struct {
	n, second    int
	source, text string
	compartments []int
	released     map[string]bool
	gone         bool
}

// model is the vault written down as simply as possible: a list of versions
// in the order of storing, and what each reader holds.
type model struct {
	versions []*modelVersion
	readers  []vault.Reader
	held     map[string][]int
}

// visible decides with plain sets.
func (m *model) visible(r vault.Reader, v *modelVersion) bool {
	if v.gone || r.Kind == vault.Partner && !v.released[r.ID] {
		return false
	}
	return slices.ContainsFunc(v.compartments, func(c int) bool { return slices.Contains(m.held[r.ID], c) })
}

// shows gives what a reader sees: of records of one version the first stored.
func (m *model) shows(r vault.Reader) map[string]string {
	out := map[string]string{}
	for _, v := range m.versions {
		key := fmt.Sprintf("campaign--%d %02d", v.n, v.second)
		if _, shadowed := out[key]; !shadowed && m.visible(r, v) {
			out[key] = v.source + " " + v.text
		}
	}
	return out
}

// newest keeps of each object the newest version.
func newest(shown map[string]string) map[string]string {
	out := map[string]string{}
	for key, text := range shown {
		last := true
		for other := range shown {
			if other[:len(other)-2] == key[:len(key)-2] && other > key {
				last = false
			}
		}
		if last {
			out[key] = text
		}
	}
	return out
}

// poller is a reader who only ever asks for what is new.
type poller struct {
	cursor string
	has    map[string]string
	added  time.Time
}

// testModel runs random acts on a vault and on the model. After each, every
// reader sees exactly what the model says, and whoever only polled lacks
// nothing of it.
func testModel(t *testing.T, fresh func(testing.TB) Store) {
	if testing.Short() {
		t.Skip("short")
	}
	rapid.Check(t, func(rt *rapid.T) {
		store := fresh(t)
		w := &world{t: t, ctx: t.Context(), clock: newClock(), scheme: NewScheme(t, 4)}
		w.v = store.Open(t, vault.Config{Now: w.clock.Now})
		defer func() { w.v.Close() }()
		m := &model{held: map[string][]int{}}
		pollers := map[string]*poller{}
		for i, r := range []vault.Reader{{ID: "person:aiko", Kind: vault.Person}, {ID: "person:ben", Kind: vault.Person},
			{ID: "partner:bru", Kind: vault.Partner}, {ID: "partner:can", Kind: vault.Partner}} {
			m.held[r.ID] = []int{i % 2}
			r.Holdings = w.scheme.Holdings(t, i%2)
			m.readers = append(m.readers, r)
			pollers[r.ID] = &poller{has: map[string]string{}}
		}
		steps := rapid.IntRange(1, 25).Draw(rt, "steps")
		for range steps {
			w.clock.Move(time.Duration(rapid.SampledFrom([]int{1, 1000, -2000, 0}).Draw(rt, "ms")) * time.Millisecond)
			m.step(rt, w, store)
			for i := range m.readers {
				m.check(rt, w, m.readers[i], pollers[m.readers[i].ID])
			}
			if rt.Failed() {
				return
			}
		}
		if r, err := w.v.Verify(w.ctx, nil, nil); err != nil || !r.OK() {
			rt.Fatalf("verify: %v, %v", r.Problems, err)
		}
	})
}

// step draws one act and does it on both sides.
func (m *model) step(rt *rapid.T, w *world, store Store) {
	n, second := rapid.IntRange(0, 2).Draw(rt, "object"), rapid.IntRange(0, 2).Draw(rt, "version")
	compartments := rapid.SliceOfNDistinct(rapid.IntRange(0, 2), 0, 2, rapid.ID[int]).Draw(rt, "compartments")
	slices.Sort(compartments)
	id := ID("campaign", n)
	of := func(whole bool) (out []*modelVersion) {
		for _, v := range m.versions {
			if !v.gone && v.n == n && (whole || v.second == second) {
				out = append(out, v)
			}
		}
		return out
	}
	act := func(verb string, do func(*vault.Tx) error) error {
		_, err := w.v.Act(w.ctx, audit.Act{Actor: "node", Verb: verb}, do)
		return err
	}
	reader := m.readers[rapid.IntRange(0, 3).Draw(rt, "reader")].ID
	partner := m.readers[rapid.IntRange(2, 3).Draw(rt, "partner")].ID
	version := Version(second)
	var err error
	switch what := rapid.IntRange(0, 11).Draw(rt, "what"); what {
	case 0, 1, 2, 3:
		m.put(rt, w, n, second, compartments)
	case 4, 5, 6:
		err = act("release", func(tx *vault.Tx) error { return tx.Release(id, version, []string{partner}, "rule") })
		for _, v := range of(false) {
			v.released[partner] = true
		}
	case 7:
		err = act("recall", func(tx *vault.Tx) error { return tx.Recall(id, version, []string{partner}, "why") })
		for _, v := range of(false) {
			delete(v.released, partner)
		}
	case 8:
		err = act("relabel", func(tx *vault.Tx) error { return tx.Relabel(id, version, w.scheme.Label(w.t, compartments...)) })
		for _, v := range of(false) {
			v.compartments = compartments
		}
	case 9:
		err = act("withdraw", func(tx *vault.Tx) error { return tx.Withdraw(id, version, "why") })
		for _, v := range of(false) {
			v.gone = true
		}
	case 10:
		m.held[reader] = compartments
		for i := range m.readers {
			if m.readers[i].ID == reader {
				m.readers[i].Holdings = w.scheme.Holdings(w.t, compartments...)
			}
		}
		if rapid.Bool().Draw(rt, "announced") {
			err = w.v.SetReaders(w.ctx, m.readers)
		}
	case 11:
		// A restart: what readers hold is not known until they come back.
		if err := w.v.Close(); err != nil {
			rt.Fatal(err)
		}
		w.v = store.Open(w.t, vault.Config{Now: w.clock.Now})
		m.put(rt, w, n, second, compartments)
	}
	if err != nil && (len(of(false)) > 0 || notFound(err) != nil) {
		rt.Fatalf("an act failed: %v", err)
	}
}

func (m *model) put(rt *rapid.T, w *world, n, second int, compartments []int) {
	source := rapid.SampledFrom([]string{"local", "partner:x"}).Draw(rt, "source")
	text := rapid.SampledFrom([]string{"A", "A", "B"}).Draw(rt, "text")
	want := vault.Stored
	for _, v := range m.versions {
		if !v.gone && v.n == n && v.second == second && v.source == source {
			want = vault.Present
			if v.text != text {
				want = vault.Conflict
			}
		}
	}
	if want == vault.Stored {
		m.versions = append(m.versions, &modelVersion{n, second, source, text, compartments, map[string]bool{}, false})
	}
	if got := w.putAs(source, "campaign", n, second, compartments, "name", text); got.Status != want {
		rt.Fatalf("put %d %d from %s: %v, want %v", n, second, source, got.Status, want)
	}
}

// check compares what a reader sees with the model, and polls.
func (m *model) check(rt *rapid.T, w *world, r vault.Reader, p *poller) {
	view := w.v.As(r)
	want := m.shows(r)
	contents := func(rows []vault.Row) map[string]string {
		out := map[string]string{}
		for i, row := range rows {
			key := names(rows[i : i+1])[0]
			if _, twice := out[key]; twice {
				rt.Fatalf("%s sees %s twice", r.ID, key)
			}
			if i > 0 && !row.Added.After(rows[i-1].Added) {
				rt.Fatalf("%s: the feed goes back in time", r.ID)
			}
			out[key] = row.Source + " " + rawName(rt, row)
		}
		return out
	}
	hide := func(in map[string]string) map[string]string {
		if r.Kind != vault.Partner {
			return in
		}
		out := map[string]string{}
		for k, v := range in {
			out[k] = v[len(v)-2:] // a partner is not told the source
		}
		return out
	}
	everything, err := view.Page(w.ctx, vault.Query{Match: all})
	if err != nil {
		rt.Fatal(err)
	}
	if got := contents(everything.Rows); !equal(hide(want), got) {
		rt.Fatalf("%s sees %v, want %v", r.ID, got, hide(want))
	}
	last, err := view.Page(w.ctx, vault.Query{})
	if err != nil {
		rt.Fatal(err)
	}
	if got := contents(last.Rows); !equal(hide(newest(want)), got) {
		rt.Fatalf("%s sees as newest %v, want %v", r.ID, got, hide(newest(want)))
	}
	for _, c := range []struct {
		m    vault.Match
		want int
	}{{all, len(want)}, {vault.Match{}, len(newest(want))}, {vault.Match{Types: []string{"tool"}}, 0}} {
		if n, err := view.Count(w.ctx, c.m); err != nil || n != int64(c.want) {
			rt.Fatalf("%s counts %d, %v, want %d", r.ID, n, err, c.want)
		}
	}
	news, err := view.Page(w.ctx, vault.Query{Match: all, Cursor: p.cursor})
	if err != nil {
		rt.Fatal(err)
	}
	for _, row := range news.Rows {
		if !row.Added.After(p.added) {
			rt.Fatalf("%s: news that is not new", r.ID)
		}
		p.added = row.Added
	}
	for k, v := range contents(news.Rows) {
		p.has[k] = v
	}
	if news.Next != "" {
		p.cursor = news.Next
	}
	for k, v := range hide(want) {
		if p.has[k] != v {
			rt.Fatalf("%s polled and has %q of %s, want %q", r.ID, p.has[k], k, v)
		}
	}
}

func equal(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}
