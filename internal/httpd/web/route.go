package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"causeway/internal/people"
)

// Access says who may ask for a route at all. What they then see is the
// vault's to decide.
type Access int

// The kinds of access. The zero value needs a signed-in person.
const (
	SignedIn Access = iota
	Open            // nobody needs to be signed in: the door, style sheets
)

// Route is one address of the node. The list of all of them is walked by the
// tests that no page may escape.
type Route struct {
	Method, Pattern string // no method: all of them
	Access          Access
	// Acts says that the route changes something and so demands the token of
	// the session.
	Acts bool
	// Example fills the wildcards of the pattern for the tests that walk the
	// routes; nil where the pattern has none.
	Example map[string]string

	handle func(*request) error
}

func get(pattern string, handle func(*request) error) Route {
	return Route{Method: http.MethodGet, Pattern: pattern, handle: handle}
}

func post(pattern string, handle func(*request) error) Route {
	return Route{Method: http.MethodPost, Pattern: pattern, Acts: true, handle: handle}
}

// open lets a route through without a session.
func (r Route) open() Route {
	r.Access = Open
	return r
}

// SessionCookie names the cookie that carries the session's token. Over TLS it
// has the __Host- prefix, which binds it to this host and to TLS.
func SessionCookie(r *http.Request) string {
	if r.TLS != nil {
		return "__Host-causeway"
	}
	return "causeway"
}

// formToken derives the token of a session's forms from the session's own, so
// that nothing has to be stored and a page with forms stays the same bytes.
func formToken(session string) string {
	mac := hmac.New(sha256.New, []byte(session))
	mac.Write([]byte("causeway form token"))
	return hex.EncodeToString(mac.Sum(nil))
}

// Visit finds the person behind a request; nil when nobody is signed in.
func (s *Site) Visit(r *http.Request) *Visitor {
	c, err := r.Cookie(SessionCookie(r))
	if err != nil {
		return nil
	}
	p, err := s.node.People.Session(r.Context(), c.Value)
	if err != nil {
		return nil
	}
	reader, err := s.node.People.Reader(p)
	if err != nil {
		return nil
	}
	return &Visitor{Person: p, Reader: reader, Token: formToken(c.Value)}
}

// serve runs one route.
func (s *Site) serve(route Route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who := s.Visit(r)
		q := &request{Request: r, w: w, site: s, who: who, now: s.now(), zone: zone(who), lang: language(r, who)}
		if lang := r.URL.Query().Get("lang"); lang == q.lang {
			q.setCookie("lang", lang, 365*24*3600)
		}
		if route.Access == SignedIn && who == nil {
			q.toTheDoor()
			return
		}
		if who != nil && who.Person.Visitor != "" && route.Access == SignedIn && !visitorMay[route.Pattern] {
			q.fail(forbidden{q.say("forbidden.visitor", who.Name)})
			return
		}
		if route.Acts {
			if err := q.checkToken(); err != nil {
				q.fail(err)
				return
			}
		}
		if err := route.handle(q); err != nil {
			q.fail(err)
		}
	}
}

// visitorMay lists the pages that a partner's person may open: what there is to
// read. Everything else tells of this agency: its people, its partners, its
// acts. A page that is not listed is closed.
var visitorMay = map[string]bool{
	"/{$}": true, "/picture": true, "/picture/search": true, "/object/{id}": true, "/object/{id}/raw": true, "/control/mine": true,
	"/economy": true, "/economy/{id}": true, "/sign-out": true, "/": true,
}

// toTheDoor sends somebody who is not signed in to sign in and come back.
func (q *request) toTheDoor() {
	to := "/sign-in"
	if q.Method == http.MethodGet && q.URL.Path != "/" {
		to += "?to=" + urlEscape(q.URL.RequestURI())
	}
	http.Redirect(q.w, q.Request, to, http.StatusSeeOther)
}

// largestUpload bounds a form with a file, in bytes. Larger data goes through
// the command line, which reads it where it lies.
const largestUpload = 512 << 20

// checkToken demands the token that the session's own pages carry.
func (q *request) checkToken() error {
	limit := int64(largestForm)
	if q.isMultipart() {
		limit = largestUpload
	}
	q.Request.Body = http.MaxBytesReader(q.w, q.Request.Body, limit)
	var err error
	if q.isMultipart() {
		err = q.ParseMultipartForm(8 << 20)
	} else {
		err = q.ParseForm()
	}
	if err != nil {
		return err
	}
	if q.who == nil || !hmac.Equal([]byte(q.PostFormValue("token")), []byte(q.who.Token)) {
		return errCrossSite
	}
	return nil
}

// need refuses a page whose act takes a role the person does not have.
func (q *request) need(role people.Role) error {
	if q.who.Has(role) {
		return nil
	}
	return forbidden{q.say("forbidden.role", q.word("role", string(role)), q.who.Name)}
}

// forbidden is people.ErrForbidden in the reader's language.
type forbidden struct{ text string }

func (f forbidden) Error() string        { return f.text }
func (f forbidden) Is(target error) bool { return target == people.ErrForbidden }
