package sqlite

import (
	"zombiezen.com/go/sqlite"

	"causeway/internal/vault/internal/engine"
)

// page reads rows with few allocations: producers' bytes side by side in
// larger pieces, and once what rows have in common.
type page struct {
	row    engine.Row
	piece  []byte // free part of the newest piece
	size   int    // of that piece
	text   []byte
	shared map[string]string
}

func (p *page) read(s *sqlite.Stmt, q *engine.Select) {
	r := &p.row
	r.Added, r.ID, r.Text = s.ColumnInt64(0), s.ColumnText(1), s.ColumnText(2)
	r.Version.Kind, r.Label = s.ColumnInt64(3), s.ColumnInt64(8)
	r.Spec, r.CreatedBy, r.Source, r.Collection = p.common(s, 4), p.common(s, 5), p.common(s, 6), p.common(s, 7)
	n := 9
	if q.Facts {
		r.Version.VID, r.At, r.Act = s.ColumnInt64(n), s.ColumnInt64(n+1), s.ColumnInt64(n+2)
		n += 3
	}
	if !q.Bare {
		r.Raw = p.bytes(s, n)
	}
}

// common gives a text that other rows are likely to have as well.
func (p *page) common(s *sqlite.Stmt, column int) string {
	n := s.ColumnLen(column)
	if n == 0 {
		return ""
	}
	if n > cap(p.text) {
		p.text = make([]byte, 2*n)
	}
	b := p.text[:n]
	s.ColumnBytes(column, b)
	if text, ok := p.shared[string(b)]; ok {
		return text
	}
	if p.shared == nil {
		p.shared = map[string]string{}
	}
	text := string(b)
	p.shared[text] = text
	return text
}

// pieces grow from the first size to the last; the last bounds what one row
// that is kept holds in memory of others.
const firstPiece, lastPiece = 2 << 10, 64 << 10

func (p *page) bytes(s *sqlite.Stmt, column int) []byte {
	n := s.ColumnLen(column)
	if n > firstPiece {
		b := make([]byte, n)
		s.ColumnBytes(column, b)
		return b
	}
	if n > len(p.piece) {
		p.size = min(max(firstPiece, 4*p.size), lastPiece)
		p.piece = make([]byte, p.size)
	}
	b := p.piece[:n:n]
	p.piece = p.piece[n:]
	s.ColumnBytes(column, b)
	return b
}
