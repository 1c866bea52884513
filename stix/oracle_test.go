package stix

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"testing"
)

// shared opens a file of the project's shared data, unpacked, or skips.
func shared(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("../../shared/data/stix/" + name)
	if os.IsNotExist(err) {
		t.Skip("the shared data folder is not beside the repository")
	}
	if err != nil {
		t.Fatal(err)
	}
	if zr, err := gzip.NewReader(bytes.NewReader(b)); err == nil {
		var out bytes.Buffer
		if _, err := out.ReadFrom(zr); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	return b
}

func TestValidatorCases(t *testing.T) {
	lines := bufio.NewScanner(bytes.NewReader(shared(t, "validator_cases.jsonl.gz")))
	lines.Buffer(nil, 1<<20)
	judged := 0
	for lines.Scan() {
		var c struct {
			Case     int             `json:"case"`
			Instance json.RawMessage `json:"instance"`
			Valid    *bool           `json:"must_valid"`
			Errors   []string        `json:"errors"`
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		o, err := ParseObject(c.Instance)
		if err != nil {
			t.Fatal(err)
		}
		problems := Broken(o)
		if c.Valid == nil {
			if testing.Verbose() {
				t.Logf("case %d: %v", c.Case, problems)
			}
			continue
		}
		judged++
		if got := len(problems) == 0; got != *c.Valid {
			t.Errorf("case %d: valid %v, want %v\nours: %v\ntheirs: %v\n%s", c.Case, got, *c.Valid, problems, c.Errors, c.Instance)
		}
	}
	if judged != 137 {
		t.Errorf("judged %d cases, want 137", judged)
	}
}
