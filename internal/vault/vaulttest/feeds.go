package vaulttest

import (
	"context"
	"testing"
	"time"

	"causeway/internal/vault"
)

// testFeeds checks what a feed promises when its readers change: a place once
// given keeps its time, one version stands in one place, a reader without a
// past sees everything at the time at which it was stored, and nobody loses
// anything because another reader is forgotten.
func testFeeds(t *testing.T, fresh func(testing.TB) Store) {
	for _, c := range []struct {
		name string
		test func(*world)
	}{
		{"TimesStay", testTimesStay},
		{"OtherSourcesRecord", testOtherSourcesRecord},
		{"NoPast", testNoPast},
		{"NoPastAfterANewRule", testNoPastAfterANewRule},
		{"Forgotten", testForgotten},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := open(t, fresh)
			c.test(w)
			w.verify()
		})
	}
	t.Run("Behind", func(t *testing.T) { testBehind(t, fresh(t)) })
}

// added gives when each version became available to a reader, by name.
func (w *world) added(r vault.Reader) map[string]time.Time {
	w.t.Helper()
	p := w.page(r, vault.Query{Match: all})
	out := map[string]time.Time{}
	for i, name := range names(p.Rows) {
		if _, twice := out[name]; twice {
			w.t.Errorf("%s sees %s twice", r.ID, name)
		}
		out[name] = p.Rows[i].Added
	}
	return out
}

func testTimesStay(w *world) {
	aiko, bru := w.person("aiko", 1), w.partner("bru", 1)
	w.readers(aiko, bru)
	w.put(1, 1, 1)
	w.release(1, bru.ID)
	before := w.added(bru)["campaign--1 01"]
	w.put(1, 2, 1)
	w.release(1, bru.ID)
	same(w.t, "the older version's time, after the newer was released", before, w.added(bru)["campaign--1 01"])
	before = w.added(aiko)["campaign--1 01"]
	w.put(1, 3, 2)
	w.clock.Move(time.Hour)
	aiko = w.person("aiko", 1, 2)
	w.readers(aiko)
	after := w.added(aiko)
	same(w.t, "the older version's time, after the newer was gained", before, after["campaign--1 01"])
	if !after["campaign--1 03"].After(before.Add(time.Hour)) {
		w.t.Errorf("gained %v after an hour", after["campaign--1 03"].Sub(before))
	}
	same(w.t, "the newest", []string{"campaign--1 03"}, names(w.page(aiko, vault.Query{}).Rows))
}

func testOtherSourcesRecord(w *world) {
	aiko, bru := w.person("aiko", 1, 2), w.partner("bru", 1, 2)
	w.readers(aiko, bru)
	w.put(1, 1, 1)
	w.putAs("partner:x", "campaign", 1, 1, []int{2}, "name", "Campaign")
	w.release(1, bru.ID)
	first := w.added(bru)["campaign--1 01"]
	w.verify()
	// The record that stood for both goes: the other takes its place, now.
	aiko, bru = w.person("aiko", 2), w.partner("bru", 2)
	w.clock.Move(time.Hour)
	w.readers(aiko, bru)
	for _, r := range []vault.Reader{aiko, bru} {
		if at := w.added(r)["campaign--1 01"]; !at.After(first.Add(time.Minute)) {
			w.t.Errorf("%s: another source's record has the time of the one before", r.ID)
		}
	}
	w.verify()
	w.put(2, 1, 2)
	w.putAs("partner:x", "campaign", 2, 1, []int{2}, "name", "Campaign")
	w.release(2, bru.ID)
	w.act("withdraw", func(tx *vault.Tx) error {
		_, err := tx.WithdrawOwn("local", "", ID("campaign", 2), "", "wrong")
		return err
	})
	for _, r := range []vault.Reader{aiko, bru} {
		same(w.t, "the record that is left, "+r.ID, 2, len(w.added(r)))
	}
	// Of several records the first stored stands for all, also for one who
	// comes when there are many.
	w.act("put", func(tx *vault.Tx) error {
		for _, source := range []string{"local", "partner:x", "partner:y"} {
			for n := range 30 {
				if _, err := tx.Put(vault.Put{Object: Object(w.t, "tool", n, 1, "name", "Tool"), Effective: w.scheme.Label(w.t, 4), Source: source}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	for _, row := range w.page(w.person("dora", 4), vault.Query{}).Rows {
		same(w.t, "the source of "+row.ID, "local", row.Source)
	}
}

func testNoPast(w *world) {
	w.put(9, 1, 1, 2, 3) // what they hold is named by a rule before they come
	aiko, dora := w.person("aiko", 1), w.person("dora", 3)
	w.readers(aiko, dora)
	w.put(1, 1, 2)
	stored := w.clock.Now()
	w.clock.Move(time.Hour)
	aiko = w.person("aiko", 1, 2)
	w.readers(aiko) // gains it late
	ben := w.person("ben", 1, 2)
	w.readers(ben) // never held less
	same(w.t, "at the time of its storing", stored, w.added(ben)["campaign--1 01"])
	if late := w.added(aiko)["campaign--1 01"]; !late.After(stored) {
		w.t.Errorf("gained later, at %v", late)
	}
}

func testNoPastAfterANewRule(w *world) {
	aiko := w.person("aiko", 1, 6)
	w.readers(aiko)
	w.put(1, 1, 2)
	stored := w.clock.Now()
	w.clock.Move(time.Hour)
	aiko = w.person("aiko", 1, 2, 6)
	w.readers(aiko)
	w.put(2, 1, 6) // the first rule that names what aiko holds beside others
	ben := w.person("ben", 1, 2, 6)
	w.readers(ben)
	same(w.t, "at the time of its storing", stored, w.added(ben)["campaign--1 01"])
}

func testForgotten(w *world) {
	aiko, ben, dora := w.person("aiko", 1), w.person("ben", 1), w.person("dora", 3)
	w.readers(aiko, ben, dora)
	w.put(1, 1, 2)
	stored := w.clock.Now()
	w.clock.Move(time.Hour)
	aiko, ben = w.person("aiko", 1, 2), w.person("ben", 1, 2)
	w.readers(aiko, ben)
	late := w.added(ben)["campaign--1 01"]
	forget := func(readers ...string) {
		w.t.Helper()
		if err := w.v.Forget(w.ctx, readers...); err != nil {
			w.t.Fatal(err)
		}
		w.verify()
	}
	forget("person:unknown", aiko.ID)
	same(w.t, "the time for the one who stays", late, w.added(ben)["campaign--1 01"])
	w.readers(aiko)
	same(w.t, "for the one who comes back without a past", stored, w.added(aiko)["campaign--1 01"])
	forget(ben.ID)
	w.put(2, 1, 3)
	w.put(3, 1, 1)
	same(w.t, "another reader's feed goes on", 1, len(w.added(dora)))
	same(w.t, "and that of the one who came back", 2, len(w.added(aiko)))
}

// testBehind opens the vault in a process that has seen no reader yet: what
// is stored meanwhile is judged when somebody of the audience comes.
func testBehind(t *testing.T, s Store) {
	w := &world{t: t, ctx: context.Background(), clock: newClock(), scheme: NewScheme(t, 8)}
	w.v = s.Open(t, vault.Config{Now: w.clock.Now})
	w.readers(w.person("aiko", 1))
	if err := w.v.Close(); err != nil {
		t.Fatal(err)
	}
	w.v = s.Open(t, vault.Config{Now: w.clock.Now})
	defer w.v.Close()
	w.put(1, 1, 1)
	w.clock.Move(time.Hour)
	ben := w.person("ben", 1)
	w.readers(ben)
	joined := w.clock.Now()
	w.clock.Move(time.Hour)
	if at := w.added(ben)["campaign--1 01"]; at.After(joined.Add(time.Minute)) {
		t.Errorf("judged at %v, when asked, and not when the reader was named", at)
	}
	w.verify()
}
