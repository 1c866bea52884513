package stix

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// broken scans text and gives the ids of invalid objects, how many objects
// there are, and every object.
func broken(t *testing.T, text []byte) (ids []string, objects []*Object) {
	t.Helper()
	for it, err := range Scan(bytes.NewReader(text), Limits{}) {
		if err != nil {
			t.Fatal(err)
		}
		if it.Err != nil {
			t.Errorf("line %d: %v", it.Line, it.Err)
			continue
		}
		objects = append(objects, it.Object)
		if problems := Broken(it.Object); len(problems) > 0 {
			ids = append(ids, it.Object.ID())
			t.Logf("%s: %v", it.Object.ID(), problems)
		}
	}
	return ids, objects
}

// The two objects of the ATT&CK releases that break a MUST are known, and no
// other is refused; every object's bytes stand in the file unchanged.
func TestATTACK(t *testing.T) {
	for _, tt := range []struct {
		file    string
		objects int
		broken  []string
	}{
		{"ics-attack-10.1", 830, nil},
		{"ics-attack-12.1", 1205, []string{"intrusion-set--9538b1a4-4120-4e2d-bf59-3b11fcab05a4"}},
		{"mobile-attack-13.1", 1981, []string{"relationship--f825f5ea-3815-431f-b005-4c01b8b2fed9"}},
		{"mobile-attack-17.1", 2148, nil},
	} {
		text := shared(t, "attack/"+tt.file+".json.gz")
		ids, objects := broken(t, text)
		if diff := cmp.Diff(tt.broken, ids); diff != "" {
			t.Errorf("%s: broken (-want +got):\n%s", tt.file, diff)
		}
		if len(objects) != tt.objects {
			t.Errorf("%s: %d objects, want %d", tt.file, len(objects), tt.objects)
		}
		rest := text
		for _, o := range objects {
			i := bytes.Index(rest, o.Raw())
			if i < 0 {
				t.Fatalf("%s: the bytes of %s are not those of the file", tt.file, o.ID())
			}
			rest = rest[i+len(o.Raw()):]
		}
	}
}

func TestDISARM(t *testing.T) {
	for file, want := range map[string]int{"DISARM_v1.6": 698, "DISARM_v1.7": 799} {
		ids, objects := broken(t, shared(t, "disarm/"+file+".stix.json.gz"))
		if len(ids) != 0 || len(objects) != want {
			t.Errorf("%s: %d of %d objects broken, want 0 of %d", file, len(ids), len(objects), want)
		}
	}
}

// Whole bundles: five are broken, three of them by the wrapper's id alone.
func TestInterop(t *testing.T) {
	shared(t, "interop/LICENSE")
	var bundles, objects []string
	files := 0
	err := filepath.WalkDir("../../shared/data/stix/interop/testcases", func(path string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".json" {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		o, err := ParseObject(text)
		if err != nil {
			return err
		}
		if problems := Broken(o); len(problems) > 0 {
			bundles = append(bundles, filepath.Base(path)[:strings.Index(filepath.Base(path), "1-")+1])
			t.Logf("%s: %v", path, problems)
		}
		ids, _ := broken(t, text)
		objects = append(objects, ids...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"tc-3.6.3.1", "tc-3.8.3.1", "tc-3.9.3.1", "tc-3.12.3.1", "tc-3.16.3.1"}
	if diff := cmp.Diff(want, bundles); diff != "" {
		t.Errorf("broken bundles (-want +got):\n%s", diff)
	}
	if files != 51 || len(objects) != 2 {
		t.Errorf("%d files, broken objects %v; want 51 and two", files, objects)
	}
}

func TestACS(t *testing.T) {
	for _, n := range []string{"1", "2", "3", "4", "5"} {
		if ids, _ := broken(t, shared(t, "acs/acs-spec-use-case-"+n+".json")); len(ids) > 0 {
			t.Errorf("case %s: broken %v", n, ids)
		}
	}
}
