package line

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// origins finds, for an object that a partner sent, the message it came in:
// there its originator's attestation lies, which goes along when the object
// is passed on. It is an index over the received messages, made anew when
// more have arrived since.
type origins struct {
	mu  sync.Mutex
	now *originIndex
}

// originIndex is one state of the index; it does not change.
type originIndex struct {
	r    records
	upto string               // state of the inboxes it was made from
	keys []string             // of gotRecords
	at   map[[16]byte][]int32 // item: places in keys
}

func itemKey(it Item) [16]byte {
	h := sha256.Sum256([]byte(it.ID + "\x00" + it.Version))
	return [16]byte(h[:16])
}

// index gives the index as of now.
func (o *origins) index(r records) (*originIndex, error) {
	var upto strings.Builder
	if err := scan(r, spaceInbox, "", func(key string, value []byte) error {
		upto.WriteString(key)
		upto.Write(value)
		return nil
	}); err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.now != nil && o.now.upto == upto.String() {
		return &originIndex{r: r, upto: o.now.upto, keys: o.now.keys, at: o.now.at}, nil
	}
	ix := &originIndex{r: r, upto: upto.String(), at: map[[16]byte][]int32{}}
	err := scan(r, spaceGot, "", func(k string, value []byte) error {
		var got gotRecord
		if err := decodeRecord(spaceGot, k, value, &got); err != nil {
			return err
		}
		if got.Kind != kindObjects {
			return nil
		}
		for _, it := range got.Items {
			key := itemKey(it)
			ix.at[key] = append(ix.at[key], int32(len(ix.keys)))
		}
		ix.keys = append(ix.keys, k)
		return nil
	})
	o.now = ix
	return ix, err
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
