package statement

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// browserCase is one site as headless Node is given it.
type browserCase struct {
	Name    string            `json:"name"`
	Files   map[string][]byte `json:"files"`
	Options map[string]any    `json:"options"`
}

// TestBrowserVerdicts: the program of the page that checks a site in a browser
// gives the report of Verify, finding by finding, for the good site and for
// every listed way of tampering.
func TestBrowserVerdicts(t *testing.T) {
	program, err := filepath.Abs("verifier/dist/program.js")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		t.Skip("the program is not built: run .ci/assets")
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip(err)
	}
	good, list := tamperings(t)
	list = append(list, tampering{"nothing", "", func(*world, *VerifyOptions) {}},
		tampering{"nothing, and an older checkpoint", "", func(w *world, o *VerifyOptions) { o.Since = w.first }},
		tampering{"keys of the site", "", func(_ *world, o *VerifyOptions) { o.Policy = nil }})
	var cases []browserCase
	var want []*Report
	for _, c := range list {
		files, opt := c.site(good)
		policy := ""
		if opt.Policy != nil {
			b, err := json.Marshal(opt.Policy)
			if err != nil {
				t.Fatal(err)
			}
			policy = string(b)
		}
		cases = append(cases, browserCase{c.name, files, map[string]any{"now": opt.Now.Format(time.RFC3339), "policy": policy, "since": string(opt.Since), "words": "It places no forces in the region in 2026."}})
		want = append(want, Verify(files, opt))
	}
	in, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "testdata/browser.mjs", program)
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	type answer struct {
		Report
		Found []Found `json:"found"`
	}
	var got []answer
	if err := json.Unmarshal(out, &got); err != nil || len(got) != len(want) {
		t.Fatalf("%d reports, want %d: %v", len(got), len(want), err)
	}
	for i, r := range want {
		found := r.Find("It places no forces in the region in 2026.")
		r.records, r.translations = nil, nil
		if d := cmp.Diff(findings(r), findings(&got[i].Report)); d != "" {
			t.Errorf("%s: the findings differ (-command +browser):\n%s", list[i].name, d)
		}
		a, _ := json.Marshal(r)
		b, _ := json.Marshal(&got[i].Report)
		if !bytes.Equal(a, b) {
			at := 0
			for at < min(len(a), len(b)) && a[at] == b[at] {
				at++
			}
			t.Errorf("%s: the reports differ (is the program of now? run .ci/assets) from ...%.200s\nand ...%.200s", list[i].name, a[max(0, at-60):], b[max(0, at-60):])
		}
		if d := cmp.Diff(found, got[i].Found); d != "" {
			t.Errorf("%s: what was found differs:\n%s", list[i].name, d)
		}
	}
}

func findings(r *Report) (out []string) {
	for _, f := range r.Findings {
		out = append(out, f.Code+" "+f.Where)
	}
	return out
}
