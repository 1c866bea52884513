package line

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Two worlds differ in what c may not see: in one of them a also releases
// something to b, holds something secret, and had it enqueued for c by
// mistake. What reaches c is the same, but for what is random, the clock, and
// how many entries a's audit log has.
func TestTwoWorldsMessage(t *testing.T) {
	a, b, c := newTestNode(t, "BEL", true), newTestNode(t, "DEU", true), newTestNode(t, "JPN", true)
	befriend(t, a, b, "SECRET")
	befriend(t, a, c, "SECRET")
	restore := a.backup()
	see := func() (*Statement, []byte, []string) {
		a.release(Priority, a.effective("SECRET", "JPN"), a.objects(0, 3), c.name())
		msg := a.message(c.name(), Priority)
		ids, err := mustPartner(t, c, a).identities()
		if err != nil {
			t.Fatal(err)
		}
		o, err := openMessage(c.ring, ids, msg)
		if err != nil {
			t.Fatal(err)
		}
		m, err := parseManifest(o.parts[0], o.statement.Count, 1)
		if err != nil {
			t.Fatal(err)
		}
		st := o.statement
		st.Stream, st.Time, st.Expires, st.Nonce, st.Log = "", 0, 0, nil, nil
		st.Parts[0].SHA256, st.Parts[1].SHA256 = Digest{}, Digest{} // seed and signature are random
		st.Parts[1].Size = 0                                        // digits of the time
		return st, o.parts[2], m.Rules
	}
	hidden := func() {
		objs := a.objects(100, 5)
		a.release(Flash, a.effective("SECRET"), objs, b.name())
		a.release(Priority, a.effective("SECRET"), a.objects(200, 2), c.name()) // refused by the vault, not by the desk
	}
	hidden()
	st1, env1, rules1 := see()
	restore()
	st2, env2, rules2 := see()
	if d := cmp.Diff(st1, st2); d != "" {
		t.Errorf("the statements differ:\n%s", d)
	}
	if !bytes.Equal(env1, env2) {
		t.Error("the envelopes differ")
	}
	if d := cmp.Diff(rules1, rules2); d != "" {
		t.Errorf("the rules differ:\n%s", d)
	}
	if bytes.Contains(env1, []byte(b.name())) {
		t.Error("the envelope names another recipient")
	}
}

// A receipt does not tell what others gave the receiver: the same message gets
// the same words whether or not another partner sent the same version before,
// with the same content or other.
func TestTwoWorldsReceipt(t *testing.T) {
	var worlds []*Receipt
	for _, other := range []string{"nothing", "the same", "other content"} {
		a, b, c := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true), newTestNode(t, "DEU", true)
		befriend(t, a, b, "SECRET")
		befriend(t, c, b, "SECRET")
		objs := anonymous(t, "Operation One")
		switch other {
		case "the same":
			c.release(Flash, c.effective("SECRET", "JPN"), objs, b.name())
		case "other content":
			c.release(Flash, c.effective("SECRET", "JPN"), anonymous(t, "Operation Two"), b.name())
		}
		if other != "nothing" {
			if _, err := b.line.receive(t.Context(), c.message(b.name(), Flash)); err != nil {
				t.Fatal(err)
			}
		}
		a.release(Flash, a.effective("SECRET", "JPN"), objs, b.name())
		doc, err := b.line.receive(t.Context(), a.message(b.name(), Flash))
		if err != nil {
			t.Fatal(err)
		}
		rc, err := parseReceipt(doc.Body)
		if err != nil {
			t.Fatal(err)
		}
		rc.From, rc.To, rc.Statement, rc.Stream, rc.Time, rc.Log, rc.Witnessed = "", "", Digest{}, "", 0, nil, nil
		worlds = append(worlds, rc)
	}
	for _, w := range worlds[1:] {
		if d := cmp.Diff(worlds[0], w); d != "" {
			t.Errorf("receipts differ:\n%s", d)
		}
	}
}
