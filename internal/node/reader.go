package node

import (
	"context"
	"fmt"
	"strings"

	"causeway/internal/vault"
	"causeway/label"
)

// Reader gives the reader that a command line names: "person:ID",
// "partner:ID", "visitor:PSEUDONYM", "public", or "" for the node itself.
func (n *Node) Reader(ctx context.Context, name string) (vault.Reader, error) {
	kind, id, _ := strings.Cut(name, ":")
	switch kind {
	case "", "node":
		return n.OwnReader()
	case "public":
		return vault.Reader{ID: "public", Kind: vault.Public, Holdings: label.Public}, nil
	case "person":
		p, err := n.People.Get(ctx, id)
		if err != nil {
			return vault.Reader{}, err
		}
		return n.People.Reader(p)
	case "partner":
		p, err := n.Line.Partner(ctx, id)
		if err != nil {
			return vault.Reader{}, err
		}
		return n.Line.Reader(p), nil
	case "visitor":
		return n.Desk.Visitor(ctx, id)
	}
	return vault.Reader{}, fmt.Errorf("reader %q: give person:ID, partner:ID, visitor:PSEUDONYM, public or node", name)
}
