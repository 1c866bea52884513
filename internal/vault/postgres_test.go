package vault_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/internal/vault/vaulttest"
)

// postgresURL is a server to test on, as .ci/test-postgres starts one.
func postgresURL(t testing.TB) string {
	t.Helper()
	url := os.Getenv("VAULT_TEST_POSTGRES")
	if url == "" {
		t.Skip("VAULT_TEST_POSTGRES names no server: make test-postgres starts one")
	}
	return url
}

// schema is a PostgreSQL store.
type schema string

func (s schema) Open(t testing.TB, cfg vault.Config) *vault.Vault {
	t.Helper()
	cfg.Postgres = string(s)
	v, err := vault.Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newSchema(t testing.TB, url string) schema {
	t.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	name := fmt.Sprintf("test_%d_%d", os.Getpid(), rand.Uint32())
	if _, err := c.Exec(ctx, "CREATE SCHEMA "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if c, err := pgx.Connect(ctx, url); err == nil {
			defer c.Close(ctx)
			c.Exec(ctx, "SET client_min_messages = error; DROP SCHEMA "+name+" CASCADE")
		}
	})
	return schema(url + " search_path=" + name)
}

func TestPostgres(t *testing.T) {
	url := postgresURL(t)
	vaulttest.Run(t, func(t testing.TB) vaulttest.Store { return newSchema(t, url) })
}

// TestPostgresMigration opens a store that the release before made.
func TestPostgresMigration(t *testing.T) {
	s := newSchema(t, postgresURL(t))
	scheme := vaulttest.NewScheme(t, 2)
	aiko := vault.Reader{ID: "person:aiko", Kind: vault.Person, Holdings: scheme.Holdings(t, 1)}
	v := s.Open(t, vault.Config{})
	if _, err := v.Act(t.Context(), audit.Act{Actor: "node", Verb: "put"}, func(tx *vault.Tx) error {
		_, err := tx.Put(vault.Put{Object: vaulttest.Object(t, "campaign", 1, 1, "name", "ferry"), Effective: scheme.Label(t, 1), Source: "local"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := pgx.Connect(t.Context(), string(s))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(t.Context(), `DROP INDEX version_object; ALTER TABLE version DROP oid; CREATE INDEX version_object ON version (id, modified);
		CREATE UNIQUE INDEX version_source ON version (id, modified, source) WHERE NOT gone; UPDATE setting SET value = '1' WHERE name = 'schema'`); err != nil {
		t.Fatal(err)
	}
	v = s.Open(t, vault.Config{})
	defer v.Close()
	if r, err := v.As(aiko).Get(t.Context(), vaulttest.ID("campaign", 1)); err != nil || r.Type != "campaign" {
		t.Errorf("get: %+v, %v", r, err)
	}
	if r, err := v.Verify(t.Context(), nil, nil); err != nil || !r.OK() {
		t.Errorf("verify: %v, %v", r.Problems, err)
	}
}

// counted gives an address that leads to the same server and counts the bytes
// that come from it.
func counted(t *testing.T, url string) (through string, received *atomic.Int64) {
	t.Helper()
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	network, address := pgconn.NetworkAddress(cfg.Host, cfg.Port)
	dir := t.TempDir()
	l, err := net.Listen("unix", filepath.Join(dir, fmt.Sprintf(".s.PGSQL.%d", cfg.Port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	received = new(atomic.Int64)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				c.Close()
				continue
			}
			go func() {
				io.Copy(server, c)
				server.Close()
			}()
			go func() {
				io.Copy(c, io.TeeReader(server, counter{received}))
				c.Close()
			}()
		}
	}()
	return url + " host=" + dir, received
}

type counter struct{ n *atomic.Int64 }

func (c counter) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}

// TestPostgresStopsAtMaxBytes: what lies beyond the bytes of a page is not
// sent by the server, in either direction and along every walk.
func TestPostgresStopsAtMaxBytes(t *testing.T) {
	s := newSchema(t, postgresURL(t))
	through, received := counted(t, string(s))
	v := schema(through).Open(t, vault.Config{})
	defer v.Close()
	scheme := vaulttest.NewScheme(t, 2)
	aiko := vault.Reader{ID: "person:aiko", Kind: vault.Person, Holdings: scheme.Holdings(t, 1)}
	const size = 200_000
	var ids []string
	if _, err := v.Act(t.Context(), audit.Act{Actor: "node", Verb: "put"}, func(tx *vault.Tx) error {
		for n := range 20 {
			o := vaulttest.Object(t, "campaign", n, 1, "name", "ferry", "description", strings.Repeat("a b ", size/4))
			ids = append(ids, o.ID())
			if _, err := tx.Put(vault.Put{Object: o, Effective: scheme.Label(t, 1), Source: "local"}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, q := range []vault.Query{{}, {Newest: true}, {Match: vault.Match{IDs: ids}}, {Match: vault.Match{Text: "ferry"}}} {
		if _, err := v.As(aiko).Count(t.Context(), q.Match); err != nil { // indexed, and a feed made
			t.Fatal(err)
		}
		q.MaxBytes = 3*size + size/2
		before := received.Load()
		p, err := v.As(aiko).Page(t.Context(), q)
		if err != nil || len(p.Rows) != 3 || !p.More {
			t.Fatalf("page of %+v: %d rows, more %v, %v", q, len(p.Rows), p.More, err)
		}
		if n := received.Load() - before; n > 5*size {
			t.Errorf("page of %+v: the server sent %d bytes for %d", q, n, q.MaxBytes)
		}
	}
}

// writers store campaigns through their own vaults, as servers of one node
// would, until enough are acknowledged. What fails is tried again.
type writers struct {
	t      *testing.T
	scheme *vaulttest.Scheme
	mu     sync.Mutex
	acked  map[string]bool
	failed int
}

func (w *writers) run(v *vault.Vault, from int, done <-chan struct{}, pause time.Duration) {
	for n := from; ; n++ {
		for {
			select {
			case <-done:
				return
			case <-time.After(pause):
			}
			_, err := v.Act(context.Background(), audit.Act{Actor: "node", Verb: "put"}, func(tx *vault.Tx) error {
				_, err := tx.Put(vault.Put{Object: vaulttest.Object(w.t, "campaign", n, 1, "name", "x"), Effective: w.scheme.Label(w.t, 1), Source: "local"})
				return err
			})
			w.mu.Lock()
			if err == nil {
				w.acked[vaulttest.ID("campaign", n)] = true
			} else {
				w.failed++
			}
			w.mu.Unlock()
			if err == nil {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func (w *writers) count() (acked, failed int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acked), w.failed
}

// follow polls a feed until done and everything acknowledged has arrived, and
// demands that what arrives is always later than what arrived before.
func (w *writers) follow(v *vault.Vault, r vault.Reader, done <-chan struct{}) map[string]bool {
	got := map[string]bool{}
	q := vault.Query{Limit: 50}
	var last time.Time
	for finished := false; ; {
		select {
		case <-done:
			finished = true
		default:
		}
		p, err := v.As(r).Page(context.Background(), q)
		if err != nil {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		for _, row := range p.Rows {
			if !row.Added.After(last) || got[row.ID] {
				w.t.Errorf("%s arrived with %v after %v", row.ID, row.Added, last)
			}
			last, got[row.ID] = row.Added, true
		}
		if p.Next != "" {
			q = vault.Query{Cursor: p.Next, Limit: 50}
		}
		if finished && len(p.Rows) == 0 {
			return got
		}
	}
}

// TestPostgresServers lets several processes write to and read from one
// database at once.
func TestPostgresServers(t *testing.T) {
	s := newSchema(t, postgresURL(t))
	w := &writers{t: t, scheme: vaulttest.NewScheme(t, 8), acked: map[string]bool{}}
	w.scheme.Label(t, 1) // made once, before goroutines share it
	aiko := vault.Reader{ID: "person:aiko", Kind: vault.Person, Holdings: w.scheme.Holdings(t, 1)}
	var vs []*vault.Vault
	for range 4 {
		v := s.Open(t, vault.Config{})
		defer v.Close()
		vs = append(vs, v)
	}
	if err := vs[0].SetReaders(context.Background(), []vault.Reader{aiko}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	heard := vs[3].Watch(ctx, aiko)
	done, written := make(chan struct{}), make(chan struct{})
	var writing, reading sync.WaitGroup
	for i, v := range vs[:3] {
		writing.Go(func() { w.run(v, 1_000*(i+1), done, 0) })
	}
	var got map[string]bool
	reading.Go(func() { got = w.follow(vs[3], aiko, written) })
	for n := 0; n < 300; n, _ = w.count() {
		time.Sleep(10 * time.Millisecond)
	}
	close(done)
	writing.Wait()
	close(written)
	reading.Wait()
	select {
	case <-heard:
	case <-time.After(5 * time.Second):
		t.Error("a watcher does not hear what another process stored")
	}
	if n, failed := w.count(); failed != 0 || len(got) != n {
		t.Errorf("%d were acknowledged, %d failed, %d arrived", n, failed, len(got))
	}
	if r, err := vs[1].Verify(ctx, nil, nil); err != nil || !r.OK() {
		t.Errorf("verify: %v, %v", r.Problems, err)
	}
}

// TestPostgresFailover kills the primary under load and promotes its
// synchronous standby: no acknowledged act is lost, and readers see nothing
// out of order.
func TestPostgresFailover(t *testing.T) {
	url, kill, promote := os.Getenv("VAULT_TEST_POSTGRES_PAIR"), os.Getenv("VAULT_TEST_POSTGRES_KILL"), os.Getenv("VAULT_TEST_POSTGRES_PROMOTE")
	if url == "" {
		t.Skip("VAULT_TEST_POSTGRES_PAIR names no primary and standby: make test-postgres starts them")
	}
	s := newSchema(t, url)
	w := &writers{t: t, scheme: vaulttest.NewScheme(t, 8), acked: map[string]bool{}}
	w.scheme.Label(t, 1)
	aiko := vault.Reader{ID: "person:aiko", Kind: vault.Person, Holdings: w.scheme.Holdings(t, 1)}
	var vs []*vault.Vault
	for range 3 {
		v := s.Open(t, vault.Config{})
		defer v.Close()
		vs = append(vs, v)
	}
	for _, v := range vs {
		if err := v.SetReaders(context.Background(), []vault.Reader{aiko}); err != nil {
			t.Fatal(err)
		}
	}
	done, written := make(chan struct{}), make(chan struct{})
	var writing, reading sync.WaitGroup
	for i, v := range vs[:2] {
		writing.Go(func() { w.run(v, 10_000*(i+1), done, time.Millisecond) })
	}
	var got map[string]bool
	reading.Go(func() { got = w.follow(vs[2], aiko, written) })
	wait := func(n int) {
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			if acked, failed := w.count(); acked >= n {
				return
			} else if time.Now().After(deadline) {
				t.Errorf("only %d of %d acknowledged, %d failed", acked, n, failed)
				return
			}
		}
	}
	wait(200)
	run := func(command string) {
		if out, err := exec.Command("sh", "-c", command).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", command, err, out)
		}
	}
	run(kill)
	run(promote)
	before, _ := w.count()
	wait(before + 200)
	close(done)
	writing.Wait()
	close(written)
	reading.Wait()
	acked, failed := w.count()
	t.Logf("%d acknowledged, %d failed in between", acked, failed)
	rows := map[string]bool{}
	q := vault.Query{Limit: 1000}
	for {
		p, err := vs[0].As(aiko).Page(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Rows {
			rows[r.ID] = true
		}
		if !p.More {
			break
		}
		q = vault.Query{Cursor: p.Next, Limit: 1000}
	}
	for id := range w.acked {
		if !rows[id] {
			t.Errorf("%s was acknowledged and is lost", id)
		}
	}
	for id := range rows {
		if !got[id] {
			t.Errorf("%s never reached the poller", id)
		}
	}
	if r, err := vs[1].Verify(context.Background(), nil, nil); err != nil || !r.OK() {
		t.Errorf("verify: %v, %v", r.Problems, err)
	}
}
