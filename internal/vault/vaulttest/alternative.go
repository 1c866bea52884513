package vaulttest

import (
	"testing"
	"time"

	"causeway/internal/vault"
	"causeway/label"
)

// testAlternatives: readers of another policy are admitted by alternative
// labels in every question, from when they are and for as long as their table
// is in force; nobody else notices.
func testAlternatives(t *testing.T, fresh func(testing.TB) Store) {
	w := open(t, fresh)
	ps := twoTongues(t)
	start := w.clock.Now()
	alternatives := label.Translations{
		Of: func(l *label.Label, xml []byte) []label.Translated {
			to := map[string]string{"LOW": "NIEDRIG", "HIGH": "HOCH"}[l.Classification]
			return []label.Translated{{Translator: "here", Table: "t@1", Signed: []byte("signed " + to),
				Label: &label.Label{PolicyName: "THERE", PolicyOID: "2.999.9", Classification: to, Created: start, Review: start}}}
		},
		Authorities: []label.Authority{{Translator: "here", Table: "t@1", Arriving: true, Leaving: true, From: start, Until: start.Add(time.Hour)}},
	}
	translating := ps.WithTranslations(alternatives)
	reader := func(kind vault.Kind, id string, at time.Time, clearances ...*label.Clearance) vault.Reader {
		k := label.Person
		if kind == vault.Partner {
			k = label.Partner
		}
		h, err := translating.Holdings(label.Holder{Kind: k, Nation: "JPN", Clearances: clearances, At: at})
		if err != nil {
			t.Fatal(err)
		}
		return vault.Reader{ID: id, Kind: kind, Holdings: h}
	}
	here := func(classes ...string) *label.Clearance {
		return &label.Clearance{PolicyName: "HERE", PolicyOID: "2.999.8", Classifications: classes}
	}
	there := func(classes ...string) *label.Clearance {
		return &label.Clearance{PolicyName: "THERE", PolicyOID: "2.999.9", Classifications: classes}
	}
	within := start.Add(time.Minute)
	aiko, both := reader(vault.Person, "person:aiko", within, here("LOW", "HIGH")), reader(vault.Person, "person:both", within, here("LOW"), there("NIEDRIG", "HOCH"))
	jun, bru := reader(vault.Person, "person:jun", within, there("HOCH")), reader(vault.Partner, "partner:bru", within, there("NIEDRIG", "HOCH"))
	w.readers(aiko, both, jun, bru)
	put := func(n int, ps *label.Policies, class string) {
		l := &label.Label{PolicyName: "HERE", PolicyOID: "2.999.8", Classification: class, Created: start, Review: start}
		e, err := ps.Govern(l, []byte(class))
		if err != nil {
			t.Fatal(err)
		}
		w.act("put", func(tx *vault.Tx) error {
			_, err := tx.Put(vault.Put{Object: Object(t, "campaign", n, 1, "name", "Campaign"), Effective: e, Source: "local"})
			return err
		})
		w.release(n, bru.ID)
	}
	put(1, ps, "LOW") // stored before there was a table
	put(2, ps, "HIGH")
	sees := func(when string, r vault.Reader, want ...string) vault.Page {
		t.Helper()
		if want == nil {
			want = []string{}
		}
		p := w.page(r, vault.Query{})
		same(t, when+": page of "+r.ID, want, names(p.Rows))
		n, err := w.v.As(r).Count(w.ctx, vault.Match{Text: "campaign"})
		f, err2 := w.v.As(r).Facet(w.ctx)
		if err != nil || err2 != nil || n != int64(len(want)) || f["campaign"] != n {
			t.Errorf("%s: %s counts %d and %v, %v, %v", when, r.ID, n, f, err, err2)
		}
		return p
	}
	aikos, boths := sees("without alternatives", aiko, "campaign--1 01", "campaign--2 01"), sees("without alternatives", both, "campaign--1 01")
	sees("without alternatives", jun)
	sees("without alternatives", bru)

	parse := func(xml []byte) (*label.Label, error) {
		return &label.Label{PolicyName: "HERE", PolicyOID: "2.999.8", Classification: string(xml), Created: start, Review: start}, nil
	}
	renew := func(e label.Effective) (label.Effective, error) { return translating.Renew(e, parse) }
	w.clock.Move(time.Minute)
	act := w.act("translate", func(tx *vault.Tx) error {
		for n := range 2 {
			if changed, err := tx.Revise(ID("campaign", n+1), renew); err != nil || changed != 1 {
				t.Errorf("revised %d, %v", changed, err)
			}
			if changed, err := tx.Revise(ID("campaign", n+1), renew); err != nil || changed != 0 {
				t.Errorf("revised again %d, %v", changed, err)
			}
		}
		return nil
	})
	put(3, translating, "HIGH")
	gained := sees("with alternatives", jun, "campaign--2 01", "campaign--3 01")
	if gained.First.Before(act.At) {
		t.Errorf("what the alternative admits was available at %v, before the act of %v", gained.First, act.At)
	}
	sees("with alternatives", bru, "campaign--1 01", "campaign--2 01", "campaign--3 01")
	sees("with alternatives", both, "campaign--1 01")
	sees("with alternatives", aiko, "campaign--1 01", "campaign--2 01", "campaign--3 01")
	// To those whom the label itself decides about, nothing happened.
	same(t, "news for both", []string{}, names(w.page(both, vault.Query{Cursor: boths.Next}).Rows))
	same(t, "news for aiko", []string{"campaign--3 01"}, names(w.page(aiko, vault.Query{Cursor: aikos.Next}).Rows))
	_, err := w.v.As(both).Get(w.ctx, ID("campaign", 2))
	wantNotFound(t, "above the clearance of its policy", err)

	// The table ends: no stored label changes, and its readers see nothing.
	after := start.Add(time.Hour)
	jun, bru = reader(vault.Person, "person:jun", after, there("HOCH")), reader(vault.Partner, "partner:bru", after, there("NIEDRIG", "HOCH"))
	w.readers(jun, bru)
	sees("after the table", jun)
	sees("after the table", bru)
	_, err = w.v.As(jun).Get(w.ctx, ID("campaign", 3))
	wantNotFound(t, "after the table", err)
	sees("after the table", aiko, "campaign--1 01", "campaign--2 01", "campaign--3 01")
	h, err := w.v.As(jun).History(w.ctx, ID("campaign", 3))
	wantNotFound(t, "history after the table", err)
	same(t, "history after the table", 0, len(h))
	w.verify()
	// What governs, or governed, is known by itself, each once.
	seen := map[string]int{}
	if err := w.v.Governing(w.ctx, func(e label.Effective) { seen[string(e.Labels[0])+" "+e.Rule.Key()]++ }); err != nil || len(seen) != 4 {
		t.Errorf("governing: %v, %v", seen, err)
	}
	for what, n := range seen {
		if n != 1 {
			t.Errorf("governing %d times: %s", n, what)
		}
	}
	last, err := w.v.LastAct(w.ctx)
	if err != nil || last.Before(act.At) || last.After(w.clock.Now()) {
		t.Errorf("the last act was at %v, %v", last, err)
	}
}

// twoTongues are two policies of two levels each.
func twoTongues(t testing.TB) *label.Policies {
	t.Helper()
	var all []*label.Policy
	for oid, d := range map[string][]string{"2.999.8": {"HERE", "LOW", "HIGH"}, "2.999.9": {"THERE", "NIEDRIG", "HOCH"}} {
		p, err := label.Compile(label.Definition{OID: oid, Name: d[0], Classes: []label.Class{{Name: d[1], LACV: "1", Hierarchy: 1}, {Name: d[2], LACV: "2", Hierarchy: 2}}})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	ps, err := label.NewPolicies(label.Groups{}, all...)
	if err != nil {
		t.Fatal(err)
	}
	return ps
}
