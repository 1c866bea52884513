package picture

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"causeway/coord"
	"causeway/coord/read"

	"pgregory.net/rapid"
)

// scene draws soft blobs, the same for a seed at every size and shade.
func scene(seed uint64, w, h int, shade float64) *image.NRGBA {
	random := rand.New(rand.NewPCG(seed, 1))
	type blob struct{ x, y, r, v float64 }
	var blobs []blob
	for range 24 {
		blobs = append(blobs, blob{random.Float64(), random.Float64(), 0.03 + 0.2*random.Float64(), 200*random.Float64() - 100})
	}
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			v := 128.0
			for _, b := range blobs {
				d := math.Hypot((float64(x)+0.5)/float64(w)-b.x, (float64(y)+0.5)/float64(h)-b.y)
				v += b.v * math.Exp(-d*d/(b.r*b.r))
			}
			c := uint8(math.Max(0, math.Min(255, v*shade)))
			m.SetNRGBA(x, y, color.NRGBA{c, c, c / 2, 255})
		}
	}
	return m
}

func hashed(t *testing.T, encode func(w io.Writer) error) Hash {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		t.Fatal(err)
	}
	h, err := Of(&b)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestCopiesAreNear: another size, JPEG of half quality, another format, and a
// darker print of an image stay within the distance of copies; other images
// stay far outside it.
func TestCopiesAreNear(t *testing.T) {
	near := Computed.near()
	closest := 256
	var originals []Hash
	for seed := range uint64(8) {
		original := hashed(t, func(w io.Writer) error { return png.Encode(w, scene(seed, 150, 100, 1)) })
		for name, encode := range map[string]func(io.Writer) error{
			"smaller":    func(w io.Writer) error { return png.Encode(w, scene(seed, 90, 60, 1)) },
			"stretched":  func(w io.Writer) error { return png.Encode(w, scene(seed, 150, 120, 1)) },
			"compressed": func(w io.Writer) error { return jpeg.Encode(w, scene(seed, 150, 100, 1), &jpeg.Options{Quality: 50}) },
			"darker":     func(w io.Writer) error { return png.Encode(w, scene(seed, 150, 100, 0.85)) },
			"few colours": func(w io.Writer) error {
				return gif.Encode(w, scene(seed, 150, 100, 1), &gif.Options{NumColors: 256})
			},
		} {
			if d := original.Distance(hashed(t, encode)); d > near {
				t.Errorf("image %d, %s: %d bits differ, want at most %d", seed, name, d, near)
			}
		}
		for _, other := range originals {
			closest = min(closest, original.Distance(other))
		}
		originals = append(originals, original)
	}
	if closest < 2*near {
		t.Errorf("two different images differ in %d bits only", closest)
	}
}

// TestBlankIsNoTrace: images that show nothing have no group.
func TestBlankIsNoTrace(t *testing.T) {
	blank := image.NewNRGBA(image.Rect(0, 0, 90, 70))
	for i := range blank.Pix {
		blank.Pix[i] = 200
	}
	if h := hashed(t, func(w io.Writer) error { return png.Encode(w, blank) }); !h.Plain() {
		t.Errorf("a blank image has the hash %v", h)
	}
	for _, s := range []string{"0000000000000000", "ffffffffffffffff", "0000000000000001", strings.Repeat("0", 64)} {
		h, err := Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		if g, _ := NewGroups().Add(h); g != -1 {
			t.Errorf("%s is a trace", s)
		}
	}
}

// TestBounds: what is no image, too large as a file or would unfold to too many
// pixels is refused before it is decoded.
func TestBounds(t *testing.T) {
	var small bytes.Buffer
	if err := png.Encode(&small, scene(1, 20, 20, 1)); err != nil {
		t.Fatal(err)
	}
	bomb := bytes.Clone(small.Bytes())
	binary.BigEndian.PutUint32(bomb[16:], 60_000) // the width in IHDR
	binary.BigEndian.PutUint32(bomb[20:], 60_000)
	binary.BigEndian.PutUint32(bomb[29:], crc32.ChecksumIEEE(bomb[12:29]))
	for want, b := range map[string]io.Reader{
		"pixels":                bytes.NewReader(bomb),
		"no JPEG, PNG or GIF":   strings.NewReader("<svg/>"),
		"larger than 32 MiB":    io.LimitReader(zeros{}, MaxBytes+10),
		"decode":                bytes.NewReader(small.Bytes()[:small.Len()/2]),
		"no JPEG, PNG or GIF: ": strings.NewReader(""),
	} {
		if _, err := Of(b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// TestGroupsAreExact: the banded search finds what comparing with every group
// finds, for both lengths.
func TestGroupsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]Kind{Given64, Given256, Computed}).Draw(t, "kind")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
		g := NewGroups()
		var first []Hash
		joined := map[Hash]int{}
		var last Hash
		for range 200 {
			h := Hash{Kind: kind}
			if random.IntN(3) > 0 && last != (Hash{}) { // a few bits from one before, around the limit
				h = last
				for range random.IntN(2 * kind.near()) {
					b := random.IntN(64 * kind.words())
					h.Bits[b/64] ^= 1 << (b % 64)
				}
			} else {
				for w := range kind.words() {
					h.Bits[w] = random.Uint64()
				}
				last = h
			}
			want, least := -1, kind.near()+1
			for i, f := range first {
				if d := h.Distance(f); d < least {
					want, least = i, d
				}
			}
			if i, ok := joined[h]; ok {
				want = i
			}
			got, founded := g.Add(h)
			if founded != (want < 0) || !founded && got != want {
				t.Fatalf("%v: group %d (founded %v), want %d", h, got, founded, want)
			}
			if founded {
				first = append(first, h)
			}
			joined[h] = got
		}
	})
}

// TestGroupsGrowAlmostLinearly counts instead of timing: of 5,000 hashes
// without copies, each is compared with few others.
func TestGroupsGrowAlmostLinearly(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	g := NewGroups()
	const n = 5000
	for range n {
		h := Hash{Kind: Given256}
		for w := range h.Bits {
			h.Bits[w] = random.Uint64()
		}
		g.Add(h)
	}
	met := 0 // pairs of groups that share a band
	for _, groups := range g.bands {
		met += len(groups) * (len(groups) - 1) / 2
	}
	if all := n * (n - 1) / 2; met*17*20 > all { // a query looks at 17 values of each band
		t.Errorf("about %d of %d pairs are compared", met*17, all)
	}
}

// TestImagesFuseWithObjects: a group that posts near-copies of one image under
// different addresses is found by the images, and the edge says so.
func TestImagesFuseWithObjects(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	files := map[string][]byte{}
	var csv strings.Builder
	csv.WriteString("object_id,account_id,content_id,timestamp_share,image\n")
	for i := range 4000 { // ordinary posts, a third with a picture of their own
		name := ""
		if i%3 == 0 {
			name = fmt.Sprintf("u%d.png", i%10)
			if files[name] == nil {
				files[name] = encoded(t, scene(uint64(1000+i%10), 30, 30, 1))
			}
		}
		fmt.Fprintf(&csv, "o%d,a%d,c%d,%d,%s\n", random.IntN(400), random.IntN(300), i, 1_767_600_000+random.IntN(20*86400), name)
	}
	for b := range 12 {
		at := 1_767_600_000 + random.IntN(19*86400)
		for m := range 5 { // each member's copy has a size of its own
			name := fmt.Sprintf("b%d-%d.png", b, m)
			files[name] = encoded(t, scene(uint64(b), 50+10*m, 60, 1))
			fmt.Fprintf(&csv, "own%d-%d,x%d,p%d-%d,%d,%s\n", b, m, m, b, m, at+random.IntN(40), name)
		}
	}
	csv.WriteString("o1,a1,last,1767600000,gone.png\no1,a2,last2,1767600000,broken.png\n")
	files["broken.png"] = []byte("not an image")
	src, err := read.Open(context.Background(), strings.NewReader(csv.String()), read.Options{Images: true})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	s := NewSource(src, func(name string) (io.ReadCloser, error) {
		b, ok := files[name]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return io.NopCloser(bytes.NewReader(b)), nil
	})
	r, err := coord.Detect(context.Background(), s, coord.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if len(r.Edges) != 10 || r.Nodes[0].Account != "x0" {
		t.Fatalf("%d edges, %s: want the 10 of the five members", len(r.Edges), r.Summary.Reason)
	}
	for _, e := range r.Edges {
		if !strings.HasPrefix(e.Kinds, "image:12:") {
			t.Errorf("kinds %q: want the images' contribution", e.Kinds)
		}
	}
	if n, first := s.Failed(); n != 2 || !strings.Contains(first[0], "gone.png") || !strings.Contains(first[1], "broken.png") {
		t.Errorf("%d failed: %q", n, first)
	}
}

func encoded(t *testing.T, m image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestGivenHashes: hashes in a column need no files and no objects beside them;
// what is neither a hash nor a file matches itself alone.
func TestGivenHashes(t *testing.T) {
	const posts = `account_id,content_id,timestamp_share,image_hash
a,c1,100,9f172786e71f1e00
b,c2,110,9f172786e71f1e03
c,c3,120,60e8d87918e0e1ff
d,c4,130,asset-7
e,c5,90,9f172786e71f1e01 asset-7
`
	src, err := read.Open(context.Background(), strings.NewReader(posts), read.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	s := NewSource(src, nil)
	got := map[string]string{}
	var b coord.Batch
	for {
		err := s.Next(&b)
		for _, p := range b.Posts {
			got[string(p.Content)] += string(p.Object) + ";"
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for content, want := range map[string]string{"c1": "img:9f172786e71f1e01;", "c2": "img:9f172786e71f1e01;", "c3": "img:60e8d87918e0e1ff;", "c4": "asset-7;", "c5": "asset-7;img:9f172786e71f1e01;"} {
		if got[content] != want {
			t.Errorf("%s: %q, want %q", content, got[content], want)
		}
	}
}

func FuzzOf(f *testing.F) {
	var b bytes.Buffer
	_ = jpeg.Encode(&b, scene(1, 16, 16, 1), nil)
	f.Add(b.Bytes())
	f.Add([]byte("GIF89a"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 1<<16 {
			_, _ = Of(bytes.NewReader(b)) // must neither panic nor take all memory
		}
	})
}
