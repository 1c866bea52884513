package line

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// pair is two befriended nodes of which b serves; a's messages are handed to
// it by hand.
func attackPair(t *testing.T) (a, b *testNode) {
	t.Helper()
	a, b = newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
	befriend(t, a, b, "SECRET")
	b.start()
	return a, b
}

// message composes the next message of a lane and gives it.
func (n *testNode) message(to string, p Precedence) []byte {
	n.t.Helper()
	msg, _, err := n.line.oldest(n.t.(*testing.T).Context(), to, p)
	if err != nil || msg == nil {
		n.t.Fatalf("no message: %v", err)
	}
	return msg
}

// request speaks to another node as n, with n's own key.
func (n *testNode) request(to *testNode, method, path string, body []byte, head map[string]string) (int, []byte) {
	n.t.Helper()
	p, err := loadPartner(n.line.outside(context.Background()), to.name())
	if err != nil {
		n.t.Fatal(err)
	}
	client, err := n.line.client(p)
	if err != nil {
		n.t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	req, err := http.NewRequest(method, "https://"+to.address+path, bytes.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	for k, v := range head {
		req.Header.Set(k, v)
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, []byte(err.Error())
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, b
}

// push hands a message over as n.
func (n *testNode) push(to *testNode, msg []byte) (int, []byte) {
	n.t.Helper()
	digest := sha256.Sum256(msg)
	if h, _, _, err := cutMessage(msg); err == nil {
		digest = h.Statement
	}
	return n.request(to, http.MethodPut, pathMessage+Digest(digest).String(), msg,
		map[string]string{headerOffset: "0", headerLength: strconv.Itoa(len(msg))})
}

func TestAttackReplay(t *testing.T) {
	a, b := attackPair(t)
	c := newTestNode(t, "DEU", true)
	befriend(t, a, c, "SECRET")
	c.start()
	a.release(Flash, a.effective("SECRET", "JPN"), a.objects(0, 1), b.name())
	msg := a.message(b.name(), Flash)
	code, first := a.push(b, msg)
	if code != http.StatusOK {
		t.Fatalf("%d %s", code, first)
	}
	for range 3 {
		if code, again := a.push(b, msg); code != http.StatusOK || !bytes.Equal(first, again) {
			t.Errorf("a replay was answered %d, with another receipt: %v", code, !bytes.Equal(first, again))
		}
	}
	if n := b.holds(a.name()); n != 1 {
		t.Errorf("b holds %d", n)
	}
	if code, _ := a.push(c, msg); code != http.StatusForbidden {
		t.Errorf("a message for b was answered %d by c", code)
	}
}

func TestAttackReorder(t *testing.T) {
	a, b := attackPair(t)
	a.limits.BatchItems = 1
	a.close()
	a.open()
	a.release(Routine, a.effective("SECRET", "JPN"), a.objects(0, 1), b.name())
	a.release(Routine, a.effective("SECRET", "JPN"), a.objects(1, 1), b.name())
	var msgs [][]byte
	for i := range 2 {
		if made, err := a.line.compose(t.Context(), b.name(), Routine); err != nil || !made {
			t.Fatal(made, err)
		}
		msg, ok, err := a.vault.Record(t.Context(), spaceMessage, seqKey(b.name(), Routine, int64(i+1)))
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		msgs = append(msgs, msg)
	}
	if code, body := a.push(b, msgs[1]); code != http.StatusConflict || !strings.Contains(string(body), `"gap"`) {
		t.Errorf("the second before the first was answered %d %s", code, body)
	}
	if n := b.holds(a.name()); n != 0 {
		t.Errorf("b holds %d", n)
	}
	for i, m := range msgs {
		if code, body := a.push(b, m); code != http.StatusOK {
			t.Errorf("message %d: %d %s", i+1, code, body)
		}
	}
	if n := b.holds(a.name()); n != 2 {
		t.Errorf("b holds %d", n)
	}
}

func TestAttackDowngrade(t *testing.T) {
	a, b := attackPair(t)
	p, err := loadPartner(a.line.outside(t.Context()), b.name())
	if err != nil {
		t.Fatal(err)
	}
	ids, err := p.identities()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*tls.Config){
		"TLS 1.2":              func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12 },
		"classical exchange":   func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP256} },
		"no certificate":       func(c *tls.Config) { c.Certificates = nil },
		"a stranger's key":     func(c *tls.Config) { c.Certificates = []tls.Certificate{newTestRing(t, "FRA").Current().cert} },
		"as it should be (ok)": func(*tls.Config) {},
	} {
		c := a.line.clientTLS(p, ids)
		c.NextProtos = []string{"http/1.1"}
		change(c)
		conn, err := tls.Dial("tcp", b.address, c)
		if err == nil { // the server judges the client's certificate after the client is done
			_, err = io.WriteString(conn, "GET "+pathState+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			if err == nil {
				var answer []byte
				answer, err = io.ReadAll(conn)
				if err == nil && len(answer) == 0 {
					err = io.ErrUnexpectedEOF
				}
			}
			conn.Close()
		}
		if ok := strings.HasSuffix(name, "(ok)"); (err == nil) != ok {
			t.Errorf("%s: error %v", name, err)
		}
	}
	// Algorithms and versions are the receiver's, not the message's.
	st := testStatement(a.ring, b.ring)
	st.V = newestVersion + 1
	if _, err := parseStatement(mustCanonical(st)); err == nil {
		t.Error("a statement of an unknown version was read")
	}
	if _, err := negotiate(newestVersion+1, newestVersion+2); err == nil {
		t.Error("a partner that speaks only later versions was accepted")
	}
}

// relayed builds c's view of a message in which b passes on a's objects, after
// change has worked on the manifest and the parts.
func relayed(t *testing.T, change func(m *manifest, docs *[]Document, raws [][]byte)) *Receipt {
	t.Helper()
	a, b, c := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true), newTestNode(t, "DEU", true)
	befriend(t, a, b, "SECRET")
	befriend(t, b, c, "SECRET")
	befriend(t, a, c, "SECRET")
	ctx := t.Context()
	items := a.release(Priority, a.effective("SECRET", "JPN"), a.objects(0, 2), b.name())
	if _, err := b.line.receive(ctx, a.message(b.name(), Priority)); err != nil {
		t.Fatal(err)
	}
	b.passOn(Priority, items, c.name())
	d, err := b.line.draft(ctx, mustPartner(t, b, c), Priority)
	if err != nil {
		t.Fatal(err)
	}
	raws, err := cutEnvelope(d.parts[2])
	if err != nil {
		t.Fatal(err)
	}
	var docs []Document
	if err := decodeCanonical(d.parts[1], maxBody, &docs); err != nil {
		t.Fatal(err)
	}
	m, err := parseManifest(d.parts[0], len(raws), len(docs))
	if err != nil {
		t.Fatal(err)
	}
	bytesOf := make([][]byte, len(raws))
	for i := range raws {
		bytesOf[i] = raws[i]
	}
	change(m, &docs, bytesOf)
	d.parts = [][]byte{mustCanonical(m), mustCanonical(docs), writeEnvelope(bytesOf)}
	lane := laneRecord{Stream: newStream()}
	msg, _, err := b.line.sealDraft(ctx, mustPartner(t, b, c), Priority, &lane, d)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := c.line.receive(ctx, msg)
	if err != nil {
		t.Fatal(err)
	}
	rc, err := parseReceipt(doc.Body)
	if err != nil {
		t.Fatal(err)
	}
	if n := c.holds(b.name()); n != int64(rc.Held) {
		t.Errorf("c holds %d and says %d", n, rc.Held)
	}
	return rc
}

func mustPartner(t *testing.T, n, other *testNode) *partnerRecord {
	t.Helper()
	p, err := loadPartner(n.line.outside(t.Context()), other.name())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAttackRelabelled(t *testing.T) {
	if rc := relayed(t, func(*manifest, *[]Document, [][]byte) {}); rc.Held != 2 || rc.Refused != 0 {
		t.Fatalf("left alone: held %d, refused %d", rc.Held, rc.Refused)
	}
	for name, tt := range map[string]struct {
		change func(m *manifest, docs *[]Document, raws [][]byte)
		code   string
	}{
		"a wider rule":            {func(m *manifest, _ *[]Document, _ [][]byte) { m.Rules[0] = "everyone" }, codeOrigin},
		"the attestation is gone": {func(m *manifest, d *[]Document, _ [][]byte) { stripAttestations(m); *d = []Document{} }, codeCreator},
		"another leaf":            {func(m *manifest, _ *[]Document, _ [][]byte) { m.Carried[0].Leaf, m.Carried[1].Leaf = 1, 0 }, codeOrigin},
		"changed bytes": {func(_ *manifest, _ *[]Document, raws [][]byte) {
			for i := range raws {
				raws[i] = bytes.Replace(raws[i], []byte("Operation"), []byte("Operatlon"), 1)
			}
		}, codeOrigin},
	} {
		rc := relayed(t, tt.change)
		if rc.Held != 0 || rc.Refused != 2 || rc.Refusals[0].Code != tt.code {
			t.Errorf("%s: held %d, refused %d: %+v", name, rc.Held, rc.Refused, rc.Refusals)
		}
	}
}

func stripAttestations(m *manifest) {
	for i := range m.Carried {
		m.Carried[i] = carried{Rule: m.Carried[i].Rule, Attestation: -1}
	}
}

func TestAttackForgedReceipt(t *testing.T) {
	a, b := attackPair(t)
	c := newTestNode(t, "DEU", true)
	befriend(t, a, c, "SECRET")
	items := a.release(Flash, a.effective("SECRET", "JPN"), a.objects(0, 1), b.name())
	msg := a.message(b.name(), Flash)
	h, _, _, err := cutMessage(msg)
	if err != nil {
		t.Fatal(err)
	}
	forge := func(k *Keys, change func(*Receipt)) SignedReceipt {
		rc := &Receipt{To: a.name(), Statement: h.Statement, Precedence: Flash, Stream: h.Stream, Seq: h.Seq, Result: Delivered, Held: len(items), Time: millis(time.Now())}
		change(rc)
		doc, err := signReceipt(k, rc)
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	tampered := forge(b.ring.Current(), func(rc *Receipt) { rc.Result, rc.Held = Refused, 0 })
	tampered.Body = bytes.Replace(tampered.Body, []byte("refused"), []byte("expired"), 1)
	for name, doc := range map[string]SignedReceipt{
		"signed by another node": forge(c.ring.Current(), func(*Receipt) {}),
		"of another message":     forge(b.ring.Current(), func(rc *Receipt) { rc.Statement = sha256.Sum256([]byte("x")) }),
		"for another node":       forge(b.ring.Current(), func(rc *Receipt) { rc.To = c.name() }),
		"changed afterwards":     tampered,
		"of a later message":     forge(b.ring.Current(), func(rc *Receipt) { rc.Seq++ }),
	} {
		if err := a.line.settle(t.Context(), b.name(), doc); err == nil {
			t.Errorf("a receipt %s was taken", name)
		}
	}
	if st := a.status(b.name()); st.Held != 0 || st.Waiting != 1 {
		t.Errorf("held %d, waiting %d", st.Held, st.Waiting)
	}
	if err := a.line.settle(t.Context(), b.name(), forge(b.ring.Current(), func(*Receipt) {})); err != nil {
		t.Errorf("the true receipt: %v", err)
	}
}

// A partner that takes a message and gives no receipt gets it again, until
// the receipt is there; meanwhile the status says what waits and why.
func TestAttackWithheldReceipt(t *testing.T) {
	a, b := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
	befriend(t, a, b, "SECRET")
	ln, err := net.Listen("tcp", b.address)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{TLSConfig: b.line.serverTLS(), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPut {
			b.line.Handler().ServeHTTP(w, r)
			return
		}
		msg, err := io.ReadAll(r.Body)
		if err == nil {
			_, err = b.line.receive(r.Context(), msg)
		}
		if err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusNoContent) // and says nothing
	})}
	go srv.Serve(tls.NewListener(ln, srv.TLSConfig))
	a.start()
	a.release(Flash, a.effective("SECRET", "JPN"), a.objects(0, 1), b.name())
	eventually(t, "b to have it", func() bool { return b.holds(a.name()) == 1 })
	eventually(t, "a reason", func() bool {
		st := a.status(b.name())
		return st.Waiting == 1 && st.Why != "on its way" && st.Held == 0
	})
	srv.Close()
	b.start()
	eventually(t, "the receipt", func() bool { return a.status(b.name()).Held == 1 })
	if n := b.holds(a.name()); n != 1 {
		t.Errorf("b holds %d", n)
	}
}

// Two views of one log: b shows c another history than a, and it is found by
// either as soon as b goes on from the wrong one.
func TestAttackSplitView(t *testing.T) {
	a, b := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
	befriend(t, a, b, "SECRET")
	restore := b.backup()
	a.start()
	b.start()
	a.release(Flash, a.effective("SECRET", "JPN"), a.objects(0, 1), b.name())
	eventually(t, "a receipt", func() bool { return a.status(b.name()).Held == 1 && a.status(b.name()).Seen.Size > 0 })
	a.release(Flash, a.effective("SECRET", "JPN"), a.objects(1, 1), b.name())
	eventually(t, "another", func() bool { return a.status(b.name()).Held == 2 })
	if st := a.status(b.name()); st.Fork != nil {
		t.Fatalf("a fork where there is none: %v", st.Fork)
	}
	// The other history: the same log, continued in another way.
	restore()
	for range 20 {
		if _, err := b.vault.Act(t.Context(), auditOf("something else"), nil); err != nil {
			t.Fatal(err)
		}
	}
	b.start()
	a.release(Flash, a.effective("SECRET", "JPN"), a.objects(2, 1), b.name())
	eventually(t, "the fork", func() bool { return a.status(b.name()).Fork != nil })
}

func TestAttackInvitationTwice(t *testing.T) {
	a, b, c := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true), newTestNode(t, "DEU", true)
	ctx := t.Context()
	_, file, err := a.line.Invite(ctx, "person:a")
	if err != nil {
		t.Fatal(err)
	}
	first, err := b.line.Accept(ctx, "person:b", file)
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.line.Accept(ctx, "person:c", file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.line.Accept(ctx, "person:a", first.Answer); err != nil {
		t.Fatal(err)
	}
	if _, err := a.line.Accept(ctx, "person:a", second.Answer); !errors.Is(err, ErrInvitation) {
		t.Errorf("the second answer: %v", err)
	}
	if _, err := a.line.Accept(ctx, "person:a", first.Answer); !errors.Is(err, ErrInvitation) {
		t.Errorf("the first answer again: %v", err)
	}
	all, err := a.line.Partners(ctx)
	if err != nil || len(all) != 1 || all[0].NodeID != b.name() {
		t.Errorf("partners %v, %v", all, err)
	}
}

func TestAttackEndlessBody(t *testing.T) {
	a, b := attackPair(t)
	msg := bytes.Repeat([]byte{0}, 1000)
	path := pathMessage + strings.Repeat("ab", 32)
	for name, tt := range map[string]struct {
		head map[string]string
		code int
	}{
		"longer than any message": {map[string]string{headerOffset: "0", headerLength: strconv.Itoa(maxMessage + 1)}, http.StatusBadRequest},
		"no length":               {map[string]string{headerOffset: "0"}, http.StatusBadRequest},
		"beyond what it states":   {map[string]string{headerOffset: "0", headerLength: "10"}, http.StatusBadRequest},
		"from where nothing is":   {map[string]string{headerOffset: "500", headerLength: "1000"}, http.StatusConflict},
		"negative":                {map[string]string{headerOffset: "-5", headerLength: "1000"}, http.StatusBadRequest},
	} {
		if code, body := a.request(b, http.MethodPut, path, msg, tt.head); code != tt.code {
			t.Errorf("%s: %d %s, want %d", name, code, body, tt.code)
		}
	}
	if code, body := a.request(b, http.MethodPut, pathMessage+"../../etc/passwd", msg, map[string]string{headerOffset: "0", headerLength: "1000"}); code == http.StatusOK {
		t.Errorf("a path outside: %d %s", code, body)
	}
}

// A body that trickles is cut off; what came is kept for a later attempt.
func TestAttackSlowBody(t *testing.T) {
	a, b := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
	b.limits.Rate, b.limits.Grace = 1<<20, 50*time.Millisecond
	b.close()
	b.open()
	befriend(t, a, b, "SECRET")
	b.start()
	p := mustPartner(t, a, b)
	client, err := a.line.client(p)
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	digest := strings.Repeat("ab", 32)
	body, feed := io.Pipe()
	req, err := http.NewRequest(http.MethodPut, "https://"+b.address+pathMessage+digest, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(headerOffset, "0")
	req.Header.Set(headerLength, "100000")
	go feed.Write(make([]byte, 300)) // and then nothing
	res, err := client.Do(req)
	feed.Close()
	if err == nil {
		res.Body.Close()
		if res.StatusCode == http.StatusOK {
			t.Error("a body that trickled was taken")
		}
	}
	eventually(t, "what came to be kept", func() bool { n, err := b.line.parts.size(a.name(), digest); return err == nil && n == 300 })
}

// A body that unpacks to far more than was signed costs what was signed.
func TestAttackDecompressionBomb(t *testing.T) {
	a, b := newTestRing(t, "BEL"), newTestRing(t, "JPN")
	st := testStatement(a, b)
	msg, _, err := sealMessage(a.Current(), b.Current().Identity, st, [][]byte{make([]byte, 60<<20)})
	if err != nil {
		t.Fatal(err)
	}
	if len(msg) > 1<<20 {
		t.Fatalf("the bomb has %d bytes and is none", len(msg))
	}
	if _, err := openMessage(b, []*Identity{a.Current().Identity}, msg); err != nil {
		t.Fatalf("within the limit: %v", err)
	}
	st.Parts = nil
	st.setParts([][]byte{make([]byte, 10)})
	bomb := compressor.EncodeAll(make([]byte, 60<<20), nil)
	if _, err := decompress(bomb, st); err == nil {
		t.Error("60 MiB came out where 10 bytes were signed")
	}
	st.setParts([][]byte{make([]byte, maxBody+1)})
	if err := st.check(); err == nil {
		t.Error("a statement may announce more than the limit")
	}
}

// Quotas push back with a time to come again, and the sender waits.
func TestQuotaPushesBack(t *testing.T) {
	a, b := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
	b.limits.BytesPerHour = 100
	b.close()
	b.open()
	befriend(t, a, b, "SECRET")
	a.start()
	b.start()
	a.release(Flash, a.effective("SECRET", "JPN"), a.objects(0, 1), b.name())
	eventually(t, "the reason", func() bool { return strings.Contains(a.status(b.name()).Why, "used up") })
	if n := b.holds(a.name()); n != 0 {
		t.Errorf("b holds %d", n)
	}
}
