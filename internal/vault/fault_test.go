package vault_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/internal/vault/internal/engine"
	"causeway/internal/vault/vaulttest"
)

// faulty is an engine in which the n-th write from when it is armed goes
// wrong: before is called instead of it, after in its wake.
type faulty struct {
	engine.Engine
	armed         bool
	n, at         int
	before, after func() error
	hit           string
}

// write is one write point.
func (f *faulty) write(name string, do func() error) error {
	if !f.armed {
		return do()
	}
	i := f.n
	f.n++
	if i != f.at {
		return do()
	}
	f.hit = name
	if f.before != nil {
		if err := f.before(); err != nil {
			return err
		}
	}
	if err := do(); err != nil {
		return err
	}
	if f.after != nil {
		return f.after()
	}
	return nil
}

func (f *faulty) Write(ctx context.Context, lazy bool, do func(engine.Write) error) error {
	if lazy { // the index, which is made again
		return f.Engine.Write(ctx, lazy, do)
	}
	return f.write("commit", func() error {
		return f.Engine.Write(ctx, lazy, func(w engine.Write) error { return do(&faultyTx{w, f}) })
	})
}

type faultyTx struct {
	engine.Write
	f *faulty
}

func (t *faultyTx) SetState(s engine.State) error {
	return t.f.write("state", func() error { return t.Write.SetState(s) })
}
func (t *faultyTx) AddRule(r engine.Rule) error {
	return t.f.write("rule", func() error { return t.Write.AddRule(r) })
}
func (t *faultyTx) AddLabel(l engine.Label) error {
	return t.f.write("label", func() error { return t.Write.AddLabel(l) })
}
func (t *faultyTx) AddKind(k engine.Kind) error {
	return t.f.write("kind", func() error { return t.Write.AddKind(k) })
}
func (t *faultyTx) AddVersions(v []engine.Version) error {
	return t.f.write("versions", func() error { return t.Write.AddVersions(v) })
}
func (t *faultyTx) SetLabel(v, l, r int64) error {
	return t.f.write("relabel", func() error { return t.Write.SetLabel(v, l, r) })
}
func (t *faultyTx) Withdraw(v []int64) error {
	return t.f.write("withdraw", func() error { return t.Write.Withdraw(v) })
}
func (t *faultyTx) AddEvents(e []engine.Event) error {
	return t.f.write("events", func() error { return t.Write.AddEvents(e) })
}
func (t *faultyTx) Hold(r string, v []int64, a int64) error {
	return t.f.write("hold", func() error { return t.Write.Hold(r, v, a) })
}
func (t *faultyTx) Unhold(r string, v []int64) error {
	return t.f.write("unhold", func() error { return t.Write.Unhold(r, v) })
}
func (t *faultyTx) PutFeed(x engine.Feed) error {
	return t.f.write("feed", func() error { return t.Write.PutFeed(x) })
}
func (t *faultyTx) PutReader(r string, n int64) error {
	return t.f.write("reader", func() error { return t.Write.PutReader(r, n) })
}
func (t *faultyTx) DropReader(r string) error {
	return t.f.write("reader dropped", func() error { return t.Write.DropReader(r) })
}
func (t *faultyTx) DropFeed(n int64) error {
	return t.f.write("feed dropped", func() error { return t.Write.DropFeed(n) })
}
func (t *faultyTx) AddPlaces(p []engine.Place) error {
	return t.f.write("places", func() error { return t.Write.AddPlaces(p) })
}
func (t *faultyTx) SetFlag(p engine.Place) error {
	return t.f.write("flag", func() error { return t.Write.SetFlag(p) })
}
func (t *faultyTx) AddTallies(y []engine.Tally) error {
	return t.f.write("tallies", func() error { return t.Write.AddTallies(y) })
}
func (t *faultyTx) PutRecord(s, k string, v []byte) error {
	return t.f.write("record", func() error { return t.Write.PutRecord(s, k, v) })
}
func (t *faultyTx) AddLeaf(l engine.Leaf, n int64, h []tlog.Hash) error {
	return t.f.write("leaf", func() error { return t.Write.AddLeaf(l, n, h) })
}

// story is an act that touches every table, on what prepare left.
type story struct {
	t      testing.TB
	scheme *vaulttest.Scheme
}

func (s story) readers() []vault.Reader {
	return []vault.Reader{{ID: "person:aiko", Kind: vault.Person, Holdings: s.scheme.Holdings(s.t, 1)},
		{ID: "partner:bru", Kind: vault.Partner, Holdings: s.scheme.Holdings(s.t, 1, 2)}}
}

func (s story) put(n, second int, c ...int) vault.Put {
	return vault.Put{Object: vaulttest.Object(s.t, "campaign", n, second, "name", "x"), Effective: s.scheme.Label(s.t, c...), Source: "local"}
}

func (s story) prepare(v *vault.Vault) {
	s.t.Helper()
	ctx := context.Background()
	if err := v.SetReaders(ctx, s.readers()); err != nil {
		s.t.Fatal(err)
	}
	if _, err := v.Act(ctx, audit.Act{Actor: "node", Verb: "prepare"}, func(tx *vault.Tx) error {
		if _, err := tx.Put(s.put(1, 1, 1), s.put(2, 1, 1), s.put(3, 1, 2)); err != nil {
			return err
		}
		return tx.Release(vaulttest.ID("campaign", 1), "", []string{"partner:bru"}, "rule")
	}); err != nil {
		s.t.Fatal(err)
	}
}

func (s story) act(v *vault.Vault) error {
	_, err := v.Act(context.Background(), audit.Act{Actor: "node", Verb: "act"}, func(tx *vault.Tx) error {
		out, err := tx.Put(s.put(1, 2, 1), s.put(4, 1, 1, 3), vault.Put{Object: vaulttest.Object(s.t, "tool", 5, 1, "name", "x"), Effective: s.scheme.Label(s.t, 1), Source: "local"})
		if err != nil {
			return err
		}
		if out[0].Status == vault.Present {
			return nil // done before
		}
		return errors.Join(
			tx.Release(vaulttest.ID("campaign", 4), "", []string{"partner:bru"}, "rule"),
			tx.Recall(vaulttest.ID("campaign", 1), vaulttest.Version(1), nil, "why"),
			tx.Relabel(vaulttest.ID("campaign", 3), "", s.scheme.Label(s.t, 1)),
			tx.Withdraw(vaulttest.ID("campaign", 2), "", "why"),
			tx.PutRecord("s", "k", []byte("v")))
	})
	return err
}

// state is everything that may change, as text.
func (s story) state(v *vault.Vault) string {
	s.t.Helper()
	ctx := context.Background()
	var b strings.Builder
	value, ok, err := v.Record(ctx, "s", "k")
	fmt.Fprintln(&b, string(value), ok, err)
	if err := v.Entries(ctx, 0, func(_ []byte, e audit.Entry) error {
		if e.Act.Actor == "node" {
			fmt.Fprintln(&b, e.Act.Verb, len(e.Effects))
		}
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
	for _, r := range s.readers() {
		p, err := v.As(r).Page(ctx, vault.Query{Match: vault.Match{Versions: []string{"all"}}})
		fmt.Fprintln(&b, r.ID, err)
		for _, row := range p.Rows {
			fmt.Fprintln(&b, row.ID, row.Version, row.Added.Unix())
		}
	}
	report, err := v.Verify(ctx, nil, nil)
	if err != nil || !report.OK() {
		s.t.Fatalf("verify: %v, %v", report.Problems, err)
	}
	return b.String()
}

func fixedClock() time.Time { return time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) }

// TestFaults lets each write of an act fail, before and after it was done,
// the commit included. The act has happened whole or not at all, the vault
// goes on working, and the act done again ends in the same state.
func TestFaults(t *testing.T) {
	broken := errors.New("broken on purpose")
	fail := func() error { return broken }
	s := story{t, vaulttest.NewScheme(t, 8)}
	open := func(f *faulty) *vault.Vault {
		cfg, err := vault.WithEngine(vault.Config{Dir: quickDir(t), Now: fixedClock}, func(e engine.Engine) engine.Engine { f.Engine = e; return f })
		if err != nil {
			t.Fatal(err)
		}
		v, err := vault.Open(context.Background(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		s.prepare(v)
		return v
	}
	v := open(&faulty{})
	before := s.state(v)
	if err := s.act(v); err != nil {
		t.Fatal(err)
	}
	after := s.state(v)
	v.Close()
	if before == after {
		t.Fatal("the act changes nothing")
	}
	points := map[string]bool{}
	for _, mode := range []string{"fails", "fails but persisted"} {
		for at := 0; ; at++ {
			f := &faulty{at: at, before: fail}
			if mode != "fails" {
				f.before, f.after = nil, fail
			}
			v := open(f)
			f.armed = true
			err := s.act(v)
			f.armed = false
			if f.hit == "" {
				v.Close()
				break
			}
			points[f.hit] = true
			name := fmt.Sprintf("%s %d (%s)", mode, at, f.hit)
			if !errors.Is(err, broken) {
				t.Errorf("%s: error %v, want that of the store", name, err)
			}
			want := before
			if f.hit == "commit" && mode != "fails" {
				want = after
			}
			if got := s.state(v); got != want {
				t.Errorf("%s: the act is half done:\n%s\nwant\n%s", name, got, want)
			}
			if err := s.act(v); err != nil {
				t.Errorf("%s: the act again: %v", name, err)
			}
			if got := s.state(v); want == before && got != after {
				t.Errorf("%s: the act again ends in\n%s\nwant\n%s", name, got, after)
			}
			v.Close()
		}
	}
	for _, p := range []string{"commit", "state", "rule", "label", "kind", "versions", "relabel", "withdraw", "events", "hold", "unhold", "feed", "places", "flag", "tallies", "record", "leaf"} {
		if !points[p] {
			t.Errorf("no fault was tried at %q", p)
		}
	}
}

// TestFeedFaults lets each write fail by which readers' feeds change: the
// error is told, and the feeds are as they were.
func TestFeedFaults(t *testing.T) {
	broken := errors.New("broken on purpose")
	s := story{t, vaulttest.NewScheme(t, 8)}
	person := func(name string, c ...int) vault.Reader {
		return vault.Reader{ID: "person:" + name, Kind: vault.Person, Holdings: s.scheme.Holdings(t, c...)}
	}
	ctx := context.Background()
	for _, c := range []struct {
		name   string
		change func(v *vault.Vault) error
		points []string
	}{
		{"one of two gains", func(v *vault.Vault) error { return v.SetReaders(ctx, []vault.Reader{person("aiko", 1, 2)}) }, []string{"places", "reader", "feed"}},
		{"one joins those who wait", func(v *vault.Vault) error { return v.SetReaders(ctx, []vault.Reader{person("ben", 1)}) }, []string{"places", "reader", "feed"}},
		{"all are forgotten", func(v *vault.Vault) error { return v.Forget(ctx, "person:aiko", "person:eve") }, []string{"reader dropped", "feed dropped"}},
	} {
		points := map[string]bool{}
		for at := 0; ; at++ {
			dir := quickDir(t)
			v := folder(dir).Open(t, vault.Config{Now: fixedClock})
			if err := v.SetReaders(ctx, []vault.Reader{person("aiko", 1), person("eve", 1)}); err != nil {
				t.Fatal(err)
			}
			put := func(n int) {
				if _, err := v.Act(ctx, audit.Act{Actor: "node", Verb: "put"}, func(tx *vault.Tx) error {
					_, err := tx.Put(s.put(n, 1, 1), s.put(n+1, 1, 2))
					return err
				}); err != nil {
					t.Fatal(err)
				}
			}
			put(1)
			v.Close()
			// Opened again, nobody is known: the feeds fall behind.
			f := &faulty{at: at, before: func() error { return broken }}
			cfg, err := vault.WithEngine(vault.Config{Dir: dir, Now: fixedClock}, func(e engine.Engine) engine.Engine { f.Engine = e; return f })
			if err != nil {
				t.Fatal(err)
			}
			if v, err = vault.Open(ctx, cfg); err != nil {
				t.Fatal(err)
			}
			put(3)
			f.armed = true
			err = c.change(v)
			f.armed = false
			if f.hit == "" {
				v.Close()
				break
			}
			points[f.hit] = true
			if !errors.Is(err, broken) {
				t.Errorf("%s, %d (%s): error %v, want that of the store", c.name, at, f.hit, err)
			}
			if r, err := v.Verify(ctx, nil, nil); err != nil || !r.OK() {
				t.Errorf("%s, %d (%s): verify: %v, %v", c.name, at, f.hit, r.Problems, err)
			}
			if p, err := v.As(person("aiko", 1)).Page(ctx, vault.Query{}); err != nil || len(p.Rows) != 2 {
				t.Errorf("%s, %d (%s): %d rows, %v", c.name, at, f.hit, len(p.Rows), err)
			}
			v.Close()
		}
		for _, p := range c.points {
			if !points[p] {
				t.Errorf("%s: no fault was tried at %q", c.name, p)
			}
		}
	}
}

// TestKill kills the process at each write of an act with SIGKILL, on the
// disk. When the store is opened again, the act has happened whole, with its
// entry, or not at all, without one.
func TestKill(t *testing.T) {
	s := story{t, vaulttest.NewScheme(t, 8)}
	if dir := os.Getenv("VAULT_KILL_DIR"); dir != "" {
		at, err := strconv.Atoi(os.Getenv("VAULT_KILL_AT"))
		if err != nil {
			t.Fatal(err)
		}
		die := func() error { return syscall.Kill(os.Getpid(), syscall.SIGKILL) }
		f := &faulty{at: at / 2, before: die}
		if at%2 == 1 {
			f.before, f.after = nil, die
		}
		cfg, err := vault.WithEngine(vault.Config{Dir: dir, Now: fixedClock}, func(e engine.Engine) engine.Engine { f.Engine = e; return f })
		if err != nil {
			t.Fatal(err)
		}
		v, err := vault.Open(context.Background(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		s.prepare(v)
		f.armed = true
		if err := s.act(v); err != nil {
			t.Fatal(err)
		}
		return
	}
	if testing.Short() {
		t.Skip("short")
	}
	var states []string
	for at := 0; ; at++ {
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
		cmd.Env = append(os.Environ(), "VAULT_KILL_DIR="+dir, fmt.Sprintf("VAULT_KILL_AT=%d", at))
		out, err := cmd.CombinedOutput()
		survived := err == nil
		var exit *exec.ExitError
		if err != nil && (!errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL) {
			t.Fatalf("kill at %d: %v\n%s", at, err, out)
		}
		v := folder(dir).Open(t, vault.Config{Now: fixedClock})
		states = append(states, s.state(v))
		v.Close()
		if survived {
			break
		}
	}
	before, after := states[0], states[len(states)-1]
	if before == after {
		t.Fatal("the act changes nothing")
	}
	for i, got := range states {
		// The commit is the first write to begin and the last to be done.
		want := before
		if i == 1 || i == len(states)-1 {
			want = after
		}
		if got != want {
			t.Errorf("killed at write %d: the act is half done:\n%s", i, got)
		}
	}
	t.Logf("killed at %d points", len(states)-1)
}

// TestSecondProcess opens a folder twice.
func TestSecondProcess(t *testing.T) {
	dir := t.TempDir()
	if os.Getenv("VAULT_SECOND_DIR") != "" {
		v, err := vault.Open(context.Background(), vault.Config{Dir: os.Getenv("VAULT_SECOND_DIR")})
		if err == nil {
			v.Close()
		}
		fmt.Println("second:", errors.Is(err, vault.ErrLocked), err)
		return
	}
	v := folder(dir).Open(t, vault.Config{})
	for _, name := range []string{"vault.db", "vault.db-wal", "vault.db-shm"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s can be read by others: %v, %v", name, info.Mode(), err)
		}
	}
	second := func() string {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSecondProcess$")
		cmd.Env = append(os.Environ(), "VAULT_SECOND_DIR="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	if out := second(); !strings.Contains(out, "second: true") || !strings.Contains(out, "stop the other") {
		t.Errorf("a second process: %s", out)
	}
	ro, err := vault.Open(context.Background(), vault.Config{Dir: dir, ReadOnly: true})
	if err != nil {
		t.Fatalf("open for reading beside a running node: %v", err)
	}
	if r, err := ro.Verify(context.Background(), nil, nil); err != nil || !r.OK() {
		t.Errorf("verify beside a running node: %v, %v", r, err)
	}
	if _, err := ro.Act(context.Background(), audit.Act{Actor: "node", Verb: "x"}, nil); err == nil {
		t.Error("an act in a vault that is open for reading")
	}
	ro.Close()
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if out := second(); !strings.Contains(out, "second: false <nil>") {
		t.Errorf("after the first ended: %s", out)
	}
	if err := os.WriteFile(filepath.Join(dir, "vault.db"), []byte("not a database, but long enough to be looked at as if it were one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.Open(context.Background(), vault.Config{Dir: dir}); err == nil {
		t.Error("a file that is no database was opened")
	}
}
