package web

import (
	"net/http"

	"causeway/internal/people"
)

func firstRoutes() []Route {
	return []Route{
		get("/first", (*request).first).open(),
		{Method: http.MethodPost, Pattern: "/first", Access: Open, handle: (*request).foundFirst},
	}
}

type firstData struct {
	Wrong, Code, ID, Name string
}

// first is the page of a node that nobody is registered on. It is shown to
// whoever comes; what it does takes the code that the server printed.
func (q *request) first() error {
	if nobody, err := q.nobodyYet(); err != nil || !nobody {
		if err != nil {
			return err
		}
		return q.redirect("/sign-in", "")
	}
	return q.render("first", "", q.say("first.title"), firstData{})
}

func (q *request) nobodyYet() (bool, error) {
	code, err := q.site.node.FirstCode(q.ctx())
	return code != "", err
}

// foundFirst registers the first security officer and signs them in, which ends
// the founding of the node.
func (q *request) foundFirst() error {
	if err := q.parse(); err != nil {
		return err
	}
	if nobody, err := q.nobodyYet(); err != nil {
		return err
	} else if !nobody {
		return q.redirect("/sign-in", "")
	}
	data := firstData{Code: q.field("code"), ID: q.field("id"), Name: q.field("name")}
	password := q.PostFormValue("password")
	err := q.site.node.FoundFirst(q.ctx(), data.Code, people.Person{ID: data.ID, Name: data.Name, Lang: q.lang}, password)
	if err != nil {
		data.Wrong = err.Error()
		return q.renderStatus(http.StatusUnprocessableEntity, "first", "", q.say("first.title"), data)
	}
	token, _, err := q.site.node.People.SignIn(q.ctx(), data.ID, password)
	if err != nil {
		return q.redirect("/sign-in?to=/control/setup", "")
	}
	q.setSession(token)
	return q.redirect("/control/setup", q.say("first.done", data.Name))
}
