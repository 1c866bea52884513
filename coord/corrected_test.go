package coord

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// row is a post of the tests.
type row struct {
	object, account, content string
	seconds                  int64
}

// rowSource gives rows in batches of three.
type rowSource struct{ rows []row }

func (s *rowSource) Next(b *Batch) error {
	b.Posts = b.Posts[:0]
	if len(s.rows) == 0 {
		return io.EOF
	}
	for _, r := range s.rows[:min(3, len(s.rows))] {
		b.Posts = append(b.Posts, Post{Object: []byte(r.object), Account: []byte(r.account), Content: []byte(r.content), Time: r.seconds * 1e6})
	}
	s.rows = s.rows[min(3, len(s.rows)):]
	return nil
}

// memScratch keeps scratch files in memory and counts those open.
type memScratch struct{ open, made int }

type memFile struct {
	s *memScratch
	b []byte
}

func (s *memScratch) Create() (ScratchFile, error) {
	s.open++
	s.made++
	return &memFile{s: s}, nil
}
func (f *memFile) Write(b []byte) (int, error) { f.b = append(f.b, b...); return len(b), nil }
func (f *memFile) ReadAt(b []byte, at int64) (int, error) {
	return bytes.NewReader(f.b).ReadAt(b, at)
}
func (f *memFile) Close() error { f.s.open--; return nil }

// drawRows makes posts with ties, repeats, conflicts and self-shares.
func drawRows(t *rapid.T) []row {
	n := rapid.IntRange(1, 200).Draw(t, "n")
	span := rapid.SampledFrom([]int64{200, 5000, 200_000}).Draw(t, "span")
	seed := rapid.Uint64().Draw(t, "seed")
	random := rand.New(rand.NewPCG(seed, 0))
	rows := make([]row, n)
	for i := range rows {
		rows[i] = row{fmt.Sprint("o", random.IntN(12)), fmt.Sprint("a", random.IntN(9)), fmt.Sprint("c", i), random.Int64N(span) - 50}
		switch random.IntN(20) {
		case 0:
			rows[i].content = fmt.Sprint("c", random.IntN(n))
		case 1:
			rows[i].object = rows[i].content
		case 2:
			rows[i] = rows[random.IntN(i+1)]
		case 3:
			if i > 0 {
				rows[i].account, rows[i].content, rows[i].seconds = rows[i-1].account, rows[i-1].content, rows[i-1].seconds
			}
		}
	}
	return rows
}

// clean applies the rules of the corrected semantics to the letter.
func clean(rows []row) []row {
	type owner struct {
		account string
		seconds int64
	}
	owners := map[string]owner{}
	seen := map[row]bool{}
	var out []row
	for _, r := range rows {
		if o, ok := owners[r.content]; ok && o != (owner{r.account, r.seconds}) {
			continue
		}
		owners[r.content] = owner{r.account, r.seconds}
		if r.object == r.content || seen[r] {
			continue
		}
		seen[r] = true
		out = append(out, r)
	}
	return out
}

// counts is what brute force knows of a pair.
type counts struct {
	objects, shared, pairs, postsA, postsB int64
	delta                                  float64
}

func bruteForce(rows []row, window int64) map[[2]string]counts {
	out := map[[2]string]counts{}
	perObject := map[[2]string]map[string]int64{}
	contents := map[[2]string]map[string]bool{}
	both := map[[2]string]map[string]bool{}
	for _, x := range rows {
		for _, y := range rows {
			if x.object != y.object || x.account >= y.account {
				continue
			}
			k := [2]string{x.account, y.account}
			if both[k] == nil {
				both[k], perObject[k], contents[k] = map[string]bool{}, map[string]int64{}, map[string]bool{}
			}
			both[k][x.object] = true
			d := x.seconds - y.seconds
			if d < 0 {
				d = -d
			}
			if d > window {
				continue
			}
			c := out[k]
			c.pairs++
			out[k] = c
			if best, ok := perObject[k][x.object]; !ok || d < best {
				perObject[k][x.object] = d
			}
			contents[k]["a"+x.content], contents[k]["b"+y.content] = true, true
		}
	}
	for k, c := range out {
		c.objects, c.shared = int64(len(perObject[k])), int64(len(both[k]))
		for content := range contents[k] {
			if content[0] == 'a' {
				c.postsA++
			} else {
				c.postsB++
			}
		}
		for _, d := range perObject[k] {
			c.delta += float64(d)
		}
		out[k] = c
	}
	return out
}

func analyseRows(t fataler, rows []row, opt Options) (*kindPosts, *analysis) {
	t.Helper()
	if err := opt.normalise(); err != nil {
		t.Fatalf("%v", err)
	}
	ctx := context.Background()
	p, err := load(ctx, &rowSource{rows}, &opt)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if p.stores[Object] == nil {
		return nil, nil
	}
	k := newKindPosts(p, Object, p.stores[Object])
	if err := k.prepare(ctx, p.lo, p.hi); err != nil {
		t.Fatalf("%v", err)
	}
	out, err := k.analyse(ctx, true)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return k, out
}

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// TestPrefixFilterIsExact: for k = 1 to 5 the pairs found, and every number of
// each, equal a comparison of all posts with all posts.
func TestPrefixFilterIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := drawRows(t)
		window := rapid.SampledFrom([]int64{1, 10, 60, 4000}).Draw(t, "window")
		want := bruteForce(clean(rows), window)
		for k := int64(1); k <= 5; k++ {
			kp, out := analyseRows(t, rows, Options{Window: time.Duration(window) * time.Second, MinParticipation: 1, MinWeight: int(k)})
			got := map[[2]string]counts{}
			if out != nil {
				for _, x := range out.pairs {
					got[[2]string{kp.p.accounts.string(x.a), kp.p.accounts.string(x.b)}] = counts{x.objects, x.shared, x.pairs, x.postsA, x.postsB, float64(x.delta) / 1e6}
				}
			}
			expect := map[[2]string]counts{}
			for pair, c := range want {
				if c.objects >= k {
					expect[pair] = c
				}
			}
			if diff := gocmp.Diff(expect, got, gocmp.AllowUnexported(counts{})); diff != "" {
				t.Fatalf("k = %d: %s", k, diff)
			}
		}
	})
}

// TestBackgroundCounts compares I, J and the pace of an object with counting
// all pairs.
func TestBackgroundCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := drawRows(t)
		k, _ := analyseRows(t, rows, Options{Window: 3 * time.Hour, MinParticipation: 1, MinWeight: 1})
		if k == nil {
			return
		}
		c := k.bg.clock
		inside, across := make([]int64, c.blocks), make([]int64, c.blocks)
		posts := clean(rows)
		for i, x := range posts {
			for _, y := range posts[:i] {
				a, b := min(x.seconds, y.seconds)*1e6, max(x.seconds, y.seconds)*1e6
				if x.object != y.object || b-a > c.window {
					continue
				}
				switch c.blockOf(b) - c.blockOf(a) {
				case 0:
					inside[c.blockOf(a)]++
				case 1:
					across[c.blockOf(a)]++
				default:
					t.Fatalf("a window spans three blocks")
				}
			}
		}
		for _, h := range k.heavy {
			for d := range inside {
				inside[d], across[d] = inside[d]-h.inside[d], across[d]-h.across[d]
			}
		}
		if diff := gocmp.Diff([][]int64{inside, across}, [][]int64{k.bg.inBlock, k.bg.across}); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestSyncWithFlatProfiles: when accounts have no hours of their own, s_o is
// the share of in-window pairs, which is the chance under permuting the times.
func TestSyncWithFlatProfiles(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	g := make([]record, 40)
	for i := range g {
		g[i].time = random.Int64N(20 * hourMicros)
	}
	slices.SortFunc(g, func(a, b record) int { return cmp.Compare(a.time, b.time) })
	b := newBackground(newClock(10*60*1e6, g[0].time, g[len(g)-1].time))
	o := b.paceOf(g)
	flat := make([]float64, len(o.bins))
	for i := range flat {
		flat[i] = o.n[i] / o.posts
	}
	pairs := 0
	for i := range g {
		for j := range i {
			if g[i].time-g[j].time <= b.window {
				pairs++
			}
		}
	}
	want := float64(pairs) / (40 * 39 / 2)
	// across bins that are not neighbours in the list but in time do not occur
	// here: every hour has posts.
	if len(o.bins) != 20 {
		t.Skip("an hour without posts")
	}
	if got := b.sync(o, flat, flat); math.Abs(got-want) > 1e-12 {
		t.Errorf("s_o = %v, want %v", got, want)
	}
}

// world makes rows of a busy world with one planted group.
func world(seed uint64, n int) []row {
	random := rand.New(rand.NewPCG(seed, 9))
	var rows []row
	for i := range n {
		rows = append(rows, row{fmt.Sprint("o", int(300*math.Pow(random.Float64(), 2))), fmt.Sprint("a", random.IntN(200)), fmt.Sprint("c", i), random.Int64N(10 * 86400)})
	}
	for b := range 8 {
		at := random.Int64N(9 * 86400)
		for m := range 6 {
			rows = append(rows, row{fmt.Sprint("planted", b), fmt.Sprint("x", m), fmt.Sprint("x", b, "-", m), at + random.Int64N(50)})
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.seconds, b.seconds) })
	return rows
}

// text is everything a result says, but for the order of conflict rows.
func text(t testing.TB, rows []row, opt Options) string {
	t.Helper()
	r, err := Detect(context.Background(), &rowSource{rows}, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.Summary.Load = LoadSummary{}
	var b bytes.Buffer
	for i, e := range r.Edges {
		fmt.Fprintf(&b, "%s %s %+v\n", r.Nodes[e.A].Account, r.Nodes[e.B].Account, e)
		for x, err := range r.Evidence(i) {
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "  %+v\n", x)
		}
	}
	for _, c := range r.Candidates {
		fmt.Fprintf(&b, "%+v\n", c)
	}
	fmt.Fprintf(&b, "%+v %+v %+v\n", r.Communities, r.Summary, r.Summary.Test)
	return b.String()
}

func TestPlantedGroupIsFoundWhateverTheOrder(t *testing.T) {
	rows := world(3, 6000)
	want := text(t, rows, Options{})
	r, err := Detect(context.Background(), &rowSource{rows}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Edges) != 15 || len(r.Communities) != 1 || r.Summary.Verdict != Coordinated {
		t.Fatalf("%d edges in %d communities, %s: want the 15 of the planted group", len(r.Edges), len(r.Communities), r.Summary.Verdict)
	}
	random := rand.New(rand.NewPCG(1, 1))
	for range 3 {
		random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		got := text(t, rows, Options{})
		if diff := gocmp.Diff(stripPointers(want), stripPointers(got)); diff != "" {
			t.Fatal(diff)
		}
	}
}

// stripPointers drops the address of the test summary from the text.
func stripPointers(s string) string {
	var out []string
	for _, l := range bytes.Split([]byte(s), []byte("Test:0x")) {
		if i := bytes.IndexByte(l, ' '); len(out) > 0 && i >= 0 {
			l = l[i:]
		}
		out = append(out, string(l))
	}
	return fmt.Sprint(out)
}

// TestSpillingChangesNothing runs every semantics with so little memory that
// posts, pairs and ids go to scratch, and closes every file.
func TestSpillingChangesNothing(t *testing.T) {
	rows := world(4, 70_000)
	for _, s := range []Semantics{Corrected, CooRTweet, CNT} {
		scratch := &memScratch{}
		want := text(t, rows, Options{Semantics: s})
		got := text(t, rows, Options{Semantics: s, Memory: MinMemory, Scratch: scratch})
		if scratch.made < partCount || scratch.open != 0 {
			t.Errorf("%v: %d scratch files made, %d left open", s, scratch.made, scratch.open)
		}
		if stripPointers(want) != stripPointers(got) {
			t.Errorf("%v: the result differs when it spills", s)
		}
	}
}

type fullDisk struct{ memScratch }

type fullFile struct{ *memFile }

var errFull = errors.New("no space left on device")

func (f *fullDisk) Create() (ScratchFile, error) {
	x, _ := f.memScratch.Create()
	return fullFile{x.(*memFile)}, nil
}
func (fullFile) Write([]byte) (int, error) { return 0, errFull }

func TestFullDiskIsAnErrorAndLeavesNothing(t *testing.T) {
	scratch := &fullDisk{}
	r, err := Detect(context.Background(), &rowSource{world(4, 70_000)}, Options{Memory: MinMemory, Scratch: scratch})
	if !errors.Is(err, errFull) || r != nil {
		t.Errorf("got %v, %v: want the disk's error and no result", r, err)
	}
	if scratch.open != 0 {
		t.Errorf("%d scratch files left open", scratch.open)
	}
}

// TestTooManyPairsAreRefusedAhead: a viral object in a compat semantics is an
// error that says how many pairs there would be, not an exhausted machine.
func TestTooManyPairsAreRefusedAhead(t *testing.T) {
	var rows []row
	for i := range 2000 {
		rows = append(rows, row{"viral", fmt.Sprint("a", i), fmt.Sprint("c", i), 7})
	}
	_, err := Detect(context.Background(), &rowSource{rows}, Options{Semantics: CNT, Memory: MinMemory})
	if err == nil || !strings.Contains(err.Error(), "1999000 pairs") {
		t.Errorf("got %v, want the number of pairs", err)
	}
	r, err := Detect(context.Background(), &rowSource{rows}, Options{Memory: MinMemory})
	if err != nil || len(r.Edges) != 0 {
		t.Errorf("the corrected semantics: %v", err)
	}
}

func TestTooLittle(t *testing.T) {
	r, err := Detect(context.Background(), &rowSource{[]row{{"o", "a", "1", 0}, {"o", "b", "2", 1}}}, Options{})
	if err != nil || r.Summary.Verdict != NotEnough || len(r.Edges) != 0 {
		t.Errorf("%v %v: want %q and no edges", err, r, NotEnough)
	}
}

func TestCoarseClockIsRefused(t *testing.T) {
	var rows []row
	for i := range 100 {
		rows = append(rows, row{fmt.Sprint("o", i%5), fmt.Sprint("a", i), fmt.Sprint("c", i), int64(i) * 60})
	}
	if _, err := Detect(context.Background(), &rowSource{rows}, Options{Window: 10 * time.Second}); err == nil {
		t.Error("times in full minutes were taken for a window of 10 s")
	}
}

// TestEquivalenceLaw: with unique contents that are no objects, CNT and
// CooRTweet have the same pairs, and X lies between the larger A and their
// product (docs/detection.md).
func TestEquivalenceLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rows []row
		for i, r := range drawRows(t) {
			r.content = fmt.Sprint("unique", i)
			if r.object[0] == 'o' {
				rows = append(rows, r)
			}
		}
		run := func(s Semantics) map[[2]string]Edge {
			r, err := Detect(context.Background(), &rowSource{rows}, Options{Semantics: s, MinParticipation: 1})
			if err != nil {
				t.Fatalf("%v", err)
			}
			out := map[[2]string]Edge{}
			for _, e := range r.Edges {
				out[[2]string{r.Nodes[e.A].Account, r.Nodes[e.B].Account}] = e
			}
			return out
		}
		coor, cnt := run(CooRTweet), run(CNT)
		if len(coor) != len(cnt) {
			t.Fatalf("%d and %d edges", len(coor), len(cnt))
		}
		for pair, e := range coor {
			c, ok := cnt[pair]
			a, b := c.PostsA, c.PostsB
			if !ok || c.Weight != max(a, b) || e.Weight < max(a, b) || e.Weight > a*b || e.Objects > min(a, b) {
				t.Fatalf("%v: %+v and %+v", pair, e, c)
			}
		}
	})
}
