package line

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"
)

// LineStatus answers, for one partner: what do they hold, what is waiting,
// since when, and why.
type LineStatus struct {
	Partner   Partner
	Contact   time.Time    // last answer since this node started; zero: none yet
	Why       string       // why what waits is waiting; empty when nothing does
	Lanes     []LaneStatus // the most urgent first
	Held      int64        // versions delivered, by the partner's receipts, less those it removed
	Waiting   int64        // versions in the outbox or under way
	Since     time.Time    // oldest of them; zero: nothing waits
	Seen      Witnessed    // the partner's audit log, as far as this node vouches for it
	Vouched   *Witnessed   // this node's audit log, as far as the partner vouches for it
	Said      time.Time    // the latest time that the partner signed; zero: none yet
	Fork      *Fork        // the partner's audit log was rewritten; shown until somebody looked into it
	Repairs   []Repair     // histories that one side lost, newest last
	Route     *Route       // by way of which partner its messages go; nil: straight
	Suspended string       // the partner keeps the line shut on its side, in its words; empty: not that is known
}

// LaneStatus is one precedence of a line.
type LaneStatus struct {
	Precedence Precedence
	Waiting    int64 // versions in the outbox
	UnderWay   int64 // versions in messages without a receipt
	Since      time.Time
	Sent       int64 // messages composed in the present stream
	Delivered  int64 // messages with a receipt, in order
	Held       int64
	Removed    int64
	Refused    int64
	Expired    int64
	Withheld   int64     // released and taken back, or hidden by a label, before their turn came
	Last       time.Time // of the last receipt
	Received   int64     // messages received in this lane's present stream
}

// Status describes every line, by partner name. Its cost grows with the
// number of partners, not with what waits.
func (l *Line) Status(ctx context.Context) ([]LineStatus, error) {
	recs, err := loadPartners(l.outside(ctx))
	if err != nil {
		return nil, fmt.Errorf("read the lines: %w", err)
	}
	r, err := l.snapshot(ctx, spaceLane, spaceQueue, spaceInbox)
	if err != nil {
		return nil, fmt.Errorf("read the lines: %w", err)
	}
	out := make([]LineStatus, 0, len(recs))
	for _, rec := range recs {
		st, err := l.statusOf(r, rec)
		if err != nil {
			return nil, fmt.Errorf("read the line to %s: %w", rec.Node, err)
		}
		if st.Route, err = l.routeOf(r.outside, rec.Node); err != nil {
			return nil, fmt.Errorf("read the route to %s: %w", rec.Node, err)
		}
		if st.Route != nil {
			l.mu.Lock()
			unrouted := l.unrouted[rec.Node]
			l.mu.Unlock()
			st.byRoute(unrouted)
		}
		out = append(out, *st)
	}
	slices.SortFunc(out, func(a, b LineStatus) int { return byName(a.Partner, b.Partner) })
	return out, nil
}

// snapshot holds some spaces whole: one read for each instead of one for each
// record.
type snapshot struct {
	outside
	spaces map[string]map[string][]byte
}

func (l *Line) snapshot(ctx context.Context, spaces ...string) (snapshot, error) {
	s := snapshot{l.outside(ctx), map[string]map[string][]byte{}}
	for _, space := range spaces {
		kept := map[string][]byte{}
		s.spaces[space] = kept
		if err := s.outside.ScanRecords(space, "", func(key string, value []byte) error {
			kept[key] = bytes.Clone(value)
			return nil
		}); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (s snapshot) Record(space, key string) ([]byte, bool, error) {
	kept, ok := s.spaces[space]
	if !ok {
		return s.outside.Record(space, key)
	}
	b, ok := kept[key]
	return b, ok, nil
}

func (l *Line) statusOf(r records, rec *partnerRecord) (*LineStatus, error) {
	p, err := rec.partner()
	if err != nil {
		return nil, err
	}
	st := &LineStatus{Partner: p, Seen: rec.Seen, Vouched: rec.Vouched, Fork: rec.Fork, Repairs: rec.Repairs}
	if rec.Said > 0 {
		st.Said = instant(rec.Said)
	}
	for _, prec := range precedences {
		lane, err := l.laneStatus(r, p.NodeID, prec)
		if err != nil {
			return nil, err
		}
		st.Lanes = append(st.Lanes, lane)
		st.Held += lane.Held - lane.Removed
		st.Waiting += lane.Waiting + lane.UnderWay
		if !lane.Since.IsZero() && (st.Since.IsZero() || lane.Since.Before(st.Since)) {
			st.Since = lane.Since
		}
	}
	l.mu.Lock()
	c := l.contact[p.NodeID]
	l.mu.Unlock()
	st.Contact, st.Suspended = c.At, c.Shut
	if !st.Since.IsZero() {
		st.Why = why(p, c)
	}
	return st, nil
}

// why tells a person what keeps messages from leaving.
func why(p Partner, c contact) string {
	switch {
	case p.State == Comparing:
		return "the codes of the two keys have not been compared and confirmed here"
	case p.State != Active:
		return "the line is " + string(p.State) + " here: " + p.Reason
	case p.Address == "" && c.At.IsZero():
		return "the partner fetches for itself, and has not asked since this node started"
	case p.Address == "":
		return "the partner fetches for itself, and last asked at " + c.At.UTC().Format(time.RFC3339)
	case c.Reason != "":
		return c.Reason
	case c.Tried.IsZero():
		return "nothing was tried since this node started"
	}
	return "on its way"
}

func (l *Line) laneStatus(r records, node string, p Precedence) (LaneStatus, error) {
	st := LaneStatus{Precedence: p}
	var lane laneRecord
	var q queueRecord
	var in inboxRecord
	for space, v := range map[string]any{spaceLane: &lane, spaceQueue: &q, spaceInbox: &in} {
		if _, err := load(r, space, laneKey(node, p), v); err != nil {
			return st, err
		}
	}
	st.Waiting, st.UnderWay, st.Sent, st.Delivered = q.Items, q.UnderWay, lane.Seq, lane.Acked
	st.Held, st.Removed, st.Refused, st.Expired, st.Withheld = q.Held, q.Removed, q.Refused, q.Expired, q.Withheld
	st.Received = in.Seq
	if q.Last != 0 {
		st.Last = instant(q.Last)
	}
	if lane.Acked < lane.Seq {
		var sent sentRecord
		if _, err := load(r, spaceSent, streamKey(node, p, lane.Stream, lane.Acked+1), &sent); err != nil {
			return st, err
		}
		st.Since = instant(sent.Time)
	} else if q.Rows > 0 {
		if err := scanRows(r, node, p, func(_ string, row *outboxRow) error {
			st.Since = instant(row.Time)
			return errStop
		}); err != nil {
			return st, err
		}
	}
	return st, nil
}

// Delivery is one message to a partner and what came of it.
type Delivery struct {
	Partner    string
	Precedence Precedence
	Stream     string
	Seq        int64
	Kind       string
	Statement  Digest
	Composed   time.Time
	Items      []Item
	Result     string // empty: no receipt yet
	Reason     string
	At         time.Time // by the receipt
	Refusals   []Refusal
	Held       int
	Removed    int
	Document   *SignedReceipt // the receipt as it came; nil: none yet
}

// Receipts lists the messages that were sent to a partner, newest first, at
// most limit. With an object id, only those that carried a version of it.
func (l *Line) Receipts(ctx context.Context, partner, object string, limit int) ([]Delivery, error) {
	out, err := l.receipts(ctx, partner, object, limit)
	if err != nil {
		return nil, fmt.Errorf("list the receipts of %s: %w", partner, err)
	}
	slices.SortStableFunc(out, func(a, b Delivery) int { return b.Composed.Compare(a.Composed) })
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	return out, nil
}

// receipts reads the newest messages of each lane, going back through its
// streams, until it has limit of each.
func (l *Line) receipts(ctx context.Context, partner, object string, limit int) (out []Delivery, err error) {
	r := l.outside(ctx)
	for _, p := range precedences {
		var lane laneRecord
		if _, err := load(r, spaceLane, laneKey(partner, p), &lane); err != nil {
			return nil, err
		}
		n := 0
		for i := len(lane.Past); i >= 0; i-- {
			stream, newest := lane.Stream, lane.Seq
			if i < len(lane.Past) {
				stream = lane.Past[i]
				if newest, err = lastOf(r, partner, p, stream); err != nil {
					return nil, err
				}
			}
			for seq := newest; seq > 0 && (limit <= 0 || n < limit); seq-- {
				key := streamKey(partner, p, stream, seq)
				b, ok, err := r.Record(spaceSent, key)
				if err != nil {
					return nil, err
				}
				if !ok || object != "" && !bytes.Contains(b, []byte(object)) {
					continue
				}
				var s sentRecord
				if err := decodeRecord(spaceSent, key, b, &s); err != nil {
					return nil, err
				}
				if object != "" && !slices.ContainsFunc(s.Items, func(it Item) bool { return it.ID == object }) {
					continue
				}
				d, err := delivery(key, &s)
				if err != nil {
					return nil, err
				}
				out, n = append(out, d), n+1
			}
		}
	}
	return out, nil
}

// lastOf finds the last message of an ended stream.
func lastOf(r records, partner string, p Precedence, stream string) (last int64, err error) {
	err = scan(r, spaceSent, laneKey(partner, p)+"/"+stream+"/", func(key string, _ []byte) error {
		last = seqOf(key)
		return nil
	})
	return last, err
}
