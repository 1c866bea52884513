package taxii

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"
)

// Limits bound what one request, and all together, may cost. Zero fields take
// the value named.
type Limits struct {
	ContentLength int64         // octets of a POST body, before and after decompression; 32 MiB
	Objects       int           // objects in one envelope; 100,000
	Page          int           // records in one answer; 1,000
	PageBytes     int           // octets of objects in one answer, beyond which no further one is added; 32 MiB
	InFlight      int64         // octets of POST bodies held at once; 256 MiB
	BodyTime      time.Duration // for one POST body to arrive; 5 min
}

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	if l.ContentLength <= 0 {
		l.ContentLength = 32 << 20
	}
	def(&l.Objects, 100_000)
	def(&l.Page, 1000)
	def(&l.PageBytes, 32<<20)
	if l.InFlight <= 0 {
		l.InFlight = 256 << 20
	}
	l.InFlight = max(l.InFlight, l.ContentLength)
	if l.BodyTime <= 0 {
		l.BodyTime = 5 * time.Minute
	}
	return l
}

// Options make a handler.
type Options struct {
	// As gives the exchange as the sender of a request sees it. It answers
	// ErrUnauthenticated when credentials are missing or wrong; for the two
	// the client gets the same words.
	As func(*http.Request) (Backend, error)

	// Key seals cursors: at least 32 secret bytes, the same in every server
	// process of a node. Changing it ends all cursors.
	Key []byte

	// RootPrefix is the path under which the API roots lie, with a slash at
	// both ends; "/" if empty. Discovery is always at /taxii2/.
	RootPrefix string

	// Challenges are sent as WWW-Authenticate with every 401; one Basic
	// challenge if empty.
	Challenges []string

	Limits Limits
	Log    *slog.Logger     // for faults inside; nil: none
	Now    func() time.Time // nil: [time.Now]
}

// NewHandler serves TAXII 2.1 (discovery, API roots and everything below
// them). Every answer, those to unknown paths and those after a fault inside
// included, is a TAXII body that no cache may keep.
func NewHandler(o Options) (http.Handler, error) {
	if o.As == nil {
		return nil, errors.New("make TAXII handler: Options.As is missing")
	}
	seal, err := newSealer(o.Key)
	if err != nil {
		return nil, fmt.Errorf("make TAXII handler: %w", err)
	}
	if o.RootPrefix == "" {
		o.RootPrefix = "/"
	}
	if !strings.HasPrefix(o.RootPrefix, "/") || !strings.HasSuffix(o.RootPrefix, "/") {
		return nil, fmt.Errorf("make TAXII handler: root prefix %q needs a slash at both ends", o.RootPrefix)
	}
	if len(o.Challenges) == 0 {
		o.Challenges = []string{`Basic realm="TAXII", charset="UTF-8"`}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Limits = o.Limits.withDefaults()
	return &handler{Options: o, seal: seal}, nil
}

type handler struct {
	Options
	seal     *sealer
	inFlight atomic.Int64 // octets of POST bodies held
}

// request is one request on its way through an endpoint.
type request struct {
	*http.Request
	ctl    *http.ResponseController
	b      Backend
	path   string // of the request, canonical: what cursors are bound to
	root   string
	coll   string // collection id or alias, as in the URL
	object string
	status string
}

// answer is what an endpoint gives back: a body to encode, or one that
// writes itself.
type answer struct {
	code   int // 0: 200
	body   any // marshalled, unless it is a *pageBody
	header [][2]string
}

type endpoint func(*handler, *request) (answer, error)

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Content-Type", MediaType)
	head.Set("Cache-Control", "private, no-store")
	head.Set("X-Content-Type-Options", "nosniff")
	defer func() {
		if fault := recover(); fault != nil {
			if fault == http.ErrAbortHandler {
				panic(fault)
			}
			h.fail(w, r, fmt.Errorf("panic: %v\n%s", fault, debug.Stack()))
		}
	}()
	a, err := h.serve(w, r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.write(w, r, a)
}

// serve checks what every endpoint has in common, in an order that tells an
// unauthenticated client nothing: the path is of a known shape, the method
// fits it, the requester is known, the answer can be understood.
func (h *handler) serve(w http.ResponseWriter, r *http.Request) (answer, error) {
	req := &request{Request: r}
	methods, ok := h.route(r.URL, req)
	if !ok {
		return answer{}, ErrNotFound
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	serve, ok := methods[method]
	if !ok {
		w.Header().Set("Allow", methods.allow())
		return answer{}, &Error{Title: "Method not allowed", HTTPStatus: 405,
			Description: "this resource answers " + methods.allow()}
	}
	if len(r.URL.RawQuery) > maxQuery {
		return answer{}, badParam("query", "longer than %d bytes", maxQuery)
	}
	var err error
	if req.b, err = h.As(r); err != nil {
		return answer{}, err
	}
	if !accepts(r.Header.Values("Accept")) {
		return answer{}, &Error{Title: "Not acceptable", HTTPStatus: 406, ErrorCode: "not-acceptable",
			Description: "this server answers in " + MediaType}
	}
	req.ctl = http.NewResponseController(w)
	return serve(h, req)
}

type methods map[string]endpoint

func (m methods) allow() string {
	var names []string
	for _, name := range []string{"GET", "HEAD", "POST", "DELETE"} {
		if _, ok := m[name]; ok || name == "HEAD" && m["GET"] != nil {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// route finds the endpoint of a path and takes the names out of it. It does
// not use [http.ServeMux], which redirects and answers in text/plain. A final
// slash may be missing; redirects would lose credentials and bodies.
func (h *handler) route(u *url.URL, req *request) (methods, bool) {
	path := u.EscapedPath()
	if path == "/taxii2/" || path == "/taxii2" {
		return methods{"GET": (*handler).discovery}, true
	}
	rest, ok := strings.CutPrefix(path, h.RootPrefix)
	if !ok {
		return nil, false
	}
	parts := strings.Split(strings.TrimSuffix(rest, "/"), "/")
	for i, p := range parts {
		p, err := url.PathUnescape(p)
		if err != nil || p == "" {
			return nil, false
		}
		parts[i] = p
	}
	req.path, req.root = "/"+strings.Join(parts, "/"), parts[0]
	switch kind := parts[1:]; {
	case len(kind) == 0:
		return methods{"GET": (*handler).apiRoot}, true
	case len(kind) == 2 && kind[0] == "status":
		req.status = kind[1]
		return methods{"GET": (*handler).getStatus}, true
	case kind[0] != "collections":
		return nil, false
	case len(kind) == 1:
		return methods{"GET": (*handler).collections}, true
	default:
		req.coll = kind[1]
		return routeCollection(kind[2:], req)
	}
}

func routeCollection(parts []string, req *request) (methods, bool) {
	switch {
	case len(parts) == 0:
		return methods{"GET": (*handler).collection}, true
	case len(parts) == 1 && parts[0] == "manifest":
		return methods{"GET": (*handler).manifest}, true
	case parts[0] != "objects" || len(parts) > 3:
		return nil, false
	case len(parts) == 1:
		return methods{"GET": (*handler).objects, "POST": (*handler).add}, true
	}
	req.object = parts[1]
	if len(parts) == 2 {
		return methods{"GET": (*handler).getObject, "DELETE": (*handler).delete}, true
	}
	return methods{"GET": (*handler).versions}, parts[2] == "versions"
}

// fail writes the answer for err. Only what this package or the Backend
// worded for the client leaves the machine; the rest gets an id by which it
// is found in the log.
func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	var e *Error
	switch {
	case errors.As(err, &e) && e.HTTPStatus >= 400:
	case errors.Is(err, ErrNotFound):
		e = &Error{Title: "Not found", HTTPStatus: 404}
	case errors.Is(err, ErrForbidden):
		e = &Error{Title: "Forbidden", HTTPStatus: 403}
	case errors.Is(err, ErrUnauthenticated):
		e = &Error{Title: "Authentication needed", HTTPStatus: 401}
	case r.Context().Err() != nil:
		e = &Error{Title: "The client went away", HTTPStatus: 499}
	default:
		e = &Error{Title: "Internal fault", HTTPStatus: 500, ErrorID: rand.Text()}
		h.Log.ErrorContext(r.Context(), "taxii request failed", "error_id", e.ErrorID, "method", r.Method, "err", err)
	}
	head := w.Header()
	switch e.HTTPStatus {
	case 401:
		for _, c := range h.Challenges {
			head.Add("WWW-Authenticate", c)
		}
	case 503:
		head.Set("Retry-After", "2")
	}
	h.write(w, r, answer{code: e.HTTPStatus, body: e})
}
