package web

import (
	"errors"
	"fmt"
	"strings"

	"causeway/internal/desk"
	"causeway/internal/line"
	"causeway/internal/people"
	"causeway/label"
)

func releaseRoutes() []Route {
	id := map[string]string{"id": "identity--00000000-0000-4000-8000-000000000000"}
	routes := []Route{
		get("/object/{id}/release", (*request).preview),
		post("/object/{id}/release", (*request).release),
		get("/object/{id}/recall", (*request).recallForm),
		post("/object/{id}/recall", (*request).recall),
	}
	for i := range routes {
		routes[i].Example = id
	}
	return routes
}

// contentShown bounds the list of what a release carries; the number is always
// said in full.
const contentShown = 200

type previewData struct {
	item
	Count       int
	Items       []item
	More        int
	Kinds       []choice
	Partners    []recipient
	Admitted    int
	Only        string // the one partner that can receive it, if there is one
	Precedences []precedence
	Way         []step
}

// recipient is one partner of a preview, with what it would be kept from
// grouped by the reason.
type recipient struct {
	desk.Recipient
	Kept []kept
}

// kept is what one set of reasons withholds.
type kept struct {
	Reasons []label.Reason
	Items   []desk.Withheld
	More    int
}

// namedKept bounds the items that are named for one set of reasons.
const namedKept = 3

func byReason(r desk.Recipient) recipient {
	out := recipient{Recipient: r}
	index := map[string]int{}
	for _, w := range r.Withheld {
		key := fmt.Sprint(w.Decision.Reasons)
		i, ok := index[key]
		if !ok {
			i = len(out.Kept)
			index[key] = i
			out.Kept = append(out.Kept, kept{Reasons: w.Decision.Reasons})
		}
		if k := &out.Kept[i]; len(k.Items) < namedKept {
			k.Items = append(k.Items, w)
		} else {
			k.More++
		}
	}
	return out
}

type precedence struct {
	Name string
	Here bool
}

// preview shows, before anything leaves, the exact content, the exact readers,
// and why each other partner would not receive it.
func (q *request) preview() error {
	if err := q.need(people.ReleaseOfficer); err != nil {
		return err
	}
	row, _, err := q.newest()
	if err != nil {
		return err
	}
	it, err := q.item(row)
	if err != nil {
		return err
	}
	p, err := q.site.node.Desk.Preview(q.ctx(), q.who.Person, row.ID)
	if err != nil {
		return act(err)
	}
	data := previewData{item: it, Count: len(p.Items), Way: q.way(4)}
	counts := map[string]int64{}
	var order []string
	for i, content := range p.Items {
		c, err := q.item(content)
		if err != nil {
			return err
		}
		if counts[c.Kind] == 0 {
			order = append(order, c.Kind)
		}
		counts[c.Kind]++
		if i < contentShown {
			data.Items = append(data.Items, c)
		}
	}
	data.More = data.Count - len(data.Items)
	for _, kind := range order {
		data.Kinds = append(data.Kinds, choice{Name: kind, Count: counts[kind]})
	}
	for _, r := range p.Partners {
		data.Partners = append(data.Partners, byReason(r))
		if r.Allow && !r.Released {
			data.Admitted++
			data.Only = r.Name
		}
	}
	for i, name := range []line.Precedence{line.Routine, line.Priority, line.Immediate, line.Flash} {
		data.Precedences = append(data.Precedences, precedence{name.String(), i == 0})
	}
	return q.render("release", "place.detect", q.say("release.title", it.Title), data)
}

func (q *request) release() error {
	prec, err := line.ParsePrecedence(q.field("precedence"))
	if err != nil {
		return refused("%v", err)
	}
	id := q.PathValue("id")
	p, err := q.site.node.Desk.Release(q.ctx(), q.who.Person, id, q.PostForm["to"], prec)
	var waits *desk.WaitsError
	if errors.As(err, &waits) {
		return q.redirect(address("object", id), q.say("release.waits"))
	}
	if err != nil {
		return act(err)
	}
	var names []string
	for _, r := range p.Partners {
		for _, to := range q.PostForm["to"] {
			if r.ID == to {
				names = append(names, r.Name)
			}
		}
	}
	return q.redirect(address("object", id), q.say("release.done", len(p.Items), strings.Join(names, ", ")))
}

type recallData struct {
	item
	Holders []holder
	Open    int
}

// recallForm shows who holds the object, who has confirmed and who has not.
func (q *request) recallForm() error {
	if err := q.need(people.ReleaseOfficer); err != nil {
		return err
	}
	row, _, err := q.newest()
	if err != nil {
		return err
	}
	it, err := q.item(row)
	if err != nil {
		return err
	}
	data := recallData{item: it}
	if data.Holders, err = q.holders(row.ID); err != nil {
		return err
	}
	for _, h := range data.Holders {
		if h.Recalled.IsZero() {
			data.Open++
		}
	}
	return q.render("recall", "place.picture", q.say("recall.title", it.Title), data)
}

func (q *request) recall() error {
	id := q.PathValue("id")
	from := q.PostForm["from"]
	if len(from) == 0 {
		return refused("%s", q.say("recall.nobody"))
	}
	if err := q.site.node.Desk.Recall(q.ctx(), q.who.Person, id, from, q.field("why")); err != nil {
		return act(err)
	}
	return q.redirect(address("object", id, "recall"), q.say("recall.done", len(from)))
}
