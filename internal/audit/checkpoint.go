package audit

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is the body of a C2SP tlog-checkpoint: which log, how long, and
// the hash of its tree.
type Checkpoint struct {
	Origin string // name of the log: the name of the signing key
	Size   int64
	Root   tlog.Hash
}

// Text gives the checkpoint body (C2SP tlog-checkpoint): origin, size and
// root in base64, one line each.
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
}

// Sign gives the signed note. Cosignatures of witnesses are further lines.
func (c Checkpoint) Sign(s ...note.Signer) (string, error) {
	b, err := note.Sign(&note.Note{Text: c.Text()}, s...)
	if err != nil {
		return "", fmt.Errorf("sign the checkpoint: %w", err)
	}
	return string(b), nil
}

// ParseCheckpoint reads a checkpoint body. Extension lines after the third
// are allowed and ignored, as C2SP demands.
func ParseCheckpoint(text string) (c Checkpoint, err error) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) < 4 || lines[0] == "" {
		return c, fmt.Errorf("parse a checkpoint: want origin, size and root, one line each")
	}
	c.Origin = lines[0]
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.Size < 0 || strconv.FormatInt(c.Size, 10) != lines[1] {
		return c, fmt.Errorf("parse a checkpoint: %q is not a size", lines[1])
	}
	b, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(b) != tlog.HashSize {
		return c, fmt.Errorf("parse a checkpoint: %q is not a root hash", lines[2])
	}
	copy(c.Root[:], b)
	return c, nil
}

// OpenCheckpoint verifies a signed checkpoint. Its origin MUST be the name of
// one of the keys that signed it.
func OpenCheckpoint(signed string, known note.Verifiers) (Checkpoint, error) {
	n, err := note.Open([]byte(signed), known)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("verify a checkpoint: %w", err)
	}
	c, err := ParseCheckpoint(n.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	for _, s := range n.Sigs {
		if s.Name == c.Origin {
			return c, nil
		}
	}
	return Checkpoint{}, fmt.Errorf("verify a checkpoint: the log %q did not sign it", c.Origin)
}

// Proof shows offline that an entry is in a log. It opens one commitment and
// nothing else.
type Proof struct {
	Index      int64       `json:"index"`
	Salt       []byte      `json:"salt"`
	Entry      []byte      `json:"entry"`
	Hashes     []tlog.Hash `json:"hashes"`
	Checkpoint string      `json:"checkpoint"` // signed note of the tree
}

// Check verifies the proof and gives the entry.
func (p *Proof) Check(known note.Verifiers) (Entry, error) {
	c, err := OpenCheckpoint(p.Checkpoint, known)
	if err != nil {
		return Entry{}, err
	}
	leaf := tlog.RecordHash(Commit(p.Salt, p.Entry))
	if err := tlog.CheckRecord(p.Hashes, c.Size, c.Root, p.Index, leaf); err != nil {
		return Entry{}, fmt.Errorf("check the proof of entry %d: %w", p.Index, err)
	}
	e, err := DecodeEntry(p.Entry)
	if err == nil && e.Index != p.Index {
		err = fmt.Errorf("check the proof of entry %d: the entry says it is %d", p.Index, e.Index)
	}
	return e, err
}

// Consistent verifies that the tree of newer contains the tree of older, as a
// witness does before it signs.
func Consistent(proof []tlog.Hash, older, newer Checkpoint) error {
	if older.Origin != newer.Origin || newer.Size < older.Size {
		return fmt.Errorf("compare checkpoints: %q at %d does not continue %q at %d", newer.Origin, newer.Size, older.Origin, older.Size)
	}
	if older.Size == 0 {
		return nil
	}
	if err := tlog.CheckTree(proof, newer.Size, newer.Root, older.Size, older.Root); err != nil {
		return fmt.Errorf("compare checkpoints: the log was rewritten: %w", err)
	}
	return nil
}
