package vaulttest

import (
	"errors"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/label"
)

func testRelease(t *testing.T, fresh func(testing.TB) Store) {
	w := open(t, fresh)
	bru, can := w.partner("bru", 1), w.partner("can", 1)
	w.readers(bru, can, public)
	w.put(1, 1, 1)
	w.put(2, 1, 2)
	w.putAs("local", "campaign", 3, 1, nil, "name", "for nobody")
	w.act("put", func(tx *vault.Tx) error {
		_, err := tx.Put(vault.Put{Object: Object(t, "campaign", 4, 1, "name", "for everyone"), Effective: label.Effective{Rule: label.Everyone()}, Source: "local"})
		return err
	})
	for _, r := range []vault.Reader{bru, can, public} {
		same(t, "before any release, "+r.ID, []string{}, names(w.page(r, vault.Query{}).Rows))
	}
	for n := range 4 {
		w.release(n+1, bru.ID)
	}
	w.release(4, public.ID)
	w.release(4, public.ID) // again: no change
	same(t, "released and allowed", []string{"campaign--1 01", "campaign--4 01"}, names(w.page(bru, vault.Query{}).Rows))
	same(t, "released to another", []string{}, names(w.page(can, vault.Query{}).Rows))
	same(t, "the public", []string{"campaign--4 01"}, names(w.page(public, vault.Query{}).Rows))
	holders, err := w.v.Holders(w.ctx, ID("campaign", 4))
	if err != nil || len(holders) != 2 || holders[0].Reader != bru.ID || holders[1].Reader != "public" || holders[1].By != "node" {
		t.Errorf("holders: %+v, %v", holders, err)
	}
	w.act("recall", func(tx *vault.Tx) error { return tx.Recall(ID("campaign", 1), "", []string{bru.ID, can.ID}, "mistake") })
	same(t, "after the recall", []string{"campaign--4 01"}, names(w.page(bru, vault.Query{}).Rows))
	w.act("recall", func(tx *vault.Tx) error { return tx.Recall(ID("campaign", 4), "", nil, "mistake") })
	same(t, "after the recall from all", []string{}, names(w.page(public, vault.Query{}).Rows))
	before := w.page(bru, vault.Query{})
	w.release(1, bru.ID)
	p := w.page(bru, vault.Query{Cursor: before.Next})
	same(t, "released once more, to a poller", []string{"campaign--1 01"}, names(p.Rows))
	w.verify()
}

// testLate checks that whatever becomes visible late reaches those who only
// ask for what is new.
func testLate(t *testing.T, fresh func(testing.TB) Store) {
	w := open(t, fresh)
	aiko, ben, bru := w.person("aiko", 1), w.person("ben", 1), w.partner("bru", 1)
	w.readers(aiko, ben, bru)
	for n := range 6 {
		w.put(n, 1, 1+n%3) // 0,3 in 1; 1,4 in 2; 2,5 in 3
	}
	for n := range 6 {
		w.release(n, bru.ID)
	}
	at := map[string]vault.Page{}
	for _, r := range []vault.Reader{aiko, ben, bru} {
		at[r.ID] = w.page(r, vault.Query{})
		same(t, "at first "+r.ID, []string{"campaign--0 01", "campaign--3 01"}, names(at[r.ID].Rows))
	}
	news := func(what string, r vault.Reader, want ...string) {
		t.Helper()
		p := w.page(r, vault.Query{Match: vault.Match{AddedAfter: at[r.ID].Last}})
		if want == nil {
			want = []string{}
		}
		same(t, what+" by time", want, names(p.Rows))
		if c := at[r.ID].Next; c != "" {
			same(t, what+" by cursor", want, names(w.page(r, vault.Query{Cursor: c}).Rows))
		}
		if len(p.Rows) > 0 {
			at[r.ID] = w.page(r, vault.Query{Cursor: at[r.ID].Next})
		}
	}
	w.act("widen", func(tx *vault.Tx) error { return tx.Relabel(ID("campaign", 1), "", w.scheme.Label(t, 1, 2)) })
	news("a widened label", aiko, "campaign--1 01")
	news("a widened label", bru, "campaign--1 01")
	news("a widened label", ben, "campaign--1 01")
	// One of two who held the same gains, the other stays.
	aiko = w.person("aiko", 1, 2)
	w.readers(aiko, ben, bru)
	news("a new clearance", aiko, "campaign--4 01")
	news("no new clearance", ben)
	// An admission that nobody announced shows with the next question.
	bru = w.partner("bru", 1, 3)
	news("an admitted nation", bru, "campaign--2 01", "campaign--5 01")
	w.put(6, 1, 3)
	w.release(6, bru.ID)
	news("a release after it", bru, "campaign--6 01")
	// Both move to the same holdings, from different feeds.
	aiko, ben = w.person("aiko", 1, 2, 3), w.person("ben", 1, 2, 3)
	w.readers(aiko, ben)
	news("gained by one", aiko, "campaign--2 01", "campaign--5 01", "campaign--6 01")
	news("gained by the other", ben, "campaign--2 01", "campaign--4 01", "campaign--5 01", "campaign--6 01")
	// A loss takes away at once, and what comes back is new again.
	less := w.person("ben", 1)
	same(t, "after a loss", []string{"campaign--0 01", "campaign--3 01", "campaign--1 01"}, names(w.page(less, vault.Query{}).Rows))
	w.verify()
	same(t, "regained", 7, len(w.page(ben, vault.Query{}).Rows))
	w.verify()
	if err := w.v.Forget(w.ctx, ben.ID, "person:unknown"); err != nil {
		t.Fatal(err)
	}
	same(t, "forgotten and back", 7, len(w.page(ben, vault.Query{}).Rows))
	w.verify()
}

// testNames checks that persons who differ only in their names are one
// audience, until a label names one of them.
func testNames(t *testing.T, fresh func(testing.TB) Store) {
	w := open(t, fresh)
	aiko, ben := w.person("aiko", 1, 6), w.person("ben", 1, 7)
	w.readers(aiko, ben)
	w.put(1, 1, 1)
	before := w.page(aiko, vault.Query{})
	w.put(2, 1, 6) // for aiko by name
	w.put(3, 1, 1)
	same(t, "for the one who is named", []string{"campaign--2 01", "campaign--3 01"}, names(w.page(aiko, vault.Query{Cursor: before.Next}).Rows))
	same(t, "for the other", []string{"campaign--1 01", "campaign--3 01"}, names(w.page(ben, vault.Query{}).Rows))
	w.put(4, 1, 6, 7)
	same(t, "for both", []string{"campaign--1 01", "campaign--3 01", "campaign--4 01"}, names(w.page(ben, vault.Query{}).Rows))
	late := w.person("chief", 1, 6, 7)
	same(t, "for one who came later", 4, len(w.page(late, vault.Query{}).Rows))
	w.verify()
}

func testWithdraw(t *testing.T, fresh func(testing.TB) Store) {
	w := open(t, fresh)
	aiko, bru := w.person("aiko", 1), w.partner("bru", 1)
	w.readers(aiko, bru)
	w.put(1, 1, 1)
	w.put(1, 2, 1)
	w.putAs("partner:x", "campaign", 1, 2, []int{1}, "name", "Campaign")
	w.release(1, bru.ID)
	w.act("withdraw", func(tx *vault.Tx) error { return tx.Withdraw(ID("campaign", 1), Version(1), "wrong") })
	same(t, "without the older", []string{"campaign--1 02"}, names(w.page(aiko, vault.Query{Match: all}).Rows))
	w.act("withdraw", func(tx *vault.Tx) error { return tx.Withdraw(ID("campaign", 1), "", "wrong") })
	for _, r := range []vault.Reader{aiko, bru} {
		same(t, "without any, "+r.ID, []string{}, names(w.page(r, vault.Query{Match: all}).Rows))
		_, err := w.v.As(r).Get(w.ctx, ID("campaign", 1))
		wantNotFound(t, "get", err)
		_, err = w.v.As(r).History(w.ctx, ID("campaign", 1))
		wantNotFound(t, "history", err)
		if p, err := w.v.As(r).Find(w.ctx, "campaign", vault.Query{}); err != nil || len(p.Rows) != 0 {
			t.Errorf("found after it was withdrawn: %v, %v", p.Rows, err)
		}
	}
	holders, err := w.v.Holders(w.ctx, ID("campaign", 1))
	if err != nil || len(holders) != 0 {
		t.Errorf("holders of what was withdrawn: %v, %v", holders, err)
	}
	w.verify()
	if o := w.put(1, 2, 1); o.Status != vault.Stored {
		t.Errorf("stored again: %v", o.Status)
	}
	same(t, "stored again", []string{"campaign--1 02"}, names(w.page(aiko, vault.Query{}).Rows))
	same(t, "not released again", []string{}, names(w.page(bru, vault.Query{}).Rows))
	w.verify()
}

func testAudit(t *testing.T, fresh func(testing.TB) Store) {
	w := open(t, fresh)
	aiko, bru := w.person("aiko", 1), w.partner("bru", 1)
	w.readers(aiko, bru)
	w.put(1, 1, 1)
	w.put(2, 1, 2)
	w.release(1, bru.ID)
	before, _ := w.v.LogSize(w.ctx)
	bruView := w.v.As(bru)
	id, hidden := ID("campaign", 1), ID("campaign", 2)
	for _, c := range []struct {
		verb, subject string
		ask           func() error
	}{
		{"read", "", func() error { _, err := bruView.Page(w.ctx, vault.Query{}); return err }},
		{"read", id, func() error { _, err := bruView.Get(w.ctx, id); return err }},
		{"deny", hidden, func() error { _, err := bruView.Get(w.ctx, hidden); return notFound(err) }},
		{"read", ID("campaign", 9), func() error { _, err := bruView.Get(w.ctx, ID("campaign", 9)); return notFound(err) }},
		{"read", id, func() error { _, err := bruView.GetVersion(w.ctx, id, Version(1)); return err }},
		{"read", id, func() error { _, err := bruView.Versions(w.ctx, id); return err }},
		{"count", "", func() error { _, err := bruView.Count(w.ctx, vault.Match{}); return err }},
		{"count", "", func() error { _, err := bruView.Facet(w.ctx); return err }},
		{"read", id, func() error { _, err := bruView.Neighbours(w.ctx, id, 5); return err }},
		{"find", "", func() error { _, err := bruView.Find(w.ctx, "campaign", vault.Query{}); return err }},
		{"read", id, func() error { _, err := bruView.History(w.ctx, id); return err }},
	} {
		if err := c.ask(); err != nil {
			t.Fatalf("%s %s: %v", c.verb, c.subject, err)
		}
		after, _ := w.v.LogSize(w.ctx)
		if after != before+1 {
			t.Fatalf("%s %s: %d entries, want one", c.verb, c.subject, after-before)
		}
		if err := w.v.Entries(w.ctx, before, func(_ []byte, e audit.Entry) error {
			if e.Act.Actor != bru.ID || e.Act.Verb != c.verb || e.Act.Subject != c.subject {
				t.Errorf("logged %+v, want %s %s", e.Act, c.verb, c.subject)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		before = after
	}
	if es, _, err := bruView.AuditEntries(w.ctx, 0, 5); len(es) != 0 || err != nil {
		t.Errorf("a partner reads the node's log: %v, %v", es, err)
	}
	if _, err := w.v.As(aiko).Find(w.ctx, "campaign", vault.Query{}); err != nil {
		t.Fatal(err)
	}
	if after, _ := w.v.LogSize(w.ctx); after != before+1 {
		t.Error("a person's search was not logged")
	}
	testCheckpoint(t, w)
}

func notFound(err error) error {
	if errors.Is(err, vault.ErrNotFound) {
		return nil
	}
	return errors.Join(errors.New("want not found"), err)
}

func testCheckpoint(t *testing.T, w *world) {
	secret, key, err := note.GenerateKey(newSeeded(), "log.example/test")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(key)
	if err != nil {
		t.Fatal(err)
	}
	known := note.VerifierList(verifier)
	if _, err := w.v.Prove(w.ctx, 0); err == nil {
		t.Error("a proof without a checkpoint")
	}
	first, err := w.v.Checkpoint(w.ctx, signer)
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.v.Checkpoint(w.ctx, signer)
	if err != nil || again != first {
		t.Errorf("signed once more though nothing was logged: %v", err)
	}
	old, err := audit.OpenCheckpoint(first, known)
	if err != nil {
		t.Fatal(err)
	}
	for i := range old.Size {
		p, err := w.v.Prove(w.ctx, i)
		if err != nil {
			t.Fatal(err)
		}
		e, err := p.Check(known)
		if err != nil || e.Index != i {
			t.Errorf("proof of entry %d: %+v, %v", i, e, err)
		}
		p.Entry[len(p.Entry)-2] ^= 1
		if _, err := p.Check(known); err == nil {
			t.Errorf("an altered entry %d is proven", i)
		}
	}
	if _, err := w.v.Prove(w.ctx, old.Size); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("a proof beyond the checkpoint: %v", err)
	}
	w.put(7, 1, 1)
	second, err := w.v.Checkpoint(w.ctx, signer)
	if err != nil {
		t.Fatal(err)
	}
	now, err := audit.OpenCheckpoint(second, known)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := w.v.ProveGrowth(w.ctx, old.Size, now.Size)
	if err != nil {
		t.Fatal(err)
	}
	if err := audit.Consistent(proof, old, now); err != nil {
		t.Error(err)
	}
	if r, err := w.v.Verify(w.ctx, known, nil); err != nil || !r.OK() || r.Root != now.Root {
		t.Errorf("verify: %+v, %v", r, err)
	}
}
