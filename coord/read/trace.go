package read

import (
	"bytes"
	"unicode"

	"causeway/coord"
	"causeway/coord/link"
)

// trace adds a post for every object in v, in the canonical form of its kind.
// An empty v still adds the post, without an object: it was seen.
func (b *block) trace(t *Trace, post coord.Post, v []byte) {
	post.Kind = t.Kind
	if !t.List {
		b.object(t.Kind, post, v)
		return
	}
	v = bytes.TrimSuffix(bytes.TrimPrefix(bytes.TrimSpace(v), []byte("[")), []byte("]"))
	any := false
	for _, f := range bytes.FieldsFunc(v, func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == '|' || r == '\'' || r == '"' }) {
		b.object(t.Kind, post, f)
		any = true
	}
	if !any {
		b.object(t.Kind, post, nil)
	}
}

func (b *block) object(kind coord.Kind, post coord.Post, v []byte) {
	switch kind {
	case coord.URL, coord.Page, coord.Site:
		l, ok := link.Canonical(string(v))
		switch {
		case !ok:
			v = nil
		case kind == coord.URL:
			v = []byte(l.Key)
		case kind == coord.Page:
			v = []byte(l.Page)
		default:
			v = []byte(l.Site)
		}
	case coord.Hashtag:
		v = bytes.ToLower(bytes.TrimLeft(v, "#＃"))
	}
	post.Object = v
	b.posts = append(b.posts, post)
}
