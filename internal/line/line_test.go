package line

import (
	"bytes"
	"testing"
	"time"

	"causeway/internal/vault"
)

// One object crosses, the receipt comes back and is kept, the witness sees
// the log, and a recall takes the object away.
func TestDeliverAndRecall(t *testing.T) {
	a, b := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
	befriend(t, a, b, "SECRET")
	a.start()
	b.start()
	items := a.release(Priority, a.effective("SECRET", "JPN"), a.objects(0, 3), b.name())
	eventually(t, "three objects at b", func() bool { return b.holds(a.name()) == 3 })
	eventually(t, "the receipt at a", func() bool { return a.status(b.name()).Held == 3 })
	ds, err := a.line.Receipts(t.Context(), b.name(), items[0].ID, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(ds) != 1 || ds[0].Result != Delivered || ds[0].Document == nil || ds[0].Held != 3 {
		t.Fatalf("receipts %+v", ds)
	}
	st := a.status(b.name())
	if st.Seen.Size == 0 || st.Fork != nil || st.Waiting != 0 || st.Why != "" {
		t.Errorf("status %+v", st)
	}
	a.recall(items[:2], b.name(), "wrong network")
	eventually(t, "two removed", func() bool { return b.holds(a.name()) == 1 })
	eventually(t, "the removal receipt", func() bool { st := a.status(b.name()); return st.Held == 1 && st.Waiting == 0 })
	a.halt()
	b.halt()
	a.verified()
	b.verified()
}

// Everything crosses to a node that cannot be reached: it fetches.
func TestPullOnly(t *testing.T) {
	a, b := newTestNode(t, "BEL", true), newTestNode(t, "JPN", false)
	befriend(t, a, b, "SECRET")
	a.start()
	b.start()
	a.release(Routine, a.effective("SECRET", "JPN"), a.objects(0, 5), b.name())
	b.release(Routine, b.effective("SECRET", "JPN"), b.objects(0, 4), a.name())
	eventually(t, "five at b", func() bool { return b.holds(a.name()) == 5 })
	eventually(t, "four at a", func() bool { return a.holds(b.name()) == 4 })
	eventually(t, "receipts on both sides", func() bool {
		return a.status(b.name()).Held == 5 && b.status(a.name()).Held == 4
	})
}

// What the partner may not see never leaves, also when it was enqueued.
func TestOnlyWhatThePartnerMaySee(t *testing.T) {
	a, b := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
	befriend(t, a, b, "CONFIDENTIAL")
	a.start()
	b.start()
	a.release(Priority, a.effective("CONFIDENTIAL"), a.objects(0, 2), b.name()) // NATO only
	a.release(Priority, a.effective("SECRET", "JPN"), a.objects(10, 2), b.name())
	a.release(Priority, a.effective("CONFIDENTIAL", "JPN"), a.objects(20, 1), b.name())
	eventually(t, "the one that may", func() bool { return b.holds(a.name()) == 1 })
	eventually(t, "an empty outbox", func() bool { return a.status(b.name()).Waiting == 0 })
	if st := a.status(b.name()); st.Held != 1 || st.Lanes[2].Withheld != 4 {
		t.Errorf("held %d, withheld %d; want 1 and 4", st.Held, st.Lanes[2].Withheld)
	}
	if n := b.holds(a.name()); n != 1 {
		t.Errorf("b holds %d", n)
	}
}

// Rotation has no gap: messages cross before, during and after, in both
// directions, and the partner ends up with the new keys.
func TestRotation(t *testing.T) {
	a, b := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
	befriend(t, a, b, "SECRET")
	a.start()
	b.start()
	for i := range 3 {
		a.release(Routine, a.effective("SECRET", "JPN"), a.objects(i, 1), b.name())
		b.release(Routine, b.effective("SECRET", "JPN"), b.objects(i, 1), a.name())
		if g, err := a.line.Rotate(t.Context(), "person:x"); err != nil || g != i+2 {
			t.Fatalf("generation %d, %v", g, err)
		}
	}
	eventually(t, "all of it on both sides", func() bool { return b.holds(a.name()) == 3 && a.holds(b.name()) == 3 })
	eventually(t, "b to know the newest keys", func() bool {
		p, err := b.line.Partner(t.Context(), a.name())
		return err == nil && p.Keys == 4
	})
	eventually(t, "a to know that", func() bool {
		p, err := a.line.Partner(t.Context(), b.name())
		return err == nil && p.Knows == 4
	})
	a.release(Flash, a.effective("SECRET", "JPN"), a.objects(9, 1), b.name())
	eventually(t, "one more under the new keys", func() bool { return b.holds(a.name()) == 4 })
}

// Suspension keeps what waits and says why; return lets it go.
func TestSuspendResumeRevoke(t *testing.T) {
	a, b := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
	befriend(t, a, b, "SECRET")
	a.start()
	b.start()
	if err := b.line.Suspend(t.Context(), "person:x", a.name(), "key ceremony"); err != nil {
		t.Fatal(err)
	}
	a.release(Flash, a.effective("SECRET", "JPN"), a.objects(0, 1), b.name())
	eventually(t, "a reason", func() bool {
		return a.status(b.name()).Why != "on its way" && a.status(b.name()).Why != "nothing was tried since this node started"
	})
	if n := b.holds(a.name()); n != 0 {
		t.Errorf("%d came through a suspended line", n)
	}
	if err := b.line.Resume(t.Context(), "person:x", a.name()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it to arrive", func() bool { return b.holds(a.name()) == 1 })
	if err := b.line.Revoke(t.Context(), "person:x", a.name(), "left the treaty"); err != nil {
		t.Fatal(err)
	}
	a.release(Flash, a.effective("SECRET", "JPN"), a.objects(1, 1), b.name())
	eventually(t, "the refusal", func() bool { st := a.status(b.name()); return st.Waiting == 1 && st.Why != "on its way" })
	if n := b.holds(a.name()); n != 1 {
		t.Errorf("%d came through a revoked line", n)
	}
}

// A third nation checks who said what: the originator's attestation travels
// with an object that is passed on, and a recall follows it.
func TestRelayWithAttestation(t *testing.T) {
	a, b, c := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true), newTestNode(t, "DEU", true)
	befriend(t, a, b, "SECRET")
	befriend(t, b, c, "SECRET")
	befriend(t, a, c, "SECRET")
	a.start()
	b.start()
	c.start()
	items := a.release(Priority, a.effective("SECRET", "JPN", "DEU"), a.objects(0, 3), b.name())
	eventually(t, "three at b", func() bool { return b.holds(a.name()) == 3 })
	b.passOn(Priority, items, c.name())
	eventually(t, "three at c from b", func() bool { return c.holds(b.name()) == 3 })
	st := b.status(c.name())
	eventually(t, "receipts", func() bool { st = b.status(c.name()); return st.Held == 3 })
	if st.Lanes[2].Refused != 0 {
		t.Errorf("c refused %d", st.Lanes[2].Refused)
	}
	// Two hops on, c can check who said it, and a reader below its label cannot ask.
	for _, it := range items {
		row, err := c.vault.As(c.reader()).GetVersion(t.Context(), it.ID, it.Version)
		if err != nil {
			t.Fatal(err)
		}
		if said, err := c.line.SaidBy(t.Context(), c.reader(), it, row.Raw); err != nil || said == nil || said.Node != a.name() || !said.Verified {
			t.Errorf("%s was said by %+v, %v", it.ID, said, err)
		}
		if said, err := c.line.SaidBy(t.Context(), vault.Reader{ID: "public"}, it, row.Raw); err != nil || said != nil {
			t.Errorf("the public learns that %s was said by %+v, %v", it.ID, said, err)
		}
		changed := bytes.Replace(row.Raw, []byte("Operation"), []byte("Operatlon"), 1)
		if said, err := c.line.SaidBy(t.Context(), c.reader(), it, changed); err != nil || said != nil {
			t.Errorf("other bytes were said by %+v, %v", said, err)
		}
	}
	a.recall(items[:1], b.name(), "source withdrawn")
	eventually(t, "the recall at c", func() bool { return c.holds(b.name()) == 2 && b.holds(a.name()) == 2 })
}

// A partner cannot speak for another, by hand or by passing on.
func TestSpeakingForAnother(t *testing.T) {
	a, b, c := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true), newTestNode(t, "DEU", true)
	befriend(t, a, b, "SECRET")
	befriend(t, b, c, "SECRET")
	befriend(t, a, c, "SECRET")
	b.start()
	c.start()
	// b makes up objects of a.
	b.release(Priority, b.effective("SECRET", "DEU"), a.objects(0, 2), c.name())
	eventually(t, "the receipt", func() bool { return b.status(c.name()).Lanes[2].Delivered == 1 })
	if n := c.holds(b.name()); n != 0 {
		t.Errorf("c took %d objects that b made up", n)
	}
	ds, err := b.line.Receipts(t.Context(), c.name(), "", 1)
	if err != nil || len(ds) != 1 || len(ds[0].Refusals) != 2 || ds[0].Refusals[0].Code != codeCreator {
		t.Errorf("receipts %+v, %v", ds, err)
	}
}

// A courier carries files where there is no link; receipts come back the same
// way, and a file that is carried twice does nothing twice.
func TestSneakernet(t *testing.T) {
	a, b := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
	befriend(t, a, b, "SECRET")
	ctx := t.Context()
	a.release(Routine, a.effective("SECRET", "JPN"), a.objects(0, 7), b.name())
	a.release(Flash, a.effective("SECRET", "JPN"), a.objects(7, 1), b.name())
	var file bytes.Buffer
	out, err := a.line.Export(ctx, "person:x", b.name(), &file)
	if err != nil || out.Messages != 2 || out.Versions != 8 {
		t.Fatalf("%+v, %v", out, err)
	}
	for range 2 {
		in, err := b.line.Import(ctx, "person:x", bytes.NewReader(file.Bytes()))
		if err != nil || in.Messages != 2 || len(in.Refused) != 0 {
			t.Fatalf("%+v, %v", in, err)
		}
	}
	if n := b.holds(a.name()); n != 8 {
		t.Errorf("b holds %d", n)
	}
	var back bytes.Buffer
	if out, err := b.line.Export(ctx, "person:x", a.name(), &back); err != nil || out.Receipts != 2 {
		t.Fatalf("%+v, %v", out, err)
	}
	if in, err := a.line.Import(ctx, "person:x", &back); err != nil || in.Receipts != 2 || len(in.Refused) != 0 {
		t.Fatalf("%+v, %v", in, err)
	}
	if st := a.status(b.name()); st.Held != 8 || st.Waiting != 0 {
		t.Errorf("held %d, waiting %d", st.Held, st.Waiting)
	}
	// A file that was cut is taken as far as it is whole.
	a.release(Routine, a.effective("SECRET", "JPN"), a.objects(20, 1), b.name())
	file.Reset()
	if _, err := a.line.Export(ctx, "person:x", b.name(), &file); err != nil {
		t.Fatal(err)
	}
	if _, err := b.line.Import(ctx, "person:x", bytes.NewReader(file.Bytes()[:file.Len()-10])); err == nil {
		t.Error("a cut file was called whole")
	}
	if n := b.holds(a.name()); n != 9 {
		t.Errorf("b holds %d", n)
	}
}

// What waits longer than it may ends as expired, and the status says so.
func TestWaitingTooLongExpires(t *testing.T) {
	a, b := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
	befriend(t, a, b, "SECRET")
	a.release(Routine, a.effective("SECRET", "JPN"), a.objects(0, 3), b.name())
	a.line.now = func() time.Time { return time.Now().Add(31 * 24 * time.Hour) }
	a.release(Routine, a.effective("SECRET", "JPN"), a.objects(3, 1), b.name())
	if err := a.line.expire(t.Context(), b.name()); err != nil {
		t.Fatal(err)
	}
	if st := a.status(b.name()); st.Waiting != 1 || st.Lanes[3].Expired != 3 {
		t.Errorf("waiting %d, expired %d; want 1 and 3", st.Waiting, st.Lanes[3].Expired)
	}
	// One that left in time and arrives too late gets a receipt that says so.
	a.line.now = time.Now
	msg := a.message(b.name(), Routine)
	b.line.now = func() time.Time { return time.Now().Add(31 * 24 * time.Hour) }
	doc, err := b.line.receive(t.Context(), msg)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.line.settle(t.Context(), b.name(), doc); err != nil {
		t.Fatal(err)
	}
	if st := a.status(b.name()); st.Waiting != 0 || st.Held != 0 || st.Lanes[3].Expired != 4 {
		t.Errorf("waiting %d, held %d, expired %d", st.Waiting, st.Held, st.Lanes[3].Expired)
	}
}

// What a partner sent is passed on only where its originator's label allows.
func TestRelayOnlyWhereTheLabelAllows(t *testing.T) {
	a, b, c := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true), newTestNode(t, "AUS", true)
	befriend(t, a, b, "SECRET")
	befriend(t, b, c, "SECRET")
	a.start()
	b.start()
	c.start()
	items := a.release(Priority, a.effective("SECRET", "JPN"), a.objects(0, 2), b.name())
	open := a.release(Priority, a.effective("SECRET", "JPN", "AUS"), a.objects(5, 1), b.name())
	eventually(t, "three at b", func() bool { return b.holds(a.name()) == 3 })
	b.passOn(Priority, append(items, open...), c.name())
	eventually(t, "the one that may go on", func() bool { return c.holds(b.name()) == 1 })
	eventually(t, "quiet", func() bool { return b.status(c.name()).Waiting == 0 })
	if st := b.status(c.name()); st.Held != 1 || st.Lanes[2].Withheld != 2 {
		t.Errorf("held %d, withheld %d; want 1 and 2", st.Held, st.Lanes[2].Withheld)
	}
}

// Partners that have nothing to say still meet, so a status tells that the
// line works before it is needed.
func TestQuietPartnersMeet(t *testing.T) {
	a, b := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
	befriend(t, a, b, "SECRET")
	a.start()
	b.start()
	eventually(t, "contact", func() bool { return !a.status(b.name()).Contact.IsZero() && !b.status(a.name()).Contact.IsZero() })
}
