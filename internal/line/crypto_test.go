package line

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

var testNow = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// newTestRing makes keys in a temporary folder.
func newTestRing(t testing.TB, nation string) *Ring {
	t.Helper()
	r, err := CreateRing(filepath.Join(t.TempDir(), "line.key"), Founding{Nation: nation, Name: "Agency of " + nation, Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// testStatement is a first statement from one ring to another.
func testStatement(from, to *Ring) *Statement {
	return &Statement{V: 1, Kind: kindRecall, From: from.Current().Identity.Node, FromGeneration: from.Current().Identity.Generation,
		To: to.Current().Identity.Node, Precedence: Priority, Stream: strings.Repeat("ab", 16), Seq: 1,
		Time: millis(testNow), Expires: millis(testNow.Add(time.Hour)), Count: 1, Nonce: make([]byte, 16)}
}

func TestSealOpen(t *testing.T) {
	a, b := newTestRing(t, "JPN"), newTestRing(t, "BEL")
	for _, size := range []int{0, 1, chunkSize - 1, chunkSize, 3*chunkSize + 17} {
		part := make([]byte, size)
		rng := sha256.Sum256([]byte{byte(size)})
		for i := range part {
			part[i] = rng[i%32] ^ byte(i>>7)
		}
		msg, h, err := sealMessage(a.Current(), b.Current().Identity, testStatement(a, b), [][]byte{part})
		if err != nil {
			t.Fatalf("size %d: %v", size, err)
		}
		o, err := openMessage(b, []*Identity{a.Current().Identity}, msg)
		if err != nil {
			t.Fatalf("size %d: %v", size, err)
		}
		if !bytes.Equal(o.parts[0], part) || o.digest != h.Statement {
			t.Errorf("size %d: what came out is not what went in", size)
		}
	}
}

// Every single-byte change of a message, and every cut, is refused.
func TestOpenRefusesEveryChange(t *testing.T) {
	a, b := newTestRing(t, "JPN"), newTestRing(t, "BEL")
	msg, _, err := sealMessage(a.Current(), b.Current().Identity, testStatement(a, b), [][]byte{[]byte("the part")})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		bad := bytes.Clone(msg)
		if rapid.Bool().Draw(rt, "cut") {
			bad = bad[:rapid.IntRange(0, len(bad)-1).Draw(rt, "at")]
		} else {
			bad[rapid.IntRange(0, len(bad)-1).Draw(rt, "at")] ^= byte(rapid.IntRange(1, 255).Draw(rt, "xor"))
		}
		if _, err := openMessage(b, []*Identity{a.Current().Identity}, bad); err == nil {
			rt.Fatal("a changed message opened")
		}
	})
}

// A header rewritten by a relay, for each field it could gain from.
func TestOpenRefusesRewrittenHeader(t *testing.T) {
	a, b, c := newTestRing(t, "JPN"), newTestRing(t, "BEL"), newTestRing(t, "AUS")
	msg, _, err := sealMessage(a.Current(), b.Current().Identity, testStatement(a, b), [][]byte{[]byte("the part")})
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Header){
		"recipient":  func(h *Header) { h.To = c.Current().Identity.Node },
		"precedence": func(h *Header) { h.Precedence = Flash },
		"expiry":     func(h *Header) { h.Expires += 1e9 },
		"sequence":   func(h *Header) { h.Seq, h.Prev = 2, Digest{1} },
		"stream":     func(h *Header) { h.Stream = strings.Repeat("cd", 16) },
		"statement":  func(h *Header) { h.Statement[0] ^= 1 },
	} {
		h, _, sealed, err := cutMessage(msg)
		if err != nil {
			t.Fatal(err)
		}
		change(h)
		head := mustCanonical(h)
		bad := append(binary.BigEndian.AppendUint32([]byte(magic), uint32(len(head))), head...)
		bad = append(bad, sealed...)
		if _, err := openMessage(b, []*Identity{a.Current().Identity}, bad); !errors.Is(err, errSealed) {
			t.Errorf("%s: got %v, want the message not to open", name, err)
		}
	}
	if _, err := openMessage(c, []*Identity{a.Current().Identity}, msg); !errors.Is(err, errSealed) {
		t.Errorf("another nation's keys: got %v, want the message not to open", err)
	}
}

// Both signatures are needed: one good and one bad is refused.
func TestBothSignaturesMustVerify(t *testing.T) {
	k := newTestRing(t, "JPN").Current()
	body := []byte("text")
	good, err := k.signer.sign(typeReceipt, body)
	if err != nil {
		t.Fatal(err)
	}
	flip := func(b []byte) []byte { b = bytes.Clone(b); b[5] ^= 1; return b }
	tests := []struct {
		name string
		typ  string
		sigs Signatures
		ok   bool
	}{
		{"both", typeReceipt, good, true},
		{"Ed25519 damaged", typeReceipt, Signatures{flip(good.Ed25519), good.MLDSA65}, false},
		{"ML-DSA damaged", typeReceipt, Signatures{good.Ed25519, flip(good.MLDSA65)}, false},
		{"Ed25519 only", typeReceipt, Signatures{Ed25519: good.Ed25519}, false},
		{"ML-DSA only", typeReceipt, Signatures{MLDSA65: good.MLDSA65}, false},
		{"other type", typeStatement, good, false},
	}
	for _, tt := range tests {
		if err := k.Identity.verifier.verify(tt.typ, body, tt.sigs); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestDecompressionBomb(t *testing.T) {
	bomb := compressor.EncodeAll(make([]byte, 50<<20), nil)
	st := &Statement{Kind: kindRecall, Parts: []Part{{Name: "recall", Size: 1000}}}
	if _, err := decompress(bomb, st); err == nil {
		t.Fatal("50 MiB came out where 1,000 bytes were announced")
	}
	st.Parts[0].Size = 100 << 20
	if _, err := decompress(bomb, st); err == nil {
		t.Fatal("a body shorter than announced was accepted")
	}
}

func TestCanonicalRefusesSecondReadings(t *testing.T) {
	good := `{"result":"delivered","seq":1}`
	type doc struct {
		Result string `json:"result"`
		Seq    int    `json:"seq"`
		Note   string `json:"note,omitempty"`
	}
	for _, tt := range []struct {
		name, text string
		ok         bool
	}{
		{"canonical", good, true},
		{"field twice", `{"result":"refused","result":"delivered","seq":1}`, false},
		{"other case", `{"Result":"delivered","seq":1}`, false},
		{"other order", `{"seq":1,"result":"delivered"}`, false},
		{"unknown field", `{"result":"delivered","seq":1,"x":0}`, false},
		{"data after the end", good + `{}`, false},
		{"white space", `{"result": "delivered","seq":1}`, false},
		{"escaped letter", `{"result":"\u0064elivered","seq":1}`, false},
		{"empty field that should be absent", `{"result":"delivered","seq":1,"note":""}`, false},
		{"number in another form", `{"result":"delivered","seq":1e0}`, false},
		{"invalid UTF-8", "{\"result\":\"\xff\",\"seq\":1}", false},
	} {
		var d doc
		if err := decodeCanonical([]byte(tt.text), 1000, &d); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "line.key")
	made, err := CreateRing(path, Founding{Nation: "JPN", Name: "東京", Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	if st, _ := os.Stat(path); st.Mode().Perm() != 0o600 {
		t.Errorf("mode %04o, want 0600", st.Mode().Perm())
	}
	if _, err := CreateRing(path, Founding{Nation: "JPN", Name: "again", Now: testNow}); err == nil {
		t.Error("existing keys were overwritten")
	}
	if _, err := made.Rotate(testNow.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	read, err := LoadRing(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(read.generations) != 2 || read.Current().Identity.Generation != 2 || read.Current().Identity.Node != made.Current().Identity.Node {
		t.Error("the ring that was read is not the one that was written")
	}
	if _, err := read.Current().Signed.Succeeds(read.generation(1).Identity); err != nil {
		t.Errorf("succession: %v", err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadRing(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key file that others may read: got %v, want a refusal that names the fix", err)
	}
}

func TestSuccessionNeedsTheOldKeys(t *testing.T) {
	a, other := newTestRing(t, "JPN"), newTestRing(t, "JPN")
	old := a.Current().Identity
	next, err := a.Rotate(testNow)
	if err != nil {
		t.Fatal(err)
	}
	stolen := next.Signed
	sig, err := other.Current().signer.sign(typeIdentity, stolen.Body)
	if err != nil {
		t.Fatal(err)
	}
	stolen.Previous = &sig
	if _, err := stolen.Succeeds(old); !errors.Is(err, errBadSignature) {
		t.Errorf("signed by another's keys: %v", err)
	}
	stolen.Previous = nil
	if _, err := stolen.Succeeds(old); err == nil {
		t.Error("an unsigned succession was accepted")
	}
	if _, err := next.Signed.Succeeds(other.Current().Identity); err == nil {
		t.Error("one node's keys followed another's")
	}
}

func TestInvitation(t *testing.T) {
	a, b, mitm := newTestRing(t, "JPN"), newTestRing(t, "BEL"), newTestRing(t, "BEL")
	_, file, err := newInvitation(a.Current(), "127.0.0.1:9443", testNow, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	inv, err := parseInvitation(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := inv.current(testNow.Add(2 * time.Hour)); !errors.Is(err, ErrInvitation) {
		t.Errorf("expired: %v", err)
	}
	mine, answer, err := inv.accept(b.Current(), "", testNow)
	if err != nil {
		t.Fatal(err)
	}
	acc, err := parseAcceptance(answer)
	if err != nil {
		t.Fatal(err)
	}
	if err := acc.matches(inv); err != nil {
		t.Error(err)
	}
	code := comparisonCode(inv.digest, acc.digest)
	if code != comparisonCode(inv.digest, mine.digest) || len(code) != 29 {
		t.Errorf("the two sides show %q and another code", code)
	}
	if !sameCode(code, strings.ReplaceAll(code, " ", "-")) || sameCode(code, strings.Repeat("1", 24)) || sameCode("", "") {
		t.Error("codes are not compared by their digits")
	}
	// Someone in the middle who answers with keys of their own shows another code.
	_, forged, err := inv.accept(mitm.Current(), "", testNow)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parseAcceptance(forged)
	if err != nil {
		t.Fatal(err)
	}
	if comparisonCode(inv.digest, f.digest) == code {
		t.Error("the code does not depend on the answering keys")
	}
	// Without the file there is no answer.
	guess := *inv
	guess.Secret = make([]byte, 32)
	_, blind, err := guess.accept(mitm.Current(), "", testNow)
	if err != nil {
		t.Fatal(err)
	}
	if g, err := parseAcceptance(blind); err != nil || g.matches(inv) == nil {
		t.Errorf("an answer without the secret was accepted (%v)", err)
	}
	bad := bytes.Replace(file, []byte(`"ed25519":"`), []byte(`"ed25519":"A`), 1)
	if _, err := parseInvitation(bad); !errors.Is(err, ErrInvitation) {
		t.Errorf("damaged signature: %v", err)
	}
}

func TestAttestation(t *testing.T) {
	a := newTestRing(t, "JPN")
	rules := []string{"rule one", "rule two"}
	own := []int{0, 1, 1, 0, 0, 1, 0}
	raws := make([][]byte, len(own))
	for i := range raws {
		raws[i] = fmt.Appendf(nil, `{"id":"x--%d"}`, i)
	}
	seed := randomBytes(32)
	doc, leaves, err := attest(a.Current(), millis(testNow), rules, own, seed, raws)
	if err != nil {
		t.Fatal(err)
	}
	att, err := parseAttestation(doc)
	if err != nil {
		t.Fatal(err)
	}
	if err := att.check(doc, a.Current().Identity); err != nil {
		t.Fatal(err)
	}
	for i := range raws {
		proof, err := proveLeaf(leaves, int64(i))
		if err != nil {
			t.Fatal(err)
		}
		c := carried{Leaf: int64(i), Salt: saltOf(seed, i), Proof: proof}
		if err := att.covers(c, rules[own[i]], raws[i]); err != nil {
			t.Errorf("object %d: %v", i, err)
		}
		if att.covers(c, rules[1-own[i]], raws[i]) == nil {
			t.Errorf("object %d: relabelled, and still attested", i)
		}
		if att.covers(c, rules[own[i]], append(raws[i], ' ')) == nil {
			t.Errorf("object %d: changed, and still attested", i)
		}
	}
}

func TestWitness(t *testing.T) {
	skey, vkey, err := note.GenerateKey(nil, "log.example")
	if err != nil {
		t.Fatal(err)
	}
	signer, _ := note.NewSigner(skey)
	log := func(entries ...string) *hashTree {
		leaves := make([]tlog.Hash, len(entries))
		for i, e := range entries {
			leaves[i] = tlog.RecordHash([]byte(e))
		}
		tr, err := newHashTree(leaves)
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	state := func(tr *hashTree, since, at int64) *LogState {
		root, _ := tlog.TreeHash(tr.n, tr)
		text, err := note.Sign(&note.Note{Text: fmt.Sprintf("log.example\n%d\n%s\n", tr.n, root)}, signer)
		if err != nil {
			t.Fatal(err)
		}
		st := &LogState{Checkpoint: string(text), Time: at, Since: since}
		if since > 0 && since <= tr.n {
			if st.Proof, err = tlog.ProveTree(tr.n, since, tr); err != nil {
				t.Fatal(err)
			}
		}
		return st
	}
	three, five := log("a", "b", "c"), log("a", "b", "c", "d", "e")
	rewritten, short := log("a", "X", "c", "d", "e"), log("a", "b")
	tests := []struct {
		name string
		next *LogState
		size int64
		fork string
	}{
		{"grows", state(five, 3, 20), 5, ""},
		{"the same again", state(three, 3, 20), 3, ""},
		{"grows, proof from elsewhere", state(five, 0, 20), 3, ""},
		{"older, read earlier", state(short, 0, 5), 3, ""},
		{"rewritten", state(rewritten, 3, 20), 3, "entries seen before"},
		{"rewritten at the same length", state(log("a", "b", "X"), 3, 20), 3, "two different logs"},
		{"set back", state(short, 0, 20), 3, "shorter"},
	}
	for _, tt := range tests {
		seen, err := advance(Witnessed{}, state(three, 0, 10), vkey)
		if err != nil {
			t.Fatal(err)
		}
		got, err := advance(seen, tt.next, vkey)
		var f *Fork
		switch {
		case tt.fork == "" && err != nil, tt.fork != "" && (!errors.As(err, &f) || !strings.Contains(f.Reason, tt.fork)):
			t.Errorf("%s: error %v, want fork %q", tt.name, err, tt.fork)
		case got.Size != tt.size:
			t.Errorf("%s: vouches for size %d, want %d", tt.name, got.Size, tt.size)
		}
	}
	_, otherKey, _ := note.GenerateKey(nil, "log.example")
	if _, err := advance(Witnessed{}, state(three, 0, 10), otherKey); err == nil {
		t.Error("a checkpoint under another key was accepted")
	}
}

func FuzzCutMessage(f *testing.F) {
	a, b := newTestRing(f, "JPN"), newTestRing(f, "BEL")
	msg, _, err := sealMessage(a.Current(), b.Current().Identity, testStatement(a, b), [][]byte{[]byte("part")})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(msg)
	f.Add([]byte(magic))
	f.Add([]byte(magic + "\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, in []byte) {
		if bytes.Equal(in, msg) {
			return
		}
		if _, err := openMessage(b, []*Identity{a.Current().Identity}, in); err == nil {
			t.Error("something other than the message opened")
		}
	})
}

func FuzzDocuments(f *testing.F) {
	a, b := newTestRing(f, "JPN"), newTestRing(f, "BEL")
	inv, file, err := newInvitation(a.Current(), "", testNow, time.Hour)
	if err != nil {
		f.Fatal(err)
	}
	_, answer, err := inv.accept(b.Current(), "", testNow)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Add(answer)
	f.Add(mustCanonical(testStatement(a, b)))
	f.Add([]byte(`{"v":1,"from":"x"}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		if st, err := parseStatement(in); err == nil && !bytes.Equal(mustCanonical(st), in) {
			t.Error("a statement has two readings")
		}
		if rc, err := parseReceipt(in); err == nil && !bytes.Equal(mustCanonical(rc), in) {
			t.Error("a receipt has two readings")
		}
		parseInvitation(in)
		parseAcceptance(in)
		parseHeader(in)
		parseManifest(in, 3, 1)
		DocumentKind(in)
	})
}
