package vaulttest

import (
	"errors"
	"slices"
	"testing"

	"causeway/internal/vault"
)

func sorted(s []string) []string {
	slices.Sort(s)
	return s
}

// graph stores campaign 1 and what is tied to it.
func (w *world) graph() {
	w.put(1, 1, 1)
	w.put(2, 1, 1)
	w.put(3, 1, 2) // hidden from compartment 1
	edge := func(n, from, to int, compartment int) {
		w.putAs("local", "relationship", n, 1, []int{compartment}, "relationship_type", "related-to", "source_ref", ID("campaign", from), "target_ref", ID("campaign", to))
	}
	edge(4, 1, 2, 1) // all visible
	edge(5, 1, 3, 1) // to a hidden end
	edge(6, 2, 1, 2) // hidden edge between visible ends
	edge(7, 1, 7, 1) // to what is absent
	w.putAs("local", "note", 8, 1, []int{1}, "content", "about it", "object_refs", []string{ID("campaign", 1), ID("campaign", 3)})
	w.putAs("local", "identity", 9, 1, []int{1}, "name", "Agency", "identity_class", "organization")
	w.putAs("local", "campaign", 10, 1, []int{1}, "name", "made by the agency", "created_by_ref", ID("identity", 9))
}

func testNeighbours(t *testing.T, fresh func(testing.TB) Store) {
	w := open(t, fresh)
	aiko, chief := w.person("aiko", 1), w.person("chief", 1, 2)
	w.graph()
	near := func(r vault.Reader, id string) []string {
		t.Helper()
		rows, err := w.v.As(r).Neighbours(w.ctx, id, 100)
		if err != nil {
			t.Fatal(err)
		}
		return sorted(names(rows))
	}
	same(t, "of 1 for one who does not see 3", []string{"campaign--2 01", "note--8 01", "relationship--4 01"}, near(aiko, ID("campaign", 1)))
	same(t, "of 1 for one who sees all", []string{"campaign--2 01", "campaign--3 01", "note--8 01", "relationship--4 01", "relationship--5 01", "relationship--6 01"}, near(chief, ID("campaign", 1)))
	w.putAs("local", "campaign", 11, 1, []int{1}, "name", "one edge only")
	w.putAs("local", "campaign", 12, 1, []int{1}, "name", "its other end")
	w.putAs("local", "relationship", 13, 1, []int{1}, "relationship_type", "related-to", "source_ref", ID("campaign", 11), "target_ref", ID("campaign", 12))
	same(t, "of one with one edge", []string{"campaign--2 01", "relationship--3 01"} /* 12 and 13 by their last digits */, near(aiko, ID("campaign", 11)))
	same(t, "of the edge", []string{"campaign--1 01", "campaign--2 01"}, near(aiko, ID("relationship", 4)))
	same(t, "of one whose name only is used", []string{}, near(aiko, ID("identity", 9)))
	for _, id := range []string{ID("campaign", 3), ID("campaign", 99)} {
		_, err := w.v.As(aiko).Neighbours(w.ctx, id, 100)
		wantNotFound(t, "neighbours of "+id, err)
	}
	p := w.page(aiko, vault.Query{Match: vault.Match{NeighbourOf: ID("campaign", 1), Types: []string{"campaign"}}})
	same(t, "of one type", []string{"campaign--2 01"}, names(p.Rows))
	if n, err := w.v.As(aiko).Count(w.ctx, vault.Match{NeighbourOf: ID("campaign", 1)}); err != nil || n != 3 {
		t.Errorf("count of neighbours: %d, %v", n, err)
	}
}

func testFind(t *testing.T, fresh func(testing.TB) Store) {
	w := open(t, fresh)
	aiko := w.person("aiko", 1)
	put := func(n, second int, compartment int, name, description string) {
		w.putAs("local", "campaign", n, second, []int{compartment}, "name", name, "description", description)
	}
	put(1, 1, 1, "Operation Ferry", "Posts about a ferry that never sank")
	put(2, 2, 1, "Dolphin", "偽情報による選挙への介入。ｆｅｒｒｙ")
	put(3, 3, 2, "Ferry hidden", "secretword")
	put(4, 4, 1, "ÉTUDE", "https://example.net/a?b=c 192.0.2.7")
	put(4, 5, 1, "Étude 2", "newer")
	for q, want := range map[string][]string{
		"ferry":                                  {"campaign--2 02", "campaign--1 01"},
		"FERRY sank":                             {"campaign--1 01"},
		"ferr":                                   {},
		"secretword":                             {},
		"偽情報":                                    {"campaign--2 02"},
		"選挙":                                     {"campaign--2 02"},
		"選":                                      {"campaign--2 02"},
		"挙選":                                     {},
		"étude":                                  {"campaign--4 05"},
		"192.0.2.7":                              {},
		"192.0.2.7 versions:all":                 {"campaign--4 04"},
		"versions:all étude":                     {"campaign--4 05", "campaign--4 04"},
		`"operation ferry"`:                      {"campaign--1 01"},
		"type:campaign type:tool ferry":          {"campaign--2 02", "campaign--1 01"},
		"type:tool ferry":                        {},
		"label:C1 ferry":                         {"campaign--2 02", "campaign--1 01"},
		"label:C2":                               {},
		"since:2026-01-01T00:00:02Z":             {"campaign--4 05", "campaign--2 02"},
		"until:2026-01-01T00:00:02Z":             {"campaign--1 01"},
		"id:" + ID("campaign", 1):                {"campaign--1 01"},
		"added:2030-01-01":                       {},
		"ferry id:" + ID("campaign", 2):          {"campaign--2 02"},
		`"label:C1"`:                             {},
		"https://example.net/a?b=c versions:all": {"campaign--4 04"},
		"ferry OR secretword":                    {},
		`fer"ry`:                                 {"campaign--2 02", "campaign--1 01"},
		"":                                       {"campaign--4 05", "campaign--2 02", "campaign--1 01"},
	} {
		p, err := w.v.As(aiko).Find(w.ctx, q, vault.Query{})
		if err != nil {
			t.Errorf("find %q: %v", q, err)
			continue
		}
		same(t, "find "+q, want, names(p.Rows))
	}
	for _, q := range []string{"colour:red", "since:yesterday", "label:A label:B", "versions:all versions:last", "..."} {
		if _, err := w.v.As(aiko).Find(w.ctx, q, vault.Query{}); !errors.Is(err, vault.ErrQuery) {
			t.Errorf("find %q: error %v, want a query error", q, err)
		}
	}
	p, err := w.v.As(aiko).Find(w.ctx, "ferry", vault.Query{Limit: 1})
	if err != nil || !p.More {
		t.Fatalf("first page: %+v, %v", p, err)
	}
	p, err = w.v.As(aiko).Find(w.ctx, "", vault.Query{Cursor: p.Next, Limit: 1})
	if err != nil || p.More {
		t.Fatalf("second page: %+v, %v", p, err)
	}
	same(t, "second page", []string{"campaign--1 01"}, names(p.Rows))
}
