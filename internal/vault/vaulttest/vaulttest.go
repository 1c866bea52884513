package vaulttest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/label"
)

// Store is one store of an engine under test. Open opens it, again after the
// vault it gave was closed; the configuration carries clock and salts.
type Store interface {
	Open(t testing.TB, cfg vault.Config) *vault.Vault
}

// Run runs the suite. fresh makes an empty store.
func Run(t *testing.T, fresh func(t testing.TB) Store) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, fresh func(t testing.TB) Store)
	}{
		{"Put", testPut},
		{"ProducersBytes", testBytes},
		{"Pages", testPages},
		{"PagesBesideAWriter", testPagesBesideAWriter},
		{"Cursors", testCursors},
		{"Match", testMatch},
		{"ReleaseNeedsBoth", testRelease},
		{"LateAvailability", testLate},
		{"Names", testNames},
		{"Feeds", testFeeds},
		{"Withdraw", testWithdraw},
		{"Records", testRecords},
		{"Acts", testActs},
		{"Clock", testClock},
		{"Watch", testWatch},
		{"Neighbours", testNeighbours},
		{"Find", testFind},
		{"Audit", testAudit},
		{"Model", testModel},
		{"TwoWorlds", testTwoWorlds},
		{"Leaks", testLeaks},
		{"Alternatives", testAlternatives},
		{"ManyReadersOneWriter", testMany},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, fresh) })
	}
}

// clock is a clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// seeded is a source of salts that is the same in each run.
type seeded struct{ r *rand.ChaCha8 }

func newSeeded() *seeded { return &seeded{rand.NewChaCha8([32]byte{1})} }

func (s *seeded) Read(b []byte) (int, error) { return s.r.Read(b) }

// world is an open vault with what tests need around it.
type world struct {
	t      testing.TB
	ctx    context.Context
	v      *vault.Vault
	clock  *clock
	scheme *Scheme
}

func open(t testing.TB, fresh func(testing.TB) Store) *world {
	c := newClock()
	v := fresh(t).Open(t, vault.Config{Now: c.Now})
	t.Cleanup(func() { v.Close() })
	return &world{t, context.Background(), v, c, NewScheme(t, 8)}
}

func (w *world) person(name string, compartments ...int) vault.Reader {
	return vault.Reader{ID: "person:" + name, Kind: vault.Person, Holdings: w.scheme.Holdings(w.t, compartments...)}
}

func (w *world) partner(name string, compartments ...int) vault.Reader {
	return vault.Reader{ID: "partner:" + name, Kind: vault.Partner, Holdings: w.scheme.Holdings(w.t, compartments...)}
}

func (w *world) readers(rs ...vault.Reader) {
	w.t.Helper()
	if err := w.v.SetReaders(w.ctx, rs); err != nil {
		w.t.Fatalf("set the readers: %v", err)
	}
}

// act does something a millisecond later.
func (w *world) act(verb string, do func(*vault.Tx) error) vault.Entry {
	w.t.Helper()
	w.clock.Move(time.Millisecond)
	e, err := w.v.Act(w.ctx, audit.Act{Actor: "node", Verb: verb}, do)
	if err != nil {
		w.t.Fatalf("%s: %v", verb, err)
	}
	return e
}

// put stores a campaign.
func (w *world) put(n, second int, compartments ...int) vault.Outcome {
	w.t.Helper()
	return w.putAs("local", "campaign", n, second, compartments, "name", "Campaign")
}

func (w *world) putAs(source, typ string, n, second int, compartments []int, properties ...any) (o vault.Outcome) {
	w.t.Helper()
	w.act("put", func(tx *vault.Tx) error {
		out, err := tx.Put(vault.Put{Object: Object(w.t, typ, n, second, properties...), Effective: w.scheme.Label(w.t, compartments...), Source: source})
		if err == nil {
			o = out[0]
		}
		return err
	})
	return o
}

func (w *world) release(n int, to ...string) {
	w.t.Helper()
	w.act("release", func(tx *vault.Tx) error { return tx.Release(ID("campaign", n), "", to, "by hand") })
}

// page reads one page and fails the test on an error.
func (w *world) page(r vault.Reader, q vault.Query) vault.Page {
	w.t.Helper()
	p, err := w.v.As(r).Page(w.ctx, q)
	if err != nil {
		w.t.Fatalf("page for %s: %v", r.ID, err)
	}
	return p
}

var all = vault.Match{Versions: []string{"all"}}

// names gives what a page shows, as "type n second".
func names(rows []vault.Row) []string {
	out := []string{}
	for _, r := range rows {
		out = append(out, r.ID[:len(r.ID)-36]+r.ID[len(r.ID)-1:]+" "+r.Version[17:19])
	}
	return out
}

func same(t testing.TB, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func wantNotFound(t testing.TB, what string, err error) {
	t.Helper()
	if !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("%s: error %v, want not found", what, err)
	}
}

// verify demands that the whole store agrees with its log.
func (w *world) verify() {
	w.t.Helper()
	r, err := w.v.Verify(w.ctx, nil, nil)
	if err != nil {
		w.t.Fatalf("verify: %v", err)
	}
	for _, p := range r.Problems {
		w.t.Errorf("verify: entry %d: %s", p.Index, p.Text)
	}
}

var public = vault.Reader{ID: "public", Kind: vault.Public, Holdings: label.Public}
