package vault

import (
	"context"
	"slices"
	"strings"

	"causeway/stix"
)

// maxNeighbours bounds how far a question about neighbours walks.
const maxNeighbours = 10_000

// Neighbours reads the newest visible versions of what is tied to an object:
// what it refers to, what refers to it, and, through a relationship or
// sighting, the other end. A relationship is shown only when all its ends are
// visible, so a hidden end leaves no trace. An object that is itself hidden
// or absent is ErrNotFound.
func (w *View) Neighbours(ctx context.Context, id string, limit int) ([]Row, error) {
	p, err := w.page(ctx, w.note("read", id, false), Query{Match: Match{NeighbourOf: id}, Limit: limit})
	return p.Rows, err
}

// isEdge says whether objects of a type tie others together and are nothing
// by themselves.
func isEdge(typ string) bool { return typ == "relationship" || typ == "sighting" }

// ends gives the ids that an edge ties together.
func ends(o *stix.Object) (out []string) {
	for _, r := range o.Refs() {
		if !isMeta(r.Property) {
			out = append(out, r.ID)
		}
	}
	return out
}

// isMeta says that a reference names who made or marked an object: no tie.
func isMeta(property string) bool {
	return strings.HasPrefix(property, "created_by_ref") || strings.HasPrefix(property, "object_marking_refs") ||
		strings.HasPrefix(property, "granular_markings")
}

// neighbours gives the ids of the visible neighbours of a visible object.
func (q *question) neighbours(id string) ([]string, error) {
	self, err := q.newest(id)
	if err != nil {
		return nil, err
	}
	if len(self) == 0 {
		return nil, ErrNotFound
	}
	near := map[string]bool{} // candidates that need no edge
	edges := map[string][]string{}
	seen := func(o *stix.Object) {
		if !isEdge(o.Type()) {
			near[o.ID()] = true
			return
		}
		edges[o.ID()] = ends(o)
	}
	o, err := stix.ParseObject(self[0].Raw)
	if err != nil {
		return nil, err
	}
	for _, e := range ends(o) {
		near[e] = true
	}
	s, err := q.selects(&Match{})
	if err != nil {
		return nil, err
	}
	s.RefTo, s.Limit = id, maxNeighbours
	rows, err := q.rows(s)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		o, err := stix.ParseObject(r.Raw)
		if err != nil || !slices.Contains(ends(o), id) {
			continue
		}
		seen(o)
	}
	return q.visible(id, near, edges)
}

// visible keeps the candidates that the reader sees, and of the edges those
// whose ends the reader sees all.
func (q *question) visible(self string, near map[string]bool, edges map[string][]string) ([]string, error) {
	var ask []string
	for n := range near {
		ask = append(ask, n)
	}
	for _, es := range edges {
		ask = append(ask, es...)
	}
	slices.Sort(ask)
	rows, err := q.newest(slices.Compact(ask)...)
	if err != nil {
		return nil, err
	}
	shown := map[string]bool{self: true}
	for _, r := range rows {
		shown[r.ID] = true
	}
	out := []string{}
	add := func(id string) {
		if id != self {
			out = append(out, id)
		}
	}
	for n := range near {
		if shown[n] {
			add(n)
		}
	}
	for edge, es := range edges {
		if slices.ContainsFunc(es, func(e string) bool { return !shown[e] }) {
			continue
		}
		add(edge)
		for _, e := range es {
			add(e)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// newest reads the newest visible versions of some objects.
func (q *question) newest(ids ...string) ([]Row, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	s, err := q.selects(&Match{IDs: ids})
	if err != nil {
		return nil, err
	}
	s.Bare = len(ids) > 1
	return q.rows(s)
}
