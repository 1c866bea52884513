package line

import (
	"os"
	"testing"
)

// backup copies a closed node's store and gives the way back to it.
func (n *testNode) backup() (restore func()) {
	n.t.Helper()
	n.close()
	kept := n.t.TempDir()
	if err := os.CopyFS(kept, os.DirFS(n.dir)); err != nil {
		n.t.Fatal(err)
	}
	n.open()
	return func() {
		n.t.Helper()
		n.close()
		entries, err := os.ReadDir(n.dir)
		if err != nil {
			n.t.Fatal(err)
		}
		for _, e := range entries {
			if err := os.RemoveAll(n.dir + "/" + e.Name()); err != nil {
				n.t.Fatal(err)
			}
		}
		if err := os.CopyFS(n.dir, os.DirFS(kept)); err != nil {
			n.t.Fatal(err)
		}
		n.open()
	}
}

// A receiver that forgot its last hour is found out by its own receipts, and
// gets what it lost again.
func TestReceiverRestoredFromBackup(t *testing.T) {
	a, b := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
	befriend(t, a, b, "SECRET")
	a.start()
	b.start()
	send := func(from, n int) { a.release(Priority, a.effective("SECRET", "JPN"), a.objects(from, n), b.name()) }
	send(0, 2)
	eventually(t, "receipts", func() bool { return a.status(b.name()).Held == 2 })
	restore := b.backup()
	b.start()
	send(2, 1)
	eventually(t, "a receipt, with the log of before", func() bool { return a.status(b.name()).Held == 3 })
	send(3, 1)
	eventually(t, "receipts", func() bool { return a.status(b.name()).Held == 4 })
	a.halt() // the next exchange begins anew, as it would after the outage
	restore()
	if n := b.holds(a.name()); n != 2 {
		t.Fatalf("the backup has %d", n)
	}
	b.start()
	a.start()
	send(4, 1)
	eventually(t, "everything at b again", func() bool { return b.holds(a.name()) == 5 })
	eventually(t, "receipts", func() bool { st := a.status(b.name()); return st.Waiting == 0 && st.Held == 5 })
	st := a.status(b.name())
	if len(st.Repairs) != 1 || st.Repairs[0].Lost != b.name() || st.Repairs[0].Resent != 2 {
		t.Errorf("repairs %+v", st.Repairs)
	}
	if st.Fork == nil {
		t.Error("the log that was set back is not shown")
	}
	if err := a.line.ClearFork(t.Context(), "person:x", b.name()); err != nil {
		t.Fatal(err)
	}
	b.halt()
	b.verified()
}

// A receiver that lost everything but its keys and its partners gets
// everything again.
func TestReceiverForgotTheWholeStream(t *testing.T) {
	a, b := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
	befriend(t, a, b, "SECRET")
	restore := b.backup()
	a.start()
	b.start()
	a.release(Priority, a.effective("SECRET", "JPN"), a.objects(0, 3), b.name())
	eventually(t, "receipts", func() bool { return a.status(b.name()).Held == 3 })
	a.halt()
	restore()
	b.start()
	a.start()
	a.release(Priority, a.effective("SECRET", "JPN"), a.objects(3, 1), b.name())
	eventually(t, "everything at b again", func() bool { return b.holds(a.name()) == 4 })
	eventually(t, "receipts", func() bool { st := a.status(b.name()); return st.Waiting == 0 && st.Held == 4 })
}

// A sender that forgot its last hour learns so from its partner, does not
// reuse numbers, and gets back what it made in that hour.
func TestSenderRestoredFromBackup(t *testing.T) {
	a, b := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
	befriend(t, a, b, "SECRET")
	// Each side may hold the other's national releases.
	a.start()
	b.start()
	eff := a.effective("SECRET", "JPN")
	a.release(Priority, eff, a.objects(0, 2), b.name())
	eventually(t, "receipts", func() bool { return a.status(b.name()).Held == 2 })
	restore := a.backup()
	a.start()
	a.release(Priority, eff, a.objects(2, 2), b.name())
	eventually(t, "receipts", func() bool { return a.status(b.name()).Held == 4 })
	restore()
	a.start()
	a.release(Priority, eff, a.objects(10, 1), b.name())
	eventually(t, "the new one at b", func() bool { return b.holds(a.name()) == 5 })
	eventually(t, "the lost ones back at a", func() bool { return a.holds(b.name()) == 2 })
	eventually(t, "receipts", func() bool { return a.status(b.name()).Waiting == 0 && b.status(a.name()).Waiting == 0 })
	st := a.status(b.name())
	if len(st.Repairs) != 1 || st.Repairs[0].Lost != a.name() {
		t.Errorf("repairs %+v", st.Repairs)
	}
	a.halt()
	b.halt()
	a.verified()
	b.verified()
}
