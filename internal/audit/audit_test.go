package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

// shelf is a store in memory, with the facts that its entries speak of.
type shelf struct {
	memory
	salts, entries [][]byte
	effects        map[int64][]Effect
	records        map[string][]byte
	signed         string
}

func (s *shelf) Append(index int64, salt, entry []byte, first int64, hashes []tlog.Hash) error {
	if index != int64(len(s.entries)) || first != int64(len(s.hashes)) {
		return fmt.Errorf("append %d at %d: out of order", index, first)
	}
	s.salts, s.entries, s.hashes = append(s.salts, salt), append(s.entries, entry), append(s.hashes, hashes...)
	return nil
}

func (s *shelf) Size() int64 { return int64(len(s.entries)) }

func (s *shelf) Leaf(i int64) (salt, entry []byte, err error) {
	if i >= s.Size() {
		return nil, nil, errors.New("no such entry")
	}
	return s.salts[i], s.entries[i], nil
}

func (s *shelf) Signed() string                         { return s.signed }
func (s *shelf) Rederive(index int64) ([]Effect, error) { return s.effects[index], nil }
func (s *shelf) Derived() ([]Problem, error)            { return nil, nil }
func (s *shelf) Records(yield func(string, []byte) error) error {
	for k, d := range s.records {
		if err := yield(k, d); err != nil {
			return err
		}
	}
	return nil
}

func fill(t *testing.T, n int) *shelf {
	t.Helper()
	s := &shelf{effects: map[int64][]Effect{}, records: map[string][]byte{}}
	log := NewLog(0)
	for i := range n {
		e := Entry{At: time.UnixMicro(int64(i)).UTC(), Act: Act{Actor: "node", Verb: "put", Subject: fmt.Sprint(i)},
			Effects: []Effect{{Kind: "version", Count: 1, Digest: []byte{byte(i)}}, {Kind: "record", Key: "s/k", Digest: []byte{byte(i)}}}}
		index, err := log.Append(s, e, bytes.Repeat([]byte{byte(i)}, SaltSize))
		if err != nil || index != int64(i) {
			t.Fatalf("append %d: %d, %v", i, index, err)
		}
		s.effects[index] = e.Effects[:1]
		s.records["s/k"] = []byte{byte(i)}
	}
	return s
}

func keys(t *testing.T, name string) (note.Signer, note.Verifiers) {
	t.Helper()
	secret, public, err := note.GenerateKey(nil, name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return s, note.VerifierList(v)
}

func TestEntryRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := Entry{Index: rapid.Int64Min(0).Draw(t, "index"), At: time.UnixMicro(rapid.Int64Range(0, 1<<50).Draw(t, "at")).UTC(),
			Act: Act{Actor: rapid.String().Draw(t, "actor"), Verb: rapid.StringN(1, 5, 9).Draw(t, "verb"), Detail: map[string]string{"k": rapid.String().Draw(t, "detail")}}}
		b, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeEntry(b)
		if err != nil {
			t.Fatal(err)
		}
		again, err := got.Encode()
		if err != nil || !bytes.Equal(b, again) {
			t.Fatalf("%s became %s, %v", b, again, err)
		}
	})
	for _, bad := range []string{"", "{}", "{}x", "[]", `{"index":0,"at":0,"actor":"","verb":"","more":1}`, `{"at":0,"index":0,"actor":"","verb":""}`, `{"index":0,"at":0,"actor":"","verb":""} `} {
		if e, err := DecodeEntry([]byte(bad)); err == nil {
			t.Errorf("%q was read as %+v", bad, e)
		}
	}
}

// TestLogContinues appends with a log that starts anew each time, as after a
// restart, and compares with one that never stopped.
func TestLogContinues(t *testing.T) {
	whole := fill(t, 70)
	s := &shelf{}
	for i := range 70 {
		e, err := DecodeEntry(whole.entries[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewLog(int64(i)).Append(s, e, whole.salts[i]); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(whole.hashes, s.hashes); d != "" {
		t.Error(d)
	}
	if _, err := NewLog(0).Append(&shelf{}, Entry{}, []byte("short")); err == nil {
		t.Error("a short salt was taken")
	}
}

func TestProofs(t *testing.T) {
	s := fill(t, 37)
	signer, known := keys(t, "log.example/a")
	root, err := Root(37, s)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := Checkpoint{"log.example/a", 37, root}.Sign(signer)
	if err != nil {
		t.Fatal(err)
	}
	_, strangers := keys(t, "log.example/a")
	for i := range int64(37) {
		hashes, err := tlog.ProveRecord(37, i, tlog.HashReaderFunc(s.ReadHashes))
		if err != nil {
			t.Fatal(err)
		}
		p := Proof{i, s.salts[i], s.entries[i], hashes, signed}
		e, err := p.Check(known)
		if err != nil || e.Act.Subject != fmt.Sprint(i) {
			t.Fatalf("proof of %d: %+v, %v", i, e, err)
		}
		for what, bad := range map[string]Proof{
			"another place": {(i + 1) % 37, s.salts[i], s.entries[i], hashes, signed},
			"another salt":  {i, s.salts[(i+1)%37], s.entries[i], hashes, signed},
			"another entry": {i, s.salts[i], s.entries[(i+1)%37], hashes, signed},
			"fewer hashes":  {i, s.salts[i], s.entries[i], hashes[1:], signed},
			"another size":  {i, s.salts[i], s.entries[i], hashes, strings.Replace(signed, "\n37\n", "\n36\n", 1)},
		} {
			if _, err := bad.Check(known); err == nil {
				t.Errorf("entry %d is proven with %s", i, what)
			}
		}
		if _, err := p.Check(strangers); err == nil {
			t.Error("a stranger's key proves an entry")
		}
	}
}

func TestVerifyFinds(t *testing.T) {
	signer, known := keys(t, "log.example/a")
	for _, c := range []struct {
		what, finding string
		do            func(s *shelf)
	}{
		{"nothing", "", func(*shelf) {}},
		{"an entry changed", "tree", func(s *shelf) { s.entries[3] = bytes.Replace(s.entries[3], []byte(`"3"`), []byte(`"4"`), 1) }},
		{"an entry unreadable", "not what was written", func(s *shelf) { s.entries[3] = []byte("{") }},
		{"two entries exchanged", "not what was written", func(s *shelf) { s.entries[3], s.entries[4] = s.entries[4], s.entries[3] }},
		{"a salt changed", "tree", func(s *shelf) { s.salts[3] = bytes.Repeat([]byte{9}, SaltSize) }},
		{"an effect undone", "does not hold", func(s *shelf) { delete(s.effects, 5) }},
		{"an effect changed", "does not hold", func(s *shelf) { s.effects[5] = []Effect{{Kind: "version", Count: 1, Digest: []byte{9}}} }},
		{"an effect without an act", "belong to no entry", func(s *shelf) { s.effects[-1] = []Effect{{Kind: "version", Count: 2}} }},
		{"a record changed", "not what the log says", func(s *shelf) { s.records["s/k"] = []byte{1} }},
		{"a record invented", "not what the log says", func(s *shelf) { s.records["s/l"] = []byte{1} }},
		{"a record lost", "is missing", func(s *shelf) { delete(s.records, "s/k") }},
		{"the log cut", "cut", func(s *shelf) {
			s.entries, s.salts = s.entries[:9], s.salts[:9]
			s.hashes = s.hashes[:tlog.StoredHashIndex(0, 9)]
		}},
		{"the log rewritten", "rewritten", func(s *shelf) {
			other := fill(t, 0)
			log := NewLog(0)
			for i := range 20 {
				e, err := DecodeEntry(s.entries[i])
				if err != nil {
					t.Fatal(err)
				}
				e.Act.Actor = "person:else"
				if _, err := log.Append(other, e, s.salts[i]); err != nil {
					t.Fatal(err)
				}
			}
			s.entries, s.hashes = other.entries, other.hashes
		}},
		{"another's checkpoint", "not valid", func(s *shelf) {
			stranger, _ := keys(t, "log.example/a")
			root, _ := Root(20, s)
			s.signed, _ = Checkpoint{"log.example/a", 20, root}.Sign(stranger)
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			s := fill(t, 20)
			root, err := Root(20, s)
			if err != nil {
				t.Fatal(err)
			}
			if s.signed, err = (Checkpoint{"log.example/a", 20, root}).Sign(signer); err != nil {
				t.Fatal(err)
			}
			c.do(s)
			r, err := Verify(context.Background(), s, known, nil)
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, p := range r.Problems {
				found = append(found, p.Text)
			}
			all := strings.Join(found, "; ")
			if r.OK() != (c.finding == "") || !strings.Contains(all, c.finding) {
				t.Errorf("found %q, want %q", all, c.finding)
			}
		})
	}
}

func TestCheckpointText(t *testing.T) {
	for _, bad := range []string{"", "a\n1\n", "\n1\nAAAA\n", "a\n-1\nx\n", "a\n01\n" + strings.Repeat("A", 43) + "=\n", "a\n1\nAAAA\n"} {
		if c, err := ParseCheckpoint(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, c)
		}
	}
	older, newer := Checkpoint{"a", 5, tlog.Hash{1}}, Checkpoint{"a", 4, tlog.Hash{2}}
	if Consistent(nil, older, newer) == nil || Consistent(nil, older, Checkpoint{"b", 9, tlog.Hash{}}) == nil || Consistent(nil, older, Checkpoint{"a", 5, tlog.Hash{2}}) == nil {
		t.Error("a log that shrank, changed its name or its root is consistent")
	}
}

func FuzzDecodeEntry(f *testing.F) {
	f.Add([]byte(`{"index":0,"at":1,"actor":"a","verb":"v","effects":[{"kind":"version","count":1,"digest":"AA=="}]}`))
	f.Add([]byte(`{"index":-1,"detail":{"a":"b"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := DecodeEntry(b)
		if err != nil {
			return
		}
		if text, err := e.Encode(); err != nil || !bytes.Equal(text, b) {
			t.Fatalf("%s was read, and is written as %s, %v", b, text, err)
		}
	})
}

func FuzzParseCheckpoint(f *testing.F) {
	f.Add("log.example\n37\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCheckpoint(s)
		if err == nil && !strings.HasPrefix(s, c.Text()) {
			t.Fatalf("%q was read as %q", s, c.Text())
		}
	})
}
