package line

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"causeway/internal/vault"
	"causeway/label"
)

// origins finds, for an object that a partner sent, the message it came in:
// there its originator's attestation lies, which goes along when the object
// is passed on.
type origins struct {
	mu sync.Mutex
	ix *originIndex
}

// originIndex says in which received messages a version came.
type originIndex struct {
	r    records
	upto map[string]int64     // by lane and stream: the last message in it
	keys []string             // of gotRecords
	at   map[[16]byte][]int32 // item: places in keys
}

func itemKey(it Item) [16]byte {
	h := sha256.Sum256([]byte(it.ID + "\x00" + it.Version))
	return [16]byte(h[:16])
}

func (ix *originIndex) add(key string, value []byte) error {
	var got gotRecord
	if err := decodeRecord(spaceGot, key, value, &got); err != nil {
		return err
	}
	ix.upto[key[:strings.LastIndexByte(key, '/')]] = seqOf(key)
	if got.Kind != kindObjects {
		return nil
	}
	for _, it := range got.Items {
		k := itemKey(it)
		ix.at[k] = append(ix.at[k], int32(len(ix.keys)))
	}
	ix.keys = append(ix.keys, key)
	return nil
}

// with runs do on the index as of now: made whole once, and grown by what has
// arrived since.
func (o *origins) with(r records, do func(*originIndex) error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ix == nil {
		ix := &originIndex{upto: map[string]int64{}, at: map[[16]byte][]int32{}}
		if err := scan(r, spaceGot, "", ix.add); err != nil {
			return err
		}
		o.ix = ix
	}
	o.ix.r = r
	inboxes := map[string]inboxRecord{}
	err := scan(r, spaceInbox, "", func(lane string, value []byte) error {
		var in inboxRecord
		err := decodeRecord(spaceInbox, lane, value, &in)
		inboxes[lane] = in
		return err
	})
	if err != nil {
		return err
	}
	for lane, in := range inboxes {
		for n := o.ix.upto[lane+"/"+in.Stream] + 1; n <= in.Seq; n++ {
			key := fmt.Sprintf("%s/%s/%016x", lane, in.Stream, n)
			b, ok, err := r.Record(spaceGot, key)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			if err := o.ix.add(key, b); err != nil {
				return err
			}
		}
	}
	return do(o.ix)
}

// known says whether any partner ever sent the version.
func (ix *originIndex) known(it Item) bool { return len(ix.at[itemKey(it)]) > 0 }

// origin is an attestation that covers a version, its place in it, and the
// rule its originator released it under.
type origin struct {
	document *Document
	place    carried
	rule     string
}

// provenance finds an attestation of exactly these bytes; nil when nobody
// attested them.
func (ix *originIndex) provenance(it Item, raw []byte) (*origin, error) {
	for _, i := range ix.at[itemKey(it)] {
		var got gotRecord
		if _, err := load(ix.r, spaceGot, ix.keys[i], &got); err != nil {
			return nil, err
		}
		o, err := got.originOf(it, raw)
		if o != nil || err != nil {
			return o, err
		}
	}
	return nil, nil
}

func (got *gotRecord) originOf(it Item, raw []byte) (*origin, error) {
	i := slices.Index(got.Items, it)
	if i < 0 {
		return nil, nil
	}
	var m manifest
	if err := decodeCanonical(got.Manifest, maxBody, &m); err != nil {
		return nil, fmt.Errorf("read the manifest of message %s: %w", got.Digest, err)
	}
	o := &origin{}
	place := got.Places[i]
	if place < len(m.Own) {
		proof, err := proveLeaf(got.Leaves, int64(place))
		if err != nil {
			return nil, err
		}
		o.document, o.rule = &got.Attestations[0], m.Rules[m.Own[place]]
		o.place = carried{Leaf: int64(place), Salt: saltOf(m.Seed, place), Proof: proof}
	} else {
		c := m.Carried[place-len(m.Own)]
		if c.Attestation < 0 {
			return nil, nil
		}
		o.document, o.rule = &got.Attestations[c.Attestation], m.Rules[c.Rule]
		o.place = carried{Leaf: c.Leaf, Salt: c.Salt, Proof: c.Proof}
	}
	a, err := parseAttestation(*o.document)
	if err != nil {
		return nil, err
	}
	if a.covers(o.place, o.rule, raw) != nil {
		return nil, nil // another source's bytes under the same name
	}
	return o, nil
}

// Said is an originator's signed word on one version, whoever brought it.
type Said struct {
	Node       string    `json:"node"`
	Generation int       `json:"generation"` // of the keys that signed
	Time       time.Time `json:"time"`
	Rule       string    `json:"rule"`     // under which the originator released it
	Verified   bool      `json:"verified"` // both signatures verify under keys known here; false: its keys are not known
}

// SaidBy finds who attested exactly these bytes, through however many hops
// they came, and checks it. A reader who may not read under the originator's
// rule gets the same answer as where nobody attested them: nil.
func (l *Line) SaidBy(ctx context.Context, r vault.Reader, it Item, raw []byte) (*Said, error) {
	var from *origin
	err := l.origins.with(l.outside(ctx), func(ix *originIndex) (err error) {
		from, err = ix.provenance(it, raw)
		return err
	})
	if err != nil || from == nil {
		return nil, err
	}
	rule, err := label.ParseRule(from.rule)
	if err != nil || !label.Allows(rule, r.Holdings) {
		return nil, nil // not in a form that this node reads: nobody's
	}
	a, err := parseAttestation(*from.document)
	if err != nil {
		return nil, err
	}
	said := &Said{Node: a.Node, Generation: a.Generation, Time: instant(a.Time), Rule: from.rule}
	ids, err := l.keysOf(ctx, a.Node)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if id.Generation == a.Generation {
			if err := a.check(*from.document, id); err != nil {
				return nil, fmt.Errorf("check who said %s: %w", it.ID, err)
			}
			said.Verified = true
		}
	}
	return said, nil
}
