package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"causeway/internal/people"
	"causeway/internal/vault"
)

// Visitor is the person behind a request, as they are at this moment: a
// suspension or a revoked clearance acts on the next request.
type Visitor struct {
	people.Person
	Reader vault.Reader
	Token  string // proves that a form came from this session's own page
}

// request is one request on its way through a handler.
type request struct {
	*http.Request
	w    http.ResponseWriter
	site *Site
	who  *Visitor // nil on the pages that need nobody
	lang string
	zone *time.Location
	now  time.Time
	seen []marked // what stands on the page, for its marking

	drawn  []drawing             // pictures of the page that can be taken away
	sheets map[string][][]string // tables of the page that can be

	names    map[string]string // titles of objects, looked up once
	partners map[string]string // names of partners by node
}

// view is the store as the visitor may see it, and the only way to it.
func (q *request) view() *vault.View { return q.site.node.Vault.As(q.who.Reader) }

// say gives a sentence in the language of the request.
func (q *request) say(key string, args ...any) string {
	return q.site.catalogues[q.lang].say(key, args...)
}

func (q *request) count(key string, n any, args ...any) string {
	return q.site.catalogues[q.lang].count(key, n, args...)
}

func (q *request) word(prefix, term string) string {
	return q.site.catalogues[q.lang].word(prefix, term)
}

// ctx is the context of the request; it ends when the reader goes away.
func (q *request) ctx() context.Context { return q.Request.Context() }

// render writes a page: template, the place it belongs to, its title.
func (q *request) render(template, place, title string, data any) error {
	if answered, err := q.pictureFile(title); answered {
		return err
	}
	if answered, err := q.tableFile(); answered {
		return err
	}
	return q.renderStatus(http.StatusOK, template, place, title, data)
}

func (q *request) renderStatus(status int, template, place, title string, data any) error {
	p := &page{
		Site: q.site.frame(), Lang: q.lang, Title: title, Zone: q.zone, Now: q.now, Visitor: q.who,
		Markings: q.markings(), Tongues: q.tongues(), Query: q.URL.Query().Get("q"), Data: data, assets: q.site.assets, query: q.URL.Query(),
	}
	if q.who != nil {
		for _, pl := range places() {
			pl.Here = pl.Name == place
			p.Places = append(p.Places, pl)
		}
	}
	p.Said = q.takeSaid()
	body, err := q.site.templates.execute(q.lang, template, p)
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", q.lang)
	q.w.WriteHeader(status)
	_, _ = q.w.Write(body) // the reader has gone away
	return nil
}

// tongues are the languages with the address of this page in each.
func (q *request) tongues() (out []tongue) {
	for _, lang := range Languages {
		query := q.URL.Query()
		query.Set("lang", lang)
		u := url.URL{Path: q.URL.Path, RawQuery: query.Encode()}
		out = append(out, tongue{Code: lang, Name: map[string]string{"en": "English", "ja": "日本語"}[lang], Href: u.String(), Here: lang == q.lang})
	}
	return out
}

// redirect sends the reader on after an act, with a sentence about it that the
// next page shows once.
func (q *request) redirect(to, said string) error {
	if said != "" {
		q.setCookie("said", url.QueryEscape(said), 60)
	}
	if q.Request.Header.Get("X-Causeway-Form") != "" { // forms.ts goes there itself
		q.w.Header().Set("X-Causeway-Go", to)
		q.w.WriteHeader(http.StatusOK)
		return nil
	}
	http.Redirect(q.w, q.Request, to, http.StatusSeeOther)
	return nil
}

// takeSaid gives the sentence that redirect left, and forgets it.
func (q *request) takeSaid() string {
	c, err := q.Cookie("said")
	if err != nil {
		return ""
	}
	q.setCookie("said", "", -1)
	said, err := url.QueryUnescape(c.Value)
	if err != nil || len(said) > 1000 {
		return ""
	}
	return said
}

func (q *request) setCookie(name, value string, seconds int) {
	http.SetCookie(q.w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: seconds,
		HttpOnly: true, Secure: q.TLS != nil, SameSite: http.SameSiteLaxMode})
}

// field is a trimmed form or query value.
func (q *request) field(name string) string { return strings.TrimSpace(q.FormValue(name)) }

// lines splits a text area into its lines that say something.
func (q *request) fieldLines(name string) (out []string) {
	for line := range strings.Lines(q.FormValue(name)) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// largestForm bounds a form without files.
const largestForm = 1 << 20

// parse reads a form within its limit.
func (q *request) parse() error {
	q.Request.Body = http.MaxBytesReader(q.w, q.Request.Body, largestForm)
	if err := q.ParseForm(); err != nil {
		return refused("read the form: %v", err)
	}
	return nil
}

// refusal is an error whose text is meant for the person who asked: what they
// sent was not accepted, and why.
type refusal struct{ text string }

func (r refusal) Error() string { return r.text }

func refused(format string, args ...any) error { return refusal{fmt.Sprintf(format, args...)} }

// problem is what an error page says.
type problem struct {
	Status                     int
	Happened, Detail, Kept, Do string
	Back                       string
}

// problemOf turns an error into the page about it. Only errors that are known
// to be safe show their text; everything else is logged and named by its time.
func (q *request) problemOf(err error) problem {
	p := problem{Kept: q.say("error.nothing-kept"), Back: "/"}
	var tooLarge *http.MaxBytesError
	var no refusal
	set := func(status int, key, detail string, args ...any) {
		p.Status, p.Detail = status, detail
		p.Happened, p.Do = q.say("error."+key+".happened"), q.say("error."+key+".do", args...)
	}
	switch {
	case errors.Is(err, vault.ErrNotFound), errors.Is(err, people.ErrUnknown), errors.Is(err, errNotFound):
		set(http.StatusNotFound, "not-found", "")
	case errors.Is(err, people.ErrForbidden):
		set(http.StatusForbidden, "forbidden", err.Error())
	case errors.Is(err, errCrossSite):
		set(http.StatusForbidden, "cross-site", "")
	case errors.As(err, &tooLarge):
		set(http.StatusRequestEntityTooLarge, "large", "", tooLarge.Limit>>20)
	case errors.As(err, &no):
		set(http.StatusUnprocessableEntity, "refused", no.text)
	default:
		set(http.StatusInternalServerError, "internal", q.say("error.internal.detail", q.now.UTC().Format(time.RFC3339)))
	}
	return p
}

var (
	errNotFound  = errors.New("no such page")
	errCrossSite = errors.New("the form is not this session's own")
)

// fail answers a request whose handler gave an error.
func (q *request) fail(err error) {
	if errors.Is(err, context.Canceled) && q.ctx().Err() != nil {
		return // nobody is there to read an answer
	}
	p := q.problemOf(err)
	if p.Status == http.StatusInternalServerError {
		q.site.node.Log.Error("page failed", "path", q.URL.Path, "method", q.Method, "error", err)
	}
	q.seen = nil
	if err := q.renderStatus(p.Status, "error", "", p.Happened, p); err != nil {
		q.site.node.Log.Error("error page failed", "error", err)
		http.Error(q.w, http.StatusText(p.Status), p.Status)
	}
}

// act marks what an act refused as safe to show: acts of the desk, of people
// and of the line explain their refusals in words made for the person who
// tried.
func act(err error) error {
	switch {
	case err == nil, errors.Is(err, vault.ErrNotFound), errors.Is(err, people.ErrForbidden), errors.Is(err, context.Canceled):
		return err
	}
	return refusal{err.Error()}
}

// language picks the language of a request: the address, the cookie, the
// person, the browser, in this order.
func language(r *http.Request, who *Visitor) string {
	if lang := r.URL.Query().Get("lang"); slices.Contains(Languages, lang) {
		return lang
	}
	if c, err := r.Cookie("lang"); err == nil && slices.Contains(Languages, c.Value) {
		return c.Value
	}
	if who != nil && slices.Contains(Languages, who.Lang) {
		return who.Lang
	}
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		base, _, _ := strings.Cut(tag, "-")
		if slices.Contains(Languages, base) {
			return base
		}
	}
	return Languages[0]
}

// zones of the nations whose nodes the demo runs; another node's people set
// their own.
var zones = map[string]string{"JPN": "Asia/Tokyo", "BEL": "Europe/Brussels", "AUS": "Australia/Sydney"}

// zone is the person's time zone, else their nation's, else UTC.
func zone(who *Visitor) *time.Location {
	if who == nil {
		return time.UTC
	}
	name := who.Zone
	if name == "" {
		name = zones[who.Nation]
	}
	loc, err := time.LoadLocation(name)
	if err != nil || name == "" {
		return time.UTC
	}
	return loc
}
