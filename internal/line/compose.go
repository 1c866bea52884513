package line

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"causeway/internal/audit"
	"causeway/internal/vault"
	"causeway/stix"
)

// sentRecord is one message that this node composed, kept for good: what was
// in it, and the receipt that ended it.
type sentRecord struct {
	Kind     string         `json:"kind"`
	Digest   Digest         `json:"digest"`
	Time     int64          `json:"time"`
	Items    []Item         `json:"items,omitempty"`
	Why      string         `json:"why,omitempty"`
	Body     []byte         `json:"body,omitempty"`
	Attached int            `json:"attached,omitempty"` // marking definitions that went along
	Result   string         `json:"result,omitempty"`   // of the receipt; empty while it is under way
	Receipt  *SignedReceipt `json:"receipt,omitempty"`
}

// draft is what the composer found to say in one message.
type draft struct {
	kind     string
	parts    [][]byte
	items    []Item // versions that go
	withheld int64  // versions that no longer may
	attached int
	count    int
	tables   []Table
	why      string
	body     []byte
	rows     []string   // keys of rows used up
	rest     *outboxRow // what is left of the row after them
	restKey  string
}

// errMoved is wrapped when somebody else worked on the lane meanwhile.
var errMoved = errors.New("the lane has moved on")

// compose makes the next message of a lane from what waits, stores it with
// its place in the stream, and reports whether it made one.
func (l *Line) compose(ctx context.Context, node string, p Precedence) (bool, error) {
	out := l.outside(ctx)
	partner, err := loadPartner(out, node)
	if err != nil {
		return false, err
	}
	if partner.State != Active {
		return false, fmt.Errorf("%w: the partner is %s", ErrSuspended, partner.State)
	}
	var lane laneRecord
	if _, err := load(out, spaceLane, laneKey(node, p), &lane); err != nil {
		return false, err
	}
	before := lane
	recalls, err := recallCount(out, node)
	if err != nil {
		return false, err
	}
	d, err := l.draft(ctx, partner, p)
	if err != nil || d == nil {
		return false, err
	}
	var msg []byte
	var digest Digest
	if d.count > 0 || d.kind != kindObjects {
		if lane.Stream == "" {
			lane.Stream = newStream()
		}
		if msg, digest, err = l.sealDraft(ctx, partner, p, &lane, d); err != nil {
			return false, err
		}
	}
	act := audit.Act{Actor: "node", Verb: "compose", Subject: node, Detail: map[string]string{"precedence": p.String(),
		"kind": d.kind, "versions": strconv.Itoa(len(d.items)), "withheld": strconv.FormatInt(d.withheld, 10)}}
	if msg != nil {
		act.Detail["message"] = digest.String()
	}
	_, err = l.commit(ctx, act, func(tx *vault.Tx) error {
		if now, err := recallCount(tx, node); err != nil || now != recalls {
			return errors.Join(err, errMoved)
		}
		return commitDraft(tx, partner, p, before, lane, d, digest, msg)
	})
	if err != nil {
		return false, fmt.Errorf("compose a message for %s: %w", node, err)
	}
	return msg != nil, nil
}

// commitDraft writes a composed message and takes its rows out of the outbox,
// unless the lane or the partner changed since the draft was read.
func commitDraft(tx *vault.Tx, was *partnerRecord, p Precedence, before, after laneRecord, d *draft, digest Digest, msg []byte) error {
	now, err := loadPartner(tx, was.Node)
	if err != nil {
		return err
	}
	var lane laneRecord
	if _, err := load(tx, spaceLane, laneKey(was.Node, p), &lane); err != nil {
		return err
	}
	if lane.Stream != before.Stream || lane.Seq != before.Seq || now.State != was.State || now.Knows != was.Knows {
		return errMoved
	}
	var q queueRecord
	if _, err := load(tx, spaceQueue, laneKey(was.Node, p), &q); err != nil {
		return err
	}
	for _, key := range d.rows {
		if err := tx.DeleteRecord(spaceOutbox, key); err != nil {
			return err
		}
	}
	if d.rest != nil {
		if err := save(tx, spaceOutbox, d.restKey, d.rest); err != nil {
			return err
		}
	}
	q.Rows -= int64(len(d.rows))
	q.Items -= int64(len(d.items)) + d.withheld
	q.Withheld += d.withheld
	if msg != nil {
		q.UnderWay += int64(len(d.items))
		// Acked may have moved since before was read; Seq has not.
		after.Acked = lane.Acked
		rec := sentRecord{Kind: d.kind, Digest: digest, Time: after.time, Items: d.items, Why: d.why, Body: d.body, Attached: d.attached}
		if err := save(tx, spaceSent, streamKey(was.Node, p, after.Stream, after.Seq), rec); err != nil {
			return err
		}
		if err := tx.PutRecord(spaceMessage, seqKey(was.Node, p, after.Seq), msg); err != nil {
			return err
		}
		if err := save(tx, spaceLane, laneKey(was.Node, p), after); err != nil {
			return err
		}
	}
	return save(tx, spaceQueue, laneKey(was.Node, p), q)
}

// draft reads as many rows as make one message. nil: nothing waits.
func (l *Line) draft(ctx context.Context, partner *partnerRecord, p Precedence) (*draft, error) {
	out := l.outside(ctx)
	d := &draft{}
	var rows []*outboxRow
	var keys []string
	n := 0
	err := scanRows(out, partner.Node, p, func(key string, row *outboxRow) error {
		if len(rows) > 0 && (row.Kind != rows[0].Kind || row.Kind != kindObjects || n+len(row.Items) > l.limits.BatchItems) {
			return errStop
		}
		rows, keys, n = append(rows, row), append(keys, key), n+len(row.Items)
		return nil
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	d.kind = rows[0].Kind
	switch d.kind {
	case kindObjects:
		return d, l.draftObjects(ctx, partner, d, rows, keys)
	case kindRecall:
		d.items, d.why, d.count = rows[0].Items, rows[0].Why, len(rows[0].Items)
		d.parts = [][]byte{mustCanonical(recall{V: 1, Why: d.why, Items: d.items})}
	default:
		d.items, d.body = rows[0].Items, rows[0].Body
		d.parts = [][]byte{d.body}
	}
	d.rows = keys
	return d, nil
}

// recall is the part of a message that takes versions back.
type recall struct {
	V     int    `json:"v"`
	Why   string `json:"why,omitempty"`
	Items []Item `json:"items"`
}

// draftObjects fetches the rows' versions as the partner sees them, and only
// so: what the vault hides from the partner cannot get into a message.
func (l *Line) draftObjects(ctx context.Context, partner *partnerRecord, d *draft, rows []*outboxRow, keys []string) error {
	pub, err := partner.partner()
	if err != nil {
		return err
	}
	view := l.vault.As(l.Reader(pub))
	visible, err := readItems(ctx, view, rows)
	if err != nil {
		return fmt.Errorf("read what waits for %s: %w", partner.Node, err)
	}
	env, err := l.newEnvelope(ctx, partner, view, visible)
	if err != nil {
		return err
	}
	seen := map[Item]bool{}
	for i, row := range rows {
		for j, it := range row.Items {
			if env.size > l.limits.BatchBytes && env.count() > 0 {
				rest := *row
				rest.Items = row.Items[j:]
				d.rest, d.restKey = &rest, keys[i]
				return env.finish(d)
			}
			o := visible[it]
			if seen[it] || o == nil { // a second entry for the same version is spent with the first
				d.withheld++
				continue
			}
			seen[it] = true
			if err := env.add(o); err != nil {
				return err
			}
			d.items = append(d.items, it)
		}
		d.rows = append(d.rows, keys[i])
	}
	return env.finish(d)
}

// visible is a version that the partner may see now.
type visible struct {
	object *stix.Object
	item   Item
	rule   string
}

// readItems reads the versions in rows, in one question to the partner's
// view; what is not in the answer is not for the partner.
func readItems(ctx context.Context, view *vault.View, rows []*outboxRow) (map[Item]*visible, error) {
	want := map[Item]bool{}
	m := vault.Match{}
	ids, versions := map[string]bool{}, map[string]bool{}
	for _, row := range rows {
		for _, it := range row.Items {
			want[it] = true
			if !ids[it.ID] {
				ids[it.ID] = true
				m.IDs = append(m.IDs, it.ID)
			}
			if !versions[it.Version] {
				versions[it.Version] = true
				m.Versions = append(m.Versions, it.Version)
			}
		}
	}
	return readMatch(ctx, view, m, want)
}

func readMatch(ctx context.Context, view *vault.View, m vault.Match, want map[Item]bool) (map[Item]*visible, error) {
	out := map[Item]*visible{}
	if len(m.IDs) == 0 {
		return out, nil
	}
	q := vault.Query{Match: m, Limit: vault.MaxLimit}
	for {
		page, err := view.Page(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range page.Rows {
			row := &page.Rows[i]
			it := Item{ID: row.ID, Version: row.Version}
			if want != nil && !want[it] {
				continue
			}
			o, err := stix.ParseObject(row.Raw)
			if err != nil {
				return nil, fmt.Errorf("read %s as stored: %w", row.ID, err)
			}
			out[it] = &visible{object: o, item: it, rule: row.Effective.Originators().Key()}
		}
		if !page.More {
			return out, nil
		}
		q.Cursor = page.Next
	}
}

// keysFor gives the generation of this node's keys that the partner is known
// to have: a rotation never outruns the news of it.
func (l *Line) keysFor(p *partnerRecord) *Keys {
	if k := l.ring.generation(p.Knows); k != nil {
		return k
	}
	return l.ring.Current()
}

// tables names the policy versions that this node decided with.
func (l *Line) tables() []Table {
	var out []Table
	for _, p := range l.policies().All() {
		if len(out) < maxTables {
			out = append(out, Table{OID: p.OID(), Version: p.Version()})
		}
	}
	return out
}

// sealDraft signs and seals a draft as the next of its lane.
func (l *Line) sealDraft(ctx context.Context, partner *partnerRecord, p Precedence, lane *laneRecord, d *draft) ([]byte, Digest, error) {
	ids, err := partner.identities()
	if err != nil {
		return nil, Digest{}, err
	}
	k := l.keysFor(partner)
	now := l.now()
	version, err := negotiate(partner.Versions[0], partner.Versions[1])
	if err != nil {
		return nil, Digest{}, err
	}
	log, err := l.logState(ctx, partner.Vouched)
	if err != nil {
		return nil, Digest{}, err
	}
	st := &Statement{V: version, Kind: d.kind, From: l.Node(), FromGeneration: k.Identity.Generation, To: partner.Node, Precedence: p,
		Stream: lane.Stream, Seq: lane.Seq + 1, Prev: lane.Head, Time: millis(now), Expires: millis(now.Add(l.limits.Expiry)),
		Count: d.count, Tables: d.tables, Log: log, Seen: partner.vouches(), Nonce: randomBytes(16)}
	msg, h, err := sealMessage(k, ids[0], st, d.parts)
	if err != nil {
		return nil, Digest{}, err
	}
	lane.Seq, lane.Head, lane.time = st.Seq, h.Statement, st.Time
	return msg, h.Statement, nil
}

// vouches is what this node says it saw of the partner's log; nil when
// nothing.
func (p *partnerRecord) vouches() *Witnessed {
	if p.Seen.Size == 0 {
		return nil
	}
	w := p.Seen
	return &w
}
