package line

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/internal/vault"
)

// chain makes nodes of which each is a partner of all, but reaches only its
// neighbours: messages between the ends go by way of those between them.
func chain(t testing.TB, nations ...string) []*testNode {
	t.Helper()
	ctx := context.Background()
	nodes := make([]*testNode, len(nations))
	for i, nation := range nations {
		nodes[i] = newTestNode(t, nation, true)
	}
	last := len(nodes) - 1
	for i := range last {
		befriend(t, nodes[i], nodes[i+1], "SECRET")
	}
	befriend(t, nodes[0], nodes[last], "SECRET")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	first, end := nodes[0].name(), nodes[last].name()
	must(nodes[0].line.SetAddress(ctx, "person:x", end, ""))
	must(nodes[last].line.SetAddress(ctx, "person:x", first, ""))
	for i, n := range nodes {
		if i < last {
			must(n.line.SetRoute(ctx, "person:x", end, routeTo(nodes, i+1, last)))
		}
		if i > 0 {
			must(n.line.SetRoute(ctx, "person:x", first, routeTo(nodes, i-1, 0)))
		}
		if i > 0 && i < last {
			must(n.line.SetCarries(ctx, "person:x", nodes[i-1].name(), []string{end}))
			must(n.line.SetCarries(ctx, "person:x", nodes[i+1].name(), []string{first}))
		}
	}
	return nodes
}

// routeTo names the neighbour on the way, or nobody where it is the end.
func routeTo(nodes []*testNode, neighbour, end int) string {
	if neighbour == end {
		return ""
	}
	return nodes[neighbour].name()
}

// settled waits until nothing of a is on its way to b.
func settled(t testing.TB, a, b *testNode) {
	t.Helper()
	eventually(t, "quiet from "+a.nation+" to "+b.nation, func() bool { return a.status(b.name()).Waiting == 0 })
}

// A message sealed to a node without a line is carried by others, unread, and
// the destination's receipt comes back, whatever the way.
func TestRelay(t *testing.T) {
	t.Parallel()
	for _, nations := range [][]string{{"BEL", "JPN", "DEU"}, {"BEL", "JPN", "CAN", "DEU"}} {
		t.Run(strings.Join(nations, " "), func(t *testing.T) {
			nodes := chain(t, nations...)
			a, c := nodes[0], nodes[len(nodes)-1]
			var there, back []Item
			for p := Routine; p <= Flash; p++ {
				there = append(there, a.release(p, a.effective("SECRET", "JPN"), a.objects(int(p)*10, 3), c.name())...)
				back = append(back, c.release(p, c.effective("SECRET", "JPN"), c.objects(int(p)*10, 2), a.name())...)
			}
			for _, n := range nodes {
				n.start()
			}
			settled(t, a, c)
			settled(t, c, a)
			for _, n := range nodes {
				n.halt()
			}
			checkOnce(t, a, c, there)
			checkOnce(t, c, a, back)
			for _, n := range nodes[1 : len(nodes)-1] {
				if n.holds(a.name())+n.holds(c.name()) != 0 {
					t.Error("the relay holds what it carried")
				}
				if left, err := n.line.Transits(t.Context()); err != nil || len(left) != 0 {
					t.Errorf("the relay still carries %v, %v", left, err)
				}
				n.verified()
			}
			if st := a.status(c.name()); st.Route == nil || st.Route.Via != nodes[1].name() {
				t.Errorf("the status shows the route %+v", st.Route)
			}
		})
	}
}

// A destination that accepts no connections fetches what a relay carries.
func TestRelayToANodeThatFetches(t *testing.T) {
	t.Parallel()
	nodes := chain(t, "BEL", "JPN", "DEU")
	a, b, c := nodes[0], nodes[1], nodes[2]
	ctx := t.Context()
	if err := b.line.SetAddress(ctx, "person:x", c.name(), ""); err != nil {
		t.Fatal(err)
	}
	if err := c.line.SetFetch(ctx, "person:x", b.name(), true); err != nil {
		t.Fatal(err)
	}
	items := a.release(Flash, a.effective("SECRET", "JPN"), a.objects(0, 3), c.name())
	a.start()
	b.start()
	eventually(t, "the word of the relay", func() bool {
		r := a.status(c.name()).Route
		return len(r.At) == 1 && r.At[0].Node == b.name() && r.At[0].State == PassageWaiting
	})
	c.start()
	settled(t, a, c)
	for _, n := range nodes {
		n.halt()
	}
	checkOnce(t, a, c, items)
}

// While a destination is down, its sender sees where its messages wait, since
// when, and by whose signed word.
func TestRelayTellsWhereMessagesWait(t *testing.T) {
	t.Parallel()
	nodes := chain(t, "BEL", "JPN", "CAN", "DEU")
	a, b, e, c := nodes[0], nodes[1], nodes[2], nodes[3]
	items := a.release(Priority, a.effective("SECRET", "JPN"), a.objects(0, 3), c.name())
	a.start()
	at := func(node, state string) func() bool {
		return func() bool {
			st := a.status(c.name())
			return len(st.Route.At) == 1 && st.Route.At[0].Node == node && st.Route.At[0].State == state
		}
	}
	eventually(t, "a message at the sender", at(a.name(), ""))
	b.start()
	eventually(t, "waiting at the first relay", at(b.name(), PassageWaiting))
	e.start()
	eventually(t, "waiting at the second relay", at(e.name(), PassageWaiting))
	st := a.status(c.name())
	if w := st.Route.At[0]; !w.Hearsay || w.Said.IsZero() || w.Messages != 1 {
		t.Errorf("the second relay is unknown to the sender: %+v", w)
	}
	eventually(t, "a reason", func() bool { return strings.Contains(a.status(c.name()).Why, "cannot be reached") })
	carried, err := e.line.Transits(t.Context())
	if err != nil || len(carried) != 1 || carried[0].From != a.name() || carried[0].To != c.name() || carried[0].Giver != b.name() || carried[0].Reason == "" {
		t.Errorf("the relay shows %+v, %v", carried, err)
	}
	c.start()
	settled(t, a, c)
	for _, n := range nodes {
		n.halt()
	}
	checkOnce(t, a, c, items)
}

// A node carries only what its officer allowed, within the giver's share.
func TestRelayLimits(t *testing.T) {
	nodes := chain(t, "BEL", "JPN", "DEU")
	a, b, c := nodes[0], nodes[1], nodes[2]
	ctx := t.Context()
	d := newTestNode(t, "CAN", true)
	befriend(t, a, d, "SECRET")
	befriend(t, b, d, "SECRET")
	if err := a.line.SetRoute(ctx, "person:x", d.name(), b.name()); err != nil {
		t.Fatal(err)
	}
	carry := func(to *testNode, p Precedence) error {
		_, err := b.line.carry(ctx, mustPartner(t, b, a), a.message(to.name(), p))
		return err
	}
	for _, n := range []*testNode{c, d} {
		a.release(Flash, a.effective("SECRET", "JPN"), a.objects(0, 1), n.name())
		a.release(Routine, a.effective("SECRET", "JPN"), a.objects(1, 1), n.name())
	}
	if err := carry(d, Flash); !errors.Is(err, errNoRoute) {
		t.Errorf("to a node that was not allowed: %v", err)
	}
	b.line.limits.Transits = 1
	if err := carry(c, Flash); err != nil {
		t.Error(err)
	}
	if err := carry(c, Flash); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if err := carry(c, Routine); !errors.Is(err, errShare) {
		t.Errorf("over its share: %v", err)
	}
	// Another partner that brings what is here already goes in a circle.
	if err := b.line.SetCarries(ctx, "person:x", d.name(), []string{c.name()}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.line.carry(ctx, mustPartner(t, b, d), a.message(c.name(), Flash)); !errors.Is(err, errLoop) {
		t.Errorf("a circle: %v", err)
	}
	for name, err := range map[string]error{
		"by way of the destination": a.line.SetRoute(ctx, "person:x", c.name(), c.name()),
		"by way of a stranger":      a.line.SetRoute(ctx, "person:x", c.name(), "xxx-aaaaaaaaaaaaaaaa"),
		"to itself":                 a.line.SetRoute(ctx, "person:x", a.name(), b.name()),
		"for itself":                b.line.SetCarries(ctx, "person:x", a.name(), []string{b.name()}),
		"back to the giver":         b.line.SetCarries(ctx, "person:x", a.name(), []string{a.name()}),
	} {
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	speaks(t, a, b, 1)
	if err := a.line.SetRoute(ctx, "person:x", c.name(), b.name()); err == nil || !strings.Contains(err.Error(), "protocol 1") {
		t.Errorf("by way of a node that speaks protocol 1: %v", err)
	}
}

// Each act at a write point of sender, relay and destination fails once,
// before it was durable or after; the message arrives once all the same.
func TestRelayFaultTable(t *testing.T) {
	for _, tt := range []struct {
		verb string
		at   int // place in the chain
	}{{"hand-over", 0}, {"passage", 0}, {"receipt", 0}, {"relay", 1}, {"passage", 1}, {"relay", 2}, {"passage", 2}, {"receive", 3}} {
		for _, persisted := range []bool{false, true} {
			// A store that fails makes its partner wait 10 s; that is for "make test-line".
			if faultCount() < 1000 && (persisted || tt.verb == "relay" || tt.verb == "receive") {
				continue
			}
			name := tt.verb + " at " + []string{"the sender", "the first relay", "the second relay", "the destination"}[tt.at]
			if persisted {
				name += " after it was durable"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				nodes := chain(t, "BEL", "JPN", "CAN", "DEU")
				a, c := nodes[0], nodes[3]
				failed := nodes[tt.at].failing(tt.verb, 1, persisted)
				items := a.release(Flash, a.effective("SECRET", "JPN"), a.objects(0, 2), c.name())
				for _, n := range nodes {
					n.start()
				}
				settled(t, a, c)
				eventually(t, "the fault", failed)
				for _, n := range nodes {
					n.halt()
				}
				checkOnce(t, a, c, items)
			})
		}
	}
}

// Time runs out for a message that nobody takes: the relay drops it, and the
// sender ends it, so that it is expired and not silent; the lane goes on.
func TestRelayExpires(t *testing.T) {
	t.Parallel()
	nodes := chain(t, "BEL", "JPN", "DEU")
	a, b, c := nodes[0], nodes[1], nodes[2]
	ctx := t.Context()
	a.release(Flash, a.effective("SECRET", "JPN"), a.objects(0, 2), c.name())
	a.start()
	b.start()
	eventually(t, "the relay to have it", func() bool { r := a.status(c.name()).Route; return len(r.At) == 1 && r.At[0].Node == b.name() })
	a.halt()
	b.halt()
	later := func() time.Time { return time.Now().Add(40 * 24 * time.Hour) }
	for _, n := range nodes {
		n.line.now = later
	}
	if err := b.line.expireTransit(ctx); err != nil {
		t.Fatal(err)
	}
	if left, err := b.line.Transits(ctx); err != nil || len(left) != 0 {
		t.Errorf("the relay carries %v, %v", left, err)
	}
	a.start()
	b.start()
	eventually(t, "the end", func() bool { st := a.status(c.name()); return st.Waiting == 0 && laneOf(st, Flash).Expired == 2 })
	items := a.release(Flash, a.effective("SECRET", "JPN"), a.objects(10, 1), c.name())
	c.start()
	settled(t, a, c)
	if _, err := c.vault.As(c.reader()).GetVersion(ctx, items[0].ID, items[0].Version); err != nil {
		t.Error(err)
	}
	b.halt()
	if err := b.line.expireTransit(ctx); err != nil {
		t.Fatal(err)
	}
}

func laneOf(st LineStatus, p Precedence) LaneStatus {
	return st.Lanes[slices.IndexFunc(st.Lanes, func(l LaneStatus) bool { return l.Precedence == p })]
}

// A destination that went back to a backup says how far it came, through the
// relay; what it lost is sent again.
func TestRelayToANodeThatForgot(t *testing.T) {
	t.Parallel()
	nodes := chain(t, "BEL", "JPN", "DEU")
	a, b, c := nodes[0], nodes[1], nodes[2]
	for _, n := range nodes {
		n.start()
	}
	items := a.release(Flash, a.effective("SECRET", "JPN"), a.objects(0, 1), c.name())
	settled(t, a, c)
	restore := c.backup()
	c.start()
	items = append(items, a.release(Flash, a.effective("SECRET", "JPN"), a.objects(1, 2), c.name())...)
	settled(t, a, c)
	restore()
	c.start()
	items = append(items, a.release(Flash, a.effective("SECRET", "JPN"), a.objects(3, 1), c.name())...)
	eventually(t, "the repair", func() bool { return c.holds(a.name()) == int64(len(items)) })
	settled(t, a, c)
	if rs := a.status(c.name()).Repairs; len(rs) != 1 || rs[0].Lost != c.name() {
		t.Errorf("repairs: %+v", rs)
	}
	eventually(t, "the relay to be rid of what was withdrawn", func() bool {
		left, err := b.line.Transits(t.Context())
		return err == nil && len(left) == 0
	})
}

// What a relay can see of a message and of the reply to it says nothing of
// what they hold.
func TestRelayReadsNothing(t *testing.T) {
	t.Parallel()
	nodes := chain(t, "BEL", "JPN", "DEU")
	a, b, c := nodes[0], nodes[1], nodes[2]
	objs := a.objects(0, 1)
	foreign := c.objects(7, 1) // which a does not speak for: the receipt names it
	a.release(Flash, a.effective("SECRET", "JPN"), append(objs, foreign...), c.name())
	for _, n := range nodes {
		n.start()
	}
	settled(t, a, c)
	if d, err := a.line.Receipts(t.Context(), c.name(), "", 0); err != nil || len(d) != 1 || len(d[0].Refusals) != 1 {
		t.Fatalf("%+v, %v", d, err)
	}
	b.halt()
	for _, space := range []string{spaceTransit, spaceTransitMessage, spaceTransitQueue, spaceHanded} {
		if err := b.line.outside(t.Context()).ScanRecords(space, "", func(key string, value []byte) error {
			for _, secret := range []string{objs[0].ID(), foreign[0].ID(), "Operation", "refused"} {
				if bytes.Contains(value, []byte(secret)) {
					t.Errorf("%s at the relay holds %q", space, secret)
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// speaks makes a node believe that another speaks no version above v.
func speaks(t testing.TB, n, other *testNode, v int) {
	t.Helper()
	_, err := n.vault.Act(context.Background(), auditOf("test"), func(tx *vault.Tx) error {
		p, err := loadPartner(tx, other.name())
		if err != nil {
			return err
		}
		p.Versions = [2]int{1, v}
		return save(tx, spacePartner, other.name(), p)
	})
	if err != nil {
		t.Fatal(err)
	}
}
