package line

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"causeway/stix"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "make the test vectors of docs/protocol/vectors anew")

// vectorFile is where the vectors lie. CAUSEWAY_VECTORS names another folder:
// "make test-peers" has fresh ones made there, with a message of several
// chunks, that it does not keep.
func vectorFile() string {
	return filepath.Join(or(os.Getenv("CAUSEWAY_VECTORS"), filepath.Join("..", "..", "docs", "protocol", "vectors")), "line.json")
}

// vectors is everything that docs/protocol/line.md describes, once, with what
// a reader has to find in it. Byte strings are base64. Node a writes to c, and
// to b; b passes on to c what a made, and carries what a sealed to c.
type vectors struct {
	About      string                      `json:"about"`
	Identities map[string][]SignedIdentity `json:"identities"` // oldest first
	Secrets    map[string][][]byte         `json:"secrets"`    // HPKE private keys: 32-byte seeds, oldest first
	Invitation vectorInvitation            `json:"invitation"`
	Canonical  []vectorText                `json:"canonical"` // bodies of receipts
	Messages   []vectorMessage             `json:"messages"`
	Witness    []vectorWitness             `json:"witness"` // what c learns of a's log, in this order
	Relay      vectorRelay                 `json:"relay"`
	File       vectorCourier               `json:"file"`
	Values     []vectorValue               `json:"values"`
	Posts      []vectorPost                `json:"posts"`
	Padme      [][2]int                    `json:"padme"`
}

type vectorInvitation struct {
	File   []byte `json:"file"`
	Answer []byte `json:"answer"`
	Code   string `json:"code"`
}

type vectorText struct {
	Text []byte `json:"text"`
	Good bool   `json:"good"`
	Why  string `json:"why"`
}

type vectorMessage struct {
	Name      string        `json:"name"`
	From      string        `json:"from"` // a, b or c
	To        string        `json:"to"`
	Message   []byte        `json:"message"`
	Statement []byte        `json:"statement"`
	Parts     [][]byte      `json:"parts"`
	Attested  []string      `json:"attested"` // for each object the node whose attestation covers it; empty: none
	Receipt   SignedReceipt `json:"receipt"`
	Held      int           `json:"held"`
}

type vectorWitness struct {
	Log  *LogState `json:"log"`
	Size int64     `json:"size"` // of what is vouched for afterwards
	Root Digest    `json:"root"`
	Fork bool      `json:"fork"`
}

type vectorRelay struct {
	Message  []byte        `json:"message"` // a to c, carried by b
	Words    []Document    `json:"words"`   // b's and c's, as a gets them
	Reply    *Reply        `json:"reply"`
	Receipt  SignedReceipt `json:"receipt"`
	Standing *Reply        `json:"standing"` // c's answer to a message after one that is missing
	Gap      Standing      `json:"gap"`      // what it says
	Digest   Digest        `json:"digest"`   // of that message
}

type vectorCourier struct {
	File   []byte   `json:"file"` // from a to c
	Frames []string `json:"frames"`
}

type vectorValue struct {
	Object json.RawMessage `json:"object"`
	Values []string        `json:"values"`
}

type vectorPost struct {
	Object string    `json:"object"`
	Time   int64     `json:"time"`  // microseconds since 1970
	Width  int64     `json:"width"` // milliseconds
	Values [2]string `json:"values"`
}

// vectorNodes are the three nodes that the vectors are made with.
type vectorNodes struct {
	t       *testing.T
	a, b, c *testNode
	v       *vectors
}

func TestVectors(t *testing.T) {
	if *update {
		makeVectors(t)
	}
	b, err := os.ReadFile(vectorFile())
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	checkVectors(t, &v)
}

func makeVectors(t *testing.T) {
	nodes := chain(t, "BEL", "JPN", "DEU")
	m := &vectorNodes{t, nodes[0], nodes[1], nodes[2], &vectors{
		About:      "Test vectors of docs/protocol/line.md, made by: go test ./internal/line -run TestVectors -update. All keys are for tests only.",
		Identities: map[string][]SignedIdentity{}, Secrets: map[string][][]byte{}}}
	m.messages()
	m.relay()
	m.rest()
	out, err := json.MarshalIndent(m.v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(vectorFile()), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(vectorFile(), append(out, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// send has one node compose, the other receive, and keeps the vector.
func (m *vectorNodes) send(name string, from, to *testNode, p Precedence, short map[*testNode]string) {
	m.t.Helper()
	msg := from.message(to.name(), p)
	doc, err := to.line.receive(m.t.Context(), msg)
	if err != nil {
		m.t.Fatal(err)
	}
	o, err := openMessage(to.ring, mustIdentities(m.t, to, from), msg)
	if err != nil {
		m.t.Fatal(err)
	}
	rc, err := parseReceipt(doc.Body)
	if err != nil || rc.Result != Delivered {
		m.t.Fatal(rc, err)
	}
	x := vectorMessage{Name: name, From: short[from], To: short[to], Message: msg, Statement: o.body, Parts: o.parts, Attested: []string{}, Receipt: doc, Held: rc.Held}
	if o.statement.Kind == kindObjects {
		x.Attested = m.attested(o, short)
	}
	m.v.Messages = append(m.v.Messages, x)
	if from == m.a && to == m.c {
		m.v.Witness = append(m.v.Witness, vectorWitness{Log: o.statement.Log})
	}
	if err := from.line.settle(m.t.Context(), to.name(), doc); err != nil {
		m.t.Fatal(err)
	}
}

func (m *vectorNodes) attested(o *opened, short map[*testNode]string) []string {
	var docs []Document
	if err := decodeCanonical(o.parts[1], maxBody, &docs); err != nil {
		m.t.Fatal(err)
	}
	man, err := parseManifest(o.parts[0], o.statement.Count, len(docs))
	if err != nil {
		m.t.Fatal(err)
	}
	name := func(i int) string {
		a, err := parseAttestation(docs[i])
		if err != nil {
			m.t.Fatal(err)
		}
		for n, s := range short {
			if n.name() == a.Node {
				return s
			}
		}
		return ""
	}
	out := []string{}
	for range man.Own {
		out = append(out, name(0))
	}
	for _, c := range man.Carried {
		if c.Attestation < 0 {
			out = append(out, "")
		} else {
			out = append(out, name(c.Attestation))
		}
	}
	return out
}

func (m *vectorNodes) messages() {
	a, b, c := m.a, m.b, m.c
	short := map[*testNode]string{a: "a", b: "b", c: "c"}
	eff := a.effective("SECRET", "JPN")
	items := a.release(Priority, eff, a.objects(0, 3), b.name(), c.name())
	m.send("three objects of the sender", a, c, Priority, short)
	m.send("the same to another node", a, b, Priority, short)
	b.passOn(Flash, items[:2], c.name())
	m.send("two of them passed on, with their originator's attestation", b, c, Flash, short)
	a.release(Priority, eff, a.objects(10, 70), c.name())
	m.send("the second message of a lane", a, c, Priority, short)
	if os.Getenv("CAUSEWAY_VECTORS") != "" {
		m.t.Log("with a message of several chunks")
		a.release(Priority, eff, m.large(), c.name())
		m.send("a message of several chunks", a, c, Priority, short)
	}
	a.recall(items[2:], c.name(), "wrong harbour\u2028 <x> & \"y\"")
	m.send("a recall", a, c, Flash, short)
	if _, err := a.line.Rotate(m.t.Context(), "person:a"); err != nil {
		m.t.Fatal(err)
	}
	m.send("new keys", a, c, Flash, short)
	a.release(Priority, eff, a.objects(90, 1), c.name())
	m.send("a message under the new keys", a, c, Priority, short)

	var seen Witnessed
	for i := range m.v.Witness {
		w := &m.v.Witness[i]
		var err error
		if seen, err = advance(seen, w.Log, a.line.Self().LogKey); err != nil {
			m.t.Fatal(err)
		}
		w.Size, w.Root = seen.Size, seen.Root
	}
	shorter := *m.v.Witness[0].Log
	shorter.Time = m.v.Witness[len(m.v.Witness)-1].Log.Time + 1
	m.v.Witness = append(m.v.Witness, vectorWitness{Log: &shorter, Size: seen.Size, Root: seen.Root, Fork: true})
}

// large are objects that do not compress into one chunk.
func (m *vectorNodes) large() []*stix.Object {
	objs := m.a.objects(1000, 40)
	ts, err := stix.ParseTimestamp("2026-11-24T12:00:00.000Z")
	if err != nil {
		m.t.Fatal(err)
	}
	for i := range objs {
		noise := make([]byte, 30<<10)
		rand.Read(noise)
		text, _ := json.Marshal(noise)
		if objs[i], err = stix.New("campaign", objs[i].ID(), ts).Ref("created_by_ref", m.a.identity).Set("name", "large").Set("description", string(text)).Object(); err != nil {
			m.t.Fatal(err)
		}
	}
	return objs
}

func (m *vectorNodes) relay() {
	a, b, c := m.a, m.b, m.c
	ctx := m.t.Context()
	eff := a.effective("SECRET", "JPN")
	a.release(Routine, eff, a.objects(200, 1), c.name())
	msg := a.message(c.name(), Routine)
	h, _, _, err := cutMessage(msg)
	if err != nil {
		m.t.Fatal(err)
	}
	n, err := c.line.receiveRelayed(ctx, mustPartner(m.t, c, b), h, msg)
	if err != nil {
		m.t.Fatal(err)
	}
	w := passageOf(h, PassagePassed)
	w.Next, w.Since, w.Time = c.name(), millis(time.Now()), millis(time.Now())
	word, err := w.sign(b.ring.Current(), a.name())
	if err != nil {
		m.t.Fatal(err)
	}
	m.v.Relay = vectorRelay{Message: msg, Words: []Document{word, n.Words[0]}, Reply: n.Reply}
	if m.v.Relay.Receipt, err = openReply(a.ring, n.Reply, h.Statement); err != nil {
		m.t.Fatal(err)
	}
	if err := a.line.settle(ctx, c.name(), m.v.Relay.Receipt); err != nil {
		m.t.Fatal(err)
	}
	for i := range 2 {
		a.release(Routine, eff, a.objects(210+i, 1), c.name())
		if _, err := a.line.compose(ctx, c.name(), Routine); err != nil {
			m.t.Fatal(err)
		}
	}
	late, _, err := a.vault.Record(ctx, spaceMessage, seqKey(c.name(), Routine, 3))
	if err != nil {
		m.t.Fatal(err)
	}
	if h, _, _, err = cutMessage(late); err != nil {
		m.t.Fatal(err)
	}
	if n, err = c.line.receiveRelayed(ctx, mustPartner(m.t, c, b), h, late); err != nil {
		m.t.Fatal(err)
	}
	doc, err := openReply(a.ring, n.Reply, h.Statement)
	if err != nil {
		m.t.Fatal(err)
	}
	m.v.Relay.Standing, m.v.Relay.Digest = n.Reply, h.Statement
	if err := json.Unmarshal(doc.Body, &m.v.Relay.Gap); err != nil {
		m.t.Fatal(err)
	}
}

func (m *vectorNodes) rest() {
	a, c := m.a, m.c
	ctx := m.t.Context()
	var f bytes.Buffer
	if _, err := a.line.Export(ctx, "person:a", c.name(), &f); err != nil {
		m.t.Fatal(err)
	}
	m.v.File = vectorCourier{File: f.Bytes(), Frames: []string{"m", "m", "e"}}
	for name, n := range map[string]*testNode{"a": a, "b": m.b, "c": c} {
		all := n.ring.all()
		for _, k := range slices.Backward(all) {
			secret, err := k.seal.Bytes()
			if err != nil {
				m.t.Fatal(err)
			}
			m.v.Identities[name] = append(m.v.Identities[name], k.Signed)
			m.v.Secrets[name] = append(m.v.Secrets[name], secret)
		}
	}
	inv, file, err := newInvitation(m.b.ring.Current(), "127.0.0.1:9443", testNow, time.Hour)
	if err != nil {
		m.t.Fatal(err)
	}
	acc, answer, err := inv.accept(c.ring.Current(), "", testNow)
	if err != nil {
		m.t.Fatal(err)
	}
	m.v.Invitation = vectorInvitation{File: file, Answer: answer, Code: comparisonCode(inv.digest, acc.digest)}
	good := string(m.v.Relay.Receipt.Body)
	m.v.Canonical = canonicalCases(good)
	for _, text := range []string{
		`{"type":"domain-name","spec_version":"2.1","id":"domain-name--00000000-0000-4000-8000-000000000001","value":"WWW.Example.org."}`,
		`{"type":"url","spec_version":"2.1","id":"url--00000000-0000-4000-8000-000000000001","value":"HTTPS://Example.org/#top"}`,
		`{"type":"url","spec_version":"2.1","id":"url--00000000-0000-4000-8000-000000000002","value":"http://Example.org/Path/?Q=1#x"}`,
		`{"type":"ipv6-addr","spec_version":"2.1","id":"ipv6-addr--00000000-0000-4000-8000-000000000001","value":"2001:DB8:0:0:0:0:0:1"}`,
		`{"type":"ipv6-addr","spec_version":"2.1","id":"ipv6-addr--00000000-0000-4000-8000-000000000002","value":"::ffff:192.0.2.1"}`,
		`{"type":"user-account","spec_version":"2.1","id":"user-account--00000000-0000-4000-8000-000000000001","account_type":"X","user_id":"Ab1","account_login":"other"}`,
		`{"type":"file","spec_version":"2.1","id":"file--00000000-0000-4000-8000-000000000001","hashes":{"MD5":"D41D8CD98F00B204E9800998ECF8427E","SHA-256":"E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"}}`,
		`{"type":"identity","spec_version":"2.1","id":"identity--00000000-0000-4000-8000-000000000001","created":"2026-01-01T00:00:00.000Z","modified":"2026-01-01T00:00:00.000Z","name":" Gallium  Works\tLtd ","identity_class":"organization"}`,
	} {
		o, err := stix.ParseObject([]byte(text))
		if err != nil {
			m.t.Fatal(err)
		}
		m.v.Values = append(m.v.Values, vectorValue{Object: json.RawMessage(text), Values: texts(valuesOf(o))})
	}
	for _, at := range []int64{1772366400_000000, 1772366399_999999, -1} {
		p := vectorPost{Object: "https://Fake.example/Story#a", Time: at, Width: 60_000}
		vs := PostValues(p.Object, time.UnixMicro(at), time.Minute)
		p.Values = [2]string{vs[0].Text, vs[1].Text}
		m.v.Posts = append(m.v.Posts, p)
	}
	for _, n := range []int{1, 2, 9, 100, 1000, 65_537, 1 << 20, 1<<20 + 1} {
		m.v.Padme = append(m.v.Padme, [2]int{n, padme(n)})
	}
}

func texts(vs []Value) []string {
	out := []string{}
	for _, v := range vs {
		out = append(out, v.Text)
	}
	return out
}

// canonicalCases are a receipt's body, and bodies that say the same in another
// form, which nobody may accept.
func canonicalCases(good string) []vectorText {
	out := []vectorText{{[]byte(good), true, "as it is written"}}
	bad := func(why, from, to string) {
		text := bytes.Replace([]byte(good), []byte(from), []byte(to), 1)
		out = append(out, vectorText{text, false, why})
	}
	bad("white space", `"v":1,`, `"v": 1,`)
	bad("a field twice", `"v":1,`, `"v":1,"v":1,`)
	bad("an unknown field", `"v":1,`, `"v":1,"x":0,`)
	bad("another case", `"held":`, `"Held":`)
	bad("an empty field that is to be absent", `"held":`, `"reason":"","held":`)
	bad("an escape that is not needed", `"delivered"`, `"\u0064elivered"`)
	bad("a number in another form", `"v":1,`, `"v":1.0,`)
	bad("not UTF-8", `"delivered"`, "\"delivered\xff\"")
	out = append(out, vectorText{[]byte(good + "{}"), false, "something after the end"})
	return append(out, vectorText{[]byte(good + "\n"), false, "a line feed at the end"})
}

// checkVectors reads the vectors with this implementation.
func checkVectors(t *testing.T, v *vectors) {
	ids := map[string][]*Identity{}
	for name, all := range v.Identities {
		for i := range all {
			id, err := all[i].Verify()
			if i > 0 && err == nil {
				id, err = all[i].Succeeds(ids[name][i-1])
			}
			if err != nil {
				t.Fatalf("identity %d of %s: %v", i, name, err)
			}
			ids[name] = append(ids[name], id)
		}
	}
	ring := map[string]*Ring{}
	for name, secrets := range v.Secrets {
		ring[name] = &Ring{}
		for i, secret := range secrets {
			seal, err := sealKEM().NewPrivateKey(secret)
			if err != nil {
				t.Fatal(err)
			}
			ring[name].generations = append(ring[name].generations, &Keys{Identity: ids[name][i], seal: seal})
		}
	}
	for _, m := range v.Messages {
		o, err := openMessage(ring[m.To], ids[m.From], m.Message)
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		if !bytes.Equal(o.body, m.Statement) || cmp.Diff(o.parts, m.Parts) != "" {
			t.Errorf("%s: the statement or a part is another", m.Name)
		}
		if rc, err := openReceipt(m.Receipt, ids[m.To][0], o.digest); err != nil || rc.Held != m.Held {
			t.Errorf("%s: its receipt: %v", m.Name, err)
		}
	}
	for _, c := range v.Canonical {
		if _, err := parseReceipt(c.Text); (err == nil) != c.Good {
			t.Errorf("%s: %v", c.Why, err)
		}
	}
	var seen Witnessed
	for i, w := range v.Witness {
		var err error
		if seen, err = advance(seen, w.Log, ids["a"][0].LogKey); (err != nil) != w.Fork || seen.Size != w.Size || seen.Root != w.Root {
			t.Errorf("witness %d: %v, %v", i, seen, err)
		}
	}
	checkRelayVectors(t, v, ids, ring["a"])
	inv, err := parseInvitation(v.Invitation.File)
	if err != nil {
		t.Fatal(err)
	}
	acc, err := parseAcceptance(v.Invitation.Answer)
	if err != nil {
		t.Fatal(err)
	}
	if err := acc.matches(inv); err != nil || comparisonCode(inv.digest, acc.digest) != v.Invitation.Code {
		t.Error("the invitation:", err)
	}
	for _, x := range v.Values {
		if o, err := stix.ParseObject(x.Object); err != nil || !slices.Equal(texts(valuesOf(o)), x.Values) {
			t.Errorf("values of %s: %v", x.Object, err)
		}
	}
	for _, p := range v.Posts {
		if vs := PostValues(p.Object, time.UnixMicro(p.Time), time.Duration(p.Width)*time.Millisecond); vs[0].Text != p.Values[0] || vs[1].Text != p.Values[1] {
			t.Errorf("values of a post: %v", vs)
		}
	}
	for _, p := range v.Padme {
		if padme(p[0]) != p[1] {
			t.Errorf("Padmé of %d", p[0])
		}
	}
}

func checkRelayVectors(t *testing.T, v *vectors, ids map[string][]*Identity, a *Ring) {
	h, _, _, err := cutMessage(v.Relay.Message)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct{ from, to, state string }{{"b", "a", PassagePassed}, {"c", "b", PassageArrived}} {
		w, err := openPassage(v.Relay.Words[i], ids[want.from], ids[want.to][0].Node, h.Statement)
		if err != nil || w.State != want.state {
			t.Errorf("word %d: %v", i+1, err)
		}
	}
	doc, err := openReply(a, v.Relay.Reply, h.Statement)
	if err != nil || cmp.Diff(doc, v.Relay.Receipt) != "" {
		t.Error("the reply:", err)
	}
	if _, err := openReply(a, v.Relay.Reply, sha256.Sum256(nil)); err == nil {
		t.Error("a reply opens for another message")
	}
	if doc, err = openReply(a, v.Relay.Standing, v.Relay.Digest); err != nil {
		t.Fatal(err)
	}
	st, err := parseStanding(doc, ids["c"], ids["a"][0].Node)
	if err != nil || *st != v.Relay.Gap {
		t.Error("the standing:", err)
	}
}
