package write

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"testing"

	"pgregory.net/rapid"
)

// TestRow: a row reads the same as encoding/csv writes it.
func TestRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		field := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ a",\r\n\\.;]{0,5}`), rapid.SampledFrom([]string{"", `\.`, " a", "\u00a0a", "\xff,"}))
		fields := rapid.SliceOfN(field, 2, 6).Draw(t, "fields")
		var want bytes.Buffer
		c := csv.NewWriter(&want)
		_ = c.Write(fields)
		c.Flush()
		var got bytes.Buffer
		l := newLines(&got)
		r := row{lines: l}
		for _, f := range fields {
			r.text(f)
		}
		_ = r.end()
		_ = l.flush()
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Fatalf("%q, want %q", got.Bytes(), want.Bytes())
		}
	})
}

type full struct{ room int }

var errFull = errors.New("no space left on device")

func (f *full) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}

// TestDiskFull: the first failed write ends a table with its error, and nothing
// is written after it.
func TestDiskFull(t *testing.T) {
	w := &full{3 * linesBuffer}
	rows := 0
	err := table(w, []string{"a", "b"}, func(r *row) error {
		for ; rows < 1_000_000; rows++ {
			if err := r.text("one").count(int64(rows)).end(); err != nil {
				return err
			}
		}
		return nil
	})
	if !errors.Is(err, errFull) || rows > 200_000 {
		t.Errorf("%v after %d rows", err, rows)
	}
	if err := table(io.Discard, []string{"a"}, func(*row) error { return errFull }); !errors.Is(err, errFull) {
		t.Errorf("%v, want the row's own error", err)
	}
}
