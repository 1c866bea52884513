package line

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"causeway/internal/vault"
)

// The spaces of the line's records in the vault. Keys begin with the partner,
// so that one partner's records lie together; numbers in keys are 16
// hexadecimal digits, so that they sort.
const (
	spacePartner    = "line.partner"    // node: partnerRecord
	spacePin        = "line.pin"        // digest of a transport key: node
	spaceSpeaker    = "line.speaker"    // STIX identity: node that speaks for it
	spaceInvitation = "line.invitation" // digest of an invitation: invitationRecord
	spaceLane       = "line.lane"       // node/precedence: laneRecord, the stream this node sends
	spaceQueue      = "line.queue"      // node/precedence: queueRecord, what waits, counted
	spaceOutbox     = "line.outbox"     // node/precedence/row: outboxRow, waiting to be composed
	spaceRecalls    = "line.recalls"    // node: how many recalls it was sent
	spaceMessage    = "line.message"    // node/precedence/seq: a sealed message without a receipt
	spaceSent       = "line.sent"       // node/precedence/stream/seq: sentRecord, with its receipt
	spaceInbox      = "line.inbox"      // node/precedence: inboxRecord, the stream this node receives
	spaceGot        = "line.got"        // node/precedence/stream/seq: gotRecord, with the receipt given
	spaceCourier    = "line.courier"    // node/digest: a receipt that the next courier file carries
	spaceMatch      = "line.match"      // run: Match
	spaceMatchCount = "line.matchcount" // node/epoch: matchCount

	spaceRoute          = "line.route"          // destination: routeRecord
	spaceRelayed        = "line.relayed"        // node/precedence/stream/seq: relayedRecord, of a message of this node
	spaceHanded         = "line.handed"         // relay/digest: handedRecord, what the relay is asked about
	spaceTransit        = "line.transit"        // digest: transitRecord, of a message of others
	spaceTransitMessage = "line.transitmessage" // digest: the message, until it arrived
	spaceTransitQueue   = "line.transitqueue"   // destination/precedence/origin/seq/digest: not handed on yet
	spaceTransitHeld    = "line.transitheld"    // giver: transitHeld, its share of this node
)

// records is what reading records needs: a vault, or a transaction.
type records interface {
	Record(space, key string) ([]byte, bool, error)
	ScanRecords(space, prefix string, f func(key string, value []byte) error) error
}

// outside reads records outside a transaction.
type outside struct {
	ctx context.Context
	v   *vault.Vault
}

func (o outside) Record(space, key string) ([]byte, bool, error) {
	return o.v.Record(o.ctx, space, key)
}

func (o outside) ScanRecords(space, prefix string, f func(key string, value []byte) error) error {
	return o.v.ScanRecords(o.ctx, space, prefix, f)
}

func (l *Line) outside(ctx context.Context) outside { return outside{ctx, l.vault} }

// load reads one record into v and reports whether there is one.
func load(r records, space, key string, v any) (bool, error) {
	b, ok, err := r.Record(space, key)
	if err != nil || !ok {
		return false, err
	}
	return true, decodeRecord(space, key, b, v)
}

// decodeRecord refuses a record with fields this program does not know: it
// was written by a newer one, and rewriting it would lose them.
func decodeRecord(space, key string, b []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("read the record %s/%s: %w", space, key, err)
	}
	return nil
}

func save(tx *vault.Tx, space, key string, v any) error {
	b, err := encodeCanonical(v)
	if err != nil {
		return fmt.Errorf("write the record %s/%s: %w", space, key, err)
	}
	return tx.PutRecord(space, key, b)
}

// errStop ends a scan early.
var errStop = errors.New("stop")

func scan(r records, space, prefix string, f func(key string, value []byte) error) error {
	if err := r.ScanRecords(space, prefix, f); err != nil && !errors.Is(err, errStop) {
		return err
	}
	return nil
}

// laneKey names a lane of a partner, seqKey a place in it.
func laneKey(node string, p Precedence) string { return node + "/" + p.String() }

func seqKey(node string, p Precedence, n int64) string {
	return fmt.Sprintf("%s/%s/%016x", node, p, n)
}

func streamKey(node string, p Precedence, stream string, n int64) string {
	return fmt.Sprintf("%s/%s/%s/%016x", node, p, stream, n)
}

// seqOf reads the number at the end of a key.
func seqOf(key string) int64 {
	n, _ := strconv.ParseInt(key[strings.LastIndexByte(key, '/')+1:], 16, 64)
	return n
}

// cutStreamKey is the inverse of streamKey, but for the number.
func cutStreamKey(key string) (node string, p Precedence, stream string, err error) {
	parts := strings.Split(key, "/")
	if len(parts) != 4 {
		return "", 0, "", fmt.Errorf("read the record %s: its key has another form", key)
	}
	err = p.UnmarshalText([]byte(parts[1]))
	return parts[0], p, parts[2], err
}
