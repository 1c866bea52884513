// Package sqlite keeps a vault in one SQLite file: write-ahead log, one
// writer, a commit on disk before Write returns.
//
// The pure-Go engine (modernc.org/sqlite, through zombiezen.com/go/sqlite,
// which gives columns without a copy for each) needs no cgo. A lock file
// beside the database refuses a second process; readers in the same process
// each have a connection and a snapshot of their own.
package sqlite

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"zombiezen.com/go/sqlite"

	"causeway/internal/folderlock"
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

// Memory, at most: the writer keeps 64 MiB of the file, where the ends of its
// indexes are, each reader 8 MiB. All have the file mapped, up to 2 GiB of it:
// the system lends its own copy, which costs no memory of the process and
// halves the time of a page of 1,000 rows that lie apart. An error of the disk
// under a mapped page ends the process; what was acknowledged is on disk by
// then.
var (
	common        = []string{"mmap_size=2147418112", "foreign_keys=OFF", "secure_delete=ON", "temp_store=MEMORY"}
	writerPragmas = append([]string{"journal_mode=WAL", "synchronous=FULL", "cache_size=-65536", "wal_autocheckpoint=8192"}, common...)
	readerPragmas = append([]string{"cache_size=-8192", "query_only=ON"}, common...)
)

// Engine is one open store.
type Engine struct {
	writer *conn
	mu     sync.Mutex // held by the one writing
	pool   pool
	lock   *os.File
}

// Open opens or makes the store in dir. With readOnly nothing is changed, no
// lock is taken, and a store must exist: it may be in use by its node.
func Open(ctx context.Context, dir string, readOnly bool) (_ *Engine, err error) {
	file := filepath.Join(dir, "vault.db")
	e := &Engine{pool: pool{free: make(chan struct{}, readers)}}
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
		if e.lock, err = folderlock.Take(filepath.Join(dir, "vault.lock")); errors.Is(err, folderlock.ErrLocked) {
			err = engine.ErrLocked
		}
		if err != nil {
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
	flags := sqlite.OpenReadWrite
	if readOnly {
		flags = sqlite.OpenReadOnly
	} else {
		if e.writer, err = newConn(file, flags, writerPragmas...); err != nil {
			return nil, err
		}
		if err := e.migrate(file); err != nil {
			return nil, err
		}
	}
	for range readers {
		c, err := newConn(file, flags, readerPragmas...)
		if err != nil {
			return nil, err
		}
		e.pool.put(c)
	}
	return e, nil
}

// migrate makes the tables of a new store and refuses a foreign one.
func (e *Engine) migrate(file string) error {
	var version, app int
	if _, err := e.writer.one([]any{&version, &app}, "SELECT (SELECT user_version FROM pragma_user_version), (SELECT application_id FROM pragma_application_id)"); err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	switch {
	case version == schemaVersion && app == applicationID:
		return nil
	case version != 0 || app != 0:
		return fmt.Errorf("read %s: it is not a vault of this release (schema %d, want %d)", file, version, schemaVersion)
	}
	// The size of a page is set while there is no write-ahead log.
	script := fmt.Sprintf("PRAGMA journal_mode=DELETE; PRAGMA page_size=8192; VACUUM; BEGIN IMMEDIATE; %s PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT; PRAGMA journal_mode=WAL;",
		schema, applicationID, schemaVersion)
	if err := e.writer.script(script); err != nil {
		return fmt.Errorf("make the tables of %s: %w", file, err)
	}
	return nil
}

// Close ends all connections and gives the folder free.
func (e *Engine) Close() error {
	var errs []error
	// The writer goes last and puts the write-ahead log away.
	for done := false; !done; {
		select {
		case <-e.pool.free:
			errs = append(errs, e.pool.take().close())
		default:
			done = true
		}
	}
	if e.writer != nil {
		e.mu.Lock()
		errs = append(errs, e.writer.close())
		e.writer = nil
		e.mu.Unlock()
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
	case <-e.pool.free:
		c = e.pool.take()
	case <-ctx.Done():
		return ctx.Err()
	}
	defer e.pool.put(c)
	if err := c.exec("BEGIN"); err != nil {
		return fmt.Errorf("begin to read the vault: %w", err)
	}
	defer func() {
		if e := c.exec("ROLLBACK"); e != nil && err == nil {
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
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.writer == nil {
		return errors.New("write to the vault: it is closed, or open for reading only")
	}
	if err := e.writer.sync(lazy); err != nil {
		return err
	}
	if err := e.writer.exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin to write to the vault: %w", err)
	}
	err := do(&tx{e.writer})
	if err == nil {
		if err = e.writer.exec("COMMIT"); err == nil {
			return nil
		}
		err = fmt.Errorf("commit to the vault: %w", err)
	}
	// After some errors, such as a full disk, SQLite has rolled back already.
	if e := e.writer.exec("ROLLBACK"); e != nil {
		e = nil
	}
	return err
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
func (t *tx) each(scan func(*row) error, q string, args ...any) error {
	if err := t.c.each(scan, q, args...); err != nil {
		return fmt.Errorf("query the vault: %w", err)
	}
	return nil
}

func (t *tx) exec(q string, args ...any) error {
	if err := t.c.exec(q, args...); err != nil {
		return fmt.Errorf("write to the vault: %w", err)
	}
	return nil
}
