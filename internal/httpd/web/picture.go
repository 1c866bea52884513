package web

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"causeway/internal/vault"
)

func pictureRoutes() []Route {
	return []Route{
		get("/picture", (*request).picture),
		get("/picture/search", (*request).search),
	}
}

// listed is how many rows a page of a list holds.
const listed = 50

type pictureData struct {
	Items       []item
	Type        string
	Types       []choice
	Query       string
	Shown       int
	Total       int64
	Narrow      bool // a filter or a search is on
	First, Next string
}

// choice is one option of a filter with its number.
type choice struct {
	Value, Name string
	Count       int64
	Here        bool
}

// picture lists what the reader may see, newest first, by kind, paged by
// cursor.
func (q *request) picture() error {
	data := pictureData{Type: q.URL.Query().Get("type")}
	match := vault.Match{Types: reading}
	if data.Type != "" {
		match.Types = []string{data.Type}
	}
	if data.Type == "*" {
		match.Types = nil
	}
	data.Narrow = data.Type != ""
	return q.listPage(&data, match)
}

// search finds words and ids in what the reader may see.
func (q *request) search() error {
	text := q.field("q")
	if text == "" {
		return q.redirect("/picture", "")
	}
	if row, err := q.view().Get(q.ctx(), text); err == nil {
		return q.redirect(address("object", row.ID), "")
	} else if !errors.Is(err, vault.ErrNotFound) {
		return err
	}
	data := pictureData{Query: text, Type: q.URL.Query().Get("type"), Narrow: true}
	match, err := vault.ParseFind(text)
	if err != nil {
		return refused("%v", err)
	}
	if data.Type != "" {
		match.Types = []string{data.Type}
	}
	return q.listPage(&data, match)
}

func (q *request) listPage(data *pictureData, match vault.Match) error {
	query := vault.Query{Match: match, Limit: listed, Newest: true, Cursor: q.URL.Query().Get("after")}
	page, err := q.ask(data.Query, query)
	if errors.Is(err, vault.ErrCursor) {
		return refused("%s", q.say("list.cursor"))
	}
	if err != nil {
		return err
	}
	if data.Items, err = q.items(page.Rows); err != nil {
		return err
	}
	data.Shown = len(data.Items)
	if data.Total, err = q.view().Count(q.ctx(), match); err != nil {
		return err
	}
	if query.Cursor != "" {
		data.First = q.with("after", "")
	}
	if page.More {
		data.Next = q.with("after", page.Next)
	}
	if data.Types, err = q.typeChoices(match, data.Type); err != nil {
		return err
	}
	title := q.say("place.picture")
	if data.Query != "" {
		title = q.say("search.title", data.Query)
	}
	return q.render("picture", "place.picture", title, data)
}

// ask reads a page of a list, or of a search, which the log records.
func (q *request) ask(text string, query vault.Query) (vault.Page, error) {
	if text == "" {
		return q.view().Page(q.ctx(), query)
	}
	if len(query.Types) > 0 && !strings.Contains(text, "type:") {
		text += " type:" + query.Types[0]
	}
	query.Match = vault.Match{}
	return q.view().Find(q.ctx(), text, query)
}

// typeChoices counts each kind that the reader may see; kinds without objects
// are left out.
func (q *request) typeChoices(match vault.Match, here string) (out []choice, err error) {
	types := analytic
	if here != "" && here != "*" && !slices.Contains(types, here) {
		types = append(slices.Clone(types), here)
	}
	for _, typ := range types {
		match.Types = []string{typ}
		n, err := q.view().Count(q.ctx(), match)
		if err != nil {
			return nil, err
		}
		if n > 0 || typ == here {
			out = append(out, choice{typ, q.kind(typ), n, typ == here})
		}
	}
	return out, nil
}

// with gives the address of this page with one value of its query changed.
func (q *request) with(name, value string) string {
	query := q.URL.Query()
	query.Del("lang")
	if value == "" {
		query.Del(name)
	} else {
		query.Set(name, value)
	}
	u := url.URL{Path: q.URL.Path, RawQuery: query.Encode()}
	return u.String()
}
