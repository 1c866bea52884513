package line

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"causeway/internal/audit"
	"causeway/internal/vault"
)

var errFault = errors.New("the disk is full")

// injector decides which act of a node fails.
type injector struct {
	mu        sync.Mutex
	verb      string // "": none
	nth       int
	persisted bool
	failed    bool
}

// act is the vault's Act, but for the one that is to fail.
func (n *testNode) act(ctx context.Context, a audit.Act, do func(*vault.Tx) error) (vault.Entry, error) {
	i := &n.injector
	i.mu.Lock()
	fail := false
	if a.Verb == i.verb {
		i.nth--
		if fail = i.nth == 0; fail {
			i.verb, i.failed = "", true
		}
	}
	persisted := i.persisted
	i.mu.Unlock()
	if fail && !persisted {
		return vault.Entry{}, errFault
	}
	e, err := n.vault.Act(ctx, a, do)
	if fail && err == nil {
		return vault.Entry{}, errFault
	}
	return e, err
}

// failing makes the nth act of a verb fail, before or after it became
// durable; the empty verb makes none fail.
func (n *testNode) failing(verb string, nth int, persisted bool) (failed func() bool) {
	i := &n.injector
	i.mu.Lock()
	defer i.mu.Unlock()
	i.verb, i.nth, i.persisted, i.failed = verb, nth, persisted, false
	return func() bool {
		i.mu.Lock()
		defer i.mu.Unlock()
		return i.failed
	}
}

// At every write of outbox, inbox and receipt: one that fails and one that
// fails although it was kept both end with one copy and one receipt, and with
// logs that verify.
func TestFaultAtEachWrite(t *testing.T) {
	for _, tt := range []struct {
		side, verb string
	}{{"sender", "compose"}, {"receiver", "receive"}, {"sender", "receipt"}} {
		for nth := 1; nth <= 2; nth++ {
			for _, persisted := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %s %d persisted=%v", tt.side, tt.verb, nth, persisted), func(t *testing.T) {
					a, b := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
					a.limits.BatchItems = 2
					a.close()
					a.open()
					befriend(t, a, b, "SECRET")
					victim := a
					if tt.side == "receiver" {
						victim = b
					}
					failed := victim.failing(tt.verb, nth, persisted)
					items := a.release(Priority, a.effective("SECRET", "JPN"), a.objects(0, 2), b.name())
					items = append(items, a.release(Priority, a.effective("SECRET", "JPN"), a.objects(2, 2), b.name())...)
					b.start()
					a.start()
					eventually(t, "everything delivered", func() bool { st := a.status(b.name()); return st.Held == int64(len(items)) && st.Waiting == 0 })
					a.halt()
					b.halt()
					if !failed() {
						t.Fatal("nothing failed")
					}
					checkOnce(t, a, b, items)
				})
			}
		}
	}
}

// checkOnce checks that b has each item of a once, and a one receipt for each
// message, with both logs intact.
func checkOnce(t testing.TB, a, b *testNode, items []Item) {
	t.Helper()
	if n := b.holds(a.name()); n != int64(len(items)) {
		t.Errorf("%s holds %d of %s, want %d", b.nation, n, a.nation, len(items))
	}
	view := b.vault.As(b.reader())
	for _, it := range items {
		if _, err := view.GetVersion(context.Background(), it.ID, it.Version); err != nil {
			t.Errorf("%s at %s: %v", it.ID, b.nation, err)
		}
	}
	ds, err := a.line.Receipts(context.Background(), b.name(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	sent := map[Item]int{}
	partner, err := loadPartner(a.line.outside(context.Background()), b.name())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range ds {
		if d.Document == nil {
			t.Errorf("message %s %d of %s has no receipt", d.Precedence, d.Seq, a.nation)
			continue
		}
		if rc, _, err := openReceiptOf(partner, *d.Document); err != nil || rc.Statement != d.Statement {
			t.Errorf("the receipt of message %s %d does not verify: %v", d.Precedence, d.Seq, err)
		}
		if d.Kind == kindObjects && d.Result == Delivered {
			for _, it := range d.Items {
				sent[it]++
			}
		}
	}
	for _, it := range items {
		if sent[it] != 1 {
			t.Errorf("%s went to %s in %d delivered messages, want 1", it.ID, b.nation, sent[it])
		}
	}
	a.verified()
	b.verified()
}

// A failed release leaves nothing in the outbox; a released version is in it.
func TestReleaseAndOutboxAreOneAct(t *testing.T) {
	a, b := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
	befriend(t, a, b, "SECRET")
	_, err := a.vault.Act(t.Context(), audit.Act{Actor: "person:desk", Verb: "release"}, func(tx *vault.Tx) error {
		o := a.objects(0, 1)[0]
		out, err := tx.Put(vault.Put{Object: o, Effective: a.effective("SECRET", "JPN"), Source: "local"})
		if err != nil {
			return err
		}
		if err := a.line.Enqueue(tx, b.name(), Flash, []Item{{out[0].ID, out[0].Version}}); err != nil {
			return err
		}
		return errFault
	})
	if !errors.Is(err, errFault) {
		t.Fatal(err)
	}
	if st := a.status(b.name()); st.Waiting != 0 {
		t.Errorf("%d waiting of a release that failed", st.Waiting)
	}
	if err := enqueueTo(a, "xxx-aaaaaaaaaaaaaaaa"); !errors.Is(err, ErrNoPartner) {
		t.Errorf("a stranger: %v", err)
	}
}

func enqueueTo(n *testNode, node string) error {
	_, err := n.vault.Act(context.Background(), audit.Act{Actor: "person:desk", Verb: "release"}, func(tx *vault.Tx) error {
		return n.line.Enqueue(tx, node, Flash, []Item{{"campaign--x", "1"}})
	})
	return err
}
