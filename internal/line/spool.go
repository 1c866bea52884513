package line

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"
)

// maxMessage is the longest message with everything around its sealed part.
const maxMessage = maxSealed + maxHeader + 64

// spool keeps messages that arrived in part, so that a push that was cut goes
// on at the byte where it stopped, also after a restart. Nothing in it is
// believed: a complete message is checked like any other, and a spool that is
// lost costs only time.
type spool struct {
	dir  string // empty: in memory
	mu   sync.Mutex
	part map[string][]byte // without dir
	busy map[string]bool
}

// Bounds of what a spool holds for one partner.
const (
	spoolParts = 8
	spoolAge   = 24 * time.Hour
)

func newSpool(dir string) (*spool, error) {
	s := &spool{dir: dir, part: map[string][]byte{}, busy: map[string]bool{}}
	if dir == "" {
		return s, nil
	}
	return s, os.MkdirAll(dir, 0o700)
}

// offsetError says that a push does not go on where the part here ends.
type offsetError struct{ have int64 }

func (e *offsetError) Error() string {
	return fmt.Sprintf("%d bytes of the message are here; go on there", e.have)
}

var (
	digestPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)
	errDigest     = errors.New("the path does not end in the digest of a statement")
	errPartBusy   = errors.New("the same message is arriving on another connection")
)

func (s *spool) name(node, digest string) (string, error) {
	if !digestPattern.MatchString(digest) || !nodePattern.MatchString(node) {
		return "", errDigest
	}
	return node + "." + digest, nil
}

// size is how many bytes of a message are here.
func (s *spool) size(node, digest string) (int64, error) {
	name, err := s.name(node, digest)
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir == "" {
		return int64(len(s.part[name])), nil
	}
	st, err := os.Stat(filepath.Join(s.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}

// take reads the rest of a message from r and gives all of it. When r ends
// early, what came is kept for the next attempt.
func (s *spool) take(node, digest string, offset, length int64, r io.Reader) ([]byte, error) {
	name, err := s.name(node, digest)
	if err != nil {
		return nil, err
	}
	if !s.claim(name) {
		return nil, errPartBusy
	}
	defer s.release(name)
	have, err := s.read(name)
	if err != nil {
		return nil, err
	}
	if int64(len(have)) != offset {
		if int64(len(have)) < offset || offset != 0 {
			return nil, &offsetError{int64(len(have))}
		}
		have = nil // the sender starts again
	}
	// Room grows with what arrives, not with what was announced.
	msg := have
	buf := make([]byte, 64<<10)
	for int64(len(msg)) < length {
		n, rerr := r.Read(buf)
		msg = append(msg, buf[:n]...)
		if rerr != nil {
			if int64(len(msg)) == length && errors.Is(rerr, io.EOF) {
				break
			}
			if err := s.write(node, name, msg); err != nil {
				return nil, err
			}
			return nil, fmt.Errorf("the message was cut after %d of %d bytes", len(msg), length)
		}
	}
	return msg, s.drop(name)
}

func (s *spool) claim(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[name] {
		return false
	}
	s.busy[name] = true
	return true
}

func (s *spool) release(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.busy, name)
}

func (s *spool) read(name string) ([]byte, error) {
	if s.dir == "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.part[name], nil
	}
	b, err := os.ReadFile(filepath.Join(s.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

// write keeps a part. It need not survive a power cut.
func (s *spool) write(node, name string, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	s.tidy(node)
	if s.dir == "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.part[name] = b
		return nil
	}
	return os.WriteFile(filepath.Join(s.dir, name), b, 0o600)
}

func (s *spool) drop(name string) error {
	if s.dir == "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.part, name)
		return nil
	}
	if err := os.Remove(filepath.Join(s.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// tidy drops old parts, and one partner's parts when they are too many.
func (s *spool) tidy(node string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir == "" {
		if len(s.part) >= spoolParts {
			clear(s.part)
		}
		return
	}
	files, err := filepath.Glob(filepath.Join(s.dir, node+".*"))
	if err != nil {
		return
	}
	for _, f := range files {
		st, err := os.Stat(f)
		if err == nil && (len(files) >= spoolParts || time.Since(st.ModTime()) > spoolAge) {
			os.Remove(f)
		}
	}
}
