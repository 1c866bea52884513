package web

import (
	"net/http"
	"strings"

	"causeway/internal/vault"
)

// News is one thing that became available, as the islands show it.
type News struct {
	Title      string `json:"title"`
	Href       string `json:"href"`
	Marking    string `json:"marking"`
	Colour     string `json:"colour"` // class of the marking style sheet
	Precedence string `json:"precedence"`
	From       string `json:"from"`
}

// News writes what a row is, for the reader who may see it. It is false for
// rows that nobody reads by themselves: accounts, relations, markings.
func (s *Site) News(r *http.Request, who *Visitor, row vault.Row) (News, bool) {
	if !isAnalytic(row.Type) || row.Type == "identity" || row.Type == "observed-data" {
		return News{}, false
	}
	q := &request{Request: r, site: s, who: who, now: s.now(), zone: zone(who), lang: language(r, who)}
	it, err := q.item(row)
	if err != nil {
		return News{}, false
	}
	n := News{Title: it.Kind + ": " + it.Title, Href: it.Href, Marking: markingText(it.Marks), From: it.From, Precedence: q.precedence(row)}
	if len(it.Marks) > 0 {
		n.Colour = it.Marks[0].Class
	}
	return n, true
}

// precedence says how urgently a partner sent a row, as the log of the node
// recorded its receipt; "" for what was made here.
func (q *request) precedence(row vault.Row) string {
	if !strings.HasPrefix(row.Source, "partner:") {
		return ""
	}
	history, err := q.view().History(q.ctx(), row.ID)
	if err != nil {
		return ""
	}
	for _, h := range history {
		if h.Kind != "put" || h.Version != row.Version {
			continue
		}
		entries, _, err := q.view().AuditEntries(q.ctx(), h.Index, 1)
		if err == nil && len(entries) == 1 && entries[0].Index == h.Index {
			return entries[0].Act.Detail["precedence"]
		}
	}
	return ""
}
