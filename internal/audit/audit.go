// Package audit is the tamper-evident log of a node: what was done, asked,
// refused and shown, by whom, in the order in which it was committed.
//
// It is a transparency log (RFC 6962 tree, golang.org/x/mod/sumdb/tlog) whose
// tables live in the database of the vault, so that an act and its entry are
// one transaction. Three names to start from: [Act] is what a caller reports,
// [Log] appends inside a transaction, [Verify] re-derives everything.
//
// A leaf of the tree is a hiding commitment, SHA-256 over a random salt and
// the entry: partners witness and verify the tree without learning anything
// from it, and an entry is opened to somebody by handing over its salt.
//
// The package has no clock and no database of its own: callers pass times,
// salts and a [Store].
package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Act is one thing that happened, as its doer reports it. The vault adds the
// time, the effects on the store and the place in the log.
type Act struct {
	Actor   string            `json:"actor"`             // reader id of who did it ("person:aiko", "partner:brussels", "node")
	Verb    string            `json:"verb"`              // lower case, present tense: "put", "read", "deny", "release", "sign-in"
	Subject string            `json:"subject,omitempty"` // what it was done to: an object id, a partner, a policy
	Detail  map[string]string `json:"detail,omitempty"`  // further facts; never a secret
}

// Entry is one committed act: the content behind one leaf.
type Entry struct {
	Index   int64     // place in the log, from 0
	At      time.Time // microseconds, UTC, never decreasing along the log
	Act     Act
	Effects []Effect
}

// Effect is one change that an act made to the store. The store holds the
// same fact in its own tables; [Verify] demands that both agree.
type Effect struct {
	Kind   string `json:"kind"`            // "version", "release", "recall", "withdraw", "relabel", "record"
	Key    string `json:"key,omitempty"`   // records: space and key, joined by a slash; empty otherwise
	Count  int    `json:"count,omitempty"` // rows of this kind that the act wrote
	Digest []byte `json:"digest,omitempty"`
	// Digest is the SHA-256 over the rows of this kind in the order in which
	// they were written; for a record, over its value; empty for a deletion.
}

// body is the stored and committed form of an entry: fixed field order, no
// insignificant space, so that the bytes are a function of the entry.
type body struct {
	Index int64 `json:"index"`
	At    int64 `json:"at"` // microseconds since 1970
	Act
	Effects []Effect `json:"effects,omitempty"`
}

// Encode gives the bytes that an entry's commitment covers.
func (e Entry) Encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body{e.Index, e.At.UnixMicro(), e.Act, e.Effects}); err != nil {
		return nil, fmt.Errorf("encode audit entry %d: %w", e.Index, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// DecodeEntry is the inverse of [Entry.Encode]. It refuses every other text
// that could be read as the same entry, so that an entry has one commitment.
func DecodeEntry(b []byte) (Entry, error) {
	var v body
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		return Entry{}, fmt.Errorf("decode audit entry: %w", err)
	}
	e := Entry{v.Index, time.UnixMicro(v.At).UTC(), v.Act, v.Effects}
	if again, err := e.Encode(); err != nil || !bytes.Equal(again, b) {
		return Entry{}, errors.New("decode audit entry: it is not in the one form that entries have")
	}
	return e, nil
}

// SaltSize is the number of random bytes in front of each entry.
const SaltSize = 32

// commitmentContext separates these hashes from every other use of SHA-256.
const commitmentContext = "causeway audit entry v1\x00"

// Commit gives the leaf of an entry: the hiding commitment to its bytes.
func Commit(salt, entry []byte) []byte {
	h := sha256.New()
	h.Write([]byte(commitmentContext))
	h.Write(salt)
	h.Write(entry)
	return h.Sum(nil)
}
