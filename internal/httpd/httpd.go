// Package httpd is the door of a node for people and their programs: the mux,
// the headers, and who may come in. Pages are in httpd/web, the programs'
// interface in httpd/api.
//
// Every route of the node is listed by [Routes]; a test walks the list, so that
// no answer escapes the checks that all answers must pass.
package httpd

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"causeway/internal/httpd/api"
	"causeway/internal/httpd/taxiiapi"
	"causeway/internal/httpd/web"
	"causeway/internal/node"
)

// Version is what pages say of the program; the linker sets it.
var Version = "dev"

// Route is one address that the node answers.
type Route struct {
	Method, Pattern string // no method: all of them
	Open            bool   // without a session
	Acts            bool   // changes something: a form with the session's token
	Example         map[string]string
}

// New makes the handler of everything a node serves to people and programs.
// The line has a door of its own.
func New(n *node.Node) (http.Handler, error) {
	h, _, err := build(n)
	return h, err
}

// Routes lists every address that the handler of a node answers.
func Routes(n *node.Node) ([]Route, error) {
	_, routes, err := build(n)
	return routes, err
}

func build(n *node.Node) (http.Handler, []Route, error) {
	site, err := web.New(n, web.Options{Version: Version, Now: n.Now})
	if err != nil {
		return nil, nil, fmt.Errorf("prepare the pages: %w", err)
	}
	mux := http.NewServeMux()
	var routes []Route
	site.Register(mux)
	for _, r := range site.Routes() {
		routes = append(routes, Route{r.Method, r.Pattern, r.Access == web.Open, r.Acts, r.Example})
	}
	feed := api.New(n, site)
	for _, r := range feed.Routes() {
		mux.Handle(r.Method+" "+r.Pattern, r.Handler)
		routes = append(routes, Route{Method: r.Method, Pattern: r.Pattern, Example: r.Example})
	}
	exchange, err := taxiiapi.New(context.Background(), taxiiapi.Config{
		Vault: n.Vault, SignIn: taxiiapi.SignIn(n.Vault, n.People, n.Policies), Policies: n.Policies, Title: n.Config.Name, Log: n.Log,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("prepare the exchange: %w", err)
	}
	routes = append(routes, Route{Pattern: taxiiapi.Prefix})
	// Forms of other origins are refused before any handler sees them; the
	// token of the session is checked as well (web.Route).
	return strict(besides(exchange, http.NewCrossOriginProtection().Handler(mux))), routes, nil
}

// besides gives the paths of TAXII to its own handler, past the mux, which
// redirects and answers in forms that TAXII clients do not know.
func besides(exchange, rest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path+"/", taxiiapi.Prefix) {
			exchange.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}
