package read

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"causeway/coord"
)

// Pseudonyms replaces every account by a keyed pseudonym: the same key gives
// the same one, so networks can be compared between runs and by whoever holds
// the key, and nobody else can tell who it is or test a guess. Content ids are
// replaced as well, since a platform's ids name the account, and so are objects
// that are posts (repost, reply) or accounts (mention).
func Pseudonyms(src coord.Source, key []byte) coord.Source {
	return &pseudonyms{src: src, key: key, known: map[string][]byte{}}
}

type pseudonyms struct {
	src   coord.Source
	key   []byte
	known map[string][]byte
}

func (p *pseudonyms) Next(b *coord.Batch) error {
	err := p.src.Next(b)
	for i := range b.Posts {
		x := &b.Posts[i]
		account, ok := p.known[string(x.Account)]
		if !ok {
			account = p.name("account", x.Account)
			p.known[string(x.Account)] = account
		}
		x.Account, x.Content = account, p.name("content", x.Content)
		switch {
		case len(x.Object) == 0:
		case x.Kind == coord.Repost || x.Kind == coord.Reply:
			x.Object = p.name("content", x.Object)
		case x.Kind == coord.Mention:
			x.Object = p.name("account", x.Object)
		}
	}
	return err
}

func (p *pseudonyms) name(what string, b []byte) []byte {
	h := hmac.New(sha256.New, p.key)
	h.Write([]byte(what))
	h.Write([]byte{0})
	h.Write(b)
	return hex.AppendEncode(nil, h.Sum(nil)[:12])
}

// PseudonymKeys gives a table keyed by account the keys that [Pseudonyms]
// would give them.
func PseudonymKeys[V any](table map[string]V, key []byte) map[string]V {
	p := &pseudonyms{key: key}
	out := make(map[string]V, len(table))
	for account, v := range table {
		out[string(p.name("account", []byte(account)))] = v
	}
	return out
}
