package statement

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// A Cosigner is a witness service. AddCheckpoint gives the signature lines over
// a checkpoint that contains the one of old entries; a witness that has
// co-signed another size answers a *ConflictError.
type Cosigner interface {
	Called() string
	AddCheckpoint(old int64, proof []tlog.Hash, checkpoint []byte) (lines string, err error)
}

// Asked is what became of asking one witness.
type Asked struct {
	Name string
	Err  error // nil: it co-signed
}

// grace is how long witnesses may still answer once the quorum is met.
const grace = time.Second

// cosign asks every witness service at once and adds what they sign to a signed
// checkpoint. It returns soon after the quorum is met, or when all have answered.
func (p *Publication) cosign(checkpoint []byte, t *tree, size int64) []byte {
	type answer struct {
		i     int
		lines string
		err   error
	}
	answers := make(chan answer, len(p.Cosigners))
	for i, c := range p.Cosigners {
		go func() {
			lines, err := ask(c, checkpoint, t, size, int64(len(p.Published)))
			if err == nil {
				err = p.signedBy(c.Called(), checkpoint, lines)
			}
			answers <- answer{i, lines, err}
		}()
	}
	p.Asked = make([]Asked, len(p.Cosigners))
	for i, c := range p.Cosigners {
		p.Asked[i] = Asked{c.Called(), errors.New("has not answered yet")}
	}
	var late <-chan time.Time
	for range p.Cosigners {
		select {
		case a := <-answers:
			p.Asked[a.i].Err = a.err
			if a.err == nil {
				checkpoint = append(checkpoint, a.lines...)
			}
			if late == nil && openCheckpoint(checkpoint, &p.Metadata).err == nil {
				late = time.After(grace)
			}
		case <-late:
			return checkpoint
		}
	}
	return checkpoint
}

// ask puts the question from the size that the publisher thinks the witness
// has, and once more from the size that the witness says.
func ask(c Cosigner, checkpoint []byte, t *tree, size, old int64) (string, error) {
	for again := range 2 {
		var proof []tlog.Hash
		if old > 0 && old < size {
			p, err := tlog.ProveTree(size, old, t)
			if err != nil {
				return "", err
			}
			proof = p
		}
		lines, err := c.AddCheckpoint(old, proof, checkpoint)
		var conflict *ConflictError
		if again == 0 && errors.As(err, &conflict) && conflict.Size != old && conflict.Size <= size {
			old = conflict.Size
			continue
		}
		return lines, err
	}
	return "", errors.New("unreachable")
}

// signedBy checks that lines are one witness's signatures over the checkpoint,
// and nothing else.
func (p *Publication) signedBy(name string, checkpoint []byte, lines string) error {
	for l := range strings.Lines(lines) {
		if !strings.HasPrefix(l, "— "+name+" ") || !strings.HasSuffix(l, "\n") {
			return fmt.Errorf("the answer holds something else than signatures of %s", name)
		}
	}
	text, _, _ := strings.Cut(string(checkpoint), "\n\n")
	_, by, err := openNote([]byte(text+"\n\n"+lines), p.Metadata.Keys, "witness")
	if err != nil {
		return fmt.Errorf("the answer is not signed with the key of %s that is trusted here: %w", name, err)
	}
	if len(by) != 1 || by[0].Key.Name != name {
		return fmt.Errorf("the answer is not signed with the key of %s that is trusted here", name)
	}
	if off := by[0].At.Sub(p.Now); off > 5*time.Minute || off < -5*time.Minute {
		return fmt.Errorf("its clock says %s, this one %s: one of them is wrong", by[0].At.Format(time.RFC3339), p.Now.Format(time.RFC3339))
	}
	return nil
}
