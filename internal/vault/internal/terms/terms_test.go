package terms

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOf(t *testing.T) {
	for text, want := range map[string]string{
		"Operation Ferry, ferry!":   "operation ferry",
		"ｆｅｒｒｙ Ｎｏ．７":                "ferry no 7",
		"偽情報":                       "偽 情 偽情 報 情報",
		"データ":                       "デ ー デー タ ータ",
		"ÉTUDE naïve":               "étude naïve",
		"host-1.example.net":        "host 1 example net",
		"NATOは":                     "nato は",
		"7NNN会合":                    "7nnn 会 合 会合",
		"":                          "",
		"... -- ''\"":               "",
		"[domain:value = 'a' OR b]": "domain value a or b",
		"한국":                        "한 국 한국",
	} {
		if d := cmp.Diff(want, strings.Join(Of(text), " ")); d != "" {
			t.Errorf("%q (-want +got):\n%s", text, d)
		}
	}
	if n := len(Of(strings.Repeat("x", 1000))[0]); n > MaxLength {
		t.Errorf("a term of %d bytes", n)
	}
}

// FuzzOf checks what the engines rely on: distinct terms without quotes,
// blanks or other marks, and that what is asked is found in what was stored.
func FuzzOf(f *testing.F) {
	f.Add("Operation Ferry 偽情報", "ferry")
	f.Add("ー'ー\"", "ー")
	f.Fuzz(func(t *testing.T, stored, asked string) {
		terms := Of(stored)
		for i, x := range terms {
			if x == "" || len(x) > MaxLength || strings.ContainsAny(x, " '\"\\&|!():*\x00") || slices.Contains(terms[:i], x) {
				t.Fatalf("%q gives the term %q", stored, x)
			}
		}
		if len(stored)+len(asked) > 512 {
			return
		}
		both := Of(stored + " " + asked)
		for _, x := range Of(asked) {
			if !slices.Contains(both, x) {
				t.Fatalf("%q is not found in %q", x, stored+" "+asked)
			}
		}
	})
}
