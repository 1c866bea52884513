package statement

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"causeway/internal/folderlock"
)

// forest is one log key and the checkpoints that it signs over any leaves:
// what a dishonest publisher could show to different people.
type forest struct {
	secret Secret
	meta   Metadata
}

func newForest(t testing.TB) *forest {
	s, err := NewSecret("a.example/log", "log", "JP")
	if err != nil {
		t.Fatal(err)
	}
	pub, err := s.Public(day)
	if err != nil {
		t.Fatal(err)
	}
	return &forest{*s, Metadata{LogOrigin: s.Name, Keys: []Key{pub}}}
}

func treeOver(leaves ...string) *tree {
	t := &tree{}
	for i, l := range leaves {
		if err := t.add(int64(i), []byte(l)); err != nil {
			panic(err)
		}
	}
	return t
}

// checkpoint signs the head of a tree of leaves.
func (f *forest) checkpoint(t testing.TB, leaves ...string) []byte {
	t.Helper()
	root, err := tlog.TreeHash(int64(len(leaves)), treeOver(leaves...))
	if err != nil {
		t.Fatal(err)
	}
	body := checkpointBody(f.meta.LogOrigin, int64(len(leaves)), root)
	sig, err := f.secret.Sign(body)
	if err != nil {
		t.Fatal(err)
	}
	return []byte(body + "\n" + sig)
}

func prove(t testing.TB, old int, leaves ...string) []tlog.Hash {
	t.Helper()
	p, err := tlog.ProveTree(int64(len(leaves)), int64(old), treeOver(leaves...))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newWitness(t testing.TB, name, nation string, follow *Metadata) *Witness {
	t.Helper()
	dir := t.TempDir()
	s, err := NewSecret(name, "witness", nation)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Folder(dir).AddKey(s, day.AddDate(0, -1, 0)); err != nil {
		t.Fatal(err)
	}
	return openWitness(t, dir, follow)
}

func openWitness(t testing.TB, dir string, follow *Metadata) *Witness {
	t.Helper()
	w, err := OpenWitness(dir, func() time.Time { return day })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	if follow != nil {
		if err := w.Follow(follow); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// TestWitnessAnswers: each question of C2SP tlog-witness has its status.
func TestWitnessAnswers(t *testing.T) {
	f, stranger := newForest(t), newForest(t)
	w := newWitness(t, "w1.example/w", "FR", &f.meta)
	server := httptest.NewServer(w.Handler())
	defer server.Close()
	ask := func(body string) (int, string, string) {
		resp, err := http.Post(server.URL+"/add-checkpoint", "text/plain", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b := make([]byte, 1<<16)
		n, _ := resp.Body.Read(b)
		return resp.StatusCode, string(b[:n]), resp.Header.Get("Content-Type")
	}
	body := func(old int, proof []tlog.Hash, cp []byte) string {
		return string(FormatAddCheckpoint(int64(old), proof, cp))
	}
	one, three := f.checkpoint(t, "a"), f.checkpoint(t, "a", "b", "c")
	other := newForest(t)
	other.meta.LogOrigin, other.secret.Name = "b.example/log", "b.example/log"
	for _, c := range []struct {
		name, body string
		status     int
		holds      string
	}{
		{"no such log", body(0, nil, other.checkpoint(t, "a")), 404, "does not follow"},
		{"signed by somebody else", body(0, nil, stranger.checkpoint(t, "a")), 403, "no key of the log"},
		{"one algorithm only", body(0, nil, cutLines(one, "— a.example/log"+one2(one))), 403, "no key"},
		{"not the form", "older 0\n\n" + string(one), 400, "want"},
		{"not a number", "old 01\n\n" + string(one), 400, "want"},
		{"a hash cut short", "old 0\nAAAA\n\n" + string(one), 400, "want"},
		{"a proof from nothing", body(0, prove(t, 1, "a", "b", "c"), three), 400, "want"},
		{"old above new", body(2, nil, one), 400, "want"},
		{"first", body(0, nil, one), 200, "— w1.example/w "},
		{"again", body(1, nil, one), 200, "— w1.example/w "},
		{"as if first", body(0, nil, one), 409, "1\n"},
		{"another root of one size", body(1, nil, f.checkpoint(t, "x")), 409, "1\n"},
		{"no proof", body(1, nil, three), 422, "does not lead"},
		{"a proof of another tree", body(1, prove(t, 1, "a", "x", "c"), three), 422, "does not lead"},
		{"a fork", body(1, prove(t, 1, "x", "b", "c"), f.checkpoint(t, "x", "b", "c")), 422, "does not lead"},
		{"grown", body(1, prove(t, 1, "a", "b", "c"), three), 200, "— w1.example/w "},
		{"a step back", body(1, nil, one), 409, "3\n"},
		{"endless", "old 0\n\n" + string(one) + strings.Repeat("x", maxAddCheckpoint), 400, "want"},
	} {
		status, said, kind := ask(c.body)
		if status != c.status || !strings.Contains(said, c.holds) || status == 409 && kind != "text/x.tlog.size" {
			t.Errorf("%s: %d %s %q, want %d %q", c.name, status, kind, said, c.status, c.holds)
		}
	}
	if got := w.Logs(); len(got) != 1 || got[0].Size != 3 {
		t.Errorf("the witness is at %+v", got)
	}
}

// one2 gives the rest of the first signature line's beginning, so that exactly
// one of the two lines of the log's key is cut.
func one2(cp []byte) string {
	line := string(cp[strings.Index(string(cp), "— a.example/log")+len("— a.example/log"):])
	return line[:8]
}

// TestWitnessFaults: a witness that fails at its write has signed nothing, and
// whatever was answered it knows when it comes back. At each point the same
// question is put again and answered, and a fork is refused.
func TestWitnessFaults(t *testing.T) {
	broken := errors.New("the disk is full")
	for _, c := range []struct {
		name string
		keep func(name string, b []byte) error
		size int64 // what is known after coming back
	}{
		{"before the write", func(string, []byte) error { return broken }, 1},
		{"half the write", func(name string, b []byte) error {
			return errors.Join(broken, os.WriteFile(name+".writing", b[:len(b)/2], 0o600))
		}, 1},
		{"after the write, before the answer", func(name string, b []byte) error { return errors.Join(broken, keepDurably(name, b)) }, 3},
	} {
		f := newForest(t)
		w := newWitness(t, "w1.example/w", "FR", &f.meta)
		if _, err := w.AddCheckpoint(0, nil, f.checkpoint(t, "a")); err != nil {
			t.Fatal(err)
		}
		w.keep = c.keep
		lines, err := w.AddCheckpoint(1, prove(t, 1, "a", "b", "c"), f.checkpoint(t, "a", "b", "c"))
		if !errors.Is(err, broken) || lines != "" {
			t.Errorf("%s: %q, %v", c.name, lines, err)
		}
		w.Close()
		w = openWitness(t, string(w.dir), nil)
		if got := w.Logs()[0].Size; got != c.size {
			t.Errorf("%s: it comes back at %d, want %d", c.name, got, c.size)
		}
		pub := &Publication{Metadata: f.meta}
		key, err := w.Key()
		if err != nil {
			t.Fatal(err)
		}
		pub.Metadata.Keys = append(slices.Clone(f.meta.Keys), key)
		good := f.checkpoint(t, "a", "b", "c")
		if _, err := ask(local{w}, good, treeOver("a", "b", "c"), 3, 1); err != nil {
			t.Errorf("%s: the question put again: %v", c.name, err)
		}
		if lines, err := ask(local{w}, f.checkpoint(t, "a", "b", "x"), treeOver("a", "b", "x"), 3, 1); err == nil {
			t.Errorf("%s: a fork was signed: %s", c.name, lines)
		}
	}
}

// local is a witness in this process.
type local struct{ *Witness }

func (l local) Called() string { return l.key.Name }

// TestWitnessForgets: a damaged state is no fresh start.
func TestWitnessForgets(t *testing.T) {
	f := newForest(t)
	w := newWitness(t, "w1.example/w", "FR", &f.meta)
	if _, err := OpenWitness(string(w.dir), time.Now); !errors.Is(err, folderlock.ErrLocked) {
		t.Errorf("two processes have one witness: %v", err)
	}
	w.Close()
	if err := os.WriteFile(w.file("a.example/log"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenWitness(string(w.dir), time.Now); err == nil || !strings.Contains(err.Error(), "must not sign") {
		t.Errorf("it forgot: %v", err)
	}
}

// TestWitnessClock: a clock that went back signs nothing.
func TestWitnessClock(t *testing.T) {
	f := newForest(t)
	w := newWitness(t, "w1.example/w", "FR", &f.meta)
	if _, err := w.AddCheckpoint(0, nil, f.checkpoint(t, "a")); err != nil {
		t.Fatal(err)
	}
	w.now = func() time.Time { return day.Add(-time.Hour) }
	if _, err := w.AddCheckpoint(1, nil, f.checkpoint(t, "a")); !errors.Is(err, ErrClock) {
		t.Errorf("got %v", err)
	}
}

// TestWitnessSplitView: whatever a publisher asks and in whatever order, one
// witness never signs two histories; so two histories never both have a
// majority of witnesses.
func TestWitnessSplitView(t *testing.T) {
	f := newForest(t)
	made := map[string][]byte{}
	checkpoint := func(leaves []string) []byte {
		key := strings.Join(leaves, "")
		if made[key] == nil {
			made[key] = f.checkpoint(t, leaves...)
		}
		return made[key]
	}
	rapid.Check(t, func(rt *rapid.T) {
		var witnesses []*Witness
		for i := range 3 {
			w := newWitness(t, fmt.Sprintf("w%d.example/w", i+1), []string{"FR", "NZ", "KR"}[i], &f.meta)
			w.keep = func(string, []byte) error { return nil } // the disk has its own test
			witnesses = append(witnesses, w)
		}
		defer func() {
			for _, w := range witnesses {
				w.Close()
			}
		}()
		signed := map[int][][]string{} // by witness, histories in order
		for range rapid.IntRange(1, 8).Draw(rt, "questions") {
			i := rapid.IntRange(0, 2).Draw(rt, "witness")
			leaves := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b"}), 1, 4).Draw(rt, "history")
			old := rapid.IntRange(0, len(leaves)).Draw(rt, "old")
			if _, err := ask(local{witnesses[i]}, checkpoint(leaves), treeOver(leaves...), int64(len(leaves)), int64(old)); err == nil {
				signed[i] = append(signed[i], leaves)
			}
		}
		for i, all := range signed {
			for j := 1; j < len(all); j++ {
				before, after := all[j-1], all[j]
				if len(after) < len(before) || !slices.Equal(before, after[:len(before)]) {
					rt.Fatalf("witness %d signed %v and then %v", i, before, after)
				}
			}
		}
	})
}

// publisher is a folder whose log three witness services watch.
type publisher struct {
	Folder
	witnesses map[string]*Witness
	reach     map[string]Cosigner
}

func newPublisher(t *testing.T) *publisher {
	p := &publisher{Folder(t.TempDir()), map[string]*Witness{}, map[string]Cosigner{}}
	var log Key
	for _, k := range [][3]string{{"a.example/statements", "statement", "JP"}, {"b.example/statements", "statement", "BE"}, {"a.example/log", "log", "JP"}, {"a.example/metadata", "metadata", "JP"}} {
		s, err := NewSecret(k[0], k[1], k[2])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.AddKey(s, day.AddDate(0, -1, 0)); err != nil {
			t.Fatal(err)
		}
		if k[1] == "log" {
			if log, err = s.Public(day); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, nation := range []string{"FR", "NZ", "KR"} {
		w := newWitness(t, fmt.Sprintf("w%d.example/w", i+1), nation, &Metadata{LogOrigin: log.Name, Keys: []Key{log}})
		name := w.key.Name
		public, err := os.ReadFile(w.dir.at("public", KeyFile(name)))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.AddWitness(WitnessAt{name, "https://" + name}); err == nil {
			t.Fatal("a witness whose key nobody knows was taken")
		}
		if err := writeWhole(p.at("public", KeyFile(name)), public, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := p.AddWitness(WitnessAt{name, "https://" + name}); err != nil {
			t.Fatal(err)
		}
		p.witnesses[name], p.reach[name] = w, local{w}
	}
	return p
}

func (p *publisher) draft(t *testing.T, n int) {
	t.Helper()
	file, _, err := p.Freeze(sample(n, "rebuttal"))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"a.example/statements", "b.example/statements"} {
		if _, err := p.Sign(file, k); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *publisher) round(quorum int) (Published, error) {
	return p.Publish(Round{Now: day, Reach: func(w WitnessAt) Cosigner { return p.reach[w.Name] },
		Metadata: Metadata{Publisher: "Ministry A", Contact: "Press office", CanonicalURL: "https://a.example/", Witnesses: WitnessPolicy{K: quorum, Nations: quorum}}})
}

// deaf does what its witness does and loses the answer on the way.
type deaf struct{ Cosigner }

func (d deaf) AddCheckpoint(old int64, proof []tlog.Hash, cp []byte) (string, error) {
	if _, err := d.Cosigner.AddCheckpoint(old, proof, cp); err != nil {
		return "", err
	}
	return "", errors.New("the line broke")
}

// TestPublishAsksWitnesses: a quorum of services is enough and is told; a round
// that failed after a witness had signed is taken up again with the same
// entries, whatever was drafted meanwhile, so that no witness sees a fork.
func TestPublishAsksWitnesses(t *testing.T) {
	p := newPublisher(t)
	p.draft(t, 5)
	p.reach["w3.example/w"] = deaf{p.reach["w3.example/w"]}
	done, err := p.round(2)
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	for _, a := range done.Asked {
		said[a.Name] = a.Err == nil
	}
	if !said["w1.example/w"] || !said["w2.example/w"] || said["w3.example/w"] {
		t.Errorf("asked: %+v", done.Asked)
	}
	r := Verify(p.Site(), VerifyOptions{Now: day})
	if !r.OK() || len(r.Witnesses) != 2 || r.Nations() != 2 || r.Quorum.K != 2 {
		t.Fatalf("%+v %+v", r.Findings, r.Witnesses)
	}

	// All three sign, no answer arrives: nothing is published.
	p.draft(t, 7)
	for name, c := range p.reach {
		if name != "w3.example/w" {
			p.reach[name] = deaf{c}
		}
	}
	if _, err := p.round(2); err == nil || !strings.Contains(err.Error(), "witness w1.example/w: the line broke") || !strings.Contains(err.Error(), "0 witnesses of 0 nations") {
		t.Fatalf("without answers: %v", err)
	}
	if r := Verify(p.Site(), VerifyOptions{Now: day}); !r.OK() || len(r.Statements) != 1 {
		t.Errorf("the site changed: %d statements, %+v", len(r.Statements), r.Findings)
	}
	// A draft whose name sorts before it is ready when the answers come back.
	p.draft(t, 6)
	for name, w := range p.witnesses {
		p.reach[name] = local{w}
	}
	if done, err = p.round(3); err != nil {
		t.Fatal(err)
	}
	r = Verify(p.Site(), VerifyOptions{Now: day})
	var order []string
	for _, s := range r.Statements {
		order = append(order, s.ID[len(s.ID)-1:])
	}
	if !r.OK() || !slices.Equal(order, []string{"5", "7", "6"}) || len(r.Witnesses) != 3 || done.Drafts != 2 {
		t.Errorf("order %v, witnesses %+v, %+v, %+v", order, r.Witnesses, r.Findings, done)
	}
	if _, err := os.Stat(p.at(committedFile)); !os.IsNotExist(err) {
		t.Errorf("the committed entries are still there: %v", err)
	}
}

// TestPublishFaults: after each write of a round at which the process may end,
// the next round completes it: same log, nothing lost, nothing twice.
func TestPublishFaults(t *testing.T) {
	for _, c := range []struct {
		name string
		cut  func(p *publisher)
	}{
		{"committed, nobody asked", func(p *publisher) {
			for name := range p.reach {
				p.reach[name] = unreachable{name}
			}
		}},
		{"all have signed", func(p *publisher) {
			for name, c := range p.reach {
				p.reach[name] = deaf{c}
			}
		}},
		{"a file of the site cannot be written", func(p *publisher) { p.block("statement.json") }},
		{"the last file cannot be written", func(p *publisher) { p.block("statement.tlog-proof") }},
	} {
		p := newPublisher(t)
		p.draft(t, 3)
		if _, err := p.round(3); err != nil {
			t.Fatal(err)
		}
		p.draft(t, 5)
		good := p.reach
		p.reach = map[string]Cosigner{}
		for n, x := range good {
			p.reach[n] = x
		}
		c.cut(p)
		if _, err := p.round(3); err == nil {
			t.Errorf("%s: it was published", c.name)
		}
		if err := os.RemoveAll(p.at("site", sample(5, "rebuttal").dir())); err != nil {
			t.Fatal(err)
		}
		p.reach = good
		p.draft(t, 4)
		if _, err := p.round(3); err != nil {
			t.Errorf("%s: the next round: %v", c.name, err)
			continue
		}
		r := Verify(p.Site(), VerifyOptions{Now: day})
		if !r.OK() || len(r.Statements) != 3 || r.Statements[1].ID != uuid(5) {
			t.Errorf("%s: %d statements, %+v", c.name, len(r.Statements), r.Findings)
		}
	}
}

// block puts a folder where a file of statement 5 is to be.
func (p *publisher) block(name string) {
	if err := os.MkdirAll(p.at("site", sample(5, "rebuttal").dir(), name), 0o755); err != nil {
		panic(err)
	}
}

type unreachable struct{ name string }

func (u unreachable) Called() string { return u.name }
func (u unreachable) AddCheckpoint(int64, []tlog.Hash, []byte) (string, error) {
	return "", errors.New("no route")
}

// TestCosignAnswersAreChecked: what a witness answers is its own signature over
// this checkpoint, by a clock that agrees, or it counts for nothing.
func TestCosignAnswersAreChecked(t *testing.T) {
	p := newPublisher(t)
	w1, w2 := p.witnesses["w1.example/w"], p.witnesses["w2.example/w"]
	for name, c := range map[string]struct {
		answer func(old int64, proof []tlog.Hash, cp []byte) (string, error)
		want   string
	}{
		"another's":    {local{w2}.AddCheckpoint, "something else than signatures of w1.example/w"},
		"another line": {func(o int64, pr []tlog.Hash, cp []byte) (string, error) { return "origin\n", nil }, "something else"},
		"nothing":      {func(int64, []tlog.Hash, []byte) (string, error) { return "", nil }, "not signed with the key"},
		"a bad one": {func(int64, []tlog.Hash, []byte) (string, error) {
			return "— w1.example/w " + base64.StdEncoding.EncodeToString(make([]byte, 80)) + "\n", nil
		}, "not signed with the key"},
		"a wrong clock": {func(o int64, pr []tlog.Hash, cp []byte) (string, error) {
			w1.now = func() time.Time { return day.Add(time.Hour) }
			return w1.AddCheckpoint(o, pr, cp)
		}, "one of them is wrong"},
	} {
		q := newPublisher(t)
		q.draft(t, 5)
		for n, w := range p.witnesses { // p's witnesses follow q's log
			keys, err := q.Keys()
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Follow(&Metadata{LogOrigin: "a.example/log", Keys: keys}); err != nil {
				t.Fatal(err)
			}
			b, _ := os.ReadFile(w.dir.at("public", KeyFile(n)))
			if err := writeWhole(q.at("public", KeyFile(n)), b, 0o644); err != nil {
				t.Fatal(err)
			}
			w.logs["a.example/log"].Size, w.logs["a.example/log"].Root, w.now = 0, nil, func() time.Time { return day }
			w.logs["a.example/log"].At = time.Time{}
			q.reach[n] = local{w}
		}
		q.reach["w1.example/w"] = answering{c.answer}
		if _, err := q.round(3); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

type answering struct {
	answer func(int64, []tlog.Hash, []byte) (string, error)
}

func (answering) Called() string { return "w1.example/w" }
func (a answering) AddCheckpoint(old int64, proof []tlog.Hash, cp []byte) (string, error) {
	return a.answer(old, proof, cp)
}

func FuzzParseAddCheckpoint(f *testing.F) {
	f.Add([]byte("old 1\n" + base64.StdEncoding.EncodeToString(make([]byte, 32)) + "\n\na.example/log\n"))
	f.Add([]byte("old 0\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		old, proof, cp, err := ParseAddCheckpoint(b)
		if err == nil && string(FormatAddCheckpoint(old, proof, cp)) != string(b) {
			t.Fatalf("%q has two readings", b)
		}
	})
}
