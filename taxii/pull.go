package taxii

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ErrNoProgress is wrapped when a server promises more and keeps giving what
// it gave before.
var ErrNoProgress = errors.New("the server makes no progress")

// Checkpoint is how far a pull has come. Save it after the objects of its
// page are stored; a pull that starts from it goes on with the next page. The
// zero value is the beginning.
type Checkpoint struct {
	Start      string `json:"start,omitempty"`       // the added_after in force for this run; unchanged while Next is followed
	Next       string `json:"next,omitempty"`        // the cursor of the next page, used where there is no date; empty after a run's last page
	AddedAfter string `json:"added_after,omitempty"` // date added of the newest object delivered, as the server wrote it

	// Tail holds fingerprints of the objects that may share the date in
	// AddedAfter. With them a pull can step back over that date, so that a
	// server that cuts a batch of one date across pages loses nothing, and
	// still not deliver an object twice.
	Tail []string `json:"tail,omitempty"`
}

// PullOptions select what to pull.
type PullOptions struct {
	From  Checkpoint
	Match Match
	Limit int // objects per page asked for; 1,000 if 0
}

// Pulled is one page of objects.
type Pulled struct {
	Objects    []json.RawMessage // the producer's bytes; may be empty on a run's last page
	Checkpoint Checkpoint
}

// Pull reads a collection from a checkpoint to its present end, page by page.
// Stop it at any page and start again from a saved checkpoint: no object is
// lost, and none comes twice from a server that keeps its bytes and dates.
//
// Within a run the server's cursors are followed. A run that starts from a
// checkpoint, or that goes on after a request got no answer, starts from the
// newest date delivered instead: there are servers whose cursors are consumed
// by their use, answered or not.
//
// It copes with servers that give no "next", that forget their cursors, that
// give one date to a whole batch, or that write dates to the millisecond. A
// server that sends no dates at all is read from the beginning each time.
// After the first error the sequence ends.
func (c *Client) Pull(ctx context.Context, collection string, o PullOptions) iter.Seq2[Pulled, error] {
	return func(yield func(Pulled, error) bool) {
		p := newPuller(c, join(collection, "objects"), o)
		for page, err := range p.pages(ctx) {
			if !yield(Pulled{page, p.at}, wrap("pull", err)) || err != nil {
				return
			}
		}
	}
}

// Manifest reads the manifest of a collection to its end.
func (c *Client) Manifest(ctx context.Context, collection string, o PullOptions) iter.Seq2[ManifestRecord, error] {
	return func(yield func(ManifestRecord, error) bool) {
		p := newPuller(c, join(collection, "manifest"), o)
		for page, err := range p.pages(ctx) {
			for _, raw := range page {
				var rec ManifestRecord
				if err := json.Unmarshal(raw, &rec); err != nil {
					yield(rec, fmt.Errorf("read manifest: %w", err))
					return
				}
				if !yield(rec, nil) {
					return
				}
			}
			if err != nil {
				yield(ManifestRecord{}, fmt.Errorf("read manifest: %w", err))
				return
			}
		}
	}
}

// Versions lists the versions of an object, in the order in which they were
// added.
func (c *Client) Versions(ctx context.Context, collection, object string) ([]string, error) {
	p := newPuller(c, join(collection, "objects", object, "versions"), PullOptions{})
	var list []string
	for page, err := range p.pages(ctx) {
		if err != nil {
			return nil, fmt.Errorf("list versions: %w", err)
		}
		for _, raw := range page {
			var v string
			if err := json.Unmarshal(raw, &v); err != nil {
				return nil, fmt.Errorf("list versions: %w", err)
			}
			list = append(list, v)
		}
	}
	return list, nil
}

// Object reads versions of one object; by default the newest.
func (c *Client) Object(ctx context.Context, collection, object string, m Match) ([]json.RawMessage, error) {
	p := newPuller(c, join(collection, "objects", object), PullOptions{Match: m})
	var list []json.RawMessage
	for page, err := range p.pages(ctx) {
		if err != nil {
			return nil, fmt.Errorf("get object: %w", err)
		}
		list = append(list, page...)
	}
	return list, nil
}

// listBody is the body of objects, manifest or versions.
type listBody struct {
	more  bool
	next  string
	items []json.RawMessage
}

func (v *listBody) parse(b []byte) error {
	l := &lexer{b: b}
	err := l.members(func(name string) (err error) {
		switch name {
		case "objects", "versions":
			var items []json.RawMessage
			items, err = l.elements(0)
			v.items = append(v.items, items...)
		case "more":
			v.more, err = l.boolean()
		case "next":
			v.next, err = l.text()
		default:
			_, err = l.raw()
		}
		return err
	})
	if err == nil {
		err = l.end()
	}
	return err
}

// maxEmpty bounds the empty pages with a new cursor that are followed in a
// row. Servers that filter after paging send some.
const maxEmpty = 1000

// puller walks the pages of one list.
type puller struct {
	c       *Client
	address string
	match   Match
	at      Checkpoint
	cursors map[string]bool // followed in this run
	begins  map[string]bool // fingerprints of the first items of its pages
	limit   int
	empty   int // pages without anything new, in a row
	losses  int // requests without an answer, in a row
}

func newPuller(c *Client, address string, o PullOptions) *puller {
	p := &puller{c: c, address: address, match: o.Match, at: o.From, limit: o.Limit, cursors: map[string]bool{}, begins: map[string]bool{}}
	if p.limit <= 0 {
		p.limit = 1000
	}
	return p
}

// pages gives the new items of each page. p.at is the checkpoint that belongs
// to the page just given.
func (p *puller) pages(ctx context.Context) iter.Seq2[[]json.RawMessage, error] {
	return func(yield func([]json.RawMessage, error) bool) {
		switch {
		case p.at.Next != "" && p.dated():
			p.byDate()
		case p.at.Next == "" && p.at.Start == "":
			p.at.Start = p.begin()
		}
		for {
			page, header, err := p.fetch(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			fresh, more, err := p.advance(page, header)
			if err != nil {
				yield(nil, err)
				return
			}
			if len(fresh) > 0 || !more {
				if !yield(fresh, nil) {
					return
				}
			}
			if !more {
				return
			}
		}
	}
}

// begin gives the added_after for a new run. A server that writes dates more
// coarsely than microseconds may have more objects within the last one.
func (p *puller) begin() string {
	t, unit, ok := readDate(p.at.AddedAfter)
	switch {
	case !ok:
		return ""
	case unit > time.Microsecond:
		t = t.Add(-unit)
	}
	return Time{t}.String()
}

// fetch gets the page that p.at names. A cursor that the server no longer
// knows, or may have consumed, is replaced by the date it stood for.
func (p *puller) fetch(ctx context.Context) (listBody, http.Header, error) {
	for {
		q := params{match: p.match}.filter()
		if p.at.Start != "" {
			q.Set("added_after", p.at.Start)
		}
		q.Set("limit", strconv.Itoa(p.limit))
		if p.at.Next != "" {
			q.Set("next", p.at.Next)
		}
		var page listBody
		header, err := p.c.do(ctx, call{method: http.MethodGet, address: p.address, query: q, into: &page, once: p.at.Next != "" && p.dated()})
		var e *Error
		forgotten := errors.As(err, &e) && (e.HTTPStatus == 400 || e.HTTPStatus == 404 || e.HTTPStatus == 410)
		lost := errors.Is(err, errTransport) && p.dated() && ctx.Err() == nil
		if err == nil || p.at.Next == "" || !forgotten && !lost {
			return page, header, err
		}
		if lost {
			if p.losses++; p.losses >= p.c.o.Attempts {
				return page, header, err
			}
			if err := sleep(ctx, p.c.pause(p.losses)); err != nil {
				return page, header, err
			}
		}
		p.byDate()
	}
}

func (p *puller) dated() bool {
	_, _, ok := readDate(p.at.AddedAfter)
	return ok
}

// byDate goes on from the newest date delivered instead of a cursor. What
// comes then overlaps with what came.
func (p *puller) byDate() {
	clear(p.cursors)
	clear(p.begins)
	p.at.Next = ""
	p.at.Start = p.stepBack()
}

// stepBack gives an added_after just before the newest date delivered.
func (p *puller) stepBack() string {
	if t, unit, ok := readDate(p.at.AddedAfter); ok {
		return Time{t.Add(-unit)}.String()
	}
	return p.at.Start
}

// advance moves the checkpoint over a page. It gives the items that are new
// and whether another page is to be fetched.
func (p *puller) advance(page listBody, header http.Header) (fresh []json.RawMessage, more bool, err error) {
	fresh = p.remember(page.items, header)
	if len(fresh) > 0 {
		p.empty, p.losses = 0, 0
	} else {
		p.empty++
	}
	switch {
	case !page.more, len(page.items) == 0 && page.next == "":
		p.at.Next, p.at.Start = "", ""
		return fresh, false, nil
	case page.next != "":
		// Some servers give one cursor for a whole run, so that a cursor may
		// come again; a page that begins like an earlier one may not.
		first := fingerprint(page.items)
		if p.cursors[page.next] && p.begins[first] {
			return fresh, false, fmt.Errorf("%w: the cursor %.60q comes a second time, with the same page", ErrNoProgress, page.next)
		}
		if p.empty > maxEmpty {
			return fresh, false, fmt.Errorf("%w: %d pages without anything new", ErrNoProgress, p.empty)
		}
		p.cursors[page.next], p.begins[first] = true, true
		p.at.Next = page.next
		return fresh, true, nil
	}
	// More without a cursor: go on from the last date, one unit before it,
	// and with larger pages where one date fills a page.
	p.at.Next = ""
	next := p.stepBack()
	if next == p.at.Start || len(fresh) == 0 {
		if p.limit *= 4; p.limit > 1_000_000 || p.at.AddedAfter == "" {
			return fresh, false, fmt.Errorf("%w: it promises more after %q, gives no cursor, and repeats the page", ErrNoProgress, p.at.AddedAfter)
		}
	}
	p.at.Start = next
	return fresh, true, nil
}

// remember drops what came before and brings Tail and AddedAfter up to date.
func (p *puller) remember(items []json.RawMessage, header http.Header) (fresh []json.RawMessage) {
	known := make(map[string]bool, len(p.at.Tail))
	for _, f := range p.at.Tail {
		known[f] = true
	}
	var all, added []string // fingerprints
	for _, item := range items {
		f := fingerprint([]json.RawMessage{item})
		all = append(all, f)
		if !known[f] {
			known[f] = true
			fresh = append(fresh, item)
			added = append(added, f)
		}
	}
	text := header.Get("X-TAXII-Date-Added-Last")
	last, _, dated := readDate(text)
	before, _, began := readDate(p.at.AddedAfter)
	switch {
	case len(items) == 0, dated && began && last.Before(before):
	case dated && began && last.Equal(before):
		p.at.Tail = append(p.at.Tail, added...)
	default:
		p.at.Tail = all
		if dated {
			p.at.AddedAfter = text
		}
	}
	return fresh
}

// fingerprint names the first of some items; "" if there is none.
func fingerprint(items []json.RawMessage) string {
	if len(items) == 0 {
		return ""
	}
	sum := sha256.Sum256(items[0])
	return hex.EncodeToString(sum[:12])
}

// readDate reads a date that a server wrote, and the smallest step that its
// digits can show.
func readDate(s string) (t time.Time, unit time.Duration, ok bool) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return t, 0, false
	}
	unit = time.Second
	if i := strings.IndexByte(s, '.'); i >= 0 {
		for _, c := range s[i+1:] {
			if c < '0' || c > '9' {
				break
			}
			unit /= 10
		}
	}
	return t.UTC(), max(unit, time.Microsecond), true
}
