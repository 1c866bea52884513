package taxii

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"causeway/stix"
)

// model is the simplest exchange that satisfies [Backend]: slices, and the
// sentences of the standard in their order. The tests of the handler and of
// the client run against it.
type model struct {
	mu       sync.Mutex
	roots    map[string]*modelRoot
	now      time.Time // of the next object added
	statuses map[string]Status
}

type modelRoot struct {
	APIRoot
	colls []*modelColl
}

type modelColl struct {
	Collection
	hidden map[string]bool    // requesters that may not know of it
	grants map[string][2]bool // can_read, can_write; others get the Collection's own
	secret map[string]bool    // object ids that only "boss" sees
	recs   []Record           // ascending by Seq
	types  map[string]string  // by object id
}

type modelView struct {
	*model
	who string
}

func newModel() *model {
	return &model{roots: map[string]*modelRoot{}, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), statuses: map[string]Status{}}
}

func (m *model) coll(root, id string) *modelColl {
	c := &modelColl{
		Collection: Collection{ID: id, Title: "Collection " + id, CanRead: true, CanWrite: true, MediaTypes: []string{MediaTypeSTIX21}},
		hidden:     map[string]bool{}, grants: map[string][2]bool{}, secret: map[string]bool{}, types: map[string]string{},
	}
	r := m.roots[root]
	if r == nil {
		r = &modelRoot{APIRoot: APIRoot{Title: "Root " + root}}
		m.roots[root] = r
	}
	r.colls = append(r.colls, c)
	slices.SortFunc(r.colls, func(a, b *modelColl) int { return cmp.Compare(a.ID, b.ID) })
	return c
}

// put adds an object as its own producer would write it, and gives its bytes.
func (m *model) put(c *modelColl, raw string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, err := stix.ParseObject([]byte(raw))
	if err != nil {
		panic(err)
	}
	m.add(c, o)
}

func (m *model) add(c *modelColl, o *stix.Object) (version string, conflict bool) {
	version = o.Modified().String()
	if version == "" {
		version = cmp.Or(o.Created().String(), "1970-01-01T00:00:00.000Z")
	}
	for _, r := range c.recs {
		if r.ID == o.ID() && r.Version == version {
			return version, string(r.Raw) != string(o.Raw())
		}
	}
	spec := "2.1"
	if v, ok := o.Get("spec_version"); ok {
		spec = v.(string)
	}
	m.now = m.now.Add(1234567 * time.Microsecond)
	c.types[o.ID()] = o.Type()
	c.recs = append(c.recs, Record{ID: o.ID(), Version: version, SpecVersion: spec, Added: m.now, Seq: int64(len(c.recs)) + 1, Raw: o.Raw()})
	return version, false
}

func (v modelView) Requester() string { return v.who }

func (v modelView) Discovery(context.Context) (Discovery, error) {
	d := Discovery{Title: "Model", Contact: "desk@example.org"}
	for name := range v.roots {
		d.APIRoots = append(d.APIRoots, "/"+name+"/")
	}
	slices.Sort(d.APIRoots)
	if len(d.APIRoots) > 0 {
		d.Default = d.APIRoots[0]
	}
	return d, nil
}

func (v modelView) Root(_ context.Context, root string) (APIRoot, error) {
	if r, ok := v.roots[root]; ok {
		return r.APIRoot, nil
	}
	return APIRoot{}, ErrNotFound
}

func (v modelView) Collections(_ context.Context, root string) ([]Collection, error) {
	r, ok := v.roots[root]
	if !ok {
		return nil, ErrNotFound
	}
	var list []Collection
	for _, c := range r.colls {
		if !c.hidden[v.who] {
			list = append(list, c.as(v.who))
		}
	}
	return list, nil
}

func (c *modelColl) as(who string) Collection {
	out := c.Collection
	if g, ok := c.grants[who]; ok {
		out.CanRead, out.CanWrite = g[0], g[1]
	}
	return out
}

func (v modelView) find(root, idOrAlias string) *modelColl {
	if v.roots[root] == nil {
		return nil
	}
	for _, byAlias := range []bool{false, true} {
		for _, c := range v.roots[root].colls {
			if name := map[bool]string{false: c.ID, true: c.Alias}[byAlias]; name == idOrAlias && name != "" && !c.hidden[v.who] {
				return c
			}
		}
	}
	return nil
}

func (v modelView) Collection(_ context.Context, root, idOrAlias string) (Collection, error) {
	if c := v.find(root, idOrAlias); c != nil {
		return c.as(v.who), nil
	}
	return Collection{}, ErrNotFound
}

func (v modelView) visible(c *modelColl, r Record) bool { return !c.secret[r.ID] || v.who == "boss" }

// Page follows section 3.4: the visible set, the choice of versions, then
// added_after, then the place and the limit.
func (v modelView) Page(_ context.Context, root, collection string, q Query) (Page, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c := v.find(root, collection)
	known := q.Object == ""
	byID := map[string][]Record{}
	for _, r := range c.recs {
		if v.visible(c, r) && (q.Object == "" || r.ID == q.Object) {
			byID[r.ID] = append(byID[r.ID], r)
			known = true
		}
	}
	if !known {
		return Page{}, ErrNotFound
	}
	chosen := map[int64]bool{}
	for _, recs := range byID {
		for _, r := range q.Match.choose(recs) {
			chosen[r.Seq] = true
		}
	}
	var page Page
	for _, r := range c.recs {
		switch {
		case !v.visible(c, r), !chosen[r.Seq],
			len(q.IDs) > 0 && !slices.Contains(q.IDs, r.ID),
			len(q.Types) > 0 && !slices.Contains(q.Types, c.types[r.ID]),
			!r.Added.After(q.AddedAfter) && !q.AddedAfter.IsZero(),
			r.Seq <= q.After:
			continue
		}
		if len(page.Records) == q.Limit {
			page.More = true
			break
		}
		page.Records = append(page.Records, r)
	}
	return page, nil
}

// choose applies the spec version and version fields to one object's versions.
func (m Match) choose(recs []Record) []Record {
	specs := m.SpecVersions
	if len(specs) == 0 {
		specs = []string{slices.MaxFunc(recs, func(a, b Record) int { return cmp.Compare(a.SpecVersion, b.SpecVersion) }).SpecVersion}
	}
	recs = slices.DeleteFunc(slices.Clone(recs), func(r Record) bool { return !slices.Contains(specs, r.SpecVersion) })
	slices.SortStableFunc(recs, func(a, b Record) int { return at(a.Version).Compare(at(b.Version)) })
	versions := m.Versions
	if len(versions) == 0 {
		versions = []string{"last"}
	}
	var out []Record
	for i, r := range recs {
		for _, want := range versions {
			if want == "all" || want == "first" && i == 0 || want == "last" && i == len(recs)-1 ||
				want[0] <= '9' && at(want).Compare(at(r.Version)) == 0 {
				out = append(out, r)
				break
			}
		}
	}
	return out
}

func at(s string) stix.Timestamp {
	t, err := stix.ParseTimestamp(s)
	if err != nil {
		panic(err)
	}
	return t
}

func (v modelView) Add(_ context.Context, root, collection string, objects []json.RawMessage) (Status, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c := v.find(root, collection)
	s := Status{ID: fmt.Sprintf("%08d-0000-4000-8000-000000000000", len(v.statuses)), Status: Complete, RequestTimestamp: Time{v.now}, TotalCount: len(objects)}
	for i, raw := range objects {
		o, err := stix.ParseObject(raw)
		if err == nil && o.Type() == "" {
			err = errors.New("no type")
		}
		if err != nil {
			s.FailureCount++
			s.Unlisted = append(s.Unlisted, UnlistedFailure{i, err.Error()})
			continue
		}
		version, conflict := v.add(c, o)
		if conflict {
			s.FailureCount++
			s.Failures = append(s.Failures, StatusDetail{o.ID(), version, "another content is stored under this id and version"})
			continue
		}
		s.SuccessCount++
		s.Successes = append(s.Successes, StatusDetail{o.ID(), version, ""})
	}
	v.statuses[v.who+"/"+s.ID] = s
	return s, nil
}

func (v modelView) Delete(_ context.Context, root, collection, object string, m Match) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	c := v.find(root, collection)
	before := len(c.recs)
	c.recs = slices.DeleteFunc(c.recs, func(r Record) bool {
		return r.ID == object && v.visible(c, r) && (len(m.Versions) == 0 || slices.Contains(m.Versions, r.Version))
	})
	if len(c.recs) == before {
		return ErrNotFound
	}
	return nil
}

func (v modelView) Status(_ context.Context, root, id string) (Status, error) {
	if s, ok := v.statuses[v.who+"/"+id]; ok && v.roots[root] != nil {
		return s, nil
	}
	return Status{}, ErrNotFound
}

// as signs requests in by HTTP Basic, with the name as its own password, or
// by the name in a client certificate.
func (m *model) as(r *http.Request) (Backend, error) {
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		return modelView{m, r.TLS.PeerCertificates[0].Subject.CommonName}, nil
	}
	name, password, ok := r.BasicAuth()
	if !ok || name != password {
		return nil, ErrUnauthenticated
	}
	return modelView{m, name}, nil
}

var testKey = []byte("0123456789abcdef0123456789abcdef")

func (m *model) handler(t testing.TB, limits Limits) http.Handler {
	t.Helper()
	h, err := NewHandler(Options{As: m.as, Key: testKey, Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (m *model) serve(t testing.TB, limits Limits) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(m.handler(t, limits))
	t.Cleanup(s.Close)
	return s
}

func client(t testing.TB, url, who string) *Client {
	t.Helper()
	c, err := NewClient(ClientOptions{URL: url, Username: who, Password: who, PlainHTTP: true, Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Objects of the tests. Version n of an indicator differs in its name.
func indicator(n, version int) string {
	return fmt.Sprintf(`{"type":"indicator","spec_version":"2.1","id":"indicator--%08x-0000-4000-8000-000000000000","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-%02dT00:00:00.000Z","name":"Indicator %d, version %d","pattern":"[url:value = 'http://example.org/%d']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"}`,
		n, version, n, version, n)
}

func indicatorID(n int) string { return fmt.Sprintf("indicator--%08x-0000-4000-8000-000000000000", n) }

func malware(n int) string {
	return fmt.Sprintf(`{"type":"malware","spec_version":"2.1","id":"malware--%08x-0000-4000-8000-000000000000","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":"Malware %d","is_family":false}`, n, n)
}
