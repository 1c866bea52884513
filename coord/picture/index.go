package picture

// Groups gathers near-duplicates: each is compared with the first of every
// group and joins the nearest one near enough, so groups do not chain.
//
// The search is exact and does not compare all with all: a hash is cut into
// bands of 16 bits, more than half as many as bits may differ, so that in at
// least one band two near hashes differ in one bit at most (pigeonhole;
// multi-index hashing, Norouzi, Punjani & Fleet 2012, arXiv 1307.2982).
type Groups struct {
	first []Hash
	exact map[Hash]int
	bands map[band][]int32
	seen  []int32 // last query that compared with each group
	query int32
}

// band is 16 bits at a place of a hash of a kind.
type band struct {
	kind  Kind
	place uint8
	value uint16
}

// NewGroups begins with none.
func NewGroups() *Groups { return &Groups{exact: map[Hash]int{}, bands: map[band][]int32{}} }

// Add returns the group of a hash, and whether it founded it. Groups are
// numbered from 0. A plain hash has none: -1.
func (g *Groups) Add(h Hash) (group int, founded bool) {
	if h.Plain() {
		return -1, false
	}
	if i, ok := g.exact[h]; ok {
		return i, false
	}
	i, ok := g.nearest(h)
	if !ok {
		i = len(g.first)
		g.first, g.seen = append(g.first, h), append(g.seen, 0)
		for p := range 4 * h.Kind.words() {
			b := band{h.Kind, uint8(p), h.at(p)}
			g.bands[b] = append(g.bands[b], int32(i))
		}
	}
	g.exact[h] = i
	return i, !ok
}

func (h Hash) at(place int) uint16 { return uint16(h.Bits[place/4] >> (16 * (place % 4))) }

// nearest finds the group whose first hash is nearest, the earliest of equals.
func (g *Groups) nearest(h Hash) (best int, ok bool) {
	g.query++
	least := h.Kind.near() + 1
	look := func(b band) {
		for _, i := range g.bands[b] {
			if g.seen[i] == g.query {
				continue
			}
			g.seen[i] = g.query
			if d := h.Distance(g.first[i]); d < least || d == least && ok && int(i) < best {
				best, least, ok = int(i), d, true
			}
		}
	}
	for p := range 4 * h.Kind.words() {
		v := h.at(p)
		look(band{h.Kind, uint8(p), v})
		for bit := range 16 {
			look(band{h.Kind, uint8(p), v ^ 1<<bit})
		}
	}
	return best, ok
}
