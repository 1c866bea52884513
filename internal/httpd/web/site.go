package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"causeway/internal/node"
)

// Site is the pages of one node. It holds nothing that a restart would miss,
// and is safe for concurrent use.
type Site struct {
	node       *node.Node
	catalogues map[string]*catalogue
	templates  *templates
	assets     *assets
	version    string
	now        func() time.Time
	routes     []Route
	layouts    layouts
	fits       fits
}

// Options of a site.
type Options struct {
	Version string           // of the program, for the foot of every page
	Now     func() time.Time // the node's clock; nil: the system's
}

// New prepares the pages of a node. Templates and catalogues that do not parse
// are an error here, not on a reader's screen.
func New(n *node.Node, o Options) (*Site, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Site{node: n, version: o.Version, now: o.Now}
	var err error
	if s.catalogues, err = loadCatalogues(); err != nil {
		return nil, err
	}
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if s.templates, err = parseTemplates(s.catalogues, o.Now); err != nil {
		return nil, err
	}
	s.routes = s.table()
	return s, nil
}

// table is every page, by place.
func (s *Site) table() []Route {
	var all []Route
	for _, group := range [][]Route{
		doorRoutes(), firstRoutes(), todayRoutes(), pictureRoutes(), objectRoutes(), whyRoutes(), relabelRoutes(), releaseRoutes(), cutRoutes(), secondRoutes(), detectRoutes(),
		economyRoutes(), lineRoutes(), matchRoutes(), publicRoutes(), controlRoutes(), clearanceRoutes(), attestationRoutes(), policyRoutes(), tableRoutes(), groupRoutes(), ruleRoutes(), setupRoutes(),
	} {
		all = append(all, group...)
	}
	return append(all,
		Route{Method: http.MethodGet, Pattern: "/assets/{name}", Access: Open, Example: map[string]string{"name": "causeway.css"}, handle: func(q *request) error {
			s.assets.serve(q.w, q.Request)
			return nil
		}},
		get("/style/marking.css", (*request).markingSheet).open(),
		Route{Pattern: "/", handle: func(q *request) error { return errNotFound }}, // whatever no other route answers
	)
}

// Routes lists every page, for the tests that walk them.
func (s *Site) Routes() []Route { return s.routes }

// Register puts the pages on a mux.
func (s *Site) Register(mux *http.ServeMux) {
	for _, r := range s.routes {
		mux.Handle(strings.TrimSpace(r.Method+" "+r.Pattern), s.serve(r))
	}
}

// frame is what every page says of the node.
func (s *Site) frame() Frame {
	return Frame{Node: s.node.Config.Name, Nation: s.node.Config.Nation, Version: s.version, MarkingSheet: "/style/marking.css"}
}

func (q *request) isMultipart() bool {
	kind := q.Request.Header.Get("Content-Type")
	return len(kind) >= 19 && kind[:19] == "multipart/form-data"
}

func urlEscape(s string) string { return url.QueryEscape(s) }

// address joins segments to an address of this node, each escaped.
func address(segments ...any) string {
	out := ""
	for _, s := range segments {
		out += "/" + url.PathEscape(fmt.Sprint(s))
	}
	return out
}
