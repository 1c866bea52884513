package node

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"strings"
	"sync"

	"causeway/internal/people"
)

// first holds the code that whoever may start the node gives at its pages, to
// become the first person of a node that has none.
type first struct {
	once sync.Once
	code string

	mu sync.Mutex // one founding at a time
}

// FirstCode gives the code by which the first person of a node without people
// registers at its pages: 80 random bits, good until the process ends. "" once
// there are people.
func (n *Node) FirstCode(ctx context.Context) (string, error) {
	all, err := n.People.List(ctx)
	if err != nil || len(all) > 0 {
		return "", err
	}
	n.first.once.Do(func() {
		b := make([]byte, 10)
		rand.Read(b)
		s := strings.ToLower(base32.StdEncoding.EncodeToString(b))
		n.first.code = s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:]
	})
	return n.first.code, nil
}

// FoundFirst registers the first person of a node, a security officer with
// every role, by the code that [Node.FirstCode] gave.
func (n *Node) FoundFirst(ctx context.Context, code string, p people.Person, password string) error {
	n.first.mu.Lock()
	defer n.first.mu.Unlock()
	want, err := n.FirstCode(ctx)
	if err != nil {
		return err
	}
	if want == "" || subtle.ConstantTimeCompare([]byte(want), []byte(strings.TrimSpace(code))) != 1 {
		return fmt.Errorf("register the first person: %w: the code is the one that \"causeway serve\" printed when it started", people.ErrForbidden)
	}
	if len(password) == 0 {
		return fmt.Errorf("register the first person: a passphrase is missing")
	}
	p.Nation, p.Roles = n.Config.Nation, people.Roles
	return n.Found(ctx, p, password)
}
