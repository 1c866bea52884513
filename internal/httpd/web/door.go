package web

import (
	"errors"
	"net/http"
	"strings"

	"causeway/internal/people"
)

func doorRoutes() []Route {
	return []Route{
		get("/sign-in", (*request).door).open(),
		{Method: http.MethodPost, Pattern: "/sign-in", Access: Open, handle: (*request).signIn},
		post("/sign-out", (*request).signOut),
	}
}

type doorData struct {
	Wrong, Person, To string
}

func (q *request) door() error {
	if q.who != nil {
		return q.redirect("/", "")
	}
	if nobody, err := q.nobodyYet(); err != nil || nobody {
		if err != nil {
			return err
		}
		return q.redirect("/first", "")
	}
	return q.render("sign-in", "", q.say("sign-in.title"), doorData{To: q.URL.Query().Get("to")})
}

// signIn opens a session. The form carries no token, since there is no session
// yet; the server refuses forms of other origins before this is reached.
func (q *request) signIn() error {
	if err := q.parse(); err != nil {
		return err
	}
	id := q.field("person")
	token, _, err := q.site.node.People.SignIn(q.ctx(), id, q.PostFormValue("password"))
	data := doorData{Person: id, To: q.PostFormValue("to")}
	switch {
	case errors.Is(err, people.ErrSlowDown):
		data.Wrong = q.say("sign-in.slow")
		return q.renderStatus(http.StatusTooManyRequests, "sign-in", "", q.say("sign-in.title"), data)
	case errors.Is(err, people.ErrSignIn):
		data.Wrong = q.say("sign-in.wrong")
		return q.renderStatus(http.StatusUnauthorized, "sign-in", "", q.say("sign-in.title"), data)
	case err != nil:
		return err
	}
	q.setSession(token)
	if data.To == "" {
		if data.To, err = q.startOf(token); err != nil {
			return err
		}
	}
	return q.redirect(inside(data.To), "")
}

func (q *request) setSession(token string) {
	http.SetCookie(q.w, &http.Cookie{Name: SessionCookie(q.Request), Value: token, Path: "/", MaxAge: int(people.SessionLife.Seconds()),
		HttpOnly: true, Secure: q.TLS != nil, SameSite: http.SameSiteStrictMode})
}

// startOf is where somebody begins who asked for no page: today, or where a
// node that has no partner yet is set up.
func (q *request) startOf(token string) (string, error) {
	p, err := q.site.node.People.Session(q.ctx(), token)
	if err != nil {
		return "/", nil // ended meanwhile: the page sends them to the door
	}
	partners, err := q.site.node.Line.Partners(q.ctx())
	if err == nil && len(partners) == 0 && p.Has(people.SecurityOfficer) {
		return "/control/setup", nil
	}
	return "/", err
}

func (q *request) signOut() error {
	c, err := q.Cookie(SessionCookie(q.Request))
	if err != nil {
		return q.redirect("/sign-in", "")
	}
	if err := q.site.node.People.SignOut(q.ctx(), c.Value); err != nil {
		return err
	}
	http.SetCookie(q.w, &http.Cookie{Name: c.Name, Path: "/", MaxAge: -1, HttpOnly: true, Secure: q.TLS != nil, SameSite: http.SameSiteStrictMode})
	return q.redirect("/sign-in", "")
}

// inside lets through addresses of this node only: nobody is sent elsewhere
// by a link to the door.
func inside(to string) string {
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n") {
		return "/"
	}
	return to
}
