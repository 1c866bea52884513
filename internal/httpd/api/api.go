// Package api is what programs and the islands of the pages ask of a node: JSON
// and a feed of server-sent events. It answers as the person whose session or
// token the request carries, through vault.As, and nothing else.
package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"causeway/internal/httpd/web"
	"causeway/internal/node"
	"causeway/internal/vault"
)

// Route is one address of the interface.
type Route struct {
	Method, Pattern string
	Example         map[string]string
	Handler         http.Handler
}

// API serves one node.
type API struct {
	node *node.Node
	site *web.Site
}

// New prepares the interface of a node. site finds the person behind a
// session and writes titles and markings as the pages do.
func New(n *node.Node, site *web.Site) *API { return &API{n, site} }

// Routes lists every address.
func (a *API) Routes() []Route {
	id := map[string]string{"id": "identity--00000000-0000-4000-8000-000000000000"}
	return []Route{
		{"GET", "/api/feed", nil, a.as(a.feed)},
		{"GET", "/api/objects", nil, a.as(a.objects)},
		{"GET", "/api/objects/{id}", id, a.as(a.object)},
	}
}

// as answers 401 to nobody and gives the rest the person's view.
func (a *API) as(handle func(http.ResponseWriter, *http.Request, *web.Visitor)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := a.site.Visit(r)
		if who == nil {
			who = a.bearer(r)
		}
		if who == nil {
			fail(w, http.StatusUnauthorized, "sign in, or send a token: Authorization: Bearer TOKEN")
			return
		}
		handle(w, r, who)
	})
}

// bearer finds the person behind an API token.
func (a *API) bearer(r *http.Request) *web.Visitor {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return nil
	}
	p, err := a.node.People.Session(r.Context(), token)
	if err != nil {
		return nil
	}
	reader, err := a.node.People.Reader(p)
	if err != nil {
		return nil
	}
	return &web.Visitor{Person: p, Reader: reader}
}

// objects gives a page of objects in the order in which they became available:
// what the query language of "causeway find" selects, with its cursor.
func (a *API) objects(w http.ResponseWriter, r *http.Request, who *web.Visitor) {
	q := vault.Query{Cursor: r.URL.Query().Get("next"), Limit: 100}
	if text := r.URL.Query().Get("q"); text != "" {
		m, err := vault.ParseFind(text)
		if err != nil {
			a.error(w, err)
			return
		}
		q.Match = m
	}
	page, err := a.node.Vault.As(who.Reader).Page(r.Context(), q)
	if err != nil {
		a.error(w, err)
		return
	}
	out := struct {
		More    bool              `json:"more"`
		Next    string            `json:"next,omitempty"`
		Objects []json.RawMessage `json:"objects"`
	}{More: page.More, Next: page.Next, Objects: []json.RawMessage{}}
	for _, row := range page.Rows {
		out.Objects = append(out.Objects, row.Raw)
	}
	answer(w, http.StatusOK, out)
}

// object gives one object, as its producer wrote it.
func (a *API) object(w http.ResponseWriter, r *http.Request, who *web.Visitor) {
	row, err := a.node.Vault.As(who.Reader).Get(r.Context(), r.PathValue("id"))
	if err != nil {
		a.error(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/stix+json;version=2.1")
	_, _ = w.Write(row.Raw) // the reader has gone away
}

// error maps what the vault refused to an answer that gives nothing away.
func (a *API) error(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, vault.ErrNotFound):
		fail(w, http.StatusNotFound, "not found")
	case errors.Is(err, vault.ErrCursor), errors.Is(err, vault.ErrQuery):
		fail(w, http.StatusBadRequest, err.Error())
	default:
		a.node.Log.Error("api failed", "error", err)
		fail(w, http.StatusInternalServerError, "the node failed to answer; its log has the cause")
	}
}

func fail(w http.ResponseWriter, status int, text string) {
	answer(w, status, map[string]string{"error": text})
}

func answer(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the reader has gone away
}
