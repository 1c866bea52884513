// Package sqlite keeps a vault in one SQLite file: write-ahead log, one
// writer, a commit on disk before Write returns.
//
// The pure-Go engine (modernc.org/sqlite) needs no cgo. A lock file beside
// the database refuses a second process; readers in the same process each
// have a connection and a snapshot of their own.
package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	_ "modernc.org/sqlite" // the database driver

	"causeway/internal/vault/internal/engine"
)

//go:embed schema.sql
var schema string

// schemaVersion is kept in user_version; a store of another version is
// refused, never guessed at. applicationID marks the file as a vault.
const (
	schemaVersion = 1
	applicationID = 0x43575654 // "CWVT"
)

// readers is the number of snapshots that can be open at once.
const readers = 8

// Engine is one open store.
type Engine struct {
	db     *sql.DB
	writer *conn
	mu     sync.Mutex // held by the one writing
	pool   chan *conn
	lock   *os.File
}

// Open opens or makes the store in dir. With readOnly nothing is changed, no
// lock is taken, and a store must exist: it may be in use by its node.
func Open(ctx context.Context, dir string, readOnly bool) (_ *Engine, err error) {
	file := filepath.Join(dir, "vault.db")
	e := &Engine{pool: make(chan *conn, readers)}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	if readOnly {
		if _, err := os.Stat(file); err != nil {
			return nil, fmt.Errorf("open the vault in %s: there is none: %w", dir, err)
		}
	} else {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("open the vault: %w", err)
		}
		if e.lock, err = lockFile(filepath.Join(dir, "vault.lock")); err != nil {
			return nil, fmt.Errorf("open the vault in %s: %w: stop the other causeway first, or give this one a folder of its own", dir, err)
		}
		// SQLite gives its other files the mode of this one.
		f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, fmt.Errorf("open the vault: %w", err)
		}
		if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
			return nil, fmt.Errorf("open the vault: %w", err)
		}
	}
	q := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(OFF)",
		"secure_delete(ON)", "cache_size(-32768)", "temp_store(MEMORY)", "wal_autocheckpoint(8192)"}}
	if readOnly {
		q = url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(10000)", "query_only(ON)"}}
	}
	if e.db, err = sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: url.PathEscape(file), RawQuery: q.Encode()}).String()); err != nil {
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	if !readOnly {
		if e.writer, err = newConn(ctx, e.db); err != nil {
			return nil, fmt.Errorf("open %s: %w", file, err)
		}
		if err := e.migrate(ctx, file); err != nil {
			return nil, err
		}
	}
	for range readers {
		c, err := newConn(ctx, e.db)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", file, err)
		}
		e.pool <- c
		if _, err := c.c.ExecContext(ctx, "PRAGMA query_only = ON"); err != nil {
			return nil, fmt.Errorf("open %s: %w", file, err)
		}
	}
	return e, nil
}

// migrate makes the tables of a new store and refuses a foreign one.
func (e *Engine) migrate(ctx context.Context, file string) error {
	var version, app int
	if err := e.writer.c.QueryRowContext(ctx, "SELECT (SELECT user_version FROM pragma_user_version), (SELECT application_id FROM pragma_application_id)").Scan(&version, &app); err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	switch {
	case version == schemaVersion && app == applicationID:
		return nil
	case version != 0 || app != 0:
		return fmt.Errorf("read %s: it is not a vault of this release (schema %d, want %d)", file, version, schemaVersion)
	}
	script := fmt.Sprintf("PRAGMA page_size=8192; VACUUM; BEGIN IMMEDIATE; %s PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT;",
		schema, applicationID, schemaVersion)
	if _, err := e.writer.c.ExecContext(ctx, "PRAGMA journal_mode=DELETE; "+script+" PRAGMA journal_mode=WAL;"); err != nil {
		return fmt.Errorf("make the tables of %s: %w", file, err)
	}
	return nil
}

// Close ends all connections and gives the folder free.
func (e *Engine) Close() error {
	var errs []error
	if e.db != nil {
		if e.writer != nil {
			e.mu.Lock()
			e.writer.close()
			e.mu.Unlock()
		}
		for done := false; !done; {
			select {
			case c := <-e.pool:
				c.close()
			default:
				done = true
			}
		}
		errs = append(errs, e.db.Close())
	}
	if e.lock != nil {
		errs = append(errs, e.lock.Close())
	}
	return errors.Join(errs...)
}

// Announced implements [engine.Engine]: there are no other processes.
func (e *Engine) Announced() <-chan []int64 { return nil }

// Read implements [engine.Engine].
func (e *Engine) Read(ctx context.Context, do func(engine.Read) error) (err error) {
	var c *conn
	select {
	case c = <-e.pool:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { e.pool <- c }()
	if _, err := c.exec("BEGIN"); err != nil {
		return fmt.Errorf("begin to read the vault: %w", err)
	}
	defer func() {
		if _, e := c.exec("ROLLBACK"); e != nil && err == nil {
			err = fmt.Errorf("end reading the vault: %w", e)
		}
	}()
	return do(&tx{c})
}

// Write implements [engine.Engine].
func (e *Engine) Write(ctx context.Context, lazy bool, do func(engine.Write) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if e.writer == nil {
		return errors.New("write to the vault: it is open for reading only")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.writer.sync(lazy); err != nil {
		return err
	}
	if _, err := e.writer.exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin to write to the vault: %w", err)
	}
	err := do(&tx{e.writer})
	if err == nil {
		if _, err = e.writer.exec("COMMIT"); err == nil {
			return nil
		}
		err = fmt.Errorf("commit to the vault: %w", err)
	}
	// After some errors, such as a full disk, SQLite has rolled back already.
	if _, e := e.writer.exec("ROLLBACK"); e != nil {
		e = nil
	}
	return err
}

// conn is one connection with its prepared statements. One goroutine at a
// time uses it.
type conn struct {
	c     *sql.Conn
	stmts map[string]*sql.Stmt
	lazy  bool
}

func newConn(ctx context.Context, db *sql.DB) (*conn, error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{c: c, stmts: map[string]*sql.Stmt{}}, nil
}

// sync chooses whether the next commit waits for the disk.
func (c *conn) sync(lazy bool) error {
	if c.lazy == lazy {
		return nil
	}
	q := "PRAGMA synchronous = FULL"
	if lazy {
		q = "PRAGMA synchronous = NORMAL"
	}
	if _, err := c.exec(q); err != nil {
		return fmt.Errorf("set when the vault waits for the disk: %w", err)
	}
	c.lazy = lazy
	return nil
}

// prepare gives the statement for q, from the cache. Statements run without
// the caller's context: the driver would start a goroutine for each.
func (c *conn) prepare(q string) (*sql.Stmt, error) {
	if s, ok := c.stmts[q]; ok {
		return s, nil
	}
	if len(c.stmts) >= 512 {
		for k, s := range c.stmts {
			s.Close()
			delete(c.stmts, k)
		}
	}
	s, err := c.c.PrepareContext(context.Background(), q)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", q, err)
	}
	c.stmts[q] = s
	return s, nil
}

func (c *conn) exec(q string, args ...any) (sql.Result, error) {
	s, err := c.prepare(q)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(context.Background(), args...)
}

func (c *conn) query(q string, args ...any) (*sql.Rows, error) {
	s, err := c.prepare(q)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(context.Background(), args...)
}

func (c *conn) row(q string, args ...any) *sql.Row {
	s, err := c.prepare(q)
	if err != nil {
		return c.c.QueryRowContext(context.Background(), q, args...) // reports the same error
	}
	return s.QueryRowContext(context.Background(), args...)
}

func (c *conn) close() {
	for _, s := range c.stmts {
		s.Close()
	}
	c.c.Close()
}

// tx implements [engine.Read] and [engine.Write] on a connection inside a
// transaction.
type tx struct{ c *conn }

var _ engine.Write = (*tx)(nil)

// hash is the key of an object id in indexes: eight bytes instead of fifty.
// Every query compares the id as well, so a collision costs time only.
func hash(id string) int64 {
	h := sha256.Sum256([]byte(id))
	return int64(binary.BigEndian.Uint64(h[:8]))
}

// each runs a query and scan for each row.
func (t *tx) each(scan func(*sql.Rows) error, q string, args ...any) error {
	rows, err := t.c.query(q, args...)
	if err != nil {
		return fmt.Errorf("query the vault: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("query the vault: %w", err)
	}
	return nil
}

func (t *tx) exec(q string, args ...any) error {
	if _, err := t.c.exec(q, args...); err != nil {
		return fmt.Errorf("write to the vault: %w", err)
	}
	return nil
}
