package line

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// Digest is a SHA-256 value. Its text form is 64 lower-case hexadecimal digits.
type Digest [sha256.Size]byte

// String is the text form.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// IsZero reports whether d is the value before the first message of a chain.
func (d Digest) IsZero() bool { return d == Digest{} }

// MarshalText writes the text form.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the text form.
func (d *Digest) UnmarshalText(b []byte) error {
	if len(b) != 2*len(d) {
		return fmt.Errorf("a digest has %d hexadecimal digits, not %d", 2*len(d), len(b))
	}
	_, err := hex.Decode(d[:], b)
	return err
}

// encodeCanonical writes v in the one form that every document of the line
// has: JSON, the fields in the order of docs/protocol/line.md, no white space,
// absent fields left out, byte strings in base64 (RFC 4648 section 4).
func encodeCanonical(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// mustCanonical is for values whose every field is known to encode.
func mustCanonical(v any) []byte {
	b, err := encodeCanonical(v)
	if err != nil {
		panic("line: encode a document of our own: " + err.Error())
	}
	return b
}

// errNotCanonical is wrapped when a document is JSON but not in the one form
// that encodeCanonical writes.
var errNotCanonical = errors.New("not in canonical form (a field twice, in another order or case, unknown, with white space, or data after the end)")

// decodeCanonical reads a document of at most limit bytes. It accepts only
// what encodeCanonical would write: two parsers can then never see two
// different documents in the same bytes. Signatures are always checked over
// the bytes received, never over the re-encoding made here.
func decodeCanonical(b []byte, limit int, v any) error {
	if len(b) > limit {
		return fmt.Errorf("document of %d bytes is over the limit of %d", len(b), limit)
	}
	if !utf8.Valid(b) {
		return errors.New("document is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("read the document: %w", err)
	}
	again, err := encodeCanonical(v)
	if err != nil {
		return fmt.Errorf("read the document: %w", err)
	}
	if !bytes.Equal(again, b) {
		return errNotCanonical
	}
	return nil
}

// millis is the wire form of a time: milliseconds since 1970 in UTC.
func millis(t time.Time) int64 { return t.UnixMilli() }

// instant is the inverse of millis.
func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
