package line

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"slices"
	"testing"
	"time"

	"causeway/internal/vault"
)

// carriedMessage is a chain of three whose relay holds one message of a for c, and
// nobody runs.
func carriedMessage(t *testing.T) (a, b, c *testNode, msg []byte, h *Header, key string) {
	t.Helper()
	nodes := chain(t, "BEL", "JPN", "DEU")
	a, b, c = nodes[0], nodes[1], nodes[2]
	a.release(Flash, a.effective("SECRET", "JPN"), a.objects(0, 2), c.name())
	msg = a.message(c.name(), Flash)
	h, _, _, err := cutMessage(msg)
	if err != nil {
		t.Fatal(err)
	}
	b.start()
	key = streamKey(c.name(), Flash, h.Stream, h.Seq)
	k := &link{line: a.line, node: b.name()}
	defer k.close()
	if err := a.line.handOver(t.Context(), k, key, relayedRecord{}, msg); err != nil {
		t.Fatal(err)
	}
	b.halt()
	return a, b, c, msg, h, key
}

// swap makes the relay hold another message under the same name.
func (n *testNode) swap(h *Header, msg []byte) {
	n.t.Helper()
	if _, err := n.vault.Act(n.t.Context(), auditOf("test"), func(tx *vault.Tx) error {
		return tx.PutRecord(spaceTransitMessage, h.Statement.String(), msg)
	}); err != nil {
		n.t.Fatal(err)
	}
}

// A relay that changes a byte, or the outside, of what it carries changes
// nothing at the destination, and the sender sees where its message stays.
func TestAttackRelayAlters(t *testing.T) {
	for name, change := range map[string]func(msg []byte, h Header, sealed []byte) []byte{
		"a byte": func(msg []byte, _ Header, _ []byte) []byte { msg[len(msg)-40] ^= 1; return msg },
		"the precedence": func(_ []byte, h Header, sealed []byte) []byte {
			h.Precedence = Routine
			return withHeader(&h, sealed)
		},
		"the sender": func(_ []byte, h Header, sealed []byte) []byte {
			h.From = "aus" + h.From[3:]
			return withHeader(&h, sealed)
		},
		"the expiry": func(_ []byte, h Header, sealed []byte) []byte {
			h.Expires += 1000
			return withHeader(&h, sealed)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b, c, msg, h, _ := carriedMessage(t)
			_, _, sealed, err := cutMessage(msg)
			if err != nil {
				t.Fatal(err)
			}
			b.swap(h, change(bytes.Clone(msg), *h, sealed))
			for _, n := range []*testNode{a, b, c} {
				n.start()
			}
			eventually(t, "the relay to say that it is not taken", func() bool {
				r := a.status(c.name()).Route
				return len(r.At) == 1 && r.At[0].State == PassageWaiting && r.At[0].Reason == "it answers, but does not take the message"
			})
			if st := a.status(c.name()); st.Held != 0 || st.Waiting != 2 || c.holds(a.name()) != 0 {
				t.Errorf("held %d, waiting %d, at the destination %d", st.Held, st.Waiting, c.holds(a.name()))
			}
		})
	}
}

func withHeader(h *Header, sealed []byte) []byte {
	head := mustCanonical(h)
	return append(append(binary.BigEndian.AppendUint32([]byte(magic), uint32(len(head))), head...), sealed...)
}

// A relay that hands a message on again, or to somebody else, has no effect.
func TestAttackRelayReplays(t *testing.T) {
	t.Parallel()
	a, b, c, msg, h, _ := carriedMessage(t)
	d := newTestNode(t, "CAN", true)
	befriend(t, b, d, "SECRET")
	befriend(t, a, d, "SECRET")
	c.start()
	d.start()
	for range 3 {
		if code, body := b.push(c, msg); code != http.StatusOK {
			t.Fatalf("%d %s", code, body)
		}
	}
	if n := c.holds(a.name()); n != 2 {
		t.Errorf("the destination holds %d", n)
	}
	if code, _ := b.push(d, msg); code != http.StatusForbidden || d.holds(a.name()) != 0 {
		t.Errorf("another node answered %d and holds %d", code, d.holds(a.name()))
	}
	ids := mustIdentities(t, a, c)
	var replies [][]byte
	for range 2 {
		n, err := c.line.receiveRelayed(t.Context(), mustPartner(t, c, b), h, msg)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := openReply(a.ring, n.Reply, h.Statement)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := openReceipt(doc, ids[0], h.Statement); err != nil {
			t.Error(err)
		}
		replies = append(replies, doc.Body)
	}
	if !bytes.Equal(replies[0], replies[1]) {
		t.Error("a replay got another receipt")
	}
}

func mustIdentities(t *testing.T, n, other *testNode) []*Identity {
	t.Helper()
	ids, err := mustPartner(t, n, other).identities()
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// A relay that loses what it signed for is found out when it is asked, and
// gets it again; the loss is shown.
func TestAttackRelayDrops(t *testing.T) {
	t.Parallel()
	a, b, c, _, h, key := carriedMessage(t)
	if _, err := b.vault.Act(t.Context(), auditOf("test"), func(tx *vault.Tx) error {
		for space, k := range map[string]string{spaceTransit: h.Statement.String(), spaceTransitMessage: h.Statement.String(), spaceTransitQueue: transitKey(h)} {
			if err := tx.DeleteRecord(space, k); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, n := range []*testNode{a, b, c} {
		n.start()
	}
	settled(t, a, c)
	var rel relayedRecord
	if _, err := load(a.line.outside(t.Context()), spaceRelayed, key, &rel); err != nil || rel.Lost != 1 {
		t.Errorf("lost %d times, %v", rel.Lost, err)
	}
	if n := c.holds(a.name()); n != 2 {
		t.Errorf("the destination holds %d", n)
	}
}

// A relay that says it still waits, for ever, keeps nothing hidden: the sender
// sees who has its message and since when, and another relay brings it.
func TestAttackRelayWithholds(t *testing.T) {
	t.Parallel()
	a, b, c, _, _, _ := carriedMessage(t)
	e := newTestNode(t, "CAN", true)
	befriend(t, a, e, "SECRET")
	befriend(t, e, c, "SECRET")
	ctx := t.Context()
	if err := e.line.SetCarries(ctx, "person:x", a.name(), []string{c.name()}); err != nil {
		t.Fatal(err)
	}
	if err := b.line.Suspend(ctx, "person:x", c.name(), "it withholds"); err != nil {
		t.Fatal(err)
	}
	for _, n := range []*testNode{a, b, c, e} {
		n.start()
	}
	eventually(t, "the sender to see it", func() bool {
		r := a.status(c.name()).Route
		return len(r.At) == 1 && r.At[0].Node == b.name() && r.At[0].Reason != "" && !r.At[0].Since.IsZero()
	})
	if err := a.line.SetRoute(ctx, "person:x", c.name(), e.name()); err != nil {
		t.Fatal(err)
	}
	settled(t, a, c)
	if n := c.holds(a.name()); n != 2 {
		t.Errorf("the destination holds %d", n)
	}
}

// Only the destination's own receipt ends a message, whatever a relay gives.
func TestAttackRelayForges(t *testing.T) {
	t.Parallel()
	a, b, c, msg, h, key := carriedMessage(t)
	ctx := t.Context()
	b.line.setStuck(c.name(), nil)
	seal := func(k *Keys, change func(*Receipt)) *Reply {
		rc := &Receipt{To: a.name(), Statement: h.Statement, Precedence: Flash, Stream: h.Stream, Seq: h.Seq, Result: Delivered, Held: 2, Time: millis(time.Now())}
		change(rc)
		doc, err := signReceipt(k, rc)
		if err != nil {
			t.Fatal(err)
		}
		re, err := sealReply(a.line.Self(), h.Statement, doc)
		if err != nil {
			t.Fatal(err)
		}
		return re
	}
	word := func(k *Keys, state, next, to string, statement Digest) Document {
		w := passageOf(h, state)
		w.Statement, w.Next, w.Since, w.Time = statement, next, millis(time.Now()), millis(time.Now())
		doc, err := w.sign(k, to)
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	mine, theirs := b.ring.Current(), c.ring.Current()
	passed := word(mine, PassagePassed, c.name(), a.name(), h.Statement)
	honest := word(theirs, PassageArrived, "", b.name(), h.Statement)
	forged := honest
	forged.Signatures = passed.Signatures
	other := Digest(sha256.Sum256([]byte("another message")))
	otherReply := seal(theirs, func(*Receipt) {})
	otherReply.Statement = other
	old := func() *Reply {
		doc, err := theirs.document(typeStanding, mustCanonical(Standing{V: 1, From: c.name(), Generation: 1, To: a.name(), Precedence: Flash, Time: 1}))
		if err != nil {
			t.Fatal(err)
		}
		re, err := sealReply(a.line.Self(), h.Statement, doc)
		if err != nil {
			t.Fatal(err)
		}
		return re
	}()
	if _, err := a.vault.Act(ctx, auditOf("test"), func(tx *vault.Tx) error {
		p, err := loadPartner(tx, c.name())
		if err != nil {
			return err
		}
		p.Standing = 2
		return save(tx, spacePartner, c.name(), p)
	}); err != nil {
		t.Fatal(err)
	}
	for name, n := range map[string]news{
		"its own receipt":                      {Words: []Document{passed, honest}, Reply: seal(mine, func(*Receipt) {})},
		"its own receipt in the other's name":  {Words: []Document{passed, honest}, Reply: seal(mine, func(rc *Receipt) { rc.From = c.name() })},
		"a receipt for another message":        {Words: []Document{passed, honest}, Reply: seal(theirs, func(rc *Receipt) { rc.Statement = other })},
		"a receipt for another node":           {Words: []Document{passed, honest}, Reply: seal(theirs, func(rc *Receipt) { rc.To = b.name() })},
		"a reply to another message":           {Words: []Document{passed, honest}, Reply: otherReply},
		"how far the other came, long ago":     {Words: []Document{word(mine, PassageWaiting, "", a.name(), h.Statement)}, Reply: old},
		"the destination's word, forged":       {Words: []Document{passed, forged}},
		"the destination's word, and no reply": {Words: []Document{passed, honest}},
		"its own word, arrived":                {Words: []Document{word(mine, PassageArrived, "", a.name(), h.Statement)}},
		"its own word, for another node":       {Words: []Document{word(mine, PassageWaiting, "", c.name(), h.Statement)}},
		"its own word, on another message":     {Words: []Document{word(mine, PassageWaiting, "", a.name(), other)}},
		"words out of order":                   {Words: []Document{honest, passed}},
	} {
		n.Statement, n.Mark = h.Statement, 99
		rec := handedRecord{Sent: key, Mark: 1}
		if err := a.line.heard(ctx, b.name(), rec, &n); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var rel relayedRecord
		if _, err := load(a.line.outside(ctx), spaceRelayed, key, &rel); err != nil {
			t.Fatal(err)
		}
		if wantDoubt := name != "the destination's word, and no reply"; (rel.Doubt != "") != wantDoubt {
			t.Errorf("%s: the doubt shown is %q", name, rel.Doubt)
		}
		if st := a.status(c.name()); st.Held != 0 || st.Waiting != 2 {
			t.Fatalf("%s: held %d, waiting %d", name, st.Held, st.Waiting)
		}
	}
	// The true one ends it.
	n, err := c.line.receiveRelayed(ctx, mustPartner(t, c, b), h, msg)
	if err != nil {
		t.Fatal(err)
	}
	n.Words = slices.Insert(n.Words, 0, passed)
	if err := a.line.heard(ctx, b.name(), handedRecord{Sent: key}, n); err != nil {
		t.Fatal(err)
	}
	if st := a.status(c.name()); st.Held != 2 || st.Waiting != 0 {
		t.Errorf("held %d, waiting %d", st.Held, st.Waiting)
	}
}

// A relay believes no word of arrival but the destination's.
func TestAttackArrivalForged(t *testing.T) {
	t.Parallel()
	a, b, c, _, h, _ := carriedMessage(t)
	d := newTestNode(t, "CAN", true)
	befriend(t, b, d, "SECRET")
	b.start()
	w := passageOf(h, PassageArrived)
	w.Destination = d.name()
	doc, err := w.sign(d.ring.Current(), b.name())
	if err != nil {
		t.Fatal(err)
	}
	body := mustCanonical(news{Statement: h.Statement, Words: []Document{doc}})
	if code, text := d.request(b, http.MethodPost, pathArrived, body, nil); code != http.StatusForbidden {
		t.Errorf("a stranger's word was answered %d %s", code, text)
	}
	if code, text := d.request(b, http.MethodDelete, pathRelay+h.Statement.String(), nil, nil); code != http.StatusNoContent {
		t.Errorf("%d %s", code, text)
	}
	if code, text := d.request(b, http.MethodPost, pathNews, mustCanonical(newsRequest{Questions: []newsQuestion{{Statement: h.Statement}}}), nil); code != http.StatusOK || bytes.Contains(text, []byte("words")) {
		t.Errorf("another partner asks after a message and gets %d %s", code, text)
	}
	left, err := b.line.Transits(t.Context())
	if err != nil || len(left) != 1 || left[0].From != a.name() || left[0].To != c.name() {
		t.Errorf("the relay carries %+v, %v", left, err)
	}
}
