package text

import (
	"math"
	"slices"
)

// The sketch: 128 hashes in 16 bands of 8, so that texts of Jaccard similarity
// 0.67 become candidates half of the time, and of 0.8 almost always.
const (
	sketchSize = 128
	bands      = 16
	rows       = sketchSize / bands
)

// Similar is the least Jaccard similarity of the shingles of two texts that
// count as one.
const Similar = 0.7

// shingle lengths: scripts that write a word in one or two characters need
// shorter ones.
func shingleLength(s Script) int {
	if s == Alphabetic {
		return 5
	}
	return 3
}

// Clusters gathers texts around leaders. Texts must be added in order of time:
// the first of a cluster is its leader, and others join by their similarity to
// it alone.
type Clusters struct {
	exact   map[string]int
	leaders []leader
	bands   [bands]map[uint64][]int32
	// Opposed counts texts that matched a leader but for their stance.
	Opposed int64
	// Short counts texts below the floor of their script.
	Short int64
}

type leader struct {
	shingles []uint64
	stance   string
}

// NewClusters returns an empty set.
func NewClusters() *Clusters {
	c := &Clusters{exact: map[string]int{}}
	for i := range c.bands {
		c.bands[i] = map[uint64][]int32{}
	}
	return c
}

// Add returns the cluster of a text, numbered from 0, and whether the text
// founded it; -1 when it is too short to be matched.
func (c *Clusters) Add(raw string) (cluster int, founded bool) {
	t := Normalise(raw)
	if !t.Long {
		c.Short++
		return -1, false
	}
	if i, ok := c.exact[t.Text]; ok {
		return i, false
	}
	s := shingles(t)
	sk := sketch(s)
	best, similarity, opposed := -1, Similar, false
	seen := map[int32]bool{}
	for b := range bands {
		for _, i := range c.bands[b][band(sk, b)] {
			if seen[i] {
				continue
			}
			seen[i] = true
			j := jaccard(s, c.leaders[i].shingles)
			switch {
			case j < Similar:
			case c.leaders[i].stance != t.Stance:
				opposed = true
			case j > similarity || best < 0 || j == similarity && int(i) < best:
				best, similarity = int(i), j
			}
		}
	}
	if best >= 0 {
		c.exact[t.Text] = best
		return best, false
	}
	if opposed {
		c.Opposed++
	}
	n := len(c.leaders)
	c.leaders = append(c.leaders, leader{s, t.Stance})
	c.exact[t.Text] = n
	for b := range bands {
		h := band(sk, b)
		c.bands[b][h] = append(c.bands[b][h], int32(n))
	}
	return n, true
}

// shingles are the hashes of all runs of characters, sorted, each once.
func shingles(t Clean) []uint64 {
	n := shingleLength(t.Script)
	r := []rune(t.Text)
	out := make([]uint64, 0, len(r))
	for i := 0; i+n <= len(r); i++ {
		h := uint64(14695981039346656037)
		for _, c := range r[i : i+n] {
			h = (h ^ uint64(c)) * 1099511628211
		}
		out = append(out, mix(h))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// sketch is the least of each of 128 hashes of the shingles.
func sketch(s []uint64) *[sketchSize]uint64 {
	var out [sketchSize]uint64
	for i := range out {
		out[i] = math.MaxUint64
	}
	for _, h := range s {
		x := h
		for i := range out {
			x = x*6364136223846793005 + 1442695040888963407
			if y := x ^ x>>29; y < out[i] {
				out[i] = y
			}
		}
	}
	return &out
}

func band(s *[sketchSize]uint64, b int) uint64 {
	h := uint64(b)
	for _, x := range s[b*rows : (b+1)*rows] {
		h = mix(h ^ x)
	}
	return h
}

// jaccard is the size of the intersection over that of the union of two sorted
// sets.
func jaccard(a, b []uint64) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	both := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			both, i, j = both+1, i+1, j+1
		}
	}
	return float64(both) / float64(len(a)+len(b)-both)
}
