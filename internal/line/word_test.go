package line

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"causeway/internal/audit"
	"causeway/internal/vault"
)

const spaceWords = "test.words"

// listening makes a node keep every word it is given, but refuse "no".
func (n *testNode) listening() {
	listen := func(tx *vault.Tx, p Partner, body []byte) (string, error) {
		if string(body) == "no" {
			return "not this one", nil
		}
		key := p.NodeID + "/" + string(body)
		var count int
		if _, err := load(tx, spaceWords, key, &count); err != nil {
			return "", err
		}
		return "", save(tx, spaceWords, key, count+1)
	}
	n.line.words = map[WordKind]Listener{ClearanceWord: listen}
}

// say enqueues words in one act.
func (n *testNode) say(to string, p Precedence, words ...string) error {
	_, err := n.line.commit(context.Background(), audit.Act{Actor: "person:desk", Verb: "attest"}, func(tx *vault.Tx) error {
		for _, w := range words {
			if err := n.line.EnqueueWord(tx, to, ClearanceWord, p, "serial-"+w, []byte(w)); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// heard lists the words a node kept and how often each took effect.
func (n *testNode) heard(from string) (out []string) {
	n.t.Helper()
	err := n.vault.ScanRecords(context.Background(), spaceWords, from+"/", func(key string, b []byte) error {
		out = append(out, strings.TrimPrefix(key, from+"/")+" "+string(b))
		return nil
	})
	if err != nil {
		n.t.Fatal(err)
	}
	return out
}

// settled gives the result of the receipt for each word.
func (n *testNode) settled(to string) map[string]string {
	n.t.Helper()
	ds, err := n.line.Receipts(context.Background(), to, "", 0)
	if err != nil {
		n.t.Fatal(err)
	}
	out := map[string]string{}
	for _, d := range ds {
		if d.Kind == string(ClearanceWord) {
			out[d.Items[0].ID] = d.Result
		}
	}
	return out
}

// At every write of a word: one that fails, and one that fails although it was
// kept, both end with one effect and one receipt.
func TestWordFaultAtEachWrite(t *testing.T) {
	for _, tt := range []struct {
		side, verb string
	}{{"sender", "attest"}, {"sender", "compose"}, {"receiver", "receive"}, {"sender", "receipt"}} {
		for _, persisted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s %s persisted=%v", tt.side, tt.verb, persisted), func(t *testing.T) {
				a, b := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
				befriend(t, a, b, "SECRET")
				b.listening()
				victim := a
				if tt.side == "receiver" {
					victim = b
				}
				failed := victim.failing(tt.verb, 1, persisted)
				want := []string{"one 1", "two 1"}
				if err := a.say(b.name(), Priority, "one"); tt.verb == "attest" {
					if !errors.Is(err, errFault) {
						t.Fatal(err)
					}
					if !persisted {
						want = want[1:]
					}
				} else if err != nil {
					t.Fatal(err)
				}
				if err := a.say(b.name(), Flash, "two", "no"); err != nil {
					t.Fatal(err)
				}
				b.start()
				a.start()
				eventually(t, "every word has its receipt", func() bool {
					got := a.settled(b.name())
					return len(got) == len(want)+1 && !slices.Contains(slices.Collect(maps.Values(got)), "")
				})
				a.halt()
				b.halt()
				if !failed() {
					t.Fatal("nothing failed")
				}
				if got := b.heard(a.name()); !slices.Equal(got, want) {
					t.Errorf("heard %q, want %q", got, want)
				}
				for word, result := range a.settled(b.name()) {
					if (result == Refused) != (word == "serial-no") {
						t.Errorf("%s: %s", word, result)
					}
				}
				a.verified()
				b.verified()
			})
		}
	}
}

// A word is the sender's own, and only a node that knows words is sent one.
func TestWordIsTheSendersOwn(t *testing.T) {
	a, b, c := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true), newTestNode(t, "AUS", true)
	befriend(t, a, b, "SECRET")
	befriend(t, a, c, "SECRET")
	befriend(t, c, b, "SECRET")
	partner, err := loadPartner(b.line.outside(t.Context()), a.name())
	if err != nil {
		t.Fatal(err)
	}
	own, err := a.line.Sign(string(ClearanceWord), []byte("mine"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := c.line.Sign(string(ClearanceWord), []byte("of another"))
	if err != nil {
		t.Fatal(err)
	}
	kind, err := a.line.Sign("clearance-x", []byte("of another kind"))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := wordOf(partner, string(ClearanceWord), own); err != nil || string(body) != "mine" {
		t.Errorf("%q, %v", body, err)
	}
	for name, part := range map[string][]byte{"another node's": other, "another kind": kind, "nothing": nil, "changed": append(own[:len(own)-1:len(own)-1], 'x')} {
		if _, err := wordOf(partner, string(ClearanceWord), part); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := a.vault.Act(t.Context(), audit.Act{Actor: "person:test", Verb: "age"}, func(tx *vault.Tx) error {
		p, err := loadPartner(tx, b.name())
		if err != nil {
			return err
		}
		p.Versions = [2]int{1, 1}
		return savePartner(tx, p, false)
	}); err != nil {
		t.Fatal(err)
	}
	if err := a.say(b.name(), Flash, "one"); err == nil || !strings.Contains(err.Error(), "has to be updated") {
		t.Error("a word for a node that knows none:", err)
	}
	st := Statement{V: 1, Kind: string(ClearanceWord)}
	if err := st.check(); err == nil || !strings.Contains(err.Error(), "not of protocol version 1") {
		t.Error(err)
	}
	if err := a.say("xxx-aaaaaaaaaaaaaaaa", Flash, "one"); !errors.Is(err, ErrNoPartner) {
		t.Error(err)
	}
}

// A node that is given no room for words refuses them, with a receipt.
func TestWordNobodyTakes(t *testing.T) {
	a, b := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
	befriend(t, a, b, "SECRET")
	if err := a.say(b.name(), Routine, "one"); err != nil {
		t.Fatal(err)
	}
	b.start()
	a.start()
	eventually(t, "a receipt", func() bool { return a.settled(b.name())["serial-one"] == Refused })
}
