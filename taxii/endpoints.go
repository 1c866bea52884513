package taxii

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

func (h *handler) discovery(r *request) (answer, error) {
	d, err := r.b.Discovery(r.Context())
	return answer{body: d}, err
}

func (h *handler) apiRoot(r *request) (answer, error) {
	root, err := r.b.Root(r.Context(), r.root)
	root.Versions = []string{MediaType}
	if root.MaxContentLength <= 0 {
		root.MaxContentLength = h.Limits.ContentLength
	}
	return answer{body: root}, err
}

func (h *handler) getStatus(r *request) (answer, error) {
	s, err := r.b.Status(r.Context(), r.root, r.status)
	return answer{body: s}, err
}

func (h *handler) collections(r *request) (answer, error) {
	list, err := r.b.Collections(r.Context(), r.root)
	return answer{body: collections{list}}, err
}

func (h *handler) collection(r *request) (answer, error) {
	c, err := r.b.Collection(r.Context(), r.root, r.coll)
	return answer{body: c}, err
}

// access is what an endpoint of a collection does to it.
type access int

const (
	reading access = iota
	writing
	deleting
)

// permit finds the collection and applies the table of T9: a listed
// collection that allows nothing answers 404 like an absent one, one that
// allows something else 403.
func (r *request) permit(want access) (Collection, error) {
	c, err := r.b.Collection(r.Context(), r.root, r.coll)
	if err != nil {
		return c, err
	}
	ok := map[access]bool{
		reading:  c.CanRead,
		writing:  c.CanWrite,
		deleting: c.CanRead && c.CanWrite,
	}[want]
	switch {
	case ok:
		return c, nil
	case c.CanRead || c.CanWrite:
		return c, ErrForbidden
	}
	return c, ErrNotFound
}

// listing is how one of the four paged resources differs from the others.
type listing struct {
	fields   []string // the match fields it defines
	versions []string // the version choice, where the request has none to make
	bare     bool     // the objects themselves are not sent
	body     func(p Page, next string) any
}

var (
	listObjects  = listing{fields: fieldsOfList, body: newPageBody}
	listObject   = listing{fields: fieldsOfObject, body: newPageBody}
	listManifest = listing{fields: fieldsOfList, bare: true, body: newManifestBody}
	listVersions = listing{fields: fieldsOfVersions, versions: []string{"all"}, bare: true, body: newVersionsBody}
)

func (h *handler) objects(r *request) (answer, error)   { return h.list(r, listObjects) }
func (h *handler) getObject(r *request) (answer, error) { return h.list(r, listObject) }
func (h *handler) manifest(r *request) (answer, error)  { return h.list(r, listManifest) }
func (h *handler) versions(r *request) (answer, error)  { return h.list(r, listVersions) }

func (h *handler) list(r *request, l listing) (answer, error) {
	coll, err := r.permit(reading)
	if err != nil {
		return answer{}, err
	}
	p, err := parseParams(r.URL.RawQuery, l.fields)
	if err != nil {
		return answer{}, err
	}
	q := Query{Object: r.object, Limit: h.Limits.Page, MaxBytes: h.Limits.PageBytes, Bare: l.bare}
	context := []string{r.b.Requester(), r.path, coll.ID}
	if p.next != "" {
		cur, err := h.seal.open(p.next, h.Now(), context...)
		if err != nil {
			return answer{}, &Error{Title: "Cursor not valid", HTTPStatus: 400, ErrorCode: "cursor",
				Description: "next: " + err.Error() + `; start again without it, from "added_after"`}
		}
		if p, err = p.resume(cur.filter, l.fields); err != nil {
			return answer{}, err
		}
		q.After = cur.after
	}
	q.Match = p.match
	if l.versions != nil {
		q.Versions = l.versions
	}
	if !p.addedAfter.IsZero() {
		q.AddedAfter = p.addedAfter.Time()
	}
	if p.limit > 0 {
		q.Limit = min(q.Limit, p.limit)
	}
	page, err := r.b.Page(r.Context(), r.root, coll.ID, q)
	if err != nil {
		return answer{}, err
	}
	page.trim(q.Limit, q.MaxBytes)
	next := ""
	if n := len(page.Records); page.More && n > 0 {
		next = h.seal.seal(cursor{page.Records[n-1].Seq, p.filter(), h.Now().Add(cursorAge)}, context...)
	}
	return answer{body: l.body(page, next), header: page.headers()}, nil
}

// trim holds a page to its limits, whatever the Backend gave: at least one
// record stays.
func (p *Page) trim(limit, maxBytes int) {
	size := 0
	for i, rec := range p.Records {
		if size += len(rec.Raw); i > 0 && (i >= limit || size > maxBytes) {
			p.Records, p.More = p.Records[:i], true
			return
		}
	}
	if len(p.Records) == 0 {
		p.More = false
	}
}

// headers tells the span of a page. An empty one has none to tell.
func (p Page) headers() [][2]string {
	if len(p.Records) == 0 {
		return nil
	}
	first, last := p.Records[0].Added, p.Records[len(p.Records)-1].Added
	return [][2]string{
		{"X-TAXII-Date-Added-First", Time{first}.String()},
		{"X-TAXII-Date-Added-Last", Time{last}.String()},
	}
}

func mediaType(spec string) string {
	if spec == "" {
		spec = "2.1"
	}
	return "application/stix+json;version=" + spec
}

type manifestBody struct {
	More    bool             `json:"more,omitempty"`
	Next    string           `json:"next,omitempty"`
	Objects []ManifestRecord `json:"objects,omitempty"`
}

func newManifestBody(p Page, next string) any {
	m := manifestBody{More: p.More, Next: next}
	for _, rec := range p.Records {
		m.Objects = append(m.Objects, ManifestRecord{rec.ID, Time{rec.Added}, rec.Version, mediaType(rec.SpecVersion)})
	}
	return m
}

type versionsBody struct {
	More     bool     `json:"more,omitempty"`
	Next     string   `json:"next,omitempty"`
	Versions []string `json:"versions,omitempty"`
}

func newVersionsBody(p Page, next string) any {
	v := versionsBody{More: p.More, Next: next}
	for _, rec := range p.Records {
		v.Versions = append(v.Versions, rec.Version)
	}
	return v
}

// pageBody is an envelope to send.
type pageBody struct {
	Page
	next string
}

func newPageBody(p Page, next string) any { return &pageBody{p, next} }

// pieces gives the body as byte slices, so that a page of objects is written
// without being copied together.
func (p *pageBody) pieces(yield func([]byte) bool) {
	if len(p.Records) == 0 {
		yield([]byte("{}"))
		return
	}
	start := `{"objects":[`
	if p.More {
		start = fmt.Sprintf(`{"more":true,"next":%q,"objects":[`, p.next) // base64url needs no escapes
	}
	if !yield([]byte(start)) {
		return
	}
	for i, rec := range p.Records {
		if i > 0 && !yield([]byte{','}) || !yield(rec.Raw) {
			return
		}
	}
	yield([]byte("]}"))
}

func (h *handler) delete(r *request) (answer, error) {
	coll, err := r.permit(deleting)
	if err != nil {
		return answer{}, err
	}
	p, err := parseParams(r.URL.RawQuery, fieldsOfObject)
	if err != nil {
		return answer{}, err
	}
	if err := r.b.Delete(r.Context(), r.root, coll.ID, r.object, p.match); err != nil {
		return answer{}, err
	}
	return answer{body: struct{}{}}, nil
}

// write sends an answer with its length.
func (h *handler) write(w http.ResponseWriter, r *http.Request, a answer) {
	if a.code == 0 {
		a.code = http.StatusOK
	}
	head := w.Header()
	for _, kv := range a.header {
		head.Set(kv[0], kv[1])
	}
	if page, ok := a.body.(*pageBody); ok {
		length := 0
		page.pieces(func(b []byte) bool { length += len(b); return true })
		head.Set("Content-Length", strconv.Itoa(length))
		w.WriteHeader(a.code)
		if r.Method == http.MethodHead {
			return
		}
		out := bufio.NewWriterSize(w, 64<<10)
		page.pieces(func(b []byte) bool { _, err := out.Write(b); return err == nil })
		out.Flush() // a client that went away is no fault of ours
		return
	}
	b, err := json.Marshal(a.body)
	if err != nil { // the wire types always marshal; a Backend's cannot get here
		panic(err)
	}
	head.Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(a.code)
	w.Write(b)
}
