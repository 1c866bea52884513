package vaulttest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/stix"
)

func rawName(t interface{ Fatal(...any) }, row vault.Row) string {
	o, err := stix.ParseObject(row.Raw)
	if err != nil {
		t.Fatal(err)
	}
	return o.Name()
}

// asks has every question of a View, by the name of its method, so that one
// without an entry is noticed. Each gives all that its asker gets, as text.
var asks = map[string]func(ctx context.Context, v *vault.View) []any{
	"Page": func(ctx context.Context, v *vault.View) (out []any) {
		for _, q := range []vault.Query{{}, {Match: all}, {Limit: 1}, {Match: all, Limit: 2}, {Newest: true, Limit: 2}, {Bare: true},
			{Match: vault.Match{Versions: []string{"first"}}}, {Match: vault.Match{Types: []string{"campaign"}}}, {Match: vault.Match{Types: []string{"note"}}},
			{Match: vault.Match{Versions: []string{Version(2)}}}, {Match: vault.Match{LabelContains: "c2"}}, {Match: vault.Match{Text: "campaign"}},
			{Match: vault.Match{Text: "secretword"}}, {Match: vault.Match{CreatedBy: ID("identity", 9)}}, {Match: vault.Match{SpecVersions: []string{"2.1"}}},
			{Match: vault.Match{NeighbourOf: ID("campaign", 1)}}, {Match: vault.Match{NeighbourOf: ID("campaign", 3)}}, {Match: vault.Match{IDs: allIDs()}},
			{Match: vault.Match{AddedAfter: time.Date(2026, 11, 25, 12, 0, 0, 3_000_000, time.UTC)}}, {Match: vault.Match{Source: "partner:x"}}, {After: 1 << 60}} {
			p, err := v.Page(ctx, q)
			out = append(out, p, text(err))
			for p.More && err == nil {
				p, err = v.Page(ctx, vault.Query{Cursor: p.Next, Limit: q.Limit})
				out = append(out, p, text(err))
			}
		}
		return out
	},
	"Get": each(func(ctx context.Context, v *vault.View, id string) []any {
		r, err := v.Get(ctx, id)
		return []any{r, text(err)}
	}),
	"GetVersion": each(func(ctx context.Context, v *vault.View, id string) (out []any) {
		for s := range 4 {
			r, err := v.GetVersion(ctx, id, Version(s))
			out = append(out, r, text(err))
		}
		return out
	}),
	"Versions": each(func(ctx context.Context, v *vault.View, id string) []any {
		r, err := v.Versions(ctx, id)
		return []any{r, text(err)}
	}),
	"Neighbours": each(func(ctx context.Context, v *vault.View, id string) []any {
		r, err := v.Neighbours(ctx, id, 3)
		return []any{r, text(err)}
	}),
	"Count": func(ctx context.Context, v *vault.View) (out []any) {
		for _, m := range []vault.Match{{}, all, {Text: "campaign"}, {Types: []string{"campaign"}}, {IDs: allIDs()}, {LabelContains: "c2"}, {NeighbourOf: ID("campaign", 1)}} {
			n, err := v.Count(ctx, m)
			out = append(out, n, text(err))
		}
		return out
	},
	"Facet": func(ctx context.Context, v *vault.View) []any { f, err := v.Facet(ctx); return []any{f, text(err)} },
	"Find": func(ctx context.Context, v *vault.View) (out []any) {
		for _, q := range []string{"", "campaign", "secretword", "label:C2", "near:" + ID("campaign", 1), "near:" + ID("campaign", 3), "x:y", "type:note"} {
			p, err := v.Find(ctx, q, vault.Query{Limit: 2})
			out = append(out, p, text(err))
		}
		return out
	},
	"History": each(func(ctx context.Context, v *vault.View, id string) []any {
		h, err := v.History(ctx, id)
		for i := range h {
			h[i].Index = min(h[i].Index, 0) // places in the log are the node's own
		}
		return []any{h, text(err)}
	}),
	"AuditEntries": func(ctx context.Context, v *vault.View) []any {
		es, _, err := v.AuditEntries(ctx, 0, 1000)
		for i := range es {
			es[i].Index = 0 // places in the log are the node's own
		}
		return []any{es, text(err)}
	},
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func allIDs() (out []string) {
	for n := range 12 {
		for _, typ := range []string{"campaign", "relationship", "note", "identity"} {
			out = append(out, ID(typ, n))
		}
	}
	return out
}

func each(ask func(ctx context.Context, v *vault.View, id string) []any) func(context.Context, *vault.View) []any {
	return func(ctx context.Context, v *vault.View) (out []any) {
		for _, id := range allIDs() {
			out = append(out, ask(ctx, v, id)...)
		}
		return out
	}
}

// tell writes down everything that a reader is told.
func tell(t testing.TB, ctx context.Context, v *vault.View) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(asks)) {
		b, err := json.Marshal(asks[name](ctx, v))
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(b)
	}
	return out
}

// testTwoWorlds runs one story in two vaults; in the second, things that a
// reader may not see happen in between. Whatever that reader asks, both give
// the same answer, to the byte.
func testTwoWorlds(t *testing.T, fresh func(testing.TB) Store) {
	typ := reflect.TypeFor[*vault.View]()
	for i := range typ.NumMethod() {
		if asks[typ.Method(i).Name] == nil {
			t.Errorf("View.%s has no question in the test of two worlds", typ.Method(i).Name)
		}
	}
	for _, kind := range []string{"partner", "person", "public"} {
		t.Run(kind, func(t *testing.T) {
			a, b := twoWorlds(t, fresh, kind, false), twoWorlds(t, fresh, kind, true)
			for i := range a {
				for name := range a[i] {
					if a[i][name] != b[i][name] {
						t.Errorf("at moment %d View.%s tells the worlds apart:\n%s\n%s", i, name, around(a[i][name], b[i][name]), around(b[i][name], a[i][name]))
					}
				}
			}
			if len(a[len(a)-1]["Page"]) < 1000 {
				t.Error("the reader sees too little for the test to mean anything")
			}
		})
	}
}

// around gives the part of a where it first differs from b.
func around(a, b string) string {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	return a[max(0, i-200):min(len(a), i+200)]
}

func twoWorlds(t *testing.T, fresh func(testing.TB) Store, kind string, more bool) (told []map[string]string) {
	w := &world{t: t, ctx: context.Background(), clock: newClock(), scheme: NewScheme(t, 8)}
	w.v = fresh(t).Open(t, vault.Config{Now: w.clock.Now, Rand: newSeeded()})
	defer w.v.Close()
	can, other := w.partner("can", 1), w.partner("other", 1, 2)
	switch kind {
	case "person":
		can = w.person("can", 1)
	case "public":
		can.ID, can.Kind = "public", vault.Public
	}
	w.readers(can, other, w.person("chief", 1, 2, 3))
	// hidden does what the reader may not notice, at the same moment.
	hidden := func(do func(*vault.Tx) error) {
		if !more {
			return
		}
		if _, err := w.v.Act(w.ctx, audit.Act{Actor: "person:chief", Verb: "hide", Subject: ID("campaign", 3)}, do); err != nil {
			t.Fatal(err)
		}
	}
	hide := func(n, second int, name string) {
		hidden(func(tx *vault.Tx) error {
			_, err := tx.Put(vault.Put{Object: Object(t, "campaign", n, second, "name", name, "description", "secretword"), Effective: w.scheme.Label(t, 2), Source: "local"})
			return err
		})
	}
	seen := func(typ string, n, second int, properties ...any) {
		w.putAs("local", typ, n, second, []int{1}, properties...)
		w.act("release", func(tx *vault.Tx) error { return tx.Release(ID(typ, n), Version(second), []string{can.ID}, "rule") })
	}
	hide(3, 1, "Hidden campaign")
	hide(1, 3, "Newer and hidden")
	w.act("put a mixed batch", func(tx *vault.Tx) error {
		var ps []vault.Put
		for i := range 3 {
			if more {
				ps = append(ps, vault.Put{Object: Object(t, "campaign", 6+i, 2, "name", "between"), Effective: w.scheme.Label(t, 3), Source: "local"})
			}
			ps = append(ps, vault.Put{Object: Object(t, "campaign", i, 1, "name", "Campaign"), Effective: w.scheme.Label(t, 1), Source: "local"})
		}
		_, err := tx.Put(ps...)
		return err
	})
	for i := range 3 {
		w.act("release", func(tx *vault.Tx) error { return tx.Release(ID("campaign", i), Version(1), []string{can.ID}, "rule") })
	}
	told = append(told, tell(t, w.ctx, w.v.As(can)))
	hide(1, 2, "Hidden version")
	hidden(func(tx *vault.Tx) error { return tx.Release(ID("campaign", 3), "", []string{other.ID}, "to another") })
	hidden(func(tx *vault.Tx) error { // the same id from another source, with another label
		_, err := tx.Put(vault.Put{Object: Object(t, "identity", 9, 1, "name", "Agency", "identity_class", "group"), Effective: w.scheme.Label(t, 2), Source: "partner:x"})
		return err
	})
	seen("identity", 9, 1, "name", "Agency", "identity_class", "organization")
	seen("relationship", 4, 1, "relationship_type", "related-to", "source_ref", ID("campaign", 1), "target_ref", ID("campaign", 2), "created_by_ref", ID("identity", 9))
	seen("relationship", 5, 1, "relationship_type", "related-to", "source_ref", ID("campaign", 1), "target_ref", ID("campaign", 3))
	seen("note", 8, 1, "content", "about it", "object_refs", []string{ID("campaign", 1), ID("campaign", 3)})
	hidden(func(tx *vault.Tx) error {
		_, err := tx.Put(vault.Put{Object: Object(t, "relationship", 6, 1, "relationship_type", "related-to", "source_ref", ID("campaign", 1), "target_ref", ID("campaign", 2)),
			Effective: w.scheme.Label(t, 2), Source: "local"})
		return err
	})
	told = append(told, tell(t, w.ctx, w.v.As(can)))
	hidden(func(tx *vault.Tx) error { return tx.Relabel(ID("campaign", 3), "", w.scheme.Label(t, 3)) })
	if more {
		w.readers(w.person("chief", 1, 2), w.partner("other", 2, 3))
	}
	w.act("recall", func(tx *vault.Tx) error { return tx.Recall(ID("campaign", 0), "", []string{can.ID}, "mistake") })
	hidden(func(tx *vault.Tx) error { return tx.Withdraw(ID("campaign", 3), "", "gone") })
	seen("campaign", 2, 2, "name", "Campaign, newer")
	told = append(told, tell(t, w.ctx, w.v.As(can)))
	return told
}

// testLeaks has one test for each leak class of the reference (labels, section
// 17) that the store can have.
func testLeaks(t *testing.T, fresh func(testing.TB) Store) {
	type scene struct {
		*world
		aiko, bru vault.Reader
	}
	for _, c := range []struct {
		name string
		test func(t *testing.T, w scene)
	}{
		{"L1 counts", func(t *testing.T, w scene) {
			f, err := w.v.As(w.aiko).Facet(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "facet", map[string]int64{"campaign": 3, "relationship": 3, "note": 1, "identity": 1}, f)
		}},
		{"L2 hidden edge between visible nodes", func(t *testing.T, w scene) {
			w.act("relabel", func(tx *vault.Tx) error { return tx.Relabel(ID("relationship", 4), "", w.scheme.Label(t, 2)) })
			rows, err := w.v.As(w.aiko).Neighbours(w.ctx, ID("campaign", 2), 10)
			if err != nil || len(rows) != 0 {
				t.Errorf("neighbours over a hidden edge: %v, %v", names(rows), err)
			}
		}},
		{"L3 visible edge to a hidden node", func(t *testing.T, w scene) {
			_, hidden := w.v.As(w.aiko).Neighbours(w.ctx, ID("campaign", 3), 10)
			_, absent := w.v.As(w.aiko).Neighbours(w.ctx, ID("campaign", 98), 10)
			same(t, "the errors", text(absent), text(hidden))
			rows, err := w.v.As(w.aiko).Neighbours(w.ctx, ID("relationship", 5), 10)
			if err != nil || slices.Contains(names(rows), "campaign--3 01") {
				t.Errorf("the hidden end is listed: %v, %v", names(rows), err)
			}
		}},
		{"L4 history", func(t *testing.T, w scene) {
			w.act("relabel", func(tx *vault.Tx) error { return tx.Relabel(ID("campaign", 3), "", w.scheme.Label(t, 1)) })
			w.act("release", func(tx *vault.Tx) error {
				return tx.Release(ID("campaign", 3), "", []string{w.bru.ID, "partner:other"}, "rule")
			})
			h, err := w.v.As(w.aiko).History(w.ctx, ID("campaign", 3))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range h {
				if e.Kind == "relabel" {
					t.Error("one who may not see the old label is told of the change")
				}
			}
			h, err = w.v.As(w.bru).History(w.ctx, ID("campaign", 3))
			if err != nil || len(h) != 1 || h[0].Reader != w.bru.ID || h[0].By != "" || h[0].Index != -1 {
				t.Errorf("a partner's history: %+v, %v", h, err)
			}
		}},
		{"L8 merge across visibility, L9 already exists", func(t *testing.T, w scene) {
			if o := w.putAs("partner:bru", "campaign", 3, 1, []int{1}, "name", "guessed"); o.Status != vault.Stored {
				t.Errorf("a hidden object shows in a status: %v", o.Status)
			}
			row, err := w.v.As(w.aiko).Get(w.ctx, ID("campaign", 3))
			if err != nil || rawName(t, row) != "guessed" {
				t.Errorf("the visible record: %v", err)
			}
			chief, err := w.v.As(w.person("chief", 2)).Get(w.ctx, ID("campaign", 3))
			if err != nil || rawName(t, chief) != "Campaign" {
				t.Errorf("the hidden record was changed: %v", err)
			}
		}},
		{"L10 one of several markings suffices", func(t *testing.T, w scene) {
			join := w.scheme.Join(t, w.scheme.Label(t, 1), w.scheme.Label(t, 2))
			w.act("relabel", func(tx *vault.Tx) error { return tx.Relabel(ID("campaign", 1), "", join) })
			_, err := w.v.As(w.aiko).Get(w.ctx, ID("campaign", 1))
			wantNotFound(t, "get", err)
			if _, err := w.v.As(w.person("both", 1, 2)).Get(w.ctx, ID("campaign", 1)); err != nil {
				t.Error(err)
			}
		}},
		{"L12 withdrawal", func(t *testing.T, w scene) {
			w.release(1, w.bru.ID)
			w.act("recall", func(tx *vault.Tx) error { return tx.Recall(ID("campaign", 1), "", nil, "why") })
			same(t, "after the recall", []string{}, names(w.page(w.bru, vault.Query{Match: all}).Rows))
			_, err := w.v.As(w.bru).GetVersion(w.ctx, ID("campaign", 1), Version(1))
			wantNotFound(t, "the version", err)
		}},
		{"L13 the list of recipients", func(t *testing.T, w scene) {
			w.release(1, w.bru.ID, "partner:other")
			b, err := json.Marshal(tell(t, w.ctx, w.v.As(w.bru)))
			if err != nil || strings.Contains(string(b), "partner:other") {
				t.Errorf("a recipient learns of another: %v", err)
			}
		}},
		{"L16 the label travels", func(t *testing.T, w scene) {
			for _, r := range w.page(w.aiko, vault.Query{Match: all}).Rows {
				if r.Effective.Rule.Key() != w.scheme.Label(t, 1).Rule.Key() || len(r.Effective.Labels) != 1 {
					t.Errorf("%s comes without its label", r.ID)
				}
			}
		}},
		{"L19 no attributes means no access", func(t *testing.T, w scene) {
			for _, r := range []vault.Reader{{ID: "person:none", Kind: vault.Person}, {ID: "partner:none", Kind: vault.Partner}, {ID: "node", Kind: vault.Node}, {ID: "odd"}} {
				same(t, r.ID, []string{}, names(w.page(r, vault.Query{Match: all}).Rows))
			}
			w.putAs("local", "campaign", 11, 1, nil, "name", "without a label")
			_, err := w.v.As(w.person("chief", 0, 1, 2, 3, 4, 5, 6, 7)).Get(w.ctx, ID("campaign", 11))
			wantNotFound(t, "what has no label", err)
		}},
		{"L25 numbering", func(t *testing.T, w scene) {
			p := w.page(w.aiko, vault.Query{Limit: 2})
			w.put(90, 1, 2)
			q := w.page(w.aiko, vault.Query{Limit: 2})
			same(t, "the cursor after something hidden", p.Next, q.Next)
		}},
		{"L29 a holder with an open feed", func(t *testing.T, w scene) {
			p := w.page(w.aiko, vault.Query{Limit: 1})
			revoked := w.aiko
			revoked.Holdings = nil
			same(t, "after the clearance was revoked", []string{}, names(w.page(revoked, vault.Query{Cursor: p.Next}).Rows))
			n, err := w.v.As(revoked).Count(w.ctx, all)
			if n != 0 || err != nil {
				t.Errorf("count: %d, %v", n, err)
			}
		}},
		{"L31 search and errors", func(t *testing.T, w scene) {
			for _, q := range []string{"Hidden", "near:" + ID("campaign", 3), "id:" + ID("campaign", 3)} {
				p, err := w.v.As(w.aiko).Find(w.ctx, q, vault.Query{})
				if err != nil && !errors.Is(err, vault.ErrNotFound) || len(p.Rows) != 0 || p.Next != "" {
					t.Errorf("find %q: %v, %v", q, names(p.Rows), err)
				}
			}
			_, hidden := w.v.As(w.bru).Get(w.ctx, ID("campaign", 3))
			_, absent := w.v.As(w.bru).Get(w.ctx, ID("campaign", 98))
			same(t, "the errors", fmt.Sprint(absent), fmt.Sprint(hidden))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := open(t, fresh)
			s := scene{w, w.person("aiko", 1), w.partner("bru", 1)}
			w.readers(s.aiko, s.bru)
			w.graph()
			c.test(t, s)
			w.verify()
		})
	}
}
