// Package web is the pages of a node: templates, catalogues, the style sheet,
// and the handlers behind them.
//
// Every page renders on the server and reads without JavaScript; what the
// bundled islands add is listed in island/src/causeway.ts. Every sentence
// comes from the catalogues in catalogue/, every picture from package chart.
// Whatever a page reads of the store, it reads through vault.As of the person
// who asks.
package web

import (
	"html/template"
	"maps"
	"net/url"
	"time"
)

// Frame is what every page says of the node it belongs to.
type Frame struct {
	Node         string // the agency's name
	Nation       string // three capital letters
	Version      string
	Exercise     bool
	MarkingSheet string // address of the style sheet with the policies' colours
}

// Marking is a label's marking as a page shows it.
type Marking struct {
	Text  string
	Class string // colour class of the marking style sheet
}

// quarter is one of the seven places of the navigation.
type quarter struct {
	Name, Href, Key string
	Here            bool
	Count           int // what waits there for the reader
}

// places in the order of the navigation; Key goes there after "g".
func places() []quarter {
	return []quarter{
		{Name: "place.today", Href: "/", Key: "t"},
		{Name: "place.picture", Href: "/picture", Key: "p"},
		{Name: "place.detect", Href: "/detect", Key: "d"},
		{Name: "place.economy", Href: "/economy", Key: "e"},
		{Name: "place.lines", Href: "/lines", Key: "l"},
		{Name: "place.public", Href: "/public", Key: "u"},
		{Name: "place.control", Href: "/control", Key: "c"},
	}
}

// tongue is a language that the page may be read in.
type tongue struct {
	Code, Name, Href string
	Here             bool
}

// page is what the layout and a page's own template are given.
type page struct {
	Site     Frame
	Lang     string
	Title    string
	Markings []Marking // the highest of each policy on the page
	Places   []quarter
	Tongues  []tongue
	Query    string
	Said     string // what the last act did
	Visitor  *Visitor
	Zone     *time.Location
	Now      time.Time
	Data     any

	assets *assets
	query  url.Values
}

// With is the query of the page's address with one more word: the same view,
// asked for in another form.
func (p *page) With(name, value string) template.URL {
	query := maps.Clone(p.query)
	query.Set(name, value)
	return template.URL(query.Encode())
}

// Asset gives the address of a style sheet or script.
func (p *page) Asset(name string) string { return p.assets.url(name) }

// Built reports whether the interactive parts are there.
func (p *page) Built() bool { return p.assets.built }

// ZoneName is the reader's zone for the clock in the head.
func (p *page) ZoneName() string { return p.Zone.String() }

// LocalClock is the time of rendering in the reader's zone.
func (p *page) LocalClock() string { return p.Now.In(p.Zone).Format("15:04 MST") }

// UTCClock is the time of rendering in UTC.
func (p *page) UTCClock() string { return p.Now.UTC().Format("15:04 UTC") }
