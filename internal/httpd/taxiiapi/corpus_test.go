package taxiiapi

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"causeway/taxii"
)

// shared finds the test data that lies beside a clone.
func shared(t testing.TB, path ...string) string {
	t.Helper()
	p := filepath.Join(append([]string{"..", "..", "..", "..", "shared", "data", "stix"}, path...)...)
	if _, err := os.Stat(p); err != nil {
		t.Skip("the shared test data is not beside this clone: ", err)
	}
	return p
}

func objectsOf(t testing.TB, path string) []json.RawMessage {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	var bundle struct{ Objects []json.RawMessage }
	if err := json.NewDecoder(in).Decode(&bundle); err != nil {
		t.Fatal(path, err)
	}
	return bundle.Objects
}

// The OASIS interoperability cases, each file in a store of its own: two
// objects carry a genuine defect, every other one is taken.
func TestInteropCases(t *testing.T) {
	var refused []string
	err := filepath.WalkDir(shared(t, "interop", "testcases"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".json" {
			return err
		}
		objects := objectsOf(t, path)
		if len(objects) == 0 {
			return nil
		}
		l := newLab(t)
		e := l.effective("UNCLASSIFIED")
		l.unlabelled = &e
		s, err := l.client("aiko").Add(l.ctx, l.url("inbox"), objects)
		l.ok(err)
		if s.SuccessCount+s.FailureCount != len(objects) {
			t.Errorf("%s: %d objects, status %+v", path, len(objects), s)
		}
		for _, f := range append(s.Failures, unlisted(s)...) {
			// TLP:GREEN, AMBER and RED need an audience that a security
			// officer bound; without one they are refused.
			if !strings.Contains(f.Message, "names an audience") {
				refused = append(refused, fmt.Sprintf("%s %.50s", filepath.Base(path), f.ID))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"tc-3.12.3.1", "tc-3.16.3.1"} {
		if !slices.ContainsFunc(refused, func(s string) bool { return strings.HasPrefix(s, want) }) {
			t.Errorf("%s holds a defect and was taken", want)
		}
	}
	if len(refused) != 2 {
		t.Errorf("refused: %s", strings.Join(refused, "\n"))
	}
}

func unlisted(s taxii.Status) (list []taxii.StatusDetail) {
	for _, u := range s.Unlisted {
		list = append(list, taxii.StatusDetail{ID: fmt.Sprintf("object %d", u.Index), Message: u.Message})
	}
	return list
}

// The ATT&CK load: four files with real version history and six keys whose
// content differs. What was taken comes back byte for byte, once, at any page
// size, while a writer adds.
func TestATTACKLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("6,164 objects")
	}
	dir := shared(t, "attack")
	l := newLab(t)
	e := l.effective("UNCLASSIFIED")
	l.unlabelled = &e
	client := l.client("aiko")
	want := map[string]bool{} // bytes taken
	counts := map[string]int{}
	files := []string{"ics-attack-10.1", "ics-attack-12.1", "mobile-attack-13.1", "mobile-attack-17.1"}
	load := func(objects []json.RawMessage) {
		// What an object is marked with has to arrive before it, or with it.
		marking := func(o json.RawMessage) bool { return strings.Contains(string(o), `"type": "marking-definition"`) }
		slices.SortStableFunc(objects, func(a, b json.RawMessage) int {
			switch {
			case marking(a) == marking(b):
				return 0
			case marking(a):
				return -1
			}
			return 1
		})
		for part := range slices.Chunk(objects, 500) {
			s, err := client.Add(l.ctx, l.url("inbox"), part)
			if err != nil {
				t.Error(err)
				return
			}
			counts["taken"] += s.SuccessCount
			for _, f := range append(s.Failures, unlisted(s)...) {
				if strings.Contains(f.Message, "other content") {
					counts["conflict"]++
				} else {
					counts["invalid"]++
				}
			}
		}
	}
	for _, f := range files[:3] {
		load(objectsOf(t, filepath.Join(dir, f+".json.gz")))
	}
	done := make(chan bool)
	go func() { load(objectsOf(t, filepath.Join(dir, files[3]+".json.gz"))); close(done) }()
	var at taxii.Checkpoint
	got := map[string]int{}
	pull := func(limit int) (n int) {
		for page, err := range client.Pull(l.ctx, l.url("feed"), taxii.PullOptions{From: at, Limit: limit, Match: taxii.Match{Versions: []string{"all"}}}) {
			l.ok(err)
			at = page.Checkpoint
			for _, o := range page.Objects {
				got[string(o)]++
				n++
			}
		}
		return n
	}
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		pull(997)
	}
	for _, f := range files {
		for _, o := range objectsOf(t, filepath.Join(dir, f+".json.gz")) {
			want[string(o)] = true
		}
	}
	for o, n := range got {
		if n != 1 || !want[o] {
			t.Errorf("came %d times, among the files' objects: %v: %.80s", n, want[o], o)
		}
	}
	// By instant, without the two objects that break a MUST: 6,052 versions.
	if len(got) != 6052 {
		t.Errorf("%d versions", len(got))
	}
	// Of 6,164 occurrences two are invalid; those of equal instants with other content, 8, are refused.
	if diff := cmp.Diff(map[string]int{"taken": 6154, "conflict": 8, "invalid": 2}, counts); diff != "" {
		t.Error(diff)
	}
	for _, limit := range []int{100, 1000} {
		at = taxii.Checkpoint{}
		clear(got)
		if n := pull(limit); n != 6052 || len(got) != 6052 {
			t.Errorf("limit %d: %d versions, %d distinct", limit, n, len(got))
		}
	}
	ids := map[string]bool{}
	records := 0
	for rec, err := range client.Manifest(l.ctx, l.url("feed"), taxii.PullOptions{Match: taxii.Match{Versions: []string{"all"}}}) {
		l.ok(err)
		ids[rec.ID] = true
		records++
	}
	if len(ids) != 3676 || records != 6052 {
		t.Errorf("manifest: %d ids, %d records", len(ids), records)
	}
}
