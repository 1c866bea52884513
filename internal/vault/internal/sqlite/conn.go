package sqlite

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
)

// conn is one connection with its prepared statements. One goroutine at a
// time uses it.
type conn struct {
	c     *sqlite.Conn
	stmts map[string]*sqlite.Stmt // those not under way
	lazy  bool
}

func newConn(file string, flags sqlite.OpenFlags, pragmas ...string) (*conn, error) {
	db, err := sqlite.OpenConn(file, flags)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	db.SetBusyTimeout(10 * time.Second)
	c := &conn{c: db, stmts: map[string]*sqlite.Stmt{}}
	for _, p := range pragmas {
		if err := c.exec("PRAGMA " + p); err != nil {
			c.close()
			return nil, fmt.Errorf("open %s: set %s: %w", file, p, err)
		}
	}
	return c, nil
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
	if err := c.exec(q); err != nil {
		return fmt.Errorf("set when the vault waits for the disk: %w", err)
	}
	c.lazy = lazy
	return nil
}

// take gives the statement for q, from the cache; who takes it gives it back.
func (c *conn) take(q string) (*sqlite.Stmt, error) {
	if s, ok := c.stmts[q]; ok {
		delete(c.stmts, q)
		return s, nil
	}
	s, rest, err := c.c.PrepareTransient(q)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", q, err)
	}
	if rest > 0 {
		s.Finalize()
		return nil, fmt.Errorf("prepare %q: it is more than one statement", q)
	}
	return s, nil
}

// give keeps a statement for the next time, without the large values that
// were bound to it.
func (c *conn) give(q string, s *sqlite.Stmt, args []any) {
	s.Reset() // repeats the error of the last step, which was reported
	if c.stmts[q] != nil {
		s.Finalize()
		return
	}
	// Not ClearBindings, after which SQLite plans some queries anew.
	for i, a := range args {
		switch v := a.(type) {
		case []byte:
			if len(v) > large {
				s.BindNull(i + 1)
			}
		case string:
			if len(v) > large {
				s.BindNull(i + 1)
			}
		}
	}
	if len(c.stmts) >= 512 {
		for k, old := range c.stmts {
			old.Finalize()
			delete(c.stmts, k)
		}
	}
	c.stmts[q] = s
}

// large is the size in bytes of a value that a statement does not keep.
const large = 4 << 10

// each runs a query and scan for each row.
func (c *conn) each(scan func(*row) error, q string, args ...any) error {
	s, err := c.take(q)
	if err != nil {
		return err
	}
	defer c.give(q, s, args)
	for i, a := range args {
		if err := bind(s, i+1, a); err != nil {
			return fmt.Errorf("run %q: %w", q, err)
		}
	}
	for r := (row{s}); ; {
		switch more, err := s.Step(); {
		case err != nil:
			return err
		case !more:
			return nil
		}
		if err := scan(&r); err != nil {
			return err
		}
	}
}

func (c *conn) exec(q string, args ...any) error {
	return c.each(func(*row) error { return nil }, q, args...)
}

// script runs several statements.
func (c *conn) script(text string) error {
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		s, rest, err := c.c.PrepareTransient(text)
		if err != nil {
			return err
		}
		for more := true; more && err == nil; {
			more, err = s.Step()
		}
		s.Finalize()
		if err != nil {
			return err
		}
		text = text[len(text)-rest:]
	}
	return nil
}

// one reads the first row into dest and says whether there was one.
func (c *conn) one(dest []any, q string, args ...any) (found bool, err error) {
	err = c.each(func(r *row) error {
		found = true
		if err := r.Scan(dest...); err != nil {
			return err
		}
		return io.EOF
	}, q, args...)
	if err == io.EOF { // ours: the engine has no such error
		err = nil
	}
	return found, err
}

func bind(s *sqlite.Stmt, n int, value any) error {
	switch v := value.(type) {
	case int64:
		s.BindInt64(n, v)
	case int:
		s.BindInt64(n, int64(v))
	case bool:
		s.BindBool(n, v)
	case string:
		s.BindText(n, v)
	case []byte:
		if v == nil {
			s.BindNull(n)
		} else {
			s.BindBytes(n, v)
		}
	default:
		return fmt.Errorf("value %d has the type %T", n, value)
	}
	return nil
}

// row is the row that a query stands on.
type row struct{ s *sqlite.Stmt }

// Scan copies the columns. What is NULL fits bytes only.
func (r *row) Scan(dest ...any) error {
	if n := r.s.ColumnCount(); n != len(dest) {
		return fmt.Errorf("read %d columns into %d", n, len(dest))
	}
	for i, d := range dest {
		if _, bytes := d.(*[]byte); !bytes && r.s.ColumnIsNull(i) {
			return fmt.Errorf("read column %s: it is NULL", r.s.ColumnName(i))
		}
		switch d := d.(type) {
		case *int64:
			*d = r.s.ColumnInt64(i)
		case *int:
			*d = r.s.ColumnInt(i)
		case *bool:
			*d = r.s.ColumnBool(i)
		case *string:
			*d = r.s.ColumnText(i)
		case *[]byte:
			*d = nil
			if !r.s.ColumnIsNull(i) {
				*d = make([]byte, r.s.ColumnLen(i))
				r.s.ColumnBytes(i, *d)
			}
		default:
			return fmt.Errorf("read column %s: into the type %T", r.s.ColumnName(i), d)
		}
	}
	return nil
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		s.Finalize()
	}
	clear(c.stmts)
	return c.c.Close()
}

// pool gives out connections, the one used last first: what it has read is
// still in memory.
type pool struct {
	free chan struct{} // one for each in idle
	mu   sync.Mutex
	idle []*conn
}

func (p *pool) put(c *conn) {
	p.mu.Lock()
	p.idle = append(p.idle, c)
	p.mu.Unlock()
	p.free <- struct{}{}
}

// take takes one after something was received from free.
func (p *pool) take() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle) - 1
	c := p.idle[n]
	p.idle = p.idle[:n]
	return c
}
