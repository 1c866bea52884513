package statement

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestWrittenProtocol checks a site with the script of the written protocol,
// which shares no code with this package, and shows that it can fail.
func TestWrittenProtocol(t *testing.T) {
	for _, tool := range []string{"python3", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	old := day
	day = time.Now().UTC().Truncate(time.Second) // the script reads the clock
	t.Cleanup(func() { day = old })
	w := newWorld(t)
	dir := t.TempDir()
	for name, b := range w.files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	check := func(n, v string) (string, error) {
		out, err := exec.Command("python3", "../../docs/protocol/check.py", dir, n, v).CombinedOutput()
		return string(out), err
	}
	one := strings.TrimPrefix(uuid(1), "urn:uuid:")
	for _, v := range []string{"1", "2"} {
		if out, err := check(one, v); err != nil || !strings.Contains(out, "ok: 2 nations, 3 witnesses") {
			t.Errorf("version %s: %v %s", v, err, out)
		}
	}
	file := filepath.Join(dir, "s", one, "2", "statement.json")
	b, _ := os.ReadFile(file)
	os.WriteFile(file, []byte(strings.Replace(string(b), "no forces", "all forces", 1)), 0o644)
	if out, err := check(one, "2"); err == nil || !strings.Contains(out, "digest-mismatch") {
		t.Errorf("changed words passed: %s", out)
	}
}
