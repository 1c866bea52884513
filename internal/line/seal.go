package line

import (
	"bytes"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/klauspost/compress/zstd"
)

// A message as it crosses, and as it lies in a file:
//
//	"causeway line 1\n"
//	4 bytes   length of the header, big-endian
//	header    canonical JSON
//	1,120 bytes   HPKE encapsulated key
//	chunks    each 1 MiB of plaintext and a 16-byte tag, the last one shorter
//
// The plaintext:
//
//	4 bytes   length of the statement
//	statement canonical JSON
//	64 + 3,309 bytes   the two signatures
//	4 bytes   length of the compressed body
//	body      zstd (RFC 8878) of the parts, one after the other
//	zeros     padding to the next Padmé size, so that sizes tell little
//
// Suite: ML-KEM-768+X25519 (0x647a), HKDF-SHA256, AES-256-GCM. The header's
// bytes, which hold the digest of the statement, are HPKE's info: under any
// other header or statement the message does not open.
const magic = "causeway line 1\n"

const (
	chunkSize = 1 << 20
	tagSize   = 16
	encSize   = 1120 // ML-KEM-768 ciphertext and X25519 share
)

func sealKEM() hpke.KEM   { return hpke.MLKEM768X25519() }
func sealKDF() hpke.KDF   { return hpke.HKDFSHA256() }
func sealAEAD() hpke.AEAD { return hpke.AES256GCM() }

// errSealed is wrapped when a message does not open. It says no more: which
// check failed is nobody's business but the sender's.
var errSealed = errors.New("message does not open: damaged, cut short, or not sealed to this node under this header")

func sealInfo(header []byte) []byte { return append([]byte(magic+"seal\x00"), header...) }

// chunkAAD binds a chunk's place and whether it is the last: cutting a
// message at a chunk's end is noticed.
func chunkAAD(i int, last bool) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(i))
	if last {
		return append(b, 1)
	}
	return append(b, 0)
}

// padme is the smallest length of at least n with few significant bits:
// at most 12 % more, and a length tells O(log log n) bits (Nikitin et al.,
// "Reducing Metadata Leakage from Encrypted Files", PETS 2019, section 4).
func padme(n int) int {
	if n < 2 {
		return n
	}
	e := bits.Len(uint(n)) - 1
	s := bits.Len(uint(e))
	mask := 1<<max(e-s, 0) - 1
	return (n + mask) &^ mask
}

var compressor, _ = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))

// sealMessage signs st with k, binds the parts and seals all of it to the
// identity to. It returns the message, its header and the statement's digest.
func sealMessage(k *Keys, to *Identity, st *Statement, parts [][]byte) ([]byte, *Header, error) {
	st.setParts(parts)
	if err := st.check(); err != nil {
		return nil, nil, fmt.Errorf("seal a message: %w", err)
	}
	body := mustCanonical(st)
	if len(body) > maxStatement {
		return nil, nil, fmt.Errorf("seal a message: statement of %d bytes is over the limit of %d", len(body), maxStatement)
	}
	sigs, err := k.signer.sign(typeStatement, body)
	if err != nil {
		return nil, nil, fmt.Errorf("seal a message: %w", err)
	}
	compressed := compressor.EncodeAll(bytes.Join(parts, nil), nil)
	plain := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	plain = append(append(append(plain, body...), sigs.Ed25519...), sigs.MLDSA65...)
	plain = binary.BigEndian.AppendUint32(plain, uint32(len(compressed)))
	plain = append(plain, compressed...)
	plain = append(plain, make([]byte, padme(len(plain))-len(plain))...)

	chunks := (len(plain) + chunkSize - 1) / chunkSize
	h := &Header{V: 1, From: st.From, To: st.To, ToGeneration: to.Generation, Precedence: st.Precedence, Stream: st.Stream,
		Seq: st.Seq, Prev: st.Prev, Expires: st.Expires, Statement: sha256.Sum256(body),
		Sealed: int64(encSize + len(plain) + chunks*tagSize)}
	if h.Sealed > maxSealed {
		return nil, nil, fmt.Errorf("seal a message: %d bytes are over the limit of %d", h.Sealed, int64(maxSealed))
	}
	head := mustCanonical(h)
	enc, sender, err := hpke.NewSender(to.seal, sealKDF(), sealAEAD(), sealInfo(head))
	if err != nil {
		return nil, nil, fmt.Errorf("seal a message: %w", err)
	}
	out := make([]byte, 0, len(magic)+4+len(head)+int(h.Sealed))
	out = append(out, magic...)
	out = binary.BigEndian.AppendUint32(out, uint32(len(head)))
	out = append(append(out, head...), enc...)
	for i := range chunks {
		end := min((i+1)*chunkSize, len(plain))
		ct, err := sender.Seal(chunkAAD(i, i == chunks-1), plain[i*chunkSize:end])
		if err != nil {
			return nil, nil, fmt.Errorf("seal a message: %w", err)
		}
		out = append(out, ct...)
	}
	return out, h, nil
}

// cutMessage reads a message's header and checks that the sealed part has the
// length the header states. It opens nothing.
func cutMessage(msg []byte) (h *Header, head, sealed []byte, err error) {
	rest, ok := bytes.CutPrefix(msg, []byte(magic))
	if !ok || len(rest) < 4 {
		return nil, nil, nil, errors.New("not a message of the line (its first line is missing)")
	}
	n := binary.BigEndian.Uint32(rest)
	if n > maxHeader || int(n) > len(rest)-4 {
		return nil, nil, nil, fmt.Errorf("header of %d bytes is over the limit or cut short", n)
	}
	head, sealed = rest[4:4+n], rest[4+n:]
	if h, err = parseHeader(head); err != nil {
		return nil, nil, nil, err
	}
	if int64(len(sealed)) != h.Sealed {
		return nil, nil, nil, fmt.Errorf("message has %d sealed bytes where its header states %d", len(sealed), h.Sealed)
	}
	return h, head, sealed, nil
}

// opened is a message that was opened and whose signatures verified.
type opened struct {
	header     *Header
	statement  *Statement
	body       []byte     // the statement's exact bytes
	signatures Signatures // over body
	digest     Digest
	parts      [][]byte
}

// errMessage is wrapped by every refusal of a message for itself.
var errMessage = errors.New("message refused")

// openMessage opens msg with the ring's keys and checks it against the
// sender's generations of keys, which the caller found by the header's From.
func openMessage(r *Ring, from []*Identity, msg []byte) (*opened, error) {
	o, err := openChecked(r, from, msg)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMessage, err)
	}
	return o, nil
}

func openChecked(r *Ring, from []*Identity, msg []byte) (*opened, error) {
	h, head, sealed, err := cutMessage(msg)
	if err != nil {
		return nil, err
	}
	plain, err := unseal(r, h, head, sealed)
	if err != nil {
		return nil, err
	}
	o := &opened{header: h}
	rest := plain
	if o.body, rest, err = cutField(rest, maxStatement); err != nil {
		return nil, err
	}
	if len(rest) < signaturesSize {
		return nil, errSealed
	}
	o.signatures = Signatures{Ed25519: rest[:64:64], MLDSA65: rest[64:signaturesSize:signaturesSize]}
	if o.digest = sha256.Sum256(o.body); o.digest != h.Statement {
		return nil, errors.New("the statement is not the one the header names")
	}
	signed, err := signerOf(from, o)
	if err != nil {
		return nil, err
	}
	if o.statement, err = parseStatement(o.body); err != nil {
		return nil, err
	}
	if err := o.statement.agrees(h); err != nil {
		return nil, err
	}
	if o.statement.From != signed.Node || o.statement.FromGeneration != signed.Generation {
		return nil, errors.New("the statement names other keys than those that signed it")
	}
	compressed, padding, err := cutField(rest[signaturesSize:], maxSealed)
	if err != nil {
		return nil, err
	}
	if len(bytes.Trim(padding, "\x00")) > 0 {
		return nil, errors.New("padding is not zeros")
	}
	content, err := decompress(compressed, o.statement)
	if err != nil {
		return nil, err
	}
	o.parts, err = o.statement.split(content)
	return o, err
}

// signerOf finds the generation whose two signatures verify.
func signerOf(from []*Identity, o *opened) (*Identity, error) {
	for _, id := range from {
		if id.verifier.verify(typeStatement, o.body, o.signatures) == nil {
			return id, nil
		}
	}
	return nil, fmt.Errorf("check the statement of %s: %w", o.header.From, errBadSignature)
}

func unseal(r *Ring, h *Header, head, sealed []byte) ([]byte, error) {
	k := r.generation(h.ToGeneration)
	if k == nil || len(sealed) < encSize+tagSize {
		return nil, errSealed
	}
	rcpt, err := hpke.NewRecipient(sealed[:encSize], k.seal, sealKDF(), sealAEAD(), sealInfo(head))
	if err != nil {
		return nil, errSealed
	}
	sealed = sealed[encSize:]
	plain := make([]byte, 0, len(sealed))
	for i := 0; len(sealed) > 0; i++ {
		n := min(len(sealed), chunkSize+tagSize)
		p, err := rcpt.Open(chunkAAD(i, n == len(sealed)), sealed[:n])
		if err != nil {
			return nil, errSealed
		}
		plain, sealed = append(plain, p...), sealed[n:]
	}
	return plain, nil
}

// cutField cuts a field with a 4-byte length in front.
func cutField(b []byte, limit int) (field, rest []byte, err error) {
	if len(b) < 4 {
		return nil, nil, errSealed
	}
	n := binary.BigEndian.Uint32(b)
	if int64(n) > int64(limit) || int64(n) > int64(len(b)-4) {
		return nil, nil, errSealed
	}
	return b[4 : 4+n : 4+n], b[4+n:], nil
}

// decompress gives the body, and refuses to produce a byte more than the
// signed statement says it has: a bomb costs what was announced, no more.
func decompress(b []byte, st *Statement) ([]byte, error) {
	var want int64
	for _, p := range st.Parts {
		want += p.Size
	}
	dec, err := zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(8<<20))
	if err != nil {
		return nil, fmt.Errorf("decompress the body: %w", err)
	}
	defer dec.Close()
	out := make([]byte, 0, min(want, maxBody))
	buf := bytes.NewBuffer(out)
	n, err := io.Copy(buf, io.LimitReader(dec, want+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("decompress the body: %w", err)
	case n != want:
		return nil, fmt.Errorf("decompress the body: it is not the %d bytes that were signed", want)
	}
	return buf.Bytes(), nil
}
