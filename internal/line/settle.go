package line

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"causeway/internal/audit"
	"causeway/internal/vault"
)

// doubt marks that what somebody gave does not verify, apart from what went
// wrong here.
type doubt struct{ error }

func (d doubt) Unwrap() error { return d.error }

// settle takes a partner's receipt for a message of this node: it is checked,
// kept, and ends the message. A second receipt for the same message changes
// nothing.
func (l *Line) settle(ctx context.Context, node string, doc SignedReceipt) error {
	partner, err := loadPartner(l.outside(ctx), node)
	if err != nil {
		return fmt.Errorf("take a receipt: %w", err)
	}
	rc, from, err := openReceiptOf(partner, doc)
	if err != nil {
		return doubt{err}
	}
	act := audit.Act{Actor: PartnerReader(node), Verb: "receipt", Subject: rc.Statement.String(),
		Detail: map[string]string{"result": rc.Result, "precedence": rc.Precedence.String(), "receipt": doc.Digest().String()}}
	if rc.Reason != "" {
		act.Detail["reason"] = rc.Reason
	}
	_, err = l.commit(ctx, act, func(tx *vault.Tx) error {
		return l.keepReceipt(tx, node, from, rc, doc)
	})
	if errors.Is(err, errSettled) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("take a receipt of %s: %w", node, err)
	}
	return nil
}

// openReceiptOf checks a receipt against any generation of a partner's keys;
// what it is for is checked by the caller against its own record.
func openReceiptOf(p *partnerRecord, doc SignedReceipt) (*Receipt, *Identity, error) {
	ids, err := p.identities()
	if err != nil {
		return nil, nil, err
	}
	rc, err := parseReceipt(doc.Body)
	if err != nil {
		return nil, nil, fmt.Errorf("check a receipt of %s: %w", p.Node, err)
	}
	for _, id := range ids {
		if id.Generation == rc.Generation {
			checked, err := openReceipt(doc, id, rc.Statement)
			return checked, id, err
		}
	}
	return nil, nil, fmt.Errorf("check a receipt of %s: generation %d of its keys is not known here", p.Node, rc.Generation)
}

// errSettled ends an act that would change nothing.
var errSettled = errors.New("the receipt is kept already")

func (l *Line) keepReceipt(tx *vault.Tx, node string, from *Identity, rc *Receipt, doc SignedReceipt) error {
	key := streamKey(node, rc.Precedence, rc.Stream, rc.Seq)
	var sent sentRecord
	ok, err := load(tx, spaceSent, key, &sent)
	switch {
	case err != nil:
		return err
	case rc.To != l.Node():
		return doubt{errors.New("it is for another node")}
	case !ok || sent.Digest != rc.Statement:
		return doubt{errors.New("it is for a message that this node did not send")}
	case sent.Receipt != nil:
		return errSettled
	}
	gaveUp := sent.Result == Expired
	sent.Receipt, sent.Result = &doc, rc.Result
	if err := save(tx, spaceSent, key, sent); err != nil {
		return err
	}
	var lane laneRecord
	if _, err := load(tx, spaceLane, laneKey(node, rc.Precedence), &lane); err != nil {
		return err
	}
	switch {
	case lane.Stream == rc.Stream:
		if err := tx.DeleteRecord(spaceMessage, seqKey(node, rc.Precedence, rc.Seq)); err != nil {
			return err
		}
		if err := advanceLane(tx, node, rc, &lane); err != nil {
			return err
		}
		if err := countReceipt(tx, node, rc, &sent); err != nil {
			return err
		}
	case gaveUp && rc.Result == Delivered: // it was given up too soon
		if err := countLate(tx, node, rc, &sent); err != nil {
			return err
		}
	}
	// What else a stream that ended carried went again, and counts there.
	partner, err := loadPartner(tx, node)
	if err != nil {
		return err
	}
	if sent.Kind == kindIdentity && rc.Result == Delivered {
		if id, err := signedIdentityIn(sent.Body); err == nil {
			partner.Knows = max(partner.Knows, id.Generation)
		}
	}
	l.witness(partner, from, rc.Log, rc.Witnessed)
	partner.said(rc.Time, l.now())
	return save(tx, spacePartner, node, partner)
}

// advanceLane moves Acked over every message that has its receipt, as the one
// of rc now has.
func advanceLane(tx *vault.Tx, node string, rc *Receipt, lane *laneRecord) error {
	was := lane.Acked
	for lane.Acked < lane.Seq {
		if lane.Acked+1 == rc.Seq {
			lane.Acked++
			continue
		}
		var next sentRecord
		ok, err := load(tx, spaceSent, streamKey(node, rc.Precedence, lane.Stream, lane.Acked+1), &next)
		if err != nil {
			return err
		}
		if !ok || next.Receipt == nil {
			break
		}
		lane.Acked++
	}
	if lane.Acked == was {
		return nil
	}
	return save(tx, spaceLane, laneKey(node, rc.Precedence), lane)
}

// countLate corrects the counts for a message that was counted as expired.
func countLate(tx *vault.Tx, node string, rc *Receipt, sent *sentRecord) error {
	var q queueRecord
	if _, err := load(tx, spaceQueue, laneKey(node, rc.Precedence), &q); err != nil {
		return err
	}
	q.Expired -= int64(len(sent.Items))
	q.UnderWay += int64(len(sent.Items))
	if err := save(tx, spaceQueue, laneKey(node, rc.Precedence), q); err != nil {
		return err
	}
	return countReceipt(tx, node, rc, sent)
}

func countReceipt(tx *vault.Tx, node string, rc *Receipt, sent *sentRecord) error {
	var q queueRecord
	if _, err := load(tx, spaceQueue, laneKey(node, rc.Precedence), &q); err != nil {
		return err
	}
	n := int64(len(sent.Items))
	q.UnderWay -= n
	q.Last = rc.Time
	switch {
	case rc.Result == Expired:
		q.Expired += n
	case rc.Result == Refused:
		q.Refused += n
	case sent.Kind == kindObjects:
		bad := min(int64(rc.Refused), n)
		q.Refused += bad
		q.Held += n - bad
	case sent.Kind == kindRecall:
		q.Removed += int64(rc.Removed)
	}
	return save(tx, spaceQueue, laneKey(node, rc.Precedence), q)
}

// witness judges what a partner shows of its own log and what it says it saw
// of this node's. A contradiction is kept in the partner's record and shown;
// the exchange goes on, since stopping it would help whoever rewrote the log.
func (l *Line) witness(p *partnerRecord, from *Identity, log *LogState, saw *Witnessed) {
	if log != nil && from.LogKey != "" && p.Fork == nil {
		seen, err := advance(p.Seen, log, from.LogKey)
		var fork *Fork
		switch {
		case errors.As(err, &fork):
			p.Fork = fork
			l.log.Error("a partner's audit log contradicts what it showed before", "partner", p.Node, "reason", fork.Reason)
		case err != nil:
			l.log.Warn("a partner's checkpoint cannot be checked", "partner", p.Node, "error", err)
		default:
			p.Seen = seen
		}
	}
	p.Vouched = newer(p.Vouched, saw)
}

// newer gives the later of two states of one log; nil is none.
func newer(a, b *Witnessed) *Witnessed {
	if a == nil || b != nil && b.Size > a.Size {
		return b
	}
	return a
}

// LaneState is what a receiver says of one lane: how far it has come.
type LaneState struct {
	Precedence Precedence     `json:"precedence"`
	Stream     string         `json:"stream,omitempty"`
	Seq        int64          `json:"seq"`
	Head       Digest         `json:"head"`
	Receipt    *SignedReceipt `json:"receipt,omitempty"` // for Head
}

// Repair is the record of a history that one side lost, as after a restore
// from a backup, and of what was done about it.
type Repair struct {
	Time       int64      `json:"time"`
	Precedence Precedence `json:"precedence"`
	Lost       string     `json:"lost"`  // node that forgot
	After      int64      `json:"after"` // the last message both remember
	Upto       int64      `json:"upto"`  // the last message one of them remembers
	Resent     int        `json:"resent"`
}

// keepRepairs is how many repairs a partner's record remembers.
const keepRepairs = 20

// reconcile compares what a partner says it received in one lane with what
// this node remembers sending, and where one of the two forgot, starts the
// lane afresh and sends again what is missing. Sending again does no harm:
// the store keeps one copy of a version.
func (l *Line) reconcile(ctx context.Context, node string, lane laneRecord, st LaneState) error {
	if ok, err := l.inStep(ctx, node, &lane, st); err != nil || ok {
		return err
	}
	act := audit.Act{Actor: "node", Verb: "repair", Subject: node, Detail: map[string]string{"precedence": st.Precedence.String()}}
	_, err := l.commit(ctx, act, func(tx *vault.Tx) error {
		var now laneRecord
		if _, err := load(tx, spaceLane, laneKey(node, st.Precedence), &now); err != nil {
			return err
		}
		if now.Stream != lane.Stream || now.Seq != lane.Seq || now.Acked != lane.Acked {
			return errMoved
		}
		return l.restart(tx, node, &now, st)
	})
	if errors.Is(err, errMoved) {
		return nil // the next exchange compares again
	}
	if err != nil {
		return fmt.Errorf("repair the line to %s: %w", node, err)
	}
	l.wake(node)
	return nil
}

// inStep says whether both sides remember the same stream: the partner is
// somewhere between the last receipt and the last message of this node.
func (l *Line) inStep(ctx context.Context, node string, lane *laneRecord, st LaneState) (bool, error) {
	if lane.Stream != st.Stream { // none of this stream has arrived yet
		return lane.Acked == 0 && st.Stream == lane.BaseStream && st.Seq == lane.BaseSeq, nil
	}
	if st.Seq < lane.Acked || st.Seq > lane.Seq {
		return false, nil
	}
	if st.Seq == 0 {
		return true, nil
	}
	var sent sentRecord
	ok, err := load(l.outside(ctx), spaceSent, streamKey(node, st.Precedence, st.Stream, st.Seq), &sent)
	return ok && sent.Digest == st.Head, err
}

// restart puts everything that the partner does not have back into the
// outbox, in order, and begins a new stream.
func (l *Line) restart(tx *vault.Tx, node string, lane *laneRecord, st LaneState) error {
	partner, err := loadPartner(tx, node)
	if err != nil {
		return err
	}
	rep := Repair{Time: millis(l.now()), Precedence: st.Precedence, Lost: node, After: st.Seq, Upto: lane.Acked}
	streams := append(slices.Clone(lane.Past), lane.Stream)
	at := slices.Index(streams, st.Stream)
	known := st.Stream == "" || at >= 0
	if known && st.Stream == lane.Stream && st.Seq > lane.Acked || !known {
		// The partner remembers more than this node does.
		rep.Lost, rep.After, rep.Upto = l.Node(), lane.Acked, st.Seq
	}
	var rows []outboxRow
	for i, s := range streams {
		from := int64(1)
		switch {
		case s == "" || known && i < at:
			continue
		case known && i == at:
			from = min(st.Seq, lane.Acked) + 1
			if s != lane.Stream {
				from = st.Seq + 1
			}
		case !known && s != lane.Stream:
			continue
		case !known:
			from = lane.Acked + 1
		}
		again, err := unsettled(tx, node, st.Precedence, s, from, true)
		if err != nil {
			return err
		}
		rows = append(rows, again...)
	}
	rep.Resent = versionsIn(rows)
	if err := beginStream(tx, node, lane, st, rows, rep.Resent); err != nil {
		return err
	}
	if rep.Lost == l.Node() {
		after := int64(0)
		if st.Stream == lane.Stream {
			after = lane.Acked
		}
		body := mustCanonical(notice{V: 1, What: noticeReturn, Precedence: st.Precedence, Stream: st.Stream, After: after})
		if err := l.put(tx, node, Flash, outboxRow{Kind: kindNotice, Time: rep.Time, Body: body}); err != nil {
			return err
		}
	}
	partner.Repairs = append(partner.Repairs, rep)
	if n := len(partner.Repairs); n > keepRepairs {
		partner.Repairs = partner.Repairs[n-keepRepairs:]
	}
	return save(tx, spacePartner, node, partner)
}

// unsettled gives what a stream carried from a message on, to be sent again:
// all but what the partner refused or what came too late, and, unless the
// partner forgot, what it has.
func unsettled(r records, node string, p Precedence, stream string, from int64, forgot bool) (rows []outboxRow, err error) {
	err = scan(r, spaceSent, laneKey(node, p)+"/"+stream+"/", func(key string, value []byte) error {
		var sent sentRecord
		if err := decodeRecord(spaceSent, key, value, &sent); err != nil {
			return err
		}
		if seqOf(key) < from || sent.Result == Refused || sent.Result == Expired || !forgot && sent.Receipt != nil {
			return nil
		}
		rows = append(rows, outboxRow{Kind: sent.Kind, Time: sent.Time, Items: sent.Items, Why: sent.Why, Body: sent.Body})
		return nil
	})
	return rows, err
}

// versionsIn counts the versions in rows; the items of words are none.
func versionsIn(rows []outboxRow) (n int) {
	for _, row := range rows {
		if wordVersion(row.Kind) == 0 {
			n += len(row.Items)
		}
	}
	return n
}

// beginStream ends a lane's stream where the partner stands at st, and puts
// rows in front of what waits.
func beginStream(tx *vault.Tx, node string, lane *laneRecord, st LaneState, rows []outboxRow, resent int) error {
	for n := lane.Acked + 1; n <= lane.Seq; n++ {
		if err := tx.DeleteRecord(spaceMessage, seqKey(node, st.Precedence, n)); err != nil {
			return err
		}
	}
	past := lane.Past
	if lane.Stream != "" {
		past = append(past, lane.Stream)
	}
	if err := save(tx, spaceLane, laneKey(node, st.Precedence), laneRecord{Stream: newStream(), Past: past, BaseStream: st.Stream, BaseSeq: st.Seq}); err != nil {
		return err
	}
	return requeue(tx, node, st.Precedence, rows, resent)
}

// requeue puts rows in front of everything that waits in the lane: they were
// released earlier.
func requeue(tx *vault.Tx, node string, p Precedence, rows []outboxRow, resent int) error {
	q := queueRecord{Next: firstRow}
	if _, err := load(tx, spaceQueue, laneKey(node, p), &q); err != nil {
		return err
	}
	first := q.Next
	if err := scanRows(tx, node, p, func(key string, _ *outboxRow) error {
		first = seqOf(key)
		return errStop
	}); err != nil {
		return err
	}
	for i := len(rows) - 1; i >= 0; i-- {
		first--
		if err := save(tx, spaceOutbox, seqKey(node, p, first), rows[i]); err != nil {
			return err
		}
		q.Rows++
		q.Items += int64(len(rows[i].Items))
	}
	q.Held = max(0, q.Held-max(0, int64(resent)-q.UnderWay))
	q.UnderWay = 0
	return save(tx, spaceQueue, laneKey(node, p), q)
}

// delivery reads a sent record with its receipt.
func delivery(key string, s *sentRecord) (Delivery, error) {
	node, prec, stream, err := cutStreamKey(key)
	if err != nil {
		return Delivery{}, err
	}
	d := Delivery{Partner: node, Precedence: prec, Stream: stream, Seq: seqOf(key), Kind: s.Kind, Statement: s.Digest, Composed: instant(s.Time),
		Items: s.Items, Result: s.Result, Document: s.Receipt}
	if s.Receipt != nil {
		rc, err := parseReceipt(s.Receipt.Body)
		if err != nil {
			return Delivery{}, err
		}
		d.Reason, d.At, d.Refusals, d.Held, d.Removed = rc.Reason, rc.At(), rc.Refusals, rc.Held, rc.Removed
	}
	return d, nil
}
