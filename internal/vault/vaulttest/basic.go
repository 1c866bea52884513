package vaulttest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/stix"
)

func testPut(t *testing.T, fresh func(testing.TB) Store) {
	w := open(t, fresh)
	aiko := w.person("aiko", 1)
	for _, c := range []struct {
		what, source string
		n, second    int
		name         string
		want         vault.Status
	}{
		{"a new object", "local", 1, 1, "A", vault.Stored},
		{"the same again", "local", 1, 1, "A", vault.Present},
		{"other content under one version", "local", 1, 1, "B", vault.Conflict},
		{"a new version", "local", 1, 2, "B", vault.Stored},
		{"an older version later", "local", 1, 0, "C", vault.Stored},
		{"the same from another source", "partner:x", 1, 1, "A", vault.Stored},
		{"other content from another source", "partner:y", 1, 1, "Z", vault.Stored},
		{"that again", "partner:y", 1, 1, "Z", vault.Present},
	} {
		if got := w.putAs(c.source, "campaign", c.n, c.second, []int{1}, "name", c.name); got.Status != c.want {
			t.Errorf("%s: %v, want %v", c.what, got.Status, c.want)
		}
	}
	same(t, "what a reader sees", []string{"campaign--1 01", "campaign--1 02", "campaign--1 00"}, names(w.page(aiko, vault.Query{Match: all}).Rows))
	same(t, "the newest", []string{"campaign--1 02"}, names(w.page(aiko, vault.Query{}).Rows))
	row, err := w.v.As(aiko).GetVersion(w.ctx, ID("campaign", 1), Version(1))
	if err != nil || row.Source != "local" {
		t.Errorf("the record stored first does not stand for the version: %+v, %v", row, err)
	}
	w.act("put twice in one act", func(tx *vault.Tx) error {
		put := func(second int, name string) vault.Put {
			return vault.Put{Object: Object(t, "campaign", 2, second, "name", name), Effective: w.scheme.Label(t, 1), Source: "local"}
		}
		out, err := tx.Put(put(1, "A"), put(2, "A"), put(1, "A"), put(1, "B"))
		if err != nil {
			return err
		}
		for i, want := range []vault.Status{vault.Stored, vault.Stored, vault.Present, vault.Conflict} {
			if out[i].Status != want {
				t.Errorf("object %d: %v, want %v", i, out[i].Status, want)
			}
		}
		return nil
	})
	same(t, "the newest of both", []string{"campaign--1 02", "campaign--2 02"}, names(w.page(aiko, vault.Query{}).Rows))
	w.verify()
}

func testBytes(t *testing.T, fresh func(testing.TB) Store) {
	w := open(t, fresh)
	for i, text := range []string{
		`{ "type":"campaign" ,"spec_version":"2.1","id":"` + ID("campaign", 1) + `","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:01.100Z","name":"caf\u00e9 / caf\/e","x_1":1.50}`,
		"{\n\"name\":\"偽情報\",\"modified\":\"2026-01-01T00:00:01.123456789Z\",\"created\":\"2026-01-01T00:00:00.000Z\",\"id\":\"" + ID("campaign", 2) + "\",\"type\":\"campaign\",\"spec_version\":\"2.1\"}",
		`{"type":"ipv4-addr","id":"` + ID("ipv4-addr", 3) + `","value":"192.0.2.1"}`,
	} {
		o, err := stix.ParseObject([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		w.act("put", func(tx *vault.Tx) error {
			_, err := tx.Put(vault.Put{Object: o, Effective: label.Effective{Rule: label.Everyone()}, Source: "local"})
			return err
		})
		row, err := w.v.As(w.person("aiko")).Get(w.ctx, o.ID())
		if err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprintf("the bytes of object %d", i), text, string(row.Raw))
		want := vault.Unversioned
		if !o.Version().IsZero() {
			want = o.Modified().String()
		}
		same(t, "the version", want, row.Version)
	}
}

// drain reads a feed page by page.
func (w *world) drain(r vault.Reader, m vault.Match, limit int) (rows []vault.Row) {
	w.t.Helper()
	q := vault.Query{Match: m, Limit: limit}
	for {
		p := w.page(r, q)
		rows = append(rows, p.Rows...)
		if !p.More {
			return rows
		}
		if p.Next == "" || len(p.Rows) == 0 {
			w.t.Fatal("a page with more to come has no rows or no cursor")
		}
		q = vault.Query{Cursor: p.Next, Limit: limit}
	}
}

func testPages(t *testing.T, fresh func(testing.TB) Store) {
	w := open(t, fresh)
	aiko := w.person("aiko", 1)
	for n := range 3 {
		w.act("put", func(tx *vault.Tx) error {
			var ps []vault.Put
			for i := range 7 {
				ps = append(ps, vault.Put{Object: Object(t, "campaign", n*7+i, i, "name", "x"), Effective: w.scheme.Label(t, 1+i%2), Source: "local"})
			}
			_, err := tx.Put(ps...)
			return err
		})
	}
	var want []vault.Row
	for limit := 1; limit <= 13; limit++ {
		got := w.drain(aiko, vault.Match{}, limit)
		if want == nil {
			want = got
		}
		if len(got) != 12 {
			t.Fatalf("limit %d: %d rows, want 12", limit, len(got))
		}
		for i := range got {
			if got[i].Seq != want[i].Seq || got[i].ID != want[i].ID {
				t.Errorf("limit %d: row %d is another", limit, i)
			}
			if i > 0 && !got[i].Added.After(got[i-1].Added) {
				t.Errorf("limit %d: row %d is not later than the one before", limit, i)
			}
			p := w.page(aiko, vault.Query{Match: vault.Match{AddedAfter: got[i].Added}})
			if len(p.Rows) != 11-i {
				t.Errorf("added after row %d: %d rows, want %d", i, len(p.Rows), 11-i)
			}
			if p := w.page(aiko, vault.Query{After: got[i].Seq}); len(p.Rows) != 11-i {
				t.Errorf("after row %d: %d rows, want %d", i, len(p.Rows), 11-i)
			}
		}
	}
	p := w.page(aiko, vault.Query{Newest: true, Limit: 5})
	back := p.Rows
	for p.More {
		p = w.page(aiko, vault.Query{Cursor: p.Next, Limit: 5})
		back = append(back, p.Rows...)
	}
	for i := range back {
		if back[i].Seq != want[len(want)-1-i].Seq {
			t.Fatal("the newest first is not the feed backwards")
		}
	}
	size := len(w.page(aiko, vault.Query{Limit: 1}).Rows[0].Raw)
	for q := (vault.Query{MaxBytes: 2*size + 1}); ; {
		p := w.page(aiko, q)
		if len(p.Rows) != 2 || p.More != (p.Rows[1].Seq != want[len(want)-1].Seq) {
			t.Fatalf("a page of %d bytes has %d rows, more %v", q.MaxBytes, len(p.Rows), p.More)
		}
		if !p.More {
			break
		}
		q.Cursor = p.Next
	}
	if p := w.page(aiko, vault.Query{Bare: true}); p.Rows[0].Raw != nil {
		t.Error("a bare row has bytes")
	}
}

func testPagesBesideAWriter(t *testing.T, fresh func(testing.TB) Store) {
	w := open(t, fresh)
	aiko := w.person("aiko", 1)
	w.readers(aiko)
	const n = 60
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		defer close(done)
		for i := range n {
			w.put(i, 0, 1+i%2)
		}
	})
	seen := map[string]bool{}
	var last int64
	q := vault.Query{Limit: 3}
	for finished := false; ; {
		select {
		case <-done:
			finished = true
		default:
		}
		p := w.page(aiko, q)
		for _, r := range p.Rows {
			if seen[r.ID] || r.Seq <= last {
				t.Fatalf("row %s came twice or out of order", r.ID)
			}
			seen[r.ID], last = true, r.Seq
		}
		if p.Next != "" {
			q = vault.Query{Cursor: p.Next, Limit: 3}
		}
		if finished && len(p.Rows) == 0 {
			break
		}
	}
	wg.Wait()
	if len(seen) != n/2 {
		t.Errorf("%d rows arrived, want %d", len(seen), n/2)
	}
}

func testCursors(t *testing.T, fresh func(testing.TB) Store) {
	w := open(t, fresh)
	aiko, ben := w.person("aiko", 1), w.person("ben", 1)
	for i := range 6 {
		w.put(i, 0, 1)
	}
	p := w.page(aiko, vault.Query{Match: vault.Match{Types: []string{"campaign"}}, Limit: 2})
	once := w.page(aiko, vault.Query{Cursor: p.Next, Limit: 2})
	again := w.page(aiko, vault.Query{Cursor: p.Next, Limit: 2, Match: vault.Match{Types: []string{"campaign"}}})
	same(t, "a cursor used twice", names(once.Rows), names(again.Rows))
	same(t, "the second page", []string{"campaign--2 00", "campaign--3 00"}, names(once.Rows))
	for what, q := range map[string]struct {
		r vault.Reader
		q vault.Query
	}{
		"another reader's":  {ben, vault.Query{Cursor: p.Next}},
		"another question":  {aiko, vault.Query{Cursor: p.Next, Match: vault.Match{Types: []string{"indicator"}}}},
		"an altered cursor": {aiko, vault.Query{Cursor: "A" + p.Next[1:]}},
		"a cut cursor":      {aiko, vault.Query{Cursor: p.Next[:len(p.Next)-2]}},
		"no cursor":         {aiko, vault.Query{Cursor: "####"}},
	} {
		if _, err := w.v.As(q.r).Page(w.ctx, q.q); !errors.Is(err, vault.ErrCursor) && !(what == "an altered cursor" && p.Next[0] == 'A') {
			t.Errorf("%s: error %v, want a cursor error", what, err)
		}
	}
	// What the reader loses between two pages is gone from the second.
	w.act("relabel", func(tx *vault.Tx) error { return tx.Relabel(ID("campaign", 2), "", w.scheme.Label(t, 2)) })
	same(t, "after a label was narrowed", []string{"campaign--3 00", "campaign--4 00"}, names(w.page(aiko, vault.Query{Cursor: p.Next, Limit: 2}).Rows))
	less := w.person("aiko", 3)
	same(t, "after the clearance ended", []string{}, names(w.page(less, vault.Query{Cursor: p.Next, Limit: 2}).Rows))
}

func testMatch(t *testing.T, fresh func(testing.TB) Store) {
	w := open(t, fresh)
	aiko := w.person("aiko", 1)
	for _, s := range []int{2, 1, 3} {
		w.put(1, s, 1)
	}
	w.put(1, 4, 2) // hidden
	w.put(1, 0, 2) // hidden
	w.put(2, 5, 1)
	w.putAs("partner:x", "identity", 3, 6, []int{1}, "name", "Agency", "identity_class", "organization")
	old, err := stix.ParseObject([]byte(`{"type":"campaign","id":"` + ID("campaign", 4) + `","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:07Z","name":"old"}`))
	if err != nil {
		t.Fatal(err)
	}
	w.act("put", func(tx *vault.Tx) error {
		_, err := tx.Put(vault.Put{Object: old, Effective: w.scheme.Label(t, 1), Source: "local", Collection: "c1"})
		return err
	})
	for _, c := range []struct {
		what string
		m    vault.Match
		want []string
	}{
		{"nothing said", vault.Match{}, []string{"campaign--1 03", "campaign--2 05", "identity--3 06", "campaign--4 07"}},
		{"all", all, []string{"campaign--1 02", "campaign--1 01", "campaign--1 03", "campaign--2 05", "identity--3 06", "campaign--4 07"}},
		{"first", vault.Match{Versions: []string{"first"}, IDs: []string{ID("campaign", 1)}}, []string{"campaign--1 01"}},
		{"first or last", vault.Match{Versions: []string{"first", "last"}, IDs: []string{ID("campaign", 1)}}, []string{"campaign--1 01", "campaign--1 03"}},
		{"a version", vault.Match{Versions: []string{Version(2)}}, []string{"campaign--1 02"}},
		{"a version in another spelling", vault.Match{Versions: []string{"2026-01-01T00:00:02Z"}}, []string{"campaign--1 02"}},
		{"a hidden version", vault.Match{Versions: []string{Version(4)}}, []string{}},
		{"a type", vault.Match{Types: []string{"identity", "tool"}}, []string{"identity--3 06"}},
		{"a type nobody has", vault.Match{Types: []string{"tool"}}, []string{}},
		{"ids", vault.Match{IDs: []string{ID("campaign", 2), ID("campaign", 9)}}, []string{"campaign--2 05"}},
		{"ids and type", vault.Match{IDs: []string{ID("campaign", 2)}, Types: []string{"identity"}}, []string{}},
		{"a collection", vault.Match{Collection: "c1"}, []string{"campaign--4 07"}},
		{"a source", vault.Match{Source: "partner:x"}, []string{"identity--3 06"}},
		{"a time", vault.Match{Since: time.Date(2026, 1, 1, 0, 0, 5, 0, time.UTC), Until: time.Date(2026, 1, 1, 0, 0, 7, 0, time.UTC)}, []string{"campaign--2 05", "identity--3 06"}},
		{"first of a specification", vault.Match{Versions: []string{"first"}, SpecVersions: []string{"2.1"}, Types: []string{"campaign"}}, []string{"campaign--1 01", "campaign--2 05", "campaign--4 07"}},
		{"words of the label", vault.Match{LabelContains: ">c1<", IDs: []string{ID("campaign", 2)}}, []string{"campaign--2 05"}},
		{"words of a hidden label", vault.Match{LabelContains: ">c2<"}, []string{}},
	} {
		same(t, c.what, c.want, names(w.page(aiko, vault.Query{Match: c.m}).Rows))
		n, err := w.v.As(aiko).Count(w.ctx, c.m)
		if err != nil || n != int64(len(c.want)) {
			t.Errorf("count of %s: %d, %v, want %d", c.what, n, err, len(c.want))
		}
	}
	for what, m := range map[string]vault.Match{
		"all with another": {Versions: []string{"all", "last"}}, "no version": {Versions: []string{"newest"}}, "no word": {Text: " . "},
	} {
		if _, err := w.v.As(aiko).Page(w.ctx, vault.Query{Match: m}); !errors.Is(err, vault.ErrQuery) {
			t.Errorf("%s: error %v, want a query error", what, err)
		}
	}
}

func testRecords(t *testing.T, fresh func(testing.TB) Store) {
	store := fresh(t)
	v := store.Open(t, vault.Config{})
	ctx := context.Background()
	act := func(do func(*vault.Tx) error) error {
		_, err := v.Act(ctx, audit.Act{Actor: "node", Verb: "record"}, do)
		return err
	}
	refuse := errors.New("refused")
	if err := act(func(tx *vault.Tx) error {
		for _, k := range []string{"b", "a/2", "a/1", "a", "a/é", "z"} {
			if err := tx.PutRecord("s", k, []byte("v"+k)); err != nil {
				return err
			}
		}
		return tx.PutRecord("other", "a/9", nil)
	}); err != nil {
		t.Fatal(err)
	}
	if err := act(func(tx *vault.Tx) error {
		if err := tx.PutRecord("s", "a/1", []byte("changed")); err != nil {
			return err
		}
		if b, ok, err := tx.Record("s", "a/1"); err != nil || !ok || string(b) != "changed" {
			t.Errorf("an act does not read what it wrote: %q, %v, %v", b, ok, err)
		}
		return refuse
	}); !errors.Is(err, refuse) {
		t.Fatalf("error %v, want the act's own", err)
	}
	if err := act(func(tx *vault.Tx) error { return tx.DeleteRecord("s", "z") }); err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	v = store.Open(t, vault.Config{})
	defer v.Close()
	var got []string
	if err := v.ScanRecords(ctx, "s", "a", func(k string, b []byte) error { got = append(got, k+"="+string(b)); return nil }); err != nil {
		t.Fatal(err)
	}
	same(t, "the scan", []string{"a=va", "a/1=va/1", "a/2=va/2", "a/é=va/é"}, got)
	if _, ok, err := v.Record(ctx, "s", "z"); ok || err != nil {
		t.Errorf("a deleted record is there: %v, %v", ok, err)
	}
	if b, ok, err := v.Record(ctx, "other", "a/9"); !ok || err != nil || len(b) != 0 {
		t.Errorf("an empty record: %v, %v, %v", b, ok, err)
	}
	r, err := v.Verify(ctx, nil, nil)
	if err != nil || !r.OK() {
		t.Errorf("verify: %v, %v", r.Problems, err)
	}
}

func testActs(t *testing.T, fresh func(testing.TB) Store) {
	w := open(t, fresh)
	aiko := w.person("aiko", 1)
	w.readers(aiko)
	refuse := errors.New("refused")
	if _, err := w.v.Act(w.ctx, audit.Act{Actor: "node", Verb: "put"}, func(tx *vault.Tx) error {
		if _, err := tx.Put(vault.Put{Object: Object(t, "campaign", 1, 1, "name", "x"), Effective: w.scheme.Label(t, 1), Source: "local"}); err != nil {
			return err
		}
		return refuse
	}); !errors.Is(err, refuse) {
		t.Fatalf("error %v, want the act's own", err)
	}
	if n, err := w.v.LogSize(w.ctx); n != 0 || err != nil {
		t.Errorf("a refused act was logged: %d entries, %v", n, err)
	}
	same(t, "after a refused act", []string{}, names(w.page(aiko, vault.Query{}).Rows))
	e := w.act("put", func(tx *vault.Tx) error {
		if tx.Index() != 0 || !tx.At().Equal(w.clock.Now()) {
			t.Errorf("the act is number %d at %v", tx.Index(), tx.At())
		}
		_, err := tx.Put(vault.Put{Object: Object(t, "campaign", 1, 1, "name", "x"), Effective: w.scheme.Label(t, 1), Source: "local"})
		return err
	})
	if e.Index != 0 || !e.At.Equal(w.clock.Now()) {
		t.Errorf("the entry is %+v", e)
	}
	for what, do := range map[string]func(*vault.Tx) error{
		"release of what is absent":  func(tx *vault.Tx) error { return tx.Release(ID("campaign", 9), "", []string{"partner:x"}, "") },
		"recall of what is absent":   func(tx *vault.Tx) error { return tx.Recall(ID("campaign", 9), "", nil, "") },
		"relabel of what is absent":  func(tx *vault.Tx) error { return tx.Relabel(ID("campaign", 1), Version(7), label.Effective{}) },
		"withdraw of what is absent": func(tx *vault.Tx) error { return tx.Withdraw(ID("campaign", 9), "", "") },
	} {
		_, err := w.v.Act(w.ctx, audit.Act{Actor: "node", Verb: "try"}, do)
		wantNotFound(t, what, err)
	}
	if e := w.act("sign-in", nil); e.Index != 1 {
		t.Errorf("an act without effects is entry %d, want 1", e.Index)
	}
	w.verify()
}

func testClock(t *testing.T, fresh func(testing.TB) Store) {
	w := open(t, fresh)
	aiko := w.person("aiko", 1)
	w.readers(aiko)
	a := w.act("one", func(tx *vault.Tx) error { return w.putIn(tx, 1, 1, 1) })
	w.clock.Move(-time.Hour)
	b := w.act("two", func(tx *vault.Tx) error { return w.putIn(tx, 2, 1, 1) })
	if b.At.Before(a.At) {
		t.Errorf("the log goes back in time with the clock: %v, then %v", a.At, b.At)
	}
	rows := w.page(aiko, vault.Query{}).Rows
	if len(rows) != 2 || !rows[1].Added.After(rows[0].Added) {
		t.Errorf("availability goes back in time with the clock: %v", rows)
	}
	same(t, "a poll across the step", []string{"campaign--2 01"}, names(w.page(aiko, vault.Query{Match: vault.Match{AddedAfter: rows[0].Added}}).Rows))
	w.verify()
}

// putIn stores a campaign inside an act.
func (w *world) putIn(tx *vault.Tx, n, second int, compartments ...int) error {
	_, err := tx.Put(vault.Put{Object: Object(w.t, "campaign", n, second, "name", "Campaign"), Effective: w.scheme.Label(w.t, compartments...), Source: "local"})
	return err
}

func testWatch(t *testing.T, fresh func(testing.TB) Store) {
	w := open(t, fresh)
	ctx, stop := context.WithCancel(w.ctx)
	aiko, bru := w.person("aiko", 1), w.partner("bru", 1)
	a, b := w.v.Watch(ctx, aiko), w.v.Watch(ctx, bru)
	got := func(ch <-chan struct{}) bool {
		select {
		case <-ch:
			return true
		default:
			return false
		}
	}
	w.put(1, 1, 2)
	if got(a) || got(b) {
		t.Error("a watcher hears of what is hidden")
	}
	w.put(2, 1, 1)
	if !got(a) {
		t.Error("the watcher of a feed does not hear that it grew")
	}
	if got(b) {
		t.Error("a partner hears of what was not released")
	}
	w.release(2, bru.ID)
	if !got(b) || got(a) {
		t.Error("a release is not heard by its reader alone")
	}
	stop()
	for range a { // ends when the channel is closed
	}
}

func testMany(t *testing.T, fresh func(testing.TB) Store) {
	w := open(t, fresh)
	const readers, writes = 64, 40
	var rs []vault.Reader
	for i := range readers {
		if i%4 == 3 {
			rs = append(rs, w.partner(fmt.Sprint(i), 1+i%3))
		} else {
			rs = append(rs, w.person(fmt.Sprint(i), 1+i%3))
		}
	}
	w.readers(rs...)
	var wg sync.WaitGroup
	failed := make(chan error, readers)
	done := make(chan struct{})
	for _, r := range rs {
		wg.Go(func() {
			q := vault.Query{Limit: 5}
			var last int64
			for {
				p, err := w.v.As(r).Page(w.ctx, q)
				if err != nil {
					failed <- err
					return
				}
				for _, row := range p.Rows {
					if row.Seq <= last {
						failed <- fmt.Errorf("%s: a row out of order", r.ID)
						return
					}
					last = row.Seq
				}
				if p.Next != "" {
					q.Cursor = p.Next
				}
				select {
				case <-done:
					return
				case <-time.After(time.Millisecond):
				}
			}
		})
	}
	for i := range writes {
		w.put(i, 0, 1+i%3)
		if i%8 == 0 {
			w.release(i, rs[3].ID)
		}
	}
	close(done)
	wg.Wait()
	select {
	case err := <-failed:
		t.Fatal(err)
	default:
	}
	w.verify()
}
