package line

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Attestation is an originator's signed word that it made a set of objects,
// each under one rule. It is signed apart from the message that first carried
// it, and names no recipient: when a partner may pass an object on, the
// attestation and one proof go with it, and a third node can check who said
// what without learning who else was told, or what else was said.
type Attestation struct {
	V          int    `json:"v"`
	Node       string `json:"node"`
	Generation int    `json:"generation"`
	Time       int64  `json:"time"`
	Count      int64  `json:"count"`
	Root       Digest `json:"root"` // RFC 6962 tree over the leaves
}

// manifest is the part of a message that says, for each object of the
// envelope in order, under which rule its originator released it and which
// attestation covers it. Objects of the sender come first.
type manifest struct {
	V       int       `json:"v"`
	Rules   []string  `json:"rules"`          // distinct rule keys
	Own     []int     `json:"own,omitempty"`  // rule of each of the sender's own objects
	Seed    []byte    `json:"seed,omitempty"` // 32 bytes: gives the salts of the own objects
	Carried []carried `json:"carried,omitempty"`
}

// carried is an object that the sender passes on.
type carried struct {
	Rule        int         `json:"rule"`
	Attestation int         `json:"attestation"` // place in the attestations part, -1 for none
	Leaf        int64       `json:"leaf"`
	Salt        []byte      `json:"salt,omitempty"`
	Proof       []tlog.Hash `json:"proof,omitempty"`
}

// leafHash commits to one object under one rule. The salt hides both from
// whoever is shown the hash as a neighbour in a proof.
func leafHash(salt []byte, rule string, raw []byte) tlog.Hash {
	r := sha256.Sum256([]byte(rule))
	data := make([]byte, 0, len(salt)+len(r)+len(raw))
	data = append(append(append(data, salt...), r[:]...), raw...)
	return tlog.RecordHash(data)
}

// saltOf derives the salt of the object at place i. Handing on one salt tells
// nothing about the others.
func saltOf(seed []byte, i int) []byte {
	m := hmac.New(sha256.New, seed)
	m.Write([]byte("causeway line salt 1\x00"))
	m.Write(binary.BigEndian.AppendUint64(nil, uint64(i)))
	return m.Sum(nil)
}

// hashTree keeps a small tree's stored hashes in memory.
type hashTree struct {
	stored []tlog.Hash
	n      int64
}

// ReadHashes gives stored hashes by index (tlog.HashReader).
func (t *hashTree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		if x < 0 || x >= int64(len(t.stored)) {
			return nil, errors.New("hash index outside the tree")
		}
		out[i] = t.stored[x]
	}
	return out, nil
}

func newHashTree(leaves []tlog.Hash) (*hashTree, error) {
	t := &hashTree{stored: make([]tlog.Hash, 0, 2*len(leaves))}
	for i, leaf := range leaves {
		hs, err := tlog.StoredHashesForRecordHash(int64(i), leaf, t)
		if err != nil {
			return nil, err
		}
		t.stored = append(t.stored, hs...)
		t.n++
	}
	return t, nil
}

// attest signs the sender's own objects: raws[i] under rules[own[i]].
func attest(k *Keys, now int64, rules []string, own []int, seed []byte, raws [][]byte) (Document, []tlog.Hash, error) {
	leaves := make([]tlog.Hash, len(own))
	for i, r := range own {
		leaves[i] = leafHash(saltOf(seed, i), rules[r], raws[i])
	}
	root, err := rootOf(leaves)
	if err != nil {
		return Document{}, nil, fmt.Errorf("attest objects: %w", err)
	}
	body := mustCanonical(Attestation{V: 1, Node: k.Identity.Node, Generation: k.Identity.Generation, Time: now,
		Count: int64(len(own)), Root: root})
	doc, err := k.document(typeAttestation, body)
	return doc, leaves, err
}

func rootOf(leaves []tlog.Hash) (Digest, error) {
	t, err := newHashTree(leaves)
	if err != nil {
		return Digest{}, err
	}
	root, err := tlog.TreeHash(t.n, t)
	return Digest(root), err
}

// proveLeaf gives the proof that leaf i is in the tree of leaves.
func proveLeaf(leaves []tlog.Hash, i int64) ([]tlog.Hash, error) {
	t, err := newHashTree(leaves)
	if err != nil {
		return nil, err
	}
	return tlog.ProveRecord(t.n, i, t)
}

// parseAttestation reads an attestation without checking signatures: which
// keys to check with is the caller's knowledge.
func parseAttestation(doc Document) (*Attestation, error) {
	if doc.Type != typeAttestation {
		return nil, fmt.Errorf("read an attestation: type %q is not one", doc.Type)
	}
	var a Attestation
	if err := decodeCanonical(doc.Body, 4<<10, &a); err != nil {
		return nil, fmt.Errorf("read an attestation: %w", err)
	}
	if a.V != 1 || !nodePattern.MatchString(a.Node) || a.Generation < 1 || a.Count < 0 || a.Count > maxObjects {
		return nil, errors.New("read an attestation: a field is out of range")
	}
	return &a, nil
}

// check verifies that id signed a.
func (a *Attestation) check(doc Document, id *Identity) error {
	if a.Node != id.Node || a.Generation != id.Generation {
		return fmt.Errorf("attestation of %s, generation %d, cannot be checked with the keys of generation %d", a.Node, a.Generation, id.Generation)
	}
	return id.verifier.verify(typeAttestation, doc.Body, doc.Signatures)
}

// covers checks that one carried object is the one its originator attested.
func (a *Attestation) covers(c carried, rule string, raw []byte) error {
	if len(c.Salt) != sha256.Size || len(c.Proof) > 64 {
		return errors.New("salt or proof has the wrong length")
	}
	return tlog.CheckRecord(c.Proof, a.Count, tlog.Hash(a.Root), c.Leaf, leafHash(c.Salt, rule, raw))
}

// parseManifest reads a manifest and checks every index in it against the
// number of objects and attestations in the message.
func parseManifest(b []byte, objects, attestations int) (*manifest, error) {
	var m manifest
	if err := decodeCanonical(b, maxBody, &m); err != nil {
		return nil, fmt.Errorf("read the manifest: %w", err)
	}
	switch {
	case m.V != 1:
		return nil, fmt.Errorf("read the manifest: version %d is not spoken here", m.V)
	case len(m.Rules) > maxRules:
		return nil, fmt.Errorf("read the manifest: %d rules are over the limit of %d", len(m.Rules), maxRules)
	case len(m.Own)+len(m.Carried) != objects:
		return nil, fmt.Errorf("read the manifest: it describes %d objects, the envelope has %d", len(m.Own)+len(m.Carried), objects)
	case len(m.Own) > 0 && (len(m.Seed) != 32 || attestations == 0):
		return nil, errors.New("read the manifest: the sender's own objects are not attested")
	}
	for _, r := range m.Own {
		if r < 0 || r >= len(m.Rules) {
			return nil, errors.New("read the manifest: a rule is named that is not there")
		}
	}
	for _, c := range m.Carried {
		if c.Rule < 0 || c.Rule >= len(m.Rules) || c.Attestation < -1 || c.Attestation >= attestations {
			return nil, errors.New("read the manifest: a rule or attestation is named that is not there")
		}
	}
	return &m, nil
}
