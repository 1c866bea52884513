package web

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"causeway/internal/line"
)

// holder is a partner that an object was released to: who held it, who has
// confirmed, who has not.
type holder struct {
	ID, Name string
	Released time.Time
	By       string
	Receipt  time.Time // when it said that it holds the object; zero: not yet
	Recalled time.Time
	Removed  time.Time // when it said that it removed it
}

// Kinds of message, as the line names them in its deliveries.
const (
	objectsMessage = "objects"
	recallMessage  = "recall"
)

// receiptsRead bounds the messages looked at for one holder of one object.
const receiptsRead = 20

// holders joins what the vault released, as the visitor may know it, with what
// the partners signed.
func (q *request) holders(id string) ([]holder, error) {
	if q.who.Person.Visitor != "" {
		return nil, nil // who else holds it is this agency's to know (L13)
	}
	history, err := q.view().History(q.ctx(), id)
	if err != nil {
		return nil, err
	}
	by := map[string]*holder{}
	for _, h := range history {
		node, ok := strings.CutPrefix(h.Reader, "partner:")
		if !ok {
			continue
		}
		switch h.Kind {
		case "release":
			by[node] = &holder{ID: node, Name: q.source(h.Reader), Released: h.At, By: h.By}
		case "recall":
			if was := by[node]; was != nil {
				was.Recalled = h.At
			}
		}
	}
	var out []holder
	for node, h := range by {
		sent, err := q.site.node.Line.Receipts(q.ctx(), node, id, receiptsRead)
		if err != nil {
			return nil, err
		}
		h.confirm(sent)
		out = append(out, *h)
	}
	slices.SortFunc(out, func(a, b holder) int {
		return cmp.Or(a.Released.Compare(b.Released), strings.Compare(a.Name, b.Name))
	})
	return out, nil
}

// confirm reads the partner's receipts of this release and its recall.
func (h *holder) confirm(sent []line.Delivery) {
	for _, d := range sent {
		if d.Result != line.Delivered {
			continue
		}
		switch {
		case d.Kind == recallMessage && !h.Recalled.IsZero() && d.At.After(h.Removed):
			h.Removed = d.At
		case d.Kind == objectsMessage && d.At.After(h.Receipt):
			h.Receipt = d.At
		}
	}
}
