package line

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"

	"causeway/internal/audit"
	"causeway/internal/vault"
)

// laneRecord is the stream that this node sends to one partner under one
// precedence. Everything up to Acked has its receipt; what is between Acked
// and Seq is composed and under way.
type laneRecord struct {
	Stream string   `json:"stream"`
	Seq    int64    `json:"seq"`
	Head   Digest   `json:"head"`
	Acked  int64    `json:"acked"`
	Past   []string `json:"past,omitempty"` // the streams before, oldest first; their receipts are kept
	// What the partner remembered when this stream began.
	BaseStream string `json:"base_stream,omitempty"`
	BaseSeq    int64  `json:"base_seq,omitempty"`

	time int64 // of the newest statement, while it is being stored
}

// queueRecord counts what waits in one lane and what became of the rest, so
// that a status costs the same whatever waits. Items are versions.
type queueRecord struct {
	Next     int64 `json:"next"` // row number of the next entry
	Rows     int64 `json:"rows"`
	Items    int64 `json:"items"`
	UnderWay int64 `json:"under_way"` // items composed, without a receipt
	Held     int64 `json:"held"`      // by the partner's receipts
	Removed  int64 `json:"removed"`   // likewise
	Refused  int64 `json:"refused"`   // items in messages or singly
	Expired  int64 `json:"expired"`
	Withheld int64 `json:"withheld"` // no longer for this partner when their turn came
	Last     int64 `json:"last"`     // time of the last receipt
}

// outboxRow is one entry that waits to be composed into a message.
type outboxRow struct {
	Kind  string `json:"kind"`
	Time  int64  `json:"time"`
	Items []Item `json:"items,omitempty"`
	Why   string `json:"why,omitempty"`  // of a recall
	Body  []byte `json:"body,omitempty"` // of an identity or a notice
}

// rowItems is the most items in one row. Row numbers start high, so that a
// repair can put rows in front.
const (
	rowItems = 500
	firstRow = 1 << 40
)

// Enqueue puts versions on their way to a partner. It is called inside the
// transaction that releases them, so that a released version is always on its
// way and nothing else ever is. Whether the partner may see an item is asked
// again of the vault when its turn comes.
func (l *Line) Enqueue(tx *vault.Tx, partner string, p Precedence, items []Item) error {
	if len(items) == 0 {
		return nil
	}
	if err := l.sendable(tx, partner); err != nil {
		return fmt.Errorf("enqueue for %s: %w", partner, err)
	}
	lane, err := l.laneAfterRecalls(tx, partner, p, items)
	if err != nil {
		return fmt.Errorf("enqueue for %s: %w", partner, err)
	}
	return l.put(tx, partner, lane, outboxRow{Kind: kindObjects, Time: millis(l.now()), Items: items})
}

// EnqueueRecall asks a partner to remove versions it was sent, inside the
// transaction that recalls them. why reaches the partner's people. The recall
// travels with FLASH precedence, but never ahead of a message that still
// carries one of the items: then it follows in that message's lane.
func (l *Line) EnqueueRecall(tx *vault.Tx, partner string, items []Item, why string) error {
	if len(items) == 0 {
		return nil
	}
	if _, err := loadPartner(tx, partner); err != nil {
		return fmt.Errorf("enqueue a recall: %w", err)
	}
	n, err := recallCount(tx, partner)
	if err != nil {
		return fmt.Errorf("enqueue a recall: %w", err)
	}
	if err := save(tx, spaceRecalls, partner, n+1); err != nil {
		return err
	}
	byLane := map[Precedence][]Item{}
	under, err := underWay(tx, partner)
	if err != nil {
		return fmt.Errorf("enqueue a recall for %s: %w", partner, err)
	}
	for _, it := range items {
		lanes := under[it]
		if len(lanes) == 0 {
			lanes = []Precedence{Flash}
		}
		for _, p := range lanes {
			byLane[p] = append(byLane[p], it)
		}
	}
	for _, p := range precedences {
		if len(byLane[p]) == 0 {
			continue
		}
		if err := l.put(tx, partner, p, outboxRow{Kind: kindRecall, Time: millis(l.now()), Items: byLane[p], Why: clip(why)}); err != nil {
			return err
		}
	}
	return nil
}

func (l *Line) sendable(r records, node string) error {
	p, err := loadPartner(r, node)
	if err != nil {
		return err
	}
	if p.State == Comparing || p.State == Revoked {
		return fmt.Errorf("%w: %s is %s", ErrSuspended, node, p.State)
	}
	return nil
}

// recallCount is how many recalls a partner was ever sent: a message that is
// composed across one is composed anew.
func recallCount(r records, node string) (n int64, err error) {
	_, err = load(r, spaceRecalls, node, &n)
	return n, err
}

// underWay finds, for each item in a message without a receipt, its lanes.
func underWay(r records, node string) (map[Item][]Precedence, error) {
	out := map[Item][]Precedence{}
	for _, p := range precedences {
		var lane laneRecord
		if ok, err := load(r, spaceLane, laneKey(node, p), &lane); err != nil || !ok {
			if err != nil {
				return nil, err
			}
			continue
		}
		for n := lane.Acked + 1; n <= lane.Seq; n++ {
			var s sentRecord
			if ok, err := load(r, spaceSent, streamKey(node, p, lane.Stream, n), &s); err != nil {
				return nil, err
			} else if !ok || s.Kind != kindObjects {
				continue
			}
			for _, it := range s.Items {
				out[it] = append(out[it], p)
			}
		}
	}
	return out, nil
}

// laneAfterRecalls gives the lane for items that are released anew: the one
// that was asked for, or the one in which a recall of one of them still waits
// or is under way, so that the recall cannot overtake the release.
func (l *Line) laneAfterRecalls(r records, node string, want Precedence, items []Item) (Precedence, error) {
	if n, err := recallCount(r, node); err != nil || n == 0 {
		return want, err
	}
	again := make(map[Item]bool, len(items))
	for _, it := range items {
		again[it] = true
	}
	for _, p := range precedences {
		found := false
		look := func(kind string, its []Item) {
			found = found || kind == kindRecall && slices.ContainsFunc(its, func(it Item) bool { return again[it] })
		}
		if err := scanRows(r, node, p, func(_ string, row *outboxRow) error {
			if look(row.Kind, row.Items); found {
				return errStop
			}
			return nil
		}); err != nil {
			return want, err
		}
		var lane laneRecord
		if _, err := load(r, spaceLane, laneKey(node, p), &lane); err != nil {
			return want, err
		}
		for n := lane.Acked + 1; n <= lane.Seq && !found; n++ {
			var s sentRecord
			if _, err := load(r, spaceSent, streamKey(node, p, lane.Stream, n), &s); err != nil {
				return want, err
			}
			look(s.Kind, s.Items)
		}
		if found {
			return p, nil
		}
	}
	return want, nil
}

// put writes a row, in pieces where it is long, and wakes the worker once the
// transaction is through.
func (l *Line) put(tx *vault.Tx, node string, p Precedence, row outboxRow) error {
	if p < Routine || p > Flash {
		return fmt.Errorf("enqueue for %s: precedence %d does not exist", node, int(p))
	}
	q := queueRecord{Next: firstRow}
	if _, err := load(tx, spaceQueue, laneKey(node, p), &q); err != nil {
		return err
	}
	items := row.Items
	for first := true; first || len(items) > 0; first = false {
		n := min(len(items), rowItems)
		row.Items, items = items[:n:n], items[n:]
		if err := save(tx, spaceOutbox, seqKey(node, p, q.Next), row); err != nil {
			return err
		}
		q.Next++
		q.Rows++
		q.Items += int64(n)
	}
	if err := save(tx, spaceQueue, laneKey(node, p), q); err != nil {
		return err
	}
	l.wake(node)
	return nil
}

// scanRows reads the rows of a lane in their order.
func scanRows(r records, node string, p Precedence, f func(key string, row *outboxRow) error) error {
	return scan(r, spaceOutbox, laneKey(node, p)+"/", func(key string, value []byte) error {
		var row outboxRow
		if err := decodeRecord(spaceOutbox, key, value, &row); err != nil {
			return err
		}
		return f(key, &row)
	})
}

// newStream names a lane's new beginning.
func newStream() string { return hex.EncodeToString(randomBytes(16)) }

// wake tells the workers of a partner that something waits. A worker that
// looks before the transaction is through looks again soon after.
func (l *Line) wake(node string) {
	l.nudge(node + "/fetch")
	for _, p := range precedences {
		l.nudge(laneKey(node, p))
	}
}

// nudge wakes one worker, if there is one.
func (l *Line) nudge(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.wakes[key] <- struct{}{}: // a nil channel is never ready
	default:
	}
}

// expire gives up what has waited longer than it may. It is counted, and the
// entry in the audit log says how much it was.
func (l *Line) expire(ctx context.Context, node string) error {
	before := millis(l.now().Add(-l.limits.Expiry))
	for _, p := range precedences {
		old := func(r records) (keys []string, items int64, err error) {
			err = scanRows(r, node, p, func(key string, row *outboxRow) error {
				if row.Time > before {
					return errStop // what follows is younger
				}
				if row.Kind == kindObjects {
					keys, items = append(keys, key), items+int64(len(row.Items))
				}
				return nil
			})
			return keys, items, err
		}
		keys, items, err := old(l.outside(ctx))
		if err != nil {
			return err
		}
		if len(keys) == 0 {
			continue
		}
		act := audit.Act{Actor: "node", Verb: "expire", Subject: node, Detail: map[string]string{"precedence": p.String(), "versions": strconv.FormatInt(items, 10)}}
		if _, err := l.commit(ctx, act, func(tx *vault.Tx) error {
			keys, items, err := old(tx)
			if err != nil {
				return err
			}
			for _, key := range keys {
				if err := tx.DeleteRecord(spaceOutbox, key); err != nil {
					return err
				}
			}
			var q queueRecord
			if _, err := load(tx, spaceQueue, laneKey(node, p), &q); err != nil {
				return err
			}
			q.Rows -= int64(len(keys))
			q.Items -= items
			q.Expired += items
			return save(tx, spaceQueue, laneKey(node, p), q)
		}); err != nil {
			return err
		}
	}
	return nil
}
