package line

import (
	"testing"
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
