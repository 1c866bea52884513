package line

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"causeway/internal/audit"
	"causeway/internal/vault"
)

// routeRecord says by way of which partner messages for a node go.
type routeRecord struct {
	Via  string `json:"via"`
	By   string `json:"by"`
	Time int64  `json:"time"`
}

// relayedRecord is where a message of this node stands that relays carry.
type relayedRecord struct {
	Via   string     `json:"via,omitempty"` // who it was handed to; empty: to be handed over again
	Time  int64      `json:"time"`          // handed over
	Words []Document `json:"words,omitempty"`
	Lost  int        `json:"lost,omitempty"`  // how often the relay no longer had it
	Doubt string     `json:"doubt,omitempty"` // what the relay gave that does not verify
}

// handedRecord is a message that a relay is asked about, until it ended.
type handedRecord struct {
	Sent   string `json:"sent,omitempty"` // key of this node's sentRecord; empty: in transit here
	Mark   int64  `json:"mark"`           // of the newest news
	Cancel bool   `json:"cancel,omitempty"`
}

// routeWindow is how many messages of one lane may be with relays at a time.
const routeWindow = 32

var errNoRoute = errors.New("this node carries nothing there for you")

// SetRoute says that messages to a node go by way of a partner, sealed to
// their destination as ever; an empty via ends that. The destination is a
// partner of this node, or any node for which partners hand messages over.
func (l *Line) SetRoute(ctx context.Context, by, dest, via string) error {
	_, err := l.commit(ctx, audit.Act{Actor: by, Verb: "route", Subject: dest, Detail: map[string]string{"via": via}}, func(tx *vault.Tx) error {
		if !nodePattern.MatchString(dest) || dest == l.Node() {
			return fmt.Errorf("%q is not another node", dest)
		}
		if via == "" {
			return tx.DeleteRecord(spaceRoute, dest)
		}
		p, err := loadPartner(tx, via)
		switch {
		case err != nil:
			return err
		case via == dest:
			return errors.New("a node is no relay to itself")
		case p.State != Active:
			return fmt.Errorf("%w: it is %s here", ErrSuspended, p.State)
		case p.Address == "":
			return errors.New("the relay has to be reachable from here; set its address first")
		case p.Versions[1] < relaysSince:
			return fmt.Errorf("the relay's software speaks protocol %d; relays need %d", p.Versions[1], relaysSince)
		}
		return save(tx, spaceRoute, dest, routeRecord{Via: via, By: by, Time: millis(l.now())})
	})
	if err != nil {
		return fmt.Errorf("route messages to %s: %w", dest, err)
	}
	l.nudge(runner)
	return nil
}

// SetCarries says to which nodes this node carries the sealed messages that a
// partner hands over. It carries nothing that is not listed.
func (l *Line) SetCarries(ctx context.Context, by, node string, destinations []string) error {
	for _, d := range destinations {
		if !nodePattern.MatchString(d) || d == l.Node() || d == node {
			return fmt.Errorf("carry for %s: %q is not a third node", node, d)
		}
	}
	return l.change(ctx, by, "carry", node, func(_ *vault.Tx, p *partnerRecord) error {
		p.Carries = slices.Compact(slices.Sorted(slices.Values(destinations)))
		return nil
	})
}

// viaOf gives the relay that messages to a node go by; "" for none.
func viaOf(r records, dest string) (string, error) {
	var route routeRecord
	_, err := load(r, spaceRoute, dest, &route)
	return route.Via, err
}

// routeLane is the worker of one lane whose messages go by way of a relay.
func (l *Line) routeLane(ctx context.Context, dest, via string, p Precedence) {
	k := &link{line: l, node: via}
	defer k.close()
	l.work(ctx, k, laneKey(dest, p), func() (bool, error) {
		worked, err := l.routeNext(ctx, k, dest, p)
		if ctx.Err() == nil && (worked || err != nil) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.unrouted[dest] = ""
			if err != nil {
				l.unrouted[dest] = err.Error()
			}
		}
		return worked, err
	})
}

// routeNext hands the next message of a lane to the relay and reports whether
// there was anything to do. Messages do not wait for each other's receipts:
// the way is long.
func (l *Line) routeNext(ctx context.Context, k *link, dest string, p Precedence) (bool, error) {
	out := l.outside(ctx)
	var lane laneRecord
	var q queueRecord
	if _, err := load(out, spaceLane, laneKey(dest, p), &lane); err != nil {
		return false, err
	}
	if _, err := load(out, spaceQueue, laneKey(dest, p), &q); err != nil {
		return false, err
	}
	for n := lane.Acked + 1; n <= lane.Seq; n++ {
		key := streamKey(dest, p, lane.Stream, n)
		var rel relayedRecord
		if _, err := load(out, spaceRelayed, key, &rel); err != nil {
			return false, err
		}
		if rel.Via == k.node {
			continue
		}
		msg, ok, err := out.Record(spaceMessage, seqKey(dest, p, n))
		if err != nil {
			return false, err
		}
		if !ok {
			continue // it has its receipt
		}
		return true, l.handOver(ctx, k, key, rel, msg)
	}
	if given, err := l.giveUp(ctx, dest, p, lane); err != nil || given {
		return given, err
	}
	if q.Rows == 0 || lane.Seq-lane.Acked >= routeWindow {
		return false, nil
	}
	made, err := l.compose(ctx, dest, p)
	if errors.Is(err, errMoved) {
		return true, nil
	}
	return made, err
}

// handOver gives one message of this node to a relay and keeps the relay's
// signed word for it.
func (l *Line) handOver(ctx context.Context, k *link, key string, rel relayedRecord, msg []byte) error {
	h, _, _, err := cutMessage(msg)
	if err != nil {
		return fmt.Errorf("read message %s as stored: %w", key, err)
	}
	var n news
	if err := k.upload(ctx, pathRelay, msg, h.Statement, &n); err != nil {
		return err
	}
	if _, err := l.wordsOf(ctx, k.node, h.To, h.Statement, &n); err != nil {
		return err
	}
	rel.Via, rel.Time, rel.Words, rel.Doubt = k.node, millis(l.now()), n.Words, ""
	act := audit.Act{Actor: "node", Verb: "hand-over", Subject: h.Statement.String(), Detail: map[string]string{"relay": k.node, "to": h.To, "precedence": h.Precedence.String()}}
	if _, err := l.commit(ctx, act, func(tx *vault.Tx) error {
		if err := save(tx, spaceHanded, k.node+"/"+h.Statement.String(), handedRecord{Sent: key}); err != nil {
			return err
		}
		return save(tx, spaceRelayed, key, rel)
	}); err != nil {
		return err
	}
	l.touch(k.node, nil)
	l.nudge(runner)
	l.nudge("ask/" + k.node)
	return nil
}

// lateReceipt is how long after its end a message is not given up yet: its
// receipt may be on the way back.
const lateReceipt = time.Hour

// giveUp ends messages of a routed lane whose time is over by this node's own
// clock, so that none ends in silence, and begins the lane afresh behind them.
// A receipt that comes later still counts.
func (l *Line) giveUp(ctx context.Context, dest string, p Precedence, lane laneRecord) (bool, error) {
	over := func(r records, n int64) bool {
		msg, ok, err := r.Record(spaceMessage, seqKey(dest, p, n))
		if err != nil || !ok {
			return false
		}
		h, _, _, err := cutMessage(msg)
		return err == nil && l.now().After(instant(h.Expires).Add(skew+lateReceipt))
	}
	if lane.Acked == lane.Seq || !over(l.outside(ctx), lane.Acked+1) {
		return false, nil
	}
	act := audit.Act{Actor: "node", Verb: "expire", Subject: dest, Detail: map[string]string{"precedence": p.String()}}
	_, err := l.commit(ctx, act, func(tx *vault.Tx) error {
		var now laneRecord
		if _, err := load(tx, spaceLane, laneKey(dest, p), &now); err != nil {
			return err
		}
		if now.Stream != lane.Stream || now.Acked != lane.Acked {
			return errMoved
		}
		var q queueRecord
		if _, err := load(tx, spaceQueue, laneKey(dest, p), &q); err != nil {
			return err
		}
		for n := now.Acked + 1; n <= now.Seq && over(tx, n); n++ {
			var sent sentRecord
			key := streamKey(dest, p, now.Stream, n)
			if _, err := load(tx, spaceSent, key, &sent); err != nil {
				return err
			}
			sent.Result = Expired
			q.UnderWay -= int64(len(sent.Items))
			q.Expired += int64(len(sent.Items))
			if err := save(tx, spaceSent, key, sent); err != nil {
				return err
			}
		}
		if err := save(tx, spaceQueue, laneKey(dest, p), q); err != nil {
			return err
		}
		rows, err := unsettled(tx, dest, p, now.Stream, now.Acked+1, false)
		if err != nil {
			return err
		}
		return beginStream(tx, dest, &now, LaneState{Precedence: p, Stream: now.Stream, Seq: now.Acked}, rows, versionsIn(rows))
	})
	if errors.Is(err, errMoved) {
		return true, nil
	}
	return err == nil, err
}

// runRoutes starts and ends the workers of messages that go by way of relays,
// and gives the routes.
func (l *Line) runRoutes(ctx context.Context, all []*partnerRecord, running map[string]*worker, start func(string, func(context.Context)), end func(string)) (map[string]string, error) {
	out := l.outside(ctx)
	routes := map[string]string{}
	if err := scan(out, spaceRoute, "", func(key string, value []byte) error {
		var r routeRecord
		err := decodeRecord(spaceRoute, key, value, &r)
		routes[key] = r.Via
		return err
	}); err != nil {
		return nil, err
	}
	reach, carried := map[string]bool{}, map[string]bool{}
	for _, p := range all {
		if p.State == Active {
			reach[p.Node] = p.Address != ""
			for _, d := range p.Carries {
				carried[d] = true
			}
		}
	}
	want := map[string]func(context.Context){}
	for _, p := range all {
		if via := routes[p.Node]; p.State == Active && reach[via] {
			for _, lane := range precedences {
				want["route/"+laneKey(p.Node, lane)+"/"+via] = func(ctx context.Context) { l.routeLane(ctx, p.Node, via, lane) }
			}
		}
	}
	for to := range carried {
		next := or(routes[to], to)
		if !reach[next] {
			l.setStuck(to, errUnreached(all, next))
			continue
		}
		for _, lane := range precedences {
			want[transitLane(to, lane)+"/"+next] = func(ctx context.Context) { l.forward(ctx, to, next, lane) }
		}
	}
	if err := scan(out, spaceHanded, "", func(key string, _ []byte) error {
		if relay, _, _ := strings.Cut(key, "/"); reach[relay] {
			want["ask/"+relay] = func(ctx context.Context) { l.ask(ctx, relay) }
		}
		return nil
	}); err != nil {
		return nil, err
	}
	for key := range running {
		kind, _, _ := strings.Cut(key, "/")
		if want[key] == nil && (kind == "route" || kind == "transit" || kind == "ask") {
			end(key)
		}
	}
	for key, work := range want {
		start(key, work)
	}
	return routes, nil
}

// errUnreached says why a node is not gone to: it fetches for itself, or the
// line to it is not open.
func errUnreached(all []*partnerRecord, node string) error {
	for _, p := range all {
		if p.Node == node && p.State == Active {
			return errFetches
		}
	}
	return errNoRoute
}
