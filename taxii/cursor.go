package taxii

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// cursorAge is how long a cursor stays good; the newest part of it is an
// hour, so that the same page asked twice gives the same cursor.
const cursorAge = 7 * 24 * time.Hour

// sealer makes and opens cursors. A cursor is stateless and may be used any
// number of times. It is encrypted, since a readable place in a feed would
// show by its gaps what others were sent, and authenticated together with
// the requester, the path and the filters it belongs to. It grants nothing:
// on use, rights and filters are evaluated again.
//
// The construction is SIV: the tag is HMAC-SHA-256 over context and text and
// also serves as the counter of AES-256-CTR. It is deterministic, so that
// replays and replicas answer alike, and needs no random numbers.
type sealer struct {
	mac   []byte
	block cipher.Block
}

const tagSize = 16

func newSealer(key []byte) (*sealer, error) {
	if len(key) < 32 {
		return nil, fmt.Errorf("derive cursor keys: the key has %d bytes, at least 32 are needed", len(key))
	}
	mac, err := hkdf.Key(sha256.New, key, nil, "causeway taxii cursor mac 1", 32)
	if err != nil {
		return nil, fmt.Errorf("derive cursor keys: %w", err)
	}
	enc, err := hkdf.Key(sha256.New, key, nil, "causeway taxii cursor enc 1", 32)
	if err != nil {
		return nil, fmt.Errorf("derive cursor keys: %w", err)
	}
	block, err := aes.NewCipher(enc)
	if err != nil {
		return nil, fmt.Errorf("derive cursor keys: %w", err)
	}
	return &sealer{mac, block}, nil
}

// cursor is what a "next" value says.
type cursor struct {
	after   int64 // [Record.Seq] of the last record delivered
	filter  url.Values
	expires time.Time // whole hours
}

// context binds a cursor: requester and path of the request.
func (s *sealer) tag(context []string, text []byte) []byte {
	h := hmac.New(sha256.New, s.mac)
	for _, part := range context {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		h.Write([]byte(part))
	}
	h.Write(text)
	return h.Sum(nil)[:tagSize]
}

func (s *sealer) seal(c cursor, context ...string) string {
	text := binary.BigEndian.AppendUint64(nil, uint64(c.after))
	text = binary.BigEndian.AppendUint32(text, uint32(c.expires.Unix()/3600))
	text = append(text, c.filter.Encode()...)
	out := append(make([]byte, 0, tagSize+len(text)), s.tag(context, text)...)
	out = append(out, text...)
	cipher.NewCTR(s.block, out[:tagSize]).XORKeyStream(out[tagSize:], out[tagSize:])
	return base64.RawURLEncoding.EncodeToString(out)
}

var errCursor = errors.New("not a cursor for this request")

// open gives the cursor back, or errCursor for every fault that is not
// its age.
func (s *sealer) open(text string, now time.Time, context ...string) (cursor, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimRight(text, "="))
	if err != nil || len(b) < tagSize+12 {
		return cursor{}, errCursor
	}
	tag, body := b[:tagSize], b[tagSize:]
	cipher.NewCTR(s.block, tag).XORKeyStream(body, body)
	if !hmac.Equal(tag, s.tag(context, body)) {
		return cursor{}, errCursor
	}
	c := cursor{
		after:   int64(binary.BigEndian.Uint64(body)),
		expires: time.Unix(int64(binary.BigEndian.Uint32(body[8:]))*3600, 0),
	}
	if c.filter, err = url.ParseQuery(string(body[12:])); err != nil {
		return cursor{}, errCursor
	}
	if now.After(c.expires) {
		return cursor{}, fmt.Errorf("the cursor expired on %s", c.expires.UTC().Format(time.RFC3339))
	}
	return c, nil
}
