package verifier

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"causeway/internal/statement"
)

// TestTexts: both languages say the same things with the same parts.
func TestTexts(t *testing.T) {
	parts := regexp.MustCompile(`\{\d\}`)
	en, err := textsOf("en")
	if err != nil {
		t.Fatal(err)
	}
	ja, err := textsOf("ja")
	if err != nil {
		t.Fatal(err)
	}
	if a, b := slices.Sorted(maps.Keys(en)), slices.Sorted(maps.Keys(ja)); !slices.Equal(a, b) {
		t.Errorf("keys differ: %v, %v", a, b)
	}
	for k := range en {
		a, b := parts.FindAllString(en[k], -1), parts.FindAllString(ja[k], -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(a, b) || en[k] == "" || ja[k] == "" {
			t.Errorf("%s: %v, %v", k, a, b)
		}
	}
	for c := range statement.CodeAsks {
		if en["code."+c] == "" {
			t.Errorf("no page says what %s means", c)
		}
	}
	for _, kind := range []string{"vision", "cooperation-is", "cooperation-is-not", "rebuttal", "correction", "retraction"} {
		if en["kind."+kind] == "" {
			t.Errorf("no word for kind %s", kind)
		}
	}
}

// TestFiles: with the program the page runs it; without, it says that it is not
// there. Both say how to check by hand, and neither loads from elsewhere.
func TestFiles(t *testing.T) {
	full, err := files(map[string][]byte{"program.js": []byte("1"), "verify.js": []byte("2")})
	if err != nil {
		t.Fatal(err)
	}
	bare, err := files(nil)
	if err != nil {
		t.Fatal(err)
	}
	half, err := files(map[string][]byte{"program.js": []byte("1")})
	if err != nil || len(half) != len(bare) {
		t.Errorf("half a program is published: %d files, %v", len(half), err)
	}
	for _, c := range []struct {
		files     map[string][]byte
		has, lack string
	}{{full, `src="program.js"`, "The checking program is not in this folder"}, {bare, "The checking program is not in this folder", "<script"}} {
		index := c.files["verify/index.html"]
		if !bytes.Contains(index, []byte(c.has)) || bytes.Contains(index, []byte(c.lack)) {
			t.Errorf("want %q and not %q in\n%s", c.has, c.lack, index)
		}
		for name, b := range c.files {
			if !strings.HasSuffix(name, ".html") {
				continue
			}
			if !bytes.Contains(b, []byte("openssl dgst -sha256")) || !bytes.Contains(b, []byte("default-src 'none'")) {
				t.Errorf("%s does not say how to check by hand, or has no policy", name)
			}
			for _, m := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllSubmatch(b, -1) {
				if strings.Contains(string(m[1]), "//") {
					t.Errorf("%s loads %s", name, m[1])
				}
			}
			if regexp.MustCompile(`<script>|\son[a-z]+=|\sstyle=`).Match(b) {
				t.Errorf("%s has script or style inside", name)
			}
		}
	}
}
