package line

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"causeway/internal/audit"
	"causeway/internal/vault"
)

// A courier file carries the same sealed messages and signed receipts as the
// network, where there is no link:
//
//	"causeway line file 1\n"
//	frames   1 byte kind, 8 bytes length (big-endian), content
//	         'm' a sealed message; 'r' a receipt, canonical JSON
//	end      'e', length 32, SHA-256 over everything before this frame
//
// The digest only tells a damaged file from a whole one; what is in it is
// checked message by message, whoever carried it.
const courierMagic = "causeway line file 1\n"

const (
	frameMessage = 'm'
	frameReceipt = 'r'
	frameEnd     = 'e'
)

// Exported says what went into a courier file.
type Exported struct {
	Messages int
	Versions int64
	Receipts int
}

// Export writes everything that waits for a partner, and the receipts it is
// still owed, into a courier file. Messages stay in the outbox until their
// receipts come back, by whatever way.
func (l *Line) Export(ctx context.Context, by, node string, w io.Writer) (Exported, error) {
	var out Exported
	p, err := loadPartner(l.outside(ctx), node)
	if err != nil {
		return out, fmt.Errorf("export: %w", err)
	}
	if p.State != Active {
		return out, fmt.Errorf("export for %s: %w: it is %s here", node, ErrSuspended, p.State)
	}
	if _, err := l.commit(ctx, audit.Act{Actor: by, Verb: "export", Subject: node}, nil); err != nil {
		return out, fmt.Errorf("export for %s: %w", node, err)
	}
	f := &frames{w: bufio.NewWriterSize(w, 1<<20), sum: sha256.New()}
	f.raw([]byte(courierMagic))
	for _, prec := range precedences {
		if err := l.exportLane(ctx, node, prec, f, &out); err != nil {
			return out, fmt.Errorf("export for %s: %w", node, err)
		}
	}
	var given []string
	err = scan(l.outside(ctx), spaceCourier, node+"/", func(key string, value []byte) error {
		f.frame(frameReceipt, value)
		given = append(given, key)
		out.Receipts++
		return nil
	})
	if err != nil {
		return out, fmt.Errorf("export for %s: %w", node, err)
	}
	f.frame(frameEnd, f.sum.Sum(nil))
	if f.err == nil {
		f.err = f.w.Flush()
	}
	if f.err != nil {
		return out, fmt.Errorf("export for %s: %w", node, f.err)
	}
	if len(given) == 0 {
		return out, nil
	}
	// A lost file costs nothing: the partner sends its messages again, and
	// gets the same receipts.
	return out, l.act(ctx, "export-receipts", node, func(tx *vault.Tx) error {
		for _, key := range given {
			if err := tx.DeleteRecord(spaceCourier, key); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l *Line) exportLane(ctx context.Context, node string, p Precedence, f *frames, out *Exported) error {
	for {
		made, err := l.compose(ctx, node, p)
		if err != nil && !errors.Is(err, errMoved) {
			return err
		}
		var q queueRecord
		if _, err := load(l.outside(ctx), spaceQueue, laneKey(node, p), &q); err != nil {
			return err
		}
		if !made && q.Rows == 0 {
			break
		}
	}
	var lane laneRecord
	if _, err := load(l.outside(ctx), spaceLane, laneKey(node, p), &lane); err != nil {
		return err
	}
	for n := lane.Acked + 1; n <= lane.Seq; n++ {
		msg, ok, err := l.outside(ctx).Record(spaceMessage, seqKey(node, p, n))
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		var sent sentRecord
		if _, err := load(l.outside(ctx), spaceSent, streamKey(node, p, lane.Stream, n), &sent); err != nil {
			return err
		}
		f.frame(frameMessage, msg)
		out.Messages++
		out.Versions += int64(len(sent.Items))
	}
	return f.err
}

// frames writes a courier file and remembers the first error.
type frames struct {
	w   *bufio.Writer
	sum hash.Hash
	err error
}

func (f *frames) raw(b []byte) {
	if f.err == nil {
		f.sum.Write(b)
		_, f.err = f.w.Write(b)
	}
}

func (f *frames) frame(kind byte, b []byte) {
	f.raw(binary.BigEndian.AppendUint64([]byte{kind}, uint64(len(b))))
	f.raw(b)
}

// Imported says what came out of a courier file.
type Imported struct {
	Messages int // taken now or before
	Receipts int
	Held     int
	Refused  []string // frames that were not taken, and why
}

// Import takes a courier file. The receipts for its messages go into the next
// [Line.Export] to each sender. Each message is taken or refused for itself;
// a file that is cut is taken as far as it is whole, and named an error.
func (l *Line) Import(ctx context.Context, by string, r io.Reader) (Imported, error) {
	var out Imported
	if _, err := l.commit(ctx, audit.Act{Actor: by, Verb: "import-line", Subject: l.Node()}, nil); err != nil {
		return out, fmt.Errorf("import: %w", err)
	}
	sum := sha256.New()
	br := bufio.NewReaderSize(r, 1<<20)
	head := make([]byte, len(courierMagic))
	if _, err := io.ReadFull(br, head); err != nil || string(head) != courierMagic {
		return out, errors.New("import: this is not a courier file of a line (its first line is missing)")
	}
	sum.Write(head)
	for n := 1; ; n++ {
		want := sum.Sum(nil)
		kind, b, err := readFrame(io.TeeReader(br, sum))
		if err != nil {
			return out, fmt.Errorf("import: the file is damaged at frame %d; what came before it was taken: %w", n, err)
		}
		switch kind {
		case frameEnd:
			if !bytes.Equal(b, want) {
				return out, errors.New("import: the file is damaged; what could be checked was taken; ask for it again")
			}
			return out, nil
		case frameMessage:
			err = l.importMessage(ctx, b, &out)
		case frameReceipt:
			err = l.importReceipt(ctx, b, &out)
		default:
			err = fmt.Errorf("kind %q is not known", kind)
		}
		if err != nil {
			if ctx.Err() != nil {
				return out, ctx.Err()
			}
			out.Refused = append(out.Refused, fmt.Sprintf("frame %d: %v", n, err))
		}
	}
}

func readFrame(r io.Reader) (byte, []byte, error) {
	var head [9]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, fmt.Errorf("it ends without its last frame: %w", err)
	}
	n := binary.BigEndian.Uint64(head[1:])
	if n > maxMessage {
		return 0, nil, fmt.Errorf("a frame of %d bytes is over the limit", n)
	}
	// Memory grows with what is there, not with what the frame claims.
	var b bytes.Buffer
	if _, err := io.CopyN(&b, r, int64(n)); err != nil {
		return 0, nil, fmt.Errorf("it is cut inside a frame: %w", err)
	}
	return head[0], b.Bytes(), nil
}

func (l *Line) importMessage(ctx context.Context, msg []byte, out *Imported) error {
	doc, err := l.receive(ctx, msg)
	if err != nil {
		return err
	}
	h, _, _, err := cutMessage(msg)
	if err != nil {
		return err
	}
	rc, err := parseReceipt(doc.Body)
	if err != nil {
		return err
	}
	out.Messages++
	out.Held += rc.Held
	return l.act(ctx, "owe-receipt", h.From, func(tx *vault.Tx) error {
		return save(tx, spaceCourier, h.From+"/"+h.Statement.String(), doc)
	})
}

func (l *Line) importReceipt(ctx context.Context, b []byte, out *Imported) error {
	var doc Document
	if err := decodeCanonical(b, maxReceipt*2, &doc); err != nil {
		return fmt.Errorf("read a receipt: %w", err)
	}
	var who struct {
		From string `json:"from"`
	}
	if err := json.Unmarshal(doc.Body, &who); err != nil {
		return fmt.Errorf("read a receipt: %w", err)
	}
	if err := l.settle(ctx, who.From, doc); err != nil {
		return err
	}
	out.Receipts++
	return nil
}
