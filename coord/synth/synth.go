// Package synth makes posts whose truth is known: worlds without any
// coordination, to see how often a detector cries wolf, and networks planted in
// them, to see what it finds.
//
// A world is made object by object and given out in order of time, so that any
// number of posts streams through little memory. The same World gives the same
// posts.
package synth

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
)

// Shape is the rhythm of a world without coordination. Each adds what fooled a
// simpler test (docs/detection.md).
type Shape string

const (
	// Rates: accounts and objects have rates, times are uniform.
	Rates Shape = "rates"
	// Bursty: objects are born and fade; accounts sleep, in seven time zones.
	Bursty Shape = "bursty"
	// Homophily: bursty, and accounts post nine times of ten in their topic,
	// one of twenty of Zipf size.
	Homophily Shape = "homophily"
	// Dense: objects live for days and accounts post often.
	Dense Shape = "dense"
	// Shifts: dense, and accounts work in six-hour shifts on a weekly rhythm.
	Shifts Shape = "shifts"
	// Viral: homophily, with objects of 10,000 and 5,000 shares.
	Viral Shape = "viral"
)

// Shapes lists every world.
var Shapes = []Shape{Rates, Bursty, Homophily, Dense, Shifts, Viral}

// World is a recipe.
type World struct {
	Posts    int // number of posts, planted ones included
	Seed     uint64
	Shape    Shape   // default Bursty
	Accounts int     // default Posts/20 (dense worlds Posts/60), at least 20
	Days     int     // default 30
	Start    int64   // Unix seconds; default 2026-01-05 00:00 UTC, a Monday
	Viral    []int   // extra objects of so many shares each
	MeanSize float64 // mean shares of an object; default 8 (dense worlds 30)
	Plants   []Plant
}

// Plant is coordination put into a world.
type Plant struct {
	Kind   string // private, piggyback or syndicate
	Groups int
	Size   int // accounts in a group
	// Bursts is how many objects a group shares together. Default 5 for
	// private, 24 for piggyback.
	Bursts int
	// Spread is the length of a burst in seconds. Default 60.
	Spread float64
	// Join is the chance that a member takes part in a burst. Default 1 for
	// private, 0.5 for piggyback.
	Join float64
	// Camouflage is how many ordinary posts each member makes. Default 20.
	Camouflage int
}

// Kinds of plants. A private group shares objects nobody else shares; a
// piggyback group joins objects that are popular anyway. A syndicate is no
// coordination to be found but outlets of one feed: each publishes every object
// of it, at a delay of its own that hardly varies, and little else.
const (
	Private   = "private"
	Piggyback = "piggyback"
	Syndicate = "syndicate"
)

// Post is one row of a world.
type Post struct {
	Object, Account, Content string
	Time                     int64 // Unix seconds
}

// Member is one planted account: the truth.
type Member struct {
	Account string
	Group   int // from 1
	Kind    string
}

type post struct {
	time            int64
	object, account uint32
}

type group struct {
	plant   Plant
	id      int
	members []uint32
	due     []due // bursts not yet placed, by time
}

// due is a burst that waits for a popular object.
type due struct {
	at    int64
	sides []uint32 // who takes part
}

type maker struct {
	w         World
	random    *rand.Rand
	sizes     *rand.Rand // draws sizes alone, so that births can count them ahead
	span      int64
	weight    []float64 // cumulative activity of ordinary accounts
	topic     [][]uint32
	topicSum  [][]float64
	topicOf   []uint8
	groups    []group
	truth     []Member
	hours     map[int64][]post
	nextHour  int64
	planned   int // ordinary posts still to make
	objects   uint32
	emitted   int
	dense     bool
	homophile bool
}

func (w World) normalise() (World, error) {
	if w.Posts < 1 {
		return w, fmt.Errorf("%d posts: want at least 1", w.Posts)
	}
	if w.Shape == "" {
		w.Shape = Bursty
	}
	if !slices.Contains(Shapes, w.Shape) {
		return w, fmt.Errorf("unknown world %q: want one of %v", w.Shape, Shapes)
	}
	dense := w.Shape == Dense || w.Shape == Shifts
	if w.Accounts == 0 {
		w.Accounts = w.Posts / 20
		if dense {
			w.Accounts = w.Posts / 60
		}
	}
	w.Accounts = max(w.Accounts, 20)
	if w.Days == 0 {
		w.Days = 30
	}
	if w.Days < 1 || w.Days > 3650 {
		return w, fmt.Errorf("%d days: want 1 to 3650", w.Days)
	}
	if w.Start == 0 {
		w.Start = 1767571200
	}
	if w.MeanSize == 0 {
		w.MeanSize = 8
		if dense {
			w.MeanSize = 30
		}
	}
	if w.Shape == Viral {
		w.Viral = append([]int{10000, 5000}, w.Viral...)
	}
	w.Plants = slices.Clone(w.Plants)
	for i := range w.Plants {
		if err := w.Plants[i].normalise(); err != nil {
			return w, err
		}
	}
	return w, nil
}

func (p *Plant) normalise() error {
	def := func(v *int, private, piggyback, syndicate int) {
		if *v == 0 {
			*v = private
			switch p.Kind {
			case Piggyback:
				*v = piggyback
			case Syndicate:
				*v = syndicate
			}
		}
	}
	if p.Kind == "" {
		p.Kind = Private
	}
	if p.Kind != Private && p.Kind != Piggyback && p.Kind != Syndicate {
		return fmt.Errorf("unknown plant %q: want private, piggyback or syndicate", p.Kind)
	}
	def(&p.Groups, 1, 1, 1)
	def(&p.Size, 10, 20, 5)
	def(&p.Bursts, 5, 24, 60)
	def(&p.Camouflage, 20, 20, 3)
	if p.Spread == 0 {
		p.Spread = 60
	}
	if p.Join == 0 {
		p.Join = 1
		if p.Kind == Piggyback {
			p.Join = 0.5
		}
	}
	if p.Groups < 0 || p.Size < 2 || p.Bursts < 0 || p.Camouflage < 0 || p.Join < 0 || p.Join > 1 {
		return errors.New("a plant needs groups of at least 2 accounts and a chance to join of at most 1")
	}
	return nil
}

// Make returns the truth and the posts of w, in order of time.
func Make(w World) ([]Member, iter.Seq[Post], error) {
	w, err := w.normalise()
	if err != nil {
		return nil, nil, err
	}
	m := newMaker(w)
	if m.planned < 0 {
		return nil, nil, fmt.Errorf("the plants alone make %d posts, more than %d", w.Posts-m.planned, w.Posts)
	}
	return m.truth, m.posts, nil
}

func newMaker(w World) *maker {
	m := &maker{w: w, random: rand.New(rand.NewPCG(w.Seed, 0x73796e7468)), span: int64(w.Days) * 86400, hours: map[int64][]post{}, planned: w.Posts}
	m.dense = w.Shape == Dense || w.Shape == Shifts
	m.homophile = w.Shape == Homophily || w.Shape == Viral
	m.weight = make([]float64, w.Accounts)
	sum := 0.0
	if m.homophile {
		m.topic, m.topicSum, m.topicOf = make([][]uint32, topics), make([][]float64, topics), make([]uint8, w.Accounts)
	}
	for i := range m.weight {
		a := math.Exp(0.9 * m.random.NormFloat64())
		sum += a
		m.weight[i] = sum
		if m.homophile {
			t := m.zipfTopic()
			m.topicOf[i] = uint8(t)
			m.topic[t] = append(m.topic[t], uint32(i))
			last := 0.0
			if s := m.topicSum[t]; len(s) > 0 {
				last = s[len(s)-1]
			}
			m.topicSum[t] = append(m.topicSum[t], last+a)
		}
	}
	m.plant()
	return m
}

const topics = 20

func (m *maker) zipfTopic() int {
	const harmonic = 3.5977396571436819 // sum of 1/i for 1..20
	u := m.random.Float64() * harmonic
	for i := range topics {
		if u -= 1 / float64(i+1); u < 0 {
			return i
		}
	}
	return topics - 1
}

// plant makes the groups, their private bursts and their camouflage, and takes
// them off what remains to be made.
func (m *maker) plant() {
	next := uint32(m.w.Accounts)
	for _, p := range m.w.Plants {
		for range p.Groups {
			g := group{plant: p, id: len(m.groups) + 1}
			for range p.Size {
				g.members = append(g.members, next)
				m.truth = append(m.truth, Member{accountName(next), g.id, p.Kind})
				next++
			}
			for range p.Bursts {
				at := m.random.Int64N(m.span - 3600)
				d := due{at: at}
				for _, a := range g.members {
					if m.random.Float64() < p.Join {
						d.sides = append(d.sides, a)
					}
				}
				m.planned -= len(d.sides)
				if p.Kind != Piggyback {
					m.burst(p, d, m.newObject(), at)
				} else {
					g.due = append(g.due, d)
				}
			}
			slices.SortFunc(g.due, func(a, b due) int { return cmp.Compare(a.at, b.at) })
			m.groups = append(m.groups, g)
		}
	}
}

func (m *maker) newObject() uint32 { m.objects++; return m.objects }

// burst lets who takes part share object within the spread after at.
func (m *maker) burst(p Plant, d due, object uint32, at int64) {
	for i, a := range d.sides {
		after := m.random.Float64() * p.Spread
		if p.Kind == Syndicate {
			after = p.Spread*float64(i)/float64(len(d.sides)) + m.random.Float64()
		}
		m.put(post{time: at + int64(after), object: object, account: a})
	}
}

func (m *maker) put(p post) {
	h := max(p.time/3600, m.nextHour)
	m.hours[h] = append(m.hours[h], p)
}

// posts makes objects in order of birth and gives out the hours that no later
// object can reach.
func (m *maker) posts(yield func(Post) bool) {
	camouflage := m.camouflage()
	gap := float64(m.span) / math.Max(float64(m.births()), 1)
	viral := slices.Clone(m.w.Viral)
	birth := 0.0
	for {
		if m.planned <= 0 && m.unplaced() == 0 {
			break
		}
		size := m.size()
		if len(viral) > 0 && (m.w.Shape == Rates || birth > float64(m.span)*float64(len(m.w.Viral)-len(viral)+1)/float64(len(m.w.Viral)+2)) {
			size, viral = viral[0], viral[1:]
		}
		if m.w.Shape == Rates {
			birth = 0 // every object is there from the start
		}
		size = min(size, m.planned)
		m.planned -= size
		m.object(int64(birth), size, &camouflage)
		birth += m.random.ExpFloat64() * gap
		birth = math.Min(birth, float64(m.span-1))
		if !m.flush(int64(birth)/3600, yield) {
			return
		}
	}
	m.flush(math.MaxInt64, yield)
}

// births counts the objects that the planned posts will need, by drawing their
// sizes ahead.
func (m *maker) births() int {
	sizes := func() *rand.Rand { return rand.New(rand.NewPCG(m.w.Seed, 0x73697a6573)) }
	m.sizes = sizes()
	left, n := m.planned, len(m.w.Viral)
	for _, v := range m.w.Viral {
		left -= v
	}
	for ; left > 0; n++ {
		left -= m.size()
	}
	m.sizes = sizes()
	return n
}

// unplaced turns bursts that found no popular object into ordinary posts, so
// that the number of posts is exact, and returns how many are to be made.
func (m *maker) unplaced() int {
	for i := range m.groups {
		for _, d := range m.groups[i].due {
			m.planned += len(d.sides)
		}
		m.groups[i].due = nil
	}
	return m.planned
}

// size draws how often an object is shared: a Pareto tail of index 1.2 cut so
// that no ordinary object takes more than a hundredth of the posts, or 1,000.
func (m *maker) size() int {
	const alpha = 1.2
	scale := m.w.MeanSize * (alpha - 1) / alpha * 1.6
	x := scale * math.Pow(1-m.sizes.Float64(), -1/alpha)
	return max(1, int(math.Min(x, math.Min(1000, math.Max(200, float64(m.w.Posts)/100)))))
}

// object makes one object's posts, and lets a group that is due join it when it
// is popular.
func (m *maker) object(birth int64, size int, camouflage *[]uint32) {
	id := m.newObject()
	topic := -1
	if m.homophile {
		topic = m.zipfTopic()
	}
	half := 1800 * math.Exp2(3*m.random.Float64()) // 30 minutes to 4 hours
	if m.dense {
		half *= 24
	}
	life := half / math.Ln2
	for range size {
		var p post
		for {
			p = post{object: id, account: m.account(topic)}
			if m.w.Shape == Rates {
				p.time = m.random.Int64N(m.span)
			} else if p.time = birth + int64(m.random.ExpFloat64()*life); p.time >= m.span {
				p.time = m.random.Int64N(m.span-birth) + birth
			}
			if m.awake(p.account, p.time) {
				break
			}
		}
		if n := len(*camouflage); n > 0 && m.random.Float64()*float64(m.planned+size) < float64(n) {
			p.account = (*camouflage)[n-1]
			*camouflage = (*camouflage)[:n-1]
		}
		m.put(p)
	}
	if size < 100 {
		return
	}
	for i := range m.groups {
		if g := &m.groups[i]; len(g.due) > 0 && g.due[0].at <= birth {
			at := min(birth+int64(m.random.ExpFloat64()*life*0.7), m.span-3600)
			m.burst(g.plant, g.due[0], id, at)
			g.due = g.due[1:]
			break
		}
	}
}

// camouflage lists the members of groups once for each ordinary post they
// shall make, shuffled.
func (m *maker) camouflage() []uint32 {
	var out []uint32
	for _, g := range m.groups {
		for _, a := range g.members {
			for range g.plant.Camouflage {
				out = append(out, a)
			}
		}
	}
	m.random.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// account draws who posts: by activity, and nine times of ten in the topic.
func (m *maker) account(topic int) uint32 {
	if topic >= 0 && m.random.Float64() < 0.9 && len(m.topic[topic]) > 0 {
		s := m.topicSum[topic]
		i, _ := slices.BinarySearch(s, m.random.Float64()*s[len(s)-1])
		return m.topic[topic][min(i, len(s)-1)]
	}
	i, _ := slices.BinarySearch(m.weight, m.random.Float64()*m.weight[len(m.weight)-1])
	return uint32(min(i, len(m.weight)-1))
}

// awake says whether the account would post at that time.
func (m *maker) awake(account uint32, t int64) bool {
	h := mix(account)
	switch m.w.Shape {
	case Rates:
		return true
	case Shifts:
		start := int64(h%4) * 6
		hour, day := t/3600%24, t/86400%7
		if (hour-start+24)%24 >= 6 {
			return m.random.Float64() < 0.02
		}
		return day != int64(h>>8%7) && day != int64((h>>8+1)%7) || m.random.Float64() < 0.1
	}
	zone := int64(h%7)*3 + 1
	hour := (t/3600 + zone) % 24
	if hour < 7 {
		return m.random.Float64() < 0.08
	}
	return m.random.Float64() < 0.6+0.4*float64(hour-7)/16
}

// flush gives out every hour before end, each in order of time.
func (m *maker) flush(end int64, yield func(Post) bool) bool {
	last := end
	if end == math.MaxInt64 {
		last = m.span/3600 + 48
	}
	for ; m.nextHour < last; m.nextHour++ {
		ps := m.hours[m.nextHour]
		if ps == nil {
			continue
		}
		delete(m.hours, m.nextHour)
		slices.SortFunc(ps, func(a, b post) int {
			switch {
			case a.time != b.time:
				return int(a.time - b.time)
			case a.object != b.object:
				return int(int64(a.object) - int64(b.object))
			}
			return int(int64(a.account) - int64(b.account))
		})
		for _, p := range ps {
			m.emitted++
			if !yield(Post{"o" + strconv.FormatUint(uint64(mix(p.object)), 36), accountName(p.account), "p" + strconv.Itoa(m.emitted), m.w.Start + p.time}) {
				return false
			}
		}
	}
	return true
}

// accountName hides in its number whether an account was planted.
func accountName(a uint32) string { return "a" + strconv.FormatUint(uint64(mix(a)), 36) }

// mix is a bijection of 32-bit numbers (Wellons' lowbias32), so names are
// distinct and carry no order.
func mix(x uint32) uint32 {
	x ^= x >> 16
	x *= 0x7feb352d
	x ^= x >> 15
	x *= 0x846ca68b
	return x ^ x>>16
}
