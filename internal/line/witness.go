package line

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// LogState is a node's audit log as it shows it to a partner: a checkpoint
// signed with the log's key, and the proof that it only grew since the size
// the partner last saw.
type LogState struct {
	Checkpoint string      `json:"checkpoint"` // C2SP tlog-checkpoint, a signed note
	Time       int64       `json:"time"`       // when the node read its checkpoint, by its own clock
	Since      int64       `json:"since"`      // size the proof starts from; 0 for none
	Proof      []tlog.Hash `json:"proof,omitempty"`
}

// Witnessed is a state of another node's log that a node vouches for. Inside
// a signed receipt or statement it is the co-signature: whoever holds two
// that contradict each other can prove which log was rewritten.
type Witnessed struct {
	Size int64  `json:"size"`
	Root Digest `json:"root"`
	Time int64  `json:"time"` // of the LogState it comes from
}

// Fork is the finding that a partner's log was rewritten, forked or set back.
// It is shown until a person has looked into it.
type Fork struct {
	Before Witnessed `json:"before"` // what the partner showed first
	After  Witnessed `json:"after"`  // what it shows now
	Reason string    `json:"reason"`
}

// Error tells a person what was seen.
func (f *Fork) Error() string {
	return fmt.Sprintf("the partner's audit log contradicts what it showed before: %s (before: %d entries, root %s; now: %d entries, root %s)",
		f.Reason, f.Before.Size, f.Before.Root, f.After.Size, f.After.Root)
}

const maxCheckpoint = 16 << 10

// openCheckpoint checks a checkpoint's signature and reads size and root.
func openCheckpoint(text, logKey string) (Witnessed, error) {
	if len(text) > maxCheckpoint {
		return Witnessed{}, errors.New("checkpoint is too long")
	}
	v, err := note.NewVerifier(logKey)
	if err != nil {
		return Witnessed{}, fmt.Errorf("read the partner's log key: %w", err)
	}
	n, err := note.Open([]byte(text), note.VerifierList(v))
	if err != nil {
		return Witnessed{}, fmt.Errorf("check the partner's checkpoint: %w", err)
	}
	size, root, err := parseCheckpointBody(n.Text, v.Name())
	if err != nil {
		return Witnessed{}, fmt.Errorf("check the partner's checkpoint: %w", err)
	}
	return Witnessed{Size: size, Root: root}, nil
}

// advance judges what a partner shows of its log after seen. It returns the
// state to vouch for from now on, or a *Fork. A proof that starts elsewhere
// than at seen is no fork, only useless: seen stays.
func advance(seen Witnessed, st *LogState, logKey string) (Witnessed, error) {
	now, err := openCheckpoint(st.Checkpoint, logKey)
	if err != nil {
		return seen, err
	}
	now.Time = st.Time
	fork := func(reason string) (Witnessed, error) {
		return seen, &Fork{Before: seen, After: now, Reason: reason}
	}
	switch {
	case seen.Size == 0:
		return now, nil
	case now.Size < seen.Size:
		// Messages of two lanes may overtake each other, so an older state may
		// arrive late. A shorter log that was read later was set back.
		if st.Time > seen.Time {
			return fork("it has become shorter")
		}
		return seen, nil
	case now.Size == seen.Size:
		if now.Root != seen.Root {
			return fork("two different logs of one length")
		}
		return seen, nil
	case st.Since != seen.Size:
		return seen, nil
	}
	if err := tlog.CheckTree(st.Proof, now.Size, tlog.Hash(now.Root), seen.Size, tlog.Hash(seen.Root)); err != nil {
		return fork("the entries seen before are not in it")
	}
	return now, nil
}

// parseCheckpointBody reads the three lines of a C2SP tlog-checkpoint body:
// origin, size, root. Extension lines may follow and are ignored.
func parseCheckpointBody(text, origin string) (int64, Digest, error) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) < 4 || lines[0] != origin {
		return 0, Digest{}, fmt.Errorf("it is not a checkpoint of %q", origin)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return 0, Digest{}, fmt.Errorf("its size %q is not a number", lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != len(Digest{}) {
		return 0, Digest{}, errors.New("its root is not a digest")
	}
	return size, Digest(root), nil
}
