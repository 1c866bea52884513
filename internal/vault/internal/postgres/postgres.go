// Package postgres keeps a vault in a PostgreSQL schema, for a node that has
// several servers or must survive the loss of a machine.
//
// Any number of processes work on one database. A write begins by locking
// the one row of the state, which it holds until it is committed and, with a
// synchronous standby, until the standby has it: acts are in one order on all
// servers, and what became available is visible in the order of its times.
// Readers never wait: each reads one snapshot.
package postgres

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"causeway/internal/vault/internal/engine"
)

//go:embed schema.sql
var schema string

const schemaVersion = "2"

// migrations bring a store of an earlier release to the next one.
var migrations = map[string]string{
	"1": `ALTER TABLE version ADD oid bigint;
		UPDATE version SET oid = ('x' || encode(substr(sha256(convert_to(id, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint;
		ALTER TABLE version ALTER oid SET NOT NULL;
		DROP INDEX version_source, version_object;
		CREATE INDEX version_object ON version (oid, modified);
		UPDATE setting SET value = '2' WHERE name = 'schema'`,
}

// connections is the number of readers that can be under way in one process;
// beyond it they wait for one another. The writer has one of its own.
const connections = 8

// settings keep the plans of the vault's questions as they are written: walk
// the smallest set, look up the rest by index. What the reader may not see
// then costs nothing, whatever the statistics say.
var settings = []string{
	"SET join_collapse_limit = 1", "SET enable_hashjoin = off", "SET enable_mergejoin = off", "SET enable_seqscan = off",
	"SET enable_bitmapscan = off", "SET enable_memoize = off", "SET jit = off",
	"SET client_min_messages = warning", "SET timezone = 'UTC'", "SET lock_timeout = '60s'", "SET idle_in_transaction_session_timeout = '10min'",
}

// Engine is one open store.
type Engine struct {
	cfg       *pgx.ConnConfig
	name      string // of this process among those on the database
	channel   string
	writer    chan *pgx.Conn // holds the one connection, or nil before it is made
	pool      chan *pgx.Conn
	announced chan []int64
	stop      context.CancelFunc
	listening sync.WaitGroup
}

// Open connects and makes the tables of a new store in the current schema.
// Name several hosts and target_session_attrs=read-write in url to find the
// new primary after a failover.
func Open(ctx context.Context, url string) (*Engine, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		// The parser's error can hold the password.
		return nil, errors.New("open the vault in PostgreSQL: the connection string cannot be read; give postgres://user@host/database or key=value pairs")
	}
	// A machine that is lost does not say so: find out within 20 seconds.
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 10 * time.Second
	}
	dial := net.Dialer{Timeout: cfg.ConnectTimeout, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 5 * time.Second, Count: 3}}
	cfg.DialFunc = dial.DialContext
	e := &Engine{cfg: cfg, name: rand.Text(), writer: make(chan *pgx.Conn, 1), pool: make(chan *pgx.Conn, connections), announced: make(chan []int64, 64)}
	e.writer <- nil
	for range connections {
		e.pool <- nil
	}
	if err := e.migrate(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	ctx, e.stop = context.WithCancel(context.WithoutCancel(ctx))
	ready := make(chan struct{})
	e.listening.Go(func() { e.listen(ctx, ready) })
	select {
	case <-ready:
	case <-time.After(5 * time.Second): // it goes on trying
	}
	return e, nil
}

func (e *Engine) connect(ctx context.Context) (*pgx.Conn, error) {
	c, err := pgx.ConnectConfig(ctx, e.cfg.Copy())
	if err != nil {
		return nil, fmt.Errorf("connect to PostgreSQL at %s: %w", e.cfg.Host, err)
	}
	if _, err := c.Exec(ctx, strings.Join(settings, "; ")); err != nil {
		c.Close(ctx)
		return nil, fmt.Errorf("prepare a connection to PostgreSQL: %w", err)
	}
	return c, nil
}

// migrate makes the tables once, whoever comes first.
func (e *Engine) migrate(ctx context.Context) error {
	c, err := e.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	var where string
	if err := c.QueryRow(ctx, "SELECT coalesce(current_schema(), '')").Scan(&where); err != nil || where == "" {
		return fmt.Errorf("open the vault in PostgreSQL: the search path names no schema that exists: %w", err)
	}
	e.channel = "causeway_" + where
	return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext('causeway vault'), hashtext($1))", where); err != nil {
			return fmt.Errorf("make the tables of the vault: %w", err)
		}
		var there bool
		if err := tx.QueryRow(ctx, "SELECT to_regclass('setting') IS NOT NULL").Scan(&there); err != nil {
			return fmt.Errorf("look for the tables of the vault: %w", err)
		}
		if !there {
			if _, err := tx.Exec(ctx, schema); err != nil {
				return fmt.Errorf("make the tables of the vault: %w", err)
			}
		}
		var version string
		err := tx.QueryRow(ctx, "SELECT value FROM setting WHERE name = 'schema'").Scan(&version)
		if migration := migrations[version]; err == nil && migration != "" {
			if _, err := tx.Exec(ctx, migration); err != nil {
				return fmt.Errorf("bring the tables of the vault from release %s to the next: %w", version, err)
			}
			version = schemaVersion
		}
		if err != nil || version != schemaVersion {
			return fmt.Errorf("open the vault in PostgreSQL: schema %s holds tables of another release (%q, want %q): %w", where, version, schemaVersion, err)
		}
		return nil
	})
}

// Close ends all connections.
func (e *Engine) Close() error {
	if e.stop != nil {
		e.stop()
	}
	e.listening.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if c := <-e.writer; c != nil {
		c.Close(ctx)
	}
	for range connections {
		if c := <-e.pool; c != nil {
			c.Close(ctx)
		}
	}
	e.writer <- nil
	for range connections {
		e.pool <- nil
	}
	return nil
}

// with takes a connection from a pool, making or replacing it where needed,
// and begins a transaction on it. A connection found dead is replaced once.
func (e *Engine) with(ctx context.Context, pool chan *pgx.Conn, begin string, do func(*pgx.Conn) error) error {
	var c *pgx.Conn
	select {
	case c = <-pool:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() {
		if c != nil && c.IsClosed() {
			c = nil
		}
		pool <- c
	}()
	for again := true; ; again = false {
		if c == nil || c.IsClosed() {
			var err error
			if c, err = e.connect(ctx); err != nil {
				c = nil
				return err
			}
			again = false
		}
		if _, err := c.Exec(ctx, begin); err != nil {
			if again && ctx.Err() == nil {
				c.Close(ctx)
				continue
			}
			return fmt.Errorf("begin in the vault: %w", err)
		}
		return do(c)
	}
}

// Read implements [engine.Engine].
func (e *Engine) Read(ctx context.Context, do func(engine.Read) error) error {
	return e.with(ctx, e.pool, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", func(c *pgx.Conn) error {
		err := do(&tx{ctx, c, e})
		if _, end := c.Exec(context.WithoutCancel(ctx), "COMMIT"); end != nil && err == nil {
			err = fmt.Errorf("end reading the vault: %w", end)
		}
		return err
	})
}

// Write implements [engine.Engine].
func (e *Engine) Write(ctx context.Context, lazy bool, do func(engine.Write) error) error {
	// An act that was begun is finished: to be cut off in the middle of a
	// commit would leave its caller without an answer.
	begin := "BEGIN"
	if lazy {
		begin = "BEGIN; SET LOCAL synchronous_commit = off"
	}
	return e.with(ctx, e.writer, begin, func(c *pgx.Conn) error {
		ctx := context.WithoutCancel(ctx)
		_, err := c.Exec(ctx, "SELECT FROM state FOR UPDATE")
		if err != nil {
			err = fmt.Errorf("wait for the turn to write: %w", err)
		} else if err = do(&tx{ctx, c, e}); err == nil {
			tag, err := c.Exec(ctx, "COMMIT")
			if err != nil {
				return fmt.Errorf("commit to the vault: %w", err)
			}
			if tag.String() != "COMMIT" {
				return fmt.Errorf("commit to the vault: the database answered %s", tag)
			}
			return nil
		}
		if _, end := c.Exec(ctx, "ROLLBACK"); end != nil {
			c.Close(ctx)
		}
		return err
	})
}

// Announced implements [engine.Engine].
func (e *Engine) Announced() <-chan []int64 { return e.announced }

// listen receives what other processes announce, for as long as it takes.
func (e *Engine) listen(ctx context.Context, ready chan<- struct{}) {
	defer close(e.announced)
	for pause := time.Duration(0); ctx.Err() == nil; pause = time.Second {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		c, err := e.connect(ctx)
		if err != nil {
			continue
		}
		if _, err = c.Exec(ctx, "LISTEN "+pgx.Identifier{e.channel}.Sanitize()); err == nil && ready != nil {
			close(ready)
			ready = nil
		}
		for err == nil {
			n, wait := c.WaitForNotification(ctx)
			if err = wait; err == nil {
				e.heard(ctx, n.Payload)
			}
		}
		c.Close(context.WithoutCancel(ctx))
	}
}

func (e *Engine) heard(ctx context.Context, payload string) {
	from, list, _ := strings.Cut(payload, ":")
	if from == e.name {
		return
	}
	var feeds []int64
	for s := range strings.SplitSeq(list, ",") {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			feeds = append(feeds, n)
		}
	}
	select {
	case e.announced <- feeds:
	case <-ctx.Done():
	}
}

// tx implements [engine.Read] and [engine.Write] on a connection inside a
// transaction.
type tx struct {
	ctx context.Context
	c   *pgx.Conn
	e   *Engine
}

var _ engine.Write = (*tx)(nil)

func (t *tx) exec(q string, args ...any) error {
	if _, err := t.c.Exec(t.ctx, q, args...); err != nil {
		return fmt.Errorf("write to the vault: %w", err)
	}
	return nil
}

// hash is the key of an object id in the index. Every query compares the id as
// well, so a collision costs time only.
func hash(id string) int64 {
	h := sha256.Sum256([]byte(id))
	return int64(binary.BigEndian.Uint64(h[:8]))
}

func hashes(ids []string) []int64 {
	out := make([]int64, len(ids))
	for i, id := range ids {
		out[i] = hash(id)
	}
	return out
}

// Announce implements [engine.Write]. A payload holds less than 8,000 bytes.
func (t *tx) Announce(feeds []int64) error {
	for len(feeds) > 0 {
		n := min(len(feeds), 350)
		parts := make([]string, n)
		for i, f := range feeds[:n] {
			parts[i] = strconv.FormatInt(f, 10)
		}
		if err := t.exec("SELECT pg_notify($1, $2)", t.e.channel, t.e.name+":"+strings.Join(parts, ",")); err != nil {
			return err
		}
		feeds = feeds[n:]
	}
	return nil
}
