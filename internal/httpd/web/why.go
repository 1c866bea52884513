package web

import (
	"slices"
	"time"

	"causeway/internal/desk"
	"causeway/internal/vault"
	"causeway/label"
)

func whyRoutes() []Route {
	routes := []Route{get("/object/{id}/why", (*request).why)}
	routes[0].Example = map[string]string{"id": "identity--00000000-0000-4000-8000-000000000000"}
	return routes
}

type whyData struct {
	item
	Version  string
	Readers  []whyReader
	Clauses  [][]string
	Policies []string
	Groups   []string
	At       string // the day asked about; "": now
	Today    string
}

// whyReader says of one reader whether it can read the object, and why.
type whyReader struct {
	Name, Kind, Nation string
	Decision           label.Decision
	Released           bool
	Partner            bool
	Past               *desk.Past // of the day asked about
}

// why answers "why can Japan read this?" and "why can they not?" for every
// partner, every person and the public, with each reason: now, or on a day.
func (q *request) why() error {
	row, _, err := q.newest()
	if err != nil {
		return err
	}
	it, err := q.item(row)
	if err != nil {
		return err
	}
	data := whyData{item: it, Version: row.Version, Clauses: row.Effective.Rule.Clauses(), Today: q.now.In(q.zone).Format(time.DateOnly)}
	ps := q.site.node.Policies()
	for _, p := range ps.All() {
		data.Policies = append(data.Policies, p.Name()+" "+p.Version())
	}
	for _, g := range ps.Groups().All() {
		if e, ok := g.At(q.now); ok && e.Signer != "" {
			data.Groups = append(data.Groups, g.Name+"@"+e.Name)
		}
	}
	if day, err := time.ParseInLocation(time.DateOnly, q.URL.Query().Get("at"), q.zone); err == nil {
		data.At = day.Format(time.DateOnly)
		data.Readers, err = q.readersAt(row.ID, day.AddDate(0, 0, 1).Add(-time.Microsecond))
		if err != nil {
			return err
		}
	} else if data.Readers, err = q.readersNow(row.ID, row.Version, row.Effective); err != nil {
		return err
	}
	return q.render("why", "place.picture", q.say("why.title", it.Title), data)
}

// readersNow asks of every reader there is what the label says of it now.
func (q *request) readersNow(id, version string, e label.Effective) (out []whyReader, err error) {
	n := q.site.node
	partners, err := n.Line.Partners(q.ctx())
	if err != nil {
		return nil, err
	}
	// What a partner would get is worked out, not asked for: a question in the
	// partner's name would stand in the log as the partner's own.
	holders, err := n.Vault.Holders(q.ctx(), id)
	if err != nil {
		return nil, err
	}
	for _, p := range partners {
		reader := n.Line.Reader(p)
		held := slices.ContainsFunc(holders, func(h vault.Holder) bool { return h.Reader == reader.ID && h.Version == version })
		out = append(out, whyReader{Name: p.Name, Nation: p.Nation, Kind: q.say("why.partner"), Partner: true,
			Decision: e.Decide(reader.Holdings), Released: held})
	}
	all, err := n.People.List(q.ctx())
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		reader, err := n.People.Reader(p)
		if err != nil {
			return nil, err
		}
		out = append(out, whyReader{Name: p.Name, Nation: p.Nation, Kind: q.say("why.person"), Decision: e.Decide(reader.Holdings)})
	}
	return append(out, whyReader{Name: q.say("why.public"), Kind: q.say("why.everyone"), Decision: e.Decide(label.Public)}), nil
}

// readersAt asks of every partner and person what held at a time.
func (q *request) readersAt(id string, at time.Time) (out []whyReader, err error) {
	n := q.site.node
	partners, err := n.Line.Partners(q.ctx())
	if err != nil {
		return nil, err
	}
	for _, p := range partners {
		past, err := n.Desk.ReleasedAt(q.ctx(), q.view(), id, n.Line.Reader(p), at)
		if err != nil {
			return nil, err
		}
		out = append(out, whyReader{Name: p.Name, Nation: p.Nation, Kind: q.say("why.partner"), Partner: true, Past: &past})
	}
	all, err := n.People.List(q.ctx())
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		past, err := n.Desk.ClearedAt(q.ctx(), q.view(), id, p, at)
		if err != nil {
			return nil, err
		}
		out = append(out, whyReader{Name: p.Name, Nation: p.Nation, Kind: q.say("why.person"), Past: &past})
	}
	return out, nil
}
