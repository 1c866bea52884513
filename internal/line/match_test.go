package line

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/label"
	"causeway/stix"

	"pgregory.net/rapid"
)

// domains stores domain names under a label, released to nobody.
func (n *testNode) domains(eff label.Effective, names ...string) {
	n.t.Helper()
	_, err := n.vault.Act(context.Background(), audit.Act{Actor: "person:x", Verb: "put"}, func(tx *vault.Tx) error {
		for _, name := range names {
			id, err := stix.SCOID("domain-name", map[string]any{"value": name})
			if err != nil {
				return err
			}
			o, err := stix.ParseObject(fmt.Appendf(nil, `{"type":"domain-name","spec_version":"2.1","id":%q,"value":%q}`, id, name))
			if err != nil {
				return err
			}
			if _, err := tx.Put(vault.Put{Object: o, Effective: eff, Source: "local"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		n.t.Fatal(err)
	}
}

// matchPair is two nodes with domains in common, one of them hidden by its
// label from the asker.
func matchPair(t *testing.T) (a, b *testNode) {
	a, b = newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
	befriend(t, a, b, "CONFIDENTIAL")
	a.start()
	b.start()
	a.domains(a.effective("CONFIDENTIAL", "JPN"), "both.example", "only-a.example", "b-hides.example", "Mixed.Example.")
	a.domains(a.effective("SECRET", "JPN"), "a-hides.example")
	b.domains(b.effective("CONFIDENTIAL", "JPN"), "both.example", "only-b.example", "mixed.example", "a-hides.example")
	b.domains(b.effective("SECRET", "JPN"), "b-hides.example")
	return a, b
}

func TestBlindMatch(t *testing.T) {
	a, b := matchPair(t)
	ctx := t.Context()
	m, err := a.line.ProposeMatch(ctx, "person:a", b.name(), Terms{Kinds: []string{"domain"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.line.Match(ctx, "person:a", m.Run, nil, nil); err == nil {
		t.Fatal("a match ran without consent")
	}
	if err := b.line.AnswerMatch(ctx, "person:b", m.Run, true, nil); err != nil {
		t.Fatal(err)
	}
	done, err := a.line.Match(ctx, "person:a", m.Run, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, v := range done.Found {
		found = append(found, v.Text)
	}
	slices.Sort(found)
	if want := []string{"domain:both.example", "domain:mixed.example"}; !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
	if done.Held != 64 || done.Asked != 64 {
		t.Errorf("sizes shown %d and %d, want buckets of 64", done.Held, done.Asked)
	}
	if _, err := a.line.Match(ctx, "person:a", m.Run, nil, nil); err == nil {
		t.Error("a match ran twice on one consent")
	}
	theirs, err := b.line.Matches(ctx)
	if err != nil || len(theirs) != 1 || len(theirs[0].Found) != 0 || theirs[0].Evaluated != 64 {
		t.Errorf("the holder keeps %+v, %v", theirs, err)
	}
}

func TestMatchRefused(t *testing.T) {
	a, b := matchPair(t)
	ctx := t.Context()
	m, err := a.line.ProposeMatch(ctx, "person:a", b.name(), Terms{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.line.AnswerMatch(ctx, "person:b", m.Run, false, nil); err != nil {
		t.Fatal(err)
	}
	if m, err := a.line.Match(ctx, "person:a", m.Run, nil, nil); err != nil || m.State != MatchRefused {
		t.Errorf("%+v, %v", m, err)
	}
}

// A partner that asks for more than was agreed, again and again, or under
// another's run is refused, and everything it asked is counted.
func TestAttackEnumerationByMatch(t *testing.T) {
	a, b := matchPair(t)
	ctx := t.Context()
	m, err := a.line.ProposeMatch(ctx, "person:a", b.name(), Terms{Kinds: []string{"domain"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(q matchQuestion) (int, []byte) {
		return a.request(b, http.MethodPost, pathMatch+"evaluate", mustCanonical(q), nil)
	}
	values := make([]string, 64)
	for i := range values {
		values[i] = fmt.Sprintf("domain:guess-%d.example", i)
	}
	k, err := newEvaluator(a.ring.Current(), "x", 1)
	if err != nil {
		t.Fatal(err)
	}
	guess, err := newAsker(ctx, k.public, values, 64)
	if err != nil {
		t.Fatal(err)
	}
	q := matchQuestion{Run: m.Run, Elements: guess.batches[0].elements}
	if code, _ := ask(q); code != http.StatusForbidden {
		t.Errorf("without consent: %d", code)
	}
	if err := b.line.AnswerMatch(ctx, "person:b", m.Run, true, nil); err != nil {
		t.Fatal(err)
	}
	if code, body := ask(q); code != http.StatusOK {
		t.Errorf("as agreed: %d %s", code, body)
	}
	if code, _ := ask(q); code != http.StatusTooManyRequests {
		t.Errorf("beyond what was agreed: %d", code)
	}
	for name, bad := range map[string]matchQuestion{
		"another run":  {Run: "00000000000000000000000000000000", Elements: q.Elements},
		"no elements":  {Run: m.Run},
		"half element": {Run: m.Run, Elements: q.Elements[:40]},
		"identity":     {Run: m.Run, Elements: make([]byte, 32)},
	} {
		if code, _ := ask(bad); code == http.StatusOK {
			t.Errorf("%s: answered", name)
		}
	}
	// The week's share is over all runs.
	b.halt()
	b.limits.Matches = 64
	b.close()
	b.open()
	b.start()
	again, err := a.line.ProposeMatch(ctx, "person:a", b.name(), Terms{Kinds: []string{"domain"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.line.AnswerMatch(ctx, "person:b", again.Run, true, nil); err != nil {
		t.Fatal(err)
	}
	q.Run = again.Run
	if code, _ := ask(q); code != http.StatusTooManyRequests {
		t.Errorf("beyond the week's share: %d", code)
	}
}

// A holder that answers under another key than it stated, or changes its set
// afterwards, fails the run.
func TestMatchCheatingHolder(t *testing.T) {
	ctx := t.Context()
	ring := newTestRing(t, "JPN")
	stated, err := newEvaluator(ring.Current(), "p", 1)
	if err != nil {
		t.Fatal(err)
	}
	other, err := newEvaluator(ring.Current(), "p", 2)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(stated.public, other.public) {
		t.Fatal("two epochs have one key")
	}
	a, err := newAsker(ctx, stated.public, []string{"domain:x.example"}, 64)
	if err != nil {
		t.Fatal(err)
	}
	el, proof, err := other.evaluate(a.batches[0].elements)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.finalize(0, el, proof); err == nil {
		t.Error("answers under another key were taken")
	}
	el, proof, err = stated.evaluate(a.batches[0].elements)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.finalize(0, el, proof); err != nil {
		t.Errorf("the true answer: %v", err)
	}
	swapped := append(slices.Clone(el[32:64]), el[:32]...)
	if _, err := a.finalize(0, append(swapped, el[64:]...), proof); err == nil {
		t.Error("swapped answers were taken")
	}
}

func TestBucket(t *testing.T) {
	for n, want := range map[int]int{0: 64, 1: 64, 64: 64, 65: 128, 128: 128, 100_000: 131_072} {
		if got := bucket(n); got != want {
			t.Errorf("bucket(%d) = %d, want %d", n, got, want)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	ring := newTestRing(b, "JPN")
	ev, err := newEvaluator(ring.Current(), "p", 1)
	if err != nil {
		b.Fatal(err)
	}
	values := make([]string, matchBatch)
	for i := range values {
		values[i] = fmt.Sprintf("domain:%d.example", i)
	}
	for b.Loop() {
		if _, err := ev.tags(b.Context(), values); err != nil {
			b.Fatal(err)
		}
		a, err := newAsker(b.Context(), ev.public, values, matchBatch)
		if err != nil {
			b.Fatal(err)
		}
		el, proof, err := ev.evaluate(a.batches[0].elements)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := a.finalize(0, el, proof); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*matchBatch), "us/element")
}

// Two agencies that see different platforms find what was shared on both at
// the same time, by content keys in two grids of time; neither shows a post or
// an account.
func TestBlindMatchOfPosts(t *testing.T) {
	a, b := newTestNode(t, "BEL", true), newTestNode(t, "JPN", true)
	befriend(t, a, b, "SECRET")
	a.start()
	b.start()
	ctx := t.Context()
	width := time.Minute
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	values := func(objects map[string]time.Duration) (out []Value) {
		for o, d := range objects {
			v := PostValues(o, at.Add(d), width)
			out = append(out, v[:]...)
		}
		return out
	}
	ours := values(map[string]time.Duration{"https://Fake.example/story#x": 0, "hash-1": 10 * time.Second, "hash-2": 0})
	theirs := values(map[string]time.Duration{"https://fake.example/story": 20 * time.Second, "hash-1": 10 * time.Minute, "hash-3": 0})
	if _, err := a.line.ProposeMatch(ctx, "person:a", b.name(), Terms{Kinds: []string{"post", "url"}, Width: width}, ours); err == nil {
		t.Error("posts were mixed with other kinds")
	}
	m, err := a.line.ProposeMatch(ctx, "person:a", b.name(), Terms{Kinds: []string{"post"}, Width: width}, ours)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.line.AnswerMatch(ctx, "person:b", m.Run, true, nil); err == nil {
		t.Error("a match of posts was consented to without posts")
	}
	if err := b.line.AnswerMatch(ctx, "person:b", m.Run, true, theirs); err != nil {
		t.Fatal(err)
	}
	done, err := a.line.Match(ctx, "person:a", m.Run, ours, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(done.Found) == 0 {
		t.Error("nothing was found in common")
	}
	for _, v := range done.Found {
		if !strings.HasSuffix(v.Text, "/https://fake.example/story") {
			t.Errorf("found %q, which they have not in common at one time", v.Text)
		}
	}
}

// Posts less than half a width apart share a cell, posts a width and a half
// apart share none.
func TestPostValues(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		width := time.Duration(rapid.Int64Range(int64(minWidth), int64(maxWidth)).Draw(rt, "width")).Truncate(time.Millisecond)
		at := time.UnixMicro(rapid.Int64Range(-1e15, 4e15).Draw(rt, "at"))
		apart := time.Duration(rapid.Int64Range(0, 3*int64(width)).Draw(rt, "apart")).Truncate(time.Microsecond)
		x, y := PostValues("o", at, width), PostValues("o", at.Add(apart), width)
		share := x[0] == y[0] || x[1] == y[1]
		if apart < width/2 && !share || apart >= width && share {
			rt.Fatalf("width %v, apart %v: share %v", width, apart, share)
		}
	})
}

// The outcome stays with the asker until it releases it; then the holder
// learns which of its own values both have, and no others.
func TestMatchReleasedByBoth(t *testing.T) {
	a, b := matchPair(t)
	ctx := t.Context()
	of := func(n *testNode, run string) *Match {
		t.Helper()
		m, err := n.line.loadMatch(ctx, run)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m, err := a.line.ProposeMatch(ctx, "person:a", b.name(), Terms{Kinds: []string{"domain"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.line.StartMatch(ctx, "person:a", m.Run); err == nil {
		t.Error("a match started without consent")
	}
	if err := b.line.AnswerMatch(ctx, "person:b", m.Run, true, nil); err != nil {
		t.Fatal(err)
	}
	if err := a.line.ReleaseMatch(ctx, "person:a", m.Run); err == nil {
		t.Error("released before it ran")
	}
	if err := a.line.StartMatch(ctx, "person:a", m.Run); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of the match", func() bool {
		_, runs := a.line.MatchProgress(m.Run)
		return !runs && of(a, m.Run).State == MatchDone
	})
	if held := of(b, m.Run); held.State != MatchConsented || held.Found != nil {
		t.Errorf("the holder knows %v (%s) before the asker released", held.Found, held.State)
	}
	if err := b.line.ReleaseMatch(ctx, "person:b", m.Run); err == nil {
		t.Error("the holder released first")
	}
	// The asker cannot make the holder look for what it did not give.
	asked := of(a, m.Run)
	forged := mustCanonical(matchRelease{Run: m.Run, Found: append(slices.Clone(asked.Common), make([]byte, tagLength))})
	if code, text := a.request(b, "POST", pathMatch+"release", forged, nil); code != 422 {
		t.Errorf("a tag that was not in the set: %d %s", code, text)
	}
	if err := a.line.ReleaseMatch(ctx, "person:a", m.Run); err != nil {
		t.Fatal(err)
	}
	if err := a.line.ReleaseMatch(ctx, "person:a", m.Run); err == nil {
		t.Error("released twice")
	}
	held := of(b, m.Run)
	want := []string{"domain:both.example", "domain:mixed.example"}
	got := texts(held.Found)
	slices.Sort(got)
	if held.State != MatchDone || !slices.Equal(got, want) {
		t.Errorf("the holder learnt %v (%s), want %v", got, held.State, want)
	}
	if of(a, m.Run).Mine.IsZero() || !of(a, m.Run).Theirs.IsZero() || held.Theirs.IsZero() {
		t.Error("who released is noted wrong")
	}
	if err := b.line.ReleaseMatch(ctx, "person:b", m.Run); err != nil {
		t.Fatal(err)
	}
	if of(a, m.Run).Theirs.IsZero() || of(b, m.Run).Mine.IsZero() {
		t.Error("released by both, and not noted")
	}
	// Nobody else takes part.
	c := newTestNode(t, "DEU", true)
	befriend(t, b, c, "SECRET")
	if code, text := c.request(b, "POST", pathMatch+"release", mustCanonical(matchRelease{Run: m.Run}), nil); code != 404 {
		t.Errorf("a third node: %d %s", code, text)
	}
}
